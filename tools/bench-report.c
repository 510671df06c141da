#include "bench-report.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

typedef struct {
  guint run;
  double value;
} Figure;

typedef struct {
  BenchSubject subject;
  GArray *figures[BENCH_N_SYSTEMS];     /* of Figure */
} Row;

struct _BenchReport {
  GPtrArray *rows;              /* of Row */
};

static void
row_free (gpointer data)
{
  Row *row = data;

  for (guint i = 0; i < BENCH_N_SYSTEMS; i++)
    g_array_unref (row->figures[i]);
  g_free (row);
}

BenchReport *
bench_report_new (void)
{
  BenchReport *report = g_new0 (BenchReport, 1);

  report->rows = g_ptr_array_new_with_free_func (row_free);
  return report;
}

void
bench_report_free (BenchReport *report)
{
  g_ptr_array_unref (report->rows);
  g_free (report);
}

static gboolean
is_same (const BenchSubject *a, const BenchSubject *b)
{
  return g_str_equal (a->mode, b->mode) && a->members == b->members
      && a->size == b->size && a->loss == b->loss
      && g_str_equal (a->metric, b->metric);
}

static Row *
need_row (BenchReport *report, const BenchSubject *subject)
{
  Row *row;

  for (guint i = 0; i < report->rows->len; i++) {
    row = g_ptr_array_index (report->rows, i);
    if (is_same (&row->subject, subject))
      return row;
  }
  row = g_new0 (Row, 1);
  row->subject = *subject;
  for (guint i = 0; i < BENCH_N_SYSTEMS; i++)
    row->figures[i] = g_array_new (FALSE, FALSE, sizeof (Figure));
  g_ptr_array_add (report->rows, row);
  return row;
}

void
bench_report_add (BenchReport *report, BenchSystem system,
    const BenchSubject *subject, guint run, double value)
{
  Figure figure = { run, value };

  g_array_append_val (need_row (report, subject)->figures[system], figure);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = ((const Figure *) a)->value, y = ((const Figure *) b)->value;

  return (x > y) - (x < y);
}

static double
get_median (GArray *figures)
{
  g_autoptr (GArray) sorted = g_array_copy (figures);
  guint n = sorted->len;

  if (n == 0)
    return NAN;
  g_array_sort (sorted, compare);
  return (g_array_index (sorted, Figure, (n - 1) / 2).value
      + g_array_index (sorted, Figure, n / 2).value) / 2;
}

gboolean
bench_report_get (BenchReport *report, guint index, BenchSubject *subject,
    double medians[BENCH_N_SYSTEMS])
{
  Row *row;

  if (index >= report->rows->len)
    return FALSE;
  row = g_ptr_array_index (report->rows, index);
  *subject = row->subject;
  for (guint i = 0; i < BENCH_N_SYSTEMS; i++)
    medians[i] = get_median (row->figures[i]);
  return TRUE;
}

char *
bench_subject_describe (const BenchSubject *subject)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%s, %u members", subject->mode,
      subject->members);
  if (subject->size > 0)
    g_string_append_printf (text, ", %u bytes", subject->size);
  if (subject->loss > 0)
    g_string_append_printf (text, ", %g %% loss", subject->loss * 100);
  g_string_append_printf (text, ": %s", subject->metric);
  return g_string_free (text, FALSE);
}

/* --- a table --- */

static void
print_value (double value)
{
  if (isnan (value))
    printf (" %11s", "-");
  else
    printf (" %11.*f", value >= 1000 ? 0 : value >= 10 ? 1 : 3, value);
}

void
bench_report_print (BenchReport *report)
{
  double medians[BENCH_N_SYSTEMS];
  BenchSubject subject;

  printf ("%-58s %-10s %11s %11s %7s\n", "medians", "unit", "bravis",
      "corosync", "ratio");
  for (guint i = 0; bench_report_get (report, i, &subject, medians); i++) {
    g_autofree char *text = bench_subject_describe (&subject);

    printf ("%-58s %-10s", text, subject.unit);
    for (guint k = 0; k < BENCH_N_SYSTEMS; k++)
      print_value (medians[k]);
    if (isnan (medians[BENCH_COROSYNC]) || isnan (medians[BENCH_BRAVIS]))
      printf (" %7s\n", "-");
    else
      printf (" %7.2f\n", medians[BENCH_BRAVIS] / medians[BENCH_COROSYNC]);
  }
}

