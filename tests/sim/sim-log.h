/* sim-log.h: what one process saw of its group, in a file
 *
 * Every process of a run, simulated or real, writes a log of its own; all of them
 * together are a history (sim-history.h), which the checker judges:
 *
 *   check-history [--strict] [--live] LOG...
 *
 * A log is text, one event a line, words between single spaces. Lines that begin
 * with # and empty ones say nothing.
 *
 *   TIME process ID [NAME]                 first: whose log this is
 *   TIME sent MESSAGE QUALITY open|queued  it multicast
 *   TIME refused MESSAGE                   it did not, after all: takes back the
 *                                          last `sent'
 *   TIME delivered SENDER MESSAGE QUALITY
 *   TIME departed ID left|failed|put-out   before or after a view: why a member
 *                                          of the last one is not in it
 *   TIME view NUMBER primary|not ID...     installed, its members in their order
 *   TIME left                              it was asked to leave
 *   TIME ended left|put-out|not-admitted
 *   TIME crashed ID                        in any log
 *   TIME put-out ID                        in any log: that was decided
 *
 * TIME is microseconds of one clock for all logs (on one machine, in any network
 * namespace, g_get_monotonic_time () is one), and does not go back within a log.
 * ID and SENDER are what views call members, in hexadecimal digits; MESSAGE, a
 * decimal number below 2^64, names a message and is never used twice in all logs;
 * QUALITY is `agreed' or `safe'; `open' is what gcp_engine_is_open () said before
 * (`queued' where that is not known). One log is one incarnation of a process: who
 * starts again has another id, and another log.
 *
 * Who runs the processes has a log too, without `process', in which it writes whom
 * it killed. It does so before it kills.
 *
 * A process that is killed leaves a log that is whole up to its last line: each
 * event is one write to the file. A last line that is torn is left out, and said.
 * For a history to be true even then, write `sent' before the message can leave
 * the process: with an engine between gcp_engine_multicast () and the next
 * gcp_engine_poll (); where that cannot be, before sending, and `refused' if it did
 * not come to it. Write what was delivered, and views, as they come.
 */
#pragma once

#include "../../gcp/gcp-engine.h"

G_BEGIN_DECLS

typedef struct _SimLog SimLog;

/* Appends to @path. */
SimLog *sim_log_open (const char *path, GError **error);
/* FALSE: something could not be written. Frees @log in any case. */
gboolean sim_log_close (SimLog *log, GError **error);

void sim_log_process (SimLog *log, gint64 time, GcpMemberId id,
    const char *name);          /* NULL: none */
void sim_log_sent (SimLog *log, gint64 time, guint64 message,
    GcpQuality quality, gboolean open);
void sim_log_refused (SimLog *log, gint64 time, guint64 message);
void sim_log_delivered (SimLog *log, gint64 time, GcpMemberId sender,
    guint64 message, GcpQuality quality);
void sim_log_departed (SimLog *log, gint64 time, GcpMemberId member,
    GcpDeparture why);
void sim_log_view (SimLog *log, gint64 time, guint64 number,
    gboolean primary, const GcpMemberId *members, guint n_members);
void sim_log_left (SimLog *log, gint64 time);
void sim_log_ended (SimLog *log, gint64 time, GcpEndReason reason);
void sim_log_crashed (SimLog *log, gint64 time, GcpMemberId id);
void sim_log_put_out (SimLog *log, gint64 time, GcpMemberId id);

/* The words of the format, for the reader. */
extern const char *const sim_log_qualities[];   /* by GcpQuality; NULL ends */
extern const char *const sim_log_departures[];  /* by GcpDeparture */
extern const char *const sim_log_reasons[];     /* by GcpEndReason */

G_END_DECLS
