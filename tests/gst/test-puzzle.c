/* Puzzle: it hides, and comes back; and how little it takes to see through it. */
#include "../../gst/bravis-puzzle.h"

#include <string.h>

#define MAX_SIZE (70 * 1024)

static const guint8 aad[] = { 1, 2, 3 }, more[] = { 4, 5, 6, 7 };

static void
fill (guint8 *out, gsize size)
{
  for (gsize i = 0; i < size; i++)
    out[i] = g_test_rand_int ();
}

static BravisPuzzle *
make_puzzle (void)
{
  guint8 key[BRAVIS_PUZZLE_KEY_SIZE];

  fill (key, sizeof key);
  return bravis_puzzle_new (key);
}

static gboolean
encrypt (BravisPuzzle *puzzle, const guint8 *nonce, guint8 *data, gsize size)
{
  return bravis_puzzle_encrypt (puzzle, nonce, aad, sizeof aad, more,
      sizeof more, data, size, data + size);
}

static gboolean
decrypt (BravisPuzzle *puzzle, const guint8 *nonce, guint8 *data, gsize size)
{
  return bravis_puzzle_decrypt (puzzle, nonce, aad, sizeof aad, more,
      sizeof more, data, size, data + size);
}

static void
check_size (BravisPuzzle *puzzle, gsize size)
{
  g_autofree guint8 *data = g_malloc (size + BRAVIS_PUZZLE_TAG_SIZE);
  g_autofree guint8 *plain = g_malloc (size + 1);
  guint8 nonce[BRAVIS_PUZZLE_NONCE_SIZE];

  fill (nonce, sizeof nonce);
  fill (plain, size);
  memcpy (data, plain, size);
  g_assert_true (encrypt (puzzle, nonce, data, size));
  if (size >= 16)
    g_assert_true (memcmp (data, plain, size) != 0);
  g_assert_true (decrypt (puzzle, nonce, data, size));
  g_assert_cmpmem (data, size, plain, size);
}

static void
test_frames_of_all_sizes_come_back (void)
{
  g_autoptr (BravisPuzzle) puzzle = make_puzzle ();

  for (gsize size = 0; size <= 4096; size++)
    check_size (puzzle, size);
  for (guint i = 0; i < 100; i++)
    check_size (puzzle, g_test_rand_int_range (4096, MAX_SIZE));
}

static void
test_blocks_are_64_to_127 (void)
{
  g_assert_cmpuint (bravis_puzzle_get_block_size (63), ==, 0);
  for (gsize size = 64; size < 100000; size++) {
    gsize block = bravis_puzzle_get_block_size (size);

    g_assert_cmpuint (block & (block - 1), ==, 0);
    g_assert_cmpuint (size / block, >=, 64);
    g_assert_cmpuint (size / block, <, 128);
  }
}

static void
test_what_was_altered_is_not_opened (void)
{
  g_autoptr (BravisPuzzle) puzzle = make_puzzle ();
  guint8 nonce[BRAVIS_PUZZLE_NONCE_SIZE] = { 1 };
  guint8 data[200 + BRAVIS_PUZZLE_TAG_SIZE] = { 0 };

  g_assert_true (encrypt (puzzle, nonce, data, 200));
  for (guint i = 0; i < 8 * sizeof data; i++) {
    data[i / 8] ^= 1 << i % 8;
    g_assert_false (decrypt (puzzle, nonce, data, 200));
    data[i / 8] ^= 1 << i % 8;
  }
  nonce[5] ^= 1;
  g_assert_false (decrypt (puzzle, nonce, data, 200));
  nonce[5] ^= 1;
  /* What is associated cannot be cut elsewhere. */
  g_assert_false (bravis_puzzle_decrypt (puzzle, nonce, (guint8[]) { 1, 2 }, 2,
          (guint8[]) { 3, 4, 5, 6, 7 }, 5, data, 200, data + 200));
  g_assert_true (decrypt (puzzle, nonce, data, 200));
}

static void
test_each_frame_has_its_own_key_stream (void)
{
  g_autoptr (BravisPuzzle) puzzle = make_puzzle ();
  guint8 first[4096] = { 0 }, second[4096] = { 0 };
  guint8 nonce[BRAVIS_PUZZLE_NONCE_SIZE] = { 0 };

  bravis_puzzle_hide (puzzle, nonce, first, sizeof first);
  nonce[11] = 1;
  bravis_puzzle_hide (puzzle, nonce, second, sizeof second);
  g_assert_true (memcmp (first, second,
          bravis_puzzle_get_block_size (sizeof first)) != 0);
}

/* How many of the frame's blocks stand somewhere in @seen, whole. */
static guint
count_readable (const guint8 *frame, const guint8 *seen, gsize size, gsize block)
{
  gsize front = size - (size / block & ~(gsize) 1) * block;
  guint n = 0;

  for (gsize at = front; at + block <= size; at += block)
    n += memmem (seen, size, frame + at, block) != NULL;
  return n;
}

/* An attacker that knows what a frame begins with, as of all H.264 streams it does,
 * and has no key: it reads every block of it. What it does not have is their order.
 * (Here a whole block is left over at the front; where less is, it has to guess which
 * block came to stand there.) No tag helps against that. */
static void
test_known_beginning_opens_all_blocks (void)
{
  const gsize size = 64 * 64 + 3 * 64 + 40;     /* 66 blocks, and a rest in front */
  g_autoptr (BravisPuzzle) puzzle = make_puzzle ();
  const guint8 nonce[BRAVIS_PUZZLE_NONCE_SIZE] = { 7 };
  g_autofree guint8 *frame = g_malloc (size), *seen = g_malloc (size);
  gsize block = bravis_puzzle_get_block_size (size);

  g_assert_cmpuint (block, ==, 64);
  fill (frame, size);
  memcpy (seen, frame, size);
  bravis_puzzle_hide (puzzle, nonce, seen, size);
  g_assert_cmpuint (count_readable (frame, seen, size, block), ==, 0);

  /* From here on without the key: the known beginning, then XOR. */
  memcpy (seen, frame, block);
  for (gsize i = block; i < size; i++)
    seen[i] ^= seen[i - block];
  g_assert_cmpuint (count_readable (frame, seen, size, block), ==, 66);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/puzzle/frames_of_all_sizes_come_back",
      test_frames_of_all_sizes_come_back);
  g_test_add_func ("/puzzle/blocks_are_64_to_127", test_blocks_are_64_to_127);
  g_test_add_func ("/puzzle/what_was_altered_is_not_opened",
      test_what_was_altered_is_not_opened);
  g_test_add_func ("/puzzle/each_frame_has_its_own_key_stream",
      test_each_frame_has_its_own_key_stream);
  g_test_add_func ("/puzzle/known_beginning_opens_all_blocks",
      test_known_beginning_opens_all_blocks);
  return g_test_run ();
}
