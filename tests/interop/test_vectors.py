"""The golden vectors of tests/vectors, computed again from what was drawn."""

import base64
import json
import os
import sys

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
from cryptography.hazmat.primitives import serialization

import sframe
import verification
import vtkd
from card import new_card, verify_card
from command import Command
from handshake import (BY_INVITEE, BY_INVITER, INVITEE, INVITER, READY, REPLY, WELCOME,
                       Transcript, is_for)
from link import RELAYED, SealedLink
from primitives import derive, mac, public_of, sha256
from wire import u8, u64
from x509 import Identity, read_chain, verify

DIRECTORY = os.path.join(os.path.dirname(__file__), '..', 'vectors')
NAMES = ('alice', 'bob', 'carol')


def read_file(*path):
    with open(os.path.join(DIRECTORY, *path), 'rb') as file:
        return file.read()


VECTORS = json.loads(read_file('bravis.json'))
CONFERENCE = VECTORS['conference'].encode()
NOW = VECTORS['wall_clock']


def octets(text):
    return bytes.fromhex(text)


def drawn(texts):
    return [octets(text) for text in texts]


def identity_of(name):
    return Identity(read_file('identities', f'{name}.pem'),
                    read_file('identities', f'{name}-key.pem'),
                    read_file('identities', 'ca.pem'))


IDENTITIES = {name: identity_of(name) for name in NAMES}


def native_order(number):
    """Numbers that the C implementation draws are octets of its machine."""
    return number[::-1] if sys.byteorder == 'little' else number


def made_card(entry):
    member, link, share = drawn(entry['drawn'])
    return new_card(IDENTITIES[entry['identity']], CONFERENCE,
                    int.from_bytes(native_order(member), 'big'), link, share,
                    entry['made'])


def members():
    """name -> (card, private link key, private share)"""
    return {entry['identity']: (made_card(entry), *drawn(entry['drawn'])[1:])
            for entry in VECTORS['cards']}


def test_cards():
    for entry in VECTORS['cards']:
        card = made_card(entry)
        assert card.octets == octets(entry['card'])
        assert card.digest == octets(entry['digest'])
        other = NAMES[(NAMES.index(entry['identity']) + 1) % len(NAMES)]
        seen = verify_card(card.octets, IDENTITIES[other], CONFERENCE, now=NOW)
        assert (seen.member, seen.name, seen.share, seen.link_key) == (
            card.member, card.name, card.share, card.link_key)


def test_handshake():
    given, cards = VECTORS['handshake'], members()
    handshake, nonce, private = drawn(given['drawn_by_inviter'])
    hello, reply = octets(given['hello']), octets(given['reply'])
    core = u8(192) + u8(1) + u8(1) + native_order(handshake) + nonce + public_of(private)
    core += mac(sha256(CONFERENCE), core)[:16]
    assert hello == core + b'\xcc' * 32 and is_for(hello, CONFERENCE)

    other_private, other_nonce = drawn(given['drawn_by_invitee'])
    inviter = Transcript(CONFERENCE, core, reply, private, reply[42:74])
    invitee = Transcript(CONFERENCE, core, reply, other_private, core[43:75])
    front = u8(192) + u8(3) + core[3:11] + other_nonce + public_of(other_private)
    assert reply == front + invitee.mac(REPLY, BY_INVITEE, invitee.h0)
    assert inviter.key(INVITER, BY_INVITER) == octets(given['key_inviter'])
    assert inviter.key(INVITEE, BY_INVITEE) == octets(given['key_invitee'])

    first = inviter.prove(INVITER, IDENTITIES['alice'], cards['alice'][0])
    assert first == octets(given['inviter_proof'])
    assert invitee.check_proof(INVITER, first, IDENTITIES['bob'], CONFERENCE, NOW)
    second = invitee.prove(INVITEE, IDENTITIES['bob'], cards['bob'][0])
    assert second == octets(given['invitee_proof'])
    assert inviter.check_proof(INVITEE, second, IDENTITIES['alice'], CONFERENCE, NOW)
    assert inviter.key(WELCOME, BY_INVITER) == octets(given['key_welcome'])
    assert inviter.key(READY, BY_INVITEE) == octets(given['key_ready'])


def test_link():
    given, cards = VECTORS['link'], members()
    sender = SealedLink(*cards['alice'][:2], cards['bob'][0])
    assert sender.seal(given['plaintext'].encode()) == octets(given['datagram'])
    assert sender.seal(given['relayed_plaintext'].encode(), RELAYED) == octets(
        given['relayed_datagram'])
    receiver = SealedLink(*cards['bob'][:2], cards['alice'][0])
    assert receiver.open(octets(given['datagram'])) == given['plaintext'].encode()


class Group:
    """All members, each of which says and draws by itself."""

    def __init__(self):
        self.cards = members()
        self.epochs, self.order = {}, []        # of (name, message)
        self.parties = {name: self.party(name, card, share)
                        for name, (card, _, share) in self.cards.items()}

    def party(self, name, card, share):
        draws = drawn(VECTORS['vtkd']['drawn'][name])
        party = vtkd.Party(IDENTITIES[name], CONFERENCE, card, share,
                           lambda size: draws.pop(0),
                           lambda message, safe: self.order.append((name, message)),
                           lambda epoch: self.epochs.__setitem__(name, epoch))
        party.policy = bytes([3, 5, 4, 4, 4])
        return party

    def install(self, view, names):
        for name in names:
            self.parties[name].install(view, [self.cards[other][0] for other in names])

    def play(self, given, names):
        """What is said must be what the C implementation said, octet by octet."""
        for message in given['messages']:
            name, octets_ = self.order.pop(0)
            assert (name, octets_.hex()) == (message['from'], message['message'])
            for other in names if 'lost' not in message else ():
                self.parties[other].deliver(self.cards[name][0].member, octets_)
        assert not self.order


