/* The life of a member: peers, datagrams, time, suspicion, and the end. */
#include <gio/gio.h>

#include "gcp-engine-private.h"

void
gcp_config_init (GcpConfig *config)
{
  *config = (GcpConfig) {
    .max_datagram = 1100,
    .heartbeat = 100 * 1000,
    .suspicion = 800 * 1000,
    .joining_timeout = 10 * G_USEC_PER_SEC,
    .max_queued = 1024 * 1024,
    .max_message = GCP_MAX_PAYLOAD_SIZE,
    .probe = 500 * 1000,
  };
}

/* ---- outputs ---- */

GcpOutput *
gcp_engine_add_output (GcpEngine *engine, GcpOutputType type)
{
  GcpOutput *last = g_queue_peek_tail (&engine->outputs);
  GcpOutput *output = g_new0 (GcpOutput, 1);

  output->type = type;
  /* The end is the last output. */
  if (last && last->type == GCP_OUTPUT_END)
    g_queue_insert_before (&engine->outputs, engine->outputs.tail, output);
  else
    g_queue_push_tail (&engine->outputs, output);
  return output;
}

void
gcp_output_clear (GcpOutput *output)
{
  g_clear_pointer (&output->bytes, g_bytes_unref);
  g_clear_pointer (&output->view, gcp_view_unref);
  g_clear_pointer (&output->departures, g_array_unref);
}

static void
output_free (GcpOutput *output)
{
  gcp_output_clear (output);
  g_free (output);
}

/* ---- messages out ---- */

static void
send_bytes (GcpEngine *engine, GcpMemberId to, GBytes *bytes)
{
  GcpLink *link = gcp_known_need_peer (engine, to)->link;
  guint n = engine->candidates->len
      + (engine->view ? gcp_view_get_n_members (engine->view) : 0);

  if (gcp_link_get_queued (link) > GCP_MAX_WAITING (n))
    gcp_link_break (link);
  else
    gcp_link_send (link, bytes);
}

void
gcp_engine_send (GcpEngine *engine, GcpMemberId to, const GcpMessage *message)
{
  g_autoptr (GBytes) bytes = gcp_message_write (message);

  send_bytes (engine, to, bytes);
}

void
gcp_engine_send_to_others (GcpEngine *engine, const GcpMessage *message)
{
  g_autoptr (GBytes) bytes = gcp_message_write (message);

  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMemberId to = gcp_view_get_member (engine->view, i)->id;

    if (to != engine->self)
      send_bytes (engine, to, bytes);
  }
}

/* ---- beginning ---- */

static GcpEngine *
engine_new (const GcpConfig *config, GcpMemberId self, GBytes *card,
    gint64 now)
{
  GcpEngine *engine = g_new0 (GcpEngine, 1);

  engine->config = *config;
  engine->config.max_message =
      MIN (config->max_message, GCP_MAX_PAYLOAD_SIZE);
  engine->link_config.max_datagram =
      MAX (config->max_datagram, GCP_LINK_MIN_DATAGRAM + GCP_PEER_TRAILER)
      - GCP_PEER_TRAILER;
  engine->link_config.heartbeat = config->heartbeat;
  engine->link_config.suspicion = config->suspicion;
  engine->link_config.max_message = GCP_MAX_MESSAGE_SIZE;
  engine->self = self;
  engine->card = g_bytes_ref (card);
  engine->now = engine->began = now;
  engine->state = GCP_STATE_JOINING;
  g_queue_init (&engine->outputs);
  g_queue_init (&engine->own);
  g_queue_init (&engine->submitted);
  for (guint i = 0; i < 2; i++)
    g_queue_init (&engine->begun[i]);
  gcp_log_init (&engine->log);
  engine->peers = g_ptr_array_new_with_free_func ((GDestroyNotify) gcp_peer_free);
  engine->departed = g_array_new (FALSE, FALSE, sizeof (GcpDeparted));
  engine->candidates =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gcp_candidate_free);
  engine->lineage = gcp_lineage_new ();
  engine->self_index = -1;
  engine->leave_deadline = G_MAXINT64;
  engine->end_deadline = G_MAXINT64;
  gcp_order_reset (engine);
  return engine;
}

GcpEngine *
gcp_engine_new_founder (const GcpConfig *config, GcpMemberId self,
    GBytes *card, gint64 now)
{
  GcpEngine *engine = engine_new (config, self, card, now);

  gcp_install_founder (engine);
  return engine;
}

