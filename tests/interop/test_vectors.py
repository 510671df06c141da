"""The golden vectors, computed again from what was drawn: usage: test_vectors.py"""

import json
import os
import sys
from base64 import b64encode
from datetime import datetime, timezone

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
import handshake
import sframe
from card import Card
from command import Command
from epoch import AUDIO, VIDEO
from link import DIRECT, RELAYED, SealedLink
from log import MembershipLog, check_log
from primitives import is_signed, public_of, sign
from verification import Verification, fingerprint
from vtkd import Vtkd
from wire import Malformed, Reader
from x509 import Identity

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'vectors')
NAMES = ('alice', 'bob', 'carol')
POLICY = bytes((3, 5, 4, 4, 4))
octets = bytes.fromhex


def load(name):
    with open(os.path.join(DIRECTORY, name), 'rb') as file:
        return file.read()


VECTORS, RFC9605 = (json.loads(load(name)) for name in ('bravis.json', 'rfc9605.json'))
CONFERENCE = VECTORS['conference'].encode()
IDENTITIES = {name: Identity(load(f'identities/{name}.pem'), load(f'identities/{name}-key.pem'),
                             load('identities/ca.pem')) for name in NAMES}


class Draws:
    """What was drawn, in that order."""

    def __init__(self, drawn):
        self._drawn = list(map(octets, drawn))

    def __call__(self, size):
        drawn = self._drawn.pop(0)
        assert len(drawn) == size
        return drawn

    def end(self):
        assert not self._drawn


def make_card(vector):
    draws = Draws(vector['drawn'])
    made = Card.make(IDENTITIES[vector['identity']], CONFERENCE, vector['made'], draws)
    draws.end()
    return made


MADE = {vector['identity']: make_card(vector) for vector in VECTORS['cards']}
CARDS = {name: card for name, (card, _) in MADE.items()}
SECRETS = {name: secrets for name, (_, secrets) in MADE.items()}
NAME_OF = {card.member: name for name, card in CARDS.items()}


def equal(got, wanted):
    got = got.hex() if isinstance(got, bytes) else got
    assert got == wanted, f'{got} is not {wanted}'


def check_members(made, vector):
    """That @vector has these members, each of that value, and no other."""
    assert made.keys() == vector.keys(), made.keys() ^ vector.keys()
    for name, value in made.items():
        equal(value, vector[name])


def test_all_of_the_file_is_looked_at():
    assert VECTORS.keys() == {'conference', 'wall_clock', 'cards', 'handshake', 'link', 'vtkd',
                              'verification', 'command', 'fingerprint', 'log', 'frame', 'packet'}


def test_cards():
    assert tuple(CARDS) == NAMES
    at = datetime.fromtimestamp(VECTORS['wall_clock'], timezone.utc)
    for vector in VECTORS['cards']:
        card, secrets = MADE[vector['identity']]
        check_members({'identity': vector['identity'], 'drawn': vector['drawn'],
                       'made': VECTORS['wall_clock'], 'card': card.octets,
                       'digest': card.digest, 'link_private': secrets.link,
                       'share_private': secrets.share}, vector)
        read = Card(octets(vector['card'])).verify(
            CONFERENCE, IDENTITIES['alice'].trust, at=at)
        assert read.name == f'{vector["identity"]}@example.org'.encode()


def test_handshake():
    vector = VECTORS['handshake']
    inviter, invitee = Draws(vector['drawn_by_inviter']), Draws(vector['drawn_by_invitee'])
    number, nonce, private = int.from_bytes(inviter(8), 'little'), inviter(32), inviter(32)
    hello = handshake.make_hello(CONFERENCE, number, nonce, public_of(private), b'\xcc' * 32)
    other_private, other_nonce = invitee(32), invitee(32)
    reply = handshake.make_reply(number, other_nonce, public_of(other_private))
    transcripts = [handshake.Transcript(CONFERENCE, hello, reply, *keys) for keys in (
        (private, public_of(other_private)), (other_private, public_of(private)))]
    proofs = [exchange_proof(*transcripts, handshake.BY_INVITER, 'alice'),
              exchange_proof(*transcripts[::-1], handshake.BY_INVITEE, 'bob')]
    for transcript in transcripts:
        check_members({
            'drawn_by_inviter': vector['drawn_by_inviter'],
            'drawn_by_invitee': vector['drawn_by_invitee'], 'hello': hello,
            'reply': reply + transcript.reply_mac(), 'inviter_proof': proofs[0],
            'invitee_proof': proofs[1],
            'key_inviter': transcript.sealing(handshake.INVITER, handshake.BY_INVITER),
            'key_invitee': transcript.sealing(handshake.INVITEE, handshake.BY_INVITEE),
            'key_welcome': transcript.sealing(handshake.WELCOME, handshake.BY_INVITER),
            'key_ready': transcript.sealing(handshake.READY, handshake.BY_INVITEE)}, vector)
    inviter.end()
    invitee.end()


