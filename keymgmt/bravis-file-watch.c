#include "bravis-file-watch.h"

#include <sys/stat.h>

/* Returns whether that is news. */
static gboolean
look (BravisFileWatch *watch)
{
  BravisFileWatch before = *watch;
  struct stat status;

  if (stat (watch->file, &status) != 0)
    return FALSE;
  watch->inode = status.st_ino;
  watch->size = status.st_size;
  watch->seconds = status.st_mtim.tv_sec;
  watch->nanoseconds = status.st_mtim.tv_nsec;
  return watch->inode != before.inode || watch->size != before.size
      || watch->seconds != before.seconds
      || watch->nanoseconds != before.nanoseconds;
}

void
bravis_file_watch_init (BravisFileWatch *watch, const char *file, gint64 now)
{
  *watch = (BravisFileWatch) { .file = g_strdup (file) };
  if (!file)
    return;
  watch->next = now + BRAVIS_FILE_WATCH_INTERVAL;
  look (watch);
}

void
bravis_file_watch_clear (BravisFileWatch *watch)
{
  g_clear_pointer (&watch->file, g_free);
}

gboolean
bravis_file_watch_has_changed (BravisFileWatch *watch, gint64 now)
{
  if (!watch->file || now < watch->next)
    return FALSE;
  watch->next = now + BRAVIS_FILE_WATCH_INTERVAL;
  return look (watch);
}

gint64
bravis_file_watch_deadline (const BravisFileWatch *watch)
{
  return watch->file ? watch->next : G_MAXINT64;
}
