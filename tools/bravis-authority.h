/* bravis-authority.h: a certificate authority in a directory
 *
 * Makes what bravis-identity.h reads: authorities, certificates of members, and
 * revocation lists. The command line over it is bravis-ca.h.
 *
 *   ca.pem       the authority's certificate: what members trust
 *   ca-key.pem   its private key, mode 0600
 *   chain.pem    only where it stands below another: its certificate and those
 *                above it, without the root: goes behind every certificate that
 *                it issues
 *   crl.pem      its revocation list
 *   issued.txt   a line for each certificate: serial number, when it expires
 *                (UTC), "issued" or "revoked", whose it is
 *
 * A private key is never overwritten, and neither is a certificate. Every other
 * file is replaced as a whole or stays as it was. Changes hold a lock on the
 * directory, so several processes can work in one.
 */
#pragma once

#include "../keymgmt/bravis-error.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

G_BEGIN_DECLS

typedef enum {
  BRAVIS_KEY_ED25519,
  BRAVIS_KEY_ECDSA_P256,
  BRAVIS_KEY_ECDSA_P384,
  BRAVIS_KEY_RSA_3072
} BravisKeyType;

const char *bravis_key_type_to_string (BravisKeyType type);
gboolean bravis_key_type_from_string (const char *text, BravisKeyType *type);

/* What a certificate is to say, and its key to be. Times are seconds since 1970. */
typedef struct {
  const char *name;             /* user@domain, or an authority's common name */
  BravisKeyType key_type;
  gint64 valid_from;
  gint64 valid_until;
  const char *passphrase_file;  /* a member's key is encrypted with it; NULL: not */
} BravisWish;

typedef struct _BravisAuthority BravisAuthority;

/* Makes an authority in @directory, which is made if need be, below @parent or,
 * where it is NULL, of its own. @path_length: how many authorities may stand
 * below one another under it; below a parent, at most one less than that may.
 * Its revocation list is empty and good until @crl_until. */
gboolean bravis_authority_create (const char *directory,
    BravisAuthority *parent, const BravisWish *wish, guint path_length,
    gint64 crl_until, GError **error);

BravisAuthority *bravis_authority_open (const char *directory, GError **error);
void bravis_authority_free (BravisAuthority *authority);

/* Makes a key and a certificate for a member; neither file may be there. */
gboolean bravis_authority_issue (BravisAuthority *authority,
    const BravisWish *wish, const char *certificate_file, const char *key_file,
    GError **error);

/* Makes a certificate for a key that stays where it is, in a token for instance: of a
 * request (PKCS #10) only the key counts. What @wish says of keys does not. */
gboolean bravis_authority_certify (BravisAuthority *authority,
    const BravisWish *wish, const char *request_file,
    const char *certificate_file, GError **error);

/* Takes back all certificates of a name, or the one in a file. Returns how many
 * that were; 0 with an error. */
guint bravis_authority_revoke (BravisAuthority *authority,
    const char *name_or_file, gint64 now, gint64 crl_until, GError **error);

/* Signs the revocation list anew. */
gboolean bravis_authority_renew_crl (BravisAuthority *authority, gint64 now,
    gint64 crl_until, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisAuthority, bravis_authority_free)

G_END_DECLS
