/* Cards and chains as a stranger may send them.
 *
 * The first octet says what the rest is: 0 a card, 1 a chain, 2 and 3 edits of a
 * good card or chain: u16 place | u8 flips, again and again, with a place past the
 * end for "cut here". Whatever comes is either taken, and then it is the good one,
 * or refused with an error. */
#include "../../keymgmt/bravis-card.h"
#include "../keymgmt/test-pki.h"

#include <string.h>

#define CONFERENCE "fuzz"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct {
  BravisIdentity *bob;
  GBytes *card, *chain;
} World;

static const World *
get_world (void)
{
  static World world;

  if (world.bob == NULL) {
    g_autoptr (TestPki) pki = test_pki_new ();
    g_autoptr (BravisIdentity) alice = test_pki_identity_of_kind (pki, "alice",
        TEST_PKI_INTERMEDIATE);
    g_autoptr (BravisOwnCard) own = NULL;
    BravisRandom random;

    bravis_random_init_system (&random);
    own = bravis_own_card_new (alice, CONFERENCE, TEST_PKI_NOW, &random, NULL);
    world.card = g_bytes_ref (own->card->bytes);
    world.chain = g_bytes_ref (bravis_identity_get_chain (alice));
    world.bob = test_pki_identity (pki, "bob");
  }
  return &world;
}

static GBytes *
edit (GBytes *good, GcpReader *edits)
{
  gsize size = g_bytes_get_size (good);
  guint8 *copy = g_memdup2 (g_bytes_get_data (good, NULL), size);

  while (gcp_reader_left (edits) >= 3) {
    gsize place = gcp_read_u16 (edits);
    guint8 flips = gcp_read_u8 (edits);

    if (place < size)
      copy[place] ^= flips;
    else
      size -= MIN (size, flips);
  }
  return g_bytes_new_take (copy, size);
}

static void
try_card (const World *world, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisCard) card = bravis_card_verify (bytes, world->bob,
      CONFERENCE, TEST_PKI_NOW, &error);

  g_assert_true ((card == NULL) == (error != NULL));
  g_assert_true (card == NULL || g_bytes_equal (bytes, world->card));
}

static void
try_chain (const World *world, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisCertificate) certificate = bravis_identity_verify (
      world->bob, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      TEST_PKI_NOW, &error);

  g_assert_true ((certificate == NULL) == (error != NULL));
  g_assert_true (certificate == NULL
      || g_str_equal (bravis_certificate_get_name (certificate),
          "alice@example.org"));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const World *world = get_world ();
  g_autoptr (GBytes) bytes = NULL;
  GcpReader reader;
  guint8 what;

  gcp_reader_init (&reader, data, size);
  what = gcp_read_u8 (&reader) % 4;
  if (size == 0)
    return 0;
  if (what < 2)
    bytes = g_bytes_new (data + 1, size - 1);
  else
    bytes = edit (what == 2 ? world->card : world->chain, &reader);
  if (what % 2 == 0)
    try_card (world, bytes);
  else
    try_chain (world, bytes);
  return 0;
}
