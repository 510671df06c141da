#include "bench-member.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a message is; then its run and its number, then nothing of interest. */
enum { KIND_DATA = 'd', KIND_END = 'e', KIND_PING = 'p', KIND_PONG = 'q' };

typedef struct {
  guint8 kind;
  guint8 unused[3];
  guint32 run;
  guint64 number;
} Header;

G_STATIC_ASSERT (sizeof (Header) == BENCH_MIN_SIZE);

struct _BenchMember {
  const BenchGroup *group;
  gpointer user_data;

  GMutex output;
  GMutex lock;                  /* of what follows */
  GCond changed;
  gboolean writable;
  gboolean answers;
  guint64 pong;                 /* number of the last one, counted from 1 */
  guint32 pong_run;

  /* of the group's thread */
  guint32 run;                  /* whose messages are counted */
  guint64 n_messages;
};

BenchMember *
bench_member_new (const BenchGroup *group, gpointer user_data)
{
  BenchMember *member = g_new0 (BenchMember, 1);

  member->group = group;
  member->user_data = user_data;
  g_mutex_init (&member->output);
  g_mutex_init (&member->lock);
  g_cond_init (&member->changed);
  return member;
}

void
bench_member_free (BenchMember *member)
{
  g_mutex_clear (&member->output);
  g_mutex_clear (&member->lock);
  g_cond_clear (&member->changed);
  g_free (member);
}

static void
write_line (BenchMember *member, const char *line)
{
  g_mutex_lock (&member->output);
  puts (line);
  fflush (stdout);
  g_mutex_unlock (&member->output);
}

void
bench_member_say (BenchMember *member, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list arguments;

  va_start (arguments, format);
  line = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  write_line (member, line);
}

/* Resident memory of this process, in KiB; 0: not known. */
static gulong
get_memory (void)
{
  g_autofree char *text = NULL;
  gulong all = 0, resident = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL)
      && sscanf (text, "%lu %lu", &all, &resident) == 2)
    return resident * (sysconf (_SC_PAGESIZE) / 1024);
  return 0;
}

/* --- sending --- */

static void
send_and_wait (BenchMember *member, const guint8 *data, gsize size)
{
  g_mutex_lock (&member->lock);
  member->writable = FALSE;
  g_mutex_unlock (&member->lock);
  while (!member->group->send (member->user_data, data, size)) {
    g_mutex_lock (&member->lock);
    while (!member->writable)
      g_cond_wait (&member->changed, &member->lock);
    member->writable = FALSE;
    g_mutex_unlock (&member->lock);
  }
}

static void
fill (guint8 *data, guint8 kind, guint32 run, guint64 number)
{
  Header header = { .kind = kind, .run = run, .number = number };

  memcpy (data, &header, sizeof header);
}

static void
send_many (BenchMember *member, guint32 run, gsize size, double seconds,
    guint64 n)
{
  g_autofree guint8 *data = g_malloc0 (size);
  gint64 start = g_get_monotonic_time ();
  gint64 end = seconds > 0 ? start + seconds * G_USEC_PER_SEC : G_MAXINT64;
  guint64 sent = 0;

  while ((n == 0 || sent < n)
      && (sent % 64 != 0 || g_get_monotonic_time () < end)) {
    fill (data, KIND_DATA, run, sent++);
    send_and_wait (member, data, size);
  }
  fill (data, KIND_END, run, sent);
  send_and_wait (member, data, size);
  bench_member_say (member, "sent %u %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT,
      run, sent, start);
}

/* --- round trips --- */

static void
ping (BenchMember *member, guint32 run, gsize size, guint64 n)
{
  g_autofree guint8 *data = g_malloc0 (size);
  g_autoptr (GString) line = g_string_new (NULL);

  g_string_printf (line, "rtts %u", run);
  for (guint64 i = 1; i <= n; i++) {
    gint64 start = g_get_monotonic_time ();

    fill (data, KIND_PING, run, i);
    send_and_wait (member, data, size);
    g_mutex_lock (&member->lock);
    while (member->pong_run != run || member->pong < i)
      g_cond_wait (&member->changed, &member->lock);
    g_mutex_unlock (&member->lock);
    g_string_append_printf (line, " %" G_GINT64_FORMAT,
        g_get_monotonic_time () - start);
  }
  write_line (member, line->str);
}

