/* bravisencrypt and bravisdecrypt with static keys: caps, buffers, properties,
 * errors, what is dropped. */
#include <string.h>
#include <gst/check/gstharness.h>
#include <gst/gst.h>

#include "../../gst/bravis-sframe.h"

#define KEY "000102030405060708090a0b0c0d0e0f"
#define OTHER_KEY "f00102030405060708090a0b0c0d0e0f"
#define SRTP_KEY KEY "101112131415161718191a1b"
#define RTP "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264," \
    "payload=96"
#define SRTP "application/x-srtp,media=video,clock-rate=90000," \
    "encoding-name=H264,payload=96"
#define H264 "video/x-h264,stream-format=avc,alignment=au,width=64," \
    "height=48,framerate=25/1,codec_data=(buffer)01640014"
#define CLOSED_H264 "application/x-bravis,original-media-type=video/x-h264," \
    "stream-format=avc,alignment=au,width=64,height=48,framerate=25/1," \
    "codec_data=(buffer)01640014"
#define TEXT "the quick brown fox jumps over the lazy dog"
#define RTP_HEADER 12

static GstHarness *
start (const char *line, const char *caps)
{
  GstHarness *harness = gst_harness_new_parse (line);

  gst_harness_set_src_caps_str (harness, caps);
  return harness;
}

static void
push_caps (GstHarness *harness, const char *text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);

  gst_harness_push_event (harness, gst_event_new_caps (caps));
}

/* bravisencrypt in one harness and bravisdecrypt in the next. */
typedef struct {
  GstHarness *encrypt;
  GstHarness *decrypt;
} Pair;

static void
pair_start (Pair *pair, const char *settings, const char *caps)
{
  g_autofree char *encrypt = g_strdup_printf ("bravisencrypt %s", settings);
  g_autofree char *decrypt = g_strdup_printf ("bravisdecrypt %s", settings);
  g_autoptr (GstCaps) closed = NULL;

  pair->encrypt = start (encrypt, caps);
  pair->decrypt = gst_harness_new_parse (decrypt);
  closed = gst_pad_get_current_caps (pair->encrypt->sinkpad);
  g_assert_nonnull (closed);
  gst_harness_set_src_caps (pair->decrypt, g_steal_pointer (&closed));
}

static void
pair_stop (Pair *pair)
{
  gst_harness_teardown (pair->encrypt);
  gst_harness_teardown (pair->decrypt);
}

static GstBuffer *
make_frame (void)
{
  return gst_buffer_new_memdup (TEXT, sizeof TEXT);
}

static GstBuffer *
make_packet (guint16 sequence)
{
  guint8 packet[RTP_HEADER + sizeof TEXT] = { 0x80, 96, sequence >> 8,
    sequence & 0xff, 0, 0, 0, 1, 1, 2, 3, 4
  };

  memcpy (packet + RTP_HEADER, TEXT, sizeof TEXT);
  return gst_buffer_new_memdup (packet, sizeof packet);
}

static void
assert_buffer (GstBuffer *buffer, gconstpointer data, gsize size)
{
  g_assert_nonnull (buffer);
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, size);
  g_assert_cmpint (gst_buffer_memcmp (buffer, 0, data, size), ==, 0);
}

static gboolean
contains (GstBuffer *buffer, const char *text)
{
  GstMapInfo map;
  gboolean found;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  found = memmem (map.data, map.size, text, strlen (text)) != NULL;
  gst_buffer_unmap (buffer, &map);
  return found;
}

