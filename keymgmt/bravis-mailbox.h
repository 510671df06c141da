/* bravis-mailbox.h: the application's messages on their way to the thread that
 * runs the protocols
 *
 * Bounded: what waits here and in the conference behind it. Each message counts
 * 64 bytes more than it has, so that many small ones are bounded, too. Used from
 * any thread; taken from by one.
 */
#pragma once

#include "../gcp/gcp-view.h"

G_BEGIN_DECLS

#define BRAVIS_MAILBOX_ROOM (1024 * 1024)       /* bytes; one message may be more */
#define BRAVIS_MESSAGE_COST 64                  /* bytes, besides its own */

typedef struct {
  GBytes *bytes;
  GcpQuality quality;
} BravisMail;

typedef struct _BravisMailbox BravisMailbox;

BravisMailbox *bravis_mailbox_new (gsize max_message);
void bravis_mailbox_free (BravisMailbox *mailbox);

/* References @bytes. Sets @first if nothing waited here before: then there is
 * somebody to wake. Errors: BRAVIS_ERROR_STATE (closed), G_IO_ERROR_WOULD_BLOCK,
 * G_IO_ERROR_MESSAGE_TOO_LARGE. */
gboolean bravis_mailbox_put (BravisMailbox *mailbox, GBytes *bytes,
    GcpQuality quality, gboolean *first, GError **error);

/* Appends all that wait to @mails (BravisMail, to be cleared by who takes). */
void bravis_mailbox_take (BravisMailbox *mailbox, GArray *mails);

/* Says how many bytes are still waiting behind the mailbox of all that was taken
 * from it, and whether more is wanted at all. TRUE: somebody did not get in
 * before, and there is room again. */
gboolean bravis_mailbox_settle (BravisMailbox *mailbox, gsize behind,
    gboolean open);

gsize bravis_mailbox_get_queued (BravisMailbox *mailbox);

void bravis_mail_clear (gpointer mail);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisMailbox, bravis_mailbox_free)

G_END_DECLS
