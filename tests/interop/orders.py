"""Section 5.4: the messages of a view that a member holds, by their numbers."""

from typing import NamedTuple

from pieces import OVERHEAD, SAFE, Piece

ACKNOWLEDGED_MESSAGES, ACKNOWLEDGED_OCTETS, ACKNOWLEDGEMENT_DELAY = 64, 131072, 0.01


class Ordered(NamedTuple):
    sender: int
    piece: Piece


class Acknowledgement:
    """When RECEIPT or STABLE is due: soon, or after so much."""

    def __init__(self):
        self._messages = self._octets = 0
        self._due = None

    def note(self, piece, now, at_once=False):
        self._messages += 1
        self._octets += len(piece.payload)
        much = (self._messages >= ACKNOWLEDGED_MESSAGES
                or self._octets >= ACKNOWLEDGED_OCTETS)
        due = now if at_once or much else now + ACKNOWLEDGEMENT_DELAY
        self._due = due if self._due is None else min(due, self._due)

    def is_due(self, now):
        """Asked once: it is done then."""
        if self._due is None or now < self._due:
            return False
        self._messages, self._octets, self._due = 0, 0, None
        return True


class Orders:
    def __init__(self):
        self.held = self.delivered = self.stable = 0
        self.messages = {}

    def hold(self, ordered):
        self.held += 1
        self.messages[self.held] = ordered

    def own(self, member):
        """The numbers of that member's that are still here."""
        return [number for number, one in self.messages.items() if one.sender == member]

    def deliverable(self, all_up_to=None):
        """Those that can be delivered, each counted as delivered when it is given."""
        while self.delivered < (self.held if all_up_to is None else all_up_to):
            ordered = self.messages[self.delivered + 1]
            unsafe = ordered.piece.flags & SAFE and self.delivered >= self.stable
            if unsafe and all_up_to is None:
                break
            self.delivered += 1
            yield ordered

    def forget(self):
        """What is delivered and stable."""
        for number in range(min(self.messages, default=1), min(self.delivered, self.stable) + 1):
            self.messages.pop(number, None)

    def unstable_octets(self):
        return sum(len(one.piece.payload) + OVERHEAD
                   for number, one in self.messages.items() if number > self.stable)
