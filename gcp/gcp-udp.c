#include "gcp-udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64                /* datagrams read by one call */
#define SEND_BATCH 128          /* datagrams sent by one call */
#define BUFFER_SIZE (4 * 1024 * 1024)

struct _GcpUdp {
  int socket;
  int wake;                     /* eventfd: written once, to stop */
  gboolean is_ipv6;             /* IPv4 addresses are mapped when sent to */
  GThread *thread;
  GcpUdpReceive receive;
  gpointer user_data;
};

/* One datagram of a batch. */
typedef struct {
  guint8 data[GCP_UDP_MAX_DATAGRAM];
  struct sockaddr_storage from;
  struct iovec span;
} Slot;

static gboolean
set_option (int fd, int level, int option, int value)
{
  return setsockopt (fd, level, option, &value, sizeof value) == 0;
}

/* A burst of several members' key pictures must fit while the thread is not
 * running. The forced form passes the system's limit where that is allowed;
 * otherwise the system gives what it gives. */
static void
enlarge_buffers (int fd)
{
  if (!set_option (fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_SIZE))
    set_option (fd, SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE);
  if (!set_option (fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_SIZE))
    set_option (fd, SOL_SOCKET, SO_SNDBUF, BUFFER_SIZE);
}

static gboolean
open_and_bind (GcpUdp *udp, const GcpAddress *listen)
{
  struct sockaddr_storage native;
  gsize size = gcp_address_to_native (listen, &native);
  int type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

  udp->is_ipv6 = listen->family == 6;
  udp->socket = socket (udp->is_ipv6 ? AF_INET6 : AF_INET, type, 0);
  if (udp->socket < 0)
    return FALSE;
  if (udp->is_ipv6 && !set_option (udp->socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    return FALSE;
  enlarge_buffers (udp->socket);
  if (bind (udp->socket, (struct sockaddr *) &native, size) != 0)
    return FALSE;
  udp->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  return udp->wake >= 0;
}

GcpUdp *
gcp_udp_new (const GcpAddress *listen, GError **error)
{
  g_autoptr (GcpUdp) udp = g_new0 (GcpUdp, 1);
  char text[GCP_ADDRESS_STRING_SIZE];

  udp->socket = -1;
  udp->wake = -1;
  if (!open_and_bind (udp, listen)) {
    int cause = errno;

    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (cause),
        "cannot listen on %s: %s", gcp_address_format (listen, text),
        g_strerror (cause));
    return NULL;
  }
  return g_steal_pointer (&udp);
}

void
gcp_udp_get_local (GcpUdp *udp, GcpAddress *local)
{
  struct sockaddr_storage native;
  socklen_t size = sizeof native;

  memset (local, 0, sizeof *local);
  if (getsockname (udp->socket, (struct sockaddr *) &native, &size) == 0)
    gcp_address_from_native (&native, size, local);
}

static void
read_batch (GcpUdp *udp, Slot *slots, struct mmsghdr *messages)
{
  int n;

  for (guint i = 0; i < BATCH; i++)
    messages[i].msg_hdr.msg_namelen = sizeof slots[i].from;
  n = recvmmsg (udp->socket, messages, BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < n; i++) {
    GcpAddress from;

    if (gcp_address_from_native (&slots[i].from,
            messages[i].msg_hdr.msg_namelen, &from))
      udp->receive (&from, slots[i].data, messages[i].msg_len, udp->user_data);
  }
}

static gpointer
run (gpointer data)
{
  GcpUdp *udp = data;
  g_autofree Slot *slots = g_new0 (Slot, BATCH);
  g_autofree struct mmsghdr *messages = g_new0 (struct mmsghdr, BATCH);
  struct pollfd polled[] = {
    { .fd = udp->socket, .events = POLLIN },
    { .fd = udp->wake, .events = POLLIN },
  };

  for (guint i = 0; i < BATCH; i++) {
    slots[i].span.iov_base = slots[i].data;
    slots[i].span.iov_len = sizeof slots[i].data;
    messages[i].msg_hdr.msg_name = &slots[i].from;
    messages[i].msg_hdr.msg_iov = &slots[i].span;
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (;;) {
    if (poll (polled, G_N_ELEMENTS (polled), -1) < 0)
      continue;
    if (polled[1].revents)
      return NULL;
    /* One batch a turn, so that a flood does not keep the thread from stopping.
     * An ICMP error makes the socket readable too; reading takes it away. */
    if (polled[0].revents)
      read_batch (udp, slots, messages);
  }
}

void
gcp_udp_start (GcpUdp *udp, GcpUdpReceive receive, gpointer user_data)
{
  g_return_if_fail (!udp->thread);
  udp->receive = receive;
  udp->user_data = user_data;
  udp->thread = g_thread_new ("bravis-udp", run, udp);
}

void
gcp_udp_stop (GcpUdp *udp)
{
  guint64 one = 1;

  if (!udp->thread)
    return;
  while (write (udp->wake, &one, sizeof one) < 0 && errno == EINTR)
    continue;
  g_thread_join (g_steal_pointer (&udp->thread));
  while (read (udp->wake, &one, sizeof one) < 0 && errno == EINTR)
    continue;
}

void
gcp_udp_free (GcpUdp *udp)
{
  gcp_udp_stop (udp);
  if (udp->socket >= 0)
    close (udp->socket);
  if (udp->wake >= 0)
    close (udp->wake);
  g_free (udp);
}

/* The form that this socket sends to; 0 where it cannot. */
static gsize
to_native (GcpUdp *udp, const GcpAddress *to, struct sockaddr_storage *native)
{
  GcpAddress mapped;

  if (!udp->is_ipv6)
    return to->family == 4 ? gcp_address_to_native (to, native) : 0;
  if (to->family != 4)
    return gcp_address_to_native (to, native);
  mapped = (GcpAddress) { .family = 6, .port = to->port };
  mapped.ip[10] = mapped.ip[11] = 0xff;
  memcpy (mapped.ip + 12, to->ip, 4);
  return gcp_address_to_native (&mapped, native);
}

gboolean
gcp_udp_send (GcpUdp *udp, const GcpAddress *to, gconstpointer data,
    gsize size)
{
  return gcp_udp_send_to_all (udp, to, 1, data, size) == 1;
}

/* Hands @n messages to the system. One that it refuses is passed over; when it
 * takes no more at all, the rest is lost. */
static guint
send_batch (GcpUdp *udp, struct mmsghdr *messages, guint n)
{
  guint done = 0, taken = 0;
  gboolean again = TRUE;

  while (done < n) {
    int sent = sendmmsg (udp->socket, messages + done, n - done, MSG_DONTWAIT);

    if (sent > 0) {
      done += sent;
      taken += sent;
      again = TRUE;
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      break;
    } else if (errno == ECONNREFUSED && again) {
      /* It tells of an earlier datagram, not of this one. */
      again = FALSE;
    } else if (errno != EINTR) {
      done++;
      again = TRUE;
    }
  }
  return taken;
}

guint
gcp_udp_send_to_all (GcpUdp *udp, const GcpAddress *to, guint n_to,
    gconstpointer data, gsize size)
{
  struct iovec span = { .iov_base = (gpointer) data, .iov_len = size };
  struct mmsghdr messages[SEND_BATCH];
  struct sockaddr_storage native[SEND_BATCH];
  guint taken = 0;

  for (guint next = 0; next < n_to;) {
    guint n = 0;

    for (; next < n_to && n < SEND_BATCH; next++) {
      gsize length = to_native (udp, &to[next], &native[n]);

      if (length == 0)
        continue;
      messages[n].msg_hdr = (struct msghdr) {
        .msg_name = &native[n],
        .msg_namelen = length,
        .msg_iov = &span,
        .msg_iovlen = 1,
      };
      n++;
    }
    taken += send_batch (udp, messages, n);
  }
  return taken;
}

guint
gcp_udp_send_many (GcpUdp *udp, const GcpUdpDatagram *datagrams, guint n)
{
  struct mmsghdr messages[SEND_BATCH];
  struct iovec spans[SEND_BATCH];
  struct sockaddr_storage native[SEND_BATCH];
  guint taken = 0;

  for (guint next = 0; next < n;) {
    guint n_messages = 0;

    for (; next < n && n_messages < SEND_BATCH; next++) {
      const GcpUdpDatagram *datagram = &datagrams[next];
      gsize length = to_native (udp, &datagram->to, &native[n_messages]);

      if (length == 0)
        continue;
      spans[n_messages] = (struct iovec) { (gpointer) datagram->data,
        datagram->size };
      messages[n_messages].msg_hdr = (struct msghdr) {
        .msg_name = &native[n_messages],
        .msg_namelen = length,
        .msg_iov = &spans[n_messages],
        .msg_iovlen = 1,
      };
      n_messages++;
    }
    taken += send_batch (udp, messages, n_messages);
  }
  return taken;
}
