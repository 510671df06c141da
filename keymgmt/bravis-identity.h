/* bravis-identity.h: who a peer is, and who it trusts
 *
 * A BravisIdentity is the peer's own certificate chain and private key
 * together with the authorities it trusts and their revocation lists. A
 * BravisCertificate is somebody's certificate that was checked against them:
 * the only way to get one is to have it verified.
 *
 * A name is `user@domain`, found in the certificate's subjectAltName as the
 * URI `sip:user@domain` (RFC 3261 §19.1, RFC 5922 in spirit). Exactly one such
 * URI must be there.
 *
 * Both are reference counted, and used from any thread. Nothing in them changes but
 * the revocation lists that an identity knows.
 */
#pragma once

#include "bravis-crypto.h"
#include "bravis-error.h"

G_BEGIN_DECLS

#define BRAVIS_MAX_NAME 128             /* octets of a name */
#define BRAVIS_MAX_CHAIN_SIZE 12288     /* octets of an encoded chain */
#define BRAVIS_MAX_CHAIN_LENGTH 5       /* certificates in it */
#define BRAVIS_MAX_SIGNATURE 512

typedef struct _BravisIdentity BravisIdentity;
typedef struct _BravisCertificate BravisCertificate;

/* Where an identity comes from. */
typedef struct {
  const char *certificate;      /* PEM: the peer's own first, then the intermediates */
  const char *key;              /* PEM, or a pkcs11: URI: bravis-private-key.h */
  const char *passphrase;       /* the key's passphrase or PIN; NULL: it needs none */
  const char *trust;            /* PEM: one or more authorities */
  const char *crl;              /* PEM: one or more lists; NULL: none */
} BravisIdentityFiles;

/* Errors name the file and what is wrong with it: BRAVIS_ERROR_FILE,
 * _CERTIFICATE, _KEY_MISMATCH. An own certificate that is expired, or that
 * nobody trusts, is not refused here: the others do that and say why. */
BravisIdentity *bravis_identity_load (const BravisIdentityFiles *files,
    GError **error);

/* The same for a key without a passphrase. */
BravisIdentity *bravis_identity_new (const char *certificate_file,
    const char *key, const char *trust_file, const char *crl_file,
    GError **error);
BravisIdentity *bravis_identity_ref (BravisIdentity *identity);
void bravis_identity_unref (BravisIdentity *identity);

const char *bravis_identity_get_name (BravisIdentity *identity);

/* The chain as it goes over the wire: for each certificate a vector24 of its
 * DER, the peer's own first, without the trusted root. */
GBytes *bravis_identity_get_chain (BravisIdentity *identity);

/* Signs "BRAVIS 1.0 " @label | 0x00 | @data with the certified key: Ed25519, or
 * ECDSA or RSA-PSS with SHA-256. */
GBytes *bravis_identity_sign (BravisIdentity *identity, const char *label,
    gconstpointer data, gsize size, GError **error);

/* Of two people, the same whoever makes it: SHA-256 (label "fingerprint") of their
 * two certificates' fingerprints, the smaller one first; 64 hexadecimal digits in
 * groups of four. */
char *bravis_identity_make_fingerprint (BravisIdentity *identity,
    BravisCertificate *other);

/* Verifies a chain off the wire against the trusted authorities and revocation
 * lists at @wall_clock (seconds since 1970): signatures, validity, basic
 * constraints and path length, key usage digitalSignature, revocation, algorithm
 * strength, name. Errors: BRAVIS_ERROR_CERTIFICATE, _UNTRUSTED, _EXPIRED,
 * _REVOKED with a sentence that says by whom, since when. */
BravisCertificate *bravis_identity_verify (BravisIdentity *identity,
    gconstpointer chain, gsize size, gint64 wall_clock, GError **error);

BravisCertificate *bravis_certificate_ref (BravisCertificate *certificate);
void bravis_certificate_unref (BravisCertificate *certificate);
const char *bravis_certificate_get_name (BravisCertificate *certificate);
/* SHA-256 of the end certificate's DER. */
const guint8 *bravis_certificate_get_fingerprint (BravisCertificate *certificate);

gboolean bravis_certificate_verify_signature (BravisCertificate *certificate,
    const char *label, gconstpointer data, gsize size, gconstpointer signature,
    gsize signature_size, GError **error);

/* The moment from which on its chain is not valid any more: the earliest end of any
 * certificate in it, its authority included; seconds since 1970. */
gint64 bravis_certificate_get_end (BravisCertificate *certificate);

/* --- revocation lists that come later: bravis-trust.h --- */

/* Arrays of GBytes, DER. */
GPtrArray *bravis_identity_reload_revocations (BravisIdentity *identity,
    GError **error);
GPtrArray *bravis_identity_list_revocations (BravisIdentity *identity);

/* What a list off the wire means for @chains (of GBytes, as on the wire) that were
 * verified: for each of them why it is not valid any more (GError), or NULL. Returns
 * NULL where @der is no list that is understood. */
GPtrArray *bravis_identity_apply_revocations (BravisIdentity *identity,
    gconstpointer der, gsize size, GPtrArray *chains);

/* TRUE for `user@domain` of letters, digits and `.-_+` in the user part,
 * letters, digits, dots and hyphens in the domain, at most BRAVIS_MAX_NAME. */
gboolean bravis_name_is_valid (const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisIdentity, bravis_identity_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisCertificate, bravis_certificate_unref)

G_END_DECLS
