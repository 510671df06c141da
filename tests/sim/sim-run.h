/* sim-run.h: many schedules, one after the other
 *
 * Whatever goes wrong is said with how to see it again, also where the process
 * dies of it.
 */
#pragma once

#include "sim-group.h"

G_BEGIN_DECLS

/* From now on, if an assertion fails or memory is misused in a schedule, the
 * schedule is named on standard error. */
void sim_run_name_what_dies (void);

/* NULL: nothing was wrong. Otherwise what was, and how to replay it. */
char *sim_run_schedule (guint64 seed, SimScheduleKind kind);

G_END_DECLS
