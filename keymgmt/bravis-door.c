#include "bravis-door.h"

#include "bravis-exchange.h"
#include "../gcp/gcp-wire.h"

#include <string.h>

/* What a flood of forged COOKIEs can make an inviter send between two
 * HELLOs. */
#define MAX_COOKIES 4

struct _BravisDoor {
  BravisIdentity *identity;
  char *conference;
  BravisRandom random;
  BravisDoorMayInvite may_invite;
  gpointer user_data;
  const BravisOwnCard *own;
  gboolean open;
  BravisCookieJar *jar;
  GPtrArray *exchanges;         /* of BravisExchange, the oldest first */
  GQueue outputs;               /* of BravisDoorOutput */
  guint64 last_handle;
};

void
bravis_door_output_clear (BravisDoorOutput *output)
{
  g_clear_pointer (&output->bytes, g_bytes_unref);
  g_clear_pointer (&output->card, bravis_card_unref);
  g_clear_pointer (&output->name, g_free);
  g_clear_error (&output->error);
}

static void
output_free (BravisDoorOutput *output)
{
  bravis_door_output_clear (output);
  g_free (output);
}

BravisDoor *
bravis_door_new (BravisIdentity *identity, const char *conference,
    const BravisRandom *random, BravisDoorMayInvite may_invite,
    gpointer user_data)
{
  BravisDoor *door = g_new0 (BravisDoor, 1);

  door->identity = bravis_identity_ref (identity);
  door->conference = g_strdup (conference);
  door->random = *random;
  door->may_invite = may_invite;
  door->user_data = user_data;
  door->jar = bravis_cookie_jar_new (random);
  door->exchanges =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bravis_exchange_free);
  g_queue_init (&door->outputs);
  return door;
}

void
bravis_door_free (BravisDoor *door)
{
  bravis_identity_unref (door->identity);
  bravis_cookie_jar_free (door->jar);
  g_ptr_array_unref (door->exchanges);
  g_queue_clear_full (&door->outputs, (GDestroyNotify) output_free);
  g_free (door->conference);
  g_free (door);
}

void
bravis_door_set_card (BravisDoor *door, const BravisOwnCard *own)
{
  door->own = own;
}

void
bravis_door_set_open (BravisDoor *door, gboolean open)
{
  door->open = open;
}

guint
bravis_door_count_handshakes (const BravisDoor *door)
{
  return door->exchanges->len;
}

static BravisExchange *
exchange_at (const BravisDoor *door, guint index)
{
  return g_ptr_array_index (door->exchanges, index);
}

static void
forget (BravisDoor *door, BravisExchange *exchange)
{
  g_ptr_array_remove (door->exchanges, exchange);
}

/* --- what comes out --- */

static BravisDoorOutput *
put_out (BravisDoor *door, BravisDoorOutputType type,
    const GcpAddress *address)
{
  BravisDoorOutput *output = g_new0 (BravisDoorOutput, 1);

  output->type = type;
  output->address = *address;
  g_queue_push_tail (&door->outputs, output);
  return output;
}

static void
put_datagram (BravisDoor *door, const GcpAddress *address, GBytes *datagram)
{
  put_out (door, BRAVIS_DOOR_SEND, address)->bytes = g_bytes_ref (datagram);
}

static void
send_due (BravisDoor *door, BravisExchange *exchange, gint64 now)
{
  GBytes *datagram;

  while ((datagram = bravis_exchange_next_datagram (exchange, now)))
    put_datagram (door, &exchange->address, datagram);
}

/* An output about the peer of a handshake whose proof was found good. */
static BravisDoorOutput *
put_peer (BravisDoor *door, BravisDoorOutputType type,
    BravisExchange *exchange)
{
  BravisDoorOutput *output = put_out (door, type, &exchange->address);

  output->handshake = exchange->handle;
  output->card =
      bravis_card_ref (bravis_handshake_get_peer (exchange->handshake));
  output->name = g_strdup (exchange->name);
  return output;
}

static void
put_refused (BravisDoor *door, const BravisExchange *exchange,
    const char *name, gboolean by_us, GError *error)
{
  BravisDoorOutput *output = put_out (door, BRAVIS_DOOR_REFUSED,
      &exchange->address);

  output->handshake = exchange->handle;
  output->name = g_strdup (name);
  output->by_us = by_us;
  output->inviting = bravis_exchange_get_role (exchange) == BRAVIS_ROLE_INVITER;
  output->error = error;
}

