#include "sim-log-reader.h"

#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim-log.h"

typedef struct {
  const char *path;
  FILE *file;
  char *text;
  size_t size;
  guint line;
  gint process;                 /* -1: of who looks on */
  gboolean has_view;
  guint64 last_sent;
  gboolean may_refuse;          /* @last_sent */
  gint64 time;                  /* of the event in @words */
  char **words;                 /* behind the time; NULL: no more */
} Source;

typedef struct {
  SimHistory *history;
  GPtrArray *sources;           /* of Source */
  GHashTable *ids;              /* GcpMemberId -> index + 1 */
  GHashTable *sent;             /* message -> itself */
  GString *notes;
} Reader;

static void
source_free (Source *source)
{
  if (source->file)
    fclose (source->file);
  free (source->text);
  g_strfreev (source->words);
  g_free (source);
}

static void
reader_clear (Reader *reader)
{
  g_ptr_array_unref (reader->sources);
  g_hash_table_unref (reader->ids);
  g_hash_table_unref (reader->sent);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

static gboolean G_GNUC_PRINTF (3, 4)
fail (const Source *source, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s:%u: %s",
      source->path, source->line, what);
  return FALSE;
}

static gboolean
fail_at_word (const Source *source, const char *word, const char *expected,
    GError **error)
{
  g_autofree char *escaped = g_strescape (word, NULL);

  return fail (source, error, "`%s' where %s was expected", escaped,
      expected);
}

/* ---- words ---- */

static gboolean
parse_number (const Source *source, const char *word, guint64 *number,
    GError **error)
{
  return g_ascii_string_to_unsigned (word, 10, 0, G_MAXUINT64, number, NULL)
      || fail_at_word (source, word, "a number", error);
}

static gboolean
parse_id (const Source *source, const char *word, GcpMemberId *id,
    GError **error)
{
  return g_ascii_string_to_unsigned (word, 16, 1, G_MAXUINT64, id, NULL)
      || fail_at_word (source, word, "an id (hexadecimal digits)", error);
}

/* The id of a process that has a log. */
static gboolean
parse_known_id (Reader *reader, const Source *source, const char *word,
    GcpMemberId *id, guint *process, GError **error)
{
  gpointer found;

  if (!parse_id (source, word, id, error))
    return FALSE;
  found = g_hash_table_lookup (reader->ids, id);
  if (!found)
    return fail (source, error, "there is no log of process %s", word);
  if (process)
    *process = GPOINTER_TO_UINT (found) - 1;
  return TRUE;
}

static gboolean
parse_choice (const Source *source, const char *word,
    const char *const *choices, guint *choice, GError **error)
{
  g_autofree char *all = NULL;

  for (*choice = 0; choices[*choice]; (*choice)++)
    if (strcmp (choices[*choice], word) == 0)
      return TRUE;
  all = g_strjoinv (" or ", (char **) choices);
  return fail_at_word (source, word, all, error);
}

/* ---- events ---- */

static gboolean
read_sent (Reader *reader, Source *source, char **words, GError **error)
{
  static const char *const open_words[] = { "queued", "open", NULL };
  guint64 message;
  guint quality, open;

  if (!parse_number (source, words[0], &message, error)
      || !parse_choice (source, words[1], sim_log_qualities, &quality, error)
      || !parse_choice (source, words[2], open_words, &open, error))
    return FALSE;
  if (!source->has_view)
    return fail (source, error, "sent before the first view");
  if (g_hash_table_contains (reader->sent, &message))
    return fail (source, error, "message %s was sent before", words[0]);
  g_hash_table_add (reader->sent, g_memdup2 (&message, sizeof message));
  source->last_sent = message;
  source->may_refuse = TRUE;
  sim_history_sent (reader->history, source->process, message, quality, open);
  return TRUE;
}

static gboolean
read_refused (Reader *reader, Source *source, char **words, GError **error)
{
  guint64 message;

  if (!parse_number (source, words[0], &message, error))
    return FALSE;
  if (!source->may_refuse || message != source->last_sent)
    return fail (source, error, "%s is not the message sent last", words[0]);
  source->may_refuse = FALSE;
  g_hash_table_remove (reader->sent, &message);
  sim_history_refused (reader->history, source->process);
  return TRUE;
}

