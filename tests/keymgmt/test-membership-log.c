/* What the owner of a membership log, who can sign whatever it likes, cannot enter
 * without `bravis log` saying so; argv[1] is the command. Logs are written here as
 * bravis-membership-log.h says, entry by entry. */
#include "../../keymgmt/bravis-membership-log.h"
#include "test-pki.h"

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#define CONFIRMATION "aa"
#define MEMBERS "alice@example.org/01,bob@example.org/02"

static char *command;

typedef struct {
  BravisIdentity *owner;
  char *file;
  GString *text;
  guint64 next;
  char *previous;               /* hash */
} Log;

typedef struct {
  TestPki *pki;
  Log alice, bob;
  char *out, *err;              /* of the last run */
} World;

/* --- logs --- */

static void
enter (Log *log, const char *rest)
{
  g_autofree char *body = g_strdup_printf ("%" G_GUINT64_FORMAT " %s %"
      G_GINT64_FORMAT " %s", log->next++, log->previous,
      TEST_PKI_NOW * G_USEC_PER_SEC, rest);
  g_autoptr (GBytes) signature = bravis_identity_sign (log->owner,
      BRAVIS_LOG_LABEL, body, strlen (body), NULL);
  g_autofree char *text = g_base64_encode (g_bytes_get_data (signature, NULL),
      g_bytes_get_size (signature));

  g_string_append_printf (log->text, "%s\t%s\n", body, text);
  g_free (log->previous);
  log->previous = bravis_log_entry_hash (body);
}

static void
enter_start (Log *log, const char *name)
{
  GBytes *chain = bravis_identity_get_chain (log->owner);
  g_autofree char *text = g_base64_encode (g_bytes_get_data (chain, NULL),
      g_bytes_get_size (chain));
  g_autofree char *rest = g_strdup_printf ("START talk %s %s", name, text);

  enter (log, rest);
}

static void
enter_epoch (Log *log, const char *confirmation, const char *members)
{
  g_autofree char *rest = g_strdup_printf ("EPOCH 2 3 join %s %s", confirmation,
      members);

  enter (log, rest);
}

static void
begin (World *world, Log *log, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".log", NULL);

  log->owner = test_pki_identity (world->pki, name);
  log->file = g_build_filename (test_pki_get_directory (world->pki), file, NULL);
  log->text = g_string_new (NULL);
  log->previous = g_strnfill (2 * BRAVIS_HASH_SIZE, '0');
}

static void
end (Log *log)
{
  bravis_identity_unref (log->owner);
  g_free (log->file);
  g_string_free (log->text, TRUE);
  g_free (log->previous);
}

static void
set_up (World *world, gconstpointer data)
{
  world->pki = test_pki_new ();
  begin (world, &world->alice, "alice");
  begin (world, &world->bob, "bob");
}

static void
tear_down (World *world, gconstpointer data)
{
  end (&world->alice);
  end (&world->bob);
  test_pki_free (world->pki);
  g_free (world->out);
  g_free (world->err);
}

/* --- judgement --- */

/* Whether nothing is wrong with the logs of both, or with Alice's alone where Bob has
 * none. */
static gboolean
is_right (World *world)
{
  Log *logs[] = { &world->alice, &world->bob };
  char *line[] = { command, (char *) "log", NULL, NULL, NULL };
  g_autoptr (GError) error = NULL;
  int status;

  for (guint i = 0; i < G_N_ELEMENTS (logs); i++)
    if (logs[i]->text->len > 0) {
      g_assert_true (g_file_set_contents (logs[i]->file, logs[i]->text->str, -1,
          NULL));
      line[2 + i] = logs[i]->file;
    }
  g_clear_pointer (&world->out, g_free);
  g_clear_pointer (&world->err, g_free);
  g_spawn_sync (NULL, line, NULL, G_SPAWN_DEFAULT, NULL, NULL, &world->out,
      &world->err, &status, &error);
  g_assert_no_error (error);
  g_test_message ("%s%s", world->out, world->err);
  return g_spawn_check_wait_status (status, NULL);
}

static void
assert_wrong (World *world, const char *what)
{
  g_assert_false (is_right (world));
  g_assert_nonnull (strstr (world->err, what));
}

/* --- tests --- */

static void
test_what_is_entered_as_documented_is_right (World *world, gconstpointer data)
{
  enter_start (&world->alice, "alice@example.org");
  enter (&world->alice, "VIEW 3 primary alice@example.org,bob@example.org");
  enter (&world->alice, "JOINED bob@example.org");
  enter_epoch (&world->alice, CONFIRMATION, MEMBERS);
  enter (&world->alice, "END left");
  g_assert_true (is_right (world));
  g_assert_null (strstr (world->out, "no END"));
}

