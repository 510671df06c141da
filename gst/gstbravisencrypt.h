/* gstbravisencrypt.h: the element bravisencrypt */
#pragma once

#include "gstbravisprotect.h"

G_BEGIN_DECLS

#define GST_TYPE_BRAVIS_ENCRYPT (gst_bravis_encrypt_get_type ())
G_DECLARE_FINAL_TYPE (GstBravisEncrypt, gst_bravis_encrypt, GST, BRAVIS_ENCRYPT,
    GstBravisProtect)

GST_ELEMENT_REGISTER_DECLARE (bravisencrypt)

G_END_DECLS
