#include "../../gcp/gcp-udp.h"

#include <string.h>

#define PATIENCE (20 * G_TIME_SPAN_SECOND)

/* What a socket got, for a test to wait for. */
typedef struct {
  GMutex lock;
  GCond changed;
  GPtrArray *datagrams;         /* of GBytes */
  GcpAddress from;              /* of the last */
  gboolean stopped;
  gboolean called_after_stop;
} Inbox;

static void
inbox_receive (const GcpAddress *from, guint8 *data, gsize size,
    gpointer user_data)
{
  Inbox *inbox = user_data;

  g_mutex_lock (&inbox->lock);
  inbox->called_after_stop |= inbox->stopped;
  g_ptr_array_add (inbox->datagrams, g_bytes_new (data, size));
  inbox->from = *from;
  g_cond_signal (&inbox->changed);
  g_mutex_unlock (&inbox->lock);
  memset (data, 0xee, size);
}

static void
inbox_init (Inbox *inbox)
{
  memset (inbox, 0, sizeof *inbox);
  inbox->datagrams = g_ptr_array_new_with_free_func (
      (GDestroyNotify) g_bytes_unref);
}

static void
inbox_clear (Inbox *inbox)
{
  g_ptr_array_unref (inbox->datagrams);
  g_mutex_clear (&inbox->lock);
  g_cond_clear (&inbox->changed);
}

static void
inbox_wait (Inbox *inbox, guint n)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&inbox->lock);
  while (inbox->datagrams->len < n)
    g_assert_true (g_cond_wait_until (&inbox->changed, &inbox->lock,
            deadline));
  g_mutex_unlock (&inbox->lock);
}

static GcpUdp *
open_at (const char *text, GcpAddress *local)
{
  GError *error = NULL;
  GcpAddress listen;
  GcpUdp *udp;

  g_assert_true (gcp_address_parse (text, TRUE, &listen, &error));
  udp = gcp_udp_new (&listen, &error);
  g_assert_no_error (error);
  gcp_udp_get_local (udp, local);
  g_assert_cmpuint (local->port, !=, 0);
  return udp;
}

static void
check_exchange (const char *listen_a, const char *listen_b, const char *b_host)
{
  GcpAddress local_a, local_b, b;
  g_autoptr (GcpUdp) udp_a = open_at (listen_a, &local_a);
  g_autoptr (GcpUdp) udp_b = open_at (listen_b, &local_b);
  g_autofree char *text = g_strdup_printf ("%s:%u", b_host, local_b.port);
  Inbox inbox_a, inbox_b;

  inbox_init (&inbox_a);
  inbox_init (&inbox_b);
  gcp_udp_start (udp_a, inbox_receive, &inbox_a);
  gcp_udp_start (udp_b, inbox_receive, &inbox_b);
  g_assert_true (gcp_address_parse (text, FALSE, &b, NULL));

  g_assert_true (gcp_udp_send (udp_a, &b, "there", 5));
  inbox_wait (&inbox_b, 1);
  g_assert_true (gcp_udp_send (udp_b, &inbox_b.from, "and back", 8));
  inbox_wait (&inbox_a, 1);
  g_assert_true (gcp_address_equal (&inbox_a.from, &b));

  gcp_udp_stop (udp_a);
  gcp_udp_stop (udp_b);
  inbox_clear (&inbox_a);
  inbox_clear (&inbox_b);
}

static void
test_there_and_back (void)
{
  check_exchange ("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1");
}

static void
test_there_and_back_ipv6 (void)
{
  check_exchange ("[::1]:0", "[::1]:0", "[::1]");
}

static void
test_ipv6_socket_talks_to_ipv4 (void)
{
  check_exchange ("[::]:0", "127.0.0.1:0", "127.0.0.1");
  check_exchange ("127.0.0.1:0", "[::]:0", "127.0.0.1");
}

