/* bravis-certificate.h: looking into X.509 certificates
 *
 * What a certificate says, in words fit for an error message: nothing here is
 * believed. Texts out of certificates are cut and made printable, since
 * anybody may have written them.
 *
 * Only for bravis-identity.c, bravis-trust.c and the tools.
 */
#pragma once

#include "bravis-identity.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

G_BEGIN_DECLS

/* "alice@example.org", or else "CN=...": whose certificate it says to be. */
char *bravis_x509_describe (gnutls_x509_crt_t certificate);

/* The issuer's distinguished name, "CN=Example CA,O=Example". */
char *bravis_x509_describe_issuer (gnutls_x509_crt_t certificate);

/* The same out of anybody's text. */
char *bravis_printable (const char *text, gsize size);

/* "2026-01-02 15:04 UTC" */
char *bravis_format_time (gint64 time);

/* The one sip: URI's user@domain. Errors: BRAVIS_ERROR_CERTIFICATE. */
char *bravis_x509_get_name (gnutls_x509_crt_t certificate, GError **error);

/* The algorithm that a certified key signs with; GNUTLS_SIGN_UNKNOWN and
 * BRAVIS_ERROR_CERTIFICATE where the key is of another kind, or too weak. */
gnutls_sign_algorithm_t bravis_x509_get_sign_algorithm (
    gnutls_x509_crt_t certificate, GError **error);

gboolean bravis_x509_is_authority (gnutls_x509_crt_t certificate);

/* Makes a BravisCertificate of one whose chain was verified: looks at what is
 * its own, which is name, kind and strength of key, and key usage. */
BravisCertificate *bravis_certificate_new (gnutls_x509_crt_t certificate,
    GError **error);

/* Once, before anybody else has it: bravis_certificate_get_end (). */
void bravis_certificate_set_end (BravisCertificate *certificate, gint64 end);

/* "BRAVIS 1.0 " @label | 0x00 | @data: what is signed. */
GByteArray *bravis_signed_text (const char *label, gconstpointer data,
    gsize size);

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (gnutls_x509_crt_t, gnutls_x509_crt_deinit,
    NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (gnutls_x509_crl_t, gnutls_x509_crl_deinit,
    NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (gnutls_privkey_t, gnutls_privkey_deinit, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (gnutls_pubkey_t, gnutls_pubkey_deinit, NULL)

G_END_DECLS
