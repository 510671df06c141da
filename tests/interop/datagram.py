"""Section 5.2: the datagrams of a link, and the stamps that they bear."""

from typing import NamedTuple, Optional

from wire import Reader, check, u8, u16, u32, u64, vector8

LINK = 1
ANSWER, ECHO = 1, 2
MOST_SEGMENT, MOST_SEGMENTS, MOST_SACK = 2048, 256, 32
CLOCK = 2**32


def microseconds(seconds):
    return int(seconds * 1e6)


def is_newer(stamp, other):
    return 0 < (stamp - other) % CLOCK < CLOCK // 2


class Clock:
    """Stamps, no two of which are the same."""

    def __init__(self):
        self._last = 0

    def stamp(self, now):
        self._last = max(microseconds(now), self._last + 1)
        return self._last % CLOCK


class Datagram(NamedTuple):
    flags: int
    number: int
    interval: int
    stamp: int
    echo: int
    delay: int
    ack: int
    room: int
    sack: bytes
    segment: Optional[tuple]        # its number, its octets
    own: int
    other: int

    @classmethod
    def read(cls, octets):
        reader = Reader(octets)
        check(reader.u8() == LINK, 'not of a link')
        fields = [reader.u8(), reader.u32(), reader.u16(), reader.u32(), reader.u32(),
                  reader.u32(), reader.u64(), reader.u16(), reader.vector8(MOST_SACK)]
        size, segment = reader.left - 16, None
        if reader.left != 8:
            check(1 <= size <= MOST_SEGMENT, 'no segment')
            segment = reader.u64(), reader.take(size)
        datagram = cls(*fields, segment, reader.u32(), reader.u32())
        check(datagram.flags & ~(ANSWER | ECHO) == 0 and datagram.room <= MOST_SEGMENTS,
              'out of range')
        return datagram

    def write(self):
        segment = u64(self.segment[0]) + self.segment[1] if self.segment else b''
        return (u8(LINK) + u8(self.flags) + u32(self.number) + u16(self.interval)
                + u32(self.stamp) + u32(self.echo) + u32(self.delay) + u64(self.ack)
                + u16(self.room) + vector8(self.sack) + segment + u32(self.own)
                + u32(self.other))

    def sacked(self):
        return {self.ack + 1 + 8 * at + bit for at, octet in enumerate(self.sack)
                for bit in range(8) if octet >> bit & 1}
