#include "bravis-vtkd-private.h"

#include "bravis-vtkd-message.h"

/* The number that others have to go on from, as far as this one can ask it of them. */
static guint64
get_own_number (BravisVtkd *vtkd)
{
  return vtkd->knows ? vtkd->highest : MIN (vtkd->highest, G_MAXUINT32);
}

void
bravis_vtkd_say_share (BravisVtkd *vtkd)
{
  BravisVtkdShare message = {
    .view = gcp_view_get_number (vtkd->view),
    .knows = vtkd->knows,
    .epoch = get_own_number (vtkd),
    .version = vtkd->version,
    .policy = vtkd->policy,
    .share = vtkd->share,
  };

  bravis_vtkd_multicast (vtkd, bravis_vtkd_share_write (&message), GCP_AGREED);
}

/* What @peer says of epochs counts, beside what the first says: not a number that
 * would leave no room. */
static gboolean
may_raise (const BravisVtkdPeer *peer)
{
  return peer->said_epoch <= G_MAXUINT32;
}

/* Everybody has said what it knows. Newcomers stand behind all others in the view,
 * so the first that says it knows is not one of them. Where several parts of the
 * group come together, each with epochs of its own, all go on from the greatest
 * numbers, with the policy of the first. */
static void
finish_exchange (BravisVtkd *vtkd)
{
  BravisVtkdPeer *first = g_ptr_array_index (vtkd->members, 0);
  /* Whatever was made of its own words on their way: no number comes again. */
  guint64 known = get_own_number (vtkd);

  for (guint i = 0; i < vtkd->members->len; i++) {
    BravisVtkdPeer *peer = g_ptr_array_index (vtkd->members, i);

    if (peer->said_knows) {
      first = peer;
      break;
    }
  }
  vtkd->version = first->said_version;
  vtkd->policy = first->said_policy;
  vtkd->highest = MAX (known, first->said_epoch);
  vtkd->knows = TRUE;
  for (guint i = 0; i < vtkd->members->len; i++) {
    BravisVtkdPeer *peer = g_ptr_array_index (vtkd->members, i);

    peer->agreed = TRUE;
    if (!may_raise (peer))
      continue;
    vtkd->highest = MAX (vtkd->highest, peer->said_epoch);
    if (peer->said_knows)
      vtkd->version = MAX (vtkd->version, peer->said_version);
  }
  vtkd->exchanged = TRUE;
  bravis_vtkd_wait_anew (vtkd);
  g_array_set_size (vtkd->expected, 0);
  bravis_vtkd_change_key_if_holder (vtkd);
}

static void
clear_expectation (gpointer data)
{
  BravisVtkdExpectation *expectation = data;

  bravis_share_free (expectation->share);
}

void
bravis_vtkd_init_expected (BravisVtkd *vtkd)
{
  vtkd->expected = g_array_new (FALSE, FALSE, sizeof (BravisVtkdExpectation));
  g_array_set_clear_func (vtkd->expected, clear_expectation);
}

void
bravis_vtkd_expect (BravisVtkd *vtkd, GcpMemberId member,
    const BravisShare *share)
{
  BravisVtkdExpectation expectation = { member, bravis_share_copy (share) };

  g_array_append_val (vtkd->expected, expectation);
}

static gboolean
is_expected (BravisVtkd *vtkd, const BravisVtkdPeer *peer, const BravisShare *share)
{
  for (guint i = 0; i < vtkd->expected->len; i++) {
    BravisVtkdExpectation *expectation = &g_array_index (vtkd->expected,
        BravisVtkdExpectation, i);

    if (expectation->member == peer->id)
      return bravis_share_equal (expectation->share, share);
  }
  return FALSE;
}

/* Old members and newcomers must go on with the same share of everybody, also of
 * a member that lies: the one it said, if it signed it; else that of its card. What
 * a liar says of itself harms nobody else. NULL: it said none. */
static void
take_said_share (BravisVtkd *vtkd, BravisVtkdPeer *peer, const BravisShare *share)
{
  g_autoptr (GError) error = NULL;

  if (peer->id == vtkd->self
      || (share && bravis_share_equal (peer->share, share)))
    return;
  if (!share) {
    bravis_vtkd_set_share (peer, peer->card->share);
  } else if (!is_expected (vtkd, peer, share)
      && !bravis_card_verify_share (peer->card, share, &error)) {
    bravis_vtkd_blame (vtkd, peer->id, g_steal_pointer (&error));
    bravis_vtkd_set_share (peer, peer->card->share);
  } else {
    if (peer->met)
      bravis_vtkd_blame_literal (vtkd, peer->id, BRAVIS_ERROR_PROTOCOL,
          "says another share than the group knows");
    bravis_vtkd_set_share (peer, share);
  }
}

static void
check_said_state (BravisVtkd *vtkd, BravisVtkdPeer *peer)
{
  gboolean differs = peer->said_epoch != vtkd->highest
      || peer->said_version != vtkd->version
      || !bravis_policy_equal (&peer->said_policy, &vtkd->policy);

  if (!vtkd->knows || !peer->said_knows || !differs
      || (!peer->agreed && may_raise (peer)))
    return;
  bravis_vtkd_blame_literal (vtkd, peer->id, BRAVIS_ERROR_PROTOCOL,
      "says another state of the group than it has");
  if (!peer->agreed)
    return;
  peer->said_epoch = vtkd->highest;
  peer->said_version = vtkd->version;
  peer->said_policy = vtkd->policy;
}

/* NULL: @peer counts as having said that it knows nothing, so that it stops nobody. */
static void
take_said (BravisVtkd *vtkd, BravisVtkdPeer *peer, const BravisVtkdShare *message)
{
  peer->said = TRUE;
  peer->said_knows = message && message->knows;
  peer->said_epoch = message ? message->epoch : 0;
  peer->said_version = message ? message->version : 0;
  if (message)
    peer->said_policy = message->policy;
  else
    bravis_policy_init (&peer->said_policy);

  take_said_share (vtkd, peer, message ? message->share : NULL);
  check_said_state (vtkd, peer);
  peer->met = TRUE;

  for (guint i = 0; i < vtkd->members->len; i++)
    if (!((BravisVtkdPeer *) g_ptr_array_index (vtkd->members, i))->said)
      return;
  finish_exchange (vtkd);
}

void
bravis_vtkd_deliver_share (BravisVtkd *vtkd, BravisVtkdPeer *peer, GBytes *bytes)
{
  g_auto (BravisVtkdShare) message = { 0 };
  gboolean good = bravis_vtkd_share_read (&message, bytes);

  /* From a view before: its sender says it anew in this one. */
  if (good && message.view != gcp_view_get_number (vtkd->view))
    return;
  if (vtkd->exchanged || peer->said)
    return;
  if (!good)
    bravis_vtkd_blame_literal (vtkd, peer->id, BRAVIS_ERROR_PROTOCOL,
        "sent a malformed VTKD_SHARE");
  take_said (vtkd, peer, good ? &message : NULL);
}

void
bravis_vtkd_pass_over (BravisVtkd *vtkd, BravisVtkdPeer *peer)
{
  /* If that is this member itself, nobody can tell it anything in secret any more. */
  bravis_vtkd_push_blame (vtkd, peer->id, g_error_new_literal (BRAVIS_ERROR,
      BRAVIS_ERROR_PROTOCOL, "did not say its share in time"));
  take_said (vtkd, peer, NULL);
}
