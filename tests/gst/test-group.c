#include "test-group.h"

#include "../keymgmt/test-pki.h"

TestGroup *
test_group_new (guint n)
{
  g_autoptr (TestPki) pki = test_pki_new ();
  TestGroup *group = g_new0 (TestGroup, 1);
  BravisRandom random;
  guint i;

  bravis_random_init_system (&random);
  bravis_policy_init (&group->policy);
  group->n = n;
  for (i = 0; i < n; i++) {
    TestPeer *peer = &group->peers[i];
    g_autofree char *name = g_strdup_printf ("peer%u", i);
    g_autoptr (BravisIdentity) identity = test_pki_identity (pki, name);
    BravisOwnCard *own = bravis_own_card_new (identity, "test", TEST_PKI_NOW,
        &random, NULL);

    group->own_cards[i] = own;
    peer->name = g_strdup (own->card->name);
    peer->id = own->card->id;
    peer->epochs = g_ptr_array_new_with_free_func
        ((GDestroyNotify) bravis_epoch_unref);
  }
  test_group_change_key (group, (1 << n) - 1);
  return group;
}

void
test_group_free (TestGroup *group)
{
  guint i;

  for (i = 0; i < group->n; i++) {
    g_free (group->peers[i].name);
    g_ptr_array_unref (group->peers[i].epochs);
    bravis_own_card_free (group->own_cards[i]);
  }
  g_free (group);
}

void
test_group_change_key (TestGroup *group, guint members)
{
  BravisCard *cards[TEST_GROUP_MAX];
  GcpMember in_view[TEST_GROUP_MAX];
  guint8 octets[BRAVIS_KEY_SIZE];
  g_autoptr (BravisSecret) secret = NULL;
  g_autoptr (GcpView) view = NULL;
  BravisRandom random;
  guint i, n = 0;

  bravis_random_init_system (&random);
  bravis_random_fill (&random, octets, sizeof octets);
  secret = bravis_secret_new_take (octets, sizeof octets);
  for (i = 0; i < group->n; i++) {
    BravisOwnCard *own = group->own_cards[i];

    if (!(members & 1 << i))
      continue;
    cards[n] = own->card;
    in_view[n++] = (GcpMember) { own->card->id, own->card->bytes };
  }
  group->epoch++;
  view = gcp_view_new (group->epoch, TRUE, in_view, n);
  for (i = 0, n = 0; i < group->n; i++) {
    if (!(members & 1 << i))
      continue;
    g_ptr_array_add (group->peers[i].epochs, bravis_epoch_new (group->epoch,
            view, cards, n++, &group->policy, secret));
    group->peers[i].serial++;
  }
}

BravisEpoch *
test_group_epoch (TestGroup *group, guint peer)
{
  GPtrArray *epochs = group->peers[peer].epochs;

  return epochs->len ? epochs->pdata[epochs->len - 1] : NULL;
}

static BravisEpoch *
await_epoch (gpointer user_data)
{
  TestPeer *peer = user_data;

  return peer->epochs->len
      ? bravis_epoch_ref (peer->epochs->pdata[peer->epochs->len - 1]) : NULL;
}

static BravisEpoch *
ref_epoch_by_number (gpointer user_data, guint64 number)
{
  TestPeer *peer = user_data;
  guint i;

  for (i = 0; i < peer->epochs->len; i++) {
    if (bravis_epoch_get_number (peer->epochs->pdata[i]) == number)
      return bravis_epoch_ref (peer->epochs->pdata[i]);
  }
  return NULL;
}

static guint
get_serial (gpointer user_data)
{
  return ((TestPeer *) user_data)->serial;
}

static void
ask_for_epoch (gpointer user_data)
{
  ((TestPeer *) user_data)->n_asked++;
}

BravisEpochSource
test_group_source (TestGroup *group, guint peer)
{
  return (BravisEpochSource) {
    await_epoch, ref_epoch_by_number, get_serial, NULL, &group->peers[peer],
    ask_for_epoch, group->key_packets
  };
}
