/* gstbravisoutlet.h: the last part of each pad of bravisgroupsrc (internal)
 *
 * Takes RTP packets from the jitter buffer and gives what the sender's pad took:
 * the same caps, the same frames, octet by octet. Its stream-start names the
 * member, its tags too (title and contact). It asks for a key unit when a frame was
 * lost, or when none came in the first 200 ms.
 *
 * Nothing that is downstream (no link, an error, the end) goes further up: one
 * member's stream does not stop the others.
 */
#pragma once

#include "bravis-stream-description.h"

G_BEGIN_DECLS

#define GST_TYPE_BRAVIS_OUTLET (gst_bravis_outlet_get_type ())
G_DECLARE_FINAL_TYPE (GstBravisOutlet, gst_bravis_outlet, GST, BRAVIS_OUTLET,
    GstElement)

typedef struct {
  guint64 frames;               /* handed on; packets, where it was RTP */
  guint64 gaps;                 /* times that something was lost before a frame */
  guint64 unlinked;             /* frames that nobody downstream took */
  guint64 key_unit_requests;
} GstBravisOutletStats;

/* EOS went out. In the streaming thread, or that of gst_bravis_outlet_end (). */
typedef void (*GstBravisOutletDrained) (gpointer user_data);

/* @latency: in ms, what the jitter buffer adds. */
GstElement *gst_bravis_outlet_new (BravisKind kind, const char *member,
    guint16 stream, guint latency, GstBravisOutletDrained drained,
    gpointer user_data);

/* Caps for a generation, from any thread, before frames of it come. */
void gst_bravis_outlet_describe (GstBravisOutlet *self,
    const BravisStreamDescription *description);

/* EOS where no data ever came, so that none can come from upstream. */
void gst_bravis_outlet_end (GstBravisOutlet *self);

void gst_bravis_outlet_get_stats (GstBravisOutlet *self,
    GstBravisOutletStats *stats);

G_END_DECLS
