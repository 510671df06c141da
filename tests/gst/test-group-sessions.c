/* bravisgroupsink and bravisgroupsrc with real sessions: peers in one process,
 * over UDP on this machine */
#include "test-media.h"

#include "../../gst/gstbravisgroupsink.h"
#include "../../gst/gstbravisgroupsrc.h"
#include "../../keymgmt/bravis-processor.h"
#include "../keymgmt/test-pki.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define N_PEERS 3

static const char *const names[N_PEERS] = { "alice", "bob", "carol" };

typedef struct {
  TestPki *pki;
  guint16 ports[N_PEERS];
  char *configs[N_PEERS];
} World;

/* Ports that nobody has at the moment. */
static void
find_ports (World *world)
{
  GSocket *sockets[N_PEERS];

  for (guint i = 0; i < N_PEERS; i++) {
    g_autoptr (GInetAddress) loopback =
        g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
    g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
    g_autoptr (GSocketAddress) bound = NULL;

    sockets[i] = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
        G_SOCKET_PROTOCOL_UDP, NULL);
    g_assert_true (g_socket_bind (sockets[i], any, FALSE, NULL));
    bound = g_socket_get_local_address (sockets[i], NULL);
    world->ports[i] =
        g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  }
  for (guint i = 0; i < N_PEERS; i++)
    g_object_unref (sockets[i]);
}

static void
write_config (World *world, guint peer, const char *invite)
{
  GString *text = g_string_new (NULL);
  g_autofree char *file = g_strconcat (names[peer], ".conf", NULL);

  g_string_append_printf (text, "[identity]\ncertificate=%s.pem\nkey=%s-key.pem\n"
      "trust=%s\n[group]\nconference=test\nlisten=127.0.0.1:%u\n", names[peer],
      names[peer], test_pki_get_trust_file (world->pki), world->ports[peer]);
  if (invite)
    g_string_append_printf (text, "invite=%s\n", invite);
  g_string_append (text, "[peers]\n");
  for (guint i = 0; i < N_PEERS; i++) {
    if (i != peer)
      g_string_append_printf (text, "%s@example.org=127.0.0.1:%u\n", names[i],
          world->ports[i]);
  }
  world->configs[peer] = g_build_filename
      (test_pki_get_directory (world->pki), file, NULL);
  g_assert_true (g_file_set_contents (world->configs[peer], text->str, -1, NULL));
  g_string_free (text, TRUE);
}

static World *
world_new (const char *invited_by_alice)
{
  World *world = g_new0 (World, 1);

  world->pki = test_pki_new ();
  find_ports (world);
  for (guint i = 0; i < N_PEERS; i++)
    test_pki_make_files (world->pki, names[i], TEST_PKI_GOOD);
  write_config (world, 0, invited_by_alice);
  write_config (world, 1, NULL);
  write_config (world, 2, NULL);
  return world;
}

static void
world_free (World *world)
{
  for (guint i = 0; i < N_PEERS; i++) {
    g_unlink (world->configs[i]);
    g_free (world->configs[i]);
  }
  test_pki_free (world->pki);
  g_free (world);
}

static Sender *
sender_new (World *world, guint peer)
{
  return sender_new_with (GST_TYPE_BRAVIS_GROUP_SINK, "config",
      world->configs[peer]);
}

static Receiver *
receiver_new (World *world, guint peer)
{
  return receiver_new_with (GST_TYPE_BRAVIS_GROUP_SRC, "config",
      world->configs[peer]);
}

static void
wait_members (GstElement *pipeline, guint n)
{
  guint members = 0;

  while (members != n) {
    g_autoptr (GstMessage) message =
        wait_element_message (pipeline, "bravis-epoch");
    const GValue *value = gst_structure_get_value
        (gst_message_get_structure (message), "members");

    members = gst_value_array_get_size (value);
  }
}

static void
flush_bus (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_bus_set_flushing (bus, TRUE);
  gst_bus_set_flushing (bus, FALSE);
}

/* The number of the first frame of @source that is sent under what @pipeline has
 * now: one frame to find out. */
static guint
begin (Sender *sender, guint source)
{
  guint first = sender->frames[source];

  sender_send (sender, source, 100);
  wait_stat (sender->sink, "frames", first + 1);
  return first;
}

