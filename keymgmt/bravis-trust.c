#include "bravis-trust.h"

#include <errno.h>
#include <string.h>

#include <glib/gstdio.h>

#define MAX_FILE_SIZE (1024 * 1024)
#define MAX_AUTHORITIES 256
#define MAX_SERIAL 64                   /* octets; RFC 5280 allows 20 */

/* Everything is checked but the time, which is looked at here: GnuTLS knows
 * only the present, and reasons are to be told apart. */
#define VERIFY_FLAGS (GNUTLS_VERIFY_DISABLE_TIME_CHECKS \
    | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS \
    | GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT \
    | GNUTLS_PROFILE_TO_VFLAGS (GNUTLS_PROFILE_MEDIUM))

/* One revocation list. */
typedef struct {
  gnutls_x509_crl_t crl;
  GBytes *issuer;               /* its name, DER */
  gint64 next_update;           /* G_MAXINT64: it does not say */
  GHashTable *revoked;          /* serial (GBytes) -> when (gint64) */
  gboolean anchored;            /* signed by a trusted authority of that name */
  GBytes *signer;               /* DER of the intermediate authority that is known
                                 * to have signed it; under the trust's lock */
} RevocationList;

struct _BravisTrust {
  GPtrArray *authorities;       /* of gnutls_x509_crt_t */
  GPtrArray *lists;             /* of RevocationList */
  char *crl_file;
  GMutex lock;
};

typedef int (*GetRaw) (gnutls_x509_crt_t, gnutls_datum_t *);

static void
revocation_list_free (RevocationList *list)
{
  g_clear_pointer (&list->crl, gnutls_x509_crl_deinit);
  g_clear_pointer (&list->issuer, g_bytes_unref);
  g_clear_pointer (&list->revoked, g_hash_table_unref);
  g_clear_pointer (&list->signer, g_bytes_unref);
  g_free (list);
}

char *
bravis_read_file (const char *file, gsize *size, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *contents = NULL;
  GStatBuf status;

  if (g_stat (file, &status) != 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE, "%s: %s", file,
        g_strerror (errno));
    return NULL;
  }
  if (!S_ISREG (status.st_mode) || status.st_size > MAX_FILE_SIZE) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE,
        "%s: not a file of at most %d octets", file, MAX_FILE_SIZE);
    return NULL;
  }
  if (!g_file_get_contents (file, &contents, size, &cause)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_FILE, "%s", cause->message);
    return NULL;
  }
  return g_steal_pointer (&contents);
}

GPtrArray *
bravis_read_certificates (const char *file, guint max, GError **error)
{
  g_autoptr (GPtrArray) certificates = g_ptr_array_new_with_free_func (
      (GDestroyNotify) gnutls_x509_crt_deinit);
  g_autofree char *contents = NULL;
  gnutls_x509_crt_t *list = NULL;
  gnutls_datum_t pem;
  unsigned n = 0;
  gsize size;
  int result;

  contents = bravis_read_file (file, &size, error);
  if (contents == NULL)
    return NULL;
  pem = (gnutls_datum_t) { (guint8 *) contents, size };
  result = gnutls_x509_crt_list_import2 (&list, &n, &pem, GNUTLS_X509_FMT_PEM,
      0);
  if (result < 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s: no certificate in PEM could be read from it: %s", file,
        gnutls_strerror (result));
    return NULL;
  }
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (certificates, list[i]);
  gnutls_free (list);
  if (n == 0 || n > max) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s: %u certificates; 1 to %u are allowed", file, n, max);
    return NULL;
  }
  return g_steal_pointer (&certificates);
}

static GBytes *
take_datum (gnutls_datum_t *datum)
{
  GBytes *bytes = g_bytes_new (datum->data, datum->size);

  gnutls_free (datum->data);
  return bytes;
}

static GBytes *
get_raw (gnutls_x509_crt_t certificate, GetRaw get)
{
  gnutls_datum_t raw = { NULL, 0 };

  return get (certificate, &raw) < 0 ? g_bytes_new (NULL, 0)
      : take_datum (&raw);
}

