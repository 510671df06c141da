#include "gstbravissettings.h"

#include "bravis-replay.h"
#include "../keymgmt/bravis-error.h"
#include "../keymgmt/bravis-policy.h"

#define MIN_BASE_KEY 16         /* octets of a static key for SFrame */
#define MAX_BASE_KEY 64
#define DEFAULT_REPLAY_WINDOW 1024

GType
gst_bravis_format_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    {GST_BRAVIS_FORMAT_AUTO,
        "As the caps say: SRTP for application/x-srtp, else SFrame", "auto"},
    {GST_BRAVIS_FORMAT_SFRAME,
        "SFrame (RFC 9605), over whole frames or RTP payloads", "sframe"},
    {GST_BRAVIS_FORMAT_SRTP, "SRTP (RFC 3711, RFC 7714), RTP only", "srtp"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstBravisFormat", values));
  return type;
}

GType
gst_bravis_cipher_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    {GST_BRAVIS_CIPHER_AUTO,
          "By the key's size: AES-128-GCM; AES-256-GCM for SFrame's keys of 32 "
          "octets and more, and SRTP's of 44; AES-128 in counter mode with "
          "HMAC-SHA1-80 for SRTP's of 30", "auto"},
    {GST_BRAVIS_CIPHER_AES_128_GCM, "AES-128-GCM", "aes-128-gcm"},
    {GST_BRAVIS_CIPHER_AES_256_GCM, "AES-256-GCM", "aes-256-gcm"},
    {GST_BRAVIS_CIPHER_AES_128_CM_HMAC_SHA1_80,
          "AES-128 in counter mode with HMAC-SHA1-80, SRTP only",
        "aes-128-cm-hmac-sha1-80"},
    {GST_BRAVIS_CIPHER_AES_128_CM_HMAC_SHA1_32,
          "AES-128 in counter mode with HMAC-SHA1-32, SRTP only",
        "aes-128-cm-hmac-sha1-32"},
    {GST_BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_80,
          "AES-128 in counter mode with HMAC-SHA256-80, SFrame only",
        "aes-128-ctr-hmac-sha256-80"},
    {GST_BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_64,
          "AES-128 in counter mode with HMAC-SHA256-64, SFrame only",
        "aes-128-ctr-hmac-sha256-64"},
    {GST_BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32,
          "AES-128 in counter mode with HMAC-SHA256-32, SFrame only",
        "aes-128-ctr-hmac-sha256-32"},
    {GST_BRAVIS_CIPHER_CHACHA20_POLY1305,
          "ChaCha20-Poly1305, SFrame only (suite 0xf001, for private use): for "
          "processors without AES", "chacha20-poly1305"},
    {GST_BRAVIS_CIPHER_PUZZLE,
          "Puzzle, SFrame only (suite 0xf002, for private use). It is weak: who "
          "knows a part of a frame can read most of the rest", "puzzle"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstBravisCipher", values));
  return type;
}

/* What each comes to in the two formats; -1: it is not for that one. */
static const struct {
  int suite;                    /* BravisCipher */
  int profile;                  /* BravisSrtpProfile */
} ciphers[] = {
  [GST_BRAVIS_CIPHER_AES_128_GCM] = { BRAVIS_CIPHER_AES_128_GCM,
      BRAVIS_SRTP_AES_128_GCM },
  [GST_BRAVIS_CIPHER_AES_256_GCM] = { BRAVIS_CIPHER_AES_256_GCM,
      BRAVIS_SRTP_AES_256_GCM },
  [GST_BRAVIS_CIPHER_AES_128_CM_HMAC_SHA1_80] = { -1,
      BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_80 },
  [GST_BRAVIS_CIPHER_AES_128_CM_HMAC_SHA1_32] = { -1,
      BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_32 },
  [GST_BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_80] = {
      BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_80, -1 },
  [GST_BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_64] = {
      BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_64, -1 },
  [GST_BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32] = {
      BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32, -1 },
  [GST_BRAVIS_CIPHER_CHACHA20_POLY1305] = { BRAVIS_CIPHER_CHACHA20_POLY1305, -1 },
  [GST_BRAVIS_CIPHER_PUZZLE] = { BRAVIS_CIPHER_PUZZLE, -1 },
};

