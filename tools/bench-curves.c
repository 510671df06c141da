#include "bench-curves.h"

#include "bench-canvas.h"

#include <math.h>

#define LEFT 80
#define RIGHT 680               /* the names of curves are right of it */
#define TOP 50
#define BOTTOM 460
#define MARGIN 20               /* right of the names, and below all */
#define NAME (RIGHT + 54)       /* where a name begins */
#define ROW 22                  /* from one name to the next */

typedef struct {
  double x, y;
} Point;

typedef struct {
  char *name;
  GArray *points;               /* of Point */
} Curve;

struct _BenchCurves {
  char *title, *x_label, *y_label;
  GPtrArray *curves;            /* of Curve */
};

/* Where values are on the paper. */
typedef struct {
  Point least, most;
} Scale;

static void
curve_free (gpointer data)
{
  Curve *curve = data;

  g_free (curve->name);
  g_array_unref (curve->points);
  g_free (curve);
}

BenchCurves *
bench_curves_new (const char *title, const char *x_label, const char *y_label)
{
  BenchCurves *curves = g_new0 (BenchCurves, 1);

  curves->title = g_strdup (title);
  curves->x_label = g_strdup (x_label);
  curves->y_label = g_strdup (y_label);
  curves->curves = g_ptr_array_new_with_free_func (curve_free);
  return curves;
}

void
bench_curves_free (BenchCurves *curves)
{
  g_free (curves->title);
  g_free (curves->x_label);
  g_free (curves->y_label);
  g_ptr_array_unref (curves->curves);
  g_free (curves);
}

static Curve *
need_curve (BenchCurves *curves, const char *name)
{
  Curve *curve;

  for (guint i = 0; i < curves->curves->len; i++) {
    curve = curves->curves->pdata[i];
    if (g_str_equal (curve->name, name))
      return curve;
  }
  curve = g_new0 (Curve, 1);
  curve->name = g_strdup (name);
  curve->points = g_array_new (FALSE, FALSE, sizeof (Point));
  g_ptr_array_add (curves->curves, curve);
  return curve;
}

void
bench_curves_add (BenchCurves *curves, const char *curve, double x, double y)
{
  Point point = { x, y };

  if (x > 0 && y > 0)
    g_array_append_val (need_curve (curves, curve)->points, point);
}

static Scale
find_scale (const BenchCurves *curves)
{
  Scale scale = { { G_MAXDOUBLE, G_MAXDOUBLE }, { 0, 0 } };

  for (guint i = 0; i < curves->curves->len; i++) {
    const Curve *curve = curves->curves->pdata[i];

    for (guint k = 0; k < curve->points->len; k++) {
      const Point *point = &g_array_index (curve->points, Point, k);

      scale.least.x = fmin (scale.least.x, point->x);
      scale.least.y = fmin (scale.least.y, point->y);
      scale.most.x = fmax (scale.most.x, point->x);
      scale.most.y = fmax (scale.most.y, point->y);
    }
  }
  scale.least.y = pow (10, floor (log10 (scale.least.y)));
  scale.most.y = fmax (pow (10, ceil (log10 (scale.most.y))),
      10 * scale.least.y);
  scale.most.x = fmax (scale.most.x, 2 * scale.least.x);
  return scale;
}

static double
place (double value, double least, double most, double begin, double end)
{
  return begin + (end - begin) * log (value / least) / log (most / least);
}

static double
place_x (const Scale *scale, double x)
{
  return place (x, scale->least.x, scale->most.x, LEFT, RIGHT);
}

static double
place_y (const Scale *scale, double y)
{
  return place (y, scale->least.y, scale->most.y, BOTTOM, TOP);
}

static void
draw_grid_line (cairo_t *cr, double x1, double y1, double x2, double y2)
{
  cairo_set_source_rgb (cr, 0.85, 0.85, 0.85);
  cairo_set_line_width (cr, 1);
  cairo_move_to (cr, x1, y1);
  cairo_line_to (cr, x2, y2);
  cairo_stroke (cr);
}

