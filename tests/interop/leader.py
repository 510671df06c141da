"""A member that is sequencer and coordinator, too, once all before it in the view are gone:
docs/protocol.md, sections 5.4 and 5.6. It knows all candidates that the others know, and
gives up no attempt of its own: what goes wrong under it is what a test withholds."""

import dataclasses

from group import (
    COMMIT, FETCH, FLUSH, FLUSHED, OMITTED, ORDER, PREPARE, PREPARED, RECEIPT, SHOWN,
    STABLE, SUBMIT, UNORDERED, Lineage, Member, Proposal, read_id, write_ids)
from wire import u8, u64

PAUSE = 0.2                     # s from one view to the next, where nobody failed
LEFT, FAILED = 0, 1


@dataclasses.dataclass
class Reply:
    """What one that takes part has said in FLUSHED."""
    held: int
    own: int                    # messages of its own among those
    leaving: bool
    lineage: Lineage


def is_quorum(parts, members):
    n = len(set(parts) & set(members))
    return 2 * n > len(members) or (2 * n == len(members) and members[0] in parts)


class Leader(Member):
    def __init__(self, *arguments):
        self.withhold = lambda member, kind: False      # what this one does not say
        self.waits = False              # it does not make the next view yet
        self.away = set()               # members that failed earlier
        super().__init__(*arguments)

    def begin_view(self):
        super().begin_view()
        self.began = self.now
        self.receipts = {}
        self.attempt = None
        self.replies, self.unordered, self.agreed = {}, {}, set()
        self.fetching = False

    def begin(self, proposal):
        self.away |= set(proposal.lost) | {member for member, why in proposal.gone
                                           if why == FAILED}
        self.away -= set(proposal.members)
        super().begin(proposal)

    def send(self, member, kind, *arguments, **named):
        if not self.withhold(member, kind):
            super().send(member, kind, *arguments, **named)

    # --- the sequencer ---

    def submit(self, flags, payload):
        super().submit(flags, payload)
        if not self.frozen and self.members[0] == self.own:
            self.number(self.own, flags, payload)

    def take(self, sender, kind, reader):
        if self.members[0] != self.own or self.frozen:
            super().take(sender, kind, reader)
        elif kind == SUBMIT:
            self.number(sender, reader.u8(), reader.rest())
        elif kind == RECEIPT:
            self.note_receipt(sender, reader.u64())
        else:
            super().take(sender, kind, reader)

    def number(self, sender, flags, payload):
        sequence, place = self.held + 1, self.members.index(sender)
        for member in self.members:
            if member != self.own:
                body = (u8(flags | OMITTED) if member == sender
                        else u8(flags) + payload)
                self.send(member, ORDER, u64(sequence) + u8(place) + body)
        self.hold(sequence, place, flags, payload)
        self.note_receipt(self.own, sequence)

    def note_receipt(self, member, sequence):
        self.receipts[member] = sequence
        stable = min(self.receipts.get(one, 0) for one in self.members)
        if stable > self.stable:
            self.stable = stable
            self.say(STABLE, u64(stable))
        self.deliver(self.may_deliver)

    # --- the coordinator ---

    def tick(self, now):
        super().tick(now)
        if (self.ended or self.waits or self.attempt or not self.members
                or not self.is_first_left()):
            return
        lost = {member for member in self.others() if self.is_lost(member)}
        if lost or ((self.leavers or self.list_ready()) and now >= self.began + PAUSE):
            self.start(lost)

    def list_ready(self):
        return tuple(member for member in self.candidates if not self.is_lost(member))

    def others(self):
        return [member for member in self.members if member != self.own]

    def is_first_left(self):
        before = self.members[:self.members.index(self.own)]
        return all(member in self.leavers or self.is_lost(member) for member in before)

    def start(self, lost):
        self.highest += 1
        self.attempt = self.promised = self.highest, self.own
        self.frozen, self.appended = True, []
        self.failed = lost
        self.unordered = {member: [] for member in self.members}
        self.unordered[self.own] = list(self.submitted)
        self.replies = {self.own: Reply(self.held, self.own_ordered, self.leaving,
                                        self.lineage)}
        for member in self.taking_part():
            self.send(member, FLUSH, write_ids(tuple(self.candidates)), self.attempt)

    def taking_part(self):
        """The others."""
        return [member for member in self.others() if member not in self.failed]

    def change(self, sender, kind, view, attempt, reader):
        if not self.attempt or attempt != self.attempt:
            super().change(sender, kind, view, attempt, reader)
        elif kind == UNORDERED:
            self.unordered[sender].append((reader.u8(), reader.rest()))
        elif kind == FLUSHED:
            self.take_flushed(sender, reader)
        elif kind == SHOWN and self.fetching:
            self.propose()
        elif kind == PREPARED:
            self.take_prepared(sender)
        else:
            super().change(sender, kind, view, attempt, reader)

    def take_flushed(self, sender, reader):
        held, own, n, leaving = reader.u64(), reader.u64(), reader.u32(), reader.boolean()
        held_ready, _, seen = read_id(reader), read_id(reader), reader.u64()
        assert n == len(self.unordered[sender]) and held_ready == (0, 0)
        self.highest = max(self.highest, seen)
        self.replies[sender] = Reply(held, own, leaving, Lineage.read(reader))
        if not set(self.taking_part()) <= set(self.replies):
            return
        most = max(self.replies, key=lambda member: self.replies[member].held)
        if self.replies[most].held > self.held:
            self.fetching = True
            self.send(most, FETCH, u64(self.held) + u64(0) + u64(0), self.attempt)
        else:
            self.propose()

    def collect_appended(self):
        """Without those that have a number, as is seen only now."""
        for place, member in enumerate(self.members):
            if member in self.replies:
                numbered = sum(who == member for who, _, _ in self.log.values())
                for one in self.unordered[member][numbered - self.replies[member].own:]:
                    yield place, *one

    def propose(self):
        parts = [member for member in self.members if member in self.replies]
        leaving = [member for member in parts if self.replies[member].leaving]
        members = tuple(member for member in parts if member not in leaving)
        self.newcomers = self.list_ready() if members else ()
        lineage = Lineage()
        for reply in self.replies.values():
            lineage.merge(reply.lineage)
        primary = is_quorum(parts, lineage.members) and all(
            is_quorum(parts, one) or set(holders) <= set(parts)
            for _, one, holders in lineage.doubtful)
        appended = list(self.collect_appended())
        proposal = Proposal(
            self.attempt, primary, self.held, len(appended), members + self.newcomers,
            tuple((member, LEFT if member in leaving else FAILED)
                  for member in self.members if member not in members),
            (), tuple(parts), (), tuple(self.away), lineage)
        encoded = proposal.encode()
        self.hold_ready(self.attempt, proposal, appended)
        self.agreed = {self.own}
        for member in self.taking_part():
            self.send_missing(member, self.attempt, self.replies[member].held, self.held)
            self.send_parts(member, self.attempt, appended, self.newcomers)
            self.send(member, PREPARE, encoded, self.attempt)
        for member in self.newcomers:
            self.send_parts(member, self.attempt, [],
                            [one for one in proposal.members if one != member])
            self.send(member, PREPARE, encoded, self.attempt)

    def take_prepared(self, sender):
        self.agreed.add(sender)
        if self.agreed == {*self.prepared.proposal.acking, *self.newcomers}:
            for member in (*self.taking_part(), *self.newcomers):
                self.send(member, COMMIT, attempt=self.attempt)
            self.install()
