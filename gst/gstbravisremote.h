/* gstbravisremote.h: one stream of another member inside bravisgroupsrc
 *
 * An RTP session of the bin's rtpbin with loose pads before it and an outlet
 * behind it, whose src pad is the bin's. RTP is given by
 * gst_bravis_remote_push () from whichever thread delivers it; everything else
 * happens in the bin's worker.
 */
#pragma once

#include "gstbravisoutlet.h"
#include "../gcp/gcp-view.h"

G_BEGIN_DECLS

typedef struct _GstBravisRemote GstBravisRemote;

/* RTCP about this stream, for its owner. From the RTP session's thread. */
typedef void (*GstBravisRemoteReport) (GstBravisRemote *remote,
    const guint8 *rtcp, gsize size, gpointer user_data);

/* EOS went out. From a streaming thread. */
typedef void (*GstBravisRemoteDrained) (GstBravisRemote *remote,
    gpointer user_data);

typedef struct {
  GstBin *bin;                  /* bravisgroupsrc */
  GstElement *rtpbin;           /* in it */
  guint latency;                /* ms */
  GstBravisRemoteReport report;
  GstBravisRemoteDrained drained;
  gpointer user_data;
} GstBravisRemoteHost;

struct _GstBravisRemote {
  GstBravisRemoteHost host;
  guint session;                /* its number in the rtpbin */
  GcpMemberId member;
  char *name;                   /* the member's */
  BravisKind kind;
  guint16 stream;
  BravisStreamDescription *description; /* the first */
  guint generations;            /* bits: those whose caps are known */
  gboolean ending;              /* of the bin's worker */
  gint pushed;                  /* atomic: there was a packet */

  GstElement *outlet;
  GstPad *ghost;
  GstPad *rtp, *rtp_request;
  GstPad *rtcp_in, *rtcp_in_request;
  GstPad *rtcp_out, *rtcp_out_request;
};

/* Makes everything but the bin's pad. Takes @description. NULL where the rtpbin
 * does not play along. */
GstBravisRemote *gst_bravis_remote_new (const GstBravisRemoteHost *host,
    guint session, GcpMemberId member, const char *name, BravisKind kind,
    guint16 stream, BravisStreamDescription *description);

/* Adds the bin's pad. */
void gst_bravis_remote_expose (GstBravisRemote *remote,
    GstPadTemplate *template, const char *pad_name);

/* Takes it all apart; the pad is removed. */
void gst_bravis_remote_free (GstBravisRemote *remote);

/* New caps. FALSE: what cannot change in a stream has changed. */
gboolean gst_bravis_remote_describe (GstBravisRemote *remote,
    const BravisStreamDescription *description);

/* rtpbin's pad for the stream's packets is there. */
void gst_bravis_remote_link (GstBravisRemote *remote, GstPad *pad);

void gst_bravis_remote_push (GstBravisRemote *remote, const guint8 *packet,
    gsize size);
void gst_bravis_remote_push_rtcp (GstBravisRemote *remote, GBytes *rtcp);

/* No more will come: what is there is played out, then EOS. */
void gst_bravis_remote_end (GstBravisRemote *remote);

/* EOS in any case, if nothing came out of the RTP session up to now. */
void gst_bravis_remote_give_up (GstBravisRemote *remote);

G_END_DECLS
