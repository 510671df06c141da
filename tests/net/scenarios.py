"""What is done to peers on real networks, and what must come of it.

Each scenario ends with the judgement of the history checker over all logs. strict:
only crashes and leaves take members away, so nobody healthy may be thrown out. live:
in the end all is quiet and healed, so those left must share one view and have all.
"""

import chaos
from peers import Failure, identity, now

MAX_GROWTH = 32 * 1024  # KiB of a process under load: all its queues, and some

MAX_GROWTH_OF_DOOR = 4 * 1024   # KiB of a process that strangers knock at
STRANGERS = 50000       # first messages a second

SCENARIOS = {}


class Scenario:
    """@act (talk): what happens; its first line of documentation says so."""

    def __init__(self, act, members, delay, lost, ipv6, strict, live):
        self.act = act
        self.name = act.__name__.replace('_', '-')
        self.about = act.__doc__.strip().splitlines()[0].rstrip('.')
        self.members = members
        self.delay = delay      # ms from each to each
        self.lost = lost        # per cent of all datagrams
        self.ipv6 = ipv6
        self.strict = strict
        self.live = live


def scenario(members, delay=0, lost=0, ipv6=False, strict=True, live=True):
    def add(act):
        made = Scenario(act, members, delay, lost, ipv6, strict, live)
        SCENARIOS[made.name] = made
        return act
    return add


def names(talk):
    return list(talk.peers)


# --- the networks themselves ---

def measure(talk, what, address, count, at_least=0.0, lost=(0, 0)):
    """Pings from alice: the fastest one in ms, and between how many are lost."""
    times, n = talk.ping('alice', address, count)
    talk.note(f'{what}: {n} of {count} lost'
              + (f', ms {times[0]:.1f} to {times[-1]:.1f}' if times else ''))
    if not lost[0] <= n <= lost[1] or times and times[0] < at_least:
        raise Failure(f'{what}: {lost[0]} to {lost[1]} of {count} lost and at least '
                      f'{at_least} ms were expected')


@scenario(3, delay=20)
def network(talk):
    """Delay, loss, cuts and rates are as they are said to be."""
    bob, carol = (talk.network.hosts[name] for name in ('bob', 'carol'))
    for name in ('bob', 'carol'):
        talk.traffic(name, 'echo')
    measure(talk, 'round trip', bob.ipv4, 10, at_least=40)
    measure(talk, 'round trip, IPv6', bob.ipv6, 10, at_least=40)
    talk.network.lose(50)       # three of four round trips; five sigma around that
    measure(talk, '50 % lost each way', bob.ipv4, 40, lost=(16, 40))
    talk.network.lose(0)
    talk.network.cut(['bob'], ['alice'], one_way=True)
    measure(talk, 'cut one way', bob.ipv4, 2, lost=(2, 2))
    measure(talk, 'another beside the cut', carol.ipv4, 2)
    talk.network.heal()
    measure(talk, 'healed', bob.ipv4, 2)
    talk.network.limit_rate('alice', 1000)
    counter = talk.traffic('carol', 'count')
    talk.traffic('alice', 'send', carol.ipv4, 2000, 2).wait()
    share = talk.end_count(counter)
    talk.note(f'2 Mbit/s through 1: {share:.0%} came')
    if not 0.3 <= share <= 0.7:
        raise Failure(f'{share:.0%} of 2 Mbit/s came through 1 Mbit/s')


# --- steady traffic ---

def steady(talk, count, **how):
    talk.gather()
    talk.chatter(**how)
    talk.wait_delivery(count)
    talk.hush()
    talk.note_delays()


@scenario(3)
def steady_3(talk):
    """Three, on a clean network."""
    steady(talk, 40, rate=50, size=1000)


@scenario(3, ipv6=True)
def steady_3_ipv6(talk):
    """Three, over IPv6, safe messages."""
    steady(talk, 40, rate=50, quality='safe')


@scenario(9)
def steady_9(talk):
    """Nine, on a clean network."""
    steady(talk, 20)


@scenario(3, delay=20, lost=5)
def steady_3_lossy(talk):
    """Three, 20 ms apart, 5 % of all datagrams lost."""
    steady(talk, 40)


@scenario(5, delay=20, lost=1)
def steady_5_lossy(talk):
    """Five, 20 ms apart, 1 % lost, safe messages."""
    steady(talk, 40, quality='safe')


