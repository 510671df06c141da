#include "bench-keys.h"

#include "bench-curves.h"
#include "bench-json.h"
#include "bench-statistics.h"
#include "bravis-authority.h"
#include "bravis-files.h"
#include "../keymgmt/bravis-trust.h"
#include "../keymgmt/bravis-vtkd.h"

#include <nettle/curve25519.h>
#include <stdio.h>
#include <time.h>

#define CONFERENCE "bench"
#define DAY G_GINT64_CONSTANT (86400)

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

/* --- what is counted, by wrapping it at linking --- */

typedef struct {
  guint signed_, verified, chains, dh;
} Counts;

/* Of this thread: the same program also runs peers in others. */
static _Thread_local Counts counts;

int __real_gnutls_privkey_sign_data2 (gnutls_privkey_t key,
    gnutls_sign_algorithm_t algorithm, unsigned flags,
    const gnutls_datum_t *data, gnutls_datum_t *signature);
int __wrap_gnutls_privkey_sign_data2 (gnutls_privkey_t key,
    gnutls_sign_algorithm_t algorithm, unsigned flags,
    const gnutls_datum_t *data, gnutls_datum_t *signature);
int __real_gnutls_pubkey_verify_data2 (gnutls_pubkey_t key,
    gnutls_sign_algorithm_t algorithm, unsigned flags,
    const gnutls_datum_t *data, const gnutls_datum_t *signature);
int __wrap_gnutls_pubkey_verify_data2 (gnutls_pubkey_t key,
    gnutls_sign_algorithm_t algorithm, unsigned flags,
    const gnutls_datum_t *data, const gnutls_datum_t *signature);
typeof (bravis_trust_verify) __real_bravis_trust_verify;
typeof (bravis_trust_verify) __wrap_bravis_trust_verify;
void __real_nettle_curve25519_mul (guint8 *q, const guint8 *n, const guint8 *p);
void __wrap_nettle_curve25519_mul (guint8 *q, const guint8 *n, const guint8 *p);
void __real_nettle_curve25519_mul_g (guint8 *q, const guint8 *n);
void __wrap_nettle_curve25519_mul_g (guint8 *q, const guint8 *n);

int
__wrap_gnutls_privkey_sign_data2 (gnutls_privkey_t key,
    gnutls_sign_algorithm_t algorithm, unsigned flags,
    const gnutls_datum_t *data, gnutls_datum_t *signature)
{
  counts.signed_++;
  return __real_gnutls_privkey_sign_data2 (key, algorithm, flags, data,
      signature);
}

int
__wrap_gnutls_pubkey_verify_data2 (gnutls_pubkey_t key,
    gnutls_sign_algorithm_t algorithm, unsigned flags,
    const gnutls_datum_t *data, const gnutls_datum_t *signature)
{
  counts.verified++;
  return __real_gnutls_pubkey_verify_data2 (key, algorithm, flags, data,
      signature);
}

gboolean
__wrap_bravis_trust_verify (BravisTrust *trust, const gnutls_x509_crt_t *chain,
    guint n, gint64 wall_clock, gint64 *end, GError **error)
{
  counts.chains++;
  return __real_bravis_trust_verify (trust, chain, n, wall_clock, end, error);
}

void
__wrap_nettle_curve25519_mul (guint8 *q, const guint8 *n, const guint8 *p)
{
  counts.dh++;
  __real_nettle_curve25519_mul (q, n, p);
}

void
__wrap_nettle_curve25519_mul_g (guint8 *q, const guint8 *n)
{
  counts.dh++;
  __real_nettle_curve25519_mul_g (q, n);
}

/* --- a group in memory --- */

typedef struct {
  BravisOwnCard *own;
  BravisCard *card;             /* as another verified it */
  BravisVtkd *vtkd;
  guint n_epochs;
  double time;                  /* of the processor, in ms */
  double roster_time;           /* the same, before it comes */
} Member;

typedef struct {
  GcpMemberId from;
  GBytes *bytes;
} Message;

typedef struct {
  GPtrArray *identities;        /* of BravisIdentity */
  GPtrArray *members;           /* of Member, in the view's order */
  GQueue queue;                 /* of Message: the order */
  guint64 view_number;
  gboolean prepared;            /* pairwise keys are derived before the change */
  guint n_messages;
  gsize n_bytes;
  gint64 wall_clock;
} Group;

