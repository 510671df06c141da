/* The handshake against a second implementation, written from
 * docs/protocol.md, section 4, with nothing but the primitives. So
 * transcript, labels and keys are what is written there, on both sides. */
#include "door-world.h"
#include "../../keymgmt/bravis-fragment.h"

#include <string.h>

#define CONFERENCE "weekly meeting"

typedef struct {
  BravisRandom random;
  BravisIdentity *alice, *bob;
  BravisOwnCard *alices, *bobs;
  guint8 h[BRAVIS_HASH_SIZE];
  guint8 h0[BRAVIS_HASH_SIZE];
  BravisSecret *private_key;
  BravisSecret *prk;
} Second;

static void
second_set (Second *second)
{
  memset (second, 0, sizeof *second);
  bravis_random_init_system (&second->random);
  second->alice = test_pki_identity (world_pki (), "alice");
  second->bob = test_pki_identity (world_pki (), "bob");
  second->alices = bravis_own_card_new (second->alice, CONFERENCE, TEST_PKI_NOW,
      &second->random, NULL);
  second->bobs = bravis_own_card_new (second->bob, CONFERENCE, TEST_PKI_NOW,
      &second->random,
      NULL);
}

static void
second_clear (Second *second)
{
  bravis_identity_unref (second->alice);
  bravis_identity_unref (second->bob);
  bravis_own_card_free (second->alices);
  bravis_own_card_free (second->bobs);
  bravis_secret_unref (second->private_key);
  bravis_secret_unref (second->prk);
}

static void
append (GByteArray *array, gconstpointer data, gsize size)
{
  g_byte_array_append (array, data, size);
}

/* A length of @width octets, and the octets. */
static void
append_vector (GByteArray *array, guint width, gconstpointer data, gsize size)
{
  while (width-- > 0) {
    guint8 octet = size >> 8 * width;

    append (array, &octet, 1);
  }
  append (array, data, size);
}

/* h0 and prk, from HELLO and REPLY and one's own private key. */
static void
open_transcript (Second *second, const guint8 *hello, const guint8 *reply,
    const guint8 *public_key)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();
  g_autoptr (BravisSecret) shared =
      bravis_x25519 (second->private_key, public_key);

  append_vector (input, 1, "BRAVIS 1.0 handshake", 20);
  append_vector (input, 1, CONFERENCE, strlen (CONFERENCE));
  append_vector (input, 1, hello, 91);
  append_vector (input, 1, reply, 74);
  bravis_sha256 (input->data, input->len, second->h0);
  memcpy (second->h, second->h0, sizeof second->h);
  second->prk = bravis_hkdf_extract (second->h0, sizeof second->h0,
      bravis_secret_peek (shared), 32);
}

static BravisSecret *
key (Second *second, const char *label, guint8 type, guint8 role,
    const guint8 *h)
{
  guint8 context[34] = { type, role };

  memcpy (context + 2, h, 32);
  return bravis_hkdf_expand_label (second->prk, label, context, 34, 32);
}

static void
mac (Second *second, guint8 type, guint8 role, const guint8 *over, guint8 *out)
{
  g_autoptr (BravisSecret) mac_key =
      key (second, "handshake mac", type, role, second->h0);

  bravis_hmac_sha256 (mac_key, over, 32, out);
}

static void
add_card (Second *second, guint8 type, BravisCard *card)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();

  append (input, second->h, 32);
  append (input, &type, 1);
  append_vector (input, 3, g_bytes_get_data (card->bytes, NULL),
      g_bytes_get_size (card->bytes));
  bravis_sha256 (input->data, input->len, second->h);
}

static void
add_signature (Second *second, gconstpointer signature, gsize size)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();

  append (input, second->h, 32);
  append_vector (input, 2, signature, size);
  bravis_sha256 (input->data, input->len, second->h);
}

