"""Section 7.7: commands, which nobody can give in another member's name."""

from collections import deque
from typing import NamedTuple

from primitives import is_signed, sign
from refusal import PROTOCOL, SIGNATURE
from wire import Reader, check, u8, u16, u32, u64, vector8, vector16

COMMAND = 27
LEAVE, EXPIRED = 6, 7
KINDS = {*range(1, 8), *range(16, 256)}
MOST_BODY, MOST_SIGNATURE = 4096, 512


class Command(NamedTuple):
    view: int
    sequence: int
    kind: int
    body: bytes
    signature: bytes = b''

    @classmethod
    def read(cls, message):
        reader = Reader(message[1:])
        command = cls(reader.u64(), reader.u32(), reader.u8(), reader.vector16(MOST_BODY),
                      reader.vector16(MOST_SIGNATURE))
        reader.end()
        check(command.kind in KINDS, 'no such command')
        check(len(command.body) == {LEAVE: 0, EXPIRED: 8}.get(command.kind, len(command.body)),
              'another body')
        return command

    def _content(self):
        return u64(self.view) + u32(self.sequence) + u8(self.kind) + vector16(self.body)

    def signed(self, conference, member):
        """The octets that the signature is over."""
        return vector8(conference) + u64(member) + self._content()

    def write(self):
        return u8(COMMAND) + self._content() + u16(len(self.signature)) + self.signature


class Commands:
    """@host: say(octets, safe), report(code), on_command(sender, kind, body)"""

    def __init__(self, conference, member, key, host):
        self._conference, self._own, self._key, self._host = conference, member, key, host
        self._view, self._given, self._sequences = None, deque(), {}
        self._signed = deque()

    def install(self, view):
        """What was not delivered is signed anew."""
        self._view, self._sequences = view, {}
        self._signed.clear()
        for kind, body in self._given:
            self._sign(kind, body)

    def give(self, kind, body=b''):
        self._given.append((kind, body))
        self._sign(kind, body)

    def _sign(self, kind, body):
        command = Command(self._view, self._sequences.get(self._own, 0) + len(self._signed) + 1,
                          kind, body)
        command = command._replace(signature=sign(
            self._key, 'command', command.signed(self._conference, self._own)))
        self._signed.append(command)
        self._host.say(command.write(), True)

    def deliver(self, sender, key, message):
        """@key: of the sender's certificate."""
        command = Command.read(message)
        if command.view != self._view:
            return
        if not self._is_genuine(sender, key, command):
            self._host.report(SIGNATURE)
        elif command.sequence != self._sequences.get(sender, 0) + 1:
            self._host.report(PROTOCOL)
        else:
            self._sequences[sender] = command.sequence
            self._host.on_command(sender, command.kind, command.body)

    def _is_genuine(self, sender, key, command):
        if sender != self._own:
            return is_signed(key, 'command', command.signed(self._conference, sender),
                             command.signature)
        if not self._signed or self._signed[0] != command:
            return False
        self._signed.popleft()
        self._given.popleft()
        return True
