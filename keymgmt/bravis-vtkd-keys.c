#include "bravis-vtkd-private.h"

#include "bravis-pair.h"
#include "bravis-vtkd-message.h"

#include <string.h>

/* NULL: the other's share is of low order, nothing can be said to it. */
static BravisSecret *
get_pair (BravisVtkd *vtkd, BravisVtkdPeer *peer)
{
  if (!peer->pair)
    peer->pair = bravis_pair_key_new (vtkd->conference, vtkd->self,
        vtkd->share, vtkd->share_key, peer->id, peer->share);
  return peer->pair;
}

gboolean
bravis_vtkd_prepare (BravisVtkd *vtkd)
{
  /* What is due goes first; a share may change by it. */
  if (vtkd->awaiting || !vtkd->exchanged)
    return FALSE;
  for (guint i = 0; i < vtkd->members->len; i++) {
    BravisVtkdPeer *peer = g_ptr_array_index (vtkd->members, i);

    if (peer->id != vtkd->self && !peer->pair && get_pair (vtkd, peer))
      return TRUE;
  }
  return FALSE;
}

static BravisCard **
list_cards (BravisVtkd *vtkd)
{
  BravisCard **cards = g_new (BravisCard *, vtkd->members->len);

  for (guint i = 0; i < vtkd->members->len; i++)
    cards[i] = ((BravisVtkdPeer *) g_ptr_array_index (vtkd->members, i))->card;
  return cards;
}

static BravisEpoch *
make_epoch (BravisVtkd *vtkd, const BravisSecret *secret)
{
  g_autofree BravisCard **cards = list_cards (vtkd);

  return bravis_epoch_new (vtkd->highest + 1, vtkd->view, cards,
      gcp_view_find (vtkd->view, vtkd->self), &vtkd->policy, secret);
}

static void
hash_context (BravisVtkd *vtkd, guint8 out[BRAVIS_HASH_SIZE])
{
  g_autofree BravisCard **cards = list_cards (vtkd);

  bravis_epoch_hash_context (vtkd->highest + 1, vtkd->view, cards,
      &vtkd->policy, out);
}

/* --- the token holder's work --- */

GcpMemberId
bravis_vtkd_get_holder (BravisVtkd *vtkd)
{
  BravisVtkdPeer *peer;

  if (!vtkd->view || !vtkd->exchanged)
    return GCP_MEMBER_NONE;
  peer = g_ptr_array_index (vtkd->members,
      vtkd->version % vtkd->members->len);
  return peer->id;
}

static gboolean
prepare_next_share (BravisVtkd *vtkd, GError **error)
{
  if (vtkd->next_share)
    return TRUE;
  vtkd->next_share = bravis_share_new (vtkd->identity, vtkd->card->digest,
      vtkd->share->serial + 1, &vtkd->random, &vtkd->next_share_key, error);
  return vtkd->next_share != NULL;
}

static void
write_copies (BravisVtkd *vtkd, const BravisVtkdKeys *keys,
    const BravisSecret *secret, GcpWriter *writer)
{
  guint8 copy[BRAVIS_COPY_SIZE];

  for (guint i = 0; i < vtkd->members->len; i++) {
    BravisVtkdPeer *peer = g_ptr_array_index (vtkd->members, i);
    BravisSecret *pair;

    if (peer->id == vtkd->self)
      continue;
    pair = get_pair (vtkd, peer);
    if (pair)
      bravis_pair_seal (pair, keys->digest, vtkd->self, peer->id, secret, copy);
    else
      bravis_random_fill (&vtkd->random, copy, sizeof copy);
    gcp_write_bytes (writer, copy, sizeof copy);
  }
}

