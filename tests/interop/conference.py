"""Section 7: a peer in a conference, from its invitation on. It invites nobody.

Left out: PAUSE, and lists of what was revoked (7.8)."""

import time
from collections import defaultdict, deque

from admission import ADMIT, PROPOSAL, VOUCH, Admission
from card import Card
from command import COMMAND, EXPIRED, LEAVE, Commands
from contacts import CONTACTS, Contacts
from group import ENDED, Member
from handshake import FIRST as HANDSHAKE
from invitee import Door
from link import DIRECT
from refusal import STATE, Refused, require
from roster import read_roster
from streams import STREAM, STREAM_END, Streams, write_stream
from verification import COMMIT, REVEAL, Verification
from views import FAILED, LEFT
from vtkd import Vtkd
from wire import Malformed, Reader, u8

MESSAGE = 23
MEDIA = range(128, 192)
MOST_MEDIA, MOST_REPORTS = 1024, 256
WEAK_CIPHERS = {2, 3, 242}


class Peer:
    """Over @socket, which has sendto(). What comes is given to receive(), and tick() is called
    every few ms; both with the time, in seconds that never go back."""

    def __init__(self, identity, conference, socket, group=Member, may_invite=lambda name: True,
                 now=0):
        self.identity, self.socket, self.may_invite, self.now = identity, socket, may_invite, now
        self.card, secrets = Card.make(identity, conference, int(time.time()))
        self.contacts = Contacts(self.card, secrets.link)
        self.keys = Vtkd(identity, self.card, secrets, self)
        self.admission, self.streams = Admission(self), Streams()
        self._door = Door(identity, self.card, self)
        self._commands = Commands(conference, self.card.member, identity.key, self)
        self._group_class, self.group = group, None
        self.views, self.epochs, self.departed = [], [], []
        self.messages, self.media = [], deque(maxlen=MOST_MEDIA)
        self.reports = deque(maxlen=MOST_REPORTS)
        self._verification, self._says_contacts = None, False
        self._going, self._expired = set(), defaultdict(set)
        self._deliver = {
            **dict.fromkeys(range(1, 16), self._on_keys),
            **dict.fromkeys((PROPOSAL, VOUCH, ADMIT), self.admission.deliver),
            **dict.fromkeys((COMMIT, REVEAL), self._on_verification),
            CONTACTS: self._on_contacts, STREAM: self._on_stream, STREAM_END: self._on_stream,
            MESSAGE: self._on_message, COMMAND: self._on_command_message}

    # --- what the application asks for, and sees ---

    @property
    def over(self):
        return self.group is not None and self.group.state == ENDED

    @property
    def why(self):
        return self.group and self.group.why

    @property
    def epoch(self):
        return self.epochs[-1] if self.epochs else None

    @property
    def code(self):
        return self._verification and self._verification.code

    @property
    def cards(self):
        return self.contacts.cards

    @property
    def addresses(self):
        return self.contacts.addresses

    def multicast(self, octets, safe=False):
        """A message of the application's."""
        self.group.multicast(u8(MESSAGE) + octets, safe, ahead=False)

    def announce(self, kind, number, description):
        self.streams.own[number] = kind, description
        if self.views:
            self.say(write_stream(number, kind, description))

    def leave(self):
        if self.views:
            self._commands.give(LEAVE)
        if self.group:
            self.group.leave()

    # --- datagrams ---

    def receive(self, datagram, address, now):
        self.now = now
        try:
            self._receive(datagram, address)
        except Malformed:
            pass

    def _receive(self, datagram, address):
        first = Reader(datagram).u8()
        if first == HANDSHAKE:
            self._door.receive(datagram, address)
        elif first == DIRECT and self.group and not self.over:
            self.group.receive(*self.contacts.open(datagram, address))
        elif first in MEDIA:
            self.media.append(datagram)

    def tick(self, now):
        self.now = now
        self._door.tick()
        self.contacts.tick(now)
        if self.group:
            self.keys.tick()
            self.group.tick()

    # --- what the door asks for ---

    def send(self, datagram, address):
        try:
            self.socket.sendto(datagram, address)
        except OSError:                 # as if it were lost on its way
            pass

    def is_open(self):
        return self.group is None

    def accept(self, inviter, roster, address):
        require(self.is_open(), STATE)
        entries = read_roster(roster, inviter, self.card.conference, self.identity.trust)
        for entry in entries:
            known = address if entry.card.digest == inviter.digest else entry.address
            self.contacts.learn(entry.card, known)
        self.group = self._group_class(self.card.member, self)

    # --- what the group asks for ---

    def transmit(self, member, plaintext):
        try:
            self.send(*self.contacts.seal(member, plaintext))
        except Malformed:
            pass

    def _card(self, member):
        return self.card if member == self.card.member else self.contacts.card(member)

    def card_of(self, member):
        """Its octets; None: nobody knows it."""
        card = self._card(member)
        return card and card.octets

    def take_card(self, member, octets):
        """Whether it can be accepted."""
        try:
            card = Card(octets).verify(self.card.conference, self.identity.trust)
            require(card.member == member, STATE)
            self.contacts.learn(card)
        except Refused as refused:
            self.report(refused.code, member)
            return False
        return True

    def end(self, why):
        self._verification = None
        self.reports.append((None, why))

    def take_view(self, members, departures):
        before = self.views[-1][1] if self.views else ()
        self.views.append((self.group.view, members))
        for member, why in departures:
            why = FAILED if why == LEFT and member not in self._going else why
            self.departed.append((member, why))
            self.contacts.depart(member, self.now, why == FAILED)
        self._verification = None
        self._going, self._expired = set(), defaultdict(set)
        self.admission.clear()
        self.streams.keep(members)
        view = self.group.view.number
        self._commands.install(view)
        self.keys.install(view, {member: self._card(member) for member in members})
        if set(members) - set(before):
            self._greet(members, before)
        if self._says_contacts:
            self.say(self.contacts.write(view, members))

    def _greet(self, members, before):
        """Tells newcomers what they cannot know."""
        old = [member for member in members if member in before]
        self._says_contacts |= old[:1] == [self.card.member]
        for number, (kind, description) in self.streams.own.items():
            self.say(write_stream(number, kind, description))

    # --- group messages ---

    def say(self, message, safe=False):
        self.group.multicast(message, safe)

    def deliver(self, sender, message, _safe):
        handler = self._deliver.get(message[0]) if message else None
        try:
            if handler:
                handler(sender, message)
        except Malformed:
            pass
        except Refused as refused:
            self.report(refused.code, sender)

    def _on_keys(self, sender, message):
        self.keys.deliver(sender, message)

    def _on_message(self, sender, message):
        self.messages.append((sender, message[1:]))

    def _on_verification(self, sender, message):
        if self._verification:
            self._verification.deliver(sender, message)

    def _on_contacts(self, _sender, message):
        if self.contacts.take(Reader(message[1:])) == self.group.view.number:
            self._says_contacts = False

    def _on_stream(self, sender, message):
        take = self.streams.take if message[0] == STREAM else self.streams.end
        take(sender, Reader(message[1:]))

    def _on_command_message(self, sender, message):
        self._commands.deliver(sender, self._card(sender).certified.key, message)

    # --- what admission, keys, verification and commands ask for ---

    def members_cards(self):
        return self.keys.cards

    def candidate_of(self, name):
        """The id of a newcomer that was admitted in that name, and is not in yet."""
        return next((member for member in self.group.candidates
                     if self._card(member).name == name), None)

    def admit(self, card, address):
        self.contacts.learn(card, address)
        for member, other in self.members_cards().items():
            if other.name == card.name:
                self.group.put_out(member)
        earlier = self.candidate_of(card.name)
        if earlier not in (None, card.member):
            self.group.refuse_candidate(earlier)
        self.group.admit(card.member)

    def release(self, member):
        """It was a candidate, and is not any more."""
        self.contacts.depart(member, self.now, False)

    def report(self, code, member=None):
        self.reports.append((member, code))

    def blame(self, member, why):
        self.reports.append((member, why))

    def take_epoch(self, epoch):
        self.epochs.append(epoch)
        self._verification = Verification(epoch, self.keys.hash_of_shares(), self.card.member,
                                          self)
        if WEAK_CIPHERS & {*epoch.policy[1:]}:
            self.leave()

    def on_command(self, sender, kind, body):
        if kind == LEAVE:
            self._going.add(sender)
        elif kind == EXPIRED:
            self._on_expired(sender, int.from_bytes(body, 'big'))

    def _on_expired(self, sender, member):
        """More than half of the others say so: it is put out."""
        if member in self.members_cards() and member != sender:
            self._expired[member].add(sender)
            if 2 * len(self._expired[member]) > len(self.members_cards()) - 1:
                self.group.put_out(member)
