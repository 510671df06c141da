/* A link over a network that loses, doubles and reorders. */
#include <string.h>

#include "../../gcp/gcp-link.h"
#include "sim-network.h"

#define SECOND G_USEC_PER_SEC

static const SimConditions calm = {.delay_min = 1000,.delay_max = 1000 };

static const SimConditions rough = {
  .loss = 0.2,.duplicate = 0.1,.reorder = 0.2,
  .delay_min = 200,.delay_max = 20000,.late = 50000
};

typedef struct {
  SimNetwork *network;
  guint node, other;
  GcpLink *link;
  GPtrArray *taken;             /* of GBytes */
  gboolean deaf;                /* does not take messages */
  guint n_sent, largest;
  guint drop_next;              /* datagrams that are not sent */
} End;

static void
pump (End *end)
{
  gint64 now = sim_network_now (end->network);
  GBytes *bytes;

  while (!end->deaf && (bytes = gcp_link_take (end->link)))
    g_ptr_array_add (end->taken, bytes);
  while ((bytes = gcp_link_poll (end->link, now))) {
    end->n_sent++;
    end->largest = MAX (end->largest, g_bytes_get_size (bytes));
    if (end->drop_next > 0)
      end->drop_next--;
    else
      sim_network_send (end->network, end->node, end->other,
          g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    g_bytes_unref (bytes);
  }
  sim_network_set_deadline (end->network, end->node,
      gcp_link_deadline (end->link));
}

static void
end_receive (gpointer user_data, guint from, const guint8 *data, gsize size,
    gint64 now)
{
  End *end = user_data;

  gcp_link_receive (end->link, data, size, now);
  pump (end);
}

static void
end_tick (gpointer user_data, gint64 now)
{
  pump (user_data);
}

typedef struct {
  SimNetwork *network;
  End ends[2];
} Pair;

static void
pair_init (Pair *pair, guint64 seed, const SimConditions *conditions)
{
  static const SimNodeFuncs funcs = { end_receive, end_tick };
  GcpLinkConfig config = { 1100, 100000, 800000, 300000 };

  memset (pair, 0, sizeof (Pair));
  pair->network = sim_network_new (seed, conditions);
  for (guint i = 0; i < 2; i++) {
    End *end = &pair->ends[i];

    end->network = pair->network;
    end->node = sim_network_add_node (pair->network, &funcs, end);
    end->other = 1 - i;
    end->link = gcp_link_new (&config, 0);
    end->taken = g_ptr_array_new_with_free_func ((GDestroyNotify)
        g_bytes_unref);
  }
  pump (&pair->ends[0]);
  pump (&pair->ends[1]);
}

static void
pair_clear (Pair *pair)
{
  for (guint i = 0; i < 2; i++) {
    gcp_link_free (pair->ends[i].link);
    g_ptr_array_unref (pair->ends[i].taken);
  }
  sim_network_free (pair->network);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pair, pair_clear)

static void
end_send (End *end, gconstpointer data, gsize size)
{
  g_autoptr (GBytes) message = g_bytes_new (data, size);

  gcp_link_send (end->link, message);
}

static GBytes *
make_message (guint number, gsize size)
{
  guint8 *data = g_malloc (size + 4);

  for (gsize i = 0; i < size; i++)
    data[i] = number * 31 + i * 7 + (i >> 8);
  memcpy (data + size, &number, 4);
  return g_bytes_new_take (data, size + 4);
}

static gsize
size_of_message (guint number)
{
  if (number % 97 == 0)
    return 256 * 1024;
  return number % 7 == 0 ? 3000 : number % 50;
}

static void
assert_stream (const End *end, guint n)
{
  g_assert_cmpuint (end->taken->len, ==, n);
  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) wanted = make_message (i, size_of_message (i));

    g_assert_true (g_bytes_equal (end->taken->pdata[i], wanted));
  }
}

