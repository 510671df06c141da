"""Section 5.2: a link, two streams of messages over datagrams that are lost, doubled and
late. A small fixed window stands in the place of the congestion control."""

from collections import deque

from datagram import ANSWER, CLOCK, ECHO, Clock, Datagram, is_newer, microseconds
from liveness import HEARTBEAT, INTERVAL, Liveness
from roundtrip import RoundTrip
from segments import WINDOW, Incoming, Outgoing
from wire import Malformed, check

PROBED, ROOM_SAID_AT_ONCE = 2, 16
ACKNOWLEDGED_AT_ONCE, ACKNOWLEDGEMENT_DELAY = 8, 0.005
DOUBLED_TIMEOUT, MOST_DOUBLED = 0.2, 8


class Channel:
    """One link. @own: its number here; @other: the newest of the other end's; @send: takes
    a datagram."""

    def __init__(self, own, other, send, now):
        self.own, self.other, self._send = own, other, send
        self.broken = self.came = self.echoed = False
        self.incoming, self.outgoing = Incoming(), Outgoing()
        self._clock, self._round_trip, self._liveness = Clock(), RoundTrip(), Liveness()
        self._number, self._pace = 0, HEARTBEAT
        self._stamp, self._stamp_came = None, 0
        self._heard = self._echoed_at = now
        self._sent_at = self._asked_at = now - HEARTBEAT
        self._newest_echo, self._timeouts, self._timed_out = None, 0, now
        self._unacknowledged, self._acknowledge_at, self._limit_said = 0, None, 0

    # --- what the layer above asks for ---

    def say(self, message):
        self.outgoing.say(message)

    def peek(self):
        try:
            return self.incoming.peek()
        except Malformed:
            self.broken = True
            return None

    def pop(self):
        self.incoming.pop()
        if self.incoming.limit() >= self._limit_said + ROOM_SAID_AT_ONCE:
            self._acknowledge_by(0)

    def is_suspected(self, now, share=1):
        silence = share * self._liveness.silence(self._round_trip.spread())
        return (self.broken or now - self._heard > silence
                or now - self._echoed_at > 2 * silence)

    def is_idle(self):
        return self.outgoing.is_idle()

    def backlog(self):
        """The octets that wait to be sent for the first time."""
        return len(self.outgoing.waiting)

    # --- what comes ---

    def receive(self, octets, now):
        """False: the other end has begun anew, with the number that is in other now."""
        datagram = Datagram.read(octets)
        check(datagram.own and datagram.own >= self.other
              and datagram.other in (0, self.own), 'of another link')
        if datagram.own > self.other and self.came:
            self.other = datagram.own
            return False
        come = self.outgoing.acknowledge(datagram)
        self.other, self.came, self._heard = datagram.own, True, now
        self._liveness.hear(datagram.number)
        self._pace = min(max(datagram.interval / 1000, HEARTBEAT / 4), HEARTBEAT)
        if self._stamp is None or is_newer(datagram.stamp, self._stamp):
            self._stamp, self._stamp_came = datagram.stamp, now
        if datagram.flags & ECHO:
            self._take_echo(datagram, come, now)
        self._take_segment(datagram, now)
        return True

    def _take_echo(self, datagram, come, now):
        self.echoed = True
        if come:
            self._timeouts = 0
        age = (microseconds(now) - datagram.echo) % CLOCK
        if age < CLOCK // 2:
            self._round_trip.sample(max(age - datagram.delay, 0) / 1e6)
        if self._newest_echo is None or is_newer(datagram.echo, self._newest_echo):
            self._newest_echo = datagram.echo
            self._echoed_at = now - age / 1e6 if age < CLOCK // 2 else now

    def _take_segment(self, datagram, now):
        if datagram.flags & ANSWER:
            self._acknowledge_by(now)
        if datagram.segment:
            in_order = self.incoming.take(*datagram.segment)
            self._unacknowledged += 1
            waits = in_order and self._unacknowledged < ACKNOWLEDGED_AT_ONCE
            self._acknowledge_by(now + ACKNOWLEDGEMENT_DELAY if waits else now)

    def _acknowledge_by(self, time):
        earlier = self._acknowledge_at
        self._acknowledge_at = time if earlier is None else min(time, earlier)

    # --- what goes ---

    def tick(self, now):
        self._resend_lost(now)
        self._resend_by_time(now)
        while (number := self.outgoing.cut()) is not None:
            self._say_datagram(now, number)
        anxious = self._is_anxious(now)
        if now - self._sent_at >= (self._pace / 2 if anxious else self._pace):
            self._say_datagram(now, asks=self._may_ask(now) and (
                anxious or not self.echoed))
        elif self._acknowledge_at is not None and now >= self._acknowledge_at:
            self._say_datagram(now)

    def _is_anxious(self, now):
        wanted = 2.5 * INTERVAL
        return (now - self._heard > wanted
                or now - self._echoed_at > wanted + (self._round_trip.smoothed or 0))

    def _may_ask(self, now):
        """An answer comes to each; more of them would only keep a slow receiver busy."""
        return now - self._asked_at >= INTERVAL

    def _resend_lost(self, now):
        if self._newest_echo is None or self._round_trip.smoothed is None:
            return
        late = microseconds(self._round_trip.reordering())
        long_ago = late + microseconds(self._round_trip.smoothed)
        for number, (_, stamp) in list(self.outgoing.flight.items()):
            if is_newer(self._newest_echo, stamp) and (
                    (self._newest_echo - stamp) % CLOCK > late
                    or (microseconds(now) - stamp) % CLOCK > long_ago):
                self._say_datagram(now, number)

    def _resend_by_time(self, now):
        flight = self.outgoing.flight
        if not flight:
            return
        timeout = self._round_trip.timeout()
        timeout = min(timeout * 2**self._timeouts, max(timeout, DOUBLED_TIMEOUT))
        age = max((microseconds(now) - stamp) % CLOCK for _, stamp in flight.values()) / 1e6
        if age > timeout and now - self._timed_out > timeout:
            self._timeouts, self._timed_out = min(self._timeouts + 1, MOST_DOUBLED), now
            for number in sorted(flight)[:PROBED]:
                self._say_datagram(now, number)

    def _say_datagram(self, now, number=None, asks=False):
        """@asks: for an answer."""
        stamp, segment = self._clock.stamp(now), None
        if number is not None:
            sent = self.outgoing.flight[number]
            segment, sent[1] = (number, sent[0]), stamp
        knows = self._stamp is not None
        answer = asks or len(self.outgoing.flight) >= WINDOW
        self._number += 1
        self._send(Datagram(
            (ECHO if knows else 0) | (ANSWER if answer else 0), self._number % CLOCK,
            round(1000 * INTERVAL), stamp, self._stamp if knows else 0,
            microseconds(now - self._stamp_came) % CLOCK if knows else 0, self.incoming.next,
            self.incoming.room(), self.incoming.sack(), segment, self.own, self.other).write())
        self._sent_at = now
        self._asked_at = now if answer else self._asked_at
        self._unacknowledged, self._acknowledge_at = 0, None
        self._limit_said = self.incoming.limit()


class Loopback(deque):
    """What a member says to itself."""

    say = deque.append

    def peek(self):
        return self[0] if self else None

    def pop(self):
        return self.popleft()
