#include "gcp-link.h"

#include <string.h>

#include "gcp-detector.h"
#include "gcp-wire.h"

#define FLAG_ANSWER 1                   /* answer at once */
#define FLAG_ECHO 2                     /* echo and its delay mean something */

#define MAX_SACK_SIZE ((GCP_LINK_WINDOW + 7) / 8)
#define HEADER_SIZE (1 + 1 + 4 + 2 + 4 + 4 + 4 + 8 + 2 + 1 + MAX_SACK_SIZE + 8)
#define LENGTH_SIZE 3
#define MAX_SEGMENT_SIZE 2048           /* another's; its datagrams may be larger */

#define MIN_CONGESTION_WINDOW 16
#define FIRST_CONGESTION_WINDOW 64

#define ACK_DELAY 5000
#define ACK_EVERY 2                     /* segments */
#define FIRST_TIMEOUT 100000
#define MIN_TIMEOUT 20000
#define MAX_TIMEOUT G_USEC_PER_SEC
#define MIN_VARIATION 10000
#define MIN_REORDERING 2000
#define MAX_ROUND_TRIP (30 * G_USEC_PER_SEC)

/* A segment of one's own stream, from its first sending to its
 * acknowledgement. */
typedef struct {
  guint8 *data;
  gsize size;
  gint64 sent;
  gboolean acked;
  gboolean lost;                /* to be sent again */
} Segment;

struct _GcpLink {
  GcpLinkConfig config;
  gsize segment_size;

  /* own stream */
  GQueue queue;                 /* of GBytes, not yet in segments */
  gsize queue_at;               /* bytes of its head, length included, that are */
  Segment segments[GCP_LINK_WINDOW];
  guint64 first;                /* oldest segment not acknowledged */
  guint64 next;                 /* to be made next */
  guint64 limit;                /* the other takes segments before this one */
  guint in_flight;
  guint n_lost;
  guint congestion_window;
  gint64 last_cut;              /* of the congestion window */
  guint backoff;

  /* the other's stream */
  GBytes *early[GCP_LINK_WINDOW];       /* came before their turn */
  guint64 expected;
  guint n_early;
  GByteArray *stream;           /* in order, not yet taken */
  gsize stream_at;
  GBytes *head;                 /* the message at stream_at, once peeked */
  gboolean broken;

  /* acknowledgements */
  gboolean ack_now;
  guint unacked;
  gint64 ack_deadline;

  /* time */
  GcpDetector detector;
  guint32 n_sent;               /* datagrams */
  gint64 pace;                  /* between signs of life, as the other wants them */
  gint64 last_sent, last_heard, last_answered;
  gboolean has_stamp;
  guint32 stamp;                /* the other's newest */
  gint64 stamp_heard;
  gint64 smoothed, variation;   /* RFC 6298; 0: no sample yet */
};

GcpLink *
gcp_link_new (const GcpLinkConfig *config, gint64 now)
{
  GcpLink *link = g_new0 (GcpLink, 1);

  g_assert (config->max_datagram >= GCP_LINK_MIN_DATAGRAM);
  link->config = *config;
  link->segment_size = config->max_datagram - HEADER_SIZE;
  g_queue_init (&link->queue);
  link->limit = GCP_LINK_WINDOW;
  link->congestion_window = FIRST_CONGESTION_WINDOW;
  link->stream = g_byte_array_new ();
  link->ack_deadline = G_MAXINT64;
  gcp_detector_init (&link->detector, config->heartbeat, config->suspicion);
  link->pace = config->heartbeat;
  link->last_sent = now - config->heartbeat;
  link->last_heard = now;
  link->last_answered = now - 1;        /* earlier than any answer */
  link->last_cut = now;
  return link;
}

