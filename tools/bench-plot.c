/* A row of bars for each subject: the systems side by side. */
#include "bench-canvas.h"
#include "bench-report.h"

#include <math.h>

#define WIDTH 900
#define LEFT 420                /* where bars begin */
#define ROW 40
#define BAR 14
#define TOP 40

static void
draw_bar (cairo_t *cr, double y, guint colour, double share,
    double value, const char *unit)
{
  g_autofree char *text = g_strdup_printf ("%.*f %s", value >= 100 ? 0 : 3,
      value, unit);
  double length = share * (WIDTH - LEFT - 140);

  bench_canvas_set_colour (cr, colour);
  cairo_rectangle (cr, LEFT, y, length, BAR);
  cairo_fill (cr);
  bench_canvas_write (cr, LEFT + length + 6, y + BAR - 3, text);
}

static void
draw_row (cairo_t *cr, double y, const BenchSubject *subject,
    const double medians[BENCH_N_SYSTEMS])
{
  g_autofree char *text = bench_subject_describe (subject);
  double most = 0;

  for (guint k = 0; k < BENCH_N_SYSTEMS; k++)
    most = fmax (most, medians[k]);     /* NAN is no number to fmax */
  bench_canvas_write (cr, 10, y + BAR + 3, text);
  for (guint k = 0; k < BENCH_N_SYSTEMS; k++)
    if (!isnan (medians[k]))
      draw_bar (cr, y + k * (BAR + 2), k,
          most > 0 ? medians[k] / most : 0, medians[k], subject->unit);
}

static void
draw (cairo_t *cr, gpointer user_data)
{
  BenchReport *report = user_data;
  double medians[BENCH_N_SYSTEMS];
  BenchSubject subject;

  for (guint k = 0; k < BENCH_N_SYSTEMS; k++) {
    bench_canvas_set_colour (cr, k);
    cairo_rectangle (cr, LEFT + k * 120, 12, BAR, BAR);
    cairo_fill (cr);
    bench_canvas_write (cr, LEFT + k * 120 + BAR + 6, 24, bench_system_to_string (k));
  }
  for (guint i = 0; bench_report_get (report, i, &subject, medians); i++)
    draw_row (cr, TOP + i * ROW, &subject, medians);
}

gboolean
bench_report_plot (BenchReport *report, const char *file, GError **error)
{
  double medians[BENCH_N_SYSTEMS];
  BenchSubject subject;
  guint n = 0;

  while (bench_report_get (report, n, &subject, medians))
    n++;
  return bench_canvas_draw (file, WIDTH, TOP + n * ROW, draw, report, error);
}
