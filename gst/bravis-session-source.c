#include "bravis-session-source.h"

#include "bravis-frame-guard.h"
#include "bravis-srtp.h"
#include "../keymgmt/bravis-session-media.h"

static BravisEpoch *
await_epoch (gpointer session)
{
  return bravis_session_await_epoch (session);
}

static BravisEpoch *
ref_epoch_by_number (gpointer session, guint64 number)
{
  return bravis_session_ref_epoch_by_number (session, number);
}

static guint
get_serial (gpointer session)
{
  return bravis_session_get_epoch_serial (session);
}

static void
ask_for_epoch (gpointer session)
{
  bravis_session_refresh (session);
}

BravisEpochSource
bravis_session_epoch_source (BravisSession *session)
{
  return (BravisEpochSource) {
    await_epoch, ref_epoch_by_number, get_serial, g_object_unref,
    g_object_ref (session), ask_for_epoch,
    bravis_session_get_key_packets (session)
  };
}

BravisSender *
bravis_sender_new_session (BravisSession *session, BravisKind kind,
    guint16 stream)
{
  BravisEpochSource source = bravis_session_epoch_source (session);

  return bravis_sender_new_epochs (&source, kind, stream);
}

BravisReceiver *
bravis_receiver_new_session (BravisSession *session, guint replay_window)
{
  BravisEpochSource source = bravis_session_epoch_source (session);

  return bravis_receiver_new_epochs (&source, replay_window);
}

BravisSrtpSender *
bravis_srtp_sender_new_session (BravisSession *session, BravisKind kind,
    guint16 stream, guint window)
{
  BravisEpochSource source = bravis_session_epoch_source (session);

  return bravis_srtp_sender_new_epochs (&source, kind, stream, window);
}

BravisSrtpReceiver *
bravis_srtp_receiver_new_session (BravisSession *session, guint window)
{
  BravisEpochSource source = bravis_session_epoch_source (session);

  return bravis_srtp_receiver_new_epochs (&source, window);
}
