/**
 * SECTION:element-bravisencrypt
 * @title: bravisencrypt
 * @see_also: bravisdecrypt, bravisgroupsink
 *
 * Protects what goes through it: whole frames or RTP payloads with SFrame
 * (RFC 9605), or RTP packets with SRTP (RFC 3711, RFC 7714). The keys are those of
 * a session, which change with its members, or one static key.
 *
 * Caps application/x-rtp come out as application/x-rtp with bravis-format=sframe,
 * or as application/x-srtp with format=srtp, application/x-rtcp then as
 * application/x-srtcp; any other caps come out as application/x-bravis, in which
 * #bravisdecrypt finds the original ones.
 *
 * Once there is a key, stats also say what was picked: format, cipher, and provider,
 * the library that encrypts. So does an element message "bravis-picked", then and
 * whenever it becomes another. The format is picked by the caps (format=auto). The
 * cipher is picked in a session by the policy of who began the group, which may leave
 * it to that peer's processor (`[policy] video=auto`: AES-128-GCM where it has AES,
 * else ChaCha20-Poly1305); with a static key it is the one that is set, or with
 * cipher=auto what the key's size says, since the processors of both ends may differ.
 * The provider is picked by the processor.
 *
 * Puzzle (cipher=puzzle, or in a session's policy) is weak: who knows what a frame
 * begins with reads all its blocks and lacks only their order. It is much faster than
 * AES where the processor has no AES instructions, and slower where it has. Nothing
 * uses it that was not told to by name, and a member whose policy does not name it
 * leaves a group whose policy does.
 *
 * AES-GCM and ChaCha20-Poly1305 are done by Intel's Multi-Buffer Crypto for IPsec
 * where it was built in and the processor has what it needs, else by GnuTLS. The
 * environment variable BRAVIS_AEAD_PROVIDER (ipsec-mb, gnutls) has it otherwise. What
 * comes out is the same.
 *
 * With a static key and SFrame, each run draws a key identifier (KID), from which
 * the key that is really used is derived: so no (key, counter) is ever used twice,
 * however often the pipeline starts. With the property kid that key is always the
 * same one, and the counter starts from the system's clock: the clock must then
 * not be set back, and no other process may send under the same key and kid. With
 * a static key and SRTP, key, SSRC and sequence number make the nonce, as in
 * srtpenc: a payloader with a fixed SSRC must not be started twice with one key.
 *
 * Several encodings of a source (simulcast, layers) may go through one bravisencrypt,
 * and through one bravisdecrypt in any case. With SRTP each SSRC has indices and a
 * replay window of its own. With SFrame the counter is bravisencrypt's: a packet that
 * is held back must come within replay-window packets of all of them, unless each
 * encoding has a bravisencrypt of its own (rtpfunnel may follow). RTP header
 * extensions, such as the RID, stay readable.
 *
 * A receiver with a static key cannot tell an old recording from a sender that is
 * new to it. A session's keys end with each change of its members.
 *
 * What cannot be protected is dropped, counted in the property stats, and reported
 * in an element message "bravis-drop" (reason, count, kid), at most one a second
 * for each reason.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=clip.mkv ! matroskademux ! h264parse ! rtph264pay ! bravisencrypt key=000102030405060708090a0b0c0d0e0f ! udpsink host=127.0.0.1 port=5004
 * ]| RTP with closed payloads.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=100 ! x264enc ! bravisencrypt key=000102030405060708090a0b0c0d0e0f ! bravisdecrypt key=000102030405060708090a0b0c0d0e0f ! h264parse ! avdec_h264 ! autovideosink
 * ]| Whole frames.
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! opusenc ! rtpopuspay ! bravisencrypt format=srtp key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b ! udpsink host=127.0.0.1 port=5004
 * ]| SRTP with AES-128-GCM: 16 octets of master key and 12 of master salt.
 * |[
 * ( videotestsrc is-live=true ! x264enc tune=zerolatency ! bravisencrypt key=000102030405060708090a0b0c0d0e0f ! rtpgstpay name=pay0 )
 * ]| For a media factory of gst-rtsp-server; rtspsrc ! rtpgstdepay ! bravisdecrypt
 * opens it. RTP packets are closed behind the payloader: then both are in a bin pay0.
 */
#include "gstbravisencrypt.h"

