/* What is done at once when a view that is held ready is installed: the old
 * view's last messages are delivered, then the view, and who is in it has links. */
#include "gcp-engine-private.h"
#include "gcp-fault.h"

static void
deliver_rest (GcpEngine *engine, GcpProposal *proposal)
{
  const GcpItem *item;

  /* What came for an attempt that was given up may lie behind the cut. */
  while (!GCP_FAULT (CUT_NOT_DELIVERED)
      && engine->log.delivered < proposal->cut
      && (item = gcp_log_deliver (&engine->log, TRUE)))
    gcp_order_deliver_item (engine, item);
  for (guint i = 0; i < proposal->appended->len; i++) {
    item = proposal->appended->pdata[!GCP_FAULT (APPENDED_MIXED) ? i
        : (i + engine->self_index) % proposal->appended->len];
    gcp_order_deliver_item (engine, item);
    if (item->sender == engine->self_index)
      gcp_order_drop_submitted (engine);
  }
}

static GArray *
make_departures (GcpEngine *engine, GcpProposal *proposal)
{
  GArray *records = g_array_new (FALSE, FALSE, sizeof (GcpDepartureRecord));

  for (guint i = 0; engine->view
      && i < gcp_view_get_n_members (engine->view); i++) {
    GcpDepartureRecord record = { gcp_engine_member_at (engine, i), GCP_FAILED };

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

static void
renew_peers (GcpEngine *engine, GcpProposal *proposal, GArray *departures)
{
  for (guint i = 0; i < departures->len; i++) {
    GcpDepartureRecord *record = &g_array_index (departures,
        GcpDepartureRecord, i);

    gcp_known_add_departed (engine, record->id, record->why);
  }
  /* A newcomer looks for them as well. */
  for (guint i = 0; i < proposal->departures->len; i++) {
    GcpMessageDeparture *departure = &g_array_index (proposal->departures,
        GcpMessageDeparture, i);

    gcp_known_add_departed (engine, departure->id, departure->why);
  }
  for (guint i = 0; i < proposal->dropped->len; i++)
    gcp_known_drop_candidate (engine,
        g_array_index (proposal->dropped, GcpMemberId, i));
  for (guint i = engine->peers->len; i-- > 0;) {
    GcpPeer *peer = engine->peers->pdata[i];
    GcpMemberId id = peer->id;

    peer->leaving = FALSE;
    peer->accused = FALSE;
    peer->refusals = 0;
    peer->held_flush = (GcpViewId) { 0 };
    if (gcp_proposal_find (proposal, id) < 0
        && !gcp_known_find_candidate (engine, id)) {
      gcp_peer_say_farewell (engine, peer);
      gcp_known_drop_peer (engine, id);
    }
  }
  for (guint i = 0; i < proposal->lost->len; i++)
    gcp_known_add_departed (engine,
        g_array_index (proposal->lost, GcpMemberId, i), GCP_FAILED);
  for (guint i = 0; i < proposal->members->len; i++) {
    GcpMemberId id = g_array_index (proposal->members, GcpMember, i).id;

    gcp_known_drop_candidate (engine, id);
    gcp_known_drop_departed (engine, id);
    if (id != engine->self)
      gcp_known_need_peer (engine, id);
  }
  engine->peers_serial++;
}

static void
renew_lineage (GcpEngine *engine, GcpProposal *proposal, GcpViewId old_id)
{
  g_autoptr (GArray) members = gcp_proposal_list_members (proposal);

  if (proposal->primary)
    gcp_lineage_form (engine->lineage, proposal->id, members);
  gcp_lineage_settle (engine->lineage, proposal->acking, old_id);
}

/* Messages of which a part was delivered go on, if all who are here have that part. */
static void
renew_pieces (GcpEngine *engine, const GcpView *old, gboolean dropped)
{
  gboolean newcomers = !old;

  for (guint i = 0; old && i < gcp_view_get_n_members (engine->view); i++)
    newcomers |= !gcp_view_contains (old, gcp_engine_member_at (engine, i));
  if (newcomers)
    gcp_pieces_clear (&engine->pieces);
  else
    gcp_pieces_move (&engine->pieces, old, engine->view);
  /* One's own may have been among what lay behind the cut. */
  gcp_order_take_back (engine, newcomers || dropped);
}

void
gcp_install (GcpEngine *engine, GcpProposal *prepared)
{
  g_autoptr (GcpProposal) proposal = gcp_proposal_ref (prepared);
  g_autoptr (GArray) departures = NULL;
  GcpMessage here = {
    .type = GCP_MESSAGE_HERE,.view = proposal->id,.primary = proposal->primary
  };
  g_autoptr (GcpView) old = NULL;
  gboolean dropped = engine->log.held > proposal->cut;
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
  departures = make_departures (engine, proposal);
  output->departures = g_array_ref (departures);
  old = g_steal_pointer (&engine->view);
  engine->view = gcp_view_new (proposal->id.number, proposal->primary,
      (const GcpMember *) (gpointer) proposal->members->data,
      proposal->members->len);
  output->view = gcp_view_ref (engine->view);
  renew_lineage (engine, proposal, engine->view_id);
  engine->view_id = proposal->id;
  engine->self_index = gcp_view_find (engine->view, engine->self);
  engine->highest = MAX (engine->highest, proposal->id.number);
  engine->state = GCP_STATE_MEMBER;
  engine->frozen = FALSE;
  engine->calm_at = old ? engine->now + GCP_CALM : 0;
  engine->promised = (GcpViewId) { 0 };
  engine->leave_said = FALSE;
  gcp_change_clear (engine);
  renew_pieces (engine, old, dropped);
  gcp_merge_installed (engine);
  renew_peers (engine, proposal, departures);
  gcp_order_reset (engine);
  /* Also makes up for a COMMIT that a coordinator could not finish sending. */
  gcp_engine_send_to_others (engine, &here);
}

void
gcp_install_founder (GcpEngine *engine)
{
  g_autoptr (GcpProposal) proposal = gcp_proposal_new ();

  proposal->id = (GcpViewId) { 1, engine->self };
  proposal->primary = TRUE;
  gcp_proposal_add_member (proposal, engine->self, engine->card);
  gcp_install (engine, proposal);
}
