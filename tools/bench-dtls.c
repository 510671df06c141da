#include "bench-dtls.h"

#include <gio/gio.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <time.h>

#define BATCH 64                /* buffers */
#define MAX_BUFFERS 20000
#define PATIENCE (10 * G_TIME_SPAN_SECOND)      /* for what takes milliseconds */
#define CONNECTED 4             /* GstDtlsConnectionState, which has no header */

/* RFC 6347 §4.1 and §4.2.2, RFC 5246 §7.4.1.3. */
#define RECORD_HEADER 13
#define HANDSHAKE 22
#define HANDSHAKE_HEADER 12
#define SERVER_HELLO 2
#define BEFORE_SESSION_ID 34    /* version, random */

/* An element whose output is taken off its way by a probe. */
typedef struct {
  GstElement *element;
  GstPad *sink, *src;           /* its */
  gboolean open;                /* not yet: what comes out goes on */
  gboolean has_thread;          /* that pushes what comes out */
  GMutex lock;
  GCond arrived;
  guint wanted;                 /* so many are waited for */
  GPtrArray *taken;             /* of GstBuffer */
} Tap;

struct _BenchDtls {
  Tap encrypt, decrypt;         /* here, there */
  GstElement *answer, *hear;    /* there and here: the way back, for the handshake */
  Tap queue;                    /* in the encrypter's place */
  GMutex lock;
  GCond changed;                /* the state of an end */
  const char *cipher;
};

static gboolean
fail (GError **error, const char *why)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "DTLS: %s", why);
  return FALSE;
}

/* --- taps --- */

static GPtrArray *
new_buffers (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
}

static GstPadProbeReturn
take (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Tap *tap = user_data;

  if (!g_atomic_int_get (&tap->open))
    return GST_PAD_PROBE_OK;
  g_mutex_lock (&tap->lock);
  g_ptr_array_add (tap->taken, GST_PAD_PROBE_INFO_BUFFER (info));
  if (tap->taken->len == tap->wanted)
    g_cond_signal (&tap->arrived);
  g_mutex_unlock (&tap->lock);
  return GST_PAD_PROBE_HANDLED;
}

static GstPad *
get_pad (GstElement *element, const char *name)
{
  GstPad *pad = gst_element_get_static_pad (element, name);

  return pad ? pad : gst_element_request_pad_simple (element, name);
}

/* Takes @element. */
static void
tap_init (Tap *tap, GstElement *element, gboolean open)
{
  tap->element = gst_object_ref_sink (element);
  tap->sink = get_pad (element, "sink");
  tap->src = get_pad (element, "src");
  tap->open = open;
  tap->taken = new_buffers ();
  g_mutex_init (&tap->lock);
  g_cond_init (&tap->arrived);
  gst_pad_add_probe (tap->src, GST_PAD_PROBE_TYPE_BUFFER, take, tap, NULL);
}

static void
tap_start (Tap *tap, const char *media_type)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (media_type);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_element_set_state (tap->element, GST_STATE_PLAYING);
  gst_pad_send_event (tap->sink, gst_event_new_stream_start ("bench"));
  gst_pad_send_event (tap->sink, gst_event_new_caps (caps));
  gst_pad_send_event (tap->sink, gst_event_new_segment (&segment));
}

static void
stop_element (GstElement **element)
{
  if (*element)
    gst_element_set_state (*element, GST_STATE_NULL);
  gst_clear_object (element);
}

static void
tap_clear (Tap *tap)
{
  if (!tap->element)
    return;
  stop_element (&tap->element);
  gst_object_unref (tap->sink);
  gst_object_unref (tap->src);
  g_ptr_array_unref (tap->taken);
  g_mutex_clear (&tap->lock);
  g_cond_clear (&tap->arrived);
}

static double
get_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

static gboolean
push (Tap *tap, GPtrArray *buffers, GError **error)
{
  g_ptr_array_set_free_func (buffers, NULL);
  for (guint i = 0; i < buffers->len; i++)
    if (gst_pad_chain (tap->sink, buffers->pdata[i]) != GST_FLOW_OK)
      return fail (error, "data were not taken");
  return TRUE;
}

/* A thread of the element's is held in take () meanwhile: it would else go to sleep and
 * be woken for some buffers and not for others, which costs more than all that is to be
 * measured. */
