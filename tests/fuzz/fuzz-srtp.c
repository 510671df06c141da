/* SRTP and SRTCP packets, under a static key of the profile that the first octet says,
 * or to a member of a group. */
#include <string.h>

#include "../../gst/bravis-srtp.h"
#include "../gst/test-group.h"

#define WINDOW 128

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static BravisDrop
open_one (BravisSrtpReceiver *receiver, gboolean rtcp, guint8 *data, gsize size,
    gsize *out_size)
{
  guint64 kid;

  return rtcp
      ? bravis_srtp_receiver_open_rtcp (receiver, data, size, out_size, &kid)
      : bravis_srtp_receiver_open (receiver, data, size, out_size, &kid);
}

/* Nobody but the members can make what opens here. */
static void
open_as_member (gboolean rtcp, const guint8 *data, gsize size)
{
  static TestGroup *group = NULL;
  g_autofree guint8 *copy = g_memdup2 (data, size);
  g_autoptr (BravisSrtpReceiver) receiver = NULL;
  BravisEpochSource source;
  gsize out_size;

  if (group == NULL)
    group = test_group_new (2);
  source = test_group_source (group, 1);
  receiver = bravis_srtp_receiver_new_epochs (&source, WINDOW);
  g_assert_cmpint (open_one (receiver, rtcp, copy, size, &out_size), !=,
      BRAVIS_DROP_NONE);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  BravisSrtpProfile profile;
  g_autoptr (BravisSecret) key = NULL;
  g_autoptr (BravisSrtpReceiver) receiver = NULL;
  g_autofree guint8 *copy = NULL;
  gboolean rtcp;
  gsize out_size;

  if (size < 1)
    return 0;
  rtcp = (data[0] & 0x40) != 0;
  if (data[0] & 0x80) {
    open_as_member (rtcp, data + 1, size - 1);
    return 0;
  }
  profile = data[0] % 4;
  key = bravis_secret_new ("0123456789abcdef0123456789abcdef0123456789abcdef",
      bravis_srtp_key_size (profile));
  receiver = bravis_srtp_receiver_new_static (profile, key, WINDOW);
  copy = g_memdup2 (data + 1, size - 1);
  if (open_one (receiver, rtcp, copy, size - 1, &out_size) != BRAVIS_DROP_NONE)
    return 0;
  g_assert_cmpuint (out_size, <=, size - 1);
  memcpy (copy, data + 1, size - 1);
  g_assert_cmpint (open_one (receiver, rtcp, copy, size - 1, &out_size), ==,
      BRAVIS_DROP_REPLAYED);
  return 0;
}
