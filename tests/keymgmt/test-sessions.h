/* test-sessions.h: live sessions over the loopback interface, for tests
 *
 * Real sockets and real time: a test waits for what has to happen, never for time
 * to pass.
 */
#pragma once

#include "../../keymgmt/bravis-error.h"
#include "../../keymgmt/bravis-session-media.h"
#include "test-pki.h"

G_BEGIN_DECLS

/* A session whose signals are written down. */
typedef struct {
  BravisSession *session;
  GMutex lock;
  GString *heard;               /* "joined:NAME " "left:NAME:REASON " "epoch:N:CAUSE "
                                 * "refused:NAME:BY:REASON " "unreachable:NAME "
                                 * "ended:REASON " "stream:NAME:KIND:TEXT "
                                 * "stream-gone:NAME:KIND " */
} TestPeer;

/* Writes DIR/@name.conf of an identity that is made if need be, and returns its
 * path. @invite: "bob@example.org=127.0.0.1:5004;...", or NULL. @more: further
 * groups, or NULL. */
char *test_sessions_write_config (TestPki *pki, const char *name,
    TestPkiKind kind, const char *listen, const char *invite, const char *more);

TestPeer *test_peer_new (const char *config);   /* aborts where it cannot be made */
TestPeer *test_peer_wrap (BravisSession *session);      /* takes the reference */
void test_peer_free (TestPeer *peer);

/* Where it listens, with the port that it got. */
char *test_peer_get_address (TestPeer *peer);

/* Waits until @condition holds; asked again at every event of any peer. */
typedef gboolean (*TestCondition) (gpointer data);
void test_wait (TestCondition condition, gpointer data);

gboolean test_peer_has_heard (TestPeer *peer, const char *text);
void test_peer_wait_heard (TestPeer *peer, const char *text);

/* Waits until all see the same members, @n of them, in the same epoch. */
void test_peers_wait_agree (TestPeer **peers, guint n_peers, guint n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestPeer, test_peer_free)

G_END_DECLS
