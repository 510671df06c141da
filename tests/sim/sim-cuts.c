#include "sim-cuts.h"

#define SECOND G_USEC_PER_SEC
#define MOST_SIDES 4

struct _SimCuts {
  SimGroup *group;
  SimRandom *random;
  gboolean healed;
  guint flaps;                  /* to come */
  guint flap_sides[SIM_GROUP_MAX];
};

SimCuts *
sim_cuts_new (SimGroup *group, SimRandom *random)
{
  SimCuts *cuts = g_new0 (SimCuts, 1);

  cuts->group = group;
  cuts->random = random;
  return cuts;
}

void
sim_cuts_free (SimCuts *cuts)
{
  g_free (cuts);
}

static guint
draw (SimCuts *cuts, guint low, guint high)
{
  return sim_random_range (cuts->random, low, high);
}

static void
join_all (SimNetwork *network, gpointer user_data)
{
  SimCuts *cuts = user_data;

  for (guint i = 0; i < sim_group_count (cuts->group); i++)
    sim_network_set_side (network, i, 0);
}

static void
mend_all (SimNetwork *network, gpointer user_data)
{
  sim_network_mend (network);
}

static void
after (SimCuts *cuts, guint low, guint high, SimEventFunc func)
{
  SimNetwork *network = sim_group_get_network (cuts->group);

  sim_network_at (network, sim_network_now (network) + draw (cuts, low, high),
      func, cuts);
}

static void
pause_one (SimCuts *cuts)
{
  SimNetwork *network = sim_group_get_network (cuts->group);
  guint node = draw (cuts, 0, sim_group_count (cuts->group) - 1);

  sim_network_pause (network, node,
      sim_network_now (network) + draw (cuts, 0, 3 * SECOND));
}

static void
draw_sides (SimCuts *cuts, guint *sides)
{
  guint most = draw (cuts, 1, MOST_SIDES - 1);

  for (guint i = 0; i < SIM_GROUP_MAX; i++)
    sides[i] = draw (cuts, 0, most);
}

static void
set_sides (SimCuts *cuts, const guint *sides)
{
  for (guint i = 0; i < sim_group_count (cuts->group); i++)
    sim_network_set_side (sim_group_get_network (cuts->group), i, sides[i]);
}

static void
cut_into_sides (SimCuts *cuts)
{
  guint sides[SIM_GROUP_MAX];

  draw_sides (cuts, sides);
  set_sides (cuts, sides);
  after (cuts, 0, 3 * SECOND, join_all);
}

/* What one side says does not reach the other. */
static void
cut_one_way (SimCuts *cuts)
{
  guint n = sim_group_count (cuts->group);
  guint sides[SIM_GROUP_MAX];

  draw_sides (cuts, sides);
  for (guint i = 0; i < n; i++)
    for (guint j = 0; j < n; j++)
      if (sides[i] < sides[j])
        sim_network_cut (sim_group_get_network (cuts->group), i, j);
  after (cuts, 0, 3 * SECOND, mend_all);
}

static void
break_pairs (SimCuts *cuts)
{
  SimNetwork *network = sim_group_get_network (cuts->group);
  guint last = sim_group_count (cuts->group) - 1;
  guint n = draw (cuts, 1, 3);

  for (guint i = 0; i < n; i++) {
    guint a = draw (cuts, 0, last), b = draw (cuts, 0, last);

    sim_network_cut (network, a, b);
    if (draw (cuts, 0, 2) > 0)
      sim_network_cut (network, b, a);
  }
  after (cuts, 0, 3 * SECOND, mend_all);
}

static void
flap (SimNetwork *network, gpointer user_data)
{
  SimCuts *cuts = user_data;

  if (cuts->healed || cuts->flaps == 0)
    return;
  if (--cuts->flaps % 2 == 0)
    join_all (network, cuts);
  else
    set_sides (cuts, cuts->flap_sides);
  if (cuts->flaps > 0)
    after (cuts, 50000, SECOND, flap);
}

static void
begin_to_flap (SimCuts *cuts)
{
  if (cuts->flaps > 0)
    return;
  draw_sides (cuts, cuts->flap_sides);
  cuts->flaps = 2 * draw (cuts, 1, 4);
  flap (sim_group_get_network (cuts->group), cuts);
}

void
sim_cuts_draw (SimCuts *cuts)
{
  guint what = draw (cuts, 0, 99);

  if (cuts->healed)
    return;
  if (what < 25)
    pause_one (cuts);
  else if (what < 55)
    cut_into_sides (cuts);
  else if (what < 70)
    cut_one_way (cuts);
  else if (what < 85)
    break_pairs (cuts);
  else
    begin_to_flap (cuts);
}

void
sim_cuts_heal (SimCuts *cuts)
{
  SimNetwork *network = sim_group_get_network (cuts->group);

  cuts->healed = TRUE;
  join_all (network, cuts);
  sim_network_mend (network);
}
