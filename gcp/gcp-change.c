/* From one view to the next.
 *
 * The coordinator, the first member that is not lost and does not leave, stops
 * everybody (FLUSH), learns what they hold (FLUSHED), gets what it lacks (FETCH),
 * gives everybody the next view and what they lack of the old one (PREPARE), and
 * once all hold it ready (PREPARED) has it installed (COMMIT). Who holds a view
 * ready says so to a later coordinator, which then proposes that same view again:
 * it may have been installed by somebody who is not heard any more. */
#include "gcp-engine-private.h"

#define ANSWER_SUSPICIONS 4             /* suspicion times until an answer is due */

/* ---- what it works with ---- */

static void
staging_free (GcpStaging *staging)
{
  g_ptr_array_unref (staging->appended);
  for (guint i = 0; i < staging->cards->len; i++)
    g_bytes_unref (g_array_index (staging->cards, GcpMember, i).card);
  g_array_unref (staging->cards);
  g_free (staging);
}

static void
reply_free (GcpReply *reply)
{
  g_ptr_array_unref (reply->unordered);
  g_free (reply);
}

static void
attempt_free (GcpAttempt *attempt)
{
  g_ptr_array_unref (attempt->replies);
  g_free (attempt);
}

static GcpReply *
attempt_add (GcpAttempt *attempt, GcpMemberId id)
{
  GcpReply *reply = g_new0 (GcpReply, 1);

  reply->id = id;
  reply->unordered =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gcp_item_free);
  g_ptr_array_add (attempt->replies, reply);
  return reply;
}

static GcpReply *
attempt_find (GcpAttempt *attempt, GcpMemberId id)
{
  for (guint i = 0; i < attempt->replies->len; i++) {
    GcpReply *reply = attempt->replies->pdata[i];

    if (reply->id == id)
      return reply;
  }
  return NULL;
}

void
gcp_change_clear (GcpEngine *engine)
{
  g_clear_pointer (&engine->attempt, attempt_free);
  g_clear_pointer (&engine->staging, staging_free);
  g_clear_pointer (&engine->prepared, gcp_proposal_unref);
}

static GcpMemberId
member_at (const GcpEngine *engine, guint index)
{
  return gcp_view_get_member (engine->view, index)->id;
}

static gboolean
is_leaving (GcpEngine *engine, GcpMemberId id)
{
  const GcpPeer *peer;

  if (id == engine->self)
    return engine->leave_said;
  peer = gcp_engine_find_peer (engine, id);
  return peer && peer->leaving;
}

static GcpMemberId
get_coordinator (GcpEngine *engine)
{
  GcpMemberId leaver = GCP_MEMBER_NONE;

  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMemberId id = member_at (engine, i);

    if (gcp_engine_is_lost (engine, id))
      continue;
    if (!is_leaving (engine, id))
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
    GcpMemberId before = member_at (engine, i);

    if (!gcp_engine_is_lost (engine, before)
        && !is_leaving (engine, before))
      return FALSE;
  }
  return index >= 0;
}

static GcpMessage
change_message (const GcpEngine *engine, GcpMessageType type,
    GcpViewId attempt)
{
  return (GcpMessage) {
    .type = type,.view = engine->view_id,.attempt = attempt
  };
}

/* ---- installing ---- */

static void
deliver_rest (GcpEngine *engine, GcpProposal *proposal)
{
  const GcpItem *item;
  GcpItem *own;

#ifndef GCP_FAULT_NO_CUT                /* tests: see tests/sim/meson.build */
  while ((item = gcp_log_deliver (&engine->log, TRUE)))
    gcp_order_deliver_item (engine, item);
#endif
  for (guint i = 0; i < proposal->appended->len; i++) {
#ifndef GCP_FAULT_NO_ORDER              /* tests: see tests/sim/meson.build */
    item = proposal->appended->pdata[i];
#else
    item = proposal->appended->pdata[(i + engine->self_index)
        % proposal->appended->len];
#endif
    gcp_order_deliver_item (engine, item);
    if (item->sender != engine->self_index)
      continue;
    own = g_queue_pop_head (&engine->submitted);
    if (own) {
      engine->submitted_size -= g_bytes_get_size (own->payload);
      engine->submitted_cost -= gcp_item_cost (own);
      gcp_item_free (own);
    }
  }
}

/* With an honest coordinator nothing is left here; with any, nothing is lost. */
static void
take_back_submitted (GcpEngine *engine)
{
  GcpItem *item;

  while ((item = g_queue_pop_tail (&engine->submitted))) {
    engine->own_size += g_bytes_get_size (item->payload);
    g_queue_push_head (&engine->own, item);
  }
  engine->submitted_size = 0;
  engine->submitted_cost = 0;
}

static GArray *
make_departures (GcpEngine *engine, GcpProposal *proposal)
{
  GArray *records = g_array_new (FALSE, FALSE, sizeof (GcpDepartureRecord));

  for (guint i = 0; engine->view
      && i < gcp_view_get_n_members (engine->view); i++) {
    GcpDepartureRecord record = { member_at (engine, i), GCP_FAILED };

    if (gcp_proposal_find (proposal, record.id) >= 0)
      continue;
    for (guint j = 0; j < proposal->departures->len; j++) {
      GcpMessageDeparture *departure = &g_array_index (proposal->departures,
          GcpMessageDeparture, j);

      if (departure->id == record.id)
        record.why = departure->why;
    }
    g_array_append_val (records, record);
  }
  return records;
}

