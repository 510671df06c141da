/* A member whose words are well authenticated and ill meant. */
#include <string.h>

#include "../../gcp/gcp-engine-private.h"
#include "gcp-puppet.h"
#include "sim-network.h"

#define SECOND G_USEC_PER_SEC

static guint64
view_number (GcpPuppet *puppet)
{
  return gcp_view_get_number (gcp_engine_get_view (puppet->engine));
}

static void
assert_still_works (GcpPuppet *puppet)
{
  g_autoptr (GBytes) message = g_bytes_new_static ("x", 1);
  guint before = puppet->n_delivered;

  g_assert_true (gcp_engine_multicast (puppet->engine, message, GCP_AGREED,
          puppet->now, NULL));
  gcp_puppet_run (puppet, SECOND / 10);
  g_assert_cmpuint (puppet->n_delivered, ==, before + 1);
}

static void
test_garbage_of_every_length_changes_nothing (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  guint64 number = view_number (puppet);
  SimRandom random;
  guint8 data[2000];

  sim_random_init (&random, 1);
  for (gsize size = 0; size <= sizeof (data); size++) {
    sim_random_fill (&random, data, size);
    gcp_puppet_throw (puppet, GCP_PUPPET_MEMBER, data, size);
    gcp_puppet_throw (puppet, GCP_PUPPET_STRANGER, data, size);
    gcp_puppet_throw (puppet, GCP_PUPPET_ENGINE, data, size);
    gcp_puppet_throw (puppet, GCP_MEMBER_NONE, data, size);
  }
  assert_still_works (puppet);
  g_assert_cmpuint (view_number (puppet), ==, number);
}

static void
test_messages_of_no_type_change_nothing (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  guint64 number = view_number (puppet);
  SimRandom random;
  guint8 data[2000];

  sim_random_init (&random, 2);
  for (gsize size = 0; size <= sizeof (data); size++) {
    sim_random_fill (&random, data, size);
    data[0] |= 0x80;
    gcp_puppet_say_bytes (puppet, data, size);
    gcp_puppet_run (puppet, 1000);
  }
  assert_still_works (puppet);
  g_assert_cmpuint (view_number (puppet), ==, number);
}

static void
test_truncated_messages_change_nothing (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GPtrArray) messages = gcp_puppet_make_messages (puppet);
  guint64 number = view_number (puppet);

  for (guint i = 0; i < messages->len; i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (messages->pdata[i], &size);

    /* A payload that is cut is another payload; up to it, all is refused. */
    for (gsize n = 0; n + 8 < size; n++) {
      gcp_puppet_say_bytes (puppet, data, n);
      gcp_puppet_run (puppet, 1000);
    }
  }
  assert_still_works (puppet);
  g_assert_cmpuint (view_number (puppet), ==, number);
}

/* A flipped bit may make another true message of it, by which the member hangs up
 * or changes the view; the engine must be in a view and work, whatever comes. */
static void
test_flipped_bits_leave_the_engine_in_order (void)
{
  g_autoptr (GcpPuppet) first = gcp_puppet_new ();
  g_autoptr (GPtrArray) messages = gcp_puppet_make_messages (first);

  for (guint i = 0; i < messages->len; i++) {
    g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
    gsize size;
    const guint8 *data = g_bytes_get_data (messages->pdata[i], &size);

    for (gsize bit = 0; bit < size * 8; bit++) {
      g_autofree guint8 *copy = g_memdup2 (data, size);

      copy[bit / 8] ^= 1 << (bit % 8);
      gcp_puppet_say_bytes (puppet, copy, size);
    }
    gcp_puppet_run (puppet, 10 * SECOND);
    g_assert_false (puppet->ended);
    g_assert_true (gcp_view_contains (gcp_engine_get_view (puppet->engine),
            GCP_PUPPET_ENGINE));
    assert_still_works (puppet);
  }
}

