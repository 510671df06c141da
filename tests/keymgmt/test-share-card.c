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
    const guint8 link_key[BRAVIS_X25519_SIZE], const BravisShare *share,
    GBytes *chain)
{
  g_autoptr (GBytes) signature = NULL;
  GcpWriter writer;

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, 1);
  gcp_write_vector8 (&writer, CONFERENCE, strlen (CONFERENCE));
  gcp_write_u64 (&writer, id);
  gcp_write_u64 (&writer, TEST_PKI_NOW);
  gcp_write_bytes (&writer, link_key, BRAVIS_X25519_SIZE);
  bravis_share_write (share, &writer);
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
      own->share, bravis_identity_get_chain (world->alice));
  g_autoptr (BravisCard) card = bravis_card_verify (bytes, world->bob,
      CONFERENCE, TEST_PKI_NOW, NULL);

  g_assert_nonnull (card);
}

/* Mallory, who is a member of good standing too, under Alice's certificate. */
static void
test_card_signed_by_somebody_else_is_refused (World *world, gconstpointer data)
{
  const BravisCard *own = world->card->card;
  g_autoptr (BravisIdentity) mallory = test_pki_identity (world->pki,
      "mallory");
  guint8 link_key[BRAVIS_X25519_SIZE];
  g_autoptr (BravisSecret) private_key = bravis_x25519_generate (
      &world->random, link_key);
  g_autoptr (GBytes) bytes = forge_card (mallory, own->id, link_key,
      own->share, bravis_identity_get_chain (world->alice));

  assert_refused (world, bytes, CONFERENCE, BRAVIS_ERROR_SIGNATURE);
}

/* Mallory under her own certificate, with a share that Alice signed. */
static void
test_card_with_the_share_of_somebody_else_is_refused (World *world,
    gconstpointer data)
{
  const BravisCard *own = world->card->card;
  g_autoptr (BravisIdentity) mallory = test_pki_identity (world->pki,
      "mallory");
  g_autoptr (GBytes) bytes = forge_card (mallory, own->id, own->link_key,
      own->share, bravis_identity_get_chain (mallory));

  assert_refused (world, bytes, CONFERENCE, BRAVIS_ERROR_SIGNATURE);
}

static void
test_card_with_a_share_of_another_member_is_refused (World *world,
    gconstpointer data)
{
  const BravisCard *own = world->card->card;
  g_autoptr (GBytes) bytes = forge_card (world->alice, own->id + 1,
      own->link_key, own->share, bravis_identity_get_chain (world->alice));

  assert_refused (world, bytes, CONFERENCE, BRAVIS_ERROR_SIGNATURE);
}

static void
test_card_with_a_later_share_is_refused (World *world, gconstpointer data)
{
  const BravisCard *own = world->card->card;
  g_autoptr (BravisSecret) private_key = NULL;
  g_autoptr (BravisShare) share = bravis_share_new (world->alice, CONFERENCE,
      own->id, 2, &world->random, &private_key, NULL);
  g_autoptr (GBytes) bytes = forge_card (world->alice, own->id, own->link_key,
      share, bravis_identity_get_chain (world->alice));

  assert_refused (world, bytes, CONFERENCE, BRAVIS_ERROR_PROTOCOL);
}

static void
test_card_of_nobody_or_with_a_key_of_low_order_is_refused (World *world,
    gconstpointer data)
{
  static const guint8 zero[BRAVIS_X25519_SIZE];
  const BravisCard *own = world->card->card;
  g_autoptr (GBytes) no_id = forge_card (world->alice, 0, own->link_key,
      own->share, bravis_identity_get_chain (world->alice));
  g_autoptr (GBytes) low_order = forge_card (world->alice, own->id, zero,
      own->share, bravis_identity_get_chain (world->alice));

  assert_refused (world, no_id, CONFERENCE, BRAVIS_ERROR_PROTOCOL);
  assert_refused (world, low_order, CONFERENCE, BRAVIS_ERROR_PROTOCOL);
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
test_share_goes_over_the_wire (World *world, gconstpointer data)
{
  const BravisShare *share = world->card->card->share;
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
test_share_is_bound_to_conference_member_and_serial (World *world,
    gconstpointer data)
{
  const BravisCard *own = world->card->card;
  g_autoptr (BravisCard) card = bravis_card_verify (own->bytes, world->bob,
      CONFERENCE, TEST_PKI_NOW, NULL);
  g_autoptr (BravisShare) altered = bravis_share_copy (own->share);

  g_assert_true (bravis_share_verify (altered, CONFERENCE, own->id,
      card->certificate, NULL));
  g_assert_false (bravis_share_verify (altered, "another", own->id,
      card->certificate, NULL));
  g_assert_false (bravis_share_verify (altered, CONFERENCE, own->id ^ 1,
      card->certificate, NULL));
  altered->serial++;
  g_assert_false (bravis_share_verify (altered, CONFERENCE, own->id,
      card->certificate, NULL));
  altered->serial--;
  altered->public_key[7] ^= 0x10;
  g_assert_false (bravis_share_verify (altered, CONFERENCE, own->id,
      card->certificate, NULL));
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
  ADD ("/card/with_the_share_of_somebody_else_is_refused",
      test_card_with_the_share_of_somebody_else_is_refused);
  ADD ("/card/with_a_share_of_another_member_is_refused",
      test_card_with_a_share_of_another_member_is_refused);
  ADD ("/card/with_a_later_share_is_refused",
      test_card_with_a_later_share_is_refused);
  ADD ("/card/of_nobody_or_with_a_key_of_low_order_is_refused",
      test_card_of_nobody_or_with_a_key_of_low_order_is_refused);
  ADD ("/card/of_an_untrusted_expired_or_revoked_member_is_refused",
      test_card_of_an_untrusted_expired_or_revoked_member_is_refused);
  ADD ("/card/every_incarnation_is_another",
      test_every_incarnation_is_another);
  ADD ("/card/conference_name_of_no_or_too_many_octets_is_an_error",
      test_conference_name_of_no_or_too_many_octets_is_an_error);
  ADD ("/share/goes_over_the_wire",
      test_share_goes_over_the_wire);
  ADD ("/share/is_bound_to_conference_member_and_serial",
      test_share_is_bound_to_conference_member_and_serial);
  ADD ("/card/speed",
      test_speed);
  return g_test_run ();
}
