/* Whole peers: what a stranger, a dishonest newcomer or a dishonest member can't do to
 * them. */
#include "conference-world.h"

#define BOB "bob@example.org"
#define CAROL "carol@example.org"
#define DAVE "dave@example.org"

static TestPki *pki;

static World *
conference_of (guint n)
{
  return world_new_conference (pki, n, 0);
}

/* --- dishonest members --- */

static GBytes *
make_card (World *world, const char *name, gint64 made, GcpMemberId *id)
{
  g_autoptr (BravisIdentity) identity = test_pki_identity (pki, name);
  g_autoptr (BravisOwnCard) own = bravis_own_card_new (identity,
      WORLD_CONFERENCE, made, &world->source, NULL);

  *id = own->card->id;
  return g_bytes_ref (own->card->bytes);
}

static void
assert_nobody_admitted (World *world)
{
  for (guint i = 0; i < world->peers->len; i++)
    g_assert_cmpuint (g_hash_table_size (
        world_get (world, i)->conference->admitted), ==, 0);
}

static void
test_nobody_is_admitted_without_everybodys_vouch (void)
{
  g_autoptr (World) world = conference_of (3);
  Peer *mallory = world_get (world, 2);
  GcpMemberId id;
  g_autoptr (GBytes) card = make_card (world, "dave", TEST_PKI_NOW, &id);
  BravisGroupMessage proposal = { .type = BRAVIS_GROUP_PROPOSAL,
    .newcomer = id, .name = (char *) DAVE, .card = card };
  BravisGroupMessage admit = { .type = BRAVIS_GROUP_ADMIT, .newcomer = id };

  /* Not proposed at all; */
  peer_say_message (mallory, &admit);
  world_run (world, WORLD_SECOND);
  assert_nobody_admitted (world);
  /* proposed and admitted in one breath, before the others' vouches; */
  bravis_conference_multicast_message (mallory->conference, &proposal);
  peer_say_message (mallory, &admit);
  world_run (world, WORLD_SECOND);
  assert_nobody_admitted (world);
  /* vouched for by now, but admitted by another than its proposer. */
  g_assert_true (bravis_proposal_is_complete (bravis_proposals_find (
      mallory->conference->proposals, mallory->last_id, id),
      mallory->conference->view, GCP_MEMBER_NONE));
  peer_say_message (world_get (world, 1), &admit);
  world_run (world, WORLD_SECOND);
  assert_nobody_admitted (world);
  world_assert_settled (world, 3);
}

static void
test_proposed_card_must_be_the_named_peers (void)
{
  g_autoptr (World) world = conference_of (2);
  GcpMemberId id;
  g_autoptr (GBytes) card = make_card (world, "dave", TEST_PKI_NOW, &id);
  BravisGroupMessage message = { .type = BRAVIS_GROUP_PROPOSAL,
    .newcomer = id, .name = (char *) CAROL, .card = card };

  peer_say_message (world_get (world, 1), &message);
  world_run (world, WORLD_SECOND);
  g_assert_true (peer_reports (world_get (world, 0), CAROL, NULL,
      BRAVIS_ERROR_WRONG_NAME));
  message.name = (char *) DAVE;
  message.newcomer++;
  peer_say_message (world_get (world, 1), &message);
  world_run (world, WORLD_SECOND);
  g_assert_true (peer_reports (world_get (world, 0), DAVE, NULL,
      BRAVIS_ERROR_WRONG_NAME));
  world_assert_settled (world, 2);
}

/* A member cannot be put out by proposing a stranger under its name. */
static void
test_a_false_successor_puts_nobody_out (void)
{
  g_autoptr (World) world = conference_of (3);
  GcpMemberId id;
  g_autoptr (GBytes) card = make_card (world, "dave", TEST_PKI_NOW, &id);
  BravisGroupMessage message = { .type = BRAVIS_GROUP_PROPOSAL,
    .newcomer = id, .name = (char *) BOB, .card = card };

  peer_say_message (world_get (world, 2), &message);
  message = (BravisGroupMessage) { .type = BRAVIS_GROUP_ADMIT,
    .newcomer = id };
  world_run (world, 500 * WORLD_MS);
  peer_say_message (world_get (world, 2), &message);
  world_run (world, 2 * WORLD_SECOND);
  world_assert_settled (world, 3);
}

