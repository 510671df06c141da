/**
 * SECTION:element-bravisgroupsink
 * @title: bravisgroupsink
 * @see_also: bravisgroupsrc
 *
 * Sends this peer's streams to the other members of its conference, encrypted
 * from end to end under keys that change whenever somebody joins or leaves.
 *
 * Each request pad `video_%u`, `audio_%u`, `whiteboard_%u` takes the frames of an
 * encoder, of any codec, or RTP of a payloader's. At the others' bravisgroupsrc the
 * same caps and the same frames come out, octet by octet. When somebody joins, a
 * key unit is requested from each video encoder. Frames that come while nobody
 * else is there go nowhere.
 *
 * Streams of files are paced by the clock (property #GstBravisGroupSink:sync);
 * those of live sources are sent as they come.
 *
 * Element messages, as of bravisgroupsrc: `bravis-epoch`, `bravis-member-joined`,
 * `bravis-member-left`, `bravis-refused`, `bravis-unreachable`, `bravis-ended`; and
 * `bravis-stream-epoch` when a stream goes over to a new key, with the number of
 * the pad's first frame under it.
 *
 * ## A conference of three, one terminal for each
 *
 * Certificates come from `bravis ca`. In alice.conf `[group]` has
 * `invite=bob@example.org`, in bob.conf `invite=carol@example.org`.
 * |[
 * gst-launch-1.0 -e bravisgroupsink name=out config=alice.conf videotestsrc is-live=true ! x264enc tune=zerolatency ! out.video_0 audiotestsrc is-live=true ! opusenc ! out.audio_0
 * ]|
 * |[
 * gst-launch-1.0 -e bravisgroupsrc name=in config=bob.conf in.video_0 ! queue ! avdec_h264 ! videoconvert ! autovideosink in.audio_0 ! queue ! opusdec ! audioconvert ! autoaudiosink bravisgroupsink name=out config=bob.conf videotestsrc is-live=true pattern=ball ! x264enc tune=zerolatency ! out.video_0
 * ]|
 * |[
 * gst-launch-1.0 -e bravisgroupsrc name=in config=carol.conf in.video_0 ! queue ! avdec_h264 ! videoconvert ! autovideosink in.video_1 ! queue ! avdec_h264 ! videoconvert ! autovideosink
 * ]|
 */
#include "gstbravisgroupsink.h"

#include "bravis-feedback.h"
#include "gstbravismessage.h"
#include "bravis-outgoing.h"
#include "bravis-worker.h"
#include "gstbravisgroupsettings.h"
#include "gstbravisintake.h"
#include "gstbravisloosepad.h"
#include "gstbravisstreamsink.h"
#include "../keymgmt/bravis-datagram.h"

#include <gst/rtp/rtp.h>
#include <gst/video/video.h>

#define RTCP_REPLAY_WINDOW 256
/* Reporters an own stream's RTP session is told of in its life. */
#define MAX_REPORTERS 1024

enum {
  PROP_SYNC = GST_BRAVIS_GROUP_N_PROPS,
  PROP_STATS
};

GST_DEBUG_CATEGORY_STATIC (group_sink_debug);
#define GST_CAT_DEFAULT group_sink_debug

typedef struct {
  GstBravisGroupSink *self;
  BravisKind kind;
  guint session;                /* its number in the rtpbin */
  GstPad *pad;                  /* the bin's */
  GstElement *intake, *sink;
  GstPad *rtp_request, *rtp_src;        /* the rtpbin's */
  GstPad *rtcp_in, *rtcp_in_request;
  GstPad *rtcp_out, *rtcp_out_request;
  GHashTable *reporters;        /* SSRCs; of the worker */
  gint open;                    /* atomic: it is a stream of the session's */
  guint16 number;               /* of that stream */
} OwnStream;

struct _GstBravisGroupSink {
  GstBin parent;

  GstBravisGroupSettings settings;      /* under the object lock, as @sync */
  gboolean sync;

