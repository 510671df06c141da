#include "bravis-conference-private.h"

#include "bravis-roster.h"

#include <string.h>

#define MAX_TRIES 8
#define RETRY (1 * G_TIME_SPAN_SECOND)
#define LONGEST_RETRY (5 * G_TIME_SPAN_SECOND)
#define VOTING_TIME (10 * G_TIME_SPAN_SECOND)

static GError *
new_error (BravisError code, const char *message)
{
  return g_error_new_literal (BRAVIS_ERROR, code, message);
}

/* --- inviting --- */

static void
tell_group (BravisConference *conference, const char *refused, const char *by,
    const GError *error)
{
  BravisGroupMessage message = { .type = BRAVIS_GROUP_NOTICE,
    .name = (char *) refused, .by = (char *) by, .reason = (GError *) error };

  if (conference->state == BRAVIS_CONFERENCE_MEMBER)
    bravis_conference_multicast_message (conference, &message);
}

/* One of the invitee's name may be an earlier incarnation of it: where it has shown
 * its card, that tells. */
static gboolean
is_in (BravisConference *conference, const BravisInvitation *invitation)
{
  if (!invitation->card)
    return bravis_conference_find_name (conference, invitation->name)
        != GCP_MEMBER_NONE;
  return conference->view
      && gcp_view_contains (conference->view, invitation->card->id);
}

static void
end_invitation (BravisConference *conference, BravisInvitation *invitation)
{
  bravis_door_withdraw (conference->door, invitation->name);
  bravis_invitations_remove (conference->invitations, invitation);
}

/* It did not work out this time, for a reason that may pass. */
static void
try_later (BravisConference *conference, BravisInvitation *invitation,
    const GError *error)
{
  bravis_door_withdraw (conference->door, invitation->name);
  if (is_in (conference, invitation)) {
    bravis_invitations_remove (conference->invitations, invitation);
    return;
  }
  if (++invitation->tries > MAX_TRIES) {
    bravis_conference_push_refused (conference, invitation->name, NULL,
        g_error_copy (error));
    bravis_invitations_remove (conference->invitations, invitation);
    return;
  }
  bravis_invitation_wait (invitation,
      conference->now + MIN (invitation->tries * RETRY, LONGEST_RETRY));
}

static void
give_up_vote (BravisConference *conference, BravisInvitation *invitation)
{
  g_autoptr (GError) error = new_error (BRAVIS_ERROR_STATE,
      "the group did not let the invited peer in in time");

  bravis_door_refuse (conference->door, invitation->handshake, error,
      conference->now);
  try_later (conference, invitation, error);
}

void
bravis_conference_run_invitations (BravisConference *conference)
{
  BravisInvitation *invitation;

  if (conference->state != BRAVIS_CONFERENCE_MEMBER)
    return;
  for (guint i = 0;
      (invitation = bravis_invitations_get (conference->invitations, i));) {
    gboolean due = invitation->when <= conference->now;

    if (due && invitation->state == BRAVIS_INVITATION_WAITING) {
      invitation->state = BRAVIS_INVITATION_KNOCKING;
      bravis_door_invite (conference->door, invitation->name,
          &invitation->address, conference->now, conference->wall_clock);
    } else if (due && (invitation->state == BRAVIS_INVITATION_VOTING
        || invitation->state == BRAVIS_INVITATION_READY)) {
      give_up_vote (conference, invitation);
    }
    /* It may have been taken out of the list. */
    if (bravis_invitations_get (conference->invitations, i) == invitation)
      i++;
  }
}

static void
on_invitee (BravisConference *conference, const BravisDoorOutput *output)
{
  BravisInvitation *invitation = bravis_invitations_find (
      conference->invitations, output->name);

  if (!invitation || conference->state != BRAVIS_CONFERENCE_MEMBER
      || (conference->view
          && gcp_view_contains (conference->view, output->card->id))) {
    g_autoptr (GError) error = new_error (BRAVIS_ERROR_STATE,
        "not to be let in at this time");

    bravis_door_refuse (conference->door, output->handshake, error,
        conference->now);
    return;
  }
  bravis_invitation_show_card (invitation, output->handshake, output->card,
      &output->address);
  invitation->when = conference->now + VOTING_TIME;
  bravis_conference_propose (conference, invitation);
}

static void
on_ready (BravisConference *conference, const BravisDoorOutput *output)
{
  BravisInvitation *invitation = bravis_invitations_find_handshake (
      conference->invitations, output->handshake);
  BravisProposal *proposal;

  if (!invitation || invitation->state != BRAVIS_INVITATION_WELCOMED)
    return;
  invitation->state = BRAVIS_INVITATION_READY;
  invitation->when = conference->now + conference->gcp.joining_timeout
      + RETRY;
  proposal = bravis_proposals_find (conference->proposals,
      conference->own->card->id, invitation->card->id);
  if (proposal)
    bravis_conference_on_vouched (conference, proposal);
}

