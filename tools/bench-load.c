#include "bench-load.h"

#include <gio/gio.h>
#include <gst/app/gstappsink.h>
#include <string.h>

#define RTP_HEADER 12
#define MAX_PACKET 1500
#define ROOM 32                 /* what the elements ask for, on both sides */

/* Of each shape. */
typedef struct {
  GPtrArray *buffers;           /* of GstBuffer; NULL: all of one size */
  GstCaps *caps;
  guint size;                   /* octets of a buffer, the mean */
} Stream;

struct _BenchLoad {
  char *name;
  gboolean of_size;
  Stream streams[2];            /* BenchShape */
};

static const char *const layouts[BENCH_N_LAYOUTS] = { "room", "tight", "split" };

const char *
bench_layout_to_string (BenchLayout layout)
{
  return layouts[layout];
}

static GstCaps *
make_rtp_caps (void)
{
  return gst_caps_from_string ("application/x-rtp,media=video,clock-rate=90000,"
      "encoding-name=H264,payload=96,ssrc=(uint)16909060");
}

BenchLoad *
bench_load_new_of_size (guint size)
{
  BenchLoad *load = g_new0 (BenchLoad, 1);

  load->name = g_strdup_printf ("%u", size);
  load->streams[BENCH_FRAMES].size = load->streams[BENCH_RTP].size = size;
  load->of_size = TRUE;
  load->streams[BENCH_FRAMES].caps = gst_caps_from_string ("video/x-h264,"
      "stream-format=byte-stream,alignment=au");
  load->streams[BENCH_RTP].caps = make_rtp_caps ();
  return load;
}

/* --- a real stream --- */

/* The next one; NULL at the end, or where something is wrong. */
static GstSample *
pull (GstElement *pipeline, GstAppSink *sink, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  GstSample *sample = NULL;

  while (!message && !sample && !gst_app_sink_is_eos (sink)) {
    sample = gst_app_sink_try_pull_sample (sink, GST_SECOND / 10);
    if (!sample)
      message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  }
  if (message)
    gst_message_parse_error (message, error, NULL);
  return sample;
}

static GPtrArray *
read_stream (const char *file, const char *elements, GstCaps **caps,
    GError **error)
{
  g_autofree char *line = g_strdup_printf ("filesrc name=file ! matroskademux ! "
      "%s ! appsink name=sink sync=false", elements);
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, error);
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GPtrArray) buffers = g_ptr_array_new_with_free_func (
      (GDestroyNotify) gst_buffer_unref);
  GError *failure = NULL;
  GstSample *sample;

  if (!pipeline)
    return NULL;
  source = gst_bin_get_by_name (GST_BIN (pipeline), "file");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (source, "location", file, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = pull (pipeline, GST_APP_SINK (sink), &failure))) {
    g_ptr_array_add (buffers, gst_buffer_ref (gst_sample_get_buffer (sample)));
    gst_caps_replace (caps, gst_sample_get_caps (sample));
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (failure) {
    g_propagate_prefixed_error (error, failure, "%s: ", file);
    return NULL;
  }
  if (buffers->len > 0)
    return g_steal_pointer (&buffers);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "%s: there is no such stream in it (%s)", file, elements);
  return NULL;
}

static guint
get_mean_size (GPtrArray *buffers)
{
  gsize total = 0;

  for (guint i = 0; i < buffers->len; i++)
    total += gst_buffer_get_size (buffers->pdata[i]);
  return total / buffers->len;
}

BenchLoad *
bench_load_new_of_clip (const char *file, const char *stream, GError **error)
{
  static const char *const elements[][2] = {
    { "h264parse", "h264parse ! rtph264pay mtu=1200" },
    { "opusparse", "opusparse ! rtpopuspay" }
  };
  const char *const *of_shape = elements[g_str_equal (stream, "opus")];
  g_autoptr (BenchLoad) load = g_new0 (BenchLoad, 1);

  load->name = g_strdup (stream);
  for (guint shape = 0; shape < 2; shape++) {
    Stream *made = &load->streams[shape];

    made->buffers = read_stream (file, of_shape[shape], &made->caps, error);
    if (!made->buffers)
      return NULL;
    made->size = get_mean_size (made->buffers);
  }
  return g_steal_pointer (&load);
}

