/* The application's messages, over live sessions. */
#include "test-sessions.h"

#include <gio/gio.h>
#include <string.h>

#define LOOPBACK "127.0.0.1:0"
#define BOB "bob@example.org"
#define CAROL "carol@example.org"
#define N_PEERS 3

/* What an application gets, one line for each. */
typedef struct {
  GMutex lock;
  GCond changed;
  GString *lines;               /* "view:MEMBERS" "NAME:TEXT" */
  guint n_messages;
  guint64 n_bytes;
  gboolean writable;
  gboolean shut;                /* it takes no message until it is opened */
} Application;

typedef struct {
  TestPki *pki;
  TestPeer *peers[N_PEERS];     /* alice, bob, carol */
  Application applications[N_PEERS];
} World;

static void
on_message (BravisSession *session, const char *name, guint64 member,
    GBytes *message, gpointer user_data)
{
  Application *application = user_data;
  gsize size;
  const char *data = g_bytes_get_data (message, &size);

  g_assert_cmpuint (member, !=, 0);
  g_mutex_lock (&application->lock);
  while (application->shut)
    g_cond_wait (&application->changed, &application->lock);
  g_string_append_printf (application->lines, "%s:%.*s\n", name,
      (int) MIN (size, 32), data);
  application->n_messages++;
  application->n_bytes += size;
  g_cond_broadcast (&application->changed);
  g_mutex_unlock (&application->lock);
}

static void
on_view (BravisSession *session, BravisView *view, gpointer user_data)
{
  Application *application = user_data;
  guint self = bravis_view_get_own_index (view);

  g_assert_cmpstr (bravis_view_get_name (view, self), ==,
      bravis_session_get_identity (session));
  g_assert_cmpuint (bravis_view_get_member (view, self), !=, 0);
  g_assert_true (bravis_view_is_primary (view));
  g_mutex_lock (&application->lock);
  g_string_append_printf (application->lines, "view:%u\n",
      bravis_view_get_n_members (view));
  g_mutex_unlock (&application->lock);
}

static void
on_writable (BravisSession *session, gpointer user_data)
{
  Application *application = user_data;

  g_mutex_lock (&application->lock);
  application->writable = TRUE;
  g_cond_broadcast (&application->changed);
  g_mutex_unlock (&application->lock);
}

static void
wait_until (Application *application, gboolean (*done) (Application *, guint),
    guint data)
{
  gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;

  g_mutex_lock (&application->lock);
  while (!done (application, data))
    g_assert_true (g_cond_wait_until (&application->changed,
            &application->lock, deadline));
  g_mutex_unlock (&application->lock);
}

static gboolean
has_messages (Application *application, guint n)
{
  return application->n_messages >= n;
}

static gboolean
is_writable (Application *application, guint unused)
{
  return application->writable;
}

static void
set_shut (Application *application, gboolean shut)
{
  g_mutex_lock (&application->lock);
  application->shut = shut;
  g_cond_broadcast (&application->changed);
  g_mutex_unlock (&application->lock);
}

static void
connect (World *world, guint i)
{
  Application *application = &world->applications[i];
  BravisSession *session = world->peers[i]->session;

  application->lines = g_string_new (NULL);
  g_signal_connect (session, "message", G_CALLBACK (on_message), application);
  g_signal_connect (session, "view-changed", G_CALLBACK (on_view), application);
  g_signal_connect (session, "writable", G_CALLBACK (on_writable),
      application);
}

static void
set_up (World *world, gconstpointer data)
{
  static const char *const names[N_PEERS] = { "alice", "bob", "carol" };
  g_autoptr (GString) invite = g_string_new (NULL);

  world->pki = test_pki_new ();
  for (guint i = N_PEERS; i-- > 0;) {
    g_autofree char *config = test_sessions_write_config (world->pki, names[i],
        TEST_PKI_GOOD, LOOPBACK, i == 0 ? invite->str : NULL, NULL);
    g_autofree char *address = NULL;

    world->peers[i] = test_peer_new (config);
    connect (world, i);
    address = test_peer_get_address (world->peers[i]);
    g_string_append_printf (invite, "%s%s@example.org=%s",
        invite->len > 0 ? ";" : "", names[i], address);
    bravis_session_start (world->peers[i]->session);
  }
  test_peers_wait_agree (world->peers, N_PEERS, N_PEERS);
}

