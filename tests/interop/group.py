"""One member of a group, but neither its sequencer nor its coordinator: docs/protocol.md,
sections 5.3 to 5.9. Links between parts and relays (5.8, 5.12) are not here."""

import dataclasses

from wire import Malformed, Reader, u8, u32, u64, vector

(SUBMIT, ORDER, RECEIPT, STABLE, LEAVE, HERE, FLUSH, CANDIDATE, UNORDERED, FLUSHED, FETCH,
 SHOWN, MISSING, APPENDED, CARD, PREPARE, PREPARED, COMMIT, REFUSED) = range(1, 20)
OUT = 2                     # a datagram of its own, beside the links
SAFE, OMITTED, MORE, AHEAD, NOT_FIRST = 1, 2, 4, 8, 16
NO_ID = (0, 0)


def read_id(reader):
    return reader.u64(), reader.u64()


def write_id(view_id):
    return u64(view_id[0]) + u64(view_id[1])


def read_ids(reader):
    return tuple(reader.u64() for _ in range(reader.u8()))


def write_ids(ids):
    return u8(len(ids)) + b''.join(map(u64, ids))


@dataclasses.dataclass
class Lineage:
    """Section 5.7."""
    view_id: tuple = NO_ID
    members: tuple = ()
    doubtful: list = dataclasses.field(default_factory=list)    # (id, members, holders)

    @classmethod
    def read(cls, reader):
        view_id, members, n = read_id(reader), read_ids(reader), reader.u8()
        return cls(view_id, members, [(read_id(reader), read_ids(reader), read_ids(reader))
                                      for _ in range(0 if n == 255 else n)])

    def encode(self):
        return (write_id(self.view_id) + write_ids(self.members) + u8(len(self.doubtful))
                + b''.join(write_id(one) + write_ids(members) + write_ids(holders)
                           for one, members, holders in self.doubtful))

    def merge(self, other):
        if other.view_id > self.view_id:
            self.view_id, self.members = other.view_id, other.members
        known = {one[0]: one for one in self.doubtful + other.doubtful}
        self.doubtful = [known[one] for one in sorted(known) if one > self.view_id]

    def form(self, view_id, members):
        self.view_id, self.members = view_id, members
        self.doubtful = [one for one in self.doubtful if one[0] > view_id]


@dataclasses.dataclass
class Proposal:
    view_id: tuple
    primary: bool
    cut: int
    appended: int
    members: tuple
    gone: tuple             # (id, why)
    dropped: tuple
    acking: tuple
    others: tuple
    lost: tuple
    lineage: Lineage

    @classmethod
    def read(cls, reader):
        return cls(read_id(reader), reader.boolean(), reader.u64(), reader.u32(),
                   read_ids(reader),
                   tuple((reader.u64(), reader.u8()) for _ in range(reader.u8())),
                   read_ids(reader), read_ids(reader), read_ids(reader), read_ids(reader),
                   Lineage.read(reader))


