/* gstbravisgroupsink.h: bravisgroupsink, sends this peer's streams to its group
 *
 * Each request pad:
 *   pad -> intake (RTP) -> rtpbin (RTCP) -> stream sink (clock, epoch, SFrame)
 *       -> one datagram to each member
 * RTCP that comes back about an own stream goes into its RTP session, whose
 * key-unit requests go upstream to the encoder.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_BRAVIS_GROUP_SINK (gst_bravis_group_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstBravisGroupSink, gst_bravis_group_sink, GST,
    BRAVIS_GROUP_SINK, GstBin)

GST_ELEMENT_REGISTER_DECLARE (bravisgroupsink);

G_END_DECLS
