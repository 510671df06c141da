/* Parts of a group that lost each other find each other again and become one.
 *
 * The coordinator of each part probes the members that failed, now and then. When
 * two coordinators hear of each other, the one whose part leads asks the other to
 * come (MERGE). That one stops its part as for any change of views and says who is
 * there (PART). The leader stops its own part, makes one proposal for both (JOINT),
 * each has its own part hold it ready (HELD), and then both install it (GO). Either
 * may give up at any time (APART); each part then goes on by itself.
 * docs/protocol.md, "Parts that meet again", has all of it. */
#include "gcp-engine-private.h"

#define MAX_PROBE_INTERVAL (4 * G_USEC_PER_SEC)
#define PROBE_FOR (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)
#define SIGHTED_FOR G_USEC_PER_SEC      /* a probe tells the truth that long */

#define FIRST_PAUSE (G_USEC_PER_SEC / 4)        /* after a merge that failed */
#define MAX_PAUSE (8 * G_USEC_PER_SEC)
#define REFUSED_PAUSE (30 * G_USEC_PER_SEC)

static gboolean
is_coordinator (GcpEngine *engine)
{
  return engine->state == GCP_STATE_MEMBER && !engine->leaving && !engine->out
      && gcp_change_get_coordinator (engine) == engine->self;
}

static GcpMessage
merge_message (const GcpEngine *engine, GcpMessageType type)
{
  return (GcpMessage) {
    .type = type,.view = engine->view_id,.attempt = engine->merge.id
  };
}

static void
say (GcpEngine *engine, GcpMessageType type)
{
  GcpMessage m = merge_message (engine, type);

  gcp_engine_send (engine, engine->merge.other, &m);
}

static void
expect_answer (GcpEngine *engine)
{
  engine->merge.deadline = engine->now
      + GCP_ANSWER_SUSPICIONS * engine->config.suspicion;
}

/* ---- one merge ---- */

static void
clear_cards (GcpMerge *merge)
{
  for (guint i = 0; merge->cards && i < merge->cards->len; i++)
    g_bytes_unref (g_array_index (merge->cards, GcpMember, i).card);
  g_clear_pointer (&merge->cards, g_array_unref);
}

void
gcp_merge_clear (GcpEngine *engine)
{
  clear_cards (&engine->merge);
  g_clear_pointer (&engine->merge.part, gcp_proposal_unref);
  engine->merge = (GcpMerge) { 0 };
}

static void
begin (GcpEngine *engine, GcpMemberId other, GcpViewId id, gboolean leads)
{
  gcp_merge_clear (engine);
  engine->merge.other = other;
  engine->merge.id = id;
  engine->merge.leads = leads;
  engine->merge.cards = g_array_new (FALSE, FALSE, sizeof (GcpMember));
  gcp_known_need_peer (engine, other);
  expect_answer (engine);
}

/* The leader's proposal is held ready here, or is to be. */
static gboolean
is_holding_joint (GcpEngine *engine)
{
  return engine->merge.said && !engine->merge.leads && engine->attempt
      && engine->attempt->phase == GCP_PHASE_PREPARE;
}

/* Not now. The link to the other coordinator goes, unless it is also that to a
 * member of a view that is held ready. */
static void
give_up (GcpEngine *engine, gboolean tell)
{
  GcpMemberId other = engine->merge.other;
  GcpPeer *peer = gcp_known_find_peer (engine, other);

  if (other == GCP_MEMBER_NONE)
    return;
  /* Without HELD the leader cannot have it installed. */
  if (is_holding_joint (engine) && !engine->merge.held)
    engine->cancelled = engine->prepared->id;
  if (peer && tell)
    say (engine, GCP_MESSAGE_APART);
  gcp_merge_clear (engine);
  engine->merge_pause = CLAMP (2 * engine->merge_pause, FIRST_PAUSE,
      MAX_PAUSE);
  engine->next_merge = MAX (engine->next_merge,
      engine->now + engine->merge_pause);
  if (!peer || (engine->view && gcp_view_contains (engine->view, other))
      || gcp_known_find_candidate (engine, other)
      || (engine->prepared && gcp_proposal_find (engine->prepared, other) >= 0))
    return;
  gcp_peer_say_farewell (engine, peer);
  gcp_known_drop_peer (engine, other);
}

