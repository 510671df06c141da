#include "sim-history-private.h"

static SimStay *
last_stay (SimProcess *process)
{
  return process->stays->len > 0
      ? process->stays->pdata[process->stays->len - 1] : NULL;
}

static gboolean
view_has (const SimView *view, GcpMemberId id)
{
  for (guint i = 0; i < view->members->len; i++)
    if (g_array_index (view->members, GcpMemberId, i) == id)
      return TRUE;
  return FALSE;
}

static const char *
name_of (SimHistory *history, GcpMemberId id)
{
  gint who = sim_history_find_process (history, id);

  return who >= 0 ? sim_history_get_process (history, who)->name : "?";
}

static char *
view_to_string (SimHistory *history, const SimView *view)
{
  GString *string = g_string_new (NULL);

  g_string_append_printf (string, "view %" G_GUINT64_FORMAT "%s {",
      view->number, view->primary ? "" : " (not primary)");
  for (guint i = 0; i < view->members->len; i++)
    g_string_append_printf (string, "%s%s", i ? " " : "",
        name_of (history, g_array_index (view->members, GcpMemberId, i)));
  g_string_append_c (string, '}');
  return g_string_free (string, FALSE);
}

static void
check_own_views (SimHistory *history, guint index)
{
  SimProcess *process = sim_history_get_process (history, index);

  for (guint i = 0; i < process->stays->len; i++) {
    SimStay *stay = process->stays->pdata[i];
    SimStay *before = i > 0 ? process->stays->pdata[i - 1] : NULL;

    if (!view_has (stay->view, process->id)
        && sim_history_found (history, "agreement: %s installed view %"
            G_GUINT64_FORMAT " without itself", process->name,
            stay->view->number))
      sim_history_add_witness (history, index, stay->line);
    if (before && stay->view->number <= before->view->number
        && sim_history_found (history,
            "agreement: view numbers of %s do not grow", process->name)) {
      sim_history_add_witness (history, index, before->line);
      sim_history_add_witness (history, index, stay->line);
    }
  }
}

static gint
find_stay (SimProcess *process, const SimView *view)
{
  for (guint i = 0; i < process->stays->len; i++)
    if (((SimStay *) process->stays->pdata[i])->view == view)
      return i;
  return -1;
}

static SimStay *
next_stay (SimProcess *process, gint at)
{
  return at >= 0 && at + 1 < (gint) process->stays->len
      ? process->stays->pdata[at + 1] : NULL;
}

static const SimDelivery *
delivery_at (const SimStay *stay, guint index)
{
  return &g_array_index (stay->delivered, SimDelivery, index);
}

/* How many deliveries the two began alike with. */
static guint
count_same (const SimStay *a, const SimStay *b)
{
  guint n = MIN (a->delivered->len, b->delivered->len);
  guint i = 0;

  while (i < n && delivery_at (a, i)->message == delivery_at (b, i)->message)
    i++;
  return i;
}

/* Where number @i is, or, if there are less, where the stay began. */
static guint
line_of (const SimStay *stay, guint i)
{
  return i < stay->delivered->len ? delivery_at (stay, i)->line : stay->line;
}

static void
check_same_set (SimHistory *history, guint a, SimStay *in_a, guint b,
    SimStay *in_b)
{
  guint same = count_same (in_a, in_b);

  if (same == in_a->delivered->len && same == in_b->delivered->len)
    return;
  if (!sim_history_found (history, "same set: %s and %s left view %"
          G_GUINT64_FORMAT " together, after %u and %u deliveries, which differ"
          " from number %u on", sim_history_get_process (history, a)->name,
          sim_history_get_process (history, b)->name, in_a->view->number,
          in_a->delivered->len, in_b->delivered->len, same + 1))
    return;
  sim_history_add_witness (history, a, line_of (in_a, same));
  sim_history_add_witness (history, b, line_of (in_b, same));
}

