#include "bravis-conference-private.h"

#include "bravis-roster.h"
#include "bravis-vtkd-message.h"

#include <string.h>

/* --- members --- */

/* The card of a member: one's own, or as this peer verified it. Borrowed. */
BravisCard *
bravis_conference_card_of (BravisConference *conference, GcpMemberId id)
{
  BravisContact *contact;

  if (id == conference->own->card->id)
    return conference->own->card;
  contact = bravis_contacts_find (conference->contacts, id);
  return contact ? contact->card : NULL;
}

const char *
bravis_conference_name_of (BravisConference *conference, GcpMemberId id)
{
  BravisCard *card = bravis_conference_card_of (conference, id);

  return card ? card->name : NULL;
}

GcpMemberId
bravis_conference_find_name (BravisConference *conference, const char *name)
{
  for (guint i = 0; conference->view
      && i < gcp_view_get_n_members (conference->view); i++) {
    GcpMemberId id = gcp_view_get_member (conference->view, i)->id;

    if (g_strcmp0 (bravis_conference_name_of (conference, id), name) == 0)
      return id;
  }
  return GCP_MEMBER_NONE;
}

static GcpAddress
get_address (BravisConference *conference, GcpMemberId id)
{
  BravisContact *contact = bravis_contacts_find (conference->contacts, id);

  return contact ? contact->address : (GcpAddress) { 0 };
}

static GArray *
list_addresses (BravisConference *conference, GcpView *view)
{
  GArray *addresses = g_array_new (FALSE, TRUE, sizeof (GcpAddress));

  for (guint i = 0; i < gcp_view_get_n_members (view); i++) {
    GcpAddress address = get_address (conference,
        gcp_view_get_member (view, i)->id);

    g_array_append_val (addresses, address);
  }
  return addresses;
}

void
bravis_conference_push_addresses (BravisConference *conference)
{
  if (!conference->epoch)
    return;
  bravis_conference_push (conference, (BravisConferenceOutput) {
      .type = BRAVIS_CONFERENCE_ADDRESSES,
      .epoch = bravis_epoch_ref (conference->epoch),
      .addresses = list_addresses (conference,
          bravis_epoch_get_view (conference->epoch)) });
}

GBytes *
bravis_conference_make_roster (BravisConference *conference)
{
  g_auto (BravisRoster) roster = { 0 };
  const BravisPolicy *policy = conference->epoch
      ? bravis_epoch_get_policy (conference->epoch) : &conference->policy;

  bravis_roster_init (&roster, policy);
  for (guint i = 0; i < gcp_view_get_n_members (conference->view); i++) {
    const GcpMember *member = gcp_view_get_member (conference->view, i);
    GcpAddress address = get_address (conference, member->id);

    bravis_roster_add (&roster, &address, member->card,
        bravis_vtkd_get_share (conference->vtkd, member->id));
  }
  return bravis_roster_write (&roster);
}

void
bravis_conference_forget_group (BravisConference *conference)
{
  g_clear_pointer (&conference->view, gcp_view_unref);
  g_clear_pointer (&conference->epoch, bravis_epoch_unref);
  g_clear_pointer (&conference->verification, bravis_verification_free);
  conference->key_due = G_MAXINT64;
  bravis_proposals_clear (conference->proposals);
  g_hash_table_remove_all (conference->admitted);
  bravis_conference_forget_commands (conference);
  bravis_streams_clear (conference->streams);
  conference->contacts_wanted = FALSE;
}

/* --- views --- */

/* Everybody in a view is verified by this peer itself, also who was let in by the
 * others while it was on its way in. */