static guint64
stat_of (GstHarness *harness, const char *name)
{
  g_autoptr (GstElement) element =
      gst_harness_find_element (harness, "bravisdecrypt");
  g_autoptr (GstStructure) stats = NULL;
  guint64 value;

  if (element == NULL)
    element = gst_harness_find_element (harness, "bravisencrypt");
  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

/* Caps */

static void
check_caps (const char *settings, const char *open, const char *closed)
{
  g_autoptr (GstCaps) open_caps = gst_caps_from_string (open);
  g_autoptr (GstCaps) closed_caps = gst_caps_from_string (closed);
  g_autoptr (GstCaps) got_closed = NULL;
  g_autoptr (GstCaps) got_open = NULL;
  Pair pair;

  pair_start (&pair, settings, open);
  got_closed = gst_pad_get_current_caps (pair.encrypt->sinkpad);
  got_open = gst_pad_get_current_caps (pair.decrypt->sinkpad);
  g_assert_true (gst_caps_is_strictly_equal (got_closed, closed_caps));
  g_assert_true (gst_caps_is_strictly_equal (got_open, open_caps));
  pair_stop (&pair);
}

static void
test_caps_of_frames_are_kept_and_restored (void)
{
  check_caps ("key=" KEY, H264, "application/x-bravis,stream-format=avc,"
      "alignment=au,width=64,height=48,framerate=25/1,"
      "codec_data=(buffer)01640014,original-media-type=video/x-h264");
  check_caps ("key=" KEY, "audio/x-opus,streamheader=(buffer)<01,02>",
      "application/x-bravis,streamheader=(buffer)<01,02>,"
      "original-media-type=audio/x-opus");
}

static void
test_caps_that_name_an_original_already_are_restored (void)
{
  check_caps ("key=" KEY, "application/x-cenc,original-media-type=video/x-h264",
      "application/x-bravis,bravis-original-media-type=video/x-h264,"
      "original-media-type=application/x-cenc");
}

static void
test_caps_of_rtp_stay_rtp (void)
{
  check_caps ("key=" KEY, RTP, RTP ",bravis-format=sframe");
}

static void
test_caps_of_srtp_hold_no_key (void)
{
  check_caps ("format=srtp key=" SRTP_KEY, RTP, SRTP);
}

static void
test_caps_on_both_sides_are_negotiated_through (void)
{
  g_autoptr (GstCaps) wanted = gst_caps_from_string (H264);
  g_autoptr (GstCaps) got = NULL;
  GstHarness *harness = gst_harness_new_parse ("bravisencrypt key=" KEY
      " ! bravisdecrypt key=" KEY);

  gst_harness_set_sink_caps_str (harness, H264);
  got = gst_pad_peer_query_caps (harness->srcpad, NULL);
  g_assert_true (gst_caps_is_equal (got, wanted));
  gst_harness_teardown (harness);
}

/* The element's error message; NULL if it takes the caps. */
static char *
error_for_caps (const char *line, const char *caps)
{
  GstHarness *harness = gst_harness_new_parse (line);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  GError *error = NULL;
  char *text = NULL;

  gst_element_set_bus (harness->element, bus);
  gst_harness_play (harness);
  gst_harness_push_event (harness, gst_event_new_stream_start ("test"));
  push_caps (harness, caps);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message) {
    gst_message_parse_error (message, &error, NULL);
    g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE);
    text = g_strdup (error->message);
    g_error_free (error);
  }
  gst_element_set_bus (harness->element, NULL);
  gst_harness_teardown (harness);
  return text;
}

static void
assert_caps_refused (const char *line, const char *caps, const char *why)
{
  g_autofree char *text = error_for_caps (line, caps);

  g_assert_nonnull (text);
  g_assert_nonnull (strstr (text, why));
}

static void
test_wrong_caps_are_refused_with_a_reason (void)
{
  assert_caps_refused ("bravisencrypt format=srtp key=" SRTP_KEY, H264,
      "expected application/x-rtp");
  assert_caps_refused ("bravisencrypt key=" KEY, CLOSED_H264,
      "not protected already");
  assert_caps_refused ("bravisencrypt key=" KEY, RTP ",bravis-format=sframe",
      "not protected already");
  assert_caps_refused ("bravisencrypt key=" KEY,
      "video/x-raw(memory:GLMemory),format=RGBA", "system memory");
  assert_caps_refused ("bravisdecrypt key=" KEY, "application/x-bravis",
      "original-media-type");
  assert_caps_refused ("bravisdecrypt key=" KEY,
      "application/x-bravis,original-media-type=(string)\"1 { bad\"",
      "original-media-type");
  assert_caps_refused ("bravisdecrypt format=srtp key=" SRTP_KEY, RTP,
      "expected application/x-srtp");
  assert_caps_refused ("bravisdecrypt format=sframe key=" KEY, SRTP,
      "for format=sframe");
}

/* A key that is good for SFrame may be none for the SRTP that comes. */
static void
test_key_that_does_not_fit_the_caps_is_refused (void)
{
  assert_caps_refused ("bravisdecrypt key=" KEY, SRTP, "16 octets");
}

/* Buffers */

static void
check_round_trip (const char *settings, const char *caps, gboolean rtp)
{
  Pair pair;
  guint i;

  pair_start (&pair, settings, caps);
  for (i = 0; i < 100; i++) {
    GstBuffer *original = rtp ? make_packet (i) : make_frame ();
    g_autoptr (GstBuffer) kept = gst_buffer_copy_deep (original);
    g_autoptr (GstBuffer) out = NULL;
    GstBuffer *closed;
    GstMapInfo map;

    GST_BUFFER_PTS (original) = i * GST_MSECOND;
    GST_BUFFER_FLAG_SET (original, GST_BUFFER_FLAG_DELTA_UNIT);
    closed = gst_harness_push_and_pull (pair.encrypt, original);
    g_assert_false (contains (closed, TEXT));
    out = gst_harness_push_and_pull (pair.decrypt, closed);
    gst_buffer_map (kept, &map, GST_MAP_READ);
    assert_buffer (out, map.data, map.size);
    gst_buffer_unmap (kept, &map);
    g_assert_cmpuint (GST_BUFFER_PTS (out), ==, i * GST_MSECOND);
    g_assert_true (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_DELTA_UNIT));
  }
  g_assert_cmpuint (stat_of (pair.encrypt, "frames"), ==, 100);
  g_assert_cmpuint (stat_of (pair.decrypt, "frames"), ==, 100);
  g_assert_cmpuint (stat_of (pair.decrypt, "bytes"), ==,
      100 * (sizeof TEXT + (rtp ? RTP_HEADER : 0)));
  pair_stop (&pair);
}

