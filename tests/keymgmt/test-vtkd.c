/* VTKD as it should go: every view ends in one epoch that all share, whatever is cut
 * off where. */
#include "vtkd-group.h"

#include <string.h>

/* --- copies --- */

/* Also what keeps a key from being used for two secrets: another key change is
 * another digest, and that another key. */
static void
test_copies_are_bound_to_key_change_and_direction (void)
{
  Member *alice = member_new (0), *bob = member_new (1);
  GcpMemberId a = alice->card->id, b = bob->card->id;
  g_autoptr (BravisSecret) pair = bravis_pair_key_new (VTKD_CONFERENCE, a,
      alice->card->share, alice->first_key, b, bob->card->share);
  g_autoptr (BravisSecret) same = bravis_pair_key_new (VTKD_CONFERENCE, b,
      bob->card->share, bob->first_key, a, alice->card->share);
  g_autoptr (BravisSecret) other = bravis_pair_key_new ("another", a,
      alice->card->share, alice->first_key, b, bob->card->share);
  g_autoptr (BravisSecret) secret = bravis_secret_new (
      "0123456789abcdef0123456789abcdef", BRAVIS_KEY_SIZE);
  g_autoptr (BravisSecret) opened = NULL;
  guint8 digest[BRAVIS_HASH_SIZE] = { 1 }, next[BRAVIS_HASH_SIZE] = { 2 };
  guint8 copy[BRAVIS_COPY_SIZE], second[BRAVIS_COPY_SIZE];

  g_assert_true (bravis_secret_equal (pair, same));
  g_assert_false (bravis_secret_equal (pair, other));
  bravis_pair_seal (pair, digest, a, b, secret, copy);
  opened = bravis_pair_open (pair, digest, a, b, copy);
  g_assert_true (bravis_secret_equal (opened, secret));
  g_assert_null (bravis_pair_open (pair, digest, b, a, copy));
  g_assert_null (bravis_pair_open (pair, next, a, b, copy));
  g_assert_null (bravis_pair_open (other, digest, a, b, copy));
  bravis_pair_seal (pair, next, a, b, secret, second);
  g_assert_true (memcmp (copy, second, sizeof copy) != 0);
  member_free (alice);
  member_free (bob);
}

/* --- key changes --- */

static void
test_every_view_ends_in_an_epoch_that_all_share (void)
{
  g_autoptr (Group) group = group_of (5);

  assert_agreed (group);
  g_assert_cmpuint (bravis_epoch_get_number (last_epoch (at (group, 4))), ==,
      2);
  g_ptr_array_remove_index (group->present, 2);
  group_view (group, BRAVIS_CAUSE_LEAVE, FALSE);
  group_run (group);
  assert_agreed (group);
  g_ptr_array_remove_index (group->present, 0);
  group_join (group, 5);
  group_view (group, BRAVIS_CAUSE_JOIN_AND_LEAVE, FALSE);
  group_run (group);
  assert_agreed (group);
  assert_nobody_blamed (group);
}

static void
test_token_goes_round_so_that_all_shares_heal (void)
{
  g_autoptr (Group) group = group_of (3);
  g_autoptr (GHashTable) holders = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < 3; i++) {
    g_hash_table_add (holders, find_holder (group));
    bravis_vtkd_refresh (at (group, i)->vtkd);
    group_poll (group, at (group, i));
    group_run (group);
    assert_agreed (group);
    g_assert_cmpint (g_array_index (at (group, i)->causes, BravisCause,
        at (group, i)->causes->len - 1), ==, BRAVIS_CAUSE_REFRESH);
  }
  g_assert_cmpuint (g_hash_table_size (holders), ==, 3);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (BravisShare) share = current_share (group, at (group, i));

    g_assert_cmpuint (share->serial, >=, 2);
  }
  assert_nobody_blamed (group);
}

static void
test_refreshes_asked_together_are_one_key_change (void)
{
  g_autoptr (Group) group = group_of (3);
  guint changes = group->key_changes->len;

  for (guint i = 0; i < 3; i++) {
    bravis_vtkd_refresh (at (group, i)->vtkd);
    group_poll (group, at (group, i));
  }
  /* All three requests come before the key change in the order. */
  group_run (group);
  g_assert_cmpuint (group->key_changes->len, ==, changes + 1);
  assert_agreed (group);
}

static void
test_refresh_while_a_change_is_due_is_part_of_it (void)
{
  g_autoptr (Group) group = group_of (2);
  guint changes = group->key_changes->len;
  g_autoptr (GBytes) refresh = NULL;

  group_join (group, 2);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  refresh = bravis_vtkd_refresh_write (gcp_view_get_number (group->view));
  group_say (group, at (group, 1), refresh);
  group_run (group);
  assert_agreed (group);
  g_assert_cmpuint (group->key_changes->len, ==, changes + 1);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (g_array_index (at (group, i)->causes, BravisCause,
        at (group, i)->causes->len - 1), ==, BRAVIS_CAUSE_JOIN);
}

