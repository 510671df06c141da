#include "bravis-session-media.h"

#include "bravis-session-private.h"
#include "bravis-session-registry.h"

#include <string.h>

#include <gio/gio.h>

static void initable_iface_init (GInitableIface *iface);

/**
 * BravisSession:
 *
 * One peer of one conference.
 *
 * A session is made from a configuration file, which names the peer's
 * certificate and key, whom it trusts, the conference, where to listen, and
 * whom to invite. It joins or starts the conference, keeps everybody agreed on
 * who is in, and changes the keys whenever that changes. Elements of any
 * pipeline in the process find it by its name or by its file and protect media
 * with its keys.
 *
 * To give the properties #BravisSession:exposure and #BravisSession:grace, make
 * it with g_initable_new().
 */
G_DEFINE_FINAL_TYPE_WITH_CODE (BravisSession, bravis_session, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_iface_init))

GType
bravis_leave_reason_get_type (void)
{
  static const GEnumValue values[] = {
    { BRAVIS_LEAVE_LEFT, "BRAVIS_LEAVE_LEFT", "left" },
    { BRAVIS_LEAVE_FAILED, "BRAVIS_LEAVE_FAILED", "failed" },
    { BRAVIS_LEAVE_PUT_OUT, "BRAVIS_LEAVE_PUT_OUT", "put-out" },
    { 0, NULL, NULL },
  };
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("BravisLeaveReason", values));
  return type;
}

GType
bravis_quality_get_type (void)
{
  static const GEnumValue values[] = {
    { BRAVIS_QUALITY_AGREED, "BRAVIS_QUALITY_AGREED", "agreed" },
    { BRAVIS_QUALITY_SAFE, "BRAVIS_QUALITY_SAFE", "safe" },
    { 0, NULL, NULL },
  };
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("BravisQuality", values));
  return type;
}

/* --- what happened, in the session's thread --- */

/* NULL: none any more. */
static void
set_view (BravisSession *session, BravisView *view)
{
  g_mutex_lock (&session->lock);
  g_clear_pointer (&session->view, bravis_view_unref);
  session->view = view ? bravis_view_ref (view) : NULL;
  g_mutex_unlock (&session->lock);
  bravis_session_notify (session, PROP_VIEW);
  bravis_session_notify (session, PROP_MEMBERS);
}

static void
notify_state (BravisSession *session)
{
  const char *state = bravis_session_get_state (session);

  if (session->last_state == state)
    return;
  session->last_state = state;
  bravis_session_notify (session, PROP_STATE);
}

/* NULL: none yet. */
static void
set_verification_code (BravisSession *session, const char *code)
{
  g_mutex_lock (&session->lock);
  g_free (session->verification_code);
  session->verification_code = g_strdup (code);
  g_mutex_unlock (&session->lock);
  bravis_session_notify (session, PROP_VERIFICATION_CODE);
}

static void
notify_epoch (BravisSession *session)
{
  bravis_session_notify (session, PROP_EPOCH);
  set_verification_code (session, NULL);
}

/* The properties change before the signal comes that tells why. */
static void
on_event (const BravisEvent *event, gpointer user_data)
{
  BravisSession *session = user_data;

  notify_state (session);
  if (!event)
    return;
  switch (event->type) {
    case BRAVIS_EVENT_VIEW:
      set_view (session, event->view);
      bravis_session_emit (session, SIGNAL_VIEW_CHANGED, event->view);
      break;
    case BRAVIS_EVENT_EPOCH:
      notify_epoch (session);
      bravis_session_emit (session, SIGNAL_EPOCH_CHANGED,
          bravis_epoch_get_number (event->epoch), event->cause,
          event->milliseconds);
      break;
    case BRAVIS_EVENT_VERIFICATION:
      set_verification_code (session, event->code);
      break;
    case BRAVIS_EVENT_MEMBER_JOINED:
      bravis_session_emit (session, SIGNAL_MEMBER_JOINED, event->name);
      break;
    case BRAVIS_EVENT_MEMBER_LEFT:
      bravis_session_emit (session, SIGNAL_MEMBER_LEFT, event->name,
          event->leave_reason);
      break;
    case BRAVIS_EVENT_STREAM_ADDED:
      bravis_session_emit (session, SIGNAL_STREAM_ADDED, event->name,
          event->member, bravis_kind_to_string (event->kind),
          (guint) event->stream, event->description);
      break;
    case BRAVIS_EVENT_STREAM_REMOVED:
      bravis_session_emit (session, SIGNAL_STREAM_REMOVED, event->name,
          event->member, bravis_kind_to_string (event->kind),
          (guint) event->stream);
      break;
    case BRAVIS_EVENT_REFUSED:
      bravis_session_emit (session, SIGNAL_REFUSED, event->name, event->by,
          event->reason);
      break;
    case BRAVIS_EVENT_UNREACHABLE:
      bravis_session_emit (session, SIGNAL_UNREACHABLE, event->name);
      break;
    case BRAVIS_EVENT_MESSAGE:
      bravis_session_take_message (session, event);
      break;
    case BRAVIS_EVENT_COMMAND:
      bravis_session_emit (session, SIGNAL_COMMAND, event->name, event->member,
          event->command_kind, event->message);
      break;
    case BRAVIS_EVENT_WRITABLE:
      bravis_session_emit (session, SIGNAL_WRITABLE);
      break;
    case BRAVIS_EVENT_ENDED:
      set_view (session, NULL);
      notify_epoch (session);
      bravis_session_emit (session, SIGNAL_ENDED, event->reason);
      break;
  }
}

