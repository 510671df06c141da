#include "gcp-sender.h"

#include <string.h>

#include "gcp-fault.h"

#define LENGTH_SIZE 3

#define FIRST_TIMEOUT 100000
#define MAX_TIMEOUT G_USEC_PER_SEC
#define GRANULARITY 1000
#define PROBES 2                        /* segments sent again by a timeout */
#define COLLAPSE_AFTER 3                /* timeouts in a row */

void
gcp_sender_init (GcpSender *sender, gsize segment_size, gint64 patience,
    gint64 now)
{
  memset (sender, 0, sizeof (GcpSender));
  sender->segment_size = segment_size;
  sender->patience = patience;
  sender->limit = GCP_LINK_WINDOW;
  sender->answered = now - 1;           /* earlier than any answer */
  gcp_congestion_init (&sender->congestion, GCP_LINK_WINDOW, now);
  for (guint i = 0; i < GCP_LINK_WINDOW; i++)
    sender->segments[i].place.data = &sender->segments[i];
}

void
gcp_sender_clear (GcpSender *sender)
{
  g_queue_clear_full (&sender->queue, (GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < GCP_LINK_WINDOW; i++)
    g_clear_pointer (&sender->segments[i].data, g_free);
}

void
gcp_sender_queue (GcpSender *sender, GBytes *message)
{
  g_queue_push_tail (&sender->queue, g_bytes_ref (message));
  sender->queued += g_bytes_get_size (message);
}

static GcpSegment *
get_segment (GcpSender *sender, guint64 number)
{
  return &sender->segments[number % GCP_LINK_WINDOW];
}

/* ---- what has come, and what is lost ---- */

static guint
mark_acked (GcpSender *sender, guint64 number)
{
  GcpSegment *segment = get_segment (sender, number);

  if (!segment->data)
    return 0;
  g_queue_unlink (segment->lost ? &sender->lost : &sender->flight,
      &segment->place);
  segment->lost = FALSE;
  g_clear_pointer (&segment->data, g_free);
  sender->backoff = 0;
  return 1;
}

guint
gcp_sender_acknowledge (GcpSender *sender, guint64 ack, guint room,
    const guint8 *sack, gsize sack_size, gint64 now)
{
  gboolean full = gcp_sender_is_full (sender);
  guint n = 0;

  for (; sender->first < ack; sender->first++)
    n += mark_acked (sender, sender->first);
  for (gsize bit = 0; bit < sack_size * 8; bit++) {
    guint64 number = ack + 1 + bit;

    if (sack[bit / 8] >> (bit % 8) & 1 && number >= sender->first
        && number < sender->next)
      n += mark_acked (sender, number);
  }
  sender->limit = MAX (sender->limit, ack + room);
  if (n > 0)
    gcp_congestion_acked (&sender->congestion, n, full, now);
  return n;
}

static void
take_round_trip (GcpSender *sender, gint64 sample)
{
  if (sender->smoothed == 0) {
    sender->smoothed = sample;
    sender->variation = sample / 2;
    return;
  }
  sender->variation += (ABS (sender->smoothed - sample) - sender->variation) / 4;
  sender->smoothed += (sample - sender->smoothed) / 8;
  sender->smoothed = MAX (sender->smoothed, 1);
}

void
gcp_sender_answered (GcpSender *sender, gint64 sent, gint64 round_trip,
    gint64 now)
{
  sender->answered = sent;
  if (round_trip <= 0)
    return;
  take_round_trip (sender, round_trip);
  gcp_congestion_sample (&sender->congestion, round_trip, now);
}

static void
mark_lost (GcpSender *sender, GcpSegment *segment)
{
  g_queue_unlink (&sender->flight, &segment->place);
  segment->lost = TRUE;
  g_queue_push_tail_link (&sender->lost, &segment->place);
}

/* How long a datagram may be overtaken by others. */
static gint64
get_reordering (const GcpSender *sender)
{
  return MAX (MAX (GRANULARITY, sender->smoothed / 4), sender->variation);
}

/* Sent first, of what is in flight. */
static GcpSegment *
get_oldest (const GcpSender *sender)
{
  return sender->flight.head ? sender->flight.head->data : NULL;
}

/* When the oldest in flight is lost, since a later one has come; G_MAXINT64: none
 * has. */
static gint64
get_loss_time (const GcpSender *sender)
{
  const GcpSegment *oldest = get_oldest (sender);

  if (!oldest || oldest->sent >= sender->answered)
    return G_MAXINT64;
  if (oldest->sent + get_reordering (sender) < sender->answered)
    return G_MININT64;
  return oldest->sent + sender->smoothed + get_reordering (sender);
}

static gint64
get_timeout (const GcpSender *sender)
{
  gint64 timeout = FIRST_TIMEOUT;

  if (sender->smoothed > 0)
    timeout = MIN (sender->smoothed + GCP_ACK_DELAY
        + MAX (4 * sender->variation, GRANULARITY), MAX_TIMEOUT);
  /* Backed off, but never so far that a few losses in a row look like silence. */
  return MIN (timeout << MIN (sender->backoff, 6),
      MAX (timeout, sender->patience));
}

static gint64
get_timeout_time (const GcpSender *sender)
{
  const GcpSegment *oldest = get_oldest (sender);

  if (!oldest)
    return G_MAXINT64;
  return MAX (oldest->sent, sender->last_timeout) + get_timeout (sender);
}

static void
run_timeout (GcpSender *sender, gint64 now)
{
  guint n = MIN (PROBES, sender->flight.length);

  for (guint i = 0; i < n; i++)
    mark_lost (sender, get_oldest (sender));
  sender->probes = n;
  sender->last_timeout = now;
  /* A few in a row may be chance. */
  if (++sender->backoff == COLLAPSE_AFTER)
    gcp_congestion_collapse (&sender->congestion, now);
}

void
gcp_sender_run (GcpSender *sender, gint64 now)
{
  while (get_loss_time (sender) <= now) {
    GcpSegment *oldest = get_oldest (sender);

    gcp_congestion_lost (&sender->congestion, oldest->sent, now);
    mark_lost (sender, oldest);
  }
  if (get_timeout_time (sender) <= now)
    run_timeout (sender, now);
}

gint64
gcp_sender_deadline (const GcpSender *sender)
{
  return MIN (get_loss_time (sender), get_timeout_time (sender));
}

/* ---- sending ---- */

/* The next bytes of the stream of messages, at most a segment of them. */
static void
fill_segment (GcpSender *sender, GcpSegment *segment)
{
  segment->data = g_malloc (sender->segment_size);
  segment->size = 0;
  while (segment->size < sender->segment_size && sender->queue.head) {
    GBytes *message = sender->queue.head->data;
    gsize size, n;
    const guint8 *data = g_bytes_get_data (message, &size);

    if (sender->queue_at < LENGTH_SIZE) {
      segment->data[segment->size++] =
          size >> (8 * (LENGTH_SIZE - 1 - sender->queue_at));
      sender->queue_at++;
    } else {
      n = MIN (size + LENGTH_SIZE - sender->queue_at,
          sender->segment_size - segment->size);
      if (n > 0)
        memcpy (segment->data + segment->size,
            data + sender->queue_at - LENGTH_SIZE, n);
      segment->size += n;
      sender->queue_at += n;
    }
    if (sender->queue_at == size + LENGTH_SIZE) {
      sender->queued -= size;
      g_bytes_unref (g_queue_pop_head (&sender->queue));
      sender->queue_at = 0;
    }
  }
}

gboolean
gcp_sender_is_full (const GcpSender *sender)
{
  return sender->flight.length
      >= gcp_congestion_get_window (&sender->congestion);
}

static gboolean
has_new_segment (const GcpSender *sender)
{
  return sender->queue.head && sender->next - sender->first < GCP_LINK_WINDOW
      && sender->next < sender->limit;
}

static GcpSegment *
choose_segment (GcpSender *sender)
{
  gboolean full = gcp_sender_is_full (sender);
  GcpSegment *segment = NULL;

  if (sender->lost.head && (!full || sender->probes > 0)
      && !GCP_FAULT (LOST_FORGOTTEN)) {
    segment = g_queue_pop_head_link (&sender->lost)->data;
    segment->lost = FALSE;
    sender->probes -= MIN (sender->probes, 1);
  } else if (!full && has_new_segment (sender)) {
    segment = get_segment (sender, sender->next);
    segment->number = sender->next++;
    fill_segment (sender, segment);
  }
  return segment;
}

const GcpSegment *
gcp_sender_take (GcpSender *sender, gint64 sent)
{
  GcpSegment *segment = choose_segment (sender);

  if (!segment)
    return NULL;
  segment->sent = sent;
  g_queue_push_tail_link (&sender->flight, &segment->place);
  return segment;
}

gboolean
gcp_sender_is_settled (const GcpSender *sender)
{
  return !sender->queue.head && sender->first == sender->next;
}
