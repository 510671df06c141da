/* What comes over a network that is not to be trusted: altered, cut,
 * repeated, sent back, made up, and too much of it. Nothing changes by it,
 * and handshakes go on. */
#include "door-rogue.h"

#include <string.h>

typedef struct {
  World *world;
  Peer *alice, *bob;
} Pair;

/* With RSA on both sides and a long roster every message but the first has
 * several pieces, and takes longer. */
static void
pair_set (Pair *pair, gboolean long_messages)
{
  pair->world = world_new (1, NULL);
  pair->alice = long_messages ? world_add (pair->world, "rita", TEST_PKI_RSA) :
      world_add (pair->world, "alice", TEST_PKI_GOOD);
  pair->bob = world_add (pair->world, "bob", TEST_PKI_GOOD);
  if (long_messages) {
    g_bytes_unref (pair->world->roster);
    pair->world->roster = g_bytes_new_take (g_malloc0 (3000), 3000);
  }
}

static void
pair_clear (Pair *pair)
{
  world_free (pair->world);
}

static void
check_met_once (Pair *pair)
{
  g_assert_cmpuint (pair->alice->n_invitee, ==, 1);
  g_assert_cmpuint (pair->alice->n_ready, ==, 1);
  g_assert_cmpuint (pair->bob->n_welcome, ==, 1);
  g_assert_cmpuint (pair->bob->n_invitee + pair->bob->n_ready
      + pair->alice->n_welcome, ==, 0);
  g_assert_cmpuint (pair->alice->n_refused + pair->bob->n_refused, ==, 0);
  g_assert_true (g_bytes_equal (pair->bob->roster, pair->world->roster));
}

/* --- altered --- */

typedef struct {
  guint type;                   /* the first datagram of this type */
  gint bit;                     /* ... is lost and comes with this bit flipped;
                                 * -1: comes after all its alterations */
  gboolean done;
} Alteration;

static void
give_alterations (Peer *to, const GcpAddress *from, GBytes *datagram)
{
  gsize size;
  const guint8 *octets = g_bytes_get_data (datagram, &size);
  g_autofree guint8 *copy = g_malloc (size + 1);
  guint n = bravis_door_count_handshakes (to->door);

  memcpy (copy, octets, size);
  copy[size] = 0;
  for (gsize bit = 0; bit < 8 * size; bit++) {
    copy[bit / 8] ^= 1 << bit % 8;
    world_give (to, from, copy, size);
    copy[bit / 8] ^= 1 << bit % 8;
  }
  for (gsize length = 0; length < size; length++)
    world_give (to, from, copy, length);
  world_give (to, from, copy, size + 1);
  g_assert_cmpuint (bravis_door_count_handshakes (to->door), ==, n);
}

static gboolean
alter (World *world, Peer *from, Peer *to, GBytes *datagram,
    gpointer user_data)
{
  Alteration *alteration = user_data;
  gsize size;
  const guint8 *octets = g_bytes_get_data (datagram, &size);
  g_autofree guint8 *copy = NULL;

  if (alteration->done || world_type (datagram) != alteration->type)
    return TRUE;
  alteration->done = TRUE;
  if (alteration->bit < 0) {
    give_alterations (to, &from->address, datagram);
    return TRUE;
  }
  if ((gsize) alteration->bit >= 8 * size)
    return TRUE;
  copy = g_memdup2 (octets, size);
  copy[alteration->bit / 8] ^= 1 << alteration->bit % 8;
  sim_network_send (world->network, from->index, to->index, copy, size);
  return FALSE;
}

static void
check_altered (guint type, gint bit, gboolean long_messages)
{
  Alteration alteration = { type, bit, FALSE };
  Pair pair;

  pair_set (&pair, long_messages);
  pair.world->gate = alter;
  pair.world->gate_data = &alteration;
  world_invite (pair.alice,
      bravis_identity_get_name (pair.bob->identity), pair.bob);
  world_run (pair.world, 8 * WORLD_S);
  g_assert_true (alteration.done);
  check_met_once (&pair);
  pair_clear (&pair);
}

/* Each message meets all its alterations at once before it comes itself. */
static void
test_every_alteration_of_every_message_changes_nothing (void)
{
  for (guint type = BRAVIS_MESSAGE_HELLO; type <= BRAVIS_MESSAGE_READY;
      type++) {
    check_altered (type, -1, FALSE);
    check_altered (type, -1, TRUE);
  }
}

