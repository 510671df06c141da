/* What a group does, one behaviour at a time, over a network that is as said. */
#include <gio/gio.h>

#include "sim-group.h"

#define SECOND G_USEC_PER_SEC

static const SimConditions calm = {.delay_min = 200,.delay_max = 500 };
static const SimConditions lossy = {
  .loss = 0.2,.duplicate = 0.05,.reorder = 0.1,
  .delay_min = 200,.delay_max = 20000,.late = 30000
};
static const SimConditions far = {
  .loss = 0.05,.delay_min = 95000,.delay_max = 105000
};

static SimGroup *
make_group (const SimConditions *conditions, guint n, guint64 seed)
{
  GcpConfig config;
  SimGroup *group;

  gcp_config_init (&config);
  group = sim_group_new (seed, conditions, &config);
  sim_group_found (group);
  for (guint i = 1; i < n; i++)
    sim_group_join (group, 0);
  sim_group_run (group, 5 * SECOND);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (gcp_view_get_n_members (sim_group_get_view (group, i)),
        ==, n);
  return group;
}

static guint
n_members (SimGroup *group, guint process)
{
  return gcp_view_get_n_members (sim_group_get_view (group, process));
}

/* Who is first, second ... in the view. */
static guint
member_at (SimGroup *group, guint place)
{
  GcpMemberId id =
      gcp_view_get_member (sim_group_get_view (group, 0), place)->id;

  for (guint i = 0; i < sim_group_count (group); i++)
    if (sim_group_get_id (group, i) == id)
      return i;
  g_assert_not_reached ();
}

static void
assert_nothing_wrong (SimGroup *group)
{
  g_autofree char *wrong =
      sim_history_check (sim_group_get_history (group), TRUE);

  g_assert_cmpstr (wrong, ==, NULL);
}

static void
assert_nothing_wrong_but_cut (SimGroup *group)
{
  SimHistory *history = sim_group_get_history (group);
  g_autofree char *wrong = sim_history_check (history, FALSE);
  g_autofree char *dead = sim_history_check_liveness (history);

  g_assert_cmpstr (wrong, ==, NULL);
  g_assert_cmpstr (dead, ==, NULL);
}

static void
test_founder_is_alone_in_view_one (void)
{
  GcpConfig config;
  g_autoptr (GBytes) card = g_bytes_new_static ("me", 2);
  g_autoptr (GcpEngine) engine = NULL;
  g_auto (GcpOutput) output = { 0 };

  gcp_config_init (&config);
  engine = gcp_engine_new_founder (&config, 7, card, 0);
  g_assert_null (gcp_engine_get_view (engine));
  g_assert_true (gcp_engine_poll (engine, &output));
  g_assert_cmpint (output.type, ==, GCP_OUTPUT_VIEW);
  g_assert_cmpuint (gcp_view_get_number (output.view), ==, 1);
  g_assert_true (gcp_view_is_primary (output.view));
  g_assert_true (gcp_engine_get_view (engine) == output.view);
  g_assert_cmpint (gcp_engine_deadline (engine), ==, G_MAXINT64);
}

static void
test_newcomers_come_last_and_together (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 3, 1);
  guint64 number = gcp_view_get_number (sim_group_get_view (group, 0));
  guint views = sim_history_count_views (sim_group_get_history (group));
  guint a = sim_group_join (group, 1);
  guint b = sim_group_join (group, 2);

  sim_group_run (group, SECOND);
  g_assert_cmpuint (n_members (group, a), ==, 5);
  g_assert_true (gcp_view_equal (sim_group_get_view (group, a),
          sim_group_get_view (group, b)));
  g_assert_cmpuint (gcp_view_get_number (sim_group_get_view (group, 0)), >,
      number);
  g_assert_cmpuint (member_at (group, 0), ==, 0);
  g_assert_cmpuint (member_at (group, 3), >=, 3);
  g_assert_cmpuint (sim_history_count_views (sim_group_get_history (group)),
      <=, views + 2);
}