static void
test_flood_of_submitted_messages_is_bounded (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autofree guint8 *zeros = g_malloc0 (GCP_PIECE_SIZE);
  g_autoptr (GBytes) payload = g_bytes_new (zeros, GCP_PIECE_SIZE);
  GcpMessage m = {
    .type = GCP_MESSAGE_SUBMIT,.view = puppet->view,.payload = payload
  };

  /* No receipt ever comes, so nothing becomes stable: after 1 MiB of 2 MiB
   * the sequencer orders no more, and in the end drops. */
  for (guint i = 0; i < 512; i++) {
    gcp_puppet_say (puppet, &m);
    gcp_puppet_run (puppet, 10000);
  }
  g_assert_cmpuint (puppet->n_delivered, <=, 1 + GCP_UNSTABLE_WINDOW / GCP_PIECE_SIZE);
  g_assert_false (puppet->ended);
}

static void
test_member_that_lives_but_does_not_answer_is_passed_over (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GBytes) card = g_bytes_new_static ("card", 4);
  GcpMessage leave = {.type = GCP_MESSAGE_LEAVE,.view = puppet->view };
  guint views = puppet->n_views;

  /* FLUSH comes to it because of its own leave; it acknowledges, and is silent. */
  gcp_puppet_say (puppet, &leave);
  gcp_puppet_run (puppet, 3 * SECOND);
  g_assert_cmpuint (puppet->n_views, ==, views);
  gcp_puppet_run (puppet, SECOND);
  g_assert_cmpuint (puppet->n_views, ==, views + 1);
  g_assert_cmpuint (gcp_view_get_n_members (gcp_engine_get_view
          (puppet->engine)), ==, 1);
  assert_still_works (puppet);
}

/* It outbids every attempt. */
static void
test_member_that_refuses_for_ever_is_passed_over (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  GcpMessage leave = {.type = GCP_MESSAGE_LEAVE,.view = puppet->view };
  guint views = puppet->n_views, n_attempts = 0;
  guint64 last = 0;

  gcp_puppet_say (puppet, &leave);
  for (guint i = 0; i < 400; i++) {
    g_auto (GcpMessage) flush = { 0 };

    gcp_puppet_run (puppet, 10000);
    if (i == 99)
      g_assert_cmpuint (n_attempts, <=, 8);
    if (!gcp_puppet_find (puppet, GCP_MESSAGE_FLUSH, &flush)
        || flush.attempt.number == last)
      continue;
    last = flush.attempt.number;
    n_attempts++;
    gcp_puppet_say (puppet, &(GcpMessage) {
        .type = GCP_MESSAGE_REFUSED,.view = puppet->view,
        .attempt = flush.attempt,.highest = last + 1 });
  }
  g_assert_cmpuint (n_attempts, >=, 4);
  g_assert_cmpuint (puppet->n_views, ==, views + 1);
  assert_still_works (puppet);
}

static void
test_later_member_cannot_take_the_first_ones_turn (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  GcpMessage flush = {
    .type = GCP_MESSAGE_FLUSH,.view = puppet->view,
    .attempt = {puppet->view.number + 5, GCP_PUPPET_MEMBER},.ids = ids
  };
  g_auto (GcpMessage) answer = { 0 };

  gcp_puppet_say (puppet, &flush);
  gcp_puppet_run (puppet, SECOND / 10);
  g_assert_false (gcp_puppet_find (puppet, GCP_MESSAGE_FLUSHED, &answer));
  /* It has stopped, so there must be a change: under the first one's attempt. */
  g_assert_true (gcp_puppet_find (puppet, GCP_MESSAGE_FLUSH, &answer));
  g_assert_cmpuint (answer.attempt.number, >, flush.attempt.number);
}

static void
test_huge_numbers_do_not_use_up_the_numbers (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  GcpMessage flush = {
    .type = GCP_MESSAGE_FLUSH,.view = puppet->view,
    .attempt = {G_MAXUINT64, GCP_PUPPET_MEMBER},.ids = ids
  };
  guint64 number = view_number (puppet);

  gcp_puppet_say (puppet, &flush);
  gcp_puppet_run (puppet, 10 * SECOND);
  g_assert_cmpuint (view_number (puppet), ==, number);
  assert_still_works (puppet);
}