gboolean
bravis_door_poll (BravisDoor *door, BravisDoorOutput *output)
{
  g_autofree BravisDoorOutput *head = g_queue_pop_head (&door->outputs);

  if (!head)
    return FALSE;
  *output = *head;
  return TRUE;
}

gint64
bravis_door_deadline (const BravisDoor *door)
{
  gint64 deadline = G_MAXINT64;

  for (guint i = 0; i < door->exchanges->len; i++)
    deadline = MIN (deadline, bravis_exchange_deadline (exchange_at (door, i)));
  return deadline;
}

/* --- refusing --- */

/* Tells the other side why, and for a while tells it again. */
static void
send_refusal (BravisDoor *door, BravisExchange *exchange, const GError *why,
    gint64 now)
{
  guint8 code = why->domain == BRAVIS_ERROR ? why->code :
      BRAVIS_ERROR_PROTOCOL;
  g_autoptr (GBytes) message = g_bytes_new (&code, 1);

  exchange->stage = BRAVIS_EXCHANGE_REFUSING;
  exchange->expiry = now + BRAVIS_DOOR_MEMORY;
  exchange->complaint = G_MAXINT64;
  bravis_exchange_send_sealed (exchange, BRAVIS_MESSAGE_REFUSE, message, FALSE,
      now);
  send_due (door, exchange, now);
}

/* Refuses because of what was found here. Takes @why over. */
static void
refuse (BravisDoor *door, BravisExchange *exchange, const char *name,
    GError *why, gint64 now)
{
  send_refusal (door, exchange, why, now);
  put_refused (door, exchange, name, TRUE, why);
}

/* --- inviting --- */

static BravisExchange *
find_invitation (BravisDoor *door, const char *name)
{
  for (guint i = 0; i < door->exchanges->len; i++) {
    BravisExchange *exchange = exchange_at (door, i);

    if (bravis_exchange_get_role (exchange) == BRAVIS_ROLE_INVITER
        && exchange->stage != BRAVIS_EXCHANGE_REFUSING
        && g_strcmp0 (exchange->name, name) == 0)
      return exchange;
  }
  return NULL;
}

static void
send_hello (BravisDoor *door, BravisExchange *exchange, gint64 now)
{
  GPtrArray *datagrams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  g_ptr_array_add (datagrams, bravis_handshake_make_hello (exchange->handshake,
          exchange->cookie));
  bravis_exchange_send (exchange, datagrams, TRUE, now);
  send_due (door, exchange, now);
}

static void
call (BravisDoor *door, BravisExchange *exchange, gint64 now)
{
  exchange->stage = BRAVIS_EXCHANGE_CALLING;
  exchange->handle = ++door->last_handle;
  exchange->expiry = G_MAXINT64;
  exchange->n_cookies = 0;
  send_hello (door, exchange, now);
}

void
bravis_door_invite (BravisDoor *door, const char *name,
    const GcpAddress *address, gint64 now, gint64 wall_clock)
{
  BravisExchange *exchange = find_invitation (door, name);

  if (exchange && gcp_address_equal (&exchange->address, address))
    return;
  if (exchange)
    forget (door, exchange);
  exchange = bravis_exchange_new (bravis_handshake_new_inviter
      (door->conference, &door->random), address);
  exchange->name = g_strdup (name);
  exchange->complaint = now + BRAVIS_DOOR_SILENCE;
  g_ptr_array_add (door->exchanges, exchange);
  call (door, exchange, now);
}

void
bravis_door_withdraw (BravisDoor *door, const char *name)
{
  BravisExchange *exchange = find_invitation (door, name);

  if (exchange)
    forget (door, exchange);
}

/* Nothing came for too long after the other side had answered already: it
 * may have started anew and forgotten this handshake. */
