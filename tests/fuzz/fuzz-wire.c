/* Reads the input by a script of its own first octets, in every way the bounded
 * reader knows. Whatever is asked, no read passes the end, what fails stays
 * failed, and a failed reader gives nothing but zeros. */
#include "../../gcp/gcp-wire.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static gboolean
is_inside (const guint8 *span, gsize span_size, const guint8 *data, gsize size)
{
  return span_size == 0 || (span >= data && span + span_size <= data + size);
}

static guint64
read_integer (GcpReader *reader, guint8 what)
{
  switch (what) {
    case 0:
      return gcp_read_u8 (reader);
    case 1:
      return gcp_read_u16 (reader);
    case 2:
      return gcp_read_u24 (reader);
    case 3:
      return gcp_read_u32 (reader);
    default:
      return gcp_read_u64 (reader);
  }
}

static const guint8 *
read_vector (GcpReader *reader, guint8 what, gsize max, gsize *size)
{
  if (what == 5)
    return gcp_read_vector8 (reader, max, size);
  if (what == 6)
    return gcp_read_vector16 (reader, max, size);
  return gcp_read_vector24 (reader, max, size);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gsize script = size / 4;
  GcpReader reader;

  gcp_reader_init (&reader, data + script, size - script);
  for (gsize i = 0; i < script; i++) {
    guint8 what = data[i] % 10;
    gsize limit = data[i] / 10;
    gboolean failed = reader.failed;
    const guint8 *span = NULL;
    gsize span_size = 0;
    guint64 integer = 0;
    guint8 copy[32];

    if (what < 5) {
      integer = read_integer (&reader, what);
      g_assert_true (!reader.failed || integer == 0);
    } else if (what < 8) {
      span = read_vector (&reader, what, limit, &span_size);
      g_assert_cmpuint (span_size, <=, limit);
    } else if (what == 8) {
      span = gcp_read_span (&reader, limit);
      span_size = span ? limit : 0;
    } else {
      gcp_read_bytes (&reader, copy, limit);
      if (reader.failed)
        g_assert_true (limit == 0 || (copy[0] == 0
                && memcmp (copy, copy + 1, limit - 1) == 0));
    }
    g_assert_true (is_inside (span, span_size, data, size));
    g_assert_true (!failed || reader.failed);
    g_assert_true (!reader.failed || (!span && gcp_reader_left (&reader) == 0
            && !gcp_reader_finish (&reader)));
  }
  return 0;
}
