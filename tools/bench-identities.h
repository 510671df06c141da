/* bench-identities.h: peers made for a measurement or a test run */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes, where they are not there yet, an authority in @directory and the
 * identities member0@bench, member1@bench ..., and writes member0.conf ... for
 * conference "bench"; each listens at its address, on any port. */
gboolean bench_identities_write (const char *directory,
    const char *const *addresses, guint n_members, GError **error);

/* "member3@bench", DIRECTORY/member3SUFFIX. To be freed. */
char *bench_identities_get_name (guint index);
char *bench_identities_get_file (const char *directory, guint index,
    const char *suffix);

G_END_DECLS