/* --- making and ending --- */

static gboolean
bravis_session_initable_init (GInitable *initable, GCancellable *cancellable,
    GError **error)
{
  BravisSession *session = BRAVIS_SESSION (initable);
  g_autofree char *path = NULL;

  if (!session->config) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
        "session '%s' has no configuration file",
        session->name ? session->name : "");
    return FALSE;
  }
  path = bravis_registry_canonicalize (session->config);
  if (!bravis_registry_claim (session, session->name, path, error))
    return FALSE;
  session->peer = bravis_peer_new (session->config,
      session->exposure * G_TIME_SPAN_MILLISECOND,
      session->grace * G_TIME_SPAN_MILLISECOND, on_event, session, error);
  if (!session->peer) {
    bravis_registry_remove (session);
    return FALSE;
  }
  bravis_registry_publish (session);
  return TRUE;
}

static void
initable_iface_init (GInitableIface *iface)
{
  iface->init = bravis_session_initable_init;
}

static gpointer
drop (gpointer session)
{
  g_object_unref (session);
  return NULL;
}

static gboolean
drop_elsewhere (gpointer session)
{
  g_thread_unref (g_thread_new ("bravis-stop", drop, session));
  return G_SOURCE_REMOVE;
}

/* A handler dropped the last reference: the session's own thread cannot wait for
 * its own end, so another does. It gets the reference only once this thread is
 * out of g_object_unref (), which would take it for the last one otherwise. */
static void
dispose_later (BravisSession *session)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, drop_elsewhere, g_object_ref (session), NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
}

static void
bravis_session_dispose (GObject *object)
{
  BravisSession *session = BRAVIS_SESSION (object);

  if (session->peer
      && bravis_audience_is_own_thread (bravis_peer_get_audience (
              session->peer))) {
    dispose_later (session);
    return;
  }
  bravis_session_stop (session);
  G_OBJECT_CLASS (bravis_session_parent_class)->dispose (object);
}

static void
bravis_session_finalize (GObject *object)
{
  BravisSession *session = BRAVIS_SESSION (object);

  g_clear_pointer (&session->peer, bravis_peer_free);
  g_clear_pointer (&session->view, bravis_view_unref);
  bravis_session_clear_messages (session);
  g_free (session->verification_code);
  g_free (session->name);
  g_free (session->config);
  g_mutex_clear (&session->lock);
  G_OBJECT_CLASS (bravis_session_parent_class)->finalize (object);
}

static void
bravis_session_class_init (BravisSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = bravis_session_dispose;
  object_class->finalize = bravis_session_finalize;
  bravis_session_install (object_class);
}

static void
bravis_session_init (BravisSession *session)
{
  g_mutex_init (&session->lock);
  session->last_state = "idle";
}

/* --- public --- */

/**
 * bravis_session_new:
 * @name: (nullable): what elements find the session by
 * @config: (type filename): path of the configuration file
 * @error: return location for a #GError
 *
 * Makes a session: reads its configuration and identity and binds its socket,
 * so that everything that is wrong with them is said here.
 *
 * Returns: (transfer full): a new session, or %NULL with #BravisError or
 *   #GIOErrorEnum; %BRAVIS_ERROR_STATE where another session of the process has
 *   this name or file
 */
