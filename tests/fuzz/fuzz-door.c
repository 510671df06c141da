/* Plays the input as a script of what happens to an inviter and an invitee:
 * things in clear, things with the right beginning, things sealed by
 * somebody who has the keys but not the identity, proofs with an octet
 * altered, time. Whatever it is, nobody is taken for somebody else and the
 * tables stay bounded. */
#include "../keymgmt/door-rogue.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define MAX_STEPS 64

typedef enum {
  GIVE_RAW,             /* u16 size | octets */
  GIVE_TYPED,           /* u8 type | u16 size | octets, after its number */
  GIVE_SEALED,          /* u8 type | u16 size | octets */
  GIVE_PROOF,           /* u16 place | u8 to be XORed with what is there */
  MEET_ROGUE,
  INVITE,
  RUN,                  /* u8: tens of milliseconds */
  N_OPERATIONS
} Operation;

typedef struct {
  World *world;
  Peer *peers[2];               /* alice, who invites; bob */
  Rogue *rogues[2];             /* carol, in bob's place and in alice's */
  gboolean proven[2];
} Scene;

/* Read from their files once: that takes longer than most scripts. */
static BravisIdentity *
get_identity (guint index)
{
  static const char *const names[] = { "alice", "bob", "carol" };
  static BravisIdentity *identities[G_N_ELEMENTS (names)];

  if (!identities[index])
    identities[index] = test_pki_identity (world_pki (), names[index]);
  return identities[index];
}

static void
scene_set (Scene *scene)
{
  *scene = (Scene) { .world = world_new (1, NULL) };
  for (guint i = 0; i < 2; i++)
    scene->peers[i] = world_add_peer (scene->world, get_identity (i));
}

static void
scene_clear (Scene *scene)
{
  for (guint i = 0; i < 2; i++)
    g_clear_pointer (&scene->rogues[i], rogue_free);
  world_free (scene->world);
}

/* At most a datagram, of what is left. */
static const guint8 *
read_octets (GcpReader *reader, gsize *size)
{
  gsize wanted = gcp_read_u16 (reader);

  *size = MIN (wanted, gcp_reader_left (reader));
  return gcp_read_span (reader, *size);
}

static void
give_raw (Scene *scene, guint to, GcpReader *reader)
{
  gsize size;
  const guint8 *octets = read_octets (reader, &size);

  if (octets)
    world_give (scene->peers[to], &scene->peers[!to]->address, octets, size);
}

static void
give_typed (Scene *scene, guint to, GcpReader *reader)
{
  g_auto (GcpWriter) writer = { NULL };
  guint8 type = gcp_read_u8 (reader);
  guint64 id = 0;
  const guint8 *octets;
  gsize size;

  if (scene->rogues[to])
    id = bravis_handshake_get_id (scene->rogues[to]->handshake);
  octets = read_octets (reader, &size);
  if (!octets)
    return;
  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, BRAVIS_DATAGRAM_HANDSHAKE);
  gcp_write_u8 (&writer, type);
  if (type == BRAVIS_MESSAGE_HELLO)
    gcp_write_u8 (&writer, BRAVIS_HANDSHAKE_VERSION);
  gcp_write_u64 (&writer, id);
  gcp_write_bytes (&writer, octets, size);
  world_give (scene->peers[to], &scene->peers[!to]->address,
      writer.array->data, writer.array->len);
}

static gboolean
has_keys (Scene *scene, guint to)
{
  return scene->rogues[to] && scene->rogues[to]->has_keys;
}

static void
give_sealed (Scene *scene, guint to, GcpReader *reader)
{
  guint8 type = gcp_read_u8 (reader) % 10;
  g_autoptr (GBytes) message = NULL;
  const guint8 *octets;
  gsize size;

  octets = read_octets (reader, &size);
  if (!octets || !has_keys (scene, to))
    return;
  message = g_bytes_new (octets, size);
  rogue_give (scene->rogues[to], type, message);
}

