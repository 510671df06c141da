"""Who makes the next view crashes half way, and a peer made by docs/protocol.md is among
those who go on: usage: test_crash_live.py BRAVIS NET_PEER

paula is made by docs/protocol.md, too. When alice has left she is the sequencer, and the
coordinator of the next view; what she does not say before she crashes a test decides.
bob, of the C implementation, follows her. Without paula alice is killed herself."""

import sys
import tempfile

import tap

sys.dont_write_bytecode = True
tap.skip_without_cryptography()

# pylint: disable=wrong-import-position
import group
from conference import ADMIT, MESSAGE
from group import APPENDED, CARD, COMMIT, HERE, MISSING, ORDER, PREPARE, STABLE
from meeting import Meeting, full, last_view, logged, message_of, net_peer, wait_for_group
from wire import u8

NUMBERS = {'alice': 1, 'bob': 2, 'carol': 3, 'dave': 4, 'paul': 5}      # to net-peer
FIRST = {name: number << 32 | 1 for name, number in NUMBERS.items()}    # its message


class Scene:
    """A group of paula, bob, paul and carol, in this order; dave comes, if he is asked."""

    def __init__(self, meeting):
        self.meeting = meeting
        self.paul, self.paula = meeting.paul, meeting.paula
        alice, self.bob, self.carol, self.dave = meeting.peers.values()
        for size, name in enumerate(('paula', 'bob', 'paul', 'carol'), 2):
            alice.command('invite', full(name))
            meeting.wait(f'{name} to be in', lambda: len(last_view(alice)) == size)
        wait_for_group(meeting, 5)
        self.ids = dict(zip(('alice', 'paula', 'bob', 'paul', 'carol'),
                            self.paul.views[-1][1]))
        alice.command('leave')
        self.wait_for('paula', 'bob', 'paul', 'carol')
        self.asked = []                 # of paula: what she did not order
        self.said, self.heard = self.paul.group.said, self.paul.group.heard
        self.said.clear()
        self.heard.clear()

    def wait(self, what, until):
        self.meeting.wait(what, until)

    def wait_for(self, *names):
        """A view of these, and its key and code; the C peers have logged it."""
        members = tuple(self.ids[name] for name in names)
        self.wait(f'a view of {names}', lambda: self.paul.views[-1][1] == members)
        wait_for_group(self.meeting, len(names))
        for name in names:
            if name in self.meeting.peers:
                self.wait(f'{name} to have it', lambda: last_view(
                    self.meeting.peers[name]) == [f'{member:x}' for member in members])

    def say(self, name):
        """A message of that one, in three pieces."""
        if name == 'paul':
            self.paul.multicast(message_of(FIRST[name]))
        else:
            self.meeting.peers[name].command('send', 1, 10000, 'agreed', 0)

    def say_without_order(self, name):
        """paula is asked to order it, and does not."""
        self.paula.group.number = lambda *message: self.asked.append(message)
        self.say(name)
        last = (u8(MESSAGE) + message_of(FIRST[name]))[8192:]
        self.wait('paula to be asked', lambda: any(
            sender == self.ids[name] and payload == last
            for sender, _, payload in self.asked))

    def withhold(self, kinds, favoured=None):
        """paula says these to nobody but @favoured from now on."""
        self.paula.group.withhold = lambda member, kind: (
            kind in kinds and member != self.ids.get(favoured))

    def crash(self):
        self.meeting.crash('paula')

    def check_delivered(self, names, *peers, and_second=()):
        """The messages of these, by @peers as by paul, and none twice."""
        numbers = [FIRST[name] for name in names] + [FIRST[name] + 1 for name in and_second]
        self.wait('all messages', lambda: len(self.paul.messages) >= len(numbers))
        heard = [int.from_bytes(octets[:8], 'big') for _, octets in self.paul.messages]
        assert sorted(heard) == sorted(numbers), heard
        assert all(octets == message_of(number)
                   for number, (_, octets) in zip(heard, self.paul.messages))
        for peer in peers:
            self.wait('the same at the others', lambda: [
                int(words[1]) for words in logged(peer, 'delivered')] == heard)

    def check_came_up(self, counter, **least):
        for name, number in least.items():
            assert counter[getattr(group, name)] >= number, (name, counter)


# --- messages that not all have, or that have no place ---

def lose_sequencer(scene, favoured):
    """What bob says is known to @favoured alone. What two others say has no place."""
    scene.withhold((ORDER, STABLE), favoured)
    scene.say('bob')
    if favoured == 'paul':
        scene.wait('paul to have it', lambda: scene.paul.messages)
    else:
        scene.wait('carol to have it', lambda: logged(scene.carol, 'delivered'))
    scene.say_without_order('paul')
    scene.say_without_order('carol')
    scene.crash()
    scene.wait_for('bob', 'paul', 'carol')
    scene.check_delivered(('bob', 'paul', 'carol'), scene.bob, scene.carol)
    scene.check_came_up(scene.said, UNORDERED=3)
    scene.check_came_up(scene.heard, APPENDED=6)


