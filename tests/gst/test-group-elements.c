/* bravisgroupsink and bravisgroupsrc in one process, over sessions of
 * test-sessions.h */
#include "test-media.h"
#include "test-sessions.h"

#include "../../gst/bravis-outgoing.h"
#include "../../gst/bravis-sframe.h"
#include "../../gst/gstbravisgroupsink.h"
#include "../../gst/gstbravisgroupsrc.h"

#include <gst/video/video.h>
#include <string.h>

#define TIMEOUT (20 * G_USEC_PER_SEC)

static Sender *
sender_new (TestSessions *sessions, guint peer)
{
  return sender_new_with (GST_TYPE_BRAVIS_GROUP_SINK, "session-object",
      test_sessions_session (sessions, peer));
}

static Receiver *
receiver_new (TestSessions *sessions, guint peer)
{
  return receiver_new_with (GST_TYPE_BRAVIS_GROUP_SRC, "session-object",
      test_sessions_session (sessions, peer));
}

/* Frames */

static void
test_frames_come_out_as_they_went_in (void)
{
  static const gsize sizes[] = {
    1, 0, 1137, 1138, 1139, 2276, 2277, 100000, 3, 20000
  };
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);
  guint audio = sender_add (alice, "audio_0", OPUS);

  receiver_play (bob);
  sender_play (alice);
  for (guint i = 0; i < 50; i++) {
    sender_send (alice, video, sizes[i % G_N_ELEMENTS (sizes)]);
    sender_send (alice, audio, 50 + i);
  }
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  assert_frames (wait_branch (bob, "audio_0"), alice, audio, 0);
  g_assert_cmpuint (get_stat (bob->source, "gaps"), ==, 0);
  g_assert_cmpuint (get_stat (bob->source, "misplaced"), ==, 0);
  sender_free (alice);
  receiver_free (bob);
}

/* --- how often a packet is encrypted --- */

#define COUNTED 777             /* octets of the frames that are counted */
#define N_COUNTED 20

static gint n_encrypted, n_sent;

typeof (bravis_sframe_encrypt) __real_bravis_sframe_encrypt;
typeof (bravis_sframe_encrypt) __wrap_bravis_sframe_encrypt;

gboolean
__wrap_bravis_sframe_encrypt (BravisSFrame *sframe, guint64 counter,
    const guint8 *header, gsize header_size, const guint8 *metadata,
    gsize metadata_size, guint8 *payload, gsize size)
{
  if (size == COUNTED + 1)      /* with the octet of the pieces */
    g_atomic_int_inc (&n_encrypted);
  return __real_bravis_sframe_encrypt (sframe, counter, header, header_size,
      metadata, metadata_size, payload, size);
}

static gboolean
count_sent (guint from, guint to, guint8 *data, gsize size, gpointer user_data)
{
  if (size > COUNTED)
    g_atomic_int_inc (&n_sent);
  return TRUE;
}

static void
test_packet_is_encrypted_once_whatever_the_size_of_the_group (void)
{
  for (guint n = 2; n <= 6; n++) {
    g_autoptr (TestSessions) conference = test_sessions_new (n, (1 << n) - 1);
    Sender *alice = sender_new (conference, 0);
    Receiver *bob = receiver_new (conference, 1);
    guint audio = sender_add (alice, "audio_0", OPUS);

    test_sessions_set_pass (conference, count_sent, NULL);
    n_encrypted = n_sent = 0;
    receiver_play (bob);
    sender_play (alice);
    for (guint i = 0; i < N_COUNTED; i++)
      sender_send (alice, audio, COUNTED);
    assert_frames (wait_branch (bob, "audio_0"), alice, audio, 0);
    sender_free (alice);
    receiver_free (bob);
    g_assert_cmpint (n_encrypted, ==, N_COUNTED);
    g_assert_cmpint (n_sent, ==, N_COUNTED * (n - 1));
  }
}

static void
test_pad_says_whose_it_is (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint audio = sender_add (alice, "audio_0", OPUS);
  g_autoptr (GstCaps) sent = gst_caps_from_string (OPUS);
  g_autoptr (GstSample) sample = NULL;
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (GstEvent) event = NULL;
  g_autofree char *id = NULL, *title = NULL;
  GstTagList *tags;
  Branch *branch;

  receiver_play (bob);
  sender_play (alice);
  sender_send (alice, audio, 100);
  branch = wait_branch (bob, "audio_0");
  sample = branch_pull (branch);
  g_assert_true (gst_caps_is_strictly_equal (gst_sample_get_caps (sample), sent));

  pad = gst_element_get_static_pad (branch->sink, "sink");
  id = gst_pad_get_stream_id (pad);
  g_assert_true (g_str_has_prefix (id, "bravis/peer0@example.org/audio/"));
  event = gst_pad_get_sticky_event (pad, GST_EVENT_TAG, 0);
  g_assert_nonnull (event);
  gst_event_parse_tag (event, &tags);
  g_assert_true (gst_tag_list_get_string (tags, GST_TAG_TITLE, &title));
  g_assert_cmpstr (title, ==, "peer0@example.org");
  sender_free (alice);
  receiver_free (bob);
}

