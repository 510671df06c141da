/* Large messages: whole or not at all, and not in the way of small ones. */
#include "../../gcp/gcp-engine-private.h"
#include "gcp-puppet.h"
#include "sim-group.h"

#define SECOND G_USEC_PER_SEC
#define MILLISECOND (SECOND / 1000)
#define LARGE (1024 * 1024 - 17)        /* what the simulation adds is 17 */

/* ---- by themselves ---- */

static GBytes *
make_message (gsize size)
{
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = i * 7 + i / 251;
  return g_bytes_new_take (data, size);
}

/* What the pieces of @message, said by @sender, give. Other senders' pieces may come
 * in between. */
static GBytes *
join (GcpPieces *pieces, GBytes *message, guint8 sender, const GcpItem *other)
{
  GBytes *whole = NULL;
  GQueue items = G_QUEUE_INIT;
  GcpItem *item;

  gcp_pieces_cut (&items, message, GCP_SAFE, FALSE);
  while ((item = g_queue_pop_head (&items))) {
    g_assert_null (whole);
    g_assert_cmpuint (g_bytes_get_size (item->payload), <=, GCP_PIECE_SIZE);
    g_assert_cmpint (item->quality, ==, item->more ? GCP_AGREED : GCP_SAFE);
    g_assert_cmpint (item->more, ==, !g_queue_is_empty (&items));
    item->sender = sender;
    whole = gcp_pieces_add (pieces, item);
    if (other)
      g_assert_null (gcp_pieces_add (pieces, other));
    gcp_item_free (item);
  }
  return whole;
}

static void
test_pieces_give_the_message (void)
{
  static const gsize sizes[] = { 0, 1, 4095, 4096, 4097, 8191, 8192, 8193,
    GCP_MAX_PAYLOAD_SIZE - 1, GCP_MAX_PAYLOAD_SIZE };
  g_autoptr (GBytes) text = g_bytes_new_static ("other", 5);
  g_autoptr (GcpItem) other = gcp_item_new (3, GCP_AGREED, text);
  GcpPieces pieces = { 0 };

  other->more = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GBytes) message = make_message (sizes[i]);
    g_autoptr (GBytes) alone = join (&pieces, message, 0, NULL);
    g_autoptr (GBytes) among = join (&pieces, message, 0, other);

    g_assert_true (g_bytes_equal (alone, message));
    g_assert_true (g_bytes_equal (among, message));
  }
  gcp_pieces_clear (&pieces);
}

static void
test_too_long_message_takes_no_memory (void)
{
  g_autoptr (GBytes) message = make_message (GCP_MAX_PAYLOAD_SIZE + 1);
  g_autoptr (GBytes) text = g_bytes_new_static ("next", 4);
  g_autoptr (GBytes) whole = NULL;
  GcpPieces pieces = { 0 };
  g_autoptr (GcpItem) endless = NULL;
  g_autoptr (GBytes) piece = g_bytes_new_from_bytes (message, 0, GCP_PIECE_SIZE);

  g_assert_null (join (&pieces, message, 0, NULL));
  whole = join (&pieces, text, 0, NULL);
  g_assert_true (g_bytes_equal (whole, text));

  endless = gcp_item_new (1, GCP_AGREED, piece);
  endless->more = TRUE;
  for (guint i = 0; i < 10000; i++) {
    g_assert_null (gcp_pieces_add (&pieces, endless));
    endless->continues = TRUE;
    g_assert_cmpuint (pieces.of[1][0].octets->len, <=, GCP_MAX_PAYLOAD_SIZE);
  }
  g_assert_cmpuint (pieces.of[1][0].octets->len, ==, 0);
  gcp_pieces_clear (&pieces);
}

/* ---- in a group ---- */

static void
run_until_begun (SimGroup *group, guint sender)
{
  while (sim_group_get_engine (group, sender)->begun[0].length < 50)
    sim_group_run (group, MILLISECOND);
}

