#include "bravis-stream-description.h"

#include "../keymgmt/bravis-conference.h"
#include "../keymgmt/bravis-error.h"

#include <gst/video/video.h>
#include <string.h>

#define MAX_NAME_LENGTH 64
#define MAX_ARRAY 16
#define UNESCAPED "/+:;=()"

static gboolean
has_prefix_of (const char *media, const char *const *prefixes)
{
  for (guint i = 0; prefixes[i]; i++) {
    if (g_str_has_prefix (media, prefixes[i]))
      return TRUE;
  }
  return FALSE;
}

static gboolean
media_suits (const char *media, BravisKind kind)
{
  static const char *const video[] = { "video/", "image/", NULL };
  static const char *const audio[] = { "audio/", NULL };
  static const char *const whiteboard[] = { "text/", "image/", NULL };

  switch (kind) {
    case BRAVIS_KIND_VIDEO:
      return has_prefix_of (media, video) && !g_str_equal (media, "video/x-raw");
    case BRAVIS_KIND_AUDIO:
      return has_prefix_of (media, audio);
    case BRAVIS_KIND_WHITEBOARD:
      return has_prefix_of (media, whiteboard)
          || g_str_equal (media, "application/json")
          || g_str_equal (media, "application/octet-stream");
    case BRAVIS_KIND_SIGNALLING:
      break;
  }
  return FALSE;
}

static gboolean
rtp_suits (const GstStructure *rtp, BravisKind kind)
{
  static const char *const whiteboard[] = { "application", "text", "image", NULL };
  const char *media = gst_structure_get_string (rtp, "media");

  if (!media)
    return FALSE;
  if (kind == BRAVIS_KIND_WHITEBOARD)
    return g_strv_contains (whiteboard, media);
  return g_str_equal (media, bravis_kind_to_string (kind));
}