#include "bravis-frame-guard.h"
#include "bravis-rtp.h"
#include "bravis-srtp.h"
#include "bravis-static-use.h"
#include "../keymgmt/bravis-error.h"
#include "../keymgmt/bravis-session-media.h"

#define POOLED_SIZE 2048        /* octets: a packet, and room around it */

struct _GstBravisEncrypt {
  GstBravisProtect parent;

  GstBravisShape shape;
  BravisSender *sender;         /* one of the two, as the shape wants it */
  BravisSrtpSender *srtp_sender;
  BravisSecret *srtp_key;       /* static key of @srtp_sender */
  BravisSrtpProfile srtp_profile;
  gboolean claimed;             /* the static key with its kid */

  gboolean has_stream;          /* in the session */
  BravisKind kind;
  guint16 stream;

  GstBufferPool *pool;          /* of copies with room; NULL: none was needed yet */

  gboolean has_timestamp;       /* of the RTP packet before: a frame's packets */
  guint32 timestamp;            /* have the same one */
};

G_DEFINE_FINAL_TYPE (GstBravisEncrypt, gst_bravis_encrypt,
    GST_TYPE_BRAVIS_PROTECT)
GST_ELEMENT_REGISTER_DEFINE (bravisencrypt, "bravisencrypt", GST_RANK_NONE,
    GST_TYPE_BRAVIS_ENCRYPT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_BRAVIS_CAPS_PROTECTED));

static void
note_pick (GstBravisEncrypt *self)
{
  if (gst_bravis_shape_is_srtp (self->shape))
    gst_bravis_protect_note_pick (GST_BRAVIS_PROTECT (self), "srtp",
        bravis_srtp_sender_get_cipher (self->srtp_sender), "libsrtp2");
  else
    gst_bravis_protect_note_pick (GST_BRAVIS_PROTECT (self), "sframe",
        bravis_sender_get_cipher (self->sender),
        bravis_sender_get_provider (self->sender));
}

/* Keys */

static void
drop_sframe_sender (GstBravisEncrypt *self)
{
  const GstBravisSettings *settings =
      gst_bravis_protect_get_settings (GST_BRAVIS_PROTECT (self));

  if (self->claimed)
    bravis_static_use_release (settings->key,
        gst_bravis_settings_get_suite (settings), settings->kid,
        bravis_sender_get_counter (self->sender));
  self->claimed = FALSE;
  g_clear_pointer (&self->sender, bravis_sender_free);
}

static void
drop_srtp_sender (GstBravisEncrypt *self)
{
  g_clear_pointer (&self->srtp_sender, bravis_srtp_sender_free);
  g_clear_pointer (&self->srtp_key, bravis_secret_unref);
}

static gboolean
make_static_sframe_sender (GstBravisEncrypt *self,
    const GstBravisSettings *settings, GError **error)
{
  guint suite = gst_bravis_settings_get_suite (settings);
  guint64 kid = settings->kid, first = 0;
  BravisRandom random;

  if (self->sender)
    return TRUE;
  if (kid == GST_BRAVIS_NO_KID) {
    bravis_random_init_system (&random);
    kid = bravis_random_u64 (&random);
  } else if (bravis_static_use_claim (settings->key, suite, kid, &first)) {
    self->claimed = TRUE;
  } else {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "another bravisencrypt of this process sends under the same key and "
        "kid: leave kid out, or give each its own");
    return FALSE;
  }
  self->sender = bravis_sender_new_static (suite, kid, settings->key);
  bravis_sender_set_counter (self->sender, first);
  if (settings->cipher == GST_BRAVIS_CIPHER_PUZZLE)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
        ("Puzzle is weak: who knows a part of a frame can read most of the rest."),
        (NULL));
  return TRUE;
}

/* A sender for the same key stays, even from one run to the next: it remembers
 * which packet indices were used. */
static gboolean
make_static_srtp_sender (GstBravisEncrypt *self,
    const GstBravisSettings *settings, GError **error)
{
  BravisSrtpProfile profile = gst_bravis_settings_get_profile (settings);

  if (self->srtp_sender && self->srtp_key && self->srtp_profile == profile
      && bravis_secret_equal (self->srtp_key, settings->key))
    return TRUE;
  drop_srtp_sender (self);
  self->srtp_sender = bravis_srtp_sender_new_static (profile, settings->key,
      settings->replay_window);
  if (self->srtp_sender == NULL) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "libsrtp2 does not take the key");
    return FALSE;
  }
  self->srtp_key = bravis_secret_ref (settings->key);
  self->srtp_profile = profile;
  return TRUE;
}

