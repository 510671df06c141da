/* Membership logs out of a file, perhaps a hostile member's: a file is cut at octets of
 * 0xff into several logs, which are then held against each other. No octet that steers
 * a terminal is printed, whatever is in them. */
#include "../../tools/log-check.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_printed (const gchar *text)
{
  for (; *text; text++)
    g_assert_true (g_ascii_isprint (*text) || *text == '\n');
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (LogCheck) check = log_check_new (NULL, FALSE);
  GPrintFunc out = g_set_print_handler (check_printed);
  GPrintFunc err = g_set_printerr_handler (check_printed);
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) logs = g_strsplit (text, "\xff", -1);

  for (guint i = 0; logs[i]; i++)
    log_check_read (check, "log", logs[i], strlen (logs[i]));
  log_check_compare (check);
  g_set_print_handler (out);
  g_set_printerr_handler (err);
  return 0;
}