static GBytes *
get_der (gnutls_x509_crt_t certificate)
{
  gnutls_datum_t der = { NULL, 0 };

  return gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_DER, &der) < 0
      ? g_bytes_new (NULL, 0) : take_datum (&der);
}

/* A list that only means part of what is revoked says so in an extension that
 * is critical (RFC 5280 §5.2.4, §5.2.5): such a one is not understood here. */
static gboolean
has_critical_extension (gnutls_x509_crl_t crl)
{
  for (guint i = 0;; i++) {
    char oid[128];
    size_t size = sizeof oid;
    unsigned critical = 0;
    int result = gnutls_x509_crl_get_extension_info (crl, i, oid, &size,
        &critical);

    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
      return FALSE;
    if (result < 0 || critical)
      return TRUE;
  }
}

static gboolean
read_revoked (RevocationList *list)
{
  gnutls_x509_crl_iter_t iterator = NULL;
  int result;

  for (;;) {
    guint8 serial[MAX_SERIAL];
    size_t size = sizeof serial;
    time_t when;
    gint64 *stored;

    result = gnutls_x509_crl_iter_crt_serial (list->crl, &iterator, serial,
        &size, &when);
    if (result < 0)
      break;
    stored = g_new (gint64, 1);
    *stored = when;
    g_hash_table_replace (list->revoked, g_bytes_new (serial, size), stored);
  }
  gnutls_x509_crl_iter_deinit (iterator);
  return result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

static RevocationList *
revocation_list_new (gnutls_x509_crl_t crl)
{
  RevocationList *list = g_new0 (RevocationList, 1);
  gnutls_datum_t issuer = { NULL, 0 };

  list->crl = crl;
  list->next_update = gnutls_x509_crl_get_next_update (crl);
  if (list->next_update == -1)
    list->next_update = G_MAXINT64;
  list->revoked = g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
      (GDestroyNotify) g_bytes_unref, g_free);
  if (gnutls_x509_crl_get_raw_issuer_dn (crl, &issuer) < 0
      || has_critical_extension (crl)) {
    gnutls_free (issuer.data);
    revocation_list_free (list);
    return NULL;
  }
  list->issuer = take_datum (&issuer);
  if (!read_revoked (list)) {
    revocation_list_free (list);
    return NULL;
  }
  return list;
}

static gboolean
load_authorities (BravisTrust *trust, const char *file, GError **error)
{
  trust->authorities = bravis_read_certificates (file, MAX_AUTHORITIES, error);
  if (trust->authorities == NULL)
    return FALSE;
  for (guint i = 0; i < trust->authorities->len; i++) {
    g_autofree char *who = NULL;

    if (bravis_x509_is_authority (trust->authorities->pdata[i]))
      continue;
    who = bravis_x509_describe (trust->authorities->pdata[i]);
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s: certificate %u, of %s, is not an authority's", file, i + 1, who);
    return FALSE;
  }
  return TRUE;
}

static gboolean
load_lists (BravisTrust *trust, const char *file, GError **error)
{
  g_autofree char *contents = NULL;
  gnutls_x509_crl_t *crls = NULL;
  gnutls_datum_t pem;
  unsigned n = 0;
  gsize size;
  int result;

  contents = bravis_read_file (file, &size, error);
  if (contents == NULL)
    return FALSE;
  pem = (gnutls_datum_t) { (guint8 *) contents, size };
  result = gnutls_x509_crl_list_import2 (&crls, &n, &pem, GNUTLS_X509_FMT_PEM,
      0);
  if (result < 0 || n == 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s: no revocation list in PEM could be read from it: %s", file,
        gnutls_strerror (result));
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    RevocationList *list = revocation_list_new (crls[i]);

    if (list)
      g_ptr_array_add (trust->lists, list);
    else
      g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
          "%s: revocation list %u is not understood: it is malformed or has a "
          "critical extension", file, i + 1);
    if (list == NULL) {
      for (guint rest = i + 1; rest < n; rest++)
        gnutls_x509_crl_deinit (crls[rest]);
      break;
    }
  }
  gnutls_free (crls);
  return trust->lists->len == n;
}

