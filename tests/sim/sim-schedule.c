/* What happens in one run, drawn from one seed. */
#include "sim-cuts.h"

#define SECOND G_USEC_PER_SEC
#define PATIENCE 400            /* half seconds in which nothing is delivered */

typedef struct {
  SimGroup *group;
  SimRandom random;             /* not the network's: a trace changes nothing */
  SimScheduleKind kind;
  gint64 end;                   /* of faults and sending */
  gint64 pause;                 /* mean time between messages of one process */
  SimCuts *cuts;
  guint n_started;
} Schedule;

static guint
draw (Schedule *schedule, gint64 low, gint64 high)
{
  return sim_random_range (&schedule->random, low, high);
}

static gboolean
chance (Schedule *schedule, double probability)
{
  return sim_random_chance (&schedule->random, probability);
}

static guint
count_members (SimGroup *group)
{
  guint n = 0;

  for (guint i = 0; i < sim_group_count (group); i++)
    n += sim_group_is_member (group, i);
  return n;
}

static gint
draw_member (Schedule *schedule)
{
  guint n = count_members (schedule->group);
  guint nth;

  if (n == 0)
    return -1;
  nth = draw (schedule, 0, n - 1);
  for (guint i = 0; i < sim_group_count (schedule->group); i++)
    if (sim_group_is_member (schedule->group, i) && nth-- == 0)
      return i;
  return -1;
}

static gsize
draw_size (Schedule *schedule)
{
  if (chance (schedule, 0.003))
    return draw (schedule, 50000, 200000);
  if (chance (schedule, 0.1))
    return draw (schedule, 1000, 5000);
  return draw (schedule, 0, 200);
}

static void
send_some (SimNetwork *network, gpointer user_data)
{
  Schedule *schedule = user_data;
  gint member = draw_member (schedule);
  guint n = chance (schedule, 0.1) ? draw (schedule, 2, 12) : 1;
  guint share = MAX (1, count_members (schedule->group));

  for (guint i = 0; i < n && member >= 0; i++)
    sim_group_multicast (schedule->group, member,
        chance (schedule, 0.3) ? GCP_SAFE : GCP_AGREED, draw_size (schedule));
  if (sim_network_now (network) < schedule->end)
    sim_network_at (network, sim_network_now (network)
        + draw (schedule, 1, 2 * schedule->pause / share), send_some,
        schedule);
}

/* At once, or at the worst moment. */
static void
crash (Schedule *schedule, guint member)
{
  if (chance (schedule, 0.5))
    sim_group_crash (schedule->group, member);
  else
    sim_group_crash_at (schedule->group, member,
        chance (schedule, 0.7) ? GCP_OUTPUT_VIEW : GCP_OUTPUT_DELIVER);
}

static void
change_something (SimNetwork *network, gpointer user_data)
{
  Schedule *schedule = user_data;
  SimGroup *group = schedule->group;
  gint member = draw_member (schedule);
  gint other = draw_member (schedule);
  guint what = draw (schedule, 0, 99);

  if (member < 0)
    return;
  if (schedule->kind == SIM_SCHEDULE_PARTITIONS && what < 40)
    sim_cuts_draw (schedule->cuts);
  else if (what < 50 && count_members (group) > 1)
    crash (schedule, member);
  else if (what < 70)
    sim_group_join (group, member);
  else if (what < 92 && count_members (group) > 1)
    sim_group_leave (group, member);
  else if (member != other)
    sim_group_put_out (group, member, other);
}

/* Changes come in clusters, so that they meet in the midst of each other: a
 * second within what the first starts, at once or after the suspicion time. */
static void
plan_changes (Schedule *schedule)
{
  SimNetwork *network = sim_group_get_network (schedule->group);
  guint n = draw (schedule, 1, 4);
  gint64 start = sim_network_now (network);

  for (guint i = 0; i < n; i++) {
    gint64 at = draw (schedule, start, schedule->end);
    guint more = draw (schedule, 0, 3);

    sim_network_at (network, at, change_something, schedule);
    for (guint j = 0; j < more; j++) {
      gint64 after = at + (chance (schedule, 0.5) ? 0
          : draw (schedule, 700000, 1000000)) + draw (schedule, 0, 60000);

      sim_network_at (network, MIN (after, schedule->end), change_something,
          schedule);
    }
  }
}