/* ROSTER is the joiner's work before: what it verifies of the group while nobody but
 * itself waits for it. */
typedef enum { HOLDER, MEMBER, JOINER, ROSTER, N_ROLES } Role;

/* What one change cost. */
typedef struct {
  double ms[N_ROLES];           /* 0: there is none */
  double bytes, messages;
  double made, verified, chains, dh;
} Cost;

static double
get_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void
member_free (gpointer data)
{
  Member *member = data;

  bravis_vtkd_free (member->vtkd);
  bravis_own_card_free (member->own);
  bravis_card_unref (member->card);
  g_free (member);
}

static Member *
group_add (Group *group, GError **error)
{
  BravisIdentity *identity = g_ptr_array_index (group->identities,
      group->members->len);
  Member *member = g_new0 (Member, 1);
  BravisRandom random;
  BravisPolicy policy;

  bravis_random_init_system (&random);
  bravis_policy_init (&policy);
  member->own = bravis_own_card_new (identity, CONFERENCE, group->wall_clock,
      &random, error);
  if (member->own)
    member->card = bravis_card_verify (member->own->card->bytes, identity,
        CONFERENCE, group->wall_clock, error);
  if (!member->card) {
    g_clear_pointer (&member->own, bravis_own_card_free);
    g_free (member);
    return NULL;
  }
  member->vtkd = bravis_vtkd_new (identity, CONFERENCE, member->own, &policy, 0,
      &random);
  g_ptr_array_add (group->members, member);
  return member;
}

static void
take_outputs (Group *group, Member *member)
{
  BravisVtkdOutput output;

  while (bravis_vtkd_poll (member->vtkd, &output)) {
    if (output.type == BRAVIS_VTKD_MULTICAST) {
      Message *message = g_new (Message, 1);

      message->from = member->card->id;
      message->bytes = g_bytes_ref (output.bytes);
      g_queue_push_tail (&group->queue, message);
      group->n_messages++;
      group->n_bytes += g_bytes_get_size (output.bytes);
    } else if (output.type == BRAVIS_VTKD_EPOCH) {
      member->n_epochs++;
    }
    bravis_vtkd_output_clear (&output);
  }
}

static void
deliver_all (Group *group)
{
  Message *message;

  while ((message = g_queue_pop_head (&group->queue))) {
    for (guint i = 0; i < group->members->len; i++) {
      Member *member = g_ptr_array_index (group->members, i);
      double start = get_time ();

      bravis_vtkd_deliver (member->vtkd, message->from, message->bytes);
      member->time += get_time () - start;
      take_outputs (group, member);
    }
    g_bytes_unref (message->bytes);
    g_free (message);
  }
}

static void
install_view (Group *group, BravisCause cause)
{
  guint n = group->members->len;
  g_autofree GcpMember *members = g_new (GcpMember, n);
  g_autofree BravisCard **cards = g_new (BravisCard *, n);
  g_autoptr (GcpView) view = NULL;

  for (guint i = 0; i < n; i++) {
    cards[i] = ((Member *) g_ptr_array_index (group->members, i))->card;
    members[i] = (GcpMember) { cards[i]->id, cards[i]->bytes };
  }
  view = gcp_view_new (++group->view_number, TRUE, members, n);
  for (guint i = 0; i < n; i++) {
    Member *member = g_ptr_array_index (group->members, i);
    double start = get_time ();

    bravis_vtkd_view (member->vtkd, view, cards, cause);
    member->time += get_time () - start;
    take_outputs (group, member);
  }
}

/* What peers do while nothing happens (bravis_conference_prepare ()). */
static void
idle (Group *group)
{
  if (!group->prepared)
    return;
  for (guint i = 0; i < group->members->len; i++)
    while (bravis_vtkd_prepare (((Member *) g_ptr_array_index (group->members,
        i))->vtkd))
      continue;
}

/* The token goes once round, so that all have shares that nobody has met in a pair. */
static void
settle (Group *group)
{
  for (guint i = 0; i < group->members->len; i++) {
    Member *first = g_ptr_array_index (group->members, 0);

    bravis_vtkd_refresh (first->vtkd);
    take_outputs (group, first);
    deliver_all (group);
  }
  idle (group);
}