/* A view ends in the middle: in the next one the sender goes on. */
static void
test_message_that_a_view_change_cuts_is_whole_in_the_next (void)
{
  static const SimConditions narrow = {
    .delay_min = 5000,.delay_max = 10000,.rate = 1000000,.queue = 200000
  };

  for (guint sender = 0; sender < 3; sender++) {
    g_autoptr (SimGroup) group = sim_group_gather (&narrow, 4);
    SimHistory *history = sim_group_get_history (group);
    guint before = sim_history_count_delivered (history);

    g_assert_true (sim_group_multicast (group, sender, GCP_SAFE, LARGE));
    run_until_begun (group, sender);
    sim_group_crash (group, 3);
    while (gcp_view_get_n_members (sim_group_get_view (group, sender)) == 4)
      sim_group_run (group, MILLISECOND);
    g_assert_cmpuint (sim_group_get_engine (group, sender)->begun[0].length, >=,
        50);
    sim_group_run (group, 30 * SECOND);
    g_assert_cmpuint (sim_history_count_delivered (history), ==, before + 3);
    sim_group_assert_nothing_is_wrong (group);
  }
}

/* Somebody comes in the middle: the sender begins again, and it gets all of it. */
static void
test_newcomer_gets_a_whole_message (void)
{
  static const SimConditions narrow = {
    .delay_min = 5000,.delay_max = 10000,.rate = 1000000,.queue = 200000
  };

  for (guint sender = 0; sender < 3; sender++) {
    g_autoptr (SimGroup) group = sim_group_gather (&narrow, 3);

    g_assert_true (sim_group_multicast (group, sender, GCP_AGREED, LARGE));
    run_until_begun (group, sender);
    sim_group_join (group, (sender + 1) % 3);
    while (gcp_view_get_n_members (sim_group_get_view (group, sender)) == 3)
      sim_group_run (group, MILLISECOND);
    g_assert_cmpuint (gcp_engine_get_queued (sim_group_get_engine (group,
                sender)), >, LARGE / 2);
    sim_group_run (group, 30 * SECOND);
    g_assert_cmpuint (gcp_view_get_n_members (sim_group_get_view (group, 3)),
        ==, 4);
    g_assert_cmpuint (gcp_engine_get_queued (sim_group_get_engine (group,
                sender)), ==, 0);
    sim_group_assert_nothing_is_wrong (group);
  }
}

static void
test_message_of_who_crashes_is_delivered_by_nobody (void)
{
  static const SimConditions narrow = {
    .delay_min = 5000,.delay_max = 10000,.rate = 1000000,.queue = 200000
  };

  for (guint sender = 0; sender < 3; sender++) {
    g_autoptr (SimGroup) group = sim_group_gather (&narrow, 4);
    SimHistory *history = sim_group_get_history (group);
    guint before = sim_history_count_delivered (history);

    g_assert_true (sim_group_multicast (group, sender, GCP_AGREED, LARGE));
    run_until_begun (group, sender);
    sim_group_crash (group, sender);
    sim_group_run (group, 5 * SECOND);
    g_assert_cmpuint (sim_history_count_delivered (history), ==, before);
    for (guint i = 0; i < 4; i++)
      for (guint j = 0; i != sender && j < GCP_MAX_MEMBERS; j++)
        g_assert_null (sim_group_get_engine (group, i)->pieces.of[j][0].octets);
    sim_group_assert_nothing_is_wrong (group);
  }
}

static gboolean
has_ahead (GQueue *items)
{
  for (GList * l = items->head; l; l = l->next)
    if (((GcpItem *) l->data)->ahead)
      return TRUE;
  return FALSE;
}

/* One's own, too: it has to wait only for what is on its way already. */
static void
test_message_that_goes_ahead_gets_past_own_large_ones (void)
{
  static const SimConditions slow = {
    .delay_min = 20000,.delay_max = 20000,.rate = 125000,.queue = 60000
  };

  for (guint sender = 0; sender < 2; sender++) {
    g_autoptr (SimGroup) group = sim_group_gather (&slow, 2);
    GcpEngine *engine = sim_group_get_engine (group, sender);
    g_autofree guint8 *zeros = g_malloc0 (2 * GCP_PIECE_SIZE);
    g_autoptr (GBytes) first = g_bytes_new (zeros, 2 * GCP_PIECE_SIZE);
    gint64 now;

    g_assert_true (sim_group_multicast (group, sender, GCP_AGREED, LARGE));
    run_until_begun (group, sender);
    now = sim_network_now (sim_group_get_network (group));
    g_assert_true (gcp_engine_multicast_ahead (engine, first, GCP_SAFE, now,
            NULL));
    while (has_ahead (&engine->own) || has_ahead (&engine->submitted))
      sim_group_run (group, MILLISECOND);
    now = sim_network_now (sim_group_get_network (group)) - now;
    g_test_message ("ordered after %" G_GINT64_FORMAT " ms", now / MILLISECOND);
    g_assert_cmpint (now, <, 3 * SECOND);
    g_assert_cmpuint (gcp_engine_get_queued (engine), >, LARGE / 2);
  }
}

