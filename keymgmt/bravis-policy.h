/* bravis-policy.h: kinds of data, and what protects them */
#pragma once

#include "../gcp/gcp-wire.h"

G_BEGIN_DECLS

/**
 * BravisKind:
 * @BRAVIS_KIND_VIDEO: video
 * @BRAVIS_KIND_AUDIO: audio
 * @BRAVIS_KIND_WHITEBOARD: whiteboard
 * @BRAVIS_KIND_SIGNALLING: signalling, RTCP feedback included
 *
 * The four kinds of data that a policy tells apart.
 */
typedef enum {
  BRAVIS_KIND_VIDEO = 0,
  BRAVIS_KIND_AUDIO = 1,
  BRAVIS_KIND_WHITEBOARD = 2,
  BRAVIS_KIND_SIGNALLING = 3
} BravisKind;

#define BRAVIS_N_KINDS 4

/* The numbers on the wire: those of SFrame's cipher suites (RFC 9605 §8.1), but for
 * the last two, whose suites are for private use. The tags of the HMAC ones have 10,
 * 8 and 4 octets: of 2^32 forged frames one gets through the shortest. Puzzle is weak
 * (gst/bravis-puzzle.h). */
typedef enum {
  BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_80 = 1,
  BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_64 = 2,
  BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32 = 3,
  BRAVIS_CIPHER_AES_128_GCM = 4,
  BRAVIS_CIPHER_AES_256_GCM = 5,
  BRAVIS_CIPHER_CHACHA20_POLY1305 = 241,
  BRAVIS_CIPHER_PUZZLE = 242
} BravisCipher;

/* RFC 9605 §8.1: for private use. */
#define BRAVIS_SUITE_CHACHA20_POLY1305 0xf001
#define BRAVIS_SUITE_PUZZLE 0xf002

/* The only level there is so far: everything is protected. */
#define BRAVIS_POLICY_LEVEL_ALL 3

/* Part of every epoch. On the wire: u8 level | u8 cipher for each kind. */
typedef struct {
  guint8 level;                 /* only 3: everything protected */
  BravisCipher cipher[BRAVIS_N_KINDS];
} BravisPolicy;

void bravis_policy_init (BravisPolicy *policy);   /* level 3, AES-128-GCM */
gboolean bravis_policy_equal (const BravisPolicy *a, const BravisPolicy *b);

/* Reading fails the reader for a level or a cipher that is not known: there is
 * no way to get a weaker policy in than this peer can name. */
void bravis_policy_write (const BravisPolicy *policy, GcpWriter *writer);
void bravis_policy_read (BravisPolicy *policy, GcpReader *reader);

/* Whether a member that asked for @own goes along with what its group has: with
 * anything but tags of less than 10 octets and Puzzle, which it must have asked for
 * itself.
 * Error: BRAVIS_ERROR_POLICY. */
gboolean bravis_policy_check (const BravisPolicy *policy,
    const BravisPolicy *own, GError **error);

const char *bravis_kind_to_string (BravisKind kind);    /* "video" ... */

/* "aes-128-gcm"; NULL for a number that is no cipher. */
const char *bravis_cipher_to_string (BravisCipher cipher);
gboolean bravis_cipher_from_string (const char *text, BravisCipher *cipher);

/* What a policy's "auto" comes to: AES-128-GCM where the processor has AES
 * (bravis-processor.h), else ChaCha20-Poly1305, which is as strong and needs no
 * such instructions. */
BravisCipher bravis_cipher_choose (gboolean processor_has_aes);

gsize bravis_cipher_get_key_size (BravisCipher cipher);         /* octets */
guint bravis_cipher_get_suite (BravisCipher cipher);    /* SFrame's number */

G_END_DECLS
