/* Senders and receivers of SFrame, in a group whose keys change and with a
 * static key. */
#include <string.h>

#include "../../gst/bravis-frame-guard.h"
#include "../../gst/bravis-rtp.h"
#include "../../gst/bravis-static-use.h"
#include "test-group.h"

#define ROOM 4096
#define TEXT "the quick brown fox jumps over the lazy dog"
#define TEXT_SIZE (sizeof TEXT - 1)
#define WINDOW 128

typedef struct {
  guint8 data[ROOM];
  gsize size;
} Frame;

static BravisSender *
make_sender (TestGroup *group, guint peer, BravisKind kind)
{
  BravisEpochSource source = test_group_source (group, peer);
  BravisSender *sender = bravis_sender_new_epochs (&source, kind, 0);

  bravis_sender_take_epoch (sender);
  return sender;
}

static BravisReceiver *
make_receiver (TestGroup *group, guint peer)
{
  BravisEpochSource source = test_group_source (group, peer);

  return bravis_receiver_new_epochs (&source, WINDOW);
}

static BravisDrop
protect (BravisSender *sender, Frame *frame)
{
  memcpy (frame->data, TEXT, TEXT_SIZE);
  return bravis_sender_protect_frame (sender, frame->data, TEXT_SIZE,
      &frame->size);
}

/* Opens a copy: the frame can be opened again. */
static BravisDrop
open_copy (BravisReceiver *receiver, const Frame *frame)
{
  Frame copy = *frame;
  gsize offset, size;
  guint64 kid;
  BravisDrop drop = bravis_receiver_open_frame (receiver, copy.data, copy.size,
      &offset, &size, &kid);

  if (drop == BRAVIS_DROP_NONE)
    g_assert_cmpmem (copy.data + offset, size, TEXT, TEXT_SIZE);
  return drop;
}

static void
assert_passes (BravisSender *sender, BravisReceiver *receiver)
{
  Frame frame;

  g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NONE);
  g_assert_cmpint (open_copy (receiver, &frame), ==, BRAVIS_DROP_NONE);
}

static gsize
make_packet (guint8 *packet, guint sequence)
{
  /* Version 2, extension of one word, one CSRC. */
  static const guint8 header[] = { 0x91, 96, 0, 0, 1, 2, 3, 4, 9, 9, 9, 9,
    7, 7, 7, 7, 0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0
  };

  memcpy (packet, header, sizeof header);
  packet[2] = sequence >> 8;
  packet[3] = sequence & 0xff;
  memcpy (packet + sizeof header, TEXT, TEXT_SIZE);
  return sizeof header + TEXT_SIZE;
}

static void
test_frame_passes_from_member_to_member (void)
{
  g_autoptr (TestGroup) group = test_group_new (3);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) second = make_receiver (group, 1);
  g_autoptr (BravisReceiver) third = make_receiver (group, 2);
  guint i;

  for (i = 0; i < 300; i++) {
    Frame frame;

    g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NONE);
    g_assert_null (memmem (frame.data, frame.size, TEXT, 16));
    g_assert_cmpint (open_copy (second, &frame), ==, BRAVIS_DROP_NONE);
    g_assert_cmpint (open_copy (third, &frame), ==, BRAVIS_DROP_NONE);
  }
}

static void
test_rtp_keeps_its_header (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  guint8 packet[ROOM], original[ROOM];
  gsize size = make_packet (packet, 5), original_size = size;
  guint64 kid;

  memcpy (original, packet, size);
  g_assert_cmpint (bravis_sender_protect_rtp (sender, packet, size, &size), ==,
      BRAVIS_DROP_NONE);
  g_assert_cmpmem (packet, 24, original, 24);
  g_assert_null (memmem (packet, size, TEXT, 16));
  g_assert_cmpint (bravis_receiver_open_rtp (receiver, packet, size, &size,
          &kid), ==, BRAVIS_DROP_NONE);
  g_assert_cmpmem (packet, size, original, original_size);
}

