/* gstbravisintake.h: the first part of each pad of bravisgroupsink (internal)
 *
 * Makes RTP of what comes in. Frames of any codec are cut by
 * bravis-frame-payload.h; application/x-rtp passes as it is, one SSRC and payload
 * type a stream. Either way each packet's offset says which frame of the pad, from
 * 0, it belongs to: packets of one frame have the same.
 *
 * As soon as the caps allow, and each time they change, @describe is called, from
 * the streaming thread, with what the others must know to take the stream.
 */
#pragma once

#include "bravis-stream-description.h"

G_BEGIN_DECLS

/* Longest RTP packet made of frames: with everything that protects it, a
 * datagram has at most 1200 octets. */
#define GST_BRAVIS_INTAKE_MTU 1151

#define GST_TYPE_BRAVIS_INTAKE (gst_bravis_intake_get_type ())
G_DECLARE_FINAL_TYPE (GstBravisIntake, gst_bravis_intake, GST, BRAVIS_INTAKE,
    GstElement)

typedef void (*GstBravisDescribe) (const BravisStreamDescription *description,
    gpointer user_data);

GstElement *gst_bravis_intake_new (BravisKind kind, GstBravisDescribe describe,
    gpointer user_data);

G_END_DECLS
