/* bravis-view.h: who is in a conference, as all its members agree
 *
 * Public, introspectable. A view is immutable and reference counted; it may be
 * read from any thread.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * BravisView:
 *
 * The members of a conference at one time: every member that goes on with the
 * others gets the same views in the same order, and between two views the same
 * messages.
 */
typedef struct _BravisView BravisView;

#define BRAVIS_TYPE_VIEW (bravis_view_get_type ())
GType bravis_view_get_type (void);

BravisView *bravis_view_ref (BravisView *view);
void bravis_view_unref (BravisView *view);

guint64 bravis_view_get_number (BravisView *view);
gboolean bravis_view_is_primary (BravisView *view);
guint bravis_view_get_n_members (BravisView *view);
guint64 bravis_view_get_member (BravisView *view, guint index);
const char *bravis_view_get_name (BravisView *view, guint index);
guint bravis_view_get_own_index (BravisView *view);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisView, bravis_view_unref)

G_END_DECLS
