"""What docs/protocol.md says of values, limits and malformed input: usage: test_document.py"""

import os
import random
import sys
from datetime import datetime, timedelta, timezone
from functools import partial

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
import command
import sframe
import views
from address import read_address, write_address
from attempt import Flushed
from card import Card, Share
from channel import Channel
from cryptography import x509 as certificates
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from datagram import ANSWER, Datagram
from epoch import Epoch, read_policy
from group import JOINING_TIMEOUT
from handshake import INVITER, WELCOME, make_hello, seal_message
from invitee import MOST_OF_NETWORK
from link import SealedLink
from liveness import Liveness
from log import MembershipLog, check_log
from messages import (APPENDED, CARD, COMMIT, FETCH, FLUSH, FLUSHED, HERE, LEAVE, MISSING, ORDER,
                      PREPARE, PREPARED, REFUSED, SHOWN, STABLE, SUBMIT, write_message)
from pieces import AHEAD, LATER, MORE, OMITTED, SAFE, Assembler, Piece, Rows, cut, read_piece
from primitives import LOW_ORDER, agree, derive, expand, is_signature_key, public_of
from refusal import (CERTIFICATE, CONFERENCE, DENIED, EXPIRED, PROTOCOL, SIGNATURE, STATE,
                     UNTRUSTED, Refused)
from scripted import ADDRESS, Alice, identity
from segments import Incoming
from verification import code, commitment
from views import Doubtful, Lineage, Proposal, ViewId, read_ids, write_ids
from vtkd import Vtkd
from vtkd_messages import KEYS, OVERDUE, REFRESH, SHARE, Said
from wire import (Malformed, Reader, u8, u16, u24, u32, u64, vector8, vector16, vector24)
from x509 import certify, is_name

octets = bytes.fromhex
ALICE = identity('alice')


def refuses(call, *arguments):
    """The code with which it refuses, or Malformed."""
    try:
        call(*arguments)
    except Malformed:
        return Malformed
    except Refused as refused:
        return refused.code
    raise AssertionError(f'{call} took {arguments}')


def is_malformed(read, message):
    """Whether it and each beginning of it, and more than it, is refused; not so @message."""
    def read_all(part):
        reader = Reader(part)
        read(reader)
        reader.end()
    read_all(message)
    return all(refuses(read_all, part) is Malformed for part in
               (*(message[:size] for size in range(len(message))), message + b'x'))


# --- 1 Notation and datagrams ---

def test_reader_is_bounded():
    for read, size in ((Reader.u8, 1), (Reader.u16, 2), (Reader.u24, 3), (Reader.u32, 4),
                       (Reader.u64, 8)):
        assert is_malformed(read, bytes(size))
    for read, vector in ((Reader.vector8, vector8), (Reader.vector16, vector16),
                         (Reader.vector24, vector24)):
        assert is_malformed(read, vector(b'abc'))
        assert refuses(read, Reader(vector(b'abc')), 2) is Malformed
    assert refuses(Reader(u8(2)).boolean) is Malformed
    assert (u8(1), u16(1), u24(1), u32(1), u64(1)) == tuple(
        bytes(size - 1) + b'\1' for size in (1, 2, 3, 4, 8))


def test_other_datagrams_are_dropped():
    alice = Alice()
    for first in range(256):
        for rest in (b'', b'x', bytes(40), os.urandom(1199)):
            assert not alice.send(u8(first) + rest)
    assert not alice.send(b'')
    assert len(alice.peer.media) == 4 * 64      # 128 to 191 are RTP


# --- 2 Primitives, names and certificates ---

def test_derivation_is_labelled():
    info = u16(5) + vector8(b'BRAVIS 1.0 pair') + vector16(b'context')
    assert derive(b'secret', 'pair', b'context', 5) == expand(b'secret', info, 5)


def test_low_order_is_refused():
    assert len(LOW_ORDER) == 7
    for value in LOW_ORDER:
        for high in (0, 2**255):
            public = (value + high).to_bytes(32, 'little')
            assert refuses(agree, os.urandom(32), public) is Malformed
    assert octets('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800') in {
        value.to_bytes(32, 'little') for value in LOW_ORDER}


def test_names():
    for good in (b'a@b', b'a.b-c_d+e@x-1.example.org', b'u' * 126 + b'@d'):
        assert is_name(good), good
    for bad in (b'', b'a', b'@b', b'a@', b'a@b@c', b'a@b..c', b'a@.b', b'a@b.', b'a b@c',
                b'a@b_c', b'a@b\n', 'ä@b'.encode(), b'u' * 127 + b'@d'):
        assert not is_name(bad), bad


class Authority:
    """Issues what a test asks for."""

    def __init__(self, issuer=None, **extensions):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (issuer or self).issue(
            'authority', self.key.public_key(), **{'authority': True, **extensions})

    def issue(self, name, key, authority=False, path_length=None, uris=(), signing=True,
              days=(-1, 1), strength=hashes.SHA256()):
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        subject = certificates.Name([certificates.NameAttribute(
            certificates.NameOID.COMMON_NAME, name)]) if name != 'authority' else self._name()
        builder = certificates.CertificateBuilder(
            self._name(), subject, key, certificates.random_serial_number(),
            now + timedelta(days[0]), now + timedelta(days[1]))
        builder = builder.add_extension(
            certificates.BasicConstraints(authority, path_length), True)
        builder = builder.add_extension(certificates.KeyUsage(
            signing, False, False, False, False, authority, authority, False, False), True)
        if uris:
            builder = builder.add_extension(certificates.SubjectAlternativeName(
                [certificates.UniformResourceIdentifier(uri) for uri in uris]), False)
        return builder.sign(self.key, strength)

    @staticmethod
    def _name():
        return certificates.Name([certificates.NameAttribute(
            certificates.NameOID.COMMON_NAME, 'authority')])


KEY = ec.generate_private_key(ec.SECP256R1()).public_key()


def chain_of(*them):
    return b''.join(vector24(one.public_bytes(Encoding.DER)) for one in them)


