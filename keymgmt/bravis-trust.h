/* bravis-trust.h: the authorities a peer trusts, and what they took back
 *
 * A BravisTrust holds trusted authorities and revocation lists and verifies
 * chains against them (RFC 5280 §6). The chain is taken in its order, each
 * certificate issued by the next, the last by an authority that is trusted;
 * no other path is looked for.
 *
 * Revocation: a list counts for the authority of its name once its signature
 * was seen to be right: by a trusted authority of that name, or by the
 * intermediate one itself. For an authority that has a list, one must be signed
 * so and not be out of date, or nothing it issued is accepted: what was revoked
 * since is not known. Of an authority without a list nothing is revoked.
 *
 * Immutable, used from any thread.
 */
#pragma once

#include "bravis-certificate.h"

G_BEGIN_DECLS

typedef struct _BravisTrust BravisTrust;

/* @crl_file may be NULL. Errors name the file. */
BravisTrust *bravis_trust_load (const char *trust_file, const char *crl_file,
    GError **error);
void bravis_trust_free (BravisTrust *trust);

/* @chain: at least one certificate. What the end certificate says of itself is
 * not looked at: bravis_certificate_new () does that. */
gboolean bravis_trust_verify (BravisTrust *trust,
    const gnutls_x509_crt_t *chain, guint length, gint64 wall_clock,
    GError **error);

/* A whole file of at most 1 MiB; errors name it. */
char *bravis_read_file (const char *file, gsize *size, GError **error);

/* The certificates in a PEM file: an array of gnutls_x509_crt_t that frees
 * them; at least one, at most @max. */
GPtrArray *bravis_read_certificates (const char *file, guint max,
    GError **error);

/* The same of a chain off the wire; NULL: malformed, or too large. */
GPtrArray *bravis_parse_chain (gconstpointer chain, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisTrust, bravis_trust_free)

G_END_DECLS