static void
check_pick (const char *settings, const char *caps, const char *format,
    const char *cipher, const char *provider)
{
  g_autofree char *line = g_strdup_printf ("bravisencrypt %s", settings);
  GstHarness *harness = start (line, caps);
  g_autoptr (GstElement) element =
      gst_harness_find_element (harness, "bravisencrypt");
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_cmpstr (gst_structure_get_string (stats, "format"), ==, format);
  g_assert_cmpstr (gst_structure_get_string (stats, "cipher"), ==, cipher);
  g_assert_cmpstr (gst_structure_get_string (stats, "provider"), ==, provider);
  gst_harness_teardown (harness);
}

/* Both ends say the same, and what one closes the other opens. */
static void
check_auto (const char *settings, const char *caps, const char *cipher)
{
  const char *const elements[] = { "bravisencrypt", "bravisdecrypt" };
  g_autofree char *line = g_strdup_printf ("bravisencrypt cipher=auto %s "
      "! bravisdecrypt cipher=%s %s", settings, cipher, settings);
  GstHarness *harness = start (line, caps);
  GstBuffer *out;

  gst_harness_push (harness, make_packet (1));
  out = gst_harness_try_pull (harness);
  g_assert_nonnull (out);
  g_assert_true (contains (out, TEXT));
  gst_buffer_unref (out);
  gst_harness_teardown (harness);
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    g_autoptr (GstElement) element = NULL;
    g_autoptr (GstStructure) stats = NULL;

    g_free (line);
    line = g_strdup_printf ("bravisencrypt cipher=auto %s ! bravisdecrypt "
        "cipher=auto %s", settings, settings);
    harness = start (line, caps);
    element = gst_harness_find_element (harness, elements[i]);
    g_object_get (element, "stats", &stats, NULL);
    g_assert_cmpstr (gst_structure_get_string (stats, "cipher"), ==, cipher);
    gst_harness_teardown (harness);
  }
}

static void
test_auto_cipher_is_what_the_key_is_long_enough_for (void)
{
  check_auto ("key=" KEY, RTP, "aes-128-gcm");
  check_auto ("key=" KEY KEY, RTP, "aes-256-gcm");
  check_auto ("key=" KEY KEY, H264, "aes-256-gcm");
  check_auto ("format=srtp key=" SRTP_KEY, RTP, "aes-128-gcm");
  check_auto ("format=srtp key=" KEY SRTP_KEY, RTP, "aes-256-gcm");
  check_auto ("format=srtp key=" SRTP_KEY "1c1d", RTP, "aes-128-cm-hmac-sha1-80");
  assert_caps_refused ("bravisdecrypt cipher=auto key=" KEY, SRTP, "28, 30 or 44");
}

/* Said when it is picked and when it becomes another, not with all caps. */
static void
test_what_was_picked_is_said_once (void)
{
  GstHarness *harness = gst_harness_new_parse ("bravisencrypt cipher=auto key="
      SRTP_KEY);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  const GstStructure *structure;

  gst_element_set_bus (harness->element, bus);
  gst_harness_set_src_caps_str (harness, RTP);
  push_caps (harness, RTP ",framerate=25/1");
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  g_assert_nonnull (message);
  structure = gst_message_get_structure (message);
  g_assert_cmpstr (gst_structure_get_name (structure), ==, "bravis-picked");
  g_assert_cmpstr (gst_structure_get_string (structure, "format"), ==, "sframe");
  g_assert_cmpstr (gst_structure_get_string (structure, "cipher"), ==,
      "aes-128-gcm");
  g_assert_nonnull (gst_structure_get_string (structure, "provider"));
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT));
  gst_element_set_bus (harness->element, NULL);
  gst_harness_teardown (harness);
}

static void
test_stats_say_what_was_picked (void)
{
  check_pick ("cipher=aes-128-ctr-hmac-sha256-64 key=" KEY, H264, "sframe",
      "aes-128-ctr-hmac-sha256-64", "nettle");
  check_pick ("format=srtp cipher=aes-256-gcm key=" KEY SRTP_KEY, RTP, "srtp",
      "aes-256-gcm", "libsrtp2");
  g_setenv ("BRAVIS_AEAD_PROVIDER", "gnutls", TRUE);
  check_pick ("key=" KEY, RTP, "sframe", "aes-128-gcm", "gnutls");
  g_unsetenv ("BRAVIS_AEAD_PROVIDER");
}

static void
test_frames_come_back (void)
{
  check_round_trip ("key=" KEY, H264, FALSE);
  check_round_trip ("cipher=aes-256-gcm key=" KEY KEY KEY KEY, H264, FALSE);
  check_round_trip ("kid=7 key=" KEY, "audio/x-opus", FALSE);
  check_round_trip ("cipher=aes-128-ctr-hmac-sha256-80 key=" KEY, H264, FALSE);
  check_round_trip ("cipher=aes-128-ctr-hmac-sha256-64 key=" KEY, H264, FALSE);
  check_round_trip ("cipher=aes-128-ctr-hmac-sha256-32 key=" KEY, H264, FALSE);
  check_round_trip ("cipher=chacha20-poly1305 key=" KEY, H264, FALSE);
  check_round_trip ("cipher=puzzle key=" KEY, H264, FALSE);
}

