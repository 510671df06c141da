#include "bravis-conference-private.h"

#include "../gcp/gcp-lineage.h"

#include <string.h>

/* --- members --- */

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

GcpAddress
bravis_conference_get_address (BravisConference *conference, GcpMemberId id)
{
  BravisContact *contact = bravis_contacts_find (conference->contacts, id);

  return contact ? contact->address : (GcpAddress) { 0 };
}

GArray *
bravis_conference_list_addresses (BravisConference *conference, GcpView *view)
{
  GArray *addresses = g_array_new (FALSE, TRUE, sizeof (GcpAddress));

  for (guint i = 0; i < gcp_view_get_n_members (view); i++) {
    GcpAddress address = bravis_conference_get_address (conference,
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
      .addresses = bravis_conference_list_addresses (conference,
          bravis_epoch_get_view (conference->epoch)) });
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
  /* Who comes back is lost no more, before a contact that is goes for a newcomer's. */
  bravis_contacts_keep (conference->contacts, view,
      conference->now + BRAVIS_CONFERENCE_LINGER);
  for (guint i = 0; i < gcp_view_get_n_members (view); i++)
    if (!verify_member (conference, gcp_view_get_member (view, i), error))
      return FALSE;
  return TRUE;
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
push_gone (BravisConference *conference, GcpMemberId id, GcpDeparture why)
{
  const BravisStream *stream;

  while ((stream = bravis_streams_find_of_member (conference->streams, id))) {
    bravis_conference_push_stream (conference,
        BRAVIS_CONFERENCE_STREAM_REMOVED, stream);
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
    cards[i] = bravis_conference_card_of (conference,
        gcp_view_get_member (view, i)->id);
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
    BravisGroupContact contact = { id,
      bravis_conference_get_address (conference, id) };

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

/* Whether one of @ids, but @id, has that name. */
static gboolean
has_namesake (BravisConference *conference, const GArray *ids, GcpMemberId id,
    const char *name)
{
  for (guint i = 0; i < ids->len; i++) {
    GcpMemberId other = g_array_index (ids, GcpMemberId, i);

    if (other != id
        && g_strcmp0 (bravis_conference_name_of (conference, other), name) == 0)
      return TRUE;
  }
  return FALSE;
}

/* The certificate of who comes back is looked at anew: it may have run out or been
 * revoked meanwhile. Nobody of @own, who go on with it, may have its name. Sets @name
 * to the one that its card proves. */
static gboolean
judge_returner (BravisConference *conference, GcpMemberId id, GBytes *bytes,
    const GArray *own, char **name, GError **error)
{
  g_autoptr (BravisCard) card = bravis_card_verify (bytes,
      conference->identity, conference->name, conference->wall_clock, error);

  if (!card)
    return FALSE;
  g_free (*name);
  *name = g_strdup (card->name);
  if (card->id != id || has_namesake (conference, own, id, card->name)) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_WRONG_NAME,
        "a member of another part of the group has a name that is here too, or"
        " another member's card");
    return FALSE;
  }
  return bravis_contacts_check (conference->contacts, conference->own, card,
      error);
}

gboolean
bravis_conference_may_merge (gpointer user_data, GcpMemberId id, GBytes *card,
    const GArray *own)
{
  BravisConference *conference = user_data;
  g_autofree char *name = g_strdup (bravis_conference_name_of (conference, id));
  GError *error = NULL;

  if (judge_returner (conference, id, card, own, &name, &error))
    return TRUE;
  bravis_conference_push_refused (conference, name, NULL, error);
  return FALSE;
}

gboolean
bravis_conference_may_join (gpointer user_data, GcpMemberId id, GBytes *bytes)
{
  BravisConference *conference = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisCard) card = bravis_card_verify (bytes,
      conference->identity, conference->name, conference->wall_clock, &error);
  const BravisAdmitted *admitted = card
      ? g_hash_table_lookup (conference->admitted, card->name) : NULL;

  return card && card->id == id && (!admitted || admitted->id == id)
      && bravis_contacts_check (conference->contacts,
      conference->own, card, &error);
}

/* One of its name that came with another part of the group at the same time is in now.
 * Its inviter will ask the members of both. */
static gboolean
is_admitted_no_more (gpointer key, gpointer value, gpointer user_data)
{
  BravisConference *conference = user_data;
  const BravisAdmitted *admitted = value;
  GcpMemberId present = bravis_conference_find_name (conference, key);

  if (present != GCP_MEMBER_NONE && present != admitted->id)
    gcp_engine_put_out (conference->engine, admitted->id, conference->now);
  return !gcp_engine_is_candidate (conference->engine, admitted->id);
}

void
bravis_conference_on_view (BravisConference *conference, GcpView *view,
    GArray *reported)
{
  g_autoptr (GArray) departures = bravis_conference_judge_departures (
      conference, reported);
  g_autoptr (GPtrArray) newcomers = g_ptr_array_new ();
  g_autoptr (GcpView) last = NULL;
  Change change = { .newcomers = newcomers,
    .first = conference->view == NULL };
  GError *error = NULL;

  if (conference->abandoned)
    return;
  if (!verify_view (conference, view, &error)) {
    bravis_conference_abandon (conference, error);
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
  g_clear_pointer (&conference->verification, bravis_verification_free);
  bravis_proposals_clear (conference->proposals);
  g_hash_table_foreach_remove (conference->admitted, is_admitted_no_more,
      conference);
  keep_lost (conference, departures);
  bravis_contacts_expire (conference->contacts, view, conference->now,
      BRAVIS_CONFERENCE_LINGER);
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
  bravis_conference_renew_invitations (conference, change.first);
}
