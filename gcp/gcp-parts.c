/* The parts of a proposal, as they come and as they are sent. */
#include "gcp-engine-private.h"
#include "gcp-fault.h"

static void
staging_free (GcpStaging *staging)
{
  g_ptr_array_unref (staging->appended);
  for (guint i = 0; i < staging->cards->len; i++)
    g_bytes_unref (g_array_index (staging->cards, GcpMember, i).card);
  g_array_unref (staging->cards);
  g_free (staging);
}

void
gcp_parts_clear (GcpEngine *engine)
{
  g_clear_pointer (&engine->staging, staging_free);
}

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
  gcp_parts_clear (engine);
  staging = engine->staging = g_new0 (GcpStaging, 1);
  staging->from = peer->id;
  staging->attempt = m->attempt;
  staging->appended =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gcp_item_free);
  staging->cards = g_array_new (FALSE, FALSE, sizeof (GcpMember));
  return staging;
}

void
gcp_parts_handle_missing (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  if (!engine->view || !need_staging (engine, peer, m)
      || m->sequence != engine->log.held + 1
      || m->sender >= gcp_view_get_n_members (engine->view)
      || engine->log.cost > GCP_UNSTABLE_LIMIT)
    return;
  gcp_log_add (&engine->log,
      gcp_message_get_item (m, m->sender));
  if (m->sender == engine->self_index)
    gcp_order_drop_submitted (engine);
}

void
gcp_parts_handle_appended (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpStaging *staging;
  GcpItem *item;

  if (!engine->view || m->sender >= gcp_view_get_n_members (engine->view))
    return;
  staging = need_staging (engine, peer, m);
  if (!staging || staging->appended_cost
      > gcp_view_get_n_members (engine->view) * (gsize) GCP_SUBMIT_LIMIT)
    return;
  item = gcp_message_get_item (m, m->sender);
  staging->appended_cost += gcp_item_cost (item);
  g_ptr_array_add (staging->appended, item);
}

void
gcp_parts_handle_card (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
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

/* Who joins has seen no number yet, and the group's may be any. */
static guint64
get_greatest_number (const GcpEngine *engine)
{
  return engine->view ? engine->highest + GCP_MAX_NUMBER_STEP : GCP_MAX_NUMBER;
}

gboolean
gcp_parts_complete (GcpEngine *engine, GcpPeer *peer, const GcpMessage *m)
{
  GcpProposal *proposal = m->proposal;
  GcpStaging *staging = need_staging (engine, peer, m);

  /* A view of several parts is numbered by another part's coordinator. */
  if (!staging || (proposal->others->len == 0
          && gcp_view_id_compare (proposal->id, m->attempt) > 0)
      || proposal->id.number > get_greatest_number (engine)
      || gcp_view_id_compare (proposal->id, m->view) <= 0)
    return FALSE;
  if (engine->view) {
    if (((proposal->cut > engine->log.held
                || proposal->cut < engine->log.delivered)
            && !GCP_FAULT (CUT_TOO_SHORT))
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
  gcp_parts_clear (engine);
  return TRUE;
}

void
gcp_parts_send_missing (GcpEngine *engine, GcpMemberId to, GcpViewId attempt,
    guint64 held)
{
  GcpMessage m = gcp_change_message (engine, GCP_MESSAGE_MISSING, attempt);

  m.sequence = held;
  for (GList * l = gcp_log_after (&engine->log, held); l; l = l->next) {
    GcpItem *item = l->data;

    m.sequence++;
    gcp_message_set_item (&m, item);
    gcp_engine_send (engine, to, &m);
  }
}

void
gcp_parts_send (GcpEngine *engine, GcpMemberId to, GcpViewId attempt,
    GcpProposal *proposal)
{
  gboolean is_member = gcp_view_contains (engine->view, to);
  GcpMessage m = gcp_change_message (engine, GCP_MESSAGE_APPENDED, attempt);

  for (guint i = 0; is_member && i < proposal->appended->len; i++) {
    GcpItem *item = proposal->appended->pdata[i];

    gcp_message_set_item (&m, item);
    gcp_engine_send (engine, to, &m);
  }
  m = gcp_change_message (engine, GCP_MESSAGE_CARD, attempt);
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
