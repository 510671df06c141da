/* bravis-feedback.h: RTCP between the members of a group
 *
 * Each RTCP compound travels in one datagram, protected as signalling, and says
 * which stream it is about: BRAVIS_DATAGRAM_RTCP in bravis-datagram.h. Reports of a
 * stream's owner go to all, those of its receivers to the owner.
 *
 * What is opened is also looked through (bravis-rtcp.h).
 */
#pragma once

#include "bravis-frame-guard.h"
#include "../keymgmt/bravis-session-media.h"

G_BEGIN_DECLS

/* Sends. From any thread. */
typedef struct _BravisFeedback BravisFeedback;

/* The session must be held; it gets one more stream, of signalling. */
BravisFeedback *bravis_feedback_new (BravisSession *session, GError **error);
void bravis_feedback_free (BravisFeedback *feedback);

/* About an own stream, to all. FALSE: nobody there, no key, too long. */
gboolean bravis_feedback_send_to_all (BravisFeedback *feedback,
    guint16 stream, const guint8 *rtcp, gsize size);

/* About a stream of @owner, to it. */
gboolean bravis_feedback_send_to_owner (BravisFeedback *feedback,
    GcpMemberId owner, guint16 stream, const guint8 *rtcp, gsize size);

typedef struct {
  GcpMemberId sender;
  GcpMemberId owner;
  gboolean own;                 /* the stream is one of ours */
  guint16 stream;
  guint32 ssrc;                 /* who sends the reports */
  const guint8 *rtcp;           /* in the datagram */
  gsize size;
} BravisReport;

/* Opens a datagram, in place. */
BravisDrop bravis_feedback_open (BravisReceiver *receiver,
    BravisSession *session, guint8 *data, gsize size, BravisReport *report);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisFeedback, bravis_feedback_free)

G_END_DECLS
