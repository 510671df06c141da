#include "bravis-exchange.h"

#include <string.h>

BravisExchange *
bravis_exchange_new (BravisHandshake *handshake, const GcpAddress *address)
{
  BravisExchange *exchange = g_new0 (BravisExchange, 1);

  exchange->address = *address;
  exchange->expiry = G_MAXINT64;
  exchange->complaint = G_MAXINT64;
  bravis_exchange_restart (exchange, handshake);
  return exchange;
}

void
bravis_exchange_free (BravisExchange *exchange)
{
  bravis_handshake_free (exchange->handshake);
  g_clear_pointer (&exchange->in, bravis_assembly_free);
  g_clear_pointer (&exchange->asked, bravis_assembly_free);
  g_clear_pointer (&exchange->out, g_ptr_array_unref);
  g_free (exchange->name);
  g_free (exchange);
}

BravisRole
bravis_exchange_get_role (const BravisExchange *exchange)
{
  return bravis_handshake_get_role (exchange->handshake);
}

void
bravis_exchange_restart (BravisExchange *exchange, BravisHandshake *handshake)
{
  g_clear_pointer (&exchange->handshake, bravis_handshake_free);
  g_clear_pointer (&exchange->in, bravis_assembly_free);
  g_clear_pointer (&exchange->asked, bravis_assembly_free);
  bravis_exchange_stop_sending (exchange);
  exchange->handshake = handshake;
  exchange->awaited = 0;
  exchange->answered = 0;
  exchange->last_answer = G_MININT64;
  memset (exchange->cookie, 0, sizeof exchange->cookie);
}

void
bravis_exchange_await (BravisExchange *exchange, BravisMessageType type,
    gsize max)
{
  BravisRole sender =
      bravis_exchange_get_role (exchange) == BRAVIS_ROLE_INVITER ?
      BRAVIS_ROLE_INVITEE : BRAVIS_ROLE_INVITER;
  g_autoptr (BravisSecret) key =
      bravis_handshake_derive_key (exchange->handshake, type, sender);

  g_clear_pointer (&exchange->in, bravis_assembly_free);
  exchange->in = bravis_assembly_new (key, max);
  exchange->awaited = type;
}

void
bravis_exchange_send (BravisExchange *exchange, GPtrArray *datagrams,
    gboolean repeating, gint64 now)
{
  g_clear_pointer (&exchange->out, g_ptr_array_unref);
  exchange->out = datagrams;
  exchange->next_piece = 0;
  exchange->repeating = repeating;
  exchange->pause = BRAVIS_EXCHANGE_FIRST_PAUSE;
  exchange->next_send = now;
}

void
bravis_exchange_send_sealed (BravisExchange *exchange, BravisMessageType type,
    GBytes *message, gboolean repeating, gint64 now)
{
  g_autoptr (BravisSecret) key =
      bravis_handshake_derive_key (exchange->handshake, type,
      bravis_exchange_get_role (exchange));

  bravis_exchange_send (exchange, bravis_fragments_seal (key, type,
          bravis_handshake_get_id (exchange->handshake), message),
      repeating, now);
}

void
bravis_exchange_stop_sending (BravisExchange *exchange)
{
  g_clear_pointer (&exchange->out, g_ptr_array_unref);
  exchange->repeating = FALSE;
  exchange->next_send = G_MAXINT64;
}

void
bravis_exchange_answer_again (BravisExchange *exchange, gint64 now)
{
  if (!exchange->out || exchange->repeating || exchange->next_send != G_MAXINT64
      || (exchange->last_answer != G_MININT64
          && now - exchange->last_answer < BRAVIS_EXCHANGE_ANSWER_PAUSE))
    return;
  exchange->last_answer = now;
  exchange->next_send = now;
}

/* After the last piece of a burst, and of the message: when is the next due? */
static void
plan_next (BravisExchange *exchange, gint64 now)
{
  if (exchange->next_piece < exchange->out->len) {
    if (exchange->next_piece % BRAVIS_EXCHANGE_BURST == 0)
      exchange->next_send = now + BRAVIS_EXCHANGE_BURST_PAUSE;
    return;
  }
  exchange->next_piece = 0;
  exchange->next_send = G_MAXINT64;
  if (!exchange->repeating)
    return;
  exchange->next_send = now + exchange->pause;
  exchange->pause = MIN (exchange->pause * 3 / 2, BRAVIS_EXCHANGE_LAST_PAUSE);
}

GBytes *
bravis_exchange_next_datagram (BravisExchange *exchange, gint64 now)
{
  GBytes *datagram;

  if (!exchange->out || exchange->next_send > now)
    return NULL;
  datagram = g_ptr_array_index (exchange->out, exchange->next_piece++);
  plan_next (exchange, now);
  return datagram;
}

BravisExchangeTaken
bravis_exchange_take (BravisExchange *exchange, const BravisFragment *fragment,
    GBytes **message)
{
  if (exchange->in && fragment->type == exchange->awaited) {
    if (bravis_assembly_take (exchange->in, fragment, message)
        != BRAVIS_ASSEMBLY_COMPLETE)
      return BRAVIS_EXCHANGE_NOTHING;
    g_clear_pointer (&exchange->asked, bravis_assembly_free);
    exchange->asked = g_steal_pointer (&exchange->in);
    exchange->answered = exchange->awaited;
    exchange->awaited = 0;
    return BRAVIS_EXCHANGE_MESSAGE;
  }
  /* Of a long message only the first piece asks, so as to be answered once. */
  if (exchange->asked && fragment->type == exchange->answered
      && fragment->offset == 0
      && bravis_assembly_take (exchange->asked, fragment, message)
      == BRAVIS_ASSEMBLY_REPEATED)
    return BRAVIS_EXCHANGE_ASKED_AGAIN;
  return BRAVIS_EXCHANGE_NOTHING;
}

gint64
bravis_exchange_deadline (const BravisExchange *exchange)
{
  return MIN (exchange->next_send,
      MIN (exchange->expiry, exchange->complaint));
}
