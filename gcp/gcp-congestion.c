#include "gcp-congestion.h"

#define MINUTE (60 * G_USEC_PER_SEC)
#define SLOWDOWN_ROUND_TRIPS 2
#define SLOWDOWN_SHARE 9                /* times as long until the next */

#define CHANCE_FACTOR 0.8               /* Veno's 4/5 */
#define MOST_BY_CHANCE 0.4              /* share of segments lost ... */
#define LOSS_MEMORY 64                  /* ... of so many */

void
gcp_congestion_init (GcpCongestion *c, double most, gint64 now)
{
  *c = (GcpCongestion) {
    .most = most,.window = MIN (GCP_CONGESTION_FIRST_WINDOW, most),
    .threshold = G_MAXDOUBLE,.minute_began = now,.last_cut = now,
    .slow_at = G_MAXINT64
  };
  for (guint i = 0; i < GCP_CONGESTION_MINUTES; i++)
    c->least[i] = G_MAXINT64;
}

static gint64
get_least (const gint64 *values, guint n)
{
  gint64 least = G_MAXINT64;

  for (guint i = 0; i < n; i++)
    least = MIN (least, values[i]);
  return least;
}

/* The round trip without queues. */
static gint64
get_base (const GcpCongestion *c)
{
  return get_least (c->least, GCP_CONGESTION_MINUTES);
}

/* As it is now, but for what single datagrams had to wait. */
static gint64
get_recent (const GcpCongestion *c)
{
  return get_least (c->recent, MIN (c->n_samples, GCP_CONGESTION_RECENT));
}

/* How much the last datagrams differ: so much may be no queue. */
static gint64
get_jitter (const GcpCongestion *c)
{
  gint64 most = 0;

  for (guint i = 0; i < MIN (c->n_samples, GCP_CONGESTION_RECENT); i++)
    most = MAX (most, c->recent[i]);
  return most - get_recent (c);
}

gint64
gcp_congestion_get_delay (const GcpCongestion *c)
{
  return c->n_samples > 0 ? get_recent (c) - get_base (c) : 0;
}

guint
gcp_congestion_get_window (const GcpCongestion *c)
{
  return c->closed_until > 0 ? GCP_CONGESTION_MIN_WINDOW : (guint) c->window;
}

void
gcp_congestion_sample (GcpCongestion *c, gint64 round_trip, gint64 now)
{
  if (now - c->minute_began >= MINUTE) {
    for (guint i = GCP_CONGESTION_MINUTES - 1; i > 0; i--)
      c->least[i] = c->least[i - 1];
    c->least[0] = G_MAXINT64;
    c->minute_began = now;
  }
  c->least[0] = MIN (c->least[0], round_trip);
  c->recent[c->n_samples++ % GCP_CONGESTION_RECENT] = round_trip;
  if (c->n_samples == 2 * GCP_CONGESTION_RECENT)
    c->n_samples = GCP_CONGESTION_RECENT;
}

/* Closes the window, and later opens it again as slow start does. */
static void
run_slowdown (GcpCongestion *c, gint64 now)
{
  if (c->closed_until > 0 && now >= c->closed_until) {
    c->closed_until = 0;
    c->window = GCP_CONGESTION_MIN_WINDOW;
  } else if (c->closed_until == 0 && now >= c->slow_at) {
    c->slow_at = G_MAXINT64;
    c->slow_since = now;
    c->threshold = c->window;
    c->closed_until = now + SLOWDOWN_ROUND_TRIPS * get_recent (c);
  }
}

static void
leave_slow_start (GcpCongestion *c, gint64 now)
{
  c->threshold = c->window;
  c->slow_at = c->slow_since == 0
      ? now + SLOWDOWN_ROUND_TRIPS * get_recent (c)
      : now + SLOWDOWN_SHARE * (now - c->slow_since);
}

static void
count_loss (GcpCongestion *c, guint n, gboolean lost)
{
  for (guint i = 0; i < n; i++)
    c->loss += ((lost ? 1 : 0) - c->loss) / LOSS_MEMORY;
}

void
gcp_congestion_acked (GcpCongestion *c, guint n, gboolean full, gint64 now)
{
  double off_target =
      gcp_congestion_get_delay (c) / (double) GCP_CONGESTION_TARGET;
  double step = 1;

  count_loss (c, n, FALSE);
  if (c->n_samples == 0)
    return;
  run_slowdown (c, now);
  if (c->closed_until > 0)
    return;
  if (off_target > 1)
    step = MAX (1 - c->window * (off_target - 1), -c->window / 2);
  else if (!full)
    return;
  if (c->window >= c->threshold)
    c->window += step * n / c->window;
  else if (off_target > 0.75)
    leave_slow_start (c, now);
  else if ((c->window += n) >= c->threshold)
    leave_slow_start (c, now);
  c->window = CLAMP (c->window, GCP_CONGESTION_MIN_WINDOW, c->most);
}

/* What was sent before the last cut was lost by what that answered. After a loss by
 * chance the window soon is what it was. */
void
gcp_congestion_lost (GcpCongestion *c, gint64 sent, gint64 now)
{
  gboolean by_chance = c->loss < MOST_BY_CHANCE
      && gcp_congestion_get_delay (c)
      < GCP_CONGESTION_TARGET / 2 + get_jitter (c) / 2;

  count_loss (c, 1, TRUE);
  if (sent < c->last_cut)
    return;
  c->last_cut = now;
  c->window = MAX (c->window * (by_chance ? CHANCE_FACTOR : 0.5),
      GCP_CONGESTION_MIN_WINDOW);
  if (!by_chance)
    c->threshold = c->window;
}

void
gcp_congestion_collapse (GcpCongestion *c, gint64 now)
{
  c->last_cut = now;
  c->threshold = MAX (c->window / 2, GCP_CONGESTION_FIRST_WINDOW);
  c->window = GCP_CONGESTION_MIN_WINDOW;
}
