/* What `bravis verify` finds: faults that a network, or an engine, could make. */
#include "../../tools/verify-traffic.h"

#include <string.h>

enum { ALICE = 1, BOB = 2, N = 2, SIZE = 100 };

/* Two members that see the same, as far as a test does not alter it. */
typedef struct {
  VerifyTraffic *members[N];    /* alice, bob */
} World;

static void
take_view (World *world, guint64 number)
{
  const guint64 ids[] = { ALICE, BOB };

  for (guint i = 0; i < N; i++)
    verify_traffic_take_view (world->members[i], number, ids, N);
}

static void
set_up (World *world, gconstpointer data)
{
  for (guint i = 0; i < N; i++)
    world->members[i] = verify_traffic_new ();
  take_view (world, 7);
}

static void
tear_down (World *world, gconstpointer data)
{
  for (guint i = 0; i < N; i++)
    verify_traffic_free (world->members[i]);
}

static GBytes *
make (World *world, guint64 sender)
{
  return verify_traffic_make (world->members[sender - 1], SIZE);
}

static void
expect (World *world, guint64 receiver, guint64 sender, GBytes *message,
    const char *fault)
{
  g_autofree char *found = verify_traffic_check (world->members[receiver - 1],
      sender, message);

  g_test_message ("%s", found ? found : "right");
  if (fault)
    g_assert_true (found && g_str_has_prefix (found, fault));
  else
    g_assert_null (found);
}

static void
deliver (World *world, guint64 sender, GBytes *message)
{
  expect (world, ALICE, sender, message, NULL);
  expect (world, BOB, sender, message, NULL);
}

static void
send_some (World *world, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autoptr (GBytes) message = make (world, i % 2 ? ALICE : BOB);

    g_assert_cmpuint (g_bytes_get_size (message), ==, SIZE);
    deliver (world, i % 2 ? ALICE : BOB, message);
  }
}

static void
test_what_is_right_is_no_fault (World *world, gconstpointer data)
{
  g_autoptr (GBytes) late = NULL;

  send_some (world, 70000);
  /* Made in one view, sent in the next. */
  late = make (world, ALICE);
  take_view (world, 9);
  deliver (world, ALICE, late);
  send_some (world, 100);
  g_assert_cmpuint (verify_traffic_get_n_checked (world->members[0]), ==,
      70101);
}

static void
test_loss_is_found (World *world, gconstpointer data)
{
  g_autoptr (GBytes) first = make (world, ALICE);
  g_autoptr (GBytes) lost = make (world, ALICE);
  g_autoptr (GBytes) next = make (world, ALICE);

  deliver (world, ALICE, first);
  expect (world, BOB, ALICE, next, "lost: 1 ");
}

static void
test_loss_of_the_first_is_found (World *world, gconstpointer data)
{
  g_autoptr (GBytes) lost = make (world, ALICE);
  g_autoptr (GBytes) next = make (world, ALICE);

  expect (world, BOB, ALICE, next, "lost");
}

static void
test_repetition_is_found (World *world, gconstpointer data)
{
  g_autoptr (GBytes) message = make (world, ALICE);

  deliver (world, ALICE, message);
  expect (world, BOB, ALICE, message, "repeated");
}

/* Each octet of a message counts. */
static void
test_corruption_is_found (World *world, gconstpointer data)
{
  for (guint i = 0; i < SIZE; i++) {
    g_autoptr (GBytes) message = make (world, ALICE);
    guint8 octets[SIZE];
    g_autoptr (GBytes) altered = NULL;

    memcpy (octets, g_bytes_get_data (message, NULL), SIZE);
    octets[i] ^= 1;
    altered = g_bytes_new (octets, SIZE);
    expect (world, BOB, ALICE, altered, "corrupt");
  }
}

static void
test_what_is_cut_off_is_found (World *world, gconstpointer data)
{
  g_autoptr (GBytes) message = make (world, ALICE);

  for (gsize size = 0; size < SIZE; size++) {
    g_autoptr (GBytes) cut = g_bytes_new_from_bytes (message, 0, size);

    expect (world, BOB, ALICE, cut, "corrupt");
  }
}

/* Each sender's are in order, but not those of both. */
static void
test_disorder_between_senders_is_found (World *world, gconstpointer data)
{
  g_autoptr (GBytes) of_alice = make (world, ALICE);
  g_autoptr (GBytes) of_bob = make (world, BOB);
  g_autoptr (GBytes) next = NULL;

  expect (world, ALICE, ALICE, of_alice, NULL);
  expect (world, ALICE, BOB, of_bob, NULL);
  expect (world, BOB, BOB, of_bob, NULL);
  expect (world, BOB, ALICE, of_alice, NULL);
  next = make (world, ALICE);
  expect (world, BOB, ALICE, next, "disorder");
}

static void
test_message_of_nobody_is_found (World *world, gconstpointer data)
{
  g_autoptr (GBytes) message = make (world, ALICE);

  expect (world, BOB, 99, message, "disorder");
}

#define ADD(name) \
    g_test_add ("/tools/verify/" #name, World, NULL, set_up, test_ ## name, \
        tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (what_is_right_is_no_fault);
  ADD (loss_is_found);
  ADD (loss_of_the_first_is_found);
  ADD (repetition_is_found);
  ADD (corruption_is_found);
  ADD (what_is_cut_off_is_found);
  ADD (disorder_between_senders_is_found);
  ADD (message_of_nobody_is_found);
  return g_test_run ();
}
