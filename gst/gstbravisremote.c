#include "gstbravisremote.h"

#include "gstbravisloosepad.h"

static GstFlowReturn
take_report (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstBravisRemote *remote = gst_pad_get_element_private (pad);
  GstMapInfo map;

  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    remote->host.report (remote, map.data, map.size, remote->host.user_data);
    gst_buffer_unmap (buffer, &map);
  }
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void
outlet_drained (gpointer user_data)
{
  GstBravisRemote *remote = user_data;

  remote->host.drained (remote, remote->host.user_data);
}

/* Every packet of an announced and authenticated stream counts, from the first
 * on; one SSRC that needs no proving. */
static void
set_up_session (GstBravisRemote *remote)
{
  g_autoptr (GstElement) session = NULL;

  g_signal_emit_by_name (remote->host.rtpbin, "get-session", remote->session,
      &session);
  if (session)
    g_object_set (session, "probation", 0, NULL);
}

static gboolean
make_pads (GstBravisRemote *remote)
{
  GstElement *rtpbin = remote->host.rtpbin;
  g_autofree char *rtp = g_strdup_printf ("recv_rtp_sink_%u", remote->session);
  g_autofree char *in = g_strdup_printf ("recv_rtcp_sink_%u", remote->session);
  g_autofree char *out = g_strdup_printf ("send_rtcp_src_%u", remote->session);

  remote->rtp = gst_bravis_loose_src_new (rtpbin, rtp,
      bravis_stream_description_dup_rtp_caps (remote->description,
          remote->kind), &remote->rtp_request);
  set_up_session (remote);
  remote->rtcp_in = gst_bravis_loose_src_new (rtpbin, in,
      gst_caps_new_empty_simple ("application/x-rtcp"),
      &remote->rtcp_in_request);
  remote->rtcp_out = gst_bravis_loose_sink_new (rtpbin, out, take_report,
      remote, &remote->rtcp_out_request);
  return remote->rtp && remote->rtcp_in && remote->rtcp_out;
}

GstBravisRemote *
gst_bravis_remote_new (const GstBravisRemoteHost *host, guint session,
    GcpMemberId member, const char *name, BravisKind kind, guint16 stream,
    BravisStreamDescription *description)
{
  GstBravisRemote *remote = g_new0 (GstBravisRemote, 1);

  remote->host = *host;
  remote->session = session;
  remote->member = member;
  remote->name = g_strdup (name);
  remote->kind = kind;
  remote->stream = stream;
  remote->description = description;
  remote->outlet = gst_object_ref_sink (gst_bravis_outlet_new (kind, name,
          stream, host->latency, outlet_drained, remote));
  gst_bin_add (host->bin, remote->outlet);
  gst_element_sync_state_with_parent (remote->outlet);
  gst_bravis_remote_describe (remote, description);
  if (!make_pads (remote)) {
    gst_bravis_remote_free (remote);
    return NULL;
  }
  return remote;
}

void
gst_bravis_remote_expose (GstBravisRemote *remote, GstPadTemplate *template,
    const char *pad_name)
{
  g_autoptr (GstPad) target =
      gst_element_get_static_pad (remote->outlet, "src");

  remote->ghost = gst_object_ref_sink (gst_ghost_pad_new_from_template
      (pad_name, target, template));
  gst_pad_set_active (remote->ghost, TRUE);
  gst_element_add_pad (GST_ELEMENT (remote->host.bin), remote->ghost);
}

void
gst_bravis_remote_free (GstBravisRemote *remote)
{
  GstElement *rtpbin = remote->host.rtpbin;

  gst_element_set_locked_state (remote->outlet, TRUE);
  gst_bravis_loose_pad_clear (rtpbin, &remote->rtp, &remote->rtp_request);
  gst_bravis_loose_pad_clear (rtpbin, &remote->rtcp_in,
      &remote->rtcp_in_request);
  gst_bravis_loose_pad_clear (rtpbin, &remote->rtcp_out,
      &remote->rtcp_out_request);
  if (remote->ghost) {
    gst_pad_set_active (remote->ghost, FALSE);
    gst_element_remove_pad (GST_ELEMENT (remote->host.bin), remote->ghost);
    gst_clear_object (&remote->ghost);
  }
  gst_element_set_state (remote->outlet, GST_STATE_NULL);
  gst_bin_remove (remote->host.bin, remote->outlet);
  gst_clear_object (&remote->outlet);
  bravis_stream_description_free (remote->description);
  g_free (remote->name);
  g_free (remote);
}

/* Numbers of generations come round again: frames that say one which is still to
 * come must not get the caps it had the last time. */
static void
forget_old_generations (GstBravisRemote *remote, guint newest)
{
  for (guint ahead = 1; ahead <= BRAVIS_N_GENERATIONS / 2; ahead++)
    remote->generations &= ~(1u << (newest + ahead) % BRAVIS_N_GENERATIONS);
}

gboolean
gst_bravis_remote_describe (GstBravisRemote *remote,
    const BravisStreamDescription *description)
{
  const BravisStreamDescription *first = remote->description;

  if (first->frames != description->frames || first->ssrc != description->ssrc
      || first->payload != description->payload
      || first->clock_rate != description->clock_rate)
    return FALSE;
  gst_bravis_outlet_describe (GST_BRAVIS_OUTLET (remote->outlet), description);
  remote->generations |= 1u << description->generation;
  forget_old_generations (remote, description->generation);
  return TRUE;
}

void
gst_bravis_remote_link (GstBravisRemote *remote, GstPad *pad)
{
  g_autoptr (GstPad) sink =
      gst_element_get_static_pad (remote->outlet, "sink");

  gst_pad_link_full (pad, sink, GST_PAD_LINK_CHECK_NOTHING);
}

static GstClockTime
running_time (GstBravisRemote *remote)
{
  return gst_element_get_current_running_time (GST_ELEMENT (remote->host.bin));
}

void
gst_bravis_remote_push (GstBravisRemote *remote, const guint8 *packet,
    gsize size)
{
  GstBuffer *buffer = gst_buffer_new_memdup (packet, size);

  g_atomic_int_set (&remote->pushed, TRUE);
  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = running_time (remote);
  gst_pad_push (remote->rtp, buffer);
}

void
gst_bravis_remote_push_rtcp (GstBravisRemote *remote, GBytes *rtcp)
{
  GstBuffer *buffer = gst_buffer_new_wrapped_bytes (rtcp);

  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = running_time (remote);
  gst_pad_push (remote->rtcp_in, buffer);
}

/* Without a packet the RTP session has no way out that EOS could take. */
void
gst_bravis_remote_end (GstBravisRemote *remote)
{
  if (g_atomic_int_get (&remote->pushed))
    gst_pad_push_event (remote->rtp, gst_event_new_eos ());
  else
    gst_bravis_outlet_end (GST_BRAVIS_OUTLET (remote->outlet));
}

void
gst_bravis_remote_give_up (GstBravisRemote *remote)
{
  g_autoptr (GstPad) sink =
      gst_element_get_static_pad (remote->outlet, "sink");

  if (!gst_pad_is_linked (sink))
    gst_bravis_outlet_end (GST_BRAVIS_OUTLET (remote->outlet));
}
