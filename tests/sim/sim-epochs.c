/* What key changes do to media: real peers in virtual time send a frame every 20 ms each
 * while the key changes, because somebody asks for it, comes, or goes.
 *
 *   lost       frames that came, and could not be opened for want of the key within the
 *              time that receivers hold them back
 *   exposure   from the view without a member on, until its sender last sent a frame
 *              under a key that the member had
 *   join       from the invitation until the invited peer opens its first frame
 *   leave      from the wish to leave until the last frame is sent that the leaver
 *              could open
 *
 * Which epoch a frame is under, and which can be received, is BravisEpochBook's. That a
 * sender waits for a key that is due (bravis_epoch_book_await_present () blocks) is
 * played here: in virtual time nothing may block. */
#include "../../gst/bravis-holdback.h"
#include "../../keymgmt/bravis-epoch-book.h"
#include "../keymgmt/conference-world.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_TIME (20 * WORLD_MS)
#define PATIENCE (500 * WORLD_MS)       /* as in bravis-peer.c */
#define EXPOSURE WORLD_SECOND
#define GRACE (2 * WORLD_SECOND)
#define MAX_PEERS 4096

/* What a peer's elements know. */
typedef struct {
  BravisEpochBook *book;
  gint64 due_since;             /* a key change, as somebody is gone; 0: none is */
  GPtrArray *held;              /* of Frame: its key is not known yet */
  GcpMemberId gone;             /* who left last ... */
  gint64 gone_at;               /* ... and when its view came */
  gint64 exposed_at;            /* last frame under a key it had; 0: none */
} Elements;

typedef struct {
  guint from, to;
  guint64 epoch;
  gint64 came;
} Frame;

typedef struct {
  World *world;
  Elements elements[MAX_PEERS];
  SimRandom random;
  guint newcomer;               /* a node; G_MAXUINT: nobody's */
  gint64 first_opened;          /* by the newcomer; 0: nothing yet */
  GcpMemberId leaver;           /* GCP_MEMBER_NONE: nobody leaves */
  gint64 last_exposed;          /* sent under a key that the leaver has */
  double loss;
  gint64 delay_min, delay_max;
  gint64 end;                   /* of sending */
  guint64 n_frames, n_opened, n_lost;
  GArray *exposures;            /* of gint64, µs */
} Media;

static Media media;

/* --- receiving --- */

static gboolean
open_frame (Elements *elements, const Frame *frame)
{
  g_autoptr (BravisEpoch) epoch = bravis_epoch_book_ref_by_number (
      elements->book, frame->epoch);

  if (!epoch || bravis_epoch_is_retired (epoch))
    return FALSE;
  media.n_opened++;
  if (frame->to == media.newcomer && media.first_opened == 0)
    media.first_opened = sim_network_now (media.world->network);
  return TRUE;
}

static void
offer_held (guint node, gint64 now)
{
  Elements *elements = &media.elements[node];

  for (guint i = elements->held->len; i-- > 0;) {
    Frame *frame = elements->held->pdata[i];

    if (open_frame (elements, frame)) {
      g_ptr_array_remove_index (elements->held, i);
    } else if (now - frame->came > BRAVIS_HOLDBACK_AGE) {
      media.n_lost++;
      g_ptr_array_remove_index (elements->held, i);
    }
  }
}

static void
arrive (SimNetwork *network, gpointer user_data)
{
  g_autofree Frame *frame = user_data;
  Elements *elements = &media.elements[frame->to];

  if (!peer_is_live (world_get (media.world, frame->to)))
    return;
  frame->came = sim_network_now (network);
  bravis_epoch_book_tick (elements->book, frame->came);
  offer_held (frame->to, frame->came);
  if (!open_frame (elements, frame))
    g_ptr_array_add (elements->held, g_steal_pointer (&frame));
}

/* --- sending --- */

static gint
find_node (GcpMemberId id)
{
  for (guint i = media.world->peers->len; i-- > 0;)
    if (world_get (media.world, i)->conference->own->card->id == id)
      return i;
  return -1;
}

static void
send_under (SimNetwork *network, guint from, BravisEpoch *epoch)
{
  GcpView *view = bravis_epoch_get_view (epoch);
  Elements *elements = &media.elements[from];

  if (elements->gone && gcp_view_contains (view, elements->gone))
    elements->exposed_at = sim_network_now (network);
  if (media.leaver && gcp_view_contains (view, media.leaver))
    media.last_exposed = sim_network_now (network);
  for (guint i = 0; i < gcp_view_get_n_members (view); i++) {
    gint to = find_node (gcp_view_get_member (view, i)->id);
    Frame *frame;

    if (to < 0 || (guint) to == from
        || sim_random_chance (&media.random, media.loss))
      continue;
    frame = g_new0 (Frame, 1);
    frame->from = from;
    frame->to = to;
    frame->epoch = bravis_epoch_get_number (epoch);
    media.n_frames++;
    sim_network_at (network, sim_network_now (network)
        + sim_random_range (&media.random, media.delay_min, media.delay_max),
        arrive, frame);
  }
}

