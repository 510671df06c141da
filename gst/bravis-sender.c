/* bravis-sender.c: the sending half of bravis-frame-guard.h */
#include "bravis-frame-guard.h"

#include <string.h>

#include "bravis-rtp.h"

struct _BravisSender {
  BravisSFrame *sframe;         /* NULL: no key */
  guint64 kid;
  guint64 counter;              /* next to be used under this key */
  gboolean used_up;             /* the last counter was used */
  gsize tag_size;
  gboolean header_auth;

  gboolean has_source;          /* the rest is of a session only */
  BravisEpochSource source;
  BravisKind kind;
  guint16 stream;
  gboolean looked;              /* @serial is valid */
  guint serial;
  BravisEpoch *epoch;
};

static void
take_key (BravisSender *sender, BravisSFrame *sframe, guint64 kid)
{
  bravis_sframe_free (sender->sframe);
  sender->sframe = sframe;
  sender->tag_size = sframe ? bravis_sframe_get_tag_size (sframe) : 0;
  sender->kid = kid;
  sender->counter = 0;
  sender->used_up = FALSE;
}

BravisSender *
bravis_sender_new_static (guint suite, guint64 kid,
    const BravisSecret *base_key)
{
  BravisSFrame *sframe = bravis_sframe_new (suite, kid, base_key);
  BravisSender *sender;

  if (sframe == NULL)
    return NULL;
  sender = g_new0 (BravisSender, 1);
  take_key (sender, sframe, kid);
  return sender;
}

BravisSender *
bravis_sender_new_epochs (const BravisEpochSource *source, BravisKind kind,
    guint16 stream)
{
  BravisSender *sender = g_new0 (BravisSender, 1);

  sender->has_source = TRUE;
  sender->source = *source;
  sender->kind = kind;
  sender->stream = stream;
  return sender;
}

void
bravis_sender_free (BravisSender *sender)
{
  if (sender == NULL)
    return;
  bravis_sframe_free (sender->sframe);
  g_clear_pointer (&sender->epoch, bravis_epoch_unref);
  bravis_epoch_source_clear (&sender->source);
  g_free (sender);
}

void
bravis_sender_set_rtp_header_auth (BravisSender *sender, gboolean on)
{
  sender->header_auth = on;
}

void
bravis_sender_set_counter (BravisSender *sender, guint64 counter)
{
  sender->counter = counter;
}

guint64
bravis_sender_get_counter (BravisSender *sender)
{
  return sender->counter;
}

gsize
bravis_sender_get_tag_size (BravisSender *sender)
{
  /* Which suite the next epoch has is not known yet. */
  return sender->has_source ? BRAVIS_SFRAME_MAX_TAG : sender->tag_size;
}

BravisEpoch *
bravis_sender_get_epoch (BravisSender *sender)
{
  return sender->epoch;
}

const char *
bravis_sender_get_cipher (BravisSender *sender)
{
  return sender->sframe ? bravis_sframe_get_cipher (sender->sframe) : NULL;
}

const char *
bravis_sender_get_provider (BravisSender *sender)
{
  return sender->sframe ? bravis_sframe_get_provider (sender->sframe) : NULL;
}

gboolean
bravis_sender_take_epoch (BravisSender *sender)
{
  g_autoptr (BravisEpoch) epoch = NULL;
  g_autoptr (BravisSecret) base_key = NULL;
  BravisKid kid = { 0, };
  guint64 packed;
  guint serial;

  if (!sender->has_source)
    return FALSE;
  serial = sender->source.get_serial (sender->source.user_data);
  if (sender->looked && serial == sender->serial)
    return FALSE;
  sender->looked = TRUE;
  sender->serial = serial;
  epoch = sender->source.await_epoch (sender->source.user_data);
  /* The same epoch seen again keeps its counter. */
  if (epoch == sender->epoch)
    return FALSE;
  g_clear_pointer (&sender->epoch, bravis_epoch_unref);
  if (epoch == NULL) {
    take_key (sender, NULL, 0);
    return TRUE;
  }
  kid.epoch = bravis_epoch_get_number (epoch);
  kid.sender = bravis_epoch_get_self (epoch);
  kid.kind = sender->kind;
  kid.stream = sender->stream;
  packed = bravis_kid_pack (&kid);
  base_key = bravis_epoch_derive_base_key (epoch, packed);
  take_key (sender, base_key ? bravis_sframe_new (bravis_cipher_get_suite (
          bravis_epoch_get_policy (epoch)->cipher[sender->kind]), packed,
          base_key) : NULL, packed);
  sender->epoch = g_steal_pointer (&epoch);
  return TRUE;
}

