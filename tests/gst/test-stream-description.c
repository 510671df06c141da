/* What is announced of a stream arrives exactly, and nothing hostile does. */
#include "../../gst/bravis-stream-description.h"
#include "../../keymgmt/bravis-conference.h"
#include "../../keymgmt/bravis-error.h"

#include <gst/video/video.h>
#include <string.h>

#define HEAD "bravis-stream 1\nform=frames\nssrc=7\npayload=96\n" \
  "clock-rate=90000\ngeneration=0\n"
#define VIDEO HEAD "media=video/x-h264\n"

static BravisStreamDescription *
parse (const char *text, BravisKind kind)
{
  g_autoptr (GError) error = NULL;
  BravisStreamDescription *description =
      bravis_stream_description_parse (text, kind, &error);

  if (!description)
    g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL);
  else
    g_assert_no_error (error);
  return description;
}

static void
assert_refused (const char *text, BravisKind kind)
{
  g_assert_null (parse (text, kind));
}

static void
assert_round_trip (const char *caps, BravisKind kind, gboolean frames)
{
  g_autoptr (GstCaps) original = gst_caps_from_string (caps);
  BravisStreamDescription description = {
    .frames = frames, .ssrc = 0xfedcba98, .payload = 127, .clock_rate = 48000,
    .generation = 7, .caps = original
  };
  g_autofree char *text = bravis_stream_description_to_text (&description);
  g_autoptr (BravisStreamDescription) read = NULL;

  g_assert_nonnull (original);
  g_assert_nonnull (text);
  read = parse (text, kind);
  g_assert_nonnull (read);
  g_assert_true (gst_caps_is_strictly_equal (read->caps, original));
  g_assert_cmpuint (read->ssrc, ==, 0xfedcba98);
  g_assert_cmpuint (read->payload, ==, 127);
  g_assert_cmpuint (read->clock_rate, ==, 48000);
  g_assert_cmpuint (read->generation, ==, 7);
  g_assert_cmpint (read->frames, ==, frames);
}

static void
test_caps_arrive_exactly (void)
{
  g_assert_nonnull (g_type_name (GST_TYPE_VIDEO_MULTIVIEW_FLAGSET));
  assert_round_trip ("video/x-h264, level=(string)3, profile=(string)"
      "constrained-baseline, codec_data=(buffer)0142c01effe1, stream-format="
      "(string)avc, alignment=(string)au, width=(int)640, framerate="
      "(fraction)25/1, parsed=(boolean)true, multiview-mode=(string)mono,"
      "multiview-flags=(GstVideoMultiviewFlagsSet)0:ffffffff", BRAVIS_KIND_VIDEO,
      TRUE);
  assert_round_trip ("audio/x-opus, rate=(int)48000, channel-mask=(bitmask)0x3,"
      " gain=(double)-1.25, streamheader=(buffer)<4f7075, 00ff>",
      BRAVIS_KIND_AUDIO, TRUE);
  assert_round_trip ("application/x-rtp, media=(string)audio, clock-rate=(int)"
      "48000, payload=(int)127, ssrc=(uint)4275878552, sprop-stereo=(string)"
      "\"0, = %\\\"1\", extmap-1=(string)<\"\", \"urn:x,y\", \"\">",
      BRAVIS_KIND_AUDIO, FALSE);
  assert_round_trip ("application/json", BRAVIS_KIND_WHITEBOARD, TRUE);
}

static void
test_wrong_lines_are_refused (void)
{
  static const char *const lines[] = {
    "i:width=", "i:width=640x", "i:width=99999999999", "i:=1", "i width=1",
    "i:width", ":width=1", "q:width=1", "u:x=-1", "b:parsed=2", "f:framerate=25",
    "f:framerate=25/0", "f:framerate=1/-2", "f:framerate=/", "m:channel-mask=0x",
    "x:codec_data=0", "x:codec_data=0g", "x:codec_data=", "d:gain=", "d:gain=nan",
    "d:gain=inf", "d:gain=1 ", "s:profile=%00", "s:profile=%ff", "s:profile=%",
    "v:width=0:0", "s:multiview-flags=mono", "v:multiview-flags=0",
    "S:a=a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", "X:a=", "X:a=00,", "i:a b=1",
    "GstCaps:caps=video/x-raw", "i:width=1\ni:width=2", "",
    "i:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autofree char *text = g_strconcat (VIDEO, lines[i], "\n", NULL);

    assert_refused (text, BRAVIS_KIND_VIDEO);
  }
}

static void
test_every_cut_is_refused (void)
{
  const char *whole = VIDEO "i:width=640\n";

  for (gsize size = 0; size < strlen (whole); size++) {
    g_autofree char *text = g_strndup (whole, size);

    if (!g_str_equal (text, VIDEO))
      assert_refused (text, BRAVIS_KIND_VIDEO);
  }
}

