/* bravis-crypto.h: the few primitives the protocols are made of
 *
 * A thin coat over GnuTLS (SHA-256, HMAC, HKDF, AES-256-GCM) and nettle
 * (X25519). Nothing here knows a protocol.
 */
#pragma once

#include "bravis-secret.h"

G_BEGIN_DECLS

#define BRAVIS_HASH_SIZE 32             /* SHA-256 */
#define BRAVIS_KEY_SIZE 32              /* AES-256, and every secret derived */
#define BRAVIS_NONCE_SIZE 12
#define BRAVIS_TAG_SIZE 16
#define BRAVIS_X25519_SIZE 32

/* Where randomness comes from: the system's in a peer, a seeded generator in
 * the simulator. */
typedef struct {
  void (*fill) (gpointer user_data, gpointer out, gsize size);
  gpointer user_data;
} BravisRandom;

void bravis_random_init_system (BravisRandom *random);
void bravis_random_fill (const BravisRandom *random, gpointer out, gsize size);
guint64 bravis_random_u64 (const BravisRandom *random);

void bravis_sha256 (gconstpointer data, gsize size, guint8 out[BRAVIS_HASH_SIZE]);
void bravis_sha256_bytes (GBytes *bytes, guint8 out[BRAVIS_HASH_SIZE]);
/* SHA-256 of "BRAVIS 1.0 " @label | 0x00 | @data: no two uses share an input. */
void bravis_sha256_label (const char *label, gconstpointer data, gsize size,
    guint8 out[BRAVIS_HASH_SIZE]);
void bravis_hmac_sha256 (const BravisSecret *key, gconstpointer data, gsize size,
    guint8 out[BRAVIS_HASH_SIZE]);

/* RFC 5869. @salt may be NULL with size 0. */
BravisSecret *bravis_hkdf_extract (gconstpointer salt, gsize salt_size,
    gconstpointer input, gsize input_size);

/* HKDF-Expand with info = u16 size | vector8 ("BRAVIS 1.0 " @label) | vector16
 * @context: the shape of RFC 9420 §8, so that no two uses share an output. */
BravisSecret *bravis_hkdf_expand_label (const BravisSecret *secret,
    const char *label, gconstpointer context, gsize context_size, gsize size);

/* AES-256-GCM. @out of seal has room for @size + BRAVIS_TAG_SIZE; @out of open
 * for @size - BRAVIS_TAG_SIZE, and is not touched unless it returns TRUE. */
void bravis_aead_seal (const BravisSecret *key,
    const guint8 nonce[BRAVIS_NONCE_SIZE], gconstpointer aad, gsize aad_size,
    gconstpointer plaintext, gsize size, guint8 *out);
gboolean bravis_aead_open (const BravisSecret *key,
    const guint8 nonce[BRAVIS_NONCE_SIZE], gconstpointer aad, gsize aad_size,
    gconstpointer ciphertext, gsize size, guint8 *out);

/* The same with a key that was made ready once, for many messages. Used by one
 * thread at a time. Where bravis_sealer_open () says FALSE, what it wrote to
 * @out is of no use and must not be looked at. */
typedef struct _BravisSealer BravisSealer;

BravisSealer *bravis_sealer_new (const BravisSecret *key);
void bravis_sealer_free (BravisSealer *sealer);
void bravis_sealer_seal (BravisSealer *sealer,
    const guint8 nonce[BRAVIS_NONCE_SIZE], gconstpointer aad, gsize aad_size,
    gconstpointer plaintext, gsize size, guint8 *out);
gboolean bravis_sealer_open (BravisSealer *sealer,
    const guint8 nonce[BRAVIS_NONCE_SIZE], gconstpointer aad, gsize aad_size,
    gconstpointer ciphertext, gsize size, guint8 *out);

/* RFC 7748. */
BravisSecret *bravis_x25519_generate (const BravisRandom *random,
    guint8 public_key[BRAVIS_X25519_SIZE]);

/* TRUE for the public keys that give zero with every private key: nobody who is
 * honest has one. */
gboolean bravis_x25519_is_low_order (const guint8 public_key[BRAVIS_X25519_SIZE]);

/* NULL where the other key is of low order (the result would be zero). */
BravisSecret *bravis_x25519 (const BravisSecret *private_key,
    const guint8 public_key[BRAVIS_X25519_SIZE]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisSealer, bravis_sealer_free)

G_END_DECLS
