#include "sim-history.h"

/* A view as its members name it. */
typedef struct {
  guint64 number;
  gboolean primary;
  GArray *members;              /* of GcpMemberId */
  guint order;                  /* of its first installation */
} View;

typedef struct {
  guint64 message;
  GcpMemberId sender;
  GcpQuality quality;
} Delivery;

/* One process's time in one view. */
typedef struct {
  View *view;
  GArray *delivered;            /* of Delivery */
} Stay;

typedef struct {
  guint64 message;
  guint serial;                 /* among those of its sender, from 0 */
  guint process;
  GcpQuality quality;
  gboolean open;
  View *view;                   /* its sender's when it multicast */
  View *delivered_in;
} Sent;

typedef struct {
  GcpMemberId id;
  GPtrArray *stays;             /* of Stay */
  GPtrArray *sent;              /* of Sent, borrowed */
  gboolean crashed, asked_to_leave, ended;
  GcpEndReason reason;
} Process;

struct _SimHistory {
  GPtrArray *processes;
  GPtrArray *views;
  GHashTable *sent;             /* message -> Sent */
  GArray *put_out;              /* of GcpMemberId */
  char *recorded;               /* found while recording */
  char *wrong;                  /* found by the check that runs */
};

static void
view_free (View *view)
{
  g_array_unref (view->members);
  g_free (view);
}

static void
stay_free (Stay *stay)
{
  g_array_unref (stay->delivered);
  g_free (stay);
}

static void
process_free (Process *process)
{
  g_ptr_array_unref (process->stays);
  g_ptr_array_unref (process->sent);
  g_free (process);
}

SimHistory *
sim_history_new (void)
{
  SimHistory *history = g_new0 (SimHistory, 1);

  history->processes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) process_free);
  history->views = g_ptr_array_new_with_free_func ((GDestroyNotify) view_free);
  history->sent = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
      g_free);
  history->put_out = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  return history;
}

void
sim_history_free (SimHistory *history)
{
  g_ptr_array_unref (history->processes);
  g_ptr_array_unref (history->views);
  g_hash_table_unref (history->sent);
  g_array_unref (history->put_out);
  g_free (history->recorded);
  g_free (history->wrong);
  g_free (history);
}

static Process *
get_process (SimHistory *history, guint index)
{
  return history->processes->pdata[index];
}

static gint
find_process (SimHistory *history, GcpMemberId id)
{
  for (guint i = 0; i < history->processes->len; i++)
    if (get_process (history, i)->id == id)
      return i;
  return -1;
}

static Stay *
last_stay (Process *process)
{
  return process->stays->len > 0
      ? process->stays->pdata[process->stays->len - 1] : NULL;
}

static gboolean
view_has (const View *view, GcpMemberId id)
{
  for (guint i = 0; i < view->members->len; i++)
    if (g_array_index (view->members, GcpMemberId, i) == id)
      return TRUE;
  return FALSE;
}

static char *
view_to_string (SimHistory *history, const View *view)
{
  GString *string = g_string_new (NULL);

  g_string_append_printf (string, "view %" G_GUINT64_FORMAT "%s {",
      view->number, view->primary ? "" : " (not primary)");
  for (guint i = 0; i < view->members->len; i++)
    g_string_append_printf (string, "%s%d", i ? " " : "",
        find_process (history, g_array_index (view->members, GcpMemberId, i)));
  g_string_append_c (string, '}');
  return g_string_free (string, FALSE);
}

static void G_GNUC_PRINTF (2, 3)
found (SimHistory *history, const char *format, ...)
{
  va_list args;

  if (history->wrong)
    return;
  va_start (args, format);
  history->wrong = g_strdup_vprintf (format, args);
  va_end (args);
}

/* ---- recording ---- */

guint
sim_history_add_process (SimHistory *history, GcpMemberId id)
{
  Process *process = g_new0 (Process, 1);

  process->id = id;
  process->stays = g_ptr_array_new_with_free_func ((GDestroyNotify) stay_free);
  process->sent = g_ptr_array_new ();
  g_ptr_array_add (history->processes, process);
  return history->processes->len - 1;
}