/* The link to who is left out goes now: what it still has to say is that this is
 * so (COMMIT), and that all has come, for which a leaver waits. */
static void
say_farewell (GcpEngine *engine, GcpPeer *peer)
{
  GBytes *bytes;

  if (gcp_engine_is_suspected (engine, peer))
    return;
  gcp_link_hurry (peer->link);
  while ((bytes = gcp_link_poll (peer->link, engine->now))) {
    GcpOutput *output = gcp_engine_add_output (engine, GCP_OUTPUT_SEND);

    output->member = peer->id;
    output->bytes = bytes;
  }
}

static void
renew_peers (GcpEngine *engine, GcpView *old, GcpProposal *proposal)
{
  for (guint i = 0; i < proposal->dropped->len; i++)
    gcp_engine_drop_candidate (engine,
        g_array_index (proposal->dropped, GcpMemberId, i));
  for (guint i = engine->peers->len; i-- > 0;) {
    GcpPeer *peer = engine->peers->pdata[i];
    GcpMemberId id = peer->id;

    peer->leaving = FALSE;
    peer->accused = FALSE;
    peer->held_flush = (GcpViewId) { 0 };
    if (gcp_proposal_find (proposal, id) < 0
        && !gcp_engine_find_candidate (engine, id)) {
      if (old && gcp_view_contains (old, id))
        gcp_engine_add_departed (engine, id);
      say_farewell (engine, peer);
      gcp_engine_drop_peer (engine, id);
    }
  }
  for (guint i = 0; i < proposal->members->len; i++) {
    GcpMemberId id = g_array_index (proposal->members, GcpMember, i).id;

    gcp_engine_drop_candidate (engine, id);
    if (id != engine->self)
      gcp_engine_need_peer (engine, id);
  }
  engine->peers_serial++;
}

static void
set_last_primary (GcpEngine *engine, GcpProposal *proposal)
{
  g_array_set_size (engine->last_primary, 0);
  if (!proposal->primary)
    g_array_append_vals (engine->last_primary, proposal->last_primary->data,
        proposal->last_primary->len);
  for (guint i = 0; proposal->primary && i < proposal->members->len; i++)
    g_array_append_val (engine->last_primary,
        g_array_index (proposal->members, GcpMember, i).id);
}

static void
install (GcpEngine *engine, GcpProposal *prepared)
{
  g_autoptr (GcpProposal) proposal = gcp_proposal_ref (prepared);
  g_autoptr (GcpView) old = NULL;
  GcpMessage here = {
    .type = GCP_MESSAGE_HERE,.view = proposal->id,.primary = proposal->primary
  };
  GcpOutput *output;

  if (engine->told_out && !proposal->primary) {
    gcp_engine_end (engine, engine->leaving ? GCP_END_LEFT : GCP_END_PUT_OUT);
    gcp_change_clear (engine);
    return;
  }
  if (engine->view)
    deliver_rest (engine, proposal);
  if (gcp_proposal_find (proposal, engine->self) < 0) {
    gcp_engine_end (engine, engine->leaving ? GCP_END_LEFT : GCP_END_PUT_OUT);
    gcp_change_clear (engine);
    return;
  }
  output = gcp_engine_add_output (engine, GCP_OUTPUT_VIEW);
  output->departures = make_departures (engine, proposal);
  old = g_steal_pointer (&engine->view);
  engine->view = gcp_view_new (proposal->id.number, proposal->primary,
      (const GcpMember *) (gpointer) proposal->members->data,
      proposal->members->len);
  output->view = gcp_view_ref (engine->view);
  engine->view_id = proposal->id;
  engine->self_index = gcp_view_find (engine->view, engine->self);
  engine->highest = MAX (engine->highest, proposal->id.number);
  engine->state = GCP_STATE_MEMBER;
  engine->frozen = FALSE;
  engine->promised = (GcpViewId) { 0 };
  engine->leave_said = FALSE;
  set_last_primary (engine, proposal);
  gcp_change_clear (engine);
  take_back_submitted (engine);
  renew_peers (engine, old, proposal);
  gcp_order_reset (engine);
  /* Also makes up for a COMMIT that a coordinator could not finish sending. */
  gcp_engine_send_to_others (engine, &here);
}

void
gcp_change_install_prepared (GcpEngine *engine)
{
  install (engine, engine->prepared);
}

void
gcp_change_found (GcpEngine *engine)
{
  g_autoptr (GcpProposal) proposal = gcp_proposal_new ();

  proposal->id = (GcpViewId) { 1, engine->self };
  proposal->primary = TRUE;
  gcp_proposal_add_member (proposal, engine->self, engine->card);
  install (engine, proposal);
}

/* ---- parts of a proposal, as they come ---- */

/* Parts come from the coordinator whose attempt is the newest; to a coordinator,
 * from the member it fetches from. */
