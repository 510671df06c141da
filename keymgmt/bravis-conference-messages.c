/* The application's messages: on their way to the group, and who holds them up. */
#include "bravis-conference-private.h"

#include "bravis-mailbox.h"

static gsize
cost_of (GBytes *bytes)
{
  return g_bytes_get_size (bytes) + BRAVIS_MESSAGE_COST;
}

void
bravis_conference_send_message (BravisConference *conference, GBytes *payload,
    GcpQuality quality)
{
  BravisGroupMessage message = { .type = BRAVIS_GROUP_MESSAGE,
    .payload = payload };
  BravisParcel *parcel;

  if (conference->state >= BRAVIS_CONFERENCE_LEAVING)
    return;
  parcel = bravis_parcel_new (bravis_group_message_write (&message), quality);
  g_queue_push_tail (&conference->messages, parcel);
  conference->messages_cost += cost_of (parcel->bytes);
}

gsize
bravis_conference_get_unsent (const BravisConference *conference)
{
  return conference->messages_cost
      + (conference->engine ? gcp_engine_get_queued (conference->engine) : 0);
}

static gboolean
submit_next (BravisConference *conference)
{
  BravisParcel *parcel = g_queue_peek_head (&conference->messages);
  g_autoptr (GError) error = NULL;

  if (!parcel)
    return FALSE;
  if (!gcp_engine_multicast (conference->engine, parcel->bytes,
          parcel->quality, conference->now, &error)
      && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return FALSE;
  conference->messages_cost -= cost_of (parcel->bytes);
  bravis_parcel_free (g_queue_pop_head (&conference->messages));
  return TRUE;
}

/* Only while the engine sends at once what it gets: what this peer has to say to
 * the group itself does not wait behind all that the application does. */
gboolean
bravis_conference_submit_messages (BravisConference *conference)
{
  gboolean progress = FALSE;

  while (conference->state == BRAVIS_CONFERENCE_MEMBER
      && conference->paused_by->len == 0
      && !conference->outbox.head
      && gcp_engine_is_open (conference->engine)
      && submit_next (conference))
    progress = TRUE;
  return progress;
}

void
bravis_conference_submit_last_messages (BravisConference *conference)
{
  while (submit_next (conference))
    continue;
}

/* --- who holds them up --- */

static void
say_paused (BravisConference *conference)
{
  BravisGroupMessage message = { .type = BRAVIS_GROUP_PAUSE,
    .paused = conference->busy };

  if (conference->state == BRAVIS_CONFERENCE_MEMBER)
    bravis_conference_multicast_message (conference, &message);
}

void
bravis_conference_set_busy (BravisConference *conference, gboolean busy)
{
  if (conference->busy == busy)
    return;
  conference->busy = busy;
  say_paused (conference);
}

const char *
bravis_conference_get_paused_by (BravisConference *conference, guint index)
{
  return index >= conference->paused_by->len ? NULL
      : bravis_conference_name_of (conference,
      g_array_index (conference->paused_by, GcpMemberId, index));
}

void
bravis_conference_renew_pause (BravisConference *conference)
{
  g_array_set_size (conference->paused_by, 0);
  if (conference->busy)
    say_paused (conference);
}

void
bravis_conference_deliver_pause (BravisConference *conference,
    GcpMemberId from, gboolean paused)
{
  for (guint i = conference->paused_by->len; i-- > 0;)
    if (g_array_index (conference->paused_by, GcpMemberId, i) == from)
      g_array_remove_index_fast (conference->paused_by, i);
  if (paused)
    g_array_append_val (conference->paused_by, from);
}
