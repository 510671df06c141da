/* gstbraviscaps.h: how caps say that data are protected
 *
 *   open                        protected
 *   application/x-rtp, ...      application/x-rtp, ..., bravis-format=sframe
 *                               (the payload is closed, the header is not)
 *                               application/x-srtp, ...      with format=srtp
 *   application/x-rtcp          application/x-srtcp          with format=srtp
 *   video/x-h264, ...           application/x-bravis,
 *                               original-media-type=video/x-h264, ...
 *
 * Opening gives back exactly what was. Data in other than system memory, raw
 * video on a graphics card for example, cannot be protected.
 */
#pragma once

#include "gstbravissettings.h"

G_BEGIN_DECLS

#define GST_BRAVIS_CAPS_PROTECTED \
    "application/x-rtp; application/x-srtp; application/x-srtcp; " \
    "application/x-bravis"

/* How the buffers of a stream are protected. */
typedef enum {
  GST_BRAVIS_SHAPE_NONE,        /* no caps yet */
  GST_BRAVIS_SHAPE_FRAME,       /* SFrame over the whole buffer */
  GST_BRAVIS_SHAPE_RTP,         /* SFrame over the RTP payload */
  GST_BRAVIS_SHAPE_SRTP,
  GST_BRAVIS_SHAPE_SRTCP
} GstBravisShape;

gboolean gst_bravis_shape_is_srtp (GstBravisShape shape);       /* or SRTCP */

/* For caps that are fixed. NULL and BRAVIS_ERROR_CONFIG where they are wrong. */
GstCaps *gst_bravis_caps_protect (const GstCaps *caps, GstBravisFormat format,
    GstBravisShape *shape, GError **error);
GstCaps *gst_bravis_caps_open (const GstCaps *caps, GstBravisFormat format,
    GstBravisShape *shape, GError **error);

/* For caps that are not: what may come out of what may go in, and back. */
GstCaps *gst_bravis_caps_protect_all (const GstCaps *caps,
    GstBravisFormat format);
GstCaps *gst_bravis_caps_open_all (const GstCaps *caps, GstBravisFormat format);

/* What the caps (open ones, fixed) say of their kind. FALSE: nothing. */
gboolean gst_bravis_caps_get_kind (const GstCaps *caps, BravisKind *kind);

G_END_DECLS
