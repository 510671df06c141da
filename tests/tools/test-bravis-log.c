/* The command `bravis log`, on logs of live sessions: argv[1] is the command. */
#include "../../keymgmt/bravis-membership-log.h"
#include "../keymgmt/test-sessions.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include <gio/gio.h>
#include <glib/gstdio.h>

#define LOOPBACK "127.0.0.1:0"

static char *command;

/* Alice and Bob were in a conference, and each has kept a log of it. */
typedef struct {
  TestPki *pki;
  char *alice, *bob;            /* their logs */
  char *out, *err;              /* of the last run */
} World;

static void
have_a_conference (World *world)
{
  g_autofree char *bob_config = test_sessions_write_config (world->pki, "bob",
      TEST_PKI_GOOD, LOOPBACK, NULL, "log=bob.log\n");
  TestPeer *bob = test_peer_new (bob_config);
  g_autofree char *address = test_peer_get_address (bob);
  g_autofree char *invite = g_strconcat ("bob@example.org=", address, NULL);
  g_autofree char *alice_config = test_sessions_write_config (world->pki,
      "alice", TEST_PKI_GOOD, LOOPBACK, invite, "[group]\nlog=alice.log\n");
  TestPeer *alice = test_peer_new (alice_config);
  TestPeer *both[] = { alice, bob };

  bravis_session_start (bob->session);
  bravis_session_start (alice->session);
  test_peers_wait_agree (both, 2, 2);
  bravis_session_leave (bob->session);
  test_peer_wait_heard (alice, "left:bob@example.org:left");
  test_peers_wait_agree (both, 1, 1);
  test_peer_free (bob);
  test_peer_free (alice);
}

static void
set_up (World *world, gconstpointer data)
{
  world->pki = test_pki_new ();
  world->alice = g_build_filename (test_pki_get_directory (world->pki),
      "alice.log", NULL);
  world->bob = g_build_filename (test_pki_get_directory (world->pki), "bob.log",
      NULL);
  have_a_conference (world);
}

static void
tear_down (World *world, gconstpointer data)
{
  test_pki_free (world->pki);
  g_free (world->alice);
  g_free (world->bob);
  g_free (world->out);
  g_free (world->err);
}

/* Runs `bravis log` with up to three arguments; returns the exit code. */
static int
run (World *world, const char *first, const char *second, const char *third)
{
  const char *line[] = { command, "log", first, second, third, NULL };
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;

  process = g_subprocess_newv (line, G_SUBPROCESS_FLAGS_STDOUT_PIPE
      | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  g_assert_no_error (error);
  g_clear_pointer (&world->out, g_free);
  g_clear_pointer (&world->err, g_free);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &world->out, &world->err,
      &error);
  g_assert_no_error (error);
  g_test_message ("%s%s", world->out, world->err);
  return g_subprocess_get_exit_status (process);
}

static void
test_logs_of_a_conference_are_right_and_agree (World *world,
    gconstpointer data)
{
  g_autofree char *trust = g_strconcat ("--trust=",
      test_pki_get_trust_file (world->pki), NULL);

  g_assert_cmpint (run (world, trust, world->alice, world->bob), ==, 0);
  g_assert_nonnull (strstr (world->out, "log of alice@example.org"));
  g_assert_nonnull (strstr (world->out, "joined bob@example.org"));
  g_assert_nonnull (strstr (world->out, "left bob@example.org left"));
  g_assert_nonnull (strstr (world->out,
      "(join) of alice@example.org bob@example.org"));
  g_assert_nonnull (strstr (world->out, "2 files"));
  g_assert_nonnull (strstr (world->out, " 0 faults"));
}

/* Puts @new in the place of the first @old in @file. */
static void
replace_in (const char *file, const char *old, const char *new)
{
  g_autofree char *contents = NULL;
  g_autofree char *altered = NULL;
  char *at;

  g_assert_true (g_file_get_contents (file, &contents, NULL, NULL));
  at = strstr (contents, old);
  g_assert_nonnull (at);
  *at = '\0';
  altered = g_strconcat (contents, new, at + strlen (old), NULL);
  g_assert_true (g_file_set_contents (file, altered, -1, NULL));
}

