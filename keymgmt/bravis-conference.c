#include "bravis-conference-private.h"

#include "bravis-datagram.h"
#include "bravis-vtkd-message.h"

#include <string.h>

/* What a member owes all others for a key change is waited for that long: much longer
 * than the slowest links that GCP is for need. */
#define PATIENCE (10 * G_TIME_SPAN_SECOND)

BravisParcel *
bravis_parcel_new (GBytes *bytes, GcpQuality quality)
{
  BravisParcel *parcel = g_new (BravisParcel, 1);

  *parcel = (BravisParcel) { bytes, quality };
  return parcel;
}

void
bravis_parcel_free (gpointer data)
{
  BravisParcel *parcel = data;

  g_bytes_unref (parcel->bytes);
  g_free (parcel);
}

/* --- outputs --- */

void
bravis_conference_output_clear (BravisConferenceOutput *output)
{
  g_clear_pointer (&output->bytes, g_bytes_unref);
  g_clear_pointer (&output->view, gcp_view_unref);
  g_clear_pointer (&output->names, g_strfreev);
  g_clear_pointer (&output->departures, g_array_unref);
  g_clear_pointer (&output->epoch, bravis_epoch_unref);
  g_clear_pointer (&output->addresses, g_array_unref);
  g_clear_pointer (&output->stream.description, g_free);
  g_clear_pointer (&output->name, g_free);
  g_clear_pointer (&output->by, g_free);
  g_clear_error (&output->error);
}

static void
free_output (gpointer output)
{
  bravis_conference_output_clear (output);
  g_free (output);
}

void
bravis_conference_push (BravisConference *conference,
    BravisConferenceOutput output)
{
  g_queue_push_tail (&conference->outputs,
      g_memdup2 (&output, sizeof output));
}

void
bravis_conference_push_refused (BravisConference *conference, const char *name,
    const char *by, GError *error)
{
  bravis_conference_push (conference, (BravisConferenceOutput) {
      .type = BRAVIS_CONFERENCE_REFUSED, .name = g_strdup (name),
      .by = g_strdup (by), .error = error });
}

gboolean
bravis_conference_poll (BravisConference *conference,
    BravisConferenceOutput *output)
{
  g_autofree BravisConferenceOutput *first =
      g_queue_pop_head (&conference->outputs);

  if (!first)
    return FALSE;
  *output = *first;
  return TRUE;
}

/* --- small questions --- */

const char *
bravis_conference_own_name (BravisConference *conference)
{
  return bravis_identity_get_name (conference->identity);
}

BravisConferenceState
bravis_conference_get_state (const BravisConference *conference)
{
  return conference->state;
}

gboolean
bravis_conference_is_alone (BravisConference *conference)
{
  return conference->state == BRAVIS_CONFERENCE_MEMBER
      && (!conference->view || gcp_view_get_n_members (conference->view) == 1);
}

void
bravis_conference_update_door (BravisConference *conference)
{
  bravis_door_set_open (conference->door,
      conference->state == BRAVIS_CONFERENCE_IDLE
      || bravis_conference_is_alone (conference));
}

gsize
bravis_conference_get_max_message (const BravisConference *conference)
{
  return conference->gcp.max_message - 1;       /* less the type */
}

gint64
bravis_conference_deadline (const BravisConference *conference)
{
  gint64 deadline;

  if (conference->state == BRAVIS_CONFERENCE_OVER)
    return G_MAXINT64;
  deadline = bravis_door_deadline (conference->door);
  if (conference->engine)
    deadline = MIN (deadline, gcp_engine_deadline (conference->engine));
  if (conference->state == BRAVIS_CONFERENCE_MEMBER) {
    deadline = MIN (deadline,
        bravis_invitations_deadline (conference->invitations));
    deadline = MIN (deadline, conference->key_due);
    deadline = MIN (deadline, conference->patience);
    deadline = MIN (deadline,
        bravis_conference_validity_deadline (conference));
  }
  return deadline;
}

/* --- to the group --- */

void
bravis_conference_multicast (BravisConference *conference, GBytes *bytes,
    GcpQuality quality)
{
  g_queue_push_tail (&conference->outbox,
      bravis_parcel_new (g_bytes_ref (bytes), quality));
}

void
bravis_conference_multicast_message (BravisConference *conference,
    const BravisGroupMessage *message)
{
  g_autoptr (GBytes) bytes = bravis_group_message_write (message);

  bravis_conference_multicast (conference, bytes, GCP_AGREED);
}

