#include "gcp-address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

guint
gcp_address_hash (gconstpointer pointer)
{
  const GcpAddress *address = pointer;
  guint size = address->family == 4 ? 4 : 16;
  guint hash = 5381u + address->family;

  for (guint i = 0; i < size; i++)
    hash = hash * 33 + address->ip[i];
  return (hash * 33 + address->port) * 33 + address->scope;
}

gboolean
gcp_address_equal (gconstpointer pointer_a, gconstpointer pointer_b)
{
  const GcpAddress *a = pointer_a;
  const GcpAddress *b = pointer_b;

  if (a->family != b->family)
    return FALSE;
  if (a->family == 0)
    return TRUE;
  return a->port == b->port && a->scope == b->scope
      && memcmp (a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

gboolean
gcp_address_is_none (const GcpAddress *address)
{
  return address->family == 0;
}

gsize
gcp_address_to_native (const GcpAddress *address, gpointer native)
{
  struct sockaddr_storage *storage = native;

  memset (storage, 0, sizeof *storage);
  if (address->family == 4) {
    struct sockaddr_in *in = native;

    in->sin_family = AF_INET;
    in->sin_port = g_htons (address->port);
    memcpy (&in->sin_addr, address->ip, 4);
    return sizeof *in;
  }
  if (address->family == 6) {
    struct sockaddr_in6 *in6 = native;

    in6->sin6_family = AF_INET6;
    in6->sin6_port = g_htons (address->port);
    in6->sin6_scope_id = address->scope;
    memcpy (&in6->sin6_addr, address->ip, 16);
    return sizeof *in6;
  }
  return 0;
}

gboolean
gcp_address_from_native (gconstpointer native, gsize size, GcpAddress *address)
{
  const struct sockaddr *any = native;

  memset (address, 0, sizeof *address);
  if (size >= sizeof (struct sockaddr_in) && any->sa_family == AF_INET) {
    const struct sockaddr_in *in = native;

    address->family = 4;
    address->port = g_ntohs (in->sin_port);
    memcpy (address->ip, &in->sin_addr, 4);
    return TRUE;
  }
  if (size >= sizeof (struct sockaddr_in6) && any->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = native;

    address->port = g_ntohs (in6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED (&in6->sin6_addr)) {
      address->family = 4;
      memcpy (address->ip, in6->sin6_addr.s6_addr + 12, 4);
    } else {
      address->family = 6;
      address->scope = in6->sin6_scope_id;
      memcpy (address->ip, &in6->sin6_addr, 16);
    }
    return TRUE;
  }
  return FALSE;
}

const char *
gcp_address_format (const GcpAddress *address,
    char out[GCP_ADDRESS_STRING_SIZE])
{
  struct sockaddr_storage native;
  gsize size = gcp_address_to_native (address, &native);
  char host[NI_MAXHOST] = "";

  if (size == 0) {
    g_strlcpy (out, "none", GCP_ADDRESS_STRING_SIZE);
    return out;
  }
  if (address->family == 6)
    /* The scope is written as its number: a name could be of any length. */
    ((struct sockaddr_in6 *) &native)->sin6_scope_id = 0;
  getnameinfo ((struct sockaddr *) &native, size, host, sizeof host, NULL, 0,
      NI_NUMERICHOST);
  if (address->family == 4)
    g_snprintf (out, GCP_ADDRESS_STRING_SIZE, "%s:%u", host, address->port);
  else if (address->scope == 0)
    g_snprintf (out, GCP_ADDRESS_STRING_SIZE, "[%s]:%u", host, address->port);
  else
    g_snprintf (out, GCP_ADDRESS_STRING_SIZE, "[%s%%%u]:%u", host,
        address->scope, address->port);
  return out;
}

static gboolean
parse_port (const char *text, gboolean allow_any_port, guint16 *port)
{
  guint64 value;

  /* Decimal digits alone: no sign, no blanks. */
  if (!g_ascii_string_to_unsigned (text, 10, allow_any_port ? 0 : 1, 65535,
          &value, NULL))
    return FALSE;
  *port = value;
  return TRUE;
}

/* What stands in brackets: an IPv6 address, which may have a scope. */
static gboolean
parse_ipv6 (const char *text, const char *host, GcpAddress *address,
    GError **error)
{
  struct addrinfo hints = {
    .ai_socktype = SOCK_DGRAM,
    .ai_family = AF_INET6,
    .ai_flags = AI_NUMERICHOST,
  };
  struct addrinfo *found = NULL;
  gboolean known;

  if (getaddrinfo (host, NULL, &hints, &found) != 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "'%s' is no address: what stands in brackets is no IPv6 address", text);
    return FALSE;
  }
  known = gcp_address_from_native (found->ai_addr, found->ai_addrlen, address);
  freeaddrinfo (found);
  return known;
}

/* A name, or an IPv4 address. GResolver knows `localhost` by itself (RFC 6761
 * §6.3), also where no file says it. */
static gboolean
look_up (const char *text, const char *host, GcpAddress *address,
    GError **error)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  g_autoptr (GSocketAddress) found = NULL;
  struct sockaddr_storage native;
  GList *hosts = g_resolver_lookup_by_name (resolver, host, NULL, error);

  if (!hosts) {
    g_prefix_error (error, "cannot look up the host of '%s': ", text);
    return FALSE;
  }
  found = g_inet_socket_address_new (hosts->data, 0);
  g_resolver_free_addresses (hosts);
  return g_socket_address_to_native (found, &native, sizeof native, error)
      && gcp_address_from_native (&native, sizeof native, address);
}

gboolean
gcp_address_parse (const char *text, gboolean allow_any_port,
    GcpAddress *address, GError **error)
{
  const char *colon = strrchr (text, ':');
  gboolean bracketed = text[0] == '[';
  g_autofree char *host = NULL;
  GcpAddress result;
  guint16 port;

  if (!colon || colon == text) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "'%s' is no address: expected HOST:PORT", text);
    return FALSE;
  }
  if (bracketed ? colon[-1] != ']'
      : memchr (text, ':', colon - text) != NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "'%s' is no address: expected HOST:PORT, with an IPv6 address in "
        "brackets", text);
    return FALSE;
  }
  if (!parse_port (colon + 1, allow_any_port, &port)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "'%s' is no address: expected a port from %d to 65535", text,
        allow_any_port ? 0 : 1);
    return FALSE;
  }
  host = bracketed ? g_strndup (text + 1, colon - text - 2)
      : g_strndup (text, colon - text);
  if (bracketed ? !parse_ipv6 (text, host, &result, error)
      : !look_up (text, host, &result, error))
    return FALSE;
  result.port = port;
  *address = result;
  return TRUE;
}
