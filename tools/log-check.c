#include "log-check.h"

#include "../keymgmt/bravis-identity.h"
#include "../keymgmt/bravis-membership-log.h"

#include <string.h>

/* An epoch as somebody entered it. */
typedef struct {
  char *who;
  char *conference;
  guint64 number;
  char *confirmation;
  char *members;
} Epoch;

struct _LogCheck {
  BravisTrust *trust;           /* borrowed; NULL: certificates are taken as they are */
  gboolean quiet;
  guint n_wrong;
  GPtrArray *epochs;            /* of Epoch */

  /* of the file that is read */
  const char *file;
  guint line;
  guint64 next;
  char *previous;
  gboolean ended;
  gnutls_x509_crt_t certificate;        /* of the owner; NULL: no START yet */
  char *who;
  char *conference;
};

static void
epoch_free (gpointer data)
{
  Epoch *epoch = data;

  g_free (epoch->who);
  g_free (epoch->conference);
  g_free (epoch->confirmation);
  g_free (epoch->members);
  g_free (epoch);
}

LogCheck *
log_check_new (BravisTrust *trust, gboolean quiet)
{
  LogCheck *check = g_new0 (LogCheck, 1);

  check->trust = trust;
  check->quiet = quiet;
  check->epochs = g_ptr_array_new_with_free_func (epoch_free);
  return check;
}

static void
forget_owner (LogCheck *check)
{
  g_clear_pointer (&check->certificate, gnutls_x509_crt_deinit);
  g_clear_pointer (&check->who, g_free);
  g_clear_pointer (&check->conference, g_free);
}

void
log_check_free (LogCheck *check)
{
  forget_owner (check);
  g_ptr_array_unref (check->epochs);
  g_free (check->previous);
  g_free (check);
}

guint
log_check_get_n_wrong (const LogCheck *check)
{
  return check->n_wrong;
}

guint
log_check_get_n_epochs (const LogCheck *check)
{
  return check->epochs->len;
}

/* Lines, and the certificates in them, are anybody's: what they print must not steer a
 * terminal. */
static void
make_plain (char *text)
{
  for (; *text; text++)
    if (!g_ascii_isprint (*text))
      *text = '?';
}

static void G_GNUC_PRINTF (2, 3)
wrong (LogCheck *check, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  make_plain (text);
  if (check->file)
    g_printerr ("%s:%u: %s\n", check->file, check->line, text);
  else
    g_printerr ("%s\n", text);
  check->n_wrong++;
}

/* --- one file --- */

/* Takes up the owner that START names. */
static void
take_owner (LogCheck *check, const BravisLogEntry *entry)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) chain = NULL;
  g_autoptr (BravisCertificate) certificate = NULL;
  g_autofree guint8 *octets = NULL;
  gsize size;

  forget_owner (check);
  if (g_strv_length (entry->parts) != 4) {
    wrong (check, "START has not four parts");
    return;
  }
  octets = g_base64_decode (entry->parts[3], &size);
  chain = bravis_parse_chain (octets, size);
  certificate = chain ? bravis_certificate_new (chain->pdata[0], &error) : NULL;
  if (!certificate) {
    wrong (check, "the certificate is not one of a member: %s",
        error ? error->message : "malformed");
    return;
  }
  if (!g_str_equal (bravis_certificate_get_name (certificate), entry->parts[2]))
    wrong (check, "%s has a certificate of %s", entry->parts[2],
        bravis_certificate_get_name (certificate));
  if (check->trust && !bravis_trust_verify (check->trust,
          (const gnutls_x509_crt_t *) chain->pdata, chain->len,
          entry->time / G_USEC_PER_SEC, NULL, &error))
    wrong (check, "%s", error->message);
  check->certificate = g_ptr_array_steal_index (chain, 0);
  check->who = g_strdup (entry->parts[2]);
  check->conference = g_strdup (entry->parts[1]);
}

static gboolean
check_signature (LogCheck *check, const BravisLogEntry *entry)
{
  g_autoptr (BravisCertificate) certificate = check->certificate
      ? bravis_certificate_new (check->certificate, NULL) : NULL;
  g_autoptr (GError) error = NULL;

  if (!certificate)
    wrong (check, "an entry of nobody: there is no START before it");
  else if (!bravis_certificate_verify_signature (certificate, BRAVIS_LOG_LABEL,
          entry->body, strlen (entry->body),
          g_bytes_get_data (entry->signature, NULL),
          g_bytes_get_size (entry->signature), &error))
    wrong (check, "%s did not sign this", check->who);
  else
    return TRUE;
  return FALSE;
}

static void
check_place (LogCheck *check, const BravisLogEntry *entry)
{
  if (entry->number != check->next
      || !g_str_equal (entry->previous, check->previous))
    wrong (check, "does not follow the entry before it: something was taken out, "
        "put in or altered");
  check->next = entry->number + 1;
  g_free (check->previous);
  check->previous = bravis_log_entry_hash (entry->body);
}

static void
take_epoch (LogCheck *check, const BravisLogEntry *entry)
{
  Epoch *epoch;
  guint64 number;

  if (g_strv_length (entry->parts) != 6
      || !g_ascii_string_to_unsigned (entry->parts[1], 10, 0, G_MAXUINT64,
          &number, NULL)) {
    wrong (check, "EPOCH is not a number and five parts more");
    return;
  }
  epoch = g_new0 (Epoch, 1);
  epoch->who = g_strdup (check->who);
  epoch->conference = g_strdup (check->conference);
  epoch->number = number;
  epoch->confirmation = g_strdup (entry->parts[4]);
  epoch->members = g_strdup (entry->parts[5]);
  g_ptr_array_add (check->epochs, epoch);
}