static void
test_wrong_heads_are_refused (void)
{
  assert_refused ("", BRAVIS_KIND_VIDEO);
  assert_refused ("\n", BRAVIS_KIND_VIDEO);
  assert_refused ("bravis-stream 2\n", BRAVIS_KIND_VIDEO);
  assert_refused ("video/x-h264, width=(int)640\n", BRAVIS_KIND_VIDEO);
  assert_refused (VIDEO "s:a=\xc3\xa9\n", BRAVIS_KIND_VIDEO);
  assert_refused (HEAD "media=x\n", BRAVIS_KIND_VIDEO);
  assert_refused (HEAD "media=video/x h264\n", BRAVIS_KIND_VIDEO);
  assert_refused (HEAD "media=application/x-rtp\ns:media=video\n",
      BRAVIS_KIND_VIDEO);
  assert_refused ("bravis-stream 1\nform=packets\nssrc=7\npayload=96\n"
      "clock-rate=90000\ngeneration=0\nmedia=video/x-h264\n", BRAVIS_KIND_VIDEO);
  assert_refused ("bravis-stream 1\nform=frames\nssrc=7\npayload=128\n"
      "clock-rate=90000\ngeneration=0\nmedia=video/x-h264\n", BRAVIS_KIND_VIDEO);
  assert_refused ("bravis-stream 1\nform=frames\nssrc=7\npayload=96\n"
      "clock-rate=0\ngeneration=0\nmedia=video/x-h264\n", BRAVIS_KIND_VIDEO);
  assert_refused ("bravis-stream 1\nform=frames\nssrc=7\npayload=96\n"
      "clock-rate=90000\ngeneration=8\nmedia=video/x-h264\n", BRAVIS_KIND_VIDEO);
}

static void
test_media_type_must_suit_the_kind (void)
{
  g_autoptr (BravisStreamDescription) video = parse (VIDEO, BRAVIS_KIND_VIDEO);

  g_assert_nonnull (video);
  assert_refused (VIDEO, BRAVIS_KIND_AUDIO);
  assert_refused (VIDEO, BRAVIS_KIND_WHITEBOARD);
  assert_refused (VIDEO, BRAVIS_KIND_SIGNALLING);
  assert_refused (HEAD "media=application/x-hls\n", BRAVIS_KIND_VIDEO);
  assert_refused (HEAD "media=application/sdp\n", BRAVIS_KIND_WHITEBOARD);
  assert_refused (HEAD "media=video/x-raw\n", BRAVIS_KIND_VIDEO);
}

static void
test_size_and_number_of_fields_are_bounded (void)
{
  g_autoptr (GString) many = g_string_new (VIDEO);
  g_autoptr (GString) enough = NULL;
  g_autoptr (BravisStreamDescription) description = NULL;
  g_autofree char *long_text = NULL;
  g_autofree char *filler = g_strnfill (BRAVIS_MAX_DESCRIPTION, 'a');
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("video/x-h264", "profile",
      G_TYPE_STRING, filler, NULL);
  BravisStreamDescription big = { .frames = TRUE, .caps = caps };

  for (guint i = 0; i < BRAVIS_DESCRIPTION_MAX_FIELDS; i++)
    g_string_append_printf (many, "i:field-%u=1\n", i);
  enough = g_string_new (many->str);
  description = parse (enough->str, BRAVIS_KIND_VIDEO);
  g_assert_nonnull (description);
  g_string_append (many, "i:one-more=1\n");
  assert_refused (many->str, BRAVIS_KIND_VIDEO);

  long_text = g_strconcat (VIDEO "s:a=", filler, "\n", NULL);
  assert_refused (long_text, BRAVIS_KIND_VIDEO);
  g_assert_null (bravis_stream_description_to_text (&big));
}

/* GLib never forgets a name, so there must be an end to new ones. */
static void
test_new_names_are_bounded (void)
{
  guint taken = 0;

  for (guint i = 0; i < 2 * BRAVIS_DESCRIPTION_MAX_NEW_NAMES; i++) {
    g_autofree char *text = g_strdup_printf (VIDEO "i:made-up-%u=1\n", i);
    g_autoptr (BravisStreamDescription) description =
        bravis_stream_description_parse (text, BRAVIS_KIND_VIDEO, NULL);

    if (description)
      taken++;
  }
  g_assert_cmpuint (taken, >, 0);
  g_assert_cmpuint (taken, <=, BRAVIS_DESCRIPTION_MAX_NEW_NAMES);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gst/stream-description/caps_arrive_exactly",
      test_caps_arrive_exactly);
  g_test_add_func ("/gst/stream-description/wrong_lines_are_refused",
      test_wrong_lines_are_refused);
  g_test_add_func ("/gst/stream-description/every_cut_is_refused",
      test_every_cut_is_refused);
  g_test_add_func ("/gst/stream-description/wrong_heads_are_refused",
      test_wrong_heads_are_refused);
  g_test_add_func ("/gst/stream-description/media_type_must_suit_the_kind",
      test_media_type_must_suit_the_kind);
  g_test_add_func
      ("/gst/stream-description/size_and_number_of_fields_are_bounded",
      test_size_and_number_of_fields_are_bounded);
  g_test_add_func ("/gst/stream-description/new_names_are_bounded",
      test_new_names_are_bounded);
  return g_test_run ();
}
