/* bravis-aead.h: authenticated encryption of media (RFC 5116)
 *
 * One key, one algorithm, by the fastest library that this machine can use:
 *
 *   ipsec-mb   Intel's Multi-Buffer Crypto for IPsec, where it was built in and the
 *              processor has AES and carry-less multiplication
 *   gnutls     always
 *
 * What comes out is the same, octet by octet. The environment variable
 * BRAVIS_AEAD_PROVIDER names the one for the keys that come; where that is not there,
 * it is said once, and the fastest is taken.
 *
 * A key is used by one thread at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BRAVIS_AEAD_NONCE_SIZE 12
#define BRAVIS_AEAD_TAG_SIZE 16

typedef enum {
  BRAVIS_AEAD_AES_128_GCM,
  BRAVIS_AEAD_AES_256_GCM,
  BRAVIS_AEAD_CHACHA20_POLY1305,        /* RFC 8439 */
  BRAVIS_N_AEADS
} BravisAeadAlgorithm;

typedef struct _BravisAead BravisAead;

/* Names of what this machine can use, the fastest first; NULL ends. */
const char *const *bravis_aead_list_providers (void);

gsize bravis_aead_get_key_size (BravisAeadAlgorithm algorithm);         /* octets */

/* @key: of that size; it is copied. By the fastest provider, or by @provider; NULL
 * where that is not there. */
BravisAead *bravis_aead_new (BravisAeadAlgorithm algorithm, const guint8 *key);
BravisAead *bravis_aead_new_by (const char *provider,
    BravisAeadAlgorithm algorithm, const guint8 *key);
void bravis_aead_free (BravisAead *aead);       /* wipes the key */
const char *bravis_aead_get_provider (const BravisAead *aead);

/* In place. The associated data is @aad and then @more. The same nonce must never
 * come twice under one key. FALSE: the library failed, which it has no reason to;
 * nothing may be sent. */
gboolean bravis_aead_encrypt (BravisAead *aead, const guint8 *nonce,
    const guint8 *aad, gsize aad_size, const guint8 *more, gsize more_size,
    guint8 *data, gsize size, guint8 *tag);

/* FALSE: forged or altered, and @data holds nothing of use. */
gboolean bravis_aead_decrypt (BravisAead *aead, const guint8 *nonce,
    const guint8 *aad, gsize aad_size, const guint8 *more, gsize more_size,
    guint8 *data, gsize size, const guint8 *tag);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisAead, bravis_aead_free)

G_END_DECLS
