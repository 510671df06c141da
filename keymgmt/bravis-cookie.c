#include "bravis-cookie.h"

#include "../gcp/gcp-wire.h"

#include <string.h>

#define TIME_SIZE 8
#define MAC_SIZE (BRAVIS_COOKIE_SIZE - TIME_SIZE)

struct _BravisCookieJar {
  BravisRandom random;
  guint64 shift;                /* added to the time before it is shown */
  gint64 period;                /* that the first secret belongs to */
  BravisSecret *secrets[2];     /* of this period and of the one before */
};

BravisCookieJar *
bravis_cookie_jar_new (const BravisRandom *random)
{
  BravisCookieJar *jar = g_new0 (BravisCookieJar, 1);

  jar->random = *random;
  jar->shift = bravis_random_u64 (random) >> 1;
  jar->period = -1;
  return jar;
}

void
bravis_cookie_jar_free (BravisCookieJar *jar)
{
  for (guint i = 0; i < G_N_ELEMENTS (jar->secrets); i++)
    g_clear_pointer (&jar->secrets[i], bravis_secret_unref);
  g_free (jar);
}

static BravisSecret *
draw_secret (BravisCookieJar *jar)
{
  guint8 octets[BRAVIS_KEY_SIZE];

  bravis_random_fill (&jar->random, octets, sizeof octets);
  return bravis_secret_new_take (octets, sizeof octets);
}

/* Gives the present period a secret of its own. The last one's is kept, since a
 * cookie may be shown in the period after the one it was made in. */
static void
turn (BravisCookieJar *jar, gint64 now)
{
  gint64 period = now / BRAVIS_COOKIE_ROTATION;

  if (period == jar->period)
    return;
  g_clear_pointer (&jar->secrets[1], bravis_secret_unref);
  if (period == jar->period + 1)
    jar->secrets[1] = g_steal_pointer (&jar->secrets[0]);
  else
    g_clear_pointer (&jar->secrets[0], bravis_secret_unref);
  jar->secrets[0] = draw_secret (jar);
  jar->period = period;
}

static void
authenticate (const BravisSecret *secret, const GcpAddress *address,
    guint64 shown, gconstpointer asked, gsize size,
    guint8 out[BRAVIS_HASH_SIZE])
{
  g_auto (GcpWriter) writer = { NULL };
  g_autoptr (GBytes) input = NULL;

  gcp_writer_init (&writer);
  gcp_write_u64 (&writer, shown);
  gcp_write_u8 (&writer, address->family);
  gcp_write_bytes (&writer, address->ip, address->family == 4 ? 4 : 16);
  gcp_write_u16 (&writer, address->port);
  gcp_write_u32 (&writer, address->scope);
  gcp_write_bytes (&writer, asked, size);
  input = gcp_writer_finish (&writer);
  bravis_hmac_sha256 (secret, g_bytes_get_data (input, NULL),
      g_bytes_get_size (input), out);
}

void
bravis_cookie_make (BravisCookieJar *jar, const GcpAddress *address,
    gconstpointer asked, gsize size, gint64 now,
    guint8 cookie[BRAVIS_COOKIE_SIZE])
{
  guint64 shown = (guint64) now + jar->shift;
  guint64 network = GUINT64_TO_BE (shown);
  guint8 mac[BRAVIS_HASH_SIZE];

  turn (jar, now);
  authenticate (jar->secrets[0], address, shown, asked, size, mac);
  memcpy (cookie, &network, TIME_SIZE);
  memcpy (cookie + TIME_SIZE, mac, MAC_SIZE);
}

gboolean
bravis_cookie_check (BravisCookieJar *jar, const GcpAddress *address,
    gconstpointer asked, gsize size, gint64 now,
    const guint8 cookie[BRAVIS_COOKIE_SIZE])
{
  const BravisSecret *secret;
  guint8 mac[BRAVIS_HASH_SIZE];
  guint64 network, age;
  gint64 made;

  turn (jar, now);
  memcpy (&network, cookie, TIME_SIZE);
  /* Unsigned on purpose: a time to come gives a huge age. */
  age = (guint64) now + jar->shift - GUINT64_FROM_BE (network);
  if (age > BRAVIS_COOKIE_LIFETIME || age > (guint64) now)
    return FALSE;
  made = now - (gint64) age;
  secret = jar->secrets[jar->period - made / BRAVIS_COOKIE_ROTATION];
  if (!secret)
    return FALSE;
  authenticate (secret, address, GUINT64_FROM_BE (network), asked, size, mac);
  return bravis_equal_constant_time (mac, cookie + TIME_SIZE, MAC_SIZE);
}
