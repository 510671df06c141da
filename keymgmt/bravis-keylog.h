/* bravis-keylog.h: writes keys to a file, for who has to look inside
 *
 * Only where the environment asks for it: BRAVIS_KEYLOG=FILE (the same idea as
 * SSLKEYLOGFILE). It is appended to, made with mode 0600, and a warning says
 * loudly that who reads it can read the conference. One line for each epoch that
 * this peer comes to know:
 *
 *   EPOCH <time> <conference> <member> <epoch> <cause> <secret> <context>
 *         suites=<video>,<audio>,<whiteboard>,<signalling> members=<name>,<name>...
 *
 *   time        µs since 1970, decimal: when this peer took up the epoch
 *   conference  SHA-256 of the conference's name, hexadecimal
 *   member      this peer's member id, 16 hexadecimal digits
 *   epoch       its number, decimal
 *   cause       "start", "join", "leave" ...
 *   secret      the epoch secret E, 64 hexadecimal digits
 *   context     SHA-256 of the epoch's context, 64 hexadecimal digits
 *   suites      RFC 9605 cipher suite of each kind, decimal
 *   members     names in the view's order: a sender's place in it is its index in
 *               the KID
 *
 * in one line, with one blank between the parts. From secret and context all keys
 * of the epoch follow, as bravis-epoch.h says:
 *   epoch prk = expand_label (secret, "epoch", context, 32)
 *   media prk = expand_label (epoch prk, "media", "", 32)
 *   base key  = expand_label (media prk, "base key", u64 KID, 16 or 32)
 */
#pragma once

#include "bravis-epoch.h"

G_BEGIN_DECLS

typedef struct _BravisKeylog BravisKeylog;

/* NULL without an error where the environment asks for none; NULL and
 * BRAVIS_ERROR_FILE where the file cannot be written: who asks for a log and gets
 * none should know. */
BravisKeylog *bravis_keylog_open (GError **error);
void bravis_keylog_free (BravisKeylog *keylog);

void bravis_keylog_write_epoch (BravisKeylog *keylog, const char *conference,
    BravisEpoch *epoch, const char *cause, gint64 time);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisKeylog, bravis_keylog_free)

G_END_DECLS
