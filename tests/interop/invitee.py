"""Sections 4.4 to 4.6: a peer that lets itself be invited, and who knocks at its door."""

from address import network_of, write_address
from handshake import (BY_INVITEE, BY_INVITER, HELLO, HELLO_SIZE, INVITEE, INVITER, MOST_PROOF,
                       MOST_ROSTER, NO_COOKIE, READY, REFUSE, UNTAGGED, WELCOME,
                       WITHOUT_COOKIE, Assembler, Transcript, make_cookie_message, make_reply,
                       open_piece, seal_message, tag_of)
from primitives import draw, is_same, mac, public_of
from refusal import DENIED, LIMIT, STATE, Refused, require
from wire import Reader, check, u8, u64

REPLIED, SHOWN, DONE, REFUSING = 'replied', 'shown', 'done', 'refusing'
PATIENCE = {REPLIED: 10, SHOWN: 30, DONE: 10, REFUSING: 10}
FIRST_PAUSE, PAUSE_FACTOR, LONGEST_PAUSE, ANSWER_PAUSE = 0.1, 1.5, 0.5, 0.05
MOST_UNPROVEN, MOST_OF_NETWORK, MOST_PROVEN = 64, 4, 16
COOKIE_LIFE, SECRET_LIFE = 10, 120


class Cookies:
    """What only who is at its address can bring back; nothing is stored for it."""

    def __init__(self, now):
        self._start, self._drawn_at = now, now
        self._secrets = [draw(32)]

    def make(self, hello, address, now):
        if now >= self._drawn_at + SECRET_LIFE:
            self._secrets, self._drawn_at = [draw(32), self._secrets[0]], now
        return self._bake(self._secrets[0], round(1e6 * (now - self._start)) + 1, hello, address)

    def is_good(self, hello, address, now):
        cookie = hello[WITHOUT_COOKIE:]
        time = int.from_bytes(cookie[:8], 'big')
        return (cookie != NO_COOKIE and now - self._start - time / 1e6 <= COOKIE_LIFE
                and any(is_same(cookie, self._bake(secret, time, hello, address))
                        for secret in self._secrets))

    @staticmethod
    def _bake(secret, time, hello, address):
        return u64(time) + mac(secret, u64(time) + write_address(address)
                               + hello[:WITHOUT_COOKIE])[:24]


class Handshake:
    """With one inviter."""

    def __init__(self, conference, hello, number, public, address):
        private, nonce = draw(32), draw(32)
        self.hello, self.number, self.address = hello[:WITHOUT_COOKIE], number, address
        reply = make_reply(number, nonce, public_of(private))
        self.transcript = Transcript(conference, hello, reply, private, public)
        self.reply = reply + self.transcript.reply_mac()
        self.state, self.inviter, self.since = REPLIED, None, 0
        self.awaits, self._assembler = INVITER, Assembler(MOST_PROOF)
        self._datagrams, self._pause, self._again_at = [], None, 0

    def receive_piece(self, datagram):
        """The message that is awaited, when it is whole."""
        return self._assembler.add(self._key(self.awaits), datagram)

    def _key(self, kind):
        return self.transcript.sealing(kind, BY_INVITER)

    def opens_first_piece(self, datagram):
        _, offset, _ = open_piece(self._key(self.awaits), datagram)
        return offset == 0

    def check_refusal(self, datagram):
        """Malformed: it is not the inviter's."""
        open_piece(self._key(REFUSE), datagram)

    def answer(self, state, kind, message, now):
        key = self.transcript.sealing(kind, BY_INVITEE)
        self.state, self.since = state, now
        self._datagrams = seal_message(kind, self.number, key, message)
        self._pause, self._again_at = None, now
        if state == SHOWN:
            self.awaits, self._assembler = WELCOME, Assembler(MOST_ROSTER)
            self._pause = FIRST_PAUSE

    def due(self, now):
        """What is to be sent again by itself, as long as an answer is awaited."""
        if self._pause is None or now < self._again_at:
            return []
        self._again_at = now + self._pause
        self._pause = min(PAUSE_FACTOR * self._pause, LONGEST_PAUSE)
        return self._datagrams

    def due_when_asked(self, now):
        if now < self._again_at:
            return []
        self._again_at = now + ANSWER_PAUSE
        return self._datagrams or [self.reply]


