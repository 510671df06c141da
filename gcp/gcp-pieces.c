#include "gcp-pieces.h"

static void
forget (GcpPartial *partial)
{
  g_clear_pointer (&partial->octets, g_byte_array_unref);
  partial->too_long = FALSE;
}

void
gcp_pieces_clear (GcpPieces *pieces)
{
  for (guint i = 0; i < GCP_MAX_MEMBERS; i++)
    for (guint j = 0; j < 2; j++)
      forget (&pieces->of[i][j]);
}

void
gcp_pieces_move (GcpPieces *pieces, const GcpView *from, const GcpView *to)
{
  GcpPieces moved = { 0 };

  for (guint i = 0; i < gcp_view_get_n_members (to); i++) {
    gint old = gcp_view_find (from, gcp_view_get_member (to, i)->id);

    for (guint j = 0; old >= 0 && j < 2; j++) {
      moved.of[i][j] = pieces->of[old][j];
      pieces->of[old][j] = (GcpPartial) { 0 };
    }
  }
  gcp_pieces_clear (pieces);
  *pieces = moved;
}

static void
append (GcpPartial *partial, GBytes *payload)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (payload, &size);

  if (!partial->octets)
    partial->octets = g_byte_array_new ();
  if (partial->octets->len + size > GCP_MAX_PAYLOAD_SIZE) {
    partial->too_long = TRUE;
    g_byte_array_set_size (partial->octets, 0);
  }
  if (!partial->too_long)
    g_byte_array_append (partial->octets, data, size);
}

GBytes *
gcp_pieces_add (GcpPieces *pieces, const GcpItem *item)
{
  GcpPartial *partial = &pieces->of[item->sender][item->ahead];
  GBytes *whole = NULL;

  if (!item->continues)
    forget (partial);
  if (!item->more && !item->continues)
    return g_bytes_ref (item->payload);
  /* Its beginning was for others. */
  if (item->continues && !partial->octets)
    return NULL;
  append (partial, item->payload);
  if (item->more)
    return NULL;
  if (!partial->too_long)
    whole = g_byte_array_free_to_bytes (g_steal_pointer (&partial->octets));
  forget (partial);
  return whole;
}

/* Where the next message that goes ahead comes to stand. */
static GList *
find_first_ordinary (GQueue *items)
{
  GList *last = items->tail;

  while (last && !((GcpItem *) last->data)->ahead)
    last = last->prev;
  return last ? last->next : items->head;
}

void
gcp_pieces_cut (GQueue *items, GBytes *message, GcpQuality quality,
    gboolean ahead)
{
  GList *before = ahead ? find_first_ordinary (items) : NULL;
  gsize size = g_bytes_get_size (message);
  gsize at = 0, n;

  do {
    g_autoptr (GBytes) piece = NULL;
    GcpItem *item;

    n = MIN (size - at, GCP_PIECE_SIZE);
    piece = n == size ? g_bytes_ref (message)
        : g_bytes_new_from_bytes (message, at, n);
    at += n;
    item = gcp_item_new (0, at < size ? GCP_AGREED : quality, piece);
    item->more = at < size;
    item->continues = at > n;
    item->ahead = ahead;
    if (before)
      g_queue_insert_before (items, before, item);
    else
      g_queue_push_tail (items, item);
  } while (at < size);
}
