#include "bench-puzzle.h"

#include "bench-curves.h"
#include "bench-json.h"
#include "bench-statistics.h"
#include "../gst/bravis-aead.h"
#include "../gst/bravis-puzzle.h"

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TOTAL (8 * 1024 * 1024) /* octets of a measurement */
#define CHILD "--figures"       /* says that this process measures */

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

static const guint sizes[] = { 1024, 4096, 16384, 65536, 262144 };

/* --- what is measured --- */

typedef enum {
  COPY, PUZZLE, PUZZLE_TAG, CHACHA20_POLY1305, AES_128_GCM, N_SUBJECTS
} Subject;

static const char *const subjects[N_SUBJECTS] = {
  "memcpy", "Puzzle without a tag", "Puzzle", "ChaCha20-Poly1305", "AES-128-GCM"
};

typedef struct {
  BravisPuzzle *puzzle;
  BravisAead *aeads[2];         /* ChaCha20-Poly1305, AES-128-GCM */
  guint8 *data, *copy;
} Bench;

static double
get_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

static void
do_once (Bench *bench, Subject subject, guint size, guint number)
{
  guint8 nonce[BRAVIS_AEAD_NONCE_SIZE] = { 0 };

  memcpy (nonce, &number, sizeof number);
  switch (subject) {
    case COPY:
      memcpy (bench->copy, bench->data, size);
      __asm__ volatile ("" : : "r" (bench->copy) : "memory");
      break;
    case PUZZLE:
      bravis_puzzle_hide (bench->puzzle, nonce, bench->data, size);
      break;
    case PUZZLE_TAG:
      bravis_puzzle_encrypt (bench->puzzle, nonce, nonce, sizeof nonce, NULL, 0,
          bench->data, size, bench->data + size);
      break;
    default:
      bravis_aead_encrypt (bench->aeads[subject - CHACHA20_POLY1305], nonce,
          nonce, sizeof nonce, NULL, 0, bench->data, size, bench->data + size);
      break;
  }
}

/* ns for a frame. */
static double
measure (Bench *bench, Subject subject, guint size)
{
  guint n = TOTAL / size;
  double began = 0;

  for (guint i = 0; i < n + n / 8; i++) {
    if (i == n / 8)
      began = get_time ();
    do_once (bench, subject, size, i);
  }
  return (get_time () - began) / n;
}

/* One process, one run: "SUBJECT SIZE NS" for each. */
static int
say_figures (void)
{
  const guint8 key[BRAVIS_PUZZLE_KEY_SIZE] = { 1 };
  guint most = sizes[G_N_ELEMENTS (sizes) - 1];
  Bench bench = { bravis_puzzle_new (key), {
      bravis_aead_new_by ("gnutls", BRAVIS_AEAD_CHACHA20_POLY1305, key),
      bravis_aead_new_by ("gnutls", BRAVIS_AEAD_AES_128_GCM, key) },
    g_malloc0 (most + BRAVIS_AEAD_TAG_SIZE), g_malloc0 (most) };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint subject = 0; subject < N_SUBJECTS; subject++)
      printf ("%u %u %.3f\n", subject, sizes[i],
          measure (&bench, subject, sizes[i]));
  bravis_puzzle_free (bench.puzzle);
  bravis_aead_free (bench.aeads[0]);
  bravis_aead_free (bench.aeads[1]);
  g_free (bench.data);
  g_free (bench.copy);
  return DONE;
}

/* --- with the processor as it is, and as if it could do little --- */

typedef struct {
  GArray *figures[2][N_SUBJECTS][G_N_ELEMENTS (sizes)]; /* of double, ns */
} Results;

static const char *const processors[2] = {
  "as it is", "without AES and vector instructions"
};

static guint
find_size (guint size)
{
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    if (sizes[i] == size)
      return i;
  return 0;
}

static void
take_figures (Results *results, guint processor, const char *said)
{
  g_auto (GStrv) lines = g_strsplit (said, "\n", -1);

  for (guint i = 0; lines[i]; i++) {
    guint subject, size;
    double ns;

    if (sscanf (lines[i], "%u %u %lf", &subject, &size, &ns) == 3
        && subject < N_SUBJECTS)
      g_array_append_val (results->figures[processor][subject]
          [find_size (size)], ns);
  }
}

/* What the libraries may use is decided when they are loaded: so each run is another
 * process. */
static gboolean
run_child (Results *results, guint processor, GError **error)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", error);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GSubprocess) child = NULL;
  g_autofree char *said = NULL;

  if (!program)
    return FALSE;
  if (processor == 1) {
    g_subprocess_launcher_setenv (launcher, "GNUTLS_CPUID_OVERRIDE", "0x1", TRUE);
    g_subprocess_launcher_setenv (launcher, "NETTLE_FAT_OVERRIDE",
        "vendor:other,aesni:no,sha_ni:no,pclmul:no", TRUE);
  }
  child = g_subprocess_launcher_spawn (launcher, error, program, "bench",
      "puzzle", CHILD, NULL);
  if (!child || !g_subprocess_communicate_utf8 (child, NULL, NULL, &said, NULL,
          error) || !g_subprocess_wait_check (child, NULL, error))
    return FALSE;
  take_figures (results, processor, said);
  return TRUE;
}

