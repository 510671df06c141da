#include "bravis-show.h"
#include "../keymgmt/bravis-trust.h"

#include <string.h>

#define MAX_SHOWN 256                   /* certificates of one file */

static void
print_hex (const char *title, const guint8 *octets, gsize size)
{
  g_print ("  %-12s ", title);
  for (gsize i = 0; i < size; i++)
    g_print ("%02x", octets[i]);
  g_print ("\n");
}

static void
print_validity (gint64 from, gint64 until)
{
  g_autofree char *from_text = bravis_format_time (from);
  g_autofree char *until_text = bravis_format_time (until);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  g_print ("  %-12s %s to %s%s\n", "valid", from_text, until_text,
      now < from ? " (not yet)" : now > until ? " (EXPIRED)" : "");
}

static void
print_certificate (gnutls_x509_crt_t certificate)
{
  g_autofree char *who = bravis_x509_describe (certificate);
  g_autofree char *by = bravis_x509_describe_issuer (certificate);
  guint8 octets[64];
  size_t size = sizeof octets;
  unsigned bits = 0;
  int path_length = -1;
  int kind = gnutls_x509_crt_get_pk_algorithm (certificate, &bits);

  if (!bravis_x509_is_authority (certificate)) {
    g_print ("Member %s\n", who);
  } else {
    gnutls_x509_crt_get_basic_constraints (certificate, NULL, NULL,
        &path_length);
    g_print ("Authority %s\n", who);
    if (path_length >= 0)
      g_print ("  %-12s %d below it\n", "authorities", path_length);
  }
  g_print ("  %-12s %s\n", "issued by", by);
  print_validity (gnutls_x509_crt_get_activation_time (certificate),
      gnutls_x509_crt_get_expiration_time (certificate));
  g_print ("  %-12s %s, %u bits\n", "key", gnutls_pk_get_name (kind), bits);
  if (gnutls_x509_crt_get_serial (certificate, octets, &size) >= 0)
    print_hex ("serial", octets, size);
  size = sizeof octets;
  if (gnutls_x509_crt_get_fingerprint (certificate, GNUTLS_DIG_SHA256, octets,
          &size) >= 0)
    print_hex ("SHA-256", octets, size);
}

static void
print_list (gnutls_x509_crl_t crl)
{
  gnutls_x509_crl_iter_t iterator = NULL;
  gnutls_datum_t dn = { NULL, 0 };
  g_autofree char *by = NULL;
  guint8 serial[64];
  size_t size = sizeof serial;
  guint n = 0;
  time_t when;

  if (gnutls_x509_crl_get_issuer_dn3 (crl, &dn, 0) >= 0)
    by = bravis_printable ((char *) dn.data, dn.size);
  gnutls_free (dn.data);
  g_print ("Revocation list of %s\n", by ? by : "nobody");
  print_validity (gnutls_x509_crl_get_this_update (crl),
      gnutls_x509_crl_get_next_update (crl));
  while (gnutls_x509_crl_iter_crt_serial (crl, &iterator, serial, &size,
          &when) >= 0) {
    g_autofree char *time = bravis_format_time (when);

    print_hex ("revoked", serial, size);
    g_print ("  %-12s on %s\n", "", time);
    size = sizeof serial;
    n++;
  }
  gnutls_x509_crl_iter_deinit (iterator);
  if (n == 0)
    g_print ("  nothing is revoked\n");
}

static gboolean
show_lists (const char *file, const char *contents, gsize size, GError **error)
{
  gnutls_datum_t pem = { (guint8 *) contents, size };
  gnutls_x509_crl_t *crls = NULL;
  unsigned n = 0;
  int result = gnutls_x509_crl_list_import2 (&crls, &n, &pem,
      GNUTLS_X509_FMT_PEM, 0);

  if (result < 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s: the revocation list cannot be read: %s", file,
        gnutls_strerror (result));
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    print_list (crls[i]);
    gnutls_x509_crl_deinit (crls[i]);
  }
  gnutls_free (crls);
  return TRUE;
}

gboolean
bravis_show_file (const char *file, GError **error)
{
  g_autoptr (GPtrArray) certificates = NULL;
  g_autofree char *contents = NULL;
  gsize size;

  contents = bravis_read_file (file, &size, error);
  if (contents == NULL)
    return FALSE;
  if (g_strstr_len (contents, size, "-----BEGIN X509 CRL-----"))
    return show_lists (file, contents, size, error);
  certificates = bravis_read_certificates (file, MAX_SHOWN, error);
  if (certificates == NULL)
    return FALSE;
  for (guint i = 0; i < certificates->len; i++)
    print_certificate (certificates->pdata[i]);
  return TRUE;
}