void
sim_history_sent (SimHistory *history, guint index, guint64 message,
    GcpQuality quality, gboolean open)
{
  Process *process = get_process (history, index);
  Sent *sent = g_new0 (Sent, 1);

  sent->message = message;
  sent->serial = process->sent->len;
  sent->process = index;
  sent->quality = quality;
  sent->open = open;
  sent->view = last_stay (process)->view;
  g_ptr_array_add (process->sent, sent);
  g_hash_table_insert (history->sent, &sent->message, sent);
}

void
sim_history_delivered (SimHistory *history, guint index, GcpMemberId sender,
    guint64 message, GcpQuality quality)
{
  Stay *stay = last_stay (get_process (history, index));
  Delivery delivery = { message, sender, quality };

  g_assert_nonnull (stay);      /* the engine has no view to deliver in */
  g_array_append_val (stay->delivered, delivery);
}

static View *
need_view (SimHistory *history, const GcpView *gcp_view)
{
  View *view;
  guint n = gcp_view_get_n_members (gcp_view);

  for (guint i = 0; i < history->views->len; i++) {
    gboolean same;

    view = history->views->pdata[i];
    same = view->number == gcp_view_get_number (gcp_view)
        && view->primary == gcp_view_is_primary (gcp_view)
        && view->members->len == n;
    for (guint j = 0; same && j < n; j++)
      same = g_array_index (view->members, GcpMemberId, j)
          == gcp_view_get_member (gcp_view, j)->id;
    if (same)
      return view;
  }
  view = g_new0 (View, 1);
  view->number = gcp_view_get_number (gcp_view);
  view->primary = gcp_view_is_primary (gcp_view);
  view->members = g_array_new (FALSE, FALSE, sizeof (GcpMemberId));
  view->order = history->views->len;
  for (guint j = 0; j < n; j++)
    g_array_append_val (view->members, gcp_view_get_member (gcp_view, j)->id);
  g_ptr_array_add (history->views, view);
  return view;
}

void
sim_history_view (SimHistory *history, guint index, const GcpView *gcp_view)
{
  Stay *stay = g_new0 (Stay, 1);

  stay->view = need_view (history, gcp_view);
  stay->delivered = g_array_new (FALSE, FALSE, sizeof (Delivery));
  g_ptr_array_add (get_process (history, index)->stays, stay);
}

static gboolean
is_put_out (SimHistory *history, GcpMemberId id)
{
  for (guint i = 0; i < history->put_out->len; i++)
    if (g_array_index (history->put_out, GcpMemberId, i) == id)
      return TRUE;
  return FALSE;
}

void
sim_history_departure (SimHistory *history, guint index, GcpMemberId member,
    GcpDeparture why)
{
  gint who = find_process (history, member);
  Process *gone;

  g_assert_cmpint (who, >=, 0);
  gone = get_process (history, who);
  /* Who is put out may first notice that the others hung up. */
  if (why == GCP_FAILED && !gone->crashed && !gone->ended
      && !is_put_out (history, get_process (history, index)->id))
    found (history, "thrown out: %u took %d for crashed, which it is not",
        index, who);
  if (why == GCP_LEFT && !gone->asked_to_leave)
    found (history, "thrown out: %u says %d left, which it did not", index,
        who);
  if (why == GCP_PUT_OUT && !is_put_out (history, member))
    found (history, "thrown out: %u put out %d, which nobody decided", index,
        who);
  if (!history->recorded)
    history->recorded = g_steal_pointer (&history->wrong);
  g_clear_pointer (&history->wrong, g_free);
}

void
sim_history_ended (SimHistory *history, guint index, GcpEndReason reason)
{
  Process *process = get_process (history, index);

  process->ended = TRUE;
  process->reason = reason;
}

void
sim_history_crashed (SimHistory *history, guint index)
{
  get_process (history, index)->crashed = TRUE;
}

void
sim_history_left (SimHistory *history, guint index)
{
  get_process (history, index)->asked_to_leave = TRUE;
}

void
sim_history_put_out (SimHistory *history, GcpMemberId member)
{
  g_array_append_val (history->put_out, member);
}

/* ---- checking ---- */

