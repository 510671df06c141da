/* How many packets one key protects (docs/protocol.md, section 6.6): those of
 * SRTCP count as those of SRTP do, and together with them where the key is the same. */
#include "../../gst/bravis-srtp.h"
#include "test-group.h"

#define WINDOW 128
#define MAY 64                  /* packets, of a key */

static BravisSrtpSender *
make_sender (TestGroup *group)
{
  BravisEpochSource source;
  BravisSrtpSender *sender;

  group->key_packets = MAY;
  source = test_group_source (group, 0);
  sender = bravis_srtp_sender_new_epochs (&source, BRAVIS_KIND_SIGNALLING, 0,
      WINDOW);
  bravis_srtp_sender_take_epoch (sender);
  return sender;
}

static BravisDrop
protect_report (BravisSrtpSender *sender)
{
  guint8 packet[28 + BRAVIS_SRTP_OVERHEAD] __attribute__ ((aligned (8))) = {
    0x80, 200, 0, 6, 1, 2, 3, 4
  };
  gsize size;

  return bravis_srtp_sender_protect_rtcp (sender, packet, 28, &size);
}

static BravisDrop
protect_media (BravisSrtpSender *sender, guint8 sequence)
{
  guint8 packet[32 + BRAVIS_SRTP_OVERHEAD] __attribute__ ((aligned (8))) = {
    0x80, 96, 0, sequence, 0, 0, 0, 1, 1, 2, 3, 4
  };
  gsize size;

  return bravis_srtp_sender_protect (sender, packet, 32, &size);
}

/* At half of what it may a key is asked for, and at each eighth more. */
static guint
asked_after (guint n_protected)
{
  return n_protected <= MAY / 2 ? 0 : (n_protected - MAY / 2 - 1) / (MAY / 8) + 1;
}

/* Of each @every packets one is a report, the others are media. */
static void
check (guint every)
{
  g_autoptr (TestGroup) group = test_group_new (2);
  g_autoptr (BravisSrtpSender) sender = make_sender (group);

  for (guint i = 0; i < MAY; i++) {
    g_assert_cmpuint (group->peers[0].n_asked, ==, asked_after (i));
    g_assert_cmpint (i % every == 0 ? protect_report (sender)
        : protect_media (sender, i), ==, BRAVIS_DROP_NONE);
  }
  g_assert_cmpint (protect_report (sender), ==, BRAVIS_DROP_NO_KEY);
  g_assert_cmpint (protect_media (sender, MAY), ==, BRAVIS_DROP_NO_KEY);
  test_group_change_key (group, 3);
  bravis_srtp_sender_take_epoch (sender);
  g_assert_cmpint (protect_report (sender), ==, BRAVIS_DROP_NONE);
}

static void
test_reports_alone_use_a_key_up (void)
{
  check (1);
}

static void
test_reports_and_media_use_one_key_up_together (void)
{
  check (2);
  check (7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gst/key-volume/" #name, test_ ## name)
  ADD (reports_alone_use_a_key_up);
  ADD (reports_and_media_use_one_key_up_together);
#undef ADD
  return g_test_run ();
}
