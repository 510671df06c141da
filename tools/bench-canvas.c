#include "bench-canvas.h"

#include <cairo-svg.h>

/* Those of Okabe and Ito, which the colour-blind can tell apart. */
static const double colours[BENCH_CANVAS_N_COLOURS][3] = {
  { 0.00, 0.45, 0.70 }, { 0.90, 0.62, 0.00 }, { 0.00, 0.62, 0.45 },
  { 0.84, 0.37, 0.00 }, { 0.80, 0.47, 0.65 }, { 0.34, 0.71, 0.91 },
  { 0.60, 0.55, 0.10 }, { 0.30, 0.30, 0.30 }
};

#define FONT_SIZE 12

static void
choose_font (cairo_t *cr)
{
  cairo_select_font_face (cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
      CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, FONT_SIZE);
}

double
bench_canvas_measure (const char *text)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 1, 1);
  cairo_t *cr = cairo_create (surface);
  cairo_text_extents_t extents;

  choose_font (cr);
  cairo_text_extents (cr, text, &extents);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  return extents.x_advance;
}

void
bench_canvas_write (cairo_t *cr, double x, double y, const char *text)
{
  cairo_set_source_rgb (cr, 0.1, 0.1, 0.1);
  cairo_move_to (cr, x, y);
  cairo_show_text (cr, text);
}

void
bench_canvas_set_colour (cairo_t *cr, guint index)
{
  const double *colour = colours[index % BENCH_CANVAS_N_COLOURS];

  cairo_set_source_rgb (cr, colour[0], colour[1], colour[2]);
}

gboolean
bench_canvas_draw (const char *file, double width, double height,
    void (*draw) (cairo_t *cr, gpointer user_data), gpointer user_data,
    GError **error)
{
  gboolean is_svg = g_str_has_suffix (file, ".svg");
  cairo_surface_t *surface = is_svg
      ? cairo_svg_surface_create (file, width, height)
      : cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cr = cairo_create (surface);
  cairo_status_t status;

  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_paint (cr);
  choose_font (cr);
  draw (cr, user_data);
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
