"""Two streams of messages between two members: docs/protocol.md, section 5.2. It keeps
the rules for what a datagram says and for what is taken; it sends again by a plain
timeout, and has a small window instead of congestion control."""

from wire import Malformed, Reader, u8, u16, u32, u64, vector

LINK = 1
ANSWER, ECHO = 1, 2
SEGMENT = 900
WINDOW = 16
AGAIN = 0.15            # s until a segment is sent again
BEAT = 0.05             # s between signs of life
ROOM = 256


def micros(now):
    return int(now * 1e6) % 2 ** 32


class Channel:
    def __init__(self, number):
        """@number: of this link among all that this end makes, from 1."""
        self.own, self.other = number, 0
        self.sent = 0                   # datagrams
        self.last_stamp = None
        self.heard = None               # (stamp, when)
        self.unsent = b''
        self.segments = {}              # number -> octets, not acknowledged
        self.sent_at = {}
        self.next = 0                   # number of the next segment to be cut
        self.greatest = ROOM            # segments below it are taken by the other
        self.got = {}                   # number -> octets, out of order
        self.ack = 0
        self.stream = b''
        self.due = 0.0
        self.messages = []              # that came, whole

    def send(self, message):
        self.unsent += vector(3, message)

    def receive(self, datagram, now):
        reader = Reader(datagram)
        if reader.u8() != LINK:
            raise Malformed('no datagram of a link')
        flags, _, _ = reader.u8(), reader.u32(), reader.u16()
        stamp, _, _ = reader.u32(), reader.u32(), reader.u32()
        ack, room, sack = reader.u64(), reader.u16(), reader.vector(1)
        own, other = (int.from_bytes(datagram[at:at + 4], 'big')
                      for at in (len(datagram) - 8, len(datagram) - 4))
        if own == 0 or own < self.other or other not in (0, self.own) or ack > self.next:
            return
        self.other = own
        if self.heard is None or (stamp - self.heard[0]) % 2 ** 32 < 2 ** 31:
            self.heard = stamp, now
        self.acknowledge(ack, room, sack)
        if len(datagram) - 8 > reader.at:
            self.take_segment(reader.u64(), datagram[reader.at:len(datagram) - 8])
            self.due = now
        if flags & ANSWER:
            self.due = now

    def acknowledge(self, ack, room, sack):
        self.greatest = max(self.greatest, ack + room)
        for number in list(self.segments):
            bit = number - ack - 1
            if number < ack or (0 <= bit < 8 * len(sack) and sack[bit // 8] >> bit % 8 & 1):
                del self.segments[number]

    def take_segment(self, number, octets):
        if not self.ack <= number < self.ack + ROOM or not octets:
            return
        self.got[number] = octets
        while self.ack in self.got:
            self.stream += self.got.pop(self.ack)
            self.ack += 1
        while len(self.stream) >= 3:
            size = int.from_bytes(self.stream[:3], 'big')
            if size > 65536:
                raise Malformed('a message too long')
            if len(self.stream) < 3 + size:
                break
            self.messages.append(self.stream[3:3 + size])
            self.stream = self.stream[3 + size:]

    def poll(self, now):
        """The datagrams that are due."""
        while self.unsent and len(self.segments) < WINDOW and self.next < self.greatest:
            self.segments[self.next] = self.unsent[:SEGMENT]
            self.unsent = self.unsent[SEGMENT:]
            self.next += 1
        out = []
        for number in sorted(self.segments):
            if now >= self.sent_at.get(number, 0) + AGAIN:
                self.sent_at[number] = now
                out.append(self.make(now, u64(number) + self.segments[number]))
        if not out and now >= self.due:
            out.append(self.make(now, b''))
        if out:
            self.due = now + BEAT
        return out

    def make(self, now, segment):
        self.sent += 1
        stamp = micros(now)
        if self.last_stamp is not None and (stamp - self.last_stamp - 1) % 2 ** 32 >= 2 ** 31:
            stamp = (self.last_stamp + 1) % 2 ** 32
        self.last_stamp = stamp
        echo, delay = (0, 0) if self.heard is None else (
            self.heard[0], int((now - self.heard[1]) * 1e6))
        bits = bytearray((max((number - self.ack for number in self.got), default=0) + 7) // 8)
        for number in self.got:
            bits[(number - self.ack - 1) // 8] |= 1 << (number - self.ack - 1) % 8
        return (u8(LINK) + u8(0 if self.heard is None else ECHO) + u32(self.sent % 2 ** 32)
                + u16(100) + u32(stamp) + u32(echo) + u32(delay) + u64(self.ack) + u16(ROOM)
                + vector(1, bytes(bits)) + segment + u32(self.own) + u32(self.other))
