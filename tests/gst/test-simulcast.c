/* Several encodings of one source, through one bravisencrypt or one each, and a tee
 * into several: each packet is opened once, and no (key, counter) comes twice. */
#include <gst/check/gstharness.h>
#include <gst/rtp/gstrtpbuffer.h>
#include <string.h>

#include "../../gst/bravis-sframe.h"

#define KEY "000102030405060708090a0b0c0d0e0f"
#define OTHER_KEY "f00102030405060708090a0b0c0d0e0f"
#define SRTP_KEY KEY "101112131415161718191a1b"
#define RTP "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264," \
    "payload=96,extmap-1=urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
#define RID_EXTENSION 1
#define N_ENCODINGS 3
#define N_PACKETS 200           /* of each encoding */
#define SMALL_WINDOW "replay-window=64 "        /* N_PACKETS are far more */
#define TEXT "the same in all encodings"

static const char *const rids[N_ENCODINGS] = { "low", "mid", "high" };

/* Encodings differ in SSRC and RID only: sequence numbers, timestamps and payloads are
 * the same. */
static GstBuffer *
make_packet (guint encoding, guint16 sequence)
{
  GstBuffer *buffer = gst_rtp_buffer_new_allocate (sizeof TEXT, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &rtp);
  gst_rtp_buffer_set_payload_type (&rtp, 96);
  gst_rtp_buffer_set_ssrc (&rtp, 100 + encoding);
  gst_rtp_buffer_set_seq (&rtp, sequence);
  gst_rtp_buffer_set_timestamp (&rtp, 3000 * sequence);
  memcpy (gst_rtp_buffer_get_payload (&rtp), TEXT, sizeof TEXT);
  g_assert_true (gst_rtp_buffer_add_extension_onebyte_header (&rtp,
          RID_EXTENSION, rids[encoding], strlen (rids[encoding])));
  gst_rtp_buffer_unmap (&rtp);
  return buffer;
}

static gboolean
is_same (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;
  gboolean same;

  gst_buffer_map (a, &map, GST_MAP_READ);
  same = gst_buffer_get_size (b) == map.size
      && gst_buffer_memcmp (b, 0, map.data, map.size) == 0;
  gst_buffer_unmap (a, &map);
  return same;
}

/* Who forwards must find it without a key. */
static void
assert_rid (GstBuffer *buffer, guint encoding)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  gpointer rid;
  guint size;

  gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp);
  g_assert_true (gst_rtp_buffer_get_extension_onebyte_header (&rtp,
          RID_EXTENSION, 0, &rid, &size));
  g_assert_cmpmem (rid, size, rids[encoding], strlen (rids[encoding]));
  gst_rtp_buffer_unmap (&rtp);
}

typedef struct {
  GstHarness *encrypt[N_ENCODINGS];     /* the same one, or three */
  GstHarness *decrypt;
  GPtrArray *closed[N_ENCODINGS];       /* of GstBuffer */
} World;

static GstHarness *
start (const char *element, const char *settings, const char *caps)
{
  g_autofree char *line = g_strconcat (element, " " SMALL_WINDOW, settings, NULL);
  GstHarness *harness = gst_harness_new_parse (line);

  if (caps)
    gst_harness_set_src_caps_str (harness, caps);
  return harness;
}

/* Protects all packets, those of the encodings in turn, as encoders make them. */
static void
world_start (World *world, const char *settings, gboolean one_encrypter)
{
  for (guint i = 0; i < N_ENCODINGS; i++) {
    world->encrypt[i] = i > 0 && one_encrypter ? world->encrypt[0]
        : start ("bravisencrypt", settings, RTP);
    world->closed[i] =
        g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  }
  world->decrypt = start ("bravisdecrypt", settings, NULL);
  gst_harness_set_src_caps (world->decrypt,
      gst_pad_get_current_caps (world->encrypt[0]->sinkpad));
  for (guint k = 0; k < N_PACKETS; k++)
    for (guint i = 0; i < N_ENCODINGS; i++) {
      GstBuffer *closed;

      gst_harness_push (world->encrypt[i], make_packet (i, k));
      closed = gst_harness_try_pull (world->encrypt[i]);
      g_assert_nonnull (closed);
      assert_rid (closed, i);
      g_ptr_array_add (world->closed[i], closed);
    }
}

