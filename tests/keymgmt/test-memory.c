/* After a peer has left, its memory holds none of the secrets it ever had.
 *
 * A peer runs in a process of its own, joins, goes through key changes, derives and
 * exports keys, and leaves. Each secret that is made there is also written to a pipe,
 * so the test knows them all; it then reads the whole memory of that process, more
 * than a core dump has, and looks for them, and for the private key. */
#include "test-sessions.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <gio/gio.h>

#define LOOPBACK "127.0.0.1:0"
#define BOB "bob@example.org"
#define PIPE 3                          /* of the peer: where secrets are written */
#define LONG_ENOUGH 16                  /* octets of a secret that are looked for */

BravisSecret *__real_bravis_secret_new (gconstpointer bytes, gsize size);
BravisSecret *__wrap_bravis_secret_new (gconstpointer bytes, gsize size);
BravisSecret *__real_bravis_secret_new_take (gpointer bytes, gsize size);
BravisSecret *__wrap_bravis_secret_new_take (gpointer bytes, gsize size);

/* --- the peer --- */

static gboolean is_peer;

/* Straight from where the secret is: nothing is copied in this process. At once, since
 * threads make secrets side by side. */
static void
show (BravisSecret *secret)
{
  gsize size = bravis_secret_get_size (secret);
  guint8 length = MIN (size, 255);
  struct iovec parts[] = { { &length, 1 },
    { (gpointer) bravis_secret_peek (secret), length } };

  if (!is_peer || size < LONG_ENOUGH)
    return;
  g_assert_cmpint (writev (PIPE, parts, G_N_ELEMENTS (parts)), ==, 1 + length);
}

BravisSecret *
__wrap_bravis_secret_new (gconstpointer bytes, gsize size)
{
  BravisSecret *secret = __real_bravis_secret_new (bytes, size);

  show (secret);
  return secret;
}

BravisSecret *
__wrap_bravis_secret_new_take (gpointer bytes, gsize size)
{
  BravisSecret *secret = __real_bravis_secret_new_take (bytes, size);

  show (secret);
  return secret;
}

/* What elements and applications do with keys. */
static void
use_keys (BravisSession *session)
{
  g_autoptr (BravisEpoch) epoch = bravis_session_ref_epoch (session);
  g_autoptr (GBytes) key = bravis_session_export_key (session, "test", NULL, 32,
      NULL, NULL);
  BravisKid kid = { 0, 0, BRAVIS_KIND_VIDEO, 0 };

  if (!epoch)
    return;
  kid.epoch = bravis_epoch_get_number (epoch);
  bravis_secret_unref (bravis_epoch_derive_base_key (epoch,
          bravis_kid_pack (&kid)));
  bravis_secret_unref (bravis_epoch_derive_srtp_key (epoch,
          bravis_kid_pack (&kid), 28));
}

/* Does what its standard input says, a letter each, and echoes it when it is done. */
static int
run_peer (const char *config)
{
  g_autoptr (GError) error = NULL;
  BravisSession *session;
  int letter;

  is_peer = TRUE;
  session = bravis_session_new ("peer", config, &error);
  g_assert_no_error (error);
  while ((letter = getchar ()) != EOF) {
    g_autoptr (GVariant) stats = NULL;
    const char *address;

    if (letter == 's') {
      bravis_session_start (session);
      stats = bravis_session_dup_stats (session);
      g_variant_lookup (stats, "local-address", "&s", &address);
      printf ("%s\n", address);
    } else if (letter == 'u') {
      use_keys (session);
      printf ("u\n");
    } else if (letter == 'l') {
      bravis_session_stop (session);
      g_clear_object (&session);
      close (PIPE);
      printf ("l\n");
    }
    fflush (stdout);
  }
  return 0;
}

/* --- the test --- */

