#include "sim-history-private.h"

static void
view_free (SimView *view)
{
  g_array_unref (view->members);
  g_free (view);
}

static void
stay_free (SimStay *stay)
{
  g_array_unref (stay->delivered);
  g_free (stay);
}

static void
process_free (SimProcess *process)
{
  g_ptr_array_unref (process->stays);
  g_ptr_array_unref (process->sent);
  g_free (process->name);
  g_free (process->path);
  g_free (process);
}

SimHistory *
sim_history_new (void)
{
  SimHistory *history = g_new0 (SimHistory, 1);

  history->processes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) process_free);
  history->views = g_ptr_array_new_with_free_func ((GDestroyNotify) view_free);
  history->sent = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
      g_free);
  history->put_out = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  return history;
}

void
sim_history_free (SimHistory *history)
{
  sim_history_close_logs (history, NULL);
  g_ptr_array_unref (history->processes);
  g_ptr_array_unref (history->views);
  g_hash_table_unref (history->sent);
  g_array_unref (history->put_out);
  g_free (history->recorded);
  g_free (history->wrong);
  g_free (history);
}

SimProcess *
sim_history_get_process (SimHistory *history, guint index)
{
  return history->processes->pdata[index];
}

gint
sim_history_find_process (SimHistory *history, GcpMemberId id)
{
  for (guint i = 0; i < history->processes->len; i++)
    if (sim_history_get_process (history, i)->id == id)
      return i;
  return -1;
}

static SimStay *
last_stay (SimProcess *process)
{
  return process->stays->len > 0
      ? process->stays->pdata[process->stays->len - 1] : NULL;
}

gboolean
sim_history_found (SimHistory *history, const char *format, ...)
{
  va_list args;

  if (history->wrong)
    return FALSE;
  va_start (args, format);
  history->wrong = g_strdup_vprintf (format, args);
  va_end (args);
  return TRUE;
}

void
sim_history_add_witness (SimHistory *history, guint process, guint line)
{
  const char *path = sim_history_get_process (history, process)->path;
  g_autofree char *before = history->wrong;

  history->wrong = path ? g_strdup_printf ("%s [%s:%u]", before, path, line)
      : g_steal_pointer (&before);
}

/* ---- logs ---- */

static gint64
log_time (SimHistory *history)
{
  return history->clock (history->clock_data);
}

static SimLog *
open_log (SimHistory *history, const char *name)
{
  g_autofree char *path = g_strdup_printf ("%s/%s.log", history->directory,
      name);
  g_autoptr (GError) error = NULL;
  SimLog *log = sim_log_open (path, &error);

  if (!log && !history->log_error)
    history->log_error = g_steal_pointer (&error);
  return log;
}

static void
close_log (SimHistory *history, SimLog **log)
{
  g_autoptr (GError) error = NULL;

  if (*log && !sim_log_close (g_steal_pointer (log), &error)
      && !history->log_error)
    history->log_error = g_steal_pointer (&error);
}

void
sim_history_write_logs (SimHistory *history, const char *directory,
    SimHistoryClock clock, gpointer user_data)
{
  history->directory = g_strdup (directory);
  history->clock = clock;
  history->clock_data = user_data;
  history->world = open_log (history, "world");
}

gboolean
sim_history_close_logs (SimHistory *history, GError **error)
{
  close_log (history, &history->world);
  for (guint i = 0; i < history->processes->len; i++)
    close_log (history, &sim_history_get_process (history, i)->log);
  g_clear_pointer (&history->directory, g_free);
  if (!history->log_error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&history->log_error));
  return FALSE;
}

/* ---- recording ---- */

guint
sim_history_add_process (SimHistory *history, GcpMemberId id)
{
  SimProcess *process = g_new0 (SimProcess, 1);

  process->id = id;
  process->name = g_strdup_printf ("%u", history->processes->len);
  process->stays =
      g_ptr_array_new_with_free_func ((GDestroyNotify) stay_free);
  process->sent = g_ptr_array_new ();
  g_ptr_array_add (history->processes, process);
  if (history->directory)
    process->log = open_log (history, process->name);
  if (process->log)
    sim_log_process (process->log, log_time (history), id, process->name);
  return history->processes->len - 1;
}

void
sim_history_set_name (SimHistory *history, guint index, const char *name,
    const char *path)
{
  SimProcess *process = sim_history_get_process (history, index);

  g_free (process->name);
  process->name = g_strdup (name);
  g_free (process->path);
  process->path = g_strdup (path);
}

void
sim_history_set_line (SimHistory *history, guint process, guint line)
{
  sim_history_get_process (history, process)->line = line;
}

void
sim_history_sent (SimHistory *history, guint index, guint64 message,
    GcpQuality quality, gboolean open)
{
  SimProcess *process = sim_history_get_process (history, index);
  SimSent *sent = g_new0 (SimSent, 1);

  sent->message = message;
  sent->serial = process->sent->len;
  sent->process = index;
  sent->quality = quality;
  sent->open = open;
  sent->view = last_stay (process)->view;
  sent->line = process->line;
  g_ptr_array_add (process->sent, sent);
  g_hash_table_insert (history->sent, &sent->message, sent);
  if (process->log)
    sim_log_sent (process->log, log_time (history), message, quality, open);
}

void
sim_history_refused (SimHistory *history, guint index)
{
  SimProcess *process = sim_history_get_process (history, index);
  SimSent *sent = g_ptr_array_steal_index (process->sent,
      process->sent->len - 1);

  if (process->log)
    sim_log_refused (process->log, log_time (history), sent->message);
  g_hash_table_remove (history->sent, &sent->message);
}

