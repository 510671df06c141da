#include "bravis-private-key.h"

#include "bravis-error.h"
#include "bravis-trust.h"

#include <string.h>

#include <gnutls/pkcs11.h>

struct _BravisPrivateKey {
  gnutls_privkey_t handle;
  char *name;                   /* for errors */
  BravisSecret *passphrase;     /* NULL: none */
  gboolean lacks_passphrase;    /* one was asked for */
  GMutex lock;                  /* of signing */
};

BravisSecret *
bravis_passphrase_read (const char *file, GError **error)
{
  gsize size, length;
  char *contents = bravis_read_file (file, &size, error);
  BravisSecret *secret = NULL;

  if (contents == NULL)
    return NULL;
  length = strcspn (contents, "\r\n");
  contents[length] = '\0';
  if (length > 0 && length <= BRAVIS_MAX_PASSPHRASE)
    secret = bravis_secret_new (contents, length + 1);
  else
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE,
        "%s: expected a passphrase of 1 to %d octets in the first line", file,
        BRAVIS_MAX_PASSPHRASE);
  bravis_wipe (contents, size);
  g_free (contents);
  return secret;
}

gboolean
bravis_private_key_is_in_token (const char *key)
{
  return g_ascii_strncasecmp (key, "pkcs11:", strlen ("pkcs11:")) == 0;
}

/* The name of a key without the PIN that may be in it. */
static char *
name_key (const char *key)
{
  static const char attribute[] = "pin-value=";
  const char *pin = bravis_private_key_is_in_token (key)
      ? strstr (key, attribute) : NULL;
  const char *rest;

  if (pin == NULL)
    return g_strdup (key);
  pin += strlen (attribute);
  rest = pin + strcspn (pin, "&;");
  return g_strdup_printf ("%.*s...%s", (int) (pin - key), key, rest);
}

static gboolean
fail (BravisPrivateKey *key, const char *what, GError **error)
{
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE, "%s: %s", key->name,
      what);
  return FALSE;
}

/* ----- in files ----- */

/* PKCS #8, and the older form of OpenSSL. */
static gboolean
is_encrypted (const char *pem, gsize size)
{
  return g_strstr_len (pem, size, "-----BEGIN ENCRYPTED PRIVATE KEY-----")
      || g_strstr_len (pem, size, "Proc-Type: 4,ENCRYPTED");
}

/* GnuTLS, where it decodes PEM itself, leaves what it decoded in memory: so that is
 * done here, and wiped. */
static int
import_plain (BravisPrivateKey *key, const gnutls_datum_t *pem)
{
  static const char *const headers[] = {
    "PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"
  };
  gnutls_datum_t der = { NULL, 0 };
  int result = GNUTLS_E_BASE64_DECODING_ERROR;

  for (guint i = 0; result < 0 && i < G_N_ELEMENTS (headers); i++)
    result = gnutls_pem_base64_decode2 (headers[i], pem, &der);
  if (result < 0)
    return result;
  result = gnutls_privkey_import_x509_raw (key->handle, &der,
      GNUTLS_X509_FMT_DER, NULL, 0);
  bravis_wipe (der.data, der.size);
  gnutls_free (der.data);
  return result;
}

static gboolean
import_pem (BravisPrivateKey *key, const char *contents, gsize size,
    GError **error)
{
  gnutls_datum_t pem = { (guint8 *) contents, size };
  gboolean encrypted = is_encrypted (contents, size);
  int result;

  if (encrypted && key->passphrase == NULL)
    return fail (key, "the private key is encrypted and no passphrase is "
        "given: expected a passphrase file", error);
  result = encrypted ? gnutls_privkey_import_x509_raw (key->handle, &pem,
      GNUTLS_X509_FMT_PEM, (const char *) bravis_secret_peek (key->passphrase),
      0) : import_plain (key, &pem);
  if (result >= 0)
    return TRUE;
  if (encrypted && result == GNUTLS_E_DECRYPTION_FAILED)
    return fail (key, "the passphrase does not open this private key", error);
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE,
      "%s: no private key in PEM could be read from it: %s", key->name,
      gnutls_strerror (result));
  return FALSE;
}