/* Both rows go to the next view in their order, whatever of them was begun. */
static void
test_both_rows_are_begun_again_in_order (void)
{
  static const SimConditions slow = {
    .delay_min = 20000,.delay_max = 20000,.rate = 125000,.queue = 60000
  };
  g_autoptr (SimGroup) group = sim_group_gather (&slow, 2);
  GcpEngine *engine = sim_group_get_engine (group, 1);
  g_autoptr (GBytes) ahead = make_message (20 * GCP_PIECE_SIZE);
  GcpPieces pieces = { 0 };
  gboolean came = FALSE;

  g_assert_true (sim_group_multicast (group, 1, GCP_AGREED, LARGE));
  run_until_begun (group, 1);
  g_assert_true (gcp_engine_multicast_ahead (engine, ahead, GCP_SAFE,
          sim_network_now (sim_group_get_network (group)), NULL));
  while (engine->begun[1].length < 5)
    sim_group_run (group, MILLISECOND);
  gcp_order_take_back (engine, TRUE);
  for (GList * l = engine->own.head; l; l = l->next) {
    GcpItem *item = l->data;
    g_autoptr (GBytes) message = NULL;

    item->sender = 0;
    message = gcp_pieces_add (&pieces, item);
    if (!message)
      continue;
    if (item->ahead) {
      g_assert_true (g_bytes_equal (message, ahead));
      came = TRUE;
    } else {
      g_assert_cmpuint (g_bytes_get_size (message), ==, LARGE + 17);
    }
  }
  g_assert_true (came);
  gcp_pieces_clear (&pieces);
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

/* Each of four has 1 Mbit/s; three always have messages of @size on their way, the
 * last one sends 100 octets now and then. */
static void
test_small_messages_get_past_large_ones (gconstpointer user_data)
{
  static const SimConditions slow = {
    .delay_min = 20000,.delay_max = 20000,.rate = 125000,.queue = 60000
  };
  gsize size = GPOINTER_TO_SIZE (user_data);
  g_autoptr (SimGroup) group = sim_group_gather (&slow, 4);
  SimNetwork *network = sim_group_get_network (group);
  gint64 times[60];

  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    gint64 began = sim_network_now (network);

    for (guint j = 0; j < 3; j++)
      if (gcp_engine_get_queued (sim_group_get_engine (group, j)) < size)
        sim_group_multicast (group, j, GCP_AGREED, size);
    g_assert_true (sim_group_multicast (group, 3, GCP_AGREED, 100));
    while (gcp_engine_get_queued (sim_group_get_engine (group, 3)) > 0)
      sim_group_run (group, MILLISECOND);
    times[i] = sim_network_now (network) - began;
    sim_group_run (group, SECOND);
  }
  qsort (times, G_N_ELEMENTS (times), sizeof (gint64), compare_times);
  g_test_message ("own message ordered after %.0f ms at p50, %.0f ms at most",
      times[30] / 1000.0, times[59] / 1000.0);
  g_assert_cmpint (times[30], <, SECOND);
  g_assert_cmpint (times[59], <, 2 * SECOND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gcp/pieces/" #name, test_ ## name)
  ADD (pieces_give_the_message);
  ADD (too_long_message_takes_no_memory);
  ADD (message_that_a_view_change_cuts_is_whole_in_the_next);
  ADD (newcomer_gets_a_whole_message);
  ADD (message_of_who_crashes_is_delivered_by_nobody);
  ADD (message_that_goes_ahead_gets_past_own_large_ones);
  ADD (both_rows_are_begun_again_in_order);
#undef ADD
  g_test_add_data_func ("/gcp/pieces/small_messages_get_past_large_ones/60kB",
      GSIZE_TO_POINTER (60000), test_small_messages_get_past_large_ones);
  g_test_add_data_func ("/gcp/pieces/small_messages_get_past_large_ones/1MB",
      GSIZE_TO_POINTER (1000000), test_small_messages_get_past_large_ones);
  return g_test_run ();
}
