/* Epochs: the key schedule against figures computed apart from it (HMAC of
 * another implementation over the schedule of docs/protocol.md), and who gets
 * which keys. */
#include "../../keymgmt/bravis-epoch.h"
#include "test-pki.h"

#include <string.h>

#define CONFERENCE "standup"

typedef struct {
  TestPki *pki;
  BravisOwnCard *own[2];
  BravisCard *cards[2];
  GcpView *view;
  BravisPolicy policy;
  BravisSecret *secret;
} World;

static GcpView *
make_view (World *world, guint64 number)
{
  GcpMember members[2];

  for (guint i = 0; i < 2; i++)
    members[i] = (GcpMember) { world->cards[i]->id, world->cards[i]->bytes };
  return gcp_view_new (number, TRUE, members, 2);
}

static void
set_up (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = NULL;
  guint8 octets[BRAVIS_KEY_SIZE];
  BravisRandom random;

  world->pki = test_pki_new ();
  alice = test_pki_identity (world->pki, "alice");
  bravis_random_init_system (&random);
  for (guint i = 0; i < 2; i++) {
    world->own[i] = bravis_own_card_new (alice, CONFERENCE, TEST_PKI_NOW,
        &random, NULL);
    world->cards[i] = world->own[i]->card;
    memset (world->cards[i]->digest, i == 0 ? 0xaa : 0xbb, BRAVIS_HASH_SIZE);
  }
  world->cards[0]->id = G_GUINT64_CONSTANT (0x0102030405060708);
  world->cards[1]->id = G_GUINT64_CONSTANT (0x1112131415161718);
  world->view = make_view (world, 3);
  bravis_policy_init (&world->policy);
  world->policy.cipher[BRAVIS_KIND_VIDEO] = BRAVIS_CIPHER_AES_256_GCM;
  for (guint i = 0; i < sizeof octets; i++)
    octets[i] = i;
  world->secret = bravis_secret_new_take (octets, sizeof octets);
}

static void
tear_down (World *world, gconstpointer data)
{
  bravis_secret_unref (world->secret);
  gcp_view_unref (world->view);
  for (guint i = 0; i < 2; i++)
    bravis_own_card_free (world->own[i]);
  test_pki_free (world->pki);
}

static BravisEpoch *
make_epoch (World *world)
{
  return bravis_epoch_new (5, world->view, world->cards, 0, &world->policy,
      world->secret);
}

static guint64
kid (guint64 epoch, guint8 sender, BravisKind kind, guint16 stream)
{
  BravisKid parts = { epoch, sender, kind, stream };

  return bravis_kid_pack (&parts);
}

static void
assert_secret (BravisSecret *secret, const char *hex)
{
  g_autoptr (BravisSecret) expected = bravis_secret_new_from_hex (hex, NULL);

  g_assert_nonnull (secret);
  g_assert_cmpmem (bravis_secret_peek (secret), bravis_secret_get_size (secret),
      bravis_secret_peek (expected), bravis_secret_get_size (expected));
}

static void
test_kid_names_epoch_sender_kind_and_stream (void)
{
  BravisKid read;

  g_assert_cmphex (kid (5, 1, BRAVIS_KIND_VIDEO, 7), ==, 0x501007);
  g_assert_cmphex (kid (BRAVIS_MAX_EPOCH, 127, BRAVIS_KIND_SIGNALLING, 1023),
      ==, G_GUINT64_CONSTANT (0xfffffffffff7ffff));
  bravis_kid_unpack (G_GUINT64_CONSTANT (0xfffffffffff7ffff), &read);
  g_assert_cmpuint (read.epoch, ==, BRAVIS_MAX_EPOCH);
  g_assert_cmpuint (read.sender, ==, 127);
  g_assert_cmpint (read.kind, ==, BRAVIS_KIND_SIGNALLING);
  g_assert_cmpuint (read.stream, ==, 1023);
}

static void
test_key_schedule_is_the_documented_one (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = make_epoch (world);
  g_autoptr (BravisSecret) video = bravis_epoch_derive_base_key (epoch,
      kid (5, 1, BRAVIS_KIND_VIDEO, 7));
  g_autoptr (BravisSecret) audio = bravis_epoch_derive_base_key (epoch,
      kid (5, 0, BRAVIS_KIND_AUDIO, 0));
  g_autoptr (BravisSecret) srtp = bravis_epoch_derive_srtp_key (epoch,
      kid (5, 1, BRAVIS_KIND_VIDEO, 7), 28);
  g_autoptr (BravisSecret) confirmation = bravis_secret_new (
      bravis_epoch_get_confirmation (epoch), BRAVIS_HASH_SIZE);
  guint8 context[BRAVIS_HASH_SIZE];
  g_autoptr (BravisSecret) hash = NULL;

  bravis_epoch_hash_context (5, world->view, world->cards, &world->policy,
      context);
  hash = bravis_secret_new (context, sizeof context);
  assert_secret (hash,
      "43c3bded2c758b31ddedc09ae61a36df8790da9369e69c50d9a6522b9c8221b9");
  assert_secret (video,
      "b1418a257e3d574a97afcec57cfc35e01bafe07435e53d9ca65c33e5c77d1d0f");
  assert_secret (audio, "8c125121f128548c51f38acf58da4e71");
  assert_secret (srtp,
      "c2edc1e5d36ce35336779078362be06666be0bd77fc9cd37777e8f49");
  assert_secret (confirmation,
      "f2c4d5a0b02a028c1d1ca0ec482bddaee037d74210fab66807279a3637c2ba5d");
}

