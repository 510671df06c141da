/* SRTP under a static key and in a group whose keys change. */
#include <string.h>

#include "../../gst/bravis-srtp.h"
#include "test-group.h"

#define ROOM 256
#define TEXT "the quick brown fox jumps over the lazy dog"
#define WINDOW 128
#define SSRC 0x01020304

typedef struct {
  guint8 data[ROOM] __attribute__ ((aligned (8)));
  gsize size;
} Packet;

static void
make_packet (Packet *packet, guint32 ssrc, guint16 sequence)
{
  guint8 header[12] = { 0x80, 96, sequence >> 8, sequence & 0xff, 0, 0, 0, 1,
    ssrc >> 24, ssrc >> 16 & 0xff, ssrc >> 8 & 0xff, ssrc & 0xff
  };

  memcpy (packet->data, header, sizeof header);
  memcpy (packet->data + sizeof header, TEXT, sizeof TEXT);
  packet->size = sizeof header + sizeof TEXT;
}

static BravisDrop
protect (BravisSrtpSender *sender, Packet *packet, guint32 ssrc,
    guint16 sequence)
{
  make_packet (packet, ssrc, sequence);
  return bravis_srtp_sender_protect (sender, packet->data, packet->size,
      &packet->size);
}

/* Opens a copy: the packet can be opened again. */
static BravisDrop
open_copy (BravisSrtpReceiver *receiver, const Packet *packet)
{
  Packet copy = *packet, original;
  guint64 kid;
  BravisDrop drop = bravis_srtp_receiver_open (receiver, copy.data, copy.size,
      &copy.size, &kid);

  if (drop == BRAVIS_DROP_NONE) {
    make_packet (&original, packet->data[8] << 24 | packet->data[9] << 16
        | packet->data[10] << 8 | packet->data[11],
        packet->data[2] << 8 | packet->data[3]);
    g_assert_cmpmem (copy.data, copy.size, original.data, original.size);
  }
  return drop;
}

static void
assert_passes (BravisSrtpSender *sender, BravisSrtpReceiver *receiver,
    guint16 sequence)
{
  Packet packet;

  g_assert_cmpint (protect (sender, &packet, SSRC, sequence), ==,
      BRAVIS_DROP_NONE);
  g_assert_cmpint (open_copy (receiver, &packet), ==, BRAVIS_DROP_NONE);
}

static BravisSrtpSender *
make_sender (TestGroup *group, guint peer)
{
  BravisEpochSource source = test_group_source (group, peer);
  BravisSrtpSender *sender = bravis_srtp_sender_new_epochs (&source,
      BRAVIS_KIND_VIDEO, 3, WINDOW);

  bravis_srtp_sender_take_epoch (sender);
  return sender;
}

static BravisSrtpReceiver *
make_receiver (TestGroup *group, guint peer)
{
  BravisEpochSource source = test_group_source (group, peer);

  return bravis_srtp_receiver_new_epochs (&source, WINDOW);
}

/* Sends (as many packets as it takes) until the roll-over counter is @roc. */
static void
roll_over (BravisSrtpSender *sender, BravisSrtpReceiver *receiver, guint roc)
{
  guint32 index;
  Packet packet;

  for (index = 0; index <= roc << 16; index += 0x4000) {
    protect (sender, &packet, SSRC, index & 0xffff);
    if (receiver)
      g_assert_cmpint (open_copy (receiver, &packet), ==, BRAVIS_DROP_NONE);
  }
}

static BravisSecret *
make_static_key (BravisSrtpProfile profile)
{
  return bravis_secret_new ("0123456789012345678901234567890123456789abcdef",
      bravis_srtp_key_size (profile));
}

