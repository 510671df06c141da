/* Messages within a view. The first member of the view is the sequencer: what it
 * says is the order. */
#include "gcp-engine-private.h"
#include "gcp-fault.h"

static GcpMemberId
get_sequencer (GcpEngine *engine)
{
  return gcp_view_get_member (engine->view, 0)->id;
}

static gboolean
is_sequencer (const GcpEngine *engine)
{
  return engine->self_index == 0;
}

void
gcp_order_deliver_item (GcpEngine *engine, const GcpItem *item)
{
  GBytes *whole = gcp_pieces_add (&engine->pieces, item);
  GcpOutput *output;

  if (!whole)
    return;
  output = gcp_engine_add_output (engine, GCP_OUTPUT_DELIVER);
  output->member = gcp_view_get_member (engine->view, item->sender)->id;
  output->bytes = whole;
  output->quality = item->quality;
}

GcpItem *
gcp_order_take_submitted (GcpEngine *engine)
{
  GcpItem *item = g_queue_pop_head (&engine->submitted);

  if (!item)
    return NULL;
  engine->submitted_size -= g_bytes_get_size (item->payload);
  engine->submitted_cost -= gcp_item_cost (item);
  if (item->more)
    g_queue_push_tail (&engine->begun[item->ahead], gcp_item_copy (item));
  else
    g_queue_clear_full (&engine->begun[item->ahead],
        (GDestroyNotify) gcp_item_free);
  return item;
}

void
gcp_order_drop_submitted (GcpEngine *engine)
{
  GcpItem *item = gcp_order_take_submitted (engine);

  g_clear_pointer (&item, gcp_item_free);
}

static void
take_back (GcpEngine *engine, GQueue *items)
{
  GcpItem *item;

  while ((item = g_queue_pop_tail (items))) {
    engine->own_size += g_bytes_get_size (item->payload);
    g_queue_push_head (&engine->own, item);
  }
}

/* With an honest coordinator nothing is submitted any more, and what is is not lost. */
void
gcp_order_take_back (GcpEngine *engine, gboolean begin_again)
{
  take_back (engine, &engine->submitted);
  engine->submitted_size = 0;
  engine->submitted_cost = 0;
  for (guint i = 0; i < 2 && begin_again && !GCP_FAULT (BEGUN_CONTINUED); i++) {
    if (GCP_FAULT (BEGUN_FORGOTTEN))
      g_queue_clear_full (&engine->begun[i], (GDestroyNotify) gcp_item_free);
    take_back (engine, &engine->begun[i]);
  }
}

/* ---- the sequencer ---- */

static void
order_item (GcpEngine *engine, GcpItem *item)
{
  GcpMemberId sender = gcp_view_get_member (engine->view, item->sender)->id;
  GcpMessage m = {
    .type = GCP_MESSAGE_ORDER,.view = engine->view_id,
    .sequence = engine->log.held + 1
  };
  g_autoptr (GBytes) whole = NULL;

  gcp_message_set_item (&m, item);
  whole = gcp_message_write (&m);

  for (guint i = 1; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMemberId to = gcp_view_get_member (engine->view, i)->id;

    /* Its sender has it: its number is enough. */
    m.omitted = to == sender;
    if (m.omitted)
      gcp_engine_send (engine, to, &m);
    else
      gcp_link_send (gcp_known_need_peer (engine, to)->link, whole);
  }
  engine->cost_since += gcp_item_cost (item);
  gcp_log_add (&engine->log, item);
}

static GcpItem *
take_pending (GcpEngine *engine, guint index)
{
  GcpPeer *peer;
  GcpItem *item;

  if (index == 0)
    return gcp_order_take_submitted (engine);
  peer = gcp_known_find_peer (engine,
      gcp_view_get_member (engine->view, index)->id);
  item = peer ? g_queue_pop_head (&peer->pending) : NULL;
  if (item)
    peer->pending_cost -= gcp_item_cost (item);
  if (item && GCP_FAULT (PENDING_KEPT))
    item->sender = index;
  return item;
}

static gsize
get_room_of_link (const GcpLink *link)
{
  gsize most = CLAMP (2 * gcp_link_get_window (link), GCP_LINK_LEAST_QUEUE,
      GCP_LINK_QUEUE);
  gsize queued = gcp_link_get_queued (link);

  return queued < most ? most - queued : 0;
}

