#include "bravis-conference-private.h"

#include "bravis-roster.h"

#include <string.h>

GBytes *
bravis_conference_make_roster (BravisConference *conference)
{
  g_auto (BravisRoster) roster = { 0 };
  const BravisPolicy *policy = conference->epoch
      ? bravis_epoch_get_policy (conference->epoch) : &conference->policy;

  bravis_roster_init (&roster, policy);
  for (guint i = 0; i < gcp_view_get_n_members (conference->view); i++) {
    const GcpMember *member = gcp_view_get_member (conference->view, i);
    GcpAddress address = bravis_conference_get_address (conference, member->id);

    bravis_roster_add (&roster, &address, member->card,
        bravis_vtkd_get_share (conference->vtkd, member->id));
  }
  return bravis_roster_write (&roster);
}

void
bravis_conference_propose (BravisConference *conference,
    BravisInvitation *invitation)
{
  BravisGroupMessage message = { .type = BRAVIS_GROUP_PROPOSAL,
    .newcomer = invitation->card->id, .name = invitation->name,
    .address = invitation->seen, .card = invitation->card->bytes };
  BravisProposal *proposal = bravis_proposals_find (conference->proposals,
      conference->own->card->id, invitation->card->id);

  if (proposal)
    bravis_conference_on_vouched (conference, proposal);
  else
    bravis_conference_multicast_message (conference, &message);
}

/* A card that is older than what its peer is now: somebody kept it. Of two of the same
 * second the later one to be proposed wins. */
static gboolean
is_of_the_past (BravisConference *conference, const BravisCard *card)
{
  GcpMemberId present = bravis_conference_find_name (conference, card->name);
  BravisCard *known = present == GCP_MEMBER_NONE ? NULL
      : bravis_conference_card_of (conference, present);

  return known && card->made < known->made;
}

/* Another of that name may come into the next view. */
static gboolean
is_being_let_in (BravisConference *conference, const BravisCard *card)
{
  const BravisAdmitted *admitted = g_hash_table_lookup (conference->admitted,
      card->name);

  return admitted && admitted->id != card->id
      && conference->now < admitted->until;
}

/* This peer's own judgement of a newcomer. */
static BravisCard *
judge (BravisConference *conference, BravisProposal *proposal, GError **error)
{
  g_autoptr (BravisCard) card = bravis_card_verify (proposal->card,
      conference->identity, conference->name, conference->wall_clock, error);

  if (!card)
    return NULL;
  if (card->id != proposal->newcomer
      || strcmp (card->name, proposal->name) != 0
      || g_strcmp0 (card->name, bravis_conference_name_of (conference,
          proposal->proposer)) == 0) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_WRONG_NAME,
        "the card is not that of the peer that was proposed");
    return NULL;
  }
  if (gcp_view_get_n_members (conference->view) >= GCP_MAX_MEMBERS) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT,
        "the group has %d members already", GCP_MAX_MEMBERS);
    return NULL;
  }
  if (is_being_let_in (conference, card)) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "a peer of that name is being let in");
    return NULL;
  }
  if (is_of_the_past (conference, card)) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "the card is older than that of the member of this name (is a clock wrong?)");
    return NULL;
  }
  if (!bravis_contacts_check (conference->contacts, conference->own, card,
      error))
    return NULL;
  return g_steal_pointer (&card);
}

void
bravis_conference_deliver_proposal (BravisConference *conference,
    GcpMemberId from, BravisGroupMessage *message)
{
  g_autoptr (GError) error = NULL;
  BravisGroupMessage vouch = { .type = BRAVIS_GROUP_VOUCH,
    .newcomer = message->newcomer };
  BravisProposal *proposal;

  if (gcp_view_contains (conference->view, message->newcomer))
    return;
  proposal = bravis_proposals_add (conference->proposals, from,
      message->newcomer, message->name, &message->address, message->card);
  if (!proposal)
    return;
  proposal->verified = judge (conference, proposal, &error);

  /* An old incarnation has no voice about its own successor. */
  if (strcmp (message->name, bravis_conference_own_name (conference)) == 0
      || conference->outbox.length >= BRAVIS_CONFERENCE_MAX_OUTBOX)
    return;
  memcpy (vouch.digest, proposal->digest, BRAVIS_HASH_SIZE);
  vouch.reason = error;
  bravis_conference_multicast_message (conference, &vouch);
}