static void
take_pong (BenchMember *member, const Header *header)
{
  g_mutex_lock (&member->lock);
  member->pong = header->number;
  member->pong_run = header->run;
  g_cond_broadcast (&member->changed);
  g_mutex_unlock (&member->lock);
}

static void
answer (BenchMember *member, const guint8 *ping_data, gsize size,
    const Header *header)
{
  g_autofree guint8 *data = NULL;
  gboolean answers;

  g_mutex_lock (&member->lock);
  answers = member->answers;
  g_mutex_unlock (&member->lock);
  if (!answers)
    return;
  data = g_memdup2 (ping_data, size);
  fill (data, KIND_PONG, header->run, header->number);
  /* There is one message under way at a time: there is room for it. */
  if (!member->group->send (member->user_data, data, size))
    bench_member_say (member, "failed an answer has no room");
}

/* --- what comes from the group --- */

void
bench_member_take_view (BenchMember *member, guint n_members)
{
  bench_member_say (member, "view %u %" G_GINT64_FORMAT, n_members,
      g_get_monotonic_time ());
}

void
bench_member_take_message (BenchMember *member, const guint8 *data, gsize size)
{
  Header header;

  if (size < sizeof header)
    return;
  memcpy (&header, data, sizeof header);
  switch (header.kind) {
    case KIND_DATA:
    case KIND_END:
      if (member->run != header.run)
        member->n_messages = 0;
      member->run = header.run;
      if (header.number != member->n_messages)
        bench_member_say (member, "failed message %" G_GUINT64_FORMAT
            " came instead of %" G_GUINT64_FORMAT, header.number,
            member->n_messages);
      if (header.kind == KIND_END)
        bench_member_say (member, "end %u %" G_GUINT64_FORMAT " %"
            G_GINT64_FORMAT " %lu", header.run, member->n_messages,
            g_get_monotonic_time (), get_memory ());
      else
        member->n_messages++;
      break;
    case KIND_PING:
      answer (member, data, size, &header);
      break;
    case KIND_PONG:
      take_pong (member, &header);
      break;
  }
}

void
bench_member_take_writable (BenchMember *member)
{
  g_mutex_lock (&member->lock);
  member->writable = TRUE;
  g_cond_broadcast (&member->changed);
  g_mutex_unlock (&member->lock);
}

/* --- commands --- */

static void
invite (BenchMember *member, const char *name, const char *address)
{
  g_autoptr (GError) error = NULL;

  if (!member->group->invite (member->user_data, name, address, &error))
    bench_member_say (member, "failed %s", error->message);
}

static void
obey (BenchMember *member, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  guint n = g_strv_length (words);

  if (n == 1 && g_str_equal (words[0], "answer")) {
    g_mutex_lock (&member->lock);
    member->answers = TRUE;
    g_mutex_unlock (&member->lock);
  } else if (n == 3 && g_str_equal (words[0], "invite")) {
    invite (member, words[1], words[2]);
  } else if (n == 5 && g_str_equal (words[0], "send")) {
    send_many (member, strtoul (words[1], NULL, 10),
        MAX (strtoul (words[2], NULL, 10), BENCH_MIN_SIZE),
        g_ascii_strtod (words[3], NULL),
        g_ascii_strtoull (words[4], NULL, 10));
  } else if (n == 4 && g_str_equal (words[0], "ping")) {
    ping (member, strtoul (words[1], NULL, 10),
        MAX (strtoul (words[2], NULL, 10), BENCH_MIN_SIZE),
        g_ascii_strtoull (words[3], NULL, 10));
  } else {
    bench_member_say (member, "failed no such command: %s", line);
  }
}

void
bench_member_run (BenchMember *member)
{
  g_autofree char *line = NULL;
  size_t size = 0;

  while (getline (&line, &size, stdin) > 0)
    obey (member, g_strchomp (line));
}