GcpEngine *
gcp_engine_new_joiner (const GcpConfig *config, GcpMemberId self,
    GBytes *card, gint64 now)
{
  return engine_new (config, self, card, now);
}

void
gcp_engine_free (GcpEngine *engine)
{
  gcp_change_clear (engine);
  gcp_merge_clear (engine);
  g_queue_clear_full (&engine->outputs, (GDestroyNotify) output_free);
  g_queue_clear_full (&engine->own, (GDestroyNotify) gcp_item_free);
  g_queue_clear_full (&engine->submitted, (GDestroyNotify) gcp_item_free);
  for (guint i = 0; i < 2; i++)
    g_queue_clear_full (&engine->begun[i], (GDestroyNotify) gcp_item_free);
  gcp_pieces_clear (&engine->pieces);
  gcp_log_clear (&engine->log);
  g_ptr_array_unref (engine->peers);
  g_array_unref (engine->departed);
  g_ptr_array_unref (engine->candidates);
  gcp_lineage_free (engine->lineage);
  g_clear_pointer (&engine->view, gcp_view_unref);
  g_clear_pointer (&engine->told_view, gcp_view_unref);
  g_bytes_unref (engine->card);
  g_free (engine);
}

/* ---- the end ---- */

static void
finish_end (GcpEngine *engine)
{
  gcp_engine_add_output (engine, GCP_OUTPUT_END)->reason = engine->end_reason;
  engine->state = GCP_STATE_ENDED;
  gcp_change_clear (engine);
}

/* Out, as soon as what was sent last has arrived, or is not going to. */
void
gcp_engine_end (GcpEngine *engine, GcpEndReason reason)
{
  if (engine->state >= GCP_STATE_ENDING)
    return;
  engine->state = GCP_STATE_ENDING;
  engine->end_reason = reason;
  engine->end_deadline = engine->now + engine->config.suspicion;
}

static void
run_end (GcpEngine *engine)
{
  gboolean settled = TRUE;

  for (guint i = 0; i < engine->peers->len; i++) {
    GcpPeer *peer = engine->peers->pdata[i];

    if (!gcp_known_is_suspected (engine, peer)
        && !gcp_link_is_settled (peer->link))
      settled = FALSE;
  }
  if (settled || engine->now >= engine->end_deadline)
    finish_end (engine);
}

static gboolean
is_alone (GcpEngine *engine)
{
  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMemberId id = gcp_view_get_member (engine->view, i)->id;

    if (id != engine->self && !gcp_known_is_lost (engine, id))
      return FALSE;
  }
  return TRUE;
}

/* The ends that no view brings. */
static void
check_end (GcpEngine *engine)
{
  if (engine->state == GCP_STATE_JOINING) {
    if (engine->leaving)
      gcp_engine_end (engine, GCP_END_LEFT);
    else if (engine->now >= engine->began + engine->config.joining_timeout)
      gcp_engine_end (engine, GCP_END_NOT_ADMITTED);
  } else if (engine->state == GCP_STATE_MEMBER) {
    if (engine->out && (engine->now >= engine->leave_deadline
            || is_alone (engine)))
      gcp_engine_end (engine, engine->leaving ? GCP_END_LEFT
          : GCP_END_PUT_OUT);
    else if (engine->leaving && (engine->told_out
            || engine->now >= engine->leave_deadline))
      gcp_engine_end (engine, GCP_END_LEFT);
  }
}

/* ---- messages and datagrams in ---- */

typedef enum {
  TAKE,                         /* done with it */
  WAIT                          /* of a view that is not installed: later */
} Verdict;

static gboolean
is_change_message (const GcpMessage *m)
{
  return m->type >= GCP_MESSAGE_FLUSH;
}

/* Its sender has installed a view that comes after this member's. */
static Verdict
handle_ahead (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (engine->prepared && gcp_view_id_equal (engine->prepared->id, m->view)) {
    gcp_install (engine, engine->prepared);
    return WAIT;
  }
  if (engine->view && gcp_view_contains (engine->view, peer->id)
      && !peer->gone)
    peer->gone = TRUE;
  return WAIT;
}

/* Its sender has not installed this member's view yet. If it tries to change the
 * one before, it is told. */
static void
handle_behind (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpMessage here = {
    .type = GCP_MESSAGE_HERE,.view = engine->view_id,
    .primary = gcp_view_is_primary (engine->view)
  };

  if (m->type == GCP_MESSAGE_FLUSH
      && gcp_view_contains (engine->view, peer->id))
    gcp_engine_send (engine, peer->id, &here);
}