static void
tear_down (World *world, gconstpointer data)
{
  for (guint i = 0; i < N_PEERS; i++) {
    set_shut (&world->applications[i], FALSE);
    g_clear_pointer (&world->peers[i], test_peer_free);
    g_string_free (world->applications[i].lines, TRUE);
    g_mutex_clear (&world->applications[i].lock);
    g_cond_clear (&world->applications[i].changed);
  }
  test_pki_free (world->pki);
}

static gboolean
send_text (World *world, guint i, const char *text, GError **error)
{
  g_autoptr (GBytes) message = g_bytes_new (text, strlen (text));

  return bravis_session_multicast (world->peers[i]->session, message,
      BRAVIS_QUALITY_AGREED, error);
}

/* From the last view of all on. */
static const char *
get_messages (Application *application)
{
  const char *view = g_strrstr (application->lines->str, "view:3\n");

  g_assert_nonnull (view);
  return view;
}

static void
test_all_get_the_same_in_one_order (World *world, gconstpointer data)
{
  enum { N = 200 };

  for (guint n = 0; n < N; n++)
    for (guint i = 0; i < N_PEERS; i++) {
      g_autofree char *text = g_strdup_printf ("%u", n);
      GError *error = NULL;

      send_text (world, i, text, &error);
      g_assert_no_error (error);
    }
  for (guint i = 0; i < N_PEERS; i++)
    wait_until (&world->applications[i], has_messages, N * N_PEERS);
  for (guint i = 1; i < N_PEERS; i++)
    g_assert_cmpstr (get_messages (&world->applications[i]), ==,
        get_messages (&world->applications[0]));
  for (guint n = 0; n < N; n++) {
    g_autofree char *line = g_strdup_printf (BOB ":%u\n", n);

    g_assert_nonnull (strstr (world->applications[0].lines->str, line));
  }
}

static void
test_safe_messages_are_delivered (World *world, gconstpointer data)
{
  g_autoptr (GBytes) message = g_bytes_new_static ("important", 9);
  GError *error = NULL;

  g_assert_true (bravis_session_multicast (world->peers[2]->session, message,
          BRAVIS_QUALITY_SAFE, &error));
  for (guint i = 0; i < N_PEERS; i++) {
    wait_until (&world->applications[i], has_messages, 1);
    g_assert_nonnull (strstr (world->applications[i].lines->str,
            CAROL ":important\n"));
  }
}

static void
test_sizes_from_none_to_the_longest (World *world, gconstpointer data)
{
  BravisSession *session = world->peers[1]->session;
  gsize most = bravis_session_get_max_message (session);
  const gsize sizes[] = { 0, 1, 1100, most, most + 1 };
  guint64 n_bytes = 0;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GBytes) message = g_bytes_new_take (g_malloc0 (sizes[i]),
        sizes[i]);
    g_autoptr (GError) error = NULL;
    gboolean sent;

    /* The longest has room once nothing else waits. */
    if (i > 0)
      wait_until (&world->applications[1], has_messages,
          MIN (i, G_N_ELEMENTS (sizes) - 1));
    sent = bravis_session_multicast (session, message, BRAVIS_QUALITY_AGREED,
        &error);

    if (sizes[i] > most) {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
      continue;
    }
    g_assert_no_error (error);
    g_assert_true (sent);
    n_bytes += sizes[i];
  }
  for (guint i = 0; i < N_PEERS; i++) {
    wait_until (&world->applications[i], has_messages,
        G_N_ELEMENTS (sizes) - 1);
    g_assert_cmpuint (world->applications[i].n_bytes, ==, n_bytes);
  }
}

/* Sends until the queue is full. Returns how many were taken. */
static guint
fill (World *world, guint i, gsize size)
{
  g_autoptr (GBytes) message = g_bytes_new_take (g_malloc0 (size), size);
  g_autoptr (GError) error = NULL;
  guint n = 0;

  while (bravis_session_multicast (world->peers[i]->session, message,
          BRAVIS_QUALITY_AGREED, &error))
    n++;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  return n;
}

