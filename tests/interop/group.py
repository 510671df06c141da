"""Sections 5.5 to 5.10: a member of a group, which follows the sequencer and the
coordinator, and is neither itself.

Left out: parts that meet again (5.8), of which nobody is taken, and broken pairs (5.12)."""

from typing import NamedTuple

from liveness import SUSPICION
from messages import (APPENDED, CANDIDATE, CARD, COMMIT, FETCH, FLUSH, FLUSHED, HERE, LEAVE,
                      MISSING, PREPARE, PREPARED, REFUSED, SHOWN, UNORDERED, Message)
from messages import ORDER, STABLE      # tests have all of them from here
from multicast import Multicast
from orders import Ordered
from pieces import read_piece
from views import FAILED, LEFT, NONE, PUT_OUT, Proposal, ViewId, read_ids
from wire import check, u8, u32, u64

JOINING_TIMEOUT = 10                    # s
JOINING, MEMBER, ENDING, ENDED = 'joining', 'member', 'ending', 'ended'
STEP, HIGHEST_FOR_JOINER = 2**32, 2**63
MOST_APPENDED, MOST_CARD = 270336 + 4096, 16384


class Prepared(NamedTuple):
    """A proposal that is held ready, and the messages behind its cut."""
    attempt: ViewId
    proposal: Proposal
    appended: list


class Kept(NamedTuple):
    """A FLUSH that is followed when all before its coordinator are lost or leaving."""
    coordinator: int
    attempt: ViewId
    known: tuple


