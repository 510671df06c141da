#include "sim-group.h"

#include <string.h>

#include "../../gcp/gcp-wire.h"

/* The payloads of the simulation say what they are. */
typedef enum {
  PAYLOAD_DATA,
  PAYLOAD_ADMIT,
  PAYLOAD_PUT_OUT,
} PayloadKind;

typedef struct {
  SimGroup *group;
  guint index;
  GcpMemberId id;
  GBytes *card;
  GcpEngine *engine;
  GcpView *view;
  gboolean ended;
  GcpEndReason reason;
  gboolean doomed;
  GcpOutputType crash_at;
} Process;

struct _SimGroup {
  SimNetwork *network;
  SimHistory *history;
  GcpConfig config;
  guint64 seed;
  guint64 last_message;
  guint n;
  Process processes[SIM_GROUP_MAX];
  gboolean trace;
  SimDeliveredFunc delivered;
  gpointer delivered_data;
};

static void G_GNUC_PRINTF (2, 3)
say (SimGroup *group, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  if (!group->trace)
    return;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_print ("%10.6f  %s\n", sim_network_now (group->network) / 1e6, text);
}

static gint
find_process (SimGroup *group, GcpMemberId id)
{
  for (guint i = 0; i < group->n; i++)
    if (group->processes[i].id == id)
      return i;
  return -1;
}

/* ---- payloads ---- */

#define N_FILLINGS 65521
#define LONGEST_FILLING (1024 * 1024)

/* A payload ends with octets that no other message near it has at the same place. */
static const guint8 *
get_filling (guint64 message, gsize size)
{
  static guint8 octets[N_FILLINGS + LONGEST_FILLING];
  static gsize made = 0;

  if (g_once_init_enter (&made)) {
    SimRandom random;

    sim_random_init (&random, N_FILLINGS);
    sim_random_fill (&random, octets, sizeof octets);
    g_once_init_leave (&made, 1);
  }
  g_assert (size <= LONGEST_FILLING);
  return octets + message % N_FILLINGS;
}

static GBytes *
write_payload (guint64 message, PayloadKind kind, guint64 argument, gsize size)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u64 (&writer, message);
  gcp_write_u8 (&writer, kind);
  gcp_write_u64 (&writer, argument);
  gcp_write_bytes (&writer, get_filling (message, size), size);
  return gcp_writer_finish (&writer);
}

/* 0: altered on the way. */
static guint64
read_payload (GBytes *payload, PayloadKind *kind, guint64 *argument)
{
  GcpReader reader;
  guint64 message;
  const guint8 *found;
  gsize size;

  gcp_reader_init_bytes (&reader, payload);
  message = gcp_read_u64 (&reader);
  *kind = gcp_read_u8 (&reader);
  *argument = gcp_read_u64 (&reader);
  size = gcp_reader_left (&reader);
  found = gcp_read_span (&reader, size);
  return gcp_reader_finish (&reader)
      && memcmp (found, get_filling (message, size), size) == 0 ? message : 0;
}

/* ---- a process ---- */

static void
deliver (Process *process, const GcpOutput *output)
{
  SimGroup *group = process->group;
  gint64 now = sim_network_now (group->network);
  PayloadKind kind;
  guint64 argument;
  guint64 message = read_payload (output->bytes, &kind, &argument);
  gint sender = find_process (group, output->member);

  say (group, "%u delivers %" G_GUINT64_FORMAT " of %d%s, %" G_GSIZE_FORMAT
      " bytes", process->index, message, sender,
      output->quality == GCP_SAFE ? " (safe)" : "",
      g_bytes_get_size (output->bytes));
  sim_history_delivered (group->history, process->index, output->member,
      message, output->quality);
  if (group->delivered)
    group->delivered (group, process->index, message, group->delivered_data);
  if (kind == PAYLOAD_ADMIT && argument < group->n)
    gcp_engine_admit (process->engine, group->processes[argument].id,
        group->processes[argument].card, now);
  else if (kind == PAYLOAD_PUT_OUT && argument < group->n)
    gcp_engine_put_out (process->engine, group->processes[argument].id, now);
}

static void
install (Process *process, const GcpOutput *output)
{
  SimGroup *group = process->group;
  g_autoptr (GString) members = g_string_new (NULL);

  for (guint i = 0; i < gcp_view_get_n_members (output->view); i++) {
    const GcpMember *member = gcp_view_get_member (output->view, i);
    gint who = find_process (group, member->id);

    g_assert_cmpint (who, >=, 0);
    g_assert_true (g_bytes_equal (member->card, group->processes[who].card));
    g_string_append_printf (members, " %d", who);
  }
  for (guint i = 0; i < output->departures->len; i++) {
    GcpDepartureRecord *record = &g_array_index (output->departures,
        GcpDepartureRecord, i);

    g_string_append_printf (members, ", %d %s",
        find_process (group, record->id), record->why == GCP_LEFT ? "left"
        : record->why == GCP_FAILED ? "failed" : "put out");
    sim_history_departure (group->history, process->index, record->id,
        record->why);
  }
  say (group, "%u installs view %" G_GUINT64_FORMAT "%s:%s", process->index,
      gcp_view_get_number (output->view),
      gcp_view_is_primary (output->view) ? "" : " (not primary)",
      members->str);
  sim_history_view (group->history, process->index, output->view);
  g_clear_pointer (&process->view, gcp_view_unref);
  process->view = gcp_view_ref (output->view);
}

