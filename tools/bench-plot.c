/* A row of bars for each subject: the systems side by side. */
#include "bench-report.h"

#include <cairo-svg.h>
#include <math.h>

#define WIDTH 900
#define LEFT 420                /* where bars begin */
#define ROW 40
#define BAR 14
#define TOP 40

static const double colours[BENCH_N_SYSTEMS][3] = {
  { 0.13, 0.38, 0.66 }, { 0.85, 0.55, 0.18 }
};

static void
write_text (cairo_t *cr, double x, double y, const char *text)
{
  cairo_set_source_rgb (cr, 0.1, 0.1, 0.1);
  cairo_move_to (cr, x, y);
  cairo_show_text (cr, text);
}

static void
draw_bar (cairo_t *cr, double y, const double *colour, double share,
    double value, const char *unit)
{
  g_autofree char *text = g_strdup_printf ("%.*f %s", value >= 100 ? 0 : 3,
      value, unit);
  double length = share * (WIDTH - LEFT - 140);

  cairo_set_source_rgb (cr, colour[0], colour[1], colour[2]);
  cairo_rectangle (cr, LEFT, y, length, BAR);
  cairo_fill (cr);
  write_text (cr, LEFT + length + 6, y + BAR - 3, text);
}

static void
draw_row (cairo_t *cr, double y, const BenchSubject *subject,
    const double medians[BENCH_N_SYSTEMS])
{
  g_autofree char *text = bench_subject_describe (subject);
  double most = 0;

  for (guint k = 0; k < BENCH_N_SYSTEMS; k++)
    most = fmax (most, medians[k]);     /* NAN is no number to fmax */
  write_text (cr, 10, y + BAR + 3, text);
  for (guint k = 0; k < BENCH_N_SYSTEMS; k++)
    if (!isnan (medians[k]))
      draw_bar (cr, y + k * (BAR + 2), colours[k],
          most > 0 ? medians[k] / most : 0, medians[k], subject->unit);
}

static void
draw (cairo_t *cr, BenchReport *report)
{
  double medians[BENCH_N_SYSTEMS];
  BenchSubject subject;

  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_paint (cr);
  cairo_select_font_face (cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
      CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, 12);
  for (guint k = 0; k < BENCH_N_SYSTEMS; k++) {
    cairo_set_source_rgb (cr, colours[k][0], colours[k][1], colours[k][2]);
    cairo_rectangle (cr, LEFT + k * 120, 12, BAR, BAR);
    cairo_fill (cr);
    write_text (cr, LEFT + k * 120 + BAR + 6, 24, bench_system_to_string (k));
  }
  for (guint i = 0; bench_report_get (report, i, &subject, medians); i++)
    draw_row (cr, TOP + i * ROW, &subject, medians);
}

gboolean
bench_report_plot (BenchReport *report, const char *file, GError **error)
{
  gboolean is_svg = g_str_has_suffix (file, ".svg");
  double medians[BENCH_N_SYSTEMS];
  cairo_surface_t *surface;
  cairo_status_t status;
  BenchSubject subject;
  guint n = 0;
  cairo_t *cr;

  while (bench_report_get (report, n, &subject, medians))
    n++;
  surface = is_svg ? cairo_svg_surface_create (file, WIDTH, TOP + n * ROW)
      : cairo_image_surface_create (CAIRO_FORMAT_RGB24, WIDTH, TOP + n * ROW);
  cr = cairo_create (surface);
  draw (cr, report);
  cairo_destroy (cr);
  if (is_svg)
    cairo_surface_finish (surface);
  status = is_svg ? cairo_surface_status (surface)
      : cairo_surface_write_to_png (surface, file);
  cairo_surface_destroy (surface);
  if (status != CAIRO_STATUS_SUCCESS)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", file,
        cairo_status_to_string (status));
  return status == CAIRO_STATUS_SUCCESS;
}
