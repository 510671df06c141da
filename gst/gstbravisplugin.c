/* gstbravisplugin.c: the plugin and what it registers */
#define PACKAGE "gst-bravis"

#include "gstbravisdecrypt.h"
#include "gstbravisencrypt.h"
#include "gstbravisgroupsink.h"
#include "gstbravisgroupsrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (bravisencrypt, plugin)
      && GST_ELEMENT_REGISTER (bravisdecrypt, plugin)
      && GST_ELEMENT_REGISTER (bravisgroupsink, plugin)
      && GST_ELEMENT_REGISTER (bravisgroupsrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, bravis,
    "Confidential peer-to-peer group conferences", plugin_init, BRAVIS_VERSION,
    "LGPL", "gst-bravis", "https://gstreamer.freedesktop.org/")
