/* bravis-contacts.h: the peers this member talks to: cards, links, addresses
 *
 * One contact for each member of the view, each newcomer that may become one, and,
 * while joining, each member of the roster. Who is no member any more is kept for
 * a while, so that its last messages and answers get through, then forgotten for
 * good: a link's packet numbers must never start again, so a member id that was
 * forgotten is not taken again. (It need not be: ids are never used twice.)
 *
 * A contact's address is that of its newest authentic datagram; until there is
 * one, a hint.
 */
#pragma once

#include "bravis-link.h"
#include "../gcp/gcp-address.h"

G_BEGIN_DECLS

#define BRAVIS_MAX_CONTACTS 384         /* members, newcomers, departed */
#define BRAVIS_MAX_FORGOTTEN 65536      /* ids; then nobody new is taken */

typedef struct {
  GcpMemberId id;
  BravisCard *card;
  BravisLink *link;
  GcpAddress address;           /* may be none */
  guint64 newest;               /* packet number that @address is from */
  gint64 until;                 /* forgotten then, if no member */
  gboolean lost;                /* failed, and may come back: kept if there is room */
} BravisContact;

typedef struct _BravisContacts BravisContacts;

BravisContacts *bravis_contacts_new (void);
void bravis_contacts_free (BravisContacts *contacts);

/* NULL where there is none. */
BravisContact *bravis_contacts_find (BravisContacts *contacts, GcpMemberId id);

/* Whether @card could be added. Errors: BRAVIS_ERROR_LIMIT, _STATE (a forgotten
 * id), _PROTOCOL (a known id with another card, or one's own). */
gboolean bravis_contacts_check (BravisContacts *contacts,
    const BravisOwnCard *own, const BravisCard *card, GError **error);

/* The contact of @card, new or known; kept until @until at least. @hint: an
 * address, used where none is known. Errors: those of the check. */
BravisContact *bravis_contacts_add (BravisContacts *contacts,
    const BravisOwnCard *own, BravisCard *card, const GcpAddress *hint,
    gint64 until, GError **error);

/* A member failed: it is kept until @until, to be found again, but goes before
 * somebody new is refused for want of room. */
void bravis_contacts_lose (BravisContacts *contacts, GcpMemberId id,
    gint64 until);

/* The lost ones of that name: ids. */
GArray *bravis_contacts_list_lost (BravisContacts *contacts, const char *name);

/* Opens a sealed datagram. NULL: not from a contact, or not authentic. Sets
 * @moved if the contact is at another address than before. */
GBytes *bravis_contacts_open (BravisContacts *contacts, const GcpAddress *from,
    const guint8 *data, gsize size, BravisContact **contact, gboolean *moved);

/* Members of @view are not lost, and kept until @until at least: none of them goes to
 * make room for somebody new. */
void bravis_contacts_keep (BravisContacts *contacts, const GcpView *view,
    gint64 until);

/* Members of @view (may be NULL) are kept until they are not, and then for
 * @linger µs. Forgets whose time is over. */
void bravis_contacts_expire (BravisContacts *contacts, const GcpView *view,
    gint64 now, gint64 linger);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisContacts, bravis_contacts_free)

G_END_DECLS
