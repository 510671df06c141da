/* gcp-udp.h: the UDP socket of a peer
 *
 * One socket for everything: handshakes, group communication and media. A
 * thread of its own reads it (many datagrams a call) and hands each to the
 * receiver in that thread; sending is done from any thread.
 *
 * [::] and 0.0.0.0 listen on all interfaces; [::] takes IPv4 too.
 */
#pragma once

#include "gcp-address.h"

G_BEGIN_DECLS

/* Largest datagram that is read; longer ones are cut and fail authentication. */
#define GCP_UDP_MAX_DATAGRAM 2048

typedef struct _GcpUdp GcpUdp;

/* Called in the reading thread. @data is borrowed and may be altered in place. */
typedef void (*GcpUdpReceive) (const GcpAddress *from, guint8 *data,
    gsize size, gpointer user_data);

/* Opens and binds; nothing is read before gcp_udp_start (). Errors: G_IO_ERROR
 * naming the address (in use, not available, not permitted). */
GcpUdp *gcp_udp_new (const GcpAddress *listen, GError **error);
void gcp_udp_get_local (GcpUdp *udp, GcpAddress *local);

void gcp_udp_start (GcpUdp *udp, GcpUdpReceive receive, gpointer user_data);

/* Stops the thread: when this returns, the receiver is not called any more.
 * Not to be called from the receiver. */
void gcp_udp_stop (GcpUdp *udp);
void gcp_udp_free (GcpUdp *udp);

/* Sends without blocking. What the system does not take is lost, as datagrams
 * are; FALSE says so. */
gboolean gcp_udp_send (GcpUdp *udp, const GcpAddress *to, gconstpointer data,
    gsize size);

typedef struct {
  GcpAddress to;
  gconstpointer data;
  gsize size;
} GcpUdpDatagram;

/* Sends several, with as few system calls as possible. Returns how many were
 * taken. */
guint gcp_udp_send_many (GcpUdp *udp, const GcpUdpDatagram *datagrams, guint n);

/* Sends the same bytes to each of @to, with as few system calls as possible.
 * Returns how many were taken. */
guint gcp_udp_send_to_all (GcpUdp *udp, const GcpAddress *to, guint n_to,
    gconstpointer data, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GcpUdp, gcp_udp_free)

G_END_DECLS
