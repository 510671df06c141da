/* bravis-view-private.h: how the session makes its views */
#pragma once

#include "bravis-view.h"
#include "../gcp/gcp-view.h"

G_BEGIN_DECLS

/* @names: of the members, in the view's order; copied. @self: one of them. */
BravisView *bravis_view_new (GcpView *view, const char *const *names,
    GcpMemberId self);

/* NULL: @member is not in it. */
const char *bravis_view_find_name (BravisView *view, GcpMemberId member);

G_END_DECLS
