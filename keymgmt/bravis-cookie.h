/* bravis-cookie.h: proves that somebody receives at an address, without
 * remembering anything about it
 *
 * A cookie is given to who asks from an address and has to be shown in the next
 * message from there. It is 32 octets: u64 time | 24 octets of HMAC-SHA-256 under
 * a secret that only the jar knows, over address, time and what was asked. The
 * secret is drawn anew every two minutes; a cookie lives for ten seconds.
 *
 * The time in it is the jar's own, shifted by a random amount, and tells nobody
 * how long the machine has been up.
 */
#pragma once

#include "bravis-crypto.h"
#include "../gcp/gcp-address.h"

G_BEGIN_DECLS

#define BRAVIS_COOKIE_SIZE 32
#define BRAVIS_COOKIE_LIFETIME (10 * G_USEC_PER_SEC)
#define BRAVIS_COOKIE_ROTATION (120 * G_USEC_PER_SEC)

typedef struct _BravisCookieJar BravisCookieJar;

BravisCookieJar *bravis_cookie_jar_new (const BravisRandom *random);
void bravis_cookie_jar_free (BravisCookieJar *jar);

/* @asked: what the cookie is good for. @now in µs, never going back. One HMAC
 * each; a cookie whose time is out of range costs none. */
void bravis_cookie_make (BravisCookieJar *jar, const GcpAddress *address,
    gconstpointer asked, gsize size, gint64 now,
    guint8 cookie[BRAVIS_COOKIE_SIZE]);
gboolean bravis_cookie_check (BravisCookieJar *jar, const GcpAddress *address,
    gconstpointer asked, gsize size, gint64 now,
    const guint8 cookie[BRAVIS_COOKIE_SIZE]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisCookieJar, bravis_cookie_jar_free)

G_END_DECLS
