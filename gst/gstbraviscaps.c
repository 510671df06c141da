#include "gstbraviscaps.h"

#include "../keymgmt/bravis-error.h"

#define RTP "application/x-rtp"
#define SRTP "application/x-srtp"
#define RTCP "application/x-rtcp"
#define SRTCP "application/x-srtcp"
#define BRAVIS "application/x-bravis"
#define FORMAT_FIELD "bravis-format"
#define ORIGINAL_FIELD "original-media-type"
#define KEPT_FIELD "bravis-original-media-type"     /* where caps have it already */

gboolean
gst_bravis_shape_is_srtp (GstBravisShape shape)
{
  return shape == GST_BRAVIS_SHAPE_SRTP || shape == GST_BRAVIS_SHAPE_SRTCP;
}

static GstBravisShape
shape_of_open (const GstStructure *s, GstBravisFormat format)
{
  if (gst_structure_has_name (s, BRAVIS))
    return GST_BRAVIS_SHAPE_NONE;
  if (gst_structure_has_name (s, RTP)) {
    if (format == GST_BRAVIS_FORMAT_SRTP)
      return GST_BRAVIS_SHAPE_SRTP;
    return gst_structure_has_field (s, FORMAT_FIELD)
        ? GST_BRAVIS_SHAPE_NONE : GST_BRAVIS_SHAPE_RTP;
  }
  if (format != GST_BRAVIS_FORMAT_SRTP)
    return GST_BRAVIS_SHAPE_FRAME;
  return gst_structure_has_name (s, RTCP)
      ? GST_BRAVIS_SHAPE_SRTCP : GST_BRAVIS_SHAPE_NONE;
}

static GstBravisShape
shape_of_protected (const GstStructure *s, GstBravisFormat format)
{
  if (gst_structure_has_name (s, SRTP))
    return format == GST_BRAVIS_FORMAT_SFRAME
        ? GST_BRAVIS_SHAPE_NONE : GST_BRAVIS_SHAPE_SRTP;
  if (gst_structure_has_name (s, SRTCP))
    return format == GST_BRAVIS_FORMAT_SFRAME
        ? GST_BRAVIS_SHAPE_NONE : GST_BRAVIS_SHAPE_SRTCP;
  if (format == GST_BRAVIS_FORMAT_SRTP)
    return GST_BRAVIS_SHAPE_NONE;
  if (gst_structure_has_name (s, RTP))
    return GST_BRAVIS_SHAPE_RTP;
  return gst_structure_has_name (s, BRAVIS)
      ? GST_BRAVIS_SHAPE_FRAME : GST_BRAVIS_SHAPE_NONE;
}

static void
move_field (GstStructure *s, const char *from, const char *to)
{
  const GValue *value = gst_structure_get_value (s, from);

  if (value == NULL)
    return;
  gst_structure_set_value (s, to, value);
  gst_structure_remove_field (s, from);
}

static GstStructure *
protect_structure (const GstStructure *open, GstBravisShape shape)
{
  GstStructure *s = gst_structure_copy (open);

  switch (shape) {
    case GST_BRAVIS_SHAPE_RTP:
      gst_structure_set (s, FORMAT_FIELD, G_TYPE_STRING, "sframe", NULL);
      break;
    case GST_BRAVIS_SHAPE_SRTP:
      gst_structure_set_name (s, SRTP);
      break;
    case GST_BRAVIS_SHAPE_SRTCP:
      gst_structure_set_name (s, SRTCP);
      break;
    default:
      move_field (s, ORIGINAL_FIELD, KEPT_FIELD);
      gst_structure_set (s, ORIGINAL_FIELD, G_TYPE_STRING,
          gst_structure_get_name (open), NULL);
      gst_structure_set_name (s, BRAVIS);
      break;
  }
  return s;
}

/* A media type as GstStructure wants its names; others come from outside only. */
static gboolean
is_media_type (const char *name)
{
  if (name == NULL || !g_ascii_isalpha (name[0]))
    return FALSE;
  for (; *name; name++) {
    if (!g_ascii_isalnum (*name) && !strchr ("/-_.:+", *name))
      return FALSE;
  }
  return TRUE;
}

/* NULL where it is not said what the original is. */
static GstStructure *
open_structure (const GstStructure *protected, GstBravisShape shape)
{
  g_autoptr (GstStructure) s = gst_structure_copy (protected);
  const char *original;

  switch (shape) {
    case GST_BRAVIS_SHAPE_RTP:
      gst_structure_remove_field (s, FORMAT_FIELD);
      break;
    case GST_BRAVIS_SHAPE_SRTP:
    case GST_BRAVIS_SHAPE_SRTCP:
      gst_structure_set_name (s, shape == GST_BRAVIS_SHAPE_SRTP ? RTP : RTCP);
      gst_structure_remove_fields (s, "srtp-key", "srtp-cipher", "srtp-auth",
          "srtcp-cipher", "srtcp-auth", "mki", "roc", NULL);
      break;
    default:
      original = gst_structure_get_string (s, ORIGINAL_FIELD);
      if (!is_media_type (original))
        return NULL;
      gst_structure_set_name (s, original);
      gst_structure_remove_field (s, ORIGINAL_FIELD);
      move_field (s, KEPT_FIELD, ORIGINAL_FIELD);
      break;
  }
  return g_steal_pointer (&s);
}

