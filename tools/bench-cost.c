#include "bench-cost.h"

#include "bench-statistics.h"

#include <gio/gio.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define MAX_BUFFERS 20000               /* of a measurement */
#define MAX_BATCH (1024 * 1024)         /* octets that are made, then pushed */
#define BATCH 256                       /* buffers, at most */
#define WARM_UP 2                       /* batches */

static const char *const directions[BENCH_N_DIRECTIONS] = {
  "encrypt", "decrypt", "both"
};

/* One stream. */
typedef struct {
  const BenchSetup *setup;
  BenchStage *source;           /* protects what will be opened; NULL: not needed */
  BenchStage *timed;
  guint n_pushed;
  double ns;
  GArray *latencies;            /* of double, µs; of pushes */
  guint n;                      /* buffers whose time was taken */
  pthread_barrier_t *start;
  GError *error;
} Worker;

const char *
bench_direction_to_string (BenchDirection direction)
{
  return directions[direction];
}

static guint
get_batch (const BenchSetup *setup)
{
  guint n = CLAMP (MAX_BATCH / bench_load_get_size (setup->load, setup->shape), 1,
      BATCH);

  return (n + setup->list - 1) / setup->list * setup->list;
}

/* What the timed elements are given. NULL: an error. */
static GPtrArray *
make_batch (Worker *worker, guint n)
{
  const BenchSetup *setup = worker->setup;
  g_autoptr (GPtrArray) plain = bench_load_make (setup->load, setup->shape,
      setup->layout, worker->n_pushed, n);
  g_autoptr (GArray) ignored = NULL;
  GPtrArray *protected;
  double ns;

  worker->n_pushed += n;
  if (!worker->source)
    return g_steal_pointer (&plain);
  ignored = g_array_new (FALSE, FALSE, sizeof (double));
  if (!bench_stage_push (worker->source, plain, setup->list, &ns, ignored,
          &worker->error))
    return NULL;
  protected = bench_stage_take (worker->source);
  g_ptr_array_set_free_func (protected, NULL);
  return protected;
}

static gboolean
open_stages (Worker *worker)
{
  static const BenchElement nothing[BENCH_STAGE_MAX];
  const BenchSetup *setup = worker->setup;
  const BenchProtection *protection = setup->protection;
  GstCaps *plain = bench_load_get_caps (setup->load, setup->shape);
  g_autoptr (GstCaps) caps = gst_caps_ref (plain);
  BenchElement elements[BENCH_STAGE_MAX] = { { 0 } };

  if (!protection) {
    worker->timed = bench_stage_new (nothing, plain, &worker->error);
    return worker->timed != NULL;
  }
  bench_protection_choose_provider (protection);
  elements[0] = protection->encrypt;
  if (setup->direction == BENCH_DECRYPT) {
    worker->source = bench_stage_new (elements, plain, &worker->error);
    if (!worker->source)
      return FALSE;
    bench_stage_keep (worker->source);
    gst_caps_take (&caps, bench_stage_dup_caps (worker->source));
    elements[0] = protection->decrypt;
  } else if (setup->direction == BENCH_BOTH) {
    elements[1] = protection->decrypt;
  }
  worker->timed = bench_stage_new (elements, caps, &worker->error);
  return worker->timed != NULL;
}

static gboolean
push_batch (Worker *worker, double *ns, GArray *latencies)
{
  g_autoptr (GPtrArray) batch = make_batch (worker, get_batch (worker->setup));

  return batch && bench_stage_push (worker->timed, batch, worker->setup->list,
      ns, latencies, &worker->error);
}

static gboolean
push_all (Worker *worker)
{
  guint batch = get_batch (worker->setup);
  guint n = CLAMP (worker->setup->total / bench_load_get_size (worker->setup->load,
          worker->setup->shape), batch, MAX_BUFFERS);

  for (; worker->n < n; worker->n += batch)
    if (!push_batch (worker, &worker->ns, worker->latencies))
      return FALSE;
  return TRUE;
}

