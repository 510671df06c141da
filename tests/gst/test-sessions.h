/* test-sessions.h: sessions of several peers in one process, without a network
 *
 * What bravis-session-media.h promises, over epochs of test-group.h with real keys:
 * key changes, streams and losses happen when the test says so. A program that
 * links it has these sessions in the place of the real ones.
 */
#pragma once

#include "test-group.h"
#include "../../keymgmt/bravis-session-media.h"

G_BEGIN_DECLS

typedef struct _TestSessions TestSessions;

/* @n peers that know each other; those in @members, a bit each, are in. */
TestSessions *test_sessions_new (guint n, guint members);

/* All sessions must be held by nobody any more. */
void test_sessions_free (TestSessions *conference);

BravisSession *test_sessions_session (TestSessions *conference, guint peer);
const char *test_sessions_name (TestSessions *conference, guint peer);

/* A key change: members and epoch become those of @members. The peers in @late
 * get the epoch only at test_sessions_catch_up (). */
void test_sessions_change (TestSessions *conference, guint members,
    guint late);
void test_sessions_catch_up (TestSessions *conference);

/* A key change is due, as after somebody left: it comes when the first sender
 * waits for it. */
void test_sessions_change_when_awaited (TestSessions *conference);

/* @peer announces what its elements did not. */
void test_sessions_announce (TestSessions *conference, guint peer,
    BravisKind kind, guint16 stream, const char *description);

/* Announcements wait until it is called with FALSE. */
void test_sessions_delay_announcements (TestSessions *conference,
    gboolean delay);

/* The next stream that an element of @peer's wants is refused. */
void test_sessions_refuse_stream (TestSessions *conference, guint peer);

/* Called for each datagram, from any thread: FALSE loses it. */
typedef gboolean (*TestSessionsPass) (guint from, guint to, guint8 *data,
    gsize size, gpointer user_data);
void test_sessions_set_pass (TestSessions *conference,
    TestSessionsPass pass, gpointer user_data);

/* Gives @to a datagram from nowhere. */
void test_sessions_inject (TestSessions *conference, guint to,
    gconstpointer data, gsize size);

/* With TRUE, a leaving of @peer's is not done until it is called with FALSE. */
void test_sessions_leave_slowly (TestSessions *conference, guint peer,
    gboolean slowly);
gboolean test_sessions_has_left (TestSessions *conference, guint peer);
guint test_sessions_holds (TestSessions *conference, guint peer);

/* Until everything that was sent and announced is delivered. */
void test_sessions_settle (TestSessions *conference);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestSessions, test_sessions_free)

G_END_DECLS
