"""Peers of the C implementation, each a process, and paul, made by docs/protocol.md; on
ports of loopback that were free."""

import os
import random
import select
import socket
import subprocess
import time

from conference import Peer
from x509 import Identity

CONFERENCE = b'interop'
DEADLINE = 20           # s for all that is waited for


def full(name):
    return f'{name}@example.org'


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


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
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
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
    """@lines: name -> what is run for that peer. @loss: share of paul's datagrams."""

    def __init__(self, bravis, directory, lines, environment=None, loss=0):
        self.directory = directory
        self.socket = LossySocket(loss)
        addresses = {name: f'127.0.0.1:{free_port()}' for name in lines}
        addresses['paul'] = f'127.0.0.1:{self.socket.getsockname()[1]}'
        self.make_certificates(bravis, addresses)
        self.peers = {name: CPeer(line, directory, name, addresses, environment)
                      for name, line in lines.items()}
        self.paul = Peer(self.identity(), CONFERENCE, self.socket)

    def path(self, name):
        return os.path.join(self.directory, name)

    def make_certificates(self, bravis, names):
        def run(command, *arguments):
            subprocess.run([bravis, 'ca', command, '--dir', self.path('ca'), *arguments],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        run('init', '--name', 'tests')
        for name in names:
            run('issue', '--out', self.path(name), full(name))

    def identity(self):
        def read(name):
            with open(self.path(name), 'rb') as file:
                return file.read()
        return Identity(read('paul.pem'), read('paul-key.pem'), read('ca/ca.pem'))

    def wait(self, what, until, tick=lambda: None):
        end = time.monotonic() + DEADLINE
        while not until():
            now = time.monotonic()
            assert now < end, f'waited in vain for {what}: {self.describe()}'
            came = self.socket.receive(0.01)
            if came:
                self.paul.receive(*came, time.monotonic())
            self.paul.tick(time.monotonic())
            tick()

    def describe(self):
        said = ' | '.join(peer.read('.out') + peer.read('.log') for peer in self.peers.values())
        return f'views {self.paul.views}, epochs {len(self.paul.epochs)}; {said[-1500:]}'

    def close(self):
        for peer in self.peers.values():
            peer.close()
        self.socket.close()


def net_peer(program, number):
    return lambda config, log: [program, config, log, str(number)]
