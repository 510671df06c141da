"""Epochs and their keys: docs/protocol.md, section 8."""

from primitives import derive, sha256
from wire import u8, u64

KINDS = ('video', 'audio', 'whiteboard', 'signalling')
# By the cipher of the policy (9.1): of the base key.
KEY_SIZES = {1: 16, 2: 16, 3: 16, 4: 16, 5: 32, 241: 32, 242: 32}


def context_hash(number, view, policy, members):
    """@policy: its five octets; @members: (id, digest of the card) in the view's order."""
    return sha256(u64(number) + u64(view) + policy + u8(len(members))
                  + b''.join(u64(member) + digest for member, digest in members))


class Epoch:
    def __init__(self, number, view, policy, members, secret):
        self.number, self.view = number, view
        self.policy = policy
        self.members = [member for member, _ in members]
        self.context = context_hash(number, view, policy, members)
        self.prk = derive(secret, 'epoch', self.context, 32)
        self.media = derive(self.prk, 'media', b'', 32)
        self.confirmation = derive(self.prk, 'confirmation', b'', 32)
        self.exporter = derive(self.prk, 'exporter', b'', 32)

    def export(self, label, context, size):
        secret = derive(self.exporter, label, b'', 32)
        return derive(secret, 'exported', sha256(context), size)

    def kid(self, member, kind, stream):
        return self.number << 20 | self.members.index(member) << 12 | kind << 10 | stream

    def cipher(self, kid):
        return self.policy[1 + (kid >> 10 & 3)]

    def base_key(self, kid):
        self.check(kid)
        return derive(self.media, 'base key', u64(kid), KEY_SIZES[self.cipher(kid)])

    def srtp_key(self, kid, size):
        """@size: octets of the profile's master key and salt (9.4)."""
        self.check(kid)
        return derive(self.media, 'srtp key', u64(kid), size)

    def check(self, kid):
        if kid >> 20 != self.number or (kid >> 12 & 0xff) >= len(self.members):
            raise KeyError(f'KID {kid:x} is not of epoch {self.number}')
