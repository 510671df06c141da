#include "bravis-config.h"

#include "bravis-identity.h"
#include "bravis-private-key.h"
#include "bravis-processor.h"

#include <string.h>

/* The groups and the keys that may be in them; [peers] has names for keys. */
static const struct {
  const char *group;
  const char *keys[6];
} known[] = {
  { "identity", { "certificate", "key", "passphrase-file", "trust", "crl" } },
  { "group", { "conference", "listen", "invite", "log" } },
  { "peers", { NULL } },
  { "access", { "allow", "deny" } },
  { "keys", { "lifetime", "packets" } },
  { "policy", { "level", "video", "audio", "whiteboard", "signalling" } },
};

/* A file that is being read: what the functions below share. */
typedef struct {
  GKeyFile *keys;
  const char *file;
} Reading;

static void
fail (const Reading *reading, GError **error, const char *group,
    const char *key, const char *what)
{
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG, "%s: [%s] %s: %s",
      reading->file, group, key, what);
}

static void
fail_value (const Reading *reading, GError **error, const char *group,
    const char *key, const char *value, const char *expected)
{
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
      "%s: [%s] %s=%s: expected %s", reading->file, group, key, value,
      expected);
}

static gboolean
check_group (const Reading *reading, const char *group, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (reading->keys, group, NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    if (!g_str_equal (known[i].group, group))
      continue;
    for (guint k = 0; known[i].keys[0] && keys && keys[k]; k++)
      if (!g_strv_contains (known[i].keys, keys[k])) {
        g_autofree char *list = g_strjoinv (", ", (GStrv) known[i].keys);
        g_autofree char *what = g_strdup_printf ("unknown key; known are %s",
            list);

        fail (reading, error, group, keys[k], what);
        return FALSE;
      }
    return TRUE;
  }
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
      "%s: [%s]: unknown group; known are identity, group, peers, access, keys, "
      "policy", reading->file, group);
  return FALSE;
}

static gboolean
check_groups (const Reading *reading, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (reading->keys, NULL);

  for (guint i = 0; groups[i]; i++)
    if (!check_group (reading, groups[i], error))
      return FALSE;
  return TRUE;
}

/* The value of a key, NULL where it is not there and need not be. An empty one
 * is as good as none only to a person, so it is refused. */
static gboolean
read_string (const Reading *reading, const char *group, const char *key,
    gboolean needed, char **value, GError **error)
{
  g_autoptr (GError) cause = NULL;

  *value = NULL;
  if (!g_key_file_has_key (reading->keys, group, key, NULL)) {
    if (needed)
      fail (reading, error, group, key, "missing");
    return !needed;
  }
  *value = g_key_file_get_string (reading->keys, group, key, &cause);
  if (!*value) {
    fail (reading, error, group, key, cause->message);
    return FALSE;
  }
  g_strstrip (*value);
  if (**value == '\0') {
    g_clear_pointer (value, g_free);
    fail (reading, error, group, key, "has no value");
    return FALSE;
  }
  return TRUE;
}

static gboolean
read_path (const Reading *reading, const char *group, const char *key,
    gboolean needed, char **path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (reading->file);
  g_autofree char *value = NULL;

  if (!read_string (reading, group, key, needed, &value, error))
    return FALSE;
  *path = value ? g_canonicalize_filename (value, directory) : NULL;
  return TRUE;
}

/* Of a file that is there. */
static gboolean
read_file_name (const Reading *reading, const char *key, gboolean needed,
    char **path, GError **error)
{
  if (!read_path (reading, "identity", key, needed, path, error))
    return FALSE;
  if (*path && !g_file_test (*path, G_FILE_TEST_EXISTS)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
        "%s: [identity] %s: no such file: %s", reading->file, key, *path);
    return FALSE;
  }
  return TRUE;
}

/* The private key is in a file or in a token. */
static gboolean
read_key (const Reading *reading, char **key, GError **error)
{
  g_autofree char *value = NULL;

  if (!read_string (reading, "identity", "key", TRUE, &value, error))
    return FALSE;
  if (!bravis_private_key_is_in_token (value))
    return read_file_name (reading, "key", TRUE, key, error);
  *key = g_steal_pointer (&value);
  return TRUE;
}

