/* verify-traffic.h: messages that say what they are, and a check of their order
 *
 * Each member makes such messages, and checks all that are delivered to it, its
 * own too:
 *
 *   corrupt   the SHA-256 of the message is not that in it
 *   lost      its number is greater than the sender's last one and one more
 *   repeated  its number is not greater
 *   disorder  its sender had something else delivered, before it sent this, than
 *             this member had up to there in the same view
 *
 * For the last, a message has how many messages of the view its sender had seen,
 * and a hash over all of them in their order. So every pair of members compares
 * its whole history with every message, wherever they run.
 *
 * No I/O. Used from any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VERIFY_MIN_SIZE 80              /* bytes of a message */

typedef struct _VerifyTraffic VerifyTraffic;

VerifyTraffic *verify_traffic_new (void);
void verify_traffic_free (VerifyTraffic *traffic);

/* A view of these members came. */
void verify_traffic_take_view (VerifyTraffic *traffic, guint64 number,
    const guint64 *members, guint n_members);

/* The next message of this member; to be called again for each that was sent, and
 * to be sent in that order. */
GBytes *verify_traffic_make (VerifyTraffic *traffic, gsize size);

/* Checks what @sender sent. NULL: nothing is wrong with it. Otherwise what is,
 * beginning with one of the words above and a colon; to be freed. */
char *verify_traffic_check (VerifyTraffic *traffic, guint64 sender,
    GBytes *message);

guint64 verify_traffic_get_n_checked (VerifyTraffic *traffic);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VerifyTraffic, verify_traffic_free)

G_END_DECLS
