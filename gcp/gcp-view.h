/* gcp-view.h: members, views, and the qualities of delivery
 *
 * A view is what all its members agree the group to be: a number, the members
 * in the order in which they joined, and whether it is primary. It is
 * immutable and reference counted.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A member is one incarnation of a peer: drawn at random when the peer starts
 * or is about to join, never used again. 0 is no member. */
typedef guint64 GcpMemberId;

#define GCP_MEMBER_NONE ((GcpMemberId) 0)

/* Most members a view can have (one octet names a member in a frame). */
#define GCP_MAX_MEMBERS 128

/* Longest card: what a member shows of itself to the others. Opaque here. */
#define GCP_MAX_CARD_SIZE 16384

/* How a message is delivered. Both are in the one total order. */
typedef enum {
  GCP_AGREED = 0,               /* as soon as its place in the order is known */
  GCP_SAFE = 1,                 /* once every member of the view holds it */
} GcpQuality;

/* A longer message is sent in pieces, with other members' messages between them. */
#define GCP_PIECE_SIZE 4096

/* Why a member of the last view is not in this one. */
typedef enum {
  GCP_LEFT = 0,                 /* it said so */
  GCP_FAILED = 1,               /* it was not heard of for too long */
  GCP_PUT_OUT = 2,              /* the group decided so */
} GcpDeparture;

typedef struct {
  GcpMemberId id;
  GBytes *card;
} GcpMember;

typedef struct _GcpView GcpView;

/* @members are copied, their cards referenced. */
GcpView *gcp_view_new (guint64 number, gboolean primary,
    const GcpMember *members, guint n_members);
GcpView *gcp_view_ref (GcpView *view);
void gcp_view_unref (GcpView *view);

guint64 gcp_view_get_number (const GcpView *view);
gboolean gcp_view_is_primary (const GcpView *view);
guint gcp_view_get_n_members (const GcpView *view);
const GcpMember *gcp_view_get_member (const GcpView *view, guint index);

/* The place of @id in the order of joining, or -1. */
gint gcp_view_find (const GcpView *view, GcpMemberId id);
gboolean gcp_view_contains (const GcpView *view, GcpMemberId id);
gboolean gcp_view_equal (const GcpView *a, const GcpView *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GcpView, gcp_view_unref)

G_END_DECLS
