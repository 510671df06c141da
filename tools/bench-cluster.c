#include "bench-cluster.h"

#include "bench-identities.h"

#include <gnutls/crypto.h>
#include <signal.h>
#include <string.h>

#define STARTING_TIME 60.0      /* s, for a view of all */
#define SIGNAL_INTERVAL (200 * G_TIME_SPAN_MILLISECOND) /* signals are looked for */

typedef struct {
  BenchCluster *cluster;        /* borrowed */
  guint index;
  GSubprocess *process;
  GThread *reader;
  int daemon;                   /* process id of what it talks to; 0: nothing */
  gboolean killed;
  char *address;                /* where it can be invited, NULL: not ready */
  guint n_view;                 /* members of its view */
  gint64 view_time;
  GPtrArray *said;              /* of GStrv: results that nobody has waited for */
  GStrv given;                  /* the last one that somebody has */
} Member;

typedef struct {
  Member *member;
  char *line;                   /* NULL: it is gone */
} News;

struct _BenchCluster {
  BenchSystem system;
  BenchPlace *place;
  char *directory;
  guint n_nodes;
  GPtrArray *members;           /* of Member */
  GAsyncQueue *news;            /* of News */
};

static volatile sig_atomic_t interrupted;

static void
interrupt (int signal_number)
{
  interrupted = 1;
}

void
bench_catch_signals (void)
{
  signal (SIGINT, interrupt);
  signal (SIGTERM, interrupt);
}

const char *
bench_system_to_string (BenchSystem system)
{
  return system == BENCH_BRAVIS ? "bravis" : "corosync";
}

/* --- programs --- */

static char *
find_own_program (GError **error)
{
  char *path = g_file_read_link ("/proc/self/exe", error);

  return path;
}

/* The client is no part of the command itself, which so does not need corosync's
 * library: beside it, or where it was installed. */
static char *
find_client (GError **error)
{
  g_autofree char *own = find_own_program (error);
  g_autofree char *folder = own ? g_path_get_dirname (own) : NULL;
  g_autofree char *beside = own
      ? g_build_filename (folder, "bravis-bench-corosync", NULL) : NULL;

  if (!own)
    return NULL;
  if (g_file_test (beside, G_FILE_TEST_IS_EXECUTABLE))
    return g_steal_pointer (&beside);
  if (g_file_test (BENCH_LIBEXEC "/bravis-bench-corosync",
          G_FILE_TEST_IS_EXECUTABLE))
    return g_strdup (BENCH_LIBEXEC "/bravis-bench-corosync");
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
      "bravis-bench-corosync is not here: build with libcpg (libcpg-dev)");
  return NULL;
}

gboolean
bench_system_check (BenchSystem system, GError **error)
{
  g_autofree char *daemon = g_find_program_in_path ("corosync");
  g_autofree char *client = NULL;

  if (system == BENCH_BRAVIS)
    return TRUE;
  if (!daemon) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
        "corosync is not installed");
    return FALSE;
  }
  client = find_client (error);
  return client != NULL;
}

/* --- files --- */

static char *
get_file (BenchCluster *cluster, guint index, const char *suffix)
{
  return bench_identities_get_file (cluster->directory, index, suffix);
}

static gboolean
write_bravis_files (BenchCluster *cluster, GError **error)
{
  g_autofree const char **addresses = g_new (const char *, cluster->n_nodes);

  for (guint i = 0; i < cluster->n_nodes; i++)
    addresses[i] = bench_place_get_address (cluster->place, i);
  return bench_identities_write (cluster->directory, addresses,
      cluster->n_nodes, error);
}

/* As corosync is when nothing is said, but encrypted, and without waiting for a
 * quorum or a system's facilities. */
static gboolean
write_corosync_files (BenchCluster *cluster, GError **error)
{
  g_autofree char *key = g_build_filename (cluster->directory, "cluster.key",
      NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  guint8 octets[256];

  if (gnutls_rnd (GNUTLS_RND_KEY, octets, sizeof octets) < 0) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "the system gives no random octets");
    return FALSE;
  }
  g_string_append_printf (text, "totem {\n version: 2\n cluster_name: bench\n "
      "transport: knet\n crypto_cipher: aes256\n crypto_hash: sha256\n "
      "keyfile: %s\n}\nquorum {\n}\nlogging {\n to_stderr: no\n "
      "to_syslog: no\n to_logfile: no\n}\nsystem {\n "
      "move_to_root_cgroup: no\n}\nnodelist {\n", key);
  for (guint i = 0; i < cluster->n_nodes; i++)
    g_string_append_printf (text, " node {\n  ring0_addr: %s\n  nodeid: %u\n"
        "  name: member%u\n }\n", bench_place_get_address (cluster->place, i),
        i + 1, i);
  g_string_append (text, "}\n");
  if (!g_file_set_contents (key, (char *) octets, sizeof octets, error))
    return FALSE;
  for (guint i = 0; i < cluster->n_nodes; i++) {
    g_autofree char *file = get_file (cluster, i, ".corosync");

    if (!g_file_set_contents (file, text->str, -1, error))
      return FALSE;
  }
  return TRUE;
}

