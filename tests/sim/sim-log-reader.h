/* sim-log-reader.h: makes one history of the logs of all processes
 *
 * Events are recorded in the order of their times, over all logs. sim-log.h has
 * the format.
 */
#pragma once

#include "sim-history.h"

G_BEGIN_DECLS

/* Reads all @paths (NULL-terminated) into the empty @history. What is to be said
 * and is no error, like a torn last line, is added to @notes, a line each.
 * Errors name file and line: G_FILE_ERROR where one cannot be read,
 * G_IO_ERROR_INVALID_DATA for what is no log. */
gboolean sim_log_read (SimHistory *history, char **paths, GString *notes,
    GError **error);

G_END_DECLS
