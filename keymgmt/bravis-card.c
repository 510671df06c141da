#include "bravis-card.h"

#include <string.h>

#define VERSION 1
#define LABEL "card"

/* A BravisCard with what is not for its readers. */
typedef struct {
  BravisCard card;
  gatomicrefcount references;
} CountedCard;

static BravisCard *
card_new (void)
{
  CountedCard *counted = g_new0 (CountedCard, 1);

  g_atomic_ref_count_init (&counted->references);
  return &counted->card;
}

BravisCard *
bravis_card_ref (BravisCard *card)
{
  g_atomic_ref_count_inc (&((CountedCard *) card)->references);
  return card;
}

void
bravis_card_unref (BravisCard *card)
{
  if (!g_atomic_ref_count_dec (&((CountedCard *) card)->references))
    return;
  g_clear_pointer (&card->bytes, g_bytes_unref);
  g_clear_pointer (&card->share, bravis_share_free);
  g_clear_pointer (&card->certificate, bravis_certificate_unref);
  g_clear_pointer (&card->chain, g_bytes_unref);
  g_free (card->name);
  g_free (card);
}

void
bravis_own_card_free (BravisOwnCard *own)
{
  g_clear_pointer (&own->card, bravis_card_unref);
  g_clear_pointer (&own->link_key, bravis_secret_unref);
  g_clear_pointer (&own->share_key, bravis_secret_unref);
  g_free (own);
}

/* Writes @card, all but the signature. */
static void
write_signed_part (GcpWriter *writer, const BravisCard *card,
    const char *conference, GBytes *chain)
{
  gcp_write_u8 (writer, VERSION);
  gcp_write_vector8 (writer, conference, strlen (conference));
  gcp_write_u64 (writer, card->id);
  gcp_write_u64 (writer, card->made);
  gcp_write_bytes (writer, card->link_key, BRAVIS_X25519_SIZE);
  gcp_write_bytes (writer, card->share->public_key, BRAVIS_X25519_SIZE);
  gcp_write_vector24_bytes (writer, chain);
}

static gboolean
sign (BravisCard *card, const char *conference, BravisIdentity *identity,
    GError **error)
{
  g_autoptr (GBytes) signature = NULL;
  g_auto (GcpWriter) writer;

  gcp_writer_init (&writer);
  write_signed_part (&writer, card, conference,
      bravis_identity_get_chain (identity));
  signature = bravis_identity_sign (identity, LABEL, writer.array->data,
      writer.array->len, error);
  if (signature == NULL)
    return FALSE;
  gcp_write_vector16 (&writer, g_bytes_get_data (signature, NULL),
      g_bytes_get_size (signature));
  card->bytes = gcp_writer_finish (&writer);
  bravis_sha256_bytes (card->bytes, card->digest);
  return TRUE;
}

BravisOwnCard *
bravis_own_card_new (BravisIdentity *identity, const char *conference,
    gint64 made, const BravisRandom *random, GError **error)
{
  g_autoptr (BravisOwnCard) own = g_new0 (BravisOwnCard, 1);
  BravisCard *card = own->card = card_new ();

  if (*conference == '\0' || strlen (conference) > G_MAXUINT8) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
        "the name of a conference has 1 to %d octets; this one has %"
        G_GSIZE_FORMAT, G_MAXUINT8, strlen (conference));
    return NULL;
  }
  do {
    card->id = bravis_random_u64 (random);
  } while (card->id == GCP_MEMBER_NONE);
  card->made = MAX (made, 0);
  own->link_key = bravis_x25519_generate (random, card->link_key);
  card->share = bravis_share_new_first (random, &own->share_key);
  card->name = g_strdup (bravis_identity_get_name (identity));
  card->chain = g_bytes_ref (bravis_identity_get_chain (identity));
  if (!sign (card, conference, identity, error))
    return NULL;
  return g_steal_pointer (&own);
}

/* Where the parts of a card lie that are only looked at once. */
typedef struct {
  const guint8 *conference, *chain, *signature;
  gsize conference_size, chain_size, signature_size, signed_size;
} Parts;

