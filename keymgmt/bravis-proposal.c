#include "bravis-proposal.h"

#include <string.h>

struct _BravisProposals {
  GPtrArray *table;             /* of BravisProposal */
};

static void
free_proposal (gpointer data)
{
  BravisProposal *proposal = data;

  g_free (proposal->name);
  g_bytes_unref (proposal->card);
  g_array_unref (proposal->accepted);
  g_clear_pointer (&proposal->verified, bravis_card_unref);
  g_free (proposal);
}

BravisProposals *
bravis_proposals_new (void)
{
  BravisProposals *proposals = g_new (BravisProposals, 1);

  proposals->table = g_ptr_array_new_with_free_func (free_proposal);
  return proposals;
}

void
bravis_proposals_free (BravisProposals *proposals)
{
  g_ptr_array_unref (proposals->table);
  g_free (proposals);
}

void
bravis_proposals_clear (BravisProposals *proposals)
{
  g_ptr_array_set_size (proposals->table, 0);
}

static BravisProposal *
proposal_at (BravisProposals *proposals, guint index)
{
  return g_ptr_array_index (proposals->table, index);
}

BravisProposal *
bravis_proposals_find (BravisProposals *proposals, GcpMemberId proposer,
    GcpMemberId newcomer)
{
  for (guint i = 0; i < proposals->table->len; i++)
    if (proposal_at (proposals, i)->proposer == proposer
        && proposal_at (proposals, i)->newcomer == newcomer)
      return proposal_at (proposals, i);
  return NULL;
}

static gboolean
is_of_card (const BravisProposal *proposal, GcpMemberId newcomer,
    const guint8 digest[BRAVIS_HASH_SIZE])
{
  return proposal->newcomer == newcomer
      && memcmp (proposal->digest, digest, BRAVIS_HASH_SIZE) == 0;
}

BravisProposal *
bravis_proposals_find_card (BravisProposals *proposals, GcpMemberId newcomer,
    const guint8 digest[BRAVIS_HASH_SIZE])
{
  for (guint i = 0; i < proposals->table->len; i++)
    if (is_of_card (proposal_at (proposals, i), newcomer, digest))
      return proposal_at (proposals, i);
  return NULL;
}

BravisProposal *
bravis_proposals_add (BravisProposals *proposals, GcpMemberId proposer,
    GcpMemberId newcomer, const char *name, const GcpAddress *address,
    GBytes *card)
{
  BravisProposal *proposal;
  guint n = 0;

  if (bravis_proposals_find (proposals, proposer, newcomer))
    return NULL;
  for (guint i = proposals->table->len; i-- > 0;) {
    proposal = proposal_at (proposals, i);
    if (proposal->proposer != proposer)
      continue;
    if (strcmp (proposal->name, name) == 0)
      g_ptr_array_remove_index (proposals->table, i);
    else
      n++;
  }
  if (n >= BRAVIS_MAX_PROPOSALS)
    return NULL;

  proposal = g_new0 (BravisProposal, 1);
  proposal->newcomer = newcomer;
  proposal->proposer = proposer;
  proposal->name = g_strdup (name);
  proposal->address = *address;
  proposal->card = g_bytes_ref (card);
  bravis_sha256_bytes (card, proposal->digest);
  proposal->accepted = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  g_ptr_array_add (proposals->table, proposal);
  return proposal;
}

void
bravis_proposals_remove (BravisProposals *proposals, BravisProposal *proposal)
{
  g_ptr_array_remove (proposals->table, proposal);
}

void
bravis_proposals_remove_name (BravisProposals *proposals, const char *name)
{
  for (guint i = proposals->table->len; i-- > 0;)
    if (strcmp (proposal_at (proposals, i)->name, name) == 0)
      g_ptr_array_remove_index (proposals->table, i);
}

static gboolean
has_accepted (BravisProposal *proposal, GcpMemberId member)
{
  for (guint i = 0; i < proposal->accepted->len; i++)
    if (g_array_index (proposal->accepted, GcpMemberId, i) == member)
      return TRUE;
  return FALSE;
}

void
bravis_proposals_accept (BravisProposals *proposals, GcpMemberId newcomer,
    const guint8 digest[BRAVIS_HASH_SIZE], GcpMemberId by)
{
  for (guint i = 0; i < proposals->table->len; i++) {
    BravisProposal *proposal = proposal_at (proposals, i);

    if (is_of_card (proposal, newcomer, digest) && !has_accepted (proposal, by))
      g_array_append_val (proposal->accepted, by);
  }
}

gboolean
bravis_proposal_is_complete (BravisProposal *proposal, const GcpView *view,
    GcpMemberId except)
{
  for (guint i = 0; i < gcp_view_get_n_members (view); i++) {
    GcpMemberId id = gcp_view_get_member (view, i)->id;

    if (id != except && !has_accepted (proposal, id))
      return FALSE;
  }
  return TRUE;
}
