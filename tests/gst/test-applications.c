/* The elements where applications put them: as encoder and decoder of rtpbin, before and
 * behind webrtcbin, between encoder and payloader. */
#include <gst/gst.h>

#define KEY "000102030405060708090a0b0c0d0e0f"
#define SRTP_KEY KEY "101112131415161718191a1b"
#define N_FRAMES 20

/* What is told of one run. Frames and reports come in other threads. */
typedef struct {
  const char *settings;
  gboolean rtcp;                /* it is protected too */
  GstElement *pipeline;
  GstElement *play;             /* takes what the receiver gives */
  GMainLoop *loop;
  gint n_frames;
  GstElement *rtcp_decrypt;     /* borrowed; NULL: RTCP goes as it is */
} Call;

/* An element with pads of those names, as rtpbin wants it. */
static GstElement *
wrap (const char *element, const char *settings, const char *sink,
    const char *src)
{
  g_autofree char *line = g_strdup_printf ("%s name=inner %s", element, settings);
  g_autoptr (GError) error = NULL;
  GstElement *bin = gst_parse_bin_from_description (line, FALSE, &error);
  g_autoptr (GstElement) inner = NULL;
  g_autoptr (GstPad) in = NULL;
  g_autoptr (GstPad) out = NULL;

  g_assert_no_error (error);
  inner = gst_bin_get_by_name (GST_BIN (bin), "inner");
  in = gst_element_get_static_pad (inner, "sink");
  out = gst_element_get_static_pad (inner, "src");
  gst_element_add_pad (bin, gst_ghost_pad_new (sink, in));
  gst_element_add_pad (bin, gst_ghost_pad_new (src, out));
  return bin;
}

static GstElement *
on_request_rtp_encoder (GstElement *rtpbin, guint session, Call *call)
{
  return wrap ("bravisencrypt", call->settings, "rtp_sink_0", "rtp_src_0");
}

static GstElement *
on_request_rtp_decoder (GstElement *rtpbin, guint session, Call *call)
{
  return wrap ("bravisdecrypt", call->settings, "rtp_sink", "rtp_src");
}

static GstElement *
on_request_rtcp_encoder (GstElement *rtpbin, guint session, Call *call)
{
  return wrap ("bravisencrypt", call->settings, "rtcp_sink_0", "rtcp_src_0");
}

static GstElement *
on_request_rtcp_decoder (GstElement *rtpbin, guint session, Call *call)
{
  GstElement *bin = wrap ("bravisdecrypt", call->settings, "rtcp_sink",
      "rtcp_src");
  g_autoptr (GstElement) inner = gst_bin_get_by_name (GST_BIN (bin), "inner");

  call->rtcp_decrypt = inner;
  return bin;
}

static guint64
count_reports (Call *call)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (call->rtcp_decrypt, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "frames", &n);
  return n;
}

static void
on_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, Call *call)
{
  if (g_atomic_int_add (&call->n_frames, 1) + 1 >= N_FRAMES
      && (!call->rtcp_decrypt || count_reports (call) > 0))
    g_main_loop_quit (call->loop);
}

static void
on_pad_added (GstElement *rtpbin, GstPad *pad, Call *call)
{
  g_autoptr (GstPad) sink = NULL;

  if (!g_str_has_prefix (GST_PAD_NAME (pad), "recv_rtp_src_"))
    return;
  sink = gst_element_get_static_pad (call->play, "sink");
  if (!gst_pad_is_linked (sink))
    g_assert_cmpint (gst_pad_link (pad, sink), ==, GST_PAD_LINK_OK);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
  return TRUE;
}

static GstCaps *
on_request_pt_map (GstElement *rtpbin, guint session, guint pt, gpointer user_data)
{
  return gst_caps_from_string ("application/x-rtp,media=video,clock-rate=90000,"
      "encoding-name=H264,payload=96");
}

/* Reports soon, for the test not to take long. */
static void
hurry_reports (GstElement *rtpbin)
{
  g_autoptr (GObject) session = NULL;

  g_signal_emit_by_name (rtpbin, "get-internal-session", 0, &session);
  g_object_set (session, "rtcp-min-interval", 200 * GST_MSECOND, NULL);
}