static Verdict
handle_message (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  gint order;

  if (engine->state == GCP_STATE_JOINING) {
    if (!is_change_message (m))
      return handle_ahead (engine, peer, m);
    gcp_change_handle (engine, peer, m);
    return TAKE;
  }
  if (engine->state != GCP_STATE_MEMBER
      || gcp_merge_handle (engine, peer, m))
    return TAKE;
  order = gcp_view_id_compare (m->view, engine->view_id);
  if (order > 0)
    return handle_ahead (engine, peer, m);
  if (order < 0)
    handle_behind (engine, peer, m);
  else if (m->type == GCP_MESSAGE_LEAVE)
    peer->leaving = TRUE;
  else if (is_change_message (m))
    gcp_change_handle (engine, peer, m);
  else
    gcp_order_handle (engine, peer, m);
  return TAKE;
}

/* Takes messages of @peer as far as they can be taken now. FALSE: peers came or
 * went, and @peer may be gone. */
static gboolean
take_messages (GcpEngine *engine, GcpPeer *peer)
{
  guint serial = engine->peers_serial;
  GcpMemberId id = peer->id;
  GBytes *bytes;

  while ((bytes = gcp_link_peek (peer->link))) {
    g_auto (GcpMessage) m = { 0 };
    Verdict verdict = TAKE;

    if (gcp_message_read (&m, bytes))
      verdict = handle_message (engine, peer, &m);
    if (engine->peers_serial != serial
        && gcp_known_find_peer (engine, id) != peer)
      return FALSE;
    if (verdict == TAKE)
      g_bytes_unref (gcp_link_take (peer->link));
    if (engine->peers_serial != serial)
      return FALSE;
    if (verdict == WAIT)
      break;
  }
  return TRUE;
}

static void
take_all_messages (GcpEngine *engine)
{
  for (guint i = 0; i < engine->peers->len; i++)
    if (!take_messages (engine, engine->peers->pdata[i]))
      i = -1;
}

/* Does all that follows from what came in. */
static void
run (GcpEngine *engine)
{
  guint serial;

  if (engine->state == GCP_STATE_ENDED)
    return;
  do {
    serial = engine->peers_serial;
    take_all_messages (engine);
    if (engine->state < GCP_STATE_ENDING) {
      gcp_order_run (engine);
      gcp_change_run (engine);
    }
    if (engine->state < GCP_STATE_ENDING)
      check_end (engine);
  } while (engine->peers_serial != serial);
  if (engine->state == GCP_STATE_ENDING)
    run_end (engine);
}

/* A member that was not run for a while must not take its own absence for
 * everybody else's: what they sent meanwhile is still to come. */
static void
set_time (GcpEngine *engine, gint64 now)
{
  if (now - engine->now > 3 * engine->config.heartbeat)
    engine->grace_until = now + 4 * engine->config.heartbeat;
  engine->now = MAX (engine->now, now);
}

static void
receive_notice (GcpEngine *engine, GcpMemberId from, const guint8 *data,
    gsize size)
{
  GcpPeer *peer = gcp_known_find_peer (engine, from);
  GcpViewId view;
  gboolean primary;
  GcpDeparture why;

  if (engine->state != GCP_STATE_MEMBER
      || !gcp_notice_read (data, size, &view, &primary, &why))
    return;
  if (peer && gcp_view_contains (engine->view, from)) {
    if (gcp_view_id_compare (view, engine->view_id) <= 0)
      return;
    peer->gone = TRUE;
    if (primary && why != GCP_FAILED)
      engine->told_out = TRUE;
  } else if (gcp_merge_is_believed (engine, from) && why != GCP_FAILED
      && !gcp_view_is_primary (engine->view)) {
    /* Nobody waits for this member any more. */
    gcp_engine_end (engine, engine->leaving ? GCP_END_LEFT : GCP_END_PUT_OUT);
  }
}

void
gcp_engine_give_notice (GcpEngine *engine, GcpMemberId to)
{
  GcpDeparted *departed = gcp_known_find_departed (engine, to);
  GcpOutput *output;

  if (!departed || engine->state != GCP_STATE_MEMBER
      || engine->now - departed->last_notice < GCP_NOTICE_INTERVAL)
    return;
  departed->last_notice = engine->now;
  output = gcp_engine_add_output (engine, GCP_OUTPUT_SEND);
  output->member = to;
  output->bytes = gcp_notice_write (engine->view_id,
      gcp_view_is_primary (engine->view), departed->why);
}

/* Who may have a link: members, candidates, members of the prepared view, the
 * coordinator of another part; and while joining anybody, up to the size of a view. */
