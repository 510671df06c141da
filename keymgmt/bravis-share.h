/* bravis-share.h: a member's current X25519 share
 *
 * On the wire: u32 serial | 32 octets public key | vector16 signature.
 * Serials start at 1 and grow by one with each new share of that member. The first
 * share is in the member's card (bravis-card.h), whose signature is its, too: its own
 * is empty. A later one's is by the member's certified key, label "share", over
 * 32 octets digest of the card | u32 serial | 32 octets public key. So who has
 * verified a later share knows that the card is that member's, all of it.
 */
#pragma once

#include "bravis-identity.h"
#include "../gcp/gcp-view.h"
#include "../gcp/gcp-wire.h"

G_BEGIN_DECLS

#define BRAVIS_FIRST_SHARE 1    /* its serial */

typedef struct {
  guint32 serial;
  guint8 public_key[BRAVIS_X25519_SIZE];
  GBytes *signature;            /* empty: the first */
} BravisShare;

/* A member's first one; its private half goes to @private_key. */
BravisShare *bravis_share_new_first (const BravisRandom *random,
    BravisSecret **private_key);
/* The same, of which a card shows @public_key. */
BravisShare *bravis_share_new_of_card (
    const guint8 public_key[BRAVIS_X25519_SIZE]);

/* A later one of the member whose @identity and @card_digest these are. */
BravisShare *bravis_share_new (BravisIdentity *identity,
    const guint8 card_digest[BRAVIS_HASH_SIZE], guint32 serial,
    const BravisRandom *random, BravisSecret **private_key, GError **error);
BravisShare *bravis_share_copy (const BravisShare *share);
void bravis_share_free (BravisShare *share);
gboolean bravis_share_equal (const BravisShare *a, const BravisShare *b);

void bravis_share_write (const BravisShare *share, GcpWriter *writer);
BravisShare *bravis_share_read (GcpReader *reader);     /* NULL: reader failed */

/* A later share; of any, see bravis_card_verify_share (). */
gboolean bravis_share_verify (const BravisShare *share,
    const guint8 card_digest[BRAVIS_HASH_SIZE], BravisCertificate *certificate,
    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisShare, bravis_share_free)

G_END_DECLS
