#include "bravis-authority.h"
#include "bravis-crl.h"
#include "bravis-files.h"
#include "../keymgmt/bravis-private-key.h"
#include "../keymgmt/bravis-trust.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <gnutls/crypto.h>

#define SERIAL_SIZE 16 /* octets; RFC 5280 §4.1.2.2: up to 20 */
#define KEY_ID_SIZE 20
#define MAX_COMMON_NAME 64 /* RFC 5280, ub-common-name */

struct _BravisAuthority {
  char *directory;
  gnutls_x509_crt_t certificate;
  BravisPrivateKey *private_key;
  gnutls_privkey_t key; /* its handle */
  char *chain; /* PEM that goes behind what it issues */
  int lock;    /* its key file, held locked */
};

static const char *const key_types[] = {
  [BRAVIS_KEY_ED25519] = "ed25519",
  [BRAVIS_KEY_ECDSA_P256] = "ecdsa-p256",
  [BRAVIS_KEY_ECDSA_P384] = "ecdsa-p384",
  [BRAVIS_KEY_RSA_3072] = "rsa-3072",
};

const char *
bravis_key_type_to_string (BravisKeyType type)
{
  return key_types[type];
}

gboolean
bravis_key_type_from_string (const char *text, BravisKeyType *type)
{
  for (guint i = 0; i < G_N_ELEMENTS (key_types); i++)
    if (g_str_equal (text, key_types[i])) {
      *type = i;
      return TRUE;
    }
  return FALSE;
}

/* ----- keys ----- */

static gnutls_x509_privkey_t
generate_key (BravisKeyType type, GError **error)
{
  gnutls_x509_privkey_t key = NULL;
  int result = gnutls_x509_privkey_init (&key);

  switch (type) {
    case BRAVIS_KEY_ED25519:
      result = gnutls_x509_privkey_generate (key, GNUTLS_PK_EDDSA_ED25519,
          GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_ED25519), 0);
      break;
    case BRAVIS_KEY_ECDSA_P256:
      result = gnutls_x509_privkey_generate (key, GNUTLS_PK_ECDSA,
          GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0);
      break;
    case BRAVIS_KEY_ECDSA_P384:
      result = gnutls_x509_privkey_generate (key, GNUTLS_PK_ECDSA,
          GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP384R1), 0);
      break;
    case BRAVIS_KEY_RSA_3072:
      result = gnutls_x509_privkey_generate (key, GNUTLS_PK_RSA, 3072, 0);
      break;
  }
  if (bravis_good (result, "making a private key", error))
    return key;
  gnutls_x509_privkey_deinit (key);
  return NULL;
}

static gboolean
write_key (gnutls_x509_privkey_t key, const char *file,
    const char *passphrase_file, GError **error)
{
  g_autoptr (BravisSecret) passphrase = NULL;
  gnutls_datum_t pem = { NULL, 0 };
  const char *text = NULL;
  gboolean written;

  if (passphrase_file) {
    passphrase = bravis_passphrase_read (passphrase_file, error);
    if (passphrase == NULL)
      return FALSE;
    text = (const char *)bravis_secret_peek (passphrase);
  }
  if (!bravis_good (
          gnutls_x509_privkey_export2_pkcs8 (key, GNUTLS_X509_FMT_PEM, text,
              text ? GNUTLS_PKCS_PBES2_AES_256 : GNUTLS_PKCS_PLAIN, &pem),
          "writing a private key", error))
    return FALSE;
  written = bravis_create_file (file, 0600, (char *)pem.data, pem.size, error);
  bravis_wipe (pem.data, pem.size);
  gnutls_free (pem.data);
  return written;
}

/* A handle of the kind that signs, for a key that stays the caller's. */
static gnutls_privkey_t
signing_key (gnutls_x509_privkey_t key)
{
  gnutls_privkey_t handle = NULL;

  if (gnutls_privkey_init (&handle) < 0
      || gnutls_privkey_import_x509 (handle, key, GNUTLS_PRIVKEY_IMPORT_COPY)
             < 0)
    g_error ("a private key that was made cannot be used");
  return handle;
}

