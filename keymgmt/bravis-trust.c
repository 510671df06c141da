#include "bravis-trust.h"

#include "bravis-revocation.h"

#include <errno.h>
#include <string.h>

#include <glib/gstdio.h>

#define MAX_FILE_SIZE (1024 * 1024)
#define MAX_AUTHORITIES 256
#define MAX_LISTS 256

/* A list that is held. */
typedef struct {
  BravisRevocations *list;
  gboolean required;            /* it, or what it replaced, is from the file: one that
                                 * is in date has to be there */
  gboolean anchored;            /* signed by a trusted authority of that name */
  GBytes *signer;               /* DER of the intermediate authority that is known
                                 * to have signed it; under the trust's lock */
} Held;

struct _BravisTrust {
  GPtrArray *authorities;       /* of gnutls_x509_crt_t */
  char *crl_file;
  GMutex lock;
  GPtrArray *lists;             /* of Held; never altered but replaced, under lock */
};

static void
held_clear (gpointer data)
{
  Held *held = data;

  bravis_revocations_unref (held->list);
  g_clear_pointer (&held->signer, g_bytes_unref);
}

static void
held_unref (gpointer held)
{
  g_atomic_rc_box_release_full (held, held_clear);
}

static GPtrArray *
new_lists (void)
{
  return g_ptr_array_new_with_free_func (held_unref);
}

static GPtrArray *
ref_lists (BravisTrust *trust)
{
  GPtrArray *lists;

  g_mutex_lock (&trust->lock);
  lists = g_ptr_array_ref (trust->lists);
  g_mutex_unlock (&trust->lock);
  return lists;
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
get_der (gnutls_x509_crt_t certificate)
{
  gnutls_datum_t der = { NULL, 0 };
  GBytes *bytes;

  if (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_DER, &der) < 0)
    return g_bytes_new (NULL, 0);
  bytes = g_bytes_new (der.data, der.size);
  gnutls_free (der.data);
  return bytes;
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

/* Whether the intermediate @authority signed it; the last one that was seen to
 * have done so is remembered. */
static gboolean
is_signed_by (BravisTrust *trust, Held *held, gnutls_x509_crt_t authority)
{
  g_autoptr (GBytes) der = get_der (authority);
  gboolean known;

  g_mutex_lock (&trust->lock);
  known = held->signer && g_bytes_equal (held->signer, der);
  g_mutex_unlock (&trust->lock);
  if (known)
    return TRUE;

  if (!bravis_revocations_are_signed_by (held->list, authority))
    return FALSE;
  g_mutex_lock (&trust->lock);
  g_clear_pointer (&held->signer, g_bytes_unref);
  held->signer = g_steal_pointer (&der);
  g_mutex_unlock (&trust->lock);
  return TRUE;
}

/* A list in the name of a trusted authority that no such authority signed is
 * noticed at once, and not first when it is needed. Which of several of that name,
 * with an old key and a new one, makes no difference. */
static gboolean
find_anchor (BravisTrust *trust, Held *held)
{
  gboolean named = FALSE;

  for (guint i = 0; i < trust->authorities->len && !held->anchored; i++) {
    gnutls_x509_crt_t authority = trust->authorities->pdata[i];

    if (!bravis_revocations_are_of (held->list, authority))
      continue;
    named = named || held->required;
    held->anchored = bravis_revocations_are_signed_by (held->list, authority);
  }
  return held->anchored || !named;
}

/* Takes @list over. */
static Held *
held_new (BravisRevocations *list)
{
  Held *held = g_atomic_rc_box_new0 (Held);

  held->list = list;
  return held;
}

/* Takes @crl over. */
static gboolean
add_from_file (BravisTrust *trust, gnutls_x509_crl_t crl, guint number,
    GPtrArray *lists, GError **error)
{
  BravisRevocations *list = bravis_revocations_new (crl);
  Held *held;

  if (!list) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s: revocation list %u is not understood: it is malformed or has a "
        "critical extension", trust->crl_file, number);
    return FALSE;
  }
  held = held_new (list);
  held->required = TRUE;
  g_ptr_array_add (lists, held);
  if (find_anchor (trust, held))
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
      "%s: revocation list %u is not signed by the authority it names",
      trust->crl_file, number);
  return FALSE;
}

