#include "bravis-aead.h"

#include "bravis-aead-provider.h"

/* The fastest first. */
static const BravisAeadProvider *const providers[] = {
#ifdef HAVE_IPSEC_MB
  &bravis_aead_ipsec_mb,
#endif
  &bravis_aead_gnutls
};

static const gsize key_sizes[BRAVIS_N_AEADS] = { 16, 32, 32 };

typedef struct {
  const BravisAeadProvider *usable[G_N_ELEMENTS (providers)];
  const char *names[G_N_ELEMENTS (providers) + 1];
  const BravisAeadProvider *chosen;
} Choice;

static gpointer
choose (gpointer data)
{
  static Choice choice;
  const char *wanted = g_getenv ("BRAVIS_AEAD_PROVIDER");
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (providers); i++) {
    if (!providers[i]->is_usable ())
      continue;
    choice.usable[n] = providers[i];
    choice.names[n++] = providers[i]->name;
    if (g_strcmp0 (wanted, providers[i]->name) == 0)
      choice.chosen = providers[i];
  }
  if (wanted && !choice.chosen)
    g_warning ("BRAVIS_AEAD_PROVIDER=%s: no such provider on this machine", wanted);
  if (!choice.chosen)
    choice.chosen = choice.usable[0];
  return &choice;
}

static const Choice *
get_choice (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, choose, NULL);
}

const char *const *
bravis_aead_list_providers (void)
{
  return get_choice ()->names;
}

gsize
bravis_aead_get_key_size (BravisAeadAlgorithm algorithm)
{
  return key_sizes[algorithm];
}

static BravisAead *
create (const BravisAeadProvider *provider, BravisAeadAlgorithm algorithm,
    const guint8 *key)
{
  BravisAead *aead = provider->create (algorithm, key, key_sizes[algorithm]);

  if (aead)
    aead->provider = provider;
  return aead;
}

BravisAead *
bravis_aead_new (BravisAeadAlgorithm algorithm, const guint8 *key)
{
  return create (get_choice ()->chosen, algorithm, key);
}

BravisAead *
bravis_aead_new_by (const char *provider, BravisAeadAlgorithm algorithm,
    const guint8 *key)
{
  const Choice *choice = get_choice ();

  for (guint i = 0; choice->names[i]; i++)
    if (g_str_equal (choice->names[i], provider))
      return create (choice->usable[i], algorithm, key);
  return NULL;
}

void
bravis_aead_free (BravisAead *aead)
{
  if (aead)
    aead->provider->destroy (aead);
}

const char *
bravis_aead_get_provider (const BravisAead *aead)
{
  return aead->provider->name;
}

gboolean
bravis_aead_encrypt (BravisAead *aead, const guint8 *nonce, const guint8 *aad,
    gsize aad_size, const guint8 *more, gsize more_size, guint8 *data,
    gsize size, guint8 *tag)
{
  return aead->provider->encrypt (aead, nonce, aad, aad_size, more, more_size,
      data, size, tag);
}

gboolean
bravis_aead_decrypt (BravisAead *aead, const guint8 *nonce, const guint8 *aad,
    gsize aad_size, const guint8 *more, gsize more_size, guint8 *data,
    gsize size, const guint8 *tag)
{
  return aead->provider->decrypt (aead, nonce, aad, aad_size, more, more_size,
      data, size, tag);
}
