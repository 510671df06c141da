/* gstbravisgroupsrc.h: bravisgroupsrc, receives the streams of the group's other
 * members
 *
 *   datagram -> media router (SFrame, whose is it) -> rtpbin (jitter buffer)
 *       -> outlet (frames) -> a pad for each stream
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_BRAVIS_GROUP_SRC (gst_bravis_group_src_get_type ())
G_DECLARE_FINAL_TYPE (GstBravisGroupSrc, gst_bravis_group_src, GST,
    BRAVIS_GROUP_SRC, GstBin)

GST_ELEMENT_REGISTER_DECLARE (bravisgroupsrc);

G_END_DECLS
