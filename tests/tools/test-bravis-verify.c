/* `bravis verify` as a command; what it finds is in test-verify-traffic.c. */
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

static const char *command;

static int
run (const char *arguments, char **out, char **err)
{
  g_autofree char *line = g_strdup_printf ("%s verify %s", command, arguments);
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_command_line_sync (line, out, err, &status, &error);
  g_assert_no_error (error);
  g_test_message ("%s\n%s%s", line, *out, *err);
  return g_spawn_check_wait_status (status, &error) ? 0 : error->code;
}

static void
test_peers_check_each_other (void)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  guint64 sent = 0, checked = 0;

  g_assert_cmpint (run ("--members=3 --duration=1s --rate=0 --size=300", &out,
          &err), ==, 0);
  g_assert_nonnull (strstr (out, ", 0 faults\n"));
  g_assert_cmpint (sscanf (out, "%" G_GUINT64_FORMAT " sent, %"
          G_GUINT64_FORMAT, &sent, &checked), ==, 2);
  g_assert_cmpuint (sent, >, 0);
  g_assert_cmpuint (checked, ==, 3 * sent);
}

static void
test_wrong_options_are_said (void)
{
  static const char *const wrong[] = { "--members=1", "--duration=soon",
    "--duration=5x", "--size=10", "--rate=-1", "more" };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;

    g_assert_cmpint (run (wrong[i], &out, &err), ==, 2);
    g_assert_nonnull (strstr (err, "bravis verify: "));
  }
}

static void
test_missing_configuration_is_said (void)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  g_assert_cmpint (run ("--config=/nonexistent/peer.conf", &out, &err), ==, 1);
  g_assert_nonnull (strstr (err, "/nonexistent/peer.conf"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  command = argv[1];
  g_test_add_func ("/tools/verify/peers_check_each_other",
      test_peers_check_each_other);
  g_test_add_func ("/tools/verify/wrong_options_are_said",
      test_wrong_options_are_said);
  g_test_add_func ("/tools/verify/missing_configuration_is_said",
      test_missing_configuration_is_said);
  return g_test_run ();
}