static void
test_rtp_around_is_the_same_as_in_place (void)
{
  g_autoptr (BravisSecret) key = bravis_secret_new (TEXT, 16);
  g_autoptr (BravisSender) a = bravis_sender_new_static (4, 9, key);
  g_autoptr (BravisSender) b = bravis_sender_new_static (4, 9, key);
  g_autoptr (BravisReceiver) receiver = bravis_receiver_new_static (4, key,
      WINDOW);
  guint8 in_place[ROOM], around[ROOM];
  guint8 *data = around + BRAVIS_SFRAME_MAX_HEADER;
  gsize size = make_packet (in_place, 5), around_size, before, offset;
  guint64 kid;

  make_packet (data, 5);
  bravis_sender_protect_rtp_around (a, data, size, &before, &around_size);
  bravis_sender_protect_rtp (b, in_place, size, &size);
  g_assert_cmpmem (data - before, around_size, in_place, size);
  g_assert_cmpint (bravis_receiver_open_rtp_around (receiver, in_place, size,
          &offset, &size, &kid), ==, BRAVIS_DROP_NONE);
  g_assert_cmpuint (size, ==, make_packet (around, 5));
  g_assert_cmpmem (in_place + offset, size, around, size);
}

static void
test_padding_is_left_out (void)
{
  g_autoptr (BravisSecret) key = bravis_secret_new (TEXT, 16);
  g_autoptr (BravisSender) sender = bravis_sender_new_static (4, 9, key);
  g_autoptr (BravisReceiver) receiver = bravis_receiver_new_static (4, key,
      WINDOW);
  guint8 packet[ROOM], original[ROOM];
  gsize size = make_packet (packet, 5), original_size = size;
  guint64 kid;

  memcpy (original, packet, size);
  packet[0] |= BRAVIS_RTP_PADDING_BIT;
  memcpy (packet + size, "\0\0\0\4", 4);
  g_assert_cmpint (bravis_sender_protect_rtp (sender, packet, size + 4, &size),
      ==, BRAVIS_DROP_NONE);
  g_assert_cmpint (bravis_receiver_open_rtp (receiver, packet, size, &size,
          &kid), ==, BRAVIS_DROP_NONE);
  g_assert_cmpmem (packet, size, original, original_size);
}

/* With rtp-header-auth the timestamp cannot be altered; without, it can. */
static void
test_altered_rtp_header_is_refused_if_it_is_to_be_authentic (void)
{
  g_autoptr (BravisSecret) key = bravis_secret_new (TEXT, 16);
  guint on;

  for (on = 0; on < 2; on++) {
    g_autoptr (BravisSender) sender = bravis_sender_new_static (4, 9, key);
    g_autoptr (BravisReceiver) receiver = bravis_receiver_new_static (4, key,
        WINDOW);
    guint8 packet[ROOM];
    gsize size = make_packet (packet, 5);
    guint64 kid;

    bravis_sender_set_rtp_header_auth (sender, on);
    bravis_receiver_set_rtp_header_auth (receiver, on);
    bravis_sender_protect_rtp (sender, packet, size, &size);
    g_assert_cmpint (bravis_receiver_open_rtp (receiver, packet, size, &size,
            &kid), ==, BRAVIS_DROP_NONE);
    size = make_packet (packet, 6);
    bravis_sender_protect_rtp (sender, packet, size, &size);
    packet[7] ^= 1;
    g_assert_cmpint (bravis_receiver_open_rtp (receiver, packet, size, &size,
            &kid), ==, on ? BRAVIS_DROP_FORGED : BRAVIS_DROP_NONE);
  }
}

static void
test_key_change_loses_no_frame (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_AUDIO);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  Frame old_frames[10];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (old_frames); i++)
    g_assert_cmpint (protect (sender, &old_frames[i]), ==, BRAVIS_DROP_NONE);
  g_assert_cmpint (open_copy (receiver, &old_frames[0]), ==, BRAVIS_DROP_NONE);
  test_group_change_key (group, 3);
  g_assert_true (bravis_sender_take_epoch (sender));
  for (i = 1; i < G_N_ELEMENTS (old_frames); i++) {
    assert_passes (sender, receiver);
    g_assert_cmpint (open_copy (receiver, &old_frames[i]), ==,
        BRAVIS_DROP_NONE);
  }
}

