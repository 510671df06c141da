/* door-rogue.h: one side of a handshake that does not play by the rules
 *
 * Speaks with a peer of door-world.h directly, past the network, and leaves every
 * step to the test: what is proven, by whom, and what is altered before it is sealed.
 */
#pragma once

#include "door-world.h"
#include "../../keymgmt/bravis-fragment.h"

G_BEGIN_DECLS

typedef struct {
  Peer *victim;
  GcpAddress address;           /* where it speaks from */
  BravisHandshake *handshake;
  gboolean has_keys;
} Rogue;

/* Answers the HELLO that @victim sent last with a REPLY, from where it was sent
 * to. @conference: as the rogue believes it to be called. */
Rogue *rogue_answer (Peer *victim, const GcpAddress *address,
    const char *conference);

/* Calls @victim from @address up to its REPLY. Without keys where none came. */
Rogue *rogue_call (Peer *victim, const GcpAddress *address,
    const char *conference);
void rogue_free (Rogue *rogue);

/* The last sealed message of that type that the victim sent, opened; NULL: none. */
GBytes *rogue_open (Rogue *rogue, BravisMessageType type);

/* A proof with @card in it, signed by @signer, whoever the card is of. An invitee
 * looks at the victim's proof first. */
GBytes *rogue_prove (Rogue *rogue, BravisIdentity *signer, BravisCard *card);

/* Seals @message as of the rogue's role and gives it to the victim. */
void rogue_give (Rogue *rogue, BravisMessageType type, GBytes *message);

/* Whether the victim sent a datagram of that type. */
gboolean rogue_got (Rogue *rogue, BravisMessageType type);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rogue, rogue_free)

G_END_DECLS
