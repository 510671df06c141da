/* The command `bravis ca`, as a person runs it: argv[1] is the command. */
#include "../../keymgmt/bravis-identity.h"
#include "../../tools/bravis-files.h"

#include <gnutls/x509.h>

#include <string.h>

#include <gio/gio.h>
#include <glib/gstdio.h>

static char *command;

typedef struct {
  char *directory;
  char *out, *err;              /* of the last run */
} World;

static void
set_up (World *world, gconstpointer data)
{
  world->directory = g_dir_make_tmp ("bravis-ca-XXXXXX", NULL);
  g_assert_nonnull (world->directory);
}

static void
tear_down (World *world, gconstpointer data)
{
  bravis_remove_directory (world->directory);
  g_free (world->directory);
  g_free (world->out);
  g_free (world->err);
}

/* Runs `bravis @line` in the test's directory; returns the exit code. */
static int
run (World *world, const char *line)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree char *full = g_strdup_printf ("'%s' %s", command, line);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments = NULL;

  g_assert_true (g_shell_parse_argv (full, NULL, &arguments, NULL));
  g_subprocess_launcher_set_cwd (launcher, world->directory);
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C.UTF-8", TRUE);
  process = g_subprocess_launcher_spawnv (launcher,
      (const char *const *) arguments, &error);
  g_assert_no_error (error);
  g_clear_pointer (&world->out, g_free);
  g_clear_pointer (&world->err, g_free);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &world->out, &world->err,
      &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (process));
  g_test_message ("bravis %s: %s%s", line, world->out, world->err);
  return g_subprocess_get_exit_status (process);
}

static void
assert_done (World *world, const char *line)
{
  g_assert_cmpint (run (world, line), ==, 0);
}

/* Fails with @code and says @what, on standard error alone. */
static void
assert_fails (World *world, int code, const char *line, const char *what)
{
  g_assert_cmpint (run (world, line), ==, code);
  g_assert_cmpstr (world->out, ==, "");
  g_assert_nonnull (strstr (world->err, what));
}

static char *
path (World *world, const char *name)
{
  return g_build_filename (world->directory, name, NULL);
}

static int
mode_of (World *world, const char *name)
{
  g_autofree char *file = path (world, name);
  GStatBuf status;

  g_assert_cmpint (g_stat (file, &status), ==, 0);
  return status.st_mode & 07777;
}

static char *
read_file (World *world, const char *name)
{
  g_autofree char *file = path (world, name);
  char *text = NULL;

  g_assert_true (g_file_get_contents (file, &text, NULL, NULL));
  return text;
}

static BravisIdentity *
load (World *world, const char *name, const char *trust, const char *crl)
{
  g_autofree char *base = path (world, name);
  g_autofree char *certificate = g_strconcat (base, ".pem", NULL);
  g_autofree char *key = g_strconcat (base, "-key.pem", NULL);
  g_autofree char *trust_file = path (world, trust);
  g_autofree char *crl_file = path (world, crl);
  g_autoptr (GError) error = NULL;
  BravisIdentity *identity = bravis_identity_new (certificate, key, trust_file,
      crl_file, &error);

  g_assert_no_error (error);
  return identity;
}

/* What @verifier makes of @other now: 0, or the error's code. */
static int
verify (BravisIdentity *verifier, BravisIdentity *other)
{
  GBytes *chain = bravis_identity_get_chain (other);
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisCertificate) certificate = bravis_identity_verify (verifier,
      g_bytes_get_data (chain, NULL), g_bytes_get_size (chain),
      g_get_real_time () / G_USEC_PER_SEC, &error);

  return certificate ? 0 : error->code;
}

static void
test_every_algorithm_makes_members_that_believe_each_other (World *world,
    gconstpointer data)
{
  static const char *const algorithms[] = { "ed25519", "ecdsa-p256",
    "ecdsa-p384", "rsa-3072" };

  for (gsize i = 0; i < G_N_ELEMENTS (algorithms); i++) {
    g_autofree char *init = g_strdup_printf (
        "ca init --dir %s --name 'CA %s' --algorithm %s", algorithms[i],
        algorithms[i], algorithms[i]);
    g_autofree char *alice = g_strdup_printf (
        "ca issue alice@example.org -d %s -a %s -o alice-%s", algorithms[i],
        algorithms[i], algorithms[i]);
    g_autofree char *bob = g_strdup_printf (
        "ca issue bob@example.org -d %s -o bob-%s", algorithms[i],
        algorithms[i]);
    g_autofree char *trust = g_strconcat (algorithms[i], "/ca.pem", NULL);
    g_autofree char *crl = g_strconcat (algorithms[i], "/crl.pem", NULL);
    g_autofree char *alices = g_strconcat ("alice-", algorithms[i], NULL);
    g_autofree char *bobs = g_strconcat ("bob-", algorithms[i], NULL);
    g_autoptr (BravisIdentity) a = NULL;
    g_autoptr (BravisIdentity) b = NULL;

    assert_done (world, init);
    assert_done (world, alice);
    assert_done (world, bob);
    a = load (world, alices, trust, crl);
    b = load (world, bobs, trust, crl);
    g_assert_cmpstr (bravis_identity_get_name (a), ==, "alice@example.org");
    g_assert_cmpint (verify (a, b), ==, 0);
    g_assert_cmpint (verify (b, a), ==, 0);
  }
}

