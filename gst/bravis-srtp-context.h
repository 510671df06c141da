/* bravis-srtp-context.h: one libsrtp context under one master key
 *
 * And the packet index of an SSRC (RFC 3711 §3.3.1), which outlives it.
 */
#pragma once

#include <srtp2/srtp.h>

#include "bravis-srtp.h"

G_BEGIN_DECLS

typedef struct {
  srtp_t srtp;
  srtp_policy_t policy;
  guint8 mki[BRAVIS_SRTP_MKI_SIZE];
  srtp_master_key_t master;
  srtp_master_key_t *masters[1];
  BravisSecret *key;
  BravisSrtpProfile profile;
  gboolean use_mki;
} BravisSrtpContext;

/* @mki: NULL for none. NULL where the key has the wrong size. */
BravisSrtpContext *bravis_srtp_context_new (BravisSrtpProfile profile,
    const BravisSecret *key, const guint64 *mki, srtp_ssrc_type_t direction,
    guint window);
void bravis_srtp_context_free (BravisSrtpContext *context);

/* Gives @ssrc a stream of its own, which begins with roll-over counter @roc; or
 * sets that of the one it has, as long as nothing went through it. */
gboolean bravis_srtp_context_start_stream (BravisSrtpContext *context,
    guint32 ssrc, guint32 roc);
void bravis_srtp_context_drop_stream (BravisSrtpContext *context, guint32 ssrc);

/* The index of a packet with @sequence, if the highest so far is @highest. */
guint64 bravis_srtp_guess_index (guint64 highest, guint16 sequence);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisSrtpContext, bravis_srtp_context_free)

G_END_DECLS
