/* bravis-srtp-receiver.c: the opening half of bravis-srtp.h */
#include "bravis-srtp-context.h"

#include <string.h>

#include "bravis-key-table.h"
#include "bravis-rtp.h"
#include "../gcp/gcp-wire.h"

#define MAX_TRACKS 1024         /* SSRCs whose roll-over counter is carried on */
#define MAX_SSRCS 64            /* of one KID, that is of one stream */
#define SEARCH_STEPS 8          /* roll-over counters tried for one packet */
#define SEARCH_LIMIT 4096       /* and in all, before it begins again */
#define MAX_SEARCHES 64         /* SSRCs looked for at a time */
#define AEAD_TAG_SIZE 16        /* no profile of an epoch has another */
#define SRTCP_FIXED_SIZE (8 + 4) /* clear octets, and the index */

/* An SSRC of a stream of a member, over all epochs. */
typedef struct {
  GcpMemberId member;
  guint32 kind_and_stream;
  guint32 ssrc;
  guint64 highest;              /* packet index */
} Track;

/* Made for a packet, and kept only if that packet is authentic. */
typedef struct {
  BravisTableKey key;
  BravisSrtpContext *context;
  GcpMemberId member;
  guint32 kind_and_stream;
  GHashTable *placed;           /* set of SSRCs with a stream in @context */
} Key;

/* How far the search for an SSRC's roll-over counter is. */
typedef struct {
  guint64 kid;
  guint32 ssrc;
  guint32 roc;                  /* tried last; 0: none */
} Search;

struct _BravisSrtpReceiver {
  BravisSrtpContext *context;   /* with a static key */
  BravisEpochSource source;     /* with a session */
  gint kind;
  guint window;
  BravisKeyTable *keys;         /* of Key */
  GHashTable *tracks;           /* set of Track */
  Track *last_track;
  Search searches[MAX_SEARCHES];
};

static void
key_free (Key *key)
{
  bravis_srtp_context_free (key->context);
  g_clear_pointer (&key->key.epoch, bravis_epoch_unref);
  g_clear_pointer (&key->placed, g_hash_table_unref);
  g_free (key);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Key, key_free)

static guint
track_hash (gconstpointer data)
{
  const Track *track = data;

  return (guint) track->member ^ track->ssrc ^ track->kind_and_stream << 20;
}

static gboolean
track_equal (gconstpointer a, gconstpointer b)
{
  const Track *left = a, *right = b;

  return left->member == right->member && left->ssrc == right->ssrc
      && left->kind_and_stream == right->kind_and_stream;
}

BravisSrtpReceiver *
bravis_srtp_receiver_new_static (BravisSrtpProfile profile,
    const BravisSecret *key, guint window)
{
  BravisSrtpContext *context = bravis_srtp_context_new (profile, key, NULL,
      ssrc_any_inbound, window);
  BravisSrtpReceiver *receiver;

  if (context == NULL)
    return NULL;
  receiver = g_new0 (BravisSrtpReceiver, 1);
  receiver->context = context;
  return receiver;
}

BravisSrtpReceiver *
bravis_srtp_receiver_new_epochs (const BravisEpochSource *source,
    guint window)
{
  BravisSrtpReceiver *receiver = g_new0 (BravisSrtpReceiver, 1);

  receiver->source = *source;
  receiver->kind = -1;
  receiver->window = window;
  receiver->keys = bravis_key_table_new ((GDestroyNotify) key_free);
  receiver->tracks = g_hash_table_new_full (track_hash, track_equal, g_free,
      NULL);
  return receiver;
}

void
bravis_srtp_receiver_free (BravisSrtpReceiver *receiver)
{
  if (receiver == NULL)
    return;
  bravis_srtp_context_free (receiver->context);
  g_clear_pointer (&receiver->keys, bravis_key_table_free);
  g_clear_pointer (&receiver->tracks, g_hash_table_unref);
  bravis_epoch_source_clear (&receiver->source);
  g_free (receiver);
}

