#include "bravis-aead-provider.h"

#include <gnutls/crypto.h>

static const gnutls_cipher_algorithm_t ciphers[BRAVIS_N_AEADS] = {
  GNUTLS_CIPHER_AES_128_GCM, GNUTLS_CIPHER_AES_256_GCM,
  GNUTLS_CIPHER_CHACHA20_POLY1305
};

typedef struct {
  BravisAead parent;
  gnutls_aead_cipher_hd_t handle;
} Key;

static gboolean
is_usable (void)
{
  return TRUE;
}

static BravisAead *
create (BravisAeadAlgorithm algorithm, const guint8 *key, gsize key_size)
{
  gnutls_datum_t datum = { (guint8 *) key, key_size };
  Key *self = g_new0 (Key, 1);

  if (gnutls_aead_cipher_init (&self->handle, ciphers[algorithm], &datum) < 0) {
    g_free (self);
    return NULL;
  }
  return &self->parent;
}

static void
destroy (BravisAead *aead)
{
  Key *self = (Key *) aead;

  gnutls_aead_cipher_deinit (self->handle);
  g_free (self);
}

static gboolean
encrypt (BravisAead *aead, const guint8 *nonce, const guint8 *aad,
    gsize aad_size, const guint8 *more, gsize more_size, guint8 *data,
    gsize size, guint8 *tag)
{
  const giovec_t parts[2] = { { (void *) aad, aad_size },
    { (void *) more, more_size } };
  giovec_t text = { data, size };
  size_t tag_size = BRAVIS_AEAD_TAG_SIZE;

  return gnutls_aead_cipher_encryptv2 (((Key *) aead)->handle, nonce,
      BRAVIS_AEAD_NONCE_SIZE, parts, more_size ? 2 : 1, &text, 1, tag,
      &tag_size) == 0;
}

static gboolean
decrypt (BravisAead *aead, const guint8 *nonce, const guint8 *aad,
    gsize aad_size, const guint8 *more, gsize more_size, guint8 *data,
    gsize size, const guint8 *tag)
{
  const giovec_t parts[2] = { { (void *) aad, aad_size },
    { (void *) more, more_size } };
  giovec_t text = { data, size };

  return gnutls_aead_cipher_decryptv2 (((Key *) aead)->handle, nonce,
      BRAVIS_AEAD_NONCE_SIZE, parts, more_size ? 2 : 1, &text, 1, (void *) tag,
      BRAVIS_AEAD_TAG_SIZE) == 0;
}

const BravisAeadProvider bravis_aead_gnutls = {
  "gnutls", is_usable, create, destroy, encrypt, decrypt
};
