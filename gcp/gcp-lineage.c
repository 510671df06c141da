#include "gcp-lineage.h"

#define LOST 255                        /* in place of a number of doubtful views */

/* A primary view. */
typedef struct {
  GcpViewId id;
  GArray *members;              /* of GcpMemberId, in the view's order */
  GArray *holders;              /* of GcpMemberId */
} Primary;

struct _GcpLineage {
  Primary *formed;              /* NULL: none known */
  GPtrArray *doubtful;          /* of Primary, after the formed one */
  gboolean lost;                /* there were more than can be remembered: nothing
                                 * is allowed until a primary view is heard of */
};

gint
gcp_view_id_compare (GcpViewId a, GcpViewId b)
{
  if (a.number != b.number)
    return a.number < b.number ? -1 : 1;
  if (a.proposer != b.proposer)
    return a.proposer < b.proposer ? -1 : 1;
  return 0;
}

gboolean
gcp_view_id_equal (GcpViewId a, GcpViewId b)
{
  return a.number == b.number && a.proposer == b.proposer;
}

gboolean
gcp_view_id_is_none (GcpViewId id)
{
  return id.number == 0;
}

GcpViewId
gcp_view_id_read (GcpReader *reader)
{
  GcpViewId id;

  id.number = gcp_read_u64 (reader);
  id.proposer = gcp_read_u64 (reader);
  return id;
}

void
gcp_view_id_write (GcpWriter *writer, GcpViewId id)
{
  gcp_write_u64 (writer, id.number);
  gcp_write_u64 (writer, id.proposer);
}

/* ---- lists of ids ---- */

GArray *
gcp_ids_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
}

static GArray *
ids_copy (const GArray *ids)
{
  GArray *copy = gcp_ids_new ();

  g_array_append_vals (copy, ids->data, ids->len);
  return copy;
}

gboolean
gcp_ids_contain (const GArray *ids, GcpMemberId id)
{
  for (guint i = 0; i < ids->len; i++)
    if (g_array_index (ids, GcpMemberId, i) == id)
      return TRUE;
  return FALSE;
}

void
gcp_ids_add (GArray *ids, GcpMemberId id)
{
  if (!gcp_ids_contain (ids, id))
    g_array_append_val (ids, id);
}

gboolean
gcp_ids_all_in (const GArray *ids, const GArray *all)
{
  for (guint i = 0; i < ids->len; i++)
    if (!gcp_ids_contain (all, g_array_index (ids, GcpMemberId, i)))
      return FALSE;
  return TRUE;
}

void
gcp_ids_read (GcpReader *reader, GArray *ids)
{
  guint n = gcp_read_u8 (reader);

  if (n > GCP_MAX_MEMBERS)
    gcp_reader_fail (reader);
  for (guint i = 0; i < n && gcp_reader_left (reader) > 0; i++) {
    GcpMemberId id = gcp_read_u64 (reader);

    if (id == GCP_MEMBER_NONE || gcp_ids_contain (ids, id))
      gcp_reader_fail (reader);
    g_array_append_val (ids, id);
  }
  if (ids->len != n)
    gcp_reader_fail (reader);
}

void
gcp_ids_write (GcpWriter *writer, const GArray *ids)
{
  gcp_write_u8 (writer, ids->len);
  for (guint i = 0; i < ids->len; i++)
    gcp_write_u64 (writer, g_array_index (ids, GcpMemberId, i));
}

/* ---- primary views ---- */

static Primary *
primary_new (GcpViewId id, const GArray *members, const GArray *holders)
{
  Primary *primary = g_new (Primary, 1);

  primary->id = id;
  primary->members = ids_copy (members);
  primary->holders = ids_copy (holders);
  return primary;
}

static void
primary_free (Primary *primary)
{
  g_array_unref (primary->members);
  g_array_unref (primary->holders);
  g_free (primary);
}

static gboolean
has_quorum (const Primary *primary, const GArray *here,
    const GArray *newcomers)
{
  guint n = primary->members->len;
  guint n_here = 0;
  gboolean first_is_here = FALSE;

  for (guint i = 0; i < n; i++) {
    GcpMemberId id = g_array_index (primary->members, GcpMemberId, i);

    if (!gcp_ids_contain (here, id)
        && !(newcomers && gcp_ids_contain (newcomers, id)))
      continue;
    n_here++;
    first_is_here = first_is_here || i == 0;
  }
  return 2 * n_here > n || (2 * n_here == n && first_is_here);
}

GcpLineage *
gcp_lineage_new (void)
{
  GcpLineage *lineage = g_new0 (GcpLineage, 1);

  lineage->doubtful =
      g_ptr_array_new_with_free_func ((GDestroyNotify) primary_free);
  return lineage;
}

GcpLineage *
gcp_lineage_copy (const GcpLineage *other)
{
  GcpLineage *lineage = gcp_lineage_new ();

  gcp_lineage_merge (lineage, other);
  return lineage;
}

void
gcp_lineage_free (GcpLineage *lineage)
{
  g_clear_pointer (&lineage->formed, primary_free);
  g_ptr_array_unref (lineage->doubtful);
  g_free (lineage);
}

/* What was before the formed one is history, whether it came about or not. */
static void
drop_before_formed (GcpLineage *lineage)
{
  for (guint i = lineage->doubtful->len; i-- > 0;) {
    const Primary *doubtful = lineage->doubtful->pdata[i];

    if (lineage->formed
        && gcp_view_id_compare (doubtful->id, lineage->formed->id) <= 0)
      g_ptr_array_remove_index (lineage->doubtful, i);
  }
}

