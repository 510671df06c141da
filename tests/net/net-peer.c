/* net-peer: a peer of a conference that does as it is told and logs what it saw
 *
 *   net-peer CONFIG LOG NUMBER
 *
 * A real session: its socket, its certificate, its keys. What it sent, delivered
 * and installed goes to LOG, for the checker (tests/sim/sim-log.h); what else
 * happened to it, in words, to the standard output. Commands are lines on the
 * standard input:
 *
 *   send COUNT SIZE agreed|safe RATE   messages, RATE a second (0: as fast as
 *                                      they are taken)
 *   hush                               drops what is still to be sent
 *   invite NAME                        whose address is in CONFIG's [peers]
 *   leave
 *   quit                               the end of the input, too
 *
 * A message is its number, NUMBER and a count, and octets that follow from it, so
 * that an altered one is noticed. NUMBER is another one for each process of a run.
 */
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim-log.h"
#include "../../keymgmt/bravis-session-media.h"

#define MIN_SIZE 8              /* bytes of a message: its number */
#define MAX_SIZE 65536
#define TICK 5                  /* ms between looks at what is due */
#define LOGGED_AS_ALTERED 0     /* a number that nobody sent */

typedef struct {
  guint left;
  gsize size;
  BravisQuality quality;
  double rate;
  gint64 began;
  guint taken;
} Job;

typedef struct {
  BravisSession *session;
  GMainLoop *loop;
  guint number;
  guint n_sent;
  GQueue jobs;                  /* of Job, one after the other */
  gboolean is_ticking;

  GMutex lock;                  /* of what follows: time does not go back in the log */
  SimLog *log;
  gboolean has_view, has_ended;
} Peer;

static void G_GNUC_PRINTF (1, 2)
say (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  printf ("%" G_GINT64_FORMAT " %s\n", g_get_monotonic_time (), text);
  fflush (stdout);
}

/* --- messages --- */

static void
fill (guint8 *data, gsize size, guint64 message)
{
  guint64 number = GUINT64_TO_BE (message);

  memcpy (data, &number, sizeof number);
  for (gsize i = sizeof number; i < size; i++)
    data[i] = message * 31 + i;
}

static GBytes *
make_message (guint64 message, gsize size)
{
  guint8 *data = g_malloc (size);

  fill (data, size, message);
  return g_bytes_new_take (data, size);
}

static guint64
read_message (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  guint64 number;
  g_autoptr (GBytes) expected = NULL;

  if (size < MIN_SIZE)
    return LOGGED_AS_ALTERED;
  memcpy (&number, data, sizeof number);
  expected = make_message (GUINT64_FROM_BE (number), size);
  return g_bytes_equal (bytes, expected) ? GUINT64_FROM_BE (number)
      : LOGGED_AS_ALTERED;
}

/* FALSE: not now. */
static gboolean
send_one (Peer *peer, const Job *job)
{
  guint64 message = (guint64) peer->number << 32 | (peer->n_sent + 1);
  g_autoptr (GBytes) bytes = make_message (message, job->size);
  g_autoptr (GError) error = NULL;
  gboolean sent;

  g_mutex_lock (&peer->lock);
  sent = peer->has_view && !peer->has_ended;
  if (sent) {
    sim_log_sent (peer->log, g_get_monotonic_time (), message,
        job->quality == BRAVIS_QUALITY_SAFE ? GCP_SAFE : GCP_AGREED, FALSE);
    sent = bravis_session_multicast (peer->session, bytes, job->quality,
        &error);
    if (!sent)
      sim_log_refused (peer->log, g_get_monotonic_time (), message);
  }
  g_mutex_unlock (&peer->lock);
  if (sent)
    peer->n_sent++;
  return sent;
}

static guint
count_due (const Job *job)
{
  double seconds = (g_get_monotonic_time () - job->began) / 1e6;
  guint total;

  if (job->rate == 0)
    return job->left;
  total = MIN (seconds * job->rate + 1, G_MAXUINT32);
  return CLAMP (total, job->taken, job->taken + job->left) - job->taken;
}

