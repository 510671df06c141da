"""Section 8: an epoch, and all that is derived from its secret."""

from primitives import derive, sha256
from wire import check, u8, u64

VIDEO, AUDIO, WHITEBOARD, SIGNALLING = range(4)
CIPHERS = (1, 2, 3, 4, 5, 241, 242)
LONG_BASE_KEY, LONG_SRTP_KEY = (5, 241, 242), (5, 241)
HIGHEST_EPOCH = 2**44 - 1
DEFAULT_POLICY = bytes((3, 4, 4, 4, 4))


def read_policy(reader):
    policy = reader.take(5)
    check(policy[0] == 3 and all(cipher in CIPHERS for cipher in policy[1:]), 'no policy')
    return policy


class Epoch:
    def __init__(self, number, view, policy, cards, secret):
        """@cards: of the members, (id, digest), in the view's order."""
        self.number, self.view, self.policy, self.secret = number, view, policy, secret
        self.members = [member for member, _ in cards]
        self.context = sha256(u64(number) + u64(view) + policy + u8(len(cards)) + b''.join(
            u64(member) + digest for member, digest in cards))
        prk = derive(secret, 'epoch', self.context, 32)
        self._media = derive(prk, 'media', b'', 32)
        self.confirmation = derive(prk, 'confirmation', b'', 32)
        self._exporter = derive(prk, 'exporter', b'', 32)
        self.verification = derive(prk, 'verification', b'', 32)

    def kid(self, member, kind, stream):
        return self.number << 20 | self.members.index(member) << 12 | kind << 10 | stream

    def cipher(self, kid):
        """KeyError: the KID is not of this epoch."""
        if kid >> 20 != self.number or kid >> 12 & 0xff >= len(self.members):
            raise KeyError(kid)
        return self.policy[1 + (kid >> 10 & 3)]

    def base_key(self, kid):
        size = 32 if self.cipher(kid) in LONG_BASE_KEY else 16
        return derive(self._media, 'base key', u64(kid), size)

    def srtp_key(self, kid):
        return self.srtp_octets(kid, 44 if self.cipher(kid) in LONG_SRTP_KEY else 28)

    def srtp_octets(self, kid, size):
        return derive(self._media, 'srtp key', u64(kid), size)

    def export(self, label, x, size):
        return derive(derive(self._exporter, label, b'', 32), 'exported', sha256(x), size)
