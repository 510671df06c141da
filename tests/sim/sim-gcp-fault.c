/* The checker bites: this program is built with engines that are broken in one
 * place each (see meson.build), and fails unless the checker says what is wrong
 * within some schedules, and by the logs of that schedule too. */
#include "sim-log-replay.h"

#define MOST_SCHEDULES 500

static void
test_broken_engine_is_found_out (void)
{
  g_auto (GStrv) expected = g_strsplit (SIM_FAULT_FOUND_AS, ",", -1);

  for (guint64 seed = 1; seed <= MOST_SCHEDULES; seed++) {
    g_autofree char *wrong =
        sim_schedule_run (seed, SIM_SCHEDULE_CRASHES, FALSE, NULL);

    for (guint i = 0; wrong && expected[i]; i++)
      if (g_str_has_prefix (wrong, expected[i])) {
        g_test_message ("found by seed %" G_GUINT64_FORMAT ": %s", seed,
            wrong);
        sim_log_replay_assert (seed, SIM_SCHEDULE_CRASHES, wrong);
        return;
      }
  }
  g_test_message ("not found in %u schedules", MOST_SCHEDULES);
  g_test_fail ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim/gcp/" SIM_FAULT_NAME "_is_found_out",
      test_broken_engine_is_found_out);
  return g_test_run ();
}