static gboolean
read_identity (const Reading *reading, BravisConfig *config, GError **error)
{
  return read_file_name (reading, "certificate", TRUE, &config->certificate,
          error)
      && read_key (reading, &config->key, error)
      && read_file_name (reading, "passphrase-file", FALSE,
          &config->passphrase, error)
      && read_file_name (reading, "trust", TRUE, &config->trust, error)
      && read_file_name (reading, "crl", FALSE, &config->crl, error);
}

/* A list of names or patterns: blanks around each go, an empty one is an
 * error. NULL where the key is not there. */
static gboolean
read_list (const Reading *reading, const char *group, const char *key,
    GStrv *list, GError **error)
{
  g_autofree char *whole = NULL;
  gsize size = 0;

  *list = NULL;
  if (!read_string (reading, group, key, FALSE, &whole, error))
    return FALSE;
  if (!whole)
    return TRUE;
  *list = g_key_file_get_string_list (reading->keys, group, key, &size, NULL);
  for (gsize i = 0; i < size; i++) {
    g_strstrip ((*list)[i]);
    if ((*list)[i][0] == '\0') {
      fail_value (reading, error, group, key, whole,
          "a list with ';' between its parts, none of them empty");
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
read_address (const Reading *reading, const char *group, const char *key,
    gboolean allow_any_port, GcpAddress *address, GError **error)
{
  g_autofree char *value = NULL;
  g_autoptr (GError) cause = NULL;

  if (!read_string (reading, group, key, TRUE, &value, error))
    return FALSE;
  if (gcp_address_parse (value, allow_any_port, address, &cause))
    return TRUE;
  g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
      "%s: [%s] %s=%s: expected HOST:PORT: %s", reading->file, group, key,
      value, cause->message);
  return FALSE;
}

static gboolean
read_peers (const Reading *reading, BravisConfig *config, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (reading->keys, "peers", NULL,
      NULL);

  for (guint i = 0; names && names[i]; i++) {
    BravisConfigPeer peer = { 0 };

    if (!bravis_name_is_valid (names[i])) {
      fail (reading, error, "peers", names[i],
          "expected a name of the form user@domain before the =");
      return FALSE;
    }
    if (!read_address (reading, "peers", names[i], FALSE, &peer.address,
            error))
      return FALSE;
    peer.name = g_strdup (names[i]);
    g_array_append_val (config->peers, peer);
  }
  return TRUE;
}

static gboolean
read_group (const Reading *reading, BravisConfig *config, GError **error)
{
  if (!read_string (reading, "group", "conference", TRUE, &config->conference,
          error)
      || !read_address (reading, "group", "listen", TRUE, &config->listen,
          error)
      || !read_list (reading, "group", "invite", &config->invite, error)
      || !read_path (reading, "group", "log", FALSE, &config->log, error))
    return FALSE;
  if (strlen (config->conference) > BRAVIS_MAX_CONFERENCE
      || !g_utf8_validate (config->conference, -1, NULL)) {
    fail_value (reading, error, "group", "conference", config->conference,
        "a name of at most 128 octets");
    return FALSE;
  }
  for (guint i = 0; config->invite && config->invite[i]; i++) {
    const char *name = config->invite[i];

    if (!bravis_name_is_valid (name)) {
      fail_value (reading, error, "group", "invite", name,
          "a name of the form user@domain");
      return FALSE;
    }
    if (!bravis_config_find_peer (config, name)) {
      fail_value (reading, error, "group", "invite", name,
          "a name that has its address in [peers]");
      return FALSE;
    }
  }
  return TRUE;
}

/* @value stays as it is where the key is not there. */
static gboolean
read_number (const Reading *reading, const char *group, const char *key,
    guint64 min, guint64 max, guint64 *value, GError **error)
{
  g_autofree char *text = NULL;
  g_autofree char *expected = NULL;

  if (!read_string (reading, group, key, FALSE, &text, error))
    return FALSE;
  if (!text || g_ascii_string_to_unsigned (text, 10, min, max, value, NULL))
    return TRUE;
  expected = g_strdup_printf ("a number from %" G_GUINT64_FORMAT " to %"
      G_GUINT64_FORMAT, min, max);
  fail_value (reading, error, group, key, text, expected);
  return FALSE;
}

static gboolean
read_keys (const Reading *reading, BravisConfig *config, GError **error)
{
  guint64 lifetime = BRAVIS_DEFAULT_KEY_LIFETIME;

  config->key_packets = BRAVIS_DEFAULT_KEY_PACKETS;
  if (!read_number (reading, "keys", "lifetime", 1, G_MAXINT32, &lifetime,
          error)
      || !read_number (reading, "keys", "packets", 1024,
          BRAVIS_DEFAULT_KEY_PACKETS, &config->key_packets, error))
    return FALSE;
  config->key_lifetime = lifetime;
  return TRUE;
}

/* The group has but one cipher for each kind, so "auto" is settled before anybody
 * else sees it: by who begins the group, like all of its policy. */
static gboolean
find_cipher (const Reading *reading, const char *kind, const char *name,
    BravisCipher *cipher)
{
  gboolean has_aes;

  if (!g_str_equal (name, "auto"))
    return bravis_cipher_from_string (name, cipher);
  has_aes = bravis_processor_has_aes ();
  *cipher = bravis_cipher_choose (has_aes);
  g_info ("%s: [policy] %s=auto is %s: the processor has %sAES", reading->file,
      kind, bravis_cipher_to_string (*cipher), has_aes ? "" : "no ");
  return TRUE;
}

static gboolean
read_policy (const Reading *reading, BravisConfig *config, GError **error)
{
  g_autofree char *level = NULL;

  bravis_policy_init (&config->policy);
  if (!read_string (reading, "policy", "level", FALSE, &level, error))
    return FALSE;
  if (level && !g_str_equal (level, "3")) {
    fail_value (reading, error, "policy", "level", level,
        "3, the only level that there is: everything protected");
    return FALSE;
  }
  for (guint kind = 0; kind < BRAVIS_N_KINDS; kind++) {
    const char *key = bravis_kind_to_string (kind);
    g_autofree char *cipher = NULL;

    if (!read_string (reading, "policy", key, FALSE, &cipher, error))
      return FALSE;
    if (cipher && !find_cipher (reading, key, cipher,
            &config->policy.cipher[kind])) {
      fail_value (reading, error, "policy", key, cipher,
          "auto, aes-128-gcm, aes-256-gcm or chacha20-poly1305");
      return FALSE;
    }
  }
  return TRUE;
}

static void
peer_clear (gpointer data)
{
  BravisConfigPeer *peer = data;

  g_free (peer->name);
}

BravisConfig *
bravis_config_load (const char *file, GError **error)
{
  g_autoptr (BravisConfig) config = g_new0 (BravisConfig, 1);
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) cause = NULL;
  Reading reading;

  config->peers = g_array_new (FALSE, FALSE, sizeof (BravisConfigPeer));
  g_array_set_clear_func (config->peers, peer_clear);
  config->file = g_canonicalize_filename (file, NULL);
  reading = (Reading) { keys, config->file };
  if (!g_key_file_load_from_file (keys, config->file, G_KEY_FILE_NONE,
          &cause)) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG, "%s: %s",
        config->file, cause->message);
    return NULL;
  }
  if (!check_groups (&reading, error)
      || !read_identity (&reading, config, error)
      || !read_peers (&reading, config, error)
      || !read_group (&reading, config, error)
      || !read_list (&reading, "access", "allow", &config->allow, error)
      || !read_list (&reading, "access", "deny", &config->deny, error)
      || !read_keys (&reading, config, error)
      || !read_policy (&reading, config, error))
    return NULL;
  return g_steal_pointer (&config);
}

