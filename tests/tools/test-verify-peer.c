/* Peers that verify each other's traffic, where something goes wrong between them:
 * bravis_session_multicast () is wrapped, and does not do as it is told. */
#include "../../tools/bench-identities.h"
#include "../../tools/bravis-files.h"
#include "../../tools/verify-peer.h"
#include "../../keymgmt/bravis-session.h"

#include <gio/gio.h>
#include <string.h>

enum { N = 2, WHEN = 30, SIZE = 200 };

typedef enum { NONE, SKIP, REPEAT, ALTER } Fault;

static Fault fault;
static int n_sent;              /* of all peers; atomic */
static int planted;             /* the fault was; atomic */

gboolean __real_bravis_session_multicast (BravisSession *session,
    GBytes *message, BravisQuality quality, GError **error);
gboolean __wrap_bravis_session_multicast (BravisSession *session,
    GBytes *message, BravisQuality quality, GError **error);

static GBytes *
alter (GBytes *message)
{
  gsize size;
  guint8 *octets = g_memdup2 (g_bytes_get_data (message, &size), SIZE);

  octets[size / 2] ^= 0x10;
  return g_bytes_new_take (octets, size);
}

/* FALSE: there was no room, the next call is to try it. */
static gboolean
plant (BravisSession *session, GBytes *message, BravisQuality quality)
{
  g_autoptr (GBytes) altered = fault == ALTER ? alter (message)
      : g_bytes_ref (message);
  gboolean repeated = fault != REPEAT
      || __real_bravis_session_multicast (session, message, quality, NULL);

  return fault == SKIP || (repeated
      && __real_bravis_session_multicast (session, altered, quality, NULL));
}

gboolean
__wrap_bravis_session_multicast (BravisSession *session, GBytes *message,
    BravisQuality quality, GError **error)
{
  gboolean done;

  if (fault == NONE || g_atomic_int_add (&n_sent, 1) < WHEN
      || !g_atomic_int_compare_and_exchange (&planted, 0, 1))
    return __real_bravis_session_multicast (session, message, quality, error);
  done = plant (session, message, quality);
  if (!done)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, "again");
  g_atomic_int_set (&planted, done);
  return done;
}

/* What one of them sent last may be behind any number of the other's messages, so
 * a fault is waited for, too. */
static void
wait_until_seen (VerifyPeer **peers, guint64 n_checked, guint n_faults)
{
  gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;

  for (guint i = 0; i < N; i++)
    while (verify_peer_get_n_checked (peers[i]) < n_checked
        || verify_peer_get_n_faults (peers[i]) < n_faults) {
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
      g_thread_yield ();
    }
}

static void
join (VerifyPeer **peers, const char *directory)
{
  static const char *const addresses[N] = { "127.0.0.1", "127.0.0.1" };
  g_autofree char *name = bench_identities_get_name (1);
  g_autofree char *address = NULL;
  g_autoptr (GError) error = NULL;

  bench_identities_write (directory, addresses, N, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < N; i++) {
    g_autofree char *config = bench_identities_get_file (directory, i, ".conf");

    peers[i] = verify_peer_new (config, &error);
    g_assert_no_error (error);
  }
  address = verify_peer_get_address (peers[1]);
  g_assert_true (verify_peer_invite (peers[0], name, address, &error));
  while (verify_peer_get_n_members (peers[0]) < N
      || verify_peer_get_n_members (peers[1]) < N)
    g_thread_yield ();
}

static void
test_fault (gconstpointer data)
{
  g_autofree char *directory = g_dir_make_tmp ("verify-XXXXXX", NULL);
  VerifyPeer *peers[N];

  fault = GPOINTER_TO_INT (data);
  g_atomic_int_set (&n_sent, 0);
  g_atomic_int_set (&planted, 0);
  join (peers, directory);
  for (guint i = 0; i < N; i++)
    verify_peer_start_sending (peers[i], 0, SIZE);
  wait_until_seen (peers, 3 * WHEN, fault == NONE ? 0 : 1);
  for (guint i = 0; i < N; i++)
    verify_peer_stop_sending (peers[i]);
  for (guint i = 0; i < N; i++) {
    if (fault == NONE)
      g_assert_cmpuint (verify_peer_get_n_faults (peers[i]), ==, 0);
    else
      g_assert_cmpuint (verify_peer_get_n_faults (peers[i]), >, 0);
    verify_peer_free (peers[i]);
  }
  bravis_remove_directory (directory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/tools/verify/no_fault_is_none",
      GINT_TO_POINTER (NONE), test_fault);
  g_test_add_data_func ("/tools/verify/skipped_message_is_found_by_all",
      GINT_TO_POINTER (SKIP), test_fault);
  g_test_add_data_func ("/tools/verify/repeated_message_is_found_by_all",
      GINT_TO_POINTER (REPEAT), test_fault);
  g_test_add_data_func ("/tools/verify/altered_message_is_found_by_all",
      GINT_TO_POINTER (ALTER), test_fault);
  return g_test_run ();
}
