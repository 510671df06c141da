#include "gstbravisoutlet.h"

#include <gst/rtp/rtp.h>
#include <gst/video/video.h>

/* How long a video stream may go without a key unit before one is asked for. The
 * sender makes one unasked for whoever joins. */
#define KEY_UNIT_PATIENCE (200 * GST_MSECOND)
#define NO_GENERATION (-1)

GST_DEBUG_CATEGORY_STATIC (outlet_debug);
#define GST_CAT_DEFAULT outlet_debug

struct _GstBravisOutlet {
  GstElement parent;

  GstPad *sinkpad, *srcpad;
  BravisKind kind;
  char *member;
  guint16 stream;
  GstClockTime latency;
  GstBravisOutletDrained drained;
  gpointer user_data;

  /* Under the object lock. */
  GstCaps *caps[BRAVIS_N_GENERATIONS];
  gboolean frames;
  guint newest;                 /* generation */
  gboolean ended;
  GstBravisOutletStats stats;

  /* Of the streaming thread. */
  BravisAssembler *assembler;
  GstSegment segment;
  gboolean started, segment_sent, warned, discont;
  GstCaps *sent_caps;
  gboolean wants_key_unit;
  GstClockTime wanted_since;
};

G_DEFINE_TYPE (GstBravisOutlet, gst_bravis_outlet, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtp"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void
send_stream_start (GstBravisOutlet *self)
{
  g_autofree char *id = g_strdup_printf ("bravis/%s/%s/%u", self->member,
      bravis_kind_to_string (self->kind), self->stream);
  GstEvent *event = gst_event_new_stream_start (id);

  gst_event_set_group_id (event, gst_util_group_id_next ());
  gst_pad_push_event (self->srcpad, event);
}

static void
send_tags (GstBravisOutlet *self)
{
  GstTagList *tags = gst_tag_list_new (GST_TAG_TITLE, self->member,
      GST_TAG_CONTACT, self->member, NULL);

  gst_pad_push_event (self->srcpad, gst_event_new_tag (tags));
}

/* Everything that stands before a frame: FALSE where its caps are not known. */
static gboolean
send_headers (GstBravisOutlet *self, gint generation)
{
  g_autoptr (GstCaps) caps = NULL;
  gboolean first = !self->started;

  GST_OBJECT_LOCK (self);
  if (generation == NO_GENERATION)
    generation = self->newest;
  if (self->caps[generation])
    caps = gst_caps_ref (self->caps[generation]);
  GST_OBJECT_UNLOCK (self);
  if (!caps)
    return FALSE;

  if (first)
    send_stream_start (self);
  self->started = TRUE;
  if (caps != self->sent_caps)
    gst_pad_push_event (self->srcpad, gst_event_new_caps (caps));
  gst_caps_replace (&self->sent_caps, caps);
  if (!self->segment_sent)
    gst_pad_push_event (self->srcpad, gst_event_new_segment (&self->segment));
  self->segment_sent = TRUE;
  if (first)
    send_tags (self);
  return TRUE;
}

static void
request_key_unit (GstBravisOutlet *self, GstClockTime now)
{
  self->wants_key_unit = TRUE;
  self->wanted_since = now;
  GST_OBJECT_LOCK (self);
  self->stats.key_unit_requests++;
  GST_OBJECT_UNLOCK (self);
  gst_pad_push_event (self->sinkpad,
      gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 0));
}

static void
watch_key_units (GstBravisOutlet *self, gboolean delta, gboolean gap,
    GstClockTime now)
{
  if (self->kind != BRAVIS_KIND_VIDEO)
    return;
  if (!delta) {
    self->wants_key_unit = FALSE;
  } else if (gap && self->started) {
    request_key_unit (self, now);
  } else if (self->wants_key_unit && GST_CLOCK_TIME_IS_VALID (now)) {
    if (!GST_CLOCK_TIME_IS_VALID (self->wanted_since))
      self->wanted_since = now;
    else if (now > self->wanted_since + KEY_UNIT_PATIENCE)
      request_key_unit (self, now);
  }
}

/* What is the matter downstream is said once and goes no further. */
static GstFlowReturn
settle (GstBravisOutlet *self, GstFlowReturn flow)
{
  GST_OBJECT_LOCK (self);
  if (flow == GST_FLOW_OK)
    self->stats.frames++;
  else
    self->stats.unlinked++;
  GST_OBJECT_UNLOCK (self);

  if (GST_PAD_IS_FLUSHING (self->srcpad))
    return GST_FLOW_FLUSHING;
  if (flow < GST_FLOW_EOS && !self->warned) {
    self->warned = TRUE;
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("What comes from %s as %s is not taken.", self->member,
            bravis_kind_to_string (self->kind)),
        ("downstream says %s to %" GST_PTR_FORMAT, gst_flow_get_name (flow),
            self->sent_caps));
  }
  return GST_FLOW_OK;
}

static GstFlowReturn
push (GstBravisOutlet *self, GstBuffer *buffer)
{
  if (self->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->discont = FALSE;
  return settle (self, gst_pad_push (self->srcpad, buffer));
}

static GstFlowReturn
push_frame (GstBravisOutlet *self, GBytes *frame,
    const BravisFragment *fragment, gboolean gap, GstClockTime pts)
{
  GstBuffer *buffer;

  watch_key_units (self, fragment->delta, gap, pts);
  if (gap && self->started) {
    self->discont = TRUE;
    GST_OBJECT_LOCK (self);
    self->stats.gaps++;
    GST_OBJECT_UNLOCK (self);
  }
  if (!send_headers (self, fragment->generation)) {
    self->discont = TRUE;
    return GST_FLOW_OK;
  }
  buffer = g_bytes_get_size (frame) > 0 ? gst_buffer_new_wrapped_bytes (frame)
      : gst_buffer_new ();
  GST_BUFFER_PTS (buffer) = pts;
  if (fragment->delta)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (fragment->header)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_HEADER);
  return push (self, buffer);
}

