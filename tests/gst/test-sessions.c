#include "test-sessions.h"

#include "../../gst/bravis-worker.h"
#include "../../keymgmt/bravis-conference.h"

#define MAX_DATAGRAM 2048

typedef struct {
  guint id;
  BravisMediaReceive receive;
  BravisListen listen;
  gpointer user_data;
} Function;

typedef struct {
  BravisKind kind;
  guint16 number;
  char *description;
} Stream;

struct _BravisSession {
  GObject parent;

  TestSessions *conference;
  guint peer;
  guint holds;
  gboolean left;
  guint epochs;                 /* of the peer's, those it has got so far */
  gint serial;                  /* atomic */
  guint16 last_stream;
  GPtrArray *streams;           /* of Stream, own */

  GRecMutex calling;
  GArray *receivers, *listeners;        /* of Function */
  BravisWorker *socket, *events;
  gboolean refuses_stream;
  gboolean leaves_slowly;
};

struct _TestSessions {
  GRecMutex lock;
  TestGroup *group;
  BravisSession *sessions[TEST_GROUP_MAX];
  guint members;
  guint last_id;
  gboolean delay_announcements;
  gboolean change_is_due;
  TestSessionsPass pass;
  gpointer pass_data;
};

G_DEFINE_TYPE (BravisSession, bravis_session, G_TYPE_OBJECT)

static void
stream_free (gpointer data)
{
  Stream *stream = data;

  g_free (stream->description);
  g_free (stream);
}

static void
bravis_session_finalize (GObject *object)
{
  BravisSession *session = BRAVIS_SESSION (object);

  g_array_unref (session->receivers);
  g_array_unref (session->listeners);
  g_ptr_array_unref (session->streams);
  g_rec_mutex_clear (&session->calling);
  G_OBJECT_CLASS (bravis_session_parent_class)->finalize (object);
}

static void
bravis_session_class_init (BravisSessionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bravis_session_finalize;
}

static void
bravis_session_init (BravisSession *session)
{
  g_rec_mutex_init (&session->calling);
  session->receivers = g_array_new (FALSE, FALSE, sizeof (Function));
  session->listeners = g_array_new (FALSE, FALSE, sizeof (Function));
  session->streams = g_ptr_array_new_with_free_func (stream_free);
}

/* Deliveries: each in the thread of its session. */

typedef struct {
  BravisSession *session;
  guint listener;               /* 0: all */
  BravisEvent event;
  guint8 data[MAX_DATAGRAM];
  gsize size;
} Delivery;

static void
delivery_free (gpointer data)
{
  Delivery *delivery = data;

  g_clear_pointer (&delivery->event.epoch, bravis_epoch_unref);
  g_free ((char *) delivery->event.name);
  g_free ((char *) delivery->event.description);
  g_free (delivery);
}

static void
deliver_datagram (gpointer data)
{
  Delivery *delivery = data;
  BravisSession *session = delivery->session;
  guint8 copy[MAX_DATAGRAM];
  GcpAddress from = { .family = 0 };

  g_rec_mutex_lock (&session->calling);
  for (guint i = 0; i < session->receivers->len; i++) {
    Function *function = &g_array_index (session->receivers, Function, i);

    memcpy (copy, delivery->data, delivery->size);
    function->receive (&from, copy, delivery->size, function->user_data);
  }
  g_rec_mutex_unlock (&session->calling);
}

static void
deliver_event (gpointer data)
{
  Delivery *delivery = data;
  BravisSession *session = delivery->session;

  g_rec_mutex_lock (&session->calling);
  for (guint i = 0; i < session->listeners->len; i++) {
    Function *function = &g_array_index (session->listeners, Function, i);

    if (delivery->listener == 0 || delivery->listener == function->id)
      function->listen (&delivery->event, function->user_data);
  }
  g_rec_mutex_unlock (&session->calling);
}

