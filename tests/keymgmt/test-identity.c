/* Identities: what is loaded, who is believed, and what is said of the others. */
#include "../../keymgmt/bravis-certificate.h"
#include "../../gcp/gcp-wire.h"
#include "../../tools/bravis-authority.h"
#include "test-pki.h"

#include <string.h>

#include <glib/gstdio.h>

#define DAY (24 * 60 * 60)

typedef struct {
  TestPki *pki;
  BravisIdentity *alice;
} World;

static void
set_up (World *world, gconstpointer data)
{
  world->pki = test_pki_new ();
  world->alice = test_pki_identity (world->pki, "alice");
}

static void
tear_down (World *world, gconstpointer data)
{
  bravis_identity_unref (world->alice);
  test_pki_free (world->pki);
}

static BravisCertificate *
verify_at (BravisIdentity *verifier, GBytes *chain, gint64 wall_clock,
    GError **error)
{
  return bravis_identity_verify (verifier, g_bytes_get_data (chain, NULL),
      g_bytes_get_size (chain), wall_clock, error);
}

static void
assert_taken (BravisIdentity *verifier, GBytes *chain, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisCertificate) certificate = verify_at (verifier, chain,
      TEST_PKI_NOW, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (bravis_certificate_get_name (certificate), ==, name);
}

static void
assert_refused (BravisIdentity *verifier, GBytes *chain, int code,
    const char *because)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (verify_at (verifier, chain, TEST_PKI_NOW, &error));
  g_assert_error (error, BRAVIS_ERROR, code);
  g_test_message ("%s", error->message);
  if (!strstr (error->message, because))
    g_error ("“%s” does not say “%s”", error->message, because);
}

/* ----- certificates that no honest authority makes ----- */

typedef struct {
  gnutls_x509_crt_t certificate;
  gnutls_privkey_t key;
} Issuer;

typedef struct {
  const char *names[3];         /* URIs */
  guint usage;                  /* 0: the extension is missing */
  gboolean is_ca;
  int path_length;
  BravisKeyType key_type;
  guint rsa_bits;
  gboolean no_ca_extension;
} Wanted;

static void
must (int result)
{
  if (result < 0)
    g_error ("%s", gnutls_strerror (result));
}

static void
issuer_clear (Issuer *issuer)
{
  gnutls_x509_crt_deinit (issuer->certificate);
  gnutls_privkey_deinit (issuer->key);
}

/* The trusted authority of the test's directory. */
static Issuer
open_issuer (TestPki *pki, const char *directory)
{
  Issuer issuer;
  g_autofree char *certificate_file = g_build_filename (
      test_pki_get_directory (pki), directory, "ca.pem", NULL);
  g_autofree char *key_file = g_build_filename (test_pki_get_directory (pki),
      directory, "ca-key.pem", NULL);
  g_autofree char *certificate = NULL;
  g_autofree char *key = NULL;
  gnutls_datum_t pem;

  g_assert_true (g_file_get_contents (certificate_file, &certificate, NULL,
      NULL));
  g_assert_true (g_file_get_contents (key_file, &key, NULL, NULL));
  must (gnutls_x509_crt_init (&issuer.certificate));
  must (gnutls_privkey_init (&issuer.key));
  pem = (gnutls_datum_t) { (guint8 *) certificate, strlen (certificate) };
  must (gnutls_x509_crt_import (issuer.certificate, &pem,
      GNUTLS_X509_FMT_PEM));
  pem = (gnutls_datum_t) { (guint8 *) key, strlen (key) };
  must (gnutls_privkey_import_x509_raw (issuer.key, &pem, GNUTLS_X509_FMT_PEM,
      NULL, 0));
  return issuer;
}

