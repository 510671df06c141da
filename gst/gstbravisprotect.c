#include "gstbravisprotect.h"

#include "../keymgmt/bravis-error.h"
#include "../keymgmt/bravis-session-media.h"

GST_DEBUG_CATEGORY_STATIC (bravis_protect_debug);
#define GST_CAT_DEFAULT bravis_protect_debug

/* Messages about drops of one reason come at most this often. */
#define REPORT_INTERVAL G_TIME_SPAN_SECOND

typedef struct {
  GstPad *sinkpad;
  GstPad *srcpad;
  GstBravisSettings settings;   /* as set; under the object lock */
  GstBravisSettings active;     /* as they were when streaming began */
  BravisSession *session;       /* held from READY on */
  gboolean configured;          /* caps came and were good */

  /* What was picked: read by any thread. */
  const char *format, *cipher, *provider;

  /* Written by the streaming thread alone, read by any: relaxed atomics. */
  guint64 frames;
  guint64 bytes;
  guint64 drops[BRAVIS_N_DROPS];
  gint64 reported[BRAVIS_N_DROPS];      /* when; monotonic, 0: never */
} GstBravisProtectPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstBravisProtect, gst_bravis_protect,
    GST_TYPE_ELEMENT)

#define PRIVATE(self) \
    ((GstBravisProtectPrivate *) gst_bravis_protect_get_instance_private (self))

static void
add (guint64 *counter, guint64 n)
{
  __atomic_store_n (counter,
      __atomic_load_n (counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static guint64
look (guint64 *counter)
{
  return __atomic_load_n (counter, __ATOMIC_RELAXED);
}

/* What was picked */

static void
set_pick (GstStructure *structure, GstBravisProtectPrivate *priv)
{
  const char *format = g_atomic_pointer_get (&priv->format);
  const char *cipher = g_atomic_pointer_get (&priv->cipher);
  const char *provider = g_atomic_pointer_get (&priv->provider);

  if (format && cipher)
    gst_structure_set (structure, "format", G_TYPE_STRING, format,
        "cipher", G_TYPE_STRING, cipher, NULL);
  if (cipher && provider)
    gst_structure_set (structure, "provider", G_TYPE_STRING, provider, NULL);
}

void
gst_bravis_protect_note_pick (GstBravisProtect *self, const char *format,
    const char *cipher, const char *provider)
{
  GstBravisProtectPrivate *priv = PRIVATE (self);
  gboolean same = g_strcmp0 (format, priv->format) == 0
      && g_strcmp0 (cipher, priv->cipher) == 0
      && g_strcmp0 (provider, priv->provider) == 0;
  GstStructure *structure;

  g_atomic_pointer_set (&priv->format, format);
  g_atomic_pointer_set (&priv->cipher, cipher);
  g_atomic_pointer_set (&priv->provider, provider);
  if (same || !cipher)
    return;
  GST_INFO_OBJECT (self, "%s with %s%s%s", format, cipher,
      provider ? " by " : "", provider ? provider : "");
  structure = gst_structure_new_empty ("bravis-picked");
  set_pick (structure, priv);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), structure));
}

/* Drops */

static void
report_drop (GstBravisProtect *self, BravisDrop reason, guint64 kid)
{
  GstBravisProtectPrivate *priv = PRIVATE (self);
  GstBravisProtectClass *klass = GST_BRAVIS_PROTECT_GET_CLASS (self);
  gint64 now = g_get_monotonic_time ();
  g_autofree char *member = NULL;
  GstStructure *structure;

  if (priv->reported[reason]
      && now - priv->reported[reason] < REPORT_INTERVAL)
    return;
  if (reason == BRAVIS_DROP_FORGED && priv->reported[reason] == 0
      && priv->frames == 0)
    GST_ELEMENT_WARNING (self, STREAM, DECRYPT,
        ("Nothing could be opened so far: the key may be the wrong one."),
        (NULL));
  priv->reported[reason] = now;
  member = klass->dup_sender_name (self, kid);
  structure = gst_structure_new ("bravis-drop",
      "reason", G_TYPE_STRING, bravis_drop_to_string (reason),
      "count", G_TYPE_UINT64, look (&priv->drops[reason]),
      "kid", G_TYPE_UINT64, kid, NULL);
  if (member)
    gst_structure_set (structure, "member", G_TYPE_STRING, member, NULL);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), structure));
}

