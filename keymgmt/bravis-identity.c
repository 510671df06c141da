#include "bravis-identity.h"
#include "bravis-private-key.h"
#include "bravis-trust.h"
#include "../gcp/gcp-wire.h"

#include <string.h>

struct _BravisIdentity {
  gatomicrefcount references;
  BravisTrust *trust;
  BravisCertificate *certificate;       /* its own, which nobody verified */
  BravisPrivateKey *key;
  gnutls_sign_algorithm_t algorithm;
  GBytes *chain;
};

static void
write_certificate (GcpWriter *writer, gnutls_x509_crt_t certificate)
{
  gnutls_datum_t der = { NULL, 0 };

  if (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_DER, &der) < 0)
    g_error ("a certificate that was read cannot be written");
  gcp_write_vector24 (writer, der.data, der.size);
  gnutls_free (der.data);
}

/* The chain of @file for the wire, and the end certificate. */
static gboolean
read_chain (BravisIdentity *identity, const char *file,
    gnutls_x509_crt_t *end, GError **error)
{
  /* One more than may be sent: the root, which is not. */
  g_autoptr (GPtrArray) certificates = bravis_read_certificates (file,
      BRAVIS_MAX_CHAIN_LENGTH + 1, error);
  g_auto (GcpWriter) writer;
  guint n;

  gcp_writer_init (&writer);
  if (certificates == NULL)
    return FALSE;
  n = certificates->len;
  if (n > 1 && gnutls_x509_crt_check_issuer (certificates->pdata[n - 1],
          certificates->pdata[n - 1]))
    n--;
  for (guint i = 0; i < n; i++) {
    if (i + 1 < n && !gnutls_x509_crt_check_issuer (certificates->pdata[i],
            certificates->pdata[i + 1])) {
      g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
          "%s: certificate %u is not issued by certificate %u: the own one "
          "comes first, then each one's issuer", file, i + 1, i + 2);
      return FALSE;
    }
    write_certificate (&writer, certificates->pdata[i]);
  }
  identity->chain = gcp_writer_finish (&writer);
  if (n > BRAVIS_MAX_CHAIN_LENGTH
      || g_bytes_get_size (identity->chain) > BRAVIS_MAX_CHAIN_SIZE) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s: a chain has at most %d certificates and %d octets", file,
        BRAVIS_MAX_CHAIN_LENGTH, BRAVIS_MAX_CHAIN_SIZE);
    return FALSE;
  }
  *end = g_ptr_array_steal_index (certificates, 0);
  return TRUE;
}

/* That the key signs, and belongs to the certificate. */
static gboolean
check_key (BravisIdentity *identity, const BravisIdentityFiles *files,
    GError **error)
{
  g_autoptr (GBytes) signature = bravis_identity_sign (identity, "self-test",
      NULL, 0, error);

  if (!signature)
    return FALSE;
  if (bravis_certificate_verify_signature (identity->certificate,
          "self-test", NULL, 0, g_bytes_get_data (signature, NULL),
          g_bytes_get_size (signature), NULL))
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_KEY_MISMATCH,
      "%s: this private key does not belong to the certificate in %s",
      bravis_private_key_get_name (identity->key), files->certificate);
  return FALSE;
}

/**
 * bravis_identity_load:
 * @files: where everything is
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the identity, or %NULL and an error
 *   that names the file
 */
BravisIdentity *
bravis_identity_load (const BravisIdentityFiles *files, GError **error)
{
  g_autoptr (BravisIdentity) identity = g_new0 (BravisIdentity, 1);
  g_auto (gnutls_x509_crt_t) end = NULL;

  g_atomic_ref_count_init (&identity->references);
  if (!read_chain (identity, files->certificate, &end, error))
    return NULL;
  identity->certificate = bravis_certificate_new (end, error);
  if (identity->certificate == NULL) {
    g_prefix_error (error, "%s: ", files->certificate);
    return NULL;
  }
  identity->algorithm = bravis_x509_get_sign_algorithm (end, NULL);
  identity->key = bravis_private_key_load (files->key, files->passphrase,
      error);
  if (identity->key == NULL)
    return NULL;
  if (!check_key (identity, files, error))
    return NULL;
  identity->trust = bravis_trust_load (files->trust, files->crl, error);
  if (identity->trust == NULL)
    return NULL;
  return g_steal_pointer (&identity);
}

BravisIdentity *
bravis_identity_new (const char *certificate_file, const char *key,
    const char *trust_file, const char *crl_file, GError **error)
{
  const BravisIdentityFiles files = {
    .certificate = certificate_file,
    .key = key,
    .trust = trust_file,
    .crl = crl_file
  };

  return bravis_identity_load (&files, error);
}

BravisIdentity *
bravis_identity_ref (BravisIdentity *identity)
{
  g_atomic_ref_count_inc (&identity->references);
  return identity;
}

void
bravis_identity_unref (BravisIdentity *identity)
{
  if (!g_atomic_ref_count_dec (&identity->references))
    return;
  g_clear_pointer (&identity->trust, bravis_trust_free);
  g_clear_pointer (&identity->certificate, bravis_certificate_unref);
  g_clear_pointer (&identity->key, bravis_private_key_free);
  g_clear_pointer (&identity->chain, g_bytes_unref);
  g_free (identity);
}

