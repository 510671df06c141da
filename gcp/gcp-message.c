#include "gcp-message.h"

#define ITEM_OVERHEAD 64                /* what an item costs besides its bytes */

/* What a payload is, in one octet. */
#define FLAG_SAFE 1
#define FLAG_OMITTED 2                  /* ORDER only */
#define FLAG_MORE 4
#define FLAG_AHEAD 8
#define FLAG_CONTINUES 16

GcpItem *
gcp_item_new (guint8 sender, GcpQuality quality, GBytes *payload)
{
  GcpItem *item = g_new0 (GcpItem, 1);

  item->sender = sender;
  item->quality = quality;
  item->payload = g_bytes_ref (payload);
  return item;
}

GcpItem *
gcp_item_copy (const GcpItem *item)
{
  GcpItem *copy = g_memdup2 (item, sizeof *item);

  g_bytes_ref (copy->payload);
  return copy;
}

void
gcp_item_free (GcpItem *item)
{
  g_bytes_unref (item->payload);
  g_free (item);
}

gsize
gcp_item_cost (const GcpItem *item)
{
  return g_bytes_get_size (item->payload) + ITEM_OVERHEAD;
}

static void
clear_member (gpointer member)
{
  g_clear_pointer (&((GcpMember *) member)->card, g_bytes_unref);
}

GcpProposal *
gcp_proposal_new (void)
{
  GcpProposal *proposal = g_new0 (GcpProposal, 1);

  g_atomic_ref_count_init (&proposal->references);
  proposal->appended =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gcp_item_free);
  proposal->members = g_array_new (FALSE, FALSE, sizeof (GcpMember));
  g_array_set_clear_func (proposal->members, clear_member);
  proposal->departures =
      g_array_new (FALSE, FALSE, sizeof (GcpMessageDeparture));
  proposal->dropped = gcp_ids_new ();
  proposal->acking = gcp_ids_new ();
  proposal->others = gcp_ids_new ();
  proposal->lost = gcp_ids_new ();
  return proposal;
}

GcpProposal *
gcp_proposal_ref (GcpProposal *proposal)
{
  g_atomic_ref_count_inc (&proposal->references);
  return proposal;
}

void
gcp_proposal_unref (GcpProposal *proposal)
{
  if (!g_atomic_ref_count_dec (&proposal->references))
    return;
  g_ptr_array_unref (proposal->appended);
  g_array_unref (proposal->members);
  g_array_unref (proposal->departures);
  g_array_unref (proposal->dropped);
  g_array_unref (proposal->acking);
  g_array_unref (proposal->others);
  g_array_unref (proposal->lost);
  g_clear_pointer (&proposal->lineage, gcp_lineage_free);
  g_free (proposal);
}

gint
gcp_proposal_find (const GcpProposal *proposal, GcpMemberId id)
{
  for (guint i = 0; i < proposal->members->len; i++)
    if (g_array_index (proposal->members, GcpMember, i).id == id)
      return i;
  return -1;
}

void
gcp_proposal_add_member (GcpProposal *proposal, GcpMemberId id, GBytes *card)
{
  GcpMember member = { id, card ? g_bytes_ref (card) : NULL };

  g_array_append_val (proposal->members, member);
}

GArray *
gcp_proposal_list_members (const GcpProposal *proposal)
{
  GArray *ids = gcp_ids_new ();

  for (guint i = 0; i < proposal->members->len; i++)
    g_array_append_val (ids,
        g_array_index (proposal->members, GcpMember, i).id);
  return ids;
}

/* ---- reading ---- */

static gboolean
read_boolean (GcpReader *reader)
{
  guint8 value = gcp_read_u8 (reader);

  if (value > 1)
    gcp_reader_fail (reader);
  return value == 1;
}

static GcpDeparture
read_departure (GcpReader *reader)
{
  guint8 why = gcp_read_u8 (reader);

  if (why > GCP_PUT_OUT)
    gcp_reader_fail (reader);
  return why;
}

static void
read_departures (GcpReader *reader, GArray *departures)
{
  guint n = gcp_read_u8 (reader);

  if (n > GCP_MAX_MEMBERS)
    gcp_reader_fail (reader);
  for (guint i = 0; i < n && gcp_reader_left (reader) > 0; i++) {
    GcpMessageDeparture departure;

    departure.id = gcp_read_u64 (reader);
    departure.why = read_departure (reader);
    g_array_append_val (departures, departure);
  }
  if (departures->len != n)
    gcp_reader_fail (reader);
}