def judge(root, *others, **asked):
    """The code for a certificate of @root, or of the last of @others below it."""
    issuer = others[-1] if others else root
    arguments = {'uris': ['sip:eve@example.org'], **asked}
    one = issuer.issue('eve', arguments.pop('key', KEY), **arguments)
    chain = chain_of(one, *(other.certificate for other in others[::-1]))
    try:
        return certify(chain, [root.certificate]).name
    except Refused as refused:
        return refused.code


def test_chains():
    root = Authority()
    below = Authority(root)
    assert judge(root) == judge(root, below) == b'eve@example.org'
    assert judge(root, uris=['sip:eve@example.org', 'http://x']) == b'eve@example.org'
    for asked in ({'uris': []}, {'uris': ['sip:a@b', 'sip:c@d']}, {'uris': ['sip:eve']},
                  {'authority': True}, {'signing': False},
                  {'key': ec.generate_private_key(ec.SECP224R1()).public_key()}):
        assert judge(root, **asked) == CERTIFICATE, asked
    assert judge(root, days=(-2, -1)) == judge(root, days=(1, 2)) == EXPIRED
    other = Authority()
    assert refuses(certify, chain_of(root.issue('eve', KEY, uris=['sip:a@b'])),
                   [other.certificate]) == UNTRUSTED


def test_chains_of_many():
    root = Authority()
    narrow = Authority(root, path_length=0)
    assert judge(root, narrow) == b'eve@example.org'
    assert judge(root, narrow, Authority(narrow)) == CERTIFICATE
    assert judge(Authority(path_length=0), narrow) in (CERTIFICATE, UNTRUSTED)
    long = [Authority(root)]
    while len(long) < 5:
        long.append(Authority(long[-1]))
    assert judge(root, *long[:4]) == b'eve@example.org'
    assert judge(root, *long) == CERTIFICATE
    for bad in (b'', b'abc', vector24(b'abc'), bytes(12289), ALICE.chain + b'x'):
        assert refuses(certify, bad, ALICE.trust) == CERTIFICATE


def test_trusted_certificate_ends_the_chain():
    root = Authority()
    own = root.issue('eve', KEY, uris=['sip:eve@example.org'])
    assert certify(chain_of(own), [own]).name == b'eve@example.org'
    assert certify(chain_of(own, root.certificate, own), [root.certificate]).key


def test_kinds_of_keys():
    assert is_signature_key(rsa.generate_private_key(65537, 2048).public_key())
    for curve in (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1):
        assert is_signature_key(ec.generate_private_key(curve()).public_key())
    assert not is_signature_key(ec.generate_private_key(ec.SECP256K1()).public_key())


# --- 3 Cards, shares and sealed links ---

def test_shares():
    card, _ = Card.make(ALICE, b'x', 1)
    later = Share.make(card, 2, os.urandom(32), ALICE.key)
    for share in (card.share, later):
        assert share.is_of(card) and is_malformed(Share.read, share.write())
    low = (1).to_bytes(32, 'little')
    for bad in (later._replace(serial=0), later._replace(serial=1), later._replace(public=low),
                later._replace(signature=b''), card.share._replace(serial=2),
                later._replace(signature=bytes(513))):
        assert refuses(Share.read, Reader(bad.write())) is Malformed
    assert not later._replace(serial=3).is_of(card)
    assert not card.share._replace(public=later.public).is_of(card)


def test_cards():
    card, _ = Card.make(ALICE, b'x', 1)
    def verify(made, conference=b'x'):
        return Card(made).verify(conference, ALICE.trust)
    assert verify(card.octets).name == b'alice@example.org'
    low, start = (1).to_bytes(32, 'little'), 1 + 2 + 16
    for bad in (card.octets + b'x', card.octets[:-1], b'\2' + card.octets[1:], bytes(16385),
                card.octets[:3] + bytes(8) + card.octets[11:],
                card.octets[:start] + low + card.octets[start + 32:],
                card.octets[:start + 32] + low + card.octets[start + 64:]):
        assert refuses(Card, bad) == PROTOCOL
    assert refuses(verify, card.octets, b'y') == CONFERENCE
    assert refuses(verify, card.octets[:-1] + bytes((card.octets[-1] ^ 1,))) == SIGNATURE


def test_card_is_verified_by_a_later_share():
    card, _ = Card.make(ALICE, b'x', 1)
    later = Share.make(card, 2, os.urandom(32), ALICE.key)
    unsigned = Card(card.octets[:-1] + bytes((card.octets[-1] ^ 1,)))
    assert refuses(unsigned.verify, b'x', ALICE.trust, later) == SIGNATURE
    assert Card(card.octets).verify(b'x', ALICE.trust, later)
    assert refuses(Card(card.octets).verify, b'x', ALICE.trust,
                   later._replace(serial=3)) == SIGNATURE
    other = card.share._replace(public=later.public)
    assert refuses(Card(card.octets).verify, b'x', ALICE.trust, other) == SIGNATURE


def test_sealed_link_drops():
    (one, mine), (two, other) = (Card.make(identity(name), b'x', 1) for name in ('alice', 'bob'))
    sender, receiver = SealedLink(one, mine.link, two), SealedLink(two, other.link, one)
    datagrams = [sender.seal(b'%d' % number) for number in range(1, 1100)]
    assert len(datagrams[0]) == 33 + 1
    assert receiver.open(datagrams[1030]) == (b'1031', True)
    assert receiver.open(datagrams[1029]) == (b'1030', False)
    for bad in (datagrams[1030],                        # again
                datagrams[1031 - 1024 - 1],             # 1024 below
                datagrams[1040][:32], datagrams[1040][:-1] + b'x', datagrams[1040] + b'x',
                b'\xc3' + datagrams[1040][1:],          # another first octet
                datagrams[1040][:9] + u64(0) + datagrams[1040][17:],
                u8(193) + u64(two.member) + datagrams[1040][9:]):
        assert refuses(receiver.open, bad) is Malformed
    assert receiver.highest == 1031
    assert receiver.open(datagrams[1031 - 1024]) == (b'8', False)


