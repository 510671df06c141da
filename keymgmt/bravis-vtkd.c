#include "bravis-vtkd.h"

#include "bravis-vtkd-message.h"

#include <string.h>

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
} Peer;

/* See bravis_vtkd_expect (). */
typedef struct {
  GcpMemberId member;
  BravisShare *share;
} Expectation;

struct _BravisVtkd {
  BravisIdentity *identity;
  char *conference;
  BravisRandom random;
  GcpMemberId self;
  BravisShare *share;           /* own, current */
  BravisSecret *share_key;
  BravisShare *next_share;      /* own, not yet delivered; kept over views, so that
                                 * no serial number is ever given to two shares */
  BravisSecret *next_share_key;

  GcpView *view;                /* NULL: none yet */
  GPtrArray *members;           /* of Peer, in the view's order */
  GArray *expected;             /* of Expectation, until the first exchange is over */

  /* What all members that know the group agree on. */
  gboolean knows;
  guint64 version;
  guint64 highest;
  BravisPolicy policy;

  gboolean exchanged;           /* every member of the view knows the above */
  gboolean awaiting;            /* a key change is due */
  guint n_complaints;           /* key changes asked for in this view, since the own
                                 * copy was bad */
  BravisCause cause;            /* of that key change */
  BravisEpoch *sent;            /* as holder: what is under way */
  BravisEpoch *epoch;
  GQueue outputs;
};

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

static void
push (BravisVtkd *vtkd, BravisVtkdOutput output)
{
  g_queue_push_tail (&vtkd->outputs, g_memdup2 (&output, sizeof output));
}

static void
multicast (BravisVtkd *vtkd, GBytes *bytes, GcpQuality quality)
{
  push (vtkd, (BravisVtkdOutput) { .type = BRAVIS_VTKD_MULTICAST,
      .bytes = bytes, .quality = quality });
}

/* Takes @error over. */
static void
push_blame (BravisVtkd *vtkd, GcpMemberId member, GError *error)
{
  push (vtkd, (BravisVtkdOutput) { .type = BRAVIS_VTKD_BLAME,
      .member = member, .error = error });
}

/* For what @member sent; this member knows of itself what it sends. */
static void
blame (BravisVtkd *vtkd, GcpMemberId member, GError *error)
{
  if (member == vtkd->self)
    g_error_free (error);
  else
    push_blame (vtkd, member, error);
}

static void
blame_literal (BravisVtkd *vtkd, GcpMemberId member, BravisError code,
    const char *message)
{
  blame (vtkd, member, g_error_new_literal (BRAVIS_ERROR, code, message));
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
  Peer *peer = data;

  bravis_card_unref (peer->card);
  bravis_share_free (peer->share);
  g_clear_pointer (&peer->pair, bravis_secret_unref);
  g_free (peer);
}

static Peer *
find_peer (BravisVtkd *vtkd, GcpMemberId id)
{
  for (guint i = 0; i < vtkd->members->len; i++) {
    Peer *peer = g_ptr_array_index (vtkd->members, i);

    if (peer->id == id)
      return peer;
  }
  return NULL;
}

static void
set_share (Peer *peer, const BravisShare *share)
{
  if (bravis_share_equal (peer->share, share))
    return;
  bravis_share_free (peer->share);
  peer->share = bravis_share_copy (share);
  g_clear_pointer (&peer->pair, bravis_secret_unref);
}

/* NULL: the other's share is of low order, nothing can be said to it. */
static BravisSecret *
get_pair (BravisVtkd *vtkd, Peer *peer)
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
    Peer *peer = g_ptr_array_index (vtkd->members, i);

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
    cards[i] = ((Peer *) g_ptr_array_index (vtkd->members, i))->card;
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
  Peer *peer;

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
  vtkd->next_share = bravis_share_new (vtkd->identity, vtkd->conference,
      vtkd->self, vtkd->share->serial + 1, &vtkd->random,
      &vtkd->next_share_key, error);
  return vtkd->next_share != NULL;
}

