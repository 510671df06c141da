/* `bravis bench`: that it measures, counts right, and says what is wrong. How fast
 * anything is, is nothing for a test. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static const char *command;

/* Runs `bravis bench group ARGUMENTS`; says its exit code. */
static int G_GNUC_PRINTF (3, 4)
bench (char **out, char **err, const char *format, ...)
{
  g_autofree char *arguments = NULL;
  g_autofree char *line = NULL;
  g_autoptr (GError) error = NULL;
  va_list list;
  int status;

  va_start (list, format);
  arguments = g_strdup_vprintf (format, list);
  va_end (list);
  line = g_strdup_printf ("%s bench group %s", command, arguments);
  g_spawn_command_line_sync (line, out, err, &status, &error);
  g_assert_no_error (error);
  g_test_message ("%s\n%s%s", line, *out, *err);
  return g_spawn_check_wait_status (status, &error) ? 0 : error->code;
}

static void
check_figures (const char *file)
{
  static const char *const metrics[] = { "rate", "rate", "p50", "p99", "max",
    "to view", "to view", "after a tenth", "after all" };
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *root;
  JsonArray *runs;

  json_parser_load_from_file (parser, file, &error);
  g_assert_no_error (error);
  root = json_node_get_object (json_parser_get_root (parser));
  g_assert_true (json_object_has_member (root, "machine"));
  g_assert_true (json_object_has_member (root, "versions"));
  runs = json_object_get_array_member (root, "runs");
  g_assert_cmpuint (json_array_get_length (runs), ==, G_N_ELEMENTS (metrics));
  for (guint i = 0; i < G_N_ELEMENTS (metrics); i++) {
    JsonObject *run = json_array_get_object_element (runs, i);

    g_assert_cmpstr (json_object_get_string_member (run, "metric"), ==,
        metrics[i]);
    g_assert_cmpstr (json_object_get_string_member (run, "system"), ==,
        "bravis");
    g_assert_cmpint (json_object_get_int_member (run, "members"), ==, 3);
    g_assert_cmpfloat (json_object_get_double_member (run, "value"), >, 0);
  }
}

static void
check_plot (const char *file)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (file, &text, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (text, "<svg"));
}

static void
test_all_modes_give_figures (void)
{
  g_autofree char *folder = g_dir_make_tmp ("bench-XXXXXX", NULL);
  g_autofree char *json = g_build_filename (folder, "figures.json", NULL);
  g_autofree char *plot = g_build_filename (folder, "figures.svg", NULL);
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  g_assert_cmpint (bench (&out, &err, "--runs=1 --seconds=0.05 "
          "--round-trips=20 --messages=500 --size=64,2000 "
          "--mode=throughput,ping-pong,crash,join,memory --json=%s --plot=%s",
          json, plot), ==, 0);
  g_assert_nonnull (strstr (out, "throughput, 3 members, 2000 bytes: rate"));
  check_figures (json);
  check_plot (plot);
  g_remove (json);
  g_remove (plot);
  g_rmdir (folder);
}

static void
check_key_change (JsonArray *changes, guint index, const char *change,
    gint64 members)
{
  JsonObject *object = json_array_get_object_element (changes, index);

  g_assert_cmpstr (json_object_get_string_member (object, "change"), ==,
      change);
  g_assert_cmpint (json_object_get_int_member (object, "members"), ==, members);
  g_assert_cmpfloat (json_object_get_double_member (object, "holder_ms"), >, 0);
  g_assert_cmpfloat (json_object_get_double_member (object, "bytes"), >,
      48 * (members - 2));
  /* The holder's next share is signed, and each other one verifies it. */
  g_assert_cmpfloat (json_object_get_double_member (object,
          "signatures_made"), ==, 1);
  if (g_str_equal (change, "leave"))
    g_assert_cmpfloat (json_object_get_double_member (object,
            "signatures_verified"), ==, members - 2);
}

static void
test_key_changes_are_counted (void)
{
  g_autofree char *folder = g_dir_make_tmp ("bench-XXXXXX", NULL);
  g_autofree char *json = g_build_filename (folder, "keys.json", NULL);
  g_autofree char *plot = g_build_filename (folder, "keys.svg", NULL);
  g_autofree char *line = g_strdup_printf ("%s bench keys --members=4 --runs=1 "
      "--json=%s --plot=%s", command, json, plot);
  g_autofree char *drawn = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  JsonArray *changes;
  int status;

  g_spawn_command_line_sync (line, &out, &err, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  json_parser_load_from_file (parser, json, &error);
  g_assert_no_error (error);
  changes = json_object_get_array_member (json_node_get_object (
      json_parser_get_root (parser)), "runs");
  g_assert_cmpuint (json_array_get_length (changes), ==, 4);
  for (guint i = 0; i < 4; i++)
    check_key_change (changes, i, i % 2 ? "leave" : "join", i < 2 ? 2 : 4);
  g_file_get_contents (plot, &drawn, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (drawn, "</svg>"));
  g_remove (plot);
  g_remove (json);
  g_rmdir (folder);
}

static void
test_wrong_options_are_said (void)
{
  static const struct { const char *option, *said; } wrong[] = {
    { "--members=1", "--members=1" },
    { "--size=64,x", "--size=x" },
    { "--level=2", "level 3 only" },
    { "--mode=fast", "--mode=fast" },
    { "--loss=60", "--loss=60" },
    { "--sender=middle", "--sender=middle" },
    { "--peer=other", "--peer=other" },
    { "--runs=0", "--runs" },
    { "more", "more" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;

    g_assert_cmpint (bench (&out, &err, "%s", wrong[i].option), ==, 2);
    g_assert_nonnull (strstr (err, wrong[i].said));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  command = argv[1];
  g_test_add_func ("/tools/bench/all_modes_give_figures",
      test_all_modes_give_figures);
  g_test_add_func ("/tools/bench/key_changes_are_counted",
      test_key_changes_are_counted);
  g_test_add_func ("/tools/bench/wrong_options_are_said",
      test_wrong_options_are_said);
  return g_test_run ();
}
