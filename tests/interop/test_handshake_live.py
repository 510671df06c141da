"""A peer of the C implementation invites one made by docs/protocol.md, over
UDP: usage: test_handshake_live.py BRAVIS NET_PEER"""

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
from card import new_card, verify_card
from handshake import Invitee
from link import SealedLink
from wire import Reader
from x509 import Identity

CONFERENCE = b'interop'
DEADLINE = 20           # s for all that is waited for
ALICE, PAUL = 'alice@example.org', 'paul@example.org'


def read_roster(octets):
    """Section 7.2: policy and (address, card) of each member."""
    reader = Reader(octets)
    assert reader.u8() == 1
    policy, members = reader.take(5), []
    for _ in range(reader.u8()):
        family = reader.u8()
        address = reader.take({0: 0, 4: 6, 6: 18}[family])
        members.append((address, reader.vector(3)))
    reader.end()
    return policy, members


class Meeting:
    """alice, in C, and the invitee's socket; on ports of loopback that were free."""

    def __init__(self, bravis, net_peer, directory):
        self.bravis, self.directory = bravis, directory
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        self.make_certificates()
        config = self.path('alice.conf')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(f'[identity]\ncertificate={self.path("alice")}.pem\n'
                       f'key={self.path("alice")}-key.pem\ntrust={self.path("ca")}/ca.pem\n'
                       f'[group]\nconference={CONFERENCE.decode()}\n'
                       f'listen=127.0.0.1:{port}\n'
                       f'[peers]\n{PAUL}=127.0.0.1:{self.socket.getsockname()[1]}\n')
        self.alice = subprocess.Popen(
            [net_peer, config, self.path('alice.log'), '1'], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, text=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def make_certificates(self):
        def run(command, *arguments):
            subprocess.run([self.bravis, 'ca', command, '--dir', self.path('ca'), *arguments],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        run('init', '--name', 'tests')
        run('issue', '--out', self.path('alice'), ALICE)
        run('issue', '--out', self.path('paul'), PAUL)

    def identity(self):
        def read(name):
            with open(self.path(name), 'rb') as file:
                return file.read()
        return Identity(read('paul.pem'), read('paul-key.pem'), read('ca/ca.pem'))

    def invite(self):
        self.alice.stdin.write(f'invite {PAUL}\n')
        self.alice.stdin.flush()

    def wait(self, take, until, tick=lambda now: None):
        """Gives @take what comes until @until says so."""
        end = time.monotonic() + DEADLINE
        while not until():
            now = time.monotonic()
            assert now < end, 'nothing came of it in time'
            assert self.alice.poll() is None, 'alice ended'
            if select.select([self.socket], [], [], 0.02)[0]:
                take(*self.socket.recvfrom(2048), time.monotonic())
            tick(time.monotonic())

    def close(self):
        self.alice.kill()
        self.alice.wait()
        self.alice.stdin.close()
        self.socket.close()


def test_invitee_gets_the_roster_and_opens_the_members_link(bravis, net_peer):
    with tempfile.TemporaryDirectory() as directory:
        meeting = Meeting(bravis, net_peer, directory)
        try:
            follow_invitation(meeting)
        finally:
            meeting.close()


def follow_invitation(meeting):
    identity, private = meeting.identity(), os.urandom(32)
    card = new_card(identity, CONFERENCE, int.from_bytes(os.urandom(8), 'big') | 1,
                    private, os.urandom(32))
    door = Invitee(identity, CONFERENCE, card)

    def send():
        while door.out:
            meeting.socket.sendto(*door.out.pop(0))

    def take(datagram, address, now):
        door.receive(datagram, address, now)
        send()

    def tick(now):
        door.tick(now)
        send()

    meeting.invite()
    meeting.wait(take, lambda: door.roster is not None, tick)
    assert door.inviter.name == ALICE
    _, members = read_roster(door.roster)
    cards = [verify_card(octets, identity, CONFERENCE) for _, octets in members]
    assert [one.octets for one in cards] == [door.inviter.octets]
    assert members[0][0] == b''

    link, opened = SealedLink(card, private, door.inviter), []

    def take_link(datagram, address, now):
        plaintext = link.open(datagram)
        if plaintext is None:
            take(datagram, address, now)
        else:
            opened.append(plaintext)

    door.answer_ready()
    send()
    meeting.wait(take_link, lambda: opened, tick)
    assert opened[0][0] == 1                                    # a link's datagram
    assert int.from_bytes(opened[0][-8:-4], 'big') == 1         # its number at alice


if __name__ == '__main__':
    sys.exit(tap.run('handshake', globals(), *sys.argv[1:]))
