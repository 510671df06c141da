/* The primitives against the vectors of their standards. */
#include "../../keymgmt/bravis-crypto.h"

#include <string.h>

static BravisSecret *
secret (const char *hex)
{
  g_autoptr (GError) error = NULL;
  BravisSecret *made = bravis_secret_new_from_hex (hex, &error);

  g_assert_no_error (error);
  return made;
}

static void
assert_hex (gconstpointer data, gsize size, const char *hex)
{
  g_autoptr (BravisSecret) expected = secret (hex);

  g_assert_cmpmem (data, size, bravis_secret_peek (expected),
      bravis_secret_get_size (expected));
}

static void
test_sha256 (void)
{
  guint8 out[BRAVIS_HASH_SIZE];

  bravis_sha256 ("abc", 3, out);
  assert_hex (out, sizeof out,
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  bravis_sha256 (NULL, 0, out);
  assert_hex (out, sizeof out,
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231 §4.3 */
static void
test_hmac (void)
{
  g_autoptr (BravisSecret) key = bravis_secret_new ("Jefe", 4);
  guint8 out[BRAVIS_HASH_SIZE];

  bravis_hmac_sha256 (key, "what do ya want for nothing?", 28, out);
  assert_hex (out, sizeof out,
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* RFC 5869 A.1 and A.3 */
static void
test_hkdf_extract (void)
{
  g_autoptr (BravisSecret) input =
      secret ("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  g_autoptr (BravisSecret) salt = secret ("000102030405060708090a0b0c");
  g_autoptr (BravisSecret) salted = bravis_hkdf_extract (
      bravis_secret_peek (salt), 13, bravis_secret_peek (input), 22);
  g_autoptr (BravisSecret) plain = bravis_hkdf_extract (NULL, 0,
      bravis_secret_peek (input), 22);

  assert_hex (bravis_secret_peek (salted), 32,
      "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  assert_hex (bravis_secret_peek (plain), 32,
      "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
}

/* The expansion is checked against HMAC, as RFC 5869 §2.3 composes it. */
static void
test_hkdf_expand_label_is_rfc_5869_over_the_stated_info (void)
{
  g_autoptr (BravisSecret) prk = secret (
      "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  static const guint8 info[] = "\x00\x30" "\x0f" "BRAVIS 1.0 test"
      "\x00\x03" "ctx";
  g_autoptr (BravisSecret) out = bravis_hkdf_expand_label (prk, "test", "ctx",
      3, 48);
  guint8 block[BRAVIS_HASH_SIZE + sizeof info];
  guint8 first[BRAVIS_HASH_SIZE], second[BRAVIS_HASH_SIZE];
  gsize info_size = sizeof info - 1;

  memcpy (block, info, info_size);
  block[info_size] = 1;
  bravis_hmac_sha256 (prk, block, info_size + 1, first);
  memcpy (block, first, sizeof first);
  memcpy (block + sizeof first, info, info_size);
  block[sizeof first + info_size] = 2;
  bravis_hmac_sha256 (prk, block, sizeof first + info_size + 1, second);

  g_assert_cmpuint (bravis_secret_get_size (out), ==, 48);
  g_assert_cmpint (memcmp (bravis_secret_peek (out), first, 32), ==, 0);
  g_assert_cmpint (memcmp (bravis_secret_peek (out) + 32, second, 16), ==, 0);
}

static void
test_labels_contexts_and_sizes_separate_outputs (void)
{
  g_autoptr (BravisSecret) prk = secret ("01020304");
  g_autoptr (BravisSecret) a = bravis_hkdf_expand_label (prk, "a", "bc", 2, 32);
  g_autoptr (BravisSecret) b = bravis_hkdf_expand_label (prk, "ab", "c", 1, 32);
  g_autoptr (BravisSecret) c = bravis_hkdf_expand_label (prk, "a", NULL, 0, 32);
  g_autoptr (BravisSecret) d = bravis_hkdf_expand_label (prk, "a", NULL, 0, 33);

  g_assert_false (bravis_secret_equal (a, b));
  g_assert_false (bravis_secret_equal (a, c));
  g_assert_cmpint (memcmp (bravis_secret_peek (c), bravis_secret_peek (d),
          32), !=, 0);
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", cases 13, 14, 16 */
static const struct {
  const char *key, *nonce, *aad, *plaintext, *ciphertext;
} gcm_cases[] = {
  { "0000000000000000000000000000000000000000000000000000000000000000",
    "000000000000000000000000", NULL, NULL,
    "530f8afbc74536b9a963b4f1c4cb738b" },
  { "0000000000000000000000000000000000000000000000000000000000000000",
    "000000000000000000000000", NULL, "00000000000000000000000000000000",
    "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919" },
  { "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
    "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static void
test_aes_256_gcm_vectors (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (gcm_cases); i++) {
    g_autoptr (BravisSecret) key = secret (gcm_cases[i].key);
    g_autoptr (BravisSecret) nonce = secret (gcm_cases[i].nonce);
    g_autoptr (BravisSecret) aad = gcm_cases[i].aad
        ? secret (gcm_cases[i].aad) : NULL;
    g_autoptr (BravisSecret) plain = gcm_cases[i].plaintext
        ? secret (gcm_cases[i].plaintext) : NULL;
    gsize aad_size = aad ? bravis_secret_get_size (aad) : 0;
    gsize size = plain ? bravis_secret_get_size (plain) : 0;
    guint8 out[128], back[128];

    bravis_aead_seal (key, bravis_secret_peek (nonce),
        aad ? bravis_secret_peek (aad) : NULL, aad_size,
        plain ? bravis_secret_peek (plain) : NULL, size, out);
    assert_hex (out, size + BRAVIS_TAG_SIZE, gcm_cases[i].ciphertext);
    g_assert_true (bravis_aead_open (key, bravis_secret_peek (nonce),
        aad ? bravis_secret_peek (aad) : NULL, aad_size, out,
        size + BRAVIS_TAG_SIZE, back));
    if (plain)
      g_assert_cmpint (memcmp (back, bravis_secret_peek (plain), size), ==, 0);
  }
}

static void
test_every_flipped_bit_is_refused_and_nothing_is_written (void)
{
  g_autoptr (BravisSecret) key = secret (gcm_cases[2].key);
  guint8 nonce[BRAVIS_NONCE_SIZE] = { 1 };
  guint8 sealed[20 + BRAVIS_TAG_SIZE], out[20], untouched[20];

  bravis_aead_seal (key, nonce, "aad", 3, "twenty octets of text", 20, sealed);
  memset (untouched, 0x77, sizeof untouched);
  memset (out, 0x77, sizeof out);
  for (gsize bit = 0; bit < 8 * sizeof sealed; bit++) {
    sealed[bit / 8] ^= 1 << bit % 8;
    g_assert_false (bravis_aead_open (key, nonce, "aad", 3, sealed,
        sizeof sealed, out));
    sealed[bit / 8] ^= 1 << bit % 8;
  }
  for (gsize size = 0; size < sizeof sealed; size++)
    g_assert_false (bravis_aead_open (key, nonce, "aad", 3, sealed, size, out));
  g_assert_false (bravis_aead_open (key, nonce, "aae", 3, sealed,
      sizeof sealed, out));
  nonce[0]++;
  g_assert_false (bravis_aead_open (key, nonce, "aad", 3, sealed,
      sizeof sealed, out));
  g_assert_cmpmem (out, sizeof out, untouched, sizeof untouched);
}

/* RFC 7748 §5.2 and §6.1 */
static void
test_x25519_vectors (void)
{
  g_autoptr (BravisSecret) scalar = secret (
      "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
  g_autoptr (BravisSecret) point = secret (
      "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  g_autoptr (BravisSecret) alice = secret (
      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  g_autoptr (BravisSecret) bob_public = secret (
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  g_autoptr (BravisSecret) shared = NULL, product = NULL;

  shared = bravis_x25519 (alice, bravis_secret_peek (bob_public));
  assert_hex (bravis_secret_peek (shared), 32,
      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  product = bravis_x25519 (scalar, bravis_secret_peek (point));
  assert_hex (bravis_secret_peek (product), 32,
      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
}

static void
test_x25519_both_sides_agree (void)
{
  guint8 a_public[BRAVIS_X25519_SIZE], b_public[BRAVIS_X25519_SIZE];
  g_autoptr (BravisSecret) a = NULL, b = NULL, ab = NULL, ba = NULL;
  BravisRandom random;

  bravis_random_init_system (&random);
  a = bravis_x25519_generate (&random, a_public);
  b = bravis_x25519_generate (&random, b_public);
  ab = bravis_x25519 (a, b_public);
  ba = bravis_x25519 (b, a_public);
  g_assert_true (bravis_secret_equal (ab, ba));
  g_assert_false (bravis_secret_equal (a, b));
}

static void
test_x25519_low_order_is_refused (void)
{
  static const char *const low_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  };
  guint8 public_key[BRAVIS_X25519_SIZE];
  g_autoptr (BravisSecret) own = NULL;
  BravisRandom random;

  bravis_random_init_system (&random);
  own = bravis_x25519_generate (&random, public_key);
  for (gsize i = 0; i < G_N_ELEMENTS (low_order); i++) {
    g_autoptr (BravisSecret) point = secret (low_order[i]);

    memcpy (public_key, bravis_secret_peek (point), sizeof public_key);
    g_assert_null (bravis_x25519 (own, public_key));
    g_assert_true (bravis_x25519_is_low_order (public_key));
    public_key[31] |= 0x80;
    g_assert_null (bravis_x25519 (own, public_key));
    g_assert_true (bravis_x25519_is_low_order (public_key));
    public_key[3] ^= 1;
    g_assert_false (bravis_x25519_is_low_order (public_key));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crypto/sha256", test_sha256);
  g_test_add_func ("/crypto/hmac", test_hmac);
  g_test_add_func ("/crypto/hkdf_extract", test_hkdf_extract);
  g_test_add_func ("/crypto/hkdf_expand_label_is_rfc_5869_over_the_stated_info",
      test_hkdf_expand_label_is_rfc_5869_over_the_stated_info);
  g_test_add_func ("/crypto/labels_contexts_and_sizes_separate_outputs",
      test_labels_contexts_and_sizes_separate_outputs);
  g_test_add_func ("/crypto/aes_256_gcm_vectors", test_aes_256_gcm_vectors);
  g_test_add_func (
      "/crypto/every_flipped_bit_is_refused_and_nothing_is_written",
      test_every_flipped_bit_is_refused_and_nothing_is_written);
  g_test_add_func ("/crypto/x25519_vectors", test_x25519_vectors);
  g_test_add_func ("/crypto/x25519_both_sides_agree",
      test_x25519_both_sides_agree);
  g_test_add_func ("/crypto/x25519_low_order_is_refused",
      test_x25519_low_order_is_refused);
  return g_test_run ();
}
