/* bravis-share.h: a member's current X25519 share, signed
 *
 * On the wire: u32 serial | 32 octets public key | vector16 signature. The
 * signature is by the member's certified key, label "share", over
 * vector8 conference | u64 member id | u32 serial | 32 octets public key.
 * Serials start at 1 and grow by one with each new share of that member.
 */
#pragma once

#include "bravis-identity.h"
#include "../gcp/gcp-view.h"
#include "../gcp/gcp-wire.h"

G_BEGIN_DECLS

typedef struct {
  guint32 serial;
  guint8 public_key[BRAVIS_X25519_SIZE];
  GBytes *signature;
} BravisShare;

/* Draws a new share of @self; its private half goes to @private_key. */
BravisShare *bravis_share_new (BravisIdentity *identity, const char *conference,
    GcpMemberId self, guint32 serial, const BravisRandom *random,
    BravisSecret **private_key, GError **error);
BravisShare *bravis_share_copy (const BravisShare *share);
void bravis_share_free (BravisShare *share);
gboolean bravis_share_equal (const BravisShare *a, const BravisShare *b);

void bravis_share_write (const BravisShare *share, GcpWriter *writer);
BravisShare *bravis_share_read (GcpReader *reader);     /* NULL: reader failed */
gboolean bravis_share_verify (const BravisShare *share, const char *conference,
    GcpMemberId member, BravisCertificate *certificate, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisShare, bravis_share_free)

G_END_DECLS
