/* make-vectors: what this implementation makes of known inputs, as JSON
 *
 *   make-vectors DIRECTORY           writes them to the standard output
 *   make-vectors --check DIRECTORY   says whether DIRECTORY/bravis.json has the same
 *
 * DIRECTORY is that of this file: the identities are in it. README.md there says what
 * each member of the JSON is. Nothing is random: where a peer would draw, it gets the
 * next octets of a known row, and what it got is written beside what it made.
 */
#include "../../gst/bravis-frame-guard.h"
#include "../../keymgmt/bravis-command.h"
#include "../../keymgmt/bravis-handshake.h"
#include "../../keymgmt/bravis-link.h"
#include "../../keymgmt/bravis-membership-log.h"
#include "../../keymgmt/bravis-verification.h"
#include "../../keymgmt/bravis-vtkd-message.h"
#include "../../keymgmt/bravis-vtkd.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define CONFERENCE "vectors"
#define WALL_CLOCK G_GINT64_CONSTANT (1800000000)       /* 2027-01-15 */
#define N_MEMBERS 3
#define SRTP_SALT_SIZE 12       /* of AES-GCM, whose keys are of the base key's size */

static const char *const names[N_MEMBERS] = { "alice", "bob", "carol" };

typedef struct {
  const char *directory;
  JsonBuilder *json;
  BravisIdentity *identities[N_MEMBERS];
  BravisOwnCard *own[N_MEMBERS];
  BravisCard *cards[N_MEMBERS]; /* as another verified them */
} Vectors;

/* --- writing --- */

static void
begin (Vectors *v, const char *name)
{
  json_builder_set_member_name (v->json, name);
  json_builder_begin_object (v->json);
}

static void
end (Vectors *v)
{
  json_builder_end_object (v->json);
}

static void
add_text (Vectors *v, const char *name, const char *text)
{
  json_builder_set_member_name (v->json, name);
  json_builder_add_string_value (v->json, text);
}

static void
add_number (Vectors *v, const char *name, guint64 value)
{
  json_builder_set_member_name (v->json, name);
  json_builder_add_int_value (v->json, value);
}

static char *
to_hex (gconstpointer data, gsize size)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", ((const guint8 *) data)[i]);
  return g_string_free (text, FALSE);
}

static void
add_octets (Vectors *v, const char *name, gconstpointer data, gsize size)
{
  g_autofree char *hex = to_hex (data, size);

  add_text (v, name, hex);
}