static void
test_flags_of_frames_arrive (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);

  receiver_play (bob);
  sender_play (alice);
  for (guint i = 0; i < 21; i++)
    sender_send (alice, video, 2000);
  for (guint i = 0; i < 21; i++) {
    g_autoptr (GstSample) sample = branch_pull (wait_branch (bob, "video_0"));

    g_assert_cmpint (GST_BUFFER_FLAG_IS_SET (gst_sample_get_buffer (sample),
            GST_BUFFER_FLAG_DELTA_UNIT), ==, i % 10 != 0);
  }
  sender_free (alice);
  receiver_free (bob);
}

static void
test_new_caps_come_with_their_first_frame (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", "video/x-vp8, width=(int)0");

  receiver_play (bob);
  sender_play (alice);
  /* More often than there are generations; the announcements come late. */
  for (int width = 0; width < 20; width++) {
    g_autoptr (GstCaps) caps = gst_caps_new_simple ("video/x-vp8", "width",
        G_TYPE_INT, width, NULL);

    test_sessions_delay_announcements (conference, TRUE);
    gst_app_src_set_caps (GST_APP_SRC (alice->source[video]), caps);
    sender_send (alice, video, 1500);
    sender_send (alice, video, 10);
    wait_stat (alice->sink, "frames", 2 * width + 2);
    test_sessions_delay_announcements (conference, FALSE);
    for (guint i = 0; i < 2; i++) {
      g_autoptr (GstSample) sample = branch_pull (wait_branch (bob, "video_0"));

      assert_frame (sample, g_ptr_array_index (alice->sent[video],
              2 * width + i));
      g_assert_true (gst_caps_is_strictly_equal (gst_sample_get_caps (sample),
              caps));
    }
  }
  sender_free (alice);
  receiver_free (bob);
}

static void
test_rtp_comes_out_as_it_went_in (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint audio = sender_add (alice, "audio_0", "application/x-rtp, media="
      "(string)audio, clock-rate=(int)8000, encoding-name=(string)PCMU, "
      "payload=(int)0");
  guint8 packet[172] = { 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 };

  receiver_play (bob);
  sender_play (alice);
  for (guint i = 0; i < 30; i++) {
    GstBuffer *buffer;

    GST_WRITE_UINT16_BE (packet + 2, 65530 + i);
    GST_WRITE_UINT32_BE (packet + 4, 160 * i);
    packet[20] = i;
    buffer = gst_buffer_new_memdup (packet, sizeof packet);
    GST_BUFFER_PTS (buffer) = i * 20 * GST_MSECOND;
    gst_app_src_push_buffer (GST_APP_SRC (alice->source[audio]), buffer);
    g_ptr_array_add (alice->sent[audio], g_bytes_new (packet, sizeof packet));
  }
  assert_frames (wait_branch (bob, "audio_0"), alice, audio, 0);
  sender_free (alice);
  receiver_free (bob);
}

#define PCMU "application/x-rtp, media=(string)audio, clock-rate=(int)8000, " \
    "encoding-name=(string)PCMU, payload=(int)0"

static void
send_rtp (Sender *sender, guint source, guint8 *packet, gsize size,
    guint16 number)
{
  GstBuffer *buffer;

  GST_WRITE_UINT16_BE (packet + 2, number);
  buffer = gst_buffer_new_memdup (packet, size);
  GST_BUFFER_PTS (buffer) = number * GST_MSECOND;
  gst_app_src_push_buffer (GST_APP_SRC (sender->source[source]), buffer);
}

/* Within a frame, where the sender does not look for a new epoch unasked. */
static void
test_frame_goes_on_when_its_epoch_is_closed (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  guint audio = sender_add (alice, "audio_0", PCMU);
  guint8 packet[172] = { 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4 };
  BravisEpoch *epoch;

  sender_play (alice);
  send_rtp (alice, audio, packet, sizeof packet, 1);
  wait_stat (alice->sink, "datagrams", 1);
  epoch = bravis_session_ref_epoch (test_sessions_session (conference, 0));
  test_sessions_change (conference, 3, 0);
  bravis_epoch_close_sending (epoch);
  bravis_epoch_unref (epoch);
  send_rtp (alice, audio, packet, sizeof packet, 2);
  wait_stat (alice->sink, "packets", 2);
  g_assert_cmpuint (get_stat (alice->sink, "datagrams"), ==, 2);
  g_assert_cmpuint (get_stat (alice->sink, "closed"), ==, 0);
  sender_free (alice);
}

