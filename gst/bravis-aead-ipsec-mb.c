/* bravis-aead-ipsec-mb.c: by Intel's Multi-Buffer Crypto for IPsec
 *
 * Only its functions for a single message are used; its manager is but the table of
 * them that fits the processor. */
#include "bravis-aead-provider.h"

#include <intel-ipsec-mb.h>
#include <string.h>

#include "../keymgmt/bravis-crypto.h"

/* Associated data in two parts, that must be in one piece. */
#define SMALL_AAD 512

typedef struct {
  BravisAead parent;
  BravisAeadAlgorithm algorithm;
  struct gcm_key_data *gcm;     /* of the AES ones */
  guint8 chacha[32];            /* of the other */
} Key;

static IMB_MGR *manager;

static gboolean
is_usable (void)
{
  const guint64 needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
  IMB_ARCH arch = IMB_ARCH_NONE;

  manager = alloc_mb_mgr (0);
  if (!manager)
    return FALSE;
  if ((manager->features & needed) == needed)
    init_mb_mgr_auto (manager, &arch);
  if (arch > IMB_ARCH_NOAESNI && imb_get_errno (manager) == 0)
    return TRUE;
  g_clear_pointer (&manager, free_mb_mgr);
  return FALSE;
}

static BravisAead *
create (BravisAeadAlgorithm algorithm, const guint8 *key, gsize key_size)
{
  Key *self = g_new0 (Key, 1);

  self->algorithm = algorithm;
  if (algorithm == BRAVIS_AEAD_CHACHA20_POLY1305) {
    memcpy (self->chacha, key, sizeof self->chacha);
    return &self->parent;
  }
  self->gcm = g_aligned_alloc0 (1, sizeof *self->gcm, 64);
  if (algorithm == BRAVIS_AEAD_AES_128_GCM)
    IMB_AES128_GCM_PRE (manager, key, self->gcm);
  else
    IMB_AES256_GCM_PRE (manager, key, self->gcm);
  return &self->parent;
}

static void
destroy (BravisAead *aead)
{
  Key *self = (Key *) aead;

  if (self->gcm)
    bravis_wipe (self->gcm, sizeof *self->gcm);
  g_aligned_free (self->gcm);
  bravis_wipe (self, sizeof *self);
  g_free (self);
}

/* Both parts in one piece: in @small if they fit there. */
static guint8 *
join (const guint8 *aad, gsize aad_size, const guint8 *more, gsize more_size,
    guint8 small[SMALL_AAD])
{
  guint8 *joint = aad_size + more_size <= SMALL_AAD ? small
      : g_malloc (aad_size + more_size);

  memcpy (joint, aad, aad_size);
  memcpy (joint + aad_size, more, more_size);
  return joint;
}

static void
crypt_gcm (Key *self, gboolean encrypt, const guint8 *nonce, const guint8 *aad,
    gsize aad_size, guint8 *data, gsize size, guint8 *tag)
{
  struct gcm_context_data context;

  if (self->algorithm == BRAVIS_AEAD_AES_128_GCM && encrypt)
    IMB_AES128_GCM_ENC (manager, self->gcm, &context, data, data, size, nonce,
        aad, aad_size, tag, BRAVIS_AEAD_TAG_SIZE);
  else if (self->algorithm == BRAVIS_AEAD_AES_128_GCM)
    IMB_AES128_GCM_DEC (manager, self->gcm, &context, data, data, size, nonce,
        aad, aad_size, tag, BRAVIS_AEAD_TAG_SIZE);
  else if (encrypt)
    IMB_AES256_GCM_ENC (manager, self->gcm, &context, data, data, size, nonce,
        aad, aad_size, tag, BRAVIS_AEAD_TAG_SIZE);
  else
    IMB_AES256_GCM_DEC (manager, self->gcm, &context, data, data, size, nonce,
        aad, aad_size, tag, BRAVIS_AEAD_TAG_SIZE);
}

static void
crypt_chacha (Key *self, gboolean encrypt, const guint8 *nonce,
    const guint8 *aad, gsize aad_size, guint8 *data, gsize size, guint8 *tag)
{
  struct chacha20_poly1305_context_data context;

  IMB_CHACHA20_POLY1305_INIT (manager, self->chacha, &context, nonce, aad,
      aad_size);
  if (encrypt)
    IMB_CHACHA20_POLY1305_ENC_UPDATE (manager, self->chacha, &context, data,
        data, size);
  else
    IMB_CHACHA20_POLY1305_DEC_UPDATE (manager, self->chacha, &context, data,
        data, size);
  IMB_CHACHA20_POLY1305_ENC_FINALIZE (manager, &context, tag,
      BRAVIS_AEAD_TAG_SIZE);
  bravis_wipe (&context, sizeof context);
}

static void
crypt_message (Key *self, gboolean encrypt, const guint8 *nonce,
    const guint8 *aad, gsize aad_size, const guint8 *more, gsize more_size,
    guint8 *data, gsize size, guint8 *tag)
{
  guint8 small[SMALL_AAD], *joint = NULL;

  if (more_size > 0) {
    joint = join (aad, aad_size, more, more_size, small);
    aad = joint;
    aad_size += more_size;
  }
  if (self->gcm)
    crypt_gcm (self, encrypt, nonce, aad, aad_size, data, size, tag);
  else
    crypt_chacha (self, encrypt, nonce, aad, aad_size, data, size, tag);
  if (joint != small)
    g_free (joint);
}

static gboolean
encrypt_message (BravisAead *aead, const guint8 *nonce, const guint8 *aad,
    gsize aad_size, const guint8 *more, gsize more_size, guint8 *data,
    gsize size, guint8 *tag)
{
  crypt_message ((Key *) aead, TRUE, nonce, aad, aad_size, more, more_size,
      data, size, tag);
  return TRUE;
}

static gboolean
decrypt_message (BravisAead *aead, const guint8 *nonce, const guint8 *aad,
    gsize aad_size, const guint8 *more, gsize more_size, guint8 *data,
    gsize size, const guint8 *tag)
{
  guint8 computed[BRAVIS_AEAD_TAG_SIZE];

  crypt_message ((Key *) aead, FALSE, nonce, aad, aad_size, more, more_size,
      data, size, computed);
  if (bravis_equal_constant_time (computed, tag, BRAVIS_AEAD_TAG_SIZE))
    return TRUE;
  memset (data, 0, size);
  return FALSE;
}

const BravisAeadProvider bravis_aead_ipsec_mb = {
  "ipsec-mb", is_usable, create, destroy, encrypt_message, decrypt_message
};
