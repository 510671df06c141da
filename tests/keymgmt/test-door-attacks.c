/* Attacks on the handshake, each of which one check of it has to stop.
 *
 * Each attack is made twice: as things are, when it must come to nothing,
 * and with the check that stops it switched off, when it must succeed: so it
 * is known that the test would see the check missing. The checks are
 * switched off by the linker's --wrap, not in the code. */
#include "door-rogue.h"

#include <string.h>

/* --- what can be switched off --- */

static struct {
  gboolean signature;           /* of proofs */
  gboolean mac;                 /* and all that is compared in constant time */
  gboolean chain;               /* the other authority is trusted, too */
  gboolean name;                /* all are called the same */
  gboolean cookie;
  gboolean conference;          /* the tag in HELLO */
} off;

gboolean __real_bravis_certificate_verify_signature (
    BravisCertificate *certificate, const char *label, gconstpointer data,
    gsize size, gconstpointer signature, gsize signature_size, GError **error);
gboolean __wrap_bravis_certificate_verify_signature (
    BravisCertificate *certificate, const char *label, gconstpointer data,
    gsize size, gconstpointer signature, gsize signature_size, GError **error);
gboolean __real_bravis_equal_constant_time (gconstpointer a, gconstpointer b,
    gsize size);
gboolean __wrap_bravis_equal_constant_time (gconstpointer a, gconstpointer b,
    gsize size);
BravisCertificate *__real_bravis_identity_verify (BravisIdentity *identity,
    gconstpointer chain, gsize size, gint64 wall_clock, GError **error);
BravisCertificate *__wrap_bravis_identity_verify (BravisIdentity *identity,
    gconstpointer chain, gsize size, gint64 wall_clock, GError **error);
int __real_g_strcmp0 (const char *a, const char *b);
int __wrap_g_strcmp0 (const char *a, const char *b);
gboolean __real_bravis_cookie_check (BravisCookieJar *jar,
    const GcpAddress *address, gconstpointer asked, gsize size, gint64 now,
    const guint8 *cookie);
gboolean __wrap_bravis_cookie_check (BravisCookieJar *jar,
    const GcpAddress *address, gconstpointer asked, gsize size, gint64 now,
    const guint8 *cookie);
gboolean __real_bravis_hello_is_for (const BravisHello *hello,
    const char *conference);
gboolean __wrap_bravis_hello_is_for (const BravisHello *hello,
    const char *conference);

gboolean
__wrap_bravis_certificate_verify_signature (BravisCertificate *certificate,
    const char *label, gconstpointer data, gsize size, gconstpointer signature,
    gsize signature_size, GError **error)
{
  if (off.signature && g_str_has_prefix (label, "handshake"))
    return TRUE;
  return __real_bravis_certificate_verify_signature (certificate, label, data,
      size, signature, signature_size, error);
}

/* X25519 compares with zeros, to find keys of low order: that goes on. */
gboolean
__wrap_bravis_equal_constant_time (gconstpointer a, gconstpointer b, gsize size)
{
  static const guint8 zeros[BRAVIS_X25519_SIZE];

  if (off.mac && memcmp (a, zeros, MIN (size, sizeof zeros)) != 0
      && memcmp (b, zeros, MIN (size, sizeof zeros)) != 0)
    return TRUE;
  return __real_bravis_equal_constant_time (a, b, size);
}

BravisCertificate *
__wrap_bravis_identity_verify (BravisIdentity *identity, gconstpointer chain,
    gsize size, gint64 wall_clock, GError **error)
{
  BravisCertificate *certificate = __real_bravis_identity_verify (identity,
      chain, size, wall_clock, error);
  g_autoptr (BravisIdentity) other = NULL;
  g_autoptr (GError) why = NULL;

  if (certificate || !off.chain)
    return certificate;
  g_clear_error (error);
  other = bravis_identity_new (test_pki_file (world_pki (), "alice", ".pem"),
      test_pki_file (world_pki (), "alice", "-key.pem"),
      test_pki_file (world_pki (), "other/ca", ".pem"), NULL, &why);
  g_assert_no_error (why);
  return __real_bravis_identity_verify (other, chain, size, wall_clock, error);
}

int
__wrap_g_strcmp0 (const char *a, const char *b)
{
  return off.name && a && b ? 0 : __real_g_strcmp0 (a, b);
}