typedef struct {
  TestPki *pki;
  GSubprocess *peer;
  GDataInputStream *answers;
  GMutex lock;                  /* of the secrets */
  GByteArray *secrets;          /* as they came through the pipe */
  GPtrArray *shown;             /* of GBytes: derived like them, but no secrets: the
                                 * confirmation values, which go with key changes */
  GThread *reader;
  int pipe;
} World;

static gpointer
read_secrets (gpointer data)
{
  World *world = data;
  guint8 buffer[4096];
  gssize n;

  while ((n = read (world->pipe, buffer, sizeof buffer)) > 0) {
    g_mutex_lock (&world->lock);
    g_byte_array_append (world->secrets, buffer, n);
    g_mutex_unlock (&world->lock);
  }
  return NULL;
}

static char *
ask (World *world, const char *letter)
{
  GOutputStream *in = g_subprocess_get_stdin_pipe (world->peer);
  char *answer;

  g_assert_true (g_output_stream_write_all (in, letter, 1, NULL, NULL, NULL));
  answer = g_data_input_stream_read_line (world->answers, NULL, NULL, NULL);
  g_assert_nonnull (answer);
  return answer;
}

static void
start_peer (World *world)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *config = test_sessions_write_config (world->pki, "bob",
      TEST_PKI_GOOD, LOOPBACK, NULL, NULL);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  GError *error = NULL;
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_subprocess_launcher_take_fd (launcher, ends[1], PIPE);
  world->peer = g_subprocess_launcher_spawn (launcher, &error, self, "--peer",
      config, NULL);
  g_assert_no_error (error);
  g_subprocess_launcher_close (launcher);
  world->answers = g_data_input_stream_new (
      g_subprocess_get_stdout_pipe (world->peer));
  world->pipe = ends[0];
  world->secrets = g_byte_array_new ();
  world->reader = g_thread_new ("secrets", read_secrets, world);
}

static gboolean
is_shown (World *world, const guint8 *secret, guint length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (secret, length);

  return g_ptr_array_find_with_equal_func (world->shown, bytes, g_bytes_equal,
      NULL);
}

static void
note_confirmation (World *world, BravisSession *session)
{
  g_autoptr (BravisEpoch) epoch = bravis_session_ref_epoch (session);

  g_ptr_array_add (world->shown, g_bytes_new (bravis_epoch_get_confirmation (
          epoch), BRAVIS_HASH_SIZE));
}

/* The private key, as its file has it and as it is: among the secrets. */
static void
add_private_key (World *world)
{
  g_autofree char *pem = NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree guint8 *der = NULL;
  guint8 length;
  gsize size;

  g_assert_true (g_file_get_contents (test_pki_file (world->pki, "bob",
          "-key.pem"), &pem, NULL, NULL));
  lines = g_strsplit (pem, "\n", -1);
  length = strlen (lines[1]);
  g_byte_array_append (world->secrets, &length, 1);
  g_byte_array_append (world->secrets, (guint8 *) lines[1], length);
  der = g_base64_decode (lines[1], &size);
  g_assert_cmpuint (size, ==, 48);      /* RFC 8410: the seed is the end of it */
  length = 32;
  g_byte_array_append (world->secrets, &length, 1);
  g_byte_array_append (world->secrets, der + size - length, length);
}

/* Where in @memory one of the secrets is; NULL: nowhere. */
static const guint8 *
find_secret (World *world, const guint8 *memory, gsize size, guint *n_secrets)
{
  const guint8 *found = NULL;

  *n_secrets = 0;
  if (!memory)
    return NULL;
  for (guint at = 0; at + 1 < world->secrets->len; (*n_secrets)++) {
    guint length = world->secrets->data[at];
    const guint8 *secret = world->secrets->data + at + 1;

    at += 1 + length;
    if (at > world->secrets->len)
      break;
    if (found || is_shown (world, secret, length))
      continue;
    found = memmem (memory, size, secret, LONG_ENOUGH);
    if (!found)
      found = memmem (memory, size, secret + length - LONG_ENOUGH, LONG_ENOUGH);
  }
  return found;
}

/* Looks through all that the process can write to. Returns where a secret is, in
 * words; NULL: nowhere. */