/* The altered one comes instead of the message. */
static void
test_an_altered_message_is_made_up_for (void)
{
  for (guint type = BRAVIS_MESSAGE_HELLO; type <= BRAVIS_MESSAGE_READY;
      type++)
    for (gint bit = 0; bit < 1400; bit += 37)
      check_altered (type, bit, FALSE);
}

/* --- repeated --- */

typedef struct {
  Peer *from, *to;
  GBytes *datagram;
} Record;

typedef struct {
  GArray *records;
  gboolean replaying;
} Tape;

static void
record_clear (gpointer data)
{
  g_bytes_unref (((Record *) data)->datagram);
}

static Tape *
tape_new (void)
{
  Tape *tape = g_new0 (Tape, 1);

  tape->records = g_array_new (FALSE, FALSE, sizeof (Record));
  g_array_set_clear_func (tape->records, record_clear);
  return tape;
}

static void
tape_free (Tape *tape)
{
  g_array_unref (tape->records);
  g_free (tape);
}

static gboolean
record (World *world, Peer *from, Peer *to, GBytes *datagram,
    gpointer user_data)
{
  Tape *tape = user_data;
  Record entry = { from, to, g_bytes_ref (datagram) };

  g_array_append_val (tape->records, entry);
  return TRUE;
}

/* To whom they were sent and to who sent them, from there, from the other
 * side and from nowhere. */
static void
replay (Tape *tape, World *world)
{
  GcpAddress nowhere = { .family = 4, .ip = { 10, 9, 9, 9 }, .port = 9 };
  guint n = tape->records->len;

  for (guint i = 0; i < n; i++) {
    Record entry = g_array_index (tape->records, Record, i);

    world_give_bytes (entry.to, &entry.from->address, entry.datagram);
    world_give_bytes (entry.to, &nowhere, entry.datagram);
    world_give_bytes (entry.from, &entry.to->address, entry.datagram);
  }
}

/* Before each datagram, all that went before once more. */
static gboolean
record_and_replay (World *world, Peer *from, Peer *to, GBytes *datagram,
    gpointer user_data)
{
  Tape *tape = user_data;

  if (tape->replaying)
    return TRUE;
  tape->replaying = TRUE;
  replay (tape, world);
  tape->replaying = FALSE;
  return record (world, from, to, datagram, tape);
}

static void
test_replays_in_a_handshake_change_nothing (void)
{
  for (guint long_messages = 0; long_messages < 2; long_messages++) {
    Tape *tape = tape_new ();
    Pair pair;

    pair_set (&pair, long_messages);
    pair.world->gate = record_and_replay;
    pair.world->gate_data = tape;
    world_invite (pair.alice,
        bravis_identity_get_name (pair.bob->identity), pair.bob);
    world_run (pair.world, 5 * WORLD_S);
    check_met_once (&pair);
    pair_clear (&pair);
    tape_free (tape);
  }
}

static void
test_replays_after_a_handshake_change_nothing (void)
{
  static const gint64 pauses[] = { 0, WORLD_S, 9 * WORLD_S, 30 * WORLD_S };
  Tape *tape = tape_new ();
  Pair pair;

  pair_set (&pair, FALSE);
  pair.world->gate = record;
  pair.world->gate_data = tape;
  world_invite (pair.alice, "bob", pair.bob);
  world_run (pair.world, WORLD_S);
  check_met_once (&pair);
  pair.world->gate = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (pauses); i++) {
    world_run (pair.world, pauses[i]);
    replay (tape, pair.world);
    check_met_once (&pair);
    g_assert_cmpuint (bravis_door_count_handshakes (pair.alice->door), ==, 0);
  }
  g_assert_cmpuint (bravis_door_count_handshakes (pair.bob->door), ==, 0);
  g_assert_cmpuint (world_count_sent (pair.bob, BRAVIS_MESSAGE_INVITEE), ==, 1);

  world_restart_peer (pair.alice);
  world_restart_peer (pair.bob);
  replay (tape, pair.world);
  check_met_once (&pair);
  g_assert_cmpuint (bravis_door_count_handshakes (pair.alice->door), ==, 0);
  g_assert_cmpuint (bravis_door_count_handshakes (pair.bob->door), ==, 0);
  pair_clear (&pair);
  tape_free (tape);
}