gboolean
__wrap_bravis_cookie_check (BravisCookieJar *jar, const GcpAddress *address,
    gconstpointer asked, gsize size, gint64 now, const guint8 *cookie)
{
  return off.cookie || __real_bravis_cookie_check (jar, address, asked, size,
      now, cookie);
}

gboolean
__wrap_bravis_hello_is_for (const BravisHello *hello, const char *conference)
{
  return off.conference || __real_bravis_hello_is_for (hello, conference);
}

/* --- the scene --- */

typedef struct {
  World *world;
  Peer *alice, *bob, *carol;    /* good, and members of the same conference */
} Scene;

static gboolean
drop_everything (World *world, Peer *from, Peer *to, GBytes *datagram,
    gpointer user_data)
{
  return FALSE;
}

/* The attacker owns the network: nothing gets through but by its hand. */
static void
scene_set (Scene *scene)
{
  scene->world = world_new (1, NULL);
  scene->alice = world_add (scene->world, "alice", TEST_PKI_GOOD);
  scene->bob = world_add (scene->world, "bob", TEST_PKI_GOOD);
  scene->carol = world_add (scene->world, "carol", TEST_PKI_GOOD);
  scene->world->gate = drop_everything;
}

static void
scene_clear (Scene *scene)
{
  world_free (scene->world);
}

/* Who made the attack fail, by its refusal; NULL: nobody. */
static void
check_refusal (Peer *peer, BravisError code)
{
  g_assert_cmpuint (peer->n_refused, ==, 1);
  g_assert_true (peer->refused_by_us);
  g_assert_error (peer->refusal, BRAVIS_ERROR, (gint) code);
}

/* An attack: TRUE where it succeeds; otherwise it checks who refused and
 * why. */
typedef gboolean (*Attack) (Scene *scene);

static gboolean
attempt (Attack attack)
{
  Scene scene;
  gboolean succeeded;

  scene_set (&scene);
  succeeded = attack (&scene);
  scene_clear (&scene);
  return succeeded;
}

static void
check_stopped_by (Attack attack, gboolean *check)
{
  g_assert_false (attempt (attack));
  *check = TRUE;
  g_assert_true (attempt (attack));
  *check = FALSE;
}

/* --- signatures --- */

/* Carol answers in Bob's place with Bob's card, which all members have. */
static gboolean
invitee_with_a_stolen_card (Scene *scene)
{
  g_autoptr (Rogue) carol = NULL;
  g_autoptr (GBytes) proof = NULL;

  world_invite (scene->alice, "bob", scene->bob);
  carol = rogue_answer (scene->alice, &scene->bob->address, WORLD_CONFERENCE);
  proof = rogue_prove (carol, scene->carol->identity,
      scene->bob->own->card);
  rogue_give (carol, BRAVIS_MESSAGE_INVITEE, proof);
  if (scene->alice->n_invitee > 0)
    return TRUE;
  check_refusal (scene->alice, BRAVIS_ERROR_SIGNATURE);
  return FALSE;
}

static void
test_an_invitee_with_a_stolen_card_is_refused (void)
{
  check_stopped_by (invitee_with_a_stolen_card, &off.signature);
}

/* Carol invites Bob with Alice's card. */
static gboolean
inviter_with_a_stolen_card (Scene *scene)
{
  g_autoptr (Rogue) carol = rogue_call (scene->bob, &scene->alice->address,
      WORLD_CONFERENCE);
  g_autoptr (GBytes) proof = rogue_prove (carol, scene->carol->identity,
      scene->alice->own->card);

  rogue_give (carol, BRAVIS_MESSAGE_INVITER, proof);
  if (rogue_got (carol, BRAVIS_MESSAGE_INVITEE))
    return TRUE;
  check_refusal (scene->bob, BRAVIS_ERROR_SIGNATURE);
  return FALSE;
}

static void
test_an_inviter_with_a_stolen_card_is_refused (void)
{
  check_stopped_by (inviter_with_a_stolen_card, &off.signature);
}

/* Mallory has stolen the key with which Alice signs, and is Bob to Alice with it
 * (key-compromise impersonation): who answers her, and who invites her. */