void
gcp_merge_give_up (GcpEngine *engine)
{
  give_up (engine, TRUE);
}

/* What was said to the other part does not hold for another attempt. */
void
gcp_merge_restart (GcpEngine *engine)
{
  if (engine->merge.said)
    give_up (engine, TRUE);
}

void
gcp_merge_refused (GcpEngine *engine)
{
  give_up (engine, TRUE);
  engine->next_merge = engine->now + REFUSED_PAUSE;
}

gboolean
gcp_merge_may_install (GcpEngine *engine)
{
  GcpMerge *merge = &engine->merge;

  if (!merge->said)
    return TRUE;
  if (!merge->leads && !merge->held) {
    merge->held = TRUE;
    expect_answer (engine);
    say (engine, GCP_MESSAGE_HELD);
  }
  return merge->leads ? merge->held : merge->go;
}

void
gcp_merge_commits (GcpEngine *engine)
{
  if (!engine->merge.said || !engine->merge.leads)
    return;
  engine->joined = engine->merge.id;
  say (engine, GCP_MESSAGE_GO);
}

void
gcp_merge_installed (GcpEngine *engine)
{
  if (!engine->merge.said)
    give_up (engine, TRUE);
  else
    engine->merge_pause = 0;
  gcp_merge_clear (engine);
  engine->cancelled = (GcpViewId) { 0 };
}

static gboolean
is_taken (GcpEngine *engine, const GcpMember *member, const GArray *own)
{
  return !engine->config.may_merge
      || engine->config.may_merge (engine->config.user_data, member->id,
          member->card, own);
}

gboolean
gcp_merge_accepts (GcpEngine *engine, const GcpProposal *proposal)
{
  g_autoptr (GArray) own = gcp_ids_new ();

  for (guint i = 0; i < proposal->members->len; i++) {
    GcpMemberId id = g_array_index (proposal->members, GcpMember, i).id;

    if (!gcp_ids_contain (proposal->others, id))
      gcp_ids_add (own, id);
  }
  for (guint i = 0; i < proposal->members->len; i++) {
    GcpMember *member = &g_array_index (proposal->members, GcpMember, i);

    if (gcp_ids_contain (proposal->others, member->id)
        && !is_taken (engine, member, own))
      return FALSE;
  }
  return TRUE;
}

/* ---- parts ---- */

static void
send_cards (GcpEngine *engine, const GcpProposal *proposal)
{
  GcpMessage m = merge_message (engine, GCP_MESSAGE_CARD);

  for (guint i = 0; i < proposal->members->len; i++) {
    GcpMember *member = &g_array_index (proposal->members, GcpMember, i);

    m.member = member->id;
    m.payload = member->card;
    if (!gcp_ids_contain (proposal->others, member->id))
      gcp_engine_send (engine, engine->merge.other, &m);
  }
}

static GBytes *
find_card (GcpEngine *engine, const GcpProposal *own, GcpMemberId id)
{
  gint index = own ? gcp_proposal_find (own, id) : -1;

  if (index >= 0)
    return g_array_index (own->members, GcpMember, index).card;
  for (guint i = 0; i < engine->merge.cards->len; i++)
    if (g_array_index (engine->merge.cards, GcpMember, i).id == id)
      return g_array_index (engine->merge.cards, GcpMember, i).card;
  return NULL;
}

static gboolean
complete (GcpEngine *engine, GcpProposal *proposal, const GcpProposal *own)
{
  for (guint i = 0; i < proposal->members->len; i++) {
    GcpMember *member = &g_array_index (proposal->members, GcpMember, i);
    GBytes *card = find_card (engine, own, member->id);

    if (!card)
      return FALSE;
    member->card = g_bytes_ref (card);
  }
  return TRUE;
}

