/* bench-member.h: one member of a group that is measured, a process of its own
 *
 * Does what it is told on its standard input, a command a line, and writes what
 * it found to its standard output. What the group is made of, it does not know:
 * the same code measures BravisSession and corosync.
 *
 *   in    answer                     answer pings from now on
 *         invite NAME ADDRESS        take somebody in
 *         send RUN SIZE SECONDS N    send for so long, or so many (0: no limit)
 *         ping RUN SIZE N            so many round trips, one after another
 *   out   ready ADDRESS              can be invited there
 *         daemon PID                 what has to be killed first
 *         view N TIME                so many are in now
 *         sent RUN N TIME            what was sent, from that time on
 *         end RUN N TIME KIB         the last of a run's messages was delivered: how
 *                                    many there were, memory of this process
 *         rtts RUN US US ...         round trips
 *         failed WHY
 *
 * Times are µs of the system's monotonic clock, the same in all processes of a
 * machine. The end of the input is the end of the process.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BENCH_MIN_SIZE 16               /* bytes of a message */

typedef struct _BenchMember BenchMember;

typedef struct {
  /* FALSE: not now; bench_member_take_writable () follows. */
  gboolean (*send) (gpointer group, const guint8 *data, gsize size);
  gboolean (*invite) (gpointer group, const char *name, const char *address,
      GError **error);
} BenchGroup;

BenchMember *bench_member_new (const BenchGroup *group, gpointer user_data);
void bench_member_free (BenchMember *member);

/* What comes from the group, in one thread. */
void bench_member_take_view (BenchMember *member, guint n_members);
void bench_member_take_message (BenchMember *member, const guint8 *data,
    gsize size);
void bench_member_take_writable (BenchMember *member);

/* Writes a line. From any thread. */
void bench_member_say (BenchMember *member, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

/* Reads commands until there are no more. */
void bench_member_run (BenchMember *member);

/* `bravis bench member CONFIG`: a member that is a BravisSession. */
int bench_bravis_member_main (const char *config);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchMember, bench_member_free)

G_END_DECLS
