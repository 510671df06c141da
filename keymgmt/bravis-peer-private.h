/* bravis-peer-private.h: what the files of BravisPeer share
 *
 *   bravis-peer.c          life, threads, wishes, media
 *   bravis-peer-outputs.c  what the conference says: datagrams, epochs, events, the logs
 */
#pragma once

#include "bravis-file-watch.h"
#include "bravis-inbox.h"
#include "bravis-keylog.h"
#include "bravis-mailbox.h"
#include "bravis-membership-log.h"
#include "bravis-peer.h"
#include "../gcp/gcp-udp.h"

G_BEGIN_DECLS

typedef enum {
  BRAVIS_LIFE_NEW,
  BRAVIS_LIFE_RUNNING,
  BRAVIS_LIFE_STOPPING,
  BRAVIS_LIFE_STOPPED
} BravisLife;

/* Datagrams, counted; each by one thread, read by any. */
typedef struct {
  guint64 received;
  guint64 media_received;
  guint64 control_dropped;
  guint64 sent;
  guint64 messages_received;
} BravisPeerCounters;

struct _BravisPeer {
  BravisConfig *config;
  BravisIdentity *identity;
  BravisKeylog *keylog;         /* NULL: not asked for */
  BravisMembershipLog *log;     /* NULL: not asked for; of the protocols' thread */
  GcpUdp *udp;
  GcpAddress local;
  gint64 suspicion;
  BravisInbox *inbox;
  BravisMailbox *mailbox;
  gsize max_message;
  BravisEpochBook *book;
  BravisReceivers *receivers;
  BravisAudience *audience;
  BravisPeerCounters counters;

  GMutex lock;                  /* of what follows; never held while others' code
                                 * is called */
  GCond changed;
  BravisLife life;
  BravisConference *conference; /* NULL once stopped */
  gboolean leaving;             /* the end is wanted: nothing else is */
  GThread *thread;

  int state;                    /* BravisConferenceState; atomic */
  int is_open;                  /* media may be sent; atomic */
  int n_senders;                /* threads that are sending; atomic */

  BravisFileWatch crl;          /* of the protocols' thread: the revocation lists */
  gint64 view_time;             /* of the protocols' thread: the last view's */
  gboolean has_ended;           /* the same: the end was told */
  gboolean busy;                /* the same: others are asked to wait */
};

static inline void
bravis_peer_count (guint64 *counter, guint64 n)
{
  __atomic_fetch_add (counter, n, __ATOMIC_RELAXED);
}

/* All of @outputs (of BravisConferenceOutput): those that are datagrams first. For the
 * protocols' thread; @datagrams (of GcpUdpDatagram) is the caller's to use again. */
void bravis_peer_handle_outputs (BravisPeer *peer, GArray *outputs,
    GArray *datagrams, gint64 now);

/* The conference is over for this peer. */
void bravis_peer_tell_end (BravisPeer *peer, const char *reason, gint64 now);

G_END_DECLS