  GstElement *rtpbin;
  BravisSession *session;       /* from READY on */

  GRecMutex lock;               /* of what follows */
  GPtrArray *streams;           /* of OwnStream */
  guint last_session;
  gboolean running;             /* PAUSED or PLAYING */

  /* Made before the threads that use them, gone after them. */
  BravisWorker *worker;
  BravisFeedback *feedback;
  BravisReceiver *receiver;     /* of RTCP; of the socket's thread */
  guint receiver_id, listener_id;
  BravisEpoch *last_epoch;      /* of the listener */
};

G_DEFINE_TYPE_WITH_CODE (GstBravisGroupSink, gst_bravis_group_sink,
    GST_TYPE_BIN, GST_DEBUG_CATEGORY_INIT (group_sink_debug, "bravisgroupsink",
        0, "sends streams to a group"))

GST_ELEMENT_REGISTER_DEFINE (bravisgroupsink, "bravisgroupsink",
    GST_RANK_NONE, GST_TYPE_BRAVIS_GROUP_SINK);

static GstStaticPadTemplate video_template =
GST_STATIC_PAD_TEMPLATE ("video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
    GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate audio_template =
GST_STATIC_PAD_TEMPLATE ("audio_%u", GST_PAD_SINK, GST_PAD_REQUEST,
    GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate whiteboard_template =
GST_STATIC_PAD_TEMPLATE ("whiteboard_%u", GST_PAD_SINK, GST_PAD_REQUEST,
    GST_STATIC_CAPS_ANY);

/* One stream */

static void
describe_stream (const BravisStreamDescription *description, gpointer user_data)
{
  OwnStream *stream = user_data;
  g_autofree char *text = bravis_stream_description_to_text (description);
  g_autoptr (GError) error = NULL;

  if (!g_atomic_int_get (&stream->open))
    return;
  if (!text)
    GST_ELEMENT_ERROR (stream->self, STREAM, FORMAT,
        ("The caps are too long to be announced."),
        ("%s: %" GST_PTR_FORMAT, GST_PAD_NAME (stream->pad),
            description->caps));
  else if (!bravis_session_describe_stream (stream->self->session,
          stream->number, text, &error))
    GST_ELEMENT_ERROR (stream->self, RESOURCE, WRITE,
        ("The stream cannot be announced: %s", error->message),
        ("%s", GST_PAD_NAME (stream->pad)));
}

static void
take_up_epoch (BravisEpoch *epoch, guint64 frame, gpointer user_data)
{
  OwnStream *stream = user_data;

  if (epoch)
    gst_bravis_message_post (GST_ELEMENT (stream->self),
        gst_bravis_message_new_stream_epoch (GST_PAD_NAME (stream->pad), epoch,
            frame));
}

static gboolean
open_stream (OwnStream *stream)
{
  GstBravisGroupSink *self = stream->self;
  g_autoptr (GError) error = NULL;

  if (!bravis_session_add_stream (self->session, stream->kind,
          &stream->number, &error)) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("There is no room for %s: %s", GST_PAD_NAME (stream->pad),
            error->message), (NULL));
    return FALSE;
  }
  gst_bravis_stream_sink_set_stream (GST_BRAVIS_STREAM_SINK (stream->sink),
      self->session, stream->kind, stream->number);
  bravis_outgoing_begin (self->session);
  g_atomic_int_set (&stream->open, TRUE);
  return TRUE;
}

static void
close_stream (OwnStream *stream)
{
  if (!g_atomic_int_compare_and_exchange (&stream->open, TRUE, FALSE))
    return;
  bravis_session_remove_stream (stream->self->session, stream->number);
  bravis_outgoing_end (stream->self->session);
}

static void
end_stream (gpointer user_data)
{
  close_stream (user_data);
}