static void
call_again (BravisDoor *door, BravisExchange *exchange, gint64 now)
{
  if (exchange->stage == BRAVIS_EXCHANGE_WELCOMING) {
    BravisDoorOutput *output = put_out (door, BRAVIS_DOOR_UNREACHABLE,
        &exchange->address);

    output->handshake = exchange->handle;
    output->name = g_strdup (exchange->name);
    exchange->complaint = now + BRAVIS_DOOR_COMPLAINTS;
  }
  bravis_exchange_restart (exchange,
      bravis_handshake_new_inviter (door->conference, &door->random));
  call (door, exchange, now);
}

/* --- the table --- */

/* @role 0: any. */
static BravisExchange *
find_exchange (BravisDoor *door, guint64 id, const GcpAddress *address,
    BravisRole role)
{
  for (guint i = 0; i < door->exchanges->len; i++) {
    BravisExchange *exchange = exchange_at (door, i);

    if (bravis_handshake_get_id (exchange->handshake) == id
        && gcp_address_equal (&exchange->address, address)
        && (role == 0 || bravis_exchange_get_role (exchange) == role))
      return exchange;
  }
  return NULL;
}

/* The same host, or (IPv6) the same subnet: whatever the port, its
 * handshakes are counted together. */
static gboolean
is_same_source (const GcpAddress *a, const GcpAddress *b)
{
  return a->family == b->family
      && memcmp (a->ip, b->ip, a->family == 4 ? 4 : 8) == 0;
}

/* Takes the oldest handshake whose inviter is not proven out of the table
 * while there are too many of them. Not the new one: who fills the table has
 * to outrun everybody's round trip then, not just to keep it full. */
static void
make_room (BravisDoor *door, const GcpAddress *address)
{
  guint n = 0, n_from_there = 0;

  for (guint i = door->exchanges->len; i-- > 0;) {
    BravisExchange *exchange = exchange_at (door, i);
    gboolean from_there;

    if (bravis_exchange_get_role (exchange) != BRAVIS_ROLE_INVITEE
        || exchange->proven)
      continue;
    from_there = is_same_source (&exchange->address, address);
    n++;
    n_from_there += from_there;
    if (n >= BRAVIS_DOOR_MAX_HALF_OPEN
        || (from_there && n_from_there >= BRAVIS_DOOR_MAX_FROM_ADDRESS))
      g_ptr_array_remove_index (door->exchanges, i);
  }
}

/* Handshakes with proven inviters: of one inviter only the newest goes on,
 * and all together are bounded. FALSE: too many. */
static gboolean
take_in (BravisDoor *door, BravisExchange *newest)
{
  BravisExchange *finished = NULL;
  guint n = 0;

  for (guint i = door->exchanges->len; i-- > 0;) {
    BravisExchange *exchange = exchange_at (door, i);

    if (bravis_exchange_get_role (exchange) != BRAVIS_ROLE_INVITEE
        || !exchange->proven)
      continue;
    n++;
    if (exchange->stage == BRAVIS_EXCHANGE_DONE
        || exchange->stage == BRAVIS_EXCHANGE_REFUSING) {
      finished = exchange;
    } else if (g_strcmp0 (exchange->name, newest->name) == 0) {
      g_ptr_array_remove_index (door->exchanges, i);
      n--;
    }
  }
  if (n >= BRAVIS_DOOR_MAX_PROVEN) {
    if (!finished)
      return FALSE;
    forget (door, finished);
  }
  newest->proven = TRUE;
  return TRUE;
}

/* --- HELLO, COOKIE, REPLY: in clear --- */

/* A HELLO of one's own, sent back by somebody to have this peer talk to
 * itself. */
