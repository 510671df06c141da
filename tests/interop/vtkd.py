"""Section 6: VTKD, the distribution of keys by the holder of a virtual token.

Left out: asking for a key because of the packets that the present one protected (6.6),
and the causes (6.8)."""

from collections import defaultdict

from card import Share
from epoch import DEFAULT_POLICY, HIGHEST_EPOCH, Epoch
from keycopy import CopyKeys, hash_of_shares
from primitives import draw, is_same, sha256
from vtkd_messages import (HONEST_EPOCH, KEYS, OF_KEYS, OF_SHARE, OVERDUE, REFRESH, SHARE, Keys,
                           Said)
from wire import Malformed, Reader, check, u8, u64

PATIENCE, LIFETIME = 10, 3600           # s


class Vtkd:
    """@host: now, say(octets, safe), take_epoch(epoch), blame(member, why), leave()"""

    def __init__(self, identity, card, secrets, host, policy=DEFAULT_POLICY, drawn=draw):
        self._identity, self._card, self._host, self._draw = identity, card, host, drawn
        self._own, self._private, self._next = card.member, secrets.share, None
        self.cards, self.shares = {}, {}        # of the members, in the view's order
        self._met, self._agreed, self._said = set(), set(), {}
        self.knows = self.exchanged = self.awaiting = False
        self.version = self.highest = 0
        self.policy = policy
        self._secret = self._acted = None
        self._view, self._refreshed, self._accusers = None, set(), defaultdict(set)
        self._since = 0
        self._deliver = {SHARE: self._on_share, KEYS: self._on_keys,
                         REFRESH: self._on_refresh, OVERDUE: self._on_overdue}

    @property
    def members(self):
        return list(self.cards)

    @property
    def holder(self):
        return self.members[self.version % len(self.cards)]

    def hash_of_shares(self):
        return hash_of_shares(self.shares.items())

    # --- a view (6.2) ---

    def install(self, view, cards):
        """@cards: member id -> card, in the view's order."""
        newcomers = cards.keys() - self.cards.keys()
        self.shares = {member: self.shares.get(member, card.share)
                       for member, card in cards.items()}
        self.cards, self._view = cards, view
        self._met &= cards.keys()
        self._agreed &= cards.keys()
        self._said, self._refreshed, self._accusers = {}, set(), defaultdict(set)
        self.exchanged = self.exchanged and not newcomers
        self._await()
        if not self.exchanged:
            self._say_share()

    def _say_share(self):
        said = self._own_words()
        self._host.say(u8(SHARE) + u64(self._view) + said.write()
                             + self.shares[self._own].write(), False)

    def _own_words(self):
        return Said(self.knows, self.highest, self.version if self.knows else 0, self.policy)

    def _await(self):
        """A key change is due, and somebody's turn."""
        self.awaiting = True
        self._since = self._host.now
        self._act()

    def deliver(self, sender, octets):
        if octets[0] in self._deliver:
            self._deliver[octets[0]](sender, octets)

    def _blame(self, member, why):
        if member != self._own:
            self._host.blame(member, why)

    # --- shares (6.3) ---

    def _on_share(self, sender, octets):
        reader = Reader(octets[1:])
        try:
            view, said, share = reader.u64(), Said.read(reader), Share.read(reader)
            reader.end()
        except Malformed:
            view, said, share = self._view, None, None
        if view != self._view or self.exchanged or sender in self._said:
            return
        if said and self._take_share(sender, share):
            self._said[sender] = self._judge_words(sender, said)
        else:
            self._take_nothing(sender)
        self._met.add(sender)
        self._settle()

    def _take_share(self, sender, share):
        if share != self.shares[sender]:
            if not share.is_of(self.cards[sender]):
                return False
            if sender in self._met:
                self._blame(sender, 'says another share')
            self.shares[sender] = share
        return True

    def _take_nothing(self, sender):
        self._blame(sender, 'says no share')
        self.shares[sender] = self.cards[sender].share
        self._said[sender] = Said(False, 0, 0, self.policy)

    def _judge_words(self, sender, said):
        own = self._own_words()
        if self.knows and said.knows and said != own:
            if sender in self._agreed:
                self._blame(sender, 'says something else')
                return own
            if HONEST_EPOCH < said.epoch != self.highest:
                self._blame(sender, 'says an epoch that nobody comes to')
        return said

    def _settle(self):
        if len(self._said) < len(self.cards):
            return
        said = [self._said[member] for member in self.cards]
        first = next((one for one in said if one.knows), said[0])
        honest = [one for one in said if one.epoch <= HONEST_EPOCH]
        self.policy = first.policy
        self.highest = max([self.highest, first.epoch] + [one.epoch for one in honest])
        self.version = max([first.version] + [one.version for one in honest if one.knows])
        self._agreed = set(self.cards)
        self.exchanged = self.knows = True
        self._await()

    # --- the holder (6.4) ---

    def _cards_in_order(self):
        return [(member, card.digest) for member, card in self.cards.items()]

    def _epoch(self, number, secret):
        return Epoch(number, self._view, self.policy, self._cards_in_order(), secret)

    def _act(self):
        due = (self.exchanged and self.awaiting and self.holder == self._own
               and self.highest < HIGHEST_EPOCH)
        if due and self._acted != (self._view, self.version):
            self._acted = self._view, self.version
            self._next = self._next or self._draw(32)
            self._secret = self._draw(32)
            self._host.say(self._make_keys(), True)

    def _make_keys(self):
        epoch = self._epoch(self.highest + 1, self._secret)
        share = Share.make(self._card, self.shares[self._own].serial + 1, self._next,
                           self._identity.key)
        others = [member for member in self.cards if member != self._own]
        message = (u8(KEYS) + u64(self._view) + u64(self.version) + u64(epoch.number)
                   + self.policy + share.write() + epoch.context + epoch.confirmation
                   + u8(len(others)))
        keys = self._copy_keys(sha256(message))
        return message + b''.join(keys.seal(self._own, other, self._secret) for other in others)

    def _copy_keys(self, digest):
        return CopyKeys(self._card.conference, self._private, self.shares, digest)

    # --- its keys (6.5) ---

    def _on_keys(self, sender, octets):
        try:
            keys = Keys.read(octets)
        except Malformed:
            keys = None
        if keys and keys.view != self._view:
            return
        if not self.awaiting or not self.exchanged or sender != self.holder:
            self._blame(sender, 'distributes keys out of turn')
        elif not keys or not self._is_right(sender, keys):
            self._blame(sender, 'distributes wrong keys')
            self._pass_token_on()
        else:
            self._take_keys(sender, keys)

    def _is_right(self, sender, keys):
        expected = self._epoch(keys.epoch, bytes(32))
        return (keys.version == self.version
                and keys.epoch == self.highest + 1 <= HIGHEST_EPOCH
                and keys.policy == self.policy and len(keys.copies) == len(self.cards) - 1
                and keys.context == expected.context
                and keys.share.serial == self.shares[sender].serial + 1
                and keys.share.is_of(self.cards[sender]))

    def _pass_token_on(self):
        self._move_token()
        self._await()

    def _move_token(self):
        self.version = (self.version + 1) % 2**64

    def _take_keys(self, holder, keys):
        secret = self._secret if holder == self._own else self._open_copy(holder, keys)
        epoch = secret and self._epoch(keys.epoch, secret)
        self.shares[holder] = keys.share
        if holder == self._own:
            self._private, self._next = self._next, None
        self._met.add(holder)
        self._move_token()
        self.highest = keys.epoch
        self.awaiting = False
        self._since = self._host.now
        if epoch and is_same(epoch.confirmation, keys.confirmation):
            self._host.take_epoch(epoch)
        else:
            self._ask_again(holder)

    def _open_copy(self, holder, keys):
        others = [member for member in self.cards if member != holder]
        try:
            return self._copy_keys(keys.digest).open(self._own, holder,
                                                     keys.copies[others.index(self._own)])
        except Malformed:
            return None

    def _ask_again(self, holder):
        self._blame(holder, 'gives another key')
        if holder not in self._refreshed:
            self._refreshed.add(holder)
            self.refresh()

    # --- asking (6.6, 6.7) ---

    def refresh(self):
        self._host.say(u8(REFRESH) + u64(self._view), False)

    def _on_refresh(self, _sender, octets):
        if octets[1:] == u64(self._view) and not self.awaiting:
            self._await()

    def tick(self):
        if not self.cards:
            return
        if self.awaiting and self._host.now >= self._since + PATIENCE:
            self._since = self._host.now
            self._accuse()
        elif not self.awaiting and self._host.now >= self._since + self._lifetime():
            self._since = self._host.now
            self.refresh()

    def _lifetime(self):
        """Longer for who is farther behind the holder."""
        members = self.members
        behind = (members.index(self._own) - members.index(self.holder)) % len(members)
        return LIFETIME * (1 + behind / (8 * len(members)))

    def _accuse(self):
        if not self.exchanged:
            for member in self.cards.keys() - self._said.keys() - {self._own}:
                self._say_overdue(OF_SHARE, member)
        elif self.holder != self._own:
            self._say_overdue(OF_KEYS, self.version)

    def _say_overdue(self, what, which):
        self._host.say(u8(OVERDUE) + u64(self._view) + u8(what) + u64(which), False)

    def _on_overdue(self, sender, octets):
        reader = Reader(octets[1:])
        view, what, which = reader.u64(), reader.u8(), reader.u64()
        reader.end()
        accused = self._accused(what, which)
        if view != self._view or not self.awaiting or accused in (None, sender):
            return
        accusers = self._accusers[what, which]
        accusers.add(sender)
        if 2 * len(accusers) > len(self.cards) - 1:
            self._blame(accused, 'is silent')
            self._go_on_without(what, accused)

    def _accused(self, what, which):
        check(what in (OF_SHARE, OF_KEYS), 'nothing that can be overdue')
        if what == OF_SHARE:
            missing = not self.exchanged and which in self.cards and which not in self._said
            return which if missing else None
        return self.holder if self.exchanged and which == self.version else None

    def _go_on_without(self, what, accused):
        if what == OF_KEYS:
            self._pass_token_on()
            return
        if accused == self._own:
            self._host.leave()
        self._take_nothing(accused)
        self._met.add(accused)
        self._settle()
