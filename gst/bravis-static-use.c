#include "bravis-static-use.h"

#include <string.h>

#include "../keymgmt/bravis-crypto.h"

/* 16 counters a microsecond: no pipeline sends as many frames, and 64 bits last
 * for 36,000 years. */
#define COUNTERS_PER_MICROSECOND 16

typedef struct {
  guint8 id[BRAVIS_HASH_SIZE];  /* keyed: tells nothing of the key */
  gboolean busy;
  guint64 next;
} Use;

static GMutex lock;
static GSList *uses;            /* of Use; as few as keys are given by hand */

static Use *
find_use (const BravisSecret *key, guint suite, guint64 kid)
{
  struct {
    char label[24];
    guint64 suite;
    guint64 kid;
  } name = { "bravis static use", suite, kid };
  guint8 id[BRAVIS_HASH_SIZE];
  GSList *at;
  Use *use;

  bravis_hmac_sha256 (key, &name, sizeof name, id);
  for (at = uses; at; at = at->next) {
    use = at->data;
    if (memcmp (use->id, id, sizeof id) == 0)
      return use;
  }
  use = g_new0 (Use, 1);
  memcpy (use->id, id, sizeof id);
  uses = g_slist_prepend (uses, use);
  return use;
}

gboolean
bravis_static_use_claim (const BravisSecret *key, guint suite, guint64 kid,
    guint64 *first_counter)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  Use *use = find_use (key, suite, kid);

  if (use->busy)
    return FALSE;
  use->busy = TRUE;
  *first_counter = MAX (use->next,
      (guint64) g_get_real_time () * COUNTERS_PER_MICROSECOND);
  return TRUE;
}

void
bravis_static_use_release (const BravisSecret *key, guint suite, guint64 kid,
    guint64 next_counter)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  Use *use = find_use (key, suite, kid);

  use->busy = FALSE;
  use->next = MAX (use->next, next_counter);
}