static void
reset (Group *group)
{
  for (guint i = 0; i < group->members->len; i++)
    ((Member *) g_ptr_array_index (group->members, i))->time = 0;
  group->n_messages = 0;
  group->n_bytes = 0;
  counts = (Counts) { 0 };
}

/* @holder: who made the key; @joiner: NULL where nobody came. */
static void
read_cost (Group *group, GcpMemberId holder, const Member *joiner, Cost *cost)
{
  g_autoptr (GArray) members = g_array_new (FALSE, FALSE, sizeof (double));

  *cost = (Cost) { .bytes = group->n_bytes, .messages = group->n_messages,
    .made = counts.signed_, .verified = counts.verified,
    .chains = counts.chains, .dh = counts.dh };
  for (guint i = 0; i < group->members->len; i++) {
    Member *member = g_ptr_array_index (group->members, i);

    if (member == joiner) {
      cost->ms[JOINER] = member->time;
      cost->ms[ROSTER] = member->roster_time;
    } else if (member->card->id == holder) {
      cost->ms[HOLDER] = member->time;
    } else {
      g_array_append_val (members, member->time);
    }
  }
  cost->ms[MEMBER] = members->len > 0 ? bench_median (members) : 0;
}

/* Who has made the last key: the token has gone on by one since. */
static GcpMemberId
find_last_holder (Group *group)
{
  Member *first = g_ptr_array_index (group->members, 0);
  GcpMemberId next = bravis_vtkd_get_holder (first->vtkd);
  guint n = group->members->len;

  for (guint i = 0; i < n; i++)
    if (((Member *) g_ptr_array_index (group->members, i))->card->id == next)
      return ((Member *) g_ptr_array_index (group->members,
          (i + n - 1) % n))->card->id;
  return GCP_MEMBER_NONE;
}

/* What the joiner does with @member's line of the roster. */
static gboolean
take_line (Group *group, Member *joiner, Member *member, GError **error)
{
  BravisIdentity *identity = g_ptr_array_index (group->identities,
      group->members->len - 1);
  const BravisShare *share = bravis_vtkd_get_share (member->vtkd,
      member->card->id);
  g_autoptr (BravisCard) card = bravis_card_verify_with_share (
      member->own->card->bytes, share, identity, CONFERENCE,
      group->wall_clock, error);

  if (!card)
    return FALSE;
  bravis_vtkd_expect (joiner->vtkd, card->id, share);
  return TRUE;
}

/* Everybody verifies the newcomer's card, and the newcomer the roster. */
static gboolean
verify_cards (Group *group, Member *joiner, GError **error)
{
  for (guint i = 0; i + 1 < group->members->len; i++) {
    Member *member = g_ptr_array_index (group->members, i);
    g_autoptr (BravisCard) seen = NULL;
    double start = get_time (), middle;

    seen = bravis_card_verify (joiner->own->card->bytes,
        g_ptr_array_index (group->identities, i), CONFERENCE,
        group->wall_clock, error);
    middle = get_time ();
    if (!seen || !take_line (group, joiner, member, error))
      return FALSE;
    member->time += middle - start;
    joiner->roster_time += get_time () - middle;
  }
  return TRUE;
}

static gboolean
run_once (GPtrArray *identities, guint n, gboolean prepared, Cost *join,
    Cost *leave, GError **error)
{
  Group group = { .identities = identities, .prepared = prepared,
    .wall_clock = g_get_real_time () / G_USEC_PER_SEC };
  Member *joiner = NULL;
  gboolean good = TRUE;

  group.members = g_ptr_array_new_with_free_func (member_free);
  g_queue_init (&group.queue);
  for (guint i = 0; good && i + 1 < n; i++)
    good = group_add (&group, error) != NULL;
  if (good) {
    install_view (&group, BRAVIS_CAUSE_START);
    deliver_all (&group);
    settle (&group);
    joiner = group_add (&group, error);
    reset (&group);
    good = joiner && verify_cards (&group, joiner, error);
  }
  if (good) {
    install_view (&group, BRAVIS_CAUSE_JOIN);
    deliver_all (&group);
    read_cost (&group, find_last_holder (&group), joiner, join);
    settle (&group);
    g_ptr_array_remove_index (group.members, n - 1);
    reset (&group);
    install_view (&group, BRAVIS_CAUSE_LEAVE);
    deliver_all (&group);
    read_cost (&group, find_last_holder (&group), NULL, leave);
  }
  g_ptr_array_unref (group.members);
  return good;
}

