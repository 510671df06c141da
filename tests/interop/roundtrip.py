"""Section 5.2: the round trip of a link (RFC 6298), and what is waited for by it, in s."""

from liveness import HEARTBEAT, SUSPICION

FIRST_TIMEOUT, LONGEST_TIMEOUT = 0.1, 1


class RoundTrip:
    def __init__(self):
        self.smoothed = self.variation = None

    def sample(self, taken):
        if self.smoothed is None:
            self.smoothed, self.variation = taken, taken / 2
        else:
            self.variation += (abs(self.smoothed - taken) - self.variation) / 4
            self.smoothed += (taken - self.smoothed) / 8

    def spread(self):
        if self.smoothed is None:
            return HEARTBEAT
        return min(max(4 * self.variation, 0.01), SUSPICION / 2)

    def reordering(self):
        return max(0.001, self.smoothed / 4, self.variation)

    def timeout(self):
        if self.smoothed is None:
            return FIRST_TIMEOUT
        return min(self.smoothed + 0.005 + max(4 * self.variation, 0.001), LONGEST_TIMEOUT)
