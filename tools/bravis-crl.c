#include "bravis-crl.h"
#include "bravis-files.h"
#include "../keymgmt/bravis-trust.h"

gboolean
bravis_good (int result, const char *what, GError **error)
{
  if (result >= 0)
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE, "%s: %s", what,
      gnutls_strerror (result));
  return FALSE;
}

gnutls_digest_algorithm_t
bravis_signing_hash (gnutls_privkey_t key)
{
  return gnutls_privkey_get_pk_algorithm (key, NULL) == GNUTLS_PK_EDDSA_ED25519
             ? GNUTLS_DIG_SHA512
             : GNUTLS_DIG_SHA256;
}

/* Puts the entries of the list that is there into @crl, and returns its number.
 */
static guint64
copy_entries (gnutls_x509_crl_t crl, gnutls_x509_crl_t old)
{
  gnutls_x509_crl_iter_t iterator = NULL;
  guint8 serial[64], number[8] = { 0 };
  size_t size = sizeof serial, number_size = sizeof number;
  guint64 value = 0;
  time_t when;

  while (gnutls_x509_crl_iter_crt_serial (old, &iterator, serial, &size, &when)
         >= 0) {
    gnutls_x509_crl_set_crt_serial (crl, serial, size, when);
    size = sizeof serial;
  }
  gnutls_x509_crl_iter_deinit (iterator);
  if (gnutls_x509_crl_get_number (old, number, &number_size, NULL) >= 0)
    for (gsize i = 0; i < number_size; i++)
      value = value << 8 | number[i];
  return value;
}

gnutls_x509_crl_t
bravis_read_crl (const char *file, GError **error)
{
  g_auto (gnutls_x509_crl_t) crl = NULL;
  g_autofree char *contents = NULL;
  gsize size;
  gnutls_datum_t pem;

  contents = bravis_read_file (file, &size, error);
  if (contents == NULL)
    return NULL;
  pem = (gnutls_datum_t){ (guint8 *)contents, size };
  if (!bravis_good (gnutls_x509_crl_init (&crl), file, error)
      || !bravis_good (
          gnutls_x509_crl_import (crl, &pem, GNUTLS_X509_FMT_PEM), file, error))
    return NULL;
  return g_steal_pointer (&crl);
}

static gboolean
set_crl_header (gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer, guint64 number,
    gint64 now, gint64 until, GError **error)
{
  guint64 big_endian = GUINT64_TO_BE (number);
  guint8 id[64];
  size_t id_size = sizeof id;

  return bravis_good (
             gnutls_x509_crt_get_subject_key_id (issuer, id, &id_size, NULL),
             "the authority's key identifier", error)
         && bravis_good (
             gnutls_x509_crl_set_version (crl, 2), "the version", error)
         && bravis_good (
             gnutls_x509_crl_set_this_update (crl, now), "the time", error)
         && bravis_good (
             gnutls_x509_crl_set_next_update (crl, until), "the time", error)
         && bravis_good (
             gnutls_x509_crl_set_authority_key_id (crl, id, id_size),
             "the authority's key identifier", error)
         && bravis_good (
             gnutls_x509_crl_set_number (crl, &big_endian, sizeof big_endian),
             "the number", error);
}

gboolean
bravis_write_crl (const char *file, gnutls_x509_crl_t old, GPtrArray *added,
    gnutls_x509_crt_t issuer, gnutls_privkey_t key, gint64 now, gint64 until,
    GError **error)
{
  g_auto (gnutls_x509_crl_t) crl = NULL;
  gnutls_datum_t pem = { NULL, 0 };
  guint64 number = 0;
  gboolean written;

  if (!bravis_good (gnutls_x509_crl_init (&crl), file, error))
    return FALSE;
  if (old)
    number = copy_entries (crl, old);
  for (guint i = 0; added && i < added->len; i++) {
    g_autoptr (BravisSecret) serial
        = bravis_secret_new_from_hex (added->pdata[i], error);

    if (serial == NULL
        || !bravis_good (
            gnutls_x509_crl_set_crt_serial (crl, bravis_secret_peek (serial),
                bravis_secret_get_size (serial), now),
            "the serial number", error))
      return FALSE;
  }
  if (!set_crl_header (crl, issuer, number + 1, now, until, error)
      || !bravis_good (gnutls_x509_crl_privkey_sign (
                           crl, issuer, key, bravis_signing_hash (key), 0),
          "signing the revocation list", error)
      || !bravis_good (gnutls_x509_crl_export2 (crl, GNUTLS_X509_FMT_PEM, &pem),
          "writing the revocation list", error))
    return FALSE;
  written = bravis_replace_file (file, (char *)pem.data, pem.size, error);
  gnutls_free (pem.data);
  return written;
}