GType
gst_bravis_media_get_type (void)
{
  static GType type = 0;
  static const GEnumValue values[] = {
    {GST_BRAVIS_MEDIA_AUTO, "As the caps say", "auto"},
    {GST_BRAVIS_MEDIA_VIDEO, "Video", "video"},
    {GST_BRAVIS_MEDIA_AUDIO, "Audio", "audio"},
    {GST_BRAVIS_MEDIA_WHITEBOARD, "Whiteboard", "whiteboard"},
    {GST_BRAVIS_MEDIA_SIGNALLING, "Signalling", "signalling"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstBravisMedia", values));
  return type;
}

/* Both ends must come to the same, so neither may ask its own processor. */
static GstBravisCipher
settle_cipher (const GstBravisSettings *settings, gboolean srtp)
{
  gsize size;

  if (settings->cipher != GST_BRAVIS_CIPHER_AUTO)
    return settings->cipher;
  size = bravis_secret_get_size (settings->key);
  if (srtp && size
      == bravis_srtp_key_size (BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_80))
    return GST_BRAVIS_CIPHER_AES_128_CM_HMAC_SHA1_80;
  if (size >= (srtp ? bravis_srtp_key_size (BRAVIS_SRTP_AES_256_GCM)
          : bravis_cipher_get_key_size (BRAVIS_CIPHER_AES_256_GCM)))
    return GST_BRAVIS_CIPHER_AES_256_GCM;
  return GST_BRAVIS_CIPHER_AES_128_GCM;
}

static void
install_session_properties (GObjectClass *klass, GParamFlags flags)
{
  g_object_class_install_property (klass, GST_BRAVIS_PROP_SESSION,
      g_param_spec_string ("session", "Session",
          "Name of the session whose keys are used; elements with the same name "
          "share one session", NULL, flags));
  g_object_class_install_property (klass, GST_BRAVIS_PROP_CONFIG,
      g_param_spec_string ("config", "Configuration",
          "Path of the configuration file from which the session is made, if "
          "there is none yet", NULL, flags));
  g_object_class_install_property (klass, GST_BRAVIS_PROP_SESSION_OBJECT,
      g_param_spec_object ("session-object", "Session object",
          "The BravisSession to be used, from an application that made it "
          "itself", BRAVIS_TYPE_SESSION, flags));
  g_object_class_install_property (klass, GST_BRAVIS_PROP_MEDIA,
      g_param_spec_enum ("media", "Media",
          "Kind of data, which decides about the algorithm and the key in a "
          "session; bravisdecrypt opens only this kind",
          GST_TYPE_BRAVIS_MEDIA, GST_BRAVIS_MEDIA_AUTO, flags));
}

static void
install_key_properties (GObjectClass *klass, GParamFlags flags)
{
  /* Not readable: what can be read ends in pipeline graphs and logs. */
  g_object_class_install_property (klass, GST_BRAVIS_PROP_KEY,
      g_param_spec_string ("key", "Static key",
          "Static key in hexadecimal, instead of a session. For SFrame a base key "
          "of 16 to 64 octets; for SRTP master key and master salt: 28 octets "
          "for AES-128-GCM, 44 for AES-256-GCM, 30 for AES-128-CM",
          NULL, flags & ~G_PARAM_READABLE));
  g_object_class_install_property (klass, GST_BRAVIS_PROP_KID,
      g_param_spec_uint64 ("kid", "Key identifier",
          "SFrame key identifier with a static key. bravisencrypt draws a new one "
          "for each run unless it is given one; bravisdecrypt opens any unless it "
          "is given one. 18446744073709551615: not given",
          0, G_MAXUINT64, GST_BRAVIS_NO_KID, flags));
  g_object_class_install_property (klass, GST_BRAVIS_PROP_CIPHER,
      g_param_spec_enum ("cipher", "Cipher",
          "Algorithm with a static key, the same at both ends; in a session the "
          "policy decides",
          GST_TYPE_BRAVIS_CIPHER, GST_BRAVIS_CIPHER_AES_128_GCM, flags));
}

void
gst_bravis_settings_install (GObjectClass *klass)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  install_session_properties (klass, flags);
  install_key_properties (klass, flags);
  g_object_class_install_property (klass, GST_BRAVIS_PROP_FORMAT,
      g_param_spec_enum ("format", "Format",
          "What protected data look like",
          GST_TYPE_BRAVIS_FORMAT, GST_BRAVIS_FORMAT_AUTO, flags));
  g_object_class_install_property (klass, GST_BRAVIS_PROP_RTP_HEADER_AUTH,
      g_param_spec_boolean ("rtp-header-auth", "Authenticate RTP headers",
          "Bind the RTP header to its SFrame payload, so that nothing on the way "
          "may alter it; both sides must agree. SRTP always does",
          FALSE, flags));
  g_object_class_install_property (klass, GST_BRAVIS_PROP_REPLAY_WINDOW,
      g_param_spec_uint ("replay-window", "Replay window",
          "How many frames or packets behind the newest one a late one is still "
          "taken (SRTP: 32767 at most); no frame is taken twice",
          BRAVIS_SRTP_MIN_WINDOW, BRAVIS_REPLAY_MAX_WINDOW,
          DEFAULT_REPLAY_WINDOW, flags));
}

void
gst_bravis_settings_init (GstBravisSettings *settings)
{
  *settings = (GstBravisSettings) {
    .kid = GST_BRAVIS_NO_KID,
    .cipher = GST_BRAVIS_CIPHER_AES_128_GCM,
    .replay_window = DEFAULT_REPLAY_WINDOW,
  };
}

void
gst_bravis_settings_copy (const GstBravisSettings *from, GstBravisSettings *to)
{
  *to = *from;
  to->session = g_strdup (from->session);
  to->config = g_strdup (from->config);
  to->key_error = from->key_error ? g_error_copy (from->key_error) : NULL;
  if (to->session_object)
    g_object_ref (to->session_object);
  if (to->key)
    bravis_secret_ref (to->key);
}

void
gst_bravis_settings_clear (GstBravisSettings *settings)
{
  g_clear_pointer (&settings->session, g_free);
  g_clear_pointer (&settings->config, g_free);
  g_clear_object (&settings->session_object);
  g_clear_pointer (&settings->key, bravis_secret_unref);
  g_clear_error (&settings->key_error);
}

static void
set_key (GstBravisSettings *settings, const char *hex)
{
  g_clear_pointer (&settings->key, bravis_secret_unref);
  g_clear_error (&settings->key_error);
  if (hex)
    settings->key = bravis_secret_new_from_hex (hex, &settings->key_error);
}

gboolean
gst_bravis_settings_set (GstBravisSettings *settings, guint id,
    const GValue *value)
{
  switch (id) {
    case GST_BRAVIS_PROP_SESSION:
      g_free (settings->session);
      settings->session = g_value_dup_string (value);
      return TRUE;
    case GST_BRAVIS_PROP_CONFIG:
      g_free (settings->config);
      settings->config = g_value_dup_string (value);
      return TRUE;
    case GST_BRAVIS_PROP_SESSION_OBJECT:
      g_set_object (&settings->session_object, g_value_get_object (value));
      return TRUE;
    case GST_BRAVIS_PROP_KEY:
      set_key (settings, g_value_get_string (value));
      return TRUE;
    case GST_BRAVIS_PROP_KID:
      settings->kid = g_value_get_uint64 (value);
      return TRUE;
    case GST_BRAVIS_PROP_FORMAT:
      settings->format = g_value_get_enum (value);
      return TRUE;
    case GST_BRAVIS_PROP_CIPHER:
      settings->cipher = g_value_get_enum (value);
      return TRUE;
    case GST_BRAVIS_PROP_MEDIA:
      settings->media = g_value_get_enum (value);
      return TRUE;
    case GST_BRAVIS_PROP_RTP_HEADER_AUTH:
      settings->rtp_header_auth = g_value_get_boolean (value);
      return TRUE;
    case GST_BRAVIS_PROP_REPLAY_WINDOW:
      settings->replay_window = g_value_get_uint (value);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
gst_bravis_settings_get (const GstBravisSettings *settings, guint id,
    GValue *value)
{
  switch (id) {
    case GST_BRAVIS_PROP_SESSION:
      g_value_set_string (value, settings->session);
      return TRUE;
    case GST_BRAVIS_PROP_CONFIG:
      g_value_set_string (value, settings->config);
      return TRUE;
    case GST_BRAVIS_PROP_SESSION_OBJECT:
      g_value_set_object (value, settings->session_object);
      return TRUE;
    case GST_BRAVIS_PROP_KID:
      g_value_set_uint64 (value, settings->kid);
      return TRUE;
    case GST_BRAVIS_PROP_FORMAT:
      g_value_set_enum (value, settings->format);
      return TRUE;
    case GST_BRAVIS_PROP_CIPHER:
      g_value_set_enum (value, settings->cipher);
      return TRUE;
    case GST_BRAVIS_PROP_MEDIA:
      g_value_set_enum (value, settings->media);
      return TRUE;
    case GST_BRAVIS_PROP_RTP_HEADER_AUTH:
      g_value_set_boolean (value, settings->rtp_header_auth);
      return TRUE;
    case GST_BRAVIS_PROP_REPLAY_WINDOW:
      g_value_set_uint (value, settings->replay_window);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
gst_bravis_settings_want_session (const GstBravisSettings *settings)
{
  return settings->session || settings->config || settings->session_object;
}

static const char *
get_cipher_name (GstBravisCipher cipher)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (GST_TYPE_BRAVIS_CIPHER);

  return g_enum_get_value (klass, cipher)->value_nick;
}

static gboolean
check_cipher (const GstBravisSettings *settings, GstBravisFormat format,
    GError **error)
{
  gboolean srtp = format == GST_BRAVIS_FORMAT_SRTP;
  GstBravisCipher cipher = settle_cipher (settings, srtp);

  if ((srtp ? ciphers[cipher].profile : ciphers[cipher].suite) >= 0)
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
      "cipher=%s is for format=%s only", get_cipher_name (cipher),
      srtp ? "sframe" : "srtp");
  return FALSE;
}

static gboolean
check_srtp_key (const GstBravisSettings *settings, GError **error)
{
  gsize size = bravis_secret_get_size (settings->key);
  gsize wanted = bravis_srtp_key_size (gst_bravis_settings_get_profile (settings));

  if (size == wanted)
    return TRUE;
  if (settings->cipher == GST_BRAVIS_CIPHER_AUTO)
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_KEY,
        "property key has %" G_GSIZE_FORMAT " octets; SRTP takes 28, 30 or 44: "
        "master key, then master salt", size);
  else
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_KEY,
        "property key has %" G_GSIZE_FORMAT " octets; SRTP with this cipher "
        "takes %" G_GSIZE_FORMAT ": master key, then master salt", size,
        wanted);
  return FALSE;
}

gboolean
gst_bravis_settings_check_key (const GstBravisSettings *settings,
    GstBravisFormat format, GError **error)
{
  gsize size = bravis_secret_get_size (settings->key);

  if (!check_cipher (settings, format, error))
    return FALSE;
  if (format == GST_BRAVIS_FORMAT_SRTP)
    return check_srtp_key (settings, error);
  if (size >= MIN_BASE_KEY && size <= MAX_BASE_KEY)
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_KEY,
      "property key has %" G_GSIZE_FORMAT " octets; SFrame takes %d to %d",
      size, MIN_BASE_KEY, MAX_BASE_KEY);
  return FALSE;
}

