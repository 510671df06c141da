/* Key changes in which the holder crashes, or something else happens, at every point:
 * real peers in virtual time, and afterwards all who are left have one key. */
#include "conference-world.h"

static TestPki *pki;

#define N_PEERS 4
#define STEP (10 * WORLD_MS)    /* less than a datagram takes */
#define SPAN (400 * WORLD_MS)   /* longer than a key change takes */

typedef enum { REFRESH, JOIN, LEAVE, CRASH, N_EVENTS } Event;

static World *
conference (void)
{
  static const char *const names[N_PEERS] = { "alice", "bob", "carol", "dave" };
  World *world = world_new (pki, 7, 0);

  for (guint i = 0; i < N_PEERS; i++)
    world_add (world, names[i]);
  peer_start (world_get (world, 0));
  for (guint i = 1; i < N_PEERS; i++)
    peer_invite (world_get (world, 0), world_get (world, i));
  world_run (world, 3 * WORLD_SECOND);
  world_assert_settled (world, N_PEERS);
  return world;
}

static Peer *
find_holder (World *world)
{
  GcpMemberId id = bravis_vtkd_get_holder (
      world_get (world, 0)->conference->vtkd);

  for (guint i = 0; i < world->peers->len; i++)
    if (world_get (world, i)->conference->own->card->id == id)
      return world_get (world, i);
  g_assert_not_reached ();
}

/* @spared is not the one to leave or crash. */
static Peer *
somebody_else (World *world, Peer *spared)
{
  for (guint i = 1; i < N_PEERS; i++)
    if (world_get (world, i) != spared && peer_is_live (world_get (world, i)))
      return world_get (world, i);
  g_assert_not_reached ();
}

static void
make_happen (World *world, Event event, Peer *spared)
{
  switch (event) {
    case REFRESH:
      peer_refresh (world_get (world, 0));
      break;
    case JOIN:
      peer_invite (world_get (world, 0), world_add (world, "erin"));
      break;
    case LEAVE:
      peer_leave (somebody_else (world, spared));
      break;
    default:
      peer_crash (somebody_else (world, spared));
      break;
  }
}

static guint
count_live (World *world)
{
  guint n = 0;

  for (guint i = 0; i < world->peers->len; i++)
    n += peer_is_live (world_get (world, i));
  return n;
}

/* All that are left have one key, of a view without @gone. */
static void
assert_one_key_without (World *world, Peer *gone)
{
  world_assert_settled (world, count_live (world));
  g_assert_false (gcp_view_contains (bravis_epoch_get_view (
              peer_epoch (world_get (world, 0))),
          gone->conference->own->card->id));
}

static void
test_holder_may_crash_at_any_point (void)
{
  for (guint event = REFRESH; event <= LEAVE; event++)
    for (gint64 when = 0; when <= SPAN; when += STEP) {
      g_autoptr (World) world = conference ();
      Peer *holder = find_holder (world);

      /* Its crash is seen at alice, who would otherwise be asked to be it. */
      if (holder == world_get (world, 0)) {
        peer_refresh (holder);
        world_run (world, WORLD_SECOND);
        holder = find_holder (world);
      }
      make_happen (world, event, holder);
      world_run (world, when);
      peer_crash (holder);
      world_run (world, 12 * WORLD_SECOND);
      assert_one_key_without (world, holder);
    }
}

static void
test_anything_may_happen_in_the_middle_of_a_key_change (void)
{
  for (guint first = REFRESH; first <= LEAVE; first++)
    for (guint second = REFRESH; second < N_EVENTS; second++)
      for (gint64 when = STEP; when <= SPAN; when += 4 * STEP) {
        g_autoptr (World) world = conference ();

        if (first == JOIN && second == JOIN)
          continue;
        make_happen (world, first, NULL);
        world_run (world, when);
        make_happen (world, second, NULL);
        world_run (world, 12 * WORLD_SECOND);
        world_assert_settled (world, count_live (world));
        g_assert_cmpuint (count_live (world), >=, N_PEERS - 2);
      }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pki = test_pki_new ();
  g_test_add_func ("/keymgmt/key_change/holder_may_crash_at_any_point",
      test_holder_may_crash_at_any_point);
  g_test_add_func (
      "/keymgmt/key_change/anything_may_happen_in_the_middle_of_a_key_change",
      test_anything_may_happen_in_the_middle_of_a_key_change);
  result = g_test_run ();
  test_pki_free (pki);
  return result;
}
