/* What applications do to elements while data flow: no crash, no deadlock, and what
 * comes out is what went in, or nothing. */
#include <gst/check/gstharness.h>

#define KEY "000102030405060708090a0b0c0d0e0f"
#define SRTP_KEY KEY "101112131415161718191a1b"
#define H264 "video/x-h264,stream-format=byte-stream,alignment=au"
#define RTP "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264," \
    "payload=96"
#define ROUNDS 300              /* of each thread, at least */
#define SIZE 300

static const struct {
  const char *encrypt, *decrypt, *caps;
} cases[] = {
  { "bravisencrypt key=" KEY, "bravisdecrypt key=" KEY, H264 },
  { "bravisencrypt key=" KEY, "bravisdecrypt key=" KEY, RTP },
  { "bravisencrypt format=srtp key=" SRTP_KEY,
    "bravisdecrypt format=srtp key=" SRTP_KEY, RTP },
};

static GstBuffer *
make_packet (guint16 sequence)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, SIZE, NULL);
  const guint8 header[12] = { 0x80, 96, sequence >> 8, sequence, 0, 0, 0, 1, 1, 2,
    3, 4 };

  gst_buffer_memset (buffer, 0, sequence, SIZE);
  gst_buffer_fill (buffer, 0, header, sizeof header);
  return buffer;
}

/* Both elements, one after the other. */
static GstHarness *
start (guint which)
{
  g_autofree char *line = g_strdup_printf ("%s ! %s", cases[which].encrypt,
      cases[which].decrypt);
  GstHarness *harness = gst_harness_new_parse (line);

  gst_harness_set_src_caps_str (harness, cases[which].caps);
  gst_harness_set_drop_buffers (harness, TRUE);
  return harness;
}

typedef struct {
  GstHarness *harness;
  gint n_pushed, n_stats;
  gint over;
} Stress;

static gpointer
push (gpointer data)
{
  Stress *stress = data;

  while (!g_atomic_int_get (&stress->over))
    gst_harness_push (stress->harness,
        make_packet (g_atomic_int_add (&stress->n_pushed, 1)));
  return NULL;
}

static gpointer
read_stats (gpointer data)
{
  Stress *stress = data;
  g_autoptr (GstElement) encrypt = gst_harness_find_element (stress->harness,
      "bravisencrypt");
  g_autoptr (GstElement) decrypt = gst_harness_find_element (stress->harness,
      "bravisdecrypt");

  while (!g_atomic_int_get (&stress->over)) {
    GstStructure *stats[2];

    g_object_get (encrypt, "stats", &stats[0], NULL);
    g_object_get (decrypt, "stats", &stats[1], NULL);
    gst_structure_free (stats[0]);
    gst_structure_free (stats[1]);
    g_atomic_int_inc (&stress->n_stats);
  }
  return NULL;
}

/* @disturb () is called again and again while buffers are pushed and stats read. */
static void
run (guint which, void (*disturb) (GstHarness *harness, guint which, guint round))
{
  Stress stress = { start (which) };
  GThread *pushing = g_thread_new ("push", push, &stress);
  GThread *reading = g_thread_new ("stats", read_stats, &stress);

  for (guint i = 0; i < ROUNDS || g_atomic_int_get (&stress.n_pushed) < ROUNDS
      || g_atomic_int_get (&stress.n_stats) < ROUNDS; i++)
    disturb (stress.harness, which, i);
  g_atomic_int_set (&stress.over, 1);
  g_thread_join (pushing);
  g_thread_join (reading);
  gst_harness_teardown (stress.harness);
}

static void
run_all (void (*disturb) (GstHarness *harness, guint which, guint round))
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    run (i, disturb);
}

static void
send_segment (GstHarness *harness)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
}

static void
flush (GstHarness *harness, guint which, guint round)
{
  gst_harness_push_event (harness, gst_event_new_flush_start ());
  gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE));
  send_segment (harness);
}

static void
test_flushed_while_data_flow (void)
{
  run_all (flush);
}

static void
change_caps (GstHarness *harness, guint which, guint round)
{
  GstCaps *caps = gst_caps_from_string (cases[which].caps);

  gst_caps_set_simple (caps, "round", G_TYPE_INT, (int) round, NULL);
  gst_harness_push_event (harness, gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

static void
test_caps_change_while_data_flow (void)
{
  run_all (change_caps);
}

static void
change_state (GstHarness *harness, guint which, guint round)
{
  if (round % 2 == 0) {
    gst_element_set_state (harness->element, GST_STATE_READY);
    return;
  }
  gst_element_set_state (harness->element, GST_STATE_PLAYING);
  gst_harness_push_event (harness, gst_event_new_stream_start ("stress"));
  change_caps (harness, which, round);
  send_segment (harness);
}

static void
test_state_changes_while_data_flow (void)
{
  run_all (change_state);
}

static void
set_properties (GstHarness *harness, guint which, guint round)
{
  g_autoptr (GstElement) element = gst_harness_find_element (harness,
      round % 2 ? "bravisencrypt" : "bravisdecrypt");

  g_object_set (element, "rtp-header-auth", round % 4 < 2, "replay-window",
      64 + round % 1000, "key", round % 3 ? KEY : SRTP_KEY, NULL);
}

/* They count from the next time on that the element goes to PAUSED. */
static void
test_properties_change_while_data_flow (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Stress stress = { start (i) };
    GstBuffer *out;

    for (guint k = 0; k < ROUNDS; k++)
      set_properties (stress.harness, i, k);
    gst_harness_set_drop_buffers (stress.harness, FALSE);
    out = gst_harness_push_and_pull (stress.harness, make_packet (7));
    g_assert_cmpuint (gst_buffer_get_size (out), ==, SIZE);
    gst_buffer_unref (out);
    gst_harness_teardown (stress.harness);
    run (i, set_properties);
  }
}

int
main (int argc, char **argv)
{
#define ADD(name) g_test_add_func ("/gst/stress/" #name, test_##name)
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  /* Data that come before segment or caps are GStreamer's to warn of. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  ADD (flushed_while_data_flow);
  ADD (caps_change_while_data_flow);
  ADD (state_changes_while_data_flow);
  ADD (properties_change_while_data_flow);
  return g_test_run ();
}
