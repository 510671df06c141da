/* bravis-rtp.h: the headers of RTP packets (RFC 3550 §5.1) and RTCP, as far as needed */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BRAVIS_RTP_FIXED_HEADER 12
#define BRAVIS_RTP_PADDING_BIT 0x20     /* in the first octet */

typedef struct {
  gsize header_size;            /* with CSRCs and extension */
  gsize padding;                /* octets of it at the end, 0: none */
  guint16 sequence;
  guint32 timestamp;
  guint32 ssrc;
} BravisRtp;

/* FALSE for what is no RTP packet of version 2 in full. */
gboolean bravis_rtp_read (const guint8 *data, gsize size, BravisRtp *rtp);

/* As above, without a look at the padding: its size is encrypted in SRTP. */
gboolean bravis_rtp_read_header (const guint8 *data, gsize size, BravisRtp *rtp);

/* What of RTCP (RFC 3550 §6.4) is never encrypted: version, type, the first SSRC. FALSE
 * for what does not begin so. */
gboolean bravis_rtcp_read_header (const guint8 *data, gsize size, guint32 *ssrc);

G_END_DECLS