/* Returns whether something went out. */
gboolean
bravis_conference_empty_outbox (BravisConference *conference)
{
  gboolean progress = FALSE;
  BravisParcel *parcel;

  while (conference->engine
      && (parcel = g_queue_peek_head (&conference->outbox))) {
    g_autoptr (GError) error = NULL;

    /* What the engine will not take later either is dropped. */
    if (!gcp_engine_multicast_ahead (conference->engine, parcel->bytes,
        parcel->quality, conference->now, &error)
        && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
      break;
    bravis_parcel_free (g_queue_pop_head (&conference->outbox));
    progress = TRUE;
  }
  return progress;
}

/* --- the engine's outputs --- */

static void
send_sealed (BravisConference *conference, GcpMemberId to, GBytes *bytes)
{
  BravisContact *contact = bravis_contacts_find (conference->contacts, to);
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  if (!contact || gcp_address_is_none (&contact->address))
    return;
  bravis_conference_push (conference, (BravisConferenceOutput) {
      .type = BRAVIS_CONFERENCE_SEND, .address = contact->address,
      .bytes = bravis_link_seal (contact->link, data, size) });
}

/* GcpConfig.seal and .open: between the two ends; who passes it on sees neither what
 * it says nor can alter it. */
static GBytes *
seal_for_relay (gpointer user_data, GcpMemberId to, GBytes *bytes)
{
  BravisConference *conference = user_data;
  BravisContact *contact = bravis_contacts_find (conference->contacts, to);
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return contact ? bravis_link_seal_relayed (contact->link, data, size) : NULL;
}

static GBytes *
open_relayed (gpointer user_data, GcpMemberId from, const guint8 *data,
    gsize size)
{
  BravisConference *conference = user_data;
  BravisContact *contact = bravis_contacts_find (conference->contacts, from);

  return contact ? bravis_link_open_relayed (contact->link, data, size) : NULL;
}

static void
on_engine_end (BravisConference *conference, GcpEndReason reason)
{
  if (conference->state == BRAVIS_CONFERENCE_JOINING)
    bravis_conference_on_not_admitted (conference);
  else
    bravis_conference_end (conference, reason);
}

static void
handle_engine (BravisConference *conference, const GcpOutput *output)
{
  switch (output->type) {
    case GCP_OUTPUT_SEND:
      send_sealed (conference, output->member, output->bytes);
      break;
    case GCP_OUTPUT_DELIVER:
      bravis_conference_deliver (conference, output->member, output->bytes,
          output->quality);
      break;
    case GCP_OUTPUT_VIEW:
      bravis_conference_on_view (conference, output->view, output->departures);
      break;
    case GCP_OUTPUT_END:
      on_engine_end (conference, output->reason);
      break;
  }
}

static gboolean
pump_door (BravisConference *conference)
{
  g_auto (BravisDoorOutput) output = { 0 };

  if (conference->state == BRAVIS_CONFERENCE_OVER
      || !bravis_door_poll (conference->door, &output))
    return FALSE;
  bravis_conference_handle_door (conference, &output);
  return TRUE;
}

static gboolean
pump_engine (BravisConference *conference)
{
  g_auto (GcpOutput) output = { 0 };

  if (!conference->engine || !(conference->corked
          ? gcp_engine_poll_events (conference->engine, &output)
          : gcp_engine_poll (conference->engine, &output)))
    return FALSE;
  handle_engine (conference, &output);
  return TRUE;
}

static gboolean
pump_vtkd (BravisConference *conference)
{
  g_auto (BravisVtkdOutput) output = { 0 };

  /* A key that comes with the end is for those who stay. */
  if (conference->state == BRAVIS_CONFERENCE_OVER
      || !bravis_vtkd_poll (conference->vtkd, &output))
    return FALSE;
  bravis_conference_handle_vtkd (conference, &output);
  return TRUE;
}

/* Who keeps all others from a new key is not waited for forever. */
static void
watch_vtkd (BravisConference *conference)
{
  guint64 wait = bravis_vtkd_get_wait (conference->vtkd);

  if (conference->waiting_for == wait)
    return;
  conference->waiting_for = wait;
  conference->patience = wait ? conference->now + PATIENCE : G_MAXINT64;
}

/* Everything that follows from an input, until nothing does. What comes of one of
 * the group's messages is dealt with before the next one. */
static void
pump (BravisConference *conference)
{
  bravis_conference_run_invitations (conference);
  while (pump_door (conference) || pump_vtkd (conference)
      || bravis_conference_empty_outbox (conference) || pump_engine (conference)
      || bravis_conference_submit_messages (conference));
  watch_vtkd (conference);
}

static void
set_now (BravisConference *conference, gint64 now)
{
  conference->wall_clock += (now - conference->now) / G_TIME_SPAN_SECOND;
  conference->now = now;
}

static void
set_clocks (BravisConference *conference, gint64 now, gint64 wall_clock)
{
  conference->now = now;
  conference->wall_clock = wall_clock;
}

/* --- incarnations --- */

static gboolean
make_incarnation (BravisConference *conference, GError **error)
{
  g_autoptr (BravisOwnCard) own = bravis_own_card_new (conference->identity,
      conference->name, conference->wall_clock, &conference->random, error);
  guint64 highest;

  if (!own)
    return FALSE;
  highest = conference->vtkd ? bravis_vtkd_get_highest (conference->vtkd) : 0;
  g_clear_pointer (&conference->vtkd, bravis_vtkd_free);
  g_clear_pointer (&conference->contacts, bravis_contacts_free);
  bravis_door_set_card (conference->door, own);
  g_clear_pointer (&conference->own, bravis_own_card_free);
  conference->own = g_steal_pointer (&own);
  conference->contacts = bravis_contacts_new ();
  conference->waiting_for = 0;
  conference->patience = G_MAXINT64;
  conference->vtkd = bravis_vtkd_new (conference->identity, conference->name,
      conference->own, &conference->policy, highest, &conference->random);
  return TRUE;
}

static void
found (BravisConference *conference)
{
  conference->engine = gcp_engine_new_founder (&conference->gcp,
      conference->own->card->id, conference->own->card->bytes,
      conference->now);
  conference->state = BRAVIS_CONFERENCE_MEMBER;
  bravis_conference_update_door (conference);
}

void
bravis_conference_start_anew (BravisConference *conference)
{
  GError *error = NULL;

  g_clear_pointer (&conference->engine, gcp_engine_free);
  bravis_conference_forget_group (conference);
  g_queue_clear_full (&conference->outbox, bravis_parcel_free);
  if (!make_incarnation (conference, &error)) {
    bravis_conference_push_refused (conference,
        bravis_conference_own_name (conference), NULL, error);
    bravis_conference_end (conference, GCP_END_NOT_ADMITTED);
    return;
  }
  conference->state = BRAVIS_CONFERENCE_IDLE;
  if (conference->started)
    found (conference);
  bravis_conference_update_door (conference);
}

void
bravis_conference_end (BravisConference *conference, GcpEndReason reason)
{
  g_clear_pointer (&conference->engine, gcp_engine_free);
  g_queue_clear_full (&conference->outbox, bravis_parcel_free);
  g_queue_clear_full (&conference->messages, bravis_parcel_free);
  conference->messages_cost = 0;
  conference->state = BRAVIS_CONFERENCE_OVER;
  bravis_door_set_open (conference->door, FALSE);
  bravis_conference_push (conference, (BravisConferenceOutput) {
      .type = BRAVIS_CONFERENCE_OVER_FOR_US, .end_reason = reason });
}

/* --- inputs --- */

BravisConference *
bravis_conference_new (const BravisConferenceConfig *config, gint64 now,
    gint64 wall_clock, GError **error)
{
  g_autoptr (BravisConference) conference = g_new0 (BravisConference, 1);

  conference->identity = bravis_identity_ref (config->identity);
  conference->name = g_strdup (config->name);
  conference->policy = config->policy;
  conference->key_lifetime = config->key_lifetime;
  conference->key_due = G_MAXINT64;
  conference->gcp = config->gcp;
  conference->gcp.may_merge = bravis_conference_may_merge;
  conference->gcp.may_join = bravis_conference_may_join;
  conference->gcp.seal = seal_for_relay;
  conference->gcp.open = open_relayed;
  conference->gcp.user_data = conference;
  conference->random = config->random;
  set_clocks (conference, now, wall_clock);
  conference->state = BRAVIS_CONFERENCE_IDLE;
  conference->door = bravis_door_new (config->identity, config->name,
      &config->random, config->may_invite, config->user_data);
  conference->invitations = bravis_invitations_new ();
  conference->proposals = bravis_proposals_new ();
  conference->admitted = g_hash_table_new_full (g_str_hash, g_str_equal,
      g_free, g_free);
  conference->streams = bravis_streams_new ();
  conference->own_streams = bravis_streams_new ();
  g_queue_init (&conference->outbox);
  g_queue_init (&conference->messages);
  bravis_conference_init_commands (conference);
  bravis_conference_init_validity (conference);
  conference->paused_by = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  g_queue_init (&conference->outputs);
  if (!make_incarnation (conference, error))
    return NULL;
  bravis_conference_update_door (conference);
  return g_steal_pointer (&conference);
}

void
bravis_conference_free (BravisConference *conference)
{
  g_clear_pointer (&conference->engine, gcp_engine_free);
  g_clear_pointer (&conference->view, gcp_view_unref);
  g_clear_pointer (&conference->epoch, bravis_epoch_unref);
  g_clear_pointer (&conference->verification, bravis_verification_free);
  bravis_door_free (conference->door);
  g_clear_pointer (&conference->vtkd, bravis_vtkd_free);
  g_clear_pointer (&conference->contacts, bravis_contacts_free);
  g_clear_pointer (&conference->own, bravis_own_card_free);
  bravis_invitations_free (conference->invitations);
  bravis_proposals_free (conference->proposals);
  g_hash_table_unref (conference->admitted);
  bravis_streams_free (conference->streams);
  bravis_streams_free (conference->own_streams);
  g_queue_clear_full (&conference->outbox, bravis_parcel_free);
  g_queue_clear_full (&conference->messages, bravis_parcel_free);
  g_array_unref (conference->paused_by);
  bravis_conference_clear_commands (conference);
  bravis_conference_clear_validity (conference);
  g_queue_clear_full (&conference->outputs, free_output);
  g_free (conference->inviter);
  g_free (conference->name);
  bravis_identity_unref (conference->identity);
  g_free (conference);
}

void
bravis_conference_start (BravisConference *conference, gint64 now)
{
  set_now (conference, now);
  if (conference->state == BRAVIS_CONFERENCE_IDLE
      || conference->state == BRAVIS_CONFERENCE_JOINING)
    conference->started = TRUE;
  if (conference->state == BRAVIS_CONFERENCE_IDLE)
    found (conference);
  pump (conference);
}

void
bravis_conference_invite (BravisConference *conference, const char *name,
    const GcpAddress *address, gint64 now, gint64 wall_clock)
{
  BravisInvitation *invitation;
  gboolean moved;

  set_clocks (conference, now, wall_clock);
  if (conference->state >= BRAVIS_CONFERENCE_LEAVING)
    return;
  invitation = bravis_invitations_add (conference->invitations, name, address,
      &moved);
  if (moved || invitation->state <= BRAVIS_INVITATION_KNOCKING)
    bravis_invitation_wait (invitation, now);
  pump (conference);
}

void
bravis_conference_withdraw (BravisConference *conference, const char *name)
{
  BravisInvitation *invitation = bravis_invitations_find (
      conference->invitations, name);

  bravis_door_withdraw (conference->door, name);
  if (invitation)
    bravis_invitations_remove (conference->invitations, invitation);
}

static void
receive_sealed (BravisConference *conference, const GcpAddress *from,
    const guint8 *data, gsize size)
{
  BravisContact *contact;
  gboolean moved;
  g_autoptr (GBytes) opened = bravis_contacts_open (conference->contacts, from,
      data, size, &contact, &moved);

  if (!opened)
    return;
  if (moved)
    bravis_conference_push_addresses (conference);
  if (conference->engine)
    gcp_engine_receive (conference->engine, contact->id,
        g_bytes_get_data (opened, NULL), g_bytes_get_size (opened),
        conference->now);
}

void
bravis_conference_receive (BravisConference *conference,
    const GcpAddress *from, const guint8 *data, gsize size, gint64 now,
    gint64 wall_clock)
{
  set_clocks (conference, now, wall_clock);
  if (size == 0 || conference->state == BRAVIS_CONFERENCE_OVER)
    return;
  if (data[0] == BRAVIS_DATAGRAM_HANDSHAKE
      && conference->state != BRAVIS_CONFERENCE_LEAVING)
    bravis_door_receive (conference->door, from, data, size, now, wall_clock);
  else if (data[0] == BRAVIS_DATAGRAM_LINK)
    receive_sealed (conference, from, data, size);
  pump (conference);
}

void
bravis_conference_tick (BravisConference *conference, gint64 now,
    gint64 wall_clock)
{
  set_clocks (conference, now, wall_clock);
  if (conference->state == BRAVIS_CONFERENCE_OVER)
    return;
  bravis_door_tick (conference->door, now, wall_clock);
  if (conference->engine)
    gcp_engine_tick (conference->engine, now);
  bravis_contacts_expire (conference->contacts, conference->view, now,
      BRAVIS_CONFERENCE_LINGER);
  bravis_conference_check_validity (conference);
  if (now >= conference->key_due) {
    bravis_vtkd_refresh (conference->vtkd);
    conference->key_due = G_MAXINT64;
  }
  if (now >= conference->patience) {
    bravis_vtkd_lose_patience (conference->vtkd);
    conference->patience = now + PATIENCE;
  }
  pump (conference);
}

void
bravis_conference_cork (BravisConference *conference)
{
  conference->corked = TRUE;
}

void
bravis_conference_uncork (BravisConference *conference)
{
  conference->corked = FALSE;
  if (conference->state != BRAVIS_CONFERENCE_OVER)
    pump (conference);
}

gboolean
bravis_conference_prepare (BravisConference *conference)
{
  return conference->state == BRAVIS_CONFERENCE_MEMBER
      && bravis_vtkd_prepare (conference->vtkd);
}

void
bravis_conference_refresh (BravisConference *conference, gint64 now)
{
  set_now (conference, now);
  bravis_vtkd_refresh (conference->vtkd);
  pump (conference);
}

void
bravis_conference_leave (BravisConference *conference, gint64 now)
{
  BravisInvitation *invitation;

  set_now (conference, now);
  while ((invitation = bravis_invitations_get (conference->invitations, 0))) {
    bravis_door_withdraw (conference->door, invitation->name);
    bravis_invitations_remove (conference->invitations, invitation);
  }
  if (conference->state == BRAVIS_CONFERENCE_MEMBER) {
    bravis_conference_leave_group (conference);
  } else if (conference->state < BRAVIS_CONFERENCE_MEMBER) {
    bravis_conference_end (conference, GCP_END_LEFT);
  }
  pump (conference);
}

void
bravis_conference_give_up (BravisConference *conference, GError *error,
    gint64 now)
{
  bravis_conference_push_refused (conference, NULL, NULL, error);
  bravis_conference_leave (conference, now);
}

/* --- own streams --- */

static void
announce (BravisConference *conference, const BravisStream *stream)
{
  BravisGroupMessage message = { .type = BRAVIS_GROUP_STREAM,
    .kind = stream->kind, .stream = stream->stream,
    .description = stream->description };

  if (conference->state == BRAVIS_CONFERENCE_MEMBER && stream->description)
    bravis_conference_multicast_message (conference, &message);
}

void
bravis_conference_announce_own_streams (BravisConference *conference)
{
  const BravisStream *stream;

  for (guint i = 0;
      (stream = bravis_streams_get (conference->own_streams, i)); i++)
    announce (conference, stream);
}

gboolean
bravis_conference_add_stream (BravisConference *conference, BravisKind kind,
    guint16 *stream, GError **error)
{
  if (conference->next_stream >= BRAVIS_MAX_STREAMS
      || !bravis_streams_set (conference->own_streams, GCP_MEMBER_NONE, kind,
      conference->next_stream, NULL)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT,
        "a member has at most %d streams at a time and %d in all",
        BRAVIS_MAX_STREAMS_AT_ONCE, BRAVIS_MAX_STREAMS);
    return FALSE;
  }
  *stream = conference->next_stream++;
  return TRUE;
}