static gboolean
verify_member (BravisConference *conference, const GcpMember *member,
    GError **error)
{
  BravisCard *known = bravis_conference_card_of (conference, member->id);
  g_autoptr (BravisCard) card = NULL;
  GcpAddress nowhere = { 0 };

  if (known && g_bytes_equal (known->bytes, member->card))
    return TRUE;
  card = bravis_card_verify (member->card, conference->identity,
      conference->name, conference->wall_clock, error);
  if (!card)
    return FALSE;
  if (card->id != member->id) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "a member of the group has another member's card");
    return FALSE;
  }
  return bravis_contacts_add (conference->contacts, conference->own, card,
      &nowhere, conference->now + BRAVIS_CONFERENCE_LINGER, error) != NULL;
}

static gboolean
verify_view (BravisConference *conference, GcpView *view, GError **error)
{
  if (!gcp_view_contains (view, conference->own->card->id)) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "the group has a view that this peer is not in");
    return FALSE;
  }
  for (guint i = 0; i < gcp_view_get_n_members (view); i++)
    if (!verify_member (conference, gcp_view_get_member (view, i), error))
      return FALSE;
  return TRUE;
}

/* This peer cannot be in that group. Takes @error over. */
static void
abandon (BravisConference *conference, GError *error)
{
  bravis_conference_push_refused (conference, NULL, NULL, error);
  conference->abandoned = TRUE;
  bravis_conference_leave_group (conference);
}

static GcpDeparture
find_departure (GArray *departures, GcpMemberId id)
{
  for (guint i = 0; departures && i < departures->len; i++) {
    GcpDepartureRecord *record = &g_array_index (departures,
        GcpDepartureRecord, i);

    if (record->id == id)
      return record->why;
  }
  return GCP_FAILED;
}

static void
push_stream (BravisConference *conference, BravisConferenceOutputType type,
    const BravisStream *stream)
{
  BravisConferenceOutput output = { .type = type, .stream = *stream,
    .member = stream->member, .name = g_strdup (
        bravis_conference_name_of (conference, stream->member)) };

  output.stream.description = g_strdup (stream->description);
  bravis_conference_push (conference, output);
}

static void
push_gone (BravisConference *conference, GcpMemberId id, GcpDeparture why)
{
  const BravisStream *stream;

  while ((stream = bravis_streams_find_of_member (conference->streams, id))) {
    push_stream (conference, BRAVIS_CONFERENCE_STREAM_REMOVED, stream);
    bravis_streams_remove (conference->streams, id, stream->stream);
  }
  bravis_conference_push (conference, (BravisConferenceOutput) {
      .type = BRAVIS_CONFERENCE_MEMBER_LEFT, .member = id, .departure = why,
      .name = g_strdup (bravis_conference_name_of (conference, id)) });
}

static GStrv
list_names (BravisConference *conference, GcpView *view)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; i < gcp_view_get_n_members (view); i++)
    g_strv_builder_add (names, bravis_conference_name_of (conference,
            gcp_view_get_member (view, i)->id));
  return g_strv_builder_end (names);
}

/* What changed from the last view to @view. */
typedef struct {
  GPtrArray *newcomers;         /* of char *, borrowed: names */
  guint n_gone, n_failed;
  gboolean first;               /* @view is this peer's first in the group */
} Change;

static void
tell_change (BravisConference *conference, GcpView *view, GArray *departures,
    Change *change)
{
  GcpView *last = conference->view;

  for (guint i = 0; last && i < gcp_view_get_n_members (last); i++) {
    GcpMemberId id = gcp_view_get_member (last, i)->id;
    GcpDeparture why = find_departure (departures, id);

    if (gcp_view_contains (view, id))
      continue;
    change->n_gone++;
    change->n_failed += why == GCP_FAILED;
    push_gone (conference, id, why);
  }
  for (guint i = 0; i < gcp_view_get_n_members (view); i++) {
    GcpMemberId id = gcp_view_get_member (view, i)->id;
    const char *name = bravis_conference_name_of (conference, id);

    if ((last && gcp_view_contains (last, id))
        || id == conference->own->card->id)
      continue;
    g_ptr_array_add (change->newcomers, (gpointer) name);
    bravis_conference_push (conference, (BravisConferenceOutput) {
        .type = BRAVIS_CONFERENCE_MEMBER_JOINED, .member = id,
        .name = g_strdup (name) });
  }
}

