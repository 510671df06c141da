/* bravis-peer.h: runs a conference: socket, clock and threads around the state
 * machine
 *
 * Three threads, so that none makes another wait:
 *
 *   socket     reads datagrams; gives media to the receivers, control datagrams to
 *              the inbox
 *   protocols  runs BravisConference: the inbox and the clock in; datagrams, epochs
 *              and events out. No foreign code runs in it: a slow signal handler
 *              does not make this peer look crashed
 *   session    tells the events (bravis-audience.h)
 *
 * Life: new -> running -> stopped, once. Used from any thread.
 */
#pragma once

#include "bravis-audience.h"
#include "bravis-conference.h"
#include "bravis-config.h"
#include "bravis-epoch-book.h"
#include "bravis-receivers.h"

G_BEGIN_DECLS

typedef struct _BravisPeer BravisPeer;

/* Reads configuration and identity and binds the socket. @exposure, @grace: µs.
 * @owner: as in bravis-audience.h. */
BravisPeer *bravis_peer_new (const char *config_file, gint64 exposure,
    gint64 grace, BravisListen owner, gpointer user_data, GError **error);
void bravis_peer_free (BravisPeer *peer);       /* must be stopped or new */

void bravis_peer_start (BravisPeer *peer);
void bravis_peer_leave (BravisPeer *peer);

/* Leaves, waits for the end of it (not longer than the time for suspicion), ends
 * the threads and closes the socket. Not from the session's thread. */
void bravis_peer_stop (BravisPeer *peer);

gboolean bravis_peer_invite (BravisPeer *peer, const char *name,
    const char *address, GError **error);
void bravis_peer_refresh (BravisPeer *peer);

gboolean bravis_peer_multicast (BravisPeer *peer, GBytes *message,
    GcpQuality quality, GError **error);
gboolean bravis_peer_command (BravisPeer *peer, guint kind, GBytes *body,
    GError **error);
gsize bravis_peer_get_queued (BravisPeer *peer);
gsize bravis_peer_get_max_message (BravisPeer *peer);

gboolean bravis_peer_add_stream (BravisPeer *peer, BravisKind kind,
    guint16 *stream, GError **error);
gboolean bravis_peer_describe_stream (BravisPeer *peer, guint16 stream,
    const char *description, GError **error);
void bravis_peer_remove_stream (BravisPeer *peer, guint16 stream);

gboolean bravis_peer_send_to_all (BravisPeer *peer, BravisEpoch *epoch,
    gconstpointer data, gsize size);
gboolean bravis_peer_send_to (BravisPeer *peer, BravisEpoch *epoch, guint index,
    gconstpointer data, gsize size);

/* Borrowed parts, as long as the peer. */
BravisEpochBook *bravis_peer_get_book (BravisPeer *peer);
BravisReceivers *bravis_peer_get_receivers (BravisPeer *peer);
BravisAudience *bravis_peer_get_audience (BravisPeer *peer);
const BravisConfig *bravis_peer_get_config (BravisPeer *peer);
const char *bravis_peer_get_name (BravisPeer *peer);

/* Of this peer and @other: bravis_session_dup_fingerprint (). */
char *bravis_peer_make_fingerprint (BravisPeer *peer, BravisCertificate *other);

BravisConferenceState bravis_peer_get_state (BravisPeer *peer);
GVariant *bravis_peer_get_stats (BravisPeer *peer);     /* floating, a{sv} */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisPeer, bravis_peer_free)

G_END_DECLS
