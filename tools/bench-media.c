#include "bench-media.h"

#include "bench-dtls.h"
#include "bench-media-report.h"

#include <gio/gio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_SIZE (1024 * 1024)
#define MAX_LIST 256
#define MAX_STREAMS 64
#define MAX_MEGABYTES 4096
#define BAR_WIDTH 30

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

typedef struct {
  char *sizes, *lists, *streams, *layouts, *directions, *formats, *ciphers, *providers;
  char *clip;
  gboolean quick;
  int runs, megabytes;
  char *json, *csv, *plot;
} Options;

/* What the options mean. */
typedef struct {
  GPtrArray *loads;             /* of BenchLoad */
  GArray *lists, *streams;      /* of guint */
  GArray *layouts, *directions; /* of guint: BenchLayout, BenchDirection */
  GStrv formats, ciphers, providers;    /* NULL: all */
  guint runs;
  gsize total;                  /* octets of a measurement */
  guint n_done, n_wanted;
  gboolean counting;            /* nothing is measured yet */
  BenchDtls *dtls;              /* NULL: it is not asked for, or not there */
  BenchMediaReport *report;
} Plan;

static void
plan_clear (Plan *plan)
{
  g_clear_pointer (&plan->loads, g_ptr_array_unref);
  g_clear_pointer (&plan->lists, g_array_unref);
  g_clear_pointer (&plan->streams, g_array_unref);
  g_clear_pointer (&plan->layouts, g_array_unref);
  g_clear_pointer (&plan->directions, g_array_unref);
  g_clear_pointer (&plan->formats, g_strfreev);
  g_clear_pointer (&plan->ciphers, g_strfreev);
  g_clear_pointer (&plan->providers, g_strfreev);
  g_clear_pointer (&plan->dtls, bench_dtls_free);
  g_clear_pointer (&plan->report, bench_media_report_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Plan, plan_clear)

/* --- reading the options --- */

static gboolean
read_numbers (const char *option, const char *text, guint most, GArray **out,
    GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  *out = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; words[i]; i++) {
    guint64 value;
    guint number;

    if (!g_ascii_string_to_unsigned (words[i], 10, 1, most, &value, NULL)) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "--%s=%s: must be numbers from 1 to %u", option, words[i], most);
      return FALSE;
    }
    number = value;
    g_array_append_val (*out, number);
  }
  return TRUE;
}

/* Numbers of the words that @to_string knows. */
static gboolean
read_words (const char *option, const char *text, const char *(*to_string) (guint),
    guint n, GArray **out, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  *out = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; words[i]; i++) {
    guint number = 0;

    while (number < n && !g_str_equal (to_string (number), words[i]))
      number++;
    if (number == n) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "--%s=%s: not known; see --help", option, words[i]);
      return FALSE;
    }
    g_array_append_val (*out, number);
  }
  return TRUE;
}

static const char *
name_layout (guint layout)
{
  return bench_layout_to_string (layout);
}

static const char *
name_direction (guint direction)
{
  return bench_direction_to_string (direction);
}

static gboolean
add_load (Plan *plan, BenchLoad *load)
{
  if (load)
    g_ptr_array_add (plan->loads, load);
  return load != NULL;
}

static gboolean
plan_loads (const Options *options, Plan *plan, GError **error)
{
  g_autoptr (GArray) sizes = NULL;

  plan->loads = g_ptr_array_new_with_free_func (
      (GDestroyNotify) bench_load_free);
  if (!read_numbers ("size", options->sizes ? options->sizes : options->quick
          ? "1200,65536" : "100,160,1200,4096,16384,65536", MAX_SIZE, &sizes,
          error))
    return FALSE;
  for (guint i = 0; i < sizes->len; i++) {
    guint size = g_array_index (sizes, guint, i);

    if (size < 16) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "--size=%u: must be at least 16", size);
      return FALSE;
    }
    add_load (plan, bench_load_new_of_size (size));
  }
  return !options->clip
      || (add_load (plan, bench_load_new_of_clip (options->clip, "h264", error))
          && add_load (plan, bench_load_new_of_clip (options->clip, "opus",
                  error)));
}

