/* gcp-wire.h: the one bounded reader and the one bounded writer
 *
 * Everything that comes from or goes to the network is read and written
 * through these two. Lengths are checked here and nowhere else.
 *
 * Integers are big-endian. A "vector" is a length followed by that many
 * bytes; the length is 8, 16 or 24 bits wide.
 *
 * A reader never reads past its end: the first read that does not fit makes
 * the reader fail for good, and this read and all later ones give zeros,
 * empty spans or NULL. So a parser reads everything first and asks once, at
 * the end, with gcp_reader_finish().
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const guint8 *data;           /* borrowed */
  gsize size;
  gsize at;
  gboolean failed;
} GcpReader;

void gcp_reader_init (GcpReader *reader, gconstpointer data, gsize size);
void gcp_reader_init_bytes (GcpReader *reader, GBytes *bytes);

guint8 gcp_read_u8 (GcpReader *reader);
guint16 gcp_read_u16 (GcpReader *reader);
guint32 gcp_read_u24 (GcpReader *reader);
guint32 gcp_read_u32 (GcpReader *reader);
guint64 gcp_read_u64 (GcpReader *reader);

/* Copies @size bytes to @out, which is zeroed where the read fails. */
void gcp_read_bytes (GcpReader *reader, gpointer out, gsize size);

/* The next @size bytes in place, borrowed from the reader's data. NULL where
 * the read fails. */
const guint8 *gcp_read_span (GcpReader *reader, gsize size);

/* A vector of at most @max bytes, in place; a longer one fails the reader.
 * Never NULL unless the reader failed. */
const guint8 *gcp_read_vector8 (GcpReader *reader, gsize max, gsize *size);
const guint8 *gcp_read_vector16 (GcpReader *reader, gsize max, gsize *size);
const guint8 *gcp_read_vector24 (GcpReader *reader, gsize max, gsize *size);

/* As above, as an owned copy. NULL where the reader failed. */
GBytes *gcp_read_vector24_bytes (GcpReader *reader, gsize max);

/* Makes the reader fail: for a value that is out of its range. */
void gcp_reader_fail (GcpReader *reader);

gsize gcp_reader_left (const GcpReader *reader);

/* TRUE when nothing failed and nothing is left over. */
gboolean gcp_reader_finish (const GcpReader *reader);

/* A writer grows as it is written to. A vector longer than its length field
 * can say is a programming error. */
typedef struct {
  GByteArray *array;            /* owned until gcp_writer_finish() */
} GcpWriter;

void gcp_writer_init (GcpWriter *writer);
void gcp_writer_clear (GcpWriter *writer);

void gcp_write_u8 (GcpWriter *writer, guint8 value);
void gcp_write_u16 (GcpWriter *writer, guint16 value);
void gcp_write_u24 (GcpWriter *writer, guint32 value);
void gcp_write_u32 (GcpWriter *writer, guint32 value);
void gcp_write_u64 (GcpWriter *writer, guint64 value);
void gcp_write_bytes (GcpWriter *writer, gconstpointer data, gsize size);
void gcp_write_vector8 (GcpWriter *writer, gconstpointer data, gsize size);
void gcp_write_vector16 (GcpWriter *writer, gconstpointer data, gsize size);
void gcp_write_vector24 (GcpWriter *writer, gconstpointer data, gsize size);
void gcp_write_vector24_bytes (GcpWriter *writer, GBytes *bytes);

/* What was written, as bytes; the writer is empty and cleared afterwards. */
GBytes *gcp_writer_finish (GcpWriter *writer);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GcpWriter, gcp_writer_clear)

G_END_DECLS