/* --- processes --- */

static Member *
get_member (BenchCluster *cluster, guint index)
{
  return g_ptr_array_index (cluster->members, index);
}

static gpointer
read_lines (gpointer data)
{
  Member *member = data;
  g_autoptr (GDataInputStream) stream = g_data_input_stream_new (
      g_subprocess_get_stdout_pipe (member->process));
  char *line;

  do {
    News *news = g_new0 (News, 1);

    line = g_data_input_stream_read_line (stream, NULL, NULL, NULL);
    news->member = member;
    news->line = line;
    g_async_queue_push (member->cluster->news, news);
  } while (line);
  return NULL;
}

static void
member_free (gpointer data)
{
  Member *member = data;

  if (member->process) {
    g_output_stream_close (g_subprocess_get_stdin_pipe (member->process), NULL,
        NULL);
    g_subprocess_wait (member->process, NULL, NULL);
    g_thread_join (member->reader);
  }
  g_clear_object (&member->process);
  g_ptr_array_unref (member->said);
  g_strfreev (member->given);
  g_free (member->address);
  g_free (member);
}

static gboolean
spawn (BenchCluster *cluster, GError **error)
{
  guint index = cluster->members->len;
  gboolean is_bravis = cluster->system == BENCH_BRAVIS;
  g_autofree char *program = is_bravis ? find_own_program (error)
      : find_client (error);
  g_autofree char *config = get_file (cluster, index,
      is_bravis ? ".conf" : ".corosync");
  const char *const bravis[] = { program, "bench", "member", config, NULL };
  const char *const corosync[] = { program, config, NULL };
  g_autoptr (GSubprocess) process = program ? bench_place_spawn (
      cluster->place, index, is_bravis ? bravis : corosync, error) : NULL;
  Member *member;

  if (!process)
    return FALSE;
  member = g_new0 (Member, 1);
  member->cluster = cluster;
  member->index = index;
  member->process = g_steal_pointer (&process);
  member->said = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_ptr_array_add (cluster->members, member);
  member->reader = g_thread_new ("reader", read_lines, member);
  return TRUE;
}

/* --- what they say --- */

static gboolean
take_line (Member *member, const char *line, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  guint n = g_strv_length (words);

  if (n >= 2 && g_str_equal (words[0], "failed")) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s, member %u: %s",
        bench_system_to_string (member->cluster->system), member->index,
        line + strlen ("failed "));
    return FALSE;
  }
  if (n == 2 && g_str_equal (words[0], "ready")) {
    g_free (member->address);
    member->address = g_strdup (words[1]);
  } else if (n == 2 && g_str_equal (words[0], "daemon")) {
    member->daemon = strtol (words[1], NULL, 10);
  } else if (n == 3 && g_str_equal (words[0], "view")) {
    member->n_view = strtoul (words[1], NULL, 10);
    member->view_time = g_ascii_strtoll (words[2], NULL, 10);
  } else if (n >= 2) {
    g_ptr_array_add (member->said, g_steal_pointer (&words));
  }
  return TRUE;
}

/* The next, or NULL: not until @deadline, or a signal came. */
static News *
pop_news (BenchCluster *cluster, gint64 deadline)
{
  News *news = NULL;
  gint64 left;

  while (!news && !interrupted
      && (left = deadline - g_get_monotonic_time ()) > 0)
    news = g_async_queue_timeout_pop (cluster->news,
        MIN (left, SIGNAL_INTERVAL));
  return news;
}

/* Takes what comes next, until @deadline. */
static gboolean
take_news (BenchCluster *cluster, gint64 deadline, GError **error)
{
  g_autofree News *news = pop_news (cluster, deadline);
  g_autofree char *line = news ? news->line : NULL;

  if (!news) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "%s: %s",
        bench_system_to_string (cluster->system),
        interrupted ? "interrupted" : "nothing more came in time");
    return FALSE;
  }
  if (!line && !news->member->killed) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "%s: the process of member %u ended",
        bench_system_to_string (cluster->system), news->member->index);
    return FALSE;
  }
  return !line || take_line (news->member, line, error);
}

static gint64
get_deadline (double seconds)
{
  return g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC);
}

gboolean
bench_cluster_await_view (BenchCluster *cluster, guint n_members, gint64 *last,
    GError **error)
{
  gint64 deadline = get_deadline (STARTING_TIME);

  for (;;) {
    gboolean all = TRUE;

    *last = 0;
    for (guint i = 0; i < cluster->members->len; i++) {
      Member *member = get_member (cluster, i);

      all &= member->killed || member->n_view == n_members;
      if (!member->killed)
        *last = MAX (*last, member->view_time);
    }
    if (all)
      return TRUE;
    if (!take_news (cluster, deadline, error)) {
      g_prefix_error (error, "no view of %u members: ", n_members);
      return FALSE;
    }
  }
}

