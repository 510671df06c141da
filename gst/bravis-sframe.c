#include "bravis-sframe.h"

#include <string.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <nettle/aes.h>
#include <nettle/ctr.h>
#include <nettle/hmac.h>

#include "bravis-aead.h"
#include "bravis-puzzle.h"
#include "../keymgmt/bravis-crypto.h"
#include "../keymgmt/bravis-policy.h"

#define MAX_HASH_SIZE 64
#define MAX_KEY_SIZE 96         /* AES-256 key and HMAC-SHA-512 key */
#define CTR_BLOCK_SIZE 16

/* One row of the registry "SFrame Cipher Suites" (RFC 9605 §8.1). */
typedef struct {
  guint number;
  const char *name;
  gnutls_mac_algorithm_t hash;
  gsize hash_size;              /* Nh */
  gsize cipher_key_size;        /* Nka of §4.5.1, or Nk of an AEAD */
  gsize key_size;               /* Nk */
  gsize tag_size;               /* Nt */
  int aead;                     /* BravisAeadAlgorithm, or one of these */
} Suite;

enum { CTR_HMAC = -1, PUZZLE = -2 };

static const Suite suites[] = {
  {1, "aes-128-ctr-hmac-sha256-80", GNUTLS_MAC_SHA256,
      32, 16, 48, 10, CTR_HMAC},
  {2, "aes-128-ctr-hmac-sha256-64", GNUTLS_MAC_SHA256,
      32, 16, 48, 8, CTR_HMAC},
  {3, "aes-128-ctr-hmac-sha256-32", GNUTLS_MAC_SHA256,
      32, 16, 48, 4, CTR_HMAC},
  {4, "aes-128-gcm", GNUTLS_MAC_SHA256,
      32, 16, 16, 16, BRAVIS_AEAD_AES_128_GCM},
  {5, "aes-256-gcm", GNUTLS_MAC_SHA512,
      64, 32, 32, 16, BRAVIS_AEAD_AES_256_GCM},
  {6, "aes-256-ctr-hmac-sha512-80", GNUTLS_MAC_SHA512,
      64, 32, 96, 10, CTR_HMAC},
  {7, "aes-256-ctr-hmac-sha512-64", GNUTLS_MAC_SHA512,
      64, 32, 96, 8, CTR_HMAC},
  {8, "aes-256-ctr-hmac-sha512-32", GNUTLS_MAC_SHA512,
      64, 32, 96, 4, CTR_HMAC},
  {BRAVIS_SUITE_CHACHA20_POLY1305, "chacha20-poly1305", GNUTLS_MAC_SHA256,
      32, 32, 32, 16, BRAVIS_AEAD_CHACHA20_POLY1305},
  {BRAVIS_SUITE_PUZZLE, "puzzle", GNUTLS_MAC_SHA256, 32, 64, 64, 16, PUZZLE},
};

typedef union {
  struct aes128_ctx aes128;
  struct aes256_ctx aes256;
} CtrKey;

typedef union {
  struct hmac_sha256_ctx sha256;
  struct hmac_sha512_ctx sha512;
} HmacKey;

struct _BravisSFrame {
  const Suite *suite;
  guint8 salt[BRAVIS_NONCE_SIZE];
  BravisAead *aead;             /* of the AEAD suites */
  BravisPuzzle *puzzle;         /* of Puzzle */
  CtrKey ctr;                   /* of the others */
  HmacKey hmac;
};

static const Suite *
find_suite (guint number)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (suites); i++) {
    if (suites[i].number == number)
      return &suites[i];
  }
  return NULL;
}

static guint
octets_of (guint64 value)
{
  guint n = 1;

  while (value >>= 8)
    n++;
  return n;
}

static void
write_big_endian (guint8 *out, guint64 value, guint n)
{
  while (n--) {
    out[n] = value & 0xff;
    value >>= 8;
  }
}

/* Header (RFC 9605 §4.3): X K K K Y C C C, then the KID, then the counter.
 * X or Y clear: the value itself is in the three bits; set: its octets, less
 * one. */

static guint8
write_field (guint64 value, guint8 *out, gsize *size)
{
  guint n;

  if (value < 8)
    return value;
  n = octets_of (value);
  write_big_endian (out + *size, value, n);
  *size += n;
  return 0x8 | (n - 1);
}

gsize
bravis_sframe_header_write (guint64 kid, guint64 counter,
    guint8 out[BRAVIS_SFRAME_MAX_HEADER])
{
  gsize size = 1;
  guint8 kid_bits, counter_bits;

  kid_bits = write_field (kid, out, &size);
  counter_bits = write_field (counter, out, &size);
  out[0] = kid_bits << 4 | counter_bits;
  return size;
}

static gboolean
read_field (guint8 bits, const guint8 *data, gsize size, gsize *at,
    guint64 *value)
{
  guint n, i;

  if (!(bits & 0x8)) {
    *value = bits;
    return TRUE;
  }
  n = (bits & 0x7) + 1;
  if (size - *at < n)
    return FALSE;
  *value = 0;
  for (i = 0; i < n; i++)
    *value = *value << 8 | data[(*at)++];
  /* Longer than need be: one header for one value, and no other. */
  return *value >= 8 && octets_of (*value) == n;
}

