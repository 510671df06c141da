#include "bravis-inbox.h"

#include "bravis-datagram.h"

#include <string.h>

enum { LANE_LINK, LANE_HANDSHAKE, N_LANES };

static const guint lane_limit[N_LANES] = {
  [LANE_LINK] = BRAVIS_INBOX_MAX_LINK,
  [LANE_HANDSHAKE] = BRAVIS_INBOX_MAX_HANDSHAKE,
};

struct _BravisInbox {
  GMutex lock;
  GCond changed;
  GQueue lanes[N_LANES];
  gboolean woken;
  gboolean closed;
  gboolean waiting;             /* the one who takes: waking costs a system call */
};

static void
signal_with_lock (BravisInbox *inbox)
{
  if (inbox->waiting)
    g_cond_signal (&inbox->changed);
  inbox->waiting = FALSE;
}

BravisInbox *
bravis_inbox_new (void)
{
  BravisInbox *inbox = g_new0 (BravisInbox, 1);

  g_mutex_init (&inbox->lock);
  g_cond_init (&inbox->changed);
  for (guint i = 0; i < N_LANES; i++)
    g_queue_init (&inbox->lanes[i]);
  return inbox;
}

void
bravis_inbox_free (BravisInbox *inbox)
{
  for (guint i = 0; i < N_LANES; i++)
    g_queue_clear_full (&inbox->lanes[i], g_free);
  g_mutex_clear (&inbox->lock);
  g_cond_clear (&inbox->changed);
  g_free (inbox);
}

gboolean
bravis_inbox_put (BravisInbox *inbox, const GcpAddress *from,
    const guint8 *data, gsize size)
{
  BravisLetter *letter;
  gboolean fits;
  guint lane;

  if (size == 0 || size > BRAVIS_MAX_DATAGRAM)
    return FALSE;
  if (data[0] == BRAVIS_DATAGRAM_LINK)
    lane = LANE_LINK;
  else if (data[0] == BRAVIS_DATAGRAM_HANDSHAKE)
    lane = LANE_HANDSHAKE;
  else
    return FALSE;
  letter = g_malloc (sizeof *letter + size);
  letter->from = *from;
  letter->size = size;
  memcpy (letter->data, data, size);

  g_mutex_lock (&inbox->lock);
  fits = !inbox->closed
      && g_queue_get_length (&inbox->lanes[lane]) < lane_limit[lane];
  if (fits) {
    g_queue_push_tail (&inbox->lanes[lane], g_steal_pointer (&letter));
    signal_with_lock (inbox);
  }
  g_mutex_unlock (&inbox->lock);
  g_free (letter);
  return fits;
}

static gboolean
is_empty (BravisInbox *inbox)
{
  return g_queue_is_empty (&inbox->lanes[LANE_LINK])
      && g_queue_is_empty (&inbox->lanes[LANE_HANDSHAKE]);
}

gboolean
bravis_inbox_take (BravisInbox *inbox, gint64 deadline, guint max,
    GPtrArray *letters)
{
  gboolean open;

  g_mutex_lock (&inbox->lock);
  while (!inbox->closed && !inbox->woken && is_empty (inbox)) {
    inbox->waiting = TRUE;
    if (!g_cond_wait_until (&inbox->changed, &inbox->lock, deadline))
      break;
  }
  inbox->waiting = FALSE;
  inbox->woken = FALSE;
  for (guint n = 0, lane = 0; n < max && !is_empty (inbox);
      lane = (lane + 1) % N_LANES) {
    BravisLetter *letter = g_queue_pop_head (&inbox->lanes[lane]);

    if (letter) {
      g_ptr_array_add (letters, letter);
      n++;
    }
  }
  open = !inbox->closed;
  g_mutex_unlock (&inbox->lock);
  return open;
}

void
bravis_inbox_wake (BravisInbox *inbox)
{
  g_mutex_lock (&inbox->lock);
  inbox->woken = TRUE;
  signal_with_lock (inbox);
  g_mutex_unlock (&inbox->lock);
}

void
bravis_inbox_close (BravisInbox *inbox)
{
  g_mutex_lock (&inbox->lock);
  inbox->closed = TRUE;
  signal_with_lock (inbox);
  g_mutex_unlock (&inbox->lock);
}
