"""Section 5.2, silence: how long it has to be to mean that the other end of a link has crashed.
The interval between signs of life that a slow implementation asks for is always the longest.
Times are in seconds."""

from math import log

HEARTBEAT, SUSPICION, LONGEST_SILENCE = 0.1, 0.8, 1.5
INTERVAL = HEARTBEAT
REMEMBERED = 256
MODULUS = 2**32
UNLIKELY = log(1e-6)


class Liveness:
    def __init__(self):
        self._newest, self._came = 0, set()
        self._note_loss()

    def hear(self, number):
        """@number: of a datagram, modulo 2^32."""
        ahead = (number - self._newest + MODULUS // 2) % MODULUS - MODULUS // 2
        self._came.add(self._newest + ahead)
        self._newest = max(self._newest, self._newest + ahead)
        if len(self._came) > 2 * REMEMBERED:
            self._came = {one for one in self._came if one > self._newest - REMEMBERED}
        self._note_loss()

    def _note_loss(self):
        """The share of the newest datagrams that is lost; 1 % before anything came."""
        expected = min(self._newest, REMEMBERED)
        came = sum(one > self._newest - expected for one in self._came)
        self.loss = min(max(expected - came + 1, 1) / (expected + 100), 0.5)
        self._signs = 1 + UNLIKELY / log(self.loss)

    def silence(self, spread):
        wanted = 5 / 8 * SUSPICION + spread + self._signs * INTERVAL
        return min(max(SUSPICION, wanted), LONGEST_SILENCE)
