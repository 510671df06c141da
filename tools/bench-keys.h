/* bench-keys.h: what key changes cost, by group size
 *
 * Real VTKD engines with real certificates, driven in memory: one queue is the
 * group's order. Each member's processor time is taken alone, from the view (for a
 * join also the verification of cards before it) until everybody has the epoch.
 */
#pragma once

int bench_keys_main (int argc, char **argv);