static Issuer
make_certificate (const Issuer *issuer, const Wanted *wanted)
{
  Issuer made;
  gnutls_x509_privkey_t key;
  guint8 serial[8] = { 0x40 }, id[20];
  size_t id_size = sizeof id;

  must (gnutls_x509_privkey_init (&key));
  if (wanted->rsa_bits)
    must (gnutls_x509_privkey_generate (key, GNUTLS_PK_RSA, wanted->rsa_bits,
        0));
  else
    must (gnutls_x509_privkey_generate (key, GNUTLS_PK_EDDSA_ED25519, 256, 0));
  must (gnutls_privkey_init (&made.key));
  must (gnutls_privkey_import_x509 (made.key, key,
      GNUTLS_PRIVKEY_IMPORT_COPY));

  must (gnutls_x509_crt_init (&made.certificate));
  must (gnutls_x509_crt_set_version (made.certificate, 3));
  for (gsize i = 1; i < sizeof serial; i++)
    serial[i] = g_random_int ();
  must (gnutls_x509_crt_set_serial (made.certificate, serial, sizeof serial));
  must (gnutls_x509_crt_set_dn_by_oid (made.certificate,
      GNUTLS_OID_X520_COMMON_NAME, 0, "Odd", 3));
  must (gnutls_x509_crt_set_activation_time (made.certificate, TEST_PKI_FROM));
  must (gnutls_x509_crt_set_expiration_time (made.certificate,
      TEST_PKI_UNTIL));
  must (gnutls_x509_crt_set_key (made.certificate, key));
  must (gnutls_x509_crt_get_key_id (made.certificate, 0, id, &id_size));
  must (gnutls_x509_crt_set_subject_key_id (made.certificate, id, id_size));
  if (wanted->usage)
    must (gnutls_x509_crt_set_key_usage (made.certificate, wanted->usage));
  if (!wanted->no_ca_extension)
    must (gnutls_x509_crt_set_basic_constraints (made.certificate,
        wanted->is_ca, wanted->path_length));
  for (guint i = 0; wanted->names[i]; i++)
    must (gnutls_x509_crt_set_subject_alt_name (made.certificate,
        GNUTLS_SAN_URI, wanted->names[i], strlen (wanted->names[i]),
        GNUTLS_FSAN_APPEND));
  must (gnutls_x509_crt_privkey_sign (made.certificate, issuer->certificate,
      issuer->key, gnutls_privkey_get_pk_algorithm (issuer->key, NULL)
      == GNUTLS_PK_EDDSA_ED25519 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256, 0));
  gnutls_x509_privkey_deinit (key);
  return made;
}

static GBytes *
chain_of (const Issuer *first, const Issuer *second, const Issuer *third)
{
  const Issuer *all[] = { first, second, third };
  GcpWriter writer;

  gcp_writer_init (&writer);
  for (guint i = 0; i < G_N_ELEMENTS (all) && all[i]; i++) {
    gnutls_datum_t der;

    must (gnutls_x509_crt_export2 (all[i]->certificate, GNUTLS_X509_FMT_DER,
        &der));
    gcp_write_vector24 (&writer, der.data, der.size);
    gnutls_free (der.data);
  }
  return gcp_writer_finish (&writer);
}

/* An end certificate by the trusted authority, looked at by Alice. */
static void
assert_odd_one_is_refused (World *world, const Wanted *wanted,
    const char *because)
{
  Issuer root = open_issuer (world->pki, "root");
  Issuer odd = make_certificate (&root, wanted);
  g_autoptr (GBytes) chain = chain_of (&odd, NULL, NULL);

  assert_refused (world->alice, chain, BRAVIS_ERROR_CERTIFICATE, because);
  issuer_clear (&odd);
  issuer_clear (&root);
}

#define GOOD_USAGE GNUTLS_KEY_DIGITAL_SIGNATURE
#define CA_USAGE (GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)

static void
test_this_test_can_make_a_good_certificate (World *world, gconstpointer data)
{
  Wanted wanted = { { "sip:odd@example.org" }, GOOD_USAGE, FALSE, -1 };
  Issuer root = open_issuer (world->pki, "root");
  Issuer odd = make_certificate (&root, &wanted);
  g_autoptr (GBytes) chain = chain_of (&odd, NULL, NULL);

  assert_taken (world->alice, chain, "odd@example.org");
  issuer_clear (&odd);
  issuer_clear (&root);
}

static void
test_certificate_without_a_name_is_refused (World *world, gconstpointer data)
{
  Wanted none = { { NULL }, GOOD_USAGE, FALSE, -1 };
  Wanted other = { { "https://example.org/" }, GOOD_USAGE, FALSE, -1 };

  assert_odd_one_is_refused (world, &none, "no name");
  assert_odd_one_is_refused (world, &other, "no name");
}

static void
test_certificate_with_two_names_is_refused (World *world, gconstpointer data)
{
  Wanted wanted = { { "sip:odd@example.org", "sip:alice@example.org" },
    GOOD_USAGE, FALSE, -1 };

  assert_odd_one_is_refused (world, &wanted, "more than one name");
}

static void
test_certificate_with_an_odd_name_is_refused (World *world, gconstpointer data)
{
  static const char *const names[] = { "sip:", "sip:alice",
    "sip:alice@example.org;transport=udp", "sip:a%6cice@example.org",
    "sip:al ice@example.org", "SIP:alice@", "sip:alice@@example.org" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    Wanted wanted = { { names[i] }, GOOD_USAGE, FALSE, -1 };

    assert_odd_one_is_refused (world, &wanted, "not sip:user@domain");
  }
}