static void
give_proof (Scene *scene, guint to, GcpReader *reader)
{
  BravisIdentity *carol = get_identity (2);
  guint16 place = gcp_read_u16 (reader);
  guint8 change = gcp_read_u8 (reader);
  BravisRandom random;
  g_autoptr (BravisOwnCard) own = NULL;
  g_autoptr (GBytes) theirs = NULL;
  g_autoptr (GBytes) proof = NULL;
  guint8 *octets;
  gsize size;

  if (!has_keys (scene, to) || scene->proven[to])
    return;
  if (to == 0 && !(theirs = rogue_open (scene->rogues[to],
              BRAVIS_MESSAGE_INVITER)))
    return;
  scene->proven[to] = TRUE;
  world_random (scene->world, &random);
  own = bravis_own_card_new (carol, WORLD_CONFERENCE, TEST_PKI_NOW, &random, NULL);
  octets = g_bytes_unref_to_data (rogue_prove (scene->rogues[to], carol,
          own->card), &size);
  octets[place % size] ^= change;
  proof = g_bytes_new_take (octets, size);
  rogue_give (scene->rogues[to], to == 0 ? BRAVIS_MESSAGE_INVITEE :
      BRAVIS_MESSAGE_INVITER, proof);
}

static void
meet_rogue (Scene *scene, guint victim)
{
  Peer *peer = scene->peers[victim];
  const GcpAddress *address = &scene->peers[!victim]->address;

  if (victim == 0 && world_count_sent (peer, BRAVIS_MESSAGE_HELLO) == 0)
    return;
  g_clear_pointer (&scene->rogues[victim], rogue_free);
  scene->proven[victim] = FALSE;
  scene->rogues[victim] = victim == 0 ?
      rogue_answer (peer, address, WORLD_CONFERENCE) :
      rogue_call (peer, address, WORLD_CONFERENCE);
}

static void
take_step (Scene *scene, GcpReader *reader)
{
  guint8 octet = gcp_read_u8 (reader);
  guint to = octet >> 7;

  switch ((Operation) ((octet & 0x7f) % N_OPERATIONS)) {
    case GIVE_RAW:
      give_raw (scene, to, reader);
      break;
    case GIVE_TYPED:
      give_typed (scene, to, reader);
      break;
    case GIVE_SEALED:
      give_sealed (scene, to, reader);
      break;
    case GIVE_PROOF:
      give_proof (scene, to, reader);
      break;
    case MEET_ROGUE:
      meet_rogue (scene, to);
      break;
    case INVITE:
      world_invite (scene->peers[0], "bob", scene->peers[1]);
      break;
    case RUN:
      world_run (scene->world, gcp_read_u8 (reader) * 10 * WORLD_MS);
      break;
    case N_OPERATIONS:
      break;
  }
}

static void
check (Scene *scene)
{
  Peer *alice = scene->peers[0], *bob = scene->peers[1];

  /* Nobody but Bob can be Bob; nobody but Alice and Carol can invite him. */
  if (alice->peer_name)
    g_assert_cmpstr (alice->peer_name, ==, "bob@example.org");
  if (bob->peer_name)
    g_assert_cmpstr (bob->peer_name, !=, "bob@example.org");
  for (guint i = 0; i < 2; i++) {
    guint n = bravis_door_count_handshakes (scene->peers[i]->door);

    g_assert_cmpuint (n, <=, BRAVIS_DOOR_MAX_HALF_OPEN + BRAVIS_DOOR_MAX_PROVEN
        + MAX_STEPS);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  GcpReader reader;
  Scene scene;

  gcp_reader_init (&reader, data, size);
  scene_set (&scene);
  for (guint i = 0; i < MAX_STEPS && gcp_reader_left (&reader) > 0; i++)
    take_step (&scene, &reader);
  check (&scene);
  scene_clear (&scene);
  return 0;
}