/* Bytes that may be ordered before the fullest link has too much to send. */
static gsize
get_room_of_links (GcpEngine *engine)
{
  gsize least = GCP_LINK_QUEUE;

  for (guint i = 1; i < gcp_view_get_n_members (engine->view); i++) {
    GcpPeer *peer = gcp_known_find_peer (engine,
        gcp_view_get_member (engine->view, i)->id);

    if (peer)
      least = MIN (least, get_room_of_link (peer->link));
  }
  return least;
}

/* Everybody in turn, so that who sends much does not keep others waiting. */
static void
order_pending (GcpEngine *engine)
{
  guint n = gcp_view_get_n_members (engine->view);
  guint n_empty = 0;
  gsize room = get_room_of_links (engine);

  while (n_empty < n && engine->log.cost < GCP_UNSTABLE_WINDOW && room > 0) {
    GcpItem *item = take_pending (engine, engine->next_turn);

    engine->next_turn = (engine->next_turn + 1) % n;
    if (item) {
      n_empty = 0;
      room -= MIN (room, gcp_item_cost (item));
      order_item (engine, item);
    } else {
      n_empty++;
    }
  }
  engine->waits_for_links = n_empty < n && room == 0;
}

gboolean
gcp_order_can_go_on (GcpEngine *engine)
{
  return engine->waits_for_links && engine->state == GCP_STATE_MEMBER
      && !engine->frozen && engine->log.cost < GCP_UNSTABLE_WINDOW
      && get_room_of_links (engine) > 0;
}

static void
say_stable (GcpEngine *engine)
{
  GcpMessage m = {
    .type = GCP_MESSAGE_STABLE,.view = engine->view_id,
    .sequence = engine->log.stable
  };

  engine->stable_sent = engine->log.stable;
  engine->stable_deadline = G_MAXINT64;
  engine->cost_since = 0;
  gcp_engine_send_to_others (engine, &m);
}

static void
compute_stable (GcpEngine *engine)
{
  guint64 stable = engine->log.held;

  for (guint i = 1; i < gcp_view_get_n_members (engine->view); i++) {
    GcpPeer *peer = gcp_known_find_peer (engine,
        gcp_view_get_member (engine->view, i)->id);

    stable = MIN (stable, peer ? peer->receipt : 0);
  }
  gcp_log_set_stable (&engine->log, stable);
  if (engine->log.stable == engine->stable_sent)
    return;
  if (engine->log.last_safe > engine->stable_sent
      || engine->log.stable - engine->stable_sent >= GCP_RECEIPT_EVERY
      || engine->cost_since >= GCP_RECEIPT_COST || engine->stable_deadline <= engine->now)
    say_stable (engine);
  else if (engine->stable_deadline == G_MAXINT64)
    engine->stable_deadline = engine->now + GCP_RECEIPT_DELAY;
}

static void
handle_submit (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  gint index = gcp_view_find (engine->view, peer->id);
  GcpItem *item;

  if (!is_sequencer (engine) || engine->frozen || index < 1
      || peer->pending_cost > GCP_SUBMIT_LIMIT)
    return;
  item = gcp_message_get_item (m, index);
  peer->pending_cost += gcp_item_cost (item);
  g_queue_push_tail (&peer->pending, item);
}

static void
handle_receipt (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (is_sequencer (engine) && m->sequence <= engine->log.held)
    peer->receipt = GCP_FAULT (RECEIPT_TOO_HIGH) ? engine->log.held
        : MAX (peer->receipt, m->sequence);
}

/* ---- everybody else ---- */

static void
handle_order (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpItem *item;

  if (engine->frozen || is_sequencer (engine)
      || peer->id != get_sequencer (engine)
      || m->sequence != engine->log.held + 1
      || m->sender >= gcp_view_get_n_members (engine->view)
      || m->omitted != (m->sender == engine->self_index)
      || engine->log.cost > GCP_UNSTABLE_LIMIT)
    return;
  if (m->omitted)
    item = gcp_order_take_submitted (engine);
  else
    item = gcp_message_get_item (m, m->sender);
  if (!item)
    return;
  gcp_log_add (&engine->log, item);
  engine->cost_since += gcp_item_cost (item);
  if (item->quality == GCP_SAFE)
    engine->receipt_now = TRUE;
}

