#include "door-world.h"

#include <stdlib.h>
#include <string.h>

static TestPki *the_pki;

static void
remove_pki (void)
{
  g_clear_pointer (&the_pki, test_pki_free);
}

TestPki *
world_pki (void)
{
  if (!the_pki) {
    the_pki = test_pki_new ();
    atexit (remove_pki);
  }
  return the_pki;
}

World *
world_new (guint64 seed, const SimConditions *conditions)
{
  static const SimConditions quiet = { .delay_min = 10 * WORLD_MS,
    .delay_max = 10 * WORLD_MS };
  World *world = g_new0 (World, 1);

  world->network = sim_network_new (seed, conditions ? conditions : &quiet);
  world->peers = g_ptr_array_new ();
  world->roster = g_bytes_new_static ("the roster", 10);
  return world;
}

static void
forget_peer_name (Peer *peer)
{
  g_clear_pointer (&peer->peer_name, g_free);
  g_clear_pointer (&peer->peer_card, bravis_card_unref);
}

static void
forget_refusal (Peer *peer)
{
  g_clear_pointer (&peer->refused_name, g_free);
  g_clear_error (&peer->refusal);
}

static void
peer_free (Peer *peer)
{
  bravis_door_free (peer->door);
  bravis_own_card_free (peer->own);
  bravis_identity_unref (peer->identity);
  g_clear_pointer (&peer->roster, g_bytes_unref);
  g_ptr_array_unref (peer->sent);
  forget_peer_name (peer);
  forget_refusal (peer);
  g_free (peer);
}

void
world_free (World *world)
{
  for (guint i = 0; i < world->peers->len; i++)
    peer_free (g_ptr_array_index (world->peers, i));
  g_ptr_array_unref (world->peers);
  sim_network_free (world->network);
  g_bytes_unref (world->roster);
  g_free (world);
}

gint64
world_now (World *world)
{
  return sim_network_now (world->network);
}

static Peer *
find_peer (World *world, const GcpAddress *address)
{
  for (guint i = 0; i < world->peers->len; i++) {
    Peer *peer = g_ptr_array_index (world->peers, i);

    if (gcp_address_equal (&peer->address, address))
      return peer;
  }
  return NULL;
}

static void
send_datagram (Peer *peer, const GcpAddress *address, GBytes *datagram)
{
  World *world = peer->world;
  Peer *to = find_peer (world, address);

  g_assert_cmpuint (g_bytes_get_size (datagram), <=, BRAVIS_MAX_DATAGRAM);
  g_ptr_array_add (peer->sent, g_bytes_ref (datagram));
  if (!to)
    world->n_strays++;
  else if (!world->gate
      || world->gate (world, peer, to, datagram, world->gate_data))
    sim_network_send (world->network, peer->index, to->index,
        g_bytes_get_data (datagram, NULL), g_bytes_get_size (datagram));
}

static void
note_peer (Peer *peer, BravisDoorOutput *output)
{
  forget_peer_name (peer);
  peer->peer_name = g_strdup (output->name);
  peer->peer_card = bravis_card_ref (output->card);
  g_assert_cmpstr (output->name, ==, output->card->name);
}

static void
answer (Peer *peer, BravisDoorOutput *output)
{
  gint64 now = world_now (peer->world);

  peer->asked = output->handshake;
  if (peer->waits)
    return;
  if (peer->refuses)
    bravis_door_refuse (peer->door, output->handshake, peer->refuses, now);
  else if (output->type == BRAVIS_DOOR_INVITEE)
    bravis_door_welcome (peer->door, output->handshake, peer->world->roster,
        now);
  else
    bravis_door_ready (peer->door, output->handshake, now);
}

static void
handle (Peer *peer, BravisDoorOutput *output)
{
  switch (output->type) {
    case BRAVIS_DOOR_SEND:
      send_datagram (peer, &output->address, output->bytes);
      break;
    case BRAVIS_DOOR_INVITEE:
      peer->n_invitee++;
      note_peer (peer, output);
      answer (peer, output);
      break;
    case BRAVIS_DOOR_READY:
      peer->n_ready++;
      note_peer (peer, output);
      break;
    case BRAVIS_DOOR_WELCOME:
      peer->n_welcome++;
      note_peer (peer, output);
      g_clear_pointer (&peer->roster, g_bytes_unref);
      peer->roster = g_bytes_ref (output->bytes);
      answer (peer, output);
      break;
    case BRAVIS_DOOR_REFUSED:
      peer->n_refused++;
      forget_refusal (peer);
      peer->refused_name = g_strdup (output->name);
      peer->refused_by_us = output->by_us;
      peer->refusal = g_error_copy (output->error);
      break;
    case BRAVIS_DOOR_UNREACHABLE:
      peer->n_unreachable++;
      peer->voided = output->handshake;
      peer->last_unreachable = world_now (peer->world);
      break;
  }
}

