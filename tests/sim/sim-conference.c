/* sim-conference.c: whole peers with real cryptography, many seeded histories
 *
 * Two to six peers; datagrams are lost, doubled and late; peers are invited by
 * different members at once, leave, crash, ask for new keys, and those that crashed
 * come back. At the end, those that are left are one group with one epoch. What
 * must hold on the way is checked in conference-world.c.
 *
 * SIM_SEED=N plays one history, SIM_COUNT=N that many.
 */
#include "../keymgmt/conference-world.h"

#define MAX_PEERS 12
#define CALM (40 * WORLD_SECOND)

static TestPki *pki;
static guint n_epochs[BRAVIS_CAUSE_REFRESH + 1];      /* by cause, of all histories */
static const char *const names[] = { "alice", "bob", "carol", "dave", "erin",
  "frank" };

typedef struct {
  World *world;
  SimRandom *random;
  Peer *holder_of_name[G_N_ELEMENTS (names)];   /* its newest incarnation */
  guint n_names;
  gboolean losses;              /* of members */
} History;

static gboolean
is_crashed (Peer *peer)
{
  return sim_network_is_crashed (peer->world->network, peer->node);
}

static Peer *
pick_live (History *history)
{
  Peer *live[MAX_PEERS];
  guint n = 0;

  for (guint i = 0; i < history->world->peers->len; i++)
    if (peer_is_live (world_get (history->world, i)))
      live[n++] = world_get (history->world, i);
  return n == 0 ? NULL : live[sim_random_range (history->random, 0, n - 1)];
}

/* A peer of a name that nobody alive has: new, or back after its end. */
static void
invite_somebody (History *history)
{
  guint place = sim_random_range (history->random, 0, history->n_names - 1);
  Peer *inviter = pick_live (history);
  Peer *peer = history->holder_of_name[place];

  if (!inviter)
    return;
  if (peer->over || is_crashed (peer)) {
    if (history->world->peers->len >= MAX_PEERS)
      return;
    peer = history->holder_of_name[place] = world_add (history->world,
        names[place]);
  }
  if (bravis_conference_get_state (peer->conference)
      == BRAVIS_CONFERENCE_IDLE)
    peer_invite (inviter, peer);
}

/* The last one stays, so that there is a group to look at. */
static void
lose_somebody (History *history)
{
  Peer *peer = pick_live (history);

  if (!history->losses || !peer || peer_n_members (peer) < 2)
    return;
  if (sim_random_chance (history->random, 0.5))
    peer_leave (peer);
  else
    peer_crash (peer);
}

static void
do_something (History *history)
{
  Peer *peer;

  switch (sim_random_range (history->random, 0, 7)) {
    case 0: case 1: case 2:
      invite_somebody (history);
      break;
    case 3: case 4:
      lose_somebody (history);
      break;
    case 5:
      if ((peer = pick_live (history)))
        peer_refresh (peer);
      break;
    default:
      if ((peer = pick_live (history)))
        peer_add_stream (peer, BRAVIS_KIND_AUDIO, "caps");
  }
}

/* What a group of @n members has heard of each other's streams. */
static void
assert_streams_known (World *world)
{
  for (guint i = 0; i < world->peers->len; i++) {
    Peer *owner = world_get (world, i);

    for (guint j = 0; peer_is_live (owner) && j < world->peers->len; j++) {
      Peer *other = world_get (world, j);

      if (other != owner && peer_is_live (other))
        g_assert_cmpuint (bravis_streams_count (other->conference->streams,
            owner->conference->own->card->id), ==, bravis_streams_count (
            owner->conference->own_streams, GCP_MEMBER_NONE));
    }
  }
}

/* Who left has no key of what came later: nothing in any epoch of those that went
 * on is what it has, but the epochs that it was in. */
static void
assert_secrets_kept (World *world)
{
  for (guint i = 0; i < world->peers->len; i++) {
    Peer *peer = world_get (world, i);

    for (guint j = 0; j < world->peers->len; j++) {
      Peer *other = world_get (world, j);

      for (guint k = 0; k < other->epochs->len; k++) {
        BravisEpoch *epoch = g_ptr_array_index (other->epochs, k);

        if (gcp_view_contains (bravis_epoch_get_view (epoch), peer->last_id))
          continue;
        for (guint l = 0; l < peer->epochs->len; l++)
          g_assert_false (bravis_secret_equal (bravis_epoch_get_secret (epoch),
              bravis_epoch_get_secret (g_ptr_array_index (peer->epochs, l))));
      }
    }
  }
}

static void
settle (World *world)
{
  world_run (world, CALM);
  g_assert_true (world_is_settled (world));
  for (guint i = 0; i < world->peers->len; i++) {
    Peer *peer = world_get (world, i);

    if (!is_crashed (peer))
      g_assert_cmpint (bravis_conference_get_state (peer->conference), !=,
          BRAVIS_CONFERENCE_JOINING);
  }
  assert_streams_known (world);
  assert_secrets_kept (world);
  for (guint i = 0; i < world->peers->len; i++) {
    GArray *causes = world_get (world, i)->causes;

    for (guint j = 0; j < causes->len; j++)
      n_epochs[g_array_index (causes, BravisCause, j)]++;
  }
}

