/* Payloads by hostile members: the input is a list of u16 sequence number, u8 size,
 * payload. No frame holds more than was given. */
#include "../../gst/bravis-frame-payload.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (BravisAssembler) assembler = bravis_assembler_new ();
  gsize at = 0, given = 0;

  while (size - at >= 3) {
    guint16 seqnum = data[at] << 8 | data[at + 1];
    gsize length = MIN (data[at + 2], size - at - 3);
    g_autoptr (GBytes) frame = NULL;
    BravisFragment fragment;
    gboolean gap;

    given += length;
    frame = bravis_assembler_push (assembler, seqnum, data + at + 3, length,
        &fragment, &gap);
    g_assert_true (!frame || g_bytes_get_size (frame) <= given);
    at += 3 + length;
  }
  return 0;
}