static gboolean
push_and_await (Tap *tap, GPtrArray *buffers, GError **error)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;
  gboolean good;

  tap->wanted = buffers->len;
  if (!tap->has_thread)
    return push (tap, buffers, error) && (tap->taken->len == tap->wanted
        || fail (error, "less came out than went in"));
  g_mutex_lock (&tap->lock);
  good = push (tap, buffers, error);
  while (good && tap->taken->len < tap->wanted)
    good = g_cond_wait_until (&tap->arrived, &tap->lock, end)
        || fail (error, "less came out than went in");
  g_mutex_unlock (&tap->lock);
  return good;
}

/* Pushes @buffers, which are taken, and returns what comes out, when all have. Adds the
 * process's time to @ns. */
static GPtrArray *
tap_push (Tap *tap, GPtrArray *buffers, double *ns, GError **error)
{
  g_autoptr (GPtrArray) in = buffers;
  GPtrArray *out;
  double began = get_time ();

  if (!push_and_await (tap, in, error))
    return NULL;
  *ns += get_time () - began;
  out = g_steal_pointer (&tap->taken);
  tap->taken = new_buffers ();
  return out;
}

/* --- two ends that know each other --- */

static const char *
find_cipher (const guint8 number[2])
{
  gnutls_cipher_algorithm_t cipher;
  guint8 id[2];

  for (gsize i = 0; gnutls_cipher_suite_info (i, id, NULL, &cipher, NULL, NULL); i++)
    if (memcmp (id, number, sizeof id) == 0) {
      g_autofree char *name = g_ascii_strdown (gnutls_cipher_get_name (cipher), -1);

      return g_intern_string (name);
    }
  return NULL;
}

/* The cipher of the ServerHello that @data, a record, begins with; NULL: it is none. */
static const char *
read_server_hello (const guint8 *data, gsize size)
{
  const gsize id = RECORD_HEADER + HANDSHAKE_HEADER + BEFORE_SESSION_ID;

  if (size <= id || data[0] != HANDSHAKE || data[RECORD_HEADER] != SERVER_HELLO
      || size < id + 1 + data[id] + 2)
    return NULL;
  return find_cipher (data + id + 1 + data[id]);
}

static GstPadProbeReturn
on_answer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  BenchDtls *dtls = user_data;
  GstMapInfo map;

  gst_buffer_map (GST_PAD_PROBE_INFO_BUFFER (info), &map, GST_MAP_READ);
  if (!dtls->cipher)
    dtls->cipher = read_server_hello (map.data, map.size);
  gst_buffer_unmap (GST_PAD_PROBE_INFO_BUFFER (info), &map);
  return GST_PAD_PROBE_OK;
}

static void
on_state (GObject *end, GParamSpec *pspec, gpointer user_data)
{
  BenchDtls *dtls = user_data;

  g_mutex_lock (&dtls->lock);
  g_cond_signal (&dtls->changed);
  g_mutex_unlock (&dtls->lock);
}

static gboolean
is_connected (GstElement *end)
{
  int state;

  g_object_get (end, "connection-state", &state, NULL);
  return state == CONNECTED;
}

static GstElement *
make_end (BenchDtls *dtls, const char *element, const char *place)
{
  GstElement *end = gst_element_factory_make (element, NULL);
  g_autofree char *id = g_strdup_printf ("bench-%p-%s", dtls, place);

  if (end)
    g_object_set (end, "connection-id", id, NULL);
  return end;
}

static gboolean
shake_hands (BenchDtls *dtls, GError **error)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;
  gboolean good = TRUE;

  g_mutex_lock (&dtls->lock);
  while (good && !(is_connected (dtls->encrypt.element)
          && is_connected (dtls->answer)))
    good = g_cond_wait_until (&dtls->changed, &dtls->lock, end);
  g_mutex_unlock (&dtls->lock);
  return (good && dtls->cipher) || fail (error, "the ends did not agree upon keys");
}

/* A decrypter makes the connection of its end, so it comes before the encrypter. */
static void
make_ends (BenchDtls *dtls)
{
  GstElement *encrypt;

  tap_init (&dtls->decrypt, make_end (dtls, "dtlsdec", "there"), TRUE);
  dtls->hear = gst_object_ref_sink (make_end (dtls, "dtlsdec", "here"));
  dtls->answer = gst_object_ref_sink (make_end (dtls, "dtlsenc", "there"));
  encrypt = make_end (dtls, "dtlsenc", "here");
  g_object_set (encrypt, "is-client", TRUE, NULL);
  tap_init (&dtls->encrypt, encrypt, FALSE);
  tap_init (&dtls->queue, gst_parse_launch ("queue max-size-buffers=0 "
          "max-size-bytes=0 max-size-time=0", NULL), TRUE);
  dtls->encrypt.has_thread = dtls->queue.has_thread = TRUE;
  gst_element_link (encrypt, dtls->decrypt.element);
  gst_element_link (dtls->answer, dtls->hear);
}