static void
check_pair_of_stays (SimHistory *history, guint a, guint b, gint at_a,
    gint at_b, gboolean strict)
{
  SimProcess *pa = sim_history_get_process (history, a);
  SimProcess *pb = sim_history_get_process (history, b);
  SimStay *next_a = next_stay (pa, at_a), *next_b = next_stay (pb, at_b);
  g_autofree char *sa = NULL, *sb = NULL;

  if (!next_a || !next_b)
    return;
  if (next_a->view == next_b->view) {
    check_same_set (history, a, pa->stays->pdata[at_a], b,
        pb->stays->pdata[at_b]);
    return;
  }
  /* A part that lost the primary view's majority cannot know what that one
   * installed last before it went. */
  strict = strict && next_a->view->primary == next_b->view->primary
      && !sim_history_is_put_out (history, pa->id)
      && !sim_history_is_put_out (history, pb->id);
  if (!strict && !(view_has (next_a->view, pb->id)
          && view_has (next_b->view, pa->id)))
    return;
  sa = view_to_string (history, next_a->view);
  sb = view_to_string (history, next_b->view);
  if (!sim_history_found (history, "agreement: %s and %s were in view %"
          G_GUINT64_FORMAT ", then %s installed %s and %s %s", pa->name,
          pb->name, ((SimStay *) pa->stays->pdata[at_a])->view->number,
          pa->name, sa, pb->name, sb))
    return;
  sim_history_add_witness (history, a, next_a->line);
  sim_history_add_witness (history, b, next_b->line);
}

/* No two safe messages in opposite orders, not even at members that crash later.
 * (An agreed message may be delivered by its sequencer alone, which then crashes:
 * the others need not follow it.) */
static void
check_order (SimHistory *history, guint a, SimStay *in_a, guint b,
    SimStay *in_b)
{
  g_autoptr (GHashTable) places = NULL;
  guint same = count_same (in_a, in_b);
  const SimDelivery *before = NULL;
  guint last = 0;

  if (same == in_a->delivered->len || same == in_b->delivered->len)
    return;
  places = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = same; i < in_a->delivered->len; i++)
    g_hash_table_insert (places, (gpointer) &delivery_at (in_a, i)->message,
        GUINT_TO_POINTER (i + 1));
  for (guint i = same; i < in_b->delivered->len; i++) {
    const SimDelivery *delivery = delivery_at (in_b, i);
    guint place = GPOINTER_TO_UINT (g_hash_table_lookup (places,
            &delivery->message));

    if (place == 0 || delivery->quality != GCP_SAFE)
      continue;
    if (place < last && sim_history_found (history, "total order: %s and %s"
            " delivered %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT " in"
            " opposite orders in view %" G_GUINT64_FORMAT,
            sim_history_get_process (history, a)->name,
            sim_history_get_process (history, b)->name, delivery->message,
            before->message, in_a->view->number)) {
      sim_history_add_witness (history, a,
          delivery_at (in_a, place - 1)->line);
      sim_history_add_witness (history, b, before->line);
    }
    last = place;
    before = delivery;
  }
}

static void
check_pairs (SimHistory *history, gboolean strict)
{
  for (guint a = 0; a < history->processes->len; a++)
    for (guint b = a + 1; b < history->processes->len; b++) {
      SimProcess *pa = sim_history_get_process (history, a), *pb = sim_history_get_process (history, b);

      for (guint i = 0; i < pa->stays->len; i++) {
        SimStay *stay = pa->stays->pdata[i];
        gint j = find_stay (pb, stay->view);

        if (j < 0)
          continue;
        check_pair_of_stays (history, a, b, i, j, strict);
        if (strict)
          check_order (history, a, stay, b, pb->stays->pdata[j]);
      }
    }
}