static void
check_own_views (SimHistory *history, guint index)
{
  Process *process = get_process (history, index);

  for (guint i = 0; i < process->stays->len; i++) {
    View *view = ((Stay *) process->stays->pdata[i])->view;

    if (!view_has (view, process->id))
      found (history, "agreement: %u installed view %" G_GUINT64_FORMAT
          " without itself", index, view->number);
    if (i > 0 && view->number
        <= ((Stay *) process->stays->pdata[i - 1])->view->number)
      found (history, "agreement: view numbers of %u do not grow", index);
  }
}

static gint
find_stay (Process *process, const View *view)
{
  for (guint i = 0; i < process->stays->len; i++)
    if (((Stay *) process->stays->pdata[i])->view == view)
      return i;
  return -1;
}

static Stay *
next_stay (Process *process, gint at)
{
  return at >= 0 && at + 1 < (gint) process->stays->len
      ? process->stays->pdata[at + 1] : NULL;
}

static void
check_same_set (SimHistory *history, guint a, Stay *in_a, guint b, Stay *in_b)
{
  gsize n = MIN (in_a->delivered->len, in_b->delivered->len);

  for (gsize i = 0; i < n; i++)
    if (g_array_index (in_a->delivered, Delivery, i).message
        != g_array_index (in_b->delivered, Delivery, i).message) {
      found (history, "same set: %u and %u left view %" G_GUINT64_FORMAT
          " together, but their deliveries number %" G_GSIZE_FORMAT
          " in it differ", a, b, in_a->view->number, i);
      return;
    }
  if (in_a->delivered->len != in_b->delivered->len)
    found (history, "same set: %u and %u left view %" G_GUINT64_FORMAT
        " together, after %u and %u deliveries", a, b, in_a->view->number,
        in_a->delivered->len, in_b->delivered->len);
}

static void
check_pair_of_stays (SimHistory *history, guint a, guint b, gint at_a,
    gint at_b, gboolean strict)
{
  Process *pa = get_process (history, a), *pb = get_process (history, b);
  Stay *next_a = next_stay (pa, at_a), *next_b = next_stay (pb, at_b);
  g_autofree char *sa = NULL, *sb = NULL;

  if (!next_a || !next_b)
    return;
  if (next_a->view == next_b->view) {
    check_same_set (history, a, pa->stays->pdata[at_a], b,
        pb->stays->pdata[at_b]);
    return;
  }
  strict = strict && !is_put_out (history, pa->id)
      && !is_put_out (history, pb->id);
  if (!strict && !(view_has (next_a->view, pb->id)
          && view_has (next_b->view, pa->id)))
    return;
  sa = view_to_string (history, next_a->view);
  sb = view_to_string (history, next_b->view);
  found (history, "agreement: %u and %u were in view %" G_GUINT64_FORMAT
      ", then %u installed %s and %u %s", a, b,
      ((Stay *) pa->stays->pdata[at_a])->view->number, a, sa, b, sb);
}

/* No two safe messages in opposite orders, not even at members that crash later.
 * (An agreed message may be delivered by its sequencer alone, which then crashes:
 * the others need not follow it.) */
static void
check_order (SimHistory *history, guint a, Stay *in_a, guint b, Stay *in_b)
{
  g_autoptr (GHashTable) places =
      g_hash_table_new (g_int64_hash, g_int64_equal);
  guint last = 0;

  for (guint i = 0; i < in_a->delivered->len; i++)
    g_hash_table_insert (places,
        &g_array_index (in_a->delivered, Delivery, i).message,
        GUINT_TO_POINTER (i + 1));
  for (guint i = 0; i < in_b->delivered->len; i++) {
    Delivery *delivery = &g_array_index (in_b->delivered, Delivery, i);
    guint place = GPOINTER_TO_UINT (g_hash_table_lookup (places,
            &delivery->message));

    if (place == 0 || delivery->quality != GCP_SAFE)
      continue;
    if (place < last)
      found (history, "total order: %u and %u delivered in opposite orders in"
          " view %" G_GUINT64_FORMAT, a, b, in_a->view->number);
    last = place;
  }
}

