/* bravis-key-table.h: what a receiver opens with, one key for each KID
 *
 * A key is any structure that begins with a BravisTableKey. The table is bounded:
 * a member that sends under very many KIDs pushes out its own keys, not those of
 * others. Keys of retired epochs are freed, also where nothing comes under them any
 * more.
 *
 * Used by one thread at a time.
 */
#pragma once

#include "../keymgmt/bravis-epoch.h"

G_BEGIN_DECLS

typedef struct {
  guint64 kid;
  BravisEpoch *epoch;           /* NULL with a static key */
  guint64 last_used;            /* the table's */
} BravisTableKey;

typedef struct _BravisKeyTable BravisKeyTable;

BravisKeyTable *bravis_key_table_new (GDestroyNotify free_key);
void bravis_key_table_free (BravisKeyTable *table);

/* To be called once for each frame that comes. Borrowed until the next call; NULL:
 * there is none, or its epoch is retired. */
gpointer bravis_key_table_find (BravisKeyTable *table, guint64 kid);

/* Takes over @key, which bravis_key_table_find () did not find. */
void bravis_key_table_keep (BravisKeyTable *table, gpointer key);

/* A frame under @key was authentic. */
void bravis_key_table_use (BravisKeyTable *table, gpointer key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisKeyTable, bravis_key_table_free)

G_END_DECLS