static void
test_notice_of_one_member_does_not_end_a_majority (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GBytes) notice = gcp_notice_write (
      (GcpViewId) { 99, GCP_PUPPET_MEMBER }, TRUE, GCP_PUT_OUT);

  gcp_puppet_throw (puppet, GCP_PUPPET_MEMBER,
      g_bytes_get_data (notice, NULL), g_bytes_get_size (notice));
  gcp_puppet_run (puppet, SECOND);
  g_assert_false (puppet->ended);
  assert_still_works (puppet);
}

static void
test_probes_are_answered_within_bounds (void)
{
  const GcpProbe probe = {
    .answer = TRUE,.view = {9, GCP_PUPPET_STRANGER},.n = 3,
    .coordinator = GCP_PUPPET_STRANGER
  };
  g_autoptr (GBytes) bytes = gcp_probe_write (&probe);
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  guint before;

  gcp_puppet_run (puppet, SECOND);
  before = puppet->n_sent;
  for (guint i = 0; i < 10000; i++)
    gcp_puppet_throw (puppet, GCP_PUPPET_STRANGER,
        g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  gcp_puppet_run (puppet, SECOND);
  g_assert_cmpuint (puppet->n_sent - before, <, 100);
  assert_still_works (puppet);
}

static void
say_card (GcpPuppet *puppet, GcpViewId attempt)
{
  g_autoptr (GBytes) card = g_bytes_new_static ("card", 4);
  GcpMessage m = {
    .type = GCP_MESSAGE_CARD,.view = puppet->view,.attempt = attempt,
    .member = GCP_PUPPET_MEMBER,.payload = card
  };

  gcp_puppet_say (puppet, &m);
}

static void
say_merge (GcpPuppet *puppet)
{
  GcpMessage m = {
    .type = GCP_MESSAGE_MERGE,.view = puppet->view,
    .attempt = {puppet->view.number + 1, GCP_PUPPET_MEMBER}
  };

  gcp_puppet_say (puppet, &m);
  gcp_puppet_run (puppet, SECOND / 5);
}

/* It asks this part to come, which stops for it, and says nothing more. */
static void
test_merge_that_does_not_get_on_is_given_up (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_auto (GcpMessage) part = { 0 };

  gcp_puppet_come_back (puppet);
  g_assert_cmpuint (gcp_view_get_n_members (gcp_engine_get_view
          (puppet->engine)), ==, 1);
  say_merge (puppet);
  g_assert_true (gcp_puppet_find (puppet, GCP_MESSAGE_PART, &part));
  g_assert_cmpuint (part.proposal->members->len, ==, 1);
  gcp_puppet_run (puppet, 5 * SECOND);
  assert_still_works (puppet);
}

/* Its first MERGE came late, and it has forgotten it: it asks again, with a greater
 * number. This part does not wait for the end of the first. */
static void
test_merge_that_is_asked_for_again_ends_the_first (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  GcpMessage m = {
    .type = GCP_MESSAGE_MERGE,.view = puppet->view,
    .attempt = {puppet->view.number + 2, GCP_PUPPET_MEMBER}
  };

  gcp_puppet_come_back (puppet);
  say_merge (puppet);
  g_assert_cmpuint (puppet->engine->merge.other, ==, GCP_PUPPET_MEMBER);
  gcp_puppet_say (puppet, &m);
  gcp_puppet_run (puppet, SECOND / 5);
  g_assert_cmpuint (puppet->engine->merge.other, ==, GCP_MEMBER_NONE);
  assert_still_works (puppet);
}

/* Who waits for an end of a merge that is over here is told so at once. */
static void
test_part_of_a_merge_that_is_over_is_answered (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GcpProposal) proposal = gcp_proposal_new ();
  GcpViewId joined = { puppet->view.number + 1, GCP_PUPPET_ENGINE };
  GcpMessage m = {
    .type = GCP_MESSAGE_PART,.view = puppet->view,.proposal = proposal
  };

  gcp_puppet_come_back (puppet);
  proposal->id = puppet->view;
  proposal->lineage = gcp_puppet_make_lineage ();
  gcp_proposal_add_member (proposal, GCP_PUPPET_MEMBER, NULL);
  gcp_ids_add (proposal->acking, GCP_PUPPET_MEMBER);
  puppet->engine->joined = joined;
  for (guint later = 0; later < 2; later++) {
    g_auto (GcpMessage) apart = { 0 };

    m.attempt = (GcpViewId) { joined.number + later, GCP_PUPPET_ENGINE };
    gcp_puppet_say (puppet, &m);
    gcp_puppet_run (puppet, SECOND / 10);
    /* Of what this member led to a joint view nothing is said. */
    g_assert_cmpint (gcp_puppet_find (puppet, GCP_MESSAGE_APART, &apart), ==,
        later == 1);
    if (later)
      g_assert_true (gcp_view_id_equal (apart.attempt, m.attempt));
  }
  assert_still_works (puppet);
}

