/* Logs: what is written is read back, each guarantee broken in a log is found where
 * it stands, and what is no log is refused. */
#include <gio/gio.h>
#include <string.h>

#include "sim-log-reader.h"
#include "sim-log-replay.h"
#include "sim-log.h"

static const char *program;     /* check-history */

typedef struct {
  char *directory;
  char **paths;
} Logs;

static void
logs_clear (Logs *logs)
{
  sim_log_replay_remove_directory (logs->directory);
  g_free (logs->directory);
  g_strfreev (logs->paths);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Logs, logs_clear)

/* Writes @texts (NULL-terminated) as a.log, b.log ... */
static void
logs_init (Logs *logs, const char *const *texts)
{
  guint n = g_strv_length ((char **) texts);

  logs->directory = sim_log_replay_make_directory ();
  logs->paths = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++) {
    g_autoptr (GError) error = NULL;

    logs->paths[i] = g_strdup_printf ("%s/%c.log", logs->directory, 'a' + i);
    g_file_set_contents (logs->paths[i], texts[i], -1, &error);
    g_assert_no_error (error);
  }
}

/* ---- guarantees ---- */

#define A "0 process a1 alice\n1 view 1 primary a1 b2 c3\n"
#define B "0 process b2 bob\n1 view 1 primary a1 b2 c3\n"
#define C "0 process c3\n1 view 1 primary a1 b2 c3\n"

typedef struct {
  const char *name;
  const char *texts[5];
  const char *found;            /* how the finding begins; NULL: nothing wrong */
  const char *where[2];         /* logs and lines it names */
} Case;

static const Case cases[] = {
  {"nothing", {
          A "2 sent 7 safe open\n3 delivered a1 7 safe\n"
                "8 departed c3 failed\n8 view 2 primary a1 b2\n",
          B "3 delivered a1 7 safe\n8 departed c3 failed\n"
                "8 view 2 primary a1 b2\n",
          C "3 delivered a1 7 safe\n",
          "4 crashed c3\n"}, NULL, {0}},
  {"refused_message", {
          A "2 sent 7 agreed open\n2 refused 7\n3 sent 7 agreed open\n"
                "3 delivered a1 7 agreed\n",
          B "3 delivered a1 7 agreed\n", C "3 delivered a1 7 agreed\n"},
        NULL, {0}},
  {"agreement", {
          A "2 view 2 primary a1 b2\n", B "2 view 2 primary a1 b2 c3\n", C},
        "agreement: alice and bob were in view 1", {"a.log:3", "b.log:3"}},
  {"same_set", {
          A "2 sent 7 agreed open\n3 delivered a1 7 agreed\n"
                "4 view 2 primary a1 b2 c3\n",
          B "4 view 2 primary a1 b2 c3\n",
          C "3 delivered a1 7 agreed\n4 view 2 primary a1 b2 c3\n"},
        "same set: alice and bob left view 1", {"a.log:4", "b.log:2"}},
  {"total_order", {
          A "2 sent 7 safe open\n3 delivered a1 7 safe\n"
                "3 delivered b2 8 safe\n",
          B "2 sent 8 safe open\n3 delivered b2 8 safe\n"
                "3 delivered a1 7 safe\n", C},
        "total order: alice and bob delivered 7 and 8",
        {"a.log:4", "b.log:4"}},
  {"sending_view", {
          A "2 sent 7 agreed open\n3 view 2 primary a1 b2 c3\n"
                "4 delivered a1 7 agreed\n",
          B "3 view 2 primary a1 b2 c3\n", C "3 view 2 primary a1 b2 c3\n"},
        "sending view: alice sent 7 in view 1", {"a.log:3", "a.log:5"}},
  {"twice", {
          A "2 sent 7 agreed open\n3 delivered a1 7 agreed\n"
                "4 delivered a1 7 agreed\n", B, C},
        "integrity: alice was delivered 7 twice", {"a.log:4", "a.log:5"}},
  {"never_sent", {A "2 delivered b2 7 agreed\n", B, C},
        "integrity: alice was delivered 7 of bob", {"a.log:3"}},
  {"skipped", {
          A "2 sent 7 agreed open\n2 sent 8 agreed open\n"
                "2 sent 9 agreed open\n",
          B "3 delivered a1 7 agreed\n3 delivered a1 9 agreed\n", C},
        "integrity: bob was delivered number 3 of alice after number 1",
        {"b.log:3", "b.log:4"}},
  {"safe", {
          A "3 view 2 primary a1 b2\n", B "3 view 2 primary a1 b2\n",
          C "2 sent 7 safe open\n2 delivered c3 7 safe\n",
          "3 crashed c3\n"},
        "safe: c3 was delivered 7", {"c.log:4", "a.log:2"}},
  {"primary", {
          A "2 view 2 primary a1 b2\n", B "2 view 2 primary a1 b2\n",
          C "2 view 3 primary c3\n"}, "primary: ", {"a.log:3", "c.log:3"}},
  {"thrown_out_before_the_crash", {
          A "3 departed c3 failed\n3 view 2 primary a1 b2\n",
          B "3 departed c3 failed\n3 view 2 primary a1 b2\n",
          C, "4 crashed c3\n"}, "thrown out: alice took c3 for crashed",
        {"a.log:3"}},
};