static gboolean
make_plan (const Options *options, Plan *plan, GError **error)
{
  gboolean quick = options->quick;

  if (options->runs < 1 || options->megabytes < 1
      || options->megabytes > MAX_MEGABYTES) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--runs must be above 0, --megabytes 1 to %d", MAX_MEGABYTES);
    return FALSE;
  }
  plan->runs = options->runs;
  plan->total = (gsize) options->megabytes << 20;
  plan->report = bench_media_report_new ();
  if (options->formats)
    plan->formats = g_strsplit (options->formats, ",", -1);
  if (options->ciphers)
    plan->ciphers = g_strsplit (options->ciphers, ",", -1);
  else if (quick)
    plan->ciphers = g_strsplit ("aes-128-gcm,-", ",", -1);
  if (options->providers)
    plan->providers = g_strsplit (options->providers, ",", -1);
  return plan_loads (options, plan, error)
      && read_numbers ("list", options->lists ? options->lists : "1,32",
      MAX_LIST, &plan->lists, error)
      && read_numbers ("streams", options->streams ? options->streams
      : quick ? "1" : "1,2", MAX_STREAMS, &plan->streams, error)
      && read_words ("layout", options->layouts ? options->layouts
      : quick ? "room" : "room,tight,split", name_layout, BENCH_N_LAYOUTS,
      &plan->layouts, error)
      && read_words ("direction", options->directions ? options->directions
      : quick ? "encrypt,decrypt" : "encrypt,decrypt,both", name_direction,
      BENCH_N_DIRECTIONS, &plan->directions, error);
}

/* --- measuring --- */

static void
show_progress (const Plan *plan)
{
  guint done = BAR_WIDTH * plan->n_done / plan->n_wanted;

  if (isatty (STDERR_FILENO))
    g_printerr ("\r[%.*s%.*s] %3u %%%s", done, "##############################",
        BAR_WIDTH - done, "                              ",
        100 * plan->n_done / plan->n_wanted,
        plan->n_done == plan->n_wanted ? "\n" : "");
  else if (plan->n_done * 10 / plan->n_wanted
      != (plan->n_done - 1) * 10 / plan->n_wanted)
    g_printerr ("media: %u %%\n", 100 * plan->n_done / plan->n_wanted);
}

static gboolean
measure_one (Plan *plan, const BenchSetup *setup, BenchCost *cost, GError **error)
{
  if (plan->counting) {
    plan->n_wanted++;
    return TRUE;
  }
  if (!bench_cost_measure (setup, cost, error)) {
    if (setup->protection)
      g_prefix_error (error, "%s, %s: ", setup->protection->encrypt.line,
          bench_direction_to_string (setup->direction));
    return FALSE;
  }
  plan->n_done++;
  show_progress (plan);
  return TRUE;
}

/* @words: NULL for all. */
static gboolean
is_among (char **words, const char *word)
{
  return !words || g_strv_contains ((const char *const *) words, word);
}

static gboolean
is_wanted (const Plan *plan, const BenchProtection *protection)
{
  return is_among (plan->formats, protection->format)
      && is_among (plan->ciphers, protection->cipher)
      && is_among (plan->providers, protection->provider);
}

/* Where buffers are laid out otherwise, or there is more than one stream, not every
 * list and size is measured: it is to be seen what that one thing changes. */
static gboolean
is_worth_it (const BenchSetup *setup)
{
  return setup->layout == BENCH_ROOM || (setup->streams == 1
      && bench_load_has_shape (setup->load, BENCH_RTP));
}

static gboolean
measure_directions (Plan *plan, BenchSetup *setup, const BenchCost *nothing,
    GError **error)
{
  double raw = NAN;

  if (!plan->counting && setup->protection->aead >= 0
      && bench_load_is_of_size (setup->load))
    raw = bench_cost_measure_raw (setup->protection->provider,
        setup->protection->aead, bench_load_get_size (setup->load, setup->shape),
        setup->total);
  for (guint i = 0; i < plan->directions->len; i++) {
    BenchCost cost;

    setup->direction = g_array_index (plan->directions, guint, i);
    if (setup->protection->opens_no_lists && setup->list > 1
        && setup->direction != BENCH_ENCRYPT)
      continue;
    if (!measure_one (plan, setup, &cost, error))
      return FALSE;
    if (!plan->counting)
      bench_media_report_add (plan->report, setup, &cost, nothing, raw);
  }
  return TRUE;
}