gboolean
bravis_stream_caps_suit (const GstCaps *caps, BravisKind kind)
{
  GstStructure *structure;
  GstCapsFeatures *features;

  if (!gst_caps_is_fixed (caps))
    return FALSE;
  features = gst_caps_get_features (caps, 0);
  if (features && !gst_caps_features_is_equal (features,
          GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
    return FALSE;

  structure = gst_caps_get_structure (caps, 0);
  if (gst_structure_has_name (structure, "application/x-rtp"))
    return rtp_suits (structure, kind);
  return media_suits (gst_structure_get_name (structure), kind);
}

/* Writing */

static void
write_escaped (GString *out, const char *string)
{
  g_string_append_uri_escaped (out, string, UNESCAPED, FALSE);
}

static void
write_buffer (GString *out, GstBuffer *buffer)
{
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  for (gsize i = 0; i < map.size; i++)
    g_string_append_printf (out, "%02x", map.data[i]);
  gst_buffer_unmap (buffer, &map);
}

static gboolean
write_array (GString *out, const char *name, const GValue *value)
{
  guint n = gst_value_array_get_size (value);
  GType type;

  if (n == 0 || n > MAX_ARRAY)
    return FALSE;
  type = G_VALUE_TYPE (gst_value_array_get_value (value, 0));
  if (type != G_TYPE_STRING && type != GST_TYPE_BUFFER)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    const GValue *item = gst_value_array_get_value (value, i);

    if (!G_VALUE_HOLDS (item, type) || !g_value_peek_pointer (item))
      return FALSE;
  }

  g_string_append_printf (out, "%c:%s=", type == G_TYPE_STRING ? 'S' : 'X', name);
  for (guint i = 0; i < n; i++) {
    const GValue *item = gst_value_array_get_value (value, i);

    if (i > 0)
      g_string_append_c (out, ',');
    if (type == G_TYPE_STRING)
      write_escaped (out, g_value_get_string (item));
    else
      write_buffer (out, gst_value_get_buffer (item));
  }
  return TRUE;
}

/* FALSE: a type that is not announced; nothing was written. */
static gboolean
write_typed (GString *out, const char *name, const GValue *value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  if (G_VALUE_HOLDS_STRING (value) && g_value_get_string (value)) {
    g_string_append_printf (out, "s:%s=", name);
    write_escaped (out, g_value_get_string (value));
  } else if (G_VALUE_HOLDS_INT (value)) {
    g_string_append_printf (out, "i:%s=%d", name, g_value_get_int (value));
  } else if (G_VALUE_HOLDS_UINT (value)) {
    g_string_append_printf (out, "u:%s=%u", name, g_value_get_uint (value));
  } else if (G_VALUE_HOLDS_DOUBLE (value)) {
    g_string_append_printf (out, "d:%s=%s", name,
        g_ascii_dtostr (number, sizeof number, g_value_get_double (value)));
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    g_string_append_printf (out, "b:%s=%d", name, g_value_get_boolean (value));
  } else if (GST_VALUE_HOLDS_FRACTION (value)) {
    g_string_append_printf (out, "f:%s=%d/%d", name,
        gst_value_get_fraction_numerator (value),
        gst_value_get_fraction_denominator (value));
  } else if (GST_VALUE_HOLDS_BITMASK (value)) {
    g_string_append_printf (out, "m:%s=%" G_GINT64_MODIFIER "x", name,
        gst_value_get_bitmask (value));
  } else if (GST_VALUE_HOLDS_BUFFER (value) && gst_value_get_buffer (value)) {
    g_string_append_printf (out, "x:%s=", name);
    write_buffer (out, gst_value_get_buffer (value));
  } else if (GST_VALUE_HOLDS_FLAG_SET (value)
      && g_str_equal (name, "multiview-flags")) {
    g_string_append_printf (out, "v:%s=%x:%x", name,
        gst_value_get_flagset_flags (value), gst_value_get_flagset_mask (value));
  } else if (GST_VALUE_HOLDS_ARRAY (value)) {
    return write_array (out, name, value);
  } else {
    return FALSE;
  }
  return TRUE;
}

static gboolean
write_field (GQuark field, const GValue *value, gpointer user_data)
{
  GString *out = user_data;
  const char *name = g_quark_to_string (field);

  if (write_typed (out, name, value))
    g_string_append_c (out, '\n');
  else
    GST_INFO ("field %s of type %s is not announced", name,
        G_VALUE_TYPE_NAME (value));
  return TRUE;
}

char *
bravis_stream_description_to_text (const BravisStreamDescription *description)
{
  g_autoptr (GString) out = NULL;
  GstStructure *structure;

  if (!gst_caps_is_fixed (description->caps))
    return NULL;

  structure = gst_caps_get_structure (description->caps, 0);
  out = g_string_new ("bravis-stream 1\n");
  g_string_append_printf (out, "form=%s\nssrc=%u\npayload=%u\nclock-rate=%u\n"
      "generation=%u\nmedia=%s\n",
      description->frames ? "frames" : "packets", description->ssrc,
      description->payload, description->clock_rate, description->generation,
      gst_structure_get_name (structure));
  gst_structure_foreach (structure, write_field, out);
  if (out->len > BRAVIS_MAX_DESCRIPTION)
    return NULL;
  return g_strdup (out->str);
}

/* Reading */

static gboolean
is_name (const char *name, gsize length)
{
  if (length == 0 || length > MAX_NAME_LENGTH || !g_ascii_isalpha (name[0]))
    return FALSE;
  for (gsize i = 1; i < length; i++) {
    if (!g_ascii_isalnum (name[i]) && !strchr ("-_./+", name[i]))
      return FALSE;
  }
  return TRUE;
}

/* Names become quarks, which are never freed: a member that makes up new ones
 * for ever must not fill the memory. */
static gboolean
may_use_name (const char *name)
{
  static gint new_names;

  if (g_quark_try_string (name))
    return TRUE;
  if (g_atomic_int_add (&new_names, 1) < BRAVIS_DESCRIPTION_MAX_NEW_NAMES)
    return TRUE;
  g_atomic_int_add (&new_names, -1);
  return FALSE;
}

static gboolean
read_unsigned (const char *text, guint64 max, guint64 *value)
{
  return g_ascii_string_to_unsigned (text, 10, 0, max, value, NULL);
}

static gboolean
read_hex (const char *text, guint64 max, guint64 *value)
{
  return g_ascii_string_to_unsigned (text, 16, 0, max, value, NULL);
}

static GstBuffer *
read_buffer (const char *text)
{
  gsize size = strlen (text) / 2;
  g_autofree guint8 *data = NULL;

  if (size == 0 || strlen (text) % 2 != 0)
    return NULL;
  data = g_malloc (size);
  for (gsize i = 0; i < size; i++) {
    int high = g_ascii_xdigit_value (text[2 * i]);
    int low = g_ascii_xdigit_value (text[2 * i + 1]);

    if (high < 0 || low < 0)
      return NULL;
    data[i] = high << 4 | low;
  }
  return gst_buffer_new_wrapped (g_steal_pointer (&data), size);
}

static gboolean
read_string_value (const char *text, GValue *value)
{
  g_autofree char *string = g_uri_unescape_string (text, NULL);

  if (!string || !g_utf8_validate (string, -1, NULL))
    return FALSE;
  g_value_init (value, G_TYPE_STRING);
  g_value_take_string (value, g_steal_pointer (&string));
  return TRUE;
}

static gboolean
read_buffer_value (const char *text, GValue *value)
{
  GstBuffer *buffer = read_buffer (text);

  if (!buffer)
    return FALSE;
  g_value_init (value, GST_TYPE_BUFFER);
  gst_value_take_buffer (value, buffer);
  return TRUE;
}

static gboolean
read_number_value (char type, const char *text, GValue *value)
{
  gint64 number;
  guint64 bits;

  switch (type) {
    case 'i':
      if (!g_ascii_string_to_signed (text, 10, G_MININT32, G_MAXINT32, &number,
              NULL))
        return FALSE;
      g_value_init (value, G_TYPE_INT);
      g_value_set_int (value, number);
      return TRUE;
    case 'u':
      if (!read_unsigned (text, G_MAXUINT32, &bits))
        return FALSE;
      g_value_init (value, G_TYPE_UINT);
      g_value_set_uint (value, bits);
      return TRUE;
    case 'b':
      if (!read_unsigned (text, 1, &bits))
        return FALSE;
      g_value_init (value, G_TYPE_BOOLEAN);
      g_value_set_boolean (value, bits);
      return TRUE;
    case 'm':
      if (!read_hex (text, G_MAXUINT64, &bits))
        return FALSE;
      g_value_init (value, GST_TYPE_BITMASK);
      gst_value_set_bitmask (value, bits);
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
read_double_value (const char *text, GValue *value)
{
  char *end;
  gdouble number = g_ascii_strtod (text, &end);

  if (end == text || *end != '\0' || number != number
      || number > G_MAXDOUBLE || number < -G_MAXDOUBLE)
    return FALSE;
  g_value_init (value, G_TYPE_DOUBLE);
  g_value_set_double (value, number);
  return TRUE;
}

static gboolean
read_fraction_value (const char *text, GValue *value)
{
  g_auto (GStrv) parts = g_strsplit (text, "/", 2);
  gint64 numerator, denominator;

  if (!parts[0] || !parts[1]
      || !g_ascii_string_to_signed (parts[0], 10, -G_MAXINT32, G_MAXINT32,
          &numerator, NULL)
      || !g_ascii_string_to_signed (parts[1], 10, 1, G_MAXINT32, &denominator,
          NULL))
    return FALSE;
  g_value_init (value, GST_TYPE_FRACTION);
  gst_value_set_fraction (value, numerator, denominator);
  return TRUE;
}

static gboolean
read_flags_value (const char *text, GValue *value)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 2);
  guint64 flags, mask;

  if (!parts[0] || !parts[1] || !read_hex (parts[0], G_MAXUINT32, &flags)
      || !read_hex (parts[1], G_MAXUINT32, &mask))
    return FALSE;
  g_value_init (value, GST_TYPE_VIDEO_MULTIVIEW_FLAGSET);
  gst_value_set_flagset (value, flags, mask);
  return TRUE;
}

static gboolean
read_array_value (char type, const char *text, GValue *value)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", MAX_ARRAY + 1);

  if (g_strv_length (parts) == 0 || g_strv_length (parts) > MAX_ARRAY)
    return FALSE;
  g_value_init (value, GST_TYPE_ARRAY);
  for (guint i = 0; parts[i]; i++) {
    GValue item = G_VALUE_INIT;

    if (!(type == 'S' ? read_string_value (parts[i], &item)
            : read_buffer_value (parts[i], &item)))
      return FALSE;
    gst_value_array_append_and_take_value (value, &item);
  }
  return TRUE;
}