/* The names of name/hash,name/hash ... */
static char *
list_names (const char *members)
{
  g_auto (GStrv) each = g_strsplit (members, ",", -1);

  for (guint i = 0; each[i]; i++)
    *strchrnul (each[i], '/') = '\0';
  return g_strjoinv (" ", each);
}

static char *
unescape (const char *text)
{
  char *plain = g_uri_unescape_string (text, NULL);

  if (!plain)
    plain = g_strdup (text);
  make_plain (plain);
  return plain;
}

static gboolean
is_plain (const char *line)
{
  for (; *line; line++)
    if (!g_ascii_isprint (*line) && *line != '\t')
      return FALSE;
  return TRUE;
}

static void
print_entry (const BravisLogEntry *entry)
{
  g_autofree char *time = bravis_format_time (entry->time / G_USEC_PER_SEC);
  g_autofree char *text = g_strjoinv (" ", entry->parts + 1);
  guint n = g_strv_length (entry->parts);

  if (g_str_equal (entry->parts[0], "EPOCH") && n == 6) {
    g_autofree char *names = list_names (entry->parts[5]);

    g_print ("%s  key %s (%s) of %s\n", time, entry->parts[1], entry->parts[3],
        names);
  } else if (g_str_equal (entry->parts[0], "START") && n == 4) {
    g_print ("%s  log of %s, conference %s\n", time, entry->parts[2],
        entry->parts[1]);
  } else if (g_str_equal (entry->parts[0], "VIEW") && n == 4) {
    g_print ("%s  view %s%s: %s\n", time, entry->parts[1],
        g_str_equal (entry->parts[2], "part") ? " (of a part)" : "",
        entry->parts[3]);
  } else {
    g_autofree char *kind = g_ascii_strdown (entry->parts[0], -1);
    g_autofree char *plain = unescape (text);

    g_print ("%s  %s %s\n", time, kind, plain);
  }
}

static void
check_line (LogCheck *check, const char *line)
{
  g_auto (BravisLogEntry) entry = { 0 };
  gboolean is_signed;

  if (!is_plain (line) || !bravis_log_entry_read (&entry, line)) {
    wrong (check, "is no entry of a membership log");
    return;
  }
  if (g_str_equal (entry.parts[0], "START"))
    take_owner (check, &entry);
  check_place (check, &entry);
  is_signed = check_signature (check, &entry);
  if (is_signed && g_str_equal (entry.parts[0], "EPOCH"))
    take_epoch (check, &entry);
  check->ended = g_str_equal (entry.parts[0], "END");
  if (!check->quiet)
    print_entry (&entry);
}

gboolean
log_check_read (LogCheck *check, const char *file, const char *contents,
    gsize size)
{
  g_auto (GStrv) lines = NULL;

  if (size == 0 || strlen (contents) != size)
    return FALSE;
  check->file = file;
  check->next = 0;
  check->ended = FALSE;
  forget_owner (check);
  g_free (check->previous);
  check->previous = g_strnfill (2 * BRAVIS_HASH_SIZE, '0');
  lines = g_strsplit (contents, "\n", -1);
  for (check->line = 1; lines[check->line - 1]; check->line++)
    if (*lines[check->line - 1])
      check_line (check, lines[check->line - 1]);
  if (contents[size - 1] != '\n')
    wrong (check, "ends in the middle of an entry");
  if (!check->ended && !check->quiet)
    g_print ("(no END: the session still runs, or ended without one, or what came "
        "later was cut off)\n");
  check->file = NULL;
  return TRUE;
}

/* --- several files --- */

static gboolean
is_member (const Epoch *epoch, const char *name)
{
  g_autofree char *names = list_names (epoch->members);
  g_auto (GStrv) each = g_strsplit (names, " ", -1);

  return g_strv_contains ((const char *const *) each, name);
}

/* Who was in one epoch together must have entered the same about it. (Parts of a
 * group that cannot reach each other may well use the same number.) */
static void
compare (LogCheck *check, const Epoch *a, const Epoch *b)
{
  if (g_str_equal (a->who, b->who) || !is_member (a, b->who) || !is_member (b, a->who)
      || (g_str_equal (a->confirmation, b->confirmation)
          && g_str_equal (a->members, b->members)))
    return;
  wrong (check, "key %" G_GUINT64_FORMAT ": %s and %s each had one of both of them, "
      "but not the same", a->number, a->who, b->who);
}

/* By conference and number. */
static gint
order (gconstpointer x, gconstpointer y)
{
  const Epoch *a = *(Epoch **) x, *b = *(Epoch **) y;

  if (a->number != b->number)
    return a->number < b->number ? -1 : 1;
  return strcmp (a->conference, b->conference);
}

void
log_check_compare (LogCheck *check)
{
  GPtrArray *epochs = check->epochs;

  g_ptr_array_sort (epochs, order);
  for (guint i = 0; i < epochs->len; i++)
    for (guint j = i + 1; j < epochs->len
        && order (&epochs->pdata[i], &epochs->pdata[j]) == 0; j++)
      compare (check, epochs->pdata[i], epochs->pdata[j]);
}