/* Also not into the next handshake of the same two. */
static void
test_replays_of_the_last_handshake_change_nothing (void)
{
  Tape *tape = tape_new ();
  Pair pair;

  pair_set (&pair, FALSE);
  pair.world->gate = record;
  pair.world->gate_data = tape;
  world_invite (pair.alice, "bob", pair.bob);
  world_run (pair.world, WORLD_S);
  check_met_once (&pair);
  pair.world->gate = NULL;
  world_invite (pair.alice, "bob", pair.bob);
  for (guint i = 0; i < 20; i++) {
    replay (tape, pair.world);
    world_run (pair.world, 5 * WORLD_MS);
  }
  world_run (pair.world, 5 * WORLD_S);
  g_assert_cmpuint (pair.alice->n_ready, ==, 2);
  g_assert_cmpuint (pair.bob->n_welcome, ==, 2);
  g_assert_cmpuint (pair.alice->n_refused + pair.bob->n_refused, ==, 0);
  pair_clear (&pair);
  tape_free (tape);
}

/* --- sent back --- */

static gboolean
reflect (World *world, Peer *from, Peer *to, GBytes *datagram,
    gpointer user_data)
{
  sim_network_send (world->network, to->index, from->index,
      g_bytes_get_data (datagram, NULL), g_bytes_get_size (datagram));
  return FALSE;
}

static void
test_what_is_sent_back_changes_nothing (void)
{
  Pair pair;

  pair_set (&pair, FALSE);
  pair.world->gate = reflect;
  world_invite (pair.alice, "bob", pair.bob);
  world_run (pair.world, 5 * WORLD_S);
  g_assert_cmpuint (pair.alice->n_invitee + pair.alice->n_refused
      + pair.alice->n_welcome, ==, 0);
  g_assert_cmpuint (bravis_door_count_handshakes (pair.alice->door), ==, 1);
  g_assert_cmpuint (world_count_sent (pair.alice, BRAVIS_MESSAGE_HELLO), ==,
      pair.alice->sent->len);
  pair.world->gate = NULL;
  world_run (pair.world, 5 * WORLD_S);
  check_met_once (&pair);
  pair_clear (&pair);
}

/* --- made up --- */

static guint64
find_id (Peer *inviter)
{
  guint64 id = 0;

  if (inviter->sent->len > 0)
    memcpy (&id, (const guint8 *) g_bytes_get_data (g_ptr_array_index
            (inviter->sent, 0), NULL) + 2, sizeof id);
  return id;
}

/* Random octets: half of them with the beginning of a handshake's datagram,
 * every second of these with the number of the handshake that is going on. */
static void
give_garbage (Pair *pair, Peer *to, const GcpAddress *from)
{
  SimRandom *random = sim_network_random (pair->world->network);
  guint64 id = find_id (pair->alice);
  guint8 octets[2001];

  for (gsize size = 0; size <= 2000; size++) {
    sim_random_fill (random, octets, size);
    if (size >= 2 && size % 2 == 0) {
      octets[0] = BRAVIS_DATAGRAM_HANDSHAKE;
      octets[1] = sim_random_range (random, 0, 9);
    }
    if (size >= 16 && size % 4 == 0) {
      memcpy (octets + 2, &id, sizeof id);
      if (sim_random_chance (random, 0.5)) {
        memset (octets + 10, 0, 6);
        octets[11] = (size - 32) >> 8;
        octets[12] = size - 32;
      }
    }
    world_give (to, from, octets, size);
  }
}

static void
test_garbage_of_every_length_changes_nothing (void)
{
  Pair pair;

  pair_set (&pair, FALSE);
  give_garbage (&pair, pair.alice, &pair.bob->address);
  world_invite (pair.alice, "bob", pair.bob);
  for (guint step = 0; step < 12; step++) {
    give_garbage (&pair, pair.alice, &pair.bob->address);
    give_garbage (&pair, pair.bob, &pair.alice->address);
    g_assert_cmpuint (bravis_door_count_handshakes (pair.alice->door), <=, 1);
    g_assert_cmpuint (bravis_door_count_handshakes (pair.bob->door), <=, 1);
    world_run (pair.world, 10 * WORLD_MS);
  }
  world_run (pair.world, 5 * WORLD_S);
  check_met_once (&pair);
  pair_clear (&pair);
}