def check_epoch(epoch, given):
    assert (epoch.number, epoch.view) == (given['number'], given['view'])
    assert epoch.prk == derive(octets(given['secret']), 'epoch', epoch.context, 32)
    assert epoch.confirmation == octets(given['confirmation'])
    assert epoch.export('vectors', b'x', 32) == octets(given['exported'])
    for kind in ('video', 'audio'):
        kid = given[kind]['kid']
        assert epoch.base_key(kid) == octets(given[kind]['base_key'])
        size = {'video': 44, 'audio': 28}[kind]
        assert epoch.srtp_key(kid, size) == octets(given[kind]['srtp_key'])


def play_all():
    """The group after its last key change; each key change is checked."""
    group = Group()
    for step, names in (('begin', NAMES[:1]), ('join', NAMES), ('refresh', NAMES)):
        given = VECTORS['vtkd'][step]
        if step == 'refresh':
            group.parties['carol'].refresh()
        else:
            group.install(given['epoch']['view'], names)
        group.play(given, names)
        assert set(group.epochs) == set(names)
        for epoch in group.epochs.values():
            check_epoch(epoch, given['epoch'])
    group.parties['alice'].refresh()
    group.play(VECTORS['vtkd']['silence'], NAMES)
    for name in NAMES:
        group.parties[name].lose_patience()
    group.play(VECTORS['vtkd']['overdue'], NAMES)
    for epoch in group.epochs.values():
        check_epoch(epoch, VECTORS['vtkd']['overdue']['epoch'])
    return group


def test_key_changes():
    play_all()


def last_of_group():
    group = play_all()
    return group, group.epochs['alice']


def test_verification_code():
    given = VECTORS['verification']
    group, epoch = last_of_group()
    numbers = drawn(given['drawn'])
    for at, message in enumerate(given['messages']):
        kind, number, shown = verification.read(octets(message['message']))
        own = numbers[at % len(NAMES)]
        member = group.cards[message['from']][0].member
        assert number == epoch.number
        assert (kind, shown) == ((verification.COMMIT, verification.commitment(
            number, member, own)) if at < len(NAMES) else (verification.REVEAL, own))
    shares = group.parties['alice'].member.hash_shares()
    assert shares == octets(given['shares'])
    assert verification.code(epoch, shares, numbers) == given['code']


def test_command():
    given = VECTORS['command']
    card = members()[given['from']][0]
    command = Command(given['view'], given['sequence'], given['kind'],
                      given['body'].encode()).sign(IDENTITIES[given['from']], CONFERENCE,
                                                   card.member)
    assert command.encode() == octets(given['message'])
    read = Command.read(octets(given['message']))
    assert read == command
    read.verify(CONFERENCE, card)


def test_fingerprint():
    ends = [IDENTITIES[name].certificates[0].public_bytes(serialization.Encoding.DER)
            for name in ('alice', 'bob')]
    assert verification.fingerprint(*ends) == VECTORS['fingerprint']['text']
    assert verification.fingerprint(*reversed(ends)) == VECTORS['fingerprint']['text']


def test_membership_log():
    given = VECTORS['log']
    previous, key = '0' * 64, None
    group, epoch = last_of_group()
    kinds = []
    for number, line in enumerate(given['text'].splitlines()):
        body, signature = line.split('\t')
        parts = body.split(' ')
        assert parts[:2] == [str(number), previous]
        if parts[3] == 'START':
            assert parts[4:6] == ['vectors', 'alice@example.org']
            chain = read_chain(base64.b64decode(parts[6]))
            key = chain[0].public_key()
        if parts[3] == 'EPOCH':
            assert parts[4:8] == [str(epoch.number), '2', 'refresh',
                                  epoch.confirmation.hex()]
            assert parts[8] == ','.join(
                f'{name}@example.org/{group.cards[name][0].digest.hex()}' for name in NAMES)
        verify(key, 'membership log', body.encode(), base64.b64decode(signature))
        previous = sha256(body.encode()).hex()
        kinds.append(parts[3])
    assert kinds == ['START', 'VIEW', 'JOINED', 'EPOCH', 'LEFT', 'END']


def test_frame():
    given = VECTORS['frame']
    _, epoch = last_of_group()
    key = sframe.Key(5, given['kid'], epoch.base_key(given['kid']))
    assert key.protect(given['counter'], given['plaintext'].encode()) == octets(given['frame'])
    assert sframe.read_header(octets(given['frame']))[:2] == (given['kid'], given['counter'])
    assert u64(given['kid'])[-3:] in octets(given['frame'])


def test_packet():
    given = VECTORS['packet']
    group, epoch = last_of_group()
    assert given['kid'] == epoch.kid(group.cards['carol'][0].member, 1, 1)
    rtp, packet = octets(given['rtp']), octets(given['packet'])
    key = sframe.key_of(epoch, given['kid'])
    assert sframe.protect_rtp(key, given['counter'], rtp) == packet
    assert sframe.open_rtp(epoch, packet) == (rtp[12:], given['kid'])


if __name__ == '__main__':
    sys.exit(tap.run('vectors', globals()))