static GcpProposal *
read_proposal (GcpReader *reader, GcpViewId attempt)
{
  GcpProposal *proposal = gcp_proposal_new ();
  g_autoptr (GArray) ids = gcp_ids_new ();

  proposal->attempt = attempt;
  proposal->id = gcp_view_id_read (reader);
  proposal->primary = read_boolean (reader);
  proposal->cut = gcp_read_u64 (reader);
  proposal->n_appended = gcp_read_u32 (reader);
  gcp_ids_read (reader, ids);
  for (guint i = 0; i < ids->len; i++)
    gcp_proposal_add_member (proposal, g_array_index (ids, GcpMemberId, i),
        NULL);
  read_departures (reader, proposal->departures);
  gcp_ids_read (reader, proposal->dropped);
  gcp_ids_read (reader, proposal->acking);
  gcp_ids_read (reader, proposal->others);
  /* They hold a primary view ready, all in one list of a lineage. */
  if (proposal->acking->len + proposal->others->len > GCP_MAX_MEMBERS)
    gcp_reader_fail (reader);
  gcp_ids_read (reader, proposal->lost);
  proposal->lineage = gcp_lineage_read (reader);
  return proposal;
}

/* All the rest of the message, sharing its memory. */
static GBytes *
read_rest (GcpReader *reader, GBytes *bytes, gsize max)
{
  gsize at = reader->at;
  gsize size = gcp_reader_left (reader);

  if (size > max)
    gcp_reader_fail (reader);
  if (!gcp_read_span (reader, size))
    return NULL;
  return g_bytes_new_from_bytes (bytes, at, size);
}

static void
read_flags (GcpMessage *m, GcpReader *reader, guint8 known)
{
  guint8 flags = gcp_read_u8 (reader);

  m->quality = flags & FLAG_SAFE ? GCP_SAFE : GCP_AGREED;
  m->more = (flags & FLAG_MORE) != 0;
  m->ahead = (flags & FLAG_AHEAD) != 0;
  m->continues = (flags & FLAG_CONTINUES) != 0;
  m->omitted = (flags & FLAG_OMITTED) != 0;
  if (flags & ~known)
    gcp_reader_fail (reader);
}

static void
read_item (GcpMessage *m, GcpReader *reader, GBytes *bytes)
{
  read_flags (m, reader, FLAG_SAFE | FLAG_MORE | FLAG_AHEAD
      | FLAG_CONTINUES);
  m->payload = read_rest (reader, bytes, GCP_PIECE_SIZE);
}

static void
read_order (GcpMessage *m, GcpReader *reader, GBytes *bytes)
{
  m->sequence = gcp_read_u64 (reader);
  m->sender = gcp_read_u8 (reader);
  read_flags (m, reader, FLAG_SAFE | FLAG_OMITTED | FLAG_MORE
      | FLAG_AHEAD | FLAG_CONTINUES);
  if (!m->omitted)
    m->payload = read_rest (reader, bytes, GCP_PIECE_SIZE);
}

static void
read_flushed (GcpMessage *m, GcpReader *reader)
{
  m->sequence = gcp_read_u64 (reader);
  m->own_ordered = gcp_read_u64 (reader);
  m->n_unordered = gcp_read_u32 (reader);
  m->leaving = read_boolean (reader);
  m->prepared_attempt = gcp_view_id_read (reader);
  m->prepared = gcp_view_id_read (reader);
  m->highest = gcp_read_u64 (reader);
  m->lineage = gcp_lineage_read (reader);
}