static void
tell (BravisSession *session, guint listener, const BravisEvent *event)
{
  Delivery *delivery = g_new0 (Delivery, 1);

  delivery->session = session;
  delivery->listener = listener;
  delivery->event = *event;
  if (event->epoch)
    bravis_epoch_ref (event->epoch);
  delivery->event.name = g_strdup (event->name);
  delivery->event.description = g_strdup (event->description);
  bravis_worker_call (session->events, deliver_event, delivery, delivery_free);
}

static void
tell_stream (BravisSession *to, guint listener, BravisSession *owner,
    BravisEventType type, const Stream *stream)
{
  TestPeer *peer = &owner->conference->group->peers[owner->peer];
  BravisEvent event = {
    .type = type, .name = peer->name, .member = peer->id,
    .kind = stream->kind, .stream = stream->number,
    .description = type == BRAVIS_EVENT_STREAM_ADDED ? stream->description : NULL
  };

  tell (to, listener, &event);
}

static gboolean
is_member (TestSessions *conference, guint peer)
{
  return (conference->members & 1u << peer) != 0;
}

/* To the other members of what @owner says of a stream. */
static void
tell_others (BravisSession *owner, BravisEventType type, const Stream *stream)
{
  TestSessions *conference = owner->conference;

  if (!is_member (conference, owner->peer) || !stream->description
      || conference->delay_announcements)
    return;
  for (guint i = 0; i < conference->group->n; i++) {
    if (i != owner->peer && is_member (conference, i))
      tell_stream (conference->sessions[i], 0, owner, type, stream);
  }
}

static void
tell_streams_of (BravisSession *to, guint listener, BravisSession *owner,
    BravisEventType type)
{
  for (guint i = 0; i < owner->streams->len; i++) {
    Stream *stream = g_ptr_array_index (owner->streams, i);

    if (stream->description)
      tell_stream (to, listener, owner, type, stream);
  }
}

static void
tell_member (BravisSession *to, guint listener, BravisSession *member,
    BravisEventType type)
{
  TestPeer *peer = &member->conference->group->peers[member->peer];
  BravisEvent event = { .type = type, .name = peer->name, .member = peer->id };

  tell (to, listener, &event);
}

static void
tell_epoch (BravisSession *to, guint listener)
{
  g_autoptr (BravisEpoch) epoch = bravis_session_ref_epoch (to);
  BravisEvent event = {
    .type = BRAVIS_EVENT_EPOCH, .epoch = epoch, .cause = "join",
    .milliseconds = 1.0
  };

  if (epoch)
    tell (to, listener, &event);
}

static void
tell_present (BravisSession *to, guint listener)
{
  TestSessions *conference = to->conference;

  tell_epoch (to, listener);
  for (guint i = 0; i < conference->group->n; i++) {
    if (i != to->peer && is_member (conference, i)
        && is_member (conference, to->peer) && !conference->delay_announcements)
      tell_streams_of (to, listener, conference->sessions[i],
          BRAVIS_EVENT_STREAM_ADDED);
  }
}

/* The conference */

TestSessions *
test_sessions_new (guint n, guint members)
{
  TestSessions *conference = g_new0 (TestSessions, 1);

  g_rec_mutex_init (&conference->lock);
  conference->group = test_group_new (n);
  for (guint i = 0; i < n; i++) {
    BravisSession *session = g_object_new (BRAVIS_TYPE_SESSION, NULL);

    /* Everybody was in the group's first epoch, which nobody here ever had. */
    g_ptr_array_set_size (conference->group->peers[i].epochs, 0);
    session->conference = conference;
    session->peer = i;
    session->socket = bravis_worker_new ("test-socket");
    session->events = bravis_worker_new ("test-events");
    conference->sessions[i] = session;
  }
  if (members)
    test_sessions_change (conference, members, 0);
  return conference;
}

