/* VTKD over a group in memory that keeps virtual synchrony by construction: one
 * queue is the total order, and a view cuts it at the same place for everybody.
 * Each guarantee is attacked by a member with all of a member's keys. */
#include "../../keymgmt/bravis-vtkd-message.h"
#include "../../keymgmt/bravis-vtkd.h"
#include "test-pki.h"

#include <string.h>

#define CONFERENCE "standup"
#define N_NAMES 6

static TestPki *pki;
static BravisIdentity *identities[N_NAMES];
static BravisRandom random_source;

typedef struct {
  BravisIdentity *identity;     /* borrowed */
  BravisOwnCard *own;
  BravisSecret *first_key;      /* of its first share: what a thief would have */
  BravisCard *card;             /* as the others verified it */
  BravisVtkd *vtkd;
  GPtrArray *epochs;            /* of BravisEpoch, as they came */
  GArray *causes;               /* of BravisCause */
  GArray *blamed;               /* of GcpMemberId */
} Member;

typedef struct {
  GcpMemberId from;
  GBytes *bytes;
} Message;

typedef struct {
  GPtrArray *members;           /* of Member, all that ever were */
  GPtrArray *present;           /* of Member, in the view's order; borrowed */
  GcpView *view;
  guint64 view_number;
  GQueue queue;                 /* of Message: the order */
  GPtrArray *key_changes;       /* of GBytes: each VTKD_KEYS that was sent */
} Group;

/* --- the group --- */

static Member *
member_new (guint name)
{
  Member *member = g_new0 (Member, 1);
  g_autoptr (GError) error = NULL;
  BravisPolicy policy;

  bravis_policy_init (&policy);
  member->identity = identities[name];
  member->own = bravis_own_card_new (member->identity, CONFERENCE,
      &random_source, &error);
  g_assert_no_error (error);
  member->first_key = bravis_secret_ref (member->own->share_key);
  member->card = bravis_card_verify (member->own->card->bytes, identities[0],
      CONFERENCE, TEST_PKI_NOW, &error);
  g_assert_no_error (error);
  member->vtkd = bravis_vtkd_new (member->identity, CONFERENCE, member->own,
      &policy, 0, &random_source);
  member->epochs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bravis_epoch_unref);
  member->causes = g_array_new (FALSE, FALSE, sizeof (BravisCause));
  member->blamed = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  return member;
}

static void
member_free (Member *member)
{
  bravis_vtkd_free (member->vtkd);
  bravis_own_card_free (member->own);
  bravis_secret_unref (member->first_key);
  bravis_card_unref (member->card);
  g_ptr_array_unref (member->epochs);
  g_array_unref (member->causes);
  g_array_unref (member->blamed);
  g_free (member);
}

static void
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

static void
group_free (Group *group)
{
  g_queue_clear_full (&group->queue, message_free);
  g_clear_pointer (&group->view, gcp_view_unref);
  g_ptr_array_unref (group->present);
  g_ptr_array_unref (group->members);
  g_ptr_array_unref (group->key_changes);
  g_free (group);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Group, group_free)

static Member *
at (Group *group, guint index)
{
  return g_ptr_array_index (group->present, index);
}

static gboolean
is_keys (GBytes *bytes)
{
  return ((const guint8 *) g_bytes_get_data (bytes, NULL))[0]
      == BRAVIS_VTKD_KEYS;
}

/* Multicasts @bytes as @member would. */
static void
group_say (Group *group, Member *member, GBytes *bytes)
{
  Message *message = g_new (Message, 1);

  message->from = member->card->id;
  message->bytes = g_bytes_ref (bytes);
  g_queue_push_tail (&group->queue, message);
}

static void
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

static gboolean
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

static void
group_run (Group *group)
{
  while (group_step (group));
}

/* Everybody in @group->present installs the next view. What was not delivered is
 * gone, unless @keep: then its senders send it in the new view. */
static void
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

static Member *
group_join (Group *group, guint name)
{
  Member *member = member_new (name);

  g_ptr_array_add (group->members, member);
  g_ptr_array_add (group->present, member);
  return member;
}

