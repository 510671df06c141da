"""Section 6: the messages of VTKD, as far as there is something to them."""

from typing import NamedTuple

from card import Share
from epoch import HIGHEST_EPOCH, read_policy
from keycopy import SIZE
from primitives import sha256
from wire import Reader, check, u8, u64

SHARE, KEYS, REFRESH, OVERDUE = range(1, 5)
OF_SHARE, OF_KEYS = 0, 1                # what is overdue
HONEST_EPOCH = 2**32 - 1


class Said(NamedTuple):
    """What a VTKD_SHARE says beside the share."""
    knows: bool
    epoch: int
    version: int
    policy: bytes

    @classmethod
    def read(cls, reader):
        said = cls(reader.boolean(), reader.u64(), reader.u64(), read_policy(reader))
        check(said.epoch <= HIGHEST_EPOCH, 'no epoch')
        check(said.knows or (said.epoch <= HONEST_EPOCH and not said.version), 'knows nothing')
        return said

    def write(self):
        return u8(self.knows) + u64(self.epoch) + u64(self.version) + self.policy


class Keys(NamedTuple):
    """A VTKD_KEYS."""
    view: int
    version: int
    epoch: int
    policy: bytes
    share: Share
    context: bytes
    confirmation: bytes
    copies: tuple
    digest: bytes

    @classmethod
    def read(cls, octets):
        reader = Reader(octets)
        reader.u8()
        fields = (reader.u64(), reader.u64(), reader.u64(), read_policy(reader),
                  Share.read(reader), reader.take(32), reader.take(32))
        count, digest = reader.u8(), sha256(reader.read())
        copies = tuple(reader.take(SIZE) for _ in range(count))
        reader.end()
        return cls(*fields, copies, digest)
