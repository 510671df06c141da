#include "vtkd-group.h"

static TestPki *pki;
static BravisIdentity *identities[VTKD_N_NAMES];
static BravisRandom system_random;

void
vtkd_group_begin (void)
{
  static const char *const names[VTKD_N_NAMES] = { "alice", "bob", "carol",
    "dave", "erin", "frank" };

  pki = test_pki_new ();
  bravis_random_init_system (&system_random);
  for (guint i = 0; i < VTKD_N_NAMES; i++)
    identities[i] = test_pki_identity (pki, names[i]);
}

void
vtkd_group_end (void)
{
  for (guint i = 0; i < VTKD_N_NAMES; i++)
    bravis_identity_unref (identities[i]);
  test_pki_free (pki);
}

BravisIdentity *
vtkd_identity (guint name)
{
  return identities[name];
}

/* What is drawn is kept: private keys and epoch secrets are among it. */
static void
draw (gpointer user_data, gpointer out, gsize size)
{
  Member *member = user_data;

  bravis_random_fill (&system_random, out, size);
  if (size == BRAVIS_KEY_SIZE)
    g_ptr_array_add (member->drawn, bravis_secret_new (out, size));
}

Member *
member_new (guint name)
{
  Member *member = g_new0 (Member, 1);
  g_autoptr (GError) error = NULL;
  BravisPolicy policy;

  bravis_policy_init (&policy);
  member->identity = identities[name];
  member->drawn =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bravis_secret_unref);
  member->random = (BravisRandom) { draw, member };
  member->own = bravis_own_card_new (member->identity, VTKD_CONFERENCE, TEST_PKI_NOW,
      &member->random, &error);
  g_assert_no_error (error);
  member->first_key = bravis_secret_ref (member->own->share_key);
  member->card = bravis_card_verify (member->own->card->bytes, identities[0],
      VTKD_CONFERENCE, TEST_PKI_NOW, &error);
  g_assert_no_error (error);
  member->vtkd = bravis_vtkd_new (member->identity, VTKD_CONFERENCE, member->own,
      &policy, 0, &member->random);
  member->epochs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bravis_epoch_unref);
  member->causes = g_array_new (FALSE, FALSE, sizeof (BravisCause));
  member->blamed = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  return member;
}

void
member_free (Member *member)
{
  bravis_vtkd_free (member->vtkd);
  bravis_own_card_free (member->own);
  bravis_secret_unref (member->first_key);
  g_ptr_array_unref (member->drawn);
  bravis_card_unref (member->card);
  g_ptr_array_unref (member->epochs);
  g_array_unref (member->causes);
  g_array_unref (member->blamed);
  g_free (member);
}

void
message_free (gpointer data)
{
  Message *message = data;

  g_bytes_unref (message->bytes);
  g_free (message);
}

static Group *
group_new (void)
{
  Group *group = g_new0 (Group, 1);

  group->members =
      g_ptr_array_new_with_free_func ((GDestroyNotify) member_free);
  group->present = g_ptr_array_new ();
  group->key_changes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_queue_init (&group->queue);
  return group;
}

void
group_free (Group *group)
{
  g_queue_clear_full (&group->queue, message_free);
  g_clear_pointer (&group->view, gcp_view_unref);
  g_ptr_array_unref (group->present);
  g_ptr_array_unref (group->members);
  g_ptr_array_unref (group->key_changes);
  g_free (group);
}

Member *
at (Group *group, guint index)
{
  return g_ptr_array_index (group->present, index);
}

gboolean
is_keys (GBytes *bytes)
{
  return ((const guint8 *) g_bytes_get_data (bytes, NULL))[0]
      == BRAVIS_VTKD_KEYS;
}

void
group_say (Group *group, Member *member, GBytes *bytes)
{
  Message *message = g_new (Message, 1);

  message->from = member->card->id;
  message->bytes = g_bytes_ref (bytes);
  g_queue_push_tail (&group->queue, message);
}

void
group_poll (Group *group, Member *member)
{
  BravisVtkdOutput output;

  while (bravis_vtkd_poll (member->vtkd, &output)) {
    switch (output.type) {
      case BRAVIS_VTKD_MULTICAST:
        g_assert_cmpint (output.quality, ==,
            is_keys (output.bytes) ? GCP_SAFE : GCP_AGREED);
        if (is_keys (output.bytes))
          g_ptr_array_add (group->key_changes, g_bytes_ref (output.bytes));
        group_say (group, member, output.bytes);
        break;
      case BRAVIS_VTKD_EPOCH:
        g_ptr_array_add (member->epochs, bravis_epoch_ref (output.epoch));
        g_array_append_val (member->causes, output.cause);
        break;
      case BRAVIS_VTKD_BLAME:
        g_assert_error (output.error, BRAVIS_ERROR, output.error->code);
        g_array_append_val (member->blamed, output.member);
        break;
    }
    bravis_vtkd_output_clear (&output);
  }
}

