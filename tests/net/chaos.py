"""A conference to which things happen at random, for long runs.

The same seed makes the same plan; what comes of it differs, for the peers are real.
"""

import random

from peers import identity, now

STEPS = 12
BETWEEN = (0.05, 0.3, 1.2)      # s: within a view change, beside one, after one
PAUSES = (0.3, 0.9, 1.5)        # s
LEAST = 3                       # members that are left alone


class Chaos:
    def __init__(self, talk, seed):
        self.talk = talk
        self.random = random.Random(seed)
        self.done = []
        self.leaving = set()    # processes
        self.acts = (self.kill, self.leave, self.pause, self.cut_pair, self.cut_side,
                     self.cut_side_one_way, self.heal, self.heal, self.bring_back,
                     self.bring_back)

    def run(self):
        for _ in range(STEPS):
            self.talk.look()
            self.random.choice(self.acts)()
            self.talk.let_pass(self.random.choice(BETWEEN))
        self.talk.network.heal()

    def members(self):
        self.talk.look()
        return [peer.name for peer in self.talk.living()
                if peer.view and peer not in self.leaving]

    def choose(self, least=1):
        """One of the members, if there are at least as many; None."""
        members = self.members()
        return self.random.choice(members) if len(members) >= least else None

    def kill(self):
        name = self.choose(LEAST + 1)
        if name:
            self.done.append(f'kill {name}')
            self.talk.kill(name)

    def leave(self):
        name = self.choose(LEAST + 1)
        if name:
            self.done.append(f'{name} leaves')
            self.leaving.add(self.talk.peers[name])
            self.talk.peers[name].command('leave')

    def pause(self):
        name = self.choose()
        seconds = self.random.choice(PAUSES)
        if name:
            self.done.append(f'{name} stops for {seconds} s')
            self.talk.pause(name, seconds)

    def cut_pair(self):
        members = self.members()
        if len(members) >= 2:
            one, other = self.random.sample(members, 2)
            self.done.append(f'cut {one} | {other}')
            self.talk.network.cut([one], [other])

    def cut_side(self, one_way=False):
        members = self.members()
        if len(members) >= 2:
            side = self.random.sample(members, self.random.randint(1, len(members) - 1))
            other = [name for name in members if name not in side]
            self.done.append(f'cut {" ".join(side)} |{">" if one_way else ""} '
                             + ' '.join(other))
            self.talk.network.cut(side, other, one_way)

    def cut_side_one_way(self):
        self.cut_side(one_way=True)

    def heal(self):
        self.done.append('heal')
        self.talk.network.heal()

    def bring_back(self):
        """Who is gone, by a member of the primary part."""
        gone = [peer for peer in self.talk.peers.values() if peer.dead or peer.ended]
        hosts = [peer for peer in self.talk.named(self.members()) if peer.view.primary]
        if not gone or not hosts:
            return
        peer = self.random.choice(gone)
        self.done.append(f'{peer.name} comes back')
        if peer.id:
            self.talk.log(now(), 'put-out', peer.id)
        self.talk.start(peer.name)
        self.random.choice(hosts).command('invite', identity(peer.name))

    def invite_again(self):
        """Those who are not in: an invitation ends with who gave it."""
        members = self.members()
        for peer in self.talk.living():
            if not peer.view and members:
                self.talk.peers[members[0]].command('invite', identity(peer.name))


def play(talk, seed):
    chaos = Chaos(talk, seed)
    talk.gather()
    talk.chatter(rate=30, size=300)
    try:
        chaos.run()
    finally:
        talk.note(f'seed {seed}: {"; ".join(chaos.done)}')
    chaos.invite_again()
    talk.wait('all to be in one view',
              lambda: talk.are_together([peer.name for peer in talk.living()]))
    talk.note(talk.describe())
    talk.hush()
