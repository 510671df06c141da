#include "../../keymgmt/bravis-config.h"
#include "../../keymgmt/bravis-processor.h"

#include <glib/gstdio.h>
#include <string.h>

static char *folder;

/* What the test says of the processor; -1: what the processor itself says. */
static int processor_has_aes = -1;

gboolean __real_bravis_processor_has_aes (void);
gboolean __wrap_bravis_processor_has_aes (void);

gboolean
__wrap_bravis_processor_has_aes (void)
{
  return processor_has_aes < 0 ? __real_bravis_processor_has_aes ()
      : processor_has_aes;
}

static char *
write_file (const char *name, const char *text)
{
  char *path = g_build_filename (folder, name, NULL);
  GError *error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  return path;
}

#define IDENTITY "[identity]\ncertificate=a.pem\nkey=a.key\ntrust=ca.pem\n"
#define GROUP "[group]\nconference=talk\nlisten=127.0.0.1:5004\n"

static BravisConfig *
load (const char *text, GError **error)
{
  g_autofree char *path = write_file ("peer.conf", text);

  return bravis_config_load (path, error);
}

static void
test_everything_is_read (void)
{
  g_autofree char *crl = write_file ("crl.pem", "");
  GError *error = NULL;
  g_autoptr (BravisConfig) config = load (IDENTITY "crl=crl.pem\n"
      "[group]\n conference = talk \nlisten=[::1]:0\n"
      "invite=bob@example.org; carol@example.org;\n"
      "[peers]\nbob@example.org=192.0.2.1:5004\n"
      "carol@example.org=[2001:db8::1]:5006\n"
      "[access]\nallow=*@example.org\ndeny=mallory@*;eve@*\n"
      "[policy]\nlevel=3\nvideo=aes-256-gcm\nsignalling=aes-256-gcm\n", &error);
  g_autofree char *certificate = g_build_filename (folder, "a.pem", NULL);
  char text[GCP_ADDRESS_STRING_SIZE];

  g_assert_no_error (error);
  g_assert_cmpstr (config->certificate, ==, certificate);
  g_assert_cmpstr (config->crl, ==, crl);
  g_assert_cmpstr (config->conference, ==, "talk");
  g_assert_cmpstr (gcp_address_format (&config->listen, text), ==, "[::1]:0");
  g_assert_cmpuint (g_strv_length (config->invite), ==, 2);
  g_assert_cmpstr (config->invite[1], ==, "carol@example.org");
  g_assert_cmpstr (gcp_address_format (bravis_config_find_peer (config,
              "carol@example.org"), text), ==, "[2001:db8::1]:5006");
  g_assert_null (bravis_config_find_peer (config, "dave@example.org"));
  g_assert_cmpint (config->policy.cipher[BRAVIS_KIND_VIDEO], ==,
      BRAVIS_CIPHER_AES_256_GCM);
  g_assert_cmpint (config->policy.cipher[BRAVIS_KIND_AUDIO], ==,
      BRAVIS_CIPHER_AES_128_GCM);
}

