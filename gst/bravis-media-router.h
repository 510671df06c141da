/* bravis-media-router.h: from a datagram to the stream it belongs to
 *
 * Opens what comes in and finds out whose stream it is: the epoch's view and the
 * KID name member and number. A packet is taken for a stream only if its SSRC and
 * payload type are those announced. What is too early waits (bravis-holdback.h):
 * sealed datagrams for their epoch, opened packets for their stream to be announced
 * or to be ready.
 *
 * All functions may be called from any thread. Delivery happens under the router's
 * lock, in order, from whichever thread made it possible; when
 * bravis_media_router_remove () returned, nothing more is delivered to that target.
 */
#pragma once

#include "bravis-frame-guard.h"
#include "../keymgmt/bravis-session-media.h"

G_BEGIN_DECLS

typedef struct _BravisMediaRouter BravisMediaRouter;

typedef void (*BravisDeliver) (gpointer target, const guint8 *packet, gsize size);

typedef struct {
  GcpMemberId member;
  BravisKind kind;
  guint16 stream;
  guint32 ssrc;
  guint8 payload;
  gboolean frames;              /* the payload is bravis-frame-payload.h's */
  guint generations;            /* bits: those whose caps are known */
} BravisMediaRoute;

typedef struct {
  guint64 datagrams;
  guint64 delivered;
  guint64 drops[BRAVIS_N_DROPS];
  guint64 held_back;            /* each time that something began to wait */
  guint64 expired;              /* waited in vain, or found no room to wait */
  guint64 misplaced;            /* authentic, but not what was announced */
} BravisMediaRouterStats;

BravisMediaRouter *bravis_media_router_new (BravisSession *session,
    guint replay_window, BravisDeliver deliver);
void bravis_media_router_free (BravisMediaRouter *router);

/* An RTP datagram from the session; altered. */
void bravis_media_router_receive (BravisMediaRouter *router, guint8 *data,
    gsize size);

/* There is a new epoch: what waits for one is tried again. */
void bravis_media_router_retry (BravisMediaRouter *router);

/* Nothing is delivered while closed, but waits; closed in the beginning. */
void bravis_media_router_set_open (BravisMediaRouter *router, gboolean open);

/* Makes, or changes, the route of that member's stream. */
void bravis_media_router_add (BravisMediaRouter *router,
    const BravisMediaRoute *route, gpointer target);
void bravis_media_router_remove (BravisMediaRouter *router, gpointer target);

void bravis_media_router_get_stats (BravisMediaRouter *router,
    BravisMediaRouterStats *stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisMediaRouter, bravis_media_router_free)

G_END_DECLS
