/* bravis-command.h: what a member says to the group and cannot deny, nor another in
 * its name
 *
 * A group key does not tell members apart, and who orders the group's messages could
 * put words into another's mouth. So votes, a moderator's orders, decisions about the
 * floor, changes of policy, leaving and putting out are commands, which are signed
 * with the certified key of who gives them, and bound to
 *
 *   the conference and the member's id    no other conference, no other member
 *   the view                              no command is given in a later view
 *   a sequence number                     from 1 in each view, one more each time: none
 *                                         is repeated, none of several is left out
 *
 * A command that is not delivered in its view is signed anew for the next one by who
 * gave it: see bravis-conference-commands.c.
 *
 * On the wire: u8 27 | u64 view number | u32 sequence | u8 kind | vector16 body |
 * vector16 signature. The signature is by the certified key, label "command", over
 * vector8 conference | u64 member id | u64 view number | u32 sequence | u8 kind |
 * vector16 body.
 */
#pragma once

#include "bravis-identity.h"
#include "../gcp/gcp-view.h"
#include "../gcp/gcp-wire.h"

G_BEGIN_DECLS

#define BRAVIS_MAX_COMMAND 4096         /* octets of a body */

typedef struct {
  guint64 view;
  guint32 sequence;
  guint8 kind;                  /* BravisCommandKind */
  GBytes *body;                 /* owned */
  GBytes *signature;            /* owned */
} BravisCommand;

/* @command has all but its signature, which is added; NULL: the key cannot sign. */
GBytes *bravis_command_sign (BravisCommand *command, BravisIdentity *identity,
    const char *conference, GcpMemberId self, GError **error);

/* FALSE: malformed; @command is to be cleared all the same. */
gboolean bravis_command_read (BravisCommand *command, GBytes *bytes);

/* That @member, whose certificate it is, gave it in @conference. */
gboolean bravis_command_verify (const BravisCommand *command,
    const char *conference, GcpMemberId member, BravisCertificate *certificate,
    GError **error);
void bravis_command_clear (BravisCommand *command);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BravisCommand, bravis_command_clear)

G_END_DECLS
