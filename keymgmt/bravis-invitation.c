#include "bravis-invitation.h"

#include <string.h>

struct _BravisInvitations {
  GPtrArray *list;              /* of BravisInvitation */
};

static void
free_invitation (gpointer data)
{
  BravisInvitation *invitation = data;

  g_free (invitation->name);
  g_clear_pointer (&invitation->card, bravis_card_unref);
  g_free (invitation);
}

BravisInvitations *
bravis_invitations_new (void)
{
  BravisInvitations *invitations = g_new (BravisInvitations, 1);

  invitations->list = g_ptr_array_new_with_free_func (free_invitation);
  return invitations;
}

void
bravis_invitations_free (BravisInvitations *invitations)
{
  g_ptr_array_unref (invitations->list);
  g_free (invitations);
}

BravisInvitation *
bravis_invitations_get (BravisInvitations *invitations, guint index)
{
  return index < invitations->list->len
      ? g_ptr_array_index (invitations->list, index) : NULL;
}

BravisInvitation *
bravis_invitations_find (BravisInvitations *invitations, const char *name)
{
  BravisInvitation *invitation;

  for (guint i = 0; (invitation = bravis_invitations_get (invitations, i)); i++)
    if (g_strcmp0 (invitation->name, name) == 0)
      return invitation;
  return NULL;
}

BravisInvitation *
bravis_invitations_find_card (BravisInvitations *invitations, GcpMemberId id)
{
  BravisInvitation *invitation;

  for (guint i = 0; (invitation = bravis_invitations_get (invitations, i)); i++)
    if (invitation->card && invitation->card->id == id)
      return invitation;
  return NULL;
}

BravisInvitation *
bravis_invitations_find_handshake (BravisInvitations *invitations,
    guint64 handshake)
{
  BravisInvitation *invitation;

  for (guint i = 0; (invitation = bravis_invitations_get (invitations, i)); i++)
    if (invitation->state >= BRAVIS_INVITATION_VOTING
        && invitation->handshake == handshake)
      return invitation;
  return NULL;
}

BravisInvitation *
bravis_invitations_add (BravisInvitations *invitations, const char *name,
    const GcpAddress *address, gboolean *moved)
{
  BravisInvitation *invitation = bravis_invitations_find (invitations, name);

  *moved = !invitation || !gcp_address_equal (&invitation->address, address);

  if (!invitation) {
    invitation = g_new0 (BravisInvitation, 1);
    invitation->name = g_strdup (name);
    g_ptr_array_add (invitations->list, invitation);
  }
  invitation->address = *address;
  return invitation;
}

void
bravis_invitations_remove (BravisInvitations *invitations,
    BravisInvitation *invitation)
{
  g_ptr_array_remove (invitations->list, invitation);
}

void
bravis_invitation_show_card (BravisInvitation *invitation, guint64 handshake,
    BravisCard *card, const GcpAddress *seen)
{
  invitation->state = BRAVIS_INVITATION_VOTING;
  invitation->handshake = handshake;
  g_clear_pointer (&invitation->card, bravis_card_unref);
  invitation->card = bravis_card_ref (card);
  invitation->seen = *seen;
}

void
bravis_invitation_wait (BravisInvitation *invitation, gint64 when)
{
  invitation->state = BRAVIS_INVITATION_WAITING;
  invitation->when = when;
  g_clear_pointer (&invitation->card, bravis_card_unref);
}

gboolean
bravis_invitations_are_busy (BravisInvitations *invitations)
{
  BravisInvitation *invitation;

  for (guint i = 0; (invitation = bravis_invitations_get (invitations, i)); i++)
    if (invitation->state >= BRAVIS_INVITATION_VOTING)
      return TRUE;
  return FALSE;
}

gint64
bravis_invitations_deadline (BravisInvitations *invitations)
{
  gint64 deadline = G_MAXINT64;
  BravisInvitation *invitation;

  for (guint i = 0; (invitation = bravis_invitations_get (invitations, i)); i++)
    if (invitation->state != BRAVIS_INVITATION_KNOCKING
        && invitation->state != BRAVIS_INVITATION_WELCOMED)
      deadline = MIN (deadline, invitation->when);
  return deadline;
}
