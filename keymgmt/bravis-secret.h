/* bravis-secret.h: bytes that must not get out
 *
 * A secret lives in memory that is locked against swapping, left out of core
 * dumps, and wiped when the last reference goes. It is immutable, compared in
 * constant time, and there is no function that prints it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _BravisSecret BravisSecret;

/* Copies @size bytes (at least 1); the caller wipes its own copy. */
BravisSecret *bravis_secret_new (gconstpointer bytes, gsize size);

/* As above, and wipes @bytes. */
BravisSecret *bravis_secret_new_take (gpointer bytes, gsize size);

BravisSecret *bravis_secret_ref (BravisSecret *secret);
void bravis_secret_unref (BravisSecret *secret);

const guint8 *bravis_secret_peek (const BravisSecret *secret);
gsize bravis_secret_get_size (const BravisSecret *secret);
gboolean bravis_secret_equal (const BravisSecret *a, const BravisSecret *b);

/* From hexadecimal text; NULL and BRAVIS_ERROR_KEY where it is none. The error
 * tells the length and the place, never the text. */
BravisSecret *bravis_secret_new_from_hex (const char *text, GError **error);

/* Constant time for all contents of equal size. */
gboolean bravis_equal_constant_time (gconstpointer a, gconstpointer b, gsize size);

/* Overwrites memory in a way no compiler leaves out. */
void bravis_wipe (gpointer memory, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisSecret, bravis_secret_unref)

G_END_DECLS