static void
test_contributing_sources_are_bounded (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint audio = sender_add (alice, "audio_0", PCMU);
  guint8 packet[172] = { 0x8f, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 };

  receiver_play (bob);
  sender_play (alice);
  for (guint i = 0; i < 40; i++) {
    GST_WRITE_UINT32_BE (packet + 4, i);
    for (guint j = 0; j < 15; j++)
      GST_WRITE_UINT32_BE (packet + 12 + 4 * j, 1000 + 15 * i + j);
    send_rtp (alice, audio, packet, sizeof packet, i);
  }
  wait_stat (bob->source, "misplaced", 36);
  g_assert_cmpuint (get_stat (bob->source, "delivered"), ==, 4);
  sender_free (alice);
  receiver_free (bob);
}

static void
test_whiteboard_carries_messages (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint board = sender_add (alice, "whiteboard_0", "application/json");

  receiver_play (bob);
  sender_play (alice);
  for (guint i = 0; i < 5; i++)
    sender_send (alice, board, 100 * i);
  assert_frames (wait_branch (bob, "whiteboard_0"), alice, board, 0);
  sender_free (alice);
  receiver_free (bob);
}

/* Key changes */

static void
test_no_frame_is_lost_over_key_changes (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);
  Branch *branch = NULL;

  receiver_play (bob);
  sender_play (alice);
  for (guint change = 0; change < 8; change++) {
    guint first = alice->sent[video]->len;

    for (guint i = 0; i < 20; i++)
      sender_send (alice, video, 3000);
    /* The others get the key later than frames under it, now and then. */
    test_sessions_change (conference, 3, change % 2 ? 2 : 0);
    for (guint i = 0; i < 20; i++)
      sender_send (alice, video, 3000);
    wait_stat (alice->sink, "frames", alice->sent[video]->len);
    test_sessions_settle (conference);
    test_sessions_catch_up (conference);
    if (!branch)
      branch = wait_branch (bob, "video_0");
    assert_frames (branch, alice, video, first);
  }
  g_assert_cmpuint (get_stat (bob->source, "gaps"), ==, 0);
  g_assert_cmpuint (get_stat (bob->source, "held-back"), >, 0);
  sender_free (alice);
  receiver_free (bob);
}

static void
test_sink_says_from_which_frame_on_an_epoch_is_used (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  guint video = sender_add (alice, "video_0", H264);

  sender_play (alice);
  for (guint64 epoch = 2; epoch < 5; epoch++) {
    g_autoptr (GstMessage) message = NULL;
    const GstStructure *structure;
    guint64 number, frame, time;

    sender_send (alice, video, 5000);
    sender_send (alice, video, 5000);
    wait_stat (alice->sink, "frames", alice->frames[video]);
    message = wait_element_message (alice->pipeline, "bravis-stream-epoch");
    structure = gst_message_get_structure (message);
    g_assert_true (gst_structure_get (structure, "epoch", G_TYPE_UINT64,
            &number, "frame", G_TYPE_UINT64, &frame, "time", G_TYPE_UINT64,
            &time, NULL));
    g_assert_cmpstr (gst_structure_get_string (structure, "stream"), ==,
        "video_0");
    g_assert_cmpuint (number, ==, epoch);
    g_assert_cmpuint (frame, ==, 2 * (epoch - 2));
    test_sessions_change (conference, 3, 0);
  }
  sender_free (alice);
}

static void
test_senders_wait_for_the_key_that_is_due (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  guint video = sender_add (alice, "video_0", H264);
  g_autoptr (GstMessage) first = NULL;
  g_autoptr (GstMessage) second = NULL;
  guint64 frame;

  sender_play (alice);
  sender_send (alice, video, 5000);
  first = wait_element_message (alice->pipeline, "bravis-stream-epoch");
  wait_stat (alice->sink, "frames", 1);
  test_sessions_change_when_awaited (conference);
  sender_send (alice, video, 5000);
  second = wait_element_message (alice->pipeline, "bravis-stream-epoch");
  g_assert_true (gst_structure_get_uint64 (gst_message_get_structure (second),
          "frame", &frame));
  g_assert_cmpuint (frame, ==, 1);
  sender_free (alice);
}

static void
test_first_frames_wait_for_the_announcement (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);

  test_sessions_delay_announcements (conference, TRUE);
  receiver_play (bob);
  sender_play (alice);
  for (guint i = 0; i < 5; i++)
    sender_send (alice, video, 4000);
  wait_stat (bob->source, "held-back", 20);
  test_sessions_delay_announcements (conference, FALSE);
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  sender_free (alice);
  receiver_free (bob);
}