static void
add_all (GArray *ids, const GArray *more)
{
  for (guint i = 0; i < more->len; i++)
    gcp_ids_add (ids, g_array_index (more, GcpMemberId, i));
}

/* ---- the part that follows ---- */

/* This part is ready to end its view: the leader is told who is here. */
gboolean
gcp_merge_send_part (GcpEngine *engine, GcpProposal *draft)
{
  GcpMessage m = merge_message (engine, GCP_MESSAGE_PART);

  if (engine->merge.other == GCP_MEMBER_NONE || engine->merge.leads)
    return FALSE;
  draft->id = engine->view_id;
  send_cards (engine, draft);
  m.proposal = draft;
  m.highest = engine->highest;
  gcp_engine_send (engine, engine->merge.other, &m);
  engine->merge.said = TRUE;
  expect_answer (engine);
  return TRUE;
}

static void
say_apart (GcpEngine *engine, GcpPeer *peer, GcpViewId merge)
{
  GcpMessage m = gcp_change_message (engine, GCP_MESSAGE_APART, merge);

  gcp_engine_send (engine, peer->id, &m);
}

/* Nothing came of it, as far as is known here; what was said is void. */
static void
go_on_alone (GcpEngine *engine)
{
  gboolean said = engine->merge.said;

  give_up (engine, FALSE);
  if (said && engine->attempt)
    gcp_coordinator_start (engine);
}

static void
handle_merge (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpMerge *merge = &engine->merge;

  if (m->attempt.proposer != peer->id
      || m->attempt.number > engine->highest + GCP_MAX_NUMBER_STEP
      || gcp_view_contains (engine->view, peer->id))
    return;
  /* What was begun with it before is over there. It asks again; @peer is gone. */
  if (merge->other == peer->id && !merge->leads
      && gcp_view_id_compare (merge->id, m->attempt) < 0) {
    go_on_alone (engine);
    return;
  }
  /* Both asked: the greater id wins, at both. */
  if (merge->other != GCP_MEMBER_NONE && merge->leads && !merge->said
      && gcp_view_id_compare (merge->id, m->attempt) < 0) {
    if (merge->other != peer->id)
      give_up (engine, TRUE);
    gcp_merge_clear (engine);
  }
  if (!is_coordinator (engine) || engine->frozen || engine->attempt
      || merge->other != GCP_MEMBER_NONE) {
    if (merge->other != peer->id)
      say_apart (engine, peer, m->attempt);
    return;
  }
  engine->highest = MAX (engine->highest, m->attempt.number);
  begin (engine, peer->id, m->attempt, FALSE);
  gcp_coordinator_start (engine);
}

/* The leader's proposal, with what this part has to deliver before. */
static GcpProposal *
make_own_version (GcpEngine *engine, GcpProposal *joint)
{
  GcpProposal *own = gcp_coordinator_draft (engine);
  g_autoptr (GArray) ours = gcp_proposal_list_members (own);

  if (!complete (engine, joint, own)) {
    gcp_proposal_unref (own);
    return NULL;
  }
  own->id = joint->id;
  own->primary = joint->primary;
  g_array_set_size (own->lost, 0);
  add_all (own->lost, joint->lost);
  gcp_lineage_merge (own->lineage, joint->lineage);
  add_all (own->others, joint->acking);
  g_array_set_size (own->members, 0);
  for (guint i = 0; i < joint->members->len; i++) {
    GcpMember *member = &g_array_index (joint->members, GcpMember, i);

    gcp_proposal_add_member (own, member->id, member->card);
    if (!gcp_ids_contain (ours, member->id))
      gcp_ids_add (own->others, member->id);
  }
  for (guint i = 0; i < engine->candidates->len; i++) {
    GcpCandidate *candidate = engine->candidates->pdata[i];

    if (gcp_proposal_find (own, candidate->id) < 0)
      gcp_ids_add (own->dropped, candidate->id);
  }
  return own;
}

