/* bravis-conference-private.h: the parts of a conference, for its eight files
 *
 *   bravis-conference.c           life, inputs, outputs, own streams
 *   bravis-conference-door.c      inviting, being invited, joining
 *   bravis-conference-admission.c who is let in, by the group
 *   bravis-conference-view.c      views, and who is in them
 *   bravis-conference-group.c     group messages and keys, as they come
 *   bravis-conference-messages.c  the application's messages
 *   bravis-conference-commands.c  signed commands, and leaving
 *   bravis-conference-validity.c  members whose certificates are not valid any more
 */
#pragma once

#include "bravis-conference.h"
#include "bravis-contacts.h"
#include "bravis-invitation.h"
#include "bravis-proposal.h"
#include "bravis-verification.h"

G_BEGIN_DECLS

/* µs: contacts are kept that long without being members, or after they were */
#define BRAVIS_CONFERENCE_LINGER (30 * G_TIME_SPAN_SECOND)

/* µs: members that failed are kept that long, as the engine looks for them */
#define BRAVIS_CONFERENCE_LOST (3600 * G_TIME_SPAN_SECOND)

/* Group messages that wait for the engine's queue to have room; beyond it only
 * what this peer itself began is added. */
#define BRAVIS_CONFERENCE_MAX_OUTBOX 1024

/* On its way to the group. */
typedef struct {
  GBytes *bytes;
  GcpQuality quality;
} BravisParcel;

/* @by said that @member's certificate has run out. */
typedef struct {
  GcpMemberId member, by;
} BravisExpiry;

typedef struct {
  GcpMemberId id;
  gint64 until;                 /* then the group waits for it no more */
} BravisAdmitted;

struct _BravisConference {
  BravisIdentity *identity;
  char *name;
  BravisPolicy policy;
  GcpConfig gcp;
  BravisRandom random;

  BravisConferenceState state;
  gboolean started;             /* has a conference of its own to go back to */
  gboolean corked;              /* more inputs come: datagrams wait */
  gboolean abandoned;           /* found a member it cannot be with; is leaving */
  gint64 now;
  gint64 wall_clock;

  /* One incarnation: replaced together. */
  BravisOwnCard *own;
  BravisContacts *contacts;
  BravisVtkd *vtkd;

  BravisDoor *door;
  GcpEngine *engine;            /* JOINING to LEAVING */
  GcpView *view;                /* the present one, NULL: none */
  BravisEpoch *epoch;           /* the present one, NULL: none */
  gint64 key_lifetime;          /* µs; 0: no limit */
  gint64 key_due;               /* when this peer asks for the next one; G_MAXINT64: it
                                 * asked, or there is none */
  guint64 waiting_for;          /* what of VTKD: bravis_vtkd_get_wait () */
  gint64 patience;              /* when this peer has waited too long for it;
                                 * G_MAXINT64: it waits for nothing */
  BravisVerification *verification;     /* of the present epoch, NULL: none */
  gboolean contacts_wanted;     /* newcomers have not heard all addresses yet */

  BravisInvitations *invitations;
  char *inviter;                /* JOINING: who let us in */
  BravisProposals *proposals;
  GHashTable *admitted;         /* name: BravisAdmitted, who may come into the next
                                 * view */

  BravisStreams *streams;       /* of the others */
  BravisStreams *own_streams;   /* with member 0 */
  guint next_stream;

  GQueue outbox;                /* of BravisParcel */

  GQueue messages;              /* of BravisParcel: the application's, behind those */
  gsize messages_cost;
  GArray *paused_by;            /* of GcpMemberId: whose applications are behind */
  gboolean busy;                /* one's own is */

  GQueue commands;              /* of BravisCommand: one's own, not delivered yet */
  guint32 last_command;         /* sequence of the last of them in this view */
  GArray *heard_commands;       /* of guint32: sequence of each member's last one, in
                                 * the view's order */
  GArray *leaving;              /* of GcpMemberId: they said so in this view */

  GArray *expired;              /* of BravisExpiry: who said whose certificate has run
                                 * out, in this view */
  GArray *said_expired;         /* of GcpMemberId: this peer said so of, in this view */
  GArray *n_revocations;        /* of guint: lists that each member of the view showed,
                                 * in its order */

  GQueue outputs;               /* of BravisConferenceOutput */
};

/* --- bravis-conference.c --- */

/* Takes @bytes over. */
BravisParcel *bravis_parcel_new (GBytes *bytes, GcpQuality quality);
void bravis_parcel_free (gpointer parcel);

gboolean bravis_conference_empty_outbox (BravisConference *conference);
void bravis_conference_push (BravisConference *conference,
    BravisConferenceOutput output);
/* Takes @error over. */
void bravis_conference_push_refused (BravisConference *conference,
    const char *name, const char *by, GError *error);
void bravis_conference_multicast (BravisConference *conference, GBytes *bytes,
    GcpQuality quality);
void bravis_conference_multicast_message (BravisConference *conference,
    const BravisGroupMessage *message);
const char *bravis_conference_own_name (BravisConference *conference);
gboolean bravis_conference_is_alone (BravisConference *conference);
void bravis_conference_update_door (BravisConference *conference);
/* A group of one, or IDLE, with a new member id and new keys. */
void bravis_conference_start_anew (BravisConference *conference);
/* Ends it: OVER. */
void bravis_conference_end (BravisConference *conference, GcpEndReason reason);
void bravis_conference_announce_own_streams (BravisConference *conference);

/* --- bravis-conference-door.c --- */

void bravis_conference_handle_door (BravisConference *conference,
    const BravisDoorOutput *output);