/* @from refuses that card, whoever proposed it. */
static void
take_out (BravisConference *conference, GcpMemberId from,
    const BravisGroupMessage *refusal)
{
  GcpMemberId self = conference->own->card->id;
  BravisProposal *proposal;
  gboolean own = FALSE, told = FALSE;

  while ((proposal = bravis_proposals_find_card (conference->proposals,
              refusal->newcomer, refusal->digest))) {
    if (!told)
      bravis_conference_push_refused (conference, proposal->name,
          from == self ? NULL : bravis_conference_name_of (conference, from),
          g_error_copy (refusal->reason));
    told = TRUE;
    own |= proposal->proposer == self;
    bravis_proposals_remove (conference->proposals, proposal);
  }
  if (own)
    bravis_conference_on_not_vouched (conference, refusal->newcomer,
        refusal->reason);
}

void
bravis_conference_deliver_vouch (BravisConference *conference,
    GcpMemberId from, BravisGroupMessage *message)
{
  GcpMemberId self = conference->own->card->id;
  BravisProposal *own = bravis_proposals_find (conference->proposals, self,
      message->newcomer);

  if (message->reason) {
    take_out (conference, from, message);
    return;
  }
  bravis_proposals_accept (conference->proposals, message->newcomer,
      message->digest, from);
  if (own)
    bravis_conference_on_vouched (conference, own);
}

/* Earlier incarnations that failed do not come back either. */
static void
put_out_lost (BravisConference *conference, const BravisProposal *proposal)
{
  g_autoptr (GArray) lost = bravis_contacts_list_lost (conference->contacts,
      proposal->name);

  for (guint i = 0; i < lost->len; i++) {
    GcpMemberId id = g_array_index (lost, GcpMemberId, i);

    if (!proposal->verified || bravis_conference_card_of (conference,
            id)->made <= proposal->verified->made)
      gcp_engine_put_out (conference->engine, id, conference->now);
  }
}

/* One of its name that was admitted, and did not come in time, comes no more. */
static void
admit (BravisConference *conference, const BravisProposal *proposal)
{
  const BravisAdmitted *former = g_hash_table_lookup (conference->admitted,
      proposal->name);
  BravisAdmitted admitted = { proposal->newcomer,
    conference->now + conference->gcp.joining_timeout };

  if (former && former->id != proposal->newcomer)
    gcp_engine_put_out (conference->engine, former->id, conference->now);
  gcp_engine_admit (conference->engine, proposal->newcomer, proposal->card,
      conference->now);
  g_hash_table_insert (conference->admitted, g_strdup (proposal->name),
      g_memdup2 (&admitted, sizeof admitted));
}

void
bravis_conference_deliver_admit (BravisConference *conference,
    GcpMemberId from, BravisGroupMessage *message)
{
  BravisProposal *proposal = bravis_proposals_find (conference->proposals, from,
      message->newcomer);
  g_autofree char *name = NULL;
  GcpMemberId old;

  if (!proposal)
    return;
  old = bravis_conference_find_name (conference, proposal->name);
  if (!bravis_proposal_is_complete (proposal, conference->view, old))
    return;
  if (proposal->verified)
    bravis_contacts_add (conference->contacts, conference->own,
        proposal->verified, &proposal->address,
        conference->now + BRAVIS_CONFERENCE_LINGER, NULL);
  if (old != GCP_MEMBER_NONE)
    gcp_engine_put_out (conference->engine, old, conference->now);
  put_out_lost (conference, proposal);
  admit (conference, proposal);
  name = g_strdup (proposal->name);
  bravis_proposals_remove_name (conference->proposals, name);
}
