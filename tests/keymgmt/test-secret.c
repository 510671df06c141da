/* Secrets: what they hold, how they compare, what is left of them. */
#include "../../keymgmt/bravis-secret.h"
#include "../../keymgmt/bravis-error.h"

#include <string.h>

static void
test_holds_a_copy (void)
{
  guint8 bytes[4] = { 1, 2, 3, 4 };
  g_autoptr (BravisSecret) secret = bravis_secret_new (bytes, sizeof bytes);

  memset (bytes, 9, sizeof bytes);
  g_assert_cmpuint (bravis_secret_get_size (secret), ==, 4);
  g_assert_cmpint (memcmp (bravis_secret_peek (secret), "\1\2\3\4", 4), ==, 0);
}

static void
test_take_wipes_the_source (void)
{
  guint8 bytes[4] = { 1, 2, 3, 4 };
  g_autoptr (BravisSecret) secret = bravis_secret_new_take (bytes, 4);

  g_assert_cmpint (memcmp (bytes, "\0\0\0\0", 4), ==, 0);
  g_assert_cmpint (memcmp (bravis_secret_peek (secret), "\1\2\3\4", 4), ==, 0);
}

static void
test_wiped_when_last_reference_goes (void)
{
  guint8 bytes[64];
  BravisSecret *secret;
  const guint8 *where;

  memset (bytes, 0xaa, sizeof bytes);
  secret = bravis_secret_new (bytes, sizeof bytes);
  bravis_secret_ref (secret);
  where = bravis_secret_peek (secret);
  bravis_secret_unref (secret);
  g_assert_cmpint (where[63], ==, 0xaa);
  bravis_secret_unref (secret);

  /* The block stays mapped for the next secret; its first octets link it with
   * other free ones. */
  for (gsize i = sizeof (gpointer); i < sizeof bytes; i++)
    g_assert_cmpint (where[i], ==, 0);
}

static void
test_sizes_on_both_sides_of_a_block (void)
{
  for (gsize size = 1; size < 9000; size += size < 130 ? 1 : 577) {
    g_autofree guint8 *bytes = g_malloc (size);
    g_autoptr (BravisSecret) secret = NULL;

    memset (bytes, size, size);
    secret = bravis_secret_new (bytes, size);
    g_assert_cmpmem (bravis_secret_peek (secret),
        bravis_secret_get_size (secret), bytes, size);
  }
}

static void
test_many_secrets_do_not_overlap (void)
{
  enum { N = 5000 };
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (
      (GDestroyNotify) bravis_secret_unref);

  for (guint32 i = 0; i < N; i++)
    g_ptr_array_add (all, bravis_secret_new (&i, sizeof i));
  for (guint32 i = 0; i < N; i++)
    g_assert_cmpint (memcmp (bravis_secret_peek (all->pdata[i]), &i,
            sizeof i), ==, 0);
}

static void
test_equality (void)
{
  g_autoptr (BravisSecret) a = bravis_secret_new ("abcd", 4);
  g_autoptr (BravisSecret) b = bravis_secret_new ("abcd", 4);
  g_autoptr (BravisSecret) c = bravis_secret_new ("abce", 4);
  g_autoptr (BravisSecret) d = bravis_secret_new ("abc", 3);

  g_assert_true (bravis_secret_equal (a, b));
  g_assert_false (bravis_secret_equal (a, c));
  g_assert_false (bravis_secret_equal (a, d));
}

static void
test_hexadecimal (void)
{
  static const char *const wrong[] = { "", "0", "123", "zz", "12 4", "0x12" };
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisSecret) secret = bravis_secret_new_from_hex ("00ffA5", &error);

  g_assert_no_error (error);
  g_assert_cmpmem (bravis_secret_peek (secret),
      bravis_secret_get_size (secret), "\0\xff\xa5", 3);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) refused = NULL;

    g_assert_null (bravis_secret_new_from_hex (wrong[i], &refused));
    g_assert_error (refused, BRAVIS_ERROR, BRAVIS_ERROR_KEY);
  }
}

static void
test_error_does_not_show_the_key (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (bravis_secret_new_from_hex ("5ec2e75ec2e7q0", &error));
  g_assert_null (strstr (error->message, "5ec2"));
  g_assert_nonnull (strstr (error->message, "character 13 of 14"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/secret/holds_a_copy", test_holds_a_copy);
  g_test_add_func ("/secret/take_wipes_the_source", test_take_wipes_the_source);
  g_test_add_func ("/secret/wiped_when_last_reference_goes",
      test_wiped_when_last_reference_goes);
  g_test_add_func ("/secret/sizes_on_both_sides_of_a_block",
      test_sizes_on_both_sides_of_a_block);
  g_test_add_func ("/secret/many_secrets_do_not_overlap",
      test_many_secrets_do_not_overlap);
  g_test_add_func ("/secret/equality", test_equality);
  g_test_add_func ("/secret/hexadecimal", test_hexadecimal);
  g_test_add_func ("/secret/error_does_not_show_the_key",
      test_error_does_not_show_the_key);
  return g_test_run ();
}
