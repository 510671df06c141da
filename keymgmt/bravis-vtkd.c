#include "bravis-vtkd-private.h"

#include "bravis-vtkd-message.h"

#include <string.h>

static const char *const causes[] = {
  [BRAVIS_CAUSE_START] = "start",
  [BRAVIS_CAUSE_JOIN] = "join",
  [BRAVIS_CAUSE_LEAVE] = "leave",
  [BRAVIS_CAUSE_CRASH] = "crash",
  [BRAVIS_CAUSE_JOIN_AND_LEAVE] = "join-and-leave",
  [BRAVIS_CAUSE_REFRESH] = "refresh",
};

const char *
bravis_cause_to_string (BravisCause cause)
{
  g_return_val_if_fail ((guint) cause < G_N_ELEMENTS (causes), NULL);
  return causes[cause];
}

static gboolean
cause_is_loss (BravisCause cause)
{
  return cause == BRAVIS_CAUSE_LEAVE || cause == BRAVIS_CAUSE_CRASH;
}

/* What two changes are together that end in one key change. */
static BravisCause
merge_causes (BravisCause a, BravisCause b)
{
  if (a == b)
    return a;
  if (a == BRAVIS_CAUSE_REFRESH || a == BRAVIS_CAUSE_START)
    return b;
  if (b == BRAVIS_CAUSE_REFRESH || b == BRAVIS_CAUSE_START)
    return a;
  if (cause_is_loss (a) && cause_is_loss (b))
    return BRAVIS_CAUSE_CRASH;
  return BRAVIS_CAUSE_JOIN_AND_LEAVE;
}

/* --- outputs --- */

void
bravis_vtkd_output_clear (BravisVtkdOutput *output)
{
  g_clear_pointer (&output->bytes, g_bytes_unref);
  g_clear_pointer (&output->epoch, bravis_epoch_unref);
  g_clear_error (&output->error);
}

static void
free_output (gpointer output)
{
  bravis_vtkd_output_clear (output);
  g_free (output);
}

void
bravis_vtkd_push (BravisVtkd *vtkd, BravisVtkdOutput output)
{
  g_queue_push_tail (&vtkd->outputs, g_memdup2 (&output, sizeof output));
}

void
bravis_vtkd_multicast (BravisVtkd *vtkd, GBytes *bytes, GcpQuality quality)
{
  bravis_vtkd_push (vtkd, (BravisVtkdOutput) { .type = BRAVIS_VTKD_MULTICAST,
      .bytes = bytes, .quality = quality });
}

void
bravis_vtkd_push_blame (BravisVtkd *vtkd, GcpMemberId member, GError *error)
{
  bravis_vtkd_push (vtkd, (BravisVtkdOutput) { .type = BRAVIS_VTKD_BLAME,
      .member = member, .error = error });
}

void
bravis_vtkd_blame (BravisVtkd *vtkd, GcpMemberId member, GError *error)
{
  if (member == vtkd->self)
    g_error_free (error);
  else
    bravis_vtkd_push_blame (vtkd, member, error);
}

void
bravis_vtkd_blame_literal (BravisVtkd *vtkd, GcpMemberId member, BravisError code,
    const char *message)
{
  bravis_vtkd_blame (vtkd, member, g_error_new_literal (BRAVIS_ERROR, code, message));
}

gboolean
bravis_vtkd_poll (BravisVtkd *vtkd, BravisVtkdOutput *output)
{
  g_autofree BravisVtkdOutput *first = g_queue_pop_head (&vtkd->outputs);

  if (!first)
    return FALSE;
  *output = *first;
  return TRUE;
}

/* --- members --- */

static void
free_peer (gpointer data)
{
  BravisVtkdPeer *peer = data;

  bravis_card_unref (peer->card);
  bravis_share_free (peer->share);
  g_clear_pointer (&peer->pair, bravis_secret_unref);
  g_free (peer);
}

BravisVtkdPeer *
bravis_vtkd_find_peer (BravisVtkd *vtkd, GcpMemberId id)
{
  for (guint i = 0; i < vtkd->members->len; i++) {
    BravisVtkdPeer *peer = g_ptr_array_index (vtkd->members, i);

    if (peer->id == id)
      return peer;
  }
  return NULL;
}

