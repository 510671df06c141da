/* sim-group.h: a group of GCP engines on a simulated network, with a history
 *
 * A schedule is everything that happens in one run, drawn from one seed: the
 * network's conditions, who sends what and when, who joins, leaves, crashes or is
 * put out, and for some kinds also who is paused or cut off.
 */
#pragma once

#include "sim-history.h"
#include "sim-network.h"

G_BEGIN_DECLS

#define SIM_GROUP_MAX 64

typedef enum {
  SIM_SCHEDULE_CRASHES,         /* crashes, joins, leaves, decisions; any loss */
  SIM_SCHEDULE_PARTITIONS       /* also pauses and cuts: members lose each other */
} SimScheduleKind;

typedef struct _SimGroup SimGroup;

SimGroup *sim_group_new (guint64 seed, const SimConditions *conditions,
    const GcpConfig *config);
void sim_group_free (SimGroup *group);

/* Called with every delivery, after it was recorded. */
typedef void (*SimDeliveredFunc) (SimGroup *group, guint process,
    guint64 message, gpointer user_data);

void sim_group_set_delivered_func (SimGroup *group, SimDeliveredFunc func,
    gpointer user_data);

/* Everything that happens is written to logs (sim-log.h) in @directory, which the
 * checker can read. To be called before there are processes. */
void sim_group_write_logs (SimGroup *group, const char *directory);

/* Everything that happens is printed. */
void sim_group_set_trace (SimGroup *group, gboolean trace);

SimNetwork *sim_group_get_network (SimGroup *group);
SimHistory *sim_group_get_history (SimGroup *group);

/* Returns the index of the process. */
guint sim_group_found (SimGroup *group);

/* A new process that @inviter (or another member, if that is gone) has the group
 * take in; with SIM_GROUP_MAX processes, nothing. */
gint sim_group_join (SimGroup *group, guint inviter);

/* Returns the message's number; 0: not a member now, or no room. */
guint64 sim_group_multicast (SimGroup *group, guint process, GcpQuality quality,
    gsize size);
guint64 sim_group_get_last_message (SimGroup *group);
void sim_group_leave (SimGroup *group, guint process);
void sim_group_crash (SimGroup *group, guint process);

/* Crashes as soon as this comes out of the engine, before anything else does: what
 * the process saw then, nobody hears of. */
void sim_group_crash_at (SimGroup *group, guint process,
    GcpOutputType type);        /* GCP_OUTPUT_VIEW or _DELIVER */

/* Has the group decide to go on without @member. */
void sim_group_put_out (SimGroup *group, guint by, guint member);

GcpEngine *sim_group_get_engine (SimGroup *group, guint process);
GcpMemberId sim_group_get_id (SimGroup *group, guint process);
guint sim_group_count (SimGroup *group);
gboolean sim_group_is_member (SimGroup *group, guint process);
GcpView *sim_group_get_view (SimGroup *group, guint process);
gboolean sim_group_has_ended (SimGroup *group, guint process,
    GcpEndReason *reason);

void sim_group_run (SimGroup *group, gint64 microseconds);

/* A group of @n with the defaults and seed 1, ten seconds after it was founded. */
SimGroup *sim_group_gather (const SimConditions *conditions, guint n);

/* Neither with its history, where members do not leave without a reason, nor with
 * where all are at the end. */
void sim_group_assert_nothing_is_wrong (SimGroup *group);

/* Runs a whole schedule. NULL: nothing was wrong. With @logs, a directory, its
 * history is left there. */
char *sim_schedule_run (guint64 seed, SimScheduleKind kind, gboolean trace,
    const char *logs);

/* What is wrong with the history of a schedule that is over. */
char *sim_schedule_judge (SimHistory *history, SimScheduleKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimGroup, sim_group_free)

G_END_DECLS
