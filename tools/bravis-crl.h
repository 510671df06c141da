/* bravis-crl.h: making revocation lists */
#pragma once

#include <glib.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>

G_BEGIN_DECLS

gnutls_x509_crl_t bravis_read_crl (const char *file, GError **error);

/* Signs a list with the entries of @old, which may be NULL, and @added, each a
 * certificate's serial number in hexadecimal, and puts it in the place of @file. */
gboolean bravis_write_crl (const char *file, gnutls_x509_crl_t old,
    GPtrArray *added, gnutls_x509_crt_t issuer, gnutls_privkey_t key,
    gint64 now, gint64 until, GError **error);

/* The hash that goes with the kind of key: the algorithm's own for Ed25519. */
gnutls_digest_algorithm_t bravis_signing_hash (gnutls_privkey_t key);

/* TRUE unless @result is an error of GnuTLS, which is then said of @what. */
gboolean bravis_good (int result, const char *what, GError **error);

G_END_DECLS