gboolean
bravis_conference_describe_stream (BravisConference *conference,
    guint16 stream, const char *description, gint64 now, GError **error)
{
  const BravisStream *known = bravis_streams_find (conference->own_streams,
      GCP_MEMBER_NONE, stream);

  set_now (conference, now);
  if (!known) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "this peer has no stream %u", stream);
    return FALSE;
  }
  if (strlen (description) > BRAVIS_MAX_DESCRIPTION
      || !g_utf8_validate (description, -1, NULL)
      || conference->outbox.length >= BRAVIS_CONFERENCE_MAX_OUTBOX) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT,
        "the description of stream %u is too long, no UTF-8, or said too often",
        stream);
    return FALSE;
  }
  if (bravis_streams_set (conference->own_streams, GCP_MEMBER_NONE,
      known->kind, stream, description))
    announce (conference, bravis_streams_find (conference->own_streams,
        GCP_MEMBER_NONE, stream));
  pump (conference);
  return TRUE;
}

void
bravis_conference_remove_stream (BravisConference *conference, guint16 stream,
    gint64 now)
{
  const BravisStream *known = bravis_streams_find (conference->own_streams,
      GCP_MEMBER_NONE, stream);
  BravisGroupMessage message = { .type = BRAVIS_GROUP_STREAM_END,
    .stream = stream };

  set_now (conference, now);
  if (!known)
    return;
  if (known->description && conference->state == BRAVIS_CONFERENCE_MEMBER)
    bravis_conference_multicast_message (conference, &message);
  bravis_streams_remove (conference->own_streams, GCP_MEMBER_NONE, stream);
  pump (conference);
}
