#include "bravis-group-message.h"

#include <string.h>

/* --- addresses --- */

static gsize
ip_size (guint8 family)
{
  return family == 4 ? 4 : family == 6 ? 16 : 0;
}

void
bravis_address_write (const GcpAddress *address, GcpWriter *writer)
{
  gcp_write_u8 (writer, address->family);
  if (address->family == 0)
    return;
  gcp_write_bytes (writer, address->ip, ip_size (address->family));
  gcp_write_u16 (writer, address->port);
}

void
bravis_address_read (GcpAddress *address, GcpReader *reader)
{
  *address = (GcpAddress) { .family = gcp_read_u8 (reader) };
  if (address->family == 0)
    return;
  if (ip_size (address->family) == 0)
    gcp_reader_fail (reader);
  gcp_read_bytes (reader, address->ip, ip_size (address->family));
  address->port = gcp_read_u16 (reader);
  if (address->port == 0)
    gcp_reader_fail (reader);
}

/* --- names, reasons, text --- */

static void
write_name (const char *name, GcpWriter *writer)
{
  gcp_write_vector8 (writer, name, name ? strlen (name) : 0);
}

/* NULL for an empty name, which is a fault unless @may_be_empty. */
static char *
read_name (GcpReader *reader, gboolean may_be_empty)
{
  gsize size;
  const guint8 *octets = gcp_read_vector8 (reader, BRAVIS_MAX_NAME, &size);
  g_autofree char *name = NULL;

  if (!octets || (size == 0 && may_be_empty))
    return NULL;
  name = g_strndup ((const char *) octets, size);
  if (strlen (name) != size || !bravis_name_is_valid (name)) {
    gcp_reader_fail (reader);
    return NULL;
  }
  return g_steal_pointer (&name);
}

/* What others say is shown to people and written to terminals: printable ASCII
 * and nothing else gets through, in either direction. */
static char *
sanitize (const char *text, gsize size)
{
  char *clean = g_strndup (text, MIN (size, BRAVIS_MAX_REASON));

  for (char *at = clean; *at; at++)
    if (!g_ascii_isprint (*at))
      *at = '?';
  return clean;
}

static guint8
wire_code (const GError *reason)
{
  return reason->domain == BRAVIS_ERROR ? reason->code : BRAVIS_ERROR_PROTOCOL;
}

static void
write_reason (const GError *reason, GcpWriter *writer)
{
  g_autofree char *text = sanitize (reason->message, strlen (reason->message));

  gcp_write_u8 (writer, wire_code (reason));
  gcp_write_vector16 (writer, text, strlen (text));
}

static GError *
read_reason (GcpReader *reader, guint8 code)
{
  gsize size;
  const guint8 *octets = gcp_read_vector16 (reader, BRAVIS_MAX_REASON, &size);
  g_autofree char *text = NULL;

  if (!octets)
    return NULL;
  if (code < BRAVIS_ERROR_CONFIG || code > BRAVIS_ERROR_LIMIT)
    code = BRAVIS_ERROR_PROTOCOL;
  text = sanitize ((const char *) octets, size);
  return g_error_new_literal (BRAVIS_ERROR, code,
      *text ? text : bravis_error_describe (code));
}

static char *
read_description (GcpReader *reader)
{
  gsize size;
  const char *octets = (const char *) gcp_read_vector16 (reader,
      BRAVIS_MAX_DESCRIPTION, &size);

  if (!octets)
    return NULL;
  if (!g_utf8_validate_len (octets, size, NULL)) {
    gcp_reader_fail (reader);
    return NULL;
  }
  return g_strndup (octets, size);
}

/* --- contacts --- */

static void
write_contacts (GArray *contacts, GcpWriter *writer)
{
  gcp_write_u8 (writer, contacts->len);
  for (guint i = 0; i < contacts->len; i++) {
    BravisGroupContact *contact = &g_array_index (contacts,
        BravisGroupContact, i);

    gcp_write_u64 (writer, contact->member);
    bravis_address_write (&contact->address, writer);
  }
}

static GArray *
read_contacts (GcpReader *reader)
{
  GArray *contacts = g_array_new (FALSE, TRUE, sizeof (BravisGroupContact));
  guint n_contacts = gcp_read_u8 (reader);

  if (n_contacts > GCP_MAX_MEMBERS)
    gcp_reader_fail (reader);
  for (guint i = 0; i < n_contacts && !reader->failed; i++) {
    BravisGroupContact contact = { .member = gcp_read_u64 (reader) };

    bravis_address_read (&contact.address, reader);
    g_array_append_val (contacts, contact);
  }
  return contacts;
}

/* --- messages --- */

static void
write_payload (GBytes *payload, GcpWriter *writer)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (payload, &size);

  gcp_write_bytes (writer, data, size);
}

/* The rest of @bytes, which the reader reads. */
static GBytes *
read_payload (GcpReader *reader, GBytes *bytes)
{
  gsize size = gcp_reader_left (reader);

  gcp_read_span (reader, size);
  return g_bytes_new_from_bytes (bytes, g_bytes_get_size (bytes) - size, size);
}

static gboolean
read_boolean (GcpReader *reader)
{
  guint8 value = gcp_read_u8 (reader);

  if (value > 1)
    gcp_reader_fail (reader);
  return value == 1;
}

