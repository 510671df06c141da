#include "bravis-peer-private.h"

#include "bravis-datagram.h"

/* Of senders, for a key that is due: more than the two round trips that a key change
 * takes, where a round trip is 200 ms. */
#define PATIENCE (500 * G_TIME_SPAN_MILLISECOND)

/* Control datagrams handled before the outputs are seen to. */
#define BATCH 32

/* Longer than the time for suspicion, after which leaving ends in any case. */
#define LEAVE_MARGIN (200 * G_TIME_SPAN_MILLISECOND)

/* Bytes of messages that the application has not taken yet: past the first the
 * others are asked to wait, past the second somebody did not, and this peer
 * leaves. What may be on its way when all wait is less than the difference. */
#define MAX_BACKLOG (2 * 1024 * 1024)
#define MAX_BACKLOG_AT_ALL (64 * 1024 * 1024)

static gint64
get_wall_clock (void)
{
  return g_get_real_time () / G_TIME_SPAN_SECOND;
}

static gboolean
may_invite (const char *name, gpointer user_data)
{
  BravisPeer *peer = user_data;

  return bravis_config_may_invite (peer->config, name);
}

/* --- making --- */

static gboolean
load_identity (BravisPeer *peer, GError **error)
{
  const BravisIdentityFiles files = {
    .certificate = peer->config->certificate,
    .key = peer->config->key,
    .passphrase = peer->config->passphrase,
    .trust = peer->config->trust,
    .crl = peer->config->crl
  };

  peer->identity = bravis_identity_load (&files, error);
  if (!peer->identity)
    g_prefix_error (error, "%s: [identity]: ", peer->config->file);
  return peer->identity != NULL;
}

static gboolean
check_invitations (BravisPeer *peer, GError **error)
{
  const char *own = bravis_identity_get_name (peer->identity);

  if (peer->config->invite
      && g_strv_contains ((const char *const *) peer->config->invite, own)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
        "%s: [group] invite=%s: expected another's name, this is one's own",
        peer->config->file, own);
    return FALSE;
  }
  return TRUE;
}

static gboolean
open_socket (BravisPeer *peer, GError **error)
{
  peer->udp = gcp_udp_new (&peer->config->listen, error);
  if (!peer->udp) {
    g_prefix_error (error, "%s: [group] listen: ", peer->config->file);
    return FALSE;
  }
  gcp_udp_get_local (peer->udp, &peer->local);
  return TRUE;
}

static gboolean
open_log (BravisPeer *peer, GError **error)
{
  if (peer->config->log)
    peer->log = bravis_membership_log_open (peer->config->log, peer->identity,
        peer->config->conference, g_get_real_time (), error);
  return !peer->config->log || peer->log;
}

static gboolean
make_conference (BravisPeer *peer, GError **error)
{
  BravisConferenceConfig config = {
    .identity = peer->identity,
    .name = peer->config->conference,
    .policy = peer->config->policy,
    .key_lifetime = peer->config->key_lifetime * G_TIME_SPAN_SECOND,
    .may_invite = may_invite,
    .user_data = peer,
  };

  gcp_config_init (&config.gcp);
  peer->suspicion = config.gcp.suspicion;
  bravis_random_init_system (&config.random);
  peer->conference = bravis_conference_new (&config, g_get_monotonic_time (),
      get_wall_clock (),
      error);
  if (!peer->conference)
    return FALSE;
  peer->max_message = bravis_conference_get_max_message (peer->conference);
  peer->mailbox = bravis_mailbox_new (peer->max_message);
  return TRUE;
}

static void
wake_protocols (gpointer user_data)
{
  BravisPeer *peer = user_data;

  bravis_inbox_wake (peer->inbox);
}

