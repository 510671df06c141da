/* test-pki.h: authorities and members for tests
 *
 * An authority in a directory of its own under the temporary files, and
 * identities that trust it. All are valid at TEST_PKI_NOW and for years around.
 */
#pragma once

#include "../../keymgmt/bravis-identity.h"

G_BEGIN_DECLS

#define TEST_PKI_NOW G_GINT64_CONSTANT (1767225600)     /* 2026-01-01 */
#define TEST_PKI_FROM G_GINT64_CONSTANT (1577836800)    /* 2020-01-01 */
#define TEST_PKI_UNTIL G_GINT64_CONSTANT (2208988800)   /* 2040-01-01 */

typedef struct _TestPki TestPki;

/* What is wrong with an identity, in the eyes of the others. */
typedef enum {
  TEST_PKI_GOOD,
  TEST_PKI_EXPIRED,             /* on 2025-12-31 */
  TEST_PKI_SHORT,               /* good for an hour after TEST_PKI_NOW */
  TEST_PKI_NOT_YET_VALID,       /* before 2026-01-02 */
  TEST_PKI_REVOKED,             /* only those made afterwards know it */
  TEST_PKI_OTHER_CA,            /* issued by an authority nobody else trusts */
  TEST_PKI_INTERMEDIATE,        /* good: issued by an authority below the root */
  TEST_PKI_ECDSA,               /* good: another kind of key */
  TEST_PKI_RSA                  /* good, and slow to make */
} TestPkiKind;

TestPki *test_pki_new (void);
void test_pki_free (TestPki *pki);      /* removes the files too */

/* @name: "alice" stands for alice@example.org. Files are made once for each name:
 * asked again, the same identity is loaded again, with the present list. */
BravisIdentity *test_pki_identity (TestPki *pki, const char *name);
BravisIdentity *test_pki_identity_of_kind (TestPki *pki, const char *name,
    TestPkiKind kind);

/* Only makes the files, which are for configurations:
 * DIR/NAME.pem, DIR/NAME-key.pem with NAME as it was given. */
void test_pki_make_files (TestPki *pki, const char *name, TestPkiKind kind);

void test_pki_revoke (TestPki *pki, const char *name);

const char *test_pki_get_directory (TestPki *pki);
/* The path of DIR/@name@suffix, kept by @pki: test_pki_file (pki, "alice", ".pem") */
const char *test_pki_file (TestPki *pki, const char *name, const char *suffix);
const char *test_pki_get_trust_file (TestPki *pki);
const char *test_pki_get_crl_file (TestPki *pki);       /* root's and intermediate's */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestPki, test_pki_free)

G_END_DECLS