void
test_sessions_free (TestSessions *conference)
{
  for (guint i = 0; i < conference->group->n; i++) {
    BravisSession *session = conference->sessions[i];

    g_assert_cmpuint (session->holds, ==, 0);
    g_assert_cmpuint (session->listeners->len, ==, 0);
    g_assert_cmpuint (session->receivers->len, ==, 0);
    bravis_worker_free (session->socket);
    bravis_worker_free (session->events);
    g_assert_finalize_object (session);
  }
  test_group_free (conference->group);
  g_rec_mutex_clear (&conference->lock);
  g_free (conference);
}

BravisSession *
test_sessions_session (TestSessions *conference, guint peer)
{
  return conference->sessions[peer];
}

const char *
test_sessions_name (TestSessions *conference, guint peer)
{
  return conference->group->peers[peer].name;
}

static void
tell_of_change (TestSessions *conference, guint before, guint to)
{
  BravisSession *session = conference->sessions[to];

  for (guint i = 0; i < conference->group->n; i++) {
    BravisSession *other = conference->sessions[i];
    gboolean was = (before & 1u << i) != 0, is = is_member (conference, i);
    gboolean new_to_us = is && (!was || !(before & 1u << to));

    if (i == to)
      continue;
    if (was && !is && before & 1u << to) {
      tell_streams_of (session, 0, other, BRAVIS_EVENT_STREAM_REMOVED);
      tell_member (session, 0, other, BRAVIS_EVENT_MEMBER_LEFT);
    } else if (new_to_us) {
      tell_member (session, 0, other, BRAVIS_EVENT_MEMBER_JOINED);
      if (!conference->delay_announcements)
        tell_streams_of (session, 0, other, BRAVIS_EVENT_STREAM_ADDED);
    }
  }
}

static void
give_epochs (BravisSession *session)
{
  guint n = session->conference->group->peers[session->peer].epochs->len;

  if (session->epochs == n)
    return;
  session->epochs = n;
  g_atomic_int_inc (&session->serial);
  tell_epoch (session, 0);
}

void
test_sessions_change (TestSessions *conference, guint members, guint late)
{
  guint before;

  g_rec_mutex_lock (&conference->lock);
  before = conference->members;
  conference->members = members;
  test_group_change_key (conference->group, members);
  for (guint i = 0; i < conference->group->n; i++) {
    if (!is_member (conference, i))
      continue;
    if (!(late & 1u << i))
      give_epochs (conference->sessions[i]);
    tell_of_change (conference, before, i);
  }
  g_rec_mutex_unlock (&conference->lock);
}

void
test_sessions_catch_up (TestSessions *conference)
{
  g_rec_mutex_lock (&conference->lock);
  for (guint i = 0; i < conference->group->n; i++)
    give_epochs (conference->sessions[i]);
  g_rec_mutex_unlock (&conference->lock);
}

void
test_sessions_announce (TestSessions *conference, guint peer,
    BravisKind kind, guint16 stream, const char *description)
{
  Stream announced = { kind, stream, (char *) description };

  g_rec_mutex_lock (&conference->lock);
  tell_others (conference->sessions[peer], BRAVIS_EVENT_STREAM_ADDED, &announced);
  g_rec_mutex_unlock (&conference->lock);
}

void
test_sessions_delay_announcements (TestSessions *conference, gboolean delay)
{
  g_rec_mutex_lock (&conference->lock);
  conference->delay_announcements = delay;
  for (guint i = 0; !delay && i < conference->group->n; i++) {
    BravisSession *owner = conference->sessions[i];

    for (guint j = 0; j < owner->streams->len; j++)
      tell_others (owner, BRAVIS_EVENT_STREAM_ADDED,
          g_ptr_array_index (owner->streams, j));
  }
  g_rec_mutex_unlock (&conference->lock);
}

void
test_sessions_set_pass (TestSessions *conference, TestSessionsPass pass,
    gpointer user_data)
{
  g_rec_mutex_lock (&conference->lock);
  conference->pass = pass;
  conference->pass_data = user_data;
  g_rec_mutex_unlock (&conference->lock);
}