static void
read_body (GcpMessage *m, GcpReader *reader, GBytes *bytes)
{
  switch (m->type) {
    case GCP_MESSAGE_SUBMIT:
    case GCP_MESSAGE_UNORDERED:
      read_item (m, reader, bytes);
      break;
    case GCP_MESSAGE_ORDER:
      read_order (m, reader, bytes);
      break;
    case GCP_MESSAGE_RECEIPT:
    case GCP_MESSAGE_STABLE:
      m->sequence = gcp_read_u64 (reader);
      break;
    case GCP_MESSAGE_HERE:
      m->primary = read_boolean (reader);
      break;
    case GCP_MESSAGE_FLUSH:
      m->ids = gcp_ids_new ();
      gcp_ids_read (reader, m->ids);
      break;
    case GCP_MESSAGE_CANDIDATE:
    case GCP_MESSAGE_CARD:
      m->member = gcp_read_u64 (reader);
      m->payload = read_rest (reader, bytes, GCP_MAX_CARD_SIZE);
      break;
    case GCP_MESSAGE_FLUSHED:
      read_flushed (m, reader);
      break;
    case GCP_MESSAGE_FETCH:
      m->sequence = gcp_read_u64 (reader);
      m->prepared = gcp_view_id_read (reader);
      break;
    case GCP_MESSAGE_SHOWN:
      m->sequence = gcp_read_u64 (reader);
      if (read_boolean (reader))
        m->proposal = read_proposal (reader, m->attempt);
      break;
    case GCP_MESSAGE_MISSING:
      m->sequence = gcp_read_u64 (reader);
      m->sender = gcp_read_u8 (reader);
      read_item (m, reader, bytes);
      break;
    case GCP_MESSAGE_APPENDED:
      m->sender = gcp_read_u8 (reader);
      read_item (m, reader, bytes);
      break;
    case GCP_MESSAGE_PREPARE:
    case GCP_MESSAGE_JOINT:
      m->proposal = read_proposal (reader, m->attempt);
      break;
    case GCP_MESSAGE_PART:
      m->highest = gcp_read_u64 (reader);
      m->proposal = read_proposal (reader, m->attempt);
      break;
    case GCP_MESSAGE_REFUSED:
      m->highest = gcp_read_u64 (reader);
      break;
    case GCP_MESSAGE_LEAVE:
    case GCP_MESSAGE_PREPARED:
    case GCP_MESSAGE_COMMIT:
    case GCP_MESSAGE_MERGE:
    case GCP_MESSAGE_HELD:
    case GCP_MESSAGE_GO:
    case GCP_MESSAGE_APART:
    case GCP_N_MESSAGES:
      break;
  }
}

gboolean
gcp_message_read (GcpMessage *m, GBytes *bytes)
{
  GcpReader reader;
  guint8 type;

  *m = (GcpMessage) { 0 };
  gcp_reader_init_bytes (&reader, bytes);
  type = gcp_read_u8 (&reader);
  if (type < GCP_MESSAGE_SUBMIT || type >= GCP_N_MESSAGES)
    return FALSE;
  m->type = type;
  m->view = gcp_view_id_read (&reader);
  if (type >= GCP_MESSAGE_FLUSH)
    m->attempt = gcp_view_id_read (&reader);
  read_body (m, &reader, bytes);
  if (gcp_reader_finish (&reader))
    return TRUE;
  gcp_message_clear (m);
  return FALSE;
}

void
gcp_message_clear (GcpMessage *m)
{
  g_clear_pointer (&m->payload, g_bytes_unref);
  g_clear_pointer (&m->ids, g_array_unref);
  g_clear_pointer (&m->proposal, gcp_proposal_unref);
  g_clear_pointer (&m->lineage, gcp_lineage_free);
}

GcpItem *
gcp_message_get_item (const GcpMessage *m, guint8 sender)
{
  GcpItem *item = gcp_item_new (sender, m->quality, m->payload);

  item->more = m->more;
  item->continues = m->continues;
  item->ahead = m->ahead;
  return item;
}

void
gcp_message_set_item (GcpMessage *m, const GcpItem *item)
{
  m->sender = item->sender;
  m->quality = item->quality;
  m->more = item->more;
  m->continues = item->continues;
  m->ahead = item->ahead;
  m->payload = item->payload;
}

/* ---- writing ---- */

static void
write_rest (GcpWriter *writer, GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  gcp_write_bytes (writer, data, size);
}

static void
write_flags (GcpWriter *writer, const GcpMessage *m)
{
  gcp_write_u8 (writer, (m->quality == GCP_SAFE ? FLAG_SAFE : 0)
      | (m->omitted ? FLAG_OMITTED : 0) | (m->more ? FLAG_MORE : 0)
      | (m->ahead ? FLAG_AHEAD : 0)
      | (m->continues ? FLAG_CONTINUES : 0));
}

