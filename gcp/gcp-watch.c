/* When a view change begins, and when it begins again. */
#include "gcp-engine-private.h"

/* Suspicion times until an answer that makes progress is due; the second where the
 * progress is what a narrow path that loses much may make, in segments each. */
#define LATEST_SUSPICIONS 32
#define LATEST_SUSPICIONS_AT_ALL 192
#define SEGMENTS_A_SUSPICION 4

static gboolean
is_waited_for (const GcpAttempt *attempt, const GcpReply *reply)
{
  switch (attempt->phase) {
    case GCP_PHASE_GATHER:
      return !reply->flushed;
    case GCP_PHASE_FETCH:
      return reply->id == attempt->source;
    case GCP_PHASE_MERGE:
      return FALSE;
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
  GcpPeer *peer = gcp_known_find_peer (engine, reply->id);
  GcpCandidate *candidate = gcp_known_find_candidate (engine, reply->id);

  if (late && peer)
    peer->gone = TRUE;
  if (!late && !gcp_known_is_lost (engine, reply->id))
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

/* Whether something of the streams with @reply's member came not long ago, and, as
 * time goes on, enough. */
static gboolean
gets_on (GcpEngine *engine, const GcpReply *reply)
{
  GcpPeer *peer = gcp_known_find_peer (engine, reply->id);
  gint64 suspicions = (engine->now - engine->attempt->began)
      / engine->config.suspicion;

  if (!peer || gcp_link_get_last_moved (peer->link) <= engine->now
      - engine->config.suspicion)
    return FALSE;
  return suspicions < LATEST_SUSPICIONS
      || (suspicions < LATEST_SUSPICIONS_AT_ALL
      && gcp_coordinator_count_moved (engine, reply->id) >= reply->n_moved
      + suspicions * SEGMENTS_A_SUSPICION);
}

/* An answer can stand behind much that is still on its way, on a narrow path: who
 * gets on with it is not given up. */
static void
extend_deadline (GcpEngine *engine)
{
  GcpAttempt *attempt = engine->attempt;

  for (guint i = 0; i < attempt->replies->len; i++) {
    GcpReply *reply = attempt->replies->pdata[i];

    if (is_waited_for (attempt, reply) && gets_on (engine, reply))
      attempt->deadline = engine->now + engine->config.suspicion;
  }
}

static void
watch_attempt (GcpEngine *engine)
{
  gboolean in_vain = FALSE;

  if (engine->now >= engine->attempt->deadline)
    extend_deadline (engine);
  for (guint i = 0; i < engine->attempt->replies->len; i++) {
    GcpReply *reply = engine->attempt->replies->pdata[i];

    if (is_waited_for (engine->attempt, reply) && is_in_vain (engine, reply))
      in_vain = TRUE;
  }
  if (in_vain)
    gcp_coordinator_start (engine);
  else if (engine->attempt->refused && engine->now >= engine->retry)
    gcp_coordinator_retry (engine);
  else if (engine->attempt->phase == GCP_PHASE_PREPARE)
    gcp_coordinator_commit_if_all_acked (engine);
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
      gcp_known_drop_peer (engine, candidate->id);
      gcp_known_drop_candidate (engine, candidate->id);
      continue;
    }
    if (candidate->failed)
      continue;
    gcp_known_need_peer (engine, candidate->id);
    ready = ready || gcp_coordinator_is_ready (engine, candidate);
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
        && !gcp_known_is_lost (engine, peer->id))
      return TRUE;
  }
  return FALSE;
}

/* At once. */
static gboolean
is_change_needed (GcpEngine *engine)
{
  if (engine->frozen || is_outbid (engine))
    return TRUE;
  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++)
    if (gcp_known_is_lost (engine, gcp_engine_member_at (engine, i)))
      return TRUE;
  return FALSE;
}

/* Many that come and go one after the other are few changes: each is followed by a
 * moment of calm, for the next ones to gather. */
static gboolean
is_change_wanted (GcpEngine *engine, gboolean ready)
{
  if (engine->now < engine->calm_at)
    return FALSE;
  for (guint i = 0; !ready && i < gcp_view_get_n_members (engine->view); i++)
    ready = gcp_change_is_leaving (engine, gcp_engine_member_at (engine, i));
  return ready;
}

/* Who is put out may not know it: some have had that message and some have not, it
 * among them, and each side has another coordinator. Its attempt brings the message to
 * all, where a greater one would only be outbid in turn; so it gets a moment. */
static gint64
get_end_of_following (const GcpEngine *engine)
{
  const GcpPeer *peer = engine->frozen && !engine->attempt
      ? gcp_known_find_peer ((GcpEngine *) engine, engine->promised.proposer)
      : NULL;

  return peer && peer->out && !peer->gone
      && !gcp_known_is_suspected ((GcpEngine *) engine, peer)
      ? engine->followed + engine->config.suspicion : 0;
}

void
gcp_watch_run (GcpEngine *engine)
{
  gboolean ready;

  if (engine->attempt && is_outbid (engine)) {
    gcp_coordinator_start (engine);
    return;
  }
  if (engine->attempt) {
    watch_attempt (engine);
    return;
  }
  if (gcp_change_get_coordinator (engine) != engine->self
      || engine->now < get_end_of_following (engine))
    return;
  ready = watch_candidates (engine);
  if (gcp_merge_has_part (engine) || is_change_needed (engine)
      || is_change_wanted (engine, ready))
    gcp_coordinator_start (engine);
}

gint64
gcp_watch_deadline (const GcpEngine *engine)
{
  gint64 deadline = G_MAXINT64;

  /* Where all have answered, it is the other part that is waited for. */
  if (engine->attempt && !engine->out
      && engine->attempt->deadline > engine->now)
    deadline = engine->attempt->deadline;
  if (!engine->attempt && engine->calm_at > engine->now)
    deadline = MIN (deadline, engine->calm_at);
  if (get_end_of_following (engine) > engine->now)
    deadline = MIN (deadline, get_end_of_following (engine));
  if (engine->attempt && engine->attempt->refused && !engine->out)
    deadline = MIN (deadline, engine->retry);
  for (guint i = 0; i < engine->candidates->len; i++) {
    GcpCandidate *candidate = engine->candidates->pdata[i];
    gint64 end = candidate->since + engine->config.joining_timeout;

    if (end > engine->now)
      deadline = MIN (deadline, end);
  }
  return deadline;
}
