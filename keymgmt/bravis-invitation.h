/* bravis-invitation.h: whom this peer wants in, and how far it got with each
 *
 *   WAITING    until @when, to be tried (again)
 *   KNOCKING   the door's handshake is on
 *   VOTING     the invitee showed its card; the group votes about it
 *   WELCOMED   all vouched; it was given the roster
 *   READY      it took the roster and waits for its first view
 *
 * A view that has the invitee ends it. After a view without it the group votes
 * again, from VOTING on.
 */
#pragma once

#include "bravis-card.h"
#include "../gcp/gcp-address.h"

G_BEGIN_DECLS

typedef enum {
  BRAVIS_INVITATION_WAITING,
  BRAVIS_INVITATION_KNOCKING,
  BRAVIS_INVITATION_VOTING,
  BRAVIS_INVITATION_WELCOMED,
  BRAVIS_INVITATION_READY
} BravisInvitationState;

typedef struct {
  char *name;
  GcpAddress address;
  BravisInvitationState state;
  gint64 when;                  /* WAITING: try then; VOTING, READY: give up then */
  guint tries;                  /* that ended in nothing so far */
  guint64 handshake;            /* from VOTING on */
  BravisCard *card;             /* from VOTING on */
  GcpAddress seen;              /* the invitee's address, from VOTING on */
} BravisInvitation;

typedef struct _BravisInvitations BravisInvitations;

BravisInvitations *bravis_invitations_new (void);
void bravis_invitations_free (BravisInvitations *invitations);

/* The one of @name, new (WAITING for nothing) or known; its address is set. @moved: it
 * had another, or none. */
BravisInvitation *bravis_invitations_add (BravisInvitations *invitations,
    const char *name, const GcpAddress *address, gboolean *moved);
BravisInvitation *bravis_invitations_find (BravisInvitations *invitations,
    const char *name);
BravisInvitation *bravis_invitations_find_card (BravisInvitations *invitations,
    GcpMemberId id);
BravisInvitation *bravis_invitations_find_handshake (
    BravisInvitations *invitations, guint64 handshake);
BravisInvitation *bravis_invitations_get (BravisInvitations *invitations,
    guint index);
void bravis_invitations_remove (BravisInvitations *invitations,
    BravisInvitation *invitation);

void bravis_invitation_show_card (BravisInvitation *invitation,
    guint64 handshake, BravisCard *card, const GcpAddress *seen);
void bravis_invitation_wait (BravisInvitation *invitation, gint64 when);

/* Whether somebody is on its way in. */
gboolean bravis_invitations_are_busy (BravisInvitations *invitations);

/* When the first of them has to be looked at; G_MAXINT64: never. */
gint64 bravis_invitations_deadline (BravisInvitations *invitations);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisInvitations, bravis_invitations_free)

G_END_DECLS