static void
test_wrong_key_usage_is_refused (World *world, gconstpointer data)
{
  Wanted wrong = { { "sip:odd@example.org" }, GNUTLS_KEY_KEY_ENCIPHERMENT,
    FALSE, -1 };
  Wanted none = { { "sip:odd@example.org" }, 0, FALSE, -1 };

  assert_odd_one_is_refused (world, &wrong, "digitalSignature");
  assert_odd_one_is_refused (world, &none, "digitalSignature");
}

static void
test_authority_is_no_member (World *world, gconstpointer data)
{
  Wanted wanted = { { "sip:odd@example.org" }, GOOD_USAGE | CA_USAGE, TRUE,
    0 };

  assert_odd_one_is_refused (world, &wanted, "authority");
}

static void
test_weak_key_is_refused (World *world, gconstpointer data)
{
  Wanted wanted = { { "sip:odd@example.org" }, GOOD_USAGE, FALSE, -1,
    .rsa_bits = 1024 };

  assert_odd_one_is_refused (world, &wanted, "");
}

/* Alice's key is certified, but that makes her no authority. */
static void
test_member_cannot_issue (World *world, gconstpointer data)
{
  static const struct {
    Wanted middle;
    const char *because;
  } cases[] = {
    { { { "sip:m@example.org" }, GOOD_USAGE | CA_USAGE, FALSE, -1 },
        "not an authority's" },
    { { { "sip:m@example.org" }, GOOD_USAGE | CA_USAGE, FALSE, -1,
            .no_ca_extension = TRUE }, "not an authority's" },
    { { { "sip:m@example.org" }, GOOD_USAGE, TRUE, -1 }, "may not issue" },
  };
  Wanted end = { { "sip:odd@example.org" }, GOOD_USAGE, FALSE, -1 };
  Issuer root = open_issuer (world->pki, "root");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    Issuer middle = make_certificate (&root, &cases[i].middle);
    Issuer odd = make_certificate (&middle, &end);
    g_autoptr (GBytes) chain = chain_of (&odd, &middle, NULL);

    assert_refused (world->alice, chain, BRAVIS_ERROR_CERTIFICATE,
        cases[i].because);
    issuer_clear (&odd);
    issuer_clear (&middle);
  }
  issuer_clear (&root);
}

/* The intermediate authority has path length 0, the root 1. */
static void
test_path_length_is_kept (World *world, gconstpointer data)
{
  Wanted authority = { { NULL }, CA_USAGE, TRUE, -1 };
  Wanted end = { { "sip:odd@example.org" }, GOOD_USAGE, FALSE, -1 };
  Issuer root = open_issuer (world->pki, "root");
  Issuer below = open_issuer (world->pki, "below");
  Issuer under_below = make_certificate (&below, &authority);
  Issuer under_root = make_certificate (&root, &authority);
  Issuer third = make_certificate (&under_root, &authority);
  Issuer too_low = make_certificate (&under_below, &end);
  Issuer also_too_low = make_certificate (&third, &end);
  Issuer good = make_certificate (&under_root, &end);
  g_autoptr (GBytes) one = chain_of (&too_low, &under_below, &below);
  g_autoptr (GBytes) two = chain_of (&also_too_low, &third, &under_root);
  g_autoptr (GBytes) three = chain_of (&good, &under_root, NULL);

  assert_refused (world->alice, one, BRAVIS_ERROR_CERTIFICATE, "so many authorities");
  assert_refused (world->alice, two, BRAVIS_ERROR_CERTIFICATE, "so many authorities");
  assert_taken (world->alice, three, "odd@example.org");
  issuer_clear (&root);
  issuer_clear (&below);
  issuer_clear (&under_below);
  issuer_clear (&under_root);
  issuer_clear (&third);
  issuer_clear (&too_low);
  issuer_clear (&also_too_low);
  issuer_clear (&good);
}

/* An authority that calls itself as the trusted one does, with another key. */
static void
test_authority_of_the_same_name_is_not_the_same (World *world,
    gconstpointer data)
{
  g_autoptr (TestPki) twin = test_pki_new ();
  g_autoptr (BravisIdentity) mallory = test_pki_identity (twin, "mallory");

  assert_refused (world->alice, bravis_identity_get_chain (mallory),
      BRAVIS_ERROR_UNTRUSTED, "not issued by a trusted authority");
}

