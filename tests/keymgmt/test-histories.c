/* Whole conferences in which people start again, lose each other, leave and are
 * invited, at random: real peers in virtual time. Afterwards everybody can be had
 * together, in one group with one key.
 *
 * SIM_SEED=N begins with history N, HISTORIES=N plays so many. */
#include "conference-world.h"

#define N_PEOPLE 5
#define N_STEPS 14
#define DEFAULT_HISTORIES 8

static TestPki *pki;
static guint n_together;        /* histories */

static const char *const names[N_PEOPLE] =
    { "alice", "bob", "carol", "dave", "grace" };

typedef struct {
  World *world;
  SimRandom random;
  guint newest[N_PEOPLE];       /* node of each one's newest process */
} History;

static guint
draw (History *history, guint n)
{
  return sim_random_range (&history->random, 0, n - 1);
}

static Peer *
newest (History *history, guint person)
{
  return world_get (history->world, history->newest[person]);
}

/* Somebody who is a member, but not @person (N_PEOPLE: anybody); NULL: nobody is. */
static Peer *
draw_member (History *history, guint person)
{
  guint n = history->world->peers->len, first = draw (history, n);

  for (guint i = 0; i < n; i++) {
    Peer *peer = world_get (history->world, (first + i) % n);

    if (peer_is_live (peer) && (person == N_PEOPLE
            || !g_str_has_prefix (peer->name, names[person])))
      return peer;
  }
  return NULL;
}

/* By whatever process. */
static gboolean
is_member (History *history, guint person)
{
  for (guint i = 0; i < history->world->peers->len; i++) {
    Peer *peer = world_get (history->world, i);

    if (peer_is_live (peer) && g_str_has_prefix (peer->name, names[person]))
      return TRUE;
  }
  return FALSE;
}

static void
start_again (History *history, guint person)
{
  Peer *inviter = draw_member (history, person);
  Peer *again;

  if (!inviter)
    return;
  again = world_add (history->world, names[person]);
  history->newest[person] = again->node;
  peer_invite (inviter, again);
}

static void
cut (History *history)
{
  for (guint i = 0; i < history->world->peers->len; i++)
    sim_network_set_side (history->world->network, i, draw (history, 2));
}

static void
heal (History *history)
{
  for (guint i = 0; i < history->world->peers->len; i++)
    sim_network_set_side (history->world->network, i, 0);
}

static void
step (History *history)
{
  guint person = draw (history, N_PEOPLE);
  Peer *peer = newest (history, person);

  switch (draw (history, 8)) {
    case 0:
      cut (history);
      break;
    case 1:
    case 2:
      heal (history);
      break;
    case 3:
    case 4:
      if (draw_member (history, person))
        peer_crash (peer);
      start_again (history, person);
      break;
    case 5:
      start_again (history, person);
      break;
    case 6:
      if (peer_is_live (peer) && draw_member (history, person))
        peer_leave (peer);
      break;
    default:
      if (peer_is_live (peer))
        peer_refresh (peer);
      break;
  }
  world_run (history->world, (1 + draw (history, 1500)) * WORLD_MS);
}

static gboolean
coordinates (Peer *peer)
{
  return gcp_view_get_member (peer->conference->view, 0)->id == peer->last_id;
}

static gboolean
is_with (Peer *peer, Peer *other)
{
  return gcp_view_equal (peer->conference->view, other->conference->view);
}

/* They know each other by their cards, and one where the other is. */
static gboolean
can_find (Peer *peer, Peer *other)
{
  BravisContact *contact = bravis_contacts_find (peer->conference->contacts,
      other->last_id);

  return contact && !gcp_address_is_none (&contact->address)
      && bravis_contacts_find (other->conference->contacts, peer->last_id);
}

static gboolean
has_name (Peer *peer, const char *name)
{
  return bravis_conference_find_name (peer->conference, name) != GCP_MEMBER_NONE;
}

/* Two people of one name are not in one view: whose names are all taken stay apart. */
static gboolean
has_new_names (Peer *peer, Peer *other)
{
  GcpView *view = peer->conference->view;

  for (guint i = 0; i < gcp_view_get_n_members (view); i++)
    if (!has_name (other, bravis_conference_name_of (peer->conference,
                gcp_view_get_member (view, i)->id)))
      return TRUE;
  return FALSE;
}

/* All who are members are together, but for parts whose coordinators never met: these
 * cannot find each other. */
static void
check_together (World *world)
{
  for (guint i = 0; i < world->peers->len; i++)
    for (guint j = 0; j < world->peers->len; j++) {
      Peer *peer = world_get (world, i), *other = world_get (world, j);

      if (peer_is_live (peer) && peer_is_live (other)
          && coordinates (peer) && coordinates (other)
          && can_find (peer, other)
          && has_new_names (peer, other) && has_new_names (other, peer))
        g_assert_true (is_with (peer, other));
    }
}

/* Who is not in, by now, is invited once more. */
static void
gather (History *history)
{
  for (guint i = 0; i < N_PEOPLE; i++)
    if (!is_member (history, i)) {
      peer_crash (newest (history, i));
      start_again (history, i);
    }
}

static void
play (guint64 seed)
{
  g_autoptr (World) world = world_new (pki, seed, seed % 4 == 3 ? 0.05 : 0);
  History history = { .world = world };

  sim_random_init (&history.random, seed);
  for (guint i = 0; i < N_PEOPLE; i++)
    history.newest[i] = world_add (world, names[i])->node;
  peer_start (world_get (world, 0));
  for (guint i = 1; i < N_PEOPLE; i++)
    peer_invite (world_get (world, 0), world_get (world, i));
  world_run (world, 3 * WORLD_SECOND);
  for (guint i = 0; i < N_STEPS; i++)
    step (&history);
  heal (&history);
  world_run (world, 90 * WORLD_SECOND);
  check_together (world);
  if (draw_member (&history, N_PEOPLE) && world_is_settled (world)) {
    gather (&history);
    world_run (world, 40 * WORLD_SECOND);
    world_assert_settled (world, N_PEOPLE);
    n_together++;
  }
}

static guint64
get_number (const char *variable, guint64 otherwise)
{
  const char *text = g_getenv (variable);

  return text ? g_ascii_strtoull (text, NULL, 10) : otherwise;
}

static void
test_everybody_can_be_had_together (void)
{
  guint64 first = get_number ("SIM_SEED", 1);
  guint64 n = get_number ("HISTORIES", DEFAULT_HISTORIES);

  for (guint64 seed = first; seed < first + n; seed++) {
    g_test_message ("history %" G_GUINT64_FORMAT, seed);
    play (seed);
  }
  g_test_message ("%u of %u ended in one group", n_together, (guint) n);
  if (n >= DEFAULT_HISTORIES)
    g_assert_cmpuint (2 * n_together, >=, n);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pki = test_pki_new ();
  g_test_add_func ("/keymgmt/histories/everybody_can_be_had_together",
      test_everybody_can_be_had_together);
  result = g_test_run ();
  test_pki_free (pki);
  return result;
}
