/* bravis-roster.h: what a newcomer is given about the group it may join
 *
 * Goes in the handshake's WELCOME. Only hints come from the inviter: every card and
 * share is verified by the newcomer itself, and addresses are proven by the links.
 *
 * On the wire: u8 version (1) | policy | u8 number of members | for each, in the
 * view's order, address (bravis-group-message.h) | vector24 card | share, the one
 * it has now. The inviter has no address in it: the newcomer knows where its
 * datagrams come from.
 */
#pragma once

#include "bravis-group-message.h"
#include "bravis-share.h"

G_BEGIN_DECLS

typedef struct {
  GcpAddress address;
  GBytes *card;                 /* owned by the roster */
  BravisShare *share;           /* this, too */
} BravisRosterEntry;

typedef struct {
  BravisPolicy policy;
  GArray *entries;              /* of BravisRosterEntry */
} BravisRoster;

void bravis_roster_init (BravisRoster *roster, const BravisPolicy *policy);
void bravis_roster_add (BravisRoster *roster, const GcpAddress *address,
    GBytes *card, const BravisShare *share);
void bravis_roster_clear (BravisRoster *roster);

GBytes *bravis_roster_write (const BravisRoster *roster);

/* FALSE: malformed; @roster is empty then. */
gboolean bravis_roster_read (BravisRoster *roster, GBytes *bytes);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BravisRoster, bravis_roster_clear)

G_END_DECLS