void
test_sessions_inject (TestSessions *conference, guint to,
    gconstpointer data, gsize size)
{
  Delivery *delivery = g_new0 (Delivery, 1);

  g_assert_cmpuint (size, <=, MAX_DATAGRAM);
  delivery->session = conference->sessions[to];
  delivery->size = size;
  memcpy (delivery->data, data, size);
  bravis_worker_call (delivery->session->socket, deliver_datagram, delivery,
      delivery_free);
}

gboolean
test_sessions_has_left (TestSessions *conference, guint peer)
{
  gboolean left;

  g_rec_mutex_lock (&conference->lock);
  left = conference->sessions[peer]->left;
  g_rec_mutex_unlock (&conference->lock);
  return left;
}

guint
test_sessions_holds (TestSessions *conference, guint peer)
{
  guint holds;

  g_rec_mutex_lock (&conference->lock);
  holds = conference->sessions[peer]->holds;
  g_rec_mutex_unlock (&conference->lock);
  return holds;
}

typedef struct {
  GMutex lock;
  GCond cond;
  guint missing;
} Barrier;

static void
reach (gpointer data)
{
  Barrier *barrier = data;

  g_mutex_lock (&barrier->lock);
  barrier->missing--;
  g_cond_signal (&barrier->cond);
  g_mutex_unlock (&barrier->lock);
}

void
test_sessions_settle (TestSessions *conference)
{
  Barrier barrier = { .missing = 2 * conference->group->n };

  g_mutex_init (&barrier.lock);
  g_cond_init (&barrier.cond);
  for (guint i = 0; i < conference->group->n; i++) {
    bravis_worker_call (conference->sessions[i]->socket, reach, &barrier, NULL);
    bravis_worker_call (conference->sessions[i]->events, reach, &barrier, NULL);
  }
  g_mutex_lock (&barrier.lock);
  while (barrier.missing > 0)
    g_cond_wait (&barrier.cond, &barrier.lock);
  g_mutex_unlock (&barrier.lock);
  g_mutex_clear (&barrier.lock);
  g_cond_clear (&barrier.cond);
}

void
test_sessions_refuse_stream (TestSessions *conference, guint peer)
{
  g_rec_mutex_lock (&conference->lock);
  conference->sessions[peer]->refuses_stream = TRUE;
  g_rec_mutex_unlock (&conference->lock);
}

/* What the elements see of a session */

gboolean
bravis_session_hold (BravisSession *session)
{
  g_rec_mutex_lock (&session->conference->lock);
  session->holds++;
  g_rec_mutex_unlock (&session->conference->lock);
  return TRUE;
}

void
bravis_session_release (BravisSession *session)
{
  g_rec_mutex_lock (&session->conference->lock);
  g_assert_cmpuint (session->holds, >, 0);
  session->holds--;
  g_rec_mutex_unlock (&session->conference->lock);
}

BravisEpoch *
bravis_session_await_epoch (BravisSession *session)
{
  TestSessions *conference = session->conference;

  g_rec_mutex_lock (&conference->lock);
  if (conference->change_is_due) {
    conference->change_is_due = FALSE;
    test_sessions_change (conference, conference->members, 0);
  }
  g_rec_mutex_unlock (&conference->lock);
  return bravis_session_ref_epoch (session);
}

void
test_sessions_change_when_awaited (TestSessions *conference)
{
  g_rec_mutex_lock (&conference->lock);
  conference->change_is_due = TRUE;
  for (guint i = 0; i < conference->group->n; i++)
    g_atomic_int_inc (&conference->sessions[i]->serial);
  g_rec_mutex_unlock (&conference->lock);
}