/* --- JSON --- */

/* What stands behind the first "@key :" in /proc/cpuinfo. */
static char *
get_processor (void)
{
  g_autofree char *text = NULL;
  const char *at;

  if (!g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL)
      || !(at = strstr (text, "model name")) || !(at = strchr (at, ':')))
    return g_strdup ("unknown");
  return g_strstrip (g_strndup (at + 1, strcspn (at + 1, "\n")));
}

static void
add_text (JsonBuilder *builder, const char *name, const char *text)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text);
}

static void
add_number (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  if (isnan (value))
    json_builder_add_null_value (builder);
  else
    json_builder_add_double_value (builder, value);
}

static void
add_integer (JsonBuilder *builder, const char *name, guint value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static char *
get_corosync_version (void)
{
  g_autofree char *said = NULL;

  if (!g_spawn_command_line_sync ("corosync -v", &said, NULL, NULL, NULL))
    return NULL;
  said[strcspn (said, "\n")] = '\0';
  return g_steal_pointer (&said);
}

static void
add_machine (JsonBuilder *builder)
{
  g_autofree char *processor = get_processor ();
  g_autofree char *corosync = get_corosync_version ();
  struct utsname system;

  uname (&system);
  json_builder_set_member_name (builder, "machine");
  json_builder_begin_object (builder);
  add_text (builder, "processor", processor);
  add_integer (builder, "processors", g_get_num_processors ());
  add_text (builder, "kernel", system.release);
  json_builder_end_object (builder);
  json_builder_set_member_name (builder, "versions");
  json_builder_begin_object (builder);
  add_text (builder, "bravis", BRAVIS_VERSION);
  if (corosync)
    add_text (builder, "corosync", corosync);
  json_builder_end_object (builder);
}

static void
add_subject (JsonBuilder *builder, const BenchSubject *subject)
{
  add_text (builder, "mode", subject->mode);
  add_integer (builder, "members", subject->members);
  if (subject->size > 0)
    add_integer (builder, "size", subject->size);
  add_number (builder, "loss", subject->loss);
  add_text (builder, "metric", subject->metric);
  add_text (builder, "unit", subject->unit);
}

static void
add_runs (JsonBuilder *builder, const Row *row)
{
  for (guint k = 0; k < BENCH_N_SYSTEMS; k++)
    for (guint i = 0; i < row->figures[k]->len; i++) {
      Figure *figure = &g_array_index (row->figures[k], Figure, i);

      json_builder_begin_object (builder);
      add_text (builder, "system", bench_system_to_string (k));
      add_subject (builder, &row->subject);
      add_integer (builder, "run", figure->run);
      add_number (builder, "value", figure->value);
      json_builder_end_object (builder);
    }
}

static void
add_medians (JsonBuilder *builder, const Row *row)
{
  double bravis = get_median (row->figures[BENCH_BRAVIS]);
  double corosync = get_median (row->figures[BENCH_COROSYNC]);

  json_builder_begin_object (builder);
  add_subject (builder, &row->subject);
  add_number (builder, "bravis", bravis);
  add_number (builder, "corosync", corosync);
  add_number (builder, "ratio", bravis / corosync);
  json_builder_end_object (builder);
}

gboolean
bench_report_write_json (BenchReport *report, const char *file,
    const char *command, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_text (builder, "command", command);
  add_machine (builder);
  json_builder_set_member_name (builder, "medians");
  json_builder_begin_array (builder);
  for (guint i = 0; i < report->rows->len; i++)
    add_medians (builder, g_ptr_array_index (report->rows, i));
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "runs");
  json_builder_begin_array (builder);
  for (guint i = 0; i < report->rows->len; i++)
    add_runs (builder, g_ptr_array_index (report->rows, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  return json_generator_to_file (generator, file, error);
}
