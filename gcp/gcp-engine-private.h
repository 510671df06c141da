/* gcp-engine-private.h: the engine's state, shared by the files it is made of
 *
 *   gcp-engine.c   life, peers, datagrams in and out, suspicion
 *   gcp-order.c    messages within a view: submit, order, receipts, stability
 *   gcp-change.c   from one view to the next, as a member sees it
 *   gcp-coordinator.c      ... as who coordinates it sees it
 *   gcp-parts.c    parts of a proposal, as they come and go
 *   gcp-install.c  installing a view
 *
 * docs/protocol.md, "GCP", says what they do and why.
 */
#pragma once

#include "gcp-engine.h"
#include "gcp-link.h"
#include "gcp-log.h"
#include "gcp-message.h"

G_BEGIN_DECLS

/* Bytes of own messages at the sequencer that it has not ordered yet; one
 * message may go beyond. */
#define GCP_SUBMIT_WINDOW (128 * 1024)

/* The sequencer drops what a member submits beyond this: no honest one does. */
#define GCP_SUBMIT_LIMIT (2 * GCP_SUBMIT_WINDOW + 2 * GCP_MAX_PAYLOAD_SIZE)

/* Bytes of ordered messages that not all members hold yet; the sequencer waits
 * where there are more. Members take twice as much. */
#define GCP_UNSTABLE_WINDOW (1024 * 1024)
#define GCP_UNSTABLE_LIMIT (2 * GCP_UNSTABLE_WINDOW + GCP_MAX_PAYLOAD_SIZE)

/* Bytes that the sequencer leaves waiting for one member's link, besides what is
 * on its way: a member to which little goes through slows all senders down, and
 * who sends much is not far ahead of who sends little. */
#define GCP_LINK_QUEUE (64 * 1024)

#define GCP_RECEIPT_DELAY 10000         /* µs; none for safe messages */
#define GCP_RECEIPT_EVERY 64            /* messages */
#define GCP_RECEIPT_COST (GCP_UNSTABLE_WINDOW / 8)
#define GCP_NOTICE_INTERVAL 100000      /* µs between notices to one peer */
#define GCP_MAX_DEPARTED 256            /* former members remembered */
#define GCP_MAX_NUMBER_STEP (G_GUINT64_CONSTANT (1) << 32)

typedef enum {
  GCP_STATE_JOINING,            /* no view yet */
  GCP_STATE_MEMBER,             /* in a view */
  GCP_STATE_ENDING,             /* out; what was sent last is still on its way */
  GCP_STATE_ENDED
} GcpState;

/* Somebody there is a link to: a member, a candidate, or, while joining, anybody
 * who spoke. */
typedef struct {
  GcpMemberId id;
  GcpLink *link;
  gint64 since;                 /* µs: when the link was made */
  gboolean leaving;             /* said so */
  gboolean out;                 /* the group decided so */
  gboolean gone;                /* it went on without this member, or did not
                                 * answer in a view change */
  gboolean accused;             /* another member takes it for crashed */
  GcpViewId held_flush;         /* its attempt, which is not its turn yet */
  GArray *held_flush_ids;
  /* as the sequencer sees it */
  GQueue pending;               /* of GcpItem, to be ordered */
  gsize pending_cost;
  guint64 receipt;
} GcpPeer;

/* Admitted, and not in a view yet. */
typedef struct {
  GcpMemberId id;
  GBytes *card;
  gint64 since;
  gboolean failed;              /* it was there and is not any more */
} GcpCandidate;

/* The parts of a proposal as they come. */
typedef struct {
  GcpMemberId from;
  GcpViewId attempt;
  GPtrArray *appended;          /* of GcpItem */
  gsize appended_cost;
  GArray *cards;                /* of GcpMember */
} GcpStaging;

/* What a member answered to FLUSH, or will. */
typedef struct {
  GcpMemberId id;
  gboolean flushed;
  gboolean acked;               /* holds the proposal ready; or need not */
  guint64 held;
  guint64 own_ordered;
  gboolean leaving;
  GcpViewId prepared_attempt, prepared;
  GPtrArray *unordered;         /* of GcpItem */
  gsize unordered_cost;
} GcpReply;

typedef enum {
  GCP_PHASE_GATHER,             /* waits for FLUSHED */
  GCP_PHASE_FETCH,              /* waits for SHOWN */
  GCP_PHASE_PREPARE             /* waits for PREPARED */
} GcpPhase;

/* A view change that this member coordinates. */
typedef struct {
  GcpViewId id;
  GcpPhase phase;
  GPtrArray *replies;           /* of GcpReply: who takes part, in the view's order,
                                 * and in the end the newcomers */
  gint64 deadline;              /* for the answers of this phase */
  gint64 latest;                /* ... not put off beyond this */
  GcpLineage *lineage;          /* what those who answered know together */
  GcpMemberId source;           /* FETCH: who is asked ... */
  GcpViewId wanted;             /* ... for this proposal (none: for messages) */
  guint64 wanted_held;          /* ... and for messages up to this */
} GcpAttempt;

typedef struct {
  GcpMemberId id;
  gint64 last_notice;
} GcpDeparted;

struct _GcpEngine {
  GcpConfig config;
  GcpLinkConfig link_config;
  GcpMemberId self;
  GBytes *card;
  gint64 now;
  gint64 began;
  gint64 grace_until;           /* nobody is suspected before */
  GcpState state;
  GQueue outputs;               /* of GcpOutput */
  GPtrArray *peers;             /* of GcpPeer */
  guint peers_serial;           /* grows when peers come or go */
  GArray *departed;             /* of GcpDeparted, oldest first */
  GPtrArray *candidates;        /* of GcpCandidate */

