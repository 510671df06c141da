/* The checker bites: the engine is broken at one place at a time (gcp-fault.h), and
 * within some schedules the checker has to say what is wrong, by the logs of that
 * schedule too.
 *
 *   sim-gcp-faults --survey N [--only FAULT]
 *                                  how many of N schedules find it, as what
 */
#include "../../gcp/gcp-fault.h"
#include "sim-log-replay.h"

#include <string.h>

GcpFault gcp_fault = GCP_FAULT_NONE;

typedef struct {
  const char *name;
  GcpFault fault;
  SimScheduleKind kind;
  const char *guarantees;       /* any of these is broken */
  guint most;                   /* schedules until it is found */
} Fault;

#define CRASHES SIM_SCHEDULE_CRASHES
#define PARTITIONS SIM_SCHEDULE_PARTITIONS

static const Fault faults[] = {
  {"lost_forgotten", GCP_FAULT_LOST_FORGOTTEN, CRASHES, "liveness:", 200},
  {"safe_as_agreed", GCP_FAULT_SAFE_AS_AGREED, CRASHES, "safe:", 500},
  {"receipt_too_high", GCP_FAULT_RECEIPT_TOO_HIGH, CRASHES,
        "safe:,liveness:,thrown out:", 1000},
  {"last_first", GCP_FAULT_LAST_FIRST, CRASHES, "integrity:", 200},
  {"log_forgetful", GCP_FAULT_LOG_FORGETFUL, CRASHES,
        "safe:,total order:,liveness:,thrown out:", 1000},
  {"pending_kept", GCP_FAULT_PENDING_KEPT, CRASHES,
        "integrity:,sending view:,liveness:", 1000},
  {"begun_forgotten", GCP_FAULT_BEGUN_FORGOTTEN, CRASHES,
        "integrity:,liveness:", 1000},
  {"begun_continued", GCP_FAULT_BEGUN_CONTINUED, CRASHES,
        "integrity:,same set:,liveness:", 1000},
  {"impatient", GCP_FAULT_IMPATIENT, CRASHES, "thrown out:", 500},
  {"cut_too_short", GCP_FAULT_CUT_TOO_SHORT, CRASHES,
        "same set:,integrity:", 500},
  {"cut_not_delivered", GCP_FAULT_CUT_NOT_DELIVERED, CRASHES,
        "same set:,integrity:", 200},
  {"appended_twice", GCP_FAULT_APPENDED_TWICE, CRASHES,
        "integrity:,liveness:", 500},
  {"appended_mixed", GCP_FAULT_APPENDED_MIXED, CRASHES, "same set:", 500},
  {"not_appended", GCP_FAULT_NOT_APPENDED, CRASHES, "sending view:", 500},
  {"commit_early", GCP_FAULT_COMMIT_EARLY, CRASHES,
        "agreement:,same set:,safe:,thrown out:,liveness:", 1000},
  {"prepared_forgotten", GCP_FAULT_PREPARED_FORGOTTEN, CRASHES,
        "agreement:", 1000},
  {"left_is_failed", GCP_FAULT_LEFT_IS_FAILED, CRASHES, "thrown out:", 200},
  {"always_primary", GCP_FAULT_ALWAYS_PRIMARY, PARTITIONS, "primary:", 500},
};

static gboolean
is_expected (const Fault *fault, const char *wrong)
{
  g_auto (GStrv) expected = g_strsplit (fault->guarantees, ",", -1);

  for (guint i = 0; expected[i]; i++)
    if (g_str_has_prefix (wrong, expected[i]))
      return TRUE;
  return FALSE;
}

static void
test_fault_is_found (gconstpointer data)
{
  const Fault *fault = data;

  gcp_fault = fault->fault;
  for (guint64 seed = 1; seed <= fault->most; seed++) {
    g_autofree char *wrong =
        sim_schedule_run (seed, fault->kind, FALSE, NULL);

    if (!wrong || !is_expected (fault, wrong))
      continue;
    g_test_message ("found by seed %" G_GUINT64_FORMAT ": %s", seed, wrong);
    sim_log_replay_assert (seed, fault->kind, wrong);
    return;
  }
  g_test_message ("not found in %u schedules", fault->most);
  g_test_fail ();
}

/* What each of @n schedules makes of @fault, as one line. */
static void
survey (const Fault *fault, guint n)
{
  g_autoptr (GHashTable) counts =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) line = g_string_new (NULL);
  GHashTableIter iter;
  gpointer name, count;
  guint64 first = 0;
  guint n_expected = 0;

  gcp_fault = fault->fault;
  for (guint64 seed = 1; seed <= n; seed++) {
    g_autofree char *wrong =
        sim_schedule_run (seed, fault->kind, FALSE, NULL);
    char *guarantee;

    if (!wrong)
      continue;
    if (is_expected (fault, wrong)) {
      n_expected++;
      first = first ? first : seed;
    }
    guarantee = g_strndup (wrong, strcspn (wrong, ":"));
    count = g_hash_table_lookup (counts, guarantee);
    g_hash_table_insert (counts, guarantee,
        GUINT_TO_POINTER (GPOINTER_TO_UINT (count) + 1));
  }
  g_hash_table_iter_init (&iter, counts);
  while (g_hash_table_iter_next (&iter, &name, &count))
    g_string_append_printf (line, ", %s %u", (const char *) name,
        GPOINTER_TO_UINT (count));
  g_print ("%-20s first %4" G_GUINT64_FORMAT ", %u of %u%s\n", fault->name,
      first, n_expected, n, line->str);
}

int
main (int argc, char **argv)
{
  gint n_survey = 0;
  g_autofree char *only = NULL;
  const GOptionEntry entries[] = {
    {"survey", 0, 0, G_OPTION_ARG_INT, &n_survey,
        "Say what each of N schedules makes of the faults", "N"},
    {"only", 0, 0, G_OPTION_ARG_STRING, &only, "... of this one", "FAULT"},
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_ignore_unknown_options (context, TRUE);
  g_option_context_parse (context, &argc, &argv, NULL);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++) {
    g_autofree char *path = g_strdup_printf ("/sim/gcp/found_out/%s",
        faults[i].name);

    if (only && strcmp (only, faults[i].name) != 0)
      continue;
    if (n_survey > 0)
      survey (&faults[i], n_survey);
    else
      g_test_add_data_func (path, &faults[i], test_fault_is_found);
  }
  return n_survey > 0 ? 0 : g_test_run ();
}
