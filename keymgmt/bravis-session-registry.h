/* bravis-session-registry.h: the sessions of the process, by name and by
 * configuration file
 *
 * Holds no reference. A session is entered before it is made, so that two threads
 * do not make it twice, and taken out when it is stopped; who asks meanwhile
 * waits, so that the port is free when the next one is made.
 */
#pragma once

#include "bravis-session.h"

G_BEGIN_DECLS

/* The form of a path that files are told apart by. */
char *bravis_registry_canonicalize (const char *config);

/* The session that @name, @config (canonical) or both mean; either may be NULL.
 * NULL without an error: there is none. */
BravisSession *bravis_registry_find (const char *name, const char *config,
    GError **error);

/* Enters a session that is being made. FALSE: another has its name or file. */
gboolean bravis_registry_claim (BravisSession *session, const char *name,
    const char *config, GError **error);

/* It is made: others may find it. */
void bravis_registry_publish (BravisSession *session);

/* It is being stopped: others wait. */
void bravis_registry_withdraw (BravisSession *session);
void bravis_registry_remove (BravisSession *session);

G_END_DECLS
