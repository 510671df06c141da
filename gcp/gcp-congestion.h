/* gcp-congestion.h: how much may be under way on a path
 *
 * What a link sends yields to everything else on the same path, media above all:
 * a window is widened while the queues on the path are short, and narrowed in
 * proportion as they grow, long before anything overflows. This is LEDBAT (RFC
 * 6817) as LEDBAT++ mends it (draft-irtf-iccrg-ledbat-plus-plus): the delay is
 * that of the round trip, slow start ends when queues begin to grow, the decrease
 * is multiplicative, and now and then the window is closed for two round trips, so
 * that the path's own delay is seen again. Two things differ: the gain is 1, as in
 * RFC 6817, also on short paths; and a loss while queues are short is taken for
 * chance, as in TCP Veno (Fu and Liew, IEEE JSAC 21(2), 2003): it costs a fifth of
 * the window, which may then grow again as in slow start, since radio links lose
 * without being full and a group must go on then, too. (Queues are short while they
 * delay by less than half of the target and half of what datagrams differ by.) That
 * ends where two of five segments are lost: a path that drops what it cannot carry,
 * without queues.
 *
 * The window is in segments, times are microseconds.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define GCP_CONGESTION_TARGET 60000     /* µs: most delay by queues */
#define GCP_CONGESTION_FIRST_WINDOW 16
#define GCP_CONGESTION_MIN_WINDOW 3

#define GCP_CONGESTION_RECENT 10        /* samples */
#define GCP_CONGESTION_MINUTES 10

typedef struct {
  double most;                  /* the window is never wider */
  double window;
  double threshold;             /* of slow start */
  gint64 recent[GCP_CONGESTION_RECENT];
  guint n_samples;
  gint64 least[GCP_CONGESTION_MINUTES]; /* round trip of each minute */
  gint64 minute_began;
  gint64 last_cut;
  double loss;                  /* share of the last segments */
  /* the slowdown: when the next begins; when the closed window opens again; when
   * it began, until the window is what it was */
  gint64 slow_at, closed_until, slow_since;
} GcpCongestion;

void gcp_congestion_init (GcpCongestion *c, double most, gint64 now);

void gcp_congestion_sample (GcpCongestion *c, gint64 round_trip, gint64 now);

/* @n segments were acknowledged; @full: all of the window was under way. */
void gcp_congestion_acked (GcpCongestion *c, guint n, gboolean full,
    gint64 now);

/* Something that was sent at @sent was lost. */
void gcp_congestion_lost (GcpCongestion *c, gint64 sent, gint64 now);

/* Nothing comes through any more. */
void gcp_congestion_collapse (GcpCongestion *c, gint64 now);

/* Segments that may be under way. */
guint gcp_congestion_get_window (const GcpCongestion *c);

/* Time that datagrams wait in queues on the path. */
gint64 gcp_congestion_get_delay (const GcpCongestion *c);

G_END_DECLS
