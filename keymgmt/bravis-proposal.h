/* bravis-proposal.h: newcomers that the group is voting about
 *
 * Every member keeps the same table, since all that changes it is in the group's
 * order: a PROPOSAL adds, each VOUCH counts, an ADMIT or a refusal takes out, a
 * view empties it. What one member alone knows (the verified card) is marked.
 *
 * Several members may propose one newcomer: a proposal that comes to nothing must
 * not stand in the way of another's. A VOUCH is for a card, so for all of them.
 */
#pragma once

#include "bravis-card.h"
#include "../gcp/gcp-address.h"

G_BEGIN_DECLS

#define BRAVIS_MAX_PROPOSALS 16 /* of one proposer at a time */

typedef struct {
  GcpMemberId newcomer;
  GcpMemberId proposer;
  char *name;                   /* what the proposer says */
  GcpAddress address;
  GBytes *card;
  guint8 digest[BRAVIS_HASH_SIZE];      /* of @card */
  GArray *accepted;             /* of GcpMemberId: who vouched */
  BravisCard *verified;         /* this member's own finding; NULL: no good */
  gboolean admitting;           /* this member has sent its ADMIT */
} BravisProposal;

typedef struct _BravisProposals BravisProposals;

BravisProposals *bravis_proposals_new (void);
void bravis_proposals_free (BravisProposals *proposals);
void bravis_proposals_clear (BravisProposals *proposals);

/* NULL where @proposer has the newcomer in the table, or too many. A new proposal of
 * a name takes the place of the same proposer's last one. */
BravisProposal *bravis_proposals_add (BravisProposals *proposals,
    GcpMemberId proposer, GcpMemberId newcomer, const char *name,
    const GcpAddress *address, GBytes *card);
BravisProposal *bravis_proposals_find (BravisProposals *proposals,
    GcpMemberId proposer, GcpMemberId newcomer);
/* The first of that newcomer with a card of that hash. */
BravisProposal *bravis_proposals_find_card (BravisProposals *proposals,
    GcpMemberId newcomer, const guint8 digest[BRAVIS_HASH_SIZE]);
void bravis_proposals_remove (BravisProposals *proposals,
    BravisProposal *proposal);
void bravis_proposals_remove_name (BravisProposals *proposals,
    const char *name);

/* @by vouched for that card of @newcomer. */
void bravis_proposals_accept (BravisProposals *proposals, GcpMemberId newcomer,
    const guint8 digest[BRAVIS_HASH_SIZE], GcpMemberId by);

/* Whether all members of @view but @except vouched. */
gboolean bravis_proposal_is_complete (BravisProposal *proposal,
    const GcpView *view, GcpMemberId except);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisProposals, bravis_proposals_free)

G_END_DECLS
