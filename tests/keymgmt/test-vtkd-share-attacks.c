/* What members say of themselves and of the group where somebody is new, and lie. */
#include "vtkd-group.h"

#include <string.h>

static BravisRandom random_source;

/* --- what they say --- */

/* A group of @n and a newcomer, who all are about to say their shares. */
static Group *
begin_exchange (guint n)
{
  Group *group = group_of (n);

  group_join (group, n);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  return group;
}

static void
say_instead (Group *group, guint liar, GBytes *bytes)
{
  Message *own = g_queue_peek_nth (&group->queue, liar);

  g_assert_cmpuint (own->from, ==, at (group, liar)->card->id);
  g_bytes_unref (own->bytes);
  own->bytes = g_bytes_ref (bytes);
}

static BravisShare *
make_share (guint signer, Member *member, guint32 serial)
{
  g_autoptr (BravisSecret) key = NULL;

  if (serial == BRAVIS_FIRST_SHARE)
    return bravis_share_new_first (&random_source, &key);
  return bravis_share_new (vtkd_identity (signer), member->card->digest, serial,
      &random_source, &key, NULL);
}

/* @message, of the view that is @message.view further, with a share of that serial
 * number that @signer signed for @member. */
static GBytes *
write_lie (Group *group, BravisVtkdShare message, guint member, guint signer,
    guint32 serial)
{
  g_autoptr (BravisShare) share = make_share (signer, at (group, member),
      serial);

  message.view += gcp_view_get_number (group->view);
  message.share = share;
  return bravis_vtkd_share_write (&message);
}

/* In a view with a newcomer, @liar says @message in place of its VTKD_SHARE. */
static Group *
exchange_with_lie (guint liar, const BravisVtkdShare *message, guint signer,
    guint32 serial)
{
  Group *group = begin_exchange (2);
  g_autoptr (GBytes) lie = write_lie (group, *message, liar, signer, serial);

  say_instead (group, liar, lie);
  group_run (group);
  return group;
}

static void
assert_only_blamed (Member *member, Member *whom)
{
  g_assert_cmpuint (member->blamed->len, >, 0);
  for (guint i = 0; i < member->blamed->len; i++)
    g_assert_cmpuint (g_array_index (member->blamed, GcpMemberId, i), ==,
        whom->card->id);
}

static void
assert_same_epoch (Group *group, guint a, guint b)
{
  assert_same_key (last_epoch (at (group, a)), last_epoch (at (group, b)));
  g_assert_true (gcp_view_equal (bravis_epoch_get_view (last_epoch (at (group,
      a))), group->view));
  g_assert_cmpuint (bravis_vtkd_get_holder (at (group, a)->vtkd), ==,
      bravis_vtkd_get_holder (at (group, b)->vtkd));
}

/* Also later, when everybody has held the token. */
static void
assert_stay_alike (Group *group, guint a, guint b)
{
  for (guint i = 0; i <= group->present->len; i++) {
    assert_same_epoch (group, a, b);
    bravis_vtkd_refresh (at (group, a)->vtkd);
    group_poll (group, at (group, a));
    group_run (group);
  }
  assert_same_epoch (group, a, b);
}

/* --- newcomers --- */

static void
test_newcomer_cannot_set_the_groups_state (void)
{
  BravisVtkdShare lie = { .knows = TRUE, .epoch = BRAVIS_MAX_EPOCH - 1,
    .version = 77 };
  g_autoptr (Group) group = NULL;

  bravis_policy_init (&lie.policy);
  lie.policy.cipher[0] = BRAVIS_CIPHER_AES_256_GCM;
  group = exchange_with_lie (2, &lie, 2, 2);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (bravis_epoch_get_number (last_epoch (at (group, i))), ==,
        3);
    g_assert_cmpint (bravis_epoch_get_policy (last_epoch (at (group,
        i)))->cipher[0], ==, BRAVIS_CIPHER_AES_128_GCM);
    g_assert_cmpuint (at (group, i)->blamed->len, >=, 1);
  }
}

/* A newcomer may come with a high number, from a group of its own, but not with
 * one that leaves no room. */
static void
test_epoch_numbers_cannot_be_used_up_by_newcomers (void)
{
  BravisVtkdShare message = { .epoch = G_MAXUINT32 };
  g_autoptr (BravisShare) share = make_share (0, NULL, BRAVIS_FIRST_SHARE);
  g_autoptr (GBytes) good = NULL;
  g_autoptr (GBytes) bad = NULL;
  g_auto (BravisVtkdShare) read = { 0 };
  g_auto (BravisVtkdShare) read_bad = { 0 };

  bravis_policy_init (&message.policy);
  message.share = share;
  good = bravis_vtkd_share_write (&message);
  message.epoch++;
  bad = bravis_vtkd_share_write (&message);
  g_assert_true (bravis_vtkd_share_read (&read, good));
  g_assert_false (bravis_vtkd_share_read (&read_bad, bad));
}

