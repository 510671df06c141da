/* bench-place.h: where the members of a measured group run
 *
 * Either all in the network of the caller, on the loopback interface; or each in a
 * network namespace of its own, joined by virtual Ethernet cables and a bridge,
 * where datagrams can be lost by nftables. The latter needs root, ip and nft. What
 * was made is taken away again by bench_place_free ().
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _BenchPlace BenchPlace;

/* @loss: of each datagram on its way, 0 to 1; only where @apart. */
BenchPlace *bench_place_new (guint n_nodes, gboolean apart, double loss,
    GError **error);
void bench_place_free (BenchPlace *place);

/* Where node @index listens: an IP address. Owned by the place. */
const char *bench_place_get_address (BenchPlace *place, guint index);

/* Starts @argv there, its standard input and output on pipes. */
GSubprocess *bench_place_spawn (BenchPlace *place, guint index,
    const char *const *argv, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchPlace, bench_place_free)

G_END_DECLS
