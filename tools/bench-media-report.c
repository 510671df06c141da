#include "bench-media-report.h"

#include "bench-curves.h"
#include "bench-json.h"
#include "bench-statistics.h"

#include <gnutls/gnutls.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* What is measured of each row, once a run. */
typedef enum { NS, GBIT, RAW_SHARE, CPU, P50, P99, MOST, N_FIGURES } Figure;

typedef struct {
  char *element, *load;
  const char *format, *cipher, *provider, *layout, *direction;
  guint size, list, streams;
  GArray *figures[N_FIGURES];   /* of double */
} Row;

struct _BenchMediaReport {
  GPtrArray *rows;              /* of Row */
};

static void
row_free (gpointer data)
{
  Row *row = data;

  for (guint i = 0; i < N_FIGURES; i++)
    g_array_unref (row->figures[i]);
  g_free (row->element);
  g_free (row->load);
  g_free (row);
}

BenchMediaReport *
bench_media_report_new (void)
{
  BenchMediaReport *report = g_new0 (BenchMediaReport, 1);

  report->rows = g_ptr_array_new_with_free_func (row_free);
  return report;
}

void
bench_media_report_free (BenchMediaReport *report)
{
  g_ptr_array_unref (report->rows);
  g_free (report);
}

static gboolean
is_same (const Row *a, const Row *b)
{
  return g_str_equal (a->element, b->element)
      && g_str_equal (a->format, b->format)
      && g_str_equal (a->cipher, b->cipher)
      && g_str_equal (a->provider, b->provider)
      && g_str_equal (a->load, b->load) && g_str_equal (a->layout, b->layout)
      && g_str_equal (a->direction, b->direction) && a->list == b->list
      && a->streams == b->streams;
}

/* The row that is the same as @wanted, which is taken. */
static Row *
need_row (BenchMediaReport *report, Row *wanted)
{
  for (guint i = 0; i < report->rows->len; i++)
    if (is_same (report->rows->pdata[i], wanted)) {
      row_free (wanted);
      return report->rows->pdata[i];
    }
  g_ptr_array_add (report->rows, wanted);
  return wanted;
}

static Row *
row_new (void)
{
  Row *row = g_new0 (Row, 1);

  for (guint i = 0; i < N_FIGURES; i++)
    row->figures[i] = g_array_new (FALSE, FALSE, sizeof (double));
  return row;
}

/* The first word of what is run; of both elements, the first one's. */
static char *
name_element (const BenchSetup *setup)
{
  const char *line = setup->direction == BENCH_DECRYPT
      ? setup->protection->decrypt.line : setup->protection->encrypt.line;

  return g_strndup (line, strcspn (line, " "));
}

static void
add_figure (Row *row, Figure figure, double value)
{
  if (!isnan (value))
    g_array_append_val (row->figures[figure], value);
}

void
bench_media_report_add (BenchMediaReport *report, const BenchSetup *setup,
    const BenchCost *cost, const BenchCost *nothing, double raw)
{
  double ns = cost->ns - nothing->ns, wall = cost->wall - nothing->wall;
  Row *row = row_new ();

  row->element = name_element (setup);
  row->format = setup->protection->format;
  row->cipher = setup->protection->cipher;
  row->provider = setup->protection->provider;
  row->load = g_strdup (bench_load_get_name (setup->load));
  row->layout = bench_layout_to_string (setup->layout);
  row->direction = bench_direction_to_string (setup->direction);
  row->size = bench_load_get_size (setup->load, setup->shape);
  row->list = setup->list;
  row->streams = setup->streams;
  row = need_row (report, row);
  add_figure (row, NS, ns);
  add_figure (row, GBIT, wall > 0 ? row->size * 8 * setup->streams / wall : NAN);
  add_figure (row, RAW_SHARE, setup->direction == BENCH_BOTH ? NAN : raw / ns);
  add_figure (row, CPU, cost->ns / cost->wall);
  add_figure (row, P50, cost->p50);
  add_figure (row, P99, cost->p99);
  add_figure (row, MOST, cost->most);
}

