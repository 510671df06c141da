#include "bravis-rtcp.h"

#include "../gcp/gcp-wire.h"

#define RTCP_FIRST 200          /* SR */
#define RTCP_LAST 207           /* XR */
#define RTCP_SDES 202
#define RTCP_BYE 203

gboolean
bravis_rtcp_check (const guint8 *rtcp, gsize size, guint32 *ssrc)
{
  GcpReader reader;
  guint n = 0;

  gcp_reader_init (&reader, rtcp, size);
  while (gcp_reader_left (&reader) > 0) {
    guint8 first = gcp_read_u8 (&reader);
    guint8 type = gcp_read_u8 (&reader);
    gsize length = 4 * (gsize) gcp_read_u16 (&reader);
    guint32 said_by;

    if (first >> 6 != 2 || type < RTCP_FIRST || type > RTCP_LAST || length < 4)
      return FALSE;
    /* The others of that list would be further sources. */
    if ((type == RTCP_SDES || type == RTCP_BYE) && (first & 0x1f) != 1)
      return FALSE;
    said_by = gcp_read_u32 (&reader);
    if (n++ == 0)
      *ssrc = said_by;
    else if (said_by != *ssrc)
      return FALSE;
    gcp_read_span (&reader, length - 4);
  }
  return n > 0 && gcp_reader_finish (&reader);
}