static void
test_three_peers_meet_talk_and_part (void)
{
  World *world = world_new ("bob@example.org;carol@example.org");
  Sender *alice = sender_new (world, 0), *bob = sender_new (world, 1);
  Receiver *at_alice = receiver_new (world, 0);
  Receiver *at_bob = receiver_new (world, 1);
  Receiver *at_carol = receiver_new (world, 2);
  guint from_alice = sender_add (alice, "video_0", H264);
  guint from_bob = sender_add (bob, "audio_0", OPUS);
  g_autoptr (GstMessage) left = NULL;
  guint first;

  receiver_play (at_bob);
  sender_play (bob);
  receiver_play (at_carol);
  receiver_play (at_alice);
  sender_play (alice);
  wait_members (alice->pipeline, 3);
  wait_members (at_bob->pipeline, 3);
  wait_members (at_carol->pipeline, 3);

  first = begin (alice, from_alice);
  begin (bob, from_bob);
  for (guint i = 0; i < 50; i++) {
    sender_send (alice, from_alice, 100 * i);
    sender_send (bob, from_bob, 50 + i);
  }
  assert_frames (wait_branch (at_bob, "video_0"), alice, from_alice, first);
  assert_frames (wait_branch (at_carol, "video_0"), alice, from_alice, first);
  assert_frames (wait_branch (at_alice, "audio_0"), bob, from_bob, 0);
  assert_frames (wait_branch (at_carol, "audio_0"), bob, from_bob, 0);

  sender_free (bob);
  receiver_free (at_bob);
  left = wait_element_message (alice->pipeline, "bravis-member-left");
  g_assert_cmpstr (gst_structure_get_string (gst_message_get_structure (left),
          "name"), ==, "bob@example.org");
  g_assert_cmpstr (gst_structure_get_string (gst_message_get_structure (left),
          "reason"), ==, "left");
  assert_eos (wait_branch (at_alice, "audio_0"));
  assert_eos (wait_branch (at_carol, "audio_0"));

  first = alice->frames[from_alice];
  for (guint i = 0; i < 50; i++)
    sender_send (alice, from_alice, 100 * i);
  assert_frames (wait_branch (at_carol, "video_0"), alice, from_alice, first);
  sender_free (alice);
  receiver_free (at_alice);
  receiver_free (at_carol);
  world_free (world);
}

static void
test_eos_leaves_the_conference (void)
{
  World *world = world_new ("bob@example.org");
  Sender *alice = sender_new (world, 0);
  Receiver *at_bob = receiver_new (world, 1);
  guint video = sender_add (alice, "video_0", H264);
  g_autoptr (GstMessage) left = NULL;

  receiver_play (at_bob);
  sender_play (alice);
  wait_members (at_bob->pipeline, 2);
  wait_members (alice->pipeline, 2);
  begin (alice, video);
  wait_branch (at_bob, "video_0");
  gst_element_send_event (at_bob->pipeline, gst_event_new_eos ());
  left = wait_element_message (alice->pipeline, "bravis-member-left");
  assert_frames (wait_branch (at_bob, "video_0"), alice, video, 0);
  assert_eos (wait_branch (at_bob, "video_0"));
  sender_free (alice);
  receiver_free (at_bob);
  world_free (world);
}

static void
test_peer_that_does_not_answer_is_said (void)
{
  World *world = world_new ("bob@example.org");
  Receiver *alice = receiver_new (world, 0);
  g_autoptr (GstMessage) message = NULL;

  receiver_play (alice);
  message = wait_element_message (alice->pipeline, "bravis-unreachable");
  g_assert_cmpstr (gst_structure_get_string (gst_message_get_structure (message),
          "name"), ==, "bob@example.org");
  receiver_free (alice);
  world_free (world);
}

/* That READY fails, with an error that says @part. */
static void
assert_not_ready (GType type, const char *config, const char *part)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  GstElement *element = gst_object_ref_sink (g_object_new (type, "config", config,
          NULL));

  gst_element_set_bus (element, bus);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_READY), ==,
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, part));
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
}

static void
assert_neither_ready (const char *config, const char *part)
{
  assert_not_ready (GST_TYPE_BRAVIS_GROUP_SINK, config, part);
  assert_not_ready (GST_TYPE_BRAVIS_GROUP_SRC, config, part);
}

static void
test_what_is_wrong_with_the_configuration_is_said (void)
{
  World *world = world_new (NULL);
  g_autofree char *key = g_strdup (test_pki_file (world->pki, "bob", "-key.pem"));
  g_autofree char *address = g_strdup_printf ("127.0.0.1:%u", world->ports[0]);
  Receiver *alice;

  assert_neither_ready ("/nowhere/alice.conf", "/nowhere/alice.conf");
  g_assert_cmpint (g_unlink (key), ==, 0);
  assert_neither_ready (world->configs[1], key);

  /* Carol wants the port that Alice has. */
  alice = receiver_new (world, 0);
  receiver_play (alice);
  world->ports[2] = world->ports[0];
  g_free (world->configs[2]);
  write_config (world, 2, NULL);
  assert_neither_ready (world->configs[2], address);
  receiver_free (alice);
  world_free (world);
}

