/* VTKD messages that a dishonest member might send, to one of three members, in
 * any state. The input is a list of commands; what must hold: an epoch that comes
 * has a secret that an honest member drew, and numbers grow as long as a member is in.
 *
 *   0            the next message in the order reaches all
 *   1 AT XOR     the same, but altered at the victim: octet AT (u16)
 *   2 FROM       the same, but at the victim it is from member FROM
 *   3 FROM N ... N octets (u8) from member FROM, at the victim only
 *   4 WHO        member WHO asks for a key change
 *   5 WHO        a view: member WHO is in it from now on, or not any more
 *   6 WHO        member WHO has waited too long
 */
#include "../../keymgmt/bravis-vtkd-message.h"
#include "../../keymgmt/bravis-vtkd.h"
#include "../keymgmt/test-pki.h"

#include <string.h>

#define N 3
#define VICTIM 1
#define CONFERENCE "standup"
#define MAX_COMMANDS 64

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

typedef struct {
  guint from;
  GBytes *bytes;
} Message;

typedef struct {
  BravisVtkd *vtkds[N];
  gboolean present[N];
  GcpView *view;
  guint64 view_number;
  GQueue queue;                 /* of Message */
  GHashTable *confirmations;    /* of GBytes: what honest members sent */
  guint64 last[N];
} World;

static BravisIdentity *identities[N];
static BravisOwnCard *cards[N];
static BravisSecret *share_keys[N];
static BravisCard *verified[N];

static void
make_cards (void)
{
  static const char *const names[N] = { "alice", "bob", "carol" };
  TestPki *pki = test_pki_new ();
  BravisRandom random;

  bravis_random_init_system (&random);
  for (guint i = 0; i < N; i++) {
    identities[i] = test_pki_identity (pki, names[i]);
    cards[i] = bravis_own_card_new (identities[i], CONFERENCE, TEST_PKI_NOW,
        &random, NULL);
    share_keys[i] = bravis_secret_ref (cards[i]->share_key);
    verified[i] = bravis_card_verify (cards[i]->card->bytes, identities[0],
        CONFERENCE, TEST_PKI_NOW, NULL);
  }
  test_pki_free (pki);
}

static void
free_message (gpointer data)
{
  Message *message = data;

  g_bytes_unref (message->bytes);
  g_free (message);
}

static void
note_keys (World *world, GBytes *bytes)
{
  g_auto (BravisVtkdKeys) keys = { 0 };

  if (bravis_vtkd_keys_read (&keys, bytes))
    g_hash_table_add (world->confirmations, g_bytes_new (keys.confirmation,
        BRAVIS_HASH_SIZE));
}

static void
check_epoch (World *world, guint who, BravisEpoch *epoch)
{
  g_autoptr (GBytes) confirmation = g_bytes_new (
      bravis_epoch_get_confirmation (epoch), BRAVIS_HASH_SIZE);

  g_assert_true (g_hash_table_contains (world->confirmations, confirmation));
  g_assert_cmpuint (bravis_epoch_get_number (epoch), >, world->last[who]);
  world->last[who] = bravis_epoch_get_number (epoch);
}

static void
poll (World *world, guint who)
{
  BravisVtkdOutput output;

  while (bravis_vtkd_poll (world->vtkds[who], &output)) {
    if (output.type == BRAVIS_VTKD_MULTICAST) {
      Message *message = g_new (Message, 1);

      message->from = who;
      message->bytes = g_bytes_ref (output.bytes);
      g_queue_push_tail (&world->queue, message);
      note_keys (world, output.bytes);
    } else if (output.type == BRAVIS_VTKD_EPOCH) {
      check_epoch (world, who, output.epoch);
    } else {
      g_assert_error (output.error, BRAVIS_ERROR, output.error->code);
      /* Of itself a member says only that the others passed it over. */
      g_assert_true (output.member != verified[who]->id
          || output.error->code == BRAVIS_ERROR_PROTOCOL);
    }
    bravis_vtkd_output_clear (&output);
  }
}

