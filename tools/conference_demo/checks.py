"""The proofs, on plain data: nothing here starts a process or reads a file.

Each proof is a function that gives a Proof: passed or not, and a sentence with
the figures. What it looks at is a Conference, which story.py fills from a real
run and the tests fill by hand, with faults planted in it.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from . import sframe

RUN = 16                        # octets that must not be seen twice
GRAM = 8                        # what is looked up; the rest is compared
STRIDE = RUN - GRAM + 1         # each run of RUN octets has a gram at a multiple
FIRST_PICTURE_MS = 300

# What was on its way to a member when it asked to leave may be missing there.
LEAVING_S = 0.5

# A frame that was being sent when the view without a member came is finished.
FRAME_S = 0.01

# Shorter clocks differ: the recording's and the process's.
CLOCK_S = 0.002


@dataclass
class Proof:
    name: str
    passed: bool
    detail: str


@dataclass
class Epoch:
    """One key change, as the members saw it."""
    number: int
    cause: str
    members: tuple
    times: dict = field(default_factory=dict)           # member: s
    milliseconds: dict = field(default_factory=dict)    # member: since its view
    codes: dict = field(default_factory=dict)           # member: verification code


@dataclass
class Sent:
    """A stream at its sender."""
    sender: str
    stream: str                 # "video_0"
    frames: list                # bytes
    pts: list                   # ns, or None
    epochs: list                # (epoch, first frame, s), in order
    live: bool = False


@dataclass
class Received:
    """The same stream at another member."""
    member: str
    sender: str
    stream: str
    frames: list
    whole: bool = True


@dataclass
class Refusal:
    at: str                     # the peer that reported it
    name: str                   # who was refused, None: never showed itself
    by: str                     # who refused
    reason: str


@dataclass
class Conference:
    members: list
    epochs: dict = field(default_factory=dict)          # number: Epoch
    sent: list = field(default_factory=list)
    received: list = field(default_factory=list)
    datagrams: list = field(default_factory=list)       # capture.Datagram
    lost_by_recording: int = 0
    ports: dict = field(default_factory=dict)           # member: UDP port
    keys: dict = field(default_factory=dict)            # member: KeyRing
    secrets: list = field(default_factory=list)         # names nobody may read
    payloads: list = field(default_factory=list)        # bytes nobody may read
    asked_to_leave: dict = field(default_factory=dict)  # member: s
    gone: dict = field(default_factory=dict)            # member: s, process ended
    first_picture: dict = field(default_factory=dict)   # newcomer: s, of the live encoder
    intruders: dict = field(default_factory=dict)       # name: words, one of which says why
    expected_reports: dict = field(default_factory=dict)  # name: peers that must say why
    refusals: list = field(default_factory=list)
    pictures: list = field(default_factory=list)        # (member, sender, [hash], [hash])


def names_of(identities):
    return ' '.join(name.split('@')[0] for name in identities)


# Frames

@dataclass
class Comparison:
    member: str
    sender: str
    stream: str
    expected: int
    received: int
    identical: int
    lost: list                  # numbers of the sender's frames
    altered: int                # received frames that the sender did not send so
    first: int                  # the sender's number of the first frame expected
    whole: bool = True

    @property
    def passed(self):
        return self.whole and not self.lost and not self.altered and self.expected > 0


def frame_time(sent, number):
    """When the sender handed this frame over, by the wall clock; None: unknown."""
    best = None
    for _, first, time in sent.epochs:
        if first <= number and first < len(sent.pts):
            best = first, time
    if best is None or sent.pts[number] is None or sent.pts[best[0]] is None:
        return None
    return best[1] + (sent.pts[number] - sent.pts[best[0]]) / 1e9


def expected_frames(conference, sent, member):
    """Numbers of the frames that were sent while @member was in: under an epoch
    that has it."""
    numbers = []
    bounds = [first for _, first, _ in sent.epochs[1:]] + [len(sent.frames)]
    for (epoch, first, _), end in zip(sent.epochs, bounds):
        if member in conference.epochs[epoch].members:
            numbers.extend(range(first, end))
    return numbers


def compare(conference, sent, received):
    """Frame by frame, in order. Frames that were on their way when the member
    asked to leave are not expected, but where they came they are compared."""
    numbers = expected_frames(conference, sent, received.member)
    sent_hashes = [hashlib.sha256(sent.frames[n]).digest() for n in numbers]
    got_hashes = [hashlib.sha256(frame).digest() for frame in received.frames]
    matched, identical = set(), 0
    if sent_hashes[:len(got_hashes)] == got_hashes:
        identical = len(got_hashes)
        matched = set(range(identical))
    else:
        matcher = SequenceMatcher(None, sent_hashes, got_hashes, autojunk=False)
        for at, _, size in matcher.get_matching_blocks():
            matched.update(range(at, at + size))
            identical += size
    lost = [n for i, n in enumerate(numbers) if i not in matched]
    left = conference.asked_to_leave.get(received.member)
    if left is not None:
        numbers_end = numbers[-1] if numbers else -1
        while lost and lost[-1] == numbers_end:
            time = frame_time(sent, lost[-1])
            if time is None or time < left - LEAVING_S:
                break
            lost.pop()
            numbers_end -= 1
        expected = sum(1 for n in numbers if n <= numbers_end)
    else:
        expected = len(numbers)
    return Comparison(received.member, received.sender, received.stream, expected,
                      len(got_hashes), identical, lost, len(got_hashes) - identical,
                      numbers[0] if numbers else 0, received.whole)


def compare_all(conference):
    """A comparison for each stream at each member that shared an epoch with its
    sender; one that has nothing of it at all has lost everything."""
    received = {(r.member, r.sender, r.stream): r for r in conference.received}
    comparisons = []
    for sent in conference.sent:
        for member in conference.members:
            if member == sent.sender or not expected_frames(conference, sent, member):
                continue
            key = member, sent.sender, sent.stream
            comparisons.append(compare(conference, sent,
                                       received.pop(key, Received(*key, []))))
    for (member, sender, stream), extra in received.items():
        if extra.frames:
            comparisons.append(Comparison(member, sender, stream, 0, len(extra.frames), 0,
                                          [], len(extra.frames), 0))
    return comparisons


def proof_frames(conference, comparisons):
    bad = [c for c in comparisons if not c.passed]
    total = sum(c.expected for c in comparisons)
    streams = {(member, sent.sender) for sent in conference.sent
               for member in conference.members if member != sent.sender
               and any(member in e.members and sent.sender in e.members
                       for e in conference.epochs.values())}
    seen = {(c.member, c.sender) for c in comparisons if c.received}
    if bad:
        c = bad[0]
        lost = f', lost {c.lost[0]}..{c.lost[-1]} ({len(c.lost)})' if c.lost else ''
        half = '' if c.whole else ', its recording ends in the middle'
        return Proof('frames', False,
                     f'{c.member} of {c.sender} {c.stream}: {c.identical} of {c.expected} '
                     f'identical{lost}, {c.altered} altered or foreign{half}'
                     + (f'; and {len(bad) - 1} more streams' if len(bad) > 1 else ''))
    if streams - seen:
        member, sender = sorted(streams - seen)[0]
        return Proof('frames', False, f'{member} has nothing of {sender}')
    return Proof('frames', total > 0,
                 f'{total} frames in {len(comparisons)} streams, all bit-identical, '
                 'none lost')


def proof_key_changes(conference, joined, left):
    """There was a key change for each joining and for the leaving, with media of
    somebody across each of them, and everybody names the same members and code."""
    for epoch in conference.epochs.values():
        if len(set(epoch.codes.values())) > 1:
            return Proof('key changes', False,
                         f'key {epoch.number}: members have different verification codes')
        strangers = set(epoch.codes) - set(epoch.members)
        if strangers:
            return Proof('key changes', False,
                         f'key {epoch.number} is known to {", ".join(strangers)}')
    ordered = [conference.epochs[n] for n in sorted(conference.epochs)]
    for name in joined:
        if not any(name in b.members and name not in a.members
                   for a, b in zip(ordered, ordered[1:])):
            return Proof('key changes', False, f'no key change when {name} joined')
    for name in left:
        if not any(name in a.members and name not in b.members
                   for a, b in zip(ordered, ordered[1:])):
            return Proof('key changes', False, f'no key change when {name} left')
    for a, b in zip(ordered, ordered[1:]):
        came, went = set(b.members) - set(a.members), set(a.members) - set(b.members)
        if len(a.members) > 1 and (came & set(joined) or went & set(left)) \
                and not any(crosses(s, b.number) for s in conference.sent):
            return Proof('key changes', False,
                         f'no stream went on across the change to key {b.number}')
    slowest = max(ordered[1:], key=change_milliseconds, default=None)
    detail = f'{len(ordered)} keys'
    if slowest:
        detail += (f', the slowest change {change_milliseconds(slowest):.1f} ms '
                   f'(key {slowest.number}, {slowest.cause})')
    return Proof('key changes', True, detail)


def crosses(sent, epoch):
    """The stream had frames right before and after the change to @epoch."""
    for (_, a, _), (number, b, _) in zip(sent.epochs, sent.epochs[1:]):
        if number == epoch and a < b < len(sent.frames):
            return True
    return False


def change_milliseconds(epoch):
    """From the first member's view until the last member had the key to send
    under."""
    if not epoch.times:
        return 0.0
    views = [epoch.times[m] - epoch.milliseconds[m] / 1e3 for m in epoch.times]
    return (max(epoch.times.values()) - min(views)) * 1e3


def proof_pictures(conference):
    """Decoded at the receiver and decoded at the sender."""
    pictures = 0
    for member, sender, seen, sent in conference.pictures:
        if not seen or seen != sent:
            same = sum(1 for a, b in zip(seen, sent) if a == b)
            return Proof('pictures', False,
                         f'{member} of {sender}: {len(seen)} pictures, {len(sent)} at the '
                         f'sender, {same} equal')
        pictures += len(seen)
    return Proof('pictures', pictures > 0,
                 f'{pictures} decoded pictures in {len(conference.pictures)} streams are '
                 "the sender's")


def first_epoch_of(conference, member):
    """The first key that @member had together with somebody else."""
    for number in sorted(conference.epochs):
        members = conference.epochs[number].members
        if member in members and len(members) > 1:
            return conference.epochs[number]
    return None


def last_epoch_of(conference, member):
    numbers = [n for n, e in conference.epochs.items() if member in e.members]
    return conference.epochs[max(numbers)] if numbers else None


def proof_first_picture(conference, newcomers):
    worst = 0.0
    for name in newcomers:
        epoch = first_epoch_of(conference, name)
        joined = epoch and epoch.times.get(name)
        seen = conference.first_picture.get(name)
        if joined is None or seen is None:
            return Proof('first picture', False, f'{name} saw no picture of the live encoder')
        worst = max(worst, (seen - joined) * 1e3)
    return Proof('first picture', worst <= FIRST_PICTURE_MS,
                 f'{worst:.0f} ms after joining at the latest '
                 f'({FIRST_PICTURE_MS} ms allowed)')


# What an eavesdropper reads

def unique_data(datagrams):
    return {d.data for d in datagrams}


def is_dull(run):
    """A run that any message may have by itself, a row of zeros for instance."""
    return len(set(run)) < 4


def find_runs(payloads, haystacks):
    """Those of @haystacks that have RUN following octets of one of @payloads.

    Each run of RUN octets of a payload has a gram of GRAM octets that starts at a
    multiple of STRIDE: only those are looked up."""
    grams = {}
    for payload in set(payloads):
        for at in range(0, len(payload) - GRAM + 1, STRIDE):
            grams.setdefault(payload[at:at + GRAM], []).append((payload, at))
    return [haystack for haystack in haystacks if has_run(grams, haystack)]


def has_run(grams, haystack):
    for at in range(len(haystack) - GRAM + 1):
        for payload, start in grams.get(haystack[at:at + GRAM], ()):
            if common_run(payload, start, haystack, at):
                return True
    return False


def common_run(payload, start, haystack, at):
    """The equal octets around a gram are a run that says something."""
    begin = 0
    while begin < min(start, at, RUN) and payload[start - begin - 1] == haystack[at - begin - 1]:
        begin += 1
    end = GRAM
    while (end < 2 * RUN and start + end < len(payload) and at + end < len(haystack)
           and payload[start + end] == haystack[at + end]):
        end += 1
    run = payload[start - begin:start + end]
    return len(run) >= RUN and any(not is_dull(run[i:i + RUN])
                                   for i in range(len(run) - RUN + 1))


def find_names(names, haystacks):
    """Those of @names that are in one of @haystacks, in any case of letters."""
    found = set()
    wanted = [(name, name.lower().encode()) for name in names]
    for haystack in haystacks:
        lower = haystack.lower()
        found.update(name for name, octets in wanted if octets in lower)
    return sorted(found)


def proof_recording(conference):
    count = len(conference.datagrams)
    if conference.lost_by_recording is None or conference.lost_by_recording:
        return Proof('recording', False,
                     f'incomplete: {conference.lost_by_recording} datagrams were not recorded')
    return Proof('recording', count > 0, f'{count} datagrams, complete')


def proof_plaintext(conference):
    haystacks = unique_data(conference.datagrams)
    with_runs = find_runs(conference.payloads, haystacks)
    names = find_names(conference.secrets, haystacks)
    if with_runs:
        return Proof('plaintext', False, f'{len(with_runs)} datagrams hold payload in clear')
    if names:
        return Proof('plaintext', False, f'names in clear: {", ".join(names)}')
    octets = sum(map(len, conference.payloads))
    return Proof('plaintext', bool(haystacks) and octets > 0,
                 f'no {RUN}-octet run of {octets} octets of payload, and none of '
                 f'{len(conference.secrets)} names, in {len(haystacks)} different datagrams')


@dataclass(frozen=True, slots=True)
class Media:
    """A datagram that carries media or feedback."""
    time: float
    sender: str
    receiver: str
    protected: sframe.Protected


def media_of(conference):
    names = {port: name for name, port in conference.ports.items()}
    media, odd, parts = [], 0, {}
    for datagram in conference.datagrams:
        data = datagram.data
        if not (data and (128 <= data[0] <= 191 or data[0] == sframe.RTCP)):
            continue
        if data not in parts:
            parts[data] = sframe.protected_part(data)
        sender = names.get(datagram.source[1])
        if parts[data] is None or sender is None:
            odd += 1
            continue
        media.append(Media(datagram.time, sender, names.get(datagram.destination[1]),
                           parts[data]))
    return media, odd


def count_opened(media, ring, any_epoch=True):
    """How many of @media @ring opens. What goes to several members is the same
    for all and tried once."""
    verdicts = {}
    opened = 0
    for item in media:
        if item.protected not in verdicts:
            verdicts[item.protected] = ring.open(item.protected, any_epoch) is not None
        opened += verdicts[item.protected]
    return opened


def proof_opens(conference, media, odd):
    """The control: with the right keys everything opens, so that what does not
    open below is closed and not merely misread."""
    opened = 0
    by_receiver = {}
    for item in media:
        by_receiver.setdefault(item.receiver, []).append(item)
    for receiver, items in by_receiver.items():
        opened += count_opened(items, conference.keys.get(receiver, sframe.KeyRing()),
                               any_epoch=False)
    return Proof('control', opened == len(media) > 0 and not odd,
                 f'{opened} of {len(media)} media datagrams open with the keys of the member '
                 f'they went to' + (f', {odd} are none' if odd else ''))


def after_leaving(conference, media, leaver):
    """What was sent after @leaver left: under a key that came when it was out, or
    after its process had ended, or by a sender that had itself gone on to such a
    key before, or had the view without @leaver."""
    last = last_epoch_of(conference, leaver)
    if last is None:
        return []
    later = {n for n, e in conference.epochs.items()
             if n > last.number and leaver not in e.members}
    gone = conference.gone.get(leaver, float('inf')) + CLOCK_S
    gone_on, found = {}, []
    for item in media:
        if item.sender == leaver:
            continue
        sender = item.sender, item.protected.header.kid & 0xFFF
        if item.protected.epoch in later:
            gone_on.setdefault(sender, item.time)
            found.append(item)
        elif item.time > min(gone, gone_on.get(sender, float('inf')),
                             view_time(conference, later, item.sender) + FRAME_S):
            found.append(item)
    return found


def view_time(conference, epochs, member):
    """When @member had the view that the first of @epochs belongs to."""
    epoch = conference.epochs[min(epochs)] if epochs else None
    if epoch is None or member not in epoch.times:
        return float('inf')
    return epoch.times[member] - epoch.milliseconds[member] / 1e3


def before_joining(conference, media, newcomer):
    """What was sent before @newcomer joined: under a key before its first. (What
    anybody sends under its first key is meant for it.)"""
    first = first_epoch_of(conference, newcomer)
    if first is None:
        return []
    return [m for m in media if m.protected.epoch < first.number]


def proof_after_leave(conference, media, leavers, must_have):
    """@must_have: leavers after whom something was sent."""
    opened, tried = {}, 0
    for name in leavers:
        items = after_leaving(conference, media, name)
        tried += len(items)
        opened[name] = count_opened(items, conference.keys.get(name, sframe.KeyRing()))
        if not conference.keys.get(name, sframe.KeyRing()).epochs:
            return opened, Proof('after leaving', False, f'{name} logged no keys')
        if name in must_have and not items:
            return opened, Proof('after leaving', False, f'nothing was sent after {name} left')
    return opened, Proof('after leaving', not sum(opened.values()),
                         f'{sum(opened.values())} of {tried} datagrams sent after somebody '
                         f'left open with its keys (tried: {names_of(leavers)})')


def proof_before_join(conference, media, newcomers, must_have):
    """@must_have: newcomers for whom there was something to overhear."""
    opened, tried = {}, 0
    for name in newcomers:
        items = before_joining(conference, media, name)
        tried += len(items)
        opened[name] = count_opened(items, conference.keys.get(name, sframe.KeyRing()))
        if not conference.keys.get(name, sframe.KeyRing()).epochs:
            return opened, Proof('before joining', False, f'{name} logged no keys')
        if name in must_have and not items:
            return opened, Proof('before joining', False,
                                 f'nothing was sent before {name} joined')
    return opened, Proof('before joining', not sum(opened.values()),
                         f'{sum(opened.values())} of {tried} datagrams sent before somebody '
                         f'joined open with its keys (tried: {names_of(newcomers)})')


def proof_refused(conference, media):
    """Each intruder is refused by everybody who met it, and each peer says why."""
    for name, words in conference.intruders.items():
        for peer in conference.expected_reports[name]:
            reports = [r for r in conference.refusals if r.at == peer
                       and name in (r.name, r.at)]
            if not reports:
                return Proof('refused', False, f'{peer} does not say that {name} was refused')
            if not any(word in (r.reason or '').lower() for r in reports for word in words):
                return Proof('refused', False,
                             f'{peer} says of {name}: "{reports[0].reason}", '
                             f'which does not say that it is {words[0]}')
        for epoch in conference.epochs.values():
            if name in epoch.members:
                return Proof('refused', False, f'{name} got in (key {epoch.number})')
        ring = conference.keys.get(name, sframe.KeyRing())
        if count_opened(media, ring):
            return Proof('refused', False, f'{name} opens media of the conference')
    by_name = Counter(r.name or r.at for r in conference.refusals)
    return Proof('refused', bool(conference.intruders),
                 ', '.join(f'{name} ({words[0]}): {by_name.get(name, 0)} reports'
                           for name, words in conference.intruders.items()))