static void
test_rtp_packets_come_back (void)
{
  check_round_trip ("key=" KEY, RTP, TRUE);
  check_round_trip ("cipher=aes-256-gcm rtp-header-auth=true key=" KEY, RTP,
      TRUE);
  check_round_trip ("cipher=chacha20-poly1305 rtp-header-auth=true key=" KEY, RTP,
      TRUE);
  check_round_trip ("cipher=aes-128-ctr-hmac-sha256-32 rtp-header-auth=true key="
      KEY, RTP, TRUE);
  check_round_trip ("cipher=puzzle rtp-header-auth=true key=" KEY, RTP, TRUE);
}

static void
test_srtp_packets_come_back (void)
{
  check_round_trip ("format=srtp key=" SRTP_KEY, RTP, TRUE);
  check_round_trip ("format=srtp cipher=aes-256-gcm key=" KEY SRTP_KEY, RTP,
      TRUE);
  check_round_trip ("format=srtp cipher=aes-128-cm-hmac-sha1-80 key=" SRTP_KEY
      "1c1d", RTP, TRUE);
  check_round_trip ("format=srtp cipher=aes-128-cm-hmac-sha1-32 key=" SRTP_KEY
      "1c1d", RTP, TRUE);
}

static void
test_rtp_header_stays_readable (void)
{
  GstHarness *harness = start ("bravisencrypt key=" KEY, RTP);
  g_autoptr (GstBuffer) packet = make_packet (5);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (harness,
      gst_buffer_ref (packet));
  guint8 header[RTP_HEADER];

  gst_buffer_extract (packet, 0, header, sizeof header);
  g_assert_cmpint (gst_buffer_memcmp (out, 0, header, sizeof header), ==, 0);
  gst_harness_teardown (harness);
}

static void
test_list_stays_a_list (void)
{
  GstHarness *harness = start ("bravisencrypt key=" KEY " ! bravisdecrypt key="
      KEY, RTP);
  GstBufferList *list = gst_buffer_list_new ();
  guint i;

  for (i = 0; i < 10; i++)
    gst_buffer_list_add (list, make_packet (i));
  g_assert_cmpint (gst_pad_push_list (harness->srcpad, list), ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_received (harness), ==, 10);
  for (i = 0; i < 10; i++) {
    g_autoptr (GstBuffer) out = gst_harness_pull (harness);
    guint8 sequence;

    gst_buffer_extract (out, 3, &sequence, 1);
    g_assert_cmpuint (sequence, ==, i);
    g_assert_true (contains (out, TEXT));
  }
  gst_harness_teardown (harness);
}

static void
test_what_is_bad_in_a_list_is_left_out (void)
{
  GstHarness *harness = start ("bravisencrypt key=" KEY, RTP);
  GstBufferList *list = gst_buffer_list_new ();

  gst_buffer_list_add (list, make_packet (1));
  gst_buffer_list_add (list, gst_buffer_new_memdup ("no RTP", 6));
  gst_buffer_list_add (list, make_packet (2));
  g_assert_cmpint (gst_pad_push_list (harness->srcpad, list), ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_received (harness), ==, 2);
  list = gst_buffer_list_new ();
  gst_buffer_list_add (list, gst_buffer_new_memdup ("no RTP", 6));
  g_assert_cmpint (gst_pad_push_list (harness->srcpad, list), ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_received (harness), ==, 2);
  g_assert_cmpuint (stat_of (harness, "malformed"), ==, 2);
  gst_harness_teardown (harness);
}

/* As payloaders make them: a header of their own, and a part of the frame. */
static void
test_packet_in_two_memories_comes_back (void)
{
  GstHarness *harness = start ("bravisencrypt key=" KEY " ! bravisdecrypt key="
      KEY, RTP);
  g_autoptr (GstBuffer) frame = make_frame ();
  g_autoptr (GstBuffer) header = make_packet (1);
  GstBuffer *packet = gst_buffer_append (gst_buffer_copy_region (header,
          GST_BUFFER_COPY_ALL, 0, RTP_HEADER),
      gst_buffer_copy_region (frame, GST_BUFFER_COPY_MEMORY, 4, 15));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (harness, packet);

  assert_buffer (frame, TEXT, sizeof TEXT);
  g_assert_cmpuint (gst_buffer_get_size (out), ==, RTP_HEADER + 15);
  g_assert_cmpint (gst_buffer_memcmp (out, RTP_HEADER, &TEXT[4], 15), ==, 0);
  gst_harness_teardown (harness);
}

/* A copy of @packet with all the room that it takes to protect it in place. */
static GstBuffer *
with_room (GstBuffer *packet)
{
  GstAllocationParams params = { 0, 0, 64, 64, { NULL, } };
  GstBuffer *roomy = gst_buffer_new_allocate (NULL,
      gst_buffer_get_size (packet), &params);
  GstMapInfo map;

  gst_buffer_map (packet, &map, GST_MAP_READ);
  gst_buffer_fill (roomy, 0, map.data, map.size);
  gst_buffer_unmap (packet, &map);
  return roomy;
}

