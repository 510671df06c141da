/* bench-media-report.h: what protecting media costs, as a table, CSV, JSON, curves */
#pragma once

#include "bench-cost.h"

G_BEGIN_DECLS

typedef struct _BenchMediaReport BenchMediaReport;

BenchMediaReport *bench_media_report_new (void);
void bench_media_report_free (BenchMediaReport *report);

/* @nothing: the same without elements, of the same run. @raw: ns of the cipher alone;
 * NAN: not known. */
void bench_media_report_add (BenchMediaReport *report, const BenchSetup *setup,
    const BenchCost *cost, const BenchCost *nothing, double raw);

/* The cipher alone, or a copy (@cipher "-"). */
void bench_media_report_add_raw (BenchMediaReport *report, const char *element,
    const char *cipher, const char *provider, guint size, double ns);

void bench_media_report_print (BenchMediaReport *report);
gboolean bench_media_report_write_csv (BenchMediaReport *report,
    const char *file, GError **error);
gboolean bench_media_report_write_json (BenchMediaReport *report,
    const char *file, const char *command, GError **error);
gboolean bench_media_report_plot (BenchMediaReport *report, const char *file,
    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchMediaReport, bench_media_report_free)

G_END_DECLS
