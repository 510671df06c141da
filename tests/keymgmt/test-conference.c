/* Whole peers: what they do for each other. */
#include "conference-world.h"

#include <string.h>

#define ALICE "alice@example.org"
#define BOB "bob@example.org"
#define CAROL "carol@example.org"

static TestPki *pki;

static World *
conference_of (guint n)
{
  return world_new_conference (pki, n, 0);
}

/* --- the way it should go --- */

static void
test_who_starts_is_alone_with_an_epoch (void)
{
  g_autoptr (World) world = conference_of (1);

  g_assert_cmpint (peer_cause (world_get (world, 0)), ==, BRAVIS_CAUSE_START);
}

static void
test_invited_peer_comes_in (void)
{
  g_autoptr (World) world = conference_of (2);
  Peer *alice = world_get (world, 0), *bob = world_get (world, 1);

  g_assert_cmpint (peer_cause (alice), ==, BRAVIS_CAUSE_JOIN);
  g_assert_cmpint (peer_cause (bob), ==, BRAVIS_CAUSE_JOIN);
  g_assert_true (peer_was_told (alice, "joined " BOB));
  g_assert_true (peer_was_told (bob, "joined " ALICE));
  g_assert_cmpstr (g_ptr_array_index (alice->addresses, 0), ==, "-");
  g_assert_cmpstr (g_ptr_array_index (alice->addresses, 1), ==,
      "10.0.0.2:5000");
}

static void
test_newcomer_may_invite_in_its_turn (void)
{
  g_autoptr (World) world = conference_of (2);
  Peer *carol = world_add (world, "carol");

  peer_invite (world_get (world, 1), carol);
  world_run (world, 2 * WORLD_SECOND);
  world_assert_settled (world, 3);
  /* Each knows where the others are, also those it never shook hands with. */
  g_assert_cmpstr (g_ptr_array_index (carol->addresses, 0), ==,
      "10.0.0.1:5000");
  g_assert_cmpstr (g_ptr_array_index (world_get (world, 0)->addresses, 2), ==,
      "10.0.0.3:5000");
}

/* None of the others' addresses is missing. */
static gboolean
knows_all_addresses (Peer *peer)
{
  guint self = bravis_epoch_get_self (peer_epoch (peer));

  for (guint i = 0; i < peer->addresses->len; i++)
    if (i != self
        && strcmp (g_ptr_array_index (peer->addresses, i), "-") == 0)
      return FALSE;
  return peer->addresses->len > 1;
}

/* They are in no roster of each other, and learn of each other from the group. */
static void
test_newcomers_of_different_inviters_come_in_together (void)
{
  guint n_together = 0;

  for (guint lead = 0; lead < 30; lead++) {
    g_autoptr (World) world = conference_of (2);
    Peer *carol, *dave, *gina, *alice = world_get (world, 0);
    guint before = alice->epochs->len;

    carol = world_add (world, "carol");
    dave = world_add (world, "dave");
    gina = world_add (world, "gina");
    peer_invite (alice, gina);
    world_run (world, 20 * WORLD_MS);
    peer_invite (alice, carol);
    world_run (world, lead * 4 * WORLD_MS);
    peer_invite (world_get (world, 1), dave);
    world_run (world, 5 * WORLD_SECOND);
    world_assert_settled (world, 5);
    g_assert_true (knows_all_addresses (carol));
    g_assert_true (knows_all_addresses (dave));
    g_assert_true (knows_all_addresses (gina));
    n_together += alice->epochs->len == before + 2;
  }
  g_assert_cmpuint (n_together, >, 0);
}

/* Only who asked for them, too: nobody is brought down to them by somebody else. */
static void
test_short_tags_are_for_those_who_asked_for_them (void)
{
  g_autoptr (World) world = world_new (pki, 1, 0);
  Peer *alice, *bob, *carol;

  world->policy.cipher[BRAVIS_KIND_AUDIO] =
      BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32;
  alice = world_add (world, "alice");
  bob = world_add (world, "bob");
  bravis_policy_init (&world->policy);
  carol = world_add (world, "carol");
  peer_start (alice);
  peer_invite (alice, bob);
  world_run (world, 2 * WORLD_SECOND);
  world_assert_settled (world, 2);
  g_assert_cmpint (bravis_epoch_get_policy (peer_epoch (bob))->cipher
      [BRAVIS_KIND_AUDIO], ==, BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32);
  peer_invite (alice, carol);
  world_run (world, 5 * WORLD_SECOND);
  g_assert_cmpuint (carol->epochs->len, ==, 0);
  g_assert_true (peer_reports (carol, "?", NULL, BRAVIS_ERROR_POLICY));
  g_assert_true (carol->over);
  g_assert_cmpuint (peer_n_members (alice), ==, 2);
}

