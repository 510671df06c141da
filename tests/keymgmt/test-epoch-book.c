#include "../../keymgmt/bravis-epoch-book.h"
#include "test-epochs.h"

#define PATIENCE 100
#define EXPOSURE 1000
#define GRACE 2000

typedef struct {
  TestEpochs epochs;
  BravisEpochBook *book;
  GArray *addresses;
} World;

static void
set_up (World *world, gconstpointer data)
{
  test_epochs_init (&world->epochs);
  world->book = bravis_epoch_book_new (PATIENCE, EXPOSURE, GRACE);
  world->addresses = g_array_new (FALSE, TRUE, sizeof (GcpAddress));
  g_array_set_size (world->addresses, TEST_EPOCHS_MEMBERS);
  for (guint i = 1; i < TEST_EPOCHS_MEMBERS; i++)
    g_array_index (world->addresses, GcpAddress, i) =
        (GcpAddress) { .family = 4, .ip = { 192, 0, 2, i }, .port = 5000 };
}

static void
tear_down (World *world, gconstpointer data)
{
  bravis_epoch_book_free (world->book);
  g_array_unref (world->addresses);
  test_epochs_clear (&world->epochs);
}

static BravisEpoch *
add (World *world, guint64 number, gint64 now)
{
  BravisEpoch *epoch = test_epochs_make (&world->epochs, number);

  bravis_epoch_book_add (world->book, epoch, world->addresses, now);
  return epoch;
}

static guint
count_routes (World *world, BravisEpoch *epoch)
{
  g_autoptr (BravisRoutes) routes = bravis_epoch_book_ref_routes (world->book,
      epoch);
  guint n = 0;

  if (routes)
    bravis_routes_get_all (routes, &n);
  return n;
}

static gboolean
is_received_under (World *world, guint64 number)
{
  g_autoptr (BravisEpoch) epoch = bravis_epoch_book_ref_by_number (
      world->book, number);

  return epoch != NULL;
}

static void
test_newest_is_present (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) first = NULL;
  g_autoptr (BravisEpoch) second = NULL;
  g_autoptr (BravisEpoch) present = NULL;
  guint serial = bravis_epoch_book_get_serial (world->book);

  g_assert_null (bravis_epoch_book_ref_present (world->book));
  first = add (world, 1, 0);
  g_assert_cmpuint (bravis_epoch_book_get_serial (world->book), !=, serial);
  serial = bravis_epoch_book_get_serial (world->book);
  second = add (world, 2, 10);
  g_assert_cmpuint (bravis_epoch_book_get_serial (world->book), !=, serial);
  present = bravis_epoch_book_ref_present (world->book);
  g_assert_true (present == second);
  g_assert_true (is_received_under (world, 1));
  g_assert_false (is_received_under (world, 3));
}

static void
test_replaced_epoch_ends_in_time (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) first = add (world, 1, 0);
  g_autoptr (BravisEpoch) second = add (world, 2, 100);

  g_assert_cmpint (bravis_epoch_book_deadline (world->book), ==,
      100 + EXPOSURE);
  bravis_epoch_book_tick (world->book, 100 + EXPOSURE - 1);
  g_assert_false (bravis_epoch_is_sending_closed (first));
  g_assert_cmpuint (count_routes (world, first), ==, 3);
  bravis_epoch_book_tick (world->book, 100 + EXPOSURE);
  g_assert_true (bravis_epoch_is_sending_closed (first));
  g_assert_cmpuint (count_routes (world, first), ==, 0);
  g_assert_true (is_received_under (world, 1));
  g_assert_cmpint (bravis_epoch_book_deadline (world->book), ==, 100 + GRACE);
  bravis_epoch_book_tick (world->book, 100 + GRACE);
  g_assert_false (is_received_under (world, 1));
  g_assert_true (bravis_epoch_is_retired (first));
  g_assert_false (bravis_epoch_is_sending_closed (second));
  g_assert_cmpint (bravis_epoch_book_deadline (world->book), ==, G_MAXINT64);
}

static void
test_number_that_comes_again_is_the_new_epochs (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) old = add (world, 7, 0);
  g_autoptr (BravisEpoch) between = add (world, 3, 10);
  g_autoptr (BravisEpoch) again = add (world, 7, 20);
  g_autoptr (BravisEpoch) found = bravis_epoch_book_ref_by_number (world->book, 7);

  g_assert_true (found == again);
  g_assert_true (bravis_epoch_is_retired (old));
  g_assert_cmpuint (bravis_epoch_book_get_n_epochs (world->book), ==, 2);
}

