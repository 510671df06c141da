/* Whoever encrypts: the same octets come out, and nothing that was altered is opened. */
#include "../../gst/bravis-aead.h"

#include <string.h>

#define MAX_SIZE (70 * 1024)
#define MAX_AAD 3000

typedef struct {
  guint8 key[32], nonce[BRAVIS_AEAD_NONCE_SIZE];
  guint8 aad[MAX_AAD], text[MAX_SIZE + BRAVIS_AEAD_TAG_SIZE];
  gsize aad_size, cut, size;    /* the first @cut octets of @aad are one part */
} Case;

static const char *const names[BRAVIS_N_AEADS] = {
  "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"
};

static void
fill (guint8 *out, gsize size)
{
  for (gsize i = 0; i < size; i++)
    out[i] = g_test_rand_int ();
}

static void
make_case (Case *c, gsize size, gsize aad_size)
{
  fill (c->key, sizeof c->key);
  fill (c->nonce, sizeof c->nonce);
  fill (c->aad, aad_size);
  fill (c->text, size);
  c->size = size;
  c->aad_size = aad_size;
  c->cut = g_test_rand_int_range (0, aad_size + 1);
}

static gboolean
encrypt (BravisAead *aead, Case *c)
{
  return bravis_aead_encrypt (aead, c->nonce, c->aad, c->cut, c->aad + c->cut,
      c->aad_size - c->cut, c->text, c->size, c->text + c->size);
}

static gboolean
decrypt (BravisAead *aead, Case *c)
{
  return bravis_aead_decrypt (aead, c->nonce, c->aad, c->cut, c->aad + c->cut,
      c->aad_size - c->cut, c->text, c->size, c->text + c->size);
}

/* All providers make the same of @c, and each opens it. */
static void
compare_providers (BravisAeadAlgorithm algorithm, const Case *c)
{
  const char *const *providers = bravis_aead_list_providers ();
  g_autofree Case *first = g_memdup2 (c, sizeof *c);

  for (guint i = 0; providers[i]; i++) {
    g_autoptr (BravisAead) aead = bravis_aead_new_by (providers[i], algorithm,
        c->key);
    g_autofree Case *mine = g_memdup2 (c, sizeof *c);

    g_assert_cmpstr (bravis_aead_get_provider (aead), ==, providers[i]);
    g_assert_true (encrypt (aead, mine));
    if (i == 0)
      g_assert_true (encrypt (aead, first));
    g_assert_cmpmem (mine->text, c->size + BRAVIS_AEAD_TAG_SIZE, first->text,
        c->size + BRAVIS_AEAD_TAG_SIZE);
    g_assert_true (decrypt (aead, mine));
    g_assert_cmpmem (mine->text, c->size, c->text, c->size);
  }
}

static void
test_all_providers_make_the_same (gconstpointer data)
{
  BravisAeadAlgorithm algorithm = GPOINTER_TO_UINT (data);
  g_autofree Case *c = g_new0 (Case, 1);

  for (gsize size = 0; size <= 4096; size++) {
    make_case (c, size, size % 97);
    compare_providers (algorithm, c);
  }
  for (guint i = 0; i < 100; i++) {
    make_case (c, g_test_rand_int_range (4096, MAX_SIZE + 1),
        g_test_rand_int_range (0, MAX_AAD + 1));
    compare_providers (algorithm, c);
  }
}

static void
test_what_was_altered_is_not_opened (gconstpointer data)
{
  BravisAeadAlgorithm algorithm = GPOINTER_TO_UINT (data);
  const char *const *providers = bravis_aead_list_providers ();
  g_autofree Case *c = g_new0 (Case, 1);

  for (guint i = 0; providers[i]; i++) {
    g_autoptr (BravisAead) aead = NULL;

    make_case (c, 200, 40);
    aead = bravis_aead_new_by (providers[i], algorithm, c->key);
    g_assert_true (encrypt (aead, c));
    for (guint k = 0; k < 8 * (c->size + BRAVIS_AEAD_TAG_SIZE); k++) {
      g_autofree Case *altered = g_memdup2 (c, sizeof *c);

      altered->text[k / 8] ^= 1 << k % 8;
      g_assert_false (decrypt (aead, altered));
    }
    for (guint k = 0; k < 8 * c->aad_size; k++) {
      g_autofree Case *altered = g_memdup2 (c, sizeof *c);

      altered->aad[k / 8] ^= 1 << k % 8;
      g_assert_false (decrypt (aead, altered));
    }
    for (guint k = 0; k < 8 * BRAVIS_AEAD_NONCE_SIZE; k++) {
      g_autofree Case *altered = g_memdup2 (c, sizeof *c);

      altered->nonce[k / 8] ^= 1 << k % 8;
      g_assert_false (decrypt (aead, altered));
    }
    g_assert_true (decrypt (aead, c));
  }
}