static void
test_exported_keys_depend_on_label_context_and_epoch (World *world,
    gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = make_epoch (world);
  g_autoptr (BravisEpoch) next = bravis_epoch_new (6, world->view, world->cards,
      0, &world->policy, world->secret);
  g_autoptr (BravisSecret) key = bravis_epoch_export (epoch, "recording", "a", 1,
      32);
  g_autoptr (BravisSecret) again = bravis_epoch_export (epoch, "recording", "a",
      1, 32);
  g_autoptr (BravisSecret) longer = bravis_epoch_export (epoch, "recording",
      "a", 1, 33);
  g_autoptr (BravisSecret) label = bravis_epoch_export (epoch, "chat", "a", 1,
      32);
  g_autoptr (BravisSecret) context = bravis_epoch_export (epoch, "recording",
      "b", 1, 32);
  g_autoptr (BravisSecret) later = bravis_epoch_export (next, "recording", "a",
      1, 32);
  const BravisSecret *others[] = { label, context, later };

  assert_secret (key,
      "d9d7b45a3b20751434fb27098827ca3b843c70ecfe3b51c6bf098319ee93f88f");
  g_assert_true (bravis_secret_equal (key, again));
  g_assert_false (memcmp (bravis_secret_peek (key), bravis_secret_peek (longer),
      32) == 0);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (bravis_secret_equal (key, others[i]));
}

static void
test_no_key_for_a_kid_of_another_epoch_or_of_no_member (World *world,
    gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = make_epoch (world);

  g_assert_null (bravis_epoch_derive_base_key (epoch,
      kid (4, 1, BRAVIS_KIND_VIDEO, 7)));
  g_assert_null (bravis_epoch_derive_base_key (epoch,
      kid (5, 2, BRAVIS_KIND_VIDEO, 7)));
  g_assert_null (bravis_epoch_derive_srtp_key (epoch,
      kid (6, 0, BRAVIS_KIND_AUDIO, 0), 28));
}

static void
assert_differs (BravisEpoch *epoch, World *world, GcpView *view)
{
  g_autoptr (BravisEpoch) other = bravis_epoch_new (5, view, world->cards, 0,
      &world->policy, world->secret);

  g_assert_false (memcmp (bravis_epoch_get_confirmation (epoch),
      bravis_epoch_get_confirmation (other), BRAVIS_HASH_SIZE) == 0);
}

/* The same secret in another group, or under another policy, is another epoch. */
static void
test_keys_are_bound_to_view_policy_and_cards (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = make_epoch (world);
  g_autoptr (GcpView) other_view = make_view (world, 4);

  assert_differs (epoch, world, other_view);
  world->cards[1]->digest[31] ^= 1;
  assert_differs (epoch, world, world->view);
  world->cards[1]->digest[31] ^= 1;
  world->policy.cipher[BRAVIS_KIND_SIGNALLING] = BRAVIS_CIPHER_AES_256_GCM;
  assert_differs (epoch, world, world->view);
}

static void
test_a_retired_epoch_is_closed_for_sending_too (World *world,
    gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = make_epoch (world);

  g_assert_false (bravis_epoch_is_sending_closed (epoch));
  bravis_epoch_close_sending (epoch);
  g_assert_true (bravis_epoch_is_sending_closed (epoch));
  g_assert_false (bravis_epoch_is_retired (epoch));
  bravis_epoch_retire (epoch);
  g_assert_true (bravis_epoch_is_retired (epoch));
}

#define ADD(name, func) \
  g_test_add ("/keymgmt/epoch/" name, World, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keymgmt/epoch/kid_names_epoch_sender_kind_and_stream",
      test_kid_names_epoch_sender_kind_and_stream);
  ADD ("key_schedule_is_the_documented_one",
      test_key_schedule_is_the_documented_one);
  ADD ("exported_keys_depend_on_label_context_and_epoch",
      test_exported_keys_depend_on_label_context_and_epoch);
  ADD ("no_key_for_a_kid_of_another_epoch_or_of_no_member",
      test_no_key_for_a_kid_of_another_epoch_or_of_no_member);
  ADD ("keys_are_bound_to_view_policy_and_cards",
      test_keys_are_bound_to_view_policy_and_cards);
  ADD ("a_retired_epoch_is_closed_for_sending_too",
      test_a_retired_epoch_is_closed_for_sending_too);
  return g_test_run ();
}