def exchange_proof(sender, receiver, role, name):
    proof = sender.prove(role, CARDS[name], IDENTITIES[name].key)
    card = receiver.check_proof(role, proof, CONFERENCE, IDENTITIES[name].trust)
    assert card.digest == CARDS[name].digest
    return proof


def test_link():
    vector = VECTORS['link']
    to_bob = SealedLink(CARDS['alice'], SECRETS['alice'].link, CARDS['bob'])
    from_alice = SealedLink(CARDS['bob'], SECRETS['bob'].link, CARDS['alice'])
    plaintexts = [vector[name].encode() for name in ('plaintext', 'relayed_plaintext')]
    datagrams = [to_bob.seal(plaintext, first)
                 for plaintext, first in zip(plaintexts, (DIRECT, RELAYED))]
    check_members({'plaintext': 'first', 'datagram': datagrams[0],
                   'relayed_plaintext': 'over another', 'relayed_datagram': datagrams[1]}, vector)
    assert [from_alice.open(one) for one in datagrams] == [(one, True) for one in plaintexts]


class Group:
    """Three members of VTKD, and the messages between them in their order."""

    def __init__(self):
        drawn = VECTORS['vtkd']['drawn']
        assert drawn.keys() == set(NAMES)
        self.queue, self.heard = [], []
        self.draws = {name: Draws(drawn[name]) for name in NAMES}
        self.hosts = {name: Host(name, self) for name in NAMES}

    def install(self, view, *names):
        cards = {CARDS[name].member: CARDS[name] for name in names}
        for name in names:
            self.hosts[name].keys.install(view, cards)

    def run(self, *names, lost=False):
        """What was said is delivered to these; returns it as it is in the vectors."""
        heard = []
        while self.queue:
            name, message, safe = self.queue.pop(0)
            assert safe == (message[0] == 2)
            is_lost = lost and message[0] == 2
            heard.append({'from': name, 'message': message.hex()}
                         | ({'lost': 'yes'} if is_lost else {}))
            for receiver in names if not is_lost else ():
                self.hosts[receiver].keys.deliver(CARDS[name].member, message)
        return heard


class Host:
    def __init__(self, name, group):
        self.name, self.group, self.now = name, group, 0
        self.epoch = None
        self.keys = Vtkd(IDENTITIES[name], *MADE[name], self, POLICY, group.draws[name])

    def say(self, message, safe):
        self.group.queue.append((self.name, message, safe))

    def take_epoch(self, epoch):
        self.epoch = epoch

    def blame(self, member, why):
        assert why == 'is silent', (NAME_OF[member], why)


def describe(epoch):
    """@epoch as it is in the vectors."""
    def stream(kind, number):
        kid = epoch.kid(epoch.members[0 if kind == VIDEO else -1], kind, number)
        return {'kid': kid, 'base_key': epoch.base_key(kid).hex(),
                'srtp_key': epoch.srtp_key(kid).hex()}
    return {'number': epoch.number, 'view': epoch.view, 'secret': epoch.secret.hex(),
            'confirmation': epoch.confirmation.hex(),
            'exported': epoch.export(b'vectors', b'x', 32).hex(),
            'video': stream(VIDEO, 7), 'audio': stream(AUDIO, 0)}


def check_step(name, group, heard, *names):
    vector = VECTORS['vtkd'][name]
    assert heard == vector['messages'], name
    if 'epoch' in vector:
        for member in names:
            equal(describe(group.hosts[member].epoch), vector['epoch'])
            assert group.hosts[member].epoch.number == group.hosts[member].keys.highest


def distribute():
    """All steps; returns the group in its last epoch."""
    group = Group()
    group.install(1, 'alice')
    check_step('begin', group, group.run('alice'), 'alice')
    group.install(2, *NAMES)
    check_step('join', group, group.run(*NAMES), *NAMES)
    group.hosts['carol'].keys.refresh()
    check_step('refresh', group, group.run(*NAMES), *NAMES)
    group.hosts['alice'].keys.refresh()
    check_step('silence', group, group.run(*NAMES, lost=True))
    for name in ('bob', 'carol'):
        group.hosts[name].now = 10
        group.hosts[name].keys.tick()
    check_step('overdue', group, group.run(*NAMES), *NAMES)
    for draws in group.draws.values():
        draws.end()
    return group


def test_vtkd():
    assert VECTORS['vtkd'].keys() == {'begin', 'join', 'refresh', 'silence', 'overdue', 'drawn'}
    distribute()


def last_epoch():
    return distribute().hosts['alice'].epoch


def test_verification():
    group, vector = distribute(), VECTORS['verification']
    draws = Draws(vector['drawn'])
    shares = {host.keys.hash_of_shares() for host in group.hosts.values()}
    assert len(shares) == 1
    members = {name: Verification(host.epoch, *shares, CARDS[name].member, host, draws)
               for name, host in group.hosts.items()}
    messages = []
    while group.queue:
        name, message, _ = group.queue.pop(0)
        messages.append({'from': name, 'message': message.hex()})
        for member in members.values():
            member.deliver(CARDS[name].member, message)
    check_members({'drawn': vector['drawn'], 'shares': shares.pop(), 'messages': messages,
                   'code': members['carol'].code}, vector)
    assert {member.code for member in members.values()} == {vector['code']}
    draws.end()