static void
test_chain_out_of_order_is_refused (World *world, gconstpointer data)
{
  Wanted authority = { { NULL }, CA_USAGE, TRUE, 0 };
  Wanted end = { { "sip:odd@example.org" }, GOOD_USAGE, FALSE, -1 };
  Issuer root = open_issuer (world->pki, "root");
  Issuer middle = make_certificate (&root, &authority);
  Issuer stranger = make_certificate (&root, &authority);
  Issuer odd = make_certificate (&middle, &end);
  g_autoptr (GBytes) swapped = chain_of (&odd, &stranger, &middle);
  g_autoptr (GBytes) missing = chain_of (&odd, NULL, NULL);
  g_autoptr (GBytes) with_root = chain_of (&odd, &middle, &root);

  assert_refused (world->alice, swapped, BRAVIS_ERROR_CERTIFICATE,
      "did not issue it");
  assert_refused (world->alice, missing, BRAVIS_ERROR_UNTRUSTED, "CN=Odd");
  assert_taken (world->alice, with_root, "odd@example.org");
  issuer_clear (&root);
  issuer_clear (&middle);
  issuer_clear (&stranger);
  issuer_clear (&odd);
}

/* ----- those that an authority makes ----- */

static void
test_all_kinds_of_keys_sign_and_verify (World *world, gconstpointer data)
{
  static const TestPkiKind kinds[] = { TEST_PKI_GOOD, TEST_PKI_ECDSA,
    TEST_PKI_RSA, TEST_PKI_INTERMEDIATE };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree char *name = g_strdup_printf ("member%" G_GSIZE_FORMAT, i);
    g_autofree char *full = g_strconcat (name, "@example.org", NULL);
    g_autoptr (BravisIdentity) identity = test_pki_identity_of_kind (
        world->pki, name, kinds[i]);
    g_autoptr (BravisCertificate) certificate = NULL;
    g_autoptr (GBytes) signature = NULL;
    g_autoptr (GError) error = NULL;
    gsize size;
    g_autofree guint8 *altered = NULL;

    assert_taken (world->alice, bravis_identity_get_chain (identity), full);
    certificate = verify_at (world->alice,
        bravis_identity_get_chain (identity), TEST_PKI_NOW, NULL);
    signature = bravis_identity_sign (identity, "label", "text", 4, &error);
    g_assert_no_error (error);
    size = g_bytes_get_size (signature);
    g_assert_cmpuint (size, <=, BRAVIS_MAX_SIGNATURE);
    g_assert_true (bravis_certificate_verify_signature (certificate, "label",
        "text", 4, g_bytes_get_data (signature, NULL), size, NULL));

    /* Another label, another text, another boundary between them, or one bit. */
    g_assert_false (bravis_certificate_verify_signature (certificate, "labe",
        "text", 4, g_bytes_get_data (signature, NULL), size, NULL));
    g_assert_false (bravis_certificate_verify_signature (certificate, "label",
        "texT", 4, g_bytes_get_data (signature, NULL), size, NULL));
    g_assert_false (bravis_certificate_verify_signature (certificate, "labelt",
        "ext", 3, g_bytes_get_data (signature, NULL), size, NULL));
    altered = g_memdup2 (g_bytes_get_data (signature, NULL), size);
    for (gsize octet = 0; octet < size; octet++) {
      altered[octet] ^= 1 << octet % 8;
      g_assert_false (bravis_certificate_verify_signature (certificate,
          "label", "text", 4, altered, size, NULL));
      g_assert_false (bravis_certificate_verify_signature (certificate,
          "label", "text", 4, altered, octet, NULL));
      altered[octet] ^= 1 << octet % 8;
    }
  }
}

