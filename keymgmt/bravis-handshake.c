#include "bravis-handshake.h"

#include "bravis-datagram.h"
#include "../gcp/gcp-wire.h"

#include <gnutls/x509.h>
#include <string.h>

#define NONCE_SIZE 32
#define TAG_SIZE (BRAVIS_HELLO_CORE_SIZE - BRAVIS_HELLO_TAGGED_SIZE)
#define MAX_ALTERNATIVE_NAMES 16
#define TRANSCRIPT_LABEL "BRAVIS 1.0 handshake"

struct _BravisHandshake {
  BravisRole role;
  guint64 id;
  char *conference;
  guint8 hello[BRAVIS_HELLO_CORE_SIZE];
  GBytes *reply;                /* invitee's */
  BravisSecret *x25519;         /* inviter's, until the keys are there */
  BravisSecret *prk;
  guint8 opening[BRAVIS_HASH_SIZE];     /* h0 */
  guint8 transcript[BRAVIS_HASH_SIZE];  /* h as far as it goes */
  BravisCard *peer;
};

/* HMAC (SHA-256 (conference), HELLO up to the tag): tells who knows the name
 * which conference it is, and that nothing was altered by somebody who does
 * not. */
static void
make_tag (const char *conference, const guint8 *hello,
    guint8 out[BRAVIS_HASH_SIZE])
{
  g_autoptr (BravisSecret) key = NULL;
  guint8 hash[BRAVIS_HASH_SIZE];

  bravis_sha256 (conference, strlen (conference), hash);
  key = bravis_secret_new_take (hash, sizeof hash);
  bravis_hmac_sha256 (key, hello, BRAVIS_HELLO_TAGGED_SIZE, out);
}

gboolean
bravis_hello_parse (const guint8 *data, gsize size, BravisHello *hello)
{
  GcpReader reader;

  gcp_reader_init (&reader, data, size);
  hello->core = data;
  if (gcp_read_u8 (&reader) != BRAVIS_DATAGRAM_HANDSHAKE
      || gcp_read_u8 (&reader) != BRAVIS_MESSAGE_HELLO
      || gcp_read_u8 (&reader) != BRAVIS_HANDSHAKE_VERSION)
    return FALSE;
  hello->handshake = gcp_read_u64 (&reader);
  gcp_read_span (&reader, NONCE_SIZE + BRAVIS_X25519_SIZE + TAG_SIZE);
  hello->cookie = gcp_read_span (&reader, BRAVIS_COOKIE_SIZE);
  return gcp_reader_finish (&reader);
}

gboolean
bravis_hello_is_for (const BravisHello *hello, const char *conference)
{
  guint8 tag[BRAVIS_HASH_SIZE];

  make_tag (conference, hello->core, tag);
  return bravis_equal_constant_time (tag,
      hello->core + BRAVIS_HELLO_TAGGED_SIZE, TAG_SIZE);
}

GBytes *
bravis_cookie_datagram (guint64 handshake,
    const guint8 cookie[BRAVIS_COOKIE_SIZE])
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, BRAVIS_DATAGRAM_HANDSHAKE);
  gcp_write_u8 (&writer, BRAVIS_MESSAGE_COOKIE);
  gcp_write_u64 (&writer, handshake);
  gcp_write_bytes (&writer, cookie, BRAVIS_COOKIE_SIZE);
  return gcp_writer_finish (&writer);
}

gboolean
bravis_cookie_datagram_parse (const guint8 *data, gsize size,
    guint64 *handshake, guint8 cookie[BRAVIS_COOKIE_SIZE])
{
  GcpReader reader;

  gcp_reader_init (&reader, data, size);
  if (gcp_read_u8 (&reader) != BRAVIS_DATAGRAM_HANDSHAKE
      || gcp_read_u8 (&reader) != BRAVIS_MESSAGE_COOKIE)
    return FALSE;
  *handshake = gcp_read_u64 (&reader);
  gcp_read_bytes (&reader, cookie, BRAVIS_COOKIE_SIZE);
  return gcp_reader_finish (&reader);
}

