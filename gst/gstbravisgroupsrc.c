/**
 * SECTION:element-bravisgroupsrc
 * @title: bravisgroupsrc
 * @see_also: bravisgroupsink
 *
 * Receives the streams of the other members of this peer's conference, decrypted
 * and authenticated. Each stream has a pad of its own, `video_%u`, `audio_%u` or
 * `whiteboard_%u`, numbered as the streams appear; numbers are not used again. Caps
 * and frames are those that went into the sender's bravisgroupsink, octet by octet.
 * The stream-id is "bravis/MEMBER/KIND/NUMBER"; the tags title and contact are the
 * member's name.
 *
 * When a member leaves, or a stream ends, what was received is handed on, then its
 * pad gives EOS and is removed. EOS sent to the element (gst-launch-1.0 -e) has
 * the peer leave the conference, after bravisgroupsinks of the same session have
 * sent what they had; then all pads give EOS.
 *
 * Element messages: `bravis-epoch` with number, cause, milliseconds, members, and
 * the cipher of each kind, as the policy of who began the group has it;
 * `bravis-verification` with the number of the epoch and its code;
 * `bravis-member-joined`; `bravis-member-left` with the reason; `bravis-refused`;
 * `bravis-unreachable`; `bravis-ended`.
 *
 * ## A conference of three, one terminal for each
 *
 * Certificates come from `bravis ca`. In alice.conf `[group]` has
 * `invite=bob@example.org`, in bob.conf `invite=carol@example.org`.
 * |[
 * gst-launch-1.0 -e bravisgroupsrc name=in config=alice.conf in.video_0 ! queue ! avdec_h264 ! videoconvert ! autovideosink bravisgroupsink name=out config=alice.conf videotestsrc is-live=true ! x264enc tune=zerolatency ! out.video_0
 * ]|
 * |[
 * gst-launch-1.0 -e bravisgroupsrc name=in config=bob.conf in.video_0 ! queue ! avdec_h264 ! videoconvert ! autovideosink bravisgroupsink name=out config=bob.conf videotestsrc is-live=true pattern=ball ! x264enc tune=zerolatency ! out.video_0
 * ]|
 * |[
 * gst-launch-1.0 -e bravisgroupsrc name=in config=carol.conf in.video_0 ! queue ! avdec_h264 ! videoconvert ! autovideosink in.video_1 ! queue ! avdec_h264 ! videoconvert ! autovideosink
 * ]|
 */
#include "gstbravisgroupsrc.h"

#include "bravis-feedback.h"
#include "gstbravismessage.h"
#include "bravis-media-router.h"
#include "bravis-outgoing.h"
#include "bravis-worker.h"
#include "gstbravisgroupsettings.h"
#include "gstbravisloosepad.h"
#include "gstbravisremote.h"
#include "../keymgmt/bravis-datagram.h"

#include <stdio.h>

#define DEFAULT_LATENCY 100
#define MAX_LATENCY 10000
#define REPLAY_WINDOW 1024
#define RTCP_REPLAY_WINDOW 256
#define MAX_STREAMS_OF_MEMBER 16
#define MAX_WARNINGS 16         /* about what other members announce */
#define END_PATIENCE 1000       /* ms that the last packets may take */
#define FAREWELL_STEP 10        /* ms */
#define FAREWELL_STEPS 50
#define LEAVE_LIMIT 5000        /* ms: more than leaving may take */

enum {
  PROP_LATENCY = GST_BRAVIS_GROUP_N_PROPS,
  PROP_STATS
};

GST_DEBUG_CATEGORY_STATIC (group_src_debug);
#define GST_CAT_DEFAULT group_src_debug

struct _GstBravisGroupSrc {
  GstBin parent;

  GstBravisGroupSettings settings;      /* under the object lock, as @latency */
  guint latency;                /* ms */

  GstElement *rtpbin;
  BravisSession *session;       /* from READY on */

  GMutex lock;                  /* of @remotes; held for looking things up only */
  GPtrArray *remotes;           /* of GstBravisRemote; changed by the worker only */

  GMutex stats_lock;            /* of @router's being there, for the statistics */

  /* Made before the threads that use them, gone after them. */
  BravisWorker *worker;
  BravisMediaRouter *router;
  BravisFeedback *feedback;
  BravisReceiver *receiver;     /* of RTCP; of the socket's thread */
  guint receiver_id, listener_id;
  gboolean running;             /* under the object lock: PAUSED or PLAYING */

