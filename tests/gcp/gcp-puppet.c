#include "gcp-puppet.h"

#define STEP 5000
#define MOST_HEARD 200

/* The puppet does what a newcomer has to, and nothing else. */
static void
hear (GcpPuppet *puppet, GBytes *bytes)
{
  g_auto (GcpMessage) m = { 0 };
  GcpMessage answer = { 0 };

  g_ptr_array_add (puppet->heard, g_bytes_ref (bytes));
  if (puppet->heard->len > MOST_HEARD)
    g_ptr_array_remove_index (puppet->heard, 0);
  g_assert_true (gcp_message_read (&m, bytes));
  if (m.type == GCP_MESSAGE_HERE)
    puppet->view = m.view;
  if (m.type != GCP_MESSAGE_PREPARE || puppet->view.number != 0)
    return;
  answer.type = GCP_MESSAGE_PREPARED;
  answer.view = m.view;
  answer.attempt = m.attempt;
  gcp_puppet_say (puppet, &answer);
}

/* The engine takes 0 for the number of its own link. */
static GBytes *
add_trailer (GcpPuppet *puppet, GBytes *bytes)
{
  GcpWriter writer = { g_bytes_unref_to_array (bytes) };

  gcp_write_u32 (&writer, puppet->generation);
  gcp_write_u32 (&writer, 0);
  return gcp_writer_finish (&writer);
}

static void
carry_to_engine (GcpPuppet *puppet)
{
  GBytes *bytes;

  while (!puppet->mute && (bytes = gcp_link_poll (puppet->link, puppet->now))) {
    g_autoptr (GBytes) datagram = add_trailer (puppet, bytes);

    gcp_engine_receive (puppet->engine, GCP_PUPPET_MEMBER,
        g_bytes_get_data (datagram, NULL), g_bytes_get_size (datagram),
        puppet->now);
  }
}

static void
carry_from_engine (GcpPuppet *puppet)
{
  for (;;) {
    g_auto (GcpOutput) output = { 0 };
    gsize size;
    const guint8 *data;

    if (!gcp_engine_poll (puppet->engine, &output))
      break;
    puppet->n_delivered += output.type == GCP_OUTPUT_DELIVER;
    puppet->n_views += output.type == GCP_OUTPUT_VIEW;
    puppet->ended |= output.type == GCP_OUTPUT_END;
    puppet->n_sent += output.type == GCP_OUTPUT_SEND;
    if (output.type != GCP_OUTPUT_SEND || output.member != GCP_PUPPET_MEMBER)
      continue;
    data = g_bytes_get_data (output.bytes, &size);
    if (data[0] == GCP_DATAGRAM_LINK)
      gcp_link_receive (puppet->link, data, size - 8, puppet->now);
  }
}

static void
carry (GcpPuppet *puppet)
{
  GBytes *bytes;

  carry_to_engine (puppet);
  carry_from_engine (puppet);
  while ((bytes = gcp_link_take (puppet->link))) {
    hear (puppet, bytes);
    g_bytes_unref (bytes);
  }
  carry_to_engine (puppet);
  carry_from_engine (puppet);
}

static void
make_link (GcpPuppet *puppet)
{
  GcpLinkConfig link_config = { 1100, 100000, 800000, GCP_MAX_MESSAGE_SIZE };

  g_clear_pointer (&puppet->link, gcp_link_free);
  puppet->link = gcp_link_new (&link_config, puppet->now);
  puppet->generation++;
}

static gboolean
is_no_stranger (gpointer user_data, GcpMemberId id, GBytes *card)
{
  return id != GCP_PUPPET_STRANGER;
}

static GcpPuppet *
puppet_new (gboolean joins)
{
  GcpPuppet *puppet = g_new0 (GcpPuppet, 1);
  GcpConfig config;
  g_autoptr (GBytes) card = g_bytes_new_static ("card", 4);

  gcp_config_init (&config);
  config.may_join = is_no_stranger;
  puppet->now = G_USEC_PER_SEC;
  puppet->heard =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  puppet->engine = joins
      ? gcp_engine_new_joiner (&config, GCP_PUPPET_ENGINE, card, puppet->now)
      : gcp_engine_new_founder (&config, GCP_PUPPET_ENGINE, card, puppet->now);
  make_link (puppet);
  return puppet;
}

GcpPuppet *
gcp_puppet_new (void)
{
  GcpPuppet *puppet = puppet_new (FALSE);
  g_autoptr (GBytes) card = g_bytes_new_static ("card", 4);

  gcp_engine_admit (puppet->engine, GCP_PUPPET_MEMBER, card, puppet->now);
  gcp_puppet_run (puppet, G_USEC_PER_SEC / 2);
  g_assert_cmpuint (gcp_view_get_n_members (gcp_engine_get_view
          (puppet->engine)), ==, 2);
  return puppet;
}

