/* Stock srtpdec reads what bravisencrypt sends, bravisdecrypt what stock srtpenc
 * sends. */
#include <string.h>
#include <gst/check/gstharness.h>
#include <gst/gst.h>

#define RTP "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264," \
    "payload=96,ssrc=(uint)16909060"
#define N_PACKETS 200
#define PAYLOAD 900

typedef struct {
  const char *name;
  const char *cipher;           /* as bravisencrypt calls it */
  const char *stock_cipher;     /* and srtpenc */
  const char *stock_auth;
  guint key_size;
} Profile;

static const Profile profiles[] = {
  {"aes_128_gcm", "aes-128-gcm", "aes-128-gcm", "null", 28},
  {"aes_256_gcm", "aes-256-gcm", "aes-256-gcm", "null", 44},
  {"aes_128_cm_hmac_sha1_80", "aes-128-cm-hmac-sha1-80", "aes-128-icm",
      "hmac-sha1-80", 30},
  {"aes_128_cm_hmac_sha1_32", "aes-128-cm-hmac-sha1-32", "aes-128-icm",
      "hmac-sha1-32", 30},
};

static GstBuffer *
make_packet (guint16 sequence)
{
  guint8 packet[12 + PAYLOAD] = { 0x80, 96, sequence >> 8, sequence & 0xff,
    0, 0, 0, 1, 1, 2, 3, 4
  };

  memset (packet + 12, sequence, PAYLOAD);
  return gst_buffer_new_memdup (packet, sizeof packet);
}

static void
make_key (const Profile *profile, guint8 *key)
{
  guint i;

  for (i = 0; i < profile->key_size; i++)
    key[i] = 7 * i + 1;
}

static char *
make_line (const char *element, const Profile *profile)
{
  GString *line = g_string_new (NULL);
  guint8 key[64];
  guint i;

  make_key (profile, key);
  g_string_append_printf (line, "%s format=srtp cipher=%s key=", element,
      profile->cipher);
  for (i = 0; i < profile->key_size; i++)
    g_string_append_printf (line, "%02x", key[i]);
  return g_string_free (line, FALSE);
}

static GstBuffer *
key_buffer (const Profile *profile)
{
  guint8 key[64];

  make_key (profile, key);
  return gst_buffer_new_memdup (key, profile->key_size);
}

/* Across a wrap of the sequence number. */
static void
pass_packets (GstHarness *from, GstHarness *to)
{
  guint i;

  for (i = 0; i < N_PACKETS; i++) {
    guint16 sequence = 65536 - N_PACKETS / 2 + i;
    g_autoptr (GstBuffer) expected = make_packet (sequence);
    g_autoptr (GstBuffer) out = NULL;
    GstBuffer *sealed = gst_harness_push_and_pull (from, make_packet
        (sequence));
    GstMapInfo map;

    g_assert_nonnull (sealed);
    out = gst_harness_push_and_pull (to, sealed);
    g_assert_nonnull (out);
    gst_buffer_map (expected, &map, GST_MAP_READ);
    g_assert_cmpuint (gst_buffer_get_size (out), ==, map.size);
    g_assert_cmpint (gst_buffer_memcmp (out, 0, map.data, map.size), ==, 0);
    gst_buffer_unmap (expected, &map);
  }
}

static GstCaps *
on_request_key (GstElement *srtpdec, guint ssrc, const Profile *profile)
{
  g_autoptr (GstBuffer) key = key_buffer (profile);

  return gst_caps_new_simple ("application/x-srtp",
      "srtp-key", GST_TYPE_BUFFER, key,
      "srtp-cipher", G_TYPE_STRING, profile->stock_cipher,
      "srtp-auth", G_TYPE_STRING, profile->stock_auth,
      "srtcp-cipher", G_TYPE_STRING, profile->stock_cipher,
      "srtcp-auth", G_TYPE_STRING, profile->stock_auth, NULL);
}

static void
test_srtpdec_reads_bravisencrypt (gconstpointer data)
{
  const Profile *profile = data;
  g_autofree char *line = make_line ("bravisencrypt", profile);
  GstHarness *from = gst_harness_new_parse (line);
  GstHarness *to = gst_harness_new_with_padnames ("srtpdec", "rtp_sink",
      "rtp_src");

  g_signal_connect (to->element, "request-key", G_CALLBACK (on_request_key),
      (gpointer) profile);
  gst_harness_set_src_caps_str (from, RTP);
  gst_harness_set_src_caps (to, gst_pad_get_current_caps (from->sinkpad));
  pass_packets (from, to);
  gst_harness_teardown (from);
  gst_harness_teardown (to);
}

static void
test_bravisdecrypt_reads_srtpenc (gconstpointer data)
{
  const Profile *profile = data;
  g_autofree char *line = make_line ("bravisdecrypt", profile);
  g_autoptr (GstElement) srtpenc = gst_element_factory_make ("srtpenc", NULL);
  g_autoptr (GstBuffer) key = key_buffer (profile);
  GstHarness *from, *to;

  g_assert_nonnull (gst_object_ref_sink (srtpenc));
  g_object_set (srtpenc, "key", key, NULL);
  gst_util_set_object_arg (G_OBJECT (srtpenc), "rtp-cipher",
      profile->stock_cipher);
  gst_util_set_object_arg (G_OBJECT (srtpenc), "rtp-auth", profile->stock_auth);
  gst_util_set_object_arg (G_OBJECT (srtpenc), "rtcp-cipher",
      profile->stock_cipher);
  gst_util_set_object_arg (G_OBJECT (srtpenc), "rtcp-auth",
      profile->stock_auth);
  from = gst_harness_new_with_element (srtpenc, "rtp_sink_0", "rtp_src_0");
  to = gst_harness_new_parse (line);
  gst_harness_set_src_caps_str (from, RTP);
  gst_harness_set_src_caps (to, gst_pad_get_current_caps (from->sinkpad));
  pass_packets (from, to);
  gst_harness_teardown (from);
  gst_harness_teardown (to);
}

int
main (int argc, char *argv[])
{
  guint i;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (profiles); i++) {
    g_autofree char *there = g_strdup_printf
        ("/gst/srtp_interop/srtpdec_reads_bravisencrypt/%s", profiles[i].name);
    g_autofree char *back = g_strdup_printf
        ("/gst/srtp_interop/bravisdecrypt_reads_srtpenc/%s", profiles[i].name);

    g_test_add_data_func (there, &profiles[i], test_srtpdec_reads_bravisencrypt);
    g_test_add_data_func (back, &profiles[i], test_bravisdecrypt_reads_srtpenc);
  }
  return g_test_run ();
}
