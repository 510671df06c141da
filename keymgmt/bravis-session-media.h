/* bravis-session-media.h: what the elements need of a session
 *
 * Not installed. Everything here may be called from any thread; what is called
 * for each packet takes no lock and allocates nothing.
 */
#pragma once

#include "bravis-epoch.h"
#include "bravis-session.h"
#include "bravis-view.h"
#include "../gcp/gcp-address.h"

G_BEGIN_DECLS

/* An element that uses the session holds it started: the first hold starts it,
 * the last release leaves and stops it, unless the application started it itself.
 * Blocks in the last release for as long as leaving takes (normally some ms, at
 * most the time for suspicion). A session that was stopped does not start again:
 * then bravis_session_hold () says FALSE and holds nothing, and
 * bravis_session_get () gives a fresh one. Until it is held, a session may be
 * stopped by somebody else's last release. */
gboolean bravis_session_hold (BravisSession *session);
void bravis_session_release (BravisSession *session);

/* The present epoch, NULL while there is none. */
BravisEpoch *bravis_session_ref_epoch (BravisSession *session);

/* The same for who sends: where somebody has gone who has the present key, blocks
 * until the next one is there, for about two round trips; at most 500 ms. */
BravisEpoch *bravis_session_await_epoch (BravisSession *session);

/* The epoch of that number as long as it may be received under, else NULL. */
BravisEpoch *bravis_session_ref_epoch_by_number (BravisSession *session,
    guint64 number);

/* A number that grows whenever the present epoch changes, or is about to: one
 * atomic read tells an element that what it cached is still right. */
guint bravis_session_get_epoch_serial (BravisSession *session);

/* How many packets one key may protect. */
guint64 bravis_session_get_key_packets (BravisSession *session);

/* A stream of one's own: number for the KID, announced to the group once it is
 * described. Blocking until the session's thread has done it: once a stream, not
 * once a packet. */
gboolean bravis_session_add_stream (BravisSession *session, BravisKind kind,
    guint16 *stream, GError **error);
gboolean bravis_session_describe_stream (BravisSession *session, guint16 stream,
    const char *description, GError **error);
void bravis_session_remove_stream (BravisSession *session, guint16 stream);

/* Sends one datagram to every other member of @epoch that is still in the
 * conference, or to one of them. FALSE where sending under the epoch is closed. */
gboolean bravis_session_send_to_all (BravisSession *session, BravisEpoch *epoch,
    gconstpointer data, gsize size);
gboolean bravis_session_send_to (BravisSession *session, BravisEpoch *epoch,
    guint member_index, gconstpointer data, gsize size);

/* Media datagrams as they come (bravis_datagram_is_media ()), in the socket's
 * thread; @data may be altered. When bravis_session_remove_media_receiver ()
 * returned, the function is not called any more. */
typedef void (*BravisMediaReceive) (const GcpAddress *from, guint8 *data,
    gsize size, gpointer user_data);
guint bravis_session_add_media_receiver (BravisSession *session,
    BravisMediaReceive receive, gpointer user_data);
void bravis_session_remove_media_receiver (BravisSession *session, guint id);

/* What happens in the group, in the session's thread, in its order. A new listener
 * gets everything that is so at present first: view, members, epoch, its verification code, streams. It may
 * take its time. A stream that is described anew is added again.
 *
 * After a view come the members that left and joined with it, then what is
 * delivered in it. */
typedef enum {
  BRAVIS_EVENT_VIEW,            /* @view */
  BRAVIS_EVENT_EPOCH,           /* @epoch, @cause, @milliseconds since the view */
  BRAVIS_EVENT_VERIFICATION,    /* @epoch, @code: its members can compare it */
  BRAVIS_EVENT_MEMBER_JOINED,   /* @name, @member: another, never oneself */
  BRAVIS_EVENT_MEMBER_LEFT,     /* @name, @member, @leave_reason */
  BRAVIS_EVENT_STREAM_ADDED,    /* @name, @member, @kind, @stream, @description */
  BRAVIS_EVENT_STREAM_REMOVED,  /* the same, without @description */
  BRAVIS_EVENT_REFUSED,         /* @name or NULL, @by or NULL, @reason */
  BRAVIS_EVENT_UNREACHABLE,     /* @name */
  BRAVIS_EVENT_MESSAGE,         /* @name, @member (may be oneself), @message, @quality */
  BRAVIS_EVENT_COMMAND,         /* @name, @member (may be oneself), @command_kind,
                                 * @message: proven to be theirs */
  BRAVIS_EVENT_WRITABLE,        /* there is room again for one's own messages */
  BRAVIS_EVENT_ENDED            /* @reason */
} BravisEventType;

typedef struct {
  BravisEventType type;
  BravisView *view;
  GBytes *message;
  BravisQuality quality;
  guint command_kind;
  BravisEpoch *epoch;
  const char *cause;
  double milliseconds;
  const char *code;
  const char *name;
  const char *by;
  const char *reason;
  BravisLeaveReason leave_reason;
  GcpMemberId member;
  BravisKind kind;
  guint16 stream;
  const char *description;
} BravisEvent;

/* "left", "failed" or "put-out". */
static inline const char *
bravis_leave_reason_to_string (BravisLeaveReason reason)
{
  switch (reason) {
    case BRAVIS_LEAVE_LEFT:
      return "left";
    case BRAVIS_LEAVE_FAILED:
      return "failed";
    case BRAVIS_LEAVE_PUT_OUT:
      return "put-out";
  }
  return "unknown";
}

typedef void (*BravisListen) (const BravisEvent *event, gpointer user_data);
guint bravis_session_add_listener (BravisSession *session, BravisListen listen,
    gpointer user_data);
/* Afterwards the function is not called any more; also from within a listener. */
void bravis_session_remove_listener (BravisSession *session, guint id);

G_END_DECLS
