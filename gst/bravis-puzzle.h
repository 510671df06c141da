/* bravis-puzzle.h: Puzzle, a fast cipher for video that is weak
 *
 * What is wrong with it comes first:
 *
 *   known plaintext   who knows one portion of a frame reads, by XOR alone, all of
 *                     it but for the order of its blocks. Video has such portions.
 *   the order         is one of (n / 2)!, where n, the number of blocks, is 64 to 126:
 *                     for 64 of them that is 32!, about 2^118, and much less for who
 *                     can tell which blocks fit together
 *   nobody            who breaks ciphers has found it worth more than a glance
 *
 * So nothing uses it that was not told to by name. It is here because it is BRAVIS's
 * (F. Liu, H. Koenig: "Puzzle - an efficient, compression independent video encryption
 * algorithm", Multimedia Tools and Applications, 2012), reconstructed from what is
 * published, and to be measured: see docs/performance.md for what it is worth.
 *
 *   puzzling    the frame is cut into n blocks of equal size, a power of two, so that
 *               n is even and 64 to 126; what is left over stays at the front. Each
 *               block of the first half changes places with one of the second
 *   obscuring   portions of the size of a block, from the front: the first is XORed
 *               with key stream, each later one with the one before it
 *
 * The key stream is ChaCha20's, fresh for each frame. Not the paper's: the tag, which
 * is ChaCha20-Poly1305's over the frame as associated data. Frames of less than 64
 * octets have no blocks and are XORed with key stream as a whole.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BRAVIS_PUZZLE_KEY_SIZE 64       /* 32 for the key stream, 32 for the tag */
#define BRAVIS_PUZZLE_NONCE_SIZE 12
#define BRAVIS_PUZZLE_TAG_SIZE 16

typedef struct _BravisPuzzle BravisPuzzle;

/* NULL: the library for the tag failed. */
BravisPuzzle *bravis_puzzle_new (const guint8 key[BRAVIS_PUZZLE_KEY_SIZE]);
void bravis_puzzle_free (BravisPuzzle *puzzle);         /* wipes the key */

/* As bravis_aead_encrypt () and bravis_aead_decrypt (). */
gboolean bravis_puzzle_encrypt (BravisPuzzle *puzzle, const guint8 *nonce,
    const guint8 *aad, gsize aad_size, const guint8 *more, gsize more_size,
    guint8 *data, gsize size, guint8 *tag);
gboolean bravis_puzzle_decrypt (BravisPuzzle *puzzle, const guint8 *nonce,
    const guint8 *aad, gsize aad_size, const guint8 *more, gsize more_size,
    guint8 *data, gsize size, const guint8 *tag);

/* The paper's part alone, without a tag: for measuring, and for showing how weak it
 * is. */
void bravis_puzzle_hide (BravisPuzzle *puzzle, const guint8 *nonce,
    guint8 *data, gsize size);
void bravis_puzzle_show (BravisPuzzle *puzzle, const guint8 *nonce,
    guint8 *data, gsize size);

/* The size of blocks and portions; 0: the frame is too short to have any. */
gsize bravis_puzzle_get_block_size (gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisPuzzle, bravis_puzzle_free)

G_END_DECLS
