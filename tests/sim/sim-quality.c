/* How well groups do, in virtual time: how soon a message has its place in the
 * order, how soon a crash is seen, and that nobody healthy is thrown out. */
#include "sim-group.h"

#define MS 1000
#define SECOND ((gint64) G_USEC_PER_SEC)

/* Simulated µs of a group's life; less with sanitizers: sim-quality SECONDS. */
static gint64 long_time = 3600 * SECOND;

typedef struct {
  const char *name;
  SimConditions conditions;
} Network;

static const Network lan = {
  "LAN", {.delay_min = 100,.delay_max = 300}
};

static const Network far = {
  "200 ms", {.delay_min = 100 * MS,.delay_max = 100 * MS}
};

static const Network rough = {
  "200 ms, jitter 50 ms, loss 5 %",
  {.loss = 0.05,.delay_min = 75 * MS,.delay_max = 125 * MS}
};

static SimGroup *
make_group (guint64 seed, const SimConditions *conditions, guint n)
{
  GcpConfig config;
  SimGroup *group;

  gcp_config_init (&config);
  group = sim_group_new (seed, conditions, &config);
  sim_group_found (group);
  for (guint i = 1; i < n; i++)
    sim_group_join (group, 0);
  for (guint i = 0; i < 300; i++) {
    GcpView *view;

    sim_group_run (group, 100 * MS);
    view = sim_group_get_view (group, n - 1);
    if (view && gcp_view_get_n_members (view) == n)
      return group;
  }
  g_error ("%u members do not come together", n);
}

static gint64
get_now (SimGroup *group)
{
  return sim_network_now (sim_group_get_network (group));
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 ta = *(const gint64 *) a, tb = *(const gint64 *) b;

  return ta < tb ? -1 : ta > tb;
}

static gint64
percentile (GArray *times, guint percent)
{
  g_assert_cmpuint (times->len, >, 0);
  g_array_sort (times, compare_times);
  return g_array_index (times, gint64, (times->len - 1) * percent / 100);
}

static void
assert_history (SimGroup *group)
{
  g_autofree char *wrong =
      sim_history_check (sim_group_get_history (group), TRUE);

  g_assert_cmpstr (wrong, ==, NULL);
}

/* ---- order ---- */

#define ROUND_TRIP (20 * MS)
#define N_MESSAGES 200

typedef struct {
  guint64 message;
  guint sender;
  gint64 sent;
  guint n_left;                 /* who has to get it still */
  GArray *at_sender, *at_all;   /* of gint64: µs */
} Watch;

static void
note_delivery (SimGroup *group, guint process, guint64 message,
    gpointer user_data)
{
  Watch *watch = user_data;
  gint64 took = get_now (group) - watch->sent;

  if (message != watch->message)
    return;
  if (process == watch->sender)
    g_array_append_val (watch->at_sender, took);
  if (--watch->n_left == 0)
    g_array_append_val (watch->at_all, took);
}

/* Single messages of members drawn at random, each after the one before has come
 * everywhere: what the order itself costs. */
static void
measure_order (guint n, GcpQuality quality, Watch *watch)
{
  SimConditions equal = {
    .delay_min = ROUND_TRIP / 2,.delay_max = ROUND_TRIP / 2
  };
  g_autoptr (SimGroup) group = make_group (n, &equal, n);
  SimRandom random;

  sim_random_init (&random, n);
  sim_group_run (group, SECOND);
  for (guint i = 0; i < N_MESSAGES; i++) {
    watch->sender = sim_random_range (&random, 0, n - 1);
    watch->n_left = n;
    watch->sent = get_now (group);
    /* It may be delivered before its number is known here. */
    watch->message = sim_group_get_last_message (group) + 1;
    sim_group_set_delivered_func (group, note_delivery, watch);
    g_assert_cmpuint (sim_group_multicast (group, watch->sender, quality,
            200), ==, watch->message);
    sim_group_run (group, 3 * ROUND_TRIP
        + sim_random_range (&random, 0, ROUND_TRIP));
    g_assert_cmpuint (watch->n_left, ==, 0);
  }
}

static double
in_round_trips (gint64 time)
{
  return (double) time / ROUND_TRIP;
}

static void
test_order (GcpQuality quality, double most)
{
  static const guint sizes[] = { 3, 8, 16, 32, 64 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GArray) at_sender = g_array_new (FALSE, FALSE, sizeof (gint64));
    g_autoptr (GArray) at_all = g_array_new (FALSE, FALSE, sizeof (gint64));
    Watch watch = {.at_sender = at_sender,.at_all = at_all };
    double sender_p50, all_p50;

    measure_order (sizes[i], quality, &watch);
    sender_p50 = in_round_trips (percentile (at_sender, 50));
    all_p50 = in_round_trips (percentile (at_all, 50));
    g_test_message ("%s, %u members: at the sender p50 %.2f p99 %.2f, at all"
        " p50 %.2f p99 %.2f round trips",
        quality == GCP_SAFE ? "safe" : "agreed", sizes[i], sender_p50,
        in_round_trips (percentile (at_sender, 99)), all_p50,
        in_round_trips (percentile (at_all, 99)));
    g_assert_cmpfloat (sender_p50, <=, most);
    g_assert_cmpfloat (all_p50, <=, most);
  }
}