/* The public half of @key. */
static gnutls_pubkey_t
public_half (gnutls_x509_privkey_t key)
{
  g_auto (gnutls_privkey_t) handle = signing_key (key);
  gnutls_pubkey_t half = NULL;

  if (gnutls_pubkey_init (&half) < 0
      || gnutls_pubkey_import_privkey (half, handle, 0, 0) < 0)
    g_error ("a private key that was made has no public half");
  return half;
}

/* The key of a request (PKCS #10), whose owner proved to have it. What else the
 * request says is not looked at. */
static gnutls_pubkey_t
read_request (const char *file, GError **error)
{
  g_autofree char *contents = NULL;
  g_auto (gnutls_pubkey_t) key = NULL;
  gnutls_x509_crq_t request;
  gnutls_datum_t pem;
  gsize size;
  int result;

  contents = bravis_read_file (file, &size, error);
  if (contents == NULL)
    return NULL;
  pem = (gnutls_datum_t) { (guint8 *) contents, size };
  result = gnutls_x509_crq_init (&request);
  if (result >= 0)
    result = gnutls_x509_crq_import (request, &pem, GNUTLS_X509_FMT_PEM);
  if (result >= 0)
    result = gnutls_x509_crq_verify (request, 0);
  if (result >= 0)
    result = gnutls_pubkey_init (&key);
  if (result >= 0)
    result = gnutls_pubkey_import_x509_crq (key, request, 0);
  gnutls_x509_crq_deinit (request);
  if (result < 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s: no certificate request in PEM (PKCS #10) that is signed with its own "
        "key: %s", file, gnutls_strerror (result));
    return NULL;
  }
  return g_steal_pointer (&key);
}

/* ----- certificates ----- */

static gboolean
set_serial (gnutls_x509_crt_t certificate, GError **error)
{
  guint8 serial[SERIAL_SIZE];

  if (!bravis_good (gnutls_rnd (GNUTLS_RND_NONCE, serial, sizeof serial),
          "drawing a serial number", error))
    return FALSE;
  serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, of full length */
  return bravis_good (
      gnutls_x509_crt_set_serial (certificate, serial, sizeof serial),
      "the serial number", error);
}

/* All that authorities' and members' certificates have in common. */
static gboolean
prepare (gnutls_x509_crt_t certificate, const BravisWish *wish,
    gnutls_pubkey_t key, guint usage, GError **error)
{
  guint8 id[KEY_ID_SIZE];
  size_t id_size = sizeof id;

  return set_serial (certificate, error)
         && bravis_good (
             gnutls_x509_crt_set_version (certificate, 3), "the version", error)
         && bravis_good (gnutls_x509_crt_set_dn_by_oid (certificate,
                             GNUTLS_OID_X520_COMMON_NAME, 0, wish->name,
                             MIN (strlen (wish->name), MAX_COMMON_NAME)),
             "the common name", error)
         && bravis_good (gnutls_x509_crt_set_activation_time (
                             certificate, wish->valid_from),
             "the time it is valid from", error)
         && bravis_good (gnutls_x509_crt_set_expiration_time (
                             certificate, wish->valid_until),
             "the time it is valid until", error)
         && bravis_good (
             gnutls_x509_crt_set_pubkey (certificate, key), "the key", error)
         && bravis_good (gnutls_x509_crt_set_key_usage (certificate, usage),
             "the key usage", error)
         && bravis_good (
             gnutls_x509_crt_get_key_id (certificate, 0, id, &id_size),
             "the key's identifier", error)
         && bravis_good (
             gnutls_x509_crt_set_subject_key_id (certificate, id, id_size),
             "the key's identifier", error);
}

static gboolean
set_authority_key_id (
    gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer, GError **error)
{
  guint8 id[64];
  size_t size = sizeof id;

  if (gnutls_x509_crt_get_subject_key_id (issuer, id, &size, NULL) < 0)
    return TRUE;
  return bravis_good (
      gnutls_x509_crt_set_authority_key_id (certificate, id, size),
      "the authority's key identifier", error);
}