static gboolean
read_delivered (Reader *reader, Source *source, char **words, GError **error)
{
  GcpMemberId sender;
  guint64 message;
  guint quality;

  if (!parse_known_id (reader, source, words[0], &sender, NULL, error)
      || !parse_number (source, words[1], &message, error)
      || !parse_choice (source, words[2], sim_log_qualities, &quality, error))
    return FALSE;
  if (!source->has_view)
    return fail (source, error, "delivered before the first view");
  sim_history_delivered (reader->history, source->process, sender, message,
      quality);
  return TRUE;
}

static gboolean
read_departed (Reader *reader, Source *source, char **words, GError **error)
{
  GcpMemberId id;
  guint why;

  if (!parse_known_id (reader, source, words[0], &id, NULL, error)
      || !parse_choice (source, words[1], sim_log_departures, &why, error))
    return FALSE;
  sim_history_departure (reader->history, source->process, id, why);
  return TRUE;
}

static gboolean
read_view (Reader *reader, Source *source, char **words, GError **error)
{
  static const char *const primary_words[] = { "not", "primary", NULL };
  guint64 number;
  guint primary;
  GcpMember members[GCP_MAX_MEMBERS] = { 0 };
  guint n = 0;
  g_autoptr (GcpView) view = NULL;
  g_autoptr (GBytes) card = g_bytes_new_static ("", 0);

  if (!parse_number (source, words[0], &number, error)
      || !parse_choice (source, words[1], primary_words, &primary, error))
    return FALSE;
  for (char **word = words + 2; *word; word++) {
    if (n == GCP_MAX_MEMBERS)
      return fail (source, error, "a view of more than %u members",
          GCP_MAX_MEMBERS);
    if (!parse_known_id (reader, source, *word, &members[n].id, NULL, error))
      return FALSE;
    members[n++].card = card;
  }
  view = gcp_view_new (number, primary, members, n);
  sim_history_view (reader->history, source->process, view);
  source->has_view = TRUE;
  return TRUE;
}

static gboolean
read_left (Reader *reader, Source *source, G_GNUC_UNUSED char **words,
    G_GNUC_UNUSED GError **error)
{
  sim_history_left (reader->history, source->process);
  return TRUE;
}

static gboolean
read_ended (Reader *reader, Source *source, char **words, GError **error)
{
  guint reason;

  if (!parse_choice (source, words[0], sim_log_reasons, &reason, error))
    return FALSE;
  sim_history_ended (reader->history, source->process, reason);
  return TRUE;
}

static gboolean
read_crashed (Reader *reader, Source *source, char **words, GError **error)
{
  GcpMemberId id;
  guint process = 0;

  if (!parse_known_id (reader, source, words[0], &id, &process, error))
    return FALSE;
  sim_history_crashed (reader->history, process);
  return TRUE;
}

static gboolean
read_put_out (Reader *reader, Source *source, char **words, GError **error)
{
  GcpMemberId id;

  if (!parse_known_id (reader, source, words[0], &id, NULL, error))
    return FALSE;
  sim_history_put_out (reader->history, id);
  return TRUE;
}

static const struct {
  const char *word;
  guint least, most;            /* words behind it */
  gboolean in_any_log;
  gboolean (*read) (Reader *reader, Source *source, char **words,
      GError **error);
} events[] = {
  {"delivered", 3, 3, FALSE, read_delivered},
  {"sent", 3, 3, FALSE, read_sent},
  {"refused", 1, 1, FALSE, read_refused},
  {"departed", 2, 2, FALSE, read_departed},
  {"view", 3, G_MAXUINT, FALSE, read_view},
  {"left", 0, 0, FALSE, read_left},
  {"ended", 1, 1, FALSE, read_ended},
  {"crashed", 1, 1, TRUE, read_crashed},
  {"put-out", 1, 1, TRUE, read_put_out},
};