static BravisHandshake *
handshake_new (const char *conference, BravisRole role, guint64 id)
{
  BravisHandshake *handshake = g_new0 (BravisHandshake, 1);

  handshake->role = role;
  handshake->id = id;
  handshake->conference = g_strdup (conference);
  return handshake;
}

void
bravis_handshake_free (BravisHandshake *handshake)
{
  g_free (handshake->conference);
  g_clear_pointer (&handshake->reply, g_bytes_unref);
  g_clear_pointer (&handshake->x25519, bravis_secret_unref);
  g_clear_pointer (&handshake->prk, bravis_secret_unref);
  g_clear_pointer (&handshake->peer, bravis_card_unref);
  g_free (handshake);
}

BravisHandshake *
bravis_handshake_new_inviter (const char *conference,
    const BravisRandom *random)
{
  g_auto (GcpWriter) writer = { NULL };
  BravisHandshake *handshake;
  guint8 nonce[NONCE_SIZE], public_key[BRAVIS_X25519_SIZE];
  guint8 tag[BRAVIS_HASH_SIZE];

  handshake = handshake_new (conference, BRAVIS_ROLE_INVITER,
      bravis_random_u64 (random));
  bravis_random_fill (random, nonce, sizeof nonce);
  handshake->x25519 = bravis_x25519_generate (random, public_key);

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, BRAVIS_DATAGRAM_HANDSHAKE);
  gcp_write_u8 (&writer, BRAVIS_MESSAGE_HELLO);
  gcp_write_u8 (&writer, BRAVIS_HANDSHAKE_VERSION);
  gcp_write_u64 (&writer, handshake->id);
  gcp_write_bytes (&writer, nonce, sizeof nonce);
  gcp_write_bytes (&writer, public_key, sizeof public_key);
  make_tag (conference, writer.array->data, tag);
  gcp_write_bytes (&writer, tag, TAG_SIZE);
  memcpy (handshake->hello, writer.array->data, BRAVIS_HELLO_CORE_SIZE);
  return handshake;
}

/* The keys begin here: both sides have both X25519 keys and both nonces. */
static void
make_keys (BravisHandshake *handshake, const BravisSecret *shared,
    const guint8 *reply)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_vector8 (&writer, TRANSCRIPT_LABEL, strlen (TRANSCRIPT_LABEL));
  gcp_write_vector8 (&writer, handshake->conference,
      strlen (handshake->conference));
  gcp_write_vector8 (&writer, handshake->hello, BRAVIS_HELLO_CORE_SIZE);
  gcp_write_vector8 (&writer, reply, BRAVIS_REPLY_CORE_SIZE);
  bravis_sha256 (writer.array->data, writer.array->len, handshake->opening);
  memcpy (handshake->transcript, handshake->opening, BRAVIS_HASH_SIZE);
  handshake->prk = bravis_hkdf_extract (handshake->opening, BRAVIS_HASH_SIZE,
      bravis_secret_peek (shared), bravis_secret_get_size (shared));
}

static BravisSecret *
derive (const BravisSecret *prk, const char *label, BravisMessageType type,
    BravisRole sender, const guint8 transcript[BRAVIS_HASH_SIZE])
{
  guint8 context[2 + BRAVIS_HASH_SIZE] = { type, sender };

  memcpy (context + 2, transcript, BRAVIS_HASH_SIZE);
  return bravis_hkdf_expand_label (prk, label, context, sizeof context,
      BRAVIS_KEY_SIZE);
}

BravisSecret *
bravis_handshake_derive_key (const BravisHandshake *handshake,
    BravisMessageType type, BravisRole sender)
{
  gboolean after_proofs = type == BRAVIS_MESSAGE_WELCOME
      || type == BRAVIS_MESSAGE_READY;

  return derive (handshake->prk, "handshake key", type, sender,
      after_proofs ? handshake->transcript : handshake->opening);
}

