/* net-flood: HELLOs from addresses that are not this host's
 *
 *   net-flood ADDRESS PORT CONFERENCE PER_SECOND
 *
 * First messages of the handshake (docs/protocol.md 4.1) as one can make them who knows
 * the conference's name: the tag is right, nonce and key are random, the cookie is
 * missing. Each comes from another IPv4 address, of 2^24, so no answer reaches this
 * host. Runs until SIGTERM and says then, as JSON on the standard output, how many
 * it sent in how many seconds. Needs CAP_NET_RAW.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define HELLO_SIZE 123
#define TAGGED 75               /* octets that the tag is over */
#define TAG_SIZE 16
#define COOKIE_SIZE 32
#define CLOUD 0x0b000000        /* the senders are in 11.0.0.0/8 */

typedef struct {
  struct iphdr ip;
  struct udphdr udp;
  guint8 hello[HELLO_SIZE];
} __attribute__ ((packed)) Packet;

static volatile sig_atomic_t is_over;

static void
end (int signal_number)
{
  is_over = 1;
}

static void G_GNUC_NORETURN
die (const char *what)
{
  g_printerr ("net-flood: %s: %s\n", what, g_strerror (errno));
  exit (1);
}

static void
fill_random (GRand *random, guint8 *out, gsize size)
{
  for (gsize i = 0; i < size; i++)
    out[i] = g_rand_int (random);
}

static void
make_hello (guint8 hello[HELLO_SIZE], GRand *random, const guint8 *key, gsize key_size)
{
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key, key_size);
  guint8 digest[32];
  gsize size = sizeof digest;

  hello[0] = 1;                 /* HELLO */
  hello[1] = 1;                 /* version */
  fill_random (random, hello + 2, TAGGED - 2);
  memset (hello + TAGGED, 0, HELLO_SIZE - TAGGED);
  g_hmac_update (hmac, hello, TAGGED);
  g_hmac_get_digest (hmac, digest, &size);
  memcpy (hello + TAGGED, digest, TAG_SIZE);
}

static void
make_packet (Packet *packet, GRand *random, const struct sockaddr_in *to,
    const guint8 *key, gsize key_size)
{
  packet->ip = (struct iphdr) {
    .version = 4, .ihl = 5, .tot_len = htons (sizeof *packet), .ttl = 64,
    .protocol = IPPROTO_UDP, .daddr = to->sin_addr.s_addr,
    .saddr = htonl (CLOUD | (g_rand_int (random) & 0xffffff))
  };
  packet->udp.source = htons (g_rand_int_range (random, 1024, 65536));
  packet->udp.dest = to->sin_port;
  packet->udp.len = htons (sizeof packet->udp + HELLO_SIZE);
  packet->udp.check = 0;        /* none */
  make_hello (packet->hello, random, key, key_size);
}

static guint
send_batch (int fd, Packet packets[BATCH], struct sockaddr_in *to)
{
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  int n;

  memset (messages, 0, sizeof messages);
  for (guint i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec) { &packets[i], sizeof packets[i] };
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = to;
    messages[i].msg_hdr.msg_namelen = sizeof *to;
  }
  n = sendmmsg (fd, messages, BATCH, 0);
  if (n < 0 && errno != EINTR && errno != ENOBUFS)
    die ("cannot send");
  return MAX (n, 0);
}

int
main (int argc, char **argv)
{
  g_autoptr (GRand) random = g_rand_new ();
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  struct sockaddr_in to = { .sin_family = AF_INET };
  struct sigaction action = { .sa_handler = end };
  Packet packets[BATCH];
  guint8 key[32];
  gsize key_size = sizeof key;
  gint64 began = g_get_monotonic_time ();
  guint64 n_sent = 0;
  double per_second;
  int fd;

  if (argc != 5 || inet_pton (AF_INET, argv[1], &to.sin_addr) != 1
      || (per_second = g_ascii_strtod (argv[4], NULL)) <= 0) {
    g_printerr ("usage: net-flood ADDRESS PORT CONFERENCE PER_SECOND\n");
    return 2;
  }
  to.sin_port = htons (atoi (argv[2]));
  g_checksum_update (checksum, (const guchar *) argv[3], -1);
  g_checksum_get_digest (checksum, key, &key_size);
  sigaction (SIGTERM, &action, NULL);
  fd = socket (AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
  if (fd < 0)
    die ("cannot open a raw socket");
  while (!is_over) {
    gint64 ahead = began + n_sent / per_second * G_USEC_PER_SEC
        - g_get_monotonic_time ();

    if (ahead > 0)
      g_usleep (ahead);
    for (guint i = 0; i < BATCH; i++)
      make_packet (&packets[i], random, &to, key, key_size);
    n_sent += send_batch (fd, packets, &to);
  }
  g_print ("{\"sent\": %" G_GUINT64_FORMAT ", \"seconds\": %.3f}\n", n_sent,
      (g_get_monotonic_time () - began) / 1e6);
  return 0;
}
