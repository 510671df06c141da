#include "bravis-key-table.h"

#define MAX_KEYS 1024
#define SWEEP_INTERVAL 256      /* frames between looks for retired epochs */

#define KID_SENDER_SHIFT 12     /* kind and stream are below: bravis-epoch.h */

struct _BravisKeyTable {
  GHashTable *keys;             /* guint64 KID -> BravisTableKey */
  BravisTableKey *last;         /* borrowed from @keys: most frames are its */
  guint64 n_frames;             /* the clock of last_used */
};

BravisKeyTable *
bravis_key_table_new (GDestroyNotify free_key)
{
  BravisKeyTable *table = g_new0 (BravisKeyTable, 1);

  table->keys = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
      free_key);
  return table;
}

void
bravis_key_table_free (BravisKeyTable *table)
{
  g_hash_table_unref (table->keys);
  g_free (table);
}

static gboolean
is_retired (const BravisTableKey *key)
{
  return key->epoch && bravis_epoch_is_retired (key->epoch);
}

static gboolean
is_of_retired_epoch (gpointer kid, gpointer key, gpointer user_data)
{
  return is_retired (key);
}

gpointer
bravis_key_table_find (BravisKeyTable *table, guint64 kid)
{
  BravisTableKey *key;

  if (++table->n_frames % SWEEP_INTERVAL == 0) {
    table->last = NULL;
    g_hash_table_foreach_remove (table->keys, is_of_retired_epoch, NULL);
  }
  key = table->last;
  if (key == NULL || key->kid != kid)
    key = g_hash_table_lookup (table->keys, &kid);
  if (key && is_retired (key)) {
    g_hash_table_remove (table->keys, &kid);
    key = NULL;
  }
  return table->last = key;
}

/* Whose key it is: the sender in its epoch. */
static guint64
get_owner (const BravisTableKey *key)
{
  return key->kid >> KID_SENDER_SHIFT;
}

/* The owner with the most keys. */
static guint64
find_greediest (BravisKeyTable *table)
{
  g_autoptr (GHashTable) counts = g_hash_table_new_full (g_int64_hash,
      g_int64_equal, g_free, NULL);
  guint64 greediest = 0;
  guint most = 0;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, table->keys);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    guint64 owner = get_owner (value);
    guint n = 1 + GPOINTER_TO_UINT (g_hash_table_lookup (counts, &owner));

    g_hash_table_replace (counts, g_memdup2 (&owner, sizeof owner),
        GUINT_TO_POINTER (n));
    if (n > most) {
      most = n;
      greediest = owner;
    }
  }
  return greediest;
}

/* With a key its memory of what was replayed goes. */
static void
forget_oldest (BravisKeyTable *table)
{
  guint64 owner = find_greediest (table);
  BravisTableKey *oldest = NULL;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, table->keys);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    BravisTableKey *key = value;

    if (get_owner (key) == owner
        && (oldest == NULL || key->last_used < oldest->last_used))
      oldest = key;
  }
  g_hash_table_remove (table->keys, &oldest->kid);
}

void
bravis_key_table_keep (BravisKeyTable *table, gpointer key)
{
  if (g_hash_table_size (table->keys) >= MAX_KEYS)
    forget_oldest (table);
  g_hash_table_insert (table->keys, &((BravisTableKey *) key)->kid, key);
  table->last = key;
}

void
bravis_key_table_use (BravisKeyTable *table, gpointer key)
{
  ((BravisTableKey *) key)->last_used = table->n_frames;
}
