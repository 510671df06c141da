#include "gcp-wire.h"

#include <string.h>

void
gcp_reader_init (GcpReader *reader, gconstpointer data, gsize size)
{
  *reader = (GcpReader) { .data = data, .size = size };
}

void
gcp_reader_init_bytes (GcpReader *reader, GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  gcp_reader_init (reader, data, size);
}

void
gcp_reader_fail (GcpReader *reader)
{
  reader->failed = TRUE;
}

gsize
gcp_reader_left (const GcpReader *reader)
{
  return reader->failed ? 0 : reader->size - reader->at;
}

gboolean
gcp_reader_finish (const GcpReader *reader)
{
  return !reader->failed && reader->at == reader->size;
}

const guint8 *
gcp_read_span (GcpReader *reader, gsize size)
{
  /* An empty span of an empty reader is not NULL: that means failure. */
  static const guint8 nothing[1];
  const guint8 *span;

  if (reader->failed || size > reader->size - reader->at) {
    reader->failed = TRUE;
    return NULL;
  }
  if (size == 0)
    return nothing;
  span = reader->data + reader->at;
  reader->at += size;
  return span;
}

static guint64
read_unsigned (GcpReader *reader, gsize size)
{
  const guint8 *span = gcp_read_span (reader, size);
  guint64 value = 0;

  for (gsize i = 0; span && i < size; i++)
    value = value << 8 | span[i];
  return value;
}

guint8
gcp_read_u8 (GcpReader *reader)
{
  return read_unsigned (reader, 1);
}

guint16
gcp_read_u16 (GcpReader *reader)
{
  return read_unsigned (reader, 2);
}

guint32
gcp_read_u24 (GcpReader *reader)
{
  return read_unsigned (reader, 3);
}

guint32
gcp_read_u32 (GcpReader *reader)
{
  return read_unsigned (reader, 4);
}

guint64
gcp_read_u64 (GcpReader *reader)
{
  return read_unsigned (reader, 8);
}

void
gcp_read_bytes (GcpReader *reader, gpointer out, gsize size)
{
  const guint8 *span = gcp_read_span (reader, size);

  if (span)
    memcpy (out, span, size);
  else
    memset (out, 0, size);
}

static const guint8 *
read_vector (GcpReader *reader, gsize length_size, gsize max, gsize *size)
{
  gsize length = read_unsigned (reader, length_size);
  const guint8 *span;

  if (length > max)
    reader->failed = TRUE;
  span = gcp_read_span (reader, length);
  *size = span ? length : 0;
  return span;
}

const guint8 *
gcp_read_vector8 (GcpReader *reader, gsize max, gsize *size)
{
  return read_vector (reader, 1, max, size);
}

const guint8 *
gcp_read_vector16 (GcpReader *reader, gsize max, gsize *size)
{
  return read_vector (reader, 2, max, size);
}

const guint8 *
gcp_read_vector24 (GcpReader *reader, gsize max, gsize *size)
{
  return read_vector (reader, 3, max, size);
}

GBytes *
gcp_read_vector24_bytes (GcpReader *reader, gsize max)
{
  gsize size;
  const guint8 *data = gcp_read_vector24 (reader, max, &size);

  return data ? g_bytes_new (data, size) : NULL;
}

void
gcp_writer_init (GcpWriter *writer)
{
  writer->array = g_byte_array_sized_new (128);
}

void
gcp_writer_clear (GcpWriter *writer)
{
  g_clear_pointer (&writer->array, g_byte_array_unref);
}

static void
write_unsigned (GcpWriter *writer, guint64 value, gsize size)
{
  guint8 octets[8];

  g_assert (size == 8 || value >> (8 * size) == 0);
  for (gsize i = 0; i < size; i++)
    octets[i] = value >> (8 * (size - 1 - i));
  g_byte_array_append (writer->array, octets, size);
}

void
gcp_write_u8 (GcpWriter *writer, guint8 value)
{
  write_unsigned (writer, value, 1);
}

void
gcp_write_u16 (GcpWriter *writer, guint16 value)
{
  write_unsigned (writer, value, 2);
}

void
gcp_write_u24 (GcpWriter *writer, guint32 value)
{
  write_unsigned (writer, value, 3);
}

void
gcp_write_u32 (GcpWriter *writer, guint32 value)
{
  write_unsigned (writer, value, 4);
}

void
gcp_write_u64 (GcpWriter *writer, guint64 value)
{
  write_unsigned (writer, value, 8);
}

void
gcp_write_bytes (GcpWriter *writer, gconstpointer data, gsize size)
{
  if (size > 0)
    g_byte_array_append (writer->array, data, size);
}

void
gcp_write_vector8 (GcpWriter *writer, gconstpointer data, gsize size)
{
  write_unsigned (writer, size, 1);
  gcp_write_bytes (writer, data, size);
}

void
gcp_write_vector16 (GcpWriter *writer, gconstpointer data, gsize size)
{
  write_unsigned (writer, size, 2);
  gcp_write_bytes (writer, data, size);
}

void
gcp_write_vector24 (GcpWriter *writer, gconstpointer data, gsize size)
{
  write_unsigned (writer, size, 3);
  gcp_write_bytes (writer, data, size);
}

void
gcp_write_vector24_bytes (GcpWriter *writer, GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  gcp_write_vector24 (writer, data, size);
}

GBytes *
gcp_writer_finish (GcpWriter *writer)
{
  return g_byte_array_free_to_bytes (g_steal_pointer (&writer->array));
}
