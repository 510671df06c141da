/* bravis-show.h: certificates and revocation lists in words */
#pragma once

#include <glib.h>

/* Prints what is in a PEM file to standard output. */
gboolean bravis_show_file (const char *file, GError **error);
