/* bench-load.h: the buffers that are protected: of one size, or of a real stream */
#pragma once

#include "bench-protection.h"

G_BEGIN_DECLS

/* How buffers lie in memory. */
typedef enum {
  BENCH_ROOM,                   /* one memory, with the room that the ALLOCATION
                                 * query asks for */
  BENCH_TIGHT,                  /* one memory, without */
  BENCH_SPLIT,                  /* header and payload apart, as payloaders make them */
  BENCH_N_LAYOUTS
} BenchLayout;

const char *bench_layout_to_string (BenchLayout layout);

typedef struct _BenchLoad BenchLoad;

BenchLoad *bench_load_new_of_size (guint size);

/* @stream: "h264" or "opus", from a Matroska file. Frames, or what payloaders make
 * of them. */
BenchLoad *bench_load_new_of_clip (const char *file, const char *stream,
    GError **error);
void bench_load_free (BenchLoad *load);

const char *bench_load_get_name (const BenchLoad *load);        /* "1200", "h264" */
guint bench_load_get_size (const BenchLoad *load, BenchShape shape);    /* octets, the
                                                                         * mean */
gboolean bench_load_is_of_size (const BenchLoad *load);

/* RTP packets are no larger than networks take them. */
gboolean bench_load_has_shape (const BenchLoad *load, BenchShape shape);
GstCaps *bench_load_get_caps (const BenchLoad *load, BenchShape shape);

/* @n fresh buffers, from the @from-th on. */
GPtrArray *bench_load_make (const BenchLoad *load, BenchShape shape,
    BenchLayout layout, guint from, guint n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchLoad, bench_load_free)

G_END_DECLS