static char *
to_pem (gnutls_x509_crt_t certificate)
{
  gnutls_datum_t pem = { NULL, 0 };
  char *text;

  if (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &pem) < 0)
    g_error ("a certificate that was made cannot be written");
  text = g_strndup ((char *)pem.data, pem.size);
  gnutls_free (pem.data);
  return text;
}

/* ----- the record of what was issued ----- */

static char *
serial_text (gnutls_x509_crt_t certificate)
{
  guint8 serial[64];
  size_t size = sizeof serial;
  GString *text = g_string_new (NULL);

  if (gnutls_x509_crt_get_serial (certificate, serial, &size) < 0)
    size = 0;
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", serial[i]);
  return g_string_free (text, FALSE);
}

static gboolean
record_issued (BravisAuthority *authority, gnutls_x509_crt_t certificate,
    const BravisWish *wish, GError **error)
{
  g_autofree char *file
      = g_build_filename (authority->directory, "issued.txt", NULL);
  g_autofree char *old = NULL;
  g_autofree char *new = NULL;
  g_autofree char *serial = serial_text (certificate);
  g_autoptr (GDateTime) until
      = g_date_time_new_from_unix_utc (wish->valid_until);
  g_autofree char *when = g_date_time_format (until, "%Y-%m-%dT%H:%M:%SZ");

  old = bravis_read_file (file, NULL, error);
  if (old == NULL)
    return FALSE;
  new = g_strdup_printf ("%s%s %s issued %s\n", old, serial, when, wish->name);
  return bravis_replace_file (file, new, strlen (new), error);
}

/* ----- authorities ----- */

static int
get_path_length (gnutls_x509_crt_t certificate)
{
  int length = -1;

  gnutls_x509_crt_get_basic_constraints (certificate, NULL, NULL, &length);
  return length;
}

static gboolean
may_have_below (BravisAuthority *parent, guint path_length, GError **error)
{
  int limit = get_path_length (parent->certificate);
  g_autofree char *who = NULL;

  if (limit < 0 || path_length < (guint)limit)
    return TRUE;
  who = bravis_x509_describe (parent->certificate);
  if (limit == 0)
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s may have no authority below it (path length 0)", who);
  else
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s has path length %d: one below it can have at most %d, not %u", who,
        limit, limit - 1, path_length);
  return FALSE;
}

static gnutls_x509_crt_t
make_authority (BravisAuthority *parent, const BravisWish *wish,
    guint path_length, gnutls_x509_privkey_t key, gnutls_privkey_t own,
    GError **error)
{
  g_auto (gnutls_x509_crt_t) certificate = NULL;
  gnutls_privkey_t signer = parent ? parent->key : own;
  gnutls_x509_crt_t issuer;
  g_auto (gnutls_pubkey_t) half = public_half (key);

  if (!bravis_good (
          gnutls_x509_crt_init (&certificate), "a certificate", error))
    return NULL;
  issuer = parent ? parent->certificate : certificate;
  if (!prepare (certificate, wish, half,
          GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN, error)
      || !bravis_good (
          gnutls_x509_crt_set_basic_constraints (certificate, 1, path_length),
          "the basic constraints", error)
      || !set_authority_key_id (certificate, issuer, error)
      || !bravis_good (gnutls_x509_crt_privkey_sign (certificate, issuer,
                           signer, bravis_signing_hash (signer), 0),
          "signing the certificate", error))
    return NULL;
  return g_steal_pointer (&certificate);
}

