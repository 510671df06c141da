/* Thousands of histories of groups, each drawn from a seed.
 *
 *   sim-gcp                        the test, as in the suite
 *   sim-gcp --schedules N          N schedules of each kind, for soaks
 *   sim-gcp --first N              from that seed on
 *   sim-gcp --seed N [--partitions] [--logs DIRECTORY]
 *                                  one of them, with a trace, and logs for
 *                                  check-history
 */
#include <stdlib.h>

#include "sim-group.h"

#define N_SCHEDULES 2000
#define N_PARTITIONS 300

static gint n_schedules = N_SCHEDULES;
static gint n_partitions = N_PARTITIONS;
static gint first_seed = 1;

static void
run_many (SimScheduleKind kind, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint64 seed = first_seed + i;
    g_autofree char *wrong = sim_schedule_run (seed, kind, FALSE, NULL);

    if (wrong) {
      g_test_message ("seed %" G_GUINT64_FORMAT "%s: %s", seed,
          kind == SIM_SCHEDULE_PARTITIONS ? " (partitions)" : "", wrong);
      g_test_fail ();
    }
  }
}

static void
test_guarantees_hold (void)
{
  run_many (SIM_SCHEDULE_CRASHES, n_schedules);
}

static void
test_guarantees_hold_when_members_lose_each_other (void)
{
  run_many (SIM_SCHEDULE_PARTITIONS, n_partitions);
}

int
main (int argc, char **argv)
{
  gint seed = -1;
  gint wished = 0;
  gboolean partitions = FALSE;
  g_autofree char *logs = NULL;
  const GOptionEntry entries[] = {
    {"seed", 0, 0, G_OPTION_ARG_INT, &seed, "Replay this schedule", "N"},
    {"partitions", 0, 0, G_OPTION_ARG_NONE, &partitions,
        "... with pauses and cuts", NULL},
    {"logs", 0, 0, G_OPTION_ARG_FILENAME, &logs,
        "... and leave logs for check-history there", "DIRECTORY"},
    {"schedules", 0, 0, G_OPTION_ARG_INT, &wished, "How many", "N"},
    {"first", 0, 0, G_OPTION_ARG_INT, &first_seed, "The first seed", "N"},
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
  if (seed >= 0) {
    g_autofree char *wrong = sim_schedule_run (seed,
        partitions ? SIM_SCHEDULE_PARTITIONS : SIM_SCHEDULE_CRASHES, TRUE,
        logs);

    g_print ("%s\n", wrong ? wrong : "nothing wrong");
    return wrong != NULL;
  }
  if (wished > 0)
    n_schedules = n_partitions = wished;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim/gcp/guarantees_hold", test_guarantees_hold);
  g_test_add_func ("/sim/gcp/guarantees_hold_when_members_lose_each_other",
      test_guarantees_hold_when_members_lose_each_other);
  return g_test_run ();
}
