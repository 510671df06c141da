#include "bench-modes.h"

#include "bench-member.h"
#include "bench-statistics.h"

#include <stdio.h>

#define WARM_UP_SECONDS 0.3
#define WARM_UP_ROUND_TRIPS 200

/* How long something may take beyond the time that it should, in s. */
#define PATIENCE 120.0

/* The bars for round trips have messages of this size. */
#define PING_SIZE 200

static BenchCluster *
make_cluster (BenchSystem system, const BenchSettings *settings,
    guint n_newcomers, GError **error)
{
  return bench_cluster_new (system, settings->place, settings->directory,
      settings->members, settings->members + n_newcomers, error);
}

static void
add (BenchReport *report, BenchSystem system, const BenchSettings *settings,
    guint run, const char *mode, guint size, const char *metric,
    const char *unit, double value)
{
  BenchSubject subject = { mode, settings->members, size, settings->loss,
    metric, unit };

  bench_report_add (report, system, &subject, run, value);
}

/* --- sending --- */

/* What came of one burst. */
typedef struct {
  double rate;                  /* messages/s */
  double memory;                /* KiB, of the member that has most */
} Burst;

static gboolean
send_burst (BenchCluster *cluster, const BenchSettings *settings, guint number,
    guint size, double seconds, guint64 n, Burst *burst, GError **error)
{
  guint n_members = bench_cluster_get_n_members (cluster);
  guint sender = settings->first_sends ? 0 : n_members - 1;
  double patience = PATIENCE + seconds + n / 1000.0;
  const char *const *words;
  gint64 start, end = 0;
  guint64 n_sent;

  if (!bench_cluster_tell (cluster, sender, error, "send %u %u %f %"
          G_GUINT64_FORMAT, number, size, seconds, n)
      || !(words = bench_cluster_await_words (cluster, sender, "sent", number,
              patience, error)))
    return FALSE;
  n_sent = g_ascii_strtoull (words[2], NULL, 10);
  start = g_ascii_strtoll (words[3], NULL, 10);
  burst->memory = 0;
  for (guint i = 0; i < n_members; i++) {
    words = bench_cluster_await_words (cluster, i, "end", number, patience,
        error);
    if (!words)
      return FALSE;
    if (g_ascii_strtoull (words[2], NULL, 10) != n_sent) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%" G_GUINT64_FORMAT
          " messages were sent, member %u got %s", n_sent, i, words[2]);
      return FALSE;
    }
    end = MAX (end, g_ascii_strtoll (words[3], NULL, 10));
    burst->memory = MAX (burst->memory, g_ascii_strtod (words[4], NULL));
  }
  burst->rate = n_sent * (double) G_USEC_PER_SEC / (end - start);
  return TRUE;
}

static gboolean
run_throughput (BenchSystem system, const BenchSettings *settings, guint run,
    BenchReport *report, GError **error)
{
  g_autoptr (BenchCluster) cluster = make_cluster (system, settings, 0,
      error);
  guint number = 1;
  Burst burst;

  for (guint i = 0; cluster && i < settings->sizes->len; i++) {
    guint size = g_array_index (settings->sizes, guint, i);

    if (!send_burst (cluster, settings, number++, size, WARM_UP_SECONDS, 0,
            &burst, error)
        || !send_burst (cluster, settings, number++, size, settings->seconds, 0,
            &burst, error))
      return FALSE;
    add (report, system, settings, run, "throughput", size, "rate",
        "messages/s", burst.rate);
  }
  return cluster != NULL;
}

static gboolean
run_memory (BenchSystem system, const BenchSettings *settings, guint run,
    BenchReport *report, GError **error)
{
  g_autoptr (BenchCluster) cluster = make_cluster (system, settings, 0,
      error);
  guint size = g_array_index (settings->sizes, guint, 0);
  Burst early, late;

  if (!cluster
      || !send_burst (cluster, settings, 1, size, 0, settings->messages / 10,
          &early, error)
      || !send_burst (cluster, settings, 2, size, 0,
          settings->messages - settings->messages / 10, &late, error))
    return FALSE;
  add (report, system, settings, run, "memory", size, "after a tenth", "KiB",
      early.memory);
  add (report, system, settings, run, "memory", size, "after all", "KiB",
      late.memory);
  return TRUE;
}

/* --- round trips --- */

static GArray *
measure_round_trips (BenchCluster *cluster, guint number, guint size, guint n,
    GError **error)
{
  guint pinger = bench_cluster_get_n_members (cluster) > 2 ? 1 : 0;
  const char *const *words;
  GArray *times;

  if (!bench_cluster_tell (cluster, pinger, error, "ping %u %u %u", number,
          size, n)
      || !(words = bench_cluster_await_words (cluster, pinger, "rtts", number,
              PATIENCE + n, error)))
    return NULL;
  times = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 2; words[i]; i++) {
    double time = g_ascii_strtoll (words[i], NULL, 10) / 1e3;

    g_array_append_val (times, time);
  }
  return times;
}

static gboolean
run_ping_pong (BenchSystem system, const BenchSettings *settings, guint run,
    BenchReport *report, GError **error)
{
  g_autoptr (BenchCluster) cluster = make_cluster (system, settings, 0,
      error);
  g_autoptr (GArray) warm_up = NULL;
  g_autoptr (GArray) times = NULL;

  if (!cluster || !bench_cluster_tell (cluster,
          bench_cluster_get_n_members (cluster) - 1, error, "answer")
      || !(warm_up = measure_round_trips (cluster, 1, PING_SIZE,
              WARM_UP_ROUND_TRIPS, error))
      || !(times = measure_round_trips (cluster, 2, PING_SIZE,
              settings->round_trips, error)))
    return FALSE;
  add (report, system, settings, run, "ping-pong", PING_SIZE, "p50", "ms",
      bench_percentile (times, 0.5));
  add (report, system, settings, run, "ping-pong", PING_SIZE, "p99", "ms",
      bench_percentile (times, 0.99));
  add (report, system, settings, run, "ping-pong", PING_SIZE, "max", "ms",
      bench_percentile (times, 1));
  return TRUE;
}

/* --- views --- */

static gboolean
run_crash (BenchSystem system, const BenchSettings *settings, guint run,
    BenchReport *report, GError **error)
{
  g_autoptr (BenchCluster) cluster = make_cluster (system, settings, 0,
      error);
  gint64 start, last;

  if (!cluster)
    return FALSE;
  start = bench_cluster_kill (cluster, 0);
  if (!bench_cluster_await_view (cluster, settings->members - 1, &last, error))
    return FALSE;
  add (report, system, settings, run, "crash", 0, "to view", "ms",
      (last - start) / 1000.0);
  return TRUE;
}

static gboolean
run_join (BenchSystem system, const BenchSettings *settings, guint run,
    BenchReport *report, GError **error)
{
  g_autoptr (BenchCluster) cluster = make_cluster (system, settings, 1,
      error);
  gint64 start, last;

  if (!cluster || !bench_cluster_add_member (cluster, &start, error)
      || !bench_cluster_await_view (cluster, settings->members + 1, &last,
          error))
    return FALSE;
  add (report, system, settings, run, "join", 0, "to view", "ms",
      (last - start) / 1000.0);
  return TRUE;
}

const BenchMode *
bench_mode_get (guint index)
{
  static const BenchMode modes[] = {
    { "throughput", run_throughput },
    { "ping-pong", run_ping_pong },
    { "crash", run_crash },
    { "join", run_join },
    { "memory", run_memory },
  };

  return index < G_N_ELEMENTS (modes) ? &modes[index] : NULL;
}