gboolean
bravis_authority_create (const char *directory, BravisAuthority *parent,
    const BravisWish *wish, guint path_length, gint64 crl_until, GError **error)
{
  g_autofree char *key_file = g_build_filename (directory, "ca-key.pem", NULL);
  g_autofree char *file = g_build_filename (directory, "ca.pem", NULL);
  g_autofree char *chain_file = g_build_filename (directory, "chain.pem", NULL);
  g_autofree char *crl_file = g_build_filename (directory, "crl.pem", NULL);
  g_autofree char *issued = g_build_filename (directory, "issued.txt", NULL);
  g_autofree char *pem = NULL;
  g_autofree char *chain = NULL;
  g_auto (gnutls_x509_crt_t) certificate = NULL;
  g_auto (gnutls_privkey_t) own = NULL;
  gnutls_x509_privkey_t key = NULL;
  gboolean written;

  if (*wish->name == '\0' || strlen (wish->name) > MAX_COMMON_NAME
      || !g_str_is_ascii (wish->name)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "“%s”: an authority's name has 1 to %d ASCII characters", wish->name,
        MAX_COMMON_NAME);
    return FALSE;
  }
  if (parent && !may_have_below (parent, path_length, error))
    return FALSE;
  if (g_mkdir_with_parents (directory, 0755) != 0)
    return bravis_file_error (directory, errno, error);
  if (!bravis_must_be_absent (key_file, error)
      || !bravis_must_be_absent (file, error)
      || !bravis_must_be_absent (chain_file, error)
      || !bravis_must_be_absent (crl_file, error)
      || !bravis_must_be_absent (issued, error))
    return FALSE;

  key = generate_key (wish->key_type, error);
  if (key == NULL)
    return FALSE;
  own = signing_key (key);
  certificate = make_authority (parent, wish, path_length, key, own, error);
  if (certificate == NULL) {
    gnutls_x509_privkey_deinit (key);
    return FALSE;
  }
  pem = to_pem (certificate);
  chain = g_strconcat (pem, parent ? parent->chain : NULL, NULL);

  written = (parent == NULL || record_issued (parent, certificate, wish, error))
            && write_key (key, key_file, NULL, error);
  gnutls_x509_privkey_deinit (key);
  if (!written)
    return FALSE;

  /* The certificate comes last: with it the authority is whole. */
  if (bravis_create_file (issued, 0644, "", 0, error)
      && bravis_write_crl (crl_file, NULL, NULL, certificate, own,
          wish->valid_from, crl_until, error)
      && (parent == NULL
          || bravis_create_file (
              chain_file, 0644, chain, strlen (chain), error))
      && bravis_create_file (file, 0644, pem, strlen (pem), error))
    return TRUE;
  unlink (key_file);
  unlink (issued);
  unlink (crl_file);
  unlink (chain_file);
  return FALSE;
}

static gboolean
key_fits (BravisAuthority *authority)
{
  guint8 of_key[32], of_certificate[32];
  size_t size = sizeof of_key, other_size = sizeof of_certificate;
  g_auto (gnutls_pubkey_t) public_key = NULL;

  return gnutls_pubkey_init (&public_key) >= 0
         && gnutls_pubkey_import_privkey (public_key, authority->key, 0, 0) >= 0
         && gnutls_pubkey_get_key_id (
                public_key, GNUTLS_KEYID_USE_SHA256, of_key, &size)
                >= 0
         && gnutls_x509_crt_get_key_id (authority->certificate,
                GNUTLS_KEYID_USE_SHA256, of_certificate, &other_size)
                >= 0
         && memcmp (of_key, of_certificate, sizeof of_key) == 0;
}

BravisAuthority *
bravis_authority_open (const char *directory, GError **error)
{
  g_autoptr (BravisAuthority) authority = g_new0 (BravisAuthority, 1);
  g_autofree char *key_file = g_build_filename (directory, "ca-key.pem", NULL);
  g_autofree char *file = g_build_filename (directory, "ca.pem", NULL);
  g_autofree char *chain_file = g_build_filename (directory, "chain.pem", NULL);
  g_autoptr (GPtrArray) certificates = NULL;

  authority->lock = -1;
  authority->directory = g_strdup (directory);
  certificates = bravis_read_certificates (file, 1, error);
  if (certificates == NULL) {
    g_prefix_error (error, "%s is no authority's directory: ", directory);
    return NULL;
  }
  authority->certificate = g_ptr_array_steal_index (certificates, 0);
  authority->lock = open (key_file, O_RDONLY | O_CLOEXEC);
  if (authority->lock < 0 || flock (authority->lock, LOCK_EX) != 0) {
    bravis_file_error (key_file, errno, error);
    return NULL;
  }
  authority->private_key = bravis_private_key_load (key_file, NULL, error);
  if (authority->private_key == NULL)
    return NULL;
  authority->key = bravis_private_key_get_handle (authority->private_key);
  if (!key_fits (authority)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_KEY_MISMATCH,
        "%s: this private key does not belong to the certificate in %s",
        key_file, file);
    return NULL;
  }
  if (g_file_test (chain_file, G_FILE_TEST_EXISTS)) {
    authority->chain = bravis_read_file (chain_file, NULL, error);
    if (authority->chain == NULL)
      return NULL;
  }
  return g_steal_pointer (&authority);
}

