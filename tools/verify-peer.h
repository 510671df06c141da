/* verify-peer.h: one peer that sends traffic which can be checked, and checks it
 *
 * Has a session and a thread that sends. What is wrong is said on standard error as
 * it is found. */
#pragma once

#include "verify-traffic.h"

G_BEGIN_DECLS

typedef struct _VerifyPeer VerifyPeer;

/* Starts the session. */
VerifyPeer *verify_peer_new (const char *config, GError **error);
void verify_peer_free (VerifyPeer *peer);

/* Where it can be invited. To be freed. */
char *verify_peer_get_address (VerifyPeer *peer);
gboolean verify_peer_invite (VerifyPeer *peer, const char *name,
    const char *address, GError **error);

/* @rate: messages a second; 0: as many as the group takes. */
void verify_peer_start_sending (VerifyPeer *peer, guint rate, gsize size);
void verify_peer_stop_sending (VerifyPeer *peer);

guint verify_peer_get_n_members (VerifyPeer *peer);     /* 0: in no view */
guint64 verify_peer_get_n_sent (VerifyPeer *peer);
guint64 verify_peer_get_n_checked (VerifyPeer *peer);
guint verify_peer_get_n_faults (VerifyPeer *peer);
guint64 verify_peer_get_n_queued (VerifyPeer *peer);    /* bytes on their way out */
gboolean verify_peer_is_over (VerifyPeer *peer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VerifyPeer, verify_peer_free)

G_END_DECLS
