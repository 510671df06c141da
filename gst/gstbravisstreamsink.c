#include "gstbravisstreamsink.h"

#include "../gcp/gcp-udp.h"

#define NO_FRAME G_MAXUINT64

GST_DEBUG_CATEGORY_STATIC (stream_sink_debug);
#define GST_CAT_DEFAULT stream_sink_debug

struct _GstBravisStreamSink {
  GstBaseSink parent;

  GstBravisStreamEpoch epoch;
  GstBravisStreamEos eos;
  gpointer user_data;

  GMutex lock;                  /* of these two: a frame may be on its way */
  BravisSession *session;
  BravisSender *sender;
  guint64 frame;                /* the number of the frame being sent */
  gboolean asked_live, live;    /* the source upstream */
  GstBravisStreamSinkStats stats;       /* under the object lock */
};

G_DEFINE_TYPE (GstBravisStreamSink, gst_bravis_stream_sink, GST_TYPE_BASE_SINK)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtp"));

static void
count (GstBravisStreamSink *self, guint64 *counter)
{
  GST_OBJECT_LOCK (self);
  self->stats.packets++;
  (*counter)++;
  GST_OBJECT_UNLOCK (self);
}

static void
begin_frame (GstBravisStreamSink *self, guint64 frame)
{
  self->frame = frame;
  GST_OBJECT_LOCK (self);
  self->stats.frames++;
  GST_OBJECT_UNLOCK (self);
  if (bravis_sender_take_epoch (self->sender))
    self->epoch (bravis_sender_get_epoch (self->sender), frame, self->user_data);
}

static void
send_packet (GstBravisStreamSink *self, GstBuffer *packet)
{
  guint8 datagram[GCP_UDP_MAX_DATAGRAM];
  gsize size = gst_buffer_get_size (packet);
  BravisEpoch *epoch;
  guint64 number;

  if (GST_BUFFER_OFFSET (packet) != self->frame)
    begin_frame (self, GST_BUFFER_OFFSET (packet));

  epoch = bravis_sender_get_epoch (self->sender);
  if (!epoch || bravis_epoch_get_n_members (epoch) < 2) {
    count (self, &self->stats.unheard);
    return;
  }
  if (size > sizeof datagram - BRAVIS_GUARD_OVERHEAD) {
    count (self, &self->stats.oversized);
    return;
  }
  gst_buffer_extract (packet, 0, datagram, size);
  number = bravis_epoch_get_number (epoch);
  if (bravis_sender_protect_rtp (self->sender, datagram, size, &size)
      != BRAVIS_DROP_NONE) {
    count (self, &self->stats.closed);
    return;
  }
  /* Where its epoch was closed within the frame, the sender has gone on to the
   * next one, and @epoch may be no more. */
  epoch = bravis_sender_get_epoch (self->sender);
  if (bravis_epoch_get_number (epoch) != number)
    self->epoch (epoch, self->frame, self->user_data);
  if (!bravis_session_send_to_all (self->session, epoch, datagram, size)) {
    count (self, &self->stats.closed);
    return;
  }
  count (self, &self->stats.datagrams);
  GST_OBJECT_LOCK (self);
  self->stats.octets += size;
  GST_OBJECT_UNLOCK (self);
}

static GstFlowReturn
render (GstBaseSink *sink, GstBuffer *buffer)
{
  GstBravisStreamSink *self = GST_BRAVIS_STREAM_SINK (sink);

  g_mutex_lock (&self->lock);
  if (self->sender)
    send_packet (self, buffer);
  g_mutex_unlock (&self->lock);
  return GST_FLOW_OK;
}

static GstFlowReturn
render_list (GstBaseSink *sink, GstBufferList *list)
{
  GstBravisStreamSink *self = GST_BRAVIS_STREAM_SINK (sink);
  guint n = gst_buffer_list_length (list);

  g_mutex_lock (&self->lock);
  for (guint i = 0; self->sender && i < n; i++)
    send_packet (self, gst_buffer_list_get (list, i));
  g_mutex_unlock (&self->lock);
  return GST_FLOW_OK;
}

