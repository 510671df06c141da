/* Whom a group takes for crashed, and whom not. */
#include "../../gcp/gcp-detector.h"
#include "sim-group.h"

#define SECOND G_USEC_PER_SEC
#define MILLISECOND (SECOND / 1000)
#define N_MEMBERS 4

/* A round trip of 200 ms, each way 25 ms more or less. */
#define FAR(share) { .loss = share,.delay_min = 75000,.delay_max = 125000 }
#define NEAR(share) { .loss = share,.delay_min = 100,.delay_max = 300 }

static const struct {
  const char *name;
  SimConditions conditions;
  gint64 most;                  /* ms from a crash to the new view */
} paths[] = {
  { "near", NEAR (0), 1000 },
  { "near_1_percent_lost", NEAR (0.01), 1000 },
  { "near_5_percent_lost", NEAR (0.05), 1000 },
  { "near_10_percent_lost", NEAR (0.1), 1000 },
  { "far", FAR (0), 1700 },
  { "far_1_percent_lost", FAR (0.01), 2000 },
  { "far_5_percent_lost", FAR (0.05), 2200 },
  { "far_10_percent_lost", FAR (0.1), 2500 },
  /* So much that fixed times do not bear it. */
  { "far_30_percent_lost", FAR (0.3), 5000 },
};

static SimGroup *
make_group (const SimConditions *conditions, guint64 seed)
{
  GcpConfig config;
  SimGroup *group;

  gcp_config_init (&config);
  group = sim_group_new (seed, conditions, &config);
  sim_group_found (group);
  for (guint i = 1; i < N_MEMBERS; i++)
    sim_group_join (group, 0);
  sim_group_run (group, 10 * SECOND);
  return group;
}

static gboolean
all_see (SimGroup *group, guint but, guint n_members)
{
  for (guint i = 0; i < N_MEMBERS; i++)
    if (i != but && gcp_view_get_n_members (sim_group_get_view (group, i))
        != n_members)
      return FALSE;
  return TRUE;
}

/* Each member stops once for 500 ms. */
static void
run_minute (SimGroup *group, guint messages_a_second)
{
  SimNetwork *network = sim_group_get_network (group);
  SimRandom *random = sim_network_random (network);

  for (guint i = 0; i < 60; i++) {
    if (i % 15 == 0)
      sim_network_pause (network, i / 15,
          sim_network_now (network) + SECOND / 2);
    for (guint j = 0; j < messages_a_second; j++) {
      sim_group_multicast (group, sim_random_range (random, 0, N_MEMBERS - 1),
          j % 2 ? GCP_SAFE : GCP_AGREED, 300);
      sim_group_run (group, SECOND / messages_a_second);
    }
    if (messages_a_second == 0)
      sim_group_run (group, SECOND + sim_random_range (random, 0, 99999));
  }
}

static void
test_healthy_members_stay_for_an_hour (gconstpointer user_data)
{
  guint path = GPOINTER_TO_UINT (user_data);
  g_autoptr (SimGroup) group = make_group (&paths[path].conditions, 1);
  SimHistory *history = sim_group_get_history (group);
  guint views = sim_history_count_views (history);

  g_assert_true (all_see (group, N_MEMBERS, N_MEMBERS));
  for (guint i = 0; i < 60; i++) {
    run_minute (group, i % 10 == 5 ? 50 : 0);
    g_assert_cmpuint (sim_history_count_views (history), ==, views);
  }
}

static void
test_crash_is_seen_in_time (gconstpointer user_data)
{
  guint path = GPOINTER_TO_UINT (user_data);
  gint64 sum = 0, longest = 0;
  guint n = 20;

  for (guint64 seed = 0; seed < n; seed++) {
    g_autoptr (SimGroup) group = make_group (&paths[path].conditions, seed);
    guint crashed = seed % N_MEMBERS;
    gint64 time = 0;

    sim_group_run (group, seed * 13000);
    sim_group_crash (group, crashed);
    for (; !all_see (group, crashed, N_MEMBERS - 1); time++) {
      g_assert_cmpint (time, <, paths[path].most);
      sim_group_run (group, MILLISECOND);
    }
    sum += time;
    longest = MAX (longest, time);
  }
  g_test_message ("from crash to view: %" G_GINT64_FORMAT " ms, at most %"
      G_GINT64_FORMAT " ms", sum / n, longest);
}

