"""Section 3: what a member shows of itself, its card, and its share of the keys."""

from typing import NamedTuple

from primitives import draw, is_low_order, is_signed, public_of, sha256, sign
from refusal import CONFERENCE, PROTOCOL, SIGNATURE, Refused, require
from wire import Malformed, Reader, check, u8, u32, u64, vector8, vector16, vector24
from x509 import certify

MOST_OCTETS, MOST_SIGNATURE = 16384, 512


class Share(NamedTuple):
    serial: int
    public: bytes
    signature: bytes = b''

    @classmethod
    def read(cls, reader):
        share = cls(reader.u32(), reader.take(32), reader.vector16(MOST_SIGNATURE))
        check(share.serial and not is_low_order(share.public), 'no share')
        check((share.serial == 1) == (not share.signature), 'who signs that share?')
        return share

    @classmethod
    def make(cls, card, serial, private, key):
        public = public_of(private)
        return cls(serial, public, sign(key, 'share', card.digest + u32(serial) + public))

    def write(self):
        return u32(self.serial) + self.public + vector16(self.signature)

    def is_of(self, card):
        """Whether it verifies."""
        if self.serial == 1:
            return self.public == card.share.public
        return is_signed(card.certified.key, 'share',
                         card.digest + u32(self.serial) + self.public, self.signature)


class Secrets(NamedTuple):
    """The private keys that belong to a card."""
    link: bytes
    share: bytes


class Card:
    """Read, and not yet believed: verify() says whether it is to be."""

    def __init__(self, octets):
        try:
            self._read(Reader(octets))
        except Malformed:
            raise Refused(PROTOCOL) from None
        self.octets, self.digest = octets, sha256(octets)
        self.certified = None

    def _read(self, reader):
        check(reader.left <= MOST_OCTETS and reader.u8() == 1, 'no card')
        self.conference = reader.vector8()
        self.member, self.made = reader.u64(), reader.u64()
        self.link = reader.take(32)
        self.share = Share(1, reader.take(32))
        self.chain = reader.vector24()
        self._signed = reader.read()
        self._signature = reader.vector16()
        reader.end()
        check(self.member and not is_low_order(self.link)
              and not is_low_order(self.share.public), 'no keys')

    @classmethod
    def make(cls, identity, conference, made, drawn=draw):
        """A new incarnation: (its card, its secrets)."""
        member = int.from_bytes(drawn(8), 'little')
        secrets = Secrets(drawn(32), drawn(32))
        octets = (u8(1) + vector8(conference) + u64(member) + u64(made)
                  + public_of(secrets.link) + public_of(secrets.share)
                  + vector24(identity.chain))
        card = cls(octets + vector16(sign(identity.key, 'card', octets)))
        card.certified = certify(identity.chain, identity.trust)
        return card, secrets

    def verify(self, conference, trust, share=None, at=None):
        """@share: the one that its member has now, where it came with the card."""
        require(self.conference == conference, CONFERENCE)
        self.certified = certify(self.chain, trust, at)
        share = share or self.share
        if share.serial == 1:
            signed = is_signed(self.certified.key, 'card', self._signed, self._signature)
            require(signed and share.is_of(self), SIGNATURE)
        else:
            require(share.is_of(self), SIGNATURE)
        return self

    @property
    def name(self):
        return self.certified.name
