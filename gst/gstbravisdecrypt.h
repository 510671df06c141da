/* gstbravisdecrypt.h: the element bravisdecrypt */
#pragma once

#include "gstbravisprotect.h"

G_BEGIN_DECLS

#define GST_TYPE_BRAVIS_DECRYPT (gst_bravis_decrypt_get_type ())
G_DECLARE_FINAL_TYPE (GstBravisDecrypt, gst_bravis_decrypt, GST, BRAVIS_DECRYPT,
    GstBravisProtect)

GST_ELEMENT_REGISTER_DECLARE (bravisdecrypt)

G_END_DECLS
