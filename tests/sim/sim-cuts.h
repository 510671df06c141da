/* sim-cuts.h: members of a simulated group that lose each other
 *
 * Pauses, cuts into sides, cuts that work in one direction, broken pairs, and
 * sides that flap; each for some time, several at once. All of it is drawn from
 * the schedule's generator.
 */
#pragma once

#include "sim-group.h"

G_BEGIN_DECLS

typedef struct _SimCuts SimCuts;

/* @random is borrowed, as is @group. */
SimCuts *sim_cuts_new (SimGroup *group, SimRandom *random);
void sim_cuts_free (SimCuts *cuts);

/* Something that some members lose each other by, from now on. */
void sim_cuts_draw (SimCuts *cuts);

/* All hear each other from now on, for good. */
void sim_cuts_heal (SimCuts *cuts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimCuts, sim_cuts_free)

G_END_DECLS