static void
test_newcomer_gets_what_is_sent_from_then_on (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (3, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  Receiver *carol = receiver_new (conference, 2);
  guint video = sender_add (alice, "video_0", H264);
  guint first;

  receiver_play (bob);
  receiver_play (carol);
  sender_play (alice);
  for (guint i = 0; i < 15; i++)
    sender_send (alice, video, 3000);
  wait_stat (alice->sink, "frames", 15);
  first = alice->frames[video];
  test_sessions_change (conference, 7, 0);
  for (guint i = 0; i < 15; i++)
    sender_send (alice, video, 3000);
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  assert_frames (wait_branch (carol, "video_0"), alice, video, first);
  sender_free (alice);
  receiver_free (bob);
  receiver_free (carol);
}

static void
test_member_that_left_gets_nothing_more (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (3, 7);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  Receiver *carol = receiver_new (conference, 2);
  guint video = sender_add (alice, "video_0", H264);
  guint64 got;

  receiver_play (bob);
  receiver_play (carol);
  sender_play (alice);
  for (guint i = 0; i < 5; i++)
    sender_send (alice, video, 3000);
  wait_stat (alice->sink, "frames", 5);
  assert_frames (wait_branch (carol, "video_0"), alice, video, 0);
  got = get_stat (carol->source, "datagrams");
  test_sessions_change (conference, 3, 0);
  for (guint i = 0; i < 5; i++)
    sender_send (alice, video, 3000);
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  test_sessions_settle (conference);
  g_assert_cmpuint (get_stat (carol->source, "datagrams"), ==, got);
  sender_free (alice);
  receiver_free (bob);
  receiver_free (carol);
}

static void
test_frames_go_nowhere_while_alone (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 0);
  Sender *alice = sender_new (conference, 0);
  guint video = sender_add (alice, "video_0", H264);

  sender_play (alice);
  sender_send (alice, video, 100);
  wait_stat (alice->sink, "unheard", 1);
  test_sessions_change (conference, 1, 0);
  sender_send (alice, video, 100);
  wait_stat (alice->sink, "unheard", 2);
  g_assert_cmpuint (get_stat (alice->sink, "datagrams"), ==, 0);
  sender_free (alice);
}

static void
test_nothing_is_sent_under_a_closed_epoch (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  g_autoptr (BravisEpoch) epoch =
      bravis_session_ref_epoch (test_sessions_session (conference, 0));
  Sender *alice = sender_new (conference, 0);
  guint video = sender_add (alice, "video_0", H264);

  sender_play (alice);
  sender_send (alice, video, 100);
  wait_stat (alice->sink, "datagrams", 1);
  bravis_epoch_close_sending (epoch);
  sender_send (alice, video, 100);
  wait_stat (alice->sink, "closed", 1);
  g_assert_cmpuint (get_stat (alice->sink, "datagrams"), ==, 1);
  sender_free (alice);
}

/* What shows the others has nothing to show before somebody sends. */
static void
test_sends_though_other_sinks_have_nothing_yet (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  guint video = sender_add (alice, "video_0", H264);
  GstElement *screen = gst_element_factory_make ("fakesink", NULL);

  g_object_set (alice->source[video], "is-live", TRUE, NULL);
  gst_bin_add (GST_BIN (alice->pipeline), screen);
  sender_play (alice);
  sender_send (alice, video, 100);
  wait_stat (alice->sink, "datagrams", 1);
  sender_free (alice);
}

/* Key units */

static void
test_key_unit_is_requested_when_somebody_joins (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (3, 1);
  Sender *alice = sender_new (conference, 0);
  guint video = sender_add (alice, "video_0", H264);

  sender_play (alice);
  sender_send (alice, video, 100);
  wait_stat (alice->sink, "frames", 1);
  test_sessions_settle (conference);
  g_assert_cmpint (g_atomic_int_get (&alice->key_unit_requests), ==, 0);
  test_sessions_change (conference, 3, 0);
  wait_key_unit_requests (alice, 1);
  test_sessions_change (conference, 7, 0);
  wait_key_unit_requests (alice, 2);

  /* Not when somebody leaves: what the others have is enough. */
  test_sessions_change (conference, 5, 0);
  test_sessions_settle (conference);
  g_assert_cmpint (g_atomic_int_get (&alice->key_unit_requests), ==, 2);
  sender_free (alice);
}

static void
test_receivers_request_for_a_key_unit_reaches_the_encoder (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);
  g_autoptr (GstPad) pad = NULL;
  gint before;

  receiver_play (bob);
  sender_play (alice);
  sender_send (alice, video, 100);
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  test_sessions_settle (conference);
  before = g_atomic_int_get (&alice->key_unit_requests);
  pad = gst_element_get_static_pad (wait_branch (bob, "video_0")->sink, "sink");
  g_assert_true (gst_pad_push_event (pad,
          gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE,
              TRUE, 0)));
  wait_key_unit_requests (alice, before + 1);
  sender_free (alice);
  receiver_free (bob);
}

