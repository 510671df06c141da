#include "bravis-worker.h"

struct _BravisWorker {
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  gint pending;                 /* atomic: of bravis_worker_try_call () */
};

typedef struct {
  GSourceOnceFunc function;
  gpointer data;
  GDestroyNotify destroy;
  gint *pending;                /* to be counted down, or NULL */
} Call;

static gpointer
run (gpointer data)
{
  BravisWorker *worker = data;

  g_main_context_push_thread_default (worker->context);
  g_main_loop_run (worker->loop);
  g_main_context_pop_thread_default (worker->context);
  return NULL;
}

BravisWorker *
bravis_worker_new (const char *name)
{
  BravisWorker *worker = g_new0 (BravisWorker, 1);

  worker->context = g_main_context_new ();
  worker->loop = g_main_loop_new (worker->context, FALSE);
  worker->thread = g_thread_new (name, run, worker);
  return worker;
}

static gboolean
quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

void
bravis_worker_stop (BravisWorker *worker)
{
  GSource *source;

  if (!worker->thread)
    return;
  source = g_idle_source_new ();
  /* From inside the loop: a quit before the loop runs would be lost. */
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, quit, worker->loop, NULL);
  g_source_attach (source, worker->context);
  g_source_unref (source);
  g_thread_join (g_steal_pointer (&worker->thread));
}

void
bravis_worker_free (BravisWorker *worker)
{
  bravis_worker_stop (worker);
  g_main_loop_unref (worker->loop);
  g_main_context_unref (worker->context);
  g_free (worker);
}

static gboolean
run_call (gpointer data)
{
  Call *call = data;

  call->function (call->data);
  return G_SOURCE_REMOVE;
}

static void
free_call (gpointer data)
{
  Call *call = data;

  if (call->pending)
    g_atomic_int_add (call->pending, -1);
  if (call->destroy)
    call->destroy (call->data);
  g_free (call);
}

static void
attach (BravisWorker *worker, GSource *source, GSourceOnceFunc function,
    gpointer data, GDestroyNotify destroy, gint *pending)
{
  Call *call = g_new0 (Call, 1);

  call->function = function;
  call->data = data;
  call->destroy = destroy;
  call->pending = pending;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, run_call, call, free_call);
  g_source_attach (source, worker->context);
  g_source_unref (source);
}

void
bravis_worker_call (BravisWorker *worker, GSourceOnceFunc function,
    gpointer data, GDestroyNotify destroy)
{
  attach (worker, g_idle_source_new (), function, data, destroy, NULL);
}

void
bravis_worker_call_later (BravisWorker *worker, guint milliseconds,
    GSourceOnceFunc function, gpointer data, GDestroyNotify destroy)
{
  attach (worker, g_timeout_source_new (milliseconds), function, data, destroy,
      NULL);
}

gboolean
bravis_worker_try_call (BravisWorker *worker, GSourceOnceFunc function,
    gpointer data, GDestroyNotify destroy)
{
  if (g_atomic_int_add (&worker->pending, 1) >= BRAVIS_WORKER_MAX_PENDING) {
    g_atomic_int_add (&worker->pending, -1);
    return FALSE;
  }
  attach (worker, g_idle_source_new (), function, data, destroy,
      &worker->pending);
  return TRUE;
}
