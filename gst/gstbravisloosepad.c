#include "gstbravisloosepad.h"

/* An end of the world: what arrives here has arrived. */
static gboolean
take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return GST_PAD_IS_SINK (pad);
}

static gboolean
answer_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY || GST_PAD_IS_SINK (pad))
    return FALSE;
  gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

static GstPad *
link_loose (GstElement *rtpbin, const char *name, GstPad *pad,
    GstPad **request)
{
  GstPad *src, *sink;

  gst_object_ref_sink (pad);
  gst_pad_set_event_function (pad, take_event);
  gst_pad_set_query_function (pad, answer_query);
  *request = gst_element_request_pad_simple (rtpbin, name);
  if (!*request) {
    gst_object_unref (pad);
    return NULL;
  }
  gst_pad_set_active (pad, TRUE);
  src = GST_PAD_IS_SRC (pad) ? pad : *request;
  sink = GST_PAD_IS_SRC (pad) ? *request : pad;
  gst_pad_link_full (src, sink, GST_PAD_LINK_CHECK_NOTHING);
  return pad;
}

GstPad *
gst_bravis_loose_src_new (GstElement *rtpbin, const char *name, GstCaps *caps,
    GstPad **request)
{
  GstPad *pad = link_loose (rtpbin, name, gst_pad_new (name, GST_PAD_SRC),
      request);
  GstSegment segment;

  if (pad) {
    g_autofree char *id = g_strdup_printf ("bravis/%s", name);

    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_pad_push_event (pad, gst_event_new_stream_start (id));
    gst_pad_push_event (pad, gst_event_new_caps (caps));
    gst_pad_push_event (pad, gst_event_new_segment (&segment));
  }
  gst_caps_unref (caps);
  return pad;
}

GstPad *
gst_bravis_loose_sink_new (GstElement *rtpbin, const char *name,
    GstPadChainFunction chain, gpointer user_data, GstPad **request)
{
  GstPad *pad = gst_pad_new (name, GST_PAD_SINK);

  gst_pad_set_element_private (pad, user_data);
  gst_pad_set_chain_function (pad, chain);
  return link_loose (rtpbin, name, pad, request);
}

void
gst_bravis_loose_pad_clear (GstElement *rtpbin, GstPad **pad, GstPad **request)
{
  if (*pad) {
    gst_pad_set_active (*pad, FALSE);
    if (GST_PAD_IS_SRC (*pad))
      gst_pad_unlink (*pad, *request);
    else
      gst_pad_unlink (*request, *pad);
    gst_clear_object (pad);
  }
  if (*request) {
    gst_element_release_request_pad (rtpbin, *request);
    gst_clear_object (request);
  }
}

void
gst_bravis_set_random_cname (GstElement *rtpbin)
{
  g_autofree char *cname = g_strdup_printf ("%08x%08x%08x", g_random_int (),
      g_random_int (), g_random_int ());
  g_autoptr (GstStructure) sdes = gst_structure_new ("application/x-rtp-source-sdes",
      "cname", G_TYPE_STRING, cname, NULL);

  g_object_set (rtpbin, "sdes", sdes, NULL);
}
