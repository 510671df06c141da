#include "gcp-log.h"

#include "gcp-fault.h"

void
gcp_log_init (GcpLog *log)
{
  *log = (GcpLog) { 0 };
  g_queue_init (&log->items);
}

void
gcp_log_clear (GcpLog *log)
{
  g_queue_clear_full (&log->items, (GDestroyNotify) gcp_item_free);
  gcp_log_init (log);
}

void
gcp_log_add (GcpLog *log, GcpItem *item)
{
  g_queue_push_tail (&log->items, item);
  if (!log->next)
    log->next = log->items.tail;
  log->held++;
  log->cost += gcp_item_cost (item);
  log->ordered[item->sender]++;
  if (item->quality == GCP_SAFE)
    log->last_safe = log->held;
}

const GcpItem *
gcp_log_deliver (GcpLog *log, gboolean all)
{
  GcpItem *item;

  if (!log->next)
    return NULL;
  item = log->next->data;
  if (item->quality == GCP_SAFE && log->delivered + 1 > log->stable && !all
      && !GCP_FAULT (SAFE_AS_AGREED))
    return NULL;
  log->next = log->next->next;
  log->delivered++;
  return item;
}

void
gcp_log_set_stable (GcpLog *log, guint64 stable)
{
  log->stable = MAX (log->stable, MIN (stable, log->held));
}

void
gcp_log_forget (GcpLog *log)
{
  guint64 last = GCP_FAULT (LOG_FORGETFUL) ? log->delivered
      : MIN (log->stable, log->delivered);

  while (log->forgotten < last) {
    GcpItem *item = g_queue_pop_head (&log->items);

    log->forgotten++;
    log->cost -= gcp_item_cost (item);
    gcp_item_free (item);
  }
}

GList *
gcp_log_after (const GcpLog *log, guint64 sequence)
{
  GList *l = log->items.head;

  if (sequence < log->forgotten)
    return NULL;
  for (guint64 n = log->forgotten; l && n < sequence; n++)
    l = l->next;
  return l;
}