GcpPuppet *
gcp_puppet_new_with_joiner (void)
{
  GcpPuppet *puppet = puppet_new (TRUE);

  puppet->view = (GcpViewId) { 1, GCP_PUPPET_MEMBER };
  return puppet;
}

void
gcp_puppet_come_back (GcpPuppet *puppet)
{
  const GcpProbe probe = {
    .answer = TRUE,.view = {puppet->view.number + 5, GCP_PUPPET_MEMBER},
    .primary = TRUE,.n = 50,.coordinator = GCP_PUPPET_MEMBER
  };
  g_autoptr (GBytes) bytes = gcp_probe_write (&probe);

  puppet->mute = TRUE;
  gcp_puppet_run (puppet, 2 * G_USEC_PER_SEC);
  puppet->mute = FALSE;
  make_link (puppet);
  gcp_puppet_throw (puppet, GCP_PUPPET_MEMBER, g_bytes_get_data (bytes, NULL),
      g_bytes_get_size (bytes));
}

void
gcp_puppet_free (GcpPuppet *puppet)
{
  gcp_engine_free (puppet->engine);
  gcp_link_free (puppet->link);
  g_ptr_array_unref (puppet->heard);
  g_free (puppet);
}

void
gcp_puppet_run (GcpPuppet *puppet, gint64 microseconds)
{
  gint64 end = puppet->now + microseconds;

  carry (puppet);
  while (puppet->now < end) {
    puppet->now = MIN (puppet->now + STEP, end);
    gcp_engine_tick (puppet->engine, puppet->now);
    carry (puppet);
  }
}

void
gcp_puppet_say_bytes (GcpPuppet *puppet, gconstpointer data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  gcp_link_send (puppet->link, bytes);
  carry_to_engine (puppet);
  carry_from_engine (puppet);
}

void
gcp_puppet_say (GcpPuppet *puppet, const GcpMessage *message)
{
  g_autoptr (GBytes) bytes = gcp_message_write (message);
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  gcp_puppet_say_bytes (puppet, data, size);
}

void
gcp_puppet_throw (GcpPuppet *puppet, GcpMemberId from, gconstpointer data,
    gsize size)
{
  gcp_engine_receive (puppet->engine, from, data, size, puppet->now);
  carry_from_engine (puppet);
}

GcpLineage *
gcp_puppet_make_lineage (void)
{
  GcpLineage *lineage = gcp_lineage_new ();
  g_autoptr (GArray) ids = gcp_ids_new ();

  gcp_ids_add (ids, GCP_PUPPET_ENGINE);
  gcp_ids_add (ids, GCP_PUPPET_MEMBER);
  gcp_lineage_form (lineage, (GcpViewId) { 1, GCP_PUPPET_MEMBER }, ids);
  gcp_lineage_attempt (lineage, (GcpViewId) { 2, GCP_PUPPET_MEMBER }, ids,
      ids);
  return lineage;
}

GPtrArray *
gcp_puppet_make_messages (GcpPuppet *puppet)
{
  GPtrArray *messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autoptr (GBytes) payload = g_bytes_new_static ("payload", 7);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  g_autoptr (GcpProposal) proposal = gcp_proposal_new ();
  g_autoptr (GcpLineage) lineage = gcp_puppet_make_lineage ();
  GcpMemberId some[] = { GCP_PUPPET_ENGINE, GCP_PUPPET_MEMBER };
  GcpMessageDeparture departure = { GCP_PUPPET_ENGINE, GCP_LEFT };

  g_array_append_vals (ids, some, 2);
  proposal->id = (GcpViewId) { puppet->view.number + 1, GCP_PUPPET_MEMBER };
  proposal->primary = TRUE;
  gcp_proposal_add_member (proposal, GCP_PUPPET_ENGINE, NULL);
  gcp_proposal_add_member (proposal, GCP_PUPPET_MEMBER, NULL);
  g_array_append_val (proposal->departures, departure);
  g_array_append_vals (proposal->acking, some, 2);
  proposal->lineage = gcp_lineage_copy (lineage);
  for (guint type = GCP_MESSAGE_SUBMIT; type < GCP_N_MESSAGES; type++) {
    GcpMessage m = {
      .type = type,.view = puppet->view,
      .attempt = {puppet->view.number + 1, GCP_PUPPET_MEMBER},
      .sequence = 1,.quality = GCP_SAFE,.payload = payload,
      .member = GCP_PUPPET_STRANGER,.ids = ids,.proposal = proposal,
      .lineage = lineage
    };

    g_ptr_array_add (messages, gcp_message_write (&m));
  }
  return messages;
}

gboolean
gcp_puppet_find (GcpPuppet *puppet, GcpMessageType type, GcpMessage *message)
{
  for (guint i = puppet->heard->len; i-- > 0;) {
    g_assert_true (gcp_message_read (message, puppet->heard->pdata[i]));
    if (message->type == type)
      return TRUE;
    gcp_message_clear (message);
  }
  return FALSE;
}
