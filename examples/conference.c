/* conference.c: a peer of a conference, without any media
 *
 *   conference CONFIG [NAME=HOST:PORT ...]
 *
 * Joins or starts the conference that the configuration file says, invites who is
 * named, and prints what happens until it is interrupted. Pipelines of the same
 * process find the session by its name, "talk":
 *
 *   ... ! rtph264pay ! bravisgroupsink session=talk
 *
 * Outside of the source tree:
 *   cc conference.c $(pkg-config --cflags --libs bravis-1.0 glib-2.0)
 */
#include <bravis/bravis-session.h>

#include <glib-unix.h>
#include <string.h>

static void
on_member_joined (BravisSession *session, const char *name, gpointer user_data)
{
  g_print ("%s is here\n", name);
}

static void
on_member_left (BravisSession *session, const char *name,
    BravisLeaveReason reason, gpointer user_data)
{
  static const char *const what[] = {
    [BRAVIS_LEAVE_LEFT] = "left",
    [BRAVIS_LEAVE_FAILED] = "is not heard of any more",
    [BRAVIS_LEAVE_PUT_OUT] = "was put out",
  };

  g_print ("%s %s\n", name, what[reason]);
}

static void
on_epoch_changed (BravisSession *session, guint64 number, const char *cause,
    double milliseconds, gpointer user_data)
{
  g_auto (GStrv) members = bravis_session_dup_members (session);
  g_autofree char *list = g_strjoinv (", ", members);

  g_print ("new keys (%s) for %s\n", cause, list);
}

static void
on_verification_code (BravisSession *session, GParamSpec *pspec,
    gpointer user_data)
{
  g_autofree char *code = bravis_session_dup_verification_code (session);

  if (code)
    g_print ("compare by voice: %s\n", code);
}

static void
on_refused (BravisSession *session, const char *name, const char *by,
    const char *reason, gpointer user_data)
{
  g_print ("%s is refused%s%s: %s\n", name ? name : "somebody",
      by ? " by " : "", by ? by : "", reason);
}

static void
on_unreachable (BravisSession *session, const char *name, gpointer user_data)
{
  g_print ("%s does not answer yet\n", name);
}

static void
on_ended (BravisSession *session, const char *reason, gpointer loop)
{
  g_print ("the conference is over: %s\n", reason);
  g_main_loop_quit (loop);
}

static gboolean
on_interrupt (gpointer session)
{
  bravis_session_leave (session);
  return G_SOURCE_CONTINUE;
}

static gboolean
invite (BravisSession *session, const char *argument, GError **error)
{
  const char *equals = strchr (argument, '=');
  g_autofree char *name = equals ? g_strndup (argument, equals - argument)
      : g_strdup (argument);

  return bravis_session_invite (session, name, equals ? equals + 1 : NULL,
      error);
}

static void
connect_signals (BravisSession *session, GMainLoop *loop)
{
  g_signal_connect (session, "member-joined", G_CALLBACK (on_member_joined),
      NULL);
  g_signal_connect (session, "member-left", G_CALLBACK (on_member_left), NULL);
  g_signal_connect (session, "notify::verification-code",
      G_CALLBACK (on_verification_code), NULL);
  g_signal_connect (session, "epoch-changed", G_CALLBACK (on_epoch_changed),
      NULL);
  g_signal_connect (session, "refused", G_CALLBACK (on_refused), NULL);
  g_signal_connect (session, "unreachable", G_CALLBACK (on_unreachable), NULL);
  g_signal_connect (session, "ended", G_CALLBACK (on_ended), loop);
  g_unix_signal_add (SIGINT, on_interrupt, session);
  g_unix_signal_add (SIGTERM, on_interrupt, session);
}

int
main (int argc, char **argv)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisSession) session = NULL;
  gboolean fine;

  if (argc < 2) {
    g_printerr ("usage: %s CONFIG [NAME=HOST:PORT ...]\n", argv[0]);
    return 2;
  }
  session = bravis_session_new ("talk", argv[1], &error);
  fine = session != NULL;
  for (int i = 2; fine && i < argc; i++)
    fine = invite (session, argv[i], &error);
  if (!fine) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  g_print ("I am %s\n", bravis_session_get_identity (session));
  connect_signals (session, loop);
  bravis_session_start (session);
  g_main_loop_run (loop);
  bravis_session_stop (session);
  return 0;
}
