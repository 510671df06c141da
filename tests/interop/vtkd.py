"""Key changes, as one member sees them: docs/protocol.md, section 6. It reads them and
says its own share; it does not hold the token."""

import dataclasses

from card import Share
from epoch import Epoch
from primitives import derive, extract, sha256, unseal, x25519
from wire import Malformed, Reader, u8, u32, u64, vector

SHARE, KEYS, REFRESH = 1, 2, 3
COPY = 48


@dataclasses.dataclass(frozen=True)
class SaidShare:
    view: int
    knows: bool
    epoch: int
    version: int
    policy: bytes
    share: Share

    def encode(self):
        return (u8(SHARE) + u64(self.view) + u8(self.knows) + u64(self.epoch)
                + u64(self.version) + self.policy + self.share.encode())

    @classmethod
    def read(cls, message):
        reader = Reader(message)
        if reader.u8() != SHARE:
            raise Malformed('no VTKD_SHARE')
        said = cls(reader.u64(), reader.boolean(), reader.u64(), reader.u64(),
                   reader.take(5), Share.read(reader))
        reader.end()
        if not said.knows and (said.version != 0 or said.epoch >= 2 ** 32):
            raise Malformed('a newcomer that knows')
        return said


@dataclasses.dataclass(frozen=True)
class KeyChange:
    view: int
    version: int
    epoch: int
    policy: bytes
    share: Share
    context: bytes
    confirmation: bytes
    copies: tuple
    digest: bytes

    @classmethod
    def read(cls, message):
        reader = Reader(message)
        if reader.u8() != KEYS:
            raise Malformed('no VTKD_KEYS')
        fields = (reader.u64(), reader.u64(), reader.u64(), reader.take(5),
                  Share.read(reader), reader.take(32), reader.take(32))
        n = reader.u8()
        digest = sha256(reader.octets[:reader.at])
        copies = tuple(reader.take(COPY) for _ in range(n))
        reader.end()
        return cls(*fields, copies, digest)


def pair_key(conference, own, private, other):
    """@own, @other: (member id, share), the shares that are current."""
    prk = extract(b'', x25519(private, other[1].public))
    sides = b''.join(u64(member) + u32(share.serial) + share.public
                     for member, share in sorted((own, other)))
    return derive(prk, 'pair', vector(1, conference) + sides, 32)


def open_copy(pair, digest, sender, receiver, copy):
    """The epoch's secret; None: it is not for this one."""
    key = derive(pair, 'copy', digest + u64(sender) + u64(receiver), 32)
    return unseal(key, 0, b'', copy)


class Member:
    """The view's members and the shares that are current."""

    def __init__(self, conference, card, private):
        self.conference = conference
        self.card = card
        self.private = private
        self.cards = {}
        self.shares = {}
        self.view = None
        self.epoch = None

    def install(self, view, cards):
        """@cards: of all members, in the view's order."""
        self.view = view
        self.shares = {card.member: self.shares.get(card.member, card.share)
                       for card in cards}
        self.cards = {card.member: card for card in cards}

    def take_share(self, sender, said):
        said.share.verify(self.conference, self.cards[sender])
        self.shares[sender] = said.share

    def take_keys(self, sender, change, private=None):
        """Makes the epoch. @private: of the next share, where this member is the
        holder, who has no copy: then @sender's secret is not opened, and None is
        returned."""
        if change.view != self.view:
            raise Malformed('of another view')
        change.share.verify(self.conference, self.cards[sender])
        secret = None
        if sender != self.card.member:
            secret = self.open_own_copy(sender, change)
            self.make_epoch(change, secret)
        else:
            self.private = private
        self.shares[sender] = change.share
        return self.epoch if secret else None

    def open_own_copy(self, sender, change):
        own = self.card.member
        others = [member for member in self.shares if member != sender]
        pair = pair_key(self.conference, (own, self.shares[own]), self.private,
                        (sender, self.shares[sender]))
        secret = open_copy(pair, change.digest, sender, own,
                           change.copies[others.index(own)])
        if secret is None or len(change.copies) != len(others):
            raise Malformed('no copy for this member')
        return secret

    def make_epoch(self, change, secret):
        members = [(member, card.digest) for member, card in self.cards.items()]
        epoch = Epoch(change.epoch, self.view, change.policy, members, secret)
        if epoch.context != change.context or epoch.confirmation != change.confirmation:
            raise Malformed('another epoch than the holder confirms')
        self.epoch = epoch

    def hash_shares(self):
        """For the verification code (7.6)."""
        return sha256(b''.join(u64(member) + u32(share.serial) + share.public
                               for member, share in self.shares.items()))