/* ---- the detector by itself ---- */

static void
hear (GcpDetector *detector, guint n, guint lost_of_100)
{
  guint32 first = detector->newest + 1;

  for (guint i = 0; i < n; i++)
    if (i * 37 % 100 >= lost_of_100)
      gcp_detector_heard (detector, first + i, 500);
}

static void
test_good_path_is_left_at_the_configured_times (void)
{
  GcpDetector detector;

  gcp_detector_init (&detector, 100000, 800000);
  hear (&detector, 2000, 0);
  g_assert_cmpint (gcp_detector_get_interval (&detector), >=, 90000);
  g_assert_cmpint (gcp_detector_get_interval (&detector), <=, 100000);
  g_assert_cmpint (gcp_detector_get_silence (&detector), ==, 800000);
}

static void
test_loss_is_answered_by_more_signs_of_life (void)
{
  GcpDetector detector;
  gint64 interval = G_MAXINT64;

  gcp_detector_init (&detector, 100000, 800000);
  for (guint share = 0; share <= 30; share += 10) {
    hear (&detector, 2000, share);
    g_assert_cmpfloat_with_epsilon (gcp_detector_get_loss (&detector),
        share / 100.0, 0.03);
    g_assert_cmpint (gcp_detector_get_interval (&detector), <, interval);
    interval = gcp_detector_get_interval (&detector);
    /* As many as are lost in a row once in a million, after 500 ms. */
    g_assert_cmpint (gcp_detector_get_silence (&detector), >=, 800000);
    g_assert_cmpint (gcp_detector_get_silence (&detector), <=, 1000000);
  }
}

static void
test_late_and_doubled_datagrams_are_not_lost (void)
{
  GcpDetector detector;

  gcp_detector_init (&detector, 100000, 800000);
  for (guint32 i = -500; i != 500; i += 2) {
    gcp_detector_heard (&detector, i + 1, 500);
    gcp_detector_heard (&detector, i, 500);
    gcp_detector_heard (&detector, i, 500);
  }
  g_assert_cmpfloat (gcp_detector_get_loss (&detector), <, 0.005);
  hear (&detector, 200, 50);
  for (guint i = 0; i < 10; i++)
    gcp_detector_heard (&detector, detector.newest, 500);
  g_assert_cmpfloat (gcp_detector_get_loss (&detector), >, 0.2);
}

static void
test_no_number_makes_a_silence_too_long (void)
{
  GcpDetector detector;

  gcp_detector_init (&detector, 100000, 800000);
  for (guint32 i = 0; i < 1000; i++) {
    gcp_detector_heard (&detector, i * 0x12345677, (gint64) i << 40);
    g_assert_cmpint (gcp_detector_get_silence (&detector), >=, 800000);
    g_assert_cmpint (gcp_detector_get_silence (&detector), <=, 1600000);
    g_assert_cmpint (gcp_detector_get_interval (&detector), >=, 25000);
  }
}

static void
add_path (const char *test, guint path, GTestDataFunc func)
{
  g_autofree char *name = g_strdup_printf ("/gcp/suspicion/%s/%s", test,
      paths[path].name);

  g_test_add_data_func (name, GUINT_TO_POINTER (path), func);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    add_path ("crash_is_seen_in_time", i, test_crash_is_seen_in_time);
    add_path ("healthy_members_stay_for_an_hour", i,
        test_healthy_members_stay_for_an_hour);
  }
#define ADD(name) g_test_add_func ("/gcp/suspicion/" #name, test_ ## name)
  ADD (good_path_is_left_at_the_configured_times);
  ADD (loss_is_answered_by_more_signs_of_life);
  ADD (late_and_doubled_datagrams_are_not_lost);
  ADD (no_number_makes_a_silence_too_long);
#undef ADD
  return g_test_run ();
}
