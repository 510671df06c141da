/* bravis-srtp-sender.c: the sending half of bravis-srtp.h */
#include "bravis-srtp-context.h"

#include "bravis-rtp.h"

/* SSRCs whose roll-over counter is carried over a key change. */
#define MAX_TRACKS 256

typedef struct {
  guint32 ssrc;
  guint64 highest;              /* packet index */
  BravisSrtpContext *placed;    /* the context that knows it; only compared */
} Track;

struct _BravisSrtpSender {
  BravisSrtpContext *context;   /* NULL: no key */
  guint64 n_protected;          /* packets under that key */
  guint window;

  gboolean has_source;          /* the rest is of a session only */
  BravisEpochSource source;
  BravisKind kind;
  guint16 stream;
  gboolean looked;
  guint serial;
  BravisEpoch *epoch;
  GHashTable *tracks;           /* SSRC -> Track */
  Track *last;
};

static BravisSrtpSender *
sender_new (guint window)
{
  BravisSrtpSender *sender = g_new0 (BravisSrtpSender, 1);

  sender->window = window;
  sender->tracks = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return sender;
}

BravisSrtpSender *
bravis_srtp_sender_new_static (BravisSrtpProfile profile,
    const BravisSecret *key, guint window)
{
  g_autoptr (BravisSrtpSender) sender = sender_new (window);

  sender->context = bravis_srtp_context_new (profile, key, NULL,
      ssrc_any_outbound, window);
  return sender->context ? g_steal_pointer (&sender) : NULL;
}

BravisSrtpSender *
bravis_srtp_sender_new_epochs (const BravisEpochSource *source,
    BravisKind kind, guint16 stream, guint window)
{
  BravisSrtpSender *sender = sender_new (window);

  sender->has_source = TRUE;
  sender->source = *source;
  sender->kind = kind;
  sender->stream = stream;
  return sender;
}

void
bravis_srtp_sender_free (BravisSrtpSender *sender)
{
  if (sender == NULL)
    return;
  bravis_srtp_context_free (sender->context);
  g_hash_table_unref (sender->tracks);
  g_clear_pointer (&sender->epoch, bravis_epoch_unref);
  bravis_epoch_source_clear (&sender->source);
  g_free (sender);
}

static void
forget_placement (gpointer ssrc, gpointer value, gpointer user_data)
{
  Track *track = value;

  track->placed = NULL;
}

static void
take_key (BravisSrtpSender *sender, BravisEpoch *epoch)
{
  BravisKid kid = { bravis_epoch_get_number (epoch),
    bravis_epoch_get_self (epoch), sender->kind, sender->stream
  };
  guint64 packed = bravis_kid_pack (&kid);
  BravisSrtpProfile profile = bravis_srtp_profile_of_cipher (
      bravis_epoch_get_policy (epoch)->cipher[sender->kind]);
  g_autoptr (BravisSecret) key = bravis_epoch_derive_srtp_key (epoch, packed,
      bravis_srtp_key_size (profile));

  if (key)
    sender->context = bravis_srtp_context_new (profile, key, &packed,
        ssrc_any_outbound, sender->window);
}

const char *
bravis_srtp_sender_get_cipher (BravisSrtpSender *sender)
{
  return sender->context
      ? bravis_srtp_profile_to_string (sender->context->profile) : NULL;
}

gboolean
bravis_srtp_sender_take_epoch (BravisSrtpSender *sender)
{
  g_autoptr (BravisEpoch) epoch = NULL;
  guint serial;

  if (!sender->has_source)
    return FALSE;
  serial = sender->source.get_serial (sender->source.user_data);
  if (sender->looked && serial == sender->serial)
    return FALSE;
  sender->looked = TRUE;
  sender->serial = serial;
  epoch = sender->source.await_epoch (sender->source.user_data);
  /* The same epoch seen again keeps its context, and so its packet indices. */
  if (epoch == sender->epoch)
    return FALSE;
  g_clear_pointer (&sender->epoch, bravis_epoch_unref);
  g_clear_pointer (&sender->context, bravis_srtp_context_free);
  sender->n_protected = 0;
  g_hash_table_foreach (sender->tracks, forget_placement, NULL);
  if (epoch)
    take_key (sender, epoch);
  sender->epoch = g_steal_pointer (&epoch);
  return TRUE;
}

