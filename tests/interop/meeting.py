"""Peers of the C implementation, each a process, and paul, and perhaps paula, made by
docs/protocol.md; at an address of loopback that no other meeting is at."""

import os
import random
import select
import socket
import subprocess
import time

from conference import Peer
from group import Member
from leader import Leader
from x509 import Identity

CONFERENCE = b'interop'
HOST = f'127.7.{os.getpid() >> 8 & 255}.{os.getpid() & 255}'
DEADLINE = 20           # s for all that is waited for
PAUL, PAULA = 'paul', 'paula'


def full(name):
    return f'{name}@example.org'


def bind():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((HOST, 0))
    return one


def find_free_ports(n):
    """All different, and free until somebody else comes to this host."""
    sockets = [bind() for _ in range(n)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class CPeer:
    """A process; what it says and logs. @line (configuration, log): what is run."""

    def __init__(self, line, directory, name, addresses, environment):
        self.base = os.path.join(directory, name)
        with open(self.base + '.conf', 'w', encoding='utf-8') as file:
            file.write(f'[identity]\ncertificate={self.base}.pem\nkey={self.base}-key.pem\n'
                       f'trust={directory}/ca/ca.pem\n[group]\n'
                       f'conference={CONFERENCE.decode()}\nlisten={addresses[name]}\n[peers]\n'
                       + ''.join(f'{full(other)}={addresses[other]}\n'
                                 for other in addresses if other != name))
        with open(self.base + '.out', 'w', encoding='utf-8') as out:
            self.popen = subprocess.Popen(
                line(self.base + '.conf', self.base + '.log'), env=environment,
                stdin=subprocess.PIPE, stdout=out, stderr=out, text=True)

    def command(self, *words):
        self.popen.stdin.write(' '.join(map(str, words)) + '\n')
        self.popen.stdin.flush()

    def read(self, suffix):
        try:
            with open(self.base + suffix, encoding='utf-8') as file:
                return file.read()
        except FileNotFoundError:
            return ''

    def lines(self, suffix):
        """Those that are written whole."""
        return self.read(suffix).split('\n')[:-1]

    def close(self):
        self.popen.kill()
        self.popen.wait()
        self.popen.stdin.close()


class LossySocket:
    """UDP that loses that share of the datagrams, of both directions."""

    def __init__(self, loss):
        self.socket = bind()
        self.loss, self.random = loss, random.Random(1)

    def sendto(self, datagram, address):
        if self.random.random() >= self.loss:
            self.socket.sendto(datagram, address)

    def receive(self, wait):
        """(datagram, address); None: nothing came within @wait s, or it was lost."""
        if not select.select([self.socket], [], [], wait)[0]:
            return None
        came = self.socket.recvfrom(2048)
        return came if self.random.random() >= self.loss else None

    def getsockname(self):
        return self.socket.getsockname()

    def close(self):
        self.socket.close()


class Meeting:
    """@lines: name -> what is run for that peer. @loss: share of the datagrams of paul.
    @led: paula is there, who can be sequencer and coordinator."""

    def __init__(self, bravis, directory, lines, environment=None, loss=0, led=False):
        self.directory = directory
        self.sockets = {name: LossySocket(loss) for name in (PAUL, PAULA)[:1 + led]}
        addresses = {name: f'{HOST}:{port}'
                     for name, port in zip(lines, find_free_ports(len(lines)))}
        addresses |= {name: f'{HOST}:{one.getsockname()[1]}'
                      for name, one in self.sockets.items()}
        self.make_certificates(bravis, addresses)
        self.peers = {name: CPeer(line, directory, name, addresses, environment)
                      for name, line in lines.items()}
        self.members = {name: Peer(self.identity(name), CONFERENCE, one,
                                   group=Leader if name == PAULA else Member)
                        for name, one in self.sockets.items()}
        self.paul, self.paula = self.members[PAUL], self.members.get(PAULA)

    def path(self, name):
        return os.path.join(self.directory, name)

    def make_certificates(self, bravis, names):
        def run(command, *arguments):
            subprocess.run([bravis, 'ca', command, '--dir', self.path('ca'), *arguments],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        run('init', '--name', 'tests')
        for name in names:
            run('issue', '--out', self.path(name), full(name))

    def identity(self, name):
        def read(suffix):
            with open(self.path(suffix), 'rb') as file:
                return file.read()
        return Identity(read(f'{name}.pem'), read(f'{name}-key.pem'), read('ca/ca.pem'))

    def wait(self, what, until, tick=lambda: None):
        end = time.monotonic() + DEADLINE
        while not until():
            assert time.monotonic() < end, f'waited in vain for {what}: {self.describe()}'
            for name, member in list(self.members.items()):
                came = self.sockets[name].receive(0.01 / len(self.members))
                if came:
                    member.receive(*came, time.monotonic())
                member.tick(time.monotonic())
            tick()

    def crash(self, name):
        """It is not there any more, and says nothing."""
        if name in self.members:
            del self.members[name]
        else:
            self.peers[name].close()

    def describe(self):
        said = ' | '.join(peer.read('.out') + peer.read('.log') for peer in self.peers.values())
        return f'views {self.paul.views}, epochs {len(self.paul.epochs)}; {said[-1500:]}'

    def close(self):
        for peer in self.peers.values():
            peer.close()
        for one in self.sockets.values():
            one.close()


def net_peer(program, number):
    return lambda config, log: [program, config, log, str(number)]


def logged(peer, what):
    """The words of each line of that kind, behind the time and the kind."""
    return [words[2:] for words in map(str.split, peer.lines('.log')) if words[1] == what]


def last_view(peer):
    """The ids in the newest view that it logged."""
    views = logged(peer, 'view')
    return views[-1][2:] if views else []


def message_of(number, size=10000):
    """As net-peer makes and checks them; of that size in three pieces."""
    return number.to_bytes(8, 'big') + bytes((31 * number + at) % 256
                                             for at in range(8, size))


def wait_for_group(meeting, size):
    """A view of that many, its key and its verification code."""
    paul = meeting.paul
    meeting.wait(f'a view of {size}', lambda: paul.views and len(paul.views[-1][1]) == size)
    meeting.wait('the key of that view', lambda: paul.epoch
                 and paul.epoch.members == list(paul.views[-1][1]))
    meeting.wait('the verification code', lambda: paul.code)
