/* bravis-verification.h: how the members of an epoch come to one verification code
 *
 * People who read the code to each other find out whether somebody stands between
 * them, also somebody whom an authority gave a certificate in their names: such a
 * one is in two epochs, one with each of them. The code is bound to all of an epoch:
 * secret, view, policy, cards, and the shares behind the keys; and to a number that
 * each member draws for it. Nobody can steer it: each member first commits to its
 * number, and shows it only when it holds the commitments of all the others
 * (commit and reveal). So nine digits are enough: who stands between has one chance
 * in 10^9 for each key change.
 *
 *   epoch comes     COMMIT: the hash of a number drawn now
 *   all committed   REVEAL: the number; whoever shows another one than it committed
 *                   to is blamed, and this epoch gets no code
 *   all revealed    the code
 *
 * All of it goes through the group, agreed, so all members see the same in the same
 * order. What is of another epoch is dropped. A next epoch begins anew.
 *
 * One BravisVerification is one member's part, for one epoch. Not thread safe.
 * Message formats: docs/protocol.md, "The verification code".
 */
#pragma once

#include "bravis-group-message.h"

G_BEGIN_DECLS

typedef struct _BravisVerification BravisVerification;

/* @shares: SHA-256 of the members' shares (bravis_vtkd_hash_shares ()). References
 * @epoch. */
BravisVerification *bravis_verification_new (BravisEpoch *epoch,
    const guint8 shares[BRAVIS_HASH_SIZE], const BravisRandom *random);
void bravis_verification_free (BravisVerification *verification);

/* What is to be multicast first. */
void bravis_verification_commit (BravisVerification *verification,
    BravisGroupMessage *message);

typedef enum {
  BRAVIS_VERIFICATION_WAIT,     /* for more */
  BRAVIS_VERIFICATION_REVEAL,   /* multicast @answer */
  BRAVIS_VERIFICATION_DONE,     /* the code is there */
  BRAVIS_VERIFICATION_BLAME     /* @from did not show what it committed to */
} BravisVerificationStep;

/* @message: VERIFY_COMMIT or VERIFY_REVEAL of @from, in the group's order. */
BravisVerificationStep bravis_verification_deliver (
    BravisVerification *verification, GcpMemberId from,
    const BravisGroupMessage *message, BravisGroupMessage *answer);

BravisEpoch *bravis_verification_get_epoch (BravisVerification *verification);

/* "123 456 789"; NULL: not yet. */
const char *bravis_verification_get_code (BravisVerification *verification);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisVerification, bravis_verification_free)

G_END_DECLS
