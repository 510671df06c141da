/* What somebody reads of key changes who has stolen all that a member knew, or was a
 * member itself: recorded earlier ones, and later ones. */
#include "vtkd-group.h"

#include <nettle/curve25519.h>
#include <string.h>

/* All that was public of shares: those of cards and of key changes. */
static GPtrArray *
list_shares (Group *group, Member *member)
{
  GPtrArray *shares = g_ptr_array_new_with_free_func (
      (GDestroyNotify) bravis_share_free);

  g_ptr_array_add (shares, bravis_share_copy (member->card->share));
  for (guint i = 0; i < group->key_changes->len; i++) {
    g_auto (BravisVtkdKeys) keys = { 0 };

    g_assert_true (bravis_vtkd_keys_read (&keys,
        g_ptr_array_index (group->key_changes, i)));
    if (bravis_card_verify_share (member->card, keys.share, NULL))
      g_ptr_array_add (shares, bravis_share_copy (keys.share));
  }
  return shares;
}

/* The private half of @share among the first @n_known that @member drew; NULL: it is
 * not. */
static BravisSecret *
find_private (Member *member, guint n_known, const BravisShare *share)
{
  for (guint i = 0; i < n_known; i++) {
    BravisSecret *secret = g_ptr_array_index (member->drawn, i);
    guint8 public_key[BRAVIS_X25519_SIZE];

    curve25519_mul_g (public_key, bravis_secret_peek (secret));
    if (memcmp (public_key, share->public_key, sizeof public_key) == 0)
      return secret;
  }
  return NULL;
}

static gboolean
opens (const BravisVtkdKeys *keys, Member *thief, const BravisShare *share,
    const BravisSecret *private_key, Member *from, const BravisShare *other)
{
  g_autoptr (BravisSecret) pair = bravis_pair_key_new (VTKD_CONFERENCE,
      thief->card->id, share, private_key, from->card->id, other);

  for (guint i = 0; pair && i < keys->n_copies; i++) {
    g_autoptr (BravisSecret) secret = bravis_pair_open (pair, keys->digest,
        from->card->id, thief->card->id, keys->copies + i * BRAVIS_COPY_SIZE);

    if (secret)
      return TRUE;
  }
  return FALSE;
}

/* Whether who has the first @n_known that @thief drew, and all that was ever said,
 * reads that key change: every copy is tried with every share. */
static gboolean
reads (Group *group, Member *thief, guint n_known, guint change)
{
  g_autoptr (GPtrArray) own = list_shares (group, thief);
  g_auto (BravisVtkdKeys) keys = { 0 };

  g_assert_true (bravis_vtkd_keys_read (&keys,
      g_ptr_array_index (group->key_changes, change)));
  for (guint i = 0; i < own->len; i++) {
    const BravisShare *share = own->pdata[i];
    BravisSecret *private_key = find_private (thief, n_known, share);

    for (guint k = 0; private_key && k < group->members->len; k++) {
      Member *from = g_ptr_array_index (group->members, k);
      g_autoptr (GPtrArray) others = list_shares (group, from);

      for (guint m = 0; from != thief && m < others->len; m++)
        if (opens (&keys, thief, share, private_key, from, others->pdata[m]))
          return TRUE;
    }
  }
  return FALSE;
}

/* All that a member ever drew is copied, and everything is recorded. Until it holds the
 * token the copy reads on; from the key change after that on it reads nothing. */
static void
test_copied_state_is_worth_nothing_once_its_member_held_the_token (void)
{
  for (guint victim = 0; victim < 4; victim++) {
    g_autoptr (Group) group = group_of (4);
    Member *member = at (group, victim);
    guint n_known = member->drawn->len;
    gboolean has_held = FALSE;

    for (guint i = 0; i < 8; i++) {
      gboolean holds = find_holder (group) == member;

      group_refresh (group);
      assert_agreed (group);
      g_assert_cmpint (reads (group, member, n_known,
              group->key_changes->len - 1), ==, !has_held && !holds);
      has_held |= holds;
    }
    g_assert_true (has_held);
  }
}

/* All of several who left, with what each of them knew when it did. */
static void
test_leavers_together_read_nothing_later (void)
{
  g_autoptr (Group) group = group_of (5);
  Member *leavers[3] = { at (group, 1), at (group, 3), at (group, 4) };
  Member *holder = find_holder (group);
  guint before;

  group_refresh (group);
  before = group->key_changes->len;
  for (guint i = 0; i < G_N_ELEMENTS (leavers); i++)
    g_assert_cmpint (reads (group, leavers[i], leavers[i]->drawn->len,
            before - 1), ==, leavers[i] != holder);
  for (guint i = 0; i < G_N_ELEMENTS (leavers); i++) {
    g_ptr_array_remove (group->present, leavers[i]);
    group_view (group, BRAVIS_CAUSE_LEAVE, FALSE);
    group_run (group);
  }
  for (guint i = 0; i < 4; i++)
    group_refresh (group);
  assert_agreed (group);
  /* From the key change on that none of them was there for. */
  for (guint change = before + 2; change < group->key_changes->len; change++)
    for (guint i = 0; i < G_N_ELEMENTS (leavers); i++)
      g_assert_false (reads (group, leavers[i], leavers[i]->drawn->len, change));
}

/* It recorded all that was said before it came, and knows all that it ever drew. */
static void
test_newcomer_reads_nothing_earlier (void)
{
  g_autoptr (Group) group = group_of (3);
  Member *newcomer;
  guint before;

  for (guint i = 0; i < 4; i++)
    group_refresh (group);
  before = group->key_changes->len;
  newcomer = group_join (group, 5);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  group_run (group);
  assert_agreed (group);
  g_assert_true (reads (group, newcomer, newcomer->drawn->len, before));
  for (guint change = 0; change < before; change++)
    g_assert_false (reads (group, newcomer, newcomer->drawn->len, change));
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  vtkd_group_begin ();
#define ADD(name) g_test_add_func ("/keymgmt/vtkd-healing/" #name, test_ ## name)
  ADD (copied_state_is_worth_nothing_once_its_member_held_the_token);
  ADD (leavers_together_read_nothing_later);
  ADD (newcomer_reads_nothing_earlier);
  result = g_test_run ();
  vtkd_group_end ();
  return result;
}
