#include "bench-json.h"

#include <math.h>
#include <string.h>
#include <sys/utsname.h>

/* What stands behind the first "model name :" in /proc/cpuinfo. */
char *
bench_json_dup_processor (void)
{
  g_autofree char *text = NULL;
  const char *at;

  if (!g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL)
      || !(at = strstr (text, "model name")) || !(at = strchr (at, ':')))
    return g_strdup ("unknown");
  return g_strstrip (g_strndup (at + 1, strcspn (at + 1, "\n")));
}

void
bench_json_add_text (JsonBuilder *builder, const char *name, const char *text)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text);
}

void
bench_json_add_number (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  if (isnan (value))
    json_builder_add_null_value (builder);
  else
    json_builder_add_double_value (builder, value);
}

void
bench_json_add_integer (JsonBuilder *builder, const char *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

JsonBuilder *
bench_json_begin (const char *command)
{
  JsonBuilder *builder = json_builder_new ();
  g_autofree char *processor = bench_json_dup_processor ();
  struct utsname system;

  uname (&system);
  json_builder_begin_object (builder);
  bench_json_add_text (builder, "command", command);
  json_builder_set_member_name (builder, "machine");
  json_builder_begin_object (builder);
  bench_json_add_text (builder, "processor", processor);
  bench_json_add_integer (builder, "processors", g_get_num_processors ());
  bench_json_add_text (builder, "kernel", system.release);
  json_builder_end_object (builder);
  json_builder_set_member_name (builder, "versions");
  json_builder_begin_object (builder);
  bench_json_add_text (builder, "bravis", BRAVIS_VERSION);
  return builder;
}

void
bench_json_end_versions (JsonBuilder *builder)
{
  json_builder_end_object (builder);
}

gboolean
bench_json_write (JsonBuilder *builder, const char *file, GError **error)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  return json_generator_to_file (generator, file, error);
}