void
gcp_link_free (GcpLink *link)
{
  g_queue_clear_full (&link->queue, (GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < GCP_LINK_WINDOW; i++) {
    g_free (link->segments[i].data);
    g_clear_pointer (&link->early[i], g_bytes_unref);
  }
  g_byte_array_unref (link->stream);
  g_clear_pointer (&link->head, g_bytes_unref);
  g_free (link);
}

void
gcp_link_send (GcpLink *link, GBytes *message)
{
  g_assert (g_bytes_get_size (message) <= link->config.max_message);
  g_queue_push_tail (&link->queue, g_bytes_ref (message));
}

static Segment *
get_segment (GcpLink *link, guint64 number)
{
  return &link->segments[number % GCP_LINK_WINDOW];
}

/* What can still be taken from the other, in segments. The buffer has room for
 * the longest message and a window behind it, so that a message that is not
 * taken never keeps a later one from becoming whole for ever. */
static guint
get_room (const GcpLink *link)
{
  gsize most = LENGTH_SIZE + link->config.max_message
      + GCP_LINK_WINDOW * link->segment_size;
  gsize held = link->stream->len - link->stream_at;

  if (link->broken || held >= most)
    return 0;
  return MIN ((most - held) / link->segment_size, GCP_LINK_WINDOW);
}

/* ---- the other's stream ---- */

static void
append_to_stream (GcpLink *link, const guint8 *data, gsize size)
{
  if (link->stream_at > 0 && link->stream_at >= link->stream->len / 2) {
    g_byte_array_remove_range (link->stream, 0, link->stream_at);
    link->stream_at = 0;
  }
  g_byte_array_append (link->stream, data, size);
  link->expected++;
}

static void
append_early (GcpLink *link)
{
  GBytes **slot;

  while (*(slot = &link->early[link->expected % GCP_LINK_WINDOW])) {
    g_autoptr (GBytes) bytes = g_steal_pointer (slot);
    gsize size;
    const guint8 *data = g_bytes_get_data (bytes, &size);

    link->n_early--;
    append_to_stream (link, data, size);
  }
}

static void
receive_segment (GcpLink *link, guint64 number, const guint8 *data, gsize size,
    gint64 now)
{
  GBytes **slot = &link->early[number % GCP_LINK_WINDOW];

  if (number < link->expected) {
    link->ack_now = TRUE;
    return;
  }
  if (number - link->expected >= get_room (link))
    return;
  if (number > link->expected) {
    link->ack_now = TRUE;
    if (!*slot) {
      *slot = g_bytes_new (data, size);
      link->n_early++;
    }
    return;
  }
  append_to_stream (link, data, size);
  append_early (link);
  if (link->n_early > 0 || ++link->unacked >= ACK_EVERY)
    link->ack_now = TRUE;
  else
    link->ack_deadline = MIN (link->ack_deadline, now + ACK_DELAY);
}

GBytes *
gcp_link_peek (GcpLink *link)
{
  const guint8 *data = link->stream->data + link->stream_at;
  gsize left = link->stream->len - link->stream_at;
  gsize size;

  if (link->head || link->broken || left < LENGTH_SIZE)
    return link->head;
  size = (gsize) data[0] << 16 | data[1] << 8 | data[2];
  if (size > link->config.max_message)
    link->broken = TRUE;
  else if (left - LENGTH_SIZE >= size)
    link->head = g_bytes_new (data + LENGTH_SIZE, size);
  return link->head;
}

GBytes *
gcp_link_take (GcpLink *link)
{
  guint room = get_room (link);
  GBytes *message;

  if (!gcp_link_peek (link))
    return NULL;
  message = g_steal_pointer (&link->head);
  link->stream_at += LENGTH_SIZE + g_bytes_get_size (message);
  /* The other may be waiting for room: tell it as soon as there is much. */
  if (room < GCP_LINK_WINDOW / 2 && get_room (link) >= GCP_LINK_WINDOW / 2)
    link->ack_now = TRUE;
  return message;
}

/* ---- acknowledgements of one's own stream ---- */

static void
mark_acked (GcpLink *link, guint64 number)
{
  Segment *segment = get_segment (link, number);

  if (segment->acked)
    return;
  if (segment->lost)
    link->n_lost--;
  else
    link->in_flight--;
  segment->acked = TRUE;
  segment->lost = FALSE;
  g_clear_pointer (&segment->data, g_free);
  link->backoff = 0;
  if (link->congestion_window < GCP_LINK_WINDOW)
    link->congestion_window++;
}

static void
mark_lost (GcpLink *link, Segment *segment)
{
  segment->lost = TRUE;
  link->in_flight--;
  link->n_lost++;
}

/* What was sent clearly before something that came, and has not come, is lost. */
static void
find_losses (GcpLink *link)
{
  gint64 reordering = MAX (MIN_REORDERING, link->smoothed / 4);

  for (guint64 n = link->first; n < link->next; n++) {
    Segment *segment = get_segment (link, n);

    if (!segment->acked && !segment->lost
        && segment->sent + reordering < link->last_answered)
      mark_lost (link, segment);
  }
}

static void
take_acknowledgement (GcpLink *link, guint64 ack, guint room,
    const guint8 *sack, gsize sack_size)
{
  while (link->first < ack) {
    mark_acked (link, link->first);
    link->first++;
  }
  for (gsize bit = 0; bit < sack_size * 8; bit++) {
    guint64 number = ack + 1 + bit;

    if (sack[bit / 8] >> (bit % 8) & 1 && number >= link->first
        && number < link->next)
      mark_acked (link, number);
  }
  link->limit = MAX (link->limit, ack + room);
}

static void
take_round_trip (GcpLink *link, gint64 sample)
{
  sample = MAX (sample, 1);
  if (link->smoothed == 0) {
    link->smoothed = sample;
    link->variation = sample / 2;
    return;
  }
  link->variation += (ABS (link->smoothed - sample) - link->variation) / 4;
  link->smoothed += (sample - link->smoothed) / 8;
  link->smoothed = MAX (link->smoothed, 1);
}

/* Stamps are the low 32 bits of the clock, so an echo's age is a difference
 * modulo 2^32; the other cannot make it older than the link or younger than
 * now. */
static void
take_echo (GcpLink *link, guint32 echo, guint32 delay, gint64 now)
{
  gint64 age = (guint32) ((guint32) now - echo);

  if (age > MAX_ROUND_TRIP || now - age <= link->last_answered)
    return;
  link->last_answered = now - age;
  if (delay <= age)
    take_round_trip (link, age - delay);
}

/* The other wants to hear this side every @interval ms. */
static void
take_wish (GcpLink *link, guint16 interval)
{
  link->pace = CLAMP (interval * G_GINT64_CONSTANT (1000),
      link->config.heartbeat / GCP_DETECTOR_HURRY, link->config.heartbeat);
}

static void
take_stamp (GcpLink *link, guint32 stamp, gint64 now)
{
  link->last_heard = now;
  if (link->has_stamp && (gint32) (stamp - link->stamp) <= 0)
    return;
  link->has_stamp = TRUE;
  link->stamp = stamp;
  link->stamp_heard = now;
}

void
gcp_link_receive (GcpLink *link, const guint8 *data, gsize size, gint64 now)
{
  GcpReader reader;
  guint8 type, flags;
  guint32 count, stamp, echo, delay;
  guint64 ack, number = 0;
  guint16 interval, room;
  gsize sack_size, segment_size = 0;
  const guint8 *sack, *segment = NULL;

  gcp_reader_init (&reader, data, size);
  type = gcp_read_u8 (&reader);
  flags = gcp_read_u8 (&reader);
  count = gcp_read_u32 (&reader);
  interval = gcp_read_u16 (&reader);
  stamp = gcp_read_u32 (&reader);
  echo = gcp_read_u32 (&reader);
  delay = gcp_read_u32 (&reader);
  ack = gcp_read_u64 (&reader);
  room = gcp_read_u16 (&reader);
  sack = gcp_read_vector8 (&reader, MAX_SACK_SIZE, &sack_size);
  if (gcp_reader_left (&reader) > 0) {
    number = gcp_read_u64 (&reader);
    segment_size = gcp_reader_left (&reader);
    segment = gcp_read_span (&reader, segment_size);
    if (segment_size == 0 || segment_size > MAX_SEGMENT_SIZE)
      gcp_reader_fail (&reader);
  }
  if (!gcp_reader_finish (&reader) || type != GCP_DATAGRAM_LINK
      || flags & ~(FLAG_ANSWER | FLAG_ECHO) || ack > link->next
      || room > GCP_LINK_WINDOW)
    return;
  gcp_detector_heard (&link->detector, count,
      link->smoothed > 0 ? link->variation : -1);
  take_wish (link, interval);
  take_stamp (link, stamp, now);
  take_acknowledgement (link, ack, room, sack, sack_size);
  if (flags & FLAG_ECHO)
    take_echo (link, echo, delay, now);
  find_losses (link);
  if (flags & FLAG_ANSWER)
    link->ack_now = TRUE;
  if (segment)
    receive_segment (link, number, segment, segment_size, now);
}

/* ---- sending ---- */

static gint64
get_timeout (const GcpLink *link)
{
  gint64 timeout = FIRST_TIMEOUT;
  gint64 most;

  if (link->smoothed > 0)
    timeout = MAX (MIN_TIMEOUT, link->smoothed + ACK_DELAY
        + MAX (4 * link->variation, MIN_VARIATION));
  /* Backed off, but never so far that a few losses in a row look like silence. */
  most = MAX (MIN (timeout, MAX_TIMEOUT), 2 * link->config.heartbeat);
  return MIN (timeout << MIN (link->backoff, 6), most);
}

static gint64
get_oldest_in_flight (const GcpLink *link)
{
  gint64 oldest = G_MAXINT64;

  for (guint64 n = link->first; link->in_flight > 0 && n < link->next; n++) {
    const Segment *segment = &link->segments[n % GCP_LINK_WINDOW];

    if (!segment->acked && !segment->lost)
      oldest = MIN (oldest, segment->sent);
  }
  return oldest;
}

static void
run_timeout (GcpLink *link, gint64 now)
{
  gint64 timeout = get_timeout (link);
  gint64 oldest = get_oldest_in_flight (link);

  if (oldest == G_MAXINT64 || oldest + timeout > now)
    return;
  for (guint64 n = link->first; n < link->next; n++) {
    Segment *segment = get_segment (link, n);

    if (!segment->acked && !segment->lost && segment->sent + timeout <= now)
      mark_lost (link, segment);
  }
  /* A timeout alone may be chance; when nothing at all comes through until the
   * next, the network is too full. */
  if (link->backoff++ > 0 && now - link->last_cut > link->smoothed) {
    link->congestion_window = MAX (MIN_CONGESTION_WINDOW,
        link->congestion_window / 2);
    link->last_cut = now;
  }
}

/* The next bytes of the stream of messages, at most a segment of them. */
static void
fill_segment (GcpLink *link, Segment *segment)
{
  segment->data = g_malloc (link->segment_size);
  segment->size = 0;
  while (segment->size < link->segment_size && link->queue.head) {
    GBytes *message = link->queue.head->data;
    gsize size, n;
    const guint8 *data = g_bytes_get_data (message, &size);

    if (link->queue_at < LENGTH_SIZE) {
      segment->data[segment->size++] =
          size >> (8 * (LENGTH_SIZE - 1 - link->queue_at));
      link->queue_at++;
    } else {
      n = MIN (size + LENGTH_SIZE - link->queue_at,
          link->segment_size - segment->size);
      if (n > 0)
        memcpy (segment->data + segment->size,
            data + link->queue_at - LENGTH_SIZE, n);
      segment->size += n;
      link->queue_at += n;
    }
    if (link->queue_at == size + LENGTH_SIZE) {
      g_bytes_unref (g_queue_pop_head (&link->queue));
      link->queue_at = 0;
    }
  }
}

static Segment *
choose_segment (GcpLink *link, guint64 *number)
{
  if (link->in_flight >= link->congestion_window)
    return NULL;
  for (guint64 n = link->first; link->n_lost > 0 && n < link->next; n++) {
    Segment *segment = get_segment (link, n);

    if (segment->lost) {
      segment->lost = FALSE;
      link->n_lost--;
      *number = n;
      return segment;
    }
  }
  if (link->queue.head && link->next - link->first < GCP_LINK_WINDOW
      && link->next < link->limit) {
    Segment *segment = get_segment (link, link->next);

    *number = link->next++;
    fill_segment (link, segment);
    segment->acked = FALSE;
    return segment;
  }
  return NULL;
}

/* When the other has been quiet for so long that it is asked to answer, and
 * more often: several losses in a row are not to be taken for its end. An answer
 * needs a round trip besides. */
static gint64
get_quiet_time (const GcpLink *link)
{
  return MIN (link->last_heard, link->last_answered + link->smoothed)
      + 5 * gcp_detector_get_interval (&link->detector) / 2;
}

static gint64
get_heartbeat_deadline (const GcpLink *link)
{
  gint64 often = MAX (link->last_sent + link->pace / 2,
      get_quiet_time (link));

  return MIN (link->last_sent + link->pace, often);
}

static gsize
write_sack (const GcpLink *link, guint8 *sack)
{
  gsize size = 0;
  guint found = 0;

  for (guint i = 0; found < link->n_early && i < GCP_LINK_WINDOW - 1; i++) {
    if (!link->early[(link->expected + 1 + i) % GCP_LINK_WINDOW])
      continue;
    sack[i / 8] |= 1 << (i % 8);
    size = i / 8 + 1;
    found++;
  }
  return size;
}

static GBytes *
write_datagram (GcpLink *link, guint64 number, const Segment *segment,
    gint64 now)
{
  g_auto (GcpWriter) writer = { NULL };
  guint8 sack[MAX_SACK_SIZE] = { 0 };
  guint8 flags = 0;
  gsize sack_size;

  if (link->has_stamp)
    flags |= FLAG_ECHO;
  if (now >= get_quiet_time (link))
    flags |= FLAG_ANSWER;
  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, GCP_DATAGRAM_LINK);
  gcp_write_u8 (&writer, flags);
  gcp_write_u32 (&writer, ++link->n_sent);
  gcp_write_u16 (&writer,
      MIN (gcp_detector_get_interval (&link->detector) / 1000, G_MAXUINT16));
  gcp_write_u32 (&writer, (guint32) now);
  gcp_write_u32 (&writer, link->stamp);
  gcp_write_u32 (&writer, link->has_stamp
      ? MIN (now - link->stamp_heard, G_MAXUINT32) : 0);
  gcp_write_u64 (&writer, link->expected);
  gcp_write_u16 (&writer, get_room (link));
  sack_size = write_sack (link, sack);
  gcp_write_vector8 (&writer, sack, sack_size);
  if (segment) {
    gcp_write_u64 (&writer, number);
    gcp_write_bytes (&writer, segment->data, segment->size);
  }
  link->ack_now = FALSE;
  link->unacked = 0;
  link->ack_deadline = G_MAXINT64;
  link->last_sent = now;
  return gcp_writer_finish (&writer);
}