static void
test_packet_passes_with_a_static_key (void)
{
  guint profile, i;

  for (profile = 0; profile <= BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_32; profile++) {
    g_autoptr (BravisSecret) key = make_static_key (profile);
    g_autoptr (BravisSrtpSender) sender =
        bravis_srtp_sender_new_static (profile, key, WINDOW);
    g_autoptr (BravisSrtpReceiver) receiver =
        bravis_srtp_receiver_new_static (profile, key, WINDOW);

    for (i = 0; i < 300; i++)
      assert_passes (sender, receiver, i);
  }
}

static void
test_key_of_the_wrong_length_is_refused (void)
{
  g_autoptr (BravisSecret) key = bravis_secret_new (TEXT, 29);
  guint profile;

  for (profile = 0; profile <= BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_32; profile++) {
    g_assert_null (bravis_srtp_sender_new_static (profile, key, WINDOW));
    g_assert_null (bravis_srtp_receiver_new_static (profile, key, WINDOW));
  }
}

static void
test_packet_passes_from_member_to_member (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  guint i;

  for (i = 0; i < 300; i++)
    assert_passes (sender, receiver, i);
}

static void
test_mki_is_the_kid (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  static const guint8 kid[] = { 0, 0, 0, 0, 0, 0x10, 0, 3 };
  Packet packet;

  protect (sender, &packet, SSRC, 1);
  g_assert_cmpmem (packet.data + packet.size - 8, 8, kid, 8);
}

static void
test_key_change_loses_no_packet (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  Packet late[10];
  guint i;

  assert_passes (sender, receiver, 0);
  for (i = 0; i < 10; i++)
    protect (sender, &late[i], SSRC, 1 + i);
  test_group_change_key (group, 3);
  g_assert_true (bravis_srtp_sender_take_epoch (sender));
  for (i = 0; i < 10; i++) {
    assert_passes (sender, receiver, 11 + i);
    g_assert_cmpint (open_copy (receiver, &late[i]), ==, BRAVIS_DROP_NONE);
  }
}

static void
test_key_change_keeps_the_roll_over_counter (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  guint i;

  roll_over (sender, receiver, 2);
  for (i = 1; i < 5; i++) {
    test_group_change_key (group, 3);
    bravis_srtp_sender_take_epoch (sender);
    assert_passes (sender, receiver, i);
  }
}

/* The last packet before the key change and the first one after it are on two
 * sides of the wrap. */
static void
test_sequence_may_wrap_at_a_key_change (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  guint i;

  for (i = 65500; i < 65536; i++)
    assert_passes (sender, receiver, i);
  test_group_change_key (group, 3);
  bravis_srtp_sender_take_epoch (sender);
  for (i = 0; i < 100; i++)
    assert_passes (sender, receiver, i);
  test_group_change_key (group, 3);
  bravis_srtp_sender_take_epoch (sender);
  for (i = 100; i < 200; i++)
    assert_passes (sender, receiver, i);
}

static void
test_newcomer_finds_the_roll_over_counter (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) newcomer = make_receiver (group, 1);
  guint i, opened = 0;
  Packet packet;

  roll_over (sender, NULL, 20);
  for (i = 1; i < 10; i++) {
    protect (sender, &packet, SSRC, i);
    opened += open_copy (newcomer, &packet) == BRAVIS_DROP_NONE;
  }
  g_assert_cmpuint (opened, >=, 7);
  for (; i < 100; i++)
    assert_passes (sender, newcomer, i);
}

/* Two at a time, packet by packet: each is found. */
static void
test_newcomer_finds_two_roll_over_counters (void)
{
  g_autoptr (TestGroup) group = test_group_new (3);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpSender) other = make_sender (group, 2);
  g_autoptr (BravisSrtpReceiver) newcomer = make_receiver (group, 1);
  guint i;
  Packet packet;

  roll_over (sender, NULL, 20);
  roll_over (other, NULL, 30);
  for (i = 1; i < 10; i++) {
    protect (sender, &packet, SSRC, i);
    open_copy (newcomer, &packet);
    protect (other, &packet, SSRC, i);
    open_copy (newcomer, &packet);
  }
  assert_passes (sender, newcomer, i);
  assert_passes (other, newcomer, i);
}

