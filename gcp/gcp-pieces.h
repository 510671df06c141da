/* gcp-pieces.h: large messages in their places in the order
 *
 * A message that is longer than GCP_PIECE_SIZE is multicast in pieces, each with a
 * place of its own, so that others' small messages come between them. The pieces of
 * one sender are in its order; all but the last say that more follow. The message
 * is delivered where its last piece is.
 *
 * What all members of a view deliver is the same, so what they put together is. What
 * is not whole when the view ends goes on in the next, if nobody is new there. Where
 * somebody is, all drop it alike, and its sender begins again.
 *
 * A sender has two rows of messages: what goes ahead gets past what is left of its
 * ordinary messages, and so also comes between the pieces of one.
 */
#pragma once

#include "gcp-message.h"

G_BEGIN_DECLS

typedef struct {
  GByteArray *octets;           /* NULL: nothing came yet */
  gboolean too_long;            /* nothing will be delivered of it */
} GcpPartial;

/* What has come so far, by the sender's place in the view; ordinary, and ahead. */
typedef struct {
  GcpPartial of[GCP_MAX_MEMBERS][2];
} GcpPieces;

void gcp_pieces_clear (GcpPieces *pieces);

/* From @from to @to: by their places there, of those who go on. */
void gcp_pieces_move (GcpPieces *pieces, const GcpView *from,
    const GcpView *to);

/* The whole message, if @item ends one that is not too long. */
GBytes *gcp_pieces_add (GcpPieces *pieces, const GcpItem *item);

/* Adds @message to @items, of GcpItem, in pieces: at the end, or @ahead of the
 * ordinary ones. All but the last are agreed: they are not delivered before it. */
void gcp_pieces_cut (GQueue *items, GBytes *message, GcpQuality quality,
    gboolean ahead);

G_END_DECLS
