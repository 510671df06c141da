/* bravis-stream-description.h: what is announced of a stream, as text
 *
 * Lines of printable ASCII, each ending with a newline, in this order:
 *
 *     bravis-stream 1
 *     form=frames              or packets: RTP as it came into the sink's pad
 *     ssrc=305419896
 *     payload=96
 *     clock-rate=90000
 *     generation=0             of the caps: bravis-frame-payload.h
 *     media=video/x-h264       the caps' media type, then their fields:
 *     s:stream-format=byte-stream
 *     i:width=640
 *     f:framerate=25/1
 *
 * The letter says the field's type: s string, i int, u uint, d double, b boolean
 * (0, 1), f fraction, m bitmask (hexadecimal), x buffer (hexadecimal), S array of
 * strings, X array of buffers (both separated by commas), v multiview flag set
 * (flags:mask, hexadecimal). In strings everything but letters, digits and
 * "-._~/+:;=()" is percent-escaped, octet by octet.
 *
 * A description comes from another member, which may be hostile: nothing but these
 * types is ever made of it, the media type must suit the kind of the stream, and
 * names that the process did not know before (GStreamer never forgets a name) are
 * taken up to a limit.
 */
#pragma once

#include "bravis-frame-payload.h"
#include "../keymgmt/bravis-policy.h"

#include <gst/gst.h>

G_BEGIN_DECLS

#define BRAVIS_DESCRIPTION_MAX_FIELDS 64
#define BRAVIS_DESCRIPTION_MAX_NEW_NAMES 512    /* of a process's lifetime */

typedef struct {
  gboolean frames;
  guint32 ssrc;
  guint8 payload;
  guint32 clock_rate;
  guint8 generation;
  GstCaps *caps;                /* of the sink's pad: one fixed structure */
} BravisStreamDescription;

/* TRUE where a stream of that kind may have these caps: video/ and image/ for
 * video; audio/ for audio; text/, image/, application/json and
 * application/octet-stream for a whiteboard; application/x-rtp for each, if its
 * media field is the kind's (application, text, image for a whiteboard).
 * video/x-raw is none: it would drown every link. */
gboolean bravis_stream_caps_suit (const GstCaps *caps, BravisKind kind);

/* Fields of other types than the above are left out. NULL: too long, or caps that
 * are not fixed. */
char *bravis_stream_description_to_text (const BravisStreamDescription *description);

/* Errors: BRAVIS_ERROR_PROTOCOL with the number of the line. */
BravisStreamDescription *bravis_stream_description_parse (const char *text,
    BravisKind kind, GError **error);
void bravis_stream_description_free (BravisStreamDescription *description);

/* The caps that an RTP session needs of it. */
GstCaps *bravis_stream_description_dup_rtp_caps (const BravisStreamDescription *description,
    BravisKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisStreamDescription, bravis_stream_description_free)

G_END_DECLS