void
bravis_srtp_receiver_set_kind (BravisSrtpReceiver *receiver, BravisKind kind)
{
  receiver->kind = kind;
}

char *
bravis_srtp_receiver_dup_sender_name (BravisSrtpReceiver *receiver,
    guint64 kid)
{
  if (receiver->context)
    return NULL;
  return bravis_epoch_source_dup_name (&receiver->source, kid);
}

static BravisDrop
drop_from_status (srtp_err_status_t status)
{
  switch (status) {
    case srtp_err_status_ok:
      return BRAVIS_DROP_NONE;
    case srtp_err_status_replay_fail:
      return BRAVIS_DROP_REPLAYED;
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
      return BRAVIS_DROP_TOO_OLD;
    case srtp_err_status_parse_err:
    case srtp_err_status_bad_param:
      return BRAVIS_DROP_MALFORMED;
    default:
      return BRAVIS_DROP_FORGED;
  }
}

/* Keys, one for each KID */

static BravisDrop
make_key (BravisSrtpReceiver *receiver, guint64 kid, Key **out)
{
  g_autoptr (Key) key = g_new0 (Key, 1);
  g_autoptr (BravisSecret) secret = NULL;
  BravisSrtpProfile profile;
  BravisKid parts;
  BravisDrop drop;

  drop = bravis_epoch_source_find (&receiver->source, kid, receiver->kind,
      &key->key.epoch);
  if (drop != BRAVIS_DROP_NONE)
    return drop;
  bravis_kid_unpack (kid, &parts);
  profile = bravis_srtp_profile_of_cipher (
      bravis_epoch_get_policy (key->key.epoch)->cipher[parts.kind]);
  secret = bravis_epoch_derive_srtp_key (key->key.epoch, kid,
      bravis_srtp_key_size (profile));
  if (secret)
    key->context = bravis_srtp_context_new (profile, secret, &kid,
        ssrc_any_inbound, receiver->window);
  if (key->context == NULL)
    return BRAVIS_DROP_UNKNOWN_SENDER;
  key->key.kid = kid;
  key->member = bravis_epoch_get_card (key->key.epoch, parts.sender)->id;
  key->kind_and_stream = parts.kind << 10 | parts.stream;
  key->placed = g_hash_table_new (NULL, NULL);
  *out = g_steal_pointer (&key);
  return BRAVIS_DROP_NONE;
}

/* @fresh: the caller's, until it is kept. */
static BravisDrop
find_key (BravisSrtpReceiver *receiver, guint64 kid, Key **found, Key **fresh)
{
  BravisDrop drop;

  *found = bravis_key_table_find (receiver->keys, kid);
  if (*found)
    return BRAVIS_DROP_NONE;
  drop = make_key (receiver, kid, fresh);
  *found = *fresh;
  return drop;
}

/* Packet indices, one for each SSRC */

static Track *
find_track (BravisSrtpReceiver *receiver, Key *key, guint32 ssrc)
{
  Track wanted = { key->member, key->kind_and_stream, ssrc, 0 };

  if (receiver->last_track == NULL
      || !track_equal (receiver->last_track, &wanted))
    receiver->last_track = g_hash_table_lookup (receiver->tracks, &wanted);
  return receiver->last_track;
}

/* The member with the most tracks. */
static GcpMemberId
find_greediest (BravisSrtpReceiver *receiver)
{
  g_autoptr (GHashTable) counts = g_hash_table_new (g_int64_hash,
      g_int64_equal);
  GcpMemberId greediest = GCP_MEMBER_NONE;
  guint most = 0;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, receiver->tracks);
  while (g_hash_table_iter_next (&iter, &value, NULL)) {
    Track *track = value;
    guint n = 1 + GPOINTER_TO_UINT (g_hash_table_lookup (counts,
            &track->member));

    g_hash_table_insert (counts, &track->member, GUINT_TO_POINTER (n));
    if (n > most) {
      most = n;
      greediest = track->member;
    }
  }
  return greediest;
}

