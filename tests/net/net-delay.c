/* net-delay: carries Ethernet frames from one interface to another, later
 *
 *   net-delay MILLISECONDS FROM:TO...
 *
 * For kernels without netem. What comes in at FROM goes out at TO after the delay,
 * in its order; what comes in at TO goes out at FROM at once. The interfaces are
 * ends of veth pairs in the present network namespace: FROM of a host's, TO of a
 * bridge's port. At most QUEUE_LENGTH frames wait in each direction, further ones
 * are dropped, as a full router would. Runs until it is killed; "ready" on
 * the standard output says that frames are carried from now on.
 */
#include <errno.h>
#include <glib.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_LENGTH 4096
/* A frame that segmentation offload has not cut yet, and its virtio_net_hdr. */
#define MAX_FRAME (65536 + 256)
#define SOCKET_BUFFER (4 * 1024 * 1024)
#define BATCH 64                /* frames read before the others have their turn */

typedef struct {
  gint64 due;
  gsize size;
  guint8 data[];
} Frame;

/* One direction of a pair. */
typedef struct {
  int from, to;                 /* sockets */
  gint64 delay;
  GQueue waiting;               /* of Frame */
} Direction;

static void G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN
die (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_printerr ("net-delay: %s\n", text);
  exit (1);
}

static void
set_option (int fd, int level, int option, int value, const char *what)
{
  if (setsockopt (fd, level, option, &value, sizeof value) != 0)
    die ("%s: %s", what, g_strerror (errno));
}

/* With the header of virtio, because checksums may be left to a device that does
 * not exist: whoever gets the frame must know that they are not there yet. */
static int
open_interface (const char *name)
{
  struct sockaddr_ll address = {
    .sll_family = AF_PACKET,
    .sll_protocol = g_htons (ETH_P_ALL),
    .sll_ifindex = if_nametoindex (name),
  };
  int fd = socket (AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int size = SOCKET_BUFFER;

  if (fd < 0)
    die ("cannot open a packet socket: %s", g_strerror (errno));
  if (address.sll_ifindex == 0)
    die ("no interface %s", name);
  set_option (fd, SOL_PACKET, PACKET_VNET_HDR, 1, "PACKET_VNET_HDR");
  set_option (fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1,
      "PACKET_IGNORE_OUTGOING");
  if (setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    set_option (fd, SOL_SOCKET, SO_RCVBUF, size, "SO_RCVBUF");
  if (bind (fd, (struct sockaddr *) &address, sizeof address) != 0)
    die ("%s: %s", name, g_strerror (errno));
  return fd;
}

/* What the device's queue does not take is lost, as on a real one. */
static void
send_frame (const Direction *direction, const guint8 *data, gsize size)
{
  send (direction->to, data, size, 0);
}

static void
read_frames (Direction *direction)
{
  static guint8 buffer[MAX_FRAME];

  for (guint i = 0; i < BATCH; i++) {
    gssize size = recv (direction->from, buffer, sizeof buffer, 0);

    if (size <= (gssize) sizeof (struct virtio_net_hdr))
      return;
    if (direction->delay == 0) {
      send_frame (direction, buffer, size);
    } else if (direction->waiting.length < QUEUE_LENGTH) {
      Frame *frame = g_malloc (sizeof *frame + size);

      frame->due = g_get_monotonic_time () + direction->delay;
      frame->size = size;
      memcpy (frame->data, buffer, size);
      g_queue_push_tail (&direction->waiting, frame);
    }
  }
}

/* Sends what is due; returns when the next frame is. */
static gint64
send_due (Direction *direction, gint64 now)
{
  Frame *frame;

  while ((frame = g_queue_peek_head (&direction->waiting))) {
    if (frame->due > now)
      return frame->due;
    send_frame (direction, frame->data, frame->size);
    g_free (g_queue_pop_head (&direction->waiting));
  }
  return G_MAXINT64;
}

static void G_GNUC_NORETURN
carry (Direction *directions, guint n)
{
  g_autofree struct pollfd *polled = g_new0 (struct pollfd, n);

  for (guint i = 0; i < n; i++) {
    polled[i].fd = directions[i].from;
    polled[i].events = POLLIN;
  }
  for (;;) {
    gint64 now = g_get_monotonic_time ();
    gint64 next = G_MAXINT64;
    struct timespec wait;

    for (guint i = 0; i < n; i++)
      next = MIN (next, send_due (&directions[i], now));
    wait.tv_sec = (next - now) / G_USEC_PER_SEC;
    wait.tv_nsec = (next - now) % G_USEC_PER_SEC * 1000;
    if (ppoll (polled, n, next == G_MAXINT64 ? NULL : &wait, NULL) < 0
        && errno != EINTR)
      die ("poll: %s", g_strerror (errno));
    for (guint i = 0; i < n; i++)
      if (polled[i].revents)
        read_frames (&directions[i]);
  }
}

int
main (int argc, char **argv)
{
  g_autofree Direction *directions = NULL;
  double milliseconds = 0;
  char *end = NULL;
  guint n = 0;

  if (argc >= 3)
    milliseconds = g_ascii_strtod (argv[1], &end);
  if (argc < 3 || *end != '\0' || milliseconds < 0 || milliseconds > 10000)
    die ("usage: net-delay MILLISECONDS FROM:TO...");
  directions = g_new0 (Direction, 2 * (argc - 2));
  for (int i = 2; i < argc; i++) {
    g_auto (GStrv) names = g_strsplit (argv[i], ":", 0);
    int from, to;

    if (g_strv_length (names) != 2)
      die ("%s: expected FROM:TO", argv[i]);
    from = open_interface (names[0]);
    to = open_interface (names[1]);
    directions[n].from = from;
    directions[n].to = to;
    directions[n++].delay = milliseconds * 1000;
    directions[n].from = to;
    directions[n++].to = from;
  }
  g_print ("ready\n");
  fflush (stdout);
  carry (directions, n);
}
