/* Thousands of histories of groups, each drawn from a seed.
 *
 *   sim-gcp [--schedules N] [--first N]
 *                                  the test: N schedules of each kind, from that
 *                                  seed on
 *   sim-gcp --seed N [--partitions] [--logs DIRECTORY]
 *                                  one of them, with a trace, and logs for
 *                                  check-history
 */
#include "sim-run.h"

static gint n_schedules = 100;
static gint64 first_seed = 1;

static void
run_many (SimScheduleKind kind)
{
  for (gint i = 0; i < n_schedules; i++) {
    g_autofree char *wrong = sim_run_schedule (first_seed + i, kind);

    if (!wrong)
      continue;
    g_test_message ("%s", wrong);
    g_test_fail ();
  }
}

static void
test_guarantees_hold (void)
{
  run_many (SIM_SCHEDULE_CRASHES);
}

static void
test_guarantees_hold_when_members_lose_each_other (void)
{
  run_many (SIM_SCHEDULE_PARTITIONS);
}

/* Histories that broke a promise once: messages behind the cut of a view that is
 * proposed again; a joint view with the number of one of the views before; a member
 * that went on alone and was still heard; a coordinator that was put out, and did not
 * know it, outbid by the next one. */
static void
test_found_ones_stay_mended (void)
{
  static const struct { guint64 seed; SimScheduleKind kind; } found[] = {
    { 920001158, SIM_SCHEDULE_PARTITIONS },
    { 920015412, SIM_SCHEDULE_PARTITIONS },
    { 970006690, SIM_SCHEDULE_PARTITIONS },
    { G_GUINT64_CONSTANT (8000008647), SIM_SCHEDULE_PARTITIONS },
    { G_GUINT64_CONSTANT (11000024051), SIM_SCHEDULE_CRASHES },
  };

  for (guint i = 0; i < G_N_ELEMENTS (found); i++) {
    g_autofree char *wrong = sim_run_schedule (found[i].seed, found[i].kind);

    g_assert_null (wrong);
  }
}

static int
replay (guint64 seed, SimScheduleKind kind, const char *logs)
{
  g_autofree char *wrong = sim_schedule_run (seed, kind, TRUE, logs);

  g_print ("%s\n", wrong ? wrong : "nothing wrong");
  return wrong != NULL;
}

int
main (int argc, char **argv)
{
  gint64 seed = -1;
  gboolean partitions = FALSE;
  g_autofree char *logs = NULL;
  const GOptionEntry entries[] = {
    {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Replay this schedule", "N"},
    {"partitions", 0, 0, G_OPTION_ARG_NONE, &partitions,
        "... with pauses and cuts", NULL},
    {"logs", 0, 0, G_OPTION_ARG_FILENAME, &logs,
        "... and leave logs for check-history there", "DIRECTORY"},
    {"schedules", 0, 0, G_OPTION_ARG_INT, &n_schedules, "How many", "N"},
    {"first", 0, 0, G_OPTION_ARG_INT64, &first_seed, "The first seed", "N"},
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_ignore_unknown_options (context, TRUE);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    return 2;
  }
  if (seed >= 0)
    return replay (seed, partitions ? SIM_SCHEDULE_PARTITIONS
        : SIM_SCHEDULE_CRASHES, logs);
  g_test_init (&argc, &argv, NULL);
  sim_run_name_what_dies ();
  g_test_add_func ("/sim/gcp/found_ones_stay_mended",
      test_found_ones_stay_mended);
  g_test_add_func ("/sim/gcp/guarantees_hold", test_guarantees_hold);
  g_test_add_func ("/sim/gcp/guarantees_hold_when_members_lose_each_other",
      test_guarantees_hold_when_members_lose_each_other);
  return g_test_run ();
}
