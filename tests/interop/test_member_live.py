"""A peer made by docs/protocol.md is a member among peers of the C implementation, over
UDP: usage: test_member_live.py BRAVIS NET_PEER"""

import sys
import tempfile

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
from meeting import Meeting, full, net_peer


def logged(peer, what):
    """The words of each line of that kind, behind the time and the kind."""
    return [words[2:] for words in map(str.split, peer.lines('.log')) if words[1] == what]


def last_view(peer):
    """The ids in the newest view that it logged."""
    views = logged(peer, 'view')
    return views[-1][2:] if views else []


def follow(meeting):
    alice, bob = meeting.peers.values()
    paul = meeting.paul
    alice.command('invite', full('bob'))
    meeting.wait('alice and bob to be together', lambda: len(last_view(bob)) == 2)
    alice.command('invite', full('paul'))
    meeting.wait('paul to be in', lambda: paul.views and len(paul.views[-1][1]) == 3)
    meeting.wait('the key of that view', lambda: paul.epoch
                 and paul.epoch.members == list(paul.views[-1][1]))
    meeting.wait('the verification code', lambda: paul.code)

    paul.multicast((3 << 32 | 1).to_bytes(8, 'big'))
    meeting.wait('what paul said to come back', lambda: paul.messages)
    bob.command('send', 5, 100, 'safe', 0)
    meeting.wait('what bob said', lambda: len(paul.messages) == 6)

    holders = set()
    for n in range(3):          # the token goes round, so paul has it too
        before = len(paul.epochs)
        holders.add(paul.keys.holder)
        paul.keys.refresh()
        meeting.wait(f'key change {n}', lambda: len(paul.epochs) > before and paul.code)
    assert len(holders) == 3

    paul.leave()
    meeting.wait('paul to be out', lambda: paul.over)
    for peer in (alice, bob):       # why somebody went is logged before or after the view
        meeting.wait('a view without paul', lambda: len(last_view(peer)) == 2)
        meeting.wait('why paul went', lambda: logged(peer, 'departed'))
        gone = logged(peer, 'departed')
        assert gone == [[f'{paul.card.member:x}', 'left']], gone


def test_member_joins_changes_keys_and_leaves(bravis, program):
    with tempfile.TemporaryDirectory() as directory:
        meeting = Meeting(bravis, directory, {'alice': net_peer(program, 1),
                                              'bob': net_peer(program, 2)})
        try:
            follow(meeting)
        finally:
            meeting.close()


if __name__ == '__main__':
    sys.exit(tap.run('member', globals(), *sys.argv[1:]))