typedef struct {
  gint lose;                    /* atomic: datagrams still to be lost */
} Loss;

static gboolean
lose_some (guint from, guint to, guint8 *data, gsize size, gpointer user_data)
{
  Loss *loss = user_data;

  if (from != 0 || data[0] >= 192 || g_atomic_int_get (&loss->lose) <= 0)
    return TRUE;
  g_atomic_int_add (&loss->lose, -1);
  return FALSE;
}

static void
test_lost_frame_makes_the_receiver_ask_for_a_key_unit (void)
{
  Loss loss = { 0 };
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);
  g_autoptr (GstSample) sample = NULL;

  test_sessions_set_pass (conference, lose_some, &loss);
  receiver_play (bob);
  sender_play (alice);
  sender_send (alice, video, 100);
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  g_atomic_int_set (&loss.lose, 1);
  sender_send (alice, video, 5000);
  sender_send (alice, video, 100);
  sample = branch_pull (wait_branch (bob, "video_0"));
  assert_frame (sample, g_ptr_array_index (alice->sent[video], 2));
  g_assert_true (GST_BUFFER_FLAG_IS_SET (gst_sample_get_buffer (sample),
          GST_BUFFER_FLAG_DISCONT));
  wait_stat (bob->source, "key-unit-requests", 1);
  sender_free (alice);
  receiver_free (bob);
}

/* Endings */

static void
test_pads_of_a_member_that_left_end (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);
  Branch *branch;

  receiver_play (bob);
  sender_play (alice);
  for (guint i = 0; i < 5; i++)
    sender_send (alice, video, 3000);
  branch = wait_branch (bob, "video_0");
  wait_stat (alice->sink, "frames", 5);
  test_sessions_change (conference, 2, 0);
  assert_frames (branch, alice, video, 0);
  assert_eos (branch);
  wait_removed (bob, branch);
  sender_free (alice);
  receiver_free (bob);
}

static void
test_stream_that_ends_ends_at_the_others (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);
  guint audio = sender_add (alice, "audio_0", OPUS);

  receiver_play (bob);
  sender_play (alice);
  for (guint i = 0; i < 5; i++) {
    sender_send (alice, video, 3000);
    sender_send (alice, audio, 100);
  }
  gst_app_src_end_of_stream (GST_APP_SRC (alice->source[video]));
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  assert_eos (wait_branch (bob, "video_0"));
  /* The other one goes on. */
  sender_send (alice, audio, 100);
  assert_frames (wait_branch (bob, "audio_0"), alice, audio, 0);
  sender_free (alice);
  receiver_free (bob);
}

static void
test_announced_stream_without_frames_ends_too (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);

  receiver_play (bob);
  sender_play (alice);
  wait_branch (bob, "video_0");
  gst_app_src_end_of_stream (GST_APP_SRC (alice->source[video]));
  assert_eos (wait_branch (bob, "video_0"));
  sender_free (alice);
  receiver_free (bob);
}

static void
test_pad_numbers_are_not_used_again (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);

  receiver_play (bob);
  sender_play (alice);
  sender_send (alice, video, 10);
  wait_branch (bob, "video_0");
  test_sessions_change (conference, 2, 0);
  wait_removed (bob, wait_branch (bob, "video_0"));
  test_sessions_change (conference, 3, 0);
  wait_branch (bob, "video_1");
  sender_send (alice, video, 10);
  assert_frames (wait_branch (bob, "video_1"), alice, video, 1);
  sender_free (alice);
  receiver_free (bob);
}

static void
wait_left (TestSessions *conference, guint peer)
{
  gint64 deadline = g_get_monotonic_time () + TIMEOUT;

  while (!test_sessions_has_left (conference, peer)) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (1000);
  }
}

static void
test_eos_leaves_when_the_sinks_have_sent_all (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  Receiver *own = receiver_new (conference, 0);
  Sender *other = sender_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);
  guint back = sender_add (other, "video_0", H264);
  BravisSession *session = test_sessions_session (conference, 0);

  receiver_play (bob);
  receiver_play (own);
  sender_play (alice);
  sender_play (other);
  sender_send (other, back, 3000);
  assert_frames (wait_branch (own, "video_0"), other, back, 0);
  g_assert_cmpuint (bravis_outgoing_get (session), ==, 1);
  gst_element_send_event (own->pipeline, gst_event_new_eos ());
  sender_send (alice, video, 3000);
  gst_app_src_end_of_stream (GST_APP_SRC (alice->source[video]));
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  assert_eos (wait_branch (own, "video_0"));
  g_assert_cmpuint (bravis_outgoing_get (session), ==, 0);
  g_assert_true (test_sessions_has_left (conference, 0));
  sender_free (alice);
  sender_free (other);
  receiver_free (bob);
  receiver_free (own);
}