  /* Of the worker. */
  guint last_session;
  guint pads[BRAVIS_N_KINDS];   /* made so far */
  guint warnings;
  guint farewell_steps;
  gboolean over;                /* no new streams any more */
};

G_DEFINE_TYPE_WITH_CODE (GstBravisGroupSrc, gst_bravis_group_src,
    GST_TYPE_BIN, GST_DEBUG_CATEGORY_INIT (group_src_debug, "bravisgroupsrc", 0,
        "receives the streams of a group"))

GST_ELEMENT_REGISTER_DEFINE (bravisgroupsrc, "bravisgroupsrc",
    GST_RANK_NONE, GST_TYPE_BRAVIS_GROUP_SRC);

static GstStaticPadTemplate video_template =
GST_STATIC_PAD_TEMPLATE ("video_%u", GST_PAD_SRC, GST_PAD_SOMETIMES,
    GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate audio_template =
GST_STATIC_PAD_TEMPLATE ("audio_%u", GST_PAD_SRC, GST_PAD_SOMETIMES,
    GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate whiteboard_template =
GST_STATIC_PAD_TEMPLATE ("whiteboard_%u", GST_PAD_SRC, GST_PAD_SOMETIMES,
    GST_STATIC_CAPS_ANY);

/* What the worker is asked to do. */
typedef struct {
  GstBravisGroupSrc *self;
  GcpMemberId member;
  char *name;
  BravisKind kind;
  guint16 stream;
  char *description;
  guint session;                /* of the rtpbin */
  guint32 ssrc;
  GBytes *rtcp;
} Task;

static Task *
task_new (GstBravisGroupSrc *self)
{
  Task *task = g_new0 (Task, 1);

  task->self = self;
  return task;
}

static void
task_free (gpointer data)
{
  Task *task = data;

  g_free (task->name);
  g_free (task->description);
  g_clear_pointer (&task->rtcp, g_bytes_unref);
  g_free (task);
}

/* The other members' streams */

static GstBravisRemote *
find_remote (GstBravisGroupSrc *self, GcpMemberId member, guint16 stream)
{
  for (guint i = 0; i < self->remotes->len; i++) {
    GstBravisRemote *remote = g_ptr_array_index (self->remotes, i);

    if (remote->member == member && remote->stream == stream && !remote->ending)
      return remote;
  }
  return NULL;
}

static GstBravisRemote *
find_remote_by_session (GstBravisGroupSrc *self, guint session)
{
  for (guint i = 0; i < self->remotes->len; i++) {
    GstBravisRemote *remote = g_ptr_array_index (self->remotes, i);

    if (remote->session == session)
      return remote;
  }
  return NULL;
}

static guint
count_streams (GstBravisGroupSrc *self, GcpMemberId member)
{
  guint n = 0;

  for (guint i = 0; i < self->remotes->len; i++) {
    GstBravisRemote *remote = g_ptr_array_index (self->remotes, i);

    n += remote->member == member;
  }
  return n;
}

/* What another member announces can be wrong, again and again; that is said some
 * times, and stops nothing. */
static void
warn_about (GstBravisGroupSrc *self, const char *name, const char *what)
{
  if (self->warnings++ < MAX_WARNINGS)
    GST_ELEMENT_WARNING (self, STREAM, FORMAT,
        ("A stream of %s is not taken: %s", name, what), (NULL));
}

static void
report_to_owner (GstBravisRemote *remote, const guint8 *rtcp, gsize size,
    gpointer user_data)
{
  GstBravisGroupSrc *self = user_data;

  bravis_feedback_send_to_owner (self->feedback, remote->member,
      remote->stream, rtcp, size);
}

static void
remove_drained (gpointer data)
{
  Task *task = data;
  GstBravisGroupSrc *self = task->self;
  GstBravisRemote *remote = find_remote_by_session (self, task->session);

  if (!remote)
    return;
  bravis_media_router_remove (self->router, remote);
  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->remotes, remote);
  g_mutex_unlock (&self->lock);
  gst_bravis_remote_free (remote);
}

static void
remote_drained (GstBravisRemote *remote, gpointer user_data)
{
  GstBravisGroupSrc *self = user_data;
  Task *task = task_new (self);

  task->session = remote->session;
  bravis_worker_call (self->worker, remove_drained, task, task_free);
}

static void
call_later_for (GstBravisGroupSrc *self, GstBravisRemote *remote,
    guint milliseconds, GSourceOnceFunc function)
{
  Task *task = task_new (self);

  task->session = remote->session;
  bravis_worker_call_later (self->worker, milliseconds, function, task,
      task_free);
}

static void
give_up (gpointer data)
{
  Task *task = data;
  GstBravisRemote *remote = find_remote_by_session (task->self, task->session);

  if (remote)
    gst_bravis_remote_give_up (remote);
}

static void
end_remote (GstBravisGroupSrc *self, GstBravisRemote *remote)
{
  bravis_media_router_remove (self->router, remote);
  gst_bravis_remote_end (remote);
  call_later_for (self, remote, self->latency + END_PATIENCE, give_up);
}

static void
end_lingering (gpointer data)
{
  Task *task = data;
  GstBravisRemote *remote = find_remote_by_session (task->self, task->session);

  if (remote)
    end_remote (task->self, remote);
}

static void
end_all (GstBravisGroupSrc *self)
{
  self->over = TRUE;
  for (guint i = 0; i < self->remotes->len; i++) {
    GstBravisRemote *remote = g_ptr_array_index (self->remotes, i);

    remote->ending = TRUE;
    end_remote (self, remote);
  }
}

static void
route (GstBravisGroupSrc *self, GstBravisRemote *remote)
{
  BravisMediaRoute media_route = {
    .member = remote->member,
    .kind = remote->kind,
    .stream = remote->stream,
    .ssrc = remote->description->ssrc,
    .payload = remote->description->payload,
    .frames = remote->description->frames,
    .generations = remote->generations,
  };

  bravis_media_router_add (self->router, &media_route, remote);
}

static void
expose (GstBravisGroupSrc *self, GstBravisRemote *remote)
{
  g_autofree char *template_name = g_strdup_printf ("%s_%%u",
      bravis_kind_to_string (remote->kind));
  g_autofree char *name = g_strdup_printf ("%s_%u",
      bravis_kind_to_string (remote->kind), self->pads[remote->kind]++);

  gst_bravis_remote_expose (remote,
      gst_element_class_get_pad_template (GST_ELEMENT_GET_CLASS (self),
          template_name), name);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_latency (GST_OBJECT (self)));
}

