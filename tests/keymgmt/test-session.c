#include "test-sessions.h"

#include "../../gcp/gcp-udp.h"

#include <string.h>

#define LOOPBACK "127.0.0.1:0"
#define ALICE "alice@example.org"
#define BOB "bob@example.org"
#define CAROL "carol@example.org"

typedef struct {
  TestPki *pki;
  TestPeer *peers[3];           /* alice, bob, carol; NULL: not made */
} World;

static void
set_up (World *world, gconstpointer data)
{
  world->pki = test_pki_new ();
}

static void
tear_down (World *world, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (world->peers); i++)
    g_clear_pointer (&world->peers[i], test_peer_free);
  test_pki_free (world->pki);
}

static TestPeer *
make_peer (World *world, const char *name, TestPkiKind kind, const char *listen,
    const char *invite, const char *more)
{
  g_autofree char *config = test_sessions_write_config (world->pki, name, kind,
      listen, invite, more);

  return test_peer_new (config);
}

/* Bob waits for an invitation, Alice invites him. */
static void
make_pair (World *world, const char *listen)
{
  g_autofree char *address = NULL;
  g_autofree char *invite = NULL;

  world->peers[1] = make_peer (world, "bob", TEST_PKI_GOOD, listen, NULL, NULL);
  address = test_peer_get_address (world->peers[1]);
  invite = g_strconcat (BOB "=", address, NULL);
  world->peers[0] = make_peer (world, "alice", TEST_PKI_GOOD, listen, invite,
      NULL);
}

static void
join_pair (World *world, const char *listen)
{
  make_pair (world, listen);
  bravis_session_start (world->peers[1]->session);
  bravis_session_start (world->peers[0]->session);
  test_peers_wait_agree (world->peers, 2, 2);
}

/* Bob, who is no founder, invites Carol. */
static void
join_three (World *world, const char *listen)
{
  g_autofree char *address = NULL;
  GError *error = NULL;

  join_pair (world, listen);
  world->peers[2] = make_peer (world, "carol", TEST_PKI_GOOD, listen, NULL,
      NULL);
  bravis_session_start (world->peers[2]->session);
  address = test_peer_get_address (world->peers[2]);
  g_assert_true (bravis_session_invite (world->peers[1]->session, CAROL,
          address, &error));
  g_assert_no_error (error);
  test_peers_wait_agree (world->peers, 3, 3);
}

static void
check_pair (World *world)
{
  g_auto (GStrv) members = bravis_session_dup_members (
      world->peers[1]->session);
  g_autofree char *state = NULL;

  g_assert_cmpstr (members[0], ==, ALICE);
  g_assert_cmpstr (members[1], ==, BOB);
  g_object_get (world->peers[1]->session, "state", &state, NULL);
  g_assert_cmpstr (state, ==, "member");
  test_peer_wait_heard (world->peers[0], "joined:" BOB);
  test_peer_wait_heard (world->peers[1], "joined:" ALICE);
}

static void
test_two_sessions_form_a_conference (World *world, gconstpointer data)
{
  join_pair (world, LOOPBACK);
  check_pair (world);
}

static void
test_two_sessions_over_ipv6 (World *world, gconstpointer data)
{
  join_pair (world, "[::1]:0");
  check_pair (world);
}

static void
test_third_is_invited_by_a_member (World *world, gconstpointer data)
{
  g_auto (GStrv) members = NULL;

  join_three (world, LOOPBACK);
  members = bravis_session_dup_members (world->peers[2]->session);
  g_assert_cmpstr (members[0], ==, ALICE);
  g_assert_cmpstr (members[1], ==, BOB);
  g_assert_cmpstr (members[2], ==, CAROL);
  test_peer_wait_heard (world->peers[0], "joined:" CAROL);
  test_peer_wait_heard (world->peers[0], ":join ");
}

