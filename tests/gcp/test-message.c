/* Messages between members: every one is read back as written, and nothing else is
 * a message. */
#include <string.h>

#include "gcp-puppet.h"

static void
test_every_type_is_read_back_as_written (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GPtrArray) messages = gcp_puppet_make_messages (puppet);

  g_assert_cmpuint (messages->len, ==, GCP_N_MESSAGES - 1);
  for (guint i = 0; i < messages->len; i++) {
    g_auto (GcpMessage) m = { 0 };
    g_autoptr (GBytes) again = NULL;

    g_assert_true (gcp_message_read (&m, messages->pdata[i]));
    g_assert_cmpint (m.type, ==, i + 1);
    again = gcp_message_write (&m);
    g_assert_true (g_bytes_equal (again, messages->pdata[i]));
  }
}

static gboolean
has_rest (guint type)
{
  switch (type) {
    case GCP_MESSAGE_SUBMIT:
    case GCP_MESSAGE_ORDER:
    case GCP_MESSAGE_CANDIDATE:
    case GCP_MESSAGE_UNORDERED:
    case GCP_MESSAGE_MISSING:
    case GCP_MESSAGE_APPENDED:
    case GCP_MESSAGE_CARD:
      return TRUE;
    default:
      return FALSE;
  }
}

static void
test_truncated_and_longer_ones_are_refused (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GPtrArray) messages = gcp_puppet_make_messages (puppet);

  for (guint i = 0; i < messages->len; i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (messages->pdata[i], &size);

    /* What ends with a payload may end anywhere in it. */
    for (gsize n = 0; n < size - (has_rest (i + 1) ? 7 : 0); n++) {
      g_autoptr (GBytes) part = g_bytes_new (data, n);
      GcpMessage m;

      g_assert_false (gcp_message_read (&m, part));
    }
    if (!has_rest (i + 1)) {
      g_autofree guint8 *longer = g_malloc0 (size + 1);
      g_autoptr (GBytes) bytes = NULL;
      GcpMessage m;

      memcpy (longer, data, size);
      bytes = g_bytes_new (longer, size + 1);
      g_assert_false (gcp_message_read (&m, bytes));
    }
  }
}

static void
test_too_long_payloads_and_cards_are_refused (void)
{
  g_autofree guint8 *zeros = g_malloc0 (GCP_MAX_PAYLOAD_SIZE + 1);
  g_autoptr (GBytes) payload = g_bytes_new (zeros, GCP_MAX_PAYLOAD_SIZE + 1);
  g_autoptr (GBytes) card = g_bytes_new (zeros, GCP_MAX_CARD_SIZE + 1);
  GcpMessage submit = {.type = GCP_MESSAGE_SUBMIT,.payload = payload };
  GcpMessage candidate = {.type = GCP_MESSAGE_CANDIDATE,.payload = card };
  g_autoptr (GBytes) a = gcp_message_write (&submit);
  g_autoptr (GBytes) b = gcp_message_write (&candidate);
  GcpMessage m;

  g_assert_false (gcp_message_read (&m, a));
  g_assert_false (gcp_message_read (&m, b));
}

static void
test_views_are_ordered_by_number_and_proposer (void)
{
  GcpViewId a = { 1, 9 }, b = { 2, 1 }, c = { 2, 2 };

  g_assert_cmpint (gcp_view_id_compare (a, b), <, 0);
  g_assert_cmpint (gcp_view_id_compare (c, b), >, 0);
  g_assert_cmpint (gcp_view_id_compare (b, b), ==, 0);
  g_assert_true (gcp_view_id_is_none ((GcpViewId) { 0, 0 }));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gcp/message/" #name, test_ ## name)
  ADD (every_type_is_read_back_as_written);
  ADD (truncated_and_longer_ones_are_refused);
  ADD (too_long_payloads_and_cards_are_refused);
  ADD (views_are_ordered_by_number_and_proposer);
#undef ADD
  return g_test_run ();
}