static gboolean
is_in_system_memory (const GstCaps *caps, guint i)
{
  GstCapsFeatures *features = gst_caps_get_features (caps, i);

  return features == NULL || gst_caps_features_is_equal (features,
      GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY);
}

static GstCaps *
refuse (const GstCaps *caps, const char *expected, GstBravisShape *shape,
    GError **error)
{
  g_autofree char *text = gst_caps_to_string (caps);

  *shape = GST_BRAVIS_SHAPE_NONE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
      "wrong caps %s: expected %s", text, expected);
  return NULL;
}

GstCaps *
gst_bravis_caps_protect (const GstCaps *caps, GstBravisFormat format,
    GstBravisShape *shape, GError **error)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);

  *shape = is_in_system_memory (caps, 0)
      ? shape_of_open (s, format) : GST_BRAVIS_SHAPE_NONE;
  if (*shape == GST_BRAVIS_SHAPE_NONE)
    return refuse (caps, format == GST_BRAVIS_FORMAT_SRTP
        ? "application/x-rtp or application/x-rtcp, for format=srtp"
        : "data in system memory that are not protected already", shape, error);
  return gst_caps_new_full (protect_structure (s, *shape), NULL);
}

GstCaps *
gst_bravis_caps_open (const GstCaps *caps, GstBravisFormat format,
    GstBravisShape *shape, GError **error)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  GstStructure *open = NULL;

  *shape = is_in_system_memory (caps, 0)
      ? shape_of_protected (s, format) : GST_BRAVIS_SHAPE_NONE;
  if (*shape != GST_BRAVIS_SHAPE_NONE)
    open = open_structure (s, *shape);
  if (open)
    return gst_caps_new_full (open, NULL);
  switch (format) {
    case GST_BRAVIS_FORMAT_SRTP:
      return refuse (caps, "application/x-srtp or application/x-srtcp, for "
          "format=srtp", shape, error);
    case GST_BRAVIS_FORMAT_SFRAME:
      return refuse (caps, "application/x-rtp, or application/x-bravis with "
          "original-media-type, for format=sframe", shape, error);
    default:
      return refuse (caps, "application/x-rtp, application/x-srtp, "
          "application/x-srtcp, or application/x-bravis with original-media-type", shape, error);
  }
}

GstCaps *
gst_bravis_caps_protect_all (const GstCaps *caps, GstBravisFormat format)
{
  GstCaps *all = gst_caps_new_empty ();
  guint i;

  if (gst_caps_is_any (caps)) {
    gst_caps_unref (all);
    return gst_caps_from_string (GST_BRAVIS_CAPS_PROTECTED);
  }
  for (i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *s = gst_caps_get_structure (caps, i);
    GstBravisShape shape = shape_of_open (s, format);

    if (shape == GST_BRAVIS_SHAPE_NONE || !is_in_system_memory (caps, i))
      continue;
    gst_caps_append_structure (all, protect_structure (s, shape));
    if (format == GST_BRAVIS_FORMAT_AUTO && shape == GST_BRAVIS_SHAPE_RTP)
      gst_caps_append_structure (all,
          protect_structure (s, GST_BRAVIS_SHAPE_SRTP));
    /* RTP that comes from a network has no field that says it is closed. */
    if (shape == GST_BRAVIS_SHAPE_RTP)
      gst_caps_append_structure (all, gst_structure_copy (s));
  }
  return all;
}

GstCaps *
gst_bravis_caps_open_all (const GstCaps *caps, GstBravisFormat format)
{
  GstCaps *all = gst_caps_new_empty ();
  guint i;

  if (gst_caps_is_any (caps))
    goto any;
  for (i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *s = gst_caps_get_structure (caps, i);
    GstBravisShape shape = shape_of_protected (s, format);
    GstStructure *open;

    if (shape == GST_BRAVIS_SHAPE_NONE)
      continue;
    open = open_structure (s, shape);
    if (open == NULL)
      goto any;
    gst_caps_append_structure (all, open);
  }
  return all;

any:
  gst_caps_unref (all);
  return format == GST_BRAVIS_FORMAT_SRTP
      ? gst_caps_from_string (RTP "; " RTCP) : gst_caps_new_any ();
}

gboolean
gst_bravis_caps_get_kind (const GstCaps *caps, BravisKind *kind)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const char *type = gst_structure_get_name (s);

  if (gst_structure_has_name (s, RTCP)) {
    *kind = BRAVIS_KIND_SIGNALLING;
    return TRUE;
  }
  if (gst_structure_has_name (s, RTP)) {
    type = gst_structure_get_string (s, "media");
    if (type == NULL)
      return FALSE;
  }
  if (g_str_has_prefix (type, "video") || g_str_has_prefix (type, "image"))
    *kind = BRAVIS_KIND_VIDEO;
  else if (g_str_has_prefix (type, "audio"))
    *kind = BRAVIS_KIND_AUDIO;
  else
    return FALSE;
  return TRUE;
}