static void
add_remote (GstBravisGroupSrc *self, Task *task,
    BravisStreamDescription *description)
{
  GstBravisRemoteHost host = {
    .bin = GST_BIN (self),
    .rtpbin = self->rtpbin,
    .latency = self->latency,
    .report = report_to_owner,
    .drained = remote_drained,
    .user_data = self,
  };
  GstBravisRemote *remote;

  if (count_streams (self, task->member) >= MAX_STREAMS_OF_MEMBER) {
    bravis_stream_description_free (description);
    warn_about (self, task->name, "it has too many");
    return;
  }
  remote = gst_bravis_remote_new (&host, self->last_session++, task->member,
      task->name, task->kind, task->stream, description);
  if (!remote) {
    warn_about (self, task->name, "there is no RTP session for it");
    return;
  }
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->remotes, remote);
  g_mutex_unlock (&self->lock);
  expose (self, remote);
  route (self, remote);
}

static void
take_stream (gpointer data)
{
  Task *task = data;
  GstBravisGroupSrc *self = task->self;
  g_autoptr (BravisStreamDescription) description = NULL;
  g_autoptr (GError) error = NULL;
  GstBravisRemote *remote;

  if (self->over)
    return;
  description = bravis_stream_description_parse (task->description, task->kind,
      &error);
  if (!description) {
    warn_about (self, task->name, error->message);
    return;
  }
  remote = find_remote (self, task->member, task->stream);
  if (!remote)
    add_remote (self, task, g_steal_pointer (&description));
  else if (remote->kind == task->kind
      && gst_bravis_remote_describe (remote, description))
    route (self, remote);
  else
    warn_about (self, task->name, "it changed what cannot change");
}

/* The last packets may still be on their way: they get as long as a late packet
 * gets. */
static void
lose_stream (gpointer data)
{
  Task *task = data;
  GstBravisGroupSrc *self = task->self;
  GstBravisRemote *remote = find_remote (self, task->member, task->stream);

  if (!remote)
    return;
  remote->ending = TRUE;
  call_later_for (self, remote, self->latency, end_lingering);
}

static void
end_conference (gpointer data)
{
  end_all (data);
}

