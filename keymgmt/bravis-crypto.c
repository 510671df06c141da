#include "bravis-crypto.h"
#include "../gcp/gcp-wire.h"

#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <nettle/curve25519.h>

#define MAX_EXPANDED (255 * BRAVIS_HASH_SIZE)   /* RFC 5869 §2.3 */
#define LABEL_PREFIX "BRAVIS 1.0 "

/* What is asked of GnuTLS here fails only where the library itself is broken
 * or out of memory: no input makes it fail, and to go on would not be safe. */
static void
must (int result, const char *what)
{
  if (result < 0)
    g_error ("%s failed: %s", what, gnutls_strerror (result));
}

/* GnuTLS takes its inputs as writable data and leaves them alone. */
static gnutls_datum_t
datum (gconstpointer data, gsize size)
{
  return (gnutls_datum_t) { .data = (guint8 *) data, .size = size };
}

static gnutls_datum_t
secret_datum (const BravisSecret *secret)
{
  return datum (bravis_secret_peek (secret), bravis_secret_get_size (secret));
}

static void
fill_from_system (gpointer user_data, gpointer out, gsize size)
{
  must (gnutls_rnd (GNUTLS_RND_KEY, out, size), "the random generator");
}

void
bravis_random_init_system (BravisRandom *random)
{
  *random = (BravisRandom) { .fill = fill_from_system };
}

void
bravis_random_fill (const BravisRandom *random, gpointer out, gsize size)
{
  random->fill (random->user_data, out, size);
}

guint64
bravis_random_u64 (const BravisRandom *random)
{
  guint64 value;

  bravis_random_fill (random, &value, sizeof value);
  return value;
}

void
bravis_sha256 (gconstpointer data, gsize size, guint8 out[BRAVIS_HASH_SIZE])
{
  must (gnutls_hash_fast (GNUTLS_DIG_SHA256, data, size, out), "SHA-256");
}

void
bravis_sha256_bytes (GBytes *bytes, guint8 out[BRAVIS_HASH_SIZE])
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  bravis_sha256 (data, size, out);
}

void
bravis_sha256_label (const char *label, gconstpointer data, gsize size,
    guint8 out[BRAVIS_HASH_SIZE])
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_bytes (&writer, LABEL_PREFIX, strlen (LABEL_PREFIX));
  gcp_write_bytes (&writer, label, strlen (label) + 1);
  gcp_write_bytes (&writer, data, size);
  bravis_sha256 (writer.array->data, writer.array->len, out);
}

void
bravis_hmac_sha256 (const BravisSecret *key, gconstpointer data, gsize size,
    guint8 out[BRAVIS_HASH_SIZE])
{
  must (gnutls_hmac_fast (GNUTLS_MAC_SHA256, bravis_secret_peek (key),
          bravis_secret_get_size (key), data, size, out), "HMAC");
}

BravisSecret *
bravis_hkdf_extract (gconstpointer salt, gsize salt_size, gconstpointer input,
    gsize input_size)
{
  gnutls_datum_t salt_datum = datum (salt, salt_size);
  gnutls_datum_t input_datum = datum (input, input_size);
  guint8 out[BRAVIS_HASH_SIZE];

  must (gnutls_hkdf_extract (GNUTLS_MAC_SHA256, &input_datum, &salt_datum,
          out), "HKDF-Extract");
  return bravis_secret_new_take (out, sizeof out);
}

BravisSecret *
bravis_hkdf_expand_label (const BravisSecret *secret, const char *label,
    gconstpointer context, gsize context_size, gsize size)
{
  g_autoptr (GBytes) info = NULL;
  g_autofree char *full_label = g_strconcat (LABEL_PREFIX, label, NULL);
  gnutls_datum_t key_datum = secret_datum (secret);
  gnutls_datum_t info_datum;
  guint8 out[MAX_EXPANDED];
  GcpWriter writer;

  g_return_val_if_fail (size > 0 && size <= MAX_EXPANDED, NULL);

  gcp_writer_init (&writer);
  gcp_write_u16 (&writer, size);
  gcp_write_vector8 (&writer, full_label, strlen (full_label));
  gcp_write_vector16 (&writer, context, context_size);
  info = gcp_writer_finish (&writer);
  info_datum = datum (g_bytes_get_data (info, NULL), g_bytes_get_size (info));

  must (gnutls_hkdf_expand (GNUTLS_MAC_SHA256, &key_datum, &info_datum, out,
          size), "HKDF-Expand");
  return bravis_secret_new_take (out, size);
}

/* A sealer is GnuTLS's handle under a name of ours: nothing else is in it. */
BravisSealer *
bravis_sealer_new (const BravisSecret *key)
{
  gnutls_aead_cipher_hd_t handle;
  gnutls_datum_t key_datum = secret_datum (key);

  g_return_val_if_fail (key_datum.size == BRAVIS_KEY_SIZE, NULL);

  must (gnutls_aead_cipher_init (&handle, GNUTLS_CIPHER_AES_256_GCM,
          &key_datum), "AES-256-GCM");
  return (BravisSealer *) handle;
}

