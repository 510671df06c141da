/* Policies by name and on the wire. */
#include "../../keymgmt/bravis-error.h"
#include "../../keymgmt/bravis-policy.h"

static void
test_a_cipher_is_found_by_its_name_only (void)
{
  BravisCipher cipher;

  g_assert_true (bravis_cipher_from_string ("aes-256-gcm", &cipher));
  g_assert_cmpint (cipher, ==, BRAVIS_CIPHER_AES_256_GCM);
  g_assert_cmpstr (bravis_cipher_to_string (cipher), ==, "aes-256-gcm");
  g_assert_cmpuint (bravis_cipher_get_key_size (cipher), ==, 32);
  g_assert_cmpuint (bravis_cipher_get_key_size (BRAVIS_CIPHER_AES_128_GCM), ==,
      16);
  g_assert_false (bravis_cipher_from_string ("AES-256-GCM", &cipher));
  g_assert_false (bravis_cipher_from_string ("", &cipher));
  g_assert_null (bravis_cipher_to_string (0));
  g_assert_cmpstr (bravis_kind_to_string (BRAVIS_KIND_WHITEBOARD), ==,
      "whiteboard");
}

static void
test_policy_survives_the_wire (void)
{
  g_auto (GcpWriter) writer = { NULL };
  g_autoptr (GBytes) bytes = NULL;
  BravisPolicy policy, read;
  GcpReader reader;

  bravis_policy_init (&policy);
  policy.cipher[BRAVIS_KIND_AUDIO] = BRAVIS_CIPHER_AES_256_GCM;
  gcp_writer_init (&writer);
  bravis_policy_write (&policy, &writer);
  bytes = gcp_writer_finish (&writer);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      "\x03\x04\x05\x04\x04", 5);
  gcp_reader_init_bytes (&reader, bytes);
  bravis_policy_read (&read, &reader);
  g_assert_true (gcp_reader_finish (&reader));
  g_assert_true (bravis_policy_equal (&policy, &read));
  read.cipher[BRAVIS_KIND_VIDEO] = BRAVIS_CIPHER_AES_256_GCM;
  g_assert_false (bravis_policy_equal (&policy, &read));
}

/* A policy that protects less, or with something unknown, can't be read. */
static void
test_only_level_3_with_known_ciphers_is_read (void)
{
  for (guint place = 0; place < 5; place++)
    for (guint value = 0; value < 256; value++) {
      guint8 wire[5] = { 3, 4, 4, 4, 4 };
      gboolean good = place == 0 ? value == 3
          : (value >= 1 && value <= 5) || value == 241 || value == 242;
      BravisPolicy policy;
      GcpReader reader;

      wire[place] = value;
      gcp_reader_init (&reader, wire, sizeof wire);
      bravis_policy_read (&policy, &reader);
      g_assert_cmpint (gcp_reader_finish (&reader), ==, good);
    }
}

static void
test_weak_ciphers_must_be_asked_for (void)
{
  static const struct { BravisCipher cipher; gboolean is_weak; } cases[] = {
    { BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_80, FALSE },
    { BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_64, TRUE },
    { BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32, TRUE },
    { BRAVIS_CIPHER_AES_256_GCM, FALSE },
    { BRAVIS_CIPHER_CHACHA20_POLY1305, FALSE },
    { BRAVIS_CIPHER_PUZZLE, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    BravisPolicy policy, own;

    bravis_policy_init (&policy);
    bravis_policy_init (&own);
    policy.cipher[BRAVIS_KIND_AUDIO] = cases[i].cipher;
    g_assert_cmpint (bravis_policy_check (&policy, &own, &error), ==,
        !cases[i].is_weak);
    if (cases[i].is_weak)
      g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_POLICY);
    own.cipher[BRAVIS_KIND_AUDIO] = cases[i].cipher;
    g_assert_true (bravis_policy_check (&policy, &own, NULL));
  }
}

static void
test_sframe_has_its_own_number_for_chacha20 (void)
{
  g_assert_cmpuint (bravis_cipher_get_suite (BRAVIS_CIPHER_AES_256_GCM), ==, 5);
  g_assert_cmpuint (bravis_cipher_get_suite (BRAVIS_CIPHER_CHACHA20_POLY1305), ==,
      0xf001);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keymgmt/policy/a_cipher_is_found_by_its_name_only",
      test_a_cipher_is_found_by_its_name_only);
  g_test_add_func ("/keymgmt/policy/policy_survives_the_wire",
      test_policy_survives_the_wire);
  g_test_add_func ("/keymgmt/policy/only_level_3_with_known_ciphers_is_read",
      test_only_level_3_with_known_ciphers_is_read);
  g_test_add_func ("/keymgmt/policy/weak_ciphers_must_be_asked_for",
      test_weak_ciphers_must_be_asked_for);
  g_test_add_func ("/keymgmt/policy/sframe_has_its_own_number_for_chacha20",
      test_sframe_has_its_own_number_for_chacha20);
  return g_test_run ();
}