static gboolean
may_send (BravisSrtpSender *sender)
{
  if (!sender->has_source)
    return TRUE;
  if (sender->epoch == NULL || bravis_epoch_is_sending_closed (sender->epoch))
    bravis_srtp_sender_take_epoch (sender);
  return sender->context && sender->epoch
      && !bravis_epoch_is_sending_closed (sender->epoch);
}

static Track *
find_track (BravisSrtpSender *sender, guint32 ssrc)
{
  if (sender->last == NULL || sender->last->ssrc != ssrc)
    sender->last = g_hash_table_lookup (sender->tracks,
        GUINT_TO_POINTER (ssrc));
  return sender->last;
}

/* After a key change: the SSRC goes on where it was. */
static gboolean
place_track (BravisSrtpSender *sender, Track *track, guint64 index)
{
  if (track->placed == sender->context)
    return TRUE;
  if (index >> 16 && !bravis_srtp_context_start_stream (sender->context,
          track->ssrc, index >> 16))
    return FALSE;
  track->placed = sender->context;
  return TRUE;
}

static void
note_index (BravisSrtpSender *sender, Track *track, const BravisRtp *rtp,
    guint64 index)
{
  if (track) {
    track->highest = MAX (track->highest, index);
    return;
  }
  if (!sender->has_source || g_hash_table_size (sender->tracks) >= MAX_TRACKS)
    return;
  track = g_new0 (Track, 1);
  track->ssrc = rtp->ssrc;
  track->highest = rtp->sequence;
  track->placed = sender->context;
  g_hash_table_insert (sender->tracks, GUINT_TO_POINTER (rtp->ssrc), track);
}

static BravisDrop
drop_from_status (srtp_err_status_t status)
{
  switch (status) {
    case srtp_err_status_replay_fail:
      return BRAVIS_DROP_REPLAYED;
    case srtp_err_status_replay_old:
    case srtp_err_status_pkt_idx_old:
      return BRAVIS_DROP_TOO_OLD;
    default:
      return BRAVIS_DROP_NO_KEY;
  }
}

BravisDrop
bravis_srtp_sender_protect (BravisSrtpSender *sender, guint8 *data, gsize size,
    gsize *out_size)
{
  srtp_err_status_t status;
  guint64 index = 0;
  int length = size;
  BravisRtp rtp;
  Track *track;

  if (size > G_MAXINT - BRAVIS_SRTP_OVERHEAD
      || !bravis_rtp_read (data, size, &rtp))
    return BRAVIS_DROP_MALFORMED;
  if (!may_send (sender)
      || !bravis_epoch_source_use_key (&sender->source, sender->n_protected))
    return BRAVIS_DROP_NO_KEY;
  track = find_track (sender, rtp.ssrc);
  if (track) {
    index = bravis_srtp_guess_index (track->highest, rtp.sequence);
    if (!place_track (sender, track, index))
      return BRAVIS_DROP_NO_KEY;
  }
  status = srtp_protect_mki (sender->context->srtp, data, &length,
      sender->context->use_mki, 0);
  if (status != srtp_err_status_ok)
    return drop_from_status (status);
  sender->n_protected++;
  note_index (sender, track, &rtp, index);
  *out_size = length;
  return BRAVIS_DROP_NONE;
}

BravisDrop
bravis_srtp_sender_protect_rtcp (BravisSrtpSender *sender, guint8 *data,
    gsize size, gsize *out_size)
{
  srtp_err_status_t status;
  int length = size;
  guint32 ssrc;

  if (size > G_MAXINT - BRAVIS_SRTP_OVERHEAD
      || !bravis_rtcp_read_header (data, size, &ssrc))
    return BRAVIS_DROP_MALFORMED;
  if (!may_send (sender)
      || !bravis_epoch_source_use_key (&sender->source, sender->n_protected))
    return BRAVIS_DROP_NO_KEY;
  status = srtp_protect_rtcp_mki (sender->context->srtp, data, &length,
      sender->context->use_mki, 0);
  if (status != srtp_err_status_ok)
    return drop_from_status (status);
  sender->n_protected++;
  *out_size = length;
  return BRAVIS_DROP_NONE;
}