/* Where one part of the associated data ends and the other begins is no matter. */
static void
test_associated_data_may_be_in_two_parts (gconstpointer data)
{
  BravisAeadAlgorithm algorithm = GPOINTER_TO_UINT (data);
  const char *const *providers = bravis_aead_list_providers ();
  g_autofree Case *c = g_new0 (Case, 1);

  for (guint i = 0; providers[i]; i++) {
    g_autoptr (BravisAead) aead = NULL;

    make_case (c, 100, MAX_AAD);
    aead = bravis_aead_new_by (providers[i], algorithm, c->key);
    g_assert_true (encrypt (aead, c));
    for (c->cut = 0; c->cut <= c->aad_size; c->cut += 100) {
      g_autofree Case *again = g_memdup2 (c, sizeof *c);

      g_assert_true (decrypt (aead, again));
    }
  }
}

/* RFC 8439 2.8.2: the only algorithm that the vectors of RFC 9605 do not have. */
static void
test_chacha20_poly1305_is_that_of_rfc_8439 (void)
{
  static const guint8 aad[] = { 0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3,
    0xc4, 0xc5, 0xc6, 0xc7 };
  static const guint8 nonce[] = { 7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44,
    0x45, 0x46, 0x47 };
  static const guint8 begin[] = { 0xd3, 0x1a, 0x8d, 0x34, 0x64, 0x8e, 0x60,
    0xdb, 0x7b, 0x86, 0xaf, 0xbc, 0x53, 0xef, 0x7e, 0xc2 };
  static const guint8 tag[] = { 0x1a, 0xe1, 0x0b, 0x59, 0x4f, 0x09, 0xe2, 0x6a,
    0x7e, 0x90, 0x2e, 0xcb, 0xd0, 0x60, 0x06, 0x91 };
  static const char text[] = "Ladies and Gentlemen of the class of '99: If I "
      "could offer you only one tip for the future, sunscreen would be it.";
  const char *const *providers = bravis_aead_list_providers ();
  guint8 key[32];

  for (guint i = 0; i < sizeof key; i++)
    key[i] = 0x80 + i;
  for (guint i = 0; providers[i]; i++) {
    g_autoptr (BravisAead) aead = bravis_aead_new_by (providers[i],
        BRAVIS_AEAD_CHACHA20_POLY1305, key);
    guint8 data[sizeof text], made[BRAVIS_AEAD_TAG_SIZE];

    memcpy (data, text, sizeof text);
    g_assert_true (bravis_aead_encrypt (aead, nonce, aad, sizeof aad, NULL, 0,
        data, sizeof text - 1, made));
    g_assert_cmpmem (data, sizeof begin, begin, sizeof begin);
    g_assert_cmpmem (made, sizeof made, tag, sizeof tag);
  }
}

static void
test_unknown_provider_is_none (void)
{
  guint8 key[32] = { 0 };

  g_assert_null (bravis_aead_new_by ("rot13", BRAVIS_AEAD_AES_128_GCM, key));
}

static void
add (const char *what, BravisAeadAlgorithm algorithm, GTestDataFunc function)
{
  g_autofree char *path = g_strdup_printf ("/aead/%s/%s", names[algorithm], what);

  g_test_add_data_func (path, GUINT_TO_POINTER (algorithm), function);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < BRAVIS_N_AEADS; i++) {
    add ("all_providers_make_the_same", i, test_all_providers_make_the_same);
    add ("what_was_altered_is_not_opened", i,
        test_what_was_altered_is_not_opened);
    add ("associated_data_may_be_in_two_parts", i,
        test_associated_data_may_be_in_two_parts);
  }
  g_test_add_func ("/aead/chacha20_poly1305_is_that_of_rfc_8439",
      test_chacha20_poly1305_is_that_of_rfc_8439);
  g_test_add_func ("/aead/unknown_provider_is_none",
      test_unknown_provider_is_none);
  return g_test_run ();
}
