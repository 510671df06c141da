/* From one view to the next.
 *
 * The coordinator, the first member that is not lost and does not leave, stops
 * everybody (FLUSH), learns what they hold (FLUSHED), gets what it lacks (FETCH),
 * gives everybody the next view and what they lack of the old one (PREPARE), and
 * once all hold it ready (PREPARED) has it installed (COMMIT). Who holds a view
 * ready says so to a later coordinator, which then proposes that same view again:
 * it may have been installed by somebody who is not heard any more. */
#include "gcp-engine-private.h"

void
gcp_change_clear (GcpEngine *engine)
{
  gcp_coordinator_clear (engine);
  gcp_parts_clear (engine);
  g_clear_pointer (&engine->prepared, gcp_proposal_unref);
}

void
gcp_change_hold_ready (GcpEngine *engine, GcpProposal *proposal)
{
  g_autoptr (GArray) members = gcp_proposal_list_members (proposal);
  g_autoptr (GArray) holders = gcp_ids_new ();

  g_clear_pointer (&engine->prepared, gcp_proposal_unref);
  engine->prepared = proposal;
  engine->highest = MAX (engine->highest, proposal->id.number);
  gcp_lineage_merge (engine->lineage, proposal->lineage);
  if (proposal->primary) {
    for (guint i = 0; i < proposal->acking->len; i++)
      gcp_ids_add (holders, g_array_index (proposal->acking, GcpMemberId, i));
    for (guint i = 0; i < proposal->others->len; i++)
      gcp_ids_add (holders, g_array_index (proposal->others, GcpMemberId, i));
    gcp_lineage_attempt (engine->lineage, proposal->id, members, holders);
  }
}

/* The layer above has heard of the view, and what it had to say is on its way. */
gboolean
gcp_change_may_leave (const GcpEngine *engine)
{
  return engine->leaving && !engine->own.head
      && engine->view == engine->told_view;
}

gboolean
gcp_change_is_leaving (GcpEngine *engine, GcpMemberId id)
{
  const GcpPeer *peer;

  if (id == engine->self)
    return engine->leave_said;
  peer = gcp_known_find_peer (engine, id);
  return peer && peer->leaving;
}

GcpMemberId
gcp_change_get_coordinator (GcpEngine *engine)
{
  GcpMemberId leaver = GCP_MEMBER_NONE;

  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMemberId id = gcp_engine_member_at (engine, i);

    if (gcp_known_is_lost (engine, id))
      continue;
    if (!gcp_change_is_leaving (engine, id))
      return id;
    if (leaver == GCP_MEMBER_NONE)
      leaver = id;
  }
  return leaver;
}

/* All before @id are lost or leave, as far as this member knows. */
static gboolean
is_turn_of (GcpEngine *engine, GcpMemberId id)
{
  gint index = gcp_view_find (engine->view, id);

  for (gint i = 0; i < index; i++) {
    GcpMemberId before = gcp_engine_member_at (engine, i);

    if (!gcp_known_is_lost (engine, before)
        && !gcp_change_is_leaving (engine, before))
      return FALSE;
  }
  return index >= 0;
}

GcpMessage
gcp_change_message (const GcpEngine *engine, GcpMessageType type,
    GcpViewId attempt)
{
  return (GcpMessage) {
    .type = type,.view = engine->view_id,.attempt = attempt
  };
}

static void
accept_flush (GcpEngine *engine, GcpPeer *peer, GcpViewId attempt,
    const GArray *known)
{
  GcpMessage m = gcp_change_message (engine, GCP_MESSAGE_CANDIDATE, attempt);

  gcp_merge_give_up (engine);
  gcp_coordinator_clear (engine);
  gcp_parts_clear (engine);
  peer->gone = FALSE;
  engine->promised = attempt;
  engine->followed = engine->now;
  engine->frozen = TRUE;
  for (guint i = 0; i < engine->candidates->len; i++) {
    GcpCandidate *candidate = engine->candidates->pdata[i];

    m.member = candidate->id;
    m.payload = candidate->card;
    if (!candidate->failed && !gcp_ids_contain (known, candidate->id))
      gcp_engine_send (engine, peer->id, &m);
  }
  m = gcp_change_message (engine, GCP_MESSAGE_UNORDERED, attempt);
  for (GList * l = engine->submitted.head; l; l = l->next) {
    GcpItem *item = l->data;

    gcp_message_set_item (&m, item);
    gcp_engine_send (engine, peer->id, &m);
  }
  m = gcp_change_message (engine, GCP_MESSAGE_FLUSHED, attempt);
  m.sequence = engine->log.held;
  m.own_ordered = engine->log.ordered[engine->self_index];
  m.n_unordered = engine->submitted.length;
  m.leaving = engine->leave_said || gcp_change_may_leave (engine);
  if (engine->prepared) {
    m.prepared_attempt = engine->prepared->attempt;
    m.prepared = engine->prepared->id;
  }
  m.highest = engine->highest;
  m.lineage = engine->lineage;
  engine->highest = MAX (engine->highest, attempt.number);
  gcp_engine_send (engine, peer->id, &m);
}

/* It is not @peer's turn, as far as this member knows: those before it are
 * looked at more sharply, and the attempt kept. @peer has stopped, so that the
 * view must change in any case: whose turn it is tries with a greater number. */
