#include "test-sessions.h"

#include <string.h>

#define PATIENCE (30 * G_TIME_SPAN_SECOND)

static GMutex lock;
static GCond changed;

char *
test_sessions_write_config (TestPki *pki, const char *name, TestPkiKind kind,
    const char *listen, const char *invite, const char *more)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *file = g_strconcat (name, ".conf", NULL);
  char *path = g_build_filename (test_pki_get_directory (pki), file, NULL);
  g_auto (GStrv) invited = g_strsplit (invite ? invite : "", ";", -1);
  GError *error = NULL;

  if (!g_file_test (test_pki_file (pki, name, ".pem"), G_FILE_TEST_EXISTS))
    test_pki_make_files (pki, name, kind);
  g_string_append_printf (text, "[identity]\ncertificate=%s.pem\n"
      "key=%s-key.pem\ntrust=%s\ncrl=%s\n[group]\nconference=talk\nlisten=%s\n",
      name, name, test_pki_get_trust_file (pki), test_pki_get_crl_file (pki),
      listen);
  if (invite) {
    g_string_append (text, "invite=");
    for (guint i = 0; invited[i]; i++)
      g_string_append_printf (text, "%.*s;",
          (int) strcspn (invited[i], "="), invited[i]);
    g_string_append (text, "\n[peers]\n");
    for (guint i = 0; invited[i]; i++)
      g_string_append_printf (text, "%s\n", invited[i]);
  }
  g_string_append (text, more ? more : "");
  g_file_set_contents (path, text->str, -1, &error);
  g_assert_no_error (error);
  return path;
}

G_GNUC_PRINTF (2, 3)
static void
hear (TestPeer *peer, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_mutex_lock (&peer->lock);
  g_string_append_vprintf (peer->heard, format, arguments);
  g_mutex_unlock (&peer->lock);
  va_end (arguments);
  g_mutex_lock (&lock);
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

static void
on_joined (BravisSession *session, const char *name, TestPeer *peer)
{
  hear (peer, "joined:%s ", name);
}

static void
on_left (BravisSession *session, const char *name, BravisLeaveReason reason,
    TestPeer *peer)
{
  static const char *const reasons[] = { "left", "failed", "put out" };

  hear (peer, "left:%s:%s ", name, reasons[reason]);
}

static void
on_epoch (BravisSession *session, guint64 number, const char *cause,
    double milliseconds, TestPeer *peer)
{
  g_assert_cmpfloat (milliseconds, >=, 0);
  hear (peer, "epoch:%" G_GUINT64_FORMAT ":%s ", number, cause);
}

static void
on_refused (BravisSession *session, const char *name, const char *by,
    const char *reason, TestPeer *peer)
{
  g_assert_nonnull (reason);
  hear (peer, "refused:%s:%s:%s ", name ? name : "?", by ? by : "me", reason);
}

static void
on_unreachable (BravisSession *session, const char *name, TestPeer *peer)
{
  hear (peer, "unreachable:%s ", name);
}

static void
on_ended (BravisSession *session, const char *reason, TestPeer *peer)
{
  hear (peer, "ended:%s ", reason);
}

static void
on_stream_added (BravisSession *session, const char *name, guint64 member,
    const char *kind, guint stream, const char *description, TestPeer *peer)
{
  hear (peer, "stream:%s:%s:%s ", name, kind, description);
}

static void
on_stream_removed (BravisSession *session, const char *name, guint64 member,
    const char *kind, guint stream, TestPeer *peer)
{
  hear (peer, "stream-gone:%s:%s ", name, kind);
}

static void
on_notify (BravisSession *session, GParamSpec *pspec, TestPeer *peer)
{
  hear (peer, "%s", "");
}

TestPeer *
test_peer_wrap (BravisSession *session)
{
  TestPeer *peer = g_new0 (TestPeer, 1);

  peer->session = session;
  g_mutex_init (&peer->lock);
  peer->heard = g_string_new (NULL);
  g_signal_connect (session, "member-joined", G_CALLBACK (on_joined), peer);
  g_signal_connect (session, "member-left", G_CALLBACK (on_left), peer);
  g_signal_connect (session, "epoch-changed", G_CALLBACK (on_epoch), peer);
  g_signal_connect (session, "refused", G_CALLBACK (on_refused), peer);
  g_signal_connect (session, "unreachable", G_CALLBACK (on_unreachable), peer);
  g_signal_connect (session, "ended", G_CALLBACK (on_ended), peer);
  g_signal_connect (session, "stream-added", G_CALLBACK (on_stream_added),
      peer);
  g_signal_connect (session, "stream-removed", G_CALLBACK (on_stream_removed),
      peer);
  g_signal_connect (session, "notify", G_CALLBACK (on_notify), peer);
  return peer;
}

TestPeer *
test_peer_new (const char *config)
{
  GError *error = NULL;
  BravisSession *session = bravis_session_new (NULL, config, &error);

  g_assert_no_error (error);
  return test_peer_wrap (session);
}

void
test_peer_free (TestPeer *peer)
{
  bravis_session_stop (peer->session);
  g_object_unref (peer->session);
  g_mutex_clear (&peer->lock);
  g_string_free (peer->heard, TRUE);
  g_free (peer);
}

char *
test_peer_get_address (TestPeer *peer)
{
  g_autoptr (GVariant) stats = bravis_session_dup_stats (peer->session);
  char *address = NULL;

  g_assert_true (g_variant_lookup (stats, "local-address", "s", &address));
  return address;
}

void
test_wait (TestCondition condition, gpointer data)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&lock);
  while (!condition (data))
    if (!g_cond_wait_until (&changed, &lock, deadline)) {
      g_mutex_unlock (&lock);
      g_assert_not_reached ();
    }
  g_mutex_unlock (&lock);
}

