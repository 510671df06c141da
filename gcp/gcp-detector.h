/* gcp-detector.h: how long a silence must be to mean a crash
 *
 * Every datagram of a link bears its number, so a receiver knows which share of
 * them the network loses; the link also measures how much delays vary. From these
 * two a detector computes how often it wants to hear the other, which the other
 * is told, and the silence after which it takes the other for crashed, so that a
 * member that runs, or stops for some time, is wrongly suspected less often than
 * a bound that is named below. That is the method of Chen, Toueg and Aguilera,
 * "On the Quality of Service of Failure Detectors" (IEEE Transactions on
 * Computers 51(5), 2002), with the accuracy given and the time until detection as
 * short as it allows. A path that loses little is so left at the times that are
 * configured, and costs no more than they do.
 *
 * Times are microseconds.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The chance that all signs of life before and after one stop are lost. */
#define GCP_DETECTOR_BOUND 1e-6

/* Signs of life are asked for up to this many times as often as usual. */
#define GCP_DETECTOR_HURRY 4

typedef struct {
  gint64 heartbeat;             /* between signs of life on a path that is good */
  gint64 suspicion;             /* the least silence that means a crash */
  gboolean any;
  guint32 newest;               /* number of a datagram */
  guint64 seen;                 /* bit i: newest - i came */
  double sent, came;            /* datagrams; older ones count for less */
  gint64 interval, silence;     /* computed */
} GcpDetector;

void gcp_detector_init (GcpDetector *detector, gint64 heartbeat,
    gint64 suspicion);

/* Datagram number @number came. @variation is the mean deviation of the round
 * trip, or negative where it is not known. */
void gcp_detector_heard (GcpDetector *detector, guint32 number,
    gint64 variation);

/* The share of datagrams that is lost, as far as is known. */
double gcp_detector_get_loss (const GcpDetector *detector);

/* Time between the other's signs of life that this side wants. */
gint64 gcp_detector_get_interval (const GcpDetector *detector);

gint64 gcp_detector_get_silence (const GcpDetector *detector);

G_END_DECLS