static void
world_stop (World *world)
{
  for (guint i = 0; i < N_ENCODINGS; i++) {
    g_ptr_array_unref (world->closed[i]);
    if (i == 0 || world->encrypt[i] != world->encrypt[0])
      gst_harness_teardown (world->encrypt[i]);
  }
  gst_harness_teardown (world->decrypt);
}

static void
assert_opens (World *world, guint encoding, guint k)
{
  g_autoptr (GstBuffer) sent = make_packet (encoding, k), out = NULL;

  gst_harness_push (world->decrypt,
      gst_buffer_copy_deep (world->closed[encoding]->pdata[k]));
  out = gst_harness_try_pull (world->decrypt);
  g_assert_nonnull (out);
  g_assert_true (is_same (out, sent));
}

/* As the network keeps them: encodings in turn. */
static void
open_in_turn (World *world)
{
  for (guint k = 0; k < N_PACKETS; k++)
    for (guint i = 0; i < N_ENCODINGS; i++)
      assert_opens (world, i, k);
}

/* As who holds an encoding back does: all of one, then all of the next one. */
static void
open_one_after_the_other (World *world)
{
  for (guint i = 0; i < N_ENCODINGS; i++)
    for (guint k = 0; k < N_PACKETS; k++)
      assert_opens (world, i, k);
}

static void
assert_each_opens_once (World *world)
{
  for (guint i = 0; i < N_ENCODINGS; i++)
    for (guint k = 0; k < N_PACKETS; k++) {
      gst_harness_push (world->decrypt,
          gst_buffer_copy_deep (world->closed[i]->pdata[k]));
      g_assert_null (gst_harness_try_pull (world->decrypt));
    }
}

typedef struct {
  guint64 kid, counter;
} Nonce;

static guint
nonce_hash (gconstpointer nonce)
{
  const Nonce *a = nonce;

  return g_int64_hash (&a->kid) ^ g_int64_hash (&a->counter);
}

static gboolean
nonce_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Nonce)) == 0;
}

/* @data: from the SFrame header on. Each KID has a key of its own. */
static void
add_nonce (GHashTable *nonces, const guint8 *data, gsize size)
{
  BravisSFrameHeader header;
  Nonce nonce;

  g_assert_true (bravis_sframe_header_read (data, size, &header));
  nonce = (Nonce) { header.kid, header.counter };
  g_assert_true (g_hash_table_add (nonces, g_memdup2 (&nonce, sizeof nonce)));
}

static void
assert_no_nonce_twice (World *world)
{
  g_autoptr (GHashTable) nonces = g_hash_table_new_full (nonce_hash, nonce_equal,
      g_free, NULL);

  for (guint i = 0; i < N_ENCODINGS; i++)
    for (guint k = 0; k < N_PACKETS; k++) {
      GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

      gst_rtp_buffer_map (world->closed[i]->pdata[k], GST_MAP_READ, &rtp);
      add_nonce (nonces, gst_rtp_buffer_get_payload (&rtp),
          gst_rtp_buffer_get_payload_len (&rtp));
      gst_rtp_buffer_unmap (&rtp);
    }
}

static void
test_encodings_share_an_encrypter (void)
{
  World world;

  world_start (&world, "key=" KEY, TRUE);
  assert_no_nonce_twice (&world);
  open_in_turn (&world);
  assert_each_opens_once (&world);
  world_stop (&world);
}

