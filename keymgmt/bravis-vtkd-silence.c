#include "bravis-vtkd-private.h"

#include "bravis-vtkd-message.h"

/* --- what this member says --- */

static void
say_overdue (BravisVtkd *vtkd, BravisVtkdOwed owed, guint64 which)
{
  BravisVtkdOverdue message = { gcp_view_get_number (vtkd->view), owed, which };

  bravis_vtkd_multicast (vtkd, bravis_vtkd_overdue_write (&message), GCP_AGREED);
}

void
bravis_vtkd_lose_patience (BravisVtkd *vtkd)
{
  if (!vtkd->awaiting)
    return;
  if (vtkd->exchanged && bravis_vtkd_get_holder (vtkd) != vtkd->self)
    say_overdue (vtkd, BRAVIS_VTKD_OWED_KEYS, vtkd->version);
  for (guint i = 0; !vtkd->exchanged && i < vtkd->members->len; i++) {
    const BravisVtkdPeer *peer = g_ptr_array_index (vtkd->members, i);

    if (!peer->said && peer->id != vtkd->self)
      say_overdue (vtkd, BRAVIS_VTKD_OWED_SHARE, peer->id);
  }
}

/* --- what the others say --- */

/* @from says so of @accused, too; TRUE: more than half of those do that are not
 * @accused themselves. */
static gboolean
accuse (BravisVtkd *vtkd, guint64 *accusers, GcpMemberId from,
    GcpMemberId accused)
{
  guint place = gcp_view_find (vtkd->view, from), n = 0;

  if (from == accused)
    return FALSE;
  accusers[place / 64] |= G_GUINT64_CONSTANT (1) << place % 64;
  for (guint i = 0; i < BRAVIS_VTKD_ACCUSER_WORDS; i++)
    n += __builtin_popcountll (accusers[i]);
  return 2 * n > vtkd->members->len - 1;
}

static void
deliver_share_overdue (BravisVtkd *vtkd, GcpMemberId from, guint64 member)
{
  BravisVtkdPeer *peer = bravis_vtkd_find_peer (vtkd, member);

  if (!vtkd->exchanged && peer && !peer->said
      && accuse (vtkd, peer->accusers, from, member))
    bravis_vtkd_pass_over (vtkd, peer);
}

static void
deliver_keys_overdue (BravisVtkd *vtkd, GcpMemberId from, guint64 version)
{
  GcpMemberId holder = bravis_vtkd_get_holder (vtkd);

  if (holder == GCP_MEMBER_NONE || version != vtkd->version
      || !accuse (vtkd, vtkd->accusers, from, holder))
    return;
  bravis_vtkd_blame_literal (vtkd, holder, BRAVIS_ERROR_PROTOCOL,
      "has the token and made no key in time");
  bravis_vtkd_pass_token (vtkd);
}

void
bravis_vtkd_deliver_overdue (BravisVtkd *vtkd, BravisVtkdPeer *from,
    GBytes *bytes)
{
  BravisVtkdOverdue message;

  if (!bravis_vtkd_overdue_read (&message, bytes)) {
    bravis_vtkd_blame_literal (vtkd, from->id, BRAVIS_ERROR_PROTOCOL,
        "sent a malformed VTKD_OVERDUE");
    return;
  }
  /* It came after all, or a view did. */
  if (message.view != gcp_view_get_number (vtkd->view) || !vtkd->awaiting)
    return;
  if (message.owed == BRAVIS_VTKD_OWED_SHARE)
    deliver_share_overdue (vtkd, from->id, message.which);
  else
    deliver_keys_overdue (vtkd, from->id, message.which);
}
