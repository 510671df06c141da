#include "bench-report.h"

#include "bench-json.h"
#include "bench-statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

static double
get_median (GArray *figures)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < figures->len; i++)
    g_array_append_val (values, g_array_index (figures, Figure, i).value);
  return bench_median (values);
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
add_subject (JsonBuilder *builder, const BenchSubject *subject)
{
  bench_json_add_text (builder, "mode", subject->mode);
  bench_json_add_integer (builder, "members", subject->members);
  if (subject->size > 0)
    bench_json_add_integer (builder, "size", subject->size);
  bench_json_add_number (builder, "loss", subject->loss);
  bench_json_add_text (builder, "metric", subject->metric);
  bench_json_add_text (builder, "unit", subject->unit);
}

static void
add_runs (JsonBuilder *builder, const Row *row)
{
  for (guint k = 0; k < BENCH_N_SYSTEMS; k++)
    for (guint i = 0; i < row->figures[k]->len; i++) {
      Figure *figure = &g_array_index (row->figures[k], Figure, i);

      json_builder_begin_object (builder);
      bench_json_add_text (builder, "system", bench_system_to_string (k));
      add_subject (builder, &row->subject);
      bench_json_add_integer (builder, "run", figure->run);
      bench_json_add_number (builder, "value", figure->value);
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
  bench_json_add_number (builder, "bravis", bravis);
  bench_json_add_number (builder, "corosync", corosync);
  bench_json_add_number (builder, "ratio", bravis / corosync);
  json_builder_end_object (builder);
}

gboolean
bench_report_write_json (BenchReport *report, const char *file,
    const char *command, GError **error)
{
  g_autoptr (JsonBuilder) builder = bench_json_begin (command);
  g_autofree char *corosync = get_corosync_version ();

  if (corosync)
    bench_json_add_text (builder, "corosync", corosync);
  bench_json_end_versions (builder);
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
  return bench_json_write (builder, file, error);
}
