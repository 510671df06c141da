#include "bravis-membership-log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PARTS 16
#define HASH_TEXT (2 * BRAVIS_HASH_SIZE)

struct _BravisMembershipLog {
  BravisIdentity *identity;
  char *file;
  int fd;                       /* -1: could not be written to any more */
  guint64 next;
  char *previous;               /* hash, hexadecimal */
};

/* --- entries --- */

static void
append_hex (GString *text, gconstpointer data, gsize size)
{
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", ((const guint8 *) data)[i]);
}

char *
bravis_log_entry_hash (const char *body)
{
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, body, -1);
}

gboolean
bravis_log_entry_read (BravisLogEntry *entry, const char *line)
{
  const char *tab = strchr (line, '\t');
  g_auto (GStrv) parts = NULL;
  guint64 time;
  gsize size;
  guint8 *signature;

  *entry = (BravisLogEntry) { 0 };
  if (!tab)
    return FALSE;
  entry->body = g_strndup (line, tab - line);
  parts = g_strsplit (entry->body, " ", MAX_PARTS);
  if (g_strv_length (parts) < 4 || strlen (parts[1]) != HASH_TEXT
      || !g_ascii_string_to_unsigned (parts[0], 10, 0, G_MAXUINT64,
          &entry->number, NULL)
      || !g_ascii_string_to_unsigned (parts[2], 10, 0, G_MAXINT64, &time, NULL))
    return FALSE;
  g_strlcpy (entry->previous, parts[1], sizeof entry->previous);
  entry->time = time;
  entry->parts = g_strdupv (parts + 3);
  signature = g_base64_decode (tab + 1, &size);
  entry->signature = g_bytes_new_take (signature, size);
  return size > 0;
}

void
bravis_log_entry_clear (BravisLogEntry *entry)
{
  g_clear_pointer (&entry->body, g_free);
  g_clear_pointer (&entry->parts, g_strfreev);
  g_clear_pointer (&entry->signature, g_bytes_unref);
}

/* --- the file --- */

static void
set_error (BravisMembershipLog *log, GError **error, const char *what)
{
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE,
      "%s: the membership log %s", log->file, what);
}

/* What the next entry hangs on; @contents is wiped of its last line end. */
static gboolean
find_last (BravisMembershipLog *log, char *contents, gsize size, GError **error)
{
  g_auto (BravisLogEntry) last = { 0 };
  char *begin;

  if (size == 0)
    return TRUE;
  if (contents[size - 1] != '\n') {
    set_error (log, error, "ends in the middle of an entry");
    return FALSE;
  }
  contents[size - 1] = '\0';
  begin = strrchr (contents, '\n');
  if (!bravis_log_entry_read (&last, begin ? begin + 1 : contents)) {
    set_error (log, error, "ends with what is no entry");
    return FALSE;
  }
  log->next = last.number + 1;
  g_free (log->previous);
  log->previous = bravis_log_entry_hash (last.body);
  return TRUE;
}

static gboolean
open_file (BravisMembershipLog *log, GError **error)
{
  g_autofree char *contents = NULL;
  struct stat status;
  gsize size = 0;

  log->fd = open (log->file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC
      | O_NOFOLLOW, 0600);
  if (log->fd < 0) {
    g_autofree char *what = g_strdup_printf ("cannot be opened: %s",
        g_strerror (errno));

    set_error (log, error, what);
    return FALSE;
  }
  if (fstat (log->fd, &status) != 0 || !S_ISREG (status.st_mode)) {
    set_error (log, error, "has to be a plain file");
    return FALSE;
  }
  if (flock (log->fd, LOCK_EX | LOCK_NB) != 0) {
    set_error (log, error, "is kept by another session already");
    return FALSE;
  }
  if (!g_file_get_contents (log->file, &contents, &size, NULL)) {
    set_error (log, error, "cannot be read");
    return FALSE;
  }
  return find_last (log, contents, size, error);
}

static gboolean
write_all (int fd, const char *text, gsize size)
{
  gssize written;

  do
    written = write (fd, text, size);
  while (written < 0 && errno == EINTR);
  return written == (gssize) size;
}

