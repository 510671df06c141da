/* bench-modes.h: what `bravis bench group` measures
 *
 *   throughput  one member sends as fast as the group takes it; the time until the
 *               last of these messages is delivered at the last of the members
 *   ping-pong   the second member (of two, the first) multicasts, the last one answers
 *               with a multicast
 *   crash       the first member is killed; the time until the last of the others
 *               has the view without it
 *   join        from the invitation (bravis), or the start of the daemon
 *               (corosync), until all have the view with the newcomer
 *   memory      resident memory of the member that has most, after a tenth of the
 *               messages and after all of them
 */
#pragma once

#include "bench-report.h"

G_BEGIN_DECLS

typedef struct {
  guint members;
  GArray *sizes;                /* of guint */
  double loss;
  double seconds;               /* of sending, for each size */
  guint round_trips;
  guint64 messages;             /* for memory */
  gboolean first_sends;         /* the member that orders; otherwise the last */
  BenchPlace *place;            /* with a node more than members, for a newcomer */
  const char *directory;
} BenchSettings;

typedef struct {
  const char *name;
  /* Makes one cluster, measures, adds to the report. */
  gboolean (*run) (BenchSystem system, const BenchSettings *settings, guint run,
      BenchReport *report, GError **error);
} BenchMode;

/* NULL: there are no more. */
const BenchMode *bench_mode_get (guint index);

G_END_DECLS