void
sim_history_delivered (SimHistory *history, guint index, GcpMemberId sender,
    guint64 message, GcpQuality quality)
{
  SimProcess *process = sim_history_get_process (history, index);
  SimStay *stay = last_stay (process);
  SimDelivery delivery = { message, sender, quality, process->line };

  g_assert_nonnull (stay);      /* the engine has no view to deliver in */
  g_array_append_val (stay->delivered, delivery);
  if (process->log)
    sim_log_delivered (process->log, log_time (history), sender, message,
        quality);
}

static SimView *
need_view (SimHistory *history, const GcpView *gcp_view)
{
  SimView *view;
  guint n = gcp_view_get_n_members (gcp_view);

  for (guint i = 0; i < history->views->len; i++) {
    gboolean same;

    view = history->views->pdata[i];
    same = view->number == gcp_view_get_number (gcp_view)
        && view->primary == gcp_view_is_primary (gcp_view)
        && view->members->len == n;
    for (guint j = 0; same && j < n; j++)
      same = g_array_index (view->members, GcpMemberId, j)
          == gcp_view_get_member (gcp_view, j)->id;
    if (same)
      return view;
  }
  view = g_new0 (SimView, 1);
  view->number = gcp_view_get_number (gcp_view);
  view->primary = gcp_view_is_primary (gcp_view);
  view->members = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  for (guint j = 0; j < n; j++)
    g_array_append_val (view->members, gcp_view_get_member (gcp_view, j)->id);
  g_ptr_array_add (history->views, view);
  return view;
}

void
sim_history_view (SimHistory *history, guint index, const GcpView *gcp_view)
{
  SimProcess *process = sim_history_get_process (history, index);
  SimStay *stay = g_new0 (SimStay, 1);

  stay->view = need_view (history, gcp_view);
  stay->delivered = g_array_new (FALSE, FALSE, sizeof (SimDelivery));
  stay->line = process->line;
  g_ptr_array_add (process->stays, stay);
  if (process->log)
    sim_log_view (process->log, log_time (history), stay->view->number,
        stay->view->primary, (GcpMemberId *) (gpointer)
        stay->view->members->data, stay->view->members->len);
}

gboolean
sim_history_is_put_out (SimHistory *history, GcpMemberId id)
{
  for (guint i = 0; i < history->put_out->len; i++)
    if (g_array_index (history->put_out, GcpMemberId, i) == id)
      return TRUE;
  return FALSE;
}

static gboolean
is_wrong_departure (SimHistory *history, SimProcess *process,
    SimProcess *gone, GcpDeparture why)
{
  switch (why) {
    case GCP_FAILED:
      /* Who is put out may first notice that the others hung up; and who knows that
       * it is does not answer those any more who do not know it yet. */
      return !gone->crashed && !gone->ended
          && !sim_history_is_put_out (history, gone->id)
          && !sim_history_is_put_out (history, process->id)
          && sim_history_found (history, "thrown out: %s took %s for crashed,"
          " which it is not", process->name, gone->name);
    case GCP_LEFT:
      return !gone->asked_to_leave
          && sim_history_found (history, "thrown out: %s says %s left, which"
          " it did not", process->name, gone->name);
    case GCP_PUT_OUT:
      return !sim_history_is_put_out (history, gone->id)
          && sim_history_found (history, "thrown out: %s put out %s, which"
          " nobody decided", process->name, gone->name);
  }
  return FALSE;
}

void
sim_history_departure (SimHistory *history, guint index, GcpMemberId member,
    GcpDeparture why)
{
  SimProcess *process = sim_history_get_process (history, index);
  gint who = sim_history_find_process (history, member);

  g_assert_cmpint (who, >=, 0);
  if (process->log)
    sim_log_departed (process->log, log_time (history), member, why);
  if (history->recorded || !is_wrong_departure (history, process,
          sim_history_get_process (history, who), why))
    return;
  sim_history_add_witness (history, index, process->line);
  history->recorded = g_steal_pointer (&history->wrong);
}

void
sim_history_ended (SimHistory *history, guint index, GcpEndReason reason)
{
  SimProcess *process = sim_history_get_process (history, index);

  process->ended = TRUE;
  process->reason = reason;
  if (process->log)
    sim_log_ended (process->log, log_time (history), reason);
}

void
sim_history_crashed (SimHistory *history, guint index)
{
  SimProcess *process = sim_history_get_process (history, index);

  process->crashed = TRUE;
  if (history->world)
    sim_log_crashed (history->world, log_time (history), process->id);
}

void
sim_history_left (SimHistory *history, guint index)
{
  SimProcess *process = sim_history_get_process (history, index);

  process->asked_to_leave = TRUE;
  if (process->log)
    sim_log_left (process->log, log_time (history));
}

void
sim_history_put_out (SimHistory *history, GcpMemberId member)
{
  g_array_append_val (history->put_out, member);
  if (history->world)
    sim_log_put_out (history->world, log_time (history), member);
}

/* ---- counts ---- */

guint
sim_history_count_processes (SimHistory *history)
{
  return history->processes->len;
}

guint
sim_history_count_views (SimHistory *history)
{
  return history->views->len;
}

guint
sim_history_count_delivered (SimHistory *history)
{
  guint n = 0;

  for (guint i = 0; i < history->processes->len; i++) {
    SimProcess *process = sim_history_get_process (history, i);

    for (guint j = 0; j < process->stays->len; j++)
      n += ((SimStay *) process->stays->pdata[j])->delivered->len;
  }
  return n;
}