void
bravis_config_free (BravisConfig *config)
{
  g_free (config->file);
  g_free (config->certificate);
  g_free (config->key);
  g_free (config->passphrase);
  g_free (config->trust);
  g_free (config->crl);
  g_free (config->conference);
  g_free (config->log);
  g_strfreev (config->invite);
  g_array_unref (config->peers);
  g_strfreev (config->allow);
  g_strfreev (config->deny);
  g_free (config);
}

const GcpAddress *
bravis_config_find_peer (const BravisConfig *config, const char *name)
{
  for (guint i = 0; i < config->peers->len; i++) {
    BravisConfigPeer *peer = &g_array_index (config->peers, BravisConfigPeer,
        i);

    if (g_str_equal (peer->name, name))
      return &peer->address;
  }
  return NULL;
}

gboolean
bravis_config_may_invite (const BravisConfig *config, const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  for (guint i = 0; config->deny && config->deny[i]; i++) {
    g_autofree char *pattern = g_ascii_strdown (config->deny[i], -1);

    if (g_pattern_match_simple (pattern, lower))
      return FALSE;
  }
  if (!config->allow)
    return TRUE;
  for (guint i = 0; config->allow[i]; i++)
    if (g_pattern_match_simple (config->allow[i], name))
      return TRUE;
  return FALSE;
}
