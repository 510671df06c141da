/* sim-log-replay.h: a schedule once more, judged by the logs that it leaves */
#pragma once

#include "sim-group.h"

G_BEGIN_DECLS

/* A directory for the logs of a test. */
char *sim_log_replay_make_directory (void);
/* ... goes with all that is in it. */
void sim_log_replay_remove_directory (const char *directory);

/* Asserts that the logs of the schedule, read back, are judged as the schedule
 * itself was: @wrong (NULL: nothing). */
void sim_log_replay_assert (guint64 seed, SimScheduleKind kind,
    const char *wrong);

G_END_DECLS