/* In the view it was sent in, by all in the same one. */
static void
check_sending_view (SimHistory *history, guint index, SimStay *stay,
    const SimDelivery *delivery, SimSent *sent)
{
  const char *name = sim_history_get_process (history, index)->name;
  const char *sender = sim_history_get_process (history, sent->process)->name;

  if (!view_has (stay->view, delivery->sender)
      && sim_history_found (history, "sending view: %s was delivered %"
          G_GUINT64_FORMAT " of %s in view %" G_GUINT64_FORMAT ", which %s is"
          " not in", name, sent->message, sender, stay->view->number, sender))
    sim_history_add_witness (history, index, delivery->line);
  if ((sent->open ? stay->view != sent->view
          : stay->view->number < sent->view->number)
      && sim_history_found (history, "sending view: %s sent %"
          G_GUINT64_FORMAT " in view %" G_GUINT64_FORMAT ", %s was delivered it"
          " in %" G_GUINT64_FORMAT, sender, sent->message, sent->view->number,
          name, stay->view->number)) {
    sim_history_add_witness (history, sent->process, sent->line);
    sim_history_add_witness (history, index, delivery->line);
  }
  if (!sent->delivered_in)
    sent->delivered_in = stay->view;
  if (sent->delivered_in != stay->view
      && sim_history_found (history, "sending view: %" G_GUINT64_FORMAT " of %s"
          " was delivered in view %" G_GUINT64_FORMAT ", and by %s in %"
          G_GUINT64_FORMAT, sent->message, sender, sent->delivered_in->number,
          name, stay->view->number)) {
    sim_history_add_witness (history, sent->process, sent->line);
    sim_history_add_witness (history, index, delivery->line);
  }
}

static SimSent *
check_delivery (SimHistory *history, guint index, const SimDelivery *delivery,
    GHashTable *seen)
{
  SimSent *sent = g_hash_table_lookup (history->sent, &delivery->message);
  const char *name = sim_history_get_process (history, index)->name;
  gpointer before;

  if (g_hash_table_lookup_extended (seen, &delivery->message, &before, NULL)
      && sim_history_found (history, "integrity: %s was delivered %"
          G_GUINT64_FORMAT " twice", name, delivery->message)) {
    sim_history_add_witness (history, index,
        ((const SimDelivery *) before)->line);
    sim_history_add_witness (history, index, delivery->line);
  }
  g_hash_table_add (seen, (gpointer) delivery);
  if (!sent || sim_history_get_process (history, sent->process)->id
      != delivery->sender) {
    if (sim_history_found (history, "integrity: %s was delivered %"
            G_GUINT64_FORMAT " of %s, which that did not send", name,
            delivery->message, name_of (history, delivery->sender)))
      sim_history_add_witness (history, index, delivery->line);
    return NULL;
  }
  if (sent->quality != delivery->quality
      && sim_history_found (history, "integrity: the quality of %"
          G_GUINT64_FORMAT " was altered", sent->message)) {
    sim_history_add_witness (history, sent->process, sent->line);
    sim_history_add_witness (history, index, delivery->line);
  }
  return sent;
}

/* The two went through the same views from the one's stay @from to @to. */
static gboolean
were_together (SimProcess *process, SimProcess *other, gint from, gint to)
{
  gint at = find_stay (other, ((SimStay *) process->stays->pdata[from])->view);

  if (at < 0 || at + to - from >= (gint) other->stays->len)
    return FALSE;
  for (gint i = 0; i <= to - from; i++)
    if (((SimStay *) process->stays->pdata[from + i])->view
        != ((SimStay *) other->stays->pdata[at + i])->view)
      return FALSE;
  return TRUE;
}

/* First in first out and without gaps: who joins late does not get the first
 * ones, and who was cut off not those that were sent without it, but otherwise
 * all. @last is what came of that sender last, in stay number @last_at. */
