#include "bravis-view-private.h"

struct _BravisView {
  gatomicrefcount references;
  GcpView *view;
  GStrv names;
  GcpMemberId self;
};

G_DEFINE_BOXED_TYPE (BravisView, bravis_view, bravis_view_ref,
    bravis_view_unref)

BravisView *
bravis_view_new (GcpView *view, const char *const *names, GcpMemberId self)
{
  BravisView *made = g_new0 (BravisView, 1);

  g_atomic_ref_count_init (&made->references);
  made->view = gcp_view_ref (view);
  made->names = g_strdupv ((GStrv) names);
  made->self = self;
  return made;
}

/**
 * bravis_view_ref:
 * @view: a view
 *
 * Returns: (transfer full): @view
 */
BravisView *
bravis_view_ref (BravisView *view)
{
  g_atomic_ref_count_inc (&view->references);
  return view;
}

/**
 * bravis_view_unref:
 * @view: (transfer full): a view
 */
void
bravis_view_unref (BravisView *view)
{
  if (!g_atomic_ref_count_dec (&view->references))
    return;
  gcp_view_unref (view->view);
  g_strfreev (view->names);
  g_free (view);
}

/**
 * bravis_view_get_number:
 * @view: a view
 *
 * Numbers grow from view to view, not always by one. Views of groups that do not
 * know of each other may have the same.
 *
 * Returns: the view's number
 */
guint64
bravis_view_get_number (BravisView *view)
{
  return gcp_view_get_number (view->view);
}

/**
 * bravis_view_is_primary:
 * @view: a view
 *
 * Returns: %TRUE if a majority of the last primary view is here: of the parts
 *   that a broken network leaves, at most one has such a view
 */
gboolean
bravis_view_is_primary (BravisView *view)
{
  return gcp_view_is_primary (view->view);
}

/**
 * bravis_view_get_n_members:
 * @view: a view
 *
 * Returns: how many members there are, oneself included
 */
guint
bravis_view_get_n_members (BravisView *view)
{
  return gcp_view_get_n_members (view->view);
}

/**
 * bravis_view_get_member:
 * @view: a view
 * @index: a member's place in the order of joining, from 0
 *
 * Returns: the member's id: that of one stay in the conference. Who leaves and
 *   comes back has another
 */
guint64
bravis_view_get_member (BravisView *view, guint index)
{
  g_return_val_if_fail (index < bravis_view_get_n_members (view), 0);

  return gcp_view_get_member (view->view, index)->id;
}

/**
 * bravis_view_get_name:
 * @view: a view
 * @index: a member's place in the order of joining, from 0
 *
 * Returns: the member's name, `user@domain`, from its certificate
 */
const char *
bravis_view_get_name (BravisView *view, guint index)
{
  g_return_val_if_fail (index < bravis_view_get_n_members (view), NULL);

  return view->names[index];
}

/**
 * bravis_view_get_own_index:
 * @view: a view
 *
 * Returns: this peer's own place in the order of joining
 */
guint
bravis_view_get_own_index (BravisView *view)
{
  return gcp_view_find (view->view, view->self);
}

const char *
bravis_view_find_name (BravisView *view, GcpMemberId member)
{
  gint index = gcp_view_find (view->view, member);

  return index < 0 ? NULL : view->names[index];
}