void
bench_media_report_add_raw (BenchMediaReport *report, const char *element,
    const char *cipher, const char *provider, guint size, double ns)
{
  Row *row = row_new ();

  row->element = g_strdup (element);
  row->format = row->layout = "-";
  row->cipher = cipher;
  row->provider = provider;
  row->load = g_strdup_printf ("%u", size);
  row->direction = bench_direction_to_string (BENCH_ENCRYPT);
  row->size = size;
  row->list = row->streams = 1;
  row = need_row (report, row);
  add_figure (row, NS, ns);
  add_figure (row, GBIT, size * 8 / ns);
}

/* --- showing --- */

static double
get (const Row *row, Figure figure)
{
  return bench_median (row->figures[figure]);
}

static void
print_number (double value, int decimals, int width)
{
  if (isnan (value))
    printf (" %*s", width, "-");
  else
    printf (" %*.*f", width, decimals, value);
}

void
bench_media_report_print (BenchMediaReport *report)
{
  printf ("%-13s %-7s %-10s %-26s %-8s %6s %-6s %4s %4s %9s %9s %6s %9s %9s %9s\n",
      "element", "does", "format", "cipher", "provider", "size", "layout", "list",
      "strs", "ns/buffer", "Gbit/s", "raw", "p50/us", "p99/us", "max/us");
  for (guint i = 0; i < report->rows->len; i++) {
    const Row *row = report->rows->pdata[i];

    printf ("%-13s %-7s %-10s %-26s %-8s %6s %-6s %4u %4u", row->element,
        row->direction, row->format, row->cipher, row->provider, row->load,
        row->layout, row->list, row->streams);
    print_number (get (row, NS), 0, 9);
    print_number (get (row, GBIT), 2, 9);
    print_number (get (row, RAW_SHARE), 2, 6);
    print_number (get (row, P50), 2, 9);
    print_number (get (row, P99), 2, 9);
    print_number (get (row, MOST), 1, 9);
    printf ("\n");
  }
}

static const char *const names[N_FIGURES] = {
  "ns_per_buffer", "gbit_per_s", "raw_share", "cpu_share", "p50", "p99", "max"
};

gboolean
bench_media_report_write_csv (BenchMediaReport *report, const char *file,
    GError **error)
{
  g_autoptr (GString) text = g_string_new ("element,format,cipher,provider,size,"
      "octets,layout,list,streams,direction");

  for (guint k = 0; k < N_FIGURES; k++)
    g_string_append_printf (text, ",%s", names[k]);
  g_string_append_c (text, '\n');
  for (guint i = 0; i < report->rows->len; i++) {
    const Row *row = report->rows->pdata[i];

    g_string_append_printf (text, "%s,%s,%s,%s,%s,%u,%s,%u,%u,%s", row->element,
        row->format, row->cipher, row->provider, row->load, row->size,
        row->layout, row->list, row->streams, row->direction);
    for (guint k = 0; k < N_FIGURES; k++)
      if (isnan (get (row, k)))
        g_string_append_c (text, ',');
      else
        g_string_append_printf (text, ",%.4f", get (row, k));
    g_string_append_c (text, '\n');
  }
  return g_file_set_contents (file, text->str, text->len, error);
}

static void
add_row (JsonBuilder *builder, const Row *row)
{
  json_builder_begin_object (builder);
  bench_json_add_text (builder, "element", row->element);
  bench_json_add_text (builder, "format", row->format);
  bench_json_add_text (builder, "cipher", row->cipher);
  bench_json_add_text (builder, "provider", row->provider);
  bench_json_add_text (builder, "load", row->load);
  bench_json_add_integer (builder, "size", row->size);
  bench_json_add_text (builder, "layout", row->layout);
  bench_json_add_integer (builder, "list", row->list);
  bench_json_add_integer (builder, "streams", row->streams);
  bench_json_add_text (builder, "direction", row->direction);
  bench_json_add_integer (builder, "repeats", row->figures[NS]->len);
  for (guint k = 0; k < P50; k++)
    bench_json_add_number (builder, names[k], get (row, k));
  json_builder_set_member_name (builder, "latency_us");
  json_builder_begin_object (builder);
  for (guint k = P50; k < N_FIGURES; k++)
    bench_json_add_number (builder, names[k], get (row, k));
  json_builder_end_object (builder);
  json_builder_end_object (builder);
}

