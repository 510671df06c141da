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
 * Lists come later, too: when the file changes, and from other members. Of each signer
 * the newest is held; an older one never takes its place. That there has to be one which
 * is in date holds for authorities of which the file had a list: what others show can
 * take members back, but not shut out whom it does not name.
 *
 * Used from any thread; the authorities never change.
 */
#pragma once

#include "bravis-certificate.h"
#include "bravis-revocation.h"

G_BEGIN_DECLS

typedef struct _BravisTrust BravisTrust;

/* @crl_file may be NULL. Errors name the file. */
BravisTrust *bravis_trust_load (const char *trust_file, const char *crl_file,
    GError **error);
void bravis_trust_free (BravisTrust *trust);

/* @chain: at least one certificate. What the end certificate says of itself is
 * not looked at: bravis_certificate_new () does that. @end (may be NULL): when the first
 * of them, the authority included, is not valid any more. */
gboolean bravis_trust_verify (BravisTrust *trust,
    const gnutls_x509_crt_t *chain, guint length, gint64 wall_clock,
    gint64 *end, GError **error);

/* Reads the file of lists again. Returns DER (GBytes) of those that are newer than what
 * was held, or of an issuer of which there was none; NULL and an error that names the
 * file where something is wrong with it: then all stays as it was. */
GPtrArray *bravis_trust_reload_lists (BravisTrust *trust, GError **error);

/* DER (GBytes) of all that are held. */
GPtrArray *bravis_trust_list_lists (BravisTrust *trust);

/* What @list means for a chain that was verified: FALSE and BRAVIS_ERROR_REVOKED if one
 * of its certificates is on it. It means something only for what its signer issued; then
 * it is held from now on, if it is newer than what was. The same @list and chain mean
 * the same at everybody who trusts the same authorities, whatever lists each holds. */
gboolean bravis_trust_apply_list (BravisTrust *trust, BravisRevocations *list,
    const gnutls_x509_crt_t *chain, guint length, GError **error);

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