void
bravis_conference_on_vouched (BravisConference *conference,
    BravisProposal *proposal)
{
  BravisInvitation *invitation = bravis_invitations_find_card (
      conference->invitations, proposal->newcomer);
  BravisGroupMessage message = { .type = BRAVIS_GROUP_ADMIT,
    .newcomer = proposal->newcomer };

  if (!invitation || !bravis_proposal_is_complete (proposal, conference->view,
      bravis_conference_find_name (conference, proposal->name)))
    return;
  if (invitation->state == BRAVIS_INVITATION_VOTING) {
    g_autoptr (GBytes) roster = bravis_conference_make_roster (conference);

    invitation->state = BRAVIS_INVITATION_WELCOMED;
    bravis_door_welcome (conference->door, invitation->handshake, roster,
        conference->now);
  } else if (invitation->state == BRAVIS_INVITATION_READY
      && !proposal->admitting) {
    proposal->admitting = TRUE;
    bravis_conference_multicast_message (conference, &message);
  }
}

void
bravis_conference_on_not_vouched (BravisConference *conference,
    GcpMemberId newcomer, const GError *why)
{
  BravisInvitation *invitation = bravis_invitations_find_card (
      conference->invitations, newcomer);

  if (!invitation)
    return;
  bravis_door_refuse (conference->door, invitation->handshake, why,
      conference->now);
  if (g_error_matches (why, BRAVIS_ERROR, BRAVIS_ERROR_STATE))
    try_later (conference, invitation, why);
  else
    end_invitation (conference, invitation);
}

void
bravis_conference_renew_invitations (BravisConference *conference,
    gboolean first)
{
  BravisInvitation *invitation;

  for (guint i = 0;
      (invitation = bravis_invitations_get (conference->invitations, i));) {
    if ((first || invitation->card) && is_in (conference, invitation)) {
      end_invitation (conference, invitation);
      continue;
    }
    if (invitation->card)
      bravis_conference_propose (conference, invitation);
    i++;
  }
}

static void
on_invitation_refused (BravisConference *conference,
    const BravisDoorOutput *output)
{
  BravisInvitation *invitation = bravis_invitations_find (
      conference->invitations, output->name);
  const char *own_name = bravis_conference_own_name (conference);
  const char *refused = output->by_us ? output->name : own_name;

  if (invitation && !output->by_us && g_error_matches (output->error,
      BRAVIS_ERROR, BRAVIS_ERROR_STATE)) {
    try_later (conference, invitation, output->error);
    return;
  }
  bravis_conference_push_refused (conference, refused,
      output->by_us ? NULL : output->name, g_error_copy (output->error));
  tell_group (conference, refused, output->by_us ? own_name : output->name,
      output->error);
  if (invitation)
    bravis_invitations_remove (conference->invitations, invitation);
}

/* --- being invited --- */

/* This peer is, or might soon be, the one that others are invited by. */
static gboolean
has_its_way (BravisConference *conference, const char *inviter)
{
  return bravis_conference_is_alone (conference)
      && strcmp (bravis_conference_own_name (conference), inviter) < 0
      && (bravis_invitations_find (conference->invitations, inviter)
          || bravis_invitations_are_busy (conference->invitations));
}

static gboolean
may_join (BravisConference *conference, const char *inviter)
{
  return conference->state == BRAVIS_CONFERENCE_IDLE
      || (bravis_conference_is_alone (conference)
          && !has_its_way (conference, inviter));
}

/* All cards of the roster, verified, as are the shares; NULL: not a group to be
 * joined. */
static GPtrArray *
verify_roster (BravisConference *conference, const BravisRoster *roster,
    const BravisCard *inviter, GError **error)
{
  g_autoptr (GPtrArray) cards =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bravis_card_unref);
  gboolean has_inviter = FALSE;

  for (guint i = 0; i < roster->entries->len; i++) {
    BravisRosterEntry *entry = &g_array_index (roster->entries,
        BravisRosterEntry, i);
    BravisCard *card = bravis_card_verify_with_share (entry->card,
        entry->share, conference->identity, conference->name,
        conference->wall_clock, error);

    if (!card)
      return NULL;
    g_ptr_array_add (cards, card);
    if (!bravis_contacts_check (conference->contacts, conference->own, card,
            error))
      return NULL;
    has_inviter |= g_bytes_equal (card->bytes, inviter->bytes);
  }
  if (!has_inviter) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "the inviter is not in the roster it gives");
    return NULL;
  }
  return g_steal_pointer (&cards);
}

/* What the roster says, verified; NULL: it is none. Nobody becomes a contact before
 * all are verified: contacts of an attempt that is not made would be forgotten, and
 * could not be had again. */
static GPtrArray *
take_roster (BravisConference *conference, const BravisDoorOutput *output,
    BravisRoster *roster, GError **error)
{
  g_autoptr (GPtrArray) cards = NULL;

  if (!bravis_roster_read (roster, output->bytes)) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "the roster of the group is malformed");
    return NULL;
  }
  cards = verify_roster (conference, roster, output->card, error);
  for (guint i = 0; cards && i < cards->len; i++) {
    BravisCard *card = g_ptr_array_index (cards, i);
    BravisRosterEntry *entry = &g_array_index (roster->entries,
        BravisRosterEntry, i);

    if (!bravis_contacts_add (conference->contacts, conference->own, card,
        card->id == output->card->id ? &output->address : &entry->address,
        conference->now + BRAVIS_CONFERENCE_LINGER, error))
      return NULL;
  }
  return g_steal_pointer (&cards);
}