static void
test_crash_is_a_new_view_within_a_second (void)
{
  for (guint place = 0; place < 5; place++)
    for (guint64 seed = 0; seed < 10; seed++) {
      g_autoptr (SimGroup) group = make_group (&calm, 5, seed);
      guint crashed = member_at (group, place);

      sim_group_run (group, seed * 13000);
      sim_group_crash (group, crashed);
      sim_group_run (group, SECOND);
      for (guint i = 0; i < 5; i++)
        if (i != crashed)
          g_assert_cmpuint (n_members (group, i), ==, 4);
    }
}

static void
test_healthy_members_stay (gconstpointer user_data)
{
  const SimConditions *conditions = user_data;

  for (guint64 seed = 0; seed < 5; seed++) {
    g_autoptr (SimGroup) group = make_group (conditions, 5, seed);
    guint64 number = gcp_view_get_number (sim_group_get_view (group, 0));

    for (guint i = 0; i < 120; i++) {
      sim_group_multicast (group, i % 5, GCP_SAFE, 300);
      sim_group_run (group, SECOND / 2);
    }
    for (guint i = 0; i < 5; i++)
      g_assert_cmpuint (gcp_view_get_number (sim_group_get_view (group, i)),
          ==, number);
    assert_nothing_wrong (group);
  }
}

static void
test_pause_below_suspicion_throws_nobody_out (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 4, 1);
  SimNetwork *network = sim_group_get_network (group);
  guint64 number = gcp_view_get_number (sim_group_get_view (group, 0));

  for (guint i = 0; i < 4; i++) {
    sim_network_pause (network, i, sim_network_now (network) + 650000);
    for (guint j = 0; j < 20; j++) {
      sim_group_multicast (group, j % 4, GCP_SAFE, 300);
      sim_group_run (group, SECOND / 10);
    }
  }
  g_assert_cmpuint (gcp_view_get_number (sim_group_get_view (group, 3)), ==,
      number);
  assert_nothing_wrong (group);
}

static void
test_paused_member_comes_back (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 4, 1);
  SimNetwork *network = sim_group_get_network (group);

  sim_network_pause (network, 2, sim_network_now (network) + 3 * SECOND);
  sim_group_run (group, 2 * SECOND);
  g_assert_cmpuint (n_members (group, 0), ==, 3);
  sim_group_run (group, 4 * SECOND);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (n_members (group, i), ==, 4);
  g_assert_cmpuint (member_at (group, 3), ==, 2);
  g_assert_true (gcp_view_is_primary (sim_group_get_view (group, 2)));
  assert_nothing_wrong_but_cut (group);
}

static void
test_leaver_gets_its_messages_out (void)
{
  g_autoptr (SimGroup) group = make_group (&lossy, 4, 3);
  guint leaver = member_at (group, 0);
  GcpEndReason reason;
  guint before;

  sim_group_run (group, SECOND);
  before = sim_history_count_delivered (sim_group_get_history (group));
  for (guint i = 0; i < 50; i++)
    g_assert_true (sim_group_multicast (group, leaver, GCP_AGREED, 1000));
  sim_group_leave (group, leaver);
  sim_group_run (group, 5 * SECOND);
  g_assert_true (sim_group_has_ended (group, leaver, &reason));
  g_assert_cmpint (reason, ==, GCP_END_LEFT);
  g_assert_cmpuint (sim_history_count_delivered (sim_group_get_history
          (group)), ==, before + 4 * 50);
  assert_nothing_wrong (group);
}

static void
test_everybody_can_leave_at_once (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 5, 1);

  for (guint i = 0; i < 5; i++)
    sim_group_leave (group, i);
  sim_group_run (group, 2 * SECOND);
  for (guint i = 0; i < 5; i++) {
    GcpEndReason reason;

    g_assert_true (sim_group_has_ended (group, i, &reason));
    g_assert_cmpint (reason, ==, GCP_END_LEFT);
  }
}

/* A few trips through the network, not the time for suspicion. */
static void
test_leaver_ends_soon (void)
{
  for (guint n = 2; n <= 5; n++)
    for (guint place = 0; place < n; place++) {
      g_autoptr (SimGroup) group = make_group (&calm, n, 1);
      guint leaver = member_at (group, place);

      sim_group_leave (group, leaver);
      sim_group_run (group, SECOND / 10);
      g_assert_true (sim_group_has_ended (group, leaver, NULL));
    }
}