static gboolean
make_static_sender (GstBravisEncrypt *self, const GstBravisSettings *settings,
    GstBravisShape shape, GError **error)
{
  GstBravisFormat format = gst_bravis_shape_is_srtp (shape)
      ? GST_BRAVIS_FORMAT_SRTP : GST_BRAVIS_FORMAT_SFRAME;

  if (!gst_bravis_settings_check_key (settings, format, error))
    return FALSE;
  return format == GST_BRAVIS_FORMAT_SRTP
      ? make_static_srtp_sender (self, settings, error)
      : make_static_sframe_sender (self, settings, error);
}

static void
drop_stream (GstBravisEncrypt *self)
{
  if (!self->has_stream)
    return;
  bravis_session_remove_stream (gst_bravis_protect_get_session
      (GST_BRAVIS_PROTECT (self)), self->stream);
  self->has_stream = FALSE;
}

static gboolean
choose_kind (const GstBravisSettings *settings, const GstCaps *caps,
    BravisKind *kind, GError **error)
{
  if (settings->media != GST_BRAVIS_MEDIA_AUTO) {
    *kind = (BravisKind) (settings->media - GST_BRAVIS_MEDIA_VIDEO);
    return TRUE;
  }
  if (gst_bravis_caps_get_kind (caps, kind))
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
      "the caps do not say whether this is video or audio: set media");
  return FALSE;
}

/* A session's key is one stream's in one format: other caps of the same kind go
 * on with it, what is of another kind is another stream. */
static gboolean
make_session_sender (GstBravisEncrypt *self, BravisSession *session,
    const GstBravisSettings *settings, const GstCaps *caps,
    GstBravisShape shape, GError **error)
{
  gboolean srtp = gst_bravis_shape_is_srtp (shape);
  BravisKind kind;

  if (!choose_kind (settings, caps, &kind, error))
    return FALSE;
  if (self->has_stream && kind == self->kind
      && (srtp ? self->srtp_sender != NULL : self->sender != NULL))
    return TRUE;
  drop_sframe_sender (self);
  drop_srtp_sender (self);
  drop_stream (self);
  if (!bravis_session_add_stream (session, kind, &self->stream, error))
    return FALSE;
  self->has_stream = TRUE;
  self->kind = kind;
  if (srtp)
    self->srtp_sender = bravis_srtp_sender_new_session (session, kind,
        self->stream, settings->replay_window);
  else
    self->sender = bravis_sender_new_session (session, kind, self->stream);
  return TRUE;
}

static GstCaps *
gst_bravis_encrypt_set_caps (GstBravisProtect *protect, const GstCaps *caps,
    GError **error)
{
  GstBravisEncrypt *self = GST_BRAVIS_ENCRYPT (protect);
  const GstBravisSettings *settings = gst_bravis_protect_get_settings (protect);
  BravisSession *session = gst_bravis_protect_get_session (protect);
  g_autoptr (GstCaps) out = NULL;
  GstBravisShape shape;
  gboolean made;

  out = gst_bravis_caps_protect (caps, settings->format, &shape, error);
  if (out == NULL)
    return NULL;
  made = session
      ? make_session_sender (self, session, settings, caps, shape, error)
      : make_static_sender (self, settings, shape, error);
  if (!made)
    return NULL;
  self->shape = shape;
  self->has_timestamp = FALSE;
  if (self->sender)
    bravis_sender_set_rtp_header_auth (self->sender, settings->rtp_header_auth);
  note_pick (self);
  return g_steal_pointer (&out);
}

/* Buffers */

typedef struct {
  gsize before;                 /* octets that may be written before the data */
  gsize behind;
} Room;

/* The room around the data of a buffer that may be altered where it is. */
static gboolean
find_room (GstBuffer *buffer, Room *room)
{
  gsize offset, maxsize, size;
  GstMemory *memory;

  if (!gst_buffer_is_writable (buffer) || gst_buffer_n_memory (buffer) != 1)
    return FALSE;
  memory = gst_buffer_peek_memory (buffer, 0);
  /* A part of another memory has its neighbours where we would write. */
  if (memory->parent || !gst_memory_is_writable (memory)
      || !gst_memory_is_type (memory, GST_ALLOCATOR_SYSMEM))
    return FALSE;
  size = gst_memory_get_sizes (memory, &offset, &maxsize);
  room->before = offset;
  room->behind = maxsize - offset - size;
  return TRUE;
}

