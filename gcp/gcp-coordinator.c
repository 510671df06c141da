/* A view change as its coordinator sees it. */
#include "gcp-engine-private.h"
#include "gcp-fault.h"

#define RETRIES_A_SUSPICION 4           /* after REFUSED: so often at most */
#define MAX_REFUSALS 16                 /* of one member in one view */

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
  gcp_lineage_free (attempt->lineage);
  g_free (attempt);
}

void
gcp_coordinator_clear (GcpEngine *engine)
{
  g_clear_pointer (&engine->attempt, attempt_free);
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

/* ---- proposing ---- */

guint64
gcp_coordinator_count_moved (GcpEngine *engine, GcpMemberId id)
{
  GcpPeer *peer = gcp_known_find_peer (engine, id);

  return peer ? gcp_link_get_n_moved (peer->link) : 0;
}

static void
set_phase (GcpEngine *engine, GcpPhase phase)
{
  GcpAttempt *attempt = engine->attempt;

  attempt->phase = phase;
  attempt->began = engine->now;
  attempt->deadline = engine->now
      + GCP_ANSWER_SUSPICIONS * engine->config.suspicion;
  for (guint i = 0; i < attempt->replies->len; i++) {
    GcpReply *reply = attempt->replies->pdata[i];

    reply->n_moved = gcp_coordinator_count_moved (engine, reply->id);
  }
}

static void
commit (GcpEngine *engine)
{
  GcpMessage m = gcp_change_message (engine, GCP_MESSAGE_COMMIT,
      engine->attempt->id);

  for (guint i = 0; i < engine->attempt->replies->len; i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];

    if (reply->id != engine->self)
      gcp_engine_send (engine, reply->id, &m);
  }
  gcp_merge_commits (engine);
  gcp_install (engine, engine->prepared);
}

void
gcp_coordinator_commit_if_all_acked (GcpEngine *engine)
{
  for (guint i = 0; i < engine->attempt->replies->len; i++)
    if (!((GcpReply *) engine->attempt->replies->pdata[i])->acked
        && !GCP_FAULT (COMMIT_EARLY))
      return;
  if (!gcp_merge_may_install (engine))
    return;
  commit (engine);
}

static void
send_prepare (GcpEngine *engine, GcpReply *reply)
{
  GcpMessage m = gcp_change_message (engine, GCP_MESSAGE_PREPARE,
      engine->attempt->id);

  if (gcp_view_contains (engine->view, reply->id))
    gcp_parts_send_missing (engine, reply->id, engine->attempt->id, reply->held);
  gcp_parts_send (engine, reply->id, engine->attempt->id, engine->prepared);
  m.proposal = engine->prepared;
  gcp_engine_send (engine, reply->id, &m);
}

/* All who take part in @proposal, and its newcomers, are to hold it ready. */
static void
propose (GcpEngine *engine, GcpProposal *proposal)
{
  GcpAttempt *attempt = engine->attempt;

  gcp_change_hold_ready (engine, proposal);
  for (guint i = 0; i < proposal->members->len; i++) {
    GcpMemberId id = g_array_index (proposal->members, GcpMember, i).id;

    if (gcp_view_contains (engine->view, id))
      continue;
    gcp_known_need_peer (engine, id);
    if (!gcp_ids_contain (proposal->others, id))
      attempt_add (attempt, id);
  }
  set_phase (engine, GCP_PHASE_PREPARE);
  for (guint i = 0; i < attempt->replies->len; i++) {
    GcpReply *reply = attempt->replies->pdata[i];

    reply->acked = reply->id == engine->self;
    if (!reply->acked)
      send_prepare (engine, reply);
  }
  gcp_merge_send_joint (engine, proposal);
  gcp_coordinator_commit_if_all_acked (engine);
}

/* The same view again, under this attempt. */
static void
propose_again (GcpEngine *engine, const GcpProposal *old)
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
  g_array_append_vals (proposal->others, old->others->data, old->others->len);
  g_array_append_vals (proposal->lost, old->lost->data, old->lost->len);
  proposal->lineage = gcp_lineage_copy (engine->attempt->lineage);
  propose (engine, proposal);
}

gboolean
gcp_coordinator_is_ready (GcpEngine *engine, const GcpCandidate *candidate)
{
  GcpPeer *peer = gcp_known_find_peer (engine, candidate->id);

  return peer && !candidate->failed
      && gcp_link_get_last_answered (peer->link) >= peer->since
      && !gcp_known_is_suspected (engine, peer);
}

