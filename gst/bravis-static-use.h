/* bravis-static-use.h: keeps a static key from being used twice with one counter
 *
 * A sender that draws its KID has a key of its own and may count from 0. One that
 * was given its KID has the same key as the last one that was given it: it counts
 * on from the clock, in units that no sender can use up as fast as they pass, and,
 * within the process, from where the last one stopped. Two at a time cannot be.
 *
 * This is the one state that all elements of a process share: a nonce that is
 * used twice gives the key away, and the elements cannot see each other.
 */
#pragma once

#include "../keymgmt/bravis-secret.h"

G_BEGIN_DECLS

/* FALSE while another sender of this process has it. */
gboolean bravis_static_use_claim (const BravisSecret *key, guint suite,
    guint64 kid, guint64 *first_counter);
void bravis_static_use_release (const BravisSecret *key, guint suite,
    guint64 kid, guint64 next_counter);

G_END_DECLS