static void
test_stream_survives_rough_network (void)
{
  for (guint64 seed = 0; seed < 20; seed++) {
    g_auto (Pair) pair;

    pair_init (&pair, seed, &rough);
    for (guint i = 0; i < 200; i++)
      for (guint j = 0; j < 2; j++) {
        g_autoptr (GBytes) message = make_message (i, size_of_message (i));

        gcp_link_send (pair.ends[j].link, message);
      }
    pump (&pair.ends[0]);
    pump (&pair.ends[1]);
    sim_network_run_until (pair.network, 60 * SECOND);
    for (guint j = 0; j < 2; j++) {
      assert_stream (&pair.ends[j], 200);
      g_assert_true (gcp_link_is_settled (pair.ends[j].link));
      g_assert_cmpuint (pair.ends[j].largest, <=, 1100);
    }
  }
}

static void
test_lost_datagram_is_sent_again (void)
{
  g_auto (Pair) pair;

  pair_init (&pair, 1, &calm);
  sim_network_run_until (pair.network, SECOND);
  pair.ends[0].drop_next = 1;
  end_send (&pair.ends[0], "one", 3);
  pump (&pair.ends[0]);
  sim_network_run_until (pair.network, SECOND + 6000);
  g_assert_cmpuint (pair.ends[1].taken->len, ==, 0);
  sim_network_run_until (pair.network, SECOND + 15000);
  g_assert_cmpuint (pair.ends[1].taken->len, ==, 1);
}

static void
test_loss_before_others_is_found_without_timeout (void)
{
  g_auto (Pair) pair;

  pair_init (&pair, 1, &calm);
  sim_network_run_until (pair.network, SECOND);
  pair.ends[0].drop_next = 1;
  end_send (&pair.ends[0], "one", 3);
  pump (&pair.ends[0]);
  sim_network_run_until (pair.network, SECOND + 4000);
  end_send (&pair.ends[0], "two", 3);
  pump (&pair.ends[0]);
  sim_network_run_until (pair.network, SECOND + 8000);
  g_assert_cmpuint (pair.ends[1].taken->len, ==, 2);
}

static void
test_small_messages_share_a_datagram (void)
{
  g_auto (Pair) pair;
  guint before;

  pair_init (&pair, 1, &calm);
  sim_network_run_until (pair.network, SECOND);
  before = pair.ends[0].n_sent;
  for (guint i = 0; i < 20; i++)
    end_send (&pair.ends[0], "0123456789", 10);
  pump (&pair.ends[0]);
  g_assert_cmpuint (pair.ends[0].n_sent - before, ==, 1);
  sim_network_run_until (pair.network, SECOND + 2000);
  g_assert_cmpuint (pair.ends[1].taken->len, ==, 20);
}

static void
test_who_does_not_take_holds_the_other_back (void)
{
  g_auto (Pair) pair;
  guint n = 3000;

  pair_init (&pair, 1, &calm);
  pair.ends[1].deaf = TRUE;
  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) message = make_message (i, 1000);

    gcp_link_send (pair.ends[0].link, message);
  }
  pump (&pair.ends[0]);
  sim_network_run_until (pair.network, 5 * SECOND);
  g_assert_false (gcp_link_is_settled (pair.ends[0].link));
  /* Room for 300000 and a window, and nothing is lost by the waiting. */
  g_assert_cmpuint (pair.ends[0].n_sent, <, 1500);
  pair.ends[1].deaf = FALSE;
  pump (&pair.ends[1]);
  sim_network_run_until (pair.network, 15 * SECOND);
  g_assert_cmpuint (pair.ends[1].taken->len, ==, n);
}

static void
test_silence_is_seen_and_heartbeats_prevent_it (void)
{
  g_auto (Pair) pair;
  gint64 now;

  pair_init (&pair, 1, &rough);
  for (guint i = 1; i < 600; i++) {
    now = i * SECOND / 10;
    sim_network_run_until (pair.network, now);
    g_assert_cmpint (now - gcp_link_get_last_heard (pair.ends[0].link), <,
        700000);
    g_assert_cmpint (now - gcp_link_get_last_answered (pair.ends[0].link), <,
        800000);
  }
  sim_network_crash (pair.network, 1);
  sim_network_run_until (pair.network, 62 * SECOND);
  g_assert_cmpint (62 * SECOND - gcp_link_get_last_heard (pair.ends[0].link),
      >, SECOND);
}

