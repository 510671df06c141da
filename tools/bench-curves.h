/* bench-curves.h: curves over one quantity, both axes logarithmic */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _BenchCurves BenchCurves;

BenchCurves *bench_curves_new (const char *title, const char *x_label,
    const char *y_label);
void bench_curves_free (BenchCurves *curves);

/* Points of a curve come in the order of @x. What is not above 0 is not drawn. */
void bench_curves_add (BenchCurves *curves, const char *curve, double x, double y);

/* To FILE.svg or FILE.png. */
gboolean bench_curves_plot (BenchCurves *curves, const char *file, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchCurves, bench_curves_free)

G_END_DECLS