static gboolean
on_tick (gpointer data)
{
  Peer *peer = data;
  Job *job = g_queue_peek_head (&peer->jobs);

  if (!job) {
    peer->is_ticking = FALSE;
    return G_SOURCE_REMOVE;
  }
  if (job->began == 0)
    job->began = g_get_monotonic_time ();
  for (guint due = count_due (job); due > 0 && send_one (peer, job); due--) {
    job->left--;
    job->taken++;
  }
  if (job->left == 0) {
    say ("sent %u", job->taken);
    g_free (g_queue_pop_head (&peer->jobs));
  }
  return G_SOURCE_CONTINUE;
}

/* --- what happened, in the session's thread --- */

static void
log_view (Peer *peer, BravisView *view, gint64 now)
{
  GcpMemberId members[GCP_MAX_MEMBERS];
  guint n = bravis_view_get_n_members (view);

  for (guint i = 0; i < n; i++)
    members[i] = bravis_view_get_member (view, i);
  if (!peer->has_view)
    sim_log_process (peer->log, now, members[bravis_view_get_own_index (view)],
        bravis_session_get_identity (peer->session));
  peer->has_view = TRUE;
  sim_log_view (peer->log, now, bravis_view_get_number (view),
      bravis_view_is_primary (view), members, n);
}

static void
log_end (Peer *peer, const char *reason, gint64 now)
{
  static const char *const reasons[] = {
    [GCP_END_LEFT] = "left",
    [GCP_END_PUT_OUT] = "put out",
    [GCP_END_NOT_ADMITTED] = "not admitted",
  };

  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (peer->has_view && g_str_equal (reason, reasons[i]))
      sim_log_ended (peer->log, now, i);
  peer->has_ended = TRUE;
  g_main_loop_quit (peer->loop);
}

static void
log_event (Peer *peer, const BravisEvent *event)
{
  static const GcpDeparture departures[] = {
    [BRAVIS_LEAVE_LEFT] = GCP_LEFT,
    [BRAVIS_LEAVE_FAILED] = GCP_FAILED,
    [BRAVIS_LEAVE_PUT_OUT] = GCP_PUT_OUT,
  };
  gint64 now = g_get_monotonic_time ();

  switch (event->type) {
    case BRAVIS_EVENT_VIEW:
      log_view (peer, event->view, now);
      break;
    case BRAVIS_EVENT_MEMBER_LEFT:
      sim_log_departed (peer->log, now, event->member,
          departures[event->leave_reason]);
      break;
    case BRAVIS_EVENT_MESSAGE:
      sim_log_delivered (peer->log, now, event->member,
          read_message (event->message),
          event->quality == BRAVIS_QUALITY_SAFE ? GCP_SAFE : GCP_AGREED);
      break;
    case BRAVIS_EVENT_ENDED:
      log_end (peer, event->reason, now);
      break;
    default:
      break;
  }
}

static void
say_event (const BravisEvent *event)
{
  switch (event->type) {
    case BRAVIS_EVENT_EPOCH:
      say ("epoch %" G_GUINT64_FORMAT " %s, %.1f ms after the view",
          bravis_epoch_get_number (event->epoch), event->cause,
          event->milliseconds);
      break;
    case BRAVIS_EVENT_MEMBER_JOINED:
      say ("joined %s", event->name);
      break;
    case BRAVIS_EVENT_REFUSED:
      say ("refused %s by %s: %s", event->name ? event->name : "somebody",
          event->by ? event->by : "this peer", event->reason);
      break;
    case BRAVIS_EVENT_UNREACHABLE:
      say ("unreachable %s", event->name);
      break;
    case BRAVIS_EVENT_ENDED:
      say ("ended %s", event->reason);
      break;
    default:
      break;
  }
}

static void
on_event (const BravisEvent *event, gpointer data)
{
  Peer *peer = data;

  g_mutex_lock (&peer->lock);
  log_event (peer, event);
  g_mutex_unlock (&peer->lock);
  say_event (event);
}

/* --- commands --- */

