/* gstbravisgroupsettings.h: how bravisgroupsink and bravisgroupsrc come to their
 * session: properties session, config, session-object */
#pragma once

#include "../keymgmt/bravis-session.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  char *session;
  char *config;
  BravisSession *session_object;
} GstBravisGroupSettings;

enum {
  GST_BRAVIS_GROUP_PROP_0,
  GST_BRAVIS_GROUP_PROP_SESSION,
  GST_BRAVIS_GROUP_PROP_CONFIG,
  GST_BRAVIS_GROUP_PROP_SESSION_OBJECT,
  GST_BRAVIS_GROUP_N_PROPS      /* an element's own follow */
};

void gst_bravis_group_settings_install (GObjectClass *klass);
void gst_bravis_group_settings_clear (GstBravisGroupSettings *settings);

/* FALSE: another property. */
gboolean gst_bravis_group_settings_set (GstBravisGroupSettings *settings,
    guint id, const GValue *value);
gboolean gst_bravis_group_settings_get (const GstBravisGroupSettings *settings,
    guint id, GValue *value);

/* The session they say, or NULL after an element error that says what is wrong. */
BravisSession *gst_bravis_group_settings_open
    (const GstBravisGroupSettings *settings, GstElement *element);

/* Holds *@session. If that is over, as its last user released it after it was
 * found, the session that is meant now takes its place. FALSE: an element error
 * says what is wrong, and nothing is held. */
gboolean gst_bravis_group_settings_hold
    (const GstBravisGroupSettings *settings, BravisSession **session,
    GstElement *element);

G_END_DECLS
