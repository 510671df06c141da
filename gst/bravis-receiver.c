/* bravis-receiver.c: the opening half of bravis-frame-guard.h */
#include "bravis-frame-guard.h"

#include <string.h>

#include "bravis-key-table.h"
#include "bravis-rtp.h"

/* What opens the frames of one KID. It is made for a frame and kept only if that
 * frame is authentic: forged frames cost work, but no memory. */
typedef struct {
  BravisTableKey key;
  BravisSFrame *sframe;
  BravisReplay *replay;         /* NULL until the first authentic frame */
} Key;

struct _BravisReceiver {
  guint suite;                  /* with a static key */
  BravisSecret *base_key;
  gboolean one_kid;
  guint64 kid;

  gboolean has_source;          /* with a session */
  BravisEpochSource source;
  gint kind;                    /* -1: any */

  guint replay_window;
  gboolean header_auth;
  BravisKeyTable *keys;         /* of Key */
};

static void
key_free (Key *key)
{
  bravis_sframe_free (key->sframe);
  bravis_replay_free (key->replay);
  g_clear_pointer (&key->key.epoch, bravis_epoch_unref);
  g_free (key);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Key, key_free)

static BravisReceiver *
receiver_new (guint replay_window)
{
  BravisReceiver *receiver = g_new0 (BravisReceiver, 1);

  receiver->kind = -1;
  receiver->replay_window = replay_window;
  receiver->keys = bravis_key_table_new ((GDestroyNotify) key_free);
  return receiver;
}

BravisReceiver *
bravis_receiver_new_static (guint suite, const BravisSecret *base_key,
    guint replay_window)
{
  g_autoptr (BravisSFrame) probe = bravis_sframe_new (suite, 0, base_key);
  BravisReceiver *receiver;

  if (probe == NULL)
    return NULL;
  receiver = receiver_new (replay_window);
  receiver->suite = suite;
  receiver->base_key = bravis_secret_ref ((BravisSecret *) base_key);
  return receiver;
}

BravisReceiver *
bravis_receiver_new_epochs (const BravisEpochSource *source,
    guint replay_window)
{
  BravisReceiver *receiver = receiver_new (replay_window);

  receiver->has_source = TRUE;
  receiver->source = *source;
  return receiver;
}

void
bravis_receiver_free (BravisReceiver *receiver)
{
  if (receiver == NULL)
    return;
  bravis_key_table_free (receiver->keys);
  g_clear_pointer (&receiver->base_key, bravis_secret_unref);
  bravis_epoch_source_clear (&receiver->source);
  g_free (receiver);
}

void
bravis_receiver_set_rtp_header_auth (BravisReceiver *receiver, gboolean on)
{
  receiver->header_auth = on;
}

void
bravis_receiver_set_kid (BravisReceiver *receiver, guint64 kid)
{
  receiver->one_kid = TRUE;
  receiver->kid = kid;
}

void
bravis_receiver_set_kind (BravisReceiver *receiver, BravisKind kind)
{
  receiver->kind = kind;
}

char *
bravis_receiver_dup_sender_name (BravisReceiver *receiver, guint64 kid)
{
  if (!receiver->has_source)
    return NULL;
  return bravis_epoch_source_dup_name (&receiver->source, kid);
}

static BravisDrop
make_key (BravisReceiver *receiver, guint64 kid, Key **out)
{
  g_autoptr (Key) key = g_new0 (Key, 1);
  g_autoptr (BravisSecret) base_key = NULL;
  BravisKid parts;
  BravisDrop drop;

  key->key.kid = kid;
  if (receiver->has_source) {
    drop = bravis_epoch_source_find (&receiver->source, kid, receiver->kind,
        &key->key.epoch);
    if (drop != BRAVIS_DROP_NONE)
      return drop;
    bravis_kid_unpack (kid, &parts);
    base_key = bravis_epoch_derive_base_key (key->key.epoch, kid);
    if (base_key)
      key->sframe = bravis_sframe_new (bravis_cipher_get_suite (
          bravis_epoch_get_policy (key->key.epoch)->cipher[parts.kind]), kid,
          base_key);
  } else {
    if (receiver->one_kid && kid != receiver->kid)
      return BRAVIS_DROP_UNKNOWN_SENDER;
    key->sframe = bravis_sframe_new (receiver->suite, kid, receiver->base_key);
  }
  if (key->sframe == NULL)
    return BRAVIS_DROP_UNKNOWN_SENDER;
  *out = g_steal_pointer (&key);
  return BRAVIS_DROP_NONE;
}