static gboolean
is_source_of_parts (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (engine->attempt)
    return engine->attempt->phase == GCP_PHASE_FETCH
        && engine->attempt->source == peer->id
        && gcp_view_id_equal (engine->attempt->id, m->attempt);
  if (m->attempt.proposer != peer->id)
    return FALSE;
  if (engine->state == GCP_STATE_JOINING)
    return gcp_view_id_compare (m->attempt, engine->promised) >= 0;
  return engine->frozen && gcp_view_id_equal (m->attempt, engine->promised);
}

static GcpStaging *
need_staging (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpStaging *staging = engine->staging;

  if (!is_source_of_parts (engine, peer, m))
    return NULL;
  if (staging && staging->from == peer->id
      && gcp_view_id_equal (staging->attempt, m->attempt))
    return staging;
  if (staging && engine->state == GCP_STATE_JOINING
      && gcp_view_id_compare (staging->attempt, m->attempt) > 0)
    return NULL;
  g_clear_pointer (&engine->staging, staging_free);
  staging = engine->staging = g_new0 (GcpStaging, 1);
  staging->from = peer->id;
  staging->attempt = m->attempt;
  staging->appended =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gcp_item_free);
  staging->cards = g_array_new (FALSE, FALSE, sizeof (GcpMember));
  return staging;
}

static void
handle_missing (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpItem *own;

  if (!engine->view || !need_staging (engine, peer, m)
      || m->sequence != engine->log.held + 1
      || m->sender >= gcp_view_get_n_members (engine->view)
      || engine->log.cost > GCP_UNSTABLE_LIMIT)
    return;
  gcp_log_add (&engine->log,
      gcp_item_new (m->sender, m->quality, m->payload));
  if (m->sender != engine->self_index)
    return;
  own = g_queue_pop_head (&engine->submitted);
  if (own) {
    engine->submitted_size -= g_bytes_get_size (own->payload);
    engine->submitted_cost -= gcp_item_cost (own);
    gcp_item_free (own);
  }
}

static void
handle_appended (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpStaging *staging;
  GcpItem *item;

  if (!engine->view || m->sender >= gcp_view_get_n_members (engine->view))
    return;
  staging = need_staging (engine, peer, m);
  if (!staging || staging->appended_cost
      > gcp_view_get_n_members (engine->view) * (gsize) GCP_SUBMIT_LIMIT)
    return;
  item = gcp_item_new (m->sender, m->quality, m->payload);
  staging->appended_cost += gcp_item_cost (item);
  g_ptr_array_add (staging->appended, item);
}

static void
handle_card (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpStaging *staging = need_staging (engine, peer, m);
  GcpMember member = { m->member, m->payload };

  if (!staging || staging->cards->len >= GCP_MAX_MEMBERS)
    return;
  g_bytes_ref (member.card);
  g_array_append_val (staging->cards, member);
}

static GBytes *
find_card (GcpEngine *engine, GcpMemberId id)
{
  GcpStaging *staging = engine->staging;
  gint index = engine->view ? gcp_view_find (engine->view, id) : -1;

  if (index >= 0)
    return gcp_view_get_member (engine->view, index)->card;
  if (id == engine->self)
    return engine->card;
  for (guint i = 0; staging && i < staging->cards->len; i++)
    if (g_array_index (staging->cards, GcpMember, i).id == id)
      return g_array_index (staging->cards, GcpMember, i).card;
  return NULL;
}

/* Puts the parts that came before into @m's proposal. FALSE: it is not whole, or
 * not one that could be. */
static gboolean
complete_proposal (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpProposal *proposal = m->proposal;
  GcpStaging *staging = need_staging (engine, peer, m);

  if (!staging || gcp_view_id_compare (proposal->id, m->attempt) > 0
      || gcp_view_id_compare (proposal->id, m->view) <= 0)
    return FALSE;
  if (engine->view) {
    if (proposal->cut != engine->log.held
        || proposal->n_appended != staging->appended->len
        || !gcp_ids_contain (proposal->acking, engine->self))
      return FALSE;
  } else if (gcp_proposal_find (proposal, engine->self) < 0) {
    return FALSE;
  }
  for (guint i = 0; i < proposal->members->len; i++) {
    GcpMember *member = &g_array_index (proposal->members, GcpMember, i);
    GBytes *card = find_card (engine, member->id);

    if (!card)
      return FALSE;
    member->card = g_bytes_ref (card);
  }
  if (engine->view) {
    g_ptr_array_unref (proposal->appended);
    proposal->appended = g_ptr_array_ref (staging->appended);
  }
  g_clear_pointer (&engine->staging, staging_free);
  return TRUE;
}

/* ---- a member's part ---- */

