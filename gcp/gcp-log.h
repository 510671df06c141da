/* gcp-log.h: the ordered messages of one view that somebody may still need
 *
 * Messages have the numbers 1, 2, 3 ... in the view. A log holds them without a
 * gap: from the first that is not both delivered here and held by everybody, to
 * the last that came.
 */
#pragma once

#include "gcp-message.h"

G_BEGIN_DECLS

typedef struct {
  GQueue items;                 /* of GcpItem */
  GList *next;                  /* first not delivered */
  guint64 forgotten;            /* number of the last that is not here any more */
  guint64 held;                 /* number of the last */
  guint64 delivered;
  guint64 stable;               /* all members hold all up to this */
  guint64 last_safe;            /* number of the last safe one */
  gsize cost;                   /* of all items */
  guint64 ordered[GCP_MAX_MEMBERS];     /* messages of each sender so far */
} GcpLog;

void gcp_log_init (GcpLog *log);
void gcp_log_clear (GcpLog *log);

/* Takes @item as number held + 1. */
void gcp_log_add (GcpLog *log, GcpItem *item);

/* The next to be delivered: agreed, or stable. NULL: none. Borrowed; it counts as
 * delivered and may be forgotten by the next call. @all: safe ones too. */
const GcpItem *gcp_log_deliver (GcpLog *log, gboolean all);

/* Raises what is stable, to @held at most. */
void gcp_log_set_stable (GcpLog *log, guint64 stable);

/* Forgets what is delivered and stable. */
void gcp_log_forget (GcpLog *log);

/* The first message after @sequence, as the head of a list of GcpItem; NULL where
 * there is none, or it is forgotten. */
GList *gcp_log_after (const GcpLog *log, guint64 sequence);

G_END_DECLS