BravisPeer *
bravis_peer_new (const char *config_file, gint64 exposure, gint64 grace,
    BravisListen owner, gpointer user_data, GError **error)
{
  g_autoptr (BravisPeer) peer = g_new0 (BravisPeer, 1);
  GError *cause = NULL;

  g_mutex_init (&peer->lock);
  g_cond_init (&peer->changed);
  peer->inbox = bravis_inbox_new ();
  peer->book = bravis_epoch_book_new (PATIENCE, exposure, grace);
  peer->receivers = bravis_receivers_new ();
  peer->audience = bravis_audience_new (owner, user_data);
  bravis_audience_watch_backlog (peer->audience, MAX_BACKLOG, wake_protocols,
      peer);
  peer->config = bravis_config_load (config_file, error);
  if (!peer->config)
    return NULL;
  if (!load_identity (peer, error))
    return NULL;
  bravis_file_watch_init (&peer->crl, peer->config->crl,
      g_get_monotonic_time ());
  peer->keylog = bravis_keylog_open (&cause);
  if (cause) {
    g_propagate_error (error, cause);
    return NULL;
  }
  if (!check_invitations (peer, error) || !open_socket (peer, error)
      || !open_log (peer, error) || !make_conference (peer, error))
    return NULL;
  return g_steal_pointer (&peer);
}

void
bravis_peer_free (BravisPeer *peer)
{
  g_clear_pointer (&peer->conference, bravis_conference_free);
  g_clear_pointer (&peer->udp, gcp_udp_free);
  g_clear_pointer (&peer->mailbox, bravis_mailbox_free);
  g_clear_pointer (&peer->keylog, bravis_keylog_free);
  g_clear_pointer (&peer->log, bravis_membership_log_free);
  bravis_file_watch_clear (&peer->crl);
  g_clear_pointer (&peer->identity, bravis_identity_unref);
  g_clear_pointer (&peer->config, bravis_config_free);
  bravis_audience_free (peer->audience);
  bravis_receivers_free (peer->receivers);
  bravis_epoch_book_free (peer->book);
  bravis_inbox_free (peer->inbox);
  g_mutex_clear (&peer->lock);
  g_cond_clear (&peer->changed);
  g_free (peer);
}

/* --- the socket's thread --- */

static void
receive (const GcpAddress *from, guint8 *data, gsize size, gpointer user_data)
{
  BravisPeer *peer = user_data;

  bravis_peer_count (&peer->counters.received, 1);
  if (size > 0 && bravis_datagram_is_media (data[0])) {
    bravis_peer_count (&peer->counters.media_received, 1);
    bravis_receivers_call (peer->receivers, from, data, size);
  } else if (!bravis_inbox_put (peer->inbox, from, data, size)) {
    bravis_peer_count (&peer->counters.control_dropped, 1);
  }
}

/* --- the protocols' thread: what goes in --- */

static void
clear_output (gpointer data)
{
  bravis_conference_output_clear (data);
}

static GArray *
new_mails (void)
{
  GArray *mails = g_array_new (FALSE, FALSE, sizeof (BravisMail));

  g_array_set_clear_func (mails, bravis_mail_clear);
  return mails;
}

/* With the lock: the application's messages, in with the next input. Returns
 * whether there are any. @mails is the caller's to keep and use again. */
static gboolean
put_in_messages (BravisPeer *peer, GArray *mails)
{
  guint n;

  bravis_mailbox_take (peer->mailbox, mails);
  n = mails->len;
  for (guint i = 0; i < n; i++) {
    BravisMail *mail = &g_array_index (mails, BravisMail, i);

    bravis_conference_send_message (peer->conference, mail->bytes,
        mail->quality);
  }
  g_array_set_size (mails, 0);
  return n > 0;
}

/* Whether the application gets on with the others' messages: with the next input.
 * Returns whether that is news. */
static gboolean
put_in_backlog (BravisPeer *peer)
{
  gsize backlog = bravis_audience_get_backlog (peer->audience);
  gboolean busy = peer->busy;

  if (backlog > MAX_BACKLOG)
    peer->busy = TRUE;
  else if (backlog <= MAX_BACKLOG / 2)
    peer->busy = FALSE;
  bravis_conference_set_busy (peer->conference, peer->busy);
  return peer->busy != busy;
}

static void
settle_mailbox (BravisPeer *peer, BravisConferenceState state)
{
  BravisEvent event = { .type = BRAVIS_EVENT_WRITABLE };

  if (bravis_mailbox_settle (peer->mailbox,
          bravis_conference_get_unsent (peer->conference),
          state == BRAVIS_CONFERENCE_MEMBER))
    bravis_audience_tell (peer->audience, &event);
}

