/* bravis-receivers.h: who gets the media datagrams that come in
 *
 * Called from the socket's thread. Functions are added and removed from any other
 * thread; once bravis_receivers_remove () has returned, the function is not called
 * any more. It must not be called from within one of them.
 */
#pragma once

#include "bravis-session-media.h"

G_BEGIN_DECLS

typedef struct _BravisReceivers BravisReceivers;

BravisReceivers *bravis_receivers_new (void);
void bravis_receivers_free (BravisReceivers *receivers);
guint bravis_receivers_add (BravisReceivers *receivers,
    BravisMediaReceive receive, gpointer user_data);
void bravis_receivers_remove (BravisReceivers *receivers, guint id);

/* Hands the datagram to each. Where there are several, each but the last gets a
 * copy, as each may alter it. */
void bravis_receivers_call (BravisReceivers *receivers, const GcpAddress *from,
    guint8 *data, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisReceivers, bravis_receivers_free)

G_END_DECLS
