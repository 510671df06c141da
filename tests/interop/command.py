"""Signed commands: docs/protocol.md, section 7.7."""

import dataclasses

from wire import Malformed, Reader, u8, u32, u64, vector
from x509 import verify

COMMAND = 27
LEAVE = 6


@dataclasses.dataclass(frozen=True)
class Command:
    view: int
    sequence: int
    kind: int
    body: bytes
    signature: bytes = b''

    @classmethod
    def read(cls, message):
        reader = Reader(message)
        if reader.u8() != COMMAND:
            raise Malformed('no command')
        command = cls(reader.u64(), reader.u32(), reader.u8(), reader.vector(2),
                      reader.vector(2))
        reader.end()
        return command

    def encode(self):
        return (u8(COMMAND) + u64(self.view) + u32(self.sequence) + u8(self.kind)
                + vector(2, self.body) + vector(2, self.signature))

    def signed(self, conference, member):
        return (vector(1, conference) + u64(member) + u64(self.view) + u32(self.sequence)
                + u8(self.kind) + vector(2, self.body))

    def sign(self, identity, conference, member):
        return dataclasses.replace(self, signature=identity.sign(
            'command', self.signed(conference, member)))

    def verify(self, conference, card):
        verify(card.key, 'command', self.signed(conference, card.member), self.signature)
