/* What the door does for peers that mean well, over networks that do not. */
#include "door-world.h"

#include <string.h>

static World *
quiet_world (void)
{
  return world_new (1, NULL);
}

static void
check_met (Peer *inviter, Peer *invitee)
{
  g_assert_cmpuint (inviter->n_invitee, ==, 1);
  g_assert_cmpuint (inviter->n_ready, ==, 1);
  g_assert_cmpuint (invitee->n_welcome, ==, 1);
  g_assert_cmpuint (inviter->n_refused + invitee->n_refused, ==, 0);
  g_assert_cmpstr (inviter->peer_name, ==,
      bravis_identity_get_name (invitee->identity));
  g_assert_cmpstr (invitee->peer_name, ==,
      bravis_identity_get_name (inviter->identity));
  g_assert_true (g_bytes_equal (inviter->peer_card->bytes,
          invitee->own->card->bytes));
  g_assert_true (g_bytes_equal (invitee->peer_card->bytes,
          inviter->own->card->bytes));
  g_assert_true (g_bytes_equal (invitee->roster, inviter->world->roster));
}

/* @who refused @name, @whom was told. */
static void
check_refused (Peer *who, const char *name, Peer *whom, BravisError code)
{
  g_assert_cmpuint (who->n_refused, ==, 1);
  g_assert_true (who->refused_by_us);
  g_assert_error (who->refusal, BRAVIS_ERROR, (gint) code);
  g_assert_cmpstr (who->refused_name, ==, name);
  g_assert_cmpuint (whom->n_refused, ==, 1);
  g_assert_false (whom->refused_by_us);
  g_assert_error (whom->refusal, BRAVIS_ERROR, (gint) code);
  g_assert_cmpstr (whom->refused_name, ==,
      bravis_identity_get_name (who->identity));
  g_assert_cmpuint (who->n_ready + who->n_welcome, ==, 0);
  g_assert_cmpuint (whom->n_ready + whom->n_welcome, ==, 0);
}

static const struct {
  const char *name;
  TestPkiKind kind;
} good[] = {
  { "alice", TEST_PKI_GOOD },
  { "erna", TEST_PKI_ECDSA },
  { "rita", TEST_PKI_RSA },
  { "inge", TEST_PKI_INTERMEDIATE },
};

static void
test_every_kind_of_key_and_chain (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    for (guint j = 0; j < G_N_ELEMENTS (good); j++) {
      g_autoptr (World) world = quiet_world ();
      Peer *inviter = world_add (world, good[i].name, good[i].kind);
      Peer *invitee = world_add (world, good[j].name, good[j].kind);

      if (i == j)
        continue;
      world_invite (inviter, good[j].name, invitee);
      world_run (world, WORLD_S);
      check_met (inviter, invitee);
      g_assert_cmpuint (inviter->n_unreachable, ==, 0);
    }
}

/* Nothing is sent twice, and nothing more than is needed. */
static void
test_a_good_network_sees_each_message_once (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  world_invite (alice, "bob", bob);
  world_run (world, 60 * WORLD_S);
  check_met (alice, bob);
  g_assert_cmpuint (world_count_sent (alice, BRAVIS_MESSAGE_HELLO), ==, 2);
  g_assert_cmpuint (world_count_sent (bob, BRAVIS_MESSAGE_COOKIE), ==, 1);
  g_assert_cmpuint (world_count_sent (bob, BRAVIS_MESSAGE_REPLY), ==, 1);
  g_assert_cmpuint (world_count_sent (alice, BRAVIS_MESSAGE_INVITER), ==, 1);
  g_assert_cmpuint (world_count_sent (bob, BRAVIS_MESSAGE_INVITEE), ==, 1);
  g_assert_cmpuint (world_count_sent (alice, BRAVIS_MESSAGE_WELCOME), ==, 1);
  g_assert_cmpuint (world_count_sent (bob, BRAVIS_MESSAGE_READY), ==, 1);
  g_assert_cmpuint (alice->sent->len + bob->sent->len, ==, 8);
}

