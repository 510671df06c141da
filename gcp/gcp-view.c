#include "gcp-view.h"

struct _GcpView {
  gatomicrefcount references;
  guint64 number;
  gboolean primary;
  guint n_members;
  GcpMember members[];
};

GcpView *
gcp_view_new (guint64 number, gboolean primary, const GcpMember *members,
    guint n_members)
{
  GcpView *view = g_malloc0 (sizeof (GcpView) + n_members * sizeof (GcpMember));

  g_atomic_ref_count_init (&view->references);
  view->number = number;
  view->primary = primary;
  view->n_members = n_members;
  for (guint i = 0; i < n_members; i++) {
    view->members[i].id = members[i].id;
    view->members[i].card = g_bytes_ref (members[i].card);
  }
  return view;
}

GcpView *
gcp_view_ref (GcpView *view)
{
  g_atomic_ref_count_inc (&view->references);
  return view;
}

void
gcp_view_unref (GcpView *view)
{
  if (!g_atomic_ref_count_dec (&view->references))
    return;
  for (guint i = 0; i < view->n_members; i++)
    g_bytes_unref (view->members[i].card);
  g_free (view);
}

guint64
gcp_view_get_number (const GcpView *view)
{
  return view->number;
}

gboolean
gcp_view_is_primary (const GcpView *view)
{
  return view->primary;
}

guint
gcp_view_get_n_members (const GcpView *view)
{
  return view->n_members;
}

const GcpMember *
gcp_view_get_member (const GcpView *view, guint index)
{
  g_return_val_if_fail (index < view->n_members, NULL);
  return &view->members[index];
}

gint
gcp_view_find (const GcpView *view, GcpMemberId id)
{
  for (guint i = 0; i < view->n_members; i++)
    if (view->members[i].id == id)
      return i;
  return -1;
}

gboolean
gcp_view_contains (const GcpView *view, GcpMemberId id)
{
  return gcp_view_find (view, id) >= 0;
}

gboolean
gcp_view_equal (const GcpView *a, const GcpView *b)
{
  if (a->number != b->number || a->primary != b->primary
      || a->n_members != b->n_members)
    return FALSE;
  for (guint i = 0; i < a->n_members; i++)
    if (a->members[i].id != b->members[i].id
        || !g_bytes_equal (a->members[i].card, b->members[i].card))
      return FALSE;
  return TRUE;
}
