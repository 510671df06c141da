/* What two members say to each other travels over a third while their own path is
 * broken, and the group stays together. */
#include <string.h>

#include "../../gcp/gcp-message.h"
#include "gcp-puppet.h"
#include "sim-group.h"

#define SECOND G_USEC_PER_SEC
#define MILLISECOND (SECOND / 1000)

#define NEAR {.delay_min = 100,.delay_max = 300 }
#define FAR {.loss = 0.05,.delay_min = 75000,.delay_max = 125000 }

typedef enum {
  BOTH_WAYS,
  FORTH,
  BACK
} Ways;

static const struct {
  const char *name;
  SimConditions conditions;
  guint n;
  guint a, b;                   /* the pair */
  Ways ways;
} pairs[] = {
  { "first_and_last_of_3", NEAR, 3, 0, 2, BOTH_WAYS },
  { "first_and_last_of_3_one_way", NEAR, 3, 0, 2, FORTH },
  { "first_and_last_of_3_the_other_way", NEAR, 3, 0, 2, BACK },
  { "last_two_of_4", NEAR, 4, 2, 3, BOTH_WAYS },
  { "first_and_second_of_9", NEAR, 9, 0, 1, BOTH_WAYS },
  { "first_and_last_of_4_far", FAR, 4, 0, 3, BOTH_WAYS },
  { "first_and_last_of_4_far_one_way", FAR, 4, 0, 3, BACK },
};

static void
cut (SimGroup *group, guint a, guint b, Ways ways)
{
  SimNetwork *network = sim_group_get_network (group);

  if (ways != BACK)
    sim_network_cut (network, a, b);
  if (ways != FORTH)
    sim_network_cut (network, b, a);
}

/* Each member in turn, ten messages a second. */
static void
talk (SimGroup *group, guint seconds)
{
  for (guint i = 0; i < 10 * seconds; i++) {
    guint sender = i % sim_group_count (group);

    if (sim_group_is_member (group, sender))
      sim_group_multicast (group, sender, i % 2 ? GCP_SAFE : GCP_AGREED, 300);
    sim_group_run (group, SECOND / 10);
  }
}

static void
count_relayed (guint from, guint to, const guint8 *data, gsize size, gint64 now,
    gpointer user_data)
{
  *(guint *) user_data += size > 0 && data[0] == GCP_DATAGRAM_RELAY;
}

static void
test_broken_pair_stays_in_the_group (gconstpointer user_data)
{
  guint i = GPOINTER_TO_UINT (user_data);
  g_autoptr (SimGroup) group = sim_group_gather (&pairs[i].conditions, pairs[i].n);
  SimHistory *history = sim_group_get_history (group);
  guint views = sim_history_count_views (history);
  guint delivered = sim_history_count_delivered (history);

  cut (group, pairs[i].a, pairs[i].b, pairs[i].ways);
  talk (group, 60);
  sim_group_run (group, 5 * SECOND);
  g_assert_cmpuint (sim_history_count_views (history), ==, views);
  g_assert_cmpuint (sim_history_count_delivered (history) - delivered, ==,
      600 * pairs[i].n);
  sim_group_assert_nothing_is_wrong (group);
}

static void
test_healed_pair_is_direct_again (void)
{
  static const SimConditions near = NEAR;
  g_autoptr (SimGroup) group = sim_group_gather (&near, 3);
  SimNetwork *network = sim_group_get_network (group);
  guint relayed = 0;

  sim_network_set_tap (network, count_relayed, &relayed);
  talk (group, 5);
  g_assert_cmpuint (relayed, ==, 0);
  cut (group, 0, 2, BOTH_WAYS);
  talk (group, 5);
  g_assert_cmpuint (relayed, >, 0);
  sim_network_mend (network);
  talk (group, 2);
  relayed = 0;
  talk (group, 5);
  g_assert_cmpuint (relayed, ==, 0);
}