static BravisCause
find_cause (const Change *change, GcpView *view)
{
  if (change->first)
    return gcp_view_get_n_members (view) == 1
        ? BRAVIS_CAUSE_START : BRAVIS_CAUSE_JOIN;
  if (change->newcomers->len > 0)
    return change->n_gone > 0
        ? BRAVIS_CAUSE_JOIN_AND_LEAVE : BRAVIS_CAUSE_JOIN;
  return change->n_failed > 0 ? BRAVIS_CAUSE_CRASH : BRAVIS_CAUSE_LEAVE;
}

static void
tell_vtkd (BravisConference *conference, GcpView *view, BravisCause cause)
{
  guint n_members = gcp_view_get_n_members (view);
  g_autofree BravisCard **cards = g_new (BravisCard *, n_members);

  for (guint i = 0; i < n_members; i++)
    cards[i] = bravis_conference_card_of (conference, gcp_view_get_member (view, i)->id);
  bravis_vtkd_view (conference->vtkd, view, cards, cause);
}

gboolean
bravis_conference_is_first_of (BravisConference *conference, GcpView *last)
{
  GcpView *view = conference->view;
  guint first = 0;

  while (last && first < gcp_view_get_n_members (view)
      && !gcp_view_contains (last, gcp_view_get_member (view, first)->id))
    first++;
  return last && first < gcp_view_get_n_members (view)
      && gcp_view_get_member (view, first)->id == conference->own->card->id;
}

/* Newcomers know the addresses that were in their roster; who came in together
 * does not know of each other. The first that was here before tells all. */
static void
tell_contacts (BravisConference *conference, GcpView *last)
{
  g_autoptr (GArray) contacts = NULL;
  GcpView *view = conference->view;
  BravisGroupMessage message = { .type = BRAVIS_GROUP_CONTACTS,
    .view = gcp_view_get_number (view) };

  if (!bravis_conference_is_first_of (conference, last))
    return;
  contacts = g_array_new (FALSE, TRUE, sizeof (BravisGroupContact));
  for (guint i = 0; i < gcp_view_get_n_members (view); i++) {
    GcpMemberId id = gcp_view_get_member (view, i)->id;
    BravisGroupContact contact = { id, get_address (conference, id) };

    if (!gcp_address_is_none (&contact.address))
      g_array_append_val (contacts, contact);
  }
  message.contacts = contacts;
  bravis_conference_multicast_message (conference, &message);
}

/* Who failed may only have been cut off, and is found again by its contact. */
static void
keep_lost (BravisConference *conference, GArray *departures)
{
  for (guint i = 0; departures && i < departures->len; i++) {
    GcpDepartureRecord *record = &g_array_index (departures,
        GcpDepartureRecord, i);

    if (record->why == GCP_FAILED)
      bravis_contacts_lose (conference->contacts, record->id,
          conference->now + BRAVIS_CONFERENCE_LOST);
  }
}

/* The certificate of who comes back is looked at anew: it may have run out or been
 * revoked meanwhile. Of two with one name the one that is here stays. */
static gboolean
judge_returner (BravisConference *conference, GcpMemberId id, GBytes *bytes,
    GError **error)
{
  g_autoptr (BravisCard) card = bravis_card_verify (bytes,
      conference->identity, conference->name, conference->wall_clock, error);

  if (!card)
    return FALSE;
  if (card->id != id
      || strcmp (card->name, bravis_conference_own_name (conference)) == 0
      || bravis_conference_find_name (conference,
          card->name) != GCP_MEMBER_NONE) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_WRONG_NAME,
        "a member of another part of the group has a name that is here too, or"
        " another member's card");
    return FALSE;
  }
  return bravis_contacts_check (conference->contacts, conference->own, card,
      error);
}