static GStrv
take_words (Member *member, const char *word, guint run)
{
  for (guint i = 0; i < member->said->len; i++) {
    GStrv words = g_ptr_array_index (member->said, i);

    if (g_str_equal (words[0], word) && strtoul (words[1], NULL, 10) == run)
      return g_ptr_array_steal_index (member->said, i);
  }
  return NULL;
}

const char *const *
bench_cluster_await_words (BenchCluster *cluster, guint index,
    const char *word, guint run, double seconds, GError **error)
{
  Member *member = get_member (cluster, index);
  gint64 deadline = get_deadline (seconds);

  g_clear_pointer (&member->given, g_strfreev);
  while (!(member->given = take_words (member, word, run)))
    if (!take_news (cluster, deadline, error))
      return NULL;
  return (const char *const *) member->given;
}

/* --- what they are told --- */

gboolean
bench_cluster_tell (BenchCluster *cluster, guint index, GError **error,
    const char *format, ...)
{
  GOutputStream *stream = g_subprocess_get_stdin_pipe (
      get_member (cluster, index)->process);
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  line = g_strconcat (text, "\n", NULL);
  return g_output_stream_write_all (stream, line, strlen (line), NULL, NULL,
      error);
}

gint64
bench_cluster_kill (BenchCluster *cluster, guint index)
{
  Member *member = get_member (cluster, index);

  /* The daemon first: it would tell the others of its client's end, which is not
   * the crash of a node. */
  if (member->daemon > 0 && !member->killed)
    kill (member->daemon, SIGKILL);
  member->killed = TRUE;
  g_subprocess_force_exit (member->process);
  return g_get_monotonic_time ();
}

static gboolean
await_ready (BenchCluster *cluster, guint index, GError **error)
{
  gint64 deadline = get_deadline (STARTING_TIME);

  while (!get_member (cluster, index)->address)
    if (!take_news (cluster, deadline, error))
      return FALSE;
  return TRUE;
}

/* A peer that runs is invited; a daemon of corosync's joins as it starts. */
gboolean
bench_cluster_add_member (BenchCluster *cluster, gint64 *start, GError **error)
{
  guint index = cluster->members->len;
  g_autofree char *name = bench_identities_get_name (index);

  *start = g_get_monotonic_time ();
  if (!spawn (cluster, error) || !await_ready (cluster, index, error))
    return FALSE;
  if (cluster->system != BENCH_BRAVIS || index == 0)
    return TRUE;
  *start = g_get_monotonic_time ();
  return bench_cluster_tell (cluster, 0, error, "invite %s %s", name,
      get_member (cluster, index)->address);
}

/* One after another, so that the order of joining is known. */
static gboolean
add_members (BenchCluster *cluster, guint n_members, GError **error)
{
  gint64 start, last;

  for (guint i = 0; i < n_members; i++)
    if (!bench_cluster_add_member (cluster, &start, error)
        || (i > 0 && cluster->system == BENCH_BRAVIS
            && !bench_cluster_await_view (cluster, i + 1, &last, error)))
      return FALSE;
  return bench_cluster_await_view (cluster, n_members, &last, error);
}

BenchCluster *
bench_cluster_new (BenchSystem system, BenchPlace *place, const char *directory,
    guint n_members, guint n_nodes, GError **error)
{
  g_autoptr (BenchCluster) cluster = g_new0 (BenchCluster, 1);

  cluster->system = system;
  cluster->place = place;
  cluster->directory = g_strdup (directory);
  cluster->n_nodes = n_nodes;
  cluster->members = g_ptr_array_new_with_free_func (member_free);
  cluster->news = g_async_queue_new ();
  if (!(system == BENCH_BRAVIS ? write_bravis_files (cluster, error)
      : write_corosync_files (cluster, error))
      || !add_members (cluster, n_members, error))
    return NULL;
  return g_steal_pointer (&cluster);
}

void
bench_cluster_free (BenchCluster *cluster)
{
  News *news;

  /* Killed, not asked: what a group does when members leave is not measured. */
  for (guint i = 0; i < cluster->members->len; i++)
    bench_cluster_kill (cluster, i);
  g_ptr_array_unref (cluster->members);
  while ((news = g_async_queue_try_pop (cluster->news))) {
    g_free (news->line);
    g_free (news);
  }
  g_async_queue_unref (cluster->news);
  g_free (cluster->directory);
  g_free (cluster);
}

guint
bench_cluster_get_n_members (BenchCluster *cluster)
{
  return cluster->members->len;
}
