/* What a language binding sees of the library: the typelib. */
#include <girepository.h>

static GIObjectInfo *
find_session (void)
{
  GIRepository *repository = g_irepository_get_default ();
  GError *error = NULL;
  GIBaseInfo *info;

  g_irepository_require (repository, "Bravis", "1.0", 0, &error);
  g_assert_no_error (error);
  info = g_irepository_find_by_name (repository, "Bravis", "Session");
  g_assert_nonnull (info);
  return info;
}

static void
test_session_has_methods_signals_and_properties (void)
{
  static const char *const methods[] = {
    "new", "get", "start", "leave", "stop", "invite", "refresh",
    "dup_members", "get_epoch_number", "dup_verification_code", "get_state",
    "dup_fingerprint", "export_key", "command",
    "dup_stats", "multicast", "set_message_handler", "get_queued",
    "get_max_message", "ref_view",
  };
  GIObjectInfo *session = find_session ();
  g_autoptr (GString) signals = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++) {
    GIFunctionInfo *method = g_object_info_find_method (session, methods[i]);

    g_test_message ("%s", methods[i]);
    g_assert_nonnull (method);
    g_base_info_unref (method);
  }
  for (int i = 0; i < g_object_info_get_n_signals (session); i++) {
    GISignalInfo *signal = g_object_info_get_signal (session, i);

    g_string_append_printf (signals, "%s ", g_base_info_get_name (signal));
    g_base_info_unref (signal);
  }
  g_assert_cmpstr (signals->str, ==, "command ended epoch-changed member-joined "
      "member-left message refused stream-added stream-removed unreachable "
      "view-changed writable ");
  g_assert_cmpint (g_object_info_get_n_properties (session), ==, 12);
  g_base_info_unref (session);
}

/* As a binding does it: by name, with an error that comes back as one. */
static void
test_binding_gets_errors (void)
{
  GIObjectInfo *session = find_session ();
  GIFunctionInfo *constructor = g_object_info_find_method (session, "new");
  GIArgument in[2] = {
    { .v_string = NULL }, { .v_string = (char *) "/nonexistent/peer.conf" }
  };
  g_autoptr (GError) error = NULL;
  GIArgument result;

  g_assert_false (g_function_info_invoke (constructor, in, 2, NULL, 0, &result,
          &error));
  g_assert_cmpstr (g_quark_to_string (error->domain), ==,
      "bravis-error-quark");
  g_assert_nonnull (g_strrstr (error->message, "/nonexistent/peer.conf"));
  g_base_info_unref (constructor);
  g_base_info_unref (session);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/keymgmt/introspection/session_has_methods_signals_and_properties",
      test_session_has_methods_signals_and_properties);
  g_test_add_func ("/keymgmt/introspection/binding_gets_errors",
      test_binding_gets_errors);
  return g_test_run ();
}