static void
test_sender_stays_with_its_epoch_within_a_frame (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_AUDIO);
  BravisEpoch *first = test_group_epoch (group, 0);
  Frame frame;

  test_group_change_key (group, 3);
  protect (sender, &frame);
  g_assert_true (bravis_sender_get_epoch (sender) == first);
  bravis_sender_take_epoch (sender);
  g_assert_true (bravis_sender_get_epoch (sender)
      == test_group_epoch (group, 0));
}

/* A serial that grew without a new epoch must not start the counter anew. */
static void
test_counter_never_restarts_under_a_key (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_AUDIO);
  guint i;

  for (i = 0; i < 100; i++) {
    Frame frame;
    BravisSFrameHeader header;

    group->peers[0].serial++;
    bravis_sender_take_epoch (sender);
    g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NONE);
    g_assert_true (bravis_sframe_header_read (frame.data, frame.size,
            &header));
    g_assert_cmpuint (header.counter, ==, i);
  }
}

static void
test_counters_are_not_used_past_the_last (void)
{
  g_autoptr (BravisSecret) key = bravis_secret_new (TEXT, 16);
  g_autoptr (BravisSender) sender = bravis_sender_new_static (4, 9, key);
  Frame frame;

  bravis_sender_set_counter (sender, G_MAXUINT64);
  g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NONE);
  g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NO_KEY);
}

/* It asks in time, and again; where no new key comes, it sends nothing more. */
static void
test_key_protects_no_more_than_it_may (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = NULL;
  Frame frame;

  group->key_packets = 64;
  sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  for (guint i = 0; i < 64; i++) {
    g_assert_cmpuint (group->peers[0].n_asked, ==, i <= 32 ? 0
        : (i - 25) / 8);
    g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NONE);
  }
  g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NO_KEY);
  test_group_change_key (group, 3);
  bravis_sender_take_epoch (sender);
  g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NONE);
}

static void
test_frame_before_its_epoch_can_be_tried_again (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  BravisEpoch *early;
  Frame frame, copy;
  gsize offset, size;
  guint64 kid;

  test_group_change_key (group, 3);
  bravis_sender_take_epoch (sender);
  early = g_ptr_array_steal_index (group->peers[1].epochs, 1);
  protect (sender, &frame);
  copy = frame;
  g_assert_cmpint (bravis_receiver_open_frame (receiver, copy.data, copy.size,
          &offset, &size, &kid), ==, BRAVIS_DROP_UNKNOWN_EPOCH);
  g_assert_cmpmem (copy.data, copy.size, frame.data, frame.size);
  g_assert_cmpuint (kid >> 20, ==, 2);
  g_ptr_array_add (group->peers[1].epochs, early);
  g_assert_cmpint (open_copy (receiver, &copy), ==, BRAVIS_DROP_NONE);
}

static void
test_removed_member_cannot_read_next_epoch (void)
{
  g_autoptr (TestGroup) group = test_group_new (3);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) removed = make_receiver (group, 2);
  Frame frame;

  assert_passes (sender, removed);
  test_group_change_key (group, 3);
  bravis_sender_take_epoch (sender);
  protect (sender, &frame);
  g_assert_cmpint (open_copy (removed, &frame), ==, BRAVIS_DROP_UNKNOWN_EPOCH);
}

static void
test_newcomer_cannot_read_earlier_epoch (void)
{
  g_autoptr (TestGroup) group = test_group_new (3);
  g_autoptr (BravisSender) sender = NULL;
  g_autoptr (BravisReceiver) newcomer = make_receiver (group, 2);
  Frame frame;

  test_group_change_key (group, 3);
  sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  protect (sender, &frame);
  test_group_change_key (group, 7);
  g_assert_cmpint (open_copy (newcomer, &frame), ==,
      BRAVIS_DROP_UNKNOWN_EPOCH);
}

static void
test_retired_epoch_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  Frame frame;

  assert_passes (sender, receiver);
  bravis_epoch_retire (test_group_epoch (group, 1));
  protect (sender, &frame);
  g_assert_cmpint (open_copy (receiver, &frame), ==,
      BRAVIS_DROP_UNKNOWN_EPOCH);
  g_assert_cmpint (open_copy (receiver, &frame), ==,
      BRAVIS_DROP_UNKNOWN_EPOCH);
}