static gboolean
is_track_of (gpointer track, gpointer value, gpointer member)
{
  return ((Track *) track)->member == *(GcpMemberId *) member;
}

static void
note_index (BravisSrtpReceiver *receiver, Key *key, Track *track,
    guint32 ssrc, guint64 index)
{
  if (track) {
    track->highest = MAX (track->highest, index);
    return;
  }
  if (g_hash_table_size (receiver->tracks) >= MAX_TRACKS) {
    GcpMemberId greediest = find_greediest (receiver);

    receiver->last_track = NULL;
    g_hash_table_foreach_remove (receiver->tracks, is_track_of, &greediest);
  }
  track = g_new0 (Track, 1);
  *track = (Track) { key->member, key->kind_and_stream, ssrc, index };
  g_hash_table_add (receiver->tracks, track);
}

/* Opens a packet as the first one of its SSRC in this context, with the given
 * roll-over counter. */
static srtp_err_status_t
try_roc (Key *key, guint8 *data, int *length, guint32 ssrc, guint32 roc)
{
  srtp_err_status_t status;

  if (roc && !bravis_srtp_context_start_stream (key->context, ssrc, roc))
    return srtp_err_status_fail;
  status = srtp_unprotect_mki (key->context->srtp, data, length, TRUE);
  if (status != srtp_err_status_ok && roc)
    bravis_srtp_context_drop_stream (key->context, ssrc);
  return status;
}

/* Where more are looked for than there is room, chance says who begins again: most
 * may be forged, by somebody who wants it to be always the same. */
static Search *
find_search (BravisSrtpReceiver *receiver, guint64 kid, guint32 ssrc)
{
  Search *search = receiver->searches;

  for (guint i = 0; i < MAX_SEARCHES; i++, search++)
    if (search->kid == kid && search->ssrc == ssrc)
      return search;
  search = &receiver->searches[g_random_int_range (0, MAX_SEARCHES)];
  *search = (Search) { kid, ssrc, 0 };
  return search;
}

/* The SSRC was never seen: its counter may be anything, most likely little. The
 * search goes on with the next packet where this one left off. */
static srtp_err_status_t
search_roc (BravisSrtpReceiver *receiver, Key *key, guint8 *data, int *length,
    guint32 ssrc, guint32 *roc)
{
  g_autofree guint8 *sealed = g_memdup2 (data, *length);
  int sealed_length = *length;
  srtp_err_status_t status;
  Search *search;
  guint i;

  *roc = 0;
  status = try_roc (key, data, length, ssrc, 0);
  if (status != srtp_err_status_auth_fail)
    return status;
  search = find_search (receiver, key->key.kid, ssrc);
  for (i = 0; i < SEARCH_STEPS && status == srtp_err_status_auth_fail; i++) {
    search->roc = search->roc % SEARCH_LIMIT + 1;
    memcpy (data, sealed, sealed_length);
    *length = sealed_length;
    *roc = search->roc;
    status = try_roc (key, data, length, ssrc, *roc);
  }
  return status;
}

static srtp_err_status_t
unprotect (BravisSrtpReceiver *receiver, Key *key, guint8 *data, int *length,
    const BravisRtp *rtp)
{
  Track *track = find_track (receiver, key, rtp->ssrc);
  srtp_err_status_t status;
  guint64 index = 0;
  guint32 roc = 0;

  if (track)
    index = bravis_srtp_guess_index (track->highest, rtp->sequence);
  if (g_hash_table_contains (key->placed, GUINT_TO_POINTER (rtp->ssrc))) {
    status = srtp_unprotect_mki (key->context->srtp, data, length, TRUE);
    /* Its track went, for others. */
    if (!track && srtp_get_stream_roc (key->context->srtp, rtp->ssrc,
            &roc) == srtp_err_status_ok)
      index = (guint64) roc << 16 | rtp->sequence;
  } else if (g_hash_table_size (key->placed) >= MAX_SSRCS) {
    return srtp_err_status_bad_param;
  } else if (track) {
    status = try_roc (key, data, length, rtp->ssrc, index >> 16);
  } else {
    status = search_roc (receiver, key, data, length, rtp->ssrc, &roc);
    index = (guint64) roc << 16 | rtp->sequence;
  }
  if (status != srtp_err_status_ok)
    return status;
  g_hash_table_add (key->placed, GUINT_TO_POINTER (rtp->ssrc));
  note_index (receiver, key, track, rtp->ssrc, index);
  return status;
}

