#include "../../gcp/gcp-wire.h"

#include <string.h>

static void
test_what_is_written_is_read (void)
{
  g_auto (GcpWriter) writer = { 0 };
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) inner = g_bytes_new ("inner", 5);
  g_autoptr (GBytes) got = NULL;
  const guint8 *span;
  GcpReader reader;
  guint8 raw[3];
  gsize size;

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, 0xfe);
  gcp_write_u16 (&writer, 0x0102);
  gcp_write_u24 (&writer, 0x010203);
  gcp_write_u32 (&writer, 0x01020304);
  gcp_write_u64 (&writer, G_GUINT64_CONSTANT (0xf102030405060708));
  gcp_write_bytes (&writer, "raw", 3);
  gcp_write_vector8 (&writer, "one", 3);
  gcp_write_vector16 (&writer, NULL, 0);
  gcp_write_vector24 (&writer, "three", 5);
  gcp_write_vector24_bytes (&writer, inner);
  bytes = gcp_writer_finish (&writer);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==,
      1 + 2 + 3 + 4 + 8 + 3 + 4 + 2 + 8 + 8);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), 6,
      "\xfe\x01\x02\x01\x02\x03", 6);

  gcp_reader_init_bytes (&reader, bytes);
  g_assert_cmpuint (gcp_read_u8 (&reader), ==, 0xfe);
  g_assert_cmpuint (gcp_read_u16 (&reader), ==, 0x0102);
  g_assert_cmpuint (gcp_read_u24 (&reader), ==, 0x010203);
  g_assert_cmpuint (gcp_read_u32 (&reader), ==, 0x01020304);
  g_assert_cmpuint (gcp_read_u64 (&reader), ==,
      G_GUINT64_CONSTANT (0xf102030405060708));
  gcp_read_bytes (&reader, raw, 3);
  g_assert_cmpmem (raw, 3, "raw", 3);
  span = gcp_read_vector8 (&reader, 3, &size);
  g_assert_cmpmem (span, size, "one", 3);
  span = gcp_read_vector16 (&reader, 0, &size);
  g_assert_nonnull (span);
  g_assert_cmpuint (size, ==, 0);
  span = gcp_read_vector24 (&reader, 5, &size);
  g_assert_cmpmem (span, size, "three", 5);
  got = gcp_read_vector24_bytes (&reader, 100);
  g_assert_true (g_bytes_equal (got, inner));
  g_assert_cmpuint (gcp_reader_left (&reader), ==, 0);
  g_assert_true (gcp_reader_finish (&reader));
}

static void
test_reading_past_the_end_fails_for_good (void)
{
  static const guint8 data[] = { 1, 2, 3 };
  GcpReader reader;
  guint8 out[4] = { 9, 9, 9, 9 };
  gsize size = 9;

  gcp_reader_init (&reader, data, sizeof data);
  g_assert_cmpuint (gcp_read_u16 (&reader), ==, 0x0102);
  g_assert_cmpuint (gcp_read_u16 (&reader), ==, 0);
  g_assert_cmpuint (gcp_read_u8 (&reader), ==, 0);
  gcp_read_bytes (&reader, out, sizeof out);
  g_assert_cmpmem (out, 4, "\0\0\0\0", 4);
  g_assert_null (gcp_read_span (&reader, 0));
  g_assert_null (gcp_read_vector8 (&reader, 9, &size));
  g_assert_cmpuint (size, ==, 0);
  g_assert_null (gcp_read_vector24_bytes (&reader, 9));
  g_assert_cmpuint (gcp_reader_left (&reader), ==, 0);
  g_assert_false (gcp_reader_finish (&reader));
}

static void
test_every_truncation_fails (void)
{
  g_auto (GcpWriter) writer = { 0 };
  g_autoptr (GBytes) bytes = NULL;
  gsize whole;
  gconstpointer data;

  gcp_writer_init (&writer);
  gcp_write_u16 (&writer, 7);
  gcp_write_vector8 (&writer, "abc", 3);
  gcp_write_vector16 (&writer, "defg", 4);
  gcp_write_vector24 (&writer, "h", 1);
  bytes = gcp_writer_finish (&writer);
  data = g_bytes_get_data (bytes, &whole);
  for (gsize cut = 0; cut <= whole; cut++) {
    g_autofree guint8 *exact = g_memdup2 (data, cut);
    GcpReader reader;
    gsize size;

    gcp_reader_init (&reader, exact, cut);
    gcp_read_u16 (&reader);
    gcp_read_vector8 (&reader, 255, &size);
    gcp_read_vector16 (&reader, 255, &size);
    gcp_read_vector24 (&reader, 255, &size);
    g_assert_true (gcp_reader_finish (&reader) == (cut == whole));
  }
}

static void
test_too_long_a_vector_fails (void)
{
  static const guint8 data[] = { 4, 'a', 'b', 'c', 'd' };
  GcpReader reader;
  gsize size;

  gcp_reader_init (&reader, data, sizeof data);
  g_assert_null (gcp_read_vector8 (&reader, 3, &size));
  g_assert_cmpuint (size, ==, 0);
  g_assert_false (gcp_reader_finish (&reader));
}

static void
test_leftovers_are_no_finish (void)
{
  GcpReader reader;

  gcp_reader_init (&reader, "ab", 2);
  gcp_read_u8 (&reader);
  g_assert_cmpuint (gcp_reader_left (&reader), ==, 1);
  g_assert_false (gcp_reader_finish (&reader));
}

static void
test_huge_span_does_not_wrap (void)
{
  GcpReader reader;

  gcp_reader_init (&reader, "abcd", 4);
  gcp_read_u8 (&reader);
  g_assert_null (gcp_read_span (&reader, G_MAXSIZE));
  g_assert_false (gcp_reader_finish (&reader));
}

static void
test_failed_by_hand (void)
{
  GcpReader reader;

  gcp_reader_init (&reader, "", 0);
  g_assert_true (gcp_reader_finish (&reader));
  g_assert_nonnull (gcp_read_span (&reader, 0));
  gcp_reader_fail (&reader);
  g_assert_false (gcp_reader_finish (&reader));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gcp/wire/what_is_written_is_read",
      test_what_is_written_is_read);
  g_test_add_func ("/gcp/wire/reading_past_the_end_fails_for_good",
      test_reading_past_the_end_fails_for_good);
  g_test_add_func ("/gcp/wire/every_truncation_fails",
      test_every_truncation_fails);
  g_test_add_func ("/gcp/wire/too_long_a_vector_fails",
      test_too_long_a_vector_fails);
  g_test_add_func ("/gcp/wire/leftovers_are_no_finish",
      test_leftovers_are_no_finish);
  g_test_add_func ("/gcp/wire/huge_span_does_not_wrap",
      test_huge_span_does_not_wrap);
  g_test_add_func ("/gcp/wire/failed_by_hand", test_failed_by_hand);
  return g_test_run ();
}
