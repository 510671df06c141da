/* Shares and cards: a good one is taken, any other is not. */
#include "../../keymgmt/bravis-card.h"
#include "test-pki.h"

#include <string.h>

#define CONFERENCE "standup"

typedef struct {
  TestPki *pki;
  BravisRandom random;
  BravisIdentity *alice, *bob;
  BravisOwnCard *card;          /* Alice's */
} World;

static void
set_up (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  world->pki = test_pki_new ();
  bravis_random_init_system (&world->random);
  world->alice = test_pki_identity (world->pki, "alice");
  world->bob = test_pki_identity (world->pki, "bob");
  world->card = bravis_own_card_new (world->alice, CONFERENCE, TEST_PKI_NOW,
      &world->random,
      &error);
  g_assert_no_error (error);
}

static void
tear_down (World *world, gconstpointer data)
{
  bravis_own_card_free (world->card);
  bravis_identity_unref (world->alice);
  bravis_identity_unref (world->bob);
  test_pki_free (world->pki);
}

static void
assert_refused (World *world, GBytes *bytes, const char *conference, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (bravis_card_verify (bytes, world->bob, conference,
      TEST_PKI_NOW, &error));
  g_assert_error (error, BRAVIS_ERROR, code);
}

static void
test_card_shows_who_and_how (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const BravisCard *own = world->card->card;
  g_autoptr (BravisCard) card = bravis_card_verify (own->bytes, world->bob,
      CONFERENCE, TEST_PKI_NOW, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (card->name, ==, "alice@example.org");
  g_assert_cmpuint (card->id, ==, own->id);
  g_assert_cmpmem (card->link_key, 32, own->link_key, 32);
  g_assert_cmpmem (card->digest, 32, own->digest, 32);
  g_assert_true (bravis_share_equal (card->share, own->share));
  g_assert_cmpuint (card->share->serial, ==, 1);
}

/* Each octet, with one of its bits: all bits in turn over the card. */
static void
test_altered_card_is_refused_at_every_octet (World *world, gconstpointer data)
{
  gsize size;
  const guint8 *good = g_bytes_get_data (world->card->card->bytes, &size);

  for (gsize i = 0; i < size; i++) {
    g_autofree guint8 *copy = g_memdup2 (good, size);
    g_autoptr (GBytes) bytes = NULL;

    copy[i] ^= 1 << i % 8;
    bytes = g_bytes_new (copy, size);
    g_assert_null (bravis_card_verify (bytes, world->bob, CONFERENCE,
        TEST_PKI_NOW, NULL));
  }
}

static void
test_shortened_or_lengthened_card_is_refused (World *world, gconstpointer data)
{
  gsize size;
  const guint8 *good = g_bytes_get_data (world->card->card->bytes, &size);
  g_autofree guint8 *longer = g_malloc0 (size + 1);
  g_autoptr (GBytes) bytes = NULL;

  for (gsize i = 0; i < size; i++) {
    g_autoptr (GBytes) part = g_bytes_new (good, i);

    assert_refused (world, part, CONFERENCE, BRAVIS_ERROR_PROTOCOL);
  }
  memcpy (longer, good, size);
  bytes = g_bytes_new (longer, size + 1);
  assert_refused (world, bytes, CONFERENCE, BRAVIS_ERROR_PROTOCOL);
}

static void
test_card_of_another_conference_is_refused (World *world, gconstpointer data)
{
  assert_refused (world, world->card->card->bytes, "standup2",
      BRAVIS_ERROR_CONFERENCE);
  assert_refused (world, world->card->card->bytes, "",
      BRAVIS_ERROR_CONFERENCE);
}

/* A card as @identity would sign it, with everything to choose. */
static GBytes *
forge_card (BravisIdentity *identity, GcpMemberId id,
    const guint8 link_key[BRAVIS_X25519_SIZE],
    const guint8 share[BRAVIS_X25519_SIZE], GBytes *chain)
{
  g_autoptr (GBytes) signature = NULL;
  GcpWriter writer;

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, 1);
  gcp_write_vector8 (&writer, CONFERENCE, strlen (CONFERENCE));
  gcp_write_u64 (&writer, id);
  gcp_write_u64 (&writer, TEST_PKI_NOW);
  gcp_write_bytes (&writer, link_key, BRAVIS_X25519_SIZE);
  gcp_write_bytes (&writer, share, BRAVIS_X25519_SIZE);
  gcp_write_vector24_bytes (&writer, chain);
  signature = bravis_identity_sign (identity, "card", writer.array->data,
      writer.array->len, NULL);
  gcp_write_vector16 (&writer, g_bytes_get_data (signature, NULL),
      g_bytes_get_size (signature));
  return gcp_writer_finish (&writer);
}

