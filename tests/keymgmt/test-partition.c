/* Whole peers that lose each other, go on apart, and come together again. */
#include "../../gcp/gcp-engine-private.h"
#include "conference-world.h"

#define ALICE "alice@example.org"
#define DAVE "dave@example.org"
#define DORA "dora@example.org"
#define ERIN "erin@example.org"

static TestPki *pki;

static const char *const names[] = { "alice", "bob", "carol", NULL, "erin" };

/* Alice, bob, carol, @fourth of @kind, and erin in one conference. */
static World *
conference_with (const char *fourth, TestPkiKind kind)
{
  World *world = world_new (pki, kind, 0);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (i == 3)
      world_add_of_kind (world, fourth, kind);
    else
      world_add (world, names[i]);
  peer_start (world_get (world, 0));
  for (guint i = 1; i < G_N_ELEMENTS (names); i++) {
    peer_invite (world_get (world, 0), world_get (world, i));
    world_run (world, 2 * WORLD_SECOND);
  }
  world_assert_settled (world, G_N_ELEMENTS (names));
  return world;
}

static World *
conference_of_five (void)
{
  return conference_with ("dave", TEST_PKI_GOOD);
}

/* The last two on one side, the others on the other; then all on one. */
static void
cut (World *world)
{
  sim_network_set_side (world->network, 3, 1);
  sim_network_set_side (world->network, 4, 1);
  world_run (world, 3 * WORLD_SECOND);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpuint (peer_n_members (world_get (world, i)), ==,
        i < 3 ? 3 : 2);
}

static void
heal (World *world)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    sim_network_set_side (world->network, i, 0);
  world_run (world, 8 * WORLD_SECOND);
}

static gboolean
have_one_key (BravisEpoch *a, BravisEpoch *b)
{
  return bravis_secret_equal (bravis_epoch_get_secret (a),
      bravis_epoch_get_secret (b));
}

