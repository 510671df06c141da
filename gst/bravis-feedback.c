#include "bravis-feedback.h"

#include "bravis-rtcp.h"
#include "../gcp/gcp-wire.h"
#include "../keymgmt/bravis-datagram.h"

#include <string.h>

#define ABOUT_SIZE 3            /* u8 owner | u16 stream */
#define MAX_RTCP 1100

struct _BravisFeedback {
  BravisSession *session;
  guint16 number;
  GMutex lock;
  BravisSender *sender;         /* under the lock */
};

BravisFeedback *
bravis_feedback_new (BravisSession *session, GError **error)
{
  BravisFeedback *feedback;
  guint16 number;

  if (!bravis_session_add_stream (session, BRAVIS_KIND_SIGNALLING, &number, error))
    return NULL;
  feedback = g_new0 (BravisFeedback, 1);
  feedback->session = g_object_ref (session);
  feedback->number = number;
  g_mutex_init (&feedback->lock);
  feedback->sender = bravis_sender_new_session (session,
      BRAVIS_KIND_SIGNALLING, number);
  return feedback;
}

void
bravis_feedback_free (BravisFeedback *feedback)
{
  bravis_session_remove_stream (feedback->session, feedback->number);
  bravis_sender_free (feedback->sender);
  g_mutex_clear (&feedback->lock);
  g_object_unref (feedback->session);
  g_free (feedback);
}

/* @member: whom it goes to; -1: all. Under the lock. */
static gboolean
send_report (BravisFeedback *feedback, BravisEpoch *epoch, guint owner,
    gint member, guint16 stream, const guint8 *rtcp, gsize size)
{
  guint8 datagram[1 + ABOUT_SIZE + MAX_RTCP + BRAVIS_GUARD_OVERHEAD];

  datagram[0] = BRAVIS_DATAGRAM_RTCP;
  datagram[1] = owner;
  datagram[2] = stream >> 8;
  datagram[3] = stream & 0xff;
  memcpy (datagram + 1 + ABOUT_SIZE, rtcp, size);
  if (bravis_sender_protect_frame (feedback->sender, datagram + 1,
          ABOUT_SIZE + size, &size) != BRAVIS_DROP_NONE)
    return FALSE;
  /* Closed meanwhile: under another epoch the indices are other members'. */
  if (bravis_sender_get_epoch (feedback->sender) != epoch)
    return FALSE;
  if (member < 0)
    return bravis_session_send_to_all (feedback->session, epoch, datagram,
        1 + size);
  return bravis_session_send_to (feedback->session, epoch, member, datagram,
      1 + size);
}

/* A reference to the epoch to send under, or NULL where one is alone. The
 * sender's own may go while something is protected. Under the lock. */
static BravisEpoch *
take_epoch (BravisFeedback *feedback)
{
  BravisEpoch *epoch;

  bravis_sender_take_epoch (feedback->sender);
  epoch = bravis_sender_get_epoch (feedback->sender);
  return epoch && bravis_epoch_get_n_members (epoch) > 1
      ? bravis_epoch_ref (epoch) : NULL;
}

gboolean
bravis_feedback_send_to_all (BravisFeedback *feedback, guint16 stream,
    const guint8 *rtcp, gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&feedback->lock);
  g_autoptr (BravisEpoch) epoch = take_epoch (feedback);

  if (!epoch || size > MAX_RTCP)
    return FALSE;
  return send_report (feedback, epoch, bravis_epoch_get_self (epoch), -1,
      stream, rtcp, size);
}

gboolean
bravis_feedback_send_to_owner (BravisFeedback *feedback, GcpMemberId owner,
    guint16 stream, const guint8 *rtcp, gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&feedback->lock);
  g_autoptr (BravisEpoch) epoch = take_epoch (feedback);
  gint index;

  if (!epoch || size > MAX_RTCP)
    return FALSE;
  index = gcp_view_find (bravis_epoch_get_view (epoch), owner);
  if (index < 0)
    return FALSE;
  return send_report (feedback, epoch, index, index, stream, rtcp, size);
}

static gboolean
name_members (BravisSession *session, const BravisKid *kid, guint owner,
    BravisReport *report)
{
  g_autoptr (BravisEpoch) epoch =
      bravis_session_ref_epoch_by_number (session, kid->epoch);
  GcpView *view;

  if (!epoch)
    return FALSE;
  view = bravis_epoch_get_view (epoch);
  if (owner >= gcp_view_get_n_members (view)
      || kid->sender >= gcp_view_get_n_members (view))
    return FALSE;
  report->sender = gcp_view_get_member (view, kid->sender)->id;
  report->owner = gcp_view_get_member (view, owner)->id;
  report->own = owner == bravis_epoch_get_self (epoch);
  return TRUE;
}

BravisDrop
bravis_feedback_open (BravisReceiver *receiver, BravisSession *session,
    guint8 *data, gsize size, BravisReport *report)
{
  gsize offset, opened;
  BravisDrop drop;
  GcpReader reader;
  guint64 value;
  guint8 owner;
  BravisKid kid;

  if (size < 1 || data[0] != BRAVIS_DATAGRAM_RTCP)
    return BRAVIS_DROP_MALFORMED;
  drop = bravis_receiver_open_frame (receiver, data + 1, size - 1, &offset,
      &opened, &value);
  if (drop != BRAVIS_DROP_NONE)
    return drop;
  bravis_kid_unpack (value, &kid);
  if (kid.kind != BRAVIS_KIND_SIGNALLING)
    return BRAVIS_DROP_NOT_ALLOWED;

  gcp_reader_init (&reader, data + 1 + offset, opened);
  owner = gcp_read_u8 (&reader);
  report->stream = gcp_read_u16 (&reader);
  report->size = gcp_reader_left (&reader);
  report->rtcp = gcp_read_span (&reader, report->size);
  if (!gcp_reader_finish (&reader)
      || !bravis_rtcp_check (report->rtcp, report->size, &report->ssrc))
    return BRAVIS_DROP_MALFORMED;
  if (!name_members (session, &kid, owner, report))
    return BRAVIS_DROP_UNKNOWN_SENDER;
  return BRAVIS_DROP_NONE;
}