static GstElement *
add_rtpbin (Call *call)
{
  GstElement *rtpbin = gst_element_factory_make ("rtpbin", NULL);

  gst_bin_add (GST_BIN (call->pipeline), rtpbin);
  g_signal_connect (rtpbin, "request-rtp-encoder",
      G_CALLBACK (on_request_rtp_encoder), call);
  g_signal_connect (rtpbin, "request-rtp-decoder",
      G_CALLBACK (on_request_rtp_decoder), call);
  g_signal_connect (rtpbin, "request-pt-map", G_CALLBACK (on_request_pt_map),
      NULL);
  g_signal_connect (rtpbin, "pad-added", G_CALLBACK (on_pad_added), call);
  if (!call->rtcp)
    return rtpbin;
  g_signal_connect (rtpbin, "request-rtcp-encoder",
      G_CALLBACK (on_request_rtcp_encoder), call);
  g_signal_connect (rtpbin, "request-rtcp-decoder",
      G_CALLBACK (on_request_rtcp_decoder), call);
  return rtpbin;
}

static GstElement *
add_part (Call *call, const char *line, gboolean ghost)
{
  g_autoptr (GError) error = NULL;
  GstElement *part = gst_parse_bin_from_description (line, ghost, &error);

  g_assert_no_error (error);
  gst_bin_add (GST_BIN (call->pipeline), part);
  return part;
}

static void
link_pads (GstElement *from, const char *src, GstElement *to, const char *sink)
{
  g_assert_true (gst_element_link_pads (from, src, to, sink));
}

/* video -> rtpbin -> @wire -> rtpbin -> video, and RTCP beside it. */
static void
build (Call *call, const char *wire)
{
  GstElement *source = add_part (call, "videotestsrc is-live=true "
      "! video/x-raw,width=64,height=64,framerate=30/1 "
      "! x264enc tune=zerolatency key-int-max=10 ! rtph264pay pt=96", TRUE);
  GstElement *sender = add_rtpbin (call), *receiver = add_rtpbin (call);
  GstElement *filter = add_part (call, wire, TRUE);
  GstElement *play = add_part (call, "rtph264depay name=depay ! "
      "fakesink name=sink sync=false signal-handoffs=true", TRUE);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (play), "sink");

  g_object_set (receiver, "latency", 0, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_frame), call);
  link_pads (source, "src", sender, "send_rtp_sink_0");
  link_pads (sender, "send_rtp_src_0", filter, "sink");
  link_pads (filter, "src", receiver, "recv_rtp_sink_0");
  link_pads (sender, "send_rtcp_src_0", receiver, "recv_rtcp_sink_0");
  hurry_reports (sender);
  call->play = play;
}

static void
run (const char *settings, gboolean rtcp, const char *wire)
{
  Call call = {.settings = settings,.rtcp = rtcp };
  g_autoptr (GstBus) bus = NULL;

  call.pipeline = gst_pipeline_new (NULL);
  call.loop = g_main_loop_new (NULL, FALSE);
  build (&call, wire);
  bus = gst_element_get_bus (call.pipeline);
  gst_bus_add_watch (bus, on_message, NULL);
  gst_element_set_state (call.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (call.loop);
  gst_element_set_state (call.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  g_assert_cmpint (call.n_frames, >=, N_FRAMES);
  gst_object_unref (call.pipeline);
  g_main_loop_unref (call.loop);
}

static void
test_rtpbin_sends_sframe (void)
{
  run ("format=sframe key=" KEY, FALSE, "capsfilter caps=application/x-rtp");
}

static void
test_rtpbin_sends_srtp_and_srtcp (void)
{
  run ("format=srtp key=" SRTP_KEY, TRUE, "capsfilter caps=application/x-srtp");
}

/* --- webrtcbin: SFrame inside of what WebRTC encrypts anyway --- */

typedef struct {
  GstElement *pipeline, *ends[2];
  GMainLoop *loop;
  gint n_frames;
} WebCall;

static GstElement *
other_end (WebCall *call, GstElement *end)
{
  return call->ends[end == call->ends[0]];
}

static void
on_ice_candidate (GstElement *end, guint line, char *candidate, WebCall *call)
{
  g_signal_emit_by_name (other_end (call, end), "add-ice-candidate", line,
      candidate);
}

/* What @end proposes, both are told. Descriptions are boxed values of a type whose
 * header this test does without. */
static void
tell_both (WebCall *call, GstElement *end, GstPromise *promise, const char *what)
{
  const GValue *description = gst_structure_get_value (
      gst_promise_get_reply (promise), what);

  g_assert_nonnull (description);
  g_signal_emit_by_name (end, "set-local-description",
      g_value_get_boxed (description), NULL);
  g_signal_emit_by_name (other_end (call, end), "set-remote-description",
      g_value_get_boxed (description), NULL);
  gst_promise_unref (promise);
}

static void
on_answer (GstPromise *promise, gpointer user_data)
{
  WebCall *call = user_data;

  tell_both (call, call->ends[1], promise, "answer");
}

static void
on_offer (GstPromise *promise, gpointer user_data)
{
  WebCall *call = user_data;

  tell_both (call, call->ends[0], promise, "offer");
  g_signal_emit_by_name (call->ends[1], "create-answer", NULL,
      gst_promise_new_with_change_func (on_answer, call, NULL));
}

static void
on_negotiation_needed (GstElement *end, WebCall *call)
{
  g_signal_emit_by_name (end, "create-offer", NULL,
      gst_promise_new_with_change_func (on_offer, call, NULL));
}

static void
on_web_frame (GstElement *sink, GstBuffer *buffer, GstPad *pad, WebCall *call)
{
  if (g_atomic_int_add (&call->n_frames, 1) + 1 >= N_FRAMES)
    g_main_loop_quit (call->loop);
}

static void
on_web_pad (GstElement *end, GstPad *pad, WebCall *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstPad) in = NULL;
  GstElement *play;

  if (GST_PAD_DIRECTION (pad) != GST_PAD_SRC)
    return;
  play = gst_parse_bin_from_description ("bravisdecrypt key=" KEY
      " ! rtph264depay ! fakesink name=sink sync=false signal-handoffs=true", TRUE,
      &error);
  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (play), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (on_web_frame), call);
  gst_bin_add (GST_BIN (call->pipeline), play);
  in = gst_element_get_static_pad (play, "sink");
  g_assert_cmpint (gst_pad_link (pad, in), ==, GST_PAD_LINK_OK);
  gst_element_sync_state_with_parent (play);
}

