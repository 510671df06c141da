#include "bravis-holdback.h"

#include <string.h>

typedef struct {
  gint64 came;
  guint64 tag;
  gsize size;
  guint8 data[];
} Waiting;

struct _BravisHoldback {
  GQueue waiting;               /* of Waiting, the oldest first */
  guint max_datagrams;
  gsize max_octets;
  gint64 max_age;
  gsize octets;
  guint expired;                /* since the last offer */
};

BravisHoldback *
bravis_holdback_new (guint datagrams, gsize octets, gint64 age)
{
  BravisHoldback *holdback = g_new0 (BravisHoldback, 1);

  g_queue_init (&holdback->waiting);
  holdback->max_datagrams = datagrams;
  holdback->max_octets = octets;
  holdback->max_age = age;
  return holdback;
}

void
bravis_holdback_free (BravisHoldback *holdback)
{
  g_queue_clear_full (&holdback->waiting, g_free);
  g_free (holdback);
}

static void
expire (BravisHoldback *holdback, gint64 now)
{
  Waiting *oldest;

  while ((oldest = g_queue_peek_head (&holdback->waiting))
      && now - oldest->came > holdback->max_age) {
    holdback->octets -= oldest->size;
    holdback->expired++;
    g_free (g_queue_pop_head (&holdback->waiting));
  }
}

static gboolean
has_room (const BravisHoldback *holdback, gsize size)
{
  return holdback->waiting.length < holdback->max_datagrams
      && size <= holdback->max_octets - holdback->octets;
}

/* The oldest of the owner that has most waiting; NULL: none has more than @owner with
 * @size more. What one floods the place with must not cost the others theirs. */
static GList *
find_greedy (const BravisHoldback *holdback, guint owner, gsize size)
{
  gsize octets[BRAVIS_HOLDBACK_OWNERS] = { 0 };
  guint greediest = owner;

  octets[owner] = size;
  for (GList *item = holdback->waiting.head; item; item = item->next) {
    const Waiting *waiting = item->data;

    octets[BRAVIS_HOLDBACK_OWNER (waiting->tag)] += waiting->size;
  }
  for (guint i = 0; i < BRAVIS_HOLDBACK_OWNERS; i++)
    if (octets[i] > octets[greediest])
      greediest = i;
  for (GList *item = holdback->waiting.head; item && greediest != owner;
      item = item->next)
    if (BRAVIS_HOLDBACK_OWNER (((const Waiting *) item->data)->tag)
        == greediest)
      return item;
  return NULL;
}

static void
drop (BravisHoldback *holdback, GList *item)
{
  Waiting *waiting = item->data;

  holdback->octets -= waiting->size;
  holdback->expired++;
  g_free (waiting);
  g_queue_delete_link (&holdback->waiting, item);
}

gboolean
bravis_holdback_add (BravisHoldback *holdback, guint64 tag,
    gconstpointer data, gsize size, gint64 now)
{
  Waiting *waiting;
  GList *greedy;

  expire (holdback, now);
  while (!has_room (holdback, size)
      && (greedy = find_greedy (holdback, BRAVIS_HOLDBACK_OWNER (tag), size)))
    drop (holdback, greedy);
  if (!has_room (holdback, size))
    return FALSE;

  waiting = g_malloc (sizeof *waiting + size);
  waiting->came = now;
  waiting->tag = tag;
  waiting->size = size;
  memcpy (waiting->data, data, size);
  holdback->octets += size;
  g_queue_push_tail (&holdback->waiting, waiting);
  return TRUE;
}

guint
bravis_holdback_offer (BravisHoldback *holdback, gint64 now,
    BravisHoldbackOffer offer, gpointer user_data)
{
  guint expired;
  GList *item, *next;

  expire (holdback, now);
  for (item = holdback->waiting.head; item; item = next) {
    Waiting *waiting = item->data;

    next = item->next;
    if (offer (waiting->tag, waiting->data, waiting->size, user_data)) {
      holdback->octets -= waiting->size;
      g_free (waiting);
      g_queue_delete_link (&holdback->waiting, item);
    }
  }
  expired = holdback->expired;
  holdback->expired = 0;
  return expired;
}

guint
bravis_holdback_get_length (const BravisHoldback *holdback)
{
  return holdback->waiting.length;
}
