#include "conference-world.h"

#include <string.h>

static void
fill_seeded (gpointer user_data, gpointer out, gsize size)
{
  sim_random_fill (user_data, out, size);
}

/* --- checks that hold in every history --- */

/* Keys are the same for all, and made for members only. */
static void
check_epoch (Peer *peer, BravisEpoch *epoch)
{
  World *world = peer->world;
  GcpMemberId self = peer->conference->own->card->id;
  BravisEpoch *last = peer_epoch (peer);
  BravisKid kid = { bravis_epoch_get_number (epoch), 0, BRAVIS_KIND_VIDEO, 1 };
  g_autoptr (BravisSecret) key = bravis_epoch_derive_base_key (epoch,
      bravis_kid_pack (&kid));
  char *name = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
      " %" G_GUINT64_FORMAT,
      gcp_view_get_member (bravis_epoch_get_view (epoch), 0)->id,
      gcp_view_get_number (bravis_epoch_get_view (epoch)),
      bravis_epoch_get_number (epoch));
  BravisSecret *known = g_hash_table_lookup (world->codes, name);

  g_assert_true (gcp_view_contains (bravis_epoch_get_view (epoch), self));
  if (last)
    g_assert_cmpuint (bravis_epoch_get_number (epoch), >,
        bravis_epoch_get_number (last));
  if (known) {
    g_assert_true (bravis_secret_equal (known, key));
    g_free (name);
    return;
  }
  g_hash_table_insert (world->codes, name, g_steal_pointer (&key));
}

/* Once to each incarnation of the receiver, which has keys of its own. */
static void
check_packet_number (World *world, guint to, const guint8 *data, gsize size)
{
  Peer *receiver = world_get (world, to);
  GcpReader reader;
  guint64 sender, number;
  char *name;
  guint n_used;

  gcp_reader_init (&reader, data, size);
  gcp_read_u8 (&reader);
  sender = gcp_read_u64 (&reader);
  number = gcp_read_u64 (&reader);
  name = g_strdup_printf ("%" G_GINT64_MODIFIER "x %u %" G_GINT64_MODIFIER "x",
      sender, to, number);
  n_used = GPOINTER_TO_UINT (g_hash_table_lookup (world->packets, name));
  g_assert_cmpuint (n_used, <, receiver->n_incarnations);
  g_hash_table_insert (world->packets, name, GUINT_TO_POINTER (n_used + 1));
}

static void
check_datagram (guint from, guint to, const guint8 *data, gsize size,
    gint64 now, gpointer user_data)
{
  World *world = user_data;
  const char domain[] = "@example.org";

  g_assert_cmpuint (size, <=, 1200);
  g_assert_null (memmem (data, size, domain, strlen (domain)));
  if (size > 0 && data[0] == 193)
    check_packet_number (world, to, data, size);
  if (to == world->record_for)
    g_ptr_array_add (world->recorded, g_bytes_new (data, size));
}

/* --- outputs --- */