static void
deliver (World *world, guint to, guint from, GBytes *bytes)
{
  if (!world->present[to])
    return;
  bravis_vtkd_deliver (world->vtkds[to], verified[from]->id, bytes);
  poll (world, to);
}

static void
install_view (World *world)
{
  GcpMember members[N];
  BravisCard *list[N];
  guint n = 0;

  for (guint i = 0; i < N; i++)
    if (world->present[i]) {
      members[n] = (GcpMember) { verified[i]->id, verified[i]->bytes };
      list[n++] = verified[i];
    }
  g_clear_pointer (&world->view, gcp_view_unref);
  world->view = gcp_view_new (++world->view_number, TRUE, members, n);
  for (guint i = 0; i < N; i++)
    if (world->present[i]) {
      bravis_vtkd_view (world->vtkds[i], world->view, list,
          BRAVIS_CAUSE_JOIN_AND_LEAVE);
      poll (world, i);
    }
}

static void
run_next (World *world, guint command, GcpReader *input)
{
  Message *message = g_queue_pop_head (&world->queue);
  guint at = command == 1 ? gcp_read_u16 (input) : 0;
  guint8 mask = command == 1 ? gcp_read_u8 (input) : 0;
  guint from = command == 2 ? gcp_read_u8 (input) % N : 0;
  g_autoptr (GBytes) altered = NULL;
  guint8 *octets;
  gsize size;

  if (!message)
    return;
  octets = g_memdup2 (g_bytes_get_data (message->bytes, &size),
      g_bytes_get_size (message->bytes));
  octets[at % size] ^= mask;
  altered = g_bytes_new_take (octets, size);
  for (guint i = 0; i < N; i++)
    deliver (world, i, i == VICTIM && command == 2 ? from : message->from,
        i == VICTIM ? altered : message->bytes);
  free_message (message);
}

static void
run (World *world, GcpReader *input)
{
  guint command = gcp_read_u8 (input) % 7;
  guint who = command >= 3 ? gcp_read_u8 (input) % N : 0;

  if (command <= 2) {
    run_next (world, command, input);
  } else if (command == 3) {
    gsize size;
    const guint8 *octets = gcp_read_vector8 (input, 255, &size);
    g_autoptr (GBytes) bytes = octets ? g_bytes_new (octets, size) : NULL;

    if (bytes)
      deliver (world, VICTIM, who, bytes);
  } else if (command == 4) {
    bravis_vtkd_refresh (world->vtkds[who]);
    poll (world, who);
  } else if (command == 6) {
    bravis_vtkd_lose_patience (world->vtkds[who]);
    poll (world, who);
  } else if (who != VICTIM) {
    world->present[who] = !world->present[who];
    if (!world->present[who]) {
      bravis_vtkd_restart (world->vtkds[who]);
      world->last[who] = 0;
    }
    install_view (world);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  World world = { .present = { TRUE, TRUE, TRUE } };
  BravisPolicy policy;
  BravisRandom random;
  GcpReader input;

  if (!identities[0])
    make_cards ();
  bravis_policy_init (&policy);
  bravis_random_init_system (&random);
  g_queue_init (&world.queue);
  world.confirmations = g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
      (GDestroyNotify) g_bytes_unref, NULL);
  for (guint i = 0; i < N; i++) {
    g_clear_pointer (&cards[i]->share_key, bravis_secret_unref);
    cards[i]->share_key = bravis_secret_ref (share_keys[i]);
    world.vtkds[i] = bravis_vtkd_new (identities[i], CONFERENCE, cards[i],
        &policy, 0, &random);
  }
  install_view (&world);
  gcp_reader_init (&input, data, size);
  for (guint i = 0; i < MAX_COMMANDS && gcp_reader_left (&input) > 0; i++)
    run (&world, &input);

  for (guint i = 0; i < N; i++)
    bravis_vtkd_free (world.vtkds[i]);
  gcp_view_unref (world.view);
  g_queue_clear_full (&world.queue, free_message);
  g_hash_table_unref (world.confirmations);
  return 0;
}