gboolean
gst_bravis_settings_check (const GstBravisSettings *settings, GError **error)
{
  if (settings->key_error) {
    g_propagate_prefixed_error (error, g_error_copy (settings->key_error),
        "property key: ");
    return FALSE;
  }
  if (gst_bravis_settings_want_session (settings)) {
    if (settings->key == NULL)
      return TRUE;
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
        "both a session and a static key: set one of them");
    return FALSE;
  }
  if (settings->key == NULL) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
        "no session and no key: set session, config, session-object or key");
    return FALSE;
  }
  /* SRTP only by the caps: its key is looked at when they come. */
  if (settings->format == GST_BRAVIS_FORMAT_AUTO
      && ciphers[settle_cipher (settings, FALSE)].suite < 0)
    return gst_bravis_settings_check_key (settings, GST_BRAVIS_FORMAT_SRTP,
        error);
  return gst_bravis_settings_check_key (settings, settings->format, error);
}

const char *
gst_bravis_settings_get_cipher (const GstBravisSettings *settings,
    GstBravisFormat format)
{
  return get_cipher_name (settle_cipher (settings,
          format == GST_BRAVIS_FORMAT_SRTP));
}

guint
gst_bravis_settings_get_suite (const GstBravisSettings *settings)
{
  return bravis_cipher_get_suite (ciphers[settle_cipher (settings, FALSE)].suite);
}

BravisSrtpProfile
gst_bravis_settings_get_profile (const GstBravisSettings *settings)
{
  return ciphers[settle_cipher (settings, TRUE)].profile;
}
