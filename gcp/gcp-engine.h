/* gcp-engine.h: the group communication protocol as a state machine
 *
 * One GcpEngine is one member of one group. It owns no socket, no clock, no
 * thread and no source of randomness: it is told what happened and when, and
 * says what is to be done.
 *
 *   in    gcp_engine_receive ()    a datagram came from a member
 *         gcp_engine_tick ()       the time is now
 *         gcp_engine_multicast (), gcp_engine_admit (), gcp_engine_leave () ...
 *   out   gcp_engine_poll ()       take the next thing to do, until FALSE
 *         gcp_engine_deadline ()   then call tick at this time at the latest
 *
 * After every call in, the owner polls until nothing is left. Times are
 * microseconds of any clock that never goes back.
 *
 * What it expects of who runs it: a datagram handed to gcp_engine_receive ()
 * was really sent by the member it is said to come from (the layer above
 * authenticates), and may be lost, doubled, late or out of order.
 *
 * What it guarantees (virtual synchrony):
 *   1. members that stay together install the same views in the same order
 *   2. members that go together from one view to the next delivered the same
 *      messages in it, in the same total order; a message is delivered in the
 *      view it was sent in; a sender delivers its own, first in first out (of two
 *      rows: ordinary ones, and those that go ahead)
 *   3. a safe message is delivered only once every member of the view holds it
 *      (where members fail meanwhile: every member that goes on to the next)
 *
 * Joining: the layer above decides who may join, sends that decision through
 * the group, and every member calls gcp_engine_admit () at its delivery, at the
 * same place in the order. The newcomer's engine is made with
 * gcp_engine_new_joiner () before. The next view has it at its end.
 */
#pragma once

#include "gcp-view.h"

G_BEGIN_DECLS

typedef struct _GcpEngine GcpEngine;

/* Bytes around a datagram that travels over a third member. */
#define GCP_RELAY_OVERHEAD (1 + 1 + 8 + 8)

typedef struct {
  gsize max_datagram;           /* bytes a datagram may have, besides those of
                                 * GCP_RELAY_OVERHEAD and @seal; 1100 */
  gint64 heartbeat;             /* µs between signs of life, at most; 100 ms */
  gint64 suspicion;             /* µs of silence until a member is taken for
                                 * crashed, at least; more where datagrams are
                                 * lost and delays vary. A process may stop for
                                 * 5/8 of it. 800 ms */
  gint64 joining_timeout;       /* µs a joiner waits for its first view; 10 s */
  gsize max_queued;             /* bytes of own messages not yet ordered; 1 MiB */
  gsize max_message;            /* bytes of one message; 1 MiB */
  gint64 probe;                 /* µs between attempts to reach a member that
                                 * failed, at first; 500 ms; 0: never */
  /* Whether this member will have @id, which comes with another part of the group, in
   * a view with @own (of GcpMemberId), those who go there from this part: newcomers
   * too, but not always this member itself. Asked before anything is agreed; NULL:
   * all. */
  gboolean (*may_merge) (gpointer user_data, GcpMemberId id, GBytes *card,
      const GArray *own);
  /* Whether @id can be a newcomer whom this member has not been told to let in, but
   * another says it was. Asked where this member would bring it in; NULL: anybody. */
  gboolean (*may_join) (gpointer user_data, GcpMemberId id, GBytes *card);
  /* Where the path between two members is broken, what they say to each other
   * travels over a third, which must be able to neither read nor make it: sealed
   * for @to; opened, NULL where it is not really from @from. NULL: as it is. */
  GBytes *(*seal) (gpointer user_data, GcpMemberId to, GBytes *bytes);
  GBytes *(*open) (gpointer user_data, GcpMemberId from, const guint8 *data,
      gsize size);
  gpointer user_data;
} GcpConfig;

void gcp_config_init (GcpConfig *config);       /* the defaults above */

typedef enum {
  GCP_OUTPUT_SEND,              /* send @bytes to @member */
  GCP_OUTPUT_DELIVER,           /* @member multicast @bytes in the present view */
  GCP_OUTPUT_VIEW,              /* @view is installed; @departures say why members of
                                 * the last view are not in it */
  GCP_OUTPUT_END,               /* this member is out of the group for good: @reason.
                                 * The engine does nothing more */
} GcpOutputType;