/* Somebody of the own part stands in it as of the other. */
static gboolean
is_mixed_up (GcpEngine *engine, const GcpProposal *own)
{
  for (guint i = 0; i < own->others->len; i++)
    if (gcp_view_contains (engine->view,
            g_array_index (own->others, GcpMemberId, i)))
      return TRUE;
  return FALSE;
}

/* Whether the lists of @own can be written, and its holders in a lineage. */
static gboolean
fits (const GcpProposal *own)
{
  return own->acking->len + own->others->len <= GCP_MAX_MEMBERS;
}

static void
handle_joint (GcpEngine *engine, const GcpMessage *m)
{
  GcpProposal *own;

  if (engine->merge.leads || !engine->attempt
      || engine->attempt->phase != GCP_PHASE_MERGE)
    return;
  own = gcp_view_id_compare (m->proposal->id, engine->view_id) > 0
      && m->proposal->id.number <= engine->highest + GCP_MAX_NUMBER_STEP
      ? make_own_version (engine, m->proposal) : NULL;
  if (own && fits (own) && !is_mixed_up (engine, own)
      && gcp_merge_accepts (engine, own)) {
    engine->highest = MAX (engine->highest, own->id.number);
    gcp_coordinator_propose (engine, own);
    return;
  }
  g_clear_pointer (&own, gcp_proposal_unref);
  gcp_merge_refused (engine);
  gcp_coordinator_start (engine);
}

static void
handle_go (GcpEngine *engine)
{
  if (engine->merge.leads || !engine->merge.held)
    return;
  engine->merge.go = TRUE;
}

/* ---- the part that leads ---- */

static gboolean
leads (GcpEngine *engine, const GcpSighting *other)
{
  gboolean primary = gcp_view_is_primary (engine->view);
  guint n = gcp_view_get_n_members (engine->view);

  if (primary != other->primary)
    return primary;
  return n != other->n ? n > other->n : engine->self < other->id;
}

static void
ask (GcpEngine *engine, GcpMemberId other)
{
  begin (engine, other, (GcpViewId) { ++engine->highest, engine->self }, TRUE);
  say (engine, GCP_MESSAGE_MERGE);
}

/* This part as it goes on: with who comes in, without who leaves. */
static GArray *
list_staying (GcpEngine *engine)
{
  GArray *ids = gcp_ids_new ();

  for (guint i = 0; i < gcp_view_get_n_members (engine->view); i++) {
    GcpMemberId id = gcp_engine_member_at (engine, i);
    GcpPeer *peer = gcp_known_find_peer (engine, id);

    if (!(peer && (peer->out || peer->leaving)))
      gcp_ids_add (ids, id);
  }
  for (guint i = 0; i < engine->candidates->len; i++) {
    GcpCandidate *candidate = engine->candidates->pdata[i];

    if (!candidate->failed)
      gcp_ids_add (ids, candidate->id);
  }
  return ids;
}

/* Who may come: not who left or was put out, and only whom the layer above takes, with
 * all of this part, @own. */
static gboolean
may_come (GcpEngine *engine, const GcpMember *member, const GArray *own)
{
  const GcpDeparted *departed = gcp_known_find_departed (engine, member->id);

  return !(departed && departed->why != GCP_FAILED)
      && is_taken (engine, member, own);
}

static gboolean
is_apart (GcpEngine *engine, const GArray *ids)
{
  for (guint i = 0; i < ids->len; i++)
    if (gcp_view_contains (engine->view,
            g_array_index (ids, GcpMemberId, i)))
      return FALSE;
  return TRUE;
}

/* The joint view bears the number of this side's attempt, which must be greater
 * than those of the other part. What is proposed already is of this part alone. */
static gboolean
needs_attempt (const GcpEngine *engine, guint64 highest)
{
  const GcpAttempt *attempt = engine->attempt;

  return attempt ? attempt->phase < GCP_PHASE_PREPARE
      && attempt->id.number <= highest : !engine->frozen;
}

