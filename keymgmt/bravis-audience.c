#include "bravis-audience.h"

#include "bravis-view-private.h"

/* Refusals and unreachable peers can come at another's will; past this many
 * events that nobody took yet they are not told any more. */
#define MAX_QUEUED_REPORTS 256

/* Events told before the context's own sources have their turn. */
#define BATCH 64

typedef struct {
  guint id;                     /* 0: removed while listeners are called */
  BravisListen listen;
  gpointer user_data;
} Listener;

typedef enum { ITEM_EVENT, ITEM_POKE, ITEM_LISTENER } ItemType;

typedef struct {
  ItemType type;
  BravisEvent event;            /* its strings and epoch are owned */
  Listener listener;
} Item;

struct _BravisAudience {
  BravisListen owner;
  gpointer user_data;
  GThread *thread;
  gpointer own_thread;          /* the same, set by itself; atomic */
  GMainContext *context;

  GMutex lock;                  /* of what follows */
  GQueue queue;                 /* of Item */
  gboolean stopping;
  gboolean asleep;              /* the thread found nothing in the queue */
  guint last_id;
  gsize backlog;                /* bytes of events that were not taken yet */
  gsize watched;                /* ... that are too many */
  gboolean is_behind;           /* there were */
  void (*relief) (gpointer user_data);
  gpointer relief_data;

  GRecMutex calling;            /* of what follows; held while listeners are called */
  GArray *listeners;            /* of Listener */
  GPtrArray *members;           /* of Item, as they joined */
  GPtrArray *streams;           /* of Item, as they were added */
  Item *epoch;                  /* the last */
  Item *verification;           /* of that epoch */
  Item *view;                   /* the last */
};

static void
item_free (gpointer data)
{
  Item *item = data;

  g_clear_pointer (&item->event.epoch, bravis_epoch_unref);
  g_clear_pointer (&item->event.view, bravis_view_unref);
  g_clear_pointer (&item->event.message, g_bytes_unref);
  g_free ((char *) item->event.cause);
  g_free ((char *) item->event.code);
  g_free ((char *) item->event.name);
  g_free ((char *) item->event.by);
  g_free ((char *) item->event.reason);
  g_free ((char *) item->event.description);
  g_free (item);
}

static Item *
item_new_event (const BravisEvent *event)
{
  Item *item = g_new0 (Item, 1);

  item->type = ITEM_EVENT;
  item->event = *event;
  if (event->epoch)
    bravis_epoch_ref (event->epoch);
  if (event->view)
    bravis_view_ref (event->view);
  if (event->message)
    g_bytes_ref (event->message);
  item->event.cause = g_strdup (event->cause);
  item->event.code = g_strdup (event->code);
  item->event.name = g_strdup (event->name);
  item->event.by = g_strdup (event->by);
  item->event.reason = g_strdup (event->reason);
  item->event.description = g_strdup (event->description);
  return item;
}

BravisAudience *
bravis_audience_new (BravisListen owner, gpointer user_data)
{
  BravisAudience *audience = g_new0 (BravisAudience, 1);

  audience->owner = owner;
  audience->user_data = user_data;
  audience->context = g_main_context_new ();
  g_mutex_init (&audience->lock);
  g_queue_init (&audience->queue);
  g_rec_mutex_init (&audience->calling);
  audience->listeners = g_array_new (FALSE, FALSE, sizeof (Listener));
  audience->members = g_ptr_array_new_with_free_func (item_free);
  audience->streams = g_ptr_array_new_with_free_func (item_free);
  return audience;
}

void
bravis_audience_free (BravisAudience *audience)
{
  bravis_audience_stop (audience);
  g_queue_clear_full (&audience->queue, item_free);
  g_clear_pointer (&audience->epoch, item_free);
  g_clear_pointer (&audience->verification, item_free);
  g_clear_pointer (&audience->view, item_free);
  g_ptr_array_unref (audience->streams);
  g_ptr_array_unref (audience->members);
  g_array_unref (audience->listeners);
  g_rec_mutex_clear (&audience->calling);
  g_mutex_clear (&audience->lock);
  g_main_context_unref (audience->context);
  g_free (audience);
}

static gboolean
is_report (const Item *item)
{
  return item->type == ITEM_EVENT
      && (item->event.type == BRAVIS_EVENT_REFUSED
      || item->event.type == BRAVIS_EVENT_UNREACHABLE);
}

/* What an event counts in the backlog: all that members can bring about as often as
 * they like. Reports have a bound of their own. */
static gsize
get_weight (const Item *item)
{
  gsize weight = sizeof *item;

  if (item->type != ITEM_EVENT || is_report (item))
    return 0;
  if (item->event.message)
    weight += g_bytes_get_size (item->event.message);
  if (item->event.description)
    weight += strlen (item->event.description);
  return weight;
}

static void
push (BravisAudience *audience, Item *item)
{
  g_mutex_lock (&audience->lock);
  audience->backlog += get_weight (item);
  audience->is_behind |= audience->backlog > audience->watched;
  if (!is_report (item)
      || g_queue_get_length (&audience->queue) < MAX_QUEUED_REPORTS)
    g_queue_push_tail (&audience->queue, g_steal_pointer (&item));
  g_mutex_unlock (&audience->lock);
  g_clear_pointer (&item, item_free);
}

