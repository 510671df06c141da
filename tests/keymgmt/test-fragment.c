#include "../../keymgmt/bravis-fragment.h"

#include <string.h>

#define TYPE 4
#define HANDSHAKE G_GUINT64_CONSTANT (0x1122334455667788)
#define MAX_SIZE (64 * 1024)

static BravisSecret *
make_key (guint8 fill)
{
  guint8 octets[BRAVIS_KEY_SIZE];

  memset (octets, fill, sizeof octets);
  return bravis_secret_new (octets, sizeof octets);
}

static GBytes *
make_message (gsize size)
{
  guint8 *octets = g_malloc (size + 1);

  for (gsize i = 0; i < size; i++)
    octets[i] = (i * 7 + i / 251) & 0xff;
  return g_bytes_new_take (octets, size);
}

static BravisAssemblyResult
take (BravisAssembly *assembly, const guint8 *data, gsize size,
    GBytes **message)
{
  BravisFragment fragment;

  if (!bravis_fragment_parse (data, size, &fragment))
    return BRAVIS_ASSEMBLY_FORGED;
  return bravis_assembly_take (assembly, &fragment, message);
}

static BravisAssemblyResult
take_bytes (BravisAssembly *assembly, GBytes *datagram, GBytes **message)
{
  return take (assembly, g_bytes_get_data (datagram, NULL),
      g_bytes_get_size (datagram), message);
}

/* Gives the pieces to a new assembly, the first one @first, each twice. */
static void
check_round_trip (gsize size, guint first)
{
  g_autoptr (BravisSecret) key = make_key (1);
  g_autoptr (BravisAssembly) assembly = bravis_assembly_new (key, MAX_SIZE);
  g_autoptr (GBytes) message = make_message (size);
  g_autoptr (GPtrArray) datagrams =
      bravis_fragments_seal (key, TYPE, HANDSHAKE, message);
  g_autoptr (GBytes) result = NULL;

  for (guint i = 0; i < datagrams->len; i++) {
    GBytes *datagram = g_ptr_array_index (datagrams,
        (i + first) % datagrams->len);
    gboolean last = i == datagrams->len - 1;

    g_assert_cmpuint (g_bytes_get_size (datagram), <=, BRAVIS_MAX_DATAGRAM);
    g_assert_null (result);
    g_assert_cmpint (take_bytes (assembly, datagram, &result), ==,
        last ? BRAVIS_ASSEMBLY_COMPLETE : BRAVIS_ASSEMBLY_TAKEN);
    if (!last)
      g_assert_cmpint (take_bytes (assembly, datagram, &result), ==,
          BRAVIS_ASSEMBLY_TAKEN);
  }
  g_assert_true (g_bytes_equal (result, message));
  g_clear_pointer (&result, g_bytes_unref);
  g_assert_cmpint (take_bytes (assembly, g_ptr_array_index (datagrams, 0),
          &result), ==, BRAVIS_ASSEMBLY_REPEATED);
  g_assert_null (result);
}

static void
test_messages_of_every_size_come_together (void)
{
  static const gsize sizes[] = { 0, 1, 31, BRAVIS_FRAGMENT_SIZE - 1,
    BRAVIS_FRAGMENT_SIZE, BRAVIS_FRAGMENT_SIZE + 1, 2 * BRAVIS_FRAGMENT_SIZE,
    5000, MAX_SIZE };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint first = 0; first < 3; first++)
      check_round_trip (sizes[i], first);
}

static void
test_every_flipped_bit_is_dropped (void)
{
  g_autoptr (BravisSecret) key = make_key (1);
  g_autoptr (BravisAssembly) assembly = bravis_assembly_new (key, MAX_SIZE);
  g_autoptr (GBytes) message = make_message (BRAVIS_FRAGMENT_SIZE + 50);
  g_autoptr (GPtrArray) datagrams =
      bravis_fragments_seal (key, TYPE, HANDSHAKE, message);
  g_autoptr (GBytes) result = NULL;

  for (guint i = 0; i < datagrams->len; i++) {
    GBytes *datagram = g_ptr_array_index (datagrams, i);
    gsize size;
    const guint8 *octets = g_bytes_get_data (datagram, &size);
    g_autofree guint8 *copy = g_memdup2 (octets, size);

    for (gsize bit = 0; bit < 8 * size; bit++) {
      copy[bit / 8] ^= 1 << bit % 8;
      g_assert_cmpint (take (assembly, copy, size, &result), ==,
          BRAVIS_ASSEMBLY_FORGED);
      copy[bit / 8] ^= 1 << bit % 8;
    }
    for (gsize length = 0; length < size; length++)
      g_assert_cmpint (take (assembly, octets, length, &result), ==,
          BRAVIS_ASSEMBLY_FORGED);
    take_bytes (assembly, datagram, &result);
  }
  g_assert_true (g_bytes_equal (result, message));
}

