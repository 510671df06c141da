/* bravis-vtkd.h: virtual token based key distribution, as a state machine
 *
 * One BravisVtkd is one member's part. It rests on virtual synchrony: it is told
 * of each view and of each of its messages in the group's order, and says what
 * to multicast and which epochs come to be.
 *
 *   token holder   the member at index (version mod n) of the view; the version
 *                  counts the key changes. No message moves the token.
 *   at a view      if it has newcomers, each member says its current share and
 *                  what it knows of version and epochs (VTKD_SHARE, agreed); when
 *                  all have been delivered, everybody knows the same. The holder
 *                  then draws E and multicasts VTKD_KEYS (safe): the epoch's
 *                  number, view and policy, a fresh share of its own, and one
 *                  copy of E for each member, sealed under the pair's key
 *   at delivery    of VTKD_KEYS everybody opens its copy and makes the epoch, if
 *                  it is of the present view and by the present holder;
 *                  otherwise it is dropped
 *   a new view     before that: its holder starts over
 *
 * A holder whose message is faulty in a way that everybody sees loses the token to
 * the next member. A member whose own copy is bad asks for a new key change. A member
 * that keeps silent, says the greater part of the others (VTKD_OVERDUE, agreed), loses
 * the token, or counts as having said its share.
 *
 * A newcomer is given the members' shares before it comes, and verifies them then
 * (bravis_vtkd_expect ()), so that its first key does not wait for that.
 *
 * Pairwise keys come from the two current shares and are kept until one of them
 * changes. The holder's fresh share counts from the key change's delivery on.
 *
 * Message formats: docs/protocol.md, "VTKD".
 */
#pragma once

#include "bravis-epoch.h"

G_BEGIN_DECLS

typedef struct _BravisVtkd BravisVtkd;

typedef enum {
  BRAVIS_VTKD_MULTICAST,        /* send @bytes to the group with @quality */
  BRAVIS_VTKD_EPOCH,            /* @epoch came to be, because of @cause */
  BRAVIS_VTKD_BLAME             /* @member sent what no honest member sends: @error;
                                 * this member itself: it cannot do the holder's work
                                 * (no signature), and must leave */
} BravisVtkdOutputType;

/* Why a key changed. */
typedef enum {
  BRAVIS_CAUSE_START,           /* the conference began */
  BRAVIS_CAUSE_JOIN,
  BRAVIS_CAUSE_LEAVE,           /* left or put out */
  BRAVIS_CAUSE_CRASH,
  BRAVIS_CAUSE_JOIN_AND_LEAVE,
  BRAVIS_CAUSE_REFRESH          /* asked for */
} BravisCause;

const char *bravis_cause_to_string (BravisCause cause);         /* "join" ... */

typedef struct {
  BravisVtkdOutputType type;
  GBytes *bytes;
  GcpQuality quality;
  BravisEpoch *epoch;
  BravisCause cause;
  GcpMemberId member;
  GError *error;
} BravisVtkdOutput;

void bravis_vtkd_output_clear (BravisVtkdOutput *output);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BravisVtkdOutput, bravis_vtkd_output_clear)

/* Takes @own's share key: what a share could open is gone as soon as the next one
 * replaces it. @highest: the highest epoch number that this peer has seen, 0 at
 * first; all that come are higher, unless it is above 2^32 - 1, which only a group that
 * was lied to has. */
BravisVtkd *bravis_vtkd_new (BravisIdentity *identity, const char *conference,
    BravisOwnCard *own, const BravisPolicy *policy, guint64 highest,
    const BravisRandom *random);
void bravis_vtkd_free (BravisVtkd *vtkd);

/* The member, until now in a group of its own, goes into another group: all that
 * was known of the old one is forgotten but the own share and the highest epoch
 * number. */
void bravis_vtkd_restart (BravisVtkd *vtkd);

/* @member has signed @share, as this peer has verified, and may say it when they are
 * in a view together. For who is on its way into a group. */
void bravis_vtkd_expect (BravisVtkd *vtkd, GcpMemberId member,
    const BravisShare *share);

/* A view came, because of @cause (several before the next epoch become one).
 * @cards as in bravis_epoch_new (). */
void bravis_vtkd_view (BravisVtkd *vtkd, GcpView *view, BravisCard *const *cards,
    BravisCause cause);

/* A VTKD message, in the group's order. */
void bravis_vtkd_deliver (BravisVtkd *vtkd, GcpMemberId from, GBytes *message);

/* Asks the holder for a key change (VTKD_REFRESH, agreed). */
void bravis_vtkd_refresh (BravisVtkd *vtkd);

/* What all wait for: another number for each thing, 0 for nothing. Who has waited too
 * long for the same tells the others. */
guint64 bravis_vtkd_get_wait (BravisVtkd *vtkd);
void bravis_vtkd_lose_patience (BravisVtkd *vtkd);

/* For idle moments: derives one pairwise key that a key change may need, so that the
 * change itself finds it there. FALSE: there is nothing to do. The next share is not
 * drawn in advance: who copies this member's state must not find it there. */
gboolean bravis_vtkd_prepare (BravisVtkd *vtkd);

gboolean bravis_vtkd_poll (BravisVtkd *vtkd, BravisVtkdOutput *output);
BravisEpoch *bravis_vtkd_get_epoch (BravisVtkd *vtkd);  /* borrowed; NULL: none yet */

/* The share that @member, of the view, has now. Borrowed; NULL: there is none. */
const BravisShare *bravis_vtkd_get_share (BravisVtkd *vtkd, GcpMemberId member);

/* SHA-256 of the shares that the members of the view have now: for each, in its
 * order, u64 member id | u32 serial | 32 octets share. */
void bravis_vtkd_hash_shares (BravisVtkd *vtkd, guint8 out[BRAVIS_HASH_SIZE]);

/* The highest epoch number seen so far, for the next bravis_vtkd_new (). */
guint64 bravis_vtkd_get_highest (BravisVtkd *vtkd);

/* Who makes the next key; GCP_MEMBER_NONE while that is not known. */
GcpMemberId bravis_vtkd_get_holder (BravisVtkd *vtkd);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisVtkd, bravis_vtkd_free)

G_END_DECLS
