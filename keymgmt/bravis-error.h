/* bravis-error.h: what can go wrong, in one domain */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BRAVIS_ERROR (bravis_error_quark ())
GQuark bravis_error_quark (void);

/**
 * BravisError:
 * @BRAVIS_ERROR_CONFIG: a configuration file or property is wrong
 * @BRAVIS_ERROR_FILE: a certificate, key, trust or CRL file cannot be read
 * @BRAVIS_ERROR_CERTIFICATE: a certificate is malformed, or not fit for its use
 * @BRAVIS_ERROR_UNTRUSTED: a certificate is not issued by a trusted authority
 * @BRAVIS_ERROR_EXPIRED: a certificate is not valid any more, or not yet
 * @BRAVIS_ERROR_REVOKED: a certificate is on a revocation list
 * @BRAVIS_ERROR_WRONG_NAME: a peer is not who was wanted
 * @BRAVIS_ERROR_KEY_MISMATCH: a private key does not belong to its certificate
 * @BRAVIS_ERROR_SIGNATURE: a signature does not verify
 * @BRAVIS_ERROR_PROTOCOL: a message is malformed, or out of place
 * @BRAVIS_ERROR_DENIED: the invitee's access list refuses the inviter
 * @BRAVIS_ERROR_CONFERENCE: the peer is in, or wants, another conference
 * @BRAVIS_ERROR_UNREACHABLE: a peer does not answer
 * @BRAVIS_ERROR_POLICY: the policy does not allow it
 * @BRAVIS_ERROR_KEY: a static key has the wrong length or is no hexadecimal
 * @BRAVIS_ERROR_STATE: not possible in the present state
 * @BRAVIS_ERROR_LIMIT: a limit is reached (members, streams, size)
 *
 * The codes are also sent to a peer that is refused, as one octet: they are
 * part of the protocol and never renumbered.
 */
typedef enum {
  BRAVIS_ERROR_CONFIG = 1,
  BRAVIS_ERROR_FILE = 2,
  BRAVIS_ERROR_CERTIFICATE = 3,
  BRAVIS_ERROR_UNTRUSTED = 4,
  BRAVIS_ERROR_EXPIRED = 5,
  BRAVIS_ERROR_REVOKED = 6,
  BRAVIS_ERROR_WRONG_NAME = 7,
  BRAVIS_ERROR_KEY_MISMATCH = 8,
  BRAVIS_ERROR_SIGNATURE = 9,
  BRAVIS_ERROR_PROTOCOL = 10,
  BRAVIS_ERROR_DENIED = 11,
  BRAVIS_ERROR_CONFERENCE = 12,
  BRAVIS_ERROR_UNREACHABLE = 13,
  BRAVIS_ERROR_POLICY = 14,
  BRAVIS_ERROR_KEY = 15,
  BRAVIS_ERROR_STATE = 16,
  BRAVIS_ERROR_LIMIT = 17
} BravisError;

/* A short sentence for a code that came over the network. */
const char *bravis_error_describe (guint code);

G_END_DECLS