# --- 4 Handshake ---

def test_hello_and_its_answers():
    alice = Alice()
    assert len(alice.hello) == 123
    cookie, = alice.send(alice.hello)
    assert len(cookie) == 42 and cookie[:2] == b'\xc0\2'
    reply = alice.say_hello()
    assert len(reply) == 106 and reply[:2] == b'\xc0\3'
    assert not alice.send(alice.hello)                  # at most every 50 ms
    alice.now += 0.06
    assert alice.send(alice.hello) == [reply]


def test_hello_that_gets_no_answer():
    alice = Alice()
    other = make_hello(b'another', 7, bytes(32), public_of(os.urandom(32)))
    for bad in (alice.hello[:-1], alice.hello + b'x', b'\xc0\1\2' + alice.hello[3:], other):
        assert not alice.send(bad)
    alice.say_hello()
    changed = make_hello(b'document', alice.number, bytes(32), public_of(alice.private))
    cookie, = alice.send(changed)
    assert not alice.send(changed[:91] + cookie[10:])   # it is known, and was another


def test_cookie_is_good_for_one_address_and_for_10_s():
    alice = Alice()
    cookie, = alice.send(alice.hello)
    hello = alice.hello[:91] + cookie[10:]
    again, = alice.send(hello, address=('127.0.0.8', 9000))
    assert again[1] == 2
    again, = alice.send(hello, address=(ADDRESS[0], 9001))
    assert again[1] == 2
    alice.now += 10.1
    again, = alice.send(hello)
    assert again[1] == 2


def test_low_order_hello_is_dropped():
    alice = Alice()
    alice.hello = make_hello(b'document', 7, bytes(32), bytes(32))
    cookie, = alice.send(alice.hello)
    assert not alice.send(alice.hello[:91] + cookie[10:])


def test_unproven_handshakes_are_few():
    alice = Alice()
    hellos = [make_hello(b'document', number, bytes(32), public_of(os.urandom(32)))
              for number in range(MOST_OF_NETWORK + 1)]
    def knock(hello):
        cookie, = alice.send(hello)
        reply, = alice.send(hello[:91] + cookie[10:])
        return reply
    replies = [knock(hello) for hello in hellos]
    alice.now += 0.06
    assert knock(hellos[-1]) == replies[-1]
    assert knock(hellos[0]) != replies[0]               # the oldest was forgotten


def test_pieces_of_a_proof():
    alice = Alice()
    pieces = alice.prove()
    forged = pieces[0][:-1] + bytes((pieces[0][-1] ^ 1,))
    other = seal_message(INVITER, 8, bytes(32), b'x')
    assert not alice.send(forged, *other, pieces[0][:31], pieces[0][:16])
    proof = alice.send(*pieces)
    alice.take_proof(proof)
    assert alice.bob.name == b'bob@example.org'


def test_invitee_says_it_again_after_pauses():
    alice = Alice()
    proof = alice.send(*alice.prove())
    said, times = alice.now, []
    for _ in range(2600):
        if alice.tick(0.001):
            times.append(round(1000 * (alice.now - said)))
    pauses = [after - before for before, after in zip([0] + times, times)]
    for pause, wanted in zip(pauses, (100, 150, 225, 337, 500, 500, 500)):
        assert abs(pause - wanted) <= 3, pauses
    assert proof


def test_inviter_is_refused():
    alice = Alice(may_invite=lambda name: False)
    refusal = alice.send(*alice.prove())
    assert alice.refusal(refusal) == DENIED
    for proof, wanted in ((b'x', PROTOCOL), (vector24(b'x') + vector16(b'') + bytes(32), PROTOCOL)):
        alice = Alice()
        alice.prove()
        assert alice.refusal(alice.send(*alice.seal(INVITER, proof))) == wanted


def test_roster_is_verified():
    for change, wanted in (
            (lambda roster: roster[:-1], PROTOCOL), (lambda roster: roster + b'x', PROTOCOL),
            (lambda roster: b'\2' + roster[1:], PROTOCOL),
            (lambda roster: b'\1\2' + roster[2:], PROTOCOL),
            (lambda roster: roster[:6] + b'\0', PROTOCOL),
            (lambda roster: roster[:-34] + os.urandom(32) + roster[-2:], SIGNATURE)):
        alice = Alice()
        alice.take_proof(alice.send(*alice.prove()))
        assert alice.refusal(alice.send(*alice.seal(WELCOME, change(alice.roster())))) == wanted
        assert not alice.peer.cards and alice.peer.group is None


def test_ready_is_said_again_when_it_is_asked_for():
    alice = Alice()
    alice.welcome()
    alice.now += 0.06
    ready = alice.send(*alice.welcome_datagrams)
    assert [one[1] for one in ready] == [7]
    other = Alice()
    other.peer, other.socket = alice.peer, alice.socket
    other.now = alice.now
    other.number, other.hello = 8, make_hello(b'document', 8, bytes(32),
                                              public_of(other.private))
    assert other.refusal(other.send(*other.prove())) == STATE


# --- 5 GCP: what is malformed ---

def test_link_datagrams():
    datagram = Datagram(ANSWER, 1, 100, 2, 0, 0, 3, 256, b'\5', (9, b'segment'), 1, 0)
    assert Datagram.read(datagram.write()) == datagram
    assert datagram.sacked() == {4, 6}
    assert Datagram.read(datagram._replace(segment=None).write()).segment is None
    for bad in (datagram._replace(flags=4), datagram._replace(room=257),
                datagram._replace(sack=bytes(33)), datagram._replace(segment=(9, b'')),
                datagram._replace(segment=(9, bytes(2049)))):
        assert refuses(Datagram.read, bad.write()) is Malformed
    empty = datagram._replace(segment=None).write()
    assert all(refuses(Datagram.read, empty[:size]) is Malformed for size in range(len(empty)))


