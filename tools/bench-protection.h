/* bench-protection.h: the ways to protect media that are measured beside each other */
#pragma once

#include "bench-stage.h"

#include "../gst/bravis-aead.h"

G_BEGIN_DECLS

typedef enum { BENCH_FRAMES, BENCH_RTP } BenchShape;

typedef struct {
  const char *family;           /* "bravis", "srtp", "aes", "identity" */
  const char *format;           /* "sframe", "sframe-rtp", "srtp", "-" */
  const char *cipher;
  const char *provider;         /* of the cipher: "gnutls", "libsrtp2" ... */
  BenchShape shape;
  BenchElement encrypt, decrypt;
  int aead;                     /* BravisAeadAlgorithm; -1: none */
  gboolean opens_no_lists;      /* srtpdec, of GStreamer 1.22, has no function for
                                 * lists, and those that it is given lose a
                                 * reference too many */
} BenchProtection;

/* NULL: there are no more. Those whose provider is not there are left out. */
const BenchProtection *bench_protection_get (guint index);

/* Has the elements that are made next use its provider. */
void bench_protection_choose_provider (const BenchProtection *protection);

G_END_DECLS
