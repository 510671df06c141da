/* bravis-exchange.h: a handshake with an address: where it stands, what is being
 * sent, what is awaited, and when what is due
 *
 * One entry of the door's table. It decides nothing; bravis-door.h does.
 */
#pragma once

#include "bravis-fragment.h"
#include "bravis-handshake.h"

G_BEGIN_DECLS

/* What is sent until an answer comes: pauses grow by a half each. */
#define BRAVIS_EXCHANGE_FIRST_PAUSE (100 * G_TIME_SPAN_MILLISECOND)
#define BRAVIS_EXCHANGE_LAST_PAUSE (500 * G_TIME_SPAN_MILLISECOND)

/* Datagrams at once, and the pause until the next ones of a long message: a burst
 * that overflows a socket's buffer would lose the same ones each time. */
#define BRAVIS_EXCHANGE_BURST 16
#define BRAVIS_EXCHANGE_BURST_PAUSE (5 * G_TIME_SPAN_MILLISECOND)

/* An answer is given again to who asks again, but not more often than this. */
#define BRAVIS_EXCHANGE_ANSWER_PAUSE (50 * G_TIME_SPAN_MILLISECOND)

typedef enum {
  BRAVIS_EXCHANGE_CALLING,      /* inviter: HELLO goes out until REPLY comes */
  BRAVIS_EXCHANGE_SHOWING,      /* inviter: INVITER goes out until INVITEE comes */
  BRAVIS_EXCHANGE_WELCOMING,    /* inviter: WELCOME goes out until READY comes */
  BRAVIS_EXCHANGE_REPLIED,      /* invitee: REPLY is given, INVITER is awaited */
  BRAVIS_EXCHANGE_SHOWN,        /* invitee: INVITEE goes out until WELCOME comes */
  BRAVIS_EXCHANGE_DECIDING,     /* either: the door's owner is asked */
  BRAVIS_EXCHANGE_DONE,         /* invitee: READY is given, again when asked */
  BRAVIS_EXCHANGE_REFUSING      /* either: REFUSE is given, again when asked */
} BravisExchangeStage;

typedef struct {
  guint64 handle;               /* names it to the door's owner */
  BravisHandshake *handshake;
  BravisExchangeStage stage;
  GcpAddress address;
  char *name;                   /* wanted, or the inviter's; NULL: not known yet */
  gboolean proven;              /* invitee: the inviter is who it says, and may */

  guint8 cookie[BRAVIS_COOKIE_SIZE];    /* inviter's, zeros: none yet */
  guint n_cookies;              /* taken since HELLO was last due */

  BravisMessageType awaited;    /* 0: no sealed message */
  BravisAssembly *in;
  BravisMessageType answered;   /* the sealed message that @out answers */
  BravisAssembly *asked;        /* knows it when it comes again */

  GPtrArray *out;               /* GBytes, a datagram each; NULL: nothing */
  guint next_piece;
  gboolean repeating;           /* until an answer comes */
  gint64 pause;
  gint64 last_answer;

  gint64 next_send;             /* times: µs, G_MAXINT64: never */
  gint64 expiry;
  gint64 complaint;             /* when to say that nothing is heard */
} BravisExchange;

/* Takes the handshake over. */
BravisExchange *bravis_exchange_new (BravisHandshake *handshake,
    const GcpAddress *address);
void bravis_exchange_free (BravisExchange *exchange);

BravisRole bravis_exchange_get_role (const BravisExchange *exchange);

/* Starts with another handshake, as if nothing had been said. */
void bravis_exchange_restart (BravisExchange *exchange,
    BravisHandshake *handshake);

/* Awaits the sealed message @type of the other side. */
void bravis_exchange_await (BravisExchange *exchange, BravisMessageType type,
    gsize max);

/* What is to be sent from now on: @datagrams (taken over), or the sealed @message
 * of this side. Stops what was sent before. */
void bravis_exchange_send (BravisExchange *exchange, GPtrArray *datagrams,
    gboolean repeating, gint64 now);
void bravis_exchange_send_sealed (BravisExchange *exchange,
    BravisMessageType type, GBytes *message, gboolean repeating, gint64 now);
void bravis_exchange_stop_sending (BravisExchange *exchange);

/* The other side asked again: what was sent last is due again, if nothing is being
 * repeated anyway. */
void bravis_exchange_answer_again (BravisExchange *exchange, gint64 now);

/* The next datagram that is due at @now, borrowed; NULL: none. */
GBytes *bravis_exchange_next_datagram (BravisExchange *exchange, gint64 now);

/* A piece of a sealed message came. */
typedef enum {
  BRAVIS_EXCHANGE_NOTHING,      /* forged, or more is missing */
  BRAVIS_EXCHANGE_MESSAGE,      /* @message, the one awaited, is whole */
  BRAVIS_EXCHANGE_ASKED_AGAIN   /* one that was answered, again */
} BravisExchangeTaken;

BravisExchangeTaken bravis_exchange_take (BravisExchange *exchange,
    const BravisFragment *fragment, GBytes **message);

gint64 bravis_exchange_deadline (const BravisExchange *exchange);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisExchange, bravis_exchange_free)

G_END_DECLS
