/* bravis-session-private.h: what the files of BravisSession share
 *
 *   bravis-session.c           events, life, public functions
 *   bravis-session-class.c     properties and signals
 *   bravis-session-media.c     what elements need of it
 *   bravis-session-messages.c  the application's messages
 */
#pragma once

#include "bravis-peer.h"

G_BEGIN_DECLS

/* Who takes the messages; referenced while it is called. */
typedef struct {
  gatomicrefcount references;
  BravisMessageFunc handle;
  gpointer user_data;
  GDestroyNotify destroy;
} BravisSessionHandler;

struct _BravisSession {
  GObject parent_instance;

  char *name;
  char *config;
  guint exposure;
  guint grace;
  BravisPeer *peer;             /* NULL: not made, or making it failed */

  GMutex lock;                  /* of what follows */
  guint holds;
  gboolean is_own_start;        /* the application started it itself */
  gboolean is_over;             /* it was stopped, or is about to be */
  BravisView *view;             /* the present one, NULL: none */
  char *verification_code;      /* of the present epoch, NULL: none yet */
  BravisSessionHandler *handler;        /* of messages; NULL: none */

  const char *last_state;       /* of the session's thread: the last told */
};

enum {
  PROP_NAME = 1,
  PROP_CONFIG,
  PROP_EXPOSURE,
  PROP_GRACE,
  PROP_IDENTITY,
  PROP_MEMBERS,
  PROP_EPOCH,
  PROP_VERIFICATION_CODE,
  PROP_STATE,
  PROP_STATS,
  PROP_VIEW,
  PROP_QUEUED,
  N_PROPS
};

enum {
  SIGNAL_MEMBER_JOINED,
  SIGNAL_MEMBER_LEFT,
  SIGNAL_EPOCH_CHANGED,
  SIGNAL_REFUSED,
  SIGNAL_UNREACHABLE,
  SIGNAL_ENDED,
  SIGNAL_STREAM_ADDED,
  SIGNAL_STREAM_REMOVED,
  SIGNAL_VIEW_CHANGED,
  SIGNAL_MESSAGE,
  SIGNAL_COMMAND,
  SIGNAL_WRITABLE,
  N_SIGNALS
};

/* Declares properties and signals. */
void bravis_session_install (GObjectClass *object_class);
void bravis_session_notify (BravisSession *session, guint prop);
void bravis_session_emit (BravisSession *session, guint signal, ...);
gboolean bravis_session_is_heard (BravisSession *session, guint signal);

/* Gives the message to the handler, or to who is connected to the signal. */
void bravis_session_take_message (BravisSession *session,
    const BravisEvent *event);
void bravis_session_clear_messages (BravisSession *session);

G_END_DECLS