/* What the others send before they have let the peer go is handed on. */
static void
test_pads_go_on_until_leaving_is_done (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);

  test_sessions_leave_slowly (conference, 1, TRUE);
  receiver_play (bob);
  sender_play (alice);
  sender_send (alice, video, 3000);
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  gst_element_send_event (bob->pipeline, gst_event_new_eos ());
  wait_left (conference, 1);
  for (guint i = 0; i < 20; i++)
    sender_send (alice, video, 3000);
  assert_frames (wait_branch (bob, "video_0"), alice, video, 1);
  test_sessions_leave_slowly (conference, 1, FALSE);
  assert_eos (wait_branch (bob, "video_0"));
  sender_free (alice);
  receiver_free (bob);
}

static void
test_patience_for_the_sinks_has_an_end (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (1, 1);
  Sender *alice = sender_new (conference, 0);
  Receiver *own = receiver_new (conference, 0);

  sender_add (alice, "video_0", H264);
  sender_play (alice);
  receiver_play (own);
  gst_element_send_event (own->pipeline, gst_event_new_eos ());
  wait_left (conference, 0);
  sender_free (alice);
  receiver_free (own);
}

static void
test_stops_in_any_state (void)
{
  static const GstState states[] = {
    GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING
  };
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);

  for (guint i = 0; i < 4 * 4; i++) {
    Sender *alice = sender_new (conference, 0);
    Receiver *bob = receiver_new (conference, 1);
    guint video = sender_add (alice, "video_0", H264);

    gst_element_set_state (bob->pipeline, states[i % 4]);
    gst_element_set_state (alice->pipeline, states[i / 4]);
    if (states[i / 4] >= GST_STATE_PAUSED)
      for (guint n = 0; n < 20; n++)
        sender_send (alice, video, 3000);
    if (i % 2) {
      sender_free (alice);
      receiver_free (bob);
    } else {
      receiver_free (bob);
      sender_free (alice);
    }
    g_assert_cmpuint (test_sessions_holds (conference, 0), ==, 0);
    g_assert_cmpuint (test_sessions_holds (conference, 1), ==, 0);
  }
}

static void
test_plays_again_after_a_stop (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);

  for (guint i = 0; i < 3; i++) {
    receiver_play (bob);
    sender_play (alice);
    sender_send (alice, video, 3000);
    assert_frames (wait_branch (bob, "video_0"), alice, video, i);
    gst_element_set_state (alice->pipeline, GST_STATE_READY);
    gst_element_set_state (bob->pipeline, GST_STATE_READY);
    g_ptr_array_set_size (bob->branches, 0);
  }
  sender_free (alice);
  receiver_free (bob);
}

static GstBusSyncReply
request_at_error (GstBus *bus, GstMessage *message, gpointer data)
{
  GstPad **pad = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR && !*pad) {
    *pad = gst_element_request_pad_simple
        (GST_ELEMENT (GST_MESSAGE_SRC (message)), "audio_0");
    g_assert_true (gst_pad_is_active (*pad));
  }
  return GST_BUS_PASS;
}

/* What is requested while the element starts may be pushed to at once. */
static void
test_failed_start_leaves_no_pad_active (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  g_autoptr (GstBus) bus = gst_element_get_bus (alice->pipeline);
  g_autoptr (GstPad) pad = NULL;
  guint video = sender_add (alice, "video_0", H264);

  gst_bus_set_sync_handler (bus, request_at_error, &pad, NULL);
  test_sessions_refuse_stream (conference, 0);
  g_assert_cmpint (gst_element_set_state (alice->sink, GST_STATE_PAUSED), ==,
      GST_STATE_CHANGE_FAILURE);
  g_assert_nonnull (pad);
  g_assert_false (gst_pad_is_active (pad));
  g_assert_cmpuint (test_sessions_holds (conference, 0), ==, 0);

  sender_play (alice);
  g_assert_true (gst_pad_is_active (pad));
  sender_send (alice, video, 3000);
  wait_stat (alice->sink, "frames", 1);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  sender_free (alice);
}

