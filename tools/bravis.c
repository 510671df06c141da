/* bravis: the command line of the project; each command in a file of its own */
#include "bravis-bench.h"
#include "bravis-ca.h"
#include "bravis-log.h"
#include "bravis-verify.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

static const struct {
  const char *name;
  const char *summary;
  int (*run) (int argc, char **argv);
} commands[] = {
  { "bench", "measures group communication", bravis_bench_main },
  { "ca", "a certificate authority for conferences", bravis_ca_main },
  { "log", "prints and checks membership logs", bravis_log_main },
  { "verify", "checks that nothing is lost, altered or out of order",
    bravis_verify_main },
};

static int
usage (FILE *out)
{
  fprintf (out, "Usage: bravis COMMAND [ARGUMENT...]\n\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (out, "  %-8s %s\n", commands[i].name, commands[i].summary);
  fprintf (out, "\n“bravis COMMAND --help” says more; “bravis --version” which "
      "bravis this is.\n");
  return out == stdout ? 0 : 2;
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  if (argc < 2)
    return usage (stderr);
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0)
    return usage (stdout);
  if (strcmp (argv[1], "--version") == 0) {
    printf ("bravis %s\n", BRAVIS_VERSION);
    return 0;
  }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (argv[1], commands[i].name) == 0)
      return commands[i].run (argc - 1, argv + 1);
  g_printerr ("bravis: unknown command “%s”\n\n", argv[1]);
  return usage (stderr);
}
