"""Section 5.6: what a coordinator knows of its attempt to change the view."""

from collections import defaultdict
from typing import NamedTuple

from views import Lineage, ViewId

GATHER, FETCHING, PREPARING, COMMITTED = 'gather', 'fetch', 'prepare', 'committed'


class Flushed(NamedTuple):
    """What a member answers to FLUSH, behind its UNORDERED."""
    held: int
    own: int
    unordered: int
    leaving: bool
    ready_attempt: ViewId
    ready_view: ViewId
    greatest: int
    lineage: Lineage

    @classmethod
    def read(cls, reader):
        flushed = cls(reader.u64(), reader.u64(), reader.u32(), reader.boolean(),
                      ViewId.read(reader), ViewId.read(reader), reader.u64(),
                      Lineage.read(reader))
        reader.end()
        return flushed


class Attempt:
    def __init__(self, attempt, asked, now):
        self.id, self.asked = attempt, asked
        self.phase, self.since = GATHER, now
        self.flushed, self.unordered = {}, defaultdict(list)
        self.ready = None               # Prepared: what is to be proposed again
        self.source = None              # who is asked in FETCHING
        self.told = []                  # who is told of the proposal, in PREPARING
        self.agreed = set()

    def enter(self, phase, now):
        self.phase, self.since = phase, now

    def waited_for(self):
        if self.phase == GATHER:
            return [member for member in self.asked if member not in self.flushed]
        if self.phase == FETCHING:
            return [self.source]
        return [member for member in self.told if member not in self.agreed]

    def newest_ready(self, own):
        """The FLUSHED with the proposal that is held ready of the greatest attempt, but for
        those that @own made; None: there is none."""
        ready = [one for one in self.flushed.values()
                 if one.ready_view.number and one.ready_view.proposer != own]
        return max(ready, key=lambda one: one.ready_attempt, default=None)

    def lineage(self, view):
        return Lineage.merge([one.lineage for one in self.flushed.values()], view, self.asked)