static void
check_pairs (SimHistory *history, gboolean strict)
{
  for (guint a = 0; a < history->processes->len; a++)
    for (guint b = a + 1; b < history->processes->len; b++) {
      Process *pa = get_process (history, a), *pb = get_process (history, b);

      for (guint i = 0; i < pa->stays->len; i++) {
        Stay *stay = pa->stays->pdata[i];
        gint j = find_stay (pb, stay->view);

        if (j < 0)
          continue;
        check_pair_of_stays (history, a, b, i, j, strict);
        if (strict)
          check_order (history, a, stay, b, pb->stays->pdata[j]);
      }
    }
}

static void
check_delivery (SimHistory *history, guint index, Stay *stay,
    const Delivery *delivery, GHashTable *seen)
{
  Sent *sent = g_hash_table_lookup (history->sent, &delivery->message);

  if (!g_hash_table_add (seen, (gpointer) &delivery->message))
    found (history, "integrity: %u was delivered a message twice", index);
  if (!sent || get_process (history, sent->process)->id != delivery->sender) {
    found (history, "integrity: %u was delivered what nobody sent", index);
    return;
  }
  if (sent->quality != delivery->quality)
    found (history, "integrity: a quality was altered");
  if (!view_has (stay->view, delivery->sender))
    found (history, "sending view: %u was delivered a message of %u in view %"
        G_GUINT64_FORMAT ", which %u is not in", index, sent->process,
        stay->view->number, sent->process);
  if (sent->open ? stay->view != sent->view
      : stay->view->number < sent->view->number)
    found (history, "sending view: %u sent number %u in view %"
        G_GUINT64_FORMAT ", %u was delivered it in %" G_GUINT64_FORMAT,
        sent->process, sent->serial, sent->view->number, index,
        stay->view->number);
  if (!sent->delivered_in)
    sent->delivered_in = stay->view;
  if (sent->delivered_in != stay->view)
    found (history, "sending view: a message of %u was delivered in view %"
        G_GUINT64_FORMAT " and in %" G_GUINT64_FORMAT, sent->process,
        sent->delivered_in->number, stay->view->number);
}

static void
check_deliveries (SimHistory *history, guint index)
{
  Process *process = get_process (history, index);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autofree gint64 *last = g_new (gint64, history->processes->len);

  for (guint i = 0; i < history->processes->len; i++)
    last[i] = -1;
  for (guint i = 0; i < process->stays->len; i++) {
    Stay *stay = process->stays->pdata[i];

    for (guint j = 0; j < stay->delivered->len; j++) {
      Delivery *delivery = &g_array_index (stay->delivered, Delivery, j);
      Sent *sent = g_hash_table_lookup (history->sent, &delivery->message);

      check_delivery (history, index, stay, delivery, seen);
      if (!sent)
        continue;
      /* Who joins late does not get the first ones, but then all. */
      if (last[sent->process] >= 0 && sent->serial != last[sent->process] + 1)
        found (history, "integrity: %u was delivered number %u of %u after %"
            G_GINT64_FORMAT, index, sent->serial, sent->process,
            last[sent->process]);
      last[sent->process] = sent->serial;
    }
  }
}

/* What anybody delivered as safe in that view, whoever goes on from it did too. */
static void
check_safe_at (SimHistory *history, guint b, Stay *stay)
{
  g_autoptr (GHashTable) had = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (guint i = 0; i < stay->delivered->len; i++)
    g_hash_table_add (had,
        &g_array_index (stay->delivered, Delivery, i).message);
  for (guint a = 0; a < history->processes->len; a++) {
    Process *pa = get_process (history, a);
    /* Who is put out may notice late, and end alone. */
    gint at = is_put_out (history, pa->id) ? -1 : find_stay (pa, stay->view);
    Stay *theirs = at >= 0 ? pa->stays->pdata[at] : NULL;

    for (guint i = 0; theirs && i < theirs->delivered->len; i++) {
      Delivery *delivery = &g_array_index (theirs->delivered, Delivery, i);

      if (delivery->quality == GCP_SAFE
          && !g_hash_table_contains (had, &delivery->message))
        found (history, "safe: %u was delivered a safe message in view %"
            G_GUINT64_FORMAT " that %u never got, which went on", a,
            stay->view->number, b);
    }
  }
}