/* Signs and writes an entry; @rest: kind and parts. */
static gboolean
enter (BravisMembershipLog *log, gint64 time, const char *rest, GError **error)
{
  g_autofree char *body = g_strdup_printf ("%" G_GUINT64_FORMAT " %s %"
      G_GINT64_FORMAT " %s", log->next, log->previous, time, rest);
  g_autoptr (GBytes) signature = NULL;
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;
  gsize size;

  if (log->fd < 0)
    return FALSE;
  signature = bravis_identity_sign (log->identity, BRAVIS_LOG_LABEL, body,
      strlen (body), error);
  if (!signature)
    return FALSE;
  text = g_base64_encode (g_bytes_get_data (signature, NULL),
      g_bytes_get_size (signature));
  line = g_strconcat (body, "\t", text, "\n", NULL);
  size = strlen (line);
  if (!write_all (log->fd, line, size)) {
    g_autofree char *what = g_strdup_printf ("cannot be written to, and is not kept "
        "any more: %s", g_strerror (errno));

    set_error (log, error, what);
    close (log->fd);
    log->fd = -1;
    return FALSE;
  }
  log->next++;
  g_free (log->previous);
  log->previous = bravis_log_entry_hash (body);
  return TRUE;
}

static gboolean
start (BravisMembershipLog *log, const char *conference, gint64 time,
    GError **error)
{
  g_autofree char *name = g_uri_escape_string (conference, NULL, FALSE);
  GBytes *chain = bravis_identity_get_chain (log->identity);
  g_autofree char *text = g_base64_encode (g_bytes_get_data (chain, NULL),
      g_bytes_get_size (chain));
  g_autofree char *rest = g_strdup_printf ("START %s %s %s", name,
      bravis_identity_get_name (log->identity), text);

  return enter (log, time, rest, error);
}

BravisMembershipLog *
bravis_membership_log_open (const char *file, BravisIdentity *identity,
    const char *conference, gint64 time, GError **error)
{
  g_autoptr (BravisMembershipLog) log = g_new0 (BravisMembershipLog, 1);

  log->identity = bravis_identity_ref (identity);
  log->file = g_strdup (file);
  log->fd = -1;
  log->previous = g_strnfill (HASH_TEXT, '0');
  if (!open_file (log, error) || !start (log, conference, time, error))
    return NULL;
  return g_steal_pointer (&log);
}

void
bravis_membership_log_free (BravisMembershipLog *log)
{
  if (log->fd >= 0)
    close (log->fd);
  bravis_identity_unref (log->identity);
  g_free (log->previous);
  g_free (log->file);
  g_free (log);
}

/* --- what is entered --- */

gboolean
bravis_membership_log_view (BravisMembershipLog *log, guint64 number,
    gboolean primary, const char *const *names, gint64 time, GError **error)
{
  g_autofree char *list = g_strjoinv (",", (char **) names);
  g_autofree char *rest = g_strdup_printf ("VIEW %" G_GUINT64_FORMAT " %s %s",
      number, primary ? "primary" : "part", list);

  return enter (log, time, rest, error);
}

gboolean
bravis_membership_log_joined (BravisMembershipLog *log, const char *name,
    gint64 time, GError **error)
{
  g_autofree char *rest = g_strconcat ("JOINED ", name, NULL);

  return enter (log, time, rest, error);
}

gboolean
bravis_membership_log_left (BravisMembershipLog *log, const char *name,
    const char *reason, gint64 time, GError **error)
{
  g_autofree char *rest = g_strconcat ("LEFT ", name, " ", reason, NULL);

  return enter (log, time, rest, error);
}

gboolean
bravis_membership_log_epoch (BravisMembershipLog *log, const BravisEpoch *epoch,
    const char *cause, gint64 time, GError **error)
{
  g_autoptr (GString) rest = g_string_new (NULL);

  g_string_printf (rest, "EPOCH %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s ",
      bravis_epoch_get_number (epoch),
      gcp_view_get_number (bravis_epoch_get_view (epoch)), cause);
  append_hex (rest, bravis_epoch_get_confirmation (epoch), BRAVIS_HASH_SIZE);
  g_string_append_c (rest, ' ');
  for (guint i = 0; i < bravis_epoch_get_n_members (epoch); i++) {
    BravisCard *card = bravis_epoch_get_card (epoch, i);

    g_string_append_printf (rest, "%s%s/", i > 0 ? "," : "", card->name);
    append_hex (rest, card->digest, BRAVIS_HASH_SIZE);
  }
  return enter (log, time, rest->str, error);
}

gboolean
bravis_membership_log_end (BravisMembershipLog *log, const char *reason,
    gint64 time, GError **error)
{
  g_autofree char *text = g_uri_escape_string (reason, NULL, FALSE);
  g_autofree char *rest = g_strconcat ("END ", text, NULL);

  return enter (log, time, rest, error);
}
