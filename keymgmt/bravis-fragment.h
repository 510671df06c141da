/* bravis-fragment.h: sealed messages of a handshake, cut into datagrams
 *
 * A datagram: u8 192 | u8 type | u64 handshake | u24 total | u24 offset |
 * AES-256-GCM ciphertext. @total is the size of the whole message, @offset where
 * this piece of it begins. Every piece is sealed by itself, so that a forged one is
 * dropped at once and can do no harm to the others. The header is the associated
 * data; the nonce is the offset, padded to 12 octets on the left. A key seals one
 * message only (bravis-handshake.h sees to that), so no nonce comes twice.
 *
 * All pieces but the last are BRAVIS_FRAGMENT_SIZE octets, so offsets are multiples
 * of it; an empty message is one empty piece.
 */
#pragma once

#include "bravis-crypto.h"
#include "bravis-datagram.h"

G_BEGIN_DECLS

#define BRAVIS_FRAGMENT_HEADER 16
#define BRAVIS_FRAGMENT_SIZE \
    (BRAVIS_MAX_DATAGRAM - BRAVIS_FRAGMENT_HEADER - BRAVIS_TAG_SIZE)

typedef struct {
  guint8 type;
  guint64 handshake;
  guint32 total;
  guint32 offset;
  const guint8 *datagram;       /* borrowed: header, then ciphertext */
  gsize size;                   /* octets of plaintext in it */
} BravisFragment;

/* The datagrams (GBytes) that carry @message. */
GPtrArray *bravis_fragments_seal (const BravisSecret *key, guint8 type,
    guint64 handshake, GBytes *message);

/* FALSE for what cannot be a piece of anything. */
gboolean bravis_fragment_parse (const guint8 *data, gsize size,
    BravisFragment *fragment);

/* Puts the pieces of one message together, in any order, each once. */
typedef struct _BravisAssembly BravisAssembly;

typedef enum {
  BRAVIS_ASSEMBLY_FORGED,       /* nothing changed */
  BRAVIS_ASSEMBLY_TAKEN,        /* genuine; more is missing */
  BRAVIS_ASSEMBLY_COMPLETE,     /* genuine, and the last one missing */
  BRAVIS_ASSEMBLY_REPEATED      /* genuine, and the message was complete before */
} BravisAssemblyResult;

/* @key is referenced. Messages longer than @max are not taken; memory for one is
 * allocated when its first genuine piece comes. */
BravisAssembly *bravis_assembly_new (BravisSecret *key, gsize max);
void bravis_assembly_free (BravisAssembly *assembly);
BravisAssemblyResult bravis_assembly_take (BravisAssembly *assembly,
    const BravisFragment *fragment, GBytes **message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisAssembly, bravis_assembly_free)

G_END_DECLS
