#include "sim-network.h"

#include <string.h>

typedef struct {
  SimNodeFuncs funcs;
  gpointer user_data;
  gint64 deadline;
  guint64 deadline_serial;      /* of the event that looks after it */
  gint64 deadline_event;        /* when that comes; never later than the deadline */
  gint64 paused_until;
  gint64 busy_until;            /* it sends at its rate */
  guint side;
  guint64 cut_to;               /* a bit for each node */
  gboolean crashed;
} Node;

typedef enum {
  EVENT_DATAGRAM,
  EVENT_DEADLINE,
  EVENT_CALL,
} EventType;

typedef struct {
  gint64 time;
  guint64 serial;               /* events of one time come in order of making */
  EventType type;
  guint from, to;
  SimEventFunc func;
  gpointer user_data;
  gsize size;
  guint8 data[];
} Event;

struct _SimNetwork {
  SimRandom random;
  SimConditions conditions;
  GArray *nodes;                /* of Node */
  GPtrArray *heap;              /* of Event, earliest first */
  guint64 last_serial;
  gint64 now;
  SimTapFunc tap;
  gpointer tap_data;
};

void
sim_random_init (SimRandom *random, guint64 seed)
{
  random->state = seed;
}

guint64
sim_random_u64 (SimRandom *random)
{
  guint64 z = random->state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ z >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ z >> 31;
}

void
sim_random_fill (SimRandom *random, gpointer out, gsize size)
{
  guint8 *octets = out;

  for (gsize i = 0; i < size; i += 8) {
    guint64 value = sim_random_u64 (random);

    memcpy (octets + i, &value, MIN (8, size - i));
  }
}

gint64
sim_random_range (SimRandom *random, gint64 low, gint64 high)
{
  g_assert (low <= high);
  return low + (gint64) (sim_random_u64 (random) % (guint64) (high - low + 1));
}

gboolean
sim_random_chance (SimRandom *random, double probability)
{
  return (sim_random_u64 (random) >> 11) * 0x1p-53 < probability;
}

static gboolean
event_before (const Event *a, const Event *b)
{
  return a->time != b->time ? a->time < b->time : a->serial < b->serial;
}

static void
heap_swap (GPtrArray *heap, guint i, guint j)
{
  gpointer event = heap->pdata[i];

  heap->pdata[i] = heap->pdata[j];
  heap->pdata[j] = event;
}

static void
heap_push (SimNetwork *network, Event *event)
{
  GPtrArray *heap = network->heap;
  guint at = heap->len;

  event->serial = ++network->last_serial;
  event->time = MAX (event->time, network->now);
  g_ptr_array_add (heap, event);
  while (at > 0 && event_before (heap->pdata[at], heap->pdata[(at - 1) / 2])) {
    heap_swap (heap, at, (at - 1) / 2);
    at = (at - 1) / 2;
  }
}

static Event *
heap_pop (SimNetwork *network)
{
  GPtrArray *heap = network->heap;
  Event *first = heap->pdata[0];
  guint at = 0;

  heap->pdata[0] = heap->pdata[heap->len - 1];
  g_ptr_array_set_size (heap, heap->len - 1);
  for (;;) {
    guint least = at;

    for (guint child = 2 * at + 1; child <= 2 * at + 2 && child < heap->len;
        child++)
      if (event_before (heap->pdata[child], heap->pdata[least]))
        least = child;
    if (least == at)
      return first;
    heap_swap (heap, at, least);
    at = least;
  }
}

static Node *
get_node (const SimNetwork *network, guint index)
{
  g_assert (index < network->nodes->len);
  return &g_array_index (network->nodes, Node, index);
}

SimNetwork *
sim_network_new (guint64 seed, const SimConditions *conditions)
{
  SimNetwork *network = g_new0 (SimNetwork, 1);

  sim_random_init (&network->random, seed);
  network->conditions = *conditions;
  network->nodes = g_array_new (FALSE, TRUE, sizeof (Node));
  network->heap = g_ptr_array_new ();
  return network;
}

void
sim_network_free (SimNetwork *network)
{
  for (guint i = 0; i < network->heap->len; i++)
    g_free (network->heap->pdata[i]);
  g_ptr_array_unref (network->heap);
  g_array_unref (network->nodes);
  g_free (network);
}

guint
sim_network_add_node (SimNetwork *network, const SimNodeFuncs *funcs,
    gpointer user_data)
{
  Node node = {
    .funcs = *funcs,.user_data = user_data,.deadline = G_MAXINT64,
    .deadline_event = G_MAXINT64
  };

  g_array_append_val (network->nodes, node);
  return network->nodes->len - 1;
}

gint64
sim_network_now (const SimNetwork *network)
{
  return network->now;
}

SimRandom *
sim_network_random (SimNetwork *network)
{
  return &network->random;
}

void
sim_network_set_conditions (SimNetwork *network,
    const SimConditions *conditions)
{
  network->conditions = *conditions;
}

static void
send_copy (SimNetwork *network, guint from, guint to, gconstpointer data,
    gsize size)
{
  const SimConditions *c = &network->conditions;
  Event *event = g_malloc (sizeof *event + size);

  *event = (Event) {
    .type = EVENT_DATAGRAM,.from = from,.to = to,.size = size,
    .time = MAX (network->now, get_node (network, from)->busy_until)
        + sim_random_range (&network->random, c->delay_min, c->delay_max)
  };
  if (sim_random_chance (&network->random, c->reorder))
    event->time += sim_random_range (&network->random, 0, c->late);
  memcpy (event->data, data, size);
  heap_push (network, event);
}

