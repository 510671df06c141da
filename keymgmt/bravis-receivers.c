#include "bravis-receivers.h"

#include "../gcp/gcp-udp.h"

#include <string.h>

typedef struct {
  guint id;
  BravisMediaReceive receive;
  gpointer user_data;
} Receiver;

struct _BravisReceivers {
  GRWLock lock;                 /* readers: the socket's thread alone, so that
                                 * taking it costs one uncontended atomic step */
  GArray *list;                 /* of Receiver */
  guint last_id;
};

BravisReceivers *
bravis_receivers_new (void)
{
  BravisReceivers *receivers = g_new0 (BravisReceivers, 1);

  g_rw_lock_init (&receivers->lock);
  receivers->list = g_array_new (FALSE, FALSE, sizeof (Receiver));
  return receivers;
}

void
bravis_receivers_free (BravisReceivers *receivers)
{
  g_array_unref (receivers->list);
  g_rw_lock_clear (&receivers->lock);
  g_free (receivers);
}

guint
bravis_receivers_add (BravisReceivers *receivers, BravisMediaReceive receive,
    gpointer user_data)
{
  Receiver receiver = { 0, receive, user_data };

  g_rw_lock_writer_lock (&receivers->lock);
  receiver.id = ++receivers->last_id;
  g_array_append_val (receivers->list, receiver);
  g_rw_lock_writer_unlock (&receivers->lock);
  return receiver.id;
}

void
bravis_receivers_remove (BravisReceivers *receivers, guint id)
{
  g_rw_lock_writer_lock (&receivers->lock);
  for (guint i = 0; i < receivers->list->len; i++)
    if (g_array_index (receivers->list, Receiver, i).id == id) {
      g_array_remove_index (receivers->list, i);
      break;
    }
  g_rw_lock_writer_unlock (&receivers->lock);
}

void
bravis_receivers_call (BravisReceivers *receivers, const GcpAddress *from,
    guint8 *data, gsize size)
{
  guint8 copy[GCP_UDP_MAX_DATAGRAM];
  guint n;

  g_rw_lock_reader_lock (&receivers->lock);
  n = receivers->list->len;
  for (guint i = 0; i < n; i++) {
    Receiver *receiver = &g_array_index (receivers->list, Receiver, i);
    guint8 *mine = data;

    if (i + 1 < n) {
      memcpy (copy, data, size);
      mine = copy;
    }
    receiver->receive (from, mine, size, receiver->user_data);
  }
  g_rw_lock_reader_unlock (&receivers->lock);
}
