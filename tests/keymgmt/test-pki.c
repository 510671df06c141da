#include "test-pki.h"
#include "../../tools/bravis-authority.h"
#include "../../tools/bravis-files.h"

#include <string.h>


#define DAY (24 * 60 * 60)
#define HOUR (60 * 60)

struct _TestPki {
  char *directory;
  char *root, *below, *other;   /* directories of the authorities */
  char *trust_file, *crl_file;
  GStringChunk *names;
};

static char *
full_name (const char *name)
{
  return strchr (name, '@') ? g_strdup (name)
      : g_strconcat (name, "@example.org", NULL);
}

static void
create_authority (const char *directory, const char *parent_directory,
    const char *name, guint path_length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisAuthority) parent = NULL;
  BravisWish wish = {
    .name = name,
    .key_type = BRAVIS_KEY_ED25519,
    .valid_from = TEST_PKI_FROM,
    .valid_until = TEST_PKI_UNTIL
  };

  if (parent_directory) {
    parent = bravis_authority_open (parent_directory, &error);
    g_assert_no_error (error);
  }
  bravis_authority_create (directory, parent, &wish, path_length,
      TEST_PKI_UNTIL, &error);
  g_assert_no_error (error);
}

/* The lists of both trusted authorities in one file. */
static void
collect_lists (TestPki *pki)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *root_file = g_build_filename (pki->root, "crl.pem", NULL);
  g_autofree char *below_file = g_build_filename (pki->below, "crl.pem", NULL);
  g_autofree char *root = NULL;
  g_autofree char *below = NULL;
  g_autofree char *both = NULL;

  g_file_get_contents (root_file, &root, NULL, &error);
  g_assert_no_error (error);
  g_file_get_contents (below_file, &below, NULL, &error);
  g_assert_no_error (error);
  both = g_strconcat (root, below, NULL);
  g_file_set_contents (pki->crl_file, both, -1, &error);
  g_assert_no_error (error);
}

TestPki *
test_pki_new (void)
{
  g_autoptr (GError) error = NULL;
  TestPki *pki = g_new0 (TestPki, 1);

  pki->directory = g_dir_make_tmp ("bravis-pki-XXXXXX", &error);
  g_assert_no_error (error);
  pki->names = g_string_chunk_new (256);
  pki->root = g_build_filename (pki->directory, "root", NULL);
  pki->below = g_build_filename (pki->directory, "below", NULL);
  pki->other = g_build_filename (pki->directory, "other", NULL);
  pki->trust_file = g_build_filename (pki->root, "ca.pem", NULL);
  pki->crl_file = g_build_filename (pki->directory, "crl.pem", NULL);
  create_authority (pki->root, NULL, "Test CA", 1);
  create_authority (pki->below, pki->root, "Test Intermediate CA", 0);
  create_authority (pki->other, NULL, "Other CA", 0);
  collect_lists (pki);
  return pki;
}

void
test_pki_free (TestPki *pki)
{
  bravis_remove_directory (pki->directory);
  g_string_chunk_free (pki->names);
  g_free (pki->directory);
  g_free (pki->root);
  g_free (pki->below);
  g_free (pki->other);
  g_free (pki->trust_file);
  g_free (pki->crl_file);
  g_free (pki);
}

const char *
test_pki_file (TestPki *pki, const char *name, const char *suffix)
{
  g_autofree char *path = g_strconcat (pki->directory, G_DIR_SEPARATOR_S, name,
      suffix, NULL);

  return g_string_chunk_insert_const (pki->names, path);
}

const char *
test_pki_get_directory (TestPki *pki)
{
  return pki->directory;
}

const char *
test_pki_get_trust_file (TestPki *pki)
{
  return pki->trust_file;
}

const char *
test_pki_get_crl_file (TestPki *pki)
{
  return pki->crl_file;
}

void
test_pki_revoke (TestPki *pki, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *full = full_name (name);
  g_autoptr (BravisAuthority) root = bravis_authority_open (pki->root, &error);

  g_assert_no_error (error);
  bravis_authority_revoke (root, full, TEST_PKI_NOW - DAY, TEST_PKI_UNTIL,
      &error);
  g_assert_no_error (error);
  collect_lists (pki);
}

void
test_pki_make_files (TestPki *pki, const char *name, TestPkiKind kind)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *full = full_name (name);
  const char *directory = kind == TEST_PKI_OTHER_CA ? pki->other
      : kind == TEST_PKI_INTERMEDIATE ? pki->below : pki->root;
  g_autoptr (BravisAuthority) authority = bravis_authority_open (directory,
      &error);
  BravisWish wish = {
    .name = full,
    .key_type = kind == TEST_PKI_ECDSA ? BRAVIS_KEY_ECDSA_P256
        : kind == TEST_PKI_RSA ? BRAVIS_KEY_RSA_3072 : BRAVIS_KEY_ED25519,
    .valid_from = kind == TEST_PKI_NOT_YET_VALID ? TEST_PKI_NOW + DAY
        : TEST_PKI_FROM,
    .valid_until = kind == TEST_PKI_EXPIRED ? TEST_PKI_NOW - DAY
        : kind == TEST_PKI_SHORT ? TEST_PKI_NOW + HOUR : TEST_PKI_UNTIL
  };

  g_assert_no_error (error);
  bravis_authority_issue (authority, &wish, test_pki_file (pki, name, ".pem"),
      test_pki_file (pki, name, "-key.pem"), &error);
  g_assert_no_error (error);
  g_clear_pointer (&authority, bravis_authority_free);
  if (kind == TEST_PKI_REVOKED)
    test_pki_revoke (pki, name);
}

BravisIdentity *
test_pki_identity_of_kind (TestPki *pki, const char *name, TestPkiKind kind)
{
  g_autoptr (GError) error = NULL;
  const char *certificate = test_pki_file (pki, name, ".pem");
  BravisIdentity *identity;

  if (!g_file_test (certificate, G_FILE_TEST_EXISTS))
    test_pki_make_files (pki, name, kind);
  identity = bravis_identity_new (certificate,
      test_pki_file (pki, name, "-key.pem"), pki->trust_file, pki->crl_file,
      &error);
  g_assert_no_error (error);
  return identity;
}

BravisIdentity *
test_pki_identity (TestPki *pki, const char *name)
{
  return test_pki_identity_of_kind (pki, name, TEST_PKI_GOOD);
}
