/* Links: what two members say to each other, and what others make of it. */
#include "../../keymgmt/bravis-link.h"
#include "../../keymgmt/bravis-datagram.h"
#include "test-pki.h"

#include <string.h>

#define CONFERENCE "standup"

typedef struct {
  TestPki *pki;
  BravisOwnCard *alice, *bob, *carol;
  BravisLink *from_alice;       /* Alice's end of her link with Bob */
  BravisLink *from_bob;
} World;

static BravisOwnCard *
new_member (TestPki *pki, const char *name)
{
  g_autoptr (BravisIdentity) identity = test_pki_identity (pki, name);
  g_autoptr (GError) error = NULL;
  BravisRandom random;
  BravisOwnCard *own;

  bravis_random_init_system (&random);
  own = bravis_own_card_new (identity, CONFERENCE, TEST_PKI_NOW, &random, &error);
  g_assert_no_error (error);
  return own;
}

static void
set_up (World *world, gconstpointer data)
{
  world->pki = test_pki_new ();
  world->alice = new_member (world->pki, "alice");
  world->bob = new_member (world->pki, "bob");
  world->carol = new_member (world->pki, "carol");
  world->from_alice = bravis_link_new (world->alice, world->bob->card);
  world->from_bob = bravis_link_new (world->bob, world->alice->card);
}

static void
tear_down (World *world, gconstpointer data)
{
  bravis_link_free (world->from_alice);
  bravis_link_free (world->from_bob);
  bravis_own_card_free (world->alice);
  bravis_own_card_free (world->bob);
  bravis_own_card_free (world->carol);
  test_pki_free (world->pki);
}

static gboolean
is_taken (BravisLink *link, GBytes *datagram)
{
  g_autoptr (GBytes) plain = bravis_link_open (link,
      g_bytes_get_data (datagram, NULL), g_bytes_get_size (datagram));

  return plain != NULL;
}

static void
test_carries_octets_both_ways (World *world, gconstpointer data)
{
  for (gsize size = 0; size < 1200; size += 171) {
    g_autofree guint8 *text = g_malloc0 (size + 1);
    g_autoptr (GBytes) there = bravis_link_seal (world->from_alice, text, size);
    g_autoptr (GBytes) back = bravis_link_seal (world->from_bob, text, size);
    g_autoptr (GBytes) plain = NULL;

    g_assert_cmpuint (g_bytes_get_size (there), ==,
        size + BRAVIS_LINK_OVERHEAD);
    g_assert_cmpuint (bravis_link_peek_sender (g_bytes_get_data (there, NULL),
        g_bytes_get_size (there)), ==, world->alice->card->id);
    plain = bravis_link_open (world->from_bob, g_bytes_get_data (there, NULL),
        g_bytes_get_size (there));
    g_assert_nonnull (plain);
    g_assert_cmpmem (g_bytes_get_data (plain, NULL), g_bytes_get_size (plain),
        text, size);
    g_assert_true (is_taken (world->from_alice, back));
  }
}

static void
test_datagram_is_taken_once (World *world, gconstpointer data)
{
  g_autoptr (GBytes) datagram = bravis_link_seal (world->from_alice, "x", 1);

  g_assert_true (is_taken (world->from_bob, datagram));
  g_assert_false (is_taken (world->from_bob, datagram));
}

/* Every order of arrival: each of what is in the window once, nothing twice. */
static void
test_each_datagram_is_taken_once_in_any_order (World *world,
    gconstpointer data)
{
  enum { N = 1000, ROUNDS = 4 };
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (guint round = 0; round < ROUNDS; round++) {
    g_autoptr (GPtrArray) datagrams = g_ptr_array_new_with_free_func (
        (GDestroyNotify) g_bytes_unref);

    for (guint i = 0; i < N; i++)
      g_ptr_array_add (datagrams, bravis_link_seal (world->from_alice, "x",
          1));
    for (guint i = N - 1; i > 0; i--) {
      guint j = g_rand_int_range (random, 0, i + 1);
      gpointer kept = datagrams->pdata[i];

      datagrams->pdata[i] = datagrams->pdata[j];
      datagrams->pdata[j] = kept;
    }
    for (guint i = 0; i < N; i++)
      g_assert_true (is_taken (world->from_bob, datagrams->pdata[i]));
    for (guint i = 0; i < N; i++)
      g_assert_false (is_taken (world->from_bob, datagrams->pdata[i]));
  }
}