@scenario(9, delay=20, lost=5)
def steady_9_lossy(talk):
    """Nine, 20 ms apart, 5 % lost."""
    steady(talk, 20, rate=10)


@scenario(5, lost=5)
def steady_5_lossy_near(talk):
    """Five, next to each other, 5 % lost."""
    steady(talk, 60, rate=30)


# --- crashes ---

def crash(talk, *victims):
    talk.gather()
    talk.chatter()
    talk.wait_delivery(10)
    ids = [talk.peers[name].id for name in victims]
    began = now()
    talk.kill(*victims)
    left = [name for name in names(talk) if name not in victims]
    talk.wait_together(left)
    talk.note_views_without('crash to view', began, ids, left)
    talk.wait_delivery(10)
    talk.hush()


@scenario(5)
def crash_member(talk):
    """SIGKILL of a member."""
    crash(talk, 'carol')


@scenario(5)
def crash_first(talk):
    """SIGKILL of the first member, who gives out the order."""
    crash(talk, 'alice')


@scenario(5, delay=20, lost=5)
def crash_two(talk):
    """SIGKILL of two at once, the first one among them, 20 ms apart, 5 % lost."""
    crash(talk, 'alice', 'dave')


@scenario(9)
def crash_of_nine(talk):
    """SIGKILL of four of nine at once."""
    crash(talk, 'alice', 'bob', 'frank', 'ivan')


# --- floods ---

@scenario(3)
def flood(talk):
    """All send as fast as it is taken; one stops for 400 ms: no memory grows."""
    talk.gather()
    before = talk.memory()
    for peer in talk.living():
        peer.command('send', 10000, 300, 'agreed', 0)
    began = now()
    talk.wait_delivery(1000)
    talk.pause('carol', 0.4)
    talk.wait('all to be sent',
              lambda: all(peer.count_said('sent 10000') for peer in talk.living()))
    talk.wait_delivered()
    talk.note(f'30000 messages in {(now() - began) / 1000:.0f} ms')
    grown = talk.memory() - before
    talk.note(f'the largest process grew by {grown} KiB')
    if grown > MAX_GROWTH and not talk.tools.sanitized:
        raise Failure(f'a process grew by {grown} KiB')


def flood_of_strangers(talk, name):
    """Strangers, all on carol's host, knock at @name's door, and alice invites dave."""
    flood = talk.flood_door('carol', name, STRANGERS)
    talk.let_pass(1)
    began = now()
    before = talk.memory()
    if 'dave' not in talk.peers:
        talk.start('dave')
    talk.peers['alice'].command('invite', identity('dave'))
    talk.wait_together(['alice', 'bob', 'dave'])
    talk.note(f'invitation to view: {(now() - began) / 1000:.0f} ms')
    talk.let_pass(3)
    rate = talk.end_flood(flood)
    taken, dropped = talk.network.hosts[name].count_datagrams()
    grown = talk.memory() - before
    talk.note(f'{rate:.0f} first messages a second at {name}, which read {taken} and '
              f'was too slow for {dropped}; the largest process grew by {grown} KiB')
    if rate < STRANGERS / 2 or taken < STRANGERS:
        raise Failure('that was no flood')
    if grown > MAX_GROWTH_OF_DOOR and not talk.tools.sanitized:
        raise Failure(f'a process grew by {grown} KiB')


@scenario(4)
def flood_at_member(talk):
    """50,000 first messages a second at who invites: the invited peer still joins."""
    talk.gather(['alice', 'bob'])
    flood_of_strangers(talk, 'alice')


@scenario(4)
def flood_at_invited(talk):
    """50,000 first messages a second at who is invited: it still joins."""
    talk.gather(['alice', 'bob'])
    talk.start('dave')
    flood_of_strangers(talk, 'dave')


# --- pauses ---

def pause(talk, name, seconds):
    talk.gather()
    talk.chatter()
    talk.wait_delivery(10)
    talk.pause(name, seconds)
    talk.wait_delivery(10)
    talk.hush()


@scenario(3)
def pause_300(talk):
    """SIGSTOP of a member for 300 ms: nobody is thrown out."""
    pause(talk, 'bob', 0.3)


