#include "bravis-streams.h"

struct _BravisStreams {
  GArray *array;                /* of BravisStream */
};

static void
clear_stream (gpointer data)
{
  g_free (((BravisStream *) data)->description);
}

BravisStreams *
bravis_streams_new (void)
{
  BravisStreams *streams = g_new (BravisStreams, 1);

  streams->array = g_array_new (FALSE, TRUE, sizeof (BravisStream));
  g_array_set_clear_func (streams->array, clear_stream);
  return streams;
}

void
bravis_streams_free (BravisStreams *streams)
{
  g_array_unref (streams->array);
  g_free (streams);
}

void
bravis_streams_clear (BravisStreams *streams)
{
  g_array_set_size (streams->array, 0);
}

static BravisStream *
stream_at (BravisStreams *streams, guint index)
{
  return &g_array_index (streams->array, BravisStream, index);
}

static BravisStream *
lookup (BravisStreams *streams, GcpMemberId member, guint16 number)
{
  for (guint i = 0; i < streams->array->len; i++) {
    BravisStream *stream = stream_at (streams, i);

    if (stream->member == member && stream->stream == number)
      return stream;
  }
  return NULL;
}

gboolean
bravis_streams_set (BravisStreams *streams, GcpMemberId member,
    BravisKind kind, guint16 number, const char *description)
{
  BravisStream *known = lookup (streams, member, number);
  BravisStream stream = { member, kind, number, NULL };

  if (known) {
    if (known->kind != kind
        || g_strcmp0 (known->description, description) == 0)
      return FALSE;
    g_free (known->description);
    known->description = g_strdup (description);
    return TRUE;
  }
  if (bravis_streams_count (streams, member) >= BRAVIS_MAX_STREAMS_AT_ONCE)
    return FALSE;
  stream.description = g_strdup (description);
  g_array_append_val (streams->array, stream);
  return TRUE;
}

const BravisStream *
bravis_streams_find (BravisStreams *streams, GcpMemberId member,
    guint16 number)
{
  return lookup (streams, member, number);
}

const BravisStream *
bravis_streams_find_of_member (BravisStreams *streams, GcpMemberId member)
{
  for (guint i = 0; i < streams->array->len; i++)
    if (stream_at (streams, i)->member == member)
      return stream_at (streams, i);
  return NULL;
}

const BravisStream *
bravis_streams_get (BravisStreams *streams, guint index)
{
  return index < streams->array->len ? stream_at (streams, index) : NULL;
}

guint
bravis_streams_count (BravisStreams *streams, GcpMemberId member)
{
  guint n = 0;

  for (guint i = 0; i < streams->array->len; i++)
    n += stream_at (streams, i)->member == member;
  return n;
}

void
bravis_streams_remove (BravisStreams *streams, GcpMemberId member,
    guint16 number)
{
  for (guint i = 0; i < streams->array->len; i++) {
    BravisStream *stream = stream_at (streams, i);

    if (stream->member == member && stream->stream == number) {
      g_array_remove_index (streams->array, i);
      return;
    }
  }
}
