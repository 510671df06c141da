"""Section 5.2, interval and silence: how often a link wants signs of life, and how long a
silence means that the other has crashed. Times are in seconds."""

from math import log

HEARTBEAT, SUSPICION = 0.1, 0.8
REMEMBERED = 256
MODULUS = 2**32
UNLIKELY = log(1e-6)


class Liveness:
    def __init__(self):
        self._newest, self._came = 0, set()

    def hear(self, number):
        """@number: of a datagram, modulo 2^32."""
        ahead = (number - self._newest + MODULUS // 2) % MODULUS - MODULUS // 2
        self._came.add(self._newest + ahead)
        self._newest = max(self._newest, self._newest + ahead)
        if len(self._came) > 2 * REMEMBERED:
            self._came = {one for one in self._came if one > self._newest - REMEMBERED}

    def loss(self):
        """The share of the newest datagrams that is lost; 1 % before anything came."""
        expected = min(self._newest, REMEMBERED)
        came = sum(one > self._newest - expected for one in self._came)
        return min(max(expected - came + 1, 1) / (expected + 100), 0.5)

    def _signs(self):
        return 1 + UNLIKELY / log(self.loss())

    def interval(self, spread):
        wanted = (3 / 8 * SUSPICION - spread) / self._signs()
        return min(max(wanted, HEARTBEAT / 4), HEARTBEAT)

    def silence(self, spread):
        return max(SUSPICION, 5 / 8 * SUSPICION + spread
                   + self._signs() * self.interval(spread))