static void
write_copies (BravisVtkd *vtkd, const BravisVtkdKeys *keys,
    const BravisSecret *secret, GcpWriter *writer)
{
  guint8 copy[BRAVIS_COPY_SIZE];

  for (guint i = 0; i < vtkd->members->len; i++) {
    Peer *peer = g_ptr_array_index (vtkd->members, i);
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

static void
change_key_if_holder (BravisVtkd *vtkd)
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
    push_blame (vtkd, vtkd->self, g_error_new_literal (BRAVIS_ERROR,
        BRAVIS_ERROR_LIMIT, "the numbers of epochs are used up"));
    return;
  }
  if (!prepare_next_share (vtkd, &error)) {
    push_blame (vtkd, vtkd->self, g_steal_pointer (&error));
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
  multicast (vtkd, gcp_writer_finish (&writer), GCP_SAFE);
}

/* --- a view --- */

static void
say_share (BravisVtkd *vtkd)
{
  BravisVtkdShare message = {
    .view = gcp_view_get_number (vtkd->view),
    .knows = vtkd->knows,
    .epoch = vtkd->knows ? vtkd->highest : MIN (vtkd->highest, G_MAXUINT32),
    .version = vtkd->version,
    .policy = vtkd->policy,
    .share = vtkd->share,
  };

  multicast (vtkd, bravis_vtkd_share_write (&message), GCP_AGREED);
}

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
    Peer *peer = NULL;

    for (guint j = 0; j < old->len && !peer; j++)
      if (((Peer *) g_ptr_array_index (old, j))->id == id)
        peer = g_ptr_array_steal_index_fast (old, j);
    if (!peer) {
      newcomers = TRUE;
      peer = g_new0 (Peer, 1);
      peer->id = id;
      peer->card = bravis_card_ref (cards[i]);
      peer->share = bravis_share_copy (id == vtkd->self
          ? vtkd->share : cards[i]->share);
    }
    peer->said = FALSE;
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

  /* Who comes from the last view knows what its members know, if they had told
   * each other all there; whether they had is known alike, too. */
  if (newcomers)
    vtkd->exchanged = FALSE;
  if (vtkd->exchanged)
    change_key_if_holder (vtkd);
  else
    say_share (vtkd);
}

/* --- VTKD_SHARE --- */

/* What @peer says of epochs counts, beside what the first says: not a number that
 * would leave no room. */
static gboolean
may_raise (const Peer *peer)
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
  Peer *first = g_ptr_array_index (vtkd->members, 0);
  /* Whatever was made of its own words on their way: no number comes again. */
  guint64 known = vtkd->knows ? vtkd->highest : 0;

  for (guint i = 0; i < vtkd->members->len; i++) {
    Peer *peer = g_ptr_array_index (vtkd->members, i);

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
    Peer *peer = g_ptr_array_index (vtkd->members, i);

    peer->agreed = TRUE;
    if (!may_raise (peer))
      continue;
    vtkd->highest = MAX (vtkd->highest, peer->said_epoch);
    if (peer->said_knows)
      vtkd->version = MAX (vtkd->version, peer->said_version);
  }
  vtkd->exchanged = TRUE;
  g_array_set_size (vtkd->expected, 0);
  change_key_if_holder (vtkd);
}

void
bravis_vtkd_expect (BravisVtkd *vtkd, GcpMemberId member,
    const BravisShare *share)
{
  Expectation expectation = { member, bravis_share_copy (share) };

  g_array_append_val (vtkd->expected, expectation);
}

static gboolean
is_expected (BravisVtkd *vtkd, const Peer *peer, const BravisShare *share)
{
  for (guint i = 0; i < vtkd->expected->len; i++) {
    Expectation *expectation = &g_array_index (vtkd->expected, Expectation, i);

    if (expectation->member == peer->id)
      return bravis_share_equal (expectation->share, share);
  }
  return FALSE;
}

/* Old members and newcomers must go on with the same share of everybody, also of
 * a member that lies: the one it said, if it signed it; else that of its card. What
 * a liar says of itself harms nobody else. NULL: malformed. */
static void
take_said_share (BravisVtkd *vtkd, Peer *peer, const BravisShare *share)
{
  g_autoptr (GError) error = NULL;

  if (peer->id == vtkd->self
      || (share && bravis_share_equal (peer->share, share)))
    return;
  if (!share) {
    blame_literal (vtkd, peer->id, BRAVIS_ERROR_PROTOCOL,
        "sent a malformed VTKD_SHARE");
    set_share (peer, peer->card->share);
  } else if (!is_expected (vtkd, peer, share)
      && !bravis_share_verify (share, vtkd->conference, peer->id,
      peer->card->certificate, &error)) {
    blame (vtkd, peer->id, g_steal_pointer (&error));
    set_share (peer, peer->card->share);
  } else {
    if (peer->met)
      blame_literal (vtkd, peer->id, BRAVIS_ERROR_PROTOCOL,
          "says another share than the group knows");
    set_share (peer, share);
  }
}

