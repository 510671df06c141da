/* bravis-private-key.h: the private key of a certificate, in a file or a token
 *
 * A key is named by the path of a file in PEM, plain or encrypted with a
 * passphrase, or by a URI of the scheme `pkcs11:` (RFC 7512) that names a key in
 * a token. A token signs by itself: the key does not leave it.
 *
 * The passphrase is the first line of a file. For a token the same file has the
 * PIN, unless the URI says it (`pin-source`, `pin-value`). A passphrase that is
 * not asked for does no harm. A PIN that the token refuses is not tried again,
 * since a token locks itself after some.
 *
 * Errors are BRAVIS_ERROR_FILE and name the key, without its PIN, and what is
 * wanted. Used from any thread.
 */
#pragma once

#include "bravis-secret.h"

#include <gnutls/abstract.h>

G_BEGIN_DECLS

#define BRAVIS_MAX_PASSPHRASE 1024      /* octets */

typedef struct _BravisPrivateKey BravisPrivateKey;

/* The first line of @file with a zero octet behind it. */
BravisSecret *bravis_passphrase_read (const char *file, GError **error);

gboolean bravis_private_key_is_in_token (const char *key);

/* @passphrase_file may be NULL. */
BravisPrivateKey *bravis_private_key_load (const char *key,
    const char *passphrase_file, GError **error);
void bravis_private_key_free (BravisPrivateKey *key);

/* For errors: as it was given, without a PIN. */
const char *bravis_private_key_get_name (BravisPrivateKey *key);

/* One signature at a time: tokens know no more. */
GBytes *bravis_private_key_sign (BravisPrivateKey *key,
    gnutls_sign_algorithm_t algorithm, gconstpointer data, gsize size,
    GError **error);

/* Borrowed, for who signs certificates; from one thread at a time. */
gnutls_privkey_t bravis_private_key_get_handle (BravisPrivateKey *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisPrivateKey, bravis_private_key_free)

G_END_DECLS