static gboolean
invitee_with_the_inviters_key (Scene *scene)
{
  g_autoptr (Rogue) mallory = NULL;
  g_autoptr (GBytes) proof = NULL;

  world_invite (scene->alice, "bob", scene->bob);
  mallory = rogue_answer (scene->alice, &scene->bob->address, WORLD_CONFERENCE);
  proof = rogue_prove (mallory, scene->alice->identity, scene->bob->own->card);
  rogue_give (mallory, BRAVIS_MESSAGE_INVITEE, proof);
  if (scene->alice->n_invitee > 0)
    return TRUE;
  check_refusal (scene->alice, BRAVIS_ERROR_SIGNATURE);
  return FALSE;
}

static gboolean
inviter_with_the_invitees_key (Scene *scene)
{
  g_autoptr (Rogue) mallory = rogue_call (scene->alice, &scene->bob->address,
      WORLD_CONFERENCE);
  g_autoptr (GBytes) proof = rogue_prove (mallory, scene->alice->identity,
      scene->bob->own->card);

  rogue_give (mallory, BRAVIS_MESSAGE_INVITER, proof);
  if (rogue_got (mallory, BRAVIS_MESSAGE_INVITEE))
    return TRUE;
  check_refusal (scene->alice, BRAVIS_ERROR_SIGNATURE);
  return FALSE;
}

static void
test_who_has_ones_key_cannot_pass_for_another_to_one (void)
{
  check_stopped_by (invitee_with_the_inviters_key, &off.signature);
  check_stopped_by (inviter_with_the_invitees_key, &off.signature);
}

/* Somebody who knows the conference's name sits in the middle, has a key
 * with each side and passes on what Alice proves: first to Bob, then back. */
static gboolean
person_in_the_middle (Scene *scene, BravisError code)
{
  g_autoptr (Rogue) to_alice = NULL;
  g_autoptr (Rogue) to_bob = NULL;
  g_autoptr (GBytes) alices = NULL;
  g_autoptr (GBytes) bobs = NULL;

  world_invite (scene->alice, "bob", scene->bob);
  to_alice = rogue_answer (scene->alice, &scene->bob->address,
      WORLD_CONFERENCE);
  to_bob = rogue_call (scene->bob, &scene->alice->address, WORLD_CONFERENCE);
  alices = rogue_open (to_alice, BRAVIS_MESSAGE_INVITER);
  rogue_give (to_bob, BRAVIS_MESSAGE_INVITER, alices);
  bobs = rogue_open (to_bob, BRAVIS_MESSAGE_INVITEE);
  if (!bobs) {
    check_refusal (scene->bob, code);
    return FALSE;
  }
  rogue_give (to_alice, BRAVIS_MESSAGE_INVITEE, bobs);
  return scene->alice->n_invitee > 0;
}

static gboolean
person_in_the_middle_met_by_signature (Scene *scene)
{
  return person_in_the_middle (scene, BRAVIS_ERROR_SIGNATURE);
}

static gboolean
person_in_the_middle_met_by_mac (Scene *scene)
{
  return person_in_the_middle (scene, BRAVIS_ERROR_PROTOCOL);
}

/* Two checks stand in the way, each by itself enough. */
static void
test_a_person_in_the_middle_is_found_out_twice (void)
{
  g_assert_false (attempt (person_in_the_middle_met_by_signature));
  off.signature = TRUE;
  check_stopped_by (person_in_the_middle_met_by_mac, &off.mac);
  off.signature = FALSE;
  off.mac = TRUE;
  g_assert_false (attempt (person_in_the_middle_met_by_signature));
  off.mac = FALSE;
}

/* --- identity misbinding --- */

/* Takes the MAC out of a proof: what somebody can make who gets to sign a
 * transcript, but has no part in the keys. */
static GBytes *
without_mac (GBytes *proof)
{
  gsize size;
  guint8 *octets = g_bytes_unref_to_data (proof, &size);

  memset (octets + size - BRAVIS_HASH_SIZE, 0xff, BRAVIS_HASH_SIZE);
  return g_bytes_new_take (octets, size);
}

/* Carol puts her name on keys that she does not have: Alice would take Bob for
 * Carol (an unknown key share). */
