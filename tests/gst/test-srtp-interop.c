/* Stock srtpdec reads what bravisencrypt sends, bravisdecrypt what stock srtpenc
 * sends. */
#include <string.h>
#include <gst/check/gstharness.h>
#include <gst/gst.h>

#define RTP "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264," \
    "payload=96,ssrc=(uint)16909060"
#define N_PACKETS 200
#define PAYLOAD 900
#define N_REPORTS 20

typedef struct {
  const char *name;
  const char *cipher;           /* as bravisencrypt calls it */
  const char *stock_cipher;     /* and srtpenc */
  const char *stock_auth;
  const char *stock_rtcp_auth;
  guint key_size;
} Profile;

static const Profile profiles[] = {
  {"aes_128_gcm", "aes-128-gcm", "aes-128-gcm", "null", "null", 28},
  {"aes_256_gcm", "aes-256-gcm", "aes-256-gcm", "null", "null", 44},
  {"aes_128_cm_hmac_sha1_80", "aes-128-cm-hmac-sha1-80", "aes-128-icm",
      "hmac-sha1-80", "hmac-sha1-80", 30},
  {"aes_128_cm_hmac_sha1_32", "aes-128-cm-hmac-sha1-32", "aes-128-icm",
      "hmac-sha1-32", "hmac-sha1-80", 30},
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

/* A sender report (RFC 3550 §6.4.1) without blocks. */
static GstBuffer *
make_report (guint8 number)
{
  guint8 report[28] = { 0x80, 200, 0, 6, 1, 2, 3, 4 };

  report[27] = number;
  return gst_buffer_new_memdup (report, sizeof report);
}

static void
pass_reports (GstHarness *from, GstHarness *to)
{
  for (guint i = 0; i < N_REPORTS; i++) {
    g_autoptr (GstBuffer) expected = make_report (i);
    g_autoptr (GstBuffer) out = NULL;
    GstBuffer *sealed = gst_harness_push_and_pull (from, make_report (i));
    GstMapInfo map;

    g_assert_nonnull (sealed);
    gst_buffer_map (expected, &map, GST_MAP_READ);
    g_assert_cmpint (gst_buffer_memcmp (sealed, 8, map.data + 8, 20), !=, 0);
    out = gst_harness_push_and_pull (to, sealed);
    g_assert_nonnull (out);
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
      "srtcp-auth", G_TYPE_STRING, profile->stock_rtcp_auth, NULL);
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
test_srtpdec_reads_reports_of_bravisencrypt (gconstpointer data)
{
  const Profile *profile = data;
  g_autofree char *line = make_line ("bravisencrypt", profile);
  GstHarness *from = gst_harness_new_parse (line);
  GstHarness *to = gst_harness_new_with_padnames ("srtpdec", "rtcp_sink",
      "rtcp_src");

  g_signal_connect (to->element, "request-key", G_CALLBACK (on_request_key),
      (gpointer) profile);
  gst_harness_set_src_caps_str (from, "application/x-rtcp");
  gst_harness_set_src_caps (to, gst_pad_get_current_caps (from->sinkpad));
  pass_reports (from, to);
  gst_harness_teardown (from);
  gst_harness_teardown (to);
}

static GstElement *
make_srtpenc (const Profile *profile)
{
  GstElement *srtpenc = gst_element_factory_make ("srtpenc", NULL);
  g_autoptr (GstBuffer) key = key_buffer (profile);

  g_assert_nonnull (gst_object_ref_sink (srtpenc));
  g_object_set (srtpenc, "key", key, NULL);
  gst_util_set_object_arg (G_OBJECT (srtpenc), "rtp-cipher",
      profile->stock_cipher);
  gst_util_set_object_arg (G_OBJECT (srtpenc), "rtp-auth", profile->stock_auth);
  gst_util_set_object_arg (G_OBJECT (srtpenc), "rtcp-cipher",
      profile->stock_cipher);
  gst_util_set_object_arg (G_OBJECT (srtpenc), "rtcp-auth",
      profile->stock_rtcp_auth);
  return srtpenc;
}

static void
test_bravisdecrypt_reads_srtpenc (gconstpointer data)
{
  const Profile *profile = data;
  g_autofree char *line = make_line ("bravisdecrypt", profile);
  g_autoptr (GstElement) srtpenc = make_srtpenc (profile);
  GstHarness *from, *to;

  from = gst_harness_new_with_element (srtpenc, "rtp_sink_0", "rtp_src_0");
  to = gst_harness_new_parse (line);
  gst_harness_set_src_caps_str (from, RTP);
  gst_harness_set_src_caps (to, gst_pad_get_current_caps (from->sinkpad));
  pass_packets (from, to);
  gst_harness_teardown (from);
  gst_harness_teardown (to);
}

static void
test_bravisdecrypt_reads_reports_of_srtpenc (gconstpointer data)
{
  const Profile *profile = data;
  g_autofree char *line = make_line ("bravisdecrypt", profile);
  g_autoptr (GstElement) srtpenc = make_srtpenc (profile);
  GstHarness *from = gst_harness_new_with_element (srtpenc, "rtcp_sink_0",
      "rtcp_src_0");
  GstHarness *to = gst_harness_new_parse (line);

  gst_harness_set_src_caps_str (from, "application/x-rtcp");
  gst_harness_set_src_caps_str (to, "application/x-srtcp");
  pass_reports (from, to);
  gst_harness_teardown (from);
  gst_harness_teardown (to);
}

static void
add (const char *what, const Profile *profile, GTestDataFunc function)
{
  g_autofree char *path = g_strdup_printf ("/gst/srtp_interop/%s/%s", what,
      profile->name);

  g_test_add_data_func (path, profile, function);
}

int
main (int argc, char *argv[])
{
  guint i;

  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (profiles); i++) {
    add ("srtpdec_reads_bravisencrypt", &profiles[i],
        test_srtpdec_reads_bravisencrypt);
    add ("bravisdecrypt_reads_srtpenc", &profiles[i],
        test_bravisdecrypt_reads_srtpenc);
    add ("srtpdec_reads_reports_of_bravisencrypt", &profiles[i],
        test_srtpdec_reads_reports_of_bravisencrypt);
    add ("bravisdecrypt_reads_reports_of_srtpenc", &profiles[i],
        test_bravisdecrypt_reads_reports_of_srtpenc);
  }
  return g_test_run ();
}
