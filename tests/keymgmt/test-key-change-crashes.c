/* Key changes whose maker crashes, or in which something else begins, at every point:
 * real peers in virtual time. Afterwards all who are left have one key, of a view of
 * just them.
 *
 * All that others have of a peer is what it sent: so the points are the datagrams of
 * the member that makes the key.
 *
 * SIM_SEED=N plays it in another world. */
#include "conference-world.h"

#define LIMIT (40 * WORLD_SECOND)
#define BOB 1
#define DORA 2
#define ERIN 3
#define MAX_PEERS 8

typedef enum { REFRESH, JOIN, LEAVE, PUT_OUT, CRASH, MERGE } Event;

/* A conference of @n, in which the token went on by @n_refreshes, and what changes its
 * key. */
typedef struct {
  guint n, n_refreshes;
  Event event;
} Scene;

static TestPki *pki;

/* Comes when the peer @node is about to send its datagram @n_left, from 0 on. */
static struct {
  guint node;
  guint n_left;
  gboolean crash;               /* that peer crashes, and sends no more; else: */
  Event event;
  gboolean sprung;
} trap;

/* What is waited for. */
static gboolean wanted[MAX_PEERS];      /* is a member; by node */
static guint64 last_epoch;              /* a later one has come */

/* --- scenes --- */

static void
set_sides (World *world, guint n, guint of_second_half)
{
  for (guint i = (n + 1) / 2; i < n; i++)
    sim_network_set_side (world->network, i, of_second_half);
}

/* All is ready for the event to happen. */
static World *
begin (const Scene *scene)
{
  static const char *const names[] = { "alice", "bob", "dora", "erin", "frank" };
  const char *seed = g_getenv ("SIM_SEED");
  World *world = world_new (pki, seed ? g_ascii_strtoull (seed, NULL, 10) : 7, 0);

  for (guint i = 0; i < MAX_PEERS; i++)
    wanted[i] = i < scene->n;
  for (guint i = 0; i < scene->n; i++)
    world_add (world, names[i]);
  peer_start (world_get (world, 0));
  for (guint i = 1; i < scene->n; i++)
    peer_invite (world_get (world, 0), world_get (world, i));
  world_run (world, 3 * WORLD_SECOND);
  for (guint i = 0; i < scene->n_refreshes; i++) {
    peer_refresh (world_get (world, 0));
    world_run (world, WORLD_SECOND);
  }
  world_assert_settled (world, scene->n);
  if (scene->event == MERGE) {
    set_sides (world, scene->n, 1);
    world_run (world, 3 * WORLD_SECOND);
    g_assert_cmpuint (peer_n_members (world_get (world, 0)), ==,
        (scene->n + 1) / 2);
  }
  last_epoch = bravis_epoch_get_number (peer_epoch (world_get (world, 0)));
  return world;
}

/* Invites and asks for keys: somebody who stays. */
static Peer *
pick_host (World *world)
{
  return world_get (world, trap.crash && trap.node == 0 ? BOB : 0);
}

static Peer *
pick_loser (World *world)
{
  guint node = wanted[ERIN] ? ERIN : DORA;

  wanted[node] = FALSE;
  return world_get (world, node);
}

static void
invite (World *world, const char *name)
{
  wanted[world->peers->len] = TRUE;
  peer_invite (pick_host (world), world_add (world, name));
}

static void
make_happen (World *world, guint n, Event event)
{
  switch (event) {
    case REFRESH:
      peer_refresh (pick_host (world));
      break;
    case JOIN:
      invite (world, world->peers->len % 2 ? "grace" : "heidi");
      break;
    case LEAVE:
      peer_leave (pick_loser (world));
      break;
    case PUT_OUT:
      /* For a new process of the same name. */
      wanted[DORA] = FALSE;
      invite (world, "dora");
      break;
    case CRASH:
      peer_crash (pick_loser (world));
      break;
    case MERGE:
      set_sides (world, n, 0);
      break;
  }
}

/* --- what comes in between --- */

static void
begin_second (SimNetwork *network, gpointer world)
{
  make_happen (world, 0, trap.event);
}

static void
spring (Peer *peer, const BravisConferenceOutput *output)
{
  SimNetwork *network = peer->world->network;

  if (peer->node != trap.node || output->type != BRAVIS_CONFERENCE_SEND
      || trap.sprung || trap.n_left-- > 0)
    return;
  trap.sprung = TRUE;
  if (trap.crash) {
    wanted[peer->node] = FALSE;
    peer_crash (peer);
  } else {
    sim_network_at (network, sim_network_now (network), begin_second,
        peer->world);
  }
}

/* All who are wanted, and nobody else, have one key. It is a new one, unless the one
 * that was to come in has crashed. */
static gboolean
is_over (World *world)
{
  for (guint i = 0; i < world->peers->len; i++)
    if (peer_is_live (world_get (world, i)) != wanted[i])
      return FALSE;
  return world_is_settled (world) && ((trap.crash && trap.sprung)
      || bravis_epoch_get_number (peer_epoch (world_get (world, 0))) > last_epoch);
}

