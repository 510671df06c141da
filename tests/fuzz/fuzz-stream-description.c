/* Announcements of streams by hostile members: what is taken can be written
 * again and reads the same. */
#include "../../gst/bravis-stream-description.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check (const char *text, BravisKind kind)
{
  g_autoptr (BravisStreamDescription) description =
      bravis_stream_description_parse (text, kind, NULL);
  g_autoptr (BravisStreamDescription) again = NULL;
  g_autofree char *written = NULL;

  if (!description)
    return;
  g_assert_true (bravis_stream_caps_suit (description->caps, kind));
  written = bravis_stream_description_to_text (description);
  /* Escapes may make it longer than allowed. */
  if (!written)
    return;
  again = bravis_stream_description_parse (written, kind, NULL);
  g_assert_nonnull (again);
  g_assert_true (gst_caps_is_strictly_equal (again->caps, description->caps));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  check (text, BRAVIS_KIND_VIDEO);
  check (text, BRAVIS_KIND_AUDIO);
  check (text, BRAVIS_KIND_WHITEBOARD);
  return 0;
}
