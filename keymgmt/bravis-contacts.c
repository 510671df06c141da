#include "bravis-contacts.h"

#include "bravis-error.h"

struct _BravisContacts {
  GHashTable *contacts;         /* GcpMemberId: BravisContact */
  GHashTable *forgotten;        /* GcpMemberId, as a set */
};

static void
free_contact (gpointer data)
{
  BravisContact *contact = data;

  bravis_link_free (contact->link);
  bravis_card_unref (contact->card);
  g_free (contact);
}

BravisContacts *
bravis_contacts_new (void)
{
  BravisContacts *contacts = g_new (BravisContacts, 1);

  contacts->contacts = g_hash_table_new_full (g_int64_hash, g_int64_equal,
      NULL, free_contact);
  contacts->forgotten = g_hash_table_new_full (g_int64_hash, g_int64_equal,
      g_free, NULL);
  return contacts;
}

void
bravis_contacts_free (BravisContacts *contacts)
{
  g_hash_table_unref (contacts->contacts);
  g_hash_table_unref (contacts->forgotten);
  g_free (contacts);
}

BravisContact *
bravis_contacts_find (BravisContacts *contacts, GcpMemberId id)
{
  return g_hash_table_lookup (contacts->contacts, &id);
}

/* The lost one that would be forgotten first, NULL: none. */
static BravisContact *
find_lost (BravisContacts *contacts)
{
  BravisContact *contact, *first = NULL;
  GHashTableIter iter;

  g_hash_table_iter_init (&iter, contacts->contacts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &contact))
    if (contact->lost && (!first || contact->until < first->until))
      first = contact;
  return first;
}

static void
forget (BravisContacts *contacts, BravisContact *contact)
{
  g_hash_table_add (contacts->forgotten,
      g_memdup2 (&contact->id, sizeof contact->id));
  g_hash_table_remove (contacts->contacts, &contact->id);
}

gboolean
bravis_contacts_check (BravisContacts *contacts, const BravisOwnCard *own,
    const BravisCard *card, GError **error)
{
  BravisContact *known = bravis_contacts_find (contacts, card->id);

  if (card->id == own->card->id
      || (known && !g_bytes_equal (known->card->bytes, card->bytes))) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "another member has this member id");
    return FALSE;
  }
  if (known)
    return TRUE;
  if (g_hash_table_contains (contacts->forgotten, &card->id)) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "the newcomer was here before and must start anew");
    return FALSE;
  }
  if ((g_hash_table_size (contacts->contacts) >= BRAVIS_MAX_CONTACTS
          && !find_lost (contacts))
      || g_hash_table_size (contacts->forgotten) >= BRAVIS_MAX_FORGOTTEN) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_LIMIT,
        "too many peers came and went");
    return FALSE;
  }
  return TRUE;
}

static BravisContact *
add_new (BravisContacts *contacts, const BravisOwnCard *own, BravisCard *card,
    GError **error)
{
  BravisLink *link = bravis_link_new (own, card);
  BravisContact *contact;

  if (!link) {
    g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_PROTOCOL,
        "the peer's link key cannot be used");
    return NULL;
  }
  if (g_hash_table_size (contacts->contacts) >= BRAVIS_MAX_CONTACTS)
    forget (contacts, find_lost (contacts));
  contact = g_new0 (BravisContact, 1);
  contact->id = card->id;
  contact->card = bravis_card_ref (card);
  contact->link = link;
  g_hash_table_insert (contacts->contacts, &contact->id, contact);
  return contact;
}

BravisContact *
bravis_contacts_add (BravisContacts *contacts, const BravisOwnCard *own,
    BravisCard *card, const GcpAddress *hint, gint64 until, GError **error)
{
  BravisContact *contact;

  if (!bravis_contacts_check (contacts, own, card, error))
    return NULL;
  contact = bravis_contacts_find (contacts, card->id);
  if (!contact)
    contact = add_new (contacts, own, card, error);
  if (!contact)
    return NULL;
  if (gcp_address_is_none (&contact->address))
    contact->address = *hint;
  contact->until = MAX (contact->until, until);
  return contact;
}

void
bravis_contacts_lose (BravisContacts *contacts, GcpMemberId id, gint64 until)
{
  BravisContact *contact = bravis_contacts_find (contacts, id);

  if (!contact)
    return;
  contact->lost = TRUE;
  contact->until = MAX (contact->until, until);
}

GArray *
bravis_contacts_list_lost (BravisContacts *contacts, const char *name)
{
  GArray *lost = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  BravisContact *contact;
  GHashTableIter iter;

  g_hash_table_iter_init (&iter, contacts->contacts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &contact))
    if (contact->lost && g_strcmp0 (contact->card->name, name) == 0)
      g_array_append_val (lost, contact->id);
  return lost;
}

/* Where the packet number stands: bravis-link.h. */
static guint64
peek_packet_number (const guint8 *data, gsize size)
{
  GcpReader reader;

  gcp_reader_init (&reader, data, size);
  gcp_read_span (&reader, 1 + 8);
  return gcp_read_u64 (&reader);
}

GBytes *
bravis_contacts_open (BravisContacts *contacts, const GcpAddress *from,
    const guint8 *data, gsize size, BravisContact **contact, gboolean *moved)
{
  GcpMemberId sender = bravis_link_peek_sender (data, size);
  BravisContact *found = bravis_contacts_find (contacts, sender);
  GBytes *opened = found ? bravis_link_open (found->link, data, size) : NULL;
  guint64 number;

  *moved = FALSE;
  if (!opened)
    return NULL;
  *contact = found;
  number = peek_packet_number (data, size);
  if (number <= found->newest)
    return opened;
  found->newest = number;
  if (!gcp_address_equal (&found->address, from)) {
    found->address = *from;
    *moved = TRUE;
  }
  return opened;
}

void
bravis_contacts_keep (BravisContacts *contacts, const GcpView *view,
    gint64 until)
{
  for (guint i = 0; i < gcp_view_get_n_members (view); i++) {
    BravisContact *contact = bravis_contacts_find (contacts,
        gcp_view_get_member (view, i)->id);

    if (!contact)
      continue;
    contact->until = MAX (contact->until, until);
    contact->lost = FALSE;
  }
}

void
bravis_contacts_expire (BravisContacts *contacts, const GcpView *view,
    gint64 now, gint64 linger)
{
  GHashTableIter iter;
  BravisContact *contact;

  if (view)
    bravis_contacts_keep (contacts, view, now + linger);
  g_hash_table_iter_init (&iter, contacts->contacts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &contact)) {
    if ((view && gcp_view_contains (view, contact->id))
        || now < contact->until)
      continue;
    g_hash_table_add (contacts->forgotten,
        g_memdup2 (&contact->id, sizeof contact->id));
    g_hash_table_iter_remove (&iter);
  }
}
