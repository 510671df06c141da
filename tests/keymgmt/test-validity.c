/* Certificates that are taken back, or run out, in the middle of a conference: the
 * member is put out by everybody alike, and the key changes without it. */
#include "../../keymgmt/bravis-command.h"
#include "../../keymgmt/bravis-session.h"
#include "../../tools/bravis-authority.h"
#include "conference-world.h"

#include <string.h>

#define ALICE "alice@example.org"
#define BOB "bob@example.org"
#define CAROL "carol@example.org"

typedef struct {
  TestPki *pki;
  World *world;
  Peer *alice, *bob, *carol;
} Group;

static void
set_up_with (Group *group, TestPkiKind of_carol)
{
  group->pki = test_pki_new ();
  group->world = world_new (group->pki, 3, 0);
  group->alice = world_add (group->world, "alice");
  group->bob = world_add (group->world, "bob");
  group->carol = world_add_of_kind (group->world, "carol", of_carol);
  peer_start (group->alice);
  peer_invite (group->alice, group->bob);
  peer_invite (group->alice, group->carol);
  world_run (group->world, 5 * WORLD_SECOND);
  world_assert_settled (group->world, 3);
}

static void
set_up (Group *group, gconstpointer data)
{
  set_up_with (group, GPOINTER_TO_INT (data));
}

static void
tear_down (Group *group, gconstpointer data)
{
  world_free (group->world);
  test_pki_free (group->pki);
}

/* @peer's file of lists has changed. */
static void
reload (Peer *peer)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) news = bravis_identity_reload_revocations (
      peer->conference->identity, &error);

  g_assert_no_error (error);
  bravis_conference_show_revocations (peer->conference, news,
      sim_network_now (peer->world->network), world_get_time (peer->world));
  peer_drain (peer);
}

static void
assert_carol_is_out (Group *group, BravisError why)
{
  g_assert_true (group->carol->over);
  g_assert_cmpint (group->carol->end_reason, ==, GCP_END_PUT_OUT);
  world_assert_settled (group->world, 2);
  g_assert_true (peer_was_told (group->alice, "left " CAROL " put-out"));
  g_assert_true (peer_was_told (group->bob, "left " CAROL " put-out"));
  g_assert_true (peer_reports (group->alice, CAROL, NULL, why));
  g_assert_true (peer_reports (group->bob, CAROL, NULL, why));
}

static void
test_one_that_hears_of_a_revocation_tells_all (Group *group,
    gconstpointer data)
{
  test_pki_revoke (group->pki, "carol");
  reload (group->bob);
  world_run (group->world, 3 * WORLD_SECOND);
  assert_carol_is_out (group, BRAVIS_ERROR_REVOKED);
}

/* Who has the list from another member uses it for newcomers, too. */
static void
test_list_of_another_counts_from_then_on (Group *group, gconstpointer data)
{
  Peer *dave = world_add (group->world, "dave");

  test_pki_revoke (group->pki, "dave");
  reload (group->bob);
  world_run (group->world, WORLD_SECOND);
  peer_invite (group->alice, dave);
  world_run (group->world, 3 * WORLD_SECOND);
  world_assert_settled (group->world, 3);
  g_assert_true (peer_reports (group->alice, "dave@example.org", NULL,
          BRAVIS_ERROR_REVOKED));
}

/* A newcomer knows more than the group does. (It must come in first: who is on its
 * list when it sees the roster keeps it from that.) */
static void
test_newcomer_brings_its_list_along (Group *group, gconstpointer data)
{
  Peer *dave, *eve = world_add (group->world, "eve");

  test_pki_revoke (group->pki, "eve");
  dave = world_add (group->world, "dave");
  peer_invite (group->alice, dave);
  world_run (group->world, 3 * WORLD_SECOND);
  world_assert_settled (group->world, 4);
  peer_invite (group->bob, eve);
  world_run (group->world, 3 * WORLD_SECOND);
  world_assert_settled (group->world, 4);
  g_assert_true (peer_reports (group->bob, "eve@example.org", NULL,
          BRAVIS_ERROR_REVOKED));
}

static void
say_list (Peer *peer, GBytes *der)
{
  const BravisGroupMessage message = { .type = BRAVIS_GROUP_REVOCATIONS,
    .payload = der };

  peer_say_message (peer, &message);
}

