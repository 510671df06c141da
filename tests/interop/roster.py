"""Section 7.2: WELCOME, the members of the inviter's view, all verified by the newcomer."""

from typing import NamedTuple, Optional

from address import read_address
from card import MOST_OCTETS, Card, Share
from epoch import read_policy
from refusal import PROTOCOL, Refused, require
from views import MOST_MEMBERS
from wire import Malformed, Reader, check

VERSION = 1


class Entry(NamedTuple):
    address: Optional[tuple]
    card: Card


def read_roster(octets, inviter, conference, trust):
    """@inviter: its card, from the handshake."""
    try:
        listed = _read(Reader(octets))
    except Malformed:
        raise Refused(PROTOCOL) from None
    entries = [Entry(address, Card(card).verify(conference, trust, share))
               for address, card, share in listed]
    require(inviter.digest in {entry.card.digest for entry in entries}, PROTOCOL)
    require(len({entry.card.member for entry in entries}) == len(entries), PROTOCOL)
    return entries


def _read(reader):
    check(reader.u8() == VERSION, 'another version')
    read_policy(reader)
    count = reader.u8()
    check(1 <= count <= MOST_MEMBERS, 'no members')
    listed = [(read_address(reader), reader.vector24(MOST_OCTETS), Share.read(reader))
              for _ in range(count)]
    reader.end()
    return listed
