/* gcp-engine-private.h: the engine's state, shared by the files it is made of
 *
 *   gcp-engine.c   life, datagrams in and out
 *   gcp-known.c    peers, candidates, who departed, who is lost
 *   gcp-order.c    messages within a view: submit, order, receipts, stability
 *   gcp-change.c   from one view to the next, as a member sees it
 *   gcp-coordinator.c      ... as who coordinates it sees it
 *   gcp-watch.c    when a change begins, and begins again
 *   gcp-merge.c    parts of the group that meet again
 *   gcp-parts.c    parts of a proposal, as they come and go
 *   gcp-peer.c     links that begin anew
 *   gcp-relay.c    paths to a peer, direct or over a third member
 *   gcp-install.c  installing a view
 *
 * docs/protocol.md, "GCP", says what they do and why.
 */
#pragma once

#include "gcp-engine.h"
#include "gcp-link.h"
#include "gcp-log.h"
#include "gcp-pieces.h"

G_BEGIN_DECLS

/* Bytes of own messages at the sequencer that it has not ordered yet; one
 * message may go beyond. */
#define GCP_SUBMIT_WINDOW (128 * 1024)

/* The sequencer drops what a member submits beyond this: no honest one does. */
#define GCP_SUBMIT_LIMIT (2 * (GCP_SUBMIT_WINDOW + GCP_PIECE_SIZE))

/* Bytes of ordered messages that not all members hold yet; the sequencer waits
 * where there are more. Members take twice as much. */
#define GCP_UNSTABLE_WINDOW (1024 * 1024)
#define GCP_UNSTABLE_LIMIT (2 * GCP_UNSTABLE_WINDOW + GCP_PIECE_SIZE)

/* Bytes that the sequencer leaves waiting for one member's link, besides what is
 * on its way: twice that, within these bounds. So a member to which little goes
 * through slows all senders down, and who sends much is not far ahead of who sends
 * little. */
#define GCP_LINK_QUEUE (64 * 1024)
#define GCP_LINK_LEAST_QUEUE (2 * GCP_PIECE_SIZE)

/* Bytes that wait for one member's link, where @n are in the view or to come: some
 * times what one view change takes. Whoever has more waiting asks without taking,
 * and its link breaks. */
#define GCP_MAX_WAITING(n) \
    (4 * (GCP_UNSTABLE_LIMIT + (n) * (gsize) (GCP_SUBMIT_LIMIT + GCP_MAX_CARD_SIZE)))

#define GCP_RECEIPT_DELAY 10000         /* µs; none for safe messages */
#define GCP_RECEIPT_EVERY 64            /* messages */
#define GCP_RECEIPT_COST (GCP_UNSTABLE_WINDOW / 8)
#define GCP_NOTICE_INTERVAL 100000      /* µs between notices to one peer */
#define GCP_CALM 200000                 /* µs after a view until who comes or goes by
                                         * itself makes the next one */
#define GCP_ANSWER_SUSPICIONS 4         /* suspicion times until an answer is due */
#define GCP_MAX_DEPARTED 256            /* former members remembered */
#define GCP_MAX_NUMBER_STEP (G_GUINT64_CONSTANT (1) << 32)
#define GCP_MAX_NUMBER (G_GUINT64_CONSTANT (1) << 63)

typedef enum {
  GCP_STATE_JOINING,            /* no view yet */
  GCP_STATE_MEMBER,             /* in a view */
  GCP_STATE_ENDING,             /* out; what was sent last is still on its way */
  GCP_STATE_ENDED
} GcpState;

/* How datagrams go to a peer and come from it. */
typedef struct {
  gint64 heard;                 /* µs: when something came directly; at first when
                                 * the link was made */
  gint64 other_deaf;            /* when it said that nothing comes to it; 0: never */
  GcpMemberId relay;            /* over whom something came last ... */
  gint64 relayed;               /* ... and when */
  gint64 next_direct;           /* the direct path is not tried before */
  guint turn;                   /* whose it is to be tried as a relay */
} GcpPath;

