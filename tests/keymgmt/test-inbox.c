#include "../../keymgmt/bravis-inbox.h"

#include <string.h>

static const GcpAddress somebody = { .family = 4, .port = 5000 };

static void
put (BravisInbox *inbox, guint8 first, guint8 second, gboolean expected)
{
  guint8 data[] = { first, second };

  g_assert_true (bravis_inbox_put (inbox, &somebody, data, sizeof data)
      == expected);
}

static GPtrArray *
take (BravisInbox *inbox, guint max)
{
  GPtrArray *letters = g_ptr_array_new_with_free_func (g_free);

  g_assert_true (bravis_inbox_take (inbox, 0, max, letters));
  return letters;
}

static void
assert_letter (GPtrArray *letters, guint index, guint8 first, guint8 second)
{
  BravisLetter *letter = g_ptr_array_index (letters, index);
  guint8 data[] = { first, second };

  g_assert_cmpmem (letter->data, letter->size, data, 2);
  g_assert_true (gcp_address_equal (&letter->from, &somebody));
}

static void
test_order_within_a_lane (void)
{
  g_autoptr (BravisInbox) inbox = bravis_inbox_new ();
  g_autoptr (GPtrArray) first = NULL;
  g_autoptr (GPtrArray) second = NULL;

  for (guint i = 0; i < 5; i++)
    put (inbox, 193, i, TRUE);
  first = take (inbox, 3);
  second = take (inbox, 3);
  g_assert_cmpuint (first->len, ==, 3);
  g_assert_cmpuint (second->len, ==, 2);
  for (guint i = 0; i < 3; i++)
    assert_letter (first, i, 193, i);
  for (guint i = 0; i < 2; i++)
    assert_letter (second, i, 193, 3 + i);
}

static void
test_flood_of_strangers_leaves_room_for_members (void)
{
  g_autoptr (BravisInbox) inbox = bravis_inbox_new ();
  g_autoptr (GPtrArray) letters = NULL;

  for (guint i = 0; i < BRAVIS_INBOX_MAX_HANDSHAKE; i++)
    put (inbox, 192, i, TRUE);
  put (inbox, 192, 0, FALSE);
  put (inbox, 193, 1, TRUE);
  put (inbox, 193, 2, TRUE);
  letters = take (inbox, 4);
  assert_letter (letters, 0, 193, 1);
  assert_letter (letters, 1, 192, 0);
  assert_letter (letters, 2, 193, 2);
  assert_letter (letters, 3, 192, 1);
}

static void
test_full_lane_drops (void)
{
  g_autoptr (BravisInbox) inbox = bravis_inbox_new ();
  g_autoptr (GPtrArray) letters = NULL;

  for (guint i = 0; i < BRAVIS_INBOX_MAX_LINK; i++)
    put (inbox, 193, i, TRUE);
  put (inbox, 193, 0, FALSE);
  letters = take (inbox, 1);
  put (inbox, 193, 0, TRUE);
}

static void
test_only_control_datagrams_of_their_size_are_taken (void)
{
  g_autoptr (BravisInbox) inbox = bravis_inbox_new ();
  guint8 data[1201] = { 193 };

  for (guint first = 0; first < 256; first++)
    put (inbox, first, 0, first == 192 || first == 193);
  g_assert_false (bravis_inbox_put (inbox, &somebody, data, 0));
  g_assert_false (bravis_inbox_put (inbox, &somebody, data, 1201));
  g_assert_true (bravis_inbox_put (inbox, &somebody, data, 1200));
}

static gpointer
take_one (gpointer data)
{
  GPtrArray *letters = g_ptr_array_new_with_free_func (g_free);

  if (!bravis_inbox_take (data, G_MAXINT64, 1, letters))
    g_clear_pointer (&letters, g_ptr_array_unref);
  return letters;
}

static void
test_waiting_ends (void)
{
  g_autoptr (BravisInbox) inbox = bravis_inbox_new ();
  GThread *thread = g_thread_new ("take", take_one, inbox);
  g_autoptr (GPtrArray) letters = NULL;

  put (inbox, 193, 7, TRUE);
  letters = g_thread_join (thread);
  assert_letter (letters, 0, 193, 7);
  g_clear_pointer (&letters, g_ptr_array_unref);

  thread = g_thread_new ("take", take_one, inbox);
  bravis_inbox_wake (inbox);
  letters = g_thread_join (thread);
  g_assert_cmpuint (letters->len, ==, 0);

  thread = g_thread_new ("take", take_one, inbox);
  bravis_inbox_close (inbox);
  g_assert_null (g_thread_join (thread));
  put (inbox, 193, 7, FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keymgmt/inbox/order_within_a_lane",
      test_order_within_a_lane);
  g_test_add_func ("/keymgmt/inbox/flood_of_strangers_leaves_room_for_members",
      test_flood_of_strangers_leaves_room_for_members);
  g_test_add_func ("/keymgmt/inbox/full_lane_drops", test_full_lane_drops);
  g_test_add_func (
      "/keymgmt/inbox/only_control_datagrams_of_their_size_are_taken",
      test_only_control_datagrams_of_their_size_are_taken);
  g_test_add_func ("/keymgmt/inbox/waiting_ends", test_waiting_ends);
  return g_test_run ();
}