/* Whether @list is by @authority. GnuTLS compares its times with the present all
 * the same, which is not for it to judge. */
static gboolean
signature_verifies (RevocationList *list, gnutls_x509_crt_t authority)
{
  const unsigned by_time = GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED
      | GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;
  unsigned status = 0;

  if (gnutls_x509_crl_verify (list->crl, &authority, 1, VERIFY_FLAGS,
          &status) < 0)
    return FALSE;
  if (status & by_time)
    status &= ~(by_time | GNUTLS_CERT_INVALID);
  return status == 0;
}

/* Whether the intermediate @authority signed @list; the last one that was seen to
 * have done so is remembered. */
static gboolean
is_signed_by (BravisTrust *trust, RevocationList *list,
    gnutls_x509_crt_t authority)
{
  g_autoptr (GBytes) der = get_der (authority);
  gboolean known;

  g_mutex_lock (&trust->lock);
  known = list->signer && g_bytes_equal (list->signer, der);
  g_mutex_unlock (&trust->lock);
  if (known)
    return TRUE;

  if (!signature_verifies (list, authority))
    return FALSE;
  g_mutex_lock (&trust->lock);
  g_clear_pointer (&list->signer, g_bytes_unref);
  list->signer = g_steal_pointer (&der);
  g_mutex_unlock (&trust->lock);
  return TRUE;
}

/* A list in the name of a trusted authority that no such authority signed is
 * noticed at once, and not first when it is needed. Which of several of that name,
 * with an old key and a new one, makes no difference. */
static gboolean
check_lists (BravisTrust *trust, const char *file, GError **error)
{
  for (guint i = 0; i < trust->lists->len; i++) {
    RevocationList *list = trust->lists->pdata[i];
    gboolean named = FALSE;

    for (guint j = 0; j < trust->authorities->len && !list->anchored; j++) {
      g_autoptr (GBytes) name = get_raw (trust->authorities->pdata[j],
          gnutls_x509_crt_get_raw_dn);

      if (!g_bytes_equal (name, list->issuer))
        continue;
      named = TRUE;
      list->anchored = signature_verifies (list, trust->authorities->pdata[j]);
    }
    if (named && !list->anchored) {
      g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
          "%s: revocation list %u is not signed by the authority it names",
          file, i + 1);
      return FALSE;
    }
  }
  return TRUE;
}

BravisTrust *
bravis_trust_load (const char *trust_file, const char *crl_file, GError **error)
{
  g_autoptr (BravisTrust) trust = g_new0 (BravisTrust, 1);

  g_mutex_init (&trust->lock);
  trust->crl_file = g_strdup (crl_file);
  trust->lists = g_ptr_array_new_with_free_func (
      (GDestroyNotify) revocation_list_free);
  if (!load_authorities (trust, trust_file, error))
    return NULL;
  if (crl_file && (!load_lists (trust, crl_file, error)
      || !check_lists (trust, crl_file, error)))
    return NULL;
  return g_steal_pointer (&trust);
}

void
bravis_trust_free (BravisTrust *trust)
{
  g_clear_pointer (&trust->authorities, g_ptr_array_unref);
  g_clear_pointer (&trust->lists, g_ptr_array_unref);
  g_free (trust->crl_file);
  g_mutex_clear (&trust->lock);
  g_free (trust);
}

static gboolean
is_trusted (BravisTrust *trust, gnutls_x509_crt_t certificate)
{
  for (guint i = 0; i < trust->authorities->len; i++)
    if (gnutls_x509_crt_equals (trust->authorities->pdata[i], certificate))
      return TRUE;
  return FALSE;
}

/* Says what is wrong between a certificate and its issuer. */
static gboolean
issuer_error (gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
    const char *what, GError **error)
{
  g_autofree char *who = bravis_x509_describe (certificate);
  g_autofree char *by = bravis_x509_describe (issuer);

  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
      "the chain of %s: the next certificate, of %s, %s", who, by, what);
  return FALSE;
}

