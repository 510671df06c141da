/**
 * SECTION:element-bravisdecrypt
 * @title: bravisdecrypt
 * @see_also: bravisencrypt, bravisgroupsrc
 *
 * Opens what #bravisencrypt protected, and gives it the caps it had. The key comes
 * from a session, which knows it by what each frame says of its sender and epoch,
 * or is a static one.
 *
 * With a static key, stats and an element message "bravis-picked" say format and
 * cipher, as of #bravisencrypt.
 *
 * What cannot be opened is dropped: it is forged, was seen before, is of an epoch
 * or a sender that is not known, or is no SFrame or SRTP at all. Drops are counted
 * by reason in the property stats, and reported in an element message
 * "bravis-drop" (reason, count, kid, and in a session member: the name of who sent
 * it, as far as it is true; only what is not forged is surely that member's), at
 * most one a second for each reason.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 udpsrc port=5004 caps="application/x-rtp,media=video,clock-rate=90000,encoding-name=H264" ! bravisdecrypt key=000102030405060708090a0b0c0d0e0f ! rtpjitterbuffer ! rtph264depay ! avdec_h264 ! autovideosink
 * ]| RTP with closed payloads.
 * |[
 * gst-launch-1.0 filesrc location=clip.mkv ! matroskademux ! h264parse ! bravisencrypt key=000102030405060708090a0b0c0d0e0f ! bravisdecrypt key=000102030405060708090a0b0c0d0e0f ! avdec_h264 ! autovideosink
 * ]| Whole frames.
 * |[
 * gst-launch-1.0 udpsrc port=5004 caps="application/x-srtp,media=audio,clock-rate=48000,encoding-name=OPUS" ! bravisdecrypt key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b ! rtpopusdepay ! opusdec ! autoaudiosink
 * ]| SRTP, as srtpenc sends it too.
 */
#include "gstbravisdecrypt.h"

#include "bravis-frame-guard.h"
#include "bravis-srtp.h"
#include "../keymgmt/bravis-error.h"

struct _GstBravisDecrypt {
  GstBravisProtect parent;

  GstBravisShape shape;
  BravisReceiver *receiver;     /* each made when the shape wants it, and kept */
  BravisSrtpReceiver *srtp_receiver;
};

G_DEFINE_FINAL_TYPE (GstBravisDecrypt, gst_bravis_decrypt,
    GST_TYPE_BRAVIS_PROTECT)
GST_ELEMENT_REGISTER_DEFINE (bravisdecrypt, "bravisdecrypt", GST_RANK_NONE,
    GST_TYPE_BRAVIS_DECRYPT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_BRAVIS_CAPS_PROTECTED));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* Keys */

static gboolean
make_srtp_receiver (GstBravisDecrypt *self, BravisSession *session,
    const GstBravisSettings *settings, GError **error)
{
  if (self->srtp_receiver)
    return TRUE;
  if (session) {
    self->srtp_receiver = bravis_srtp_receiver_new_session (session,
        settings->replay_window);
    if (settings->media != GST_BRAVIS_MEDIA_AUTO)
      bravis_srtp_receiver_set_kind (self->srtp_receiver,
          (BravisKind) (settings->media - GST_BRAVIS_MEDIA_VIDEO));
    return TRUE;
  }
  if (!gst_bravis_settings_check_key (settings, GST_BRAVIS_FORMAT_SRTP, error))
    return FALSE;
  self->srtp_receiver = bravis_srtp_receiver_new_static
      (gst_bravis_settings_get_profile (settings), settings->key,
      settings->replay_window);
  if (self->srtp_receiver)
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
      "libsrtp2 does not take the key");
  return FALSE;
}

static gboolean
make_receiver (GstBravisDecrypt *self, BravisSession *session,
    const GstBravisSettings *settings, GError **error)
{
  if (self->receiver)
    return TRUE;
  if (session) {
    self->receiver = bravis_receiver_new_session (session,
        settings->replay_window);
    if (settings->media != GST_BRAVIS_MEDIA_AUTO)
      bravis_receiver_set_kind (self->receiver,
          (BravisKind) (settings->media - GST_BRAVIS_MEDIA_VIDEO));
  } else {
    if (!gst_bravis_settings_check_key (settings, GST_BRAVIS_FORMAT_SFRAME,
            error))
      return FALSE;
    self->receiver = bravis_receiver_new_static
        (gst_bravis_settings_get_suite (settings), settings->key,
        settings->replay_window);
    if (settings->kid != GST_BRAVIS_NO_KID)
      bravis_receiver_set_kid (self->receiver, settings->kid);
  }
  bravis_receiver_set_rtp_header_auth (self->receiver,
      settings->rtp_header_auth);
  return TRUE;
}

/* A session's senders may differ, and from one epoch to the next. */
static void
note_static_pick (GstBravisDecrypt *self, const GstBravisSettings *settings)
{
  gboolean srtp = gst_bravis_shape_is_srtp (self->shape);

  gst_bravis_protect_note_pick (GST_BRAVIS_PROTECT (self),
      srtp ? "srtp" : "sframe", gst_bravis_settings_get_cipher (settings,
          srtp ? GST_BRAVIS_FORMAT_SRTP : GST_BRAVIS_FORMAT_SFRAME),
      srtp ? "libsrtp2" : NULL);
}