/* It makes a view of both, waits until that is held ready, and says nothing more. */
static void
test_merge_that_is_not_ended_is_given_up (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GcpProposal) joint = gcp_proposal_new ();
  g_auto (GcpMessage) part = { 0 };
  g_auto (GcpMessage) held = { 0 };
  GcpMessage m = {.type = GCP_MESSAGE_JOINT,.proposal = joint };

  gcp_puppet_come_back (puppet);
  say_merge (puppet);
  g_assert_true (gcp_puppet_find (puppet, GCP_MESSAGE_PART, &part));
  m.view = puppet->view;
  m.attempt = part.attempt;
  say_card (puppet, part.attempt);
  joint->id = (GcpViewId) { part.highest + 1, GCP_PUPPET_MEMBER };
  joint->lineage = gcp_puppet_make_lineage ();
  gcp_proposal_add_member (joint, GCP_PUPPET_MEMBER, NULL);
  gcp_proposal_add_member (joint, GCP_PUPPET_ENGINE, NULL);
  gcp_ids_add (joint->acking, GCP_PUPPET_MEMBER);
  gcp_puppet_say (puppet, &m);
  gcp_puppet_run (puppet, SECOND / 5);
  g_assert_true (gcp_puppet_find (puppet, GCP_MESSAGE_HELD, &held));
  for (guint i = 0; i < 3000; i++) {
    gcp_puppet_run (puppet, 5000);
    g_assert_cmpint (gcp_engine_deadline (puppet->engine), >, puppet->now);
  }
  /* It may be there; that it orders nothing is another matter. */
  puppet->mute = TRUE;
  gcp_puppet_run (puppet, 3 * SECOND);
  assert_still_works (puppet);
}

static void
test_merge_with_flipped_bits_leaves_the_engine_in_order (void)
{
  g_autoptr (GcpPuppet) first = gcp_puppet_new ();
  g_autoptr (GPtrArray) messages = gcp_puppet_make_messages (first);

  for (guint i = 0; i < messages->len; i++) {
    g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
    gsize size;
    const guint8 *data = g_bytes_get_data (messages->pdata[i], &size);

    gcp_puppet_come_back (puppet);
    say_merge (puppet);
    for (gsize bit = 0; bit <= size * 8; bit++) {
      g_autofree guint8 *copy = g_memdup2 (data, size);

      if (bit > 0)
        copy[(bit - 1) / 8] ^= 1 << ((bit - 1) % 8);
      gcp_puppet_say_bytes (puppet, copy, size);
    }
    gcp_puppet_run (puppet, 15 * SECOND);
    if (puppet->ended)
      continue;
    g_assert_true (gcp_view_contains (gcp_engine_get_view (puppet->engine),
            GCP_PUPPET_ENGINE));
    assert_still_works (puppet);
  }
}

static void
say_prepare (GcpPuppet *puppet, GcpViewId attempt, gboolean with_engine)
{
  g_autoptr (GcpProposal) proposal = gcp_proposal_new ();
  GcpMessage m = {
    .type = GCP_MESSAGE_PREPARE,.view = puppet->view,.attempt = attempt,
    .proposal = proposal
  };

  proposal->id = attempt;
  proposal->lineage = gcp_puppet_make_lineage ();
  gcp_proposal_add_member (proposal, GCP_PUPPET_MEMBER, NULL);
  if (with_engine)
    gcp_proposal_add_member (proposal, GCP_PUPPET_ENGINE, NULL);
  gcp_puppet_say (puppet, &m);
}

