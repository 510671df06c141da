/* bravis-bench.h: the command `bravis bench` */
#pragma once

/* @argv[0] is "bench". Returns the exit code: 0, 1 where it failed, 2 where the
 * command line is wrong. */
int bravis_bench_main (int argc, char **argv);
