#include "gstbravisgroupsettings.h"

#include "../keymgmt/bravis-error.h"
#include "../keymgmt/bravis-session-media.h"

void
gst_bravis_group_settings_install (GObjectClass *klass)
{
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (klass, GST_BRAVIS_GROUP_PROP_SESSION,
      g_param_spec_string ("session", "Session",
          "Name of the session; elements with the same name share one, in "
          "whichever pipeline of the process they are", NULL, flags));
  g_object_class_install_property (klass, GST_BRAVIS_GROUP_PROP_CONFIG,
      g_param_spec_string ("config", "Configuration",
          "Path of the configuration file from which the session is made, if "
          "there is none yet: identity, conference, addresses, policy",
          NULL, flags));
  g_object_class_install_property (klass, GST_BRAVIS_GROUP_PROP_SESSION_OBJECT,
      g_param_spec_object ("session-object", "Session object",
          "The BravisSession to be used, from an application that made it "
          "itself", BRAVIS_TYPE_SESSION, flags));
}

void
gst_bravis_group_settings_clear (GstBravisGroupSettings *settings)
{
  g_clear_pointer (&settings->session, g_free);
  g_clear_pointer (&settings->config, g_free);
  g_clear_object (&settings->session_object);
}

gboolean
gst_bravis_group_settings_set (GstBravisGroupSettings *settings, guint id,
    const GValue *value)
{
  switch (id) {
    case GST_BRAVIS_GROUP_PROP_SESSION:
      g_free (settings->session);
      settings->session = g_value_dup_string (value);
      return TRUE;
    case GST_BRAVIS_GROUP_PROP_CONFIG:
      g_free (settings->config);
      settings->config = g_value_dup_string (value);
      return TRUE;
    case GST_BRAVIS_GROUP_PROP_SESSION_OBJECT:
      g_set_object (&settings->session_object, g_value_get_object (value));
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
gst_bravis_group_settings_get (const GstBravisGroupSettings *settings,
    guint id, GValue *value)
{
  switch (id) {
    case GST_BRAVIS_GROUP_PROP_SESSION:
      g_value_set_string (value, settings->session);
      return TRUE;
    case GST_BRAVIS_GROUP_PROP_CONFIG:
      g_value_set_string (value, settings->config);
      return TRUE;
    case GST_BRAVIS_GROUP_PROP_SESSION_OBJECT:
      g_value_set_object (value, settings->session_object);
      return TRUE;
    default:
      return FALSE;
  }
}

BravisSession *
gst_bravis_group_settings_open (const GstBravisGroupSettings *settings,
    GstElement *element)
{
  g_autoptr (GError) error = NULL;
  BravisSession *session = NULL;

  if (settings->session_object)
    return g_object_ref (settings->session_object);
  if (settings->session || settings->config)
    session = bravis_session_get (settings->session, settings->config, &error);
  else
    g_set_error (&error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
        "no session: set config, session or session-object");
  if (!session)
    GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
        ("%s", error->message), (NULL));
  return session;
}

gboolean
gst_bravis_group_settings_hold (const GstBravisGroupSettings *settings,
    BravisSession **session, GstElement *element)
{
  while (!*session || !bravis_session_hold (*session)) {
    if (*session && *session == settings->session_object) {
      GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
          ("The session of session-object is over."), (NULL));
      return FALSE;
    }
    g_clear_object (session);
    *session = gst_bravis_group_settings_open (settings, element);
    if (!*session)
      return FALSE;
  }
  return TRUE;
}
