"""The demo's checker bites: a conference made by hand passes each proof, and
with one fault planted in it fails the one that is meant to see it."""

import os
import random
import struct
import sys
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'tools'))

from conference_demo import capture, checks, gdp, messages, sframe  # noqa: E402

ALICE, BOB, CAROL = 'alice@example.org', 'bob@example.org', 'carol@example.org'
MALLORY = 'mallory@example.org'
MEMBERS = {1: (ALICE,), 2: (ALICE, BOB), 3: (ALICE, BOB, CAROL), 4: (ALICE, CAROL)}
FRAMES_PER_EPOCH = 10
FRAME_S = 0.04
VIDEO, AUDIO = 0, 1


def epoch_keys(number, rng):
    return sframe.EpochKeys.from_secret(number, rng.randbytes(32), rng.randbytes(32),
                                        (4, 4, 4, 4), MEMBERS[number])


def rtp(kid, counter, key, payload, sequence):
    header = struct.pack('>BBHII', 0x80, 96, sequence & 0xFFFF, 0, 7)
    octets = sframe.write_header(kid, counter)
    return header + octets + key.seal(counter, octets, payload)


class World:
    """alice alone, bob joins, carol joins, bob leaves; each epoch is ten frames
    long and everybody sends one video stream of 300-octet frames."""

    def __init__(self):
        rng = random.Random(1)
        self.rng = rng
        self.epoch_keys = {n: epoch_keys(n, rng) for n in MEMBERS}
        c = self.conference = checks.Conference(members=[ALICE, BOB, CAROL])
        c.ports = {ALICE: 5001, BOB: 5002, CAROL: 5003}
        c.secrets = [ALICE, BOB, CAROL, 'demo conference']
        for number, members in MEMBERS.items():
            time = self.start(number)
            c.epochs[number] = checks.Epoch(
                number, 'join' if number < 4 else 'leave', members,
                {m: time for m in members}, {m: 2.0 for m in members},
                {m: f'code {number}' for m in members})
        c.keys = {m: sframe.KeyRing(k for n, k in self.epoch_keys.items() if m in MEMBERS[n])
                  for m in c.members}
        for sender in c.members:
            self.add_sender(sender)
        c.asked_to_leave = {BOB: self.start(4) - 0.02}
        c.gone = {BOB: self.start(4) + 0.05}
        c.first_picture = {BOB: self.start(2) + 0.1, CAROL: self.start(3) + 0.2}
        c.intruders = {MALLORY: ('trust',)}
        c.expected_reports = {MALLORY: [ALICE, MALLORY]}
        c.keys[MALLORY] = sframe.KeyRing()
        c.refusals = [checks.Refusal(ALICE, MALLORY, None, 'not issued by a trusted authority'),
                      checks.Refusal(MALLORY, MALLORY, ALICE, 'not trusted')]
        c.pictures = [(BOB, ALICE, ['a', 'b'], ['a', 'b'])]
        c.datagrams.sort(key=lambda d: d.time)

    @staticmethod
    def start(number):
        return 1000.0 + number * FRAMES_PER_EPOCH * FRAME_S

    def add_sender(self, sender):
        c = self.conference
        mine = [n for n in MEMBERS if sender in MEMBERS[n]]
        frames, epochs = [], []
        for number in mine:
            epochs.append((number, len(frames), self.start(number)))
            for i in range(FRAMES_PER_EPOCH):
                frame = self.rng.randbytes(300)
                self.send(sender, number, len(frames), frame, self.start(number) + i * FRAME_S)
                frames.append(frame)
        pts = [int(1e9 * FRAME_S * i) for i in range(len(frames))]
        c.sent.append(checks.Sent(sender, 'video_0', frames, pts, epochs, sender == ALICE))
        c.payloads += frames
        for member in c.members:
            if member != sender:
                got = [frames[n] for n in checks.expected_frames(c, c.sent[-1], member)]
                c.received.append(checks.Received(member, sender, 'video_0', got))

    def send(self, sender, epoch, counter, frame, time):
        """Seals once, sends to each other member."""
        kid = sframe.Kid(epoch, MEMBERS[epoch].index(sender), VIDEO, 0).pack()
        data = rtp(kid, counter, self.epoch_keys[epoch].key(kid), b'\xc0' + frame, counter)
        for member in MEMBERS[epoch]:
            if member != sender:
                self.add_datagram(time, sender, member, data)

    def add_datagram(self, time, sender, member, data):
        c = self.conference
        c.datagrams.append(capture.Datagram(
            time, ('127.0.0.1', c.ports[sender]), ('127.0.0.1', c.ports[member]), data))

    def received(self, member, sender):
        return next(r for r in self.conference.received
                    if (r.member, r.sender) == (member, sender))

    def frames(self):
        return checks.proof_frames(self.conference, checks.compare_all(self.conference))

    def media(self):
        return checks.media_of(self.conference)


