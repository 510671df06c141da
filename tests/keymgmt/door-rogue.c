#include "door-rogue.h"

#include <string.h>

static GBytes *
last_sent (Peer *peer, BravisMessageType type)
{
  for (guint i = peer->sent->len; i-- > 0;) {
    GBytes *datagram = g_ptr_array_index (peer->sent, i);

    if (world_type (datagram) == type)
      return datagram;
  }
  return NULL;
}

static Rogue *
rogue_new (Peer *victim, const GcpAddress *address,
    BravisHandshake *handshake)
{
  Rogue *rogue = g_new0 (Rogue, 1);

  rogue->victim = victim;
  rogue->address = *address;
  rogue->handshake = handshake;
  return rogue;
}

void
rogue_free (Rogue *rogue)
{
  g_clear_pointer (&rogue->handshake, bravis_handshake_free);
  g_free (rogue);
}

Rogue *
rogue_answer (Peer *victim, const GcpAddress *address, const char *conference)
{
  GBytes *datagram = last_sent (victim, BRAVIS_MESSAGE_HELLO);
  BravisRandom random;
  BravisHello hello;
  Rogue *rogue;

  world_random (victim->world, &random);
  g_assert_true (bravis_hello_parse (g_bytes_get_data (datagram, NULL),
          g_bytes_get_size (datagram), &hello));
  rogue = rogue_new (victim, address,
      bravis_handshake_new_invitee (conference, &hello, &random));
  rogue->has_keys = TRUE;
  world_give_bytes (victim, address,
      bravis_handshake_get_reply (rogue->handshake));
  return rogue;
}

static void
give_hello (Rogue *rogue, const guint8 *cookie)
{
  g_autoptr (GBytes) hello =
      bravis_handshake_make_hello (rogue->handshake, cookie);

  world_give_bytes (rogue->victim, &rogue->address, hello);
}

Rogue *
rogue_call (Peer *victim, const GcpAddress *address, const char *conference)
{
  guint8 cookie[BRAVIS_COOKIE_SIZE] = { 0 };
  BravisRandom random;
  GBytes *datagram;
  guint64 id;
  Rogue *rogue;

  world_random (victim->world, &random);
  rogue = rogue_new (victim, address,
      bravis_handshake_new_inviter (conference, &random));
  give_hello (rogue, cookie);
  datagram = last_sent (victim, BRAVIS_MESSAGE_COOKIE);
  if (datagram) {
    g_assert_true (bravis_cookie_datagram_parse (g_bytes_get_data (datagram,
                NULL), g_bytes_get_size (datagram), &id, cookie));
    give_hello (rogue, cookie);
  }
  datagram = last_sent (victim, BRAVIS_MESSAGE_REPLY);
  if (datagram)
    rogue->has_keys = bravis_handshake_take_reply (rogue->handshake,
        g_bytes_get_data (datagram, NULL), g_bytes_get_size (datagram));
  return rogue;
}

static BravisRole
victims_role (Rogue *rogue)
{
  return bravis_handshake_get_role (rogue->handshake) == BRAVIS_ROLE_INVITER ?
      BRAVIS_ROLE_INVITEE : BRAVIS_ROLE_INVITER;
}

GBytes *
rogue_open (Rogue *rogue, BravisMessageType type)
{
  g_autoptr (BravisSecret) key = bravis_handshake_derive_key (rogue->handshake,
      type, victims_role (rogue));
  g_autoptr (BravisAssembly) assembly =
      bravis_assembly_new (key, BRAVIS_MAX_ROSTER_SIZE);
  GBytes *message = NULL;

  for (guint i = 0; !message && i < rogue->victim->sent->len; i++) {
    GBytes *datagram = g_ptr_array_index (rogue->victim->sent, i);
    BravisFragment fragment;

    if (world_type (datagram) == type
        && bravis_fragment_parse (g_bytes_get_data (datagram, NULL),
            g_bytes_get_size (datagram), &fragment))
      bravis_assembly_take (assembly, &fragment, &message);
  }
  return message;
}

GBytes *
rogue_prove (Rogue *rogue, BravisIdentity *signer, BravisCard *card)
{
  g_autoptr (GError) error = NULL;
  BravisOwnCard own = { .card = card };
  GBytes *proof;

  if (bravis_handshake_get_role (rogue->handshake) == BRAVIS_ROLE_INVITEE) {
    g_autoptr (GBytes) theirs = rogue_open (rogue, BRAVIS_MESSAGE_INVITER);

    bravis_handshake_check_proof (rogue->handshake, theirs, signer,
        TEST_PKI_NOW, &error);
    g_assert_no_error (error);
  }
  proof = bravis_handshake_make_proof (rogue->handshake, signer, &own, &error);
  g_assert_no_error (error);
  return proof;
}

void
rogue_give (Rogue *rogue, BravisMessageType type, GBytes *message)
{
  g_autoptr (BravisSecret) key = bravis_handshake_derive_key (rogue->handshake,
      type, bravis_handshake_get_role (rogue->handshake));
  g_autoptr (GPtrArray) datagrams = bravis_fragments_seal (key, type,
      bravis_handshake_get_id (rogue->handshake), message);

  for (guint i = 0; i < datagrams->len; i++)
    world_give_bytes (rogue->victim, &rogue->address,
        g_ptr_array_index (datagrams, i));
}

gboolean
rogue_got (Rogue *rogue, BravisMessageType type)
{
  return last_sent (rogue->victim, type) != NULL;
}