BravisSession *
bravis_session_new (const char *name, const char *config, GError **error)
{
  return g_initable_new (BRAVIS_TYPE_SESSION, NULL, error, "name", name,
      "config", config, NULL);
}

/**
 * bravis_session_get:
 * @name: (nullable): a session's name
 * @config: (nullable) (type filename): path of a configuration file
 * @error: return location for a #GError
 *
 * The session of the process that has this name or this configuration file; with
 * @config it is made where there is none yet. Where both are given they have to
 * fit together.
 *
 * Returns: (transfer full): the session, or %NULL with #BravisError or
 *   #GIOErrorEnum
 */
BravisSession *
bravis_session_get (const char *name, const char *config, GError **error)
{
  g_autofree char *path = config ? bravis_registry_canonicalize (config) : NULL;

  for (;;) {
    g_autoptr (GError) cause = NULL;
    BravisSession *session = bravis_registry_find (name, path, &cause);

    if (!session && !cause && config)
      session = bravis_session_new (name, config, &cause);
    else if (!session && !cause)
      g_set_error (&cause, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
          "there is no session '%s': expected the path of a configuration file "
          "to make it", name ? name : "");
    if (session)
      return session;
    /* Somebody was faster in making it: it is there now. */
    if (!g_error_matches (cause, BRAVIS_ERROR, BRAVIS_ERROR_STATE)) {
      g_propagate_error (error, g_steal_pointer (&cause));
      return NULL;
    }
  }
}

/**
 * bravis_session_start:
 * @session: a session
 *
 * Starts the session: a peer that has somebody to invite starts the conference
 * and invites, another waits for its invitation. Does nothing the second time.
 * Who calls this has to call bravis_session_stop() too, or to drop the last
 * reference.
 */
void
bravis_session_start (BravisSession *session)
{
  g_return_if_fail (BRAVIS_IS_SESSION (session));

  g_mutex_lock (&session->lock);
  session->is_own_start = TRUE;
  g_mutex_unlock (&session->lock);
  bravis_peer_start (session->peer);
}

/**
 * bravis_session_leave:
 * @session: a session
 *
 * Leaves the conference. #BravisSession::ended follows, at the latest after the
 * time in which the others would notice by themselves.
 */
void
bravis_session_leave (BravisSession *session)
{
  g_return_if_fail (BRAVIS_IS_SESSION (session));

  bravis_peer_leave (session->peer);
}

/**
 * bravis_session_stop:
 * @session: a session
 *
 * Leaves, waits until that is done (about one second at most), and closes the
 * socket. In any state; doing it twice does no harm. Not to be called from a
 * signal handler.
 */
void
bravis_session_stop (BravisSession *session)
{
  g_return_if_fail (BRAVIS_IS_SESSION (session));

  if (!session->peer)
    return;
  g_return_if_fail (!bravis_audience_is_own_thread (
          bravis_peer_get_audience (session->peer)));
  g_mutex_lock (&session->lock);
  session->is_over = TRUE;
  g_mutex_unlock (&session->lock);
  bravis_registry_withdraw (session);
  bravis_peer_stop (session->peer);
  bravis_registry_remove (session);
}

/**
 * bravis_session_invite:
 * @session: a session
 * @name: whom to invite, as `user@domain`
 * @address: (nullable): where it is, as `HOST:PORT`; %NULL: where `[peers]` of the
 *   configuration says
 * @error: return location for a #GError
 *
 * Invites somebody. It is tried until there is an answer.
 *
 * Returns: %TRUE if the invitation goes out
 */
gboolean
bravis_session_invite (BravisSession *session, const char *name,
    const char *address, GError **error)
{
  g_return_val_if_fail (BRAVIS_IS_SESSION (session), FALSE);
  g_return_val_if_fail (name, FALSE);

  return bravis_peer_invite (session->peer, name, address, error);
}

/**
 * bravis_session_refresh:
 * @session: a session
 *
 * Asks for a new key.
 */
void
bravis_session_refresh (BravisSession *session)
{
  g_return_if_fail (BRAVIS_IS_SESSION (session));

  bravis_peer_refresh (session->peer);
}

/**
 * bravis_session_get_name:
 * @session: a session
 *
 * Returns: (nullable): what elements find the session by
 */
const char *
bravis_session_get_name (BravisSession *session)
{
  g_return_val_if_fail (BRAVIS_IS_SESSION (session), NULL);

  return session->name;
}

