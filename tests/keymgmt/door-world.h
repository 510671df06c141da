/* door-world.h: peers with doors in a simulated network, for tests
 *
 * Peer number i has the address 10.0.0.(i + 1), port 5000. By itself an inviter
 * welcomes every invitee with the world's roster and an invitee is ready for every
 * welcome; a test can have them wait or refuse. What came of it is counted.
 *
 * A gate stands between all peers: it sees each datagram before the network does
 * and may drop it, alter it or send others, as somebody in the middle could.
 */
#pragma once

#include "test-pki.h"
#include "../../keymgmt/bravis-door.h"
#include "../../keymgmt/bravis-datagram.h"
#include "../../keymgmt/bravis-handshake.h"
#include "../sim/sim-network.h"

G_BEGIN_DECLS

#define WORLD_CONFERENCE "weekly meeting"
#define WORLD_MS G_TIME_SPAN_MILLISECOND
#define WORLD_S G_TIME_SPAN_SECOND

typedef struct _World World;
typedef struct _Peer Peer;

struct _Peer {
  World *world;
  guint index;
  GcpAddress address;
  BravisIdentity *identity;
  BravisOwnCard *own;
  BravisDoor *door;
  const char *denied;           /* who may not invite this peer */

  /* What it does when it is asked; NULL and FALSE: yes, at once. */
  gboolean waits;
  const GError *refuses;

  /* What came of it. */
  guint n_invitee, n_ready, n_welcome, n_refused, n_unreachable;
  guint64 asked;                /* handshake of the last INVITEE or WELCOME */
  guint64 voided;               /* handshake of the last UNREACHABLE */
  char *peer_name;              /* of the last INVITEE, READY or WELCOME */
  BravisCard *peer_card;
  GBytes *roster;               /* of the last WELCOME */
  char *refused_name;           /* of the last REFUSED */
  gboolean refused_by_us;
  GError *refusal;
  GPtrArray *sent;              /* GBytes */
  gint64 last_unreachable;
};

/* TRUE: the datagram goes on its way. */
typedef gboolean (*WorldGate) (World *world, Peer *from, Peer *to,
    GBytes *datagram, gpointer user_data);

struct _World {
  SimNetwork *network;
  GPtrArray *peers;
  GBytes *roster;
  WorldGate gate;
  gpointer gate_data;
  guint n_strays;               /* datagrams to no peer's address */
};

/* The authority of the whole test; made on first use, removed at exit. */
TestPki *world_pki (void);

World *world_new (guint64 seed, const SimConditions *conditions);
void world_free (World *world);

/* With a generator of its own that the world's seed decides. */
Peer *world_add_peer (World *world, BravisIdentity *identity);
Peer *world_add_peer_of (World *world, BravisIdentity *identity,
    const char *conference);

/* "alice" for alice@example.org, and so on. */
Peer *world_add (World *world, const char *name, TestPkiKind kind);

/* The peer's process dies and starts again: another door, another card. */
void world_restart_peer (Peer *peer);

void world_random (World *world, BravisRandom *random);
gint64 world_now (World *world);
void world_invite (Peer *inviter, const char *name, Peer *invitee);
void world_run (World *world, gint64 duration);

/* Hands something to the peer at once, past gate and network. */
void world_give (Peer *to, const GcpAddress *from, gconstpointer data,
    gsize size);
void world_give_bytes (Peer *to, const GcpAddress *from, GBytes *bytes);

/* Takes the door's outputs, after something was asked of it directly. */
void world_settle (Peer *peer);

/* The type of a handshake's datagram, 0 for anything else. */
guint world_type (GBytes *datagram);
guint world_count_sent (Peer *peer, BravisMessageType type);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

G_END_DECLS