static GstCaps *
gst_bravis_decrypt_set_caps (GstBravisProtect *protect, const GstCaps *caps,
    GError **error)
{
  GstBravisDecrypt *self = GST_BRAVIS_DECRYPT (protect);
  const GstBravisSettings *settings = gst_bravis_protect_get_settings (protect);
  BravisSession *session = gst_bravis_protect_get_session (protect);
  g_autoptr (GstCaps) out = NULL;
  GstBravisShape shape;
  gboolean made;

  out = gst_bravis_caps_open (caps, settings->format, &shape, error);
  if (out == NULL)
    return NULL;
  made = gst_bravis_shape_is_srtp (shape)
      ? make_srtp_receiver (self, session, settings, error)
      : make_receiver (self, session, settings, error);
  if (!made)
    return NULL;
  self->shape = shape;
  if (!session)
    note_static_pick (self, settings);
  return g_steal_pointer (&out);
}

/* Buffers */

static BravisDrop
open_buffer (GstBravisDecrypt *self, const GstMapInfo *map, gsize *offset,
    gsize *size, guint64 *kid)
{
  *offset = 0;
  switch (self->shape) {
    case GST_BRAVIS_SHAPE_FRAME:
      return bravis_receiver_open_frame (self->receiver, map->data, map->size,
          offset, size, kid);
    case GST_BRAVIS_SHAPE_RTP:
      return bravis_receiver_open_rtp_around (self->receiver, map->data,
          map->size, offset, size, kid);
    case GST_BRAVIS_SHAPE_SRTCP:
      return bravis_srtp_receiver_open_rtcp (self->srtp_receiver, map->data,
          map->size, size, kid);
    default:
      return bravis_srtp_receiver_open (self->srtp_receiver, map->data,
          map->size, size, kid);
  }
}

/* libsrtp2 reads the header as 32-bit words. */
static gboolean
map_aligned (GstBuffer **buffer, gboolean aligned, GstMapInfo *map)
{
  GstBuffer *copy;

  *buffer = gst_buffer_make_writable (*buffer);
  if (!gst_buffer_map (*buffer, map, GST_MAP_READWRITE))
    return FALSE;
  if (!aligned || GPOINTER_TO_SIZE (map->data) % 4 == 0)
    return TRUE;
  gst_buffer_unmap (*buffer, map);
  copy = gst_buffer_copy_deep (*buffer);
  gst_buffer_unref (*buffer);
  *buffer = copy;
  return gst_buffer_map (copy, map, GST_MAP_READWRITE);
}

static BravisDrop
gst_bravis_decrypt_process (GstBravisProtect *protect, GstBuffer **buffer,
    guint64 *kid)
{
  GstBravisDecrypt *self = GST_BRAVIS_DECRYPT (protect);
  gsize offset, size;
  GstMapInfo map;
  BravisDrop drop;

  if (!map_aligned (buffer, gst_bravis_shape_is_srtp (self->shape), &map))
    return BRAVIS_DROP_MALFORMED;
  drop = open_buffer (self, &map, &offset, &size, kid);
  gst_buffer_unmap (*buffer, &map);
  if (drop == BRAVIS_DROP_NONE)
    gst_buffer_resize (*buffer, offset, size);
  return drop;
}

static GstCaps *
gst_bravis_decrypt_to_sink_caps (GstBravisProtect *protect,
    const GstCaps *src_caps)
{
  return gst_bravis_caps_protect_all (src_caps,
      gst_bravis_protect_get_format (protect));
}

static GstCaps *
gst_bravis_decrypt_to_src_caps (GstBravisProtect *protect,
    const GstCaps *sink_caps)
{
  return gst_bravis_caps_open_all (sink_caps,
      gst_bravis_protect_get_format (protect));
}

static char *
gst_bravis_decrypt_dup_sender_name (GstBravisProtect *protect, guint64 kid)
{
  GstBravisDecrypt *self = GST_BRAVIS_DECRYPT (protect);

  return gst_bravis_shape_is_srtp (self->shape)
      ? bravis_srtp_receiver_dup_sender_name (self->srtp_receiver, kid)
      : bravis_receiver_dup_sender_name (self->receiver, kid);
}

static void
gst_bravis_decrypt_stop (GstBravisProtect *protect)
{
  GstBravisDecrypt *self = GST_BRAVIS_DECRYPT (protect);

  g_clear_pointer (&self->receiver, bravis_receiver_free);
  g_clear_pointer (&self->srtp_receiver, bravis_srtp_receiver_free);
  self->shape = GST_BRAVIS_SHAPE_NONE;
}

static void
gst_bravis_decrypt_init (GstBravisDecrypt *self)
{
}

static void
gst_bravis_decrypt_class_init (GstBravisDecryptClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBravisProtectClass *protect_class = GST_BRAVIS_PROTECT_CLASS (klass);

  protect_class->set_caps = gst_bravis_decrypt_set_caps;
  protect_class->to_sink_caps = gst_bravis_decrypt_to_sink_caps;
  protect_class->to_src_caps = gst_bravis_decrypt_to_src_caps;
  protect_class->process = gst_bravis_decrypt_process;
  protect_class->dup_sender_name = gst_bravis_decrypt_dup_sender_name;
  protect_class->stop = gst_bravis_decrypt_stop;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "BRAVIS decrypter", "Filter/Network/Security",
      "Opens frames or RTP protected with SFrame or SRTP, under a session's keys "
      "or a static one", "The gst-bravis developers");
}