static void
test_without_new_key_senders_stop_after_exposure (World *world,
    gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = add (world, 1, 0);
  g_autoptr (GcpView) view = test_epochs_view (&world->epochs, 2, 0, 3);

  bravis_epoch_book_departed (world->book, view, 500);
  g_assert_cmpint (bravis_epoch_book_deadline (world->book), ==,
      500 + EXPOSURE);
  bravis_epoch_book_tick (world->book, 500 + EXPOSURE - 1);
  g_assert_false (bravis_epoch_is_sending_closed (epoch));
  bravis_epoch_book_tick (world->book, 500 + EXPOSURE);
  g_assert_true (bravis_epoch_is_sending_closed (epoch));
  g_assert_null (bravis_epoch_book_ref_routes (world->book, epoch));
}

static void
test_without_new_key_receivers_stop_after_grace (World *world,
    gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = add (world, 1, 0);
  g_autoptr (GcpView) view = test_epochs_view (&world->epochs, 2, 0, 3);
  g_autoptr (BravisEpoch) next = NULL;
  guint serial;

  bravis_epoch_book_departed (world->book, view, 500);
  bravis_epoch_book_tick (world->book, 500 + EXPOSURE);
  g_assert_cmpint (bravis_epoch_book_deadline (world->book), ==,
      500 + EXPOSURE + GRACE);
  bravis_epoch_book_tick (world->book, 500 + EXPOSURE + GRACE - 1);
  g_assert_true (is_received_under (world, 1));
  serial = bravis_epoch_book_get_serial (world->book);
  bravis_epoch_book_tick (world->book, 500 + EXPOSURE + GRACE);
  g_assert_false (is_received_under (world, 1));
  g_assert_true (bravis_epoch_is_retired (epoch));
  g_assert_null (bravis_epoch_book_ref_present (world->book));
  g_assert_cmpuint (bravis_epoch_book_get_serial (world->book), !=, serial);
  next = add (world, 2, 9000);
  g_assert_cmpuint (count_routes (world, next), ==, 3);
}

/* A key that is late gives who is gone no more time. */
static void
test_late_key_prolongs_nothing (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) first = add (world, 1, 0);
  g_autoptr (GcpView) view = test_epochs_view (&world->epochs, 2, 0, 3);
  g_autoptr (BravisEpoch) second = NULL;

  bravis_epoch_book_departed (world->book, view, 500);
  second = add (world, 2, 500 + EXPOSURE + GRACE - 1);
  g_assert_true (is_received_under (world, 1));
  bravis_epoch_book_tick (world->book, 500 + EXPOSURE + GRACE);
  g_assert_false (is_received_under (world, 1));
  g_assert_true (is_received_under (world, 2));
}

static void
test_exposure_counts_from_the_first_departure (World *world,
    gconstpointer data)
{
  g_autoptr (BravisEpoch) first = add (world, 1, 0);
  g_autoptr (GcpView) view = test_epochs_view (&world->epochs, 2, 0, 3);
  g_autoptr (GcpView) smaller = test_epochs_view (&world->epochs, 3, 0, 2);
  g_autoptr (BravisEpoch) second = NULL;

  bravis_epoch_book_departed (world->book, view, 500);
  bravis_epoch_book_departed (world->book, smaller, 1400);
  second = add (world, 2, 1450);
  bravis_epoch_book_tick (world->book, 500 + EXPOSURE);
  g_assert_true (bravis_epoch_is_sending_closed (first));
  g_assert_false (bravis_epoch_is_sending_closed (second));
}

static void
test_no_exposure_at_all (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = NULL;
  g_autoptr (GcpView) view = test_epochs_view (&world->epochs, 2, 0, 3);

  bravis_epoch_book_free (world->book);
  world->book = bravis_epoch_book_new (PATIENCE, 0, GRACE);
  epoch = add (world, 1, 0);
  g_assert_false (bravis_epoch_is_sending_closed (epoch));
  bravis_epoch_book_departed (world->book, view, 500);
  g_assert_true (bravis_epoch_is_sending_closed (epoch));
}

/* The next ones wait in real time. */

