#include "bravis-epoch.h"

#include <string.h>

#define KID_EPOCH_SHIFT 20
#define KID_SENDER_SHIFT 12
#define KID_KIND_SHIFT 10

struct _BravisEpoch {
  gatomicrefcount references;
  guint64 number;
  GcpView *view;
  BravisCard **cards;
  guint self;
  BravisPolicy policy;
  BravisSecret *secret;
  BravisSecret *media;
  BravisSecret *exporter;
  BravisSecret *verification;
  guint8 confirmation[BRAVIS_HASH_SIZE];
  gint sending_closed;          /* atomic */
  gint retired;                 /* atomic */
};

guint64
bravis_kid_pack (const BravisKid *kid)
{
  g_return_val_if_fail (kid->epoch <= BRAVIS_MAX_EPOCH, 0);
  g_return_val_if_fail ((guint) kid->kind < BRAVIS_N_KINDS, 0);
  g_return_val_if_fail (kid->stream < BRAVIS_MAX_STREAMS, 0);
  return kid->epoch << KID_EPOCH_SHIFT
      | (guint64) kid->sender << KID_SENDER_SHIFT
      | (guint64) kid->kind << KID_KIND_SHIFT | kid->stream;
}

void
bravis_kid_unpack (guint64 value, BravisKid *kid)
{
  kid->epoch = value >> KID_EPOCH_SHIFT;
  kid->sender = value >> KID_SENDER_SHIFT & 0xff;
  kid->kind = value >> KID_KIND_SHIFT & 0x3;
  kid->stream = value & 0x3ff;
}

void
bravis_epoch_hash_context (guint64 number, GcpView *view,
    BravisCard *const *cards, const BravisPolicy *policy,
    guint8 out[BRAVIS_HASH_SIZE])
{
  guint n_members = gcp_view_get_n_members (view);
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u64 (&writer, number);
  gcp_write_u64 (&writer, gcp_view_get_number (view));
  bravis_policy_write (policy, &writer);
  gcp_write_u8 (&writer, n_members);
  for (guint i = 0; i < n_members; i++) {
    gcp_write_u64 (&writer, gcp_view_get_member (view, i)->id);
    gcp_write_bytes (&writer, cards[i]->digest, BRAVIS_HASH_SIZE);
  }
  bravis_sha256 (writer.array->data, writer.array->len, out);
}

BravisEpoch *
bravis_epoch_new (guint64 number, GcpView *view, BravisCard *const *cards,
    guint self, const BravisPolicy *policy, const BravisSecret *secret)
{
  guint n_members = gcp_view_get_n_members (view);
  guint8 context[BRAVIS_HASH_SIZE];
  g_autoptr (BravisSecret) prk = NULL;
  g_autoptr (BravisSecret) confirmation = NULL;
  BravisEpoch *epoch;

  g_return_val_if_fail (number <= BRAVIS_MAX_EPOCH, NULL);
  g_return_val_if_fail (self < n_members, NULL);
  g_return_val_if_fail (bravis_secret_get_size (secret) == BRAVIS_KEY_SIZE,
      NULL);

  epoch = g_new0 (BravisEpoch, 1);
  g_atomic_ref_count_init (&epoch->references);
  epoch->number = number;
  epoch->view = gcp_view_ref (view);
  epoch->cards = g_new0 (BravisCard *, n_members);
  for (guint i = 0; i < n_members; i++)
    epoch->cards[i] = bravis_card_ref (cards[i]);
  epoch->self = self;
  epoch->policy = *policy;
  epoch->secret = bravis_secret_ref ((BravisSecret *) secret);

  bravis_epoch_hash_context (number, view, cards, policy, context);
  prk = bravis_hkdf_expand_label (secret, "epoch", context, sizeof context,
      BRAVIS_KEY_SIZE);
  epoch->media = bravis_hkdf_expand_label (prk, "media", NULL, 0,
      BRAVIS_KEY_SIZE);
  confirmation = bravis_hkdf_expand_label (prk, "confirmation", NULL, 0,
      BRAVIS_HASH_SIZE);
  memcpy (epoch->confirmation, bravis_secret_peek (confirmation),
      BRAVIS_HASH_SIZE);
  epoch->exporter = bravis_hkdf_expand_label (prk, "exporter", NULL, 0,
      BRAVIS_KEY_SIZE);
  epoch->verification = bravis_hkdf_expand_label (prk, "verification", NULL, 0,
      BRAVIS_KEY_SIZE);
  return epoch;
}

BravisEpoch *
bravis_epoch_ref (BravisEpoch *epoch)
{
  g_atomic_ref_count_inc (&epoch->references);
  return epoch;
}

