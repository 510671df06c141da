/* bravis-worker.h: a thread that does an element's slow work in order
 *
 * What the session says comes in the session's thread, RTCP in the socket's, and
 * neither may be kept waiting by pads being added or events going upstream
 * through somebody's pipeline. They hand it to the element's worker.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _BravisWorker BravisWorker;

BravisWorker *bravis_worker_new (const char *name);

/* Waits for what is running and ends the thread. What is still to be run, or
 * given later, is not run. Not from the worker itself; twice does no harm. */
void bravis_worker_stop (BravisWorker *worker);

/* Stops; what was not run is dropped (its @destroy is called). */
void bravis_worker_free (BravisWorker *worker);

/* Runs @function once in the worker, after everything given before. */
void bravis_worker_call (BravisWorker *worker, GSourceOnceFunc function,
    gpointer data, GDestroyNotify destroy);
void bravis_worker_call_later (BravisWorker *worker, guint milliseconds,
    GSourceOnceFunc function, gpointer data, GDestroyNotify destroy);

/* As bravis_worker_call (), but FALSE, and nothing done (not even @destroy),
 * where BRAVIS_WORKER_MAX_PENDING such calls wait already: for what the network
 * can cause. */
#define BRAVIS_WORKER_MAX_PENDING 256
gboolean bravis_worker_try_call (BravisWorker *worker,
    GSourceOnceFunc function, gpointer data, GDestroyNotify destroy);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisWorker, bravis_worker_free)

G_END_DECLS