def test_link_begins_anew():
    channel = Channel(3, 0, lambda octets: None, 100)
    datagram = Datagram(0, 1, 100, 2, 0, 0, 0, 256, b'', None, 5, 0)
    for bad in (datagram._replace(own=0), datagram._replace(other=2),
                datagram._replace(ack=1)):
        assert refuses(channel.receive, bad.write(), 100) is Malformed
    assert channel.receive(datagram.write(), 100)
    assert channel.receive(datagram._replace(other=3).write(), 100)
    assert refuses(channel.receive, datagram._replace(own=4).write(), 100) is Malformed
    assert not channel.receive(datagram._replace(own=6).write(), 100) and channel.other == 6


def test_stream_is_held_within_its_limits():
    incoming = Incoming()
    number = 0
    while incoming.room():
        assert incoming.take(number, bytes(2048))
        number += 1
    assert not incoming.take(number, bytes(2048))
    assert incoming.next * 2048 < 65539 + 2048
    while incoming.peek() is not None:
        incoming.pop()
    assert incoming.room() == 33                        # as many as may be 2048 octets long
    incoming = Incoming()
    incoming.take(0, u24(65537))
    assert refuses(incoming.peek) is Malformed          # broken
    assert not incoming.take(256, b'x') and incoming.take(1, b'x')
    assert not incoming.take(3, b'x') and incoming.sack() == b'\1'


def test_silence():
    """As 5.2 computes it, for an interval of 100 ms."""
    liveness = Liveness()
    assert abs(liveness.loss - 0.01) < 1e-9
    assert abs(liveness.silence(0.01) - (0.5 + 0.01 + 4 * 0.1)) < 1e-9
    for number in range(1, 2000, 2):
        liveness.hear(number)
    assert 0.3 < liveness.loss <= 0.5 and liveness.silence(0.4) == 1.5
    for number in range(1800, 2000, 2):
        liveness.hear(number)                           # late, not lost
    assert liveness.loss < 0.25


def a_proposal(**changes):
    return Proposal(ViewId(3, 1), True, 4, 5, (1, 2), ((3, 1),), (4,), (1, 2), (), (5,),
                    Lineage(ViewId(2, 1), (1, 2, 3), (Doubtful(ViewId(3, 2), (1,), (2,)),))
                    )._replace(**changes)


def test_ids_proposals_and_lineages():
    assert is_malformed(read_ids, write_ids((1, 2)))
    for bad in (write_ids((1, 1)), write_ids((0,)), write_ids(range(1, 130))):
        assert refuses(read_ids, Reader(bad)) is Malformed
    proposal = a_proposal()
    assert Proposal.read(Reader(proposal.write())) == proposal
    assert is_malformed(Proposal.read, proposal.write())
    many = tuple(range(1, 101))
    for bad in (proposal._replace(departures=((3, 3),)), proposal._replace(
            departures=((3, 1), (3, 1))), proposal._replace(acking=many, others=many),
            proposal._replace(lineage=Lineage(ViewId(0, 0), ()))):
        assert refuses(Proposal.read, Reader(bad.write())) is Malformed
    lineage = Lineage(ViewId(2, 1), (1,), None)
    assert lineage.write()[-1] == 255 and Lineage.read(Reader(lineage.write())) == lineage
    assert refuses(Lineage.read, Reader(lineage.write()[:-1] + u8(17))) is Malformed


def test_flushed():
    message = (u64(1) + u64(2) + u32(3) + u8(1) + bytes(32) + u64(4)
               + Lineage(ViewId(1, 1), (1,)).write())
    flushed = Flushed.read(Reader(message))
    assert (flushed.held, flushed.own, flushed.unordered, flushed.leaving) == (1, 2, 3, True)
    assert flushed.ready_view == ViewId(0, 0) and flushed.greatest == 4
    for size in range(len(message)):
        assert refuses(Flushed.read, Reader(message[:size])) is Malformed


def test_quorums():
    assert views.is_quorum((1, 2), (1, 2, 3)) and not views.is_quorum((1,), (1, 2, 3))
    assert views.is_quorum((1,), (1, 2)) and not views.is_quorum((2,), (1, 2))
    lineage = Lineage(ViewId(5, 1), (1, 2, 3), (Doubtful(ViewId(6, 1), (1, 4, 5), (1, 2)),))
    assert not lineage.allows_new((2, 3), ())           # none of what is in doubt
    assert lineage.allows_new((2, 3), (4, 5))           # newcomers count there
    assert lineage.allows_new((1, 2), ())               # all its holders are there
    assert not lineage.allows_new((1,), (4, 5))
    assert not lineage._replace(doubtful=None).allows_new((1, 2, 3), ())
    assert not lineage.allows_again(ViewId(4, 1), (1, 2, 3))
    assert lineage.allows_again(ViewId(7, 1), (1, 2))
    assert not lineage.allows_again(ViewId(7, 1), (2, 3))
    assert Lineage.read(Reader(lineage._replace(formed=ViewId(6, 1)).write())).doubtful == ()


def test_lineages_come_together():
    doubtful = [Doubtful(ViewId(number, 1), (1,), (2,)) for number in (2, 4, 6)]
    one = Lineage(ViewId(1, 1), (1, 2), tuple(doubtful[:2]))
    two = Lineage(ViewId(3, 1), (1, 3), tuple(doubtful[2:]))
    merged = Lineage.merge([one, two], ViewId(3, 1), (1, 3))
    assert merged == Lineage(ViewId(3, 1), (1, 3), tuple(doubtful[1:]))
    assert Lineage.merge([one, two], ViewId(5, 1), (2,)).doubtful == (doubtful[2],)
    assert Lineage.merge([one._replace(doubtful=None), two], ViewId(3, 1), ()).doubtful
    assert Lineage.merge([one, two._replace(doubtful=None)], ViewId(3, 1), ()).doubtful is None


def test_pieces():
    pieces = cut(bytes(10000), True, True)
    assert [len(piece.payload) for piece in pieces] == [4096, 4096, 1808]
    assert [piece.flags for piece in pieces] == [MORE | AHEAD, MORE | AHEAD | LATER,
                                                 SAFE | AHEAD | LATER]
    assert cut(b'', False, False) == [Piece(0, b'')]
    for bad in (u8(32), u8(OMITTED), u8(0) + bytes(4097)):
        assert refuses(read_piece, Reader(bad)) is Malformed


