#include "../../keymgmt/bravis-audience.h"

#include <string.h>

/* What a listener heard, in a word for each event. */
typedef struct {
  BravisAudience *audience;
  GMutex lock;
  GCond changed;
  GString *heard;
  guint remove_on_event;        /* id of a listener to remove, 0: none */
  GMutex *gate;                 /* what it waits for before it returns */
} Ear;

static void
ear_init (Ear *ear, BravisAudience *audience)
{
  memset (ear, 0, sizeof *ear);
  ear->audience = audience;
  ear->heard = g_string_new (NULL);
}

static void
ear_clear (Ear *ear)
{
  g_string_free (ear->heard, TRUE);
  g_mutex_clear (&ear->lock);
  g_cond_clear (&ear->changed);
}

static void
listen (const BravisEvent *event, gpointer user_data)
{
  Ear *ear = user_data;

  g_mutex_lock (&ear->lock);
  if (!event)
    g_string_append (ear->heard, "poke ");
  else if (event->type == BRAVIS_EVENT_MEMBER_JOINED)
    g_string_append_printf (ear->heard, "+%s ", event->name);
  else if (event->type == BRAVIS_EVENT_MEMBER_LEFT)
    g_string_append_printf (ear->heard, "-%s ", event->name);
  else if (event->type == BRAVIS_EVENT_STREAM_ADDED)
    g_string_append_printf (ear->heard, "stream%u:%s ", event->stream,
        event->description);
  else if (event->type == BRAVIS_EVENT_STREAM_REMOVED)
    g_string_append_printf (ear->heard, "gone%u ", event->stream);
  else if (event->type == BRAVIS_EVENT_ENDED)
    g_string_append_printf (ear->heard, "end:%s ", event->reason);
  else
    g_string_append (ear->heard, "? ");
  g_cond_broadcast (&ear->changed);
  g_mutex_unlock (&ear->lock);
  if (ear->remove_on_event != 0)
    bravis_audience_remove (ear->audience, ear->remove_on_event);
  if (ear->gate) {
    g_mutex_lock (ear->gate);
    g_mutex_unlock (ear->gate);
  }
}

static void
wait_for (Ear *ear, const char *text)
{
  gint64 deadline = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;

  g_mutex_lock (&ear->lock);
  while (!strstr (ear->heard->str, text))
    g_assert_true (g_cond_wait_until (&ear->changed, &ear->lock, deadline));
  g_mutex_unlock (&ear->lock);
}

static void
tell_member (BravisAudience *audience, BravisEventType type, const char *name,
    GcpMemberId id)
{
  g_autofree char *passing = g_strdup (name);
  BravisEvent event = { .type = type, .name = passing, .member = id };

  bravis_audience_tell (audience, &event);
}

static void
tell_stream (BravisAudience *audience, BravisEventType type, GcpMemberId member,
    guint16 stream, const char *description)
{
  BravisEvent event = { .type = type, .name = "x", .member = member,
    .stream = stream, .description = description };

  bravis_audience_tell (audience, &event);
}

static void
test_newcomer_gets_the_present_state (void)
{
  Ear owner, early, late;
  g_autoptr (BravisAudience) audience = bravis_audience_new (listen, &owner);
  BravisEvent end = { .type = BRAVIS_EVENT_ENDED, .reason = "left" };

  ear_init (&owner, audience);
  ear_init (&early, audience);
  ear_init (&late, audience);
  bravis_audience_add (audience, listen, &early);
  bravis_audience_start (audience);
  tell_member (audience, BRAVIS_EVENT_MEMBER_JOINED, "a", 1);
  tell_member (audience, BRAVIS_EVENT_MEMBER_JOINED, "b", 2);
  tell_member (audience, BRAVIS_EVENT_MEMBER_JOINED, "c", 3);
  tell_stream (audience, BRAVIS_EVENT_STREAM_ADDED, 1, 5, "old");
  tell_stream (audience, BRAVIS_EVENT_STREAM_ADDED, 1, 6, "other");
  tell_stream (audience, BRAVIS_EVENT_STREAM_ADDED, 1, 5, "new");
  tell_stream (audience, BRAVIS_EVENT_STREAM_REMOVED, 1, 6, NULL);
  tell_member (audience, BRAVIS_EVENT_MEMBER_LEFT, "b", 2);
  bravis_audience_poke (audience);
  bravis_audience_add (audience, listen, &late);
  tell_member (audience, BRAVIS_EVENT_MEMBER_JOINED, "d", 4);
  bravis_audience_tell (audience, &end);
  bravis_audience_stop (audience);
  g_assert_cmpstr (early.heard->str, ==, "+a +b +c stream5:old stream6:other "
      "stream5:new gone6 -b +d end:left ");
  g_assert_cmpstr (owner.heard->str, ==, "+a +b +c stream5:old stream6:other "
      "stream5:new gone6 -b poke +d end:left ");
  g_assert_cmpstr (late.heard->str, ==, "+a +c stream5:new +d end:left ");
  ear_clear (&owner);
  ear_clear (&early);
  ear_clear (&late);
}

static void
test_removed_listener_is_not_called (void)
{
  Ear owner, ear, other;
  g_autoptr (BravisAudience) audience = bravis_audience_new (listen, &owner);
  guint id, queued;

  ear_init (&owner, audience);
  ear_init (&ear, audience);
  ear_init (&other, audience);
  queued = bravis_audience_add (audience, listen, &other);
  bravis_audience_remove (audience, queued);
  bravis_audience_start (audience);
  id = bravis_audience_add (audience, listen, &ear);
  tell_member (audience, BRAVIS_EVENT_MEMBER_JOINED, "a", 1);
  wait_for (&ear, "+a");
  bravis_audience_remove (audience, id);
  tell_member (audience, BRAVIS_EVENT_MEMBER_JOINED, "b", 2);
  wait_for (&owner, "+b");
  bravis_audience_stop (audience);
  g_assert_cmpstr (ear.heard->str, ==, "+a ");
  g_assert_cmpstr (other.heard->str, ==, "");
  ear_clear (&owner);
  ear_clear (&ear);
  ear_clear (&other);
}

