/* Members whose certificates are taken back, or run out, while they are in. All others
 * put them out at the same place in the order, and the key changes without them. */
#include "bravis-conference-private.h"

#include "bravis-revocation.h"
#include "bravis-session.h"

#include <string.h>

#define MAX_SHOWN 32                    /* lists of one member in one view */

void
bravis_conference_init_validity (BravisConference *conference)
{
  conference->expired = g_array_new (FALSE, FALSE, sizeof (BravisExpiry));
  conference->said_expired = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  conference->n_revocations = g_array_new (FALSE, TRUE, sizeof (guint));
}

void
bravis_conference_clear_validity (BravisConference *conference)
{
  g_array_unref (conference->expired);
  g_array_unref (conference->said_expired);
  g_array_unref (conference->n_revocations);
}

/* Takes @why over. */
static void
put_out (BravisConference *conference, GcpMemberId id, GError *why)
{
  bravis_conference_push_refused (conference,
      bravis_conference_name_of (conference, id), NULL, why);
  gcp_engine_put_out (conference->engine, id, conference->now);
}

/* --- taken back --- */

static void
show (BravisConference *conference, GBytes *der)
{
  BravisGroupMessage message = { .type = BRAVIS_GROUP_REVOCATIONS,
    .payload = der };

  if (g_bytes_get_size (der) <= BRAVIS_MAX_REVOCATIONS)
    bravis_conference_multicast_message (conference, &message);
}

void
bravis_conference_show_revocations (BravisConference *conference,
    GPtrArray *lists, gint64 now, gint64 wall_clock)
{
  for (guint i = 0; i < lists->len && conference->view
      && conference->state == BRAVIS_CONFERENCE_MEMBER; i++)
    show (conference, lists->pdata[i]);
  bravis_conference_tick (conference, now, wall_clock);
}

static GPtrArray *
list_chains (BravisConference *conference)
{
  GPtrArray *chains = g_ptr_array_new ();

  for (guint i = 0; i < gcp_view_get_n_members (conference->view); i++)
    g_ptr_array_add (chains, bravis_conference_card_of (conference,
            gcp_view_get_member (conference->view, i)->id)->chain);
  return chains;
}

/* What a list says of a chain depends on nothing but the two, so all come to the same,
 * also those who know the list already. */
void
bravis_conference_deliver_revocations (BravisConference *conference,
    GcpMemberId from, GBytes *der)
{
  gint index = gcp_view_find (conference->view, from);
  g_autoptr (GPtrArray) chains = NULL;
  g_autoptr (GPtrArray) reasons = NULL;
  gsize size;
  gconstpointer data = g_bytes_get_data (der, &size);

  if ((guint) index >= conference->n_revocations->len
      || g_array_index (conference->n_revocations, guint, index)++ >= MAX_SHOWN)
    return;
  chains = list_chains (conference);
  reasons = bravis_identity_apply_revocations (conference->identity, data, size,
      chains);
  for (guint i = 0; reasons && i < reasons->len; i++)
    if (reasons->pdata[i])
      put_out (conference, gcp_view_get_member (conference->view, i)->id,
          g_error_copy (reasons->pdata[i]));
}

/* --- run out --- */

static gboolean
said (BravisConference *conference, GcpMemberId id)
{
  for (guint i = 0; i < conference->said_expired->len; i++)
    if (g_array_index (conference->said_expired, GcpMemberId, i) == id)
      return TRUE;
  return FALSE;
}

/* The end of another member's certificate; G_MAXINT64: said already, or oneself. */
static gint64
get_end (const BravisConference *conference, guint index)
{
  BravisConference *peer = (BravisConference *) conference;
  GcpMemberId id = gcp_view_get_member (conference->view, index)->id;
  BravisCard *card = bravis_conference_card_of (peer, id);

  return card && card->certificate && !said (peer, id)
      ? bravis_certificate_get_end (card->certificate) : G_MAXINT64;
}

