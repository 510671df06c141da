/* test-epochs.h: epochs of made-up members, for tests that need some to hold */
#pragma once

#include "../../keymgmt/bravis-epoch.h"
#include "test-pki.h"

G_BEGIN_DECLS

#define TEST_EPOCHS_MEMBERS 4

typedef struct {
  TestPki *pki;
  BravisOwnCard *own[TEST_EPOCHS_MEMBERS];
} TestEpochs;

static inline void
test_epochs_init (TestEpochs *epochs)
{
  g_autoptr (BravisIdentity) identity = NULL;
  BravisRandom random;

  epochs->pki = test_pki_new ();
  identity = test_pki_identity (epochs->pki, "alice");
  bravis_random_init_system (&random);
  for (guint i = 0; i < TEST_EPOCHS_MEMBERS; i++)
    epochs->own[i] = bravis_own_card_new (identity, "talk", TEST_PKI_NOW,
        &random, NULL);
}

static inline void
test_epochs_clear (TestEpochs *epochs)
{
  for (guint i = 0; i < TEST_EPOCHS_MEMBERS; i++)
    bravis_own_card_free (epochs->own[i]);
  test_pki_free (epochs->pki);
}

/* A view of the members from @first on, @n of them. */
static inline GcpView *
test_epochs_view (TestEpochs *epochs, guint64 number, guint first, guint n)
{
  GcpMember members[TEST_EPOCHS_MEMBERS];

  for (guint i = 0; i < n; i++)
    members[i] = (GcpMember) { epochs->own[first + i]->card->id,
      epochs->own[first + i]->card->bytes };
  return gcp_view_new (number, TRUE, members, n);
}

/* An epoch of all of them; the first is oneself. */
static inline BravisEpoch *
test_epochs_make (TestEpochs *epochs, guint64 number)
{
  g_autoptr (GcpView) view = test_epochs_view (epochs, number, 0,
      TEST_EPOCHS_MEMBERS);
  guint8 octets[BRAVIS_KEY_SIZE] = { number };
  g_autoptr (BravisSecret) secret = bravis_secret_new (octets, sizeof octets);
  BravisCard *cards[TEST_EPOCHS_MEMBERS];
  BravisPolicy policy;

  for (guint i = 0; i < TEST_EPOCHS_MEMBERS; i++)
    cards[i] = epochs->own[i]->card;
  bravis_policy_init (&policy);
  return bravis_epoch_new (number, view, cards, 0, &policy, secret);
}

G_END_DECLS