void
bravis_authority_free (BravisAuthority *authority)
{
  g_clear_pointer (&authority->certificate, gnutls_x509_crt_deinit);
  g_clear_pointer (&authority->private_key, bravis_private_key_free);
  if (authority->lock >= 0)
    close (authority->lock);
  g_free (authority->chain);
  g_free (authority->directory);
  g_free (authority);
}

static gnutls_x509_crt_t
make_member (BravisAuthority *authority, const BravisWish *wish,
    gnutls_pubkey_t key, GError **error)
{
  g_auto (gnutls_x509_crt_t) certificate = NULL;
  g_autofree char *uri = g_strconcat ("sip:", wish->name, NULL);

  if (!bravis_good (gnutls_x509_crt_init (&certificate), "a certificate", error)
      || !prepare (certificate, wish, key, GNUTLS_KEY_DIGITAL_SIGNATURE, error)
      || !bravis_good (
          gnutls_x509_crt_set_basic_constraints (certificate, 0, -1),
          "the basic constraints", error)
      || !bravis_good (gnutls_x509_crt_set_subject_alt_name (certificate,
                           GNUTLS_SAN_URI, uri, strlen (uri), GNUTLS_FSAN_SET),
          "the alternative name", error)
      || !set_authority_key_id (certificate, authority->certificate, error)
      || !bravis_good (
          gnutls_x509_crt_privkey_sign (certificate, authority->certificate,
              authority->key, bravis_signing_hash (authority->key), 0),
          "signing the certificate", error))
    return NULL;
  return g_steal_pointer (&certificate);
}

static gboolean
check_name (const BravisWish *wish, GError **error)
{
  if (bravis_name_is_valid (wish->name))
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
      "“%s” is not a name of the form user@domain", wish->name);
  return FALSE;
}

static gboolean
write_certificate (BravisAuthority *authority, gnutls_x509_crt_t certificate,
    const char *file, GError **error)
{
  g_autofree char *own = to_pem (certificate);
  g_autofree char *pem = g_strconcat (own, authority->chain, NULL);

  return bravis_create_file (file, 0644, pem, strlen (pem), error);
}

gboolean
bravis_authority_issue (BravisAuthority *authority, const BravisWish *wish,
    const char *certificate_file, const char *key_file, GError **error)
{
  g_auto (gnutls_x509_crt_t) certificate = NULL;
  g_auto (gnutls_pubkey_t) half = NULL;
  gnutls_x509_privkey_t key = NULL;
  gboolean written = FALSE;

  if (!check_name (wish, error) || !bravis_must_be_absent (key_file, error)
      || !bravis_must_be_absent (certificate_file, error))
    return FALSE;
  key = generate_key (wish->key_type, error);
  if (key == NULL)
    return FALSE;
  half = public_half (key);
  certificate = make_member (authority, wish, half, error);

  /* On record before it exists: none can be out that cannot be revoked. */
  if (certificate && record_issued (authority, certificate, wish, error))
    written = write_key (key, key_file, wish->passphrase_file, error);
  gnutls_x509_privkey_deinit (key);
  if (!written)
    return FALSE;
  if (write_certificate (authority, certificate, certificate_file, error))
    return TRUE;
  unlink (key_file);
  return FALSE;
}