def test_pieces_are_put_together():
    assembler = Assembler()
    assert assembler.add(1, Piece(LATER, b'x')) is None         # of nothing
    assert assembler.add(1, Piece(MORE, b'a')) is None
    assert assembler.add(1, Piece(AHEAD, b'z')) == b'z'         # another row
    assert assembler.add(2, Piece(MORE, b'y')) is None
    assert assembler.add(1, Piece(LATER, b'b')) == b'ab'
    assert assembler.add(2, Piece(0, b'c')) == b'c'             # ends what was begun
    assert assembler.add(2, Piece(LATER, b'd')) is None
    assembler.add(1, Piece(MORE, b''))
    for _ in range(256):
        assembler.add(1, Piece(MORE | LATER, bytes(4096)))
    assert assembler.add(1, Piece(LATER, b'too long')) is None
    assert assembler.add(1, Piece(0, b'')) == b''


def test_rows():
    rows = Rows()
    rows.add(bytes(200000), False, False)
    while rows.submit():
        pass
    assert len(rows.submitted) == 32                    # 131 072 octets, 64 more for each
    rows.add(b'ahead', False, True)
    for _ in range(5):
        rows.note_delivered(rows.take_ordered())
    assert rows.submit().payload == b'ahead'
    rows.take_back(list(rows.submitted), False)
    assert rows.submit().payload == b'ahead' and rows.submit().flags & LATER
    rows.take_back(list(rows.submitted), True)
    assert rows.submit().payload == b'ahead'
    assert rows.submit().flags == MORE                  # the whole message again


# --- 5 GCP: a joiner and a member ---

def test_joiner_ends_by_time():
    alice = Alice()
    alice.welcome()
    alice.tick(JOINING_TIMEOUT - 0.1)
    assert not alice.peer.over
    alice.tick(0.1)
    assert alice.peer.over and alice.peer.why == 'not admitted'


def test_joiner_takes_no_other_proposal():
    for changes in ({'members': (7,)}, {'members': (1, 2)}):
        alice = Alice()
        alice.welcome()
        assert not alice.exchange(alice.propose(**changes))
        assert not alice.peer.views


def test_joiner_refuses_a_card_of_another():
    alice = Alice()
    alice.welcome()
    one = ViewId(1, alice.card.member)
    alice.exchange(write_message(CARD, one, ViewId(2, alice.card.member),
                                 u64(5) + alice.card.octets))
    assert alice.peer.group.why == 'a card that cannot be accepted'


def test_member_is_brought_in_by_commit_or_by_here():
    alice = Alice()
    alice.bring_in()
    assert alice.peer.views == [(alice.view, (alice.card.member, alice.bob.member))]
    alice = Alice()
    alice.welcome()
    alice.exchange(alice.propose())
    early = alice.exchange(write_message(HERE, ViewId(9, 9), None, u8(1)))
    assert not alice.peer.views and not early           # of a view that nobody proposed
    alice = Alice()
    alice.welcome()
    alice.exchange(alice.propose(), write_message(HERE, alice.attempt, None, u8(1)))
    assert alice.peer.views


def test_orders_are_taken_in_sequence():
    alice = Alice()
    alice.bring_in()
    alice.order(u8(23) + b'one')
    alice.sequence += 1
    alice.order(u8(23) + b'three')
    alice.sequence = 1
    alice.order(u8(23) + b'two')
    alice.sequence = 1
    alice.order(u8(23) + b'two again')
    assert [message for _, message in alice.peer.messages] == [b'one', b'two']


def test_safe_message_waits_until_it_is_stable():
    alice = Alice()
    alice.bring_in()
    receipts = alice.order(u8(23) + b'safe', safe=True)
    assert not alice.peer.messages and receipts
    alice.order(u8(23) + b'agreed')
    assert not alice.peer.messages
    alice.exchange(write_message(STABLE, alice.view, None, u64(1)))
    assert [message for _, message in alice.peer.messages] == [b'safe', b'agreed']


def flush(alice, number):
    attempt = ViewId(number, alice.card.member)
    return {one.kind: one for one in alice.exchange(
        write_message(FLUSH, alice.view, attempt, write_ids(())))}, attempt


def test_attempts():
    alice = Alice()
    alice.bring_in()
    answers, attempt = flush(alice, 3)
    assert FLUSHED in answers and answers[FLUSHED].attempt == attempt
    assert REFUSED in flush(alice, 3)[0]
    assert not flush(alice, 2**33)[0]                   # farther than 2^32
    answers = {one.kind for one in alice.exchange(write_message(
        FETCH, alice.view, ViewId(2, alice.card.member), u64(0) + bytes(16)))}
    assert REFUSED in answers
    answers = {one.kind: one for one in alice.exchange(
        write_message(FETCH, alice.view, attempt, u64(0) + bytes(16)))}
    assert answers[SHOWN].body.rest()[-1] == 0
    alice.exchange(write_message(ORDER, alice.view, None, u64(1) + u8(0) + u8(0) + b'\x17x'))
    assert not alice.peer.messages                      # stopped


def test_proposal_that_is_not_held_ready():
    for changes in ({'cut': 1}, {'appended': 1}, {'acking': (7,)}, {'view': ViewId(9, 9)},
                    {'view': ViewId(1, 1)}, {'members': (7,)}, {'others': (7,)}):
        alice = Alice()
        alice.bring_in()
        _, attempt = flush(alice, 3)
        members = alice.card.member, alice.bob.member
        proposal = a_proposal(view=attempt, cut=0, appended=0, members=members,
                              acking=members)._replace(**changes)
        answers = [one.kind for one in alice.exchange(
            write_message(PREPARE, alice.view, attempt, proposal.write()))]
        assert PREPARED not in answers, changes
        assert (REFUSED in answers) == ('others' in changes)


def test_message_of_an_earlier_view():
    alice = Alice()
    alice.bring_in()
    alice.view, view = ViewId(1, alice.card.member), alice.view
    assert [one.view for one in flush(alice, 9)[0].values() if one.kind == HERE] == [view]