static void
test_share_that_the_member_did_not_sign_is_not_taken (void)
{
  BravisVtkdShare lie = { .knows = FALSE };
  g_autoptr (Group) group = NULL;

  bravis_policy_init (&lie.policy);
  group = exchange_with_lie (2, &lie, 3, 5);
  assert_blames (at (group, 0), at (group, 2));
  assert_blames (at (group, 1), at (group, 2));
  /* The share of its card goes on being the one that counts. */
  assert_agreed (group);
}

static void
test_malformed_share_message_does_not_stop_the_others (void)
{
  g_autoptr (Group) group = begin_exchange (2);
  g_autoptr (GBytes) noise = g_bytes_new_static ("\001noise", 6);

  say_instead (group, 2, noise);
  group_run (group);
  assert_blames (at (group, 0), at (group, 2));
  assert_agreed (group);
}

/* What a newcomer was given of member 0 before it came, and what that then says:
 * @expected and @said sign a share of it, by who they are. Whether the newcomer blames
 * it. */
static gboolean
newcomer_blames (guint expected, guint said)
{
  g_autoptr (Group) group = begin_exchange (2);
  BravisVtkdShare message = { .view = gcp_view_get_number (group->view),
    .knows = TRUE, .epoch = 2, .version = 2 };
  GcpMemberId id = at (group, 0)->card->id;
  g_autoptr (BravisShare) before = make_share (expected, at (group, 0), 9);
  g_autoptr (BravisShare) now = said == expected ? bravis_share_copy (before)
      : make_share (said, at (group, 0), 9);
  g_autoptr (GBytes) lie = NULL;

  bravis_policy_init (&message.policy);
  message.share = now;
  lie = bravis_vtkd_share_write (&message);
  bravis_vtkd_expect (at (group, 2)->vtkd, id, before);
  say_instead (group, 0, lie);
  group_step (group);
  return at (group, 2)->blamed->len > 0;
}

/* What is expected was verified before, and is not again; nothing else is let pass. */
static void
test_expected_share_alone_is_taken_unverified (void)
{
  g_assert_false (newcomer_blames (3, 3));
  g_assert_true (newcomer_blames (0, 3));
  g_assert_false (newcomer_blames (3, 0));
}

/* --- old members --- */

/* Whatever it says: who knew its share, and who is new, go on alike. */
static void
test_old_member_that_lies_of_its_share_parts_nobody (void)
{
  /* Signed and out of turn; an old one of its own; not signed by itself. */
  static const struct {
    guint signer;
    guint32 serial;
  } lies[] = { { 0, 9 }, { 0, 1 }, { 3, 9 } };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++) {
    BravisVtkdShare lie = { .knows = TRUE, .epoch = 2, .version = 2 };
    g_autoptr (Group) group = NULL;

    bravis_policy_init (&lie.policy);
    group = exchange_with_lie (0, &lie, lies[i].signer, lies[i].serial);
    assert_only_blamed (at (group, 1), at (group, 0));
    if (at (group, 2)->blamed->len > 0)
      assert_only_blamed (at (group, 2), at (group, 0));
    assert_same_epoch (group, 1, 2);
  }
}

/* The first member says other numbers than the group has. Newcomers believe it, but
 * where the others say greater ones. */
