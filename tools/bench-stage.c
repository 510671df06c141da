#include "bench-stage.h"

#include <gio/gio.h>
#include <time.h>

struct _BenchStage {
  GstPad *src, *sink;           /* of this program: before and behind the elements */
  GstElement *elements[BENCH_STAGE_MAX];
  guint n_elements;
  GPtrArray *kept;              /* NULL: nothing is kept */
  GstCaps *caps;                /* of what comes out */
  guint64 n_out;
};

static double
get_time (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

/* --- the end of it --- */

static void
take (BenchStage *stage, GstBuffer *buffer)
{
  stage->n_out++;
  if (stage->kept)
    g_ptr_array_add (stage->kept, gst_buffer_ref (buffer));
}

static GstFlowReturn
chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  take (gst_pad_get_element_private (pad), buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstFlowReturn
chain_list (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  for (guint i = 0; i < gst_buffer_list_length (list); i++)
    take (gst_pad_get_element_private (pad), gst_buffer_list_get (list, i));
  gst_buffer_list_unref (list);
  return GST_FLOW_OK;
}

static gboolean
on_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  BenchStage *stage = gst_pad_get_element_private (pad);
  GstCaps *caps;

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_parse_caps (event, &caps);
    gst_caps_replace (&stage->caps, caps);
  }
  gst_event_unref (event);
  return TRUE;
}

/* --- making --- */

static gboolean
fail (GError **error, const char *what, const char *why)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", what, why);
  return FALSE;
}

static GstPad *
get_pad (GstElement *element, const char *name)
{
  GstPad *pad = gst_element_get_static_pad (element, name);

  return pad ? pad : gst_element_request_pad_simple (element, name);
}

static gboolean
link_to (GstPad *from, GstPad *to, const char *what, GError **error)
{
  if (!from || !to || gst_pad_link (from, to) != GST_PAD_LINK_OK)
    return fail (error, what, "cannot be linked");
  return TRUE;
}

/* Takes @from over; returns the pad from which it goes on. */
static GstPad *
add_element (BenchStage *stage, GstPad *from, const BenchElement *element,
    GError **error)
{
  GstElement *made = gst_parse_launch (element->line, error);
  g_autoptr (GstPad) before = from;
  g_autoptr (GstPad) sink = NULL;

  if (!made)
    return NULL;
  stage->elements[stage->n_elements++] = gst_object_ref_sink (made);
  sink = get_pad (made, element->sink);
  if (!link_to (before, sink, element->line, error))
    return NULL;
  gst_element_set_state (made, GST_STATE_PLAYING);
  return get_pad (made, element->src);
}

static void
send_begin (BenchStage *stage, GstCaps *caps)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (stage->src, gst_event_new_stream_start ("bench"));
  gst_pad_push_event (stage->src, gst_event_new_caps (caps));
  gst_pad_push_event (stage->src, gst_event_new_segment (&segment));
}

BenchStage *
bench_stage_new (const BenchElement elements[BENCH_STAGE_MAX], GstCaps *caps,
    GError **error)
{
  g_autoptr (BenchStage) stage = g_new0 (BenchStage, 1);
  GstPad *from;

  stage->src = gst_object_ref_sink (gst_pad_new ("src", GST_PAD_SRC));
  stage->sink = gst_object_ref_sink (gst_pad_new ("sink", GST_PAD_SINK));
  gst_pad_set_element_private (stage->sink, stage);
  gst_pad_set_chain_function (stage->sink, chain);
  gst_pad_set_chain_list_function (stage->sink, chain_list);
  gst_pad_set_event_function (stage->sink, on_event);
  gst_pad_set_active (stage->sink, TRUE);
  from = gst_object_ref (stage->src);
  for (guint i = 0; from && i < BENCH_STAGE_MAX && elements[i].line; i++)
    from = add_element (stage, from, &elements[i], error);
  if (!from && error && !*error)
    fail (error, elements[stage->n_elements - 1].line, "has no such pads");
  if (!from || !link_to (from, stage->sink, "the last pad", error)) {
    gst_clear_object (&from);
    return NULL;
  }
  gst_object_unref (from);
  gst_pad_set_active (stage->src, TRUE);
  send_begin (stage, caps);
  return g_steal_pointer (&stage);
}

void
bench_stage_free (BenchStage *stage)
{
  for (guint i = 0; i < stage->n_elements; i++) {
    gst_element_set_state (stage->elements[i], GST_STATE_NULL);
    gst_object_unref (stage->elements[i]);
  }
  gst_object_unref (stage->src);
  gst_object_unref (stage->sink);
  g_clear_pointer (&stage->kept, g_ptr_array_unref);
  gst_clear_caps (&stage->caps);
  g_free (stage);
}

/* --- pushing --- */

static GstBufferList *
make_list (GPtrArray *buffers, guint begin, guint n)
{
  GstBufferList *list = gst_buffer_list_new_sized (n);

  for (guint i = begin; i < begin + n; i++)
    gst_buffer_list_add (list, g_steal_pointer (&buffers->pdata[i]));
  return list;
}

/* All lists, or buffers, before the time is taken. */
static GPtrArray *
make_lists (GPtrArray *buffers, guint list)
{
  GPtrArray *lists = g_ptr_array_new ();

  for (guint i = 0; i < buffers->len; i += list)
    g_ptr_array_add (lists, make_list (buffers, i, MIN (list,
                buffers->len - i)));
  return lists;
}

static GstFlowReturn
push (BenchStage *stage, GPtrArray *things, guint list, GArray *latencies)
{
  GstFlowReturn flow = GST_FLOW_OK;
  double last = get_time (CLOCK_MONOTONIC), now, latency;

  for (guint i = 0; flow == GST_FLOW_OK && i < things->len; i++) {
    flow = list > 1 ? gst_pad_push_list (stage->src, things->pdata[i])
        : gst_pad_push (stage->src, things->pdata[i]);
    things->pdata[i] = NULL;
    now = get_time (CLOCK_MONOTONIC);
    latency = (now - last) / 1e3;
    g_array_append_val (latencies, latency);
    last = now;
  }
  return flow;
}

gboolean
bench_stage_push (BenchStage *stage, GPtrArray *buffers, guint list, double *ns,
    GArray *latencies, GError **error)
{
  g_autoptr (GPtrArray) things = list > 1 ? make_lists (buffers, list)
      : g_ptr_array_ref (buffers);
  double began = get_time (CLOCK_THREAD_CPUTIME_ID);
  GstFlowReturn flow = push (stage, things, list, latencies);

  *ns += get_time (CLOCK_THREAD_CPUTIME_ID) - began;
  if (flow == GST_FLOW_OK)
    return TRUE;
  return fail (error, "data were not taken", gst_flow_get_name (flow));
}

void
bench_stage_keep (BenchStage *stage)
{
  stage->kept =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
}

GPtrArray *
bench_stage_take (BenchStage *stage)
{
  GPtrArray *kept = stage->kept;

  bench_stage_keep (stage);
  return kept;
}

GstCaps *
bench_stage_dup_caps (BenchStage *stage)
{
  return stage->caps ? gst_caps_ref (stage->caps) : NULL;
}

guint64
bench_stage_get_n_out (const BenchStage *stage)
{
  return stage->n_out;
}