static void
watch_ends (BenchDtls *dtls)
{
  g_autoptr (GstPad) answers = gst_element_get_static_pad (dtls->answer, "src");

  gst_pad_add_probe (answers, GST_PAD_PROBE_TYPE_BUFFER, on_answer, dtls, NULL);
  g_signal_connect (dtls->answer, "notify::connection-state",
      G_CALLBACK (on_state), dtls);
  g_signal_connect (dtls->encrypt.element, "notify::connection-state",
      G_CALLBACK (on_state), dtls);
}

BenchDtls *
bench_dtls_new (GError **error)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find ("dtlsenc");
  g_autoptr (BenchDtls) dtls = NULL;

  if (!factory) {
    fail (error, "there is no dtlsenc");
    return NULL;
  }
  dtls = g_new0 (BenchDtls, 1);
  g_mutex_init (&dtls->lock);
  g_cond_init (&dtls->changed);
  make_ends (dtls);
  watch_ends (dtls);
  tap_start (&dtls->queue, "video/x-h264");
  tap_start (&dtls->decrypt, "application/x-dtls");
  gst_element_set_state (dtls->hear, GST_STATE_PLAYING);
  gst_element_set_state (dtls->answer, GST_STATE_PLAYING);
  tap_start (&dtls->encrypt, "video/x-h264");
  if (!shake_hands (dtls, error))
    return NULL;
  g_atomic_int_set (&dtls->encrypt.open, TRUE);
  return g_steal_pointer (&dtls);
}

void
bench_dtls_free (BenchDtls *dtls)
{
  tap_clear (&dtls->encrypt);
  stop_element (&dtls->answer);
  stop_element (&dtls->hear);
  tap_clear (&dtls->decrypt);
  tap_clear (&dtls->queue);
  g_mutex_clear (&dtls->lock);
  g_cond_clear (&dtls->changed);
  g_free (dtls);
}

const char *
bench_dtls_get_cipher (const BenchDtls *dtls)
{
  return dtls->cipher;
}

/* --- measuring --- */

enum { ENCRYPT, QUEUE, DECRYPT, N_TIMES };

static gboolean
measure_batch (BenchDtls *dtls, const BenchLoad *load, guint from,
    double ns[N_TIMES], GError **error)
{
  g_autoptr (GPtrArray) queued = tap_push (&dtls->queue, bench_load_make (load,
          BENCH_FRAMES, BENCH_ROOM, from, BATCH), &ns[QUEUE], error);
  GPtrArray *closed = queued ? tap_push (&dtls->encrypt, bench_load_make (load,
          BENCH_FRAMES, BENCH_ROOM, from, BATCH), &ns[ENCRYPT], error) : NULL;
  g_autoptr (GPtrArray) opened = closed ? tap_push (&dtls->decrypt, closed,
      &ns[DECRYPT], error) : NULL;

  if (opened && gst_buffer_get_size (opened->pdata[0])
      != bench_load_get_size (load, BENCH_FRAMES))
    return fail (error, "what came out is not what went in");
  return opened != NULL;
}

gboolean
bench_dtls_measure (BenchDtls *dtls, const BenchLoad *load, gsize total,
    double *encrypt_ns, double *decrypt_ns, GError **error)
{
  guint n = CLAMP (total / bench_load_get_size (load, BENCH_FRAMES), BATCH,
      MAX_BUFFERS) / BATCH * BATCH;
  double ns[N_TIMES] = { 0, };

  if (!measure_batch (dtls, load, 0, ns, error))
    return FALSE;
  memset (ns, 0, sizeof ns);    /* that was to warm up */
  for (guint i = 0; i < n; i += BATCH)
    if (!measure_batch (dtls, load, BATCH + i, ns, error))
      return FALSE;
  *encrypt_ns = (ns[ENCRYPT] - ns[QUEUE]) / n;
  *decrypt_ns = ns[DECRYPT] / n;
  return TRUE;
}
