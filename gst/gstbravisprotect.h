/* gstbravisprotect.h: what bravisencrypt and bravisdecrypt have in common
 *
 * Pads, properties, the hold on the session, stats, and what happens to what is
 * dropped. A subclass says what becomes of caps and of buffers. Buffers and caps
 * come in the streaming thread, one at a time.
 */
#pragma once

#include <gst/gst.h>

#include "gstbraviscaps.h"
#include "gstbravissettings.h"

G_BEGIN_DECLS

#define GST_TYPE_BRAVIS_PROTECT (gst_bravis_protect_get_type ())
G_DECLARE_DERIVABLE_TYPE (GstBravisProtect, gst_bravis_protect, GST,
    BRAVIS_PROTECT, GstElement)

struct _GstBravisProtectClass {
  GstElementClass parent_class;

  /* The caps that come out, and how buffers are; the keys are made here. */
  GstCaps *(*set_caps) (GstBravisProtect *self, const GstCaps *caps,
      GError **error);

  /* What the sink pad takes for what the source pad may give on, and back. */
  GstCaps *(*to_sink_caps) (GstBravisProtect *self, const GstCaps *src_caps);
  GstCaps *(*to_src_caps) (GstBravisProtect *self, const GstCaps *sink_caps);

  /* Protects or opens *@buffer, which is the callee's to replace, also where it
   * is dropped. @kid: whose it is, as far as known. */
  BravisDrop (*process) (GstBravisProtect *self, GstBuffer **buffer,
      guint64 *kid);

  /* The name of the member that @kid names; may be NULL. */
  char *(*dup_sender_name) (GstBravisProtect *self, guint64 kid);

  /* PAUSED to READY: lets go of the keys. */
  void (*stop) (GstBravisProtect *self);
};

/* The settings as they were when the element went to PAUSED. */
const GstBravisSettings *gst_bravis_protect_get_settings (GstBravisProtect *self);

/* As it is set now: caps are asked for before streaming begins. */
GstBravisFormat gst_bravis_protect_get_format (GstBravisProtect *self);

/* What format, caps, key, policy and machine came to: to the log, the stats, and where
 * it is new an element message. The strings live for ever; @cipher is NULL where there
 * is no key yet, @provider where it is not known. Streaming thread. */
void gst_bravis_protect_note_pick (GstBravisProtect *self, const char *format,
    const char *cipher, const char *provider);

/* NULL with a static key. */
BravisSession *gst_bravis_protect_get_session (GstBravisProtect *self);

G_END_DECLS
