/* Signed commands: everybody gets them alike, and nobody can put them into another's
 * mouth. Forgeries come as whoever orders the group's messages could bring them in:
 * delivered to all, in another member's name. */
#include "../../keymgmt/bravis-command.h"
#include "../../keymgmt/bravis-session.h"
#include "conference-world.h"

#include <string.h>

typedef struct {
  TestPki *pki;
  World *world;
  Peer *alice, *bob, *mallory;
} Group;

static void
set_up (Group *group, gconstpointer data)
{
  group->pki = test_pki_new ();
  group->world = world_new (group->pki, 1, 0);
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
  world_free (group->world);
  test_pki_free (group->pki);
}

static void
command (Peer *peer, guint kind, const char *text)
{
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));
  GError *error = NULL;

  bravis_conference_command (peer->conference, kind, body,
      sim_network_now (peer->world->network), &error);
  g_assert_no_error (error);
  peer_drain (peer);
}

static GcpMemberId
id_of (Peer *peer)
{
  return peer->conference->own->card->id;
}

static guint64
view_number (Peer *peer)
{
  return gcp_view_get_number (peer->conference->view);
}

/* Signed by @signer, as a command of @member. */
static GBytes *
make (Peer *signer, guint64 view, guint32 sequence, guint kind,
    const char *conference, GcpMemberId member)
{
  g_auto (BravisCommand) made = { .view = view, .sequence = sequence,
    .kind = kind, .body = g_bytes_new ("no", 2) };
  GBytes *bytes = bravis_command_sign (&made, signer->conference->identity,
      conference, member, NULL);

  g_assert_nonnull (bytes);
  return bytes;
}

static void
bring_in (Group *group, Peer *from, GBytes *bytes)
{
  Peer *peers[] = { group->alice, group->bob, group->mallory };

  for (guint i = 0; i < G_N_ELEMENTS (peers); i++) {
    bravis_conference_deliver (peers[i]->conference, id_of (from), bytes,
        GCP_SAFE);
    peer_drain (peers[i]);
  }
}

static void
assert_not_taken (Group *group, const char *event, BravisError code)
{
  g_assert_false (peer_was_told (group->alice, event));
  g_assert_false (peer_was_told (group->bob, event));
  if (code != 0)
    g_assert_true (peer_reports (group->alice, "bob@example.org", "-", code));
}

static void
test_all_get_the_same_commands_in_one_order (Group *group, gconstpointer data)
{
  command (group->alice, BRAVIS_COMMAND_VOTE, "yes");
  command (group->alice, BRAVIS_COMMAND_VOTE, "no");
  command (group->bob, BRAVIS_COMMAND_APPLICATION + 7, "hello");
  world_run (group->world, WORLD_SECOND);
  for (guint i = 0; i < 3; i++) {
    Peer *peer = world_get (group->world, i);

    g_assert_true (peer_was_told (peer, "command alice@example.org 1 yes"));
    g_assert_true (peer_was_told (peer, "command alice@example.org 1 no"));
    g_assert_true (peer_was_told (peer, "command bob@example.org 23 hello"));
  }
}

static void
test_member_cannot_forge_anothers_command (Group *group, gconstpointer data)
{
  g_autoptr (GBytes) forged = make (group->mallory, view_number (group->bob), 1, BRAVIS_COMMAND_VOTE, WORLD_CONFERENCE,
      id_of (group->bob));

  bring_in (group, group->bob, forged);
  assert_not_taken (group, "command bob@example.org 1 no",
      BRAVIS_ERROR_SIGNATURE);
}

/* What Mallory signed as itself is not Bob's either. */
static void
test_command_of_another_member_is_not_ones_own (Group *group,
    gconstpointer data)
{
  g_autoptr (GBytes) moved = make (group->mallory, view_number (group->bob), 1, BRAVIS_COMMAND_VOTE, WORLD_CONFERENCE,
      id_of (group->mallory));

  bring_in (group, group->bob, moved);
  assert_not_taken (group, "command bob@example.org 1 no",
      BRAVIS_ERROR_SIGNATURE);
}

/* Nor what Bob signed before he was this member. */
static void
test_command_of_an_earlier_incarnation_is_not_taken (Group *group,
    gconstpointer data)
{
  g_autoptr (GBytes) earlier = make (group->bob, view_number (group->bob), 1,
      BRAVIS_COMMAND_VOTE, WORLD_CONFERENCE, id_of (group->bob) ^ 1);

  bring_in (group, group->bob, earlier);
  assert_not_taken (group, "command bob@example.org 1 no",
      BRAVIS_ERROR_SIGNATURE);
}

static void
test_command_cannot_be_repeated (Group *group, gconstpointer data)
{
  g_autoptr (GBytes) command = make (group->bob, view_number (group->bob), 1, BRAVIS_COMMAND_VOTE, WORLD_CONFERENCE,
      id_of (group->bob));
  guint before;

  bravis_conference_deliver (group->alice->conference, id_of (group->bob),
      command, GCP_SAFE);
  peer_drain (group->alice);
  g_assert_true (peer_was_told (group->alice, "command bob@example.org 1 no"));
  before = group->alice->events->len;
  bravis_conference_deliver (group->alice->conference, id_of (group->bob),
      command, GCP_SAFE);
  peer_drain (group->alice);
  g_assert_cmpuint (group->alice->events->len, ==, before);
  g_assert_true (peer_reports (group->alice, "bob@example.org", "-",
          BRAVIS_ERROR_PROTOCOL));
}

