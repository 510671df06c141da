"""Section 5.4: messages cut into pieces, the rows in which their sender submits them, and
how a receiver puts them together."""

from collections import deque
from typing import NamedTuple

from wire import check

SAFE, OMITTED, MORE, AHEAD, LATER = 1, 2, 4, 8, 16
PIECE, MOST_MESSAGE = 4096, 1048576
MOST_SUBMITTED, OVERHEAD = 131072, 64


class Piece(NamedTuple):
    flags: int
    payload: bytes


def read_piece(reader, allowed=SAFE | MORE | AHEAD | LATER):
    piece = Piece(reader.u8(), reader.rest(PIECE))
    check(not piece.flags & ~allowed, 'flags of no meaning')
    return piece


def cut(message, safe, ahead):
    row = AHEAD if ahead else 0
    payloads = [message[at:at + PIECE] for at in range(0, len(message) or 1, PIECE)]
    last = len(payloads) - 1
    return [Piece(row | (MORE if at < last else SAFE if safe else 0) | (LATER if at else 0),
                  payload) for at, payload in enumerate(payloads)]


def size_of(pieces):
    return sum(len(piece.payload) + OVERHEAD for piece in pieces)


class Rows:
    """What a member has to say: waiting, or submitted and not ordered."""

    def __init__(self):
        self._rows = {AHEAD: deque(), 0: deque()}
        self._begun = {AHEAD: [], 0: []}    # pieces of a message that is not ordered whole
        self.submitted = deque()

    def add(self, message, safe, ahead):
        self._rows[AHEAD if ahead else 0].extend(cut(message, safe, ahead))

    def is_empty(self):
        return not any(self._rows.values())

    def submit(self):
        """The next piece; None: there is none, or too much is on its way."""
        row = self._rows[AHEAD] or self._rows[0]
        if not row or size_of(self.submitted) >= MOST_SUBMITTED:
            return None
        self.submitted.append(row.popleft())
        return self.submitted[-1]

    def take_ordered(self):
        """The oldest that was submitted has its place."""
        check(self.submitted, 'nothing was submitted')
        return self.submitted.popleft()

    def note_delivered(self, piece):
        begun = self._begun[piece.flags & AHEAD]
        if not piece.flags & LATER:
            begun.clear()
        begun.append(piece)
        if not piece.flags & MORE:
            begun.clear()

    def take_back(self, unordered, whole):
        """In the next view @unordered are to be said again; @whole: each with all its
        pieces."""
        self.submitted.clear()
        for kind, row in self._rows.items():
            again = [piece for piece in unordered if piece.flags & AHEAD == kind]
            if whole:
                again = self._begun[kind] + again
                self._begun[kind] = []
            row.extendleft(reversed(again))


class Assembler:
    """Messages of all members, by sender and row."""

    def __init__(self):
        self._parts = {}                # (sender, row) -> octets; None: too many

    def add(self, sender, piece):
        """The message, if it is whole."""
        key = sender, piece.flags & AHEAD
        if not piece.flags & LATER:
            self._parts[key] = b''
        if key not in self._parts:
            return None
        self._parts[key] = self._join(self._parts[key], piece.payload)
        return None if piece.flags & MORE else self._parts.pop(key)

    @staticmethod
    def _join(part, payload):
        too_long = part is None or len(part) + len(payload) > MOST_MESSAGE
        return None if too_long else part + payload

    def keep(self, members):
        self._parts = {key: part for key, part in self._parts.items() if key[0] in members}

    def forget(self):
        self._parts.clear()
