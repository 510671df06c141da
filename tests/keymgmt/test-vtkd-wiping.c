/* Whatever a member has under way when it stops: nothing is left of a secret that was
 * made. Each is noted here when it is made, by where it is and, altered, what it is. */
#include "vtkd-group.h"

BravisSecret *__real_bravis_secret_new (gconstpointer bytes, gsize size);
BravisSecret *__wrap_bravis_secret_new (gconstpointer bytes, gsize size);
BravisSecret *__real_bravis_secret_new_take (gpointer bytes, gsize size);
BravisSecret *__wrap_bravis_secret_new_take (gpointer bytes, gsize size);
GBytes *__real_bravis_identity_sign (BravisIdentity *identity, const char *label,
    gconstpointer data, gsize size, GError **error);
GBytes *__wrap_bravis_identity_sign (BravisIdentity *identity, const char *label,
    gconstpointer data, gsize size, GError **error);

typedef struct {
  const guint8 *place;
  guint8 inverse[BRAVIS_KEY_SIZE];      /* each octet of it ^ 0xff */
} Note;

static GArray *notes;           /* of Note; NULL: none are taken */

static BravisSecret *
note (BravisSecret *secret)
{
  Note new_note = { bravis_secret_peek (secret) };

  if (!notes || bravis_secret_get_size (secret) != BRAVIS_KEY_SIZE)
    return secret;
  for (guint i = 0; i < BRAVIS_KEY_SIZE; i++)
    new_note.inverse[i] = new_note.place[i] ^ 0xff;
  g_array_append_val (notes, new_note);
  return secret;
}

BravisSecret *
__wrap_bravis_secret_new (gconstpointer bytes, gsize size)
{
  return note (__real_bravis_secret_new (bytes, size));
}

BravisSecret *
__wrap_bravis_secret_new_take (gpointer bytes, gsize size)
{
  return note (__real_bravis_secret_new_take (bytes, size));
}

static gboolean cannot_sign;     /* as where a token was pulled out */

GBytes *
__wrap_bravis_identity_sign (BravisIdentity *identity, const char *label,
    gconstpointer data, gsize size, GError **error)
{
  if (!cannot_sign)
    return __real_bravis_identity_sign (identity, label, data, size, error);
  g_set_error_literal (error, BRAVIS_ERROR, BRAVIS_ERROR_KEY, "cannot sign");
  return NULL;
}

/* Places of secrets stay mapped, and may be those of others by now; the first octets
 * of those that are free say where the next one is. */
static guint
count_left (void)
{
  guint n = 0;

  for (guint i = 0; i < notes->len; i++) {
    const Note *one = &g_array_index (notes, Note, i);
    guint k = sizeof (gpointer);

    while (k < BRAVIS_KEY_SIZE && (one->place[k] ^ one->inverse[k]) == 0xff)
      k++;
    n += k == BRAVIS_KEY_SIZE;
  }
  return n;
}

static gboolean
is_under_way (Group *group, Member *member)
{
  for (GList *link = group->queue.head; link; link = link->next) {
    Message *message = link->data;

    if (is_keys (message->bytes) && message->from == member->card->id)
      return TRUE;
  }
  return FALSE;
}

/* A group of three with a newcomer stops after @n_steps of what they say. Returns
 * whether a key change, with its maker's next share, was under way. */
static gboolean
stop_after (guint n_refreshes, guint n_steps)
{
  g_autoptr (Group) group = NULL;
  gboolean under_way = FALSE;

  notes = g_array_new (FALSE, FALSE, sizeof (Note));
  group = group_of (3);
  for (guint i = 0; i < n_refreshes; i++)
    group_refresh (group);
  group_join (group, 3);
  group_view (group, BRAVIS_CAUSE_JOIN, FALSE);
  for (guint i = 0; i < n_steps; i++)
    group_step (group);
  for (guint i = 0; i < group->present->len; i++)
    under_way |= is_under_way (group, at (group, i));
  g_assert_cmpuint (count_left (), >, 0);
  g_clear_pointer (&group, group_free);
  g_assert_cmpuint (count_left (), ==, 0);
  g_clear_pointer (&notes, g_array_unref);
  return under_way;
}

static void
test_nothing_is_left_wherever_a_member_stops (void)
{
  guint n_under_way = 0;

  for (guint n_refreshes = 0; n_refreshes < 4; n_refreshes++)
    for (guint n_steps = 0; n_steps < 6; n_steps++)
      n_under_way += stop_after (n_refreshes, n_steps);
  g_assert_cmpuint (n_under_way, ==, 4);
}

static void
test_nothing_is_left_of_a_share_that_could_not_be_signed (void)
{
  g_autoptr (Group) group = NULL;
  Member *holder;

  notes = g_array_new (FALSE, FALSE, sizeof (Note));
  group = group_of (2);
  holder = find_holder (group);
  cannot_sign = TRUE;
  group_refresh (group);
  cannot_sign = FALSE;
  assert_blames (holder, holder);
  g_clear_pointer (&group, group_free);
  g_assert_cmpuint (count_left (), ==, 0);
  g_clear_pointer (&notes, g_array_unref);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  vtkd_group_begin ();
#define ADD(name) g_test_add_func ("/keymgmt/vtkd-wiping/" #name, test_ ## name)
  ADD (nothing_is_left_wherever_a_member_stops);
  ADD (nothing_is_left_of_a_share_that_could_not_be_signed);
#undef ADD
  result = g_test_run ();
  vtkd_group_end ();
  return result;
}
