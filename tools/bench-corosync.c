/* bravis-bench-corosync CONFIG: a member that is measured, as a process that talks
 * to a corosync daemon of its own.
 *
 * Daemon and client find each other by names in /run and /dev/shm and by abstract
 * sockets; so that several pairs fit on one machine, each has these to itself: the
 * caller starts this in a network namespace of its own, and it makes the rest. It
 * needs to be root for that. */
#include "bench-member.h"

#include <corosync/cpg.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define GROUP "bravis-bench"

/* What corosync wants to have for itself. */
static const char *const places[] = { "/dev/shm", "/run", "/var/lib/corosync" };

/* µs between attempts where corosync takes nothing just now: its queue holds more
 * than it sends in that time, and asking more often slows it down. */
#define PAUSE 100

#define STARTING_TIME (20 * G_TIME_SPAN_SECOND)

static gboolean
send_message (gpointer group, const guint8 *data, gsize size)
{
  cpg_handle_t *handle = group;
  struct iovec span = { (gpointer) data, size };
  cs_error_t result;

  while ((result = cpg_mcast_joined (*handle, CPG_TYPE_AGREED, &span, 1))
      == CS_ERR_TRY_AGAIN)
    g_usleep (PAUSE);
  return result == CS_OK;
}

static void
on_deliver (cpg_handle_t handle, const struct cpg_name *name, uint32_t node,
    uint32_t pid, void *data, size_t size)
{
  void *member = NULL;

  cpg_context_get (handle, &member);
  bench_member_take_message (member, data, size);
}

static void
on_change (cpg_handle_t handle, const struct cpg_name *name,
    const struct cpg_address *members, size_t n_members,
    const struct cpg_address *left, size_t n_left,
    const struct cpg_address *joined, size_t n_joined)
{
  void *member = NULL;

  cpg_context_get (handle, &member);
  bench_member_take_view (member, n_members);
}

static gpointer
dispatch (gpointer data)
{
  cpg_handle_t *handle = data;

  cpg_dispatch (*handle, CS_DISPATCH_BLOCKING);
  return NULL;
}

static gboolean
make_places (void)
{
  if (unshare (CLONE_NEWNS) != 0
      || mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (mount ("tmpfs", places[i], "tmpfs", 0, NULL) != 0)
      return FALSE;
  return TRUE;
}

/* The daemon dies with this process, however that ends. It is a direct child: one
 * that GLib reaps has a parent in between, which ends at once. */
static void
die_with_parent (gpointer unused)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static gboolean
start_daemon (const char *config, GPid *pid, GError **error)
{
  const char *const argv[] = { "corosync", "-f", "-c", config, NULL };

  return g_spawn_async (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH
      | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL
      | G_SPAWN_STDERR_TO_DEV_NULL,
      die_with_parent, NULL, pid, error);
}

static cs_error_t
connect_to_daemon (cpg_handle_t *handle, BenchMember *member)
{
  cpg_model_v1_data_t model = {
    .model = CPG_MODEL_V1,
    .cpg_deliver_fn = on_deliver,
    .cpg_confchg_fn = on_change,
  };
  struct cpg_name name = { .length = strlen (GROUP), .value = GROUP };
  gint64 deadline = g_get_monotonic_time () + STARTING_TIME;
  cs_error_t result;

  while ((result = cpg_model_initialize (handle, CPG_MODEL_V1,
              (cpg_model_data_t *) &model, member)) != CS_OK
      && g_get_monotonic_time () < deadline)
    g_usleep (10000);
  while (result == CS_OK
      && (result = cpg_join (*handle, &name)) == CS_ERR_TRY_AGAIN
      && g_get_monotonic_time () < deadline) {
    result = CS_OK;
    g_usleep (10000);
  }
  return result;
}

int
main (int argc, char **argv)
{
  static const BenchGroup group = { send_message, NULL };
  cpg_handle_t handle = 0;
  g_autoptr (BenchMember) member = bench_member_new (&group, &handle);
  g_autoptr (GError) error = NULL;
  cs_error_t result;
  GPid daemon;

  if (argc != 2) {
    g_printerr ("Usage: bravis-bench-corosync CONFIG\n");
    return 2;
  }
  if (!make_places ()) {
    bench_member_say (member, "failed cannot make places of its own for "
        "corosync: %s", g_strerror (errno));
    return 1;
  }
  if (!start_daemon (argv[1], &daemon, &error)) {
    bench_member_say (member, "failed cannot start corosync: %s",
        error->message);
    return 1;
  }
  bench_member_say (member, "daemon %d", (int) daemon);
  result = connect_to_daemon (&handle, member);
  if (result != CS_OK) {
    bench_member_say (member, "failed corosync does not answer (error %d)",
        result);
    return 1;
  }
  g_thread_unref (g_thread_new ("dispatch", dispatch, &handle));
  bench_member_say (member, "ready -");
  bench_member_run (member);
  /* The dispatching thread has the member until the end of the process. */
  _exit (0);
}