/* Nor what somebody says who has no key at all, between them. */
static void
test_forged_packets_do_not_keep_a_newcomer_from_the_counter (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) newcomer = make_receiver (group, 1);
  guint i;
  Packet packet;

  roll_over (sender, NULL, 20);
  for (i = 1; i < 10; i++) {
    protect (sender, &packet, SSRC, i);
    open_copy (newcomer, &packet);
    packet.data[11] ^= i;
    g_assert_cmpint (open_copy (newcomer, &packet), !=, BRAVIS_DROP_NONE);
  }
  assert_passes (sender, newcomer, i);
}

/* A member that sends with as many SSRCs as it can must not make a receiver lose
 * another's roll-over counter. */
static void
test_flood_of_ssrcs_takes_no_roll_over_counter (void)
{
  g_autoptr (TestGroup) group = test_group_new (3);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  g_autoptr (BravisSrtpSender) victim = make_sender (group, 0);
  BravisEpochSource source = { 0 };
  Packet packet;
  guint i;

  roll_over (victim, receiver, 2);
  for (i = 0; i < 2 * BRAVIS_MAX_STREAMS; i++) {
    g_autoptr (BravisSrtpSender) flooder = NULL;

    source = test_group_source (group, 2);
    flooder = bravis_srtp_sender_new_epochs (&source,
        (BravisKind) (i / BRAVIS_MAX_STREAMS), i % BRAVIS_MAX_STREAMS, WINDOW);
    bravis_srtp_sender_take_epoch (flooder);
    protect (flooder, &packet, SSRC, 1);
    g_assert_cmpint (open_copy (receiver, &packet), ==, BRAVIS_DROP_NONE);
  }
  assert_passes (victim, receiver, 1);
  test_group_change_key (group, 3);
  bravis_srtp_sender_take_epoch (victim);
  assert_passes (victim, receiver, 2);
}

static void
test_replayed_packet_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  Packet packets[100];
  guint i;

  for (i = 0; i < 100; i++) {
    protect (sender, &packets[i], SSRC, i);
    g_assert_cmpint (open_copy (receiver, &packets[i]), ==, BRAVIS_DROP_NONE);
  }
  test_group_change_key (group, 3);
  bravis_srtp_sender_take_epoch (sender);
  assert_passes (sender, receiver, 100);
  for (i = 0; i < 100; i++)
    g_assert_cmpint (open_copy (receiver, &packets[i]), ==,
        BRAVIS_DROP_REPLAYED);
}

/* A member that sends under as many KIDs as it can must not make a receiver
 * forget which packets of another it has seen. */
static void
test_flood_of_kids_brings_no_replay (void)
{
  g_autoptr (TestGroup) group = test_group_new (3);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  g_autoptr (BravisSrtpSender) victim = make_sender (group, 0);
  Packet packet, other;
  guint i;

  protect (victim, &packet, SSRC, 1);
  g_assert_cmpint (open_copy (receiver, &packet), ==, BRAVIS_DROP_NONE);
  for (i = 0; i < 2 * BRAVIS_MAX_STREAMS; i++) {
    BravisEpochSource source = test_group_source (group, 2);
    g_autoptr (BravisSrtpSender) flooder = bravis_srtp_sender_new_epochs
        (&source, (BravisKind) (i / BRAVIS_MAX_STREAMS), i % BRAVIS_MAX_STREAMS,
        WINDOW);

    bravis_srtp_sender_take_epoch (flooder);
    protect (flooder, &other, SSRC, 1);
    g_assert_cmpint (open_copy (receiver, &other), ==, BRAVIS_DROP_NONE);
  }
  g_assert_cmpint (open_copy (receiver, &packet), ==, BRAVIS_DROP_REPLAYED);
}

