"""Sections 5.2 to 5.9 without a network: groups of leaders in a time of their own, whose
datagrams are lost, doubled and late, and who crash: usage: test_group.py [FIRST LAST]"""

import heapq
import random
import sys
from collections import Counter

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
from group import ENDED, MEMBER, Prepared
from leader import Leader
from views import Lineage, Proposal, ViewId

STEP, PATIENCE = 0.005, 60              # s
SIZE = 6                                # of the group before somebody goes or comes
ADMIT, TALK = b'admit', b'talk'
RUNS = range(int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else range(5)


class World:
    def __init__(self, seed, loss):
        self.random, self.loss = random.Random(seed), loss
        self.now, self.nodes, self.flying = 100, {}, []
        self.stalled = {}               # member -> until when it is not run

    def send(self, sender, receiver, octets):
        for _ in range(2 if self.random.random() < 0.02 else 1):
            if self.random.random() >= self.loss:
                at = self.now + self.random.uniform(0.001, 0.03)
                heapq.heappush(self.flying, (at, self.random.random(), sender, receiver, octets))

    def step(self):
        self.now += STEP
        while self.flying and self.flying[0][0] <= self.now:
            _, _, sender, receiver, octets = heapq.heappop(self.flying)
            if self.now < self.stalled.get(receiver, 0):
                heapq.heappush(self.flying, (self.stalled[receiver], self.random.random(),
                                             sender, receiver, octets))
            elif receiver in self.nodes:
                self.nodes[receiver].group.receive(sender, octets)
        for member, node in list(self.nodes.items()):
            if self.now >= self.stalled.get(member, 0):
                node.group.tick()

    def wait(self, until, what):
        end = self.now + PATIENCE
        while not until():
            assert self.now < end, f'waited in vain for {what}: {self.describe()}'
            self.step()

    def describe(self):
        return [(member, node.group.state, node.group.view, node.group.members)
                for member, node in self.nodes.items()]

    def wait_for(self, *members):
        self.wait(lambda: all(self.nodes[member].group.members == members
                              for member in members), f'a view of {members}')

    def crash(self, member):
        return self.nodes.pop(member)


class Node:
    """A member, and what it was told."""

    def __init__(self, world, member):
        self.world, self.member = world, member
        self.views, self.heard = [], [[]]
        self.group = Leader(member, self)
        world.nodes[member] = self

    @property
    def now(self):
        return self.world.now

    def found(self):
        """The first view of a founder."""
        one, alone = ViewId(1, self.member), (self.member,)
        self.group.prepared = Prepared(one, Proposal(
            one, True, 0, 0, alone, (), (), alone, (), (), Lineage(one, alone)), [])
        self.group.lineage = Lineage(one, alone)
        self.group._install()           # pylint: disable=protected-access

    def transmit(self, member, octets):
        self.world.send(self.member, member, octets)

    def deliver(self, sender, message, _safe):
        self.heard[-1].append((sender, message))
        if message.startswith(ADMIT):
            self.group.admit(int(message[len(ADMIT):]))

    def take_view(self, members, _departures):
        self.views.append((self.group.view, members))
        self.heard.append([])

    def card_of(self, member):
        return b'card of %d' % member

    def take_card(self, member, octets):
        return octets == self.card_of(member)

    def release(self, member):
        pass

    def end(self, why):
        pass

    def talk(self, number, safe):
        size = self.world.random.choice((100, 10000, 10000, 150000))
        self.group.multicast(TALK + b'%d of %d ' % (number, self.member) + bytes(size), safe,
                             self.world.random.random() < 0.3)


def gather(seed, size, loss):
    world = World(seed, loss)
    Node(world, 1).found()
    for member in range(2, size + 1):
        Node(world, member)
        world.nodes[1].group.multicast(ADMIT + b'%d' % member)
        world.wait_for(*range(1, member + 1))
    return world


def check_synchrony(nodes):
    """Who goes from one view to the same next has heard the same in it."""
    heard = {}
    for node in nodes:
        for (view, _), (following, _), messages in zip(node.views, node.views[1:],
                                                       node.heard[1:]):
            assert heard.setdefault((view, following), messages) == messages, (view, following)


def talked(node):
    """How many messages it heard of each; none came twice."""
    heard = [one for messages in node.heard for one in messages if one[1].startswith(TALK)]
    assert len(set(heard)) == len(heard), 'a message came twice'
    return Counter(sender for sender, _ in heard)


def have_all(world, sent):
    """Whether all that those who stay said has come to those who were there before."""
    return all(talked(node)[other] == sent[other] for node in world.nodes.values()
               for other in world.nodes if node.member in (*range(1, SIZE + 1), other))


def live(seed, loss):
    """Members talk, crash, leave and come; those who stay have heard the same."""
    world = gather(seed, SIZE, loss)
    nodes, sent = list(world.nodes.values()), dict.fromkeys(range(1, 20), 0)
    events = crash, crash, crash_half_way, leave, join, join, stall, stall
    for event in world.random.sample(events, 6):
        for node in list(world.nodes.values()):
            for _ in range(world.random.randrange(3)):
                sent[node.member] += 1
                node.talk(sent[node.member], world.random.random() < 0.3)
        event(world, nodes)
        for _ in range(world.random.choice((1, 10, 50, 170, 200, 230))):
            world.step()
    settle(world)
    world.wait(lambda: have_all(world, sent), 'all messages')
    check_synchrony(nodes)


def crash(world, _nodes):
    """Often of who leads, or is the next to lead."""
    world.crash(world.random.choice(sorted(world.nodes)[:4]))


def stall(world, _nodes):
    """Not long enough to be taken for crashed by all, if it has luck."""
    world.stalled[world.random.choice(sorted(world.nodes)[:4])] = (
        world.now + world.random.uniform(0.4, 0.9))


def crash_half_way(world, _nodes):
    """Of who makes a view, when so many hold it ready, or have installed it."""
    world.nodes[max(world.nodes)].group.leave()
    enough = world.random.randrange(1, 5)
    def is_half_way(group):
        views = [node.group.view for node in world.nodes.values()
                 if node.member in group.members]
        return len(group.agreed) >= enough or 0 < views.count(group.view) < len(views)
    for _ in range(300):
        leaders = [node.member for node in world.nodes.values() if is_half_way(node.group)]
        if leaders:
            world.crash(min(leaders))
            break
        world.step()


def leave(world, _nodes):
    world.nodes[world.random.choice(list(world.nodes))].group.leave()


def join(world, nodes):
    newcomer = len(nodes) + 1
    inviter = world.random.choice(list(world.nodes))
    nodes.append(Node(world, newcomer))
    world.nodes[inviter].group.multicast(ADMIT + b'%d' % newcomer)


def settle(world):
    """Those who are over go; all others come to one view."""
    def is_settled():
        for member, node in list(world.nodes.items()):
            if node.group.state == ENDED:
                world.crash(member)
        there = set(world.nodes)
        return all(node.group.state == MEMBER and set(node.group.members) == there
                   and not node.group.leaving for node in world.nodes.values())
    world.wait(is_settled, 'one view')


def test_group_grows():
    world = gather(0, 4, 0)
    assert {node.group.view for node in world.nodes.values()} == {world.nodes[1].group.view}
    assert all(node.group.primary for node in world.nodes.values())


def test_coordinator_that_was_suspected_for_a_moment_outbids():
    """1 makes a view; 2 begins another, which 4 keeps, as it hears 1."""
    for steps in range(0, 40, 3):
        world = gather(0, 5, 0)
        first, second = world.nodes[1].group, world.nodes[2].group
        world.nodes[3].group.leave()
        world.wait(lambda group=first: group.attempt, 'an attempt of 1')
        for _ in range(steps):
            world.step()
        second.is_suspected = lambda member, share=1: member == 1
        world.step()
        del second.is_suspected
        begun = world.now
        settle(world)
        assert world.now < begun + 2, (steps, world.now - begun)


def test_members_stay_together():
    for seed in RUNS:
        live(seed, 0)


def test_members_stay_together_where_datagrams_are_lost():
    for seed in RUNS:
        live(seed, 0.1)


if __name__ == '__main__':
    sys.exit(tap.run('group', globals()))