static gboolean
take_send (Peer *peer, char **words)
{
  guint64 count, size, rate;
  Job *job;

  if (g_strv_length (words) != 5
      || !g_ascii_string_to_unsigned (words[1], 10, 1, G_MAXUINT32, &count, NULL)
      || !g_ascii_string_to_unsigned (words[2], 10, MIN_SIZE, MAX_SIZE, &size,
          NULL)
      || !g_ascii_string_to_unsigned (words[4], 10, 0, 1000000, &rate, NULL)
      || !(g_str_equal (words[3], "safe") || g_str_equal (words[3], "agreed")))
    return FALSE;
  job = g_new0 (Job, 1);
  job->left = count;
  job->size = size;
  job->rate = rate;
  job->quality = g_str_equal (words[3], "safe") ? BRAVIS_QUALITY_SAFE
      : BRAVIS_QUALITY_AGREED;
  if (!peer->is_ticking)
    g_timeout_add (TICK, on_tick, peer);
  peer->is_ticking = TRUE;
  g_queue_push_tail (&peer->jobs, job);
  return TRUE;
}

static gboolean
take_hush (Peer *peer, char **words)
{
  g_queue_clear_full (&peer->jobs, g_free);
  say ("hushed");
  return TRUE;
}

static gboolean
take_invite (Peer *peer, char **words)
{
  g_autoptr (GError) error = NULL;

  if (g_strv_length (words) != 2)
    return FALSE;
  if (!bravis_session_invite (peer->session, words[1], NULL, &error))
    say ("cannot invite: %s", error->message);
  return TRUE;
}

static gboolean
take_leave (Peer *peer, char **words)
{
  g_queue_clear_full (&peer->jobs, g_free);
  g_mutex_lock (&peer->lock);
  if (peer->has_view)
    sim_log_left (peer->log, g_get_monotonic_time ());
  g_mutex_unlock (&peer->lock);
  bravis_session_leave (peer->session);
  return TRUE;
}

static gboolean
take_quit (Peer *peer, char **words)
{
  g_main_loop_quit (peer->loop);
  return TRUE;
}

static void
take_command (Peer *peer, const char *line)
{
  static const struct {
    const char *word;
    gboolean (*take) (Peer *peer, char **words);
  } commands[] = {
    { "send", take_send },
    { "hush", take_hush },
    { "invite", take_invite },
    { "leave", take_leave },
    { "quit", take_quit },
  };
  g_auto (GStrv) words = g_strsplit (line, " ", 0);

  for (guint i = 0; words[0] && i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (words[0], commands[i].word)
        && commands[i].take (peer, words))
      return;
  say ("what does '%s' mean?", line);
}

static gboolean
on_input (GIOChannel *input, GIOCondition condition, gpointer data)
{
  Peer *peer = data;
  g_autofree char *line = NULL;
  gsize end;

  if (g_io_channel_read_line (input, &line, NULL, &end, NULL)
      != G_IO_STATUS_NORMAL) {
    g_main_loop_quit (peer->loop);
    return G_SOURCE_REMOVE;
  }
  line[end] = '\0';
  take_command (peer, line);
  return G_SOURCE_CONTINUE;
}

/* --- life --- */

/* What was sent is not taken for lost because this process went: it leaves. */
static void
stop (Peer *peer)
{
  g_mutex_lock (&peer->lock);
  if (peer->has_view && !peer->has_ended)
    sim_log_left (peer->log, g_get_monotonic_time ());
  g_mutex_unlock (&peer->lock);
  bravis_session_stop (peer->session);
}

static gboolean
run (Peer *peer, GError **error)
{
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (STDIN_FILENO);
  guint listener = bravis_session_add_listener (peer->session, on_event, peer);

  g_io_add_watch (input, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, peer);
  bravis_session_start (peer->session);
  g_main_loop_run (peer->loop);
  stop (peer);
  bravis_session_remove_listener (peer->session, listener);
  return sim_log_close (g_steal_pointer (&peer->log), error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (BravisSession) session = NULL;
  g_autoptr (GError) error = NULL;
  Peer peer = { .loop = loop };
  guint64 number;

  if (argc != 4
      || !g_ascii_string_to_unsigned (argv[3], 10, 1, G_MAXUINT32, &number,
          &error)) {
    g_printerr ("usage: %s CONFIG LOG NUMBER\n", argv[0]);
    return 2;
  }
  peer.number = number;
  session = bravis_session_new ("net-peer", argv[1], &error);
  if (session)
    peer.log = sim_log_open (argv[2], &error);
  peer.session = session;
  if (!peer.log || !run (&peer, &error)) {
    g_printerr ("net-peer: %s\n", error->message);
    return 1;
  }
  g_queue_clear_full (&peer.jobs, g_free);
  return 0;
}