static void
hold_flush (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  gint index = gcp_view_find (engine->view, peer->id);

  peer->held_flush = m->attempt;
  g_clear_pointer (&peer->held_flush_ids, g_array_unref);
  peer->held_flush_ids = g_array_ref (m->ids);
  engine->highest = MAX (engine->highest, m->attempt.number);
  for (gint i = 0; i < index; i++) {
    GcpPeer *before = gcp_known_find_peer (engine, gcp_engine_member_at (engine, i));

    if (before)
      before->accused = TRUE;
  }
}

static void
refuse (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpMessage refused = gcp_change_message (engine, GCP_MESSAGE_REFUSED,
      m->attempt);

  refused.highest = engine->highest;
  gcp_engine_send (engine, peer->id, &refused);
}

static void
handle_flush (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (!engine->view || engine->out || m->attempt.proposer != peer->id
      || !gcp_view_contains (engine->view, peer->id)
      || m->attempt.number <= engine->view_id.number
      || m->attempt.number > engine->highest + GCP_MAX_NUMBER_STEP)
    return;
  if (gcp_view_id_compare (m->attempt, engine->promised) <= 0)
    refuse (engine, peer, m);
  else if (is_turn_of (engine, peer->id))
    accept_flush (engine, peer, m->attempt, m->ids);
  else
    hold_flush (engine, peer, m);
}

static void
try_held_flushes (GcpEngine *engine)
{
  for (guint i = 0; i < engine->peers->len; i++) {
    GcpPeer *peer = engine->peers->pdata[i];
    g_autoptr (GArray) ids = NULL;

    if (gcp_view_id_compare (peer->held_flush, engine->promised) <= 0
        || !is_turn_of (engine, peer->id))
      continue;
    ids = g_steal_pointer (&peer->held_flush_ids);
    accept_flush (engine, peer, peer->held_flush, ids);
    peer->held_flush = (GcpViewId) { 0 };
  }
}

static void
handle_fetch (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpMessage shown = gcp_change_message (engine, GCP_MESSAGE_SHOWN, m->attempt);

  if (!engine->view || !engine->frozen || m->attempt.proposer != peer->id)
    return;
  if (!gcp_view_id_equal (m->attempt, engine->promised)) {
    refuse (engine, peer, m);
    return;
  }
  gcp_parts_send_missing (engine, peer->id, m->attempt, m->sequence);
  if (engine->prepared
      && gcp_view_id_equal (engine->prepared->id, m->prepared)) {
    gcp_parts_send (engine, peer->id, m->attempt, engine->prepared);
    shown.proposal = engine->prepared;
  }
  shown.sequence = engine->log.held;
  gcp_engine_send (engine, peer->id, &shown);
}

static void
handle_prepare (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpMessage prepared = gcp_change_message (engine, GCP_MESSAGE_PREPARED,
      m->attempt);

  if (engine->attempt || !gcp_parts_complete (engine, peer, m))
    return;
  if (!gcp_merge_accepts (engine, m->proposal)) {
    refuse (engine, peer, m);
    return;
  }
  prepared.view = m->view;
  engine->promised = m->attempt;
  gcp_change_hold_ready (engine, gcp_proposal_ref (m->proposal));
  gcp_engine_send (engine, peer->id, &prepared);
}

static void
handle_commit (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (!engine->prepared || m->attempt.proposer != peer->id
      || !gcp_view_id_equal (m->attempt, engine->promised)
      || !gcp_view_id_equal (m->attempt, engine->prepared->attempt))
    return;
  gcp_install (engine, engine->prepared);
}

static void
say_leave (GcpEngine *engine)
{
  GcpMessage m = {.type = GCP_MESSAGE_LEAVE,.view = engine->view_id };

  if (engine->leave_said || engine->frozen || !gcp_change_may_leave (engine))
    return;
  engine->leave_said = TRUE;
  gcp_engine_send_to_others (engine, &m);
}

void
gcp_change_run (GcpEngine *engine)
{
  if (engine->state != GCP_STATE_MEMBER || engine->out)
    return;
  say_leave (engine);
  try_held_flushes (engine);
  gcp_watch_run (engine);
  if (engine->state == GCP_STATE_MEMBER)
    gcp_merge_run (engine);
}

void
gcp_change_handle (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  switch (m->type) {
    case GCP_MESSAGE_FLUSH:
      handle_flush (engine, peer, m);
      break;
    case GCP_MESSAGE_FETCH:
      handle_fetch (engine, peer, m);
      break;
    case GCP_MESSAGE_MISSING:
      gcp_parts_handle_missing (engine, peer, m);
      break;
    case GCP_MESSAGE_APPENDED:
      gcp_parts_handle_appended (engine, peer, m);
      break;
    case GCP_MESSAGE_CARD:
      gcp_parts_handle_card (engine, peer, m);
      break;
    case GCP_MESSAGE_PREPARE:
      handle_prepare (engine, peer, m);
      break;
    case GCP_MESSAGE_COMMIT:
      handle_commit (engine, peer, m);
      break;
    default:
      gcp_coordinator_handle (engine, peer, m);
      break;
  }
}
