"""One member of a group, but neither its sequencer nor its coordinator: docs/protocol.md,
sections 5.3 to 5.9. Links between parts and relays (5.8, 5.12) are not here."""

import collections
import dataclasses

from wire import Malformed, Reader, u8, u32, u64, vector

(SUBMIT, ORDER, RECEIPT, STABLE, LEAVE, HERE, FLUSH, CANDIDATE, UNORDERED, FLUSHED, FETCH,
 SHOWN, MISSING, APPENDED, CARD, PREPARE, PREPARED, COMMIT, REFUSED) = range(1, 20)
OUT = 2                     # a datagram of its own, beside the links
SAFE, OMITTED, MORE, AHEAD, NOT_FIRST = 1, 2, 4, 8, 16
NO_ID = (0, 0)
SUSPICION = 0.8             # s
JOINING_TIMEOUT = 10.0


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

    def encode(self):
        return (write_id(self.view_id) + u8(self.primary) + u64(self.cut)
                + u32(self.appended) + write_ids(self.members) + u8(len(self.gone))
                + b''.join(u64(member) + u8(why) for member, why in self.gone)
                + write_ids(self.dropped) + write_ids(self.acking) + write_ids(self.others)
                + write_ids(self.lost) + self.lineage.encode())


@dataclasses.dataclass
class Held:
    """A proposal held ready, of the attempt in which it was."""
    attempt: tuple
    proposal: Proposal
    appended: list          # (place, flags, payload)


