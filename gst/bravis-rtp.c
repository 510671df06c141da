#include "bravis-rtp.h"

#define RTCP_HEADER 8
#define RTCP_FIRST 192          /* RFC 5761 §4 */
#define RTCP_LAST 223
#define EXTENSION_BIT 0x10
#define EXTENSION_HEADER 4

static guint16
read_u16 (const guint8 *at)
{
  return at[0] << 8 | at[1];
}

static guint32
read_u32 (const guint8 *at)
{
  return (guint32) read_u16 (at) << 16 | read_u16 (at + 2);
}

/* For each packet: so not by a reader that counts octet by octet. */
gboolean
bravis_rtp_read_header (const guint8 *data, gsize size, BravisRtp *rtp)
{
  gsize end;

  if (size < BRAVIS_RTP_FIXED_HEADER || data[0] >> 6 != 2)
    return FALSE;
  rtp->sequence = read_u16 (data + 2);
  rtp->timestamp = read_u32 (data + 4);
  rtp->ssrc = read_u32 (data + 8);
  rtp->padding = 0;
  end = BRAVIS_RTP_FIXED_HEADER + 4 * (data[0] & 0xf);
  if (data[0] & EXTENSION_BIT) {
    if (size < end + EXTENSION_HEADER)
      return FALSE;
    end += EXTENSION_HEADER + 4 * read_u16 (data + end + 2);
  }
  rtp->header_size = end;
  return end <= size;
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
  *ssrc = read_u32 (data + 4);
  return TRUE;
}
