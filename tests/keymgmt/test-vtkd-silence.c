/* Members that keep silent where all others wait for them. */
#include "vtkd-group.h"

/* What @member sent, and nobody has yet, is lost. */
static void
silence (Group *group, Member *member)
{
  for (guint i = g_queue_get_length (&group->queue); i-- > 0;) {
    Message *message = g_queue_peek_nth (&group->queue, i);

    if (message->from != member->card->id)
      continue;
    g_queue_pop_nth (&group->queue, i);
    message_free (message);
  }
}

static void
refresh_in_vain (Group *group)
{
  bravis_vtkd_refresh (at (group, 0)->vtkd);
  group_poll (group, at (group, 0));
  group_step (group);
  silence (group, find_holder (group));
  g_assert_true (g_queue_is_empty (&group->queue));
}

/* A group of @n whose holder, member @n - 1 or 2, does not make the key that is due. */
static Group *
group_with_silent_holder (guint n)
{
  Group *group = group_of (n);

  refresh_in_vain (group);
  return group;
}

static void
lose_patience (Group *group, Member *member)
{
  bravis_vtkd_lose_patience (member->vtkd);
  group_poll (group, member);
}

static void
say_overdue (Group *group, Member *from, BravisVtkdOwed owed, guint64 which,
    gint64 view)
{
  BravisVtkdOverdue message = { gcp_view_get_number (group->view) + view, owed,
    which };
  g_autoptr (GBytes) bytes = bravis_vtkd_overdue_write (&message);

  group_say (group, from, bytes);
}

static void
assert_still_waits (Group *group, GcpMemberId holder, guint n_epochs)
{
  g_assert_cmpuint (at (group, 0)->epochs->len, ==, n_epochs);
  g_assert_cmpuint (bravis_vtkd_get_holder (at (group, 0)->vtkd), ==, holder);
  g_assert_cmpuint (bravis_vtkd_get_wait (at (group, 0)->vtkd), !=, 0);
}

/* --- the holder --- */

static void
test_silent_holder_loses_the_token (void)
{
  g_autoptr (Group) group = group_with_silent_holder (3);
  Member *holder = find_holder (group);
  guint64 waited_for = bravis_vtkd_get_wait (at (group, 0)->vtkd);

  for (guint i = 0; i < 2; i++)
    lose_patience (group, at (group, i));
  group_step (group);
  group_step (group);
  g_assert_cmpuint (bravis_vtkd_get_wait (at (group, 0)->vtkd), !=, waited_for);
  group_run (group);
  assert_agreed (group);
  assert_blames (at (group, 0), holder);
  assert_blames (at (group, 1), holder);
  g_assert_cmpuint (holder->blamed->len, ==, 0);
  g_assert_cmpuint (bravis_vtkd_get_wait (at (group, 0)->vtkd), ==, 0);
}

/* Half of the others, one that says so again and again, and the accused itself. */
static void
test_no_minority_takes_the_token_away (void)
{
  g_autoptr (Group) group = group_with_silent_holder (5);
  GcpMemberId holder = find_holder (group)->card->id;
  guint n_epochs = at (group, 0)->epochs->len;

  for (guint i = 0; i < 4; i++)
    lose_patience (group, at (group, i % 2));
  say_overdue (group, find_holder (group), BRAVIS_VTKD_OWED_KEYS, 2, 0);
  group_run (group);
  assert_still_waits (group, holder, n_epochs);
  lose_patience (group, at (group, 3));
  group_run (group);
  g_assert_cmpuint (at (group, 0)->epochs->len, ==, n_epochs + 1);
  assert_agreed (group);

  /* Nor is what they said forgotten too late. */
  refresh_in_vain (group);
  holder = find_holder (group)->card->id;
  lose_patience (group, at (group, 0));
  group_run (group);
  assert_still_waits (group, holder, n_epochs + 1);
}

/* Who has the token now is not taken to task for what another did not do. */
static void
test_what_is_overdue_is_named (void)
{
  g_autoptr (Group) group = group_with_silent_holder (3);
  GcpMemberId holder = find_holder (group)->card->id;
  guint n_epochs = at (group, 0)->epochs->len;

  for (guint i = 0; i < 2; i++) {
    say_overdue (group, at (group, i), BRAVIS_VTKD_OWED_KEYS, 1, 0);
    say_overdue (group, at (group, i), BRAVIS_VTKD_OWED_KEYS, 3, 0);
    say_overdue (group, at (group, i), BRAVIS_VTKD_OWED_KEYS, 2, -1);
    say_overdue (group, at (group, i), BRAVIS_VTKD_OWED_KEYS, 2, 1);
    say_overdue (group, at (group, i), BRAVIS_VTKD_OWED_SHARE, holder, 0);
  }
  group_run (group);
  assert_still_waits (group, holder, n_epochs);
  assert_nobody_blamed (group);
}

