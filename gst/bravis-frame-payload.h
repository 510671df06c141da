/* bravis-frame-payload.h: frames cut into RTP payloads, whatever the codec
 *
 * A frame (an H.264 access unit, an Opus packet, a whiteboard message) travels
 * as one or more RTP packets with the same timestamp and following sequence
 * numbers. Each payload is one octet, the descriptor, and a piece of the frame:
 *
 *     0 1 2 3 4 5 6 7
 *    +-+-+-+-+-+-+-+-+
 *    |S|E|D|H|0| GEN |   S: first piece, E: last piece, D: delta unit, H: header
 *    +-+-+-+-+-+-+-+-+   GEN: which of the announced caps the frame has
 *
 * The frame comes out octet by octet as it went in. The codecs' own RTP formats do
 * not promise that: RFC 6184 carries NAL units, so that an access unit in byte
 * stream format loses the lengths of its start codes.
 *
 * Nothing here knows a codec, GStreamer or encryption. One thread at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BRAVIS_MAX_FRAME (4 * 1024 * 1024)      /* octets of one frame */
#define BRAVIS_N_GENERATIONS 8

typedef struct {
  gboolean first;
  gboolean last;
  gboolean delta;
  gboolean header;
  guint generation;
} BravisFragment;

guint8 bravis_fragment_write (const BravisFragment *fragment);

/* FALSE: the payload is empty or says what has no meaning. */
gboolean bravis_fragment_read (const guint8 *payload, gsize size,
    BravisFragment *fragment);

typedef struct _BravisAssembler BravisAssembler;

BravisAssembler *bravis_assembler_new (void);
void bravis_assembler_free (BravisAssembler *assembler);

/* Takes the payload of the packet @seqnum; packets come in order, some may be
 * missing. Returns a frame when this was its last piece, with what its last piece
 * said in @fragment, and in @gap whether something was lost since the frame before. */
GBytes *bravis_assembler_push (BravisAssembler *assembler, guint16 seqnum,
    const guint8 *payload, gsize size, BravisFragment *fragment, gboolean *gap);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisAssembler, bravis_assembler_free)

G_END_DECLS
