"""Sections 4.1 to 4.3: the datagrams of a handshake, its transcript and keys."""

from card import Card
from primitives import (agree, derive, extract, is_same, is_signed, mac, seal, sha256, sign,
                        unseal)
from refusal import PROTOCOL, SIGNATURE, Refused, require
from wire import Malformed, Reader, check, u8, u24, u64, vector8, vector16, vector24

FIRST = 192
HELLO, COOKIE, REPLY, INVITER, INVITEE, WELCOME, READY, REFUSE = range(1, 9)
BY_INVITER, BY_INVITEE = 1, 2
PIECE, HEAD = 1168, 16
HELLO_SIZE, UNTAGGED, WITHOUT_COOKIE, WITHOUT_MAC = 123, 75, 91, 74
MOST_PROOF, MOST_ROSTER = 3 + 16384 + 2 + 512 + 32, 262144
NO_COOKIE = bytes(32)
LABELS = {BY_INVITER: 'handshake inviter', BY_INVITEE: 'handshake invitee'}
PROOFS = {BY_INVITER: INVITER, BY_INVITEE: INVITEE}


def tag_of(conference, hello):
    return mac(sha256(conference), hello[:UNTAGGED])[:16]


def make_hello(conference, number, nonce, public, cookie=NO_COOKIE):
    head = u8(FIRST) + u8(HELLO) + u8(1) + u64(number) + nonce + public
    return head + tag_of(conference, head) + cookie


def make_cookie_message(number, cookie):
    return u8(FIRST) + u8(COOKIE) + u64(number) + cookie


def make_reply(number, nonce, public):
    """Without its MAC."""
    return u8(FIRST) + u8(REPLY) + u64(number) + nonce + public


class Transcript:
    """h0 to h4, and the keys that come of them."""

    def __init__(self, conference, hello, reply, private, public):
        """@private: one's own X25519 key, @public: the other's; @reply: up to its MAC."""
        self.h = [sha256(vector8(b'BRAVIS 1.0 handshake') + vector8(conference)
                         + vector8(hello[:WITHOUT_COOKIE]) + vector8(reply[:WITHOUT_MAC]))]
        self._prk = extract(self.h[0], agree(private, public))

    def _add(self, octets):
        self.h.append(sha256(self.h[-1] + octets))
        return self.h[-1]

    def _key(self, label, kind, role, h=0):
        return derive(self._prk, label, u8(kind) + u8(role) + self.h[h], 32)

    def sealing(self, kind, role):
        return self._key('handshake key', kind, role, 4 if kind in (WELCOME, READY) else 0)

    def reply_mac(self):
        return mac(self._key('handshake mac', REPLY, BY_INVITEE), self.h[0])

    def _proof_mac(self, role, h):
        return mac(self._key('handshake mac', PROOFS[role], role), h)

    def prove(self, role, card, key):
        h = self._add(u8(PROOFS[role]) + vector24(card.octets))
        signature = sign(key, LABELS[role], h)
        self._add(vector16(signature))
        return vector24(card.octets) + vector16(signature) + self._proof_mac(role, h)

    def check_proof(self, role, proof, conference, trust):
        """The card of who made it."""
        octets, signature, tag = read_proof(proof)
        card = Card(octets).verify(conference, trust)
        h = self._add(u8(PROOFS[role]) + vector24(octets))
        self._add(vector16(signature))
        require(is_signed(card.certified.key, LABELS[role], h, signature), SIGNATURE)
        require(is_same(tag, self._proof_mac(role, h)), PROTOCOL)
        return card


def read_proof(proof):
    reader = Reader(proof)
    try:
        parts = reader.vector24(), reader.vector16(), reader.take(32)
        reader.end()
    except Malformed:
        raise Refused(PROTOCOL) from None
    return parts


def seal_message(kind, number, key, message):
    """The datagrams of it."""
    datagrams = []
    for offset in range(0, len(message) or 1, PIECE):
        head = u8(FIRST) + u8(kind) + u64(number) + u24(len(message)) + u24(offset)
        piece = seal(key, bytes(9) + u24(offset), message[offset:offset + PIECE], head)
        datagrams.append(head + piece)
    return datagrams


def open_piece(key, datagram):
    """(total, offset, piece)"""
    total, offset = (int.from_bytes(datagram[at:at + 3], 'big') for at in (10, 13))
    piece = unseal(key, bytes(9) + u24(offset), datagram[HEAD:], datagram[:HEAD])
    check(offset % PIECE == 0 and offset <= max(total - 1, 0)
          and len(piece) == min(PIECE, total - offset), 'no piece')
    return total, offset, piece


class Assembler:
    """Puts one awaited message together."""

    def __init__(self, most):
        self._most, self._total, self._pieces = most, None, {}

    def add(self, key, datagram):
        """The message, when it is whole."""
        total, offset, piece = open_piece(key, datagram)
        check(total <= self._most and self._total in (None, total), 'too long')
        self._total = total
        self._pieces[offset] = piece
        if sum(map(len, self._pieces.values())) < total:
            return None
        return b''.join(self._pieces[at] for at in sorted(self._pieces))
