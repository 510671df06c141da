/* bench-media.h: bravis bench media */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

int bench_media_main (int argc, char **argv);

G_END_DECLS
