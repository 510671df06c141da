#include "bravis-frame-payload.h"

#define FIRST 0x80
#define LAST 0x40
#define DELTA 0x20
#define HEADER 0x10
#define RESERVED 0x08
#define GENERATION 0x07

struct _BravisAssembler {
  GByteArray *frame;            /* NULL: waiting for a first piece */
  guint16 next;                 /* sequence number that continues */
  gboolean started;             /* @next means something */
  gboolean gap;
};

guint8
bravis_fragment_write (const BravisFragment *fragment)
{
  return (fragment->first ? FIRST : 0) | (fragment->last ? LAST : 0)
      | (fragment->delta ? DELTA : 0) | (fragment->header ? HEADER : 0)
      | (fragment->generation & GENERATION);
}

gboolean
bravis_fragment_read (const guint8 *payload, gsize size,
    BravisFragment *fragment)
{
  if (size == 0 || payload[0] & RESERVED)
    return FALSE;

  *fragment = (BravisFragment) {
    .first = (payload[0] & FIRST) != 0,
    .last = (payload[0] & LAST) != 0,
    .delta = (payload[0] & DELTA) != 0,
    .header = (payload[0] & HEADER) != 0,
    .generation = payload[0] & GENERATION,
  };
  return TRUE;
}

BravisAssembler *
bravis_assembler_new (void)
{
  return g_new0 (BravisAssembler, 1);
}

void
bravis_assembler_free (BravisAssembler *assembler)
{
  g_clear_pointer (&assembler->frame, g_byte_array_unref);
  g_free (assembler);
}

static void
give_up_frame (BravisAssembler *assembler)
{
  assembler->gap = TRUE;
  g_clear_pointer (&assembler->frame, g_byte_array_unref);
}

GBytes *
bravis_assembler_push (BravisAssembler *assembler, guint16 seqnum,
    const guint8 *payload, gsize size, BravisFragment *fragment, gboolean *gap)
{
  if (assembler->started && seqnum != assembler->next)
    give_up_frame (assembler);
  assembler->started = TRUE;
  assembler->next = seqnum + 1;

  if (!bravis_fragment_read (payload, size, fragment)) {
    give_up_frame (assembler);
    return NULL;
  }

  if (fragment->first) {
    if (assembler->frame)
      give_up_frame (assembler);
    assembler->frame = g_byte_array_new ();
  } else if (!assembler->frame) {
    /* The rest of a frame whose beginning was lost, or sent before we were in. */
    assembler->gap = TRUE;
    return NULL;
  }

  if (size - 1 > BRAVIS_MAX_FRAME - assembler->frame->len) {
    give_up_frame (assembler);
    return NULL;
  }
  g_byte_array_append (assembler->frame, payload + 1, size - 1);
  if (!fragment->last)
    return NULL;

  *gap = assembler->gap;
  assembler->gap = FALSE;
  return g_byte_array_free_to_bytes (g_steal_pointer (&assembler->frame));
}
