/* bravis-processor.h: what the processor that this runs on can do */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether it has instructions for AES and for the multiplication of GCM. Where that
 * is not known: FALSE. */
gboolean bravis_processor_has_aes (void);

G_END_DECLS
