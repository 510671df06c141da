#include "gstbravisintake.h"

#include "bravis-frame-guard.h"

#include <gst/rtp/rtp.h>

#define RTP_HEADER_SIZE 12
#define PIECE_SIZE (GST_BRAVIS_INTAKE_MTU - RTP_HEADER_SIZE - 1)
#define DYNAMIC_PAYLOAD 96

GST_DEBUG_CATEGORY_STATIC (intake_debug);
#define GST_CAT_DEFAULT intake_debug

struct _GstBravisIntake {
  GstElement parent;

  GstPad *sinkpad, *srcpad;
  BravisKind kind;
  GstBravisDescribe describe;
  gpointer user_data;

  GstSegment segment;
  BravisStreamDescription stream;       /* caps NULL: not known yet */
  gboolean described;
  gboolean flowed;              /* a frame went out since the last description */
  guint16 seqnum;
  guint32 offset;               /* of the RTP timestamps */
  guint32 timestamp;            /* of the last frame */
  guint64 frames;               /* begun so far */
};

G_DEFINE_TYPE (GstBravisIntake, gst_bravis_intake, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtp"));

G_STATIC_ASSERT (GST_BRAVIS_INTAKE_MTU + BRAVIS_GUARD_OVERHEAD <= 1200);

static void
describe (GstBravisIntake *self)
{
  self->described = TRUE;
  self->flowed = FALSE;
  self->describe (&self->stream, self->user_data);
}

static guint32
choose_clock_rate (GstBravisIntake *self, GstCaps *caps)
{
  gint rate;

  if (self->kind == BRAVIS_KIND_AUDIO
      && gst_structure_get_int (gst_caps_get_structure (caps, 0), "rate", &rate)
      && rate >= 8000 && rate <= 384000)
    return rate;
  return self->kind == BRAVIS_KIND_AUDIO ? 48000 : 90000;
}

/* Frames: everything is known from the caps. A frame says which caps it has, so
 * that new caps and the announcement of them need not arrive together. */
static gboolean
take_frame_caps (GstBravisIntake *self, GstCaps *caps)
{
  g_autoptr (GstCaps) rtp_caps = NULL;

  if (self->described && self->flowed)
    self->stream.generation =
        (self->stream.generation + 1) % BRAVIS_N_GENERATIONS;
  self->stream.frames = TRUE;
  self->stream.payload = DYNAMIC_PAYLOAD;
  /* A timestamp's clock does not change within a stream (RFC 3550 §5.2). */
  if (!self->described)
    self->stream.clock_rate = choose_clock_rate (self, caps);
  gst_caps_replace (&self->stream.caps, caps);
  describe (self);

  rtp_caps = bravis_stream_description_dup_rtp_caps (&self->stream, self->kind);
  return gst_pad_push_event (self->srcpad, gst_event_new_caps (rtp_caps));
}

/* Packets: SSRC and payload type may only be in the first of them. */
static gboolean
take_rtp_caps (GstBravisIntake *self, GstCaps *caps)
{
  GstStructure *structure = gst_caps_get_structure (caps, 0);
  gint clock_rate;

  if (!gst_structure_get_int (structure, "clock-rate", &clock_rate)
      || clock_rate <= 0) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, (NULL),
        ("the caps have no clock-rate: %" GST_PTR_FORMAT, caps));
    return FALSE;
  }
  if (self->described && self->stream.clock_rate != (guint32) clock_rate) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, (NULL),
        ("a stream's clock rate cannot change"));
    return FALSE;
  }
  self->stream.frames = FALSE;
  self->stream.clock_rate = clock_rate;
  gst_caps_replace (&self->stream.caps, caps);
  if (self->described)
    describe (self);
  return gst_pad_push_event (self->srcpad, gst_event_new_caps (caps));
}

static gboolean
take_caps (GstBravisIntake *self, GstCaps *caps)
{
  gboolean is_rtp;

  if (self->stream.caps && gst_caps_is_equal (self->stream.caps, caps))
    return TRUE;
  if (!bravis_stream_caps_suit (caps, self->kind)) {
    GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE, (NULL),
        ("a pad for %s takes its encoded frames or its RTP, not %" GST_PTR_FORMAT,
            bravis_kind_to_string (self->kind), caps));
    return FALSE;
  }
  is_rtp = gst_structure_has_name (gst_caps_get_structure (caps, 0),
      "application/x-rtp");
  if (self->stream.caps && self->stream.frames == is_rtp) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, (NULL),
        ("a stream cannot change between frames and RTP"));
    return FALSE;
  }
  return is_rtp ? take_rtp_caps (self, caps) : take_frame_caps (self, caps);
}