static void
handle_part (GcpEngine *engine, const GcpMessage *m)
{
  GcpProposal *part = m->proposal;
  g_autoptr (GArray) members = gcp_proposal_list_members (part);
  g_autoptr (GArray) own = list_staying (engine);

  if (!engine->merge.leads || engine->merge.part)
    return;
  if (!complete (engine, part, NULL) || !is_apart (engine, members)
      || !is_apart (engine, part->acking)
      || m->highest > engine->highest + GCP_MAX_NUMBER_STEP) {
    give_up (engine, TRUE);
    return;
  }
  for (guint i = part->members->len; i-- > 0;)
    if (!may_come (engine, &g_array_index (part->members, GcpMember, i), own))
      g_array_remove_index (part->members, i);
  if (part->members->len == 0) {
    gcp_merge_refused (engine);
    return;
  }
  engine->highest = MAX (engine->highest, m->highest);
  engine->merge.part = gcp_proposal_ref (part);
  expect_answer (engine);
  if (needs_attempt (engine, m->highest))
    gcp_coordinator_start (engine);
}

gboolean
gcp_merge_has_part (GcpEngine *engine)
{
  return engine->merge.part != NULL;
}

/* Whether one view can have the members of both, and one list all who take part. */
static gboolean
fit_together (const GcpProposal *proposal, const GcpProposal *part)
{
  guint n = part->acking->len;

  for (guint i = 0; i < part->members->len; i++)
    n += !gcp_ids_contain (part->acking,
        g_array_index (part->members, GcpMember, i).id);
  return proposal->members->len + part->members->len <= GCP_MAX_MEMBERS
      && proposal->acking->len + n <= GCP_MAX_MEMBERS;
}

void
gcp_merge_add_part (GcpEngine *engine, GcpProposal *proposal)
{
  const GcpProposal *part = engine->merge.part;

  if (!part || !fit_together (proposal, part))
    return;
  gcp_lineage_merge (proposal->lineage, part->lineage);
  add_all (proposal->others, part->acking);
  for (guint i = 0; i < part->lost->len
      && proposal->lost->len < GCP_MAX_MEMBERS; i++)
    gcp_ids_add (proposal->lost, g_array_index (part->lost, GcpMemberId, i));
  for (guint i = 0; i < part->members->len; i++) {
    GcpMember *member = &g_array_index (part->members, GcpMember, i);
    gint index = gcp_proposal_find (proposal, member->id);

    /* Who was to come in here has come in there. */
    if (index >= 0)
      g_array_remove_index (proposal->members, index);
    gcp_proposal_add_member (proposal, member->id, member->card);
    gcp_ids_add (proposal->others, member->id);
  }
}

void
gcp_merge_send_joint (GcpEngine *engine, GcpProposal *proposal)
{
  GcpMessage m = merge_message (engine, GCP_MESSAGE_JOINT);

  if (!engine->merge.leads || proposal->others->len == 0)
    return;
  engine->merge.said = TRUE;
  expect_answer (engine);
  send_cards (engine, proposal);
  m.proposal = proposal;
  gcp_engine_send (engine, engine->merge.other, &m);
}

static void
handle_held (GcpEngine *engine)
{
  if (!engine->merge.leads || !engine->merge.said)
    return;
  engine->merge.held = TRUE;
}

/* ---- both ---- */

/* The other part goes on by itself. What it held ready, or was to hold, its
 * coordinator does not install. */
static void
handle_apart (GcpEngine *engine)
{
  if (is_holding_joint (engine))
    engine->cancelled = engine->prepared->id;
  go_on_alone (engine);
}

/* The other coordinator takes part in a merge that is over here, or never began:
 * its MERGE or APART came late, or twice. Nothing is said of one that this member
 * led to a joint view, which that part may have to install. */
static void
handle_stale (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if ((m->type == GCP_MESSAGE_PART || m->type == GCP_MESSAGE_JOINT)
      && gcp_view_id_compare (m->attempt, engine->joined) > 0)
    say_apart (engine, peer, m->attempt);
}