static double
get_gbit (const Results *results, guint processor, guint subject, guint size)
{
  return sizes[size] * 8 / bench_median (
      results->figures[processor][subject][size]);
}

static void
print (const Results *results)
{
  printf ("Gbit/s of one core, medians\n");
  for (guint processor = 0; processor < 2; processor++) {
    printf ("\nprocessor %s\n%-22s", processors[processor], "octets of a frame");
    for (guint size = 0; size < G_N_ELEMENTS (sizes); size++)
      printf (" %8u", sizes[size]);
    printf ("\n");
    for (guint subject = 0; subject < N_SUBJECTS; subject++) {
      printf ("%-22s", subjects[subject]);
      for (guint size = 0; size < G_N_ELEMENTS (sizes); size++)
        printf (" %8.2f", get_gbit (results, processor, subject, size));
      printf ("\n");
    }
  }
}

static gboolean
write_json (const Results *results, const char *command, const char *file,
    GError **error)
{
  g_autoptr (JsonBuilder) builder = bench_json_begin (command);

  bench_json_end_versions (builder);
  json_builder_set_member_name (builder, "runs");
  json_builder_begin_array (builder);
  for (guint processor = 0; processor < 2; processor++)
    for (guint subject = 0; subject < N_SUBJECTS; subject++)
      for (guint size = 0; size < G_N_ELEMENTS (sizes); size++) {
        json_builder_begin_object (builder);
        bench_json_add_text (builder, "processor", processors[processor]);
        bench_json_add_text (builder, "cipher", subjects[subject]);
        bench_json_add_integer (builder, "size", sizes[size]);
        bench_json_add_number (builder, "ns_per_frame", bench_median (
                results->figures[processor][subject][size]));
        bench_json_add_number (builder, "gbit_per_s", get_gbit (results,
                processor, subject, size));
        json_builder_end_object (builder);
      }
  json_builder_end_array (builder);
  return bench_json_write (builder, file, error);
}

static gboolean
plot (const Results *results, const char *file, GError **error)
{
  g_autoptr (BenchCurves) curves = bench_curves_new (
      "Encrypting a frame on one core; dull: without AES and vector instructions",
      "octets", "Gbit/s");

  for (guint processor = 0; processor < 2; processor++)
    for (guint subject = PUZZLE; subject < N_SUBJECTS; subject++)
      for (guint size = 0; size < G_N_ELEMENTS (sizes); size++) {
        g_autofree char *name = g_strdup_printf ("%s%s", subjects[subject],
            processor == 1 ? ", dull" : "");

        bench_curves_add (curves, name, sizes[size], get_gbit (results,
                processor, subject, size));
      }
  return bench_curves_plot (curves, file, error);
}

static void
results_init (Results *results)
{
  for (guint i = 0; i < 2; i++)
    for (guint k = 0; k < N_SUBJECTS; k++)
      for (guint m = 0; m < G_N_ELEMENTS (sizes); m++)
        results->figures[i][k][m] = g_array_new (FALSE, FALSE, sizeof (double));
}

static void
results_clear (Results *results)
{
  for (guint i = 0; i < 2; i++)
    for (guint k = 0; k < N_SUBJECTS; k++)
      for (guint m = 0; m < G_N_ELEMENTS (sizes); m++)
        g_array_unref (results->figures[i][k][m]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Results, results_clear)

int
bench_puzzle_main (int argc, char **argv)
{
  int runs = 5;
  g_autofree char *json = NULL;
  g_autofree char *drawing = NULL;
  const GOptionEntry entries[] = {
    { "runs", 'r', 0, G_OPTION_ARG_INT, &runs,
      "runs, of which the median counts (5)", "N" },
    { "json", 0, 0, G_OPTION_ARG_FILENAME, &json,
      "write the medians to FILE", "FILE" },
    { "plot", 0, 0, G_OPTION_ARG_FILENAME, &drawing,
      "draw the medians into FILE.svg or FILE.png", "FILE" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char *arguments = g_strjoinv (" ", argv);
  g_autofree char *command = g_strconcat ("bravis bench ", arguments, NULL);
  g_autoptr (GError) error = NULL;
  g_auto (Results) results;
  gboolean good = TRUE;

  results_init (&results);
  if (argc == 2 && strcmp (argv[1], CHILD) == 0)
    return say_figures ();
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, "Measures Puzzle beside AES-128-GCM and "
      "ChaCha20-Poly1305: with the processor as it is, and\nwithout its AES and "
      "vector instructions, as processors were when Puzzle was made.\nPuzzle is weak: "
      "see bravisencrypt's documentation before using it.");
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc > 1
      || runs < 1) {
    g_printerr ("bravis bench puzzle: %s\n", error ? error->message
        : "--runs must be above 0, and there are no arguments");
    return WRONG_USAGE;
  }
  for (int run = 1; good && run <= runs; run++)
    for (guint processor = 0; good && processor < 2; processor++) {
      g_printerr ("puzzle, run %d of %d: processor %s\n", run, runs,
          processors[processor]);
      good = run_child (&results, processor, &error);
    }
  if (good)
    print (&results);
  good = good && (!json || write_json (&results, command, json, &error))
      && (!drawing || plot (&results, drawing, &error));
  if (!good)
    g_printerr ("bravis bench puzzle: %s\n", error->message);
  return good ? DONE : FAILED;
}