void
bravis_sealer_free (BravisSealer *sealer)
{
  gnutls_aead_cipher_deinit ((gnutls_aead_cipher_hd_t) sealer);
}

void
bravis_sealer_seal (BravisSealer *sealer, const guint8 nonce[BRAVIS_NONCE_SIZE],
    gconstpointer aad, gsize aad_size, gconstpointer plaintext, gsize size,
    guint8 *out)
{
  size_t out_size = size + BRAVIS_TAG_SIZE;

  must (gnutls_aead_cipher_encrypt ((gnutls_aead_cipher_hd_t) sealer, nonce,
          BRAVIS_NONCE_SIZE, aad, aad_size, BRAVIS_TAG_SIZE, plaintext, size,
          out, &out_size), "AES-256-GCM");
}

gboolean
bravis_sealer_open (BravisSealer *sealer, const guint8 nonce[BRAVIS_NONCE_SIZE],
    gconstpointer aad, gsize aad_size, gconstpointer ciphertext, gsize size,
    guint8 *out)
{
  size_t out_size = size - BRAVIS_TAG_SIZE;

  if (size < BRAVIS_TAG_SIZE)
    return FALSE;
  return gnutls_aead_cipher_decrypt ((gnutls_aead_cipher_hd_t) sealer, nonce,
      BRAVIS_NONCE_SIZE, aad, aad_size, BRAVIS_TAG_SIZE, ciphertext, size, out,
      &out_size) == 0;
}

void
bravis_aead_seal (const BravisSecret *key,
    const guint8 nonce[BRAVIS_NONCE_SIZE], gconstpointer aad, gsize aad_size,
    gconstpointer plaintext, gsize size, guint8 *out)
{
  g_autoptr (BravisSealer) sealer = bravis_sealer_new (key);

  bravis_sealer_seal (sealer, nonce, aad, aad_size, plaintext, size, out);
}

gboolean
bravis_aead_open (const BravisSecret *key,
    const guint8 nonce[BRAVIS_NONCE_SIZE], gconstpointer aad, gsize aad_size,
    gconstpointer ciphertext, gsize size, guint8 *out)
{
  g_autoptr (BravisSealer) sealer = bravis_sealer_new (key);
  gsize plain_size;
  guint8 *plain;
  gboolean good;

  if (size < BRAVIS_TAG_SIZE)
    return FALSE;

  /* GnuTLS decrypts before it knows whether the tag is right. */
  plain_size = size - BRAVIS_TAG_SIZE;
  plain = g_malloc (plain_size + 1);
  good = bravis_sealer_open (sealer, nonce, aad, aad_size, ciphertext, size,
      plain);
  if (good && plain_size > 0)
    memcpy (out, plain, plain_size);
  bravis_wipe (plain, plain_size);
  g_free (plain);
  return good;
}

BravisSecret *
bravis_x25519_generate (const BravisRandom *random,
    guint8 public_key[BRAVIS_X25519_SIZE])
{
  guint8 private_key[BRAVIS_X25519_SIZE];

  bravis_random_fill (random, private_key, sizeof private_key);
  curve25519_mul_g (public_key, private_key);
  return bravis_secret_new_take (private_key, sizeof private_key);
}

/* The points of order 1, 2, 4 and 8 of the curve and its twist, with every way
 * to write them in 255 bits: least octet first. */
static const guint8 low_order[][BRAVIS_X25519_SIZE] = {
  { 0x00 },
  { 0x01 },
  { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa,
    0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
    0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
  { 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55,
    0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86,
    0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
  { 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
  { 0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
  { 0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
};

gboolean
bravis_x25519_is_low_order (const guint8 public_key[BRAVIS_X25519_SIZE])
{
  guint8 masked[BRAVIS_X25519_SIZE];

  memcpy (masked, public_key, sizeof masked);
  masked[BRAVIS_X25519_SIZE - 1] &= 0x7f;       /* RFC 7748 §5 */
  for (gsize i = 0; i < G_N_ELEMENTS (low_order); i++)
    if (memcmp (masked, low_order[i], sizeof masked) == 0)
      return TRUE;
  return FALSE;
}

BravisSecret *
bravis_x25519 (const BravisSecret *private_key,
    const guint8 public_key[BRAVIS_X25519_SIZE])
{
  static const guint8 zero[BRAVIS_X25519_SIZE];
  guint8 shared[BRAVIS_X25519_SIZE];

  g_return_val_if_fail (bravis_secret_get_size (private_key)
      == BRAVIS_X25519_SIZE, NULL);

  curve25519_mul (shared, bravis_secret_peek (private_key), public_key);
  if (bravis_equal_constant_time (shared, zero, sizeof shared))
    return NULL;
  return bravis_secret_new_take (shared, sizeof shared);
}