/* Says that who sends REPLY knows the conference and has the X25519 key:
 * what was altered on the way is dropped before anything is built on it. */
static void
make_reply_mac (const BravisHandshake *handshake,
    guint8 out[BRAVIS_HASH_SIZE])
{
  g_autoptr (BravisSecret) key = derive (handshake->prk, "handshake mac",
      BRAVIS_MESSAGE_REPLY, BRAVIS_ROLE_INVITEE, handshake->opening);

  bravis_hmac_sha256 (key, handshake->opening, BRAVIS_HASH_SIZE, out);
}

BravisHandshake *
bravis_handshake_new_invitee (const char *conference, const BravisHello *hello,
    const BravisRandom *random)
{
  g_autoptr (BravisHandshake) handshake = handshake_new (conference,
      BRAVIS_ROLE_INVITEE, hello->handshake);
  g_autoptr (BravisSecret) private_key = NULL;
  g_autoptr (BravisSecret) shared = NULL;
  g_auto (GcpWriter) writer = { NULL };
  guint8 nonce[NONCE_SIZE], public_key[BRAVIS_X25519_SIZE];
  guint8 mac[BRAVIS_HASH_SIZE];

  private_key = bravis_x25519_generate (random, public_key);
  shared = bravis_x25519 (private_key, hello->core
      + BRAVIS_HELLO_TAGGED_SIZE - BRAVIS_X25519_SIZE);
  if (!shared)
    return NULL;
  bravis_random_fill (random, nonce, sizeof nonce);
  memcpy (handshake->hello, hello->core, BRAVIS_HELLO_CORE_SIZE);

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, BRAVIS_DATAGRAM_HANDSHAKE);
  gcp_write_u8 (&writer, BRAVIS_MESSAGE_REPLY);
  gcp_write_u64 (&writer, handshake->id);
  gcp_write_bytes (&writer, nonce, sizeof nonce);
  gcp_write_bytes (&writer, public_key, sizeof public_key);
  make_keys (handshake, shared, writer.array->data);
  make_reply_mac (handshake, mac);
  gcp_write_bytes (&writer, mac, sizeof mac);
  handshake->reply = gcp_writer_finish (&writer);
  return g_steal_pointer (&handshake);
}

guint64
bravis_handshake_get_id (const BravisHandshake *handshake)
{
  return handshake->id;
}

BravisRole
bravis_handshake_get_role (const BravisHandshake *handshake)
{
  return handshake->role;
}

const guint8 *
bravis_handshake_get_hello (const BravisHandshake *handshake)
{
  return handshake->hello;
}

GBytes *
bravis_handshake_make_hello (const BravisHandshake *handshake,
    const guint8 cookie[BRAVIS_COOKIE_SIZE])
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_bytes (&writer, handshake->hello, BRAVIS_HELLO_CORE_SIZE);
  gcp_write_bytes (&writer, cookie, BRAVIS_COOKIE_SIZE);
  return gcp_writer_finish (&writer);
}

GBytes *
bravis_handshake_get_reply (const BravisHandshake *handshake)
{
  return handshake->reply;
}