class Member(Multicast):
    """@host, beside what multicast asks for: take_view(members, departures), card_of(member),
    take_card(member, octets), release(member), end(why)"""

    def __init__(self, own, host):
        super().__init__(own, host)
        self.state, self.why = JOINING, None
        self.greatest = 0
        self.followed, self.kept = NONE, None
        self.appended, self.lineage = [], None
        self.leavers, self.failed = set(), ()
        self.leaving = self.has_left = self.told_out = False
        self._deadline, self._ending_since = self.now + JOINING_TIMEOUT, None
        self.handlers |= {
            LEAVE: self._on_leave, HERE: self._on_here, FLUSH: self._on_flush,
            FETCH: self._on_fetch, MISSING: self._on_missing, APPENDED: self._on_appended,
            CARD: self._on_card, PREPARE: self._on_prepare, COMMIT: self._on_commit}

    # --- what the layer above asks for ---

    def admit(self, member):
        self.candidates[member] = self.now + JOINING_TIMEOUT
        self.open_channel(member)

    def put_out(self, member):
        if member in self.members:
            self.out.add(member)
            if member == self.own:
                self._deadline = self.now + 2 * SUSPICION

    def refuse_candidate(self, member):
        """It is let in no more."""
        if self.candidates.pop(member, None):
            self.host.release(member)

    def leave(self):
        if self.view is None:
            self.end('left')
        elif not self.leaving:
            self.leaving, self._deadline = True, self.now + JOINING_TIMEOUT

    def end(self, why):
        if self.state in (JOINING, MEMBER):
            self.state, self.why, self._ending_since = ENDING, why, self.now

    # --- messages ---

    def accept(self, member, octets):
        if self.state in (ENDING, ENDED):
            return True
        message = Message.read(octets)
        if not message.is_within(STEP if self.view else HIGHEST_FOR_JOINER, self.greatest):
            return True
        if self.prepared and message.view == self.prepared.proposal.view:
            self._install()
            if self.state == ENDING:
                return True
        if self._waits(member, message):
            return False
        self.heard[message.kind] += 1
        self._handle(member, message)
        return True

    def _waits(self, member, message):
        """Whether it is of a later view."""
        if self.view is None:
            return message.kind <= HERE
        if message.view > self.view and member in self.members:
            self.gone.add(member)
        return message.view > self.view

    def _handle(self, member, message):
        if self.view is None:
            if message.kind in (CARD, PREPARE, COMMIT):
                self.handlers[message.kind](member, message)
        elif message.view < self.view:
            if message.kind == FLUSH:
                self.say(member, HERE, u8(self.primary))
        elif message.kind in self.handlers:
            if message.attempt:
                self.note_number(message.attempt.number)
            self.handlers[message.kind](member, message)

    def note_number(self, number):
        if number <= self.greatest + STEP:
            self.greatest = max(self.greatest, number)

    def _on_leave(self, member, message):
        message.body.end()
        self.leavers.add(member)

    def _on_here(self, _member, message):
        message.body.boolean()
        message.body.end()

    # --- a view change, as one that takes part (5.6) ---

    def coordinator(self):
        there = [member for member in self.members if not self.is_lost(member)]
        staying = [member for member in there if member not in self.leavers]
        return (staying or there or [self.own])[0]

    def _on_flush(self, member, message):
        known = read_ids(message.body)
        message.body.end()
        check(message.attempt.proposer == member and member in self.members, 'not its own')
        if message.attempt <= self.followed:
            self._refuse(member, message.attempt)
        elif self.own not in self.out:
            self.kept = Kept(member, message.attempt, known)
            self._follow_kept()

    def _refuse(self, member, attempt):
        self.say(member, REFUSED, u64(self.greatest), attempt)

    def _follow_kept(self):
        kept, first = self.kept, self.members.index(self.kept.coordinator)
        if all(self.is_lost(one, 0.5) or one in self.leavers for one in self.members[:first]):
            self.kept = None
            self._follow(*kept)

    def _follow(self, coordinator, attempt, known):
        self.followed, self.stopped, self.appended = attempt, True, []
        for candidate in self.candidates:
            if candidate not in known:
                self.say(coordinator, CANDIDATE,
                         u64(candidate) + self.host.card_of(candidate), attempt)
        for piece in self.rows.submitted:
            self.say(coordinator, UNORDERED, u8(piece.flags) + piece.payload, attempt)
        self.say(coordinator, FLUSHED, self._describe_state(), attempt)

    def _describe_state(self):
        leaving = self.has_left or (self.leaving and self.rows.is_empty())
        ready = (self.prepared.attempt, self.prepared.proposal.view) if self.prepared else (
            NONE, NONE)
        return (u64(self.orders.held) + u64(self.own_ordered) + u32(len(self.rows.submitted))
                + u8(leaving) + b''.join(one.write() for one in ready) + u64(self.greatest)
                + self.lineage.write())

    def _is_followed(self, member, message):
        """Whether it is of the attempt followed, and its coordinator's or for oneself."""
        return (message.attempt == self.followed
                and self.followed.proposer in (member, self.own))

    def _on_fetch(self, member, message):
        above, wanted = message.body.u64(), ViewId.read(message.body)
        message.body.end()
        if message.attempt != self.followed:
            self._refuse(member, message.attempt)
            return
        self.say_missing(member, above, self.orders.held)
        shown = self.prepared is not None and self.prepared.proposal.view == wanted
        if shown:
            self.say_appended(member, self.prepared.appended)
            self.say_cards(member, self.newcomers(self.prepared.proposal))
        self.say(member, SHOWN, u64(self.orders.held) + u8(shown)
                 + (self.prepared.proposal.write() if shown else b''), self.followed)

    def newcomers(self, proposal):
        return [member for member in proposal.members if member not in self.members]

    def _write_ordered(self, ordered):
        return (u8(self.members.index(ordered.sender)) + u8(ordered.piece.flags)
                + ordered.piece.payload)

    def say_missing(self, member, above, up_to):
        for number, ordered in sorted(self.orders.messages.items()):
            if above < number <= up_to:
                self.say(member, MISSING, u64(number) + self._write_ordered(ordered),
                         self.followed)

    def say_appended(self, member, appended):
        for ordered in appended:
            self.say(member, APPENDED, self._write_ordered(ordered), self.followed)

    def say_cards(self, member, whose):
        for one in whose:
            self.say(member, CARD, u64(one) + self.host.card_of(one), self.followed)

    def _on_missing(self, member, message):
        sequence, sender, piece = self.read_ordered(message.body)
        if self._is_followed(member, message):
            self.hold(sequence, sender, piece)

    def _on_appended(self, member, message):
        place = message.body.u8()
        check(place < len(self.members), 'of no member')
        ordered = Ordered(self.members[place], read_piece(message.body))
        size = sum(len(one.piece.payload) for one in self.appended)
        if self._is_followed(member, message) and size < MOST_APPENDED * len(self.members):
            self.appended.append(ordered)

    def _on_card(self, member, message):
        whose, card = message.body.u64(), message.body.rest(MOST_CARD)
        if self.view is None or self._is_followed(member, message):
            if not self.host.take_card(whose, card):
                self.end('a card that cannot be accepted')

    def _on_prepare(self, member, message):
        proposal = Proposal.read(message.body)
        message.body.end()
        check(message.attempt.proposer == member, 'not its own')
        if proposal.others:
            self._refuse(member, message.attempt)
        elif self._can_hold_ready(message, proposal):
            self.followed = message.attempt
            self.prepared = Prepared(message.attempt, proposal, self.appended)
            self.appended = []
            lineage = proposal.lineage
            self.lineage = lineage.doubt(proposal) if proposal.primary else lineage
            self.say(member, PREPARED, b'', message.attempt, message.view)

    def _can_hold_ready(self, message, proposal):
        cards_known = all(map(self.host.card_of, proposal.members))
        if not cards_known or proposal.view > message.attempt:
            return False
        if self.view is None:
            return message.attempt >= self.followed and self.own in proposal.members
        return (message.attempt == self.followed and self.own in proposal.acking
                and self.orders.delivered <= proposal.cut <= self.orders.held
                and len(self.appended) == proposal.appended
                and self.view < proposal.view)

    def _on_commit(self, member, message):
        message.body.end()
        check(message.attempt.proposer == member, 'not its own')
        if self.prepared and message.attempt == self.followed == self.prepared.attempt:
            self._install()

    # --- the next view ---

    def _install(self):
        _, proposal, appended = self.prepared
        if self.told_out and not proposal.primary:
            self.end('put out')
            return
        if self.view:
            self._end_view(proposal, appended)
        self.prepared = None
        if self.own in proposal.members:
            self._enter(proposal)
        else:
            self.end('put out' if self.own in self.out else 'left')

    def _end_view(self, proposal, appended):
        """Delivers all that belongs to it, and keeps what has to be said again."""
        orders, own = self.orders, self.own
        behind = [orders.messages[number].piece for number in orders.own(own)
                  if number > proposal.cut]
        unordered = behind + list(self.rows.submitted)
        self.deliver(all_up_to=proposal.cut)
        for ordered in appended:
            self.put(*ordered)
        somebody_new = bool(self.newcomers(proposal))
        self.rows.take_back(unordered[sum(one.sender == own for one in appended):],
                            somebody_new or orders.held > proposal.cut)
        if somebody_new:
            self.assembler.forget()

    def _enter(self, proposal):
        self.state, self.stopped, self.kept = MEMBER, False, None
        self.view, self.members = proposal.view, proposal.members
        self.primary, self.followed = proposal.primary, NONE
        self.greatest = max(self.greatest, self.view.number)
        if self.primary:
            self.lineage = self.lineage.form(self.view, self.members)
        self._note_departures(proposal)
        self.leavers.clear()
        self.has_left = False
        self.gone &= {*self.members}
        self.out &= {*self.members}
        self.assembler.keep(self.members)
        self.begin_view()
        self.review_channels()
        for member in self.others:
            self.say(member, HERE, u8(self.primary))
        self.host.take_view(self.members, proposal.departures)
        self._speak()

    def _note_departures(self, proposal):
        for member, why in proposal.departures:
            self.remember_former(member, why)
        for member in self.members:
            self.candidates.pop(member, None)
        for member in proposal.dropped:
            self.refuse_candidate(member)
        failed = {member for member, why in proposal.departures if why == FAILED}
        self.failed = tuple({*self.failed, *proposal.lost, *failed} - {*self.members})

    def on_told_out(self, member, why):
        """By one in a later view, a primary one."""
        self.told_out |= why in (LEFT, PUT_OUT)
        if self.leaving or (not self.primary and member in self.failed):
            self.end('left' if self.leaving else 'put out')

    # --- time ---

    def tick(self):
        if self.state == ENDED:
            return
        self.process()
        if self.state == JOINING and self.now >= self._deadline:
            self.end('not admitted')
        if self.state == MEMBER:
            self._tick_member()
            self.process()
        self.tick_links()
        if self.state == ENDING and (
                all(channel.is_idle() for channel in self.channels.values())
                or self.now >= self._ending_since + SUSPICION):
            self.state = ENDED
            self.host.end(self.why)

    def _tick_member(self):
        for member, until in list(self.candidates.items()):
            if self.now >= until:
                self.refuse_candidate(member)
        if self.kept:
            self._follow_kept()
        if self.own in self.out:
            self._end_when_unheard()
        elif not self.stopped:
            self._speak()
        if self.leaving and self.now >= self._deadline:
            self.end('left')
        self.lead()

    def _end_when_unheard(self):
        if self.now >= self._deadline or all(map(self.is_lost, self.others)):
            self.end('put out')

    def _speak(self):
        self.say_what_is_due()
        if self.leaving and not self.has_left and self.rows.is_empty():
            self.has_left = True
            for member in self.members:
                self.say(member, LEAVE)

    def lead(self):
        """This one cannot; it goes where nobody else does."""
        if self.coordinator() == self.own and any(map(self.is_lost, self.others)):
            self.end('nobody leads')