gboolean
bravis_conference_may_merge (gpointer user_data, GcpMemberId id, GBytes *card)
{
  BravisConference *conference = user_data;
  GError *error = NULL;

  if (judge_returner (conference, id, card, &error))
    return TRUE;
  bravis_conference_push_refused (conference,
      bravis_conference_name_of (conference, id), NULL, error);
  return FALSE;
}

void
bravis_conference_on_view (BravisConference *conference, GcpView *view,
    GArray *reported)
{
  g_autoptr (GArray) departures = bravis_conference_judge_departures (
      conference, reported);
  g_autoptr (GPtrArray) newcomers = g_ptr_array_new ();
  g_autoptr (GcpView) last = NULL;
  Change change = { .newcomers = newcomers, .first = conference->view == NULL };
  GError *error = NULL;

  if (conference->abandoned)
    return;
  if (!verify_view (conference, view, &error)) {
    abandon (conference, error);
    return;
  }
  if (conference->state == BRAVIS_CONFERENCE_JOINING)
    conference->state = BRAVIS_CONFERENCE_MEMBER;
  bravis_conference_push (conference, (BravisConferenceOutput) {
      .type = BRAVIS_CONFERENCE_VIEW, .view = gcp_view_ref (view),
      .names = list_names (conference, view),
      .member = conference->own->card->id,
      .departures = g_array_ref (departures) });
  tell_change (conference, view, departures, &change);

  last = g_steal_pointer (&conference->view);
  conference->view = gcp_view_ref (view);
  bravis_proposals_clear (conference->proposals);
  g_hash_table_remove_all (conference->admitted);
  bravis_contacts_expire (conference->contacts, view, conference->now,
      BRAVIS_CONFERENCE_LINGER);
  keep_lost (conference, departures);
  bravis_conference_update_door (conference);
  tell_vtkd (conference, view, find_cause (&change, view));
  if (newcomers->len > 0) {
    conference->contacts_wanted = TRUE;
    bravis_conference_announce_own_streams (conference);
  }
  if (conference->contacts_wanted)
    tell_contacts (conference, last);
  bravis_conference_renew_pause (conference);
  bravis_conference_renew_commands (conference);
  bravis_conference_renew_validity (conference, last, newcomers->len > 0);
  bravis_conference_renew_invitations (conference, newcomers);
}

/* --- who is let in --- */

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
  if (g_hash_table_contains (conference->admitted, card->name)) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "a peer of that name is being let in");
    return NULL;
  }
  if (!bravis_contacts_check (conference->contacts, conference->own, card,
      error))
    return NULL;
  return g_steal_pointer (&card);
}

static void
deliver_proposal (BravisConference *conference, GcpMemberId from,
    BravisGroupMessage *message)
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

static void
deliver_vouch (BravisConference *conference, GcpMemberId from,
    BravisGroupMessage *message)
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
put_out_lost (BravisConference *conference, const char *name)
{
  g_autoptr (GArray) lost = bravis_contacts_list_lost (conference->contacts,
      name);

  for (guint i = 0; i < lost->len; i++)
    gcp_engine_put_out (conference->engine,
        g_array_index (lost, GcpMemberId, i), conference->now);
}

static void
deliver_admit (BravisConference *conference, GcpMemberId from,
    BravisGroupMessage *message)
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
  put_out_lost (conference, proposal->name);
  gcp_engine_admit (conference->engine, proposal->newcomer, proposal->card,
      conference->now);
  name = g_strdup (proposal->name);
  bravis_proposals_remove_name (conference->proposals, name);
  g_hash_table_add (conference->admitted, g_steal_pointer (&name));
}

/* --- other messages --- */

static void
deliver_notice (BravisConference *conference, GcpMemberId from,
    BravisGroupMessage *message)
{
  if (from == conference->own->card->id)
    return;
  bravis_conference_push_refused (conference, message->name,
      message->by ? message->by : bravis_conference_name_of (conference, from),
      g_steal_pointer (&message->reason));
}