/* The proof of @card's owner, to whom @identity belongs. */
static GBytes *
prove (Second *second, guint8 type, guint8 role, const char *label,
    BravisIdentity *identity, BravisCard *card)
{
  GByteArray *proof = g_byte_array_new ();
  g_autoptr (GBytes) signature = NULL;
  guint8 tag[BRAVIS_HASH_SIZE];

  append_vector (proof, 3, g_bytes_get_data (card->bytes, NULL),
      g_bytes_get_size (card->bytes));
  add_card (second, type, card);
  signature = bravis_identity_sign (identity, label, second->h, 32, NULL);
  append_vector (proof, 2, g_bytes_get_data (signature, NULL),
      g_bytes_get_size (signature));
  mac (second, type, role, second->h, tag);
  append (proof, tag, sizeof tag);
  add_signature (second, g_bytes_get_data (signature, NULL),
      g_bytes_get_size (signature));
  return g_byte_array_free_to_bytes (proof);
}

/* Checks the proof of @card's owner by hand. */
static void
check_proof (Second *second, GBytes *proof, guint8 type, guint8 role,
    const char *label, BravisIdentity *identity, BravisCard *card)
{
  gsize size, card_size = g_bytes_get_size (card->bytes);
  const guint8 *octets = g_bytes_get_data (proof, &size);
  g_autoptr (BravisCard) verified = bravis_card_verify (card->bytes, identity,
      CONFERENCE, TEST_PKI_NOW, NULL);
  guint8 tag[BRAVIS_HASH_SIZE];
  gsize signature_size;

  g_assert_cmpuint (octets[0] << 16 | octets[1] << 8 | octets[2], ==,
      card_size);
  octets += 3;
  g_assert_cmpmem (octets, card_size, g_bytes_get_data (card->bytes, NULL),
      card_size);
  octets += card_size;
  signature_size = octets[0] << 8 | octets[1];
  octets += 2;
  g_assert_cmpuint (size, ==, 3 + card_size + 2 + signature_size + 32);
  add_card (second, type, card);
  g_assert_true (bravis_certificate_verify_signature (verified->certificate,
          label, second->h, 32, octets, signature_size, NULL));
  mac (second, type, role, second->h, tag);
  g_assert_cmpmem (octets + signature_size, 32, tag, 32);
  add_signature (second, octets, signature_size);
}