void
bravis_audience_wake (BravisAudience *audience)
{
  gboolean asleep;

  g_mutex_lock (&audience->lock);
  asleep = audience->asleep && !g_queue_is_empty (&audience->queue);
  if (asleep)
    audience->asleep = FALSE;
  g_mutex_unlock (&audience->lock);
  if (asleep)
    g_main_context_wakeup (audience->context);
}

void
bravis_audience_tell_later (BravisAudience *audience, const BravisEvent *event)
{
  push (audience, item_new_event (event));
}

void
bravis_audience_tell (BravisAudience *audience, const BravisEvent *event)
{
  bravis_audience_tell_later (audience, event);
  bravis_audience_wake (audience);
}

void
bravis_audience_watch_backlog (BravisAudience *audience, gsize backlog,
    void (*relief) (gpointer user_data), gpointer user_data)
{
  audience->watched = backlog;
  audience->relief = relief;
  audience->relief_data = user_data;
}

gsize
bravis_audience_get_backlog (BravisAudience *audience)
{
  gsize backlog;

  g_mutex_lock (&audience->lock);
  backlog = audience->backlog;
  g_mutex_unlock (&audience->lock);
  return backlog;
}

/* @item was taken. */
static void
lighten (BravisAudience *audience, const Item *item)
{
  gboolean relieved;

  g_mutex_lock (&audience->lock);
  audience->backlog -= get_weight (item);
  relieved = audience->is_behind
      && audience->backlog <= audience->watched / 2;
  if (relieved)
    audience->is_behind = FALSE;
  g_mutex_unlock (&audience->lock);
  if (relieved && audience->relief)
    audience->relief (audience->relief_data);
}

void
bravis_audience_poke (BravisAudience *audience)
{
  Item *item = g_new0 (Item, 1);

  item->type = ITEM_POKE;
  push (audience, item);
  bravis_audience_wake (audience);
}

guint
bravis_audience_add (BravisAudience *audience, BravisListen listen,
    gpointer user_data)
{
  Item *item = g_new0 (Item, 1);
  guint id;

  g_mutex_lock (&audience->lock);
  id = ++audience->last_id;
  g_mutex_unlock (&audience->lock);
  item->type = ITEM_LISTENER;
  item->listener = (Listener) { id, listen, user_data };
  push (audience, item);
  bravis_audience_wake (audience);
  return id;
}

/* Takes a listener that did not get its turn yet out of the queue. */
static void
forget_queued_listener (BravisAudience *audience, guint id)
{
  g_mutex_lock (&audience->lock);
  for (GList *link = audience->queue.head; link; link = link->next) {
    Item *item = link->data;

    if (item->type == ITEM_LISTENER && item->listener.id == id) {
      item_free (item);
      g_queue_delete_link (&audience->queue, link);
      break;
    }
  }
  g_mutex_unlock (&audience->lock);
}

void
bravis_audience_remove (BravisAudience *audience, guint id)
{
  g_rec_mutex_lock (&audience->calling);
  forget_queued_listener (audience, id);
  for (guint i = 0; i < audience->listeners->len; i++) {
    Listener *listener = &g_array_index (audience->listeners, Listener, i);

    if (listener->id == id)
      listener->id = 0;
  }
  g_rec_mutex_unlock (&audience->calling);
}

static gboolean
is_same_stream (const BravisEvent *a, const BravisEvent *b)
{
  return a->member == b->member && a->kind == b->kind
      && a->stream == b->stream;
}

/* Keeps what a later listener has to be told. */
static void
remember (BravisAudience *audience, const BravisEvent *event)
{
  GPtrArray *list = event->type == BRAVIS_EVENT_MEMBER_JOINED
      || event->type == BRAVIS_EVENT_MEMBER_LEFT ? audience->members
      : audience->streams;

  switch (event->type) {
    case BRAVIS_EVENT_VIEW:
      g_clear_pointer (&audience->view, item_free);
      audience->view = item_new_event (event);
      break;
    case BRAVIS_EVENT_EPOCH:
      g_clear_pointer (&audience->epoch, item_free);
      g_clear_pointer (&audience->verification, item_free);
      audience->epoch = item_new_event (event);
      break;
    case BRAVIS_EVENT_VERIFICATION:
      g_clear_pointer (&audience->verification, item_free);
      audience->verification = item_new_event (event);
      break;
    case BRAVIS_EVENT_MEMBER_JOINED:
      g_ptr_array_add (list, item_new_event (event));
      break;
    case BRAVIS_EVENT_STREAM_ADDED:
    case BRAVIS_EVENT_STREAM_REMOVED:
    case BRAVIS_EVENT_MEMBER_LEFT:
      for (guint i = list->len; i-- > 0;) {
        Item *item = g_ptr_array_index (list, i);

        if (event->type == BRAVIS_EVENT_MEMBER_LEFT
            ? item->event.member == event->member
            : is_same_stream (&item->event, event))
          g_ptr_array_remove_index (list, i);
      }
      if (event->type == BRAVIS_EVENT_STREAM_ADDED)
        g_ptr_array_add (list, item_new_event (event));
      break;
    case BRAVIS_EVENT_ENDED:
      g_ptr_array_set_size (audience->members, 0);
      g_ptr_array_set_size (audience->streams, 0);
      g_clear_pointer (&audience->epoch, item_free);
      g_clear_pointer (&audience->verification, item_free);
      g_clear_pointer (&audience->view, item_free);
      break;
    case BRAVIS_EVENT_REFUSED:
    case BRAVIS_EVENT_UNREACHABLE:
    case BRAVIS_EVENT_MESSAGE:
    case BRAVIS_EVENT_COMMAND:
    case BRAVIS_EVENT_WRITABLE:
      break;
  }
}