static void
test_another_key_opens_nothing (void)
{
  g_autoptr (BravisSecret) key = make_key (1);
  g_autoptr (BravisSecret) other = make_key (2);
  g_autoptr (BravisAssembly) assembly = bravis_assembly_new (other, MAX_SIZE);
  g_autoptr (GBytes) message = make_message (50);
  g_autoptr (GPtrArray) datagrams =
      bravis_fragments_seal (key, TYPE, HANDSHAKE, message);
  g_autoptr (GBytes) result = NULL;

  g_assert_cmpint (take_bytes (assembly, g_ptr_array_index (datagrams, 0),
          &result), ==, BRAVIS_ASSEMBLY_FORGED);
}

static void
test_a_message_over_the_limit_is_not_taken (void)
{
  g_autoptr (BravisSecret) key = make_key (1);
  g_autoptr (BravisAssembly) assembly = bravis_assembly_new (key, 100);
  g_autoptr (GBytes) message = make_message (101);
  g_autoptr (GPtrArray) datagrams =
      bravis_fragments_seal (key, TYPE, HANDSHAKE, message);
  g_autoptr (GBytes) result = NULL;

  g_assert_cmpint (take_bytes (assembly, g_ptr_array_index (datagrams, 0),
          &result), ==, BRAVIS_ASSEMBLY_FORGED);
}

/* Who has the key can still not have pieces of two sizes in one message. */
static void
test_pieces_of_another_total_are_dropped (void)
{
  g_autoptr (BravisSecret) key = make_key (1);
  g_autoptr (BravisAssembly) assembly = bravis_assembly_new (key, MAX_SIZE);
  g_autoptr (GBytes) two = make_message (2 * BRAVIS_FRAGMENT_SIZE);
  g_autoptr (GBytes) three = make_message (3 * BRAVIS_FRAGMENT_SIZE);
  g_autoptr (GPtrArray) of_two =
      bravis_fragments_seal (key, TYPE, HANDSHAKE, two);
  g_autoptr (GPtrArray) of_three =
      bravis_fragments_seal (key, TYPE, HANDSHAKE, three);
  g_autoptr (GBytes) result = NULL;

  g_assert_cmpint (take_bytes (assembly, g_ptr_array_index (of_two, 0),
          &result), ==, BRAVIS_ASSEMBLY_TAKEN);
  g_assert_cmpint (take_bytes (assembly, g_ptr_array_index (of_three, 2),
          &result), ==, BRAVIS_ASSEMBLY_FORGED);
  g_assert_cmpint (take_bytes (assembly, g_ptr_array_index (of_three, 1),
          &result), ==, BRAVIS_ASSEMBLY_FORGED);
  g_assert_cmpint (take_bytes (assembly, g_ptr_array_index (of_two, 1),
          &result), ==, BRAVIS_ASSEMBLY_COMPLETE);
  g_assert_true (g_bytes_equal (result, two));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keymgmt/fragment/messages_of_every_size_come_together",
      test_messages_of_every_size_come_together);
  g_test_add_func ("/keymgmt/fragment/every_flipped_bit_is_dropped",
      test_every_flipped_bit_is_dropped);
  g_test_add_func ("/keymgmt/fragment/another_key_opens_nothing",
      test_another_key_opens_nothing);
  g_test_add_func ("/keymgmt/fragment/a_message_over_the_limit_is_not_taken",
      test_a_message_over_the_limit_is_not_taken);
  g_test_add_func ("/keymgmt/fragment/pieces_of_another_total_are_dropped",
      test_pieces_of_another_total_are_dropped);
  return g_test_run ();
}