/* Mallory has an authority of her own, which has the name of the real one. */
static void
test_list_that_no_authority_signed_puts_nobody_out (Group *group,
    gconstpointer data)
{
  g_autoptr (GPtrArray) lists = NULL;
  g_autofree guint8 *copy = NULL;
  g_autoptr (GBytes) forged = NULL;
  gsize size;

  test_pki_revoke (group->pki, "carol");
  bravis_identity_reload_revocations (group->bob->conference->identity, NULL);
  lists = bravis_identity_list_revocations (group->bob->conference->identity);
  for (guint i = 0; i < lists->len; i++) {
    copy = g_memdup2 (g_bytes_get_data (lists->pdata[i], &size),
        g_bytes_get_size (lists->pdata[i]));
    copy[size - 1] ^= 1;
    g_clear_pointer (&forged, g_bytes_unref);
    forged = g_bytes_new_take (g_steal_pointer (&copy), size);
    say_list (group->bob, forged);
  }
  world_run (group->world, 3 * WORLD_SECOND);
  world_assert_settled (group->world, 3);
}

static void
test_garbage_in_place_of_a_list_is_dropped (Group *group, gconstpointer data)
{
  g_autoptr (GBytes) garbage = g_bytes_new ("garbage", 7);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);

  say_list (group->bob, garbage);
  say_list (group->bob, nothing);
  world_run (group->world, WORLD_SECOND);
  world_assert_settled (group->world, 3);
}

/* An old list, on which she is not, does not make her good again. */
static void
test_older_list_does_not_take_the_place_of_a_newer (Group *group,
    gconstpointer data)
{
  g_autoptr (GPtrArray) before = bravis_identity_list_revocations (
      group->alice->conference->identity);
  g_autoptr (GPtrArray) after = NULL;

  test_pki_revoke (group->pki, "carol");
  reload (group->alice);
  after = bravis_identity_list_revocations (group->alice->conference->identity);
  for (guint i = 0; i < before->len; i++)
    say_list (group->bob, before->pdata[i]);
  world_run (group->world, 3 * WORLD_SECOND);
  assert_carol_is_out (group, BRAVIS_ERROR_REVOKED);
  for (guint i = 0; i < after->len; i++) {
    g_autoptr (GPtrArray) now = bravis_identity_list_revocations (
        group->alice->conference->identity);

    g_assert_true (g_bytes_equal (now->pdata[i], after->pdata[i]));
  }
}

/* The root's list, as it was and stays valid until @until. */
static GBytes *
sign_list (TestPki *pki, gint64 until)
{
  g_autoptr (BravisAuthority) root = bravis_authority_open (
      test_pki_file (pki, "root", ""), NULL);
  g_autofree char *pem = NULL;
  gnutls_datum_t text, der;
  gnutls_x509_crl_t crl;
  GBytes *bytes;

  g_assert_true (bravis_authority_renew_crl (root, TEST_PKI_FROM, until, NULL));
  g_assert_true (g_file_get_contents (test_pki_file (pki, "root", "/crl.pem"),
          &pem, NULL, NULL));
  text = (gnutls_datum_t) { (guint8 *) pem, strlen (pem) };
  g_assert_cmpint (gnutls_x509_crl_init (&crl), ==, 0);
  g_assert_cmpint (gnutls_x509_crl_import (crl, &text, GNUTLS_X509_FMT_PEM), ==,
      0);
  g_assert_cmpint (gnutls_x509_crl_export2 (crl, GNUTLS_X509_FMT_DER, &der),
      ==, 0);
  bytes = g_bytes_new (der.data, der.size);
  gnutls_free (der.data);
  gnutls_x509_crl_deinit (crl);
  return bytes;
}

static void
apply (BravisIdentity *identity, GBytes *list, GBytes *chain)
{
  g_autoptr (GPtrArray) chains = g_ptr_array_new ();
  g_autoptr (GPtrArray) reasons = NULL;
  gsize size;
  gconstpointer der = g_bytes_get_data (list, &size);

  g_ptr_array_add (chains, chain);
  reasons = bravis_identity_apply_revocations (identity, der, size, chains);
  g_assert_nonnull (reasons);
}

/* Who was given no list of an authority asks for none that is in date, whatever old
 * one somebody shows; who was, does. */