static void
test_nothing_is_remembered_afterwards (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  world_invite (alice, "bob", bob);
  world_run (world, WORLD_S);
  g_assert_cmpuint (bravis_door_count_handshakes (alice->door), ==, 0);
  g_assert_cmpuint (bravis_door_count_handshakes (bob->door), ==, 1);
  world_run (world, BRAVIS_DOOR_MEMORY);
  g_assert_cmpuint (bravis_door_count_handshakes (bob->door), ==, 0);
  g_assert_cmpint (bravis_door_deadline (bob->door), ==, G_MAXINT64);
}

static void
test_a_cookie_is_no_larger_than_its_question (void)
{
  g_assert_cmpuint (BRAVIS_COOKIE_DATAGRAM_SIZE, <=, BRAVIS_HELLO_SIZE);
}

/* A fifth of all datagrams lost, others doubled, late and out of order. */
static void
test_completes_over_bad_networks (void)
{
  static const SimConditions bad = { .loss = 0.2, .duplicate = 0.1,
    .reorder = 0.2, .delay_min = 5 * WORLD_MS, .delay_max = 100 * WORLD_MS,
    .late = 300 * WORLD_MS };

  for (guint64 seed = 0; seed < 400; seed++) {
    g_autoptr (World) world = world_new (seed, &bad);
    g_autoptr (GBytes) roster = g_bytes_new_take (g_malloc0 (seed * 64),
        seed * 64);
    guint i = seed % G_N_ELEMENTS (good);
    Peer *inviter, *invitee;

    /* The slow signatures of RSA now and then only. */
    if (good[i].kind == TEST_PKI_RSA && seed % 16 != 2)
      i = 0;
    inviter = world_add (world, good[i].name, good[i].kind);
    invitee = world_add (world, "bob", TEST_PKI_GOOD);
    g_bytes_unref (world->roster);
    world->roster = g_steal_pointer (&roster);
    world_invite (inviter, "bob", invitee);
    world_run (world, 20 * WORLD_S);
    if (inviter->n_ready != 1 || invitee->n_welcome != 1)
      g_test_message ("seed %" G_GUINT64_FORMAT, seed);
    check_met (inviter, invitee);
  }
}

/* A round trip as long as all pauses together, and everybody's answer crossing
 * somebody's second question. */
static void
test_completes_over_a_long_way (void)
{
  static const SimConditions far = { .delay_min = 400 * WORLD_MS,
    .delay_max = 600 * WORLD_MS };
  g_autoptr (World) world = world_new (1, &far);
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  world_invite (alice, "bob", bob);
  world_run (world, 20 * WORLD_S);
  check_met (alice, bob);
}

static void
test_the_largest_roster_arrives (void)
{
  static const SimConditions bad = { .loss = 0.2, .delay_min = 5 * WORLD_MS,
    .delay_max = 50 * WORLD_MS };
  g_autoptr (World) world = world_new (7, &bad);
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);
  guint8 *octets = g_malloc (BRAVIS_MAX_ROSTER_SIZE);

  sim_random_fill (sim_network_random (world->network), octets,
      BRAVIS_MAX_ROSTER_SIZE);
  g_bytes_unref (world->roster);
  world->roster = g_bytes_new_take (octets, BRAVIS_MAX_ROSTER_SIZE);
  world_invite (alice, "bob", bob);
  world_run (world, 10 * WORLD_S);
  check_met (alice, bob);
}

static void
test_a_roster_over_the_limit_refuses_the_newcomer (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  g_bytes_unref (world->roster);
  world->roster = g_bytes_new_take (g_malloc0 (BRAVIS_MAX_ROSTER_SIZE + 1),
      BRAVIS_MAX_ROSTER_SIZE + 1);
  world_invite (alice, "bob", bob);
  world_run (world, WORLD_S);
  check_refused (alice, "bob@example.org", bob, BRAVIS_ERROR_LIMIT);
}

