"""For tests: alice, who invites a peer and makes its first view, step by step as a test says,
with a socket that only remembers."""

import os

from address import write_address
from card import Card
from channel import Channel
from conference import Peer
from datagram import Datagram
from epoch import DEFAULT_POLICY
from handshake import (BY_INVITEE, BY_INVITER, INVITEE, INVITER, MOST_PROOF, READY, REFUSE,
                       WELCOME, Assembler, Transcript, make_hello, seal_message)
from link import SealedLink
from messages import COMMIT, HERE, ORDER, PREPARE, PREPARED, Message, write_message
from pieces import cut
from primitives import draw, public_of
from views import Lineage, Proposal, ViewId
from wire import Malformed, u8, u64, vector24
from x509 import Identity

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'vectors',
                         'identities')
CONFERENCE = b'document'
ADDRESS = '127.0.0.9', 9000
START = 1000                            # s, by no clock


def load(name):
    with open(os.path.join(DIRECTORY, name), 'rb') as file:
        return file.read()


def identity(name):
    return Identity(load(f'{name}.pem'), load(f'{name}-key.pem'), load('ca.pem'))


class Socket:
    def __init__(self):
        self.sent = []

    def sendto(self, datagram, address):
        self.sent.append((datagram, address))

    def take(self):
        sent, self.sent = self.sent, []
        return [datagram for datagram, _ in sent]


class Alice:
    """@peer: bob, whom she invites."""

    def __init__(self, **arguments):
        self.socket, self.now = Socket(), START
        self.identity = identity('alice')
        self.peer = Peer(identity('bob'), CONFERENCE, self.socket, **arguments)
        self.card, self.secrets = Card.make(self.identity, CONFERENCE, 1)
        self.number, self.private = 7, draw(32)
        self.hello = make_hello(CONFERENCE, self.number, draw(32), public_of(self.private))
        self.view, self.sequence = None, 0

    def send(self, *datagrams, address=ADDRESS):
        """What the peer answers."""
        for datagram in datagrams:
            self.peer.receive(datagram, address, self.now)
        return self.socket.take()

    def tick(self, seconds):
        self.now += seconds
        self.peer.tick(self.now)
        return self.socket.take()

    # --- the handshake ---

    def say_hello(self):
        """The REPLY."""
        cookie, = self.send(self.hello)
        self.hello = self.hello[:91] + cookie[10:]
        reply, = self.send(self.hello)
        return reply

    def prove(self):
        """INVITER, in its pieces."""
        reply = self.say_hello()
        self.transcript = Transcript(CONFERENCE, self.hello, reply, self.private, reply[42:74])
        assert reply[74:] == self.transcript.reply_mac()
        proof = self.transcript.prove(BY_INVITER, self.card, self.identity.key)
        return self.seal(INVITER, proof)

    def seal(self, kind, message):
        key = self.transcript.sealing(kind, BY_INVITER)
        return seal_message(kind, self.number, key, message)

    def open(self, kind, datagrams):
        """The peer's message of that kind."""
        assembler, message = Assembler(MOST_PROOF), None
        for datagram in datagrams:
            assert datagram[:2] == u8(192) + u8(kind), datagram[:2]
            message = assembler.add(self.transcript.sealing(kind, BY_INVITEE), datagram)
        return message

    def take_proof(self, datagrams):
        self.bob = self.transcript.check_proof(BY_INVITEE, self.open(INVITEE, datagrams),
                                               CONFERENCE, self.identity.trust)
        self.link = SealedLink(self.card, self.secrets.link, self.bob)
        self.outbox = []
        self.channel = Channel(1, 0, self.outbox.append, self.now)

    def roster(self):
        share = self.card.share.write()
        return (u8(1) + DEFAULT_POLICY + u8(1) + write_address(None)
                + vector24(self.card.octets) + share)

    def welcome(self):
        """Up to READY."""
        self.take_proof(self.send(*self.prove()))
        self.welcome_datagrams = self.seal(WELCOME, self.roster())
        assert self.open(READY, self.send(*self.welcome_datagrams)) == b''

    def refusal(self, datagrams):
        return self.open(REFUSE, datagrams)[0]

    # --- the group ---

    def exchange(self, *messages):
        """Says these on the link; the messages that the peer has said meanwhile."""
        for message in messages:
            self.channel.say(message)
        for _ in range(4):
            self.now += 0.02
            self.channel.tick(self.now)
            datagrams = [self.link.seal(one) for one in self.outbox]
            self.outbox.clear()
            for datagram in self.send(*datagrams) + self.tick(0):
                self._hear(datagram)
        return list(self._messages())

    def _hear(self, datagram):
        if datagram[0] == 193:
            plaintext, _ = self.link.open(datagram)
            try:
                Datagram.read(plaintext)
            except Malformed:           # OUT or PROBE
                return
            self.channel.receive(plaintext, self.now)

    def _messages(self):
        while (octets := self.channel.peek()) is not None:
            self.channel.pop()
            yield Message.read(octets)

    def propose(self, **changes):
        """The first view of the two, or one that has that changed."""
        one, mine = ViewId(1, self.card.member), (self.card.member,)
        self.attempt = ViewId(2, self.card.member)
        proposal = Proposal(self.attempt, True, 0, 0, (*mine, self.bob.member), (), (), mine,
                            (), (), Lineage(one, mine))._replace(**changes)
        return write_message(PREPARE, one, self.attempt, proposal.write())

    def bring_in(self):
        self.welcome()
        answers = self.exchange(self.propose())
        assert [one.kind for one in answers] == [PREPARED]
        self.view = self.attempt
        commit = write_message(COMMIT, ViewId(1, self.card.member), self.attempt, b'')
        assert HERE in [one.kind for one in self.exchange(
            commit, write_message(HERE, self.view, None, u8(1)))]

    def order(self, message, sender=0, safe=False):
        """The peer gets it as the next in the group's order."""
        orders = []
        for piece in cut(message, safe, True):
            self.sequence += 1
            orders.append(write_message(ORDER, self.view, None, u64(self.sequence) + u8(sender)
                                        + u8(piece.flags) + piece.payload))
        return self.exchange(*orders)
