#include "bravis-files.h"
#include "../keymgmt/bravis-error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <glib/gstdio.h>

gboolean
bravis_file_error (const char *file, int cause, GError **error)
{
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE, "%s: %s", file,
      g_strerror (cause));
  return FALSE;
}

static gboolean
write_all (int fd, const char *data, gsize size)
{
  while (size > 0) {
    gssize written = write (fd, data, size);

    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return FALSE;
    data += written;
    size -= written;
  }
  return fsync (fd) == 0;
}

gboolean
bravis_create_file (
    const char *file, int mode, const char *data, gsize size, GError **error)
{
  int fd = open (file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  int cause = 0;

  if (fd < 0 && errno == EEXIST) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE,
        "%s is there already, and is never overwritten", file);
    return FALSE;
  }
  if (fd < 0)
    return bravis_file_error (file, errno, error);
  if (!write_all (fd, data, size))
    cause = errno;
  if (close (fd) != 0 && cause == 0)
    cause = errno;
  if (cause == 0)
    return TRUE;
  unlink (file);
  return bravis_file_error (file, cause, error);
}

gboolean
bravis_replace_file (
    const char *file, const char *data, gsize size, GError **error)
{
  g_autoptr (GError) cause = NULL;

  if (g_file_set_contents_full (file, data, size,
          G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
          &cause))
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE, "%s", cause->message);
  return FALSE;
}

gboolean
bravis_must_be_absent (const char *file, GError **error)
{
  GStatBuf status;

  if (g_lstat (file, &status) != 0 && errno == ENOENT)
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE,
      "%s is there already, and is never overwritten", file);
  return FALSE;
}

void
bravis_remove_directory (const char *path)
{
  GDir *directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory && (name = g_dir_read_name (directory))) {
    g_autofree char *file = g_build_filename (path, name, NULL);

    if (g_file_test (file, G_FILE_TEST_IS_DIR)
        && !g_file_test (file, G_FILE_TEST_IS_SYMLINK))
      bravis_remove_directory (file);
    else
      g_remove (file);
  }
  g_clear_pointer (&directory, g_dir_close);
  g_rmdir (path);
}