static gpointer
work (gpointer data)
{
  Worker *worker = data;
  g_autoptr (GArray) ignored = g_array_new (FALSE, FALSE, sizeof (double));
  double ns = 0;
  gboolean good = TRUE;

  for (guint i = 0; good && i < WARM_UP; i++)
    good = push_batch (worker, &ns, ignored);
  pthread_barrier_wait (worker->start);
  if (good && push_all (worker)
      && bench_stage_get_n_out (worker->timed) < worker->n_pushed)
    g_set_error (&worker->error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "of %u buffers %" G_GUINT64_FORMAT " came out", worker->n_pushed,
        bench_stage_get_n_out (worker->timed));
  return NULL;
}

static void
run_workers (Worker *workers, guint n)
{
  g_autofree GThread **threads = g_new (GThread *, n);
  pthread_barrier_t start;

  pthread_barrier_init (&start, NULL, n);
  for (guint i = 0; i < n; i++)
    workers[i].start = &start;
  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("bench", work, &workers[i]);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
  pthread_barrier_destroy (&start);
}

static double
get_sum (GArray *values)
{
  double sum = 0;

  for (guint i = 0; i < values->len; i++)
    sum += g_array_index (values, double, i);
  return sum;
}

static void
add_up (Worker *workers, guint n, BenchCost *cost)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (double));

  *cost = (BenchCost) { 0 };
  for (guint i = 0; i < n; i++) {
    GArray *latencies = workers[i].latencies;

    cost->ns += workers[i].ns / workers[i].n / n;
    cost->wall = MAX (cost->wall, get_sum (latencies) * 1e3 / workers[i].n);
    g_array_append_vals (all, latencies->data, latencies->len);
  }
  cost->p50 = bench_percentile (all, 0.5);
  cost->p99 = bench_percentile (all, 0.99);
  cost->most = bench_percentile (all, 1);
}

static void
worker_clear (Worker *worker)
{
  g_clear_pointer (&worker->source, bench_stage_free);
  g_clear_pointer (&worker->timed, bench_stage_free);
  g_array_unref (worker->latencies);
}

gboolean
bench_cost_measure (const BenchSetup *setup, BenchCost *cost, GError **error)
{
  g_autofree Worker *workers = g_new0 (Worker, setup->streams);
  gboolean good = TRUE;

  for (guint i = 0; i < setup->streams; i++) {
    workers[i].setup = setup;
    workers[i].latencies = g_array_new (FALSE, FALSE, sizeof (double));
    good = good && open_stages (&workers[i]);
  }
  if (good)
    run_workers (workers, setup->streams);
  for (guint i = 0; i < setup->streams; i++)
    if (workers[i].error) {
      if (good || !*error)
        g_propagate_error (error, workers[i].error);
      good = FALSE;
    }
  if (good)
    add_up (workers, setup->streams, cost);
  for (guint i = 0; i < setup->streams; i++)
    worker_clear (&workers[i]);
  return good;
}

/* --- without elements --- */

static double
get_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

static guint
get_n (guint size, gsize total)
{
  return CLAMP (total / size, 64, MAX_BUFFERS);
}

double
bench_cost_measure_raw (const char *provider, BravisAeadAlgorithm algorithm,
    guint size, gsize total)
{
  guint8 key[32] = { 1 }, nonce[BRAVIS_AEAD_NONCE_SIZE] = { 0 };
  g_autoptr (BravisAead) aead = bravis_aead_new_by (provider, algorithm, key);
  g_autofree guint8 *data = g_malloc0 (size + BRAVIS_AEAD_TAG_SIZE);
  guint n = get_n (size, total);
  double began = 0;

  for (guint i = 0; i < n + n / 10; i++) {
    if (i == n / 10)
      began = get_time ();
    memcpy (nonce, &i, sizeof i);
    bravis_aead_encrypt (aead, nonce, nonce, sizeof nonce, NULL, 0, data, size,
        data + size);
  }
  return (get_time () - began) / n;
}

double
bench_cost_measure_copy (guint size, gsize total)
{
  g_autofree guint8 *from = g_malloc0 (size), *to = g_malloc0 (size);
  guint n = get_n (size, total);
  double began = get_time ();

  for (guint i = 0; i < n; i++) {
    memcpy (to, from, size);
    __asm__ volatile ("" : : "r" (to) : "memory");
  }
  return (get_time () - began) / n;
}