static void
test_parts_become_one_with_a_key_of_its_own (void)
{
  g_autoptr (World) world = conference_of_five ();
  Peer *alice = world_get (world, 0), *dave = world_get (world, 3);
  g_autoptr (BravisEpoch) of_alice = NULL;
  g_autoptr (BravisEpoch) of_dave = NULL;

  cut (world);
  /* Each part goes on, and changes its keys. */
  for (guint i = 0; i < 3; i++) {
    peer_refresh (alice);
    peer_refresh (dave);
    world_run (world, WORLD_SECOND);
  }
  peer_refresh (dave);
  world_run (world, WORLD_SECOND);
  of_alice = bravis_epoch_ref (peer_epoch (alice));
  of_dave = bravis_epoch_ref (peer_epoch (dave));
  g_assert_false (have_one_key (of_alice, of_dave));

  heal (world);
  world_assert_settled (world, G_N_ELEMENTS (names));
  g_assert_true (have_one_key (peer_epoch (alice), peer_epoch (dave)));
  g_assert_false (have_one_key (peer_epoch (alice), of_alice));
  g_assert_false (have_one_key (peer_epoch (alice), of_dave));
  g_assert_true (gcp_view_is_primary (bravis_epoch_get_view (peer_epoch
          (dave))));
  g_assert_cmpuint (bravis_epoch_get_number (peer_epoch (alice)), >,
      MAX (bravis_epoch_get_number (of_alice),
          bravis_epoch_get_number (of_dave)));
  g_assert_cmpuint (gcp_view_find (bravis_epoch_get_view (peer_epoch (dave)),
          alice->last_id), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpuint (world_get (world, i)->refusals->len, ==, 0);
  /* And it goes on: the merged group changes keys, too. */
  peer_refresh (dave);
  world_run (world, WORLD_SECOND);
  world_assert_settled (world, G_N_ELEMENTS (names));
}

static void
test_streams_of_the_other_part_are_heard_again (void)
{
  g_autoptr (World) world = conference_of_five ();
  Peer *alice = world_get (world, 0), *dave = world_get (world, 3);

  peer_add_stream (alice, BRAVIS_KIND_VIDEO, "before");
  world_run (world, WORLD_SECOND);
  cut (world);
  g_assert_true (peer_was_told (dave, "end " ALICE " 0"));
  peer_add_stream (dave, BRAVIS_KIND_AUDIO, "meanwhile");
  world_run (world, WORLD_SECOND);
  g_ptr_array_set_size (dave->events, 0);
  heal (world);
  g_assert_true (peer_was_told (dave, "joined " ALICE));
  g_assert_true (peer_was_told (dave, "stream " ALICE " video 0 before"));
  g_assert_true (peer_was_told (alice, "joined " DAVE));
  g_assert_true (peer_was_told (alice, "stream " DAVE " audio 0 meanwhile"));
  g_assert_true (peer_was_told (world_get (world, 2),
          "stream " DAVE " audio 0 meanwhile"));
}

static void
test_who_was_let_in_by_one_part_is_known_to_all (void)
{
  g_autoptr (World) world = conference_of_five ();
  Peer *frank = world_add (world, "frank"), *grace = world_add (world, "grace");

  cut (world);
  sim_network_set_side (world->network, frank->node, 1);
  peer_invite (world_get (world, 3), frank);
  peer_invite (world_get (world, 1), grace);
  world_run (world, 3 * WORLD_SECOND);
  sim_network_set_side (world->network, frank->node, 0);
  heal (world);
  world_assert_settled (world, 7);
  for (guint i = 0; i < world->peers->len; i++)
    g_assert_cmpuint (world_get (world, i)->addresses->len, ==, 7);
}

/* Alice knows as many peers as she may, all of them failed, and all later than who is
 * cut off: as when somebody came and crashed again and again. */
static void
fill_contacts (Peer *alice)
{
  BravisConference *conference = alice->conference;
  g_autoptr (BravisIdentity) identity = test_pki_identity (pki, "zoe");
  GcpAddress nowhere = { 0 };

  for (guint i = G_N_ELEMENTS (names) - 1; i < BRAVIS_MAX_CONTACTS; i++) {
    g_autoptr (BravisOwnCard) own = bravis_own_card_new (identity,
        WORLD_CONFERENCE, TEST_PKI_NOW, &alice->world->source, NULL);

    g_assert_nonnull (bravis_contacts_add (conference->contacts,
        conference->own, own->card, &nowhere, 0, NULL));
    bravis_contacts_lose (conference->contacts, own->card->id, G_MAXINT64);
  }
}

/* Who comes back with the others is not forgotten for them in the same moment. */
static void
test_nobody_who_comes_back_is_forgotten_for_a_newcomer (void)
{
  g_autoptr (World) world = conference_of_five ();
  Peer *frank = world_add (world, "frank");

  cut (world);
  sim_network_set_side (world->network, frank->node, 1);
  peer_invite (world_get (world, 3), frank);
  world_run (world, 3 * WORLD_SECOND);
  fill_contacts (world_get (world, 0));
  sim_network_set_side (world->network, frank->node, 0);
  heal (world);
  world_assert_settled (world, 6);
}

/* Dora's certificate runs out while she is away alone: the others do not take her
 * back. */
static void
test_who_is_not_valid_any_more_does_not_come_back (void)
{
  g_autoptr (World) world = conference_with ("dora", TEST_PKI_SHORT);
  Peer *alice = world_get (world, 0), *dora = world_get (world, 3);

  sim_network_set_side (world->network, dora->node, 1);
  world_run (world, 3 * WORLD_SECOND);
  world->wall_clock += 2 * 60 * 60;
  sim_network_set_side (world->network, dora->node, 0);
  world_run (world, 10 * WORLD_SECOND);
  g_assert_cmpuint (peer_n_members (alice), ==, 4);
  g_assert_cmpuint (peer_n_members (dora), ==, 1);
  g_assert_true (peer_reports (alice, DORA, NULL, BRAVIS_ERROR_EXPIRED));
}

/* Dora's certificate runs out while she and erin are cut off: erin puts her out, and
 * comes back without her. */
static void
test_who_is_not_valid_any_more_is_put_out_by_its_part (void)
{
  g_autoptr (World) world = conference_with ("dora", TEST_PKI_SHORT);
  Peer *alice = world_get (world, 0), *dora = world_get (world, 3);

  cut (world);
  world->wall_clock += 2 * 60 * 60;
  heal (world);
  g_assert_true (dora->over);
  g_assert_cmpint (dora->end_reason, ==, GCP_END_PUT_OUT);
  world_assert_settled (world, 4);
  g_assert_true (peer_was_told (alice, "joined " ERIN));
  g_assert_true (peer_reports (world_get (world, 4), DORA, NULL,
          BRAVIS_ERROR_EXPIRED));
}

/* A process starts anew on the other side: of the two of its name, the new one is in
 * the merged conference. The old one coordinates its part, or does not. */
static void
test_old_incarnation_in_the_other_part_does_not_come_back (void)
{
  static const char *const of_that_part[] = { "dave", "erin" };

  for (guint i = 0; i < G_N_ELEMENTS (of_that_part); i++) {
    g_autoptr (World) world = conference_of_five ();
    Peer *again = world_add (world, of_that_part[i]);

    cut (world);
    peer_invite (world_get (world, 0), again);
    world_run (world, 3 * WORLD_SECOND);
    g_assert_cmpuint (peer_n_members (again), ==, 4);
    heal (world);
    world_assert_settled (world, 5);
    g_assert_true (world_get (world, 3 + i)->over);
    g_assert_cmpuint (peer_n_members (again), ==, 5);
  }
}

/* The same, but he is on his way in while the parts meet. */
static void
test_newcomer_comes_in_though_its_old_incarnation_comes_back (void)
{
  for (guint lead = 0; lead < 30; lead++) {
    g_autoptr (World) world = conference_of_five ();
    Peer *dave = world_add (world, "dave");

    cut (world);
    for (guint i = 0; i < G_N_ELEMENTS (names); i++)
      sim_network_set_side (world->network, i, 0);
    world_run (world, (1000 + lead * 40) * WORLD_MS);
    peer_invite (world_get (world, 0), dave);
    world_run (world, 15 * WORLD_SECOND);
    world_assert_settled (world, 5);
    g_assert_true (world_get (world, 3)->over);
    g_assert_cmpuint (peer_n_members (dave), ==, 5);
  }
}

/* Two processes of one name are on their way in, one in each part, while the parts
 * meet: one of them is in the merged conference. (Here @lead is such that both are
 * admitted, and not in a view yet, when the parts begin to merge.) */
static void
test_two_of_one_name_do_not_come_in_together (void)
{
  for (guint lead = 1600; lead <= 1660; lead += 20)
    for (guint later = 0; later < 4; later++) {
      g_autoptr (World) world = conference_of_five ();
      Peer *here = world_add (world, "frank"), *there = world_add (world, "frank");
      gboolean is_here, is_there;

      cut (world);
      for (guint i = 0; i < G_N_ELEMENTS (names); i++)
        sim_network_set_side (world->network, i, 0);
      world_run (world, lead * WORLD_MS);
      peer_invite (world_get (world, 3), there);
      world_run (world, later * 30 * WORLD_MS);
      peer_invite (world_get (world, 0), here);
      world_run (world, 10 * WORLD_SECOND);
      g_assert_cmpuint (peer_n_members (world_get (world, 3)), >=, 5);
      world_run (world, 35 * WORLD_SECOND);
      is_here = peer_is_live (here) && peer_n_members (here) == 6;
      is_there = peer_is_live (there) && peer_n_members (there) == 6;
      g_assert_true (is_here != is_there);
      for (guint i = 0; i < G_N_ELEMENTS (names); i++)
        g_assert_cmpuint (peer_n_members (world_get (world, i)), ==, 6);
    }
}

static void
let_in_late (Peer *member, Peer *newcomer)
{
  BravisCard *card = newcomer->conference->own->card;
  BravisAdmitted admitted = { card->id, G_MAXINT64 };

  g_hash_table_insert (member->conference->admitted, g_strdup (card->name),
      g_memdup2 (&admitted, sizeof admitted));
  gcp_engine_admit (member->conference->engine, card->id, card->bytes,
      member->conference->now);
}

/* One is admitted by the leading part when it knows already who comes from the other:
 * its namesake among them. */
static void
test_who_is_admitted_too_late_does_not_come_in_beside_its_namesake (void)
{
  g_autoptr (World) world = conference_of_five ();
  Peer *alice = world_get (world, 0);
  Peer *there = world_add (world, "frank"), *late = world_add (world, "frank");

  cut (world);
  sim_network_set_side (world->network, there->node, 1);
  peer_invite (world_get (world, 3), there);
  world_run (world, 2 * WORLD_SECOND);
  g_assert_cmpuint (peer_n_members (there), ==, 3);
  for (guint i = 0; i <= there->node; i++)
    sim_network_set_side (world->network, i, 0);
  while (!gcp_merge_has_part (alice->conference->engine))
    world_run (world, WORLD_MS);
  for (guint i = 0; i < 3; i++)
    let_in_late (world_get (world, i), late);
  world_run (world, 2 * WORLD_SECOND);
  g_assert_cmpuint (peer_n_members (alice), ==, 6);
  for (guint i = 0; i < 3; i++)
    g_assert_false (gcp_engine_is_candidate (world_get (world,
                i)->conference->engine, late->last_id));
}

/* Carol invites frank where he is not, and he comes in with the other part. She does
 * not try on. */
static void
test_invitation_to_nowhere_ends_when_its_peer_is_in (void)
{
  g_autoptr (World) world = conference_of_five ();
  Peer *frank = world_add (world, "frank"), *nobody = world_add (world, "frank");
  Peer *carol = world_get (world, 2);

  cut (world);
  sim_network_set_side (world->network, frank->node, 1);
  sim_network_set_side (world->network, nobody->node, 2);
  peer_invite (world_get (world, 3), frank);
  peer_invite (carol, nobody);
  world_run (world, 3 * WORLD_SECOND);
  g_assert_true (peer_was_told (carol, "unreachable frank@example.org"));
  sim_network_set_side (world->network, frank->node, 0);
  heal (world);
  world_run (world, 12 * WORLD_SECOND);
  g_assert_cmpuint (peer_n_members (carol), ==, 6);
  g_ptr_array_set_size (carol->events, 0);
  world_run (world, 60 * WORLD_SECOND);
  g_assert_false (peer_was_told (carol, "unreachable frank@example.org"));
  g_assert_null (bravis_invitations_find (carol->conference->invitations,
          "frank@example.org"));
}

static void
assert_nobody_left (World *world, guint64 number)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpuint (gcp_view_get_number (bravis_epoch_get_view (peer_epoch
            (world_get (world, i)))), ==, number);
  world_assert_settled (world, G_N_ELEMENTS (names));
}

