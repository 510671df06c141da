#include "bravis-verify.h"

#include "bench-identities.h"
#include "bravis-files.h"
#include "verify-peer.h"

#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MAX_MEMBERS 64
#define MAX_SIZE 200000
#define STEP (100 * G_TIME_SPAN_MILLISECOND)    /* between looks at what is so */
#define STARTING_TIME (60 * G_TIME_SPAN_SECOND)
#define ENDING_TIME (60 * G_TIME_SPAN_SECOND)

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

typedef struct {
  int members;
  char **configs;
  char *duration;
  int rate;
  int size;
  int interval;
  gint64 time;                  /* µs; of --duration */
} Options;

static volatile sig_atomic_t interrupted;

static void
interrupt (int signal_number)
{
  interrupted = 1;
}

static int G_GNUC_PRINTF (1, 2)
wrong_usage (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("bravis verify: %s\n", text);
  return WRONG_USAGE;
}

static VerifyPeer *
get_peer (GPtrArray *peers, guint index)
{
  return g_ptr_array_index (peers, index);
}

/* --- peers --- */

static gboolean
add_peer (GPtrArray *peers, const char *config, GError **error)
{
  VerifyPeer *peer = verify_peer_new (config, error);

  if (!peer)
    return FALSE;
  g_ptr_array_add (peers, peer);
  return TRUE;
}