static void
test_leaving_changes_the_key (World *world, gconstpointer data)
{
  TestPeer *stay[2];
  guint64 epoch;

  join_three (world, LOOPBACK);
  epoch = bravis_session_get_epoch_number (world->peers[0]->session);
  stay[0] = world->peers[0];
  stay[1] = world->peers[2];
  bravis_session_leave (world->peers[1]->session);
  test_peer_wait_heard (world->peers[1], "ended:left");
  test_peer_wait_heard (stay[0], "left:" BOB ":left");
  test_peer_wait_heard (stay[1], "left:" BOB ":left");
  test_peer_wait_heard (stay[0], ":leave ");
  test_peers_wait_agree (stay, 2, 2);
  g_assert_cmpuint (bravis_session_get_epoch_number (stay[0]->session), >,
      epoch);
  g_assert_null (bravis_session_ref_epoch (world->peers[1]->session));
}

static void
test_founder_leaves_and_the_others_go_on (World *world, gconstpointer data)
{
  join_three (world, LOOPBACK);
  bravis_session_stop (world->peers[0]->session);
  g_assert_true (test_peer_has_heard (world->peers[0], "ended:left"));
  test_peer_wait_heard (world->peers[1], "left:" ALICE ":left");
  test_peers_wait_agree (world->peers + 1, 2, 2);
}

static void
test_crashed_peer_is_put_out (World *world, gconstpointer data)
{
  g_autofree char *config = NULL;
  g_autofree char *address = NULL;
  g_autofree char *invite = NULL;
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GSubprocess) child = NULL;
  GError *error = NULL;

  world->peers[1] = make_peer (world, "bob", TEST_PKI_GOOD, LOOPBACK, NULL,
      NULL);
  bravis_session_start (world->peers[1]->session);
  address = test_peer_get_address (world->peers[1]);
  invite = g_strconcat (BOB "=", address, NULL);
  config = test_sessions_write_config (world->pki, "alice", TEST_PKI_GOOD,
      LOOPBACK, invite, NULL);
  child = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, &error, self, "--peer",
      config, NULL);
  g_assert_no_error (error);
  test_peers_wait_agree (world->peers + 1, 1, 2);
  g_subprocess_force_exit (child);
  test_peer_wait_heard (world->peers[1], "left:" ALICE ":failed");
  test_peers_wait_agree (world->peers + 1, 1, 1);
  test_peer_wait_heard (world->peers[1], ":crash ");
  g_subprocess_wait (child, NULL, NULL);
}

static void
test_refresh_changes_the_key (World *world, gconstpointer data)
{
  join_pair (world, LOOPBACK);
  bravis_session_refresh (world->peers[0]->session);
  test_peer_wait_heard (world->peers[0], ":refresh ");
  test_peer_wait_heard (world->peers[1], ":refresh ");
  test_peers_wait_agree (world->peers, 2, 2);
}

