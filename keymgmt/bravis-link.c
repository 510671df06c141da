#include "bravis-link.h"
#include "bravis-datagram.h"
#include "../gcp/gcp-wire.h"

#include <string.h>

#define HEADER_SIZE (1 + 8 + 8)
#define WINDOW 1024
/* Words of the window: one more than fill it, since the newest word is filled
 * from its beginning. */
#define WORDS (WINDOW / 64 + 1)

struct _BravisLink {
  GcpMemberId own_id, other_id;
  BravisSealer *sealer, *opener;
  guint64 sent;                 /* number of the last packet */
  guint64 newest;               /* highest packet number that was taken */
  guint64 taken[WORDS];         /* a bit each; a ring of words */
};

/* Both cards are in the key, so conference, both identities and both
 * incarnations are; their order tells the directions apart. */
static BravisSealer *
sealer_for (const BravisSecret *pair, const BravisCard *from,
    const BravisCard *to)
{
  guint8 context[2 * BRAVIS_HASH_SIZE];
  g_autoptr (BravisSecret) key = NULL;

  memcpy (context, from->digest, BRAVIS_HASH_SIZE);
  memcpy (context + BRAVIS_HASH_SIZE, to->digest, BRAVIS_HASH_SIZE);
  key = bravis_hkdf_expand_label (pair, "link", context, sizeof context,
      BRAVIS_KEY_SIZE);
  return bravis_sealer_new (key);
}

BravisLink *
bravis_link_new (const BravisOwnCard *own, const BravisCard *other)
{
  g_autoptr (BravisSecret) shared = NULL;
  g_autoptr (BravisSecret) pair = NULL;
  BravisLink *link;

  /* With oneself both directions would have one key. */
  if (own->card->id == other->id)
    return NULL;
  shared = bravis_x25519 (own->link_key, other->link_key);
  if (shared == NULL)
    return NULL;
  pair = bravis_hkdf_extract (NULL, 0, bravis_secret_peek (shared),
      bravis_secret_get_size (shared));

  link = g_new0 (BravisLink, 1);
  link->own_id = own->card->id;
  link->other_id = other->id;
  link->sealer = sealer_for (pair, own->card, other);
  link->opener = sealer_for (pair, other, own->card);
  return link;
}

void
bravis_link_free (BravisLink *link)
{
  bravis_sealer_free (link->sealer);
  bravis_sealer_free (link->opener);
  g_free (link);
}

static void
write_u64 (guint8 *out, guint64 value)
{
  guint64 big_endian = GUINT64_TO_BE (value);

  memcpy (out, &big_endian, sizeof big_endian);
}

static void
make_nonce (guint8 nonce[BRAVIS_NONCE_SIZE], guint64 number)
{
  memset (nonce, 0, BRAVIS_NONCE_SIZE - 8);
  write_u64 (nonce + BRAVIS_NONCE_SIZE - 8, number);
}

static GBytes *
seal (BravisLink *link, guint8 type, gconstpointer data, gsize size)
{
  guint8 *datagram = g_malloc (size + BRAVIS_LINK_OVERHEAD);
  guint8 nonce[BRAVIS_NONCE_SIZE];
  guint64 number = ++link->sent;

  datagram[0] = type;
  write_u64 (datagram + 1, link->own_id);
  write_u64 (datagram + 9, number);
  make_nonce (nonce, number);
  bravis_sealer_seal (link->sealer, nonce, datagram, HEADER_SIZE, data, size,
      datagram + HEADER_SIZE);
  return g_bytes_new_take (datagram, size + BRAVIS_LINK_OVERHEAD);
}

GBytes *
bravis_link_seal (BravisLink *link, gconstpointer data, gsize size)
{
  return seal (link, BRAVIS_DATAGRAM_LINK, data, size);
}

GBytes *
bravis_link_seal_relayed (BravisLink *link, gconstpointer data, gsize size)
{
  return seal (link, BRAVIS_DATAGRAM_RELAYED, data, size);
}

static GcpMemberId
peek_sender (guint8 type, const guint8 *data, gsize size)
{
  GcpReader reader;

  gcp_reader_init (&reader, data, size);
  if (gcp_read_u8 (&reader) != type
      || size < BRAVIS_LINK_OVERHEAD)
    return GCP_MEMBER_NONE;
  return gcp_read_u64 (&reader);
}

GcpMemberId
bravis_link_peek_sender (const guint8 *data, gsize size)
{
  return peek_sender (BRAVIS_DATAGRAM_LINK, data, size);
}

static gboolean
may_be_taken (const BravisLink *link, guint64 number)
{
  if (number == 0)
    return FALSE;
  if (number > link->newest)
    return TRUE;
  if (link->newest - number >= WINDOW)
    return FALSE;
  return !(link->taken[number / 64 % WORDS] >> number % 64 & 1);
}

static void
take (BravisLink *link, guint64 number)
{
  if (number > link->newest) {
    guint64 words = MIN (number / 64 - link->newest / 64, WORDS);

    for (guint64 i = 1; i <= words; i++)
      link->taken[(link->newest / 64 + i) % WORDS] = 0;
    link->newest = number;
  }
  link->taken[number / 64 % WORDS] |= G_GUINT64_CONSTANT (1) << number % 64;
}

static GBytes *
open_sealed (BravisLink *link, guint8 type, const guint8 *data, gsize size)
{
  guint8 nonce[BRAVIS_NONCE_SIZE];
  const guint8 *sealed;
  gsize sealed_size;
  guint64 number;
  guint8 *plain;
  GcpReader reader;

  if (peek_sender (type, data, size) != link->other_id)
    return NULL;
  gcp_reader_init (&reader, data, size);
  gcp_read_span (&reader, 1 + 8);
  number = gcp_read_u64 (&reader);
  sealed_size = gcp_reader_left (&reader);
  sealed = gcp_read_span (&reader, sealed_size);
  if (sealed == NULL || !may_be_taken (link, number))
    return NULL;

  make_nonce (nonce, number);
  plain = g_malloc (sealed_size);
  if (!bravis_sealer_open (link->opener, nonce, data, HEADER_SIZE, sealed,
          sealed_size, plain)) {
    g_free (plain);
    return NULL;
  }
  take (link, number);
  return g_bytes_new_take (plain, sealed_size - BRAVIS_TAG_SIZE);
}

GBytes *
bravis_link_open (BravisLink *link, const guint8 *data, gsize size)
{
  return open_sealed (link, BRAVIS_DATAGRAM_LINK, data, size);
}

GBytes *
bravis_link_open_relayed (BravisLink *link, const guint8 *data, gsize size)
{
  return open_sealed (link, BRAVIS_DATAGRAM_RELAYED, data, size);
}
