/* bravis-revocation.h: one revocation list (RFC 5280 §5)
 *
 * What an authority took back, as of some day. Lists come from files and from other
 * members, so nothing in one is believed until its signature was seen to be right.
 *
 * Immutable, reference counted, used from any thread.
 */
#pragma once

#include "bravis-certificate.h"

G_BEGIN_DECLS

/* Octets of a list that goes over the wire. */
#define BRAVIS_MAX_REVOCATIONS (256 * 1024)

typedef struct _BravisRevocations BravisRevocations;

/* Everything of a chain but the time, which is looked at here: GnuTLS knows only the
 * present, and reasons are to be told apart. */
#define BRAVIS_X509_VERIFY_FLAGS (GNUTLS_VERIFY_DISABLE_TIME_CHECKS \
    | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS \
    | GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT \
    | GNUTLS_PROFILE_TO_VFLAGS (GNUTLS_PROFILE_MEDIUM))

/* Takes @crl over. NULL: it is not understood, being malformed or with an extension
 * that is critical (such a list means only a part of what was revoked). */
BravisRevocations *bravis_revocations_new (gnutls_x509_crl_t crl);

/* The same of DER off the wire. */
BravisRevocations *bravis_revocations_read (gconstpointer der, gsize size);

BravisRevocations *bravis_revocations_ref (BravisRevocations *list);
void bravis_revocations_unref (BravisRevocations *list);

GBytes *bravis_revocations_get_der (BravisRevocations *list);   /* borrowed */

/* G_MAXINT64: it does not say. */
gint64 bravis_revocations_get_next_update (BravisRevocations *list);

/* Whether it is in the name of @authority, and whether that one signed it. */
gboolean bravis_revocations_are_of (BravisRevocations *list,
    gnutls_x509_crt_t authority);
gboolean bravis_revocations_are_signed_by (BravisRevocations *list,
    gnutls_x509_crt_t authority);

/* Of one issuer: whether @list came after @other, by their numbers (RFC 5280 §5.2.3)
 * where both have one, else by the time they are of. */
gboolean bravis_revocations_are_newer (BravisRevocations *list,
    BravisRevocations *other);
gboolean bravis_revocations_have_issuer_of (BravisRevocations *list,
    BravisRevocations *other);

/* When it says that @certificate was revoked; NULL: it does not. */
const gint64 *bravis_revocations_find (BravisRevocations *list,
    gnutls_x509_crt_t certificate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisRevocations, bravis_revocations_unref)

G_END_DECLS