static void
test_stops_in_any_state (void)
{
  static const GstState states[] = {
    GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING
  };
  World *world = world_new ("bob@example.org");

  for (guint i = 0; i < 3 * 3; i++) {
    Sender *alice = sender_new (world, 0);
    Receiver *bob = receiver_new (world, 1);
    guint video = sender_add (alice, "video_0", H264);

    gst_element_set_state (bob->pipeline, states[i % 3]);
    gst_element_set_state (alice->pipeline, states[i / 3]);
    for (guint n = 0; n < 20 && states[i / 3] > GST_STATE_READY; n++)
      sender_send (alice, video, 3000);
    if (i % 2)
      receiver_free (bob);
    sender_free (alice);
    if (!(i % 2))
      receiver_free (bob);
  }
  world_free (world);
}

static void
assert_talk (Sender *alice, guint video, Receiver *at_bob)
{
  guint first;

  wait_members (alice->pipeline, 2);
  wait_members (at_bob->pipeline, 2);
  first = begin (alice, video);
  for (guint i = 0; i < 20; i++)
    sender_send (alice, video, 100 * i);
  assert_frames (wait_branch (at_bob, "video_0"), alice, video, first);
}

/* The last release stopped the session: another takes its place. */
static void
check_plays_again_from (GstState state)
{
  World *world = world_new ("bob@example.org");
  Sender *alice = sender_new (world, 0);
  Receiver *at_bob = receiver_new (world, 1);
  guint video = sender_add (alice, "video_0", H264);

  for (guint i = 0; i < 3; i++) {
    receiver_play (at_bob);
    sender_play (alice);
    assert_talk (alice, video, at_bob);
    gst_element_set_state (alice->pipeline, state);
    gst_element_set_state (at_bob->pipeline, state);
    wait_removed (at_bob, wait_branch (at_bob, "video_0"));
    g_ptr_array_set_size (at_bob->branches, 0);
    flush_bus (alice->pipeline);
    flush_bus (at_bob->pipeline);
  }
  sender_free (alice);
  receiver_free (at_bob);
  world_free (world);
}

static void
test_plays_again_from_ready (void)
{
  check_plays_again_from (GST_STATE_READY);
}

static void
test_plays_again_from_null (void)
{
  check_plays_again_from (GST_STATE_NULL);
}

/* One that is READY has found the session, but does not hold it yet. */
static void
test_plays_after_another_stopped_the_session (void)
{
  World *world = world_new ("bob@example.org");
  Sender *alice = sender_new (world, 0);
  Receiver *at_alice = receiver_new (world, 0);
  Receiver *at_bob = receiver_new (world, 1);
  guint video = sender_add (alice, "video_0", H264);

  gst_element_set_state (alice->pipeline, GST_STATE_READY);
  receiver_play (at_alice);
  receiver_free (at_alice);
  receiver_play (at_bob);
  sender_play (alice);
  assert_talk (alice, video, at_bob);
  sender_free (alice);
  receiver_free (at_bob);
  world_free (world);
}

/* In the processor's place, from outside. */
gboolean __wrap_bravis_processor_has_aes (void);

gboolean
__wrap_bravis_processor_has_aes (void)
{
  return FALSE;
}

static void
test_auto_is_settled_by_who_begins_and_said_to_all (void)
{
  World *world = world_new ("bob@example.org");
  g_autofree char *text = NULL, *with_policy = NULL;
  g_autoptr (GstMessage) message = NULL;
  const GstStructure *epoch;
  Receiver *alice, *bob;

  g_assert_true (g_file_get_contents (world->configs[0], &text, NULL, NULL));
  with_policy = g_strconcat (text, "[policy]\nvideo=auto\n", NULL);
  g_assert_true (g_file_set_contents (world->configs[0], with_policy, -1, NULL));
  alice = receiver_new (world, 0);
  bob = receiver_new (world, 1);
  receiver_play (bob);
  receiver_play (alice);
  message = wait_element_message (bob->pipeline, "bravis-epoch");
  epoch = gst_message_get_structure (message);
  g_assert_cmpstr (gst_structure_get_string (epoch, "video"), ==,
      "chacha20-poly1305");
  g_assert_cmpstr (gst_structure_get_string (epoch, "audio"), ==, "aes-128-gcm");
  receiver_free (alice);
  receiver_free (bob);
  world_free (world);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gst/group-sessions/" #name, test_##name)
  ADD (three_peers_meet_talk_and_part);
  ADD (eos_leaves_the_conference);
  ADD (peer_that_does_not_answer_is_said);
  ADD (what_is_wrong_with_the_configuration_is_said);
  ADD (stops_in_any_state);
  ADD (plays_again_from_ready);
  ADD (plays_again_from_null);
  ADD (plays_after_another_stopped_the_session);
  ADD (auto_is_settled_by_who_begins_and_said_to_all);
#undef ADD
  return g_test_run ();
}