static gboolean
is_own_hello (BravisDoor *door, const BravisHello *hello)
{
  for (guint i = 0; i < door->exchanges->len; i++) {
    BravisExchange *exchange = exchange_at (door, i);

    if (bravis_exchange_get_role (exchange) == BRAVIS_ROLE_INVITER
        && memcmp (bravis_handshake_get_hello (exchange->handshake),
            hello->core, BRAVIS_HELLO_CORE_SIZE) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
send_cookie (BravisDoor *door, const BravisHello *hello,
    const GcpAddress *address, gint64 now)
{
  g_autoptr (GBytes) datagram = NULL;
  guint8 cookie[BRAVIS_COOKIE_SIZE];

  bravis_cookie_make (door->jar, address, hello->core, BRAVIS_HELLO_CORE_SIZE,
      now, cookie);
  datagram = bravis_cookie_datagram (hello->handshake, cookie);
  put_datagram (door, address, datagram);
}

static void
send_reply (BravisDoor *door, BravisExchange *exchange, gint64 now)
{
  GPtrArray *datagrams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  g_ptr_array_add (datagrams,
      g_bytes_ref (bravis_handshake_get_reply (exchange->handshake)));
  bravis_exchange_send (exchange, datagrams, FALSE, now);
  send_due (door, exchange, now);
}

static void
receive_hello (BravisDoor *door, const GcpAddress *from, const guint8 *data,
    gsize size, gint64 now)
{
  BravisExchange *exchange;
  BravisHandshake *handshake;
  BravisHello hello;

  if (!bravis_hello_parse (data, size, &hello)
      || !bravis_hello_is_for (&hello, door->conference)
      || is_own_hello (door, &hello))
    return;
  if (!bravis_cookie_check (door->jar, from, hello.core,
          BRAVIS_HELLO_CORE_SIZE, now, hello.cookie)) {
    send_cookie (door, &hello, from, now);
    return;
  }
  exchange = find_exchange (door, hello.handshake, from, BRAVIS_ROLE_INVITEE);
  if (exchange) {
    if (exchange->stage == BRAVIS_EXCHANGE_REPLIED
        && memcmp (bravis_handshake_get_hello (exchange->handshake), hello.core,
            BRAVIS_HELLO_CORE_SIZE) == 0) {
      bravis_exchange_answer_again (exchange, now);
      send_due (door, exchange, now);
    }
    return;
  }
  handshake = bravis_handshake_new_invitee (door->conference, &hello,
      &door->random);
  if (!handshake)
    return;
  make_room (door, from);
  exchange = bravis_exchange_new (handshake, from);
  exchange->handle = ++door->last_handle;
  exchange->stage = BRAVIS_EXCHANGE_REPLIED;
  exchange->expiry = now + BRAVIS_DOOR_HALF_OPEN;
  bravis_exchange_await (exchange, BRAVIS_MESSAGE_INVITER,
      BRAVIS_MAX_PROOF_SIZE);
  g_ptr_array_add (door->exchanges, exchange);
  send_reply (door, exchange, now);
}

static void
receive_cookie (BravisDoor *door, const GcpAddress *from, const guint8 *data,
    gsize size, gint64 now)
{
  BravisExchange *exchange;
  guint8 cookie[BRAVIS_COOKIE_SIZE];
  guint64 id;

  if (!bravis_cookie_datagram_parse (data, size, &id, cookie))
    return;
  exchange = find_exchange (door, id, from, BRAVIS_ROLE_INVITER);
  if (!exchange || exchange->stage != BRAVIS_EXCHANGE_CALLING
      || exchange->n_cookies >= MAX_COOKIES
      || memcmp (exchange->cookie, cookie, sizeof cookie) == 0)
    return;
  exchange->n_cookies++;
  memcpy (exchange->cookie, cookie, sizeof cookie);
  send_hello (door, exchange, now);
}

/* The other side was heard of. */
static void
note_life (BravisExchange *exchange, gint64 now)
{
  exchange->complaint = now + BRAVIS_DOOR_SILENCE;
}

static void
receive_reply (BravisDoor *door, const GcpAddress *from, const guint8 *data,
    gsize size, gint64 now)
{
  BravisExchange *exchange;
  g_autoptr (GBytes) proof = NULL;
  GError *error = NULL;
  GcpReader reader;

  gcp_reader_init (&reader, data, size);
  gcp_read_u16 (&reader);
  exchange = find_exchange (door, gcp_read_u64 (&reader), from,
      BRAVIS_ROLE_INVITER);
  if (!door->own || !exchange || exchange->stage != BRAVIS_EXCHANGE_CALLING
      || !bravis_handshake_take_reply (exchange->handshake, data, size))
    return;
  note_life (exchange, now);
  proof = bravis_handshake_make_proof (exchange->handshake, door->identity,
      door->own, &error);
  if (!proof) {
    refuse (door, exchange, exchange->name, error, now);
    return;
  }
  exchange->stage = BRAVIS_EXCHANGE_SHOWING;
  exchange->expiry = now + BRAVIS_DOOR_PATIENCE;
  bravis_exchange_await (exchange, BRAVIS_MESSAGE_INVITEE,
      BRAVIS_MAX_PROOF_SIZE);
  bravis_exchange_send_sealed (exchange, BRAVIS_MESSAGE_INVITER, proof, TRUE,
      now);
  send_due (door, exchange, now);
}

/* --- sealed messages --- */

/* Whether the proven inviter is one to show oneself to. */
static gboolean
lets_in (BravisDoor *door, const char *name, GError **error)
{
  if (door->may_invite && !door->may_invite (name, door->user_data)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_DENIED,
        "%s is not allowed to invite this peer", name);
    return FALSE;
  }
  if (!door->open) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "%s invites, but this peer is in a conference or on its way into one",
        name);
    return FALSE;
  }
  return TRUE;
}

