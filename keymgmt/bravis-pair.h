/* bravis-pair.h: what two members alone can read: pairwise keys and copies
 *
 * A pair of members has a key from the two shares that are current:
 *   prk      = HKDF-Extract ("", X25519 (share of one, share of the other))
 *   pair key = expand_label (prk, "pair", vector8 conference | lower member's
 *              u64 id | u32 serial | 32 octets share | higher member's, the same)
 * The epoch secret goes to a member as a copy of 48 octets, AES-256-GCM with a
 * nonce of zeros under a key that is used for this one copy:
 *   copy key = expand_label (pair key, "copy", 32 octets digest | u64 from |
 *              u64 to)
 * The digest is of the header of the key change, which holds view, version, epoch
 * number and the epoch's confirmation value; that one depends on the secret itself.
 * So two different secrets never meet the same key, not even by a faulty holder.
 */
#pragma once

#include "bravis-share.h"

G_BEGIN_DECLS

#define BRAVIS_COPY_SIZE (BRAVIS_KEY_SIZE + BRAVIS_TAG_SIZE)

/* The key of @self and @other. NULL where the other's share is of low order. */
BravisSecret *bravis_pair_key_new (const char *conference, GcpMemberId self,
    const BravisShare *own_share, const BravisSecret *own_key,
    GcpMemberId other, const BravisShare *other_share);

void bravis_pair_seal (const BravisSecret *pair,
    const guint8 digest[BRAVIS_HASH_SIZE], GcpMemberId from, GcpMemberId to,
    const BravisSecret *secret, guint8 copy[BRAVIS_COPY_SIZE]);

/* NULL: not sealed by @from for @to with this digest. */
BravisSecret *bravis_pair_open (const BravisSecret *pair,
    const guint8 digest[BRAVIS_HASH_SIZE], GcpMemberId from, GcpMemberId to,
    const guint8 copy[BRAVIS_COPY_SIZE]);

G_END_DECLS
