#include "bravis-media-router.h"

#include "bravis-frame-payload.h"
#include "bravis-holdback.h"

#include <gst/rtp/rtp.h>

#define RTP_HEADER_SIZE 12

/* Each contributing source costs the RTP session memory: no mixer has as many,
 * and a member that names ever new ones is not followed. */
#define MAX_CONTRIBUTORS 64

typedef struct {
  BravisMediaRoute route;
  gpointer target;
  guint32 contributors[MAX_CONTRIBUTORS];       /* CSRCs seen so far */
  guint n_contributors;
} Route;

struct _BravisMediaRouter {
  BravisSession *session;
  BravisDeliver deliver;

  GMutex lock;                  /* of all that follows */
  BravisReceiver *receiver;
  BravisHoldback *sealed;       /* waits for an epoch */
  BravisHoldback *opened;       /* waits for a stream; tagged with the KID */
  GPtrArray *routes;            /* of Route */
  GHashTable *by_kid;           /* guint64 KID -> Route; made as KIDs are seen */
  guint serial;                 /* of the epoch when @sealed was last tried */
  gboolean open;
  BravisMediaRouterStats stats;
};

/* A KID's own memory, as a key of the hash table. */
static guint64 *
kid_new (guint64 kid)
{
  guint64 *copy = g_new (guint64, 1);

  *copy = kid;
  return copy;
}

BravisMediaRouter *
bravis_media_router_new (BravisSession *session, guint replay_window,
    BravisDeliver deliver)
{
  BravisMediaRouter *router = g_new0 (BravisMediaRouter, 1);

  router->session = g_object_ref (session);
  router->deliver = deliver;
  g_mutex_init (&router->lock);
  router->receiver = bravis_receiver_new_session (session, replay_window);
  bravis_receiver_set_rtp_header_auth (router->receiver, TRUE);
  router->sealed = bravis_holdback_new (BRAVIS_HOLDBACK_DATAGRAMS,
      BRAVIS_HOLDBACK_OCTETS, BRAVIS_HOLDBACK_AGE);
  router->opened = bravis_holdback_new (BRAVIS_HOLDBACK_DATAGRAMS,
      BRAVIS_HOLDBACK_OCTETS, BRAVIS_HOLDBACK_AGE);
  router->routes = g_ptr_array_new_with_free_func (g_free);
  router->by_kid = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
      NULL);
  return router;
}

void
bravis_media_router_free (BravisMediaRouter *router)
{
  g_hash_table_unref (router->by_kid);
  g_ptr_array_unref (router->routes);
  bravis_holdback_free (router->opened);
  bravis_holdback_free (router->sealed);
  bravis_receiver_free (router->receiver);
  g_mutex_clear (&router->lock);
  g_object_unref (router->session);
  g_free (router);
}

static Route *
find_route (BravisMediaRouter *router, GcpMemberId member, BravisKind kind,
    guint16 stream)
{
  for (guint i = 0; i < router->routes->len; i++) {
    Route *route = g_ptr_array_index (router->routes, i);

    if (route->route.member == member && route->route.kind == kind
        && route->route.stream == stream)
      return route;
  }
  return NULL;
}

/* The first packet under a KID looks its member up in the epoch's view; the
 * others find it in the table. */
static Route *
find_route_by_kid (BravisMediaRouter *router, guint64 value)
{
  Route *route = g_hash_table_lookup (router->by_kid, &value);
  g_autoptr (BravisEpoch) epoch = NULL;
  GcpView *view;
  BravisKid kid;

  if (route)
    return route;
  bravis_kid_unpack (value, &kid);
  epoch = bravis_session_ref_epoch_by_number (router->session, kid.epoch);
  if (!epoch)
    return NULL;
  view = bravis_epoch_get_view (epoch);
  if (kid.sender >= gcp_view_get_n_members (view))
    return NULL;
  route = find_route (router, gcp_view_get_member (view, kid.sender)->id,
      kid.kind, kid.stream);
  if (route)
    g_hash_table_insert (router->by_kid, kid_new (value), route);
  return route;
}

/* The size of the header with CSRCs and extension, 0 where it is not whole. */
static gsize
rtp_header_size (const guint8 *packet, gsize size)
{
  gsize header;

  if (size < RTP_HEADER_SIZE || packet[0] >> 6 != GST_RTP_VERSION)
    return 0;
  header = RTP_HEADER_SIZE + 4 * (packet[0] & 0x0f);
  if (packet[0] & 0x10) {
    if (size < header + 4)
      return 0;
    header += 4 + 4 * (gsize) GST_READ_UINT16_BE (packet + header + 2);
  }
  return header <= size ? header : 0;
}

static gboolean
may_contribute (Route *route, guint32 csrc)
{
  for (guint i = 0; i < route->n_contributors; i++)
    if (route->contributors[i] == csrc)
      return TRUE;
  if (route->n_contributors == MAX_CONTRIBUTORS)
    return FALSE;
  route->contributors[route->n_contributors++] = csrc;
  return TRUE;
}

/* Frames are sent without any. */
static gboolean
check_contributors (Route *route, const guint8 *packet)
{
  guint n = packet[0] & 0x0f;

  if (route->route.frames)
    return n == 0;
  for (guint i = 0; i < n; i++)
    if (!may_contribute (route, GST_READ_UINT32_BE (packet + RTP_HEADER_SIZE
                + 4 * i)))
      return FALSE;
  return TRUE;
}