/* Certificates that are not good, on either side. */
static void
test_bad_certificates_are_refused_and_both_say_why (void)
{
  static const struct {
    const char *name;
    TestPkiKind kind;
    BravisError code;
  } bad[] = {
    { "mallory", TEST_PKI_OTHER_CA, BRAVIS_ERROR_UNTRUSTED },
    { "oldman", TEST_PKI_EXPIRED, BRAVIS_ERROR_EXPIRED },
    { "early", TEST_PKI_NOT_YET_VALID, BRAVIS_ERROR_EXPIRED },
    { "robert", TEST_PKI_REVOKED, BRAVIS_ERROR_REVOKED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *name = g_strconcat (bad[i].name, "@example.org", NULL);

    for (guint invited = 0; invited < 2; invited++) {
      g_autoptr (World) world = quiet_world ();
      Peer *them = world_add (world, bad[i].name, bad[i].kind);
      Peer *us = world_add (world, "alice", TEST_PKI_GOOD);

      if (invited)
        world_invite (us, name, them);
      else
        world_invite (them, "alice", us);
      world_run (world, 60 * WORLD_S);
      check_refused (us, name, them, bad[i].code);
      g_assert_cmpuint (us->n_invitee, ==, 0);
      g_assert_cmpuint (world_count_sent (us, BRAVIS_MESSAGE_INVITEE), ==, 0);
      g_assert_cmpuint (bravis_door_count_handshakes (us->door), ==, 0);
      g_assert_cmpuint (bravis_door_count_handshakes (them->door), ==, 0);
    }
  }
}

static void
test_somebody_else_than_wanted_is_refused (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *carol = world_add (world, "carol", TEST_PKI_GOOD);

  world_invite (alice, "bob", carol);
  world_run (world, 60 * WORLD_S);
  g_assert_cmpuint (alice->n_invitee, ==, 0);
  check_refused (alice, "bob@example.org", carol, BRAVIS_ERROR_WRONG_NAME);
}

static void
test_the_access_list_refuses_before_anything_is_shown (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  bob->denied = "alice@example.org";
  world_invite (alice, "bob", bob);
  world_run (world, WORLD_S);
  g_assert_cmpuint (world_count_sent (bob, BRAVIS_MESSAGE_INVITEE), ==, 0);
  check_refused (bob, "alice@example.org", alice, BRAVIS_ERROR_DENIED);
}

static void
test_a_closed_door_refuses (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  bravis_door_set_open (bob->door, FALSE);
  world_invite (alice, "bob", bob);
  world_run (world, WORLD_S);
  g_assert_cmpuint (world_count_sent (bob, BRAVIS_MESSAGE_INVITEE), ==, 0);
  check_refused (bob, "alice@example.org", alice, BRAVIS_ERROR_STATE);
}

static void
test_another_conference_gets_no_answer (void)
{
  g_autoptr (World) world = quiet_world ();
  g_autoptr (BravisIdentity) identity =
      test_pki_identity (world_pki (), "alice");
  Peer *alice = world_add_peer_of (world, identity, "another meeting");
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  world_invite (alice, "bob", bob);
  world_run (world, 5 * WORLD_S);
  g_assert_cmpuint (bob->sent->len, ==, 0);
  g_assert_cmpuint (bravis_door_count_handshakes (bob->door), ==, 0);
  g_assert_cmpuint (alice->n_unreachable, ==, 1);
  g_assert_cmpuint (alice->n_refused, ==, 0);
}

static gboolean
drop_everything (World *world, Peer *from, Peer *to, GBytes *datagram,
    gpointer user_data)
{
  return FALSE;
}

static void
test_a_silent_peer_is_called_on_and_reported (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);
  guint n_sent;

  world->gate = drop_everything;
  world_invite (alice, "bob", bob);
  world_run (world, 2 * WORLD_S - 1);
  g_assert_cmpuint (alice->n_unreachable, ==, 0);
  world_run (world, 1);
  g_assert_cmpuint (alice->n_unreachable, ==, 1);
  g_assert_cmpint (alice->voided, ==, 0);
  world_run (world, 10 * WORLD_S - 1);
  g_assert_cmpuint (alice->n_unreachable, ==, 1);
  world_run (world, 1);
  g_assert_cmpuint (alice->n_unreachable, ==, 2);
  n_sent = alice->sent->len;
  world_run (world, 100 * WORLD_S);
  g_assert_cmpuint (alice->sent->len - n_sent, ==, 200);

  world->gate = NULL;
  world_run (world, WORLD_S);
  check_met (alice, bob);
}

