"""A peer that lets itself be invited, and is a member until it leaves: docs/protocol.md,
sections 3 to 8, put together. Time is given to it; datagrams go through its socket."""

import os

import vtkd
from card import Share, new_card, verify_card
from channel import LINK, Channel
from command import COMMAND, LEAVE, Command
from group import OUT, Member
from handshake import Invitee
from link import DIRECT, SealedLink
from verification import COMMIT, REVEAL, code, commitment
from wire import Malformed, Reader, u8, u16, u64, vector

PROPOSAL, VOUCH, ADMIT, CONTACTS, STREAM, MESSAGE = 16, 17, 18, 20, 21, 23
DOOR = 192
PATIENCE = 10.0         # s
HEARTBEAT = 0.1         # s


def read_address(reader):
    """(IP as text, port), or None."""
    family = reader.u8()
    if family == 0:
        return None
    if family != 4:
        raise Malformed('not an IPv4 address')
    return '.'.join(map(str, reader.take(4))), reader.u16()


def write_address(address):
    return (u8(4) + b''.join(u8(int(part)) for part in address[0].split('.'))
            + u16(address[1]))


def read_roster(octets):
    """Section 7.2: (address, card, share) of each member."""
    reader = Reader(octets)
    if reader.u8() != 1:
        raise Malformed('roster')
    reader.take(5)
    members = [(read_address(reader), reader.vector(3), Share.read(reader))
               for _ in range(reader.u8())]
    reader.end()
    return members