static void
check_safe (SimHistory *history)
{
  for (guint b = 0; b < history->processes->len; b++) {
    Process *process = get_process (history, b);

    /* Who is put out does not go on with the others. */
    for (guint i = 0; i + 1 < process->stays->len
        && !is_put_out (history, process->id); i++)
      check_safe_at (history, b, process->stays->pdata[i]);
  }
}

static gint
compare_views (gconstpointer a, gconstpointer b)
{
  const View *va = *(View *const *) a, *vb = *(View *const *) b;

  return va->number < vb->number ? -1 : va->number > vb->number;
}

/* Everybody in it left in order: its newcomers follow it, and share nobody. */
static gboolean
have_all_left (SimHistory *history, const View *view)
{
  for (guint i = 0; i < view->members->len; i++) {
    gint who = find_process (history,
        g_array_index (view->members, GcpMemberId, i));

    if (who < 0 || !get_process (history, who)->asked_to_leave)
      return FALSE;
  }
  return TRUE;
}

static void
check_primary (SimHistory *history)
{
  g_autoptr (GPtrArray) line = g_ptr_array_new ();

  for (guint i = 0; i < history->views->len; i++)
    if (((View *) history->views->pdata[i])->primary)
      g_ptr_array_add (line, history->views->pdata[i]);
  g_ptr_array_sort (line, compare_views);
  for (guint i = 1; i < line->len; i++) {
    View *before = line->pdata[i - 1], *view = line->pdata[i];
    gboolean linked = have_all_left (history, before);

    for (guint j = 0; j < before->members->len; j++)
      linked = linked || view_has (view, g_array_index (before->members,
              GcpMemberId, j));
    if (before->number == view->number || !linked)
      found (history, "primary: views %" G_GUINT64_FORMAT " and %"
          G_GUINT64_FORMAT " are both primary, but of different lines",
          before->number, view->number);
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
is_member (Process *process)
{
  return !process->crashed && !process->ended && process->stays->len > 0;
}

static void
check_own_delivered (SimHistory *history, guint index)
{
  Process *process = get_process (history, index);
  guint n = 0;

  if (!is_member (process))
    return;
  for (guint i = 0; i < process->stays->len; i++) {
    Stay *stay = process->stays->pdata[i];

    for (guint j = 0; j < stay->delivered->len; j++)
      if (g_array_index (stay->delivered, Delivery, j).sender == process->id)
        n++;
  }
  if (n != process->sent->len)
    found (history, "liveness: %u sent %u messages and was delivered %u of"
        " them", index, process->sent->len, n);
}

char *
sim_history_check_liveness (SimHistory *history)
{
  gint first = -1;
  guint n = 0;

  g_clear_pointer (&history->wrong, g_free);

  for (guint i = 0; i < history->processes->len; i++) {
    Process *process = get_process (history, i);

    if (!process->crashed && !process->ended && process->stays->len == 0)
      found (history, "liveness: %u waits for its first view for ever", i);
    if (process->asked_to_leave && is_member (process))
      found (history, "liveness: %u does not come to leave", i);
    check_own_delivered (history, i);
    if (!is_member (process))
      continue;
    n++;
    if (first < 0)
      first = i;
  }
  for (guint i = 0; first >= 0 && i < history->processes->len; i++) {
    Stay *mine, *other = last_stay (get_process (history, first));
    g_autofree char *a = NULL, *b = NULL;

    if (!is_member (get_process (history, i)))
      continue;
    mine = last_stay (get_process (history, i));
    a = view_to_string (history, mine->view);
    b = view_to_string (history, other->view);
    if (mine->view != other->view)
      found (history, "liveness: at the end %u is in %s and %d in %s", i, a,
          first, b);
    else if (mine->view->members->len != n)
      found (history, "liveness: at the end %u is in %s, but %u are there", i,
          a, n);
    else
      check_same_set (history, i, mine, first, other);
  }
  return g_steal_pointer (&history->wrong);
}

guint
sim_history_count_views (SimHistory *history)
{
  return history->views->len;
}

guint
sim_history_count_delivered (SimHistory *history)
{
  guint n = 0;

  for (guint i = 0; i < history->processes->len; i++) {
    Process *process = get_process (history, i);

    for (guint j = 0; j < process->stays->len; j++)
      n += ((Stay *) process->stays->pdata[j])->delivered->len;
  }
  return n;
}