gboolean
bravis_authority_certify (BravisAuthority *authority, const BravisWish *wish,
    const char *request_file, const char *certificate_file, GError **error)
{
  g_auto (gnutls_x509_crt_t) certificate = NULL;
  g_auto (gnutls_pubkey_t) key = NULL;

  if (!check_name (wish, error)
      || !bravis_must_be_absent (certificate_file, error))
    return FALSE;
  key = read_request (request_file, error);
  if (key == NULL)
    return FALSE;
  certificate = make_member (authority, wish, key, error);
  return certificate
      && bravis_x509_get_sign_algorithm (certificate, error)
         != GNUTLS_SIGN_UNKNOWN
      && record_issued (authority, certificate, wish, error)
      && write_certificate (authority, certificate, certificate_file, error);
}

/* Turns the lines of issued.txt that match to "revoked" and collects their
 * serial numbers. */
static char *
mark_revoked (
    const char *text, const char *name, const char *serial, GPtrArray *serials)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *out = g_string_new (NULL);

  for (guint i = 0; lines[i]; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[i], " ", 4);
    gboolean matches = g_strv_length (fields) == 4
                       && g_str_equal (fields[2], "issued")
                       && (serial ? g_str_equal (fields[0], serial)
                                  : g_str_equal (fields[3], name));

    if (matches) {
      g_ptr_array_add (serials, g_strdup (fields[0]));
      g_string_append_printf (
          out, "%s %s revoked %s\n", fields[0], fields[1], fields[3]);
    } else if (*lines[i]) {
      g_string_append_printf (out, "%s\n", lines[i]);
    }
  }
  return g_string_free (out, FALSE);
}

/* The serial number of the certificate in @file, which must be this
 * authority's. */
static char *
serial_from_file (BravisAuthority *authority, const char *file, GError **error)
{
  g_autoptr (GPtrArray) certificates
      = bravis_read_certificates (file, BRAVIS_MAX_CHAIN_LENGTH + 1, error);
  g_autofree char *by = NULL;

  if (certificates == NULL)
    return NULL;
  if (gnutls_x509_crt_check_issuer (
          certificates->pdata[0], authority->certificate))
    return serial_text (certificates->pdata[0]);
  by = bravis_x509_describe_issuer (certificates->pdata[0]);
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
      "%s was not issued by this authority but by %s", file, by);
  return NULL;
}

static gboolean
sign_crl (BravisAuthority *authority, GPtrArray *added, gint64 now,
    gint64 crl_until, GError **error)
{
  g_autofree char *file
      = g_build_filename (authority->directory, "crl.pem", NULL);
  g_auto (gnutls_x509_crl_t) old = bravis_read_crl (file, error);

  return old
         && bravis_write_crl (file, old, added, authority->certificate,
             authority->key, now, crl_until, error);
}

guint
bravis_authority_revoke (BravisAuthority *authority, const char *name_or_file,
    gint64 now, gint64 crl_until, GError **error)
{
  g_autofree char *file
      = g_build_filename (authority->directory, "issued.txt", NULL);
  g_autoptr (GPtrArray) serials = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *serial = NULL;
  g_autofree char *old = NULL;
  g_autofree char *new = NULL;

  /* A name has an @; a file that has one too can be given as ./NAME. */
  if (!bravis_name_is_valid (name_or_file)) {
    serial = serial_from_file (authority, name_or_file, error);
    if (serial == NULL)
      return 0;
  }
  old = bravis_read_file (file, NULL, error);
  if (old == NULL)
    return 0;
  new = mark_revoked (old, name_or_file, serial, serials);
  if (serials->len == 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s: no certificate of it that is not revoked is on record in %s",
        name_or_file, file);
    return 0;
  }

  /* The list first: it is what counts. */
  if (!sign_crl (authority, serials, now, crl_until, error)
      || !bravis_replace_file (file, new, strlen (new), error))
    return 0;
  return serials->len;
}

gboolean
bravis_authority_renew_crl (
    BravisAuthority *authority, gint64 now, gint64 crl_until, GError **error)
{
  return sign_crl (authority, NULL, now, crl_until, error);
}
