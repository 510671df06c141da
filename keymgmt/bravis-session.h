/* bravis-session.h: one peer of one conference, shared by the pipelines of a
 * process
 *
 * Public, introspectable. What elements need beyond it is in
 * bravis-session-media.h, which is not installed.
 *
 *   g_autoptr (GError) error = NULL;
 *   g_autoptr (BravisSession) session =
 *       bravis_session_new ("talk", "alice.conf", &error);
 *
 *   if (!session)
 *     g_printerr ("%s\n", error->message);
 *   g_signal_connect (session, "member-joined", G_CALLBACK (on_joined), NULL);
 *   bravis_session_start (session);
 *   ... pipelines whose elements say session=talk ...
 *   bravis_session_stop (session);
 *
 * All functions may be called from any thread. Signals come in a thread of the
 * session's own, whose GMainContext is its thread default; a handler may take its
 * time, but must not call bravis_session_stop ().
 */
#pragma once

#include "bravis-view.h"

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

#define BRAVIS_TYPE_LEAVE_REASON (bravis_leave_reason_get_type ())
GType bravis_leave_reason_get_type (void);

/**
 * BravisQuality:
 * @BRAVIS_QUALITY_AGREED: as soon as the message's place in the order is known
 * @BRAVIS_QUALITY_SAFE: once every member of the view holds the message
 *
 * When a message is delivered. Both kinds are in the one order that is the same at
 * all members.
 */
typedef enum {
  BRAVIS_QUALITY_AGREED,
  BRAVIS_QUALITY_SAFE
} BravisQuality;

#define BRAVIS_TYPE_QUALITY (bravis_quality_get_type ())
GType bravis_quality_get_type (void);

/**
 * BravisCommandKind:
 * @BRAVIS_COMMAND_VOTE: a vote
 * @BRAVIS_COMMAND_ORDER: a moderator's order
 * @BRAVIS_COMMAND_FLOOR: a decision about the floor
 * @BRAVIS_COMMAND_POLICY: a change of policy
 * @BRAVIS_COMMAND_PUT_OUT: somebody is to be put out
 * @BRAVIS_COMMAND_LEAVE: the member leaves; given by the session itself
 * @BRAVIS_COMMAND_EXPIRED: somebody's certificate is not valid any more; given by the
 *   session itself
 * @BRAVIS_COMMAND_APPLICATION: the first of the application's own kinds, up to 255
 *
 * What a signed command is about. What comes of it is up to who receives it: the
 * session sees to it that all receive the same ones, from who they say they are.
 */
typedef enum {
  BRAVIS_COMMAND_VOTE = 1,
  BRAVIS_COMMAND_ORDER = 2,
  BRAVIS_COMMAND_FLOOR = 3,
  BRAVIS_COMMAND_POLICY = 4,
  BRAVIS_COMMAND_PUT_OUT = 5,
  BRAVIS_COMMAND_LEAVE = 6,
  BRAVIS_COMMAND_EXPIRED = 7,
  BRAVIS_COMMAND_APPLICATION = 16
} BravisCommandKind;

/**
 * BravisMessageFunc:
 * @session: the session
 * @name: the name of the member who sent it; may be this peer
 * @member: its id
 * @message: the message
 * @user_data: what was given to bravis_session_set_message_handler()
 *
 * Takes a message that a member multicast.
 */
typedef void (*BravisMessageFunc) (BravisSession *session, const char *name,
    guint64 member, GBytes *message, gpointer user_data);

BravisSession *bravis_session_new (const char *name, const char *config,
    GError **error);

BravisSession *bravis_session_get (const char *name, const char *config,
    GError **error);

void bravis_session_start (BravisSession *session);

void bravis_session_leave (BravisSession *session);

void bravis_session_stop (BravisSession *session);

gboolean bravis_session_invite (BravisSession *session, const char *name,
    const char *address, GError **error);

void bravis_session_refresh (BravisSession *session);

gboolean bravis_session_multicast (BravisSession *session, GBytes *message,
    BravisQuality quality, GError **error);
void bravis_session_set_message_handler (BravisSession *session,
    BravisMessageFunc handler, gpointer user_data, GDestroyNotify destroy);
gboolean bravis_session_command (BravisSession *session, guint kind,
    GBytes *body, GError **error);
guint64 bravis_session_get_queued (BravisSession *session);
gsize bravis_session_get_max_message (BravisSession *session);
BravisView *bravis_session_ref_view (BravisSession *session);

const char *bravis_session_get_name (BravisSession *session);
const char *bravis_session_get_identity (BravisSession *session);
GStrv bravis_session_dup_members (BravisSession *session);
guint64 bravis_session_get_epoch_number (BravisSession *session);
char *bravis_session_dup_verification_code (BravisSession *session);
char *bravis_session_dup_fingerprint (BravisSession *session, const char *name,
    GError **error);
GBytes *bravis_session_export_key (BravisSession *session, const char *label,
    GBytes *context, gsize length, guint64 *epoch, GError **error);
const char *bravis_session_get_state (BravisSession *session);
GVariant *bravis_session_dup_stats (BravisSession *session);

G_END_DECLS