static void
be_patient (World *world, gint64 patience)
{
  bravis_epoch_book_free (world->book);
  world->book = bravis_epoch_book_new (patience, G_TIME_SPAN_HOUR,
      G_TIME_SPAN_HOUR);
}

static void
test_senders_wait_for_the_key_that_is_due (World *world, gconstpointer data)
{
  g_autoptr (GcpView) view = test_epochs_view (&world->epochs, 2, 0, 3);
  g_autoptr (BravisEpoch) first = NULL;
  g_autoptr (BravisEpoch) present = NULL;
  gint64 begin;
  guint serial;

  be_patient (world, 20 * G_TIME_SPAN_MILLISECOND);
  begin = g_get_monotonic_time ();
  first = add (world, 1, begin);
  serial = bravis_epoch_book_get_serial (world->book);
  bravis_epoch_book_departed (world->book, view, begin);
  g_assert_cmpuint (bravis_epoch_book_get_serial (world->book), !=, serial);
  present = bravis_epoch_book_await_present (world->book);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=,
      20 * G_TIME_SPAN_MILLISECOND);
  g_assert_true (present == first);
}

static void
test_patience_counts_from_the_first_departure (World *world,
    gconstpointer data)
{
  g_autoptr (GcpView) view = test_epochs_view (&world->epochs, 2, 0, 3);
  g_autoptr (GcpView) smaller = test_epochs_view (&world->epochs, 3, 0, 2);
  g_autoptr (BravisEpoch) first = NULL;
  g_autoptr (BravisEpoch) present = NULL;
  gint64 now = g_get_monotonic_time ();

  be_patient (world, G_TIME_SPAN_HOUR);
  first = add (world, 1, now - G_TIME_SPAN_HOUR);
  bravis_epoch_book_departed (world->book, view,
      now + 5 * G_TIME_SPAN_MILLISECOND - G_TIME_SPAN_HOUR);
  bravis_epoch_book_departed (world->book, smaller, now);
  present = bravis_epoch_book_await_present (world->book);
  g_assert_true (present == first);
}

static gpointer
await_present (gpointer book)
{
  return bravis_epoch_book_await_present (book);
}

/* The thread waits by the time of what comes next, or, seldom, finds it done. */
static GThread *
start_waiting (World *world)
{
  GThread *thread;
  g_autoptr (GcpView) view = test_epochs_view (&world->epochs, 2, 0, 3);
  g_autoptr (BravisEpoch) first = NULL;
  gint64 now = g_get_monotonic_time ();

  be_patient (world, G_TIME_SPAN_HOUR);
  first = add (world, 1, now);
  bravis_epoch_book_departed (world->book, view, now);
  thread = g_thread_new ("waits", await_present, world->book);
  for (guint i = 0; i < 1000; i++)
    g_thread_yield ();
  return thread;
}

static void
test_key_ends_the_waiting (World *world, gconstpointer data)
{
  GThread *waits = start_waiting (world);
  g_autoptr (BravisEpoch) second = add (world, 2, g_get_monotonic_time ());
  g_autoptr (BravisEpoch) present = g_thread_join (waits);

  g_assert_true (present == second);
}

static void
test_end_ends_the_waiting (World *world, gconstpointer data)
{
  GThread *waits = start_waiting (world);

  bravis_epoch_book_end (world->book, g_get_monotonic_time ());
  g_assert_null (g_thread_join (waits));
}

static void
test_clearing_ends_the_waiting (World *world, gconstpointer data)
{
  GThread *waits = start_waiting (world);

  bravis_epoch_book_clear (world->book);
  g_assert_null (g_thread_join (waits));
}

static void
test_who_is_gone_is_sent_nothing (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = add (world, 1, 0);
  g_autoptr (GcpView) view = test_epochs_view (&world->epochs, 2, 0, 3);
  g_autoptr (BravisRoutes) before = bravis_epoch_book_ref_routes (world->book,
      epoch);
  g_autoptr (BravisRoutes) after = NULL;
  g_autoptr (BravisRoutes) later = NULL;

  g_assert_null (bravis_routes_get (before, 0));
  g_assert_nonnull (bravis_routes_get (before, 3));
  g_assert_null (bravis_routes_get (before, 4));
  bravis_epoch_book_departed (world->book, view, 500);
  after = bravis_epoch_book_ref_routes (world->book, epoch);
  g_assert_nonnull (bravis_routes_get (after, 2));
  g_assert_null (bravis_routes_get (after, 3));
  g_assert_cmpuint (count_routes (world, epoch), ==, 2);
  /* Not even when an address is told anew. */
  bravis_epoch_book_set_addresses (world->book, epoch, world->addresses);
  later = bravis_epoch_book_ref_routes (world->book, epoch);
  g_assert_null (bravis_routes_get (later, 3));
}