static GstFlowReturn
send_rtcp (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  OwnStream *stream = gst_pad_get_element_private (pad);
  GstMapInfo map;

  if (g_atomic_int_get (&stream->open)
      && gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    bravis_feedback_send_to_all (stream->self->feedback, stream->number,
        map.data, map.size);
    gst_buffer_unmap (buffer, &map);
  }
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
make_rtp_session (OwnStream *stream)
{
  GstElement *rtpbin = stream->self->rtpbin;
  g_autofree char *rtp = g_strdup_printf ("send_rtp_sink_%u", stream->session);
  g_autofree char *src = g_strdup_printf ("send_rtp_src_%u", stream->session);
  g_autofree char *in = g_strdup_printf ("recv_rtcp_sink_%u", stream->session);
  g_autofree char *out = g_strdup_printf ("send_rtcp_src_%u", stream->session);

  stream->rtp_request = gst_element_request_pad_simple (rtpbin, rtp);
  stream->rtp_src = gst_element_get_static_pad (rtpbin, src);
  stream->rtcp_in = gst_bravis_loose_src_new (rtpbin, in,
      gst_caps_new_empty_simple ("application/x-rtcp"),
      &stream->rtcp_in_request);
  stream->rtcp_out = gst_bravis_loose_sink_new (rtpbin, out, send_rtcp,
      stream, &stream->rtcp_out_request);
  return stream->rtp_request && stream->rtp_src && stream->rtcp_in
      && stream->rtcp_out;
}

static void
make_elements (OwnStream *stream)
{
  GstBravisGroupSink *self = stream->self;

  stream->intake = gst_object_ref_sink (gst_bravis_intake_new (stream->kind,
          describe_stream, stream));
  stream->sink = gst_object_ref_sink (gst_bravis_stream_sink_new (take_up_epoch,
          end_stream, stream));
  /* A pipeline's sinks go to PLAYING together. In a conference one that shows
   * another member waits for frames that nobody sends before it plays, and a
   * whiteboard may have nothing to say for long: nobody waits for anybody here. */
  g_object_set (stream->sink, "sync", self->sync, "async", FALSE, NULL);
  gst_bin_add_many (GST_BIN (self), stream->intake, stream->sink, NULL);
}

static void
link_stream (OwnStream *stream)
{
  g_autoptr (GstPad) intake_src =
      gst_element_get_static_pad (stream->intake, "src");
  g_autoptr (GstPad) sink = gst_element_get_static_pad (stream->sink, "sink");

  gst_pad_link_full (stream->rtp_src, sink, GST_PAD_LINK_CHECK_NOTHING);
  gst_pad_link_full (intake_src, stream->rtp_request,
      GST_PAD_LINK_CHECK_NOTHING);
}

static void
free_stream (OwnStream *stream)
{
  GstBravisGroupSink *self = stream->self;

  /* Nobody pushes any more, then nobody is pushed to. */
  if (stream->pad)
    gst_pad_set_active (stream->pad, FALSE);
  gst_element_set_locked_state (stream->intake, TRUE);
  gst_element_set_locked_state (stream->sink, TRUE);
  gst_element_set_state (stream->sink, GST_STATE_NULL);
  gst_element_set_state (stream->intake, GST_STATE_NULL);
  close_stream (stream);
  gst_bravis_loose_pad_clear (self->rtpbin, &stream->rtcp_in,
      &stream->rtcp_in_request);
  gst_bravis_loose_pad_clear (self->rtpbin, &stream->rtcp_out,
      &stream->rtcp_out_request);
  if (stream->rtp_request)
    gst_element_release_request_pad (self->rtpbin, stream->rtp_request);
  gst_clear_object (&stream->rtp_request);
  gst_clear_object (&stream->rtp_src);
  gst_bin_remove_many (GST_BIN (self), stream->intake, stream->sink, NULL);
  gst_clear_object (&stream->intake);
  gst_clear_object (&stream->sink);
  gst_clear_object (&stream->pad);
  g_hash_table_unref (stream->reporters);
  g_free (stream);
}

static OwnStream *
new_stream (GstBravisGroupSink *self, BravisKind kind, GstPadTemplate *template,
    const char *name)
{
  g_autoptr (GstPad) intake_sink = NULL;
  OwnStream *stream = g_new0 (OwnStream, 1);

  stream->self = self;
  stream->kind = kind;
  stream->session = self->last_session++;
  stream->reporters = g_hash_table_new (NULL, NULL);
  make_elements (stream);
  if (!make_rtp_session (stream)) {
    free_stream (stream);
    return NULL;
  }
  link_stream (stream);
  intake_sink = gst_element_get_static_pad (stream->intake, "sink");
  stream->pad = gst_object_ref_sink (gst_ghost_pad_new_from_template (name,
          intake_sink, template));
  return stream;
}

/* Pads */

static char *
choose_pad_name (GstBravisGroupSink *self, GstPadTemplate *template,
    const char *wanted)
{
  const char *kind = GST_PAD_TEMPLATE_NAME_TEMPLATE (template);
  gsize prefix = strlen (kind) - strlen ("%u");

  if (wanted && *wanted && !strchr (wanted, '%'))
    return g_strdup (wanted);
  for (guint i = 0;; i++) {
    g_autofree char *name = g_strdup_printf ("%.*s%u", (int) prefix, kind, i);
    g_autoptr (GstPad) taken =
        gst_element_get_static_pad (GST_ELEMENT (self), name);

    if (!taken)
      return g_steal_pointer (&name);
  }
}

static BravisKind
template_kind (GstPadTemplate *template)
{
  const char *name = GST_PAD_TEMPLATE_NAME_TEMPLATE (template);

  return name[0] == 'v' ? BRAVIS_KIND_VIDEO
      : name[0] == 'a' ? BRAVIS_KIND_AUDIO : BRAVIS_KIND_WHITEBOARD;
}

static GstPad *
request_new_pad (GstElement *element, GstPadTemplate *template,
    const char *wanted, const GstCaps *caps)
{
  GstBravisGroupSink *self = GST_BRAVIS_GROUP_SINK (element);
  g_autofree char *name = NULL;
  OwnStream *stream;

  g_rec_mutex_lock (&self->lock);
  name = choose_pad_name (self, template, wanted);
  stream = new_stream (self, template_kind (template), template, name);
  if (stream && self->running && !open_stream (stream))
    g_clear_pointer (&stream, free_stream);
  if (stream)
    g_ptr_array_add (self->streams, stream);
  g_rec_mutex_unlock (&self->lock);
  if (!stream)
    return NULL;

  gst_element_sync_state_with_parent (stream->sink);
  gst_element_sync_state_with_parent (stream->intake);
  if (GST_STATE (self) >= GST_STATE_PAUSED
      || GST_STATE_NEXT (self) >= GST_STATE_PAUSED)
    gst_pad_set_active (stream->pad, TRUE);
  gst_element_add_pad (element, stream->pad);
  return stream->pad;
}

static void
release_pad (GstElement *element, GstPad *pad)
{
  GstBravisGroupSink *self = GST_BRAVIS_GROUP_SINK (element);

  g_rec_mutex_lock (&self->lock);
  for (guint i = 0; i < self->streams->len; i++) {
    OwnStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->pad == pad) {
      gst_pad_set_active (pad, FALSE);
      gst_element_remove_pad (element, pad);
      g_ptr_array_remove_index (self->streams, i);
      break;
    }
  }
  g_rec_mutex_unlock (&self->lock);
}