static void
test_who_leaves_alone_ends_at_once (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 1, 1);

  sim_group_leave (group, 0);
  g_assert_true (sim_group_has_ended (group, 0, NULL));
}

static void
test_who_is_put_out_ends (void)
{
  for (guint place = 0; place < 3; place++) {
    g_autoptr (SimGroup) group = make_group (&calm, 3, 1);
    guint out = member_at (group, place);
    GcpEndReason reason;

    sim_group_put_out (group, member_at (group, (place + 1) % 3), out);
    sim_group_run (group, 2 * SECOND);
    g_assert_true (sim_group_has_ended (group, out, &reason));
    g_assert_cmpint (reason, ==, GCP_END_PUT_OUT);
    for (guint i = 0; i < 3; i++)
      if (i != out) {
        g_assert_cmpuint (n_members (group, i), ==, 2);
        g_assert_true (gcp_view_is_primary (sim_group_get_view (group, i)));
      }
    assert_nothing_wrong (group);
  }
}

static void
test_joiner_that_nobody_takes_in_ends (void)
{
  GcpConfig config;
  g_autoptr (GBytes) card = g_bytes_new_static ("me", 2);
  g_autoptr (GcpEngine) engine = NULL;
  g_auto (GcpOutput) output = { 0 };

  gcp_config_init (&config);
  engine = gcp_engine_new_joiner (&config, 7, card, 0);
  g_assert_false (gcp_engine_poll (engine, &output));
  g_assert_cmpint (gcp_engine_deadline (engine), ==, config.joining_timeout);
  gcp_engine_tick (engine, config.joining_timeout);
  g_assert_true (gcp_engine_poll (engine, &output));
  g_assert_cmpint (output.type, ==, GCP_OUTPUT_END);
  g_assert_cmpint (output.reason, ==, GCP_END_NOT_ADMITTED);
  g_assert_cmpint (gcp_engine_deadline (engine), ==, G_MAXINT64);
}

static void
test_candidate_that_is_not_there_holds_nobody_up (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 3, 1);
  SimHistory *history = sim_group_get_history (group);
  guint dead = sim_group_join (group, 0);
  guint before;

  sim_group_crash (group, dead);
  sim_group_run (group, SECOND / 10);
  before = sim_history_count_delivered (history);
  for (guint i = 0; i < 100; i++) {
    sim_group_multicast (group, i % 3, GCP_SAFE, 10);
    sim_group_run (group, SECOND / 10);
    g_assert_cmpuint (sim_history_count_delivered (history), ==,
        before + 3 * (i + 1));
  }
  g_assert_cmpuint (n_members (group, 0), ==, 3);
}

static void
test_message_of_the_greatest_size_comes_whole (void)
{
  g_autoptr (SimGroup) group = make_group (&lossy, 3, 1);
  SimHistory *history = sim_group_get_history (group);
  guint before;

  sim_group_run (group, SECOND);
  before = sim_history_count_delivered (history);
  g_assert_true (sim_group_multicast (group, 2, GCP_SAFE, 1024 * 1024 - 17));
  g_assert_false (sim_group_multicast (group, 2, GCP_SAFE, 1024 * 1024 - 16));
  sim_group_run (group, 20 * SECOND);
  g_assert_cmpuint (sim_history_count_delivered (history), ==, before + 3);
  assert_nothing_wrong (group);
}