/* Somebody there is a link to: a member, a candidate, or, while joining, anybody
 * who spoke. */
typedef struct {
  GcpMemberId id;
  GcpLink *link;
  GcpPath path;
  guint32 generation;           /* number of this end's link */
  guint32 other_generation;     /* ... of the other end's; 0: not heard yet */
  gboolean talked;              /* something came on this link */
  gint64 since;                 /* µs: when the link was made */
  gboolean leaving;             /* said so */
  gboolean out;                 /* the group decided so */
  gboolean gone;                /* it went on without this member, or did not
                                 * answer in a view change */
  gboolean accused;             /* another member takes it for crashed */
  guint refusals;               /* of one's own attempts, in this view */
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
  guint64 n_moved;              /* of its link, when the phase began */
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
  GCP_PHASE_MERGE,              /* waits for the leader's JOINT */
  GCP_PHASE_PREPARE             /* waits for PREPARED */
} GcpPhase;

/* A view change that this member coordinates. */
typedef struct {
  GcpViewId id;
  GcpPhase phase;
  GPtrArray *replies;           /* of GcpReply: who takes part, in the view's order,
                                 * and in the end the newcomers */
  gint64 deadline;              /* for the answers of this phase */
  gboolean refused;             /* to be made again with a greater number */
  gint64 began;                 /* this phase */
  GcpLineage *lineage;          /* what those who answered know together */
  GcpMemberId source;           /* FETCH: who is asked ... */
  GcpViewId wanted;             /* ... for this proposal (none: for messages) */
  guint64 wanted_held;          /* ... and for messages up to this */
} GcpAttempt;

typedef struct {
  GcpMemberId id;
  GcpDeparture why;
  gint64 since;
  gint64 last_notice;
  gint64 next_probe, probe_interval;
} GcpDeparted;

/* The coordinator of another part, as it said last. */
typedef struct {
  GcpMemberId id;
  gint64 heard;
  gboolean primary;
  guint n;                      /* members */
} GcpSighting;

/* A merge of this part, which this member coordinates, with another. */
typedef struct {
  GcpMemberId other;            /* its coordinator; none: there is no merge */
  GcpViewId id;                 /* of the merge, from the leader */
  gboolean leads;               /* this part does */
  gboolean said;                /* PART, or as the leader JOINT */
  gboolean held;                /* HELD was said, or as the leader heard */
  gboolean go;                  /* GO was heard */
  gint64 deadline;              /* for the other's next word */
  GArray *cards;                /* of GcpMember: shown by the other */
  GcpProposal *part;            /* who comes, as the leader knows */
} GcpMerge;

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
  guint32 last_generation;      /* given to a link */
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
  GQueue begun[2];              /* of GcpItem: ordered pieces of an own message the
                                 * last of which is not ordered; ordinary, ahead */
  gsize own_size, submitted_size;       /* bytes of payload */
  gsize submitted_cost;
  GcpLog log;
  GcpPieces pieces;             /* delivered, and not whole */
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
  gint64 followed;              /* when another's was promised */
  guint64 highest;              /* number of an attempt or view seen */
  GcpProposal *prepared;        /* held ready */
  GcpStaging *staging;
  GcpAttempt *attempt;          /* own */
  gint64 retry;                 /* after REFUSED, not before */
  gint64 calm_at;               /* GCP_CALM after the last view */

  /* parts that meet again */
  GcpSighting sighted;
  GcpMerge merge;
  GcpViewId cancelled;          /* of the other part; it is not installed there */
  GcpViewId joined;             /* the newest merge led to a joint view */
  gint64 next_merge, merge_pause;
  gint64 next_answer;           /* to a probe */
  GcpMemberId referred;         /* whom one that this member lost named as its
                                 * coordinator, when it was asked last */

  /* the end */
  gboolean leaving;
  gboolean leave_said;          /* in this view */
  gint64 leave_deadline;
  gboolean out;                 /* the group decided so */
  gboolean told_out;            /* left or put out, as a primary view says */
  GcpEndReason end_reason;
  gint64 end_deadline;
};