static void
handle_stable (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (!is_sequencer (engine) && peer->id == get_sequencer (engine))
    gcp_log_set_stable (&engine->log, m->sequence);
}

static void
say_receipt (GcpEngine *engine)
{
  GcpMessage m = {
    .type = GCP_MESSAGE_RECEIPT,.view = engine->view_id,
    .sequence = engine->log.held
  };

  if (engine->log.held == engine->receipt_sent)
    return;
  if (!engine->receipt_now
      && engine->log.held - engine->receipt_sent < GCP_RECEIPT_EVERY
      && engine->cost_since < GCP_RECEIPT_COST && engine->receipt_deadline > engine->now) {
    if (engine->receipt_deadline == G_MAXINT64)
      engine->receipt_deadline = engine->now + GCP_RECEIPT_DELAY;
    return;
  }
  engine->receipt_sent = engine->log.held;
  engine->receipt_now = FALSE;
  engine->receipt_deadline = G_MAXINT64;
  engine->cost_since = 0;
  gcp_engine_send (engine, get_sequencer (engine), &m);
}

static void
submit_own (GcpEngine *engine)
{
  while (engine->own.head && engine->submitted_cost < GCP_SUBMIT_WINDOW) {
    GcpItem *item = GCP_FAULT (LAST_FIRST) ? g_queue_pop_tail (&engine->own)
        : g_queue_pop_head (&engine->own);
    gsize size = g_bytes_get_size (item->payload);
    GcpMessage m = {
      .type = GCP_MESSAGE_SUBMIT,.view = engine->view_id
    };

    item->sender = engine->self_index;
    gcp_message_set_item (&m, item);
    engine->own_size -= size;
    engine->submitted_size += size;
    engine->submitted_cost += gcp_item_cost (item);
    g_queue_push_tail (&engine->submitted, item);
    if (!is_sequencer (engine))
      gcp_engine_send (engine, get_sequencer (engine), &m);
  }
}

static void
deliver (GcpEngine *engine)
{
  const GcpItem *item;

  while ((item = gcp_log_deliver (&engine->log, FALSE)))
    gcp_order_deliver_item (engine, item);
  gcp_log_forget (&engine->log);
}

void
gcp_order_handle (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  switch (m->type) {
    case GCP_MESSAGE_SUBMIT:
      handle_submit (engine, peer, m);
      break;
    case GCP_MESSAGE_ORDER:
      handle_order (engine, peer, m);
      break;
    case GCP_MESSAGE_RECEIPT:
      handle_receipt (engine, peer, m);
      break;
    case GCP_MESSAGE_STABLE:
      handle_stable (engine, peer, m);
      break;
    default:
      break;
  }
}

void
gcp_order_run (GcpEngine *engine)
{
  guint64 stable;

  if (!engine->view)
    return;
  do {
    stable = engine->log.stable;
    if (!engine->frozen) {
      submit_own (engine);
      if (is_sequencer (engine)) {
        order_pending (engine);
        compute_stable (engine);
      } else {
        say_receipt (engine);
      }
    }
    /* While the view ends, what comes may lie behind the cut that is agreed on. */
    if (!engine->frozen)
      deliver (engine);
    /* What became stable made room for more. */
  } while (!engine->frozen && engine->log.stable != stable);
}

void
gcp_order_reset (GcpEngine *engine)
{
  gcp_log_clear (&engine->log);
  engine->receipt_sent = 0;
  engine->receipt_now = FALSE;
  engine->receipt_deadline = G_MAXINT64;
  engine->stable_sent = 0;
  engine->stable_deadline = G_MAXINT64;
  engine->cost_since = 0;
  engine->next_turn = 0;
  engine->waits_for_links = FALSE;
  for (guint i = 0; i < engine->peers->len; i++) {
    GcpPeer *peer = engine->peers->pdata[i];

    if (GCP_FAULT (PENDING_KEPT))
      break;
    g_queue_clear_full (&peer->pending, (GDestroyNotify) gcp_item_free);
    peer->pending_cost = 0;
    peer->receipt = 0;
  }
}

gint64
gcp_order_deadline (const GcpEngine *engine)
{
  if (!engine->view || engine->frozen)
    return G_MAXINT64;
  return MIN (engine->receipt_deadline, engine->stable_deadline);
}
