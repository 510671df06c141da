/* bench-cluster.h: a group whose members are processes
 *
 * Makes what they need in a directory (an authority and certificates, or a
 * cluster's key and configuration), starts them, tells them what to do
 * (bench-member.h) and waits for what they find. Used from one thread.
 */
#pragma once

#include "bench-place.h"

G_BEGIN_DECLS

typedef enum { BENCH_BRAVIS, BENCH_COROSYNC, BENCH_N_SYSTEMS } BenchSystem;

const char *bench_system_to_string (BenchSystem system);

/* From now on SIGINT and SIGTERM make whatever waits fail, so that all that was
 * started and made is ended and taken away. */
void bench_catch_signals (void);

/* Whether it can be measured on this machine. */
gboolean bench_system_check (BenchSystem system, GError **error);

typedef struct _BenchCluster BenchCluster;

/* @n_members are started and agree on a view of all; further ones are for
 * bench_cluster_add_member (). Borrows @place, which has @n_nodes nodes. */
BenchCluster *bench_cluster_new (BenchSystem system, BenchPlace *place,
    const char *directory, guint n_members, guint n_nodes, GError **error);
/* Ends all processes and waits for that. */
void bench_cluster_free (BenchCluster *cluster);

guint bench_cluster_get_n_members (BenchCluster *cluster);

gboolean bench_cluster_tell (BenchCluster *cluster, guint member,
    GError **error, const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Starts one more; @start: when its joining began (µs, monotonic). */
gboolean bench_cluster_add_member (BenchCluster *cluster, gint64 *start,
    GError **error);

/* Kills a member and says when. */
gint64 bench_cluster_kill (BenchCluster *cluster, guint member);

/* Waits until all that live have a view of @n_members; @last: when the last of
 * them got it. */
gboolean bench_cluster_await_view (BenchCluster *cluster, guint n_members,
    gint64 *last, GError **error);

/* The words that the member says of @run, the first of them @word. Owned by the
 * cluster until the next call. Waits for at most @seconds. */
const char *const *bench_cluster_await_words (BenchCluster *cluster,
    guint member, const char *word, guint run, double seconds, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchCluster, bench_cluster_free)

G_END_DECLS
