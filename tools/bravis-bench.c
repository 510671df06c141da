#include "bravis-bench.h"

#include "bench-keys.h"
#include "bench-media.h"
#include "bench-member.h"
#include "bench-modes.h"
#include "bench-puzzle.h"
#include "bravis-files.h"

#include <stdio.h>
#include <string.h>

#define MAX_MEMBERS 64
#define MAX_SIZE 200000         /* what all that is measured takes */
#define ALL_MODES "throughput,ping-pong,crash,join"

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

typedef struct {
  int members;
  char *sizes;
  double loss;
  int level;
  char *modes;
  int runs;
  double seconds;
  int round_trips;
  gint64 messages;
  char *sender;
  char *peer;
  char *json;
  char *plot;
} Options;

/* What the options mean. */
typedef struct {
  BenchSettings settings;
  GPtrArray *modes;             /* of const BenchMode */
  guint n_systems;
  guint runs;
} Plan;

static int G_GNUC_PRINTF (1, 2)
wrong_usage (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("bravis bench group: %s\n", text);
  return WRONG_USAGE;
}

static const BenchMode *
find_mode (const char *name)
{
  const BenchMode *mode;

  for (guint i = 0; (mode = bench_mode_get (i)); i++)
    if (g_str_equal (mode->name, name))
      return mode;
  return NULL;
}

static int
plan_modes (const Options *options, Plan *plan)
{
  g_auto (GStrv) names = g_strsplit (options->modes ? options->modes
      : ALL_MODES, ",", -1);

  plan->modes = g_ptr_array_new ();
  for (guint i = 0; names[i]; i++) {
    const BenchMode *mode = find_mode (names[i]);

    if (!mode)
      return wrong_usage ("--mode=%s: must be throughput, ping-pong, crash, join "
          "or memory, or several with commas between them", names[i]);
    g_ptr_array_add (plan->modes, (gpointer) mode);
  }
  return DONE;
}

static int
plan_sizes (const Options *options, Plan *plan)
{
  g_auto (GStrv) words = g_strsplit (options->sizes ? options->sizes
      : "64,320,1600", ",", -1);

  plan->settings.sizes = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; words[i]; i++) {
    guint64 value;
    guint size;

    if (!g_ascii_string_to_unsigned (words[i], 10, BENCH_MIN_SIZE, MAX_SIZE,
            &value, NULL))
      return wrong_usage ("--size=%s: must be numbers from %d to %d", words[i],
          BENCH_MIN_SIZE, MAX_SIZE);
    size = value;
    g_array_append_val (plan->settings.sizes, size);
  }
  return DONE;
}

static int
plan_numbers (const Options *options, Plan *plan)
{
  if (options->members < 2 || options->members > MAX_MEMBERS)
    return wrong_usage ("--members=%d: must be 2 to %d", options->members,
        MAX_MEMBERS);
  if (!(options->loss >= 0 && options->loss <= 50))
    return wrong_usage ("--loss=%g: must be 0 to 50 (%%)", options->loss);
  if (options->level != 3)
    return wrong_usage ("--level=%d: this version knows level 3 only, where all "
        "is protected", options->level);
  if (options->runs < 1 || options->round_trips < 1 || options->messages < 10
      || !(options->seconds > 0))
    return wrong_usage ("--runs, --round-trips and --seconds must be above 0, "
        "--messages at least 10");
  if (options->sender && !g_str_equal (options->sender, "first")
      && !g_str_equal (options->sender, "last"))
    return wrong_usage ("--sender=%s: must be first or last", options->sender);
  if (options->peer && !g_str_equal (options->peer, "corosync"))
    return wrong_usage ("--peer=%s: only corosync can be measured beside this",
        options->peer);
  plan->settings.members = options->members;
  plan->settings.loss = options->loss / 100;
  plan->settings.seconds = options->seconds;
  plan->settings.round_trips = options->round_trips;
  plan->settings.messages = options->messages;
  plan->settings.first_sends = g_strcmp0 (options->sender, "first") == 0;
  plan->runs = options->runs;
  plan->n_systems = options->peer ? 2 : 1;
  return DONE;
}

static void
plan_clear (Plan *plan)
{
  g_clear_pointer (&plan->modes, g_ptr_array_unref);
  g_clear_pointer (&plan->settings.sizes, g_array_unref);
}

/* One after the other in each run, so that what the machine does besides hits
 * both alike. */
static gboolean
measure_mode (const Plan *plan, const BenchMode *mode, BenchReport *report,
    GError **error)
{
  for (guint run = 1; run <= plan->runs; run++)
    for (guint system = 0; system < plan->n_systems; system++) {
      g_printerr ("%s, %u members, run %u of %u: %s\n", mode->name,
          plan->settings.members, run, plan->runs,
          bench_system_to_string (system));
      if (!mode->run (system, &plan->settings, run, report, error)) {
        g_prefix_error (error, "%s: ", mode->name);
        return FALSE;
      }
    }
  return TRUE;
}

static gboolean
measure (Plan *plan, BenchReport *report, GError **error)
{
  g_autofree char *directory = g_dir_make_tmp ("bravis-bench-XXXXXX", error);
  g_autoptr (BenchPlace) place = NULL;
  gboolean done = directory != NULL;

  bench_catch_signals ();
  for (guint i = 0; done && i < plan->n_systems; i++)
    done = bench_system_check (i, error);
  if (done)
    place = bench_place_new (plan->settings.members + 1,
        plan->n_systems > 1 || plan->settings.loss > 0, plan->settings.loss,
        error);
  plan->settings.directory = directory;
  plan->settings.place = place;
  for (guint i = 0; place && done && i < plan->modes->len; i++)
    done = measure_mode (plan, g_ptr_array_index (plan->modes, i), report,
        error);
  if (directory)
    bravis_remove_directory (directory);
  return place && done;
}

