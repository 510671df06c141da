/* bench-puzzle.h: bravis bench puzzle */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

int bench_puzzle_main (int argc, char **argv);

G_END_DECLS
