#include "bravis-command.h"

#include "bravis-group-message.h"

#include <string.h>

#define LABEL "command"

static void
write_said (const BravisCommand *command, GcpWriter *writer)
{
  gsize size;
  gconstpointer body = g_bytes_get_data (command->body, &size);

  gcp_write_u64 (writer, command->view);
  gcp_write_u32 (writer, command->sequence);
  gcp_write_u8 (writer, command->kind);
  gcp_write_vector16 (writer, body, size);
}

static GBytes *
signed_part (const BravisCommand *command, const char *conference,
    GcpMemberId member)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_vector8 (&writer, conference, strlen (conference));
  gcp_write_u64 (&writer, member);
  write_said (command, &writer);
  return gcp_writer_finish (&writer);
}

GBytes *
bravis_command_sign (BravisCommand *command, BravisIdentity *identity,
    const char *conference, GcpMemberId self, GError **error)
{
  g_autoptr (GBytes) part = signed_part (command, conference, self);
  g_auto (GcpWriter) writer = { NULL };
  gconstpointer signature;
  gsize size;

  g_clear_pointer (&command->signature, g_bytes_unref);
  command->signature = bravis_identity_sign (identity, LABEL,
      g_bytes_get_data (part, NULL), g_bytes_get_size (part), error);
  if (!command->signature)
    return NULL;
  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, BRAVIS_GROUP_COMMAND);
  write_said (command, &writer);
  signature = g_bytes_get_data (command->signature, &size);
  gcp_write_vector16 (&writer, signature, size);
  return gcp_writer_finish (&writer);
}

static GBytes *
read_vector16 (GcpReader *reader, gsize max)
{
  gsize size;
  const guint8 *octets = gcp_read_vector16 (reader, max, &size);

  return octets ? g_bytes_new (octets, size) : NULL;
}

gboolean
bravis_command_read (BravisCommand *command, GBytes *bytes)
{
  GcpReader reader;

  *command = (BravisCommand) { 0 };
  gcp_reader_init_bytes (&reader, bytes);
  if (gcp_read_u8 (&reader) != BRAVIS_GROUP_COMMAND)
    gcp_reader_fail (&reader);
  command->view = gcp_read_u64 (&reader);
  command->sequence = gcp_read_u32 (&reader);
  command->kind = gcp_read_u8 (&reader);
  command->body = read_vector16 (&reader, BRAVIS_MAX_COMMAND);
  command->signature = read_vector16 (&reader, BRAVIS_MAX_SIGNATURE);
  return gcp_reader_finish (&reader) && command->body && command->signature;
}

gboolean
bravis_command_verify (const BravisCommand *command, const char *conference,
    GcpMemberId member, BravisCertificate *certificate, GError **error)
{
  g_autoptr (GBytes) part = signed_part (command, conference, member);

  return bravis_certificate_verify_signature (certificate, LABEL,
      g_bytes_get_data (part, NULL), g_bytes_get_size (part),
      g_bytes_get_data (command->signature, NULL),
      g_bytes_get_size (command->signature), error);
}

void
bravis_command_clear (BravisCommand *command)
{
  g_clear_pointer (&command->body, g_bytes_unref);
  g_clear_pointer (&command->signature, g_bytes_unref);
}