def test_command():
    vector = VECTORS['command']
    command = Command(2, 1, 1, b'yes')
    signed = command.signed(CONFERENCE, CARDS['bob'].member)
    command = command._replace(signature=sign(IDENTITIES['bob'].key, 'command', signed))
    check_members({'from': 'bob', 'view': command.view, 'sequence': command.sequence,
                   'kind': command.kind, 'body': command.body.decode(),
                   'message': command.write()}, vector)
    read = Command.read(octets(vector['message']))
    assert read == command
    assert is_signed(CARDS['bob'].certified.key, 'command', signed, read.signature)


def test_fingerprint():
    check_members({'of': 'alice and bob', 'text': fingerprint(
        *(CARDS[name].certified.der for name in ('bob', 'alice')))}, VECTORS['fingerprint'])


def test_log():
    lines, names = [], [f'{name}@example.org' for name in NAMES]
    log = MembershipLog(IDENTITIES['alice'], lines.append)
    log.start(1000000, 'vectors')
    log.view(2000000, 2, True, names)
    log.joined(2000001, names[1])
    log.epoch(3000000, last_epoch(), 'refresh', CARDS.values())
    log.left(4000000, names[1], 'left')
    log.end(5000000, 'the user left')
    check_members({'of': 'alice', 'text': ''.join(lines)}, VECTORS['log'])
    check_log(''.join(lines), CARDS['alice'].certified.key)
    assert b64encode(IDENTITIES['alice'].chain).decode() in lines[0]
    for bad in (lines[1:], lines[:2] + lines[3:], [lines[0].replace('START', 'STARS')]):
        try:
            check_log(''.join(bad), CARDS['alice'].certified.key)
        except Malformed:
            continue
        raise AssertionError('a log that is not right was taken')


def test_frame():
    vector, epoch = VECTORS['frame'], last_epoch()
    key = sframe.key_of(epoch, epoch.kid(CARDS['alice'].member, VIDEO, 7))
    frame = sframe.protect(key, 300, b'picture')
    check_members({'kid': key.kid, 'counter': 300, 'plaintext': 'picture', 'frame': frame},
                  vector)
    assert sframe.unprotect(lambda kid: sframe.key_of(epoch, kid), frame) == (
        b'picture', key.kid, 300)


def test_packet():
    vector, epoch = VECTORS['packet'], last_epoch()
    key = sframe.key_of(epoch, epoch.kid(CARDS['carol'].member, AUDIO, 1))
    packet = sframe.protect_rtp(key, 0, octets(vector['rtp']))
    check_members({'kid': key.kid, 'counter': 0, 'rtp': vector['rtp'], 'packet': packet}, vector)
    assert sframe.open_rtp(epoch, packet) == (b'\xc0sound', key.kid)


def test_rfc9605_headers():
    for vector in RFC9605['header']:
        equal(sframe.write_header(vector['kid'], vector['ctr']), vector['encoded'])
        reader = Reader(octets(vector['encoded']))
        assert sframe.read_header(reader) == (vector['kid'], vector['ctr'])
        reader.end()


def test_rfc9605_counter_mode_with_mac():
    for vector in RFC9605['aes_ctr_hmac']:
        suite = sframe.SUITES[vector['cipher_suite']]
        check_aead(suite.aead(octets(vector['key'])), vector)
        equal(vector['enc_key'] + vector['auth_key'], vector['key'])


def check_aead(aead, vector):
    nonce, aad, plaintext = (octets(vector[name]) for name in ('nonce', 'aad', 'pt'))
    equal(aead.encrypt(nonce, plaintext, aad), vector['ct'])
    equal(aead.decrypt(nonce, octets(vector['ct']), aad), vector['pt'])


def test_rfc9605_frames():
    """Of all suites, AES-GCM among them."""
    assert [vector['cipher_suite'] for vector in RFC9605['sframe']] == [1, 2, 3, 4, 5]
    for vector in RFC9605['sframe']:
        key = sframe.Key(vector['cipher_suite'], octets(vector['base_key']), vector['kid'])
        equal(key.key, vector['sframe_key'])
        equal(key.salt, vector['sframe_salt'])
        equal(key.nonce(vector['ctr']), vector['nonce'])
        metadata = octets(vector['metadata'])
        frame = sframe.protect(key, vector['ctr'], octets(vector['pt']), metadata)
        equal(frame, vector['ct'])
        assert sframe.unprotect(lambda _, key=key: key, frame, metadata) == (
            octets(vector['pt']), vector['kid'], vector['ctr'])


if __name__ == '__main__':
    sys.exit(tap.run('vectors', globals(), *sys.argv[1:]))
