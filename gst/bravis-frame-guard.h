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
 * RTP padding (RFC 3550 §5.1) says nothing and is left out: a packet with padding
 * comes out without it.
 *
 * Both are used by one thread at a time. Whether the session has a newer epoch is
 * asked through its serial: one atomic read a packet.
 */
#pragma once

#include "bravis-epoch-source.h"
#include "bravis-replay.h"
#include "bravis-sframe.h"
#include "../keymgmt/bravis-session.h"

G_BEGIN_DECLS

#define BRAVIS_GUARD_OVERHEAD (BRAVIS_SFRAME_MAX_HEADER + BRAVIS_SFRAME_MAX_TAG)

typedef struct _BravisSender BravisSender;
typedef struct _BravisReceiver BravisReceiver;

/* NULL where the suite is not known. */
BravisSender *bravis_sender_new_static (guint suite, guint64 kid,
    const BravisSecret *base_key);
BravisSender *bravis_sender_new_epochs (const BravisEpochSource *source,
    BravisKind kind, guint16 stream);   /* takes what @source holds */
BravisSender *bravis_sender_new_session (BravisSession *session, BravisKind kind,
    guint16 stream);
void bravis_sender_free (BravisSender *sender);
void bravis_sender_set_rtp_header_auth (BravisSender *sender, gboolean on);

/* For a static key under which there was a sender with this KID before: the first
 * counter that was not used yet. */
void bravis_sender_set_counter (BravisSender *sender, guint64 counter);
guint64 bravis_sender_get_counter (BravisSender *sender);       /* the next one */

gsize bravis_sender_get_tag_size (BravisSender *sender);        /* at most */

/* Takes up the session's present epoch, if there is a newer one: to be called at
 * the beginning of a frame, so that a frame is whole under one epoch. TRUE: the
 * epoch is another than before. Waits while a new one is about to come. */
gboolean bravis_sender_take_epoch (BravisSender *sender);
BravisEpoch *bravis_sender_get_epoch (BravisSender *sender);    /* borrowed, or NULL */

/* Of the present key (bravis-sframe.h); NULL: there is none. */
const char *bravis_sender_get_cipher (BravisSender *sender);
const char *bravis_sender_get_provider (BravisSender *sender);

/* In place: @data has @size octets and room for @size + BRAVIS_GUARD_OVERHEAD.
 * The new size goes to @out_size. For RTP, all from the fixed header on. */
BravisDrop bravis_sender_protect_frame (BravisSender *sender, guint8 *data,
    gsize size, gsize *out_size);
BravisDrop bravis_sender_protect_rtp (BravisSender *sender, guint8 *data,
    gsize size, gsize *out_size);

/* The same without moving the payload: @data has BRAVIS_SFRAME_MAX_HEADER octets
 * of room before it and BRAVIS_SFRAME_MAX_TAG behind. What is protected begins
 * @out_before octets before @data. */
BravisDrop bravis_sender_protect_frame_around (BravisSender *sender,
    guint8 *data, gsize size, gsize *out_before, gsize *out_size);
BravisDrop bravis_sender_protect_rtp_around (BravisSender *sender, guint8 *data,
    gsize size, gsize *out_before, gsize *out_size);

/* A static key opens what any KID sends, until bravis_receiver_set_kid () says
 * which one. NULL where the suite is not known. */
BravisReceiver *bravis_receiver_new_static (guint suite,
    const BravisSecret *base_key, guint replay_window);
BravisReceiver *bravis_receiver_new_epochs (const BravisEpochSource *source,
    guint replay_window);
BravisReceiver *bravis_receiver_new_session (BravisSession *session,
    guint replay_window);
void bravis_receiver_free (BravisReceiver *receiver);
void bravis_receiver_set_rtp_header_auth (BravisReceiver *receiver, gboolean on);
void bravis_receiver_set_kid (BravisReceiver *receiver, guint64 kid);
void bravis_receiver_set_kind (BravisReceiver *receiver, BravisKind kind);

/* The name of the member that sends under @kid; NULL with a static key. */
char *bravis_receiver_dup_sender_name (BravisReceiver *receiver, guint64 kid);

/* In place. @kid: whose it is, valid also for most drops (then as claimed).
 * @data is left as it was but for BRAVIS_DROP_FORGED, after which it is of no
 * use: what came before its epoch can be kept and tried again. */
BravisDrop bravis_receiver_open_frame (BravisReceiver *receiver, guint8 *data,
    gsize size, gsize *out_offset, gsize *out_size, guint64 *kid);
BravisDrop bravis_receiver_open_rtp (BravisReceiver *receiver, guint8 *data,
    gsize size, gsize *out_size, guint64 *kid);

/* As above, but the header moves and not the payload: the packet begins
 * @out_offset octets further on. */
BravisDrop bravis_receiver_open_rtp_around (BravisReceiver *receiver,
    guint8 *data, gsize size, gsize *out_offset, gsize *out_size, guint64 *kid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisSender, bravis_sender_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisReceiver, bravis_receiver_free)

G_END_DECLS