/* The backlog grows although all were asked to wait: its memory is bounded all
 * the same. */
static void
check_backlog (BravisPeer *peer, gint64 now)
{
  if (bravis_audience_get_backlog (peer->audience) <= MAX_BACKLOG_AT_ALL)
    return;
  g_mutex_lock (&peer->lock);
  if (!peer->leaving)
    bravis_conference_give_up (peer->conference, g_error_new (BRAVIS_ERROR,
            BRAVIS_ERROR_LIMIT, "more than %d bytes of messages wait for this "
            "peer's application", MAX_BACKLOG_AT_ALL), now);
  peer->leaving = TRUE;
  g_mutex_unlock (&peer->lock);
}

/* Revocation lists that were put in the place of those there were are shown to the
 * group. A file that is not right changes nothing. */
static void
look_at_revocations (BravisPeer *peer, gint64 now)
{
  g_autoptr (GPtrArray) news = NULL;
  g_autoptr (GError) error = NULL;

  if (!bravis_file_watch_has_changed (&peer->crl, now))
    return;
  news = bravis_identity_reload_revocations (peer->identity, &error);
  if (!news) {
    g_warning ("%s; the lists that were known before go on to count",
        error->message);
    return;
  }
  g_mutex_lock (&peer->lock);
  bravis_conference_show_revocations (peer->conference, news, now,
      get_wall_clock ());
  g_mutex_unlock (&peer->lock);
}

/* One turn of the state machine: its outputs go to @outputs. Returns when the
 * next turn is due. */
static gint64
turn (BravisPeer *peer, GPtrArray *letters, GArray *mails, GArray *outputs,
    gint64 now, BravisConferenceState *state)
{
  gint64 wall_clock = get_wall_clock ();
  BravisConferenceOutput output = { 0 };
  gboolean tick;
  gint64 deadline;

  g_mutex_lock (&peer->lock);
  bravis_conference_cork (peer->conference);
  tick = put_in_messages (peer, mails);
  tick |= put_in_backlog (peer);
  for (guint i = 0; i < letters->len; i++) {
    BravisLetter *letter = g_ptr_array_index (letters, i);

    bravis_conference_receive (peer->conference, &letter->from, letter->data,
        letter->size, now, wall_clock);
  }
  if (tick || now >= bravis_conference_deadline (peer->conference))
    bravis_conference_tick (peer->conference, now, wall_clock);
  bravis_conference_uncork (peer->conference);
  while (bravis_conference_poll (peer->conference, &output)) {
    g_array_append_val (outputs, output);
    output = (BravisConferenceOutput) { 0 };
  }
  *state = bravis_conference_get_state (peer->conference);
  settle_mailbox (peer, *state);
  deadline = bravis_conference_deadline (peer->conference);
  if (bravis_conference_prepare (peer->conference))
    deadline = now;
  g_mutex_unlock (&peer->lock);
  return deadline;
}

/* Says how far the conference is, once all that led there was told. */
static void
settle_state (BravisPeer *peer, BravisConferenceState state)
{
  gboolean changed;

  g_mutex_lock (&peer->lock);
  changed = g_atomic_int_get (&peer->state) != (int) state;
  g_atomic_int_set (&peer->state, (int) state);
  if (changed)
    g_cond_broadcast (&peer->changed);
  g_mutex_unlock (&peer->lock);
  if (changed)
    bravis_audience_poke (peer->audience);
}

static gpointer
run (gpointer data)
{
  BravisPeer *peer = data;
  g_autoptr (GPtrArray) letters = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) outputs = g_array_new (FALSE, FALSE,
      sizeof (BravisConferenceOutput));
  g_autoptr (GArray) mails = new_mails ();
  g_autoptr (GArray) datagrams = g_array_new (FALSE, FALSE,
      sizeof (GcpUdpDatagram));
  gint64 deadline = 0;

  g_array_set_clear_func (outputs, clear_output);
  while (bravis_inbox_take (peer->inbox, deadline, BATCH, letters)) {
    gint64 now = g_get_monotonic_time ();
    BravisConferenceState state;

    look_at_revocations (peer, now);
    deadline = turn (peer, letters, mails, outputs, now, &state);
    bravis_peer_handle_outputs (peer, outputs, datagrams, now);
    check_backlog (peer, now);
    bravis_epoch_book_tick (peer->book, now);
    settle_state (peer, state);
    deadline = MIN (deadline, bravis_epoch_book_deadline (peer->book));
    deadline = MIN (deadline, bravis_file_watch_deadline (&peer->crl));
    g_array_set_size (outputs, 0);
    g_ptr_array_set_size (letters, 0);
  }
  return NULL;
}

