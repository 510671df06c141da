"""What two members say to each other, sealed: docs/protocol.md, section 3."""

from primitives import derive, extract, seal, unseal, x25519
from wire import u8, u64

DIRECT, RELAYED = 193, 195
WINDOW = 1024


class SealedLink:
    def __init__(self, own, private, other):
        """@own, @other: cards; @private: that of one's own link key."""
        pair = extract(b'', x25519(private, other.link_key))
        self.own, self.other = own.member, other.member
        self.sending = derive(pair, 'link', own.digest + other.digest, 32)
        self.receiving = derive(pair, 'link', other.digest + own.digest, 32)
        self.sent = 0
        self.highest = 0
        self.taken = set()

    def seal(self, plaintext, first=DIRECT):
        self.sent += 1
        header = u8(first) + u64(self.own) + u64(self.sent)
        return header + seal(self.sending, self.sent, header, plaintext)

    def open(self, datagram, first=DIRECT):
        """None: to be dropped."""
        if len(datagram) < 33 or datagram[0] != first:
            return None
        header, number = datagram[:17], int.from_bytes(datagram[9:17], 'big')
        if (int.from_bytes(datagram[1:9], 'big') != self.other or number == 0
                or number in self.taken or number + WINDOW <= self.highest):
            return None
        plaintext = unseal(self.receiving, number, header, datagram[17:])
        if plaintext is not None:
            self.highest = max(self.highest, number)
            self.taken = {n for n in self.taken | {number} if n + WINDOW > self.highest}
        return plaintext