/* gcp-engine.c */
void gcp_engine_send (GcpEngine *engine, GcpMemberId to,
    const GcpMessage *message);
void gcp_engine_send_to_others (GcpEngine *engine, const GcpMessage *message);
GcpOutput *gcp_engine_add_output (GcpEngine *engine, GcpOutputType type);
void gcp_engine_end (GcpEngine *engine, GcpEndReason reason);
/* Tells a former member that it is one, if it was not told just now. */
void gcp_engine_give_notice (GcpEngine *engine, GcpMemberId to);
/* The peer, if @from may have a link. */
GcpPeer *gcp_engine_admit_sender (GcpEngine *engine, GcpMemberId from);

/* gcp-known.c */
void gcp_candidate_free (GcpCandidate *candidate);
GcpPeer *gcp_known_find_peer (GcpEngine *engine, GcpMemberId id);
GcpPeer *gcp_known_need_peer (GcpEngine *engine, GcpMemberId id);
void gcp_known_drop_peer (GcpEngine *engine, GcpMemberId id);
GcpCandidate *gcp_known_find_candidate (GcpEngine *engine, GcpMemberId id);
void gcp_known_add_candidate (GcpEngine *engine, GcpMemberId id,
    GBytes *card);
void gcp_known_drop_candidate (GcpEngine *engine, GcpMemberId id);
/* NULL: was in no view with this member, or is in the present one. */
GcpDeparted *gcp_known_find_departed (GcpEngine *engine, GcpMemberId id);
void gcp_known_add_departed (GcpEngine *engine, GcpMemberId id,
    GcpDeparture why);
void gcp_known_drop_departed (GcpEngine *engine, GcpMemberId id);
/* When @peer is suspected. Nothing heard for as long as the link says (gcp-detector.h);
 * or, for twice as long, no sign that the other hears this side: a link that works in
 * one direction only must be seen from both of its ends. Who is accused by another
 * member has half the time. */
gint64 gcp_known_get_suspicion_time (GcpEngine *engine, const GcpPeer *peer);
/* Silence, or a broken link. */
gboolean gcp_known_is_suspected (GcpEngine *engine, const GcpPeer *peer);
/* No part of the next view, as far as this member knows: suspected, gone or out. */
gboolean gcp_known_is_lost (GcpEngine *engine, GcpMemberId id);

/* gcp-peer.c */
#define GCP_PEER_TRAILER 8              /* octets behind a link's datagram */

GcpPeer *gcp_peer_new (GcpEngine *engine, GcpMemberId id);
void gcp_peer_free (GcpPeer *peer);
void gcp_peer_receive (GcpEngine *engine, GcpPeer *peer, const guint8 *data,
    gsize size);
GBytes *gcp_peer_poll (GcpEngine *engine, GcpPeer *peer);
/* The link is about to go: what it still has to say is that this is so (COMMIT),
 * and that all has come, for which a leaver waits. */
void gcp_peer_say_farewell (GcpEngine *engine, GcpPeer *peer);

/* gcp-relay.c */
/* One of the two does not hear the other directly. */
gboolean gcp_relay_is_broken (GcpEngine *engine, const GcpPeer *peer);
/* A datagram of @peer's link, on the path there is. Takes @bytes over. */
void gcp_relay_send (GcpEngine *engine, GcpPeer *peer, GBytes *bytes);
/* Passes it on, or takes it. */
void gcp_relay_receive (GcpEngine *engine, GcpMemberId from,
    const guint8 *data, gsize size);

/* gcp-order.c */
void gcp_order_handle (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m);
void gcp_order_run (GcpEngine *engine);         /* does all that can be done */
/* The sequencer stopped for full links, which are not full any more. */
gboolean gcp_order_can_go_on (GcpEngine *engine);
void gcp_order_deliver_item (GcpEngine *engine, const GcpItem *item);
/* Own message number one of those that are not ordered has been ordered. NULL: there
 * is none. */