/* Returns the next deadline; G_MAXINT64: it crashed. */
static gint64
pump (Process *process)
{
  SimGroup *group = process->group;
  gint64 deadline;

  for (;;) {
    g_auto (GcpOutput) output = { 0 };
    gint to;

    if (sim_network_is_crashed (group->network, process->index)
        || !gcp_engine_poll (process->engine, &output))
      break;
    switch (output.type) {
      case GCP_OUTPUT_SEND:
        to = find_process (group, output.member);
        g_assert_cmpint (to, >=, 0);
        g_assert_cmpuint (g_bytes_get_size (output.bytes), <=,
            group->config.max_datagram + GCP_RELAY_OVERHEAD);
        sim_network_send (group->network, process->index, to,
            g_bytes_get_data (output.bytes, NULL),
            g_bytes_get_size (output.bytes));
        break;
      case GCP_OUTPUT_DELIVER:
        deliver (process, &output);
        break;
      case GCP_OUTPUT_VIEW:
        install (process, &output);
        break;
      case GCP_OUTPUT_END:
        say (group, "%u ends: %s", process->index,
            output.reason == GCP_END_LEFT ? "left"
            : output.reason == GCP_END_PUT_OUT ? "put out" : "not admitted");
        process->ended = TRUE;
        process->reason = output.reason;
        sim_history_ended (group->history, process->index, output.reason);
        break;
    }
    if (process->doomed && output.type == process->crash_at)
      sim_group_crash (group, process->index);
  }
  if (sim_network_is_crashed (group->network, process->index))
    return G_MAXINT64;
  deadline = gcp_engine_deadline (process->engine);
  sim_network_set_deadline (group->network, process->index, deadline);
  return deadline;
}

static void
process_receive (gpointer user_data, guint from, const guint8 *data,
    gsize size, gint64 now)
{
  Process *process = user_data;

  gcp_engine_receive (process->engine, process->group->processes[from].id,
      data, size, now);
  pump (process);
}

static void
process_tick (gpointer user_data, gint64 now)
{
  Process *process = user_data;
  gint64 deadline;

  gcp_engine_tick (process->engine, now);
  deadline = pump (process);
  /* Or it would be called for ever. */
  g_assert_cmpint (deadline, >, now);
}

/* ---- the group ---- */

SimGroup *
sim_group_new (guint64 seed, const SimConditions *conditions,
    const GcpConfig *config)
{
  SimGroup *group = g_new0 (SimGroup, 1);

  group->network = sim_network_new (seed, conditions);
  group->history = sim_history_new ();
  group->config = *config;
  group->seed = seed;
  return group;
}

void
sim_group_free (SimGroup *group)
{
  for (guint i = 0; i < group->n; i++) {
    gcp_engine_free (group->processes[i].engine);
    g_bytes_unref (group->processes[i].card);
    g_clear_pointer (&group->processes[i].view, gcp_view_unref);
  }
  sim_network_free (group->network);
  sim_history_free (group->history);
  g_free (group);
}

static gint64
get_time (gpointer network)
{
  return sim_network_now (network);
}

void
sim_group_write_logs (SimGroup *group, const char *directory)
{
  sim_history_write_logs (group->history, directory, get_time,
      group->network);
}

void
sim_group_set_delivered_func (SimGroup *group, SimDeliveredFunc func,
    gpointer user_data)
{
  group->delivered = func;
  group->delivered_data = user_data;
}

void
sim_group_set_trace (SimGroup *group, gboolean trace)
{
  group->trace = trace;
}

SimNetwork *
sim_group_get_network (SimGroup *group)
{
  return group->network;
}

SimHistory *
sim_group_get_history (SimGroup *group)
{
  return group->history;
}

static Process *
add_process (SimGroup *group)
{
  static const SimNodeFuncs funcs = { process_receive, process_tick };
  SimRandom *random = sim_network_random (group->network);
  Process *process = &group->processes[group->n];
  gsize size = sim_random_range (random, 0, 1500);

  process->group = group;
  process->index = group->n++;
  process->id = sim_random_u64 (random) | 1;
  process->card = write_payload (process->id, PAYLOAD_DATA, 0, size);
  sim_network_add_node (group->network, &funcs, process);
  sim_history_add_process (group->history, process->id);
  return process;
}

guint
sim_group_found (SimGroup *group)
{
  Process *process = add_process (group);

  process->engine = gcp_engine_new_founder (&group->config, process->id,
      process->card, sim_network_now (group->network));
  pump (process);
  return process->index;
}

