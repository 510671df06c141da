/* vtkd-group.h: VTKD over a group in memory, for tests
 *
 * It keeps virtual synchrony by construction: one queue is the total order, and a view
 * cuts it at the same place for everybody.
 */
#pragma once

#include "../../keymgmt/bravis-vtkd-message.h"
#include "../../keymgmt/bravis-vtkd.h"
#include "test-pki.h"

G_BEGIN_DECLS

#define VTKD_CONFERENCE "standup"
#define VTKD_N_NAMES 6

typedef struct {
  BravisIdentity *identity;     /* borrowed */
  BravisOwnCard *own;
  BravisSecret *first_key;      /* of its first share: what a thief would have */
  GPtrArray *drawn;             /* of BravisSecret: all that it drew of that size */
  BravisRandom random;
  BravisCard *card;             /* as the others verified it */
  BravisVtkd *vtkd;
  GPtrArray *epochs;            /* of BravisEpoch, as they came */
  GArray *causes;               /* of BravisCause */
  GArray *blamed;               /* of GcpMemberId */
} Member;

typedef struct {
  GcpMemberId from;
  GBytes *bytes;
} Message;

typedef struct {
  GPtrArray *members;           /* of Member, all that ever were */
  GPtrArray *present;           /* of Member, in the view's order; borrowed */
  GcpView *view;
  guint64 view_number;
  GQueue queue;                 /* of Message: the order */
  GPtrArray *key_changes;       /* of GBytes: each VTKD_KEYS that was sent */
} Group;

/* The identities of all members; once, before and after all groups. */
void vtkd_group_begin (void);
void vtkd_group_end (void);
BravisIdentity *vtkd_identity (guint name);

Member *member_new (guint name);
void member_free (Member *member);
void message_free (gpointer message);

/* A group of @n: one that began and the others, who came together. There were two
 * key changes, by members 0 and 1; from three on, 2 has the token and all but 0
 * and 1 have their first share. */
Group *group_of (guint n);
void group_free (Group *group);
Member *at (Group *group, guint index);
Member *group_join (Group *group, guint name);

/* Everybody in @group->present installs the next view. What was not delivered is
 * gone, unless @keep: then its senders send it in the new view. */
void group_view (Group *group, BravisCause cause, gboolean keep);

/* Multicasts @bytes as @member would. */
void group_say (Group *group, Member *member, GBytes *bytes);
void group_poll (Group *group, Member *member);
gboolean group_step (Group *group);     /* delivers one message to all */
void group_run (Group *group);          /* all messages */
void group_refresh (Group *group);      /* member 0 asks for a key change; all of it */

gboolean is_keys (GBytes *bytes);
Member *find_holder (Group *group);
BravisEpoch *last_epoch (Member *member);

/* As the key changes in @group made it. */
BravisShare *current_share (Group *group, Member *member);

void assert_same_key (BravisEpoch *a, BravisEpoch *b);

/* All have the same epoch, and it is of the present view. */
void assert_agreed (Group *group);
void assert_nobody_blamed (Group *group);
void assert_blames (Member *member, Member *whom);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Group, group_free)

G_END_DECLS