void
world_settle (Peer *peer)
{
  for (;;) {
    g_auto (BravisDoorOutput) output = { 0 };

    if (!bravis_door_poll (peer->door, &output))
      break;
    handle (peer, &output);
  }
  sim_network_set_deadline (peer->world->network, peer->index,
      bravis_door_deadline (peer->door));
}

void
world_give (Peer *to, const GcpAddress *from, gconstpointer data, gsize size)
{
  /* Exactly as much memory as there is data, so that a read past its end is
   * seen. */
  g_autofree guint8 *copy = g_memdup2 (data, size);

  bravis_door_receive (to->door, from, copy, size, world_now (to->world),
      TEST_PKI_NOW);
  world_settle (to);
}

void
world_give_bytes (Peer *to, const GcpAddress *from, GBytes *bytes)
{
  world_give (to, from, g_bytes_get_data (bytes, NULL),
      g_bytes_get_size (bytes));
}

static void
receive (gpointer user_data, guint from, const guint8 *data, gsize size,
    gint64 now)
{
  Peer *peer = user_data;
  Peer *sender = g_ptr_array_index (peer->world->peers, from);

  bravis_door_receive (peer->door, &sender->address, data, size, now,
      TEST_PKI_NOW);
  world_settle (peer);
}

static void
tick (gpointer user_data, gint64 now)
{
  Peer *peer = user_data;

  bravis_door_tick (peer->door, now, TEST_PKI_NOW);
  world_settle (peer);
}

static void
fill (gpointer user_data, gpointer out, gsize size)
{
  World *world = user_data;

  sim_random_fill (sim_network_random (world->network), out, size);
}

void
world_random (World *world, BravisRandom *random)
{
  *random = (BravisRandom) { .fill = fill, .user_data = world };
}

static gboolean
may_invite (const char *name, gpointer user_data)
{
  Peer *peer = user_data;

  return g_strcmp0 (name, peer->denied) != 0;
}

static void
open_door (Peer *peer, const char *conference)
{
  g_autoptr (GError) error = NULL;
  BravisRandom random;

  world_random (peer->world, &random);
  peer->own = bravis_own_card_new (peer->identity, conference, TEST_PKI_NOW,
      &random, &error);
  g_assert_no_error (error);
  peer->door = bravis_door_new (peer->identity, conference, &random, may_invite,
      peer);
  bravis_door_set_card (peer->door, peer->own);
  bravis_door_set_open (peer->door, TRUE);
}

void
world_restart_peer (Peer *peer)
{
  bravis_door_free (peer->door);
  bravis_own_card_free (peer->own);
  open_door (peer, WORLD_CONFERENCE);
  world_settle (peer);
}

Peer *
world_add_peer_of (World *world, BravisIdentity *identity,
    const char *conference)
{
  static const SimNodeFuncs funcs = { receive, tick };
  Peer *peer = g_new0 (Peer, 1);

  peer->world = world;
  peer->identity = bravis_identity_ref (identity);
  peer->index = sim_network_add_node (world->network, &funcs, peer);
  peer->address = (GcpAddress) { .family = 4,
    .ip = { 10, 0, 0, peer->index + 1 }, .port = 5000 };
  peer->sent = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  open_door (peer, conference);
  g_ptr_array_add (world->peers, peer);
  return peer;
}

Peer *
world_add_peer (World *world, BravisIdentity *identity)
{
  return world_add_peer_of (world, identity, WORLD_CONFERENCE);
}

Peer *
world_add (World *world, const char *name, TestPkiKind kind)
{
  g_autoptr (BravisIdentity) identity =
      test_pki_identity_of_kind (world_pki (), name, kind);

  return world_add_peer (world, identity);
}

void
world_invite (Peer *inviter, const char *name, Peer *invitee)
{
  g_autofree char *full = strchr (name, '@') ? g_strdup (name) :
      g_strconcat (name, "@example.org", NULL);

  bravis_door_invite (inviter->door, full, &invitee->address,
      world_now (inviter->world), TEST_PKI_NOW);
  world_settle (inviter);
}

void
world_run (World *world, gint64 duration)
{
  sim_network_run_until (world->network, world_now (world) + duration);
}

guint
world_type (GBytes *datagram)
{
  gsize size;
  const guint8 *octets = g_bytes_get_data (datagram, &size);

  return size >= 2 && octets[0] == BRAVIS_DATAGRAM_HANDSHAKE ? octets[1] : 0;
}

guint
world_count_sent (Peer *peer, BravisMessageType type)
{
  guint n = 0;

  for (guint i = 0; i < peer->sent->len; i++)
    n += world_type (g_ptr_array_index (peer->sent, i)) == type;
  return n;
}
