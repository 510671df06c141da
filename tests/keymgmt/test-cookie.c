#include "../../keymgmt/bravis-cookie.h"

#include <string.h>

#define ASKED "what was asked"
#define ASKED_SIZE (sizeof ASKED - 1)

static BravisCookieJar *
make_jar (void)
{
  BravisRandom random;

  bravis_random_init_system (&random);
  return bravis_cookie_jar_new (&random);
}

static GcpAddress
make_address (guint8 last, guint16 port)
{
  return (GcpAddress) { .family = 4, .ip = { 192, 0, 2, last }, .port = port };
}

static gboolean
check (BravisCookieJar *jar, GcpAddress address, const char *asked, gint64 now,
    const guint8 *cookie)
{
  return bravis_cookie_check (jar, &address, asked, strlen (asked), now,
      cookie);
}

static void
test_is_good_for_what_it_was_made_for (void)
{
  g_autoptr (BravisCookieJar) jar = make_jar ();
  GcpAddress address = make_address (1, 5000);
  guint8 cookie[BRAVIS_COOKIE_SIZE];

  bravis_cookie_make (jar, &address, ASKED, ASKED_SIZE, 1000, cookie);
  g_assert_true (check (jar, address, ASKED, 1000, cookie));
  g_assert_true (check (jar, address, ASKED, 500000, cookie));
}

static void
test_another_address_or_question_is_refused (void)
{
  g_autoptr (BravisCookieJar) jar = make_jar ();
  GcpAddress address = make_address (1, 5000);
  guint8 cookie[BRAVIS_COOKIE_SIZE];

  bravis_cookie_make (jar, &address, ASKED, ASKED_SIZE, 1000, cookie);
  g_assert_false (check (jar, make_address (2, 5000), ASKED, 1000, cookie));
  g_assert_false (check (jar, make_address (1, 5001), ASKED, 1000, cookie));
  g_assert_false (check (jar, address, "something else", 1000, cookie));
}

static void
test_another_jar_refuses (void)
{
  g_autoptr (BravisCookieJar) jar = make_jar ();
  g_autoptr (BravisCookieJar) other = make_jar ();
  GcpAddress address = make_address (1, 5000);
  guint8 cookie[BRAVIS_COOKIE_SIZE];

  bravis_cookie_make (jar, &address, ASKED, ASKED_SIZE, 1000, cookie);
  g_assert_false (check (other, address, ASKED, 1000, cookie));
}

static void
test_every_flipped_bit_is_refused (void)
{
  g_autoptr (BravisCookieJar) jar = make_jar ();
  GcpAddress address = make_address (1, 5000);
  guint8 cookie[BRAVIS_COOKIE_SIZE], zeros[BRAVIS_COOKIE_SIZE] = { 0 };
  gint64 now = 5 * G_USEC_PER_SEC;

  bravis_cookie_make (jar, &address, ASKED, ASKED_SIZE, now, cookie);
  for (guint bit = 0; bit < 8 * BRAVIS_COOKIE_SIZE; bit++) {
    cookie[bit / 8] ^= 1 << bit % 8;
    g_assert_false (check (jar, address, ASKED, now, cookie));
    cookie[bit / 8] ^= 1 << bit % 8;
  }
  g_assert_true (check (jar, address, ASKED, now, cookie));
  g_assert_false (check (jar, address, ASKED, now, zeros));
}

/* At whatever time it is made, it lives exactly as long as it should: also
 * where the secret is drawn anew meanwhile. */
static void
test_lives_ten_seconds_over_a_change_of_secret (void)
{
  g_autoptr (BravisCookieJar) jar = make_jar ();
  GcpAddress address = make_address (1, 5000);

  for (gint64 made = 0; made < 3 * BRAVIS_COOKIE_ROTATION;
      made += G_USEC_PER_SEC) {
    guint8 cookie[BRAVIS_COOKIE_SIZE];
    g_autoptr (BravisCookieJar) fresh = make_jar ();

    bravis_cookie_make (fresh, &address, ASKED, ASKED_SIZE, made, cookie);
    g_assert_true (check (fresh, address, ASKED,
            made + BRAVIS_COOKIE_LIFETIME, cookie));
    g_assert_false (check (fresh, address, ASKED,
            made + BRAVIS_COOKIE_LIFETIME + 1, cookie));
    bravis_cookie_make (jar, &address, ASKED, ASKED_SIZE, made, cookie);
    g_assert_true (check (jar, address, ASKED, made, cookie));
  }
}

static void
test_secrets_are_forgotten (void)
{
  g_autoptr (BravisCookieJar) jar = make_jar ();
  GcpAddress address = make_address (1, 5000);
  guint8 first[BRAVIS_COOKIE_SIZE], second[BRAVIS_COOKIE_SIZE];

  bravis_cookie_make (jar, &address, ASKED, ASKED_SIZE, 1000, first);
  g_assert_false (check (jar, address, ASKED, 10 * BRAVIS_COOKIE_ROTATION,
          first));
  bravis_cookie_make (jar, &address, ASKED, ASKED_SIZE,
      10 * BRAVIS_COOKIE_ROTATION, second);
  g_assert_true (check (jar, address, ASKED, 10 * BRAVIS_COOKIE_ROTATION,
          second));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keymgmt/cookie/is_good_for_what_it_was_made_for",
      test_is_good_for_what_it_was_made_for);
  g_test_add_func ("/keymgmt/cookie/another_address_or_question_is_refused",
      test_another_address_or_question_is_refused);
  g_test_add_func ("/keymgmt/cookie/another_jar_refuses",
      test_another_jar_refuses);
  g_test_add_func ("/keymgmt/cookie/every_flipped_bit_is_refused",
      test_every_flipped_bit_is_refused);
  g_test_add_func ("/keymgmt/cookie/lives_ten_seconds_over_a_change_of_secret",
      test_lives_ten_seconds_over_a_change_of_secret);
  g_test_add_func ("/keymgmt/cookie/secrets_are_forgotten",
      test_secrets_are_forgotten);
  return g_test_run ();
}
