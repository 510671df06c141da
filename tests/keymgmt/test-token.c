/* A private key in a token (SoftHSM), which it never leaves: an identity that signs with
 * it, and a conference that such a member joins. Skipped where there is no SoftHSM. */
#include "../../keymgmt/bravis-identity.h"
#include "../../keymgmt/bravis-private-key.h"
#include "test-sessions.h"

#include <string.h>

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gnutls/abstract.h>
#include <gnutls/pkcs11.h>

#define PIN "271828"
#define SO_PIN "314159"
#define URL "pkcs11:token=members;object=alice;type=private"
#define TOKEN_URL "pkcs11:token=members"
#define BOB "bob@example.org"
#define LOOPBACK "127.0.0.1:0"

typedef struct {
  TestPki *pki;
  const char *certificate, *pin, *wrong_pin, *long_pin;
} World;

static World world;

static void
must (int result)
{
  if (result < 0)
    g_error ("%s", gnutls_strerror (result));
}

static const char *
write_text (const char *name, const char *text)
{
  const char *file = test_pki_file (world.pki, name, "");

  g_assert_true (g_file_set_contents (file, text, -1, NULL));
  return file;
}

/* --- the token --- */

/* FALSE: there is no SoftHSM here. */
static gboolean
make_token (void)
{
  g_autofree char *tool = g_find_program_in_path ("softhsm2-util");
  g_autofree char *text = g_strdup_printf ("directories.tokendir = %s/tokens\n"
      "objectstore.backend = file\n", test_pki_get_directory (world.pki));
  g_autofree char *tokens = g_build_filename (test_pki_get_directory (
          world.pki), "tokens", NULL);
  g_autofree char *output = NULL;
  const char *line[] = { tool, "--init-token", "--free", "--label", "members",
    "--so-pin", SO_PIN, "--pin", PIN, NULL };
  int status;

  if (!tool)
    return FALSE;
  g_mkdir (tokens, 0700);
  g_setenv ("SOFTHSM2_CONF", write_text ("softhsm2.conf", text), TRUE);
  g_assert_true (g_spawn_sync (NULL, (char **) line, NULL,
          G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
  must (gnutls_pkcs11_init (GNUTLS_PKCS11_FLAG_AUTO, NULL));
  return TRUE;
}

static int
give_pin (void *user_data, int attempt, const char *url, const char *label,
    unsigned flags, char *pin, size_t max)
{
  g_strlcpy (pin, PIN, max);
  return attempt > 0 ? GNUTLS_E_PKCS11_PIN_ERROR : 0;
}

/* The key is made in the token. */
static gnutls_pubkey_t
make_key (void)
{
  gnutls_datum_t public_key = { NULL, 0 };
  const gnutls_datum_t id = { (guint8 *) "alice", 5 };
  gnutls_pubkey_t key;

  gnutls_pkcs11_set_pin_function (give_pin, NULL);
  must (gnutls_pkcs11_privkey_generate3 (TOKEN_URL, GNUTLS_PK_ECDSA,
          GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), "alice", &id,
          GNUTLS_X509_FMT_DER, &public_key, 0,
          GNUTLS_PKCS11_OBJ_FLAG_LOGIN | GNUTLS_PKCS11_OBJ_FLAG_MARK_PRIVATE
          | GNUTLS_PKCS11_OBJ_FLAG_MARK_SENSITIVE));
  gnutls_pkcs11_set_pin_function (NULL, NULL);
  must (gnutls_pubkey_init (&key));
  must (gnutls_pubkey_import (key, &public_key, GNUTLS_X509_FMT_DER));
  gnutls_free (public_key.data);
  return key;
}

static void
read_authority (gnutls_x509_crt_t *certificate, gnutls_privkey_t *key)
{
  g_autofree char *certificate_text = NULL;
  g_autofree char *key_text = NULL;
  gnutls_datum_t pem;

  g_assert_true (g_file_get_contents (test_pki_file (world.pki, "root",
              "/ca.pem"), &certificate_text, NULL, NULL));
  g_assert_true (g_file_get_contents (test_pki_file (world.pki, "root",
              "/ca-key.pem"), &key_text, NULL, NULL));
  must (gnutls_x509_crt_init (certificate));
  must (gnutls_privkey_init (key));
  pem = (gnutls_datum_t) { (guint8 *) certificate_text,
    strlen (certificate_text) };
  must (gnutls_x509_crt_import (*certificate, &pem, GNUTLS_X509_FMT_PEM));
  pem = (gnutls_datum_t) { (guint8 *) key_text, strlen (key_text) };
  must (gnutls_privkey_import_x509_raw (*key, &pem, GNUTLS_X509_FMT_PEM, NULL,
          0));
}

/* The authority certifies the public half, and that is all it gets to see. */
static void
certify (gnutls_pubkey_t public_key)
{
  const char *name = "sip:alice@example.org";
  guint8 serial[8] = { 0x40, 1, 2, 3 };
  gnutls_x509_crt_t issuer, certificate;
  gnutls_privkey_t issuer_key;
  gnutls_datum_t pem = { NULL, 0 };

  read_authority (&issuer, &issuer_key);
  must (gnutls_x509_crt_init (&certificate));
  must (gnutls_x509_crt_set_version (certificate, 3));
  must (gnutls_x509_crt_set_serial (certificate, serial, sizeof serial));
  must (gnutls_x509_crt_set_activation_time (certificate, TEST_PKI_FROM));
  must (gnutls_x509_crt_set_expiration_time (certificate, TEST_PKI_UNTIL));
  must (gnutls_x509_crt_set_pubkey (certificate, public_key));
  must (gnutls_x509_crt_set_key_usage (certificate,
          GNUTLS_KEY_DIGITAL_SIGNATURE));
  must (gnutls_x509_crt_set_basic_constraints (certificate, 0, -1));
  must (gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_URI,
          name, strlen (name), GNUTLS_FSAN_APPEND));
  must (gnutls_x509_crt_privkey_sign (certificate, issuer, issuer_key,
          GNUTLS_DIG_SHA512, 0));
  must (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &pem));
  world.certificate = write_text ("alice-in-token.pem", (char *) pem.data);
  gnutls_free (pem.data);
  gnutls_x509_crt_deinit (certificate);
  gnutls_x509_crt_deinit (issuer);
  gnutls_privkey_deinit (issuer_key);
}

