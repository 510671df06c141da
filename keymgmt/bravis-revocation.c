#include "bravis-revocation.h"

#include <string.h>

#define MAX_SERIAL 64                   /* octets; RFC 5280 allows 20 */
#define MAX_NUMBER 32                   /* octets; RFC 5280 allows 20 */

struct _BravisRevocations {
  gatomicrefcount references;
  gnutls_x509_crl_t crl;
  GBytes *der;
  GBytes *issuer;               /* its name, DER */
  gint64 this_update, next_update;
  GBytes *number;               /* without leading zeros; NULL: none */
  GHashTable *revoked;          /* serial (GBytes) -> when (gint64) */
};

static GBytes *
take_datum (gnutls_datum_t *datum)
{
  GBytes *bytes = g_bytes_new (datum->data, datum->size);

  gnutls_free (datum->data);
  return bytes;
}

/* A list that only means part of what is revoked says so in an extension that
 * is critical (RFC 5280 §5.2.4, §5.2.5): such a one is not understood here. */
static gboolean
has_critical_extension (gnutls_x509_crl_t crl)
{
  for (guint i = 0;; i++) {
    char oid[128];
    size_t size = sizeof oid;
    unsigned critical = 0;
    int result = gnutls_x509_crl_get_extension_info (crl, i, oid, &size,
        &critical);

    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
      return FALSE;
    if (result < 0 || critical)
      return TRUE;
  }
}

static gboolean
read_revoked (BravisRevocations *list)
{
  gnutls_x509_crl_iter_t iterator = NULL;
  int result;

  list->revoked = g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
      (GDestroyNotify) g_bytes_unref, g_free);
  for (;;) {
    guint8 serial[MAX_SERIAL];
    size_t size = sizeof serial;
    time_t when;
    gint64 *stored;

    result = gnutls_x509_crl_iter_crt_serial (list->crl, &iterator, serial,
        &size, &when);
    if (result < 0)
      break;
    stored = g_new (gint64, 1);
    *stored = when;
    g_hash_table_replace (list->revoked, g_bytes_new (serial, size), stored);
  }
  gnutls_x509_crl_iter_deinit (iterator);
  return result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

static gboolean
read_number (BravisRevocations *list)
{
  guint8 number[MAX_NUMBER];
  size_t size = sizeof number, zeros = 0;
  unsigned critical;
  int result = gnutls_x509_crl_get_number (list->crl, number, &size, &critical);

  if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
    return TRUE;
  if (result < 0)
    return FALSE;
  while (zeros < size && number[zeros] == 0)
    zeros++;
  list->number = g_bytes_new (number + zeros, size - zeros);
  return TRUE;
}

static gboolean
read_list (BravisRevocations *list)
{
  gnutls_datum_t issuer = { NULL, 0 };
  gnutls_datum_t der = { NULL, 0 };

  list->this_update = gnutls_x509_crl_get_this_update (list->crl);
  list->next_update = gnutls_x509_crl_get_next_update (list->crl);
  if (list->next_update == -1)
    list->next_update = G_MAXINT64;
  if (gnutls_x509_crl_get_raw_issuer_dn (list->crl, &issuer) < 0)
    return FALSE;
  list->issuer = take_datum (&issuer);
  if (gnutls_x509_crl_export2 (list->crl, GNUTLS_X509_FMT_DER, &der) < 0)
    return FALSE;
  list->der = take_datum (&der);
  return list->this_update != -1 && !has_critical_extension (list->crl)
      && read_number (list) && read_revoked (list);
}

BravisRevocations *
bravis_revocations_new (gnutls_x509_crl_t crl)
{
  g_autoptr (BravisRevocations) list = g_new0 (BravisRevocations, 1);

  g_atomic_ref_count_init (&list->references);
  list->crl = crl;
  return read_list (list) ? g_steal_pointer (&list) : NULL;
}

BravisRevocations *
bravis_revocations_read (gconstpointer der, gsize size)
{
  gnutls_datum_t datum = { (guint8 *) der, size };
  gnutls_x509_crl_t crl;

  if (size > BRAVIS_MAX_REVOCATIONS || gnutls_x509_crl_init (&crl) < 0)
    return NULL;
  if (gnutls_x509_crl_import (crl, &datum, GNUTLS_X509_FMT_DER) < 0) {
    gnutls_x509_crl_deinit (crl);
    return NULL;
  }
  return bravis_revocations_new (crl);
}

BravisRevocations *
bravis_revocations_ref (BravisRevocations *list)
{
  g_atomic_ref_count_inc (&list->references);
  return list;
}

void
bravis_revocations_unref (BravisRevocations *list)
{
  if (!g_atomic_ref_count_dec (&list->references))
    return;
  g_clear_pointer (&list->crl, gnutls_x509_crl_deinit);
  g_clear_pointer (&list->der, g_bytes_unref);
  g_clear_pointer (&list->issuer, g_bytes_unref);
  g_clear_pointer (&list->number, g_bytes_unref);
  g_clear_pointer (&list->revoked, g_hash_table_unref);
  g_free (list);
}

GBytes *
bravis_revocations_get_der (BravisRevocations *list)
{
  return list->der;
}

gint64
bravis_revocations_get_next_update (BravisRevocations *list)
{
  return list->next_update;
}

gboolean
bravis_revocations_are_of (BravisRevocations *list,
    gnutls_x509_crt_t authority)
{
  gnutls_datum_t name = { NULL, 0 };
  gboolean same;

  if (gnutls_x509_crt_get_raw_dn (authority, &name) < 0)
    return FALSE;
  same = g_bytes_get_size (list->issuer) == name.size
      && memcmp (g_bytes_get_data (list->issuer, NULL), name.data,
      name.size) == 0;
  gnutls_free (name.data);
  return same;
}

/* GnuTLS compares the times with the present all the same, which is not for it to
 * judge. */
gboolean
bravis_revocations_are_signed_by (BravisRevocations *list,
    gnutls_x509_crt_t authority)
{
  const unsigned by_time = GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED
      | GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;
  unsigned status = 0;

  if (gnutls_x509_crl_verify (list->crl, &authority, 1,
          BRAVIS_X509_VERIFY_FLAGS, &status) < 0)
    return FALSE;
  if (status & by_time)
    status &= ~(by_time | GNUTLS_CERT_INVALID);
  return status == 0;
}

/* Both without leading zeros: the longer one is greater. */
static gboolean
is_greater (GBytes *a, GBytes *b)
{
  gsize size = g_bytes_get_size (a);

  if (size != g_bytes_get_size (b))
    return size > g_bytes_get_size (b);
  return g_bytes_compare (a, b) > 0;
}

gboolean
bravis_revocations_are_newer (BravisRevocations *list, BravisRevocations *other)
{
  if (list->number && other->number)
    return is_greater (list->number, other->number);
  return list->this_update > other->this_update;
}

gboolean
bravis_revocations_have_issuer_of (BravisRevocations *list,
    BravisRevocations *other)
{
  return g_bytes_equal (list->issuer, other->issuer);
}

const gint64 *
bravis_revocations_find (BravisRevocations *list, gnutls_x509_crt_t certificate)
{
  guint8 serial[MAX_SERIAL];
  size_t size = sizeof serial;
  g_autoptr (GBytes) key = NULL;

  if (gnutls_x509_crt_get_serial (certificate, serial, &size) < 0)
    return NULL;
  key = g_bytes_new (serial, size);
  return g_hash_table_lookup (list->revoked, key);
}
