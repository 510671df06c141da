/* gstbravisloosepad.h: pads without an element, at the ends of an rtpbin
 *
 * What goes into an RTP session inside a group element comes from the session's
 * datagrams, and its RTCP ends in them: no element is needed there, only a pad on
 * the other side of the link.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A pad that gives data with these caps to rtpbin's request pad @name. Takes
 * @caps. The request pad (a reference) goes to @request. */
GstPad *gst_bravis_loose_src_new (GstElement *rtpbin, const char *name,
    GstCaps *caps, GstPad **request);

/* A pad that takes data from rtpbin's request pad @name. @chain finds
 * @user_data with gst_pad_get_element_private (). */
GstPad *gst_bravis_loose_sink_new (GstElement *rtpbin, const char *name,
    GstPadChainFunction chain, gpointer user_data, GstPad **request);

/* Stops both, gives the request pad back, drops the references. Does nothing
 * where there is none. */
void gst_bravis_loose_pad_clear (GstElement *rtpbin, GstPad **pad,
    GstPad **request);

/* Describes this peer to others in RTCP: by a random name, nothing else. */
void gst_bravis_set_random_cname (GstElement *rtpbin);

G_END_DECLS
