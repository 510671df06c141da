/* bravisencrypt and bravisdecrypt under the keys of live sessions: two peers in one
 * process, over the loopback interface. */
#include <string.h>
#include <gio/gio.h>
#include <gst/check/gstharness.h>
#include <gst/gst.h>

#include "../keymgmt/test-pki.h"

#define PATIENCE (30 * G_TIME_SPAN_SECOND)
#define TEXT "the quick brown fox jumps over the lazy dog"
#define H264 "video/x-h264,stream-format=avc,alignment=au"
#define RTP "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264," \
    "payload=96"

/* alice has invited bob; the elements hold their sessions. */
typedef struct {
  TestPki *pki;
  char *alice;                  /* configuration files */
  char *bob;
  GstHarness *encrypt;          /* alice's */
  GstHarness *decrypt;          /* bob's */
  GstBus *bus;                  /* of @decrypt */
  guint16 sequence;
} World;

static guint16
find_free_port (void)
{
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) bound = NULL;

  g_assert_true (g_socket_bind (socket, any, FALSE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

static char *
write_config (World *world, const char *name, guint16 port, const char *more)
{
  const char *trust = test_pki_get_trust_file (world->pki);
  g_autofree char *text = NULL;
  char *file;

  test_pki_make_files (world->pki, name, TEST_PKI_GOOD);
  text = g_strdup_printf ("[identity]\ncertificate=%s.pem\nkey=%s-key.pem\n"
      "trust=%s\n[group]\nconference=talk\nlisten=127.0.0.1:%u\n%s",
      name, name, trust, port, more);
  file = g_strdup_printf ("%s/%s.conf", test_pki_get_directory (world->pki),
      name);
  g_assert_true (g_file_set_contents (file, text, -1, NULL));
  return file;
}

static GstHarness *
start (const char *element, const char *config, const char *settings)
{
  g_autofree char *line = g_strdup_printf ("%s config=\"%s\" %s", element,
      config, settings);

  return gst_harness_new_parse (line);
}

static void
set_up_with (World *world, const char *settings, const char *caps)
{
  guint16 port = find_free_port ();
  g_autofree char *peers = g_strdup_printf ("invite=bob@example.org\n[peers]\n"
      "bob@example.org=127.0.0.1:%u\n", port);
  g_autoptr (GstCaps) closed = NULL;

  world->sequence = 0;
  world->pki = test_pki_new ();
  world->bob = write_config (world, "bob", port, "");
  world->alice = write_config (world, "alice", 0, peers);
  world->decrypt = start ("bravisdecrypt", world->bob, settings);
  world->bus = gst_bus_new ();
  gst_element_set_bus (world->decrypt->element, world->bus);
  world->encrypt = start ("bravisencrypt", world->alice, settings);
  gst_harness_set_src_caps_str (world->encrypt, caps);
  closed = gst_pad_get_current_caps (world->encrypt->sinkpad);
  g_assert_nonnull (closed);
  gst_harness_set_src_caps (world->decrypt, g_steal_pointer (&closed));
}

static void
tear_down (World *world)
{
  gst_element_set_bus (world->decrypt->element, NULL);
  gst_object_unref (world->bus);
  gst_harness_teardown (world->encrypt);
  gst_harness_teardown (world->decrypt);
  test_pki_free (world->pki);
  g_free (world->alice);
  g_free (world->bob);
}

static GstBuffer *
make_packet (World *world)
{
  guint16 sequence = world->sequence++;
  guint8 packet[12 + sizeof TEXT] = { 0x80, 96, sequence >> 8, sequence & 0xff,
    0, 0, sequence >> 8, sequence & 0xff, 1, 2, 3, 4
  };

  memcpy (packet + 12, TEXT, sizeof TEXT);
  return gst_buffer_new_memdup (packet, sizeof packet);
}

/* Sends until something comes through: first alice is alone, and has a key that
 * bob does not. What was protected last goes to @closed. */
static GstBuffer *
pass (World *world, GstBuffer **closed)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;
  GstBuffer *out = NULL, *sealed;

  while (out == NULL && g_get_monotonic_time () < deadline) {
    gst_harness_push (world->encrypt, make_packet (world));
    sealed = gst_harness_try_pull (world->encrypt);
    if (sealed) {
      if (closed)
        gst_buffer_replace (closed, sealed);
      gst_harness_push (world->decrypt, gst_buffer_copy_deep (sealed));
      gst_buffer_unref (sealed);
      out = gst_harness_try_pull (world->decrypt);
    }
    if (out == NULL)
      g_usleep (2000);
  }
  g_assert_nonnull (out);
  return out;
}

static gboolean
contains (GstBuffer *buffer, const char *text)
{
  GstMapInfo map;
  gboolean found;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  found = memmem (map.data, map.size, text, strlen (text)) != NULL;
  gst_buffer_unmap (buffer, &map);
  return found;
}

static guint64
drops (GstHarness *harness, const char *reason)
{
  g_autoptr (GstElement) element =
      gst_harness_find_element (harness, "bravisdecrypt");
  g_autoptr (GstStructure) stats = NULL;
  guint64 value;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, reason, &value));
  return value;
}