static int
measure_and_show (Plan *plan, const Options *options, const char *command)
{
  g_autoptr (BenchReport) report = bench_report_new ();
  g_autoptr (GError) error = NULL;
  gboolean done = measure (plan, report, &error);

  /* What was measured before something failed is not lost. */
  bench_report_print (report);
  if (done && options->json)
    done = bench_report_write_json (report, options->json, command, &error);
  if (done && options->plot)
    done = bench_report_plot (report, options->plot, &error);
  if (!done)
    g_printerr ("bravis bench group: %s\n", error->message);
  return done ? DONE : FAILED;
}

static int
run_group (int argc, char **argv)
{
  Options options = { .members = 3, .level = 3, .runs = 5, .seconds = 2,
    .round_trips = 2000, .messages = 10000000 };
  const GOptionEntry entries[] = {
    { "members", 'n', 0, G_OPTION_ARG_INT, &options.members,
      "members of the group (3)", "N" },
    { "size", 's', 0, G_OPTION_ARG_STRING, &options.sizes,
      "bytes of a message (64,320,1600)", "N,N" },
    { "mode", 'm', 0, G_OPTION_ARG_STRING, &options.modes,
      "what to measure: throughput, ping-pong, crash, join, memory (all but the "
      "last)", "MODE,MODE" },
    { "loss", 0, 0, G_OPTION_ARG_DOUBLE, &options.loss,
      "datagrams that are lost, in % (0); needs root", "N" },
    { "level", 0, 0, G_OPTION_ARG_INT, &options.level,
      "security level (3, the only one there is)", "N" },
    { "runs", 'r', 0, G_OPTION_ARG_INT, &options.runs,
      "runs, of which the median counts (5)", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &options.seconds,
      "time of sending for each size (2)", "N" },
    { "round-trips", 0, 0, G_OPTION_ARG_INT, &options.round_trips,
      "round trips (2000)", "N" },
    { "messages", 0, 0, G_OPTION_ARG_INT64, &options.messages,
      "messages, for memory (10000000)", "N" },
    { "sender", 0, 0, G_OPTION_ARG_STRING, &options.sender,
      "who sends: the first member, which gives the order, or the last (last)",
      "first|last" },
    { "peer", 0, 0, G_OPTION_ARG_STRING, &options.peer,
      "measure corosync beside it, encrypted alike; needs root", "corosync" },
    { "json", 0, 0, G_OPTION_ARG_FILENAME, &options.json,
      "write all figures to FILE", "FILE" },
    { "plot", 0, 0, G_OPTION_ARG_FILENAME, &options.plot,
      "draw the medians to FILE.svg or FILE.png", "FILE" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char *command = g_strjoinv (" ", argv);
  g_autofree char *whole = g_strconcat ("bravis bench ", command, NULL);
  g_autoptr (GError) error = NULL;
  Plan plan = { 0 };
  int result;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, "Measures group communication among real "
      "peers, each a process of its own.");
  g_option_context_set_description (context, "Progress goes to standard error, a "
      "table of medians to standard output. With --peer or --loss each\nmember "
      "has a network namespace of its own, otherwise all are on the loopback "
      "interface.\n");
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return wrong_usage ("%s", error->message);
  if (argc > 1)
    return wrong_usage ("unexpected argument “%s”", argv[1]);
  result = plan_numbers (&options, &plan);
  if (result == DONE)
    result = plan_modes (&options, &plan);
  if (result == DONE)
    result = plan_sizes (&options, &plan);
  if (result == DONE)
    result = measure_and_show (&plan, &options, whole);
  plan_clear (&plan);
  g_free (options.sizes);
  g_free (options.modes);
  g_free (options.sender);
  g_free (options.peer);
  g_free (options.json);
  g_free (options.plot);
  return result;
}

static int
usage (FILE *out)
{
  fprintf (out, "Usage: bravis bench media|group|keys|puzzle [OPTION...]\n\n"
      "  media    processor time to protect media, beside srtpenc and others\n"
      "  group    group communication: throughput, round trips, crash, join\n"
      "  keys     processor time of key changes, by group size\n"
      "  puzzle   the cipher Puzzle, beside AES and ChaCha20\n\n"
      "“bravis bench media --help” shows the options of the first, and so on.\n");
  return out == stdout ? DONE : WRONG_USAGE;
}

int
bravis_bench_main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "member") == 0)
    return bench_bravis_member_main (argv[2]);
  if (argc >= 2 && strcmp (argv[1], "group") == 0)
    return run_group (argc - 1, argv + 1);
  if (argc >= 2 && strcmp (argv[1], "keys") == 0)
    return bench_keys_main (argc - 1, argv + 1);
  if (argc >= 2 && strcmp (argv[1], "media") == 0)
    return bench_media_main (argc - 1, argv + 1);
  if (argc >= 2 && strcmp (argv[1], "puzzle") == 0)
    return bench_puzzle_main (argc - 1, argv + 1);
  if (argc >= 2 && strcmp (argv[1], "--help") == 0)
    return usage (stdout);
  return usage (stderr);
}
