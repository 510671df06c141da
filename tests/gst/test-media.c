#include "test-media.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <string.h>

#define TIMEOUT (20 * G_USEC_PER_SEC)

static GstPadProbeReturn
count_key_unit_requests (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  if (gst_video_event_is_force_key_unit (GST_PAD_PROBE_INFO_EVENT (info)))
    g_atomic_int_inc ((gint *) data);
  return GST_PAD_PROBE_OK;
}

Sender *
sender_new_with (GType type, const char *property, gpointer value)
{
  Sender *sender = g_new0 (Sender, 1);

  sender->pipeline = gst_pipeline_new (NULL);
  sender->sink = g_object_new (type, "sync", FALSE, property, value, NULL);
  gst_bin_add (GST_BIN (sender->pipeline), sender->sink);
  return sender;
}

guint
sender_add (Sender *sender, const char *pad_name, const char *caps_text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
  g_autoptr (GstPad) src = NULL, sink = NULL;
  guint i = sender->n_sources++;

  sender->source[i] = gst_element_factory_make ("appsrc", NULL);
  g_object_set (sender->source[i], "caps", caps, "format", GST_FORMAT_TIME,
      "max-bytes", (guint64) 0, NULL);
  gst_bin_add (GST_BIN (sender->pipeline), sender->source[i]);
  sink = gst_element_request_pad_simple (sender->sink, pad_name);
  g_assert_nonnull (sink);
  src = gst_element_get_static_pad (sender->source[i], "src");
  g_assert_cmpint (gst_pad_link (src, sink), ==, GST_PAD_LINK_OK);
  gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      count_key_unit_requests, &sender->key_unit_requests, NULL);
  sender->sent[i] = g_ptr_array_new_with_free_func
      ((GDestroyNotify) g_bytes_unref);
  return i;
}

void
sender_play (Sender *sender)
{
  g_assert_cmpint (gst_element_set_state (sender->pipeline, GST_STATE_PLAYING),
      !=, GST_STATE_CHANGE_FAILURE);
}

/* A frame of @size octets that no other frame has; every 10th is a key unit. */
void
sender_send (Sender *sender, guint source, gsize size)
{
  guint number = sender->frames[source]++;
  guint8 *data = g_malloc (MAX (size, 1));
  GstBuffer *buffer;
  GstFlowReturn flow;

  for (gsize i = 0; i < size; i++)
    data[i] = i * 31 + number * 7 + (i >> 8) + source;
  g_ptr_array_add (sender->sent[source], g_bytes_new (data, size));
  buffer = gst_buffer_new_wrapped (data, size);
  GST_BUFFER_PTS (buffer) = number * 20 * GST_MSECOND;
  if (number % 10 != 0)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  flow = gst_app_src_push_buffer (GST_APP_SRC (sender->source[source]), buffer);
  g_assert_cmpint (flow, ==, GST_FLOW_OK);
}

guint64
get_stat (GstElement *element, const char *name)
{
  GstStructure *stats;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  gst_structure_free (stats);
  return value;
}

void
wait_stat (GstElement *element, const char *name, guint64 at_least)
{
  gint64 deadline = g_get_monotonic_time () + TIMEOUT;

  while (get_stat (element, name) < at_least) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (1000);
  }
}

void
sender_free (Sender *sender)
{
  gst_element_set_state (sender->pipeline, GST_STATE_NULL);
  gst_object_unref (sender->pipeline);
  for (guint i = 0; i < sender->n_sources; i++)
    g_ptr_array_unref (sender->sent[i]);
  g_free (sender);
}

static void
branch_free (gpointer data)
{
  Branch *branch = data;

  g_free (branch->name);
  g_free (branch);
}

static void
pad_added (GstElement *element, GstPad *pad, Receiver *receiver)
{
  Branch *branch = g_new0 (Branch, 1);
  g_autoptr (GstPad) sink = NULL;

  branch->name = gst_pad_get_name (pad);
  if (g_strcmp0 (receiver->unlinked, branch->name) != 0) {
    branch->sink = gst_element_factory_make ("appsink", NULL);
    g_object_set (branch->sink, "sync", FALSE, "async", FALSE, "wait-on-eos",
        FALSE, NULL);
    gst_bin_add (GST_BIN (receiver->pipeline), branch->sink);
    gst_element_sync_state_with_parent (branch->sink);
    sink = gst_element_get_static_pad (branch->sink, "sink");
    g_assert_cmpint (gst_pad_link (pad, sink), ==, GST_PAD_LINK_OK);
  }
  g_mutex_lock (&receiver->lock);
  g_ptr_array_add (receiver->branches, branch);
  g_cond_broadcast (&receiver->cond);
  g_mutex_unlock (&receiver->lock);
}