/* --- the tests --- */

static BravisIdentity *
load (const char *key, const char *pin, GError **error)
{
  const BravisIdentityFiles files = {
    .certificate = world.certificate, .key = key, .passphrase = pin,
    .trust = test_pki_get_trust_file (world.pki)
  };

  return bravis_identity_load (&files, error);
}

static void
assert_refused (const char *key, const char *pin, const char *because)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (load (key, pin, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, because));
  g_assert_null (strstr (error->message, PIN));
}

static gpointer
sign_often (gpointer identity)
{
  for (guint i = 0; i < 50; i++) {
    g_autoptr (GBytes) signature = bravis_identity_sign (identity, "test", "x",
        1, NULL);

    g_assert_nonnull (signature);
  }
  return NULL;
}

static void
test_token_signs_from_any_thread (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisIdentity) identity = load (URL, world.pin, &error);
  GThread *threads[4];

  g_assert_no_error (error);
  g_assert_cmpstr (bravis_identity_get_name (identity), ==,
      "alice@example.org");
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("sign", sign_often, identity);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
test_key_does_not_leave_the_token (void)
{
  gnutls_privkey_t key;
  gnutls_x509_privkey_t copy;

  must (gnutls_privkey_init (&key));
  gnutls_privkey_set_pin_function (key, give_pin, NULL);
  must (gnutls_privkey_import_url (key, URL, 0));
  g_assert_cmpint (gnutls_privkey_export_x509 (key, &copy), <, 0);
  gnutls_privkey_deinit (key);
}

static void
test_what_is_wrong_is_said (void)
{
  assert_refused (URL, world.wrong_pin, "refuses the PIN");
  assert_refused (URL, world.long_pin, "refuses the PIN");
  assert_refused (URL, NULL, "wants a PIN");
  assert_refused ("pkcs11:token=members;object=bob;type=private", world.pin,
      "no such private key");
  assert_refused ("pkcs11:token=nobody;object=alice;type=private", world.pin,
      "no such token");
}

static void
test_member_with_a_token_joins (void)
{
  g_autofree char *bob_config = test_sessions_write_config (world.pki, "bob",
      TEST_PKI_GOOD, LOOPBACK, NULL, NULL);
  TestPeer *bob = test_peer_new (bob_config);
  g_autofree char *address = test_peer_get_address (bob);
  g_autofree char *text = g_strdup_printf ("[identity]\ncertificate=%s\n"
      "key=" URL "\npassphrase-file=%s\ntrust=%s\n[group]\nconference=talk\n"
      "listen=" LOOPBACK "\ninvite=" BOB "\n[peers]\n" BOB "=%s\n",
      world.certificate, world.pin, test_pki_get_trust_file (world.pki),
      address);
  TestPeer *alice = test_peer_new (write_text ("alice-in-token.conf", text));
  TestPeer *both[] = { alice, bob };

  bravis_session_start (bob->session);
  bravis_session_start (alice->session);
  test_peers_wait_agree (both, 2, 2);
  test_peer_free (alice);
  test_peer_free (bob);
}

int
main (int argc, char **argv)
{
  g_autofree char *long_text = g_strnfill (BRAVIS_MAX_PASSPHRASE, '0');
  gnutls_pubkey_t key;
  int result;

  g_test_init (&argc, &argv, NULL);
  world.pki = test_pki_new ();
  if (!make_token ()) {
    g_print ("1..0 # SKIP softhsm2-util is not installed\n");
    test_pki_free (world.pki);
    return 0;
  }
  world.pin = write_text ("pin", PIN "\n");
  world.wrong_pin = write_text ("wrong-pin", "000000\n");
  world.long_pin = write_text ("long-pin", long_text);
  key = make_key ();
  certify (key);
  gnutls_pubkey_deinit (key);
#define ADD(name) g_test_add_func ("/keymgmt/token/" #name, test_##name)
  ADD (token_signs_from_any_thread);
  ADD (key_does_not_leave_the_token);
  ADD (member_with_a_token_joins);
  ADD (what_is_wrong_is_said);
#undef ADD
  result = g_test_run ();
  test_pki_free (world.pki);
  return result;
}
