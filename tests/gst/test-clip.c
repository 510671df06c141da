/* A real clip through whole pipelines: what comes out is, bit by bit, what comes
 * out without encryption. */
#include <gst/gst.h>

#define KEY "000102030405060708090a0b0c0d0e0f"
#define SRTP_KEY KEY "101112131415161718191a1b"
#define VIDEO "matroskademux ! h264parse"
#define AUDIO "matroskademux name=d d.audio_0 ! queue ! opusparse"

typedef struct {
  GChecksum *checksum;
  guint64 buffers;
} Digest;

static void
on_handoff (GstElement *sink, GstBuffer *buffer, GstPad *pad, Digest *digest)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_checksum_update (digest->checksum, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  digest->buffers++;
}

/* SHA-256 of all that the pipeline "clip ! @line" gives. */
static char *
run (const char *line)
{
  g_autofree char *clip = g_test_build_filename (G_TEST_DIST, "..", "media",
      "big-buck-bunny-12s.mkv", NULL);
  g_autofree char *whole = g_strdup_printf ("filesrc location=\"%s\" ! %s ! "
      "fakesink name=sink sync=false signal-handoffs=true", clip, line);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (whole, &error);
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  Digest digest = { g_checksum_new (G_CHECKSUM_SHA256), 0 };
  char *text;

  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (on_handoff), &digest);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (digest.buffers, >, 100);
  text = g_strdup (g_checksum_get_string (digest.checksum));
  g_checksum_free (digest.checksum);
  return text;
}

static void
check (const char *before, const char *settings, const char *after)
{
  g_autofree char *plain_line = g_strdup_printf ("%s ! %s", before, after);
  g_autofree char *line = g_strdup_printf ("%s ! bravisencrypt %s ! "
      "bravisdecrypt %s ! %s", before, settings, settings, after);
  g_autofree char *plain = run (plain_line);
  g_autofree char *passed = run (line);

  g_assert_cmpstr (passed, ==, plain);
}

static void
test_h264_in_rtp_with_sframe (void)
{
  check (VIDEO " ! rtph264pay", "key=" KEY, "rtph264depay ! avdec_h264");
}

static void
test_h264_in_rtp_with_header_authentication (void)
{
  check (VIDEO " ! rtph264pay", "rtp-header-auth=true cipher=aes-256-gcm key="
      KEY, "rtph264depay ! avdec_h264");
}

static void
test_h264_in_rtp_with_srtp (void)
{
  check (VIDEO " ! rtph264pay", "format=srtp key=" SRTP_KEY,
      "rtph264depay ! avdec_h264");
}

/* End to end inside, hop by hop outside. */
static void
test_h264_in_rtp_with_sframe_inside_srtp (void)
{
  g_autofree char *plain = run (VIDEO " ! rtph264pay ! rtph264depay ! "
      "avdec_h264");
  g_autofree char *passed = run (VIDEO " ! rtph264pay"
      " ! bravisencrypt key=" KEY " ! bravisencrypt format=srtp key=" SRTP_KEY
      " ! bravisdecrypt format=srtp key=" SRTP_KEY " ! bravisdecrypt key=" KEY
      " ! rtph264depay ! avdec_h264");

  g_assert_cmpstr (passed, ==, plain);
}

static void
test_whole_h264_frames (void)
{
  check (VIDEO, "key=" KEY, "avdec_h264");
}

static void
test_whole_opus_frames (void)
{
  check (AUDIO, "key=" KEY, "opusdec");
}

static void
test_opus_in_rtp_with_sframe (void)
{
  check (AUDIO " ! rtpopuspay", "key=" KEY, "rtpopusdepay ! opusdec");
}

int
main (int argc, char *argv[])
{
#define ADD(name) g_test_add_func ("/gst/clip/" #name, test_##name)
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD (h264_in_rtp_with_sframe);
  ADD (h264_in_rtp_with_header_authentication);
  ADD (h264_in_rtp_with_srtp);
  ADD (h264_in_rtp_with_sframe_inside_srtp);
  ADD (whole_h264_frames);
  ADD (whole_opus_frames);
  ADD (opus_in_rtp_with_sframe);
  return g_test_run ();
}