@scenario(5, delay=20, lost=5)
def pause_500(talk):
    """SIGSTOP of the first member for 500 ms, 20 ms apart, 5 % lost: the same."""
    pause(talk, 'alice', 0.5)


@scenario(3, strict=False)
def pause_3000(talk):
    """SIGSTOP of a member for 3 s: it is out, and comes back when it wakes."""
    talk.gather()
    talk.chatter()
    talk.wait_delivery(10)
    carol = talk.peers['carol']
    began = now()
    talk.pause('carol', 3)
    woke = now()
    talk.wait_together(names(talk))
    talk.note_views_without('stop to view', began, [carol.id], ['alice', 'bob'])
    took = max(peer.view.at for peer in talk.living()) - woke
    talk.note(f'awake to one view: {took / 1000:.0f} ms')
    talk.wait_delivery(10)
    talk.hush()


# --- coming and going ---

@scenario(5)
def leave(talk):
    """Two leave while all send."""
    talk.gather()
    talk.chatter(rate=50)
    talk.wait_delivery(20)
    leavers = talk.named(['alice', 'dave'])
    began = now()
    for peer in leavers:
        peer.command('leave')
    left = ['bob', 'carol', 'erin']
    talk.wait_together(left)
    talk.note_views_without('leave to view', began, [peer.id for peer in leavers], left)
    talk.wait('them to be gone', lambda: all(peer.ended == 'left' for peer in leavers))
    talk.wait_delivery(10)
    talk.hush()


@scenario(5, delay=20, lost=5)
def join(talk):
    """Two join while all send, 20 ms apart, 5 % lost."""
    talk.gather(['alice', 'bob', 'carol'])
    talk.chatter()
    talk.wait_delivery(10)
    for name in ('dave', 'erin'):
        talk.start(name)
    began = now()
    for name in ('dave', 'erin'):
        talk.peers['bob'].command('invite', identity(name))
    talk.wait_together(names(talk))
    first = {name: (talk.peers[name].views[0].at - began) / 1000 for name in ('dave', 'erin')}
    talk.note('invitation to view: '
              + ', '.join(f'{name} {ms:.0f} ms' for name, ms in first.items()))
    talk.chatter(names=['dave', 'erin'])
    talk.wait_delivery(10)
    talk.hush()


@scenario(5, delay=20, lost=5)
def crash_while_joining(talk):
    """SIGKILL of the first member while two join, 20 ms apart, 5 % lost."""
    talk.gather(['alice', 'bob', 'carol'])
    talk.chatter()
    talk.wait_delivery(10)
    for name in ('dave', 'erin'):
        talk.start(name)
        talk.peers['bob'].command('invite', identity(name))
    began = now()
    talk.kill('alice')
    left = ['bob', 'carol', 'dave', 'erin']
    talk.wait_together(left)
    talk.note(f'all are in {(now() - began) / 1000:.0f} ms after the crash')
    talk.chatter(names=['dave', 'erin'])
    talk.wait_delivery(10)
    talk.hush()


@scenario(3)
def crash_and_return(talk):
    """SIGKILL, and the same peer comes back under its name."""
    talk.gather()
    talk.chatter()
    talk.wait_delivery(10)
    talk.kill('carol')
    # Where the newcomer is there before the crash is noticed, it takes its place.
    talk.log(now(), 'put-out', talk.peers['carol'].id)
    talk.start('carol')
    talk.peers['alice'].command('invite', identity('carol'))
    talk.wait_together(names(talk))
    talk.chatter(names=['carol'])
    talk.wait_delivery(10)
    talk.hush()


# --- cuts ---

def cut(talk, side, other, one_way=False):
    """@side has the majority: it goes on, @other does without being primary. One way:
    nothing comes to @side."""
    talk.gather()
    talk.chatter()
    talk.wait_delivery(10)
    gone = [talk.peers[name].id for name in other]
    began = now()
    talk.network.cut(other, side, one_way)
    talk.wait_together(side)
    talk.note_views_without('cut to view', began, gone, side)
    talk.wait_together(other)
    if not all(talk.peers[name].view.primary for name in side):
        raise Failure(f'the larger part is not primary; {talk.describe()}')
    if any(talk.peers[name].view.primary for name in other):
        raise Failure(f'the smaller part is primary; {talk.describe()}')
    for part in (side, other):
        talk.wait_delivery(10, part)