static Branch *
find_branch (Receiver *receiver, const char *name)
{
  for (guint i = 0; i < receiver->branches->len; i++) {
    Branch *branch = g_ptr_array_index (receiver->branches, i);

    if (g_str_equal (branch->name, name))
      return branch;
  }
  return NULL;
}

static void
pad_removed (GstElement *element, GstPad *pad, Receiver *receiver)
{
  g_mutex_lock (&receiver->lock);
  find_branch (receiver, GST_PAD_NAME (pad))->removed = TRUE;
  g_cond_broadcast (&receiver->cond);
  g_mutex_unlock (&receiver->lock);
}

Receiver *
receiver_new_with (GType type, const char *property, gpointer value)
{
  Receiver *receiver = g_new0 (Receiver, 1);

  g_mutex_init (&receiver->lock);
  g_cond_init (&receiver->cond);
  receiver->branches = g_ptr_array_new_with_free_func (branch_free);
  receiver->pipeline = gst_pipeline_new (NULL);
  receiver->source = g_object_new (type, "latency", 50, property, value, NULL);
  gst_bin_add (GST_BIN (receiver->pipeline), receiver->source);
  g_signal_connect (receiver->source, "pad-added", G_CALLBACK (pad_added),
      receiver);
  g_signal_connect (receiver->source, "pad-removed", G_CALLBACK (pad_removed),
      receiver);
  return receiver;
}

void
receiver_play (Receiver *receiver)
{
  g_assert_cmpint (gst_element_set_state (receiver->pipeline,
          GST_STATE_PAUSED), ==, GST_STATE_CHANGE_NO_PREROLL);
  g_assert_cmpint (gst_element_set_state (receiver->pipeline,
          GST_STATE_PLAYING), !=, GST_STATE_CHANGE_FAILURE);
}

Branch *
wait_branch (Receiver *receiver, const char *name)
{
  gint64 deadline = g_get_monotonic_time () + TIMEOUT;
  Branch *branch;

  g_mutex_lock (&receiver->lock);
  while (!(branch = find_branch (receiver, name)))
    g_assert_true (g_cond_wait_until (&receiver->cond, &receiver->lock,
            deadline));
  g_mutex_unlock (&receiver->lock);
  return branch;
}

void
wait_removed (Receiver *receiver, Branch *branch)
{
  gint64 deadline = g_get_monotonic_time () + TIMEOUT;

  g_mutex_lock (&receiver->lock);
  while (!branch->removed)
    g_assert_true (g_cond_wait_until (&receiver->cond, &receiver->lock,
            deadline));
  g_mutex_unlock (&receiver->lock);
}

GstSample *
branch_pull (Branch *branch)
{
  GstSample *sample = gst_app_sink_try_pull_sample (GST_APP_SINK (branch->sink),
      20 * GST_SECOND);

  g_assert_nonnull (sample);
  return sample;
}

void
assert_frame (GstSample *sample, GBytes *expected)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_assert_cmpmem (map.data, map.size, g_bytes_get_data (expected, NULL),
      g_bytes_get_size (expected));
  gst_buffer_unmap (buffer, &map);
}

/* The frames from @first to all that were sent come next. */
void
assert_frames (Branch *branch, Sender *sender, guint source, guint first)
{
  for (guint i = first; i < sender->sent[source]->len; i++) {
    g_autoptr (GstSample) sample = branch_pull (branch);

    assert_frame (sample, g_ptr_array_index (sender->sent[source], i));
  }
}

void
assert_eos (Branch *branch)
{
  g_assert_null (gst_app_sink_try_pull_sample (GST_APP_SINK (branch->sink),
          20 * GST_SECOND));
  g_assert_true (gst_app_sink_is_eos (GST_APP_SINK (branch->sink)));
}

void
receiver_free (Receiver *receiver)
{
  gst_element_set_state (receiver->pipeline, GST_STATE_NULL);
  gst_object_unref (receiver->pipeline);
  g_ptr_array_unref (receiver->branches);
  g_mutex_clear (&receiver->lock);
  g_cond_clear (&receiver->cond);
  g_free (receiver);
}

GstMessage *
wait_message (GstElement *pipeline, GstMessageType type)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, type);

  g_assert_nonnull (message);
  return message;
}

GstMessage *
wait_element_message (GstElement *pipeline, const char *name)
{
  for (;;) {
    GstMessage *message = wait_message (pipeline, GST_MESSAGE_ELEMENT);

    if (gst_message_has_name (message, name))
      return message;
    gst_message_unref (message);
  }
}

void
wait_key_unit_requests (Sender *sender, gint at_least)
{
  gint64 deadline = g_get_monotonic_time () + TIMEOUT;

  while (g_atomic_int_get (&sender->key_unit_requests) < at_least) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (1000);
  }
}
