/* The verification code: the same at all, and nobody can steer it. */
#include "../../keymgmt/bravis-verification.h"
#include "test-epochs.h"

#include <string.h>

#define N TEST_EPOCHS_MEMBERS

/* Four members, each with its own part, and the order they have in common. */
typedef struct {
  TestEpochs epochs;
  GcpMemberId ids[N];
  BravisEpoch *of[N];           /* each member's own */
  BravisVerification *parts[N];
  BravisGroupMessage commits[N], reveals[N];
} World;

static BravisEpoch *
make_epoch (TestEpochs *epochs, guint self)
{
  g_autoptr (GcpView) view = test_epochs_view (epochs, 7, 0, N);
  guint8 octets[BRAVIS_KEY_SIZE] = { 7 };
  g_autoptr (BravisSecret) secret = bravis_secret_new (octets, sizeof octets);
  BravisCard *cards[N];
  BravisPolicy policy;

  for (guint i = 0; i < N; i++)
    cards[i] = epochs->own[i]->card;
  bravis_policy_init (&policy);
  return bravis_epoch_new (7, view, cards, self, &policy, secret);
}

static void
make_parts (World *world, const guint8 shares[BRAVIS_HASH_SIZE])
{
  BravisRandom random;

  bravis_random_init_system (&random);
  for (guint i = 0; i < N; i++) {
    g_clear_pointer (&world->parts[i], bravis_verification_free);
    world->parts[i] = bravis_verification_new (world->of[i], shares, &random);
    bravis_verification_commit (world->parts[i], &world->commits[i]);
  }
}

static void
set_up (World *world, gconstpointer data)
{
  const guint8 shares[BRAVIS_HASH_SIZE] = { 1 };

  test_epochs_init (&world->epochs);
  for (guint i = 0; i < N; i++) {
    world->ids[i] = world->epochs.own[i]->card->id;
    world->of[i] = make_epoch (&world->epochs, i);
  }
  make_parts (world, shares);
}

static void
tear_down (World *world, gconstpointer data)
{
  for (guint i = 0; i < N; i++) {
    bravis_verification_free (world->parts[i]);
    bravis_epoch_unref (world->of[i]);
  }
  test_epochs_clear (&world->epochs);
}

static BravisVerificationStep
deliver (World *world, guint at, guint from, const BravisGroupMessage *message)
{
  return bravis_verification_deliver (world->parts[at], world->ids[from],
      message, &world->reveals[at]);
}

/* Every commitment at every member; all reveal at the last one. */
static void
commit_all (World *world)
{
  for (guint from = 0; from < N; from++)
    for (guint at = 0; at < N; at++)
      g_assert_cmpint (deliver (world, at, from, &world->commits[from]), ==,
          from + 1 < N ? BRAVIS_VERIFICATION_WAIT : BRAVIS_VERIFICATION_REVEAL);
}

static void
reveal_all (World *world)
{
  for (guint from = 0; from < N; from++)
    for (guint at = 0; at < N; at++)
      g_assert_cmpint (deliver (world, at, from, &world->reveals[from]), ==,
          from + 1 < N ? BRAVIS_VERIFICATION_WAIT : BRAVIS_VERIFICATION_DONE);
}

static void
test_code_is_the_same_at_all_members (World *world, gconstpointer data)
{
  commit_all (world);
  g_assert_null (bravis_verification_get_code (world->parts[0]));
  reveal_all (world);
  for (guint i = 0; i < N; i++) {
    g_assert_cmpuint (strlen (bravis_verification_get_code (world->parts[i])),
        ==, strlen ("123 456 789"));
    g_assert_cmpstr (bravis_verification_get_code (world->parts[i]), ==,
        bravis_verification_get_code (world->parts[0]));
  }
}

static void
test_code_is_another_with_other_numbers_or_shares (World *world,
    gconstpointer data)
{
  const guint8 others[BRAVIS_HASH_SIZE] = { 2 };
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  commit_all (world);
  reveal_all (world);
  first = g_strdup (bravis_verification_get_code (world->parts[0]));
  make_parts (world, others);
  commit_all (world);
  reveal_all (world);
  second = g_strdup (bravis_verification_get_code (world->parts[0]));
  g_assert_cmpstr (first, !=, second);
}