void
bravis_vtkd_change_key_if_holder (BravisVtkd *vtkd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisSecret) secret = NULL;
  g_auto (GcpWriter) writer = { NULL };
  guint8 drawn[BRAVIS_KEY_SIZE];
  BravisVtkdKeys keys;

  if (!vtkd->awaiting || vtkd->sent
      || bravis_vtkd_get_holder (vtkd) != vtkd->self)
    return;
  if (vtkd->highest >= BRAVIS_MAX_EPOCH) {
    bravis_vtkd_push_blame (vtkd, vtkd->self, g_error_new_literal (BRAVIS_ERROR,
        BRAVIS_ERROR_LIMIT, "the numbers of epochs are used up"));
    return;
  }
  if (!prepare_next_share (vtkd, &error)) {
    bravis_vtkd_push_blame (vtkd, vtkd->self, g_steal_pointer (&error));
    return;
  }

  bravis_random_fill (&vtkd->random, drawn, sizeof drawn);
  secret = bravis_secret_new_take (drawn, sizeof drawn);
  vtkd->sent = make_epoch (vtkd, secret);
  keys = (BravisVtkdKeys) {
    .view = gcp_view_get_number (vtkd->view),
    .version = vtkd->version,
    .epoch = vtkd->highest + 1,
    .policy = vtkd->policy,
    .share = vtkd->next_share,
    .n_copies = vtkd->members->len - 1,
  };
  hash_context (vtkd, keys.context);
  memcpy (keys.confirmation, bravis_epoch_get_confirmation (vtkd->sent),
      BRAVIS_HASH_SIZE);
  gcp_writer_init (&writer);
  bravis_vtkd_keys_write_header (&keys, &writer);
  write_copies (vtkd, &keys, secret, &writer);
  bravis_vtkd_multicast (vtkd, gcp_writer_finish (&writer), GCP_SAFE);
}

/* --- its delivery --- */

static gboolean
is_next_share (BravisVtkd *vtkd, BravisVtkdPeer *holder, const BravisShare *share)
{
  if (holder->id == vtkd->self)
    return vtkd->next_share && bravis_share_equal (share, vtkd->next_share);
  return bravis_card_verify_share (holder->card, share, NULL);
}

/* What everybody checks alike, knowing the same: NULL, or what is wrong. */
static const char *
find_public_fault (BravisVtkd *vtkd, BravisVtkdPeer *holder,
    const BravisVtkdKeys *keys)
{
  guint8 context[BRAVIS_HASH_SIZE];

  if (keys->version != vtkd->version)
    return "sent a key change with a wrong token version";
  if (keys->epoch != vtkd->highest + 1)
    return "sent a key change with a wrong epoch number";
  if (!bravis_policy_equal (&keys->policy, &vtkd->policy))
    return "sent a key change with another policy";
  if (keys->n_copies != vtkd->members->len - 1)
    return "sent a key change with a wrong number of copies";
  hash_context (vtkd, context);
  if (memcmp (keys->context, context, sizeof context) != 0)
    return "sent a key change for another group";
  if (keys->share->serial != holder->share->serial + 1)
    return "sent a key change with a share out of turn";
  if (!is_next_share (vtkd, holder, keys->share))
    return "sent a key change with a share it did not sign";
  return NULL;
}

/* The own copy of the epoch secret: the one at the own place among those of the
 * members that are not the holder. */
static BravisSecret *
open_own_copy (BravisVtkd *vtkd, BravisVtkdPeer *holder, const BravisVtkdKeys *keys)
{
  gint self = gcp_view_find (vtkd->view, vtkd->self);
  gint place = self > gcp_view_find (vtkd->view, holder->id) ? self - 1 : self;
  BravisSecret *pair = get_pair (vtkd, holder);

  if (!pair)
    return NULL;
  return bravis_pair_open (pair, keys->digest, holder->id, vtkd->self,
      keys->copies + place * BRAVIS_COPY_SIZE);
}

/* The epoch that the copy opens to; NULL where it is not the one that the
 * holder's confirmation value is of. */