static void
say_expired (BravisConference *conference, GcpMemberId id)
{
  guint64 wire = GUINT64_TO_BE (id);
  g_autoptr (GBytes) body = g_bytes_new (&wire, sizeof wire);
  GError *error = NULL;

  g_array_append_val (conference->said_expired, id);
  if (!bravis_conference_give_command (conference, BRAVIS_COMMAND_EXPIRED, body,
          &error))
    bravis_conference_push_refused (conference,
        bravis_conference_own_name (conference), NULL, error);
}

void
bravis_conference_check_validity (BravisConference *conference)
{
  if (!conference->view || conference->state != BRAVIS_CONFERENCE_MEMBER)
    return;
  for (guint i = 0; i < gcp_view_get_n_members (conference->view); i++)
    if (conference->wall_clock > get_end (conference, i))
      say_expired (conference,
          gcp_view_get_member (conference->view, i)->id);
}

gint64
bravis_conference_validity_deadline (const BravisConference *conference)
{
  gint64 end = G_MAXINT64;

  if (!conference->view)
    return G_MAXINT64;
  for (guint i = 0; i < gcp_view_get_n_members (conference->view); i++)
    end = MIN (end, get_end (conference, i));
  if (end >= conference->wall_clock + G_MAXINT32)
    return G_MAXINT64;
  return conference->now
      + (MAX (end - conference->wall_clock, 0) + 1) * G_TIME_SPAN_SECOND;
}

/* How many of the view have said so of @id, each counted once. */
static guint
count_expired (BravisConference *conference, GcpMemberId id)
{
  guint n = 0;

  for (guint i = 0; i < conference->expired->len; i++)
    n += g_array_index (conference->expired, BravisExpiry, i).member == id;
  return n;
}

static gboolean
has_said (BravisConference *conference, const BravisExpiry *expiry)
{
  for (guint i = 0; i < conference->expired->len; i++) {
    BravisExpiry *other = &g_array_index (conference->expired, BravisExpiry, i);

    if (other->member == expiry->member && other->by == expiry->by)
      return TRUE;
  }
  return FALSE;
}

/* Clocks differ, and one may be wrong: so it takes more than half of the others. */
void
bravis_conference_deliver_expired (BravisConference *conference,
    GcpMemberId from, GBytes *body)
{
  BravisExpiry expiry = { .by = from };
  guint n_others = gcp_view_get_n_members (conference->view) - 1;
  gsize size;
  gconstpointer data = g_bytes_get_data (body, &size);

  if (size != sizeof (guint64))
    return;
  memcpy (&expiry.member, data, size);
  expiry.member = GUINT64_FROM_BE (expiry.member);
  if (!gcp_view_contains (conference->view, expiry.member)
      || expiry.member == from || has_said (conference, &expiry))
    return;
  g_array_append_val (conference->expired, expiry);
  if (count_expired (conference, expiry.member) == n_others / 2 + 1)
    put_out (conference, expiry.member, g_error_new (BRAVIS_ERROR,
            BRAVIS_ERROR_EXPIRED, "the certificate of %s has expired, by the clocks "
            "of %u of %u members", bravis_conference_name_of (conference,
                expiry.member), n_others / 2 + 1, n_others));
}

/* --- a view --- */

/* Newcomers show what they know, and who is first of those who were here shows them
 * what these know. */
void
bravis_conference_renew_validity (BravisConference *conference, GcpView *last,
    gboolean newcomers)
{
  guint n = gcp_view_get_n_members (conference->view);
  g_autoptr (GPtrArray) lists = NULL;

  g_array_set_size (conference->expired, 0);
  g_array_set_size (conference->said_expired, 0);
  g_array_set_size (conference->n_revocations, 0);
  g_array_set_size (conference->n_revocations, n);
  if (n > 1 && newcomers
      && (!last || bravis_conference_is_first_of (conference, last))) {
    lists = bravis_identity_list_revocations (conference->identity);
    for (guint i = 0; i < lists->len; i++)
      show (conference, lists->pdata[i]);
  }
  bravis_conference_check_validity (conference);
}