/* --- figures --- */

static const struct {
  const char *name;
  const char *json;
  gsize offset;
} figures[] = {
  { "holder/ms", "holder_ms", G_STRUCT_OFFSET (Cost, ms[HOLDER]) },
  { "member/ms", "member_ms", G_STRUCT_OFFSET (Cost, ms[MEMBER]) },
  { "joiner/ms", "joiner_ms", G_STRUCT_OFFSET (Cost, ms[JOINER]) },
  { "roster/ms", "roster_ms", G_STRUCT_OFFSET (Cost, ms[ROSTER]) },
  { "bytes", "bytes", G_STRUCT_OFFSET (Cost, bytes) },
  { "messages", "messages", G_STRUCT_OFFSET (Cost, messages) },
  { "signed", "signatures_made", G_STRUCT_OFFSET (Cost, made) },
  { "verified", "signatures_verified", G_STRUCT_OFFSET (Cost, verified) },
  { "chains", "chains_verified", G_STRUCT_OFFSET (Cost, chains) },
  { "X25519", "dh_operations", G_STRUCT_OFFSET (Cost, dh) },
};

static const char published[] =
    "Published, not measured, for n members:\n"
    "  TGDH (Kim, Perrig, Tsudik, ACM TISSEC 7(1), 2004): O(log2 n) "
    "exponentiations a member\n"
    "  MLS (RFC 9420 section 7.5): a commit encrypts to the copath, O(log2 n) "
    "HPKE seals in a full tree, O(n) at worst\n";

static double
get_figure (GArray *costs, guint figure)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < costs->len; i++)
    g_array_append_vals (values, (const char *) &g_array_index (costs, Cost, i)
        + figures[figure].offset, 1);
  return bench_median (values);
}

/* Where figures go besides the table. */
typedef struct {
  JsonBuilder *builder;
  BenchCurves *curves;
} Report;

static void
draw (BenchCurves *curves, const char *change, guint n, GArray *costs)
{
  static const char *const roles[N_ROLES] = { "holder", "member", "joiner",
    "joiner, roster" };

  for (guint i = 0; i < N_ROLES; i++) {
    g_autofree char *name = g_strdup_printf ("%s, %s", change, roles[i]);

    bench_curves_add (curves, name, n, get_figure (costs, i));
  }
}

static void
show (Report *report, const char *change, guint n, GArray *costs)
{
  JsonBuilder *builder = report->builder;

  draw (report->curves, change, n, costs);
  printf ("%-6s %8u", change, n);
  json_builder_begin_object (builder);
  bench_json_add_text (builder, "change", change);
  bench_json_add_integer (builder, "members", n);
  for (guint i = 0; i < G_N_ELEMENTS (figures); i++) {
    double value = get_figure (costs, i);

    printf (i < N_ROLES ? " %9.3f" : " %9.0f", value);
    bench_json_add_number (builder, figures[i].json, value);
  }
  printf ("\n");
  json_builder_end_object (builder);
}

static gboolean
measure_size (GPtrArray *identities, guint n, gboolean prepared, guint runs,
    Report *report, GError **error)
{
  g_autoptr (GArray) joins = g_array_new (FALSE, FALSE, sizeof (Cost));
  g_autoptr (GArray) leaves = g_array_new (FALSE, FALSE, sizeof (Cost));

  for (guint run = 1; run <= runs; run++) {
    Cost join, leave;

    g_printerr ("keys, %u members, run %u of %u\n", n, run, runs);
    if (!run_once (identities, n, prepared, &join, &leave, error))
      return FALSE;
    g_array_append_val (joins, join);
    g_array_append_val (leaves, leave);
  }
  show (report, "join", n, joins);
  show (report, "leave", n, leaves);
  return TRUE;
}