static void
handle_card (GcpEngine *engine, const GcpMessage *m)
{
  GcpMember member = { m->member, m->payload };

  if (engine->merge.cards->len >= GCP_MAX_MEMBERS)
    return;
  g_bytes_ref (member.card);
  g_array_append_val (engine->merge.cards, member);
}

gboolean
gcp_merge_handle (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  gboolean ours = engine->merge.other == peer->id
      && gcp_view_id_equal (engine->merge.id, m->attempt);

  if (m->type == GCP_MESSAGE_MERGE)
    handle_merge (engine, peer, m);
  else if (m->type < GCP_MESSAGE_MERGE
      && !(m->type == GCP_MESSAGE_CARD && ours))
    return FALSE;
  else if (!ours)
    handle_stale (engine, peer, m);
  else if (m->type == GCP_MESSAGE_CARD)
    handle_card (engine, m);
  else if (m->type == GCP_MESSAGE_PART)
    handle_part (engine, m);
  else if (m->type == GCP_MESSAGE_JOINT)
    handle_joint (engine, m);
  else if (m->type == GCP_MESSAGE_HELD)
    handle_held (engine);
  else if (m->type == GCP_MESSAGE_GO)
    handle_go (engine);
  else if (m->type == GCP_MESSAGE_APART)
    handle_apart (engine);
  return TRUE;
}

/* ---- probes ---- */

static void
send_probe (GcpEngine *engine, GcpMemberId to, gboolean answer)
{
  GcpProbe probe = {
    .answer = answer,.view = engine->view_id,
    .primary = gcp_view_is_primary (engine->view),
    .n = gcp_view_get_n_members (engine->view),
    .coordinator = gcp_change_get_coordinator (engine)
  };
  GcpOutput *output;

  if (probe.coordinator == GCP_MEMBER_NONE)
    return;
  output = gcp_engine_add_output (engine, GCP_OUTPUT_SEND);
  output->member = to;
  output->bytes = gcp_probe_write (&probe);
}

static gboolean
is_missed (const GcpEngine *engine, const GcpDeparted *departed)
{
  return departed->why == GCP_FAILED
      && engine->now < departed->since + PROBE_FOR;
}

/* Also who was put out by a part that is not primary, which does not bind others:
 * two parts may have put each other's coordinator out, and one of these must hear
 * it. */
static gboolean
is_probed (const GcpEngine *engine, const GcpDeparted *departed)
{
  return is_missed (engine, departed) || (departed->why == GCP_PUT_OUT
      && !gcp_view_is_primary (engine->view)
      && engine->now < departed->since + PROBE_FOR);
}

void
gcp_merge_list_lost (GcpEngine *engine, GArray *lost)
{
  for (guint i = engine->departed->len; i-- > 0;) {
    const GcpDeparted *departed =
        &g_array_index (engine->departed, GcpDeparted, i);

    if (is_probed (engine, departed) && lost->len < GCP_MAX_MEMBERS)
      gcp_ids_add (lost, departed->id);
  }
}

static void
run_probes (GcpEngine *engine)
{
  if (engine->config.probe <= 0 || !is_coordinator (engine))
    return;
  for (guint i = 0; i < engine->departed->len; i++) {
    GcpDeparted *departed = &g_array_index (engine->departed, GcpDeparted, i);

    if (!is_probed (engine, departed) || engine->now < departed->next_probe)
      continue;
    departed->next_probe = engine->now + departed->probe_interval;
    departed->probe_interval = MIN (2 * departed->probe_interval,
        MAX_PROBE_INTERVAL);
    send_probe (engine, departed->id, TRUE);
  }
}

/* At most one in a while, to all: who asks is answered, and asked again, by the
 * next probe. */
static gboolean
may_answer (GcpEngine *engine)
{
  if (engine->now < engine->next_answer)
    return FALSE;
  engine->next_answer = engine->now + GCP_NOTICE_INTERVAL / 10;
  return TRUE;
}

/* A member of the own view looks for others from a view that came later: it went on
 * without this one. It may well be heard on a link that was to merge. */