static void
test_forger_of_this_test_can_make_a_good_card (World *world, gconstpointer data)
{
  const BravisCard *own = world->card->card;
  g_autoptr (GBytes) bytes = forge_card (world->alice, own->id, own->link_key,
      own->share->public_key, bravis_identity_get_chain (world->alice));
  g_autoptr (BravisCard) card = bravis_card_verify (bytes, world->bob,
      CONFERENCE, TEST_PKI_NOW, NULL);

  g_assert_nonnull (card);
}

/* Mallory, who is a member of good standing too, under Alice's certificate. */
static GBytes *
forge_card_of_alice (World *world)
{
  const BravisCard *own = world->card->card;
  g_autoptr (BravisIdentity) mallory = test_pki_identity (world->pki,
      "mallory");
  guint8 link_key[BRAVIS_X25519_SIZE];
  g_autoptr (BravisSecret) private_key = bravis_x25519_generate (
      &world->random, link_key);

  return forge_card (mallory, own->id, link_key, own->share->public_key,
      bravis_identity_get_chain (world->alice));
}

static void
test_card_signed_by_somebody_else_is_refused (World *world, gconstpointer data)
{
  g_autoptr (GBytes) bytes = forge_card_of_alice (world);

  assert_refused (world, bytes, CONFERENCE, BRAVIS_ERROR_SIGNATURE);
}

static void
test_card_of_nobody_or_with_a_key_of_low_order_is_refused (World *world,
    gconstpointer data)
{
  static const guint8 zero[BRAVIS_X25519_SIZE];
  const BravisCard *own = world->card->card;
  GBytes *chain = bravis_identity_get_chain (world->alice);
  g_autoptr (GBytes) no_id = forge_card (world->alice, 0, own->link_key,
      own->share->public_key, chain);
  g_autoptr (GBytes) no_link = forge_card (world->alice, own->id, zero,
      own->share->public_key, chain);
  g_autoptr (GBytes) no_share = forge_card (world->alice, own->id,
      own->link_key, zero, chain);

  assert_refused (world, no_id, CONFERENCE, BRAVIS_ERROR_PROTOCOL);
  assert_refused (world, no_link, CONFERENCE, BRAVIS_ERROR_PROTOCOL);
  assert_refused (world, no_share, CONFERENCE, BRAVIS_ERROR_PROTOCOL);
}

/* --- a card with the share that its member has now --- */

static gboolean
is_good_with (World *world, GBytes *card, const BravisShare *share)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisCard) verified = bravis_card_verify_with_share (card, share,
      world->bob, CONFERENCE, TEST_PKI_NOW, &error);

  if (!verified)
    g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_SIGNATURE);
  return verified != NULL;
}

static BravisShare *
later_share (World *world, BravisIdentity *signer)
{
  g_autoptr (BravisSecret) key = NULL;

  return bravis_share_new (signer, world->card->card->digest, 2,
      &world->random, &key, NULL);
}

static void
test_card_is_good_with_its_members_shares_alone (World *world,
    gconstpointer data)
{
  const BravisCard *own = world->card->card;
  g_autoptr (BravisSecret) key = NULL;
  g_autoptr (BravisShare) later = later_share (world, world->alice);
  g_autoptr (BravisShare) forged = later_share (world, world->bob);
  g_autoptr (BravisShare) other = bravis_share_new_first (&world->random, &key);

  g_assert_true (is_good_with (world, own->bytes, own->share));
  g_assert_true (is_good_with (world, own->bytes, later));
  g_assert_false (is_good_with (world, own->bytes, forged));
  g_assert_false (is_good_with (world, own->bytes, other));
}

/* The signature of its member's share is the only one that is looked at: no octet of
 * the card may be another than was meant by it. */
