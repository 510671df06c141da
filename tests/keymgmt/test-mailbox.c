#include "../../keymgmt/bravis-error.h"
#include "../../keymgmt/bravis-mailbox.h"

#include <gio/gio.h>

#define MAX_MESSAGE 1000

static BravisMailbox *
open_mailbox (void)
{
  BravisMailbox *mailbox = bravis_mailbox_new (MAX_MESSAGE);

  bravis_mailbox_settle (mailbox, 0, TRUE);
  return mailbox;
}

static gboolean
put (BravisMailbox *mailbox, gsize size, gboolean *first, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);

  return bravis_mailbox_put (mailbox, bytes, GCP_SAFE, first, error);
}

static GArray *
take (BravisMailbox *mailbox)
{
  GArray *mails = g_array_new (FALSE, FALSE, sizeof (BravisMail));

  g_array_set_clear_func (mails, bravis_mail_clear);
  bravis_mailbox_take (mailbox, mails);
  return mails;
}

static void
test_what_is_put_is_taken_once_in_order (void)
{
  g_autoptr (BravisMailbox) mailbox = open_mailbox ();
  g_autoptr (GArray) mails = NULL;
  g_autoptr (GArray) none = NULL;
  gboolean first;

  g_assert_true (put (mailbox, 1, &first, NULL));
  g_assert_true (first);
  g_assert_true (put (mailbox, 2, &first, NULL));
  g_assert_false (first);
  mails = take (mailbox);
  g_assert_cmpuint (mails->len, ==, 2);
  for (guint i = 0; i < 2; i++) {
    BravisMail *mail = &g_array_index (mails, BravisMail, i);

    g_assert_cmpuint (g_bytes_get_size (mail->bytes), ==, i + 1);
    g_assert_cmpint (mail->quality, ==, GCP_SAFE);
  }
  none = take (mailbox);
  g_assert_cmpuint (none->len, ==, 0);
  g_assert_true (put (mailbox, 1, &first, NULL));
  g_assert_true (first);
}

static void
test_closed_and_too_long_are_errors (void)
{
  g_autoptr (BravisMailbox) mailbox = bravis_mailbox_new (MAX_MESSAGE);
  g_autoptr (GError) error = NULL;
  gboolean first;

  g_assert_false (put (mailbox, 1, &first, &error));
  g_assert_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE);
  g_clear_error (&error);
  bravis_mailbox_settle (mailbox, 0, TRUE);
  g_assert_true (put (mailbox, MAX_MESSAGE, &first, NULL));
  g_assert_false (put (mailbox, MAX_MESSAGE + 1, &first, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
}

/* Empty messages, too, cannot be put in without end; and what was taken counts
 * until it is gone from behind. */
static void
test_bounded_until_what_is_behind_is_gone (void)
{
  g_autoptr (BravisMailbox) mailbox = open_mailbox ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) mails = NULL;
  gboolean first;
  guint n = 0;

  while (put (mailbox, 0, &first, &error))
    g_assert_cmpuint (++n, <=, BRAVIS_MAILBOX_ROOM / BRAVIS_MESSAGE_COST);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (&error);
  mails = take (mailbox);
  g_assert_cmpuint (mails->len, ==, n);
  g_assert_false (put (mailbox, 0, &first, NULL));
  g_assert_cmpuint (bravis_mailbox_get_queued (mailbox), ==,
      BRAVIS_MAILBOX_ROOM);

  g_assert_false (bravis_mailbox_settle (mailbox, BRAVIS_MAILBOX_ROOM / 2 + 1,
          TRUE));
  g_assert_true (bravis_mailbox_settle (mailbox, BRAVIS_MAILBOX_ROOM / 2,
          TRUE));
  /* Said once, to who had to wait. */
  g_assert_false (bravis_mailbox_settle (mailbox, 0, TRUE));
  g_assert_true (put (mailbox, 0, &first, &error));
}

static void
test_end_is_said_to_who_waits_for_room (void)
{
  g_autoptr (BravisMailbox) mailbox = open_mailbox ();
  gboolean first;

  while (put (mailbox, MAX_MESSAGE, &first, NULL))
    continue;
  g_assert_true (bravis_mailbox_settle (mailbox, BRAVIS_MAILBOX_ROOM, FALSE));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keymgmt/mailbox/what_is_put_is_taken_once_in_order",
      test_what_is_put_is_taken_once_in_order);
  g_test_add_func ("/keymgmt/mailbox/closed_and_too_long_are_errors",
      test_closed_and_too_long_are_errors);
  g_test_add_func ("/keymgmt/mailbox/bounded_until_what_is_behind_is_gone",
      test_bounded_until_what_is_behind_is_gone);
  g_test_add_func ("/keymgmt/mailbox/end_is_said_to_who_waits_for_room",
      test_end_is_said_to_who_waits_for_room);
  return g_test_run ();
}
