/* Members of a conference whose program does one thing otherwise, from outside: what
 * comes of it at the others, and that they name it. */
#include "../../keymgmt/bravis-pair.h"
#include "../../keymgmt/bravis-roster.h"
#include "conference-world.h"

#define MALLORY "mallory@example.org"

static BravisConference *misled;        /* knows another share than the others */
static BravisConference *liar;          /* shows another number than it committed to */
static GcpMemberId parter, parted;      /* gives him another key than the others */
static BravisConference *silent;        /* says and makes nothing for VTKD */
static gboolean no_keys;        /* nobody makes any */
static gboolean forging;        /* rosters say shares that their members did not sign */

void __real_bravis_vtkd_hash_shares (BravisVtkd *vtkd,
    guint8 out[BRAVIS_HASH_SIZE]);
void __wrap_bravis_vtkd_hash_shares (BravisVtkd *vtkd,
    guint8 out[BRAVIS_HASH_SIZE]);
BravisVerificationStep __real_bravis_verification_deliver (
    BravisVerification *verification, GcpMemberId from,
    const BravisGroupMessage *message, BravisGroupMessage *answer);
BravisVerificationStep __wrap_bravis_verification_deliver (
    BravisVerification *verification, GcpMemberId from,
    const BravisGroupMessage *message, BravisGroupMessage *answer);
void __real_bravis_pair_seal (const BravisSecret *pair,
    const guint8 digest[BRAVIS_HASH_SIZE], GcpMemberId from, GcpMemberId to,
    const BravisSecret *secret, guint8 copy[BRAVIS_COPY_SIZE]);
void __wrap_bravis_pair_seal (const BravisSecret *pair,
    const guint8 digest[BRAVIS_HASH_SIZE], GcpMemberId from, GcpMemberId to,
    const BravisSecret *secret, guint8 copy[BRAVIS_COPY_SIZE]);
void __real_bravis_vtkd_change_key_if_holder (BravisVtkd *vtkd);
void __wrap_bravis_vtkd_change_key_if_holder (BravisVtkd *vtkd);
void __real_bravis_vtkd_say_share (BravisVtkd *vtkd);
void __wrap_bravis_vtkd_say_share (BravisVtkd *vtkd);

void
__wrap_bravis_vtkd_change_key_if_holder (BravisVtkd *vtkd)
{
  if (!no_keys && (!silent || vtkd != silent->vtkd))
    __real_bravis_vtkd_change_key_if_holder (vtkd);
}

void
__wrap_bravis_vtkd_say_share (BravisVtkd *vtkd)
{
  if (!silent || vtkd != silent->vtkd)
    __real_bravis_vtkd_say_share (vtkd);
}

void __real_bravis_roster_add (BravisRoster *roster, const GcpAddress *address,
    GBytes *card, const BravisShare *share);
void __wrap_bravis_roster_add (BravisRoster *roster, const GcpAddress *address,
    GBytes *card, const BravisShare *share);

void
__wrap_bravis_roster_add (BravisRoster *roster, const GcpAddress *address,
    GBytes *card, const BravisShare *share)
{
  g_autoptr (BravisShare) forged = bravis_share_copy (share);

  forged->public_key[1] ^= forging;
  __real_bravis_roster_add (roster, address, card, forged);
}

void
__wrap_bravis_vtkd_hash_shares (BravisVtkd *vtkd, guint8 out[BRAVIS_HASH_SIZE])
{
  __real_bravis_vtkd_hash_shares (vtkd, out);
  out[0] ^= misled && vtkd == misled->vtkd;
}

BravisVerificationStep
__wrap_bravis_verification_deliver (BravisVerification *verification,
    GcpMemberId from, const BravisGroupMessage *message,
    BravisGroupMessage *answer)
{
  BravisVerificationStep step = __real_bravis_verification_deliver (
      verification, from, message, answer);

  if (step == BRAVIS_VERIFICATION_REVEAL && liar
      && verification == liar->verification)
    answer->digest[0] ^= 1;
  return step;
}

void
__wrap_bravis_pair_seal (const BravisSecret *pair,
    const guint8 digest[BRAVIS_HASH_SIZE], GcpMemberId from, GcpMemberId to,
    const BravisSecret *secret, guint8 copy[BRAVIS_COPY_SIZE])
{
  const guint8 another[BRAVIS_KEY_SIZE] = { 0 };
  g_autoptr (BravisSecret) other = bravis_secret_new (another, sizeof another);

  __real_bravis_pair_seal (pair, digest, from, to,
      from == parter && to == parted ? other : secret, copy);
}

typedef struct {
  TestPki *pki;
  World *world;
  Peer *alice, *bob, *mallory;
} Group;

static void
set_up (Group *group, gconstpointer data)
{
  group->pki = test_pki_new ();
  group->world = world_new (group->pki, 5, 0);
  group->alice = world_add (group->world, "alice");
  group->bob = world_add (group->world, "bob");
  group->mallory = world_add (group->world, "mallory");
  peer_start (group->alice);
  peer_invite (group->alice, group->bob);
  peer_invite (group->alice, group->mallory);
  world_run (group->world, 5 * WORLD_SECOND);
  world_assert_settled (group->world, 3);
}

static void
tear_down (Group *group, gconstpointer data)
{
  misled = liar = silent = NULL;
  no_keys = FALSE;
  forging = FALSE;
  parter = parted = GCP_MEMBER_NONE;
  world_free (group->world);
  test_pki_free (group->pki);
}

/* NULL: it has none. */
static const char *
code_of (Peer *peer)
{
  return bravis_verification_get_code (peer->conference->verification);
}

