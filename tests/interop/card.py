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
        if (share.serial == 0 or len(share.signature) > 512
                or (share.serial == 1) != (share.signature == b'')):
            raise Malformed('share')
        return share

    def signed(self, digest):
        return digest + u32(self.serial) + self.public

    def verify(self, card):
        if self.serial > 1:
            verify(card.key, 'share', self.signed(card.digest), self.signature)
        elif self != card.share:
            raise Refused('SIGNATURE', 'not the first share of the card')


def new_share(identity, digest, serial, private):
    bare = Share(serial, public_of(private), b'')
    return dataclasses.replace(bare, signature=identity.sign('share', bare.signed(digest)))


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


def verify_card(octets, identity, conference, share=None, now=None):
    """@share: the one that its member is said to have now. Is it a later one, its
    signature says that the card is right."""
    reader = Reader(octets)
    try:
        version, named, member = reader.u8(), reader.vector(1), reader.u64()
        reader.u64()            # when it was made
        link_key, first = check_public(reader.take(32)), check_public(reader.take(32))
        chain, signed = reader.vector(3), reader.at
        signature = reader.vector(2)
        reader.end()
    except Malformed as error:
        raise Refused('PROTOCOL', str(error)) from error
    if version != 1 or member == 0 or len(octets) > 16384:
        raise Refused('PROTOCOL', 'card')
    if named != conference:
        raise Refused('CONFERENCE')
    card = Card(octets, member, link_key, Share(1, first, b''),
                *identity.verify_chain(chain, now))
    if share:
        share.verify(card)
    if not share or share.serial == 1:
        verify(card.key, 'card', octets[:signed], signature)
    return card


def new_card(identity, conference, member, link_private, share_private, made=None):
    share = Share(1, public_of(share_private), b'')
    link_key = public_of(link_private)
    made = int(time.time()) if made is None else made
    octets = (u8(1) + vector(1, conference) + u64(member) + u64(made) + link_key
              + share.public + vector(3, identity.chain))
    octets += vector(2, identity.sign('card', octets))
    return Card(octets, member, link_key, share, identity.name,
                identity.certificates[0].public_key())