/* The holder's message is cut off by the next view at every place it can be. */
static void
test_a_key_change_is_finished_or_replaced_never_half_done (void)
{
  for (guint steps = 0; steps < 6; steps++)
    for (guint gone = 0; gone < 3; gone++) {
      g_autoptr (Group) group = group_of (3);

      group_join (group, 3);
      group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
      for (guint i = 0; i < steps; i++)
        group_step (group);
      g_ptr_array_remove_index (group->present, gone);
      group_view (group, BRAVIS_CAUSE_CRASH, steps % 2);
      group_run (group);
      assert_agreed (group);
      assert_nobody_blamed (group);
    }
}

/* What the verification code is over: the shares as the key changes made them. */
static void
test_all_know_the_same_shares (void)
{
  g_autoptr (Group) group = group_of (3);

  for (guint change = 0; change < 4; change++) {
    g_auto (GcpWriter) writer = { NULL };
    guint8 expected[BRAVIS_HASH_SIZE], hash[BRAVIS_HASH_SIZE];

    gcp_writer_init (&writer);
    for (guint i = 0; i < group->present->len; i++) {
      g_autoptr (BravisShare) share = current_share (group, at (group, i));

      gcp_write_u64 (&writer, at (group, i)->card->id);
      gcp_write_u32 (&writer, share->serial);
      gcp_write_bytes (&writer, share->public_key, BRAVIS_X25519_SIZE);
    }
    bravis_sha256 (writer.array->data, writer.array->len, expected);
    for (guint i = 0; i < group->present->len; i++) {
      bravis_vtkd_hash_shares (at (group, i)->vtkd, hash);
      g_assert_cmpmem (hash, sizeof hash, expected, sizeof expected);
    }
    group_refresh (group);
  }
}

/* Who comes out of a cut-off exchange has no less than who was there before. */
static void
test_newcomers_alone_can_go_on (void)
{
  g_autoptr (Group) group = group_of (1);

  group_join (group, 1);
  group_join (group, 2);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  group_step (group);
  g_ptr_array_remove_index (group->present, 0);
  group_view (group, BRAVIS_CAUSE_CRASH, FALSE);
  group_run (group);
  assert_agreed (group);
  g_assert_cmpint (g_array_index (at (group, 0)->causes, BravisCause, 0), ==,
      BRAVIS_CAUSE_JOIN_AND_LEAVE);
}

static void
test_who_was_alone_before_keeps_its_share_and_sees_numbers_grow (void)
{
  g_autoptr (Group) group = group_of (2);
  g_autoptr (Group) alone = group_of (1);
  Member *wanderer;

  for (guint i = 0; i < 6; i++)
    group_refresh (alone);
  wanderer = g_ptr_array_steal_index (alone->members, 0);
  g_assert_cmpuint (bravis_vtkd_get_highest (wanderer->vtkd), ==, 7);
  bravis_vtkd_restart (wanderer->vtkd);
  g_ptr_array_add (group->members, wanderer);
  g_ptr_array_add (group->present, wanderer);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  group_run (group);
  assert_agreed (group);
  assert_nobody_blamed (group);
  g_assert_cmpuint (bravis_epoch_get_number (last_epoch (wanderer)), ==, 8);
}

/* One that went on alone meets the others: the version and the number of epochs grow
 * for both parts, and the key is another than each had. */
static void
test_parts_go_on_from_the_greatest_numbers (void)
{
  g_autoptr (Group) group = group_of (2);
  g_autoptr (Group) alone = group_of (1);
  g_autoptr (BravisEpoch) of_group = bravis_epoch_ref (last_epoch (at (group,
      0)));
  g_autoptr (BravisEpoch) of_alone = NULL;
  Member *other;

  for (guint i = 0; i < 6; i++)
    group_refresh (alone);
  other = g_ptr_array_steal_index (alone->members, 0);
  of_alone = bravis_epoch_ref (last_epoch (other));
  g_ptr_array_add (group->members, other);
  g_ptr_array_add (group->present, other);
  group->view_number = MAX (group->view_number, alone->view_number);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  group_run (group);
  assert_agreed (group);
  assert_nobody_blamed (group);
  g_assert_cmpuint (bravis_epoch_get_number (last_epoch (other)), ==, 8);
  /* The seventh key change was the last of the greater: this was the eighth. */
  g_assert_true (find_holder (group) == at (group, 8 % 3));
  g_assert_false (bravis_secret_equal (bravis_epoch_get_secret (of_group),
          bravis_epoch_get_secret (last_epoch (other))));
  g_assert_false (bravis_secret_equal (bravis_epoch_get_secret (of_alone),
          bravis_epoch_get_secret (last_epoch (other))));
}

