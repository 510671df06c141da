"""A handshake's keys, transcript and pieces, and the invitee's side of one:
docs/protocol.md, section 4. Time is given to it, datagrams are taken from it."""

import hmac
import os

from card import verify_card
from primitives import (check_public, derive, extract, mac, public_of, seal, sha256,
                        unseal, x25519)
from wire import Malformed, Reader, u8, u24, u64, vector
from x509 import Refused, verify

HELLO, COOKIE, REPLY, INVITER, INVITEE, WELCOME, READY, REFUSE = range(1, 9)
BY_INVITER, BY_INVITEE = 1, 2
HEADER, PIECE = 16, 1168
LIMITS = {INVITER: 3 + 16384 + 2 + 512 + 32, WELCOME: 262144, REFUSE: 1}


def is_for(hello, conference):
    return (len(hello) == 123 and hello[:3] == bytes([192, HELLO, 1]) and
            hmac.compare_digest(mac(sha256(conference), hello[:75])[:16], hello[75:91]))


class Transcript:
    """h0 to h4, and the keys that stand on them."""

    def __init__(self, conference, hello, reply, private, public):
        self.h0 = self.h = sha256(
            vector(1, b'BRAVIS 1.0 handshake') + vector(1, conference)
            + vector(1, hello[:91]) + vector(1, reply[:74]))
        self.prk = extract(self.h0, x25519(private, public))

    def key(self, kind, role):
        h = self.h if kind in (WELCOME, READY) else self.h0
        return derive(self.prk, 'handshake key', u8(kind) + u8(role) + h, 32)

    def mac(self, kind, role, octets):
        key = derive(self.prk, 'handshake mac', u8(kind) + u8(role) + self.h0, 32)
        return mac(key, octets)

    def add_card(self, kind, card):
        self.h = sha256(self.h + u8(kind) + vector(3, card))

    def add_signature(self, signature):
        self.h = sha256(self.h + vector(2, signature))

    def prove(self, kind, identity, card):
        role, label = ((BY_INVITER, 'handshake inviter') if kind == INVITER
                       else (BY_INVITEE, 'handshake invitee'))
        self.add_card(kind, card.octets)
        signature, tag = identity.sign(label, self.h), self.mac(kind, role, self.h)
        self.add_signature(signature)
        return vector(3, card.octets) + vector(2, signature) + tag

    def check_proof(self, kind, proof, identity, conference, now=None):
        role, label = ((BY_INVITER, 'handshake inviter') if kind == INVITER
                       else (BY_INVITEE, 'handshake invitee'))
        reader = Reader(proof)
        octets, signature, tag = reader.vector(3), reader.vector(2), reader.take(32)
        reader.end()
        card = verify_card(octets, identity, conference, now=now)
        self.add_card(kind, octets)
        verify(card.key, label, self.h, signature)
        if not hmac.compare_digest(self.mac(kind, role, self.h), tag):
            raise Refused('PROTOCOL', 'MAC')
        self.add_signature(signature)
        return card


def cut(key, kind, handshake, message):
    """The datagrams that carry a sealed message."""
    pieces = []
    for offset in range(0, max(len(message), 1), PIECE):
        header = u8(192) + u8(kind) + u64(handshake) + u24(len(message)) + u24(offset)
        pieces.append(header + seal(key, offset, header, message[offset:offset + PIECE]))
    return pieces


class Assembly:
    """Puts a sealed message together."""

    def __init__(self, key, limit):
        self.key, self.limit, self.pieces = key, limit, {}

    def take(self, datagram):
        """The message once it is whole; None before."""
        total = int.from_bytes(datagram[10:13], 'big')
        offset = int.from_bytes(datagram[13:16], 'big')
        if total > self.limit or offset % PIECE or offset > max(total - 1, 0):
            return None
        piece = unseal(self.key, offset, datagram[:HEADER], datagram[HEADER:])
        if piece is None or len(piece) != min(PIECE, total - offset):
            return None
        self.pieces[offset] = piece
        message = b''.join(self.pieces[at] for at in sorted(self.pieces))
        return message if len(message) == total else None


class Invitee:
    """One peer's door: lets itself be invited, by one inviter at a time."""

    def __init__(self, identity, conference, card, draw=os.urandom):
        self.identity, self.conference, self.card, self.draw = identity, conference, card, draw
        self.cookie = draw(32)
        self.out = []                   # (datagram, address)
        self.inviter = None             # card
        self.address = None
        self.roster = None
        self.ready = None               # READY's datagrams
        self.transcript = self.reply = self.awaited = None
        self.hello = self.proof = None
        self.again = None

    def receive(self, datagram, address, now):
        if len(datagram) < 2 or datagram[0] != 192:
            return
        if datagram[1] == HELLO:
            self.take_hello(datagram, address)
        elif self.transcript and address == self.address and datagram[2:10] == self.hello[3:11]:
            self.take_sealed(datagram, now)

    def take_hello(self, hello, address):
        if not is_for(hello, self.conference):
            return
        core = hello[:91]
        cookie = mac(self.cookie, repr(address).encode() + core)
        if not hmac.compare_digest(cookie, hello[91:]):
            self.out.append((u8(192) + u8(COOKIE) + hello[3:11] + cookie, address))
            return
        if core != self.hello:
            if self.proof:              # one inviter at a time
                return
            self.begin(core, address)
        self.out.append((self.reply, address))

    def begin(self, core, address):
        private = self.draw(32)
        try:
            public = check_public(core[43:75])
        except Malformed:
            return
        self.hello, self.address = core, address
        self.reply = u8(192) + u8(REPLY) + core[3:11] + self.draw(32) + public_of(private)
        self.transcript = Transcript(self.conference, core, self.reply, private, public)
        self.reply += self.transcript.mac(REPLY, BY_INVITEE, self.transcript.h0)
        self.await_message(INVITER)

    def await_message(self, kind):
        self.awaited = kind, Assembly(self.transcript.key(kind, BY_INVITER), LIMITS[kind])

    def take_sealed(self, datagram, now):
        if self.ready and datagram[1] == WELCOME:
            self.send(self.ready)
            return
        kind, assembly = self.awaited
        if datagram[1] == kind:
            message = assembly.take(datagram)
            if message is not None and kind == INVITER:
                self.take_inviter(message, now)
            elif message is not None and self.roster is None:
                self.again, self.roster = None, message
        elif datagram[1] == REFUSE:
            refusal = Assembly(self.transcript.key(REFUSE, BY_INVITER), 1).take(datagram)
            if refusal is not None:
                raise Refused(str(refusal[0]), 'the inviter refuses')

    def take_inviter(self, proof, now):
        self.inviter = self.transcript.check_proof(INVITER, proof, self.identity,
                                                   self.conference)
        proof = self.transcript.prove(INVITEE, self.identity, self.card)
        handshake = int.from_bytes(self.hello[3:11], 'big')
        key = self.transcript.key(INVITEE, BY_INVITEE)
        self.proof = cut(key, INVITEE, handshake, proof)
        self.await_message(WELCOME)
        self.send(self.proof)
        self.again = now + 0.1

    def answer_ready(self):
        handshake = int.from_bytes(self.hello[3:11], 'big')
        self.ready = cut(self.transcript.key(READY, BY_INVITEE), READY, handshake, b'')
        self.send(self.ready)

    def send(self, datagrams):
        self.out += [(datagram, self.address) for datagram in datagrams]

    def tick(self, now):
        if self.again is not None and now >= self.again:
            self.send(self.proof)
            self.again = now + 0.5