static BravisCard *
parse (GBytes *bytes, Parts *parts)
{
  g_autoptr (BravisCard) card = card_new ();
  guint8 share[BRAVIS_X25519_SIZE] = { 0 };
  GcpReader reader;

  gcp_reader_init_bytes (&reader, bytes);
  if (g_bytes_get_size (bytes) > GCP_MAX_CARD_SIZE)
    gcp_reader_fail (&reader);
  if (gcp_read_u8 (&reader) != VERSION)
    gcp_reader_fail (&reader);
  parts->conference = gcp_read_vector8 (&reader, G_MAXUINT8,
      &parts->conference_size);
  card->id = gcp_read_u64 (&reader);
  card->made = gcp_read_u64 (&reader);
  gcp_read_bytes (&reader, card->link_key, BRAVIS_X25519_SIZE);
  gcp_read_bytes (&reader, share, BRAVIS_X25519_SIZE);
  parts->chain = gcp_read_vector24 (&reader, BRAVIS_MAX_CHAIN_SIZE,
      &parts->chain_size);
  parts->signed_size = reader.at;
  parts->signature = gcp_read_vector16 (&reader, BRAVIS_MAX_SIGNATURE,
      &parts->signature_size);
  if (!gcp_reader_finish (&reader) || card->id == GCP_MEMBER_NONE
      || bravis_x25519_is_low_order (card->link_key)
      || bravis_x25519_is_low_order (share))
    return NULL;
  card->share = bravis_share_new_of_card (share);
  card->bytes = g_bytes_ref (bytes);
  return g_steal_pointer (&card);
}

static GBytes *
get_chain (GBytes *bytes, const Parts *parts)
{
  return g_bytes_new_from_bytes (bytes, parts->chain
      - (const guint8 *) g_bytes_get_data (bytes, NULL), parts->chain_size);
}

GBytes *
bravis_card_read_chain (GBytes *bytes)
{
  Parts parts;
  g_autoptr (BravisCard) card = parse (bytes, &parts);

  return card ? get_chain (bytes, &parts) : NULL;
}

gboolean
bravis_card_verify_share (const BravisCard *card, const BravisShare *share,
    GError **error)
{
  if (share->serial > BRAVIS_FIRST_SHARE)
    return bravis_share_verify (share, card->digest, card->certificate, error);
  if (bravis_share_equal (share, card->share))
    return TRUE;
  g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_SIGNATURE,
      "a member's first share is not that of its card");
  return FALSE;
}

static gboolean
verify_signature (const BravisCard *card, const Parts *parts, GError **error)
{
  return bravis_certificate_verify_signature (card->certificate, LABEL,
      g_bytes_get_data (card->bytes, NULL), parts->signed_size,
      parts->signature, parts->signature_size, error);
}

BravisCard *
bravis_card_verify_with_share (GBytes *bytes, const BravisShare *share,
    BravisIdentity *identity, const char *conference, gint64 wall_clock,
    GError **error)
{
  Parts parts;
  g_autoptr (BravisCard) card = parse (bytes, &parts);

  if (card == NULL) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "a member's card is malformed");
    return NULL;
  }
  if (parts.conference_size != strlen (conference)
      || memcmp (parts.conference, conference, parts.conference_size) != 0) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFERENCE,
        "a member's card is for another conference");
    return NULL;
  }
  card->certificate = bravis_identity_verify (identity, parts.chain,
      parts.chain_size, wall_clock, error);
  if (card->certificate == NULL)
    return NULL;
  bravis_sha256_bytes (bytes, card->digest);
  if (share && !bravis_card_verify_share (card, share, error))
    return NULL;
  /* A later share's signature is over the digest of all of the card. */
  if ((!share || share->serial == BRAVIS_FIRST_SHARE)
      && !verify_signature (card, &parts, error))
    return NULL;
  card->name = g_strdup (bravis_certificate_get_name (card->certificate));
  card->chain = get_chain (bytes, &parts);
  return g_steal_pointer (&card);
}

BravisCard *
bravis_card_verify (GBytes *bytes, BravisIdentity *identity,
    const char *conference, gint64 wall_clock, GError **error)
{
  return bravis_card_verify_with_share (bytes, NULL, identity, conference,
      wall_clock, error);
}
