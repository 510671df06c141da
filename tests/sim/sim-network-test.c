/* The simulated network itself: what it promises to those who build on it. */
#include "sim-network.h"

#include <string.h>

typedef struct {
  SimNetwork *network;
  GString *heard;
  guint n_heard;
  gint64 last_tick;
} Ear;

static void
hear (gpointer user_data, guint from, const guint8 *data, gsize size,
    gint64 now)
{
  Ear *ear = user_data;

  ear->n_heard++;
  g_string_append_printf (ear->heard, "%u@%" G_GINT64_FORMAT ":%.*s ", from,
      now, (int) size, (const char *) data);
}

static void
tick (gpointer user_data, gint64 now)
{
  ((Ear *) user_data)->last_tick = now;
}

static const SimNodeFuncs funcs = { hear, tick };
static const SimConditions calm = {.delay_min = 1000,.delay_max = 1000 };

static const SimConditions rough = {
  .loss = 0.2,.duplicate = 0.1,.reorder = 0.2,
  .delay_min = 100,.delay_max = 20000,.late = 50000
};

static char *
history_of_seed (guint64 seed, const SimConditions *conditions, guint *n_heard)
{
  g_autoptr (SimNetwork) network = sim_network_new (seed, conditions);
  Ear ears[2] = { {network}, {network} };

  for (guint i = 0; i < 2; i++) {
    ears[i].heard = g_string_new (NULL);
    sim_network_add_node (network, &funcs, &ears[i]);
  }
  for (guint i = 0; i < 1000; i++) {
    sim_network_send (network, i % 2, 1 - i % 2, "x", 1);
    sim_network_run_until (network, i * 100);
  }
  sim_network_run_until (network, G_USEC_PER_SEC);
  if (n_heard)
    *n_heard = ears[0].n_heard + ears[1].n_heard;
  g_string_append (ears[0].heard, ears[1].heard->str);
  g_string_free (ears[1].heard, TRUE);
  return g_string_free (ears[0].heard, FALSE);
}

static void
test_one_seed_is_one_history (void)
{
  g_autofree char *a = history_of_seed (7, &rough, NULL);
  g_autofree char *b = history_of_seed (7, &rough, NULL);
  g_autofree char *c = history_of_seed (8, &rough, NULL);

  g_assert_cmpstr (a, ==, b);
  g_assert_cmpstr (a, !=, c);
}

static void
test_conditions_hold (void)
{
  SimConditions conditions = calm;
  guint n;

  g_free (history_of_seed (1, &conditions, &n));
  g_assert_cmpuint (n, ==, 1000);
  conditions.loss = 0.2;
  g_free (history_of_seed (1, &conditions, &n));
  g_assert_cmpuint (n, >, 700);
  g_assert_cmpuint (n, <, 900);
  conditions.loss = 0;
  conditions.duplicate = 0.1;
  g_free (history_of_seed (1, &conditions, &n));
  g_assert_cmpuint (n, >, 1050);
  g_assert_cmpuint (n, <, 1150);
}

static void
test_deadline_is_kept_and_replaced (void)
{
  g_autoptr (SimNetwork) network = sim_network_new (1, &calm);
  Ear ear = { network };

  sim_network_add_node (network, &funcs, &ear);
  sim_network_set_deadline (network, 0, 500);
  sim_network_set_deadline (network, 0, 700);
  sim_network_run_until (network, 600);
  g_assert_cmpint (ear.last_tick, ==, 0);
  sim_network_run_until (network, 1000);
  g_assert_cmpint (ear.last_tick, ==, 700);
}

static void
test_crash_pause_and_cut (void)
{
  g_autoptr (SimNetwork) network = sim_network_new (1, &calm);
  g_autoptr (GString) heard = g_string_new (NULL);
  Ear ear = { network, heard };

  for (guint i = 0; i < 3; i++)
    sim_network_add_node (network, &funcs, &ear);
  sim_network_pause (network, 1, 5000);
  sim_network_send (network, 0, 1, "a", 1);
  sim_network_run_until (network, 4999);
  g_assert_cmpstr (heard->str, ==, "");
  sim_network_run_until (network, 5000);
  g_assert_cmpstr (heard->str, ==, "0@5000:a ");
  sim_network_set_side (network, 2, 1);
  sim_network_send (network, 0, 2, "b", 1);
  sim_network_crash (network, 1);
  sim_network_send (network, 0, 1, "c", 1);
  sim_network_run_until (network, 10000);
  g_assert_cmpstr (heard->str, ==, "0@5000:a ");
  sim_network_set_side (network, 2, 0);
  sim_network_send (network, 0, 2, "d", 1);
  sim_network_run_until (network, 20000);
  g_assert_cmpstr (heard->str, ==, "0@5000:a 0@11000:d ");
}

static void
test_cut_works_in_one_direction_until_it_is_mended (void)
{
  g_autoptr (SimNetwork) network = sim_network_new (1, &calm);
  g_autoptr (GString) heard = g_string_new (NULL);
  Ear ear = { network, heard };

  for (guint i = 0; i < 2; i++)
    sim_network_add_node (network, &funcs, &ear);
  sim_network_cut (network, 0, 1);
  sim_network_send (network, 0, 1, "a", 1);
  sim_network_send (network, 1, 0, "b", 1);
  sim_network_run_until (network, 10000);
  g_assert_cmpstr (heard->str, ==, "1@1000:b ");
  sim_network_mend (network);
  sim_network_send (network, 0, 1, "c", 1);
  sim_network_run_until (network, 20000);
  g_assert_cmpstr (heard->str, ==, "1@1000:b 0@11000:c ");
}

static void
test_rate_makes_datagrams_wait_and_its_queue_is_bounded (void)
{
  static const SimConditions slow = {
    .delay_min = 1000,.delay_max = 1000,.rate = 1000,.queue = 3
  };
  g_autoptr (SimNetwork) network = sim_network_new (1, &slow);
  g_autoptr (GString) heard = g_string_new (NULL);
  Ear ear = { network, heard };

  for (guint i = 0; i < 2; i++)
    sim_network_add_node (network, &funcs, &ear);
  for (const char *c = "abcd"; *c; c++)
    sim_network_send (network, 0, 1, c, 1);
  sim_network_run_until (network, 10000);
  sim_network_send (network, 0, 1, "e", 1);
  sim_network_run_until (network, 20000);
  g_assert_cmpstr (heard->str, ==, "0@2000:a 0@3000:b 0@4000:c 0@12000:e ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim/network/one_seed_is_one_history",
      test_one_seed_is_one_history);
  g_test_add_func ("/sim/network/conditions_hold", test_conditions_hold);
  g_test_add_func ("/sim/network/deadline_is_kept_and_replaced",
      test_deadline_is_kept_and_replaced);
  g_test_add_func ("/sim/network/crash_pause_and_cut",
      test_crash_pause_and_cut);
  g_test_add_func ("/sim/network/cut_works_in_one_direction_until_it_is_mended",
      test_cut_works_in_one_direction_until_it_is_mended);
  g_test_add_func ("/sim/network/rate_makes_datagrams_wait_and_its_queue_is_"
      "bounded", test_rate_makes_datagrams_wait_and_its_queue_is_bounded);
  return g_test_run ();
}