class Door:
    """@host: now, send(datagram, address), may_invite(name), is_open(),
    accept(inviter, roster, address)"""

    def __init__(self, identity, card, host):
        self._identity, self._card, self._host = identity, card, host
        self._cookies = Cookies(host.now)
        self._handshakes = {}           # (address, number) -> Handshake, the oldest first

    def receive(self, datagram, address):
        reader = Reader(datagram)
        reader.u8()
        kind = reader.u8()
        if kind == HELLO:
            self._on_hello(datagram, reader, address)
            return
        handshake = self._handshakes.get((address, reader.u64()))
        if handshake and kind == REFUSE:
            self._on_refuse(handshake, datagram)
        elif handshake and kind == handshake.awaits:
            self._on_sealed(handshake, datagram)

    def _send(self, handshake, datagrams):
        for datagram in datagrams:
            self._host.send(datagram, handshake.address)

    # --- HELLO ---

    def _on_hello(self, hello, reader, address):
        check(len(hello) == HELLO_SIZE and reader.u8() == 1, 'no HELLO')
        number, _, public = reader.u64(), reader.take(32), reader.take(32)
        tag = tag_of(self._card.conference, hello)
        check(is_same(tag, hello[UNTAGGED:WITHOUT_COOKIE]), 'of another conference')
        now = self._host.now
        if not self._cookies.is_good(hello, address, now):
            cookie = self._cookies.make(hello, address, now)
            self._host.send(make_cookie_message(number, cookie), address)
            return
        known = self._handshakes.get((address, number))
        if not known:
            known = Handshake(self._card.conference, hello, number, public, address)
            self._keep(known)
        if known.state == REPLIED and known.hello == hello[:WITHOUT_COOKIE]:
            self._send(known, known.due_when_asked(now))

    def _keep(self, handshake):
        unproven = [one for one in self._handshakes.values() if one.inviter is None]
        network = network_of(handshake.address)
        near = [one for one in unproven if network_of(one.address) == network]
        if len(near) >= MOST_OF_NETWORK:
            self._forget(near[0])
        elif len(unproven) >= MOST_UNPROVEN:
            self._forget(unproven[0])
        handshake.since = self._host.now
        self._handshakes[handshake.address, handshake.number] = handshake

    def _forget(self, handshake):
        self._handshakes.pop((handshake.address, handshake.number), None)

    # --- sealed messages ---

    def _on_refuse(self, handshake, datagram):
        if handshake.state in (REPLIED, SHOWN):
            handshake.check_refusal(datagram)
            self._forget(handshake)

    def _on_sealed(self, handshake, datagram):
        now = self._host.now
        if handshake.state in (DONE, REFUSING):
            if handshake.opens_first_piece(datagram):
                self._send(handshake, handshake.due_when_asked(now))
            return
        message = handshake.receive_piece(datagram)
        if message is None:
            return
        try:
            take = self._on_inviter if handshake.state == REPLIED else self._on_welcome
            take(handshake, message)
        except Refused as refused:
            handshake.answer(REFUSING, REFUSE, u8(refused.code), now)
        self._send(handshake, handshake.due(now) or handshake.due_when_asked(now))

    def _on_inviter(self, handshake, proof):
        inviter = handshake.transcript.check_proof(BY_INVITER, proof, self._card.conference,
                                                   self._identity.trust)
        require(self._host.may_invite(inviter.name), DENIED)
        require(self._host.is_open(), STATE)
        self._make_room()
        for other in list(self._handshakes.values()):
            if other.inviter and other.inviter.name == inviter.name and other.state != DONE:
                self._forget(other)
        handshake.inviter = inviter
        proof = handshake.transcript.prove(BY_INVITEE, self._card, self._identity.key)
        handshake.answer(SHOWN, INVITEE, proof, self._host.now)

    def _make_room(self):
        proven = [one for one in self._handshakes.values() if one.inviter]
        if len(proven) >= MOST_PROVEN:
            over = [one for one in proven if one.state in (DONE, REFUSING)]
            require(over, LIMIT)
            self._forget(over[0])

    def _on_welcome(self, handshake, roster):
        self._host.accept(handshake.inviter, roster, handshake.address)
        handshake.answer(DONE, READY, b'', self._host.now)

    def tick(self):
        now = self._host.now
        for handshake in list(self._handshakes.values()):
            if now >= handshake.since + PATIENCE[handshake.state]:
                self._forget(handshake)
            else:
                self._send(handshake, handshake.due(now))