/* Its own index is in each SRTCP packet: there is none to be carried over. */
static srtp_err_status_t
unprotect_rtcp (Key *key, guint8 *data, int *length, guint32 ssrc)
{
  srtp_err_status_t status;

  if (!g_hash_table_contains (key->placed, GUINT_TO_POINTER (ssrc))
      && g_hash_table_size (key->placed) >= MAX_SSRCS)
    return srtp_err_status_bad_param;
  status = srtp_unprotect_rtcp_mki (key->context->srtp, data, length, TRUE);
  if (status == srtp_err_status_ok)
    g_hash_table_add (key->placed, GUINT_TO_POINTER (ssrc));
  return status;
}

/* @rtp: its header; NULL: it is SRTCP of @ssrc. */
static BravisDrop
open_with_mki (BravisSrtpReceiver *receiver, guint8 *data, int *length,
    const BravisRtp *rtp, guint32 ssrc, guint64 *kid)
{
  gsize overhead = AEAD_TAG_SIZE + BRAVIS_SRTP_MKI_SIZE
      + (rtp ? rtp->header_size : SRTCP_FIXED_SIZE);
  g_autoptr (Key) fresh = NULL;
  Key *key = NULL;
  GcpReader reader;
  BravisDrop drop;

  if ((gsize) *length < overhead)
    return BRAVIS_DROP_MALFORMED;
  gcp_reader_init (&reader, data + *length - BRAVIS_SRTP_MKI_SIZE,
      BRAVIS_SRTP_MKI_SIZE);
  *kid = gcp_read_u64 (&reader);
  drop = find_key (receiver, *kid, &key, &fresh);
  if (drop != BRAVIS_DROP_NONE)
    return drop;
  drop = drop_from_status (rtp ? unprotect (receiver, key, data, length, rtp)
      : unprotect_rtcp (key, data, length, ssrc));
  if (drop != BRAVIS_DROP_NONE)
    return drop;
  if (fresh)
    bravis_key_table_keep (receiver->keys, g_steal_pointer (&fresh));
  bravis_key_table_use (receiver->keys, key);
  return BRAVIS_DROP_NONE;
}

BravisDrop
bravis_srtp_receiver_open (BravisSrtpReceiver *receiver, guint8 *data,
    gsize size, gsize *out_size, guint64 *kid)
{
  int length = size;
  BravisDrop drop;
  BravisRtp rtp;

  *kid = 0;
  if (size > G_MAXINT || !bravis_rtp_read_header (data, size, &rtp))
    return BRAVIS_DROP_MALFORMED;
  if (receiver->context)
    drop = drop_from_status (srtp_unprotect (receiver->context->srtp, data,
            &length));
  else
    drop = open_with_mki (receiver, data, &length, &rtp, rtp.ssrc, kid);
  if (drop == BRAVIS_DROP_NONE)
    *out_size = length;
  return drop;
}

BravisDrop
bravis_srtp_receiver_open_rtcp (BravisSrtpReceiver *receiver, guint8 *data,
    gsize size, gsize *out_size, guint64 *kid)
{
  int length = size;
  BravisDrop drop;
  guint32 ssrc;

  *kid = 0;
  if (size > G_MAXINT || !bravis_rtcp_read_header (data, size, &ssrc))
    return BRAVIS_DROP_MALFORMED;
  if (receiver->context)
    drop = drop_from_status (srtp_unprotect_rtcp (receiver->context->srtp, data,
            &length));
  else
    drop = open_with_mki (receiver, data, &length, NULL, ssrc, kid);
  if (drop == BRAVIS_DROP_NONE)
    *out_size = length;
  return drop;
}