/* All the keys of messages are the same on both sides. */
static void
check_keys (Second *second, BravisHandshake *handshake)
{
  static const struct {
    guint8 type, role;
    gboolean late;
  } messages[] = {
    { 4, 1, FALSE }, { 5, 2, FALSE }, { 8, 1, FALSE }, { 8, 2, FALSE },
    { 6, 1, TRUE }, { 7, 2, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (messages); i++) {
    g_autoptr (BravisSecret) theirs = bravis_handshake_derive_key (handshake,
        messages[i].type, messages[i].role);
    g_autoptr (BravisSecret) ours = key (second, "handshake key",
        messages[i].type, messages[i].role,
        messages[i].late ? second->h : second->h0);

    g_assert_true (bravis_secret_equal (theirs, ours));
  }
}

static void
test_an_invitee_made_from_the_document_is_understood (void)
{
  guint8 none[BRAVIS_COOKIE_SIZE] = { 0 }, reply[106] = { 192, 3 };
  g_autoptr (BravisHandshake) inviter = NULL;
  g_autoptr (GBytes) hello = NULL;
  g_autoptr (GBytes) theirs = NULL;
  g_autoptr (GBytes) ours = NULL;
  g_autoptr (GError) error = NULL;
  const guint8 *octets;
  Second second;

  second_set (&second);
  inviter = bravis_handshake_new_inviter (CONFERENCE, &second.random);
  hello = bravis_handshake_make_hello (inviter, none);
  g_assert_cmpuint (g_bytes_get_size (hello), ==, 123);
  octets = g_bytes_get_data (hello, NULL);
  g_assert_cmpmem (octets, 3, "\300\1\1", 3);

  memcpy (reply + 2, octets + 3, 8);
  bravis_random_fill (&second.random, reply + 10, 32);
  second.private_key = bravis_x25519_generate (&second.random, reply + 42);
  open_transcript (&second, octets, reply, octets + 43);
  mac (&second, 3, 2, second.h0, reply + 74);
  g_assert_true (bravis_handshake_take_reply (inviter, reply, sizeof reply));

  theirs = bravis_handshake_make_proof (inviter, second.alice, second.alices,
      &error);
  g_assert_no_error (error);
  check_proof (&second, theirs, 4, 1, "handshake inviter", second.bob,
      second.alices->card);
  ours = prove (&second, 5, 2, "handshake invitee", second.bob,
      second.bobs->card);
  bravis_handshake_check_proof (inviter, ours, second.alice, TEST_PKI_NOW,
      &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bravis_handshake_get_peer (inviter)->name, ==,
      "bob@example.org");
  check_keys (&second, inviter);
  second_clear (&second);
}

static void
test_an_inviter_made_from_the_document_is_understood (void)
{
  guint8 hello[123] = { 192, 1, 1 }, hash[BRAVIS_HASH_SIZE];
  g_autoptr (BravisHandshake) invitee = NULL;
  g_autoptr (BravisSecret) name = NULL;
  g_autoptr (GBytes) theirs = NULL;
  g_autoptr (GBytes) ours = NULL;
  g_autoptr (GError) error = NULL;
  BravisHello parsed;
  const guint8 *reply;
  Second second;

  second_set (&second);
  bravis_random_fill (&second.random, hello + 3, 8 + 32);
  second.private_key = bravis_x25519_generate (&second.random, hello + 43);
  bravis_sha256 (CONFERENCE, strlen (CONFERENCE), hash);
  name = bravis_secret_new (hash, sizeof hash);
  bravis_hmac_sha256 (name, hello, 75, hash);
  memcpy (hello + 75, hash, 16);
  g_assert_true (bravis_hello_parse (hello, sizeof hello, &parsed));
  g_assert_true (bravis_hello_is_for (&parsed, CONFERENCE));
  g_assert_false (bravis_hello_is_for (&parsed, "another meeting"));

  invitee = bravis_handshake_new_invitee (CONFERENCE, &parsed, &second.random);
  g_assert_cmpuint (g_bytes_get_size (bravis_handshake_get_reply (invitee)), ==,
      106);
  reply = g_bytes_get_data (bravis_handshake_get_reply (invitee), NULL);
  g_assert_cmpmem (reply, 2, "\300\3", 2);
  g_assert_cmpmem (reply + 2, 8, hello + 3, 8);
  open_transcript (&second, hello, reply, reply + 42);
  mac (&second, 3, 2, second.h0, hash);
  g_assert_cmpmem (reply + 74, 32, hash, 32);

  ours = prove (&second, 4, 1, "handshake inviter", second.alice,
      second.alices->card);
  bravis_handshake_check_proof (invitee, ours, second.bob, TEST_PKI_NOW,
      &error);
  g_assert_no_error (error);
  theirs = bravis_handshake_make_proof (invitee, second.bob, second.bobs,
      &error);
  g_assert_no_error (error);
  check_proof (&second, theirs, 5, 2, "handshake invitee", second.alice,
      second.bobs->card);
  check_keys (&second, invitee);
  second_clear (&second);
}

/* A sealed piece, opened by hand. */
static void
test_a_sealed_message_is_as_documented (void)
{
  guint8 octets[32] = { 5 }, nonce[12] = { 0 }, out[1168];
  g_autoptr (BravisSecret) secret = bravis_secret_new (octets, sizeof octets);
  g_autoptr (GBytes) message = g_bytes_new_take (g_strnfill (1171, 'x'), 1171);
  g_autoptr (GPtrArray) datagrams = bravis_fragments_seal (secret, 6,
      0x0102030405060708, message);
  gsize size;
  const guint8 *data;

  g_assert_cmpuint (datagrams->len, ==, 2);
  data = g_bytes_get_data (g_ptr_array_index (datagrams, 1), &size);
  g_assert_cmpmem (data, 16, "\300\6\1\2\3\4\5\6\7\10\0\4\223\0\4\220", 16);
  g_assert_cmpuint (size, ==, 16 + 3 + 16);
  nonce[10] = 4;
  nonce[11] = 0220;
  g_assert_true (bravis_aead_open (secret, nonce, data, 16, data + 16, 19,
          out));
  g_assert_cmpmem (out, 3, "xxx", 3);
}

#define ADD(test) \
    g_test_add_func ("/keymgmt/handshake/" #test, test_##test)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (an_invitee_made_from_the_document_is_understood);
  ADD (an_inviter_made_from_the_document_is_understood);
  ADD (a_sealed_message_is_as_documented);
  return g_test_run ();
}