static void
accept_flush (GcpEngine *engine, GcpPeer *peer, GcpViewId attempt,
    const GArray *known)
{
  GcpMessage m = change_message (engine, GCP_MESSAGE_CANDIDATE, attempt);

  g_clear_pointer (&engine->attempt, attempt_free);
  g_clear_pointer (&engine->staging, staging_free);
  peer->gone = FALSE;
  engine->promised = attempt;
  engine->frozen = TRUE;
  for (guint i = 0; i < engine->candidates->len; i++) {
    GcpCandidate *candidate = engine->candidates->pdata[i];

    m.member = candidate->id;
    m.payload = candidate->card;
    if (!candidate->failed && !gcp_ids_contain (known, candidate->id))
      gcp_engine_send (engine, peer->id, &m);
  }
  m = change_message (engine, GCP_MESSAGE_UNORDERED, attempt);
  for (GList * l = engine->submitted.head; l; l = l->next) {
    GcpItem *item = l->data;

    m.quality = item->quality;
    m.payload = item->payload;
    gcp_engine_send (engine, peer->id, &m);
  }
  m = change_message (engine, GCP_MESSAGE_FLUSHED, attempt);
  m.sequence = engine->log.held;
  m.own_ordered = engine->log.ordered[engine->self_index];
  m.n_unordered = engine->submitted.length;
  m.leaving = engine->leave_said || (engine->leaving && !engine->own.head);
  if (engine->prepared) {
    m.prepared_attempt = engine->prepared->attempt;
    m.prepared = engine->prepared->id;
  }
  m.highest = engine->highest;
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
    GcpPeer *before = gcp_engine_find_peer (engine, member_at (engine, i));

    if (before)
      before->accused = TRUE;
  }
}

static void
refuse_flush (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpMessage refused = change_message (engine, GCP_MESSAGE_REFUSED,
      m->attempt);

  refused.highest = engine->highest;
  gcp_engine_send (engine, peer->id, &refused);
}

static void
handle_flush (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (!engine->view || m->attempt.proposer != peer->id
      || !gcp_view_contains (engine->view, peer->id)
      || m->attempt.number <= engine->view_id.number
      || m->attempt.number > engine->highest + GCP_MAX_NUMBER_STEP)
    return;
  if (gcp_view_id_compare (m->attempt, engine->promised) <= 0)
    refuse_flush (engine, peer, m);
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
send_missing (GcpEngine *engine, GcpMemberId to, GcpViewId attempt,
    guint64 held)
{
  GcpMessage m = change_message (engine, GCP_MESSAGE_MISSING, attempt);

  m.sequence = held;
  for (GList * l = gcp_log_after (&engine->log, held); l; l = l->next) {
    GcpItem *item = l->data;

    m.sequence++;
    m.sender = item->sender;
    m.quality = item->quality;
    m.payload = item->payload;
    gcp_engine_send (engine, to, &m);
  }
}

/* Everything of @proposal but itself, as far as @to may not have it. */
static void
send_parts (GcpEngine *engine, GcpMemberId to, GcpViewId attempt,
    GcpProposal *proposal)
{
  gboolean is_member = gcp_view_contains (engine->view, to);
  GcpMessage m = change_message (engine, GCP_MESSAGE_APPENDED, attempt);

  for (guint i = 0; is_member && i < proposal->appended->len; i++) {
    GcpItem *item = proposal->appended->pdata[i];

    m.sender = item->sender;
    m.quality = item->quality;
    m.payload = item->payload;
    gcp_engine_send (engine, to, &m);
  }
  m = change_message (engine, GCP_MESSAGE_CARD, attempt);
  for (guint i = 0; i < proposal->members->len; i++) {
    GcpMember *member = &g_array_index (proposal->members, GcpMember, i);

    if (is_member && gcp_view_contains (engine->view, member->id))
      continue;
    m.member = member->id;
    m.payload = member->card;
    if (member->id != to)
      gcp_engine_send (engine, to, &m);
  }
}

static void
handle_fetch (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpMessage shown = change_message (engine, GCP_MESSAGE_SHOWN, m->attempt);

  if (!engine->view || !engine->frozen || m->attempt.proposer != peer->id
      || !gcp_view_id_equal (m->attempt, engine->promised))
    return;
  send_missing (engine, peer->id, m->attempt, m->sequence);
  if (engine->prepared
      && gcp_view_id_equal (engine->prepared->id, m->prepared)) {
    send_parts (engine, peer->id, m->attempt, engine->prepared);
    shown.proposal = engine->prepared;
  }
  shown.sequence = engine->log.held;
  gcp_engine_send (engine, peer->id, &shown);
}

static void
handle_prepare (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpMessage prepared = change_message (engine, GCP_MESSAGE_PREPARED,
      m->attempt);

  if (engine->attempt || !complete_proposal (engine, peer, m))
    return;
  prepared.view = m->view;
  engine->promised = m->attempt;
  g_clear_pointer (&engine->prepared, gcp_proposal_unref);
  engine->prepared = gcp_proposal_ref (m->proposal);
  gcp_engine_send (engine, peer->id, &prepared);
}

static void
handle_commit (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (!engine->prepared || m->attempt.proposer != peer->id
      || !gcp_view_id_equal (m->attempt, engine->promised)
      || !gcp_view_id_equal (m->attempt, engine->prepared->attempt))
    return;
  install (engine, engine->prepared);
}

/* ---- the coordinator's part ---- */

static void
set_phase (GcpEngine *engine, GcpPhase phase)
{
  engine->attempt->phase = phase;
  engine->attempt->deadline = engine->now
      + ANSWER_SUSPICIONS * engine->config.suspicion;
}

static void
commit (GcpEngine *engine)
{
  GcpMessage m = change_message (engine, GCP_MESSAGE_COMMIT,
      engine->attempt->id);

  for (guint i = 0; i < engine->attempt->replies->len; i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];

    if (reply->id != engine->self)
      gcp_engine_send (engine, reply->id, &m);
  }
  install (engine, engine->prepared);
}

