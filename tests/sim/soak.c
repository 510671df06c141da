/* Schedules without end: what the tests do, for as long as there is time. */
#include <signal.h>
#include <stdio.h>

#include "sim-run.h"

#define DESCRIPTION \
  "Odd ones of the schedules have crashes, even ones also pauses and cuts. Each that\n" \
  "breaks a guarantee is printed with how to replay it. Ctrl-C ends early.\n" \
  "\n" \
  "Exit status: 0 nothing was wrong, 1 something was, 2 wrong options."

#define PROGRESS (10 * G_USEC_PER_SEC)

static volatile sig_atomic_t interrupted;

static void
interrupt (G_GNUC_UNUSED int number)
{
  interrupted = 1;
}

static void
say_progress (gint64 done, gint64 all, gint64 n_wrong, gint64 time)
{
  g_printerr ("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " schedules, %.0f a"
      " second, %" G_GINT64_FORMAT " wrong\n", done, all,
      done * 1e6 / MAX (time, 1), n_wrong);
}

static int
soak (gint64 first, gint64 n)
{
  gint64 began = g_get_monotonic_time (), said = began, now = began;
  gint64 done = 0, n_wrong = 0;

  while (done < n && !interrupted) {
    g_autofree char *wrong = sim_run_schedule (first + done / 2,
        done % 2 == 0 ? SIM_SCHEDULE_CRASHES : SIM_SCHEDULE_PARTITIONS);

    done++;
    if (wrong) {
      g_print ("%s\n", wrong);
      n_wrong++;
    }
    now = g_get_monotonic_time ();
    if (now - said >= PROGRESS) {
      say_progress (done, n, n_wrong, now - began);
      said = now;
    }
  }
  g_print ("%" G_GINT64_FORMAT " schedules, seeds %" G_GINT64_FORMAT " to %"
      G_GINT64_FORMAT ", %.0f s: %" G_GINT64_FORMAT " wrong\n", done, first,
      first + MAX (done - 1, 0) / 2, (now - began) / 1e6, n_wrong);
  return n_wrong > 0;
}

int
main (int argc, char **argv)
{
  gint64 seed = 1, n = 1000000;
  const GOptionEntry entries[] = {
    {"schedules", 0, 0, G_OPTION_ARG_INT64, &n,
        "How many (default: 1000000)", "N"},
    {"seed", 0, 0, G_OPTION_ARG_INT64, &seed,
        "The first seed (default: 1)", "S"},
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context,
      "Runs simulated groups and checks their histories.");
  g_option_context_set_description (context, DESCRIPTION);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("soak: %s\n", error->message);
    return 2;
  }
  if (argc > 1 || n < 0 || seed < 0) {
    g_printerr ("soak: see --help\n");
    return 2;
  }
  setvbuf (stdout, NULL, _IOLBF, 0);
  sim_run_name_what_dies ();
  signal (SIGINT, interrupt);
  return soak (seed, n);
}
