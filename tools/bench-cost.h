/* bench-cost.h: one measurement of what protecting media costs */
#pragma once

#include "bench-load.h"

G_BEGIN_DECLS

typedef enum {
  BENCH_ENCRYPT,
  BENCH_DECRYPT,
  BENCH_BOTH,
  BENCH_N_DIRECTIONS
} BenchDirection;

const char *bench_direction_to_string (BenchDirection direction);

typedef struct {
  const BenchProtection *protection;    /* NULL: nothing is done to the buffers */
  BenchDirection direction;
  const BenchLoad *load;
  BenchShape shape;
  BenchLayout layout;
  guint list;                   /* buffers of a list; 1: they come one by one */
  guint streams;                /* threads, each with elements of its own */
  gsize total;                  /* octets that each is given, about */
} BenchSetup;

/* A buffer's, the mean over all streams and buffers. */
typedef struct {
  double ns;                    /* processor */
  double wall;                  /* ns, of the slowest stream */
  double p50, p99, most;        /* µs that a push took */
} BenchCost;

/* FALSE also where less came out than went in. */
gboolean bench_cost_measure (const BenchSetup *setup, BenchCost *cost,
    GError **error);

/* ns for the cipher alone, and for copying, of @size octets; of @total in all. */
double bench_cost_measure_raw (const char *provider, BravisAeadAlgorithm algorithm,
    guint size, gsize total);
double bench_cost_measure_copy (guint size, gsize total);

G_END_DECLS
