#include "sim-run.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* What runs; made before, as nothing can be made while dying. */
static char last_words[80];

static void
name_and_die (int number)
{
  /* Where this cannot be written either, nothing more can be done. */
  (void) !write (STDERR_FILENO, last_words, strlen (last_words));
  signal (number, SIG_DFL);
  raise (number);
}

void
sim_run_name_what_dies (void)
{
  static const int numbers[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    signal (numbers[i], name_and_die);
}

char *
sim_run_schedule (guint64 seed, SimScheduleKind kind)
{
  g_autofree char *wrong = NULL;

  g_autofree char *replay = g_strdup_printf ("sim-gcp --seed %"
      G_GUINT64_FORMAT "%s", seed,
      kind == SIM_SCHEDULE_PARTITIONS ? " --partitions" : "");

  g_snprintf (last_words, sizeof last_words, "died in: %s\n", replay);
  wrong = sim_schedule_run (seed, kind, FALSE, NULL);
  last_words[0] = '\0';
  return wrong ? g_strdup_printf ("%s: %s", replay, wrong) : NULL;
}