/* Nor by a card of its own, of an incarnation that is long gone: cards are shown to
 * many. */
static void
test_an_old_card_puts_nobody_out (void)
{
  g_autoptr (World) world = conference_of (3);
  GcpMemberId id;
  g_autoptr (GBytes) card = make_card (world, "bob", TEST_PKI_NOW - 1, &id);
  BravisGroupMessage proposal = { .type = BRAVIS_GROUP_PROPOSAL,
    .newcomer = id, .name = (char *) BOB, .card = card };
  BravisGroupMessage admit = { .type = BRAVIS_GROUP_ADMIT, .newcomer = id };

  peer_say_message (world_get (world, 2), &proposal);
  world_run (world, 500 * WORLD_MS);
  g_assert_true (peer_reports (world_get (world, 0), BOB, NULL,
          BRAVIS_ERROR_STATE));
  peer_say_message (world_get (world, 2), &admit);
  world_run (world, 2 * WORLD_SECOND);
  g_assert_false (world_get (world, 1)->over);
  world_assert_settled (world, 3);
}

static void
test_what_members_say_is_shown_as_plain_text_only (void)
{
  g_autoptr (World) world = conference_of (2);
  g_autoptr (GError) reason = g_error_new_literal (BRAVIS_ERROR,
      BRAVIS_ERROR_DENIED, "\033[31mred\n\x7f\xff");
  BravisGroupMessage message = { .type = BRAVIS_GROUP_NOTICE,
    .name = (char *) "dave@example.org", .reason = reason };
  g_autoptr (GBytes) bytes = bravis_group_message_write (&message);
  g_auto (BravisGroupMessage) read = { 0 };

  g_assert_true (bravis_group_message_read (&read, bytes));
  g_assert_cmpstr (read.reason->message, ==, "?[31mred???");
  peer_say (world_get (world, 1), bytes);
  world_run (world, WORLD_SECOND);
  g_assert_true (peer_reports (world_get (world, 0), DAVE, BOB,
      BRAVIS_ERROR_DENIED));
}

static void
test_streams_of_a_greedy_member_are_bounded (void)
{
  g_autoptr (World) world = conference_of (2);
  Peer *alice = world_get (world, 0);

  for (guint i = 0; i < 300; i++) {
    BravisGroupMessage message = { .type = BRAVIS_GROUP_STREAM, .stream = i,
      .description = (char *) "x" };

    peer_say_message (world_get (world, 1), &message);
  }
  world_run (world, 5 * WORLD_SECOND);
  g_assert_cmpuint (bravis_streams_count (alice->conference->streams,
      world_get (world, 1)->conference->own->card->id), ==,
      BRAVIS_MAX_STREAMS_AT_ONCE);
}

/* A member may say what it likes: the group goes on. */
static void
test_noise_from_a_member_stops_nobody (void)
{
  g_autoptr (World) world = conference_of (3);
  SimRandom *random = sim_network_random (world->network);

  for (guint i = 0; i < 400; i++) {
    guint8 noise[80];
    g_autoptr (GBytes) bytes = NULL;

    sim_random_fill (random, noise, sizeof noise);
    noise[0] %= 26;
    bytes = g_bytes_new (noise, sim_random_range (random, 1, sizeof noise));
    peer_say (world_get (world, 2), bytes);
    world_run (world, 5 * WORLD_MS);
  }
  world_run (world, 3 * WORLD_SECOND);
  world_assert_settled (world, 3);
  peer_refresh (world_get (world, 0));
  world_run (world, 2 * WORLD_SECOND);
  world_assert_settled (world, 3);
}

/* --- strangers --- */

typedef struct {
  GcpView *view;
  BravisEpoch *epoch;
  guint n_refusals, n_events;
} State;

