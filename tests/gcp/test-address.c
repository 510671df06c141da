#include "../../gcp/gcp-address.h"

#include <netinet/in.h>
#include <string.h>

static void
check_round_trip (const char *text, const char *expected)
{
  GcpAddress address, again;
  char out[GCP_ADDRESS_STRING_SIZE];
  GError *error = NULL;

  g_assert_true (gcp_address_parse (text, FALSE, &address, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (gcp_address_format (&address, out), ==, expected);
  g_assert_true (gcp_address_parse (out, FALSE, &again, NULL));
  g_assert_true (gcp_address_equal (&address, &again));
  g_assert_cmpuint (gcp_address_hash (&address), ==,
      gcp_address_hash (&again));
}

static void
test_text_round_trip (void)
{
  check_round_trip ("192.0.2.1:5004", "192.0.2.1:5004");
  check_round_trip ("[2001:db8::1]:1", "[2001:db8::1]:1");
  check_round_trip ("[::]:65535", "[::]:65535");
  check_round_trip ("[fe80::1%1]:5004", "[fe80::1%1]:5004");
  check_round_trip ("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
      "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void
test_mapped_address_is_ipv4 (void)
{
  check_round_trip ("[::ffff:192.0.2.7]:9", "192.0.2.7:9");
}

static void
test_host_name_is_looked_up (void)
{
  GcpAddress address;
  GError *error = NULL;

  g_assert_true (gcp_address_parse ("localhost:5004", FALSE, &address, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (address.port, ==, 5004);
}

static void
test_bad_text_is_named (void)
{
  static const char *const bad[] = {
    "", ":", ":5004", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0",
    "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:+1", "192.0.2.1: 1",
    "192.0.2.1:1x", "192.0.2.1:99999999999999999999", "::1:5004",
    "2001:db8::1:5004", "[::1]", "[::1]5004", "[::1:5004", "[]:5004",
    "[192.0.2.1]:5004", "[localhost]:5004", "[::1]x:5004",
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    GcpAddress address = { .port = 77 };
    g_autoptr (GError) error = NULL;
    g_autofree char *quoted = g_strdup_printf ("'%s'", bad[i]);

    g_assert_false (gcp_address_parse (bad[i], FALSE, &address, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, quoted));
    g_assert_cmpuint (address.port, ==, 77);
  }
}

static void
test_unknown_host_is_named (void)
{
  GcpAddress address;
  g_autoptr (GError) error = NULL;

  g_assert_false (gcp_address_parse ("no-such-host.invalid:5004", FALSE,
          &address, &error));
  g_assert_true (error->domain == G_RESOLVER_ERROR);
  g_assert_nonnull (strstr (error->message, "no-such-host.invalid"));
}

static void
test_any_port_only_where_allowed (void)
{
  GcpAddress address;

  g_assert_false (gcp_address_parse ("127.0.0.1:0", FALSE, &address, NULL));
  g_assert_true (gcp_address_parse ("127.0.0.1:0", TRUE, &address, NULL));
  g_assert_cmpuint (address.port, ==, 0);
}

static void
test_native_round_trip (void)
{
  static const char *const texts[] = {
    "192.0.2.1:5004", "[2001:db8::1]:5004", "[fe80::1%1]:5004",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    struct sockaddr_storage native;
    GcpAddress address, again;
    gsize size;

    g_assert_true (gcp_address_parse (texts[i], FALSE, &address, NULL));
    size = gcp_address_to_native (&address, &native);
    g_assert_cmpuint (size, >, 0);
    g_assert_true (gcp_address_from_native (&native, size, &again));
    g_assert_true (gcp_address_equal (&address, &again));
    g_assert_false (gcp_address_from_native (&native, 3, &again));
    g_assert_true (gcp_address_is_none (&again));
  }
}

static void
test_different_addresses_differ (void)
{
  static const char *const texts[] = {
    "192.0.2.1:5004", "192.0.2.1:5005", "192.0.2.2:5004", "[::1]:5004",
    "[::2]:5004", "[fe80::1%1]:5004", "[fe80::1%2]:5004",
  };
  GcpAddress addresses[G_N_ELEMENTS (texts)];
  GcpAddress none = { 0 }, other_none = { .port = 5 };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_true (gcp_address_parse (texts[i], FALSE, &addresses[i], NULL));
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    for (guint j = 0; j < G_N_ELEMENTS (texts); j++)
      g_assert_true (gcp_address_equal (&addresses[i], &addresses[j])
          == (i == j));
  g_assert_true (gcp_address_is_none (&none));
  g_assert_true (gcp_address_equal (&none, &other_none));
  g_assert_false (gcp_address_equal (&none, &addresses[0]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gcp/address/text_round_trip", test_text_round_trip);
  g_test_add_func ("/gcp/address/mapped_address_is_ipv4",
      test_mapped_address_is_ipv4);
  g_test_add_func ("/gcp/address/host_name_is_looked_up",
      test_host_name_is_looked_up);
  g_test_add_func ("/gcp/address/bad_text_is_named", test_bad_text_is_named);
  g_test_add_func ("/gcp/address/unknown_host_is_named",
      test_unknown_host_is_named);
  g_test_add_func ("/gcp/address/any_port_only_where_allowed",
      test_any_port_only_where_allowed);
  g_test_add_func ("/gcp/address/native_round_trip", test_native_round_trip);
  g_test_add_func ("/gcp/address/different_addresses_differ",
      test_different_addresses_differ);
  return g_test_run ();
}