static GstBufferPool *
make_pool (void)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, POOLED_SIZE, 0, 0);
  if (!gst_buffer_pool_set_config (pool, config)
      || !gst_buffer_pool_set_active (pool, TRUE))
    gst_clear_object (&pool);
  return pool;
}

/* Of at least @size octets. Packets come from a pool. */
static GstBuffer *
get_buffer (GstBravisEncrypt *self, gsize size)
{
  GstBuffer *buffer = NULL;

  if (size > POOLED_SIZE)
    return gst_buffer_new_allocate (NULL, size, NULL);
  if (!self->pool)
    self->pool = make_pool ();
  if (self->pool)
    gst_buffer_pool_acquire_buffer (self->pool, &buffer, NULL);
  return buffer;
}

/* A copy with room: @before octets in front and @behind at the end. */
static GstBuffer *
copy_with_room (GstBravisEncrypt *self, GstBuffer *buffer, gsize before,
    gsize behind)
{
  gsize size = gst_buffer_get_size (buffer);
  GstBuffer *copy = get_buffer (self, before + size + behind);
  GstMapInfo map;

  if (copy == NULL || !gst_buffer_map (copy, &map, GST_MAP_WRITE)) {
    gst_clear_buffer (&copy);
    return NULL;
  }
  gst_buffer_extract (buffer, 0, map.data + before, size);
  gst_buffer_unmap (copy, &map);
  gst_buffer_resize (copy, before, size);
  gst_buffer_copy_into (copy, buffer,
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META,
      0, -1);
  return copy;
}

static gboolean
make_room (GstBravisEncrypt *self, GstBuffer **buffer, gsize before, gsize behind)
{
  GstBuffer *copy;
  Room room;

  if (find_room (*buffer, &room) && room.before >= before
      && room.behind >= behind)
    return TRUE;
  copy = copy_with_room (self, *buffer, before, behind);
  if (copy == NULL)
    return FALSE;
  gst_buffer_unref (*buffer);
  *buffer = copy;
  return TRUE;
}

/* Epochs change between frames: a frame is whole under one key. */
static gboolean
begins_frame (GstBravisEncrypt *self, const guint8 *data, gsize size)
{
  gboolean begins;
  BravisRtp rtp;

  if (self->shape == GST_BRAVIS_SHAPE_FRAME
      || self->shape == GST_BRAVIS_SHAPE_SRTCP)
    return TRUE;
  if (!bravis_rtp_read_header (data, size, &rtp))
    return FALSE;
  begins = !self->has_timestamp || rtp.timestamp != self->timestamp;
  self->has_timestamp = TRUE;
  self->timestamp = rtp.timestamp;
  return begins;
}

static void
take_epoch (GstBravisEncrypt *self)
{
  if (gst_bravis_shape_is_srtp (self->shape)
      ? bravis_srtp_sender_take_epoch (self->srtp_sender)
      : bravis_sender_take_epoch (self->sender))
    note_pick (self);
}

static BravisDrop
protect_sframe (GstBravisEncrypt *self, GstBuffer **buffer)
{
  gsize before, size;
  GstMapInfo map;
  BravisDrop drop;

  if (!make_room (self, buffer, BRAVIS_SFRAME_MAX_HEADER,
          bravis_sender_get_tag_size (self->sender))
      || !gst_buffer_map (*buffer, &map, GST_MAP_READWRITE))
    return BRAVIS_DROP_MALFORMED;
  if (self->has_stream && begins_frame (self, map.data, map.size))
    take_epoch (self);
  if (self->shape == GST_BRAVIS_SHAPE_RTP)
    drop = bravis_sender_protect_rtp_around (self->sender, map.data, map.size,
        &before, &size);
  else
    drop = bravis_sender_protect_frame_around (self->sender, map.data,
        map.size, &before, &size);
  gst_buffer_unmap (*buffer, &map);
  if (drop == BRAVIS_DROP_NONE)
    gst_buffer_resize (*buffer, -(gssize) before, size);
  return drop;
}

