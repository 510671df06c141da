/* A member that is measured, as a BravisSession. */
#include "bench-member.h"

#include "../keymgmt/bravis-session.h"

#include <gio/gio.h>
#include <stdio.h>

static gboolean
send_message (gpointer group, const guint8 *data, gsize size)
{
  BravisSession *session = group;
  g_autoptr (GBytes) message = g_bytes_new (data, size);

  /* While this peer is on its way in or out there is nobody to measure. */
  return bravis_session_multicast (session, message, BRAVIS_QUALITY_AGREED,
      NULL);
}

static gboolean
invite (gpointer group, const char *name, const char *address, GError **error)
{
  return bravis_session_invite (group, name, address, error);
}

static void
on_message (BravisSession *session, const char *name, guint64 sender,
    GBytes *message, gpointer user_data)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (message, &size);

  bench_member_take_message (user_data, data, size);
}

static void
on_view (BravisSession *session, BravisView *view, gpointer user_data)
{
  bench_member_take_view (user_data, bravis_view_get_n_members (view));
}

static void
on_writable (BravisSession *session, gpointer user_data)
{
  bench_member_take_writable (user_data);
}

static void
on_refused (BravisSession *session, const char *name, const char *by,
    const char *reason, gpointer user_data)
{
  bench_member_say (user_data, "failed %s was refused: %s",
      name ? name : "somebody", reason);
}

int
bench_bravis_member_main (const char *config)
{
  static const BenchGroup group = { send_message, invite };
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisSession) session = bravis_session_new (NULL, config, &error);
  g_autoptr (BenchMember) member = bench_member_new (&group, session);
  g_autoptr (GVariant) stats = NULL;
  const char *address = "";

  if (!session) {
    bench_member_say (member, "failed %s", error->message);
    return 1;
  }
  bravis_session_set_message_handler (session, on_message, member, NULL);
  g_signal_connect (session, "view-changed", G_CALLBACK (on_view), member);
  g_signal_connect (session, "writable", G_CALLBACK (on_writable), member);
  g_signal_connect (session, "refused", G_CALLBACK (on_refused), member);
  bravis_session_start (session);
  stats = bravis_session_dup_stats (session);
  g_variant_lookup (stats, "local-address", "&s", &address);
  bench_member_say (member, "ready %s", address);
  bench_member_run (member);
  bravis_session_stop (session);
  return 0;
}
