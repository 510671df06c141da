/* SFrame headers: what is read, written again, is the same octets: each header has
 * one form, and no other is taken. */
#include <string.h>

#include "../../gst/bravis-sframe.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint8 again[BRAVIS_SFRAME_MAX_HEADER];
  BravisSFrameHeader header;

  if (!bravis_sframe_header_read (data, size, &header))
    return 0;
  g_assert_cmpuint (header.size, <=, size);
  g_assert_cmpuint (bravis_sframe_header_write (header.kid, header.counter,
          again), ==, header.size);
  g_assert_true (memcmp (again, data, header.size) == 0);
  return 0;
}