class Member:
    """@send (member, message): over the link to it. What happens is in @events: ('view',
    view number, members, departed), ('message', sender, octets), ('end',)."""

    def __init__(self, own, send):
        self.own, self.send = own, send
        self.events = []
        self.view_id, self.members = NO_ID, ()
        self.lineage = Lineage()
        self.promised, self.highest, self.frozen = NO_ID, 0, False
        self.prepared = None            # (attempt, proposal)
        self.appended = []
        self.cards = {}
        self.waiting = []               # (sender, message), of a view after this one
        self.leaving = self.ended = False
        self.begin_view()

    def begin_view(self):
        self.log = {}                   # sequence -> (sender, flags, payload)
        self.held = self.delivered = self.stable = self.own_ordered = 0
        self.submitted = []             # (flags, payload)
        self.pieces = {}                # (sender, row) -> octets
        self.frozen, self.promised, self.prepared = False, NO_ID, None
        self.appended = []

    # --- wishes ---

    def multicast(self, message, safe=False):
        for at in range(0, max(len(message), 1), 4096):
            flags = (AHEAD | (NOT_FIRST if at else 0)
                     | (MORE if at + 4096 < len(message) else SAFE if safe else 0))
            self.submit(flags, message[at:at + 4096])

    def submit(self, flags, payload):
        self.submitted.append((flags, payload))
        if not self.frozen:
            self.send(self.members[0], self.head(SUBMIT) + u8(flags) + payload)

    def leave(self):
        self.leaving = True
        if not self.frozen:
            self.say(self.head(LEAVE))

    def say(self, message):
        for member in self.members:
            if member != self.own:
                self.send(member, message)

    def head(self, kind, attempt=None):
        return u8(kind) + write_id(self.view_id) + (write_id(attempt) if attempt else b'')

    # --- messages ---

    def receive(self, sender, message):
        reader = Reader(message)
        kind, view = reader.u8(), read_id(reader)
        if self.ended:
            return
        if kind < FLUSH and view > self.view_id:
            self.waiting.append((sender, message))
            if self.prepared and self.prepared[1].view_id == view:
                self.install()
        elif kind >= FLUSH and (self.view_id in (NO_ID, view)):
            self.change(sender, kind, view, read_id(reader), reader)
        elif view == self.view_id and kind in (ORDER, STABLE):
            self.order(sender, kind, reader)

    def take_out(self, reader):
        """The notice OUT (5.3): for a leaver whose COMMIT never came it is the end."""
        view, primary, _ = read_id(reader), reader.boolean(), reader.u8()
        reader.end()
        if self.leaving and primary and view > self.view_id:
            self.end()

    def end(self):
        self.ended = True
        self.events.append(('end',))

    def order(self, sender, kind, reader):
        if sender != self.members[0] or self.frozen:
            return
        if kind == STABLE:
            self.stable = max(self.stable, reader.u64())
        else:
            self.hold(reader.u64(), reader.u8(), reader.u8(), reader.rest())
            self.send(sender, self.head(RECEIPT) + u64(self.held))
        self.deliver(lambda sequence, flags: not flags & SAFE or sequence <= self.stable)

    def hold(self, sequence, place, flags, payload):
        if sequence != self.held + 1:
            return
        if self.members[place] == self.own:
            flags, payload = self.submitted.pop(0)
            self.own_ordered += 1
        self.log[sequence] = self.members[place], flags & ~OMITTED, payload
        self.held = sequence

    def deliver(self, may):
        while self.delivered < self.held:
            sender, flags, payload = self.log[self.delivered + 1]
            if not may(self.delivered + 1, flags):
                break
            self.delivered += 1
            self.put_together(sender, flags, payload)

    def put_together(self, sender, flags, payload):
        row = sender, flags & AHEAD
        if not flags & NOT_FIRST:
            self.pieces[row] = b''
        elif row not in self.pieces:
            return
        self.pieces[row] += payload
        if not flags & MORE:
            self.events.append(('message', sender, self.pieces.pop(row)))

    # --- the next view ---

    def change(self, sender, kind, view, attempt, reader):
        if kind == FLUSH and attempt[1] == sender and attempt > self.promised:
            self.flush(sender, attempt)
        elif kind == CARD:
            member = reader.u64()
            self.cards[member] = reader.rest()
        elif kind == FETCH and attempt == self.promised:
            self.show(sender, attempt, reader.u64())
        elif kind == MISSING and attempt == self.promised:
            self.hold(reader.u64(), reader.u8(), reader.u8(), reader.rest())
        elif kind == APPENDED:
            self.appended.append((reader.u8(), reader.u8(), reader.rest()))
        elif kind == PREPARE and attempt >= self.promised:
            self.prepare(sender, view, attempt, Proposal.read(reader))
        elif kind == COMMIT and self.prepared and self.prepared[0] == attempt:
            self.install()

    def flush(self, sender, attempt):
        self.promised, self.frozen, self.appended = attempt, True, []
        for flags, payload in self.submitted:
            self.send(sender, self.head(UNORDERED, attempt) + u8(flags) + payload)
        prepared = self.prepared
        self.send(sender, self.head(FLUSHED, attempt) + u64(self.held)
                  + u64(self.own_ordered) + u32(len(self.submitted)) + u8(self.leaving)
                  + write_id(prepared[0] if prepared else NO_ID)
                  + write_id(prepared[1].view_id if prepared else NO_ID)
                  + u64(self.highest) + self.lineage.encode())
        self.highest = max(self.highest, attempt[0])

    def show(self, sender, attempt, held):
        for sequence in range(held + 1, self.held + 1):
            who, flags, payload = self.log[sequence]
            self.send(sender, self.head(MISSING, attempt) + u64(sequence)
                      + u8(self.members.index(who)) + u8(flags) + payload)
        self.send(sender, self.head(SHOWN, attempt) + u64(self.held) + u8(0))

    def prepare(self, sender, view, attempt, proposal):
        if self.members and (proposal.cut > self.held
                             or proposal.appended != len(self.appended)):
            raise Malformed('parts of a proposal are missing')
        self.promised = attempt
        self.lineage.merge(proposal.lineage)
        if proposal.primary:
            holders = tuple(sorted(set(proposal.acking) | set(proposal.others)))
            self.lineage.doubtful = [
                one for one in self.lineage.doubtful if one[0] != proposal.view_id]
            self.lineage.doubtful.append((proposal.view_id, proposal.members, holders))
        self.prepared = attempt, proposal
        self.send(sender, u8(PREPARED) + write_id(view) + write_id(attempt))

    def install(self):
        _, proposal = self.prepared
        for sequence in range(proposal.cut + 1, self.held + 1):
            del self.log[sequence]
        self.held = min(self.held, proposal.cut)
        self.deliver(lambda sequence, flags: True)
        for place, flags, payload in self.appended:
            self.put_together(self.members[place], flags, payload)
        if self.own not in proposal.members:
            self.end()
            return
        self.view_id, self.members = proposal.view_id, proposal.members
        self.highest = max(self.highest, proposal.view_id[0])
        if proposal.primary:
            self.lineage.form(proposal.view_id, proposal.members)
        self.begin_view()
        self.events.append(('view', proposal.view_id[0], proposal.members, proposal.gone))
        self.say(self.head(HERE) + u8(proposal.primary))
        if self.leaving:
            self.leave()
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            self.receive(*one)