/* Newcomers know how to reach those who let them in, not each other: where none of
 * these stays, nobody comes. */
static void
add_members (GcpEngine *engine, GcpProposal *proposal)
{
  gboolean somebody_stays = FALSE;

  for (guint i = 0; i < engine->attempt->replies->len; i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];
    gint index = gcp_view_find (engine->view, reply->id);

    g_array_append_val (proposal->acking, reply->id);
    somebody_stays = somebody_stays || !reply->leaving;
    if (!reply->leaving)
      gcp_proposal_add_member (proposal, reply->id,
          gcp_view_get_member (engine->view, index)->card);
  }
  for (guint i = 0; i < engine->candidates->len; i++) {
    GcpCandidate *candidate = engine->candidates->pdata[i];

    if (candidate->failed || !somebody_stays)
      g_array_append_val (proposal->dropped, candidate->id);
    else if (gcp_coordinator_is_ready (engine, candidate)
        && proposal->members->len < GCP_MAX_MEMBERS)
      gcp_proposal_add_member (proposal, candidate->id, candidate->card);
  }
}

static void
add_departures (GcpEngine *engine, GcpProposal *proposal)
{
  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMessageDeparture departure = { gcp_engine_member_at (engine, i), GCP_FAILED };
    GcpPeer *peer = gcp_known_find_peer (engine, departure.id);
    GcpReply *reply = attempt_find (engine->attempt, departure.id);

    if (gcp_proposal_find (proposal, departure.id) >= 0)
      continue;
    if (peer && peer->out)
      departure.why = GCP_PUT_OUT;
    else if (GCP_FAULT (LEFT_IS_FAILED))
      departure.why = GCP_FAILED;
    else if ((reply && reply->leaving) || (peer && peer->leaving))
      departure.why = GCP_LEFT;
    else if (reply)                     /* another part would not have it */
      departure.why = GCP_PUT_OUT;
    g_array_append_val (proposal->departures, departure);
  }
}

/* The own messages of those who take part that got no number, in the view's
 * order, each member's in its own order. */
static void
append_unordered (GcpEngine *engine, GcpProposal *proposal)
{
  for (guint i = 0; i < engine->attempt->replies->len
      && !GCP_FAULT (NOT_APPENDED); i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];
    gint index = gcp_view_find (engine->view, reply->id);
    guint64 since = engine->log.ordered[index] - MIN (reply->own_ordered,
        engine->log.ordered[index]);

    /* The first of them were ordered, but their sender did not hear of it. */
    if (GCP_FAULT (APPENDED_TWICE))
      since = 0;
    for (guint64 j = since; j < reply->unordered->len; j++) {
      GcpItem *item = reply->unordered->pdata[j];

      item->sender = index;
      g_ptr_array_add (proposal->appended, gcp_item_copy (item));
    }
  }
  proposal->n_appended = proposal->appended->len;
}

/* Who takes part. (One that was put out is not asked, so it may count for another
 * part.) */
static GArray *
list_here (GcpEngine *engine)
{
  GArray *here = gcp_ids_new ();

  for (guint i = 0; i < engine->attempt->replies->len; i++)
    gcp_ids_add (here, ((GcpReply *) engine->attempt->replies->pdata[i])->id);
  return here;
}

static gboolean
is_primary (GcpEngine *engine, GcpProposal *proposal)
{
  g_autoptr (GArray) here = list_here (engine);
  g_autoptr (GArray) members = gcp_proposal_list_members (proposal);

  for (guint i = 0; i < proposal->others->len; i++)
    gcp_ids_add (here, g_array_index (proposal->others, GcpMemberId, i));
  return GCP_FAULT (ALWAYS_PRIMARY)
      || gcp_lineage_allows (proposal->lineage, here, members);
}

GcpProposal *
gcp_coordinator_draft (GcpEngine *engine)
{
  GcpProposal *proposal = gcp_proposal_new ();

  proposal->attempt = engine->attempt->id;
  proposal->id = engine->attempt->id;
  proposal->cut = engine->log.held;
  proposal->lineage = gcp_lineage_copy (engine->attempt->lineage);
  add_members (engine, proposal);
  append_unordered (engine, proposal);
  gcp_merge_list_lost (engine, proposal->lost);
  return proposal;
}

void
gcp_coordinator_propose (GcpEngine *engine, GcpProposal *proposal)
{
  add_departures (engine, proposal);
  propose (engine, proposal);
}