/* A member that waits for the others' numbers before it chooses its own. */
static void
test_member_cannot_choose_after_it_saw_the_others (World *world,
    gconstpointer data)
{
  BravisGroupMessage chosen;

  commit_all (world);
  chosen = world->reveals[N - 1];
  chosen.digest[0] ^= 1;
  for (guint from = 0; from + 1 < N; from++)
    deliver (world, 0, from, &world->reveals[from]);
  g_assert_cmpint (deliver (world, 0, N - 1, &chosen), ==,
      BRAVIS_VERIFICATION_BLAME);
  /* Not even the right one helps it now: all others saw the same. */
  g_assert_cmpint (deliver (world, 0, N - 1, &world->reveals[N - 1]), ==,
      BRAVIS_VERIFICATION_WAIT);
  g_assert_null (bravis_verification_get_code (world->parts[0]));
}

/* Nobody shows its number before the last commitment is there. */
static void
test_member_that_reveals_early_changes_nothing (World *world,
    gconstpointer data)
{
  BravisGroupMessage early = { .type = BRAVIS_GROUP_VERIFY_REVEAL, .epoch = 7 };

  for (guint from = 1; from < N; from++)
    g_assert_cmpint (deliver (world, 0, from, &world->commits[from]), ==,
        BRAVIS_VERIFICATION_WAIT);
  g_assert_cmpint (deliver (world, 0, 1, &early), ==,
      BRAVIS_VERIFICATION_WAIT);
  g_assert_cmpint (deliver (world, 0, 0, &world->commits[0]), ==,
      BRAVIS_VERIFICATION_REVEAL);
  g_assert_null (bravis_verification_get_code (world->parts[0]));
}

/* It repeats another's commitment, and then its number, as its own. */
static void
test_member_cannot_repeat_anothers_number (World *world, gconstpointer data)
{
  BravisGroupMessage repeated = world->commits[0];

  for (guint from = 0; from + 1 < N; from++)
    deliver (world, 0, from, &world->commits[from]);
  g_assert_cmpint (deliver (world, 0, N - 1, &repeated), ==,
      BRAVIS_VERIFICATION_REVEAL);
  g_assert_cmpint (deliver (world, 0, N - 1, &world->reveals[0]), ==,
      BRAVIS_VERIFICATION_BLAME);
}

/* The first commitment counts: a second would be made knowing the others'. */
static void
test_member_commits_once (World *world, gconstpointer data)
{
  BravisGroupMessage second = world->commits[1];

  second.digest[3] ^= 4;
  deliver (world, 0, 1, &world->commits[1]);
  g_assert_cmpint (deliver (world, 0, 1, &second), ==,
      BRAVIS_VERIFICATION_WAIT);
  commit_all (world);
  g_assert_cmpint (deliver (world, 0, 1, &second), ==,
      BRAVIS_VERIFICATION_WAIT);
  reveal_all (world);
}

/* What one shows again does not stand in for what another has not shown. */
static void
test_member_reveals_once (World *world, gconstpointer data)
{
  commit_all (world);
  for (guint i = 0; i < N; i++)
    g_assert_cmpint (deliver (world, 0, 1, &world->reveals[1]), ==,
        BRAVIS_VERIFICATION_WAIT);
  g_assert_null (bravis_verification_get_code (world->parts[0]));
  reveal_all (world);
}

static void
test_words_of_another_epoch_or_a_stranger_are_dropped (World *world,
    gconstpointer data)
{
  BravisGroupMessage commit = world->commits[0], reveal;

  commit.epoch++;
  commit.digest[0] ^= 1;
  g_assert_cmpint (deliver (world, 0, 0, &commit), ==,
      BRAVIS_VERIFICATION_WAIT);
  g_assert_cmpint (bravis_verification_deliver (world->parts[0], 99,
          &world->commits[1], &reveal), ==, BRAVIS_VERIFICATION_WAIT);
  commit_all (world);
  reveal = world->reveals[1];
  reveal.epoch--;
  reveal.digest[0] ^= 1;
  g_assert_cmpint (deliver (world, 0, 1, &reveal), ==,
      BRAVIS_VERIFICATION_WAIT);
  reveal_all (world);
}