/* TRUE: *@buffer is to be pushed. FALSE: it was dropped, and is gone. */
static gboolean
process (GstBravisProtect *self, GstBuffer **buffer)
{
  GstBravisProtectPrivate *priv = PRIVATE (self);
  BravisDrop drop;
  guint64 kid = 0;

  drop = GST_BRAVIS_PROTECT_GET_CLASS (self)->process (self, buffer, &kid);
  if (drop == BRAVIS_DROP_NONE) {
    add (&priv->frames, 1);
    add (&priv->bytes, gst_buffer_get_size (*buffer));
    return TRUE;
  }
  add (&priv->drops[drop], 1);
  GST_LOG_OBJECT (self, "dropped: %s", bravis_drop_to_string (drop));
  report_drop (self, drop, kid);
  gst_clear_buffer (buffer);
  return FALSE;
}

static GstFlowReturn
not_configured (GstBravisProtect *self)
{
  GST_ELEMENT_ERROR (self, CORE, NEGOTIATION,
      ("No caps came before the data."), (NULL));
  return GST_FLOW_NOT_NEGOTIATED;
}

static GstFlowReturn
chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstBravisProtect *self = GST_BRAVIS_PROTECT (parent);

  if (!PRIVATE (self)->configured) {
    gst_buffer_unref (buffer);
    return not_configured (self);
  }
  if (!process (self, &buffer))
    return GST_FLOW_OK;
  return gst_pad_push (PRIVATE (self)->srcpad, buffer);
}

static gboolean
process_of_list (GstBuffer **buffer, guint index, gpointer user_data)
{
  process (user_data, buffer);
  return TRUE;
}

static GstFlowReturn
chain_list (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  GstBravisProtect *self = GST_BRAVIS_PROTECT (parent);

  if (!PRIVATE (self)->configured) {
    gst_buffer_list_unref (list);
    return not_configured (self);
  }
  list = gst_buffer_list_make_writable (list);
  gst_buffer_list_foreach (list, process_of_list, self);
  if (gst_buffer_list_length (list) == 0) {
    gst_buffer_list_unref (list);
    return GST_FLOW_OK;
  }
  return gst_pad_push_list (PRIVATE (self)->srcpad, list);
}

/* Caps and queries */

static gboolean
sink_caps_event (GstBravisProtect *self, GstEvent *event)
{
  GstBravisProtectPrivate *priv = PRIVATE (self);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstCaps) out = NULL;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  out = GST_BRAVIS_PROTECT_GET_CLASS (self)->set_caps (self, caps, &error);
  gst_event_unref (event);
  priv->configured = out != NULL;
  if (out == NULL) {
    GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE, ("%s", error->message),
        (NULL));
    return FALSE;
  }
  return gst_pad_push_event (priv->srcpad, gst_event_new_caps (out));
}

static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS)
    return sink_caps_event (GST_BRAVIS_PROTECT (parent), event);
  return gst_pad_event_default (pad, parent, event);
}

/* What @pad may have: what its template says, as far as the other side's peer
 * goes along with it. */
static gboolean
caps_query (GstBravisProtect *self, GstPad *pad, GstQuery *query)
{
  GstBravisProtectPrivate *priv = PRIVATE (self);
  GstBravisProtectClass *klass = GST_BRAVIS_PROTECT_GET_CLASS (self);
  gboolean sink = pad == priv->sinkpad;
  g_autoptr (GstCaps) other = gst_pad_peer_query_caps
      (sink ? priv->srcpad : priv->sinkpad, NULL);
  g_autoptr (GstCaps) mapped = sink
      ? klass->to_sink_caps (self, other) : klass->to_src_caps (self, other);
  g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (pad);
  g_autoptr (GstCaps) result = NULL;
  GstCaps *filter;

  result = gst_caps_intersect_full (mapped, template,
      GST_CAPS_INTERSECT_FIRST);
  gst_query_parse_caps (query, &filter);
  if (filter) {
    g_autoptr (GstCaps) all = g_steal_pointer (&result);

    result = gst_caps_intersect_full (filter, all, GST_CAPS_INTERSECT_FIRST);
  }
  gst_query_set_caps_result (query, result);
  return TRUE;
}