/* --- life --- */

/* With the lock. Who is in no conference starts one to invite into. */
static void
invite_locked (BravisPeer *peer, const char *name, const GcpAddress *address)
{
  gint64 now = g_get_monotonic_time ();

  if (bravis_conference_get_state (peer->conference) == BRAVIS_CONFERENCE_IDLE)
    bravis_conference_start (peer->conference, now);
  bravis_conference_invite (peer->conference, name, address, now,
      get_wall_clock ());
}

void
bravis_peer_start (BravisPeer *peer)
{
  GStrv invite = peer->config->invite;

  g_mutex_lock (&peer->lock);
  if (peer->life == BRAVIS_LIFE_NEW) {
    peer->life = BRAVIS_LIFE_RUNNING;
    for (guint i = 0; invite && invite[i]; i++)
      invite_locked (peer, invite[i],
          bravis_config_find_peer (peer->config, invite[i]));
    g_atomic_int_set (&peer->is_open, 1);
    bravis_audience_start (peer->audience);
    peer->thread = g_thread_new ("bravis-protocols", run, peer);
    gcp_udp_start (peer->udp, receive, peer);
  }
  g_mutex_unlock (&peer->lock);
}

static void
leave_locked (BravisPeer *peer)
{
  g_autoptr (GArray) mails = new_mails ();

  peer->leaving = TRUE;
  put_in_messages (peer, mails);
  bravis_conference_leave (peer->conference, g_get_monotonic_time ());
  bravis_inbox_wake (peer->inbox);
}

void
bravis_peer_leave (BravisPeer *peer)
{
  g_mutex_lock (&peer->lock);
  if (peer->life == BRAVIS_LIFE_RUNNING && !peer->leaving)
    leave_locked (peer);
  g_mutex_unlock (&peer->lock);
}

/* With the lock: waits until the others know, if there are any. */
static void
leave_and_wait (BravisPeer *peer)
{
  gint64 deadline = g_get_monotonic_time () + peer->suspicion + LEAVE_MARGIN;

  if (!peer->leaving)
    leave_locked (peer);
  while (g_atomic_int_get (&peer->state) != BRAVIS_CONFERENCE_OVER
      && g_cond_wait_until (&peer->changed, &peer->lock, deadline))
    continue;
}

/* Everything that another thread might still use is taken out of its reach
 * before it goes. */
static void
close_down (BravisPeer *peer)
{
  gcp_udp_stop (peer->udp);
  bravis_inbox_close (peer->inbox);
  g_thread_join (g_steal_pointer (&peer->thread));
  if (!peer->has_ended)
    bravis_peer_tell_end (peer, "stopped", g_get_monotonic_time ());
  g_atomic_int_set (&peer->state, BRAVIS_CONFERENCE_OVER);
  bravis_audience_poke (peer->audience);
  bravis_audience_stop (peer->audience);
}

static void
close_socket (BravisPeer *peer)
{
  g_atomic_int_set (&peer->is_open, 0);
  while (g_atomic_int_get (&peer->n_senders) > 0)
    g_thread_yield ();
  bravis_epoch_book_clear (peer->book);
  g_clear_pointer (&peer->udp, gcp_udp_free);
}

