#include "bravis-session-registry.h"

#include "bravis-error.h"

#include <stdlib.h>

typedef struct {
  BravisSession *key;           /* compared, never followed */
  GWeakRef session;
  char *name;                   /* NULL: found by file alone */
  char *config;
  gboolean ready;               /* made, and not being stopped */
} Entry;

static GMutex lock;
static GCond changed;
static GList *entries;          /* of Entry */

char *
bravis_registry_canonicalize (const char *config)
{
  g_autofree char *absolute = g_canonicalize_filename (config, NULL);
  char *real = realpath (absolute, NULL);
  char *result = g_strdup (real ? real : absolute);

  free (real);
  return result;
}

static Entry *
find_by_name (const char *name)
{
  for (GList *link = entries; name && link; link = link->next) {
    Entry *entry = link->data;

    if (g_strcmp0 (entry->name, name) == 0)
      return entry;
  }
  return NULL;
}

static Entry *
find_by_config (const char *config)
{
  for (GList *link = entries; config && link; link = link->next) {
    Entry *entry = link->data;

    if (g_str_equal (entry->config, config))
      return entry;
  }
  return NULL;
}

static Entry *
find_by_key (BravisSession *session)
{
  for (GList *link = entries; link; link = link->next) {
    Entry *entry = link->data;

    if (entry->key == session)
      return entry;
  }
  return NULL;
}

/* Which entry is meant, and whether that fits together. */
static Entry *
match (const char *name, const char *config, GError **error)
{
  Entry *by_name = find_by_name (name);
  Entry *by_config = find_by_config (config);

  if (by_name && config && by_name != by_config) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
        "session '%s' has the configuration file %s, not %s", name,
        by_name->config, config);
    return NULL;
  }
  if (by_config && name && by_config->name && by_config != by_name) {
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_CONFIG,
        "the configuration file %s is that of session '%s', not of '%s'",
        config, by_config->name, name);
    return NULL;
  }
  return by_name ? by_name : by_config;
}

BravisSession *
bravis_registry_find (const char *name, const char *config, GError **error)
{
  g_autoptr (GError) cause = NULL;
  BravisSession *session = NULL;
  Entry *entry;

  g_mutex_lock (&lock);
  while ((entry = match (name, config, &cause)) != NULL && !session) {
    if (entry->ready)
      session = g_weak_ref_get (&entry->session);
    if (!session)
      g_cond_wait (&changed, &lock);
    else if (name && !entry->name)
      entry->name = g_strdup (name);
  }
  g_mutex_unlock (&lock);
  if (cause)
    g_propagate_error (error, g_steal_pointer (&cause));
  return session;
}

static void
fail_taken (const Entry *by_name, const char *name, const char *config,
    GError **error)
{
  if (by_name)
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "there is a session '%s' already", name);
  else
    g_set_error (error, BRAVIS_ERROR, BRAVIS_ERROR_STATE,
        "there is a session with the configuration file %s already", config);
}

gboolean
bravis_registry_claim (BravisSession *session, const char *name,
    const char *config, GError **error)
{
  Entry *by_name, *by_config;

  g_mutex_lock (&lock);
  for (;;) {
    by_name = find_by_name (name);
    by_config = find_by_config (config);
    /* What is ready stays; what is not will be, or goes away. */
    if ((by_name && by_name->ready) || (by_config && by_config->ready)
        || (!by_name && !by_config))
      break;
    g_cond_wait (&changed, &lock);
  }
  if (by_name || by_config) {
    fail_taken (by_name, name, config, error);
  } else {
    Entry *entry = g_new0 (Entry, 1);

    entry->key = session;
    g_weak_ref_init (&entry->session, session);
    entry->name = g_strdup (name);
    entry->config = g_strdup (config);
    entries = g_list_prepend (entries, entry);
  }
  g_mutex_unlock (&lock);
  return !by_name && !by_config;
}

static void
set_ready (BravisSession *session, gboolean ready)
{
  Entry *entry;

  g_mutex_lock (&lock);
  entry = find_by_key (session);
  if (entry)
    entry->ready = ready;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

void
bravis_registry_publish (BravisSession *session)
{
  set_ready (session, TRUE);
}

void
bravis_registry_withdraw (BravisSession *session)
{
  set_ready (session, FALSE);
}

void
bravis_registry_remove (BravisSession *session)
{
  Entry *entry;

  g_mutex_lock (&lock);
  entry = find_by_key (session);
  if (entry) {
    entries = g_list_remove (entries, entry);
    g_weak_ref_clear (&entry->session);
    g_free (entry->name);
    g_free (entry->config);
    g_free (entry);
  }
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}