BravisEpoch *
bravis_session_ref_epoch (BravisSession *session)
{
  TestSessions *conference = session->conference;
  BravisEpoch *epoch = NULL;

  g_rec_mutex_lock (&conference->lock);
  if (session->epochs > 0)
    epoch = bravis_epoch_ref (g_ptr_array_index
        (conference->group->peers[session->peer].epochs, session->epochs - 1));
  g_rec_mutex_unlock (&conference->lock);
  return epoch;
}

BravisEpoch *
bravis_session_ref_epoch_by_number (BravisSession *session, guint64 number)
{
  TestSessions *conference = session->conference;
  BravisEpoch *found = NULL;

  g_rec_mutex_lock (&conference->lock);
  for (guint i = 0; i < session->epochs; i++) {
    BravisEpoch *epoch = g_ptr_array_index
        (conference->group->peers[session->peer].epochs, i);

    if (bravis_epoch_get_number (epoch) == number)
      found = bravis_epoch_ref (epoch);
  }
  g_rec_mutex_unlock (&conference->lock);
  return found;
}

guint
bravis_session_get_epoch_serial (BravisSession *session)
{
  return g_atomic_int_get (&session->serial);
}

guint64
bravis_session_get_key_packets (BravisSession *session)
{
  return 0;
}

/* No key is ever used up here. */
void
bravis_session_refresh (BravisSession *session)
{
  g_assert_not_reached ();
}

gboolean
bravis_session_add_stream (BravisSession *session, BravisKind kind,
    guint16 *stream, GError **error)
{
  Stream *added;

  g_rec_mutex_lock (&session->conference->lock);
  if (session->refuses_stream) {
    session->refuses_stream = FALSE;
    g_rec_mutex_unlock (&session->conference->lock);
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE, "as the test wants");
    return FALSE;
  }
  added = g_new0 (Stream, 1);
  added->kind = kind;
  added->number = *stream = ++session->last_stream;
  g_ptr_array_add (session->streams, added);
  g_rec_mutex_unlock (&session->conference->lock);
  return TRUE;
}

static guint
find_stream (BravisSession *session, guint16 number)
{
  guint i;

  for (i = 0; i < session->streams->len; i++) {
    Stream *stream = g_ptr_array_index (session->streams, i);

    if (stream->number == number)
      break;
  }
  g_assert_cmpuint (i, <, session->streams->len);
  return i;
}

gboolean
bravis_session_describe_stream (BravisSession *session, guint16 number,
    const char *description, GError **error)
{
  Stream *stream;

  g_assert_cmpuint (strlen (description), <=, BRAVIS_MAX_DESCRIPTION);
  g_rec_mutex_lock (&session->conference->lock);
  stream = g_ptr_array_index (session->streams, find_stream (session, number));
  g_free (stream->description);
  stream->description = g_strdup (description);
  tell_others (session, BRAVIS_EVENT_STREAM_ADDED, stream);
  g_rec_mutex_unlock (&session->conference->lock);
  return TRUE;
}

void
bravis_session_remove_stream (BravisSession *session, guint16 number)
{
  guint i;

  g_rec_mutex_lock (&session->conference->lock);
  i = find_stream (session, number);
  tell_others (session, BRAVIS_EVENT_STREAM_REMOVED,
      g_ptr_array_index (session->streams, i));
  g_ptr_array_remove_index (session->streams, i);
  g_rec_mutex_unlock (&session->conference->lock);
}

static void
send_to_id (BravisSession *session, GcpMemberId id, gconstpointer data,
    gsize size)
{
  TestSessions *conference = session->conference;
  guint8 copy[MAX_DATAGRAM];

  g_assert_cmpuint (size, <=, MAX_DATAGRAM);
  for (guint i = 0; i < conference->group->n; i++) {
    if (conference->group->peers[i].id != id)
      continue;
    memcpy (copy, data, size);
    if (!conference->pass
        || conference->pass (session->peer, i, copy, size,
            conference->pass_data))
      test_sessions_inject (conference, i, copy, size);
  }
}