static void
test_datagram_older_than_the_window_is_not_taken (World *world,
    gconstpointer data)
{
  g_autoptr (GPtrArray) datagrams = g_ptr_array_new_with_free_func (
      (GDestroyNotify) g_bytes_unref);

  for (guint i = 0; i < 1026; i++)
    g_ptr_array_add (datagrams, bravis_link_seal (world->from_alice, "x", 1));
  g_assert_true (is_taken (world->from_bob, datagrams->pdata[1024]));
  g_assert_false (is_taken (world->from_bob, datagrams->pdata[0]));
  g_assert_true (is_taken (world->from_bob, datagrams->pdata[1]));
  g_assert_true (is_taken (world->from_bob, datagrams->pdata[1025]));
  g_assert_true (is_taken (world->from_bob, datagrams->pdata[2]));
  g_assert_false (is_taken (world->from_bob, datagrams->pdata[1]));
}

static void
test_lost_datagrams_open_a_gap_of_any_size (World *world, gconstpointer data)
{
  static const guint gaps[] = { 1, 63, 64, 65, 1023, 1024, 1025, 1088, 5000 };

  for (gsize i = 0; i < G_N_ELEMENTS (gaps); i++) {
    g_autoptr (GBytes) before = bravis_link_seal (world->from_alice, "x", 1);
    g_autoptr (GBytes) lost = NULL;
    g_autoptr (GBytes) after = NULL;

    g_assert_true (is_taken (world->from_bob, before));
    for (guint n = 0; n < gaps[i]; n++) {
      g_clear_pointer (&lost, g_bytes_unref);
      lost = bravis_link_seal (world->from_alice, "x", 1);
    }
    after = bravis_link_seal (world->from_alice, "x", 1);
    g_assert_true (is_taken (world->from_bob, after));
    g_assert_true (is_taken (world->from_bob, lost));
    g_assert_false (is_taken (world->from_bob, lost));
    g_assert_false (is_taken (world->from_bob, before));
    g_assert_false (is_taken (world->from_bob, after));
  }
}

static void
test_reflected_datagram_is_not_taken (World *world, gconstpointer data)
{
  g_autoptr (GBytes) datagram = bravis_link_seal (world->from_alice, "x", 1);
  gsize size;
  g_autofree guint8 *copy = NULL;
  g_autoptr (GBytes) renamed = NULL;
  guint64 bob = GUINT64_TO_BE (world->bob->card->id);

  g_assert_false (is_taken (world->from_alice, datagram));

  /* Nor with Bob's name written over hers. */
  copy = g_memdup2 (g_bytes_get_data (datagram, &size),
      g_bytes_get_size (datagram));
  size = g_bytes_get_size (datagram);
  memcpy (copy + 1, &bob, sizeof bob);
  renamed = g_bytes_new (copy, size);
  g_assert_false (is_taken (world->from_alice, renamed));
}

static void
test_every_flipped_bit_and_every_truncation_is_refused (World *world,
    gconstpointer data)
{
  g_autoptr (GBytes) datagram = bravis_link_seal (world->from_alice,
      "what Alice says", 15);
  gsize size;
  const guint8 *good = g_bytes_get_data (datagram, &size);

  for (gsize bit = 0; bit < 8 * size; bit++) {
    g_autofree guint8 *copy = g_memdup2 (good, size);
    g_autoptr (GBytes) altered = NULL;

    copy[bit / 8] ^= 1 << bit % 8;
    altered = g_bytes_new (copy, size);
    g_assert_false (is_taken (world->from_bob, altered));
  }
  for (gsize i = 0; i < size; i++) {
    g_autoptr (GBytes) part = g_bytes_new (good, i);

    g_assert_false (is_taken (world->from_bob, part));
  }

  /* None of it moved the window: the good one is still taken. */
  g_assert_true (is_taken (world->from_bob, datagram));
}

static void
test_garbage_of_every_length_is_refused (World *world, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  guint8 garbage[2000];
  guint64 alice = GUINT64_TO_BE (world->alice->card->id);

  for (gsize size = 0; size <= sizeof garbage; size++) {
    for (gsize i = 0; i < size; i++)
      garbage[i] = g_rand_int (random);
    if (size > 9 && size % 2) {
      garbage[0] = BRAVIS_DATAGRAM_LINK;
      memcpy (garbage + 1, &alice, sizeof alice);
    }
    g_assert_null (bravis_link_open (world->from_bob, garbage, size));
  }
}

static void
test_somebody_else_cannot_open_it (World *world, gconstpointer data)
{
  g_autoptr (BravisLink) with_alice = bravis_link_new (world->carol,
      world->alice->card);
  g_autoptr (GBytes) datagram = bravis_link_seal (world->from_alice, "x", 1);

  g_assert_false (is_taken (with_alice, datagram));
}