/* What comes from the session */

static void
request_key_units (gpointer user_data)
{
  GstBravisGroupSink *self = user_data;

  g_rec_mutex_lock (&self->lock);
  for (guint i = 0; i < self->streams->len; i++) {
    OwnStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->kind == BRAVIS_KIND_VIDEO)
      gst_pad_push_event (stream->pad,
          gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE,
              TRUE, 0));
  }
  g_rec_mutex_unlock (&self->lock);
}

static gboolean
has_newcomer (BravisEpoch *epoch, BravisEpoch *last)
{
  GcpView *view = bravis_epoch_get_view (epoch);
  guint n = gcp_view_get_n_members (view);

  if (!last)
    return n > 1;
  for (guint i = 0; i < n; i++) {
    if (!gcp_view_contains (bravis_epoch_get_view (last),
            gcp_view_get_member (view, i)->id))
      return TRUE;
  }
  return FALSE;
}

static void
listen (const BravisEvent *event, gpointer user_data)
{
  GstBravisGroupSink *self = user_data;

  if (event->type == BRAVIS_EVENT_EPOCH) {
    if (has_newcomer (event->epoch, self->last_epoch))
      bravis_worker_call (self->worker, request_key_units, self, NULL);
    g_clear_pointer (&self->last_epoch, bravis_epoch_unref);
    self->last_epoch = bravis_epoch_ref (event->epoch);
  }
  gst_bravis_message_post (GST_ELEMENT (self), gst_bravis_message_new (event));
}

