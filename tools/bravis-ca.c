#include "bravis-ca.h"
#include "bravis-authority.h"
#include "bravis-show.h"
#include "../keymgmt/bravis-identity.h"

#include <stdio.h>
#include <string.h>

#define DAY G_GINT64_CONSTANT (86400)
#define MAX_DAYS 36500

/* New certificates are valid from this long ago: clocks differ. */
#define CLOCK_SLACK G_GINT64_CONSTANT (3600)

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

/* The options of all subcommands; each shows only its own. */
typedef struct {
  char *directory;
  char *parent;
  char *name;
  char *out;
  char *algorithm;
  char *valid_from;
  char *passphrase_file;
  char *request;
  int days;
  int crl_days;
  int path_length;
} Options;

typedef struct {
  const char *name;
  const char *parameters;
  const char *summary;
  const char *options;          /* letters of those it has, from the table below */
  int days;                     /* default */
  int min_arguments, max_arguments;
  int (*run) (const Options *options, char **arguments);
} Subcommand;

static gint64
now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static int
failed (GError *error)
{
  g_printerr ("bravis ca: %s\n", error->message);
  g_error_free (error);
  return FAILED;
}

static int G_GNUC_PRINTF (1, 2)
wrong_usage (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("bravis ca: %s\n", text);
  return WRONG_USAGE;
}

/* "2026-01-31", or with a time as ISO 8601 has it. */
static gboolean
parse_date (const char *text, gint64 *time)
{
  g_autofree char *midnight = g_strconcat (text, "T00:00:00Z", NULL);
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (
      strchr (text, 'T') ? text : midnight, utc);

  if (date == NULL)
    return FALSE;
  *time = g_date_time_to_unix (date);
  return TRUE;
}

static int
make_wish (const Options *options, const char *name, BravisWish *wish)
{
  *wish = (BravisWish) { .name = name };
  wish->passphrase_file = options->passphrase_file;
  wish->key_type = BRAVIS_KEY_ED25519;
  wish->valid_from = now () - CLOCK_SLACK;
  if (options->algorithm
      && !bravis_key_type_from_string (options->algorithm, &wish->key_type))
    return wrong_usage ("--algorithm=%s: must be ed25519, ecdsa-p256, "
        "ecdsa-p384 or rsa-3072", options->algorithm);
  if (options->valid_from
      && !parse_date (options->valid_from, &wish->valid_from))
    return wrong_usage ("--valid-from=%s: not a date such as 2026-01-31",
        options->valid_from);
  if (options->days < 1 || options->days > MAX_DAYS)
    return wrong_usage ("--days=%d: must be 1 to %d", options->days, MAX_DAYS);
  wish->valid_until = wish->valid_from + options->days * DAY;
  return DONE;
}

static gint64
crl_until (const Options *options)
{
  return now () + options->crl_days * DAY;
}

static int
run_init (const Options *options, char **arguments)
{
  g_autoptr (BravisAuthority) parent = NULL;
  GError *error = NULL;
  BravisWish wish;
  int path_length = options->path_length;
  int result = make_wish (options, options->name ? options->name
      : options->parent ? "Bravis Intermediate CA" : "Bravis CA", &wish);

  if (result != DONE)
    return result;
  if (path_length < 0)
    path_length = options->parent ? 0 : 1;
  if (options->parent) {
    parent = bravis_authority_open (options->parent, &error);
    if (parent == NULL)
      return failed (error);
  }
  if (!bravis_authority_create (options->directory, parent, &wish, path_length,
          crl_until (options), &error))
    return failed (error);
  g_print ("The authority “%s” is in %s. Members trust ca.pem%s; keep "
      "ca-key.pem to yourself.\n", wish.name, options->directory,
      parent ? " of the authority above it" : "");
  return DONE;
}

