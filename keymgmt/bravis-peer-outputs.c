/* What the conference says, in the protocols' thread. */
#include "bravis-peer-private.h"

#include "bravis-view-private.h"

static BravisLeaveReason
leave_reason (GcpDeparture departure)
{
  switch (departure) {
    case GCP_LEFT:
      return BRAVIS_LEAVE_LEFT;
    case GCP_PUT_OUT:
      return BRAVIS_LEAVE_PUT_OUT;
    case GCP_FAILED:
    default:
      return BRAVIS_LEAVE_FAILED;
  }
}

static const char *
end_reason (GcpEndReason reason)
{
  switch (reason) {
    case GCP_END_LEFT:
      return "left";
    case GCP_END_PUT_OUT:
      return "put out";
    case GCP_END_NOT_ADMITTED:
    default:
      return "not admitted";
  }
}

/* What is told is entered in the log as well. A log that cannot be kept does not end
 * the conference, but is said once. */
static void
enter (BravisPeer *peer, const BravisEvent *event)
{
  g_autoptr (GError) error = NULL;
  gint64 time = g_get_real_time ();

  if (!peer->log)
    return;
  switch (event->type) {
    case BRAVIS_EVENT_EPOCH:
      bravis_membership_log_epoch (peer->log, event->epoch, event->cause, time,
          &error);
      break;
    case BRAVIS_EVENT_MEMBER_JOINED:
      bravis_membership_log_joined (peer->log, event->name, time, &error);
      break;
    case BRAVIS_EVENT_MEMBER_LEFT:
      bravis_membership_log_left (peer->log, event->name,
          bravis_leave_reason_to_string (event->leave_reason), time, &error);
      break;
    case BRAVIS_EVENT_ENDED:
      bravis_membership_log_end (peer->log, event->reason, time, &error);
      break;
    default:
      break;
  }
  if (error)
    g_warning ("%s", error->message);
}

static void
enter_view (BravisPeer *peer, const BravisConferenceOutput *output)
{
  g_autoptr (GError) error = NULL;

  if (peer->log && !bravis_membership_log_view (peer->log,
          gcp_view_get_number (output->view),
          gcp_view_is_primary (output->view),
          (const char *const *) output->names, g_get_real_time (), &error)
      && error)
    g_warning ("%s", error->message);
}

static void
tell (BravisPeer *peer, const BravisEvent *event)
{
  enter (peer, event);
  bravis_audience_tell (peer->audience, event);
}

static void
tell_stream (BravisPeer *peer, BravisEventType type,
    const BravisConferenceOutput *output)
{
  BravisEvent event = {
    .type = type,
    .name = output->name,
    .member = output->stream.member,
    .kind = output->stream.kind,
    .stream = output->stream.stream,
    .description = output->stream.description,
  };

  bravis_audience_tell (peer->audience, &event);
}

void
bravis_peer_tell_end (BravisPeer *peer, const char *reason, gint64 now)
{
  BravisEvent event = { .type = BRAVIS_EVENT_ENDED, .reason = reason };

  bravis_epoch_book_end (peer->book, now);
  tell (peer, &event);
  peer->has_ended = TRUE;
}

static void
take_epoch (BravisPeer *peer, const BravisConferenceOutput *output, gint64 now)
{
  BravisEvent event = {
    .type = BRAVIS_EVENT_EPOCH,
    .epoch = output->epoch,
    .cause = bravis_cause_to_string (output->cause),
    .milliseconds = (now - peer->view_time) / 1000.0,
  };

  if (peer->keylog)
    bravis_keylog_write_epoch (peer->keylog, peer->config->conference,
        output->epoch, event.cause, g_get_real_time ());
  bravis_epoch_book_add (peer->book, output->epoch, output->addresses, now);
  tell (peer, &event);
}

static void
take_verification (BravisPeer *peer, const BravisConferenceOutput *output)
{
  BravisEvent event = {
    .type = BRAVIS_EVENT_VERIFICATION,
    .epoch = output->epoch,
    .code = output->name,
  };

  bravis_audience_tell (peer->audience, &event);
}

static void
take_view (BravisPeer *peer, const BravisConferenceOutput *output, gint64 now)
{
  g_autoptr (BravisView) view = bravis_view_new (output->view,
      (const char *const *) output->names, output->member);
  BravisEvent event = { .type = BRAVIS_EVENT_VIEW, .view = view };

  peer->view_time = now;
  if (output->departures && output->departures->len > 0)
    bravis_epoch_book_departed (peer->book, output->view, now);
  enter_view (peer, output);
  bravis_audience_tell (peer->audience, &event);
}

