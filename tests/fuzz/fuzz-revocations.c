/* Revocation lists off the wire, against chains of members: what is not signed by an
 * authority takes nobody back and is not held. Seeds are lists of authorities that are
 * not trusted here, so none that comes of them is. */
#include "../../keymgmt/bravis-revocation.h"
#include "../keymgmt/test-pki.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static BravisIdentity *identity;
static GPtrArray *chains;
static guint n_lists;

static void
set_up (void)
{
  g_autoptr (TestPki) pki = test_pki_new ();
  g_autoptr (BravisIdentity) below = test_pki_identity_of_kind (pki, "bob",
      TEST_PKI_INTERMEDIATE);
  g_autoptr (GPtrArray) lists = NULL;

  identity = test_pki_identity (pki, "alice");
  chains = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (chains, g_bytes_ref (bravis_identity_get_chain (identity)));
  g_ptr_array_add (chains, g_bytes_ref (bravis_identity_get_chain (below)));
  lists = bravis_identity_list_revocations (identity);
  n_lists = lists->len;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (BravisRevocations) list = bravis_revocations_read (data, size);
  g_autoptr (GPtrArray) reasons = NULL;
  g_autoptr (GPtrArray) lists = NULL;

  if (!identity)
    set_up ();
  if (list)
    g_assert_false (bravis_revocations_are_newer (list, list));
  reasons = bravis_identity_apply_revocations (identity, data, size, chains);
  g_assert_cmpint (reasons != NULL, ==, list != NULL);
  for (guint i = 0; reasons && i < reasons->len; i++)
    g_assert_null (reasons->pdata[i]);
  lists = bravis_identity_list_revocations (identity);
  g_assert_cmpuint (lists->len, ==, n_lists);
  return 0;
}