static void
test_pads_come_and_go_while_playing (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264), audio;
  g_autoptr (GstPad) src = NULL, pad = NULL;

  receiver_play (bob);
  sender_play (alice);
  sender_send (alice, video, 3000);
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  audio = sender_add (alice, "audio_0", OPUS);
  gst_element_sync_state_with_parent (alice->source[audio]);
  sender_send (alice, audio, 100);
  assert_frames (wait_branch (bob, "audio_0"), alice, audio, 0);

  src = gst_element_get_static_pad (alice->source[video], "src");
  pad = gst_pad_get_peer (src);
  gst_pad_unlink (src, pad);
  gst_element_release_request_pad (alice->sink, pad);
  assert_eos (wait_branch (bob, "video_0"));
  sender_send (alice, audio, 100);
  assert_frames (wait_branch (bob, "audio_0"), alice, audio, 1);
  /* Its source has nowhere to go. */
  gst_element_set_locked_state (alice->source[video], TRUE);
  gst_element_set_state (alice->source[video], GST_STATE_NULL);
  sender_free (alice);
  receiver_free (bob);
}

/* What is wrong */

static void
assert_error (GstElement *pipeline, const char *part)
{
  g_autoptr (GstMessage) message = wait_message (pipeline, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL, *all = NULL;

  gst_message_parse_error (message, &error, &debug);
  all = g_strconcat (error->message, " ", debug, NULL);
  g_test_message ("%s", all);
  g_assert_nonnull (strstr (all, part));
}

static void
test_wrong_caps_are_an_error_that_names_them (void)
{
  static const struct {
    const char *pad, *caps;
  } wrong[] = {
    {"video_0", "video/x-raw, format=(string)I420, width=(int)16, height="
          "(int)16, framerate=(fraction)1/1"},
    {"video_0", OPUS},
    {"audio_0", H264},
    {"whiteboard_0", "application/x-tar"},
    {"video_0", "application/x-rtp, media=(string)audio, clock-rate=(int)8000"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
    Sender *alice = sender_new (conference, 0);
    guint source = sender_add (alice, wrong[i].pad, wrong[i].caps);
    g_auto (GStrv) media = g_strsplit (wrong[i].caps, ",", 2);

    sender_play (alice);
    sender_send (alice, source, 100);
    assert_error (alice->pipeline, media[0]);
    sender_free (alice);
  }
}

static void
test_missing_session_is_an_error (void)
{
  GstElement *elements[] = {
    g_object_new (GST_TYPE_BRAVIS_GROUP_SINK, NULL),
    g_object_new (GST_TYPE_BRAVIS_GROUP_SRC, NULL)
  };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstBus) bus = gst_bus_new ();
    GstElement *element = gst_object_ref_sink (elements[i]);

    gst_element_set_bus (element, bus);
    g_assert_cmpint (gst_element_set_state (element, GST_STATE_READY), ==,
        GST_STATE_CHANGE_FAILURE);
    assert_error (element, "session");
    g_object_set (element, "config", "/nowhere.conf", NULL);
    g_assert_cmpint (gst_element_set_state (element, GST_STATE_READY), ==,
        GST_STATE_CHANGE_FAILURE);
    assert_error (element, "/nowhere.conf");
    gst_element_set_state (element, GST_STATE_NULL);
    gst_element_set_bus (element, NULL);
    gst_object_unref (element);
  }
}

static void
test_pad_without_a_link_stops_nothing (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);
  guint audio = sender_add (alice, "audio_0", OPUS);
  g_autoptr (GstBus) bus = gst_element_get_bus (bob->pipeline);

  bob->unlinked = "video_0";
  receiver_play (bob);
  sender_play (alice);
  for (guint i = 0; i < 20; i++) {
    sender_send (alice, video, 3000);
    sender_send (alice, audio, 100);
  }
  assert_frames (wait_branch (bob, "audio_0"), alice, audio, 0);
  wait_stat (bob->source, "unlinked", 20);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  sender_free (alice);
  receiver_free (bob);
}

static void
test_hostile_announcements_change_nothing (void)
{
  static const char *const announcements[] = {
    "", "video/x-raw, width=(int)640", "bravis-stream 1\n",
    "bravis-stream 1\nform=frames\nssrc=1\npayload=96\nclock-rate=90000\n"
        "generation=0\nmedia=application/x-hls\n",
    "bravis-stream 1\nform=frames\nssrc=1\npayload=96\nclock-rate=90000\n"
        "generation=0\nmedia=video/x-vp8\nGstCaps:a=video/x-raw\n",
  };
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);

  receiver_play (bob);
  sender_play (alice);
  for (guint i = 0; i < G_N_ELEMENTS (announcements); i++)
    test_sessions_announce (conference, 0, BRAVIS_KIND_VIDEO, 500 + i,
        announcements[i]);
  sender_send (alice, video, 3000);
  /* The first pad there is: nothing was made of the others. */
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  sender_free (alice);
  receiver_free (bob);
}