gboolean
bravis_handshake_take_reply (BravisHandshake *handshake, const guint8 *data,
    gsize size)
{
  g_autoptr (BravisSecret) shared = NULL;
  guint8 expected[BRAVIS_HASH_SIZE];
  const guint8 *public_key, *mac;
  GcpReader reader;

  gcp_reader_init (&reader, data, size);
  if (!handshake->x25519
      || gcp_read_u8 (&reader) != BRAVIS_DATAGRAM_HANDSHAKE
      || gcp_read_u8 (&reader) != BRAVIS_MESSAGE_REPLY
      || gcp_read_u64 (&reader) != handshake->id)
    return FALSE;
  gcp_read_span (&reader, NONCE_SIZE);
  public_key = gcp_read_span (&reader, BRAVIS_X25519_SIZE);
  mac = gcp_read_span (&reader, BRAVIS_HASH_SIZE);
  if (!gcp_reader_finish (&reader))
    return FALSE;
  shared = bravis_x25519 (handshake->x25519, public_key);
  if (!shared)
    return FALSE;
  make_keys (handshake, shared, data);
  make_reply_mac (handshake, expected);
  if (!bravis_equal_constant_time (expected, mac, sizeof expected)) {
    g_clear_pointer (&handshake->prk, bravis_secret_unref);
    return FALSE;
  }
  g_clear_pointer (&handshake->x25519, bravis_secret_unref);
  return TRUE;
}

static BravisRole
other_role (BravisRole role)
{
  return role == BRAVIS_ROLE_INVITER ? BRAVIS_ROLE_INVITEE :
      BRAVIS_ROLE_INVITER;
}

static BravisMessageType
proof_type (BravisRole role)
{
  return role == BRAVIS_ROLE_INVITER ? BRAVIS_MESSAGE_INVITER :
      BRAVIS_MESSAGE_INVITEE;
}

static const char *
signature_label (BravisRole role)
{
  return role == BRAVIS_ROLE_INVITER ? "handshake inviter" :
      "handshake invitee";
}

static void
mix_card (BravisHandshake *handshake, BravisRole sender, gconstpointer card,
    gsize size)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_bytes (&writer, handshake->transcript, BRAVIS_HASH_SIZE);
  gcp_write_u8 (&writer, proof_type (sender));
  gcp_write_vector24 (&writer, card, size);
  bravis_sha256 (writer.array->data, writer.array->len, handshake->transcript);
}

static void
mix_signature (BravisHandshake *handshake, gconstpointer signature, gsize size)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_bytes (&writer, handshake->transcript, BRAVIS_HASH_SIZE);
  gcp_write_vector16 (&writer, signature, size);
  bravis_sha256 (writer.array->data, writer.array->len, handshake->transcript);
}

/* SIGMA's MAC: who signed is also who has the session's keys. The transcript
 * has the sender's card in it by now. */
static void
make_proof_mac (const BravisHandshake *handshake, BravisRole sender,
    guint8 out[BRAVIS_HASH_SIZE])
{
  g_autoptr (BravisSecret) key = derive (handshake->prk, "handshake mac",
      proof_type (sender), sender, handshake->opening);

  bravis_hmac_sha256 (key, handshake->transcript, BRAVIS_HASH_SIZE, out);
}

GBytes *
bravis_handshake_make_proof (BravisHandshake *handshake,
    BravisIdentity *identity, const BravisOwnCard *own, GError **error)
{
  g_auto (GcpWriter) writer = { NULL };
  g_autoptr (GBytes) signature = NULL;
  gsize card_size, signature_size;
  gconstpointer card = g_bytes_get_data (own->card->bytes, &card_size);
  gconstpointer signed_octets;
  guint8 mac[BRAVIS_HASH_SIZE];

  mix_card (handshake, handshake->role, card, card_size);
  signature = bravis_identity_sign (identity, signature_label (handshake->role),
      handshake->transcript, BRAVIS_HASH_SIZE, error);
  if (!signature)
    return NULL;
  signed_octets = g_bytes_get_data (signature, &signature_size);
  make_proof_mac (handshake, handshake->role, mac);
  mix_signature (handshake, signed_octets, signature_size);

  gcp_writer_init (&writer);
  gcp_write_vector24 (&writer, card, card_size);
  gcp_write_vector16 (&writer, signed_octets, signature_size);
  gcp_write_bytes (&writer, mac, sizeof mac);
  return gcp_writer_finish (&writer);
}

