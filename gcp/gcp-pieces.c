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
    forget (&pieces->of[i]);
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
  GcpPartial *partial = &pieces->of[item->sender];
  GBytes *whole = NULL;

  if (!item->more && !partial->octets)
    return g_bytes_ref (item->payload);
  append (partial, item->payload);
  if (item->more)
    return NULL;
  if (!partial->too_long)
    whole = g_byte_array_free_to_bytes (g_steal_pointer (&partial->octets));
  forget (partial);
  return whole;
}

void
gcp_pieces_cut (GQueue *items, GBytes *message, GcpQuality quality)
{
  gsize size = g_bytes_get_size (message);
  gsize at = 0;

  for (; size - at > GCP_PIECE_SIZE; at += GCP_PIECE_SIZE) {
    g_autoptr (GBytes) piece = g_bytes_new_from_bytes (message, at,
        GCP_PIECE_SIZE);

    g_queue_push_tail (items, gcp_item_new (0, GCP_AGREED, TRUE, piece));
  }
  if (at == 0) {
    g_queue_push_tail (items, gcp_item_new (0, quality, FALSE, message));
  } else {
    g_autoptr (GBytes) last = g_bytes_new_from_bytes (message, at, size - at);

    g_queue_push_tail (items, gcp_item_new (0, quality, FALSE, last));
  }
}