typedef enum { FITS, TOO_EARLY, WRONG } Fit;

static Fit
check_packet (Route *to, const guint8 *packet, gsize size)
{
  const BravisMediaRoute *route = &to->route;
  gsize header = rtp_header_size (packet, size);
  BravisFragment fragment;

  if (header == 0 || (packet[1] & 0x7f) != route->payload
      || GST_READ_UINT32_BE (packet + 8) != route->ssrc
      || !check_contributors (to, packet))
    return WRONG;
  if (!route->frames)
    return FITS;
  if (!bravis_fragment_read (packet + header, size - header, &fragment))
    return WRONG;
  return route->generations & 1u << fragment.generation ? FITS : TOO_EARLY;
}

/* FALSE: it must wait. */
static gboolean
deliver (BravisMediaRouter *router, guint64 kid, const guint8 *packet,
    gsize size)
{
  Route *route;
  Fit fit;

  if (!router->open)
    return FALSE;
  route = find_route_by_kid (router, kid);
  if (!route)
    return FALSE;
  fit = check_packet (route, packet, size);
  if (fit == TOO_EARLY)
    return FALSE;
  if (fit == WRONG) {
    router->stats.misplaced++;
    return TRUE;
  }
  router->stats.delivered++;
  router->deliver (route->target, packet, size);
  return TRUE;
}

static gboolean
offer_opened (guint64 kid, const guint8 *packet, gsize size, gpointer user_data)
{
  return deliver (user_data, kid, packet, size);
}

static void
try_opened (BravisMediaRouter *router)
{
  router->stats.expired += bravis_holdback_offer (router->opened,
      g_get_monotonic_time (), offer_opened, router);
}

static void
hold_back (BravisMediaRouter *router, BravisHoldback *holdback, guint64 tag,
    const guint8 *data, gsize size)
{
  if (bravis_holdback_add (holdback, tag, data, size, g_get_monotonic_time ()))
    router->stats.held_back++;
  else
    router->stats.expired++;
}

/* An epoch that is past will not come back; only later ones are waited for. */
static gboolean
may_come (BravisMediaRouter *router, guint64 value)
{
  g_autoptr (BravisEpoch) present = bravis_session_ref_epoch (router->session);
  BravisKid kid;

  bravis_kid_unpack (value, &kid);
  return !present || kid.epoch > bravis_epoch_get_number (present);
}

/* FALSE: its epoch is not there yet; then @data is as it was. */
static gboolean
open_datagram (BravisMediaRouter *router, guint8 *data, gsize size)
{
  guint64 value;
  BravisDrop drop;
  BravisKid kid;

  drop = bravis_receiver_open_rtp (router->receiver, data, size, &size, &value);
  if (drop == BRAVIS_DROP_UNKNOWN_EPOCH && may_come (router, value))
    return FALSE;
  if (drop != BRAVIS_DROP_NONE) {
    router->stats.drops[drop]++;
    return TRUE;
  }
  bravis_kid_unpack (value, &kid);
  if (kid.kind == BRAVIS_KIND_SIGNALLING) {
    router->stats.misplaced++;
    return TRUE;
  }
  if (!deliver (router, value, data, size))
    hold_back (router, router->opened, value, data, size);
  return TRUE;
}

static gboolean
offer_sealed (guint64 tag, const guint8 *data, gsize size, gpointer user_data)
{
  /* It is either altered and done with, or neither. */
  return open_datagram (user_data, (guint8 *) data, size);
}

/* Before anything newer, so that the order is kept. */
static void
try_sealed (BravisMediaRouter *router)
{
  guint serial = bravis_session_get_epoch_serial (router->session);

  if (serial == router->serial)
    return;
  router->serial = serial;
  g_hash_table_remove_all (router->by_kid);
  router->stats.expired += bravis_holdback_offer (router->sealed,
      g_get_monotonic_time (), offer_sealed, router);
}

void
bravis_media_router_receive (BravisMediaRouter *router, guint8 *data,
    gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&router->lock);

  router->stats.datagrams++;
  try_sealed (router);
  if (!open_datagram (router, data, size))
    hold_back (router, router->sealed, 0, data, size);
}

void
bravis_media_router_retry (BravisMediaRouter *router)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&router->lock);

  try_sealed (router);
}

void
bravis_media_router_set_open (BravisMediaRouter *router, gboolean open)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&router->lock);

  router->open = open;
  if (open)
    try_opened (router);
}

void
bravis_media_router_add (BravisMediaRouter *router,
    const BravisMediaRoute *route, gpointer target)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&router->lock);
  Route *known = find_route (router, route->member, route->kind, route->stream);

  if (!known) {
    known = g_new0 (Route, 1);
    g_ptr_array_add (router->routes, known);
  }
  known->route = *route;
  known->target = target;
  try_opened (router);
}

void
bravis_media_router_remove (BravisMediaRouter *router, gpointer target)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&router->lock);

  g_hash_table_remove_all (router->by_kid);
  for (guint i = router->routes->len; i-- > 0;) {
    Route *route = g_ptr_array_index (router->routes, i);

    if (route->target == target)
      g_ptr_array_remove_index (router->routes, i);
  }
}

void
bravis_media_router_get_stats (BravisMediaRouter *router,
    BravisMediaRouterStats *stats)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&router->lock);

  *stats = router->stats;
}
