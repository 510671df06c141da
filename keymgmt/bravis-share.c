#include "bravis-share.h"

#include <string.h>

#define LABEL "share"

/* What a later one's signature is over. */
static GBytes *
signed_part (const guint8 card_digest[BRAVIS_HASH_SIZE], guint32 serial,
    const guint8 public_key[BRAVIS_X25519_SIZE])
{
  GcpWriter writer;

  gcp_writer_init (&writer);
  gcp_write_bytes (&writer, card_digest, BRAVIS_HASH_SIZE);
  gcp_write_u32 (&writer, serial);
  gcp_write_bytes (&writer, public_key, BRAVIS_X25519_SIZE);
  return gcp_writer_finish (&writer);
}

BravisShare *
bravis_share_new_of_card (const guint8 public_key[BRAVIS_X25519_SIZE])
{
  BravisShare *share = g_new0 (BravisShare, 1);

  share->serial = BRAVIS_FIRST_SHARE;
  memcpy (share->public_key, public_key, BRAVIS_X25519_SIZE);
  share->signature = g_bytes_new (NULL, 0);
  return share;
}

BravisShare *
bravis_share_new_first (const BravisRandom *random, BravisSecret **private_key)
{
  guint8 public_key[BRAVIS_X25519_SIZE];

  *private_key = bravis_x25519_generate (random, public_key);
  return bravis_share_new_of_card (public_key);
}

BravisShare *
bravis_share_new (BravisIdentity *identity,
    const guint8 card_digest[BRAVIS_HASH_SIZE], guint32 serial,
    const BravisRandom *random, BravisSecret **private_key, GError **error)
{
  g_autoptr (BravisShare) share = g_new0 (BravisShare, 1);
  g_autoptr (BravisSecret) drawn = NULL;
  g_autoptr (GBytes) part = NULL;

  share->serial = serial;
  drawn = bravis_x25519_generate (random, share->public_key);
  part = signed_part (card_digest, serial, share->public_key);
  share->signature = bravis_identity_sign (identity, LABEL,
      g_bytes_get_data (part, NULL), g_bytes_get_size (part), error);
  if (share->signature == NULL)
    return NULL;
  *private_key = g_steal_pointer (&drawn);
  return g_steal_pointer (&share);
}

BravisShare *
bravis_share_copy (const BravisShare *share)
{
  BravisShare *copy = g_memdup2 (share, sizeof *share);

  copy->signature = g_bytes_ref (share->signature);
  return copy;
}

void
bravis_share_free (BravisShare *share)
{
  g_clear_pointer (&share->signature, g_bytes_unref);
  g_free (share);
}

gboolean
bravis_share_equal (const BravisShare *a, const BravisShare *b)
{
  return a->serial == b->serial
      && memcmp (a->public_key, b->public_key, BRAVIS_X25519_SIZE) == 0
      && g_bytes_equal (a->signature, b->signature);
}

void
bravis_share_write (const BravisShare *share, GcpWriter *writer)
{
  gsize size;
  gconstpointer signature = g_bytes_get_data (share->signature, &size);

  gcp_write_u32 (writer, share->serial);
  gcp_write_bytes (writer, share->public_key, BRAVIS_X25519_SIZE);
  gcp_write_vector16 (writer, signature, size);
}

BravisShare *
bravis_share_read (GcpReader *reader)
{
  g_autoptr (BravisShare) share = g_new0 (BravisShare, 1);
  const guint8 *signature;
  gsize size;

  share->serial = gcp_read_u32 (reader);
  gcp_read_bytes (reader, share->public_key, BRAVIS_X25519_SIZE);
  signature = gcp_read_vector16 (reader, BRAVIS_MAX_SIGNATURE, &size);
  if (share->serial == 0 || bravis_x25519_is_low_order (share->public_key)
      || (share->serial == BRAVIS_FIRST_SHARE) != (size == 0))
    gcp_reader_fail (reader);
  if (signature == NULL || reader->failed)
    return NULL;
  share->signature = g_bytes_new (signature, size);
  return g_steal_pointer (&share);
}

gboolean
bravis_share_verify (const BravisShare *share,
    const guint8 card_digest[BRAVIS_HASH_SIZE], BravisCertificate *certificate,
    GError **error)
{
  g_autoptr (GBytes) part = signed_part (card_digest, share->serial,
      share->public_key);

  return bravis_certificate_verify_signature (certificate, LABEL,
      g_bytes_get_data (part, NULL), g_bytes_get_size (part),
      g_bytes_get_data (share->signature, NULL),
      g_bytes_get_size (share->signature), error);
}