static void
test_a_withdrawn_invitation_ends (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);
  guint n_sent;

  world->gate = drop_everything;
  world_invite (alice, "bob", bob);
  world_run (world, WORLD_S);
  n_sent = alice->sent->len;
  bravis_door_withdraw (alice->door, "carol@example.org");
  g_assert_cmpuint (bravis_door_count_handshakes (alice->door), ==, 1);
  bravis_door_withdraw (alice->door, "bob@example.org");
  world_settle (alice);
  world_run (world, 10 * WORLD_S);
  g_assert_cmpuint (alice->sent->len, ==, n_sent);
  g_assert_cmpuint (bravis_door_count_handshakes (alice->door), ==, 0);
}

static void
test_inviting_again_moves_to_the_new_address (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *carol = world_add (world, "carol", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  bravis_door_set_open (carol->door, FALSE);
  world_invite (alice, "bob", carol);
  world_invite (alice, "bob", carol);
  g_assert_cmpuint (alice->sent->len, ==, 1);
  world_invite (alice, "bob", bob);
  g_assert_cmpuint (bravis_door_count_handshakes (alice->door), ==, 1);
  world_run (world, WORLD_S);
  check_met (alice, bob);
}

static void
test_two_that_invite_each_other_both_get_through (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  world_invite (alice, "bob", bob);
  world_invite (bob, "alice", alice);
  world_run (world, WORLD_S);
  g_assert_cmpuint (alice->n_ready, ==, 1);
  g_assert_cmpuint (bob->n_ready, ==, 1);
  g_assert_cmpuint (alice->n_welcome, ==, 1);
  g_assert_cmpuint (bob->n_welcome, ==, 1);
}

static void
test_several_are_invited_at_once (void)
{
  static const SimConditions bad = { .loss = 0.2, .delay_min = 5 * WORLD_MS,
    .delay_max = 50 * WORLD_MS };
  g_autoptr (World) world = world_new (3, &bad);
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  const char *names[] = { "bob", "carol", "dave", "inge", "erna" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    world_invite (alice, names[i], world_add (world, names[i], TEST_PKI_GOOD));
  world_run (world, 20 * WORLD_S);
  g_assert_cmpuint (alice->n_ready, ==, G_N_ELEMENTS (names));
}

/* Loses the first @n datagrams of a type. */
typedef struct {
  guint type;
  guint n;
} Loss;

static gboolean
lose_first (World *world, Peer *from, Peer *to, GBytes *datagram,
    gpointer user_data)
{
  Loss *loss = user_data;

  if (world_type (datagram) != loss->type || loss->n == 0)
    return TRUE;
  loss->n--;
  return FALSE;
}

static void
test_every_message_may_be_lost_five_times (void)
{
  for (guint type = BRAVIS_MESSAGE_HELLO; type <= BRAVIS_MESSAGE_READY;
      type++) {
    g_autoptr (World) world = quiet_world ();
    Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
    Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);
    Loss loss = { type, 5 };

    world->gate = lose_first;
    world->gate_data = &loss;
    world_invite (alice, "bob", bob);
    world_run (world, 4 * WORLD_S);
    g_assert_cmpuint (loss.n, ==, 0);
    check_met (alice, bob);
  }
}

static void
test_a_lost_refusal_is_repeated (void)
{
  for (guint case_ = 0; case_ < 3; case_++) {
    g_autoptr (World) world = quiet_world ();
    g_autoptr (GError) why = g_error_new (BRAVIS_ERROR, BRAVIS_ERROR_POLICY,
        "because");
    Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
    Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);
    Loss loss = { BRAVIS_MESSAGE_REFUSE, 5 };

    if (case_ == 0)
      bob->denied = "alice@example.org";
    else if (case_ == 1)
      alice->refuses = why;
    else
      bob->refuses = why;
    world->gate = lose_first;
    world->gate_data = &loss;
    world_invite (alice, "bob", bob);
    world_run (world, 60 * WORLD_S);
    if (case_ == 1) {
      g_assert_error (bob->refusal, BRAVIS_ERROR, BRAVIS_ERROR_POLICY);
      g_assert_cmpstr (bob->refused_name, ==, "alice@example.org");
    } else {
      g_assert_error (alice->refusal, BRAVIS_ERROR,
          (gint) (case_ == 0 ? BRAVIS_ERROR_DENIED : BRAVIS_ERROR_POLICY));
      g_assert_cmpstr (alice->refused_name, ==, "bob@example.org");
    }
    g_assert_cmpuint (alice->n_ready, ==, 0);
    g_assert_cmpuint (bravis_door_count_handshakes (alice->door), ==, 0);
    g_assert_cmpuint (bravis_door_count_handshakes (bob->door), ==, 0);
  }
}