# --- 6 VTKD ---

def test_policies():
    assert read_policy(Reader(bytes((3, 1, 5, 241, 242)))) == bytes((3, 1, 5, 241, 242))
    for bad in ((2, 4, 4, 4, 4), (3, 0, 4, 4, 4), (3, 4, 6, 4, 4), (3, 4, 4, 240, 4),
                (3, 4, 4, 4, 243)):
        assert refuses(read_policy, Reader(bytes(bad))) is Malformed


class Keys:
    """Three members of VTKD; what they say waits until a test delivers it."""

    def __init__(self, count=3):
        self.now, self.said, self.blamed, self.epochs, self.left = 0, [], [], [], False
        cards = [Card.make(identity(name), b'x', 1) for name in ('alice', 'bob', 'carol')[:count]]
        self.cards = {card.member: card for card, _ in cards}
        self.members = list(self.cards)
        self.parts = [Vtkd(identity(name), *made, self)
                      for name, made in zip(('alice', 'bob', 'carol'), cards)]

    def say(self, message, _safe):
        self.said.append(message)

    def take_epoch(self, epoch):
        self.epochs.append(epoch)

    def blame(self, member, why):
        self.blamed.append((self.members.index(member), why))

    def leave(self):
        self.left = True

    def begin(self):
        """A view; the shares that they say."""
        self.said.clear()
        for part in self.parts:
            part.install(2, self.cards)
        return self.take()

    def take(self):
        said, self.said = self.said, []
        return said

    def deliver(self, sender, message):
        for part in self.parts:
            part.deliver(self.members[sender], message)
        return self.take()

    def settle(self):
        """The VTKD_KEYS that comes."""
        for sender, share in enumerate(self.begin()):
            said = self.deliver(sender, share)
        return said[0]


def test_shares_that_are_malformed_count_as_said():
    keys = Keys()
    shares = keys.begin()
    keys.deliver(0, u8(SHARE) + b'x')
    assert set(keys.blamed) == {(0, 'says no share')}
    keys.deliver(0, shares[0])                          # has said it
    keys.deliver(1, shares[1])
    assert not keys.said
    assert keys.deliver(2, shares[2])                   # and the holder acts
    assert all(part.exchanged for part in keys.parts)


def test_words_of_who_knows_nothing():
    for said in (Said(False, 2**32, 0, bytes((3, 4, 4, 4, 4))),
                 Said(False, 0, 1, bytes((3, 4, 4, 4, 4)))):
        assert refuses(Said.read, Reader(said.write())) is Malformed
    assert refuses(Said.read, Reader(b'\2' + bytes(16) + bytes((3, 4, 4, 4, 4)))) is Malformed


def test_share_of_another_view_is_dropped():
    keys = Keys()
    shares = keys.begin()
    keys.deliver(0, u8(SHARE) + u64(1) + shares[0][9:])
    assert not keys.blamed and not keys.parts[1].exchanged


def test_greatest_numbers_are_settled():
    keys = Keys(2)
    shares = keys.begin()
    policy = bytes((3, 4, 4, 5, 4))
    keys.deliver(0, shares[0])
    share = shares[1][1 + 8 + 22:]
    keys.deliver(1, u8(SHARE) + u64(2) + Said(True, 7, 5, policy).write() + share)
    assert {(part.highest, part.version, part.policy) for part in keys.parts} == {
        (7, 5, policy)}


def test_keys_that_everybody_sees_are_wrong():
    keys = Keys()
    good = keys.settle()
    wrong = [good[:9] + u64(1) + good[17:],             # version
             good[:17] + u64(9) + good[25:],            # epoch
             good[:25] + bytes((3, 5, 4, 4, 4)) + good[30:],
             good[:30] + u32(3) + good[34:],            # serial
             good[:40] + bytes(64) + good[104:],        # signature
             good[:-48], good + b'x', good[:20]]
    for message in wrong:
        keys = Keys()
        keys.settle()
        holder = keys.parts[0].version % 3
        following = keys.deliver(holder, message)
        assert [part.version for part in keys.parts] == [1, 1, 1], message.hex()
        assert (0, 'distributes wrong keys') in keys.blamed and not keys.epochs
        assert [one[0] for one in following] == [KEYS]
    keys = Keys()
    good = keys.settle()
    keys.deliver(1, good)                               # not the holder
    assert set(keys.blamed) == {(1, 'distributes keys out of turn')} and not keys.epochs


def test_copy_that_does_not_open():
    keys = Keys()
    good = keys.settle()
    spoilt = good[:-1] + bytes((good[-1] ^ 1,))
    asked = keys.deliver(0, spoilt)
    assert asked == [u8(REFRESH) + u64(2)] and len(keys.epochs) == 2
    assert keys.blamed == [(0, 'gives another key')]
    assert {part.version for part in keys.parts} == {1}
    assert [one[0] for one in keys.deliver(2, asked[0])] == [KEYS]


def test_silent_members():
    keys = Keys()
    shares = keys.begin()
    keys.deliver(0, shares[0])
    keys.deliver(1, shares[1])
    keys.now = 10
    for part in keys.parts[:2]:
        part.tick()
    accusation = u8(OVERDUE) + u64(2) + u8(0) + u64(keys.members[2])
    assert keys.take() == [accusation, accusation]
    keys.deliver(0, accusation)
    keys.deliver(0, accusation)                         # counts once
    keys.deliver(2, accusation)                         # not from whom it accuses
    assert not keys.parts[0].exchanged
    keys.deliver(1, accusation)
    assert all(part.exchanged for part in keys.parts) and keys.left


# --- 7 Group messages ---

def test_addresses():
    for address in (None, ('127.0.0.1', 5), ('::1', 65535)):
        assert read_address(Reader(write_address(address))) == address
        assert is_malformed(read_address, write_address(address))
    assert write_address(('127.0.0.1', 5)) == octets('047f0000010005')
    for bad in (b'\1', b'\4\1\2\3\4\0\0', b'\6' + bytes(18)):
        assert refuses(read_address, Reader(bad)) is Malformed


