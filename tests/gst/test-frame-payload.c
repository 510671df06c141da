/* Frames cut into RTP payloads come out whole and unaltered, or not at all. */
#include "../../gst/bravis-frame-payload.h"

#include <string.h>

typedef struct {
  BravisAssembler *assembler;
  guint16 seqnum;
  BravisFragment said;
  gboolean gap;
} World;

static void
world_init (World *world)
{
  *world = (World) { .assembler = bravis_assembler_new (), .seqnum = 65534 };
}

static GBytes *
push (World *world, gboolean first, gboolean last, const char *piece)
{
  BravisFragment fragment = {
    .first = first, .last = last, .delta = TRUE, .generation = 5
  };
  guint8 payload[64];

  payload[0] = bravis_fragment_write (&fragment);
  memcpy (payload + 1, piece, strlen (piece));
  return bravis_assembler_push (world->assembler, world->seqnum++, payload,
      1 + strlen (piece), &world->said, &world->gap);
}

static void
assert_frame (GBytes *frame, const char *text)
{
  g_assert_nonnull (frame);
  g_assert_cmpmem (g_bytes_get_data (frame, NULL), g_bytes_get_size (frame),
      text, strlen (text));
  g_bytes_unref (frame);
}

static void
test_pieces_make_the_frame (void)
{
  World world;

  world_init (&world);
  g_assert_null (push (&world, TRUE, FALSE, "one "));
  g_assert_null (push (&world, FALSE, FALSE, "two "));
  assert_frame (push (&world, FALSE, TRUE, "three"), "one two three");
  g_assert_true (world.said.delta);
  g_assert_false (world.said.header);
  g_assert_cmpuint (world.said.generation, ==, 5);
  g_assert_false (world.gap);
  assert_frame (push (&world, TRUE, TRUE, "single"), "single");
  assert_frame (push (&world, TRUE, TRUE, ""), "");
  bravis_assembler_free (world.assembler);
}

static void
test_lost_piece_loses_its_frame_only (void)
{
  World world;

  world_init (&world);
  g_assert_null (push (&world, TRUE, FALSE, "a"));
  world.seqnum++;
  g_assert_null (push (&world, FALSE, FALSE, "c"));
  g_assert_null (push (&world, FALSE, TRUE, "d"));
  assert_frame (push (&world, TRUE, TRUE, "next"), "next");
  g_assert_true (world.gap);
  assert_frame (push (&world, TRUE, TRUE, "after"), "after");
  g_assert_false (world.gap);
  bravis_assembler_free (world.assembler);
}

static void
test_lost_end_loses_its_frame_only (void)
{
  World world;

  world_init (&world);
  g_assert_null (push (&world, TRUE, FALSE, "a"));
  world.seqnum++;
  assert_frame (push (&world, TRUE, TRUE, "next"), "next");
  g_assert_true (world.gap);
  bravis_assembler_free (world.assembler);
}

static void
test_beginning_in_the_middle_waits_for_the_next_frame (void)
{
  World world;

  world_init (&world);
  g_assert_null (push (&world, FALSE, FALSE, "b"));
  g_assert_null (push (&world, FALSE, TRUE, "c"));
  assert_frame (push (&world, TRUE, TRUE, "next"), "next");
  g_assert_true (world.gap);
  bravis_assembler_free (world.assembler);
}

static void
test_descriptor_without_meaning_is_refused (void)
{
  const guint8 reserved[] = { 0xc8, 1, 2 };
  BravisFragment fragment;
  World world;

  g_assert_false (bravis_fragment_read (reserved, sizeof reserved, &fragment));
  g_assert_false (bravis_fragment_read (reserved, 0, &fragment));

  world_init (&world);
  g_assert_null (push (&world, TRUE, FALSE, "a"));
  g_assert_null (bravis_assembler_push (world.assembler, world.seqnum++,
          reserved, sizeof reserved, &world.said, &world.gap));
  g_assert_null (push (&world, FALSE, TRUE, "b"));
  bravis_assembler_free (world.assembler);
}

static void
test_descriptor_says_what_was_written (void)
{
  for (guint octet = 0; octet < 256; octet++) {
    guint8 written = octet;
    BravisFragment fragment;

    if (bravis_fragment_read (&written, 1, &fragment))
      g_assert_cmpuint (bravis_fragment_write (&fragment), ==, octet);
    else
      g_assert_cmpuint (octet & 0x08, !=, 0);
  }
}

static void
test_endless_frame_is_given_up (void)
{
  g_autoptr (BravisAssembler) assembler = bravis_assembler_new ();
  BravisFragment fragment = { .first = TRUE };
  guint8 payload[1400] = { 0 };
  gsize pieces = BRAVIS_MAX_FRAME / (sizeof payload - 1) + 1;
  gboolean gap;

  for (gsize i = 0; i < pieces; i++) {
    fragment.first = i == 0;
    fragment.last = i == pieces - 1;
    payload[0] = bravis_fragment_write (&fragment);
    g_assert_null (bravis_assembler_push (assembler, i, payload,
            sizeof payload, &fragment, &gap));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/frame-payload/pieces_make_the_frame",
      test_pieces_make_the_frame);
  g_test_add_func ("/gst/frame-payload/lost_piece_loses_its_frame_only",
      test_lost_piece_loses_its_frame_only);
  g_test_add_func ("/gst/frame-payload/lost_end_loses_its_frame_only",
      test_lost_end_loses_its_frame_only);
  g_test_add_func
      ("/gst/frame-payload/beginning_in_the_middle_waits_for_the_next_frame",
      test_beginning_in_the_middle_waits_for_the_next_frame);
  g_test_add_func ("/gst/frame-payload/descriptor_without_meaning_is_refused",
      test_descriptor_without_meaning_is_refused);
  g_test_add_func ("/gst/frame-payload/descriptor_says_what_was_written",
      test_descriptor_says_what_was_written);
  g_test_add_func ("/gst/frame-payload/endless_frame_is_given_up",
      test_endless_frame_is_given_up);
  return g_test_run ();
}