typedef enum {
  GCP_END_LEFT,                 /* gcp_engine_leave () is done */
  GCP_END_PUT_OUT,              /* the others went on without this member */
  GCP_END_NOT_ADMITTED,         /* joiner: no view came within joining_timeout */
} GcpEndReason;

typedef struct {
  GcpMemberId id;
  GcpDeparture why;
} GcpDepartureRecord;

typedef struct {
  GcpOutputType type;
  GcpMemberId member;
  GBytes *bytes;                /* owned by who polled */
  GcpQuality quality;
  GcpView *view;                /* owned by who polled */
  GArray *departures;           /* of GcpDepartureRecord, owned by who polled */
  GcpEndReason reason;
} GcpOutput;

void gcp_output_clear (GcpOutput *output);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GcpOutput, gcp_output_clear)

/* A group of one: the first output is its first view, number 1, primary. */
GcpEngine *gcp_engine_new_founder (const GcpConfig *config, GcpMemberId self,
    GBytes *card, gint64 now);

/* A member to be: does nothing but answer until the members of the group bring
 * it its first view. Datagrams from peers that are no members are ignored by
 * engines that are in a view without them. */
GcpEngine *gcp_engine_new_joiner (const GcpConfig *config, GcpMemberId self,
    GBytes *card, gint64 now);
void gcp_engine_free (GcpEngine *engine);

void gcp_engine_receive (GcpEngine *engine, GcpMemberId from,
    const guint8 *data, gsize size, gint64 now);
void gcp_engine_tick (GcpEngine *engine, gint64 now);

/* Sends @message to the group. While a view change runs it is kept and sent in
 * the next view. Errors: G_IO_ERROR_WOULD_BLOCK (the queue is full: try again
 * after a delivery), _MESSAGE_TOO_LARGE, _CLOSED (not a member). */
gboolean gcp_engine_multicast (GcpEngine *engine, GBytes *message,
    GcpQuality quality, gint64 now, GError **error);

/* The same for what must not wait behind much else: it gets past all messages that
 * are not on their way yet, or only in part, but for those that went ahead before. A
 * queue that is full for ordinary messages has as much room again for these. They are
 * taken also of a member that leaves, until it has said so, which it does not before it
 * was told of the view that it is in. */
gboolean gcp_engine_multicast_ahead (GcpEngine *engine, GBytes *message,
    GcpQuality quality, gint64 now, GError **error);

/* TRUE: a message of one piece multicast now is sent in the present view, and so
 * delivered in it by all that stay together (a longer one is begun in it, and may
 * end in a later one). FALSE: no view yet, a view change runs, or others
 * wait before it: it may be sent in a later view. */
gboolean gcp_engine_is_open (const GcpEngine *engine);

/* The group decided to take @id in. To be called by every member at the same
 * delivery. Ignored where @id is a member or the view would be too large. */
void gcp_engine_admit (GcpEngine *engine, GcpMemberId id, GBytes *card,
    gint64 now);

/* Whether @id was let in and may come into the next view. */
gboolean gcp_engine_is_candidate (GcpEngine *engine, GcpMemberId id);

/* The group decided to go on without @id, or that @id, which failed, is not to come
 * back. To be called by every member at the same delivery. */
void gcp_engine_put_out (GcpEngine *engine, GcpMemberId id, gint64 now);

/* Leaves: messages multicast before are still ordered and delivered, then the
 * others install a view without this member and GCP_OUTPUT_END comes out. A
 * member that is alone, or hears nothing, ends after the suspicion time. */
void gcp_engine_leave (GcpEngine *engine, gint64 now);

gboolean gcp_engine_poll (GcpEngine *engine, GcpOutput *output);

/* The same, but for datagrams (GCP_OUTPUT_SEND) and the end: for who has more input
 * at hand, so that what follows from all of it goes out together. */
gboolean gcp_engine_poll_events (GcpEngine *engine, GcpOutput *output);
gint64 gcp_engine_deadline (const GcpEngine *engine);   /* G_MAXINT64: none */

GcpView *gcp_engine_get_view (const GcpEngine *engine); /* borrowed; NULL: none */
gsize gcp_engine_get_queued (const GcpEngine *engine);  /* own bytes not yet ordered */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GcpEngine, gcp_engine_free)

G_END_DECLS
