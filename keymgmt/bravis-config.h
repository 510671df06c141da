/* bravis-config.h: the configuration of a peer, read from a key file
 *
 *   [identity]  certificate= key= trust= crl=       files; relative ones are
 *               passphrase-file=                    relative to this file; key may be
 *                                                   a pkcs11: URI (RFC 7512) instead.
 *                                                   The passphrase file has in its
 *                                                   first line the key's passphrase,
 *                                                   or the token's PIN
 *   [group]     conference= listen=HOST:PORT invite=NAME;NAME
 *               log=FILE                            a membership log is kept there
 *   [peers]     NAME=HOST:PORT
 *   [access]    allow=PATTERN;PATTERN deny=PATTERN  who may invite me: names with
 *                                                   * and ?; deny wins, and does not
 *                                                   tell A from a; without allow,
 *                                                   everybody certified may
 *   [keys]      lifetime=SECONDS packets=N          when a key is replaced at the
 *                                                   latest: the group's, and one that
 *                                                   protects a stream
 *   [policy]    level=3 video= audio= whiteboard= signalling=   cipher names, or
 *                                                   auto, which becomes one of them
 *                                                   here, by this peer's processor
 *
 * Needed are [identity] certificate, key and trust, [group] conference and listen,
 * and for each name to be invited its address in [peers]. Port 0 listens at any
 * port that is free.
 *
 * An unknown group or key, a missing one, a bad value: BRAVIS_ERROR_CONFIG naming
 * file, group, key, value, and what was expected.
 */
#pragma once

#include "bravis-error.h"
#include "bravis-policy.h"
#include "../gcp/gcp-address.h"

G_BEGIN_DECLS

#define BRAVIS_MAX_CONFERENCE 128        /* octets of a conference's name */

/* Packets that one key of AES-GCM may protect: RFC 9001 §6.6, where the chance to
 * tell it from an ideal cipher stays below 2^-57 for packets of at most 2^14 octets. */
#define BRAVIS_DEFAULT_KEY_PACKETS (G_GUINT64_CONSTANT (1) << 23)
#define BRAVIS_DEFAULT_KEY_LIFETIME 3600 /* s */

typedef struct _BravisConfig BravisConfig;

typedef struct {
  char *name;
  GcpAddress address;
} BravisConfigPeer;

struct _BravisConfig {
  char *file;
  char *certificate, *trust;    /* paths, absolute, as the next ones */
  char *key;                    /* or a pkcs11: URI */
  char *passphrase, *crl;       /* or NULL */
  char *conference;
  char *log;                    /* absolute; NULL: none */
  GcpAddress listen;
  GStrv invite;
  GArray *peers;                /* of BravisConfigPeer */
  GStrv allow, deny;
  BravisPolicy policy;
  guint key_lifetime;           /* s */
  guint64 key_packets;
};

BravisConfig *bravis_config_load (const char *file, GError **error);
void bravis_config_free (BravisConfig *config);

/* Borrowed; NULL where [peers] has no such name. */
const GcpAddress *bravis_config_find_peer (const BravisConfig *config,
    const char *name);
gboolean bravis_config_may_invite (const BravisConfig *config, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BravisConfig, bravis_config_free)

G_END_DECLS