/* That @issuer may issue @certificate, which has @below authorities under it:
 * RFC 5280 §6.1.4 (k) to (n). */
static gboolean
check_issuer (gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
    guint below, GError **error)
{
  unsigned usage = 0, is_ca = 0;
  int max_below = -1;

  if (!gnutls_x509_crt_check_issuer (certificate, issuer))
    return issuer_error (certificate, issuer,
        "did not issue it", error);
  if (gnutls_x509_crt_get_version (issuer) != 3
      || gnutls_x509_crt_get_basic_constraints (issuer, NULL, &is_ca,
          &max_below) < 0
      || !is_ca)
    return issuer_error (certificate, issuer,
        "is not an authority's", error);
  if (gnutls_x509_crt_get_key_usage (issuer, &usage, NULL) >= 0
      && !(usage & GNUTLS_KEY_KEY_CERT_SIGN))
    return issuer_error (certificate, issuer,
        "may not issue any (key usage)", error);
  if (max_below >= 0 && below > (guint) max_below)
    return issuer_error (certificate, issuer,
        "may not have so many authorities below it", error);
  return TRUE;
}

static gboolean
check_signatures (const gnutls_x509_crt_t *chain, guint length,
    gnutls_x509_crt_t authority, GError **error)
{
  g_autofree char *who = NULL;
  gnutls_datum_t why = { NULL, 0 };
  unsigned status = 0;
  int result = gnutls_x509_crt_list_verify (chain, length, &authority, 1, NULL,
      0, VERIFY_FLAGS, &status);

  if (result >= 0 && status == 0)
    return TRUE;
  who = bravis_x509_describe (chain[0]);
  if (result >= 0 && (status & (GNUTLS_CERT_SIGNER_NOT_FOUND
      | GNUTLS_CERT_SIGNATURE_FAILURE))) {
    g_autofree char *by = bravis_x509_describe_issuer (chain[length - 1]);

    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_UNTRUSTED,
        "the certificate of %s is not issued by a trusted authority: the "
        "signature of %s does not verify", who, by);
    return FALSE;
  }
  if (result >= 0 && gnutls_certificate_verification_status_print (status,
          GNUTLS_CRT_X509, &why, 0) >= 0)
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "the certificate of %s: %s", who, g_strchomp ((char *) why.data));
  else
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "the certificate of %s: %s", who, gnutls_strerror (result));
  gnutls_free (why.data);
  return FALSE;
}

/* The authority that issued the last of @chain, with everything that does not
 * depend on the time verified. Authorities may have the same name, as when one
 * gets a new key: one of them has to fit. */
static gnutls_x509_crt_t
find_authority (BravisTrust *trust, const gnutls_x509_crt_t *chain,
    guint length, GError **error)
{
  g_autoptr (GError) why = NULL;

  for (guint i = 0; i < trust->authorities->len; i++) {
    gnutls_x509_crt_t authority = trust->authorities->pdata[i];

    if (!gnutls_x509_crt_check_issuer (chain[length - 1], authority))
      continue;
    g_clear_error (&why);
    if (check_issuer (chain[length - 1], authority, length - 1, &why)
        && check_signatures (chain, length, authority, &why))
      return authority;
  }
  if (why == NULL) {
    g_autofree char *who = bravis_x509_describe (chain[0]);
    g_autofree char *by = bravis_x509_describe_issuer (chain[length - 1]);

    g_set_error (&why, BRAVIS_ERROR, BRAVIS_ERROR_UNTRUSTED,
        "the certificate of %s is not issued by a trusted authority "
        "(issuer %s)", who, by);
  }
  g_propagate_error (error, g_steal_pointer (&why));
  return NULL;
}