static void
test_intermediate_authority_needs_only_the_root_to_be_trusted (World *world,
    gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = NULL;
  g_autoptr (BravisIdentity) bob = NULL;

  assert_done (world, "ca init -d root");
  assert_done (world, "ca init -d below -p root -a ecdsa-p256");
  assert_done (world, "ca issue alice@example.org -d root");
  assert_done (world, "ca issue bob@example.org -d below");
  alice = load (world, "alice", "root/ca.pem", "root/crl.pem");
  bob = load (world, "bob", "root/ca.pem", "root/crl.pem");
  g_assert_cmpint (verify (alice, bob), ==, 0);
  g_assert_cmpint (verify (bob, alice), ==, 0);
  assert_fails (world, 1, "ca init -d under -p below", "path length 0");

  assert_done (world, "ca init -d long --path-length 2");
  assert_done (world, "ca init -d mid -p long --path-length 1");
  assert_done (world, "ca init -d low -p mid");
  assert_fails (world, 1, "ca init -d mid2 -p long --path-length 2",
      "at most 1");
  assert_done (world, "ca issue carol@example.org -d low");
  g_clear_pointer (&alice, bravis_identity_unref);
  alice = load (world, "carol", "long/ca.pem", "long/crl.pem");
  g_assert_cmpint (verify (alice, alice), ==, 0);
}

static void
test_revoked_certificates_are_refused (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = NULL;
  g_autoptr (BravisIdentity) bob = NULL;
  g_autoptr (BravisIdentity) new_bob = NULL;

  assert_done (world, "ca init");
  assert_done (world, "ca issue alice@example.org");
  assert_done (world, "ca issue bob@example.org");
  assert_done (world, "ca issue bob@example.org -o bob2");
  assert_done (world, "ca revoke bob.pem");
  alice = load (world, "alice", "ca/ca.pem", "ca/crl.pem");
  bob = load (world, "bob", "ca/ca.pem", "ca/crl.pem");
  new_bob = load (world, "bob2", "ca/ca.pem", "ca/crl.pem");
  g_assert_cmpint (verify (alice, bob), ==, BRAVIS_ERROR_REVOKED);
  g_assert_cmpint (verify (alice, new_bob), ==, 0);

  assert_done (world, "ca revoke bob@example.org");
  assert_done (world, "ca crl --crl-days 30");
  g_assert_nonnull (strstr (world->out, "Revocation list of CN=Bravis CA"));
  g_clear_pointer (&alice, bravis_identity_unref);
  alice = load (world, "alice", "ca/ca.pem", "ca/crl.pem");
  g_assert_cmpint (verify (alice, bob), ==, BRAVIS_ERROR_REVOKED);
  g_assert_cmpint (verify (alice, new_bob), ==, BRAVIS_ERROR_REVOKED);
  g_assert_cmpint (verify (alice, alice), ==, 0);
  assert_fails (world, 1, "ca revoke bob@example.org", "not revoked");
  assert_fails (world, 1, "ca revoke carol@example.org", "on record");
}

static void
test_key_can_be_encrypted (World *world, gconstpointer data)
{
  g_autofree char *passphrase = path (world, "passphrase");
  g_autofree char *key = NULL;

  g_assert_true (g_file_set_contents (passphrase, "open sesame\n", -1, NULL));
  assert_done (world, "ca init");
  assert_done (world,
      "ca issue alice@example.org --passphrase-file passphrase");
  key = read_file (world, "alice-key.pem");
  g_assert_true (g_str_has_prefix (key,
      "-----BEGIN ENCRYPTED PRIVATE KEY-----"));
  assert_fails (world, 1, "ca issue bob@example.org --passphrase-file nothing",
      "nothing: No such file");
}

