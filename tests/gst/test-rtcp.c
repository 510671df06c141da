/* RTCP of one source is taken; nothing else is. */
#include "../../gst/bravis-rtcp.h"

#include <string.h>

#define SSRC 1, 2, 3, 4
#define OTHER 9, 9, 9, 9

#define ASSERT_TAKEN(...) G_STMT_START { \
  const guint8 rtcp_[] = { __VA_ARGS__ }; \
  guint32 ssrc_ = 0; \
  g_assert_true (bravis_rtcp_check (rtcp_, sizeof rtcp_, &ssrc_)); \
  g_assert_cmphex (ssrc_, ==, 0x01020304); \
} G_STMT_END

#define ASSERT_REFUSED(...) G_STMT_START { \
  const guint8 rtcp_[] = { __VA_ARGS__ }; \
  guint32 ssrc_; \
  g_assert_false (bravis_rtcp_check (rtcp_, sizeof rtcp_, &ssrc_)); \
} G_STMT_END

#define RR 0x80, 201, 0, 1, SSRC
#define SDES 0x81, 202, 0, 2, SSRC, 1, 1, 'a', 0
#define BYE 0x81, 203, 0, 1, SSRC
#define PLI 0x81, 206, 0, 2, SSRC, 5, 6, 7, 8

static void
test_one_source_is_taken (void)
{
  ASSERT_TAKEN (RR);
  ASSERT_TAKEN (PLI);
  ASSERT_TAKEN (RR, SDES);
  ASSERT_TAKEN (RR, SDES, BYE, PLI);
}

static void
test_second_source_is_refused (void)
{
  ASSERT_REFUSED (RR, 0x80, 201, 0, 1, OTHER);
  ASSERT_REFUSED (RR, 0x81, 202, 0, 2, OTHER, 1, 1, 'a', 0);
  ASSERT_REFUSED (RR, 0x81, 203, 0, 1, OTHER);
  ASSERT_REFUSED (RR, 0x82, 203, 0, 2, SSRC, OTHER);
  ASSERT_REFUSED (RR, 0x82, 202, 0, 4, SSRC, 1, 1, 'a', 0, OTHER, 1, 1, 'b', 0);
}

static void
test_other_things_are_refused (void)
{
  guint32 ssrc;

  g_assert_false (bravis_rtcp_check (NULL, 0, &ssrc));
  ASSERT_REFUSED (0x40, 201, 0, 1, SSRC);       /* version */
  ASSERT_REFUSED (0x80, 199, 0, 1, SSRC);
  ASSERT_REFUSED (0x80, 208, 0, 1, SSRC);
  ASSERT_REFUSED (0x80, 201, 0, 0, SSRC);       /* no room for its SSRC */
  ASSERT_REFUSED (0x80, 203, 0, 1, SSRC);       /* of nobody */
  ASSERT_REFUSED (RR, 0);
}

static void
test_every_cut_is_refused (void)
{
  const guint8 whole[] = { RR, SDES, PLI };
  guint32 ssrc;

  for (gsize size = 0; size < sizeof whole; size++)
    g_assert_cmpint (bravis_rtcp_check (whole, size, &ssrc), ==,
        size == 8 || size == 20);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/rtcp/one_source_is_taken", test_one_source_is_taken);
  g_test_add_func ("/gst/rtcp/second_source_is_refused",
      test_second_source_is_refused);
  g_test_add_func ("/gst/rtcp/other_things_are_refused",
      test_other_things_are_refused);
  g_test_add_func ("/gst/rtcp/every_cut_is_refused", test_every_cut_is_refused);
  return g_test_run ();
}
