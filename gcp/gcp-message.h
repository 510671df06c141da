/* gcp-message.h: what members say to each other over links
 *
 * Every message is of a view: the one its sender is in, or, while views change,
 * the one that is being left. docs/protocol.md, "Group messages of GCP", has the
 * formats; this is the only place that reads and writes them.
 */
#pragma once

#include "gcp-lineage.h"

G_BEGIN_DECLS

/* Longest payload that is multicast, in pieces (gcp-pieces.h) of GCP_PIECE_SIZE, and
 * longest message of those below. */
#define GCP_MAX_PAYLOAD_SIZE (1024 * 1024)
#define GCP_MAX_MESSAGE_SIZE (64 * 1024)

typedef enum {
  GCP_MESSAGE_SUBMIT = 1,       /* to the sequencer: order this */
  GCP_MESSAGE_ORDER,            /* from the sequencer: this has that number */
  GCP_MESSAGE_RECEIPT,          /* to the sequencer: I hold all up to */
  GCP_MESSAGE_STABLE,           /* from the sequencer: all hold all up to */
  GCP_MESSAGE_LEAVE,            /* I leave */
  GCP_MESSAGE_HERE,             /* I have installed this view */
  GCP_MESSAGE_FLUSH,            /* stop, and say what you have */
  GCP_MESSAGE_CANDIDATE,        /* part of the answer: admitted, not yet in */
  GCP_MESSAGE_UNORDERED,        /* part of the answer: my message, not ordered */
  GCP_MESSAGE_FLUSHED,          /* the answer */
  GCP_MESSAGE_FETCH,            /* show me what I lack */
  GCP_MESSAGE_SHOWN,            /* that was all */
  GCP_MESSAGE_MISSING,          /* an ordered message that the receiver lacks */
  GCP_MESSAGE_APPENDED,         /* a message put behind the ordered ones */
  GCP_MESSAGE_CARD,             /* the card of a member of the next view */
  GCP_MESSAGE_PREPARE,          /* the next view; hold it ready */
  GCP_MESSAGE_PREPARED,         /* I do */
  GCP_MESSAGE_COMMIT,           /* install it */
  GCP_MESSAGE_REFUSED,          /* not FLUSHED: I know a greater number; not
                                 * PREPARED: I cannot be with one of them */
  GCP_MESSAGE_MERGE,            /* between coordinators: come to this part */
  GCP_MESSAGE_PART,             /* these come */
  GCP_MESSAGE_JOINT,            /* the view of both; hold it ready */
  GCP_MESSAGE_HELD,             /* we do */
  GCP_MESSAGE_GO,               /* install it */
  GCP_MESSAGE_APART,            /* nothing comes of it */
  GCP_N_MESSAGES
} GcpMessageType;

/* A message in its place, or on its way there. */
typedef struct {
  guint8 sender;                /* place in the view */
  GcpQuality quality;
  gboolean more;                /* not the last piece of a message */
  gboolean continues;           /* not the first */
  gboolean ahead;               /* of a message that others do not hold up */
  GBytes *payload;
} GcpItem;

/* The only piece of an ordinary message. */
GcpItem *gcp_item_new (guint8 sender, GcpQuality quality, GBytes *payload);
GcpItem *gcp_item_copy (const GcpItem *item);
void gcp_item_free (GcpItem *item);
gsize gcp_item_cost (const GcpItem *item);      /* bytes it counts for */

/* A view to be: everything that those who go there must agree on. */
typedef struct {
  gatomicrefcount references;
  GcpViewId attempt;            /* in which it was prepared last */
  GcpViewId id;
  gboolean primary;
  gboolean apart;               /* its proposer's own note: ends the old view as
                                 * another view does, that may be installed */
  guint64 cut;                  /* the old view's last ordered message */
  GPtrArray *appended;          /* of GcpItem: delivered behind it */
  guint32 n_appended;           /* as announced */
  GArray *members;              /* of GcpMember; card NULL: not known yet */
  GArray *departures;           /* of GcpMessageDeparture */
  GArray *dropped;              /* of GcpMemberId: candidates that failed */
  GArray *acking;               /* of GcpMemberId: old members that take part */
  GArray *others;               /* of GcpMemberId: who comes from, or takes part in,
                                 * another part of the group */
  GArray *lost;                 /* of GcpMemberId: failed before; may come back */
  GcpLineage *lineage;          /* what those who take part know together */
} GcpProposal;

