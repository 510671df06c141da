/* gcp-puppet.h: an engine, and a member beside it that says what a test wants
 *
 * The engine is the first member of a view of two. The other is played by hand: it
 * has a link of its own, so that any bytes can reach the engine as a message of a
 * member that the layer above let in.
 */
#pragma once

#include "../../gcp/gcp-engine.h"
#include "../../gcp/gcp-link.h"
#include "../../gcp/gcp-message.h"

G_BEGIN_DECLS

#define GCP_PUPPET_ENGINE ((GcpMemberId) 100)
#define GCP_PUPPET_MEMBER ((GcpMemberId) 200)
#define GCP_PUPPET_STRANGER ((GcpMemberId) 300)

typedef struct {
  GcpEngine *engine;
  GcpLink *link;                /* the puppet's */
  gint64 now;
  GcpViewId view;               /* the engine's, as last heard */
  GPtrArray *heard;             /* of GBytes: messages of the engine, newest last */
  guint32 generation;           /* of the link */
  guint n_sent;                 /* datagrams of the engine */
  guint n_delivered, n_views;
  gboolean ended;
  gboolean mute;                /* sends nothing at all */
} GcpPuppet;

/* Both are in view number 2 or later. Nobody takes GCP_PUPPET_STRANGER in who was not
 * told to. */
GcpPuppet *gcp_puppet_new (void);

/* The engine waits for its first view, and the puppet is who could bring it: in a
 * view of its own, number 1. */
GcpPuppet *gcp_puppet_new_with_joiner (void);
void gcp_puppet_free (GcpPuppet *puppet);

/* Carries datagrams both ways for @microseconds. */
void gcp_puppet_run (GcpPuppet *puppet, gint64 microseconds);

/* @bytes as a message of the puppet; the datagrams go at once. */
void gcp_puppet_say_bytes (GcpPuppet *puppet, gconstpointer data, gsize size);
void gcp_puppet_say (GcpPuppet *puppet, const GcpMessage *message);

/* @bytes as a datagram of @from. */
void gcp_puppet_throw (GcpPuppet *puppet, GcpMemberId from,
    gconstpointer data, gsize size);

/* The engine loses the puppet, and then hears that it coordinates another part of
 * the group, which leads: what the puppet says from now on is said as such. */
void gcp_puppet_come_back (GcpPuppet *puppet);

/* One that knows of a primary view of both, and of a doubtful one. */
GcpLineage *gcp_puppet_make_lineage (void);

/* One whole message of each type, as it might be said now. */
GPtrArray *gcp_puppet_make_messages (GcpPuppet *puppet);

/* The newest message of @type that the engine sent; FALSE: none. */
gboolean gcp_puppet_find (GcpPuppet *puppet, GcpMessageType type,
    GcpMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GcpPuppet, gcp_puppet_free)

G_END_DECLS
