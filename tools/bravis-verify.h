/* bravis-verify.h: the command `bravis verify` */
#pragma once

/* @argv[0] is "verify". Returns the exit code: 0, 1 where something was lost,
 * doubled, altered or in another order, or it failed, 2 where the command line is
 * wrong. */
int bravis_verify_main (int argc, char **argv);