static BravisEpoch *
read_epoch (BravisVtkd *vtkd, BravisVtkdPeer *holder, const BravisVtkdKeys *keys)
{
  g_autoptr (BravisSecret) secret = NULL;
  g_autoptr (BravisEpoch) epoch = NULL;

  if (holder->id == vtkd->self) {
    epoch = g_steal_pointer (&vtkd->sent);
  } else {
    secret = open_own_copy (vtkd, holder, keys);
    epoch = secret ? make_epoch (vtkd, secret) : NULL;
  }
  if (!epoch || !bravis_equal_constant_time (keys->confirmation,
      bravis_epoch_get_confirmation (epoch), BRAVIS_HASH_SIZE))
    return NULL;
  return g_steal_pointer (&epoch);
}

/* The holder's next share becomes its current one. */
static void
turn_share (BravisVtkd *vtkd, BravisVtkdPeer *holder, const BravisShare *share)
{
  bravis_vtkd_set_share (holder, share);
  holder->met = TRUE;
  if (holder->id != vtkd->self)
    return;
  bravis_share_free (vtkd->share);
  bravis_secret_unref (vtkd->share_key);
  vtkd->share = g_steal_pointer (&vtkd->next_share);
  vtkd->share_key = g_steal_pointer (&vtkd->next_share_key);
  for (guint i = 0; i < vtkd->members->len; i++)
    g_clear_pointer (&((BravisVtkdPeer *) g_ptr_array_index (vtkd->members, i))->pair,
        bravis_secret_unref);
}

void
bravis_vtkd_pass_token (BravisVtkd *vtkd)
{
  vtkd->version++;
  bravis_vtkd_wait_anew (vtkd);
  g_clear_pointer (&vtkd->sent, bravis_epoch_unref);
  bravis_vtkd_change_key_if_holder (vtkd);
}

static void
change_key (BravisVtkd *vtkd, BravisVtkdPeer *holder, const BravisVtkdKeys *keys)
{
  g_autoptr (BravisEpoch) epoch = read_epoch (vtkd, holder, keys);

  turn_share (vtkd, holder, keys->share);
  vtkd->version++;
  vtkd->highest = keys->epoch;
  vtkd->awaiting = FALSE;
  if (!epoch) {
    bravis_vtkd_blame_literal (vtkd, holder->id, BRAVIS_ERROR_PROTOCOL,
        "sent a key change with a copy that does not open");
    /* Each member may hold the token once before this one stops asking. */
    if (vtkd->n_complaints++ < vtkd->members->len)
      bravis_vtkd_refresh (vtkd);
    return;
  }
  g_clear_pointer (&vtkd->epoch, bravis_epoch_unref);
  vtkd->epoch = bravis_epoch_ref (epoch);
  bravis_vtkd_push (vtkd, (BravisVtkdOutput) { .type = BRAVIS_VTKD_EPOCH,
      .epoch = g_steal_pointer (&epoch), .cause = vtkd->cause });
}

void
bravis_vtkd_deliver_keys (BravisVtkd *vtkd, BravisVtkdPeer *from, GBytes *bytes)
{
  g_auto (BravisVtkdKeys) keys = { 0 };
  gboolean good = bravis_vtkd_keys_read (&keys, bytes);
  const char *fault;

  /* Made for a view before: the holder of this one makes another. */
  if (good && keys.view != gcp_view_get_number (vtkd->view))
    return;
  if (!vtkd->awaiting || from->id != bravis_vtkd_get_holder (vtkd)) {
    bravis_vtkd_blame_literal (vtkd, from->id, BRAVIS_ERROR_PROTOCOL,
        "sent a key change without the token");
    return;
  }
  fault = good ? find_public_fault (vtkd, from, &keys)
      : "sent a malformed key change";
  if (fault) {
    bravis_vtkd_blame_literal (vtkd, from->id, BRAVIS_ERROR_PROTOCOL, fault);
    bravis_vtkd_pass_token (vtkd);
    return;
  }
  change_key (vtkd, from, &keys);
}
