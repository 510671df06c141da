#include "bravis-outgoing.h"

static GMutex lock;

static gint *
get_count (BravisSession *session)
{
  static GQuark quark;
  gint *count;

  g_mutex_lock (&lock);
  if (!quark)
    quark = g_quark_from_static_string ("bravis-outgoing");
  count = g_object_get_qdata (G_OBJECT (session), quark);
  if (!count) {
    count = g_new0 (gint, 1);
    g_object_set_qdata_full (G_OBJECT (session), quark, count, g_free);
  }
  g_mutex_unlock (&lock);
  return count;
}

void
bravis_outgoing_begin (BravisSession *session)
{
  g_atomic_int_inc (get_count (session));
}

void
bravis_outgoing_end (BravisSession *session)
{
  g_atomic_int_add (get_count (session), -1);
}

guint
bravis_outgoing_get (BravisSession *session)
{
  return g_atomic_int_get (get_count (session));
}