static void
test_encoding_with_its_own_encrypter_may_be_held_back (void)
{
  World world;

  world_start (&world, "key=" KEY, FALSE);
  assert_no_nonce_twice (&world);
  open_one_after_the_other (&world);
  assert_each_opens_once (&world);
  world_stop (&world);
}

/* The SSRC is part of SRTP's nonce: the same text is closed differently. */
static void
assert_payloads_differ (World *world)
{
  for (guint k = 0; k < N_PACKETS; k++)
    for (guint i = 1; i < N_ENCODINGS; i++) {
      GstRTPBuffer a = GST_RTP_BUFFER_INIT, b = GST_RTP_BUFFER_INIT;

      gst_rtp_buffer_map (world->closed[i - 1]->pdata[k], GST_MAP_READ, &a);
      gst_rtp_buffer_map (world->closed[i]->pdata[k], GST_MAP_READ, &b);
      g_assert_cmpint (memcmp (gst_rtp_buffer_get_payload (&a),
              gst_rtp_buffer_get_payload (&b), sizeof TEXT), !=, 0);
      gst_rtp_buffer_unmap (&a);
      gst_rtp_buffer_unmap (&b);
    }
}

static void
test_encodings_in_srtp_may_be_held_back (void)
{
  World world;

  world_start (&world, "format=srtp key=" SRTP_KEY, TRUE);
  assert_payloads_differ (&world);
  open_one_after_the_other (&world);
  assert_each_opens_once (&world);
  world_stop (&world);
}

/* --- pipelines --- */

/* Until all is over, or "arrived", or an error. Nothing may be dropped meanwhile. */
static GstMessage *
run (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
              GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_APPLICATION
              | GST_MESSAGE_ERROR))
      && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT) {
    g_assert_false (gst_message_has_name (message, "bravis-drop"));
    gst_message_unref (message);
  }
  return message;
}

static GstElement *
parse (const char *line)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);

  g_assert_no_error (error);
  return pipeline;
}

static void
run_until (GstElement *pipeline, GstMessageType end)
{
  g_autoptr (GstMessage) message = run (pipeline);

  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, end);
}

static guint64
stat_of (GstElement *pipeline, const char *name, const char *field)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, field, &value));
  return value;
}

static void
watch (GstElement *pipeline, const char *name, const char *pad_name,
    GstPadProbeCallback callback, gpointer user_data)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, pad_name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_BUFFER_LIST, callback, user_data, NULL);
}

#define N_FRAMES 30
#define SOURCE(n) "videotestsrc pattern=snow num-buffers=" n \
    " ! video/x-raw,width=64,height=64 ! x264enc tune=zerolatency "

/* What came of each encoding; its SSRC is one more than the index. */
typedef struct {
  guint n[N_ENCODINGS];
  guint16 sequence[N_ENCODINGS];        /* of the last packet */
} Arrived;

static gboolean
have_all_arrived (const Arrived *arrived)
{
  for (guint i = 0; i < N_ENCODINGS; i++)
    if (arrived->n[i] < N_FRAMES)
      return FALSE;
  return TRUE;
}

/* None is missing in between. */
static gboolean
take_packet (GstBuffer **buffer, guint index, gpointer user_data)
{
  Arrived *arrived = user_data;
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  guint16 sequence;
  guint i;

  gst_rtp_buffer_map (*buffer, GST_MAP_READ, &rtp);
  i = gst_rtp_buffer_get_ssrc (&rtp) - 1;
  sequence = gst_rtp_buffer_get_seq (&rtp);
  gst_rtp_buffer_unmap (&rtp);
  g_assert_cmpuint (i, <, N_ENCODINGS);
  if (arrived->n[i] > 0)
    g_assert_cmpuint (sequence, ==, (guint16) (arrived->sequence[i] + 1));
  arrived->sequence[i] = sequence;
  arrived->n[i]++;
  return TRUE;
}