static void
test_listener_removes_itself_and_another (void)
{
  Ear owner, ear, other;
  g_autoptr (BravisAudience) audience = bravis_audience_new (listen, &owner);

  ear_init (&owner, audience);
  ear_init (&ear, audience);
  ear_init (&other, audience);
  ear.remove_on_event = bravis_audience_add (audience, listen, &other);
  bravis_audience_remove (audience, ear.remove_on_event);
  ear.remove_on_event = bravis_audience_add (audience, listen, &ear);
  bravis_audience_add (audience, listen, &other);
  bravis_audience_start (audience);
  tell_member (audience, BRAVIS_EVENT_MEMBER_JOINED, "a", 1);
  tell_member (audience, BRAVIS_EVENT_MEMBER_JOINED, "b", 2);
  bravis_audience_stop (audience);
  g_assert_cmpstr (ear.heard->str, ==, "+a ");
  g_assert_cmpstr (other.heard->str, ==, "+a +b ");
  ear_clear (&owner);
  ear_clear (&ear);
  ear_clear (&other);
}

static void
test_slow_listener_does_not_hold_up_who_tells (void)
{
  Ear owner, slow;
  g_autoptr (BravisAudience) audience = bravis_audience_new (listen, &owner);
  GMutex gate;

  g_mutex_init (&gate);
  ear_init (&owner, audience);
  ear_init (&slow, audience);
  slow.gate = &gate;
  bravis_audience_start (audience);
  bravis_audience_add (audience, listen, &slow);
  g_mutex_lock (&gate);
  tell_member (audience, BRAVIS_EVENT_MEMBER_JOINED, "a", 1);
  wait_for (&slow, "+a");
  for (guint i = 0; i < 1000; i++)
    tell_member (audience, BRAVIS_EVENT_UNREACHABLE, "b", 2);
  tell_member (audience, BRAVIS_EVENT_MEMBER_JOINED, "c", 3);
  g_mutex_unlock (&gate);
  bravis_audience_stop (audience);
  g_assert_nonnull (strstr (slow.heard->str, "+c "));
  /* Reports past the bound were dropped, members were not. */
  g_assert_cmpuint (slow.heard->len, <, 3 + 2 * 300 + 3);
  ear_clear (&owner);
  ear_clear (&slow);
  g_mutex_clear (&gate);
}

static void
count_relief (gpointer user_data)
{
  g_atomic_int_inc ((int *) user_data);
}

static int
count_reliefs_of (guint n_messages)
{
  g_autoptr (BravisAudience) audience = NULL;
  g_autoptr (GBytes) message = g_bytes_new_take (g_malloc0 (1000), 1000);
  BravisEvent event = { .type = BRAVIS_EVENT_MESSAGE, .message = message };
  int reliefs = 0;
  Ear owner;

  audience = bravis_audience_new (listen, &owner);
  ear_init (&owner, audience);
  bravis_audience_watch_backlog (audience, 10000, count_relief, &reliefs);
  for (guint i = 0; i < n_messages; i++)
    bravis_audience_tell (audience, &event);
  g_assert_cmpuint (bravis_audience_get_backlog (audience), >=,
      1000 * n_messages);
  bravis_audience_start (audience);
  bravis_audience_stop (audience);
  g_assert_cmpuint (bravis_audience_get_backlog (audience), ==, 0);
  ear_clear (&owner);
  return reliefs;
}

/* A member may describe its streams again and again. */
static void
test_descriptions_count_in_the_backlog (void)
{
  g_autofree char *description = g_strnfill (8000, 'x');
  BravisEvent event = { .type = BRAVIS_EVENT_STREAM_ADDED, .name = "a",
    .member = 1, .description = description };
  g_autoptr (BravisAudience) audience = NULL;
  Ear owner;

  audience = bravis_audience_new (listen, &owner);
  ear_init (&owner, audience);
  for (guint i = 0; i < 100; i++)
    bravis_audience_tell (audience, &event);
  g_assert_cmpuint (bravis_audience_get_backlog (audience), >=, 100 * 8000);
  bravis_audience_start (audience);
  bravis_audience_stop (audience);
  g_assert_cmpuint (bravis_audience_get_backlog (audience), ==, 0);
  ear_clear (&owner);
}

static void
test_end_of_a_backlog_is_told_once (void)
{
  g_assert_cmpint (count_reliefs_of (5), ==, 0);
  g_assert_cmpint (count_reliefs_of (50), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keymgmt/audience/newcomer_gets_the_present_state",
      test_newcomer_gets_the_present_state);
  g_test_add_func ("/keymgmt/audience/removed_listener_is_not_called",
      test_removed_listener_is_not_called);
  g_test_add_func ("/keymgmt/audience/listener_removes_itself_and_another",
      test_listener_removes_itself_and_another);
  g_test_add_func ("/keymgmt/audience/descriptions_count_in_the_backlog",
      test_descriptions_count_in_the_backlog);
  g_test_add_func ("/keymgmt/audience/end_of_a_backlog_is_told_once",
      test_end_of_a_backlog_is_told_once);
  g_test_add_func ("/keymgmt/audience/slow_listener_does_not_hold_up_who_tells",
      test_slow_listener_does_not_hold_up_who_tells);
  return g_test_run ();
}