static void
test_new_address_is_used (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) epoch = add (world, 1, 0);
  g_autoptr (BravisRoutes) routes = NULL;

  g_array_index (world->addresses, GcpAddress, 2).port = 6000;
  bravis_epoch_book_set_addresses (world->book, epoch, world->addresses);
  routes = bravis_epoch_book_ref_routes (world->book, epoch);
  g_assert_cmpuint (bravis_routes_get (routes, 2)->port, ==, 6000);
  g_assert_cmpuint (bravis_routes_get (routes, 1)->port, ==, 5000);
}

static void
test_after_the_end_nothing_is_sent (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) first = add (world, 1, 0);
  g_autoptr (BravisEpoch) second = add (world, 2, 10);

  bravis_epoch_book_end (world->book, 20);
  g_assert_null (bravis_epoch_book_ref_present (world->book));
  g_assert_true (bravis_epoch_is_sending_closed (first));
  g_assert_true (bravis_epoch_is_sending_closed (second));
  g_assert_true (is_received_under (world, 2));
  bravis_epoch_book_tick (world->book, 20 + GRACE);
  g_assert_cmpuint (bravis_epoch_book_get_n_epochs (world->book), ==, 0);
}

static void
test_cleared_book_retires_all (World *world, gconstpointer data)
{
  g_autoptr (BravisEpoch) first = add (world, 1, 0);
  g_autoptr (BravisEpoch) second = add (world, 2, 10);

  bravis_epoch_book_clear (world->book);
  g_assert_true (bravis_epoch_is_retired (first));
  g_assert_true (bravis_epoch_is_retired (second));
  g_assert_null (bravis_epoch_book_ref_present (world->book));
}

static void
test_book_is_bounded (World *world, gconstpointer data)
{
  for (guint i = 1; i <= 400; i++) {
    g_autoptr (BravisEpoch) epoch = add (world, i, 0);
  }
  g_assert_cmpuint (bravis_epoch_book_get_n_epochs (world->book), ==, 256);
  g_assert_true (is_received_under (world, 400));
  g_assert_false (is_received_under (world, 1));
}

#define ADD(name, function) \
    g_test_add ("/keymgmt/epoch-book/" name, World, NULL, set_up, function, \
        tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("newest_is_present", test_newest_is_present);
  ADD ("replaced_epoch_ends_in_time", test_replaced_epoch_ends_in_time);
  ADD ("number_that_comes_again_is_the_new_epochs",
      test_number_that_comes_again_is_the_new_epochs);
  ADD ("without_new_key_senders_stop_after_exposure",
      test_without_new_key_senders_stop_after_exposure);
  ADD ("without_new_key_receivers_stop_after_grace",
      test_without_new_key_receivers_stop_after_grace);
  ADD ("late_key_prolongs_nothing", test_late_key_prolongs_nothing);
  ADD ("exposure_counts_from_the_first_departure",
      test_exposure_counts_from_the_first_departure);
  ADD ("no_exposure_at_all", test_no_exposure_at_all);
  ADD ("senders_wait_for_the_key_that_is_due",
      test_senders_wait_for_the_key_that_is_due);
  ADD ("patience_counts_from_the_first_departure",
      test_patience_counts_from_the_first_departure);
  ADD ("key_ends_the_waiting", test_key_ends_the_waiting);
  ADD ("end_ends_the_waiting", test_end_ends_the_waiting);
  ADD ("clearing_ends_the_waiting", test_clearing_ends_the_waiting);
  ADD ("who_is_gone_is_sent_nothing", test_who_is_gone_is_sent_nothing);
  ADD ("new_address_is_used", test_new_address_is_used);
  ADD ("after_the_end_nothing_is_sent", test_after_the_end_nothing_is_sent);
  ADD ("cleared_book_retires_all", test_cleared_book_retires_all);
  ADD ("book_is_bounded", test_book_is_bounded);
  return g_test_run ();
}