void
bravis_epoch_unref (BravisEpoch *epoch)
{
  if (!g_atomic_ref_count_dec (&epoch->references))
    return;
  for (guint i = 0; i < gcp_view_get_n_members (epoch->view); i++)
    bravis_card_unref (epoch->cards[i]);
  g_free (epoch->cards);
  gcp_view_unref (epoch->view);
  bravis_secret_unref (epoch->secret);
  bravis_secret_unref (epoch->media);
  bravis_secret_unref (epoch->exporter);
  bravis_secret_unref (epoch->verification);
  g_free (epoch);
}

guint64
bravis_epoch_get_number (const BravisEpoch *epoch)
{
  return epoch->number;
}

GcpView *
bravis_epoch_get_view (const BravisEpoch *epoch)
{
  return epoch->view;
}

const BravisPolicy *
bravis_epoch_get_policy (const BravisEpoch *epoch)
{
  return &epoch->policy;
}

guint
bravis_epoch_get_n_members (const BravisEpoch *epoch)
{
  return gcp_view_get_n_members (epoch->view);
}

guint
bravis_epoch_get_self (const BravisEpoch *epoch)
{
  return epoch->self;
}

BravisCard *
bravis_epoch_get_card (const BravisEpoch *epoch, guint index)
{
  g_return_val_if_fail (index < bravis_epoch_get_n_members (epoch), NULL);
  return epoch->cards[index];
}

/* NULL where @kid is not of this epoch: keys are made for nobody else. */
static BravisSecret *
derive_media_key (const BravisEpoch *epoch, const char *label, guint64 kid,
    gsize size)
{
  guint64 context = GUINT64_TO_BE (kid);
  BravisKid parts;

  bravis_kid_unpack (kid, &parts);
  if (parts.epoch != epoch->number
      || parts.sender >= bravis_epoch_get_n_members (epoch))
    return NULL;
  return bravis_hkdf_expand_label (epoch->media, label, &context,
      sizeof context, size);
}

BravisSecret *
bravis_epoch_derive_base_key (const BravisEpoch *epoch, guint64 kid)
{
  BravisKid parts;

  bravis_kid_unpack (kid, &parts);
  return derive_media_key (epoch, "base key", kid,
      bravis_cipher_get_key_size (epoch->policy.cipher[parts.kind]));
}

BravisSecret *
bravis_epoch_derive_srtp_key (const BravisEpoch *epoch, guint64 kid, gsize size)
{
  return derive_media_key (epoch, "srtp key", kid, size);
}

BravisSecret *
bravis_epoch_export (const BravisEpoch *epoch, const char *label,
    gconstpointer context, gsize context_size, gsize size)
{
  g_autoptr (BravisSecret) labelled = NULL;
  guint8 digest[BRAVIS_HASH_SIZE];

  g_return_val_if_fail (strlen (label) <= BRAVIS_MAX_EXPORT_LABEL, NULL);
  g_return_val_if_fail (size > 0 && size <= BRAVIS_MAX_EXPORT, NULL);

  labelled = bravis_hkdf_expand_label (epoch->exporter, label, NULL, 0,
      BRAVIS_KEY_SIZE);
  bravis_sha256 (context, context_size, digest);
  return bravis_hkdf_expand_label (labelled, "exported", digest, sizeof digest,
      size);
}

void
bravis_epoch_derive_code (const BravisEpoch *epoch, gconstpointer numbers,
    gsize size, guint8 out[8])
{
  guint8 digest[BRAVIS_HASH_SIZE];
  g_autoptr (BravisSecret) code = NULL;

  bravis_sha256 (numbers, size, digest);
  code = bravis_hkdf_expand_label (epoch->verification, "code", digest,
      sizeof digest, 8);
  memcpy (out, bravis_secret_peek (code), 8);
}

const guint8 *
bravis_epoch_get_confirmation (const BravisEpoch *epoch)
{
  return epoch->confirmation;
}

void
bravis_epoch_close_sending (BravisEpoch *epoch)
{
  g_atomic_int_set (&epoch->sending_closed, TRUE);
}

gboolean
bravis_epoch_is_sending_closed (const BravisEpoch *epoch)
{
  return g_atomic_int_get (&epoch->sending_closed);
}

void
bravis_epoch_retire (BravisEpoch *epoch)
{
  g_atomic_int_set (&epoch->sending_closed, TRUE);
  g_atomic_int_set (&epoch->retired, TRUE);
}

gboolean
bravis_epoch_is_retired (const BravisEpoch *epoch)
{
  return g_atomic_int_get (&epoch->retired);
}

const BravisSecret *
bravis_epoch_get_secret (const BravisEpoch *epoch)
{
  return epoch->secret;
}