static void
test_altered_entry_is_found (World *world, gconstpointer data)
{
  replace_in (world->alice, "JOINED bob@", "JOINED eve@");
  g_assert_cmpint (run (world, world->alice, NULL, NULL), ==, 1);
  g_assert_nonnull (strstr (world->err, "alice@example.org did not sign this"));
  g_assert_nonnull (strstr (world->err, "does not follow"));
}

/* The line that has @what. */
static char *
find_line (const char *contents, const char *what)
{
  const char *at = strstr (contents, what), *begin = at, *end;

  g_assert_nonnull (at);
  while (begin > contents && begin[-1] != '\n')
    begin--;
  end = strchr (at, '\n');
  return g_strndup (begin, end + 1 - begin);
}

static void
test_entry_that_was_taken_out_is_found (World *world, gconstpointer data)
{
  g_autofree char *contents = NULL;
  g_autofree char *line = NULL;

  g_assert_true (g_file_get_contents (world->alice, &contents, NULL, NULL));
  line = find_line (contents, " JOINED ");
  replace_in (world->alice, line, "");
  g_assert_cmpint (run (world, world->alice, NULL, NULL), ==, 1);
  g_assert_nonnull (strstr (world->err, "does not follow"));
  g_assert_null (strstr (world->err, "did not sign"));
}

static void
test_torn_entry_is_found_and_not_gone_on_from (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = test_pki_identity (world->pki, "alice");
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (world->alice, &contents, &size, NULL));
  g_assert_true (g_file_set_contents (world->alice, contents, size - 5, NULL));
  g_assert_cmpint (run (world, world->alice, NULL, NULL), ==, 1);
  g_assert_nonnull (strstr (world->err, "in the middle of an entry"));
  g_assert_null (bravis_membership_log_open (world->alice, alice, "talk", 0,
          &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE);
}

/* What stands in a file must not steer the terminal of who looks at it. */
static void
test_nothing_steers_the_terminal (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = test_pki_identity (world->pki, "alice");
  g_autoptr (BravisMembershipLog) log = bravis_membership_log_open (
      world->alice, alice, "talk", 1, NULL);

  g_assert_true (bravis_membership_log_end (log, "\033[2J", 2, NULL));
  g_assert_cmpint (run (world, world->alice, NULL, NULL), ==, 0);
  g_assert_nonnull (strstr (world->out, "?[2J"));
  g_assert_null (strchr (world->out, '\033'));
  replace_in (world->alice, "JOINED bob@", "JOINED \033[2J");
  g_assert_cmpint (run (world, world->alice, NULL, NULL), ==, 1);
  g_assert_null (strchr (world->out, '\033'));
  g_assert_null (strchr (world->err, '\033'));
}

