/* bravis-epoch.h: view, policy and keys, as one immutable object
 *
 * An epoch is made by a key change and never altered; only two marks are set on
 * it later, once each: that nothing may be sent under it any more, and that it
 * is retired. Reference counted, used from any thread without a lock.
 *
 * Epoch secret: E, 32 octets drawn by the token holder. Everything else by
 *   context = u64 epoch number | u64 view number | u8 policy level | u8 cipher
 *             for each kind | u8 number of members | for each member, in the
 *             view's order, u64 id | 32 octets card digest
 *   epoch prk    = expand_label (E, "epoch", SHA-256 (context), 32)
 *   media prk    = expand_label (epoch prk, "media", "", 32)
 *   base key     = expand_label (media prk, "base key", u64 KID, 16 for
 *                  AES-128-GCM, 32 for AES-256-GCM)
 *   srtp key     = expand_label (media prk, "srtp key", u64 KID, as many as the
 *                  SRTP profile's master key and salt)
 *   confirmation = expand_label (epoch prk, "confirmation", "", 32)
 *   exporter     = expand_label (epoch prk, "exporter", "", 32)
 *     exported   = expand_label (expand_label (exporter, label, "", 32), "exported",
 *                  SHA-256 (context), as many as wanted)
 *   verification = expand_label (epoch prk, "verification", "", 32)
 *     code       = expand_label (verification, "code", SHA-256 (what the members
 *                  drew for it), 8): bravis-verification.h
 *
 * KID (RFC 9605 §4.4.1): epoch number << 20 | sender's index in the view << 12 |
 * kind << 10 | stream number. A sender never reuses a stream number while it is
 * a member, so no key is ever used by two counters.
 */
#pragma once

#include "bravis-card.h"
#include "bravis-policy.h"

G_BEGIN_DECLS

#define BRAVIS_MAX_STREAMS 1024         /* stream numbers of one member */
#define BRAVIS_MAX_EPOCH ((G_GUINT64_CONSTANT (1) << 44) - 1)

#define BRAVIS_MAX_EXPORT_LABEL 128
#define BRAVIS_MAX_EXPORT 8160          /* octets: 255 hashes, RFC 5869 §2.3 */

typedef struct _BravisEpoch BravisEpoch;

typedef struct {
  guint64 epoch;
  guint8 sender;                /* index in the epoch's view */
  BravisKind kind;
  guint16 stream;
} BravisKid;

guint64 bravis_kid_pack (const BravisKid *kid);
void bravis_kid_unpack (guint64 value, BravisKid *kid);

/* SHA-256 of the context above: what all members must agree about before they
 * use a secret. @cards: as many as the view's members, in its order. */
void bravis_epoch_hash_context (guint64 number, GcpView *view,
    BravisCard *const *cards, const BravisPolicy *policy,
    guint8 out[BRAVIS_HASH_SIZE]);

/* @cards: as many as the view's members, in its order; @self: own index. */
BravisEpoch *bravis_epoch_new (guint64 number, GcpView *view,
    BravisCard *const *cards, guint self, const BravisPolicy *policy,
    const BravisSecret *secret);
BravisEpoch *bravis_epoch_ref (BravisEpoch *epoch);
void bravis_epoch_unref (BravisEpoch *epoch);

guint64 bravis_epoch_get_number (const BravisEpoch *epoch);
GcpView *bravis_epoch_get_view (const BravisEpoch *epoch);      /* borrowed */
const BravisPolicy *bravis_epoch_get_policy (const BravisEpoch *epoch);
guint bravis_epoch_get_n_members (const BravisEpoch *epoch);
guint bravis_epoch_get_self (const BravisEpoch *epoch);
BravisCard *bravis_epoch_get_card (const BravisEpoch *epoch, guint index);

/* The SFrame base key (RFC 9605 §4.4.2) for a KID of this epoch; NULL where the
 * KID names another epoch, or no member. */
BravisSecret *bravis_epoch_derive_base_key (const BravisEpoch *epoch, guint64 kid);
BravisSecret *bravis_epoch_derive_srtp_key (const BravisEpoch *epoch, guint64 kid,
    gsize size);

/* A key for the application (RFC 5705, RFC 9420 §8.5): other labels and contexts
 * give other keys, and none tells anything of another or of the epoch's own. @label:
 * at most BRAVIS_MAX_EXPORT_LABEL octets; @size: 1 to BRAVIS_MAX_EXPORT octets. */
BravisSecret *bravis_epoch_export (const BravisEpoch *epoch, const char *label,
    gconstpointer context, gsize context_size, gsize size);

/* For bravis-verification.h. */
void bravis_epoch_derive_code (const BravisEpoch *epoch, gconstpointer numbers,
    gsize size, guint8 out[8]);

/* 32 octets that only who has the secret and the context can know. They go with
 * the key change, so they are no secret among those who can read it. */
const guint8 *bravis_epoch_get_confirmation (const BravisEpoch *epoch);

/* Set once, by the session: a member of this epoch is gone and the transition is
 * over (senders drop from here on), or the grace time is over (receivers drop
 * too). Read by elements for each packet. */
void bravis_epoch_close_sending (BravisEpoch *epoch);
gboolean bravis_epoch_is_sending_closed (const BravisEpoch *epoch);
void bravis_epoch_retire (BravisEpoch *epoch);
gboolean bravis_epoch_is_retired (const BravisEpoch *epoch);

/* For the key log, and for tests that look for secrets where none may be. */
const BravisSecret *bravis_epoch_get_secret (const BravisEpoch *epoch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisEpoch, bravis_epoch_unref)

G_END_DECLS