static void
test_old_member_that_lies_of_the_groups_state_is_not_believed (void)
{
  static const struct {
    guint64 epoch, version;
    gboolean greater;
  } lies[] = { { 9, 2, TRUE }, { 2, 7, TRUE }, { 1, 2 }, { 2, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++) {
    g_autoptr (Group) group = begin_exchange (3);
    g_autoptr (BravisShare) share = current_share (group, at (group, 0));
    BravisVtkdShare message = { .view = gcp_view_get_number (group->view),
      .knows = TRUE, .epoch = lies[i].epoch, .version = lies[i].version,
      .share = share };
    g_autoptr (GBytes) lie = NULL;

    bravis_policy_init (&message.policy);
    lie = bravis_vtkd_share_write (&message);
    say_instead (group, 0, lie);
    for (guint k = 0; k < 4; k++)
      group_step (group);
    assert_blames (at (group, 1), at (group, 0));
    assert_blames (at (group, 2), at (group, 0));
    group_run (group);
    assert_same_epoch (group, 1, 2);
    g_assert_cmpuint (bravis_epoch_get_number (last_epoch (at (group, 1))), ==,
        3);
    if (!lies[i].greater)
      assert_same_epoch (group, 1, 3);
  }
}

/* Also if nothing else comes of it. */
static void
test_another_share_than_the_group_knows_is_blamed_at_once (void)
{
  g_autoptr (Group) group = begin_exchange (2);
  BravisVtkdShare message = { .knows = TRUE, .epoch = 2, .version = 2 };
  g_autoptr (GBytes) lie = NULL;

  bravis_policy_init (&message.policy);
  lie = write_lie (group, message, 0, 0, 9);
  say_instead (group, 0, lie);
  group_step (group);
  assert_blames (at (group, 1), at (group, 0));
  g_assert_cmpuint (at (group, 2)->blamed->len, ==, 0);
}

/* It has the share of its card again, for who knew a later one and who is new alike. */
static void
test_old_member_that_says_noise_parts_nobody (void)
{
  g_autoptr (Group) group = begin_exchange (2);
  g_autoptr (GBytes) noise = g_bytes_new_static ("\001noise", 6);

  say_instead (group, 0, noise);
  group_run (group);
  assert_stay_alike (group, 1, 2);
  assert_only_blamed (at (group, 1), at (group, 0));
  assert_only_blamed (at (group, 2), at (group, 0));
}

/* Member 1 says another share that it signed, in a message of this view or one that is
 * @view further, as message @place of all. */
static void
check_surplus_share (guint place, gint view)
{
  g_autoptr (Group) group = begin_exchange (2);
  BravisVtkdShare message = { .view = view, .knows = TRUE, .epoch = 2,
    .version = 2 };
  g_autoptr (GBytes) surplus = NULL;

  bravis_policy_init (&message.policy);
  surplus = write_lie (group, message, 1, 1, 9);
  group_say (group, at (group, 1), surplus);
  g_queue_push_nth (&group->queue, g_queue_pop_tail (&group->queue), place);
  group_run (group);
  assert_nobody_blamed (group);
  assert_agreed (group);
}

static void
test_first_share_of_a_view_counts (void)
{
  check_surplus_share (0, -1);
  check_surplus_share (0, 1);
  check_surplus_share (2, 0);   /* behind its own */
  check_surplus_share (3, 0);   /* behind all */
}

/* Whichever octet of its VTKD_SHARE a member alters: not type and view, without which
 * it has said nothing yet. What newcomers make of lies of the group's state is tested
 * above. */
static void
test_altered_share_message_parts_no_others (void)
{
  const gsize begin = 1 + 8, share = begin + 1 + 8 + 8 + 1 + BRAVIS_N_KINDS;
  gsize size = begin + 1;

  for (gsize place = begin; place < size; place++) {
    g_autoptr (Group) group = begin_exchange (3);
    GBytes *said = ((Message *) g_queue_peek_head (&group->queue))->bytes;
    g_autofree guint8 *octets = NULL;
    g_autoptr (GBytes) altered = NULL;

    size = g_bytes_get_size (said);
    octets = g_memdup2 (g_bytes_get_data (said, NULL), size);
    octets[place] ^= 1 << place % 8;
    altered = g_bytes_new (octets, size);
    say_instead (group, 0, altered);
    group_run (group);
    assert_stay_alike (group, 1, place < share ? 2 : 3);
  }
}

/* --- the numbers of epochs --- */

/* A group of two, and one that had seven epochs alone comes to them: as another part of
 * the group, or @anew. All hear of it that it knows nothing and never saw an epoch. */
static Group *
meet_with_altered_word (gboolean anew)
{
  Group *group = group_of (2);
  g_autoptr (Group) alone = group_of (1);
  g_autoptr (BravisShare) share = NULL;
  BravisVtkdShare heard = { .knows = FALSE };
  g_autoptr (GBytes) bytes = NULL;
  Member *other;

  for (guint i = 0; i < 6; i++)
    group_refresh (alone);
  other = g_ptr_array_steal_index (alone->members, 0);
  bravis_policy_init (&heard.policy);
  heard.share = share = current_share (alone, other);
  if (anew)
    bravis_vtkd_restart (other->vtkd);
  g_ptr_array_add (group->members, other);
  g_ptr_array_add (group->present, other);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  heard.view = gcp_view_get_number (group->view);
  bytes = bravis_vtkd_share_write (&heard);
  say_instead (group, 2, bytes);
  group_run (group);
  return group;
}

/* Who alters it on its way cuts that member off, but does not make it take a number for
 * the second time. */
static void
test_no_number_comes_twice_whatever_became_of_ones_word (void)
{
  for (guint anew = 0; anew < 2; anew++) {
    g_autoptr (Group) group = meet_with_altered_word (anew);
    Member *other = at (group, 2);

    group_refresh (group);
    assert_same_epoch (group, 0, 1);
    for (guint i = 1; i < other->epochs->len; i++)
      g_assert_cmpuint (bravis_epoch_get_number (other->epochs->pdata[i]), >,
          bravis_epoch_get_number (other->epochs->pdata[i - 1]));
  }
}

/* Another part of the group may be ahead by as much as leaves room behind it. */
static void
test_other_part_raises_the_number_up_to_a_limit (void)
{
  for (guint beyond = 0; beyond < 2; beyond++) {
    g_autoptr (Group) group = begin_exchange (2);
    BravisVtkdShare message = { .view = gcp_view_get_number (group->view),
      .knows = TRUE, .epoch = G_MAXUINT32 + (guint64) beyond, .version = 5,
      .share = at (group, 2)->card->share };
    g_autoptr (GBytes) said = NULL;

    bravis_policy_init (&message.policy);
    said = bravis_vtkd_share_write (&message);
    say_instead (group, 2, said);
    group_run (group);
    assert_agreed (group);
    g_assert_cmpuint (bravis_epoch_get_number (last_epoch (at (group, 0))), ==,
        beyond ? 3 : (guint64) G_MAXUINT32 + 1);
    /* The version that it said counts as little. */
    g_assert_true (find_holder (group) == at (group, 0));
    for (guint i = 0; i < 2; i++)
      g_assert_cmpuint (at (group, i)->blamed->len, ==, beyond);
  }
}

/* A newcomer that is told so high a number that there is no other makes no epoch, and
 * says why. */
static void
test_behind_the_last_number_there_is_no_epoch (void)
{
  for (guint used_up = 0; used_up < 2; used_up++) {
    g_autoptr (Group) group = begin_exchange (1);
    Member *newcomer = at (group, 1);
    BravisVtkdShare message = { .view = gcp_view_get_number (group->view),
      .knows = TRUE, .epoch = BRAVIS_MAX_EPOCH - !used_up, .version = 1,
      .share = at (group, 0)->card->share };
    g_autoptr (GBytes) said = NULL;

    bravis_policy_init (&message.policy);
    said = bravis_vtkd_share_write (&message);
    say_instead (group, 0, said);
    group_run (group);
    g_assert_cmpuint (newcomer->epochs->len, ==, !used_up);
    if (used_up)
      assert_blames (newcomer, newcomer);
    else
      g_assert_cmpuint (bravis_epoch_get_number (last_epoch (newcomer)), ==,
          BRAVIS_MAX_EPOCH);
  }
}

static void
test_key_change_behind_the_last_number_is_malformed (void)
{
  g_autoptr (Group) group = group_of (2);
  gsize size;
  const guint8 *data = g_bytes_get_data (group->key_changes->pdata[1], &size);

  for (guint beyond = 0; beyond < 2; beyond++) {
    guint8 *octets = g_memdup2 (data, size);
    g_autoptr (GBytes) bytes = g_bytes_new_take (octets, size);
    guint64 number = GUINT64_TO_BE (BRAVIS_MAX_EPOCH + beyond);
    g_auto (BravisVtkdKeys) keys = { 0 };

    memcpy (octets + 1 + 8 + 8, &number, sizeof number);
    g_assert_cmpint (bravis_vtkd_keys_read (&keys, bytes), ==, !beyond);
  }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  vtkd_group_begin ();
  bravis_random_init_system (&random_source);
#define ADD(name) g_test_add_func ("/keymgmt/vtkd-share-attacks/" #name, test_ ## name)
  ADD (newcomer_cannot_set_the_groups_state);
  ADD (epoch_numbers_cannot_be_used_up_by_newcomers);
  ADD (share_that_the_member_did_not_sign_is_not_taken);
  ADD (expected_share_alone_is_taken_unverified);
  ADD (old_member_that_lies_of_its_share_parts_nobody);
  ADD (malformed_share_message_does_not_stop_the_others);
  ADD (old_member_that_lies_of_the_groups_state_is_not_believed);
  ADD (another_share_than_the_group_knows_is_blamed_at_once);
  ADD (old_member_that_says_noise_parts_nobody);
  ADD (first_share_of_a_view_counts);
  ADD (altered_share_message_parts_no_others);
  ADD (no_number_comes_twice_whatever_became_of_ones_word);
  ADD (other_part_raises_the_number_up_to_a_limit);
  ADD (behind_the_last_number_there_is_no_epoch);
  ADD (key_change_behind_the_last_number_is_malformed);
  result = g_test_run ();
  vtkd_group_end ();
  return result;
}