void
bravis_vtkd_set_share (BravisVtkdPeer *peer, const BravisShare *share)
{
  if (bravis_share_equal (peer->share, share))
    return;
  bravis_share_free (peer->share);
  peer->share = bravis_share_copy (share);
  g_clear_pointer (&peer->pair, bravis_secret_unref);
}

/* --- a view --- */

/* Takes over the members of @view; returns whether somebody is new. */
static gboolean
take_members (BravisVtkd *vtkd, GcpView *view, BravisCard *const *cards)
{
  guint n_members = gcp_view_get_n_members (view);
  g_autoptr (GPtrArray) old = g_steal_pointer (&vtkd->members);
  gboolean newcomers = FALSE;

  vtkd->members = g_ptr_array_new_full (n_members, free_peer);
  for (guint i = 0; i < n_members; i++) {
    GcpMemberId id = gcp_view_get_member (view, i)->id;
    BravisVtkdPeer *peer = NULL;

    for (guint j = 0; j < old->len && !peer; j++)
      if (((BravisVtkdPeer *) g_ptr_array_index (old, j))->id == id)
        peer = g_ptr_array_steal_index_fast (old, j);
    if (!peer) {
      newcomers = TRUE;
      peer = g_new0 (BravisVtkdPeer, 1);
      peer->id = id;
      peer->card = bravis_card_ref (cards[i]);
      peer->share = bravis_share_copy (id == vtkd->self
          ? vtkd->share : cards[i]->share);
    }
    peer->said = FALSE;
    memset (peer->accusers, 0, sizeof peer->accusers);
    g_ptr_array_add (vtkd->members, peer);
  }
  return newcomers;
}

void
bravis_vtkd_view (BravisVtkd *vtkd, GcpView *view, BravisCard *const *cards,
    BravisCause cause)
{
  gboolean newcomers;

  g_return_if_fail (gcp_view_contains (view, vtkd->self));

  newcomers = take_members (vtkd, view, cards);
  g_clear_pointer (&vtkd->view, gcp_view_unref);
  vtkd->view = gcp_view_ref (view);
  g_clear_pointer (&vtkd->sent, bravis_epoch_unref);
  vtkd->cause = vtkd->awaiting ? merge_causes (vtkd->cause, cause) : cause;
  vtkd->awaiting = TRUE;
  vtkd->n_complaints = 0;
  bravis_vtkd_wait_anew (vtkd);

  /* Who comes from the last view knows what its members know, if they had told
   * each other all there; whether they had is known alike, too. */
  if (newcomers)
    vtkd->exchanged = FALSE;
  if (vtkd->exchanged)
    bravis_vtkd_change_key_if_holder (vtkd);
  else
    bravis_vtkd_say_share (vtkd);
}

void
bravis_vtkd_wait_anew (BravisVtkd *vtkd)
{
  vtkd->n_waits++;
  memset (vtkd->accusers, 0, sizeof vtkd->accusers);
}

guint64
bravis_vtkd_get_wait (BravisVtkd *vtkd)
{
  return vtkd->awaiting ? vtkd->n_waits : 0;
}

/* --- VTKD_REFRESH --- */

void
bravis_vtkd_refresh (BravisVtkd *vtkd)
{
  if (vtkd->view && !vtkd->awaiting)
    bravis_vtkd_multicast (vtkd,
        bravis_vtkd_refresh_write (gcp_view_get_number (vtkd->view)),
        GCP_AGREED);
}

static void
deliver_refresh (BravisVtkd *vtkd, BravisVtkdPeer *from, GBytes *bytes)
{
  guint64 view;

  if (!bravis_vtkd_refresh_read (&view, bytes)) {
    bravis_vtkd_blame_literal (vtkd, from->id, BRAVIS_ERROR_PROTOCOL,
        "sent a malformed VTKD_REFRESH");
    return;
  }
  /* After a view, or with a change under way, a fresh key comes anyway. */
  if (view != gcp_view_get_number (vtkd->view) || vtkd->awaiting)
    return;
  vtkd->awaiting = TRUE;
  vtkd->cause = BRAVIS_CAUSE_REFRESH;
  bravis_vtkd_wait_anew (vtkd);
  bravis_vtkd_change_key_if_holder (vtkd);
}