void
gcp_lineage_form (GcpLineage *lineage, GcpViewId id, const GArray *members)
{
  g_autoptr (GArray) nobody = gcp_ids_new ();

  if (lineage->formed
      && gcp_view_id_compare (lineage->formed->id, id) >= 0)
    return;
  g_clear_pointer (&lineage->formed, primary_free);
  lineage->formed = primary_new (id, members, nobody);
  lineage->lost = FALSE;
  drop_before_formed (lineage);
}

void
gcp_lineage_attempt (GcpLineage *lineage, GcpViewId id, const GArray *members,
    const GArray *holders)
{
  if (lineage->formed
      && gcp_view_id_compare (lineage->formed->id, id) >= 0)
    return;
  for (guint i = 0; i < lineage->doubtful->len; i++)
    if (gcp_view_id_equal (((Primary *) lineage->doubtful->pdata[i])->id, id))
      return;
  if (lineage->doubtful->len < GCP_MAX_DOUBTFUL)
    g_ptr_array_add (lineage->doubtful, primary_new (id, members, holders));
  else
    lineage->lost = TRUE;
}

void
gcp_lineage_merge (GcpLineage *lineage, const GcpLineage *other)
{
  if (other->formed)
    gcp_lineage_form (lineage, other->formed->id, other->formed->members);
  if (other->lost && (!other->formed
          || gcp_view_id_equal (other->formed->id, lineage->formed->id)))
    lineage->lost = TRUE;
  for (guint i = 0; i < other->doubtful->len; i++) {
    const Primary *doubtful = other->doubtful->pdata[i];

    gcp_lineage_attempt (lineage, doubtful->id, doubtful->members,
        doubtful->holders);
  }
}

void
gcp_lineage_settle (GcpLineage *lineage, const GArray *present,
    GcpViewId since)
{
  for (guint i = lineage->doubtful->len; i-- > 0;) {
    const Primary *doubtful = lineage->doubtful->pdata[i];

    if (gcp_view_id_compare (doubtful->id, since) < 0
        && gcp_ids_all_in (doubtful->holders, present))
      g_ptr_array_remove_index (lineage->doubtful, i);
  }
}

gboolean
gcp_lineage_allows (const GcpLineage *lineage, const GArray *here,
    const GArray *newcomers)
{
  if (lineage->lost || lineage->doubtful->len >= GCP_MAX_DOUBTFUL
      || !lineage->formed || !has_quorum (lineage->formed, here, NULL))
    return FALSE;
  for (guint i = 0; i < lineage->doubtful->len; i++) {
    const Primary *doubtful = lineage->doubtful->pdata[i];

    if (!gcp_ids_all_in (doubtful->holders, here)
        && !has_quorum (doubtful, here, newcomers))
      return FALSE;
  }
  return TRUE;
}

gboolean
gcp_lineage_allows_again (const GcpLineage *lineage, GcpViewId id,
    const GArray *here)
{
  if (lineage->lost || !lineage->formed
      || gcp_view_id_compare (lineage->formed->id, id) >= 0
      || !has_quorum (lineage->formed, here, NULL))
    return FALSE;
  for (guint i = 0; i < lineage->doubtful->len; i++) {
    const Primary *doubtful = lineage->doubtful->pdata[i];
    gint order = gcp_view_id_compare (doubtful->id, id);

    if (order > 0 || (order < 0 && !gcp_ids_all_in (doubtful->holders, here)
            && !has_quorum (doubtful, here, NULL)))
      return FALSE;
  }
  return TRUE;
}

/* ---- on the wire ---- */

static Primary *
read_primary (GcpReader *reader, gboolean has_holders)
{
  g_autoptr (GArray) members = gcp_ids_new ();
  g_autoptr (GArray) holders = gcp_ids_new ();
  GcpViewId id = gcp_view_id_read (reader);

  gcp_ids_read (reader, members);
  if (has_holders)
    gcp_ids_read (reader, holders);
  if (gcp_view_id_is_none (id) || members->len == 0)
    gcp_reader_fail (reader);
  return primary_new (id, members, holders);
}

GcpLineage *
gcp_lineage_read (GcpReader *reader)
{
  g_autoptr (GcpLineage) lineage = gcp_lineage_new ();
  guint8 n;

  lineage->formed = read_primary (reader, FALSE);
  n = gcp_read_u8 (reader);
  lineage->lost = n == LOST;
  if (lineage->lost)
    n = 0;
  if (n > GCP_MAX_DOUBTFUL)
    gcp_reader_fail (reader);
  for (guint i = 0; i < n && !reader->failed; i++)
    g_ptr_array_add (lineage->doubtful, read_primary (reader, TRUE));
  if (reader->failed)
    return NULL;
  drop_before_formed (lineage);
  return g_steal_pointer (&lineage);
}

static void
write_primary (GcpWriter *writer, const Primary *primary)
{
  gcp_view_id_write (writer, primary->id);
  gcp_ids_write (writer, primary->members);
}

void
gcp_lineage_write (const GcpLineage *lineage, GcpWriter *writer)
{
  guint n = lineage->lost ? 0 : lineage->doubtful->len;

  write_primary (writer, lineage->formed);
  gcp_write_u8 (writer, lineage->lost ? LOST : n);
  for (guint i = 0; i < n; i++) {
    const Primary *doubtful = lineage->doubtful->pdata[i];

    write_primary (writer, doubtful);
    gcp_ids_write (writer, doubtful->holders);
  }
}