static gboolean
take_segment (GstBravisIntake *self, const GstSegment *segment)
{
  if (segment->format != GST_FORMAT_TIME) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, (NULL),
        ("the stream has no times, it is in %s",
            gst_format_get_name (segment->format)));
    return FALSE;
  }
  self->segment = *segment;
  return TRUE;
}

static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstBravisIntake *self = GST_BRAVIS_INTAKE (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    GstCaps *caps;
    gboolean taken;

    gst_event_parse_caps (event, &caps);
    taken = take_caps (self, caps);
    gst_event_unref (event);
    return taken;
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
    const GstSegment *segment;

    gst_event_parse_segment (event, &segment);
    if (!take_segment (self, segment)) {
      gst_event_unref (event);
      return FALSE;
    }
  }
  return gst_pad_event_default (pad, parent, event);
}

/* All caps are looked at when they come, so that the error can name them. */
static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstCaps *filter;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      gst_query_parse_caps (query, &filter);
      if (filter) {
        gst_query_set_caps_result (query, filter);
      } else {
        g_autoptr (GstCaps) any = gst_caps_new_any ();

        gst_query_set_caps_result (query, any);
      }
      return TRUE;
    case GST_QUERY_ACCEPT_CAPS:
      gst_query_set_accept_caps_result (query, TRUE);
      return TRUE;
    case GST_QUERY_ALLOCATION:
      return FALSE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

static void
update_timestamp (GstBravisIntake *self, GstBuffer *frame)
{
  guint64 running_time, ticks;
  gint sign;

  /* A frame without a time shares that of the frame before. */
  if (!GST_BUFFER_PTS_IS_VALID (frame))
    return;
  sign = gst_segment_to_running_time_full (&self->segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (frame), &running_time);
  if (sign == 0)
    return;
  ticks = gst_util_uint64_scale_round (running_time, self->stream.clock_rate,
      GST_SECOND);
  self->timestamp = self->offset + (sign > 0 ? ticks : -ticks);
}

static GstBuffer *
make_packet (GstBravisIntake *self, GstBuffer *frame, gsize at, gsize size)
{
  gsize whole = gst_buffer_get_size (frame);
  BravisFragment fragment = {
    .first = at == 0,
    .last = at + size == whole,
    .delta = GST_BUFFER_FLAG_IS_SET (frame, GST_BUFFER_FLAG_DELTA_UNIT),
    .header = GST_BUFFER_FLAG_IS_SET (frame, GST_BUFFER_FLAG_HEADER),
    .generation = self->stream.generation,
  };
  guint8 *head = g_malloc (RTP_HEADER_SIZE + 1);
  GstBuffer *packet;

  head[0] = GST_RTP_VERSION << 6;
  head[1] = self->stream.payload | (fragment.last ? 0x80 : 0);
  GST_WRITE_UINT16_BE (head + 2, self->seqnum++);
  GST_WRITE_UINT32_BE (head + 4, self->timestamp);
  GST_WRITE_UINT32_BE (head + 8, self->stream.ssrc);
  head[RTP_HEADER_SIZE] = bravis_fragment_write (&fragment);

  packet = gst_buffer_new_wrapped (head, RTP_HEADER_SIZE + 1);
  if (size > 0)
    gst_buffer_copy_into (packet, frame, GST_BUFFER_COPY_MEMORY, at, size);
  GST_BUFFER_PTS (packet) = GST_BUFFER_PTS (frame);
  GST_BUFFER_DTS (packet) = GST_BUFFER_DTS (frame);
  GST_BUFFER_DURATION (packet) = GST_BUFFER_DURATION (frame);
  GST_BUFFER_OFFSET (packet) = self->frames;
  return packet;
}