/* The same member, back with a new incarnation: nothing said before counts. */
static void
test_new_incarnation_does_not_take_what_the_old_one_was_sent (World *world,
    gconstpointer data)
{
  g_autoptr (BravisOwnCard) again = new_member (world->pki, "bob");
  g_autoptr (BravisLink) link = bravis_link_new (again, world->alice->card);
  g_autoptr (GBytes) datagram = bravis_link_seal (world->from_alice, "x", 1);

  g_assert_false (is_taken (link, datagram));
}

static void
test_no_link_with_oneself_or_over_a_key_of_low_order (World *world,
    gconstpointer data)
{
  BravisCard weak = *world->bob->card;

  memset (weak.link_key, 0, sizeof weak.link_key);
  g_assert_null (bravis_link_new (world->alice, &weak));
  g_assert_null (bravis_link_new (world->alice, world->alice->card));
}

static void
test_equal_texts_do_not_look_equal (World *world, gconstpointer data)
{
  g_autoptr (GBytes) first = bravis_link_seal (world->from_alice, "same", 4);
  g_autoptr (GBytes) second = bravis_link_seal (world->from_alice, "same", 4);
  g_autoptr (GBytes) third = bravis_link_seal (world->from_bob, "same", 4);
  const guint8 *a = g_bytes_get_data (first, NULL);
  const guint8 *b = g_bytes_get_data (second, NULL);
  const guint8 *c = g_bytes_get_data (third, NULL);

  g_assert_cmpint (memcmp (a + 17, b + 17, 4), !=, 0);
  g_assert_cmpint (memcmp (a + 17, c + 17, 4), !=, 0);
}

/* Put together a second time from what docs/protocol.md says in section 3. */
static void
test_datagram_is_as_documented (World *world, gconstpointer data)
{
  g_autoptr (GBytes) datagram = bravis_link_seal (world->from_alice, "hello",
      5);
  g_autoptr (BravisSecret) shared = bravis_x25519 (world->bob->link_key,
      world->alice->card->link_key);
  g_autoptr (BravisSecret) pair = bravis_hkdf_extract (NULL, 0,
      bravis_secret_peek (shared), 32);
  g_autoptr (BravisSecret) key = NULL;
  guint8 digests[64], nonce[12] = { 0 }, plain[5];
  const guint8 *octets = g_bytes_get_data (datagram, NULL);
  guint64 alice = GUINT64_TO_BE (world->alice->card->id);

  memcpy (digests, world->alice->card->digest, 32);
  memcpy (digests + 32, world->bob->card->digest, 32);
  key = bravis_hkdf_expand_label (pair, "link", digests, 64, 32);
  nonce[11] = 1;

  g_assert_cmpuint (g_bytes_get_size (datagram), ==, 17 + 5 + 16);
  g_assert_cmpuint (octets[0], ==, 193);
  g_assert_cmpint (memcmp (octets + 1, &alice, 8), ==, 0);
  g_assert_cmpint (memcmp (octets + 9, "\0\0\0\0\0\0\0\1", 8), ==, 0);
  g_assert_true (bravis_aead_open (key, nonce, octets, 17, octets + 17, 21,
      plain));
  g_assert_cmpmem (plain, 5, "hello", 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) \
  g_test_add ("/link/" name, World, NULL, set_up, function, tear_down)
  ADD ("carries_octets_both_ways", test_carries_octets_both_ways);
  ADD ("datagram_is_taken_once", test_datagram_is_taken_once);
  ADD ("each_datagram_is_taken_once_in_any_order",
      test_each_datagram_is_taken_once_in_any_order);
  ADD ("datagram_older_than_the_window_is_not_taken",
      test_datagram_older_than_the_window_is_not_taken);
  ADD ("lost_datagrams_open_a_gap_of_any_size",
      test_lost_datagrams_open_a_gap_of_any_size);
  ADD ("reflected_datagram_is_not_taken",
      test_reflected_datagram_is_not_taken);
  ADD ("every_flipped_bit_and_every_truncation_is_refused",
      test_every_flipped_bit_and_every_truncation_is_refused);
  ADD ("garbage_of_every_length_is_refused",
      test_garbage_of_every_length_is_refused);
  ADD ("somebody_else_cannot_open_it", test_somebody_else_cannot_open_it);
  ADD ("new_incarnation_does_not_take_what_the_old_one_was_sent",
      test_new_incarnation_does_not_take_what_the_old_one_was_sent);
  ADD ("no_link_with_oneself_or_over_a_key_of_low_order",
      test_no_link_with_oneself_or_over_a_key_of_low_order);
  ADD ("equal_texts_do_not_look_equal", test_equal_texts_do_not_look_equal);
  ADD ("datagram_is_as_documented", test_datagram_is_as_documented);
  return g_test_run ();
}