/* Erin and the first member lose each other alone; keys and messages get through. */
static void
test_broken_pair_stays_in_the_conference (void)
{
  g_autoptr (World) world = conference_of_five ();
  Peer *alice = world_get (world, 0), *erin = world_get (world, 4);
  guint64 number = gcp_view_get_number (bravis_epoch_get_view (peer_epoch
          (alice)));
  guint64 epoch;

  sim_network_cut (world->network, 0, 4);
  sim_network_cut (world->network, 4, 0);
  world_run (world, 10 * WORLD_SECOND);
  assert_nobody_left (world, number);
  epoch = bravis_epoch_get_number (peer_epoch (alice));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    peer_refresh (erin);
    peer_multicast (erin, "from erin");
    world_run (world, WORLD_SECOND);
  }
  g_assert_cmpuint (bravis_epoch_get_number (peer_epoch (alice)), ==,
      epoch + G_N_ELEMENTS (names));
  g_assert_true (peer_was_told (alice, "message " ERIN " from erin"));
  assert_nobody_left (world, number);
  sim_network_mend (world->network);
  world_run (world, 10 * WORLD_SECOND);
  assert_nobody_left (world, number);
}

/* Who passes it on sends it as if it had come directly: the member stays where it
 * is. */
static void
test_who_passes_on_moves_nobody (void)
{
  g_autoptr (World) world = conference_of_five ();
  Peer *alice = world_get (world, 0), *bob = world_get (world, 1);
  Peer *erin = world_get (world, 4);
  BravisContact *of_alice = bravis_contacts_find (erin->conference->contacts,
      alice->last_id);
  g_autoptr (GBytes) plain = g_bytes_new_static ("\001", 1);
  g_autoptr (GBytes) sealed = alice->conference->gcp.seal (alice->conference,
      erin->last_id, plain);
  gsize size;
  guint8 *octets = g_bytes_unref_to_data (g_steal_pointer (&sealed), &size);
  g_autofree guint8 *data = octets;
  g_autoptr (GBytes) opened = NULL;

  peer_receive (erin, &bob->address, data, size);
  data[0] = 193;
  peer_receive (erin, &bob->address, data, size);
  g_assert_true (gcp_address_equal (&of_alice->address, &alice->address));
  g_assert_null (erin->conference->gcp.open (erin->conference, alice->last_id,
          data, size));
  data[0] = 195;
  data[size - 1] ^= 1;
  g_assert_null (erin->conference->gcp.open (erin->conference, alice->last_id,
          data, size));
  data[size - 1] ^= 1;
  g_assert_null (erin->conference->gcp.open (erin->conference, bob->last_id,
          data, size));
  opened = erin->conference->gcp.open (erin->conference, alice->last_id, data,
      size);
  g_assert_true (g_bytes_equal (opened, plain));
  /* Once only. */
  g_assert_null (erin->conference->gcp.open (erin->conference, alice->last_id,
          data, size));
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  pki = test_pki_new ();
#define ADD(name) g_test_add_func ("/keymgmt/partition/" #name, test_ ## name)
  ADD (parts_become_one_with_a_key_of_its_own);
  ADD (streams_of_the_other_part_are_heard_again);
  ADD (who_was_let_in_by_one_part_is_known_to_all);
  ADD (nobody_who_comes_back_is_forgotten_for_a_newcomer);
  ADD (who_is_not_valid_any_more_does_not_come_back);
  ADD (who_is_not_valid_any_more_is_put_out_by_its_part);
  ADD (old_incarnation_in_the_other_part_does_not_come_back);
  ADD (newcomer_comes_in_though_its_old_incarnation_comes_back);
  ADD (two_of_one_name_do_not_come_in_together);
  ADD (who_is_admitted_too_late_does_not_come_in_beside_its_namesake);
  ADD (invitation_to_nowhere_ends_when_its_peer_is_in);
  ADD (broken_pair_stays_in_the_conference);
  ADD (who_passes_on_moves_nobody);
  result = g_test_run ();
  test_pki_free (pki);
  return result;
}