static GstFlowReturn
send_frame (GstBravisIntake *self, GstBuffer *frame)
{
  gsize size = gst_buffer_get_size (frame);
  GstBufferList *packets;
  gsize at = 0;

  if (size > BRAVIS_MAX_FRAME) {
    GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE, (NULL),
        ("a frame has %" G_GSIZE_FORMAT " octets, at most %d are possible", size,
            BRAVIS_MAX_FRAME));
    gst_buffer_unref (frame);
    return GST_FLOW_ERROR;
  }

  update_timestamp (self, frame);
  packets = gst_buffer_list_new_sized (size / PIECE_SIZE + 1);
  do {
    gsize piece = MIN (size - at, PIECE_SIZE);

    gst_buffer_list_add (packets, make_packet (self, frame, at, piece));
    at += piece;
  } while (at < size);
  gst_buffer_unref (frame);
  self->frames++;
  self->flowed = TRUE;
  return gst_pad_push_list (self->srcpad, packets);
}

static GstFlowReturn
send_packet (GstBravisIntake *self, GstBuffer *packet)
{
  guint8 head[RTP_HEADER_SIZE];
  guint32 ssrc, timestamp;
  guint8 payload;

  if (gst_buffer_extract (packet, 0, head, sizeof head) != sizeof head
      || head[0] >> 6 != GST_RTP_VERSION) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, (NULL),
        ("a buffer of an application/x-rtp stream is no RTP packet"));
    gst_buffer_unref (packet);
    return GST_FLOW_ERROR;
  }
  payload = head[1] & 0x7f;
  timestamp = GST_READ_UINT32_BE (head + 4);
  ssrc = GST_READ_UINT32_BE (head + 8);

  if (!self->described) {
    self->stream.payload = payload;
    self->stream.ssrc = ssrc;
    describe (self);
  } else if (payload != self->stream.payload || ssrc != self->stream.ssrc) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, (NULL),
        ("a stream has one SSRC and one payload type: %08x and %u, then %08x and "
            "%u", self->stream.ssrc, self->stream.payload, ssrc, payload));
    gst_buffer_unref (packet);
    return GST_FLOW_ERROR;
  }
  if (self->frames == 0 || timestamp != self->timestamp)
    self->frames++;
  self->timestamp = timestamp;

  packet = gst_buffer_make_writable (packet);
  GST_BUFFER_OFFSET (packet) = self->frames - 1;
  return gst_pad_push (self->srcpad, packet);
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstBravisIntake *self = GST_BRAVIS_INTAKE (parent);

  if (!self->stream.caps) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  if (self->stream.frames)
    return send_frame (self, buffer);
  return send_packet (self, buffer);
}

static void
reset (GstBravisIntake *self)
{
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  gst_clear_caps (&self->stream.caps);
  self->stream.generation = 0;
  self->stream.ssrc = g_random_int ();
  self->described = FALSE;
  self->flowed = FALSE;
  self->seqnum = g_random_int ();
  self->offset = g_random_int ();
  self->timestamp = self->offset;
  self->frames = 0;
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstBravisIntake *self = GST_BRAVIS_INTAKE (element);
  GstStateChangeReturn result;

  result = GST_ELEMENT_CLASS (gst_bravis_intake_parent_class)
      ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    reset (self);
  return result;
}

static void
finalize (GObject *object)
{
  gst_clear_caps (&GST_BRAVIS_INTAKE (object)->stream.caps);
  G_OBJECT_CLASS (gst_bravis_intake_parent_class)->finalize (object);
}

static void
gst_bravis_intake_class_init (GstBravisIntakeClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = finalize;
  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Intake of a group stream", "Codec/Payloader/Network/RTP",
      "Makes RTP packets of frames of any codec", "gst-bravis");
  GST_DEBUG_CATEGORY_INIT (intake_debug, "bravisintake", 0,
      "bravisgroupsink: frames into RTP");
}

static void
gst_bravis_intake_init (GstBravisIntake *self)
{
  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, sink_chain);
  gst_pad_set_event_function (self->sinkpad, sink_event);
  gst_pad_set_query_function (self->sinkpad, sink_query);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_use_fixed_caps (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
  reset (self);
}

GstElement *
gst_bravis_intake_new (BravisKind kind, GstBravisDescribe function,
    gpointer user_data)
{
  GstBravisIntake *self = g_object_new (GST_TYPE_BRAVIS_INTAKE, NULL);

  self->kind = kind;
  self->describe = function;
  self->user_data = user_data;
  return GST_ELEMENT (self);
}