static void
test_multicast_says_why_not (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 2, 1);
  g_autofree guint8 *zeros = g_malloc0 (1024 * 1024 + 1);
  g_autoptr (GBytes) large = g_bytes_new (zeros, 1024 * 1024 + 1);
  g_autoptr (GBytes) fits = g_bytes_new (zeros, 200 * 1024);
  GcpEngine *engine = sim_group_get_engine (group, 1);
  gint64 now = sim_network_now (sim_group_get_network (group));
  g_autoptr (GError) error = NULL;

  g_assert_false (gcp_engine_multicast (engine, large, GCP_AGREED, now,
          &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  g_clear_error (&error);
  for (guint i = 0; i < 5; i++)
    g_assert_true (gcp_engine_multicast (engine, fits, GCP_AGREED, now, NULL));
  g_assert_cmpuint (gcp_engine_get_queued (engine), ==, 1000 * 1024);
  g_assert_false (gcp_engine_is_open (engine));
  g_assert_false (gcp_engine_multicast (engine, fits, GCP_AGREED, now,
          &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (&error);
  gcp_engine_leave (engine, now);
  g_assert_false (gcp_engine_multicast (engine, fits, GCP_AGREED, now,
          &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
test_flood_from_all_is_delivered_to_all (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 4, 1);
  SimHistory *history = sim_group_get_history (group);
  guint before = sim_history_count_delivered (history);
  guint n = 0;

  for (guint i = 0; i < 20000; i++) {
    n += sim_group_multicast (group, i % 4, GCP_AGREED, 400) != 0;
    if (i % 40 == 0)
      sim_group_run (group, 2000);
  }
  sim_group_run (group, 10 * SECOND);
  g_assert_cmpuint (sim_history_count_delivered (history) - before, ==, 4 * n);
  g_assert_cmpuint (n, >, 5000);
  assert_nothing_wrong (group);
}

static void
test_only_the_majority_stays_primary (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 5, 1);
  SimNetwork *network = sim_group_get_network (group);
  guint minority[] = { member_at (group, 0), member_at (group, 3) };

  sim_network_set_side (network, minority[0], 1);
  sim_network_set_side (network, minority[1], 1);
  sim_group_run (group, 3 * SECOND);
  for (guint i = 0; i < 5; i++) {
    gboolean small = i == minority[0] || i == minority[1];

    g_assert_cmpuint (n_members (group, i), ==, small ? 2 : 3);
    g_assert_true (gcp_view_is_primary (sim_group_get_view (group, i))
        != small);
  }
}

static void
test_half_with_the_first_member_stays_primary (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 4, 1);
  SimNetwork *network = sim_group_get_network (group);
  guint first = member_at (group, 0), second = member_at (group, 1);

  sim_network_set_side (network, first, 1);
  sim_network_set_side (network, second, 1);
  sim_group_run (group, 3 * SECOND);
  for (guint i = 0; i < 4; i++) {
    g_assert_cmpuint (n_members (group, i), ==, 2);
    g_assert_true (gcp_view_is_primary (sim_group_get_view (group, i))
        == (i == first || i == second));
  }
}

static void
put_on_side (SimGroup *group, guint from_place, guint side, guint *members)
{
  for (guint place = from_place; place < 6; place++)
    sim_network_set_side (sim_group_get_network (group), members[place], side);
}

static void
test_parts_meet_again_the_leading_ones_members_first (void)
{
  for (guint64 seed = 0; seed < 10; seed++) {
    g_autoptr (SimGroup) group = make_group (&lossy, 6, seed);
    guint members[6];

    for (guint place = 0; place < 6; place++)
      members[place] = member_at (group, place);
    /* The first two, the next three, and the last one. */
    put_on_side (group, 2, 1, members);
    put_on_side (group, 5, 2, members);
    for (guint i = 0; i < 40; i++) {
      sim_group_multicast (group, i % 6, GCP_SAFE, 100);
      sim_group_run (group, SECOND / 10);
    }
    g_assert_cmpuint (n_members (group, members[0]), ==, 2);
    g_assert_cmpuint (n_members (group, members[2]), ==, 3);
    g_assert_cmpuint (n_members (group, members[5]), ==, 1);
    for (guint i = 0; i < 6; i++)
      g_assert_false (gcp_view_is_primary (sim_group_get_view (group, i)));
    put_on_side (group, 0, 0, members);
    sim_group_run (group, 20 * SECOND);
    for (guint i = 0; i < 6; i++)
      g_assert_cmpuint (n_members (group, i), ==, 6);
    g_assert_true (gcp_view_is_primary (sim_group_get_view (group, 0)));
    /* Which two of the parts met first is chance; each keeps its order. */
    for (guint i = 1; i < 5; i++)
      g_assert_cmpint (i == 2 ? -1 : gcp_view_find (sim_group_get_view (group,
                  0), sim_group_get_id (group, members[i - 1])), <,
          gcp_view_find (sim_group_get_view (group, 0),
              sim_group_get_id (group, members[i])));
    assert_nothing_wrong_but_cut (group);
  }
}

static void
test_larger_part_leads (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 5, 1);
  SimNetwork *network = sim_group_get_network (group);
  guint members[5];

  for (guint place = 0; place < 5; place++)
    members[place] = member_at (group, place);
  sim_network_set_side (network, members[0], 1);
  sim_network_set_side (network, members[1], 1);
  sim_group_run (group, 3 * SECOND);
  sim_network_set_side (network, members[0], 0);
  sim_network_set_side (network, members[1], 0);
  sim_group_run (group, 5 * SECOND);
  g_assert_cmpuint (member_at (group, 0), ==, members[2]);
  g_assert_cmpuint (member_at (group, 2), ==, members[4]);
  g_assert_cmpuint (member_at (group, 3), ==, members[0]);
  g_assert_cmpuint (member_at (group, 4), ==, members[1]);
  assert_nothing_wrong_but_cut (group);
}

/* The part that put it out, while it was cut off, has nobody left whom it knows but one
 * who was apart then, too, and has heard nothing of it. */
static void
test_who_is_put_out_by_one_it_never_met_ends (void)
{
  g_autoptr (SimGroup) group = make_group (&calm, 3, 1);
  SimNetwork *network = sim_group_get_network (group);
  guint first = member_at (group, 0), apart = member_at (group, 1);
  guint out = member_at (group, 2), newcomer;
  GcpEndReason reason;

  sim_network_set_side (network, out, 1);
  sim_group_run (group, 3 * SECOND);
  newcomer = sim_group_join (group, first);
  sim_group_run (group, 3 * SECOND);
  sim_network_set_side (network, apart, 2);
  sim_group_run (group, 3 * SECOND);
  sim_group_put_out (group, first, out);
  sim_group_run (group, SECOND);
  sim_group_leave (group, first);
  sim_group_run (group, SECOND);
  g_assert_cmpuint (n_members (group, newcomer), ==, 1);
  sim_network_set_side (network, apart, 0);
  sim_group_run (group, 5 * SECOND);
  g_assert_cmpuint (n_members (group, newcomer), ==, 2);

  sim_network_set_side (network, out, 0);
  sim_group_run (group, 10 * SECOND);
  g_assert_true (sim_group_has_ended (group, out, &reason));
  g_assert_cmpint (reason, ==, GCP_END_PUT_OUT);
  assert_nothing_wrong_but_cut (group);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gcp/engine/" #name, test_ ## name)
  ADD (founder_is_alone_in_view_one);
  ADD (newcomers_come_last_and_together);
  ADD (crash_is_a_new_view_within_a_second);
  g_test_add_data_func ("/gcp/engine/healthy_members_stay_at_20_percent_loss",
      &lossy, test_healthy_members_stay);
  g_test_add_data_func ("/gcp/engine/healthy_members_stay_at_200_ms_and_loss",
      &far, test_healthy_members_stay);
  ADD (pause_below_suspicion_throws_nobody_out);
  ADD (paused_member_comes_back);
  ADD (leaver_gets_its_messages_out);
  ADD (everybody_can_leave_at_once);
  ADD (leaver_ends_soon);
  ADD (who_leaves_alone_ends_at_once);
  ADD (who_is_put_out_ends);
  ADD (joiner_that_nobody_takes_in_ends);
  ADD (candidate_that_is_not_there_holds_nobody_up);
  ADD (message_of_the_greatest_size_comes_whole);
  ADD (multicast_says_why_not);
  ADD (flood_from_all_is_delivered_to_all);
  ADD (only_the_majority_stays_primary);
  ADD (half_with_the_first_member_stays_primary);
  ADD (parts_meet_again_the_leading_ones_members_first);
  ADD (larger_part_leads);
  ADD (who_is_put_out_by_one_it_never_met_ends);
#undef ADD
  return g_test_run ();
}