static void
test_sender_uses_no_index_twice (void)
{
  g_autoptr (BravisSecret) key = make_static_key (BRAVIS_SRTP_AES_128_GCM);
  g_autoptr (BravisSrtpSender) sender = bravis_srtp_sender_new_static
      (BRAVIS_SRTP_AES_128_GCM, key, WINDOW);
  Packet packet;

  g_assert_cmpint (protect (sender, &packet, SSRC, 7), ==, BRAVIS_DROP_NONE);
  g_assert_cmpint (protect (sender, &packet, SSRC, 7), ==,
      BRAVIS_DROP_REPLAYED);
}

static void
test_removed_member_cannot_read_next_epoch (void)
{
  g_autoptr (TestGroup) group = test_group_new (3);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) removed = make_receiver (group, 2);
  Packet packet, copy;
  guint64 kid;
  gsize size;

  assert_passes (sender, removed, 1);
  test_group_change_key (group, 3);
  bravis_srtp_sender_take_epoch (sender);
  protect (sender, &packet, SSRC, 2);
  copy = packet;
  g_assert_cmpint (bravis_srtp_receiver_open (removed, copy.data, copy.size,
          &size, &kid), ==, BRAVIS_DROP_UNKNOWN_EPOCH);
  g_assert_cmpmem (copy.data, copy.size, packet.data, packet.size);
}

static void
test_retired_epoch_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  Packet packet;

  assert_passes (sender, receiver, 1);
  bravis_epoch_retire (test_group_epoch (group, 1));
  protect (sender, &packet, SSRC, 2);
  g_assert_cmpint (open_copy (receiver, &packet), ==,
      BRAVIS_DROP_UNKNOWN_EPOCH);
}

static void
test_nothing_is_sent_once_sending_is_closed (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  Packet packet;

  bravis_epoch_close_sending (test_group_epoch (group, 0));
  g_assert_cmpint (protect (sender, &packet, SSRC, 2), ==, BRAVIS_DROP_NO_KEY);
}

static void
test_own_packet_that_comes_back_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) own = make_receiver (group, 0);
  Packet packet;

  protect (sender, &packet, SSRC, 2);
  g_assert_cmpint (open_copy (own, &packet), ==, BRAVIS_DROP_UNKNOWN_SENDER);
}

static void
test_other_kind_than_wanted_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  Packet packet;

  bravis_srtp_receiver_set_kind (receiver, BRAVIS_KIND_AUDIO);
  protect (sender, &packet, SSRC, 2);
  g_assert_cmpint (open_copy (receiver, &packet), ==, BRAVIS_DROP_NOT_ALLOWED);
}

static void
check_garbage (BravisSrtpReceiver *receiver)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  gsize size, i, out;
  guint64 kid;

  for (size = 0; size <= 2000; size++) {
    g_autofree guint8 *data = g_malloc (size + 1);

    for (i = 0; i < size; i++)
      data[i] = g_rand_int (rand);
    if (size && size % 2)
      data[0] = 0x80 | (data[0] & 0x3f);
    g_assert_cmpint (bravis_srtp_receiver_open (receiver, data, size, &out,
            &kid), !=, BRAVIS_DROP_NONE);
  }
}

static void
test_garbage_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpReceiver) member = make_receiver (group, 1);
  guint profile;

  check_garbage (member);
  for (profile = 0; profile <= BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_32; profile++) {
    g_autoptr (BravisSecret) key = make_static_key (profile);
    g_autoptr (BravisSrtpReceiver) receiver =
        bravis_srtp_receiver_new_static (profile, key, WINDOW);

    check_garbage (receiver);
  }
}

