/* The application's messages to the group, and the group's to it. */
#include "bravis-session-private.h"

static void
release (BravisSessionHandler *handler)
{
  if (!g_atomic_ref_count_dec (&handler->references))
    return;
  if (handler->destroy)
    handler->destroy (handler->user_data);
  g_free (handler);
}

static BravisSessionHandler *
ref_handler (BravisSession *session)
{
  BravisSessionHandler *handler;

  g_mutex_lock (&session->lock);
  handler = session->handler;
  if (handler)
    g_atomic_ref_count_inc (&handler->references);
  g_mutex_unlock (&session->lock);
  return handler;
}

void
bravis_session_take_message (BravisSession *session, const BravisEvent *event)
{
  BravisSessionHandler *handler = ref_handler (session);

  if (handler) {
    handler->handle (session, event->name, event->member, event->message,
        handler->user_data);
    release (handler);
  } else if (bravis_session_is_heard (session, SIGNAL_MESSAGE)) {
    bravis_session_emit (session, SIGNAL_MESSAGE, event->name, event->member,
        event->message);
  }
}

void
bravis_session_clear_messages (BravisSession *session)
{
  g_clear_pointer (&session->handler, release);
}

/**
 * bravis_session_multicast:
 * @session: a session
 * @message: any bytes, at most bravis_session_get_max_message()
 * @quality: when it is delivered
 * @error: return location for a #GError
 *
 * Sends @message to all members, this peer too: every one of them gets it
 * (#BravisSession::message), encrypted on its way, at the same place in the order
 * of all messages and views. It is delivered in the view in which it is sent, which
 * may be a later one than the present: a large one takes its time, and is sent in the
 * view in which its last octets are. Messages of other members get past a large one;
 * this peer's own do not. Returns at once.
 *
 * What waits for its place in the order is bounded (1 MiB). When that is full,
 * because this peer sends faster than the group takes it, or because a member's
 * application is behind, the error is %G_IO_ERROR_WOULD_BLOCK:
 * #BravisSession::writable says when to try again. Do not wait for that in a
 * handler of this session's: it comes in the same thread.
 *
 * Where this peer is gone from the conference before a message was sent, the
 * message is lost; its own delivery is the sign that it was not.
 *
 * Returns: %TRUE if @message was taken; %FALSE with %G_IO_ERROR_WOULD_BLOCK,
 *   %G_IO_ERROR_MESSAGE_TOO_LARGE, or %BRAVIS_ERROR_STATE where this peer is in no
 *   conference
 */
gboolean
bravis_session_multicast (BravisSession *session, GBytes *message,
    BravisQuality quality, GError **error)
{
  g_return_val_if_fail (BRAVIS_IS_SESSION (session), FALSE);
  g_return_val_if_fail (message, FALSE);

  return bravis_peer_multicast (session->peer, message,
      quality == BRAVIS_QUALITY_SAFE ? GCP_SAFE : GCP_AGREED, error);
}

/**
 * bravis_session_set_message_handler:
 * @session: a session
 * @handler: (nullable) (scope notified) (closure user_data) (destroy destroy): what
 *   is called for each message
 * @user_data: for @handler
 * @destroy: (nullable): called for @user_data when @handler is not called any more
 *
 * Has @handler called for each message, in the session's thread, instead of
 * emitting #BravisSession::message: for those who expect so many that the cost of a
 * signal matters. %NULL takes it away.
 */
void
bravis_session_set_message_handler (BravisSession *session,
    BravisMessageFunc handler, gpointer user_data, GDestroyNotify destroy)
{
  BravisSessionHandler *made = NULL, *last;

  g_return_if_fail (BRAVIS_IS_SESSION (session));

  if (handler) {
    made = g_new (BravisSessionHandler, 1);
    g_atomic_ref_count_init (&made->references);
    made->handle = handler;
    made->user_data = user_data;
    made->destroy = destroy;
  }
  g_mutex_lock (&session->lock);
  last = session->handler;
  session->handler = made;
  g_mutex_unlock (&session->lock);
  g_clear_pointer (&last, release);
}

/**
 * bravis_session_command:
 * @session: a session
 * @kind: #BravisCommandKind but those that the session gives itself, or a kind of the
 *   application's, up to 255
 * @body: what it says, at most 4096 octets
 * @error: return location for a #GError
 *
 * Gives a command: it is signed with this peer's certified key, bound to the
 * conference, the view and a number, and told to all members (#BravisSession::command)
 * once all hold it. No member can forge it, repeat it or leave it out, as it could
 * with a message. If the view changes before, it is given again in the next.
 *
 * Returns: %TRUE if it is on its way; %FALSE with %BRAVIS_ERROR_STATE where this peer
 *   is in no conference, %BRAVIS_ERROR_LIMIT, %BRAVIS_ERROR_SIGNATURE
 */
gboolean
bravis_session_command (BravisSession *session, guint kind, GBytes *body,
    GError **error)
{
  g_return_val_if_fail (BRAVIS_IS_SESSION (session), FALSE);
  g_return_val_if_fail (body, FALSE);

  return bravis_peer_command (session->peer, kind, body, error);
}

/**
 * bravis_session_get_queued:
 * @session: a session
 *
 * Returns: see #BravisSession:queued
 */
guint64
bravis_session_get_queued (BravisSession *session)
{
  g_return_val_if_fail (BRAVIS_IS_SESSION (session), 0);

  return session->peer ? bravis_peer_get_queued (session->peer) : 0;
}

/**
 * bravis_session_get_max_message:
 * @session: a session
 *
 * Returns: how many bytes a message may have
 */
gsize
bravis_session_get_max_message (BravisSession *session)
{
  g_return_val_if_fail (BRAVIS_IS_SESSION (session), 0);

  return session->peer ? bravis_peer_get_max_message (session->peer) : 0;
}
