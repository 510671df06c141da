/* Which part of a group that was cut may call itself primary. */
#include "../../gcp/gcp-lineage.h"

enum { A = 1, B, C, D, E, F, G };

/* "ABC" */
static GArray *
ids (const char *letters)
{
  GArray *array = gcp_ids_new ();

  for (; *letters; letters++)
    gcp_ids_add (array, *letters - 'A' + A);
  return array;
}

static GcpLineage *
make_formed (guint64 number, const char *members)
{
  GcpLineage *lineage = gcp_lineage_new ();
  g_autoptr (GArray) array = ids (members);

  gcp_lineage_form (lineage, (GcpViewId) { number, A }, array);
  return lineage;
}

static void
attempt (GcpLineage *lineage, guint64 number, const char *members,
    const char *holders)
{
  g_autoptr (GArray) array = ids (members);
  g_autoptr (GArray) holding = ids (holders);

  gcp_lineage_attempt (lineage, (GcpViewId) { number, A }, array, holding);
}

static gboolean
allows (GcpLineage *lineage, const char *here, const char *newcomers)
{
  g_autoptr (GArray) old = ids (here);
  g_autoptr (GArray) new = ids (newcomers);

  return gcp_lineage_allows (lineage, old, new);
}

static gboolean
allows_again (GcpLineage *lineage, guint64 number, const char *here)
{
  g_autoptr (GArray) old = ids (here);

  return gcp_lineage_allows_again (lineage, (GcpViewId) { number, A }, old);
}

static void
test_majority_or_half_with_the_first_goes_on (void)
{
  g_autoptr (GcpLineage) lineage = make_formed (5, "ABCD");

  g_assert_true (allows (lineage, "BCD", ""));
  g_assert_true (allows (lineage, "AC", ""));
  g_assert_false (allows (lineage, "BD", ""));
  g_assert_false (allows (lineage, "A", ""));
  /* Newcomers were not there. */
  g_assert_false (allows (lineage, "BDEFG", "EFG"));
}

static void
test_who_knows_nothing_decides_nothing (void)
{
  g_autoptr (GcpLineage) lineage = gcp_lineage_new ();

  g_assert_false (allows (lineage, "ABCDEFG", ""));
}

/* {A..G} was proposed in {A, B, C} and is ready at B and D..G when A and C are cut
 * off: B and the newcomers would be 5 of 7, A and C are 2 of 3. */
static void
test_view_that_may_be_there_counts (void)
{
  g_autoptr (GcpLineage) of_a = make_formed (2, "ABC");
  g_autoptr (GcpLineage) of_b = make_formed (2, "ABC");

  attempt (of_a, 3, "ABCDEFG", "ABC");
  attempt (of_b, 3, "ABCDEFG", "ABC");
  g_assert_false (allows (of_a, "AC", ""));
  g_assert_false (allows_again (of_b, 3, "B"));
  g_assert_false (allows (of_b, "B", "DEFG"));
  g_assert_true (allows_again (of_b, 3, "BC"));
  /* With B nobody is left who could bring it about. */
  g_assert_true (allows (of_a, "ABC", ""));
}

static void
test_newcomers_that_take_part_clear_doubts (void)
{
  g_autoptr (GcpLineage) lineage = make_formed (2, "ABC");

  attempt (lineage, 3, "ABCDEFG", "ABC");
  g_assert_false (allows (lineage, "AC", "D"));
  g_assert_true (allows (lineage, "AC", "DE"));
}

static void
test_older_view_is_not_brought_about_after_a_newer_one (void)
{
  g_autoptr (GcpLineage) lineage = make_formed (2, "ABC");

  attempt (lineage, 3, "ABC", "ABC");
  attempt (lineage, 4, "AC", "AC");
  g_assert_false (allows_again (lineage, 3, "ABC"));
  g_assert_true (allows_again (lineage, 4, "AB"));
}

static void
test_formed_view_ends_doubts_about_older_ones (void)
{
  g_autoptr (GcpLineage) lineage = make_formed (2, "ABC");
  g_autoptr (GcpLineage) later = make_formed (5, "AC");

  attempt (lineage, 3, "ABCDEFG", "ABC");
  attempt (lineage, 6, "ACD", "AC");
  gcp_lineage_merge (lineage, later);
  g_assert_false (allows (lineage, "BDEFG", ""));
  g_assert_true (allows (lineage, "AC", ""));
  g_assert_false (allows (lineage, "A", "BEFG"));
  g_assert_true (allows (lineage, "A", "D"));
}

static void
test_doubts_are_settled_when_all_holders_went_on (void)
{
  g_autoptr (GcpLineage) lineage = make_formed (2, "ABC");
  g_autoptr (GArray) ab = ids ("AB"), abc = ids ("ABC");

  attempt (lineage, 3, "ABCDEFG", "ABC");
  gcp_lineage_settle (lineage, ab, (GcpViewId) { 4, A });
  g_assert_false (allows (lineage, "AC", ""));
  gcp_lineage_settle (lineage, abc, (GcpViewId) { 3, A });
  g_assert_false (allows (lineage, "AC", ""));
  gcp_lineage_settle (lineage, abc, (GcpViewId) { 4, A });
  g_assert_true (allows (lineage, "AC", ""));
}

static GcpLineage *
carry (const GcpLineage *lineage)
{
  g_auto (GcpWriter) writer = { NULL };
  g_autoptr (GBytes) bytes = NULL;
  GcpLineage *read;
  GcpReader reader;

  gcp_writer_init (&writer);
  gcp_lineage_write (lineage, &writer);
  bytes = gcp_writer_finish (&writer);
  gcp_reader_init_bytes (&reader, bytes);
  read = gcp_lineage_read (&reader);
  g_assert_true (gcp_reader_finish (&reader));
  return read;
}

static void
test_what_is_told_is_what_is_known (void)
{
  g_autoptr (GcpLineage) lineage = make_formed (2, "ABC");
  g_autoptr (GcpLineage) told = NULL;

  attempt (lineage, 3, "ABCDEFG", "ABC");
  told = carry (lineage);
  g_assert_false (allows (told, "AC", ""));
  g_assert_true (allows (told, "ABC", ""));
  g_assert_true (allows_again (told, 3, "BC"));
}

static void
test_too_many_doubts_allow_nothing (void)
{
  g_autoptr (GcpLineage) lineage = make_formed (2, "ABC");
  g_autoptr (GcpLineage) told = NULL;
  g_autoptr (GcpLineage) later = make_formed (100, "AB");

  for (guint i = 0; i < GCP_MAX_DOUBTFUL; i++)
    attempt (lineage, 3 + i, "ABC", "ABC");
  g_assert_false (allows (lineage, "ABC", ""));
  attempt (lineage, 50, "ABC", "ABC");
  told = carry (lineage);
  g_assert_false (allows (told, "ABC", ""));
  g_assert_false (allows_again (told, 50, "ABC"));
  gcp_lineage_merge (told, later);
  g_assert_true (allows (told, "AB", ""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gcp/lineage/" #name, test_ ## name)
  ADD (majority_or_half_with_the_first_goes_on);
  ADD (who_knows_nothing_decides_nothing);
  ADD (view_that_may_be_there_counts);
  ADD (newcomers_that_take_part_clear_doubts);
  ADD (older_view_is_not_brought_about_after_a_newer_one);
  ADD (formed_view_ends_doubts_about_older_ones);
  ADD (doubts_are_settled_when_all_holders_went_on);
  ADD (what_is_told_is_what_is_known);
  ADD (too_many_doubts_allow_nothing);
  return g_test_run ();
}