static GstFlowReturn
take_fragment (GstBravisOutlet *self, GstBuffer *packet)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  BravisFragment fragment;
  g_autoptr (GBytes) frame = NULL;
  gboolean gap = FALSE;

  if (!gst_rtp_buffer_map (packet, GST_MAP_READ, &rtp))
    return GST_FLOW_OK;
  frame = bravis_assembler_push (self->assembler,
      gst_rtp_buffer_get_seq (&rtp), gst_rtp_buffer_get_payload (&rtp),
      gst_rtp_buffer_get_payload_len (&rtp), &fragment, &gap);
  gst_rtp_buffer_unmap (&rtp);
  if (!frame)
    return GST_FLOW_OK;
  return push_frame (self, frame, &fragment, gap, GST_BUFFER_PTS (packet));
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *packet)
{
  GstBravisOutlet *self = GST_BRAVIS_OUTLET (parent);
  gboolean frames;
  GstFlowReturn flow;

  GST_OBJECT_LOCK (self);
  frames = self->frames;
  GST_OBJECT_UNLOCK (self);
  if (!frames) {
    if (send_headers (self, NO_GENERATION))
      return push (self, gst_buffer_make_writable (packet));
    gst_buffer_unref (packet);
    return GST_FLOW_OK;
  }
  flow = take_fragment (self, packet);
  gst_buffer_unref (packet);
  return flow;
}

static void
end (GstBravisOutlet *self)
{
  gboolean ended;

  GST_OBJECT_LOCK (self);
  ended = self->ended;
  self->ended = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (ended)
    return;
  if (!self->started)
    send_headers (self, NO_GENERATION);
  gst_pad_push_event (self->srcpad, gst_event_new_eos ());
  self->drained (self->user_data);
}

void
gst_bravis_outlet_end (GstBravisOutlet *self)
{
  GST_PAD_STREAM_LOCK (self->sinkpad);
  end (self);
  GST_PAD_STREAM_UNLOCK (self->sinkpad);
}

/* Stream-start, caps and tags are the outlet's own; of the rest only what means
 * something to frames goes on. */
static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstBravisOutlet *self = GST_BRAVIS_OUTLET (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &self->segment);
      self->segment_sent = FALSE;
      break;
    case GST_EVENT_EOS:
      end (self);
      break;
    case GST_EVENT_GAP:
      if (self->started)
        return gst_pad_event_default (pad, parent, event);
      break;
    case GST_EVENT_FLUSH_START:
    case GST_EVENT_FLUSH_STOP:
      return gst_pad_event_default (pad, parent, event);
    default:
      break;
  }
  gst_event_unref (event);
  return TRUE;
}

static gboolean
src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstBravisOutlet *self = GST_BRAVIS_OUTLET (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    gst_query_set_latency (query, TRUE, self->latency, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

void
gst_bravis_outlet_describe (GstBravisOutlet *self,
    const BravisStreamDescription *description)
{
  GST_OBJECT_LOCK (self);
  self->frames = description->frames;
  self->newest = description->generation;
  gst_caps_replace (&self->caps[self->newest], description->caps);
  GST_OBJECT_UNLOCK (self);
}

void
gst_bravis_outlet_get_stats (GstBravisOutlet *self,
    GstBravisOutletStats *stats)
{
  GST_OBJECT_LOCK (self);
  *stats = self->stats;
  GST_OBJECT_UNLOCK (self);
}

static void
finalize (GObject *object)
{
  GstBravisOutlet *self = GST_BRAVIS_OUTLET (object);

  for (guint i = 0; i < BRAVIS_N_GENERATIONS; i++)
    gst_clear_caps (&self->caps[i]);
  gst_clear_caps (&self->sent_caps);
  bravis_assembler_free (self->assembler);
  g_free (self->member);
  G_OBJECT_CLASS (gst_bravis_outlet_parent_class)->finalize (object);
}

static void
gst_bravis_outlet_class_init (GstBravisOutletClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = finalize;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Outlet of a group stream", "Codec/Depayloader/Network/RTP",
      "Makes frames of any codec of RTP packets", "gst-bravis");
  GST_DEBUG_CATEGORY_INIT (outlet_debug, "bravisoutlet", 0,
      "bravisgroupsrc: RTP into frames");
}

static void
gst_bravis_outlet_init (GstBravisOutlet *self)
{
  self->assembler = bravis_assembler_new ();
  self->wants_key_unit = TRUE;
  self->wanted_since = GST_CLOCK_TIME_NONE;
  self->discont = TRUE;
  gst_segment_init (&self->segment, GST_FORMAT_TIME);

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, sink_chain);
  gst_pad_set_event_function (self->sinkpad, sink_event);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_query_function (self->srcpad, src_query);
  gst_pad_use_fixed_caps (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

GstElement *
gst_bravis_outlet_new (BravisKind kind, const char *member, guint16 stream,
    guint latency, GstBravisOutletDrained drained, gpointer user_data)
{
  GstBravisOutlet *self = g_object_new (GST_TYPE_BRAVIS_OUTLET, NULL);

  self->kind = kind;
  self->member = g_strdup (member);
  self->stream = stream;
  self->latency = latency * GST_MSECOND;
  self->drained = drained;
  self->user_data = user_data;
  return GST_ELEMENT (self);
}