/* Not strict, the first difference may be one of two primary views. */
static gboolean
is_strict (const Case *c)
{
  return strcmp (c->name, "primary") != 0;
}

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_auto (Logs) logs;
  g_autoptr (SimHistory) history = sim_history_new ();
  g_autoptr (GString) notes = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *wrong = NULL;

  logs_init (&logs, c->texts);
  sim_log_read (history, logs.paths, notes, &error);
  g_assert_no_error (error);
  wrong = sim_history_check (history, is_strict (c));
  if (!c->found) {
    g_assert_cmpstr (wrong, ==, NULL);
    return;
  }
  g_test_message ("%s", wrong);
  g_assert_nonnull (wrong);
  g_assert_true (g_str_has_prefix (wrong, c->found));
  for (guint i = 0; i < 2 && c->where[i]; i++) {
    g_autofree char *where = g_strdup_printf ("[%s/%s]", logs.directory,
        c->where[i]);

    g_assert_nonnull (strstr (wrong, where));
  }
}

/* ---- what is no log ---- */

static void
assert_refused (const char *a, const char *b, const char *expected)
{
  const char *texts[] = { a, b, C, NULL };
  g_auto (Logs) logs;
  g_autoptr (SimHistory) history = sim_history_new ();
  g_autoptr (GString) notes = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *whole = NULL;

  logs_init (&logs, texts);
  g_assert_false (sim_log_read (history, logs.paths, notes, &error));
  whole = g_strdup_printf ("%s/%s", logs.directory, expected);
  g_assert_cmpstr (error->message, ==, whole);
}