static gboolean
load_file (BravisPrivateKey *key, const char *file, GError **error)
{
  gsize size;
  char *contents = bravis_read_file (file, &size, error);
  gboolean loaded;

  if (contents == NULL)
    return FALSE;
  loaded = import_pem (key, contents, size, error);
  bravis_wipe (contents, size);
  g_free (contents);
  return loaded;
}

/* ----- in tokens ----- */

static int
give_pin (void *user_data, int attempt, const char *token_url,
    const char *token_label, unsigned flags, char *pin, size_t max)
{
  BravisPrivateKey *key = user_data;

  if (key->passphrase == NULL) {
    key->lacks_passphrase = TRUE;
    return GNUTLS_E_PKCS11_PIN_ERROR;
  }
  if (attempt > 0 || flags & GNUTLS_PIN_WRONG
      || bravis_secret_get_size (key->passphrase) > max)
    return GNUTLS_E_PKCS11_PIN_ERROR;
  memcpy (pin, bravis_secret_peek (key->passphrase),
      bravis_secret_get_size (key->passphrase));
  return 0;
}

static gboolean
import_url (BravisPrivateKey *key, const char *url, GError **error)
{
  int result;

  gnutls_privkey_set_pin_function (key->handle, give_pin, key);
  result = gnutls_privkey_import_url (key->handle, url, 0);
  if (result >= 0)
    return TRUE;
  if (key->lacks_passphrase)
    return fail (key, "the token wants a PIN and none is given: expected one "
        "in the passphrase file, or pin-source in the URI", error);
  switch (result) {
    case GNUTLS_E_PKCS11_PIN_ERROR:
      return fail (key, "the token refuses the PIN", error);
    case GNUTLS_E_PKCS11_PIN_LOCKED:
      return fail (key, "the token is locked, after wrong PINs", error);
    case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
      return fail (key, "the token has no such private key", error);
    case GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE:
      return fail (key, "there is no such token", error);
    default:
      g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE,
          "%s: the token's private key cannot be used: %s", key->name,
          gnutls_strerror (result));
      return FALSE;
  }
}

/* ----- both ----- */

BravisPrivateKey *
bravis_private_key_load (const char *key, const char *passphrase_file,
    GError **error)
{
  g_autoptr (BravisPrivateKey) loaded = g_new0 (BravisPrivateKey, 1);
  gboolean in_token = bravis_private_key_is_in_token (key);

  g_mutex_init (&loaded->lock);
  loaded->name = name_key (key);
  if (gnutls_privkey_init (&loaded->handle) < 0)
    g_error ("no memory for a private key");
  if (passphrase_file) {
    loaded->passphrase = bravis_passphrase_read (passphrase_file, error);
    if (loaded->passphrase == NULL)
      return NULL;
  }
  if (in_token ? !import_url (loaded, key, error)
      : !load_file (loaded, key, error))
    return NULL;

  /* A token may ask again, a file was read. */
  if (!in_token)
    g_clear_pointer (&loaded->passphrase, bravis_secret_unref);
  return g_steal_pointer (&loaded);
}

void
bravis_private_key_free (BravisPrivateKey *key)
{
  g_clear_pointer (&key->handle, gnutls_privkey_deinit);
  g_clear_pointer (&key->passphrase, bravis_secret_unref);
  g_free (key->name);
  g_mutex_clear (&key->lock);
  g_free (key);
}

const char *
bravis_private_key_get_name (BravisPrivateKey *key)
{
  return key->name;
}

GBytes *
bravis_private_key_sign (BravisPrivateKey *key,
    gnutls_sign_algorithm_t algorithm, gconstpointer data, gsize size,
    GError **error)
{
  gnutls_datum_t text = { (guint8 *) data, size };
  gnutls_datum_t signature = { NULL, 0 };
  GBytes *bytes;
  int result;

  g_mutex_lock (&key->lock);
  result = gnutls_privkey_sign_data2 (key->handle, algorithm, 0, &text,
      &signature);
  g_mutex_unlock (&key->lock);
  if (result < 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_SIGNATURE,
        "%s: the private key cannot sign: %s", key->name,
        gnutls_strerror (result));
    return NULL;
  }
  bytes = g_bytes_new (signature.data, signature.size);
  gnutls_free (signature.data);
  return bytes;
}

gnutls_privkey_t
bravis_private_key_get_handle (BravisPrivateKey *key)
{
  return key->handle;
}