static gboolean
make_members (GPtrArray *peers, const char *directory, guint n, GError **error)
{
  g_autofree const char **addresses = g_new (const char *, n);

  for (guint i = 0; i < n; i++)
    addresses[i] = "127.0.0.1";
  if (!bench_identities_write (directory, addresses, n, error))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    g_autofree char *config = bench_identities_get_file (directory, i, ".conf");
    g_autofree char *name = bench_identities_get_name (i);
    g_autofree char *address = NULL;

    if (!add_peer (peers, config, error))
      return FALSE;
    address = verify_peer_get_address (get_peer (peers, i));
    if (i > 0
        && !verify_peer_invite (get_peer (peers, 0), name, address, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
make_peers (GPtrArray *peers, const Options *options, const char *directory,
    GError **error)
{
  if (!options->configs)
    return make_members (peers, directory, options->members, error);
  for (guint i = 0; options->configs[i]; i++)
    if (!add_peer (peers, options->configs[i], error))
      return FALSE;
  return TRUE;
}

/* Whether each is in a view of @n, or, with 0, of more than itself. */
static gboolean
are_together (GPtrArray *peers, guint n)
{
  for (guint i = 0; i < peers->len; i++) {
    guint members = verify_peer_get_n_members (get_peer (peers, i));

    if (n > 0 ? members != n : members < 2)
      return FALSE;
  }
  return TRUE;
}

/* --- how it goes --- */

typedef struct {
  guint64 sent, checked;
  guint faults;
  gboolean over;                /* one peer's conference is */
} Sum;

static Sum
add_up (GPtrArray *peers)
{
  Sum sum = { 0 };

  for (guint i = 0; i < peers->len; i++) {
    VerifyPeer *peer = get_peer (peers, i);

    sum.sent += verify_peer_get_n_sent (peer);
    sum.checked += verify_peer_get_n_checked (peer);
    sum.faults += verify_peer_get_n_faults (peer);
    sum.over |= verify_peer_is_over (peer);
  }
  return sum;
}

static void
say_progress (GPtrArray *peers, gint64 time)
{
  Sum sum = add_up (peers);
  guint seconds = time / G_TIME_SPAN_SECOND;

  g_printerr ("%u:%02u:%02u  %u members  %" G_GUINT64_FORMAT " sent  %"
      G_GUINT64_FORMAT " checked  %u faults\n", seconds / 3600,
      seconds / 60 % 60, seconds % 60,
      verify_peer_get_n_members (get_peer (peers, 0)), sum.sent, sum.checked,
      sum.faults);
}

static void
send_for_a_time (GPtrArray *peers, const Options *options)
{
  gint64 start = g_get_monotonic_time ();
  gint64 interval = options->interval * G_TIME_SPAN_SECOND;
  gint64 next = interval, time;

  for (guint i = 0; i < peers->len; i++)
    verify_peer_start_sending (get_peer (peers, i), options->rate,
        options->size);
  while ((time = g_get_monotonic_time () - start) < options->time
      && !interrupted && !add_up (peers).over) {
    g_usleep (MIN (STEP, options->time - time));
    if (time >= next) {
      say_progress (peers, time);
      next += interval;
    }
  }
  for (guint i = 0; i < peers->len; i++)
    verify_peer_stop_sending (get_peer (peers, i));
}

/* All that was sent has come back to its sender; where this process has all
 * members, to everybody. */
static gboolean
has_all (GPtrArray *peers, gboolean all_are_here)
{
  Sum sum = add_up (peers);

  for (guint i = 0; i < peers->len; i++)
    if (verify_peer_get_n_queued (get_peer (peers, i)) > 0)
      return FALSE;
  return !all_are_here || sum.checked >= sum.sent * peers->len;
}

static gboolean
await_rest (GPtrArray *peers, gboolean all_are_here)
{
  gint64 deadline = g_get_monotonic_time () + ENDING_TIME;

  while (!has_all (peers, all_are_here)) {
    if (g_get_monotonic_time () > deadline || add_up (peers).over)
      return FALSE;
    g_usleep (STEP);
  }
  return TRUE;
}

static gboolean
await_start (GPtrArray *peers, guint n_members, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + STARTING_TIME;

  while (!are_together (peers, n_members) && !interrupted) {
    if (g_get_monotonic_time () > deadline) {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
          "the peers did not come together");
      return FALSE;
    }
    g_usleep (STEP);
  }
  return TRUE;
}

static int
say_result (GPtrArray *peers, gboolean has_rest)
{
  Sum sum = add_up (peers);

  if (!has_rest)
    g_printerr ("lost: what was sent last did not come back\n");
  if (sum.over)
    g_printerr ("the conference ended for a member\n");
  printf ("%" G_GUINT64_FORMAT " sent, %" G_GUINT64_FORMAT " checked, %u "
      "faults\n", sum.sent, sum.checked, sum.faults + !has_rest);
  return sum.faults == 0 && has_rest && !sum.over ? DONE : FAILED;
}

static int
verify (const Options *options)
{
  g_autoptr (GPtrArray) peers = g_ptr_array_new_with_free_func (
      (GDestroyNotify) verify_peer_free);
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("bravis-verify-XXXXXX", &error);
  gboolean all_are_here = !options->configs;
  int result = FAILED;

  signal (SIGINT, interrupt);
  signal (SIGTERM, interrupt);
  if (directory && make_peers (peers, options, directory, &error)
      && await_start (peers, all_are_here ? options->members : 0, &error)) {
    send_for_a_time (peers, options);
    result = say_result (peers, await_rest (peers, all_are_here));
  } else {
    g_printerr ("bravis verify: %s\n", error->message);
  }
  if (directory)
    bravis_remove_directory (directory);
  return result;
}

/* --- the command line --- */

/* "90", "90s", "5m", "2h" */
static gboolean
parse_duration (const char *text, gint64 *time)
{
  static const struct { char unit; guint seconds; } units[] = {
    { '\0', 1 }, { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
  };
  char *end;
  double value = g_ascii_strtod (text, &end);

  for (guint i = 0; end > text && value > 0 && value < 1e6
      && i < G_N_ELEMENTS (units); i++)
    if (*end == units[i].unit && (*end == '\0' || end[1] == '\0')) {
      *time = value * units[i].seconds * G_TIME_SPAN_SECOND;
      return TRUE;
    }
  return FALSE;
}

static int
check_options (Options *options)
{
  if (options->members < 2 || options->members > MAX_MEMBERS)
    return wrong_usage ("--members=%d: must be 2 to %d", options->members,
        MAX_MEMBERS);
  if (options->duration && !parse_duration (options->duration, &options->time))
    return wrong_usage ("--duration=%s: must be as 90s, 5m or 2h",
        options->duration);
  if (options->size < VERIFY_MIN_SIZE || options->size > MAX_SIZE)
    return wrong_usage ("--size=%d: must be %d to %d", options->size,
        VERIFY_MIN_SIZE, MAX_SIZE);
  if (options->rate < 0 || options->interval < 1)
    return wrong_usage ("--rate must not be below 0, --interval not below 1");
  return DONE;
}

int
bravis_verify_main (int argc, char **argv)
{
  Options options = { .members = 3, .rate = 100, .size = 200, .interval = 10,
    .time = G_MAXINT64 };
  const GOptionEntry entries[] = {
    { "members", 'n', 0, G_OPTION_ARG_INT, &options.members,
      "start a conference of so many peers here (3)", "N" },
    { "config", 'c', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.configs,
      "instead, run a peer with this configuration; may be given several times",
      "FILE" },
    { "duration", 'd', 0, G_OPTION_ARG_STRING, &options.duration,
      "for how long, as 90s, 5m, 2h (until interrupted)", "TIME" },
    { "rate", 'r', 0, G_OPTION_ARG_INT, &options.rate,
      "messages a second of each peer (100); 0: as many as the group takes",
      "N" },
    { "size", 's', 0, G_OPTION_ARG_INT, &options.size,
      "bytes of a message (200)", "N" },
    { "interval", 'i', 0, G_OPTION_ARG_INT, &options.interval,
      "seconds between lines of progress (10)", "N" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  int result;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, "Has the peers of a conference send each "
      "other messages, and checks that none is lost,\nrepeated or altered, and that "
      "all get them in the same order.");
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return wrong_usage ("%s", error->message);
  if (argc > 1)
    return wrong_usage ("unexpected argument “%s”", argv[1]);
  result = check_options (&options);
  if (result == DONE)
    result = verify (&options);
  g_strfreev (options.configs);
  g_free (options.duration);
  return result;
}
