#include "bravis-epoch-book.h"

/* Old epochs kept at most. Key changes that follow each other so fast push the
 * oldest out before its grace is over. */
#define MAX_EPOCHS 256

struct _BravisRoutes {
  guint n_members;
  guint n_all;
  GcpAddress of[GCP_MAX_MEMBERS];       /* by member index; none: not reached */
  GcpAddress all[GCP_MAX_MEMBERS];      /* those that are reached */
};

typedef struct {
  BravisEpoch *epoch;
  BravisRoutes *routes;
  gboolean gone[GCP_MAX_MEMBERS];       /* by member index */
  gint64 close_at;              /* nothing is sent from here on */
  gint64 retire_at;             /* nothing is received from here on */
} Entry;

struct _BravisEpochBook {
  GRWLock lock;                 /* held for a look-up, never while anything else
                                 * happens */
  GPtrArray *entries;           /* of Entry, the newest at the end */
  gboolean has_present;         /* the newest is the present one */
  guint serial;                 /* atomic */
  GMutex change_lock;           /* of the next two */
  GCond changed;
  gint64 change_due;            /* a key change is waited for until then */
  gint64 patience;
  gint64 exposure;
  gint64 grace;
};

/* Routes to the members of the entry's epoch that are not gone. */
static BravisRoutes *
routes_new (const Entry *entry, const GcpAddress *addresses, guint n)
{
  BravisRoutes *routes = g_atomic_rc_box_new0 (BravisRoutes);

  routes->n_members = MIN (n, bravis_epoch_get_n_members (entry->epoch));
  for (guint i = 0; i < routes->n_members; i++) {
    if (i == bravis_epoch_get_self (entry->epoch) || entry->gone[i]
        || gcp_address_is_none (&addresses[i]))
      continue;
    routes->of[i] = addresses[i];
    routes->all[routes->n_all++] = addresses[i];
  }
  return routes;
}

void
bravis_routes_unref (BravisRoutes *routes)
{
  g_atomic_rc_box_release (routes);
}

const GcpAddress *
bravis_routes_get_all (const BravisRoutes *routes, guint *n)
{
  *n = routes->n_all;
  return routes->all;
}

const GcpAddress *
bravis_routes_get (const BravisRoutes *routes, guint index)
{
  if (index >= routes->n_members || gcp_address_is_none (&routes->of[index]))
    return NULL;
  return &routes->of[index];
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  bravis_epoch_close_sending (entry->epoch);
  bravis_epoch_retire (entry->epoch);
  bravis_epoch_unref (entry->epoch);
  bravis_routes_unref (entry->routes);
  g_free (entry);
}

BravisEpochBook *
bravis_epoch_book_new (gint64 patience, gint64 exposure, gint64 grace)
{
  BravisEpochBook *book = g_new0 (BravisEpochBook, 1);

  g_rw_lock_init (&book->lock);
  g_mutex_init (&book->change_lock);
  g_cond_init (&book->changed);
  book->patience = patience;
  book->change_due = G_MININT64;
  book->entries = g_ptr_array_new_with_free_func (entry_free);
  book->exposure = exposure;
  book->grace = grace;
  return book;
}

void
bravis_epoch_book_free (BravisEpochBook *book)
{
  g_ptr_array_unref (book->entries);
  g_rw_lock_clear (&book->lock);
  g_mutex_clear (&book->change_lock);
  g_cond_clear (&book->changed);
  g_free (book);
}

/* Those who wait have what they wait for, or will not get it. */
static void
end_waiting (BravisEpochBook *book)
{
  g_mutex_lock (&book->change_lock);
  book->change_due = G_MININT64;
  g_cond_broadcast (&book->changed);
  g_mutex_unlock (&book->change_lock);
}

/* The present epoch is another, or none. */
static void
tell_readers (BravisEpochBook *book)
{
  g_atomic_int_inc (&book->serial);
  end_waiting (book);
}

static Entry *
get_entry (BravisEpochBook *book, guint index)
{
  return g_ptr_array_index (book->entries, index);
}

static Entry *
get_present (BravisEpochBook *book)
{
  return book->has_present ? get_entry (book, book->entries->len - 1) : NULL;
}