GBytes *
bravis_group_message_write (const BravisGroupMessage *message)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, message->type);
  switch (message->type) {
    case BRAVIS_GROUP_PROPOSAL:
      gcp_write_u64 (&writer, message->newcomer);
      write_name (message->name, &writer);
      bravis_address_write (&message->address, &writer);
      gcp_write_vector24_bytes (&writer, message->card);
      break;
    case BRAVIS_GROUP_VOUCH:
      gcp_write_u64 (&writer, message->newcomer);
      gcp_write_bytes (&writer, message->digest, BRAVIS_HASH_SIZE);
      if (message->reason)
        write_reason (message->reason, &writer);
      else
        gcp_write_u8 (&writer, 0);
      break;
    case BRAVIS_GROUP_ADMIT:
      gcp_write_u64 (&writer, message->newcomer);
      break;
    case BRAVIS_GROUP_NOTICE:
      write_name (message->name, &writer);
      write_name (message->by, &writer);
      write_reason (message->reason, &writer);
      break;
    case BRAVIS_GROUP_CONTACTS:
      gcp_write_u64 (&writer, message->view);
      write_contacts (message->contacts, &writer);
      break;
    case BRAVIS_GROUP_STREAM:
      gcp_write_u8 (&writer, message->kind);
      gcp_write_u16 (&writer, message->stream);
      gcp_write_vector16 (&writer, message->description,
          strlen (message->description));
      break;
    case BRAVIS_GROUP_STREAM_END:
      gcp_write_u16 (&writer, message->stream);
      break;
    case BRAVIS_GROUP_MESSAGE:
    case BRAVIS_GROUP_REVOCATIONS:
      write_payload (message->payload, &writer);
      break;
    case BRAVIS_GROUP_PAUSE:
      gcp_write_u8 (&writer, message->paused ? 1 : 0);
      break;
    case BRAVIS_GROUP_VERIFY_COMMIT:
    case BRAVIS_GROUP_VERIFY_REVEAL:
      gcp_write_u64 (&writer, message->epoch);
      gcp_write_bytes (&writer, message->digest, BRAVIS_HASH_SIZE);
      break;
    case BRAVIS_GROUP_COMMAND:
      g_return_val_if_reached (NULL);
  }
  return gcp_writer_finish (&writer);
}

static void
read_vouch (BravisGroupMessage *message, GcpReader *reader)
{
  guint8 code;

  message->newcomer = gcp_read_u64 (reader);
  gcp_read_bytes (reader, message->digest, BRAVIS_HASH_SIZE);
  code = gcp_read_u8 (reader);
  if (code != 0)
    message->reason = read_reason (reader, code);
}

static void
read_stream (BravisGroupMessage *message, GcpReader *reader)
{
  guint8 kind = gcp_read_u8 (reader);

  if (kind >= BRAVIS_N_KINDS)
    gcp_reader_fail (reader);
  message->kind = kind;
  message->stream = gcp_read_u16 (reader);
  if (message->stream >= BRAVIS_MAX_STREAMS)
    gcp_reader_fail (reader);
  message->description = read_description (reader);
}

gboolean
bravis_group_message_read (BravisGroupMessage *message, GBytes *bytes)
{
  GcpReader reader;

  *message = (BravisGroupMessage) { 0 };
  gcp_reader_init_bytes (&reader, bytes);
  message->type = gcp_read_u8 (&reader);
  switch (message->type) {
    case BRAVIS_GROUP_PROPOSAL:
      message->newcomer = gcp_read_u64 (&reader);
      if (message->newcomer == GCP_MEMBER_NONE)
        gcp_reader_fail (&reader);
      message->name = read_name (&reader, FALSE);
      bravis_address_read (&message->address, &reader);
      message->card = gcp_read_vector24_bytes (&reader, GCP_MAX_CARD_SIZE);
      break;
    case BRAVIS_GROUP_VOUCH:
      read_vouch (message, &reader);
      break;
    case BRAVIS_GROUP_ADMIT:
      message->newcomer = gcp_read_u64 (&reader);
      break;
    case BRAVIS_GROUP_NOTICE:
      message->name = read_name (&reader, TRUE);
      message->by = read_name (&reader, TRUE);
      message->reason = read_reason (&reader, gcp_read_u8 (&reader));
      break;
    case BRAVIS_GROUP_CONTACTS:
      message->view = gcp_read_u64 (&reader);
      message->contacts = read_contacts (&reader);
      break;
    case BRAVIS_GROUP_STREAM:
      read_stream (message, &reader);
      break;
    case BRAVIS_GROUP_STREAM_END:
      message->stream = gcp_read_u16 (&reader);
      break;
    case BRAVIS_GROUP_MESSAGE:
    case BRAVIS_GROUP_REVOCATIONS:
      message->payload = read_payload (&reader, bytes);
      break;
    case BRAVIS_GROUP_PAUSE:
      message->paused = read_boolean (&reader);
      break;
    case BRAVIS_GROUP_VERIFY_COMMIT:
    case BRAVIS_GROUP_VERIFY_REVEAL:
      message->epoch = gcp_read_u64 (&reader);
      gcp_read_bytes (&reader, message->digest, BRAVIS_HASH_SIZE);
      break;
    default:
      gcp_reader_fail (&reader);
  }
  return gcp_reader_finish (&reader);
}

void
bravis_group_message_clear (BravisGroupMessage *message)
{
  g_clear_pointer (&message->name, g_free);
  g_clear_pointer (&message->by, g_free);
  g_clear_pointer (&message->card, g_bytes_unref);
  g_clear_error (&message->reason);
  g_clear_pointer (&message->contacts, g_array_unref);
  g_clear_pointer (&message->description, g_free);
  g_clear_pointer (&message->payload, g_bytes_unref);
}
