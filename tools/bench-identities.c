#include "bench-identities.h"

#include "bravis-authority.h"

#define DAY G_GINT64_CONSTANT (86400)
#define VALID (30 * DAY)        /* longer than anything is measured */

char *
bench_identities_get_name (guint index)
{
  return g_strdup_printf ("member%u@bench", index);
}

char *
bench_identities_get_file (const char *directory, guint index,
    const char *suffix)
{
  g_autofree char *name = g_strdup_printf ("member%u%s", index, suffix);

  return g_build_filename (directory, name, NULL);
}

static gboolean
issue (const char *directory, BravisAuthority *authority, guint index,
    gint64 now, GError **error)
{
  g_autofree char *name = bench_identities_get_name (index);
  g_autofree char *certificate = bench_identities_get_file (directory, index,
      ".pem");
  g_autofree char *key = bench_identities_get_file (directory, index,
      "-key.pem");
  BravisWish wish = { name, BRAVIS_KEY_ED25519, now - 3600, now + VALID };

  return g_file_test (certificate, G_FILE_TEST_EXISTS)
      || bravis_authority_issue (authority, &wish, certificate, key, error);
}

static gboolean
write_config (const char *directory, guint index, const char *address,
    GError **error)
{
  g_autofree char *file = bench_identities_get_file (directory, index, ".conf");
  g_autofree char *text = g_strdup_printf ("[identity]\n"
      "certificate=member%u.pem\nkey=member%u-key.pem\ntrust=ca/ca.pem\n"
      "crl=ca/crl.pem\n[group]\nconference=bench\nlisten=%s:0\n", index, index,
      address);

  return g_file_set_contents (file, text, -1, error);
}

gboolean
bench_identities_write (const char *directory, const char *const *addresses,
    guint n_members, GError **error)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  g_autofree char *ca = g_build_filename (directory, "ca", NULL);
  BravisWish wish = { "bravis bench", BRAVIS_KEY_ED25519, now - 3600,
    now + VALID };
  g_autoptr (BravisAuthority) authority = NULL;

  if (!g_file_test (ca, G_FILE_TEST_EXISTS)
      && !bravis_authority_create (ca, NULL, &wish, 0, now + VALID, error))
    return FALSE;
  authority = bravis_authority_open (ca, error);
  for (guint i = 0; authority && i < n_members; i++)
    if (!issue (directory, authority, i, now, error)
        || !write_config (directory, i, addresses[i], error))
      return FALSE;
  return authority != NULL;
}