static gboolean
read_value (char type, const char *text, GValue *value)
{
  switch (type) {
    case 's':
      return read_string_value (text, value);
    case 'x':
      return read_buffer_value (text, value);
    case 'd':
      return read_double_value (text, value);
    case 'f':
      return read_fraction_value (text, value);
    case 'v':
      return read_flags_value (text, value);
    case 'S':
    case 'X':
      return read_array_value (type, text, value);
    default:
      return read_number_value (type, text, value);
  }
}

/* "i:width=640" */
static gboolean
read_field (const char *line, GstStructure *structure)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree char *name = NULL;
  const char *equals;

  if (!g_ascii_isalpha (line[0]) || line[1] != ':')
    return FALSE;
  equals = strchr (line + 2, '=');
  if (!equals || !is_name (line + 2, equals - line - 2))
    return FALSE;
  name = g_strndup (line + 2, equals - line - 2);
  if ((line[0] == 'v') != g_str_equal (name, "multiview-flags")
      || !may_use_name (name) || gst_structure_has_field (structure, name)
      || !read_value (line[0], equals + 1, &value))
    return FALSE;
  gst_structure_set_value (structure, name, &value);
  return TRUE;
}

/* The value of "@key=...", or NULL. */
static const char *
read_key (const char *line, const char *key)
{
  gsize length = strlen (key);

  if (!line || strncmp (line, key, length) != 0 || line[length] != '=')
    return NULL;
  return line + length + 1;
}

