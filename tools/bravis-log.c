/* bravis-log.c: prints membership logs, checks that nothing was altered or taken out,
 * and holds those of several members against each other */
#include "bravis-log.h"

#include "log-check.h"

#define MAX_LOG (256 * 1024 * 1024)     /* octets of a file */

enum { RIGHT = 0, WRONG = 1, WRONG_USAGE = 2 };

static gboolean
read_file (LogCheck *check, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *contents = NULL;
  gsize size;

  if (!g_file_get_contents (file, &contents, &size, &error)) {
    g_printerr ("bravis log: %s\n", error->message);
    return FALSE;
  }
  if (size > MAX_LOG || !log_check_read (check, file, contents, size)) {
    g_printerr ("bravis log: %s: is no membership log\n", file);
    return FALSE;
  }
  return TRUE;
}

static int
run (char **files, const char *authorities, gboolean quiet)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisTrust) trust = authorities
      ? bravis_trust_load (authorities, NULL, &error) : NULL;
  g_autoptr (LogCheck) check = NULL;

  if (error) {
    g_printerr ("bravis log: %s\n", error->message);
    return WRONG_USAGE;
  }
  check = log_check_new (trust, quiet);
  for (guint i = 0; files[i]; i++)
    if (!read_file (check, files[i]))
      return WRONG_USAGE;
  log_check_compare (check);
  g_print ("%u files, %u keys, %u faults%s\n", g_strv_length (files),
      log_check_get_n_epochs (check), log_check_get_n_wrong (check), trust ? ""
      : "; certificates were not checked (--trust)");
  return log_check_get_n_wrong (check) > 0 ? WRONG : RIGHT;
}

int
bravis_log_main (int argc, char **argv)
{
  g_autofree char *trust = NULL;
  g_auto (GStrv) files = NULL;
  gboolean quiet = FALSE;
  const GOptionEntry entries[] = {
    { "trust", 't', 0, G_OPTION_ARG_FILENAME, &trust,
      "check the owners' certificates against these authorities", "FILE" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "only say what is wrong", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL,
      "FILE..." },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context, "Prints the membership logs of peers "
      "([group] log=FILE), and checks that nothing\nin them was altered or taken "
      "out, and that those of several members agree.");
  g_option_context_set_description (context, "Exit status: 0 nothing is wrong, 1 "
      "something is, 2 a file cannot be read or wrong options.\n");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || !files) {
    g_printerr ("bravis log: %s\n", error ? error->message
        : "expected the file of a membership log");
    return WRONG_USAGE;
  }
  return run (files, trust, quiet);
}
