"""Section 5.6: the first member that is there makes the next view."""

from collections import Counter

from attempt import COMMITTED, FETCHING, GATHER, PREPARING, Attempt, Flushed
from group import Member, Prepared
from liveness import SUSPICION
from messages import (APART, CANDIDATE, COMMIT, FETCH, FLUSH, FLUSHED, MERGE, PREPARE, PREPARED,
                      REFUSED, SHOWN, UNORDERED)
from orders import Ordered
from pieces import read_piece, size_of
from views import FAILED, LEFT, MOST_MEMBERS, NONE, PUT_OUT, Proposal, ViewId, write_ids
from wire import u64

CALM = 0.2                              # s between views that nobody has to wait for
MOST_UNORDERED, MOST_CARD = 270336, 16384
MOST_TRIES, MOST_REFUSALS = 4, 16       # within a suspicion time; of a member in a view
MOST_PATIENCE = 4 * SUSPICION


class Coordinator(Member):
    def __init__(self, own, host):
        super().__init__(own, host)
        self.waits = False              # a test may hold the next view up
        self.attempt, self._given_up = None, set()
        self._viewed_at, self._refused_at, self._refusals = 0, [], Counter()
        self.handlers |= {
            CANDIDATE: self._on_candidate, UNORDERED: self._on_unordered,
            FLUSHED: self._on_flushed, SHOWN: self._on_shown, PREPARED: self._on_prepared,
            REFUSED: self._on_refused, MERGE: self._on_merge}

    @property
    def agreed(self):
        """Who holds the proposal ready."""
        return self.attempt.agreed if self.attempt else set()

    def _enter(self, proposal):
        self.attempt, self._viewed_at = None, self.now
        self._refusals.clear()
        super()._enter(proposal)
        self._given_up &= {*self.candidates}

    def _is_own(self, message):
        """Whether it is of the attempt that runs."""
        return self.attempt is not None and message.attempt == self.attempt.id == self.followed

    # --- when (5.6, 5.9) ---

    def lead(self):
        if self.attempt and self.attempt.id < self.followed:
            self.attempt = None
        if self.coordinator() != self.own or self.own in self.out or self.waits:
            return
        if self._is_to_begin() if self.attempt is None else self._is_in_vain():
            self._begin()

    def _is_to_begin(self):
        if self.stopped or self.kept or any(map(self.is_lost, self.others)):
            return True
        calm = self.now >= self._viewed_at + CALM
        return calm and bool(self.leavers or self._ready_candidates())

    def _ready_candidates(self):
        return [member for member in self.candidates
                if self.channels[member].echoed and not self.is_suspected(member)
                and member not in self._given_up]

    def _is_in_vain(self):
        """Another stopped the view for an attempt of its own, or somebody who is waited for is
        lost; newcomers count where the view is a new one."""
        if self.kept and self.kept.attempt > self.attempt.id:
            return True
        lost = self._lost_of(self.attempt.waited_for())
        newcomers = lost - {*self.members}
        self._given_up |= newcomers
        if self.attempt.ready and newcomers:
            self.attempt.told = [one for one in self.attempt.told if one not in newcomers]
            self._commit_when_all_agree()
            lost -= newcomers
        return bool(lost)

    def _lost_of(self, waited_for):
        if self.now > self.attempt.since + MOST_PATIENCE:
            self.gone |= {*waited_for} - {self.own}
            return {*waited_for}
        return {member for member in waited_for if self.is_lost(member)}

    def _begin(self):
        self.greatest += 1
        asked = [member for member in self.members if not self.is_lost(member)]
        self.attempt = Attempt(ViewId(self.greatest, self.own), asked, self.now)
        for member in self.members:     # who is only suspected learns that it was outbid
            if member not in self.gone | self.out:
                self.say(member, FLUSH, write_ids(self.candidates), self.attempt.id)

    def _on_refused(self, member, message):
        self.note_number(message.body.u64())
        message.body.end()
        self._refusals[member] += 1
        if self._refusals[member] > MOST_REFUSALS:
            self.gone.add(member)
        if self._is_own(message):
            self._refused_at = [one for one in self._refused_at if self.now < one + SUSPICION]
            if len(self._refused_at) < MOST_TRIES:
                self._refused_at.append(self.now)
                self._begin()

    def _on_merge(self, member, message):
        message.body.end()
        self.say(member, APART, b'', message.attempt)

    # --- what the others hold ---

    def _on_candidate(self, _member, message):
        candidate, card = message.body.u64(), message.body.rest(MOST_CARD)
        if (self._is_own(message) and candidate not in (*self.members, *self.candidates)
                and self.host.take_card(candidate, card)):
            self.admit(candidate)

    def _on_unordered(self, member, message):
        piece = read_piece(message.body)
        if self._is_own(message) and size_of(self.attempt.unordered[member]) < MOST_UNORDERED:
            self.attempt.unordered[member].append(piece)

    def _on_flushed(self, member, message):
        flushed = Flushed.read(message.body)
        self.note_number(flushed.greatest)
        if self._is_own(message) and self.attempt.phase == GATHER and member in self.attempt.asked:
            self.attempt.flushed[member] = flushed
            if flushed.leaving:
                self.leavers.add(member)
            if not self.attempt.waited_for():
                self._fetch_or_propose()

    def _fetch_or_propose(self):
        attempt, newest = self.attempt, self.attempt.newest_ready(self.own)
        wanted = newest.ready_view if newest else NONE
        if newest and self.prepared and self.prepared.proposal.view == wanted:
            attempt.ready = self.prepared
        most = max(attempt.flushed, key=lambda member: attempt.flushed[member].held)
        if newest and not attempt.ready:
            self._fetch(wanted, next(member for member, one in attempt.flushed.items()
                                     if one.ready_view == wanted))
        elif not newest and attempt.flushed[most].held > self.orders.held:
            self._fetch(wanted, most)
        else:
            self._propose()

    def _fetch(self, wanted, member):
        self.attempt.source = member
        self.attempt.enter(FETCHING, self.now)
        self.say(member, FETCH, u64(self.orders.held) + wanted.write(), self.attempt.id)

    def _on_shown(self, member, message):
        message.body.u64()
        shown = Proposal.read(message.body) if message.body.boolean() else None
        message.body.end()
        if not self._is_own(message) or member != self.attempt.source:
            return
        if shown:
            self.attempt.ready = Prepared(self.attempt.id, shown, self.appended)
            self.appended = []
        if shown and not all(map(self.host.card_of, shown.members)):
            self.gone.add(member)
        else:
            self._propose()

    # --- what is proposed ---

    def _propose(self):
        ready, lineage = self.attempt.ready, self.attempt.lineage(self.view)
        if ready is None:
            self._propose_new(lineage, self.orders.held, self._appended(), True)
        elif not ready.proposal.primary or lineage.allows_again(ready.proposal.view,
                                                                self.attempt.asked):
            self._say_proposal(ready.proposal, ready.appended)
        else:
            self.attempt.ready = None
            self._propose_new(lineage, ready.proposal.cut, ready.appended, False)

    def _appended(self):
        """The unordered messages of each, without those that have a number by now."""
        appended = []
        for member in self.attempt.asked:
            held = self.attempt.flushed[member].held
            ordered = sum(number > held for number in self.orders.own(member))
            appended += [Ordered(member, piece)
                         for piece in self.attempt.unordered[member][ordered:]]
        return appended

    def _propose_new(self, lineage, cut, appended, may_be_primary):
        asked = tuple(self.attempt.asked)
        staying = tuple(member for member in asked if member not in self.leavers)
        newcomers = tuple(self._ready_candidates() if staying else ())
        newcomers = newcomers[:MOST_MEMBERS - len(staying)]
        departures = tuple((member, self._why(member)) for member in self.members
                           if member not in staying)
        dropped = tuple(self._given_up if staying else self.candidates)
        primary = may_be_primary and lineage.allows_new(asked, newcomers)
        self._say_proposal(Proposal(
            self.attempt.id, primary, cut, len(appended), staying + newcomers, departures,
            dropped, asked, (), self.failed, lineage), appended)

    def _why(self, member):
        if member in self.out:
            return PUT_OUT
        return LEFT if member in self.leavers else FAILED

    def _say_proposal(self, proposal, appended):
        attempt, newcomers = self.attempt, self.newcomers(proposal)
        acking = [member for member in attempt.asked if member in proposal.acking]
        attempt.told = acking + newcomers
        attempt.enter(PREPARING, self.now)
        for member in acking:
            self.say_missing(member, attempt.flushed[member].held, proposal.cut)
            self.say_appended(member, appended)
            self.say_cards(member, newcomers)
        for newcomer in newcomers:
            self.open_channel(newcomer)
            self.say_cards(newcomer, [one for one in proposal.members if one != newcomer])
        for member in attempt.told:
            self.say(member, PREPARE, proposal.write(), attempt.id)

    def _on_prepared(self, member, message):
        message.body.end()
        if self._is_own(message) and self.attempt.phase == PREPARING:
            self.attempt.agreed.add(member)
            self._commit_when_all_agree()

    def _commit_when_all_agree(self):
        attempt = self.attempt
        if attempt.phase == PREPARING and not attempt.waited_for():
            for member in attempt.told:
                self.say(member, COMMIT, b'', attempt.id)
            attempt.enter(COMMITTED, self.now)
