/* bravis-epoch-source.h: where senders and receivers get their epochs from
 *
 * Normally a session (bravis-session-source.h); in tests anything that makes
 * epochs. The functions may be called from any thread; get_serial () is called
 * for each packet and takes no lock.
 */
#pragma once

#include "bravis-drop.h"
#include "../keymgmt/bravis-epoch.h"

G_BEGIN_DECLS

typedef struct {
  BravisEpoch *(*await_epoch) (gpointer user_data);     /* to send under: the present
                                 * one; waits while a new one is about to come */
  BravisEpoch *(*ref_epoch_by_number) (gpointer user_data, guint64 number);
  guint (*get_serial) (gpointer user_data);     /* grows when it is time to ask for
                                 * the epoch again */
  GDestroyNotify release;       /* of user_data; may be NULL */
  gpointer user_data;
  void (*ask_for_epoch) (gpointer user_data);   /* the present one is nearly used up */
  guint64 key_packets;          /* that one key may protect; 0: no limit */
} BravisEpochSource;

void bravis_epoch_source_clear (BravisEpochSource *source);

/* The epoch that @kid belongs to, if a receiver may open what has that KID: the
 * epoch is known and not retired, the sender one of its members and not oneself,
 * and of kind @kind (any: -1). */
BravisDrop bravis_epoch_source_find (const BravisEpochSource *source,
    guint64 kid, gint kind, BravisEpoch **epoch);

/* For who is about to protect a packet under a key that has protected @n_used so far.
 * Where that is half of what it may, or each eighth more, it asks for a new epoch.
 * FALSE: it may not protect any more. */
gboolean bravis_epoch_source_use_key (const BravisEpochSource *source,
    guint64 n_used);

/* The name of the member that @kid names, NULL where it names none. */
char *bravis_epoch_source_dup_name (const BravisEpochSource *source,
    guint64 kid);

G_END_DECLS
