/* bravis-conference.h: a whole peer as a state machine
 *
 * Puts the door, the group engine, the sealed links and VTKD together: datagrams
 * with addresses, the time and wishes in; datagrams, epochs, members and streams
 * out. No socket, no clock, no thread: BravisSession runs it on a main context,
 * the simulator runs many in virtual time.
 *
 * Life: IDLE (waits for an invitation) -> JOINING -> MEMBER -> LEAVING -> OVER.
 * bravis_conference_start () goes from IDLE to MEMBER of a conference of one. A
 * peer that is alone in its conference may still be invited into another's of
 * the same name; if two that are alone invite each other, the one with the
 * smaller name has its way.
 *
 * Joining, in the group: when an invitee has shown its card, the inviter multicasts
 * a PROPOSAL (card and address of the newcomer); every member verifies the card
 * itself and multicasts its VOUCH (accepted, or refused because). One refusal ends
 * it, everybody reports why, and the invitee is told. When all members of the view
 * have accepted, the inviter gives the newcomer the roster; when that is ready, it
 * multicasts ADMIT, and at its delivery, at the same place in the order, all admit
 * it. A view change in between empties the table: the inviter proposes again. A
 * refusal at the door is told to the group (NOTICE), so that everybody can say it.
 *
 * A name is in a view once: who comes back before its crash was noticed takes its
 * own old place; the newest incarnation wins.
 *
 * After a failed attempt to join, a peer is what it was before (alone in its
 * conference or IDLE), with a new member id and new keys. OVER is the end.
 *
 * The application's messages wait in the conference until the group takes them. They
 * do not go out while a member says that its own application does not get on with
 * what it has (PAUSE), so that nobody's memory grows.
 *
 * Group messages start with an octet that says whose they are:
 * docs/protocol.md, "Group messages".
 */
#pragma once

#include "bravis-door.h"
#include "bravis-group-message.h"
#include "bravis-streams.h"
#include "bravis-vtkd.h"
#include "../gcp/gcp-engine.h"

G_BEGIN_DECLS

typedef struct _BravisConference BravisConference;

typedef enum {
  BRAVIS_CONFERENCE_IDLE,
  BRAVIS_CONFERENCE_JOINING,
  BRAVIS_CONFERENCE_MEMBER,
  BRAVIS_CONFERENCE_LEAVING,
  BRAVIS_CONFERENCE_OVER
} BravisConferenceState;

typedef struct {
  BravisIdentity *identity;     /* referenced */
  const char *name;             /* of the conference; copied */
  BravisPolicy policy;          /* of a conference that this peer starts */
  gint64 key_lifetime;          /* µs that a key is used, at most; 0: no limit */
  GcpConfig gcp;
  BravisRandom random;
  BravisDoorMayInvite may_invite;
  gpointer user_data;           /* of may_invite */
} BravisConferenceConfig;

typedef enum {
  BRAVIS_CONFERENCE_SEND,       /* @bytes to @address */
  BRAVIS_CONFERENCE_VIEW,       /* @view came, of @names, with @member for this peer;
                                 * MEMBER_LEFT and _JOINED follow; nothing may be sent under the present
                                 * epoch past the transition if @departures is not empty */
  BRAVIS_CONFERENCE_EPOCH,      /* @epoch came, because of @cause; @addresses: of each
                                 * of its members, in its order (none: the own one,
                                 * and one that is not known yet) */
  BRAVIS_CONFERENCE_VERIFICATION,       /* @epoch has the verification code @name */
  BRAVIS_CONFERENCE_MEMBER_JOINED,      /* @name, @member: never this peer itself; for a
                                 * newcomer, all that are there */
  BRAVIS_CONFERENCE_MEMBER_LEFT,        /* @name, @member, @departure */
  BRAVIS_CONFERENCE_STREAM_ADDED,       /* @stream, of @name */
  BRAVIS_CONFERENCE_STREAM_REMOVED,     /* @stream, of @name; also when it leaves */
  BRAVIS_CONFERENCE_MESSAGE,    /* @member of the present view (may be this peer)
                                 * multicast @bytes with @quality */
  BRAVIS_CONFERENCE_COMMAND,    /* @member of the present view (may be this peer) gave
                                 * the command @command_kind, @bytes: proven */
  BRAVIS_CONFERENCE_ADDRESSES,  /* a member's address changed: @epoch, @addresses */
  BRAVIS_CONFERENCE_REFUSED,    /* @name (NULL: unknown; may be one's own) was refused:
                                 * @error; @by: who refused, NULL for this peer
                                 * itself */
  BRAVIS_CONFERENCE_UNREACHABLE,        /* invited @name does not answer yet */
  BRAVIS_CONFERENCE_OVER_FOR_US /* left or put out: @end_reason; nothing comes after */
} BravisConferenceOutputType;