/* A frame is due, or waits for a key that is due. */
static void
try_to_send (SimNetwork *network, gpointer user_data)
{
  guint from = GPOINTER_TO_UINT (user_data);
  Elements *elements = &media.elements[from];
  gint64 now = sim_network_now (network);
  g_autoptr (BravisEpoch) epoch = NULL;

  if (!peer_is_live (world_get (media.world, from)))
    return;
  if (elements->due_since && now < elements->due_since + PATIENCE) {
    sim_network_at (network, now + WORLD_MS, try_to_send, user_data);
    return;
  }
  bravis_epoch_book_tick (elements->book, now);
  epoch = bravis_epoch_book_ref_present (elements->book);
  if (epoch && !bravis_epoch_is_sending_closed (epoch))
    send_under (network, from, epoch);
}

static void
send_frame (SimNetwork *network, gpointer user_data)
{
  gint64 now = sim_network_now (network);

  try_to_send (network, user_data);
  if (now < media.end)
    sim_network_at (network, now + FRAME_TIME, send_frame, user_data);
}

/* --- what the protocols say --- */

static void
settle_exposure (Elements *elements)
{
  gint64 exposure = elements->exposed_at
      ? elements->exposed_at - elements->gone_at : 0;

  if (elements->gone)
    g_array_append_val (media.exposures, exposure);
  elements->gone = GCP_MEMBER_NONE;
}

static void
take_departures (Elements *elements, const BravisConferenceOutput *output,
    gint64 now)
{
  if (!output->departures || output->departures->len == 0)
    return;
  bravis_epoch_book_departed (elements->book, output->view, now);
  elements->due_since = now;
  elements->gone = g_array_index (output->departures, GcpDepartureRecord, 0).id;
  elements->gone_at = now;
  elements->exposed_at = 0;
}

static void
watch (Peer *peer, const BravisConferenceOutput *output)
{
  Elements *elements = &media.elements[peer->node];
  gint64 now = sim_network_now (media.world->network);

  g_assert_cmpuint (peer->node, <, MAX_PEERS);
  if (!elements->book) {
    elements->book = bravis_epoch_book_new (PATIENCE, EXPOSURE, GRACE);
    elements->held = g_ptr_array_new_with_free_func (g_free);
  }
  if (output->type == BRAVIS_CONFERENCE_VIEW) {
    take_departures (elements, output, now);
  } else if (output->type == BRAVIS_CONFERENCE_EPOCH) {
    bravis_epoch_book_add (elements->book, output->epoch, output->addresses,
        now);
    elements->due_since = 0;
    settle_exposure (elements);
    offer_held (peer->node, now);
  }
}

/* --- one run --- */

static gboolean
is_whole (World *world)
{
  return peer_n_members (world_get (world, 0)) == 4;
}

static Peer *
invite_another (guint number)
{
  static const char *const names[] = { "dave", "erin", "frank" };
  Peer *peer = world_add (media.world, names[number % G_N_ELEMENTS (names)]);

  peer_invite (world_get (media.world, 0), peer);
  world_run_until (media.world, is_whole, 60 * WORLD_SECOND);
  sim_network_at (media.world->network, sim_network_now (media.world->network),
      send_frame, GUINT_TO_POINTER (peer->node));
  return peer;
}

/* @n peers that send. */
static void
begin (TestPki *pki, guint64 seed, gint64 round_trip, double loss, guint n)
{
  static const char *const names[] = { "alice", "bob", "carol" };
  SimConditions conditions = { .loss = loss, .delay_min = round_trip * 9 / 20,
    .delay_max = round_trip * 11 / 20 };

  memset (&media, 0, sizeof media);
  media.world = world_new (pki, seed, loss);
  media.world->watch = watch;
  media.exposures = g_array_new (FALSE, FALSE, sizeof (gint64));
  media.loss = loss;
  media.delay_min = conditions.delay_min;
  media.delay_max = conditions.delay_max;
  media.end = G_MAXINT64;
  media.newcomer = G_MAXUINT;
  sim_random_init (&media.random, seed ^ 0x3ed1a);
  sim_network_set_conditions (media.world->network, &conditions);
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = i < G_N_ELEMENTS (names) ? g_strdup (names[i])
        : g_strdup_printf ("peer%u", i);

    world_add (media.world, name);
  }
  peer_start (world_get (media.world, 0));
  for (guint i = 1; i < n; i++)
    peer_invite (world_get (media.world, 0), world_get (media.world, i));
  world_run (media.world, (5 + n) * WORLD_SECOND);
  g_assert_cmpuint (peer_n_members (world_get (media.world, 0)), ==, n);
  for (guint i = 0; i < n; i++)
    send_frame (media.world->network, GUINT_TO_POINTER (i));
}

static void
clear (void)
{
  for (guint i = 0; i < MAX_PEERS; i++) {
    g_clear_pointer (&media.elements[i].book, bravis_epoch_book_free);
    g_clear_pointer (&media.elements[i].held, g_ptr_array_unref);
  }
  g_array_unref (media.exposures);
  world_free (media.world);
}