static BravisDrop
protect_srtp (GstBravisEncrypt *self, GstBuffer **buffer)
{
  gsize size;
  GstMapInfo map;
  BravisDrop drop;

  if (!make_room (self, buffer, 0, BRAVIS_SRTP_OVERHEAD)
      || !gst_buffer_map (*buffer, &map, GST_MAP_READWRITE))
    return BRAVIS_DROP_MALFORMED;
  if (GPOINTER_TO_SIZE (map.data) % 4) {
    GstBuffer *aligned = copy_with_room (self, *buffer, 0,
        BRAVIS_SRTP_OVERHEAD);

    gst_buffer_unmap (*buffer, &map);
    gst_buffer_unref (*buffer);
    *buffer = aligned;
    if (aligned == NULL || !gst_buffer_map (aligned, &map, GST_MAP_READWRITE))
      return BRAVIS_DROP_MALFORMED;
  }
  if (self->has_stream && begins_frame (self, map.data, map.size))
    take_epoch (self);
  drop = self->shape == GST_BRAVIS_SHAPE_SRTCP
      ? bravis_srtp_sender_protect_rtcp (self->srtp_sender, map.data, map.size,
          &size)
      : bravis_srtp_sender_protect (self->srtp_sender, map.data, map.size, &size);
  gst_buffer_unmap (*buffer, &map);
  if (drop == BRAVIS_DROP_NONE)
    gst_buffer_set_size (*buffer, size);
  return drop;
}

static BravisDrop
gst_bravis_encrypt_process (GstBravisProtect *protect, GstBuffer **buffer,
    guint64 *kid)
{
  GstBravisEncrypt *self = GST_BRAVIS_ENCRYPT (protect);

  return gst_bravis_shape_is_srtp (self->shape)
      ? protect_srtp (self, buffer) : protect_sframe (self, buffer);
}

static GstCaps *
gst_bravis_encrypt_to_sink_caps (GstBravisProtect *protect,
    const GstCaps *src_caps)
{
  return gst_bravis_caps_open_all (src_caps,
      gst_bravis_protect_get_format (protect));
}

static GstCaps *
gst_bravis_encrypt_to_src_caps (GstBravisProtect *protect,
    const GstCaps *sink_caps)
{
  return gst_bravis_caps_protect_all (sink_caps,
      gst_bravis_protect_get_format (protect));
}

/* What is dropped here is one's own. */
static char *
gst_bravis_encrypt_dup_sender_name (GstBravisProtect *protect, guint64 kid)
{
  BravisSession *session = gst_bravis_protect_get_session (protect);

  return session ? g_strdup (bravis_session_get_identity (session)) : NULL;
}

static void
gst_bravis_encrypt_stop (GstBravisProtect *protect)
{
  GstBravisEncrypt *self = GST_BRAVIS_ENCRYPT (protect);

  drop_sframe_sender (self);
  if (self->has_stream)
    drop_srtp_sender (self);
  drop_stream (self);
  if (self->pool)
    gst_buffer_pool_set_active (self->pool, FALSE);
  gst_clear_object (&self->pool);
  self->shape = GST_BRAVIS_SHAPE_NONE;
}

static void
gst_bravis_encrypt_finalize (GObject *object)
{
  drop_srtp_sender (GST_BRAVIS_ENCRYPT (object));
  G_OBJECT_CLASS (gst_bravis_encrypt_parent_class)->finalize (object);
}

static void
gst_bravis_encrypt_init (GstBravisEncrypt *self)
{
}

static void
gst_bravis_encrypt_class_init (GstBravisEncryptClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBravisProtectClass *protect_class = GST_BRAVIS_PROTECT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_bravis_encrypt_finalize;
  protect_class->set_caps = gst_bravis_encrypt_set_caps;
  protect_class->to_sink_caps = gst_bravis_encrypt_to_sink_caps;
  protect_class->to_src_caps = gst_bravis_encrypt_to_src_caps;
  protect_class->process = gst_bravis_encrypt_process;
  protect_class->dup_sender_name = gst_bravis_encrypt_dup_sender_name;
  protect_class->stop = gst_bravis_encrypt_stop;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "BRAVIS encrypter", "Filter/Network/Security",
      "Protects frames or RTP with SFrame or SRTP, under a session's keys or a "
      "static one", "The gst-bravis developers");
}