/* In a view without newcomers nobody has a share to say. */
static void
test_no_share_is_owed_where_nobody_is_new (void)
{
  g_autoptr (Group) group = group_of (4);
  GcpMemberId last = at (group, 2)->card->id;
  guint n_epochs = at (group, 0)->epochs->len;

  g_ptr_array_remove_index (group->present, 3);
  group_view (group, BRAVIS_CAUSE_LEAVE, FALSE);
  silence (group, find_holder (group));
  say_overdue (group, at (group, 0), BRAVIS_VTKD_OWED_SHARE, last, 0);
  say_overdue (group, at (group, 1), BRAVIS_VTKD_OWED_SHARE, last, 0);
  group_run (group);
  assert_still_waits (group, find_holder (group)->card->id, n_epochs);
  assert_nobody_blamed (group);
}

static void
test_what_came_after_all_is_not_overdue (void)
{
  g_autoptr (Group) group = group_of (3);
  GcpMemberId holder = find_holder (group)->card->id;

  for (guint i = 0; i < 2; i++) {
    lose_patience (group, at (group, i));
    say_overdue (group, at (group, i), BRAVIS_VTKD_OWED_KEYS, 2, 0);
  }
  group_run (group);
  assert_nobody_blamed (group);
  g_assert_cmpuint (bravis_vtkd_get_holder (at (group, 0)->vtkd), ==, holder);
}

/* --- shares --- */

/* A group of four, of which the last is new and member 1 does not say its share. */
static Group *
group_with_silent_member (void)
{
  Group *group = group_of (3);

  group_join (group, 3);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  silence (group, at (group, 1));
  group_run (group);
  g_assert_cmpuint (at (group, 3)->epochs->len, ==, 0);
  return group;
}

/* It cannot open what the others say to it from then on, and must leave. */
static void
test_silent_member_is_passed_over (void)
{
  g_autoptr (Group) group = group_with_silent_member ();
  Member *silent = at (group, 1);

  lose_patience (group, at (group, 0));
  lose_patience (group, at (group, 3));
  group_step (group);
  group_step (group);
  for (guint i = 0; i < 4; i++)
    assert_blames (at (group, i), silent);
  group_step (group);
  for (guint i = 0; i < 4; i++)
    if (i != 1)
      assert_same_key (last_epoch (at (group, i)), last_epoch (at (group, 0)));
  g_assert_cmpuint (at (group, 3)->epochs->len, ==, 1);
}

static void
test_no_minority_passes_a_member_over (void)
{
  g_autoptr (Group) group = group_with_silent_member ();

  for (guint i = 0; i < 3; i++)
    lose_patience (group, at (group, 0));
  say_overdue (group, at (group, 1), BRAVIS_VTKD_OWED_SHARE,
      at (group, 1)->card->id, 0);
  group_run (group);
  g_assert_cmpuint (at (group, 3)->epochs->len, ==, 0);
  assert_nobody_blamed (group);
}

/* What was said of it in a view before does not count in the next. */
static void
test_accusations_end_with_the_view (void)
{
  g_autoptr (Group) group = group_with_silent_member ();

  lose_patience (group, at (group, 0));
  group_run (group);
  group_join (group, 4);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  silence (group, at (group, 1));
  lose_patience (group, at (group, 2));
  lose_patience (group, at (group, 3));
  group_run (group);
  g_assert_cmpuint (at (group, 4)->epochs->len, ==, 0);
  assert_nobody_blamed (group);
}

static void
test_malformed_message_is_blamed (void)
{
  g_autoptr (Group) group = group_with_silent_holder (3);
  g_autoptr (GBytes) noise = g_bytes_new_static ("\004\0\0\0\0\0\0\0\2\2\0\0\0\0\0"
      "\0\0\0", 18);

  group_say (group, at (group, 1), noise);
  group_run (group);
  assert_blames (at (group, 0), at (group, 1));
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  vtkd_group_begin ();
#define ADD(name) g_test_add_func ("/keymgmt/vtkd-silence/" #name, test_ ## name)
  ADD (silent_holder_loses_the_token);
  ADD (no_minority_takes_the_token_away);
  ADD (what_is_overdue_is_named);
  ADD (no_share_is_owed_where_nobody_is_new);
  ADD (what_came_after_all_is_not_overdue);
  ADD (silent_member_is_passed_over);
  ADD (no_minority_passes_a_member_over);
  ADD (accusations_end_with_the_view);
  ADD (malformed_message_is_blamed);
  result = g_test_run ();
  vtkd_group_end ();
  return result;
}