/* @fresh: the caller's, until it is kept. */
static BravisDrop
find_key (BravisReceiver *receiver, guint64 kid, Key **found, Key **fresh)
{
  BravisDrop drop;

  *found = bravis_key_table_find (receiver->keys, kid);
  if (*found)
    return BRAVIS_DROP_NONE;
  drop = make_key (receiver, kid, fresh);
  *found = *fresh;
  return drop;
}

/* @data: header | ciphertext | tag. */
static BravisDrop
open_sframe (BravisReceiver *receiver, const guint8 *metadata,
    gsize metadata_size, guint8 *data, gsize size, gsize *header_size,
    gsize *plain_size, guint64 *kid)
{
  g_autoptr (Key) fresh = NULL;
  BravisSFrameHeader header;
  gsize tag_size;
  BravisDrop drop;
  Key *key = NULL;

  *kid = 0;
  if (!bravis_sframe_header_read (data, size, &header))
    return BRAVIS_DROP_MALFORMED;
  *kid = header.kid;
  drop = find_key (receiver, header.kid, &key, &fresh);
  if (drop != BRAVIS_DROP_NONE)
    return drop;
  tag_size = bravis_sframe_get_tag_size (key->sframe);
  if (size - header.size < tag_size)
    return BRAVIS_DROP_MALFORMED;
  if (key->replay) {
    drop = bravis_replay_check (key->replay, header.counter);
    if (drop != BRAVIS_DROP_NONE)
      return drop;
  }
  if (!bravis_sframe_decrypt (key->sframe, header.counter, data, header.size,
          metadata, metadata_size, data + header.size, size - header.size))
    return BRAVIS_DROP_FORGED;
  if (fresh) {
    key->replay = bravis_replay_new (receiver->replay_window);
    bravis_key_table_keep (receiver->keys, g_steal_pointer (&fresh));
  }
  bravis_key_table_use (receiver->keys, key);
  bravis_replay_commit (key->replay, header.counter);
  *header_size = header.size;
  *plain_size = size - header.size - tag_size;
  return BRAVIS_DROP_NONE;
}

BravisDrop
bravis_receiver_open_frame (BravisReceiver *receiver, guint8 *data, gsize size,
    gsize *out_offset, gsize *out_size, guint64 *kid)
{
  return open_sframe (receiver, NULL, 0, data, size, out_offset, out_size,
      kid);
}

/* What has padding was not sent so: a sender leaves padding out. */
static BravisDrop
open_rtp (BravisReceiver *receiver, guint8 *data, gsize size,
    gsize *rtp_size, gsize *header_size, gsize *plain_size, guint64 *kid)
{
  BravisRtp rtp;

  *kid = 0;
  if (!bravis_rtp_read_header (data, size, &rtp)
      || data[0] & BRAVIS_RTP_PADDING_BIT)
    return BRAVIS_DROP_MALFORMED;
  *rtp_size = rtp.header_size;
  return open_sframe (receiver, data,
      receiver->header_auth ? rtp.header_size : 0, data + rtp.header_size,
      size - rtp.header_size, header_size, plain_size, kid);
}

BravisDrop
bravis_receiver_open_rtp_around (BravisReceiver *receiver, guint8 *data,
    gsize size, gsize *out_offset, gsize *out_size, guint64 *kid)
{
  gsize rtp_size, header_size, plain_size;
  BravisDrop drop = open_rtp (receiver, data, size, &rtp_size, &header_size,
      &plain_size, kid);

  if (drop != BRAVIS_DROP_NONE)
    return drop;
  memmove (data + header_size, data, rtp_size);
  *out_offset = header_size;
  *out_size = rtp_size + plain_size;
  return BRAVIS_DROP_NONE;
}

BravisDrop
bravis_receiver_open_rtp (BravisReceiver *receiver, guint8 *data, gsize size,
    gsize *out_size, guint64 *kid)
{
  gsize rtp_size, header_size, plain_size;
  BravisDrop drop = open_rtp (receiver, data, size, &rtp_size, &header_size,
      &plain_size, kid);

  if (drop != BRAVIS_DROP_NONE)
    return drop;
  memmove (data + rtp_size, data + rtp_size + header_size, plain_size);
  *out_size = rtp_size + plain_size;
  return BRAVIS_DROP_NONE;
}
