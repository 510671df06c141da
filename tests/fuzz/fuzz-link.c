/* Sealed datagrams on their way through somebody's hands.
 *
 * The input is a script, an octet a step: below 64, Alice seals that many octets;
 * from 64 on, one of the last 16 datagrams arrives, whole or with what the next
 * octet flips in it, or reflected to her. Bob takes each at most once, unaltered,
 * and nothing else; she takes nothing at all. */
#include "../../keymgmt/bravis-link.h"
#include "../keymgmt/test-pki.h"

#include <string.h>

#define KEPT 16

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct {
  BravisOwnCard *alice, *bob;
} World;

static BravisOwnCard *
new_member (TestPki *pki, const char *name)
{
  g_autoptr (BravisIdentity) identity = test_pki_identity (pki, name);
  BravisRandom random;

  bravis_random_init_system (&random);
  return bravis_own_card_new (identity, "fuzz", TEST_PKI_NOW, &random, NULL);
}

static const World *
get_world (void)
{
  static World world;

  if (world.alice == NULL) {
    g_autoptr (TestPki) pki = test_pki_new ();

    world.alice = new_member (pki, "alice");
    world.bob = new_member (pki, "bob");
  }
  return &world;
}

typedef struct {
  GBytes *datagram;
  gsize size;                   /* of what is in it */
  gboolean taken;
} Sealed;

static void
arrive (BravisLink *alice, BravisLink *bob, Sealed *sealed, guint8 how,
    guint8 flips)
{
  gsize size = g_bytes_get_size (sealed->datagram);
  g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (sealed->datagram,
          NULL), size);
  g_autoptr (GBytes) plain = NULL;

  if (how % 4 == 1) {
    plain = bravis_link_open (alice, copy, size);
    g_assert_null (plain);
    return;
  }
  if (how % 4 == 2)
    copy[flips % size] ^= 1 + flips / 2;
  if (how % 4 == 3)
    size -= 1 + flips % size;
  plain = bravis_link_open (bob, copy, size);
  if (how % 4 != 0 || sealed->taken) {
    g_assert_null (plain);
    return;
  }
  g_assert_nonnull (plain);
  g_assert_cmpuint (g_bytes_get_size (plain), ==, sealed->size);
  sealed->taken = TRUE;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const guint8 text[64];
  const World *world = get_world ();
  g_autoptr (BravisLink) alice = bravis_link_new (world->alice,
      world->bob->card);
  g_autoptr (BravisLink) bob = bravis_link_new (world->bob,
      world->alice->card);
  Sealed kept[KEPT] = { { NULL } };
  guint n = 0;

  for (gsize i = 0; i < size; i++) {
    Sealed *sealed = &kept[(data[i] < 64 ? n++ : data[i] / 4) % KEPT];

    if (data[i] < 64) {
      g_clear_pointer (&sealed->datagram, g_bytes_unref);
      *sealed = (Sealed) { bravis_link_seal (alice, text, data[i]), data[i] };
    } else if (sealed->datagram) {
      arrive (alice, bob, sealed, data[i], i + 1 < size ? data[i + 1] : 0);
    }
  }
  for (guint i = 0; i < KEPT; i++)
    g_clear_pointer (&kept[i].datagram, g_bytes_unref);
  return 0;
}