static void
take_message (BravisPeer *peer, const BravisConferenceOutput *output)
{
  BravisEvent event = {
    .type = BRAVIS_EVENT_MESSAGE,
    .member = output->member,
    .message = output->bytes,
    .quality = output->quality == GCP_SAFE ? BRAVIS_QUALITY_SAFE
        : BRAVIS_QUALITY_AGREED,
  };

  bravis_peer_count (&peer->counters.messages_received, 1);
  bravis_audience_tell_later (peer->audience, &event);
}

static void
handle_output (BravisPeer *peer, BravisConferenceOutput *output, gint64 now)
{
  BravisEvent event = { 0 };

  switch (output->type) {
    case BRAVIS_CONFERENCE_SEND:
      break;
    case BRAVIS_CONFERENCE_VIEW:
      take_view (peer, output, now);
      break;
    case BRAVIS_CONFERENCE_MESSAGE:
      take_message (peer, output);
      break;
    case BRAVIS_CONFERENCE_COMMAND:
      event.type = BRAVIS_EVENT_COMMAND;
      event.member = output->member;
      event.command_kind = output->command_kind;
      event.message = output->bytes;
      bravis_audience_tell (peer->audience, &event);
      break;
    case BRAVIS_CONFERENCE_EPOCH:
      take_epoch (peer, output, now);
      break;
    case BRAVIS_CONFERENCE_VERIFICATION:
      take_verification (peer, output);
      break;
    case BRAVIS_CONFERENCE_ADDRESSES:
      bravis_epoch_book_set_addresses (peer->book, output->epoch,
          output->addresses);
      break;
    case BRAVIS_CONFERENCE_MEMBER_JOINED:
    case BRAVIS_CONFERENCE_MEMBER_LEFT:
      event.type = output->type == BRAVIS_CONFERENCE_MEMBER_JOINED
          ? BRAVIS_EVENT_MEMBER_JOINED : BRAVIS_EVENT_MEMBER_LEFT;
      event.name = output->name;
      event.member = output->member;
      event.leave_reason = leave_reason (output->departure);
      tell (peer, &event);
      break;
    case BRAVIS_CONFERENCE_STREAM_ADDED:
      tell_stream (peer, BRAVIS_EVENT_STREAM_ADDED, output);
      break;
    case BRAVIS_CONFERENCE_STREAM_REMOVED:
      tell_stream (peer, BRAVIS_EVENT_STREAM_REMOVED, output);
      break;
    case BRAVIS_CONFERENCE_REFUSED:
      event.type = BRAVIS_EVENT_REFUSED;
      event.name = output->name;
      event.by = output->by;
      event.reason = output->error ? output->error->message : NULL;
      bravis_audience_tell (peer->audience, &event);
      break;
    case BRAVIS_CONFERENCE_UNREACHABLE:
      event.type = BRAVIS_EVENT_UNREACHABLE;
      event.name = output->name;
      bravis_audience_tell (peer->audience, &event);
      break;
    case BRAVIS_CONFERENCE_OVER_FOR_US:
      bravis_peer_tell_end (peer, end_reason (output->end_reason), now);
      break;
  }
}

/* All that are to be sent, together and first: others wait for them. */
static void
send_outputs (BravisPeer *peer, GArray *outputs, GArray *datagrams)
{
  for (guint i = 0; i < outputs->len; i++) {
    BravisConferenceOutput *output = &g_array_index (outputs,
        BravisConferenceOutput, i);
    GcpUdpDatagram datagram = { .to = output->address };

    if (output->type != BRAVIS_CONFERENCE_SEND)
      continue;
    datagram.data = g_bytes_get_data (output->bytes, &datagram.size);
    g_array_append_val (datagrams, datagram);
  }
  if (datagrams->len > 0)
    bravis_peer_count (&peer->counters.sent, gcp_udp_send_many (peer->udp,
            (GcpUdpDatagram *) datagrams->data, datagrams->len));
  g_array_set_size (datagrams, 0);
}

void
bravis_peer_handle_outputs (BravisPeer *peer, GArray *outputs, GArray *datagrams,
    gint64 now)
{
  send_outputs (peer, outputs, datagrams);
  for (guint i = 0; i < outputs->len; i++)
    handle_output (peer, &g_array_index (outputs, BravisConferenceOutput, i),
        now);
  bravis_audience_wake (peer->audience);
}