static void
check_said_state (BravisVtkd *vtkd, Peer *peer)
{
  gboolean differs = peer->said_epoch != vtkd->highest
      || peer->said_version != vtkd->version
      || !bravis_policy_equal (&peer->said_policy, &vtkd->policy);

  if (!vtkd->knows || !peer->said_knows || !differs
      || (!peer->agreed && may_raise (peer)))
    return;
  blame_literal (vtkd, peer->id, BRAVIS_ERROR_PROTOCOL,
      "says another state of the group than it has");
  if (!peer->agreed)
    return;
  peer->said_epoch = vtkd->highest;
  peer->said_version = vtkd->version;
  peer->said_policy = vtkd->policy;
}

static void
deliver_share (BravisVtkd *vtkd, Peer *peer, GBytes *bytes)
{
  g_auto (BravisVtkdShare) message = { 0 };
  gboolean good = bravis_vtkd_share_read (&message, bytes);

  /* From a view before: its sender says it anew in this one. */
  if (good && message.view != gcp_view_get_number (vtkd->view))
    return;
  if (vtkd->exchanged || peer->said)
    return;

  /* A faulty one counts as said, with nothing in it, so that it stops nobody. */
  peer->said = TRUE;
  peer->said_knows = good && message.knows;
  peer->said_epoch = good ? message.epoch : 0;
  peer->said_version = good ? message.version : 0;
  if (good)
    peer->said_policy = message.policy;
  else
    bravis_policy_init (&peer->said_policy);

  take_said_share (vtkd, peer, good ? message.share : NULL);
  check_said_state (vtkd, peer);
  peer->met = TRUE;

  for (guint i = 0; i < vtkd->members->len; i++)
    if (!((Peer *) g_ptr_array_index (vtkd->members, i))->said)
      return;
  finish_exchange (vtkd);
}

/* --- VTKD_KEYS --- */

static gboolean
is_next_share (BravisVtkd *vtkd, Peer *holder, const BravisShare *share)
{
  if (holder->id == vtkd->self)
    return vtkd->next_share && bravis_share_equal (share, vtkd->next_share);
  return bravis_share_verify (share, vtkd->conference, holder->id,
      holder->card->certificate, NULL);
}

/* What everybody checks alike, knowing the same: NULL, or what is wrong. */
static const char *
find_public_fault (BravisVtkd *vtkd, Peer *holder, const BravisVtkdKeys *keys)
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
open_own_copy (BravisVtkd *vtkd, Peer *holder, const BravisVtkdKeys *keys)
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
read_epoch (BravisVtkd *vtkd, Peer *holder, const BravisVtkdKeys *keys)
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
turn_share (BravisVtkd *vtkd, Peer *holder, const BravisShare *share)
{
  set_share (holder, share);
  holder->met = TRUE;
  if (holder->id != vtkd->self)
    return;
  bravis_share_free (vtkd->share);
  bravis_secret_unref (vtkd->share_key);
  vtkd->share = g_steal_pointer (&vtkd->next_share);
  vtkd->share_key = g_steal_pointer (&vtkd->next_share_key);
  for (guint i = 0; i < vtkd->members->len; i++)
    g_clear_pointer (&((Peer *) g_ptr_array_index (vtkd->members, i))->pair,
        bravis_secret_unref);
}

/* The holder did not do its work: the next one does it. */
static void
pass_token (BravisVtkd *vtkd)
{
  vtkd->version++;
  g_clear_pointer (&vtkd->sent, bravis_epoch_unref);
  change_key_if_holder (vtkd);
}