/* A group of @n: one that began and the others, who came together. There were two
 * key changes, by members 0 and 1; from three on, 2 has the token and all but 0
 * and 1 have their first share. */
static Group *
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

static Member *
find_holder (Group *group)
{
  GcpMemberId id = bravis_vtkd_get_holder (at (group, 0)->vtkd);

  return at (group, gcp_view_find (group->view, id));
}

static BravisEpoch *
last_epoch (Member *member)
{
  return member->epochs->len == 0 ? NULL
      : g_ptr_array_index (member->epochs, member->epochs->len - 1);
}

static void
assert_same_key (BravisEpoch *a, BravisEpoch *b)
{
  g_assert_cmpmem (bravis_epoch_get_confirmation (a), BRAVIS_HASH_SIZE,
      bravis_epoch_get_confirmation (b), BRAVIS_HASH_SIZE);
}

/* All have the same epoch, and it is of the present view. */
static void
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

static void
assert_nobody_blamed (Group *group)
{
  for (guint i = 0; i < group->members->len; i++)
    g_assert_cmpuint (((Member *) g_ptr_array_index (group->members,
        i))->blamed->len, ==, 0);
}

static void
assert_blames (Member *member, Member *whom)
{
  g_assert_cmpuint (member->blamed->len, ==, 1);
  g_assert_cmpuint (g_array_index (member->blamed, GcpMemberId, 0), ==,
      whom->card->id);
}

/* --- copies --- */

/* Also what keeps a key from being used for two secrets: another key change is
 * another digest, and that another key. */
