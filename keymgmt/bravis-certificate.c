#include "bravis-certificate.h"

#include <string.h>

#define MAX_PRINTED 120                 /* characters of a text of others */
#define MIN_RSA_BITS 2048
#define SIGNATURE_PREFIX "BRAVIS 1.0 "

struct _BravisCertificate {
  gatomicrefcount references;
  char *name;
  guint8 fingerprint[BRAVIS_HASH_SIZE];
  gnutls_pubkey_t key;
  gnutls_sign_algorithm_t algorithm;
  gint64 end;
};

char *
bravis_printable (const char *text, gsize size)
{
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < size && i < MAX_PRINTED; i++)
    g_string_append_c (out, g_ascii_isprint (text[i]) ? text[i] : '?');
  if (size > MAX_PRINTED)
    g_string_append (out, "...");
  return g_string_free (out, FALSE);
}

static char *
printable_dn (int (*get) (gnutls_x509_crt_t, gnutls_datum_t *, unsigned),
    gnutls_x509_crt_t certificate)
{
  gnutls_datum_t dn = { NULL, 0 };
  char *text;

  if (get (certificate, &dn, 0) < 0 || dn.size == 0)
    text = g_strdup ("nobody");
  else
    text = bravis_printable ((const char *) dn.data, dn.size);
  gnutls_free (dn.data);
  return text;
}

char *
bravis_x509_describe (gnutls_x509_crt_t certificate)
{
  char *name = bravis_x509_get_name (certificate, NULL);

  return name ? name : printable_dn (gnutls_x509_crt_get_dn3, certificate);
}

char *
bravis_x509_describe_issuer (gnutls_x509_crt_t certificate)
{
  return printable_dn (gnutls_x509_crt_get_issuer_dn3, certificate);
}

char *
bravis_format_time (gint64 time)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time);

  return date ? g_date_time_format (date, "%Y-%m-%d %H:%M UTC")
      : g_strdup ("a time beyond all calendars");
}

static gboolean
is_user_character (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr (".-_+", c));
}

static gboolean
is_domain (const char *text)
{
  gboolean label_is_empty = TRUE;

  for (; *text; text++) {
    if (*text == '.' && label_is_empty)
      return FALSE;
    if (!g_ascii_isalnum (*text) && *text != '-' && *text != '.')
      return FALSE;
    label_is_empty = *text == '.';
  }
  return !label_is_empty;
}

gboolean
bravis_name_is_valid (const char *name)
{
  const char *at = name;

  while (is_user_character (*at))
    at++;
  return at > name && *at == '@' && strlen (name) <= BRAVIS_MAX_NAME
      && is_domain (at + 1);
}

/* The name in a URI sip:user@domain; %NULL for any other URI. */
static char *
name_from_uri (const char *uri, gsize size)
{
  g_autofree char *text = NULL;

  if (size < 4 || g_ascii_strncasecmp (uri, "sip:", 4) != 0)
    return NULL;
  text = g_strndup (uri + 4, size - 4);

  /* A zero octet must not hide the rest of the name. */
  if (strlen (text) != size - 4 || !bravis_name_is_valid (text))
    return g_strdup ("");
  return g_steal_pointer (&text);
}

char *
bravis_x509_get_name (gnutls_x509_crt_t certificate, GError **error)
{
  g_autofree char *name = NULL;

  for (guint i = 0;; i++) {
    g_autofree char *found = NULL;
    char uri[BRAVIS_MAX_NAME + 5];
    size_t size = sizeof uri;
    unsigned type;
    int result = gnutls_x509_crt_get_subject_alt_name2 (certificate, i, uri,
        &size, &type, NULL);

    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
      break;
    if (result == GNUTLS_E_SHORT_MEMORY_BUFFER)
      continue;                 /* too long to be a name, whatever it is */
    if (result < 0) {
      g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
          "the certificate's alternative names cannot be read: %s",
          gnutls_strerror (result));
      return NULL;
    }
    if (type != GNUTLS_SAN_URI)
      continue;
    found = name_from_uri (uri, size);
    if (found == NULL)
      continue;
    if (*found == '\0') {
      g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
          "the certificate's sip: URI is not sip:user@domain");
      return NULL;
    }
    if (name) {
      g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
          "the certificate has more than one name: %s and %s", name, found);
      return NULL;
    }
    name = g_steal_pointer (&found);
  }

  if (name == NULL)
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "the certificate has no name: no subjectAltName with a URI "
        "sip:user@domain");
  return g_steal_pointer (&name);
}