/* Shared as a whole, and as a memory that is in another buffer too. */
static void
test_shared_buffer_is_not_altered (void)
{
  static const char *const lines[] = { "bravisencrypt key=" KEY,
    "bravisencrypt format=srtp key=" SRTP_KEY, "bravisdecrypt key=" KEY
  };
  guint i, copied;

  for (i = 0; i < G_N_ELEMENTS (lines); i++) {
    for (copied = 0; copied < 2; copied++) {
      GstHarness *harness = start (lines[i], i == 2
          ? RTP ",bravis-format=sframe" : RTP);
      g_autoptr (GstBuffer) packet = make_packet (5);
      g_autoptr (GstBuffer) kept = gst_buffer_copy_deep (packet);
      g_autoptr (GstBuffer) shared = with_room (packet);
      GstMapInfo map;

      gst_harness_push (harness, copied
          ? gst_buffer_copy (shared) : gst_buffer_ref (shared));
      gst_buffer_map (kept, &map, GST_MAP_READ);
      assert_buffer (shared, map.data, map.size);
      gst_buffer_unmap (kept, &map);
      gst_harness_teardown (harness);
    }
  }
}

/* The room behind a part of a memory is another part. */
static void
test_neighbour_in_the_same_memory_is_not_altered (void)
{
  GstHarness *harness = start ("bravisencrypt key=" KEY, H264);
  g_autoptr (GstBuffer) whole = gst_buffer_new_allocate (NULL, 300, NULL);
  GstBuffer *part;
  guint8 expected[300];

  gst_buffer_memset (whole, 0, 0x55, 300);
  memset (expected, 0x55, sizeof expected);
  part = gst_buffer_copy_region (whole, GST_BUFFER_COPY_MEMORY, 100, 100);
  gst_harness_push (harness, part);
  g_assert_cmpuint (gst_harness_buffers_received (harness), ==, 1);
  assert_buffer (whole, expected, sizeof expected);
  gst_harness_teardown (harness);
}

static gconstpointer
memory_of (GstBuffer *buffer)
{
  return gst_buffer_peek_memory (buffer, 0);
}

/* A buffer allocated as the ALLOCATION query says is protected where it is. */
static void
test_buffer_with_room_is_protected_in_place (void)
{
  static const char *const settings[] = {
    "key=" KEY, "format=srtp key=" SRTP_KEY
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (settings); i++) {
    g_autofree char *line = g_strdup_printf ("bravisencrypt %s", settings[i]);
    GstHarness *harness = start (line, RTP);
    g_autoptr (GstBuffer) packet = make_packet (1);
    g_autoptr (GstBuffer) out = NULL;
    GstAllocator *allocator;
    GstAllocationParams params;
    gconstpointer memory;
    GstBuffer *roomy;
    GstMapInfo map;

    g_autoptr (GstCaps) caps = gst_caps_from_string (RTP);
    g_autoptr (GstQuery) query = gst_query_new_allocation (caps, FALSE);

    g_assert_true (gst_pad_peer_query (harness->srcpad, query));
    gst_query_parse_nth_allocation_param (query, 0, &allocator, &params);
    roomy = gst_buffer_new_allocate (allocator, gst_buffer_get_size (packet),
        &params);
    gst_buffer_map (packet, &map, GST_MAP_READ);
    gst_buffer_fill (roomy, 0, map.data, map.size);
    gst_buffer_unmap (packet, &map);
    memory = memory_of (roomy);
    out = gst_harness_push_and_pull (harness, roomy);
    g_assert_true (memory_of (out) == memory);
    g_assert_false (contains (out, TEXT));
    gst_harness_teardown (harness);
  }
}

static void
test_buffer_is_opened_in_place (void)
{
  GstBuffer *closed;
  g_autoptr (GstBuffer) out = NULL;
  gconstpointer memory;
  Pair pair;

  pair_start (&pair, "key=" KEY, RTP);
  closed = gst_harness_push_and_pull (pair.encrypt, make_packet (1));
  memory = memory_of (closed);
  out = gst_harness_push_and_pull (pair.decrypt, closed);
  g_assert_true (memory_of (out) == memory);
  pair_stop (&pair);
}

/* Properties and states */

static char *
error_at_ready (const char *line)
{
  g_autoptr (GError) parse_error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &parse_error);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_no_error (parse_error);
  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_READY), ==,
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return g_strdup (error->message);
}

static void
assert_ready_fails (const char *settings, const char *why)
{
  static const char *const elements[] = { "bravisencrypt", "bravisdecrypt" };
  guint i;

  for (i = 0; i < 2; i++) {
    g_autofree char *line = g_strdup_printf ("fakesrc ! %s %s ! fakesink",
        elements[i], settings);
    g_autofree char *text = error_at_ready (line);

    if (strstr (text, why) == NULL)
      g_error ("\"%s\" is not in \"%s\"", why, text);
  }
}

static void
test_neither_session_nor_key_fails_at_ready (void)
{
  assert_ready_fails ("", "no session and no key");
}

static void
test_session_and_key_fails_at_ready (void)
{
  assert_ready_fails ("session=a key=" KEY, "both a session and a static key");
}

static void
test_unknown_session_fails_at_ready (void)
{
  assert_ready_fails ("session=nobody-made-this-one", "nobody-made-this-one");
}

static void
test_missing_configuration_fails_at_ready (void)
{
  assert_ready_fails ("config=/nowhere/bravis.conf", "/nowhere/bravis.conf");
}

