/* SFrame against the vectors of RFC 9605 and against damage. */
#include <string.h>
#include <json-glib/json-glib.h>

#include "../../gst/bravis-sframe.h"

#define MAX_VECTOR 256

static JsonArray *
load_vectors (const char *what, JsonParser **parser)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "vectors",
      "rfc9605.json", NULL);
  g_autoptr (GError) error = NULL;
  JsonArray *array;

  *parser = json_parser_new_immutable ();
  json_parser_load_from_file (*parser, path, &error);
  g_assert_no_error (error);
  array = json_object_get_array_member (json_node_get_object
      (json_parser_get_root (*parser)), what);
  g_assert_cmpuint (json_array_get_length (array), >, 0);
  return array;
}

static gsize
hex_member (JsonObject *object, const char *name, guint8 *out)
{
  const char *hex = json_object_get_string_member (object, name);
  gsize i, size = strlen (hex) / 2;

  g_assert_cmpuint (size, <=, MAX_VECTOR);
  for (i = 0; i < size; i++)
    out[i] = g_ascii_xdigit_value (hex[2 * i]) << 4
        | g_ascii_xdigit_value (hex[2 * i + 1]);
  return size;
}

/* The largest numbers of the vectors don't fit a signed 64-bit integer, which
 * is what the parser makes of them; they are in the encoding anyway. */
static void
test_header_vectors (void)
{
  g_autoptr (JsonParser) parser = NULL;
  JsonArray *vectors = load_vectors ("header", &parser);
  guint i, n = json_array_get_length (vectors);

  for (i = 0; i < n; i++) {
    JsonObject *vector = json_array_get_object_element (vectors, i);
    guint8 encoded[MAX_VECTOR], written[BRAVIS_SFRAME_MAX_HEADER];
    gsize size = hex_member (vector, "encoded", encoded);
    gint64 kid = json_object_get_int_member (vector, "kid");
    gint64 counter = json_object_get_int_member (vector, "ctr");
    BravisSFrameHeader header;

    g_assert_true (bravis_sframe_header_read (encoded, size, &header));
    g_assert_cmpuint (header.size, ==, size);
    if (header.kid <= G_MAXINT64)
      g_assert_cmpint (kid, ==, header.kid);
    if (header.counter <= G_MAXINT64)
      g_assert_cmpint (counter, ==, header.counter);
    g_assert_cmpuint (bravis_sframe_header_write (header.kid, header.counter,
            written), ==, size);
    g_assert_cmpmem (written, size, encoded, size);
  }
}

static void
test_cut_header_is_refused (void)
{
  guint8 whole[BRAVIS_SFRAME_MAX_HEADER];
  BravisSFrameHeader header;
  guint kid_bits, counter_bits;

  for (kid_bits = 0; kid_bits <= 64; kid_bits++) {
    for (counter_bits = 0; counter_bits <= 64; counter_bits++) {
      guint64 kid = kid_bits ? G_MAXUINT64 >> (64 - kid_bits) : 0;
      guint64 counter = counter_bits ? G_MAXUINT64 >> (64 - counter_bits) : 0;
      gsize size = bravis_sframe_header_write (kid, counter, whole), cut;

      for (cut = 0; cut < size; cut++)
        g_assert_false (bravis_sframe_header_read (whole, cut, &header));
      g_assert_true (bravis_sframe_header_read (whole, size, &header));
      g_assert_cmpuint (header.kid, ==, kid);
      g_assert_cmpuint (header.counter, ==, counter);
    }
  }
}

static void
test_longer_header_than_needed_is_refused (void)
{
  static const guint8 small_in_octet[] = { 0x80, 7 };
  static const guint8 leading_zero[] = { 0x90, 0, 9 };
  static const guint8 counter_in_octet[] = { 0x08, 7 };
  static const guint8 counter_leading_zero[] = { 0x0b, 0, 1, 0, 0 };
  BravisSFrameHeader header;

  g_assert_false (bravis_sframe_header_read (small_in_octet, 2, &header));
  g_assert_false (bravis_sframe_header_read (leading_zero, 3, &header));
  g_assert_false (bravis_sframe_header_read (counter_in_octet, 2, &header));
  g_assert_false (bravis_sframe_header_read (counter_leading_zero, 5, &header));
}

/* The vectors of the AES-CTR with HMAC construction give key and nonce: a salt
 * equal to the nonce and the counter 0 make it so. */
static void
check_aead_vectors (const char *what)
{
  g_autoptr (JsonParser) parser = NULL;
  JsonArray *vectors = load_vectors (what, &parser);
  guint i, n = json_array_get_length (vectors);

  for (i = 0; i < n; i++) {
    JsonObject *vector = json_array_get_object_element (vectors, i);
    guint8 key[MAX_VECTOR], nonce[MAX_VECTOR], aad[MAX_VECTOR];
    guint8 plain[MAX_VECTOR], cipher[MAX_VECTOR], data[MAX_VECTOR];
    gsize key_size = hex_member (vector, "key", key);
    gsize aad_size = hex_member (vector, "aad", aad);
    gsize plain_size = hex_member (vector, "pt", plain);
    gsize cipher_size = hex_member (vector, "ct", cipher);
    g_autoptr (BravisSFrame) sframe = NULL;

    g_assert_cmpuint (hex_member (vector, "nonce", nonce), ==,
        BRAVIS_NONCE_SIZE);
    sframe = bravis_sframe_new_with_key (json_object_get_int_member (vector,
            "cipher_suite"), key, key_size, nonce);
    g_assert_nonnull (sframe);
    memcpy (data, plain, plain_size);
    g_assert_true (bravis_sframe_encrypt (sframe, 0, aad, aad_size, NULL, 0,
            data, plain_size));
    g_assert_cmpmem (data, plain_size + bravis_sframe_get_tag_size (sframe),
        cipher, cipher_size);
    g_assert_true (bravis_sframe_decrypt (sframe, 0, aad, aad_size, NULL, 0,
            data, cipher_size));
    g_assert_cmpmem (data, plain_size, plain, plain_size);
  }
}