static int
run_issue (const Options *options, char **arguments)
{
  const char *name = arguments[0];
  g_autoptr (BravisAuthority) authority = NULL;
  g_autofree char *prefix = NULL;
  g_autofree char *certificate = NULL;
  g_autofree char *key = NULL;
  GError *error = NULL;
  BravisWish wish;
  int result = make_wish (options, name, &wish);

  if (result != DONE)
    return result;
  if (!bravis_name_is_valid (name))
    return wrong_usage ("%s: a name has the form user@domain, letters, digits "
        "and . - _ + in the user part, at most %d characters", name,
        BRAVIS_MAX_NAME);
  prefix = options->out ? g_strdup (options->out)
      : g_strndup (name, strchr (name, '@') - name);
  certificate = g_strconcat (prefix, ".pem", NULL);
  key = g_strconcat (prefix, "-key.pem", NULL);
  if (options->request && (options->algorithm || options->passphrase_file))
    return wrong_usage ("--request: the key is made already: --algorithm and "
        "--passphrase-file say nothing");
  authority = bravis_authority_open (options->directory, &error);
  if (authority == NULL)
    return failed (error);
  if (options->request) {
    if (!bravis_authority_certify (authority, &wish, options->request,
            certificate, &error))
      return failed (error);
    g_print ("%s: certificate in %s\n", name, certificate);
    return DONE;
  }
  if (!bravis_authority_issue (authority, &wish, certificate, key, &error))
    return failed (error);
  g_print ("%s: certificate in %s, private key in %s\n", name, certificate,
      key);
  return DONE;
}

static int
run_revoke (const Options *options, char **arguments)
{
  g_autoptr (BravisAuthority) authority = NULL;
  GError *error = NULL;

  authority = bravis_authority_open (options->directory, &error);
  if (authority == NULL)
    return failed (error);
  for (guint i = 0; arguments[i]; i++) {
    guint n = bravis_authority_revoke (authority, arguments[i], now (),
        crl_until (options), &error);

    if (n == 0)
      return failed (error);
    g_print ("%s: %u %s revoked; give the new %s/crl.pem to all members\n",
        arguments[i], n, n == 1 ? "certificate" : "certificates",
        options->directory);
  }
  return DONE;
}

static int
run_crl (const Options *options, char **arguments)
{
  g_autoptr (BravisAuthority) authority = NULL;
  g_autofree char *file = g_build_filename (options->directory, "crl.pem",
      NULL);
  GError *error = NULL;

  authority = bravis_authority_open (options->directory, &error);
  if (authority == NULL
      || !bravis_authority_renew_crl (authority, now (), crl_until (options),
          &error)
      || !bravis_show_file (file, &error))
    return failed (error);
  return DONE;
}

static int
run_show (const Options *options, char **arguments)
{
  g_autofree char *own = g_build_filename (options->directory, "ca.pem", NULL);
  GError *error = NULL;

  if (arguments[0] == NULL && !bravis_show_file (own, &error))
    return failed (error);
  for (guint i = 0; arguments[i]; i++)
    if (!bravis_show_file (arguments[i], &error))
      return failed (error);
  return DONE;
}

static const Subcommand subcommands[] = {
  { "init", "", "make an authority, or one below another", "dpnavDcl", 3650, 0,
    0, run_init },
  { "issue", "NAME@DOMAIN", "make a key and a certificate for a member",
    "doavDsr", 365, 1, 1, run_issue },
  { "revoke", "NAME@DOMAIN|FILE...",
    "take certificates back, by name or by file", "dc", 0, 1, 1000,
    run_revoke },
  { "crl", "", "sign the revocation list anew, and show it", "dc", 0, 0, 0,
    run_crl },
  { "show", "[FILE...]",
    "show certificates and revocation lists; without a file, the authority's "
    "own", "d", 0, 0, 1000, run_show },
};

static int
usage (FILE *out)
{
  fprintf (out, "Usage: bravis ca SUBCOMMAND [OPTION...]\n\n"
      "A certificate authority for conferences, in a directory.\n\n");
  for (guint i = 0; i < G_N_ELEMENTS (subcommands); i++)
    fprintf (out, "  %-8s %s\n", subcommands[i].name, subcommands[i].summary);
  fprintf (out, "\n“bravis ca SUBCOMMAND --help” shows its options.\n");
  return out == stdout ? DONE : WRONG_USAGE;
}