void
bravis_peer_stop (BravisPeer *peer)
{
  gboolean was_running;

  g_mutex_lock (&peer->lock);
  while (peer->life == BRAVIS_LIFE_STOPPING)
    g_cond_wait (&peer->changed, &peer->lock);
  if (peer->life == BRAVIS_LIFE_STOPPED) {
    g_mutex_unlock (&peer->lock);
    return;
  }
  was_running = peer->life == BRAVIS_LIFE_RUNNING;
  peer->life = BRAVIS_LIFE_STOPPING;
  if (was_running)
    leave_and_wait (peer);
  g_mutex_unlock (&peer->lock);

  if (was_running)
    close_down (peer);
  close_socket (peer);

  g_mutex_lock (&peer->lock);
  g_clear_pointer (&peer->conference, bravis_conference_free);
  g_atomic_int_set (&peer->state, BRAVIS_CONFERENCE_OVER);
  peer->life = BRAVIS_LIFE_STOPPED;
  g_cond_broadcast (&peer->changed);
  g_mutex_unlock (&peer->lock);
}

/* --- wishes --- */

/* Locks, and says whether there is a conference to ask something of. */
static gboolean
begin (BravisPeer *peer, GError **error)
{
  g_mutex_lock (&peer->lock);
  if (peer->conference && !peer->leaving)
    return TRUE;
  g_mutex_unlock (&peer->lock);
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
      "%s: the session is over", peer->config->file);
  return FALSE;
}

static void
end (BravisPeer *peer)
{
  g_mutex_unlock (&peer->lock);
  bravis_inbox_wake (peer->inbox);
}

static gboolean
find_address (BravisPeer *peer, const char *name, const char *text,
    GcpAddress *address, GError **error)
{
  const GcpAddress *known;

  if (text)
    return gcp_address_parse (text, FALSE, address, error);
  known = bravis_config_find_peer (peer->config, name);
  if (!known) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
        "%s: [peers] has no address for %s", peer->config->file, name);
    return FALSE;
  }
  *address = *known;
  return TRUE;
}

gboolean
bravis_peer_invite (BravisPeer *peer, const char *name, const char *address,
    GError **error)
{
  GcpAddress where;

  if (!bravis_name_is_valid (name)
      || g_str_equal (name, bravis_peer_get_name (peer))) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_WRONG_NAME,
        "cannot invite '%s': expected another's name of the form user@domain",
        name);
    return FALSE;
  }
  if (!find_address (peer, name, address, &where, error)
      || !begin (peer, error))
    return FALSE;
  invite_locked (peer, name, &where);
  end (peer);
  return TRUE;
}

void
bravis_peer_refresh (BravisPeer *peer)
{
  if (!begin (peer, NULL))
    return;
  bravis_conference_refresh (peer->conference, g_get_monotonic_time ());
  end (peer);
}

gboolean
bravis_peer_multicast (BravisPeer *peer, GBytes *message, GcpQuality quality,
    GError **error)
{
  gboolean first;

  if (!bravis_mailbox_put (peer->mailbox, message, quality, &first, error))
    return FALSE;
  if (first)
    bravis_inbox_wake (peer->inbox);
  return TRUE;
}

gboolean
bravis_peer_command (BravisPeer *peer, guint kind, GBytes *body,
    GError **error)
{
  gboolean done;

  if (!begin (peer, error))
    return FALSE;
  done = bravis_conference_command (peer->conference, kind, body,
      g_get_monotonic_time (), error);
  end (peer);
  return done;
}

gsize
bravis_peer_get_queued (BravisPeer *peer)
{
  return bravis_mailbox_get_queued (peer->mailbox);
}

gsize
bravis_peer_get_max_message (BravisPeer *peer)
{
  return peer->max_message;
}

gboolean
bravis_peer_add_stream (BravisPeer *peer, BravisKind kind, guint16 *stream,
    GError **error)
{
  gboolean done;

  if (!begin (peer, error))
    return FALSE;
  done = bravis_conference_add_stream (peer->conference, kind, stream, error);
  end (peer);
  return done;
}

gboolean
bravis_peer_describe_stream (BravisPeer *peer, guint16 stream,
    const char *description, GError **error)
{
  gboolean done;

  if (!begin (peer, error))
    return FALSE;
  done = bravis_conference_describe_stream (peer->conference, stream,
      description, g_get_monotonic_time (), error);
  end (peer);
  return done;
}

void
bravis_peer_remove_stream (BravisPeer *peer, guint16 stream)
{
  if (!begin (peer, NULL))
    return;
  bravis_conference_remove_stream (peer->conference, stream,
      g_get_monotonic_time ());
  end (peer);
}

