/* bench-statistics.h: medians, and what a share of values does not exceed */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @values: of double, in any order, which is kept. NAN where there are none. */
double bench_median (GArray *values);
double bench_percentile (GArray *values, double share);

G_END_DECLS