static void
test_malformed_line_is_named (void)
{
  static const char *const malformed[][2] = {
    {"x left\n", "a.log:1: `x' where a time was expected"},
    {"0\n", "a.log:1: a time without an event"},
    {"0 fell\n", "a.log:1: `fell' where an event was expected"},
    {"0 left\n", "a.log:1: `left' in a log that does not begin with"
          " `process'"},
    {"0 process\n", "a.log:1: `process' without an id"},
    {"0 process xy\n", "a.log:1: `xy' where an id (hexadecimal digits) was"
          " expected"},
    {"0 process 1\n# so far\n1 process 2\n",
        "a.log:3: `process' is not the first event"},
    {"5 process 1\n4 left\n", "a.log:2: the time goes back"},
    {"0 process 1\n1 sent 4 safe open\n",
        "a.log:2: sent before the first view"},
    {"0 process 1\n1 delivered 1 4 safe\n",
        "a.log:2: delivered before the first view"},
    {A "2 sent 4 save open\n",
        "a.log:3: `save' where agreed or safe was expected"},
    {A "2 sent 4 safe\n", "a.log:3: `sent' with 2 words behind it"},
    {A "2 sent 4 safe open\n3 sent 4 safe open\n",
        "a.log:4: message 4 was sent before"},
    {A "2 sent 4 safe open\n2 refused 5\n",
        "a.log:4: 5 is not the message sent last"},
    {A "2 delivered d4 4 safe\n", "a.log:3: there is no log of process d4"},
    {A "2 view 2 first a1\n",
        "a.log:3: `first' where not or primary was expected"},
    {A "2 sent -4 safe open\n", "a.log:3: `-4' where a number was expected"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (malformed); i++)
    assert_refused (malformed[i][0], B,
        malformed[i][1]);
}

static void
test_second_log_of_a_process_is_refused (void)
{
  assert_refused ("0 process a1\n", "0 process a1\n",
      "b.log:1: there is another log of process a1");
}

static void
test_torn_last_line_is_left_out_and_said (void)
{
  const char *texts[] = { A "2 sent 7 agreed op", B, C, NULL };
  g_auto (Logs) logs;
  g_autoptr (SimHistory) history = sim_history_new ();
  g_autoptr (GString) notes = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = NULL;

  logs_init (&logs, texts);
  sim_log_read (history, logs.paths, notes, &error);
  g_assert_no_error (error);
  expected = g_strdup_printf ("%s:3: left out, torn\n", logs.paths[0]);
  g_assert_cmpstr (notes->str, ==, expected);
}

/* ---- writing ---- */

static void
test_log_is_appended_line_by_line (void)
{
  static const char expected[] = "1 process a1 alice\n"
      "2 view 18446744073709551615 not a1 fedcba9876543210\n"
      "3 sent 7 safe open\n"
      "4 sent 8 agreed queued\n"
      "5 refused 8\n"
      "6 delivered fedcba9876543210 7 safe\n"
      "7 departed b2 put-out\n"
      "8 left\n" "9 ended not-admitted\n" "10 crashed a1\n"
      "11 put-out b2\n";
  static const GcpMemberId members[] = {
    0xa1, G_GUINT64_CONSTANT (0xfedcba9876543210)
  };
  g_autofree char *directory = sim_log_replay_make_directory ();
  g_autofree char *path = g_build_filename (directory, "a.log", NULL);
  g_autofree char *written = NULL;
  g_autoptr (GError) error = NULL;
  SimLog *log = sim_log_open (path, &error);

  g_assert_no_error (error);
  sim_log_process (log, 1, 0xa1, "alice");
  sim_log_view (log, 2, G_MAXUINT64, FALSE, members, 2);
  sim_log_sent (log, 3, 7, GCP_SAFE, TRUE);
  sim_log_sent (log, 4, 8, GCP_AGREED, FALSE);
  sim_log_close (log, &error);
  g_assert_no_error (error);
  log = sim_log_open (path, &error);
  g_assert_no_error (error);
  sim_log_refused (log, 5, 8);
  sim_log_delivered (log, 6, members[1], 7, GCP_SAFE);
  sim_log_departed (log, 7, 0xb2, GCP_PUT_OUT);
  sim_log_left (log, 8);
  sim_log_ended (log, 9, GCP_END_NOT_ADMITTED);
  sim_log_crashed (log, 10, 0xa1);
  sim_log_put_out (log, 11, 0xb2);
  /* not closed yet: a process that is killed here has written all */
  g_file_get_contents (path, &written, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (written, ==, expected);
  sim_log_close (log, &error);
  g_assert_no_error (error);
  sim_log_replay_remove_directory (directory);
}

static void
test_lines_of_any_length_are_whole (void)
{
  g_autoptr (GString) expected = g_string_new (NULL);
  g_autoptr (GString) name = g_string_new (NULL);
  g_autofree char *directory = sim_log_replay_make_directory ();
  g_autofree char *path = g_build_filename (directory, "a.log", NULL);
  g_autofree char *written = NULL;
  g_autoptr (GError) error = NULL;
  SimLog *log = sim_log_open (path, &error);

  g_assert_no_error (error);
  while (name->len < 300) {
    g_string_append_c (name, 'n');
    g_string_append_printf (expected, "1 process a1 %s\n", name->str);
    sim_log_process (log, 1, 0xa1, name->str);
  }
  sim_log_close (log, &error);
  g_assert_no_error (error);
  g_file_get_contents (path, &written, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (written, ==, expected->str);
  sim_log_replay_remove_directory (directory);
}

static void
test_failure_to_write_is_told (void)
{
  g_autoptr (GError) error = NULL;
  SimLog *log = sim_log_open ("/dev/full", &error);

  g_assert_no_error (error);
  sim_log_left (log, 1);
  g_assert_false (sim_log_close (log, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
}

static void
test_simulated_runs_are_judged_alike_by_their_logs (void)
{
  for (guint64 i = 0; i < 24; i++) {
    guint64 seed = 1 + i / 2;
    SimScheduleKind kind = i % 2 == 0 ? SIM_SCHEDULE_CRASHES
        : SIM_SCHEDULE_PARTITIONS;
    g_autofree char *wrong = sim_schedule_run (seed, kind, FALSE, NULL);

    sim_log_replay_assert (seed, kind, wrong);
  }
}

/* ---- the program ---- */

static void
assert_program (const char *const *texts, int status, const char *said)
{
  g_auto (Logs) logs;
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) args = g_ptr_array_new ();
  g_autofree char *out = NULL;

  logs_init (&logs, texts);
  g_ptr_array_add (args, (gpointer) program);
  g_ptr_array_add (args, (gpointer) "--strict");
  for (char **path = logs.paths; *path; path++)
    g_ptr_array_add (args, *path);
  g_ptr_array_add (args, NULL);
  process = g_subprocess_newv ((const char *const *) args->pdata,
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE,
      &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &out, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (process));
  g_assert_nonnull (strstr (out, said));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, status);
}

static void
test_program_tells_by_its_exit_status (void)
{
  const char *good[] = { A, B, C, NULL };
  const char *broken[] = { A "2 delivered b2 7 agreed\n", B, C, NULL };
  const char *malformed[] = { A "2 flew\n", B, C, NULL };

  assert_program (good, 0, "nothing wrong: 3 processes, 1 views, 0");
  assert_program (broken, 1, "integrity: ");
  assert_program (malformed, 2, "a.log:3: `flew'");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  program = argv[1];
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/sim/log/found/%s",
        cases[i].name);

    g_test_add_data_func (path, &cases[i], test_case);
  }
#define ADD(name) g_test_add_func ("/sim/log/" #name, test_ ## name)
  ADD (malformed_line_is_named);
  ADD (second_log_of_a_process_is_refused);
  ADD (torn_last_line_is_left_out_and_said);
  ADD (log_is_appended_line_by_line);
  ADD (lines_of_any_length_are_whole);
  ADD (failure_to_write_is_told);
  ADD (simulated_runs_are_judged_alike_by_their_logs);
  ADD (program_tells_by_its_exit_status);
#undef ADD
  return g_test_run ();
}
