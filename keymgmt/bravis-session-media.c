#include "bravis-session-media.h"

#include "bravis-session-private.h"

static BravisPeer *
get_peer (BravisSession *session)
{
  return session->peer;
}

static BravisEpochBook *
get_book (BravisSession *session)
{
  return bravis_peer_get_book (get_peer (session));
}

BravisEpoch *
bravis_session_ref_epoch (BravisSession *session)
{
  /* The properties of a session that could not be made are read, too. */
  return get_peer (session)
      ? bravis_epoch_book_ref_present (get_book (session)) : NULL;
}

BravisEpoch *
bravis_session_await_epoch (BravisSession *session)
{
  return bravis_epoch_book_await_present (get_book (session));
}

BravisEpoch *
bravis_session_ref_epoch_by_number (BravisSession *session, guint64 number)
{
  return bravis_epoch_book_ref_by_number (get_book (session), number);
}

guint
bravis_session_get_epoch_serial (BravisSession *session)
{
  return bravis_epoch_book_get_serial (get_book (session));
}

guint64
bravis_session_get_key_packets (BravisSession *session)
{
  return bravis_peer_get_config (get_peer (session))->key_packets;
}

gboolean
bravis_session_add_stream (BravisSession *session, BravisKind kind,
    guint16 *stream, GError **error)
{
  return bravis_peer_add_stream (get_peer (session), kind, stream, error);
}

gboolean
bravis_session_describe_stream (BravisSession *session, guint16 stream,
    const char *description, GError **error)
{
  return bravis_peer_describe_stream (get_peer (session), stream, description,
      error);
}

void
bravis_session_remove_stream (BravisSession *session, guint16 stream)
{
  bravis_peer_remove_stream (get_peer (session), stream);
}

gboolean
bravis_session_send_to_all (BravisSession *session, BravisEpoch *epoch,
    gconstpointer data, gsize size)
{
  return bravis_peer_send_to_all (get_peer (session), epoch, data, size);
}

gboolean
bravis_session_send_to (BravisSession *session, BravisEpoch *epoch,
    guint member_index, gconstpointer data, gsize size)
{
  return bravis_peer_send_to (get_peer (session), epoch, member_index, data,
      size);
}

guint
bravis_session_add_media_receiver (BravisSession *session,
    BravisMediaReceive receive, gpointer user_data)
{
  return bravis_receivers_add (bravis_peer_get_receivers (get_peer (session)),
      receive, user_data);
}

void
bravis_session_remove_media_receiver (BravisSession *session, guint id)
{
  bravis_receivers_remove (bravis_peer_get_receivers (get_peer (session)), id);
}

guint
bravis_session_add_listener (BravisSession *session, BravisListen listen,
    gpointer user_data)
{
  return bravis_audience_add (bravis_peer_get_audience (get_peer (session)),
      listen, user_data);
}

void
bravis_session_remove_listener (BravisSession *session, guint id)
{
  bravis_audience_remove (bravis_peer_get_audience (get_peer (session)), id);
}