static void
note (GPtrArray *list, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
note (GPtrArray *list, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (list, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static guint
find_node (World *world, const GcpAddress *address)
{
  for (guint i = 0; i < world->peers->len; i++)
    if (gcp_address_equal (&world_get (world, i)->address, address))
      return i;
  return G_MAXUINT;
}

static void
send_datagram (Peer *peer, const BravisConferenceOutput *output)
{
  World *world = peer->world;
  guint to = find_node (world, &output->address);

  if (world->n_sent++ == world->crash_at)
    sim_network_crash (world->network, world->victim);
  if (to != G_MAXUINT
      && !sim_network_is_crashed (world->network, peer->node))
    sim_network_send (world->network, peer->node, to,
        g_bytes_get_data (output->bytes, NULL),
        g_bytes_get_size (output->bytes));
}

static void
take_addresses (Peer *peer, GArray *addresses)
{
  g_ptr_array_set_size (peer->addresses, 0);
  for (guint i = 0; i < addresses->len; i++) {
    GcpAddress *address = &g_array_index (addresses, GcpAddress, i);
    char text[GCP_ADDRESS_STRING_SIZE];

    note (peer->addresses, "%s", gcp_address_is_none (address) ? "-"
        : gcp_address_format (address, text));
  }
}

static void
handle (Peer *peer, BravisConferenceOutput *output)
{
  static const char *const departures[] = { "left", "failed", "put-out" };

  if (peer->world->watch)
    peer->world->watch (peer, output);
  switch (output->type) {
    case BRAVIS_CONFERENCE_SEND:
      send_datagram (peer, output);
      break;
    case BRAVIS_CONFERENCE_VIEW:
      g_assert_true (gcp_view_contains (output->view,
          peer->conference->own->card->id));
      g_assert_cmpuint (g_strv_length (output->names), ==,
          gcp_view_get_n_members (output->view));
      g_assert_cmpuint (output->member, ==, peer->conference->own->card->id);
      for (guint i = 0; output->names[i]; i++)
        g_assert_false (g_strv_contains ((const char *const *) output->names
                + i + 1, output->names[i]));
      break;
    case BRAVIS_CONFERENCE_MESSAGE:
      note (peer->events, "message %s %.*s",
          bravis_conference_name_of (peer->conference, output->member),
          (int) g_bytes_get_size (output->bytes),
          (const char *) g_bytes_get_data (output->bytes, NULL));
      break;
    case BRAVIS_CONFERENCE_COMMAND:
      note (peer->events, "command %s %u %.*s",
          bravis_conference_name_of (peer->conference, output->member),
          output->command_kind, (int) g_bytes_get_size (output->bytes),
          (const char *) g_bytes_get_data (output->bytes, NULL));
      break;
    case BRAVIS_CONFERENCE_EPOCH:
      g_assert_cmpuint (output->addresses->len, ==,
          bravis_epoch_get_n_members (output->epoch));
      check_epoch (peer, output->epoch);
      g_ptr_array_add (peer->epochs, bravis_epoch_ref (output->epoch));
      g_array_append_val (peer->causes, output->cause);
      take_addresses (peer, output->addresses);
      break;
    case BRAVIS_CONFERENCE_VERIFICATION:
      g_assert_true (output->epoch == peer_epoch (peer));
      g_assert_cmpuint (strlen (output->name), ==, strlen ("123 456 789"));
      break;
    case BRAVIS_CONFERENCE_ADDRESSES:
      take_addresses (peer, output->addresses);
      break;
    case BRAVIS_CONFERENCE_MEMBER_JOINED:
      note (peer->events, "joined %s", output->name);
      break;
    case BRAVIS_CONFERENCE_MEMBER_LEFT:
      note (peer->events, "left %s %s", output->name,
          departures[output->departure]);
      break;
    case BRAVIS_CONFERENCE_STREAM_ADDED:
      note (peer->events, "stream %s %s %u %s", output->name,
          bravis_kind_to_string (output->stream.kind), output->stream.stream,
          output->stream.description);
      break;
    case BRAVIS_CONFERENCE_STREAM_REMOVED:
      note (peer->events, "end %s %u", output->name, output->stream.stream);
      break;
    case BRAVIS_CONFERENCE_REFUSED:
      g_assert_error (output->error, BRAVIS_ERROR, output->error->code);
      note (peer->refusals, "%s|%s|%d", output->name ? output->name : "?",
          output->by ? output->by : "-", output->error->code);
      if (g_getenv ("WORLD_VERBOSE"))
        g_printerr ("%" G_GINT64_FORMAT " %s: %s refused by %s: %s\n",
            sim_network_now (peer->world->network), peer->name, output->name,
            output->by, output->error->message);
      break;
    case BRAVIS_CONFERENCE_UNREACHABLE:
      note (peer->events, "unreachable %s", output->name);
      break;
    case BRAVIS_CONFERENCE_OVER_FOR_US:
      g_assert_false (peer->over);
      peer->over = TRUE;
      peer->end_reason = output->end_reason;
      break;
  }
}

gint64
world_get_time (World *world)
{
  return world->wall_clock + sim_network_now (world->network) / WORLD_SECOND;
}

void
peer_multicast (Peer *peer, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  bravis_conference_send_message (peer->conference, bytes, GCP_AGREED);
  bravis_conference_tick (peer->conference,
      sim_network_now (peer->world->network), world_get_time (peer->world));
  peer_drain (peer);
}

void
peer_set_busy (Peer *peer, gboolean busy)
{
  bravis_conference_set_busy (peer->conference, busy);
  bravis_conference_tick (peer->conference,
      sim_network_now (peer->world->network), world_get_time (peer->world));
  peer_drain (peer);
}

void
peer_drain (Peer *peer)
{
  World *world = peer->world;
  BravisConferenceOutput output;

  if (peer->conference->own->card->id != peer->last_id) {
    peer->last_id = peer->conference->own->card->id;
    peer->n_incarnations++;
  }
  while (bravis_conference_poll (peer->conference, &output)) {
    if (!sim_network_is_crashed (world->network, peer->node))
      handle (peer, &output);
    bravis_conference_output_clear (&output);
  }
  sim_network_set_deadline (world->network, peer->node,
      bravis_conference_deadline (peer->conference));
}

/* --- inputs --- */

static void
on_receive (gpointer user_data, guint from, const guint8 *data, gsize size,
    gint64 now)
{
  Peer *peer = user_data;

  bravis_conference_receive (peer->conference,
      &world_get (peer->world, from)->address, data, size, now,
      world_get_time (peer->world));
  peer_drain (peer);
}

static void
on_tick (gpointer user_data, gint64 now)
{
  Peer *peer = user_data;

  bravis_conference_tick (peer->conference, now, world_get_time (peer->world));
  peer_drain (peer);
}

static gboolean
may_invite (const char *name, gpointer user_data)
{
  return !((Peer *) user_data)->denies;
}

static gint64
get_now (Peer *peer)
{
  return sim_network_now (peer->world->network);
}

void
peer_start (Peer *peer)
{
  bravis_conference_start (peer->conference, get_now (peer));
  peer_drain (peer);
}

void
peer_invite (Peer *peer, Peer *other)
{
  bravis_conference_invite (peer->conference, other->name, &other->address,
      get_now (peer), world_get_time (peer->world));
  peer_drain (peer);
}

void
peer_leave (Peer *peer)
{
  bravis_conference_leave (peer->conference, get_now (peer));
  peer_drain (peer);
}

void
peer_crash (Peer *peer)
{
  sim_network_crash (peer->world->network, peer->node);
}

void
peer_refresh (Peer *peer)
{
  bravis_conference_refresh (peer->conference, get_now (peer));
  peer_drain (peer);
}

guint16
peer_add_stream (Peer *peer, BravisKind kind, const char *description)
{
  g_autoptr (GError) error = NULL;
  guint16 stream = 0;

  g_assert_true (bravis_conference_add_stream (peer->conference, kind, &stream,
      &error));
  g_assert_true (bravis_conference_describe_stream (peer->conference, stream,
      description, get_now (peer), &error));
  g_assert_no_error (error);
  peer_drain (peer);
  return stream;
}

void
peer_receive (Peer *peer, const GcpAddress *from, gconstpointer data,
    gsize size)
{
  bravis_conference_receive (peer->conference, from, data, size,
      get_now (peer), world_get_time (peer->world));
  peer_drain (peer);
}

void
peer_say (Peer *peer, GBytes *bytes)
{
  bravis_conference_multicast (peer->conference, bytes, GCP_AGREED);
  on_tick (peer, get_now (peer));
}

void
peer_say_message (Peer *peer, const BravisGroupMessage *message)
{
  g_autoptr (GBytes) bytes = bravis_group_message_write (message);

  peer_say (peer, bytes);
}

void
peer_move (Peer *peer)
{
  peer->address.port++;
}

/* --- questions --- */

gboolean
peer_is_live (Peer *peer)
{
  return !sim_network_is_crashed (peer->world->network, peer->node)
      && bravis_conference_get_state (peer->conference)
          == BRAVIS_CONFERENCE_MEMBER;
}

BravisEpoch *
peer_epoch (Peer *peer)
{
  return peer->epochs->len == 0 ? NULL
      : g_ptr_array_index (peer->epochs, peer->epochs->len - 1);
}

BravisCause
peer_cause (Peer *peer)
{
  g_assert_cmpuint (peer->causes->len, >, 0);
  return g_array_index (peer->causes, BravisCause, peer->causes->len - 1);
}

guint
peer_n_members (Peer *peer)
{
  return peer->conference->view
      ? gcp_view_get_n_members (peer->conference->view) : 0;
}

gboolean
peer_was_told (Peer *peer, const char *event)
{
  for (guint i = 0; i < peer->events->len; i++)
    if (g_pattern_match_simple (event, g_ptr_array_index (peer->events, i)))
      return TRUE;
  return FALSE;
}

gboolean
peer_reports (Peer *peer, const char *name, const char *by, BravisError code)
{
  g_autofree char *wanted = g_strdup_printf ("%s|%s|%d", name, by ? by : "-",
      code);

  return g_ptr_array_find_with_equal_func (peer->refusals, wanted, g_str_equal,
      NULL);
}

/* --- the world --- */

Peer *
world_get (World *world, guint node)
{
  return g_ptr_array_index (world->peers, node);
}

/* The verification code of its present epoch; NULL: not there yet. */
static const char *
peer_code (Peer *peer)
{
  BravisVerification *verification = peer->conference->verification;

  return verification && bravis_verification_get_epoch (verification)
      == peer->conference->epoch ? bravis_verification_get_code (verification)
      : NULL;
}

gboolean
world_is_settled (World *world)
{
  Peer *first = NULL;
  guint n_live = 0;

  for (guint i = 0; i < world->peers->len; i++) {
    Peer *peer = world_get (world, i);

    if (!peer_is_live (peer))
      continue;
    n_live++;
    if (!first)
      first = peer;
    if (!peer_epoch (peer) || !peer->conference->view
        || !gcp_view_equal (peer->conference->view, first->conference->view)
        || !gcp_view_equal (bravis_epoch_get_view (peer_epoch (peer)),
            peer->conference->view)
        || bravis_epoch_get_number (peer_epoch (peer))
            != bravis_epoch_get_number (peer_epoch (first))
        || !peer_code (peer) || !peer_code (first)
        || strcmp (peer_code (peer), peer_code (first)) != 0)
      return FALSE;
  }
  return !first || peer_n_members (first) == n_live;
}

void
world_assert_settled (World *world, guint n_members)
{
  guint n_live = 0;

  for (guint i = 0; i < world->peers->len; i++)
    n_live += peer_is_live (world_get (world, i));
  g_assert_cmpuint (n_live, ==, n_members);
  g_assert_true (world_is_settled (world));
}

void
world_run (World *world, gint64 time)
{
  sim_network_run_until (world->network,
      sim_network_now (world->network) + time);
}

void
world_run_until (World *world, gboolean (*done) (World *world), gint64 limit)
{
  gint64 end = sim_network_now (world->network) + limit;

  while (!done (world)) {
    g_assert_cmpint (sim_network_now (world->network), <, end);
    world_run (world, 10 * WORLD_MS);
  }
}

Peer *
world_add_of_kind (World *world, const char *name, TestPkiKind kind)
{
  static const SimNodeFuncs funcs = { on_receive, on_tick };
  g_autoptr (BravisIdentity) identity = test_pki_identity_of_kind (world->pki,
      name, kind);
  g_autoptr (GError) error = NULL;
  Peer *peer = g_new0 (Peer, 1);
  BravisConferenceConfig config = { .identity = identity,
    .name = WORLD_CONFERENCE, .random = world->source,
    .key_lifetime = world->key_lifetime, .may_invite = may_invite,
    .user_data = peer };

  config.policy = world->policy;
  gcp_config_init (&config.gcp);
  peer->world = world;
  peer->name = g_strdup (bravis_identity_get_name (identity));
  peer->epochs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bravis_epoch_unref);
  peer->causes = g_array_new (FALSE, FALSE, sizeof (BravisCause));
  peer->refusals = g_ptr_array_new_with_free_func (g_free);
  peer->events = g_ptr_array_new_with_free_func (g_free);
  peer->addresses = g_ptr_array_new_with_free_func (g_free);
  peer->node = sim_network_add_node (world->network, &funcs, peer);
  peer->address = (GcpAddress) { .family = 4,
    .ip = { 10, 0, (peer->node + 1) >> 8, peer->node + 1 }, .port = 5000 };
  peer->conference = bravis_conference_new (&config,
      sim_network_now (world->network), world_get_time (world), &error);
  g_assert_no_error (error);
  g_ptr_array_add (world->peers, peer);
  peer_drain (peer);
  return peer;
}

Peer *
world_add (World *world, const char *name)
{
  return world_add_of_kind (world, name, TEST_PKI_GOOD);
}

static void
peer_free (gpointer data)
{
  Peer *peer = data;

  bravis_conference_free (peer->conference);
  g_ptr_array_unref (peer->epochs);
  g_array_unref (peer->causes);
  g_ptr_array_unref (peer->refusals);
  g_ptr_array_unref (peer->events);
  g_ptr_array_unref (peer->addresses);
  g_free (peer->name);
  g_free (peer);
}

World *
world_new (TestPki *pki, guint64 seed, double loss)
{
  World *world = g_new0 (World, 1);
  SimConditions conditions = { .loss = loss, .duplicate = loss / 2,
    .reorder = loss, .delay_min = 5 * WORLD_MS, .delay_max = 40 * WORLD_MS,
    .late = 50 * WORLD_MS };

  world->pki = pki;
  bravis_policy_init (&world->policy);
  world->network = sim_network_new (seed, &conditions);
  sim_random_init (&world->random, seed ^ 0x5eed);
  world->source = (BravisRandom) { fill_seeded, &world->random };
  world->peers = g_ptr_array_new_with_free_func (peer_free);
  world->codes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify) bravis_secret_unref);
  world->packets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      NULL);
  world->recorded =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  world->record_for = G_MAXUINT;
  world->crash_at = G_MAXUINT;
  world->wall_clock = TEST_PKI_NOW;
  sim_network_set_tap (world->network, check_datagram, world);
  return world;
}

World *
world_new_conference (TestPki *pki, guint n, gint64 key_lifetime)
{
  static const char *const names[] = { "alice", "bob", "carol", "dave" };
  World *world = world_new (pki, n, 0);

  world->key_lifetime = key_lifetime;
  for (guint i = 0; i < n; i++)
    world_add (world, names[i]);
  peer_start (world_get (world, 0));
  for (guint i = 1; i < n; i++) {
    peer_invite (world_get (world, 0), world_get (world, i));
    world_run (world, 2 * WORLD_SECOND);
  }
  world_assert_settled (world, n);
  return world;
}

void
world_free (World *world)
{
  g_ptr_array_unref (world->peers);
  sim_network_free (world->network);
  g_hash_table_unref (world->codes);
  g_hash_table_unref (world->packets);
  g_ptr_array_unref (world->recorded);
  g_free (world);
}
