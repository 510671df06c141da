"""A conference on a network of its own: what a scenario works with."""

import json
import os
import signal
import subprocess
import sys
import time

from network import Network
from peers import CONFERENCE, PORT, Failure, Peer, identity, now

GATHERING = 30          # s at most, as all deadlines: what is waited for comes or
SETTLING = 30           # fails; how long it took is a figure, not a matter of luck
LEAVING = 10
POLL = 0.02
SLOW = 10               # s: a view change that takes longer is not the machine's fault

BUSY = 0.1              # s: a machine that makes a process wait so long is worth a note


class Tools:
    def __init__(self, build, sanitized):
        self.sanitized = sanitized      # what is freed is kept for a while
        self.bravis = os.path.join(build, 'tools', 'bravis')
        self.net_peer = os.path.join(build, 'tests', 'net', 'net-peer')
        self.net_flood = os.path.join(build, 'tests', 'net', 'net-flood')
        self.net_delay = os.path.join(build, 'tests', 'net', 'net-delay')
        self.check_history = os.path.join(build, 'tests', 'sim', 'check-history')

    def missing(self):
        return [path for path in (self.bravis, self.net_peer, self.net_delay,
                                  self.net_flood, self.check_history) if not os.path.exists(path)]


class Talk:
    """Peers by name. @notes: figures, for the reader."""

    def __init__(self, tools, authority, directory, name, hosts, delay, ipv6, seed):
        self.seed = seed
        self.tools = tools
        self.authority = authority
        self.directory = directory
        self.ipv6 = ipv6
        self.notes = []
        self.peers = {}         # name -> the present process
        self.all = []           # also those that were there before
        self.others = []        # processes of traffic.py
        self.waited = 0.0       # s that this process was made to wait at most
        os.makedirs(directory)
        self.world = open(os.path.join(directory, 'world.log'), 'w', encoding='utf-8')
        self.network = Network(name, hosts, tools.net_delay, delay)

    def note(self, text):
        self.notes.append(text)

    # --- waiting ---

    def look(self):
        for peer in self.all:
            if peer.popen:
                peer.look()

    def wait(self, what, condition, seconds=SETTLING):
        """Until @condition () of what the logs say."""
        end = time.monotonic() + seconds
        while True:
            self.look()
            if condition():
                return
            if time.monotonic() > end:
                raise Failure(f'waited {seconds} s in vain for {what}; {self.describe()}; '
                              f'history: {self.judge(strict=True, live=False)[0]}')
            before = time.monotonic()
            time.sleep(POLL)
            self.waited = max(self.waited, time.monotonic() - before - POLL)

    def describe(self):
        return ', '.join(
            f'{peer.name}: {self.ended_or_view(peer)}' for peer in self.peers.values())

    def ended_or_view(self, peer):
        if peer.dead or peer.ended:
            return 'killed' if peer.dead else f'ended ({peer.ended})'
        if not peer.view:
            return 'no view'
        names = [self.name_of(id) for id in peer.view.members]
        return f'view {peer.view.number}{"" if peer.view.primary else " (not primary)"}' \
            f' of {" ".join(names)}'

    def name_of(self, id):
        return next((peer.name for peer in self.all if peer.id == id), id)

    # --- who is there ---

    def living(self):
        return [peer for peer in self.peers.values() if not peer.dead and not peer.ended]

    def named(self, names):
        return [self.peers[name] for name in names]

    def start(self, name):
        number = len(self.all) + 1
        hosts = list(self.network.hosts.values())
        host = self.network.hosts[name]
        peer = Peer(host, number, self.directory,
                    self.authority.config(host, hosts, self.ipv6))
        peer.start(self.tools.net_peer)
        self.peers[name] = peer
        self.all.append(peer)
        return peer

    def gather(self, names=None):
        """Starts @names (all); the first one invites the others."""
        names = list(names or self.network.hosts)
        for name in names:
            self.start(name)
        began = now()
        for name in names[1:]:
            self.peers[names[0]].command('invite', identity(name))
        self.wait_together(names, GATHERING)
        self.note(f'{len(names)} together after {(now() - began) / 1000:.0f} ms')

    def are_together(self, names):
        peers = self.named(names)
        ids = sorted(str(peer.id) for peer in peers)
        return all(peer.view and sorted(peer.view.members) == ids
                   and peer.view.number == peers[0].view.number for peer in peers)

    def wait_together(self, names, seconds=SETTLING):
        """Until exactly these are in one view."""
        self.wait(f'one view of {" ".join(names)}', lambda: self.are_together(names), seconds)

    # --- what they say ---

    def chatter(self, rate=20, size=200, quality='agreed', names=None):
        """Has all (or @names) send until hush ()."""
        for peer in self.named(names) if names else self.living():
            peer.command('send', 1000000, size, quality, rate)

    def hush(self, names=None):
        """None of @names (all) sends any more; and all of them have got what was sent."""
        living = self.named(names) if names else self.living()
        expected = {peer: peer.count_said('hushed') + 1 for peer in living}
        for peer in living:
            peer.command('hush')
        self.wait('everybody to be quiet',
                  lambda: all(peer.count_said('hushed') >= count
                              for peer, count in expected.items()))
        self.wait_delivered(names)

    def wait_delivered(self, names=None):
        """Until everything that each of @names sent has come to all of them."""
        def done():
            some = self.named(names) if names else self.living()
            return all(peer.has_all_of(sender) for sender in some for peer in some)
        self.wait('everything to be delivered', done)

    def wait_delivery(self, count, names=None):
        """Until each of @names has got @count messages more from each of them."""
        some = self.named(names) if names else self.living()
        want = [(peer, sender.number, peer.came[sender.number] + count)
                for peer in some for sender in some]
        self.wait(f'{count} messages from each',
                  lambda: all(peer.came[number] >= n for peer, number, n in want))

    # --- what is done to them ---

    def log(self, *words):
        self.world.write(' '.join(map(str, words)) + '\n')
        self.world.flush()

    def kill(self, *names):
        """SIGKILL, all at once."""
        for peer in self.named(names):
            peer.dead = True
            self.log(now(), 'crashed', peer.id)
        for peer in self.named(names):
            peer.send_signal(signal.SIGKILL)

    def pause(self, name, seconds):
        """SIGSTOP, and SIGCONT after that time."""
        self.peers[name].send_signal(signal.SIGSTOP)
        self.let_pass(seconds)
        self.peers[name].send_signal(signal.SIGCONT)

    def let_pass(self, seconds):
        """How long something lasts; nothing is waited for in it."""
        time.sleep(seconds)

    # --- traffic beside ---

    def traffic(self, host, *words):
        """Starts traffic.py on the host; it is ended with the scenario."""
        line = [sys.executable, os.path.join(os.path.dirname(__file__), 'traffic.py')]
        process = subprocess.Popen(
            self.network.hosts[host].inside(*line, *map(str, words)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.others.append(process)
        if words[0] in ('echo', 'count') and process.stdout.readline() != 'ready\n':
            raise Failure(f'traffic.py {words[0]} does not run')
        return process

    def flood_door(self, host, name, rate):
        """Has the host send first messages of the handshake to the peer @name, @rate a
        second, from addresses that are not its own."""
        process = subprocess.Popen(
            self.network.hosts[host].inside(
                self.tools.net_flood, self.network.hosts[name].ipv4, str(PORT),
                CONFERENCE, str(rate)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.others.append(process)
        return process

    def end_flood(self, process):
        """How many messages a second it sent."""
        process.terminate()
        said = json.loads(process.communicate()[0])
        return said['sent'] / said['seconds']

    def ping(self, host, address, count):
        """Round trips in ms, in growing order, and how many were lost."""
        said = json.loads(self.traffic(host, 'ping', address, count).communicate()[0])
        return sorted(said['ms']), said['lost']

    def end_count(self, counter):
        """What came of what was sent, as a share, to a `count'."""
        counter.terminate()
        said = json.loads(counter.communicate()[0])
        return said['came'] / max(said['sent'], 1)

    # --- figures ---

    def memory(self):
        """The most that a living process has used so far, KiB."""
        return max(peer.memory() for peer in self.living())

    def note_views_without(self, what, began, gone, names):
        """How long after @began each of @names had a view without @gone (ids)."""
        took = {}
        for peer in self.named(names):
            at = next(view.at for view in peer.views
                      if view.at >= began and not set(gone) & set(view.members))
            took[peer.name] = (at - began) / 1000
        if max(took.values()) > SLOW * 1000:
            raise Failure(f'{what}: {took} ms')
        self.note(f'{what}: {max(took.values()):.0f} ms ('
                  + ', '.join(f'{name} {ms:.0f}' for name, ms in took.items()) + ')')

    def note_delays(self):
        """From sending to delivery, at all but the sender."""
        delays = sorted((at - sender.sent[message]) / 1000
                        for sender in self.all for peer in self.all if peer is not sender
                        for message, at in peer.delivered.items() if message in sender.sent)
        if delays:
            def at(share):
                return delays[min(int(len(delays) * share), len(delays) - 1)]
            self.note(f'{len(delays)} deliveries by others, ms after sending: p50 '
                      f'{at(0.5):.1f}, p99 {at(0.99):.1f}, max {delays[-1]:.1f}')

    # --- the end ---

    def check(self, strict, live):
        """The history, as all logs tell it."""
        said, is_right = self.judge(strict, live)
        if not is_right:
            raise Failure(f'history: {said}')
        self.note(f'history{" (strict)" if strict else ""}{" and liveness" if live else ""}: '
                  + said)

    def judge(self, strict, live):
        line = [self.tools.check_history]
        line += ['--strict'] if strict else []
        line += ['--live'] if live else []
        line += [peer.log_path for peer in self.all if peer.id]
        done = subprocess.run([*line, self.world.name], capture_output=True, text=True,
                              check=False)
        return ' '.join((done.stdout + done.stderr).split()), done.returncode == 0

    def end(self):
        """All processes end in order."""
        for peer in self.all:
            peer.end()
        for peer in self.all:
            status = peer.wait(LEAVING)
            if not peer.dead and status != 0:
                raise Failure(f'{peer.name} does not end: {status}; see {peer.base}.out')

    def close(self):
        for peer in self.all:
            peer.close()
        for process in self.others:
            process.kill()
            process.wait()
            process.stdout.close()
        self.network.close()
        self.world.close()
