#include "bravis-puzzle.h"

#include <nettle/chacha.h>
#include <string.h>

#include "bravis-aead.h"
#include "../keymgmt/bravis-crypto.h"

#define MIN_BLOCKS 64
#define MAX_BLOCKS 126
#define MAX_PAIRS (MAX_BLOCKS / 2)
#define SWAP 256                /* octets that change places at a time */
#define SMALL_AAD 512

struct _BravisPuzzle {
  struct chacha_ctx stream;
  BravisAead *tagger;
};

/* How a frame of some size is cut. */
typedef struct {
  gsize block;
  guint n;
  gsize front;                  /* what is left over */
} Cut;

BravisPuzzle *
bravis_puzzle_new (const guint8 key[BRAVIS_PUZZLE_KEY_SIZE])
{
  /* By the one provider that takes associated data in parts without a copy. */
  BravisAead *tagger = bravis_aead_new_by ("gnutls",
      BRAVIS_AEAD_CHACHA20_POLY1305, key + CHACHA_KEY_SIZE);
  BravisPuzzle *puzzle;

  if (!tagger)
    return NULL;
  puzzle = g_new0 (BravisPuzzle, 1);
  puzzle->tagger = tagger;
  chacha_set_key (&puzzle->stream, key);
  return puzzle;
}

void
bravis_puzzle_free (BravisPuzzle *puzzle)
{
  if (!puzzle)
    return;
  bravis_aead_free (puzzle->tagger);
  bravis_wipe (puzzle, sizeof *puzzle);
  g_free (puzzle);
}

gsize
bravis_puzzle_get_block_size (gsize size)
{
  gsize block = 1;

  if (size < MIN_BLOCKS)
    return 0;
  while (size / (2 * block) >= MIN_BLOCKS)
    block *= 2;
  return block;
}

static Cut
cut_frame (gsize size)
{
  Cut cut = {.block = bravis_puzzle_get_block_size (size) };

  if (cut.block > 0)
    cut.n = (guint) (size / cut.block) & ~1u;
  cut.front = size - cut.n * cut.block;
  return cut;
}

/* --- puzzling --- */

/* Which block of the second half each of the first changes places with: a shuffle
 * (Fisher and Yates), by the first words of the key stream. */
static void
draw_partners (BravisPuzzle *puzzle, guint n_pairs, guint8 partners[MAX_PAIRS])
{
  guint32 words[MAX_PAIRS] = { 0 };

  chacha_crypt (&puzzle->stream, sizeof words, (guint8 *) words,
      (const guint8 *) words);
  for (guint i = 0; i < n_pairs; i++)
    partners[i] = i;
  for (guint i = n_pairs; i-- > 1;) {
    guint k = (guint64) GUINT32_FROM_LE (words[i]) * (i + 1) >> 32;
    guint8 other = partners[k];

    partners[k] = partners[i];
    partners[i] = other;
  }
  bravis_wipe (words, sizeof words);
}

static void
swap (guint8 *a, guint8 *b, gsize size)
{
  guint8 kept[SWAP];

  while (size > 0) {
    gsize n = MIN (size, sizeof kept);

    memcpy (kept, a, n);
    memcpy (a, b, n);
    memcpy (b, kept, n);
    a += n;
    b += n;
    size -= n;
  }
}

/* Its own inverse. */
static void
change_places (const Cut *cut, const guint8 *partners, guint8 *data)
{
  guint half = cut->n / 2;
  guint8 *blocks = data + cut->front;

  for (guint i = 0; i < half; i++)
    swap (blocks + i * cut->block,
        blocks + (half + partners[i]) * cut->block, cut->block);
}

/* --- obscuring --- */

static void
xor_into (guint8 *restrict out, const guint8 *restrict with, gsize size)
{
  for (gsize i = 0; i < size; i++)
    out[i] ^= with[i];
}

/* Each with the one before it as that was: so from the end. */
static void
chain_portions (guint8 *data, gsize size, gsize portion)
{
  gsize at = (size - 1) / portion * portion;

  for (; at > 0; at -= portion)
    xor_into (data + at, data + at - portion, MIN (portion, size - at));
}

static void
unchain_portions (guint8 *data, gsize size, gsize portion)
{
  for (gsize at = portion; at < size; at += portion)
    xor_into (data + at, data + at - portion, MIN (portion, size - at));
}

void
bravis_puzzle_hide (BravisPuzzle *puzzle, const guint8 *nonce, guint8 *data,
    gsize size)
{
  Cut cut = cut_frame (size);
  guint8 partners[MAX_PAIRS];

  chacha_set_nonce96 (&puzzle->stream, nonce);
  draw_partners (puzzle, cut.n / 2, partners);
  if (cut.n > 0) {
    change_places (&cut, partners, data);
    chain_portions (data, size, cut.block);
  }
  chacha_crypt (&puzzle->stream, cut.n > 0 ? cut.block : size, data, data);
}

void
bravis_puzzle_show (BravisPuzzle *puzzle, const guint8 *nonce, guint8 *data,
    gsize size)
{
  Cut cut = cut_frame (size);
  guint8 partners[MAX_PAIRS];

  chacha_set_nonce96 (&puzzle->stream, nonce);
  draw_partners (puzzle, cut.n / 2, partners);
  chacha_crypt (&puzzle->stream, cut.n > 0 ? cut.block : size, data, data);
  if (cut.n > 0) {
    unchain_portions (data, size, cut.block);
    change_places (&cut, partners, data);
  }
}

/* --- the tag --- */

/* u64 size of @more | @aad | @more; what is hidden follows as the second part. */
static guint8 *
make_front (const guint8 *aad, gsize aad_size, const guint8 *more,
    gsize more_size, guint8 small[SMALL_AAD], gsize *size)
{
  guint64 length = GUINT64_TO_BE (more_size);
  guint8 *front;

  *size = sizeof length + aad_size + more_size;
  front = *size <= SMALL_AAD ? small : g_malloc (*size);
  memcpy (front, &length, sizeof length);
  memcpy (front + sizeof length, aad, aad_size);
  if (more_size > 0)
    memcpy (front + sizeof length + aad_size, more, more_size);
  return front;
}

gboolean
bravis_puzzle_encrypt (BravisPuzzle *puzzle, const guint8 *nonce,
    const guint8 *aad, gsize aad_size, const guint8 *more, gsize more_size,
    guint8 *data, gsize size, guint8 *tag)
{
  guint8 small[SMALL_AAD], nothing[1];
  gsize front_size;
  guint8 *front = make_front (aad, aad_size, more, more_size, small,
      &front_size);
  gboolean good;

  bravis_puzzle_hide (puzzle, nonce, data, size);
  good = bravis_aead_encrypt (puzzle->tagger, nonce, front, front_size, data,
      size, nothing, 0, tag);
  if (front != small)
    g_free (front);
  return good;
}

gboolean
bravis_puzzle_decrypt (BravisPuzzle *puzzle, const guint8 *nonce,
    const guint8 *aad, gsize aad_size, const guint8 *more, gsize more_size,
    guint8 *data, gsize size, const guint8 *tag)
{
  guint8 small[SMALL_AAD], nothing[1];
  gsize front_size;
  guint8 *front = make_front (aad, aad_size, more, more_size, small,
      &front_size);
  gboolean good = bravis_aead_decrypt (puzzle->tagger, nonce, front, front_size,
      data, size, nothing, 0, tag);

  if (good)
    bravis_puzzle_show (puzzle, nonce, data, size);
  if (front != small)
    g_free (front);
  return good;
}