static void
commit_if_all_acked (GcpEngine *engine)
{
#ifndef GCP_FAULT_NO_ACKS               /* tests: see tests/sim/meson.build */
  for (guint i = 0; i < engine->attempt->replies->len; i++)
    if (!((GcpReply *) engine->attempt->replies->pdata[i])->acked)
      return;
#endif
  commit (engine);
}

static void
send_prepare (GcpEngine *engine, GcpReply *reply)
{
  GcpMessage m = change_message (engine, GCP_MESSAGE_PREPARE,
      engine->attempt->id);

  if (gcp_view_contains (engine->view, reply->id))
    send_missing (engine, reply->id, engine->attempt->id, reply->held);
  send_parts (engine, reply->id, engine->attempt->id, engine->prepared);
  m.proposal = engine->prepared;
  gcp_engine_send (engine, reply->id, &m);
}

/* All who take part in @proposal, and its newcomers, are to hold it ready. */
static void
propose (GcpEngine *engine, GcpProposal *proposal)
{
  GcpAttempt *attempt = engine->attempt;

  g_clear_pointer (&engine->prepared, gcp_proposal_unref);
  engine->prepared = proposal;
  for (guint i = attempt->replies->len; i-- > 0;) {
    GcpReply *reply = attempt->replies->pdata[i];

    if (!gcp_ids_contain (proposal->acking, reply->id))
      g_ptr_array_remove_index (attempt->replies, i);
  }
  for (guint i = 0; i < proposal->members->len; i++) {
    GcpMemberId id = g_array_index (proposal->members, GcpMember, i).id;

    if (!gcp_view_contains (engine->view, id)) {
      gcp_engine_need_peer (engine, id);
      attempt_add (attempt, id);
    }
  }
  set_phase (engine, GCP_PHASE_PREPARE);
  for (guint i = 0; i < attempt->replies->len; i++) {
    GcpReply *reply = attempt->replies->pdata[i];

    reply->acked = reply->id == engine->self;
    if (!reply->acked)
      send_prepare (engine, reply);
  }
  commit_if_all_acked (engine);
}

/* The same view again, under this attempt. */
static void
adopt (GcpEngine *engine, const GcpProposal *old)
{
  GcpProposal *proposal = gcp_proposal_new ();

  proposal->attempt = engine->attempt->id;
  proposal->id = old->id;
  proposal->primary = old->primary;
  proposal->cut = old->cut;
  proposal->n_appended = old->n_appended;
  for (guint i = 0; i < old->members->len; i++) {
    GcpMember *member = &g_array_index (old->members, GcpMember, i);

    gcp_proposal_add_member (proposal, member->id, member->card);
  }
  g_ptr_array_unref (proposal->appended);
  proposal->appended = g_ptr_array_ref (old->appended);
  g_array_append_vals (proposal->departures, old->departures->data,
      old->departures->len);
  g_array_append_vals (proposal->dropped, old->dropped->data,
      old->dropped->len);
  g_array_append_vals (proposal->acking, old->acking->data, old->acking->len);
  g_array_append_vals (proposal->last_primary, old->last_primary->data,
      old->last_primary->len);
  propose (engine, proposal);
}

static gboolean
is_ready (GcpEngine *engine, const GcpCandidate *candidate)
{
  GcpPeer *peer = gcp_engine_find_peer (engine, candidate->id);

  return peer && !candidate->failed
      && gcp_link_get_last_answered (peer->link) >= peer->since
      && !gcp_engine_is_suspected (engine, peer);
}

static void
add_members (GcpEngine *engine, GcpProposal *proposal)
{
  for (guint i = 0; i < engine->attempt->replies->len; i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];
    gint index = gcp_view_find (engine->view, reply->id);

    g_array_append_val (proposal->acking, reply->id);
    if (!reply->leaving)
      gcp_proposal_add_member (proposal, reply->id,
          gcp_view_get_member (engine->view, index)->card);
  }
  for (guint i = 0; i < engine->candidates->len; i++) {
    GcpCandidate *candidate = engine->candidates->pdata[i];

    if (candidate->failed)
      g_array_append_val (proposal->dropped, candidate->id);
    else if (is_ready (engine, candidate)
        && proposal->members->len < GCP_MAX_MEMBERS)
      gcp_proposal_add_member (proposal, candidate->id, candidate->card);
  }
}

static void
add_departures (GcpEngine *engine, GcpProposal *proposal)
{
  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMessageDeparture departure = { member_at (engine, i), GCP_FAILED };
    GcpPeer *peer = gcp_engine_find_peer (engine, departure.id);
    GcpReply *reply = attempt_find (engine->attempt, departure.id);

    if (gcp_proposal_find (proposal, departure.id) >= 0)
      continue;
    if (peer && peer->out)
      departure.why = GCP_PUT_OUT;
    else if ((reply && reply->leaving) || (peer && peer->leaving))
      departure.why = GCP_LEFT;
    g_array_append_val (proposal->departures, departure);
  }
}

/* The own messages of those who take part that got no number, in the view's
 * order, each member's in its own order. */