static void
test_order_costs_one_round_trip_in_any_group (void)
{
  test_order (GCP_AGREED, 1.2);
}

static void
test_safe_order_costs_two_round_trips_in_any_group (void)
{
  test_order (GCP_SAFE, 2.2);
}

/* ---- suspicion ---- */

static void
assert_nobody_thrown_out (SimGroup *group, GcpView *view, guint n)
{
  assert_history (group);
  for (guint i = 0; i < n; i++)
    g_assert_true (sim_group_get_view (group, i) == view
        || gcp_view_equal (sim_group_get_view (group, i), view));
}

/* One message a second; some members may be stopped for @pause again and again. */
static void
live (guint64 seed, const Network *network, guint n, gint64 time,
    gint64 pause)
{
  g_autoptr (SimGroup) group = make_group (seed, &network->conditions, n);
  g_autoptr (GcpView) view = gcp_view_ref (sim_group_get_view (group, 0));
  gint64 end = get_now (group) + time;
  SimRandom random;

  sim_random_init (&random, seed);
  while (get_now (group) < end) {
    sim_group_multicast (group, sim_random_range (&random, 0, n - 1),
        GCP_AGREED, 200);
    if (pause > 0)
      sim_network_pause (sim_group_get_network (group), seed % n,
          get_now (group) + pause);
    sim_group_run (group, sim_random_range (&random, SECOND / 2,
            3 * SECOND / 2));
  }
  assert_nobody_thrown_out (group, view, n);
  g_test_message ("%s, %u members, seed %" G_GUINT64_FORMAT ", %"
      G_GINT64_FORMAT " s%s: nobody thrown out", network->name, n, seed,
      time / SECOND, pause > 0 ? ", one stopped for 500 ms each second" : "");
}

static void
test_nobody_healthy_is_thrown_out_over_a_rough_path (void)
{
  for (guint64 seed = 1; seed <= 4; seed++) {
    live (seed, &rough, 3, long_time, 0);
    live (seed, &rough, 5, long_time, 0);
  }
}

static void
test_nobody_is_thrown_out_who_stops_for_a_moment (void)
{
  for (guint64 seed = 1; seed <= 5; seed++) {
    live (seed, &lan, 3, long_time / 6, 500 * MS);
    live (seed, &lan, 5, long_time / 6, 500 * MS);
    live (seed, &far, 3, long_time / 6, 500 * MS);
    live (seed, &far, 5, long_time / 6, 500 * MS);
    live (seed, &rough, 3, long_time / 6, 500 * MS);
    live (seed, &rough, 5, long_time / 6, 500 * MS);
  }
}

/* ---- crashes ---- */

/* µs from a crash of @victim to the last survivor's view without it. */
static gint64
measure_crash (guint64 seed, const Network *network, guint n, guint victim)
{
  g_autoptr (SimGroup) group = make_group (seed, &network->conditions, n);
  gint64 began;

  sim_group_run (group, 2 * SECOND + seed * 7777);
  began = get_now (group);
  sim_group_crash (group, victim);
  for (;;) {
    guint n_there = 0;

    for (guint i = 0; i < n; i++)
      if (i != victim && gcp_view_get_n_members (sim_group_get_view (group, i))
          == n - 1)
        n_there++;
    if (n_there == n - 1)
      break;
    sim_group_run (group, MS);
    g_assert_cmpint (get_now (group), <, began + 60 * SECOND);
  }
  assert_history (group);
  return get_now (group) - began;
}

static gint64
measure_crashes (const Network *network)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));
  static const guint sizes[] = { 3, 5, 9 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint64 seed = 1; seed <= 20; seed++) {
      /* the first, who gives the order, as often as another */
      guint victim = seed % 2 == 0 ? 0 : seed % sizes[i];
      gint64 took = measure_crash (seed, network, sizes[i], victim);

      g_array_append_val (times, took);
    }
  g_test_message ("%s: crash to new view at all survivors p50 %.0f ms, worst"
      " %.0f ms of %u", network->name, percentile (times, 50) / 1e3,
      percentile (times, 100) / 1e3, times->len);
  return percentile (times, 100);
}

static void
test_crash_is_over_within_a_second (void)
{
  g_assert_cmpint (measure_crashes (&lan), <, SECOND);
}

static void
test_crash_far_away_is_over_within_seconds (void)
{
  g_assert_cmpint (measure_crashes (&far), <, 3 * SECOND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (argc > 1)
    long_time = g_ascii_strtoll (argv[1], NULL, 10) * SECOND;
#define ADD(name) g_test_add_func ("/sim/quality/" #name, test_ ## name)
  ADD (order_costs_one_round_trip_in_any_group);
  ADD (safe_order_costs_two_round_trips_in_any_group);
  ADD (nobody_healthy_is_thrown_out_over_a_rough_path);
  ADD (nobody_is_thrown_out_who_stops_for_a_moment);
  ADD (crash_is_over_within_a_second);
  ADD (crash_far_away_is_over_within_seconds);
#undef ADD
  return g_test_run ();
}