/* X25519 keys of low order, in messages that are right otherwise. */
static void
test_keys_of_low_order_are_dropped (void)
{
  guint8 datagram[BRAVIS_HELLO_SIZE] = { BRAVIS_DATAGRAM_HANDSHAKE,
    BRAVIS_MESSAGE_HELLO, BRAVIS_HANDSHAKE_VERSION };
  guint8 hash[BRAVIS_HASH_SIZE], reply[BRAVIS_REPLY_SIZE];
  g_autoptr (BravisSecret) key = NULL;
  GBytes *cookie;
  Pair pair;

  pair_set (&pair, FALSE);
  bravis_sha256 (WORLD_CONFERENCE, strlen (WORLD_CONFERENCE), hash);
  key = bravis_secret_new (hash, sizeof hash);
  bravis_hmac_sha256 (key, datagram, BRAVIS_HELLO_TAGGED_SIZE, hash);
  memcpy (datagram + BRAVIS_HELLO_TAGGED_SIZE, hash, 16);
  world_give (pair.bob, &pair.alice->address, datagram, sizeof datagram);
  cookie = g_ptr_array_index (pair.bob->sent, 0);
  memcpy (datagram + BRAVIS_HELLO_CORE_SIZE, (const guint8 *)
      g_bytes_get_data (cookie, NULL) + 10, BRAVIS_COOKIE_SIZE);
  world_give (pair.bob, &pair.alice->address, datagram, sizeof datagram);
  g_assert_cmpuint (pair.bob->sent->len, ==, 1);
  g_assert_cmpuint (bravis_door_count_handshakes (pair.bob->door), ==, 0);

  world_invite (pair.alice, "bob", pair.bob);
  memset (reply, 0, sizeof reply);
  memcpy (reply, g_bytes_get_data (g_ptr_array_index (pair.alice->sent, 0),
          NULL), 10);
  reply[1] = BRAVIS_MESSAGE_REPLY;
  world_give (pair.alice, &pair.bob->address, reply, sizeof reply);
  world_run (pair.world, WORLD_S);
  check_met_once (&pair);
  pair_clear (&pair);
}

/* --- too much --- */

static GcpAddress
make_address (guint n)
{
  return (GcpAddress) { .family = 4, .ip = { 172, 16, n >> 8, n },
    .port = 1000 };
}

static void
test_a_flood_without_cookies_stores_nothing (void)
{
  guint8 none[BRAVIS_COOKIE_SIZE] = { 0 };
  BravisRandom random;
  Pair pair;

  pair_set (&pair, FALSE);
  world_random (pair.world, &random);
  for (guint i = 0; i < 20000; i++) {
    g_autoptr (BravisHandshake) handshake = NULL;
    g_autoptr (GBytes) hello = NULL;
    GcpAddress address = make_address (i);

    /* The key is made seldom: it is not what costs the victim anything. */
    if (i % 100 == 0)
      handshake = bravis_handshake_new_inviter (WORLD_CONFERENCE, &random);
    else
      continue;
    hello = bravis_handshake_make_hello (handshake, none);
    for (guint j = 0; j < 100; j++) {
      address = make_address (i + j);
      world_give_bytes (pair.bob, &address, hello);
    }
  }
  g_assert_cmpuint (bravis_door_count_handshakes (pair.bob->door), ==, 0);
  g_assert_cmpuint (world_count_sent (pair.bob, BRAVIS_MESSAGE_COOKIE), ==,
      20000);
  g_assert_cmpuint (pair.bob->sent->len, ==, 20000);
  pair_clear (&pair);
}

static void
knock (Pair *pair, const GcpAddress *address)
{
  rogue_free (rogue_call (pair->bob, address, WORLD_CONFERENCE));
}

static void
test_half_open_handshakes_are_bounded_and_end (void)
{
  Pair pair;

  pair_set (&pair, FALSE);
  for (guint i = 0; i < 300; i++) {
    GcpAddress address = make_address (i);

    knock (&pair, &address);
    g_assert_cmpuint (bravis_door_count_handshakes (pair.bob->door), ==,
        MIN (i + 1, BRAVIS_DOOR_MAX_HALF_OPEN));
  }
  world_run (pair.world, BRAVIS_DOOR_HALF_OPEN);
  g_assert_cmpuint (bravis_door_count_handshakes (pair.bob->door), ==, 0);
  pair_clear (&pair);
}