static void
test_key_of_the_wrong_length_fails_at_ready (void)
{
  assert_ready_fails ("key=\"\"", "property key");
  assert_ready_fails ("key=000102030405060708090a0b0c0d0e", "15 octets");
  assert_ready_fails ("key=" KEY KEY KEY KEY "00", "65 octets");
  assert_ready_fails ("format=srtp key=" KEY, "takes 28");
  assert_ready_fails ("format=srtp cipher=aes-256-gcm key=" SRTP_KEY,
      "takes 44");
  assert_ready_fails ("format=srtp cipher=aes-128-cm-hmac-sha1-80 key="
      SRTP_KEY, "takes 30");
}

static void
test_key_that_is_no_hexadecimal_fails_at_ready (void)
{
  assert_ready_fails ("key=g00102030405060708090a0b0c0d0e0f", "hexadecimal");
  assert_ready_fails ("key=00102030405060708090a0b0c0d0e0f", "hexadecimal");
}

static void
test_srtp_cipher_with_sframe_fails_at_ready (void)
{
  assert_ready_fails ("format=sframe cipher=aes-128-cm-hmac-sha1-80 key=" KEY,
      "format=srtp only");
}

static void
test_key_cannot_be_read (void)
{
  g_autoptr (GstElement) element =
      gst_element_factory_make ("bravisencrypt", NULL);
  GParamSpec *pspec = g_object_class_find_property
      (G_OBJECT_GET_CLASS (element), "key");

  gst_object_ref_sink (element);
  g_assert_false (pspec->flags & G_PARAM_READABLE);
}

static guint64
kid_and_counter (GstBuffer *frame, guint64 *counter)
{
  BravisSFrameHeader header;
  guint8 data[BRAVIS_SFRAME_MAX_HEADER];
  gsize size = gst_buffer_extract (frame, 0, data, sizeof data);

  g_assert_true (bravis_sframe_header_read (data, size, &header));
  *counter = header.counter;
  return header.kid;
}

/* Stops and starts the element. */
static void
restart (GstHarness *harness, const char *caps)
{
  gst_element_set_state (harness->element, GST_STATE_NULL);
  gst_element_set_state (harness->element, GST_STATE_PLAYING);
  gst_harness_push_event (harness, gst_event_new_stream_start ("again"));
  push_caps (harness, caps);
}

static GstBuffer *
restart_and_push (GstHarness *harness, const char *caps, GstBuffer *buffer)
{
  GstSegment segment;

  restart (harness, caps);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
  gst_harness_push (harness, buffer);
  return gst_harness_try_pull (harness);
}

static void
test_each_run_has_a_key_identifier_of_its_own (void)
{
  GstHarness *harness = start ("bravisencrypt key=" KEY, H264);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  guint i;

  for (i = 0; i < 10; i++) {
    g_autoptr (GstBuffer) out = restart_and_push (harness, H264, make_frame ());
    guint64 counter, kid = kid_and_counter (out, &counter);

    g_assert_true (g_hash_table_add (seen, GSIZE_TO_POINTER (kid)));
    g_assert_cmpuint (counter, ==, 0);
  }
  gst_harness_teardown (harness);
}

static void
test_counter_goes_on_where_the_key_identifier_is_given (void)
{
  GstHarness *harness = start ("bravisencrypt kid=7 key=" OTHER_KEY, H264);
  guint64 counter, last = 0;
  guint i;

  for (i = 0; i < 10; i++) {
    g_autoptr (GstBuffer) out = restart_and_push (harness, H264, make_frame ());

    g_assert_cmpuint (kid_and_counter (out, &counter), ==, 7);
    g_assert_cmpuint (counter, >, last);
    last = counter;
  }
  gst_harness_teardown (harness);
}

static void
test_caps_that_come_again_restart_no_counter (void)
{
  GstHarness *harness = start ("bravisencrypt key=" KEY, H264);
  guint64 counter, kid = 0;
  guint i;

  for (i = 0; i < 5; i++) {
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (harness,
        make_frame ());
    guint64 this_kid = kid_and_counter (out, &counter);

    g_assert_cmpuint (counter, ==, i);
    g_assert_true (i == 0 || kid == this_kid);
    kid = this_kid;
    push_caps (harness, i % 2 ? H264 ",profile=high" : "audio/x-opus");
  }
  gst_harness_teardown (harness);
}

static void
test_key_and_key_identifier_are_used_by_one_element (void)
{
  GstHarness *harness = start ("bravisencrypt kid=8 key=" OTHER_KEY, H264);

  assert_caps_refused ("bravisencrypt kid=8 key=" OTHER_KEY, H264,
      "same key and kid");
  gst_harness_teardown (harness);
}

static void
test_srtp_index_is_not_used_again_in_the_next_run (void)
{
  GstHarness *harness = start ("bravisencrypt format=srtp key=" SRTP_KEY, RTP);
  g_autoptr (GstBuffer) first = gst_harness_push_and_pull (harness,
      make_packet (1));
  g_autoptr (GstBuffer) again = restart_and_push (harness, RTP,
      make_packet (1));
  g_autoptr (GstBuffer) next = NULL;

  g_assert_null (again);
  g_assert_cmpuint (stat_of (harness, "replayed"), ==, 1);
  next = gst_harness_push_and_pull (harness, make_packet (2));
  g_assert_nonnull (next);
  gst_harness_teardown (harness);
}

