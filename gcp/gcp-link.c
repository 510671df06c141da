#include "gcp-link.h"

#include <string.h>

#include "gcp-detector.h"
#include "gcp-sender.h"
#include "gcp-wire.h"

#define FLAG_ANSWER 1                   /* answer at once */
#define FLAG_ECHO 2                     /* echo and its delay mean something */

#define MAX_SACK_SIZE ((GCP_LINK_WINDOW + 7) / 8)
#define HEADER_SIZE (1 + 1 + 4 + 2 + 4 + 4 + 4 + 8 + 2 + 1 + MAX_SACK_SIZE + 8)
#define LENGTH_SIZE 3
#define MAX_SEGMENT_SIZE 2048           /* another's; its datagrams may be larger */

#define ACK_EVERY 8                     /* segments */
#define MAX_ROUND_TRIP (30 * G_USEC_PER_SEC)

struct _GcpLink {
  GcpLinkConfig config;
  gsize segment_size;
  GcpSender sender;             /* own stream */

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
  gint64 stamp_sent;            /* last; each datagram has a later one */
  gint64 last_sent, last_heard, last_moved;
  guint64 n_moved;              /* segments */
  gboolean has_stamp;
  guint32 stamp;                /* the other's newest */
  gint64 stamp_heard;
};

GcpLink *
gcp_link_new (const GcpLinkConfig *config, gint64 now)
{
  GcpLink *link = g_new0 (GcpLink, 1);

  g_assert (config->max_datagram >= GCP_LINK_MIN_DATAGRAM);
  link->config = *config;
  link->segment_size = config->max_datagram - HEADER_SIZE;
  gcp_sender_init (&link->sender, link->segment_size, 2 * config->heartbeat,
      now);
  link->stream = g_byte_array_new ();
  link->ack_deadline = G_MAXINT64;
  gcp_detector_init (&link->detector, config->heartbeat, config->suspicion);
  link->pace = config->heartbeat;
  link->last_sent = now - config->heartbeat;
  link->last_heard = now;
  link->stamp_sent = now - 1;
  return link;
}

void
gcp_link_free (GcpLink *link)
{
  gcp_sender_clear (&link->sender);
  for (guint i = 0; i < GCP_LINK_WINDOW; i++)
    g_clear_pointer (&link->early[i], g_bytes_unref);
  g_byte_array_unref (link->stream);
  g_clear_pointer (&link->head, g_bytes_unref);
  g_free (link);
}

void
gcp_link_send (GcpLink *link, GBytes *message)
{
  g_assert (g_bytes_get_size (message) <= link->config.max_message);
  gcp_sender_queue (&link->sender, message);
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
  if (!*slot) {
    link->last_moved = now;
    link->n_moved++;
  }
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
    link->ack_deadline = MIN (link->ack_deadline, now + GCP_ACK_DELAY);
}

GBytes *
gcp_link_peek (GcpLink *link)
{
  gsize left = link->stream->len - link->stream_at;
  const guint8 *data;
  gsize size;

  if (link->head || link->broken || left < LENGTH_SIZE)
    return link->head;
  data = link->stream->data + link->stream_at;
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

/* ---- datagrams ---- */

/* Stamps are the low 32 bits of the clock, so an echo's age is a difference
 * modulo 2^32; the other cannot make it older than the link or younger than what
 * was sent last. */
static void
take_echo (GcpLink *link, guint32 echo, guint32 delay, gint64 now)
{
  gint64 age = (gint32) ((guint32) now - echo);
  gint64 sent = now - age;

  if (age > MAX_ROUND_TRIP || sent <= link->sender.answered
      || sent > link->stamp_sent)
    return;
  gcp_sender_answered (&link->sender, sent,
      delay <= MAX (age, 0) ? MAX (age - delay, 1) : 0, now);
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
  guint n_acked;

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
      || flags & ~(FLAG_ANSWER | FLAG_ECHO) || ack > link->sender.next
      || room > GCP_LINK_WINDOW)
    return;
  gcp_detector_heard (&link->detector, count,
      link->sender.smoothed > 0 ? link->sender.variation : -1);
  take_wish (link, interval);
  take_stamp (link, stamp, now);
  if (flags & FLAG_ECHO)
    take_echo (link, echo, delay, now);
  n_acked = gcp_sender_acknowledge (&link->sender, ack, room, sack, sack_size,
      now);
  if (n_acked > 0)
    link->last_moved = now;
  link->n_moved += n_acked;
  gcp_sender_run (&link->sender, now);
  if (flags & FLAG_ANSWER)
    link->ack_now = TRUE;
  if (segment)
    receive_segment (link, number, segment, segment_size, now);
}

