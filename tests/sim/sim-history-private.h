/* sim-history-private.h: what a history is made of, for its recording and its
 * checks
 *
 * Lines are those of the log in which an event stands; 0 where there is no log. */
#pragma once

#include "sim-history.h"
#include "sim-log.h"

G_BEGIN_DECLS

/* A view as its members name it. */
typedef struct {
  guint64 number;
  gboolean primary;
  GArray *members;              /* of GcpMemberId */
} SimView;

typedef struct {
  guint64 message;
  GcpMemberId sender;
  GcpQuality quality;
  guint line;
} SimDelivery;

/* One process's time in one view. */
typedef struct {
  SimView *view;
  GArray *delivered;            /* of SimDelivery */
  guint line;
} SimStay;

typedef struct {
  guint64 message;
  guint serial;                 /* among those of its sender, from 0 */
  guint process;
  GcpQuality quality;
  gboolean open;
  SimView *view;                /* its sender's when it multicast */
  SimView *delivered_in;
  guint line;
} SimSent;

typedef struct {
  GcpMemberId id;
  char *name;
  char *path;                   /* of its log; NULL: none */
  guint line;                   /* of what is recorded now */
  GPtrArray *stays;             /* of SimStay */
  GPtrArray *sent;              /* of SimSent, borrowed */
  gboolean crashed, asked_to_leave, ended;
  GcpEndReason reason;
  SimLog *log;                  /* written; NULL: none */
} SimProcess;

struct _SimHistory {
  GPtrArray *processes;
  GPtrArray *views;
  GHashTable *sent;             /* message -> SimSent */
  GArray *put_out;              /* of GcpMemberId */
  char *recorded;               /* found while recording */
  char *wrong;                  /* found by the check that runs */

  /* logs that are written */
  char *directory;              /* NULL: none */
  SimLog *world;                /* what happens to processes */
  SimHistoryClock clock;
  gpointer clock_data;
  GError *log_error;            /* the first */
};

SimProcess *sim_history_get_process (SimHistory *history, guint index);
gint sim_history_find_process (SimHistory *history, GcpMemberId id);
gboolean sim_history_is_put_out (SimHistory *history, GcpMemberId id);

/* Notes the first thing that is wrong; TRUE: this is it. */
gboolean sim_history_found (SimHistory *history, const char *format, ...)
    G_GNUC_PRINTF (2, 3);
/* ... and where it is to be seen. */
void sim_history_add_witness (SimHistory *history, guint process, guint line);

G_END_DECLS
