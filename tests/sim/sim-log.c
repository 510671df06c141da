#include "sim-log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HEX G_GINT64_MODIFIER "x"

struct _SimLog {
  int fd;
  char *path;
  int wrong;                    /* the first errno; 0: none */
};

const char *const sim_log_qualities[] = { "agreed", "safe", NULL };
const char *const sim_log_departures[] = { "left", "failed", "put-out", NULL };

const char *const sim_log_reasons[] = {
  "left", "put-out", "not-admitted", NULL
};

SimLog *
sim_log_open (const char *path, GError **error)
{
  SimLog *log;
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

  if (fd < 0) {
    int saved = errno;

    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (saved),
        "%s: %s", path, g_strerror (saved));
    return NULL;
  }
  log = g_new0 (SimLog, 1);
  log->fd = fd;
  log->path = g_strdup (path);
  return log;
}

gboolean
sim_log_close (SimLog *log, GError **error)
{
  int wrong = log->wrong;

  if (close (log->fd) != 0 && wrong == 0)
    wrong = errno;
  if (wrong != 0)
    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (wrong),
        "%s: %s", log->path, g_strerror (wrong));
  g_free (log->path);
  g_free (log);
  return wrong == 0;
}

/* All of a line at once: the process may be killed at any moment. */
static void
write_line (SimLog *log, GString *line)
{
  const char *at;
  gsize left;

  g_string_append_c (line, '\n');
  at = line->str;
  left = line->len;
  while (left > 0 && log->wrong == 0) {
    gssize n = write (log->fd, at, left);

    if (n >= 0) {
      at += n;
      left -= n;
    } else if (errno != EINTR) {
      log->wrong = errno;
    }
  }
}

static void G_GNUC_PRINTF (3, 4)
add (SimLog *log, gint64 time, const char *format, ...)
{
  g_autoptr (GString) line = g_string_sized_new (64);
  va_list args;

  g_string_append_printf (line, "%" G_GINT64_FORMAT " ", time);
  va_start (args, format);
  g_string_append_vprintf (line, format, args);
  va_end (args);
  write_line (log, line);
}

void
sim_log_process (SimLog *log, gint64 time, GcpMemberId id, const char *name)
{
  add (log, time, "process %" HEX "%s%s", id, name ? " " : "",
      name ? name : "");
}

void
sim_log_sent (SimLog *log, gint64 time, guint64 message, GcpQuality quality,
    gboolean open)
{
  add (log, time, "sent %" G_GUINT64_FORMAT " %s %s", message,
      sim_log_qualities[quality], open ? "open" : "queued");
}

void
sim_log_refused (SimLog *log, gint64 time, guint64 message)
{
  add (log, time, "refused %" G_GUINT64_FORMAT, message);
}

void
sim_log_delivered (SimLog *log, gint64 time, GcpMemberId sender,
    guint64 message, GcpQuality quality)
{
  add (log, time, "delivered %" HEX " %" G_GUINT64_FORMAT " %s", sender,
      message, sim_log_qualities[quality]);
}

void
sim_log_departed (SimLog *log, gint64 time, GcpMemberId member,
    GcpDeparture why)
{
  add (log, time, "departed %" HEX " %s", member, sim_log_departures[why]);
}

void
sim_log_view (SimLog *log, gint64 time, guint64 number, gboolean primary,
    const GcpMemberId *members, guint n_members)
{
  g_autoptr (GString) line = g_string_sized_new (64);

  g_string_append_printf (line, "%" G_GINT64_FORMAT " view %" G_GUINT64_FORMAT
      " %s", time, number, primary ? "primary" : "not");
  for (guint i = 0; i < n_members; i++)
    g_string_append_printf (line, " %" HEX, members[i]);
  write_line (log, line);
}

void
sim_log_left (SimLog *log, gint64 time)
{
  add (log, time, "left");
}

void
sim_log_ended (SimLog *log, gint64 time, GcpEndReason reason)
{
  add (log, time, "ended %s", sim_log_reasons[reason]);
}

void
sim_log_crashed (SimLog *log, gint64 time, GcpMemberId id)
{
  add (log, time, "crashed %" HEX, id);
}

void
sim_log_put_out (SimLog *log, gint64 time, GcpMemberId id)
{
  add (log, time, "put-out %" HEX, id);
}