static guint64
send_payload (SimGroup *group, guint index, PayloadKind kind, guint64 argument,
    GcpQuality quality, gsize size)
{
  Process *process = &group->processes[index];
  guint64 message = group->last_message + 1;
  g_autoptr (GBytes) payload = write_payload (message, kind, argument, size);
  gboolean open;

  if (!sim_group_is_member (group, index))
    return 0;
  open = gcp_engine_is_open (process->engine)
      && g_bytes_get_size (payload) <= GCP_PIECE_SIZE;
  if (!gcp_engine_multicast (process->engine, payload, quality,
          sim_network_now (group->network), NULL))
    return 0;
  group->last_message = message;
  say (group, "%u multicasts %" G_GUINT64_FORMAT "%s%s", index, message,
      quality == GCP_SAFE ? " (safe)" : "", open ? "" : ", not open");
  sim_history_sent (group->history, index, message, quality, open);
  pump (process);
  return message;
}

static gint
choose_member (SimGroup *group, guint wished)
{
  for (guint i = 0; i < group->n; i++) {
    guint index = (wished + i) % group->n;

    if (sim_group_is_member (group, index))
      return index;
  }
  return -1;
}

gint
sim_group_join (SimGroup *group, guint inviter)
{
  gint by = choose_member (group, inviter);
  Process *process;

  if (group->n >= SIM_GROUP_MAX || by < 0)
    return -1;
  process = add_process (group);
  say (group, "%d invites %u", by, process->index);
  process->engine = gcp_engine_new_joiner (&group->config, process->id,
      process->card, sim_network_now (group->network));
  pump (process);
  send_payload (group, by, PAYLOAD_ADMIT, process->index, GCP_SAFE, 0);
  return process->index;
}

guint64
sim_group_multicast (SimGroup *group, guint process, GcpQuality quality,
    gsize size)
{
  return send_payload (group, process, PAYLOAD_DATA, 0, quality, size);
}

guint64
sim_group_get_last_message (SimGroup *group)
{
  return group->last_message;
}

void
sim_group_leave (SimGroup *group, guint index)
{
  Process *process = &group->processes[index];

  if (process->ended || sim_network_is_crashed (group->network, index))
    return;
  say (group, "%u leaves", index);
  sim_history_left (group->history, index);
  gcp_engine_leave (process->engine, sim_network_now (group->network));
  pump (process);
}

void
sim_group_crash (SimGroup *group, guint process)
{
  if (sim_network_is_crashed (group->network, process)
      || group->processes[process].ended)
    return;
  say (group, "%u crashes", process);
  sim_history_crashed (group->history, process);
  sim_network_crash (group->network, process);
}

void
sim_group_crash_at (SimGroup *group, guint process, GcpOutputType type)
{
  group->processes[process].doomed = TRUE;
  group->processes[process].crash_at = type;
}

void
sim_group_put_out (SimGroup *group, guint by, guint member)
{
  say (group, "%u has %u put out", by, member);
  sim_history_put_out (group->history, group->processes[member].id);
  send_payload (group, by, PAYLOAD_PUT_OUT, member, GCP_SAFE, 0);
}

GcpEngine *
sim_group_get_engine (SimGroup *group, guint process)
{
  return group->processes[process].engine;
}

GcpMemberId
sim_group_get_id (SimGroup *group, guint process)
{
  return group->processes[process].id;
}

guint
sim_group_count (SimGroup *group)
{
  return group->n;
}

gboolean
sim_group_is_member (SimGroup *group, guint index)
{
  const Process *process = &group->processes[index];

  return process->view && !process->ended
      && !sim_network_is_crashed (group->network, index);
}

GcpView *
sim_group_get_view (SimGroup *group, guint process)
{
  return group->processes[process].view;
}

gboolean
sim_group_has_ended (SimGroup *group, guint process, GcpEndReason *reason)
{
  if (reason)
    *reason = group->processes[process].reason;
  return group->processes[process].ended;
}

void
sim_group_run (SimGroup *group, gint64 microseconds)
{
  sim_network_run_until (group->network,
      sim_network_now (group->network) + microseconds);
}

SimGroup *
sim_group_gather (const SimConditions *conditions, guint n)
{
  GcpConfig config;
  SimGroup *group;

  gcp_config_init (&config);
  group = sim_group_new (1, conditions, &config);
  sim_group_found (group);
  for (guint i = 1; i < n; i++)
    sim_group_join (group, 0);
  sim_group_run (group, 10 * G_USEC_PER_SEC);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (gcp_view_get_n_members (sim_group_get_view (group, i)),
        ==, n);
  return group;
}

void
sim_group_assert_nothing_is_wrong (SimGroup *group)
{
  g_autofree char *wrong = sim_history_check (group->history, TRUE);

  if (!wrong)
    wrong = sim_history_check_liveness (group->history);
  g_assert_cmpstr (wrong, ==, NULL);
}