def follow_with_what_paul_has_alone(scene):
    lose_sequencer(scene, 'paul')
    scene.check_came_up(scene.heard, FETCH=1)
    scene.check_came_up(scene.said, MISSING=3, SHOWN=1)


def follow_with_what_paul_lacks(scene):
    lose_sequencer(scene, 'carol')
    scene.check_came_up(scene.heard, MISSING=3)


def follow_with_candidate(scene):
    """That dave may come in, paul alone knows when paula crashes."""
    scene.paula.group.waits = True
    orders = scene.paula.group.number

    def number(sender, flags, payload):
        scene.withhold((ORDER, STABLE) if payload[0] == ADMIT else (), 'paul')
        orders(sender, flags, payload)
    scene.paula.group.number = number
    scene.bob.command('invite', full('dave'))
    scene.wait('paul to know of dave', lambda: scene.paul.group.candidates)
    scene.ids['dave'], = scene.paul.group.candidates
    scene.crash()
    scene.wait_for('bob', 'paul', 'carol', 'dave')
    scene.check_came_up(scene.said, CANDIDATE=1, MISSING=1)


# --- a proposal that not all have ---

def lose_coordinator(scene, withheld, favoured, until):
    """carol leaves. paula, who makes the next view, says @withheld to @favoured alone, and
    crashes @until that is so. Two messages are appended to the view, and one is said
    while it changes."""
    before = len(scene.paul.views)
    scene.paula.group.waits = True
    scene.carol.command('leave')
    scene.wait('carol to leave', lambda: scene.paula.group.leavers)
    scene.say_without_order('paul')
    scene.say_without_order('bob')
    scene.withhold(withheld, favoured)
    scene.paula.group.waits = False
    scene.wait('paula to be half way', until)
    scene.paul.multicast(message_of(FIRST['paul'] + 1))
    scene.crash()
    scene.wait_for('bob', 'paul')
    own, paula, bob = (scene.ids[name] for name in ('paul', 'paula', 'bob'))
    assert [members for _, members in scene.paul.views[before:]] == [
        (paula, bob, own), (bob, own)]
    assert scene.paul.departed[-2:] == [(scene.ids['carol'], 0), (paula, 1)]
    scene.check_delivered(('paul', 'bob'), scene.bob, and_second=('paul',))
    scene.check_came_up(scene.said, UNORDERED=3)


def lose_proposer(scene, favoured):
    lose_coordinator(
        scene, (MISSING, APPENDED, PREPARE), favoured,
        lambda: scene.ids[favoured] in scene.paula.group.agreed)


def follow_with_proposal_of_paul(scene):
    lose_proposer(scene, 'paul')
    scene.check_came_up(scene.heard, FETCH=1, PREPARE=3, APPENDED=15)
    scene.check_came_up(scene.said, SHOWN=1, APPENDED=6)


def follow_with_proposal_of_bob(scene):
    lose_proposer(scene, 'bob')
    scene.check_came_up(scene.heard, PREPARE=2, APPENDED=6)


def follow_with_proposal_of_carol(scene):
    lose_proposer(scene, 'carol')
    scene.check_came_up(scene.heard, PREPARE=2, APPENDED=6)


def follow_with_newcomer_of_paul(scene):
    """dave comes in; paul alone has the proposal, and his card."""
    before = len(scene.paul.views)
    scene.withhold((CARD, PREPARE), 'paul')
    scene.bob.command('invite', full('dave'))
    scene.wait('paul to hold him ready', lambda: scene.paul.group.prepared)
    *_, scene.ids['dave'] = scene.paul.group.prepared.proposal.members
    scene.wait('paula to know', lambda: scene.ids['paul'] in scene.paula.group.agreed)
    scene.crash()
    scene.wait_for('bob', 'paul', 'carol', 'dave')
    assert [len(members) for _, members in scene.paul.views[before:]] == [5, 4]
    scene.check_came_up(scene.heard, FETCH=1, PREPARE=3)
    scene.check_came_up(scene.said, SHOWN=1, CARD=1)


def take_in(scene):
    """dave, as paula, who does not crash, has it; and out again."""
    scene.bob.command('invite', full('dave'))
    scene.wait('him to be in', lambda: len(scene.paul.views[-1][1]) == 5)
    *_, scene.ids['dave'] = scene.paul.views[-1][1]
    scene.wait_for('paula', 'bob', 'paul', 'carol', 'dave')
    scene.say('dave')
    scene.say('paul')
    scene.check_delivered(('dave', 'paul'), scene.bob, scene.carol, scene.dave)
    scene.dave.command('leave')
    scene.wait_for('paula', 'bob', 'paul', 'carol')


