/* bravis-link.h: seals what two members say to each other
 *
 * The key of a pair comes from the link keys of their two cards; each direction
 * has its own. A datagram on the wire: u8 193 | u64 sender's member id | u64
 * packet number | AES-256-GCM ciphertext; the header is the associated data and
 * the packet number, padded to 12 octets on the left, the nonce. Packet numbers
 * start at 1 and never repeat; a receiver takes each number once, in a window of
 * 1024.
 */
#pragma once

#include "bravis-card.h"

G_BEGIN_DECLS

typedef struct _BravisLink BravisLink;

#define BRAVIS_LINK_OVERHEAD (1 + 8 + 8 + BRAVIS_TAG_SIZE)

/* NULL where the other's link key is of low order, or the card one's own. */
BravisLink *bravis_link_new (const BravisOwnCard *own, const BravisCard *other);
void bravis_link_free (BravisLink *link);

GBytes *bravis_link_seal (BravisLink *link, gconstpointer data, gsize size);

/* Whom a sealed datagram says it is from; 0 where it is too short. */
GcpMemberId bravis_link_peek_sender (const guint8 *data, gsize size);

/* NULL: forged, altered or replayed. */
GBytes *bravis_link_open (BravisLink *link, const guint8 *data, gsize size);

/* The same with first octet 195, for what travels over a third member. The octet is
 * authenticated, so that who passes it on cannot make it one that came directly,
 * and so that of its sender, to another address. Packet numbers are of one row. */
GBytes *bravis_link_seal_relayed (BravisLink *link, gconstpointer data,
    gsize size);
GBytes *bravis_link_open_relayed (BravisLink *link, const guint8 *data,
    gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisLink, bravis_link_free)

G_END_DECLS