class Member:
    """@send (member, message): over the link to it. @silence (member): for how many
    seconds nothing was heard of it. What happens is in @events: ('view', view number,
    members, departed), ('message', sender, octets), ('end', why)."""

    def __init__(self, own, send, silence=lambda member: 0):
        self.own, self.send_octets, self.silence = own, send, silence
        self.now = 0.0
        self.deadline = None            # ends then, if it is joining or leaving
        self.events = []
        self.said, self.heard = collections.Counter(), collections.Counter()   # by type
        self.view_id, self.members, self.primary = NO_ID, (), False
        self.lineage = Lineage()
        self.highest = 0
        self.cards = {}                 # octets, by member
        self.candidates = {}            # member -> (card, when it was admitted)
        self.pieces = {}                # (sender, row) -> octets
        self.unsubmitted = []           # (flags, payload), for the next view
        self.waiting = []               # (sender, message), of a view after this one
        self.leaving = self.ended = False
        self.begin_view()

    def begin_view(self):
        self.log = {}                   # sequence -> (sender, flags, payload)
        self.held = self.delivered = self.stable = self.own_ordered = 0
        self.submitted = []             # (flags, payload)
        self.frozen, self.promised = False, NO_ID
        self.kept = None                # (sender, attempt, candidates): a FLUSH too early
        self.prepared = None            # Held
        self.appended = []              # (place, flags, payload) of the attempt followed
        self.leavers = set()

    # --- wishes ---

    def join(self):
        """Listens for the group from now on."""
        self.deadline = self.now + JOINING_TIMEOUT

    def multicast(self, message, safe=False):
        for at in range(0, max(len(message), 1), 4096):
            flags = (AHEAD | (NOT_FIRST if at else 0)
                     | (MORE if at + 4096 < len(message) else SAFE if safe else 0))
            self.submit(flags, message[at:at + 4096])

    def submit(self, flags, payload):
        if self.frozen:
            self.unsubmitted.append((flags, payload))
            return
        self.submitted.append((flags, payload))
        self.send(self.members[0], SUBMIT, u8(flags) + payload)

    def admit(self, member, card):
        """Everybody was told that it is a candidate."""
        if member not in self.members:
            self.candidates[member] = card, self.now

    def leave(self):
        if not self.leaving:
            self.deadline = self.now + JOINING_TIMEOUT
        self.leaving = True
        if not self.frozen:
            self.say(LEAVE)

    def tick(self, now):
        self.now = now
        if self.deadline is not None and now >= self.deadline and not self.ended:
            self.end('left' if self.leaving else 'not admitted')
        self.candidates = {member: (card, since)
                           for member, (card, since) in self.candidates.items()
                           if now < since + JOINING_TIMEOUT}
        if self.kept and not self.ended:
            self.take_flush(*self.kept)

    def say(self, kind, body=b''):
        for member in self.members:
            if member != self.own:
                self.send(member, kind, body)

    def send(self, member, kind, body=b'', attempt=None, view=None):
        self.said[kind] += 1
        self.send_octets(member, u8(kind) + write_id(view or self.view_id)
                         + (write_id(attempt) if attempt else b'') + body)

    # --- messages ---

    def receive(self, sender, message):
        reader = Reader(message)
        kind, view = reader.u8(), read_id(reader)
        if self.ended:
            return
        if view > self.view_id and not (self.view_id == NO_ID and kind >= FLUSH):
            self.waiting.append((sender, message))
            if self.prepared and self.prepared.proposal.view_id == view:
                self.install()
            return
        self.heard[kind] += 1
        if view < self.view_id:
            if kind == FLUSH:           # its sender learns that it is behind
                self.send(sender, HERE, u8(self.primary))
        elif kind >= FLUSH:
            self.change(sender, kind, view, read_id(reader), reader)
        else:
            self.take(sender, kind, reader)

    def take_out(self, reader):
        """The notice OUT (5.3): for a leaver whose COMMIT never came it is the end."""
        view, primary, _ = read_id(reader), reader.boolean(), reader.u8()
        reader.end()
        if self.leaving and primary and view > self.view_id:
            self.end('left')

    def end(self, why):
        self.ended = True
        self.events.append(('end', why))

    def take(self, sender, kind, reader):
        if kind == LEAVE:
            self.leavers.add(sender)
        elif sender != self.members[0] or self.frozen:
            return
        elif kind == STABLE:
            self.stable = max(self.stable, reader.u64())
        elif kind == ORDER:
            self.hold(reader.u64(), reader.u8(), reader.u8(), reader.rest())
            self.send(sender, RECEIPT, u64(self.held))
        self.deliver(self.may_deliver)

    def may_deliver(self, sequence, flags):
        return not flags & SAFE or sequence <= self.stable

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
        followed = attempt == self.promised
        if kind == FLUSH:
            self.take_flush(sender, attempt, read_ids(reader))
        elif kind == CARD:
            member = reader.u64()
            self.cards[member] = reader.rest()
        elif kind == FETCH and followed:
            self.show(sender, attempt, reader.u64(), read_id(reader))
        elif kind == FETCH:
            self.refuse(sender, attempt)
        elif kind == MISSING and followed:
            self.hold(reader.u64(), reader.u8(), reader.u8(), reader.rest())
        elif kind == APPENDED and followed:
            self.appended.append((reader.u8(), reader.u8(), reader.rest()))
        elif kind == PREPARE and (followed or (self.view_id == NO_ID
                                               and attempt > self.promised)):
            self.prepare(sender, view, attempt, Proposal.read(reader))
        elif (kind == COMMIT and followed and self.prepared
              and self.prepared.attempt == attempt):
            self.install()

    def is_lost(self, member):
        return self.silence(member) > (SUSPICION / 2 if self.kept else SUSPICION)

    def take_flush(self, sender, attempt, candidates):
        """Followed if it is the sender's turn; kept until it is."""
        if attempt[1] != sender or sender not in self.members:
            return
        if attempt <= self.promised:
            self.refuse(sender, attempt)
            return
        before = self.members[:self.members.index(sender)]
        if all(member in self.leavers or self.is_lost(member)
               for member in before if member != self.own):
            self.flush(sender, attempt, candidates)
        elif self.kept is None or attempt >= self.kept[1]:
            self.kept = sender, attempt, candidates

    def refuse(self, sender, attempt):
        self.send(sender, REFUSED, u64(self.highest), attempt)

    def flush(self, sender, attempt, candidates):
        self.promised, self.frozen, self.appended, self.kept = attempt, True, [], None
        for member, (card, _) in self.candidates.items():
            if member not in candidates:
                self.send(sender, CANDIDATE, u64(member) + card, attempt)
        for flags, payload in self.submitted:
            self.send(sender, UNORDERED, u8(flags) + payload, attempt)
        held = self.prepared
        self.send(sender, FLUSHED, u64(self.held) + u64(self.own_ordered)
                  + u32(len(self.submitted)) + u8(self.leaving)
                  + write_id(held.attempt if held else NO_ID)
                  + write_id(held.proposal.view_id if held else NO_ID)
                  + u64(self.highest) + self.lineage.encode(), attempt)
        self.highest = max(self.highest, attempt[0])

    def send_missing(self, to, attempt, held, last):
        for sequence in range(held + 1, last + 1):
            who, flags, payload = self.log[sequence]
            self.send(to, MISSING, u64(sequence) + u8(self.members.index(who))
                      + u8(flags) + payload, attempt)

    def send_parts(self, to, attempt, appended, newcomers):
        for place, flags, payload in appended:
            self.send(to, APPENDED, u8(place) + u8(flags) + payload, attempt)
        for member in newcomers:
            self.send(to, CARD, u64(member) + self.cards[member], attempt)

    def show(self, sender, attempt, held, wanted):
        """All that the coordinator lacks; the proposal, if it is wanted and held."""
        self.send_missing(sender, attempt, held, self.held)
        shown = u64(self.held) + u8(0)
        if self.prepared and self.prepared.proposal.view_id == wanted:
            proposal = self.prepared.proposal
            self.send_parts(sender, attempt, self.prepared.appended,
                            [member for member in proposal.members
                             if member not in self.members])
            shown = u64(self.held) + u8(1) + proposal.encode()
        self.send(sender, SHOWN, shown, attempt)

    def prepare(self, sender, view, attempt, proposal):
        newcomer = self.view_id == NO_ID
        if self.own not in (proposal.members if newcomer else proposal.acking):
            raise Malformed('a proposal for others')
        if not newcomer and (proposal.cut > self.held
                             or proposal.appended != len(self.appended)):
            raise Malformed('parts of a proposal are missing')
        if not newcomer and not self.view_id < proposal.view_id <= attempt:
            raise Malformed('a proposal with another number than it can have')
        self.promised = attempt
        self.hold_ready(attempt, proposal, self.appended)
        self.send(sender, PREPARED, attempt=attempt, view=view)

    def hold_ready(self, attempt, proposal, appended):
        self.lineage.merge(proposal.lineage)
        if proposal.primary:
            holders = tuple(sorted(set(proposal.acking) | set(proposal.others)))
            self.lineage.doubtful = [
                one for one in self.lineage.doubtful if one[0] != proposal.view_id]
            self.lineage.doubtful.append((proposal.view_id, proposal.members, holders))
        self.prepared = Held(attempt, proposal, appended)

    def install(self):
        proposal, appended = self.prepared.proposal, self.prepared.appended
        for sequence in range(proposal.cut + 1, self.held + 1):
            del self.log[sequence]
        self.held = min(self.held, proposal.cut)
        self.deliver(lambda sequence, flags: True)
        for place, flags, payload in appended:
            self.put_together(self.members[place], flags, payload)
        if self.own not in proposal.members:
            self.end('left')
            return
        self.begin(proposal)
        self.say(HERE, u8(proposal.primary))
        if self.leaving:
            self.leave()
        unsubmitted, self.unsubmitted = self.unsubmitted, []
        for one in unsubmitted:
            self.submit(*one)
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            self.receive(*one)

    def begin(self, proposal):
        """The view is there."""
        if not set(proposal.members) <= set(self.members):
            self.pieces = {}            # what is begun is multicast again, whole
        if not self.leaving:
            self.deadline = None
        self.view_id, self.members = proposal.view_id, proposal.members
        self.primary = proposal.primary
        self.highest = max(self.highest, proposal.view_id[0])
        for member in proposal.members + proposal.dropped:
            self.candidates.pop(member, None)
        if proposal.primary:
            self.lineage.form(proposal.view_id, proposal.members)
        self.begin_view()
        self.events.append(('view', proposal.view_id[0], proposal.members, proposal.gone))
