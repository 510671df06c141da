/* bravis-ca.h: the command `bravis ca` */
#pragma once

/* @argv[0] is "bravis ca". Returns the exit code: 0, 1 where it failed, 2 where
 * the command line is wrong. */
int bravis_ca_main (int argc, char **argv);