static void
test_altered_card_is_refused_with_a_later_share_too (World *world,
    gconstpointer data)
{
  g_autoptr (BravisShare) later = later_share (world, world->alice);
  g_autoptr (GBytes) forged = forge_card_of_alice (world);
  gsize size;
  const guint8 *good = g_bytes_get_data (world->card->card->bytes, &size);

  g_assert_false (is_good_with (world, forged, later));
  g_assert_false (is_good_with (world, forged, world->card->card->share));
  for (gsize i = 0; i < size; i++) {
    g_autofree guint8 *copy = g_memdup2 (good, size);
    g_autoptr (GBytes) bytes = NULL;

    copy[i] ^= 1 << i % 8;
    bytes = g_bytes_new (copy, size);
    g_assert_null (bravis_card_verify_with_share (bytes, later, world->bob,
        CONFERENCE, TEST_PKI_NOW, NULL));
  }
}

static void
test_card_of_an_untrusted_expired_or_revoked_member_is_refused (World *world,
    gconstpointer data)
{
  static const struct {
    const char *name;
    TestPkiKind kind;
    int code;
  } cases[] = {
    { "other", TEST_PKI_OTHER_CA, BRAVIS_ERROR_UNTRUSTED },
    { "late", TEST_PKI_EXPIRED, BRAVIS_ERROR_EXPIRED },
    { "early", TEST_PKI_NOT_YET_VALID, BRAVIS_ERROR_EXPIRED },
    { "revoked", TEST_PKI_REVOKED, BRAVIS_ERROR_REVOKED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (BravisIdentity) identity = test_pki_identity_of_kind (
        world->pki, cases[i].name, cases[i].kind);
    g_autoptr (BravisOwnCard) own = bravis_own_card_new (identity, CONFERENCE, TEST_PKI_NOW,
        &world->random, NULL);
    g_autoptr (BravisIdentity) bob = test_pki_identity (world->pki, "bob");
    g_autoptr (GError) error = NULL;

    g_assert_null (bravis_card_verify (own->card->bytes, bob, CONFERENCE,
        TEST_PKI_NOW, &error));
    g_assert_error (error, BRAVIS_ERROR, cases[i].code);
  }
}

static void
test_every_incarnation_is_another (World *world, gconstpointer data)
{
  g_autoptr (BravisOwnCard) again = bravis_own_card_new (world->alice,
      CONFERENCE, TEST_PKI_NOW, &world->random, NULL);

  g_assert_cmpuint (again->card->id, !=, world->card->card->id);
  g_assert_false (bravis_secret_equal (again->link_key,
      world->card->link_key));
  g_assert_false (bravis_secret_equal (again->share_key,
      world->card->share_key));
}

static void
test_conference_name_of_no_or_too_many_octets_is_an_error (World *world,
    gconstpointer data)
{
  g_autofree char *name = g_strnfill (256, 'x');
  g_autoptr (GError) error = NULL;

  g_assert_null (bravis_own_card_new (world->alice, name, TEST_PKI_NOW,
      &world->random,
      &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG);
  g_clear_error (&error);
  g_assert_null (bravis_own_card_new (world->alice, "", TEST_PKI_NOW,
      &world->random,
      &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG);
}

static void
check_share_goes_over_the_wire (const BravisShare *share)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (BravisShare) back = NULL;
  GcpWriter writer;
  GcpReader reader;

  gcp_writer_init (&writer);
  bravis_share_write (share, &writer);
  bytes = gcp_writer_finish (&writer);
  gcp_reader_init_bytes (&reader, bytes);
  back = bravis_share_read (&reader);
  g_assert_nonnull (back);
  g_assert_true (gcp_reader_finish (&reader));
  g_assert_true (bravis_share_equal (share, back));

  for (gsize size = 0; size < g_bytes_get_size (bytes); size++) {
    gcp_reader_init (&reader, g_bytes_get_data (bytes, NULL), size);
    g_assert_null (bravis_share_read (&reader));
    g_assert_false (gcp_reader_finish (&reader));
  }
}

static void
assert_malformed (const BravisShare *share)
{
  g_auto (GcpWriter) writer = { NULL };
  GcpReader reader;

  gcp_writer_init (&writer);
  bravis_share_write (share, &writer);
  gcp_reader_init (&reader, writer.array->data, writer.array->len);
  g_assert_null (bravis_share_read (&reader));
  g_assert_true (reader.failed);
}

static void
test_share_goes_over_the_wire (World *world, gconstpointer data)
{
  g_autoptr (BravisShare) later = later_share (world, world->alice);

  check_share_goes_over_the_wire (world->card->card->share);
  check_share_goes_over_the_wire (later);
}

static void
test_share_is_signed_from_the_second_on (World *world, gconstpointer data)
{
  g_autoptr (BravisShare) first = bravis_share_copy (world->card->card->share);
  g_autoptr (BravisShare) later = later_share (world, world->alice);

  first->serial = 2;
  later->serial = BRAVIS_FIRST_SHARE;
  assert_malformed (first);
  assert_malformed (later);
}

static void
test_share_is_bound_to_card_and_serial (World *world, gconstpointer data)
{
  g_autoptr (BravisCard) card = bravis_card_verify (world->card->card->bytes,
      world->bob, CONFERENCE, TEST_PKI_NOW, NULL);
  g_autoptr (BravisOwnCard) again = bravis_own_card_new (world->alice,
      CONFERENCE, TEST_PKI_NOW, &world->random, NULL);
  g_autoptr (BravisCard) next = bravis_card_verify (again->card->bytes,
      world->bob, CONFERENCE, TEST_PKI_NOW, NULL);
  g_autoptr (BravisShare) share = later_share (world, world->alice);

  g_assert_true (bravis_card_verify_share (card, share, NULL));
  g_assert_false (bravis_card_verify_share (next, share, NULL));
  share->serial++;
  g_assert_false (bravis_card_verify_share (card, share, NULL));
  share->serial--;
  share->public_key[7] ^= 0x10;
  g_assert_false (bravis_card_verify_share (card, share, NULL));

  g_assert_true (bravis_card_verify_share (card, card->share, NULL));
  g_assert_false (bravis_card_verify_share (next, card->share, NULL));
}

/* Not a guarantee, but a figure: shown with -m perf. */
static void
test_speed (World *world, gconstpointer data)
{
  enum { N = 500 };
  gint64 start = g_get_monotonic_time ();
  double each;

  if (!g_test_perf ()) {
    g_test_skip ("only with -m perf");
    return;
  }
  for (guint i = 0; i < N; i++) {
    g_autoptr (BravisCard) card = bravis_card_verify (world->card->card->bytes,
        world->bob, CONFERENCE, TEST_PKI_NOW, NULL);

    g_assert_nonnull (card);
  }
  each = (g_get_monotonic_time () - start) / (double) N;
  g_test_minimized_result (each, "%.0f microseconds to verify a card", each);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) \
  g_test_add (name, World, NULL, set_up, function, tear_down)
  ADD ("/card/shows_who_and_how",
      test_card_shows_who_and_how);
  ADD ("/card/altered_is_refused_at_every_octet",
      test_altered_card_is_refused_at_every_octet);
  ADD ("/card/shortened_or_lengthened_is_refused",
      test_shortened_or_lengthened_card_is_refused);
  ADD ("/card/of_another_conference_is_refused",
      test_card_of_another_conference_is_refused);
  ADD ("/card/forger_of_this_test_can_make_a_good_one",
      test_forger_of_this_test_can_make_a_good_card);
  ADD ("/card/signed_by_somebody_else_is_refused",
      test_card_signed_by_somebody_else_is_refused);
  ADD ("/card/of_nobody_or_with_a_key_of_low_order_is_refused",
      test_card_of_nobody_or_with_a_key_of_low_order_is_refused);
  ADD ("/card/is_good_with_its_members_shares_alone",
      test_card_is_good_with_its_members_shares_alone);
  ADD ("/card/altered_is_refused_with_a_later_share_too",
      test_altered_card_is_refused_with_a_later_share_too);
  ADD ("/card/of_an_untrusted_expired_or_revoked_member_is_refused",
      test_card_of_an_untrusted_expired_or_revoked_member_is_refused);
  ADD ("/card/every_incarnation_is_another",
      test_every_incarnation_is_another);
  ADD ("/card/conference_name_of_no_or_too_many_octets_is_an_error",
      test_conference_name_of_no_or_too_many_octets_is_an_error);
  ADD ("/share/goes_over_the_wire",
      test_share_goes_over_the_wire);
  ADD ("/share/is_signed_from_the_second_on",
      test_share_is_signed_from_the_second_on);
  ADD ("/share/is_bound_to_card_and_serial",
      test_share_is_bound_to_card_and_serial);
  ADD ("/card/speed",
      test_speed);
  return g_test_run ();
}
