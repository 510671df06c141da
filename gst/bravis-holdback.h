/* bravis-holdback.h: datagrams that came a moment too early
 *
 * A frame can overtake what is needed to take it: the epoch it is protected
 * under, or the announcement of its stream. Such datagrams wait here, in the
 * order in which they came, bounded in number, octets and time; when it is
 * full, or their time is over, the new ones or the expired ones are gone. Where
 * another has more waiting than the owner of a new one, its oldest go instead.
 *
 * Times are the caller's, in µs. One thread at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BRAVIS_HOLDBACK_DATAGRAMS 1024
#define BRAVIS_HOLDBACK_OCTETS (1024 * 1024)
#define BRAVIS_HOLDBACK_AGE (5 * G_USEC_PER_SEC)

/* Whose a tag is, which is a KID (bravis-epoch.h): the sender's index. */
#define BRAVIS_HOLDBACK_OWNERS 256
#define BRAVIS_HOLDBACK_OWNER(tag) ((tag) >> 12 & (BRAVIS_HOLDBACK_OWNERS - 1))

typedef struct _BravisHoldback BravisHoldback;

BravisHoldback *bravis_holdback_new (guint datagrams, gsize octets, gint64 age);
void bravis_holdback_free (BravisHoldback *holdback);

/* Keeps a copy, and @tag with it. FALSE: no room. */
gboolean bravis_holdback_add (BravisHoldback *holdback, guint64 tag,
    gconstpointer data, gsize size, gint64 now);

/* Offers everything that waits to @offer, in order: TRUE means that it is done
 * with and need not wait longer. @offer must not call back. Returns how many
 * expired, or went for others', since the last time. */
typedef gboolean (*BravisHoldbackOffer) (guint64 tag, const guint8 *data,
    gsize size, gpointer user_data);
guint bravis_holdback_offer (BravisHoldback *holdback, gint64 now,
    BravisHoldbackOffer offer, gpointer user_data);

guint bravis_holdback_get_length (const BravisHoldback *holdback);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisHoldback, bravis_holdback_free)

G_END_DECLS