static void
test_who_leaves_is_out_and_the_key_changes (void)
{
  g_autoptr (World) world = conference_of (3);
  Peer *bob = world_get (world, 1);
  guint before = bob->epochs->len;

  peer_leave (bob);
  world_run (world, 2 * WORLD_SECOND);
  world_assert_settled (world, 2);
  g_assert_true (bob->over);
  g_assert_cmpint (bob->end_reason, ==, GCP_END_LEFT);
  g_assert_cmpuint (bob->epochs->len, ==, before);
  g_assert_cmpint (peer_cause (world_get (world, 2)), ==, BRAVIS_CAUSE_LEAVE);
  g_assert_true (peer_was_told (world_get (world, 2), "left " BOB " left"));
}

static void
test_who_crashes_is_out_and_the_key_changes (void)
{
  g_autoptr (World) world = conference_of (3);

  peer_crash (world_get (world, 0));
  world_run (world, 3 * WORLD_SECOND);
  world_assert_settled (world, 2);
  g_assert_cmpint (peer_cause (world_get (world, 2)), ==, BRAVIS_CAUSE_CRASH);
  g_assert_true (peer_was_told (world_get (world, 2),
      "left " ALICE " failed"));
}

static void
test_refresh_changes_the_key (void)
{
  g_autoptr (World) world = conference_of (2);
  guint before = world_get (world, 0)->epochs->len;

  peer_refresh (world_get (world, 1));
  world_run (world, WORLD_SECOND);
  world_assert_settled (world, 2);
  g_assert_cmpuint (world_get (world, 0)->epochs->len, ==, before + 1);
  g_assert_cmpint (peer_cause (world_get (world, 0)), ==,
      BRAVIS_CAUSE_REFRESH);
}

/* One key change each time, not one for each member that has a clock. */
static void
test_key_is_replaced_after_its_lifetime (void)
{
  g_autoptr (World) world = world_new_conference (pki, 3, 60 * WORLD_SECOND);
  Peer *alice = world_get (world, 0);
  guint before = alice->epochs->len;

  world_run (world, 10 * 61 * WORLD_SECOND);
  world_assert_settled (world, 3);
  g_assert_cmpuint (alice->epochs->len - before, >=, 9);
  g_assert_cmpuint (alice->epochs->len - before, <=, 10);
  g_assert_cmpint (peer_cause (alice), ==, BRAVIS_CAUSE_REFRESH);
}

/* The next maker of a key does not ask for it: others do. */
static void
test_key_is_replaced_though_its_maker_does_not_ask (void)
{
  g_autoptr (World) world = world_new_conference (pki, 3, 60 * WORLD_SECOND);
  Peer *alice = world_get (world, 0);
  guint before = alice->epochs->len;

  for (guint i = 0; i < 3; i++) {
    Peer *peer = world_get (world, i);

    if (bravis_vtkd_get_holder (peer->conference->vtkd)
        == peer->conference->own->card->id)
      peer->conference->key_due = G_MAXINT64;
  }
  world_run (world, 70 * WORLD_SECOND);
  g_assert_cmpuint (alice->epochs->len, ==, before + 1);
}

static guint
get_n_key_changes_of_many (guint64 seed)
{
  g_autoptr (World) world = world_new (pki, seed, 0);
  Peer *alice = world_add (world, "alice");
  guint before;

  peer_start (alice);
  for (guint i = 0; i < 20; i++) {
    g_autofree char *name = g_strdup_printf ("peer%u", i);

    world_add (world, name);
    if (i < 10)
      peer_invite (alice, world_get (world, i + 1));
  }
  world_run (world, 20 * WORLD_SECOND);
  before = alice->epochs->len;
  for (guint i = 0; i < 10; i++) {
    peer_invite (alice, world_get (world, 11 + i));
    peer_leave (world_get (world, 1 + i));
    world_run (world, 10 * WORLD_MS);
  }
  world_run (world, 5 * WORLD_SECOND);
  world_assert_settled (world, 11);
  return alice->epochs->len - before;
}

