/* bravis-srtp.h: protects and opens RTP packets with SRTP (RFC 3711, RFC 7714),
 * under a static key or a session's epochs
 *
 * A coat over libsrtp2. With a static key the packets have no MKI, as the stock
 * elements want it. With a session the MKI is the KID of bravis-epoch.h, 8 octets:
 * it says whose packet it is and under which epoch, so a receiver finds the key by
 * it, and nothing else has to be agreed upon.
 *
 * At a key change each SSRC goes on with its roll-over counter, as RFC 3711 has it;
 * sender and receiver carry it from one epoch's libsrtp context into the next.
 * Contexts of old epochs, and their replay windows, stay until the epoch is
 * retired. Who comes later does not know the roll-over counter: the receiver tries
 * some for an SSRC that it never opened anything of.
 *
 * Each is used by one thread at a time.
 */
#pragma once

#include "bravis-epoch-source.h"
#include "../keymgmt/bravis-session.h"

G_BEGIN_DECLS

typedef enum {
  BRAVIS_SRTP_AES_128_GCM,
  BRAVIS_SRTP_AES_256_GCM,
  BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_80,
  BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_32
} BravisSrtpProfile;

#define BRAVIS_SRTP_MKI_SIZE 8
#define BRAVIS_SRTP_OVERHEAD (BRAVIS_SRTP_MKI_SIZE + 16 + 4)    /* SRTCP has an index */
#define BRAVIS_SRTP_MIN_WINDOW 64       /* libsrtp2 takes no smaller one */
#define BRAVIS_SRTP_MAX_WINDOW 32767    /* and no larger one */

const char *bravis_srtp_profile_to_string (BravisSrtpProfile profile);

/* What a session's policy comes to where it is SRTP: the same, or what SRTP has that is
 * no weaker. Always AES-GCM, where the MKI is at the end of a packet. */
BravisSrtpProfile bravis_srtp_profile_of_cipher (BravisCipher cipher);

/* Master key and master salt, one after the other. */
gsize bravis_srtp_key_size (BravisSrtpProfile profile);

typedef struct _BravisSrtpSender BravisSrtpSender;
typedef struct _BravisSrtpReceiver BravisSrtpReceiver;

/* @window: how far behind the newest packet an upstream that reorders may come;
 * no packet index is used twice. NULL where the key has the wrong size. */
BravisSrtpSender *bravis_srtp_sender_new_static (BravisSrtpProfile profile,
    const BravisSecret *key, guint window);
BravisSrtpSender *bravis_srtp_sender_new_epochs (const BravisEpochSource *source,
    BravisKind kind, guint16 stream, guint window);
BravisSrtpSender *bravis_srtp_sender_new_session (BravisSession *session,
    BravisKind kind, guint16 stream, guint window);
void bravis_srtp_sender_free (BravisSrtpSender *sender);

/* "aes-128-gcm" ...; of a session's sender NULL while there is no key. */
const char *bravis_srtp_sender_get_cipher (BravisSrtpSender *sender);

/* At the beginning of a frame. TRUE: the epoch is another than before. */
gboolean bravis_srtp_sender_take_epoch (BravisSrtpSender *sender);

/* In place: room for @size + BRAVIS_SRTP_OVERHEAD. @data is aligned to 4. */
BravisDrop bravis_srtp_sender_protect (BravisSrtpSender *sender, guint8 *data,
    gsize size, gsize *out_size);

/* The same for a compound of RTCP, as SRTCP. */
BravisDrop bravis_srtp_sender_protect_rtcp (BravisSrtpSender *sender, guint8 *data,
    gsize size, gsize *out_size);

BravisSrtpReceiver *bravis_srtp_receiver_new_static (BravisSrtpProfile profile,
    const BravisSecret *key, guint window);
BravisSrtpReceiver *bravis_srtp_receiver_new_epochs
    (const BravisEpochSource *source, guint window);
BravisSrtpReceiver *bravis_srtp_receiver_new_session (BravisSession *session,
    guint window);
void bravis_srtp_receiver_free (BravisSrtpReceiver *receiver);
void bravis_srtp_receiver_set_kind (BravisSrtpReceiver *receiver,
    BravisKind kind);
char *bravis_srtp_receiver_dup_sender_name (BravisSrtpReceiver *receiver,
    guint64 kid);

/* In place, @data aligned to 4. @data is left as it was but for
 * BRAVIS_DROP_FORGED. @kid: as in the MKI, 0 with a static key. */
BravisDrop bravis_srtp_receiver_open (BravisSrtpReceiver *receiver, guint8 *data,
    gsize size, gsize *out_size, guint64 *kid);

/* The same for SRTCP. */
BravisDrop bravis_srtp_receiver_open_rtcp (BravisSrtpReceiver *receiver,
    guint8 *data, gsize size, gsize *out_size, guint64 *kid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisSrtpSender, bravis_srtp_sender_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisSrtpReceiver, bravis_srtp_receiver_free)

G_END_DECLS
