/* bench-canvas.h: what all plots share: a file to draw into, letters, colours */
#pragma once

#include <cairo.h>
#include <gio/gio.h>

G_BEGIN_DECLS

#define BENCH_CANVAS_N_COLOURS 8

/* Makes FILE.svg or else a PNG, white, as @draw draws it. Lengths are pixels. */
gboolean bench_canvas_draw (const char *file, double width, double height,
    void (*draw) (cairo_t *cr, gpointer user_data), gpointer user_data,
    GError **error);

/* How wide @text will be, in the letters that everything is written in. */
double bench_canvas_measure (const char *text);

void bench_canvas_write (cairo_t *cr, double x, double y, const char *text);
void bench_canvas_set_colour (cairo_t *cr, guint index);        /* any number */

G_END_DECLS
