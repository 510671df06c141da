#include "bravis-rtp.h"

#define RTCP_HEADER 8
#define RTCP_FIRST 192          /* RFC 5761 §4 */
#define RTCP_LAST 223

#include "../gcp/gcp-wire.h"

#define EXTENSION_BIT 0x10

gboolean
bravis_rtp_read_header (const guint8 *data, gsize size, BravisRtp *rtp)
{
  GcpReader reader;
  guint8 first;

  gcp_reader_init (&reader, data, size);
  first = gcp_read_u8 (&reader);
  gcp_read_u8 (&reader);
  rtp->sequence = gcp_read_u16 (&reader);
  rtp->timestamp = gcp_read_u32 (&reader);
  rtp->ssrc = gcp_read_u32 (&reader);
  gcp_read_span (&reader, 4 * (first & 0xf));
  if (first & EXTENSION_BIT) {
    gcp_read_u16 (&reader);
    gcp_read_span (&reader, 4 * gcp_read_u16 (&reader));
  }
  rtp->header_size = reader.at;
  rtp->padding = 0;
  return !reader.failed && first >> 6 == 2;
}

gboolean
bravis_rtp_read (const guint8 *data, gsize size, BravisRtp *rtp)
{
  if (!bravis_rtp_read_header (data, size, rtp))
    return FALSE;
  if (data[0] & BRAVIS_RTP_PADDING_BIT) {
    rtp->padding = data[size - 1];
    return rtp->padding > 0 && rtp->padding <= size - rtp->header_size;
  }
  return TRUE;
}

gboolean
bravis_rtcp_read_header (const guint8 *data, gsize size, guint32 *ssrc)
{
  if (size < RTCP_HEADER || data[0] >> 6 != 2 || data[1] < RTCP_FIRST
      || data[1] > RTCP_LAST)
    return FALSE;
  *ssrc = (guint32) data[4] << 24 | data[5] << 16 | data[6] << 8 | data[7];
  return TRUE;
}