static Entry *
find_entry (BravisEpochBook *book, BravisEpoch *epoch)
{
  for (guint i = book->entries->len; i-- > 0;)
    if (get_entry (book, i)->epoch == epoch)
      return get_entry (book, i);
  return NULL;
}

/* Does what is due. With the writer's lock. */
static void
settle (BravisEpochBook *book, gint64 now)
{
  for (guint i = book->entries->len; i-- > 0;) {
    Entry *entry = get_entry (book, i);

    if (now >= entry->close_at) {
      bravis_epoch_close_sending (entry->epoch);
      entry->close_at = G_MAXINT64;
    }
    if (now < entry->retire_at)
      continue;
    if (entry == get_present (book)) {
      book->has_present = FALSE;
      g_atomic_int_inc (&book->serial);
    }
    g_ptr_array_remove_index (book->entries, i);
  }
}

static void
replace_present (BravisEpochBook *book, gint64 exposure, gint64 now)
{
  Entry *present = get_present (book);

  if (!present)
    return;
  if (!bravis_epoch_is_sending_closed (present->epoch))
    present->close_at = MIN (present->close_at, now + exposure);
  present->retire_at = MIN (present->retire_at, now + book->grace);
  book->has_present = FALSE;
}

/* A number comes again only in another group than the one that lied about it to this
 * member (docs/protocol.md, 6.9): what comes under it from now on is of the new epoch. */
static void
forget_number (BravisEpochBook *book, guint64 number)
{
  for (guint i = book->entries->len; i-- > 0;)
    if (bravis_epoch_get_number (get_entry (book, i)->epoch) == number)
      g_ptr_array_remove_index (book->entries, i);
}

void
bravis_epoch_book_add (BravisEpochBook *book, BravisEpoch *epoch,
    const GArray *addresses, gint64 now)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->epoch = bravis_epoch_ref (epoch);
  entry->routes = routes_new (entry, (GcpAddress *) addresses->data,
      addresses->len);
  entry->close_at = G_MAXINT64;
  entry->retire_at = G_MAXINT64;

  g_rw_lock_writer_lock (&book->lock);
  replace_present (book, book->exposure, now);
  forget_number (book, bravis_epoch_get_number (epoch));
  g_ptr_array_add (book->entries, entry);
  book->has_present = TRUE;
  if (book->entries->len > MAX_EPOCHS)
    g_ptr_array_remove_index (book->entries, 0);
  settle (book, now);
  g_rw_lock_writer_unlock (&book->lock);
  tell_readers (book);
}

void
bravis_epoch_book_set_addresses (BravisEpochBook *book, BravisEpoch *epoch,
    const GArray *addresses)
{
  Entry *entry;

  g_rw_lock_writer_lock (&book->lock);
  entry = find_entry (book, epoch);
  if (entry) {
    bravis_routes_unref (entry->routes);
    entry->routes = routes_new (entry, (GcpAddress *) addresses->data,
        addresses->len);
  }
  g_rw_lock_writer_unlock (&book->lock);
}

/* Takes the members that are not in @view out of the routes. */
static void
prune_routes (Entry *entry, GcpView *view)
{
  BravisRoutes *old = entry->routes;

  for (guint i = 0; i < old->n_members; i++)
    if (!gcp_view_contains (view, bravis_epoch_get_card (entry->epoch, i)->id))
      entry->gone[i] = TRUE;
  entry->routes = routes_new (entry, old->of, old->n_members);
  bravis_routes_unref (old);
}

/* Senders learn by the serial that they are to ask again, and then wait. */
static void
begin_waiting (BravisEpochBook *book, gint64 now)
{
  g_mutex_lock (&book->change_lock);
  if (book->change_due <= now)
    book->change_due = now + book->patience;
  g_mutex_unlock (&book->change_lock);
  g_atomic_int_inc (&book->serial);
}