/* Leaves when the sinks of the session have nothing to send any more. */
static void
leave (gpointer data)
{
  GstBravisGroupSrc *self = data;

  if (bravis_outgoing_get (self->session) > 0
      && self->farewell_steps++ < FAREWELL_STEPS) {
    bravis_worker_call_later (self->worker, FAREWELL_STEP, leave, self, NULL);
    return;
  }
  /* Until the others have let this peer go they send to it, and it hands on what
   * they send: the pads end when the session has (BRAVIS_EVENT_ENDED). */
  bravis_session_leave (self->session);
  bravis_worker_call_later (self->worker, LEAVE_LIMIT, end_conference, self,
      NULL);
}

/* rtpbin's callbacks */

static void
rtp_pad_added (GstElement *rtpbin, GstPad *pad, GstBravisGroupSrc *self)
{
  g_autofree char *name = gst_pad_get_name (pad);
  GstBravisRemote *remote = NULL;
  guint session;

  if (sscanf (name, "recv_rtp_src_%u_", &session) != 1)
    return;
  g_mutex_lock (&self->lock);
  remote = find_remote_by_session (self, session);
  if (remote)
    gst_bravis_remote_link (remote, pad);
  g_mutex_unlock (&self->lock);
}

static GstCaps *
request_pt_map (GstElement *rtpbin, guint session, guint payload,
    GstBravisGroupSrc *self)
{
  GstBravisRemote *remote;
  GstCaps *caps = NULL;

  g_mutex_lock (&self->lock);
  remote = find_remote_by_session (self, session);
  if (remote && remote->description->payload == payload)
    caps = bravis_stream_description_dup_rtp_caps (remote->description,
        remote->kind);
  g_mutex_unlock (&self->lock);
  return caps;
}

/* What comes from the session */

static void
listen (const BravisEvent *event, gpointer user_data)
{
  GstBravisGroupSrc *self = user_data;
  Task *task;

  switch (event->type) {
    case BRAVIS_EVENT_EPOCH:
      bravis_media_router_retry (self->router);
      break;
    case BRAVIS_EVENT_STREAM_ADDED:
    case BRAVIS_EVENT_STREAM_REMOVED:
      if (g_strcmp0 (event->name,
              bravis_session_get_identity (self->session)) == 0)
        return;
      task = task_new (self);
      task->member = event->member;
      task->name = g_strdup (event->name);
      task->kind = event->kind;
      task->stream = event->stream;
      task->description = g_strdup (event->description);
      bravis_worker_call (self->worker, event->type == BRAVIS_EVENT_STREAM_ADDED
          ? take_stream : lose_stream, task, task_free);
      return;
    case BRAVIS_EVENT_ENDED:
      bravis_worker_call (self->worker, end_conference, self, NULL);
      break;
    default:
      break;
  }
  gst_bravis_message_post (GST_ELEMENT (self), gst_bravis_message_new (event));
}

static void
deliver (gpointer target, const guint8 *packet, gsize size)
{
  gst_bravis_remote_push (target, packet, size);
}

static void
take_report (gpointer data)
{
  Task *task = data;
  GstBravisRemote *remote = find_remote (task->self, task->member, task->stream);

  if (remote && remote->description->ssrc == task->ssrc)
    gst_bravis_remote_push_rtcp (remote, task->rtcp);
}

static void
receive_rtcp (GstBravisGroupSrc *self, guint8 *data, gsize size)
{
  BravisReport report;
  Task *task;

  /* Only what an owner says of its own stream concerns those who take it. */
  if (bravis_feedback_open (self->receiver, self->session, data, size, &report)
      != BRAVIS_DROP_NONE || report.own || report.owner != report.sender)
    return;
  task = task_new (self);
  task->member = report.owner;
  task->stream = report.stream;
  task->ssrc = report.ssrc;
  task->rtcp = g_bytes_new (report.rtcp, report.size);
  if (!bravis_worker_try_call (self->worker, take_report, task, task_free))
    task_free (task);
}

/* In the socket's thread. */
static void
receive (const GcpAddress *from, guint8 *data, gsize size, gpointer user_data)
{
  GstBravisGroupSrc *self = user_data;

  if (size == 0)
    return;
  if (data[0] == BRAVIS_DATAGRAM_RTCP)
    receive_rtcp (self, data, size);
  else
    bravis_media_router_receive (self->router, data, size);
}

/* States */

static gboolean
open_session (GstBravisGroupSrc *self)
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