const char *
bravis_identity_get_name (BravisIdentity *identity)
{
  return bravis_certificate_get_name (identity->certificate);
}

/**
 * bravis_identity_get_chain:
 * @identity: an identity
 *
 * Returns: (transfer none): the chain as it goes over the wire
 */
GBytes *
bravis_identity_get_chain (BravisIdentity *identity)
{
  return identity->chain;
}

GBytes *
bravis_identity_sign (BravisIdentity *identity, const char *label,
    gconstpointer data, gsize size, GError **error)
{
  g_autoptr (GByteArray) text = bravis_signed_text (label, data, size);

  return bravis_private_key_sign (identity->key, identity->algorithm,
      text->data, text->len, error);
}

char *
bravis_identity_make_fingerprint (BravisIdentity *identity,
    BravisCertificate *other)
{
  const guint8 *a = bravis_certificate_get_fingerprint (identity->certificate);
  const guint8 *b = bravis_certificate_get_fingerprint (other);
  gboolean a_first = memcmp (a, b, BRAVIS_HASH_SIZE) <= 0;
  guint8 both[2 * BRAVIS_HASH_SIZE], digest[BRAVIS_HASH_SIZE];
  GString *text = g_string_new (NULL);

  memcpy (both, a_first ? a : b, BRAVIS_HASH_SIZE);
  memcpy (both + BRAVIS_HASH_SIZE, a_first ? b : a, BRAVIS_HASH_SIZE);
  bravis_sha256_label ("fingerprint", both, sizeof both, digest);
  for (guint i = 0; i < BRAVIS_HASH_SIZE; i += 2)
    g_string_append_printf (text, "%s%02x%02x", i > 0 ? " " : "", digest[i],
        digest[i + 1]);
  return g_string_free (text, FALSE);
}

GPtrArray *
bravis_parse_chain (gconstpointer chain, gsize size)
{
  g_autoptr (GPtrArray) certificates = g_ptr_array_new_with_free_func (
      (GDestroyNotify) gnutls_x509_crt_deinit);
  GcpReader reader;

  if (size > BRAVIS_MAX_CHAIN_SIZE)
    return NULL;
  gcp_reader_init (&reader, chain, size);
  while (gcp_reader_left (&reader) > 0) {
    gsize der_size;
    const guint8 *der = gcp_read_vector24 (&reader, BRAVIS_MAX_CHAIN_SIZE,
        &der_size);
    gnutls_datum_t datum = { (guint8 *) der, der_size };
    gnutls_x509_crt_t certificate;

    if (der == NULL || certificates->len == BRAVIS_MAX_CHAIN_LENGTH
        || gnutls_x509_crt_init (&certificate) < 0)
      return NULL;
    g_ptr_array_add (certificates, certificate);
    if (gnutls_x509_crt_import (certificate, &datum, GNUTLS_X509_FMT_DER) < 0)
      return NULL;
  }
  if (!gcp_reader_finish (&reader) || certificates->len == 0)
    return NULL;
  return g_steal_pointer (&certificates);
}

/**
 * bravis_identity_verify:
 * @identity: who wants to know
 * @chain: (array length=size): a chain off the wire
 * @size: its octets
 * @wall_clock: seconds since 1970
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the certificate, verified
 */
BravisCertificate *
bravis_identity_verify (BravisIdentity *identity, gconstpointer chain,
    gsize size, gint64 wall_clock, GError **error)
{
  g_autoptr (GPtrArray) certificates = bravis_parse_chain (chain, size);
  BravisCertificate *certificate;
  gint64 end;

  if (certificates == NULL) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "the certificate chain is malformed");
    return NULL;
  }
  if (!bravis_trust_verify (identity->trust,
          (const gnutls_x509_crt_t *) certificates->pdata, certificates->len,
          wall_clock, &end, error))
    return NULL;
  certificate = bravis_certificate_new (certificates->pdata[0], error);
  if (certificate)
    bravis_certificate_set_end (certificate, end);
  return certificate;
}

GPtrArray *
bravis_identity_reload_revocations (BravisIdentity *identity, GError **error)
{
  return bravis_trust_reload_lists (identity->trust, error);
}

GPtrArray *
bravis_identity_list_revocations (BravisIdentity *identity)
{
  return bravis_trust_list_lists (identity->trust);
}

static void
error_free (gpointer error)
{
  g_clear_error ((GError **) &error);
}

GPtrArray *
bravis_identity_apply_revocations (BravisIdentity *identity, gconstpointer der,
    gsize size, GPtrArray *chains)
{
  g_autoptr (BravisRevocations) list = bravis_revocations_read (der, size);
  GPtrArray *reasons;

  if (!list)
    return NULL;
  reasons = g_ptr_array_new_with_free_func (error_free);
  for (guint i = 0; i < chains->len; i++) {
    g_autoptr (GPtrArray) chain = bravis_parse_chain (
        g_bytes_get_data (chains->pdata[i], NULL),
        g_bytes_get_size (chains->pdata[i]));
    GError *reason = NULL;

    if (chain)
      bravis_trust_apply_list (identity->trust, list,
          (const gnutls_x509_crt_t *) chain->pdata, chain->len, &reason);
    g_ptr_array_add (reasons, reason);
  }
  return reasons;
}