static GBytes *
judge_inviter (BravisDoor *door, BravisExchange *exchange, GBytes *proof,
    gint64 wall_clock, GError **error)
{
  if (!bravis_handshake_check_proof (exchange->handshake, proof,
          door->identity, wall_clock, error)) {
    exchange->name = bravis_proof_dup_claimed_name (proof);
    return NULL;
  }
  exchange->name =
      g_strdup (bravis_handshake_get_peer (exchange->handshake)->name);
  if (!lets_in (door, exchange->name, error))
    return NULL;
  if (!take_in (door, exchange)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT,
        "%s invites, but too many others do too", exchange->name);
    return NULL;
  }
  return bravis_handshake_make_proof (exchange->handshake, door->identity,
      door->own, error);
}

static void
act_on_inviter (BravisDoor *door, BravisExchange *exchange, GBytes *message,
    gint64 now, gint64 wall_clock)
{
  g_autoptr (GBytes) proof = NULL;
  GError *error = NULL;

  proof = judge_inviter (door, exchange, message, wall_clock, &error);
  if (!proof) {
    refuse (door, exchange, exchange->name, error, now);
    return;
  }
  exchange->stage = BRAVIS_EXCHANGE_SHOWN;
  exchange->expiry = now + BRAVIS_DOOR_JOINING;
  bravis_exchange_await (exchange, BRAVIS_MESSAGE_WELCOME,
      BRAVIS_MAX_ROSTER_SIZE);
  bravis_exchange_send_sealed (exchange, BRAVIS_MESSAGE_INVITEE, proof, TRUE,
      now);
  send_due (door, exchange, now);
}

static gboolean
is_who_was_wanted (BravisExchange *exchange, GError **error)
{
  BravisCard *card = bravis_handshake_get_peer (exchange->handshake);

  if (g_strcmp0 (card->name, exchange->name) == 0)
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_WRONG_NAME,
      "%s was invited, but the peer there is %s", exchange->name, card->name);
  return FALSE;
}

static void
act_on_invitee (BravisDoor *door, BravisExchange *exchange, GBytes *message,
    gint64 now, gint64 wall_clock)
{
  GError *error = NULL;

  if (!bravis_handshake_check_proof (exchange->handshake, message,
          door->identity, wall_clock, &error)
      || !is_who_was_wanted (exchange, &error)) {
    refuse (door, exchange, exchange->name, error, now);
    return;
  }
  exchange->stage = BRAVIS_EXCHANGE_DECIDING;
  exchange->expiry = G_MAXINT64;
  exchange->complaint = G_MAXINT64;
  bravis_exchange_stop_sending (exchange);
  put_peer (door, BRAVIS_DOOR_INVITEE, exchange);
}

static void
act_on_welcome (BravisDoor *door, BravisExchange *exchange, GBytes *message)
{
  exchange->stage = BRAVIS_EXCHANGE_DECIDING;
  bravis_exchange_stop_sending (exchange);
  put_peer (door, BRAVIS_DOOR_WELCOME, exchange)->bytes =
      g_bytes_ref (message);
}

static void
act_on_ready (BravisDoor *door, BravisExchange *exchange)
{
  put_peer (door, BRAVIS_DOOR_READY, exchange);
  forget (door, exchange);
}

