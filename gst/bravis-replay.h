/* bravis-replay.h: a replay window (RFC 3711 §3.3.2, RFC 6479 in spirit)
 *
 * A sliding bitmap over 64-bit counters. First bravis_replay_check (), then
 * authenticate, then bravis_replay_commit (): a forged frame moves nothing.
 */
#pragma once

#include "bravis-drop.h"

G_BEGIN_DECLS

#define BRAVIS_REPLAY_MAX_WINDOW 32768

typedef struct _BravisReplay BravisReplay;

/* @window: counters behind the newest that are still taken, rounded up to a
 * multiple of 64. */
BravisReplay *bravis_replay_new (guint window);
void bravis_replay_free (BravisReplay *replay);

/* BRAVIS_DROP_NONE, _REPLAYED, or _TOO_OLD: nobody can tell. */
BravisDrop bravis_replay_check (const BravisReplay *replay, guint64 counter);
void bravis_replay_commit (BravisReplay *replay, guint64 counter);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisReplay, bravis_replay_free)

G_END_DECLS