gboolean
bravis_session_send_to_all (BravisSession *session, BravisEpoch *epoch,
    gconstpointer data, gsize size)
{
  GcpView *view = bravis_epoch_get_view (epoch);

  if (bravis_epoch_is_sending_closed (epoch))
    return FALSE;
  g_rec_mutex_lock (&session->conference->lock);
  for (guint i = 0; i < gcp_view_get_n_members (view); i++) {
    if (i != bravis_epoch_get_self (epoch))
      send_to_id (session, gcp_view_get_member (view, i)->id, data, size);
  }
  g_rec_mutex_unlock (&session->conference->lock);
  return TRUE;
}

gboolean
bravis_session_send_to (BravisSession *session, BravisEpoch *epoch,
    guint member_index, gconstpointer data, gsize size)
{
  if (bravis_epoch_is_sending_closed (epoch))
    return FALSE;
  g_rec_mutex_lock (&session->conference->lock);
  send_to_id (session, gcp_view_get_member (bravis_epoch_get_view (epoch),
          member_index)->id, data, size);
  g_rec_mutex_unlock (&session->conference->lock);
  return TRUE;
}

static guint
add_function (BravisSession *session, GArray *list, BravisMediaReceive receive,
    BravisListen listen, gpointer user_data)
{
  Function function = { 0, receive, listen, user_data };

  g_rec_mutex_lock (&session->conference->lock);
  function.id = ++session->conference->last_id;
  g_rec_mutex_unlock (&session->conference->lock);
  g_rec_mutex_lock (&session->calling);
  g_array_append_val (list, function);
  g_rec_mutex_unlock (&session->calling);
  return function.id;
}

static void
remove_function (BravisSession *session, GArray *list, guint id)
{
  g_rec_mutex_lock (&session->calling);
  for (guint i = list->len; i-- > 0;) {
    if (g_array_index (list, Function, i).id == id)
      g_array_remove_index (list, i);
  }
  g_rec_mutex_unlock (&session->calling);
}

guint
bravis_session_add_media_receiver (BravisSession *session,
    BravisMediaReceive receive, gpointer user_data)
{
  return add_function (session, session->receivers, receive, NULL, user_data);
}

void
bravis_session_remove_media_receiver (BravisSession *session, guint id)
{
  remove_function (session, session->receivers, id);
}

guint
bravis_session_add_listener (BravisSession *session, BravisListen listen,
    gpointer user_data)
{
  guint id;

  g_rec_mutex_lock (&session->conference->lock);
  id = add_function (session, session->listeners, NULL, listen, user_data);
  tell_present (session, id);
  g_rec_mutex_unlock (&session->conference->lock);
  return id;
}

void
bravis_session_remove_listener (BravisSession *session, guint id)
{
  remove_function (session, session->listeners, id);
}

static void
tell_ended (BravisSession *session)
{
  BravisEvent event = { .type = BRAVIS_EVENT_ENDED, .reason = "left" };

  tell (session, 0, &event);
}

const char *
bravis_session_get_identity (BravisSession *session)
{
  return test_sessions_name (session->conference, session->peer);
}

void
bravis_session_leave (BravisSession *session)
{
  g_rec_mutex_lock (&session->conference->lock);
  session->left = TRUE;
  if (!session->leaves_slowly)
    tell_ended (session);
  g_rec_mutex_unlock (&session->conference->lock);
}

void
test_sessions_leave_slowly (TestSessions *conference, guint peer,
    gboolean slowly)
{
  BravisSession *session = conference->sessions[peer];

  g_rec_mutex_lock (&conference->lock);
  session->leaves_slowly = slowly;
  if (session->left && !slowly)
    tell_ended (session);
  g_rec_mutex_unlock (&conference->lock);
}

BravisSession *
bravis_session_get (const char *name, const char *config, GError **error)
{
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
      "%s: there is no such file", config);
  return NULL;
}