static void
draw_grid (cairo_t *cr, const Scale *scale)
{
  char text[32];

  for (double x = scale->least.x; x <= scale->most.x * 1.001; x *= 2) {
    draw_grid_line (cr, place_x (scale, x), TOP, place_x (scale, x), BOTTOM);
    g_snprintf (text, sizeof text, "%g", x);
    bench_canvas_write (cr, place_x (scale, x) - 6, BOTTOM + 18, text);
  }
  for (double y = scale->least.y; y <= scale->most.y * 1.001; y *= 10) {
    draw_grid_line (cr, LEFT, place_y (scale, y), RIGHT, place_y (scale, y));
    g_snprintf (text, sizeof text, "%g", y);
    bench_canvas_write (cr, LEFT - 50, place_y (scale, y) + 4, text);
  }
}

/* Where there are more curves than colours, dashes tell those of one colour apart. */
static void
choose_pen (cairo_t *cr, guint index)
{
  static const double dashes[][2] = { { 8, 4 }, { 2, 3 }, { 14, 3 } };
  guint round = index / BENCH_CANVAS_N_COLOURS;

  bench_canvas_set_colour (cr, index);
  cairo_set_line_width (cr, 2);
  if (round == 0)
    cairo_set_dash (cr, NULL, 0, 0);
  else
    cairo_set_dash (cr, dashes[(round - 1) % G_N_ELEMENTS (dashes)], 2, 0);
}

static void
draw_points (cairo_t *cr, const Scale *scale, const Curve *curve)
{
  cairo_new_path (cr);
  for (guint k = 0; k < curve->points->len; k++) {
    const Point *point = &g_array_index (curve->points, Point, k);

    cairo_line_to (cr, place_x (scale, point->x), place_y (scale, point->y));
  }
  cairo_stroke (cr);
  for (guint k = 0; k < curve->points->len; k++) {
    const Point *point = &g_array_index (curve->points, Point, k);

    cairo_new_path (cr);
    cairo_arc (cr, place_x (scale, point->x), place_y (scale, point->y), 3, 0,
        2 * G_PI);
    cairo_fill (cr);
  }
}

static void
draw_curve (cairo_t *cr, const Scale *scale, const Curve *curve, guint index)
{
  double y = TOP + index * ROW;

  cairo_save (cr);
  choose_pen (cr, index);
  draw_points (cr, scale, curve);
  cairo_move_to (cr, RIGHT + 20, y + 7);
  cairo_line_to (cr, NAME - 8, y + 7);
  cairo_stroke (cr);
  bench_canvas_write (cr, NAME, y + 11, curve->name);
  cairo_restore (cr);
}

static void
draw (cairo_t *cr, gpointer user_data)
{
  BenchCurves *curves = user_data;
  Scale scale = find_scale (curves);

  bench_canvas_write (cr, LEFT, 22, curves->title);
  bench_canvas_write (cr, 10, TOP - 10, curves->y_label);
  bench_canvas_write (cr, RIGHT - 60, BOTTOM + 40, curves->x_label);
  draw_grid (cr, &scale);
  for (guint i = 0; i < curves->curves->len; i++)
    draw_curve (cr, &scale, curves->curves->pdata[i], i);
}

static double
find_width (const BenchCurves *curves)
{
  double width = LEFT + bench_canvas_measure (curves->title);

  for (guint i = 0; i < curves->curves->len; i++) {
    const Curve *curve = curves->curves->pdata[i];

    width = fmax (width, NAME + bench_canvas_measure (curve->name));
  }
  return ceil (width) + MARGIN;
}

gboolean
bench_curves_plot (BenchCurves *curves, const char *file, GError **error)
{
  if (curves->curves->len == 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "%s: nothing to plot", file);
    return FALSE;
  }
  return bench_canvas_draw (file, find_width (curves),
      fmax (BOTTOM + 40, TOP + curves->curves->len * ROW) + MARGIN, draw, curves,
      error);
}
