/* The checker, on histories made by hand: it finds what is wrong, and nothing where
 * nothing is. */
#include "sim-history.h"

typedef struct {
  SimHistory *history;
  guint64 last_message;
} Story;

static void
story_init (Story *story, guint n)
{
  story->history = sim_history_new ();
  story->last_message = 0;
  for (guint i = 0; i < n; i++)
    sim_history_add_process (story->history, i + 1);
}

static void
story_clear (Story *story)
{
  sim_history_free (story->history);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Story, story_clear)

/* @members: "012" are processes 0, 1 and 2. */
static void
install_at (Story *story, guint process, guint64 number, gboolean primary,
    const char *members)
{
  g_autoptr (GBytes) card = g_bytes_new_static ("", 0);
  GcpMember all[10];
  guint n = 0;
  g_autoptr (GcpView) view = NULL;

  for (const char *c = members; *c; c++)
    all[n++] = (GcpMember) { *c - '0' + 1, card };
  view = gcp_view_new (number, primary, all, n);
  sim_history_view (story->history, process, view);
}

static void
install (Story *story, guint64 number, const char *members)
{
  for (const char *c = members; *c; c++)
    install_at (story, *c - '0', number, TRUE, members);
}

static guint64
send (Story *story, guint process, GcpQuality quality)
{
  sim_history_sent (story->history, process, ++story->last_message, quality,
      TRUE);
  return story->last_message;
}

static void
deliver (Story *story, const char *processes, guint sender, guint64 message,
    GcpQuality quality)
{
  for (const char *c = processes; *c; c++)
    sim_history_delivered (story->history, *c - '0', sender + 1, message,
        quality);
}

static void
assert_found (Story *story, const char *guarantee)
{
  g_autofree char *wrong = sim_history_check (story->history, TRUE);

  if (!guarantee)
    g_assert_cmpstr (wrong, ==, NULL);
  else
    g_assert_true (wrong && g_str_has_prefix (wrong, guarantee));
}

static void
test_good_history_passes (void)
{
  g_auto (Story) story;
  guint64 a, b;
  g_autofree char *wrong = NULL;

  story_init (&story, 3);
  install (&story, 1, "012");
  a = send (&story, 0, GCP_AGREED);
  b = send (&story, 1, GCP_SAFE);
  deliver (&story, "012", 0, a, GCP_AGREED);
  deliver (&story, "012", 1, b, GCP_SAFE);
  sim_history_crashed (story.history, 2);
  install (&story, 3, "01");
  sim_history_departure (story.history, 0, 3, GCP_FAILED);
  assert_found (&story, NULL);
  wrong = sim_history_check_liveness (story.history);
  g_assert_cmpstr (wrong, ==, NULL);
}

static void
test_different_next_views_are_found (void)
{
  g_auto (Story) story;

  story_init (&story, 3);
  install (&story, 1, "012");
  install_at (&story, 0, 2, TRUE, "01");
  install_at (&story, 1, 2, TRUE, "012");
  assert_found (&story, "agreement:");
}

static void
test_view_without_oneself_is_found (void)
{
  g_auto (Story) story;

  story_init (&story, 2);
  install_at (&story, 0, 1, TRUE, "1");
  assert_found (&story, "agreement:");
}

static void
test_different_sets_are_found (void)
{
  g_auto (Story) story;
  guint64 a;

  story_init (&story, 2);
  install (&story, 1, "01");
  a = send (&story, 0, GCP_AGREED);
  deliver (&story, "0", 0, a, GCP_AGREED);
  install (&story, 2, "01");
  assert_found (&story, "same set:");
}

static void
test_different_orders_are_found (void)
{
  g_auto (Story) story;
  guint64 a, b;

  story_init (&story, 2);
  install (&story, 1, "01");
  a = send (&story, 0, GCP_AGREED);
  b = send (&story, 1, GCP_AGREED);
  deliver (&story, "0", 0, a, GCP_AGREED);
  deliver (&story, "01", 1, b, GCP_AGREED);
  deliver (&story, "1", 0, a, GCP_AGREED);
  install (&story, 2, "01");
  assert_found (&story, "same set:");
}

static void
test_opposite_order_of_a_crashed_member_is_found (void)
{
  g_auto (Story) story;
  guint64 a, b;

  story_init (&story, 3);
  install (&story, 1, "012");
  a = send (&story, 0, GCP_SAFE);
  b = send (&story, 1, GCP_SAFE);
  deliver (&story, "2", 0, a, GCP_SAFE);
  deliver (&story, "012", 1, b, GCP_SAFE);
  deliver (&story, "01", 0, a, GCP_SAFE);
  sim_history_crashed (story.history, 2);
  install (&story, 2, "01");
  assert_found (&story, "total order:");
}

static void
test_later_view_of_delivery_is_found (void)
{
  g_auto (Story) story;
  guint64 a;

  story_init (&story, 2);
  install (&story, 1, "01");
  a = send (&story, 0, GCP_AGREED);
  install (&story, 2, "01");
  deliver (&story, "01", 0, a, GCP_AGREED);
  assert_found (&story, "sending view:");
}

