/* bench-keys.h: what key changes cost, by group size
 *
 * Real VTKD engines with real certificates, driven in memory: one queue is the
 * group's order. Each member's processor time is taken alone, from the view (for a
 * join also the verification of the newcomer's card before it) until everybody has
 * the epoch. What the joiner verifies before it is in, the roster, is a figure of
 * its own: it keeps nobody else waiting.
 */
#pragma once

int bench_keys_main (int argc, char **argv);