static gboolean
invitee_without_the_keys (Scene *scene)
{
  g_autoptr (Rogue) carol = NULL;
  g_autoptr (GBytes) proof = NULL;

  world_invite (scene->alice, "carol", scene->carol);
  carol = rogue_answer (scene->alice, &scene->carol->address,
      WORLD_CONFERENCE);
  proof = without_mac (rogue_prove (carol, scene->carol->identity,
          scene->carol->own->card));
  rogue_give (carol, BRAVIS_MESSAGE_INVITEE, proof);
  if (scene->alice->n_invitee > 0)
    return TRUE;
  check_refusal (scene->alice, BRAVIS_ERROR_PROTOCOL);
  return FALSE;
}

static gboolean
inviter_without_the_keys (Scene *scene)
{
  g_autoptr (Rogue) carol = rogue_call (scene->bob, &scene->carol->address,
      WORLD_CONFERENCE);
  g_autoptr (GBytes) proof = without_mac (rogue_prove (carol,
          scene->carol->identity, scene->carol->own->card));

  rogue_give (carol, BRAVIS_MESSAGE_INVITER, proof);
  if (rogue_got (carol, BRAVIS_MESSAGE_INVITEE))
    return TRUE;
  check_refusal (scene->bob, BRAVIS_ERROR_PROTOCOL);
  return FALSE;
}

static void
test_who_signs_without_the_keys_is_refused (void)
{
  check_stopped_by (invitee_without_the_keys, &off.mac);
  check_stopped_by (inviter_without_the_keys, &off.mac);
}

/* Bob, invited by Alice, uses what she proved to him to be Alice to Carol. */
static gboolean
invitee_that_poses_as_its_inviter (Scene *scene)
{
  g_autoptr (Rogue) to_alice = NULL;
  g_autoptr (Rogue) to_carol = NULL;
  g_autoptr (GBytes) alices = NULL;

  world_invite (scene->alice, "bob", scene->bob);
  to_alice = rogue_answer (scene->alice, &scene->bob->address,
      WORLD_CONFERENCE);
  alices = rogue_open (to_alice, BRAVIS_MESSAGE_INVITER);
  to_carol = rogue_call (scene->carol, &scene->bob->address,
      WORLD_CONFERENCE);
  off.mac = TRUE;
  rogue_give (to_carol, BRAVIS_MESSAGE_INVITER, alices);
  off.mac = FALSE;
  if (rogue_got (to_carol, BRAVIS_MESSAGE_INVITEE))
    return TRUE;
  check_refusal (scene->carol, BRAVIS_ERROR_SIGNATURE);
  return FALSE;
}

static void
test_a_proof_is_good_for_one_handshake (void)
{
  check_stopped_by (invitee_that_poses_as_its_inviter, &off.signature);
}

/* Alice's own proof comes back to her as that of her invitee. */
static gboolean
own_proof_sent_back (Scene *scene)
{
  g_autoptr (Rogue) rogue = NULL;
  g_autoptr (GBytes) alices = NULL;

  world_invite (scene->alice, "alice", scene->bob);
  rogue = rogue_answer (scene->alice, &scene->bob->address, WORLD_CONFERENCE);
  alices = rogue_open (rogue, BRAVIS_MESSAGE_INVITER);
  off.mac = TRUE;
  rogue_give (rogue, BRAVIS_MESSAGE_INVITEE, alices);
  off.mac = FALSE;
  if (scene->alice->n_invitee > 0)
    return TRUE;
  check_refusal (scene->alice, BRAVIS_ERROR_SIGNATURE);
  return FALSE;
}

static void
test_a_proof_is_good_for_one_role (void)
{
  check_stopped_by (own_proof_sent_back, &off.signature);
}

/* --- chain and name --- */

/* Another authority certifies Bob's name. */
static gboolean
bob_of_another_authority (Scene *scene)
{
  Peer *impostor = world_add (scene->world, "bob@example.org",
      TEST_PKI_OTHER_CA);

  scene->world->gate = NULL;
  world_invite (scene->alice, "bob", impostor);
  world_run (scene->world, WORLD_S);
  if (scene->alice->n_ready > 0)
    return TRUE;
  check_refusal (scene->alice, BRAVIS_ERROR_UNTRUSTED);
  return FALSE;
}

static gboolean
inviter_of_another_authority (Scene *scene)
{
  Peer *impostor = world_add (scene->world, "alice@example.org",
      TEST_PKI_OTHER_CA);

  scene->world->gate = NULL;
  world_invite (impostor, "bob", scene->bob);
  world_run (scene->world, WORLD_S);
  if (world_count_sent (scene->bob, BRAVIS_MESSAGE_INVITEE) > 0)
    return TRUE;
  check_refusal (scene->bob, BRAVIS_ERROR_UNTRUSTED);
  return FALSE;
}