static void
test_port_in_use_is_named (void)
{
  GcpAddress local;
  g_autoptr (GcpUdp) first = open_at ("127.0.0.1:0", &local);
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_strdup_printf (
      "cannot listen on 127.0.0.1:%u: Address already in use", local.port);

  g_assert_null (gcp_udp_new (&local, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_foreign_address_is_named (void)
{
  g_autoptr (GError) error = NULL;
  GcpAddress listen;

  g_assert_true (gcp_address_parse ("192.0.2.1:5004", FALSE, &listen, NULL));
  g_assert_null (gcp_udp_new (&listen, &error));
  g_assert_nonnull (error);
  g_assert_true (g_str_has_prefix (error->message,
          "cannot listen on 192.0.2.1:5004: "));
}

static void
test_all_sizes_arrive_and_long_ones_are_cut (void)
{
  GcpAddress local_a, local_b;
  g_autoptr (GcpUdp) udp_a = open_at ("127.0.0.1:0", &local_a);
  g_autoptr (GcpUdp) udp_b = open_at ("127.0.0.1:0", &local_b);
  guint8 data[GCP_UDP_MAX_DATAGRAM + 100];
  Inbox inbox;
  guint n = 0;

  inbox_init (&inbox);
  gcp_udp_start (udp_b, inbox_receive, &inbox);
  for (gsize i = 0; i < sizeof data; i++)
    data[i] = i * 7;
  for (gsize size = 0; size <= sizeof data; size++) {
    GBytes *got;
    gsize expected = MIN (size, GCP_UDP_MAX_DATAGRAM);

    g_assert_true (gcp_udp_send (udp_a, &local_b, data, size));
    inbox_wait (&inbox, ++n);
    got = g_ptr_array_index (inbox.datagrams, n - 1);
    g_assert_cmpmem (g_bytes_get_data (got, NULL), g_bytes_get_size (got),
        data, expected);
  }
  gcp_udp_stop (udp_b);
  inbox_clear (&inbox);
}

static void
test_one_call_sends_to_all (void)
{
  enum { N = 150 };
  GcpAddress local_a, to[N + 2];
  g_autoptr (GcpUdp) udp_a = open_at ("127.0.0.1:0", &local_a);
  GcpUdp *others[N];
  Inbox inbox;

  inbox_init (&inbox);
  for (guint i = 0; i < N; i++) {
    others[i] = open_at ("127.0.0.1:0", &to[i]);
    gcp_udp_start (others[i], inbox_receive, &inbox);
  }
  /* An IPv4 socket cannot reach the last two; the others are not hurt. */
  to[N] = to[0];
  to[0] = (GcpAddress) { 0 };
  g_assert_true (gcp_address_parse ("[::1]:9", FALSE, &to[N + 1], NULL));
  g_assert_cmpuint (gcp_udp_send_to_all (udp_a, to, N + 2, "all", 3), ==, N);
  inbox_wait (&inbox, N);
  for (guint i = 0; i < N; i++)
    gcp_udp_free (others[i]);
  g_assert_cmpuint (inbox.datagrams->len, ==, N);
  inbox_clear (&inbox);
}

/* More than one batch, to two places in turn and to one that cannot be reached. */
static void
test_many_are_sent_together_in_order (void)
{
  enum { N = 301 };
  GcpAddress local_a, local[2];
  g_autoptr (GcpUdp) udp_a = open_at ("127.0.0.1:0", &local_a);
  GcpUdp *others[2];
  Inbox inboxes[2];
  GcpUdpDatagram datagrams[N];
  guint8 data[N];

  for (guint i = 0; i < 2; i++) {
    inbox_init (&inboxes[i]);
    others[i] = open_at ("127.0.0.1:0", &local[i]);
    gcp_udp_start (others[i], inbox_receive, &inboxes[i]);
  }
  for (guint i = 0; i < N; i++) {
    data[i] = i / 2;
    datagrams[i] = (GcpUdpDatagram) { local[i % 2], &data[i], 1 };
  }
  datagrams[N - 1].to = (GcpAddress) { 0 };
  g_assert_cmpuint (gcp_udp_send_many (udp_a, datagrams, N), ==, N - 1);
  for (guint i = 0; i < 2; i++) {
    inbox_wait (&inboxes[i], N / 2);
    gcp_udp_free (others[i]);
    g_assert_cmpuint (inboxes[i].datagrams->len, ==, N / 2);
    for (guint k = 0; k < N / 2; k++) {
      gsize size;
      const guint8 *got = g_bytes_get_data (
          g_ptr_array_index (inboxes[i].datagrams, k), &size);

      g_assert_cmpuint (size, ==, 1);
      g_assert_cmpuint (*got, ==, (guint8) k);
    }
    inbox_clear (&inboxes[i]);
  }
}

static void
test_closed_port_hurts_nobody (void)
{
  GcpAddress local_a, local_b, gone;
  g_autoptr (GcpUdp) udp_a = open_at ("127.0.0.1:0", &local_a);
  g_autoptr (GcpUdp) udp_b = open_at ("127.0.0.1:0", &local_b);
  Inbox inbox_a, inbox_b;

  inbox_init (&inbox_a);
  inbox_init (&inbox_b);
  gcp_udp_free (open_at ("127.0.0.1:0", &gone));
  gcp_udp_start (udp_a, inbox_receive, &inbox_a);
  gcp_udp_start (udp_b, inbox_receive, &inbox_b);
  for (guint i = 0; i < 50; i++) {
    gcp_udp_send (udp_a, &gone, "anybody?", 8);
    g_assert_true (gcp_udp_send (udp_a, &local_b, "you", 3));
  }
  inbox_wait (&inbox_b, 50);
  g_assert_true (gcp_udp_send (udp_b, &local_a, "yes", 3));
  inbox_wait (&inbox_a, 1);
  gcp_udp_stop (udp_a);
  gcp_udp_stop (udp_b);
  inbox_clear (&inbox_a);
  inbox_clear (&inbox_b);
}

static gpointer
flood (gpointer data)
{
  const GcpAddress *to = data;
  GcpAddress local;
  g_autoptr (GcpUdp) udp = open_at ("127.0.0.1:0", &local);

  for (guint i = 0; i < 20000; i++)
    gcp_udp_send (udp, to, "flood", 5);
  return NULL;
}

static void
test_nothing_is_called_after_stop (void)
{
  GcpAddress local;
  g_autoptr (GcpUdp) udp = open_at ("127.0.0.1:0", &local);
  GThread *thread = g_thread_new ("flood", flood, &local);
  Inbox inbox;

  inbox_init (&inbox);
  for (guint i = 0; i < 3; i++) {
    inbox.stopped = FALSE;
    gcp_udp_start (udp, inbox_receive, &inbox);
    inbox_wait (&inbox, inbox.datagrams->len + 1);
    gcp_udp_stop (udp);
    g_mutex_lock (&inbox.lock);
    inbox.stopped = TRUE;
    g_mutex_unlock (&inbox.lock);
  }
  gcp_udp_stop (udp);
  g_thread_join (thread);
  g_assert_false (inbox.called_after_stop);
  inbox_clear (&inbox);
}

static void
test_stop_of_what_never_started (void)
{
  GcpAddress local;
  g_autoptr (GcpUdp) udp = open_at ("127.0.0.1:0", &local);

  gcp_udp_stop (udp);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gcp/udp/there_and_back", test_there_and_back);
  g_test_add_func ("/gcp/udp/there_and_back_ipv6", test_there_and_back_ipv6);
  g_test_add_func ("/gcp/udp/ipv6_socket_talks_to_ipv4",
      test_ipv6_socket_talks_to_ipv4);
  g_test_add_func ("/gcp/udp/port_in_use_is_named", test_port_in_use_is_named);
  g_test_add_func ("/gcp/udp/foreign_address_is_named",
      test_foreign_address_is_named);
  g_test_add_func ("/gcp/udp/all_sizes_arrive_and_long_ones_are_cut",
      test_all_sizes_arrive_and_long_ones_are_cut);
  g_test_add_func ("/gcp/udp/one_call_sends_to_all",
      test_one_call_sends_to_all);
  g_test_add_func ("/gcp/udp/many_are_sent_together_in_order",
      test_many_are_sent_together_in_order);
  g_test_add_func ("/gcp/udp/closed_port_hurts_nobody",
      test_closed_port_hurts_nobody);
  g_test_add_func ("/gcp/udp/nothing_is_called_after_stop",
      test_nothing_is_called_after_stop);
  g_test_add_func ("/gcp/udp/stop_of_what_never_started",
      test_stop_of_what_never_started);
  return g_test_run ();
}
