/* bravis-membership-log.h: who was in the conference, in a form that can be checked
 *
 * A member that is asked to (`[group] log=FILE`) keeps a log: one line for each
 * entry, which it signs with its certified key, and which holds the hash of the entry
 * before. So the log's owner answers for it, and nobody, the owner included, can take
 * an entry out of the middle, or change one, without the rest telling. Epochs are
 * entered with the value that all their members confirmed, so the logs of several
 * members can be held against each other: `bravis log` does both.
 *
 * What a log does not say: whether entries behind its last one were cut off (an END
 * is the sign that none were), nor that its owner's clock was right.
 *
 *   <body> TAB <base64 of the signature>, label "membership log" over the body
 *   body   <number> <hash> <time> <kind> <part>...     one blank between them
 *   number 0, 1, 2 ...; hash: SHA-256 of the body before, hexadecimal, 64 times 0 for
 *   the first; time: µs since 1970
 *
 *   START  <conference, escaped> <own name> <base64 of the own chain as on the wire>:
 *          the entries from here on are of this member; a file may have several, one
 *          for each session
 *   VIEW   <view number> <"primary" or "part"> <names of the members, with ','>
 *   JOINED <name>
 *   LEFT   <name> <"left", "failed" or "put-out">
 *   EPOCH  <number> <view number> <cause> <confirmation value, hexadecimal>
 *          <for each member, with ',': name/SHA-256 of its card>
 *   END    <reason, escaped>
 *
 * Escaped is as in URIs: no blank, tab or line end is left.
 */
#pragma once

#include "bravis-epoch.h"

G_BEGIN_DECLS

typedef struct _BravisMembershipLog BravisMembershipLog;

/* Opens or makes @file, and begins with START. Where there is something in it already,
 * its last entry is what the new ones hang on. One at a time keeps a file; a new one is
 * for its owner's eyes. BRAVIS_ERROR_FILE names the file. */
BravisMembershipLog *bravis_membership_log_open (const char *file,
    BravisIdentity *identity, const char *conference, gint64 time,
    GError **error);
void bravis_membership_log_free (BravisMembershipLog *log);

/* Once something could not be written (the disk is full), nothing more is: FALSE, and
 * BRAVIS_ERROR_FILE the first time. */
gboolean bravis_membership_log_view (BravisMembershipLog *log, guint64 number,
    gboolean primary, const char *const *names, gint64 time, GError **error);
gboolean bravis_membership_log_joined (BravisMembershipLog *log,
    const char *name, gint64 time, GError **error);
gboolean bravis_membership_log_left (BravisMembershipLog *log, const char *name,
    const char *reason, gint64 time, GError **error);
gboolean bravis_membership_log_epoch (BravisMembershipLog *log,
    const BravisEpoch *epoch, const char *cause, gint64 time, GError **error);
gboolean bravis_membership_log_end (BravisMembershipLog *log,
    const char *reason, gint64 time, GError **error);

/* One line, taken apart. */
typedef struct {
  guint64 number;
  char previous[2 * BRAVIS_HASH_SIZE + 1];
  gint64 time;
  char *body;                   /* owned, as all that follows */
  GStrv parts;                  /* the kind, and what comes behind it */
  GBytes *signature;
} BravisLogEntry;

gboolean bravis_log_entry_read (BravisLogEntry *entry, const char *line);
void bravis_log_entry_clear (BravisLogEntry *entry);

/* The hash that the next entry has to have, hexadecimal. */
char *bravis_log_entry_hash (const char *body);

#define BRAVIS_LOG_LABEL "membership log"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisMembershipLog, bravis_membership_log_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BravisLogEntry, bravis_log_entry_clear)

G_END_DECLS