static void
test_refusal_says_why (World *world, gconstpointer data)
{
  static const struct {
    const char *name;
    TestPkiKind kind;
    int code;
    const char *because;
  } cases[] = {
    { "other", TEST_PKI_OTHER_CA, BRAVIS_ERROR_UNTRUSTED,
        "other@example.org is not issued by a trusted authority "
        "(issuer CN=Other CA)" },
    { "late", TEST_PKI_EXPIRED, BRAVIS_ERROR_EXPIRED,
        "late@example.org expired on 2025-12-31" },
    { "early", TEST_PKI_NOT_YET_VALID, BRAVIS_ERROR_EXPIRED,
        "early@example.org is not valid before 2026-01-02" },
    { "revoked", TEST_PKI_REVOKED, BRAVIS_ERROR_REVOKED,
        "revoked@example.org was revoked on 2025-12-31" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (BravisIdentity) identity = test_pki_identity_of_kind (
        world->pki, cases[i].name, cases[i].kind);
    g_autoptr (BravisIdentity) alice = test_pki_identity (world->pki, "alice");

    assert_refused (alice, bravis_identity_get_chain (identity),
        cases[i].code, cases[i].because);
  }
}

static void
test_validity_has_sharp_ends (World *world, gconstpointer data)
{
  GBytes *chain = bravis_identity_get_chain (world->alice);
  g_autoptr (BravisCertificate) first = verify_at (world->alice, chain,
      TEST_PKI_FROM, NULL);
  g_autoptr (BravisCertificate) last = verify_at (world->alice, chain,
      TEST_PKI_UNTIL, NULL);
  g_autoptr (GError) early = NULL;
  g_autoptr (GError) late = NULL;

  g_assert_nonnull (first);
  g_assert_nonnull (last);
  g_assert_null (verify_at (world->alice, chain, TEST_PKI_FROM - 1, &early));
  g_assert_error (early, BRAVIS_ERROR, BRAVIS_ERROR_EXPIRED);
  g_assert_null (verify_at (world->alice, chain, TEST_PKI_UNTIL + 1, &late));
  g_assert_error (late, BRAVIS_ERROR, BRAVIS_ERROR_EXPIRED);
}

/* An authority and an own one below it, made at will. */
static BravisAuthority *
make_authority (const char *directory, BravisAuthority *parent,
    const char *name, gint64 until, gint64 crl_until)
{
  g_autoptr (GError) error = NULL;
  BravisAuthority *authority;
  BravisWish wish = { name, BRAVIS_KEY_ED25519, TEST_PKI_FROM, until };

  bravis_authority_create (directory, parent, &wish, parent ? 0 : 1, crl_until,
      &error);
  g_assert_no_error (error);
  authority = bravis_authority_open (directory, &error);
  g_assert_no_error (error);
  return authority;
}

static BravisIdentity *
make_member (TestPki *pki, BravisAuthority *authority, const char *name,
    const char *trust, const char *crl)
{
  g_autoptr (GError) error = NULL;
  BravisIdentity *identity;
  BravisWish wish = { name, BRAVIS_KEY_ED25519, TEST_PKI_FROM,
    TEST_PKI_UNTIL };

  bravis_authority_issue (authority, &wish, test_pki_file (pki, name, ".pem"),
      test_pki_file (pki, name, "-key.pem"), &error);
  g_assert_no_error (error);
  identity = bravis_identity_new (test_pki_file (pki, name, ".pem"),
      test_pki_file (pki, name, "-key.pem"), trust, crl, &error);
  g_assert_no_error (error);
  return identity;
}

static void
test_expired_authority_is_named (World *world, gconstpointer data)
{
  g_autofree char *root = g_build_filename (
      test_pki_get_directory (world->pki), "root", NULL);
  const char *directory = test_pki_file (world->pki, "old-middle", "");
  const char *own_root = test_pki_file (world->pki, "old-root", "");
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisAuthority) parent = bravis_authority_open (root, &error);
  g_autoptr (BravisAuthority) middle = make_authority (directory, parent,
      "Old CA", TEST_PKI_NOW - DAY, TEST_PKI_UNTIL);
  g_autoptr (BravisAuthority) old_root = make_authority (own_root, NULL,
      "Old Root", TEST_PKI_NOW - DAY, TEST_PKI_UNTIL);
  g_autoptr (BravisIdentity) bob = make_member (world->pki, middle,
      "bob@example.org", test_pki_get_trust_file (world->pki), NULL);
  g_autoptr (BravisIdentity) carol = make_member (world->pki, old_root,
      "carol@example.org", test_pki_file (world->pki, "old-root/ca", ".pem"),
      NULL);

  assert_refused (world->alice, bravis_identity_get_chain (bob),
      BRAVIS_ERROR_EXPIRED, "CN=Old CA expired on 2025-12-31");
  assert_refused (carol, bravis_identity_get_chain (carol),
      BRAVIS_ERROR_EXPIRED, "CN=Old Root expired on 2025-12-31");
}

static void
test_revoked_intermediate_takes_its_members_along (World *world,
    gconstpointer data)
{
  g_autoptr (BravisIdentity) bob = test_pki_identity_of_kind (world->pki,
      "bob", TEST_PKI_INTERMEDIATE);
  g_autofree char *root = g_build_filename (
      test_pki_get_directory (world->pki), "root", NULL);
  g_autofree char *crl = g_build_filename (root, "crl.pem", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisAuthority) authority = bravis_authority_open (root, &error);
  g_autoptr (BravisIdentity) alice = NULL;

  assert_taken (world->alice, bravis_identity_get_chain (bob),
      "bob@example.org");
  g_assert_cmpuint (bravis_authority_revoke (authority,
      test_pki_file (world->pki, "below/ca", ".pem"), TEST_PKI_NOW - DAY,
      TEST_PKI_UNTIL, &error), ==, 1);
  g_assert_no_error (error);
  alice = bravis_identity_new (test_pki_file (world->pki, "alice", ".pem"),
      test_pki_file (world->pki, "alice", "-key.pem"),
      test_pki_get_trust_file (world->pki), crl, &error);
  g_assert_no_error (error);
  assert_refused (alice, bravis_identity_get_chain (bob), BRAVIS_ERROR_REVOKED,
      "CN=Test Intermediate CA was revoked on");
}

