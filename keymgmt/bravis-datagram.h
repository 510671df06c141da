/* bravis-datagram.h: what the first octet of a datagram says
 *
 * One socket carries everything, told apart as RFC 7983 does. 192 and up are
 * this project's; 0..127 stay free for STUN, DTLS and TURN.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BRAVIS_MAX_DATAGRAM 1200        /* octets of a control datagram */

typedef enum {
  BRAVIS_DATAGRAM_RTP_FIRST = 128,      /* RTP with a protected payload ... */
  BRAVIS_DATAGRAM_RTP_LAST = 191,
  BRAVIS_DATAGRAM_HANDSHAKE = 192,      /* bravis-door.h */
  BRAVIS_DATAGRAM_LINK = 193,           /* sealed GCP: bravis-link.h */
  BRAVIS_DATAGRAM_RELAYED = 195,        /* within a sealed GCP_DATAGRAM_RELAY */
  BRAVIS_DATAGRAM_RTCP = 194            /* SFrame over feedback: u8 194 | SFrame
                                         * ciphertext of u8 owner's index in the
                                         * epoch | u16 owner's stream number | RTCP */
} BravisDatagramType;

static inline gboolean
bravis_datagram_is_media (guint8 first)
{
  return (first >= BRAVIS_DATAGRAM_RTP_FIRST
      && first <= BRAVIS_DATAGRAM_RTP_LAST) || first == BRAVIS_DATAGRAM_RTCP;
}

G_END_DECLS
