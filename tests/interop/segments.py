"""Section 5.2: the stream of messages, laid end to end and cut into segments."""

from collections import deque

from datagram import MOST_SEGMENT, MOST_SEGMENTS
from wire import check, vector24

MOST_MESSAGE, OWN_SEGMENT = 65536, 1021
MOST_HELD = 3 + MOST_MESSAGE
WINDOW = 32


class Incoming:
    """The other's stream, put together from its segments."""

    def __init__(self):
        self.next, self._early = 0, {}
        self._octets, self._segments = bytearray(), deque()

    def take(self, number, segment):
        """Whether it is the next."""
        if not self.next <= number < self.limit():
            return False
        in_order = number == self.next
        self._early[number] = segment
        while self.next in self._early:
            segment = self._early.pop(self.next)
            self._octets += segment
            self._segments.append(len(segment))
            self.next += 1
        return in_order

    def room(self):
        free = max(MOST_HELD - len(self._octets), 0)
        return min(MOST_SEGMENTS - len(self._segments), -(-free // MOST_SEGMENT))

    def limit(self):
        """Segments below this one are taken."""
        return self.next + self.room()

    def sack(self):
        bits = sum(1 << number - self.next - 1 for number in self._early)
        return bits.to_bytes((bits.bit_length() + 7) // 8, 'little')

    def peek(self):
        """The next message, if it is there; Malformed: there will be none any more."""
        size = int.from_bytes(self._octets[:3], 'big')
        if len(self._octets) < 3:
            return None
        check(size <= MOST_MESSAGE, 'the link is broken')
        return bytes(self._octets[3:3 + size]) if len(self._octets) >= 3 + size else None

    def pop(self):
        del self._octets[:3 + int.from_bytes(self._octets[:3], 'big')]
        held = sum(self._segments)
        while self._segments and held - self._segments[0] >= len(self._octets):
            held -= self._segments.popleft()


class Outgoing:
    """One's own stream, cut into segments that are kept until they have come."""

    def __init__(self):
        self.waiting, self.next, self._limit = bytearray(), 0, 0
        self.flight = {}                # number -> [octets, stamp]

    def say(self, message):
        self.waiting += vector24(message)

    def acknowledge(self, datagram):
        """Whether something new has come."""
        check(datagram.ack <= self.next, 'acknowledges what was never sent')
        self._limit = max(self._limit, datagram.ack + datagram.room)
        sacked = datagram.sacked()
        come = [number for number in self.flight if number < datagram.ack or number in sacked]
        for number in come:
            del self.flight[number]
        return bool(come)

    def cut(self):
        """The number of a new segment; None: none may be sent."""
        oldest = min(self.flight, default=self.next)
        if (not self.waiting or len(self.flight) >= WINDOW
                or self.next >= min(self._limit, oldest + MOST_SEGMENTS)):
            return None
        self.flight[self.next] = [bytes(self.waiting[:OWN_SEGMENT]), 0]
        del self.waiting[:OWN_SEGMENT]
        self.next += 1
        return self.next - 1

    def is_idle(self):
        return not self.waiting and not self.flight