static void
check_damage (BravisSrtpSender *sender, BravisSrtpReceiver *receiver)
{
  Packet packet, bad;
  gsize i;

  assert_passes (sender, receiver, 1);
  protect (sender, &packet, SSRC, 2);
  for (i = 0; i < packet.size; i++) {
    bad = packet;
    bad.size = i;
    g_assert_cmpint (open_copy (receiver, &bad), !=, BRAVIS_DROP_NONE);
  }
  for (i = 0; i < packet.size * 8; i++) {
    bad = packet;
    bad.data[i / 8] ^= 1 << i % 8;
    g_assert_cmpint (open_copy (receiver, &bad), !=, BRAVIS_DROP_NONE);
  }
  g_assert_cmpint (open_copy (receiver, &packet), ==, BRAVIS_DROP_NONE);
}

static void
test_cut_or_altered_packet_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) member = make_receiver (group, 1);
  guint profile;

  check_damage (sender, member);
  for (profile = 0; profile <= BRAVIS_SRTP_AES_128_CM_HMAC_SHA1_32; profile++) {
    g_autoptr (BravisSecret) key = make_static_key (profile);
    g_autoptr (BravisSrtpSender) other =
        bravis_srtp_sender_new_static (profile, key, WINDOW);
    g_autoptr (BravisSrtpReceiver) receiver =
        bravis_srtp_receiver_new_static (profile, key, WINDOW);

    check_damage (other, receiver);
  }
}

static void
test_key_protects_no_more_than_it_may (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = NULL;
  Packet packet;

  group->key_packets = 64;
  sender = make_sender (group, 0);
  for (guint i = 0; i < 64; i++)
    g_assert_cmpint (protect (sender, &packet, SSRC, i), ==, BRAVIS_DROP_NONE);
  g_assert_cmpuint (group->peers[0].n_asked, ==, 4);
  g_assert_cmpint (protect (sender, &packet, SSRC, 64), ==, BRAVIS_DROP_NO_KEY);
  test_group_change_key (group, 3);
  bravis_srtp_sender_take_epoch (sender);
  g_assert_cmpint (protect (sender, &packet, SSRC, 65), ==, BRAVIS_DROP_NONE);
}

/* --- RTCP --- */

#define REPORT 28               /* octets of a sender report without blocks */

static BravisDrop
protect_report (BravisSrtpSender *sender, Packet *packet, guint8 number)
{
  const guint8 report[REPORT] = { 0x80, 200, 0, 6, 1, 2, 3, 4, [27] = number };

  memcpy (packet->data, report, sizeof report);
  packet->size = sizeof report;
  return bravis_srtp_sender_protect_rtcp (sender, packet->data, packet->size,
      &packet->size);
}

static BravisDrop
open_report (BravisSrtpReceiver *receiver, const Packet *packet, guint8 number)
{
  const guint8 report[REPORT] = { 0x80, 200, 0, 6, 1, 2, 3, 4, [27] = number };
  Packet copy = *packet;
  guint64 kid;
  BravisDrop drop = bravis_srtp_receiver_open_rtcp (receiver, copy.data,
      copy.size, &copy.size, &kid);

  if (drop == BRAVIS_DROP_NONE)
    g_assert_cmpmem (copy.data, copy.size, report, sizeof report);
  return drop;
}

static void
test_reports_pass_from_member_to_member_over_key_changes (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  Packet packet;

  for (guint change = 0; change < 3; change++) {
    for (guint i = 0; i < 10; i++) {
      g_assert_cmpint (protect_report (sender, &packet, i), ==,
          BRAVIS_DROP_NONE);
      g_assert_cmpuint (packet.size, <=, REPORT + BRAVIS_SRTP_OVERHEAD);
      g_assert_cmpint (open_report (receiver, &packet, i), ==,
          BRAVIS_DROP_NONE);
      g_assert_cmpint (open_report (receiver, &packet, i), ==,
          BRAVIS_DROP_REPLAYED);
    }
    test_group_change_key (group, 2 + change);
    bravis_srtp_sender_take_epoch (sender);
  }
}