/* The one before it was left out. */
static void
test_command_cannot_be_left_out (Group *group, gconstpointer data)
{
  g_autoptr (GBytes) second = make (group->bob, view_number (group->bob), 2, BRAVIS_COMMAND_VOTE, WORLD_CONFERENCE,
      id_of (group->bob));

  bravis_conference_deliver (group->alice->conference, id_of (group->bob),
      second, GCP_SAFE);
  peer_drain (group->alice);
  assert_not_taken (group, "command bob@example.org 1 no",
      BRAVIS_ERROR_PROTOCOL);
}

static void
test_command_of_another_view_or_conference_is_not_taken (Group *group,
    gconstpointer data)
{
  g_autoptr (GBytes) earlier = make (group->bob, view_number (group->bob) - 1, 1, BRAVIS_COMMAND_VOTE, WORLD_CONFERENCE,
      id_of (group->bob));
  g_autoptr (GBytes) elsewhere = make (group->bob, view_number (group->bob), 1, BRAVIS_COMMAND_VOTE, "other",
      id_of (group->bob));

  bring_in (group, group->bob, earlier);
  assert_not_taken (group, "command bob@example.org 1 no", 0);
  bring_in (group, group->bob, elsewhere);
  assert_not_taken (group, "command bob@example.org 1 no",
      BRAVIS_ERROR_SIGNATURE);
}

static guint
count_told (Peer *peer, const char *event)
{
  guint n = 0;

  for (guint i = 0; i < peer->events->len; i++)
    n += g_str_equal (g_ptr_array_index (peer->events, i), event);
  return n;
}

/* Given while a view changes, it is delivered once, wherever that is. */
static void
test_command_outlives_a_view_change (void)
{
  for (guint when = 0; when < 60; when++) {
    Group group;

    set_up (&group, NULL);
    peer_crash (group.alice);
    world_run (group.world, when * 25 * WORLD_MS);
    command (group.bob, BRAVIS_COMMAND_FLOOR, "mine");
    command (group.bob, BRAVIS_COMMAND_FLOOR, "no, yours");
    world_run (group.world, 5 * WORLD_SECOND);
    world_assert_settled (group.world, 2);
    g_assert_cmpuint (count_told (group.mallory,
            "command bob@example.org 3 mine"), ==, 1);
    g_assert_cmpuint (count_told (group.mallory,
            "command bob@example.org 3 no, yours"), ==, 1);
    tear_down (&group, NULL);
  }
}

static void
test_leave_is_said_in_ones_own_name (Group *group, gconstpointer data)
{
  peer_leave (group->bob);
  world_run (group->world, 3 * WORLD_SECOND);
  g_assert_true (peer_was_told (group->alice, "left bob@example.org left"));
}

/* Who makes the next view says that Bob left, which Bob never said. */
static void
test_leave_cannot_be_forged (Group *group, gconstpointer data)
{
  g_autoptr (GArray) departures = g_array_new (FALSE, FALSE,
      sizeof (GcpDepartureRecord));
  g_autoptr (GArray) judged = NULL;
  g_autoptr (GBytes) forged = make (group->mallory, view_number (group->bob), 1, BRAVIS_COMMAND_LEAVE, WORLD_CONFERENCE,
      id_of (group->bob));
  GcpDepartureRecord record = { id_of (group->bob), GCP_LEFT };

  g_array_append_val (departures, record);
  bring_in (group, group->bob, forged);
  judged = bravis_conference_judge_departures (group->alice->conference,
      departures);
  g_assert_cmpint (g_array_index (judged, GcpDepartureRecord, 0).why, ==,
      GCP_FAILED);
}

static void
test_commands_that_cannot_be_are_refused (Group *group, gconstpointer data)
{
  g_autofree char *many = g_strnfill (BRAVIS_MAX_COMMAND + 1, 'x');
  g_autoptr (GBytes) large = g_bytes_new (many, BRAVIS_MAX_COMMAND + 1);
  g_autoptr (GBytes) small = g_bytes_new (many, 1);
  const struct { guint kind; GBytes *body; } bad[] = {
    { 0, small }, { BRAVIS_COMMAND_LEAVE, small },
    { BRAVIS_COMMAND_EXPIRED, small }, { 8, small }, { 15, small }, { 256, small },
    { BRAVIS_COMMAND_VOTE, large },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (bravis_conference_command (group->bob->conference,
            bad[i].kind, bad[i].body, 0, &error));
    g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) \
  g_test_add ("/keymgmt/commands/" #name, Group, NULL, set_up, test_##name, \
      tear_down)
  ADD (all_get_the_same_commands_in_one_order);
  ADD (member_cannot_forge_anothers_command);
  ADD (command_of_another_member_is_not_ones_own);
  ADD (command_of_an_earlier_incarnation_is_not_taken);
  ADD (command_cannot_be_repeated);
  ADD (command_cannot_be_left_out);
  ADD (command_of_another_view_or_conference_is_not_taken);
  ADD (leave_is_said_in_ones_own_name);
  ADD (leave_cannot_be_forged);
  ADD (commands_that_cannot_be_are_refused);
#undef ADD
  g_test_add_func ("/keymgmt/commands/command_outlives_a_view_change",
      test_command_outlives_a_view_change);
  return g_test_run ();
}
