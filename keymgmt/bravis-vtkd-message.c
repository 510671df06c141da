#include "bravis-vtkd-message.h"

#include "bravis-epoch.h"

GBytes *
bravis_vtkd_share_write (const BravisVtkdShare *message)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, BRAVIS_VTKD_SHARE);
  gcp_write_u64 (&writer, message->view);
  gcp_write_u8 (&writer, message->knows);
  gcp_write_u64 (&writer, message->epoch);
  gcp_write_u64 (&writer, message->version);
  bravis_policy_write (&message->policy, &writer);
  bravis_share_write (message->share, &writer);
  return gcp_writer_finish (&writer);
}

gboolean
bravis_vtkd_share_read (BravisVtkdShare *message, GBytes *bytes)
{
  GcpReader reader;
  guint8 knows;

  gcp_reader_init_bytes (&reader, bytes);
  if (gcp_read_u8 (&reader) != BRAVIS_VTKD_SHARE)
    gcp_reader_fail (&reader);
  message->view = gcp_read_u64 (&reader);
  knows = gcp_read_u8 (&reader);
  message->knows = knows;
  message->epoch = gcp_read_u64 (&reader);
  message->version = gcp_read_u64 (&reader);
  bravis_policy_read (&message->policy, &reader);
  message->share = bravis_share_read (&reader);

  /* A newcomer must not be able to use up the numbers of epochs. */
  if (knows > 1 || message->epoch > (knows ? BRAVIS_MAX_EPOCH : G_MAXUINT32)
      || (!knows && message->version != 0))
    gcp_reader_fail (&reader);
  return gcp_reader_finish (&reader);
}

void
bravis_vtkd_share_clear (BravisVtkdShare *message)
{
  g_clear_pointer (&message->share, bravis_share_free);
}

void
bravis_vtkd_keys_write_header (BravisVtkdKeys *message, GcpWriter *writer)
{
  gsize start = writer->array->len;

  gcp_write_u8 (writer, BRAVIS_VTKD_KEYS);
  gcp_write_u64 (writer, message->view);
  gcp_write_u64 (writer, message->version);
  gcp_write_u64 (writer, message->epoch);
  bravis_policy_write (&message->policy, writer);
  bravis_share_write (message->share, writer);
  gcp_write_bytes (writer, message->context, BRAVIS_HASH_SIZE);
  gcp_write_bytes (writer, message->confirmation, BRAVIS_HASH_SIZE);
  gcp_write_u8 (writer, message->n_copies);
  bravis_sha256 (writer->array->data + start, writer->array->len - start,
      message->digest);
}

gboolean
bravis_vtkd_keys_read (BravisVtkdKeys *message, GBytes *bytes)
{
  GcpReader reader;

  gcp_reader_init_bytes (&reader, bytes);
  if (gcp_read_u8 (&reader) != BRAVIS_VTKD_KEYS)
    gcp_reader_fail (&reader);
  message->view = gcp_read_u64 (&reader);
  message->version = gcp_read_u64 (&reader);
  message->epoch = gcp_read_u64 (&reader);
  bravis_policy_read (&message->policy, &reader);
  message->share = bravis_share_read (&reader);
  gcp_read_bytes (&reader, message->context, BRAVIS_HASH_SIZE);
  gcp_read_bytes (&reader, message->confirmation, BRAVIS_HASH_SIZE);
  message->n_copies = gcp_read_u8 (&reader);
  bravis_sha256 (reader.data, reader.at, message->digest);
  message->copies = gcp_read_span (&reader,
      message->n_copies * BRAVIS_COPY_SIZE);
  if (message->epoch > BRAVIS_MAX_EPOCH)
    gcp_reader_fail (&reader);
  return gcp_reader_finish (&reader);
}

void
bravis_vtkd_keys_clear (BravisVtkdKeys *message)
{
  g_clear_pointer (&message->share, bravis_share_free);
}

GBytes *
bravis_vtkd_refresh_write (guint64 view)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, BRAVIS_VTKD_REFRESH);
  gcp_write_u64 (&writer, view);
  return gcp_writer_finish (&writer);
}

gboolean
bravis_vtkd_refresh_read (guint64 *view, GBytes *bytes)
{
  GcpReader reader;

  gcp_reader_init_bytes (&reader, bytes);
  if (gcp_read_u8 (&reader) != BRAVIS_VTKD_REFRESH)
    gcp_reader_fail (&reader);
  *view = gcp_read_u64 (&reader);
  return gcp_reader_finish (&reader);
}

GBytes *
bravis_vtkd_overdue_write (const BravisVtkdOverdue *message)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, BRAVIS_VTKD_OVERDUE);
  gcp_write_u64 (&writer, message->view);
  gcp_write_u8 (&writer, message->owed);
  gcp_write_u64 (&writer, message->which);
  return gcp_writer_finish (&writer);
}

gboolean
bravis_vtkd_overdue_read (BravisVtkdOverdue *message, GBytes *bytes)
{
  GcpReader reader;
  guint8 owed;

  gcp_reader_init_bytes (&reader, bytes);
  if (gcp_read_u8 (&reader) != BRAVIS_VTKD_OVERDUE)
    gcp_reader_fail (&reader);
  message->view = gcp_read_u64 (&reader);
  owed = gcp_read_u8 (&reader);
  message->owed = owed;
  message->which = gcp_read_u64 (&reader);
  if (owed > BRAVIS_VTKD_OWED_KEYS)
    gcp_reader_fail (&reader);
  return gcp_reader_finish (&reader);
}