/* Revoked by the intermediate authority, whose list is not the root's. */
static void
test_list_of_an_intermediate_counts_too (World *world, gconstpointer data)
{
  g_autoptr (BravisIdentity) bob = test_pki_identity_of_kind (world->pki,
      "bob", TEST_PKI_INTERMEDIATE);
  const char *below = test_pki_file (world->pki, "below", "");
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisAuthority) authority = bravis_authority_open (below,
      &error);
  g_autoptr (BravisIdentity) alice = NULL;

  bravis_authority_revoke (authority, "bob@example.org", TEST_PKI_NOW - DAY,
      TEST_PKI_UNTIL, &error);
  g_assert_no_error (error);
  alice = bravis_identity_new (test_pki_file (world->pki, "alice", ".pem"),
      test_pki_file (world->pki, "alice", "-key.pem"),
      test_pki_get_trust_file (world->pki),
      test_pki_file (world->pki, "below/crl", ".pem"), &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 2; i++)
    assert_refused (alice, bravis_identity_get_chain (bob),
        BRAVIS_ERROR_REVOKED, "by CN=Test Intermediate CA");
}

static void
test_list_out_of_date_refuses_everybody_of_its_authority (World *world,
    gconstpointer data)
{
  const char *directory = test_pki_file (world->pki, "lazy", "");
  const char *trust = test_pki_file (world->pki, "lazy/ca", ".pem");
  const char *crl = test_pki_file (world->pki, "lazy/crl", ".pem");
  g_autoptr (GError) error = NULL;
  g_autoptr (BravisAuthority) lazy = make_authority (directory, NULL,
      "Lazy CA", TEST_PKI_UNTIL, TEST_PKI_NOW - DAY);
  g_autoptr (BravisIdentity) bob = make_member (world->pki, lazy,
      "bob@example.org", trust, crl);
  g_autoptr (BravisIdentity) again = NULL;

  assert_refused (bob, bravis_identity_get_chain (bob), BRAVIS_ERROR_EXPIRED,
      "revocation list of CN=Lazy CA is out of date since 2025-12-31");
  bravis_authority_renew_crl (lazy, TEST_PKI_NOW - DAY, TEST_PKI_UNTIL,
      &error);
  g_assert_no_error (error);
  again = bravis_identity_new (
      test_pki_file (world->pki, "bob@example.org", ".pem"),
      test_pki_file (world->pki, "bob@example.org", "-key.pem"), trust, crl,
      &error);
  g_assert_no_error (error);
  assert_taken (again, bravis_identity_get_chain (again), "bob@example.org");
}

