/* Reads the logs of all processes of a run and says which guarantee of the group
 * communication was broken, and where. */
#include <gio/gio.h>

#include "sim-log-reader.h"

#define DESCRIPTION \
  "The logs of all processes, and that of who ran them, are in the format that\n" \
  "tests/sim/sim-log.h describes. Without --strict members may lose each other\n" \
  "(partitions, long pauses).\n" \
  "\n" \
  "Exit status: 0 nothing is wrong, 1 a guarantee was broken, 2 the logs could\n" \
  "not be read."

int
main (int argc, char **argv)
{
  gboolean strict = FALSE, live = FALSE;
  g_auto (GStrv) paths = NULL;
  const GOptionEntry entries[] = {
    {"strict", 's', 0, G_OPTION_ARG_NONE, &strict,
        "Nothing but crashes, leaves and decisions took members away", NULL},
    {"live", 'l', 0, G_OPTION_ARG_NONE, &live,
        "In the end all was quiet: those left share one view, and have all",
        NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL,
        "LOG..."},
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) notes = g_string_new (NULL);
  g_autoptr (SimHistory) history = sim_history_new ();
  g_autofree char *wrong = NULL;
  gboolean was_read;

  g_option_context_set_summary (context, "Checks the history of a group.");
  g_option_context_set_description (context, DESCRIPTION);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("check-history: %s\n", error->message);
    return 2;
  }
  if (!paths) {
    g_printerr ("check-history: no log is named; see --help\n");
    return 2;
  }
  was_read = sim_log_read (history, paths, notes, &error);
  g_printerr ("%s", notes->str);
  if (!was_read) {
    g_printerr ("check-history: %s\n", error->message);
    return 2;
  }
  wrong = sim_history_check (history, strict);
  if (!wrong && live)
    wrong = sim_history_check_liveness (history);
  if (wrong) {
    g_print ("%s\n", wrong);
    return 1;
  }
  g_print ("nothing wrong: %u processes, %u views, %u deliveries\n",
      sim_history_count_processes (history), sim_history_count_views (history),
      sim_history_count_delivered (history));
  return 0;
}