static void
test_full_queue_is_said_and_when_it_has_room (World *world, gconstpointer data)
{
  guint n = fill (world, 1, 100000);

  g_assert_cmpuint (n, >=, 10);
  wait_until (&world->applications[1], is_writable, 0);
  g_assert_true (send_text (world, 1, "more", NULL));
  for (guint i = 0; i < N_PEERS; i++)
    wait_until (&world->applications[i], has_messages, n + 1);
  g_assert_nonnull (strstr (world->applications[0].lines->str, BOB ":more\n"));
}

static gboolean
waits_for (TestPeer *peer, const char *name)
{
  g_autoptr (GVariant) stats = bravis_session_dup_stats (peer->session);
  g_autofree const char **names = NULL;

  g_assert_true (g_variant_lookup (stats, "waiting-for", "^a&s", &names));
  return g_strv_contains (names, name);
}

/* Carol's application stands still: senders have to wait, and what waits at her is
 * bounded; she stays in the conference all the same. */
static void
test_slow_application_slows_senders (World *world, gconstpointer data)
{
  enum { SIZE = 20000, BOUND = 16 * 1024 * 1024 };
  guint64 n = 0;

  set_shut (&world->applications[2], TRUE);
  while (!waits_for (world->peers[0], CAROL)) {
    n += fill (world, 0, SIZE);
    g_assert_cmpuint (n * SIZE, <, BOUND);
    g_thread_yield ();
  }
  n += fill (world, 0, SIZE);
  g_assert_cmpuint (n * SIZE, <, BOUND);
  g_assert_cmpuint (bravis_session_get_queued (world->peers[0]->session), >, 0);
  set_shut (&world->applications[2], FALSE);
  for (guint i = 0; i < N_PEERS; i++)
    wait_until (&world->applications[i], has_messages, n);
  for (guint i = 0; i < N_PEERS; i++)
    g_assert_false (test_peer_has_heard (world->peers[i], "left:"));
}

static void
test_messages_of_a_view_come_between_views (World *world, gconstpointer data)
{
  enum { N = 100 };
  const char *lines;

  for (guint i = 0; i < N; i++)
    g_assert_true (send_text (world, 1, "goodbye", NULL));
  bravis_session_leave (world->peers[1]->session);
  test_peer_wait_heard (world->peers[0], "left:" BOB);
  g_assert_true (send_text (world, 2, "gone", NULL));
  wait_until (&world->applications[0], has_messages, N + 1);
  lines = world->applications[0].lines->str;
  g_assert_nonnull (strstr (lines,
          BOB ":goodbye\nview:2\n" CAROL ":gone\n"));
}

static void
test_nothing_is_sent_outside_of_a_conference (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  bravis_session_stop (world->peers[1]->session);
  g_assert_false (send_text (world, 1, "late", &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE);
}

static void
set_true (gpointer data)
{
  g_atomic_int_set ((gboolean *) data, TRUE);
}

static void
test_handler_takes_the_place_of_the_signal (World *world, gconstpointer data)
{
  BravisSession *session = world->peers[0]->session;
  Application *application = &world->applications[0];
  gboolean destroyed = FALSE;

  g_signal_handlers_disconnect_by_func (session, on_message, application);
  bravis_session_set_message_handler (session, on_message, application, NULL);
  g_assert_true (send_text (world, 1, "one", NULL));
  wait_until (application, has_messages, 1);
  bravis_session_set_message_handler (session, on_message, &destroyed,
      set_true);
  bravis_session_set_message_handler (session, NULL, NULL, NULL);
  g_assert_true (g_atomic_int_get (&destroyed));
  g_signal_connect (session, "message", G_CALLBACK (on_message), application);
  g_assert_true (send_text (world, 1, "two", NULL));
  wait_until (application, has_messages, 2);
}

#define ADD(name) \
    g_test_add ("/keymgmt/messages/" #name, World, NULL, set_up, \
        test_ ## name, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (all_get_the_same_in_one_order);
  ADD (safe_messages_are_delivered);
  ADD (sizes_from_none_to_the_longest);
  ADD (full_queue_is_said_and_when_it_has_room);
  ADD (slow_application_slows_senders);
  ADD (messages_of_a_view_come_between_views);
  ADD (nothing_is_sent_outside_of_a_conference);
  ADD (handler_takes_the_place_of_the_signal);
  return g_test_run ();
}