static void
add_options (GOptionContext *context, const Subcommand *subcommand,
    Options *options)
{
  const struct {
    char letter;
    GOptionEntry entry;
  } all[] = {
    { 'd', { "dir", 'd', 0, G_OPTION_ARG_FILENAME, &options->directory,
        "the authority's directory (ca)", "DIR" } },
    { 'p', { "parent", 'p', 0, G_OPTION_ARG_FILENAME, &options->parent,
        "the directory of the authority that it stands below", "DIR" } },
    { 'n', { "name", 'n', 0, G_OPTION_ARG_STRING, &options->name,
        "the authority's name", "TEXT" } },
    { 'o', { "out", 'o', 0, G_OPTION_ARG_FILENAME, &options->out,
        "write PREFIX.pem and PREFIX-key.pem (the user part of the name)",
        "PREFIX" } },
    { 'a', { "algorithm", 'a', 0, G_OPTION_ARG_STRING, &options->algorithm,
        "ed25519, ecdsa-p256, ecdsa-p384 or rsa-3072 (ed25519)", "ALGORITHM" } },
    { 'v', { "valid-from", 0, 0, G_OPTION_ARG_STRING, &options->valid_from,
        "first day, such as 2026-01-31, UTC (an hour ago)", "DATE" } },
    { 'D', { "days", 0, 0, G_OPTION_ARG_INT, &options->days,
        "for how long it is valid (authority 3650, member 365)", "N" } },
    { 's', { "passphrase-file", 0, 0, G_OPTION_ARG_FILENAME,
        &options->passphrase_file,
        "encrypt the private key with the passphrase in this file's first line",
        "FILE" } },
    { 'r', { "request", 'r', 0, G_OPTION_ARG_FILENAME, &options->request,
        "make no key, but a certificate for the one in this request (PKCS #10)",
        "FILE" } },
    { 'c', { "crl-days", 0, 0, G_OPTION_ARG_INT, &options->crl_days,
        "for how long the revocation list is good (365)", "N" } },
    { 'l', { "path-length", 0, 0, G_OPTION_ARG_INT, &options->path_length,
        "how many authorities may stand below one another under it (1; below "
        "another 0)", "N" } },
  };
  GOptionEntry entries[G_N_ELEMENTS (all) + 1] = { { NULL } };
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (strchr (subcommand->options, all[i].letter))
      entries[n++] = all[i].entry;
  g_option_context_add_main_entries (context, entries, NULL);
}

static void
options_clear (Options *options)
{
  g_free (options->directory);
  g_free (options->parent);
  g_free (options->name);
  g_free (options->out);
  g_free (options->algorithm);
  g_free (options->valid_from);
  g_free (options->passphrase_file);
  g_free (options->request);
}

static int
check_and_run (const Subcommand *subcommand, const Options *options,
    char **arguments)
{
  int n = g_strv_length (arguments);

  if (n < subcommand->min_arguments)
    return wrong_usage ("%s: %s is missing", subcommand->name,
        subcommand->parameters);
  if (n > subcommand->max_arguments)
    return wrong_usage ("%s: “%s” is too much", subcommand->name,
        arguments[subcommand->max_arguments]);
  if (options->crl_days < 1 || options->crl_days > MAX_DAYS)
    return wrong_usage ("--crl-days=%d: must be 1 to %d", options->crl_days,
        MAX_DAYS);
  if (options->path_length < -1
      || options->path_length > BRAVIS_MAX_CHAIN_LENGTH - 1)
    return wrong_usage ("--path-length=%d: must be 0 to %d",
        options->path_length, BRAVIS_MAX_CHAIN_LENGTH - 1);
  return subcommand->run (options, arguments);
}

static int
run (const Subcommand *subcommand, char **arguments)
{
  g_autoptr (GOptionContext) context = g_option_context_new (
      subcommand->parameters);
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_strconcat ("bravis ca ", subcommand->name,
      NULL);
  g_auto (GStrv) all = NULL;
  Options options = {
    .days = subcommand->days,
    .crl_days = 365,
    .path_length = -1
  };
  int result;

  all = g_strdupv (arguments);
  g_free (all[0]);
  all[0] = g_strdup (program);
  g_set_prgname (program);
  g_option_context_set_summary (context, subcommand->summary);
  add_options (context, subcommand, &options);
  if (!g_option_context_parse_strv (context, &all, &error)) {
    result = wrong_usage ("%s: %s", subcommand->name, error->message);
  } else {
    if (options.directory == NULL)
      options.directory = g_strdup ("ca");
    result = check_and_run (subcommand, &options, all + 1);
  }
  options_clear (&options);
  return result;
}

int
bravis_ca_main (int argc, char **argv)
{
  if (argc < 2)
    return usage (stderr);
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h"))
    return usage (stdout);
  for (guint i = 0; i < G_N_ELEMENTS (subcommands); i++)
    if (g_str_equal (argv[1], subcommands[i].name))
      return run (&subcommands[i], argv + 1);
  g_printerr ("bravis ca: unknown subcommand “%s”\n\n", argv[1]);
  return usage (stderr);
}
