#include "bravis-policy.h"

#include "bravis-error.h"

#include <string.h>

static const char *const kinds[BRAVIS_N_KINDS] = {
  [BRAVIS_KIND_VIDEO] = "video",
  [BRAVIS_KIND_AUDIO] = "audio",
  [BRAVIS_KIND_WHITEBOARD] = "whiteboard",
  [BRAVIS_KIND_SIGNALLING] = "signalling",
};

static const struct {
  BravisCipher cipher;
  const char *name;
  gsize key_size;               /* octets */
  gboolean is_weak;             /* must be asked for */
} ciphers[] = {
  { BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_80, "aes-128-ctr-hmac-sha256-80", 16, FALSE },
  { BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_64, "aes-128-ctr-hmac-sha256-64", 16, TRUE },
  { BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32, "aes-128-ctr-hmac-sha256-32", 16, TRUE },
  { BRAVIS_CIPHER_AES_128_GCM, "aes-128-gcm", 16, FALSE },
  { BRAVIS_CIPHER_AES_256_GCM, "aes-256-gcm", 32, FALSE },
  { BRAVIS_CIPHER_CHACHA20_POLY1305, "chacha20-poly1305", 32, FALSE },
  { BRAVIS_CIPHER_PUZZLE, "puzzle", 32, TRUE },
};

void
bravis_policy_init (BravisPolicy *policy)
{
  policy->level = BRAVIS_POLICY_LEVEL_ALL;
  for (guint i = 0; i < BRAVIS_N_KINDS; i++)
    policy->cipher[i] = BRAVIS_CIPHER_AES_128_GCM;
}

gboolean
bravis_policy_equal (const BravisPolicy *a, const BravisPolicy *b)
{
  if (a->level != b->level)
    return FALSE;
  for (guint i = 0; i < BRAVIS_N_KINDS; i++)
    if (a->cipher[i] != b->cipher[i])
      return FALSE;
  return TRUE;
}

void
bravis_policy_write (const BravisPolicy *policy, GcpWriter *writer)
{
  gcp_write_u8 (writer, policy->level);
  for (guint i = 0; i < BRAVIS_N_KINDS; i++)
    gcp_write_u8 (writer, policy->cipher[i]);
}

void
bravis_policy_read (BravisPolicy *policy, GcpReader *reader)
{
  policy->level = gcp_read_u8 (reader);
  if (policy->level != BRAVIS_POLICY_LEVEL_ALL)
    gcp_reader_fail (reader);
  for (guint i = 0; i < BRAVIS_N_KINDS; i++) {
    policy->cipher[i] = gcp_read_u8 (reader);
    if (!bravis_cipher_to_string (policy->cipher[i]))
      gcp_reader_fail (reader);
  }
}

static gboolean
is_weak (BravisCipher cipher)
{
  for (guint i = 0; i < G_N_ELEMENTS (ciphers); i++)
    if (ciphers[i].cipher == cipher)
      return ciphers[i].is_weak;
  return TRUE;
}

gboolean
bravis_policy_check (const BravisPolicy *policy, const BravisPolicy *own,
    GError **error)
{
  for (guint i = 0; i < BRAVIS_N_KINDS; i++) {
    BravisCipher cipher = policy->cipher[i];

    if (!is_weak (cipher) || cipher == own->cipher[i])
      continue;
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_POLICY,
        "the group protects %s with %s, which is weak: only who has that in its own "
        "policy joins", kinds[i], bravis_cipher_to_string (cipher));
    return FALSE;
  }
  return TRUE;
}

const char *
bravis_kind_to_string (BravisKind kind)
{
  g_return_val_if_fail ((guint) kind < BRAVIS_N_KINDS, NULL);
  return kinds[kind];
}

const char *
bravis_cipher_to_string (BravisCipher cipher)
{
  for (guint i = 0; i < G_N_ELEMENTS (ciphers); i++)
    if (ciphers[i].cipher == cipher)
      return ciphers[i].name;
  return NULL;
}

gboolean
bravis_cipher_from_string (const char *text, BravisCipher *cipher)
{
  for (guint i = 0; i < G_N_ELEMENTS (ciphers); i++)
    if (strcmp (ciphers[i].name, text) == 0) {
      *cipher = ciphers[i].cipher;
      return TRUE;
    }
  return FALSE;
}

BravisCipher
bravis_cipher_choose (gboolean processor_has_aes)
{
  return processor_has_aes ? BRAVIS_CIPHER_AES_128_GCM
      : BRAVIS_CIPHER_CHACHA20_POLY1305;
}

gsize
bravis_cipher_get_key_size (BravisCipher cipher)
{
  for (guint i = 0; i < G_N_ELEMENTS (ciphers); i++)
    if (ciphers[i].cipher == cipher)
      return ciphers[i].key_size;
  g_return_val_if_reached (0);
}

guint
bravis_cipher_get_suite (BravisCipher cipher)
{
  switch (cipher) {
    case BRAVIS_CIPHER_CHACHA20_POLY1305:
      return BRAVIS_SUITE_CHACHA20_POLY1305;
    case BRAVIS_CIPHER_PUZZLE:
      return BRAVIS_SUITE_PUZZLE;
    default:
      return cipher;
  }
}
