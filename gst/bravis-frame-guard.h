/* bravis-frame-guard.h: protects and opens frames and RTP packets with SFrame,
 * under a static key or a session's epochs
 *
 * BravisSender: one stream of one's own. It owns the counter, so no (key, counter)
 * is used twice: the counter starts at 0 under each new key and only grows.
 * BravisReceiver: any number of senders and streams, told apart by KID; it owns the
 * replay windows.
 *
 * A guarded frame is SFrame header | ciphertext | tag. A guarded RTP packet keeps
 * its header (CSRCs and extension included) and has header | ciphertext | tag as its
 * payload; with rtp_header_auth the RTP header up to the payload is the SFrame
 * metadata (RFC 9605 §4.4 "metadata"), so it cannot be altered on the way.
 *
 * Both are used by one thread at a time. The session's epoch is looked at through
 * bravis_session_get_epoch_serial (): one atomic read a packet.
 */
#pragma once

#include "bravis-replay.h"
#include "bravis-sframe.h"
#include "../keymgmt/bravis-session-media.h"

G_BEGIN_DECLS

#define BRAVIS_GUARD_OVERHEAD (BRAVIS_SFRAME_MAX_HEADER + BRAVIS_SFRAME_MAX_TAG)

/* Why a frame was dropped. Stats have one counter for each. */
typedef enum {
  BRAVIS_DROP_NONE = 0,
  BRAVIS_DROP_MALFORMED,        /* not RTP, or not SFrame */
  BRAVIS_DROP_UNKNOWN_EPOCH,    /* no key for it: not yet, or not any more */
  BRAVIS_DROP_UNKNOWN_SENDER,   /* KID names no member, or oneself */
  BRAVIS_DROP_REPLAYED,
  BRAVIS_DROP_FORGED,           /* the tag is wrong */
  BRAVIS_DROP_NO_KEY,           /* sender: no epoch yet, or sending is closed */
  BRAVIS_DROP_POLICY            /* not allowed by the epoch's policy */
} BravisDrop;

#define BRAVIS_N_DROPS 8

const char *bravis_drop_to_string (BravisDrop drop);    /* "replayed" ... */

typedef struct _BravisSender BravisSender;
typedef struct _BravisReceiver BravisReceiver;

BravisSender *bravis_sender_new_static (guint suite, guint64 kid,
    const BravisSecret *base_key);
BravisSender *bravis_sender_new_session (BravisSession *session, BravisKind kind,
    guint16 stream);
void bravis_sender_free (BravisSender *sender);
void bravis_sender_set_rtp_header_auth (BravisSender *sender, gboolean on);

/* Takes up the session's present epoch, if there is a newer one: to be called at
 * the beginning of a frame, so that a frame is whole under one epoch. TRUE: the
 * epoch is another than before. */
gboolean bravis_sender_take_epoch (BravisSender *sender);
BravisEpoch *bravis_sender_get_epoch (BravisSender *sender);    /* borrowed, or NULL */

/* In place: @data has @size octets and room for @size + BRAVIS_GUARD_OVERHEAD.
 * The new size goes to @out_size. For RTP, all from the fixed header on. */
BravisDrop bravis_sender_protect_frame (BravisSender *sender, guint8 *data,
    gsize size, gsize *out_size);
BravisDrop bravis_sender_protect_rtp (BravisSender *sender, guint8 *data,
    gsize size, gsize *out_size);

BravisReceiver *bravis_receiver_new_static (guint suite, guint64 kid,
    const BravisSecret *base_key, guint replay_window);
BravisReceiver *bravis_receiver_new_session (BravisSession *session,
    guint replay_window);
void bravis_receiver_free (BravisReceiver *receiver);
void bravis_receiver_set_rtp_header_auth (BravisReceiver *receiver, gboolean on);

/* In place. @kid: whose it is, valid also for most drops (then as claimed). */
BravisDrop bravis_receiver_open_frame (BravisReceiver *receiver, guint8 *data,
    gsize size, gsize *out_offset, gsize *out_size, guint64 *kid);
BravisDrop bravis_receiver_open_rtp (BravisReceiver *receiver, guint8 *data,
    gsize size, gsize *out_size, guint64 *kid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisSender, bravis_sender_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisReceiver, bravis_receiver_free)

G_END_DECLS