static State
get_state (Peer *peer)
{
  return (State) { peer->conference->view, peer->conference->epoch,
    peer->refusals->len, peer->events->len };
}

static void
assert_unchanged (Peer *peer, State state)
{
  State now = get_state (peer);

  g_assert_true (now.view == state.view && now.epoch == state.epoch);
  g_assert_cmpuint (now.n_refusals, ==, state.n_refusals);
  g_assert_cmpuint (now.n_events, ==, state.n_events);
}

static void
test_garbage_changes_nothing (void)
{
  g_autoptr (World) world = conference_of (2);
  Peer *alice = world_get (world, 0);
  State state = get_state (alice);
  GcpAddress stranger = { .family = 4, .ip = { 192, 0, 2, 1 }, .port = 9 };
  SimRandom *random = sim_network_random (world->network);
  guint8 noise[2000];

  for (gsize size = 0; size <= sizeof noise; size++) {
    sim_random_fill (random, noise, sizeof noise);
    peer_receive (alice, &stranger, noise, size);
    noise[0] = 192 + size % 3;
    peer_receive (alice, &stranger, noise, size);
    /* As if from a member. */
    noise[0] = 193;
    for (guint i = 0; i < 8; i++)
      noise[1 + i] =
          world_get (world, 1)->conference->own->card->id >> (56 - 8 * i);
    peer_receive (alice, &stranger, noise, size);
  }
  assert_unchanged (alice, state);
  world_run (world, 2 * WORLD_SECOND);
  assert_unchanged (alice, state);
  world_assert_settled (world, 2);
  g_assert_cmpstr (g_ptr_array_index (alice->addresses, 1), ==,
      "10.0.0.2:5000");
}

/* Every datagram that Alice got while Bob and Carol came in, cut, altered and
 * repeated, from where it came and from elsewhere. */
static void
test_altered_and_repeated_datagrams_change_nothing (void)
{
  g_autoptr (World) world = world_new (pki, 3, 0);
  Peer *alice = world_add (world, "alice"), *bob = world_add (world, "bob");
  GcpAddress stranger = { .family = 4, .ip = { 192, 0, 2, 1 }, .port = 9 };
  GcpAddress spare;
  State state;

  world->record_for = 0;
  peer_start (alice);
  peer_invite (alice, bob);
  world_run (world, 2 * WORLD_SECOND);
  world->record_for = G_MAXUINT;
  world_assert_settled (world, 2);
  spare = bob->address;
  state = get_state (alice);

  for (guint i = 0; i < world->recorded->len; i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (g_ptr_array_index (world->recorded,
        i), &size);
    g_autofree guint8 *altered = g_memdup2 (data, size);

    peer_receive (alice, &spare, data, size);
    peer_receive (alice, &stranger, data, size);
    for (gsize at = 0; at < size; at += 1 + size / 64) {
      altered[at] ^= 1 << at % 8;
      peer_receive (alice, &spare, altered, size);
      altered[at] = data[at];
      peer_receive (alice, &spare, data, at);
    }
  }
  assert_unchanged (alice, state);
  g_assert_cmpstr (g_ptr_array_index (alice->addresses, 1), ==,
      "10.0.0.2:5000");
  world_run (world, 3 * WORLD_SECOND);
  world_assert_settled (world, 2);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pki = test_pki_new ();

#define ADD(name) g_test_add_func ("/keymgmt/conference-attacks/" #name, test_ ## name)
  ADD (nobody_is_admitted_without_everybodys_vouch);
  ADD (proposed_card_must_be_the_named_peers);
  ADD (a_false_successor_puts_nobody_out);
  ADD (an_old_card_puts_nobody_out);
  ADD (what_members_say_is_shown_as_plain_text_only);
  ADD (streams_of_a_greedy_member_are_bounded);
  ADD (noise_from_a_member_stops_nobody);
  ADD (garbage_changes_nothing);
  ADD (altered_and_repeated_datagrams_change_nothing);
  result = g_test_run ();
  test_pki_free (pki);
  return result;
}
