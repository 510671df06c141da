/* Whom this member knows: peers, with whom it has a link; candidates, who were let in
 * and are not in a view yet; those that departed. And whom it takes for lost. */
#include "gcp-engine-private.h"
#include "gcp-fault.h"

GcpPeer *
gcp_known_find_peer (GcpEngine *engine, GcpMemberId id)
{
  for (guint i = 0; i < engine->peers->len; i++) {
    GcpPeer *peer = engine->peers->pdata[i];

    if (peer->id == id)
      return peer;
  }
  return NULL;
}

GcpPeer *
gcp_known_need_peer (GcpEngine *engine, GcpMemberId id)
{
  GcpPeer *peer = gcp_known_find_peer (engine, id);

  if (peer)
    return peer;
  peer = gcp_peer_new (engine, id);
  g_ptr_array_add (engine->peers, peer);
  engine->peers_serial++;
  return peer;
}

void
gcp_known_drop_peer (GcpEngine *engine, GcpMemberId id)
{
  GcpPeer *peer = gcp_known_find_peer (engine, id);

  if (!peer)
    return;
  g_ptr_array_remove (engine->peers, peer);
  engine->peers_serial++;
}

void
gcp_candidate_free (GcpCandidate *candidate)
{
  g_bytes_unref (candidate->card);
  g_free (candidate);
}

GcpCandidate *
gcp_known_find_candidate (GcpEngine *engine, GcpMemberId id)
{
  for (guint i = 0; i < engine->candidates->len; i++) {
    GcpCandidate *candidate = engine->candidates->pdata[i];

    if (candidate->id == id)
      return candidate;
  }
  return NULL;
}

void
gcp_known_drop_candidate (GcpEngine *engine, GcpMemberId id)
{
  GcpCandidate *candidate = gcp_known_find_candidate (engine, id);

  if (candidate)
    g_ptr_array_remove (engine->candidates, candidate);
}

GcpDeparted *
gcp_known_find_departed (GcpEngine *engine, GcpMemberId id)
{
  for (guint i = 0; i < engine->departed->len; i++) {
    GcpDeparted *departed = &g_array_index (engine->departed, GcpDeparted, i);

    if (departed->id == id)
      return departed;
  }
  return NULL;
}

void
gcp_known_add_departed (GcpEngine *engine, GcpMemberId id, GcpDeparture why)
{
  GcpDeparted departed = {
    .id = id,.why = why,.since = engine->now,
    .last_notice = engine->now - GCP_NOTICE_INTERVAL,
    .next_probe = engine->now + engine->config.probe,
    .probe_interval = engine->config.probe
  };

  if (gcp_known_find_departed (engine, id))
    return;
  if (engine->departed->len >= GCP_MAX_DEPARTED)
    g_array_remove_index (engine->departed, 0);
  g_array_append_val (engine->departed, departed);
}

void
gcp_known_drop_departed (GcpEngine *engine, GcpMemberId id)
{
  for (guint i = engine->departed->len; i-- > 0;)
    if (g_array_index (engine->departed, GcpDeparted, i).id == id)
      g_array_remove_index (engine->departed, i);
}

void
gcp_known_add_candidate (GcpEngine *engine, GcpMemberId id, GBytes *card)
{
  GcpCandidate *candidate;

  if (id == GCP_MEMBER_NONE || gcp_view_contains (engine->view, id)
      || gcp_known_find_departed (engine, id)
      || gcp_known_find_candidate (engine, id)
      || g_bytes_get_size (card) > GCP_MAX_CARD_SIZE
      || gcp_view_get_n_members (engine->view) + engine->candidates->len
      >= GCP_MAX_MEMBERS)
    return;
  candidate = g_new0 (GcpCandidate, 1);
  candidate->id = id;
  candidate->card = g_bytes_ref (card);
  candidate->since = engine->now;
  g_ptr_array_add (engine->candidates, candidate);
}

gint64
gcp_known_get_suspicion_time (GcpEngine *engine, const GcpPeer *peer)
{
  gint64 silence = gcp_link_get_silence (peer->link);
  gint64 heard = gcp_link_get_last_heard (peer->link);
  gint64 answered = gcp_link_get_last_answered (peer->link);

  if (peer->accused)
    silence /= 2;
  if (GCP_FAULT (IMPATIENT))
    silence /= 8;
  return MAX (MIN (heard + silence, answered + 2 * silence),
      engine->grace_until);
}

gboolean
gcp_known_is_suspected (GcpEngine *engine, const GcpPeer *peer)
{
  return gcp_link_is_broken (peer->link)
      || engine->now >= gcp_known_get_suspicion_time (engine, peer);
}

gboolean
gcp_known_is_lost (GcpEngine *engine, GcpMemberId id)
{
  const GcpPeer *peer;

  if (id == engine->self)
    return engine->out;
  peer = gcp_known_find_peer (engine, id);
  return !peer || peer->out || peer->gone
      || gcp_known_is_suspected (engine, peer);
}
