"""Section 7.6: the verification code of an epoch, and the fingerprint of two people."""

from primitives import derive, draw, labelled_hash, sha256
from wire import Reader, u8, u64

COMMIT, REVEAL = 25, 26


def commitment(epoch, member, number):
    return labelled_hash('verification commitment', u64(epoch) + u64(member) + number)


def code(epoch, shares, numbers):
    """@shares: their hash. @numbers: in the view's order."""
    octets = derive(epoch.verification, 'code', sha256(shares + b''.join(numbers)), 8)
    digits = f'{int.from_bytes(octets, "big") % 10**9:09}'
    return ' '.join(digits[at:at + 3] for at in (0, 3, 6))


def fingerprint(der, other):
    """@der, @other: their end certificates."""
    digits = labelled_hash('fingerprint', b''.join(sorted((sha256(der), sha256(other))))).hex()
    return ' '.join(digits[at:at + 4] for at in range(0, 64, 4))


class Verification:
    """Of one epoch. @host: say(octets, safe), blame(member, why)"""

    def __init__(self, epoch, shares, own, host, drawn=draw):
        self._epoch, self._shares, self._host = epoch, shares, host
        self._number = drawn(32)
        self._commitments, self._numbers = {}, {}
        self._spoilt = False
        self.code = None
        self._say(COMMIT, commitment(epoch.number, own, self._number))

    def _say(self, kind, octets):
        self._host.say(u8(kind) + u64(self._epoch.number) + octets, False)

    def deliver(self, sender, message):
        reader = Reader(message)
        kind, number, octets = reader.u8(), reader.u64(), reader.take(32)
        reader.end()
        if number == self._epoch.number and sender in self._epoch.members:
            (self._on_commit if kind == COMMIT else self._on_reveal)(sender, octets)

    def _all(self, those):
        return len(those) == len(self._epoch.members)

    def _on_commit(self, sender, octets):
        if sender not in self._commitments:
            self._commitments[sender] = octets
            if self._all(self._commitments):
                self._say(REVEAL, self._number)

    def _on_reveal(self, sender, number):
        if sender in self._numbers or not self._all(self._commitments):
            return
        self._numbers[sender] = number
        if commitment(self._epoch.number, sender, number) != self._commitments[sender]:
            self._spoilt = True
            self._host.blame(sender, 'reveals another number than it committed to')
        elif self._all(self._numbers) and not self._spoilt:
            self.code = code(self._epoch, self._shares, [
                self._numbers[member] for member in self._epoch.members])