static gboolean
start_group (GstBravisGroupSrc *self)
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
  g_mutex_lock (&self->stats_lock);
  self->router = bravis_media_router_new (self->session, REPLAY_WINDOW, deliver);
  g_mutex_unlock (&self->stats_lock);
  self->last_session = 0;
  self->warnings = 0;
  self->farewell_steps = 0;
  self->over = FALSE;
  memset (self->pads, 0, sizeof self->pads);
  g_object_set (self->rtpbin, "latency", self->latency, NULL);
  self->worker = bravis_worker_new ("bravisgroupsrc");
  self->receiver_id = bravis_session_add_media_receiver (self->session, receive,
      self);
  self->listener_id = bravis_session_add_listener (self->session, listen, self);
  GST_OBJECT_LOCK (self);
  self->running = TRUE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* Before the elements stop: nothing new comes in any more. As the next, it does
 * nothing the second time: a change of state that fails half way may come down
 * without going through PAUSED again. */
static void
stop_receiving (GstBravisGroupSrc *self)
{
  if (!self->worker)
    return;
  GST_OBJECT_LOCK (self);
  self->running = FALSE;
  GST_OBJECT_UNLOCK (self);
  bravis_session_remove_media_receiver (self->session, self->receiver_id);
  bravis_session_remove_listener (self->session, self->listener_id);
}

/* Afterwards: no thread of theirs uses anything any more. */
static void
stop_group (GstBravisGroupSrc *self)
{
  if (!self->worker)
    return;
  bravis_worker_stop (self->worker);
  while (self->remotes->len > 0) {
    GstBravisRemote *remote = g_ptr_array_index (self->remotes, 0);

    g_mutex_lock (&self->lock);
    g_ptr_array_remove (self->remotes, remote);
    g_mutex_unlock (&self->lock);
    gst_bravis_remote_free (remote);
  }
  g_clear_pointer (&self->worker, bravis_worker_free);
  g_mutex_lock (&self->stats_lock);
  g_clear_pointer (&self->router, bravis_media_router_free);
  g_mutex_unlock (&self->stats_lock);
  g_clear_pointer (&self->feedback, bravis_feedback_free);
  g_clear_pointer (&self->receiver, bravis_receiver_free);
  bravis_session_release (self->session);
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstBravisGroupSrc *self = GST_BRAVIS_GROUP_SRC (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_session (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED && self->router)
    bravis_media_router_set_open (self->router, FALSE);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || transition == GST_STATE_CHANGE_READY_TO_NULL)
    stop_receiving (self);

  result = GST_ELEMENT_CLASS (gst_bravis_group_src_parent_class)
      ->change_state (element, transition);
  if (result == GST_STATE_CHANGE_FAILURE
      && transition != GST_STATE_CHANGE_PAUSED_TO_READY
      && transition != GST_STATE_CHANGE_READY_TO_NULL)
    return result;

  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (!start_group (self))
        return GST_STATE_CHANGE_FAILURE;
      return GST_STATE_CHANGE_NO_PREROLL;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      bravis_media_router_set_open (self->router, TRUE);
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      return GST_STATE_CHANGE_NO_PREROLL;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      stop_group (self);
      break;
    case GST_STATE_CHANGE_READY_TO_NULL:
      stop_group (self);
      g_clear_object (&self->session);
      break;
    default:
      break;
  }
  return result;
}

static gboolean
send_event (GstElement *element, GstEvent *event)
{
  GstBravisGroupSrc *self = GST_BRAVIS_GROUP_SRC (element);
  gboolean running;

  if (GST_EVENT_TYPE (event) != GST_EVENT_EOS)
    return GST_ELEMENT_CLASS (gst_bravis_group_src_parent_class)
        ->send_event (element, event);

  gst_event_unref (event);
  GST_OBJECT_LOCK (self);
  running = self->running;
  if (running)
    bravis_worker_call (self->worker, leave, self, NULL);
  GST_OBJECT_UNLOCK (self);
  return running;
}

/* Properties */