static void
deliver_contacts (BravisConference *conference, BravisGroupMessage *message)
{
  gboolean learned = FALSE;

  if (message->view != gcp_view_get_number (conference->view))
    return;
  conference->contacts_wanted = FALSE;
  for (guint i = 0; i < message->contacts->len; i++) {
    BravisGroupContact *hint = &g_array_index (message->contacts,
        BravisGroupContact, i);
    BravisContact *contact = bravis_contacts_find (conference->contacts,
        hint->member);

    if (!contact || !gcp_address_is_none (&contact->address)
        || gcp_address_is_none (&hint->address))
      continue;
    contact->address = hint->address;
    learned = TRUE;
  }
  if (learned)
    bravis_conference_push_addresses (conference);
}

static void
deliver_stream (BravisConference *conference, GcpMemberId from,
    BravisGroupMessage *message)
{
  if (from != conference->own->card->id
      && bravis_streams_set (conference->streams, from, message->kind,
      message->stream, message->description))
    push_stream (conference, BRAVIS_CONFERENCE_STREAM_ADDED,
        bravis_streams_find (conference->streams, from, message->stream));
}

static void
deliver_stream_end (BravisConference *conference, GcpMemberId from,
    BravisGroupMessage *message)
{
  const BravisStream *stream = bravis_streams_find (conference->streams, from,
      message->stream);

  if (!stream)
    return;
  push_stream (conference, BRAVIS_CONFERENCE_STREAM_REMOVED, stream);
  bravis_streams_remove (conference->streams, from, message->stream);
}

/* --- the verification code --- */

static void
begin_verification (BravisConference *conference)
{
  guint8 shares[BRAVIS_HASH_SIZE];
  BravisGroupMessage message;

  g_clear_pointer (&conference->verification, bravis_verification_free);
  bravis_vtkd_hash_shares (conference->vtkd, shares);
  conference->verification = bravis_verification_new (conference->epoch,
      shares, &conference->random);
  bravis_verification_commit (conference->verification, &message);
  bravis_conference_multicast_message (conference, &message);
}

static void
deliver_verification (BravisConference *conference, GcpMemberId from,
    const BravisGroupMessage *message)
{
  BravisVerification *verification = conference->verification;
  BravisGroupMessage answer;

  if (!verification)
    return;
  switch (bravis_verification_deliver (verification, from, message, &answer)) {
    case BRAVIS_VERIFICATION_WAIT:
      break;
    case BRAVIS_VERIFICATION_REVEAL:
      bravis_conference_multicast_message (conference, &answer);
      break;
    case BRAVIS_VERIFICATION_DONE:
      bravis_conference_push (conference, (BravisConferenceOutput) {
          .type = BRAVIS_CONFERENCE_VERIFICATION,
          .epoch = bravis_epoch_ref (conference->epoch),
          .name = g_strdup (bravis_verification_get_code (verification)) });
      break;
    case BRAVIS_VERIFICATION_BLAME:
      bravis_conference_push_refused (conference,
          bravis_conference_name_of (conference, from), NULL,
          g_error_new_literal (BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
              "showed another number for the verification code than it had "
              "committed to"));
      break;
  }
}

