/* The replay window against a model that remembers everything. */
#include "../../gst/bravis-replay.h"

static gboolean
take (BravisReplay *replay, guint64 counter)
{
  if (bravis_replay_check (replay, counter) != BRAVIS_DROP_NONE)
    return FALSE;
  bravis_replay_commit (replay, counter);
  return TRUE;
}

static void
test_counter_is_taken_once (void)
{
  g_autoptr (BravisReplay) replay = bravis_replay_new (64);
  guint64 i;

  for (i = 0; i < 1000; i++) {
    g_assert_true (take (replay, i));
    g_assert_false (take (replay, i));
  }
}

static void
test_reordered_is_taken_within_the_window (void)
{
  g_autoptr (BravisReplay) replay = bravis_replay_new (128);

  g_assert_true (take (replay, 1000));
  g_assert_true (take (replay, 1000 - 127));
  g_assert_false (take (replay, 1000 - 127));
  g_assert_false (take (replay, 1000 - 128));
  g_assert_false (take (replay, 0));
  g_assert_cmpint (bravis_replay_check (replay, 1000 - 127), ==,
      BRAVIS_DROP_REPLAYED);
  g_assert_cmpint (bravis_replay_check (replay, 1000 - 128), ==,
      BRAVIS_DROP_TOO_OLD);
}

static void
test_check_alone_moves_nothing (void)
{
  g_autoptr (BravisReplay) replay = bravis_replay_new (64);

  g_assert_true (take (replay, 5));
  g_assert_cmpint (bravis_replay_check (replay, G_MAXUINT64), ==,
      BRAVIS_DROP_NONE);
  g_assert_true (take (replay, 6));
}

static void
test_largest_counter_is_taken_once (void)
{
  g_autoptr (BravisReplay) replay = bravis_replay_new (64);

  g_assert_true (take (replay, 0));
  g_assert_true (take (replay, G_MAXUINT64));
  g_assert_false (take (replay, G_MAXUINT64));
  g_assert_true (take (replay, G_MAXUINT64 - 63));
  g_assert_false (take (replay, G_MAXUINT64 - 64));
  g_assert_false (take (replay, 0));
}

static void
test_agrees_with_a_model (void)
{
  static const guint windows[] = { 1, 64, 65, 128, 1000, 4096 };
  guint w, i;

  for (w = 0; w < G_N_ELEMENTS (windows); w++) {
    g_autoptr (BravisReplay) replay = bravis_replay_new (windows[w]);
    g_autoptr (GRand) rand = g_rand_new_with_seed (w);
    g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
    guint64 window = (windows[w] + 63) / 64 * 64, newest = 0, counter;

    for (i = 0; i < 50000; i++) {
      gboolean fresh;

      counter = newest + g_rand_int_range (rand, 0, 12) + window;
      counter -= MIN (counter, (guint64) g_rand_int_range (rand, 0,
              2 * window + 12));
      if (g_rand_int_range (rand, 0, 2000) == 0)
        counter = newest + g_rand_int_range (rand, 0, 10 * window);
      fresh = (counter > newest || newest - counter < window)
          && !g_hash_table_contains (seen, GSIZE_TO_POINTER (counter));
      g_assert_cmpint (take (replay, counter), ==, fresh);
      g_hash_table_add (seen, GSIZE_TO_POINTER (counter));
      newest = MAX (newest, counter);
    }
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/replay/counter_is_taken_once",
      test_counter_is_taken_once);
  g_test_add_func ("/gst/replay/reordered_is_taken_within_the_window",
      test_reordered_is_taken_within_the_window);
  g_test_add_func ("/gst/replay/check_alone_moves_nothing",
      test_check_alone_moves_nothing);
  g_test_add_func ("/gst/replay/largest_counter_is_taken_once",
      test_largest_counter_is_taken_once);
  g_test_add_func ("/gst/replay/agrees_with_a_model", test_agrees_with_a_model);
  return g_test_run ();
}