static gboolean
check_time (gnutls_x509_crt_t certificate, gint64 wall_clock, GError **error)
{
  gint64 from = gnutls_x509_crt_get_activation_time (certificate);
  gint64 until = gnutls_x509_crt_get_expiration_time (certificate);
  gboolean early = from == -1 || wall_clock < from;
  g_autofree char *who = NULL;
  g_autofree char *when = NULL;

  if (!early && until != -1 && wall_clock <= until)
    return TRUE;
  who = bravis_x509_describe (certificate);
  when = bravis_format_time (early ? from : until);
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_EXPIRED,
      early ? "the certificate of %s is not valid before %s"
      : "the certificate of %s expired on %s", who, when);
  return FALSE;
}

/* When @list says that @certificate was revoked; NULL: it does not say so. */
static const gint64 *
find_revoked (RevocationList *list, gnutls_x509_crt_t certificate)
{
  guint8 serial[MAX_SERIAL];
  size_t size = sizeof serial;
  g_autoptr (GBytes) key = NULL;

  if (gnutls_x509_crt_get_serial (certificate, serial, &size) < 0)
    return NULL;
  key = g_bytes_new (serial, size);
  return g_hash_table_lookup (list->revoked, key);
}

static void
set_revoked_error (gnutls_x509_crt_t certificate, gint64 time, GError **error)
{
  g_autofree char *who = bravis_x509_describe (certificate);
  g_autofree char *by = bravis_x509_describe_issuer (certificate);
  g_autofree char *when = bravis_format_time (time);

  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_REVOKED,
      "the certificate of %s was revoked on %s by %s", who, when, by);
}

static gboolean
check_revocation (BravisTrust *trust, gnutls_x509_crt_t certificate,
    gnutls_x509_crt_t issuer, gint64 wall_clock, GError **error)
{
  g_autoptr (GBytes) name = NULL;
  g_autofree char *by = NULL;
  g_autofree char *when = NULL;
  gboolean named = FALSE, is_signed = FALSE;
  gint64 good_until = G_MININT64;

  if (trust->lists->len == 0)
    return TRUE;
  name = get_raw (issuer, gnutls_x509_crt_get_raw_dn);
  for (guint i = 0; i < trust->lists->len; i++) {
    RevocationList *list = trust->lists->pdata[i];
    const gint64 *revoked;

    if (!g_bytes_equal (list->issuer, name))
      continue;
    named = TRUE;
    if (!list->anchored && !is_signed_by (trust, list, issuer))
      continue;
    is_signed = TRUE;
    revoked = find_revoked (list, certificate);
    if (revoked) {
      set_revoked_error (certificate, *revoked, error);
      return FALSE;
    }
    good_until = MAX (good_until, list->next_update);
  }
  if (!named || (is_signed && wall_clock <= good_until))
    return TRUE;

  by = bravis_x509_describe (issuer);
  when = bravis_format_time (good_until);
  if (is_signed)
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_EXPIRED,
        "%s: the revocation list of %s is out of date since %s",
        trust->crl_file, by, when);
  else
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_UNTRUSTED,
        "%s: the revocation list of %s is not signed by it", trust->crl_file,
        by);
  return FALSE;
}

gboolean
bravis_trust_verify (BravisTrust *trust, const gnutls_x509_crt_t *chain,
    guint length, gint64 wall_clock, GError **error)
{
  gnutls_x509_crt_t authority;

  /* What comes after a trusted authority adds nothing. */
  for (guint i = 1; i < length; i++)
    if (is_trusted (trust, chain[i]))
      length = i;
  for (guint i = 0; i + 1 < length; i++)
    if (!check_issuer (chain[i], chain[i + 1], i, error))
      return FALSE;

  authority = find_authority (trust, chain, length, error);
  if (authority == NULL)
    return FALSE;
  if (!check_time (authority, wall_clock, error))
    return FALSE;
  for (guint i = length; i-- > 0;) {
    gnutls_x509_crt_t issuer = i + 1 < length ? chain[i + 1] : authority;

    if (!check_time (chain[i], wall_clock, error)
        || !check_revocation (trust, chain[i], issuer, wall_clock, error))
      return FALSE;
  }
  return TRUE;
}
