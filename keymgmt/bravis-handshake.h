/* bravis-handshake.h: one SIGMA-I handshake: keys, transcript, messages
 *
 * What is said and what is checked, without addresses, time or retransmission:
 * those are bravis-door.h's. A handshake belongs to one side and is used once.
 *
 *   inviter                                  invitee
 *   new_inviter (), make_hello ()        ->  hello_parse (), new_invitee ()
 *   take_reply (): the keys are there    <-  get_reply (): the keys are there
 *   make_proof ()                        ->  check_proof (), the access list
 *   check_proof (), the wanted name      <-  make_proof ()
 *
 * Then both have bravis_handshake_get_peer () and the keys for WELCOME, READY.
 *
 * Transcript: h0 = SHA-256 (vector8 "BRAVIS 1.0 handshake" | vector8 conference |
 * vector8 HELLO without its cookie | vector8 REPLY without its MAC); each PROOF
 * (INVITER, INVITEE) makes h' = SHA-256 (h | u8 type | vector24 card), which is what
 * its signature and MAC are over, and then h'' = SHA-256 (h' | vector16 signature).
 *
 * Keys: prk = HKDF-Extract (h0, X25519); the others are HKDF-Expand of it with a
 * label and context = u8 message type | u8 sender's role | h. A key seals one
 * message of one sender. Conference, version, roles, nonces and X25519 keys are
 * therefore in every key, and both cards and signatures in those of WELCOME and
 * READY.
 */
#pragma once

#include "bravis-card.h"
#include "bravis-cookie.h"

G_BEGIN_DECLS

#define BRAVIS_HANDSHAKE_VERSION 1

/* The second octet of a handshake's datagram. */
typedef enum {
  BRAVIS_MESSAGE_HELLO = 1,
  BRAVIS_MESSAGE_COOKIE = 2,
  BRAVIS_MESSAGE_REPLY = 3,
  BRAVIS_MESSAGE_INVITER = 4,   /* from here on sealed: bravis-fragment.h */
  BRAVIS_MESSAGE_INVITEE = 5,
  BRAVIS_MESSAGE_WELCOME = 6,
  BRAVIS_MESSAGE_READY = 7,
  BRAVIS_MESSAGE_REFUSE = 8
} BravisMessageType;

typedef enum {
  BRAVIS_ROLE_INVITER = 1,
  BRAVIS_ROLE_INVITEE = 2
} BravisRole;

/* HELLO: u8 192 | u8 1 | u8 version | u64 handshake | 32 nonce | 32 X25519 |
 * 16 tag || 32 cookie (zeros: none yet). The first five are what the tag covers,
 * up to the cookie what cookie and transcript cover. */
#define BRAVIS_HELLO_TAGGED_SIZE (1 + 1 + 1 + 8 + 32 + BRAVIS_X25519_SIZE)
#define BRAVIS_HELLO_CORE_SIZE (BRAVIS_HELLO_TAGGED_SIZE + 16)
#define BRAVIS_HELLO_SIZE (BRAVIS_HELLO_CORE_SIZE + BRAVIS_COOKIE_SIZE)

/* COOKIE: u8 192 | u8 2 | u64 handshake | 32 cookie */
#define BRAVIS_COOKIE_DATAGRAM_SIZE (1 + 1 + 8 + BRAVIS_COOKIE_SIZE)

/* REPLY: u8 192 | u8 3 | u64 handshake | 32 nonce | 32 X25519 || 32 MAC */
#define BRAVIS_REPLY_CORE_SIZE (1 + 1 + 8 + 32 + BRAVIS_X25519_SIZE)
#define BRAVIS_REPLY_SIZE (BRAVIS_REPLY_CORE_SIZE + BRAVIS_HASH_SIZE)

/* A proof: vector24 card | vector16 signature | 32 MAC. */
#define BRAVIS_MAX_PROOF_SIZE \
    (3 + GCP_MAX_CARD_SIZE + 2 + BRAVIS_MAX_SIGNATURE + BRAVIS_HASH_SIZE)

typedef struct {
  guint64 handshake;
  const guint8 *core;           /* BRAVIS_HELLO_CORE_SIZE octets, borrowed */
  const guint8 *cookie;         /* BRAVIS_COOKIE_SIZE octets, borrowed */
} BravisHello;

typedef struct _BravisHandshake BravisHandshake;

/* FALSE for what is no HELLO of this version. */
gboolean bravis_hello_parse (const guint8 *data, gsize size, BravisHello *hello);

/* Whether its tag is of @conference: one HMAC. */
gboolean bravis_hello_is_for (const BravisHello *hello, const char *conference);

GBytes *bravis_cookie_datagram (guint64 handshake,
    const guint8 cookie[BRAVIS_COOKIE_SIZE]);
gboolean bravis_cookie_datagram_parse (const guint8 *data, gsize size,
    guint64 *handshake, guint8 cookie[BRAVIS_COOKIE_SIZE]);

/* Draws handshake number, nonce and X25519 key. */
BravisHandshake *bravis_handshake_new_inviter (const char *conference,
    const BravisRandom *random);

/* NULL where HELLO's X25519 key is of low order. */
BravisHandshake *bravis_handshake_new_invitee (const char *conference,
    const BravisHello *hello, const BravisRandom *random);
void bravis_handshake_free (BravisHandshake *handshake);

guint64 bravis_handshake_get_id (const BravisHandshake *handshake);
BravisRole bravis_handshake_get_role (const BravisHandshake *handshake);
const guint8 *bravis_handshake_get_hello (const BravisHandshake *handshake);

GBytes *bravis_handshake_make_hello (const BravisHandshake *handshake,
    const guint8 cookie[BRAVIS_COOKIE_SIZE]);

/* Invitee: borrowed. */
GBytes *bravis_handshake_get_reply (const BravisHandshake *handshake);

/* Inviter: FALSE, and nothing changed, for what is not the REPLY of somebody who
 * has this HELLO and knows the conference. */
gboolean bravis_handshake_take_reply (BravisHandshake *handshake,
    const guint8 *data, gsize size);

/* The key that seals the one message @type of @sender. WELCOME and READY have
 * theirs once both proofs are made and checked. */
BravisSecret *bravis_handshake_derive_key (const BravisHandshake *handshake,
    BravisMessageType type, BravisRole sender);

/* One's own proof, to be made once: INVITER or INVITEE. */
GBytes *bravis_handshake_make_proof (BravisHandshake *handshake,
    BravisIdentity *identity, const BravisOwnCard *own, GError **error);

/* Checks the other's, to be done once, in this order: format, card (chain,
 * validity, revocation, conference, its signatures), signature, MAC. Errors: those
 * of bravis_card_verify (), BRAVIS_ERROR_SIGNATURE, _PROTOCOL. After an error the
 * handshake is good for a refusal only. */
gboolean bravis_handshake_check_proof (BravisHandshake *handshake,
    GBytes *proof, BravisIdentity *identity, gint64 wall_clock, GError **error);

/* The other's verified card, borrowed; NULL before its proof was checked. */
BravisCard *bravis_handshake_get_peer (const BravisHandshake *handshake);

/* The name that a proof claims, though it may not have been found good; NULL where
 * there is none that is a name. */
char *bravis_proof_dup_claimed_name (GBytes *proof);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisHandshake, bravis_handshake_free)

G_END_DECLS