/* Until @n keys have changed; each twentieth change is a leaving, the one after it a
 * joining. */
static void
change_keys (guint n)
{
  Peer *alice = world_get (media.world, 0);
  Peer *guest = invite_another (0);
  guint rounds = 0;

  while (alice->epochs->len < n) {
    if (++rounds % 20 == 0) {
      peer_leave (guest);
      world_run (media.world, 2 * WORLD_SECOND);
      guest = invite_another (rounds / 20);
    } else {
      peer_refresh (world_get (media.world, rounds % 3));
      world_run (media.world, 2 * (media.delay_max + media.delay_min)
          + 40 * WORLD_MS);
    }
  }
  media.end = sim_network_now (media.world->network);
  world_run (media.world, 3 * WORLD_SECOND);
  for (guint i = 0; i < media.world->peers->len; i++)
    if (media.elements[i].held)
      media.n_lost += media.elements[i].held->len;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 first = *(const gint64 *) a, second = *(const gint64 *) b;

  return (first > second) - (first < second);
}

static gint64
get_exposure (double share)
{
  return media.exposures->len == 0 ? 0 : g_array_index (media.exposures, gint64,
      (guint) (share * (media.exposures->len - 1)));
}

static void
measure (TestPki *pki, gint64 round_trip, double loss, guint n)
{
  begin (pki, round_trip, round_trip, loss, 3);
  change_keys (n);
  g_array_sort (media.exposures, compare);
  g_test_message ("round trip %d ms, loss %g %%: %u keys, %" G_GUINT64_FORMAT
      " frames on their way, %" G_GUINT64_FORMAT " opened, %" G_GUINT64_FORMAT
      " lost because of the key; exposure p50 %.1f, p99 %.1f, max %.1f ms of %u",
      (int) (round_trip / WORLD_MS), 100 * loss,
      world_get (media.world, 0)->epochs->len, media.n_frames, media.n_opened,
      media.n_lost, get_exposure (0.5) / 1e3, get_exposure (0.99) / 1e3,
      get_exposure (1) / 1e3, media.exposures->len);
}

/* One comes to @n - 1, and goes again. */
static void
measure_size (TestPki *pki, guint n)
{
  const gint64 round_trip = 100 * WORLD_MS;
  gint64 invited, left;
  Peer *guest;

  begin (pki, n, round_trip, 0, n - 1);
  guest = world_add (media.world, "guest");
  media.newcomer = guest->node;
  invited = sim_network_now (media.world->network);
  peer_invite (world_get (media.world, 0), guest);
  world_run (media.world, 5 * WORLD_SECOND);
  g_assert_cmpint (media.first_opened, >, invited);
  left = sim_network_now (media.world->network);
  media.leaver = guest->conference->own->card->id;
  peer_leave (guest);
  world_run (media.world, 5 * WORLD_SECOND);
  media.end = sim_network_now (media.world->network);
  world_run (media.world, WORLD_SECOND);
  g_assert_cmpint (media.last_exposed, >=, left);
  g_test_message ("%u members: join to first frame %.1f, leave to last frame "
      "%.1f round trips", n, (double) (media.first_opened - invited) / round_trip,
      (double) (media.last_exposed - left) / round_trip);
  g_assert_cmpint (media.first_opened - invited, <=, 14 * round_trip);
  g_assert_cmpint (media.last_exposed - left, <=, 4 * round_trip);
  clear ();
}

static void
test_joining_and_leaving_take_round_trips_whatever_the_size (void)
{
  g_autoptr (TestPki) pki = test_pki_new ();

  for (guint n = 3; n <= 24; n *= 2)
    measure_size (pki, n);
}

static const gint64 round_trips[] = { 20 * WORLD_MS, 60 * WORLD_MS,
  200 * WORLD_MS };
static guint n_changes = 120;

static void
test_media_are_neither_lost_nor_exposed (void)
{
  g_autoptr (TestPki) pki = test_pki_new ();

  for (guint i = 0; i < G_N_ELEMENTS (round_trips); i++) {
    measure (pki, round_trips[i], 0.01, n_changes);
    g_assert_cmpuint (media.n_opened, >, 10 * n_changes);
    g_assert_cmpuint (media.n_lost, ==, 0);
    g_assert_cmpuint (media.exposures->len, >, 0);
    /* Senders wait for a key that is due, longer than it takes as a rule. */
    g_assert_cmpint (get_exposure (0.5), ==, 0);
    g_assert_cmpint (get_exposure (1), <=, EXPOSURE);
    clear ();
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (argc == 2)
    n_changes = atoi (argv[1]);
  g_test_add_func ("/sim/epochs/media_are_neither_lost_nor_exposed",
      test_media_are_neither_lost_nor_exposed);
  g_test_add_func (
      "/sim/epochs/joining_and_leaving_take_round_trips_whatever_the_size",
      test_joining_and_leaving_take_round_trips_whatever_the_size);
  return g_test_run ();
}