/* --- many histories --- */

static void
assert_nothing_is_used_twice (Group *group)
{
  g_autoptr (GHashTable) digests = g_hash_table_new_full (g_bytes_hash,
      g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  g_autoptr (GHashTable) shares = g_hash_table_new_full (g_str_hash,
      g_str_equal, g_free, (GDestroyNotify) bravis_share_free);

  for (guint i = 0; i < group->key_changes->len; i++) {
    g_auto (BravisVtkdKeys) keys = { 0 };

    g_assert_true (bravis_vtkd_keys_read (&keys,
        g_ptr_array_index (group->key_changes, i)));
    /* Copies' keys are derived from it: a new one for each key change. */
    g_assert_true (g_hash_table_add (digests, g_bytes_new (keys.digest,
        BRAVIS_HASH_SIZE)));
    for (guint j = 0; j < group->members->len; j++) {
      Member *member = g_ptr_array_index (group->members, j);
      char *name;
      BravisShare *known;

      if (!bravis_card_verify_share (member->card, keys.share, NULL))
        continue;
      name = g_strdup_printf ("%u %u", j, keys.share->serial);
      known = g_hash_table_lookup (shares, name);
      g_assert_true (!known || bravis_share_equal (known, keys.share));
      g_hash_table_insert (shares, name, bravis_share_copy (keys.share));
    }
  }
}

static void
assert_numbers_grow (Group *group)
{
  for (guint i = 0; i < group->members->len; i++) {
    Member *member = g_ptr_array_index (group->members, i);
    guint64 last = 0;

    for (guint j = 0; j < member->epochs->len; j++) {
      BravisEpoch *epoch = g_ptr_array_index (member->epochs, j);

      g_assert_cmpuint (bravis_epoch_get_number (epoch), >, last);
      g_assert_true (gcp_view_contains (bravis_epoch_get_view (epoch),
          member->card->id));
      last = bravis_epoch_get_number (epoch);
    }
  }
}

static void
change_membership (Group *group, GRand *rand)
{
  gboolean join = group->present->len < 2
      || (group->present->len < 6 && g_rand_boolean (rand));
  gboolean leave = group->present->len > 1
      && (!join || g_rand_int_range (rand, 0, 4) == 0);
  gboolean keep = g_rand_boolean (rand);
  BravisCause cause = join && leave ? BRAVIS_CAUSE_JOIN_AND_LEAVE
      : join ? BRAVIS_CAUSE_JOIN : BRAVIS_CAUSE_CRASH;

  if (leave)
    g_ptr_array_remove_index (group->present, g_rand_int_range (rand, 0,
        group->present->len));
  if (join)
    group_join (group, g_rand_int_range (rand, 0, VTKD_N_NAMES));
  group_view (group, cause, keep);
}

static void
run_history (guint32 seed)
{
  GRand *rand = g_rand_new_with_seed (seed);
  g_autoptr (Group) group = group_of (1);
  guint n_steps = 40;

  for (guint i = 0; i < n_steps; i++) {
    guint dice = g_rand_int_range (rand, 0, 10);

    if (dice < 3) {
      change_membership (group, rand);
    } else if (dice == 3) {
      Member *member = at (group, g_rand_int_range (rand, 0,
          group->present->len));

      bravis_vtkd_refresh (member->vtkd);
      group_poll (group, member);
    } else {
      group_step (group);
    }
  }
  group_run (group);
  assert_agreed (group);
  assert_nobody_blamed (group);
  assert_nothing_is_used_twice (group);
  assert_numbers_grow (group);
  g_rand_free (rand);
}

static void
test_many_histories_end_in_agreement (void)
{
  for (guint32 seed = 1; seed <= 150; seed++) {
    g_test_message ("seed %u", seed);
    run_history (seed);
  }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  vtkd_group_begin ();
#define ADD(name) g_test_add_func ("/keymgmt/vtkd/" #name, test_ ## name)
  ADD (every_view_ends_in_an_epoch_that_all_share);
  ADD (token_goes_round_so_that_all_shares_heal);
  ADD (refreshes_asked_together_are_one_key_change);
  ADD (refresh_while_a_change_is_due_is_part_of_it);
  ADD (a_key_change_is_finished_or_replaced_never_half_done);
  ADD (all_know_the_same_shares);
  ADD (newcomers_alone_can_go_on);
  ADD (who_was_alone_before_keeps_its_share_and_sees_numbers_grow);
  ADD (parts_go_on_from_the_greatest_numbers);
  ADD (copies_are_bound_to_key_change_and_direction);
  ADD (many_histories_end_in_agreement);
  result = g_test_run ();
  vtkd_group_end ();
  return result;
}