static void
receive_sealed (BravisDoor *door, const GcpAddress *from,
    const BravisFragment *fragment, BravisRole role, gint64 now,
    gint64 wall_clock)
{
  BravisExchange *exchange = find_exchange (door, fragment->handshake, from,
      role);
  g_autoptr (GBytes) message = NULL;

  if (!door->own || !exchange)
    return;
  switch (bravis_exchange_take (exchange, fragment, &message)) {
    case BRAVIS_EXCHANGE_NOTHING:
      return;
    case BRAVIS_EXCHANGE_ASKED_AGAIN:
      bravis_exchange_answer_again (exchange, now);
      send_due (door, exchange, now);
      return;
    case BRAVIS_EXCHANGE_MESSAGE:
      break;
  }
  if (fragment->type == BRAVIS_MESSAGE_INVITER)
    act_on_inviter (door, exchange, message, now, wall_clock);
  else if (fragment->type == BRAVIS_MESSAGE_INVITEE)
    act_on_invitee (door, exchange, message, now, wall_clock);
  else if (fragment->type == BRAVIS_MESSAGE_WELCOME)
    act_on_welcome (door, exchange, message);
  else
    act_on_ready (door, exchange);
}

/* A code that is none of ours still has to become an error of ours. */
static GError *
make_refusal_error (const char *name, guint8 code)
{
  gboolean known = code >= BRAVIS_ERROR_CONFIG && code <= BRAVIS_ERROR_LIMIT;

  return g_error_new (BRAVIS_ERROR, known ? code : BRAVIS_ERROR_PROTOCOL,
      "%s refuses: %s", name, bravis_error_describe (code));
}

/* Only who waits for an answer can be refused. An inviter that was not
 * proven yet is forgotten without a word: nobody knows who it was. */
static void
receive_refuse (BravisDoor *door, const GcpAddress *from,
    const BravisFragment *fragment)
{
  BravisExchange *exchange = find_exchange (door, fragment->handshake, from, 0);
  g_autoptr (BravisSecret) key = NULL;
  g_autoptr (BravisAssembly) assembly = NULL;
  g_autoptr (GBytes) message = NULL;
  gboolean invited;

  if (!exchange || (exchange->stage != BRAVIS_EXCHANGE_SHOWING
          && exchange->stage != BRAVIS_EXCHANGE_WELCOMING
          && exchange->stage != BRAVIS_EXCHANGE_REPLIED
          && exchange->stage != BRAVIS_EXCHANGE_SHOWN))
    return;
  invited = bravis_exchange_get_role (exchange) == BRAVIS_ROLE_INVITEE;
  key = bravis_handshake_derive_key (exchange->handshake,
      BRAVIS_MESSAGE_REFUSE,
      invited ? BRAVIS_ROLE_INVITER : BRAVIS_ROLE_INVITEE);
  assembly = bravis_assembly_new (key, 1);
  if (bravis_assembly_take (assembly, fragment, &message)
      != BRAVIS_ASSEMBLY_COMPLETE || g_bytes_get_size (message) != 1)
    return;
  if (exchange->stage != BRAVIS_EXCHANGE_REPLIED) {
    const guint8 *code = g_bytes_get_data (message, NULL);

    put_refused (door, exchange, exchange->name, FALSE,
        make_refusal_error (exchange->name, *code));
  }
  forget (door, exchange);
}

void
bravis_door_receive (BravisDoor *door, const GcpAddress *from,
    const guint8 *data, gsize size, gint64 now, gint64 wall_clock)
{
  BravisFragment fragment;

  if (size < 2 || data[0] != BRAVIS_DATAGRAM_HANDSHAKE)
    return;
  switch ((BravisMessageType) data[1]) {
    case BRAVIS_MESSAGE_HELLO:
      receive_hello (door, from, data, size, now);
      break;
    case BRAVIS_MESSAGE_COOKIE:
      receive_cookie (door, from, data, size, now);
      break;
    case BRAVIS_MESSAGE_REPLY:
      receive_reply (door, from, data, size, now);
      break;
    case BRAVIS_MESSAGE_INVITER:
    case BRAVIS_MESSAGE_WELCOME:
      if (bravis_fragment_parse (data, size, &fragment))
        receive_sealed (door, from, &fragment, BRAVIS_ROLE_INVITEE, now,
            wall_clock);
      break;
    case BRAVIS_MESSAGE_INVITEE:
    case BRAVIS_MESSAGE_READY:
      if (bravis_fragment_parse (data, size, &fragment))
        receive_sealed (door, from, &fragment, BRAVIS_ROLE_INVITER, now,
            wall_clock);
      break;
    case BRAVIS_MESSAGE_REFUSE:
      if (bravis_fragment_parse (data, size, &fragment))
        receive_refuse (door, from, &fragment);
      break;
  }
}