/**
 * bravis_session_get_identity:
 * @session: a session
 *
 * Returns: the peer's own name, from its certificate
 */
const char *
bravis_session_get_identity (BravisSession *session)
{
  g_return_val_if_fail (BRAVIS_IS_SESSION (session), NULL);

  return session->peer ? bravis_peer_get_name (session->peer) : NULL;
}

/**
 * bravis_session_dup_members:
 * @session: a session
 *
 * Returns: (transfer full): the members' names, in the order in which they joined
 */
GStrv
bravis_session_dup_members (BravisSession *session)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (BravisView) view = NULL;

  g_return_val_if_fail (BRAVIS_IS_SESSION (session), NULL);

  view = bravis_session_ref_view (session);
  for (guint i = 0; view && i < bravis_view_get_n_members (view); i++)
    g_strv_builder_add (builder, bravis_view_get_name (view, i));
  return g_strv_builder_end (builder);
}

/**
 * bravis_session_ref_view:
 * @session: a session
 *
 * Returns: (transfer full) (nullable): the present view; %NULL: there is none
 */
BravisView *
bravis_session_ref_view (BravisSession *session)
{
  BravisView *view;

  g_return_val_if_fail (BRAVIS_IS_SESSION (session), NULL);

  g_mutex_lock (&session->lock);
  view = session->view ? bravis_view_ref (session->view) : NULL;
  g_mutex_unlock (&session->lock);
  return view;
}

/**
 * bravis_session_get_epoch_number:
 * @session: a session
 *
 * Returns: the number of the present epoch; 0: there is none
 */
guint64
bravis_session_get_epoch_number (BravisSession *session)
{
  g_autoptr (BravisEpoch) epoch = bravis_session_ref_epoch (session);

  return epoch ? bravis_epoch_get_number (epoch) : 0;
}

/**
 * bravis_session_dup_verification_code:
 * @session: a session
 *
 * Nine digits that are the same at all members of the present epoch, for people to
 * read to each other. No member, and nobody between them, can steer them. They are
 * there about two round trips after the key; #BravisSession:verification-code is
 * notified then.
 *
 * Returns: (transfer full) (nullable): digits such as "123 456 789"; %NULL: not yet
 */
char *
bravis_session_dup_verification_code (BravisSession *session)
{
  char *code;

  g_return_val_if_fail (BRAVIS_IS_SESSION (session), NULL);

  g_mutex_lock (&session->lock);
  code = g_strdup (session->verification_code);
  g_mutex_unlock (&session->lock);
  return code;
}

static BravisCard *
find_card (BravisEpoch *epoch, const char *name)
{
  for (guint i = 0; i < bravis_epoch_get_n_members (epoch); i++)
    if (g_str_equal (bravis_epoch_get_card (epoch, i)->name, name))
      return bravis_epoch_get_card (epoch, i);
  return NULL;
}

/**
 * bravis_session_dup_fingerprint:
 * @session: a session
 * @name: another member
 * @error: return location for a #GError
 *
 * The fingerprint of two people: this peer and @name. It is of their certificates
 * alone, so it stays the same from one conference to the next, and is the same on
 * either side.
 *
 * Returns: (transfer full) (nullable): 64 hexadecimal digits in groups of four, or
 *   %NULL with %BRAVIS_ERROR_WRONG_NAME where @name is no other member
 */
char *
bravis_session_dup_fingerprint (BravisSession *session, const char *name,
    GError **error)
{
  g_autoptr (BravisEpoch) epoch = NULL;
  BravisCard *card;

  g_return_val_if_fail (BRAVIS_IS_SESSION (session), NULL);
  g_return_val_if_fail (name, NULL);

  epoch = bravis_session_ref_epoch (session);
  card = epoch ? find_card (epoch, name) : NULL;
  if (!card || !card->certificate) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_WRONG_NAME,
        "%s is not another member of the conference", name);
    return NULL;
  }
  return bravis_peer_make_fingerprint (session->peer, card->certificate);
}

/**
 * bravis_session_export_key:
 * @session: a session
 * @label: what the key is for; at most 128 octets. Keys of other labels are other
 *   keys
 * @context: (nullable): what else it is bound to
 * @length: its octets, 1 to 8160
 * @epoch: (out) (optional): the number of the epoch that it is of
 * @error: return location for a #GError
 *
 * A key for the application, in the spirit of RFC 5705 and RFC 9420 §8.5: all members
 * of the present epoch get the same one, and nobody else can. It tells nothing of
 * the keys that media are protected with. The memory is wiped when the last
 * reference goes.
 *
 * Returns: (transfer full) (nullable): the key, or %NULL with %BRAVIS_ERROR_STATE
 *   while there is no epoch, %BRAVIS_ERROR_LIMIT for a label or length that cannot be
 */