static void
test_who_another_authority_certified_is_refused (void)
{
  check_stopped_by (bob_of_another_authority, &off.chain);
  check_stopped_by (inviter_of_another_authority, &off.chain);
}

/* Carol, a member in good standing, answers at Bob's address. */
static gboolean
carol_in_bobs_place (Scene *scene)
{
  scene->world->gate = NULL;
  world_invite (scene->alice, "bob", scene->carol);
  world_run (scene->world, WORLD_S);
  if (scene->alice->n_ready > 0)
    return TRUE;
  check_refusal (scene->alice, BRAVIS_ERROR_WRONG_NAME);
  return FALSE;
}

static void
test_a_member_in_anothers_place_is_refused (void)
{
  check_stopped_by (carol_in_bobs_place, &off.name);
}

/* --- before there are keys --- */

static gboolean
stranger_who_does_not_know_the_conference (Scene *scene)
{
  g_autoptr (Rogue) stranger = rogue_call (scene->bob,
      &scene->alice->address, "another meeting");

  return scene->bob->sent->len > 0;
}

static void
test_who_does_not_know_the_conference_gets_no_octet (void)
{
  check_stopped_by (stranger_who_does_not_know_the_conference,
      &off.conference);
}

static gboolean
answer_by_who_does_not_know_the_conference (Scene *scene)
{
  g_autoptr (Rogue) stranger = NULL;

  world_invite (scene->alice, "bob", scene->bob);
  stranger = rogue_answer (scene->alice, &scene->bob->address,
      "another meeting");
  return rogue_got (stranger, BRAVIS_MESSAGE_INVITER);
}

static void
test_an_inviter_shows_nothing_to_who_does_not_know_the_conference (void)
{
  check_stopped_by (answer_by_who_does_not_know_the_conference, &off.mac);
}

/* HELLO with a cookie that was made up. */
static gboolean
forged_cookie (Scene *scene)
{
  g_autoptr (BravisHandshake) handshake = NULL;
  g_autoptr (GBytes) hello = NULL;
  guint8 cookie[BRAVIS_COOKIE_SIZE];
  BravisRandom random;

  world_random (scene->world, &random);
  handshake = bravis_handshake_new_inviter (WORLD_CONFERENCE, &random);
  bravis_random_fill (&random, cookie, sizeof cookie);
  hello = bravis_handshake_make_hello (handshake, cookie);
  world_give_bytes (scene->bob, &scene->alice->address, hello);
  return bravis_door_count_handshakes (scene->bob->door) > 0;
}

/* A cookie that Bob gave to @from, shown by @to later. */
static gboolean
show_cookie (Scene *scene, Peer *from, Peer *to, gint64 later)
{
  gboolean is_off = off.cookie;
  g_autoptr (Rogue) rogue = NULL;
  g_autoptr (GBytes) hello = NULL;
  guint8 cookie[BRAVIS_COOKIE_SIZE];
  GBytes *datagram;
  guint64 id;
  guint n;

  off.cookie = FALSE;
  rogue = rogue_call (scene->bob, &from->address, WORLD_CONFERENCE);
  off.cookie = is_off;
  datagram = g_ptr_array_index (scene->bob->sent, 0);
  g_assert_true (bravis_cookie_datagram_parse (g_bytes_get_data (datagram,
              NULL), g_bytes_get_size (datagram), &id, cookie));
  world_run (scene->world, later);
  n = bravis_door_count_handshakes (scene->bob->door);
  hello = bravis_handshake_make_hello (rogue->handshake, cookie);
  world_give_bytes (scene->bob, &to->address, hello);
  return bravis_door_count_handshakes (scene->bob->door) > n;
}

static gboolean
anothers_cookie (Scene *scene)
{
  return show_cookie (scene, scene->alice, scene->carol, 0);
}

static gboolean
expired_cookie (Scene *scene)
{
  return show_cookie (scene, scene->alice, scene->alice,
      BRAVIS_COOKIE_LIFETIME + 1);
}

static void
test_nothing_is_stored_for_a_bad_cookie (void)
{
  check_stopped_by (forged_cookie, &off.cookie);
  check_stopped_by (anothers_cookie, &off.cookie);
  check_stopped_by (expired_cookie, &off.cookie);
}