static void
append_unordered (GcpEngine *engine, GcpProposal *proposal)
{
#ifndef GCP_FAULT_NOT_APPENDED          /* tests: see tests/sim/meson.build */
  for (guint i = 0; i < engine->attempt->replies->len; i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];
    gint index = gcp_view_find (engine->view, reply->id);
    guint64 since = engine->log.ordered[index] - MIN (reply->own_ordered,
        engine->log.ordered[index]);

    /* The first of them were ordered, but their sender did not hear of it. */
    for (guint64 j = since; j < reply->unordered->len; j++) {
      GcpItem *item = reply->unordered->pdata[j];

      g_ptr_array_add (proposal->appended, gcp_item_new (index, item->quality,
              item->payload));
    }
  }
#endif
  proposal->n_appended = proposal->appended->len;
}

/* A majority of the last primary view is here, or half of it with its first.
 * Who is put out but heard counts: it is on no other side. */
static gboolean
is_primary (GcpEngine *engine)
{
  guint n_here = 0;
  gboolean first_is_here = FALSE;

  for (guint i = 0; i < engine->last_primary->len; i++) {
    GcpMemberId id = g_array_index (engine->last_primary, GcpMemberId, i);
    GcpPeer *peer = gcp_engine_find_peer (engine, id);

    if (!attempt_find (engine->attempt, id)
        && !(peer && peer->out && !gcp_engine_is_suspected (engine, peer)))
      continue;
    n_here++;
    if (i == 0)
      first_is_here = TRUE;
  }
  return 2 * n_here > engine->last_primary->len
      || (2 * n_here == engine->last_primary->len && first_is_here);
}

static void
propose_new (GcpEngine *engine)
{
  GcpProposal *proposal = gcp_proposal_new ();

  proposal->attempt = engine->attempt->id;
  proposal->id = engine->attempt->id;
  proposal->cut = engine->log.held;
  proposal->primary = is_primary (engine);
  g_array_append_vals (proposal->last_primary, engine->last_primary->data,
      engine->last_primary->len);
  add_members (engine, proposal);
  add_departures (engine, proposal);
  append_unordered (engine, proposal);
  propose (engine, proposal);
}

static void
fetch (GcpEngine *engine, GcpMemberId source, GcpViewId wanted, guint64 held)
{
  GcpMessage m = change_message (engine, GCP_MESSAGE_FETCH,
      engine->attempt->id);

  set_phase (engine, GCP_PHASE_FETCH);
  engine->attempt->source = source;
  engine->attempt->wanted = wanted;
  engine->attempt->wanted_held = held;
  m.sequence = engine->log.held;
  m.prepared = wanted;
  gcp_engine_send (engine, source, &m);
}

/* The newest proposal that somebody holds ready. Own ones do not count: this
 * member knows that it did not commit them, and will not. */
static GcpReply *
find_prepared (GcpEngine *engine)
{
  GcpReply *newest = NULL;

  for (guint i = 0; i < engine->attempt->replies->len; i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];

    if (gcp_view_id_is_none (reply->prepared)
        || (reply->prepared.proposer == engine->self
            && gcp_view_id_equal (reply->prepared, reply->prepared_attempt)))
      continue;
    if (!newest || gcp_view_id_compare (reply->prepared_attempt,
            newest->prepared_attempt) > 0)
      newest = reply;
  }
  return newest;
}

static void
all_flushed (GcpEngine *engine)
{
  GcpReply *prepared = find_prepared (engine);
  GcpReply *longest = engine->attempt->replies->pdata[0];

  if (prepared) {
    if (engine->prepared
        && gcp_view_id_equal (engine->prepared->id, prepared->prepared)) {
      g_autoptr (GcpProposal) own = gcp_proposal_ref (engine->prepared);

      adopt (engine, own);
    } else {
      fetch (engine, prepared->id, prepared->prepared, prepared->held);
    }
    return;
  }
  for (guint i = 1; i < engine->attempt->replies->len; i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];

    if (reply->held > longest->held)
      longest = reply;
  }
  if (longest->held > engine->log.held)
    fetch (engine, longest->id, (GcpViewId) { 0 }, longest->held);
  else
    propose_new (engine);
}

static void
check_gathered (GcpEngine *engine)
{
  for (guint i = 0; i < engine->attempt->replies->len; i++)
    if (!((GcpReply *) engine->attempt->replies->pdata[i])->flushed)
      return;
  all_flushed (engine);
}