gboolean
test_peer_has_heard (TestPeer *peer, const char *text)
{
  gboolean has;

  g_mutex_lock (&peer->lock);
  has = strstr (peer->heard->str, text) != NULL;
  g_mutex_unlock (&peer->lock);
  return has;
}

void
test_peer_wait_heard (TestPeer *peer, const char *text)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&lock);
  while (!test_peer_has_heard (peer, text))
    if (!g_cond_wait_until (&changed, &lock, deadline))
      g_error ("%s waits for '%s' and heard only: %s",
          bravis_session_get_identity (peer->session), text, peer->heard->str);
  g_mutex_unlock (&lock);
}

typedef struct {
  TestPeer **peers;
  guint n_peers;
  guint n;
} Agreement;

static gboolean
agree (gpointer data)
{
  Agreement *agreement = data;
  BravisSession *first = agreement->peers[0]->session;
  g_auto (GStrv) members = bravis_session_dup_members (first);
  g_autofree char *code = bravis_session_dup_verification_code (first);

  if (g_strv_length (members) != agreement->n || !code)
    return FALSE;
  for (guint i = 1; i < agreement->n_peers; i++) {
    BravisSession *session = agreement->peers[i]->session;
    g_auto (GStrv) other = bravis_session_dup_members (session);
    g_autofree char *other_code =
        bravis_session_dup_verification_code (session);

    if (!g_strv_equal ((const char *const *) members,
            (const char *const *) other)
        || g_strcmp0 (code, other_code) != 0
        || bravis_session_get_epoch_number (session)
        != bravis_session_get_epoch_number (first))
      return FALSE;
  }
  return TRUE;
}

void
test_peers_wait_agree (TestPeer **peers, guint n_peers, guint n)
{
  Agreement agreement = { peers, n_peers, n };
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&lock);
  while (!agree (&agreement))
    if (!g_cond_wait_until (&changed, &lock, deadline)) {
      for (guint i = 0; i < n_peers; i++)
        g_printerr ("%s heard: %s\n",
            bravis_session_get_identity (peers[i]->session),
            peers[i]->heard->str);
      g_error ("no agreement of %u members", n);
    }
  g_mutex_unlock (&lock);
}
