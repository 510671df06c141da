/* Private keys: in files, plain and encrypted; and what is told of a token's answers,
 * which are made up here. */
#include "../../keymgmt/bravis-private-key.h"
#include "../../tools/bravis-authority.h"
#include "test-pki.h"

#include <string.h>

#define PIN "271828"
#define TOKEN "pkcs11:token=members;object=alice"

static int token_answer;        /* GnuTLS's */

int __wrap_gnutls_privkey_import_url (gnutls_privkey_t key, const char *url,
    unsigned flags);

int
__wrap_gnutls_privkey_import_url (gnutls_privkey_t key, const char *url,
    unsigned flags)
{
  return token_answer;
}

typedef struct {
  TestPki *pki;
  const char *certificate, *key, *passphrase, *wrong;
} World;

static const char *
write_text (World *world, const char *name, const char *text)
{
  const char *file = test_pki_file (world->pki, name, "");

  g_assert_true (g_file_set_contents (file, text, -1, NULL));
  return file;
}

/* Alice has a key that is encrypted. */
static void
set_up (World *world, gconstpointer data)
{
  g_autoptr (BravisAuthority) root = NULL;
  g_autoptr (GError) error = NULL;
  BravisWish wish = {
    .name = "alice@example.org",
    .valid_from = TEST_PKI_FROM,
    .valid_until = TEST_PKI_UNTIL
  };

  world->pki = test_pki_new ();
  world->certificate = test_pki_file (world->pki, "alice", ".pem");
  world->key = test_pki_file (world->pki, "alice", "-key.pem");
  world->passphrase = write_text (world, "passphrase", "open sesame\n");
  world->wrong = write_text (world, "wrong", "open barley\n");
  wish.passphrase_file = world->passphrase;
  root = bravis_authority_open (test_pki_file (world->pki, "root", ""),
      &error);
  g_assert_no_error (error);
  bravis_authority_issue (root, &wish, world->certificate, world->key, &error);
  g_assert_no_error (error);
}

static void
tear_down (World *world, gconstpointer data)
{
  test_pki_free (world->pki);
}

static void
assert_not_loaded (World *world, const char *key, const char *passphrase,
    const char *file, const char *because)
{
  g_autoptr (GError) error = NULL;
  const BravisIdentityFiles files = { world->certificate, key, passphrase,
    test_pki_get_trust_file (world->pki), NULL };

  g_assert_null (bravis_identity_load (&files, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, file));
  g_assert_nonnull (strstr (error->message, because));
  g_assert_null (strstr (error->message, PIN));
}

static void
test_encrypted_key_opens_with_its_passphrase (World *world,
    gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  const BravisIdentityFiles files = { world->certificate, world->key,
    world->passphrase, test_pki_get_trust_file (world->pki), NULL };
  g_autoptr (BravisIdentity) alice = bravis_identity_load (&files, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (bravis_identity_get_name (alice), ==, "alice@example.org");
  g_assert_true (g_file_get_contents (world->key, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text,
      "-----BEGIN ENCRYPTED PRIVATE KEY-----"));
}

static void
test_encrypted_key_wants_its_passphrase (World *world, gconstpointer data)
{
  assert_not_loaded (world, world->key, NULL, world->key,
      "no passphrase is given");
  assert_not_loaded (world, world->key, world->wrong, world->key,
      "the passphrase does not open");
}

static void
test_passphrase_file_that_is_wrong_is_named (World *world, gconstpointer data)
{
  g_autofree char *long_text = g_strnfill (BRAVIS_MAX_PASSPHRASE + 1, 'x');
  const char *empty = write_text (world, "empty", "\nopen sesame\n");
  const char *longer = write_text (world, "longer", long_text);
  const char *missing = test_pki_file (world->pki, "missing", "");

  assert_not_loaded (world, world->key, empty, empty, "in the first line");
  assert_not_loaded (world, world->key, longer, longer, "in the first line");
  assert_not_loaded (world, world->key, missing, missing, "No such file");
}

static void
test_plain_key_needs_no_passphrase (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisPrivateKey) key = NULL;

  test_pki_make_files (world->pki, "bob", TEST_PKI_GOOD);
  key = bravis_private_key_load (test_pki_file (world->pki, "bob",
          "-key.pem"), world->passphrase, &error);
  g_assert_no_error (error);
  g_assert_nonnull (key);
}

static void
test_answers_of_a_token_are_told_apart_without_the_pin (World *world,
    gconstpointer data)
{
  static const struct {
    int answer;
    const char *because;
  } cases[] = {
    { GNUTLS_E_PKCS11_PIN_ERROR, "refuses the PIN" },
    { GNUTLS_E_PKCS11_PIN_LOCKED, "is locked" },
    { GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE, "no such private key" },
    { GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE, "no such token" },
    { GNUTLS_E_PKCS11_DEVICE_ERROR, "cannot be used" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    token_answer = cases[i].answer;
    assert_not_loaded (world, TOKEN "?pin-value=" PIN "&module-name=soft", NULL,
        TOKEN, cases[i].because);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) \
  g_test_add ("/private-key/" #name, World, NULL, set_up, test_##name, \
      tear_down)
  ADD (encrypted_key_opens_with_its_passphrase);
  ADD (encrypted_key_wants_its_passphrase);
  ADD (passphrase_file_that_is_wrong_is_named);
  ADD (plain_key_needs_no_passphrase);
  ADD (answers_of_a_token_are_told_apart_without_the_pin);
  return g_test_run ();
}