static void
test_two_sessions_do_not_keep_one_log (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = test_pki_identity (world->pki, "alice");
  g_autoptr (BravisMembershipLog) log = bravis_membership_log_open (
      world->alice, alice, "talk", 1, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (log);
  g_assert_null (bravis_membership_log_open (world->alice, alice, "talk", 2,
          &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE);
}

static void
test_next_session_hangs_on_the_last (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = test_pki_identity (world->pki, "alice");
  g_autoptr (BravisMembershipLog) log = bravis_membership_log_open (
      world->alice, alice, "next time", 1, NULL);

  g_assert_nonnull (log);
  g_assert_true (bravis_membership_log_end (log, "left", 2, NULL));
  g_assert_cmpint (run (world, world->alice, NULL, NULL), ==, 0);
  g_assert_nonnull (strstr (world->out, "next%20time"));
}

/* Somebody with a certificate of its own writes a log in Alice's place. */
static void
test_log_of_another_is_not_hers (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) other = test_pki_identity_of_kind (world->pki,
      "mallory", TEST_PKI_OTHER_CA);
  g_autofree char *file = g_build_filename (test_pki_get_directory (world->pki),
      "mallory.log", NULL);
  g_autofree char *trust = g_strconcat ("--trust=",
      test_pki_get_trust_file (world->pki), NULL);
  g_autoptr (BravisMembershipLog) log = bravis_membership_log_open (file,
      other, "talk", TEST_PKI_NOW * G_USEC_PER_SEC, NULL);

  g_assert_cmpint (run (world, file, NULL, NULL), ==, 0);
  g_assert_cmpint (run (world, trust, file, NULL), ==, 1);
  g_assert_nonnull (strstr (world->err, "trusted"));
  replace_in (file, " mallory@example.org ", " alice@example.org ");
  g_assert_cmpint (run (world, file, NULL, NULL), ==, 1);
}

/* Each signs its own log, but what one of them says is not what was. */
static void
test_logs_that_contradict_each_other_are_found (World *world,
    gconstpointer data)
{
  g_autofree char *contents = NULL;
  g_autofree char *line = NULL;
  g_auto (BravisLogEntry) entry = { 0 };
  g_autoptr (BravisIdentity) bob = test_pki_identity (world->pki, "bob");
  g_autoptr (GBytes) signature = NULL;
  g_autofree char *text = NULL;
  g_autofree char *forged = NULL;
  char *confirmation;

  g_assert_true (g_file_get_contents (world->bob, &contents, NULL, NULL));
  line = find_line (contents, " EPOCH ");
  line[strlen (line) - 1] = '\0';
  g_assert_true (bravis_log_entry_read (&entry, line));
  confirmation = strstr (entry.body, entry.parts[4]);
  confirmation[0] = confirmation[0] == '0' ? '1' : '0';
  signature = bravis_identity_sign (bob, BRAVIS_LOG_LABEL, entry.body,
      strlen (entry.body), NULL);
  text = g_base64_encode (g_bytes_get_data (signature, NULL),
      g_bytes_get_size (signature));
  forged = g_strconcat (entry.body, "\t", text, NULL);
  replace_in (world->bob, line, forged);
  g_assert_cmpint (run (world, world->alice, world->bob, NULL), ==, 1);
  g_assert_nonnull (strstr (world->err, "but not the same"));
}

/* Nothing more goes into a file of the process from now on. */
static struct rlimit
fill_disk (const char *file)
{
  struct rlimit before, none;
  GStatBuf status;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (g_stat (file, &status), ==, 0);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  none = before;
  none.rlim_cur = status.st_size + 10;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &none), ==, 0);
  return before;
}

static void
test_full_disk_is_said_once (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = test_pki_identity (world->pki, "alice");
  g_autoptr (BravisMembershipLog) log = bravis_membership_log_open (
      world->alice, alice, "talk", 1, NULL);
  struct rlimit before = fill_disk (world->alice);
  g_autoptr (GError) error = NULL;

  g_assert_false (bravis_membership_log_joined (log, "bob@example.org", 2,
          &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE);
  g_assert_nonnull (strstr (error->message, world->alice));
  g_clear_error (&error);
  g_assert_false (bravis_membership_log_joined (log, "bob@example.org", 3,
          &error));
  g_assert_no_error (error);
}

static void
test_what_is_no_plain_file_is_refused (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) alice = test_pki_identity (world->pki, "alice");
  g_autoptr (GError) error = NULL;

  g_assert_null (bravis_membership_log_open ("/dev/full", alice, "talk", 0,
          &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE);
  g_assert_nonnull (strstr (error->message, "/dev/full"));
}

static void
test_what_is_no_log_is_refused (World *world, gconstpointer data)
{
  g_assert_cmpint (run (world, "/nonexistent", NULL, NULL), ==, 2);
  g_assert_nonnull (strstr (world->err, "/nonexistent"));
  g_assert_cmpint (run (world, NULL, NULL, NULL), ==, 2);
  g_assert_cmpint (run (world, test_pki_get_trust_file (world->pki), NULL,
          NULL), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, >=, 2);
  command = argv[1];
#define ADD(name) \
  g_test_add ("/tools/log/" #name, World, NULL, set_up, test_##name, tear_down)
  ADD (logs_of_a_conference_are_right_and_agree);
  ADD (altered_entry_is_found);
  ADD (entry_that_was_taken_out_is_found);
  ADD (torn_entry_is_found_and_not_gone_on_from);
  ADD (nothing_steers_the_terminal);
  ADD (two_sessions_do_not_keep_one_log);
  ADD (next_session_hangs_on_the_last);
  ADD (log_of_another_is_not_hers);
  ADD (logs_that_contradict_each_other_are_found);
  ADD (full_disk_is_said_once);
  ADD (what_is_no_plain_file_is_refused);
  ADD (what_is_no_log_is_refused);
#undef ADD
  return g_test_run ();
}