static void
change_key (Group *group)
{
  guint before = group->alice->epochs->len;

  peer_refresh (group->alice);
  world_run (group->world, WORLD_SECOND);
  g_assert_cmpuint (group->alice->epochs->len, ==, before + 1);
}

static void
test_who_knows_other_shares_has_another_code (Group *group, gconstpointer data)
{
  misled = group->bob->conference;
  change_key (group);
  g_assert_nonnull (code_of (group->bob));
  g_assert_cmpstr (code_of (group->bob), !=, code_of (group->alice));
  g_assert_cmpstr (code_of (group->mallory), ==, code_of (group->alice));
  misled = NULL;
  change_key (group);
  world_assert_settled (group->world, 3);
}

/* What is shown after it is for nobody: a code is of all who are in. */
static void
test_view_ends_the_verification (Group *group, gconstpointer data)
{
  g_assert_nonnull (code_of (group->alice));
  no_keys = TRUE;
  peer_leave (group->bob);
  world_run (group->world, WORLD_SECOND);
  g_assert_cmpuint (gcp_view_get_n_members (group->alice->conference->view), ==,
      2);
  g_assert_null (group->alice->conference->verification);
}

static void
test_who_shows_another_number_is_named_and_there_is_no_code (Group *group,
    gconstpointer data)
{
  liar = group->mallory->conference;
  change_key (group);
  g_assert_null (code_of (group->alice));
  g_assert_null (code_of (group->bob));
  g_assert_true (peer_reports (group->alice, MALLORY, NULL,
          BRAVIS_ERROR_PROTOCOL));
  g_assert_true (peer_reports (group->bob, MALLORY, NULL,
          BRAVIS_ERROR_PROTOCOL));
  liar = NULL;
  change_key (group);
  world_assert_settled (group->world, 3);
}

/* Whoever has the token gives the one behind it another key. */
static void
test_holder_that_parts_a_member_is_named_and_loses_the_token (Group *group,
    gconstpointer data)
{
  GcpView *view = group->alice->conference->view;
  guint holder, other;
  Peer *victim;

  parter = bravis_vtkd_get_holder (group->alice->conference->vtkd);
  holder = gcp_view_find (view, parter);
  other = (holder + 1) % 3;
  parted = gcp_view_get_member (view, other)->id;
  victim = world_get (group->world, other);
  g_assert_cmpuint (victim->last_id, ==, parted);
  peer_refresh (group->alice);
  world_run (group->world, 2 * WORLD_SECOND);
  g_assert_true (peer_reports (victim, world_get (group->world, holder)->name,
          NULL, BRAVIS_ERROR_PROTOCOL));
  g_assert_cmpuint (bravis_vtkd_get_holder (victim->conference->vtkd), !=,
      parter);
  world_assert_settled (group->world, 3);
}

/* Whatever it is to do, the others have a new key some time after a member is gone,
 * or has come, and name it. */
static void
test_silent_member_does_not_keep_the_others_from_a_key (Group *group,
    gconstpointer data)
{
  Peer *dave = world_add (group->world, "dave");

  peer_invite (group->alice, dave);
  world_run (group->world, 3 * WORLD_SECOND);
  world_assert_settled (group->world, 4);
  silent = group->mallory->conference;
  /* The token comes to Mallory, wherever it is. */
  for (guint i = 0; i < 4; i++) {
    peer_refresh (group->alice);
    world_run (group->world, 15 * WORLD_SECOND);
  }
  g_assert_true (peer_reports (group->alice, MALLORY, NULL,
          BRAVIS_ERROR_PROTOCOL));
  world_assert_settled (group->world, 4);

  peer_leave (dave);
  world_run (group->world, 15 * WORLD_SECOND);
  world_assert_settled (group->world, 3);

  dave = world_add (group->world, "erin");
  peer_invite (group->bob, dave);
  world_run (group->world, 20 * WORLD_SECOND);
  g_assert_true (peer_is_live (dave));
  g_assert_true (gcp_view_equal (bravis_epoch_get_view (peer_epoch (dave)),
          dave->conference->view));
  /* It has found itself passed over, and left. */
  g_assert_false (peer_is_live (group->mallory));
  world_assert_settled (group->world, 3);
}

/* Who would believe it would take a key from whoever knows that share. And what came
 * to nothing with Mallory, in the same view, does not stand in another's way. */
static void
test_roster_with_a_forged_share_is_refused (Group *group, gconstpointer data)
{
  Peer *dave = world_add (group->world, "dave");

  forging = TRUE;
  peer_invite (group->mallory, dave);
  world_run (group->world, 2 * WORLD_SECOND);
  g_assert_true (peer_reports (dave, MALLORY, NULL, BRAVIS_ERROR_SIGNATURE));
  g_assert_null (dave->conference->view);
  forging = FALSE;
  peer_invite (group->alice, dave);
  world_run (group->world, 2 * WORLD_SECOND);
  world_assert_settled (group->world, 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) \
  g_test_add ("/keymgmt/rogue-member/" #name, Group, NULL, set_up, test_##name, \
      tear_down)
  ADD (who_knows_other_shares_has_another_code);
  ADD (view_ends_the_verification);
  ADD (who_shows_another_number_is_named_and_there_is_no_code);
  ADD (silent_member_does_not_keep_the_others_from_a_key);
  ADD (roster_with_a_forged_share_is_refused);
  ADD (holder_that_parts_a_member_is_named_and_loses_the_token);
#undef ADD
  return g_test_run ();
}