static void
play (guint64 seed)
{
  static const double losses[] = { 0, 0.02, 0.1, 0.2 };
  World *world = world_new (pki, seed, losses[seed % G_N_ELEMENTS (losses)]);
  History history = { .world = world,
    .random = sim_network_random (world->network), .losses = seed % 5 != 0 };
  guint n_steps;

  history.n_names = sim_random_range (history.random, 2,
      G_N_ELEMENTS (names));
  for (guint i = 0; i < history.n_names; i++)
    history.holder_of_name[i] = world_add (world, names[i]);
  peer_start (history.holder_of_name[0]);
  n_steps = sim_random_range (history.random, 5, 25);
  for (guint i = 0; i < n_steps; i++) {
    do_something (&history);
    world_run (world, sim_random_chance (history.random, 0.4) ? 0
        : sim_random_range (history.random, 0, 700) * WORLD_MS);
  }
  settle (world);
  world_free (world);
}

static void
test_histories_end_in_one_group_with_one_epoch (void)
{
  const char *seed = g_getenv ("SIM_SEED");
  const char *count = g_getenv ("SIM_COUNT");
  guint64 first = seed ? g_ascii_strtoull (seed, NULL, 10) : 1;
  guint64 n = seed ? 1 : count ? g_ascii_strtoull (count, NULL, 10) : 240;

  for (guint64 i = first; i < first + n; i++) {
    g_test_message ("SIM_SEED=%" G_GUINT64_FORMAT, i);
    play (i);
  }
  /* The histories hold what they are meant to try. */
  for (guint i = 0; i < G_N_ELEMENTS (n_epochs) && !seed; i++) {
    g_test_message ("%s: %u epochs", bravis_cause_to_string (i), n_epochs[i]);
    g_assert_cmpuint (n_epochs[i], >, 0);
  }
}

/* Nobody is lost, so all that were invited must be in. */
static void
test_all_that_are_invited_come_in (void)
{
  for (guint64 seed = 1; seed <= 60; seed++) {
    g_autoptr (World) world = world_new (pki, seed, seed % 3 * 0.1);
    SimRandom *random = sim_network_random (world->network);
    guint n = sim_random_range (random, 2, G_N_ELEMENTS (names));

    g_test_message ("seed %" G_GUINT64_FORMAT, seed);
    for (guint i = 0; i < n; i++)
      world_add (world, names[i]);
    peer_start (world_get (world, 0));
    for (guint i = 1; i < n; i++) {
      History history = { .world = world, .random = random };

      peer_invite (pick_live (&history), world_get (world, i));
      world_run (world, sim_random_range (random, 0, 300) * WORLD_MS);
    }
    settle (world);
    world_assert_settled (world, n);
  }
}

/* One of three crashes after each number of datagrams while a fourth comes in:
 * inviter, holder or neither, in the middle of handshake, vote, view change and
 * key change. */
static void
test_a_crash_at_any_point_is_survived (void)
{
  for (guint victim = 0; victim < 3; victim++)
    for (guint after = 0; after < 260; after += 4) {
      g_autoptr (World) world = world_new (pki, after, 0);

      g_test_message ("victim %u after %u", victim, after);
      for (guint i = 0; i < 4; i++)
        world_add (world, names[i]);
      peer_start (world_get (world, 0));
      peer_invite (world_get (world, 0), world_get (world, 1));
      peer_invite (world_get (world, 0), world_get (world, 2));
      world_run (world, 3 * WORLD_SECOND);
      world_assert_settled (world, 3);
      world->victim = victim;
      world->crash_at = world->n_sent + after;
      peer_invite (world_get (world, 1), world_get (world, 3));
      world_run (world, 2 * WORLD_SECOND);
      peer_crash (world_get (world, victim));
      settle (world);
      g_assert_false (peer_is_live (world_get (world, victim)));
      /* Only who was left without its inviter may have stayed outside. */
      if (victim != 1)
        world_assert_settled (world, 3);
    }
}

static void
test_a_crash_in_a_key_change_is_survived (void)
{
  for (guint victim = 0; victim < 3; victim++)
    for (guint after = 0; after < 40; after++) {
      g_autoptr (World) world = world_new (pki, after, 0);

      for (guint i = 0; i < 3; i++)
        world_add (world, names[i]);
      peer_start (world_get (world, 0));
      peer_invite (world_get (world, 0), world_get (world, 1));
      peer_invite (world_get (world, 0), world_get (world, 2));
      world_run (world, 3 * WORLD_SECOND);
      world_assert_settled (world, 3);
      world->victim = victim;
      world->crash_at = world->n_sent + after;
      peer_refresh (world_get (world, (victim + 1) % 3));
      world_run (world, 2 * WORLD_SECOND);
      peer_crash (world_get (world, victim));
      world_run (world, 5 * WORLD_SECOND);
      world_assert_settled (world, 2);
      assert_secrets_kept (world);
    }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pki = test_pki_new ();
#define ADD(name) g_test_add_func ("/sim/conference/" #name, test_ ## name)
  ADD (all_that_are_invited_come_in);
  ADD (a_crash_in_a_key_change_is_survived);
  ADD (a_crash_at_any_point_is_survived);
  ADD (histories_end_in_one_group_with_one_epoch);
  result = g_test_run ();
  test_pki_free (pki);
  return result;
}
