/* Paths between two members, direct or over a third.
 *
 * A pair whose own path is broken, in one direction or both, does not have to lose
 * each other: what their link says travels over a member that both can reach, and
 * nothing above the link notices. Who hears nothing of the other directly sends
 * over another member and says so ("deaf"), and so does who is told. A datagram for
 * each sign of life still tries the direct path, so both notice when it heals. */
#include "gcp-engine-private.h"

/* A path is broken after this part of the silence that means a crash: time is left
 * for the other path to be found before anybody is suspected. */
static gint64
get_patience (const GcpPeer *peer)
{
  return gcp_link_get_silence (peer->link) * 3 / 8;
}

static gboolean
is_deaf (GcpEngine *engine, const GcpPeer *peer)
{
  return engine->now - peer->path.heard >= get_patience (peer);
}

/* Others have links to it, too; so they have not to one of another part. */
static gboolean
is_of_the_group (GcpEngine *engine, const GcpPeer *peer)
{
  return engine->state == GCP_STATE_JOINING
      || gcp_known_find_candidate (engine, peer->id)
      || (engine->view && gcp_view_contains (engine->view, peer->id));
}

gboolean
gcp_relay_is_broken (GcpEngine *engine, const GcpPeer *peer)
{
  return (is_deaf (engine, peer)
      || (peer->path.other_deaf > 0
          && engine->now - peer->path.other_deaf < get_patience (peer)))
      && is_of_the_group (engine, peer);
}

static gboolean
may_pass (GcpEngine *engine, const GcpPeer *relay)
{
  return relay->talked && !relay->out && !relay->gone
      && !gcp_relay_is_broken (engine, relay)
      && !gcp_known_is_suspected (engine, relay);
}

/* The one over which something came last; until something has, one after the
 * other, since nobody knows whom the other end reaches. */
static GcpMemberId
choose_relay (GcpEngine *engine, GcpPeer *peer)
{
  GcpPath *path = &peer->path;
  const GcpPeer *relay = gcp_known_find_peer (engine, path->relay);

  if (relay && relay != peer && may_pass (engine, relay)
      && engine->now - path->relayed < get_patience (peer))
    return relay->id;
  for (guint i = 0; i < engine->peers->len; i++) {
    relay = engine->peers->pdata[++path->turn % engine->peers->len];
    if (relay != peer && may_pass (engine, relay))
      return relay->id;
  }
  return GCP_MEMBER_NONE;
}

static void
say (GcpEngine *engine, GcpMemberId to, GBytes *bytes)
{
  GcpOutput *output = gcp_engine_add_output (engine, GCP_OUTPUT_SEND);

  output->member = to;
  output->bytes = bytes;
}

void
gcp_relay_send (GcpEngine *engine, GcpPeer *peer, GBytes *bytes)
{
  GcpMemberId relay = GCP_MEMBER_NONE;
  g_autoptr (GBytes) sealed = NULL;

  if (gcp_relay_is_broken (engine, peer))
    relay = choose_relay (engine, peer);
  if (relay != GCP_MEMBER_NONE)
    sealed = engine->config.seal
        ? engine->config.seal (engine->config.user_data, peer->id, bytes)
        : g_bytes_ref (bytes);
  if (sealed)
    say (engine, relay, gcp_relay_write (&(GcpRelay) {
          .deaf = is_deaf (engine, peer),.from = engine->self,
          .to = peer->id,.bytes = sealed }));
  if (!sealed || engine->now >= peer->path.next_direct) {
    peer->path.next_direct = engine->now + engine->config.heartbeat;
    say (engine, peer->id, bytes);
  } else {
    g_bytes_unref (bytes);
  }
}

/* A member, or a candidate, to which there may be no link yet. */
static GcpPeer *
find_passing (GcpEngine *engine, GcpMemberId id)
{
  GcpPeer *peer = gcp_engine_admit_sender (engine, id);

  return peer && !peer->out && !peer->gone ? peer : NULL;
}

/* As it came: what is in it is sealed between the two ends. */
static void
pass_on (GcpEngine *engine, const GcpRelay *relay, const guint8 *data,
    gsize size)
{
  if (engine->state == GCP_STATE_MEMBER && find_passing (engine, relay->from)
      && find_passing (engine, relay->to))
    say (engine, relay->to, g_bytes_new (data, size));
}

static void
take (GcpEngine *engine, GcpMemberId over, const GcpRelay *relay)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (relay->bytes, &size);
  g_autoptr (GBytes) opened = engine->config.open
      ? engine->config.open (engine->config.user_data, relay->from, data, size)
      : g_bytes_ref (relay->bytes);
  GcpPeer *peer;

  if (!opened)
    return;
  data = g_bytes_get_data (opened, &size);
  peer = size > 0 && data[0] == GCP_DATAGRAM_LINK
      ? gcp_engine_admit_sender (engine, relay->from) : NULL;
  if (!peer)
    return;
  peer->path.relay = over;
  peer->path.relayed = engine->now;
  if (relay->deaf)
    peer->path.other_deaf = engine->now;
  gcp_peer_receive (engine, peer, data, size);
}

void
gcp_relay_receive (GcpEngine *engine, GcpMemberId from, const guint8 *data,
    gsize size)
{
  g_auto (GcpRelay) relay = { 0 };

  if (!gcp_relay_read (&relay, data, size) || from == relay.to)
    return;
  if (relay.to == engine->self && relay.from != from
      && find_passing (engine, from))
    take (engine, from, &relay);
  else if (relay.from == from)
    pass_on (engine, &relay, data, size);
}
