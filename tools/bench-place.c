#include "bench-place.h"

#include <unistd.h>

struct _BenchPlace {
  gboolean apart;
  char *bridge;
  GPtrArray *namespaces;        /* of char *: names */
  GPtrArray *addresses;         /* of char * */
};

/* Runs one command, its words given in one string. */
static gboolean G_GNUC_PRINTF (2, 3)
run (GError **error, const char *format, ...)
{
  g_autofree char *command = NULL;
  g_auto (GStrv) words = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *said = NULL;
  va_list arguments;

  va_start (arguments, format);
  command = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  words = g_strsplit (command, " ", -1);
  process = g_subprocess_newv ((const char *const *) words,
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
      error);
  if (!process
      || !g_subprocess_communicate_utf8 (process, NULL, NULL, NULL, &said,
          error))
    return FALSE;
  if (!g_subprocess_get_successful (process)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", command,
        g_strchomp (said));
    return FALSE;
  }
  return TRUE;
}

static gboolean
add_loss (const char *namespace, double loss, GError **error)
{
  return run (error, "ip netns exec %s nft add table inet bench", namespace)
      && run (error, "ip netns exec %s nft add chain inet bench in { type "
          "filter hook input priority 0 ; }", namespace)
      && run (error, "ip netns exec %s nft add rule inet bench in meta l4proto "
          "udp numgen random mod 10000 < %d drop", namespace,
          (int) (loss * 10000));
}

static gboolean
add_node (BenchPlace *place, guint index, double loss, GError **error)
{
  const char *name = g_ptr_array_index (place->namespaces, index);
  const char *address = g_ptr_array_index (place->addresses, index);

  return run (error, "ip netns add %s", name)
      && run (error, "ip link add %s type veth peer name eth0 netns %s", name,
          name)
      && run (error, "ip link set %s master %s up", name, place->bridge)
      && run (error, "ip -n %s addr add %s/16 dev eth0", name, address)
      && run (error, "ip -n %s link set eth0 up", name)
      && run (error, "ip -n %s link set lo up", name)
      && (loss <= 0 || add_loss (name, loss, error));
}

static gboolean
make_apart (BenchPlace *place, guint n_nodes, double loss, GError **error)
{
  place->bridge = g_strdup_printf ("bb%db", getpid ());
  if (!run (error, "ip link add %s type bridge", place->bridge)
      || !run (error, "ip link set %s up", place->bridge))
    return FALSE;
  for (guint i = 0; i < n_nodes; i++) {
    g_ptr_array_add (place->namespaces,
        g_strdup_printf ("bb%d-%u", getpid (), i));
    g_ptr_array_add (place->addresses,
        g_strdup_printf ("10.99.%u.%u", i / 250, i % 250 + 1));
    if (!add_node (place, i, loss, error))
      return FALSE;
  }
  return TRUE;
}

BenchPlace *
bench_place_new (guint n_nodes, gboolean apart, double loss, GError **error)
{
  g_autoptr (BenchPlace) place = g_new0 (BenchPlace, 1);

  place->apart = apart;
  place->namespaces = g_ptr_array_new_with_free_func (g_free);
  place->addresses = g_ptr_array_new_with_free_func (g_free);
  if (apart && geteuid () != 0) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
        "hosts of their own for the members, for --peer and --loss, are network "
        "namespaces, and only root can make these");
    return NULL;
  }
  if (apart && !make_apart (place, n_nodes, loss, error)) {
    g_prefix_error_literal (error, "cannot make a network for the members: ");
    return NULL;
  }
  for (guint i = 0; !apart && i < n_nodes; i++)
    g_ptr_array_add (place->addresses, g_strdup ("127.0.0.1"));
  return g_steal_pointer (&place);
}

void
bench_place_free (BenchPlace *place)
{
  for (guint i = 0; i < place->namespaces->len; i++)
    run (NULL, "ip netns del %s",
        (char *) g_ptr_array_index (place->namespaces, i));
  if (place->bridge)
    run (NULL, "ip link del %s", place->bridge);
  g_ptr_array_unref (place->namespaces);
  g_ptr_array_unref (place->addresses);
  g_free (place->bridge);
  g_free (place);
}

const char *
bench_place_get_address (BenchPlace *place, guint index)
{
  return g_ptr_array_index (place->addresses, index);
}

GSubprocess *
bench_place_spawn (BenchPlace *place, guint index, const char *const *argv,
    GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  if (place->apart) {
    g_ptr_array_add (words, (gpointer) "ip");
    g_ptr_array_add (words, (gpointer) "netns");
    g_ptr_array_add (words, (gpointer) "exec");
    g_ptr_array_add (words, g_ptr_array_index (place->namespaces, index));
  }
  for (; *argv; argv++)
    g_ptr_array_add (words, (gpointer) *argv);
  g_ptr_array_add (words, NULL);
  return g_subprocess_newv ((const char *const *) words->pdata,
      G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, error);
}