static void
test_key_may_be_in_a_token (void)
{
  g_autofree char *passphrase = write_file ("passphrase", "1234\n");
  GError *error = NULL;
  g_autoptr (BravisConfig) config = load ("[identity]\ncertificate=a.pem\n"
      "key=pkcs11:token=t;object=a?pin-source=p\npassphrase-file=passphrase\n"
      "trust=ca.pem\n" GROUP, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (config->key, ==, "pkcs11:token=t;object=a?pin-source=p");
  g_assert_cmpstr (config->passphrase, ==, passphrase);
}

static void
test_the_least_is_enough (void)
{
  GError *error = NULL;
  g_autoptr (BravisConfig) config = load (IDENTITY GROUP, &error);

  g_assert_no_error (error);
  g_assert_null (config->crl);
  g_assert_null (config->invite);
  g_assert_cmpuint (config->policy.level, ==, 3);
  g_assert_cmpuint (config->key_lifetime, ==, 3600);
  g_assert_cmpuint (config->key_packets, ==, 1 << 23);
  g_assert_true (bravis_config_may_invite (config, "anybody@example.org"));
}

static void
test_keys_may_be_replaced_sooner (void)
{
  g_autoptr (BravisConfig) config = load (IDENTITY GROUP
      "[keys]\nlifetime=60\npackets=1024\n", NULL);

  g_assert_cmpuint (config->key_lifetime, ==, 60);
  g_assert_cmpuint (config->key_packets, ==, 1024);
}

static void
test_access_list (void)
{
  g_autoptr (BravisConfig) config = load (IDENTITY GROUP
      "[access]\nallow=*@example.org;bob@example.net\ndeny=Mallory@*\n", NULL);

  g_assert_true (bravis_config_may_invite (config, "alice@example.org"));
  g_assert_true (bravis_config_may_invite (config, "bob@example.net"));
  g_assert_false (bravis_config_may_invite (config, "carol@example.net"));
  g_assert_false (bravis_config_may_invite (config, "mallory@example.org"));
  g_assert_false (bravis_config_may_invite (config, "MALLORY@example.org"));
  g_assert_false (bravis_config_may_invite (config, "alice@example.org.evil"));
}

static void
test_deny_alone_allows_the_others (void)
{
  g_autoptr (BravisConfig) config = load (IDENTITY GROUP
      "[access]\ndeny=mallory@*\n", NULL);

  g_assert_true (bravis_config_may_invite (config, "alice@example.org"));
  g_assert_false (bravis_config_may_invite (config, "mallory@example.org"));
}

/* A file that is wrong, and what the error has to name. */
static const struct {
  const char *name;
  const char *text;
  const char *named[4];
} bad[] = {
  { "unknown_group", IDENTITY GROUP "[grupp]\nx=1\n", { "[grupp]", "unknown" } },
  { "unknown_key", IDENTITY GROUP "colour=red\n",
    { "[group]", "colour", "unknown", "listen" } },
  { "no_identity", GROUP, { "[identity]", "certificate", "missing" } },
  { "no_key", "[identity]\ncertificate=a.pem\ntrust=ca.pem\n" GROUP,
    { "[identity]", "key", "missing" } },
  { "no_trust", "[identity]\ncertificate=a.pem\nkey=a.key\n" GROUP,
    { "[identity]", "trust", "missing" } },
  { "missing_file",
    "[identity]\ncertificate=none.pem\nkey=a.key\ntrust=ca.pem\n" GROUP,
    { "[identity]", "certificate", "none.pem", "no such file" } },
  { "missing_crl", IDENTITY "crl=none.crl\n" GROUP,
    { "[identity]", "crl", "none.crl", "no such file" } },
  { "no_conference", IDENTITY "[group]\nlisten=127.0.0.1:5004\n",
    { "[group]", "conference", "missing" } },
  { "empty_conference", IDENTITY
    "[group]\nconference=\nlisten=127.0.0.1:5004\n",
    { "[group]", "conference", "no value" } },
  { "no_listen", IDENTITY "[group]\nconference=talk\n",
    { "[group]", "listen", "missing" } },
  { "listen_without_port", IDENTITY
    "[group]\nconference=talk\nlisten=127.0.0.1\n",
    { "[group]", "listen=127.0.0.1", "HOST:PORT" } },
  { "listen_port_too_large", IDENTITY
    "[group]\nconference=talk\nlisten=127.0.0.1:70000\n",
    { "[group]", "listen=127.0.0.1:70000", "65535" } },
  { "listen_unknown_host", IDENTITY
    "[group]\nconference=talk\nlisten=no-such-host.invalid:5004\n",
    { "[group]", "listen=no-such-host.invalid:5004", "look up" } },
  { "invite_no_name", IDENTITY GROUP "invite=bob\n",
    { "[group]", "invite=bob", "user@domain" } },
  { "invite_without_address", IDENTITY GROUP "invite=bob@example.org\n",
    { "[group]", "invite=bob@example.org", "[peers]" } },
  { "invite_empty", IDENTITY GROUP
    "invite=;bob@example.org\n[peers]\nbob@example.org=127.0.0.1:1\n",
    { "[group]", "invite=;bob@example.org", "empty" } },
  { "peer_no_name", IDENTITY GROUP "[peers]\nbob=127.0.0.1:5006\n",
    { "[peers]", "bob", "user@domain" } },
  { "peer_bad_address", IDENTITY GROUP "[peers]\nbob@example.org=nowhere\n",
    { "[peers]", "bob@example.org=nowhere", "HOST:PORT" } },
  { "peer_port_zero", IDENTITY GROUP
    "[peers]\nbob@example.org=127.0.0.1:0\n",
    { "[peers]", "bob@example.org=127.0.0.1:0", "1 to 65535" } },
  { "access_empty", IDENTITY GROUP "[access]\nallow=\n",
    { "[access]", "allow", "no value" } },
  { "policy_level", IDENTITY GROUP "[policy]\nlevel=2\n",
    { "[policy]", "level=2", "expected 3" } },
  { "policy_cipher", IDENTITY GROUP "[policy]\nvideo=rot13\n",
    { "[policy]", "video=rot13", "aes-128-gcm" } },
  { "keys_lifetime", IDENTITY GROUP "[keys]\nlifetime=0\n",
    { "[keys]", "lifetime=0", "a number from 1" } },
  { "keys_packets", IDENTITY GROUP "[keys]\npackets=8388609\n",
    { "[keys]", "packets=8388609", "to 8388608" } },
  { "no_key_file_at_all", "conference=talk\n", { "peer.conf" } },
};

static void
test_bad (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;

  g_assert_null (load (bad[i].text, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "peer.conf"));
  for (guint k = 0; k < 4 && bad[i].named[k]; k++)
    g_assert_nonnull (strstr (error->message, bad[i].named[k]));
}

static void
test_file_that_is_not_there_is_named (void)
{
  g_autofree char *path = g_build_filename (folder, "none.conf", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (bravis_config_load (path, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, "No such file"));
}

/* No member ever sees "auto": the group's policy names a cipher. */
static void
test_auto_is_settled_by_the_processor (void)
{
  for (processor_has_aes = 0; processor_has_aes <= 1; processor_has_aes++) {
    GError *error = NULL;
    g_autoptr (BravisConfig) config = load (IDENTITY GROUP
        "[policy]\nvideo=auto\naudio=aes-256-gcm\n", &error);

    g_assert_no_error (error);
    g_assert_cmpint (config->policy.cipher[BRAVIS_KIND_VIDEO], ==,
        processor_has_aes ? BRAVIS_CIPHER_AES_128_GCM
        : BRAVIS_CIPHER_CHACHA20_POLY1305);
    g_assert_cmpint (config->policy.cipher[BRAVIS_KIND_AUDIO], ==,
        BRAVIS_CIPHER_AES_256_GCM);
    g_assert_cmpint (config->policy.cipher[BRAVIS_KIND_WHITEBOARD], ==,
        BRAVIS_CIPHER_AES_128_GCM);
  }
  processor_has_aes = -1;
}

/* Linux has asked it too. */
static void
test_processor_is_asked_for_aes (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;
  const char *flags, *end;

  if (!g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL)
      || !(flags = strstr (text, "\nflags\t")) || !(end = strchr (flags + 1, '\n'))) {
    g_test_skip ("/proc/cpuinfo does not say what the processor can do");
    return;
  }
  text[end - text] = '\0';
  words = g_strsplit (flags, " ", -1);
  g_assert_cmpint (bravis_processor_has_aes (), ==,
      g_strv_contains ((const char *const *) words, "aes")
      && g_strv_contains ((const char *const *) words, "pclmulqdq"));
}

int
main (int argc, char **argv)
{
  static const char *const files[] = {
    "a.pem", "a.key", "ca.pem", "crl.pem", "peer.conf",
  };
  int result;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("bravis-config-XXXXXX", NULL);
  for (guint i = 0; i < 3; i++)
    g_free (write_file (files[i], ""));
  g_test_add_func ("/keymgmt/config/everything_is_read",
      test_everything_is_read);
  g_test_add_func ("/keymgmt/config/key_may_be_in_a_token",
      test_key_may_be_in_a_token);
  g_test_add_func ("/keymgmt/config/the_least_is_enough",
      test_the_least_is_enough);
  g_test_add_func ("/keymgmt/config/access_list", test_access_list);
  g_test_add_func ("/keymgmt/config/deny_alone_allows_the_others",
      test_deny_alone_allows_the_others);
  g_test_add_func ("/keymgmt/config/keys_may_be_replaced_sooner",
      test_keys_may_be_replaced_sooner);
  g_test_add_func ("/keymgmt/config/auto_is_settled_by_the_processor",
      test_auto_is_settled_by_the_processor);
  g_test_add_func ("/keymgmt/config/processor_is_asked_for_aes",
      test_processor_is_asked_for_aes);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *path = g_strdup_printf ("/keymgmt/config/bad/%s",
        bad[i].name);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_bad);
  }
  g_test_add_func ("/keymgmt/config/file_that_is_not_there_is_named",
      test_file_that_is_not_there_is_named);
  result = g_test_run ();
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (folder, files[i], NULL);

    g_remove (path);
  }
  g_rmdir (folder);
  g_free (folder);
  return result;
}
