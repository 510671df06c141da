/* gcp-sender.h: one's own half of a link: the stream of segments that is sent
 *
 * Messages are laid end to end and cut into segments. A segment is sent when the
 * window of congestion (gcp-congestion.h) and the other's room allow it, and again
 * when it is lost. What was sent before something that has come, by the time that
 * overtaking takes, is lost (RACK, RFC 8985). Where nothing is heard, the oldest
 * segments are sent again after the probe timeout (RFC 9002 section 6.2), and what
 * that brings back tells what became of the others.
 *
 * A time of sending is unique and says in which order datagrams went: the caller
 * gives each datagram a later one.
 */
#pragma once

#include "gcp-congestion.h"

G_BEGIN_DECLS

#define GCP_LINK_WINDOW 256             /* most segments under way */
#define GCP_ACK_DELAY 5000              /* µs until an acknowledgement, at most */

/* From its first sending to its acknowledgement. */
typedef struct {
  GList place;                  /* in flight or lost */
  guint64 number;
  guint8 *data;                 /* NULL: acknowledged */
  gsize size;
  gint64 sent;
  gboolean lost;                /* to be sent again */
} GcpSegment;

typedef struct {
  gsize segment_size;
  gint64 patience;              /* µs: timeouts are not doubled beyond this */
  GQueue queue;                 /* of GBytes, not yet in segments */
  gsize queue_at;               /* bytes of its head, length included, that are */
  gsize queued;                 /* bytes of all of them */
  GcpSegment segments[GCP_LINK_WINDOW];
  guint64 first;                /* oldest segment not acknowledged */
  guint64 next;                 /* to be made next */
  guint64 limit;                /* the other takes segments before this one */
  GQueue flight;                /* of GcpSegment, in the order of sending */
  GQueue lost;                  /* of GcpSegment */
  gint64 answered;              /* when what came last was sent */
  guint backoff;
  gint64 last_timeout;
  guint probes;                 /* segments that are sent although it is full */
  gint64 smoothed, variation;   /* of the round trip, RFC 6298; 0: no sample yet */
  GcpCongestion congestion;
} GcpSender;

void gcp_sender_init (GcpSender *sender, gsize segment_size, gint64 patience,
    gint64 now);
void gcp_sender_clear (GcpSender *sender);

void gcp_sender_queue (GcpSender *sender, GBytes *message);

/* The other has all before @ack, and what the bits of @sack say, as in the
 * datagrams' format; it takes @room from @ack on. Returns of how many segments that is news. */
guint gcp_sender_acknowledge (GcpSender *sender, guint64 ack, guint room,
    const guint8 *sack, gsize sack_size, gint64 now);

/* A datagram that was sent at @sent, the newest of which this is known, has come.
 * @round_trip: measured by it, or 0. */
void gcp_sender_answered (GcpSender *sender, gint64 sent, gint64 round_trip,
    gint64 now);

/* To be called after both of these, and at the deadline. */
void gcp_sender_run (GcpSender *sender, gint64 now);

/* The segment to be sent now, or NULL. It counts as sent at @sent. */
const GcpSegment *gcp_sender_take (GcpSender *sender, gint64 sent);

/* No more can be sent until something is acknowledged. */
gboolean gcp_sender_is_full (const GcpSender *sender);
gboolean gcp_sender_is_settled (const GcpSender *sender);
gint64 gcp_sender_deadline (const GcpSender *sender);

G_END_DECLS
