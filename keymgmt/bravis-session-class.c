#include "bravis-session-private.h"

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

static void
set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  BravisSession *session = BRAVIS_SESSION (object);

  switch (id) {
    case PROP_NAME:
      session->name = g_value_dup_string (value);
      break;
    case PROP_CONFIG:
      session->config = g_value_dup_string (value);
      break;
    case PROP_EXPOSURE:
      session->exposure = g_value_get_uint (value);
      break;
    case PROP_GRACE:
      session->grace = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  BravisSession *session = BRAVIS_SESSION (object);

  switch (id) {
    case PROP_NAME:
      g_value_set_string (value, session->name);
      break;
    case PROP_CONFIG:
      g_value_set_string (value, session->config);
      break;
    case PROP_EXPOSURE:
      g_value_set_uint (value, session->exposure);
      break;
    case PROP_GRACE:
      g_value_set_uint (value, session->grace);
      break;
    case PROP_IDENTITY:
      g_value_set_string (value, bravis_session_get_identity (session));
      break;
    case PROP_MEMBERS:
      g_value_take_boxed (value, bravis_session_dup_members (session));
      break;
    case PROP_EPOCH:
      g_value_set_uint64 (value, bravis_session_get_epoch_number (session));
      break;
    case PROP_VERIFICATION_CODE:
      g_value_take_string (value,
          bravis_session_dup_verification_code (session));
      break;
    case PROP_STATE:
      g_value_set_string (value, bravis_session_get_state (session));
      break;
    case PROP_STATS:
      g_value_take_variant (value, bravis_session_dup_stats (session));
      break;
    case PROP_VIEW:
      g_value_take_boxed (value, bravis_session_ref_view (session));
      break;
    case PROP_QUEUED:
      g_value_set_uint64 (value, bravis_session_get_queued (session));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags given = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY
      | G_PARAM_STATIC_STRINGS;
  const GParamFlags seen = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  /**
   * BravisSession:name: (nullable)
   *
   * What elements find the session by.
   */
  props[PROP_NAME] = g_param_spec_string ("name", "Name",
      "What elements find the session by", NULL, given);
  /**
   * BravisSession:config: (nullable)
   *
   * The path of the configuration file.
   */
  props[PROP_CONFIG] = g_param_spec_string ("config", "Configuration",
      "Path of the configuration file", NULL, given);
  /**
   * BravisSession:exposure:
   *
   * For how long, in milliseconds, senders may go on under a key that somebody
   * who is gone had, at most. Normally they wait, for about two round trips,
   * until the next key is there; where it never comes, they drop.
   */
  props[PROP_EXPOSURE] = g_param_spec_uint ("exposure", "Exposure",
      "Milliseconds that senders may go on under the old key after a member is "
      "gone, at most", 0, 10000, 1000, given);
  /**
   * BravisSession:grace:
   *
   * For how long, in milliseconds, what was sent under a key that was replaced is
   * still received.
   */
  props[PROP_GRACE] = g_param_spec_uint ("grace", "Grace",
      "Milliseconds that receivers keep an old key", 0, 60000, 2000, given);
  /**
   * BravisSession:identity: (nullable)
   *
   * The peer's own name, from its certificate.
   */
  props[PROP_IDENTITY] = g_param_spec_string ("identity", "Identity",
      "The peer's own name, from its certificate", NULL, seen);
  /**
   * BravisSession:members:
   *
   * The names of the members, oneself included, in the order in which they
   * joined.
   */
  props[PROP_MEMBERS] = g_param_spec_boxed ("members", "Members",
      "Names of the members, in the order in which they joined", G_TYPE_STRV,
      seen);
  /**
   * BravisSession:epoch:
   *
   * The number of the present epoch; 0: there is none.
   */
  props[PROP_EPOCH] = g_param_spec_uint64 ("epoch", "Epoch",
      "Number of the present epoch, 0 where there is none", 0, G_MAXUINT64, 0,
      seen);
  /**
   * BravisSession:verification-code: (nullable)
   *
   * Digits that are the same at all members, for people to compare by voice; %NULL
   * until all have committed to them and shown them, about two round trips after
   * the key.
   */
  props[PROP_VERIFICATION_CODE] = g_param_spec_string ("verification-code",
      "Verification code", "Digits that are the same at all members", NULL,
      seen);
  /**
   * BravisSession:state:
   *
   * "idle", "joining", "member", "leaving" or "over".
   */
  props[PROP_STATE] = g_param_spec_string ("state", "State",
      "idle, joining, member, leaving or over", NULL, seen);
  /**
   * BravisSession:stats:
   *
   * A dictionary: "local-address" (s), "datagrams-received", "media-received",
   * "control-dropped", "datagrams-sent", "messages-received" (t), "waiting-for" (as:
   * the members whose applications do not get on with the messages that they were
   * given, so that nobody's go out), "epochs-kept" (u).
   */
  props[PROP_STATS] = g_param_spec_variant ("stats", "Statistics",
      "Counts of datagrams, the local address", G_VARIANT_TYPE_VARDICT, NULL,
      seen);
  /**
   * BravisSession:view: (nullable)
   *
   * The present view; %NULL: there is none.
   */
  props[PROP_VIEW] = g_param_spec_boxed ("view", "View",
      "Who is in, as all members agree", BRAVIS_TYPE_VIEW, seen);
  /**
   * BravisSession:queued:
   *
   * How many bytes of this peer's own messages wait for their place in the group's
   * order; each message counts at least 64. There is no notification.
   */
  props[PROP_QUEUED] = g_param_spec_uint64 ("queued", "Queued",
      "Bytes of own messages that wait to be ordered", 0, G_MAXUINT64, 0, seen);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static guint
new_signal (const char *name, guint n, ...)
{
  va_list types;
  guint id;

  va_start (types, n);
  id = g_signal_new_valist (name, BRAVIS_TYPE_SESSION, G_SIGNAL_RUN_LAST, NULL,
      NULL, NULL, NULL, G_TYPE_NONE, n, types);
  va_end (types);
  return id;
}

static void
install_signals (void)
{
  /**
   * BravisSession::member-joined:
   * @session: the session
   * @name: the member's name
   *
   * Another member is in the conference: it came, or was there before this peer.
   */
  signals[SIGNAL_MEMBER_JOINED] = new_signal ("member-joined", 1,
      G_TYPE_STRING);
  /**
   * BravisSession::member-left:
   * @session: the session
   * @name: the member's name
   * @reason: why
   *
   * Another member is not in the conference any more.
   */
  signals[SIGNAL_MEMBER_LEFT] = new_signal ("member-left", 2, G_TYPE_STRING,
      BRAVIS_TYPE_LEAVE_REASON);
  /**
   * BravisSession::epoch-changed:
   * @session: the session
   * @number: the epoch's number
   * @cause: why: "start", "join", "leave", "crash", "join-and-leave" or "refresh"
   * @milliseconds: since the view that made it necessary
   *
   * There are new keys.
   */
  signals[SIGNAL_EPOCH_CHANGED] = new_signal ("epoch-changed", 3,
      G_TYPE_UINT64, G_TYPE_STRING, G_TYPE_DOUBLE);
  /**
   * BravisSession::refused:
   * @session: the session
   * @name: (nullable): who was refused, this peer, too; %NULL where it did not
   *   show itself
   * @by: (nullable): who refused; %NULL for this peer
   * @reason: a sentence that says why
   *
   * Somebody was not let in.
   */
  signals[SIGNAL_REFUSED] = new_signal ("refused", 3, G_TYPE_STRING,
      G_TYPE_STRING, G_TYPE_STRING);
  /**
   * BravisSession::unreachable:
   * @session: the session
   * @name: who was invited
   *
   * Somebody who was invited does not answer. It is tried on.
   */
  signals[SIGNAL_UNREACHABLE] = new_signal ("unreachable", 1, G_TYPE_STRING);
  /**
   * BravisSession::ended:
   * @session: the session
   * @reason: "left", "put out", "not admitted" or "stopped"
   *
   * The conference is over for this peer, and the session for good.
   */
  signals[SIGNAL_ENDED] = new_signal ("ended", 1, G_TYPE_STRING);
  /**
   * BravisSession::stream-added:
   * @session: the session
   * @name: the member's name
   * @member: the member's id
   * @kind: "video", "audio", "whiteboard" or "signalling"
   * @stream: the stream's number
   * @description: what the member says of it
   *
   * A member sends a stream, or describes one anew.
   */
  signals[SIGNAL_STREAM_ADDED] = new_signal ("stream-added", 5, G_TYPE_STRING,
      G_TYPE_UINT64, G_TYPE_STRING, G_TYPE_UINT, G_TYPE_STRING);
  /**
   * BravisSession::stream-removed:
   * @session: the session
   * @name: the member's name
   * @member: the member's id
   * @kind: "video", "audio", "whiteboard" or "signalling"
   * @stream: the stream's number
   *
   * A member does not send a stream any more, or is gone.
   */
  signals[SIGNAL_STREAM_REMOVED] = new_signal ("stream-removed", 4,
      G_TYPE_STRING, G_TYPE_UINT64, G_TYPE_STRING, G_TYPE_UINT);
  /**
   * BravisSession::view-changed:
   * @session: the session
   * @view: the new view
   *
   * The members agree on who is in from here on. #BravisSession::member-left and
   * #BravisSession::member-joined follow for whoever did; what comes as
   * #BravisSession::message before the next view is delivered in this one, the
   * same and in the same order at all members that go on together.
   */
  signals[SIGNAL_VIEW_CHANGED] = new_signal ("view-changed", 1,
      BRAVIS_TYPE_VIEW | G_SIGNAL_TYPE_STATIC_SCOPE);
  /**
   * BravisSession::message:
   * @session: the session
   * @name: the name of the member who sent it; may be this peer
   * @member: its id
   * @message: the message
   *
   * A member multicast a message. Not emitted where there is a handler
   * (bravis_session_set_message_handler()).
   */
  signals[SIGNAL_MESSAGE] = new_signal ("message", 3, G_TYPE_STRING,
      G_TYPE_UINT64, G_TYPE_BYTES | G_SIGNAL_TYPE_STATIC_SCOPE);
  /**
   * BravisSession::command:
   * @session: the session
   * @name: the name of the member who gave it; may be this peer
   * @member: its id
   * @kind: #BravisCommandKind, or a kind of the application's
   * @body: what it says
   *
   * A member gave a signed command (bravis_session_command()). That it is by that
   * member, in this conference, was checked; all members get the same commands, in
   * the same order. One that was forged is reported as #BravisSession::refused.
   */
  signals[SIGNAL_COMMAND] = new_signal ("command", 4, G_TYPE_STRING,
      G_TYPE_UINT64, G_TYPE_UINT, G_TYPE_BYTES | G_SIGNAL_TYPE_STATIC_SCOPE);
  /**
   * BravisSession::writable:
   * @session: the session
   *
   * After bravis_session_multicast() said %G_IO_ERROR_WOULD_BLOCK: half of the
   * queue is free again.
   */
  signals[SIGNAL_WRITABLE] = new_signal ("writable", 0);
}

void
bravis_session_install (GObjectClass *object_class)
{
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  install_properties (object_class);
  install_signals ();
}

void
bravis_session_notify (BravisSession *session, guint prop)
{
  g_object_notify_by_pspec (G_OBJECT (session), props[prop]);
}

gboolean
bravis_session_is_heard (BravisSession *session, guint signal)
{
  return g_signal_has_handler_pending (session, signals[signal], 0, FALSE);
}

void
bravis_session_emit (BravisSession *session, guint signal, ...)
{
  va_list arguments;

  va_start (arguments, signal);
  g_signal_emit_valist (session, signals[signal], 0, arguments);
  va_end (arguments);
}
