#include "sim-log-replay.h"

#include <glib/gstdio.h>
#include <string.h>

#include "sim-log-reader.h"

char *
sim_log_replay_make_directory (void)
{
  g_autoptr (GError) error = NULL;
  char *directory = g_dir_make_tmp ("sim-log-XXXXXX", &error);

  g_assert_no_error (error);
  return directory;
}

void
sim_log_replay_remove_directory (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (directory, name, NULL);

    g_unlink (path);
  }
  g_rmdir (directory);
}

static char **
list_logs (const char *directory)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  g_autofree char *world = g_build_filename (directory, "world.log", NULL);

  for (guint i = 0;; i++) {
    g_autofree char *path = g_strdup_printf ("%s/%u.log", directory, i);

    if (!g_file_test (path, G_FILE_TEST_EXISTS))
      break;
    g_strv_builder_add (paths, path);
  }
  g_strv_builder_add (paths, world);
  return g_strv_builder_end (paths);
}

/* What stands in brackets at the end is where in which log it is to be seen. */
static void
cut_witnesses (char *wrong)
{
  char *bracket = wrong ? strstr (wrong, " [") : NULL;

  if (bracket)
    *bracket = '\0';
}

void
sim_log_replay_assert (guint64 seed, SimScheduleKind kind, const char *wrong)
{
  g_autofree char *directory = sim_log_replay_make_directory ();
  g_autofree char *run = sim_schedule_run (seed, kind, FALSE, directory);
  g_autoptr (SimHistory) history = sim_history_new ();
  g_autoptr (GString) notes = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) paths = list_logs (directory);
  g_autofree char *read = NULL;

  g_assert_cmpstr (run, ==, wrong);
  sim_log_read (history, paths, notes, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (notes->str, ==, "");
  read = sim_schedule_judge (history, kind);
  cut_witnesses (read);
  g_assert_cmpstr (read, ==, wrong);
  sim_log_replay_remove_directory (directory);
}