static void
check_gap (SimHistory *history, guint index, const SimDelivery *delivery,
    const SimSent *sent, const SimDelivery *last, gint last_at, gint at)
{
  const SimSent *before = last
      ? g_hash_table_lookup (history->sent, &last->message) : NULL;

  if (!before || sent->serial == before->serial + 1
      || (sent->serial > before->serial
          && !were_together (sim_history_get_process (history, index),
              sim_history_get_process (history, sent->process), last_at, at))
      || !sim_history_found (history, "integrity: %s was delivered number %u of"
          " %s after number %u",
          sim_history_get_process (history, index)->name, sent->serial + 1,
          sim_history_get_process (history, sent->process)->name,
          before->serial + 1))
    return;
  sim_history_add_witness (history, index, last->line);
  sim_history_add_witness (history, index, delivery->line);
}

static void
check_deliveries (SimHistory *history, guint index)
{
  SimProcess *process = sim_history_get_process (history, index);
  /* SimDelivery begins with its message */
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autofree const SimDelivery **last =
      g_new0 (const SimDelivery *, history->processes->len);
  g_autofree gint *last_at = g_new0 (gint, history->processes->len);

  for (guint i = 0; i < process->stays->len; i++) {
    SimStay *stay = process->stays->pdata[i];

    for (guint j = 0; j < stay->delivered->len; j++) {
      const SimDelivery *delivery = delivery_at (stay, j);
      SimSent *sent = check_delivery (history, index, delivery, seen);

      if (!sent)
        continue;
      check_sending_view (history, index, stay, delivery, sent);
      check_gap (history, index, delivery, sent, last[sent->process],
          last_at[sent->process], i);
      last[sent->process] = delivery;
      last_at[sent->process] = i;
    }
  }
}

/* @theirs are deliveries of @a in the view from which @b went on after @stay. */
static void
check_safe_of (SimHistory *history, guint b, SimStay *stay, guint a,
    SimStay *theirs)
{
  guint same = count_same (stay, theirs);
  g_autoptr (GHashTable) had = NULL;

  if (same == theirs->delivered->len)
    return;
  had = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = same; i < stay->delivered->len; i++)
    g_hash_table_add (had, (gpointer) &delivery_at (stay, i)->message);
  for (guint i = same; i < theirs->delivered->len; i++) {
    const SimDelivery *delivery = delivery_at (theirs, i);

    if (delivery->quality != GCP_SAFE
        || g_hash_table_contains (had, &delivery->message)
        || !sim_history_found (history, "safe: %s was delivered %"
            G_GUINT64_FORMAT ", which is safe, in view %" G_GUINT64_FORMAT
            ", and %s, which went on, never was",
            sim_history_get_process (history, a)->name, delivery->message,
            stay->view->number, sim_history_get_process (history, b)->name))
      continue;
    sim_history_add_witness (history, a, delivery->line);
    sim_history_add_witness (history, b, stay->line);
  }
}

/* What anybody delivered as safe in that view, whoever goes on from it did too. */
static void
check_safe_at (SimHistory *history, guint b, SimStay *stay)
{
  for (guint a = 0; a < history->processes->len; a++) {
    SimProcess *pa = sim_history_get_process (history, a);
    /* Who is put out may notice late, and end alone. */
    gint at = sim_history_is_put_out (history, pa->id) ? -1
        : find_stay (pa, stay->view);

    if (at >= 0)
      check_safe_of (history, b, stay, a, pa->stays->pdata[at]);
  }
}

static void
check_safe (SimHistory *history)
{
  for (guint b = 0; b < history->processes->len; b++) {
    SimProcess *process = sim_history_get_process (history, b);

    /* Who is put out does not go on with the others. */
    for (guint i = 0; i + 1 < process->stays->len
        && !sim_history_is_put_out (history, process->id); i++)
      check_safe_at (history, b, process->stays->pdata[i]);
  }
}

static gint
compare_views (gconstpointer a, gconstpointer b)
{
  const SimView *va = *(SimView *const *) a, *vb = *(SimView *const *) b;

  return va->number < vb->number ? -1 : va->number > vb->number;
}