def heal(talk):
    """The parts find each other and are one again, which is primary."""
    began = now()
    talk.network.heal()
    talk.wait_together(names(talk))
    took = max(peer.view.at for peer in talk.living()) - began
    talk.note(f'healed to one view: {took / 1000:.0f} ms')
    if not talk.living()[0].view.primary:
        raise Failure(f'together again, but not primary; {talk.describe()}')
    talk.wait_delivery(10)
    talk.hush()


@scenario(3, strict=False)
def cut_2_1(talk):
    """One of three is cut off, and it heals."""
    cut(talk, ['alice', 'bob'], ['carol'])
    heal(talk)


@scenario(5, delay=20, lost=1, strict=False)
def cut_3_2(talk):
    """Five fall into three and two with the first member, and it heals."""
    cut(talk, ['carol', 'dave', 'erin'], ['alice', 'bob'])
    heal(talk)


@scenario(5, strict=False)
def cut_2_2_1(talk):
    """Five fall into three parts, none of which is primary, and it heals."""
    parts = ['alice', 'bob'], ['carol', 'dave'], ['erin']
    talk.gather()
    talk.chatter()
    talk.wait_delivery(10)
    talk.network.cut(parts[0], parts[1] + parts[2])
    talk.network.cut(parts[1], parts[2])
    for part in parts:
        talk.wait_together(part)
    if any(peer.view.primary for peer in talk.living()):
        raise Failure(f'a part without a majority is primary; {talk.describe()}')
    for part in parts:
        talk.wait_delivery(10, part)
    heal(talk)


@scenario(5, strict=False)
def cut_one_way(talk):
    """Two of five are not heard by the others, but hear them, and it heals."""
    cut(talk, ['alice', 'bob', 'carol'], ['dave', 'erin'], one_way=True)
    heal(talk)


@scenario(5)
def flap(talk):
    """A member is cut off for 400 ms, again and again: nobody is thrown out."""
    talk.gather()
    talk.chatter()
    talk.wait_delivery(10)
    for _ in range(5):
        talk.network.cut(['erin'], ['alice', 'bob', 'carol', 'dave'])
        talk.let_pass(0.4)
        talk.network.heal()
        talk.let_pass(0.3)
    talk.wait_delivery(10)
    talk.hush()


@scenario(3)
def pair_cut(talk):
    """The link of two that don't give out the order breaks: nobody is thrown out."""
    talk.gather()
    talk.chatter()
    talk.wait_delivery(10)
    talk.network.cut(['bob'], ['carol'])
    talk.wait_delivery(60)
    talk.hush()


def break_with_first(talk, one_way):
    """What the two say to each other goes over a third: nobody is thrown out."""
    talk.gather()
    talk.chatter()
    talk.wait_delivery(10)
    talk.network.cut(['alice'], ['dave'], one_way)
    talk.wait_delivery(100)
    talk.network.heal()
    talk.wait_delivery(20)
    talk.hush()


@scenario(4)
def pair_cut_first(talk):
    """The link of the first member and another breaks: nobody is thrown out."""
    break_with_first(talk, one_way=False)


@scenario(4)
def pair_cut_first_one_way(talk):
    """The same, one way."""
    break_with_first(talk, one_way=True)


# --- narrow links ---

@scenario(3, delay=20)
def slow_link(talk):
    """1 Mbit/s, where large messages must not take a video's place."""
    for name in talk.network.hosts:
        talk.network.limit_rate(name, 1000)
    talk.gather()
    counter = talk.traffic('bob', 'count')
    talk.traffic('alice', 'send', talk.network.hosts['bob'].ipv4, 300, 60)
    for peer in talk.living():
        peer.command('send', 1, 60000, 'agreed', 0)
    talk.chatter(rate=10, size=300)
    talk.wait_delivery(20)
    talk.hush()
    share = talk.end_count(counter)
    talk.note(f'{share:.1%} of a video of 300 kbit/s came')
    talk.note_delays()
    if share < 0.9:
        raise Failure(f'control traffic took the place of a video: {share:.1%} of it came')


# --- all of it ---

@scenario(6, delay=5, lost=2, strict=False)
def random_faults(talk):
    """Six to whom all of this happens at random (--seed)."""
    chaos.play(talk, talk.seed)