static void
test_idle_link_costs_ten_datagrams_a_second (void)
{
  g_auto (Pair) pair;
  guint before;

  pair_init (&pair, 1, &calm);
  /* Until it is known that nothing is lost. */
  sim_network_run_until (pair.network, 20 * SECOND);
  before = pair.ends[0].n_sent;
  sim_network_run_until (pair.network, 30 * SECOND);
  g_assert_cmpuint (pair.ends[0].n_sent - before, <=, 110);
}

static void
test_one_way_silence_is_seen_by_who_is_heard (void)
{
  g_auto (Pair) pair;
  gint64 now = 3 * SECOND;

  pair_init (&pair, 1, &calm);
  sim_network_run_until (pair.network, SECOND);
  pair.ends[0].drop_next = G_MAXUINT;
  sim_network_run_until (pair.network, now);
  g_assert_cmpint (now - gcp_link_get_last_heard (pair.ends[0].link), <,
      200000);
  g_assert_cmpint (now - gcp_link_get_last_answered (pair.ends[0].link), >,
      1900000);
}

static void
test_round_trip_is_measured (void)
{
  static const SimConditions far = {.delay_min = 100000,.delay_max = 100000 };
  g_auto (Pair) pair;

  pair_init (&pair, 1, &far);
  sim_network_run_until (pair.network, 5 * SECOND);
  g_assert_cmpint (gcp_link_get_round_trip (pair.ends[0].link), >=, 195000);
  g_assert_cmpint (gcp_link_get_round_trip (pair.ends[0].link), <=, 205000);
}

static void
test_too_long_message_breaks_the_link (void)
{
  GcpLinkConfig config = { 1100, 100000, 800000, 300000 };
  GcpLinkConfig small = { 1100, 100000, 800000, 1000 };
  g_autoptr (GcpLink) a = gcp_link_new (&config, 0);
  g_autoptr (GcpLink) b = gcp_link_new (&small, 0);
  g_autoptr (GBytes) message = make_message (1, 5000);
  GBytes *datagram;

  gcp_link_send (a, message);
  while ((datagram = gcp_link_poll (a, 1))) {
    gcp_link_receive (b, g_bytes_get_data (datagram, NULL),
        g_bytes_get_size (datagram), 2);
    g_bytes_unref (datagram);
  }
  g_assert_null (gcp_link_peek (b));
  g_assert_true (gcp_link_is_broken (b));
}

static void
test_garbage_changes_nothing (void)
{
  g_auto (Pair) pair;
  SimRandom random;
  guint8 data[2000];

  sim_random_init (&random, 5);
  pair_init (&pair, 1, &calm);
  for (gsize size = 0; size <= sizeof (data); size++) {
    sim_random_fill (&random, data, size);
    gcp_link_receive (pair.ends[1].link, data, size, 0);
    if (size > 0)
      data[0] = GCP_DATAGRAM_LINK;
    if (size > 1)
      data[1] &= 3;
    gcp_link_receive (pair.ends[1].link, data, MIN (size, 32), 0);
  }
  for (guint i = 0; i < 50; i++) {
    g_autoptr (GBytes) message = make_message (i, size_of_message (i));

    gcp_link_send (pair.ends[0].link, message);
  }
  pump (&pair.ends[0]);
  sim_network_run_until (pair.network, 5 * SECOND);
  g_assert_cmpuint (pair.ends[1].taken->len, ==, 50);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gcp/link/" #name, test_ ## name)
  ADD (stream_survives_rough_network);
  ADD (lost_datagram_is_sent_again);
  ADD (loss_before_others_is_found_without_timeout);
  ADD (small_messages_share_a_datagram);
  ADD (who_does_not_take_holds_the_other_back);
  ADD (silence_is_seen_and_heartbeats_prevent_it);
  ADD (idle_link_costs_ten_datagrams_a_second);
  ADD (one_way_silence_is_seen_by_who_is_heard);
  ADD (round_trip_is_measured);
  ADD (too_long_message_breaks_the_link);
  ADD (garbage_changes_nothing);
#undef ADD
  return g_test_run ();
}
