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

/* Those that this machine can use. */
typedef struct {
  const BravisAeadProvider *providers[G_N_ELEMENTS (providers)];
  const char *names[G_N_ELEMENTS (providers) + 1];
} Usable;

static gpointer
find_usable (gpointer data)
{
  static Usable usable;
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (providers); i++)
    if (providers[i]->is_usable ()) {
      usable.providers[n] = providers[i];
      usable.names[n++] = providers[i]->name;
    }
  return &usable;
}

static const Usable *
get_usable (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, find_usable, NULL);
}

static const BravisAeadProvider *
find_provider (const char *name)
{
  const Usable *usable = get_usable ();

  for (guint i = 0; usable->names[i]; i++)
    if (g_str_equal (usable->names[i], name))
      return usable->providers[i];
  return NULL;
}

static const BravisAeadProvider *
choose_provider (void)
{
  static gint said;
  const char *wanted = g_getenv ("BRAVIS_AEAD_PROVIDER");
  const BravisAeadProvider *provider = wanted ? find_provider (wanted) : NULL;

  if (wanted && !provider && g_atomic_int_compare_and_exchange (&said, 0, 1))
    g_warning ("BRAVIS_AEAD_PROVIDER=%s: not on this machine", wanted);
  return provider ? provider : get_usable ()->providers[0];
}

const char *const *
bravis_aead_list_providers (void)
{
  return get_usable ()->names;
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
  return create (choose_provider (), algorithm, key);
}

BravisAead *
bravis_aead_new_by (const char *provider, BravisAeadAlgorithm algorithm,
    const guint8 *key)
{
  const BravisAeadProvider *found = find_provider (provider);

  return found ? create (found, algorithm, key) : NULL;
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