gboolean
group_step (Group *group)
{
  Message *message = g_queue_pop_head (&group->queue);

  if (!message)
    return FALSE;
  for (guint i = 0; i < group->present->len; i++) {
    bravis_vtkd_deliver (at (group, i)->vtkd, message->from, message->bytes);
    group_poll (group, at (group, i));
  }
  message_free (message);
  return TRUE;
}

void
group_run (Group *group)
{
  while (group_step (group));
}

void
group_view (Group *group, BravisCause cause, gboolean keep)
{
  guint n = group->present->len;
  g_autofree GcpMember *members = g_new (GcpMember, n);
  g_autofree BravisCard **cards = g_new (BravisCard *, n);

  if (!keep)
    g_queue_clear_full (&group->queue, message_free);
  for (guint i = 0; i < n; i++) {
    cards[i] = at (group, i)->card;
    members[i] = (GcpMember) { cards[i]->id, cards[i]->bytes };
  }
  g_clear_pointer (&group->view, gcp_view_unref);
  group->view = gcp_view_new (++group->view_number, TRUE, members, n);
  for (guint i = 0; i < n; i++) {
    bravis_vtkd_view (at (group, i)->vtkd, group->view, cards, cause);
    group_poll (group, at (group, i));
  }
}

Member *
group_join (Group *group, guint name)
{
  Member *member = member_new (name);

  g_ptr_array_add (group->members, member);
  g_ptr_array_add (group->present, member);
  return member;
}

Group *
group_of (guint n)
{
  Group *group = group_new ();

  group_join (group, 0);
  group_view (group, BRAVIS_CAUSE_START, FALSE);
  group_run (group);
  for (guint i = 1; i < n; i++)
    group_join (group, i);
  if (n > 1)
    group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  group_run (group);
  return group;
}

Member *
find_holder (Group *group)
{
  GcpMemberId id = bravis_vtkd_get_holder (at (group, 0)->vtkd);

  return at (group, gcp_view_find (group->view, id));
}

BravisEpoch *
last_epoch (Member *member)
{
  return member->epochs->len == 0 ? NULL
      : g_ptr_array_index (member->epochs, member->epochs->len - 1);
}

void
assert_same_key (BravisEpoch *a, BravisEpoch *b)
{
  g_assert_cmpmem (bravis_epoch_get_confirmation (a), BRAVIS_HASH_SIZE,
      bravis_epoch_get_confirmation (b), BRAVIS_HASH_SIZE);
}

void
assert_agreed (Group *group)
{
  BravisEpoch *first = last_epoch (at (group, 0));

  g_assert_nonnull (first);
  for (guint i = 0; i < group->present->len; i++) {
    BravisEpoch *epoch = last_epoch (at (group, i));
    BravisKid kid = { bravis_epoch_get_number (first), 0, BRAVIS_KIND_AUDIO, 3 };
    g_autoptr (BravisSecret) a = NULL;
    g_autoptr (BravisSecret) b = NULL;

    g_assert_nonnull (epoch);
    g_assert_true (gcp_view_equal (bravis_epoch_get_view (epoch), group->view));
    g_assert_cmpuint (bravis_epoch_get_self (epoch), ==, i);
    assert_same_key (epoch, first);
    a = bravis_epoch_derive_base_key (first, bravis_kid_pack (&kid));
    b = bravis_epoch_derive_base_key (epoch, bravis_kid_pack (&kid));
    g_assert_true (bravis_secret_equal (a, b));
  }
}

void
assert_nobody_blamed (Group *group)
{
  for (guint i = 0; i < group->members->len; i++)
    g_assert_cmpuint (((Member *) g_ptr_array_index (group->members,
        i))->blamed->len, ==, 0);
}

void
assert_blames (Member *member, Member *whom)
{
  g_assert_cmpuint (member->blamed->len, ==, 1);
  g_assert_cmpuint (g_array_index (member->blamed, GcpMemberId, 0), ==,
      whom->card->id);
}

BravisShare *
current_share (Group *group, Member *member)
{
  BravisShare *share = bravis_share_copy (member->card->share);

  for (guint i = 0; i < group->key_changes->len; i++) {
    g_auto (BravisVtkdKeys) keys = { 0 };

    g_assert_true (bravis_vtkd_keys_read (&keys,
        g_ptr_array_index (group->key_changes, i)));
    if (bravis_card_verify_share (member->card, keys.share, NULL)) {
      bravis_share_free (share);
      share = bravis_share_copy (keys.share);
    }
  }
  return share;
}

void
group_refresh (Group *group)
{
  bravis_vtkd_refresh (at (group, 0)->vtkd);
  group_poll (group, at (group, 0));
  group_run (group);
}
