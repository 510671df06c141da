/* bench-report.h: the figures of a measurement, and how they are shown */
#pragma once

#include "bench-cluster.h"

G_BEGIN_DECLS

/* What is measured, in which group. Strings are static. */
typedef struct {
  const char *mode;
  guint members;
  guint size;                   /* bytes of a message; 0: does not matter */
  double loss;                  /* of each datagram, 0 to 1 */
  const char *metric;
  const char *unit;
} BenchSubject;

typedef struct _BenchReport BenchReport;

BenchReport *bench_report_new (void);
void bench_report_free (BenchReport *report);

void bench_report_add (BenchReport *report, BenchSystem system,
    const BenchSubject *subject, guint run, double value);

/* Subjects in the order in which they came; of each, the systems' medians; NAN
 * where there are no figures. FALSE: there are no more. */
gboolean bench_report_get (BenchReport *report, guint index,
    BenchSubject *subject, double medians[BENCH_N_SYSTEMS]);

/* "throughput, 3 members, 64 bytes, messages/s". To be freed. */
char *bench_subject_describe (const BenchSubject *subject);

void bench_report_print (BenchReport *report);
gboolean bench_report_write_json (BenchReport *report, const char *file,
    const char *command, GError **error);

/* bench-plot.c: bars, to FILE.svg or FILE.png */
gboolean bench_report_plot (BenchReport *report, const char *file,
    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchReport, bench_report_free)

G_END_DECLS
