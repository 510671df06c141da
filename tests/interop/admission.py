"""Section 7.1, steps 2 to 5: how the members let somebody in whom one of them proposes."""

from typing import NamedTuple, Optional

from address import read_address
from card import MOST_OCTETS, Card
from primitives import sha256
from refusal import LIMIT, STATE, WRONG_NAME, Refused, require
from views import MOST_MEMBERS
from wire import Reader, check, u8, u64, vector16
from x509 import is_name

PROPOSAL, VOUCH, ADMIT = 16, 17, 18
MOST_OF_PROPOSER, MOST_REASON = 16, 256


class Proposed(NamedTuple):
    proposer: int
    newcomer: int
    name: bytes
    address: Optional[tuple]
    card: bytes
    vouched: set

    @classmethod
    def read(cls, sender, reader):
        proposed = cls(sender, reader.u64(), reader.vector8(), read_address(reader),
                       reader.vector24(MOST_OCTETS), set())
        reader.end()
        check(is_name(proposed.name), 'no name')
        return proposed

    def is_complete(self, cards):
        """@cards: of the view's members."""
        return all(member in self.vouched or card.name == self.name
                   for member, card in cards.items())


def read_verdict(reader):
    """0, or the code of the reason."""
    code = reader.u8()
    if code:
        reader.vector16(MOST_REASON)
    reader.end()
    return code


class Admission:
    """@host: card, identity, contacts, group, members_cards(), candidate_of(name), say(octets),
    report(code, member), admit(card, address)"""

    def __init__(self, host):
        self._host = host
        self._table = {}                # (proposer, newcomer) -> Proposed

    def clear(self):
        """In a new view."""
        self._table.clear()

    def deliver(self, sender, message):
        reader = Reader(message)
        handlers = {PROPOSAL: self._on_proposal, VOUCH: self._on_vouch, ADMIT: self._on_admit}
        handlers[reader.u8()](sender, reader)

    def _on_proposal(self, sender, reader):
        proposed = Proposed.read(sender, reader)
        others = [one for one in self._table.values() if one.proposer == sender]
        if (proposed.newcomer in self._host.members_cards() or len(others) >= MOST_OF_PROPOSER
                or (sender, proposed.newcomer) in self._table):
            return
        for one in others:
            if one.name == proposed.name:
                del self._table[sender, one.newcomer]
        self._table[sender, proposed.newcomer] = proposed
        if proposed.name != self._host.card.name:
            self._vouch(proposed)

    def _vouch(self, proposed):
        try:
            self._judge(proposed)
            verdict = u8(0)
        except Refused as refused:
            verdict = u8(refused.code) + vector16(b'')
        self._host.say(u8(VOUCH) + u64(proposed.newcomer) + sha256(proposed.card) + verdict)

    def _judge(self, proposed):
        host, cards = self._host, self._host.members_cards()
        card = Card(proposed.card).verify(host.card.conference, host.identity.trust)
        require((card.member, card.name) == (proposed.newcomer, proposed.name)
                and card.name != cards[proposed.proposer].name, WRONG_NAME)
        require(len(cards) < MOST_MEMBERS and not host.contacts.is_full(), LIMIT)
        require(host.candidate_of(card.name) in (None, card.member)
                and (card.member in host.group.candidates
                     or not host.contacts.is_known(card.member)), STATE)
        require(all(card.made >= one.made for one in cards.values() if one.name == card.name),
                STATE)

    def _on_vouch(self, sender, reader):
        newcomer, digest, code = reader.u64(), reader.take(32), read_verdict(reader)
        meant = [key for key, one in self._table.items()
                 if one.newcomer == newcomer and sha256(one.card) == digest]
        for key in meant:
            self._table[key].vouched.add(sender)
            if code:
                del self._table[key]
        if code and meant:
            self._host.report(code, sender)

    def _on_admit(self, sender, reader):
        newcomer = reader.u64()
        reader.end()
        proposed = self._table.get((sender, newcomer))
        if proposed and proposed.is_complete(self._host.members_cards()):
            del self._table[sender, newcomer]
            host = self._host
            card = Card(proposed.card).verify(host.card.conference, host.identity.trust)
            host.admit(card, proposed.address)