class Peer:
    """@group: the class of its group's end."""

    def __init__(self, identity, conference, socket, draw=os.urandom, group=Member):
        self.identity, self.conference, self.socket, self.draw = (
            identity, conference, socket, draw)
        self.private, share_private = draw(32), draw(32)
        self.card = new_card(identity, conference, int.from_bytes(draw(8), 'big') | 1,
                             self.private, share_private)
        self.door = Invitee(identity, conference, self.card, draw)
        self.cards, self.addresses = {}, {}     # by member id
        self.links, self.channels, self.known_since = {}, {}, {}
        self.group = group(self.card.member, self.send, self.silence)
        self.group.cards[self.card.member] = self.card.octets
        self.keys = vtkd.Party(identity, conference, self.card, share_private, draw,
                               self.say, self.take_epoch)
        self.now, self.patient_until = 0.0, 0.0
        self.proposed = {}      # newcomer -> card
        self.epoch = None
        self.epochs, self.messages, self.views, self.media = [], [], [], []
        self.departed = []      # (member, why): 0 left, 1 failed, 2 put out
        self.numbers, self.commitments, self.code = {}, {}, None
        self.number = None
        self.sequence = 0
        self.telling = False    # where the others are: to newcomers
        self.asked_to_leave = self.over = False
        self.waited_for, self.since = None, 0.0     # 6.7
        self.why = None         # it is over

    # --- datagrams ---

    def set_time(self, now):
        """5.5: who was not run for long suspects nobody for a while."""
        if now > self.now + 3 * HEARTBEAT:
            self.patient_until = now + 4 * HEARTBEAT
        self.now = now

    def receive(self, datagram, address, now):
        self.set_time(now)
        if datagram[0] == DOOR:
            self.door.receive(datagram, address, now)
            if self.door.roster is not None and not self.cards:
                self.join(address)
        elif datagram[0] == DIRECT:
            self.receive_sealed(datagram, address)
        elif datagram[0] >> 6 == 2:
            self.media.append(datagram)
        self.run()

    def receive_sealed(self, datagram, address):
        sender = int.from_bytes(datagram[1:9], 'big')
        plaintext = self.links[sender].open(datagram) if sender in self.links else None
        if plaintext is None:
            return
        self.addresses[sender] = address
        if plaintext[0] == LINK:
            self.channels[sender].receive(plaintext, self.now)
        elif plaintext[0] == OUT:
            self.group.take_out(Reader(plaintext[1:]))
            self.take_events()

    def tick(self, now):
        self.set_time(now)
        self.door.tick(now)
        if self.keys.wait != self.waited_for:
            self.waited_for, self.since = self.keys.wait, now
        elif self.waited_for and now - self.since >= PATIENCE:
            self.keys.lose_patience()
            self.since = now
        self.run()

    def run(self):
        self.group.tick(self.now)
        self.take_events()
        for member, channel in list(self.channels.items()):
            while channel.messages:
                self.group.receive(member, channel.messages.pop(0))
                self.take_events()
        while self.door.out:
            self.socket.sendto(*self.door.out.pop(0))
        for member, channel in self.channels.items():
            if self.addresses.get(member):
                for datagram in channel.poll(self.now):
                    self.socket.sendto(self.links[member].seal(datagram),
                                       self.addresses[member])

    # --- members ---

    def join(self, inviter_address):
        for address, octets, share in read_roster(self.door.roster):
            self.know(octets, address or inviter_address, share)
        if self.door.inviter.member not in self.cards:
            raise Malformed('the inviter is not in its roster')
        self.door.answer_ready()
        self.group.tick(self.now)
        self.group.join()

    def know(self, octets, address, share=None):
        card = verify_card(octets, self.identity, self.conference, share)
        if card.member == self.card.member or card.member in self.cards:
            return card
        self.cards[card.member] = card
        self.group.cards[card.member] = octets
        self.links[card.member] = SealedLink(self.card, self.private, card)
        self.channels[card.member] = Channel(len(self.channels) + 1)
        self.known_since[card.member] = self.now
        self.addresses[card.member] = address
        return card

    def send(self, member, message):
        if member != self.card.member:
            self.channels[member].send(message)

    def silence(self, member):
        heard = self.channels[member].heard
        if self.now < self.patient_until:
            return 0
        return self.now - (heard[1] if heard else self.known_since[member])

    def say(self, message, safe=False):
        self.group.multicast(message, safe)

    # --- what the group brings ---

    def take_events(self):
        while self.group.events:
            kind, *what = self.group.events.pop(0)
            if kind == 'view':
                self.take_view(*what)
            elif kind == 'message':
                self.deliver(*what)
            else:
                self.over, self.why = True, what[0]

    def take_view(self, number, members, departed):
        for member in members:
            if member in self.group.cards:
                self.know(self.group.cards[member], None)
        own = {self.card.member: self.card}
        self.tell_contacts(number, self.views[-1][1] if self.views else (), members)
        self.views.append((number, members))
        self.departed += departed
        self.sequence = 0
        self.keys.install(number, [own.get(member) or self.cards[member]
                                   for member in members])
        if self.asked_to_leave:
            self.say_leave()

    def deliver(self, sender, message):
        kind = message[0]
        if kind <= 15:
            self.keys.deliver(sender, message)
        elif kind == PROPOSAL:
            self.judge(message)
        elif kind == ADMIT:
            self.admit(Reader(message[1:]).u64())
        elif kind == CONTACTS:
            self.take_contacts(message)
        elif kind == MESSAGE:
            self.messages.append((sender, message[1:]))
        elif kind in (COMMIT, REVEAL):
            self.verify(sender, kind, Reader(message[1:]))
        elif kind == COMMAND and sender != self.card.member:
            Command.read(message).verify(self.conference, self.cards[sender])
        elif kind == COMMAND and self.asked_to_leave:
            self.group.leave()

    def judge(self, message):
        """7.1: a card that verifies is vouched for."""
        reader = Reader(message[1:])
        newcomer, _, address, octets = (reader.u64(), reader.vector(1), read_address(reader),
                                        reader.vector(3))
        card = verify_card(octets, self.identity, self.conference)
        if card.member != newcomer:
            raise Malformed('another member than proposed')
        self.know(octets, address)
        self.proposed[newcomer] = octets
        self.say(u8(VOUCH) + u64(newcomer) + card.digest + u8(0))

    def admit(self, newcomer):
        if newcomer in self.proposed:
            self.group.admit(newcomer, self.proposed[newcomer])

    def tell_contacts(self, number, before, members):
        """7.3: to newcomers, by the first that was there; again until it is delivered."""
        self.telling = before and (self.telling or not set(members) <= set(before))
        old = [member for member in members if member in before]
        if self.telling and old[0] == self.card.member:
            known = [member for member in members if self.addresses.get(member)]
            self.say(u8(CONTACTS) + u64(number) + u8(len(known)) + b''.join(
                u64(member) + write_address(self.addresses[member]) for member in known))

    def take_contacts(self, message):
        reader = Reader(message[1:])
        if reader.u64() == self.group.view_id[0]:
            self.telling = False
        for _ in range(reader.u8()):
            member, address = reader.u64(), read_address(reader)
            if member in self.cards and not self.addresses.get(member):
                self.addresses[member] = address

    # --- epochs ---

    def take_epoch(self, epoch):
        self.epoch = epoch
        self.epochs.append(epoch)
        self.number, self.commitments, self.numbers, self.code = self.draw(32), {}, {}, None
        self.say(u8(COMMIT) + u64(epoch.number)
                 + commitment(epoch.number, self.card.member, self.number))

    def verify(self, sender, kind, reader):
        number, octets = reader.u64(), reader.take(32)
        if not self.epoch or number != self.epoch.number:
            return
        members = self.epoch.members
        if kind == COMMIT and sender not in self.commitments:
            self.commitments[sender] = octets
            if len(self.commitments) == len(members):
                self.say(u8(REVEAL) + u64(number) + self.number)
        elif kind == REVEAL and len(self.commitments) == len(members):
            if commitment(number, sender, octets) != self.commitments[sender]:
                raise Malformed('another number than it committed to')
            self.numbers[sender] = octets
            if len(self.numbers) == len(members):
                self.code = code(self.epoch, self.keys.member.hash_shares(),
                                 [self.numbers[member] for member in members])

    # --- the application's wishes ---

    def multicast(self, octets):
        self.say(u8(MESSAGE) + octets)

    def announce(self, kind, stream, description):
        self.say(u8(STREAM) + u8(kind) + u16(stream) + vector(2, description))

    def leave(self):
        self.asked_to_leave = True
        self.say_leave()

    def say_leave(self):
        """The command, signed; at its delivery the group is left."""
        self.sequence += 1
        command = Command(self.group.view_id[0], self.sequence, LEAVE, b'')
        self.say(command.sign(self.identity, self.conference, self.card.member).encode(), True)
