#include "bravis-error.h"

G_DEFINE_QUARK (bravis-error-quark, bravis_error)

static const char *const descriptions[] = {
  [BRAVIS_ERROR_CONFIG] = "wrong configuration",
  [BRAVIS_ERROR_FILE] = "a file cannot be read",
  [BRAVIS_ERROR_CERTIFICATE] = "the certificate is malformed or not fit for its use",
  [BRAVIS_ERROR_UNTRUSTED] = "the certificate is not issued by a trusted authority",
  [BRAVIS_ERROR_EXPIRED] = "the certificate is not valid at this time",
  [BRAVIS_ERROR_REVOKED] = "the certificate is revoked",
  [BRAVIS_ERROR_WRONG_NAME] = "the peer is not who was wanted",
  [BRAVIS_ERROR_KEY_MISMATCH] = "the key does not belong to the certificate",
  [BRAVIS_ERROR_SIGNATURE] = "a signature does not verify",
  [BRAVIS_ERROR_PROTOCOL] = "a message is malformed or out of place",
  [BRAVIS_ERROR_DENIED] = "the access list does not allow it",
  [BRAVIS_ERROR_CONFERENCE] = "another conference",
  [BRAVIS_ERROR_UNREACHABLE] = "no answer",
  [BRAVIS_ERROR_POLICY] = "the policy does not allow it",
  [BRAVIS_ERROR_KEY] = "the key is malformed",
  [BRAVIS_ERROR_STATE] = "not possible in the present state",
  [BRAVIS_ERROR_LIMIT] = "a limit is reached",
};

const char *
bravis_error_describe (guint code)
{
  if (code < G_N_ELEMENTS (descriptions) && descriptions[code])
    return descriptions[code];
  return "unknown reason";
}
