/* What gst-rtsp-server serves on loopback is protected before it, and opened by who
 * has the key: closed frames in rtpgstpay, and RTP packets whose payloads are closed. */
#include <gst/rtsp-server/rtsp-server.h>

#define KEY "000102030405060708090a0b0c0d0e0f"
#define OTHER_KEY "f00102030405060708090a0b0c0d0e0f"
#define N_BUFFERS 30
#define VIDEO "videotestsrc is-live=true pattern=snow ! video/x-raw,width=64,height=64," \
    "framerate=100/1 ! x264enc tune=zerolatency key-int-max=10 "

typedef struct {
  GstRTSPMediaFactory *(*new_factory) (void);
  const char *played;
} Way;

/* Buffers come in other threads. */
typedef struct {
  gint enough, over;            /* has come; the server's pipeline is stopped */
  GMutex lock;
  GPtrArray *sent;              /* of GstBuffer: into bravisencrypt */
  GPtrArray *opened;            /* out of bravisdecrypt */
  guint n_arrived;              /* at bravisdecrypt */
} World;

static gboolean
keep_one (GstBuffer **buffer, guint index, gpointer kept)
{
  g_ptr_array_add (kept, gst_buffer_copy_deep (*buffer));
  return TRUE;
}

static void
keep (World *world, GPtrArray *kept, GstPadProbeInfo *info)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&world->lock);
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    gst_buffer_list_foreach (GST_PAD_PROBE_INFO_BUFFER_LIST (info), keep_one, kept);
  else
    keep_one (&buffer, 0, kept);
}

static GstPadProbeReturn
on_sent (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  World *world = user_data;

  keep (world, world->sent, info);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_opened (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  World *world = user_data;

  keep (world, world->opened, info);
  return GST_PAD_PROBE_OK;
}

static void
set (gint *flag)
{
  g_atomic_int_set (flag, 1);
  g_main_context_wakeup (NULL);
}

/* The server works meanwhile. */
static void
wait_for (gint *flag)
{
  while (!g_atomic_int_get (flag))
    g_main_context_iteration (NULL, TRUE);
}

/* One more than is waited for: those before were dealt with. */
static GstPadProbeReturn
on_arrived (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  World *world = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&world->lock);

  if (++world->n_arrived > N_BUFFERS)
    set (&world->enough);
  return GST_PAD_PROBE_OK;
}

static void
watch (GstElement *element, const char *pad_name, GstPadProbeCallback callback,
    World *world)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, pad_name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_BUFFER_LIST, callback, world, NULL);
}

/* Closed frames in a payloader that knows no codec: a line is enough. */

static GstRTSPMediaFactory *
new_factory_of_frames (void)
{
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new ();

  gst_rtsp_media_factory_set_launch (factory, "( " VIDEO
      "! bravisencrypt name=encrypt key=" KEY " ! rtpgstpay name=pay0 pt=96 )");
  return factory;
}

/* Closed packets: the server asks what is called pay0 for the properties of a
 * payloader, and finds one in a bin. */

G_DECLARE_FINAL_TYPE (PacketFactory, packet_factory, PACKET, FACTORY,
    GstRTSPMediaFactory)

struct _PacketFactory {
  GstRTSPMediaFactory parent;
};

G_DEFINE_FINAL_TYPE (PacketFactory, packet_factory, GST_TYPE_RTSP_MEDIA_FACTORY)

static GstElement *
packet_factory_create_element (GstRTSPMediaFactory *factory,
    const GstRTSPUrl *url)
{
  GstElement *top = gst_bin_new (NULL);
  GstElement *source = gst_parse_bin_from_description (VIDEO, TRUE, NULL);
  GstElement *pay = gst_parse_bin_from_description ("rtph264pay pt=96 "
      "config-interval=-1 ! bravisencrypt name=encrypt key=" KEY, TRUE, NULL);

  gst_object_set_name (GST_OBJECT (pay), "pay0");
  gst_bin_add_many (GST_BIN (top), source, pay, NULL);
  g_assert_true (gst_element_link (source, pay));
  return top;
}

static void
packet_factory_init (PacketFactory *factory)
{
}

static void
packet_factory_class_init (PacketFactoryClass *klass)
{
  GST_RTSP_MEDIA_FACTORY_CLASS (klass)->create_element =
      packet_factory_create_element;
}

static GstRTSPMediaFactory *
new_factory_of_packets (void)
{
  return g_object_new (packet_factory_get_type (), NULL);
}

static const Way frames = {
  new_factory_of_frames,
  "rtpgstdepay ! bravisdecrypt name=decrypt ! fakesink sync=false"
};
static const Way packets = {
  new_factory_of_packets,
  "bravisdecrypt name=decrypt ! fakesink sync=false"
};

static void
on_unprepared (GstRTSPMedia *media, World *world)
{
  set (&world->over);
}

static void
on_media (GstRTSPMediaFactory *factory, GstRTSPMedia *media, World *world)
{
  g_autoptr (GstElement) top = gst_rtsp_media_get_element (media);
  g_autoptr (GstElement) encrypt = gst_bin_get_by_name (GST_BIN (top), "encrypt");

  watch (encrypt, "sink", on_sent, world);
  g_signal_connect (media, "unprepared", G_CALLBACK (on_unprepared), world);
}