typedef struct {
  GstBravisGroupSink *self;
  guint16 number;
  guint32 ssrc;
  GBytes *rtcp;
} Report;

static void
report_free (gpointer data)
{
  Report *report = data;

  g_bytes_unref (report->rtcp);
  g_free (report);
}

static gboolean
may_report (OwnStream *stream, guint32 ssrc)
{
  if (g_hash_table_contains (stream->reporters, GUINT_TO_POINTER (ssrc)))
    return TRUE;
  if (g_hash_table_size (stream->reporters) >= MAX_REPORTERS)
    return FALSE;
  g_hash_table_add (stream->reporters, GUINT_TO_POINTER (ssrc));
  return TRUE;
}

static void
take_report (gpointer data)
{
  Report *report = data;
  GstBravisGroupSink *self = report->self;

  g_rec_mutex_lock (&self->lock);
  for (guint i = 0; i < self->streams->len; i++) {
    OwnStream *stream = g_ptr_array_index (self->streams, i);

    if (g_atomic_int_get (&stream->open) && stream->number == report->number
        && may_report (stream, report->ssrc))
      gst_pad_push (stream->rtcp_in, gst_buffer_new_wrapped_bytes (report->rtcp));
  }
  g_rec_mutex_unlock (&self->lock);
}

/* In the socket's thread. */
static void
receive (const GcpAddress *from, guint8 *data, gsize size, gpointer user_data)
{
  GstBravisGroupSink *self = user_data;
  BravisReport opened;
  Report *report;

  if (size == 0 || data[0] != BRAVIS_DATAGRAM_RTCP
      || bravis_feedback_open (self->receiver, self->session, data, size, &opened)
      != BRAVIS_DROP_NONE || !opened.own)
    return;

  report = g_new0 (Report, 1);
  report->self = self;
  report->number = opened.stream;
  report->ssrc = opened.ssrc;
  report->rtcp = g_bytes_new (opened.rtcp, opened.size);
  if (!bravis_worker_try_call (self->worker, take_report, report, report_free))
    report_free (report);
}

/* States */

static gboolean
open_session (GstBravisGroupSink *self)
{
  if (!self->rtpbin) {
    GST_ELEMENT_ERROR (self, CORE, MISSING_PLUGIN,
        ("The element rtpbin is missing."), (NULL));
    return FALSE;
  }
  self->session = gst_bravis_group_settings_open (&self->settings,
      GST_ELEMENT (self));
  return self->session != NULL;
}

/* Does nothing the second time: a change of state that fails half way may come
 * down without going through PAUSED again. */
static void
stop_group (GstBravisGroupSink *self)
{
  if (!self->worker)
    return;
  bravis_session_remove_media_receiver (self->session, self->receiver_id);
  bravis_session_remove_listener (self->session, self->listener_id);
  bravis_worker_stop (self->worker);

  g_rec_mutex_lock (&self->lock);
  self->running = FALSE;
  for (guint i = 0; i < self->streams->len; i++) {
    OwnStream *stream = g_ptr_array_index (self->streams, i);

    close_stream (stream);
    gst_bravis_stream_sink_set_stream (GST_BRAVIS_STREAM_SINK (stream->sink),
        NULL, 0, 0);
  }
  g_rec_mutex_unlock (&self->lock);

  g_clear_pointer (&self->worker, bravis_worker_free);
  g_clear_pointer (&self->feedback, bravis_feedback_free);
  g_clear_pointer (&self->receiver, bravis_receiver_free);
  g_clear_pointer (&self->last_epoch, bravis_epoch_unref);
  bravis_session_release (self->session);
}