static void
say_commit (GcpPuppet *puppet, GcpViewId attempt)
{
  GcpMessage m = {
    .type = GCP_MESSAGE_COMMIT,.view = puppet->view,.attempt = attempt
  };

  gcp_puppet_say (puppet, &m);
}

static void
test_joiner_takes_only_a_whole_view_with_itself (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new_with_joiner ();
  GcpViewId a = { 2, GCP_PUPPET_MEMBER }, b = { 3, GCP_PUPPET_MEMBER };
  GcpViewId another = { 4, GCP_PUPPET_STRANGER };

  say_prepare (puppet, a, TRUE);        /* the other's card is missing */
  say_commit (puppet, a);
  say_card (puppet, a);
  say_prepare (puppet, a, FALSE);       /* not with the engine */
  say_commit (puppet, a);
  say_card (puppet, another);   /* not the puppet's attempt */
  say_prepare (puppet, another, TRUE);
  say_commit (puppet, another);
  gcp_puppet_run (puppet, SECOND / 10);
  g_assert_cmpuint (puppet->n_views, ==, 0);
  say_card (puppet, b);
  say_prepare (puppet, b, TRUE);
  say_commit (puppet, a);       /* of an older attempt */
  gcp_puppet_run (puppet, SECOND / 10);
  g_assert_cmpuint (puppet->n_views, ==, 0);
  say_commit (puppet, b);
  gcp_puppet_run (puppet, SECOND / 10);
  g_assert_cmpuint (puppet->n_views, ==, 1);
}

/* Somebody may have led the group to numbers far beyond its first ones. */
static void
test_joiner_takes_any_number_but_the_last_ones (void)
{
  const struct {
    guint64 number;
    guint n_views;
  } numbers[] = {
    { G_MAXUINT64, 0 },
    { (G_GUINT64_CONSTANT (1) << 63) + 1, 0 },
    { G_GUINT64_CONSTANT (1) << 60, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    g_autoptr (GcpPuppet) puppet = gcp_puppet_new_with_joiner ();
    GcpViewId attempt = { numbers[i].number, GCP_PUPPET_MEMBER };

    say_card (puppet, attempt);
    say_prepare (puppet, attempt, TRUE);
    say_commit (puppet, attempt);
    gcp_puppet_run (puppet, SECOND / 10);
    g_assert_cmpuint (puppet->n_views, ==, numbers[i].n_views);
  }
}

/* Another coordinator may agree on less than this one brings before it is gone. */
static void
test_nothing_is_delivered_while_the_view_ends (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GBytes) payload = g_bytes_new_static ("x", 1);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  GcpViewId attempt = { puppet->view.number + 1, GCP_PUPPET_MEMBER };
  GcpMessage flush = {
    .type = GCP_MESSAGE_FLUSH,.view = puppet->view,.attempt = attempt,.ids = ids
  };
  GcpMessage missing = {
    .type = GCP_MESSAGE_MISSING,.view = puppet->view,.attempt = attempt,
    .sequence = 1,.sender = 1,.payload = payload
  };

  gcp_engine_leave (puppet->engine, puppet->now);
  gcp_puppet_say (puppet, &flush);
  gcp_puppet_run (puppet, SECOND / 100);
  gcp_puppet_say (puppet, &missing);
  gcp_puppet_run (puppet, SECOND / 100);
  g_assert_cmpuint (puppet->engine->log.held, ==, 1);
  g_assert_cmpuint (puppet->n_delivered, ==, 0);
}

