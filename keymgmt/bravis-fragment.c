#include "bravis-fragment.h"

#include "../gcp/gcp-wire.h"

#include <string.h>

struct _BravisAssembly {
  BravisSecret *key;
  gsize max;
  gboolean complete;
  guint8 *octets;               /* @total of them, while incomplete */
  guint32 total;
  guint n_missing;
  guint8 *have;                 /* one octet for each piece */
};

static guint
count_pieces (gsize total)
{
  return total == 0 ? 1 :
      (total + BRAVIS_FRAGMENT_SIZE - 1) / BRAVIS_FRAGMENT_SIZE;
}

static void
make_nonce (guint32 offset, guint8 nonce[BRAVIS_NONCE_SIZE])
{
  guint32 network = GUINT32_TO_BE (offset);

  memset (nonce, 0, BRAVIS_NONCE_SIZE);
  memcpy (nonce + BRAVIS_NONCE_SIZE - sizeof network, &network, sizeof network);
}

static GBytes *
seal_piece (const BravisSecret *key, guint8 type, guint64 handshake,
    const guint8 *message, gsize total, gsize offset)
{
  g_auto (GcpWriter) writer = { NULL };
  gsize size = MIN (total - offset, BRAVIS_FRAGMENT_SIZE);
  guint8 nonce[BRAVIS_NONCE_SIZE];
  guint8 sealed[BRAVIS_FRAGMENT_SIZE + BRAVIS_TAG_SIZE];

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, BRAVIS_DATAGRAM_HANDSHAKE);
  gcp_write_u8 (&writer, type);
  gcp_write_u64 (&writer, handshake);
  gcp_write_u24 (&writer, total);
  gcp_write_u24 (&writer, offset);
  make_nonce (offset, nonce);
  bravis_aead_seal (key, nonce, writer.array->data, writer.array->len,
      message + offset, size, sealed);
  gcp_write_bytes (&writer, sealed, size + BRAVIS_TAG_SIZE);
  return gcp_writer_finish (&writer);
}

GPtrArray *
bravis_fragments_seal (const BravisSecret *key, guint8 type,
    guint64 handshake, GBytes *message)
{
  /* An empty GBytes gives NULL, to which no offset may be added. */
  static const guint8 nothing[1];
  GPtrArray *datagrams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  gsize total;
  const guint8 *octets = g_bytes_get_data (message, &total);
  guint n_pieces = count_pieces (total);

  for (guint i = 0; i < n_pieces; i++)
    g_ptr_array_add (datagrams, seal_piece (key, type, handshake,
            total > 0 ? octets : nothing, total,
            (gsize) i * BRAVIS_FRAGMENT_SIZE));
  return datagrams;
}

gboolean
bravis_fragment_parse (const guint8 *data, gsize size, BravisFragment *fragment)
{
  GcpReader reader;
  gsize left;

  if (size > BRAVIS_MAX_DATAGRAM)
    return FALSE;
  gcp_reader_init (&reader, data, size);
  *fragment = (BravisFragment) { .datagram = data };
  if (gcp_read_u8 (&reader) != BRAVIS_DATAGRAM_HANDSHAKE)
    return FALSE;
  fragment->type = gcp_read_u8 (&reader);
  fragment->handshake = gcp_read_u64 (&reader);
  fragment->total = gcp_read_u24 (&reader);
  fragment->offset = gcp_read_u24 (&reader);
  left = gcp_reader_left (&reader);
  if (left < BRAVIS_TAG_SIZE)
    return FALSE;
  fragment->size = left - BRAVIS_TAG_SIZE;
  if (fragment->total == 0)
    return fragment->offset == 0 && fragment->size == 0;
  return fragment->offset < fragment->total
      && fragment->offset % BRAVIS_FRAGMENT_SIZE == 0
      && fragment->size == MIN (fragment->total - fragment->offset,
          BRAVIS_FRAGMENT_SIZE);
}

BravisAssembly *
bravis_assembly_new (BravisSecret *key, gsize max)
{
  BravisAssembly *assembly = g_new0 (BravisAssembly, 1);

  assembly->key = bravis_secret_ref (key);
  assembly->max = max;
  return assembly;
}

void
bravis_assembly_free (BravisAssembly *assembly)
{
  bravis_secret_unref (assembly->key);
  g_free (assembly->octets);
  g_free (assembly->have);
  g_free (assembly);
}

static gboolean
open_piece (BravisAssembly *assembly, const BravisFragment *fragment,
    guint8 out[BRAVIS_FRAGMENT_SIZE])
{
  guint8 nonce[BRAVIS_NONCE_SIZE];

  make_nonce (fragment->offset, nonce);
  return bravis_aead_open (assembly->key, nonce, fragment->datagram,
      BRAVIS_FRAGMENT_HEADER, fragment->datagram + BRAVIS_FRAGMENT_HEADER,
      fragment->size + BRAVIS_TAG_SIZE, out);
}

BravisAssemblyResult
bravis_assembly_take (BravisAssembly *assembly, const BravisFragment *fragment,
    GBytes **message)
{
  guint8 piece[BRAVIS_FRAGMENT_SIZE];
  guint index = fragment->offset / BRAVIS_FRAGMENT_SIZE;

  if (fragment->total > assembly->max
      || (assembly->have && fragment->total != assembly->total)
      || !open_piece (assembly, fragment, piece))
    return BRAVIS_ASSEMBLY_FORGED;
  if (assembly->complete)
    return BRAVIS_ASSEMBLY_REPEATED;
  if (!assembly->have) {
    assembly->total = fragment->total;
    assembly->n_missing = count_pieces (fragment->total);
    assembly->octets = g_malloc (MAX (fragment->total, 1));
    assembly->have = g_malloc0 (assembly->n_missing);
  }
  if (assembly->have[index])
    return BRAVIS_ASSEMBLY_TAKEN;
  assembly->have[index] = TRUE;
  memcpy (assembly->octets + fragment->offset, piece, fragment->size);
  if (--assembly->n_missing > 0)
    return BRAVIS_ASSEMBLY_TAKEN;
  assembly->complete = TRUE;
  *message = g_bytes_new_take (g_steal_pointer (&assembly->octets),
      assembly->total);
  return BRAVIS_ASSEMBLY_COMPLETE;
}
