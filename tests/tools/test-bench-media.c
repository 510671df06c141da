/* bravis bench media: all that was asked for is measured and written. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static const char *command;     /* bravis */

/* What is there. How much it is, is nothing for a test: where the machine does something
 * else meanwhile, an element can seem to cost less than none. */
static void
check_run (JsonObject *run)
{
  static const char *const figures[] = { "ns_per_buffer", "gbit_per_s",
    "raw_share", "cpu_share" };
  JsonObject *latency = json_object_get_object_member (run, "latency_us");

  for (guint i = 0; i < G_N_ELEMENTS (figures); i++)
    g_assert_true (json_object_has_member (run, figures[i]));
  g_assert_cmpint (json_object_get_int_member (run, "repeats"), ==, 1);
  if (g_str_has_prefix (json_object_get_string_member (run, "element"), "bravis"))
    g_assert_cmpfloat (json_object_get_double_member (latency, "max"), >=,
        json_object_get_double_member (latency, "p50"));
}

/* The element does what it is asked for, in that direction. */
static guint
count_runs (JsonArray *runs, const char *element, const char *direction)
{
  guint n = 0;

  for (guint i = 0; i < json_array_get_length (runs); i++) {
    JsonObject *run = json_array_get_object_element (runs, i);

    n += g_str_equal (json_object_get_string_member (run, "element"), element)
        && g_str_equal (json_object_get_string_member (run, "direction"),
        direction);
  }
  return n;
}

static void
test_media_are_measured (void)
{
  g_autofree char *folder = g_dir_make_tmp ("bench-XXXXXX", NULL);
  g_autofree char *json = g_build_filename (folder, "media.json", NULL);
  g_autofree char *csv = g_build_filename (folder, "media.csv", NULL);
  g_autofree char *plot = g_build_filename (folder, "media.svg", NULL);
  g_autofree char *line = g_strdup_printf ("%s bench media --size=160,1200 "
      "--list=1,4 --streams=1 --cipher=aes-128-gcm --layout=room,split --runs=1 --megabytes=1 "
      "--json=%s --csv=%s --plot=%s", command, json, csv, plot);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  JsonArray *runs;
  int status;

  g_spawn_command_line_sync (line, &out, &err, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  json_parser_load_from_file (parser, json, &error);
  g_assert_no_error (error);
  runs = json_object_get_array_member (json_node_get_object (
          json_parser_get_root (parser)), "runs");
  for (guint i = 0; i < json_array_get_length (runs); i++)
    check_run (json_array_get_object_element (runs, i));
  g_assert_cmpuint (count_runs (runs, "srtpenc", "encrypt"), ==, 8);
  g_assert_cmpuint (count_runs (runs, "srtpdec", "decrypt"), ==, 4);
  g_assert_cmpuint (count_runs (runs, "bravisencrypt", "both"), >=, 16);
  g_file_get_contents (csv, &text, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (text, "bravisdecrypt,sframe-rtp,aes-128-gcm,gnutls,"
          "1200,1200,room,4,1,decrypt,"));
  g_remove (json);
  g_remove (csv);
  g_assert_cmpint (g_remove (plot), ==, 0);
  g_rmdir (folder);
}

/* With the cipher that the handshake came to. */
static void
test_dtls_is_measured (void)
{
  g_autofree char *folder = g_dir_make_tmp ("bench-XXXXXX", NULL);
  g_autofree char *json = g_build_filename (folder, "dtls.json", NULL);
  g_autofree char *line = g_strdup_printf ("%s bench media --format=dtls --size=1200 "
      "--runs=1 --megabytes=1 --json=%s", command, json);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  JsonArray *runs;
  int status;

  g_spawn_command_line_sync (line, &out, &err, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  json_parser_load_from_file (parser, json, &error);
  g_assert_no_error (error);
  runs = json_object_get_array_member (json_node_get_object (
          json_parser_get_root (parser)), "runs");
  g_assert_cmpuint (count_runs (runs, "dtlsenc", "encrypt"), ==, 1);
  g_assert_cmpuint (count_runs (runs, "dtlsdec", "decrypt"), ==, 1);
  for (guint i = 0; i < json_array_get_length (runs); i++)
    g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (
                runs, i), "cipher"), !=, "");
  g_remove (json);
  g_rmdir (folder);
}

static void
test_puzzle_is_measured_with_and_without_aes (void)
{
  g_autofree char *folder = g_dir_make_tmp ("bench-XXXXXX", NULL);
  g_autofree char *json = g_build_filename (folder, "puzzle.json", NULL);
  g_autofree char *line = g_strdup_printf ("%s bench puzzle --runs=1 --json=%s",
      command, json);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  JsonArray *runs;
  int status;

  g_spawn_command_line_sync (line, &out, &err, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  json_parser_load_from_file (parser, json, &error);
  g_assert_no_error (error);
  runs = json_object_get_array_member (json_node_get_object (
          json_parser_get_root (parser)), "runs");
  g_assert_cmpuint (json_array_get_length (runs), ==, 2 * 5 * 5);
  for (guint i = 0; i < json_array_get_length (runs); i++)
    g_assert_cmpfloat (json_object_get_double_member (
            json_array_get_object_element (runs, i), "ns_per_frame"), >, 0);
  g_remove (json);
  g_rmdir (folder);
}

static void
test_wrong_options_are_said (void)
{
  static const struct { const char *option, *said; } wrong[] = {
    { "--size=15", "--size=15" },
    { "--size=x", "--size=x" },
    { "--list=0", "--list=0" },
    { "--layout=loose", "--layout=loose" },
    { "--direction=up", "--direction=up" },
    { "--runs=0", "--runs" },
    { "more", "more" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *line = g_strdup_printf ("%s bench media %s", command,
        wrong[i].option);
    g_autofree char *err = NULL;
    g_autoptr (GError) error = NULL;
    int status;

    g_spawn_command_line_sync (line, NULL, &err, &status, &error);
    g_assert_no_error (error);
    g_assert_cmpint (WEXITSTATUS (status), ==, 2);
    g_assert_nonnull (strstr (err, wrong[i].said));
  }
}

/* Nothing is written where the clip is not there. */
static void
test_missing_clip_is_said (void)
{
  g_autofree char *line = g_strdup_printf ("%s bench media --clip=/not/there.mkv",
      command);
  g_autofree char *err = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_command_line_sync (line, NULL, &err, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (WEXITSTATUS (status), ==, 1);
  g_assert_nonnull (strstr (err, "/not/there.mkv"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  command = argv[1];
  g_test_add_func ("/tools/bench/media_are_measured", test_media_are_measured);
  g_test_add_func ("/tools/bench/dtls_is_measured", test_dtls_is_measured);
  g_test_add_func ("/tools/bench/puzzle_is_measured_with_and_without_aes",
      test_puzzle_is_measured_with_and_without_aes);
  g_test_add_func ("/tools/bench/wrong_media_options_are_said",
      test_wrong_options_are_said);
  g_test_add_func ("/tools/bench/missing_clip_is_said",
      test_missing_clip_is_said);
  return g_test_run ();
}