static void
test_webrtcbin_carries_sframe (void)
{
  WebCall call = { gst_pipeline_new (NULL) };
  g_autoptr (GstElementFactory) nice = gst_element_factory_find ("nicesrc");
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBus) bus = gst_element_get_bus (call.pipeline);
  GstElement *source;

  if (!nice) {
    g_test_skip ("webrtcbin needs the elements of libnice");
    gst_object_unref (call.pipeline);
    return;
  }
  call.loop = g_main_loop_new (NULL, FALSE);
  source = gst_parse_bin_from_description ("videotestsrc is-live=true "
      "! video/x-raw,width=64,height=64,framerate=30/1 "
      "! x264enc tune=zerolatency key-int-max=10 "
      "! rtph264pay pt=96 config-interval=-1 ! bravisencrypt key=" KEY, TRUE,
      &error);
  g_assert_no_error (error);
  gst_bin_add (GST_BIN (call.pipeline), source);
  for (guint i = 0; i < 2; i++) {
    call.ends[i] = gst_element_factory_make ("webrtcbin", NULL);
    gst_bin_add (GST_BIN (call.pipeline), call.ends[i]);
    g_signal_connect (call.ends[i], "on-ice-candidate",
        G_CALLBACK (on_ice_candidate), &call);
  }
  g_signal_connect (call.ends[0], "on-negotiation-needed",
      G_CALLBACK (on_negotiation_needed), &call);
  g_signal_connect (call.ends[1], "pad-added", G_CALLBACK (on_web_pad), &call);
  link_pads (source, "src", call.ends[0], "sink_0");
  gst_bus_add_watch (bus, on_message, NULL);
  gst_element_set_state (call.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (call.loop);
  gst_element_set_state (call.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  gst_object_unref (call.pipeline);
  g_main_loop_unref (call.loop);
}

/* --- frames in a payloader that knows no codec --- */

static void
test_protected_frames_go_in_rtpgstpay (void)
{
  g_autofree char *clip = g_test_build_filename (G_TEST_DIST, "..", "media",
      "big-buck-bunny-12s.mkv", NULL);
  g_autofree char *line = g_strdup_printf ("filesrc location=\"%s\" ! matroskademux "
      "! h264parse ! bravisencrypt key=" KEY " ! rtpgstpay ! rtpgstdepay "
      "! bravisdecrypt name=decrypt key=" KEY " ! fakesink sync=false", clip);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) decrypt = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0, dropped = 1;

  g_assert_no_error (error);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  decrypt = gst_bin_get_by_name (GST_BIN (pipeline), "decrypt");
  g_object_get (decrypt, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "frames", &n);
  gst_structure_get_uint64 (stats, "dropped", &dropped);
  g_assert_cmpuint (n, >, 100);
  g_assert_cmpuint (dropped, ==, 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/applications/rtpbin_sends_sframe",
      test_rtpbin_sends_sframe);
  g_test_add_func ("/gst/applications/rtpbin_sends_srtp_and_srtcp",
      test_rtpbin_sends_srtp_and_srtcp);
  g_test_add_func ("/gst/applications/webrtcbin_carries_sframe",
      test_webrtcbin_carries_sframe);
  g_test_add_func ("/gst/applications/protected_frames_go_in_rtpgstpay",
      test_protected_frames_go_in_rtpgstpay);
  return g_test_run ();
}
