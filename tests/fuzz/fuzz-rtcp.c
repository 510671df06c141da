/* RTCP by hostile members: nothing is read beyond its end, and what is taken is
 * made of whole words. */
#include "../../gst/bravis-rtcp.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint32 ssrc;

  if (bravis_rtcp_check (data, size, &ssrc))
    g_assert_cmpuint (size % 4, ==, 0);
  return 0;
}
