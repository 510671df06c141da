/* bravis-rtcp.h: is it RTCP, and all of one source?
 *
 * An RTP session makes a record of every SSRC that it reads of. Compounds come from
 * other members, who may be hostile: one that speaks for more than one source is
 * refused, so that a member cannot make up sources without end.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* TRUE for an RTCP compound (RFC 3550 §6.1), reduced size included (RFC 5506), in
 * which all is said by @ssrc. */
gboolean bravis_rtcp_check (const guint8 *rtcp, gsize size, guint32 *ssrc);

G_END_DECLS
