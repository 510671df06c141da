#include "bravis-mailbox.h"

#include "bravis-error.h"

#include <gio/gio.h>

struct _BravisMailbox {
  gsize max_message;

  GMutex lock;                  /* of what follows */
  GArray *mails;                /* of BravisMail */
  gsize waiting;                /* bytes of these */
  gsize behind;                 /* bytes of what was taken and still waits */
  gboolean open;
  gboolean somebody_waits;      /* for room */
};

void
bravis_mail_clear (gpointer mail)
{
  g_clear_pointer (&((BravisMail *) mail)->bytes, g_bytes_unref);
}

BravisMailbox *
bravis_mailbox_new (gsize max_message)
{
  BravisMailbox *mailbox = g_new0 (BravisMailbox, 1);

  mailbox->max_message = max_message;
  g_mutex_init (&mailbox->lock);
  mailbox->mails = g_array_new (FALSE, FALSE, sizeof (BravisMail));
  g_array_set_clear_func (mailbox->mails, bravis_mail_clear);
  return mailbox;
}

void
bravis_mailbox_free (BravisMailbox *mailbox)
{
  g_array_unref (mailbox->mails);
  g_mutex_clear (&mailbox->lock);
  g_free (mailbox);
}

static gboolean
check_with_lock (BravisMailbox *mailbox, gsize size, GError **error)
{
  gsize queued = mailbox->waiting + mailbox->behind;

  if (!mailbox->open) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "this peer is in no conference that a message could be sent to");
    return FALSE;
  }
  if (size > mailbox->max_message) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
        "a message of %" G_GSIZE_FORMAT " bytes is longer than %"
        G_GSIZE_FORMAT, size, mailbox->max_message);
    return FALSE;
  }
  if (queued > 0
      && queued + size + BRAVIS_MESSAGE_COST > BRAVIS_MAILBOX_ROOM) {
    mailbox->somebody_waits = TRUE;
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
        "%" G_GSIZE_FORMAT " bytes wait to be sent already", queued);
    return FALSE;
  }
  return TRUE;
}

gboolean
bravis_mailbox_put (BravisMailbox *mailbox, GBytes *bytes, GcpQuality quality,
    gboolean *first, GError **error)
{
  gsize size = g_bytes_get_size (bytes);
  gboolean fits;

  g_mutex_lock (&mailbox->lock);
  fits = check_with_lock (mailbox, size, error);
  *first = fits && mailbox->mails->len == 0;
  if (fits) {
    BravisMail mail = { g_bytes_ref (bytes), quality };

    g_array_append_val (mailbox->mails, mail);
    mailbox->waiting += size + BRAVIS_MESSAGE_COST;
  }
  g_mutex_unlock (&mailbox->lock);
  return fits;
}

void
bravis_mailbox_take (BravisMailbox *mailbox, GArray *mails)
{
  g_mutex_lock (&mailbox->lock);
  if (mailbox->mails->len > 0) {
    g_array_append_vals (mails, mailbox->mails->data, mailbox->mails->len);
    /* The references went with them. */
    g_array_set_clear_func (mailbox->mails, NULL);
    g_array_set_size (mailbox->mails, 0);
    g_array_set_clear_func (mailbox->mails, bravis_mail_clear);
    mailbox->behind += mailbox->waiting;
    mailbox->waiting = 0;
  }
  g_mutex_unlock (&mailbox->lock);
}

gboolean
bravis_mailbox_settle (BravisMailbox *mailbox, gsize behind, gboolean open)
{
  gboolean has_room;

  g_mutex_lock (&mailbox->lock);
  mailbox->behind = behind;
  mailbox->open = open;
  has_room = mailbox->somebody_waits
      && (!open || mailbox->waiting + behind <= BRAVIS_MAILBOX_ROOM / 2);
  if (has_room)
    mailbox->somebody_waits = FALSE;
  g_mutex_unlock (&mailbox->lock);
  return has_room;
}

gsize
bravis_mailbox_get_queued (BravisMailbox *mailbox)
{
  gsize queued;

  g_mutex_lock (&mailbox->lock);
  queued = mailbox->waiting + mailbox->behind;
  g_mutex_unlock (&mailbox->lock);
  return queued;
}