static gboolean
is_live (GstBravisStreamSink *self)
{
  g_autoptr (GstQuery) query = NULL;

  if (!self->asked_live) {
    query = gst_query_new_latency ();
    if (gst_pad_peer_query (GST_BASE_SINK_PAD (self), query)) {
      gst_query_parse_latency (query, &self->live, NULL, NULL);
      self->asked_live = TRUE;
    }
  }
  return self->live;
}

/* When a packet is due: in the order of decoding, if that is known. No time means
 * at once. */
static void
get_times (GstBaseSink *sink, GstBuffer *buffer, GstClockTime *start,
    GstClockTime *end)
{
  *start = GST_CLOCK_TIME_NONE;
  *end = GST_CLOCK_TIME_NONE;
  if (!is_live (GST_BRAVIS_STREAM_SINK (sink)))
    *start = GST_BUFFER_DTS_OR_PTS (buffer);
}

static gboolean
event (GstBaseSink *sink, GstEvent *event)
{
  GstBravisStreamSink *self = GST_BRAVIS_STREAM_SINK (sink);
  GstEventType type = GST_EVENT_TYPE (event);
  gboolean handled;

  handled = GST_BASE_SINK_CLASS (gst_bravis_stream_sink_parent_class)
      ->event (sink, event);
  if (type == GST_EVENT_EOS)
    self->eos (self->user_data);
  return handled;
}

void
gst_bravis_stream_sink_set_stream (GstBravisStreamSink *self,
    BravisSession *session, BravisKind kind, guint16 stream)
{
  g_mutex_lock (&self->lock);
  self->asked_live = FALSE;
  self->live = FALSE;
  self->frame = NO_FRAME;
  g_clear_pointer (&self->sender, bravis_sender_free);
  g_set_object (&self->session, session);
  if (session) {
    self->sender = bravis_sender_new_session (session, kind, stream);
    bravis_sender_set_rtp_header_auth (self->sender, TRUE);
  }
  g_mutex_unlock (&self->lock);
}

void
gst_bravis_stream_sink_get_stats (GstBravisStreamSink *self,
    GstBravisStreamSinkStats *stats)
{
  GST_OBJECT_LOCK (self);
  *stats = self->stats;
  GST_OBJECT_UNLOCK (self);
}

static void
dispose (GObject *object)
{
  gst_bravis_stream_sink_set_stream (GST_BRAVIS_STREAM_SINK (object), NULL, 0, 0);
  G_OBJECT_CLASS (gst_bravis_stream_sink_parent_class)->dispose (object);
}

static void
finalize (GObject *object)
{
  g_mutex_clear (&GST_BRAVIS_STREAM_SINK (object)->lock);
  G_OBJECT_CLASS (gst_bravis_stream_sink_parent_class)->finalize (object);
}

static void
gst_bravis_stream_sink_class_init (GstBravisStreamSinkClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *sink_class = GST_BASE_SINK_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = dispose;
  G_OBJECT_CLASS (klass)->finalize = finalize;
  sink_class->render = render;
  sink_class->render_list = render_list;
  sink_class->get_times = get_times;
  sink_class->event = event;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class,
      "Sender of a group stream", "Sink/Network",
      "Protects RTP packets and sends them to a group", "gst-bravis");
  GST_DEBUG_CATEGORY_INIT (stream_sink_debug, "bravisstreamsink", 0,
      "bravisgroupsink: protecting and sending");
}

static void
gst_bravis_stream_sink_init (GstBravisStreamSink *self)
{
  g_mutex_init (&self->lock);
  self->frame = NO_FRAME;
  /* Nothing is dropped for being late, and nobody upstream is told to hurry. */
  gst_base_sink_set_max_lateness (GST_BASE_SINK (self), -1);
  gst_base_sink_set_qos_enabled (GST_BASE_SINK (self), FALSE);
}

GstElement *
gst_bravis_stream_sink_new (GstBravisStreamEpoch epoch, GstBravisStreamEos eos,
    gpointer user_data)
{
  GstBravisStreamSink *self =
      g_object_new (GST_TYPE_BRAVIS_STREAM_SINK, NULL);

  self->epoch = epoch;
  self->eos = eos;
  self->user_data = user_data;
  return GST_ELEMENT (self);
}
