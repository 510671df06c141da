#include "verify-peer.h"

#include "../keymgmt/bravis-session.h"

#include <gio/gio.h>

/* What is wrong is often wrong again and again: so many are said. */
#define MAX_SAID 20

/* µs until it is tried again where there is no conference to send to. */
#define PAUSE (10 * G_TIME_SPAN_MILLISECOND)

struct _VerifyPeer {
  BravisSession *session;
  VerifyTraffic *traffic;
  GThread *thread;
  guint rate;
  gsize size;

  GMutex lock;                  /* of what follows */
  GCond changed;
  gboolean writable;
  gboolean stopping;
  gboolean over;
  guint n_members;
  guint64 n_sent;
  guint n_faults;
};

/* --- what comes from the group, in the session's thread --- */

static void
say_fault (VerifyPeer *peer, const char *fault)
{
  guint n;

  g_mutex_lock (&peer->lock);
  n = ++peer->n_faults;
  g_mutex_unlock (&peer->lock);
  if (n <= MAX_SAID)
    g_printerr ("%s: %s\n", bravis_session_get_identity (peer->session), fault);
}

static void
on_message (BravisSession *session, const char *name, guint64 member,
    GBytes *message, gpointer user_data)
{
  VerifyPeer *peer = user_data;
  g_autofree char *fault = verify_traffic_check (peer->traffic, member,
      message);

  if (fault)
    say_fault (peer, fault);
}

static void
on_view (BravisSession *session, BravisView *view, VerifyPeer *peer)
{
  guint n = bravis_view_get_n_members (view);
  g_autofree guint64 *members = g_new (guint64, n);

  for (guint i = 0; i < n; i++)
    members[i] = bravis_view_get_member (view, i);
  verify_traffic_take_view (peer->traffic, bravis_view_get_number (view),
      members, n);
  g_mutex_lock (&peer->lock);
  peer->n_members = n;
  g_mutex_unlock (&peer->lock);
}

static void
on_left (BravisSession *session, const char *name, BravisLeaveReason reason,
    VerifyPeer *peer)
{
  static const char *const reasons[] = { "left", "failed", "was put out" };

  g_printerr ("%s: %s %s\n", bravis_session_get_identity (session), name,
      reasons[reason]);
}

static void
on_writable (BravisSession *session, VerifyPeer *peer)
{
  g_mutex_lock (&peer->lock);
  peer->writable = TRUE;
  g_cond_broadcast (&peer->changed);
  g_mutex_unlock (&peer->lock);
}

static void
on_ended (BravisSession *session, const char *reason, VerifyPeer *peer)
{
  g_mutex_lock (&peer->lock);
  peer->over = TRUE;
  peer->n_members = 0;
  g_cond_broadcast (&peer->changed);
  g_mutex_unlock (&peer->lock);
}

static void
on_refused (BravisSession *session, const char *name, const char *by,
    const char *reason, VerifyPeer *peer)
{
  g_printerr ("%s: %s was refused: %s\n",
      bravis_session_get_identity (session), name ? name : "somebody", reason);
}

/* --- sending --- */

/* Waits for room, for the time for the next message, or the end of sending.
 * Returns FALSE at the last. */
static gboolean
wait_until (VerifyPeer *peer, gint64 time, gboolean for_room)
{
  gboolean go_on;

  g_mutex_lock (&peer->lock);
  while (!peer->stopping && !peer->over && !(for_room && peer->writable)
      && g_cond_wait_until (&peer->changed, &peer->lock, time))
    continue;
  peer->writable = FALSE;
  go_on = !peer->stopping && !peer->over;
  g_mutex_unlock (&peer->lock);
  return go_on;
}

/* FALSE: sending ended before it was sent. */
static gboolean
send_message (VerifyPeer *peer, GBytes *message)
{
  g_autoptr (GError) error = NULL;

  while (!bravis_session_multicast (peer->session, message,
          BRAVIS_QUALITY_AGREED, &error)) {
    gboolean is_full = g_error_matches (error, G_IO_ERROR,
        G_IO_ERROR_WOULD_BLOCK);

    g_clear_error (&error);
    if (!wait_until (peer, g_get_monotonic_time () + PAUSE, is_full))
      return FALSE;
  }
  return TRUE;
}

