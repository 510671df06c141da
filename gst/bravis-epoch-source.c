#include "bravis-epoch-source.h"

static const char *const drop_names[BRAVIS_N_DROPS] = {
  [BRAVIS_DROP_NONE] = "none",
  [BRAVIS_DROP_MALFORMED] = "malformed",
  [BRAVIS_DROP_UNKNOWN_EPOCH] = "unknown-epoch",
  [BRAVIS_DROP_UNKNOWN_SENDER] = "unknown-sender",
  [BRAVIS_DROP_REPLAYED] = "replayed",
  [BRAVIS_DROP_TOO_OLD] = "too-old",
  [BRAVIS_DROP_FORGED] = "forged",
  [BRAVIS_DROP_NO_KEY] = "no-key",
  [BRAVIS_DROP_NOT_ALLOWED] = "not-allowed",
};

const char *
bravis_drop_to_string (BravisDrop drop)
{
  g_return_val_if_fail ((guint) drop < BRAVIS_N_DROPS, NULL);
  return drop_names[drop];
}

void
bravis_epoch_source_clear (BravisEpochSource *source)
{
  if (source->release)
    source->release (source->user_data);
  *source = (BravisEpochSource) { 0 };
}

gboolean
bravis_epoch_source_use_key (const BravisEpochSource *source, guint64 n_used)
{
  if (source->key_packets == 0)
    return TRUE;
  if (n_used >= source->key_packets / 2
      && n_used % MAX (source->key_packets / 8, 1) == 0
      && n_used < source->key_packets && source->ask_for_epoch)
    source->ask_for_epoch (source->user_data);
  return n_used < source->key_packets;
}

BravisDrop
bravis_epoch_source_find (const BravisEpochSource *source, guint64 kid,
    gint kind, BravisEpoch **epoch)
{
  g_autoptr (BravisEpoch) found = NULL;
  BravisKid parts;

  bravis_kid_unpack (kid, &parts);
  found = source->ref_epoch_by_number (source->user_data, parts.epoch);
  if (found == NULL || bravis_epoch_is_retired (found))
    return BRAVIS_DROP_UNKNOWN_EPOCH;
  if (parts.sender >= bravis_epoch_get_n_members (found)
      || parts.sender == bravis_epoch_get_self (found))
    return BRAVIS_DROP_UNKNOWN_SENDER;
  if (kind >= 0 && parts.kind != (BravisKind) kind)
    return BRAVIS_DROP_NOT_ALLOWED;
  *epoch = g_steal_pointer (&found);
  return BRAVIS_DROP_NONE;
}

char *
bravis_epoch_source_dup_name (const BravisEpochSource *source, guint64 kid)
{
  g_autoptr (BravisEpoch) epoch = NULL;
  BravisKid parts;

  bravis_kid_unpack (kid, &parts);
  epoch = source->ref_epoch_by_number (source->user_data, parts.epoch);
  if (epoch == NULL || parts.sender >= bravis_epoch_get_n_members (epoch))
    return NULL;
  return g_strdup (bravis_epoch_get_card (epoch, parts.sender)->name);
}