static GPtrArray *
load_lists (BravisTrust *trust, GError **error)
{
  g_autoptr (GPtrArray) lists = new_lists ();
  g_autofree char *contents = NULL;
  gnutls_x509_crl_t *crls = NULL;
  gnutls_datum_t pem;
  gboolean good = TRUE;
  unsigned n = 0;
  gsize size;
  int result;

  contents = bravis_read_file (trust->crl_file, &size, error);
  if (contents == NULL)
    return NULL;
  pem = (gnutls_datum_t) { (guint8 *) contents, size };
  result = gnutls_x509_crl_list_import2 (&crls, &n, &pem, GNUTLS_X509_FMT_PEM,
      0);
  if (result < 0 || n == 0 || n > MAX_LISTS) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CERTIFICATE,
        "%s: no revocation list in PEM could be read from it: %s",
        trust->crl_file, result < 0 ? gnutls_strerror (result)
        : n == 0 ? "there is none" : "there are too many");
    good = FALSE;
  }
  for (guint i = 0; i < n; i++) {
    if (good)
      good = add_from_file (trust, crls[i], i + 1, lists, error);
    else
      gnutls_x509_crl_deinit (crls[i]);
  }
  gnutls_free (crls);
  return good ? g_steal_pointer (&lists) : NULL;
}

BravisTrust *
bravis_trust_load (const char *trust_file, const char *crl_file, GError **error)
{
  g_autoptr (BravisTrust) trust = g_new0 (BravisTrust, 1);

  g_mutex_init (&trust->lock);
  trust->crl_file = g_strdup (crl_file);
  if (!load_authorities (trust, trust_file, error))
    return NULL;
  trust->lists = crl_file ? load_lists (trust, error) : new_lists ();
  if (!trust->lists)
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
      0, BRAVIS_X509_VERIFY_FLAGS, &status);

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
  g_autoptr (GPtrArray) lists = ref_lists (trust);
  g_autofree char *by = NULL;
  g_autofree char *when = NULL;
  gboolean named = FALSE, is_signed = FALSE;
  gint64 good_until = G_MININT64;

  for (guint i = 0; i < lists->len; i++) {
    Held *held = lists->pdata[i];
    const gint64 *revoked;

    if (!bravis_revocations_are_of (held->list, issuer))
      continue;
    named = named || held->required;
    if (!held->anchored && !is_signed_by (trust, held, issuer))
      continue;
    is_signed = TRUE;
    revoked = bravis_revocations_find (held->list, certificate);
    if (revoked) {
      set_revoked_error (certificate, *revoked, error);
      return FALSE;
    }
    good_until = MAX (good_until,
        bravis_revocations_get_next_update (held->list));
  }
  if (!named || (is_signed && wall_clock <= good_until))
    return TRUE;

  by = bravis_x509_describe (issuer);
  when = bravis_format_time (good_until);
  if (is_signed)
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_EXPIRED,
        "the revocation list of %s is out of date since %s", by, when);
  else
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_UNTRUSTED,
        "the revocation list of %s is not signed by it", by);
  return FALSE;
}

gboolean
bravis_trust_verify (BravisTrust *trust, const gnutls_x509_crt_t *chain,
    guint length, gint64 wall_clock, gint64 *end, GError **error)
{
  gnutls_x509_crt_t authority;
  gint64 first_end;

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
  first_end = gnutls_x509_crt_get_expiration_time (authority);
  for (guint i = length; i-- > 0;) {
    gnutls_x509_crt_t issuer = i + 1 < length ? chain[i + 1] : authority;

    first_end = MIN (first_end, gnutls_x509_crt_get_expiration_time (chain[i]));
    if (!check_time (chain[i], wall_clock, error)
        || !check_revocation (trust, chain[i], issuer, wall_clock, error))
      return FALSE;
  }
  if (end)
    *end = first_end;
  return TRUE;
}

/* --- later lists --- */

/* Both in the name of one issuer. But there may be an authority of a name that is not
 * the trusted one of that name, nor another one of it: its lists say nothing of theirs.
 * (Who signed one of an intermediate authority from the file may not be known yet.) */
static gboolean
is_of_same_signer (const Held *held, const Held *other)
{
  if (held->anchored || other->anchored)
    return held->anchored && other->anchored;
  return !held->signer || (other->signer
      && g_bytes_equal (held->signer, other->signer));
}

/* A copy of the lists that are held with @held in the place of the older one of its
 * issuer. NULL: there is none, or it is no older. */
