#include "bravis-secret.h"
#include "bravis-error.h"

#include <string.h>
#include <sys/mman.h>

/* Small secrets, which nearly all are, live in blocks cut from locked slabs:
 * the system locks whole pages and only so many of them. Slabs are kept for
 * the next secrets, larger secrets have a mapping of their own. */
#define BLOCK_SIZE 64
#define SLAB_SIZE (64 * 1024)

typedef union _Block Block;

union _Block {
  Block *next;                  /* while it is free */
  guint8 bytes[BLOCK_SIZE];
};

/* What is not secret is apart from what is, so that tools that look for leaks
 * see it. */
struct _BravisSecret {
  gatomicrefcount references;
  gsize size;
  guint8 *bytes;
};

G_LOCK_DEFINE_STATIC (free_blocks);
static Block *free_blocks;

static gpointer
map_locked (gsize size)
{
  gpointer memory = mmap (NULL, size, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED)
    g_error ("no memory for %" G_GSIZE_FORMAT " octets of secrets", size);

  /* Locking may be beyond what this user is allowed: then a secret can reach
   * the swap space, which is no reason not to talk at all. */
  if (mlock (memory, size) != 0)
    g_debug ("memory for secrets could not be locked");
  madvise (memory, size, MADV_DONTDUMP);
  return memory;
}

static guint8 *
block_new (void)
{
  Block *block;

  G_LOCK (free_blocks);
  if (free_blocks == NULL) {
    Block *slab = map_locked (SLAB_SIZE);

    for (gsize i = 0; i < SLAB_SIZE / sizeof (Block); i++) {
      slab[i].next = free_blocks;
      free_blocks = &slab[i];
    }
  }
  block = free_blocks;
  free_blocks = block->next;
  G_UNLOCK (free_blocks);
  block->next = NULL;
  return block->bytes;
}

static void
block_free (guint8 *bytes)
{
  Block *block = (Block *) bytes;

  G_LOCK (free_blocks);
  block->next = free_blocks;
  free_blocks = block;
  G_UNLOCK (free_blocks);
}

void
bravis_wipe (gpointer memory, gsize size)
{
  if (size > 0)
    explicit_bzero (memory, size);
}

gboolean
bravis_equal_constant_time (gconstpointer a, gconstpointer b, gsize size)
{
  const volatile guint8 *left = a, *right = b;
  guint8 difference = 0;

  for (gsize i = 0; i < size; i++)
    difference |= left[i] ^ right[i];
  return difference == 0;
}

BravisSecret *
bravis_secret_new (gconstpointer bytes, gsize size)
{
  BravisSecret *secret;

  g_return_val_if_fail (bytes != NULL && size > 0, NULL);

  secret = g_new0 (BravisSecret, 1);
  g_atomic_ref_count_init (&secret->references);
  secret->size = size;
  secret->bytes = size <= BLOCK_SIZE ? block_new () : map_locked (size);
  memcpy (secret->bytes, bytes, size);
  return secret;
}

BravisSecret *
bravis_secret_new_take (gpointer bytes, gsize size)
{
  BravisSecret *secret = bravis_secret_new (bytes, size);

  bravis_wipe (bytes, size);
  return secret;
}

BravisSecret *
bravis_secret_ref (BravisSecret *secret)
{
  g_atomic_ref_count_inc (&secret->references);
  return secret;
}

void
bravis_secret_unref (BravisSecret *secret)
{
  if (!g_atomic_ref_count_dec (&secret->references))
    return;
  bravis_wipe (secret->bytes, secret->size);
  if (secret->size <= BLOCK_SIZE)
    block_free (secret->bytes);
  else
    munmap (secret->bytes, secret->size);
  g_free (secret);
}

const guint8 *
bravis_secret_peek (const BravisSecret *secret)
{
  return secret->bytes;
}

gsize
bravis_secret_get_size (const BravisSecret *secret)
{
  return secret->size;
}

gboolean
bravis_secret_equal (const BravisSecret *a, const BravisSecret *b)
{
  return a->size == b->size
      && bravis_equal_constant_time (a->bytes, b->bytes, a->size);
}

BravisSecret *
bravis_secret_new_from_hex (const char *text, GError **error)
{
  g_autoptr (BravisSecret) secret = NULL;
  gsize length = strlen (text);
  guint8 *bytes;

  if (length == 0 || length % 2 != 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_KEY,
        "a key is an even number of hexadecimal digits; this one has %"
        G_GSIZE_FORMAT " characters", length);
    return NULL;
  }

  bytes = g_malloc (length / 2);
  for (gsize i = 0; i < length; i++) {
    gint digit = g_ascii_xdigit_value (text[i]);

    if (digit < 0) {
      bravis_wipe (bytes, (i + 1) / 2);
      g_free (bytes);
      g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_KEY,
          "a key is hexadecimal digits; character %" G_GSIZE_FORMAT
          " of %" G_GSIZE_FORMAT " is none", i + 1, length);
      return NULL;
    }
    bytes[i / 2] = i % 2 == 0 ? digit << 4 : bytes[i / 2] | digit;
  }
  secret = bravis_secret_new_take (bytes, length / 2);
  g_free (bytes);
  return g_steal_pointer (&secret);
}