static gboolean
read_key_number (const char *line, const char *key, guint64 min, guint64 max,
    guint64 *number)
{
  const char *text = read_key (line, key);

  return text && g_ascii_string_to_unsigned (text, 10, min, max, number, NULL);
}

static gboolean
read_media (const char *line, BravisStreamDescription *description)
{
  const char *media = read_key (line, "media");

  if (!media || !is_name (media, strlen (media)) || !strchr (media, '/')
      || !may_use_name (media))
    return FALSE;
  description->caps = gst_caps_new_empty_simple (media);
  return TRUE;
}

#define N_HEAD_LINES 7

/* Returns the index of the first line that is wrong, or -1. */
static gint
read_head (GStrv lines, BravisStreamDescription *description)
{
  const char *form;
  guint64 number;

  if (!lines[0] || !g_str_equal (lines[0], "bravis-stream 1"))
    return 0;
  form = read_key (lines[1], "form");
  if (!form || !(g_str_equal (form, "frames") || g_str_equal (form, "packets")))
    return 1;
  description->frames = g_str_equal (form, "frames");
  if (!read_key_number (lines[2], "ssrc", 0, G_MAXUINT32, &number))
    return 2;
  description->ssrc = number;
  if (!read_key_number (lines[3], "payload", 0, 127, &number))
    return 3;
  description->payload = number;
  if (!read_key_number (lines[4], "clock-rate", 1, 10000000, &number))
    return 4;
  description->clock_rate = number;
  if (!read_key_number (lines[5], "generation", 0, BRAVIS_N_GENERATIONS - 1,
          &number))
    return 5;
  description->generation = number;
  return read_media (lines[6], description) ? -1 : 6;
}

static gboolean
is_text (const char *text)
{
  gsize length = strnlen (text, BRAVIS_MAX_DESCRIPTION + 1);

  if (length == 0 || length > BRAVIS_MAX_DESCRIPTION
      || text[length - 1] != '\n')
    return FALSE;
  for (gsize i = 0; i < length; i++) {
    if (text[i] != '\n' && (text[i] < 0x20 || text[i] > 0x7e))
      return FALSE;
  }
  return TRUE;
}

static gint
read_lines (GStrv lines, BravisKind kind, BravisStreamDescription *description)
{
  gint wrong = read_head (lines, description);
  GstStructure *structure;
  guint i;

  if (wrong >= 0)
    return wrong;
  structure = gst_caps_get_structure (description->caps, 0);
  /* The text ends with a newline, so the last line is empty. */
  for (i = N_HEAD_LINES; lines[i] && lines[i + 1]; i++) {
    if (i - N_HEAD_LINES >= BRAVIS_DESCRIPTION_MAX_FIELDS
        || !read_field (lines[i], structure))
      return i;
  }
  if (description->frames
      == gst_structure_has_name (structure, "application/x-rtp")
      || !bravis_stream_caps_suit (description->caps, kind))
    return N_HEAD_LINES - 1;
  return -1;
}

BravisStreamDescription *
bravis_stream_description_parse (const char *text, BravisKind kind,
    GError **error)
{
  g_autoptr (BravisStreamDescription) description = NULL;
  g_auto (GStrv) lines = NULL;
  gint wrong;

  if (!is_text (text)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "the stream's description is not text of at most %d octets",
        BRAVIS_MAX_DESCRIPTION);
    return NULL;
  }
  lines = g_strsplit (text, "\n", -1);
  description = g_new0 (BravisStreamDescription, 1);
  wrong = read_lines (lines, kind, description);
  if (wrong >= 0) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "line %d of the description of a stream of kind %s is wrong", wrong + 1,
        bravis_kind_to_string (kind));
    return NULL;
  }
  return g_steal_pointer (&description);
}

void
bravis_stream_description_free (BravisStreamDescription *description)
{
  gst_clear_caps (&description->caps);
  g_free (description);
}

GstCaps *
bravis_stream_description_dup_rtp_caps (const BravisStreamDescription *description,
    BravisKind kind)
{
  const char *media = kind == BRAVIS_KIND_VIDEO ? "video"
      : kind == BRAVIS_KIND_AUDIO ? "audio" : "application";

  return gst_caps_new_simple ("application/x-rtp",
      "media", G_TYPE_STRING, media,
      "payload", G_TYPE_INT, description->payload,
      "clock-rate", G_TYPE_INT, description->clock_rate,
      "encoding-name", G_TYPE_STRING, "X-BRAVIS",
      "ssrc", G_TYPE_UINT, description->ssrc,
      "rtcp-fb-nack-pli", G_TYPE_BOOLEAN, TRUE,
      "rtcp-fb-ccm-fir", G_TYPE_BOOLEAN, TRUE, NULL);
}