/* The only path between two members is over two others: there is none. */
static void
test_nothing_is_passed_on_twice (void)
{
  static const SimConditions near = NEAR;
  g_autoptr (SimGroup) group = sim_group_gather (&near, 4);

  cut (group, 0, 3, BOTH_WAYS);
  cut (group, 1, 3, BOTH_WAYS);
  cut (group, 0, 2, BOTH_WAYS);
  talk (group, 10);
  g_assert_cmpuint (gcp_view_get_n_members (sim_group_get_view (group, 3)), <,
      4);
  sim_network_mend (sim_group_get_network (group));
  sim_group_run (group, 60 * SECOND);
  g_assert_cmpuint (gcp_view_get_n_members (sim_group_get_view (group, 3)), ==,
      4);
}

static void
test_another_member_takes_over_from_a_crashed_one (void)
{
  static const SimConditions near = NEAR;

  for (guint crashed = 1; crashed <= 2; crashed++) {
    g_autoptr (SimGroup) group = sim_group_gather (&near, 4);
    guint views = sim_history_count_views (sim_group_get_history (group));

    cut (group, 0, 3, BOTH_WAYS);
    talk (group, 5);
    sim_group_crash (group, crashed);
    talk (group, 10);
    g_assert_cmpuint (sim_history_count_views (sim_group_get_history (group)),
        ==, views + 1);
    g_assert_cmpuint (gcp_view_get_n_members (sim_group_get_view (group, 3)),
        ==, 3);
    sim_group_run (group, 5 * SECOND);
    sim_group_assert_nothing_is_wrong (group);
  }
}

static void
test_crash_of_one_of_the_pair_is_seen_in_time (void)
{
  static const SimConditions near = NEAR;

  for (guint i = 0; i < 20; i++) {
    g_autoptr (SimGroup) group = sim_group_gather (&near, 4);

    cut (group, 0, 3, BOTH_WAYS);
    talk (group, 5);
    sim_group_run (group, i * 13000);
    sim_group_crash (group, i % 2 ? 0 : 3);
    sim_group_run (group, SECOND);
    g_assert_cmpuint (gcp_view_get_n_members (sim_group_get_view (group, 1)),
        ==, 3);
    g_assert_cmpuint (gcp_view_get_n_members (sim_group_get_view (group,
                i % 2 ? 3 : 0)), ==, 3);
  }
}

/* Whomever of the three it cannot talk to, the one that coordinates too. */
static void
test_newcomer_that_one_member_cannot_hear_joins (void)
{
  static const SimConditions near = NEAR;

  for (guint deaf = 0; deaf < 3; deaf++) {
    g_autoptr (SimGroup) group = sim_group_gather (&near, 3);

    sim_group_join (group, (deaf + 1) % 3);
    cut (group, deaf, 3, BOTH_WAYS);
    sim_group_run (group, 5 * SECOND);
    for (guint i = 0; i < 4; i++)
      g_assert_cmpuint (gcp_view_get_n_members (sim_group_get_view (group, i)),
          ==, 4);
    talk (group, 10);
    sim_group_run (group, 5 * SECOND);
    sim_group_assert_nothing_is_wrong (group);
  }
}

/* ---- members that mean ill ---- */

static void
throw_relay (GcpPuppet *puppet, GcpMemberId over, GcpMemberId from,
    GcpMemberId to, const char *text)
{
  g_autoptr (GBytes) inner = g_bytes_new_static (text, strlen (text));
  g_autoptr (GBytes) bytes = gcp_relay_write (&(GcpRelay) {
      .from = from,.to = to,.bytes = inner });

  gcp_puppet_throw (puppet, over, g_bytes_get_data (bytes, NULL),
      g_bytes_get_size (bytes));
}

/* Only what a member sends itself is passed on, and only to a member. */
static void
test_nothing_is_passed_on_but_between_members (void)
{
  static const GcpMemberId ids[] = { GCP_PUPPET_ENGINE, GCP_PUPPET_MEMBER,
    GCP_PUPPET_STRANGER, GCP_PUPPET_STRANGER + 1 };
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  guint before;

  gcp_puppet_run (puppet, SECOND);
  before = puppet->n_sent;
  for (guint i = 0; i < 64; i++)
    throw_relay (puppet, ids[i % 4], ids[i / 4 % 4], ids[i / 16],
        "\001anything");
  /* There are just two members. */
  g_assert_cmpuint (puppet->n_sent, ==, before);
}