static gboolean
open_streams (GstBravisGroupSink *self)
{
  gboolean opened = TRUE;

  g_rec_mutex_lock (&self->lock);
  self->running = TRUE;
  for (guint i = 0; opened && i < self->streams->len; i++)
    opened = open_stream (g_ptr_array_index (self->streams, i));
  g_rec_mutex_unlock (&self->lock);
  return opened;
}

static gboolean
start_group (GstBravisGroupSink *self)
{
  g_autoptr (GError) error = NULL;

  if (!gst_bravis_group_settings_hold (&self->settings, &self->session,
          GST_ELEMENT (self)))
    return FALSE;
  self->feedback = bravis_feedback_new (self->session, &error);
  if (!self->feedback) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("%s", error->message),
        (NULL));
    bravis_session_release (self->session);
    return FALSE;
  }
  self->receiver = bravis_receiver_new_session (self->session,
      RTCP_REPLAY_WINDOW);
  self->worker = bravis_worker_new ("bravisgroupsink");
  self->listener_id = bravis_session_add_listener (self->session, listen, self);
  self->receiver_id = bravis_session_add_media_receiver (self->session, receive,
      self);
  return open_streams (self);
}

/* A pad that was requested meanwhile may be pushed to already: nobody may use any
 * more what stop_group () takes away. */
static void
stop_children (GstBravisGroupSink *self)
{
  g_rec_mutex_lock (&self->lock);
  self->running = FALSE;
  g_rec_mutex_unlock (&self->lock);
  GST_ELEMENT_CLASS (gst_bravis_group_sink_parent_class)
      ->change_state (GST_ELEMENT (self), GST_STATE_CHANGE_PAUSED_TO_READY);
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstBravisGroupSink *self = GST_BRAVIS_GROUP_SINK (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_session (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start_group (self))
    result = GST_STATE_CHANGE_FAILURE;
  else
    result = GST_ELEMENT_CLASS (gst_bravis_group_sink_parent_class)
        ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED
      && result == GST_STATE_CHANGE_FAILURE) {
    stop_children (self);
    stop_group (self);
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || transition == GST_STATE_CHANGE_READY_TO_NULL)
    stop_group (self);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    g_clear_object (&self->session);
  return result;
}

/* Properties */

static GstStructure *
get_stats (GstBravisGroupSink *self)
{
  GstBravisStreamSinkStats sum = { 0 };

  g_rec_mutex_lock (&self->lock);
  for (guint i = 0; i < self->streams->len; i++) {
    OwnStream *stream = g_ptr_array_index (self->streams, i);
    GstBravisStreamSinkStats stats;

    gst_bravis_stream_sink_get_stats (GST_BRAVIS_STREAM_SINK (stream->sink),
        &stats);
    sum.frames += stats.frames;
    sum.packets += stats.packets;
    sum.datagrams += stats.datagrams;
    sum.octets += stats.octets;
    sum.unheard += stats.unheard;
    sum.closed += stats.closed;
    sum.oversized += stats.oversized;
  }
  g_rec_mutex_unlock (&self->lock);
  return gst_structure_new ("bravisgroupsink-stats",
      "frames", G_TYPE_UINT64, sum.frames,
      "packets", G_TYPE_UINT64, sum.packets,
      "datagrams", G_TYPE_UINT64, sum.datagrams,
      "octets", G_TYPE_UINT64, sum.octets,
      "unheard", G_TYPE_UINT64, sum.unheard,
      "closed", G_TYPE_UINT64, sum.closed,
      "oversized", G_TYPE_UINT64, sum.oversized, NULL);
}

