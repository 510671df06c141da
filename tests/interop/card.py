"""Shares and cards: docs/protocol.md, section 3."""

import dataclasses
import time

from primitives import check_public, public_of, sha256
from wire import Malformed, Reader, u8, u32, u64, vector
from x509 import Refused, verify


@dataclasses.dataclass(frozen=True)
class Share:
    serial: int
    public: bytes
    signature: bytes

    def encode(self):
        return u32(self.serial) + self.public + vector(2, self.signature)

    @classmethod
    def read(cls, reader):
        share = cls(reader.u32(), check_public(reader.take(32)), reader.vector(2))
        if share.serial == 0 or len(share.signature) > 512:
            raise Malformed('share')
        return share

    def signed(self, conference, member):
        return vector(1, conference) + u64(member) + u32(self.serial) + self.public

    def verify(self, conference, card):
        verify(card.key, 'share', self.signed(conference, card.member), self.signature)


def new_share(identity, conference, member, serial, private):
    bare = Share(serial, public_of(private), b'')
    return dataclasses.replace(
        bare, signature=identity.sign('share', bare.signed(conference, member)))


@dataclasses.dataclass(frozen=True)
class Card:
    octets: bytes
    member: int
    link_key: bytes
    share: Share
    name: str
    key: object             # certified public key

    @property
    def digest(self):
        return sha256(self.octets)


def verify_card(octets, identity, conference, now=None):
    reader = Reader(octets)
    try:
        version, named, member = reader.u8(), reader.vector(1), reader.u64()
        reader.u64()            # when it was made
        link_key, share = check_public(reader.take(32)), Share.read(reader)
        chain, signed = reader.vector(3), reader.at
        signature = reader.vector(2)
        reader.end()
    except Malformed as error:
        raise Refused('PROTOCOL', str(error)) from error
    if version != 1 or member == 0 or share.serial != 1 or len(octets) > 16384:
        raise Refused('PROTOCOL', 'card')
    if named != conference:
        raise Refused('CONFERENCE')
    card = Card(octets, member, link_key, share, *identity.verify_chain(chain, now))
    verify(card.key, 'card', octets[:signed], signature)
    share.verify(conference, card)
    return card


def new_card(identity, conference, member, link_private, share_private, made=None):
    share = new_share(identity, conference, member, 1, share_private)
    link_key = public_of(link_private)
    made = int(time.time()) if made is None else made
    octets = (u8(1) + vector(1, conference) + u64(member) + u64(made) + link_key
              + share.encode() + vector(3, identity.chain))
    octets += vector(2, identity.sign('card', octets))
    return Card(octets, member, link_key, share, identity.name,
                identity.certificates[0].public_key())
