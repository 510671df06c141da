/* gstbravissettings.h: the properties that bravisencrypt and bravisdecrypt share
 *
 * What they are called, what they may be, and what they mean together.
 */
#pragma once

#include <gst/gst.h>

#include "bravis-srtp.h"
#include "../keymgmt/bravis-secret.h"
#include "../keymgmt/bravis-session.h"

G_BEGIN_DECLS

typedef enum {
  GST_BRAVIS_FORMAT_AUTO,
  GST_BRAVIS_FORMAT_SFRAME,
  GST_BRAVIS_FORMAT_SRTP
} GstBravisFormat;

typedef enum {
  GST_BRAVIS_CIPHER_AUTO,       /* as the key's size and the format say */
  GST_BRAVIS_CIPHER_AES_128_GCM,
  GST_BRAVIS_CIPHER_AES_256_GCM,
  GST_BRAVIS_CIPHER_AES_128_CM_HMAC_SHA1_80,
  GST_BRAVIS_CIPHER_AES_128_CM_HMAC_SHA1_32,
  GST_BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_80,
  GST_BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_64,
  GST_BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32,
  GST_BRAVIS_CIPHER_CHACHA20_POLY1305,
  GST_BRAVIS_CIPHER_PUZZLE
} GstBravisCipher;

typedef enum {
  GST_BRAVIS_MEDIA_AUTO,
  GST_BRAVIS_MEDIA_VIDEO,
  GST_BRAVIS_MEDIA_AUDIO,
  GST_BRAVIS_MEDIA_WHITEBOARD,
  GST_BRAVIS_MEDIA_SIGNALLING
} GstBravisMedia;

#define GST_TYPE_BRAVIS_FORMAT (gst_bravis_format_get_type ())
#define GST_TYPE_BRAVIS_CIPHER (gst_bravis_cipher_get_type ())
#define GST_TYPE_BRAVIS_MEDIA (gst_bravis_media_get_type ())
GType gst_bravis_format_get_type (void);
GType gst_bravis_cipher_get_type (void);
GType gst_bravis_media_get_type (void);

/* No KID was given. */
#define GST_BRAVIS_NO_KID G_MAXUINT64

typedef struct {
  char *session;
  char *config;
  BravisSession *session_object;
  BravisSecret *key;
  GError *key_error;            /* why @key is not what was given */
  guint64 kid;
  GstBravisFormat format;
  GstBravisCipher cipher;
  GstBravisMedia media;
  gboolean rtp_header_auth;
  guint replay_window;
} GstBravisSettings;

enum {
  GST_BRAVIS_PROP_0,
  GST_BRAVIS_PROP_SESSION,
  GST_BRAVIS_PROP_CONFIG,
  GST_BRAVIS_PROP_SESSION_OBJECT,
  GST_BRAVIS_PROP_KEY,
  GST_BRAVIS_PROP_KID,
  GST_BRAVIS_PROP_FORMAT,
  GST_BRAVIS_PROP_CIPHER,
  GST_BRAVIS_PROP_MEDIA,
  GST_BRAVIS_PROP_RTP_HEADER_AUTH,
  GST_BRAVIS_PROP_REPLAY_WINDOW,
  GST_BRAVIS_PROP_STATS         /* not a setting: the element's own */
};

void gst_bravis_settings_install (GObjectClass *klass);
void gst_bravis_settings_init (GstBravisSettings *settings);
void gst_bravis_settings_copy (const GstBravisSettings *from,
    GstBravisSettings *to);
void gst_bravis_settings_clear (GstBravisSettings *settings);
gboolean gst_bravis_settings_set (GstBravisSettings *settings, guint id,
    const GValue *value);
gboolean gst_bravis_settings_get (const GstBravisSettings *settings, guint id,
    GValue *value);

/* Whether the properties fit together: an error says which, and what was
 * expected. Errors: BRAVIS_ERROR_CONFIG, BRAVIS_ERROR_KEY. */
gboolean gst_bravis_settings_check (const GstBravisSettings *settings,
    GError **error);

/* The same for the format that the caps came to. */
gboolean gst_bravis_settings_check_key (const GstBravisSettings *settings,
    GstBravisFormat format, GError **error);

gboolean gst_bravis_settings_want_session (const GstBravisSettings *settings);

/* For static keys, in the format that the caps came to: what cipher=auto comes to
 * depends on nothing but the key and the format, so both ends come to the same. */
const char *gst_bravis_settings_get_cipher (const GstBravisSettings *settings,
    GstBravisFormat format);
guint gst_bravis_settings_get_suite (const GstBravisSettings *settings);
BravisSrtpProfile gst_bravis_settings_get_profile
    (const GstBravisSettings *settings);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstBravisSettings, gst_bravis_settings_clear)

G_END_DECLS