/* Somebody else's list under the name of the authority frees nobody. */
static void
test_forged_list_is_noticed (World *world, gconstpointer data)
{
  g_autoptr (TestPki) twin = test_pki_new ();
  const char *root = test_pki_file (twin, "root", "");
  const char *root_list = test_pki_file (twin, "root/crl", ".pem");
  const char *below_list = test_pki_file (twin, "below/crl", ".pem");
  g_autoptr (BravisAuthority) authority = NULL;
  g_autoptr (BravisIdentity) bob = test_pki_identity_of_kind (world->pki,
      "bob", TEST_PKI_INTERMEDIATE);
  g_autoptr (BravisIdentity) alice = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (bravis_identity_new (
      test_pki_file (world->pki, "alice", ".pem"),
      test_pki_file (world->pki, "alice", "-key.pem"),
      test_pki_get_trust_file (world->pki), root_list, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE);
  g_assert_nonnull (strstr (error->message, root_list));
  g_clear_error (&error);

  /* Nor one that is out of date as well. */
  authority = bravis_authority_open (root, &error);
  g_assert_no_error (error);
  bravis_authority_renew_crl (authority, TEST_PKI_FROM, TEST_PKI_FROM + DAY,
      &error);
  g_assert_no_error (error);
  g_assert_null (bravis_identity_new (
      test_pki_file (world->pki, "alice", ".pem"),
      test_pki_file (world->pki, "alice", "-key.pem"),
      test_pki_get_trust_file (world->pki), root_list, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE);
  g_clear_error (&error);

  /* An intermediate's cannot be told before the intermediate is seen. */
  alice = bravis_identity_new (test_pki_file (world->pki, "alice", ".pem"),
      test_pki_file (world->pki, "alice", "-key.pem"),
      test_pki_get_trust_file (world->pki), below_list, &error);
  g_assert_no_error (error);
  assert_refused (alice, bravis_identity_get_chain (bob),
      BRAVIS_ERROR_UNTRUSTED, "not signed by it");
}

static void
test_altered_chain_is_refused_at_every_octet (World *world, gconstpointer data)
{
  GBytes *chain = bravis_identity_get_chain (world->alice);
  gsize size;
  const guint8 *good = g_bytes_get_data (chain, &size);

  for (gsize i = 0; i < size; i++) {
    g_autofree guint8 *copy = g_memdup2 (good, size);

    copy[i] ^= 1 << i % 8;
    g_assert_null (bravis_identity_verify (world->alice, copy, size,
        TEST_PKI_NOW, NULL));
    g_assert_null (bravis_identity_verify (world->alice, good, i,
        TEST_PKI_NOW, NULL));
  }
}

static void
test_chain_too_long_is_refused (World *world, gconstpointer data)
{
  GBytes *chain = bravis_identity_get_chain (world->alice);
  g_autoptr (GByteArray) many = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;

  for (guint i = 0; i <= BRAVIS_MAX_CHAIN_LENGTH; i++)
    g_byte_array_append (many, g_bytes_get_data (chain, NULL),
        g_bytes_get_size (chain));
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&many));
  assert_refused (world->alice, bytes, BRAVIS_ERROR_CERTIFICATE, "malformed");
}

/* ----- loading ----- */

typedef struct {
  const char *certificate, *key, *trust, *crl;
  int code;
  const char *says;
} LoadCase;

static void
assert_not_loaded (const LoadCase *files)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (bravis_identity_new (files->certificate, files->key,
      files->trust, files->crl, &error));
  g_assert_error (error, BRAVIS_ERROR, files->code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, files->says));
}