static void
receive_members_probe (GcpEngine *engine, GcpMemberId from,
    const GcpProbe *probe)
{
  GcpPeer *peer = gcp_known_find_peer (engine, from);

  if (!peer || gcp_view_id_compare (probe->view, engine->view_id) <= 0
      || (engine->prepared
          && gcp_view_id_equal (engine->prepared->id, probe->view)))
    return;
  peer->gone = TRUE;
}

void
gcp_merge_receive_probe (GcpEngine *engine, GcpMemberId from,
    const guint8 *data, gsize size)
{
  GcpDeparted *departed = gcp_known_find_departed (engine, from);
  GcpProbe probe;

  if (engine->state != GCP_STATE_MEMBER || engine->config.probe <= 0
      || !gcp_probe_read (&probe, data, size))
    return;
  if (gcp_view_contains (engine->view, from)) {
    receive_members_probe (engine, from, &probe);
    return;
  }
  /* What a part decided that is not primary does not bind the one that is. */
  if (departed && departed->why != GCP_FAILED
      && (gcp_view_is_primary (engine->view) || !probe.primary)) {
    gcp_engine_give_notice (engine, from);
    return;
  }
  if (departed) {
    departed->probe_interval = engine->config.probe;
    departed->next_probe = MIN (departed->next_probe,
        engine->now + engine->config.probe);
  }
  if (probe.answer && may_answer (engine))
    send_probe (engine, from, FALSE);
  if (!is_coordinator (engine))
    return;
  if (probe.coordinator != from) {
    if (!gcp_view_contains (engine->view, probe.coordinator)
        && may_answer (engine)) {
      if (departed)
        engine->referred = probe.coordinator;
      send_probe (engine, probe.coordinator, TRUE);
    }
    return;
  }
  engine->sighted = (GcpSighting) {
    .id = from,.heard = engine->now,.primary = probe.primary,.n = probe.n
  };
}

gboolean
gcp_merge_is_believed (GcpEngine *engine, GcpMemberId from)
{
  return from == engine->referred || gcp_known_find_departed (engine, from);
}

gboolean
gcp_merge_may_talk (GcpEngine *engine, GcpMemberId from)
{
  return engine->state == GCP_STATE_MEMBER && engine->sighted.id == from
      && engine->now < engine->sighted.heard + 4 * SIGHTED_FOR
      && is_coordinator (engine);
}

/* ---- in time ---- */

void
gcp_merge_run (GcpEngine *engine)
{
  GcpMerge *merge = &engine->merge;

  run_probes (engine);
  if (merge->other != GCP_MEMBER_NONE) {
    gboolean said = merge->said;

    if (is_coordinator (engine) && engine->now < merge->deadline
        && !gcp_known_is_lost (engine, merge->other))
      return;
    give_up (engine, TRUE);
    if (said && engine->attempt)
      gcp_coordinator_start (engine);
  } else if (engine->sighted.id != GCP_MEMBER_NONE && !engine->attempt
      && !engine->frozen && is_coordinator (engine)
      && engine->now >= engine->next_merge
      && engine->now < engine->sighted.heard + SIGHTED_FOR
      && !gcp_view_contains (engine->view, engine->sighted.id)
      && leads (engine, &engine->sighted)) {
    ask (engine, engine->sighted.id);
  }
}

gint64
gcp_merge_deadline (const GcpEngine *engine)
{
  gint64 deadline = G_MAXINT64;

  if (engine->merge.other != GCP_MEMBER_NONE)
    deadline = engine->merge.deadline;
  for (guint i = 0; engine->config.probe > 0 && i < engine->departed->len; i++) {
    const GcpDeparted *departed =
        &g_array_index (engine->departed, GcpDeparted, i);

    if (is_probed (engine, departed) && departed->next_probe > engine->now)
      deadline = MIN (deadline, departed->next_probe);
  }
  if (engine->next_merge > engine->now)
    deadline = MIN (deadline, engine->next_merge);
  return deadline;
}