/* What is dropped */

static void
test_wrong_key_opens_nothing (void)
{
  GstHarness *harness = start ("bravisencrypt key=" KEY " ! bravisdecrypt key="
      OTHER_KEY, H264);
  guint i;

  for (i = 0; i < 10; i++)
    g_assert_cmpint (gst_harness_push (harness, make_frame ()), ==,
        GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_received (harness), ==, 0);
  g_assert_cmpuint (stat_of (harness, "forged"), ==, 10);
  g_assert_cmpuint (stat_of (harness, "dropped"), ==, 10);
  g_assert_cmpuint (stat_of (harness, "frames"), ==, 0);
  gst_harness_teardown (harness);
}

static void
test_replayed_frame_is_dropped (void)
{
  GstBuffer *closed;
  Pair pair;
  guint i;

  pair_start (&pair, "key=" KEY, H264);
  closed = gst_harness_push_and_pull (pair.encrypt, make_frame ());
  for (i = 0; i < 5; i++)
    gst_harness_push (pair.decrypt, gst_buffer_copy_deep (closed));
  gst_buffer_unref (closed);
  g_assert_cmpuint (gst_harness_buffers_received (pair.decrypt), ==, 1);
  g_assert_cmpuint (stat_of (pair.decrypt, "replayed"), ==, 4);
  pair_stop (&pair);
}

/* The first two of @window + 1 come last: one just in time, one too late. */
static void
check_window (const char *settings, const char *caps, gboolean rtp, guint window)
{
  g_autofree char *line = g_strdup_printf ("replay-window=%u %s", window, settings);
  GstBuffer *held[2];
  Pair pair;

  pair_start (&pair, line, caps);
  for (guint i = 0; i <= window; i++) {
    GstBuffer *closed = gst_harness_push_and_pull (pair.encrypt,
        rtp ? make_packet (i) : make_frame ());

    if (i < G_N_ELEMENTS (held))
      held[i] = closed;
    else
      gst_buffer_unref (gst_harness_push_and_pull (pair.decrypt, closed));
  }
  gst_harness_push (pair.decrypt, held[0]);
  g_assert_cmpuint (stat_of (pair.decrypt, "too-old"), ==, 1);
  gst_harness_push (pair.decrypt, held[1]);
  g_assert_cmpuint (stat_of (pair.decrypt, "frames"), ==, window);
  g_assert_cmpuint (stat_of (pair.decrypt, "dropped"), ==, 1);
  pair_stop (&pair);
}

static void
test_late_one_is_taken_within_the_window (void)
{
  check_window ("key=" KEY, H264, FALSE, 64);
  check_window ("key=" KEY, H264, FALSE, 32768);
  check_window ("key=" KEY, RTP, TRUE, 64);
  check_window ("format=srtp key=" SRTP_KEY, RTP, TRUE, 64);
}

static void
test_kid_that_is_not_wanted_is_dropped (void)
{
  GstHarness *harness = start ("bravisencrypt kid=1 key=" OTHER_KEY
      " ! bravisdecrypt kid=2 key=" OTHER_KEY, H264);

  gst_harness_push (harness, make_frame ());
  g_assert_cmpuint (gst_harness_buffers_received (harness), ==, 0);
  g_assert_cmpuint (stat_of (harness, "unknown-sender"), ==, 1);
  gst_harness_teardown (harness);
}

static void
test_drops_are_reported_with_their_reason_but_not_each (void)
{
  GstHarness *harness = start ("bravisdecrypt key=" KEY, CLOSED_H264);
  g_autoptr (GstBus) bus = gst_bus_new ();
  gint64 begin = g_get_monotonic_time ();
  guint i, reports = 0;
  GstMessage *message;

  gst_element_set_bus (harness->element, bus);
  for (i = 0; i < 100; i++)
    gst_harness_push (harness, make_frame ());
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
    const GstStructure *s = gst_message_get_structure (message);
    const char *reason = gst_structure_get_string (s, "reason");

    g_assert_true (gst_structure_has_name (s, "bravis-drop"));
    g_assert_cmpstr (reason, ==, "forged");
    gst_message_unref (message);
    reports++;
  }
  g_assert_cmpuint (reports, >=, 1);
  g_assert_cmpuint (reports, <=,
      1 + (g_get_monotonic_time () - begin) / G_TIME_SPAN_SECOND);
  g_assert_cmpuint (stat_of (harness, "dropped"), ==, 100);
  gst_element_set_bus (harness->element, NULL);
  gst_harness_teardown (harness);
}

static void
check_garbage (const char *line, const char *caps)
{
  GstHarness *harness = start (line, caps);
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  gsize size, i;

  for (size = 0; size <= 2000; size++) {
    guint8 *data = g_malloc (size + 1);

    for (i = 0; i < size; i++)
      data[i] = g_rand_int (rand);
    if (size % 2)
      data[0] = 0x80 | (data[0] & 0xf);
    g_assert_cmpint (gst_harness_push (harness,
            gst_buffer_new_wrapped (data, size)), ==, GST_FLOW_OK);
  }
  g_assert_cmpuint (gst_harness_buffers_received (harness), ==, 0);
  g_assert_cmpuint (stat_of (harness, "dropped"), ==, 2001);
  gst_harness_teardown (harness);
}