static void
test_files_that_are_wrong_are_named (World *world, gconstpointer data)
{
  TestPki *pki = world->pki;
  const char *certificate = test_pki_file (pki, "alice", ".pem");
  const char *key = test_pki_file (pki, "alice", "-key.pem");
  const char *trust = test_pki_get_trust_file (pki);
  const char *crl = test_pki_get_crl_file (pki);
  const char *missing = test_pki_file (pki, "missing", ".pem");
  const char *garbage = test_pki_file (pki, "garbage", ".pem");
  const char *directory = test_pki_get_directory (pki);
  g_autoptr (BravisIdentity) bob = test_pki_identity (pki, "bob");
  const char *bobs_key = test_pki_file (pki, "bob", "-key.pem");
  const LoadCase cases[] = {
    { missing, key, trust, crl, BRAVIS_ERROR_FILE, missing },
    { certificate, missing, trust, crl, BRAVIS_ERROR_FILE, missing },
    { certificate, key, missing, crl, BRAVIS_ERROR_FILE, missing },
    { certificate, key, trust, missing, BRAVIS_ERROR_FILE, missing },
    { garbage, key, trust, crl, BRAVIS_ERROR_CERTIFICATE, garbage },
    { certificate, garbage, trust, crl, BRAVIS_ERROR_FILE, garbage },
    { certificate, key, garbage, crl, BRAVIS_ERROR_CERTIFICATE, garbage },
    { certificate, key, trust, garbage, BRAVIS_ERROR_CERTIFICATE, garbage },
    { directory, key, trust, crl, BRAVIS_ERROR_FILE, directory },
    { "/dev/zero", key, trust, crl, BRAVIS_ERROR_FILE, "/dev/zero" },
    { certificate, bobs_key, trust, crl, BRAVIS_ERROR_KEY_MISMATCH, bobs_key },
    { key, key, trust, crl, BRAVIS_ERROR_CERTIFICATE, key },
    { certificate, certificate, trust, crl, BRAVIS_ERROR_FILE, certificate },
    { certificate, key, certificate, crl, BRAVIS_ERROR_CERTIFICATE,
        "not an authority's" },
    { trust, key, trust, crl, BRAVIS_ERROR_CERTIFICATE, trust },
    { certificate, key, trust, trust, BRAVIS_ERROR_CERTIFICATE, trust },
  };

  g_assert_nonnull (bob);
  g_assert_true (g_file_set_contents (garbage,
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", -1,
      NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_not_loaded (&cases[i]);
}

static void
test_own_file_may_end_with_the_root (World *world, gconstpointer data)
{
  const char *both = test_pki_file (world->pki, "both", ".pem");
  g_autofree char *own = NULL;
  g_autofree char *root = NULL;
  g_autofree char *text = NULL;
  g_autofree char *reversed = NULL;
  g_autoptr (BravisIdentity) identity = NULL;
  g_autoptr (GError) error = NULL;
  LoadCase wrong_order = { both, test_pki_file (world->pki, "bob",
        "-key.pem"), test_pki_get_trust_file (world->pki), NULL,
    BRAVIS_ERROR_CERTIFICATE, "not issued by certificate 3" };
  g_autoptr (BravisIdentity) bob = test_pki_identity_of_kind (world->pki,
      "bob", TEST_PKI_INTERMEDIATE);

  g_file_get_contents (test_pki_file (world->pki, "bob", ".pem"), &own, NULL,
      NULL);
  g_file_get_contents (test_pki_get_trust_file (world->pki), &root, NULL,
      NULL);
  text = g_strconcat (own, root, NULL);
  g_file_set_contents (both, text, -1, NULL);
  identity = bravis_identity_new (both, test_pki_file (world->pki, "bob",
          "-key.pem"), test_pki_get_trust_file (world->pki), NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (bravis_identity_get_chain (identity),
      bravis_identity_get_chain (bob)));

  reversed = g_strconcat (own, own, NULL);
  g_file_set_contents (both, reversed, -1, NULL);
  assert_not_loaded (&wrong_order);
}

static void
test_names (void)
{
  static const char *const good[] = { "a@b", "alice@example.org",
    "Al.ice-1_x+y@ex-ample.org" };
  static const char *const bad[] = { "", "alice", "@example.org", "alice@",
    "a@b@c", "al ice@b", "a/b@c", "a@b/c", "a@.b", "a@b.", "a@b..c",
    "\xc3\xa4@b", "a@b\n", "a;b@c" };
  g_autofree char *longest = g_strnfill (BRAVIS_MAX_NAME - 2, 'x');
  g_autofree char *at_limit = g_strconcat (longest, "@b", NULL);
  g_autofree char *over = g_strconcat (longest, "x@b", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (bravis_name_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (bravis_name_is_valid (bad[i]));
  g_assert_true (bravis_name_is_valid (at_limit));
  g_assert_false (bravis_name_is_valid (over));
}

static void
test_longest_name_can_be_certified (World *world, gconstpointer data)
{
  g_autofree char *user = g_strnfill (BRAVIS_MAX_NAME - 2, 'x');
  g_autofree char *name = g_strconcat (user, "@b", NULL);
  g_autoptr (BravisIdentity) identity = test_pki_identity (world->pki, name);

  assert_taken (world->alice, bravis_identity_get_chain (identity), name);
}

static void
test_text_of_others_is_made_printable (void)
{
  g_autofree char *cut = NULL;
  g_autofree char *text = bravis_printable ("a\n\x1b[2J\xff" "b", 8);
  g_autofree char *longer = g_strnfill (5000, 'x');

  g_assert_cmpstr (text, ==, "a??[2J?b");
  cut = bravis_printable (longer, 5000);
  g_assert_cmpuint (strlen (cut), <, 200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/identity/names", test_names);
  g_test_add_func ("/identity/text_of_others_is_made_printable",
      test_text_of_others_is_made_printable);
#define ADD(name) \
  g_test_add ("/identity/" #name, World, NULL, set_up, test_##name, tear_down)
  ADD (this_test_can_make_a_good_certificate);
  ADD (certificate_without_a_name_is_refused);
  ADD (certificate_with_two_names_is_refused);
  ADD (certificate_with_an_odd_name_is_refused);
  ADD (wrong_key_usage_is_refused);
  ADD (authority_is_no_member);
  ADD (weak_key_is_refused);
  ADD (member_cannot_issue);
  ADD (path_length_is_kept);
  ADD (authority_of_the_same_name_is_not_the_same);
  ADD (chain_out_of_order_is_refused);
  ADD (all_kinds_of_keys_sign_and_verify);
  ADD (refusal_says_why);
  ADD (validity_has_sharp_ends);
  ADD (expired_authority_is_named);
  ADD (revoked_intermediate_takes_its_members_along);
  ADD (list_of_an_intermediate_counts_too);
  ADD (list_out_of_date_refuses_everybody_of_its_authority);
  ADD (forged_list_is_noticed);
  ADD (altered_chain_is_refused_at_every_octet);
  ADD (chain_too_long_is_refused);
  ADD (files_that_are_wrong_are_named);
  ADD (own_file_may_end_with_the_root);
  ADD (longest_name_can_be_certified);
  return g_test_run ();
}