/* --- REFUSE --- */

/* Without the keys nobody ends an invitation. */
static void
test_a_forged_refusal_changes_nothing (void)
{
  guint8 octets[BRAVIS_KEY_SIZE] = { 1 }, code = BRAVIS_ERROR_DENIED;
  g_autoptr (BravisSecret) key = bravis_secret_new (octets, sizeof octets);
  g_autoptr (GBytes) message = g_bytes_new (&code, 1);
  g_autoptr (GPtrArray) datagrams = NULL;
  g_autoptr (Rogue) rogue = NULL;
  Scene scene;

  scene_set (&scene);
  world_invite (scene.alice, "bob", scene.bob);
  rogue = rogue_answer (scene.alice, &scene.bob->address, WORLD_CONFERENCE);
  datagrams = bravis_fragments_seal (key, BRAVIS_MESSAGE_REFUSE,
      bravis_handshake_get_id (rogue->handshake), message);
  world_give_bytes (scene.alice, &scene.bob->address,
      g_ptr_array_index (datagrams, 0));
  g_assert_cmpuint (scene.alice->n_refused, ==, 0);
  g_assert_cmpuint (bravis_door_count_handshakes (scene.alice->door), ==, 1);
  scene_clear (&scene);
}

static void
test_a_refusal_with_a_code_of_no_meaning_is_an_error_of_ours (void)
{
  for (guint code = 0; code < 256; code++) {
    guint8 octet = code;
    gint expected = code >= 1 && code <= BRAVIS_ERROR_LIMIT ? code :
        BRAVIS_ERROR_PROTOCOL;
    g_autoptr (GBytes) message = g_bytes_new (&octet, 1);
    g_autoptr (Rogue) rogue = NULL;
    Scene scene;

    scene_set (&scene);
    world_invite (scene.alice, "bob", scene.bob);
    rogue = rogue_answer (scene.alice, &scene.bob->address, WORLD_CONFERENCE);
    rogue_give (rogue, BRAVIS_MESSAGE_REFUSE, message);
    g_assert_cmpuint (scene.alice->n_refused, ==, 1);
    g_assert_false (scene.alice->refused_by_us);
    g_assert_error (scene.alice->refusal, BRAVIS_ERROR, expected);
    scene_clear (&scene);
  }
}

/* What is sealed well and says nothing of sense. */
static void
test_a_malformed_proof_is_refused (void)
{
  for (gsize size = 0; size < 200; size += 13) {
    g_autoptr (GBytes) message = g_bytes_new_take (g_malloc0 (size + 1), size);
    g_autoptr (Rogue) rogue = NULL;
    Scene scene;

    scene_set (&scene);
    rogue = rogue_call (scene.bob, &scene.alice->address, WORLD_CONFERENCE);
    rogue_give (rogue, BRAVIS_MESSAGE_INVITER, message);
    check_refusal (scene.bob, BRAVIS_ERROR_PROTOCOL);
    g_assert_null (scene.bob->refused_name);
    g_assert_false (rogue_got (rogue, BRAVIS_MESSAGE_INVITEE));
    scene_clear (&scene);
  }
}

/* --- too much of something --- */

static void
test_a_welcome_over_the_limit_is_not_taken (void)
{
  for (guint over = 0; over < 2; over++) {
    g_autoptr (GBytes) roster = g_bytes_new_take
        (g_malloc0 (BRAVIS_MAX_ROSTER_SIZE + 1), BRAVIS_MAX_ROSTER_SIZE + over);
    g_autoptr (Rogue) carol = NULL;
    g_autoptr (GBytes) proof = NULL;
    g_autoptr (GBytes) bobs = NULL;
    g_autoptr (GError) error = NULL;
    Scene scene;

    scene_set (&scene);
    carol = rogue_call (scene.bob, &scene.carol->address, WORLD_CONFERENCE);
    proof = rogue_prove (carol, scene.carol->identity, scene.carol->own->card);
    rogue_give (carol, BRAVIS_MESSAGE_INVITER, proof);
    bobs = rogue_open (carol, BRAVIS_MESSAGE_INVITEE);
    bravis_handshake_check_proof (carol->handshake, bobs,
        scene.carol->identity, TEST_PKI_NOW, &error);
    g_assert_no_error (error);
    rogue_give (carol, BRAVIS_MESSAGE_WELCOME, roster);
    g_assert_cmpuint (scene.bob->n_welcome, ==, over ? 0 : 1);
    scene_clear (&scene);
  }
}

