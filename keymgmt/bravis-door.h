/* bravis-door.h: who comes in: the handshakes of a peer, as a state machine
 *
 * Inviting and being invited: SIGMA-I with a cookie in front. The inviter shows
 * who it is first; the invitee checks it and its access list before it shows
 * itself.
 *
 *   inviter                                     invitee
 *   HELLO    nonce, X25519, conference tag  ->
 *                                           <-  COOKIE    nothing was stored
 *   HELLO    the same, with the cookie      ->
 *                                           <-  REPLY     nonce, X25519
 *   INVITER  sealed: card, signature, MAC   ->            chain, access list
 *                                           <-  INVITEE   sealed: card, signature, MAC
 *   WELCOME  sealed: roster of the group    ->
 *                                           <-  READY     sealed: all cards are good
 *   REFUSE   either side, any time after the keys: sealed: error code
 *
 * Messages longer than a datagram go in fragments. What gets no answer is sent
 * again, with growing pauses; an invitation to a peer that does not answer goes
 * on until it is withdrawn, and says so. Memory, handshakes at a time and work
 * for an address that was not proven are bounded. Formats, checks and limits:
 * docs/protocol.md, "Handshake".
 *
 * HELLO names the conference by a tag, HMAC-SHA-256 keyed with SHA-256 of its name
 * over all before it: only who knows the name can tell which it is, and who does not
 * know it gets no answer at all. The invitee's identity is in nothing that an
 * unauthenticated asker gets.
 */
#pragma once

#include "bravis-card.h"
#include "../gcp/gcp-address.h"

G_BEGIN_DECLS

#define BRAVIS_MAX_ROSTER_SIZE (256 * 1024)

/* Handshakes of invitees whose inviter is not proven yet, or was refused: all
 * together, and from one IP address (IPv6: one /64). Where there would be more, the
 * oldest is forgotten. */
#define BRAVIS_DOOR_MAX_HALF_OPEN 64
#define BRAVIS_DOOR_MAX_FROM_ADDRESS 4

/* Handshakes with proven inviters; one more is refused (BRAVIS_ERROR_LIMIT). */
#define BRAVIS_DOOR_MAX_PROVEN 16

/* µs: how long ... */
#define BRAVIS_DOOR_HALF_OPEN (10 * G_TIME_SPAN_SECOND) /* INVITER is awaited */
#define BRAVIS_DOOR_PATIENCE (5 * G_TIME_SPAN_SECOND)   /* INVITEE is awaited until
                                                         * all starts over */
#define BRAVIS_DOOR_JOINING (30 * G_TIME_SPAN_SECOND)   /* WELCOME is awaited */
#define BRAVIS_DOOR_MEMORY (10 * G_TIME_SPAN_SECOND)    /* READY is awaited; READY and
                                                         * REFUSE are repeated */
#define BRAVIS_DOOR_SILENCE (2 * G_TIME_SPAN_SECOND)    /* until UNREACHABLE ... */
#define BRAVIS_DOOR_COMPLAINTS (10 * G_TIME_SPAN_SECOND)        /* and again */

typedef struct _BravisDoor BravisDoor;

/* May @name invite this peer? NULL instead of a function: all who are certified
 * may. */
typedef gboolean (*BravisDoorMayInvite) (const char *name, gpointer user_data);

typedef enum {
  BRAVIS_DOOR_SEND,             /* send @bytes to @address */
  BRAVIS_DOOR_INVITEE,          /* inviter: @card at @address is authenticated;
                                 * answer with bravis_door_welcome () or _refuse () */
  BRAVIS_DOOR_READY,            /* inviter: the newcomer has the roster */
  BRAVIS_DOOR_WELCOME,          /* invitee: @card at @address invites, @bytes is its
                                 * roster; answer with bravis_door_ready () or _refuse () */
  BRAVIS_DOOR_REFUSED,          /* @name was refused by us, or refuses us: @error. Not
                                 * said of what bravis_door_refuse () was called for */
  BRAVIS_DOOR_UNREACHABLE       /* @name does not answer; it is tried on. Where
                                 * @handshake is not 0, that one (welcomed, never
                                 * ready) is void; INVITEE will come anew */
} BravisDoorOutputType;

typedef struct {
  BravisDoorOutputType type;
  guint64 handshake;            /* names the handshake in answers */
  GcpAddress address;
  GBytes *bytes;
  BravisCard *card;
  char *name;                   /* NULL where the other never showed itself; of a
                                 * refused one as it claims to be */
  gboolean by_us;               /* REFUSED: who refused */
  gboolean inviting;            /* REFUSED: this peer is the inviter */
  GError *error;
} BravisDoorOutput;

void bravis_door_output_clear (BravisDoorOutput *output);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BravisDoorOutput, bravis_door_output_clear)

BravisDoor *bravis_door_new (BravisIdentity *identity, const char *conference,
    const BravisRandom *random, BravisDoorMayInvite may_invite,
    gpointer user_data);
void bravis_door_free (BravisDoor *door);

/* The card that is shown from now on (a new incarnation has a new one). Borrowed;
 * must outlive the door or be replaced. */
void bravis_door_set_card (BravisDoor *door, const BravisOwnCard *own);

/* Whether this peer lets itself be invited now. While not, an inviter that proved
 * itself is refused with BRAVIS_ERROR_STATE. */
void bravis_door_set_open (BravisDoor *door, gboolean open);

/* @now in all inputs: µs, never going back; @wall_clock: seconds since 1970, for
 * certificates. Inviting a name again changes nothing, unless the address is
 * another. */
void bravis_door_invite (BravisDoor *door, const char *name,
    const GcpAddress *address, gint64 now, gint64 wall_clock);
void bravis_door_withdraw (BravisDoor *door, const char *name);
void bravis_door_receive (BravisDoor *door, const GcpAddress *from,
    const guint8 *data, gsize size, gint64 now, gint64 wall_clock);
void bravis_door_tick (BravisDoor *door, gint64 now, gint64 wall_clock);

void bravis_door_welcome (BravisDoor *door, guint64 handshake, GBytes *roster,
    gint64 now);
void bravis_door_ready (BravisDoor *door, guint64 handshake, gint64 now);
/* Sends the code of @why; an inviter's invitation is over then. */
void bravis_door_refuse (BravisDoor *door, guint64 handshake, const GError *why,
    gint64 now);

gboolean bravis_door_poll (BravisDoor *door, BravisDoorOutput *output);
gint64 bravis_door_deadline (const BravisDoor *door);   /* G_MAXINT64: none */

/* How many handshakes are remembered, for tests and statistics. */
guint bravis_door_count_handshakes (const BravisDoor *door);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisDoor, bravis_door_free)

G_END_DECLS