static void
change_key (BravisVtkd *vtkd, Peer *holder, const BravisVtkdKeys *keys)
{
  g_autoptr (BravisEpoch) epoch = read_epoch (vtkd, holder, keys);

  turn_share (vtkd, holder, keys->share);
  vtkd->version++;
  vtkd->highest = keys->epoch;
  vtkd->awaiting = FALSE;
  if (!epoch) {
    blame_literal (vtkd, holder->id, BRAVIS_ERROR_PROTOCOL,
        "sent a key change with a copy that does not open");
    /* Each member may hold the token once before this one stops asking. */
    if (vtkd->n_complaints++ < vtkd->members->len)
      bravis_vtkd_refresh (vtkd);
    return;
  }
  g_clear_pointer (&vtkd->epoch, bravis_epoch_unref);
  vtkd->epoch = bravis_epoch_ref (epoch);
  push (vtkd, (BravisVtkdOutput) { .type = BRAVIS_VTKD_EPOCH,
      .epoch = g_steal_pointer (&epoch), .cause = vtkd->cause });
}

static void
deliver_keys (BravisVtkd *vtkd, Peer *from, GBytes *bytes)
{
  g_auto (BravisVtkdKeys) keys = { 0 };
  gboolean good = bravis_vtkd_keys_read (&keys, bytes);
  const char *fault;

  /* Made for a view before: the holder of this one makes another. */
  if (good && keys.view != gcp_view_get_number (vtkd->view))
    return;
  if (!vtkd->awaiting || from->id != bravis_vtkd_get_holder (vtkd)) {
    blame_literal (vtkd, from->id, BRAVIS_ERROR_PROTOCOL,
        "sent a key change without the token");
    return;
  }
  fault = good ? find_public_fault (vtkd, from, &keys)
      : "sent a malformed key change";
  if (fault) {
    blame_literal (vtkd, from->id, BRAVIS_ERROR_PROTOCOL, fault);
    pass_token (vtkd);
    return;
  }
  change_key (vtkd, from, &keys);
}

/* --- VTKD_REFRESH --- */

void
bravis_vtkd_refresh (BravisVtkd *vtkd)
{
  if (vtkd->view && !vtkd->awaiting)
    multicast (vtkd,
        bravis_vtkd_refresh_write (gcp_view_get_number (vtkd->view)),
        GCP_AGREED);
}

static void
deliver_refresh (BravisVtkd *vtkd, Peer *from, GBytes *bytes)
{
  guint64 view;

  if (!bravis_vtkd_refresh_read (&view, bytes)) {
    blame_literal (vtkd, from->id, BRAVIS_ERROR_PROTOCOL,
        "sent a malformed VTKD_REFRESH");
    return;
  }
  /* After a view, or with a change under way, a fresh key comes anyway. */
  if (view != gcp_view_get_number (vtkd->view) || vtkd->awaiting)
    return;
  vtkd->awaiting = TRUE;
  vtkd->cause = BRAVIS_CAUSE_REFRESH;
  change_key_if_holder (vtkd);
}

void
bravis_vtkd_deliver (BravisVtkd *vtkd, GcpMemberId from, GBytes *message)
{
  Peer *peer = find_peer (vtkd, from);
  GcpReader reader;

  if (!peer)
    return;
  gcp_reader_init_bytes (&reader, message);
  switch (gcp_read_u8 (&reader)) {
    case BRAVIS_VTKD_SHARE:
      deliver_share (vtkd, peer, message);
      break;
    case BRAVIS_VTKD_KEYS:
      deliver_keys (vtkd, peer, message);
      break;
    case BRAVIS_VTKD_REFRESH:
      deliver_refresh (vtkd, peer, message);
      break;
    default:
      blame_literal (vtkd, from, BRAVIS_ERROR_PROTOCOL,
          "sent an unknown VTKD message");
  }
}

/* --- life --- */

static void
clear_expectation (gpointer data)
{
  Expectation *expectation = data;

  bravis_share_free (expectation->share);
}

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
  vtkd->share = bravis_share_copy (own->card->share);
  vtkd->share_key = g_steal_pointer (&own->share_key);
  vtkd->policy = *policy;
  vtkd->highest = highest;
  vtkd->members = g_ptr_array_new_with_free_func (free_peer);
  vtkd->expected = g_array_new (FALSE, FALSE, sizeof (Expectation));
  g_array_set_clear_func (vtkd->expected, clear_expectation);
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
  Peer *peer = find_peer (vtkd, member);

  return peer ? peer->share : NULL;
}

void
bravis_vtkd_hash_shares (BravisVtkd *vtkd, guint8 out[BRAVIS_HASH_SIZE])
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  for (guint i = 0; i < vtkd->members->len; i++) {
    const Peer *peer = g_ptr_array_index (vtkd->members, i);

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
