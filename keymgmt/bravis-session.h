/* bravis-session.h: one peer of one conference, shared by the pipelines of a
 * process
 *
 * Public, introspectable. Names that elements need beyond it are in
 * bravis-session-media.h.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define BRAVIS_TYPE_SESSION (bravis_session_get_type ())
G_DECLARE_FINAL_TYPE (BravisSession, bravis_session, BRAVIS, SESSION, GObject)

/**
 * BravisLeaveReason:
 * @BRAVIS_LEAVE_LEFT: the member said that it leaves
 * @BRAVIS_LEAVE_FAILED: the member was not heard of any more
 * @BRAVIS_LEAVE_PUT_OUT: the group put the member out
 *
 * Why a member is gone.
 */
typedef enum {
  BRAVIS_LEAVE_LEFT,
  BRAVIS_LEAVE_FAILED,
  BRAVIS_LEAVE_PUT_OUT
} BravisLeaveReason;

/* Properties (G_PARAM_CONSTRUCT_ONLY unless said otherwise):
 *   name              string   what elements find the session by; may be NULL
 *   config            string   path of the configuration file
 *   exposure          uint     ms that senders may go on under the old epoch after a
 *                              member is gone, at most; default 1000
 *   grace             uint     ms that receivers keep an old epoch; default 2000
 *   members           GStrv    read only: names in the view's order
 *   epoch             uint64   read only: number of the present epoch, 0: none
 *   verification-code string   read only: of the present epoch
 *   state             string   read only: "idle" "joining" "member" "leaving" "over"
 *   stats             GVariant read only, a{sv}
 * Signals, emitted in the session's thread; notify too:
 *   member-joined (name)
 *   member-left   (name, BravisLeaveReason)
 *   epoch-changed (number, cause, milliseconds since its view)
 *   refused       (name or NULL, by: name or NULL for this peer, reason)
 *   unreachable   (name)
 *   ended         (reason)
 *   stream-added  (member's name, member id, kind, stream, description)
 *   stream-removed (member's name, member id, kind, stream)
 * The session's identity and configuration are read, and the socket bound, in
 * bravis_session_new (), so that all errors come there.
 */

BravisSession *bravis_session_new (const char *name, const char *config,
    GError **error);

/* The registry of the process: the session of that name, or of that
 * configuration file; made where @config is given and there is none yet. With
 * both, a session found by name must have that configuration. */
BravisSession *bravis_session_get (const char *name, const char *config,
    GError **error);

/* Starts the thread: a peer that has somebody to invite starts the conference
 * and invites, another waits for its invitation. Does nothing the second time. */
void bravis_session_start (BravisSession *session);

/* Leaves; "ended" follows, at the latest after the time for suspicion. */
void bravis_session_leave (BravisSession *session);

/* Leaves, waits for the end, closes the socket. In any state, from any thread but
 * the session's; twice does no harm. Dropping the last reference does it too. */
void bravis_session_stop (BravisSession *session);

/* Invites one more peer, at "HOST:PORT" or, with NULL, its address in [peers]. */
gboolean bravis_session_invite (BravisSession *session, const char *name,
    const char *address, GError **error);

/* Asks the token holder for a new key. */
void bravis_session_refresh (BravisSession *session);

const char *bravis_session_get_name (BravisSession *session);
const char *bravis_session_get_identity (BravisSession *session);
GStrv bravis_session_dup_members (BravisSession *session);
guint64 bravis_session_get_epoch_number (BravisSession *session);
char *bravis_session_dup_verification_code (BravisSession *session);

G_END_DECLS
