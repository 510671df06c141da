"""The values that docs/protocol.md gives, and what it says of single parts."""

import json
import os
import sys

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
from cryptography.hazmat.primitives.asymmetric import x25519

import sframe
import verification
from epoch import Epoch
from group import (
    APPENDED, FETCH, FLUSH, FLUSHED, HERE, PREPARE, REFUSED, Lineage, Member, Proposal)
from primitives import LOW_ORDER, derive
from wire import Malformed, Reader, u8, u64

VECTORS = os.path.join(os.path.dirname(__file__), '..', 'vectors', 'rfc9605.json')
MEMBERS = [(0x0102030405060708, b'\xaa' * 32), (0x1112131415161718, b'\xbb' * 32)]


def documented_epoch():
    return Epoch(5, 3, bytes([3, 5, 4, 4, 4]), MEMBERS, bytes(range(32)))


def test_epoch_has_the_documents_keys():
    epoch = documented_epoch()
    assert epoch.context.hex() == (
        '43c3bded2c758b31ddedc09ae61a36df8790da9369e69c50d9a6522b9c8221b9')
    assert epoch.base_key(0x501007).hex() == (
        'b1418a257e3d574a97afcec57cfc35e01bafe07435e53d9ca65c33e5c77d1d0f')
    assert epoch.base_key(0x500400).hex() == '8c125121f128548c51f38acf58da4e71'
    assert derive(epoch.media, 'srtp key', u64(0x501007), 28).hex() == (
        'c2edc1e5d36ce35336779078362be06666be0bd77fc9cd37777e8f49')
    assert epoch.confirmation.hex() == (
        'f2c4d5a0b02a028c1d1ca0ec482bddaee037d74210fab66807279a3637c2ba5d')
    assert epoch.export('recording', b'a', 32).hex() == (
        'd9d7b45a3b20751434fb27098827ca3b843c70ecfe3b51c6bf098319ee93f88f')


def test_verification_code_is_the_documents():
    numbers = [b'\x01' * 32, b'\x02' * 32]
    assert verification.commitment(5, MEMBERS[0][0], numbers[0]).hex() == (
        '3c766543788b223327a11e9edcc341af4fcfcd81f8fb568a04bb208613feb017')
    assert verification.code(documented_epoch(), b'\xcc' * 32, numbers) == '755 831 677'


def test_public_keys_of_low_order_give_nothing():
    assert len(LOW_ORDER) == 7
    for value in LOW_ORDER:
        public = x25519.X25519PublicKey.from_public_bytes(value.to_bytes(32, 'little'))
        try:
            x25519.X25519PrivateKey.generate().exchange(public)
        except ValueError:
            continue
        raise AssertionError(f'{value} is not of low order')


def ends_by_out(leaving, out, view=(7, 1)):
    member = Member(2, lambda *_: None)
    member.view_id, member.members, member.leaving = view, (1, 2), leaving
    member.take_out(Reader(out))
    return member.ended


def test_leaver_ends_by_out_of_a_later_primary_view():
    def out(number, primary):
        return u64(number) + u64(1) + u8(primary) + u8(0)
    assert ends_by_out(True, out(8, True))
    assert not ends_by_out(True, out(8, False))
    assert not ends_by_out(True, out(7, True))
    assert not ends_by_out(False, out(8, True))


def test_leaver_that_nobody_answers_ends_by_time():
    member = Member(2, lambda *_: None)
    member.view_id, member.members = (7, 1), (1, 2)
    member.tick(100)
    member.leave()
    member.tick(105)
    member.leave()                      # as in each view that comes meanwhile
    member.tick(109.9)
    assert not member.ended
    member.tick(110)
    assert member.events == [('end', 'left')]
    member.tick(130)
    assert len(member.events) == 1


def of_change(kind, attempt):
    """The begin of a message of an attempt to change view (7, 1)."""
    return u8(kind) + u64(7) + u64(1) + u64(attempt[0]) + u64(attempt[1])


def flush(number, coordinator):
    return of_change(FLUSH, (number, coordinator)) + u8(0)


def test_attempt_is_kept_until_it_is_its_coordinators_turn():
    silence, said = {1: 0.1}, []
    member = Member(3, lambda to, message: said.append((to, message[0])),
                    lambda other: silence.get(other, 0))
    member.view_id, member.members = (7, 1), (1, 2, 3)
    member.tick(0)
    member.receive(2, flush(8, 2))
    member.receive(2, flush(9, 1))          # not its own
    member.tick(1)
    assert not said
    silence[1] = 0.5                        # more than half of what means a crash
    member.tick(2)
    assert said == [(2, FLUSHED)] and member.promised == (8, 2)
    member.tick(3)
    member.receive(1, flush(7, 1))          # a smaller one
    assert said[1:] == [(1, REFUSED)]
    member.receive(1, flush(9, 1))
    assert said[2:] == [(1, FLUSHED)] and member.promised == (9, 1)
    member.receive(2, of_change(FETCH, (8, 2)) + u64(0) * 3)
    assert said[3:] == [(2, REFUSED)]


def test_what_is_appended_to_a_proposal_held_ready_outlives_the_next_attempt():
    member = Member(3, lambda *_: None, {1: 0, 2: 0, 4: 0}.get)
    member.view_id, member.members = (7, 1), (1, 2, 3, 4)
    proposal = Proposal((8, 1), False, 0, 1, (1, 2, 3, 4), (), (), (1, 2, 3, 4), (), (),
                        Lineage())
    member.receive(1, flush(8, 1))
    member.receive(1, of_change(APPENDED, (8, 1)) + u8(1) + u8(0) + b'appended')
    member.receive(1, of_change(PREPARE, (8, 1)) + proposal.encode())
    member.receive(1, flush(9, 1))
    member.receive(4, u8(HERE) + u64(8) + u64(1) + u8(0))   # it has been committed
    assert member.events == [('message', 2, b'appended'), ('view', 8, (1, 2, 3, 4), ())]


def test_sframe_headers_are_those_of_the_rfc():
    with open(VECTORS, encoding='utf-8') as file:
        vectors = json.load(file)
    assert vectors['header']
    for vector in vectors['header']:
        encoded = bytes.fromhex(vector['encoded'])
        assert sframe.write_header(vector['kid'], vector['ctr']) == encoded
        assert sframe.read_header(encoded) == (vector['kid'], vector['ctr'], len(encoded))


def test_protected_rtp_opens_and_altered_header_does_not():
    epoch = documented_epoch()
    key = sframe.key_of(epoch, epoch.kid(MEMBERS[1][0], 0, 7))
    packet = b'\x80\x60\0\1\0\0\0\2\0\0\0\3' + b'picture'
    guarded = sframe.protect_rtp(key, 300, packet)
    assert sframe.open_rtp(epoch, guarded) == (b'picture', 0x501007)
    try:
        sframe.open_rtp(epoch, guarded[:3] + b'\2' + guarded[4:])
    except Malformed:
        return
    raise AssertionError('an altered RTP header was not noticed')


if __name__ == '__main__':
    sys.exit(tap.run('document', globals()))