static GstStructure *
get_stats (GstBravisGroupSrc *self)
{
  GstBravisOutletStats sum = { 0 };
  BravisMediaRouterStats router = { 0 };
  GstStructure *structure;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->remotes->len; i++) {
    GstBravisRemote *remote = g_ptr_array_index (self->remotes, i);
    GstBravisOutletStats stats;

    gst_bravis_outlet_get_stats (GST_BRAVIS_OUTLET (remote->outlet), &stats);
    sum.frames += stats.frames;
    sum.gaps += stats.gaps;
    sum.unlinked += stats.unlinked;
    sum.key_unit_requests += stats.key_unit_requests;
  }
  g_mutex_unlock (&self->lock);
  g_mutex_lock (&self->stats_lock);
  if (self->router)
    bravis_media_router_get_stats (self->router, &router);
  g_mutex_unlock (&self->stats_lock);

  structure = gst_structure_new ("bravisgroupsrc-stats",
      "frames", G_TYPE_UINT64, sum.frames,
      "gaps", G_TYPE_UINT64, sum.gaps,
      "unlinked", G_TYPE_UINT64, sum.unlinked,
      "key-unit-requests", G_TYPE_UINT64, sum.key_unit_requests,
      "datagrams", G_TYPE_UINT64, router.datagrams,
      "delivered", G_TYPE_UINT64, router.delivered,
      "held-back", G_TYPE_UINT64, router.held_back,
      "expired", G_TYPE_UINT64, router.expired,
      "misplaced", G_TYPE_UINT64, router.misplaced, NULL);
  for (guint i = BRAVIS_DROP_NONE + 1; i < BRAVIS_N_DROPS; i++)
    gst_structure_set (structure, bravis_drop_to_string (i), G_TYPE_UINT64,
        router.drops[i], NULL);
  return structure;
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstBravisGroupSrc *self = GST_BRAVIS_GROUP_SRC (object);
  gboolean taken = TRUE;

  GST_OBJECT_LOCK (self);
  if (id == PROP_LATENCY)
    self->latency = g_value_get_uint (value);
  else
    taken = gst_bravis_group_settings_set (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!taken)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstBravisGroupSrc *self = GST_BRAVIS_GROUP_SRC (object);
  gboolean known = TRUE;

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  if (id == PROP_LATENCY)
    g_value_set_uint (value, self->latency);
  else
    known = gst_bravis_group_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void
finalize (GObject *object)
{
  GstBravisGroupSrc *self = GST_BRAVIS_GROUP_SRC (object);

  gst_bravis_group_settings_clear (&self->settings);
  g_clear_object (&self->session);
  g_ptr_array_unref (self->remotes);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->stats_lock);
  G_OBJECT_CLASS (gst_bravis_group_src_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object_class)
{
  gst_bravis_group_settings_install (object_class);

  /**
   * GstBravisGroupSrc:latency:
   *
   * How long, in milliseconds, a packet may be late or out of order and still be in
   * time: the size of the jitter buffers, which is also how much later everything
   * is shown.
   */
  g_object_class_install_property (object_class, PROP_LATENCY,
      g_param_spec_uint ("latency", "Latency",
          "Size of the jitter buffers in milliseconds: how late a packet may be",
          0, MAX_LATENCY, DEFAULT_LATENCY,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
          | GST_PARAM_MUTABLE_READY));

  /**
   * GstBravisGroupSrc:stats:
   *
   * Of the pads there are: frames handed on; gaps, where something was lost;
   * unlinked, frames that nobody took; key-unit-requests. Of all datagrams with
   * media since the element started: datagrams; delivered to a stream; held-back,
   * each time that one waited for its epoch or stream; expired, those that waited
   * in vain; misplaced, authentic but not as announced; and those dropped, by cause:
   * malformed, unknown-epoch, unknown-sender, replayed, forged, ...
   */
  g_object_class_install_property (object_class, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Counters of frames and gaps, and of datagrams received, held back and "
          "dropped, by cause", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_bravis_group_src_class_init (GstBravisGroupSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  install_properties (object_class);
  element_class->change_state = change_state;
  element_class->send_event = send_event;
  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &audio_template);
  gst_element_class_add_static_pad_template (element_class,
      &whiteboard_template);
  gst_element_class_set_static_metadata (element_class,
      "BRAVIS group source", "Source/Network",
      "Receives the streams of the members of a confidential conference",
      "The gst-bravis developers");
}

static void
gst_bravis_group_src_init (GstBravisGroupSrc *self)
{
  self->latency = DEFAULT_LATENCY;
  g_mutex_init (&self->lock);
  g_mutex_init (&self->stats_lock);
  self->remotes = g_ptr_array_new ();
  gst_bin_set_suppressed_flags (GST_BIN (self),
      GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
  self->rtpbin = gst_element_factory_make ("rtpbin", NULL);
  if (!self->rtpbin)
    return;
  gst_util_set_object_arg (G_OBJECT (self->rtpbin), "rtp-profile", "avpf");
  gst_bravis_set_random_cname (self->rtpbin);
  g_signal_connect (self->rtpbin, "pad-added", G_CALLBACK (rtp_pad_added), self);
  g_signal_connect (self->rtpbin, "request-pt-map",
      G_CALLBACK (request_pt_map), self);
  gst_bin_add (GST_BIN (self), self->rtpbin);
}