GcpPeer *
gcp_engine_admit_sender (GcpEngine *engine, GcpMemberId from)
{
  GcpPeer *peer = gcp_known_find_peer (engine, from);

  if (peer)
    return peer;
  if (engine->state == GCP_STATE_JOINING
      ? engine->peers->len < GCP_MAX_MEMBERS
      : gcp_known_find_candidate (engine, from)
      || gcp_merge_may_talk (engine, from)
      || (engine->prepared
          && gcp_proposal_find (engine->prepared, from) >= 0))
    return gcp_known_need_peer (engine, from);
  return NULL;
}

void
gcp_engine_receive (GcpEngine *engine, GcpMemberId from, const guint8 *data,
    gsize size, gint64 now)
{
  GcpPeer *peer;

  set_time (engine, now);
  if (engine->state == GCP_STATE_ENDED || from == engine->self
      || from == GCP_MEMBER_NONE || size == 0)
    return;
  if (data[0] == GCP_DATAGRAM_PROBE) {
    gcp_merge_receive_probe (engine, from, data, size);
  } else if (data[0] == GCP_DATAGRAM_OUT) {
    receive_notice (engine, from, data, size);
  } else if (data[0] == GCP_DATAGRAM_RELAY) {
    gcp_relay_receive (engine, from, data, size);
  } else {
    peer = gcp_engine_admit_sender (engine, from);
    if (peer) {
      peer->path.heard = engine->now;
      gcp_peer_receive (engine, peer, data, size);
    } else {
      gcp_engine_give_notice (engine, from);
    }
  }
  run (engine);
}

void
gcp_engine_tick (GcpEngine *engine, gint64 now)
{
  set_time (engine, now);
  run (engine);
}

/* ---- wishes ---- */

static gboolean
multicast (GcpEngine *engine, GBytes *message, GcpQuality quality,
    gboolean ahead, gint64 now, GError **error)
{
  gsize size = g_bytes_get_size (message);

  set_time (engine, now);
  if (engine->state != GCP_STATE_MEMBER || engine->out
      || (engine->leaving && (!ahead || engine->leave_said))) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
        "not a member of a group");
    return FALSE;
  }
  if (size > engine->config.max_message) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
        "a message of %" G_GSIZE_FORMAT " bytes is longer than %"
        G_GSIZE_FORMAT, size, engine->config.max_message);
    return FALSE;
  }
  if (gcp_engine_get_queued (engine) > 0
      && gcp_engine_get_queued (engine) + size
      > engine->config.max_queued * (ahead ? 2 : 1)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
        "%" G_GSIZE_FORMAT " bytes wait to be sent already",
        gcp_engine_get_queued (engine));
    return FALSE;
  }
  gcp_pieces_cut (&engine->own, message, quality, ahead);
  engine->own_size += size;
  run (engine);
  return TRUE;
}

gboolean
gcp_engine_multicast (GcpEngine *engine, GBytes *message, GcpQuality quality,
    gint64 now, GError **error)
{
  return multicast (engine, message, quality, FALSE, now, error);
}

gboolean
gcp_engine_multicast_ahead (GcpEngine *engine, GBytes *message,
    GcpQuality quality, gint64 now, GError **error)
{
  return multicast (engine, message, quality, TRUE, now, error);
}

void
gcp_engine_admit (GcpEngine *engine, GcpMemberId id, GBytes *card, gint64 now)
{
  set_time (engine, now);
  if (engine->state != GCP_STATE_MEMBER)
    return;
  gcp_known_add_candidate (engine, id, card);
  run (engine);
}

gboolean
gcp_engine_is_candidate (GcpEngine *engine, GcpMemberId id)
{
  return gcp_known_find_candidate (engine, id) != NULL;
}

void
gcp_engine_put_out (GcpEngine *engine, GcpMemberId id, gint64 now)
{
  GcpDeparted *departed = gcp_known_find_departed (engine, id);
  GcpPeer *peer;

  set_time (engine, now);
  if (engine->state != GCP_STATE_MEMBER)
    return;
  gcp_known_drop_candidate (engine, id);
  if (id == engine->self) {
    engine->out = TRUE;
    engine->leave_deadline = MIN (engine->leave_deadline,
        engine->now + 2 * engine->config.suspicion);
  } else if (gcp_view_contains (engine->view, id)) {
    peer = gcp_known_find_peer (engine, id);
    if (peer)
      peer->out = TRUE;
  } else if (departed) {
    departed->why = GCP_PUT_OUT;
  }
  run (engine);
}

