#include "bench-statistics.h"

#include <math.h>

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

double
bench_median (GArray *values)
{
  g_autoptr (GArray) sorted = g_array_copy (values);
  guint n = sorted->len;

  if (n == 0)
    return NAN;
  g_array_sort (sorted, compare);
  return (g_array_index (sorted, double, (n - 1) / 2)
      + g_array_index (sorted, double, n / 2)) / 2;
}

double
bench_percentile (GArray *values, double share)
{
  g_autoptr (GArray) sorted = g_array_copy (values);
  guint n = sorted->len;

  if (n == 0)
    return NAN;
  g_array_sort (sorted, compare);
  return g_array_index (sorted, double, MIN ((guint) (share * n), n - 1));
}
