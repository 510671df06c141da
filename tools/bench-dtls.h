/* bench-dtls.h: what DTLS costs (dtlsenc, dtlsdec), as far as it can be compared
 *
 * Two ends in this process, which have agreed upon keys. dtlsenc has a thread of its own
 * that pushes what it encrypted, so its figure is the processor time of the whole
 * process, less the same with a queue in its place. That this thread is woken for each
 * packet of a live stream is left out: it gets many at a time. dtlsdec works in the
 * thread that pushes into it, as the other elements do; its figure is the whole process's
 * too, and has in it what it takes to count buffers, less than 0.1 µs each.
 */
#pragma once

#include "bench-load.h"

G_BEGIN_DECLS

#define BENCH_DTLS_MAX_SIZE 16384       /* octets of a record, RFC 6347 §4.1.1 */

typedef struct _BenchDtls BenchDtls;

/* Waits for the handshake. */
BenchDtls *bench_dtls_new (GError **error);
void bench_dtls_free (BenchDtls *dtls);

/* What both agreed upon, as their ServerHello says: "aes-256-gcm". */
const char *bench_dtls_get_cipher (const BenchDtls *dtls);

/* ns for a buffer of @load, a frame; of @total octets in all. FALSE also where less
 * came out than went in. */
gboolean bench_dtls_measure (BenchDtls *dtls, const BenchLoad *load, gsize total,
    double *encrypt_ns, double *decrypt_ns, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchDtls, bench_dtls_free)

G_END_DECLS