def passes(proof):
    assert proof.passed, proof.detail


def fails(proof, word):
    assert not proof.passed, 'passed: ' + proof.detail
    assert word in proof.detail, proof.detail


def test_faultless_conference_passes_everything():
    world = World()
    c = world.conference
    media, odd = world.media()
    passes(world.frames())
    passes(checks.proof_key_changes(c, [BOB, CAROL], [BOB]))
    passes(checks.proof_pictures(c))
    passes(checks.proof_first_picture(c, [BOB, CAROL]))
    passes(checks.proof_recording(c))
    passes(checks.proof_plaintext(c))
    passes(checks.proof_opens(c, media, odd))
    passes(checks.proof_after_leave(c, media, [BOB], [BOB])[1])
    passes(checks.proof_before_join(c, media, [BOB, CAROL], [CAROL])[1])
    passes(checks.proof_refused(c, media))


def test_lost_frame_is_found():
    world = World()
    del world.received(CAROL, ALICE).frames[5]
    fails(world.frames(), 'lost 25..25 (1)')


def test_lost_first_frame_after_a_key_change_is_found():
    world = World()
    del world.received(CAROL, ALICE).frames[0]
    fails(world.frames(), 'lost 20..20')


def test_lost_last_frame_is_found():
    world = World()
    world.received(CAROL, ALICE).frames.pop()
    fails(world.frames(), 'lost 39..39')


def test_garbled_frame_is_found():
    world = World()
    frames = world.received(BOB, ALICE).frames
    frames[3] = frames[3][:100] + b'?' + frames[3][101:]
    fails(world.frames(), '1 altered')


def test_doubled_frame_is_found():
    world = World()
    frames = world.received(BOB, ALICE).frames
    frames.insert(3, frames[3])
    fails(world.frames(), '1 altered')


def test_swapped_frames_are_found():
    world = World()
    frames = world.received(BOB, ALICE).frames
    frames[3], frames[4] = frames[4], frames[3]
    fails(world.frames(), 'altered')


def test_missing_stream_is_found():
    world = World()
    world.conference.received.remove(world.received(CAROL, BOB))
    fails(world.frames(), f'{CAROL} of {BOB}')


def test_frame_of_an_epoch_without_the_member_is_found():
    world = World()
    world.received(BOB, ALICE).frames.append(world.conference.sent[0].frames[30])
    fails(world.frames(), 'altered or foreign')


def test_recording_cut_in_the_middle_is_found():
    world = World()
    world.received(BOB, ALICE).whole = False
    fails(world.frames(), 'ends in the middle')


def test_frames_on_their_way_when_a_member_leaves_are_not_missed():
    world = World()
    world.received(BOB, ALICE).frames.pop()
    passes(world.frames())


def test_frames_long_before_a_member_leaves_are_missed():
    world = World()
    world.conference.asked_to_leave[BOB] = World.start(4) + 1
    world.received(BOB, ALICE).frames.pop()
    fails(world.frames(), 'lost 29..29')


def test_missing_key_change_is_found():
    world = World()
    del world.conference.epochs[4]
    fails(checks.proof_key_changes(world.conference, [BOB, CAROL], [BOB]), 'no key change')


def test_key_change_without_media_across_is_found():
    world = World()
    for sent in world.conference.sent:
        sent.epochs = [entry for entry in sent.epochs if entry[0] != 3]
    fails(checks.proof_key_changes(world.conference, [BOB, CAROL], [BOB]), 'no stream')


def test_different_verification_codes_are_found():
    world = World()
    world.conference.epochs[3].codes[CAROL] = 'another'
    fails(checks.proof_key_changes(world.conference, [], []), 'verification')


def test_different_picture_is_found():
    world = World()
    world.conference.pictures = [(BOB, ALICE, ['a', 'c'], ['a', 'b'])]
    fails(checks.proof_pictures(world.conference), '1 equal')


def test_late_first_picture_is_found():
    world = World()
    world.conference.first_picture[CAROL] = World.start(3) + 0.31
    fails(checks.proof_first_picture(world.conference, [BOB, CAROL]), '310 ms')


def test_picture_never_seen_is_found():
    world = World()
    del world.conference.first_picture[CAROL]
    fails(checks.proof_first_picture(world.conference, [CAROL]), 'no picture')


