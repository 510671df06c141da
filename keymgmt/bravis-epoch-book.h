/* bravis-epoch-book.h: the present epoch, the old ones, and when each ends
 *
 * The book is written by the thread that runs the protocols and read by the
 * elements' threads. It keeps the two promises about time:
 *
 *   exposure   from the moment a member is gone, nothing is sent under a key it
 *              had for longer than this; nor under an epoch that was replaced
 *   patience   from that moment senders that ask for the present epoch wait so
 *              long for the next one, which normally comes within a round trip:
 *              so that who is gone can open nothing, and nothing is lost. When
 *              patience is over they go on under the old epoch, until exposure is
 *   grace      an epoch that was replaced is received under for this long; then
 *              it is retired and the book forgets it
 *
 * With each epoch go its routes: where its members are reached. Who is gone is
 * sent nothing any more. Times are monotonic µs.
 */
#pragma once

#include "bravis-epoch.h"
#include "../gcp/gcp-address.h"

G_BEGIN_DECLS

typedef struct _BravisEpochBook BravisEpochBook;

/* Immutable, reference counted. */
typedef struct _BravisRoutes BravisRoutes;

BravisEpochBook *bravis_epoch_book_new (gint64 patience, gint64 exposure,
    gint64 grace);
void bravis_epoch_book_free (BravisEpochBook *book);    /* retires all */

/* Writing. @addresses: GcpAddress of each member of @epoch, in its order. */
void bravis_epoch_book_add (BravisEpochBook *book, BravisEpoch *epoch,
    const GArray *addresses, gint64 now);
void bravis_epoch_book_set_addresses (BravisEpochBook *book, BravisEpoch *epoch,
    const GArray *addresses);

/* Members are gone: @view is what is left. */
void bravis_epoch_book_departed (BravisEpochBook *book, GcpView *view,
    gint64 now);

/* The conference is over for this peer: nothing is sent any more. */
void bravis_epoch_book_end (BravisEpochBook *book, gint64 now);

/* Retires all at once. */
void bravis_epoch_book_clear (BravisEpochBook *book);

void bravis_epoch_book_tick (BravisEpochBook *book, gint64 now);
gint64 bravis_epoch_book_deadline (BravisEpochBook *book);  /* G_MAXINT64: none */

/* Reading, from any thread. */
BravisEpoch *bravis_epoch_book_ref_present (BravisEpochBook *book);
/* The same for who sends: blocks while a key change is due, see patience above. */
BravisEpoch *bravis_epoch_book_await_present (BravisEpochBook *book);
BravisEpoch *bravis_epoch_book_ref_by_number (BravisEpochBook *book,
    guint64 number);
guint bravis_epoch_book_get_serial (BravisEpochBook *book);
guint bravis_epoch_book_get_n_epochs (BravisEpochBook *book);

/* NULL where nothing may be sent under @epoch. */
BravisRoutes *bravis_epoch_book_ref_routes (BravisEpochBook *book,
    BravisEpoch *epoch);
void bravis_routes_unref (BravisRoutes *routes);
const GcpAddress *bravis_routes_get_all (const BravisRoutes *routes, guint *n);
const GcpAddress *bravis_routes_get (const BravisRoutes *routes, guint index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisEpochBook, bravis_epoch_book_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisRoutes, bravis_routes_unref)

G_END_DECLS