static GPtrArray *
make_identities (const char *directory, guint n, BravisKeyType type,
    GError **error)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  g_autoptr (GPtrArray) identities = g_ptr_array_new_with_free_func (
      (GDestroyNotify) bravis_identity_unref);
  g_autofree char *ca = g_build_filename (directory, "ca", NULL);
  g_autofree char *trust = g_build_filename (ca, "ca.pem", NULL);
  g_autofree char *crl = g_build_filename (ca, "crl.pem", NULL);
  g_autoptr (BravisAuthority) authority = NULL;
  BravisWish wish = { "bravis bench", type, now - 3600, now + DAY };

  if (!bravis_authority_create (ca, NULL, &wish, 0, now + DAY, error)
      || !(authority = bravis_authority_open (ca, error)))
    return NULL;
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf ("member%u@bench", i);
    g_autofree char *certificate = g_strdup_printf ("%s/%u.pem", directory, i);
    g_autofree char *key = g_strdup_printf ("%s/%u-key.pem", directory, i);
    BravisIdentity *identity;

    wish.name = name;
    if (!bravis_authority_issue (authority, &wish, certificate, key, error)
        || !(identity = bravis_identity_new (certificate, key, trust, crl,
                error)))
      return NULL;
    g_ptr_array_add (identities, identity);
  }
  return g_steal_pointer (&identities);
}

static gboolean
measure (BravisKeyType type, guint most, guint runs, gboolean prepared,
    const char *command, const char *json, const char *plot, GError **error)
{
  g_autoptr (JsonBuilder) builder = bench_json_begin (command);
  g_autoptr (BenchCurves) curves = bench_curves_new (
      "Processor time of a key change, medians", "members", "ms");
  Report report = { builder, curves };
  g_autoptr (GPtrArray) identities = NULL;
  g_autofree char *directory = g_dir_make_tmp ("bravis-bench-XXXXXX", error);
  gboolean good;

  if (!directory)
    return FALSE;
  identities = make_identities (directory, most, type, error);
  bravis_remove_directory (directory);
  good = identities != NULL;
  printf ("%-6s %8s", "change", "members");
  for (guint i = 0; i < G_N_ELEMENTS (figures); i++)
    printf (" %9s", figures[i].name);
  printf ("\n");
  bench_json_end_versions (builder);
  json_builder_set_member_name (builder, "runs");
  json_builder_begin_array (builder);
  for (guint n = 2; good && n <= most; n *= 2)
    good = measure_size (identities, n, prepared, runs, &report, error);
  json_builder_end_array (builder);
  printf ("%s", published);
  return good && (!json || bench_json_write (builder, json, error))
      && (!plot || bench_curves_plot (curves, plot, error));
}

int
bench_keys_main (int argc, char **argv)
{
  int most = GCP_MAX_MEMBERS, runs = 5;
  gboolean prepared = FALSE;
  g_autofree char *algorithm = NULL;
  g_autofree char *json = NULL;
  g_autofree char *plot = NULL;
  g_autofree char *command = g_strjoinv (" ", argv);
  g_autofree char *whole = g_strconcat ("bravis bench ", command, NULL);
  const GOptionEntry entries[] = {
    { "members", 'n', 0, G_OPTION_ARG_INT, &most,
      "the largest group; sizes are the powers of two (128, the most there are)",
      "N" },
    { "runs", 'r', 0, G_OPTION_ARG_INT, &runs,
      "runs, of which the median counts (5)", "N" },
    { "algorithm", 'a', 0, G_OPTION_ARG_STRING, &algorithm,
      "of the certificates (ed25519)", "ed25519|ecdsa-p256" },
    { "prepared", 0, 0, G_OPTION_ARG_NONE, &prepared,
      "pairwise keys are derived before, outside of what is timed", NULL },
    { "json", 0, 0, G_OPTION_ARG_FILENAME, &json,
      "write the medians to FILE", "FILE" },
    { "plot", 0, 0, G_OPTION_ARG_FILENAME, &plot,
      "draw the times into FILE.svg or FILE.png", "FILE" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  BravisKeyType type = BRAVIS_KEY_ED25519;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, "Measures the processor time of key "
      "changes, in memory, by group size.");
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("bravis bench keys: %s\n", error->message);
    return WRONG_USAGE;
  }
  if (argc > 1 || most < 2 || most > GCP_MAX_MEMBERS || runs < 1
      || (algorithm && !bravis_key_type_from_string (algorithm, &type))) {
    g_printerr ("bravis bench keys: --members must be 2 to %d, --runs above 0, "
        "--algorithm one that “bravis ca” knows\n", GCP_MAX_MEMBERS);
    return WRONG_USAGE;
  }
  if (!measure (type, most, runs, prepared, whole, json, plot,
      &error)) {
    g_printerr ("bravis bench keys: %s\n", error->message);
    return FAILED;
  }
  return DONE;
}
