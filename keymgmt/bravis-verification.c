#include "bravis-verification.h"

#include <string.h>

#define CODE_MODULUS 1000000000
#define CODE_TEXT_SIZE 12               /* three groups of three, two spaces, 0 */

typedef struct {
  gboolean committed, revealed;
  guint8 commitment[BRAVIS_HASH_SIZE];
  guint8 number[BRAVIS_HASH_SIZE];
} Part;

struct _BravisVerification {
  BravisEpoch *epoch;
  guint8 shares[BRAVIS_HASH_SIZE];
  guint8 number[BRAVIS_HASH_SIZE];      /* one's own */
  Part *parts;                  /* of each member, in the view's order */
  guint n_committed, n_revealed;
  gboolean spoilt;              /* somebody showed another number */
  char code[CODE_TEXT_SIZE];    /* "": not yet */
};

/* The member's id is in it, so that nobody can repeat another's as its own. */
static void
hash_number (BravisVerification *verification, guint index,
    const guint8 number[BRAVIS_HASH_SIZE], guint8 out[BRAVIS_HASH_SIZE])
{
  GcpView *view = bravis_epoch_get_view (verification->epoch);
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u64 (&writer, bravis_epoch_get_number (verification->epoch));
  gcp_write_u64 (&writer, gcp_view_get_member (view, index)->id);
  gcp_write_bytes (&writer, number, BRAVIS_HASH_SIZE);
  bravis_sha256_label ("verification commitment", writer.array->data,
      writer.array->len, out);
}

BravisVerification *
bravis_verification_new (BravisEpoch *epoch,
    const guint8 shares[BRAVIS_HASH_SIZE], const BravisRandom *random)
{
  BravisVerification *verification = g_new0 (BravisVerification, 1);

  verification->epoch = bravis_epoch_ref (epoch);
  verification->parts = g_new0 (Part, bravis_epoch_get_n_members (epoch));
  memcpy (verification->shares, shares, BRAVIS_HASH_SIZE);
  bravis_random_fill (random, verification->number, BRAVIS_HASH_SIZE);
  return verification;
}

void
bravis_verification_free (BravisVerification *verification)
{
  bravis_epoch_unref (verification->epoch);
  g_free (verification->parts);
  bravis_wipe (verification->number, BRAVIS_HASH_SIZE);
  g_free (verification);
}

void
bravis_verification_commit (BravisVerification *verification,
    BravisGroupMessage *message)
{
  *message = (BravisGroupMessage) { .type = BRAVIS_GROUP_VERIFY_COMMIT,
    .epoch = bravis_epoch_get_number (verification->epoch) };
  hash_number (verification, bravis_epoch_get_self (verification->epoch),
      verification->number, message->digest);
}

static void
reveal (BravisVerification *verification, BravisGroupMessage *message)
{
  *message = (BravisGroupMessage) { .type = BRAVIS_GROUP_VERIFY_REVEAL,
    .epoch = bravis_epoch_get_number (verification->epoch) };
  memcpy (message->digest, verification->number, BRAVIS_HASH_SIZE);
}

static BravisVerificationStep
take_commitment (BravisVerification *verification, Part *part,
    const BravisGroupMessage *message, BravisGroupMessage *answer)
{
  guint n = bravis_epoch_get_n_members (verification->epoch);

  if (part->committed)
    return BRAVIS_VERIFICATION_WAIT;
  part->committed = TRUE;
  memcpy (part->commitment, message->digest, BRAVIS_HASH_SIZE);
  if (++verification->n_committed < n)
    return BRAVIS_VERIFICATION_WAIT;
  reveal (verification, answer);
  return BRAVIS_VERIFICATION_REVEAL;
}

static void
make_code (BravisVerification *verification)
{
  guint8 bits[8];
  guint64 value = 0;
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_bytes (&writer, verification->shares, BRAVIS_HASH_SIZE);
  for (guint i = 0; i < bravis_epoch_get_n_members (verification->epoch); i++)
    gcp_write_bytes (&writer, verification->parts[i].number, BRAVIS_HASH_SIZE);
  bravis_epoch_derive_code (verification->epoch, writer.array->data,
      writer.array->len, bits);
  for (guint i = 0; i < sizeof bits; i++)
    value = value << 8 | bits[i];
  value %= CODE_MODULUS;
  g_snprintf (verification->code, CODE_TEXT_SIZE, "%03u %03u %03u",
      (guint) (value / 1000000), (guint) (value / 1000 % 1000),
      (guint) (value % 1000));
}

/* Before all have committed nobody who is honest reveals. */
static BravisVerificationStep
take_number (BravisVerification *verification, guint index,
    const BravisGroupMessage *message)
{
  guint n = bravis_epoch_get_n_members (verification->epoch);
  Part *part = &verification->parts[index];
  guint8 commitment[BRAVIS_HASH_SIZE];

  if (verification->n_committed < n || part->revealed)
    return BRAVIS_VERIFICATION_WAIT;
  hash_number (verification, index, message->digest, commitment);
  if (memcmp (commitment, part->commitment, BRAVIS_HASH_SIZE) != 0) {
    verification->spoilt = TRUE;
    return BRAVIS_VERIFICATION_BLAME;
  }
  part->revealed = TRUE;
  memcpy (part->number, message->digest, BRAVIS_HASH_SIZE);
  if (++verification->n_revealed < n || verification->spoilt)
    return BRAVIS_VERIFICATION_WAIT;
  make_code (verification);
  return BRAVIS_VERIFICATION_DONE;
}

BravisVerificationStep
bravis_verification_deliver (BravisVerification *verification,
    GcpMemberId from, const BravisGroupMessage *message,
    BravisGroupMessage *answer)
{
  gint index = gcp_view_find (bravis_epoch_get_view (verification->epoch),
      from);

  if (index < 0
      || message->epoch != bravis_epoch_get_number (verification->epoch))
    return BRAVIS_VERIFICATION_WAIT;
  if (message->type == BRAVIS_GROUP_VERIFY_COMMIT)
    return take_commitment (verification, &verification->parts[index], message,
        answer);
  return take_number (verification, index, message);
}

BravisEpoch *
bravis_verification_get_epoch (BravisVerification *verification)
{
  return verification->epoch;
}

const char *
bravis_verification_get_code (BravisVerification *verification)
{
  return *verification->code ? verification->code : NULL;
}