/* Begins and gives up what is due. */
void bravis_conference_run_invitations (BravisConference *conference);
/* The group vouched for @proposal, which is this peer's. */
void bravis_conference_on_vouched (BravisConference *conference,
    BravisProposal *proposal);
/* The group refused the newcomer of this peer's proposal. */
void bravis_conference_on_not_vouched (BravisConference *conference,
    GcpMemberId newcomer, const GError *why);
/* A view came, the @first of this peer in the group or not: who is in by its card is
 * invited no more, who is not is proposed again. A member of its name may be another
 * process than the one that is asked in, which then answers that it is in itself. */
void bravis_conference_renew_invitations (BravisConference *conference,
    gboolean first);
void bravis_conference_on_not_admitted (BravisConference *conference);

/* --- bravis-conference-view.c --- */

void bravis_conference_on_view (BravisConference *conference, GcpView *view,
    GArray *departures);
void bravis_conference_forget_group (BravisConference *conference);
/* GcpConfig.may_merge; @user_data is the conference. */
gboolean bravis_conference_may_merge (gpointer user_data, GcpMemberId id,
    GBytes *card, const GArray *own);
/* GcpConfig.may_join. */
gboolean bravis_conference_may_join (gpointer user_data, GcpMemberId id,
    GBytes *card);
/* The first member of the present view that was in @last: TRUE for one of the
 * members that came from there together. */
gboolean bravis_conference_is_first_of (BravisConference *conference,
    GcpView *last);
/* A card of a member, one's own, or as this peer verified it; NULL: not known.
 * Borrowed. */
BravisCard *bravis_conference_card_of (BravisConference *conference,
    GcpMemberId id);
/* The name of a member of the present view, NULL: none. Borrowed. */
const char *bravis_conference_name_of (BravisConference *conference,
    GcpMemberId id);
GcpMemberId bravis_conference_find_name (BravisConference *conference,
    const char *name);
GcpAddress bravis_conference_get_address (BravisConference *conference,
    GcpMemberId id);
/* Of GcpAddress, in the view's order. */
GArray *bravis_conference_list_addresses (BravisConference *conference,
    GcpView *view);
void bravis_conference_push_addresses (BravisConference *conference);

/* --- bravis-conference-admission.c --- */

GBytes *bravis_conference_make_roster (BravisConference *conference);
/* Asks the group about @invitation's card. */
void bravis_conference_propose (BravisConference *conference,
    BravisInvitation *invitation);
void bravis_conference_deliver_proposal (BravisConference *conference,
    GcpMemberId from, BravisGroupMessage *message);
void bravis_conference_deliver_vouch (BravisConference *conference,
    GcpMemberId from, BravisGroupMessage *message);
void bravis_conference_deliver_admit (BravisConference *conference,
    GcpMemberId from, BravisGroupMessage *message);

/* --- bravis-conference-group.c --- */

void bravis_conference_deliver (BravisConference *conference, GcpMemberId from,
    GBytes *bytes, GcpQuality quality);
void bravis_conference_handle_vtkd (BravisConference *conference,
    const BravisVtkdOutput *output);
void bravis_conference_push_stream (BravisConference *conference,
    BravisConferenceOutputType type, const BravisStream *stream);
/* This peer cannot be in that group. Takes @error over. */
void bravis_conference_abandon (BravisConference *conference, GError *error);

/* --- bravis-conference-messages.c --- */

/* As far as the engine takes them now. Returns whether one went out. */
gboolean bravis_conference_submit_messages (BravisConference *conference);
/* All that the engine takes at all, before this peer leaves. */
void bravis_conference_submit_last_messages (BravisConference *conference);
void bravis_conference_deliver_pause (BravisConference *conference,
    GcpMemberId from, gboolean paused);
/* A view came: who is behind says so again. */
void bravis_conference_renew_pause (BravisConference *conference);

/* --- bravis-conference-commands.c --- */

void bravis_conference_init_commands (BravisConference *conference);
void bravis_conference_clear_commands (BravisConference *conference);
void bravis_conference_forget_commands (BravisConference *conference);
void bravis_conference_deliver_command (BravisConference *conference,
    GcpMemberId from, GBytes *bytes);
/* Who left without saying so in its own name has failed, as far as one can tell:
 * corrects @departures (may be NULL); a new array. */
GArray *bravis_conference_judge_departures (BravisConference *conference,
    GArray *departures);
/* A view came: what was not delivered is said again. */
void bravis_conference_renew_commands (BravisConference *conference);
/* Signs a command of any kind for the present view. */
gboolean bravis_conference_give_command (BravisConference *conference,
    guint kind, GBytes *body, GError **error);
/* Says that this peer leaves, behind all it had to say, and leaves. */
void bravis_conference_leave_group (BravisConference *conference);

/* --- bravis-conference-validity.c --- */

void bravis_conference_init_validity (BravisConference *conference);
void bravis_conference_clear_validity (BravisConference *conference);
/* A view came, after @last (NULL: none) and with @newcomers or not. */
void bravis_conference_renew_validity (BravisConference *conference,
    GcpView *last, gboolean newcomers);
/* Says whose certificate has run out by now. */
void bravis_conference_check_validity (BravisConference *conference);
/* When that is to be called next. */
gint64 bravis_conference_validity_deadline (const BravisConference *conference);
void bravis_conference_deliver_expired (BravisConference *conference,
    GcpMemberId from, GBytes *body);
void bravis_conference_deliver_revocations (BravisConference *conference,
    GcpMemberId from, GBytes *der);

G_END_DECLS
