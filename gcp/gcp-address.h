/* gcp-address.h: where a peer is reached: an IP address and a UDP port
 *
 * A plain value: copied by assignment, compared with gcp_address_equal(),
 * usable as the key of a GHashTable. IPv4 addresses are held as themselves,
 * never as IPv4-mapped IPv6; a socket that gives mapped addresses has them
 * turned back here.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  guint8 family;                /* 0: none, 4: IPv4, 6: IPv6 */
  guint8 ip[16];                /* network order; the first 4 for IPv4 */
  guint16 port;                 /* host order */
  guint32 scope;                /* IPv6 scope id, 0 where there is none */
} GcpAddress;

#define GCP_ADDRESS_STRING_SIZE 72

guint gcp_address_hash (gconstpointer address);
gboolean gcp_address_equal (gconstpointer a, gconstpointer b);
gboolean gcp_address_is_none (const GcpAddress *address);

/* "192.0.2.1:5004", "[2001:db8::1]:5004" or "host.example:5004" (looked up
 * once, in the caller's thread). Port 0 is allowed only with @allow_any_port.
 * Errors: G_IO_ERROR_INVALID_ARGUMENT naming @text, or the resolver's. */
gboolean gcp_address_parse (const char *text, gboolean allow_any_port,
    GcpAddress *address, GError **error);

/* Writes the numeric form of @address to @out and returns @out. */
const char *gcp_address_format (const GcpAddress *address,
    char out[GCP_ADDRESS_STRING_SIZE]);

/* The system's form; @native has room for a struct sockaddr_storage.
 * Returns the length. */
gsize gcp_address_to_native (const GcpAddress *address, gpointer native);
gboolean gcp_address_from_native (gconstpointer native, gsize size,
    GcpAddress *address);

G_END_DECLS