static GstRTSPServer *
serve (World *world, GstRTSPMediaFactory *factory)
{
  GstRTSPServer *server = gst_rtsp_server_new ();
  g_autoptr (GstRTSPMountPoints) mounts = gst_rtsp_server_get_mount_points (server);

  gst_rtsp_media_factory_set_shared (factory, TRUE);
  g_signal_connect (factory, "media-configure", G_CALLBACK (on_media), world);
  gst_rtsp_mount_points_add_factory (mounts, "/talk", factory);
  gst_rtsp_server_set_address (server, "127.0.0.1");
  gst_rtsp_server_set_service (server, "0");
  g_assert_cmpuint (gst_rtsp_server_attach (server, NULL), >, 0);
  return server;
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

/* Plays what @server has until more than N_BUFFERS have come. */
static GstElement *
play (World *world, GstRTSPServer *server, const char *played, const char *key)
{
  g_autofree char *line = g_strdup_printf ("rtspsrc protocols=tcp latency=0 "
      "location=rtsp://127.0.0.1:%d/talk ! %s",
      gst_rtsp_server_get_bound_port (server), played);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) decrypt = NULL;
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  g_assert_no_error (error);
  decrypt = gst_bin_get_by_name (GST_BIN (pipeline), "decrypt");
  g_object_set (decrypt, "key", key, NULL);
  watch (decrypt, "sink", on_arrived, world);
  watch (decrypt, "src", on_opened, world);
  gst_bus_add_watch (bus, on_message, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_for (&world->enough);
  return pipeline;
}

static gboolean
is_same (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;
  gboolean same;

  gst_buffer_map (a, &map, GST_MAP_READ);
  same = gst_buffer_get_size (b) == map.size
      && gst_buffer_memcmp (b, 0, map.data, map.size) == 0;
  gst_buffer_unmap (a, &map);
  return same;
}

/* Each as it was sent, in that order, and none left out between the first and the last
 * that came. */
static void
assert_opened_is_what_was_sent (World *world)
{
  guint first = 0;

  g_assert_cmpuint (world->opened->len, >=, N_BUFFERS);
  while (first < world->sent->len
      && !is_same (world->sent->pdata[first], world->opened->pdata[0]))
    first++;
  g_assert_cmpuint (first + world->opened->len, <=, world->sent->len);
  for (guint i = 0; i < world->opened->len; i++)
    g_assert_true (is_same (world->sent->pdata[first + i],
            world->opened->pdata[i]));
}

static void
assert_nothing_was_opened (World *world, GstElement *pipeline)
{
  g_autoptr (GstElement) decrypt = gst_bin_get_by_name (GST_BIN (pipeline), "decrypt");
  g_autoptr (GstStructure) stats = NULL;
  guint64 forged = 0;

  g_object_get (decrypt, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "forged", &forged);
  g_assert_cmpuint (forged, >=, N_BUFFERS);
  g_assert_cmpuint (world->opened->len, ==, 0);
}

static void
stop (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  gst_object_unref (pipeline);
}

static GstRTSPFilterResult
remove_client (GstRTSPServer *server, GstRTSPClient *client, gpointer user_data)
{
  return GST_RTSP_FILTER_REMOVE;
}

static void
run (const Way *way, const char *key, gboolean opens)
{
  World world = { 0 };
  GstRTSPServer *server;
  GstElement *pipeline;

  g_mutex_init (&world.lock);
  world.sent = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  world.opened = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  server = serve (&world, way->new_factory ());
  pipeline = play (&world, server, way->played, key);
  gst_element_set_state (pipeline, GST_STATE_READY);
  g_mutex_lock (&world.lock);
  if (opens)
    assert_opened_is_what_was_sent (&world);
  else
    assert_nothing_was_opened (&world, pipeline);
  g_mutex_unlock (&world.lock);
  stop (pipeline);
  wait_for (&world.over);
  gst_rtsp_server_client_filter (server, remove_client, NULL);
  g_object_unref (server);
  g_ptr_array_unref (world.sent);
  g_ptr_array_unref (world.opened);
  g_mutex_clear (&world.lock);
}

static void
test_closed_frames_are_served (void)
{
  run (&frames, KEY, TRUE);
}

static void
test_closed_frames_stay_closed_without_the_key (void)
{
  run (&frames, OTHER_KEY, FALSE);
}

static void
test_closed_packets_are_served (void)
{
  run (&packets, KEY, TRUE);
}

static void
test_closed_packets_stay_closed_without_the_key (void)
{
  run (&packets, OTHER_KEY, FALSE);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gst/rtsp/" #name, test_##name)
  ADD (closed_frames_are_served);
  ADD (closed_frames_stay_closed_without_the_key);
  ADD (closed_packets_are_served);
  ADD (closed_packets_stay_closed_without_the_key);
#undef ADD
  return g_test_run ();
}