gnutls_sign_algorithm_t
bravis_x509_get_sign_algorithm (gnutls_x509_crt_t certificate, GError **error)
{
  unsigned bits = 0;
  int kind = gnutls_x509_crt_get_pk_algorithm (certificate, &bits);
  gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;

  switch (kind) {
    case GNUTLS_PK_EDDSA_ED25519:
      return GNUTLS_SIGN_EDDSA_ED25519;
    case GNUTLS_PK_ECDSA:
      gnutls_x509_crt_get_pk_ecc_raw (certificate, &curve, NULL, NULL);
      if (curve == GNUTLS_ECC_CURVE_SECP256R1
          || curve == GNUTLS_ECC_CURVE_SECP384R1
          || curve == GNUTLS_ECC_CURVE_SECP521R1)
        return GNUTLS_SIGN_ECDSA_SHA256;
      break;
    case GNUTLS_PK_RSA:
      if (bits >= MIN_RSA_BITS)
        return GNUTLS_SIGN_RSA_PSS_RSAE_SHA256;
      g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
          "the certificate's RSA key of %u bits is too weak: at least %u",
          bits, MIN_RSA_BITS);
      return GNUTLS_SIGN_UNKNOWN;
    default:
      break;
  }
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
      "the certificate's key is %s: neither Ed25519 nor ECDSA over P-256, "
      "P-384 or P-521 nor RSA", gnutls_pk_get_name (kind));
  return GNUTLS_SIGN_UNKNOWN;
}

gboolean
bravis_x509_is_authority (gnutls_x509_crt_t certificate)
{
  return gnutls_x509_crt_get_version (certificate) == 3
      && gnutls_x509_crt_get_ca_status (certificate, NULL) > 0;
}

static gboolean
check_key_usage (gnutls_x509_crt_t certificate, GError **error)
{
  unsigned usage = 0;

  if (gnutls_x509_crt_get_key_usage (certificate, &usage, NULL) < 0
      || !(usage & GNUTLS_KEY_DIGITAL_SIGNATURE)) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "the certificate's key usage does not have digitalSignature");
    return FALSE;
  }
  return TRUE;
}

BravisCertificate *
bravis_certificate_new (gnutls_x509_crt_t certificate, GError **error)
{
  g_autoptr (BravisCertificate) made = g_new0 (BravisCertificate, 1);
  gnutls_datum_t der = { NULL, 0 };

  g_atomic_ref_count_init (&made->references);
  made->end = G_MAXINT64;
  made->name = bravis_x509_get_name (certificate, error);
  if (made->name == NULL)
    return NULL;
  if (bravis_x509_is_authority (certificate)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "the certificate of %s is an authority's, which is no member",
        made->name);
    return NULL;
  }
  if (!check_key_usage (certificate, error))
    return NULL;
  made->algorithm = bravis_x509_get_sign_algorithm (certificate, error);
  if (made->algorithm == GNUTLS_SIGN_UNKNOWN)
    return NULL;

  if (gnutls_pubkey_init (&made->key) < 0
      || gnutls_pubkey_import_x509 (made->key, certificate, 0) < 0
      || gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_DER, &der) < 0) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "the certificate's key cannot be read");
    return NULL;
  }
  bravis_sha256 (der.data, der.size, made->fingerprint);
  gnutls_free (der.data);
  return g_steal_pointer (&made);
}

BravisCertificate *
bravis_certificate_ref (BravisCertificate *certificate)
{
  g_atomic_ref_count_inc (&certificate->references);
  return certificate;
}

void
bravis_certificate_unref (BravisCertificate *certificate)
{
  if (!g_atomic_ref_count_dec (&certificate->references))
    return;
  if (certificate->key)
    gnutls_pubkey_deinit (certificate->key);
  g_free (certificate->name);
  g_free (certificate);
}

const char *
bravis_certificate_get_name (BravisCertificate *certificate)
{
  return certificate->name;
}

const guint8 *
bravis_certificate_get_fingerprint (BravisCertificate *certificate)
{
  return certificate->fingerprint;
}

gint64
bravis_certificate_get_end (BravisCertificate *certificate)
{
  return certificate->end;
}

void
bravis_certificate_set_end (BravisCertificate *certificate, gint64 end)
{
  certificate->end = end;
}

GByteArray *
bravis_signed_text (const char *label, gconstpointer data, gsize size)
{
  GByteArray *text = g_byte_array_sized_new (sizeof SIGNATURE_PREFIX
      + strlen (label) + 1 + size);

  g_byte_array_append (text, (const guint8 *) SIGNATURE_PREFIX,
      strlen (SIGNATURE_PREFIX));
  g_byte_array_append (text, (const guint8 *) label, strlen (label) + 1);
  if (size > 0)
    g_byte_array_append (text, data, size);
  return text;
}

gboolean
bravis_certificate_verify_signature (BravisCertificate *certificate,
    const char *label, gconstpointer data, gsize size, gconstpointer signature,
    gsize signature_size, GError **error)
{
  g_autoptr (GByteArray) text = bravis_signed_text (label, data, size);
  gnutls_datum_t text_datum = { text->data, text->len };
  gnutls_datum_t signature_datum = { (guint8 *) signature, signature_size };

  if (signature_size == 0 || signature_size > BRAVIS_MAX_SIGNATURE
      || gnutls_pubkey_verify_data2 (certificate->key, certificate->algorithm,
          0, &text_datum, &signature_datum) < 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_SIGNATURE,
        "the signature of %s (%s) does not verify", certificate->name, label);
    return FALSE;
  }
  return TRUE;
}