static GPtrArray *
replace_older (GPtrArray *lists, Held *held)
{
  GPtrArray *copy = new_lists ();
  gboolean news = TRUE;

  for (guint i = 0; i < lists->len; i++) {
    Held *other = lists->pdata[i];
    gboolean same = bravis_revocations_have_issuer_of (held->list, other->list)
        && is_of_same_signer (held, other);

    if (same && bravis_revocations_are_newer (held->list, other->list)) {
      held->required = held->required || other->required;
      continue;
    }
    news = news && !same;
    g_ptr_array_add (copy, g_atomic_rc_box_acquire (other));
  }
  news = news && copy->len < MAX_LISTS;
  if (news)
    g_ptr_array_add (copy, g_atomic_rc_box_acquire (held));
  else
    g_clear_pointer (&copy, g_ptr_array_unref);
  return copy;
}

static gboolean
hold (BravisTrust *trust, Held *held)
{
  GPtrArray *copy;

  g_mutex_lock (&trust->lock);
  copy = replace_older (trust->lists, held);
  if (copy) {
    g_ptr_array_unref (trust->lists);
    trust->lists = copy;
  }
  g_mutex_unlock (&trust->lock);
  return copy != NULL;
}

GPtrArray *
bravis_trust_reload_lists (BravisTrust *trust, GError **error)
{
  g_autoptr (GPtrArray) loaded = NULL;
  GPtrArray *news;

  if (!trust->crl_file)
    return g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  loaded = load_lists (trust, error);
  if (!loaded)
    return NULL;
  news = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < loaded->len; i++) {
    Held *held = loaded->pdata[i];

    if (hold (trust, held))
      g_ptr_array_add (news,
          g_bytes_ref (bravis_revocations_get_der (held->list)));
  }
  return news;
}

GPtrArray *
bravis_trust_list_lists (BravisTrust *trust)
{
  g_autoptr (GPtrArray) lists = ref_lists (trust);
  GPtrArray *all = g_ptr_array_new_with_free_func (
      (GDestroyNotify) g_bytes_unref);

  for (guint i = 0; i < lists->len; i++)
    g_ptr_array_add (all, g_bytes_ref (bravis_revocations_get_der (
                ((Held *) lists->pdata[i])->list)));
  return all;
}

/* The authority that issued certificate @i of @chain. */
static gnutls_x509_crt_t
find_issuer (BravisTrust *trust, const gnutls_x509_crt_t *chain, guint length,
    guint i, BravisRevocations *list)
{
  if (i + 1 < length)
    return chain[i + 1];
  for (guint k = 0; k < trust->authorities->len; k++)
    if (bravis_revocations_are_of (list, trust->authorities->pdata[k])
        && gnutls_x509_crt_check_issuer (chain[i], trust->authorities->pdata[k])
        && bravis_revocations_are_signed_by (list, trust->authorities->pdata[k]))
      return trust->authorities->pdata[k];
  return NULL;
}

/* Holds @list if it is news. @issuer has signed it. */
static void
hold_signed_by (BravisTrust *trust, BravisRevocations *list,
    gnutls_x509_crt_t issuer)
{
  g_autoptr (GPtrArray) lists = ref_lists (trust);
  Held *held = held_new (bravis_revocations_ref (list));

  held->anchored = is_trusted (trust, issuer);
  if (!held->anchored)
    held->signer = get_der (issuer);
  /* So that it is known which of those that are held are of the same signer. */
  for (guint i = 0; i < lists->len; i++) {
    Held *other = lists->pdata[i];

    if (!other->anchored && bravis_revocations_are_of (other->list, issuer))
      is_signed_by (trust, other, issuer);
  }
  hold (trust, held);
  held_unref (held);
}

gboolean
bravis_trust_apply_list (BravisTrust *trust, BravisRevocations *list,
    const gnutls_x509_crt_t *chain, guint length, GError **error)
{
  for (guint i = 1; i < length; i++)
    if (is_trusted (trust, chain[i]))
      length = i;
  for (guint i = length; i-- > 0;) {
    gnutls_x509_crt_t issuer = find_issuer (trust, chain, length, i, list);
    const gint64 *revoked;

    if (!issuer || !bravis_revocations_are_of (list, issuer)
        || !bravis_revocations_are_signed_by (list, issuer))
      continue;
    hold_signed_by (trust, list, issuer);
    revoked = bravis_revocations_find (list, chain[i]);
    if (revoked) {
      set_revoked_error (chain[i], *revoked, error);
      return FALSE;
    }
  }
  return TRUE;
}