static void
start_attempt (GcpEngine *engine)
{
  GcpMessage m;
  g_autoptr (GArray) known = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));

  g_clear_pointer (&engine->attempt, attempt_free);
  g_clear_pointer (&engine->staging, staging_free);
  engine->attempt = g_new0 (GcpAttempt, 1);
  engine->attempt->id = (GcpViewId) { ++engine->highest, engine->self };
  engine->attempt->replies =
      g_ptr_array_new_with_free_func ((GDestroyNotify) reply_free);
  engine->promised = engine->attempt->id;
  engine->frozen = TRUE;
  set_phase (engine, GCP_PHASE_GATHER);
  for (guint i = 0; i < engine->candidates->len; i++)
    g_array_append_val (known,
        ((GcpCandidate *) engine->candidates->pdata[i])->id);
  m = change_message (engine, GCP_MESSAGE_FLUSH, engine->attempt->id);
  m.ids = known;
  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMemberId id = member_at (engine, i);
    GcpReply *reply;

    if (gcp_engine_is_lost (engine, id))
      continue;
    reply = attempt_add (engine->attempt, id);
    if (id != engine->self) {
      gcp_engine_send (engine, id, &m);
      continue;
    }
    reply->flushed = TRUE;
    reply->held = engine->log.held;
    reply->own_ordered = engine->log.ordered[engine->self_index];
    reply->leaving = engine->leave_said;
    if (engine->prepared) {
      reply->prepared_attempt = engine->prepared->attempt;
      reply->prepared = engine->prepared->id;
    }
    for (GList * l = engine->submitted.head; l; l = l->next) {
      GcpItem *item = l->data;

      g_ptr_array_add (reply->unordered, gcp_item_new (engine->self_index,
              item->quality, item->payload));
    }
  }
  check_gathered (engine);
}

/* The reply that @m is part of; NULL: it is not for the present attempt. */
static GcpReply *
find_reply (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m,
    GcpPhase phase)
{
  if (!engine->attempt || engine->attempt->phase != phase
      || !gcp_view_id_equal (engine->attempt->id, m->attempt))
    return NULL;
  return attempt_find (engine->attempt, peer->id);
}

/* Somebody took part in an attempt with a greater number, whose coordinator is
 * lost. */
static void
handle_refused (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (!find_reply (engine, peer, m, GCP_PHASE_GATHER)
      || m->highest < engine->attempt->id.number
      || m->highest > engine->highest + GCP_MAX_NUMBER_STEP)
    return;
  engine->highest = MAX (engine->highest, m->highest);
  start_attempt (engine);
}

static void
handle_candidate (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (find_reply (engine, peer, m, GCP_PHASE_GATHER))
    gcp_engine_add_candidate (engine, m->member, m->payload);
}

static void
handle_unordered (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpReply *reply = find_reply (engine, peer, m, GCP_PHASE_GATHER);
  GcpItem *item;

  if (!reply || reply->flushed || reply->unordered_cost > GCP_SUBMIT_LIMIT)
    return;
  item = gcp_item_new (0, m->quality, m->payload);
  reply->unordered_cost += gcp_item_cost (item);
  g_ptr_array_add (reply->unordered, item);
}

static void
handle_flushed (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpReply *reply = find_reply (engine, peer, m, GCP_PHASE_GATHER);

  if (!reply || reply->flushed || m->n_unordered != reply->unordered->len)
    return;
  reply->flushed = TRUE;
  reply->held = m->sequence;
  reply->own_ordered = m->own_ordered;
  reply->leaving = m->leaving;
  reply->prepared_attempt = m->prepared_attempt;
  reply->prepared = m->prepared;
  if (m->highest <= engine->highest + GCP_MAX_NUMBER_STEP)
    engine->highest = MAX (engine->highest, m->highest);
  check_gathered (engine);
}

/* Those who hold a view ready that this member cannot go to are on their way
 * without it. */
static void
give_up_source (GcpEngine *engine)
{
  GcpAttempt *attempt = engine->attempt;

  for (guint i = 0; i < attempt->replies->len; i++) {
    GcpReply *reply = attempt->replies->pdata[i];
    GcpPeer *peer = gcp_engine_find_peer (engine, reply->id);

    if (peer && (reply->id == attempt->source
            || (!gcp_view_id_is_none (attempt->wanted)
                && gcp_view_id_equal (reply->prepared, attempt->wanted))))
      peer->gone = TRUE;
  }
  start_attempt (engine);
}

static void
handle_shown (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpAttempt *attempt = engine->attempt;

  if (!find_reply (engine, peer, m, GCP_PHASE_FETCH)
      || attempt->source != peer->id)
    return;
  if (gcp_view_id_is_none (attempt->wanted)) {
    if (engine->log.held == attempt->wanted_held)
      propose_new (engine);
    else
      give_up_source (engine);
  } else if (m->proposal && gcp_view_id_equal (m->proposal->id,
          attempt->wanted) && complete_proposal (engine, peer, m)) {
    adopt (engine, m->proposal);
  } else {
    give_up_source (engine);
  }
}

static void
handle_prepared (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpReply *reply = find_reply (engine, peer, m, GCP_PHASE_PREPARE);

  if (!reply || reply->acked)
    return;
  reply->acked = TRUE;
  commit_if_all_acked (engine);
}

/* ---- when to start, and when to start again ---- */

static gboolean
is_waited_for (const GcpAttempt *attempt, const GcpReply *reply)
{
  switch (attempt->phase) {
    case GCP_PHASE_GATHER:
      return !reply->flushed;
    case GCP_PHASE_FETCH:
      return reply->id == attempt->source;
    case GCP_PHASE_PREPARE:
      return !reply->acked;
  }
  return FALSE;
}