GBytes *
bravis_session_export_key (BravisSession *session, const char *label,
    GBytes *context, gsize length, guint64 *epoch, GError **error)
{
  g_autoptr (BravisEpoch) present = NULL;
  BravisSecret *key;
  gconstpointer data = NULL;
  gsize size = 0;

  g_return_val_if_fail (BRAVIS_IS_SESSION (session), NULL);
  g_return_val_if_fail (label, NULL);

  if (strlen (label) > BRAVIS_MAX_EXPORT_LABEL || length == 0
      || length > BRAVIS_MAX_EXPORT) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT,
        "cannot export %" G_GSIZE_FORMAT " octets for '%s': expected 1 to %d, and "
        "a label of at most %d", length, label, BRAVIS_MAX_EXPORT,
        BRAVIS_MAX_EXPORT_LABEL);
    return NULL;
  }
  present = bravis_session_ref_epoch (session);
  if (!present) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "this peer has no key yet");
    return NULL;
  }
  if (context)
    data = g_bytes_get_data (context, &size);
  if (epoch)
    *epoch = bravis_epoch_get_number (present);
  key = bravis_epoch_export (present, label, data, size, length);
  return g_bytes_new_with_free_func (bravis_secret_peek (key), length,
      (GDestroyNotify) bravis_secret_unref, key);
}

/**
 * bravis_session_get_state:
 * @session: a session
 *
 * Returns: "idle", "joining", "member", "leaving" or "over"
 */
const char *
bravis_session_get_state (BravisSession *session)
{
  g_return_val_if_fail (BRAVIS_IS_SESSION (session), NULL);

  if (!session->peer)
    return "over";
  switch (bravis_peer_get_state (session->peer)) {
    case BRAVIS_CONFERENCE_IDLE:
      return "idle";
    case BRAVIS_CONFERENCE_JOINING:
      return "joining";
    case BRAVIS_CONFERENCE_MEMBER:
      return "member";
    case BRAVIS_CONFERENCE_LEAVING:
      return "leaving";
    case BRAVIS_CONFERENCE_OVER:
    default:
      return "over";
  }
}

/**
 * bravis_session_dup_stats:
 * @session: a session
 *
 * Returns: (transfer full): a dictionary, see #BravisSession:stats
 */
GVariant *
bravis_session_dup_stats (BravisSession *session)
{
  g_return_val_if_fail (BRAVIS_IS_SESSION (session), NULL);

  if (!session->peer)
    return g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  return g_variant_ref_sink (bravis_peer_get_stats (session->peer));
}

/* --- for elements: bravis-session-media.h; the rest: bravis-session-media.c --- */

gboolean
bravis_session_hold (BravisSession *session)
{
  gboolean first = FALSE, over;

  g_mutex_lock (&session->lock);
  over = session->is_over;
  if (!over)
    first = session->holds++ == 0;
  g_mutex_unlock (&session->lock);
  /* Who stops it may not have come to that yet: nobody is to find it again. */
  if (over)
    bravis_registry_withdraw (session);
  else if (first)
    bravis_peer_start (session->peer);
  return !over;
}

static gpointer
stop_and_drop (gpointer data)
{
  g_autoptr (BravisSession) session = data;

  bravis_session_stop (session);
  return NULL;
}

/* A handler of the session's may set a pipeline's state, and by that release
 * the session in its own thread, which cannot wait for its own end. */
static void
stop_elsewhere (BravisSession *session)
{
  bravis_registry_withdraw (session);
  g_thread_unref (g_thread_new ("bravis-stop", stop_and_drop,
          g_object_ref (session)));
}

void
bravis_session_release (BravisSession *session)
{
  gboolean last;

  g_mutex_lock (&session->lock);
  last = --session->holds == 0 && !session->is_own_start;
  session->is_over |= last;
  g_mutex_unlock (&session->lock);
  if (last && bravis_audience_is_own_thread (bravis_peer_get_audience (
              session->peer)))
    stop_elsewhere (session);
  else if (last)
    bravis_session_stop (session);
}
