#include "bravis-pair.h"

#include <string.h>

/* A copy's key is used once, so its nonce need not differ. */
static const guint8 zeros[BRAVIS_NONCE_SIZE];

static void
write_side (GcpWriter *writer, GcpMemberId id, const BravisShare *share)
{
  gcp_write_u64 (writer, id);
  gcp_write_u32 (writer, share->serial);
  gcp_write_bytes (writer, share->public_key, BRAVIS_X25519_SIZE);
}

BravisSecret *
bravis_pair_key_new (const char *conference, GcpMemberId self,
    const BravisShare *own_share, const BravisSecret *own_key,
    GcpMemberId other, const BravisShare *other_share)
{
  g_autoptr (BravisSecret) shared = bravis_x25519 (own_key,
      other_share->public_key);
  g_autoptr (BravisSecret) prk = NULL;
  g_auto (GcpWriter) writer = { NULL };

  if (!shared)
    return NULL;
  prk = bravis_hkdf_extract (NULL, 0, bravis_secret_peek (shared),
      bravis_secret_get_size (shared));
  gcp_writer_init (&writer);
  gcp_write_vector8 (&writer, conference, strlen (conference));
  if (self < other) {
    write_side (&writer, self, own_share);
    write_side (&writer, other, other_share);
  } else {
    write_side (&writer, other, other_share);
    write_side (&writer, self, own_share);
  }
  return bravis_hkdf_expand_label (prk, "pair", writer.array->data,
      writer.array->len, BRAVIS_KEY_SIZE);
}

static BravisSecret *
derive_copy_key (const BravisSecret *pair,
    const guint8 digest[BRAVIS_HASH_SIZE], GcpMemberId from, GcpMemberId to)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_bytes (&writer, digest, BRAVIS_HASH_SIZE);
  gcp_write_u64 (&writer, from);
  gcp_write_u64 (&writer, to);
  return bravis_hkdf_expand_label (pair, "copy", writer.array->data,
      writer.array->len, BRAVIS_KEY_SIZE);
}

void
bravis_pair_seal (const BravisSecret *pair,
    const guint8 digest[BRAVIS_HASH_SIZE], GcpMemberId from, GcpMemberId to,
    const BravisSecret *secret, guint8 copy[BRAVIS_COPY_SIZE])
{
  g_autoptr (BravisSecret) key = derive_copy_key (pair, digest, from, to);

  bravis_aead_seal (key, zeros, NULL, 0, bravis_secret_peek (secret),
      BRAVIS_KEY_SIZE, copy);
}

BravisSecret *
bravis_pair_open (const BravisSecret *pair,
    const guint8 digest[BRAVIS_HASH_SIZE], GcpMemberId from, GcpMemberId to,
    const guint8 copy[BRAVIS_COPY_SIZE])
{
  g_autoptr (BravisSecret) key = derive_copy_key (pair, digest, from, to);
  guint8 secret[BRAVIS_KEY_SIZE];

  if (!bravis_aead_open (key, zeros, NULL, 0, copy, BRAVIS_COPY_SIZE, secret))
    return NULL;
  return bravis_secret_new_take (secret, sizeof secret);
}