typedef struct {
  BravisConferenceOutputType type;
  GcpAddress address;
  GBytes *bytes;
  GcpView *view;
  GStrv names;
  GArray *departures;
  BravisEpoch *epoch;
  BravisCause cause;
  GArray *addresses;            /* of GcpAddress */
  GcpMemberId member;
  GcpQuality quality;
  guint8 command_kind;
  GcpDeparture departure;
  BravisStream stream;
  char *name;
  char *by;
  GError *error;
  GcpEndReason end_reason;
} BravisConferenceOutput;

void bravis_conference_output_clear (BravisConferenceOutput *output);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BravisConferenceOutput, bravis_conference_output_clear)

BravisConference *bravis_conference_new (const BravisConferenceConfig *config,
    gint64 now, gint64 wall_clock, GError **error);
void bravis_conference_free (BravisConference *conference);

/* All inputs: @now in µs, monotonic; @wall_clock in seconds since 1970. After each
 * of them, poll until nothing is left and look at the deadline. */
void bravis_conference_start (BravisConference *conference, gint64 now);
/* Invites @name, at @address, until it is in or refused. While this peer is in no
 * conference the invitation is kept. Who was not ready (BRAVIS_ERROR_STATE) is asked
 * some times more before that is reported. */
void bravis_conference_invite (BravisConference *conference, const char *name,
    const GcpAddress *address, gint64 now, gint64 wall_clock);
void bravis_conference_withdraw (BravisConference *conference, const char *name);
void bravis_conference_receive (BravisConference *conference,
    const GcpAddress *from, const guint8 *data, gsize size, gint64 now,
    gint64 wall_clock);
void bravis_conference_tick (BravisConference *conference, gint64 now,
    gint64 wall_clock);
/* Between these two, inputs are dealt with, but the group's datagrams that follow
 * from them wait: for who has several inputs at hand. */
void bravis_conference_cork (BravisConference *conference);
void bravis_conference_uncork (BravisConference *conference);

/* Shows revocation lists (GBytes, DER) to the group: whoever is on one is put out, by
 * all at the same place in the order. */
void bravis_conference_show_revocations (BravisConference *conference,
    GPtrArray *lists, gint64 now, gint64 wall_clock);

/* For idle moments: does a little (some 0.1 ms) of what the next key change will need.
 * FALSE: there is nothing to do. */
gboolean bravis_conference_prepare (BravisConference *conference);

/* Asks the token holder for a new key. */
void bravis_conference_refresh (BravisConference *conference, gint64 now);
void bravis_conference_leave (BravisConference *conference, gint64 now);

/* Own streams: kept over views and told to newcomers. Stream numbers are given once
 * and never again. Errors: BRAVIS_ERROR_LIMIT (64 at a time, 1024 in all). */
gboolean bravis_conference_add_stream (BravisConference *conference,
    BravisKind kind, guint16 *stream, GError **error);
/* Says, or says anew, what the stream is: UTF-8, at most BRAVIS_MAX_DESCRIPTION
 * octets. Errors: BRAVIS_ERROR_LIMIT, _STATE (no such stream). */
gboolean bravis_conference_describe_stream (BravisConference *conference,
    guint16 stream, const char *description, gint64 now, GError **error);
void bravis_conference_remove_stream (BravisConference *conference,
    guint16 stream, gint64 now);

/* The application's messages: at most bravis_conference_get_max_message () bytes.
 * They go out with the next input; the caller keeps to a limit of its own (of bytes
 * that are unsent). Dropped where this peer is leaving. */
void bravis_conference_send_message (BravisConference *conference,
    GBytes *payload, GcpQuality quality);
gsize bravis_conference_get_max_message (const BravisConference *conference);
gsize bravis_conference_get_unsent (const BravisConference *conference);

/* Signs a command and multicasts it (safe), in as many views as it takes until it is
 * delivered in one; @kind: BravisCommandKind, not LEAVE or EXPIRED; @body: at most
 * BRAVIS_MAX_COMMAND octets. Errors: BRAVIS_ERROR_STATE (no member), _LIMIT (too
 * many wait, too long, no such kind), _SIGNATURE. */
gboolean bravis_conference_command (BravisConference *conference, guint kind,
    GBytes *body, gint64 now, GError **error);

/* Whether this peer's application is so far behind that the others should wait.
 * They are told with the next input. */
void bravis_conference_set_busy (BravisConference *conference, gboolean busy);

/* The @index-th member whose application is behind; NULL: there are no more. */
const char *bravis_conference_get_paused_by (BravisConference *conference,
    guint index);

/* Leaves because of @error (taken over), which is reported: REFUSED. */
void bravis_conference_give_up (BravisConference *conference, GError *error,
    gint64 now);

gboolean bravis_conference_poll (BravisConference *conference,
    BravisConferenceOutput *output);
gint64 bravis_conference_deadline (const BravisConference *conference);
BravisConferenceState bravis_conference_get_state (const BravisConference *conference);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisConference, bravis_conference_free)

G_END_DECLS