static void
draw_conditions (Schedule *schedule, SimConditions *conditions)
{
  static const double losses[] = { 0, 0.01, 0.05, 0.1, 0.2 };
  static const gint64 delays[] = { 300, 1000, 5000, 20000, 100000 };

  conditions->loss = losses[draw (schedule, 0, G_N_ELEMENTS (losses) - 1)];
  conditions->duplicate = chance (schedule, 0.5) ? 0.05 : 0;
  conditions->reorder = chance (schedule, 0.5) ? 0.1 : 0;
  conditions->delay_max =
      delays[draw (schedule, 0, G_N_ELEMENTS (delays) - 1)];
  conditions->delay_min = conditions->delay_max / 2;
  conditions->late = 30000;
}

static void
start_group (Schedule *schedule, guint n)
{
  SimGroup *group = schedule->group;

  sim_group_found (group);
  for (guint i = 1; i < n; i++)
    sim_group_join (group, 0);
  for (guint i = 0; i < 50 && count_members (group) < n; i++)
    sim_group_run (group, 100000);
}

char *
sim_schedule_judge (SimHistory *history, SimScheduleKind kind)
{
  char *wrong = sim_history_check_liveness (history);

  return wrong ? wrong : sim_history_check (history,
      kind == SIM_SCHEDULE_CRASHES);
}

/* All is as it should be within seconds; over the worst of networks, with much
 * that waits to be sent or many parts that have to meet, later. */
static void
settle (SimGroup *group)
{
  SimHistory *history = sim_group_get_history (group);
  guint delivered = 0;

  for (guint i = 0; i < PATIENCE; i++) {
    g_autofree char *wrong = NULL;

    sim_group_run (group, SECOND / 2);
    wrong = sim_history_check_liveness (history);
    if (!wrong)
      return;
    if (sim_history_count_delivered (history) != delivered)
      i = 0;
    delivered = sim_history_count_delivered (history);
  }
}

char *
sim_schedule_run (guint64 seed, SimScheduleKind kind, gboolean trace,
    const char *logs)
{
  Schedule schedule = {.kind = kind };
  SimConditions conditions = { 0 };
  GcpConfig config;
  g_autoptr (SimGroup) group = NULL;
  g_autoptr (SimCuts) cuts = NULL;
  g_autoptr (GError) error = NULL;

  sim_random_init (&schedule.random, seed ^ 0x5eed);
  draw_conditions (&schedule, &conditions);
  gcp_config_init (&config);
  config.joining_timeout = 4 * SECOND;
  schedule.group = group = sim_group_new (seed, &conditions, &config);
  sim_group_set_trace (group, trace);
  if (trace)
    g_print ("loss %g, doubled %g, late %g, delay %g to %g ms\n",
        conditions.loss, conditions.duplicate, conditions.reorder,
        conditions.delay_min / 1e3, conditions.delay_max / 1e3);
  schedule.cuts = cuts = sim_cuts_new (group, &schedule.random);
  if (logs)
    sim_group_write_logs (group, logs);
  start_group (&schedule, draw (&schedule, 3, 9));
  schedule.end = sim_network_now (sim_group_get_network (group))
      + draw (&schedule, SECOND / 2, 2 * SECOND);
  schedule.pause = draw (&schedule, 5000, 100000);
  plan_changes (&schedule);
  send_some (sim_group_get_network (group), &schedule);
  sim_group_run (group, schedule.end + SECOND / 10
      - sim_network_now (sim_group_get_network (group)));
  sim_cuts_heal (cuts);
  settle (group);
  if (!sim_history_close_logs (sim_group_get_history (group), &error))
    return g_strdup_printf ("logs: %s", error->message);
  return sim_schedule_judge (sim_group_get_history (group), kind);
}
