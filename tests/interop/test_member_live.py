"""A peer made by docs/protocol.md is a member among peers of the C implementation, over
UDP: usage: test_member_live.py BRAVIS NET_PEER"""

import os
import select
import socket
import subprocess
import sys
import tempfile
import time

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
from conference import Peer
from x509 import Identity

CONFERENCE = b'interop'
DEADLINE = 20           # s for all that is waited for
NAMES = ('alice', 'bob', 'paul')


def full(name):
    return f'{name}@example.org'


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


class CPeer:
    """A process; what it says and logs."""

    def __init__(self, net_peer, directory, name, number, addresses):
        self.base = os.path.join(directory, name)
        with open(self.base + '.conf', 'w', encoding='utf-8') as file:
            file.write(f'[identity]\ncertificate={self.base}.pem\nkey={self.base}-key.pem\n'
                       f'trust={directory}/ca/ca.pem\n[group]\n'
                       f'conference={CONFERENCE.decode()}\nlisten={addresses[name]}\n[peers]\n'
                       + ''.join(f'{full(other)}={addresses[other]}\n'
                                 for other in addresses if other != name))
        with open(self.base + '.out', 'w', encoding='utf-8') as out:
            self.popen = subprocess.Popen(
                [net_peer, self.base + '.conf', self.base + '.log', str(number)],
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

    def close(self):
        self.popen.kill()
        self.popen.wait()
        self.popen.stdin.close()


class Meeting:
    """alice and bob, in C, and paul."""

    def __init__(self, bravis, net_peer, directory):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        addresses = {name: f'127.0.0.1:{free_port()}' for name in NAMES[:2]}
        addresses['paul'] = f'127.0.0.1:{self.socket.getsockname()[1]}'
        self.make_certificates(bravis, directory)
        self.peers = [CPeer(net_peer, directory, name, number, addresses)
                      for number, name in enumerate(NAMES[:2], 1)]
        self.paul = Peer(self.identity(directory), CONFERENCE, self.socket)

    def make_certificates(self, bravis, directory):
        authority = os.path.join(directory, 'ca')
        def run(command, *arguments):
            subprocess.run([bravis, 'ca', command, '--dir', authority, *arguments],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        run('init', '--name', 'tests')
        for name in NAMES:
            run('issue', '--out', os.path.join(directory, name), full(name))

    def identity(self, directory):
        def read(name):
            with open(os.path.join(directory, name), 'rb') as file:
                return file.read()
        return Identity(read('paul.pem'), read('paul-key.pem'), read('ca/ca.pem'))

    def wait(self, what, until):
        end = time.monotonic() + DEADLINE
        while not until():
            now = time.monotonic()
            assert now < end, f'waited in vain for {what}: {self.describe()}'
            if select.select([self.socket], [], [], 0.01)[0]:
                self.paul.receive(*self.socket.recvfrom(2048), time.monotonic())
            self.paul.tick(time.monotonic())

    def describe(self):
        said = ' | '.join(peer.read('.out') + peer.read('.log') for peer in self.peers)
        return f'views {self.paul.views}, epochs {len(self.paul.epochs)}; {said[-1500:]}'

    def close(self):
        for peer in self.peers:
            peer.close()
        self.socket.close()


def follow(meeting):
    alice, bob = meeting.peers
    paul = meeting.paul
    alice.command('invite', full('bob'))
    meeting.wait('alice and bob to be together', lambda: ' view ' in bob.read('.log'))
    alice.command('invite', full('paul'))
    meeting.wait('paul to be in', lambda: paul.views and len(paul.views[-1][1]) == 3)
    meeting.wait('the key of that view', lambda: paul.epoch
                 and paul.epoch.members == list(paul.views[-1][1]))
    meeting.wait('the verification code', lambda: paul.code)

    paul.multicast((3 << 32 | 1).to_bytes(8, 'big'))
    meeting.wait('what paul said to come back', lambda: paul.messages)
    bob.command('send', 5, 100, 'safe', 0)
    meeting.wait('what bob said', lambda: len(paul.messages) == 6)

    for n in range(4):          # the token goes round, paul too
        before = len(paul.epochs)
        paul.keys.refresh()
        meeting.wait(f'key change {n}', lambda: len(paul.epochs) > before and paul.code)

    paul.leave()
    meeting.wait('paul to be out', lambda: paul.over)
    meeting.wait('the others to have a view without it', lambda: all(
        peer.read('.log').splitlines()[-1:] and len(
            [line for line in peer.read('.log').splitlines() if ' view ' in line][-1].split())
        == 6 for peer in meeting.peers))


def test_member_joins_changes_keys_and_leaves(bravis, net_peer):
    with tempfile.TemporaryDirectory() as directory:
        meeting = Meeting(bravis, net_peer, directory)
        try:
            follow(meeting)
        finally:
            meeting.close()


if __name__ == '__main__':
    sys.exit(tap.run('member', globals(), *sys.argv[1:]))