static void
set_sync (GstBravisGroupSink *self, gboolean sync)
{
  g_rec_mutex_lock (&self->lock);
  self->sync = sync;
  for (guint i = 0; i < self->streams->len; i++) {
    OwnStream *stream = g_ptr_array_index (self->streams, i);

    g_object_set (stream->sink, "sync", sync, NULL);
  }
  g_rec_mutex_unlock (&self->lock);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstBravisGroupSink *self = GST_BRAVIS_GROUP_SINK (object);
  gboolean taken;

  if (id == PROP_SYNC) {
    set_sync (self, g_value_get_boolean (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  taken = gst_bravis_group_settings_set (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!taken)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstBravisGroupSink *self = GST_BRAVIS_GROUP_SINK (object);
  gboolean known;

  if (id == PROP_SYNC) {
    g_value_set_boolean (value, self->sync);
    return;
  }
  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  known = gst_bravis_group_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void
dispose (GObject *object)
{
  GstBravisGroupSink *self = GST_BRAVIS_GROUP_SINK (object);

  /* While the bin's children are still there. */
  if (self->streams)
    g_ptr_array_set_size (self->streams, 0);
  G_OBJECT_CLASS (gst_bravis_group_sink_parent_class)->dispose (object);
}

static void
finalize (GObject *object)
{
  GstBravisGroupSink *self = GST_BRAVIS_GROUP_SINK (object);

  gst_bravis_group_settings_clear (&self->settings);
  g_clear_object (&self->session);
  g_ptr_array_unref (self->streams);
  g_rec_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_bravis_group_sink_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object_class)
{
  gst_bravis_group_settings_install (object_class);

  /**
   * GstBravisGroupSink:sync:
   *
   * Whether streams that do not come from a live source are paced by the
   * pipeline's clock. Without it a file is sent as fast as it can be read.
   */
  g_object_class_install_property (object_class, PROP_SYNC,
      g_param_spec_boolean ("sync", "Synchronise",
          "Pace streams that do not come from a live source by the clock; live "
          "ones are sent as they come", TRUE,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
          | GST_PARAM_MUTABLE_PLAYING));

  /**
   * GstBravisGroupSink:stats:
   *
   * Of all pads together: frames begun; packets made of them; datagrams (one
   * however many members get it) and octets sent; packets that were unheard, as
   * nobody else was there; closed, as nothing may be sent under their key any more;
   * oversized.
   */
  g_object_class_install_property (object_class, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Counters of all pads: frames, packets, datagrams, octets, and packets "
          "not sent: unheard, closed, oversized", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_bravis_group_sink_class_init (GstBravisGroupSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->dispose = dispose;
  object_class->finalize = finalize;
  install_properties (object_class);
  element_class->change_state = change_state;
  element_class->request_new_pad = request_new_pad;
  element_class->release_pad = release_pad;
  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &audio_template);
  gst_element_class_add_static_pad_template (element_class,
      &whiteboard_template);
  gst_element_class_set_static_metadata (element_class,
      "BRAVIS group sink", "Sink/Network",
      "Sends streams to the members of a confidential conference",
      "The gst-bravis developers");
}

static void
gst_bravis_group_sink_init (GstBravisGroupSink *self)
{
  self->sync = TRUE;
  g_rec_mutex_init (&self->lock);
  self->streams = g_ptr_array_new_with_free_func ((GDestroyNotify) free_stream);
  gst_bin_set_suppressed_flags (GST_BIN (self), GST_ELEMENT_FLAG_SOURCE);
  self->rtpbin = gst_element_factory_make ("rtpbin", NULL);
  if (!self->rtpbin)
    return;
  gst_util_set_object_arg (G_OBJECT (self->rtpbin), "rtp-profile", "avpf");
  gst_bravis_set_random_cname (self->rtpbin);
  gst_bin_add (GST_BIN (self), self->rtpbin);
}