static void
test_entries_that_changed_places_are_found (World *world, gconstpointer data)
{
  g_auto (GStrv) lines = NULL;
  g_autofree char *text = NULL;
  char *line;

  enter_start (&world->alice, "alice@example.org");
  enter (&world->alice, "JOINED bob@example.org");
  enter (&world->alice, "LEFT bob@example.org left");
  lines = g_strsplit (world->alice.text->str, "\n", -1);
  line = lines[1];
  lines[1] = lines[2];
  lines[2] = line;
  text = g_strjoinv ("\n", lines);
  g_string_assign (world->alice.text, text);
  assert_wrong (world, "does not follow");
  g_assert_null (strstr (world->err, "did not sign"));
}

static void
test_number_that_was_left_out_is_found (World *world, gconstpointer data)
{
  enter_start (&world->alice, "alice@example.org");
  world->alice.next++;
  enter (&world->alice, "END left");
  assert_wrong (world, "does not follow");
}

/* The entry before it was another, and was signed anew. */
static void
test_entry_that_hangs_on_another_is_found (World *world, gconstpointer data)
{
  enter_start (&world->alice, "alice@example.org");
  world->alice.previous[0] = world->alice.previous[0] == '0' ? '1' : '0';
  enter (&world->alice, "END left");
  assert_wrong (world, "does not follow");
}

static void
test_end_that_was_cut_off_is_missed (World *world, gconstpointer data)
{
  gsize before;

  enter_start (&world->alice, "alice@example.org");
  before = world->alice.text->len;
  enter (&world->alice, "END left");
  g_string_truncate (world->alice.text, before);
  g_assert_true (is_right (world));
  g_assert_nonnull (strstr (world->out, "no END"));
}

static void
test_entry_before_any_start_is_nobodys (World *world, gconstpointer data)
{
  enter (&world->alice, "JOINED bob@example.org");
  assert_wrong (world, "an entry of nobody");
}

static void
test_name_must_be_that_of_the_certificate (World *world, gconstpointer data)
{
  enter_start (&world->alice, "bob@example.org");
  assert_wrong (world, "bob@example.org has a certificate of alice@example.org");
}

static void
enter_epochs (World *world, const char *of_alice, const char *of_bob)
{
  enter_start (&world->alice, "alice@example.org");
  enter_start (&world->bob, "bob@example.org");
  enter_epoch (&world->alice, CONFIRMATION, of_alice);
  enter_epoch (&world->bob, CONFIRMATION, of_bob);
}

static void
test_logs_with_other_members_in_one_epoch_are_found (World *world,
    gconstpointer data)
{
  enter_epochs (world, MEMBERS, "alice@example.org/01,bob@example.org/03");
  assert_wrong (world, "but not the same");
}

/* Parts of a group go on apart, with the same numbers. */
static void
test_epochs_of_parts_do_not_contradict_each_other (World *world,
    gconstpointer data)
{
  enter_epochs (world, "alice@example.org/01", "bob@example.org/02");
  g_assert_true (is_right (world));
}

static void
test_log_is_for_its_owners_eyes (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisMembershipLog) log = bravis_membership_log_open (
      world->alice.file, world->alice.owner, "talk", 0, &error);
  GStatBuf status;

  g_assert_no_error (error);
  g_assert_cmpint (g_stat (world->alice.file, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
}

static void
test_link_to_another_file_is_not_followed (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (world->bob.file, "", 0, NULL));
  g_assert_cmpint (symlink (world->bob.file, world->alice.file), ==, 0);
  g_assert_null (bravis_membership_log_open (world->alice.file,
          world->alice.owner, "talk", 0, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE);
  g_assert_nonnull (strstr (error->message, world->alice.file));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, >=, 2);
  command = argv[1];
#define ADD(name) \
  g_test_add ("/keymgmt/membership-log/" #name, World, NULL, set_up, test_##name, \
      tear_down)
  ADD (what_is_entered_as_documented_is_right);
  ADD (entries_that_changed_places_are_found);
  ADD (number_that_was_left_out_is_found);
  ADD (entry_that_hangs_on_another_is_found);
  ADD (end_that_was_cut_off_is_missed);
  ADD (entry_before_any_start_is_nobodys);
  ADD (name_must_be_that_of_the_certificate);
  ADD (logs_with_other_members_in_one_epoch_are_found);
  ADD (epochs_of_parts_do_not_contradict_each_other);
  ADD (log_is_for_its_owners_eyes);
  ADD (link_to_another_file_is_not_followed);
#undef ADD
  return g_test_run ();
}
