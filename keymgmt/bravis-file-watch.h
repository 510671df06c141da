/* bravis-file-watch.h: whether a file has changed since it was looked at last
 *
 * By looking at it now and then: works on every file system, and for files that are
 * replaced as a whole, as they should be. One thread at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BRAVIS_FILE_WATCH_INTERVAL (2 * G_TIME_SPAN_SECOND)

typedef struct {
  char *file;                   /* NULL: there is nothing to watch */
  gint64 next;                  /* µs, monotonic: when it is looked at again */
  guint64 inode, size;
  gint64 seconds, nanoseconds;  /* of its last change */
} BravisFileWatch;

/* From how it is now on. @file may be NULL. */
void bravis_file_watch_init (BravisFileWatch *watch, const char *file,
    gint64 now);
void bravis_file_watch_clear (BravisFileWatch *watch);

/* Looks at it if it is time to. TRUE: it is another than it was. A file that is not
 * there is as it was: it may be about to be replaced. */
gboolean bravis_file_watch_has_changed (BravisFileWatch *watch, gint64 now);

/* G_MAXINT64: never. */
gint64 bravis_file_watch_deadline (const BravisFileWatch *watch);

G_END_DECLS
