"""Section 3, sealed link: datagrams between two members, each with the other's card."""

from primitives import agree, derive, extract, seal, unseal
from wire import check, u8, u64

DIRECT, RELAYED = 193, 195
OVERHEAD, WINDOW = 33, 1024


class SealedLink:
    def __init__(self, card, private, other):
        """@card, @private: one's own card and link key; @other: the other's card."""
        pair = extract(b'', agree(private, other.link))
        self._sending = derive(pair, 'link', card.digest + other.digest, 32)
        self._receiving = derive(pair, 'link', other.digest + card.digest, 32)
        self._own, self._other = card.member, other.member
        self._sent = 0
        self.highest, self._taken = 0, set()

    def seal(self, plaintext, first=DIRECT):
        self._sent += 1
        head = u8(first) + u64(self._own) + u64(self._sent)
        return head + seal(self._sending, self._nonce(head), plaintext, head)

    def open(self, datagram):
        """(plaintext, whether it is the newest)"""
        check(len(datagram) >= OVERHEAD, 'too short')
        head, number = datagram[:17], int.from_bytes(datagram[9:17], 'big')
        check(head[1:9] == u64(self._other), 'of another')
        check(number and number > self.highest - WINDOW and number not in self._taken,
              'an old packet')
        plaintext = unseal(self._receiving, self._nonce(head), datagram[17:], head)
        return plaintext, self._take(number)

    def _take(self, number):
        newest = number > self.highest
        self.highest = max(self.highest, number)
        self._taken.add(number)
        if len(self._taken) > 2 * WINDOW:
            self._taken = {one for one in self._taken if one > self.highest - WINDOW}
        return newest

    @staticmethod
    def _nonce(head):
        return bytes(4) + head[9:17]
