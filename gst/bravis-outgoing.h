/* bravis-outgoing.h: who still sends in a session
 *
 * When a pipeline is told to end, its bravisgroupsrc has the peer leave the
 * conference, while frames on their way through a bravisgroupsink of the same
 * session must still get out. The sinks count their open streams here, and the
 * source leaves when there is none any more, or its patience is over.
 *
 * Any thread.
 */
#pragma once

#include "../keymgmt/bravis-session.h"

G_BEGIN_DECLS

void bravis_outgoing_begin (BravisSession *session);
void bravis_outgoing_end (BravisSession *session);
guint bravis_outgoing_get (BravisSession *session);

G_END_DECLS
