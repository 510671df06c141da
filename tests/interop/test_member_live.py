"""A peer made by docs/protocol.md is a member among peers of the C implementation, over
UDP: usage: test_member_live.py BRAVIS NET_PEER"""

import sys
import tempfile

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
from group import JOINING_TIMEOUT
from meeting import Meeting, full, last_view, logged, message_of, net_peer, wait_for_group

ALICE, BOB, CAROL, PAUL = range(1, 5)      # whose messages they are, to net-peer


def talk(meeting, alice, bob):
    paul, number = meeting.paul, PAUL << 32 | 1
    paul.multicast(message_of(number))
    for peer in (alice, bob):
        meeting.wait('what paul said to be delivered', lambda: logged(peer, 'delivered'))
        assert logged(peer, 'delivered') == [[f'{paul.card.member:x}', str(number), 'agreed']]
    bob.command('send', 5, 10000, 'safe', 0)
    meeting.wait('what bob said', lambda: len(paul.messages) == 6)
    assert [octets for _, octets in paul.messages] == [
        message_of(one) for one in (number, *(BOB << 32 | n for n in range(1, 6)))]


def hand_token_round(meeting):
    paul, holders = meeting.paul, set()
    for n in range(3):
        before = len(paul.epochs)
        holders.add(paul.keys.holder)
        paul.keys.refresh()
        meeting.wait(f'key change {n}', lambda: len(paul.epochs) > before and paul.code)
    assert len(holders) == 3


def leave(meeting, *others):
    paul = meeting.paul
    own = f'{paul.card.member:x}'
    paul.leave()
    meeting.wait('paul to be out', lambda: paul.over)
    for peer in others:             # why somebody went is logged before or after the view
        meeting.wait('a view without paul', lambda: own not in last_view(peer))
        meeting.wait('why paul went', lambda: own in dict(logged(peer, 'departed')))
        assert dict(logged(peer, 'departed'))[own] == 'left'


def follow(meeting):
    alice, bob, carol = meeting.peers.values()
    paul = meeting.paul
    alice.command('invite', full('bob'))
    meeting.wait('alice and bob to be together', lambda: len(last_view(bob)) == 2)
    alice.command('invite', full('paul'))
    wait_for_group(meeting, 3)
    talk(meeting, alice, bob)
    alice.command('invite', full('carol'))          # paul has to vouch for her
    wait_for_group(meeting, 4)
    carol_id = paul.views[-1][1][-1]
    carol.command('leave')
    wait_for_group(meeting, 3)
    assert paul.departed == [(carol_id, 0)]
    hand_token_round(meeting)
    leave(meeting, alice, bob)


def meet(bravis, program, loss):
    with tempfile.TemporaryDirectory() as directory:
        meeting = Meeting(bravis, directory, {
            name: net_peer(program, number)
            for name, number in (('alice', ALICE), ('bob', BOB), ('carol', CAROL))}, loss=loss)
        try:
            follow(meeting)
        finally:
            meeting.close()


def wait_in_vain(meeting):
    """Welcomed, paul hears nothing more: his time passes without datagrams."""
    alice, paul = meeting.peers['alice'], meeting.paul
    alice.command('invite', full('paul'))
    meeting.wait('paul to be welcomed', lambda: paul.cards)
    welcomed = paul.now
    paul.tick(welcomed + JOINING_TIMEOUT - 0.1)
    assert not paul.over
    paul.tick(welcomed + JOINING_TIMEOUT)
    assert paul.over and paul.why == 'not admitted' and not paul.views


def test_newcomer_without_a_view_ends_by_time(bravis, program):
    with tempfile.TemporaryDirectory() as directory:
        meeting = Meeting(bravis, directory, {'alice': net_peer(program, ALICE)})
        try:
            wait_in_vain(meeting)
        finally:
            meeting.close()


def test_member_talks_changes_keys_and_leaves(bravis, program):
    meet(bravis, program, 0)


def test_lost_datagrams_are_made_good(bravis, program):
    meet(bravis, program, 0.15)


if __name__ == '__main__':
    sys.exit(tap.run('member', globals(), *sys.argv[1:]))
