/* bravis-card.h: what a member shows to the others: the card
 *
 * A card says who a member is and how to talk to it in secret: its certificate
 * chain, its link key (X25519, one for each incarnation) and its first share,
 * signed as a whole with the certified key. It never changes while the member is in;
 * later shares are signed over its digest. Every member verifies every other member's
 * card itself; nobody has to be believed. It also says when it was made: cards are
 * seen by many, and one of a peer's past must not take the place of what the peer is
 * now.
 *
 * On the wire: u8 version (1) | vector8 conference | u64 member id | u64 made |
 * 32 octets link key | 32 octets first share | vector24 chain | vector16 signature
 * (label "card", over all that stands before it).
 */
#pragma once

#include "bravis-share.h"

G_BEGIN_DECLS

typedef struct {
  GBytes *bytes;                /* as on the wire */
  GcpMemberId id;
  guint64 made;                 /* s since 1970, by its owner's clock */
  guint8 link_key[BRAVIS_X25519_SIZE];
  BravisShare *share;           /* the first */
  BravisCertificate *certificate;       /* verified; NULL in one's own */
  GBytes *chain;                /* as on the wire */
  char *name;
  guint8 digest[BRAVIS_HASH_SIZE];      /* SHA-256 of @bytes */
} BravisCard;

/* One's own card, with the private halves of what it shows. */
typedef struct {
  BravisCard *card;
  BravisSecret *link_key;
  BravisSecret *share_key;
} BravisOwnCard;

/* A new incarnation of a peer: draws member id, link key and first share. @made: s
 * since 1970. */
BravisOwnCard *bravis_own_card_new (BravisIdentity *identity,
    const char *conference, gint64 made, const BravisRandom *random,
    GError **error);
void bravis_own_card_free (BravisOwnCard *own);

/* Parses and verifies: format, conference, chain, signature. */
BravisCard *bravis_card_verify (GBytes *bytes, BravisIdentity *identity,
    const char *conference, gint64 wall_clock, GError **error);

/* A card, and the share that its member is said to have now: one signature, that of
 * the later of the two, is proof of both. */
BravisCard *bravis_card_verify_with_share (GBytes *bytes,
    const BravisShare *share, BravisIdentity *identity, const char *conference,
    gint64 wall_clock, GError **error);

/* Whether @share is one of the member whose verified @card this is. */
gboolean bravis_card_verify_share (const BravisCard *card,
    const BravisShare *share, GError **error);

/* The chain in a card that nobody has verified. NULL: malformed. */
GBytes *bravis_card_read_chain (GBytes *bytes);
BravisCard *bravis_card_ref (BravisCard *card);
void bravis_card_unref (BravisCard *card);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisOwnCard, bravis_own_card_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisCard, bravis_card_unref)

G_END_DECLS
