/* bravis-sframe.h: SFrame (RFC 9605): one key, one direction
 *
 * Header and KID rules of §4.3, key derivation of §4.4.2, encryption of §4.4.3 to
 * §4.5. Cipher suites 1 to 5 of §8.1, 6 to 8 of the registry, and of those for private use
 * 0xf001, ChaCha20-Poly1305 with SHA-256, and 0xf002, Puzzle: 4, 5 (AES-GCM) and the
 * first of these by bravis-aead.h, 1 to 3 and 6 to 8 (AES-CTR with HMAC) by nettle.
 *
 * A context is used by one thread at a time.
 */
#pragma once

#include "../keymgmt/bravis-crypto.h"

G_BEGIN_DECLS

#define BRAVIS_SFRAME_MAX_HEADER 17     /* 1 + 8 KID + 8 CTR */
#define BRAVIS_SFRAME_MAX_TAG 32

typedef struct {
  guint64 kid;
  guint64 counter;
  gsize size;                   /* octets of the header itself */
} BravisSFrameHeader;

/* Writes the shortest header that says @kid and @counter; returns its size. */
gsize bravis_sframe_header_write (guint64 kid, guint64 counter,
    guint8 out[BRAVIS_SFRAME_MAX_HEADER]);

/* FALSE for anything but a whole header in its shortest form. */
gboolean bravis_sframe_header_read (const guint8 *data, gsize size,
    BravisSFrameHeader *header);

typedef struct _BravisSFrame BravisSFrame;

/* @suite: the registry's number. NULL where it is not known. */
BravisSFrame *bravis_sframe_new (guint suite, guint64 kid,
    const BravisSecret *base_key);

/* From the key (Nk octets) and salt that bravis_sframe_new () derives. NULL for an
 * unknown suite or another size. */
BravisSFrame *bravis_sframe_new_with_key (guint suite, const guint8 *key,
    gsize key_size, const guint8 salt[BRAVIS_NONCE_SIZE]);
void bravis_sframe_free (BravisSFrame *sframe);
gsize bravis_sframe_get_tag_size (const BravisSFrame *sframe);

/* "aes-128-gcm", and the library that does it: "gnutls". */
const char *bravis_sframe_get_cipher (const BravisSFrame *sframe);
const char *bravis_sframe_get_provider (const BravisSFrame *sframe);

/* In place: @payload is @size octets to be encrypted, the tag goes right behind
 * them (room must be there). The header was written by the caller and is, with
 * @metadata, the associated data. The counter must never have been used before:
 * that is for bravis-frame-guard.h to see to. FALSE where the cipher fails, which
 * it has no reason to: then nothing may be sent. */
gboolean bravis_sframe_encrypt (BravisSFrame *sframe, guint64 counter,
    const guint8 *header, gsize header_size, const guint8 *metadata,
    gsize metadata_size, guint8 *payload, gsize size);

/* In place: @payload is ciphertext and tag; afterwards @size - tag size octets of
 * plaintext. FALSE: forged or altered, and @payload holds nothing of use. */
gboolean bravis_sframe_decrypt (BravisSFrame *sframe, guint64 counter,
    const guint8 *header, gsize header_size, const guint8 *metadata,
    gsize metadata_size, guint8 *payload, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisSFrame, bravis_sframe_free)

G_END_DECLS