static void
test_doubled_invented_and_skipped_messages_are_found (void)
{
  g_auto (Story) doubled, invented, skipped;
  guint64 a;

  story_init (&doubled, 1);
  install (&doubled, 1, "0");
  a = send (&doubled, 0, GCP_AGREED);
  deliver (&doubled, "0", 0, a, GCP_AGREED);
  deliver (&doubled, "0", 0, a, GCP_AGREED);
  assert_found (&doubled, "integrity:");
  story_init (&invented, 1);
  install (&invented, 1, "0");
  deliver (&invented, "0", 0, 77, GCP_AGREED);
  assert_found (&invented, "integrity:");
  story_init (&skipped, 1);
  install (&skipped, 1, "0");
  deliver (&skipped, "0", 0, send (&skipped, 0, GCP_AGREED), GCP_AGREED);
  send (&skipped, 0, GCP_AGREED);
  deliver (&skipped, "0", 0, send (&skipped, 0, GCP_AGREED), GCP_AGREED);
  assert_found (&skipped, "integrity:");
}

static void
test_safe_message_only_a_crashed_member_got_is_found (void)
{
  g_auto (Story) safe, agreed;
  Story *stories[] = { &safe, &agreed };

  for (guint i = 0; i < 2; i++) {
    Story *story = stories[i];
    GcpQuality quality = i == 0 ? GCP_SAFE : GCP_AGREED;

    story_init (story, 3);
    install (story, 1, "012");
    deliver (story, "2", 2, send (story, 2, quality), quality);
    sim_history_crashed (story->history, 2);
    install (story, 2, "01");
    assert_found (story, i == 0 ? "safe:" : NULL);
  }
}

static void
test_healthy_member_thrown_out_is_found (void)
{
  g_auto (Story) story;

  story_init (&story, 2);
  install (&story, 1, "01");
  install (&story, 2, "0");
  sim_history_departure (story.history, 0, 2, GCP_FAILED);
  assert_found (&story, "thrown out:");
}

static void
test_two_primary_lines_are_found (void)
{
  g_auto (Story) story;
  g_autofree char *wrong = NULL;

  story_init (&story, 4);
  install (&story, 1, "0123");
  install (&story, 2, "01");
  install (&story, 3, "23");
  wrong = sim_history_check (story.history, FALSE);
  g_assert_true (wrong && g_str_has_prefix (wrong, "primary:"));
}

static void
test_primary_view_of_a_minority_is_found (void)
{
  g_auto (Story) majority, minority;

  for (guint i = 0; i < 2; i++) {
    Story *story = i == 0 ? &majority : &minority;
    g_autofree char *wrong = NULL;

    story_init (story, 3);
    install (story, 1, "012");
    install (story, 2, i == 0 ? "02" : "0");
    wrong = sim_history_check (story->history, FALSE);
    g_assert_cmpint (i == 1, ==, wrong && g_str_has_prefix (wrong,
            "primary:"));
  }
}

static void
test_newcomers_may_follow_when_all_leave (void)
{
  g_auto (Story) story;

  story_init (&story, 3);
  install (&story, 1, "01");
  sim_history_left (story.history, 0);
  sim_history_left (story.history, 1);
  install (&story, 2, "2");
  assert_found (&story, NULL);
}

static void
test_standstill_is_found (void)
{
  g_auto (Story) story;
  g_autofree char *wrong = NULL;

  story_init (&story, 2);
  install (&story, 1, "01");
  sim_history_crashed (story.history, 1);
  wrong = sim_history_check_liveness (story.history);
  g_assert_true (wrong && g_str_has_prefix (wrong, "liveness:"));
}

/* 0 and 1 know each other, and 1 knows 2; nobody knows 3. */
static void
test_parts_that_do_not_meet_are_found (void)
{
  g_auto (Story) story;
  g_autofree char *wrong = NULL;
  g_autofree char *strangers = NULL;

  story_init (&story, 4);
  install (&story, 1, "01");
  install (&story, 2, "0");
  install (&story, 2, "12");
  install (&story, 3, "2");
  install (&story, 3, "3");
  wrong = sim_history_check_liveness (story.history);
  g_assert_true (wrong && g_str_has_prefix (wrong, "liveness:"));
  install (&story, 4, "012");
  strangers = sim_history_check_liveness (story.history);
  g_assert_cmpstr (strangers, ==, NULL);
}

static void
test_own_message_that_never_comes_is_found (void)
{
  g_auto (Story) story;
  g_autofree char *wrong = NULL;

  story_init (&story, 1);
  install (&story, 1, "0");
  send (&story, 0, GCP_AGREED);
  wrong = sim_history_check_liveness (story.history);
  g_assert_true (wrong && g_str_has_prefix (wrong, "liveness:"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/sim/history/" #name, test_ ## name)
  ADD (good_history_passes);
  ADD (different_next_views_are_found);
  ADD (view_without_oneself_is_found);
  ADD (different_sets_are_found);
  ADD (different_orders_are_found);
  ADD (opposite_order_of_a_crashed_member_is_found);
  ADD (later_view_of_delivery_is_found);
  ADD (doubled_invented_and_skipped_messages_are_found);
  ADD (safe_message_only_a_crashed_member_got_is_found);
  ADD (healthy_member_thrown_out_is_found);
  ADD (two_primary_lines_are_found);
  ADD (primary_view_of_a_minority_is_found);
  ADD (newcomers_may_follow_when_all_leave);
  ADD (standstill_is_found);
  ADD (parts_that_do_not_meet_are_found);
  ADD (own_message_that_never_comes_is_found);
#undef ADD
  return g_test_run ();
}
