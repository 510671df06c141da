/* sim-network.h: a network in one process, in virtual time
 *
 * Nodes are indexes; a node is whatever its two functions do. Datagrams between
 * them are lost, doubled, delayed and overtaken as a seeded generator says, so
 * that one seed is one history and a failure can be played again. A node may
 * crash (it is never called again), be paused (it hears everything late, as a
 * process that was not scheduled does) and be cut off from others.
 *
 * Time is microseconds from 0 on and moves only from event to event. Nothing
 * here knows what the datagrams mean.
 *
 * All functions may be called from within the nodes' functions.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A generator of its own (splitmix64): the same numbers on every machine. */
typedef struct {
  guint64 state;
} SimRandom;

void sim_random_init (SimRandom *random, guint64 seed);
guint64 sim_random_u64 (SimRandom *random);
void sim_random_fill (SimRandom *random, gpointer out, gsize size);
/* From @low to @high, both included. */
gint64 sim_random_range (SimRandom *random, gint64 low, gint64 high);
gboolean sim_random_chance (SimRandom *random, double probability);

typedef struct {
  double loss;                  /* probability that a datagram is lost */
  double duplicate;             /* ... comes twice */
  double reorder;               /* ... is late by up to @late more */
  gint64 delay_min, delay_max;  /* µs one way */
  gint64 late;                  /* µs */
  gint64 rate;                  /* bytes a second that each node can send; 0: any */
  gint64 queue;                 /* bytes that wait for that; more are lost */
} SimConditions;

typedef struct {
  /* A datagram from node @from. @data is borrowed. */
  void (*receive) (gpointer user_data, guint from, const guint8 *data,
      gsize size, gint64 now);
  /* The deadline set for the node has come. */
  void (*tick) (gpointer user_data, gint64 now);
} SimNodeFuncs;

typedef struct _SimNetwork SimNetwork;

typedef void (*SimEventFunc) (SimNetwork *network, gpointer user_data);

/* What happened to a datagram, for traces. */
typedef void (*SimTapFunc) (guint from, guint to, const guint8 *data,
    gsize size, gint64 now, gpointer user_data);

SimNetwork *sim_network_new (guint64 seed, const SimConditions *conditions);
void sim_network_free (SimNetwork *network);

/* Returns the node's index; they count from 0. */
guint sim_network_add_node (SimNetwork *network, const SimNodeFuncs *funcs,
    gpointer user_data);

gint64 sim_network_now (const SimNetwork *network);
SimRandom *sim_network_random (SimNetwork *network);
void sim_network_set_conditions (SimNetwork *network,
    const SimConditions *conditions);

/* Sends; @data is copied. Nothing is sent by or to a crashed node. */
void sim_network_send (SimNetwork *network, guint from, guint to,
    gconstpointer data, gsize size);

/* The node's tick is called once at @time, in place of an earlier deadline.
 * G_MAXINT64: no deadline. */
void sim_network_set_deadline (SimNetwork *network, guint node, gint64 time);

/* Calls @func once at @time. */
void sim_network_at (SimNetwork *network, gint64 time, SimEventFunc func,
    gpointer user_data);

void sim_network_crash (SimNetwork *network, guint node);
gboolean sim_network_is_crashed (const SimNetwork *network, guint node);

/* What comes for the node before @until is handed over at @until. */
void sim_network_pause (SimNetwork *network, guint node, gint64 until);

/* Nodes hear each other only within one side; all start on side 0. */
void sim_network_set_side (SimNetwork *network, guint node, guint side);

/* What @from sends to @to is lost, until all cuts are mended. For the first 64
 * nodes. */
void sim_network_cut (SimNetwork *network, guint from, guint to);
void sim_network_mend (SimNetwork *network);

/* Every datagram as it is sent, before its fate is drawn. */
void sim_network_set_tap (SimNetwork *network, SimTapFunc tap,
    gpointer user_data);

/* Runs all events up to @time; afterwards it is @time. */
void sim_network_run_until (SimNetwork *network, gint64 time);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimNetwork, sim_network_free)

G_END_DECLS