static void
test_copies_are_bound_to_key_change_and_direction (void)
{
  Member *alice = member_new (0), *bob = member_new (1);
  GcpMemberId a = alice->card->id, b = bob->card->id;
  g_autoptr (BravisSecret) pair = bravis_pair_key_new (CONFERENCE, a,
      alice->card->share, alice->first_key, b, bob->card->share);
  g_autoptr (BravisSecret) same = bravis_pair_key_new (CONFERENCE, b,
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

/* --- what an attacker with a member's keys can make --- */

typedef struct {
  guint64 view, version, epoch;
  BravisPolicy policy;
  guint32 serial;
  Member *signer;               /* of the next share */
  guint n_copies;
  gboolean context_altered;
  GcpMemberId only_bad_for;     /* its copy holds another secret */
  GcpMemberId garbage_for;      /* its copy is noise */
  gboolean swap;                /* the first two copies change places */
} Forgery;

/* What the present holder, who still has its first share, would say. */
static Forgery
honest (Group *group)
{
  BravisEpoch *epoch = last_epoch (at (group, 0));

  return (Forgery) {
    .view = gcp_view_get_number (group->view),
    .version = 2,
    .epoch = bravis_epoch_get_number (epoch) + 1,
    .policy = *bravis_epoch_get_policy (epoch),
    .serial = 2,
    .signer = find_holder (group),
    .n_copies = group->present->len - 1,
  };
}

/* Current shares as the key changes in @group made them. */
static BravisShare *
current_share (Group *group, Member *member)
{
  BravisShare *share = bravis_share_copy (member->card->share);

  for (guint i = 0; i < group->key_changes->len; i++) {
    g_auto (BravisVtkdKeys) keys = { 0 };

    g_assert_true (bravis_vtkd_keys_read (&keys,
        g_ptr_array_index (group->key_changes, i)));
    if (bravis_share_verify (keys.share, CONFERENCE, member->card->id,
        member->card->certificate, NULL)) {
      bravis_share_free (share);
      share = bravis_share_copy (keys.share);
    }
  }
  return share;
}

static BravisSecret *
draw_secret (void)
{
  guint8 octets[BRAVIS_KEY_SIZE];

  bravis_random_fill (&random_source, octets, sizeof octets);
  return bravis_secret_new_take (octets, sizeof octets);
}

static void
write_forged_copy (Group *group, const Forgery *forgery,
    const BravisVtkdKeys *keys, Member *from, Member *to,
    const BravisSecret *secret, guint8 *copy)
{
  g_autoptr (BravisShare) share = current_share (group, to);
  g_autoptr (BravisSecret) other = draw_secret ();
  g_autoptr (BravisSecret) pair = bravis_pair_key_new (CONFERENCE,
      from->card->id, from->card->share, from->first_key, to->card->id, share);

  bravis_pair_seal (pair, keys->digest, from->card->id, to->card->id,
      to->card->id == forgery->only_bad_for ? other : secret, copy);
  if (to->card->id == forgery->garbage_for)
    copy[0] ^= 1;
}

static GBytes *
forge (Group *group, const Forgery *forgery)
{
  Member *holder = find_holder (group);
  guint n = group->present->len;
  g_autofree BravisCard **cards = g_new (BravisCard *, n);
  g_autoptr (BravisSecret) secret = draw_secret ();
  g_autoptr (BravisSecret) share_key = NULL;
  g_autoptr (BravisShare) share = bravis_share_new (forgery->signer->identity,
      CONFERENCE, holder->card->id, forgery->serial, &random_source, &share_key,
      NULL);
  g_autoptr (BravisEpoch) epoch = NULL;
  g_auto (GcpWriter) writer = { NULL };
  g_autofree guint8 *copies = g_malloc0 ((n + 1) * BRAVIS_COPY_SIZE);
  BravisVtkdKeys keys = { .view = forgery->view, .version = forgery->version,
    .epoch = forgery->epoch, .policy = forgery->policy, .share = share,
    .n_copies = forgery->n_copies };
  guint place = 0;

  for (guint i = 0; i < n; i++)
    cards[i] = at (group, i)->card;
  epoch = bravis_epoch_new (forgery->epoch, group->view, cards, 0,
      &forgery->policy, secret);
  bravis_epoch_hash_context (forgery->epoch, group->view, cards,
      &forgery->policy, keys.context);
  keys.context[0] ^= forgery->context_altered;
  memcpy (keys.confirmation, bravis_epoch_get_confirmation (epoch),
      BRAVIS_HASH_SIZE);
  gcp_writer_init (&writer);
  bravis_vtkd_keys_write_header (&keys, &writer);
  for (guint i = 0; i < n; i++)
    if (at (group, i) != holder)
      write_forged_copy (group, forgery, &keys, holder, at (group, i), secret,
          copies + BRAVIS_COPY_SIZE * place++);
  if (forgery->swap) {
    guint8 copy[BRAVIS_COPY_SIZE];

    memcpy (copy, copies, sizeof copy);
    memcpy (copies, copies + BRAVIS_COPY_SIZE, sizeof copy);
    memcpy (copies + BRAVIS_COPY_SIZE, copy, sizeof copy);
  }
  gcp_write_bytes (&writer, copies, forgery->n_copies * BRAVIS_COPY_SIZE);
  return gcp_writer_finish (&writer);
}

/* In a group of three a key change is due (a refresh); what its holder says in
 * its place is @bytes. The holder's own is thrown away. */
static void
ask_for_key_change (Group *group)
{
  bravis_vtkd_refresh (at (group, 0)->vtkd);
  group_poll (group, at (group, 0));
  group_step (group);
  g_assert_true (is_keys (((Message *) g_queue_peek_tail
      (&group->queue))->bytes));
  g_queue_clear_full (&group->queue, message_free);
  g_ptr_array_set_size (group->key_changes, group->key_changes->len - 1);
}

static void
forget_epochs (Group *group)
{
  for (guint i = 0; i < group->present->len; i++)
    g_ptr_array_set_size (at (group, i)->epochs, 0);
}

/* --- tests of the way it should go --- */

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

  for (guint i = 0; i < 6; i++) {
    bravis_vtkd_refresh (at (alone, 0)->vtkd);
    group_poll (alone, at (alone, 0));
    group_run (alone);
  }
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

/* Tries every copy of every key change from @first to @last with the first share
 * of @thief, which it still holds, and the shares of all that ever were. */
static guint
count_opened (Group *group, Member *thief, guint first, guint last)
{
  guint opened = 0;

  for (guint i = first; i < last; i++) {
    g_auto (BravisVtkdKeys) keys = { 0 };

    g_assert_true (bravis_vtkd_keys_read (&keys,
        g_ptr_array_index (group->key_changes, i)));
    for (guint j = 0; j < group->members->len; j++) {
      Member *from = g_ptr_array_index (group->members, j);
      g_autoptr (BravisSecret) pair = from == thief ? NULL
          : bravis_pair_key_new (CONFERENCE, thief->card->id,
              thief->card->share, thief->first_key, from->card->id,
              from->card->share);

      for (guint k = 0; pair && k < keys.n_copies; k++) {
        g_autoptr (BravisSecret) secret = bravis_pair_open (pair, keys.digest,
            from->card->id, thief->card->id,
            keys.copies + k * BRAVIS_COPY_SIZE);

        opened += secret != NULL;
      }
    }
  }
  return opened;
}

static void
test_removed_member_opens_nothing_later_and_newcomer_nothing_earlier (void)
{
  g_autoptr (Group) group = group_of (4);
  Member *last = at (group, 3);
  guint before = group->key_changes->len;

  /* The last one opened the change by which it came, and no other. */
  g_assert_cmpuint (count_opened (group, last, 0, before - 1), ==, 0);
  g_assert_cmpuint (count_opened (group, last, before - 1, before), ==, 1);
  g_ptr_array_remove_index (group->present, 3);
  group_view (group, BRAVIS_CAUSE_LEAVE, FALSE);
  group_run (group);
  for (guint i = 0; i < 4; i++) {
    bravis_vtkd_refresh (at (group, 0)->vtkd);
    group_poll (group, at (group, 0));
    group_run (group);
  }
  assert_agreed (group);
  g_assert_cmpuint (count_opened (group, last, before,
      group->key_changes->len), ==, 0);
}

/* --- attacks --- */

/* A forged key change that differs from an honest one in nothing is taken: so
 * the tests below fail for what they alter. */
static void
test_the_forgers_tools_work (void)
{
  g_autoptr (Group) group = group_of (3);
  g_autoptr (GBytes) bytes = NULL;
  Forgery forgery;

  ask_for_key_change (group);
  forgery = honest (group);
  bytes = forge (group, &forgery);
  forget_epochs (group);
  group_step (group);
  bravis_vtkd_deliver (at (group, 0)->vtkd, at (group, 2)->card->id, bytes);
  bravis_vtkd_deliver (at (group, 1)->vtkd, at (group, 2)->card->id, bytes);
  group_poll (group, at (group, 0));
  group_poll (group, at (group, 1));
  assert_nobody_blamed (group);
  g_assert_nonnull (last_epoch (at (group, 0)));
  assert_same_key (last_epoch (at (group, 0)), last_epoch (at (group, 1)));
}

/* Each fault that everybody sees: the key change is not taken, its holder is
 * blamed and loses the token, and the next one's is taken by all. */
static void
check_public_fault (void (*alter) (Forgery *forgery, Group *group))
{
  g_autoptr (Group) group = group_of (3);
  g_autoptr (GBytes) bytes = NULL;
  Member *holder = find_holder (group);
  Forgery forgery;

  ask_for_key_change (group);
  forgery = honest (group);
  alter (&forgery, group);
  bytes = forge (group, &forgery);
  forget_epochs (group);
  group_say (group, holder, bytes);
  group_step (group);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (at (group, i)->epochs->len, ==, 0);
    assert_blames (at (group, i), holder);
  }
  g_assert_true (find_holder (group) == at (group, 0));
  group_run (group);
  assert_agreed (group);
  g_assert_cmpuint (at (group, 0)->epochs->len, ==, 1);
}

static void
alter_version (Forgery *forgery, Group *group)
{
  forgery->version += 3;
}

static void
alter_epoch (Forgery *forgery, Group *group)
{
  forgery->epoch += 1;
}

static void
alter_epoch_back (Forgery *forgery, Group *group)
{
  forgery->epoch -= 1;
}

static void
alter_policy (Forgery *forgery, Group *group)
{
  forgery->policy.cipher[BRAVIS_KIND_VIDEO] = BRAVIS_CIPHER_AES_256_GCM;
}

static void
alter_serial (Forgery *forgery, Group *group)
{
  forgery->serial += 1;
}

static void
alter_serial_back (Forgery *forgery, Group *group)
{
  forgery->serial -= 1;
}

static void
alter_signer (Forgery *forgery, Group *group)
{
  forgery->signer = at (group, 0);
}

static void
alter_context (Forgery *forgery, Group *group)
{
  forgery->context_altered = TRUE;
}

static void
alter_fewer_copies (Forgery *forgery, Group *group)
{
  forgery->n_copies -= 1;
}

static void
alter_more_copies (Forgery *forgery, Group *group)
{
  forgery->n_copies += 1;
}

static void
test_a_holders_fault_costs_it_the_token (void)
{
  check_public_fault (alter_version);
  check_public_fault (alter_epoch);
  check_public_fault (alter_epoch_back);
  check_public_fault (alter_policy);
  check_public_fault (alter_context);
  check_public_fault (alter_fewer_copies);
  check_public_fault (alter_more_copies);
}

static void
test_share_out_of_turn_or_unsigned_costs_the_token (void)
{
  check_public_fault (alter_serial);
  check_public_fault (alter_serial_back);
  check_public_fault (alter_signer);
}

static void
test_key_change_of_another_view_is_dropped (void)
{
  g_autoptr (Group) group = group_of (3);
  g_autoptr (GBytes) bytes = NULL;
  Forgery forgery;

  ask_for_key_change (group);
  forgery = honest (group);
  forgery.view -= 1;
  bytes = forge (group, &forgery);
  forget_epochs (group);
  group_say (group, find_holder (group), bytes);
  group_run (group);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (at (group, i)->epochs->len, ==, 0);
  /* It may be a late one of an honest holder. */
  assert_nobody_blamed (group);
}

static void
test_key_change_by_who_has_not_the_token_is_dropped (void)
{
  g_autoptr (Group) group = group_of (3);
  g_autoptr (GBytes) bytes = NULL;
  Forgery forgery;

  ask_for_key_change (group);
  forgery = honest (group);
  bytes = forge (group, &forgery);
  forget_epochs (group);
  group_say (group, at (group, 0), bytes);
  group_run (group);
  g_assert_cmpuint (at (group, 1)->epochs->len, ==, 0);
  assert_blames (at (group, 1), at (group, 0));
  g_assert_true (find_holder (group) == at (group, 2));
}

/* A key change nobody asked for, by the holder itself or said again. */
static void
test_replayed_key_change_is_dropped (void)
{
  g_autoptr (Group) group = group_of (3);
  GBytes *last = g_ptr_array_index (group->key_changes, 1);

  forget_epochs (group);
  for (guint i = 0; i < 3; i++) {
    group_say (group, at (group, i), last);
    group_run (group);
  }
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (at (group, i)->epochs->len, ==, 0);
  g_assert_true (find_holder (group) == at (group, 2));

  /* While one is due, the old one is still not it. */
  bravis_vtkd_refresh (at (group, 0)->vtkd);
  group_poll (group, at (group, 0));
  group_step (group);
  group_say (group, at (group, 2), last);
  group_run (group);
  assert_agreed (group);
  g_assert_cmpuint (at (group, 0)->epochs->len, ==, 1);
}

/* One copy does not open, or opens to something else: that member has no epoch,
 * says so, and the next holder's key change mends it. */
static void
check_bad_copy (void (*alter) (Forgery *forgery, Group *group))
{
  g_autoptr (Group) group = group_of (3);
  g_autoptr (GBytes) bytes = NULL;
  Member *holder = find_holder (group);
  Forgery forgery;

  ask_for_key_change (group);
  forgery = honest (group);
  alter (&forgery, group);
  bytes = forge (group, &forgery);
  forget_epochs (group);
  g_ptr_array_add (group->key_changes, g_bytes_ref (bytes));
  /* The dishonest holder's own engine plays no part any more. */
  for (guint i = 0; i < 2; i++) {
    bravis_vtkd_deliver (at (group, i)->vtkd, holder->card->id, bytes);
    group_poll (group, at (group, i));
  }
  g_assert_cmpuint (at (group, 0)->epochs->len, ==, 0);
  assert_blames (at (group, 0), holder);
  g_assert_cmpuint (at (group, 1)->epochs->len, ==, !forgery.swap);
  g_ptr_array_remove_index (group->present, 2);
  group_run (group);
  g_assert_nonnull (last_epoch (at (group, 0)));
  assert_same_key (last_epoch (at (group, 0)), last_epoch (at (group, 1)));
}

static void
alter_one_copy_to_another_secret (Forgery *forgery, Group *group)
{
  forgery->only_bad_for = at (group, 0)->card->id;
}

static void
alter_one_copy_to_noise (Forgery *forgery, Group *group)
{
  forgery->garbage_for = at (group, 0)->card->id;
}

static void
alter_copies_swapped (Forgery *forgery, Group *group)
{
  forgery->swap = TRUE;
}

static void
test_a_bad_copy_is_blamed_and_mended (void)
{
  check_bad_copy (alter_one_copy_to_another_secret);
  check_bad_copy (alter_one_copy_to_noise);
  check_bad_copy (alter_copies_swapped);
}

/* Whichever octet of a key change is altered: nobody takes a key from it that
 * the others do not have. */
static void
test_no_altered_octet_gets_through (void)
{
  gsize size = 1;

  for (gsize place = 0; place < size; place++) {
    g_autoptr (Group) group = group_of (3);
    g_autofree guint8 *octets = NULL;
    g_autoptr (GBytes) altered = NULL;
    Message *sent;
    gsize header_size;

    bravis_vtkd_refresh (at (group, 0)->vtkd);
    group_poll (group, at (group, 0));
    group_step (group);
    sent = g_queue_peek_head (&group->queue);
    g_assert_true (is_keys (sent->bytes));
    size = g_bytes_get_size (sent->bytes);
    header_size = size - 2 * BRAVIS_COPY_SIZE;
    octets = g_memdup2 (g_bytes_get_data (sent->bytes, NULL), size);
    octets[place] ^= 1 << place % 8;
    altered = g_bytes_new (octets, size);
    forget_epochs (group);
    for (guint i = 0; i < 2; i++) {
      bravis_vtkd_deliver (at (group, i)->vtkd, sent->from, altered);
      group_poll (group, at (group, i));
      /* Only the copy of the other one may be bad without one's seeing it. */
      if (place < header_size || (place - header_size) / BRAVIS_COPY_SIZE == i)
        g_assert_cmpuint (at (group, i)->epochs->len, ==, 0);
      else
        g_assert_cmpuint (at (group, i)->epochs->len, ==, 1);
    }
  }
}

static void
test_truncated_and_extended_messages_are_malformed (void)
{
  g_autoptr (Group) group = group_of (3);
  GBytes *keys = g_ptr_array_index (group->key_changes, 1);
  g_autoptr (GBytes) refresh = bravis_vtkd_refresh_write (3);
  GBytes *messages[] = { keys, refresh };

  for (guint i = 0; i < G_N_ELEMENTS (messages); i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (messages[i], &size);
    g_autofree guint8 *longer = g_malloc0 (size + 1);

    memcpy (longer, data, size);
    for (gsize cut = 0; cut <= size + 1; cut++) {
      g_autoptr (GBytes) bytes = g_bytes_new (longer, cut);
      g_auto (BravisVtkdKeys) read = { 0 };
      guint64 view;

      if (cut == size)
        continue;
      if (i == 0)
        g_assert_false (bravis_vtkd_keys_read (&read, bytes));
      else
        g_assert_false (bravis_vtkd_refresh_read (&view, bytes));
    }
  }
}

/* --- what members say of themselves --- */

static BravisShare *
make_share (guint signer, GcpMemberId id, guint32 serial)
{
  g_autoptr (BravisSecret) key = NULL;

  return bravis_share_new (identities[signer], CONFERENCE, id, serial,
      &random_source, &key, NULL);
}

/* In a view with a newcomer, @liar says @message in place of its VTKD_SHARE, with
 * a share of that serial number that @signer signed for it. */
static Group *
exchange_with_lie (guint liar, BravisVtkdShare *message, guint signer,
    guint32 serial)
{
  Group *group = group_of (2);
  GQueue said;
  Message *next;

  group_join (group, 2);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  said = group->queue;
  g_queue_init (&group->queue);
  while ((next = g_queue_pop_head (&said))) {
    if (next->from == at (group, liar)->card->id) {
      g_autoptr (GBytes) lie = NULL;

      message->view = gcp_view_get_number (group->view);
      message->share = make_share (signer, next->from, serial);
      lie = bravis_vtkd_share_write (message);
      group_say (group, at (group, liar), lie);
      bravis_vtkd_share_clear (message);
      message_free (next);
    } else {
      g_queue_push_tail (&group->queue, next);
    }
  }
  group_run (group);
  return group;
}

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
  g_autoptr (BravisShare) share = make_share (0, 1, 1);
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

static void
test_malformed_share_message_does_not_stop_the_others (void)
{
  g_autoptr (Group) group = group_of (2);
  g_autoptr (GBytes) noise = g_bytes_new_static ("\001noise", 6);
  Message *last;

  group_join (group, 2);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  last = g_queue_pop_tail (&group->queue);
  g_assert_cmpuint (last->from, ==, at (group, 2)->card->id);
  message_free (last);
  group_say (group, at (group, 2), noise);
  group_run (group);
  assert_blames (at (group, 0), at (group, 2));
  assert_agreed (group);
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

      if (!bravis_share_verify (keys.share, CONFERENCE, member->card->id,
          member->card->certificate, NULL))
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
    group_join (group, g_rand_int_range (rand, 0, N_NAMES));
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
  static const char *const names[N_NAMES] = { "alice", "bob", "carol", "dave",
    "erin", "frank" };
  int result;

  g_test_init (&argc, &argv, NULL);
  pki = test_pki_new ();
  bravis_random_init_system (&random_source);
  for (guint i = 0; i < N_NAMES; i++)
    identities[i] = test_pki_identity (pki, names[i]);

#define ADD(name) g_test_add_func ("/keymgmt/vtkd/" #name, test_ ## name)
  ADD (every_view_ends_in_an_epoch_that_all_share);
  ADD (token_goes_round_so_that_all_shares_heal);
  ADD (refreshes_asked_together_are_one_key_change);
  ADD (a_key_change_is_finished_or_replaced_never_half_done);
  ADD (newcomers_alone_can_go_on);
  ADD (who_was_alone_before_keeps_its_share_and_sees_numbers_grow);
  ADD (removed_member_opens_nothing_later_and_newcomer_nothing_earlier);
  ADD (copies_are_bound_to_key_change_and_direction);
  ADD (the_forgers_tools_work);
  ADD (a_holders_fault_costs_it_the_token);
  ADD (share_out_of_turn_or_unsigned_costs_the_token);
  ADD (key_change_of_another_view_is_dropped);
  ADD (key_change_by_who_has_not_the_token_is_dropped);
  ADD (replayed_key_change_is_dropped);
  ADD (a_bad_copy_is_blamed_and_mended);
  ADD (no_altered_octet_gets_through);
  ADD (truncated_and_extended_messages_are_malformed);
  ADD (newcomer_cannot_set_the_groups_state);
  ADD (epoch_numbers_cannot_be_used_up_by_newcomers);
  ADD (share_that_the_member_did_not_sign_is_not_taken);
  ADD (old_member_that_lies_of_its_share_parts_nobody);
  ADD (malformed_share_message_does_not_stop_the_others);
  ADD (many_histories_end_in_agreement);
  result = g_test_run ();

  for (guint i = 0; i < N_NAMES; i++)
    bravis_identity_unref (identities[i]);
  test_pki_free (pki);
  return result;
}