gboolean
bravis_sframe_header_read (const guint8 *data, gsize size,
    BravisSFrameHeader *header)
{
  gsize at = 1;

  if (size < 1
      || !read_field (data[0] >> 4, data, size, &at, &header->kid)
      || !read_field (data[0] & 0xf, data, size, &at, &header->counter))
    return FALSE;
  header->size = at;
  return TRUE;
}

static void
set_ctr_hmac_key (BravisSFrame *sframe, const guint8 *key)
{
  const Suite *suite = sframe->suite;
  const guint8 *auth_key = key + suite->cipher_key_size;
  gsize auth_size = suite->key_size - suite->cipher_key_size;

  if (suite->cipher_key_size == AES128_KEY_SIZE)
    aes128_set_encrypt_key (&sframe->ctr.aes128, key);
  else
    aes256_set_encrypt_key (&sframe->ctr.aes256, key);
  if (suite->hash == GNUTLS_MAC_SHA256)
    hmac_sha256_set_key (&sframe->hmac.sha256, auth_size, auth_key);
  else
    hmac_sha512_set_key (&sframe->hmac.sha512, auth_size, auth_key);
}

BravisSFrame *
bravis_sframe_new_with_key (guint suite_number, const guint8 *key,
    gsize key_size, const guint8 salt[BRAVIS_NONCE_SIZE])
{
  const Suite *suite = find_suite (suite_number);
  BravisSFrame *sframe;

  if (suite == NULL || key_size != suite->key_size)
    return NULL;
  sframe = g_new0 (BravisSFrame, 1);
  sframe->suite = suite;
  memcpy (sframe->salt, salt, BRAVIS_NONCE_SIZE);
  if (suite->aead == CTR_HMAC)
    set_ctr_hmac_key (sframe, key);
  else if (suite->aead == PUZZLE)
    sframe->puzzle = bravis_puzzle_new (key);
  else
    sframe->aead = bravis_aead_new (suite->aead, key);
  if (suite->aead != CTR_HMAC && !sframe->aead && !sframe->puzzle)
    g_clear_pointer (&sframe, g_free);
  return sframe;
}

/* HKDF-Expand (secret, "SFrame 1.0 Secret " what " " KID suite, size). */
static gboolean
derive (const Suite *suite, const guint8 *secret, const char *what,
    guint64 kid, guint8 *out, gsize size)
{
  guint8 info[64];
  gnutls_datum_t secret_datum = { (guint8 *) secret, suite->hash_size };
  gnutls_datum_t info_datum = { info, 0 };
  int length;

  length = g_snprintf ((char *) info, sizeof info, "SFrame 1.0 Secret %s ",
      what);
  write_big_endian (info + length, kid, 8);
  write_big_endian (info + length + 8, suite->number, 2);
  info_datum.size = length + 10;
  return gnutls_hkdf_expand (suite->hash, &secret_datum, &info_datum, out,
      size) == 0;
}

BravisSFrame *
bravis_sframe_new (guint suite_number, guint64 kid,
    const BravisSecret *base_key)
{
  const Suite *suite = find_suite (suite_number);
  gnutls_datum_t input = { (guint8 *) bravis_secret_peek (base_key),
    bravis_secret_get_size (base_key)
  };
  gnutls_datum_t no_salt = { (guint8 *) "", 0 };
  guint8 secret[MAX_HASH_SIZE], key[MAX_KEY_SIZE], salt[BRAVIS_NONCE_SIZE];
  BravisSFrame *sframe = NULL;

  if (suite == NULL)
    return NULL;
  if (gnutls_hkdf_extract (suite->hash, &input, &no_salt, secret) == 0
      && derive (suite, secret, "key", kid, key, suite->key_size)
      && derive (suite, secret, "salt", kid, salt, sizeof salt))
    sframe = bravis_sframe_new_with_key (suite_number, key, suite->key_size,
        salt);
  bravis_wipe (secret, sizeof secret);
  bravis_wipe (key, sizeof key);
  bravis_wipe (salt, sizeof salt);
  return sframe;
}

void
bravis_sframe_free (BravisSFrame *sframe)
{
  if (sframe == NULL)
    return;
  bravis_aead_free (sframe->aead);
  bravis_puzzle_free (sframe->puzzle);
  bravis_wipe (sframe, sizeof *sframe);
  g_free (sframe);
}

gsize
bravis_sframe_get_tag_size (const BravisSFrame *sframe)
{
  return sframe->suite->tag_size;
}

const char *
bravis_sframe_get_cipher (const BravisSFrame *sframe)
{
  return sframe->suite->name;
}

const char *
bravis_sframe_get_provider (const BravisSFrame *sframe)
{
  return sframe->aead ? bravis_aead_get_provider (sframe->aead)
      : sframe->puzzle ? "bravis" : "nettle";
}