static void
write_item (GcpWriter *writer, const GcpMessage *m)
{
  write_flags (writer, m);
  write_rest (writer, m->payload);
}

static void
write_proposal (GcpWriter *writer, const GcpProposal *proposal)
{
  gcp_view_id_write (writer, proposal->id);
  gcp_write_u8 (writer, proposal->primary);
  gcp_write_u64 (writer, proposal->cut);
  gcp_write_u32 (writer, proposal->n_appended);
  gcp_write_u8 (writer, proposal->members->len);
  for (guint i = 0; i < proposal->members->len; i++)
    gcp_write_u64 (writer,
        g_array_index (proposal->members, GcpMember, i).id);
  gcp_write_u8 (writer, proposal->departures->len);
  for (guint i = 0; i < proposal->departures->len; i++) {
    const GcpMessageDeparture *departure =
        &g_array_index (proposal->departures, GcpMessageDeparture, i);

    gcp_write_u64 (writer, departure->id);
    gcp_write_u8 (writer, departure->why);
  }
  gcp_ids_write (writer, proposal->dropped);
  gcp_ids_write (writer, proposal->acking);
  gcp_ids_write (writer, proposal->others);
  gcp_ids_write (writer, proposal->lost);
  gcp_lineage_write (proposal->lineage, writer);
}

static void
write_flushed (GcpWriter *writer, const GcpMessage *m)
{
  gcp_write_u64 (writer, m->sequence);
  gcp_write_u64 (writer, m->own_ordered);
  gcp_write_u32 (writer, m->n_unordered);
  gcp_write_u8 (writer, m->leaving);
  gcp_view_id_write (writer, m->prepared_attempt);
  gcp_view_id_write (writer, m->prepared);
  gcp_write_u64 (writer, m->highest);
  gcp_lineage_write (m->lineage, writer);
}

static void
write_body (GcpWriter *writer, const GcpMessage *m)
{
  switch (m->type) {
    case GCP_MESSAGE_SUBMIT:
    case GCP_MESSAGE_UNORDERED:
      write_item (writer, m);
      break;
    case GCP_MESSAGE_ORDER:
      gcp_write_u64 (writer, m->sequence);
      gcp_write_u8 (writer, m->sender);
      write_flags (writer, m);
      if (!m->omitted)
        write_rest (writer, m->payload);
      break;
    case GCP_MESSAGE_RECEIPT:
    case GCP_MESSAGE_STABLE:
      gcp_write_u64 (writer, m->sequence);
      break;
    case GCP_MESSAGE_HERE:
      gcp_write_u8 (writer, m->primary);
      break;
    case GCP_MESSAGE_FLUSH:
      gcp_ids_write (writer, m->ids);
      break;
    case GCP_MESSAGE_CANDIDATE:
    case GCP_MESSAGE_CARD:
      gcp_write_u64 (writer, m->member);
      write_rest (writer, m->payload);
      break;
    case GCP_MESSAGE_FLUSHED:
      write_flushed (writer, m);
      break;
    case GCP_MESSAGE_FETCH:
      gcp_write_u64 (writer, m->sequence);
      gcp_view_id_write (writer, m->prepared);
      break;
    case GCP_MESSAGE_SHOWN:
      gcp_write_u64 (writer, m->sequence);
      gcp_write_u8 (writer, m->proposal != NULL);
      if (m->proposal)
        write_proposal (writer, m->proposal);
      break;
    case GCP_MESSAGE_MISSING:
      gcp_write_u64 (writer, m->sequence);
      gcp_write_u8 (writer, m->sender);
      write_item (writer, m);
      break;
    case GCP_MESSAGE_APPENDED:
      gcp_write_u8 (writer, m->sender);
      write_item (writer, m);
      break;
    case GCP_MESSAGE_PREPARE:
    case GCP_MESSAGE_JOINT:
      write_proposal (writer, m->proposal);
      break;
    case GCP_MESSAGE_PART:
      gcp_write_u64 (writer, m->highest);
      write_proposal (writer, m->proposal);
      break;
    case GCP_MESSAGE_REFUSED:
      gcp_write_u64 (writer, m->highest);
      break;
    case GCP_MESSAGE_LEAVE:
    case GCP_MESSAGE_PREPARED:
    case GCP_MESSAGE_COMMIT:
    case GCP_MESSAGE_MERGE:
    case GCP_MESSAGE_HELD:
    case GCP_MESSAGE_GO:
    case GCP_MESSAGE_APART:
    case GCP_N_MESSAGES:
      break;
  }
}