/* Ten come and ten go within 100 ms: three key changes at most. */
static void
test_many_changes_together_are_few_key_changes (void)
{
  for (guint64 seed = 20; seed < 26; seed++)
    g_assert_cmpuint (get_n_key_changes_of_many (seed), <=, 3);
}

static void
test_streams_are_told_to_all_and_to_newcomers (void)
{
  g_autoptr (World) world = conference_of (2);
  Peer *alice = world_get (world, 0), *bob = world_get (world, 1);
  guint16 video = peer_add_stream (alice, BRAVIS_KIND_VIDEO, "caps one");
  Peer *carol;

  world_run (world, WORLD_SECOND);
  g_assert_true (peer_was_told (bob, "stream " ALICE " video 0 caps one"));
  carol = world_add (world, "carol");
  peer_invite (bob, carol);
  world_run (world, 2 * WORLD_SECOND);
  g_assert_true (peer_was_told (carol, "stream " ALICE " video 0 caps one"));
  /* Bob has heard of it once: said again to newcomers, it is no news. */
  for (guint i = 0, n = 0; i < bob->events->len; i++) {
    n += g_str_has_prefix (g_ptr_array_index (bob->events, i), "stream");
    g_assert_cmpuint (n, <=, 1);
  }

  bravis_conference_remove_stream (alice->conference, video,
      sim_network_now (world->network));
  peer_drain (alice);
  world_run (world, WORLD_SECOND);
  g_assert_true (peer_was_told (carol, "end " ALICE " 0"));
  /* A number is not given out again. */
  g_assert_cmpuint (peer_add_stream (alice, BRAVIS_KIND_AUDIO, "x"), ==, 1);
  world_run (world, WORLD_SECOND);
  peer_leave (alice);
  world_run (world, 2 * WORLD_SECOND);
  g_assert_true (peer_was_told (carol, "end " ALICE " 1"));
}

static void
test_messages_reach_all_members (void)
{
  g_autoptr (World) world = conference_of (3);

  peer_multicast (world_get (world, 1), "hello");
  world_run (world, WORLD_SECOND);
  for (guint i = 0; i < 3; i++)
    g_assert_true (peer_was_told (world_get (world, i),
            "message " BOB " hello"));
}

/* What was handed in between cork and uncork shares datagrams. */
static void
test_corked_messages_go_out_together (void)
{
  enum { N = 30 };
  g_autoptr (World) world = conference_of (3);
  Peer *alice = world_get (world, 0);
  guint n_sent = world->n_sent;

  bravis_conference_cork (alice->conference);
  for (guint i = 0; i < N; i++)
    peer_multicast (alice, i == N - 1 ? "last" : "text");
  g_assert_cmpuint (world->n_sent, ==, n_sent);
  g_assert_true (peer_was_told (alice, "message " ALICE " last"));
  bravis_conference_uncork (alice->conference);
  peer_drain (alice);
  g_assert_cmpuint (world->n_sent - n_sent, >, 0);
  g_assert_cmpuint (world->n_sent - n_sent, <, N / 3);
  world_run (world, WORLD_SECOND);
  for (guint i = 0; i < 3; i++)
    g_assert_true (peer_was_told (world_get (world, i),
            "message " ALICE " last"));
}

/* Nobody's application is given more than it can take, nor are key changes held
 * up by it. */
static void
test_who_is_behind_holds_messages_up_and_nothing_else (void)
{
  g_autoptr (World) world = conference_of (3);
  Peer *alice = world_get (world, 0), *carol = world_get (world, 2);

  peer_set_busy (carol, TRUE);
  world_run (world, WORLD_SECOND);
  peer_multicast (alice, "later");
  g_assert_cmpuint (bravis_conference_get_unsent (alice->conference), >=, 5);
  peer_refresh (alice);
  world_run (world, WORLD_SECOND);
  g_assert_cmpint (peer_cause (carol), ==, BRAVIS_CAUSE_REFRESH);
  g_assert_false (peer_was_told (alice, "message " ALICE " later"));
  g_assert_false (peer_was_told (carol, "message " ALICE " later"));
  peer_set_busy (carol, FALSE);
  world_run (world, WORLD_SECOND);
  g_assert_true (peer_was_told (alice, "message " ALICE " later"));
  g_assert_true (peer_was_told (carol, "message " ALICE " later"));
  g_assert_cmpuint (bravis_conference_get_unsent (alice->conference), ==, 0);
}