void
bench_load_free (BenchLoad *load)
{
  for (guint i = 0; i < 2; i++) {
    g_clear_pointer (&load->streams[i].buffers, g_ptr_array_unref);
    gst_clear_caps (&load->streams[i].caps);
  }
  g_free (load->name);
  g_free (load);
}

const char *
bench_load_get_name (const BenchLoad *load)
{
  return load->name;
}

guint
bench_load_get_size (const BenchLoad *load, BenchShape shape)
{
  return load->streams[shape].size;
}

gboolean
bench_load_is_of_size (const BenchLoad *load)
{
  return load->of_size;
}

gboolean
bench_load_has_shape (const BenchLoad *load, BenchShape shape)
{
  return shape == BENCH_FRAMES || !load->of_size
      || load->streams[shape].size <= MAX_PACKET;
}

GstCaps *
bench_load_get_caps (const BenchLoad *load, BenchShape shape)
{
  return load->streams[shape].caps;
}

/* --- fresh buffers --- */

static GstBuffer *
allocate (guint size, BenchLayout layout, guint header)
{
  guint room = layout == BENCH_ROOM ? ROOM : 0;
  GstAllocationParams params = { 0, 0, room, room, { NULL } };
  GstBuffer *buffer;

  if (layout != BENCH_SPLIT)
    return gst_buffer_new_allocate (NULL, size, &params);
  buffer = gst_buffer_new_allocate (NULL, header, NULL);
  gst_buffer_append_memory (buffer, gst_allocator_alloc (NULL, size - header,
          NULL));
  return buffer;
}

static void
write_rtp_header (GstBuffer *buffer, guint number)
{
  const guint8 header[RTP_HEADER] = { 0x80, 96, number >> 8, number, 0, 0,
    number >> 16, number >> 8, 1, 2, 3, 4 };

  gst_buffer_fill (buffer, 0, header, sizeof header);
}

static GstBuffer *
make_of_size (const BenchLoad *load, BenchShape shape, BenchLayout layout,
    guint number)
{
  guint size = load->streams[shape].size;
  GstBuffer *buffer = allocate (size, layout, RTP_HEADER);

  gst_buffer_memset (buffer, 0, number, size);
  if (shape == BENCH_RTP)
    write_rtp_header (buffer, number);
  return buffer;
}

/* A clip has fewer packets than are wanted: it goes on from its beginning, with
 * numbers that go on, too. */
static GstBuffer *
make_of_clip (const Stream *stream, BenchShape shape, BenchLayout layout,
    guint number)
{
  GstBuffer *original = stream->buffers->pdata[number % stream->buffers->len];
  gsize size = gst_buffer_get_size (original);
  GstBuffer *buffer = allocate (size, layout, MIN (RTP_HEADER, size));
  const guint8 digits[2] = { number >> 8, number };
  GstMapInfo map;

  if (gst_buffer_map (original, &map, GST_MAP_READ)) {
    gst_buffer_fill (buffer, 0, map.data, map.size);
    gst_buffer_unmap (original, &map);
  }
  if (shape == BENCH_RTP)
    gst_buffer_fill (buffer, 2, digits, sizeof digits);
  return buffer;
}

GPtrArray *
bench_load_make (const BenchLoad *load, BenchShape shape, BenchLayout layout,
    guint from, guint n)
{
  GPtrArray *buffers = g_ptr_array_new ();
  const Stream *stream = &load->streams[shape];

  for (guint i = from; i < from + n; i++)
    g_ptr_array_add (buffers, stream->buffers
        ? make_of_clip (stream, shape, layout, i)
        : make_of_size (load, shape, layout, i));
  return buffers;
}
