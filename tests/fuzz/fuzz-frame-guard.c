/* Frames and RTP packets under a static key. The first octet says which; what is
 * not opened and not forged is left as it was; what is opened is not opened again. */
#include <string.h>

#include "../../gst/bravis-frame-guard.h"

#define WINDOW 128

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static BravisDrop
open_one (BravisReceiver *receiver, guint8 how, guint8 *data, gsize size)
{
  gsize offset = 0, out_size = 0;
  guint64 kid;
  BravisDrop drop;

  switch (how % 3) {
    case 0:
      drop = bravis_receiver_open_frame (receiver, data, size, &offset,
          &out_size, &kid);
      break;
    case 1:
      drop = bravis_receiver_open_rtp (receiver, data, size, &out_size, &kid);
      break;
    default:
      drop = bravis_receiver_open_rtp_around (receiver, data, size, &offset,
          &out_size, &kid);
      break;
  }
  g_assert_cmpuint (offset + out_size, <=, size);
  return drop;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (BravisSecret) key = bravis_secret_new ("0123456789abcdef", 16);
  g_autoptr (BravisReceiver) receiver = bravis_receiver_new_static (4, key,
      WINDOW);
  g_autofree guint8 *copy = NULL;
  BravisDrop drop;

  if (size < 1)
    return 0;
  bravis_receiver_set_rtp_header_auth (receiver, data[0] & 0x80);
  copy = g_memdup2 (data + 1, size - 1);
  drop = open_one (receiver, data[0] & 0x7f, copy, size - 1);
  if (drop == BRAVIS_DROP_NONE) {
    memcpy (copy, data + 1, size - 1);
    g_assert_cmpint (open_one (receiver, data[0] & 0x7f, copy, size - 1), ==,
        BRAVIS_DROP_REPLAYED);
  } else if (drop != BRAVIS_DROP_FORGED) {
    g_assert_true (size == 1 || memcmp (copy, data + 1, size - 1) == 0);
  }
  return 0;
}