static void
make_nonce (const BravisSFrame *sframe, guint64 counter,
    guint8 nonce[BRAVIS_NONCE_SIZE])
{
  guint8 octets[8];
  guint i;

  memcpy (nonce, sframe->salt, BRAVIS_NONCE_SIZE);
  write_big_endian (octets, counter, 8);
  for (i = 0; i < 8; i++)
    nonce[BRAVIS_NONCE_SIZE - 8 + i] ^= octets[i];
}

/* AES-CTR from nonce | 00000000 on; encrypts and decrypts (§4.5.1). */
static void
crypt_counter_mode (const BravisSFrame *sframe, const guint8 *nonce,
    guint8 *data, gsize size)
{
  guint8 block[CTR_BLOCK_SIZE] = { 0, };

  memcpy (block, nonce, BRAVIS_NONCE_SIZE);
  if (sframe->suite->cipher_key_size == AES128_KEY_SIZE)
    ctr_crypt (&sframe->ctr.aes128, (nettle_cipher_func *) aes128_encrypt,
        CTR_BLOCK_SIZE, block, size, data, data);
  else
    ctr_crypt (&sframe->ctr.aes256, (nettle_cipher_func *) aes256_encrypt,
        CTR_BLOCK_SIZE, block, size, data, data);
}

static void
feed_hmac (BravisSFrame *sframe, const guint8 *data, gsize size)
{
  if (sframe->suite->hash == GNUTLS_MAC_SHA256)
    hmac_sha256_update (&sframe->hmac.sha256, size, data);
  else
    hmac_sha512_update (&sframe->hmac.sha512, size, data);
}

/* The tag of §4.5.1, over the lengths, the nonce, both parts of the associated
 * data and the ciphertext. */
static void
compute_tag (BravisSFrame *sframe, const guint8 *nonce, const giovec_t aad[2],
    const guint8 *ciphertext, gsize size, guint8 *tag)
{
  guint8 lengths[24];

  write_big_endian (lengths, aad[0].iov_len + aad[1].iov_len, 8);
  write_big_endian (lengths + 8, size, 8);
  write_big_endian (lengths + 16, sframe->suite->tag_size, 8);
  feed_hmac (sframe, lengths, sizeof lengths);
  feed_hmac (sframe, nonce, BRAVIS_NONCE_SIZE);
  feed_hmac (sframe, aad[0].iov_base, aad[0].iov_len);
  feed_hmac (sframe, aad[1].iov_base, aad[1].iov_len);
  feed_hmac (sframe, ciphertext, size);
  if (sframe->suite->hash == GNUTLS_MAC_SHA256)
    hmac_sha256_digest (&sframe->hmac.sha256, sframe->suite->tag_size, tag);
  else
    hmac_sha512_digest (&sframe->hmac.sha512, sframe->suite->tag_size, tag);
}

gboolean
bravis_sframe_encrypt (BravisSFrame *sframe, guint64 counter,
    const guint8 *header, gsize header_size, const guint8 *metadata,
    gsize metadata_size, guint8 *payload, gsize size)
{
  giovec_t aad[2] = { {(void *) header, header_size},
  {(void *) metadata, metadata_size}
  };
  guint8 nonce[BRAVIS_NONCE_SIZE];

  make_nonce (sframe, counter, nonce);
  if (sframe->aead)
    return bravis_aead_encrypt (sframe->aead, nonce, header, header_size,
        metadata, metadata_size, payload, size, payload + size);
  if (sframe->puzzle)
    return bravis_puzzle_encrypt (sframe->puzzle, nonce, header, header_size,
        metadata, metadata_size, payload, size, payload + size);
  crypt_counter_mode (sframe, nonce, payload, size);
  compute_tag (sframe, nonce, aad, payload, size, payload + size);
  return TRUE;
}

gboolean
bravis_sframe_decrypt (BravisSFrame *sframe, guint64 counter,
    const guint8 *header, gsize header_size, const guint8 *metadata,
    gsize metadata_size, guint8 *payload, gsize size)
{
  giovec_t aad[2] = { {(void *) header, header_size},
  {(void *) metadata, metadata_size}
  };
  gsize tag_size = sframe->suite->tag_size;
  guint8 nonce[BRAVIS_NONCE_SIZE], tag[BRAVIS_SFRAME_MAX_TAG];

  if (size < tag_size)
    return FALSE;
  size -= tag_size;
  make_nonce (sframe, counter, nonce);
  if (sframe->aead)
    return bravis_aead_decrypt (sframe->aead, nonce, header, header_size,
        metadata, metadata_size, payload, size, payload + size);
  if (sframe->puzzle)
    return bravis_puzzle_decrypt (sframe->puzzle, nonce, header, header_size,
        metadata, metadata_size, payload, size, payload + size);
  compute_tag (sframe, nonce, aad, payload, size, tag);
  if (!bravis_equal_constant_time (tag, payload + size, tag_size))
    return FALSE;
  crypt_counter_mode (sframe, nonce, payload, size);
  return TRUE;
}