static GstPadProbeReturn
on_packets (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    gst_buffer_list_foreach (GST_PAD_PROBE_INFO_BUFFER_LIST (info), take_packet,
        user_data);
  else
    take_packet (&buffer, 0, user_data);
  if (have_all_arrived (user_data))
    gst_element_post_message (GST_ELEMENT (GST_PAD_PARENT (pad)),
        gst_message_new_application (NULL, gst_structure_new_empty ("arrived")));
  return GST_PAD_PROBE_OK;
}

/* rtpfunnel ends with the first of its encodings: so they have no end. */
static void
test_encodings_meet_in_rtpfunnel (void)
{
#define ENCODING(ssrc) SOURCE ("-1") "! rtph264pay ssrc=" ssrc \
    " ! bravisencrypt key=" KEY " ! funnel. "
  GstElement *pipeline = parse ("rtpfunnel name=funnel "
      "! bravisdecrypt name=decrypt key=" KEY " ! fakesink "
      ENCODING ("1") ENCODING ("2") ENCODING ("3"));
  Arrived arrived = { { 0, }, { 0, } };

  watch (pipeline, "decrypt", "src", on_packets, &arrived);
  run_until (pipeline, GST_MESSAGE_APPLICATION);
  g_assert_cmpuint (stat_of (pipeline, "decrypt", "dropped"), ==, 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* Branches run in threads of their own. */
typedef struct {
  GMutex lock;
  GHashTable *nonces;
  GPtrArray *kept[N_ENCODINGS]; /* of GstBuffer */
} Branches;

static void
branches_init (Branches *branches)
{
  *branches = (Branches) {
    .nonces = g_hash_table_new_full (nonce_hash, nonce_equal, g_free, NULL)
  };
  g_mutex_init (&branches->lock);
  for (guint i = 0; i < N_ENCODINGS; i++)
    branches->kept[i] =
        g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
}

static void
branches_clear (Branches *branches)
{
  g_mutex_clear (&branches->lock);
  g_hash_table_unref (branches->nonces);
  for (guint i = 0; i < N_ENCODINGS; i++)
    g_ptr_array_unref (branches->kept[i]);
}

static GstPadProbeReturn
on_closed_frame (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Branches *branches = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&branches->lock);
  GstMapInfo map;

  gst_buffer_map (GST_PAD_PROBE_INFO_BUFFER (info), &map, GST_MAP_READ);
  add_nonce (branches->nonces, map.data, map.size);
  gst_buffer_unmap (GST_PAD_PROBE_INFO_BUFFER (info), &map);
  return GST_PAD_PROBE_OK;
}

static gboolean
keep (GstBuffer **buffer, guint index, gpointer kept)
{
  g_ptr_array_add (kept, gst_buffer_copy_deep (*buffer));
  return TRUE;
}

static GstPadProbeReturn
on_buffers (GstPad *pad, GstPadProbeInfo *info, gpointer kept)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    gst_buffer_list_foreach (GST_PAD_PROBE_INFO_BUFFER_LIST (info), keep, kept);
  else
    keep (&buffer, 0, kept);
  return GST_PAD_PROBE_OK;
}

static void
assert_same_buffers (GPtrArray *a, GPtrArray *b)
{
  g_assert_cmpuint (a->len, ==, b->len);
  for (guint i = 0; i < a->len; i++)
    g_assert_true (is_same (a->pdata[i], b->pdata[i]));
}