/* It has gone on, whatever it still says on its link. */
static void
test_member_that_probes_from_a_later_view_is_gone (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  GcpProbe probe = {
    .view = {puppet->view.number, 1},.n = 1,.coordinator = GCP_PUPPET_MEMBER
  };

  for (guint later = 0; later < 2; later++) {
    g_autoptr (GBytes) bytes = gcp_probe_write (&probe);

    gcp_puppet_throw (puppet, GCP_PUPPET_MEMBER,
        g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    gcp_puppet_run (puppet, SECOND / 10);
    g_assert_cmpuint (gcp_view_get_n_members (gcp_engine_get_view
            (puppet->engine)), ==, later ? 1 : 2);
    probe.view.number++;
  }
}

static gsize
get_waiting (GcpPuppet *puppet)
{
  const GcpPeer *peer = gcp_known_find_peer (puppet->engine,
      GCP_PUPPET_MEMBER);

  return peer ? gcp_link_get_queued (peer->link) : 0;
}

/* As the coordinator of a view change it asks again and again for all that was
 * ordered, and does not wait for the answers. */
static void
test_member_that_asks_without_taking_is_cut_off (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autofree guint8 *zeros = g_malloc0 (100000);
  g_autoptr (GBytes) payload = g_bytes_new (zeros, 100000);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  GcpViewId attempt = { puppet->view.number + 1, GCP_PUPPET_MEMBER };
  GcpMessage flush = {
    .type = GCP_MESSAGE_FLUSH,.view = puppet->view,.attempt = attempt,.ids = ids
  };
  GcpMessage fetch = {
    .type = GCP_MESSAGE_FETCH,.view = puppet->view,.attempt = attempt
  };
  gsize most = 0;

  for (guint i = 0; i < 10; i++)
    g_assert_true (gcp_engine_multicast (puppet->engine, payload, GCP_AGREED,
            puppet->now, NULL));
  gcp_puppet_run (puppet, SECOND / 10);
  gcp_engine_leave (puppet->engine, puppet->now);
  gcp_puppet_say (puppet, &flush);
  gcp_puppet_run (puppet, SECOND / 100);
  for (guint i = 0; i < 200 && !puppet->ended; i++) {
    gcp_puppet_say (puppet, &fetch);
    most = MAX (most, get_waiting (puppet));
    if (i % 8 == 7)
      gcp_puppet_run (puppet, 0);
  }
  g_assert_cmpuint (most, >, GCP_MAX_WAITING (2) / 2);
  g_assert_cmpuint (most, <, GCP_MAX_WAITING (2) + 2 * GCP_UNSTABLE_LIMIT);
  gcp_puppet_run (puppet, 2 * SECOND);
  g_assert_true (puppet->ended);
}

/* More ids than one list on the wire holds, @first and so on. */
static void
add_many (GArray *ids, GcpMemberId first)
{
  for (guint i = ids->len; i < GCP_MAX_MEMBERS; i++)
    gcp_ids_add (ids, first + i);
}

/* Whoever makes the next view writes down who holds a primary one ready: both lists
 * of the proposal in one. What cannot be written would make everything unreadable
 * that this member says of views from then on. */
static void
test_view_of_too_many_holders_is_not_held_ready (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GcpProposal) proposal = gcp_proposal_new ();
  g_autoptr (GArray) ids = gcp_ids_new ();
  GcpViewId attempt = { puppet->view.number + 1, GCP_PUPPET_MEMBER };
  GcpMessage flush = {
    .type = GCP_MESSAGE_FLUSH,.view = puppet->view,.attempt = attempt,.ids = ids
  };
  GcpMessage prepare = {
    .type = GCP_MESSAGE_PREPARE,.view = puppet->view,.attempt = attempt,
    .proposal = proposal
  };
  g_auto (GcpMessage) m = { 0 };

  gcp_engine_leave (puppet->engine, puppet->now);
  gcp_puppet_say (puppet, &flush);
  gcp_puppet_run (puppet, SECOND / 10);
  g_assert_true (gcp_puppet_find (puppet, GCP_MESSAGE_FLUSHED, &m));
  proposal->id = attempt;
  proposal->primary = TRUE;
  proposal->cut = m.sequence;
  proposal->lineage = gcp_puppet_make_lineage ();
  gcp_proposal_add_member (proposal, GCP_PUPPET_MEMBER, NULL);
  gcp_ids_add (proposal->acking, GCP_PUPPET_ENGINE);
  add_many (proposal->acking, 1000);
  add_many (proposal->others, 2000);
  gcp_puppet_say (puppet, &prepare);
  gcp_puppet_run (puppet, SECOND / 10);
  flush.attempt.number++;
  gcp_puppet_say (puppet, &flush);
  /* The puppet reads all that the engine says. */
  gcp_puppet_run (puppet, SECOND / 10);
  gcp_message_clear (&m);
  g_assert_true (gcp_puppet_find (puppet, GCP_MESSAGE_FLUSHED, &m));
  g_assert_true (gcp_view_id_equal (m.attempt, flush.attempt));
}