static void
test_nothing_is_sent_once_sending_is_closed (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  Frame frame;

  assert_passes (sender, receiver);
  bravis_epoch_close_sending (test_group_epoch (group, 0));
  g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NO_KEY);
  test_group_change_key (group, 3);
  assert_passes (sender, receiver);
}

static void
test_nothing_is_sent_before_the_first_epoch (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = NULL;
  Frame frame;

  g_ptr_array_set_size (group->peers[0].epochs, 0);
  sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NO_KEY);
  test_group_change_key (group, 3);
  bravis_sender_take_epoch (sender);
  g_assert_cmpint (protect (sender, &frame), ==, BRAVIS_DROP_NONE);
}

static void
test_own_frame_that_comes_back_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) own = make_receiver (group, 0);
  Frame frame;

  protect (sender, &frame);
  g_assert_cmpint (open_copy (own, &frame), ==, BRAVIS_DROP_UNKNOWN_SENDER);
}

static void
test_kid_of_nobody_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  BravisKid nobody = { 1, 2, BRAVIS_KIND_VIDEO, 0 };
  Frame frame = { { 0 }, 100 };

  bravis_sframe_header_write (bravis_kid_pack (&nobody), 1, frame.data);
  g_assert_cmpint (open_copy (receiver, &frame), ==,
      BRAVIS_DROP_UNKNOWN_SENDER);
}

static void
test_other_kind_than_wanted_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_AUDIO);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  Frame frame;

  bravis_receiver_set_kind (receiver, BRAVIS_KIND_VIDEO);
  protect (sender, &frame);
  g_assert_cmpint (open_copy (receiver, &frame), ==, BRAVIS_DROP_NOT_ALLOWED);
}

static void
check_cipher (BravisCipher cipher, guint suite)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = NULL;
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  g_autoptr (BravisSecret) key = NULL;
  g_autoptr (BravisSFrame) sframe = NULL;
  BravisSFrameHeader header;
  Frame frame;

  group->policy.cipher[BRAVIS_KIND_VIDEO] = cipher;
  test_group_change_key (group, 3);
  sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  assert_passes (sender, receiver);
  protect (sender, &frame);
  bravis_sframe_header_read (frame.data, frame.size, &header);
  key = bravis_epoch_derive_base_key (test_group_epoch (group, 1), header.kid);
  sframe = bravis_sframe_new (suite, header.kid, key);
  g_assert_true (bravis_sframe_decrypt (sframe, header.counter, frame.data,
          header.size, NULL, 0, frame.data + header.size,
          frame.size - header.size));
}

static void
test_policy_decides_the_cipher (void)
{
  check_cipher (BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_80, 1);
  check_cipher (BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_64, 2);
  check_cipher (BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32, 3);
  check_cipher (BRAVIS_CIPHER_AES_128_GCM, 4);
  check_cipher (BRAVIS_CIPHER_AES_256_GCM, 5);
  check_cipher (BRAVIS_CIPHER_CHACHA20_POLY1305, 0xf001);
  check_cipher (BRAVIS_CIPHER_PUZZLE, 0xf002);
}

static void
test_replayed_frame_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  Frame frames[2 * WINDOW];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (frames); i++)
    protect (sender, &frames[i]);
  for (i = WINDOW; i < G_N_ELEMENTS (frames); i++)
    g_assert_cmpint (open_copy (receiver, &frames[i]), ==, BRAVIS_DROP_NONE);
  for (i = 0; i < G_N_ELEMENTS (frames); i++)
    g_assert_cmpint (open_copy (receiver, &frames[i]), ==,
        i < WINDOW ? BRAVIS_DROP_TOO_OLD : BRAVIS_DROP_REPLAYED);
}

/* A member that sends under as many KIDs as it can must not make a receiver
 * forget which frames of another it has seen. */