void
bravis_conference_deliver (BravisConference *conference, GcpMemberId from,
    GBytes *bytes, GcpQuality quality)
{
  g_auto (BravisGroupMessage) message = { 0 };
  const guint8 *data = g_bytes_get_data (bytes, NULL);

  if (conference->abandoned || g_bytes_get_size (bytes) == 0
      || !conference->view || !gcp_view_contains (conference->view, from))
    return;
  if (data[0] <= BRAVIS_VTKD_LAST) {
    bravis_vtkd_deliver (conference->vtkd, from, bytes);
    return;
  }
  if (data[0] == BRAVIS_GROUP_COMMAND) {
    bravis_conference_deliver_command (conference, from, bytes);
    return;
  }
  if (!bravis_group_message_read (&message, bytes))
    return;
  switch (message.type) {
    case BRAVIS_GROUP_PROPOSAL:
      deliver_proposal (conference, from, &message);
      break;
    case BRAVIS_GROUP_VOUCH:
      deliver_vouch (conference, from, &message);
      break;
    case BRAVIS_GROUP_ADMIT:
      deliver_admit (conference, from, &message);
      break;
    case BRAVIS_GROUP_NOTICE:
      deliver_notice (conference, from, &message);
      break;
    case BRAVIS_GROUP_CONTACTS:
      deliver_contacts (conference, &message);
      break;
    case BRAVIS_GROUP_STREAM:
      deliver_stream (conference, from, &message);
      break;
    case BRAVIS_GROUP_STREAM_END:
      deliver_stream_end (conference, from, &message);
      break;
    case BRAVIS_GROUP_MESSAGE:
      bravis_conference_push (conference, (BravisConferenceOutput) {
          .type = BRAVIS_CONFERENCE_MESSAGE, .member = from,
          .bytes = g_steal_pointer (&message.payload), .quality = quality });
      break;
    case BRAVIS_GROUP_PAUSE:
      bravis_conference_deliver_pause (conference, from, message.paused);
      break;
    case BRAVIS_GROUP_VERIFY_COMMIT:
    case BRAVIS_GROUP_VERIFY_REVEAL:
      deliver_verification (conference, from, &message);
      break;
    case BRAVIS_GROUP_REVOCATIONS:
      bravis_conference_deliver_revocations (conference, from,
          message.payload);
      break;
    case BRAVIS_GROUP_COMMAND:  /* dealt with above */
      break;
  }
}

/* --- VTKD's outputs --- */

/* When the key has lived its time its next maker asks for another one; should it
 * not, the member behind it does a little later, and so on. */
static void
plan_next_key (BravisConference *conference)
{
  GcpView *view = conference->view;
  guint n = gcp_view_get_n_members (view);
  gint holder = gcp_view_find (view, bravis_vtkd_get_holder (conference->vtkd));
  gint self = gcp_view_find (view, conference->own->card->id);
  guint behind = holder < 0 ? 0 : (self + n - holder) % n;

  conference->key_due = conference->key_lifetime == 0 ? G_MAXINT64
      : conference->now + conference->key_lifetime
      + behind * (conference->key_lifetime / (8 * n));
}

static void
on_blame (BravisConference *conference, const BravisVtkdOutput *output)
{
  if (output->member == conference->own->card->id) {
    abandon (conference, g_error_copy (output->error));
    return;
  }
  bravis_conference_push_refused (conference,
      bravis_conference_name_of (conference, output->member), NULL,
      g_error_copy (output->error));
}

/* A new key. Where the group protects less than this peer puts up with, it leaves, and
 * the key is not used. */
static void
take_epoch (BravisConference *conference, const BravisVtkdOutput *output)
{
  GError *error = NULL;

  if (!bravis_policy_check (bravis_epoch_get_policy (output->epoch),
          &conference->policy, &error)) {
    abandon (conference, error);
    return;
  }
  g_clear_pointer (&conference->epoch, bravis_epoch_unref);
  conference->epoch = bravis_epoch_ref (output->epoch);
  bravis_conference_push (conference, (BravisConferenceOutput) {
      .type = BRAVIS_CONFERENCE_EPOCH, .cause = output->cause,
      .epoch = bravis_epoch_ref (output->epoch),
      .addresses = list_addresses (conference,
          bravis_epoch_get_view (output->epoch)) });
  plan_next_key (conference);
  begin_verification (conference);
}

void
bravis_conference_handle_vtkd (BravisConference *conference,
    const BravisVtkdOutput *output)
{
  switch (output->type) {
    case BRAVIS_VTKD_MULTICAST:
      bravis_conference_multicast (conference, output->bytes, output->quality);
      break;
    case BRAVIS_VTKD_EPOCH:
      take_epoch (conference, output);
      break;
    case BRAVIS_VTKD_BLAME:
      on_blame (conference, output);
      break;
  }
}
