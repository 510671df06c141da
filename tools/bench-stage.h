/* bench-stage.h: elements that buffers are pushed through, one thread, no queue
 *
 * What comes out goes to a pad that lets go of it at once, or keeps it.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define BENCH_STAGE_MAX 2       /* elements one after the other */

/* One element, as in gst-launch, and its pads. */
typedef struct {
  const char *line;             /* NULL: there is none */
  const char *sink, *src;       /* a sink pad that is not there is requested */
} BenchElement;

typedef struct _BenchStage BenchStage;

/* @elements: the first NULL line ends them; none: the pads are linked to each other.
 * Data flow from here on. */
BenchStage *bench_stage_new (const BenchElement elements[BENCH_STAGE_MAX],
    GstCaps *caps, GError **error);
void bench_stage_free (BenchStage *stage);

/* Pushes all of @buffers, which are taken, in lists of @list; 1: one by one. Adds to
 * @ns the processor's time, to @latencies (of double, µs) how long each push took. */
gboolean bench_stage_push (BenchStage *stage, GPtrArray *buffers, guint list,
    double *ns, GArray *latencies, GError **error);

/* What comes out is kept from now on; taken by the caller. */
void bench_stage_keep (BenchStage *stage);
GPtrArray *bench_stage_take (BenchStage *stage);
GstCaps *bench_stage_dup_caps (BenchStage *stage);      /* of what comes out */

/* Of all that came out so far. */
guint64 bench_stage_get_n_out (const BenchStage *stage);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchStage, bench_stage_free)

G_END_DECLS
