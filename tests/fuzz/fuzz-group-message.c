/* What members say to the group, the roster a newcomer is given, and lines of
 * membership logs: what is taken is within its limits, and writes and reads back the
 * same. */
#include "../../keymgmt/bravis-command.h"
#include "../../keymgmt/bravis-membership-log.h"
#include "../../keymgmt/bravis-roster.h"
#include "../../keymgmt/bravis-vtkd-message.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_reason (const GError *reason)
{
  g_assert_cmpuint (strlen (reason->message), <=, BRAVIS_MAX_REASON);
  for (const char *at = reason->message; *at; at++)
    g_assert_true (g_ascii_isprint (*at));
}

/* A reason is cleaned in reading, so the octets are the same from the second
 * writing on. */
static void
check_group_message (GBytes *bytes)
{
  g_auto (BravisGroupMessage) message = { 0 };
  g_auto (BravisGroupMessage) again = { 0 };
  g_autoptr (GBytes) written = NULL;
  g_autoptr (GBytes) rewritten = NULL;

  if (!bravis_group_message_read (&message, bytes))
    return;
  g_assert_true (!message.name || bravis_name_is_valid (message.name));
  g_assert_true (!message.by || bravis_name_is_valid (message.by));
  if (message.reason)
    check_reason (message.reason);
  written = bravis_group_message_write (&message);
  g_assert_true (message.reason || g_bytes_equal (written, bytes));
  g_assert_true (bravis_group_message_read (&again, written));
  rewritten = bravis_group_message_write (&again);
  g_assert_true (g_bytes_equal (written, rewritten));
}

static void
check_roster (GBytes *bytes)
{
  g_auto (BravisRoster) roster = { 0 };
  g_autoptr (GBytes) written = NULL;

  if (!bravis_roster_read (&roster, bytes))
    return;
  written = bravis_roster_write (&roster);
  g_assert_true (g_bytes_equal (written, bytes));
}

static void
check_share (GBytes *bytes)
{
  g_auto (BravisVtkdShare) message = { 0 };
  g_autoptr (GBytes) written = NULL;

  if (!bravis_vtkd_share_read (&message, bytes))
    return;
  written = bravis_vtkd_share_write (&message);
  g_assert_true (g_bytes_equal (written, bytes));
}

static void
check_keys (GBytes *bytes)
{
  g_auto (BravisVtkdKeys) message = { 0 };
  g_auto (GcpWriter) writer = { NULL };
  g_autoptr (GBytes) written = NULL;

  if (!bravis_vtkd_keys_read (&message, bytes))
    return;
  gcp_writer_init (&writer);
  bravis_vtkd_keys_write_header (&message, &writer);
  gcp_write_bytes (&writer, message.copies,
      message.n_copies * BRAVIS_COPY_SIZE);
  written = gcp_writer_finish (&writer);
  g_assert_true (g_bytes_equal (written, bytes));
}

static void
check_overdue (GBytes *bytes)
{
  BravisVtkdOverdue message;
  g_autoptr (GBytes) written = NULL;

  if (!bravis_vtkd_overdue_read (&message, bytes))
    return;
  written = bravis_vtkd_overdue_write (&message);
  g_assert_true (g_bytes_equal (written, bytes));
}

static void
check_command (GBytes *bytes)
{
  g_auto (BravisCommand) command = { 0 };

  if (!bravis_command_read (&command, bytes))
    return;
  g_assert_cmpuint (g_bytes_get_size (command.body), <=, BRAVIS_MAX_COMMAND);
  g_assert_cmpuint (g_bytes_get_size (command.signature), <=,
      BRAVIS_MAX_SIGNATURE);
  g_assert_cmpuint (1 + 8 + 4 + 1 + 2 + g_bytes_get_size (command.body) + 2
      + g_bytes_get_size (command.signature), ==, g_bytes_get_size (bytes));
}

static void
check_log_entry (const guint8 *data, gsize size)
{
  g_autofree char *line = g_strndup ((const char *) data, size);
  g_auto (BravisLogEntry) entry = { 0 };

  if (!bravis_log_entry_read (&entry, line))
    return;
  g_assert_nonnull (entry.parts[0]);
  g_assert_cmpuint (strlen (entry.previous), ==, 2 * BRAVIS_HASH_SIZE);
  g_assert_cmpuint (g_bytes_get_size (entry.signature), >, 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  guint64 view;

  check_group_message (bytes);
  check_roster (bytes);
  check_share (bytes);
  check_keys (bytes);
  check_overdue (bytes);
  check_command (bytes);
  check_log_entry (data, size);
  if (bravis_vtkd_refresh_read (&view, bytes))
    g_assert_cmpuint (size, ==, 9);
  return 0;
}