def test_incomplete_recording_is_found():
    world = World()
    world.conference.lost_by_recording = 2
    fails(checks.proof_recording(world.conference), '2 datagrams')


def test_sixteen_octets_of_plaintext_are_found_anywhere():
    for at in range(0, 284, 7):
        world = World()
        leak = world.conference.sent[0].frames[12][at:at + 16]
        world.add_datagram(1001.0, ALICE, BOB, world.rng.randbytes(31 + at) + leak + b'end')
        fails(checks.proof_plaintext(world.conference), '1 datagrams')


def test_fifteen_octets_of_plaintext_are_chance():
    world = World()
    frame = world.conference.sent[0].frames[12]
    other = bytes([frame[59] ^ 1]) + frame[60:75] + bytes([frame[75] ^ 1])
    world.add_datagram(1001.0, ALICE, BOB, other)
    passes(checks.proof_plaintext(world.conference))


def test_row_of_zeros_is_no_plaintext():
    world = World()
    world.conference.payloads.append(world.rng.randbytes(9) + b'\0' * 40)
    world.add_datagram(1001.0, ALICE, BOB, b'\xc1' + b'\0' * 40)
    passes(checks.proof_plaintext(world.conference))


def test_name_in_clear_is_found():
    world = World()
    world.add_datagram(1001.0, ALICE, BOB, b'\xc0 SIP:Carol@Example.org')
    fails(checks.proof_plaintext(world.conference), CAROL)


def test_unprotected_media_is_found():
    world = World()
    world.add_datagram(1001.0, ALICE, BOB, struct.pack('>BBHII', 0x80, 96, 1, 0, 7) + b'\xff')
    fails(checks.proof_opens(world.conference, *world.media()), '1 are none')


def test_opener_that_opens_nothing_does_not_pass():
    world = World()
    world.conference.keys[BOB] = sframe.KeyRing()
    fails(checks.proof_opens(world.conference, *world.media()), 'open with the keys')


def test_member_that_lacks_a_key_is_found():
    world = World()
    del world.conference.keys[CAROL].epochs[3]
    fails(checks.proof_opens(world.conference, *world.media()), 'open with the keys')


def test_frame_that_the_leaver_can_open_is_found():
    """alice goes on under the old key after she had taken up the new one."""
    world = World()
    world.send(ALICE, 3, 900, b'late' * 20, World.start(4) + 0.03)
    opened, proof = checks.proof_after_leave(world.conference, world.media()[0], [BOB], [BOB])
    fails(proof, 'datagrams sent after')
    assert opened == {BOB: 2}, opened


def test_old_key_after_the_leaver_is_gone_is_found():
    """carol, who has not even the new view, sends under the old key."""
    world = World()
    c = world.conference
    c.datagrams = [d for d in c.datagrams
                   if not (d.source[1] == 5003 and d.time >= World.start(4))]
    del c.epochs[4].times[CAROL], c.epochs[4].milliseconds[CAROL]
    world.send(CAROL, 3, 900, b'late' * 20, c.gone[BOB] + 0.01)
    opened, _ = checks.proof_after_leave(c, world.media()[0], [BOB], [BOB])
    assert opened == {BOB: 2}, opened


def test_old_key_in_the_new_view_is_found():
    """carol has the view without bob, who still listens, and does not wait for the
    new key."""
    world = World()
    c = world.conference
    c.datagrams = [d for d in c.datagrams
                   if not (d.source[1] == 5003 and d.time >= World.start(4))]
    c.epochs[4].milliseconds[CAROL] = 30.0
    world.send(CAROL, 3, 900, b'late' * 20, World.start(4) - 0.01)
    opened, _ = checks.proof_after_leave(c, world.media()[0], [BOB], [BOB])
    assert opened == {BOB: 2}, opened


def test_silence_after_the_leaving_is_no_proof():
    world = World()
    world.conference.datagrams = [d for d in world.conference.datagrams
                                  if d.time < World.start(4)]
    _, proof = checks.proof_after_leave(world.conference, world.media()[0], [BOB], [BOB])
    fails(proof, 'nothing was sent')


def test_new_key_in_the_hands_of_the_leaver_is_found():
    world = World()
    c = world.conference
    c.keys[BOB].add(world.epoch_keys[4])
    opened, proof = checks.proof_after_leave(c, world.media()[0], [BOB], [BOB])
    fails(proof, 'datagrams sent after')
    assert opened[BOB] == 2 * FRAMES_PER_EPOCH, opened