/* It says that it holds a view ready, and shows one with somebody whom nobody let
 * in. (In BRAVIS everybody leaves a view with a card that does not verify.) */
static void
test_member_brings_nobody_in_by_what_it_holds_ready (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GcpProposal) shown = gcp_proposal_new ();
  g_autoptr (GcpLineage) lineage = gcp_puppet_make_lineage ();
  g_autoptr (GArray) ids = gcp_ids_new ();
  g_autoptr (GBytes) card = g_bytes_new_static ("none", 4);
  g_auto (GcpMessage) flush = { 0 };
  g_auto (GcpMessage) fetch = { 0 };
  g_auto (GcpMessage) prepare = { 0 };
  GcpMessage m = {
    .type = GCP_MESSAGE_FLUSH,.view = puppet->view,
    .attempt = {puppet->view.number + 5, GCP_PUPPET_MEMBER},.ids = ids
  };

  /* So that the first member starts an attempt. */
  gcp_puppet_say (puppet, &m);
  gcp_puppet_run (puppet, SECOND / 10);
  g_assert_true (gcp_puppet_find (puppet, GCP_MESSAGE_FLUSH, &flush));
  shown->id = shown->attempt = m.attempt;
  m = (GcpMessage) { .type = GCP_MESSAGE_FLUSHED,.view = puppet->view,
    .attempt = flush.attempt,.prepared = shown->id,
    .prepared_attempt = shown->attempt,.lineage = lineage };
  gcp_puppet_say (puppet, &m);
  gcp_puppet_run (puppet, SECOND / 10);
  g_assert_true (gcp_puppet_find (puppet, GCP_MESSAGE_FETCH, &fetch));
  m = (GcpMessage) { .type = GCP_MESSAGE_CARD,.view = puppet->view,
    .attempt = flush.attempt,.member = GCP_PUPPET_STRANGER,.payload = card };
  gcp_puppet_say (puppet, &m);
  shown->lineage = gcp_lineage_copy (lineage);
  gcp_proposal_add_member (shown, GCP_PUPPET_ENGINE, NULL);
  gcp_proposal_add_member (shown, GCP_PUPPET_MEMBER, NULL);
  gcp_proposal_add_member (shown, GCP_PUPPET_STRANGER, NULL);
  gcp_ids_add (shown->acking, GCP_PUPPET_ENGINE);
  gcp_ids_add (shown->acking, GCP_PUPPET_MEMBER);
  m = (GcpMessage) { .type = GCP_MESSAGE_SHOWN,.view = puppet->view,
    .attempt = flush.attempt,.proposal = shown };
  gcp_puppet_say (puppet, &m);
  gcp_puppet_run (puppet, SECOND / 10);
  if (gcp_puppet_find (puppet, GCP_MESSAGE_PREPARE, &prepare))
    gcp_puppet_say (puppet, &(GcpMessage) { .type = GCP_MESSAGE_PREPARED,
        .view = puppet->view,.attempt = prepare.attempt });
  for (guint i = 0; i < 600; i++) {
    gcp_puppet_run (puppet, 5000);
    g_assert_false (gcp_view_contains (gcp_engine_get_view (puppet->engine),
            GCP_PUPPET_STRANGER));
  }
}

/* The engine leads, and is told of a part in which more take part than a view
 * has. */