static void
propose_new (GcpEngine *engine)
{
  GcpProposal *proposal = gcp_coordinator_draft (engine);

  if (gcp_merge_send_part (engine, proposal)) {
    gcp_proposal_unref (proposal);
    set_phase (engine, GCP_PHASE_MERGE);
    return;
  }
  gcp_merge_add_part (engine, proposal);
  proposal->primary = is_primary (engine, proposal);
  gcp_coordinator_propose (engine, proposal);
}

/* A view of this part's own that ends the old one with the same messages as @old,
 * which somebody may have installed. */
static void
propose_apart (GcpEngine *engine, const GcpProposal *old)
{
  GcpProposal *proposal = gcp_proposal_new ();

  proposal->attempt = engine->attempt->id;
  proposal->id = engine->attempt->id;
  proposal->apart = TRUE;
  proposal->cut = old->cut;
  proposal->n_appended = old->n_appended;
  g_ptr_array_unref (proposal->appended);
  proposal->appended = g_ptr_array_ref (old->appended);
  proposal->lineage = gcp_lineage_copy (engine->attempt->lineage);
  add_members (engine, proposal);
  gcp_merge_list_lost (engine, proposal->lost);
  gcp_coordinator_propose (engine, proposal);
}

/* Proposed by this member, and not by another again: so it knows that it did not
 * commit it, and will not. */
static gboolean
is_own (GcpEngine *engine, GcpViewId id, GcpViewId attempt)
{
  return id.proposer == engine->self && gcp_view_id_equal (id, attempt);
}

/* Who holds @old ready, or may, goes on as @old says. But a primary view that was
 * not brought about by a quorum is not brought about by less than one. */
static void
adopt (GcpEngine *engine, GcpProposal *old)
{
  GcpAttempt *attempt = engine->attempt;
  g_autoptr (GArray) here = NULL;

  for (guint i = attempt->replies->len; i-- > 0;) {
    GcpReply *reply = attempt->replies->pdata[i];

    if (!gcp_ids_contain (old->acking, reply->id))
      g_ptr_array_remove_index (attempt->replies, i);
  }
  here = list_here (engine);
  if (is_own (engine, old->id, old->attempt))
    propose_apart (engine, old);
  else if (!old->primary
      || gcp_lineage_allows_again (attempt->lineage, old->id, here))
    propose_again (engine, old);
  else
    propose_apart (engine, old);
}

/* ---- what all answer ---- */

static void
fetch (GcpEngine *engine, GcpMemberId source, GcpViewId wanted, guint64 held)
{
  GcpMessage m = gcp_change_message (engine, GCP_MESSAGE_FETCH,
      engine->attempt->id);

  set_phase (engine, GCP_PHASE_FETCH);
  engine->attempt->source = source;
  engine->attempt->wanted = wanted;
  engine->attempt->wanted_held = held;
  m.sequence = engine->log.held;
  m.prepared = wanted;
  gcp_engine_send (engine, source, &m);
}

/* Own ones do not count, but the messages of another view may be in them. */
static gboolean
does_count (GcpEngine *engine, const GcpReply *reply)
{
  if (gcp_view_id_is_none (reply->prepared) || GCP_FAULT (PREPARED_FORGOTTEN)
      || gcp_view_id_equal (reply->prepared, engine->cancelled))
    return FALSE;
  if (!is_own (engine, reply->prepared, reply->prepared_attempt))
    return TRUE;
  return engine->prepared && engine->prepared->apart
      && gcp_view_id_equal (reply->prepared, engine->prepared->id);
}

/* The newest proposal that somebody holds ready. */
static GcpReply *
find_prepared (GcpEngine *engine)
{
  GcpReply *newest = NULL;

  for (guint i = 0; i < engine->attempt->replies->len; i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];

    if (does_count (engine, reply) && (!newest
            || gcp_view_id_compare (reply->prepared_attempt,
                newest->prepared_attempt) > 0))
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
  if (longest->held > engine->log.held && !GCP_FAULT (CUT_TOO_SHORT))
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

void
gcp_coordinator_start (GcpEngine *engine)
{
  GcpMessage m;
  g_autoptr (GArray) known = gcp_ids_new ();

  gcp_merge_restart (engine);
  gcp_coordinator_clear (engine);
  gcp_parts_clear (engine);
  engine->attempt = g_new0 (GcpAttempt, 1);
  engine->attempt->id = (GcpViewId) { ++engine->highest, engine->self };
  engine->attempt->lineage = gcp_lineage_copy (engine->lineage);
  engine->attempt->replies =
      g_ptr_array_new_with_free_func ((GDestroyNotify) reply_free);
  engine->promised = engine->attempt->id;
  engine->frozen = TRUE;
  for (guint i = 0; i < engine->candidates->len; i++)
    g_array_append_val (known,
        ((GcpCandidate *) engine->candidates->pdata[i])->id);
  m = gcp_change_message (engine, GCP_MESSAGE_FLUSH, engine->attempt->id);
  m.ids = known;
  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMemberId id = gcp_engine_member_at (engine, i);
    GcpReply *reply;

    if (gcp_known_is_lost (engine, id))
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

      g_ptr_array_add (reply->unordered, gcp_item_copy (item));
    }
  }
  set_phase (engine, GCP_PHASE_GATHER);
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
 * lost; or cannot be with one of those who come from another part. */