class Commanded:
    """bob's commands, as he and alice see them."""

    def __init__(self):
        self.said, self.reported, self.taken = [], [], []
        self.key = identity('bob').key
        self.own = command.Commands(b'x', 2, self.key, self)
        self.other = command.Commands(b'x', 1, ALICE.key, self)
        self.install(3)

    def install(self, view):
        self.own.install(view)
        self.other.install(view)

    def say(self, message, safe):
        assert safe
        self.said.append(message)

    def report(self, reason):
        self.reported.append(reason)

    def on_command(self, sender, kind, body):
        self.taken.append((sender, kind, body))

    def deliver(self, message, commands=None):
        (commands or self.other).deliver(2, self.key.public_key(), message)


def test_commands():
    scene = Commanded()
    scene.own.give(1, b'yes')
    scene.own.give(2, b'')
    one, two = scene.said
    scene.deliver(two)                                  # before the first
    assert scene.reported == [PROTOCOL]
    scene.deliver(one)
    scene.deliver(one)                                  # again
    assert scene.reported == [PROTOCOL, PROTOCOL]
    scene.deliver(two[:-1] + bytes((two[-1] ^ 1,)))
    assert scene.reported[2:] == [SIGNATURE]
    scene.deliver(two)
    assert scene.taken == [(2, 1, b'yes'), (2, 2, b'')]


def test_commands_after_a_view_are_signed_anew():
    scene = Commanded()
    scene.own.give(1, b'yes')
    scene.own.give(2, b'no')
    scene.deliver(scene.said[0], scene.own)
    scene.install(4)
    anew = command.Command.read(scene.said[2])
    assert (anew.view, anew.sequence, anew.body) == (4, 1, b'no')
    scene.deliver(scene.said[1], scene.own)             # of the view before
    assert not scene.reported
    other = command.Commands(b'x', 2, scene.key, scene)
    other.install(4)
    other.give(2, b'forged')
    scene.deliver(scene.said[-1], scene.own)            # in one's own name
    assert scene.reported == [SIGNATURE]
    scene.deliver(scene.said[2], scene.own)
    assert scene.taken == [(2, 1, b'yes'), (2, 2, b'no')]


def test_commands_that_are_malformed():
    good = command.Command(1, 1, 1, b'body', b'signature')
    assert command.Command.read(good.write()) == good
    for bad in (good._replace(kind=0), good._replace(kind=8), good._replace(kind=15),
                good._replace(body=bytes(4097)), good._replace(kind=6),
                good._replace(kind=7, body=bytes(9))):
        assert refuses(command.Command.read, bad.write()) is Malformed
    assert refuses(command.Command.read, good.write() + b'x') is Malformed


def test_log_is_escaped():
    lines = []
    log = MembershipLog(ALICE, lines.append)
    log.start(1, 'a b/ü')
    log.end(2, 'no\nmore')
    assert ' START a%20b%2F%C3%BC alice@example.org ' in lines[0]
    assert ' END no%0Amore\t' in lines[1]
    check_log(''.join(lines), ALICE.key.public_key())
    assert refuses(check_log, ''.join(lines[::-1]), ALICE.key.public_key()) is Malformed


# --- 8 Epochs and keys ---

FIRST, SECOND = 0x0102030405060708, 0x1112131415161718


def an_epoch(*ciphers):
    return Epoch(5, 3, bytes((3, *ciphers)), ((FIRST, b'\xaa' * 32), (SECOND, b'\xbb' * 32)),
                 bytes(range(32)))


def test_values_of_section_8():
    epoch = an_epoch(5, 4, 4, 4)
    for value, wanted in (
            (epoch.context, '43c3bded2c758b31ddedc09ae61a36df8790da9369e69c50d9a6522b9c8221b9'),
            (epoch.base_key(0x501007),
             'b1418a257e3d574a97afcec57cfc35e01bafe07435e53d9ca65c33e5c77d1d0f'),
            (epoch.base_key(0x500400), '8c125121f128548c51f38acf58da4e71'),
            (epoch.srtp_octets(0x501007, 28),
             'c2edc1e5d36ce35336779078362be06666be0bd77fc9cd37777e8f49'),
            (epoch.confirmation,
             'f2c4d5a0b02a028c1d1ca0ec482bddaee037d74210fab66807279a3637c2ba5d'),
            (epoch.export(b'recording', b'a', 32),
             'd9d7b45a3b20751434fb27098827ca3b843c70ecfe3b51c6bf098319ee93f88f'),
            (commitment(5, FIRST, b'\1' * 32),
             '3c766543788b223327a11e9edcc341af4fcfcd81f8fb568a04bb208613feb017')):
        assert value.hex() == wanted
    assert code(epoch, b'\xcc' * 32, [b'\1' * 32, b'\2' * 32]) == '755 831 677'


def test_kids():
    epoch = an_epoch(1, 5, 241, 4)
    assert epoch.kid(SECOND, 0, 7) == 0x501007 and epoch.kid(FIRST, 1, 0) == 0x500400
    assert [len(epoch.base_key(epoch.kid(FIRST, kind, 0))) for kind in range(4)] == [
        16, 32, 32, 16]
    assert [len(epoch.srtp_key(epoch.kid(FIRST, kind, 0))) for kind in range(4)] == [
        28, 44, 44, 28]
    for bad in (0x401007, 0x502007, 0x601007):
        try:
            epoch.base_key(bad)
        except KeyError:
            continue
        raise AssertionError(hex(bad))


# --- 9 Media ---

def test_frames_of_all_ciphers():
    for cipher, tag in ((1, 10), (2, 8), (3, 4), (4, 16), (5, 16), (241, 16)):
        epoch = an_epoch(cipher, 4, 4, 4)
        find = partial(sframe.key_of, epoch)
        frame = sframe.protect(find(0x501007), 300, b'picture', b'metadata')
        assert len(frame) == 1 + 3 + 2 + 7 + tag
        assert sframe.unprotect(find, frame, b'metadata') == (b'picture', 0x501007, 300)
        for bad in [frame[:size] for size in range(len(frame))] + [
                frame[:at] + bytes((frame[at] ^ 1,)) + frame[at + 1:]
                for at in range(4, len(frame))]:
            assert refuses(sframe.unprotect, find, bad, b'metadata') is Malformed
        assert refuses(sframe.unprotect, find, frame) is Malformed


