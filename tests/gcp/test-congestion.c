/* A link on a path that is too narrow for it, alone and beside media. */
#include <string.h>

#include "../../gcp/gcp-congestion.h"
#include "../../gcp/gcp-link.h"
#include "sim-network.h"

#define SECOND G_USEC_PER_SEC
#define MILLISECOND (SECOND / 1000)
#define RATE 250000                     /* bytes a second: 2 Mbit/s */
#define MEDIA 0xff                      /* first octet of a packet of media */
#define MEDIA_SIZE 1000

/* 40 ms round trip, and a queue of as much as a second, as home routers have. */
static const SimConditions narrow = {
  .delay_min = 20000,.delay_max = 20000,.rate = RATE,.queue = RATE
};

typedef struct {
  SimNetwork *network;
  GcpLink *links[2];
  gsize taken;                  /* bytes of messages */
  gint64 media_interval;        /* between packets; 0: none */
  guint n_media_sent, n_media_heard;
  gint64 media_delay;           /* the longest one way, reset by who reads it */
} Path;

typedef struct {
  Path *path;
  guint index;
} End;

static void
pump (Path *path, guint index)
{
  gint64 now = sim_network_now (path->network);
  GBytes *bytes;

  while ((bytes = gcp_link_take (path->links[index]))) {
    path->taken += g_bytes_get_size (bytes);
    g_bytes_unref (bytes);
  }
  while ((bytes = gcp_link_poll (path->links[index], now))) {
    sim_network_send (path->network, index, 1 - index,
        g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    g_bytes_unref (bytes);
  }
  sim_network_set_deadline (path->network, index,
      gcp_link_deadline (path->links[index]));
}

static void
end_receive (gpointer user_data, guint from, const guint8 *data, gsize size,
    gint64 now)
{
  End *end = user_data;
  gint64 sent;

  if (data[0] == MEDIA) {
    memcpy (&sent, data + 1, sizeof (sent));
    end->path->n_media_heard++;
    end->path->media_delay = MAX (end->path->media_delay, now - sent);
    return;
  }
  gcp_link_receive (end->path->links[end->index], data, size, now);
  pump (end->path, end->index);
}

static void
end_tick (gpointer user_data, gint64 now)
{
  End *end = user_data;

  pump (end->path, end->index);
}

static void
send_media (SimNetwork *network, gpointer user_data)
{
  Path *path = user_data;
  gint64 now = sim_network_now (network);
  guint8 packet[MEDIA_SIZE] = { MEDIA };

  if (path->media_interval == 0)
    return;
  memcpy (packet + 1, &now, sizeof (now));
  sim_network_send (network, 0, 1, packet, sizeof (packet));
  path->n_media_sent++;
  sim_network_at (network, now + path->media_interval, send_media, path);
}

/* @share of the rate is media's. */
static void
start_media (Path *path, double share)
{
  path->media_interval = MEDIA_SIZE * SECOND / (share * RATE);
  send_media (path->network, path);
}

/* There is always something to send. */
static void
run (Path *path, gint64 microseconds)
{
  g_autofree guint8 *zeros = g_malloc0 (1000);
  g_autoptr (GBytes) message = g_bytes_new (zeros, 1000);
  gint64 end = sim_network_now (path->network) + microseconds;

  path->taken = 0;
  path->media_delay = 0;
  path->n_media_sent = path->n_media_heard = 0;
  while (sim_network_now (path->network) < end) {
    while (gcp_link_get_queued (path->links[0]) < 100000)
      gcp_link_send (path->links[0], message);
    pump (path, 0);
    sim_network_run_until (path->network,
        sim_network_now (path->network) + 10 * MILLISECOND);
  }
}

static void
path_init (Path *path, End *ends, const SimConditions *conditions)
{
  static const SimNodeFuncs funcs = { end_receive, end_tick };
  GcpLinkConfig config = { 1100, 100000, 800000, 10000 };

  memset (path, 0, sizeof (Path));
  path->network = sim_network_new (1, conditions);
  for (guint i = 0; i < 2; i++) {
    ends[i] = (End) { path, i };
    sim_network_add_node (path->network, &funcs, &ends[i]);
    path->links[i] = gcp_link_new (&config, 0);
  }
}

static void
path_clear (Path *path)
{
  for (guint i = 0; i < 2; i++)
    gcp_link_free (path->links[i]);
  sim_network_free (path->network);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Path, path_clear)

static void
say (const Path *path, gint64 microseconds)
{
  g_test_message ("link %.0f %% of the rate, media %u of %u, at most %"
      G_GINT64_FORMAT " ms late", 100.0 * path->taken * SECOND / microseconds
      / RATE, path->n_media_heard, path->n_media_sent,
      path->media_delay / MILLISECOND);
}

static void
test_fills_a_path_that_is_idle (void)
{
  End ends[2];
  g_auto (Path) path;

  path_init (&path, ends, &narrow);
  run (&path, 10 * SECOND);
  run (&path, 60 * SECOND);
  say (&path, 60 * SECOND);
  g_assert_cmpuint (path.taken, >, RATE * 60 * 0.75);
}

/* What is late is so by the delay that the link allows itself, not by the second
 * that the queue could hold. */
static void
test_yields_to_media (void)
{
  End ends[2];
  g_auto (Path) path;

  path_init (&path, ends, &narrow);
  run (&path, 30 * SECOND);
  start_media (&path, 0.7);
  run (&path, 2 * SECOND);
  say (&path, 2 * SECOND);
  g_assert_cmpint (path.media_delay, <, 300 * MILLISECOND);
  run (&path, 60 * SECOND);
  say (&path, 60 * SECOND);
  g_assert_cmpuint (path.n_media_heard, >=, path.n_media_sent - 20);
  g_assert_cmpint (path.media_delay, <, 20 * MILLISECOND
      + 2 * GCP_CONGESTION_TARGET);
  g_assert_cmpuint (path.taken, >, RATE * 60 * 0.1);
}

static void
test_media_that_need_all_get_nearly_all (void)
{
  End ends[2];
  g_auto (Path) path;

  path_init (&path, ends, &narrow);
  run (&path, 30 * SECOND);
  start_media (&path, 0.95);
  run (&path, 20 * SECOND);
  run (&path, 60 * SECOND);
  say (&path, 60 * SECOND);
  g_assert_cmpuint (path.n_media_heard, >=, path.n_media_sent - 40);
  g_assert_cmpint (path.media_delay, <, 300 * MILLISECOND);
}

static void
test_random_loss_is_borne (void)
{
  static const double shares[] = { 0.05, 0.2 };

  for (guint i = 0; i < G_N_ELEMENTS (shares); i++) {
    SimConditions conditions = narrow;
    End ends[2];
    g_auto (Path) path;

    conditions.loss = shares[i];
    path_init (&path, ends, &conditions);
    run (&path, 10 * SECOND);
    run (&path, 30 * SECOND);
    say (&path, 30 * SECOND);
    g_assert_cmpuint (path.taken, >, RATE * 30 * 0.4);
  }
}

static void
test_goes_on_after_a_cut (void)
{
  End ends[2];
  g_auto (Path) path;

  path_init (&path, ends, &narrow);
  run (&path, 10 * SECOND);
  sim_network_set_side (path.network, 1, 1);
  run (&path, 5 * SECOND);
  g_assert_cmpuint (path.taken, <, RATE);
  sim_network_set_side (path.network, 1, 0);
  run (&path, SECOND);
  run (&path, 10 * SECOND);
  say (&path, 10 * SECOND);
  g_assert_cmpuint (path.taken, >, RATE * 10 / 2);
}

/* A path that drops at once what it cannot carry gives no other sign. */
static void
test_losses_are_bounded_where_there_are_no_queues (void)
{
  SimConditions conditions = narrow;
  End ends[2];
  g_auto (Path) path;

  conditions.queue = 5000;
  path_init (&path, ends, &conditions);
  run (&path, 10 * SECOND);
  start_media (&path, 0.3);
  run (&path, 60 * SECOND);
  say (&path, 60 * SECOND);
  g_assert_cmpuint (path.n_media_heard, >, path.n_media_sent / 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gcp/congestion/" #name, test_ ## name)
  ADD (fills_a_path_that_is_idle);
  ADD (yields_to_media);
  ADD (media_that_need_all_get_nearly_all);
  ADD (random_loss_is_borne);
  ADD (goes_on_after_a_cut);
  ADD (losses_are_bounded_where_there_are_no_queues);
#undef ADD
  return g_test_run ();
}
