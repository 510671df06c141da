#include "gcp-detector.h"

#include <math.h>

/* Loss is that of the last 256 datagrams or so. Before there are any it is taken
 * for 1 %. */
#define MEMORY 256.0
#define PRIOR_SENT 20.0
#define PRIOR_LOST 0.2
#define MAX_LOSS 0.5

#define UNKNOWN_VARIATION 25000
#define MIN_SPREAD 10000                /* clocks and schedulers are not exact */

/* Of the suspicion time, what a process may stop for: 500 of 800 ms. */
static gint64
get_stop (const GcpDetector *detector)
{
  return detector->suspicion * 5 / 8;
}

/* So many signs of life may be lost in a row: the chance of more is below the
 * bound. */
static double
get_losses_in_a_row (const GcpDetector *detector)
{
  return log (GCP_DETECTOR_BOUND) / log (gcp_detector_get_loss (detector));
}

static void
compute (GcpDetector *detector, gint64 variation)
{
  gint64 stop = get_stop (detector);
  gint64 spread = 4 * (variation < 0 ? UNKNOWN_VARIATION : variation);
  double n = get_losses_in_a_row (detector) + 1;
  gint64 left;

  spread = CLAMP (spread, MIN_SPREAD, detector->suspicion / 2);
  left = detector->suspicion - stop - spread;
  detector->interval = CLAMP ((gint64) (left / n),
      detector->heartbeat / GCP_DETECTOR_HURRY, detector->heartbeat);
  detector->silence = MAX (detector->suspicion,
      stop + spread + (gint64) (n * detector->interval));
}

void
gcp_detector_init (GcpDetector *detector, gint64 heartbeat, gint64 suspicion)
{
  *detector = (GcpDetector) {
    .heartbeat = heartbeat,.suspicion = suspicion
  };
  compute (detector, -1);
}

static void
count (GcpDetector *detector, guint32 step)
{
  double keep = pow (1 - 1 / MEMORY, step);

  detector->sent = detector->sent * keep + step;
  detector->came = detector->came * keep + 1;
}

void
gcp_detector_heard (GcpDetector *detector, guint32 number, gint64 variation)
{
  guint32 step = number - detector->newest;
  guint32 late = detector->newest - number;

  if (!detector->any || (gint32) step > 0) {
    /* After a long silence it is enough to know that there was one. */
    step = detector->any ? MIN (step, MEMORY) : 1;
    detector->seen = step < 64 ? detector->seen << step | 1 : 1;
    detector->newest = number;
    detector->any = TRUE;
    count (detector, step);
  } else if (late < 64 && !(detector->seen >> late & 1)) {
    detector->seen |= G_GUINT64_CONSTANT (1) << late;
    detector->came += 1;
  }
  compute (detector, variation);
}

double
gcp_detector_get_loss (const GcpDetector *detector)
{
  double lost = MAX (detector->sent - detector->came, 0) + PRIOR_LOST;

  return MIN (lost / (detector->sent + PRIOR_SENT), MAX_LOSS);
}

gint64
gcp_detector_get_interval (const GcpDetector *detector)
{
  return detector->interval;
}

gint64
gcp_detector_get_silence (const GcpDetector *detector)
{
  return detector->silence;
}