/* Somebody who sees HELLO answers it with COOKIEs, as fast as it can. */
static void
test_a_flood_of_cookies_makes_few_hellos (void)
{
  guint8 cookie[BRAVIS_COOKIE_SIZE] = { 1 };
  BravisHello hello;
  GBytes *first;
  Scene scene;

  scene_set (&scene);
  world_invite (scene.alice, "bob", scene.bob);
  first = g_ptr_array_index (scene.alice->sent, 0);
  g_assert_true (bravis_hello_parse (g_bytes_get_data (first, NULL),
          g_bytes_get_size (first), &hello));
  for (guint i = 0; i < 1000; i++) {
    g_autoptr (GBytes) datagram = NULL;

    cookie[i % sizeof cookie]++;
    datagram = bravis_cookie_datagram (hello.handshake, cookie);
    world_give_bytes (scene.alice, &scene.bob->address, datagram);
    world_run (scene.world, WORLD_MS);
  }
  g_assert_cmpuint (scene.alice->sent->len, <, 60);
  scene_clear (&scene);
}

/* --- what an asker learns --- */

/* A stranger with a certificate of its own gets one octet of reason, and
 * nothing of who is there. */
static void
test_an_asker_that_is_not_proven_learns_one_octet (void)
{
  g_autoptr (BravisIdentity) identity =
      test_pki_identity_of_kind (world_pki (), "mallory", TEST_PKI_OTHER_CA);
  g_autoptr (BravisOwnCard) own = NULL;
  g_autoptr (Rogue) mallory = NULL;
  g_autoptr (GBytes) proof = NULL;
  g_autoptr (GBytes) refusal = NULL;
  BravisRandom random;
  Scene scene;
  gsize size;
  const guint8 *code;

  scene_set (&scene);
  world_random (scene.world, &random);
  own = bravis_own_card_new (identity, WORLD_CONFERENCE, TEST_PKI_NOW, &random, NULL);
  mallory = rogue_call (scene.bob, &scene.alice->address, WORLD_CONFERENCE);
  proof = rogue_prove (mallory, identity, own->card);
  rogue_give (mallory, BRAVIS_MESSAGE_INVITER, proof);
  check_refusal (scene.bob, BRAVIS_ERROR_UNTRUSTED);
  g_assert_cmpstr (scene.bob->refused_name, ==, "mallory@example.org");
  refusal = rogue_open (mallory, BRAVIS_MESSAGE_REFUSE);
  code = g_bytes_get_data (refusal, &size);
  g_assert_cmpuint (size, ==, 1);
  g_assert_cmpuint (*code, ==, BRAVIS_ERROR_UNTRUSTED);
  g_assert_cmpuint (scene.bob->sent->len, ==, 3);
  scene_clear (&scene);
}

#define ADD(test) \
    g_test_add_func ("/keymgmt/door/attacks/" #test, test_##test)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (an_invitee_with_a_stolen_card_is_refused);
  ADD (an_inviter_with_a_stolen_card_is_refused);
  ADD (who_has_ones_key_cannot_pass_for_another_to_one);
  ADD (a_person_in_the_middle_is_found_out_twice);
  ADD (who_signs_without_the_keys_is_refused);
  ADD (a_proof_is_good_for_one_handshake);
  ADD (a_proof_is_good_for_one_role);
  ADD (who_another_authority_certified_is_refused);
  ADD (a_member_in_anothers_place_is_refused);
  ADD (who_does_not_know_the_conference_gets_no_octet);
  ADD (an_inviter_shows_nothing_to_who_does_not_know_the_conference);
  ADD (nothing_is_stored_for_a_bad_cookie);
  ADD (a_forged_refusal_changes_nothing);
  ADD (a_refusal_with_a_code_of_no_meaning_is_an_error_of_ours);
  ADD (a_malformed_proof_is_refused);
  ADD (a_welcome_over_the_limit_is_not_taken);
  ADD (a_flood_of_cookies_makes_few_hellos);
  ADD (an_asker_that_is_not_proven_learns_one_octet);
  return g_test_run ();
}