/* FALSE: too much waits already. */
static gboolean
pass_bottleneck (SimNetwork *network, Node *node, gsize size)
{
  const SimConditions *c = &network->conditions;
  gint64 begin = MAX (network->now, node->busy_until);

  if (c->rate == 0)
    return TRUE;
  if ((begin - network->now) * c->rate / G_USEC_PER_SEC + (gint64) size
      > c->queue)
    return FALSE;
  node->busy_until = begin + (gint64) size * G_USEC_PER_SEC / c->rate;
  return TRUE;
}

void
sim_network_send (SimNetwork *network, guint from, guint to,
    gconstpointer data, gsize size)
{
  const SimConditions *c = &network->conditions;

  if (get_node (network, from)->crashed || get_node (network, to)->crashed)
    return;
  if (network->tap)
    network->tap (from, to, data, size, network->now, network->tap_data);
  if (get_node (network, from)->side != get_node (network, to)->side
      || (to < 64 && get_node (network, from)->cut_to >> to & 1))
    return;
  if (!pass_bottleneck (network, get_node (network, from), size)
      || sim_random_chance (&network->random, c->loss))
    return;
  send_copy (network, from, to, data, size);
  if (sim_random_chance (&network->random, c->duplicate))
    send_copy (network, from, to, data, size);
}

/* A node's deadline is put off with nearly every datagram: the event that looks
 * after it stays, and goes on to the present deadline when it comes. */
static void
push_deadline (SimNetwork *network, guint index)
{
  Node *node = get_node (network, index);
  Event *event = g_new0 (Event, 1);

  event->type = EVENT_DEADLINE;
  event->time = node->deadline;
  event->to = index;
  heap_push (network, event);
  node->deadline_serial = event->serial;
  node->deadline_event = event->time;
}

void
sim_network_set_deadline (SimNetwork *network, guint index, gint64 time)
{
  Node *node = get_node (network, index);

  if (node->crashed)
    return;
  node->deadline = time;
  if (time < node->deadline_event)
    push_deadline (network, index);
}

void
sim_network_at (SimNetwork *network, gint64 time, SimEventFunc func,
    gpointer user_data)
{
  Event *event = g_new0 (Event, 1);

  event->type = EVENT_CALL;
  event->time = time;
  event->func = func;
  event->user_data = user_data;
  heap_push (network, event);
}

void
sim_network_crash (SimNetwork *network, guint node)
{
  get_node (network, node)->crashed = TRUE;
}

gboolean
sim_network_is_crashed (const SimNetwork *network, guint node)
{
  return get_node (network, node)->crashed;
}

void
sim_network_pause (SimNetwork *network, guint node, gint64 until)
{
  get_node (network, node)->paused_until = until;
}

void
sim_network_set_side (SimNetwork *network, guint node, guint side)
{
  get_node (network, node)->side = side;
}

void
sim_network_cut (SimNetwork *network, guint from, guint to)
{
  g_assert (from < 64 && to < 64);
  get_node (network, from)->cut_to |= G_GUINT64_CONSTANT (1) << to;
}

void
sim_network_mend (SimNetwork *network)
{
  for (guint i = 0; i < network->nodes->len; i++)
    get_node (network, i)->cut_to = 0;
}

void
sim_network_set_tap (SimNetwork *network, SimTapFunc tap, gpointer user_data)
{
  network->tap = tap;
  network->tap_data = user_data;
}

/* TRUE: the event was put off, and lives on. */
static gboolean
put_off (SimNetwork *network, Event *event)
{
  Node *node = get_node (network, event->to);

  if (node->crashed || node->paused_until <= network->now)
    return FALSE;
  event->time = node->paused_until;
  heap_push (network, event);
  if (event->type == EVENT_DEADLINE) {
    node->deadline_serial = event->serial;
    node->deadline_event = event->time;
  }
  return TRUE;
}

static void
run_deadline (SimNetwork *network, Event *event)
{
  Node *node = get_node (network, event->to);

  if (node->crashed || node->deadline_serial != event->serial)
    return;
  node->deadline_serial = 0;
  node->deadline_event = G_MAXINT64;
  if (node->deadline > network->now) {
    if (node->deadline != G_MAXINT64)
      push_deadline (network, event->to);
    return;
  }
  node->deadline = G_MAXINT64;
  node->funcs.tick (node->user_data, network->now);
}

static void
run_datagram (SimNetwork *network, Event *event)
{
  Node *node = get_node (network, event->to);

  if (!node->crashed)
    node->funcs.receive (node->user_data, event->from, event->data,
        event->size, network->now);
}

void
sim_network_run_until (SimNetwork *network, gint64 time)
{
  while (network->heap->len > 0) {
    Event *event = network->heap->pdata[0];

    if (event->time > time)
      break;
    heap_pop (network);
    network->now = event->time;
    switch (event->type) {
      case EVENT_DEADLINE:
        if (get_node (network, event->to)->deadline_serial == event->serial
            && put_off (network, event))
          continue;
        run_deadline (network, event);
        break;
      case EVENT_DATAGRAM:
        if (put_off (network, event))
          continue;
        run_datagram (network, event);
        break;
      case EVENT_CALL:
        event->func (network, event->user_data);
        break;
    }
    g_free (event);
  }
  network->now = time;
}