static void
test_flood_of_kids_brings_no_replay (void)
{
  g_autoptr (TestGroup) group = test_group_new (3);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  g_autoptr (BravisSender) victim = make_sender (group, 0, BRAVIS_KIND_AUDIO);
  Frame frame, other;
  guint i;

  g_assert_cmpint (protect (victim, &frame), ==, BRAVIS_DROP_NONE);
  g_assert_cmpint (open_copy (receiver, &frame), ==, BRAVIS_DROP_NONE);
  for (i = 0; i < 2 * BRAVIS_MAX_STREAMS; i++) {
    BravisEpochSource source = test_group_source (group, 2);
    g_autoptr (BravisSender) flooder = bravis_sender_new_epochs (&source,
        (BravisKind) (i / BRAVIS_MAX_STREAMS), i % BRAVIS_MAX_STREAMS);

    bravis_sender_take_epoch (flooder);
    g_assert_cmpint (protect (flooder, &other), ==, BRAVIS_DROP_NONE);
    g_assert_cmpint (open_copy (receiver, &other), ==, BRAVIS_DROP_NONE);
  }
  g_assert_cmpint (open_copy (receiver, &frame), ==, BRAVIS_DROP_REPLAYED);
}

static void
test_reordered_frames_are_opened (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  Frame frames[WINDOW];
  guint i;

  for (i = 0; i < WINDOW; i++)
    protect (sender, &frames[i]);
  for (i = WINDOW; i-- > 0;)
    g_assert_cmpint (open_copy (receiver, &frames[i]), ==, BRAVIS_DROP_NONE);
}

/* A forged frame with a counter far ahead must not shut out what follows. */
static void
test_forged_frame_moves_no_window (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  BravisSFrameHeader header;
  Frame frame, forged = { { 0 }, 100 };

  protect (sender, &frame);
  bravis_sframe_header_read (frame.data, frame.size, &header);
  bravis_sframe_header_write (header.kid, G_MAXUINT64, forged.data);
  g_assert_cmpint (open_copy (receiver, &forged), ==, BRAVIS_DROP_FORGED);
  g_assert_cmpint (open_copy (receiver, &frame), ==, BRAVIS_DROP_NONE);
  g_assert_cmpint (open_copy (receiver, &forged), ==, BRAVIS_DROP_FORGED);
  assert_passes (sender, receiver);
}

static void
test_static_key_opens_each_senders_kid (void)
{
  g_autoptr (BravisSecret) key = bravis_secret_new (TEXT, 16);
  g_autoptr (BravisSender) a = bravis_sender_new_static (5, 1, key);
  g_autoptr (BravisSender) b = bravis_sender_new_static (5, G_MAXUINT64, key);
  g_autoptr (BravisReceiver) receiver = bravis_receiver_new_static (5, key,
      WINDOW);
  Frame frame;

  assert_passes (a, receiver);
  assert_passes (b, receiver);
  assert_passes (a, receiver);
  bravis_receiver_free (g_steal_pointer (&receiver));
  receiver = bravis_receiver_new_static (5, key, WINDOW);
  bravis_receiver_set_kid (receiver, 1);
  assert_passes (a, receiver);
  protect (b, &frame);
  g_assert_cmpint (open_copy (receiver, &frame), ==,
      BRAVIS_DROP_UNKNOWN_SENDER);
}

/* More KIDs than are kept: memory stays bounded, and all still open. */
static void
test_many_kids_are_opened (void)
{
  g_autoptr (BravisSecret) key = bravis_secret_new (TEXT, 16);
  g_autoptr (BravisReceiver) receiver = bravis_receiver_new_static (4, key,
      WINDOW);
  guint64 kid;

  for (kid = 0; kid < 1500; kid++) {
    g_autoptr (BravisSender) sender = bravis_sender_new_static (4, kid, key);

    assert_passes (sender, receiver);
  }
}