void
gcp_engine_leave (GcpEngine *engine, gint64 now)
{
  set_time (engine, now);
  if (engine->leaving)
    return;
  engine->leaving = TRUE;
  engine->leave_deadline = MIN (engine->leave_deadline,
      engine->now + engine->config.joining_timeout);
  run (engine);
}

/* ---- out ---- */

static void
take_output (GcpEngine *engine, GcpOutput *output)
{
  GcpOutput *first = g_queue_pop_head (&engine->outputs);

  *output = *first;
  g_free (first);
}

static gboolean
poll_datagram (GcpEngine *engine, GcpOutput *output)
{
  for (guint i = 0; i < engine->peers->len; i++) {
    GcpPeer *peer = engine->peers->pdata[i];
    GBytes *bytes = gcp_peer_poll (engine, peer);

    if (!bytes)
      continue;
    if (gcp_relay_is_broken (engine, peer)) {
      gcp_relay_send (engine, peer, bytes);
      take_output (engine, output);
    } else {
      *output = (GcpOutput) {
        .type = GCP_OUTPUT_SEND,.member = peer->id,.bytes = bytes
      };
    }
    return TRUE;
  }
  return FALSE;
}

/* The layer above was told of the view since the last run, and has said what it had to
 * say before it asked again. */
static gboolean
leaves_now (const GcpEngine *engine)
{
  return engine->state == GCP_STATE_MEMBER && !engine->out
      && !engine->leave_said && !engine->frozen
      && gcp_change_may_leave (engine);
}

gboolean
gcp_engine_poll_events (GcpEngine *engine, GcpOutput *output)
{
  GcpOutput *first = g_queue_peek_head (&engine->outputs);

  return first && first->type != GCP_OUTPUT_END
      && gcp_engine_poll (engine, output);
}

gboolean
gcp_engine_poll (GcpEngine *engine, GcpOutput *output)
{
  GcpOutput *first = g_queue_peek_head (&engine->outputs);

  /* Datagrams go before the end, which is the last output. */
  if (!first || first->type == GCP_OUTPUT_END) {
    if (poll_datagram (engine, output))
      return TRUE;
    if (gcp_order_can_go_on (engine) || leaves_now (engine)) {
      run (engine);
      return gcp_engine_poll (engine, output);
    }
  }
  if (!first)
    return FALSE;
  take_output (engine, output);
  if (output->type == GCP_OUTPUT_VIEW) {
    g_clear_pointer (&engine->told_view, gcp_view_unref);
    engine->told_view = gcp_view_ref (output->view);
  } else if (output->type == GCP_OUTPUT_END) {
    g_ptr_array_set_size (engine->peers, 0);
  }
  return TRUE;
}

gint64
gcp_engine_deadline (const GcpEngine *engine)
{
  GcpEngine *self = (GcpEngine *) engine;
  gint64 deadline;

  if (engine->state == GCP_STATE_ENDED)
    return G_MAXINT64;
  deadline = engine->end_deadline;
  if (engine->state == GCP_STATE_MEMBER) {
    deadline = MIN (deadline, gcp_order_deadline (engine));
    deadline = MIN (deadline, gcp_watch_deadline (engine));
    deadline = MIN (deadline, gcp_merge_deadline (engine));
  }
  if (engine->state == GCP_STATE_JOINING)
    deadline = MIN (deadline, engine->began + engine->config.joining_timeout);
  if (engine->state < GCP_STATE_ENDING)
    deadline = MIN (deadline, engine->leave_deadline);
  for (guint i = 0; i < engine->peers->len; i++) {
    const GcpPeer *peer = engine->peers->pdata[i];
    gint64 suspicion = gcp_known_get_suspicion_time (self, peer);

    deadline = MIN (deadline, gcp_link_deadline (peer->link));
    /* What has passed has been acted upon. */
    if (suspicion > engine->now)
      deadline = MIN (deadline, suspicion);
  }
  return deadline;
}

GcpView *
gcp_engine_get_view (const GcpEngine *engine)
{
  return engine->told_view;
}

gsize
gcp_engine_get_queued (const GcpEngine *engine)
{
  return engine->own_size + engine->submitted_size;
}

gboolean
gcp_engine_is_open (const GcpEngine *engine)
{
  return engine->state == GCP_STATE_MEMBER && !engine->frozen
      && !engine->leaving && !engine->out
      && engine->view == engine->told_view && !engine->own.head
      && engine->submitted_cost < GCP_SUBMIT_WINDOW;
}
