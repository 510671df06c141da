/* bravis-group-message.h: what members tell the whole group, besides VTKD
 *
 * Each is multicast with agreed quality, but MESSAGE, whose sender chooses. Integers are big-endian, vectors as in
 * gcp-wire.h; who sent it is known from the group. An address is u8 family (0
 * none, 4, 6) | 0, 4 or 16 octets | u16 port (not with family 0); a reason is u8
 * BravisError code | vector16 text, at most 256 octets of printable ASCII.
 *
 *   PROPOSAL   u8 16 | u64 newcomer | vector8 name | address | vector24 card
 *   VOUCH      u8 17 | u64 newcomer | 32 octets SHA-256 of its card | u8 0, or a
 *              reason for refusing it
 *   ADMIT      u8 18 | u64 newcomer: it is ready, and all have vouched for it
 *   NOTICE     u8 19 | vector8 refused | vector8 by | reason: somebody was
 *              refused at the sender's door; an empty name is not known
 *   CONTACTS   u8 20 | u64 view number | u8 n | n times u64 member | address
 *   STREAM     u8 21 | u8 kind | u16 number | vector16 description: UTF-8
 *   STREAM_END u8 22 | u16 number
 *   MESSAGE    u8 23 | all the rest: the application's own
 *   PAUSE      u8 24 | u8 0 or 1: the sender's application does not get on; with 1
 *              no more MESSAGE is wanted until it says 0
 *   REVOCATIONS    u8 28 | all the rest: a revocation list (RFC 5280 §5), DER
 *   VERIFY_COMMIT  u8 25 | u64 epoch number | 32 octets commitment
 *   VERIFY_REVEAL  u8 26 | u64 epoch number | 32 octets number: bravis-verification.h
 */
#pragma once

#include "bravis-epoch.h"
#include "../gcp/gcp-address.h"

G_BEGIN_DECLS

#define BRAVIS_MAX_DESCRIPTION 8192     /* octets of a stream's description */
#define BRAVIS_MAX_REASON 256           /* octets of a reason's text */

/* 1 to 15 are VTKD's: bravis-vtkd-message.h. Commands are read and written by
 * bravis-command.h. */
typedef enum {
  BRAVIS_GROUP_PROPOSAL = 16,
  BRAVIS_GROUP_VOUCH = 17,
  BRAVIS_GROUP_ADMIT = 18,
  BRAVIS_GROUP_NOTICE = 19,
  BRAVIS_GROUP_CONTACTS = 20,
  BRAVIS_GROUP_STREAM = 21,
  BRAVIS_GROUP_STREAM_END = 22,
  BRAVIS_GROUP_MESSAGE = 23,
  BRAVIS_GROUP_PAUSE = 24,
  BRAVIS_GROUP_VERIFY_COMMIT = 25,
  BRAVIS_GROUP_VERIFY_REVEAL = 26,
  BRAVIS_GROUP_COMMAND = 27,    /* bravis-command.h */
  BRAVIS_GROUP_REVOCATIONS = 28
} BravisGroupMessageType;

typedef struct {
  GcpMemberId member;
  GcpAddress address;
} BravisGroupContact;

/* One struct for all: what a type does not have is zero. All but @type is owned
 * by the message. */
typedef struct {
  BravisGroupMessageType type;
  GcpMemberId newcomer;         /* PROPOSAL, VOUCH, ADMIT */
  char *name;                   /* PROPOSAL; NOTICE: who was refused, or NULL */
  char *by;                     /* NOTICE: who refused, or NULL */
  GcpAddress address;           /* PROPOSAL */
  GBytes *card;                 /* PROPOSAL */
  guint8 digest[BRAVIS_HASH_SIZE];      /* VOUCH, VERIFY_* */
  guint64 epoch;                /* VERIFY_* */
  GError *reason;               /* VOUCH (NULL: accepted), NOTICE */
  guint64 view;                 /* CONTACTS */
  GArray *contacts;             /* CONTACTS: of BravisGroupContact */
  BravisKind kind;              /* STREAM */
  guint16 stream;               /* STREAM, STREAM_END */
  char *description;            /* STREAM */
  GBytes *payload;              /* MESSAGE, REVOCATIONS */
  gboolean paused;              /* PAUSE */
} BravisGroupMessage;

GBytes *bravis_group_message_write (const BravisGroupMessage *message);

/* FALSE: malformed; @message is to be cleared all the same. */
gboolean bravis_group_message_read (BravisGroupMessage *message, GBytes *bytes);
void bravis_group_message_clear (BravisGroupMessage *message);

void bravis_address_write (const GcpAddress *address, GcpWriter *writer);
void bravis_address_read (GcpAddress *address, GcpReader *reader);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BravisGroupMessage, bravis_group_message_clear)

G_END_DECLS
