"""Key changes, as one member sees them: docs/protocol.md, section 6. A Member knows
shares and opens copies; a Party says its share, and holds the token when it is its
turn. Nobody is blamed: what is wrong ends the program."""

import dataclasses

from card import Share, new_share
from epoch import Epoch
from primitives import derive, extract, seal, sha256, unseal, x25519
from wire import Malformed, Reader, u8, u32, u64, vector

SHARE, KEYS, REFRESH, OVERDUE = 1, 2, 3, 4
OWED_SHARE, OWED_KEYS = 0, 1
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
        said.share.verify(self.cards[sender])
        self.shares[sender] = said.share

    def take_keys(self, sender, change, private=None):
        """Makes the epoch. @private: of the next share, where this member is the
        holder: it has no copy, and has made the epoch."""
        if change.view != self.view:
            raise Malformed('of another view')
        change.share.verify(self.cards[sender])
        if sender != self.card.member:
            self.make_epoch(change, self.open_own_copy(sender, change))
        else:
            self.private = private
        self.shares[sender] = change.share

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


def seal_copy(pair, digest, sender, receiver, secret):
    key = derive(pair, 'copy', digest + u64(sender) + u64(receiver), 32)
    return seal(key, 0, b'', secret)


class Party:
    """@say (message, safe): to the group. @take (epoch): a new one."""

    def __init__(self, identity, conference, card, private, draw, say, take):
        self.identity, self.conference, self.card = identity, conference, card
        self.draw, self.say, self.take = draw, say, take
        self.member = Member(conference, card, private)
        self.policy = bytes([3, 4, 4, 4, 4])
        self.knows = self.exchanged = self.awaiting = False
        self.version = self.highest = 0
        self.said = {}
        self.made = None        # (secret, private) of a key change on its way
        self.overdue = {}       # (what, which): who says so

    def install(self, view, cards):
        news = [card for card in cards if card.member not in self.member.cards]
        self.member.install(view, cards)
        self.awaiting, self.said, self.made, self.overdue = True, {}, None, {}
        if news:
            self.exchanged = False
        if not self.exchanged:          # also where the view before did not come to it
            self.say(SaidShare(view, self.knows, self.own_number, self.version, self.policy,
                               self.member.shares[self.card.member]).encode(), False)
        else:
            self.act()

    @property
    def own_number(self):
        """The epoch number that it says it knows, and does not go below."""
        return self.highest if self.knows else min(self.highest, 2 ** 32 - 1)

    def refresh(self):
        self.say(u8(REFRESH) + u64(self.member.view), False)

    @property
    def holder(self):
        members = list(self.member.cards)
        return members[self.version % len(members)]

    def deliver(self, sender, message):
        if Reader(message[1:]).u64() != self.member.view:
            return
        if message[0] == SHARE and not self.exchanged and sender not in self.said:
            said = SaidShare.read(message)
            self.member.take_share(sender, said)
            self.said[sender] = said
            if len(self.said) == len(self.member.cards):
                self.settle()
        elif message[0] == KEYS and self.awaiting and self.exchanged:
            self.take_keys(sender, KeyChange.read(message))
        elif message[0] == REFRESH and not self.awaiting:
            self.awaiting = True
            self.act()
        elif message[0] == OVERDUE and self.awaiting:
            reader = Reader(message[9:])
            owed, which = reader.u8(), reader.u64()
            reader.end()
            self.take_overdue(sender, owed, which)

    def lose_patience(self):
        """6.7, where all have waited too long for the same."""
        owed = []
        if self.awaiting and not self.exchanged:
            owed = [(OWED_SHARE, member) for member in self.member.cards
                    if member not in self.said and member != self.card.member]
        elif self.awaiting and self.holder != self.card.member:
            owed = [(OWED_KEYS, self.version)]
        for what, which in owed:
            self.say(u8(OVERDUE) + u64(self.member.view) + u8(what) + u64(which), False)

    @property
    def wait(self):
        """Another value for each thing that all wait for; None: nothing."""
        return (self.member.view, self.exchanged, self.version) if self.awaiting else None

    def take_overdue(self, sender, owed, which):
        if owed == OWED_SHARE:
            accused = which
            if self.exchanged or which not in self.member.cards or which in self.said:
                return
        elif not self.exchanged or which != self.version:
            return
        else:
            accused = self.holder
        if sender == accused:
            return
        accusers = self.overdue.setdefault((owed, which), set())
        accusers.add(sender)
        if 2 * len(accusers) <= len(self.member.cards) - 1:
            return
        if owed == OWED_KEYS:
            self.version, self.made = self.version + 1, None
            self.act()
        else:
            self.pass_over(accused)

    def pass_over(self, member):
        if member == self.card.member:
            raise Malformed('passed over by the others')
        share = self.member.cards[member].share
        self.member.shares[member] = share
        self.said[member] = SaidShare(self.member.view, False, 0, 0, self.policy, share)
        if len(self.said) == len(self.member.cards):
            self.settle()

    def settle(self):
        said = [self.said[member] for member in self.member.cards]
        first = next((one for one in said if one.knows), said[0])
        self.policy = first.policy
        count = [one for one in said if one.epoch < 2 ** 32]
        self.highest = max(self.own_number, first.epoch, *(one.epoch for one in count))
        self.version = max([first.version] + [one.version for one in count if one.knows])
        self.exchanged = self.knows = True
        self.act()

    def act(self):
        """6.4"""
        if not (self.exchanged and self.awaiting and self.holder == self.card.member):
            return
        own, private, secret = self.card.member, self.draw(32), self.draw(32)
        member, shares = self.member, self.member.shares
        share = new_share(self.identity, member.cards[own].digest, shares[own].serial + 1,
                          private)
        epoch = self.make_epoch(secret)
        others = [one for one in member.cards if one != own]
        head = (u8(KEYS) + u64(member.view) + u64(self.version) + u64(epoch.number)
                + self.policy + share.encode() + epoch.context + epoch.confirmation
                + u8(len(others)))
        copies = b''
        for other in others:
            pair = pair_key(self.conference, (own, shares[own]), member.private,
                            (other, shares[other]))
            copies += seal_copy(pair, sha256(head), own, other, secret)
        self.made = secret, private
        self.say(head + copies, True)

    def make_epoch(self, secret):
        members = [(one, card.digest) for one, card in self.member.cards.items()]
        return Epoch(self.highest + 1, self.member.view, self.policy, members, secret)

    def take_keys(self, sender, change):
        if (sender != self.holder or change.version != self.version
                or change.epoch != self.highest + 1 or change.policy != self.policy
                or change.share.serial != self.member.shares[sender].serial + 1):
            raise Malformed('a key change that no honest holder makes')
        if sender == self.card.member:
            secret, private = self.made
            self.member.make_epoch(change, secret)
            self.member.take_keys(sender, change, private)
        else:
            self.member.take_keys(sender, change)
        self.version += 1
        self.highest, self.awaiting = change.epoch, False
        self.take(self.member.epoch)