static void
handle_refused (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (find_reply (engine, peer, m, GCP_PHASE_PREPARE)
      && engine->prepared->others->len > 0) {
    gcp_merge_refused (engine);
    gcp_coordinator_start (engine);
    return;
  }
  if ((!find_reply (engine, peer, m, GCP_PHASE_GATHER)
          && !find_reply (engine, peer, m, GCP_PHASE_FETCH))
      || m->highest < engine->attempt->id.number
      || m->highest > engine->highest + GCP_MAX_NUMBER_STEP)
    return;
  engine->highest = MAX (engine->highest, m->highest);
  engine->attempt->refused = TRUE;
  if (++peer->refusals > MAX_REFUSALS)
    peer->gone = TRUE;
}

/* Two that outbid each other, each suspecting the other for a moment, must leave
 * the one whose turn it is the time to get through. */
void
gcp_coordinator_retry (GcpEngine *engine)
{
  engine->retry = engine->now + engine->config.suspicion / RETRIES_A_SUSPICION;
  gcp_coordinator_start (engine);
}

static void
handle_candidate (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (find_reply (engine, peer, m, GCP_PHASE_GATHER))
    gcp_known_add_candidate (engine, m->member, m->payload);
}

static void
handle_unordered (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpReply *reply = find_reply (engine, peer, m, GCP_PHASE_GATHER);
  GcpItem *item;

  if (!reply || reply->flushed || reply->unordered_cost > GCP_SUBMIT_LIMIT)
    return;
  item = gcp_message_get_item (m, 0);
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
  gcp_lineage_merge (engine->attempt->lineage, m->lineage);
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
    GcpPeer *peer = gcp_known_find_peer (engine, reply->id);

    if (peer && (reply->id == attempt->source
            || (!gcp_view_id_is_none (attempt->wanted)
                && gcp_view_id_equal (reply->prepared, attempt->wanted))))
      peer->gone = TRUE;
  }
  gcp_coordinator_start (engine);
}

/* Whether this member can go to a view that another shows it. Who is new in it, and not
 * to be let in as far as this one knows, may have been since, in messages that come with
 * the view; or somebody invented it. */
static gboolean
may_adopt (GcpEngine *engine, const GcpProposal *shown)
{
  for (guint i = 0; i < shown->members->len; i++) {
    const GcpMember *member = &g_array_index (shown->members, GcpMember, i);

    if (!gcp_view_contains (engine->view, member->id)
        && !gcp_ids_contain (shown->others, member->id)
        && !gcp_known_find_candidate (engine, member->id)
        && engine->config.may_join
        && !engine->config.may_join (engine->config.user_data, member->id,
            member->card))
      return FALSE;
  }
  return gcp_merge_accepts (engine, shown);
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
          attempt->wanted) && gcp_parts_complete (engine, peer, m)
      && may_adopt (engine, m->proposal)) {
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
  gcp_coordinator_commit_if_all_acked (engine);
}

void
gcp_coordinator_handle (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  switch (m->type) {
    case GCP_MESSAGE_CANDIDATE:
      handle_candidate (engine, peer, m);
      break;
    case GCP_MESSAGE_UNORDERED:
      handle_unordered (engine, peer, m);
      break;
    case GCP_MESSAGE_FLUSHED:
      handle_flushed (engine, peer, m);
      break;
    case GCP_MESSAGE_SHOWN:
      handle_shown (engine, peer, m);
      break;
    case GCP_MESSAGE_PREPARED:
      handle_prepared (engine, peer, m);
      break;
    case GCP_MESSAGE_REFUSED:
      handle_refused (engine, peer, m);
      break;
    default:
      break;
  }
}