def test_headers_in_their_shortest_form():
    assert sframe.write_header(7, 0) == b'\x70' and sframe.write_header(8, 255) == b'\x88\x08\xff'
    for bad in (b'\x80\x07', b'\x08\x00', b'\x99\x00\x08\x01\x00', b'\x09\x00\x09', b'\x81', b''):
        assert refuses(sframe.read_header, Reader(bad)) is Malformed


def test_rtp_payloads():
    epoch = an_epoch(5, 4, 4, 4)
    key = sframe.key_of(epoch, 0x501007)
    header = b'\x92\x61' + bytes(10) + b'csrcCSRC' + b'\xbe\xde\0\1' + b'exte'
    packet = sframe.protect_rtp(key, 0, header + b'payload')
    assert packet.startswith(header) and sframe.open_rtp(epoch, packet) == (b'payload', 0x501007)
    for bad in (b'\x52' + packet[1:], b'\xb2' + packet[1:], packet[:27], packet[:-1], b'',
                packet[:2] + b'x' + packet[3:]):
        assert refuses(sframe.open_rtp, epoch, bad) is Malformed


# --- nothing that comes raises ---

def mutations(message, rng):
    """@message, with something changed."""
    changed = bytearray(message)
    for _ in range(rng.randrange(1, 4)):
        changed[rng.randrange(len(changed))] = rng.choice((0, 1, 127, 255, rng.randrange(256)))
    return bytes(rng.choice((changed, changed, message[:rng.randrange(1, len(message) + 1)],
                             message + rng.randbytes(9))))


def test_handshake_survives_what_is_changed():
    rng = random.Random(1)
    for _ in range(30):
        alice = Alice()
        pieces = alice.prove()
        for piece in pieces * 5:
            alice.send(mutations(piece, rng), mutations(alice.hello, rng))
        alice.send(*alice.seal(INVITER, mutations(vector24(alice.card.octets), rng)))
        alice.tick(0.2)
        alice = Alice()
        alice.take_proof(alice.send(*alice.prove()))
        alice.send(*alice.seal(WELCOME, mutations(alice.roster(), rng)))
        alice.tick(0.2)


def some_messages(alice):
    """One of each, as far as they go."""
    view, attempt = alice.view, ViewId(3, alice.card.member)
    members = alice.card.member, alice.bob.member
    proposal = a_proposal(view=attempt, cut=0, appended=0, members=members, acking=members)
    ordered = u64(1) + u8(0) + u8(0) + b'\x17payload'
    for kind, body in ((ORDER, ordered), (STABLE, u64(1)), (SUBMIT, b'\0x'), (LEAVE, b''),
                       (HERE, u8(1)), (FLUSH, write_ids(())), (FETCH, u64(0) + bytes(16)),
                       (MISSING, ordered), (APPENDED, ordered[8:]),
                       (CARD, u64(members[0]) + alice.card.octets),
                       (PREPARE, proposal.write()), (COMMIT, b'')):
        yield write_message(kind, view, attempt if kind >= FLUSH else None, body)


def some_group_messages(alice):
    member, number = alice.card.member, alice.view.number
    share = alice.card.share.write()
    policy = bytes((3, 4, 4, 4, 4))
    yield u8(SHARE) + u64(number) + Said(False, 0, 0, policy).write() + share
    yield u8(KEYS) + u64(number) + u64(0) + u64(1) + policy + share + bytes(64) + u8(1) + bytes(48)
    yield u8(OVERDUE) + u64(number) + u8(0) + u64(member)
    yield (u8(16) + u64(member) + vector8(b'eve@example.org') + write_address(ADDRESS)
           + vector24(alice.card.octets))
    yield u8(17) + u64(member) + bytes(32) + u8(16) + vector16(b'text')
    yield u8(18) + u64(member)
    yield u8(20) + u64(number) + u8(1) + u64(member) + write_address(ADDRESS)
    yield u8(21) + u8(1) + u16(3) + vector16(b'a stream')
    yield u8(22) + u16(3)
    yield u8(25) + u64(1) + bytes(32)
    yield u8(26) + u64(1) + bytes(32)
    yield command.Command(number, 1, 1, b'body', b'signature').write()
    yield u8(99) + b'unknown'


def test_joiner_and_member_survive_what_is_changed():
    rng = random.Random(2)
    for _ in range(20):
        alice = Alice()
        alice.welcome()
        alice.exchange(*(mutations(alice.propose(), rng) for _ in range(5)))
        alice = Alice()
        alice.bring_in()
        for message in some_group_messages(alice):
            alice.order(mutations(message, rng))
        for message in some_messages(alice):
            alice.exchange(message if rng.random() < 0.5 else mutations(message, rng))


def test_group_messages_are_taken():
    """They are such as are changed above."""
    alice = Alice()
    alice.bring_in()
    for message in some_group_messages(alice):
        alice.order(message)
    assert alice.peer.streams.others == {} and alice.sequence == 13


def test_links_survive_what_is_changed():
    rng = random.Random(3)
    alice = Alice()
    alice.bring_in()
    datagram = Datagram(3, 900, 50, 1, 2, 3, 0, 256, b'\1', (900, b'segment'), 1, 1).write()
    for kind in (datagram, u8(2) + alice.view.write() + b'\1\0',
                 u8(3) + u8(1) + alice.view.write() + b'\1\2' + u64(5), u8(4) + bytes(30), b'\5'):
        for _ in range(100):
            alice.send(alice.link.seal(mutations(kind, rng)))
            alice.tick(0.001)


if __name__ == '__main__':
    sys.exit(tap.run('document', globals(), *sys.argv[1:]))
