"""Section 6.4: the key that two members have in common, and the copy of the epoch's secret
that one makes for the other with it."""

from primitives import agree, derive, extract, seal, sha256, unseal
from wire import u32, u64, vector8

SIZE = 48
NONCE = bytes(12)


def _side(member, share):
    return u64(member) + u32(share.serial) + share.public


def hash_of_shares(shares):
    """@shares: (member, share), in the view's order, for 7.6."""
    return sha256(b''.join(_side(*one) for one in shares))


class CopyKeys:
    """Between the member whose private share this is, and others."""

    def __init__(self, conference, private, shares, digest):
        """@digest: of VTKD_KEYS up to its copies."""
        self._conference, self._private = conference, private
        self._shares, self._digest = shares, digest

    def _key(self, sender, receiver, other):
        prk = extract(b'', agree(self._private, self._shares[other].public))
        sides = b''.join(_side(member, self._shares[member])
                         for member in sorted((sender, receiver)))
        pair = derive(prk, 'pair', vector8(self._conference) + sides, 32)
        return derive(pair, 'copy', self._digest + u64(sender) + u64(receiver), 32)

    def seal(self, own, receiver, secret):
        return seal(self._key(own, receiver, receiver), NONCE, secret)

    def open(self, own, sender, copy):
        return unseal(self._key(sender, own, sender), NONCE, copy)
