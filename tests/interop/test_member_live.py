"""A peer made by docs/protocol.md is a member among peers of the C implementation, over
UDP: usage: test_member_live.py BRAVIS NET_PEER"""

import sys
import tempfile

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
from meeting import Meeting, full, net_peer

ALICE, BOB, CAROL, PAUL = range(1, 5)      # whose messages they are, to net-peer


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


def test_member_talks_changes_keys_and_leaves(bravis, program):
    meet(bravis, program, 0)


def test_lost_datagrams_are_made_good(bravis, program):
    meet(bravis, program, 0.15)


if __name__ == '__main__':
    sys.exit(tap.run('member', globals(), *sys.argv[1:]))