static void
test_static_key_is_not_claimed_twice (void)
{
  g_autoptr (BravisSecret) key = bravis_secret_new ("not claimed twice", 16);
  guint64 first, second;

  g_assert_true (bravis_static_use_claim (key, 4, 7, &first));
  g_assert_false (bravis_static_use_claim (key, 4, 7, &second));
  g_assert_true (bravis_static_use_claim (key, 5, 7, &second));
  g_assert_true (bravis_static_use_claim (key, 4, 8, &second));
  bravis_static_use_release (key, 4, 7, first + (G_GUINT64_CONSTANT (1) << 60));
  g_assert_true (bravis_static_use_claim (key, 4, 7, &second));
  g_assert_cmpuint (second, >=, first + (G_GUINT64_CONSTANT (1) << 60));
}

static void
test_garbage_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  gsize size, i, offset, out;
  guint64 kid;

  for (size = 0; size <= 2000; size++) {
    g_autofree guint8 *data = g_malloc (size + 1);

    for (i = 0; i < size; i++)
      data[i] = g_rand_int (rand);
    g_assert_cmpint (bravis_receiver_open_frame (receiver, data, size, &offset,
            &out, &kid), !=, BRAVIS_DROP_NONE);
    g_assert_cmpint (bravis_receiver_open_rtp (receiver, data, size, &out,
            &kid), !=, BRAVIS_DROP_NONE);
  }
}

static void
test_cut_or_altered_frame_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSender) sender = make_sender (group, 0, BRAVIS_KIND_VIDEO);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  Frame frame, bad;
  gsize i;

  protect (sender, &frame);
  for (i = 0; i < frame.size; i++) {
    bad = frame;
    bad.size = i;
    g_assert_cmpint (open_copy (receiver, &bad), !=, BRAVIS_DROP_NONE);
  }
  for (i = 0; i < frame.size * 8; i++) {
    bad = frame;
    bad.data[i / 8] ^= 1 << i % 8;
    g_assert_cmpint (open_copy (receiver, &bad), !=, BRAVIS_DROP_NONE);
  }
  g_assert_cmpint (open_copy (receiver, &frame), ==, BRAVIS_DROP_NONE);
}

static void
test_senders_name_is_known (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisReceiver) receiver = make_receiver (group, 1);
  BravisKid kid = { 1, 0, BRAVIS_KIND_VIDEO, 0 };
  g_autofree char *name = bravis_receiver_dup_sender_name (receiver,
      bravis_kid_pack (&kid));

  g_assert_cmpstr (name, ==, group->peers[0].name);
  kid.sender = 100;
  g_assert_null (bravis_receiver_dup_sender_name (receiver,
          bravis_kid_pack (&kid)));
}

int
main (int argc, char *argv[])
{
#define ADD(name) g_test_add_func ("/gst/guard/" #name, test_##name)
  g_test_init (&argc, &argv, NULL);
  ADD (frame_passes_from_member_to_member);
  ADD (rtp_keeps_its_header);
  ADD (rtp_around_is_the_same_as_in_place);
  ADD (padding_is_left_out);
  ADD (altered_rtp_header_is_refused_if_it_is_to_be_authentic);
  ADD (key_change_loses_no_frame);
  ADD (sender_stays_with_its_epoch_within_a_frame);
  ADD (counter_never_restarts_under_a_key);
  ADD (counters_are_not_used_past_the_last);
  ADD (key_protects_no_more_than_it_may);
  ADD (frame_before_its_epoch_can_be_tried_again);
  ADD (removed_member_cannot_read_next_epoch);
  ADD (newcomer_cannot_read_earlier_epoch);
  ADD (retired_epoch_is_refused);
  ADD (nothing_is_sent_once_sending_is_closed);
  ADD (nothing_is_sent_before_the_first_epoch);
  ADD (own_frame_that_comes_back_is_refused);
  ADD (kid_of_nobody_is_refused);
  ADD (other_kind_than_wanted_is_refused);
  ADD (policy_decides_the_cipher);
  ADD (replayed_frame_is_refused);
  ADD (flood_of_kids_brings_no_replay);
  ADD (reordered_frames_are_opened);
  ADD (forged_frame_moves_no_window);
  ADD (static_key_opens_each_senders_kid);
  ADD (many_kids_are_opened);
  ADD (static_key_is_not_claimed_twice);
  ADD (garbage_is_refused);
  ADD (cut_or_altered_frame_is_refused);
  ADD (senders_name_is_known);
  return g_test_run ();
}
