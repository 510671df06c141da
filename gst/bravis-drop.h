/* bravis-drop.h: why a frame or packet was not passed on */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Stats have one counter for each. */
typedef enum {
  BRAVIS_DROP_NONE = 0,
  BRAVIS_DROP_MALFORMED,        /* not RTP, or not SFrame */
  BRAVIS_DROP_UNKNOWN_EPOCH,    /* no key for it: not yet, or not any more */
  BRAVIS_DROP_UNKNOWN_SENDER,   /* KID names no member, or oneself */
  BRAVIS_DROP_REPLAYED,         /* seen before */
  BRAVIS_DROP_TOO_OLD,          /* before the replay window: nobody can tell */
  BRAVIS_DROP_FORGED,           /* the tag is wrong */
  BRAVIS_DROP_NO_KEY,           /* sender: no epoch yet, or sending is closed */
  BRAVIS_DROP_NOT_ALLOWED       /* of another kind than this receiver takes */
} BravisDrop;

#define BRAVIS_N_DROPS 9

const char *bravis_drop_to_string (BravisDrop drop);    /* "replayed" ... */

G_END_DECLS