static gboolean
read_event (Reader *reader, Source *source, GError **error)
{
  guint n = g_strv_length (source->words) - 1;

  for (guint i = 0; i < G_N_ELEMENTS (events); i++) {
    if (strcmp (source->words[0], events[i].word) != 0)
      continue;
    if (n < events[i].least || n > events[i].most)
      return fail (source, error, "`%s' with %u words behind it",
          events[i].word, n);
    if (source->process < 0 && !events[i].in_any_log)
      return fail (source, error, "`%s' in a log that does not begin with"
          " `process'", events[i].word);
    if (source->process >= 0)
      sim_history_set_line (reader->history, source->process, source->line);
    return events[i].read (reader, source, source->words + 1, error);
  }
  if (strcmp (source->words[0], "process") == 0)
    return fail (source, error, "`process' is not the first event");
  return fail_at_word (source, source->words[0], "an event", error);
}

/* ---- lines ---- */

static gboolean
split_line (Source *source, GError **error)
{
  g_auto (GStrv) words = g_strsplit (source->text, " ", -1);
  gint64 time;

  if (!g_ascii_string_to_signed (words[0], 10, 0, G_MAXINT64, &time, NULL))
    return fail_at_word (source, words[0], "a time", error);
  if (!words[1])
    return fail (source, error, "a time without an event");
  if (time < source->time)
    return fail (source, error, "the time goes back");
  source->time = time;
  source->words = g_strdupv (words + 1);
  return TRUE;
}

/* FALSE: an error. At the end there are no words. */
static gboolean
next_line (Reader *reader, Source *source, GError **error)
{
  gssize size;

  g_clear_pointer (&source->words, g_strfreev);
  while ((size = getline (&source->text, &source->size, source->file)) > 0) {
    source->line++;
    if (source->text[size - 1] != '\n') {
      g_string_append_printf (reader->notes, "%s:%u: left out, torn\n",
          source->path, source->line);
      return TRUE;
    }
    source->text[size - 1] = '\0';
    if (strlen (source->text) != (gsize) size - 1)
      return fail (source, error, "not text");
    if (source->text[0] != '\0' && source->text[0] != '#')
      return split_line (source, error);
  }
  if (ferror (source->file)) {
    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
        "%s: %s", source->path, g_strerror (errno));
    return FALSE;
  }
  return TRUE;
}

static gboolean
read_process (Reader *reader, Source *source, GError **error)
{
  GcpMemberId id;
  g_autofree char *name = NULL;

  if (!source->words || strcmp (source->words[0], "process") != 0)
    return TRUE;
  if (!source->words[1])
    return fail (source, error, "`process' without an id");
  if (!parse_id (source, source->words[1], &id, error))
    return FALSE;
  if (g_hash_table_contains (reader->ids, &id))
    return fail (source, error, "there is another log of process %s",
        source->words[1]);
  name = source->words[2] ? g_strjoinv (" ", source->words + 2)
      : g_strdup (source->words[1]);
  source->process = sim_history_add_process (reader->history, id);
  sim_history_set_name (reader->history, source->process, name, source->path);
  g_hash_table_insert (reader->ids, g_memdup2 (&id, sizeof id),
      GUINT_TO_POINTER (source->process + 1));
  return next_line (reader, source, error);
}

static gboolean
open_source (Reader *reader, const char *path, GError **error)
{
  Source *source = g_new0 (Source, 1);

  g_ptr_array_add (reader->sources, source);
  source->path = path;
  source->process = -1;
  source->file = fopen (path, "re");
  if (!source->file) {
    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
        "%s: %s", path, g_strerror (errno));
    return FALSE;
  }
  return next_line (reader, source, error)
      && read_process (reader, source, error);
}

/* The one whose next event is the earliest. */
static Source *
choose_source (Reader *reader)
{
  Source *earliest = NULL;

  for (guint i = 0; i < reader->sources->len; i++) {
    Source *source = reader->sources->pdata[i];

    if (source->words && (!earliest || source->time < earliest->time))
      earliest = source;
  }
  return earliest;
}

gboolean
sim_log_read (SimHistory *history, char **paths, GString *notes,
    GError **error)
{
  g_auto (Reader) reader = {
    .history = history,
    .sources = g_ptr_array_new_with_free_func ((GDestroyNotify) source_free),
    .ids = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL),
    .sent = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL),
    .notes = notes
  };
  Source *source;

  for (char **path = paths; *path; path++)
    if (!open_source (&reader, *path, error))
      return FALSE;
  while ((source = choose_source (&reader)))
    if (!read_event (&reader, source, error)
        || !next_line (&reader, source, error))
      return FALSE;
  return TRUE;
}