gboolean
bench_media_report_write_json (BenchMediaReport *report, const char *file,
    const char *command, GError **error)
{
  g_autoptr (JsonBuilder) builder = bench_json_begin (command);
  g_autofree char *gstreamer = gst_version_string ();
  struct rusage usage;

  bench_json_add_text (builder, "gstreamer", gstreamer);
  bench_json_add_text (builder, "gnutls", gnutls_check_version (NULL));
  bench_json_end_versions (builder);
  getrusage (RUSAGE_SELF, &usage);
  bench_json_add_integer (builder, "peak_memory_kib", usage.ru_maxrss);
  json_builder_set_member_name (builder, "runs");
  json_builder_begin_array (builder);
  for (guint i = 0; i < report->rows->len; i++)
    add_row (builder, report->rows->pdata[i]);
  json_builder_end_array (builder);
  return bench_json_write (builder, file, error);
}

/* --- plotting: one stream, encrypting, the longest lists that there are --- */

static guint
find_longest_list (BenchMediaReport *report)
{
  guint longest = 1;

  for (guint i = 0; i < report->rows->len; i++)
    longest = MAX (longest, ((Row *) report->rows->pdata[i])->list);
  return longest;
}

/* memcpy is so far below the others that it would only press them together. */
static gboolean
is_plotted (const Row *row, guint list)
{
  return g_str_equal (row->direction, "encrypt") && row->streams == 1
      && (g_str_equal (row->layout, "-")
          ? !g_str_equal (row->element, "memcpy")
          : g_str_equal (row->layout, "room") && row->list == list)
      && g_ascii_isdigit (row->load[0]);
}

/* The one that all curves have, those without any aside; NULL: there is none. */
static const char *
find_common_cipher (BenchMediaReport *report, guint list)
{
  const char *cipher = NULL;

  for (guint i = 0; i < report->rows->len; i++) {
    const Row *row = report->rows->pdata[i];

    if (!is_plotted (row, list) || g_str_equal (row->cipher, "-"))
      continue;
    if (cipher && !g_str_equal (cipher, row->cipher))
      return NULL;
    cipher = row->cipher;
  }
  return cipher;
}

static void
add_word (GString *name, const char *word)
{
  if (!g_str_equal (word, "-"))
    g_string_append_printf (name, " %s", word);
}

static void
add_to_curve (BenchCurves *curves, const Row *row, const char *common_cipher)
{
  g_autoptr (GString) name = g_string_new (row->element);

  add_word (name, row->format);
  if (!common_cipher)
    add_word (name, row->cipher);
  add_word (name, row->provider);
  bench_curves_add (curves, name->str, row->size, get (row, NS));
}

gboolean
bench_media_report_plot (BenchMediaReport *report, const char *file,
    GError **error)
{
  guint list = find_longest_list (report);
  const char *cipher = find_common_cipher (report, list);
  g_autofree char *title = g_strdup_printf ("Processor time to encrypt a buffer"
      "%s%s, lists of %u, medians", cipher ? " with " : "", cipher ? cipher : "",
      list);
  g_autoptr (BenchCurves) curves = bench_curves_new (title, "octets", "ns");

  for (guint i = 0; i < report->rows->len; i++)
    if (is_plotted (report->rows->pdata[i], list))
      add_to_curve (curves, report->rows->pdata[i], cipher);
  return bench_curves_plot (curves, file, error);
}
