/* gcp-link.h: a reliable stream of messages to one other member
 *
 * Datagrams between two members may be lost, doubled, late or out of order; a
 * link makes of them messages that come once each and in the order in which they
 * were sent, in both directions, and knows when the other was last heard.
 *
 * Messages are laid end to end, each with its length in front, and this stream of
 * bytes is cut into numbered segments, one to a datagram: small messages share a
 * datagram, large ones go in several. Every datagram says what of the other's
 * stream has come (cumulative and selective), how much more there is room for,
 * when it was sent, and how often its sender wants to hear the other; the other
 * returns the newest such stamp. From that come round trip time (RFC 6298), the
 * finding of losses and the window of what may be under way (gcp-sender.h), and
 * whether the other hears.
 * Format: docs/protocol.md, "Links".
 *
 * Like the engine it belongs to, a link is told the time and gives bytes. What it
 * holds of the other's stream is bounded; what it is given to send is not: who
 * sends looks after that.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define GCP_DATAGRAM_LINK 1             /* first octet of a link's datagram */
#define GCP_LINK_MIN_DATAGRAM 128

typedef struct {
  gsize max_datagram;           /* bytes, at least GCP_LINK_MIN_DATAGRAM */
  gint64 heartbeat;             /* µs between signs of life, at most */
  gint64 suspicion;             /* µs of silence that mean a crash, at least */
  gsize max_message;            /* bytes; a longer one breaks the link */
} GcpLinkConfig;

typedef struct _GcpLink GcpLink;

GcpLink *gcp_link_new (const GcpLinkConfig *config, gint64 now);
void gcp_link_free (GcpLink *link);

/* Adds @message to the stream. */
void gcp_link_send (GcpLink *link, GBytes *message);

/* A datagram came. What is not well formed is dropped. */
void gcp_link_receive (GcpLink *link, const guint8 *data, gsize size,
    gint64 now);

/* The next message of the other's stream, or NULL. It stays there until it is
 * taken: what is not taken holds the other back. */
GBytes *gcp_link_peek (GcpLink *link);  /* borrowed */
GBytes *gcp_link_take (GcpLink *link);

/* The next datagram to be sent, or NULL. To be called until NULL after every
 * other call, and at the deadline. */
GBytes *gcp_link_poll (GcpLink *link, gint64 now);
gint64 gcp_link_deadline (const GcpLink *link);

/* Sends an acknowledgement now, if one is owed. */
void gcp_link_hurry (GcpLink *link);

gint64 gcp_link_get_last_heard (const GcpLink *link);

/* µs after that time at which the other is to be taken for crashed, as loss and
 * delays are now: see gcp-detector.h. */
gint64 gcp_link_get_silence (const GcpLink *link);

/* When the newest datagram was sent of which it is known that it came: the other
 * heard this side then, or later. */
gint64 gcp_link_get_last_answered (const GcpLink *link);

/* When something of either stream that had not come before came. */
gint64 gcp_link_get_last_moved (const GcpLink *link);
/* How many segments that was so far, both ways. */
guint64 gcp_link_get_n_moved (const GcpLink *link);

gint64 gcp_link_get_round_trip (const GcpLink *link);   /* smoothed; 0: unknown */

/* Bytes of messages of which nothing or not all was sent yet. */
gsize gcp_link_get_queued (const GcpLink *link);

/* Bytes that may be under way. */
gsize gcp_link_get_window (const GcpLink *link);

/* Everything sent has been acknowledged. */
gboolean gcp_link_is_settled (const GcpLink *link);

/* The other does not keep to what links do: nothing more comes of it. */
void gcp_link_break (GcpLink *link);

/* That was found, here or in its stream. */
gboolean gcp_link_is_broken (const GcpLink *link);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GcpLink, gcp_link_free)

G_END_DECLS