  GcpView *view;                /* installed */
  GcpView *told_view;           /* ... and told to the owner */
  GcpViewId view_id;
  GcpLineage *lineage;          /* of primary views */
  gint self_index;

  /* own messages: not sent to the sequencer; sent, not ordered yet */
  GQueue own;                   /* of GcpItem */
  GQueue submitted;             /* of GcpItem */
  gsize own_size, submitted_size;       /* bytes of payload */
  gsize submitted_cost;
  GcpLog log;
  guint64 receipt_sent;
  gboolean receipt_now;
  gint64 receipt_deadline;
  guint64 stable_sent;          /* as the sequencer */
  gint64 stable_deadline;
  gsize cost_since;             /* of messages since the last receipt was said, or,
                                 * at the sequencer, stability */
  guint next_turn;              /* whose message is ordered next */
  gboolean waits_for_links;     /* there is more to be ordered when they have room */

  /* view change */
  gboolean frozen;              /* nothing is sent or taken in this view any more */
  GcpViewId promised;           /* older attempts are ignored */
  guint64 highest;              /* number of an attempt or view seen */
  GcpProposal *prepared;        /* held ready */
  GcpStaging *staging;
  GcpAttempt *attempt;          /* own */

  /* the end */
  gboolean leaving;
  gboolean leave_said;          /* in this view */
  gint64 leave_deadline;
  gboolean out;                 /* the group decided so */
  gboolean told_out;            /* a primary view went on without this member */
  GcpEndReason end_reason;
  gint64 end_deadline;
};

/* gcp-engine.c */
GcpPeer *gcp_engine_find_peer (GcpEngine *engine, GcpMemberId id);
GcpPeer *gcp_engine_need_peer (GcpEngine *engine, GcpMemberId id);
void gcp_engine_drop_peer (GcpEngine *engine, GcpMemberId id);
GcpCandidate *gcp_engine_find_candidate (GcpEngine *engine, GcpMemberId id);
void gcp_engine_add_candidate (GcpEngine *engine, GcpMemberId id,
    GBytes *card);
void gcp_engine_drop_candidate (GcpEngine *engine, GcpMemberId id);
gboolean gcp_engine_is_departed (GcpEngine *engine, GcpMemberId id);
void gcp_engine_add_departed (GcpEngine *engine, GcpMemberId id);
void gcp_engine_send (GcpEngine *engine, GcpMemberId to,
    const GcpMessage *message);
void gcp_engine_send_to_others (GcpEngine *engine, const GcpMessage *message);
GcpOutput *gcp_engine_add_output (GcpEngine *engine, GcpOutputType type);
void gcp_engine_end (GcpEngine *engine, GcpEndReason reason);
/* Silence, or a broken link. */
gboolean gcp_engine_is_suspected (GcpEngine *engine, const GcpPeer *peer);
/* No part of the next view, as far as this member knows: suspected, gone or out. */
gboolean gcp_engine_is_lost (GcpEngine *engine, GcpMemberId id);

/* gcp-order.c */
void gcp_order_handle (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m);
void gcp_order_run (GcpEngine *engine);         /* does all that can be done */
/* The sequencer stopped for full links, which are not full any more. */
gboolean gcp_order_can_go_on (GcpEngine *engine);
void gcp_order_deliver_item (GcpEngine *engine, const GcpItem *item);
void gcp_order_reset (GcpEngine *engine);       /* a new view */
gint64 gcp_order_deadline (const GcpEngine *engine);

static inline GcpMemberId
gcp_engine_member_at (const GcpEngine *engine, guint index)
{
  return gcp_view_get_member (engine->view, index)->id;
}

/* gcp-change.c */
void gcp_change_handle (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m);
void gcp_change_run (GcpEngine *engine);
void gcp_change_clear (GcpEngine *engine);
GcpMessage gcp_change_message (const GcpEngine *engine, GcpMessageType type,
    GcpViewId attempt);
/* From now on @proposal may be installed, here or by others. Takes it over. */
void gcp_change_hold_ready (GcpEngine *engine, GcpProposal *proposal);
gboolean gcp_change_is_leaving (GcpEngine *engine, GcpMemberId id);
/* Who coordinates now, as far as this member knows. */
GcpMemberId gcp_change_get_coordinator (GcpEngine *engine);

/* gcp-coordinator.c */
void gcp_coordinator_handle (GcpEngine *engine, GcpPeer *peer,
    const GcpMessage *m);
void gcp_coordinator_run (GcpEngine *engine);
void gcp_coordinator_clear (GcpEngine *engine);
gint64 gcp_coordinator_deadline (const GcpEngine *engine);

/* gcp-parts.c */
void gcp_parts_handle_missing (GcpEngine *engine, GcpPeer *peer,
    const GcpMessage *m);
void gcp_parts_handle_appended (GcpEngine *engine, GcpPeer *peer,
    const GcpMessage *m);
void gcp_parts_handle_card (GcpEngine *engine, GcpPeer *peer,
    const GcpMessage *m);
/* Puts the parts that came before into @m's proposal. FALSE: it is not whole, or
 * not one that could be. */
gboolean gcp_parts_complete (GcpEngine *engine, GcpPeer *peer,
    const GcpMessage *m);
void gcp_parts_send_missing (GcpEngine *engine, GcpMemberId to,
    GcpViewId attempt, guint64 held);
/* Everything of @proposal but itself, as far as @to may not have it. */
void gcp_parts_send (GcpEngine *engine, GcpMemberId to, GcpViewId attempt,
    GcpProposal *proposal);
void gcp_parts_clear (GcpEngine *engine);

/* gcp-install.c */
void gcp_install (GcpEngine *engine, GcpProposal *prepared);
void gcp_install_founder (GcpEngine *engine);   /* the first view */

G_END_DECLS
