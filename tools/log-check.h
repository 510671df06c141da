/* log-check.h: whether membership logs are whole, and agree
 *
 * Logs are read one after the other, then held against each other. What is wrong is
 * printed as it is found, with file and line, and counted. A log may be anybody's: what
 * it prints does not steer a terminal.
 */
#pragma once

#include "../keymgmt/bravis-trust.h"

G_BEGIN_DECLS

typedef struct _LogCheck LogCheck;

/* @trust: of the owners' certificates; NULL: they are taken as they are. @quiet: only
 * what is wrong is printed, not the entries. */
LogCheck *log_check_new (BravisTrust *trust, gboolean quiet);
void log_check_free (LogCheck *check);

/* A log of that name; @contents ends in a zero octet behind @size. FALSE: it is none. */
gboolean log_check_read (LogCheck *check, const char *file,
    const char *contents, gsize size);

/* Those that were read with each other. */
void log_check_compare (LogCheck *check);

guint log_check_get_n_wrong (const LogCheck *check);
guint log_check_get_n_epochs (const LogCheck *check);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LogCheck, log_check_free)

G_END_DECLS