/* --- what the owner decides --- */

static BravisExchange *
find_asked (BravisDoor *door, guint64 handle, BravisRole role)
{
  for (guint i = 0; i < door->exchanges->len; i++) {
    BravisExchange *exchange = exchange_at (door, i);

    if (exchange->handle == handle
        && exchange->stage == BRAVIS_EXCHANGE_DECIDING
        && (role == 0 || bravis_exchange_get_role (exchange) == role))
      return exchange;
  }
  return NULL;
}

void
bravis_door_welcome (BravisDoor *door, guint64 handshake, GBytes *roster,
    gint64 now)
{
  BravisExchange *exchange = find_asked (door, handshake, BRAVIS_ROLE_INVITER);

  if (!exchange)
    return;
  if (g_bytes_get_size (roster) > BRAVIS_MAX_ROSTER_SIZE) {
    refuse (door, exchange, exchange->name, g_error_new (BRAVIS_ERROR,
            BRAVIS_ERROR_LIMIT, "%s cannot be welcomed: the roster of the "
            "conference has %" G_GSIZE_FORMAT " octets, more than %u",
            exchange->name, g_bytes_get_size (roster),
            (guint) BRAVIS_MAX_ROSTER_SIZE), now);
    return;
  }
  exchange->stage = BRAVIS_EXCHANGE_WELCOMING;
  exchange->expiry = now + BRAVIS_DOOR_MEMORY;
  note_life (exchange, now);
  bravis_exchange_await (exchange, BRAVIS_MESSAGE_READY, 0);
  bravis_exchange_send_sealed (exchange, BRAVIS_MESSAGE_WELCOME, roster, TRUE,
      now);
  send_due (door, exchange, now);
}

void
bravis_door_ready (BravisDoor *door, guint64 handshake, gint64 now)
{
  BravisExchange *exchange = find_asked (door, handshake, BRAVIS_ROLE_INVITEE);
  g_autoptr (GBytes) nothing = NULL;

  if (!exchange)
    return;
  nothing = g_bytes_new (NULL, 0);
  exchange->stage = BRAVIS_EXCHANGE_DONE;
  exchange->expiry = now + BRAVIS_DOOR_MEMORY;
  bravis_exchange_send_sealed (exchange, BRAVIS_MESSAGE_READY, nothing, FALSE,
      now);
  send_due (door, exchange, now);
}

void
bravis_door_refuse (BravisDoor *door, guint64 handshake, const GError *why,
    gint64 now)
{
  BravisExchange *exchange = find_asked (door, handshake, 0);

  if (exchange)
    send_refusal (door, exchange, why, now);
}

/* --- time --- */

static void
complain (BravisDoor *door, BravisExchange *exchange, gint64 now)
{
  BravisDoorOutput *output = put_out (door, BRAVIS_DOOR_UNREACHABLE,
      &exchange->address);

  output->name = g_strdup (exchange->name);
  exchange->complaint = now + BRAVIS_DOOR_COMPLAINTS;
}

void
bravis_door_tick (BravisDoor *door, gint64 now, gint64 wall_clock)
{
  for (guint i = door->exchanges->len; i-- > 0;) {
    BravisExchange *exchange = exchange_at (door, i);

    if (exchange->expiry <= now) {
      if (exchange->stage != BRAVIS_EXCHANGE_SHOWING
          && exchange->stage != BRAVIS_EXCHANGE_WELCOMING) {
        g_ptr_array_remove_index (door->exchanges, i);
        continue;
      }
      call_again (door, exchange, now);
    }
    if (exchange->complaint <= now)
      complain (door, exchange, now);
    if (exchange->next_send <= now) {
      exchange->n_cookies = 0;
      send_due (door, exchange, now);
    }
  }
}