/* Own invitations wait until this peer is a member again. */
static void
suspend_invitations (BravisConference *conference)
{
  g_autoptr (GError) error = new_error (BRAVIS_ERROR_STATE,
      "the inviter goes into another group itself");
  BravisInvitation *invitation;

  for (guint i = 0;
      (invitation = bravis_invitations_get (conference->invitations, i)); i++) {
    if (invitation->state == BRAVIS_INVITATION_VOTING)
      bravis_door_refuse (conference->door, invitation->handshake, error,
          conference->now);
    else
      bravis_door_withdraw (conference->door, invitation->name);
    bravis_invitation_wait (invitation, conference->now);
  }
}

/* @roster of the group whose @cards these are. */
static void
join (BravisConference *conference, const BravisDoorOutput *output,
    const BravisRoster *roster, GPtrArray *cards)
{
  suspend_invitations (conference);
  g_clear_pointer (&conference->engine, gcp_engine_free);
  bravis_conference_forget_group (conference);
  bravis_vtkd_restart (conference->vtkd);
  for (guint i = 0; i < cards->len; i++)
    bravis_vtkd_expect (conference->vtkd,
        ((BravisCard *) g_ptr_array_index (cards, i))->id,
        g_array_index (roster->entries, BravisRosterEntry, i).share);
  g_free (conference->inviter);
  conference->inviter = g_strdup (output->name);
  conference->engine = gcp_engine_new_joiner (&conference->gcp,
      conference->own->card->id, conference->own->card->bytes,
      conference->now);
  conference->state = BRAVIS_CONFERENCE_JOINING;
  bravis_conference_update_door (conference);
  bravis_door_ready (conference->door, output->handshake, conference->now);
}

static void
on_welcome (BravisConference *conference, const BravisDoorOutput *output)
{
  g_auto (BravisRoster) roster = { 0 };
  g_autoptr (GPtrArray) cards = NULL;
  g_autoptr (GError) error = NULL;

  if (!may_join (conference, output->name)) {
    error = new_error (BRAVIS_ERROR_STATE,
        "in a conference, or on the way into one");
  } else if ((cards = take_roster (conference, output, &roster, &error))) {
    join (conference, output, &roster, cards);
    return;
  } else {
    bravis_conference_push_refused (conference, output->name, NULL,
        g_error_copy (error));
  }
  bravis_door_refuse (conference->door, output->handshake, error,
      conference->now);
}

void
bravis_conference_on_not_admitted (BravisConference *conference)
{
  bravis_conference_push_refused (conference,
      bravis_conference_own_name (conference), conference->inviter,
      new_error (BRAVIS_ERROR_UNREACHABLE,
          "invited, but the group did not let this peer in in time"));
  bravis_conference_start_anew (conference);
}

/* Refused as an invitee, by the inviter; or an inviter refused by this peer. That
 * somebody was not ready is nothing to report: it is tried again. */
static void
on_invited_refused (BravisConference *conference,
    const BravisDoorOutput *output)
{
  if (g_error_matches (output->error, BRAVIS_ERROR, BRAVIS_ERROR_STATE))
    return;
  bravis_conference_push_refused (conference,
      output->by_us ? output->name : bravis_conference_own_name (conference),
      output->by_us ? NULL : output->name, g_error_copy (output->error));
}

/* Where one of its name came in with another part of the group, nobody waits for it. */
static void
on_unreachable (BravisConference *conference, const char *name)
{
  BravisInvitation *invitation = bravis_invitations_find (
      conference->invitations, name);

  if (invitation && is_in (conference, invitation))
    end_invitation (conference, invitation);
  else
    bravis_conference_push (conference, (BravisConferenceOutput) {
        .type = BRAVIS_CONFERENCE_UNREACHABLE, .name = g_strdup (name) });
}

void
bravis_conference_handle_door (BravisConference *conference,
    const BravisDoorOutput *output)
{
  switch (output->type) {
    case BRAVIS_DOOR_SEND:
      bravis_conference_push (conference, (BravisConferenceOutput) {
          .type = BRAVIS_CONFERENCE_SEND, .address = output->address,
          .bytes = g_bytes_ref (output->bytes) });
      break;
    case BRAVIS_DOOR_INVITEE:
      on_invitee (conference, output);
      break;
    case BRAVIS_DOOR_READY:
      on_ready (conference, output);
      break;
    case BRAVIS_DOOR_WELCOME:
      on_welcome (conference, output);
      break;
    case BRAVIS_DOOR_REFUSED:
      if (output->inviting)
        on_invitation_refused (conference, output);
      else
        on_invited_refused (conference, output);
      break;
    case BRAVIS_DOOR_UNREACHABLE:
      on_unreachable (conference, output->name);
      break;
  }
}
