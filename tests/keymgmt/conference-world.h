/* conference-world.h: whole peers with real cryptography in a simulated network
 *
 * Peers are added, start, invite, leave, crash; the world moves the datagrams in
 * virtual time and writes down what each peer says. On the way it checks what must
 * hold in every history:
 *   - of an epoch, everybody has the same keys, and nobody has keys of an epoch
 *     whose view it is not in
 *   - at each peer, epoch numbers grow
 *   - in no view have two members one name
 *   - no packet number of a link is used twice
 *   - no datagram shows a name
 */
#pragma once

#include "../../keymgmt/bravis-conference-private.h"
#include "sim-network.h"
#include "test-pki.h"

G_BEGIN_DECLS

#define WORLD_CONFERENCE "standup"
#define WORLD_SECOND G_TIME_SPAN_SECOND
#define WORLD_MS G_TIME_SPAN_MILLISECOND

typedef struct _World World;
typedef struct _Peer Peer;

struct _Peer {
  World *world;                 /* borrowed */
  guint node;
  char *name;                   /* "alice@example.org" */
  GcpAddress address;
  BravisConference *conference;
  GcpMemberId last_id;          /* own, and how many it has had */
  guint n_incarnations;
  gboolean denies;              /* does not let itself be invited */
  GPtrArray *epochs;            /* of BravisEpoch */
  GArray *causes;               /* of BravisCause */
  GPtrArray *refusals;          /* of char *: "name|by|code" */
  GPtrArray *events;            /* of char *: "joined NAME", "left NAME WHY",
                                 * "stream NAME KIND NUMBER DESCRIPTION",
                                 * "end NAME NUMBER", "unreachable NAME",
                                 * "message NAME TEXT" */
  GPtrArray *addresses;         /* of the present epoch: of char * */
  gboolean over;
  GcpEndReason end_reason;
};

struct _World {
  TestPki *pki;                 /* borrowed */
  SimNetwork *network;
  SimRandom random;
  BravisRandom source;
  GPtrArray *peers;             /* of Peer, by node */
  GHashTable *codes;            /* "view epoch": verification code */
  GHashTable *packets;          /* "sender receiver number" of links: times */
  GPtrArray *recorded;          /* of GBytes: each datagram to @record_for */
  guint record_for;             /* a node; G_MAXUINT: nobody's */
  guint n_sent;                 /* datagrams */
  guint crash_at;               /* this many sent: ... */
  guint victim;                 /* ... this node crashes */
  gint64 wall_clock;            /* when it began: TEST_PKI_NOW */
  /* Sees what peers say, too; may be NULL. */
  void (*watch) (Peer *peer, const BravisConferenceOutput *output);
  BravisPolicy policy;          /* of peers that are added from now on */
  gint64 key_lifetime;          /* µs, of these; 0 */
};

World *world_new (TestPki *pki, guint64 seed, double loss);
/* With a conference of the first @n of alice, bob, carol and dave, begun by alice, where
 * a key lives for @key_lifetime µs (0: as long as the group). */
World *world_new_conference (TestPki *pki, guint n, gint64 key_lifetime);
void world_free (World *world);

/* @name: "alice". Its identity is as @pki knows it at this moment. */
Peer *world_add (World *world, const char *name);
Peer *world_add_of_kind (World *world, const char *name, TestPkiKind kind);
Peer *world_get (World *world, guint node);

gint64 world_get_time (World *world);   /* s since 1970 */

/* Runs for @time µs. */
void world_run (World *world, gint64 time);
/* Runs until @done, or fails after @limit µs. */
void world_run_until (World *world, gboolean (*done) (World *world),
    gint64 limit);

void peer_start (Peer *peer);
void peer_invite (Peer *peer, Peer *other);
void peer_leave (Peer *peer);
void peer_crash (Peer *peer);
void peer_refresh (Peer *peer);
void peer_multicast (Peer *peer, const char *text);     /* the application's */
void peer_set_busy (Peer *peer, gboolean busy);
guint16 peer_add_stream (Peer *peer, BravisKind kind, const char *description);
/* What follows from something done to @peer->conference directly. */
void peer_drain (Peer *peer);
/* A datagram that comes out of nowhere. */
void peer_receive (Peer *peer, const GcpAddress *from, gconstpointer data,
    gsize size);
/* Multicasts @bytes as a dishonest member would. */
void peer_say (Peer *peer, GBytes *bytes);
void peer_say_message (Peer *peer, const BravisGroupMessage *message);
/* From now on at another address. */
void peer_move (Peer *peer);

gboolean peer_is_live (Peer *peer);     /* not crashed, and a member */
BravisEpoch *peer_epoch (Peer *peer);   /* the last one, NULL: none */
BravisCause peer_cause (Peer *peer);
guint peer_n_members (Peer *peer);
gboolean peer_was_told (Peer *peer, const char *event);
gboolean peer_reports (Peer *peer, const char *name, const char *by,
    BravisError code);

/* All live peers are one group and share its epoch. */
gboolean world_is_settled (World *world);
void world_assert_settled (World *world, guint n_members);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

G_END_DECLS