GBytes *
gcp_message_write (const GcpMessage *m)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, m->type);
  gcp_view_id_write (&writer, m->view);
  if (m->type >= GCP_MESSAGE_FLUSH)
    gcp_view_id_write (&writer, m->attempt);
  write_body (&writer, m);
  return gcp_writer_finish (&writer);
}

GBytes *
gcp_notice_write (GcpViewId view, gboolean primary, GcpDeparture why)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, GCP_DATAGRAM_OUT);
  gcp_view_id_write (&writer, view);
  gcp_write_u8 (&writer, primary);
  gcp_write_u8 (&writer, why);
  return gcp_writer_finish (&writer);
}

gboolean
gcp_notice_read (const guint8 *data, gsize size, GcpViewId *view,
    gboolean *primary, GcpDeparture *why)
{
  GcpReader reader;
  guint8 type;

  gcp_reader_init (&reader, data, size);
  type = gcp_read_u8 (&reader);
  *view = gcp_view_id_read (&reader);
  *primary = read_boolean (&reader);
  *why = read_departure (&reader);
  return gcp_reader_finish (&reader) && type == GCP_DATAGRAM_OUT;
}

GBytes *
gcp_probe_write (const GcpProbe *probe)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, GCP_DATAGRAM_PROBE);
  gcp_write_u8 (&writer, probe->answer);
  gcp_view_id_write (&writer, probe->view);
  gcp_write_u8 (&writer, probe->primary);
  gcp_write_u8 (&writer, probe->n);
  gcp_write_u64 (&writer, probe->coordinator);
  return gcp_writer_finish (&writer);
}

gboolean
gcp_probe_read (GcpProbe *probe, const guint8 *data, gsize size)
{
  GcpReader reader;
  guint8 type;

  gcp_reader_init (&reader, data, size);
  type = gcp_read_u8 (&reader);
  probe->answer = read_boolean (&reader);
  probe->view = gcp_view_id_read (&reader);
  probe->primary = read_boolean (&reader);
  probe->n = gcp_read_u8 (&reader);
  probe->coordinator = gcp_read_u64 (&reader);
  return gcp_reader_finish (&reader) && type == GCP_DATAGRAM_PROBE
      && probe->coordinator != GCP_MEMBER_NONE;
}

GBytes *
gcp_relay_write (const GcpRelay *relay)
{
  g_auto (GcpWriter) writer = { NULL };
  gsize size;
  gconstpointer data = g_bytes_get_data (relay->bytes, &size);

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, GCP_DATAGRAM_RELAY);
  gcp_write_u8 (&writer, relay->deaf);
  gcp_write_u64 (&writer, relay->from);
  gcp_write_u64 (&writer, relay->to);
  gcp_write_bytes (&writer, data, size);
  return gcp_writer_finish (&writer);
}

gboolean
gcp_relay_read (GcpRelay *relay, const guint8 *data, gsize size)
{
  GcpReader reader;
  guint8 type;
  const guint8 *rest;
  gsize left;

  gcp_reader_init (&reader, data, size);
  type = gcp_read_u8 (&reader);
  relay->deaf = read_boolean (&reader);
  relay->from = gcp_read_u64 (&reader);
  relay->to = gcp_read_u64 (&reader);
  left = gcp_reader_left (&reader);
  rest = gcp_read_span (&reader, left);
  if (!gcp_reader_finish (&reader) || type != GCP_DATAGRAM_RELAY
      || relay->from == GCP_MEMBER_NONE || relay->to == GCP_MEMBER_NONE
      || relay->from == relay->to)
    return FALSE;
  relay->bytes = g_bytes_new (rest, left);
  return TRUE;
}

void
gcp_relay_clear (GcpRelay *relay)
{
  g_clear_pointer (&relay->bytes, g_bytes_unref);
}
