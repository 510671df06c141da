/* Queues that stay short, whoever is slow, and messages that come soon. */
#include "../../gcp/gcp-engine-private.h"
#include "sim-group.h"

#define SECOND G_USEC_PER_SEC
#define MILLISECOND (SECOND / 1000)

static void
assert_bounded (SimGroup *group, gsize message)
{
  for (guint i = 0; i < sim_group_count (group); i++) {
    GcpEngine *engine = sim_group_get_engine (group, i);

    g_assert_cmpuint (gcp_engine_get_queued (engine), <=, 1024 * 1024);
    g_assert_cmpuint (engine->submitted_cost, <, GCP_SUBMIT_WINDOW + message);
    /* Members learn later than the sequencer what all hold. */
    g_assert_cmpuint (engine->log.cost, <, engine->self_index == 0
        ? GCP_UNSTABLE_WINDOW + message : GCP_UNSTABLE_LIMIT);
    for (guint j = 0; j < engine->peers->len; j++) {
      GcpPeer *peer = engine->peers->pdata[j];

      g_assert_cmpuint (peer->pending_cost, <, GCP_SUBMIT_WINDOW + message);
      /* What is submitted or ordered, and the small messages beside it. */
      g_assert_cmpuint (gcp_link_get_queued (peer->link), <,
          GCP_SUBMIT_WINDOW + message + 16 * 1024);
    }
  }
}

/* Everybody sends as much as is taken. */
static gboolean
flood (SimGroup *group, gint64 time, gsize size, guint *n_sent)
{
  gint64 end = sim_network_now (sim_group_get_network (group)) + time;
  gboolean blocked = FALSE;

  while (sim_network_now (sim_group_get_network (group)) < end) {
    for (guint i = 0; i < sim_group_count (group); i++)
      for (guint j = 0; j < 100; j++) {
        if (!sim_group_multicast (group, i, GCP_AGREED, size)) {
          blocked = TRUE;
          break;
        }
        ++*n_sent;
      }
    assert_bounded (group, size + 100);
    sim_group_run (group, MILLISECOND);
  }
  return blocked;
}

static void
test_paused_member_makes_no_queue_grow (void)
{
  static const SimConditions calm = {.delay_min = 200,.delay_max = 500 };

  for (guint paused = 0; paused < 3; paused++) {
    g_autoptr (SimGroup) group = sim_group_gather (&calm, 3);
    SimNetwork *network = sim_group_get_network (group);
    SimHistory *history = sim_group_get_history (group);
    guint before = sim_history_count_delivered (history);
    guint views = sim_history_count_views (history);
    guint n = 0, n_before;

    flood (group, 100 * MILLISECOND, 1000, &n);
    for (guint i = 0; i < 3; i++) {
      sim_network_pause (network, paused,
          sim_network_now (network) + 500 * MILLISECOND);
      g_assert_true (flood (group, 500 * MILLISECOND, 1000, &n));
      n_before = n;
      flood (group, 100 * MILLISECOND, 1000, &n);
      g_assert_cmpuint (n, >, n_before + 100);
    }
    sim_group_run (group, 5 * SECOND);
    g_assert_cmpuint (sim_history_count_delivered (history) - before, ==, 3 * n);
    g_assert_cmpuint (sim_history_count_views (history), ==, views);
  }
}

/* One member sends all it can, at the pace of a path of 8 Mbit/s. */
static void
test_who_sends_little_does_not_wait_for_who_sends_much (void)
{
  static const SimConditions narrow = {
    .delay_min = 1000,.delay_max = 1000,.rate = 1000000,.queue = 200000
  };
  g_autoptr (SimGroup) group = sim_group_gather (&narrow, 3);
  SimNetwork *network = sim_group_get_network (group);
  gint64 longest = 0;

  for (guint i = 0; i < 100; i++) {
    gint64 began;

    while (sim_group_multicast (group, 2, GCP_AGREED, 1000));
    sim_group_run (group, 20 * MILLISECOND);
    began = sim_network_now (network);
    g_assert_true (sim_group_multicast (group, 1, GCP_AGREED, 100));
    while (gcp_engine_get_queued (sim_group_get_engine (group, 1)) > 0)
      sim_group_run (group, MILLISECOND);
    longest = MAX (longest, sim_network_now (network) - began);
  }
  g_test_message ("own message ordered after %" G_GINT64_FORMAT " ms at most",
      longest / MILLISECOND);
  g_assert_cmpint (longest, <, 250 * MILLISECOND);
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static void
test_ordered_round_trip_bears_losses (gconstpointer user_data)
{
  double loss = GPOINTER_TO_UINT (user_data) / 100.0;
  const SimConditions lan = {.loss = loss,.delay_min = 100,.delay_max = 200 };
  g_autoptr (SimGroup) group = sim_group_gather (&lan, 3);
  SimNetwork *network = sim_group_get_network (group);
  gint64 times[1000];

  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    gint64 began = sim_network_now (network);

    g_assert_true (sim_group_multicast (group, 2, GCP_AGREED, 200));
    while (gcp_engine_get_queued (sim_group_get_engine (group, 2)) > 0)
      sim_group_run (group, MILLISECOND / 20);
    times[i] = sim_network_now (network) - began;
  }
  qsort (times, G_N_ELEMENTS (times), sizeof (gint64), compare_times);
  g_test_message ("ordered round trip: p50 %.2f ms, p99 %.2f ms, at most %.2f ms",
      times[500] / 1000.0, times[990] / 1000.0, times[999] / 1000.0);
  g_assert_cmpint (times[500], <, MILLISECOND);
  g_assert_cmpint (times[990], <, 60 * MILLISECOND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gcp/flow/paused_member_makes_no_queue_grow",
      test_paused_member_makes_no_queue_grow);
  g_test_add_func ("/gcp/flow/who_sends_little_does_not_wait_for_who_sends_much",
      test_who_sends_little_does_not_wait_for_who_sends_much);
  g_test_add_data_func ("/gcp/flow/ordered_round_trip_bears_1_percent_loss",
      GUINT_TO_POINTER (1), test_ordered_round_trip_bears_losses);
  g_test_add_data_func ("/gcp/flow/ordered_round_trip_bears_5_percent_loss",
      GUINT_TO_POINTER (5), test_ordered_round_trip_bears_losses);
  g_test_add_data_func ("/gcp/flow/ordered_round_trip_bears_20_percent_loss",
      GUINT_TO_POINTER (20), test_ordered_round_trip_bears_losses);
  return g_test_run ();
}
