#include "bravis-keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct _BravisKeylog {
  int fd;
};

BravisKeylog *
bravis_keylog_open (GError **error)
{
  const char *file = g_getenv ("BRAVIS_KEYLOG");
  BravisKeylog *keylog;
  int fd;

  if (!file || file[0] == '\0')
    return NULL;
  fd = open (file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
      0600);
  if (fd < 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE,
        "cannot write the key log BRAVIS_KEYLOG=%s: %s", file,
        g_strerror (errno));
    return NULL;
  }
  /* One that was there may be open to others. */
  if (fchmod (fd, 0600) != 0)
    g_printerr ("BRAVIS_KEYLOG: %s may be readable for others: %s\n", file,
        g_strerror (errno));
  /* Not g_warning (): this has to be said however messages are filtered, and
   * must not stop a program that takes warnings for fatal. */
  g_printerr ("\n*** BRAVIS_KEYLOG is set: keys are written to %s: anybody who "
      "reads it can read the conference ***\n\n", file);
  keylog = g_new0 (BravisKeylog, 1);
  keylog->fd = fd;
  return keylog;
}

void
bravis_keylog_free (BravisKeylog *keylog)
{
  close (keylog->fd);
  g_free (keylog);
}

static void
append_hex (GString *line, const guint8 *data, gsize size)
{
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (line, "%02x", data[i]);
}

static void
hash_context (BravisEpoch *epoch, guint8 out[BRAVIS_HASH_SIZE])
{
  BravisCard *cards[GCP_MAX_MEMBERS];

  for (guint i = 0; i < bravis_epoch_get_n_members (epoch); i++)
    cards[i] = bravis_epoch_get_card (epoch, i);
  bravis_epoch_hash_context (bravis_epoch_get_number (epoch),
      bravis_epoch_get_view (epoch), cards, bravis_epoch_get_policy (epoch),
      out);
}

void
bravis_keylog_write_epoch (BravisKeylog *keylog, const char *conference,
    BravisEpoch *epoch, const char *cause, gint64 time)
{
  const BravisPolicy *policy = bravis_epoch_get_policy (epoch);
  const BravisSecret *secret = bravis_epoch_get_secret (epoch);
  BravisCard *own = bravis_epoch_get_card (epoch, bravis_epoch_get_self (epoch));
  g_autofree char *conference_hash = g_compute_checksum_for_string (
      G_CHECKSUM_SHA256, conference, -1);
  g_autoptr (GString) line = g_string_new (NULL);
  guint8 context[BRAVIS_HASH_SIZE];
  gssize written;

  hash_context (epoch, context);
  g_string_append_printf (line, "EPOCH %" G_GINT64_FORMAT " %s %016"
      G_GINT64_MODIFIER "x %" G_GUINT64_FORMAT " %s ", time, conference_hash,
      own->id, bravis_epoch_get_number (epoch), cause);
  append_hex (line, bravis_secret_peek (secret),
      bravis_secret_get_size (secret));
  g_string_append_c (line, ' ');
  append_hex (line, context, sizeof context);
  g_string_append_printf (line, " suites=%d,%d,%d,%d members=",
      policy->cipher[0], policy->cipher[1], policy->cipher[2],
      policy->cipher[3]);
  for (guint i = 0; i < bravis_epoch_get_n_members (epoch); i++)
    g_string_append_printf (line, "%s%s", i > 0 ? "," : "",
        bravis_epoch_get_card (epoch, i)->name);
  g_string_append_c (line, '\n');
  /* One write, so that lines of several sessions and processes stay whole. */
  do
    written = write (keylog->fd, line->str, line->len);
  while (written < 0 && errno == EINTR);
  if (written != (gssize) line->len)
    g_printerr ("BRAVIS_KEYLOG: the file could not be written to\n");
  bravis_wipe (line->str, line->len);
}
