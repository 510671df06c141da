/* Key changes by a token holder with all of a member's keys that does otherwise, and
 * replays. */
#include "vtkd-group.h"

#include <string.h>

static BravisRandom random_source;

/* --- what an attacker with a member's keys can make --- */

typedef struct {
  guint64 view, version, epoch;
  BravisPolicy policy;
  guint32 serial;
  Member *signer;               /* of the next share */
  guint n_copies;
  gboolean context_altered;
  gboolean hidden;              /* all but the header is as the group expects it */
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
  g_autoptr (BravisSecret) pair = bravis_pair_key_new (VTKD_CONFERENCE,
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
  const Forgery inside = forgery->hidden ? honest (group) : *forgery;
  guint n = group->present->len;
  g_autofree BravisCard **cards = g_new (BravisCard *, n);
  g_autoptr (BravisSecret) secret = draw_secret ();
  g_autoptr (BravisSecret) share_key = NULL;
  g_autoptr (BravisShare) share = bravis_share_new (forgery->signer->identity,
      holder->card->digest, forgery->serial, &random_source, &share_key, NULL);
  g_autoptr (BravisEpoch) epoch = NULL;
  g_auto (GcpWriter) writer = { NULL };
  g_autofree guint8 *copies = g_malloc0 ((n + 1) * BRAVIS_COPY_SIZE);
  BravisVtkdKeys keys = { .view = forgery->view, .version = forgery->version,
    .epoch = forgery->epoch, .policy = forgery->policy, .share = share,
    .n_copies = forgery->n_copies };
  guint place = 0;

  for (guint i = 0; i < n; i++)
    cards[i] = at (group, i)->card;
  epoch = bravis_epoch_new (inside.epoch, group->view, cards, 0, &inside.policy,
      secret);
  bravis_epoch_hash_context (inside.epoch, group->view, cards, &inside.policy,
      keys.context);
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
check_fault (void (*alter) (Forgery *forgery, Group *group), gboolean hidden)
{
  g_autoptr (Group) group = group_of (3);
  g_autoptr (GBytes) bytes = NULL;
  Member *holder = find_holder (group);
  Forgery forgery;

  ask_for_key_change (group);
  forgery = honest (group);
  forgery.hidden = hidden;
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
check_public_fault (void (*alter) (Forgery *forgery, Group *group))
{
  check_fault (alter, FALSE);
  check_fault (alter, TRUE);
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

static void
test_refresh_of_another_view_is_dropped (void)
{
  g_autoptr (Group) group = group_of (3);
  guint before = group->key_changes->len;

  for (int offset = -1; offset <= 1; offset++) {
    g_autoptr (GBytes) refresh = bravis_vtkd_refresh_write (
        gcp_view_get_number (group->view) + offset);

    group_say (group, at (group, 1), refresh);
    group_run (group);
    g_assert_cmpuint (group->key_changes->len - before, ==, offset >= 0);
  }
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

/* Delivers all, but each copy for member 0 is noise. Returns how many key changes
 * member 0 asked for. */
static guint
run_with_bad_copies_for_first (Group *group)
{
  GcpMemberId first = at (group, 0)->card->id;
  guint n_asked = 0;
  Message *message;

  while ((message = g_queue_peek_head (&group->queue))) {
    gsize size;
    const guint8 *data = g_bytes_get_data (message->bytes, &size);

    n_asked += message->from == first && data[0] == BRAVIS_VTKD_REFRESH;
    if (message->from != first && is_keys (message->bytes)) {
      guint8 *octets = g_memdup2 (data, size);

      octets[size - (group->present->len - 1) * BRAVIS_COPY_SIZE] ^= 1;
      g_bytes_unref (message->bytes);
      message->bytes = g_bytes_new_take (octets, size);
    }
    group_step (group);
  }
  return n_asked;
}

/* Whose copies are always bad asks once for each member, whoever makes it ask; so two
 * that are at it cannot have the group change keys without end. */
static void
test_bad_copies_are_complained_of_as_often_as_there_are_members (void)
{
  g_autoptr (Group) group = group_of (3);

  for (guint view = 0; view < 2; view++) {
    guint n_asked = 0;

    group_view (group, BRAVIS_CAUSE_CRASH, FALSE);
    for (guint i = 0; i < 4; i++) {
      n_asked += run_with_bad_copies_for_first (group);
      bravis_vtkd_refresh (at (group, 1)->vtkd);
      group_poll (group, at (group, 1));
    }
    g_assert_cmpuint (n_asked, ==, 3);
  }
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
  g_autoptr (GBytes) refresh = bravis_vtkd_refresh_write (3);
  GBytes *messages[] = { g_ptr_array_index (group->key_changes, 1), refresh, NULL };

  group_join (group, 3);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  messages[2] = ((Message *) g_queue_peek_head (&group->queue))->bytes;
  for (guint i = 0; i < G_N_ELEMENTS (messages); i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (messages[i], &size);
    g_autofree guint8 *longer = g_malloc0 (size + 1);

    memcpy (longer, data, size);
    for (gsize cut = 0; cut <= size + 1; cut++) {
      g_autoptr (GBytes) bytes = g_bytes_new (longer, cut);
      g_auto (BravisVtkdKeys) keys_read = { 0 };
      g_auto (BravisVtkdShare) share_read = { 0 };
      guint64 view;

      g_assert_cmpint (bravis_vtkd_keys_read (&keys_read, bytes)
          || bravis_vtkd_refresh_read (&view, bytes)
          || bravis_vtkd_share_read (&share_read, bytes), ==, cut == size);
    }
  }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  vtkd_group_begin ();
  bravis_random_init_system (&random_source);
#define ADD(name) g_test_add_func ("/keymgmt/vtkd-attacks/" #name, test_ ## name)
  ADD (the_forgers_tools_work);
  ADD (a_holders_fault_costs_it_the_token);
  ADD (share_out_of_turn_or_unsigned_costs_the_token);
  ADD (key_change_of_another_view_is_dropped);
  ADD (key_change_by_who_has_not_the_token_is_dropped);
  ADD (replayed_key_change_is_dropped);
  ADD (refresh_of_another_view_is_dropped);
  ADD (a_bad_copy_is_blamed_and_mended);
  ADD (bad_copies_are_complained_of_as_often_as_there_are_members);
  ADD (no_altered_octet_gets_through);
  ADD (truncated_and_extended_messages_are_malformed);
  result = g_test_run ();
  vtkd_group_end ();
  return result;
}
