/* bravis-streams.h: what members send, as they said it to the group */
#pragma once

#include "bravis-epoch.h"

G_BEGIN_DECLS

#define BRAVIS_MAX_STREAMS_AT_ONCE 64   /* of one member */

/* A stream that a member sends: its kind, its number (part of the KID), and what
 * the elements say of it (caps and such, text; NULL: nothing yet). */
typedef struct {
  GcpMemberId member;
  BravisKind kind;
  guint16 stream;
  char *description;
} BravisStream;

typedef struct _BravisStreams BravisStreams;

BravisStreams *bravis_streams_new (void);
void bravis_streams_free (BravisStreams *streams);

/* TRUE where that is news. FALSE: known already, or not taken (another kind than
 * before, too many streams). */
gboolean bravis_streams_set (BravisStreams *streams, GcpMemberId member,
    BravisKind kind, guint16 stream, const char *description);

/* Borrowed until the next change; NULL: none. */
const BravisStream *bravis_streams_find (BravisStreams *streams,
    GcpMemberId member, guint16 stream);
const BravisStream *bravis_streams_find_of_member (BravisStreams *streams,
    GcpMemberId member);
const BravisStream *bravis_streams_get (BravisStreams *streams, guint index);
guint bravis_streams_count (BravisStreams *streams, GcpMemberId member);

void bravis_streams_remove (BravisStreams *streams, GcpMemberId member,
    guint16 stream);
void bravis_streams_clear (BravisStreams *streams);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisStreams, bravis_streams_free)

G_END_DECLS