static GBytes *
export_key (TestPeer *peer, const char *label, gsize length)
{
  GError *error = NULL;
  guint64 epoch = 0;
  GBytes *key = bravis_session_export_key (peer->session, label, NULL, length,
      &epoch, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (epoch, ==, bravis_session_get_epoch_number (peer->session));
  g_assert_cmpuint (g_bytes_get_size (key), ==, length);
  return key;
}

static void
test_members_export_the_same_key (World *world, gconstpointer data)
{
  g_autoptr (GBytes) first = NULL;
  g_autoptr (GBytes) second = NULL;
  g_autoptr (GBytes) other = NULL;
  g_autoptr (GError) error = NULL;

  join_pair (world, LOOPBACK);
  first = export_key (world->peers[0], "recording", 48);
  second = export_key (world->peers[1], "recording", 48);
  other = export_key (world->peers[1], "chat", 48);
  g_assert_true (g_bytes_equal (first, second));
  g_assert_false (g_bytes_equal (first, other));
  g_assert_null (bravis_session_export_key (world->peers[0]->session, "chat",
          NULL, 8161, NULL, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT);
}

static void
test_no_key_is_exported_before_there_is_one (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  make_pair (world, LOOPBACK);
  g_assert_null (bravis_session_export_key (world->peers[0]->session, "chat",
          NULL, 32, NULL, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE);
}

static void
test_fingerprint_of_two_is_the_same_on_either_side (World *world,
    gconstpointer data)
{
  g_autofree char *at_alice = NULL;
  g_autofree char *at_bob = NULL;
  g_autofree char *with_carol = NULL;
  g_autoptr (GError) error = NULL;

  join_three (world, LOOPBACK);
  at_alice = bravis_session_dup_fingerprint (world->peers[0]->session, BOB,
      NULL);
  at_bob = bravis_session_dup_fingerprint (world->peers[1]->session, ALICE,
      NULL);
  with_carol = bravis_session_dup_fingerprint (world->peers[1]->session, CAROL,
      NULL);
  g_assert_cmpstr (at_alice, ==, at_bob);
  g_assert_cmpuint (strlen (at_alice), ==, 16 * 5 - 1);
  g_assert_cmpstr (at_bob, !=, with_carol);
  g_assert_null (bravis_session_dup_fingerprint (world->peers[0]->session,
          ALICE, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_WRONG_NAME);
}

static void
test_streams_are_told_to_all_and_to_newcomers (World *world,
    gconstpointer data)
{
  GError *error = NULL;
  guint16 stream;

  make_pair (world, LOOPBACK);
  bravis_session_start (world->peers[1]->session);
  bravis_session_start (world->peers[0]->session);
  g_assert_true (bravis_session_add_stream (world->peers[0]->session,
          BRAVIS_KIND_VIDEO, &stream, &error));
  g_assert_true (bravis_session_describe_stream (world->peers[0]->session,
          stream, "h264", &error));
  g_assert_no_error (error);
  test_peer_wait_heard (world->peers[1], "stream:" ALICE ":video:h264 ");
  bravis_session_remove_stream (world->peers[0]->session, stream);
  test_peer_wait_heard (world->peers[1], "stream-gone:" ALICE ":video ");
  g_assert_true (bravis_session_add_stream (world->peers[0]->session,
          BRAVIS_KIND_AUDIO, &stream, &error));
  g_assert_true (bravis_session_describe_stream (world->peers[0]->session,
          stream, "opus", &error));
  test_peer_wait_heard (world->peers[1], "stream:" ALICE ":audio:opus ");
  bravis_session_stop (world->peers[0]->session);
  test_peer_wait_heard (world->peers[1], "stream-gone:" ALICE ":audio ");
}

/* --- media --- */

typedef struct {
  GMutex lock;
  GCond changed;
  guint n;
  char last[64];
} Media;

static void
receive_media (const GcpAddress *from, guint8 *data, gsize size,
    gpointer user_data)
{
  Media *media = user_data;

  g_mutex_lock (&media->lock);
  media->n++;
  g_strlcpy (media->last, (const char *) data, MIN (size + 1, 64));
  g_cond_signal (&media->changed);
  g_mutex_unlock (&media->lock);
}

static void
wait_media (Media *media, guint n)
{
  gint64 deadline = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;

  g_mutex_lock (&media->lock);
  while (media->n < n)
    g_assert_true (g_cond_wait_until (&media->changed, &media->lock,
            deadline));
  g_mutex_unlock (&media->lock);
}

static void
test_media_reaches_all_others (World *world, gconstpointer data)
{
  Media media[3] = { 0 };
  guint ids[3];

  join_three (world, LOOPBACK);
  for (guint i = 0; i < 3; i++)
    ids[i] = bravis_session_add_media_receiver (world->peers[i]->session,
        receive_media, &media[i]);
  for (guint i = 0; i < 3; i++) {
    BravisSession *session = world->peers[i]->session;
    g_autoptr (BravisEpoch) epoch = bravis_session_ref_epoch (session);

    g_assert_true (bravis_session_send_to_all (session, epoch, "\x80media", 6));
  }
  for (guint i = 0; i < 3; i++)
    wait_media (&media[i], 2);
  {
    BravisSession *session = world->peers[2]->session;
    g_autoptr (BravisEpoch) epoch = bravis_session_ref_epoch (session);

    g_assert_true (bravis_session_send_to (session, epoch, 0, "\xc2one", 4));
  }
  wait_media (&media[0], 3);
  g_assert_cmpstr (media[0].last, ==, "\xc2one");
  for (guint i = 0; i < 3; i++) {
    bravis_session_remove_media_receiver (world->peers[i]->session, ids[i]);
    g_mutex_clear (&media[i].lock);
    g_cond_clear (&media[i].changed);
  }
  g_assert_cmpuint (media[1].n, ==, 2);
}

static void
test_nothing_is_sent_after_the_end (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = NULL;
  BravisSession *session;

  join_pair (world, LOOPBACK);
  session = world->peers[0]->session;
  epoch = bravis_session_ref_epoch (session);
  g_assert_true (bravis_session_send_to_all (session, epoch, "\x80", 1));
  bravis_session_stop (session);
  g_assert_true (bravis_epoch_is_sending_closed (epoch));
  g_assert_true (bravis_epoch_is_retired (epoch));
  g_assert_false (bravis_session_send_to_all (session, epoch, "\x80", 1));
  g_assert_false (bravis_session_send_to (session, epoch, 1, "\x80", 1));
  g_assert_null (bravis_session_ref_epoch_by_number (session,
          bravis_epoch_get_number (epoch)));
}

/* --- who is not let in --- */

static void
check_refused (World *world, TestPkiKind kind, const char *word)
{
  g_autofree char *address = NULL;
  g_autofree char *invite = NULL;

  world->peers[1] = make_peer (world, "bob", kind, LOOPBACK, NULL, NULL);
  bravis_session_start (world->peers[1]->session);
  address = test_peer_get_address (world->peers[1]);
  invite = g_strconcat (BOB "=", address, NULL);
  world->peers[0] = make_peer (world, "alice", TEST_PKI_GOOD, LOOPBACK, invite,
      NULL);
  bravis_session_start (world->peers[0]->session);
  test_peer_wait_heard (world->peers[0], "refused:");
  test_peer_wait_heard (world->peers[1], "refused:");
  g_test_message ("alice: %s", world->peers[0]->heard->str);
  g_test_message ("bob: %s", world->peers[1]->heard->str);
  g_assert_nonnull (strstr (world->peers[0]->heard->str, word));
  g_assert_cmpuint (bravis_session_get_epoch_number (world->peers[1]->session),
      ==, 0);
}

static void
test_expired_invitee_is_refused (World *world, gconstpointer data)
{
  check_refused (world, TEST_PKI_EXPIRED, "expired");
}

static void
test_revoked_invitee_is_refused (World *world, gconstpointer data)
{
  check_refused (world, TEST_PKI_REVOKED, "revoked");
}

/* Nobody restarts anything: the file of revocation lists is replaced. */
static void
test_who_is_revoked_meanwhile_is_put_out (World *world, gconstpointer data)
{
  join_three (world, LOOPBACK);
  test_pki_revoke (world->pki, "carol");
  test_peer_wait_heard (world->peers[2], "ended:put out");
  test_peer_wait_heard (world->peers[0], "left:" CAROL ":put out");
  test_peers_wait_agree (world->peers, 2, 2);
  g_assert_true (test_peer_has_heard (world->peers[0], "was revoked on"));
}

static void
test_access_list_refuses (World *world, gconstpointer data)
{
  g_autofree char *address = NULL;
  g_autofree char *invite = NULL;

  world->peers[1] = make_peer (world, "bob", TEST_PKI_GOOD, LOOPBACK, NULL,
      "[access]\ndeny=alice@*\n");
  bravis_session_start (world->peers[1]->session);
  address = test_peer_get_address (world->peers[1]);
  invite = g_strconcat (BOB "=", address, NULL);
  world->peers[0] = make_peer (world, "alice", TEST_PKI_GOOD, LOOPBACK, invite,
      NULL);
  bravis_session_start (world->peers[0]->session);
  test_peer_wait_heard (world->peers[1], "refused:" ALICE ":me:");
  test_peer_wait_heard (world->peers[0], "refused:");
}

static void
test_unreachable_peer_is_said_and_joins_later (World *world,
    gconstpointer data)
{
  g_autofree char *address = NULL;
  g_autofree char *invite = NULL;

  /* A port that is known and that nobody listens at. */
  world->peers[1] = make_peer (world, "bob", TEST_PKI_GOOD, LOOPBACK, NULL,
      NULL);
  address = test_peer_get_address (world->peers[1]);
  g_clear_pointer (&world->peers[1], test_peer_free);
  invite = g_strconcat (BOB "=", address, NULL);
  world->peers[0] = make_peer (world, "alice", TEST_PKI_GOOD, LOOPBACK, invite,
      NULL);
  bravis_session_start (world->peers[0]->session);
  test_peer_wait_heard (world->peers[0], "unreachable:" BOB);
  world->peers[1] = make_peer (world, "bob", TEST_PKI_GOOD, address, NULL,
      NULL);
  bravis_session_start (world->peers[1]->session);
  test_peers_wait_agree (world->peers, 2, 2);
}

/* --- hostile datagrams --- */

static void
test_garbage_changes_nothing (World *world, gconstpointer data)
{
  static const guint8 firsts[] = { 0, 22, 127, 128, 191, 192, 193, 194, 255 };
  GcpAddress listen = { .family = 4, .ip = { 127, 0, 0, 1 } };
  g_autoptr (GcpUdp) udp = gcp_udp_new (&listen, NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  guint8 garbage[2000];
  GcpAddress to[2];
  guint64 epoch;

  join_pair (world, LOOPBACK);
  epoch = bravis_session_get_epoch_number (world->peers[0]->session);
  for (guint i = 0; i < 2; i++) {
    g_autofree char *text = test_peer_get_address (world->peers[i]);

    g_assert_true (gcp_address_parse (text, FALSE, &to[i], NULL));
  }
  for (guint size = 0; size <= sizeof garbage; size++) {
    for (guint i = 0; i < size; i++)
      garbage[i] = g_rand_int (rand);
    for (guint k = 0; k < G_N_ELEMENTS (firsts); k++) {
      if (size > 0)
        garbage[0] = firsts[k];
      /* The second octet is the type of a handshake message. */
      if (size > 1)
        garbage[1] = size % 12;
      gcp_udp_send_to_all (udp, to, 2, garbage, size);
    }
  }
  g_assert_cmpuint (bravis_session_get_epoch_number (world->peers[0]->session),
      ==, epoch);
  bravis_session_refresh (world->peers[1]->session);
  test_peer_wait_heard (world->peers[0], ":refresh ");
  test_peers_wait_agree (world->peers, 2, 2);
}

/* --- life --- */

static void
test_stop_of_what_never_started (World *world, gconstpointer data)
{
  make_pair (world, LOOPBACK);
  bravis_session_stop (world->peers[0]->session);
  bravis_session_stop (world->peers[0]->session);
  bravis_session_start (world->peers[0]->session);
  g_assert_cmpstr (bravis_session_get_state (world->peers[0]->session), ==,
      "over");
}

static void
test_stop_while_idle (World *world, gconstpointer data)
{
  make_pair (world, LOOPBACK);
  bravis_session_start (world->peers[1]->session);
  bravis_session_stop (world->peers[1]->session);
  g_assert_true (test_peer_has_heard (world->peers[1], "ended:left"));
}

static void
test_leave_while_idle (World *world, gconstpointer data)
{
  make_pair (world, LOOPBACK);
  bravis_session_start (world->peers[1]->session);
  bravis_session_leave (world->peers[1]->session);
  test_peer_wait_heard (world->peers[1], "ended:left");
}

static guint64
count_received (TestPeer *peer)
{
  g_autoptr (GVariant) stats = bravis_session_dup_stats (peer->session);
  guint64 n = 0;

  g_assert_true (g_variant_lookup (stats, "datagrams-received", "t", &n));
  return n;
}

/* Stops one of two after it got so many datagrams: at each step of joining. */
static void
test_stop_at_every_step_of_joining (World *world, gconstpointer data)
{
  for (guint steps = 0; steps < 24; steps++) {
    TestPeer *victim;

    make_pair (world, LOOPBACK);
    victim = world->peers[steps % 2];
    bravis_session_start (world->peers[1]->session);
    bravis_session_start (world->peers[0]->session);
    while (count_received (victim) < steps / 2)
      g_thread_yield ();
    bravis_session_stop (victim->session);
    g_assert_cmpstr (bravis_session_get_state (victim->session), ==, "over");
    g_assert_true (test_peer_has_heard (victim, "ended:"));
    g_clear_pointer (&world->peers[0], test_peer_free);
    g_clear_pointer (&world->peers[1], test_peer_free);
  }
}

static void
unref_in_handler (BravisSession *session, guint64 epoch, const char *cause,
    double milliseconds, gpointer user_data)
{
  gboolean *done = user_data;

  g_object_unref (session);
  g_atomic_int_set (done, TRUE);
}

static void
set_true (gpointer data, GObject *where_the_object_was)
{
  g_atomic_int_set ((gboolean *) data, TRUE);
}

static void
test_last_reference_dropped_in_a_handler (World *world, gconstpointer data)
{
  gint64 deadline = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;
  gboolean unreferenced = FALSE, gone = FALSE;
  g_autofree char *config = test_sessions_write_config (world->pki, "alice",
      TEST_PKI_GOOD, LOOPBACK, "bob@example.org=127.0.0.1:9", NULL);
  BravisSession *session = bravis_session_new (NULL, config, NULL);
  g_autoptr (BravisSession) again = NULL;
  g_autoptr (GError) error = NULL;

  g_object_weak_ref (G_OBJECT (session), set_true, &gone);
  g_signal_connect (session, "epoch-changed", G_CALLBACK (unref_in_handler),
      &unreferenced);
  bravis_session_start (session);
  while (!g_atomic_int_get (&gone) || !g_atomic_int_get (&unreferenced)) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_thread_yield ();
  }
  /* Waits until the old one is over, then makes a fresh one. */
  again = bravis_session_get (NULL, config, &error);
  g_assert_no_error (error);
}

static void
listen_nothing (const BravisEvent *event, gpointer user_data)
{
}

static void
test_last_release_ends_and_the_next_is_fresh (World *world,
    gconstpointer data)
{
  g_autofree char *config = test_sessions_write_config (world->pki, "alice",
      TEST_PKI_GOOD, LOOPBACK, "bob@example.org=127.0.0.1:9", NULL);
  GError *error = NULL;
  g_autoptr (BravisSession) first = bravis_session_get ("talk", config, &error);
  g_autoptr (BravisSession) same = bravis_session_get ("talk", NULL, &error);
  g_autoptr (BravisSession) fresh = NULL;
  guint id;

  g_assert_no_error (error);
  g_assert_true (first == same);
  bravis_session_hold (first);
  bravis_session_hold (same);
  id = bravis_session_add_listener (first, listen_nothing, NULL);
  bravis_session_release (first);
  g_assert_cmpstr (bravis_session_get_state (first), !=, "over");
  bravis_session_remove_listener (first, id);
  bravis_session_release (same);
  g_assert_cmpstr (bravis_session_get_state (first), ==, "over");
  g_assert_false (bravis_session_hold (first));
  fresh = bravis_session_get ("talk", config, &error);
  g_assert_no_error (error);
  g_assert_true (fresh != first);
  g_assert_true (bravis_session_hold (fresh));
  bravis_session_release (fresh);
}

static void
release_in_handler (BravisSession *session)
{
  bravis_session_release (session);
}

/* As an application does that stops its pipeline in a signal handler. */
static void
test_last_release_may_come_in_a_handler (World *world, gconstpointer data)
{
  g_autofree char *config = test_sessions_write_config (world->pki, "alice",
      TEST_PKI_GOOD, LOOPBACK, "bob@example.org=127.0.0.1:9", NULL);
  GError *error = NULL;
  g_autoptr (BravisSession) session = bravis_session_get ("talk", config,
      &error);
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  g_autoptr (BravisSession) fresh = NULL;

  g_assert_no_error (error);
  g_signal_connect (session, "epoch-changed",
      G_CALLBACK (release_in_handler), NULL);
  bravis_session_hold (session);
  while (strcmp (bravis_session_get_state (session), "over") != 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (1000);
  }
  fresh = bravis_session_get ("talk", config, &error);
  g_assert_no_error (error);
  g_assert_true (fresh != session);
}

static void
test_release_does_not_stop_what_the_application_started (World *world,
    gconstpointer data)
{
  make_pair (world, LOOPBACK);
  bravis_session_start (world->peers[0]->session);
  bravis_session_hold (world->peers[0]->session);
  bravis_session_release (world->peers[0]->session);
  g_assert_cmpstr (bravis_session_get_state (world->peers[0]->session), !=,
      "over");
}

/* --- the registry --- */

static void
test_registry_finds_by_name_and_file (World *world, gconstpointer data)
{
  g_autofree char *config = test_sessions_write_config (world->pki, "alice",
      TEST_PKI_GOOD, LOOPBACK, NULL, NULL);
  g_autofree char *folder = g_path_get_dirname (config);
  g_autofree char *detour = g_build_filename (folder, ".", "..", ".", NULL);
  g_autofree char *base = g_path_get_basename (folder);
  g_autofree char *other_way = g_build_filename (detour, base, "alice.conf",
      NULL);
  GError *error = NULL;
  g_autoptr (BravisSession) by_file = bravis_session_get (NULL, config, &error);
  g_autoptr (BravisSession) other = bravis_session_get (NULL, other_way,
      &error);
  g_autoptr (BravisSession) named = bravis_session_get ("talk", config, &error);
  g_autoptr (BravisSession) by_name = bravis_session_get ("talk", NULL, &error);

  g_assert_no_error (error);
  g_assert_true (by_file == other);
  g_assert_true (by_file == named);
  g_assert_true (by_file == by_name);
}

static void
test_registry_conflicts_are_named (World *world, gconstpointer data)
{
  g_autofree char *alice = test_sessions_write_config (world->pki, "alice",
      TEST_PKI_GOOD, LOOPBACK, NULL, NULL);
  g_autofree char *bob = test_sessions_write_config (world->pki, "bob",
      TEST_PKI_GOOD, LOOPBACK, NULL, NULL);
  g_autoptr (BravisSession) session = bravis_session_get ("talk", alice, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (bravis_session_get ("talk", bob, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "'talk'"));
  g_assert_nonnull (strstr (error->message, "bob.conf"));
  g_clear_error (&error);

  g_assert_null (bravis_session_get ("other", alice, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "'other'"));
  g_clear_error (&error);

  g_assert_null (bravis_session_get ("nobody", NULL, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, "'nobody'"));
  g_clear_error (&error);

  g_assert_null (bravis_session_new ("talk", bob, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE);
  g_clear_error (&error);

  g_assert_null (bravis_session_new (NULL, NULL, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG);
}

static gpointer
get_session (gpointer config)
{
  GError *error = NULL;
  BravisSession *session = bravis_session_get ("talk", config, &error);

  g_assert_no_error (error);
  return session;
}

static void
test_registry_makes_one_for_many_threads (World *world, gconstpointer data)
{
  g_autofree char *config = test_sessions_write_config (world->pki, "alice",
      TEST_PKI_GOOD, LOOPBACK, NULL, NULL);
  GThread *threads[8];
  BravisSession *sessions[8];

  for (guint i = 0; i < 8; i++)
    threads[i] = g_thread_new ("get", get_session, config);
  for (guint i = 0; i < 8; i++)
    sessions[i] = g_thread_join (threads[i]);
  for (guint i = 0; i < 8; i++) {
    g_assert_true (sessions[i] == sessions[0]);
    if (i > 0)
      g_object_unref (sessions[i]);
  }
  g_object_unref (sessions[0]);
}

/* --- what is wrong is said --- */

static void
check_error (World *world, const char *config, GQuark domain, int code,
    const char *first, const char *second)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (bravis_session_new (NULL, config, &error));
  g_assert_error (error, domain, code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, first));
  g_assert_nonnull (strstr (error->message, second));
}

static void
test_port_in_use_is_said (World *world, gconstpointer data)
{
  g_autofree char *address = NULL;
  g_autofree char *config = NULL;

  make_pair (world, LOOPBACK);
  address = test_peer_get_address (world->peers[0]);
  config = test_sessions_write_config (world->pki, "carol", TEST_PKI_GOOD,
      address, NULL, NULL);
  check_error (world, config, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
      "carol.conf", address);
}

static void
test_key_of_another_is_said (World *world, gconstpointer data)
{
  g_autofree char *config = test_sessions_write_config (world->pki, "alice",
      TEST_PKI_GOOD, LOOPBACK, NULL, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *changed = NULL;

  test_pki_make_files (world->pki, "bob", TEST_PKI_GOOD);
  g_assert_true (g_file_get_contents (config, &text, NULL, NULL));
  parts = g_strsplit (text, "key=alice-key.pem", 2);
  changed = g_strjoinv ("key=bob-key.pem", parts);
  g_assert_true (g_file_set_contents (config, changed, -1, NULL));
  check_error (world, config, BRAVIS_ERROR, BRAVIS_ERROR_KEY_MISMATCH,
      "alice.conf", "bob-key.pem");
}

static void
test_inviting_oneself_is_said (World *world, gconstpointer data)
{
  g_autofree char *config = test_sessions_write_config (world->pki, "alice",
      TEST_PKI_GOOD, LOOPBACK, ALICE "=127.0.0.1:9", NULL);

  check_error (world, config, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG, "alice.conf",
      "invite=" ALICE);
}

static void
test_bad_invitations_are_said (World *world, gconstpointer data)
{
  BravisSession *session;
  g_autoptr (GError) error = NULL;

  make_pair (world, LOOPBACK);
  session = world->peers[0]->session;
  g_assert_false (bravis_session_invite (session, "carol", "127.0.0.1:9",
          &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_WRONG_NAME);
  g_clear_error (&error);
  g_assert_false (bravis_session_invite (session, CAROL, NULL, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG);
  g_clear_error (&error);
  g_assert_false (bravis_session_invite (session, CAROL, "127.0.0.1", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  bravis_session_stop (session);
  g_assert_false (bravis_session_invite (session, CAROL, "127.0.0.1:9",
          &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE);
}

/* A peer in a process of its own, for tests to kill. */
static int
run_peer (const char *config)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisSession) session = bravis_session_new (NULL, config, &error);

  g_assert_no_error (error);
  bravis_session_start (session);
  g_main_loop_run (loop);
  return 0;
}

#define ADD(name) \
    g_test_add ("/keymgmt/session/" #name, World, NULL, set_up, test_ ## name, \
        tear_down)

int
main (int argc, char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--peer"))
    return run_peer (argv[2]);
  g_test_init (&argc, &argv, NULL);
  ADD (two_sessions_form_a_conference);
  ADD (two_sessions_over_ipv6);
  ADD (third_is_invited_by_a_member);
  ADD (leaving_changes_the_key);
  ADD (founder_leaves_and_the_others_go_on);
  ADD (crashed_peer_is_put_out);
  ADD (refresh_changes_the_key);
  ADD (members_export_the_same_key);
  ADD (no_key_is_exported_before_there_is_one);
  ADD (fingerprint_of_two_is_the_same_on_either_side);
  ADD (streams_are_told_to_all_and_to_newcomers);
  ADD (media_reaches_all_others);
  ADD (nothing_is_sent_after_the_end);
  ADD (expired_invitee_is_refused);
  ADD (revoked_invitee_is_refused);
  ADD (who_is_revoked_meanwhile_is_put_out);
  ADD (access_list_refuses);
  ADD (unreachable_peer_is_said_and_joins_later);
  ADD (garbage_changes_nothing);
  ADD (stop_of_what_never_started);
  ADD (stop_while_idle);
  ADD (leave_while_idle);
  ADD (stop_at_every_step_of_joining);
  ADD (last_reference_dropped_in_a_handler);
  ADD (last_release_ends_and_the_next_is_fresh);
  ADD (last_release_may_come_in_a_handler);
  ADD (release_does_not_stop_what_the_application_started);
  ADD (registry_finds_by_name_and_file);
  ADD (registry_conflicts_are_named);
  ADD (registry_makes_one_for_many_threads);
  ADD (port_in_use_is_said);
  ADD (key_of_another_is_said);
  ADD (inviting_oneself_is_said);
  ADD (bad_invitations_are_said);
  return g_test_run ();
}
