/* What the engine itself costs for each ordered message.
 *
 *   measure-order [--members N] [--messages N]
 *
 * Engines in one process hand each other their datagrams as they are, without a
 * network and without seals. One of them, the sequencer or another, sends as much
 * as is taken; the time is the processor's for all of them on one core. Not a test:
 * figures mean something with -Dbuildtype=release only. */
#include <stdlib.h>
#include <time.h>

#include "../../gcp/gcp-engine.h"

#define MOST_MEMBERS 16

static gint n_members = 3;
static gint n_messages = 300000;

typedef struct {
  GcpEngine *engines[MOST_MEMBERS];
  gint n;
  guint64 n_delivered, n_datagrams;
} World;

static GcpMemberId
get_id (gint index)
{
  return index + 1;
}

static gboolean
pump (World *world, gint index)
{
  gboolean did = FALSE;

  for (;;) {
    g_auto (GcpOutput) output = { 0 };
    gsize size;
    const guint8 *data;

    if (!gcp_engine_poll (world->engines[index], &output))
      return did;
    did = TRUE;
    world->n_delivered += output.type == GCP_OUTPUT_DELIVER;
    if (output.type != GCP_OUTPUT_SEND)
      continue;
    world->n_datagrams++;
    data = g_bytes_get_data (output.bytes, &size);
    gcp_engine_receive (world->engines[output.member - 1], get_id (index),
        data, size, g_get_monotonic_time ());
  }
}

static void
pump_all (World *world)
{
  gboolean did;

  do {
    did = FALSE;
    for (gint i = 0; i < world->n; i++)
      did |= pump (world, i);
  } while (did);
}

static void
tick_all (World *world)
{
  for (gint i = 0; i < world->n; i++)
    gcp_engine_tick (world->engines[i], g_get_monotonic_time ());
  pump_all (world);
}

static void
make_world (World *world)
{
  GcpConfig config;
  g_autoptr (GBytes) card = g_bytes_new_static ("card", 4);
  gint64 now = g_get_monotonic_time ();

  gcp_config_init (&config);
  *world = (World) {.n = n_members };
  for (gint i = 0; i < n_members; i++)
    world->engines[i] = i == 0
        ? gcp_engine_new_founder (&config, get_id (i), card, now)
        : gcp_engine_new_joiner (&config, get_id (i), card, now);
  pump_all (world);
  for (gint i = 1; i < n_members; i++)
    gcp_engine_admit (world->engines[0], get_id (i), card, now);
  while (!gcp_engine_get_view (world->engines[n_members - 1])
      || (gint) gcp_view_get_n_members (gcp_engine_get_view
          (world->engines[0])) < n_members)
    tick_all (world);
}

static void
measure (gint sender, gsize size)
{
  World world;
  g_autofree guint8 *data = g_malloc0 (size);
  g_autoptr (GBytes) message = g_bytes_new (data, size);
  guint64 wanted = (guint64) n_messages * n_members;
  gint64 took;
  clock_t began;

  make_world (&world);
  began = clock ();
  for (gint n = 0; n < n_messages;) {
    gint64 now = g_get_monotonic_time ();

    while (n < n_messages && gcp_engine_multicast (world.engines[sender],
            message, GCP_AGREED, now, NULL))
      n++;
    tick_all (&world);
  }
  while (world.n_delivered < wanted)
    tick_all (&world);
  took = (gint64) (clock () - began) * G_USEC_PER_SEC / CLOCKS_PER_SEC;
  g_print ("%-9s  %5" G_GSIZE_FORMAT "  %9.0f  %12.0f  %13.2f\n",
      sender == 0 ? "sequencer" : "other", size,
      n_messages * 1e6 / took, took * 1e3 / wanted,
      (double) world.n_datagrams / n_messages);
  for (gint i = 0; i < n_members; i++)
    gcp_engine_free (world.engines[i]);
}

int
main (int argc, char **argv)
{
  static const gsize sizes[] = { 64, 320, 1600 };
  const GOptionEntry entries[] = {
    {"members", 0, 0, G_OPTION_ARG_INT, &n_members, "2 to 16; 3", "N"},
    {"messages", 0, 0, G_OPTION_ARG_INT, &n_messages, "300000", "N"},
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || n_members < 2 || n_members > MOST_MEMBERS || n_messages < 1) {
    g_printerr ("%s\n", error ? error->message : "out of range");
    return EXIT_FAILURE;
  }
  g_print ("sender     bytes  messages/s  ns/message/member  datagrams/message\n");
  for (gint sender = 0; sender < 2; sender++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
      measure (sender, sizes[i]);
  return EXIT_SUCCESS;
}
