"""Sections 5.1, 5.3 and 5.7: views, proposals of views, and which of them are primary."""

from typing import NamedTuple, Optional

from wire import check, u8, u32, u64

MOST_MEMBERS = 128
MOST_DOUBTFUL, TOO_MANY_DOUBTFUL = 16, 255
LEFT, FAILED, PUT_OUT = range(3)


class ViewId(NamedTuple):
    """Of a view or an attempt."""
    number: int
    proposer: int

    @classmethod
    def read(cls, reader):
        return cls(reader.u64(), reader.u64())

    def write(self):
        return u64(self.number) + u64(self.proposer)


NONE = ViewId(0, 0)


def read_ids(reader):
    ids = tuple(reader.u64() for _ in range(reader.u8()))
    check(len(ids) <= MOST_MEMBERS and 0 not in ids and len(set(ids)) == len(ids), 'no ids')
    return ids


def write_ids(ids):
    return u8(len(ids)) + b''.join(map(u64, ids))


def is_quorum(present, members):
    """More than half of @members, or half of them with the first."""
    there = sum(member in present for member in members)
    return 2 * there > len(members) or (2 * there == len(members) and members[0] in present)


class Doubtful(NamedTuple):
    """A primary view that somebody may have installed."""
    view: ViewId
    members: tuple
    holders: tuple

    @classmethod
    def read(cls, reader):
        doubtful = cls(ViewId.read(reader), read_ids(reader), read_ids(reader))
        check(doubtful.members, 'a view of nobody')
        return doubtful

    def write(self):
        return self.view.write() + write_ids(self.members) + write_ids(self.holders)

    def allows(self, present, taking_part):
        """Whether these may have a primary view although it is in doubt."""
        return set(self.holders) <= set(taking_part) or is_quorum(present, self.members)


class Lineage(NamedTuple):
    """What a member knows of primary views; @doubtful None: more than can be written."""
    formed: ViewId
    members: tuple
    doubtful: Optional[tuple] = ()

    @classmethod
    def read(cls, reader):
        formed, members, count = ViewId.read(reader), read_ids(reader), reader.u8()
        check(formed > NONE and members, 'nothing was formed')
        check(count <= MOST_DOUBTFUL or count == TOO_MANY_DOUBTFUL, 'too much in doubt')
        if count == TOO_MANY_DOUBTFUL:
            return cls(formed, members, None)
        return cls(formed, members, tuple(Doubtful.read(reader) for _ in range(count))).clean()

    def write(self):
        doubtful = (u8(TOO_MANY_DOUBTFUL) if self.doubtful is None else
                    u8(len(self.doubtful)) + b''.join(one.write() for one in self.doubtful))
        return self.formed.write() + write_ids(self.members) + doubtful

    def clean(self):
        return self._replace(doubtful=tuple(
            one for one in self.doubtful if one.view > self.formed))

    def doubt(self, proposal):
        """It is held ready, and may be installed by somebody."""
        if self.doubtful is None:
            return self
        doubtful = [one for one in self.doubtful if one.view != proposal.view]
        doubtful.append(Doubtful(proposal.view, proposal.members,
                                 proposal.acking + proposal.others))
        return self._replace(doubtful=tuple(doubtful)
                             if len(doubtful) <= MOST_DOUBTFUL else None)

    def form(self, view, members):
        return Lineage(view, members, tuple(one for one in self.doubtful or ()
                                            if one.view > view))

    @staticmethod
    def merge(lineages, view, taking_part):
        """Of all who take part, who come from @view."""
        newest = max(lineages, key=lambda one: one.formed)
        if any(one.doubtful is None and one.formed == newest.formed for one in lineages):
            return newest._replace(doubtful=None)
        doubtful = {one.view: one for lineage in lineages for one in lineage.doubtful or ()
                    if one.view >= view or not set(one.holders) <= set(taking_part)}
        if len(doubtful) > MOST_DOUBTFUL:
            return newest._replace(doubtful=None)
        return newest._replace(doubtful=tuple(doubtful[one] for one in sorted(doubtful))).clean()

    def allows_new(self, taking_part, newcomers):
        """Whether a new view of these is primary."""
        present = {*taking_part, *newcomers}
        return (self.doubtful is not None and len(self.doubtful) < MOST_DOUBTFUL
                and is_quorum(taking_part, self.members)
                and all(one.allows(present, taking_part) for one in self.doubtful))

    def allows_again(self, view, taking_part):
        """Whether a primary view that is held ready may be proposed again."""
        return (self.doubtful is not None and self.formed <= view
                and all(one.view <= view for one in self.doubtful)
                and is_quorum(taking_part, self.members)
                and all(one.allows(taking_part, taking_part) for one in self.doubtful
                        if one.view < view))


class Proposal(NamedTuple):
    view: ViewId
    primary: bool
    cut: int
    appended: int
    members: tuple
    departures: tuple               # (id, why)
    dropped: tuple
    acking: tuple
    others: tuple
    lost: tuple
    lineage: Lineage

    @classmethod
    def read(cls, reader):
        proposal = cls(ViewId.read(reader), reader.boolean(), reader.u64(), reader.u32(),
                       read_ids(reader), _read_departures(reader),
                       *(read_ids(reader) for _ in range(4)), Lineage.read(reader))
        check(len(proposal.acking) + len(proposal.others) <= MOST_MEMBERS, 'too many take part')
        return proposal

    def write(self):
        departures = b''.join(u64(member) + u8(why) for member, why in self.departures)
        return (self.view.write() + u8(self.primary) + u64(self.cut) + u32(self.appended)
                + write_ids(self.members) + u8(len(self.departures)) + departures
                + b''.join(map(write_ids, (self.dropped, self.acking, self.others, self.lost)))
                + self.lineage.write())


def _read_departures(reader):
    departures = tuple((reader.u64(), reader.u8()) for _ in range(reader.u8()))
    ids = {member for member, _ in departures}
    check(len(ids) == len(departures) <= MOST_MEMBERS and 0 not in ids
          and all(why <= PUT_OUT for _, why in departures), 'no departures')
    return departures
