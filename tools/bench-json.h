/* bench-json.h: what all reports in JSON have in common */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* An object with the command, the machine and the versions. Versions of other
 * things can be added until bench_json_end_versions (). */
JsonBuilder *bench_json_begin (const char *command);
void bench_json_end_versions (JsonBuilder *builder);

void bench_json_add_text (JsonBuilder *builder, const char *name,
    const char *text);
void bench_json_add_number (JsonBuilder *builder, const char *name,
    double value);              /* NAN: null */
void bench_json_add_integer (JsonBuilder *builder, const char *name,
    guint64 value);

/* Ends the object. */
gboolean bench_json_write (JsonBuilder *builder, const char *file,
    GError **error);

/* "AMD EPYC ...", to be freed. */
char *bench_json_dup_processor (void);

G_END_DECLS