static void
test_cut_or_altered_report_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);
  Packet packet;

  protect_report (sender, &packet, 1);
  for (gsize size = 0; size < packet.size; size++) {
    Packet cut = packet;

    cut.size = size;
    g_assert_cmpint (open_report (receiver, &cut, 1), !=, BRAVIS_DROP_NONE);
  }
  for (gsize i = 0; i < 8 * packet.size; i++) {
    packet.data[i / 8] ^= 1 << i % 8;
    g_assert_cmpint (open_report (receiver, &packet, 1), !=, BRAVIS_DROP_NONE);
    packet.data[i / 8] ^= 1 << i % 8;
  }
  g_assert_cmpint (open_report (receiver, &packet, 1), ==, BRAVIS_DROP_NONE);
}

static void
test_what_is_no_rtcp_is_refused (void)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group, 0);
  Packet packet;

  make_packet (&packet, SSRC, 1);
  g_assert_cmpint (bravis_srtp_sender_protect_rtcp (sender, packet.data,
          packet.size, &packet.size), ==, BRAVIS_DROP_MALFORMED);
  g_assert_cmpint (bravis_srtp_sender_protect_rtcp (sender, packet.data, 7,
          &packet.size), ==, BRAVIS_DROP_MALFORMED);
}

/* Whatever the policy names, SRTP has something for it, and it passes. */
static void
test_every_cipher_of_the_policy_passes (void)
{
  static const BravisCipher ciphers[] = {
    BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_80,
    BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_64,
    BRAVIS_CIPHER_AES_128_CTR_HMAC_SHA256_32, BRAVIS_CIPHER_AES_128_GCM,
    BRAVIS_CIPHER_AES_256_GCM, BRAVIS_CIPHER_CHACHA20_POLY1305,
    BRAVIS_CIPHER_PUZZLE
  };

  for (guint i = 0; i < G_N_ELEMENTS (ciphers); i++) {
    g_autoptr (TestGroup) group = test_group_new (2);
    g_autoptr (BravisSrtpSender) sender = NULL;
    g_autoptr (BravisSrtpReceiver) receiver = make_receiver (group, 1);

    group->policy.cipher[BRAVIS_KIND_VIDEO] = ciphers[i];
    test_group_change_key (group, 3);
    sender = make_sender (group, 0);
    assert_passes (sender, receiver, 1);
  }
}

int
main (int argc, char *argv[])
{
#define ADD(name) g_test_add_func ("/gst/srtp/" #name, test_##name)
  g_test_init (&argc, &argv, NULL);
  ADD (packet_passes_with_a_static_key);
  ADD (key_of_the_wrong_length_is_refused);
  ADD (packet_passes_from_member_to_member);
  ADD (mki_is_the_kid);
  ADD (key_change_loses_no_packet);
  ADD (key_change_keeps_the_roll_over_counter);
  ADD (sequence_may_wrap_at_a_key_change);
  ADD (newcomer_finds_the_roll_over_counter);
  ADD (newcomer_finds_two_roll_over_counters);
  ADD (forged_packets_do_not_keep_a_newcomer_from_the_counter);
  ADD (flood_of_ssrcs_takes_no_roll_over_counter);
  ADD (replayed_packet_is_refused);
  ADD (flood_of_kids_brings_no_replay);
  ADD (sender_uses_no_index_twice);
  ADD (removed_member_cannot_read_next_epoch);
  ADD (retired_epoch_is_refused);
  ADD (nothing_is_sent_once_sending_is_closed);
  ADD (own_packet_that_comes_back_is_refused);
  ADD (other_kind_than_wanted_is_refused);
  ADD (garbage_is_refused);
  ADD (cut_or_altered_packet_is_refused);
  ADD (key_protects_no_more_than_it_may);
  ADD (reports_pass_from_member_to_member_over_key_changes);
  ADD (cut_or_altered_report_is_refused);
  ADD (what_is_no_rtcp_is_refused);
  ADD (every_cipher_of_the_policy_passes);
  return g_test_run ();
}
