/* gstbravisstreamsink.h: the last part of each pad of bravisgroupsink (internal)
 *
 * Takes the RTP packets of one own stream when it is their time, protects each
 * under the present epoch and sends it to the other members. A new epoch is taken
 * up at the beginning of a frame only, so that each frame is whole under one.
 *
 * Files are paced by the clock; a live source's frames go out at once: they must
 * not wait for the latency of what the same pipeline receives.
 */
#pragma once

#include "bravis-frame-guard.h"
#include "../keymgmt/bravis-session-media.h"

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_BRAVIS_STREAM_SINK (gst_bravis_stream_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstBravisStreamSink, gst_bravis_stream_sink, GST,
    BRAVIS_STREAM_SINK, GstBaseSink)

typedef struct {
  guint64 frames;               /* begun */
  guint64 packets;              /* of all frames */
  guint64 octets;               /* of datagrams sent */
  guint64 datagrams;            /* sent, to all members together once */
  guint64 unheard;              /* packets while there was nobody to send to */
  guint64 closed;               /* packets dropped: no sending under their epoch */
  guint64 oversized;            /* packets dropped: too long for a datagram */
} GstBravisStreamSinkStats;

/* From the streaming thread: from frame number @frame on the stream is protected
 * under @epoch. */
typedef void (*GstBravisStreamEpoch) (BravisEpoch *epoch, guint64 frame,
    gpointer user_data);

/* From the streaming thread: everything is sent. */
typedef void (*GstBravisStreamEos) (gpointer user_data);

GstElement *gst_bravis_stream_sink_new (GstBravisStreamEpoch epoch,
    GstBravisStreamEos eos, gpointer user_data);

/* Before data flows; NULL for none any more, when none does. */
void gst_bravis_stream_sink_set_stream (GstBravisStreamSink *self,
    BravisSession *session, BravisKind kind, guint16 stream);
void gst_bravis_stream_sink_get_stats (GstBravisStreamSink *self,
    GstBravisStreamSinkStats *stats);

G_END_DECLS