static void
test_newcomers_learn_who_is_behind (void)
{
  g_autoptr (World) world = conference_of (2);
  Peer *carol;

  peer_set_busy (world_get (world, 0), TRUE);
  carol = world_add (world, "carol");
  peer_invite (world_get (world, 1), carol);
  world_run (world, 2 * WORLD_SECOND);
  world_assert_settled (world, 3);
  peer_multicast (carol, "later");
  world_run (world, WORLD_SECOND);
  g_assert_false (peer_was_told (carol, "message " CAROL " later"));
  peer_set_busy (world_get (world, 0), FALSE);
  world_run (world, WORLD_SECOND);
  g_assert_true (peer_was_told (carol, "message " CAROL " later"));
}

static void
test_who_is_behind_and_crashes_holds_nobody_up (void)
{
  g_autoptr (World) world = conference_of (3);
  Peer *alice = world_get (world, 0);

  peer_set_busy (world_get (world, 1), TRUE);
  world_run (world, WORLD_SECOND);
  peer_multicast (alice, "later");
  peer_crash (world_get (world, 1));
  world_run (world, 3 * WORLD_SECOND);
  g_assert_true (peer_was_told (alice, "message " ALICE " later"));
  g_assert_true (peer_was_told (world_get (world, 2),
          "message " ALICE " later"));
}

static void
test_messages_before_leaving_are_delivered (void)
{
  g_autoptr (World) world = conference_of (3);
  Peer *bob = world_get (world, 1);

  peer_multicast (bob, "goodbye");
  peer_leave (bob);
  world_run (world, 2 * WORLD_SECOND);
  g_assert_true (bob->over);
  g_assert_true (peer_was_told (world_get (world, 2),
          "message " BOB " goodbye"));
}