/* One source, closed in two ways and opened again. */
static void
test_tee_gives_each_branch_its_own_protection (void)
{
  GstElement *pipeline = parse (SOURCE ("30") "! tee name=tee "
      "tee. ! queue ! bravisencrypt name=e1 key=" KEY
      " ! bravisdecrypt name=d1 key=" KEY " ! fakesink async=false "
      "tee. ! queue ! bravisencrypt name=e2 cipher=chacha20-poly1305 key=" OTHER_KEY
      " ! bravisdecrypt name=d2 cipher=chacha20-poly1305 key=" OTHER_KEY
      " ! fakesink async=false");
  Branches branches;

  branches_init (&branches);
  watch (pipeline, "tee", "sink", on_buffers, branches.kept[0]);
  watch (pipeline, "d1", "src", on_buffers, branches.kept[1]);
  watch (pipeline, "d2", "src", on_buffers, branches.kept[2]);
  run_until (pipeline, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (branches.kept[0]->len, ==, N_FRAMES);
  assert_same_buffers (branches.kept[0], branches.kept[1]);
  assert_same_buffers (branches.kept[0], branches.kept[2]);
  gst_object_unref (pipeline);
  branches_clear (&branches);
}

/* One static key in two elements: each draws a key identifier, and so a key. */
static void
test_tee_with_one_key_uses_no_nonce_twice (void)
{
  GstElement *pipeline = parse (SOURCE ("30") "! tee name=tee "
      "tee. ! queue ! bravisencrypt name=e1 key=" KEY " ! fakesink async=false "
      "tee. ! queue ! bravisencrypt name=e2 key=" KEY " ! fakesink async=false");
  Branches branches;

  branches_init (&branches);
  watch (pipeline, "e1", "src", on_closed_frame, &branches);
  watch (pipeline, "e2", "src", on_closed_frame, &branches);
  run_until (pipeline, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (g_hash_table_size (branches.nonces), ==, 2 * N_FRAMES);
  gst_object_unref (pipeline);
  branches_clear (&branches);
}

/* Where the key identifier is given too, only one of the two may send. */
static void
test_tee_with_one_key_and_kid_is_refused (void)
{
  GstElement *pipeline = parse (SOURCE ("30") "! tee name=tee "
      "tee. ! queue ! bravisencrypt name=e1 kid=7 key=" KEY
      " ! fakesink async=false "
      "tee. ! queue ! bravisencrypt name=e2 kid=7 key=" KEY
      " ! fakesink async=false");
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;
  Branches branches;

  branches_init (&branches);
  watch (pipeline, "e1", "src", on_closed_frame, &branches);
  watch (pipeline, "e2", "src", on_closed_frame, &branches);
  message = run (pipeline);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "same key and kid"));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  branches_clear (&branches);
}

/* SRTP's nonce is of the packet: key, SSRC and index. It comes twice here, but for the
 * same octets, so the second packet says nothing that the first did not. */
static void
test_tee_into_srtp_gives_the_same_octets (void)
{
  GstElement *pipeline = parse (SOURCE ("30") "! rtph264pay ! tee name=tee "
      "tee. ! queue ! bravisencrypt name=e1 format=srtp key=" SRTP_KEY
      " ! fakesink async=false "
      "tee. ! queue ! bravisencrypt name=e2 format=srtp key=" SRTP_KEY
      " ! fakesink async=false");
  Branches branches;

  branches_init (&branches);
  watch (pipeline, "e1", "src", on_buffers, branches.kept[0]);
  watch (pipeline, "e2", "src", on_buffers, branches.kept[1]);
  run_until (pipeline, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (branches.kept[0]->len, >=, N_FRAMES);
  assert_same_buffers (branches.kept[0], branches.kept[1]);
  gst_object_unref (pipeline);
  branches_clear (&branches);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gst/simulcast/" #name, test_##name)
  ADD (encodings_share_an_encrypter);
  ADD (encoding_with_its_own_encrypter_may_be_held_back);
  ADD (encodings_in_srtp_may_be_held_back);
  ADD (encodings_meet_in_rtpfunnel);
  ADD (tee_gives_each_branch_its_own_protection);
  ADD (tee_with_one_key_uses_no_nonce_twice);
  ADD (tee_with_one_key_and_kid_is_refused);
  ADD (tee_into_srtp_gives_the_same_octets);
#undef ADD
  return g_test_run ();
}