/* A majority of @before, or half of it with its first, is in @view; who left in
 * order, or was put out when parts met again, may have had a hand in it. */
static gboolean
has_quorum_of (SimHistory *history, const SimView *before,
    const SimView *view)
{
  gboolean has_first = FALSE;
  guint n = 0;

  for (guint i = 0; i < before->members->len; i++) {
    GcpMemberId id = g_array_index (before->members, GcpMemberId, i);
    gint who = sim_history_find_process (history, id);

    if (!view_has (view, id) && !sim_history_is_put_out (history, id)
        && !(who >= 0
            && sim_history_get_process (history, who)->asked_to_leave))
      continue;
    n++;
    has_first = has_first || i == 0;
  }
  return 2 * n > before->members->len
      || (2 * n == before->members->len && has_first);
}

/* The first who installed it, as far as it is known. */
static void
witness_view (SimHistory *history, const SimView *view)
{
  for (guint i = 0; i < history->processes->len; i++) {
    SimProcess *process = sim_history_get_process (history, i);
    gint at = find_stay (process, view);

    if (at < 0)
      continue;
    sim_history_add_witness (history, i,
        ((SimStay *) process->stays->pdata[at])->line);
    return;
  }
}

static void
check_primary (SimHistory *history)
{
  g_autoptr (GPtrArray) line = g_ptr_array_new ();

  for (guint i = 0; i < history->views->len; i++)
    if (((SimView *) history->views->pdata[i])->primary)
      g_ptr_array_add (line, history->views->pdata[i]);
  g_ptr_array_sort (line, compare_views);
  for (guint i = 1; i < line->len; i++) {
    SimView *before = line->pdata[i - 1], *view = line->pdata[i];

    if (before->number != view->number
        && has_quorum_of (history, before, view))
      continue;
    if (sim_history_found (history, "primary: views %" G_GUINT64_FORMAT
            " and %" G_GUINT64_FORMAT " are both primary, but of different"
            " lines", before->number, view->number)) {
      witness_view (history, before);
      witness_view (history, view);
    }
  }
}

char *
sim_history_check (SimHistory *history, gboolean strict)
{
  g_clear_pointer (&history->wrong, g_free);
  if (strict && history->recorded)
    return g_strdup (history->recorded);
  for (guint i = 0; i < history->processes->len; i++) {
    check_own_views (history, i);
    check_deliveries (history, i);
  }
  check_pairs (history, strict);
  if (strict)
    check_safe (history);
  check_primary (history);
  return g_steal_pointer (&history->wrong);
}

static gboolean
is_member (SimProcess *process)
{
  return !process->crashed && !process->ended && process->stays->len > 0;
}

static void
check_own_delivered (SimHistory *history, guint index)
{
  SimProcess *process = sim_history_get_process (history, index);
  guint n = 0;

  if (!is_member (process))
    return;
  for (guint i = 0; i < process->stays->len; i++) {
    SimStay *stay = process->stays->pdata[i];

    for (guint j = 0; j < stay->delivered->len; j++)
      if (delivery_at (stay, j)->sender == process->id)
        n++;
  }
  if (n != process->sent->len
      && sim_history_found (history, "liveness: %s sent %u messages and was"
          " delivered %u of them", process->name, process->sent->len, n))
    sim_history_add_witness (history, index, process->line);
}

static void
check_alone (SimHistory *history, guint index)
{
  SimProcess *process = sim_history_get_process (history, index);

  if (!process->crashed && !process->ended && process->stays->len == 0
      && sim_history_found (history,
          "liveness: %s waits for its first view for ever", process->name))
    sim_history_add_witness (history, index, process->line);
  if (process->asked_to_leave && is_member (process)
      && sim_history_found (history, "liveness: %s does not come to leave",
          process->name))
    sim_history_add_witness (history, index, process->line);
  check_own_delivered (history, index);
}

