/* bravis-vtkd-private.h: the parts of a BravisVtkd, for its four files
 *
 *   bravis-vtkd.c            life, views, outputs; what comes, to whom it goes
 *   bravis-vtkd-exchange.c   what members say of themselves where somebody is new
 *   bravis-vtkd-keys.c       key changes: the token holder's work, and everybody's
 *   bravis-vtkd-silence.c    members that do not do what all others wait for
 */
#pragma once

#include "bravis-vtkd.h"

G_BEGIN_DECLS

/* A set of members of the view, by their places: who says that something is overdue. */
#define BRAVIS_VTKD_ACCUSER_WORDS (GCP_MAX_MEMBERS / 64)

/* What is known of a member of the view. */
typedef struct {
  GcpMemberId id;
  BravisCard *card;
  BravisShare *share;           /* current */
  BravisSecret *pair;           /* NULL: not derived since a share changed */
  gboolean met;                 /* its VTKD_SHARE or a key change of it was seen:
                                 * from then on @share is what the group agreed on */
  gboolean said;                /* its VTKD_SHARE of this view was delivered */
  gboolean agreed;              /* it once said all there was to say to this member:
                                 * from then on it knows what this one does */
  gboolean said_knows;          /* and this was in it */
  guint64 said_epoch, said_version;
  BravisPolicy said_policy;
  guint64 accusers[BRAVIS_VTKD_ACCUSER_WORDS];  /* that it has not said its share */
} BravisVtkdPeer;

/* See bravis_vtkd_expect (). */
typedef struct {
  GcpMemberId member;
  BravisShare *share;
} BravisVtkdExpectation;

struct _BravisVtkd {
  BravisIdentity *identity;
  char *conference;
  BravisRandom random;
  GcpMemberId self;
  BravisCard *card;             /* own */
  BravisShare *share;           /* own, current */
  BravisSecret *share_key;
  BravisShare *next_share;      /* own, not yet delivered; kept over views, so that
                                 * no serial number is ever given to two shares */
  BravisSecret *next_share_key;

  GcpView *view;                /* NULL: none yet */
  GPtrArray *members;           /* of BravisVtkdPeer, in the view's order */
  GArray *expected;             /* of BravisVtkdExpectation, until the first
                                 * exchange is over */

  /* What all members that know the group agree on. */
  gboolean knows;
  guint64 version;
  guint64 highest;
  BravisPolicy policy;

  gboolean exchanged;           /* every member of the view knows the above */
  gboolean awaiting;            /* a key change is due */
  guint64 n_waits;              /* what has been waited for so far */
  guint64 accusers[BRAVIS_VTKD_ACCUSER_WORDS];  /* that the holder of the present
                                 * version has made no key */
  guint n_complaints;           /* key changes asked for in this view, since the own
                                 * copy was bad */
  BravisCause cause;            /* of that key change */
  BravisEpoch *sent;            /* as holder: what is under way */
  BravisEpoch *epoch;
  GQueue outputs;
};

/* --- bravis-vtkd.c --- */

void bravis_vtkd_push (BravisVtkd *vtkd, BravisVtkdOutput output);
/* Takes @bytes over. */
void bravis_vtkd_multicast (BravisVtkd *vtkd, GBytes *bytes, GcpQuality quality);
/* Takes @error over. */
void bravis_vtkd_push_blame (BravisVtkd *vtkd, GcpMemberId member, GError *error);
/* For what @member sent; this member knows of itself what it sends. Takes @error
 * over. */
void bravis_vtkd_blame (BravisVtkd *vtkd, GcpMemberId member, GError *error);
void bravis_vtkd_blame_literal (BravisVtkd *vtkd, GcpMemberId member,
    BravisError code, const char *message);
BravisVtkdPeer *bravis_vtkd_find_peer (BravisVtkd *vtkd, GcpMemberId id);
/* All wait for something else from now on. */
void bravis_vtkd_wait_anew (BravisVtkd *vtkd);
/* Its current share is @share from now on. */
void bravis_vtkd_set_share (BravisVtkdPeer *peer, const BravisShare *share);

/* --- bravis-vtkd-exchange.c --- */

void bravis_vtkd_say_share (BravisVtkd *vtkd);
void bravis_vtkd_deliver_share (BravisVtkd *vtkd, BravisVtkdPeer *peer,
    GBytes *bytes);
/* It counts as having said its share, with nothing in it. */
void bravis_vtkd_pass_over (BravisVtkd *vtkd, BravisVtkdPeer *peer);
void bravis_vtkd_init_expected (BravisVtkd *vtkd);

/* --- bravis-vtkd-keys.c --- */

/* If this member is the holder, a key change is due, and it is not under way yet. */
void bravis_vtkd_change_key_if_holder (BravisVtkd *vtkd);
void bravis_vtkd_deliver_keys (BravisVtkd *vtkd, BravisVtkdPeer *from,
    GBytes *bytes);
/* The holder did not do its work: the next one does it. */
void bravis_vtkd_pass_token (BravisVtkd *vtkd);

/* --- bravis-vtkd-silence.c --- */

void bravis_vtkd_deliver_overdue (BravisVtkd *vtkd, BravisVtkdPeer *from,
    GBytes *bytes);

G_END_DECLS