/* Who made the key that all have, @witness among them: its node. */
static guint
find_maker (World *world, Peer *witness)
{
  GcpView *view = bravis_epoch_get_view (peer_epoch (witness));
  guint n = gcp_view_get_n_members (view);
  guint next = gcp_view_find (view,
      bravis_vtkd_get_holder (witness->conference->vtkd));
  GcpMemberId maker = gcp_view_get_member (view, (next + n - 1) % n)->id;

  for (guint i = 0; i < world->peers->len; i++)
    if (world_get (world, i)->last_id == maker)
      return i;
  g_assert_not_reached ();
}

/* Plays @scene, and makes what is in the trap come in between. */
static World *
play (const Scene *scene)
{
  World *world = begin (scene);

  world->watch = spring;
  make_happen (world, scene->n, scene->event);
  world_run_until (world, is_over, LIMIT);
  return world;
}

/* Sets the trap: for the member that would make the key, were it not for the trap. */
static void
set_trap (const Scene *scene)
{
  g_autoptr (World) world = NULL;

  trap.node = G_MAXUINT;
  trap.crash = trap.sprung = FALSE;
  world = play (scene);
  trap.node = find_maker (world, world_get (world, 0));
}

/* Plays @scene with what is in the trap after @first, @first + @step ... datagrams,
 * until the key change is over before. */
static void
play_at_points (const Scene *scene, guint first, guint step)
{
  trap.sprung = TRUE;
  for (guint point = first; trap.sprung; point += step) {
    g_autoptr (World) world = NULL;

    g_test_message ("%u members, event %u, peer %u at point %u", scene->n,
        scene->event, trap.node, point);
    trap.n_left = point;
    trap.sprung = FALSE;
    world = play (scene);
    world->watch = NULL;
    world_run (world, 2 * WORLD_SECOND);
    world_run_until (world, is_over, LIMIT);
  }
}

/* The maker has each place in the view, and is the newcomer, too. */
static void
test_maker_may_crash_at_any_point (void)
{
  static const Scene scenes[] = {
    { 3, 0, REFRESH }, { 3, 1, REFRESH }, { 3, 2, REFRESH }, { 4, 0, REFRESH },
    { 5, 0, REFRESH },
    { 3, 0, JOIN }, { 3, 1, JOIN }, { 4, 0, JOIN }, { 5, 0, JOIN },
    { 3, 0, LEAVE }, { 3, 1, LEAVE }, { 4, 0, LEAVE }, { 5, 0, LEAVE },
    { 3, 0, PUT_OUT }, { 4, 1, PUT_OUT },
    { 4, 0, CRASH },
    { 3, 0, MERGE },
  };
  gboolean newcomer_made_one = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (scenes); i++) {
    set_trap (&scenes[i]);
    newcomer_made_one |= trap.node == scenes[i].n;
    trap.crash = TRUE;
    play_at_points (&scenes[i], 0, 1);
  }
  g_assert_true (newcomer_made_one);
}

/* In the long ones most datagrams are signs of life: there each event begins at
 * points of its own. */
static void
test_anything_may_begin_at_any_point (void)
{
  static const guint steps[] = { [REFRESH] = 1, [JOIN] = 4, [LEAVE] = 2,
    [PUT_OUT] = 8, [CRASH] = 16, [MERGE] = 16 };

  for (Event first = REFRESH; first <= MERGE; first++)
    for (Event second = REFRESH; second < MERGE; second++) {
      const Scene scene = { 4, 0, first };

      if (first == PUT_OUT && second == PUT_OUT)
        continue;
      set_trap (&scene);
      trap.event = second;
      play_at_points (&scene, second % steps[first], steps[first]);
    }
}

/* Asked for of a sequencer that has crashed, a key change is delivered together with the
 * end of the view: what its maker says then is of a view that is over. It says it anew
 * in the next one, also where the token stays with it. */
static void
test_change_that_began_as_the_view_ended_is_made_anew (void)
{
  gboolean maker_stayed = FALSE;

  for (guint n_refreshes = 0; n_refreshes < 6; n_refreshes++) {
    const Scene scene = { 3, n_refreshes, REFRESH };
    g_autoptr (World) world = begin (&scene);
    Peer *alice = world_get (world, 0), *dora = world_get (world, DORA);
    GcpMemberId holder = bravis_vtkd_get_holder (dora->conference->vtkd);

    peer_crash (alice);
    peer_refresh (dora);
    world_run (world, 3 * WORLD_SECOND);
    world_assert_settled (world, 2);
    /* One key change, by who would have made it in the old view, too. */
    maker_stayed |= bravis_epoch_get_number (peer_epoch (dora)) == last_epoch + 1
        && world_get (world, find_maker (world, dora))->last_id == holder;
  }
  g_assert_true (maker_stayed);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pki = test_pki_new ();
#define ADD(name) g_test_add_func ("/keymgmt/key-change/" #name, test_ ## name)
  ADD (maker_may_crash_at_any_point);
  ADD (anything_may_begin_at_any_point);
  ADD (change_that_began_as_the_view_ended_is_made_anew);
#undef ADD
  result = g_test_run ();
  test_pki_free (pki);
  return result;
}
