/* What comes too early waits, in order and within bounds. */
#include "../../gst/bravis-holdback.h"

#include <string.h>

typedef struct {
  guint64 taken_tag;            /* only this one is taken; 0: all */
  GString *offered;
} Taker;

static gboolean
offer (guint64 tag, const guint8 *data, gsize size, gpointer user_data)
{
  Taker *taker = user_data;

  if (taker->taken_tag != 0 && tag != taker->taken_tag)
    return FALSE;
  g_string_append_len (taker->offered, (const char *) data, size);
  return TRUE;
}

static void
assert_taken (BravisHoldback *holdback, guint64 tag, gint64 now,
    const char *expected)
{
  Taker taker = { tag, g_string_new (NULL) };

  bravis_holdback_offer (holdback, now, offer, &taker);
  g_assert_cmpstr (taker.offered->str, ==, expected);
  g_string_free (taker.offered, TRUE);
}

static void
test_order_is_kept (void)
{
  g_autoptr (BravisHoldback) holdback = bravis_holdback_new (10, 100, 1000);

  g_assert_true (bravis_holdback_add (holdback, 1, "a", 1, 0));
  g_assert_true (bravis_holdback_add (holdback, 2, "b", 1, 0));
  g_assert_true (bravis_holdback_add (holdback, 1, "c", 1, 0));
  assert_taken (holdback, 1, 1, "ac");
  g_assert_cmpuint (bravis_holdback_get_length (holdback), ==, 1);
  assert_taken (holdback, 0, 1, "b");
  assert_taken (holdback, 0, 1, "");
}

static void
test_time_is_bounded (void)
{
  g_autoptr (BravisHoldback) holdback = bravis_holdback_new (10, 100, 1000);
  Taker taker = { 0, g_string_new (NULL) };

  g_assert_true (bravis_holdback_add (holdback, 1, "a", 1, 0));
  g_assert_true (bravis_holdback_add (holdback, 1, "b", 1, 500));
  g_assert_cmpuint (bravis_holdback_offer (holdback, 1001, offer, &taker), ==, 1);
  g_assert_cmpstr (taker.offered->str, ==, "b");
  g_string_free (taker.offered, TRUE);
}

/* As protocol.md, section 9.7, has it. */
static void
test_media_wait_for_five_seconds (void)
{
  g_autoptr (BravisHoldback) holdback = bravis_holdback_new (10, 100,
      BRAVIS_HOLDBACK_AGE);

  g_assert_true (bravis_holdback_add (holdback, 1, "a", 1, 0));
  assert_taken (holdback, 0, 5 * G_USEC_PER_SEC, "a");
}

static void
test_number_is_bounded (void)
{
  g_autoptr (BravisHoldback) holdback = bravis_holdback_new (3, 100, 1000);

  for (guint i = 0; i < 10; i++)
    g_assert_cmpint (bravis_holdback_add (holdback, 1, "x", 1, 0), ==, i < 3);
  g_assert_cmpuint (bravis_holdback_get_length (holdback), ==, 3);

  /* Time makes room again. */
  g_assert_true (bravis_holdback_add (holdback, 1, "y", 1, 2000));
  assert_taken (holdback, 0, 2000, "y");
}

static void
test_octets_are_bounded (void)
{
  g_autoptr (BravisHoldback) holdback = bravis_holdback_new (10, 5, 1000);

  g_assert_true (bravis_holdback_add (holdback, 1, "abc", 3, 0));
  g_assert_false (bravis_holdback_add (holdback, 1, "def", 3, 0));
  g_assert_true (bravis_holdback_add (holdback, 1, "gh", 2, 0));
  assert_taken (holdback, 0, 0, "abcgh");
  g_assert_true (bravis_holdback_add (holdback, 1, "ijklm", 5, 0));
}

/* Two senders: the second has its room, though the first has filled all of it. */
static void
test_flood_of_one_sender_leaves_room_for_another (void)
{
  g_autoptr (BravisHoldback) holdback = bravis_holdback_new (10, 20, 1000);
  const guint64 flooder = 1 << 12, other = 2 << 12;

  for (guint i = 0; i < 30; i++)
    bravis_holdback_add (holdback, flooder + i, "xx", 2, 0);
  g_assert_true (bravis_holdback_add (holdback, other, "a", 1, 0));
  g_assert_true (bravis_holdback_add (holdback, other, "bcd", 3, 0));
  for (guint i = 0; i < 30; i++)
    bravis_holdback_add (holdback, flooder + i, "xx", 2, 0);
  assert_taken (holdback, other, 1, "abcd");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/holdback/order_is_kept", test_order_is_kept);
  g_test_add_func ("/gst/holdback/time_is_bounded", test_time_is_bounded);
  g_test_add_func ("/gst/holdback/media_wait_for_five_seconds",
      test_media_wait_for_five_seconds);
  g_test_add_func ("/gst/holdback/number_is_bounded", test_number_is_bounded);
  g_test_add_func ("/gst/holdback/flood_of_one_sender_leaves_room_for_another",
      test_flood_of_one_sender_leaves_room_for_another);
  g_test_add_func ("/gst/holdback/octets_are_bounded", test_octets_are_bounded);
  return g_test_run ();
}
