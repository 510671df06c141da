#include "bench-protection.h"

#define K16 "000102030405060708090a0b0c0d0e0f"
#define SALT12 "101112131415161718191a1b"
#define SALT14 SALT12 "1c1d"

#define SFRAME(cipher, key) \
    { "bravisencrypt format=sframe cipher=" cipher " key=" key, "sink", "src" }, \
    { "bravisdecrypt format=sframe cipher=" cipher " key=" key, "sink", "src" }
#define SRTP(cipher, key) \
    { "bravisencrypt format=srtp cipher=" cipher " key=" key, "sink", "src" }, \
    { "bravisdecrypt format=srtp cipher=" cipher " key=" key, "sink", "src" }
#define SRTPENC(cipher, auth, key) \
    { "srtpenc key=" key " rtp-cipher=" cipher " rtp-auth=" auth \
      " rtcp-cipher=" cipher " rtcp-auth=" auth, "rtp_sink_0", "rtp_src_0" }, \
    { "srtpdec", "rtp_sink", "rtp_src" }
#define AES(cipher, key) \
    { "aesenc cipher=" cipher " key=" key " iv=" K16, "sink", "src" }, \
    { "aesdec cipher=" cipher " key=" key " iv=" K16, "sink", "src" }

static const BenchProtection protections[] = {
  { "bravis", "sframe", "aes-128-gcm", "ipsec-mb", BENCH_FRAMES,
    SFRAME ("aes-128-gcm", K16), BRAVIS_AEAD_AES_128_GCM },
  { "bravis", "sframe", "aes-128-gcm", "gnutls", BENCH_FRAMES,
    SFRAME ("aes-128-gcm", K16), BRAVIS_AEAD_AES_128_GCM },
  { "bravis", "sframe", "aes-256-gcm", "ipsec-mb", BENCH_FRAMES,
    SFRAME ("aes-256-gcm", K16 K16), BRAVIS_AEAD_AES_256_GCM },
  { "bravis", "sframe", "aes-256-gcm", "gnutls", BENCH_FRAMES,
    SFRAME ("aes-256-gcm", K16 K16), BRAVIS_AEAD_AES_256_GCM },
  { "bravis", "sframe-rtp", "aes-128-gcm", "ipsec-mb", BENCH_RTP,
    SFRAME ("aes-128-gcm", K16), BRAVIS_AEAD_AES_128_GCM },
  { "bravis", "sframe-rtp", "aes-128-gcm", "gnutls", BENCH_RTP,
    SFRAME ("aes-128-gcm", K16), BRAVIS_AEAD_AES_128_GCM },
  { "bravis", "sframe-rtp", "aes-256-gcm", "ipsec-mb", BENCH_RTP,
    SFRAME ("aes-256-gcm", K16 K16), BRAVIS_AEAD_AES_256_GCM },
  { "bravis", "sframe-rtp", "aes-256-gcm", "gnutls", BENCH_RTP,
    SFRAME ("aes-256-gcm", K16 K16), BRAVIS_AEAD_AES_256_GCM },
  { "bravis", "sframe-rtp", "chacha20-poly1305", "ipsec-mb", BENCH_RTP,
    SFRAME ("chacha20-poly1305", K16 K16), BRAVIS_AEAD_CHACHA20_POLY1305 },
  { "bravis", "sframe-rtp", "chacha20-poly1305", "gnutls", BENCH_RTP,
    SFRAME ("chacha20-poly1305", K16 K16), BRAVIS_AEAD_CHACHA20_POLY1305 },
  { "bravis", "sframe-rtp", "aes-128-ctr-hmac-sha256-80", "nettle", BENCH_RTP,
    SFRAME ("aes-128-ctr-hmac-sha256-80", K16), -1 },
  { "bravis", "srtp", "aes-128-gcm", "libsrtp2", BENCH_RTP,
    SRTP ("aes-128-gcm", K16 SALT12), -1 },
  { "bravis", "srtp", "aes-256-gcm", "libsrtp2", BENCH_RTP,
    SRTP ("aes-256-gcm", K16 K16 SALT12), -1 },
  { "bravis", "srtp", "aes-128-cm-hmac-sha1-80", "libsrtp2", BENCH_RTP,
    SRTP ("aes-128-cm-hmac-sha1-80", K16 SALT14), -1 },
  { "bravis", "srtp", "aes-128-cm-hmac-sha1-32", "libsrtp2", BENCH_RTP,
    SRTP ("aes-128-cm-hmac-sha1-32", K16 SALT14), -1 },
  { "srtp", "srtp", "aes-128-gcm", "libsrtp2", BENCH_RTP,
    SRTPENC ("aes-128-gcm", "null", K16 SALT12), -1, TRUE },
  { "srtp", "srtp", "aes-256-gcm", "libsrtp2", BENCH_RTP,
    SRTPENC ("aes-256-gcm", "null", K16 K16 SALT12), -1, TRUE },
  { "srtp", "srtp", "aes-128-cm-hmac-sha1-80", "libsrtp2", BENCH_RTP,
    SRTPENC ("aes-128-icm", "hmac-sha1-80", K16 SALT14), -1, TRUE },
  { "srtp", "srtp", "aes-128-cm-hmac-sha1-32", "libsrtp2", BENCH_RTP,
    SRTPENC ("aes-128-icm", "hmac-sha1-32", K16 SALT14), -1, TRUE },
  { "srtp", "srtp", "aes-256-cm-hmac-sha1-80", "libsrtp2", BENCH_RTP,
    SRTPENC ("aes-256-icm", "hmac-sha1-80", K16 K16 SALT14), -1, TRUE },
  { "aes", "-", "aes-128-cbc", "openssl", BENCH_FRAMES,
    AES ("aes-128-cbc", K16), -1 },
  { "aes", "-", "aes-256-cbc", "openssl", BENCH_FRAMES,
    AES ("aes-256-cbc", K16 K16), -1 },
  { "identity", "-", "-", "-", BENCH_FRAMES, { "identity", "sink", "src" },
    { "identity", "sink", "src" }, -1 },
};

static gboolean
is_there (const char *provider)
{
  return !g_str_equal (provider, "ipsec-mb")
      || g_strv_contains (bravis_aead_list_providers (), provider);
}

const BenchProtection *
bench_protection_get (guint index)
{
  for (guint i = 0; i < G_N_ELEMENTS (protections); i++)
    if (is_there (protections[i].provider) && index-- == 0)
      return &protections[i];
  return NULL;
}

void
bench_protection_choose_provider (const BenchProtection *protection)
{
  if (protection->aead >= 0)
    g_setenv ("BRAVIS_AEAD_PROVIDER", protection->provider, TRUE);
}
