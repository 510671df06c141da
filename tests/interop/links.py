"""Sections 5.2, 5.3 and 5.5: with whom a member keeps links, and who of them is lost."""

from collections import Counter
from itertools import count

from channel import Channel, Loopback
from datagram import LINK
from liveness import HEARTBEAT, SUSPICION
from messages import write_message
from views import FAILED, MOST_MEMBERS, PUT_OUT, ViewId
from wire import Malformed, Reader, check, u8, u64

OUT, PROBE = 2, 3
MOST_UNSTABLE, MOST_UNORDERED = 2101248, 286720
MOST_FORMER, OUT_PAUSE, PROBE_PAUSE = 256, 0.1, 0.01


class Links:
    """Between @own and others. @host: now, transmit(member, octets)"""

    def __init__(self, own, host):
        self.own, self.host = own, host
        self.view, self.members, self.primary = None, (), False
        self.prepared, self.candidates = None, {}
        self.gone, self.out = set(), set()
        self.former = {}                # member -> why it is none any more
        self.said, self.heard = Counter(), Counter()
        self.channels, self._loopback, self._numbers = {}, Loopback(), count(1)
        self._retired = {}              # member -> until when its link goes on
        self._pauses = {}               # (kind, member) -> until when nothing is answered
        self._ran, self._trusting_until = self.now, 0

    @property
    def now(self):
        return self.host.now

    @property
    def others(self):
        return [member for member in self.members if member != self.own]

    # --- who is there ---

    def linked(self):
        """Those that a member of a view keeps links with."""
        prepared = self.prepared.proposal.members if self.prepared else ()
        return {*self.members, *self.candidates, *prepared} - {self.own}

    def _may_link(self, member):
        if member in self.channels:
            return True
        if self.view is None:
            return len(self.channels) < MOST_MEMBERS
        return member in self.linked()

    def open_channel(self, member, other=0):
        if member not in self.channels:
            self.channels[member] = Channel(
                next(self._numbers), other,
                lambda octets: self.host.transmit(member, octets), self.now)
        return self.channels[member]

    def review_channels(self):
        """In a new view."""
        linked = self.linked()
        for member in linked:
            self.open_channel(member)
        self._retired = {member: self._retired.get(member, self.now + SUSPICION)
                         for member in self.channels if member not in linked}

    def is_suspected(self, member, share=1):
        if self.now < self._trusting_until or member == self.own:
            return False
        return member not in self.channels or self.channels[member].is_suspected(self.now, share)

    def is_lost(self, member, share=1):
        return (member in self.gone or member in self.out
                or self.is_suspected(member, share))

    # --- datagrams ---

    def receive(self, member, octets):
        """An authentic one of that member."""
        reader = Reader(octets)
        kind = reader.u8()
        if kind == LINK:
            self._on_link(member, octets)
        elif kind == OUT:
            self._on_out(member, reader)
        elif kind == PROBE:
            self._on_probe(member, reader)
        self.process()

    def _on_link(self, member, octets):
        if not self._may_link(member):
            self._say_out(member)
            return
        channel = self.open_channel(member)
        if not channel.receive(octets, self.now):
            del self.channels[member]
            self.open_channel(member, channel.other)
            if member in self.members:
                self.gone.add(member)

    def _may_answer(self, kind, member, pause):
        if self.now < self._pauses.get((kind, member), 0):
            return False
        self._pauses[kind, member] = self.now + pause
        return True

    def _say_out(self, member):
        if self.view and member in self.former and self._may_answer(OUT, member, OUT_PAUSE):
            self.host.transmit(member, u8(OUT) + self.view.write() + u8(self.primary)
                               + u8(self.former[member]))

    def _on_out(self, member, reader):
        view, primary, why = ViewId.read(reader), reader.boolean(), reader.u8()
        check(why <= PUT_OUT, 'no reason')
        reader.end()
        self._note_view(member, view)
        if primary and self.view and view > self.view:
            self.on_told_out(member, why)

    def _on_probe(self, member, reader):
        answer, view, primary = reader.boolean(), ViewId.read(reader), reader.boolean()
        reader.u8()
        reader.u64()
        reader.end()
        self._note_view(member, view)
        if not self.view or not answer:
            return
        left = self.former.get(member, FAILED) != FAILED
        if left and not (primary and not self.primary):
            self._say_out(member)
        elif self._may_answer(PROBE, 0, PROBE_PAUSE):
            self.host.transmit(member, u8(PROBE) + u8(0) + self.view.write() + u8(self.primary)
                               + u8(len(self.members)) + u64(self.coordinator()))

    def _note_view(self, member, view):
        """It is in that one."""
        ready = self.prepared and self.prepared.proposal.view
        if self.view and view > self.view and view != ready and member in self.members:
            self.gone.add(member)

    def remember_former(self, member, why):
        self.former.pop(member, None)
        self.former[member] = why
        if len(self.former) > MOST_FORMER:
            del self.former[next(iter(self.former))]

    # --- messages ---

    def withhold(self, _member, _kind):
        """A test may decide that a message is not said."""
        return False

    def say(self, member, kind, body=b'', attempt=None, view=None):
        if member == self.own or not self.withhold(member, kind):
            self.said[kind] += 1
            self.send_octets(member, write_message(kind, view or self.view, attempt, body))

    def send_octets(self, member, message):
        if member == self.own:
            self._loopback.say(message)
        elif member in self.channels:
            channel = self.channels[member]
            channel.say(message)
            there = len(self.members) + len(self.candidates)
            channel.broken |= channel.backlog() > 4 * (MOST_UNSTABLE + there * MOST_UNORDERED)

    def process(self):
        """Takes what came, until nothing more can be taken."""
        progress = True
        while progress:
            sources = [(self.own, self._loopback), *self.channels.items()]
            progress = any([self._take_messages(*source) for source in sources])

    def _take_messages(self, member, channel):
        taken = False
        while (message := channel.peek()) is not None and self._accept(member, message):
            channel.pop()
            taken = True
        return taken

    def _accept(self, member, message):
        """False: it has to wait where it is."""
        try:
            return self.accept(member, message)
        except Malformed:
            return True

    def tick_links(self):
        if self.now - self._ran > 3 * HEARTBEAT:
            self._trusting_until = self.now + 4 * HEARTBEAT
        self._ran = self.now
        for member, until in list(self._retired.items()):
            if self.now >= until or self.channels[member].is_idle():
                del self._retired[member], self.channels[member]
        for channel in self.channels.values():
            channel.tick(self.now)