/* Two that are left, of @n. */
static void
check_last_views (SimHistory *history, guint a, guint b, guint n)
{
  SimProcess *pa = sim_history_get_process (history, a);
  SimProcess *pb = sim_history_get_process (history, b);
  SimStay *in_a = last_stay (pa), *in_b = last_stay (pb);
  g_autofree char *sa = view_to_string (history, in_a->view);
  g_autofree char *sb = view_to_string (history, in_b->view);
  gboolean wrong = FALSE;

  if (in_a->view != in_b->view)
    wrong = sim_history_found (history, "liveness: at the end %s is in %s and"
        " %s in %s", pa->name, sa, pb->name, sb);
  else if (in_a->view->members->len != n)
    wrong = sim_history_found (history, "liveness: at the end %s is in %s, but"
        " %u are there", pa->name, sa, n);
  else
    check_same_set (history, a, in_a, b, in_b);
  if (!wrong)
    return;
  sim_history_add_witness (history, a, in_a->line);
  sim_history_add_witness (history, b, in_b->line);
}

/* Who was put out while it was cut off need not learn of it, if all who could tell
 * it have left. */
static gboolean
is_to_be_there (SimHistory *history, guint index)
{
  SimProcess *process = sim_history_get_process (history, index);

  return is_member (process) && !(sim_history_is_put_out (history, process->id)
      && last_stay (process)->view->members->len == 1);
}

/* Everybody who ever was in a view is there. */
static gboolean
is_nobody_missing (SimHistory *history)
{
  for (guint i = 0; i < history->processes->len; i++) {
    SimProcess *process = sim_history_get_process (history, i);

    if (process->stays->len > 0 && !is_member (process))
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_met (SimHistory *history, guint a, guint b)
{
  SimProcess *process = sim_history_get_process (history, a);

  for (guint i = 0; i < process->stays->len; i++)
    if (view_has (((SimStay *) process->stays->pdata[i])->view,
            sim_history_get_process (history, b)->id))
      return TRUE;
  return FALSE;
}

/* For each process the first of those that are there and can find it: who was in a
 * view with it, or with one of those. (Two newcomers of different parts, whose
 * inviters are all gone, do not know of each other.) */
static guint *
list_acquaintances (SimHistory *history)
{
  guint n = history->processes->len;
  guint *firsts = g_new (guint, n);
  gboolean changed = TRUE;

  for (guint i = 0; i < n; i++)
    firsts[i] = i;
  while (changed) {
    changed = FALSE;
    for (guint i = 0; i < n; i++)
      for (guint j = 0; j < n; j++)
        if (firsts[j] < firsts[i] && is_to_be_there (history, i)
            && is_to_be_there (history, j)
            && (has_met (history, i, j) || has_met (history, j, i))) {
          firsts[i] = firsts[j];
          changed = TRUE;
        }
  }
  return firsts;
}

char *
sim_history_check_liveness (SimHistory *history)
{
  g_autofree guint *firsts = list_acquaintances (history);
  gboolean is_primary = FALSE, is_anybody_there = FALSE;

  g_clear_pointer (&history->wrong, g_free);
  for (guint i = 0; i < history->processes->len; i++)
    check_alone (history, i);
  for (guint i = 0; i < history->processes->len; i++) {
    guint n = 0;

    if (!is_to_be_there (history, i))
      continue;
    for (guint j = 0; j < history->processes->len; j++)
      n += is_to_be_there (history, j) && firsts[j] == firsts[i];
    check_last_views (history, i, firsts[i], n);
    is_anybody_there = TRUE;
    is_primary |= last_stay (sim_history_get_process (history,
            i))->view->primary;
  }
  if (is_anybody_there && is_nobody_missing (history) && !is_primary)
    sim_history_found (history, "liveness: at the end nobody is missing, and the"
        " view is not primary");
  return g_steal_pointer (&history->wrong);
}
