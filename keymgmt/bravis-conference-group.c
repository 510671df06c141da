#include "bravis-conference-private.h"

#include "bravis-vtkd-message.h"

/* --- streams and small news --- */

void
bravis_conference_push_stream (BravisConference *conference,
    BravisConferenceOutputType type, const BravisStream *stream)
{
  BravisConferenceOutput output = { .type = type, .stream = *stream,
    .member = stream->member, .name = g_strdup (
        bravis_conference_name_of (conference, stream->member)) };

  output.stream.description = g_strdup (stream->description);
  bravis_conference_push (conference, output);
}

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
    bravis_conference_push_stream (conference, BRAVIS_CONFERENCE_STREAM_ADDED,
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
  bravis_conference_push_stream (conference,
      BRAVIS_CONFERENCE_STREAM_REMOVED, stream);
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
      bravis_conference_deliver_proposal (conference, from, &message);
      break;
    case BRAVIS_GROUP_VOUCH:
      bravis_conference_deliver_vouch (conference, from, &message);
      break;
    case BRAVIS_GROUP_ADMIT:
      bravis_conference_deliver_admit (conference, from, &message);
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

void
bravis_conference_abandon (BravisConference *conference, GError *error)
{
  bravis_conference_push_refused (conference, NULL, NULL, error);
  conference->abandoned = TRUE;
  bravis_conference_leave_group (conference);
}

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
    bravis_conference_abandon (conference, g_error_copy (output->error));
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
    bravis_conference_abandon (conference, error);
    return;
  }
  g_clear_pointer (&conference->epoch, bravis_epoch_unref);
  conference->epoch = bravis_epoch_ref (output->epoch);
  bravis_conference_push (conference, (BravisConferenceOutput) {
      .type = BRAVIS_CONFERENCE_EPOCH, .cause = output->cause,
      .epoch = bravis_epoch_ref (output->epoch),
      .addresses = bravis_conference_list_addresses (conference,
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