static gpointer
send_all (gpointer data)
{
  VerifyPeer *peer = data;
  gint64 next = g_get_monotonic_time ();

  for (;;) {
    g_autoptr (GBytes) message = NULL;

    if (peer->rate > 0)
      next += G_USEC_PER_SEC / peer->rate;
    if (!wait_until (peer, peer->rate > 0 ? next : 0, FALSE))
      return NULL;
    message = verify_traffic_make (peer->traffic, peer->size);
    if (!send_message (peer, message))
      return NULL;
    g_mutex_lock (&peer->lock);
    peer->n_sent++;
    g_mutex_unlock (&peer->lock);
  }
}

void
verify_peer_start_sending (VerifyPeer *peer, guint rate, gsize size)
{
  peer->rate = rate;
  peer->size = size;
  peer->thread = g_thread_new ("sender", send_all, peer);
}

void
verify_peer_stop_sending (VerifyPeer *peer)
{
  if (!peer->thread)
    return;
  g_mutex_lock (&peer->lock);
  peer->stopping = TRUE;
  g_cond_broadcast (&peer->changed);
  g_mutex_unlock (&peer->lock);
  g_thread_join (g_steal_pointer (&peer->thread));
}

/* --- life --- */

VerifyPeer *
verify_peer_new (const char *config, GError **error)
{
  g_autoptr (BravisSession) session = bravis_session_new (NULL, config, error);
  VerifyPeer *peer;

  if (!session)
    return NULL;
  peer = g_new0 (VerifyPeer, 1);
  peer->session = g_steal_pointer (&session);
  peer->traffic = verify_traffic_new ();
  g_mutex_init (&peer->lock);
  g_cond_init (&peer->changed);
  bravis_session_set_message_handler (peer->session, on_message, peer, NULL);
  g_signal_connect (peer->session, "view-changed", G_CALLBACK (on_view), peer);
  g_signal_connect (peer->session, "member-left", G_CALLBACK (on_left), peer);
  g_signal_connect (peer->session, "writable", G_CALLBACK (on_writable), peer);
  g_signal_connect (peer->session, "ended", G_CALLBACK (on_ended), peer);
  g_signal_connect (peer->session, "refused", G_CALLBACK (on_refused), peer);
  bravis_session_start (peer->session);
  return peer;
}

void
verify_peer_free (VerifyPeer *peer)
{
  verify_peer_stop_sending (peer);
  bravis_session_stop (peer->session);
  g_object_unref (peer->session);
  verify_traffic_free (peer->traffic);
  g_mutex_clear (&peer->lock);
  g_cond_clear (&peer->changed);
  g_free (peer);
}

char *
verify_peer_get_address (VerifyPeer *peer)
{
  g_autoptr (GVariant) stats = bravis_session_dup_stats (peer->session);
  char *address = NULL;

  g_variant_lookup (stats, "local-address", "s", &address);
  return address;
}

gboolean
verify_peer_invite (VerifyPeer *peer, const char *name, const char *address,
    GError **error)
{
  return bravis_session_invite (peer->session, name, address, error);
}

/* --- looking at it --- */

guint
verify_peer_get_n_members (VerifyPeer *peer)
{
  guint n;

  g_mutex_lock (&peer->lock);
  n = peer->n_members;
  g_mutex_unlock (&peer->lock);
  return n;
}

guint64
verify_peer_get_n_sent (VerifyPeer *peer)
{
  guint64 n;

  g_mutex_lock (&peer->lock);
  n = peer->n_sent;
  g_mutex_unlock (&peer->lock);
  return n;
}

guint64
verify_peer_get_n_checked (VerifyPeer *peer)
{
  return verify_traffic_get_n_checked (peer->traffic);
}

guint
verify_peer_get_n_faults (VerifyPeer *peer)
{
  guint n;

  g_mutex_lock (&peer->lock);
  n = peer->n_faults;
  g_mutex_unlock (&peer->lock);
  return n;
}

guint64
verify_peer_get_n_queued (VerifyPeer *peer)
{
  return bravis_session_get_queued (peer->session);
}

gboolean
verify_peer_is_over (VerifyPeer *peer)
{
  gboolean over;

  g_mutex_lock (&peer->lock);
  over = peer->over;
  g_mutex_unlock (&peer->lock);
  return over;
}
