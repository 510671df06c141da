/* bravis-aead-provider.h: what bravis-aead.c wants of a library
 *
 * The functions are those of bravis-aead.h, of a key of that provider.
 */
#pragma once

#include "bravis-aead.h"

G_BEGIN_DECLS

typedef struct {
  const char *name;
  gboolean (*is_usable) (void);         /* on this machine; asked once */
  BravisAead *(*create) (BravisAeadAlgorithm algorithm, const guint8 *key,
      gsize key_size);
  void (*destroy) (BravisAead *aead);
  gboolean (*encrypt) (BravisAead *aead, const guint8 *nonce,
      const guint8 *aad, gsize aad_size, const guint8 *more, gsize more_size,
      guint8 *data, gsize size, guint8 *tag);
  gboolean (*decrypt) (BravisAead *aead, const guint8 *nonce,
      const guint8 *aad, gsize aad_size, const guint8 *more, gsize more_size,
      guint8 *data, gsize size, const guint8 *tag);
} BravisAeadProvider;

/* A provider's keys begin with this. */
struct _BravisAead {
  const BravisAeadProvider *provider;
};

extern const BravisAeadProvider bravis_aead_gnutls;
#ifdef HAVE_IPSEC_MB
extern const BravisAeadProvider bravis_aead_ipsec_mb;
#endif

G_END_DECLS