/* Buffers with room on both sides are protected where they are. */
static gboolean
allocation_query (GstQuery *query)
{
  GstAllocationParams params;

  gst_allocation_params_init (&params);
  params.prefix = 32;
  params.padding = 32;
  gst_query_add_allocation_param (query, NULL, &params);
  return TRUE;
}

static gboolean
pad_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstBravisProtect *self = GST_BRAVIS_PROTECT (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS)
    return caps_query (self, pad, query);
  if (GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION
      && pad == PRIVATE (self)->sinkpad)
    return allocation_query (query);
  return gst_pad_query_default (pad, parent, query);
}

/* States */

/* The session they say, held. It is looked for again if its last user releases it
 * in between. */
static BravisSession *
hold_session (const GstBravisSettings *settings, GError **error)
{
  g_autoptr (BravisSession) session = NULL;

  if (settings->session_object) {
    if (bravis_session_hold (settings->session_object))
      return g_object_ref (settings->session_object);
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "the session of session-object is over");
    return NULL;
  }
  do {
    g_clear_object (&session);
    session = bravis_session_get (settings->session, settings->config, error);
  } while (session && !bravis_session_hold (session));
  return g_steal_pointer (&session);
}

static gboolean
open_session (GstBravisProtect *self, GError **error)
{
  GstBravisProtectPrivate *priv = PRIVATE (self);
  g_auto (GstBravisSettings) settings = { 0 };

  GST_OBJECT_LOCK (self);
  gst_bravis_settings_copy (&priv->settings, &settings);
  GST_OBJECT_UNLOCK (self);
  if (!gst_bravis_settings_check (&settings, error))
    return FALSE;
  if (!gst_bravis_settings_want_session (&settings))
    return TRUE;
  priv->session = hold_session (&settings, error);
  return priv->session != NULL;
}

static void
close_session (GstBravisProtect *self)
{
  g_autoptr (BravisSession) session =
      g_steal_pointer (&PRIVATE (self)->session);

  if (session)
    bravis_session_release (session);
}

static gboolean
start (GstBravisProtect *self, GError **error)
{
  GstBravisProtectPrivate *priv = PRIVATE (self);
  guint i;

  gst_bravis_settings_clear (&priv->active);
  GST_OBJECT_LOCK (self);
  gst_bravis_settings_copy (&priv->settings, &priv->active);
  GST_OBJECT_UNLOCK (self);
  if (!gst_bravis_settings_check (&priv->active, error))
    return FALSE;
  priv->configured = FALSE;
  gst_bravis_protect_note_pick (self, NULL, NULL, NULL);
  __atomic_store_n (&priv->frames, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&priv->bytes, 0, __ATOMIC_RELAXED);
  for (i = 0; i < BRAVIS_N_DROPS; i++) {
    __atomic_store_n (&priv->drops[i], 0, __ATOMIC_RELAXED);
    priv->reported[i] = 0;
  }
  return TRUE;
}

static GstStateChangeReturn
fail (GstBravisProtect *self, const GError *error)
{
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", error->message), (NULL));
  return GST_STATE_CHANGE_FAILURE;
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstBravisProtect *self = GST_BRAVIS_PROTECT (element);
  g_autoptr (GError) error = NULL;
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY
      && !open_session (self, &error))
    return fail (self, error);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self, &error))
    return fail (self, error);
  result = GST_ELEMENT_CLASS (gst_bravis_protect_parent_class)->change_state
      (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    GST_BRAVIS_PROTECT_GET_CLASS (self)->stop (self);
    PRIVATE (self)->configured = FALSE;
  }
  if (transition == GST_STATE_CHANGE_READY_TO_NULL
      || (transition == GST_STATE_CHANGE_NULL_TO_READY
          && result == GST_STATE_CHANGE_FAILURE))
    close_session (self);
  return result;
}

/* Properties */

