#include "bravis-srtp-context.h"

#include <string.h>

BravisSrtpProfile
bravis_srtp_profile_of_cipher (BravisCipher cipher)
{
  return cipher == BRAVIS_CIPHER_AES_256_GCM
      || cipher == BRAVIS_CIPHER_CHACHA20_POLY1305
      ? BRAVIS_SRTP_AES_256_GCM : BRAVIS_SRTP_AES_128_GCM;
}

const char *
bravis_srtp_profile_to_string (BravisSrtpProfile profile)
{
  static const char *const names[] = { "aes-128-gcm", "aes-256-gcm",
    "aes-128-cm-hmac-sha1-80", "aes-128-cm-hmac-sha1-32" };

  return names[profile];
}

gsize
bravis_srtp_key_size (BravisSrtpProfile profile)
{
  switch (profile) {
    case BRAVIS_SRTP_AES_128_GCM:
      return SRTP_AES_GCM_128_KEY_LEN_WSALT;
    case BRAVIS_SRTP_AES_256_GCM:
      return SRTP_AES_GCM_256_KEY_LEN_WSALT;
    default:
      return SRTP_AES_ICM_128_KEY_LEN_WSALT;
  }
}

static void
set_crypto (srtp_crypto_policy_t *crypto, BravisSrtpProfile profile)
{
  switch (profile) {
    case BRAVIS_SRTP_AES_128_GCM:
      srtp_crypto_policy_set_aes_gcm_128_16_auth (crypto);
      break;
    case BRAVIS_SRTP_AES_256_GCM:
      srtp_crypto_policy_set_aes_gcm_256_16_auth (crypto);
      break;
    case BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_32:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32 (crypto);
      break;
    default:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80 (crypto);
      break;
  }
}

/* libsrtp2 is set up once in a process, and says no the second time, which may
 * be ours: the stock elements set it up too. If it really failed, no context can
 * be made, and that is seen there.
 *
 * Where libsrtp2 stands on NSS, its ciphers are loaded with the first context and
 * unloaded with the last one, which takes 200 times as long as making a context:
 * so one stays for the life of the process. Its key is all zeros and opens
 * nothing. */
static void
init_srtp (void)
{
  static gsize done = 0;
  static srtp_t anchor = NULL;
  guint8 zeros[SRTP_AES_GCM_128_KEY_LEN_WSALT] = { 0, };
  srtp_policy_t policy = { 0, };

  if (!g_once_init_enter (&done))
    return;
  srtp_init ();
  set_crypto (&policy.rtp, BRAVIS_SRTP_AES_128_GCM);
  set_crypto (&policy.rtcp, BRAVIS_SRTP_AES_128_GCM);
  policy.ssrc.type = ssrc_any_inbound;
  policy.key = zeros;
  srtp_create (&anchor, &policy);
  g_once_init_leave (&done, 1);
}

BravisSrtpContext *
bravis_srtp_context_new (BravisSrtpProfile profile, const BravisSecret *key,
    const guint64 *mki, srtp_ssrc_type_t direction, guint window)
{
  g_autoptr (BravisSrtpContext) context = NULL;
  guint64 big_endian;

  if (bravis_secret_get_size (key) != bravis_srtp_key_size (profile))
    return NULL;
  init_srtp ();
  context = g_new0 (BravisSrtpContext, 1);
  context->profile = profile;
  context->key = bravis_secret_ref ((BravisSecret *) key);
  context->policy.ssrc.type = direction;
  context->policy.window_size =
      CLAMP (window, BRAVIS_SRTP_MIN_WINDOW, BRAVIS_SRTP_MAX_WINDOW);
  set_crypto (&context->policy.rtp, profile);
  /* RTCP has tags of 80 bits in any case (RFC 4568 §6.2.2). */
  set_crypto (&context->policy.rtcp,
      profile == BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_32
      ? BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_80 : profile);
  context->master.key = (guchar *) bravis_secret_peek (key);
  if (mki) {
    big_endian = GUINT64_TO_BE (*mki);
    memcpy (context->mki, &big_endian, sizeof context->mki);
    context->master.mki_id = context->mki;
    context->master.mki_size = sizeof context->mki;
    context->masters[0] = &context->master;
    context->policy.keys = context->masters;
    context->policy.num_master_keys = 1;
    context->use_mki = TRUE;
  } else {
    context->policy.key = context->master.key;
  }
  if (srtp_create (&context->srtp, &context->policy) != srtp_err_status_ok)
    return NULL;
  return g_steal_pointer (&context);
}

void
bravis_srtp_context_free (BravisSrtpContext *context)
{
  if (context == NULL)
    return;
  if (context->srtp)
    srtp_dealloc (context->srtp);
  bravis_secret_unref (context->key);
  g_free (context);
}

gboolean
bravis_srtp_context_start_stream (BravisSrtpContext *context, guint32 ssrc,
    guint32 roc)
{
  srtp_policy_t policy = context->policy;

  if (srtp_set_stream_roc (context->srtp, ssrc, roc) == srtp_err_status_ok)
    return TRUE;
  policy.ssrc.type = ssrc_specific;
  policy.ssrc.value = ssrc;
  return srtp_add_stream (context->srtp, &policy) == srtp_err_status_ok
      && srtp_set_stream_roc (context->srtp, ssrc, roc) == srtp_err_status_ok;
}

void
bravis_srtp_context_drop_stream (BravisSrtpContext *context, guint32 ssrc)
{
  srtp_remove_stream (context->srtp, GUINT32_TO_BE (ssrc));
}

guint64
bravis_srtp_guess_index (guint64 highest, guint16 sequence)
{
  guint64 roc = highest >> 16;
  guint16 newest = highest & 0xffff;

  if (newest < 0x8000) {
    if (sequence > newest && sequence - newest > 0x8000 && roc > 0)
      roc--;
  } else if (sequence < newest - 0x8000) {
    roc++;
  }
  return roc << 16 | sequence;
}