static void
test_part_of_too_many_is_not_merged_with (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GcpProposal) part = gcp_proposal_new ();
  g_auto (GcpMessage) merge = { 0 };
  const GcpProbe probe = {
    .answer = TRUE,.view = {puppet->view.number + 1, GCP_PUPPET_MEMBER},
    .n = 1,.coordinator = GCP_PUPPET_MEMBER
  };
  g_autoptr (GBytes) bytes = gcp_probe_write (&probe);
  GcpMessage m = {
    .type = GCP_MESSAGE_PART,.view = probe.view,.proposal = part
  };

  gcp_puppet_come_back (puppet);
  gcp_puppet_throw (puppet, GCP_PUPPET_MEMBER, g_bytes_get_data (bytes, NULL),
      g_bytes_get_size (bytes));
  gcp_puppet_run (puppet, SECOND / 10);
  g_assert_true (gcp_puppet_find (puppet, GCP_MESSAGE_MERGE, &merge));
  m.attempt = merge.attempt;
  part->id = probe.view;
  part->lineage = gcp_puppet_make_lineage ();
  gcp_proposal_add_member (part, GCP_PUPPET_MEMBER, NULL);
  add_many (part->acking, 1000);
  say_card (puppet, merge.attempt);
  gcp_puppet_say (puppet, &m);
  /* The puppet reads all that the engine says. */
  gcp_puppet_run (puppet, 5 * SECOND);
  puppet->mute = TRUE;
  gcp_puppet_run (puppet, 3 * SECOND);
  assert_still_works (puppet);
}

/* The engine follows, and is to go to a view that more come to than it has. */
static void
test_joint_view_of_too_many_is_refused (void)
{
  g_autoptr (GcpPuppet) puppet = gcp_puppet_new ();
  g_autoptr (GcpProposal) joint = gcp_proposal_new ();
  g_auto (GcpMessage) part = { 0 };
  g_auto (GcpMessage) m = { 0 };
  GcpMessage say = {.type = GCP_MESSAGE_JOINT,.proposal = joint };

  gcp_puppet_come_back (puppet);
  say_merge (puppet);
  g_assert_true (gcp_puppet_find (puppet, GCP_MESSAGE_PART, &part));
  say.view = puppet->view;
  say.attempt = part.attempt;
  say_card (puppet, part.attempt);
  joint->id = (GcpViewId) { part.highest + 1, GCP_PUPPET_MEMBER };
  joint->primary = TRUE;
  joint->lineage = gcp_puppet_make_lineage ();
  gcp_proposal_add_member (joint, GCP_PUPPET_MEMBER, NULL);
  gcp_proposal_add_member (joint, GCP_PUPPET_ENGINE, NULL);
  add_many (joint->acking, 1000);
  gcp_puppet_say (puppet, &say);
  gcp_puppet_run (puppet, SECOND / 5);
  g_assert_false (gcp_puppet_find (puppet, GCP_MESSAGE_HELD, &m));
  puppet->mute = TRUE;
  gcp_puppet_run (puppet, 3 * SECOND);
  assert_still_works (puppet);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/gcp/engine/hostile/" #name, test_ ## name)
  ADD (garbage_of_every_length_changes_nothing);
  ADD (messages_of_no_type_change_nothing);
  ADD (truncated_messages_change_nothing);
  ADD (flipped_bits_leave_the_engine_in_order);
  ADD (flood_of_submitted_messages_is_bounded);
  ADD (member_that_lives_but_does_not_answer_is_passed_over);
  ADD (member_that_refuses_for_ever_is_passed_over);
  ADD (later_member_cannot_take_the_first_ones_turn);
  ADD (huge_numbers_do_not_use_up_the_numbers);
  ADD (joiner_takes_only_a_whole_view_with_itself);
  ADD (joiner_takes_any_number_but_the_last_ones);
  ADD (member_that_asks_without_taking_is_cut_off);
  ADD (nothing_is_delivered_while_the_view_ends);
  ADD (member_that_probes_from_a_later_view_is_gone);
  ADD (notice_of_one_member_does_not_end_a_majority);
  ADD (probes_are_answered_within_bounds);
  ADD (merge_that_does_not_get_on_is_given_up);
  ADD (merge_that_is_asked_for_again_ends_the_first);
  ADD (part_of_a_merge_that_is_over_is_answered);
  ADD (merge_that_is_not_ended_is_given_up);
  ADD (merge_with_flipped_bits_leaves_the_engine_in_order);
  ADD (view_of_too_many_holders_is_not_held_ready);
  ADD (member_brings_nobody_in_by_what_it_holds_ready);
  ADD (part_of_too_many_is_not_merged_with);
  ADD (joint_view_of_too_many_is_refused);
#undef ADD
  return g_test_run ();
}