static void
test_garbage_of_each_length_is_dropped (void)
{
  check_garbage ("bravisdecrypt key=" KEY, CLOSED_H264);
  check_garbage ("bravisdecrypt key=" KEY, RTP);
  check_garbage ("bravisdecrypt key=" SRTP_KEY, SRTP);
}

static void
check_damage (const char *settings, const char *caps)
{
  g_autoptr (GstBuffer) closed = NULL;
  g_autoptr (GstBuffer) out = NULL;
  g_autofree guint8 *data = NULL;
  gsize size, i;
  Pair pair;

  pair_start (&pair, settings, caps);
  closed = gst_harness_push_and_pull (pair.encrypt, make_packet (1));
  gst_buffer_extract_dup (closed, 0, -1, (gpointer *) &data, &size);
  for (i = 0; i < size; i++)
    gst_harness_push (pair.decrypt, i
        ? gst_buffer_new_memdup (data, i) : gst_buffer_new ());
  for (i = 0; i < size * 8; i++) {
    data[i / 8] ^= 1 << i % 8;
    gst_harness_push (pair.decrypt, gst_buffer_new_memdup (data, size));
    data[i / 8] ^= 1 << i % 8;
  }
  g_assert_cmpuint (gst_harness_buffers_received (pair.decrypt), ==, 0);
  g_assert_cmpuint (stat_of (pair.decrypt, "dropped"), ==, 9 * size);
  out = gst_harness_push_and_pull (pair.decrypt, gst_buffer_ref (closed));
  g_assert_true (contains (out, TEXT));
  pair_stop (&pair);
}

static void
test_cut_or_altered_buffer_is_dropped (void)
{
  check_damage ("key=" KEY, "application/x-test");
  check_damage ("rtp-header-auth=true key=" KEY, RTP);
  check_damage ("format=srtp key=" SRTP_KEY, RTP);
  check_damage ("format=srtp cipher=aes-128-cm-hmac-sha1-80 key=" SRTP_KEY
      "1c1d", RTP);
}

static void
test_empty_frame_comes_back (void)
{
  GstHarness *harness = start ("bravisencrypt key=" KEY " ! bravisdecrypt key="
      KEY, H264);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (harness,
      gst_buffer_new ());

  g_assert_cmpuint (gst_buffer_get_size (out), ==, 0);
  gst_harness_teardown (harness);
}

int
main (int argc, char *argv[])
{
#define ADD(name) g_test_add_func ("/gst/elements/" #name, test_##name)
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD (caps_of_frames_are_kept_and_restored);
  ADD (caps_that_name_an_original_already_are_restored);
  ADD (caps_of_rtp_stay_rtp);
  ADD (caps_of_srtp_hold_no_key);
  ADD (caps_on_both_sides_are_negotiated_through);
  ADD (wrong_caps_are_refused_with_a_reason);
  ADD (key_that_does_not_fit_the_caps_is_refused);
  ADD (stats_say_what_was_picked);
  ADD (auto_cipher_is_what_the_key_is_long_enough_for);
  ADD (what_was_picked_is_said_once);
  ADD (frames_come_back);
  ADD (rtp_packets_come_back);
  ADD (srtp_packets_come_back);
  ADD (rtp_header_stays_readable);
  ADD (list_stays_a_list);
  ADD (what_is_bad_in_a_list_is_left_out);
  ADD (packet_in_two_memories_comes_back);
  ADD (shared_buffer_is_not_altered);
  ADD (neighbour_in_the_same_memory_is_not_altered);
  ADD (buffer_with_room_is_protected_in_place);
  ADD (buffer_is_opened_in_place);
  ADD (neither_session_nor_key_fails_at_ready);
  ADD (session_and_key_fails_at_ready);
  ADD (unknown_session_fails_at_ready);
  ADD (missing_configuration_fails_at_ready);
  ADD (key_of_the_wrong_length_fails_at_ready);
  ADD (key_that_is_no_hexadecimal_fails_at_ready);
  ADD (srtp_cipher_with_sframe_fails_at_ready);
  ADD (key_cannot_be_read);
  ADD (each_run_has_a_key_identifier_of_its_own);
  ADD (counter_goes_on_where_the_key_identifier_is_given);
  ADD (caps_that_come_again_restart_no_counter);
  ADD (key_and_key_identifier_are_used_by_one_element);
  ADD (srtp_index_is_not_used_again_in_the_next_run);
  ADD (wrong_key_opens_nothing);
  ADD (replayed_frame_is_dropped);
  ADD (late_one_is_taken_within_the_window);
  ADD (kid_that_is_not_wanted_is_dropped);
  ADD (drops_are_reported_with_their_reason_but_not_each);
  ADD (garbage_of_each_length_is_dropped);
  ADD (cut_or_altered_buffer_is_dropped);
  ADD (empty_frame_comes_back);
  return g_test_run ();
}