static void
test_streams_are_limited (void)
{
  g_autoptr (World) world = conference_of (1);
  BravisConference *alice = world_get (world, 0)->conference;
  g_autofree char *text = g_strnfill (BRAVIS_MAX_DESCRIPTION + 1, 'x');
  g_autoptr (GError) error = NULL;
  guint16 stream;

  for (guint i = 0; i < BRAVIS_MAX_STREAMS_AT_ONCE; i++)
    g_assert_true (bravis_conference_add_stream (alice, BRAVIS_KIND_AUDIO,
        &stream, NULL));
  g_assert_false (bravis_conference_add_stream (alice, BRAVIS_KIND_AUDIO,
      &stream, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT);
  g_clear_error (&error);
  g_assert_false (bravis_conference_describe_stream (alice, 0, text, 0,
      &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT);
  g_clear_error (&error);
  g_assert_false (bravis_conference_describe_stream (alice, 999, "x", 0,
      &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE);
}

static void
test_one_may_leave_in_any_state (void)
{
  for (guint when = 0; when < 40; when++) {
    g_autoptr (World) world = conference_of (2);
    Peer *carol = world_add (world, "carol");

    peer_invite (world_get (world, 0), carol);
    world_run (world, when * 15 * WORLD_MS);
    peer_leave (carol);
    world_run (world, 4 * WORLD_SECOND);
    g_assert_true (carol->over);
    g_assert_true (world_is_settled (world));
    g_assert_cmpuint (peer_n_members (world_get (world, 0)), ==, 2);
  }
}

/* Also where a view changes just then, and it has to say so again in the next. */
static void
test_who_leaves_is_known_to_have_left (void)
{
  for (guint when = 0; when < 60; when++) {
    g_autoptr (World) world = conference_of (2);
    Peer *alice = world_get (world, 0);

    peer_invite (alice, world_add (world, "carol"));
    world_run (world, when * 10 * WORLD_MS);
    peer_leave (world_get (world, 1));
    world_run (world, 4 * WORLD_SECOND);
    world_assert_settled (world, 2);
    g_assert_true (peer_was_told (alice, "left " BOB " left"));
  }
}

/* Two who are on their way in could not reach each other once she is gone: they end up
 * in one group or in none, at whatever moment that is. */
static void
test_newcomers_do_not_come_in_as_the_last_member_leaves (void)
{
  for (guint when = 0; when < 60; when++) {
    g_autoptr (World) world = conference_of (2);
    Peer *alice = world_get (world, 0), *bob = world_get (world, 1);

    peer_invite (alice, world_add (world, "carol"));
    peer_invite (alice, world_add (world, "dave"));
    world_run (world, when * 10 * WORLD_MS);
    peer_leave (bob);
    world_run (world, 100 * WORLD_MS);
    peer_leave (alice);
    world_run (world, 30 * WORLD_SECOND);
    g_assert_true (world_is_settled (world));
  }
}

static void
test_peer_at_another_address_is_followed (void)
{
  g_autoptr (World) world = conference_of (2);
  Peer *alice = world_get (world, 0), *bob = world_get (world, 1);

  peer_move (bob);
  world_run (world, 2 * WORLD_SECOND);
  world_assert_settled (world, 2);
  g_assert_cmpstr (g_ptr_array_index (alice->addresses, 1), ==,
      "10.0.0.2:5001");
  peer_refresh (alice);
  world_run (world, WORLD_SECOND);
  world_assert_settled (world, 2);
  g_assert_cmpint (peer_cause (bob), ==, BRAVIS_CAUSE_REFRESH);
}

/* --- two conferences become one --- */

static void
test_two_alone_that_invite_each_other_end_in_one (void)
{
  for (guint lead = 0; lead < 60; lead++) {
    g_autoptr (World) world = world_new (pki, lead, 0.05);
    Peer *alice = world_add (world, "alice"), *bob = world_add (world, "bob");
    Peer *first = lead % 2 ? alice : bob, *second = lead % 2 ? bob : alice;

    peer_start (alice);
    peer_start (bob);
    peer_invite (first, second);
    world_run (world, lead / 2 * 10 * WORLD_MS);
    peer_invite (second, first);
    world_run (world, 15 * WORLD_SECOND);
    world_assert_settled (world, 2);
    g_assert_cmpuint (alice->refusals->len, ==, 0);
    g_assert_cmpuint (bob->refusals->len, ==, 0);
  }
}

static void
test_three_alone_that_invite_in_a_ring_end_in_one (void)
{
  for (guint seed = 0; seed < 20; seed++) {
    g_autoptr (World) world = world_new (pki, seed, 0.05);
    Peer *peers[] = { world_add (world, "alice"), world_add (world, "bob"),
      world_add (world, "carol") };

    for (guint i = 0; i < 3; i++)
      peer_start (peers[i]);
    for (guint i = 0; i < 3; i++) {
      peer_invite (peers[i], peers[(i + (seed % 2 ? 1 : 2)) % 3]);
      world_run (world, seed * 3 * WORLD_MS);
    }
    world_run (world, 30 * WORLD_SECOND);
    world_assert_settled (world, 3);
  }
}

static void
test_member_with_others_is_not_lured_away (void)
{
  g_autoptr (World) world = conference_of (2);
  Peer *carol = world_add (world, "carol");

  peer_start (carol);
  peer_invite (carol, world_get (world, 0));
  world_run (world, 3 * WORLD_SECOND);
  g_assert_cmpuint (peer_n_members (world_get (world, 0)), ==, 2);
  g_assert_cmpuint (peer_n_members (carol), ==, 1);
  peer_invite (world_get (world, 0), carol);
  world_run (world, 10 * WORLD_SECOND);
  world_assert_settled (world, 3);
}

/* --- the same name again --- */

static void
check_comes_back (gint64 after)
{
  g_autoptr (World) world = conference_of (3);
  Peer *again;

  peer_crash (world_get (world, 1));
  world_run (world, after);
  again = world_add (world, "bob");
  peer_invite (world_get (world, 0), again);
  world_run (world, 15 * WORLD_SECOND);
  world_assert_settled (world, 3);
  g_assert_cmpuint (peer_n_members (again), ==, 3);
  g_assert_true (peer_was_told (world_get (world, 2), "left " BOB " *"));
}

static void
test_who_crashed_takes_its_old_place (void)
{
  check_comes_back (0);
  check_comes_back (300 * WORLD_MS);
  check_comes_back (2 * WORLD_SECOND);
}

/* Somebody crashes at any moment on the way in, and is started at another address and
 * invited again, by the same member or another. */
static void
test_who_crashed_on_the_way_in_comes_in (void)
{
  for (guint lead = 10; lead < 500; lead += 20) {
    g_autoptr (World) world = world_new_conference (pki, 3, 0);
    Peer *grace = world_add (world, "grace"), *again;

    peer_invite (world_get (world, 0), grace);
    world_run (world, lead * WORLD_MS);
    peer_crash (grace);
    again = world_add (world, "grace");
    peer_invite (world_get (world, lead / 20 % 2), again);
    world_run (world, 30 * WORLD_SECOND);
    world_assert_settled (world, 4);
    g_assert_cmpuint (peer_n_members (again), ==, 4);
  }
}

static void
test_the_newest_incarnation_wins (void)
{
  g_autoptr (World) world = conference_of (3);
  Peer *again = world_add (world, "bob");

  peer_invite (world_get (world, 0), again);
  world_run (world, 5 * WORLD_SECOND);
  g_assert_true (world_get (world, 1)->over);
  g_assert_cmpint (world_get (world, 1)->end_reason, ==, GCP_END_PUT_OUT);
  world_assert_settled (world, 3);
}

/* --- who is refused --- */

static void
test_bad_certificate_is_refused_and_all_say_why (void)
{
  static const struct {
    const char *name;
    TestPkiKind kind;
    BravisError code;
  } cases[] = {
    { "erin", TEST_PKI_EXPIRED, BRAVIS_ERROR_EXPIRED },
    { "frank", TEST_PKI_NOT_YET_VALID, BRAVIS_ERROR_EXPIRED },
    { "mallory", TEST_PKI_OTHER_CA, BRAVIS_ERROR_UNTRUSTED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (World) world = conference_of (2);
    Peer *bad = world_add_of_kind (world, cases[i].name, cases[i].kind);

    peer_invite (world_get (world, 0), bad);
    world_run (world, 5 * WORLD_SECOND);
    world_assert_settled (world, 2);
    g_assert_cmpuint (bad->epochs->len, ==, 0);
    g_assert_cmpuint (world_get (world, 0)->refusals->len, ==, 1);
    g_assert_cmpuint (world_get (world, 1)->refusals->len, ==, 1);
    g_assert_cmpuint (bad->refusals->len, ==, 1);
    if (cases[i].kind != TEST_PKI_OTHER_CA) {
      g_assert_true (peer_reports (world_get (world, 0), bad->name, NULL,
          cases[i].code));
      g_assert_true (peer_reports (world_get (world, 1), bad->name, ALICE,
          cases[i].code));
      g_assert_true (peer_reports (bad, bad->name, ALICE, cases[i].code));
    }
  }
}

static void
test_invitee_that_denies_is_reported_by_all (void)
{
  g_autoptr (World) world = conference_of (2);
  Peer *carol = world_add (world, "carol");

  carol->denies = TRUE;
  peer_invite (world_get (world, 0), carol);
  world_run (world, 3 * WORLD_SECOND);
  world_assert_settled (world, 2);
  g_assert_true (peer_reports (world_get (world, 0), ALICE, CAROL,
      BRAVIS_ERROR_DENIED));
  g_assert_true (peer_reports (world_get (world, 1), ALICE, CAROL,
      BRAVIS_ERROR_DENIED));
  g_assert_true (peer_reports (carol, ALICE, NULL, BRAVIS_ERROR_DENIED));
}

/* The inviter knows nothing of the revocation; one other member does. */
static void
test_one_member_refuses_and_everybody_says_why (void)
{
  g_autoptr (TestPki) own = test_pki_new ();
  g_autoptr (World) world = world_new (own, 7, 0);
  Peer *alice = world_add (world, "alice");
  Peer *grace = world_add (world, "grace");
  Peer *bob = world_add (world, "bob");
  g_autoptr (GPtrArray) news = NULL;

  peer_start (alice);
  peer_invite (alice, bob);
  world_run (world, 2 * WORLD_SECOND);
  test_pki_revoke (own, "grace");
  news = bravis_identity_reload_revocations (bob->conference->identity, NULL);
  g_assert_cmpuint (news->len, ==, 1);
  peer_invite (alice, grace);
  world_run (world, 5 * WORLD_SECOND);
  world_assert_settled (world, 2);
  g_assert_true (peer_reports (alice, grace->name, BOB, BRAVIS_ERROR_REVOKED));
  g_assert_true (peer_reports (bob, grace->name, NULL, BRAVIS_ERROR_REVOKED));
  g_assert_true (peer_reports (grace, grace->name, ALICE,
      BRAVIS_ERROR_REVOKED));
  g_assert_cmpuint (grace->epochs->len, ==, 0);
  g_assert_cmpint (bravis_conference_get_state (grace->conference), ==,
      BRAVIS_CONFERENCE_IDLE);
}

/* The newcomer verifies every member itself: here it knows of a revocation that
 * the group does not. */
static void
test_newcomer_does_not_join_a_group_with_a_bad_member (void)
{
  g_autoptr (TestPki) own = test_pki_new ();
  g_autoptr (World) world = world_new (own, 8, 0);
  Peer *alice = world_add (world, "alice");
  Peer *grace = world_add (world, "grace");
  Peer *bob;

  peer_start (alice);
  peer_invite (alice, grace);
  world_run (world, 2 * WORLD_SECOND);
  test_pki_revoke (own, "grace");
  bob = world_add (world, "bob");
  peer_invite (alice, bob);
  world_run (world, 5 * WORLD_SECOND);
  world_assert_settled (world, 2);
  g_assert_cmpuint (bob->epochs->len, ==, 0);
  g_assert_true (peer_reports (bob, ALICE, NULL, BRAVIS_ERROR_REVOKED));
  g_assert_true (peer_reports (grace, ALICE, BOB, BRAVIS_ERROR_REVOKED));
}

/* ... also those that came in while it was on its way in itself. */
static void
test_newcomers_that_cannot_be_together_part (void)
{
  g_autoptr (TestPki) own = test_pki_new ();
  g_autoptr (World) world = world_new (own, 9, 0);
  Peer *alice = world_add (world, "alice");
  Peer *dave = world_add (world, "dave");
  Peer *grace = world_add (world, "grace");
  Peer *bob;

  peer_start (alice);
  peer_invite (alice, dave);
  world_run (world, 2 * WORLD_SECOND);
  test_pki_revoke (own, "grace");
  bob = world_add (world, "bob");
  peer_invite (alice, bob);
  peer_invite (dave, grace);
  world_run (world, 6 * WORLD_SECOND);
  g_assert_true (world_is_settled (world));
  g_assert_false (peer_is_live (bob) && peer_is_live (grace));
  for (guint i = 0; i < bob->epochs->len; i++)
    g_assert_false (gcp_view_contains (bravis_epoch_get_view (g_ptr_array_index
        (bob->epochs, i)), grace->conference->own->card->id));
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pki = test_pki_new ();

#define ADD(name) g_test_add_func ("/keymgmt/conference/" #name, test_ ## name)
  ADD (who_starts_is_alone_with_an_epoch);
  ADD (invited_peer_comes_in);
  ADD (newcomer_may_invite_in_its_turn);
  ADD (newcomers_of_different_inviters_come_in_together);
  ADD (short_tags_are_for_those_who_asked_for_them);
  ADD (who_leaves_is_out_and_the_key_changes);
  ADD (who_crashes_is_out_and_the_key_changes);
  ADD (refresh_changes_the_key);
  ADD (many_changes_together_are_few_key_changes);
  ADD (key_is_replaced_after_its_lifetime);
  ADD (key_is_replaced_though_its_maker_does_not_ask);
  ADD (streams_are_told_to_all_and_to_newcomers);
  ADD (messages_reach_all_members);
  ADD (corked_messages_go_out_together);
  ADD (who_is_behind_holds_messages_up_and_nothing_else);
  ADD (newcomers_learn_who_is_behind);
  ADD (who_is_behind_and_crashes_holds_nobody_up);
  ADD (messages_before_leaving_are_delivered);
  ADD (streams_are_limited);
  ADD (one_may_leave_in_any_state);
  ADD (who_leaves_is_known_to_have_left);
  ADD (newcomers_do_not_come_in_as_the_last_member_leaves);
  ADD (peer_at_another_address_is_followed);
  ADD (two_alone_that_invite_each_other_end_in_one);
  ADD (three_alone_that_invite_in_a_ring_end_in_one);
  ADD (member_with_others_is_not_lured_away);
  ADD (who_crashed_takes_its_old_place);
  ADD (who_crashed_on_the_way_in_comes_in);
  ADD (the_newest_incarnation_wins);
  ADD (bad_certificate_is_refused_and_all_say_why);
  ADD (invitee_that_denies_is_reported_by_all);
  ADD (one_member_refuses_and_everybody_says_why);
  ADD (newcomer_does_not_join_a_group_with_a_bad_member);
  ADD (newcomers_that_cannot_be_together_part);
  result = g_test_run ();
  test_pki_free (pki);
  return result;
}