/* The group may take its time. */
static void
test_a_slow_decision_is_waited_for (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  alice->waits = TRUE;
  world_invite (alice, "bob", bob);
  world_run (world, 20 * WORLD_S);
  g_assert_cmpuint (alice->n_invitee, ==, 1);
  g_assert_cmpuint (alice->n_unreachable, ==, 0);
  bravis_door_welcome (alice->door, alice->asked, world->roster,
      world_now (world));
  world_settle (alice);
  world_run (world, WORLD_S);
  check_met (alice, bob);
}

static void
test_an_invitee_that_started_anew_is_found_again (void)
{
  for (guint type = BRAVIS_MESSAGE_REPLY; type <= BRAVIS_MESSAGE_INVITEE;
      type += 2) {
    g_autoptr (World) world = quiet_world ();
    Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
    Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);
    Loss loss = { type == BRAVIS_MESSAGE_REPLY ? BRAVIS_MESSAGE_INVITER :
          BRAVIS_MESSAGE_INVITEE, G_MAXUINT };

    world->gate = lose_first;
    world->gate_data = &loss;
    world_invite (alice, "bob", bob);
    world_run (world, WORLD_S);
    world_restart_peer (bob);
    world->gate = NULL;
    world_run (world, 10 * WORLD_S);
    check_met (alice, bob);
  }
}

static void
test_a_welcome_that_nobody_takes_is_void (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);
  Loss loss = { BRAVIS_MESSAGE_READY, G_MAXUINT };
  guint64 first;

  world->gate = lose_first;
  world->gate_data = &loss;
  world_invite (alice, "bob", bob);
  world_run (world, WORLD_S);
  g_assert_cmpuint (alice->n_invitee, ==, 1);
  first = alice->asked;
  world_run (world, BRAVIS_DOOR_MEMORY);
  g_assert_cmpuint (alice->voided, ==, first);
  world->gate = NULL;
  world_run (world, WORLD_S);
  g_assert_cmpuint (alice->n_invitee, ==, 2);
  g_assert_cmpuint (alice->n_ready, ==, 1);
  g_assert_cmpuint (alice->asked, !=, first);
}