typedef struct {
  GcpMemberId id;
  GcpDeparture why;
} GcpMessageDeparture;

GcpProposal *gcp_proposal_new (void);
GcpProposal *gcp_proposal_ref (GcpProposal *proposal);
void gcp_proposal_unref (GcpProposal *proposal);
gint gcp_proposal_find (const GcpProposal *proposal, GcpMemberId id);
void gcp_proposal_add_member (GcpProposal *proposal, GcpMemberId id,
    GBytes *card);
GArray *gcp_proposal_list_members (const GcpProposal *proposal);        /* ids */

/* One message, read. What a type does not have is zero. */
typedef struct {
  GcpMessageType type;
  GcpViewId view;
  GcpViewId attempt;            /* FLUSH and later types */
  guint64 sequence;             /* ORDER, RECEIPT, STABLE, MISSING; FLUSHED: held;
                                 * FETCH: held by who asks; SHOWN: held by who
                                 * answers */
  guint8 sender;                /* ORDER, MISSING, APPENDED */
  GcpQuality quality;
  gboolean more, continues, ahead;      /* as of an item */
  gboolean omitted;             /* ORDER: the payload is its receiver's own */
  GBytes *payload;              /* messages, and cards */
  gboolean primary;             /* HERE */
  gboolean leaving;             /* FLUSHED */
  GcpMemberId member;           /* CANDIDATE, CARD */
  GArray *ids;                  /* FLUSH: candidates that need not be told */
  guint64 own_ordered;          /* FLUSHED: own messages among those held */
  guint32 n_unordered;          /* FLUSHED */
  GcpViewId prepared_attempt;   /* FLUSHED */
  GcpViewId prepared;           /* FLUSHED, FETCH, SHOWN: a proposal's view */
  guint64 highest;              /* FLUSHED, REFUSED, PART: greatest number seen */
  GcpLineage *lineage;          /* FLUSHED */
  GcpProposal *proposal;        /* PREPARE, SHOWN, PART, JOINT: without items and
                                 * cards */
} GcpMessage;

/* FALSE: not a message; nothing is to be cleared. */
gboolean gcp_message_read (GcpMessage *message, GBytes *bytes);
GBytes *gcp_message_write (const GcpMessage *message);
void gcp_message_clear (GcpMessage *message);

/* The item that @message carries, or is to carry. @sender: its place in the view. */
GcpItem *gcp_message_get_item (const GcpMessage *message, guint8 sender);
void gcp_message_set_item (GcpMessage *message, const GcpItem *item);     /* borrowed */

/* The notice to a former member that tries to talk: "the group is in this view,
 * without you, because". A datagram of its own, not in a link. */
#define GCP_DATAGRAM_OUT 2

GBytes *gcp_notice_write (GcpViewId view, gboolean primary, GcpDeparture why);
gboolean gcp_notice_read (const guint8 *data, gsize size, GcpViewId *view,
    gboolean *primary, GcpDeparture *why);

/* What one part of a group says of itself to another. A datagram of its own. */
#define GCP_DATAGRAM_PROBE 3

typedef struct {
  gboolean answer;              /* is wished for */
  GcpViewId view;
  gboolean primary;
  guint8 n;                     /* members */
  GcpMemberId coordinator;
} GcpProbe;

GBytes *gcp_probe_write (const GcpProbe *probe);
gboolean gcp_probe_read (GcpProbe *probe, const guint8 *data, gsize size);

/* A link's datagram on its way over a third member, which passes it on as it is. */
#define GCP_DATAGRAM_RELAY 4

typedef struct {
  gboolean deaf;                /* nothing comes to @from from @to directly */
  GcpMemberId from, to;         /* the ends; not the same */
  GBytes *bytes;                /* sealed between the ends */
} GcpRelay;

GBytes *gcp_relay_write (const GcpRelay *relay);
/* FALSE: nothing is to be cleared. */
gboolean gcp_relay_read (GcpRelay *relay, const guint8 *data, gsize size);
void gcp_relay_clear (GcpRelay *relay);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GcpItem, gcp_item_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GcpProposal, gcp_proposal_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GcpMessage, gcp_message_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GcpRelay, gcp_relay_clear)

G_END_DECLS