static void
test_half_open_handshakes_of_one_address_are_bounded (void)
{
  GcpAddress four = make_address (7);
  GcpAddress six = { .family = 6, .ip = { 0x20, 1, 0xd, 0xb8 }, .port = 1 };
  Pair pair;

  pair_set (&pair, FALSE);
  for (guint i = 0; i < 20; i++) {
    four.port++;
    knock (&pair, &four);
    six.ip[15]++;
    knock (&pair, &six);
  }
  g_assert_cmpuint (bravis_door_count_handshakes (pair.bob->door), ==,
      2 * BRAVIS_DOOR_MAX_FROM_ADDRESS);
  pair_clear (&pair);
}

/* Refused handshakes are remembered for a while, too: within the same bound. */
static void
test_refused_strangers_are_bounded (void)
{
  g_autoptr (GBytes) nonsense = g_bytes_new_static ("nonsense", 8);
  Pair pair;

  pair_set (&pair, FALSE);
  for (guint i = 0; i < 100; i++) {
    GcpAddress address = make_address (i);
    g_autoptr (Rogue) rogue = rogue_call (pair.bob, &address,
        WORLD_CONFERENCE);

    rogue_give (rogue, BRAVIS_MESSAGE_INVITER, nonsense);
  }
  g_assert_cmpuint (bravis_door_count_handshakes (pair.bob->door), ==,
      BRAVIS_DOOR_MAX_HALF_OPEN);
  pair_clear (&pair);
}

/* Two thousand proven addresses a second, and somebody who really wants in. */
static void
test_a_flood_does_not_keep_others_out (void)
{
  Pair pair;

  pair_set (&pair, FALSE);
  for (guint i = 0; i < 400; i++) {
    GcpAddress address = make_address (i);

    if (i == 100)
      world_invite (pair.alice, "bob", pair.bob);
    knock (&pair, &address);
    if (i % 2 == 0)
      world_run (pair.world, WORLD_MS);
  }
  check_met_once (&pair);
  pair_clear (&pair);
}

/* --- seen by others --- */

static gboolean
contains (GBytes *haystack, gconstpointer needle, gsize size)
{
  return memmem (g_bytes_get_data (haystack, NULL),
      g_bytes_get_size (haystack), needle, size) != NULL;
}

/* No 16 octets of a card, no name, not the conference's. */
static void
check_shows_nothing (GBytes *datagram, Pair *pair)
{
  Peer *peers[] = { pair->alice, pair->bob };

  g_assert_false (contains (datagram, "example.org", 11));
  g_assert_false (contains (datagram, WORLD_CONFERENCE,
          strlen (WORLD_CONFERENCE)));
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++) {
    gsize size;
    const guint8 *card = g_bytes_get_data (peers[i]->own->card->bytes, &size);

    for (gsize at = 0; at + 16 <= size; at += 4)
      g_assert_false (contains (datagram, card + at, 16));
  }
}

static void
test_nothing_of_anybody_is_seen_on_the_way (void)
{
  Pair pair;

  pair_set (&pair, FALSE);
  world_invite (pair.alice, "bob", pair.bob);
  world_run (pair.world, WORLD_S);
  check_met_once (&pair);
  for (guint i = 0; i < pair.alice->sent->len; i++)
    check_shows_nothing (g_ptr_array_index (pair.alice->sent, i), &pair);
  for (guint i = 0; i < pair.bob->sent->len; i++)
    check_shows_nothing (g_ptr_array_index (pair.bob->sent, i), &pair);
  pair_clear (&pair);
}

#define ADD(test) \
    g_test_add_func ("/keymgmt/door/noise/" #test, test_##test)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (every_alteration_of_every_message_changes_nothing);
  ADD (an_altered_message_is_made_up_for);
  ADD (replays_in_a_handshake_change_nothing);
  ADD (replays_after_a_handshake_change_nothing);
  ADD (replays_of_the_last_handshake_change_nothing);
  ADD (what_is_sent_back_changes_nothing);
  ADD (garbage_of_every_length_changes_nothing);
  ADD (keys_of_low_order_are_dropped);
  ADD (a_flood_without_cookies_stores_nothing);
  ADD (half_open_handshakes_are_bounded_and_end);
  ADD (half_open_handshakes_of_one_address_are_bounded);
  ADD (refused_strangers_are_bounded);
  ADD (a_flood_does_not_keep_others_out);
  ADD (nothing_of_anybody_is_seen_on_the_way);
  return g_test_run ();
}