/* Calls the listener at @index, if it is still one. The array may grow or lose
 * entries' ids meanwhile. */
static void
call (BravisAudience *audience, guint index, const BravisEvent *event)
{
  Listener listener = g_array_index (audience->listeners, Listener, index);

  if (listener.id != 0)
    listener.listen (event, listener.user_data);
}

/* The sender's name is not carried about with each message: the view has it. */
static void
name_sender (BravisAudience *audience, BravisEvent *event)
{
  if ((event->type == BRAVIS_EVENT_MESSAGE
          || event->type == BRAVIS_EVENT_COMMAND) && audience->view)
    event->name = g_strdup (bravis_view_find_name (audience->view->event.view,
            event->member));
}

static void
handle_event (BravisAudience *audience, BravisEvent *event)
{
  name_sender (audience, event);
  audience->owner (event, audience->user_data);
  g_rec_mutex_lock (&audience->calling);
  remember (audience, event);
  for (guint i = 0; i < audience->listeners->len; i++)
    call (audience, i, event);
  for (guint i = audience->listeners->len; i-- > 0;)
    if (g_array_index (audience->listeners, Listener, i).id == 0)
      g_array_remove_index (audience->listeners, i);
  g_rec_mutex_unlock (&audience->calling);
}

static void
handle_listener (BravisAudience *audience, const Listener *listener)
{
  guint index = audience->listeners->len;

  g_array_append_val (audience->listeners, *listener);
  if (audience->view)
    call (audience, index, &audience->view->event);
  for (guint i = 0; i < audience->members->len; i++)
    call (audience, index,
        &((Item *) g_ptr_array_index (audience->members, i))->event);
  if (audience->epoch)
    call (audience, index, &audience->epoch->event);
  if (audience->verification)
    call (audience, index, &audience->verification->event);
  for (guint i = 0; i < audience->streams->len; i++)
    call (audience, index,
        &((Item *) g_ptr_array_index (audience->streams, i))->event);
}

static Item *
pop (BravisAudience *audience, gboolean *stopping)
{
  Item *item;

  g_mutex_lock (&audience->lock);
  item = g_queue_pop_head (&audience->queue);
  audience->asleep = !item;
  *stopping = audience->stopping;
  g_mutex_unlock (&audience->lock);
  return item;
}

/* A listener is taken from the queue and called under the same lock, so that
 * bravis_audience_remove () finds it in one place or the other. */
static gboolean
handle_next (BravisAudience *audience, gboolean *stopping)
{
  Item *item;

  g_rec_mutex_lock (&audience->calling);
  item = pop (audience, stopping);
  if (item && item->type == ITEM_LISTENER)
    handle_listener (audience, &item->listener);
  g_rec_mutex_unlock (&audience->calling);
  if (!item)
    return FALSE;
  if (item->type == ITEM_EVENT)
    handle_event (audience, &item->event);
  else if (item->type == ITEM_POKE)
    audience->owner (NULL, audience->user_data);
  if (get_weight (item) > 0)
    lighten (audience, item);
  item_free (item);
  return TRUE;
}

static gpointer
run (gpointer data)
{
  BravisAudience *audience = data;
  gboolean stopping = FALSE;

  g_atomic_pointer_set (&audience->own_thread, g_thread_self ());
  g_main_context_push_thread_default (audience->context);
  while (!stopping) {
    for (guint n = 1; handle_next (audience, &stopping); n++)
      if (n % BATCH == 0)
        g_main_context_iteration (audience->context, FALSE);
    if (!stopping)
      g_main_context_iteration (audience->context, TRUE);
  }
  g_main_context_pop_thread_default (audience->context);
  return NULL;
}

void
bravis_audience_start (BravisAudience *audience)
{
  audience->thread = g_thread_new ("bravis-session", run, audience);
}

void
bravis_audience_stop (BravisAudience *audience)
{
  if (!audience->thread)
    return;
  g_mutex_lock (&audience->lock);
  audience->stopping = TRUE;
  g_mutex_unlock (&audience->lock);
  g_main_context_wakeup (audience->context);
  g_thread_join (g_steal_pointer (&audience->thread));
  g_atomic_pointer_set (&audience->own_thread, NULL);
}

gboolean
bravis_audience_is_own_thread (BravisAudience *audience)
{
  return g_atomic_pointer_get (&audience->own_thread) == g_thread_self ();
}
