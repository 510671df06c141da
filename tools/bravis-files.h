/* bravis-files.h: writing files so that nothing is lost
 *
 * Errors are BRAVIS_ERROR_FILE and name the file.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Says @cause, an errno, of @file; returns FALSE. */
gboolean bravis_file_error (const char *file, int cause, GError **error);

/* FALSE where anything is there, a dangling link too. */
gboolean bravis_must_be_absent (const char *file, GError **error);

/* Makes a file that must not be there yet; half a file is not left behind. */
gboolean bravis_create_file (const char *file, int mode, const char *data,
    gsize size, GError **error);

/* Replaces a file as a whole, or leaves it as it was. */
gboolean bravis_replace_file (const char *file, const char *data, gsize size,
    GError **error);

/* Removes a directory with all that is in it; links are not followed. What cannot
 * be removed stays. */
void bravis_remove_directory (const char *path);

G_END_DECLS
