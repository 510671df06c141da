"""Section 5.3: the kinds of messages on a link, and what all of them begin with."""

from typing import NamedTuple, Optional

from views import ViewId
from wire import Reader, check, u8

(SUBMIT, ORDER, RECEIPT, STABLE, LEAVE, HERE, FLUSH, CANDIDATE, UNORDERED, FLUSHED, FETCH,
 SHOWN, MISSING, APPENDED, CARD, PREPARE, PREPARED, COMMIT, REFUSED, MERGE, PART, JOINT, HELD,
 GO, APART) = range(1, 26)


class Message(NamedTuple):
    kind: int
    view: ViewId
    attempt: Optional[ViewId]
    body: Reader

    @classmethod
    def read(cls, octets):
        reader = Reader(octets)
        kind, view = reader.u8(), ViewId.read(reader)
        check(SUBMIT <= kind <= APART, 'no such message')
        return cls(kind, view, ViewId.read(reader) if kind >= FLUSH else None, reader)

    def is_within(self, step, seen):
        """Whether its numbers are no farther than that above those seen."""
        return max(self.view.number, self.attempt.number if self.attempt else 0) <= seen + step


def write_message(kind, view, attempt, body):
    return u8(kind) + view.write() + (attempt.write() if attempt else b'') + body