static GstStructure *
make_stats (GstBravisProtect *self)
{
  GstBravisProtectPrivate *priv = PRIVATE (self);
  guint64 dropped = 0;
  GstStructure *stats;
  guint i;

  stats = gst_structure_new ("application/x-bravis-stats",
      "frames", G_TYPE_UINT64, look (&priv->frames),
      "bytes", G_TYPE_UINT64, look (&priv->bytes), NULL);
  for (i = BRAVIS_DROP_NONE + 1; i < BRAVIS_N_DROPS; i++) {
    gst_structure_set (stats, bravis_drop_to_string (i), G_TYPE_UINT64,
        look (&priv->drops[i]), NULL);
    dropped += look (&priv->drops[i]);
  }
  gst_structure_set (stats, "dropped", G_TYPE_UINT64, dropped, NULL);
  set_pick (stats, PRIVATE (self));
  return stats;
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstBravisProtect *self = GST_BRAVIS_PROTECT (object);
  gboolean known;

  GST_OBJECT_LOCK (self);
  known = gst_bravis_settings_set (&PRIVATE (self)->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstBravisProtect *self = GST_BRAVIS_PROTECT (object);
  gboolean known;

  if (id == GST_BRAVIS_PROP_STATS) {
    g_value_take_boxed (value, make_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  known = gst_bravis_settings_get (&PRIVATE (self)->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

const GstBravisSettings *
gst_bravis_protect_get_settings (GstBravisProtect *self)
{
  return &PRIVATE (self)->active;
}

GstBravisFormat
gst_bravis_protect_get_format (GstBravisProtect *self)
{
  GstBravisFormat format;

  GST_OBJECT_LOCK (self);
  format = PRIVATE (self)->settings.format;
  GST_OBJECT_UNLOCK (self);
  return format;
}

BravisSession *
gst_bravis_protect_get_session (GstBravisProtect *self)
{
  return PRIVATE (self)->session;
}

static void
finalize (GObject *object)
{
  GstBravisProtectPrivate *priv = PRIVATE (GST_BRAVIS_PROTECT (object));

  gst_bravis_settings_clear (&priv->settings);
  gst_bravis_settings_clear (&priv->active);
  G_OBJECT_CLASS (gst_bravis_protect_parent_class)->finalize (object);
}

static GstPad *
add_pad (GstBravisProtect *self, const char *name)
{
  GstElement *element = GST_ELEMENT (self);
  GstPadTemplate *template = gst_element_class_get_pad_template
      (GST_ELEMENT_GET_CLASS (self), name);
  GstPad *pad = gst_pad_new_from_template (template, name);

  gst_pad_set_query_function (pad, pad_query);
  gst_element_add_pad (element, pad);
  return pad;
}

/* The pads need the templates, which are the subclass's: so not in init (). */
static void
constructed (GObject *object)
{
  GstBravisProtect *self = GST_BRAVIS_PROTECT (object);
  GstBravisProtectPrivate *priv = PRIVATE (self);

  G_OBJECT_CLASS (gst_bravis_protect_parent_class)->constructed (object);
  priv->srcpad = add_pad (self, "src");
  priv->sinkpad = add_pad (self, "sink");
  /* Caps that are wrong are refused when they come, and then it is said why. */
  GST_PAD_SET_ACCEPT_TEMPLATE (priv->sinkpad);
  gst_pad_set_event_function (priv->sinkpad, sink_event);
  gst_pad_set_chain_function (priv->sinkpad, chain);
  gst_pad_set_chain_list_function (priv->sinkpad, chain_list);
}

static void
gst_bravis_protect_init (GstBravisProtect *self)
{
  gst_bravis_settings_init (&PRIVATE (self)->settings);
  gst_bravis_settings_init (&PRIVATE (self)->active);
}

static void
gst_bravis_protect_class_init (GstBravisProtectClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = constructed;
  object_class->finalize = finalize;
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  GST_ELEMENT_CLASS (klass)->change_state = change_state;
  gst_bravis_settings_install (object_class);
  g_object_class_install_property (object_class, GST_BRAVIS_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Frames and bytes passed on, and what was dropped, by reason",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  GST_DEBUG_CATEGORY_INIT (bravis_protect_debug, "bravisprotect", 0,
      "What bravisencrypt and bravisdecrypt have in common");
  gst_type_mark_as_plugin_api (GST_TYPE_BRAVIS_PROTECT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_BRAVIS_FORMAT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_BRAVIS_CIPHER, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_BRAVIS_MEDIA, 0);
}