static void
fill_from (gpointer user_data, gpointer out, gsize size)
{
  memset (out, GPOINTER_TO_INT (user_data), size);
}

/* Figures computed apart from it, by the schedule of docs/protocol.md. */
static void
test_commitment_and_code_are_the_documented_ones (void)
{
  guint8 octets[BRAVIS_KEY_SIZE], shares[BRAVIS_HASH_SIZE], expected[32];
  TestEpochs epochs;
  BravisCard *cards[2];
  GcpMember members[2];
  BravisVerification *parts[2];
  BravisGroupMessage commits[2], reveals[2], none;
  BravisPolicy policy;
  g_autoptr (GcpView) view = NULL;
  g_autoptr (BravisSecret) secret = NULL;
  g_autoptr (BravisSecret) commitment = bravis_secret_new_from_hex (
      "3c766543788b223327a11e9edcc341af4fcfcd81f8fb568a04bb208613feb017",
      NULL);

  test_epochs_init (&epochs);
  for (guint i = 0; i < 32; i++)
    octets[i] = i;
  memset (shares, 0xcc, sizeof shares);
  for (guint i = 0; i < 2; i++) {
    cards[i] = epochs.own[i]->card;
    cards[i]->id = G_GUINT64_CONSTANT (0x0102030405060708)
        + i * G_GUINT64_CONSTANT (0x1010101010101010);
    memset (cards[i]->digest, i == 0 ? 0xaa : 0xbb, BRAVIS_HASH_SIZE);
    members[i] = (GcpMember) { cards[i]->id, cards[i]->bytes };
  }
  view = gcp_view_new (3, TRUE, members, 2);
  bravis_policy_init (&policy);
  policy.cipher[BRAVIS_KIND_VIDEO] = BRAVIS_CIPHER_AES_256_GCM;
  secret = bravis_secret_new_take (octets, sizeof octets);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (BravisEpoch) epoch = bravis_epoch_new (5, view, cards, i, &policy,
        secret);
    BravisRandom random = { fill_from, GINT_TO_POINTER (i + 1) };

    parts[i] = bravis_verification_new (epoch, shares, &random);
    bravis_verification_commit (parts[i], &commits[i]);
  }
  memcpy (expected, bravis_secret_peek (commitment), sizeof expected);
  g_assert_cmpmem (commits[0].digest, 32, expected, 32);
  for (guint from = 0; from < 2; from++)
    for (guint at = 0; at < 2; at++)
      bravis_verification_deliver (parts[at], members[from].id, &commits[from],
          &reveals[at]);
  for (guint from = 0; from < 2; from++)
    bravis_verification_deliver (parts[0], members[from].id, &reveals[from],
        &none);
  g_assert_cmpstr (bravis_verification_get_code (parts[0]), ==, "755 831 677");
  for (guint i = 0; i < 2; i++)
    bravis_verification_free (parts[i]);
  test_epochs_clear (&epochs);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) \
  g_test_add ("/keymgmt/verification/" #name, World, NULL, set_up, test_##name, \
      tear_down)
  ADD (code_is_the_same_at_all_members);
  ADD (code_is_another_with_other_numbers_or_shares);
  ADD (member_cannot_choose_after_it_saw_the_others);
  ADD (member_that_reveals_early_changes_nothing);
  ADD (member_cannot_repeat_anothers_number);
  ADD (member_commits_once);
  ADD (member_reveals_once);
  ADD (words_of_another_epoch_or_a_stranger_are_dropped);
#undef ADD
  g_test_add_func ("/keymgmt/verification/"
      "commitment_and_code_are_the_documented_ones",
      test_commitment_and_code_are_the_documented_ones);
  return g_test_run ();
}