/* ---- sending ---- */

/* When the other has been quiet for so long that it is asked to answer, and
 * more often: several losses in a row are not to be taken for its end. An answer
 * needs a round trip besides. */
static gint64
get_quiet_time (const GcpLink *link)
{
  return MIN (link->last_heard,
      link->sender.answered + link->sender.smoothed)
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

static guint8
get_flags (const GcpLink *link, gint64 now)
{
  guint8 flags = link->has_stamp ? FLAG_ECHO : 0;

  /* Who can send no more waits for the answer. */
  if (now >= get_quiet_time (link) || gcp_sender_is_full (&link->sender))
    flags |= FLAG_ANSWER;
  return flags;
}

static GBytes *
write_datagram (GcpLink *link, const GcpSegment *segment, gint64 now)
{
  g_auto (GcpWriter) writer = { NULL };
  guint8 sack[MAX_SACK_SIZE] = { 0 };
  gsize sack_size;

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, GCP_DATAGRAM_LINK);
  gcp_write_u8 (&writer, get_flags (link, now));
  gcp_write_u32 (&writer, ++link->n_sent);
  gcp_write_u16 (&writer,
      MIN (gcp_detector_get_interval (&link->detector) / 1000, G_MAXUINT16));
  gcp_write_u32 (&writer, (guint32) link->stamp_sent);
  gcp_write_u32 (&writer, link->stamp);
  gcp_write_u32 (&writer, link->has_stamp
      ? MIN (now - link->stamp_heard, G_MAXUINT32) : 0);
  gcp_write_u64 (&writer, link->expected);
  gcp_write_u16 (&writer, get_room (link));
  sack_size = write_sack (link, sack);
  gcp_write_vector8 (&writer, sack, sack_size);
  if (segment) {
    gcp_write_u64 (&writer, segment->number);
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
  gint64 stamp = MAX (now, link->stamp_sent + 1);
  const GcpSegment *segment;

  gcp_sender_run (&link->sender, now);
  segment = gcp_sender_take (&link->sender, stamp);
  if (!segment && !link->ack_now && link->ack_deadline > now
      && get_heartbeat_deadline (link) > now)
    return NULL;
  link->stamp_sent = stamp;
  return write_datagram (link, segment, now);
}

gint64
gcp_link_deadline (const GcpLink *link)
{
  return MIN (MIN (link->ack_deadline, get_heartbeat_deadline (link)),
      gcp_sender_deadline (&link->sender));
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
  return link->sender.answered;
}

guint64
gcp_link_get_n_moved (const GcpLink *link)
{
  return link->n_moved;
}

gint64
gcp_link_get_last_moved (const GcpLink *link)
{
  return link->last_moved;
}

gint64
gcp_link_get_round_trip (const GcpLink *link)
{
  return link->sender.smoothed;
}

gsize
gcp_link_get_queued (const GcpLink *link)
{
  return link->sender.queued;
}

gsize
gcp_link_get_window (const GcpLink *link)
{
  return gcp_congestion_get_window (&link->sender.congestion)
      * link->segment_size;
}

gboolean
gcp_link_is_settled (const GcpLink *link)
{
  return gcp_sender_is_settled (&link->sender);
}

void
gcp_link_break (GcpLink *link)
{
  link->broken = TRUE;
}

gboolean
gcp_link_is_broken (const GcpLink *link)
{
  return link->broken;
}
