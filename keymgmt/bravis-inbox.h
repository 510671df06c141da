/* bravis-inbox.h: control datagrams on their way from the socket's thread to the
 * thread that runs the protocols
 *
 * Bounded, in two lanes that are emptied in turn: a flood of handshakes from
 * strangers does not take the place of what members say to each other. What does
 * not fit is dropped, as the network might have done. Used from any thread; taken
 * from by one.
 */
#pragma once

#include "../gcp/gcp-address.h"

G_BEGIN_DECLS

#define BRAVIS_INBOX_MAX_LINK 1024      /* datagrams of members */
#define BRAVIS_INBOX_MAX_HANDSHAKE 256  /* datagrams of anybody */

typedef struct {
  GcpAddress from;
  gsize size;
  guint8 data[];
} BravisLetter;

typedef struct _BravisInbox BravisInbox;

BravisInbox *bravis_inbox_new (void);
void bravis_inbox_free (BravisInbox *inbox);

/* Copies a datagram in. FALSE: it is no control datagram, or does not fit. */
gboolean bravis_inbox_put (BravisInbox *inbox, const GcpAddress *from,
    const guint8 *data, gsize size);

/* Waits until there is a datagram, somebody wakes, or the monotonic time
 * @deadline. Then the next datagrams, at most @max, are appended to @letters
 * (BravisLetter, to be freed with g_free). FALSE: closed. */
gboolean bravis_inbox_take (BravisInbox *inbox, gint64 deadline, guint max,
    GPtrArray *letters);

/* Makes the present or next bravis_inbox_take () return at once. */
void bravis_inbox_wake (BravisInbox *inbox);
void bravis_inbox_close (BravisInbox *inbox);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisInbox, bravis_inbox_free)

G_END_DECLS