void
bravis_epoch_book_departed (BravisEpochBook *book, GcpView *view, gint64 now)
{
  begin_waiting (book, now);
  g_rw_lock_writer_lock (&book->lock);
  for (guint i = 0; i < book->entries->len; i++) {
    Entry *entry = get_entry (book, i);

    if (!bravis_epoch_is_sending_closed (entry->epoch))
      entry->close_at = MIN (entry->close_at, now + book->exposure);
    /* Whether a new key comes or not: who is gone has this one. By then nobody
     * has sent under it for the grace time. */
    entry->retire_at = MIN (entry->retire_at,
        now + book->exposure + book->grace);
    prune_routes (entry, view);
  }
  settle (book, now);
  g_rw_lock_writer_unlock (&book->lock);
}

void
bravis_epoch_book_end (BravisEpochBook *book, gint64 now)
{
  g_rw_lock_writer_lock (&book->lock);
  replace_present (book, 0, now);
  for (guint i = 0; i < book->entries->len; i++)
    bravis_epoch_close_sending (get_entry (book, i)->epoch);
  settle (book, now);
  g_rw_lock_writer_unlock (&book->lock);
  tell_readers (book);
}

void
bravis_epoch_book_clear (BravisEpochBook *book)
{
  g_rw_lock_writer_lock (&book->lock);
  book->has_present = FALSE;
  g_ptr_array_set_size (book->entries, 0);
  g_rw_lock_writer_unlock (&book->lock);
  tell_readers (book);
}

void
bravis_epoch_book_tick (BravisEpochBook *book, gint64 now)
{
  g_rw_lock_writer_lock (&book->lock);
  settle (book, now);
  g_rw_lock_writer_unlock (&book->lock);
}

gint64
bravis_epoch_book_deadline (BravisEpochBook *book)
{
  gint64 deadline = G_MAXINT64;

  g_rw_lock_reader_lock (&book->lock);
  for (guint i = 0; i < book->entries->len; i++) {
    Entry *entry = get_entry (book, i);

    deadline = MIN (deadline, MIN (entry->close_at, entry->retire_at));
  }
  g_rw_lock_reader_unlock (&book->lock);
  return deadline;
}

BravisEpoch *
bravis_epoch_book_ref_present (BravisEpochBook *book)
{
  BravisEpoch *epoch = NULL;

  g_rw_lock_reader_lock (&book->lock);
  if (book->has_present)
    epoch = bravis_epoch_ref (get_present (book)->epoch);
  g_rw_lock_reader_unlock (&book->lock);
  return epoch;
}

BravisEpoch *
bravis_epoch_book_await_present (BravisEpochBook *book)
{
  g_mutex_lock (&book->change_lock);
  while (g_get_monotonic_time () < book->change_due
      && g_cond_wait_until (&book->changed, &book->change_lock,
          book->change_due))
    continue;
  g_mutex_unlock (&book->change_lock);
  return bravis_epoch_book_ref_present (book);
}

BravisEpoch *
bravis_epoch_book_ref_by_number (BravisEpochBook *book, guint64 number)
{
  BravisEpoch *epoch = NULL;

  g_rw_lock_reader_lock (&book->lock);
  for (guint i = book->entries->len; i-- > 0 && !epoch;)
    if (bravis_epoch_get_number (get_entry (book, i)->epoch) == number)
      epoch = bravis_epoch_ref (get_entry (book, i)->epoch);
  g_rw_lock_reader_unlock (&book->lock);
  return epoch;
}

guint
bravis_epoch_book_get_serial (BravisEpochBook *book)
{
  return g_atomic_int_get (&book->serial);
}

guint
bravis_epoch_book_get_n_epochs (BravisEpochBook *book)
{
  guint n;

  g_rw_lock_reader_lock (&book->lock);
  n = book->entries->len;
  g_rw_lock_reader_unlock (&book->lock);
  return n;
}

BravisRoutes *
bravis_epoch_book_ref_routes (BravisEpochBook *book, BravisEpoch *epoch)
{
  BravisRoutes *routes = NULL;
  Entry *entry;

  if (bravis_epoch_is_sending_closed (epoch))
    return NULL;
  g_rw_lock_reader_lock (&book->lock);
  entry = find_entry (book, epoch);
  if (entry)
    routes = g_atomic_rc_box_acquire (entry->routes);
  g_rw_lock_reader_unlock (&book->lock);
  return routes;
}
