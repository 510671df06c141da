/* Links as they are on the network. A link begins anew when its two ends meet
 * again after they went on without each other, which each of them notices at
 * another time. So each end numbers its links, and a datagram says behind the
 * link's own octets which of the two ends' links it is of. */
#include "gcp-engine-private.h"

static GcpLink *
make_link (GcpEngine *engine, GcpPeer *peer)
{
  peer->generation = ++engine->last_generation;
  peer->talked = FALSE;
  peer->since = peer->path.heard = engine->now;
  return gcp_link_new (&engine->link_config, engine->now);
}

GcpPeer *
gcp_peer_new (GcpEngine *engine, GcpMemberId id)
{
  GcpPeer *peer = g_new0 (GcpPeer, 1);

  peer->id = id;
  peer->link = make_link (engine, peer);
  g_queue_init (&peer->pending);
  return peer;
}

void
gcp_peer_free (GcpPeer *peer)
{
  gcp_link_free (peer->link);
  g_queue_clear_full (&peer->pending, (GDestroyNotify) gcp_item_free);
  g_clear_pointer (&peer->held_flush_ids, g_array_unref);
  g_free (peer);
}

/* The other end began anew: what was said on the old link is lost, so this member
 * and that one go on without each other, if they were together. */
static void
begin_anew (GcpEngine *engine, GcpPeer *peer)
{
  gcp_link_free (peer->link);
  peer->link = make_link (engine, peer);
  if (engine->view && gcp_view_contains (engine->view, peer->id))
    peer->gone = TRUE;
}

void
gcp_peer_receive (GcpEngine *engine, GcpPeer *peer, const guint8 *data,
    gsize size)
{
  GcpReader reader;
  guint32 theirs, mine;

  if (size < GCP_PEER_TRAILER)
    return;
  size -= GCP_PEER_TRAILER;
  gcp_reader_init (&reader, data + size, GCP_PEER_TRAILER);
  theirs = gcp_read_u32 (&reader);
  mine = gcp_read_u32 (&reader);
  if (theirs == 0 || theirs < peer->other_generation
      || (mine != 0 && mine != peer->generation))
    return;
  if (theirs > peer->other_generation) {
    peer->other_generation = theirs;
    if (peer->talked) {
      begin_anew (engine, peer);
      return;
    }
  }
  peer->talked = TRUE;
  gcp_link_receive (peer->link, data, size, engine->now);
}

GBytes *
gcp_peer_poll (GcpEngine *engine, GcpPeer *peer)
{
  GBytes *bytes = gcp_link_poll (peer->link, engine->now);
  GcpWriter writer;

  if (!bytes)
    return NULL;
  writer.array = g_bytes_unref_to_array (bytes);
  gcp_write_u32 (&writer, peer->generation);
  gcp_write_u32 (&writer, peer->other_generation);
  return gcp_writer_finish (&writer);
}

void
gcp_peer_say_farewell (GcpEngine *engine, GcpPeer *peer)
{
  GBytes *bytes;

  if (gcp_known_is_suspected (engine, peer))
    return;
  gcp_link_hurry (peer->link);
  while ((bytes = gcp_peer_poll (engine, peer)))
    gcp_relay_send (engine, peer, bytes);
}