/* Writes the header of the next frame and uses up its counter. */
static BravisDrop
begin (BravisSender *sender, guint8 header[BRAVIS_SFRAME_MAX_HEADER],
    gsize *header_size, guint64 *counter)
{
  if (sender->has_source && (sender->epoch == NULL
          || bravis_epoch_is_sending_closed (sender->epoch))) {
    /* In the middle of a frame, but there is no other way to go on. */
    bravis_sender_take_epoch (sender);
    if (sender->epoch == NULL
        || bravis_epoch_is_sending_closed (sender->epoch))
      return BRAVIS_DROP_NO_KEY;
  }
  if (sender->sframe == NULL || sender->used_up
      || !bravis_epoch_source_use_key (&sender->source, sender->counter))
    return BRAVIS_DROP_NO_KEY;
  *counter = sender->counter++;
  sender->used_up = sender->counter == 0;
  *header_size = bravis_sframe_header_write (sender->kid, *counter, header);
  return BRAVIS_DROP_NONE;
}

BravisDrop
bravis_sender_protect_frame_around (BravisSender *sender, guint8 *data,
    gsize size, gsize *out_before, gsize *out_size)
{
  guint8 header[BRAVIS_SFRAME_MAX_HEADER];
  gsize header_size;
  guint64 counter;
  BravisDrop drop = begin (sender, header, &header_size, &counter);

  if (drop != BRAVIS_DROP_NONE)
    return drop;
  memcpy (data - header_size, header, header_size);
  if (!bravis_sframe_encrypt (sender->sframe, counter, header, header_size,
          NULL, 0, data, size))
    return BRAVIS_DROP_NO_KEY;
  *out_before = header_size;
  *out_size = header_size + size + sender->tag_size;
  return BRAVIS_DROP_NONE;
}

BravisDrop
bravis_sender_protect_frame (BravisSender *sender, guint8 *data, gsize size,
    gsize *out_size)
{
  guint8 header[BRAVIS_SFRAME_MAX_HEADER];
  gsize header_size;
  guint64 counter;
  BravisDrop drop = begin (sender, header, &header_size, &counter);

  if (drop != BRAVIS_DROP_NONE)
    return drop;
  memmove (data + header_size, data, size);
  memcpy (data, header, header_size);
  if (!bravis_sframe_encrypt (sender->sframe, counter, header, header_size,
          NULL, 0, data + header_size, size))
    return BRAVIS_DROP_NO_KEY;
  *out_size = header_size + size + sender->tag_size;
  return BRAVIS_DROP_NONE;
}

/* The payload's room is there, the packet's header in front of it. */
static BravisDrop
seal_rtp (BravisSender *sender, guint64 counter, guint8 *packet,
    gsize rtp_size, const guint8 *header, gsize header_size, gsize payload_size,
    gsize *out_size)
{
  guint8 *at = packet + rtp_size;

  packet[0] &= ~BRAVIS_RTP_PADDING_BIT;
  memcpy (at, header, header_size);
  if (!bravis_sframe_encrypt (sender->sframe, counter, at, header_size, packet,
          sender->header_auth ? rtp_size : 0, at + header_size, payload_size))
    return BRAVIS_DROP_NO_KEY;
  *out_size = rtp_size + header_size + payload_size + sender->tag_size;
  return BRAVIS_DROP_NONE;
}

BravisDrop
bravis_sender_protect_rtp_around (BravisSender *sender, guint8 *data,
    gsize size, gsize *out_before, gsize *out_size)
{
  guint8 header[BRAVIS_SFRAME_MAX_HEADER];
  gsize header_size;
  guint64 counter;
  BravisRtp rtp;
  BravisDrop drop;

  if (!bravis_rtp_read (data, size, &rtp))
    return BRAVIS_DROP_MALFORMED;
  drop = begin (sender, header, &header_size, &counter);
  if (drop != BRAVIS_DROP_NONE)
    return drop;
  memmove (data - header_size, data, rtp.header_size);
  *out_before = header_size;
  return seal_rtp (sender, counter, data - header_size, rtp.header_size,
      header, header_size, size - rtp.header_size - rtp.padding, out_size);
}

BravisDrop
bravis_sender_protect_rtp (BravisSender *sender, guint8 *data, gsize size,
    gsize *out_size)
{
  guint8 header[BRAVIS_SFRAME_MAX_HEADER], *payload;
  gsize header_size;
  guint64 counter;
  BravisRtp rtp;
  BravisDrop drop;

  if (!bravis_rtp_read (data, size, &rtp))
    return BRAVIS_DROP_MALFORMED;
  drop = begin (sender, header, &header_size, &counter);
  if (drop != BRAVIS_DROP_NONE)
    return drop;
  payload = data + rtp.header_size;
  size -= rtp.header_size + rtp.padding;
  memmove (payload + header_size, payload, size);
  return seal_rtp (sender, counter, data, rtp.header_size, header, header_size,
      size, out_size);
}