static void
test_aes_ctr_hmac_vectors (void)
{
  check_aead_vectors ("aes_ctr_hmac");
}

static void
test_aes_256_ctr_hmac_vectors (void)
{
  check_aead_vectors ("aes_256_ctr_hmac");
}

static void
test_sframe_vectors (void)
{
  g_autoptr (JsonParser) parser = NULL;
  JsonArray *vectors = load_vectors ("sframe", &parser);
  guint i, n = json_array_get_length (vectors);

  for (i = 0; i < n; i++) {
    JsonObject *vector = json_array_get_object_element (vectors, i);
    guint8 key[MAX_VECTOR], metadata[MAX_VECTOR], plain[MAX_VECTOR];
    guint8 cipher[MAX_VECTOR], data[MAX_VECTOR];
    gsize key_size = hex_member (vector, "base_key", key);
    gsize metadata_size = hex_member (vector, "metadata", metadata);
    gsize plain_size = hex_member (vector, "pt", plain);
    gsize cipher_size = hex_member (vector, "ct", cipher);
    guint64 kid = json_object_get_int_member (vector, "kid");
    guint64 counter = json_object_get_int_member (vector, "ctr");
    g_autoptr (BravisSecret) base_key = bravis_secret_new (key, key_size);
    g_autoptr (BravisSFrame) sframe = bravis_sframe_new
        (json_object_get_int_member (vector, "cipher_suite"), kid, base_key);
    gsize header_size = bravis_sframe_header_write (kid, counter, data);
    gsize size;

    memcpy (data + header_size, plain, plain_size);
    g_assert_true (bravis_sframe_encrypt (sframe, counter, data, header_size,
            metadata, metadata_size, data + header_size, plain_size));
    size = header_size + plain_size + bravis_sframe_get_tag_size (sframe);
    g_assert_cmpmem (data, size, cipher, cipher_size);
    g_assert_true (bravis_sframe_decrypt (sframe, counter, data, header_size,
            metadata, metadata_size, data + header_size, size - header_size));
    g_assert_cmpmem (data + header_size, plain_size, plain, plain_size);
  }
}

static void
test_unknown_suite_is_refused (void)
{
  g_autoptr (BravisSecret) key = bravis_secret_new ("0123456789abcdef", 16);

  g_assert_null (bravis_sframe_new (0, 1, key));
  g_assert_null (bravis_sframe_new (9, 1, key));
}

/* Each suite: an altered bit of header, metadata, ciphertext or tag, and another
 * counter, must not open. */
static void
test_altered_bit_is_refused (void)
{
  guint suite;

  for (suite = 1; suite <= 8; suite++) {
    g_autoptr (BravisSecret) key = bravis_secret_new ("0123456789abcdef", 16);
    g_autoptr (BravisSFrame) sframe = bravis_sframe_new (suite, 7, key);
    guint8 frame[64], copy[64];
    gsize header_size = bravis_sframe_header_write (7, 300, frame + 4);
    gsize size, bit, start = 4 + header_size;

    memcpy (frame, "meta", 4);
    memcpy (frame + start, "a frame of video", 16);
    bravis_sframe_encrypt (sframe, 300, frame + 4, header_size, frame, 4,
        frame + start, 16);
    size = 16 + bravis_sframe_get_tag_size (sframe);
    for (bit = 0; bit < (start + size) * 8; bit++) {
      memcpy (copy, frame, sizeof copy);
      copy[bit / 8] ^= 1 << bit % 8;
      g_assert_false (bravis_sframe_decrypt (sframe, 300, copy + 4,
              header_size, copy, 4, copy + start, size));
    }
    memcpy (copy, frame, sizeof copy);
    g_assert_false (bravis_sframe_decrypt (sframe, 301, copy + 4, header_size,
            copy, 4, copy + start, size));
    memcpy (copy, frame, sizeof copy);
    g_assert_true (bravis_sframe_decrypt (sframe, 300, copy + 4, header_size,
            copy, 4, copy + start, size));
    g_assert_cmpmem (copy + start, 16, "a frame of video", 16);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/sframe/header_vectors_of_the_rfc", test_header_vectors);
  g_test_add_func ("/gst/sframe/cut_header_is_refused",
      test_cut_header_is_refused);
  g_test_add_func ("/gst/sframe/longer_header_than_needed_is_refused",
      test_longer_header_than_needed_is_refused);
  g_test_add_func ("/gst/sframe/aes_ctr_hmac_vectors_of_the_rfc",
      test_aes_ctr_hmac_vectors);
  g_test_add_func ("/gst/sframe/aes_256_ctr_hmac_vectors",
      test_aes_256_ctr_hmac_vectors);
  g_test_add_func ("/gst/sframe/frame_vectors_of_the_rfc", test_sframe_vectors);
  g_test_add_func ("/gst/sframe/unknown_suite_is_refused",
      test_unknown_suite_is_refused);
  g_test_add_func ("/gst/sframe/altered_bit_is_refused",
      test_altered_bit_is_refused);
  return g_test_run ();
}