static void
test_old_list_shuts_nobody_out_who_is_not_on_it (Group *group,
    gconstpointer data)
{
  TestPki *pki = group->pki;
  g_autoptr (BravisIdentity) without = bravis_identity_new (
      test_pki_file (pki, "alice", ".pem"), test_pki_file (pki, "alice",
          "-key.pem"), test_pki_get_trust_file (pki), NULL, NULL);
  g_autoptr (BravisIdentity) with = test_pki_identity (pki, "alice");
  GBytes *chain = bravis_identity_get_chain (group->bob->conference->identity);
  g_autoptr (GBytes) old = sign_list (pki, TEST_PKI_NOW - 1);
  BravisIdentity *identities[] = { without, with };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (BravisCertificate) bob = NULL;
    g_autoptr (GError) error = NULL;

    apply (identities[i], old, chain);
    bob = bravis_identity_verify (identities[i], g_bytes_get_data (chain, NULL),
        g_bytes_get_size (chain), TEST_PKI_NOW, &error);
    if (i == 0)
      g_assert_no_error (error);
    else
      g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_EXPIRED);
  }
}

static void
test_broken_file_leaves_the_lists_as_they_were (Group *group,
    gconstpointer data)
{
  g_autoptr (GPtrArray) before = bravis_identity_list_revocations (
      group->alice->conference->identity);
  g_autoptr (GPtrArray) after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (test_pki_get_crl_file (group->pki),
          "half a li", -1, NULL));
  g_assert_null (bravis_identity_reload_revocations (
          group->alice->conference->identity, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE);
  g_assert_nonnull (strstr (error->message, "crl.pem"));
  after = bravis_identity_list_revocations (group->alice->conference->identity);
  g_assert_cmpuint (after->len, ==, before->len);
}

/* By the clocks of the others, whatever her own says. */
static void
test_who_runs_out_is_put_out (Group *group, gconstpointer data)
{
  group->world->wall_clock += 2 * 60 * 60;
  world_run (group->world, 3 * WORLD_SECOND);
  assert_carol_is_out (group, BRAVIS_ERROR_EXPIRED);
}

/* In good time, by itself: nobody does anything meanwhile. */
static void
test_who_runs_out_is_put_out_when_it_does (Group *group, gconstpointer data)
{
  world_run (group->world, 3700 * WORLD_SECOND);
  assert_carol_is_out (group, BRAVIS_ERROR_EXPIRED);
}

/* One whose clock is wrong, or who lies, puts nobody out. */
static void
test_one_wrong_clock_puts_nobody_out (Group *group, gconstpointer data)
{
  Peer *bob = group->bob;
  guint64 wire = GUINT64_TO_BE (group->carol->conference->own->card->id);
  g_autoptr (GBytes) body = g_bytes_new (&wire, sizeof wire);

  for (guint i = 0; i < 3; i++)
    bravis_conference_give_command (bob->conference, BRAVIS_COMMAND_EXPIRED,
        body, NULL);
  bravis_conference_tick (bob->conference,
      sim_network_now (group->world->network), world_get_time (group->world));
  peer_drain (bob);
  world_run (group->world, 3 * WORLD_SECOND);
  world_assert_settled (group->world, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, kind) \
  g_test_add ("/keymgmt/validity/" #name, Group, GINT_TO_POINTER (kind), set_up, \
      test_##name, tear_down)
  ADD (one_that_hears_of_a_revocation_tells_all, TEST_PKI_GOOD);
  ADD (list_of_another_counts_from_then_on, TEST_PKI_GOOD);
  ADD (newcomer_brings_its_list_along, TEST_PKI_GOOD);
  ADD (list_that_no_authority_signed_puts_nobody_out, TEST_PKI_GOOD);
  ADD (garbage_in_place_of_a_list_is_dropped, TEST_PKI_GOOD);
  ADD (older_list_does_not_take_the_place_of_a_newer, TEST_PKI_GOOD);
  ADD (old_list_shuts_nobody_out_who_is_not_on_it, TEST_PKI_GOOD);
  ADD (broken_file_leaves_the_lists_as_they_were, TEST_PKI_GOOD);
  ADD (who_runs_out_is_put_out, TEST_PKI_SHORT);
  ADD (who_runs_out_is_put_out_when_it_does, TEST_PKI_SHORT);
  ADD (one_wrong_clock_puts_nobody_out, TEST_PKI_GOOD);
#undef ADD
  return g_test_run ();
}
