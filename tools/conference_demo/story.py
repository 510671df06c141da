"""Runs the conference and gathers what the proofs look at.

The first peer starts the conference and invites everybody; the others come one
after another; three intruders are invited and refused; the second peer leaves;
the rest receives to the end of the clip.
"""

import os
import sys
import time

from . import capture, checks, gdp, peers, pictures, sheet, sframe
from .processes import Failure, Stage
from .report import short

PATIENCE = 30                   # s, for anything that should take a moment
STUCK = 15                      # s without a new frame: it will not end any more
JOINING = 5.0                   # s within which all have come
STREAMS = ('video_0', 'audio_0')
OTHERS_DECODED = 4              # up to so many members every stream is decoded


class Story:
    def __init__(self, options, say):
        self.options = options
        self.say = say
        self.stage = Stage()
        self.started = time.monotonic()
        self.recording = None
        self.members = []
        self.intruders = []
        self.live = {}          # name: its process
        self.asked_to_leave = {}
        self.over_at = None     # when the end began
        self.told = set()
        self.stage.listeners.append(self.tell)

    # Before the curtain

    def path(self, *parts):
        return os.path.join(self.options.out, *parts)

    def prepare(self):
        """Certificates, configuration files, ports."""
        out = self.options.out
        count = self.options.members
        ports = peers.free_ports(count + len(peers.INTRUDERS))
        self.members = [peers.Peer(name, port, out, sends=number < peers.SPEAKERS)
                        for number, (name, port) in enumerate(zip(peers.NAMES[:count], ports))]
        self.clip = self.options.clip
        if count > peers.SPEAKERS:
            self.clip = self.path('clip.mkv')
            peers.repeat_clip(self.options.clip, 2 if count <= 10 else 3, self.clip)
        self.intruders = [peers.Peer(name, port, out)
                          for name, port in zip(peers.INTRUDERS, ports[count:])]
        authority = peers.Authority(self.options.bravis, self.path('ca'), 'Demo CA')
        other = peers.Authority(self.options.bravis, self.path('other-ca'), 'Another CA')
        mallory, trudy, rhea = self.intruders
        for peer in self.members + [rhea]:
            authority.issue(peer)
        authority.issue(trudy, *peers.EXPIRED)
        other.issue(mallory)
        authority.revoke(rhea)

        first, second = self.members[0], self.members[1]
        everybody = self.members + self.intruders
        invited = {first: everybody[1:], mallory: [second]}
        for peer in everybody:
            peer.write_config(authority.certificate, authority.crl, everybody,
                              invited.get(peer, ()))

    def record(self):
        ports = [peer.port for peer in self.members + self.intruders]
        self.recording = capture.Capture(self.path('datagrams.pcap'), ports,
                                         self.path('tcpdump.log'))

    # On stage

    def others(self, peer):
        """How many send to @peer."""
        if peer in self.intruders:
            return 0
        return sum(1 for other in self.members if other.sends and other is not peer)

    def start(self, peer):
        line = peer.launch_line(self.clip, peer is self.members[0], self.others(peer))
        variables = {**self.options.variables, 'BRAVIS_KEYLOG': peer.keylog}
        self.say(f'{peer.name} starts:')
        self.say('    ' + peers.shell_line(variables, line), stamp=False)
        self.live[peer.name] = self.stage.start(peer.name, line, variables,
                                                peer.path('gst-launch.log'))
        if peer in self.intruders:
            self.live[peer.name].may_end = True

    def tell(self, process, message):
        """A line of progress for what somebody sees first."""
        if message.name == 'bravis-epoch':
            key = message.name, message.number, process.name in peers.INTRUDERS
            line = (f'key {message.number} ({message.cause}): '
                    f'{" ".join(map(short, message.members))}, after '
                    f'{message.milliseconds:.1f} ms')
        elif message.name == 'bravis-verification':
            key = message.name, message.number, process.name in peers.INTRUDERS
            line = f'key {message.number}: verification code {message.code}'
        elif message.name == 'bravis-refused':
            key = message.name, process.name, message.get('name'), message.get('by')
            line = (f'{process.name}: {short(message.get("name") or "somebody")} was refused by '
                    f'{short(message.get("by") or "me")}: {message.reason}')
        else:
            return
        if key not in self.told:
            self.told.add(key)
            self.say(line)

    def epoch_with(self, names):
        """Whether each of @names has the same newest key, made for exactly them."""
        wanted = {peers.identity(name) for name in names}
        numbers = set()
        for name in names:
            epochs = self.live[name].of('bravis-epoch')
            if not epochs or set(epochs[-1].members) != wanted:
                return False
            numbers.add(epochs[-1].number)
        return len(numbers) == 1

    def refusals(self):
        return [checks.Refusal(peers.identity(process.name), m.get('name'), m.get('by'), m.reason)
                for process in self.stage.processes for m in process.of('bravis-refused')]

    def all_refused(self):
        told = {(r.at, r.name) for r in self.refusals()}
        return all({(peer.identity, intruder.identity) for peer in self.members} <= told
                   and any(at == intruder.identity for at, _ in told)
                   for intruder in self.intruders)

    def recorded(self):
        """How much has been sent so far."""
        paths = [peer.sent(stream) for peer in self.members for stream in STREAMS]
        return sum(os.path.getsize(path) for path in paths if os.path.exists(path))

    def wait_for_the_end(self, names):
        """A peer ends by itself when its own clip is over and so are those of all
        others."""
        sent, since, shown = -1, time.monotonic(), time.monotonic()
        rest = [self.live[name] for name in names]
        for process in rest:
            process.may_end = True
        while any(process.ended_at is None for process in rest):
            time.sleep(0.05)
            if self.over_at is None and any(p.ended_at is not None for p in rest):
                self.over_at = time.time()
            now = self.recorded()
            if now != sent:
                sent, since = now, time.monotonic()
            if time.monotonic() - since > STUCK:
                raise Failure('the clips are over, but these do not end: ' + ' '.join(
                    p.name for p in rest if p.ended_at is None))
            if time.monotonic() - shown > 3:
                shown = time.monotonic()
                self.say(f'the clips go on, {sent // 1024} KiB sent')
        for process in rest:
            self.check_status(process)

    def check_status(self, process):
        if process.popen.returncode not in (0, 130):
            raise Failure(f'{process.name} ended with {process.popen.returncode}: '
                          f'{process.last_words()}')

    def leave(self, peer):
        process = self.live[peer.name]
        self.asked_to_leave[peer.identity] = time.time()
        process.interrupt()
        self.stage.wait(f'{peer.name} to end', lambda: process.ended_at is not None, PATIENCE)
        self.check_status(process)

    def play(self):
        names = []
        pause = min(2.0, JOINING / (len(self.members) - 1))
        for peer in self.members:
            self.start(peer)
            names.append(peer.name)
            self.stage.wait(f'a key for {" ".join(names)}',
                            lambda: self.epoch_with(names), PATIENCE)
            time.sleep(pause)
        for intruder in self.intruders:
            self.start(intruder)
        self.stage.wait('everybody to say why the intruders are refused',
                        self.all_refused, PATIENCE)
        time.sleep(1)
        second = self.members[1]
        self.say(f'{second.name} leaves')
        self.leave(second)
        names.remove(second.name)
        self.stage.wait(f'a key for {" ".join(names)} alone',
                        lambda: self.epoch_with(names), PATIENCE)
        for intruder in self.intruders:
            self.leave(intruder)
        self.wait_for_the_end(names)

    # After the curtain

    def gather(self, lost_by_recording):
        c = checks.Conference([peer.identity for peer in self.members])
        c.lost_by_recording = lost_by_recording
        c.datagrams = capture.read(self.path('datagrams.pcap'))
        c.ports = {peer.identity: peer.port for peer in self.members + self.intruders}
        c.asked_to_leave = dict(self.asked_to_leave)
        c.gone = {peers.identity(p.name): p.ended_at for p in self.stage.processes}
        c.secrets = [peer.identity for peer in self.members + self.intruders]
        c.secrets += [peers.CONFERENCE]
        c.refusals = self.refusals()
        c.intruders = {peers.identity(n): words for n, words in peers.INTRUDERS.items()}
        c.expected_reports = {i.identity: [p.identity for p in self.members] + [i.identity]
                              for i in self.intruders}
        for peer in self.members:
            self.gather_epochs(c, peer)
            if peer.sends:
                self.gather_sent(c, peer)
        for peer in self.members + self.intruders:
            c.keys[peer.identity] = sframe.KeyRing(
                sframe.read_keylog(peer.keylog) if os.path.exists(peer.keylog) else ())
        self.seen = {peer.identity: self.gather_received(c, peer) for peer in self.members}
        with open(self.options.clip, 'rb') as file:
            c.payloads = [file.read()] + [f for sent in c.sent for f in sent.frames]
        return c

    def gather_epochs(self, c, peer):
        for message in self.live[peer.name].of('bravis-epoch'):
            epoch = c.epochs.setdefault(message.number, checks.Epoch(
                message.number, message.cause, tuple(message.members)))
            epoch.times.setdefault(peer.identity, message.time / 1e6)
            epoch.milliseconds.setdefault(peer.identity, message.milliseconds)
        for message in self.live[peer.name].of('bravis-verification'):
            if message.number in c.epochs:
                c.epochs[message.number].codes[peer.identity] = message.code

    def gather_sent(self, c, peer):
        for stream in STREAMS:
            recording = gdp.read(peer.sent(stream))
            epochs = [(m.epoch, m.frame, m.time / 1e6)
                      for m in self.live[peer.name].of('bravis-stream-epoch')
                      if m.stream == stream]
            c.sent.append(checks.Sent(
                peer.identity, stream, [f.data for f in recording.frames],
                [f.pts for f in recording.frames], epochs, peer is self.members[0]))

    def gather_received(self, c, peer):
        """Adds what @peer received; returns [(sender, thumbnails)]."""
        seen = []
        for number in range(self.others(peer)):
            for stream in (f'video_{number}', f'audio_{number}'):
                path = peer.received(stream)
                recording = gdp.read(path) if os.path.exists(path) else gdp.parse(b'')
                sender = self.sender_of(recording.stream_id)
                if sender is None:
                    continue
                kind = stream.split('_')[0]
                c.received.append(checks.Received(peer.identity, sender, kind + '_0',
                                                  [f.data for f in recording.frames],
                                                  recording.whole))
                if kind == 'video' and os.path.isdir(peer.thumbnails(stream)):
                    seen.append((sender, peer.thumbnails(stream)))
        return seen

    def sender_of(self, stream_id):
        for peer in self.members:
            if stream_id and peer.identity in stream_id:
                return peer.identity
        return None

    def look(self, c, comparisons):
        """Decodes what was received and what was sent, and finds when newcomers
        saw the live encoder first."""
        first = self.members[0].identity
        for member, streams in self.seen.items():
            times = [sheet.pictures_of(d) for sender, d in streams if sender == first]
            if times and times[0]:
                c.first_picture[member] = times[0][0][0]
        sent = {(s.sender, s.stream): s for s in c.sent}
        received = {(r.member, r.sender, r.stream): r for r in c.received}
        chosen = [x for x in comparisons if x.stream == 'video_0' and x.received
                  and (x.sender == first or len(self.members) <= OTHERS_DECODED)]
        for number, x in enumerate(chosen, 1):
            self.say(f'decoding {number} of {len(chosen)}: {short(x.sender)} at '
                     f'{short(x.member)}')
            at = sent[x.sender, x.stream].frames[x.first:x.first + x.received]
            seen = pictures.decode(received[x.member, x.sender, x.stream].frames,
                                   self.options.variables)
            c.pictures.append((x.member, x.sender, seen,
                               pictures.decode(at, self.options.variables)))

    def prove(self, c):
        """All proofs, each looked at even where an earlier one failed."""
        first, second = c.members[0], c.members[1]
        comparisons = checks.compare_all(c)
        self.look(c, comparisons)
        media, odd = checks.media_of(c)
        leavers, newcomers = c.members[:-1], c.members[1:]
        if len(c.members) > OTHERS_DECODED:
            leavers, newcomers = [second], [c.members[2], c.members[-1]]
        self.say(f'trying the keys of who left and who joined on {len(media)} media datagrams')
        after, proof_after = checks.proof_after_leave(
            c, media, leavers, [second] if len(c.members) > 2 else [])
        before, proof_before = checks.proof_before_join(
            c, media, newcomers, [m for m in newcomers if m != second])
        self.say(f'opening each datagram, and looking for plaintext in all {len(c.datagrams)}')
        proofs = [
            checks.proof_frames(c, comparisons),
            checks.proof_key_changes(c, c.members[1:], [second]),
            checks.proof_pictures(c),
            checks.proof_first_picture(c, [m for m in c.members if m != first]),
            checks.proof_recording(c),
            checks.proof_plaintext(c),
            checks.proof_opens(c, media, odd),
            proof_after, proof_before,
            checks.proof_refused(c, media)]
        return comparisons, proofs, after, before

    def draw(self, c):
        """Draws frames.png; the changes at the very end show nothing new."""
        changes = [c.epochs[n] for n in sorted(c.epochs)
                   if len(c.epochs[n].members) > 1
                   and min(c.epochs[n].times.values()) < (self.over_at or float('inf'))]
        seen = {member: [(sender, sheet.pictures_of(d)) for sender, d in streams]
                for member, streams in self.seen.items()}
        sheet.draw(self.path('frames.png'), c.members, changes, seen, peers.THUMBNAIL)


class Speaker:
    """Prints progress, with the seconds since the beginning."""

    def __init__(self):
        self.started = time.monotonic()

    def __call__(self, line, stamp=True):
        prefix = f'[{time.monotonic() - self.started:6.1f} s] ' if stamp else ''
        print(prefix + line, flush=True)


def complain(line):
    print(f'demo: {line}', file=sys.stderr, flush=True)