static void
add_bytes (Vectors *v, const char *name, GBytes *bytes)
{
  add_octets (v, name, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static void
add_secret (Vectors *v, const char *name, const BravisSecret *secret)
{
  add_octets (v, name, bravis_secret_peek (secret),
      bravis_secret_get_size (secret));
}

/* --- what is drawn --- */

/* SHA-256 (name | u8 number of the draw), again and again. */
typedef struct {
  const char *name;
  guint8 n;
  GPtrArray *drawn;             /* of char *, hexadecimal */
} Draws;

static void
draw (gpointer user_data, gpointer out, gsize size)
{
  Draws *draws = user_data;

  for (gsize at = 0; at < size; at += BRAVIS_HASH_SIZE) {
    g_autofree char *text = g_strdup_printf ("%s%c", draws->name, ++draws->n);
    guint8 digest[BRAVIS_HASH_SIZE];

    bravis_sha256 (text, strlen (text), digest);
    memcpy ((guint8 *) out + at, digest, MIN (size - at, sizeof digest));
  }
  g_ptr_array_add (draws->drawn, to_hex (out, size));
}

static Draws *
draws_new (const char *name)
{
  Draws *draws = g_new0 (Draws, 1);

  draws->name = name;
  draws->drawn = g_ptr_array_new_with_free_func (g_free);
  return draws;
}

static void
draws_free (Draws *draws)
{
  g_ptr_array_unref (draws->drawn);
  g_free (draws);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Draws, draws_free)

static BravisRandom
random_of (Draws *draws)
{
  return (BravisRandom) { draw, draws };
}

static void
add_draws (Vectors *v, const char *name, const Draws *draws)
{
  json_builder_set_member_name (v->json, name);
  json_builder_begin_array (v->json);
  for (guint i = 0; i < draws->drawn->len; i++)
    json_builder_add_string_value (v->json, draws->drawn->pdata[i]);
  json_builder_end_array (v->json);
}

/* --- members --- */

static char *
file_of (const Vectors *v, const char *name, const char *suffix)
{
  g_autofree char *base = g_strconcat (name, suffix, NULL);

  return g_build_filename (v->directory, "identities", base, NULL);
}

static void
load_identities (Vectors *v)
{
  g_autofree char *trust = file_of (v, "ca", ".pem");

  for (guint i = 0; i < N_MEMBERS; i++) {
    g_autofree char *certificate = file_of (v, names[i], ".pem");
    g_autofree char *key = file_of (v, names[i], "-key.pem");
    g_autoptr (GError) error = NULL;

    v->identities[i] = bravis_identity_new (certificate, key, trust, NULL, &error);
    if (error)
      g_error ("%s", error->message);
  }
}

static void
make_card (Vectors *v, guint i)
{
  g_autoptr (Draws) draws = draws_new (names[i]);
  g_autoptr (GError) error = NULL;
  BravisRandom random = random_of (draws);

  v->own[i] = bravis_own_card_new (v->identities[i], CONFERENCE, WALL_CLOCK,
      &random, &error);
  if (v->own[i])
    v->cards[i] = bravis_card_verify (v->own[i]->card->bytes,
        v->identities[(i + 1) % N_MEMBERS], CONFERENCE, WALL_CLOCK, &error);
  if (error)
    g_error ("%s", error->message);
  json_builder_begin_object (v->json);
  add_text (v, "identity", names[i]);
  add_draws (v, "drawn", draws);
  add_number (v, "made", WALL_CLOCK);
  add_bytes (v, "card", v->own[i]->card->bytes);
  add_octets (v, "digest", v->own[i]->card->digest, BRAVIS_HASH_SIZE);
  add_secret (v, "link_private", v->own[i]->link_key);
  add_secret (v, "share_private", v->own[i]->share_key);
  end (v);
}

static void
make_cards (Vectors *v)
{
  json_builder_set_member_name (v->json, "cards");
  json_builder_begin_array (v->json);
  for (guint i = 0; i < N_MEMBERS; i++)
    make_card (v, i);
  json_builder_end_array (v->json);
}

/* --- the handshake: alice invites bob --- */

static void
add_key (Vectors *v, const char *name, const BravisHandshake *handshake,
    BravisMessageType type, BravisRole sender)
{
  g_autoptr (BravisSecret) key = bravis_handshake_derive_key (handshake, type,
      sender);

  add_secret (v, name, key);
}

static void
make_handshake (Vectors *v)
{
  g_autoptr (Draws) drawn_by_inviter = draws_new ("inviter");
  g_autoptr (Draws) drawn_by_invitee = draws_new ("invitee");
  BravisRandom random = random_of (drawn_by_inviter);
  BravisRandom other = random_of (drawn_by_invitee);
  g_autoptr (BravisHandshake) inviter = bravis_handshake_new_inviter (CONFERENCE,
      &random);
  g_autoptr (BravisHandshake) invitee = NULL;
  g_autoptr (GBytes) hello = NULL;
  g_autoptr (GBytes) first = NULL;
  g_autoptr (GBytes) second = NULL;
  g_autoptr (GError) error = NULL;
  GBytes *reply;
  guint8 cookie[BRAVIS_COOKIE_SIZE];
  BravisHello parsed;

  memset (cookie, 0xcc, sizeof cookie);
  hello = bravis_handshake_make_hello (inviter, cookie);
  if (!bravis_hello_parse (g_bytes_get_data (hello, NULL),
          g_bytes_get_size (hello), &parsed))
    g_error ("HELLO");
  invitee = bravis_handshake_new_invitee (CONFERENCE, &parsed, &other);
  reply = bravis_handshake_get_reply (invitee);
  if (!bravis_handshake_take_reply (inviter, g_bytes_get_data (reply, NULL),
          g_bytes_get_size (reply)))
    g_error ("REPLY");
  first = bravis_handshake_make_proof (inviter, v->identities[0], v->own[0],
      &error);
  if (!first || !bravis_handshake_check_proof (invitee, first, v->identities[1],
          WALL_CLOCK, &error)
      || !(second = bravis_handshake_make_proof (invitee, v->identities[1],
              v->own[1], &error))
      || !bravis_handshake_check_proof (inviter, second, v->identities[0],
          WALL_CLOCK, &error))
    g_error ("%s", error->message);
  begin (v, "handshake");
  add_draws (v, "drawn_by_inviter", drawn_by_inviter);
  add_draws (v, "drawn_by_invitee", drawn_by_invitee);
  add_bytes (v, "hello", hello);
  add_bytes (v, "reply", reply);
  add_bytes (v, "inviter_proof", first);
  add_bytes (v, "invitee_proof", second);
  add_key (v, "key_inviter", inviter, BRAVIS_MESSAGE_INVITER, BRAVIS_ROLE_INVITER);
  add_key (v, "key_invitee", inviter, BRAVIS_MESSAGE_INVITEE, BRAVIS_ROLE_INVITEE);
  add_key (v, "key_welcome", inviter, BRAVIS_MESSAGE_WELCOME, BRAVIS_ROLE_INVITER);
  add_key (v, "key_ready", invitee, BRAVIS_MESSAGE_READY, BRAVIS_ROLE_INVITEE);
  end (v);
}

/* --- the sealed link: alice to bob --- */

static void
make_link (Vectors *v)
{
  g_autoptr (BravisLink) link = bravis_link_new (v->own[0], v->cards[1]);
  g_autoptr (GBytes) first = bravis_link_seal (link, "first", 5);
  g_autoptr (GBytes) second = bravis_link_seal_relayed (link, "over another", 12);

  begin (v, "link");
  add_text (v, "plaintext", "first");
  add_bytes (v, "datagram", first);
  add_text (v, "relayed_plaintext", "over another");
  add_bytes (v, "relayed_datagram", second);
  end (v);
}

/* --- VTKD: one begins, two join, the next holder changes the key --- */

typedef struct {
  BravisVtkd *members[N_MEMBERS];
  Draws *draws[N_MEMBERS];
  BravisEpoch *epochs[N_MEMBERS];
  GQueue order;                 /* of Message */
  gboolean lossy;               /* no key change arrives */
  gboolean blames;              /* members are to blame each other */
} Group;

typedef struct {
  guint from;
  GBytes *bytes;
} Message;

static void
take_outputs (Group *group, guint i)
{
  BravisVtkdOutput output;

  while (bravis_vtkd_poll (group->members[i], &output)) {
    Message *message;

    if (output.type == BRAVIS_VTKD_BLAME && !group->blames)
      g_error ("%s blames: %s", names[i], output.error->message);
    if (output.type == BRAVIS_VTKD_EPOCH) {
      g_clear_pointer (&group->epochs[i], bravis_epoch_unref);
      group->epochs[i] = bravis_epoch_ref (output.epoch);
    } else if (output.type == BRAVIS_VTKD_MULTICAST) {
      message = g_new (Message, 1);
      message->from = i;
      message->bytes = g_bytes_ref (output.bytes);
      g_queue_push_tail (&group->order, message);
    }
    bravis_vtkd_output_clear (&output);
  }
}

static void
install (Vectors *v, Group *group, guint64 number, guint n, BravisCause cause)
{
  GcpMember members[N_MEMBERS];
  g_autoptr (GcpView) view = NULL;

  for (guint i = 0; i < n; i++)
    members[i] = (GcpMember) { v->cards[i]->id, v->cards[i]->bytes };
  view = gcp_view_new (number, TRUE, members, n);
  for (guint i = 0; i < n; i++) {
    bravis_vtkd_view (group->members[i], view, v->cards, cause);
    take_outputs (group, i);
  }
}

static gboolean
is_lost (Group *group, GBytes *bytes)
{
  return group->lossy && ((const guint8 *) g_bytes_get_data (bytes, NULL))[0]
      == BRAVIS_VTKD_KEYS;
}

/* All that is said, in the group's order, until nothing is. */
static void
deliver (Vectors *v, Group *group, guint n)
{
  Message *message;

  json_builder_set_member_name (v->json, "messages");
  json_builder_begin_array (v->json);
  while ((message = g_queue_pop_head (&group->order))) {
    json_builder_begin_object (v->json);
    add_text (v, "from", names[message->from]);
    add_bytes (v, "message", message->bytes);
    if (is_lost (group, message->bytes))
      add_text (v, "lost", "yes");
    end (v);
    for (guint i = 0; i < n && !is_lost (group, message->bytes); i++) {
      bravis_vtkd_deliver (group->members[i], v->cards[message->from]->id,
          message->bytes);
      take_outputs (group, i);
    }
    g_bytes_unref (message->bytes);
    g_free (message);
  }
  json_builder_end_array (v->json);
}

static void
add_base_key (Vectors *v, const char *name, const BravisEpoch *epoch,
    BravisKid kid)
{
  guint64 packed = bravis_kid_pack (&kid);
  g_autoptr (BravisSecret) base = bravis_epoch_derive_base_key (epoch, packed);
  g_autoptr (BravisSecret) srtp = bravis_epoch_derive_srtp_key (epoch, packed,
      bravis_secret_get_size (base) + SRTP_SALT_SIZE);

  begin (v, name);
  add_number (v, "kid", packed);
  add_secret (v, "base_key", base);
  add_secret (v, "srtp_key", srtp);
  end (v);
}

static void
add_epoch (Vectors *v, const BravisEpoch *epoch)
{
  guint64 number = bravis_epoch_get_number (epoch);
  g_autoptr (BravisSecret) exported = bravis_epoch_export (epoch, "vectors", "x", 1,
      32);

  begin (v, "epoch");
  add_number (v, "number", number);
  add_number (v, "view", gcp_view_get_number (bravis_epoch_get_view (epoch)));
  add_secret (v, "secret", bravis_epoch_get_secret (epoch));
  add_octets (v, "confirmation", bravis_epoch_get_confirmation (epoch),
      BRAVIS_HASH_SIZE);
  add_secret (v, "exported", exported);
  add_base_key (v, "video", epoch, (BravisKid) { number, 0, BRAVIS_KIND_VIDEO, 7 });
  add_base_key (v, "audio", epoch, (BravisKid) { number,
      bravis_epoch_get_n_members (epoch) - 1, BRAVIS_KIND_AUDIO, 0 });
  end (v);
}

static void
add_step (Vectors *v, Group *group, guint n)
{
  deliver (v, group, n);
  for (guint i = 1; i < n; i++)
    if (!bravis_secret_equal (bravis_epoch_get_secret (group->epochs[0]),
            bravis_epoch_get_secret (group->epochs[i])))
      g_error ("%s has another key", names[i]);
  add_epoch (v, group->epochs[0]);
}

static void
group_init (Vectors *v, Group *group)
{
  static const char *const drawn[N_MEMBERS] = { "vtkd alice", "vtkd bob",
    "vtkd carol" };
  BravisPolicy policy;

  bravis_policy_init (&policy);
  policy.cipher[BRAVIS_KIND_VIDEO] = BRAVIS_CIPHER_AES_256_GCM;
  *group = (Group) { { NULL } };
  g_queue_init (&group->order);
  for (guint i = 0; i < N_MEMBERS; i++) {
    BravisRandom random;

    group->draws[i] = draws_new (drawn[i]);
    random = random_of (group->draws[i]);
    group->members[i] = bravis_vtkd_new (v->identities[i], CONFERENCE, v->own[i],
        &policy, 0, &random);
  }
}

static void
group_clear (Group *group)
{
  for (guint i = 0; i < N_MEMBERS; i++) {
    bravis_vtkd_free (group->members[i]);
    g_clear_pointer (&group->epochs[i], bravis_epoch_unref);
    draws_free (group->draws[i]);
  }
}

/* The key change of who has the token is lost, and the others lose patience. */
static void
make_overdue (Vectors *v, Group *group)
{
  begin (v, "silence");
  group->lossy = TRUE;
  bravis_vtkd_refresh (group->members[0]);
  take_outputs (group, 0);
  deliver (v, group, N_MEMBERS);
  group->lossy = FALSE;
  end (v);
  begin (v, "overdue");
  group->blames = TRUE;
  for (guint i = 0; i < N_MEMBERS; i++) {
    bravis_vtkd_lose_patience (group->members[i]);
    take_outputs (group, i);
  }
  add_step (v, group, N_MEMBERS);
  group->blames = FALSE;
  end (v);
}

static void
make_vtkd (Vectors *v, Group *group)
{
  begin (v, "vtkd");
  begin (v, "begin");
  install (v, group, 1, 1, BRAVIS_CAUSE_START);
  add_step (v, group, 1);
  end (v);
  begin (v, "join");
  install (v, group, 2, N_MEMBERS, BRAVIS_CAUSE_JOIN);
  add_step (v, group, N_MEMBERS);
  end (v);
  begin (v, "refresh");
  bravis_vtkd_refresh (group->members[2]);
  take_outputs (group, 2);
  add_step (v, group, N_MEMBERS);
  end (v);
  make_overdue (v, group);
  begin (v, "drawn");
  for (guint i = 0; i < N_MEMBERS; i++)
    add_draws (v, names[i], group->draws[i]);
  end (v);
  end (v);
}

/* --- what the last epoch's members do with it --- */

static void
make_verification (Vectors *v, Group *group)
{
  BravisVerification *members[N_MEMBERS];
  BravisGroupMessage commits[N_MEMBERS], reveals[N_MEMBERS] = { { 0 } };
  g_autoptr (Draws) draws = draws_new ("verification");
  BravisRandom random = random_of (draws);
  guint8 shares[BRAVIS_HASH_SIZE];

  begin (v, "verification");
  for (guint i = 0; i < N_MEMBERS; i++) {
    bravis_vtkd_hash_shares (group->members[i], shares);
    members[i] = bravis_verification_new (group->epochs[i], shares, &random);
    commits[i] = (BravisGroupMessage) { 0 };
    bravis_verification_commit (members[i], &commits[i]);
  }
  for (guint from = 0; from < N_MEMBERS; from++)
    for (guint i = 0; i < N_MEMBERS; i++)
      bravis_verification_deliver (members[i], v->cards[from]->id, &commits[from],
          &reveals[i]);
  for (guint from = 0; from < N_MEMBERS; from++)
    for (guint i = 0; i < N_MEMBERS; i++) {
      BravisGroupMessage none = { 0 };

      bravis_verification_deliver (members[i], v->cards[from]->id, &reveals[from],
          &none);
    }
  add_draws (v, "drawn", draws);
  add_octets (v, "shares", shares, sizeof shares);
  json_builder_set_member_name (v->json, "messages");
  json_builder_begin_array (v->json);
  for (guint i = 0; i < 2 * N_MEMBERS; i++) {
    g_autoptr (GBytes) bytes = bravis_group_message_write (i < N_MEMBERS
        ? &commits[i] : &reveals[i - N_MEMBERS]);

    json_builder_begin_object (v->json);
    add_text (v, "from", names[i % N_MEMBERS]);
    add_bytes (v, "message", bytes);
    end (v);
  }
  json_builder_end_array (v->json);
  add_text (v, "code", bravis_verification_get_code (members[0]));
  end (v);
  for (guint i = 0; i < N_MEMBERS; i++)
    bravis_verification_free (members[i]);
}

static void
make_command (Vectors *v)
{
  g_auto (BravisCommand) command = {.view = 2,.sequence = 1,.kind = 1,
    .body = g_bytes_new_static ("yes", 3)
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = bravis_command_sign (&command, v->identities[1],
      CONFERENCE, v->cards[1]->id, &error);

  if (!bytes)
    g_error ("%s", error->message);
  begin (v, "command");
  add_text (v, "from", names[1]);
  add_number (v, "view", command.view);
  add_number (v, "sequence", command.sequence);
  add_number (v, "kind", command.kind);
  add_text (v, "body", "yes");
  add_bytes (v, "message", bytes);
  end (v);
}

static void
make_fingerprint (Vectors *v)
{
  g_autofree char *text = bravis_identity_make_fingerprint (v->identities[0],
      v->cards[1]->certificate);

  begin (v, "fingerprint");
  add_text (v, "of", "alice and bob");
  add_text (v, "text", text);
  end (v);
}

static void
make_log (Vectors *v, Group *group)
{
  static const char *const members[] = { "alice@example.org", "bob@example.org",
    "carol@example.org", NULL };
  g_autofree char *directory = g_dir_make_tmp ("vectors-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (directory, "log", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  BravisMembershipLog *log = bravis_membership_log_open (file, v->identities[0],
      CONFERENCE, 1000000, &error);

  if (!log || !bravis_membership_log_view (log, 2, TRUE, members, 2000000, &error)
      || !bravis_membership_log_joined (log, members[1], 2000001, &error)
      || !bravis_membership_log_epoch (log, group->epochs[0], "refresh", 3000000,
          &error)
      || !bravis_membership_log_left (log, members[1], "left", 4000000, &error)
      || !bravis_membership_log_end (log, "the user left", 5000000, &error)
      || !g_file_get_contents (file, &text, NULL, &error))
    g_error ("%s", error->message);
  bravis_membership_log_free (log);
  g_remove (file);
  g_rmdir (directory);
  begin (v, "log");
  add_text (v, "of", names[0]);
  add_text (v, "text", text);
  end (v);
}

static void
make_frame (Vectors *v, Group *group)
{
  BravisKid kid = { bravis_epoch_get_number (group->epochs[0]), 0,
    BRAVIS_KIND_VIDEO, 7 };
  guint64 packed = bravis_kid_pack (&kid);
  g_autoptr (BravisSecret) base_key = bravis_epoch_derive_base_key (
      group->epochs[0], packed);
  g_autoptr (BravisSFrame) sframe = bravis_sframe_new (BRAVIS_CIPHER_AES_256_GCM,
      packed, base_key);
  guint8 frame[BRAVIS_SFRAME_MAX_HEADER + 7 + BRAVIS_SFRAME_MAX_TAG];
  gsize header = bravis_sframe_header_write (packed, 300, frame);

  memcpy (frame + header, "picture", 7);
  if (!bravis_sframe_encrypt (sframe, 300, frame, header, NULL, 0, frame + header,
          7))
    g_error ("SFrame");
  begin (v, "frame");
  add_number (v, "kid", packed);
  add_number (v, "counter", 300);
  add_text (v, "plaintext", "picture");
  add_octets (v, "frame", frame,
      header + 7 + bravis_sframe_get_tag_size (sframe));
  end (v);
}

/* The first packet of a stream, its RTP header authenticated. */
static void
make_packet (Vectors *v, Group *group)
{
  static const guint8 rtp[] = { 0x80, 0xe1, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4,
    0xc0, 's', 'o', 'u', 'n', 'd' };
  BravisKid kid = { bravis_epoch_get_number (group->epochs[0]), 2,
    BRAVIS_KIND_AUDIO, 1 };
  guint64 packed = bravis_kid_pack (&kid);
  g_autoptr (BravisSecret) base_key = bravis_epoch_derive_base_key (
      group->epochs[0], packed);
  g_autoptr (BravisSender) sender = bravis_sender_new_static (
      BRAVIS_CIPHER_AES_128_GCM, packed, base_key);
  guint8 packet[sizeof rtp + BRAVIS_GUARD_OVERHEAD];
  gsize size;

  memcpy (packet, rtp, sizeof rtp);
  bravis_sender_set_rtp_header_auth (sender, TRUE);
  bravis_sender_set_counter (sender, 0);
  if (bravis_sender_protect_rtp (sender, packet, sizeof rtp, &size)
      != BRAVIS_DROP_NONE)
    g_error ("RTP");
  begin (v, "packet");
  add_number (v, "kid", packed);
  add_number (v, "counter", 0);
  add_octets (v, "rtp", rtp, sizeof rtp);
  add_octets (v, "packet", packet, size);
  end (v);
}

/* --- all --- */

static char *
make_all (const char *directory)
{
  Vectors v = { directory, json_builder_new () };
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;
  Group group;

  load_identities (&v);
  json_builder_begin_object (v.json);
  add_text (&v, "conference", CONFERENCE);
  add_number (&v, "wall_clock", WALL_CLOCK);
  make_cards (&v);
  make_handshake (&v);
  make_link (&v);
  group_init (&v, &group);
  make_vtkd (&v, &group);
  make_verification (&v, &group);
  make_command (&v);
  make_fingerprint (&v);
  make_log (&v, &group);
  make_frame (&v, &group);
  make_packet (&v, &group);
  json_builder_end_object (v.json);
  root = json_builder_get_root (v.json);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  group_clear (&group);
  for (guint i = 0; i < N_MEMBERS; i++) {
    bravis_own_card_free (v.own[i]);
    bravis_card_unref (v.cards[i]);
    bravis_identity_unref (v.identities[i]);
  }
  g_object_unref (v.json);
  return json_generator_to_data (generator, NULL);
}

static int
check (const char *directory)
{
  g_autofree char *file = g_build_filename (directory, "bravis.json", NULL);
  g_autofree char *made = make_all (directory);
  g_autofree char *kept = NULL;
  g_autoptr (GError) error = NULL;
  gboolean same;

  if (!g_file_get_contents (file, &kept, NULL, &error))
    g_error ("%s", error->message);
  g_strchomp (kept);
  same = g_str_equal (kept, made);
  g_print ("1..1\n%s 1 - /vectors/this_implementation_makes_the_same\n",
      same ? "ok" : "not ok");
  return same ? 0 : 1;
}

int
main (int argc, char **argv)
{
  g_autofree char *made = NULL;

  if (argc == 3 && strcmp (argv[1], "--check") == 0)
    return check (argv[2]);
  if (argc != 2) {
    g_printerr ("usage: make-vectors [--check] DIRECTORY\n");
    return 2;
  }
  made = make_all (argv[1]);
  g_print ("%s\n", made);
  return 0;
}