static void
test_answers_about_unknown_handshakes_are_ignored (void)
{
  g_autoptr (World) world = quiet_world ();
  g_autoptr (GError) why = g_error_new (BRAVIS_ERROR, BRAVIS_ERROR_POLICY,
      "because");
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  alice->waits = TRUE;
  world_invite (alice, "bob", bob);
  world_run (world, WORLD_S);
  bravis_door_welcome (alice->door, alice->asked + 100, world->roster, 0);
  bravis_door_ready (alice->door, alice->asked, 0);
  bravis_door_refuse (alice->door, 0, why, 0);
  world_settle (alice);
  g_assert_cmpuint (world_count_sent (alice, BRAVIS_MESSAGE_WELCOME), ==, 0);
  g_assert_cmpuint (world_count_sent (alice, BRAVIS_MESSAGE_REFUSE), ==, 0);
}

/* The same name from another address: the last one counts. */
static void
test_only_the_newest_handshake_of_an_inviter_goes_on (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *one = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *two = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  one->waits = TRUE;
  world_invite (one, "bob", bob);
  world_run (world, WORLD_S);
  g_assert_cmpuint (bravis_door_count_handshakes (bob->door), ==, 1);
  world_invite (two, "bob", bob);
  world_run (world, WORLD_S);
  g_assert_cmpuint (bravis_door_count_handshakes (bob->door), ==, 1);
  g_assert_cmpuint (two->n_ready, ==, 1);
}

static void
test_a_refused_peer_can_be_invited_again (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *alice = world_add (world, "alice", TEST_PKI_GOOD);
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);

  bravis_door_set_open (bob->door, FALSE);
  world_invite (alice, "bob", bob);
  world_run (world, WORLD_S);
  check_refused (bob, "alice@example.org", alice, BRAVIS_ERROR_STATE);
  bravis_door_set_open (bob->door, TRUE);
  world_invite (alice, "bob", bob);
  world_run (world, WORLD_S);
  g_assert_cmpuint (alice->n_ready, ==, 1);
}

static void
test_too_many_proven_inviters_are_refused (void)
{
  g_autoptr (World) world = quiet_world ();
  Peer *bob = world_add (world, "bob", TEST_PKI_GOOD);
  Peer *last = NULL;

  for (guint i = 0; i <= BRAVIS_DOOR_MAX_PROVEN; i++) {
    g_autofree char *name = g_strdup_printf ("guest%u", i);

    last = world_add (world, name, TEST_PKI_GOOD);
    last->waits = TRUE;
    world_invite (last, "bob", bob);
    world_run (world, 100 * WORLD_MS);
  }
  g_assert_error (last->refusal, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT);
  g_assert_cmpuint (bob->n_refused, ==, 1);
}

#define ADD(test) \
    g_test_add_func ("/keymgmt/door/" #test, test_##test)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (every_kind_of_key_and_chain);
  ADD (a_good_network_sees_each_message_once);
  ADD (nothing_is_remembered_afterwards);
  ADD (a_cookie_is_no_larger_than_its_question);
  ADD (completes_over_bad_networks);
  ADD (completes_over_a_long_way);
  ADD (the_largest_roster_arrives);
  ADD (a_roster_over_the_limit_refuses_the_newcomer);
  ADD (bad_certificates_are_refused_and_both_say_why);
  ADD (somebody_else_than_wanted_is_refused);
  ADD (the_access_list_refuses_before_anything_is_shown);
  ADD (a_closed_door_refuses);
  ADD (another_conference_gets_no_answer);
  ADD (a_silent_peer_is_called_on_and_reported);
  ADD (a_withdrawn_invitation_ends);
  ADD (inviting_again_moves_to_the_new_address);
  ADD (two_that_invite_each_other_both_get_through);
  ADD (several_are_invited_at_once);
  ADD (every_message_may_be_lost_five_times);
  ADD (a_lost_refusal_is_repeated);
  ADD (a_slow_decision_is_waited_for);
  ADD (an_invitee_that_started_anew_is_found_again);
  ADD (a_welcome_that_nobody_takes_is_void);
  ADD (answers_about_unknown_handshakes_are_ignored);
  ADD (only_the_newest_handshake_of_an_inviter_goes_on);
  ADD (a_refused_peer_can_be_invited_again);
  ADD (too_many_proven_inviters_are_refused);
  return g_test_run ();
}
