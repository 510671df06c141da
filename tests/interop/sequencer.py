"""Section 5.4: the first member of a view gives all messages their order."""

from collections import deque

from group import Member
from messages import ORDER, RECEIPT, STABLE, SUBMIT
from orders import Acknowledgement
from pieces import OMITTED, SAFE, read_piece, size_of
from wire import u8, u64

MOST_QUEUED, MOST_UNSTABLE, MOST_BACKLOG = 270336, 1048576, 65536


class Sequencer(Member):
    def __init__(self, own, host):
        super().__init__(own, host)
        self.handlers |= {SUBMIT: self._on_submit, RECEIPT: self._on_receipt}

    def begin_view(self):
        super().begin_view()
        self._queues = {member: deque() for member in self.members}
        self._receipts = dict.fromkeys(self.members, 0)
        self._numbered = self._stable = 0
        self._stability = Acknowledgement()

    def _is_sequencer(self):
        return self.members[0] == self.own and not self.stopped

    def _on_submit(self, member, message):
        piece = read_piece(message.body)
        queue = self._queues.get(member)
        if queue is not None and self._is_sequencer() and size_of(queue) < MOST_QUEUED:
            queue.append(piece)
            self._order()

    def _order(self):
        """Takes of the members in turn."""
        while any(self._queues.values()) and self._may_order():
            for member, queue in self._queues.items():
                if queue:
                    self.number(member, *queue.popleft())

    def _may_order(self):
        return (self.orders.unstable_octets() < MOST_UNSTABLE
                and all(self.channels[member].backlog() <= MOST_BACKLOG
                        for member in self.others))

    def number(self, sender, flags, payload):
        self._numbered += 1
        head = u64(self._numbered) + u8(self.members.index(sender))
        for member in self.members:
            self.say(member, ORDER, head + (u8(flags | OMITTED) if member == sender
                                            else u8(flags) + payload))

    def _on_receipt(self, member, message):
        sequence = message.body.u64()
        message.body.end()
        if self._is_sequencer() and self._receipts.get(member, sequence) < sequence:
            self._receipts[member] = min(sequence, self._numbered)
            self._note_stable(min(self._receipts.values()))

    def _note_stable(self, sequence):
        for number in range(self._stable + 1, sequence + 1):
            piece = self.orders.messages[number].piece
            self._stability.note(piece, self.now, piece.flags & SAFE)
        self._stable = max(self._stable, sequence)

    def say_what_is_due(self):
        super().say_what_is_due()
        if self._is_sequencer():
            self._order()
            if self._stability.is_due(self.now):
                for member in self.members:
                    self.say(member, STABLE, u64(self._stable))
