/* bravis-audience.h: tells what happens in the group to who listens
 *
 * Events go through a queue to a thread of their own, the session's thread as
 * the application sees it, with a GMainContext as its thread default. The
 * protocols do not wait for it: a listener that takes long delays other
 * listeners, but does not make this peer look crashed to the others.
 *
 * The owner's function gets every event first. A listener that is added gets the
 * present state before anything new: view, members, epoch with its verification code,
 * streams.
 *
 * Messages of the group's can be many: bravis_audience_get_backlog () says how many
 * bytes of them were not taken yet.
 */
#pragma once

#include "bravis-session-media.h"

G_BEGIN_DECLS

typedef struct _BravisAudience BravisAudience;

/* @owner is called with a NULL event too, for bravis_audience_poke (). */
BravisAudience *bravis_audience_new (BravisListen owner, gpointer user_data);
void bravis_audience_free (BravisAudience *audience);

/* @relief is called in the session's thread when at most half of @backlog bytes of
 * messages are left, after there were more than all of it. Before the start. */
void bravis_audience_watch_backlog (BravisAudience *audience, gsize backlog,
    void (*relief) (gpointer user_data), gpointer user_data);
gsize bravis_audience_get_backlog (BravisAudience *audience);

void bravis_audience_start (BravisAudience *audience);

/* Tells what is queued, then ends the thread. Not from the thread itself. */
void bravis_audience_stop (BravisAudience *audience);
gboolean bravis_audience_is_own_thread (BravisAudience *audience);

/* Queues a copy of @event. From any thread. */
void bravis_audience_tell (BravisAudience *audience, const BravisEvent *event);
void bravis_audience_poke (BravisAudience *audience);

/* The same without waking the session's thread, for who has several to tell:
 * bravis_audience_wake () has to follow. */
void bravis_audience_tell_later (BravisAudience *audience,
    const BravisEvent *event);
void bravis_audience_wake (BravisAudience *audience);

guint bravis_audience_add (BravisAudience *audience, BravisListen listen,
    gpointer user_data);

/* Afterwards the function is not called any more; from within a listener too. */
void bravis_audience_remove (BravisAudience *audience, guint id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisAudience, bravis_audience_free)

G_END_DECLS
