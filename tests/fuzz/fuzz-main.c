/* Drives a fuzz target without libFuzzer: each file of the corpus, then a given
 * number of mutations of them. The mutations come from a fixed seed, so a run
 * is the same every time; BRAVIS_FUZZ_SEED gives another one. */
#include <glib.h>
#include <string.h>

#define LONGEST_INPUT 4096

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* The copy is exactly as long as the input, so that AddressSanitizer sees the
 * first octet read beyond it. */
static void
run_input (const guint8 *data, gsize size)
{
  g_autofree guint8 *copy = g_malloc (MAX (size, 1));

  if (size > 0)
    memcpy (copy, data, size);
  LLVMFuzzerTestOneInput (copy, size);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
add_directory (GPtrArray *corpus, const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *entry;

  while (dir && (entry = g_dir_read_name (dir)))
    g_ptr_array_add (names, g_build_filename (path, entry, NULL));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++) {
    char *contents;
    gsize size;

    if (g_file_get_contents (names->pdata[i], &contents, &size, NULL))
      g_ptr_array_add (corpus, g_bytes_new_take (contents, size));
  }
}

static void
mutate_once (GRand *rand, GByteArray *input, GPtrArray *corpus)
{
  static const guint8 interesting[] = { 0, 1, 0x7f, 0x80, 0xfe, 0xff };
  guint at = input->len ? g_rand_int (rand) % input->len : 0;
  guint8 octets[16];
  GBytes *other;

  switch (g_rand_int (rand) % 7) {
    case 0:                    /* a bit flips */
      if (input->len)
        input->data[at] ^= 1 << g_rand_int (rand) % 8;
      break;
    case 1:                    /* an octet becomes a likely limit */
      if (input->len)
        input->data[at] =
            interesting[g_rand_int (rand) % G_N_ELEMENTS (interesting)];
      break;
    case 2:                    /* cut */
      g_byte_array_set_size (input, at);
      break;
    case 3:                    /* some random octets are appended */
      for (guint i = 0; i < sizeof octets; i++)
        octets[i] = g_rand_int (rand);
      g_byte_array_append (input, octets,
          1 + g_rand_int (rand) % (sizeof octets - 1));
      break;
    case 4:                    /* a piece goes away */
      if (input->len)
        g_byte_array_remove_range (input, at,
            1 + g_rand_int (rand) % (input->len - at));
      break;
    case 5:                    /* an octet becomes any other */
      if (input->len)
        input->data[at] = g_rand_int (rand);
      break;
    default:                   /* goes on as another input does */
      other = corpus->pdata[g_rand_int (rand) % corpus->len];
      g_byte_array_set_size (input, at);
      if (g_bytes_get_size (other) > at)
        g_byte_array_append (input,
            (const guint8 *) g_bytes_get_data (other, NULL) + at,
            g_bytes_get_size (other) - at);
      break;
  }
  if (input->len > LONGEST_INPUT)
    g_byte_array_set_size (input, LONGEST_INPUT);
}

static void
run_mutations (GPtrArray *corpus, guint64 n)
{
  const char *seed = g_getenv ("BRAVIS_FUZZ_SEED");
  g_autoptr (GRand) rand =
      g_rand_new_with_seed (seed ? g_ascii_strtoull (seed, NULL, 10) : 1);
  g_autoptr (GByteArray) input = g_byte_array_new ();

  for (guint64 i = 0; i < n; i++) {
    GBytes *start = corpus->pdata[g_rand_int (rand) % corpus->len];
    guint times = 1 + g_rand_int (rand) % 8;

    g_byte_array_set_size (input, 0);
    g_byte_array_append (input, g_bytes_get_data (start, NULL),
        g_bytes_get_size (start));
    while (times--)
      mutate_once (rand, input, corpus);
    run_input (input->data, input->len);
  }
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) corpus =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  guint64 n = argc > 1 ? g_ascii_strtoull (argv[1], NULL, 10) : 1000;

  g_ptr_array_add (corpus, g_bytes_new_static ("", 0));
  for (int i = 2; i < argc; i++)
    add_directory (corpus, argv[i]);

  g_print ("1..2\n");
  for (guint i = 0; i < corpus->len; i++)
    run_input (g_bytes_get_data (corpus->pdata[i], NULL),
        g_bytes_get_size (corpus->pdata[i]));
  g_print ("ok 1 - corpus of %u inputs\n", corpus->len);
  run_mutations (corpus, n);
  g_print ("ok 2 - %" G_GUINT64_FORMAT " mutations\n", n);
  return 0;
}
