#include "bravis-roster.h"

#define VERSION 1

static void
clear_entry (gpointer data)
{
  BravisRosterEntry *entry = data;

  g_bytes_unref (entry->card);
  bravis_share_free (entry->share);
}

void
bravis_roster_init (BravisRoster *roster, const BravisPolicy *policy)
{
  roster->policy = *policy;
  roster->entries = g_array_new (FALSE, TRUE, sizeof (BravisRosterEntry));
  g_array_set_clear_func (roster->entries, clear_entry);
}

void
bravis_roster_add (BravisRoster *roster, const GcpAddress *address,
    GBytes *card, const BravisShare *share)
{
  BravisRosterEntry entry = { *address, g_bytes_ref (card),
    bravis_share_copy (share) };

  g_array_append_val (roster->entries, entry);
}

void
bravis_roster_clear (BravisRoster *roster)
{
  g_clear_pointer (&roster->entries, g_array_unref);
}

GBytes *
bravis_roster_write (const BravisRoster *roster)
{
  g_auto (GcpWriter) writer = { NULL };

  gcp_writer_init (&writer);
  gcp_write_u8 (&writer, VERSION);
  bravis_policy_write (&roster->policy, &writer);
  gcp_write_u8 (&writer, roster->entries->len);
  for (guint i = 0; i < roster->entries->len; i++) {
    BravisRosterEntry *entry = &g_array_index (roster->entries,
        BravisRosterEntry, i);

    bravis_address_write (&entry->address, &writer);
    gcp_write_vector24_bytes (&writer, entry->card);
    bravis_share_write (entry->share, &writer);
  }
  return gcp_writer_finish (&writer);
}

gboolean
bravis_roster_read (BravisRoster *roster, GBytes *bytes)
{
  BravisPolicy policy;
  GcpReader reader;
  guint n_entries;

  gcp_reader_init_bytes (&reader, bytes);
  if (gcp_read_u8 (&reader) != VERSION)
    gcp_reader_fail (&reader);
  bravis_policy_read (&policy, &reader);
  n_entries = gcp_read_u8 (&reader);
  if (n_entries == 0 || n_entries > GCP_MAX_MEMBERS)
    gcp_reader_fail (&reader);

  bravis_roster_init (roster, &policy);
  for (guint i = 0; i < n_entries && !reader.failed; i++) {
    g_autoptr (GBytes) card = NULL;
    g_autoptr (BravisShare) share = NULL;
    GcpAddress address;

    bravis_address_read (&address, &reader);
    card = gcp_read_vector24_bytes (&reader, GCP_MAX_CARD_SIZE);
    share = bravis_share_read (&reader);
    if (card && share)
      bravis_roster_add (roster, &address, card, share);
  }
  if (gcp_reader_finish (&reader))
    return TRUE;
  bravis_roster_clear (roster);
  return FALSE;
}