static char *
search (World *world, guint *n_secrets)
{
  const char *id = g_subprocess_get_identifier (world->peer);
  g_autofree char *maps_file = g_strdup_printf ("/proc/%s/maps", id);
  g_autofree char *memory_file = g_strdup_printf ("/proc/%s/mem", id);
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;
  char *where = NULL;
  int fd = open (memory_file, O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (g_file_get_contents (maps_file, &maps, NULL, NULL));
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] && *lines[i] && !where; i++) {
    guint64 from, until;
    char rights[5];
    g_autoptr (GByteArray) memory = g_byte_array_new ();
    const guint8 *found;
    gssize n;

    g_assert_cmpint (sscanf (lines[i], "%" G_GINT64_MODIFIER "x-%"
            G_GINT64_MODIFIER "x %4s", &from, &until, rights), ==, 3);
    if (rights[0] != 'r' || rights[1] != 'w')
      continue;
    g_byte_array_set_size (memory, until - from);
    n = pread (fd, memory->data, memory->len, from);
    if (n <= 0)
      continue;
    g_mutex_lock (&world->lock);
    found = find_secret (world, memory->data, n, n_secrets);
    g_mutex_unlock (&world->lock);
    if (found)
      where = g_strdup_printf ("at offset %" G_GINT64_FORMAT " of %s",
          (gint64) (found - memory->data), lines[i]);
  }
  close (fd);
  return where;
}

static void
test_nothing_is_left_after_leaving (void)
{
  World world = { .pki = test_pki_new (), .shown =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref) };
  g_autofree char *address = NULL;
  g_autofree char *invite = NULL;
  g_autofree char *config = NULL;
  g_autofree char *where = NULL;
  TestPeer *alice;
  guint n_secrets = 0;

#ifdef __SANITIZE_ADDRESS__
  /* It keeps aside what is given back, also what libraries did not wipe. */
  g_test_skip ("the address sanitizer changes what memory holds");
  g_ptr_array_unref (world.shown);
  test_pki_free (world.pki);
  return;
#endif
  start_peer (&world);
  address = ask (&world, "s");
  invite = g_strconcat (BOB "=", address, NULL);
  config = test_sessions_write_config (world.pki, "alice", TEST_PKI_GOOD,
      LOOPBACK, invite, NULL);
  alice = test_peer_new (config);
  bravis_session_start (alice->session);
  test_peers_wait_agree (&alice, 1, 2);
  note_confirmation (&world, alice->session);
  for (guint i = 0; i < 4; i++) {
    guint64 epoch = bravis_session_get_epoch_number (alice->session);
    g_autofree char *done = NULL;

    bravis_session_refresh (alice->session);
    while (bravis_session_get_epoch_number (alice->session) == epoch)
      g_thread_yield ();
    note_confirmation (&world, alice->session);
    done = ask (&world, "u");
  }

  /* While it is there it has them: so they would be found. */
  where = search (&world, &n_secrets);
  g_assert_nonnull (where);
  g_clear_pointer (&where, g_free);
  g_free (ask (&world, "l"));
  g_thread_join (world.reader);
  add_private_key (&world);
  where = search (&world, &n_secrets);
  g_test_message ("%u secrets; %s", n_secrets, where ? where : "none is left");
  g_assert_cmpuint (n_secrets, >, 60);
  g_assert_cmpstr (where, ==, NULL);

  g_subprocess_force_exit (world.peer);
  g_subprocess_wait (world.peer, NULL, NULL);
  close (world.pipe);
  g_byte_array_unref (world.secrets);
  g_ptr_array_unref (world.shown);
  g_object_unref (world.answers);
  g_object_unref (world.peer);
  test_peer_free (alice);
  test_pki_free (world.pki);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--peer"))
    return run_peer (argv[2]);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keymgmt/memory/nothing_is_left_after_leaving",
      test_nothing_is_left_after_leaving);
  return g_test_run ();
}