GBytes *
gcp_link_poll (GcpLink *link, gint64 now)
{
  guint64 number = 0;
  Segment *segment;

  run_timeout (link, now);
  segment = choose_segment (link, &number);
  if (segment) {
    segment->sent = now;
    link->in_flight++;
  } else if (!link->ack_now && link->ack_deadline > now
      && get_heartbeat_deadline (link) > now) {
    return NULL;
  }
  return write_datagram (link, number, segment, now);
}

gint64
gcp_link_deadline (const GcpLink *link)
{
  gint64 deadline = MIN (link->ack_deadline, get_heartbeat_deadline (link));
  gint64 oldest = get_oldest_in_flight (link);

  if (oldest != G_MAXINT64)
    deadline = MIN (deadline, oldest + get_timeout (link));
  return deadline;
}

void
gcp_link_hurry (GcpLink *link)
{
  if (link->unacked > 0)
    link->ack_now = TRUE;
}

gint64
gcp_link_get_last_heard (const GcpLink *link)
{
  return link->last_heard;
}

gint64
gcp_link_get_silence (const GcpLink *link)
{
  return gcp_detector_get_silence (&link->detector);
}

gint64
gcp_link_get_last_answered (const GcpLink *link)
{
  return link->last_answered;
}

gint64
gcp_link_get_round_trip (const GcpLink *link)
{
  return link->smoothed;
}

gboolean
gcp_link_is_settled (const GcpLink *link)
{
  return !link->queue.head && link->first == link->next;
}

gboolean
gcp_link_is_broken (const GcpLink *link)
{
  return link->broken;
}