/* Writes a private key and a request for it, which asks for another name. */
static void
write_request (World *world, const char *key_name, const char *request_name)
{
  g_autofree char *key_file = path (world, key_name);
  g_autofree char *request_file = path (world, request_name);
  gnutls_x509_privkey_t key;
  gnutls_x509_crq_t request;
  gnutls_datum_t pem;

  g_assert_cmpint (gnutls_x509_privkey_init (&key), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_generate (key, GNUTLS_PK_ECDSA,
          GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_export2 (key, GNUTLS_X509_FMT_PEM,
          &pem), ==, 0);
  g_assert_true (g_file_set_contents (key_file, (char *) pem.data, pem.size,
          NULL));
  gnutls_free (pem.data);
  g_assert_cmpint (gnutls_x509_crq_init (&request), ==, 0);
  g_assert_cmpint (gnutls_x509_crq_set_dn (request, "CN=mallory", NULL), ==, 0);
  g_assert_cmpint (gnutls_x509_crq_set_key (request, key), ==, 0);
  g_assert_cmpint (gnutls_x509_crq_sign2 (request, key, GNUTLS_DIG_SHA256, 0),
      ==, 0);
  g_assert_cmpint (gnutls_x509_crq_export2 (request, GNUTLS_X509_FMT_PEM,
          &pem), ==, 0);
  g_assert_true (g_file_set_contents (request_file, (char *) pem.data, pem.size,
          NULL));
  gnutls_free (pem.data);
  gnutls_x509_crq_deinit (request);
  gnutls_x509_privkey_deinit (key);
}

static void
test_key_that_is_made_elsewhere_is_certified (World *world,
    gconstpointer data)
{
  g_autofree char *made = path (world, "bob-key.pem");
  g_autofree char *request = path (world, "alice.csr");
  g_autofree char *altered = NULL;
  g_autoptr (BravisIdentity) alice = NULL;
  char *at;

  assert_done (world, "ca init");
  write_request (world, "alice-key.pem", "alice.csr");
  assert_done (world, "ca issue alice@example.org --request alice.csr");
  alice = load (world, "alice", "ca/ca.pem", "ca/crl.pem");
  g_assert_cmpstr (bravis_identity_get_name (alice), ==, "alice@example.org");

  assert_fails (world, 1, "ca issue bob@example.org -r ca/ca.pem",
      "certificate request");
  assert_fails (world, 2, "ca issue bob@example.org -r alice.csr -a ed25519",
      "--request");
  g_assert_false (g_file_test (made, G_FILE_TEST_EXISTS));
  altered = read_file (world, "alice.csr");
  for (at = altered + strlen (altered) / 2; !g_ascii_isalpha (*at); at++);
  *at = g_ascii_tolower (*at) == *at ? g_ascii_toupper (*at)
      : g_ascii_tolower (*at);
  g_assert_true (g_file_set_contents (request, altered, -1, NULL));
  assert_fails (world, 1, "ca issue bob@example.org -r alice.csr",
      "certificate request");
}

static void
test_revoked_intermediate_is_refused (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = NULL;
  g_autoptr (BravisIdentity) bob = NULL;

  assert_done (world, "ca init");
  assert_done (world, "ca init -d below -p ca");
  assert_done (world, "ca issue alice@example.org");
  assert_done (world, "ca issue bob@example.org -d below");
  assert_done (world, "ca revoke below/ca.pem");
  alice = load (world, "alice", "ca/ca.pem", "ca/crl.pem");
  bob = load (world, "bob", "ca/ca.pem", "ca/crl.pem");
  g_assert_cmpint (verify (alice, bob), ==, BRAVIS_ERROR_REVOKED);
}

static void
test_validity_can_be_chosen (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = NULL;
  g_autoptr (BravisIdentity) old = NULL;
  g_autoptr (BravisIdentity) young = NULL;

  assert_done (world, "ca init");
  assert_done (world, "ca issue alice@example.org");
  assert_done (world,
      "ca issue old@example.org --valid-from 2020-01-01 --days 1");
  assert_done (world, "ca issue young@example.org --valid-from 2090-01-01");
  alice = load (world, "alice", "ca/ca.pem", "ca/crl.pem");
  old = load (world, "old", "ca/ca.pem", "ca/crl.pem");
  young = load (world, "young", "ca/ca.pem", "ca/crl.pem");
  g_assert_cmpint (verify (alice, old), ==, BRAVIS_ERROR_EXPIRED);
  g_assert_cmpint (verify (alice, young), ==, BRAVIS_ERROR_EXPIRED);
  assert_done (world, "ca show old.pem young.pem");
  g_assert_nonnull (strstr (world->out,
      "2020-01-01 00:00 UTC to 2020-01-02 00:00 UTC (EXPIRED)"));
  g_assert_nonnull (strstr (world->out, "(not yet)"));
}

static void
test_private_keys_are_for_their_owner_and_never_overwritten (World *world,
    gconstpointer data)
{
  g_autofree char *ca_before = NULL;
  g_autofree char *ca_after = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autofree char *issued_before = NULL;
  g_autofree char *issued_after = NULL;

  assert_done (world, "ca init");
  assert_done (world, "ca issue alice@example.org");
  g_assert_cmpint (mode_of (world, "ca/ca-key.pem"), ==, 0600);
  g_assert_cmpint (mode_of (world, "alice-key.pem"), ==, 0600);

  ca_before = read_file (world, "ca/ca-key.pem");
  before = read_file (world, "alice-key.pem");
  issued_before = read_file (world, "ca/issued.txt");
  assert_fails (world, 1, "ca init", "never overwritten");
  assert_fails (world, 1, "ca issue alice@example.org", "never overwritten");
  ca_after = read_file (world, "ca/ca-key.pem");
  after = read_file (world, "alice-key.pem");
  issued_after = read_file (world, "ca/issued.txt");
  g_assert_cmpstr (ca_before, ==, ca_after);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpstr (issued_before, ==, issued_after);
}

/* Where a key stands and its certificate does not, and the other way round. */
static void
test_half_of_a_pair_is_not_overwritten_either (World *world,
    gconstpointer data)
{
  g_autofree char *certificate = path (world, "alice.pem");
  g_autofree char *key = path (world, "alice-key.pem");

  assert_done (world, "ca init");
  assert_done (world, "ca issue alice@example.org");
  g_unlink (certificate);
  assert_fails (world, 1, "ca issue alice@example.org", "alice-key.pem");
  g_unlink (key);
  assert_done (world, "ca issue alice@example.org");
  g_unlink (key);
  assert_fails (world, 1, "ca issue alice@example.org", "alice.pem");
  g_assert_false (g_file_test (key, G_FILE_TEST_EXISTS));
}

/* It goes on record first: what never got out can be revoked too. */
static void
test_what_may_have_got_out_is_on_record (World *world, gconstpointer data)
{
  assert_done (world, "ca init");
  assert_fails (world, 1, "ca issue alice@example.org -o no/where/alice",
      "no/where/alice-key.pem");
  assert_done (world, "ca revoke alice@example.org");
}

/* No file can be longer than 64 octets: what is written fails half way. */
static void
test_full_disk_loses_nothing (World *world, gconstpointer data)
{
  g_autofree char *inner = g_shell_quote (command);
  g_autofree char *script = NULL;
  g_autofree char *list = NULL;
  g_autofree char *list_after = NULL;
  g_autofree char *record = NULL;
  g_autofree char *record_after = NULL;
  g_autofree char *key = path (world, "bob-key.pem");
  g_autofree char *certificate = path (world, "bob.pem");
  int status;

  assert_done (world, "ca init");
  assert_done (world, "ca issue alice@example.org");
  list = read_file (world, "ca/crl.pem");
  record = read_file (world, "ca/issued.txt");
  script = g_strdup_printf ("cd '%s' && exec 2> /dev/null && trap '' XFSZ "
      "&& ulimit -f 0 && ! %s ca issue bob@example.org && ! %s ca revoke alice@example.org",
      world->directory, inner, inner);
  {
    const char *arguments[] = { "/bin/sh", "-c", script, NULL };

    g_assert_true (g_spawn_sync (NULL, (char **) arguments, NULL,
        G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, NULL));
  }
  g_assert_cmpint (status, ==, 0);
  list_after = read_file (world, "ca/crl.pem");
  record_after = read_file (world, "ca/issued.txt");
  g_assert_cmpstr (list, ==, list_after);
  g_assert_cmpstr (record, ==, record_after);
  g_assert_false (g_file_test (key, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (certificate, G_FILE_TEST_EXISTS));
  assert_done (world, "ca revoke alice@example.org");
}

static void
test_wrong_lines_are_explained (World *world, gconstpointer data)
{
  static const struct {
    int code;
    const char *line, *says;
  } cases[] = {
    { 2, "", "Usage: bravis COMMAND" },
    { 2, "nonsense", "unknown command “nonsense”" },
    { 2, "ca", "Usage: bravis ca" },
    { 2, "ca nonsense", "unknown subcommand “nonsense”" },
    { 2, "ca init --nonsense", "--nonsense" },
    { 2, "ca init too much", "“too” is too much" },
    { 2, "ca init --algorithm dsa", "ed25519, ecdsa-p256, ecdsa-p384" },
    { 2, "ca init --days 0", "1 to 36500" },
    { 2, "ca init --days x", "x" },
    { 2, "ca init --crl-days 0", "1 to 36500" },
    { 2, "ca init --valid-from yesterday", "2026-01-31" },
    { 2, "ca init --path-length 9", "0 to 4" },
    { 2, "ca issue", "NAME@DOMAIN is missing" },
    { 2, "ca issue alice", "user@domain" },
    { 2, "ca issue ../alice@example.org", "user@domain" },
    { 2, "ca revoke", "is missing" },
    { 1, "ca issue alice@example.org", "ca is no authority's directory" },
    { 1, "ca issue alice@example.org -d no", "no is no authority's directory" },
    { 1, "ca init -p no", "no/ca.pem" },
    { 1, "ca init --name ''", "1 to 64" },
    { 1, "ca revoke alice.pem", "ca/ca.pem" },
    { 1, "ca crl", "ca/ca.pem" },
    { 1, "ca show", "ca/ca.pem" },
    { 1, "ca show nothing.pem", "nothing.pem" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_fails (world, cases[i].code, cases[i].line, cases[i].says);
}

static void
test_help_is_there (World *world, gconstpointer data)
{
  static const char *const lines[] = { "--help", "ca --help",
    "ca init --help", "ca issue --help", "ca revoke --help", "ca crl --help",
    "ca show --help" };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++) {
    assert_done (world, lines[i]);
    g_assert_nonnull (strstr (world->out, "Usage:"));
    g_assert_cmpstr (world->err, ==, "");
  }
  assert_done (world, "--version");
  g_assert_cmpstr (world->out, ==, "bravis " BRAVIS_VERSION "\n");
}

static void
test_key_of_another_authority_is_noticed (World *world, gconstpointer data)
{
  g_autofree char *one = path (world, "one/ca-key.pem");
  g_autofree char *other = NULL;

  assert_done (world, "ca init -d one");
  assert_done (world, "ca init -d two");
  other = read_file (world, "two/ca-key.pem");
  g_assert_true (g_file_set_contents (one, other, -1, NULL));
  assert_fails (world, 1, "ca issue alice@example.org -d one",
      "does not belong");
}

static void
test_members_file_cannot_be_shown_as_what_it_is_not (World *world,
    gconstpointer data)
{
  assert_done (world, "ca init");
  assert_fails (world, 1, "ca show ca/ca-key.pem", "ca-key.pem");
  assert_fails (world, 1, "ca revoke ca/crl.pem", "crl.pem");
  assert_done (world, "ca init -d two");
  assert_done (world, "ca issue alice@example.org -d two");
  assert_fails (world, 1, "ca revoke alice.pem", "not issued by this");
}

/* Certificates are revoked one by one: none is lost from the list. */
static void
test_list_keeps_what_was_on_it (World *world, gconstpointer data)
{
  enum { N = 20 };
  guint n = 0;

  assert_done (world, "ca init");
  for (guint i = 0; i < N; i++) {
    g_autofree char *issue = g_strdup_printf ("ca issue m%u@example.org", i);
    g_autofree char *revoke = g_strdup_printf ("ca revoke m%u@example.org", i);

    assert_done (world, issue);
    assert_done (world, revoke);
  }
  assert_done (world, "ca show ca/crl.pem");
  for (const char *at = world->out; (at = strstr (at, "revoked ")); at++)
    n++;
  g_assert_cmpuint (n, ==, N);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  command = g_canonicalize_filename (argv[1], NULL);
#define ADD(name) \
  g_test_add ("/bravis-ca/" #name, World, NULL, set_up, test_##name, tear_down)
  ADD (every_algorithm_makes_members_that_believe_each_other);
  ADD (intermediate_authority_needs_only_the_root_to_be_trusted);
  ADD (revoked_certificates_are_refused);
  ADD (key_can_be_encrypted);
  ADD (key_that_is_made_elsewhere_is_certified);
  ADD (revoked_intermediate_is_refused);
  ADD (validity_can_be_chosen);
  ADD (private_keys_are_for_their_owner_and_never_overwritten);
  ADD (half_of_a_pair_is_not_overwritten_either);
  ADD (what_may_have_got_out_is_on_record);
  ADD (full_disk_loses_nothing);
  ADD (wrong_lines_are_explained);
  ADD (help_is_there);
  ADD (key_of_another_authority_is_noticed);
  ADD (members_file_cannot_be_shown_as_what_it_is_not);
  ADD (list_keeps_what_was_on_it);
  result = g_test_run ();
  g_free (command);
  return result;
}