/* Whether the first member of @group passes on what it gets of member @over. */
static gboolean
passes_on (SimGroup *group, guint over, GcpMemberId from, GcpMemberId to)
{
  g_autoptr (GBytes) inner = g_bytes_new_static ("\001anything", 9);
  g_autoptr (GBytes) bytes = gcp_relay_write (&(GcpRelay) {
      .from = from,.to = to,.bytes = inner });
  GcpEngine *engine = sim_group_get_engine (group, 0);
  gboolean passed = FALSE;

  gcp_engine_receive (engine, sim_group_get_id (group, over),
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      sim_network_now (sim_group_get_network (group)));
  for (;;) {
    g_auto (GcpOutput) output = { 0 };

    if (!gcp_engine_poll (engine, &output))
      return passed;
    passed |= output.type == GCP_OUTPUT_SEND && output.member == to
        && g_bytes_equal (output.bytes, bytes);
  }
}

static void
test_only_what_is_the_senders_own_is_passed_on (void)
{
  static const SimConditions near = NEAR;
  g_autoptr (SimGroup) group = sim_group_gather (&near, 4);
  GcpMemberId stranger = 1 + sim_group_get_id (group, 3);

  g_assert_true (passes_on (group, 1, sim_group_get_id (group, 1),
          sim_group_get_id (group, 2)));
  g_assert_false (passes_on (group, 3, sim_group_get_id (group, 1),
          sim_group_get_id (group, 2)));
  g_assert_false (passes_on (group, 1, sim_group_get_id (group, 1), stranger));
  gcp_engine_put_out (sim_group_get_engine (group, 0),
      sim_group_get_id (group, 1),
      sim_network_now (sim_group_get_network (group)));
  g_assert_false (passes_on (group, 1, sim_group_get_id (group, 1),
          sim_group_get_id (group, 2)));
}

static void
test_malformed_is_not_read (void)
{
  g_autoptr (GBytes) inner = g_bytes_new_static ("\001x", 2);
  g_autoptr (GBytes) bytes = gcp_relay_write (&(GcpRelay) {
      .deaf = TRUE,.from = 5,.to = 6,.bytes = inner });
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autofree guint8 *altered = g_memdup2 (data, size);
  g_auto (GcpRelay) relay = { 0 };

  g_assert_cmpuint (size, ==, GCP_RELAY_OVERHEAD + 2);
  for (gsize i = 0; i < GCP_RELAY_OVERHEAD; i++)
    g_assert_false (gcp_relay_read (&relay, data, i));
  altered[1] = 2;               /* neither true nor false */
  g_assert_false (gcp_relay_read (&relay, altered, size));
  altered[1] = 0;
  altered[9] = 6;               /* from itself to itself */
  g_assert_false (gcp_relay_read (&relay, altered, size));
  altered[9] = 0;               /* from nobody */
  g_assert_false (gcp_relay_read (&relay, altered, size));
  g_assert_true (gcp_relay_read (&relay, data, size));
  g_assert_true (relay.deaf);
  g_assert_cmpuint (relay.from, ==, 5);
  g_assert_cmpuint (relay.to, ==, 6);
  g_assert_true (g_bytes_equal (relay.bytes, inner));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autofree char *name = g_strdup_printf (
        "/gcp/relay/broken_pair_stays_in_the_group/%s", pairs[i].name);

    g_test_add_data_func (name, GUINT_TO_POINTER (i),
        test_broken_pair_stays_in_the_group);
  }
#define ADD(name) g_test_add_func ("/gcp/relay/" #name, test_ ## name)
  ADD (healed_pair_is_direct_again);
  ADD (nothing_is_passed_on_twice);
  ADD (another_member_takes_over_from_a_crashed_one);
  ADD (crash_of_one_of_the_pair_is_seen_in_time);
  ADD (newcomer_that_one_member_cannot_hear_joins);
  ADD (nothing_is_passed_on_but_between_members);
  ADD (only_what_is_the_senders_own_is_passed_on);
  ADD (malformed_is_not_read);
#undef ADD
  return g_test_run ();
}