static void
test_streams_of_one_member_are_bounded (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Receiver *bob = receiver_new (conference, 1);
  g_autoptr (GstMessage) message = NULL;

  receiver_play (bob);
  for (guint i = 0; i < 40; i++)
    test_sessions_announce (conference, 0, BRAVIS_KIND_AUDIO, i,
        "bravis-stream 1\nform=frames\nssrc=1\npayload=96\nclock-rate=48000\n"
        "generation=0\nmedia=audio/x-opus\n");
  message = wait_message (bob->pipeline, GST_MESSAGE_WARNING);
  g_assert_cmpuint (bob->branches->len, ==, 16);
  receiver_free (bob);
}

static gboolean
alter_ssrc (guint from, guint to, guint8 *data, gsize size, gpointer user_data)
{
  if (from == 0 && data[0] < 192)
    data[8] ^= 1;
  return TRUE;
}

static void
test_altered_rtp_header_is_forged (void)
{
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  guint video = sender_add (alice, "video_0", H264);

  test_sessions_set_pass (conference, alter_ssrc, NULL);
  receiver_play (bob);
  sender_play (alice);
  sender_send (alice, video, 100);
  wait_stat (bob->source, "forged", 1);
  g_assert_cmpuint (get_stat (bob->source, "delivered"), ==, 0);
  sender_free (alice);
  receiver_free (bob);
}

static void
test_garbage_changes_nothing (void)
{
  static const guint8 firsts[] = { 0x80, 0x90, 0xbf, 194 };
  g_autoptr (TestSessions) conference = test_sessions_new (2, 3);
  Sender *alice = sender_new (conference, 0);
  Receiver *bob = receiver_new (conference, 1);
  Receiver *own = receiver_new (conference, 0);
  guint video = sender_add (alice, "video_0", H264);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  guint8 data[2000];

  receiver_play (bob);
  receiver_play (own);
  sender_play (alice);
  sender_send (alice, video, 3000);
  wait_branch (bob, "video_0");
  for (gsize size = 1; size <= sizeof data; size += 3) {
    for (guint i = 0; i < G_N_ELEMENTS (firsts); i++) {
      for (gsize j = 0; j < size; j++)
        data[j] = g_rand_int (rand);
      data[0] = firsts[i];
      test_sessions_inject (conference, 0, data, size);
      test_sessions_inject (conference, 1, data, size);
    }
  }
  test_sessions_settle (conference);
  sender_send (alice, video, 3000);
  assert_frames (wait_branch (bob, "video_0"), alice, video, 0);
  sender_free (alice);
  receiver_free (bob);
  receiver_free (own);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gst/group/" #name, test_##name)
  ADD (frames_come_out_as_they_went_in);
  ADD (packet_is_encrypted_once_whatever_the_size_of_the_group);
  ADD (pad_says_whose_it_is);
  ADD (flags_of_frames_arrive);
  ADD (new_caps_come_with_their_first_frame);
  ADD (rtp_comes_out_as_it_went_in);
  ADD (frame_goes_on_when_its_epoch_is_closed);
  ADD (contributing_sources_are_bounded);
  ADD (whiteboard_carries_messages);
  ADD (no_frame_is_lost_over_key_changes);
  ADD (sink_says_from_which_frame_on_an_epoch_is_used);
  ADD (senders_wait_for_the_key_that_is_due);
  ADD (first_frames_wait_for_the_announcement);
  ADD (newcomer_gets_what_is_sent_from_then_on);
  ADD (member_that_left_gets_nothing_more);
  ADD (frames_go_nowhere_while_alone);
  ADD (nothing_is_sent_under_a_closed_epoch);
  ADD (sends_though_other_sinks_have_nothing_yet);
  ADD (key_unit_is_requested_when_somebody_joins);
  ADD (receivers_request_for_a_key_unit_reaches_the_encoder);
  ADD (lost_frame_makes_the_receiver_ask_for_a_key_unit);
  ADD (pads_of_a_member_that_left_end);
  ADD (stream_that_ends_ends_at_the_others);
  ADD (announced_stream_without_frames_ends_too);
  ADD (pad_numbers_are_not_used_again);
  ADD (eos_leaves_when_the_sinks_have_sent_all);
  ADD (pads_go_on_until_leaving_is_done);
  ADD (patience_for_the_sinks_has_an_end);
  ADD (stops_in_any_state);
  ADD (plays_again_after_a_stop);
  ADD (failed_start_leaves_no_pad_active);
  ADD (pads_come_and_go_while_playing);
  ADD (wrong_caps_are_an_error_that_names_them);
  ADD (missing_session_is_an_error);
  ADD (pad_without_a_link_stops_nothing);
  ADD (hostile_announcements_change_nothing);
  ADD (streams_of_one_member_are_bounded);
  ADD (altered_rtp_header_is_forged);
  ADD (garbage_changes_nothing);
#undef ADD
  return g_test_run ();
}