void
bravis_vtkd_deliver (BravisVtkd *vtkd, GcpMemberId from, GBytes *message)
{
  BravisVtkdPeer *peer = bravis_vtkd_find_peer (vtkd, from);
  GcpReader reader;

  if (!peer)
    return;
  gcp_reader_init_bytes (&reader, message);
  switch (gcp_read_u8 (&reader)) {
    case BRAVIS_VTKD_SHARE:
      bravis_vtkd_deliver_share (vtkd, peer, message);
      break;
    case BRAVIS_VTKD_KEYS:
      bravis_vtkd_deliver_keys (vtkd, peer, message);
      break;
    case BRAVIS_VTKD_REFRESH:
      deliver_refresh (vtkd, peer, message);
      break;
    case BRAVIS_VTKD_OVERDUE:
      bravis_vtkd_deliver_overdue (vtkd, peer, message);
      break;
    default:
      bravis_vtkd_blame_literal (vtkd, from, BRAVIS_ERROR_PROTOCOL,
          "sent an unknown VTKD message");
  }
}

/* --- life --- */

BravisVtkd *
bravis_vtkd_new (BravisIdentity *identity, const char *conference,
    BravisOwnCard *own, const BravisPolicy *policy, guint64 highest,
    const BravisRandom *random)
{
  BravisVtkd *vtkd;

  g_return_val_if_fail (own->share_key != NULL, NULL);

  vtkd = g_new0 (BravisVtkd, 1);
  vtkd->identity = bravis_identity_ref (identity);
  vtkd->conference = g_strdup (conference);
  vtkd->random = *random;
  vtkd->self = own->card->id;
  vtkd->card = bravis_card_ref (own->card);
  vtkd->share = bravis_share_copy (own->card->share);
  vtkd->share_key = g_steal_pointer (&own->share_key);
  vtkd->policy = *policy;
  vtkd->highest = highest;
  vtkd->members = g_ptr_array_new_with_free_func (free_peer);
  bravis_vtkd_init_expected (vtkd);
  g_queue_init (&vtkd->outputs);
  return vtkd;
}

void
bravis_vtkd_restart (BravisVtkd *vtkd)
{
  g_queue_clear_full (&vtkd->outputs, free_output);
  g_ptr_array_set_size (vtkd->members, 0);
  g_array_set_size (vtkd->expected, 0);
  g_clear_pointer (&vtkd->view, gcp_view_unref);
  g_clear_pointer (&vtkd->sent, bravis_epoch_unref);
  g_clear_pointer (&vtkd->epoch, bravis_epoch_unref);
  vtkd->knows = FALSE;
  vtkd->version = 0;
  vtkd->exchanged = FALSE;
  vtkd->awaiting = FALSE;
}

void
bravis_vtkd_free (BravisVtkd *vtkd)
{
  bravis_vtkd_restart (vtkd);
  g_ptr_array_unref (vtkd->members);
  g_array_unref (vtkd->expected);
  bravis_card_unref (vtkd->card);
  bravis_share_free (vtkd->share);
  bravis_secret_unref (vtkd->share_key);
  g_clear_pointer (&vtkd->next_share, bravis_share_free);
  g_clear_pointer (&vtkd->next_share_key, bravis_secret_unref);
  bravis_identity_unref (vtkd->identity);
  g_free (vtkd->conference);
  g_free (vtkd);
}

BravisEpoch *
bravis_vtkd_get_epoch (BravisVtkd *vtkd)
{
  return vtkd->epoch;
}

const BravisShare *
bravis_vtkd_get_share (BravisVtkd *vtkd, GcpMemberId member)
{
  BravisVtkdPeer *peer = bravis_vtkd_find_peer (vtkd, member);

  return peer ? peer->share : NULL;
}

void
bravis_vtkd_hash_shares (BravisVtkd *vtkd, guint8 out[BRAVIS_HASH_SIZE])
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  for (guint i = 0; i < vtkd->members->len; i++) {
    const BravisVtkdPeer *peer = g_ptr_array_index (vtkd->members, i);

    gcp_write_u64 (&writer, peer->id);
    gcp_write_u32 (&writer, peer->share->serial);
    gcp_write_bytes (&writer, peer->share->public_key, BRAVIS_X25519_SIZE);
  }
  bravis_sha256 (writer.array->data, writer.array->len, out);
}

guint64
bravis_vtkd_get_highest (BravisVtkd *vtkd)
{
  return vtkd->highest;
}