def test_old_secret_under_a_new_number_is_found():
    """The new epoch's keys are the old one's: only the number grew."""
    world = World()
    c = world.conference
    kid = sframe.Kid(4, 0, VIDEO, 5).pack()
    data = rtp(kid, 1, world.epoch_keys[3].key(kid), b'frame' * 9, 1)
    world.add_datagram(World.start(4) + 0.1, ALICE, CAROL, data)
    opened, _ = checks.proof_after_leave(c, world.media()[0], [BOB], [BOB])
    assert opened == {BOB: 1}, opened


def test_old_key_in_the_hands_of_a_newcomer_is_found():
    world = World()
    c = world.conference
    c.keys[CAROL].add(world.epoch_keys[2])
    opened, proof = checks.proof_before_join(c, world.media()[0], [CAROL], [CAROL])
    fails(proof, 'before somebody joined')
    assert opened[CAROL] == 2 * FRAMES_PER_EPOCH, opened


def test_missing_key_log_is_found():
    world = World()
    world.conference.keys[CAROL] = sframe.KeyRing()
    _, proof = checks.proof_before_join(world.conference, world.media()[0], [CAROL], [])
    fails(proof, 'no keys')


def test_refusal_that_is_not_told_is_found():
    world = World()
    world.conference.refusals.pop()
    fails(checks.proof_refused(world.conference, []), f'{MALLORY} does not say')


def test_refusal_for_another_reason_is_found():
    world = World()
    world.conference.refusals[0].reason = 'expired'
    fails(checks.proof_refused(world.conference, []), 'does not say that it is trust')


def test_intruder_that_gets_in_is_found():
    world = World()
    world.conference.epochs[4].members = (ALICE, CAROL, MALLORY)
    fails(checks.proof_refused(world.conference, []), 'got in')


def test_intruder_that_has_keys_is_found():
    world = World()
    world.conference.keys[MALLORY].add(world.epoch_keys[2])
    fails(checks.proof_refused(world.conference, world.media()[0]), 'opens media')


def test_published_vectors_of_sframe_hold():
    import json
    path = os.path.join(os.path.dirname(__file__), '..', 'vectors', 'rfc9605.json')
    with open(path, encoding='utf-8') as file:
        vectors = json.load(file)
    for vector in vectors['header']:
        octets = bytes.fromhex(vector['encoded'])
        assert sframe.write_header(vector['kid'], vector['ctr']) == octets
        assert sframe.read_header(octets) == sframe.Header(vector['kid'], vector['ctr'],
                                                           len(octets))
    done = 0
    for vector in vectors['sframe']:
        suite = vector['cipher_suite']
        if suite in sframe.SUITES:
            key = sframe.SFrameKey(suite, vector['kid'], bytes.fromhex(vector['base_key']))
            octets = bytes.fromhex(vector['ct'])
            header = sframe.read_header(octets)
            plain = key.open(header.counter, bytes.fromhex(vector['aad']), octets[header.size:])
            assert plain == bytes.fromhex(vector['pt'])
            done += 1
    assert done == 2


def test_frames_are_read_as_they_were_recorded():
    frames = [gdp.Frame(b'one', 0), gdp.Frame(b'', None), gdp.Frame(b'three' * 999, 40)]
    data = gdp.write(frames)
    assert gdp.parse(data).frames == frames and gdp.parse(data).whole
    assert gdp.parse(data[:-1]).frames == frames[:2] and not gdp.parse(data[:-1]).whole


def test_messages_are_read_as_gst_launch_prints_them():
    line = ('Got message #7 from element "in" (element): bravis-epoch, number=(guint64)2, '
            'cause=(string)join, milliseconds=(double)3.25, '
            'members=(string)< alice@example.org, "bob\\ b\\"\\ b@example.org" >, '
            'reason=(string)"123\\ 456", by=(string)NULL;')
    message = messages.parse(line, 5.0)
    assert (message.element, message.name, message.seen) == ('in', 'bravis-epoch', 5.0)
    assert message.fields == {
        'number': 2, 'cause': 'join', 'milliseconds': 3.25,
        'members': ['alice@example.org', 'bob b" b@example.org'],
        'reason': '123 456', 'by': None}
    assert messages.parse('Setting pipeline to PLAYING ...') is None


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith('test_')]
    print(f'1..{len(tests)}')
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f'ok {number} - /tools/demo_checker/{name[5:]}')
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f'not ok {number} - /tools/demo_checker/{name[5:]}')
            for line in traceback.format_exc().splitlines():
                print('# ' + line)
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
