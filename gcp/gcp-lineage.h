/* gcp-lineage.h: what a member knows of the primary views
 *
 * Of the parts of a group that was cut, at most one may call its view primary.
 * Each member remembers the last primary view that it knows was installed
 * (*formed*), and those that were proposed after it and that somebody may have
 * installed without being heard of (*doubtful*). A new view is primary if its
 * members are a quorum of the formed one and of each doubtful one: a majority,
 * or half with the first member. Members tell each other what they remember in
 * each view change. docs/protocol.md, "Primary views", says why this is enough.
 *
 * The rule is that of dynamic linear voting with ambiguous sessions (Yeger Lotem,
 * Keidar, Dolev: Dynamic voting for consistent primary components, 1997).
 */
#pragma once

#include "gcp-view.h"
#include "gcp-wire.h"

G_BEGIN_DECLS

/* A view, or an attempt to make one: who proposed it, and a number greater than
 * any its proposer had seen. No two views have the same. */
typedef struct {
  guint64 number;
  GcpMemberId proposer;
} GcpViewId;

gint gcp_view_id_compare (GcpViewId a, GcpViewId b);
gboolean gcp_view_id_equal (GcpViewId a, GcpViewId b);
gboolean gcp_view_id_is_none (GcpViewId id);
GcpViewId gcp_view_id_read (GcpReader *reader);
void gcp_view_id_write (GcpWriter *writer, GcpViewId id);

/* Lists of member ids. A list with an id twice, with 0, or with more than
 * GCP_MAX_MEMBERS fails the reader. */
GArray *gcp_ids_new (void);
gboolean gcp_ids_contain (const GArray *ids, GcpMemberId id);
void gcp_ids_add (GArray *ids, GcpMemberId id); /* if it is not there */
gboolean gcp_ids_all_in (const GArray *ids, const GArray *all);
void gcp_ids_read (GcpReader *reader, GArray *ids);
void gcp_ids_write (GcpWriter *writer, const GArray *ids);

/* With so many no view is proposed as primary until doubts are cleared. Where
 * members know of more together, none is until a primary view is heard of. */
#define GCP_MAX_DOUBTFUL 16

typedef struct _GcpLineage GcpLineage;

/* Of who has no view yet: knows nothing. */
GcpLineage *gcp_lineage_new (void);
GcpLineage *gcp_lineage_copy (const GcpLineage *lineage);
void gcp_lineage_free (GcpLineage *lineage);

/* The primary view @id was installed here. */
void gcp_lineage_form (GcpLineage *lineage, GcpViewId id,
    const GArray *members);

/* The primary view @id is held ready here, and from now on may be installed by
 * others. @holders: who else of the old view is to hold it ready; nobody but them
 * can bring it about. */
void gcp_lineage_attempt (GcpLineage *lineage, GcpViewId id,
    const GArray *members, const GArray *holders);

/* Takes over what @other knows beyond it. */
void gcp_lineage_merge (GcpLineage *lineage, const GcpLineage *other);

/* Forgets the doubtful views of which all holders are among @present, who have
 * come to a view after it without it: @since. */
void gcp_lineage_settle (GcpLineage *lineage, const GArray *present,
    GcpViewId since);

/* Whether a new view may be primary. @here: old members who hold it ready before
 * anybody installs it, and so cannot bring about an older one any more;
 * @newcomers: others of whom that is true. */
gboolean gcp_lineage_allows (const GcpLineage *lineage, const GArray *here,
    const GArray *newcomers);

/* Whether the primary view @id, which somebody holds ready, may be brought about
 * by @here, who know of no later one. */
gboolean gcp_lineage_allows_again (const GcpLineage *lineage, GcpViewId id,
    const GArray *here);

/* NULL: malformed; @reader has failed. */
GcpLineage *gcp_lineage_read (GcpReader *reader);
void gcp_lineage_write (const GcpLineage *lineage, GcpWriter *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GcpLineage, gcp_lineage_free)

G_END_DECLS