/* TRUE: @reply will not come, and what is tried cannot be reached. */
static gboolean
is_in_vain (GcpEngine *engine, GcpReply *reply)
{
  GcpAttempt *attempt = engine->attempt;
  gboolean late = engine->now >= attempt->deadline;
  GcpPeer *peer = gcp_engine_find_peer (engine, reply->id);
  GcpCandidate *candidate = gcp_engine_find_candidate (engine, reply->id);

  if (late && peer)
    peer->gone = TRUE;
  if (!late && !gcp_engine_is_lost (engine, reply->id))
    return FALSE;
  if (gcp_view_contains (engine->view, reply->id))
    return TRUE;
  if (candidate)
    candidate->failed = TRUE;
  /* A newcomer of an adopted view cannot be left out; it need not answer. */
  if (gcp_view_id_equal (engine->prepared->id, attempt->id))
    return TRUE;
  reply->acked = TRUE;
  return FALSE;
}

static void
watch_attempt (GcpEngine *engine)
{
  gboolean in_vain = FALSE;

  for (guint i = 0; i < engine->attempt->replies->len; i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];

    if (is_waited_for (engine->attempt, reply) && is_in_vain (engine, reply))
      in_vain = TRUE;
  }
  if (in_vain)
    start_attempt (engine);
  else if (engine->attempt->phase == GCP_PHASE_PREPARE)
    commit_if_all_acked (engine);
}

/* Candidates are spoken to by the coordinator before the view change, so that
 * one who is not there holds nobody up. */
static gboolean
watch_candidates (GcpEngine *engine)
{
  gboolean ready = FALSE;

  for (guint i = engine->candidates->len; i-- > 0;) {
    GcpCandidate *candidate = engine->candidates->pdata[i];

    if (engine->now >= candidate->since + engine->config.joining_timeout) {
      gcp_engine_drop_peer (engine, candidate->id);
      gcp_engine_drop_candidate (engine, candidate->id);
      continue;
    }
    if (candidate->failed)
      continue;
    gcp_engine_need_peer (engine, candidate->id);
    ready = ready || is_ready (engine, candidate);
  }
  return ready;
}

/* Another tries with a number that is not below this member's. */
static gboolean
is_outbid (GcpEngine *engine)
{
  for (guint i = 0; i < engine->peers->len; i++) {
    GcpPeer *peer = engine->peers->pdata[i];

    if (gcp_view_id_compare (peer->held_flush, engine->promised) > 0
        && !gcp_engine_is_lost (engine, peer->id))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_change_needed (GcpEngine *engine)
{
  if (engine->frozen || is_outbid (engine))
    return TRUE;
  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMemberId id = member_at (engine, i);

    if (gcp_engine_is_lost (engine, id) || is_leaving (engine, id))
      return TRUE;
  }
  return FALSE;
}

static void
say_leave (GcpEngine *engine)
{
  GcpMessage m = {.type = GCP_MESSAGE_LEAVE,.view = engine->view_id };

  if (!engine->leaving || engine->leave_said || engine->frozen
      || engine->own.head)
    return;
  engine->leave_said = TRUE;
  gcp_engine_send_to_others (engine, &m);
}

void
gcp_change_run (GcpEngine *engine)
{
  gboolean ready;

  if (engine->state != GCP_STATE_MEMBER || engine->out)
    return;
  say_leave (engine);
  try_held_flushes (engine);
  if (engine->attempt && is_outbid (engine)) {
    start_attempt (engine);
    return;
  }
  if (engine->attempt) {
    watch_attempt (engine);
    return;
  }
  if (get_coordinator (engine) != engine->self)
    return;
  ready = watch_candidates (engine);
  if (ready || is_change_needed (engine))
    start_attempt (engine);
}

gint64
gcp_change_deadline (const GcpEngine *engine)
{
  gint64 deadline = G_MAXINT64;

  if (engine->attempt && !engine->out)
    deadline = engine->attempt->deadline;
  for (guint i = 0; i < engine->candidates->len; i++) {
    GcpCandidate *candidate = engine->candidates->pdata[i];
    gint64 end = candidate->since + engine->config.joining_timeout;

    if (end > engine->now)
      deadline = MIN (deadline, end);
  }
  return deadline;
}

void
gcp_change_handle (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  switch (m->type) {
    case GCP_MESSAGE_FLUSH:
      handle_flush (engine, peer, m);
      break;
    case GCP_MESSAGE_CANDIDATE:
      handle_candidate (engine, peer, m);
      break;
    case GCP_MESSAGE_UNORDERED:
      handle_unordered (engine, peer, m);
      break;
    case GCP_MESSAGE_FLUSHED:
      handle_flushed (engine, peer, m);
      break;
    case GCP_MESSAGE_FETCH:
      handle_fetch (engine, peer, m);
      break;
    case GCP_MESSAGE_SHOWN:
      handle_shown (engine, peer, m);
      break;
    case GCP_MESSAGE_MISSING:
      handle_missing (engine, peer, m);
      break;
    case GCP_MESSAGE_APPENDED:
      handle_appended (engine, peer, m);
      break;
    case GCP_MESSAGE_CARD:
      handle_card (engine, peer, m);
      break;
    case GCP_MESSAGE_PREPARE:
      handle_prepare (engine, peer, m);
      break;
    case GCP_MESSAGE_PREPARED:
      handle_prepared (engine, peer, m);
      break;
    case GCP_MESSAGE_COMMIT:
      handle_commit (engine, peer, m);
      break;
    case GCP_MESSAGE_REFUSED:
      handle_refused (engine, peer, m);
      break;
    default:
      break;
  }
}