gboolean
bravis_handshake_check_proof (BravisHandshake *handshake, GBytes *proof,
    BravisIdentity *identity, gint64 wall_clock, GError **error)
{
  BravisRole sender = other_role (handshake->role);
  g_autoptr (BravisCard) card = NULL;
  g_autoptr (GBytes) card_bytes = NULL;
  const guint8 *signature, *mac;
  guint8 expected[BRAVIS_HASH_SIZE];
  gsize signature_size;
  GcpReader reader;

  gcp_reader_init_bytes (&reader, proof);
  card_bytes = gcp_read_vector24_bytes (&reader, GCP_MAX_CARD_SIZE);
  signature = gcp_read_vector16 (&reader, BRAVIS_MAX_SIGNATURE,
      &signature_size);
  mac = gcp_read_span (&reader, BRAVIS_HASH_SIZE);
  if (!gcp_reader_finish (&reader)) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "the peer's proof of who it is is malformed");
    return FALSE;
  }
  card = bravis_card_verify (card_bytes, identity, handshake->conference,
      wall_clock, error);
  if (!card)
    return FALSE;
  mix_card (handshake, sender, g_bytes_get_data (card_bytes, NULL),
      g_bytes_get_size (card_bytes));
  if (!bravis_certificate_verify_signature (card->certificate,
          signature_label (sender), handshake->transcript, BRAVIS_HASH_SIZE,
          signature, signature_size, error))
    return FALSE;
  make_proof_mac (handshake, sender, expected);
  if (!bravis_equal_constant_time (expected, mac, sizeof expected)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "%s signed, but does not have the keys of this handshake", card->name);
    return FALSE;
  }
  mix_signature (handshake, signature, signature_size);
  handshake->peer = g_steal_pointer (&card);
  return TRUE;
}

BravisCard *
bravis_handshake_get_peer (const BravisHandshake *handshake)
{
  return handshake->peer;
}

/* The first certificate of a proof's card. NULL: malformed. */
static gnutls_x509_crt_t
read_certificate (GBytes *proof)
{
  gnutls_x509_crt_t certificate;
  gnutls_datum_t der;
  GcpReader reader;
  g_autoptr (GBytes) card = NULL;
  g_autoptr (GBytes) chain = NULL;
  gsize size;

  gcp_reader_init_bytes (&reader, proof);
  card = gcp_read_vector24_bytes (&reader, GCP_MAX_CARD_SIZE);
  chain = card ? bravis_card_read_chain (card) : NULL;
  if (!chain)
    return NULL;
  gcp_reader_init_bytes (&reader, chain);
  der.data = (guint8 *) gcp_read_vector24 (&reader, BRAVIS_MAX_CHAIN_SIZE, &size);
  der.size = size;
  if (!der.data || gnutls_x509_crt_init (&certificate) < 0)
    return NULL;
  if (gnutls_x509_crt_import (certificate, &der, GNUTLS_X509_FMT_DER) >= 0)
    return certificate;
  gnutls_x509_crt_deinit (certificate);
  return NULL;
}

char *
bravis_proof_dup_claimed_name (GBytes *proof)
{
  gnutls_x509_crt_t certificate = read_certificate (proof);
  char *name = NULL;

  for (guint i = 0; certificate && !name && i < MAX_ALTERNATIVE_NAMES; i++) {
    char uri[4 + BRAVIS_MAX_NAME + 1];
    size_t size = sizeof uri - 1;
    int type = gnutls_x509_crt_get_subject_alt_name (certificate, i, uri, &size,
        NULL);

    if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
      break;
    if (type != GNUTLS_SAN_URI || size >= sizeof uri)
      continue;
    uri[size] = '\0';
    if (g_str_has_prefix (uri, "sip:") && bravis_name_is_valid (uri + 4))
      name = g_strdup (uri + 4);
  }
  if (certificate)
    gnutls_x509_crt_deinit (certificate);
  return name;
}
