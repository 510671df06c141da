/* sim-history.h: what the members of a group saw, and whether it may be so
 *
 * A history records for each process, in its own order: what it multicast, the
 * views it installed, what was delivered to it, how it ended. The checker knows
 * nothing of how the engine works; it looks for what virtual synchrony forbids:
 *
 *   agreement      of members that stay together, each installs the same views in
 *                  the same order
 *   same set       members that go together from one view to the next delivered
 *                  the same messages in it, in the same order
 *   total order    no two members deliver two safe messages in opposite orders,
 *                  even if one crashes then (strict)
 *   sending view   a message is delivered in the view it was sent in, by all in
 *                  the same view
 *   integrity      once, unaltered, really sent, first in first out, without gaps
 *   safe           what anybody delivered as safe was delivered by every member of
 *                  that view that goes on to the next (strict)
 *   primary        there is never more than one line of primary views: each has a
 *                  quorum of the one before
 *
 * and, where nothing but crashes, leaves and decisions takes members away
 * (strict): nobody healthy is thrown out, and views form one line, but where the
 * majority of a primary view is gone.
 *
 * What is recorded may come from the logs of real processes (sim-log-reader.h),
 * and may be written to such logs.
 *
 * At the end, when faults have ceased and time has passed (liveness): all who are
 * left, and ever met or met somebody who met them, share one view of just them,
 * delivered the same, and their own messages; and if nobody is missing, it is
 * primary.
 */
#pragma once

#include "../../gcp/gcp-engine.h"

G_BEGIN_DECLS

typedef struct _SimHistory SimHistory;

SimHistory *sim_history_new (void);
void sim_history_free (SimHistory *history);

/* Processes count from 0; @id is what views call it. */
guint sim_history_add_process (SimHistory *history, GcpMemberId id);

/* In findings it is called @name (without this: its index), and what is recorded
 * comes from the log @path ... */
void sim_history_set_name (SimHistory *history, guint process,
    const char *name, const char *path);
/* ... and stands there in this line. */
void sim_history_set_line (SimHistory *history, guint process, guint line);

/* Writes logs (sim-log.h) into @directory, one for each process that is added from
 * now on and one for what happens to them. */
typedef gint64 (*SimHistoryClock) (gpointer user_data);

void sim_history_write_logs (SimHistory *history, const char *directory,
    SimHistoryClock clock, gpointer user_data);
/* FALSE: something could not be written. */
gboolean sim_history_close_logs (SimHistory *history, GError **error);

/* @message names a message, never twice. @open: the engine promised that it is
 * sent in the present view. */
void sim_history_sent (SimHistory *history, guint process, guint64 message,
    GcpQuality quality, gboolean open);
/* The message sent last was not, after all. */
void sim_history_refused (SimHistory *history, guint process);
void sim_history_delivered (SimHistory *history, guint process,
    GcpMemberId sender, guint64 message, GcpQuality quality);
void sim_history_view (SimHistory *history, guint process,
    const GcpView *view);
void sim_history_departure (SimHistory *history, guint process,
    GcpMemberId member, GcpDeparture why);
void sim_history_ended (SimHistory *history, guint process,
    GcpEndReason reason);
void sim_history_crashed (SimHistory *history, guint process);
void sim_history_left (SimHistory *history, guint process);     /* asked to */

/* The group's decision to go on without the member. */
void sim_history_put_out (SimHistory *history, GcpMemberId member);

/* NULL: nothing is wrong. Otherwise what is, beginning with the name of the
 * guarantee and a colon. To be freed. */
char *sim_history_check (SimHistory *history, gboolean strict);
char *sim_history_check_liveness (SimHistory *history);

guint sim_history_count_processes (SimHistory *history);
guint sim_history_count_views (SimHistory *history);    /* different ones */
guint sim_history_count_delivered (SimHistory *history);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimHistory, sim_history_free)

G_END_DECLS