GcpItem *gcp_order_take_submitted (GcpEngine *engine);
void gcp_order_drop_submitted (GcpEngine *engine);     /* the same; it is here already */
/* The view ends: what is left of own messages is sent in the next; all of a message
 * that is begun, if it is to @begin_again. */
void gcp_order_take_back (GcpEngine *engine, gboolean begin_again);
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
/* This member leaves, and nothing keeps it any more. */
gboolean gcp_change_may_leave (const GcpEngine *engine);
/* Who coordinates now, as far as this member knows. */
GcpMemberId gcp_change_get_coordinator (GcpEngine *engine);

/* gcp-coordinator.c */
void gcp_coordinator_handle (GcpEngine *engine, GcpPeer *peer,
    const GcpMessage *m);
void gcp_coordinator_clear (GcpEngine *engine);
/* Begins an attempt, or begins it again. */
void gcp_coordinator_start (GcpEngine *engine);
/* What this part would propose by itself, but for who departs. */
GcpProposal *gcp_coordinator_draft (GcpEngine *engine);
/* Has those who take part hold @proposal ready; takes it over. */
void gcp_coordinator_propose (GcpEngine *engine, GcpProposal *proposal);
/* REFUSED: again, in a while. */
void gcp_coordinator_retry (GcpEngine *engine);
void gcp_coordinator_commit_if_all_acked (GcpEngine *engine);
gboolean gcp_coordinator_is_ready (GcpEngine *engine,
    const GcpCandidate *candidate);
/* Segments of the streams with @id that came or arrived so far. */
guint64 gcp_coordinator_count_moved (GcpEngine *engine, GcpMemberId id);

/* gcp-watch.c */
void gcp_watch_run (GcpEngine *engine);
gint64 gcp_watch_deadline (const GcpEngine *engine);

/* gcp-merge.c */
/* FALSE: @m is none of a merge. */
gboolean gcp_merge_handle (GcpEngine *engine, GcpPeer *peer,
    const GcpMessage *m);
void gcp_merge_receive_probe (GcpEngine *engine, GcpMemberId from,
    const guint8 *data, gsize size);
/* @from is no member, but may have a link to this one to merge. */
/* Whether @from may say that this member is out: one that it lost, or one of these
 * named as the coordinator it has now. */
gboolean gcp_merge_is_believed (GcpEngine *engine, GcpMemberId from);
gboolean gcp_merge_may_talk (GcpEngine *engine, GcpMemberId from);
/* The layer above takes all who come from another part with @proposal. */
gboolean gcp_merge_accepts (GcpEngine *engine, const GcpProposal *proposal);
/* The former members that are probed; newcomers are told, so that the group finds
 * them again also when all who knew them have left. */
void gcp_merge_list_lost (GcpEngine *engine, GArray *lost);
/* FALSE: this part does not follow another, and makes its view itself. */
gboolean gcp_merge_send_part (GcpEngine *engine, GcpProposal *draft);
gboolean gcp_merge_has_part (GcpEngine *engine);
/* As the leader: who comes is in @proposal; the other coordinator is told. */
void gcp_merge_add_part (GcpEngine *engine, GcpProposal *proposal);
void gcp_merge_send_joint (GcpEngine *engine, GcpProposal *proposal);
/* Own part holds the proposal ready; TRUE: and the other part, if there is one. */
gboolean gcp_merge_may_install (GcpEngine *engine);
void gcp_merge_commits (GcpEngine *engine);
void gcp_merge_installed (GcpEngine *engine);   /* any view */
void gcp_merge_restart (GcpEngine *engine);     /* the attempt */
void gcp_merge_give_up (GcpEngine *engine);
void gcp_merge_refused (GcpEngine *engine);     /* one will not be with another */
void gcp_merge_run (GcpEngine *engine);
void gcp_merge_clear (GcpEngine *engine);
gint64 gcp_merge_deadline (const GcpEngine *engine);

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