static void
check_passing (const char *settings, const char *caps)
{
  World world;
  guint i;

  set_up_with (&world, settings, caps);
  for (i = 0; i < 100; i++) {
    g_autoptr (GstBuffer) closed = NULL;
    g_autoptr (GstBuffer) out = pass (&world, &closed);

    g_assert_true (contains (out, TEXT));
    g_assert_false (contains (closed, TEXT));
  }
  tear_down (&world);
}

static void
test_frames_pass_between_members (void)
{
  check_passing ("", H264);
}

static void
test_rtp_passes_between_members (void)
{
  check_passing ("rtp-header-auth=true", RTP);
}

static void
test_srtp_passes_between_members (void)
{
  check_passing ("format=srtp", RTP);
}

static void
check_replay (const char *settings, const char *caps)
{
  g_autoptr (GstBuffer) closed = NULL;
  g_autoptr (GstBuffer) out = NULL;
  const GstStructure *report = NULL;
  GstMessage *message;
  World world;

  set_up_with (&world, settings, caps);
  out = pass (&world, &closed);
  gst_harness_push (world.decrypt, gst_buffer_copy_deep (closed));
  g_assert_null (gst_harness_try_pull (world.decrypt));
  g_assert_cmpuint (drops (world.decrypt, "replayed"), ==, 1);
  while ((message = gst_bus_pop_filtered (world.bus, GST_MESSAGE_ELEMENT))) {
    report = gst_message_get_structure (message);
    if (g_strcmp0 (gst_structure_get_string (report, "reason"), "replayed")
        == 0)
      break;
    gst_message_unref (message);
  }
  g_assert_nonnull (message);
  g_assert_cmpstr (gst_structure_get_string (report, "member"), ==,
      "alice@example.org");
  gst_message_unref (message);
  tear_down (&world);
}

static void
test_replay_is_dropped_and_its_sender_named (void)
{
  check_replay ("", H264);
  check_replay ("format=srtp", RTP);
}

static void
test_own_frame_that_comes_back_is_dropped (void)
{
  g_autoptr (GstBuffer) closed = NULL;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstHarness *own;
  World world;

  set_up_with (&world, "", H264);
  out = pass (&world, &closed);
  own = start ("bravisdecrypt", world.alice, "");
  caps = gst_pad_get_current_caps (world.encrypt->sinkpad);
  gst_harness_set_src_caps (own, g_steal_pointer (&caps));
  gst_harness_push (own, gst_buffer_copy_deep (closed));
  g_assert_null (gst_harness_try_pull (own));
  g_assert_cmpuint (drops (own, "unknown-sender"), ==, 1);
  gst_harness_teardown (own);
  tear_down (&world);
}

static void
test_other_kind_than_wanted_is_dropped (void)
{
  g_autoptr (GstBuffer) closed = NULL;
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstHarness *audio;
  World world;

  set_up_with (&world, "", H264);
  out = pass (&world, &closed);
  audio = start ("bravisdecrypt", world.bob, "media=audio");
  caps = gst_pad_get_current_caps (world.encrypt->sinkpad);
  gst_harness_set_src_caps (audio, g_steal_pointer (&caps));
  gst_harness_push (audio, gst_buffer_copy_deep (closed));
  g_assert_null (gst_harness_try_pull (audio));
  g_assert_cmpuint (drops (audio, "not-allowed"), ==, 1);
  gst_harness_teardown (audio);
  tear_down (&world);
}

/* Which key and algorithm a stream has goes by its kind. */
static void
test_kind_that_caps_do_not_say_must_be_set (void)
{
  g_autoptr (GstCaps) caps =
      gst_caps_new_empty_simple ("application/x-drawing");
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  World world;
  GstHarness *harness;

  set_up_with (&world, "", H264);
  harness = start ("bravisencrypt", world.alice, "");
  gst_element_set_bus (harness->element, world.bus);
  gst_harness_play (harness);
  gst_harness_push_event (harness, gst_event_new_stream_start ("test"));
  gst_harness_push_event (harness, gst_event_new_caps (caps));
  message = gst_bus_pop_filtered (world.bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "set media"));
  gst_element_set_bus (harness->element, NULL);
  gst_harness_teardown (harness);
  tear_down (&world);
}

int
main (int argc, char *argv[])
{
#define ADD(name) g_test_add_func ("/gst/session_elements/" #name, test_##name)
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD (frames_pass_between_members);
  ADD (rtp_passes_between_members);
  ADD (srtp_passes_between_members);
  ADD (replay_is_dropped_and_its_sender_named);
  ADD (own_frame_that_comes_back_is_dropped);
  ADD (other_kind_than_wanted_is_dropped);
  ADD (kind_that_caps_do_not_say_must_be_set);
  return g_test_run ();
}