def lose_committer(scene, favoured, until):
    """Nobody else hears that it is committed, nor anything else of the new view."""
    lose_coordinator(scene, (COMMIT, HERE, ORDER, STABLE), favoured, until)


def follow_with_proposal_of_all(scene):
    lose_committer(scene, None, lambda: len(scene.paula.group.members) == 3)
    scene.check_came_up(scene.heard, PREPARE=3, APPENDED=15)


def take_others_along(scene, favoured):
    """By HERE, while paula is still there."""
    lose_committer(scene, favoured, lambda: (
        len(scene.paul.group.members) == 3 and len(last_view(scene.bob)) == 3))


def take_bob_along(scene):
    take_others_along(scene, 'paul')


def go_along_with_bob(scene):
    take_others_along(scene, 'bob')


# --- a coordinator of the C implementation ---

def lose_alice(meeting, kind):
    """She makes the view without carol, and is killed when paul is about to say @kind to
    her. Returns the views of paul from then on, and whose they are."""
    alice, bob, carol, _ = meeting.peers.values()
    paul = meeting.paul
    for size, name in enumerate(('bob', 'paul', 'carol'), 2):
        alice.command('invite', full(name))
        meeting.wait(f'{name} to be in', lambda: len(last_view(alice)) == size)
    wait_for_group(meeting, 4)
    ids, before, send = paul.views[-1][1], len(paul.views), paul.group.send_octets

    def kill_before(member, message):
        if message[0] == kind and alice.popen.poll() is None:
            meeting.crash('alice')
            paul.multicast(message_of(FIRST['paul']))
        send(member, message)
    paul.group.send_octets = kill_before
    carol.command('leave')
    meeting.wait('paul and bob to be left', lambda: paul.views[-1][1] == ids[1:3])
    wait_for_group(meeting, 2)
    meeting.wait('what paul said', lambda: logged(bob, 'delivered') == [
        [f'{paul.card.member:x}', str(FIRST['paul']), 'agreed']])
    return [members for _, members in paul.views[before:]], ids


def lose_alice_before_she_proposes(meeting):
    views, ids = lose_alice(meeting, group.FLUSHED)
    assert views == [ids[1:3]]
    assert set(meeting.paul.departed) == {(ids[0], 1), (ids[3], 0)}


def lose_alice_before_she_commits(meeting):
    views, ids = lose_alice(meeting, group.PREPARED)
    assert views == [ids[:3], ids[1:3]]
    assert meeting.paul.departed == [(ids[3], 0), (ids[0], 1)]


# --- the tests ---

def meet(bravis, program, follow, led=True):
    with tempfile.TemporaryDirectory() as directory:
        meeting = Meeting(bravis, directory, {
            name: net_peer(program, number) for name, number in NUMBERS.items()
            if name != 'paul'}, led=led)
        try:
            follow(Scene(meeting) if led else meeting)
        finally:
            meeting.close()


def test_group_is_led(*programs):
    meet(*programs, take_in)


def test_coordinator_is_killed_before_it_proposes(*programs):
    meet(*programs, lose_alice_before_she_proposes, led=False)


def test_coordinator_is_killed_before_it_commits(*programs):
    meet(*programs, lose_alice_before_she_commits, led=False)


def test_message_that_paul_has_alone_is_fetched_from_him(*programs):
    meet(*programs, follow_with_what_paul_has_alone)


def test_message_that_paul_lacks_is_told_him(*programs):
    meet(*programs, follow_with_what_paul_lacks)


def test_candidate_that_paul_knows_alone_comes_in(*programs):
    meet(*programs, follow_with_candidate)


def test_proposal_that_paul_holds_alone_is_fetched_from_him(*programs):
    meet(*programs, follow_with_proposal_of_paul)


def test_newcomer_that_paul_holds_ready_alone_is_fetched_from_him(*programs):
    meet(*programs, follow_with_newcomer_of_paul)


def test_proposal_that_the_next_coordinator_holds_alone_comes_again(*programs):
    meet(*programs, follow_with_proposal_of_bob)


def test_proposal_that_a_leaver_holds_alone_comes_again(*programs):
    meet(*programs, follow_with_proposal_of_carol)


def test_proposal_that_all_hold_comes_again(*programs):
    meet(*programs, follow_with_proposal_of_all)


def test_view_that_paul_has_alone_takes_the_others_along(*programs):
    meet(*programs, take_bob_along)


def test_view_that_another_has_alone_takes_paul_along(*programs):
    meet(*programs, go_along_with_bob)


if __name__ == '__main__':
    sys.exit(tap.run('crash', globals(), *sys.argv[1:]))
