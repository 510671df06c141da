/* What protecting a 1200-octet RTP packet costs in a pipeline, beside srtpenc.
 *
 * One thread pushes packets through "ELEMENT ! fakesink" and its processor time is
 * taken; the cost without the element is taken away. Medians of several runs, in
 * which the elements take turns. Packets come as an encoder's or a network's do:
 * in one memory without room; with the room the ALLOCATION query asks for; or in
 * two memories, as payloaders make them.
 *
 *   measure-packet-cost [PACKETS [RUNS]]
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <gst/gst.h>

#define KEY16 "000102030405060708090a0b0c0d0e0f"
#define SALT "101112131415161718191a1b"
#define PACKET 1200
#define RTP_HEADER 12
#define MAX_RUNS 99

typedef enum {
  NO_ROOM,
  ROOM,
  TWO_MEMORIES,
  N_LAYOUTS
} Layout;

static const char *const layouts[N_LAYOUTS] = {
  "one memory", "one memory with room", "two memories"
};

typedef struct {
  const char *name;
  const char *line;             /* NULL: only the sink */
  const char *pad;              /* to push into */
} Subject;

static const Subject subjects[] = {
  {"(nothing)", NULL, NULL},
  {"bravisencrypt sframe aes-128-gcm", "bravisencrypt key=" KEY16, "sink"},
  {"bravisencrypt sframe aes-256-gcm",
      "bravisencrypt cipher=aes-256-gcm key=" KEY16 KEY16, "sink"},
  {"bravisencrypt srtp aes-128-gcm",
      "bravisencrypt format=srtp key=" KEY16 SALT, "sink"},
  {"bravisencrypt srtp aes-256-gcm",
        "bravisencrypt format=srtp cipher=aes-256-gcm key=" KEY16 KEY16 SALT,
      "sink"},
  {"srtpenc aes-128-gcm", "srtpenc key=" KEY16 SALT " rtp-cipher=aes-128-gcm "
        "rtp-auth=null rtcp-cipher=aes-128-gcm rtcp-auth=null", "rtp_sink_0"},
  {"srtpenc aes-256-gcm", "srtpenc key=" KEY16 KEY16 SALT
        " rtp-cipher=aes-256-gcm rtp-auth=null rtcp-cipher=aes-256-gcm "
        "rtcp-auth=null", "rtp_sink_0"},
};

#define N_SUBJECTS G_N_ELEMENTS (subjects)

static gint64
thread_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static GstBuffer *
make_packet (Layout layout, guint16 sequence, GstMemory *payload)
{
  guint8 header[RTP_HEADER] = { 0x80, 96, sequence >> 8, sequence & 0xff,
    0, 0, 0, 1, 1, 2, 3, 4
  };
  GstAllocationParams params = { 0, 0, layout == ROOM ? 32 : 0,
    layout == ROOM ? 32 : 0, { NULL, }
  };
  GstBuffer *buffer;

  if (layout == TWO_MEMORIES) {
    buffer = gst_buffer_new_allocate (NULL, RTP_HEADER, NULL);
    gst_buffer_append_memory (buffer, gst_memory_ref (payload));
  } else {
    buffer = gst_buffer_new_allocate (NULL, PACKET, &params);
  }
  gst_buffer_fill (buffer, 0, header, sizeof header);
  return buffer;
}

static void
send_begin (GstPad *src)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (src, gst_event_new_stream_start ("measure"));
  gst_pad_push_event (src, gst_event_new_caps (gst_caps_from_string
          ("application/x-rtp,media=video,clock-rate=90000,"
              "encoding-name=H264,payload=96,ssrc=(uint)16909060")));
  gst_pad_push_event (src, gst_event_new_segment (&segment));
}

/* Nanoseconds a packet. */
static double
measure (const Subject *subject, Layout layout, guint n)
{
  g_autofree char *line = g_strdup_printf ("%s%s fakesink name=sink sync=false",
      subject->line ? subject->line : "",
      subject->line ? " name=subject !" : "");
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstElement) entry = NULL;
  g_autoptr (GstPad) sink = NULL;
  g_autoptr (GstPad) src = gst_pad_new ("src", GST_PAD_SRC);
  g_autoptr (GstMemory) payload = gst_allocator_alloc (NULL,
      PACKET - RTP_HEADER, NULL);
  gint64 begin, end;
  guint i;

  pipeline = gst_parse_bin_from_description (line, FALSE, &error);
  if (error)
    g_error ("%s: %s", line, error->message);
  entry = gst_bin_get_by_name (GST_BIN (pipeline),
      subject->line ? "subject" : "sink");
  sink = gst_element_get_static_pad (entry, subject->line ? subject->pad
      : "sink");
  if (sink == NULL)
    sink = gst_element_request_pad_simple (entry, subject->pad);
  if (gst_pad_link (src, sink) != GST_PAD_LINK_OK)
    g_error ("%s: cannot be linked", line);
  gst_pad_set_active (src, TRUE);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  send_begin (src);
  for (i = 0; i < 1000; i++)
    gst_pad_push (src, make_packet (layout, i, payload));
  begin = thread_time ();
  for (i = 0; i < n; i++) {
    if (gst_pad_push (src, make_packet (layout, 1000 + i, payload))
        != GST_FLOW_OK)
      g_error ("%s: the packet was not taken", line);
  }
  end = thread_time ();
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_pad_unlink (src, sink);
  return (double) (end - begin) / n;
}

static int
compare (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return left < right ? -1 : left > right;
}

int
main (int argc, char *argv[])
{
  guint n = argc > 1 ? atoi (argv[1]) : 100000;
  guint runs = argc > 2 ? CLAMP (atoi (argv[2]), 1, MAX_RUNS) : 7;
  double costs[N_SUBJECTS][MAX_RUNS];
  guint s, run, layout;

  gst_init (&argc, &argv);
  g_print ("Nanoseconds of processor time for a packet of %d octets, "
      "medians of %u runs of %u packets\n", PACKET, runs, n);
  for (layout = 0; layout < N_LAYOUTS; layout++) {
    g_print ("packets in %s:\n", layouts[layout]);
    for (run = 0; run < runs; run++) {
      for (s = 0; s < N_SUBJECTS; s++)
        costs[s][run] = measure (&subjects[s], layout, n);
    }
    for (s = 0; s < N_SUBJECTS; s++)
      qsort (costs[s], runs, sizeof costs[s][0], compare);
    for (s = 0; s < N_SUBJECTS; s++)
      g_print ("  %-34s %7.0f\n", subjects[s].name,
          costs[s][runs / 2] - (s ? costs[0][runs / 2] : 0));
  }
  return 0;
}