/* --- media --- */

/* Between these two the socket stays open. */
static gboolean
begin_sending (BravisPeer *peer)
{
  g_atomic_int_inc (&peer->n_senders);
  return g_atomic_int_get (&peer->is_open) != 0;
}

static void
end_sending (BravisPeer *peer)
{
  g_atomic_int_add (&peer->n_senders, -1);
}

gboolean
bravis_peer_send_to_all (BravisPeer *peer, BravisEpoch *epoch,
    gconstpointer data, gsize size)
{
  g_autoptr (BravisRoutes) routes = bravis_epoch_book_ref_routes (peer->book,
      epoch);
  const GcpAddress *all;
  guint n;

  if (!routes)
    return FALSE;
  all = bravis_routes_get_all (routes, &n);
  if (begin_sending (peer) && n > 0)
    bravis_peer_count (&peer->counters.sent,
        gcp_udp_send_to_all (peer->udp, all, n, data, size));
  end_sending (peer);
  return TRUE;
}

gboolean
bravis_peer_send_to (BravisPeer *peer, BravisEpoch *epoch, guint index,
    gconstpointer data, gsize size)
{
  g_autoptr (BravisRoutes) routes = bravis_epoch_book_ref_routes (peer->book,
      epoch);
  const GcpAddress *to;

  if (!routes)
    return FALSE;
  to = bravis_routes_get (routes, index);
  if (begin_sending (peer) && to && gcp_udp_send (peer->udp, to, data, size))
    bravis_peer_count (&peer->counters.sent, 1);
  end_sending (peer);
  return TRUE;
}

/* --- looking at it --- */

BravisEpochBook *
bravis_peer_get_book (BravisPeer *peer)
{
  return peer->book;
}

BravisReceivers *
bravis_peer_get_receivers (BravisPeer *peer)
{
  return peer->receivers;
}

BravisAudience *
bravis_peer_get_audience (BravisPeer *peer)
{
  return peer->audience;
}

const BravisConfig *
bravis_peer_get_config (BravisPeer *peer)
{
  return peer->config;
}

const char *
bravis_peer_get_name (BravisPeer *peer)
{
  return bravis_identity_get_name (peer->identity);
}

char *
bravis_peer_make_fingerprint (BravisPeer *peer, BravisCertificate *other)
{
  return bravis_identity_make_fingerprint (peer->identity, other);
}

BravisConferenceState
bravis_peer_get_state (BravisPeer *peer)
{
  return g_atomic_int_get (&peer->state);
}

/* Whose applications are behind, so that everybody's messages wait. */
static GVariant *
list_paused (BravisPeer *peer)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("as"));
  const char *name;

  g_mutex_lock (&peer->lock);
  for (guint i = 0; peer->conference && (name =
          bravis_conference_get_paused_by (peer->conference, i)); i++)
    g_variant_builder_add (&builder, "s", name);
  g_mutex_unlock (&peer->lock);
  return g_variant_builder_end (&builder);
}

static void
add_count (GVariantBuilder *builder, const char *name, guint64 *counter)
{
  g_variant_builder_add (builder, "{sv}", name,
      g_variant_new_uint64 (__atomic_load_n (counter, __ATOMIC_RELAXED)));
}

GVariant *
bravis_peer_get_stats (BravisPeer *peer)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  char text[GCP_ADDRESS_STRING_SIZE];

  g_variant_builder_add (&builder, "{sv}", "local-address",
      g_variant_new_string (gcp_address_format (&peer->local, text)));
  add_count (&builder, "datagrams-received", &peer->counters.received);
  add_count (&builder, "media-received", &peer->counters.media_received);
  add_count (&builder, "control-dropped", &peer->counters.control_dropped);
  add_count (&builder, "datagrams-sent", &peer->counters.sent);
  add_count (&builder, "messages-received", &peer->counters.messages_received);
  g_variant_builder_add (&builder, "{sv}", "waiting-for", list_paused (peer));
  g_variant_builder_add (&builder, "{sv}", "epochs-kept",
      g_variant_new_uint32 (bravis_epoch_book_get_n_epochs (peer->book)));
  return g_variant_builder_end (&builder);
}
