#include "../../keymgmt/bravis-keylog.h"
#include "test-epochs.h"

#include <glib/gstdio.h>
#include <string.h>

static void
test_not_asked_for (void)
{
  GError *error = NULL;

  g_unsetenv ("BRAVIS_KEYLOG");
  g_assert_null (bravis_keylog_open (&error));
  g_assert_no_error (error);
}

static void
test_file_that_cannot_be_written_is_an_error (void)
{
  g_autoptr (GError) error = NULL;

  g_setenv ("BRAVIS_KEYLOG", "/nonexistent/keys", TRUE);
  g_assert_null (bravis_keylog_open (&error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE);
  g_assert_nonnull (strstr (error->message, "/nonexistent/keys"));
  g_unsetenv ("BRAVIS_KEYLOG");
}

/* Follows the header's recipe from the line alone. */
static void
check_recipe (char **parts, BravisEpoch *epoch)
{
  g_autoptr (BravisSecret) secret = bravis_secret_new_from_hex (parts[6], NULL);
  g_autoptr (BravisSecret) context = bravis_secret_new_from_hex (parts[7],
      NULL);
  g_autoptr (BravisSecret) prk = bravis_hkdf_expand_label (secret, "epoch",
      bravis_secret_peek (context), 32, 32);
  g_autoptr (BravisSecret) media = bravis_hkdf_expand_label (prk, "media", "",
      0, 32);
  BravisKid kid = { 9, 2, BRAVIS_KIND_AUDIO, 4 };
  guint64 wire = GUINT64_TO_BE (bravis_kid_pack (&kid));
  g_autoptr (BravisSecret) key = bravis_hkdf_expand_label (media, "base key",
      &wire, sizeof wire, 16);
  g_autoptr (BravisSecret) expected = bravis_epoch_derive_base_key (epoch,
      bravis_kid_pack (&kid));

  g_assert_true (bravis_secret_equal (key, expected));
}

static void
write_log (BravisEpoch *epoch)
{
  GError *error = NULL;
  g_autoptr (BravisKeylog) keylog = bravis_keylog_open (&error);

  g_assert_no_error (error);
  g_assert_nonnull (keylog);
  bravis_keylog_write_epoch (keylog, "talk", epoch, "join", 1234567);
}

static void
test_line_is_enough_to_derive_keys (void)
{
  g_autofree char *folder = g_dir_make_tmp ("bravis-keylog-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (folder, "keys", NULL);
  g_autofree char *text = NULL;
  g_autoptr (BravisEpoch) epoch = NULL;
  g_auto (GStrv) lines = NULL;
  g_auto (GStrv) parts = NULL;
  TestEpochs epochs;
  GStatBuf status;

  test_epochs_init (&epochs);
  epoch = test_epochs_make (&epochs, 9);
  g_setenv ("BRAVIS_KEYLOG", file, TRUE);
  write_log (epoch);
  write_log (epoch);
  g_unsetenv ("BRAVIS_KEYLOG");
  g_assert_cmpint (g_stat (file, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);

  g_assert_true (g_file_get_contents (file, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_cmpstr (lines[0], ==, lines[1]);
  parts = g_strsplit (lines[0], " ", -1);
  g_assert_cmpuint (g_strv_length (parts), ==, 10);
  g_assert_cmpstr (parts[0], ==, "EPOCH");
  g_assert_cmpstr (parts[1], ==, "1234567");
  g_assert_cmpuint (g_ascii_strtoull (parts[3], NULL, 16), ==,
      epochs.own[0]->card->id);
  g_assert_cmpstr (parts[4], ==, "9");
  g_assert_cmpstr (parts[5], ==, "join");
  g_assert_cmpstr (parts[8], ==, "suites=4,4,4,4");
  g_assert_cmpstr (parts[9], ==, "members=alice@example.org,alice@example.org,"
      "alice@example.org,alice@example.org");
  check_recipe (parts, epoch);
  g_remove (file);
  g_rmdir (folder);
  test_epochs_clear (&epochs);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keymgmt/keylog/not_asked_for", test_not_asked_for);
  g_test_add_func ("/keymgmt/keylog/file_that_cannot_be_written_is_an_error",
      test_file_that_cannot_be_written_is_an_error);
  g_test_add_func ("/keymgmt/keylog/line_is_enough_to_derive_keys",
      test_line_is_enough_to_derive_keys);
  return g_test_run ();
}