/* All protections in turn, on the same buffers. */
static gboolean
measure_shape (Plan *plan, BenchSetup *setup, GError **error)
{
  const BenchProtection *protection;
  BenchCost nothing;

  if (!bench_load_has_shape (setup->load, setup->shape) || !is_worth_it (setup))
    return TRUE;
  setup->protection = NULL;
  setup->direction = BENCH_ENCRYPT;
  if (!measure_one (plan, setup, &nothing, error))
    return FALSE;
  for (guint i = 0; (protection = bench_protection_get (i)); i++) {
    setup->protection = protection;
    if (protection->shape == setup->shape && is_wanted (plan, protection)
        && !measure_directions (plan, setup, &nothing, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
measure_load (Plan *plan, const BenchLoad *load, GError **error)
{
  BenchSetup setup = { .load = load,.total = plan->total };

  for (guint i = 0; i < plan->layouts->len; i++)
    for (guint k = 0; k < plan->lists->len; k++)
      for (guint m = 0; m < plan->streams->len; m++)
        for (guint shape = BENCH_FRAMES; shape <= BENCH_RTP; shape++) {
          setup.layout = g_array_index (plan->layouts, guint, i);
          setup.list = g_array_index (plan->lists, guint, k);
          setup.streams = g_array_index (plan->streams, guint, m);
          setup.shape = shape;
          if (!measure_shape (plan, &setup, error))
            return FALSE;
        }
  return TRUE;
}

static void
measure_raw (Plan *plan, guint size)
{
  static const char *const ciphers[BRAVIS_N_AEADS] = {
    "aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"
  };
  const char *const *providers = bravis_aead_list_providers ();

  bench_media_report_add_raw (plan->report, "memcpy", "-", "-", size,
      bench_cost_measure_copy (size, plan->total));
  for (guint i = 0; i < BRAVIS_N_AEADS; i++)
    for (guint k = 0; providers[k]; k++)
      if (is_among (plan->ciphers, ciphers[i])
          && is_among (plan->providers, providers[k]))
        bench_media_report_add_raw (plan->report, "(cipher alone)", ciphers[i],
            providers[k], size, bench_cost_measure_raw (providers[k], i, size,
                plan->total));
}

static gboolean
has_number (GArray *numbers, guint wanted)
{
  for (guint i = 0; i < numbers->len; i++)
    if (g_array_index (numbers, guint, i) == wanted)
      return TRUE;
  return FALSE;
}

/* Which cipher it will have, only the handshake tells. Where there is none, the others
 * are measured all the same. */
static void
open_dtls (Plan *plan)
{
  g_autoptr (GError) error = NULL;

  if (!is_among (plan->formats, "dtls") || !is_among (plan->providers, "openssl")
      || !has_number (plan->lists, 1) || !has_number (plan->streams, 1)
      || !has_number (plan->layouts, BENCH_ROOM))
    return;
  plan->dtls = bench_dtls_new (&error);
  if (!plan->dtls)
    g_printerr ("bravis bench media: %s\n", error->message);
  else if (!is_among (plan->ciphers, bench_dtls_get_cipher (plan->dtls)))
    g_clear_pointer (&plan->dtls, bench_dtls_free);
}

static void
add_dtls (Plan *plan, const BenchLoad *load, BenchDirection direction, double ns)
{
  const BenchProtection protection = { "dtls", "dtls",
    bench_dtls_get_cipher (plan->dtls), "openssl", BENCH_FRAMES,
    { "dtlsenc", "sink", "src" }, { "dtlsdec", "sink", "src" }, -1
  };
  const BenchSetup setup = { &protection, direction, load, BENCH_FRAMES, BENCH_ROOM,
    1, 1, plan->total
  };
  const BenchCost cost = { ns, NAN, NAN, NAN, NAN }, nothing = { 0 };

  if (has_number (plan->directions, direction))
    bench_media_report_add (plan->report, &setup, &cost, &nothing, NAN);
}

static gboolean
measure_dtls (Plan *plan, const BenchLoad *load, GError **error)
{
  double encrypt_ns, decrypt_ns;

  if (!bench_load_is_of_size (load)
      || bench_load_get_size (load, BENCH_FRAMES) > BENCH_DTLS_MAX_SIZE)
    return TRUE;
  if (plan->counting) {
    plan->n_wanted++;
    return TRUE;
  }
  if (!bench_dtls_measure (plan->dtls, load, plan->total, &encrypt_ns, &decrypt_ns,
          error))
    return FALSE;
  add_dtls (plan, load, BENCH_ENCRYPT, encrypt_ns);
  add_dtls (plan, load, BENCH_DECRYPT, decrypt_ns);
  plan->n_done++;
  show_progress (plan);
  return TRUE;
}

static gboolean
measure_all (Plan *plan, GError **error)
{
  for (guint i = 0; i < plan->loads->len; i++) {
    const BenchLoad *load = plan->loads->pdata[i];

    if (!plan->counting && bench_load_is_of_size (load))
      measure_raw (plan, bench_load_get_size (load, BENCH_FRAMES));
    if (!measure_load (plan, load, error)
        || (plan->dtls && !measure_dtls (plan, load, error)))
      return FALSE;
  }
  return TRUE;
}

static int
measure_and_show (Plan *plan, const Options *options, const char *command)
{
  g_autoptr (GError) error = NULL;
  gboolean good;

  open_dtls (plan);
  plan->counting = TRUE;
  good = measure_all (plan, &error);
  plan->counting = FALSE;
  plan->n_wanted *= plan->runs;
  for (guint run = 0; good && run < plan->runs; run++)
    good = measure_all (plan, &error);
  /* What was measured before something failed is not lost. */
  bench_media_report_print (plan->report);
  if (good && options->json)
    good = bench_media_report_write_json (plan->report, options->json, command,
        &error);
  if (good && options->csv)
    good = bench_media_report_write_csv (plan->report, options->csv, &error);
  if (good && options->plot)
    good = bench_media_report_plot (plan->report, options->plot, &error);
  if (!good)
    g_printerr ("bravis bench media: %s\n", error->message);
  return good ? DONE : FAILED;
}

static void
options_clear (Options *options)
{
  g_free (options->sizes);
  g_free (options->lists);
  g_free (options->streams);
  g_free (options->layouts);
  g_free (options->directions);
  g_free (options->formats);
  g_free (options->ciphers);
  g_free (options->providers);
  g_free (options->clip);
  g_free (options->json);
  g_free (options->csv);
  g_free (options->plot);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

int
bench_media_main (int argc, char **argv)
{
  g_auto (Options) options = { .runs = 5,.megabytes = 24 };
  g_auto (Plan) plan = { 0 };
  const GOptionEntry entries[] = {
    { "quick", 'q', 0, G_OPTION_ARG_NONE, &options.quick,
      "what matters most, in less than a minute", NULL },
    { "size", 's', 0, G_OPTION_ARG_STRING, &options.sizes,
      "octets of a buffer (100,160,1200,4096,16384,65536)", "N,N" },
    { "clip", 0, 0, G_OPTION_ARG_FILENAME, &options.clip,
      "also the H.264 and Opus streams of a Matroska file", "FILE" },
    { "list", 'l', 0, G_OPTION_ARG_STRING, &options.lists,
      "buffers of a list; 1: one by one (1,32)", "N,N" },
    { "streams", 0, 0, G_OPTION_ARG_STRING, &options.streams,
      "streams at a time, each in a thread of its own (1,2)", "N,N" },
    { "layout", 0, 0, G_OPTION_ARG_STRING, &options.layouts,
      "how buffers lie in memory: with room on both sides, without, or header and "
      "payload apart (all)", "room,tight,split" },
    { "direction", 'd', 0, G_OPTION_ARG_STRING, &options.directions,
      "what is done (all)", "encrypt,decrypt,both" },
    { "format", 'f', 0, G_OPTION_ARG_STRING, &options.formats,
      "sframe, sframe-rtp, srtp, dtls, - (all)", "F,F" },
    { "cipher", 'c', 0, G_OPTION_ARG_STRING, &options.ciphers,
      "aes-128-gcm ... (all)", "C,C" },
    { "provider", 'p', 0, G_OPTION_ARG_STRING, &options.providers,
      "ipsec-mb, gnutls, libsrtp2 ... (all)", "P,P" },
    { "runs", 'r', 0, G_OPTION_ARG_INT, &options.runs,
      "runs, of which the median counts (5)", "N" },
    { "megabytes", 0, 0, G_OPTION_ARG_INT, &options.megabytes,
      "MiB of buffers for each figure of a run (24)", "N" },
    { "json", 0, 0, G_OPTION_ARG_FILENAME, &options.json,
      "write the medians to FILE", "FILE" },
    { "csv", 0, 0, G_OPTION_ARG_FILENAME, &options.csv,
      "write the medians to FILE", "FILE" },
    { "plot", 0, 0, G_OPTION_ARG_FILENAME, &options.plot,
      "draw the time to encrypt by size, into FILE.svg or FILE.png", "FILE" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char *arguments = g_strjoinv (" ", argv);
  g_autofree char *command = g_strconcat ("bravis bench ", arguments, NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, "Measures what protecting media costs in a "
      "pipeline, beside srtpenc, aesenc and the bare cipher.");
  g_option_context_set_description (context, "ns/buffer is the processor's time with "
      "the element, less the same without it.\nraw is the share of the bare "
      "cipher's speed that the element reaches.\ndtlsenc and dtlsdec: the time of the "
      "whole process, since dtlsenc has a thread of\nits own; dtlsenc's less that of a "
      "queue in its place.\n");
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("bravis bench media: %s\n", error->message);
    return WRONG_USAGE;
  }
  if (argc > 1) {
    g_printerr ("bravis bench media: unexpected argument “%s”\n", argv[1]);
    return WRONG_USAGE;
  }
  gst_init (NULL, NULL);
  if (!make_plan (&options, &plan, &error)) {
    g_printerr ("bravis bench media: %s\n", error->message);
    return error->domain == G_OPTION_ERROR ? WRONG_USAGE : FAILED;
  }
  return measure_and_show (&plan, &options, command);
}
